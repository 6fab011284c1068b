#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "wire/challenge.h"

static void within(struct slice part, struct slice all)
{
	assert(part.at == NULL ? part.len == 0 : part.at >= all.at && part.at + part.len <= all.at + all.len);
}

static void check(struct slice fields)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct challenges all;
	struct slice      value;

	challenges_read(fields, &all);
	assert(all.count <= CHALLENGES_MOST);
	for (size_t i = 0; i < all.count; i++) {
		const struct challenge *c = &all.item[i];

		within(c->scheme, fields);
		within(c->token, fields);
		within(c->parameters, fields);
		/* a message, or parameters behind a comma: never both side by side */
		assert(c->scheme.len && (!c->token.at || c->token.len) && (!c->parameters.at || c->parameters.len));
		if (challenge_parameter(c, "realm", job, &value))
			assert(value.len <= c->parameters.len);
	}
}

/* As fields, and as the value of the one that matters. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char name[] = "WWW-Authenticate: ";
	char             *fields = malloc(size + sizeof name);

	memcpy(fields, name, sizeof name - 1);
	if (size)
		memcpy(fields + sizeof name - 1, data, size);
	check(slice((const char *)data, size));
	check(slice(fields, sizeof name - 1 + size));
	free(fields);
	return 0;
}
