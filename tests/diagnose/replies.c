/* Every row of replies.h with the facts that its session would have recorded; and what the tables themselves must be like. */
#include "replies.h"

#include <ctype.h>

/* -- a report as a session would have left it ------------------------------------------------------------------------ */

static void passed(struct report *r, const char *id, int attempt)
{
	report_end(r, report_begin(r, id, attempt, 0), STEP_PASSED, 0);
}

static struct slice take_code(struct slice text)
{
	struct slice word = slice_upto(slice_from(text, 1), slice_find(text, ']') - 1);

	return slice_upto(word, slice_find(word, ' '));
}

static void imap_facts(struct report *r, int step, const char *reply)
{
	struct slice text = slice_str(reply), rest = text, word;

	if (text.at[0] == '*')
		slice_cut(&rest, ' ');
	word = slice_cut(&rest, ' ');
	report_fact(r, step, FACT_REPLY_STATUS, word);
	if (rest.len && rest.at[0] == '[')
		report_fact(r, step, FACT_REPLY_CODE, take_code(rest));
	report_fact(r, step, FACT_REPLY_TEXT, text);
}

static void smtp_facts(struct report *r, int step, const char *reply)
{
	struct slice rest = slice_str(reply), code = slice_cut(&rest, ' '), enhanced = slice_upto(rest, slice_find(rest, ' '));

	report_fact(r, step, FACT_REPLY_CODE, code);
	if (enhanced.len > 4 && isdigit((unsigned char)enhanced.at[0]) && enhanced.at[1] == '.')
		report_fact(r, step, FACT_REPLY_ENHANCED, enhanced);
	report_fact(r, step, FACT_REPLY_TEXT, slice_str(reply));
}

static bool is(const char *step, const char *id)
{
	return strcmp(step, id) == 0;
}

static void earlier_steps(struct report *r, const char *step, int attempt)
{
	static const char *const imap[] = { "imap.connect", "imap.tls", "imap.greeting", "imap.capability", "imap.login", "imap.id", "imap.list", "imap.open" };
	static const char *const smtp[] = { "smtp.connect", "smtp.tls", "smtp.greeting", "smtp.ehlo", "smtp.login", "smtp.send" };
	bool is_imap = strncmp(step, "imap", 4) == 0;

	for (size_t i = 0; i < (is_imap ? COUNT(imap) : COUNT(smtp)); i++) {
		const char *id = is_imap ? imap[i] : smtp[i];

		if (is(step, id))
			return;
		passed(r, id, attempt);
	}
}

static struct report *session(const struct row *row)
{
	struct report *r = report_new("ann@example.org");
	int            attempt, step;
	bool           is_imap = strncmp(row->step, "imap", 4) == 0;

	passed(r, "address", NO_ATTEMPT);
	attempt = report_attempt(r);
	step = report_begin(r, is_imap ? "imap.resolve" : "smtp.resolve", attempt, 0);
	report_note(r, step, FACT_HOST, "%s", row->host);
	report_end(r, step, STEP_PASSED, 0);
	earlier_steps(r, row->step, attempt);
	if (is(row->host, BIRCH))
		report_note(r, report_find(r, "imap.greeting", attempt), FACT_GREETING, EXCHANGE_GREETING);
	step = report_begin(r, row->step, attempt, 0);
	if (is(row->step, "imap.login") || is(row->step, "smtp.login")) {
		report_note(r, step, FACT_AUTH_OFFERED, "PLAIN LOGIN XOAUTH2");
		report_note(r, step, FACT_AUTH_BY, row->by == BY_TOKEN ? "token" : "password");
		report_note(r, step, FACT_AUTH_USERNAME, "address");
		report_note(r, step, FACT_AUTH_MECHANISM, row->by == BY_TOKEN ? "XOAUTH2" : "PLAIN");
	}
	if (is(row->step, "imap.greeting") || is(row->step, "smtp.greeting"))
		report_note(r, step, FACT_GREETING, "%s", row->reply);
	if (row->also && row->also[0] == '{') {
		report_note(r, step, FACT_SASL_STATUS, "%.3s", row->also + 1);
	} else if (row->also) {
		report_note(r, step, is_imap ? FACT_REPLY_ALSO : FACT_SEND_STAGE, "%s", row->also);
	}
	if (row->reply[0] == '!')
		report_note(r, step, FACT_NET_OUTCOME, "%s", row->reply + 1);
	else if (is_imap)
		imap_facts(r, step, row->reply);
	else
		smtp_facts(r, step, row->reply);
	report_end(r, step, STEP_FAILED, 0);
	return r;
}

static void check(const struct row *row)
{
	struct report *r = session(row);

	expect_row(r, row);
	report_free(r);
}

TEST(imap_replies)
{
	for (size_t i = 0; i < COUNT(imap_rows); i++)
		check(&imap_rows[i]);
}

TEST(smtp_replies)
{
	for (size_t i = 0; i < COUNT(smtp_rows); i++)
		check(&smtp_rows[i]);
}

/* -- nothing in common; what arrived ------------------------------------------------------------------------------------ */

static const struct { const char *step, *offered, *nothing, *code, *by, *cause; enum certainty certainty; } offers[] = {
	{ "smtp.login", "",                    "nothing", NULL,            "password", "smtp.auth_not_offered",  PROVEN },
	{ "smtp.login", "XOAUTH2 OAUTHBEARER", NULL,      NULL,            "password", "auth.oauth_required",    PROVEN },
	{ "smtp.login", "GSSAPI XOAUTH2",      NULL,      NULL,            "password", "auth.oauth_required",    LIKELY },
	{ "smtp.login", "GSSAPI",              NULL,      NULL,            "password", "auth.no_common_scheme",  PROVEN },
	{ "smtp.login", "PLAIN LOGIN",         NULL,      NULL,            "token",    "auth.no_common_scheme",  PROVEN },
	{ "imap.login", "XOAUTH2",             NULL,      "LOGINDISABLED", "password", "auth.oauth_required",    PROVEN },
	{ "imap.login", "XOAUTH2",             NULL,      NULL,            "password", "auth.oauth_required",    LIKELY },
	{ "imap.login", "",                    NULL,      "LOGINDISABLED", "password", "auth.login_disabled",    LIKELY },
	{ "imap.login", "GSSAPI",              NULL,      "LOGINDISABLED", "password", "auth.no_common_scheme",  PROVEN },
	{ "imap.login", "",                    NULL,      NULL,            "password", "auth.no_common_scheme",  PROVEN },
	{ "imap.login", "PLAIN",               NULL,      "LOGINDISABLED", "token",    "auth.no_common_scheme",  PROVEN },
};

TEST(nothing_in_common)
{
	for (size_t i = 0; i < COUNT(offers); i++) {
		struct report *r = report_new("ann@example.org");
		int            attempt = report_attempt(r), step = report_begin(r, offers[i].step, attempt, 0);
		struct finding f;

		report_note(r, step, FACT_AUTH_OFFERED, "%s", offers[i].offered);
		report_note(r, step, FACT_AUTH_BY, "%s", offers[i].by);
		report_note(r, step, FACT_AUTH_NO_COMMON, "yes");
		if (offers[i].nothing)
			report_note(r, step, FACT_AUTH_OFFERED, "%s", offers[i].nothing);
		if (offers[i].code)
			report_note(r, step, FACT_REPLY_CODE, "%s", offers[i].code);
		report_end(r, step, STEP_FAILED, 0);
		EXPECT(diagnose_attempt(r, attempt, &f));
		EXPECT_TEXT(cause_row(f.cause)->id, offers[i].cause);
		EXPECT_ROW(f.certainty == offers[i].certainty, offers[i].offered);
		report_free(r);
	}
}

static const struct { const char *name, *value, *cause; enum certainty certainty; } arrivals[] = {
	{ FACT_SEND_FOUND, "no",                                "send.not_received",               LIKELY },
	{ FACT_SEND_FROM,  "other@example.org",                 "send.from_rewritten",             PROVEN },
	{ FACT_SEND_FROM,  "outlook_0123456789AB@outlook.com",  "microsoft.foreign_primary_alias", LIKELY },
	{ FACT_SEND_FROM,  "ANN@example.org",                   NULL,                              CERTAINTY_NONE },
	{ FACT_SEND_FOUND, "yes",                               NULL,                              CERTAINTY_NONE },
};

TEST(what_arrived)
{
	for (size_t i = 0; i < COUNT(arrivals); i++) {
		struct report *r = report_new("ann@example.org");
		int            attempt = report_attempt(r), step = report_begin(r, "send.arrive", attempt, 0);
		struct finding f;

		report_note(r, step, arrivals[i].name, "%s", arrivals[i].value);
		report_end(r, step, arrivals[i].cause ? STEP_FAILED : STEP_PASSED, 0);
		EXPECT_ROW(diagnose_attempt(r, attempt, &f) == (arrivals[i].cause != NULL), arrivals[i].value);
		if (arrivals[i].cause) {
			EXPECT_TEXT(cause_row(f.cause)->id, arrivals[i].cause);
			EXPECT_ROW(f.certainty == arrivals[i].certainty, arrivals[i].value);
		}
		report_free(r);
	}
}

TEST(broken_replies)
{
	struct row     row = { OWN, "imap.login", "!closed", NULL, BY_PASSWORD, NULL, PROVEN, P, "" };
	struct report *r = session(&row);
	struct finding f;

	report_note(r, report_find(r, "imap.login", 0), FACT_REPLY_BROKEN, "a tag that was never sent: x9");
	EXPECT(diagnose_attempt(r, 0, &f));
	EXPECT_TEXT(cause_row(f.cause)->id, "server.answer_unreadable");
	EXPECT(f.certainty == PROVEN && f.who == WHO_PROVIDER);
	report_free(r);
}

/* -- what is ruled out --------------------------------------------------------------------------------------------------- */

TEST(exclusions)
{
	struct row     after = { OWN, "imap.open", "NO [NOPERM] no", NULL, BY_PASSWORD, NULL, PROVEN, A, "" };
	struct row     before = { OWN, "imap.login", "NO [UNAVAILABLE] no", NULL, BY_PASSWORD, NULL, PROVEN, P, "" };
	struct report *r = session(&after);
	struct verdict v;

	diagnose(r, &v);
	EXPECT(is_ruled_out(&v, slice_str("auth.password_rejected")));
	EXPECT(is_ruled_out(&v, slice_str("auth.username_form")));
	EXPECT(!is_ruled_out(&v, slice_str("imap.access_off_by_admin")));
	report_free(r);

	r = session(&before);
	diagnose(r, &v);
	EXPECT(!is_ruled_out(&v, slice_str("auth.password_rejected")));
	EXPECT(is_ruled_out(&v, slice_str("auth.no_common_scheme")));
	report_note(r, report_find(r, "address", NO_ATTEMPT), FACT_AUTH_SENT, "no");
	diagnose(r, &v);
	EXPECT(is_ruled_out(&v, slice_str("auth.password_rejected")));
	report_free(r);
}

/* What passed in another attempt says nothing about this one. */
TEST(passed_elsewhere)
{
	struct row     row = { OWN, "imap.login", "NO [UNAVAILABLE] no", NULL, BY_PASSWORD, NULL, PROVEN, P, "" };
	struct report *r = session(&row);
	struct verdict v;

	passed(r, "smtp.login", report_attempt(r));
	diagnose(r, &v);
	EXPECT(!is_ruled_out(&v, slice_str("auth.password_rejected")));
	report_free(r);
}

/* -- the tables themselves ------------------------------------------------------------------------------------------------- */

TEST(rows_are_sound)
{
	const struct rule_table *const tables[] = { &rules_replies, &rules_sending };

	for (size_t t = 0; t < COUNT(tables); t++)
		for (size_t i = 0; i < tables[t]->count; i++) {
			const struct rule *r = &tables[t]->rule[i];
			const char        *id = cause_row(r->cause)->id;

			EXPECT_ROW(r->source && *r->source, id);
			EXPECT_ROW(r->when[0].fact, id);
			EXPECT_ROW(!r->who || (cause_row(r->cause)->all_who & r->who), id);
			EXPECT_ROW(r->certainty < PROVEN || !r->open[0], id);
			for (size_t c = 0; c < LEFT_OPEN && r->open[c]; c++)
				EXPECT_ROW(r->open[c] != r->cause, id);
			for (size_t c = 0; c < CONDITIONS && r->when[c].fact; c++) {
				bool valued = r->when[c].op != ANY && r->when[c].op != NONE;

				EXPECT_ROW(valued == (r->when[c].value != NULL), id);
			}
		}
}

TEST(several_with_bars)
{
	struct row     row = { OWN, "imap.login", "NO LOGIN failed", NULL, BY_PASSWORD, NULL, PROVEN, P, "" };
	struct report *r = session(&row);
	struct scope   s;

	scope_init(&s, r, 0);
	EXPECT(scope_match(&s, &(struct condition){ "open|imap.login", FACT_REPLY_STATUS, IS, "OK|no" }));
	EXPECT(!scope_match(&s, &(struct condition){ "open|list", FACT_REPLY_STATUS, IS, "OK|no" }));
	EXPECT(!scope_match(&s, &(struct condition){ "login", FACT_REPLY_STATUS, IS, "OK|N" }));
	EXPECT(scope_match(&s, &(struct condition){ "login", SAID, HAS, "nothing|failed" }));
	EXPECT(!scope_match(&s, &(struct condition){ "login", SAID, HAS, "nothing|fail" }));
	EXPECT(!scope_match(&s, &(struct condition){ "login", SAID, NEVER_HAS, "nothing|failed" }));
	EXPECT(scope_match(&s, &(struct condition){ "login", SAID, NEVER_HAS, "nothing|fail" }));
	EXPECT(!scope_match(&s, &(struct condition){ "login", FACT_REPLY_STATUS, NEVER_IS, "OK|NO" }));
	EXPECT(scope_match(&s, &(struct condition){ "login", FACT_REPLY_STATUS, IS_NOT, "OK|BAD" }));
	report_free(r);
}
