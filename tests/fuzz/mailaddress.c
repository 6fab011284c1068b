#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "model/mailaddress.h"

/* What was accepted is accepted again, and is then the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct mail_address a, again;
	const char         *problem;
	const char         *text = arena_copy(job, slice((const char *)data, size));

	if (!mail_address_parse(text, job, &a, &problem)) {
		assert(problem && *problem);
		return 0;
	}
	assert(!problem && strlen(a.text) <= MAIL_ADDRESS_MOST);
	assert(mail_address_parse(a.text, job, &again, &problem));
	assert(strcmp(a.text, again.text) == 0 && strcmp(a.domain, again.domain) == 0);
	assert(a.is_literal == again.is_literal);
	return 0;
}
