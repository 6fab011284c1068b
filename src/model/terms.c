#include "model/terms.h"

#include <stddef.h>
#include <string.h>

#include "base/slice.h"

static const struct { const char *name; bool mail, sends, writes_calendar; } rows[RIGHTS_COUNT] = {
	[RIGHTS_FULL] = { "full", true, true, true },
	[RIGHTS_READ] = { "read", true, false, false },
	[RIGHTS_CALENDAR] = { "calendar", false, false, true },
};

const char *rights_name(enum rights r)
{
	return rows[r].name;
}

bool rights_find(const char *name, enum rights *out)
{
	for (enum rights r = RIGHTS_FULL; name && r < RIGHTS_COUNT; r++)
		if (strcmp(rows[r].name, name) == 0) {
			*out = r;
			return true;
		}
	return false;
}

bool rights_have_mail(enum rights r)
{
	return rows[r].mail;
}

bool rights_send(enum rights r)
{
	return rows[r].sends;
}

bool rights_write_calendar(enum rights r)
{
	return rows[r].writes_calendar;
}

const char *delegate_of(const char *username, const char *address)
{
	return username && strchr(username, '@') && !slice_is(slice_str(username), address) ? username : NULL;
}
