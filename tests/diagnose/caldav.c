/* What is concluded from the answers of calendar servers: every row of the rules by evidence that nothing else explains, and look-alikes. */
#include "cases.h"

#include "diagnose/explain.h"

static const struct least caldav = {
	.rules = &rules_caldav, .provider = "caldav", .usual = "caldav.resolve", .pasted = { { "caldav.pasted", "explain.caldav" } },
	.early = { "caldav.find", "caldav.url" },
};

TEST(every_row_is_reached_by_the_least_that_it_asks_for)
{
	expect_every_row_reached(&caldav);
}

/* -- look-alikes ------------------------------------------------------------------------------------------------------ */

#define AT(host)      OK("caldav.resolve", FACT_HOST, host), OK("caldav.connect", NULL), OK("caldav.tls", NULL)
#define OWN           AT("dav.birch.example")
#define WANTS(s)      OK("caldav.offer", FACT_HTTP_STATUS, "401", FACT_AUTH_OFFERED, s)
#define NOTED(id, ...) { id, STEP_WARNED, { __VA_ARGS__ } }
#define LOGIN(...)    NOT("caldav.login", FACT_AUTH_MECHANISM, "Basic", FACT_AUTH_BY, "password", __VA_ARGS__)
#define STATUS(n)     FACT_HTTP_STATUS, n
#define AFTER         FACT_AUTH_CREDENTIALS, "after"
#define IN            OK("caldav.login", FACT_AUTH_MECHANISM, "Basic", FACT_AUTH_BY, "password")
#define LOOKED(...)   NOT("caldav.find", FACT_LOOKED_AT, __VA_ARGS__)

static const struct look_alike pairs[] = {
	/* a 401 */
	{ "refused by a server of one's own", { OWN, WANTS("Basic"), LOGIN(STATUS("401"), AFTER) }, VERDICT_FAILED, "auth.password_rejected", LIKELY, "auth.app_password_required auth.username_form caldav.sign_in_page_in_front" },
	{ "refused by iCloud", { AT("caldav.icloud.com"), WANTS("Basic X-MobileMe-AuthToken"), LOGIN(STATUS("401"), AFTER) }, VERDICT_FAILED, "auth.app_password_required", LIKELY, "auth.password_rejected" },
	{ "refused by one of its partitions", { AT("p55-caldav.icloud.com"), WANTS("Basic"), LOGIN(STATUS("401"), AFTER) }, VERDICT_FAILED, "auth.app_password_required", LIKELY, "auth.password_rejected" },
	{ "refused by Fastmail", { AT("caldav.fastmail.com"), WANTS("Basic"), LOGIN(STATUS("401"), AFTER) }, VERDICT_FAILED, "auth.app_password_required", LIKELY, "auth.password_rejected" },
	{ "Google takes no password", { AT("apidata.googleusercontent.com"), WANTS("Bearer"), NOT("caldav.login", FACT_AUTH_BY, "password", FACT_AUTH_NO_COMMON, "yes") }, VERDICT_FAILED, "caldav.password_refused", PROVEN, "" },
	{ "a server that takes tokens alone", { OWN, WANTS("Bearer"), NOT("caldav.login", FACT_AUTH_BY, "password", FACT_AUTH_NO_COMMON, "yes") }, VERDICT_FAILED, "auth.no_common_scheme", PROVEN, "" },
	{ "a token that is refused", { OWN, WANTS("Bearer"), NOT("caldav.login", FACT_AUTH_MECHANISM, "Bearer", FACT_AUTH_BY, "token", STATUS("401"), AFTER) }, VERDICT_FAILED, "auth.not_authorized", LIKELY, "auth.oauth_required" },
	/* a 403, by where and by what it says */
	{ "forbidden without a reason", { OWN, WANTS("Basic"), LOGIN(STATUS("403"), AFTER) }, VERDICT_FAILED, "calendar.not_permitted", LIKELY, "auth.app_password_required" },
	{ "forbidden, since there is no right", { OWN, WANTS("Basic"), LOGIN(STATUS("403"), AFTER, FACT_DAV_CONDITION, "DAV:need-privileges") }, VERDICT_FAILED, "calendar.not_permitted", PROVEN, "" },
	{ "forbidden before anybody signed in", { OWN, NOTED("caldav.offer", STATUS("403")), NOT("caldav.well_known", STATUS("403")) }, VERDICT_FAILED, "caldav.not_found", LIKELY, "auth.ip_not_allowed" },
	{ "the calendars are forbidden", { OWN, WANTS("Basic"), IN, NOT("caldav.calendars", STATUS("403")) }, VERDICT_FAILED, "calendar.not_permitted", LIKELY, "auth.app_password_required" },
	{ "none may be written to", { OWN, WANTS("Basic"), IN, OK("caldav.calendars", FACT_CALENDARS, "1"), NOT("caldav.rights", FACT_CALENDAR_MAY_ADD, "no") }, VERDICT_PARTIAL, "calendar.not_permitted", PROVEN, "" },
	/* no answer of CalDAV */
	{ "nothing anywhere", { OWN, NOTED("caldav.offer", STATUS("404")), NOT("caldav.well_known", STATUS("404")) }, VERDICT_FAILED, "caldav.not_found", PROVEN, "" },
	{ "a page", { OWN, NOTED("caldav.offer", STATUS("200"), FACT_PAGE, "html"), NOT("caldav.well_known", STATUS("404")) }, VERDICT_FAILED, "caldav.not_found", LIKELY, "caldav.sign_in_page_in_front net.intercepted" },
	{ "a page with a password's field", { OWN, NOTED("caldav.offer", STATUS("200"), FACT_PAGE, "forms"), NOT("caldav.well_known", STATUS("404")) }, VERDICT_FAILED, "caldav.sign_in_page_in_front", LIKELY, "caldav.not_found" },
	{ "sent to a portal from the given place alone", { OWN, NOTED("caldav.offer", STATUS("302"), FACT_PAGE, "sign_in", FACT_HTTP_LOCATION, "https://sso.example/login"), NOT("caldav.well_known", STATUS("404")) }, VERDICT_FAILED, "caldav.sign_in_page_in_front", LIKELY, "caldav.not_found" },
	{ "sent to a portal from everywhere", { OWN, NOTED("caldav.offer", STATUS("302"), FACT_PAGE, "sign_in", FACT_HTTP_LOCATION, "https://sso.example/login"),
	  NOT("caldav.well_known", STATUS("302"), FACT_PAGE, "sign_in", FACT_HTTP_LOCATION, "https://sso.example/login") }, VERDICT_FAILED, "caldav.sign_in_page_in_front", PROVEN, "" },
	/* it passes */
	{ "slowed down", { OWN, NOT("caldav.offer", STATUS("429")) }, VERDICT_FAILED, "throttle.provider", PROVEN, "" },
	{ "slowed down behind a password", { OWN, WANTS("Basic"), LOGIN(STATUS("429"), AFTER) }, VERDICT_FAILED, "throttle.provider", LIKELY, "auth.too_many_attempts" },
	{ "busy, or slowing us down", { OWN, NOT("caldav.offer", STATUS("503")) }, VERDICT_FAILED, "server.unavailable", LIKELY, "throttle.provider" },
	{ "busy, and says until when", { OWN, NOT("caldav.offer", STATUS("503"), FACT_HTTP_RETRY_AFTER, "120") }, VERDICT_FAILED, "server.unavailable", PROVEN, "" },
	/* the search */
	{ "nobody answers for calendars", { LOOKED("_caldavs._tcp.birch.example: nxdomain", FACT_LOOKED_AT, "https://birch.example/.well-known/caldav: 404") }, VERDICT_FAILED, "caldav.not_found", PROVEN, "" },
	{ "and not all of them spoke", { LOOKED("_caldavs._tcp.birch.example: nxdomain", FACT_LOOKED_AT, "https://birch.example/.well-known/caldav: timeout") }, VERDICT_FAILED, "caldav.not_found", LIKELY, "server.unavailable" },
	{ "or could not be heard", { LOOKED("_caldavs._tcp.birch.example: nxdomain", FACT_LOOKED_AT, "https://birch.example/.well-known/caldav: tls_failed") }, VERDICT_FAILED, "caldav.not_found", LIKELY, "server.unavailable" },
	{ "the domain says that it has none", { LOOKED("https://birch.example/.well-known/caldav: 404", FACT_NOT_OFFERED, "_caldavs._tcp.birch.example") }, VERDICT_FAILED, "dns.service_not_offered", PROVEN, "" },
	{ "nothing that is known", { OWN, WANTS("Basic"), LOGIN(STATUS("418"), AFTER) }, VERDICT_FAILED, "unknown.answer", PROVEN, "" },
};

TEST(look_alikes)
{
	expect_look_alikes(&caldav, pairs, COUNT(pairs));
}

/* -- pasted ------------------------------------------------------------------------------------------------------------ */

static const struct pasted pasted[] = {
	{ "<?xml version=\"1.0\"?><d:error xmlns:d=\"DAV:\"><d:need-privileges><d:resource/></d:need-privileges></d:error>", "calendar.not_permitted", PROVEN },
	{ "<error xmlns=\"DAV:\"><quota-not-exceeded/></error>", "mailbox.full", PROVEN },
	{ "401 WWW-Authenticate: X-MobileMe-AuthToken realm=\"MMCalDav\"", "auth.app_password_required", LIKELY },
	{ "PROPFIND https://apidata.googleusercontent.com/caldav/v2/x/user: 401, Bearer realm=\"https://accounts.google.com/\", error=\"invalid_token\"", "caldav.password_refused", LIKELY },
	{ "Bearer realm=\"https://accounts.google.com/\"", "unknown.answer", PROVEN },
	{ "we need-privileges here", "unknown.answer", PROVEN },
	{ "Could not add this CalDAV account", "unknown.answer", PROVEN },
};

TEST(pasted_texts)
{
	expect_pasted(pasted, COUNT(pasted));
}

/* -- beside a mailbox --------------------------------------------------------------------------------------------------- */

static void judge(bool calendars_fine, struct verdict *v)
{
	static const char *const steps[] = { "imap.resolve", "imap.login", "imap.open", "smtp.resolve", "smtp.login", "caldav.resolve", "caldav.login" };
	struct report *r = report_new("ann@birch.example");

	r->provider = "imap";
	r->attempts = 3;
	for (size_t i = 0; i < COUNT(steps); i++)
		report_end(r, report_begin(r, steps[i], steps[i][0] == 'i' ? 0 : steps[i][0] == 's' ? 1 : 2, 0), STEP_PASSED, 0);
	{
		int list = report_begin(r, "caldav.calendars", 2, 0);

		report_note(r, list, FACT_CALENDARS, "%d", calendars_fine);
		report_end(r, list, calendars_fine ? STEP_PASSED : STEP_FAILED, 0);
	}
	diagnose(r, v);
	report_free(r);
}

TEST(what_is_wrong_with_calendars_leaves_the_mail_as_it_is)
{
	struct verdict v;

	judge(true, &v);
	EXPECT(v.kind == VERDICT_CONNECTED && v.findings == 0);
	judge(false, &v);
	EXPECT(v.kind == VERDICT_PARTIAL && v.findings && v.finding[0].cause == CAUSE_CALENDAR_NONE && v.finding[0].certainty == PROVEN);
}
