#include "sandbox/zones.h"

#include "sandbox/text.h"
#include "test.h"

TEST(clocks_and_moments)
{
	static const struct { const char *zone, *moment, *clock; } rows[] = {
		{ "W. Europe Standard Time", "2026-11-22T10:00:00Z", "2026-11-22T11:00:00Z" }, { "europe/berlin", "2026-07-22T10:00:00Z", "2026-07-22T12:00:00Z" },
		{ "Europe/Berlin", "2026-03-29T00:59:59Z", "2026-03-29T01:59:59Z" }, { "Europe/Berlin", "2026-03-29T01:00:00Z", "2026-03-29T03:00:00Z" },
		{ "Europe/London", "2026-10-25T01:00:00Z", "2026-10-25T01:00:00Z" }, { "Europe/London", "2026-10-25T00:59:59Z", "2026-10-25T01:59:59Z" },
		{ "Eastern Standard Time", "2026-03-08T06:59:59Z", "2026-03-08T01:59:59Z" }, { "Eastern Standard Time", "2026-03-08T07:00:00Z", "2026-03-08T03:00:00Z" },
		{ "America/New_York", "2026-11-01T07:00:00Z", "2026-11-01T02:00:00Z" }, { "Asia/Kolkata", "2026-07-22T10:00:00Z", "2026-07-22T15:30:00Z" },
		{ "UTC", "2026-07-22T10:00:00Z", "2026-07-22T10:00:00Z" }, { "tzone://Microsoft/Utc", "2026-07-22T10:00:00Z", "2026-07-22T10:00:00Z" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct zone *z = zone_named(rows[i].zone);
		int64_t            at = 0, clock = 0;

		EXPECT_ROW(z && moment_read(rows[i].moment, &at) && moment_read(rows[i].clock, &clock), rows[i].moment);
		EXPECT_ROW(zone_clock(z, at) == clock, rows[i].moment);
		/* what clocks show twice is the first of both */
		EXPECT_ROW(zone_moment(z, clock) == at || (zone_moment(z, clock) == at - 3600 && zone_clock(z, at - 3600) == clock), rows[i].moment);
	}
	EXPECT(!zone_named("Nowhere Standard Time") && !zone_named("") && !zone_named(NULL));
}
