#include <string.h>
#include <strings.h>

#include "sandbox/entra.h"

static const char *const known[] = {
	"openid", "profile", "email", "offline_access", "User.Read", "User.ReadBasic.All", "Mail.Read", "Mail.ReadBasic", "Mail.ReadWrite", "Mail.Send",
	"Mail.Read.Shared", "Mail.ReadWrite.Shared", "Mail.Send.Shared", "Calendars.Read", "Calendars.ReadWrite", "Calendars.Read.Shared",
	"Calendars.ReadWrite.Shared", "MailboxSettings.Read", "MailboxSettings.ReadWrite", "EWS.AccessAsUser.All", "IMAP.AccessAsUser.All", "SMTP.Send",
	"POP.AccessAsUser.All", ".default",
};

/* What ".default" stands for: all that the registration lists. */
#define REGISTERED "User.Read Mail.ReadWrite Mail.Send Calendars.ReadWrite MailboxSettings.Read"

static const char *const resources[] = { "https://" GRAPH_HOST "/", "https://outlook.office365.com/", "https://outlook.office.com/" };

bool scope_has(const char *scopes, const char *scope)
{
	struct slice rest = slice_str(scopes);

	while (rest.len)
		if (slice_is(slice_cut(&rest, ' '), scope))
			return true;
	return false;
}

bool scope_within(const char *scopes, const char *granted)
{
	struct slice rest = slice_str(scopes);

	while (rest.len) {
		struct slice one = slice_cut(&rest, ' ');
		char         name[64];

		if (!one.len)
			continue;
		if (one.len >= sizeof name)
			return false;
		memcpy(name, one.at, one.len);
		name[one.len] = '\0';
		if (!scope_has(granted, name))
			return false;
	}
	return true;
}

/* Which resource a scope is of, by its number from 1; 0: it names none, which means Graph. */
static size_t resource_of(struct slice *one)
{
	for (size_t i = 0; i < COUNT(resources); i++)
		if (slice_starts(*one, resources[i])) {
			*one = slice_from(*one, strlen(resources[i]));
			return i + 1;
		}
	return 0;
}

static const char *known_as(struct slice one)
{
	for (size_t i = 0; i < COUNT(known); i++)
		if (slice_is(one, known[i]))
			return known[i];
	return NULL;
}

unsigned scope_read(struct arena *arena, const char *asked, const char **scope)
{
	struct slice rest = slice_str(asked);
	const char  *out = "";
	size_t       resource = 0;

	while (rest.len) {
		struct slice one = slice_cut(&rest, ' ');
		size_t       of = one.len ? resource_of(&one) : 0;
		const char  *name = one.len ? known_as(one) : "";

		if (!name)
			return 70011;
		if (of && resource && of != resource)
			return 700022;
		resource = of ? of : resource;
		if (strcmp(name, ".default") == 0)
			name = REGISTERED;
		if (*name && !scope_has(out, name))
			out = arena_print(arena, "%s%s%s", out, *out ? " " : "", name);
	}
	*scope = out;
	return *out ? 0 : 70011;
}
