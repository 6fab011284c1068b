/* An AUTHENTICATE message as it stands, and whatever wraps one. */
#include "sandbox/ntlm.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	CLEANUP(arena) struct arena *arena = arena_new();
	static const unsigned char nonce[NTLM_NONCE] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	struct ntlm_answer answer;
	struct slice       message;
	unsigned char      binding[NTLM_BINDING];

	if (ntlm_find(slice((const char *)data, size), &message) != NTLM_AUTHENTICATE || !ntlm_answer_read(arena, message, &answer))
		return 0;
	assert(strlen(answer.user) <= size * 2 && answer.proof.len <= size);
	ntlm_answer_binding(&answer, binding);
	assert(!ntlm_answer_proves(&answer, "a password that nobody guesses", nonce));
	return 0;
}
