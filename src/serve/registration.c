#include "serve/registration.h"

#include <string.h>

#include "flow_signin.h"

struct apps registered_as(const struct app *a)
{
	return (struct apps){ &a->microsoft, &a->google };
}

bool registered_at(const struct app *a, const struct signin_place *p)
{
	struct apps apps = registered_as(a);

	return signin_client(signin_provider(p->name), &apps) != NULL;
}

void registered_where(const struct app *a, bool out[SIGNIN_PLACES])
{
	for (size_t i = 0; i < SIGNIN_PLACES; i++)
		out[i] = registered_at(a, &signin_places[i]);
}

enum rights usual_rights(const struct app *a, const struct signin_place *p)
{
	return p->at == SIGNIN_GOOGLE ? a->google_rights : a->rights;
}

bool microsoft_publisher_verified(const struct settings *s)
{
	const char *said = s->value[SETTING_MICROSOFT_VERIFIED];

	return said && strcmp(said, "yes") == 0;
}

const char *redirect_uri(const struct daemon *d, const struct signin_place *p, struct arena *into)
{
	return arena_print(into, "%s%s", d->base_url, p->callback);
}
