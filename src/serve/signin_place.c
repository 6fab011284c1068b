#include "serve/signin_place.h"

#include <string.h>

const struct signin_place signin_places[SIGNIN_PLACES] = {
	[SIGNIN_MICROSOFT] = {
		SIGNIN_MICROSOFT, "microsoft", "/oauth/microsoft/callback",
		{ "microsoft.admin_approval_required", "microsoft.user_not_assigned", "microsoft.conditional_access", "microsoft.app_misregistered" },
		.delegates = true,
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

const char *signin_word(const struct signin_place *p, const char *what, struct arena *into)
{
	return arena_print(into, "%s.%s", p->name, what);
}
