/* Time zones by the system's tables (RFC 8536): what libc has of them changes the whole process. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sandbox/gapi.h"

#define TABLES   "/usr/share/zoneinfo/"
#define LONGEST  ((size_t)64 * 1024)
#define HEAD     44

static bool is_zone(const char *zone)
{
	return *zone && strlen(zone) < 60 && !strstr(zone, "..") && *zone != '/' &&
	       strspn(zone, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/") == strlen(zone);
}

static int64_t number(const unsigned char *at, size_t bytes)
{
	uint64_t n = at[0] & 0x80 ? UINT64_MAX : 0;

	for (size_t i = 0; i < bytes; i++)
		n = n << 8 | at[i];
	return (int64_t)n;
}

struct tables {
	size_t transitions, types, letters, leaps, standard, local;
};

static struct tables tables_of(const unsigned char *head)
{
	size_t n[6];

	for (size_t i = 0; i < COUNT(n); i++)
		n[i] = (size_t)number(head + 20 + 4 * i, 4);
	return (struct tables){ .local = n[0], .standard = n[1], .leaps = n[2], .transitions = n[3], .types = n[4], .letters = n[5] };
}

static size_t size_of(const struct tables *t, size_t width)
{
	return t->transitions * (width + 1) + t->types * 6 + t->letters + t->leaps * (width + 4) + t->standard + t->local;
}

/* What holds then by the second part of such a file; behind its last change, what the same day of a year that it knows had. */
static bool look_up(const unsigned char *bytes, size_t len, int64_t at, int *east)
{
	struct tables        t = tables_of(bytes);
	size_t               second = HEAD + size_of(&t, 4), type = 0;
	const unsigned char *table, *types;

	if (len < second + HEAD || memcmp(bytes + second, "TZif", 4) != 0)
		return false;
	t = tables_of(bytes + second);
	table = bytes + second + HEAD;
	if (len < second + HEAD + size_of(&t, 8) || !t.types)
		return false;
	types = table + t.transitions * 9;
	for (size_t i = 0; i < t.transitions && number(table + i * 8, 8) <= at; i++)
		type = table[t.transitions * 8 + i];
	if (type >= t.types)
		return false;
	*east = (int)number(types + type * 6, 4);
	return true;
}

#define YEARS_28 883612800      /* after so many seconds days and weekdays are the same again */
#define LAST     2145916800     /* 2038: the tables of today go no further */

bool gcal_offset(const char *zone, int64_t at, int *east)
{
	unsigned char *bytes;
	char           path[100];
	FILE          *f;
	size_t         len;
	bool           fine;

	*east = 0;
	if (strcmp(zone, "UTC") == 0 || strcmp(zone, "Etc/UTC") == 0 || strcmp(zone, "GMT") == 0)
		return true;
	if (!is_zone(zone))
		return false;
	snprintf(path, sizeof path, TABLES "%s", zone);
	f = fopen(path, "re");
	if (!f)
		return false;
	bytes = must_alloc(LONGEST);
	len = fread(bytes, 1, LONGEST, f);
	fclose(f);
	while (at >= LAST)
		at -= YEARS_28;
	fine = len > HEAD && memcmp(bytes, "TZif", 4) == 0 && look_up(bytes, len, at, east);
	free(bytes);
	return fine;
}

bool gcal_to_utc(const char *zone, int64_t local, int64_t *at)
{
	int east;

	/* twice: the first guess may lie on the other side of a change */
	if (!gcal_offset(zone, local, &east) || !gcal_offset(zone, local - east, &east))
		return false;
	*at = local - east;
	return true;
}

const char *gcal_moment(struct arena *arena, const char *zone, int64_t at)
{
	int east = 0, apart;

	gcal_offset(zone, at, &east);
	apart = east < 0 ? -east : east;
	if (!east)
		return arena_print(arena, "%.19sZ", moment(arena, at));
	return arena_print(arena, "%.19s%c%02d:%02d", moment(arena, at + east), east < 0 ? '-' : '+', apart / 3600, apart / 60 % 60);
}
