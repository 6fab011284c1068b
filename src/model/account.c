#include "model/account.h"

#include <string.h>

#include "base/random.h"

#define ID_DICE 22

static const char *const state_names[ACCOUNT_STATES] = {
	"connecting", "connected", "degraded", "needs_user", "needs_admin", "waiting", "paused", "removed",
};

const char *account_state_name(enum account_state state)
{
	return state_names[state];
}

bool account_state_find(const char *name, enum account_state *out)
{
	for (enum account_state s = 0; s < ACCOUNT_STATES; s++)
		if (strcmp(name, state_names[s]) == 0) {
			*out = s;
			return true;
		}
	return false;
}

const char *new_id(struct arena *into, const char *kind)
{
	return arena_print(into, "%s_%s", kind, random_text(into, ID_DICE));
}

/* Found out by itself it is the same one, as far as anybody knows. */
static bool is_another(const char *was, const char *is)
{
	return strcmp(was, is) != 0 && strcmp(was, "auto") != 0 && strcmp(is, "auto") != 0;
}

void account_by_provider(struct account *a, const char *provider)
{
	if (is_another(a->provider, provider)) {
		a->cursor = a->place = a->calendar = NULL;
		a->impersonate = false;
	}
	a->provider = provider;
}

bool account_has_grant(const struct account *a)
{
	static const char *const granting[] = { "microsoft", "google" };

	for (size_t i = 0; i < COUNT(granting); i++)
		if (strcmp(granting[i], a->provider) == 0)
			return true;
	return false;
}

struct terms account_terms(const struct account *a)
{
	struct terms t = { .tenant = a->tenant, .shared = !a->tenant && delegate_of(a->username, a->address) };

	rights_find(a->rights, &t.rights);
	return t;
}

bool account_has_mail(const struct account *a)
{
	return strcmp(a->provider, "caldav") != 0 && rights_have_mail(account_terms(a).rights);
}
