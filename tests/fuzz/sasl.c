/* The first byte picks the mechanism; then come challenges, one a line: as they stand, and as what was in base64. */
#include "wire/sasl.h"

#include <assert.h>

static const char *const names[] = {
	"OAUTHBEARER", "XOAUTH2", "PLAIN", "LOGIN", "SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5",
};

static void round_trip(struct slice text, struct arena *arena)
{
	struct slice bytes, again;

	if (base64_decode(arena, text, &bytes))
		assert(strncmp(base64_encode(arena, bytes), text.len ? text.at : "", text.len) == 0);
	assert(base64_decode(arena, slice_str(base64_encode(arena, text)), &again) && slice_equal(again, text));
}

/* An iteration count of seven digits proves nothing here but patience. */
static bool is_slow(struct slice challenge)
{
	struct slice count = slice_from(challenge, slice_search(challenge, "i="));
	size_t       digits = 0;

	for (size_t i = 2; i < count.len && count.at[i] != ','; i++)
		digits++;
	return digits > 3;
}

static void converse(const char *name, struct slice challenges, bool encode)
{
	static const struct sasl_credentials who = {
		.user = "u=,x", .password = "p", .token = "t", .host = "h", .port = 143, .nonce = "n",
	};
	CLEANUP(arena) struct arena *arena = arena_new();
	CLEANUP(sasl) struct sasl *s = sasl_new(sasl_find(name), &who);
	bool scram = slice_starts(slice_str(name), "SCRAM");

	while (challenges.len) {
		struct slice challenge = slice_cut(&challenges, '\n'), plain;

		round_trip(challenge, arena);
		if (encode && !is_slow(challenge))
			sasl_answer(s, slice_str(base64_encode(arena, challenge)));
		else if (!encode && base64_decode(arena, challenge, &plain) && !is_slow(plain))
			sasl_answer(s, challenge);
	}
	/* Nobody guesses a signature. */
	assert(sasl_proven(s) == !scram);
	assert(sasl_reason(s));
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct slice challenges;

	if (size < 2)
		return 0;
	challenges = slice((const char *)data + 1, size - 1);
	sasl_choose(challenges, true, true);
	converse(names[data[0] % COUNT(names)], challenges, true);
	converse(names[data[0] % COUNT(names)], challenges, false);
	return 0;
}
