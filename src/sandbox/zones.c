#include "sandbox/zones.h"

#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/arena.h"

static const struct zone zones[] = {
	{ "UTC", "Etc/UTC", "(UTC) Coordinated Universal Time", 0, SUMMER_NONE },
	{ "GMT Standard Time", "Europe/London", "(UTC+00:00) Dublin, Edinburgh, Lisbon, London", 0, SUMMER_EUROPE },
	{ "W. Europe Standard Time", "Europe/Berlin", "(UTC+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna", 60, SUMMER_EUROPE },
	{ "Central European Standard Time", "Europe/Warsaw", "(UTC+01:00) Sarajevo, Skopje, Warsaw, Zagreb", 60, SUMMER_EUROPE },
	{ "Romance Standard Time", "Europe/Paris", "(UTC+01:00) Brussels, Copenhagen, Madrid, Paris", 60, SUMMER_EUROPE },
	{ "FLE Standard Time", "Europe/Helsinki", "(UTC+02:00) Helsinki, Kyiv, Riga, Sofia, Tallinn, Vilnius", 120, SUMMER_EUROPE },
	{ "SE Asia Standard Time", "Asia/Bangkok", "(UTC+07:00) Bangkok, Hanoi, Jakarta", 420, SUMMER_NONE },
	{ "Eastern Standard Time", "America/New_York", "(UTC-05:00) Eastern Time (US & Canada)", -300, SUMMER_AMERICA },
	{ "India Standard Time", "Asia/Kolkata", "(UTC+05:30) Chennai, Kolkata, Mumbai, New Delhi", 330, SUMMER_NONE },
	{ "tzone://Microsoft/Utc", "UTC", "", 0, SUMMER_NONE },
};

const struct zone *zone_at(size_t n)
{
	return n + 1 < COUNT(zones) ? &zones[n] : NULL;
}

const struct zone *zone_named(const char *name)
{
	for (size_t i = 0; name && i < COUNT(zones); i++)
		if (strcasecmp(zones[i].id, name) == 0 || strcasecmp(zones[i].iana, name) == 0)
			return &zones[i];
	return NULL;
}

/* Midnight of a Sunday: the n-th of that month, or (0) its last. */
static int64_t sunday(int year, int month, int nth)
{
	struct tm first = { .tm_year = year, .tm_mon = nth ? month - 1 : month, .tm_mday = 1 };
	int64_t   at = timegm(&first), day = at / 86400, weekday = (day + 4) % 7;

	if (!nth)
		return (day - (weekday ? weekday : 7)) * 86400;
	return (day + (weekday ? 7 - weekday : 0) + (nth - 1) * 7) * 86400;
}

static bool is_summer(const struct zone *z, int64_t at)
{
	time_t    seconds = (time_t)at;
	struct tm tm;

	gmtime_r(&seconds, &tm);
	switch (z->summer) {
	case SUMMER_EUROPE:
		return at >= sunday(tm.tm_year, 3, 0) + 3600 && at < sunday(tm.tm_year, 10, 0) + 3600;
	case SUMMER_AMERICA:
		return at >= sunday(tm.tm_year, 3, 2) + (120 - z->east) * 60 && at < sunday(tm.tm_year, 11, 1) + (60 - z->east) * 60;
	default:
		return false;
	}
}

int64_t zone_clock(const struct zone *z, int64_t at)
{
	return at + (z->east + (is_summer(z, at) ? 60 : 0)) * 60;
}

/* Of a time that clocks show twice, the first. */
int64_t zone_moment(const struct zone *z, int64_t clock)
{
	int64_t winter = clock - z->east * 60;

	return is_summer(z, winter - 3600) ? winter - 3600 : winter;
}
