#include "serve/identity.h"

#include "base/random.h"

#define NONCE 24

static const char asks[] = "doctor asks", answers[] = "daemon answers";

const char *identity_question(const struct vault *v, struct arena *into)
{
	const char *nonce = random_text(into, NONCE);

	return arena_print(into, "%s%s", nonce, vault_sign(v, asks, slice(nonce, NONCE), into));
}

const char *identity_answer(const struct vault *v, const char *question, struct arena *into)
{
	struct slice nonce = slice_upto(slice_str(question), NONCE);

	if (strlen(question) <= NONCE || !vault_signed(v, asks, nonce, question + NONCE))
		return NULL;
	return vault_sign(v, answers, nonce, into);
}

bool identity_is_proven(const struct vault *v, const char *question, struct slice answer, struct arena *work)
{
	return vault_signed(v, answers, slice(question, NONCE), arena_copy(work, answer));
}
