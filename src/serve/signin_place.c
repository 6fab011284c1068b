#include "serve/signin_place.h"

#include <string.h>

const struct signin_place signin_places[SIGNIN_PLACES] = {
	[SIGNIN_MICROSOFT] = {
		SIGNIN_MICROSOFT, "microsoft", "/oauth/microsoft/callback",
		{ "microsoft.admin_approval_required", "microsoft.user_not_assigned", "microsoft.conditional_access", "microsoft.app_misregistered" },
		.told = { NULL }, .delegates = true,
	},
	[SIGNIN_GOOGLE] = {
		SIGNIN_GOOGLE, "google", "/connect/google/callback",
		{ "google.app_blocked_by_admin", "google.advanced_protection", "google.app_not_for_this_account", "google.app_misregistered" },
		.told = { "google.app_blocked_by_admin", "google.advanced_protection" },
	},
};

const struct signin_place *signin_place(const char *name)
{
	for (size_t i = 0; name && i < SIGNIN_PLACES; i++)
		if (strcmp(signin_places[i].name, name) == 0)
			return &signin_places[i];
	return NULL;
}

const struct signin_place *signin_place_back(const char *path)
{
	for (size_t i = 0; i < SIGNIN_PLACES; i++)
		if (strcmp(signin_places[i].callback, path) == 0)
			return &signin_places[i];
	return NULL;
}

bool signin_place_says(const struct signin_place *p, const char *cause, const char *what)
{
	size_t name = strlen(p->name);

	return cause && strncmp(cause, p->name, name) == 0 && cause[name] == '.' && strcmp(cause + name + 1, what) == 0;
}

bool signin_is_approved(const struct account *a)
{
	const struct signin_place *p = signin_place(a->provider);

	if (!p || a->state != ACCOUNT_NEEDS_USER || !a->cause)
		return false;
	/* the same cause may have been the person's own from the beginning */
	for (size_t i = 0; p->told[i]; i++)
		if (strcmp(p->told[i], a->cause) == 0)
			return a->who && strcmp(a->who, "admin") == 0;
	return signin_place_says(p, a->cause, "admin_consent_recorded");
}

const char *signin_word(const struct signin_place *p, const char *what, struct arena *into)
{
	return arena_print(into, "%s.%s", p->name, what);
}
