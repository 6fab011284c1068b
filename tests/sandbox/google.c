#include "sandbox/gapi.h"

#include <stdlib.h>

#include "test.h"

#define A(name) GSCOPE(name)

TEST(scopes_are_read_as_answers_say_them)
{
	static const struct { const char *asked, *scope; } rows[] = {
		{ "openid email profile", "openid " A("userinfo.email") " " A("userinfo.profile") },
		{ "email " A("userinfo.email"), A("userinfo.email") },
		{ GSCOPE_MAIL "  " A("calendar"), GSCOPE_MAIL " " A("calendar") },
		{ A("gmail.sent"), NULL }, { "calendar", NULL }, { "openid x", NULL }, { "", NULL }, { " ", NULL },
	};
	CLEANUP(arena) struct arena *arena = arena_new();

	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *scope = gscope_read(arena, rows[i].asked);

		EXPECT_ROW((scope != NULL) == (rows[i].scope != NULL), rows[i].asked);
		if (scope)
			EXPECT_TEXT(scope, rows[i].scope);
	}
}

TEST(scopes_are_compared)
{
	CLEANUP(arena) struct arena *arena = arena_new();
	const char *some = "openid " GSCOPE_MAIL " " A("calendar");

	EXPECT(gscope_has(some, "calendar") && gscope_has(some, GSCOPE_MAIL) && gscope_has(some, "openid"));
	EXPECT(!gscope_has(some, "gmail.modify") && !gscope_has(A("calendar.events"), "calendar") && !gscope_has("", "openid"));
	EXPECT(gscope_within(A("calendar") " openid", some) && !gscope_within(A("gmail.send"), some) && gscope_within("", ""));
	EXPECT(!gscope_within(A("calend"), some));
	EXPECT_TEXT(gscope_joined(arena, some, "openid x"), arena_print(arena, "%s x", some));
	EXPECT_TEXT(gscope_without(arena, some, "calendar"), "openid " GSCOPE_MAIL);
	EXPECT_TEXT(gscope_without(arena, some, "openid,calendar," GSCOPE_MAIL), "");
	EXPECT(gscope_is_sign_in(slice_str("openid")) && !gscope_is_sign_in(slice_str(GSCOPE_MAIL)));
}

TEST(zones_are_the_systems)
{
	static const struct { const char *zone, *at, *there; } rows[] = {
		{ "Europe/Berlin", "2026-01-15T12:00:00Z", "2026-01-15T13:00:00+01:00" }, { "Europe/Berlin", "2026-07-15T12:00:00Z", "2026-07-15T14:00:00+02:00" },
		{ "Europe/Berlin", "2026-10-25T00:59:59Z", "2026-10-25T02:59:59+02:00" }, { "Europe/Berlin", "2026-10-25T01:00:00Z", "2026-10-25T02:00:00+01:00" },
		{ "Asia/Kolkata", "2026-01-15T12:00:00Z", "2026-01-15T17:30:00+05:30" }, { "America/St_Johns", "2026-01-15T12:00:00Z", "2026-01-15T08:30:00-03:30" },
		{ "Europe/Berlin", "2050-07-15T12:00:00Z", "2050-07-15T14:00:00+02:00" }, { "UTC", "2026-01-15T12:00:00Z", "2026-01-15T12:00:00Z" },
	};
	CLEANUP(arena) struct arena *arena = arena_new();
	int     east;
	int64_t at, back;

	for (size_t i = 0; i < COUNT(rows); i++) {
		EXPECT(moment_read(rows[i].at, &at) && gcal_offset(rows[i].zone, at, &east));
		EXPECT_TEXT(gcal_moment(arena, rows[i].zone, at), rows[i].there);
		EXPECT_ROW(gcal_to_utc(rows[i].zone, at + east, &back) && (back == at || ((i == 2 || i == 3) && llabs(back - at) == 3600)), rows[i].there);      /* that hour comes twice */
	}
	EXPECT(!gcal_offset("Mars/Olympus", 0, &east) && !gcal_offset("../../../etc/passwd", 0, &east) && !gcal_offset("/etc/passwd", 0, &east));
	EXPECT(!gcal_offset("", 0, &east) && !gcal_offset("zone.tab", 0, &east) && !gcal_offset("Europe", 0, &east));
}

TEST(times_of_events_are_read)
{
	static const struct { const char *json, *at; bool day; } rows[] = {
		{ "{\"dateTime\":\"2026-12-01T10:00:00\",\"timeZone\":\"Asia/Bangkok\"}", "2026-12-01T03:00:00Z", false },
		{ "{\"dateTime\":\"2026-12-01T10:00:00+02:00\",\"timeZone\":\"Asia/Bangkok\"}", "2026-12-01T08:00:00Z", false },
		{ "{\"dateTime\":\"2026-12-01T10:00:00Z\"}", "2026-12-01T10:00:00Z", false }, { "{\"date\":\"2026-12-01\"}", "2026-12-01T00:00:00Z", true },
		{ "{\"dateTime\":\"2026-12-01T10:00:00\",\"timeZone\":\"Nowhere\"}", NULL, false }, { "{\"date\":\"2026\"}", NULL, false }, { "{}", NULL, false },
		{ "{\"dateTime\":\"tomorrow\"}", NULL, false }, { "{\"dateTime\":5}", NULL, false },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		cJSON  *o = json_read(slice_str(rows[i].json), 1000, NULL);
		int64_t at = 0, wanted = 0;
		bool    day = false, read = gcal_time_read(o, &at, &day);

		EXPECT_ROW(read == (rows[i].at != NULL), rows[i].json);
		if (read)
			EXPECT_ROW(moment_read(rows[i].at, &wanted) && at == wanted && day == rows[i].day, rows[i].json);
		cJSON_Delete(o);
	}
}

TEST(base64_as_gmail_has_it)
{
	static const struct { const char *text; size_t len; } rows[] = { { "_-8=", 2 }, { "_-8", 2 }, { "/+8=", 2 }, { "QQ==", 1 }, { "QQ", 1 }, { "QUJD", 3 } };
	CLEANUP(arena) struct arena *arena = arena_new();
	struct slice out;

	for (size_t i = 0; i < COUNT(rows); i++)
		EXPECT_ROW(gmail_base64_read(arena, rows[i].text, &out) && out.len == rows[i].len, rows[i].text);
	EXPECT(!gmail_base64_read(arena, "Q*==", &out));
	EXPECT_TEXT(gmail_base64(arena, slice("\xff\xef", 2)), "_-8=");
}
