#include "provider/google_consent.h"

#include "test.h"

#define AUTH(name) "https://www.googleapis.com/auth/" name

TEST(what_is_asked_for_follows_the_rights)
{
	static const struct { enum rights rights; const char *names, *full; } rows[] = {
		{ RIGHTS_FULL, "gmail.modify calendar", AUTH("gmail.modify") " " AUTH("calendar") },
		{ RIGHTS_READ, "gmail.readonly calendar.readonly", AUTH("gmail.readonly") " " AUTH("calendar.readonly") },
		{ RIGHTS_CALENDAR, "calendar", AUTH("calendar") },
	};
	CLEANUP(arena) struct arena *job = arena_new();

	for (size_t i = 0; i < COUNT(rows); i++) {
		EXPECT_TEXT(google_scopes(rows[i].rights, false, job), rows[i].names);
		EXPECT_TEXT(google_scopes(rows[i].rights, true, job), rows[i].full);
		EXPECT_ROW(!google_missing(rows[i].full, rows[i].rights, 0), rows[i].names);
	}
}

TEST(what_is_missing_is_named)
{
	static const struct { const char *granted; enum rights rights; const char *missing[3]; } rows[] = {
		{ "openid email", RIGHTS_FULL, { "gmail.modify", "gmail.send", "calendar" } }, { "", RIGHTS_READ, { "gmail.readonly", "calendar.readonly" } },
		{ AUTH("gmail.modify"), RIGHTS_FULL, { "calendar" } }, { AUTH("gmail.readonly") " " AUTH("calendar"), RIGHTS_FULL, { "gmail.modify", "gmail.send" } },
		{ AUTH("gmail.readonly") " " AUTH("gmail.send") " " AUTH("calendar.events"), RIGHTS_FULL, { "gmail.modify" } },
		{ "https://mail.google.com/ " AUTH("calendar"), RIGHTS_READ, { NULL } }, { "https://mail.google.com/", RIGHTS_CALENDAR, { "calendar" } },
		/* a longer name is another one */
		{ AUTH("calendar.readonly"), RIGHTS_CALENDAR, { "calendar" } }, { "x" AUTH("calendar"), RIGHTS_CALENDAR, { "calendar" } },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		for (size_t n = 0; n < 4; n++) {
			const char *missing = google_missing(rows[i].granted, rows[i].rights, n), *due = n < 3 ? rows[i].missing[n] : NULL;

			EXPECT_ROW(missing ? due && strcmp(missing, due) == 0 : !due, rows[i].granted);
		}
}

TEST(where_people_are_sent)
{
	static const struct { const char *hint; enum rights rights; const char *has[5], *has_not; } rows[] = {
		{ NULL, RIGHTS_FULL, { "&access_type=offline&", "&include_granted_scopes=true&", "&prompt=consent%20select_account", "&code_challenge_method=S256", "gmail.modify" }, "login_hint" },
		{ "ann+b@birch.example", RIGHTS_FULL, { "&prompt=consent&", "&login_hint=ann%2Bb%40birch.example" }, "select_account" },
		/* no more than was asked for comes with it */
		{ NULL, RIGHTS_READ, { "scope=openid%20email%20https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fgmail.readonly%20" }, "include_granted_scopes" },
		{ NULL, RIGHTS_CALENDAR, { "auth%2Fcalendar&" }, "gmail" },
	};
	static const struct google_app  app = { .client_id = "4815.apps.googleusercontent.com", .client_secret = "GOCSPX-secret" };
	static const struct oauth_code  code = { NULL, "verifier-of-forty-three-characters-and-some-more", "https://mail.example.org/connect/google/callback", NULL };
	CLEANUP(arena) struct arena *job = arena_new();

	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *url = google_authorize_url(&app, &code, &(struct oauth_departure){ .state = "st", .login_hint = rows[i].hint, .rights = rows[i].rights }, job);

		EXPECT_ROW(slice_starts(slice_str(url), "https://accounts.google.com/o/oauth2/v2/auth?client_id=4815.apps.googleusercontent.com&response_type=code&redirect_uri=https%3A%2F%2Fmail.example.org%2Fconnect%2Fgoogle%2Fcallback&"), url);
		for (size_t n = 0; n < 5 && rows[i].has[n]; n++)
			EXPECT_ROW(strstr(url, rows[i].has[n]), rows[i].has[n]);
		EXPECT_ROW(!strstr(url, rows[i].has_not) && !strstr(url, app.client_secret) && !strstr(url, code.verifier), url);
	}
}
