#include "serve/registration.h"

#include <string.h>

bool microsoft_registered(const struct settings *s, struct microsoft_app *out)
{
	*out = (struct microsoft_app){ .client_id = s->value[SETTING_MICROSOFT_ID], .client_secret = s->value[SETTING_MICROSOFT_SECRET],
		.tenant = s->value[SETTING_MICROSOFT_TENANT], .authority = s->value[SETTING_MICROSOFT_AUTHORITY] };
	return out->client_id && *out->client_id;
}

bool microsoft_publisher_verified(const struct settings *s)
{
	const char *said = s->value[SETTING_MICROSOFT_VERIFIED];

	return said && strcmp(said, "yes") == 0;
}

const char *microsoft_redirect_uri(const struct daemon *d, struct arena *into)
{
	return arena_print(into, "%s%s", d->base_url, MICROSOFT_CALLBACK);
}
