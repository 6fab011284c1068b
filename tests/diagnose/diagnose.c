#include "diagnose/diagnose.h"

#include "model/endpoint.h"
#include "test.h"

/* -- a case in a few lines ------------------------------------------------------------------------------------------- */

/* "imap.login/0 failed", then its facts; a NULL ends. Attempt - is none. */
struct case_step {
	const char *id;
	int         attempt;
	enum step_state state;
	const char *facts[16];      /* name, value, … */
};

#define PASSED(id, attempt, ...)  { id, attempt, STEP_PASSED, { __VA_ARGS__ } }
#define FAILED_(id, attempt, ...) { id, attempt, STEP_FAILED, { __VA_ARGS__ } }
#define SKIPPED(id, attempt)      { id, attempt, STEP_SKIPPED, { NULL } }

static struct report *report_of(const struct case_step *steps, size_t count, const char *skip)
{
	struct report *r = report_new("ann@birch.example");

	for (size_t i = 0; i < count && steps[i].id; i++) {
		int n = report_begin(r, steps[i].id, steps[i].attempt, 0);

		for (size_t f = 0; f + 1 < COUNT(steps[i].facts) && steps[i].facts[f]; f += 2)
			report_fact(r, n, steps[i].facts[f], slice_str(steps[i].facts[f + 1]));
		if (steps[i].state == STEP_SKIPPED)
			r->step[n].skip = skip;
		report_end(r, n, steps[i].state, 0);
		if (steps[i].attempt >= r->attempts)
			r->attempts = steps[i].attempt + 1;
	}
	return r;
}

#define ADDRESS          PASSED("address", NO_ATTEMPT, FACT_ADDRESS_DOMAIN, "birch.example")
#define PLACE(p, n)      FACT_HOST, p ".birch.example", FACT_PORT, n, FACT_SOURCE, "autoconfig", FACT_TRUSTED, "yes", FACT_DNS_OUTCOME, "found"
#define IMAP_REACHED(a)  PASSED("imap.resolve", a, PLACE("imap", "993")), PASSED("imap.connect", a, FACT_NET_OUTCOME, "ok"), \
	PASSED("imap.tls", a, FACT_TLS_VERIFY, "ok", FACT_TLS_SHOOK, "yes"), PASSED("imap.greeting", a, FACT_GREETING, "* OK ready"), PASSED("imap.capability", a)
#define IMAP_FINE(a)     IMAP_REACHED(a), PASSED("imap.login", a, FACT_AUTH_MECHANISM, "PLAIN"), PASSED("imap.list", a), PASSED("imap.open", a)
#define SMTP_REACHED(a)  PASSED("smtp.resolve", a, PLACE("smtp", "465")), PASSED("smtp.connect", a, FACT_NET_OUTCOME, "ok"), \
	PASSED("smtp.tls", a, FACT_TLS_VERIFY, "ok"), PASSED("smtp.greeting", a, FACT_GREETING, "220 ready"), PASSED("smtp.ehlo", a)
#define SMTP_FINE(a)     SMTP_REACHED(a), PASSED("smtp.login", a, FACT_AUTH_MECHANISM, "PLAIN")
#define REFUSED_PLAINLY  FACT_AUTH_BY, "password", FACT_AUTH_MECHANISM, "PLAIN", FACT_REPLY_STATUS, "NO", FACT_REPLY_CODE, "AUTHENTICATIONFAILED", \
	FACT_REPLY_TEXT, "NO [AUTHENTICATIONFAILED] Authentication failed."

static bool finds(const struct verdict *v, enum cause cause)
{
	for (size_t i = 0; i < v->findings; i++)
		if (v->finding[i].cause == cause)
			return true;
	return false;
}

static bool excludes(const struct verdict *v, enum cause cause)
{
	for (size_t i = 0; i < v->exclusions; i++)
		if (v->exclusion[i].cause == cause)
			return true;
	return false;
}

/* What holds for every verdict. */
static void sane(const struct verdict *v, const char *name)
{
	for (size_t i = 0; i < v->exclusions; i++) {
		EXPECT_ROW(!finds(v, v->exclusion[i].cause), name);
		EXPECT_ROW(v->exclusion[i].by.name && *v->exclusion[i].by.name, name);
		for (size_t j = 0; j < i; j++)
			EXPECT_ROW(v->exclusion[i].cause != v->exclusion[j].cause, name);
	}
	for (size_t i = 0; i < v->findings; i++) {
		EXPECT_ROW(v->finding[i].cause != CAUSE_NONE && v->finding[i].certainty != CERTAINTY_NONE, name);
		EXPECT_ROW(v->finding[i].who & cause_row(v->finding[i].cause)->all_who, name);
		for (size_t j = 0; j < i; j++)
			EXPECT_ROW(v->finding[i].cause != v->finding[j].cause, name);
		if (i && !v->finding[i].repaired)
			EXPECT_ROW(v->finding[i].certainty == POSSIBLE, name);
	}
	EXPECT_ROW(v->kind != VERDICT_FAILED || v->findings, name);
	EXPECT_ROW(v->kind != VERDICT_PARTIAL || v->findings, name);
	EXPECT_ROW((v->kind == VERDICT_UNFINISHED) == (v->needs > 0), name);
}

/* -- standing --------------------------------------------------------------------------------------------------------- */

static const struct {
	const char       *name, *skip;
	struct case_step  step[20];
	enum verdict_kind kind;
	enum cause        cause;             /* of finding[0], or CAUSE_NONE */
	enum certainty    certainty;
	const char       *needs[NEEDS * 2];  /* kind, value, … */
} cases[] = {
	{ "connected", NULL, { ADDRESS, IMAP_FINE(0), SMTP_FINE(1) }, VERDICT_CONNECTED, CAUSE_NONE, CERTAINTY_NONE, { NULL } },
	{ "the other order", NULL, { ADDRESS, SMTP_FINE(0), IMAP_FINE(1) }, VERDICT_CONNECTED, CAUSE_NONE, CERTAINTY_NONE, { NULL } },
	{ "no address", NULL, { FAILED_("address", NO_ATTEMPT, FACT_ADDRESS_PROBLEM, "no @") }, VERDICT_FAILED, CAUSE_ADDRESS_MALFORMED, PROVEN, { NULL } },
	{ "no such domain", NULL, { ADDRESS, FAILED_("dns.mx", NO_ATTEMPT, FACT_DNS_OUTCOME, "nxdomain") }, VERDICT_FAILED, CAUSE_DNS_NO_SUCH_DOMAIN, PROVEN, { NULL } },
	{ "nothing found to try", NULL, { ADDRESS, PASSED("dns.mx", NO_ATTEMPT, FACT_DNS_OUTCOME, "found") }, VERDICT_UNFINISHED, CAUSE_NONE, CERTAINTY_NONE, { "confirm_host", "imap" } },
	{ "another provider's", NULL, { ADDRESS, PASSED("dns.mx", NO_ATTEMPT, FACT_DNS_OUTCOME, "found", FACT_PROVIDER, "microsoft") },
	  VERDICT_UNFINISHED, CAUSE_NONE, CERTAINTY_NONE, { "sign_in", "microsoft" } },
	{ "refused", NULL, { ADDRESS, IMAP_REACHED(0), FAILED_("imap.login", 0, REFUSED_PLAINLY) }, VERDICT_FAILED, CAUSE_AUTH_PASSWORD_REJECTED, LIKELY, { NULL } },
	{ "reading works, sending does not", NULL, { ADDRESS, IMAP_FINE(0), SMTP_REACHED(1),
	  FAILED_("smtp.login", 1, FACT_AUTH_BY, "password", FACT_AUTH_OFFERED, "nothing", FACT_AUTH_NO_COMMON, "yes") },
	  VERDICT_PARTIAL, CAUSE_SMTP_AUTH_NOT_OFFERED, PROVEN, { NULL } },
	{ "the test message is refused", NULL, { ADDRESS, IMAP_FINE(0), SMTP_FINE(1),
	  FAILED_("smtp.send", 1, FACT_SEND_STAGE, "mail", FACT_REPLY_CODE, "550", FACT_REPLY_ENHANCED, "5.7.60", FACT_REPLY_TEXT, "550 5.7.60 no") },
	  VERDICT_PARTIAL, CAUSE_SEND_AS_DENIED, PROVEN, { NULL } },
	{ "no password", "no_credentials", { ADDRESS, IMAP_REACHED(0), SKIPPED("imap.login", 0), SMTP_REACHED(1), SKIPPED("smtp.login", 1) },
	  VERDICT_UNFINISHED, CAUSE_NONE, CERTAINTY_NONE, { "password", "" } },
	{ "no password, and one host is to be confirmed", "no_credentials", { ADDRESS, IMAP_REACHED(0), SKIPPED("imap.login", 0),
	  PASSED("smtp.resolve", 1, FACT_HOST, "smtp.elm.example", FACT_PORT, "587", FACT_TRUSTED, "no"), SKIPPED("smtp.login", 1) },
	  VERDICT_UNFINISHED, CAUSE_NONE, CERTAINTY_NONE, { "password", "", "confirm_host", "smtp.elm.example:587" } },
	{ "both hosts are to be confirmed", "not_confirmed", { ADDRESS,
	  PASSED("imap.resolve", 0, FACT_HOST, "2001:db8::7", FACT_PORT, "993", FACT_TRUSTED, "no"), SKIPPED("imap.login", 0),
	  PASSED("smtp.resolve", 1, FACT_HOST, "2001:db8::7", FACT_PORT, "465", FACT_TRUSTED, "no"), SKIPPED("smtp.login", 1) },
	  VERDICT_UNFINISHED, CAUSE_NONE, CERTAINTY_NONE, { "confirm_host", "[2001:db8::7]:993", "confirm_host", "[2001:db8::7]:465" } },
	{ "reading works, the other is to be confirmed", "not_confirmed", { ADDRESS, IMAP_FINE(0),
	  PASSED("smtp.resolve", 1, FACT_HOST, "smtp.elm.example", FACT_PORT, "587", FACT_TRUSTED, "no"), SKIPPED("smtp.login", 1) },
	  VERDICT_UNFINISHED, CAUSE_NONE, CERTAINTY_NONE, { "confirm_host", "smtp.elm.example:587" } },
	{ "reading works, nothing is known of the other", NULL, { ADDRESS, IMAP_FINE(0) }, VERDICT_UNFINISHED, CAUSE_NONE, CERTAINTY_NONE, { "confirm_host", "smtp" } },
	{ "reading works, and the domain says that it takes no mail from its users", NULL, { ADDRESS, PASSED("detect", NO_ATTEMPT, FACT_NOT_OFFERED, "_submission._tcp.birch.example"), IMAP_FINE(0) },
	  VERDICT_PARTIAL, CAUSE_DNS_SERVICE_NOT_OFFERED, PROVEN, { NULL } },
	{ "no password, and the other is out of reach", "no_credentials", { ADDRESS, IMAP_REACHED(0), SKIPPED("imap.login", 0),
	  PASSED("smtp.resolve", 1, PLACE("smtp", "465")), FAILED_("smtp.connect", 1, FACT_NET_OUTCOME, "refused") },
	  VERDICT_UNFINISHED, CAUSE_NET_REFUSED, PROVEN, { "password", "" } },
	{ "two things said at once: the second is possible, no more", NULL, { ADDRESS, IMAP_REACHED(0),
	  FAILED_("imap.login", 0, FACT_AUTH_BY, "password", FACT_REPLY_STATUS, "NO", FACT_REPLY_TEXT, "NO account is locked; login is not allowed from your IP") },
	  VERDICT_FAILED, CAUSE_AUTH_ACCOUNT_LOCKED, LIKELY, { NULL } },
	{ "a refusal in words that nobody knows", NULL, { ADDRESS, IMAP_REACHED(0), FAILED_("imap.open", 0, FACT_REPLY_STATUS, "NO", FACT_REPLY_TEXT, "NO xyzzy") },
	  VERDICT_FAILED, CAUSE_UNKNOWN_ANSWER, PROVEN, { NULL } },
	{ "a fact that nobody knows", NULL, { ADDRESS, FAILED_("imap.resolve", 0, "moon.phase", "full") }, VERDICT_FAILED, CAUSE_UNKNOWN_ANSWER, PROVEN, { NULL } },
	{ "a failed step without facts", NULL, { ADDRESS, FAILED_("imap.resolve", 0) }, VERDICT_FAILED, CAUSE_UNKNOWN_ANSWER, PROVEN, { NULL } },
	{ "a failed probe fails nothing", NULL, { ADDRESS, IMAP_FINE(0), SMTP_FINE(1), FAILED_("probe.port", 0) }, VERDICT_CONNECTED, CAUSE_NONE, CERTAINTY_NONE, { NULL } },
};

TEST(verdicts)
{
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char    *name = cases[i].name;
		CLEANUP(report) struct report *r = report_of(cases[i].step, COUNT(cases[i].step), cases[i].skip);
		struct verdict v;
		size_t         needs = 0;

		diagnose(r, &v);
		EXPECT_ROW(v.kind == cases[i].kind, name);
		EXPECT_ROW((v.findings ? v.finding[0].cause : CAUSE_NONE) == cases[i].cause, name);
		EXPECT_ROW((v.findings ? v.finding[0].certainty : CERTAINTY_NONE) == cases[i].certainty, name);
		for (; cases[i].needs[2 * needs]; needs++) {
			EXPECT_ROW(needs < v.needs, name);
			EXPECT_TEXT(v.need[needs].kind, cases[i].needs[2 * needs]);
			EXPECT_TEXT(v.need[needs].value, cases[i].needs[2 * needs + 1]);
		}
		EXPECT_ROW(v.needs == needs, name);
		sane(&v, name);
	}
}

/* Called off in the middle: nothing failed, and nothing was finished. */
TEST(called_off)
{
	static const struct case_step steps[] = { ADDRESS, IMAP_FINE(0), SMTP_REACHED(1), SKIPPED("smtp.login", 1) };

	for (size_t n = 2; n < COUNT(steps); n++) {
		CLEANUP(report) struct report *r = report_of(steps, n, NULL);
		struct verdict v;

		r->step[n - 1].state = STEP_SKIPPED;
		r->step[n - 1].skip = "called_off";
		diagnose(r, &v);
		EXPECT_ROW(v.kind == VERDICT_UNFINISHED && v.findings == 0, steps[n - 1].id);
	}
}

/* -- the engine ------------------------------------------------------------------------------------------------------- */

static const struct rule_table *const tables[] = { &rules_address, &rules_network, &rules_tls, &rules_microsoft, &rules_exchange, &rules_replies, &rules_sending };

static bool all_hold(const struct rule *rule, const struct scope *s)
{
	for (size_t c = 0; c < CONDITIONS && rule->when[c].fact; c++)
		if (!scope_match(s, &rule->when[c]))
			return false;
	return true;
}

static const struct rule *first_that_holds(const struct report *r, int attempt)
{
	struct scope s;

	scope_init(&s, r, attempt);
	for (size_t t = 0; t < COUNT(tables); t++)
		for (size_t i = 0; i < tables[t]->count; i++)
			if (all_hold(&tables[t]->rule[i], &s))
				return &tables[t]->rule[i];
	return NULL;
}

TEST(the_first_rule_wins)
{
	for (size_t i = 0; i < COUNT(cases); i++) {
		CLEANUP(report) struct report *r = report_of(cases[i].step, COUNT(cases[i].step), cases[i].skip);
		struct verdict v;

		diagnose(r, &v);
		for (int a = 0; a < r->attempts; a++) {
			struct finding     f;
			const struct rule *rule = first_that_holds(r, a);

			if (rule) {
				EXPECT_ROW(diagnose_attempt(r, a, &f) && f.rule == rule && f.cause == rule->cause, cases[i].name);
				EXPECT_ROW(f.certainty == rule->certainty && f.attempt == a, cases[i].name);
			}
		}
	}
	/* the names in the certificate, or its date? The date stands first in the table. */
	for (int order = 0; order < 2; order++) {
		const struct case_step steps[] = { ADDRESS, PASSED("imap.resolve", 0, PLACE("imap", "993")),
			FAILED_("imap.tls", 0, FACT_TLS_FLAW, order ? "expired" : "name", FACT_TLS_FLAW, order ? "name" : "expired"),
			PASSED("probe.clock", 0, FACT_PROBE_RESULT, "right") };
		CLEANUP(report) struct report *r = report_of(steps, COUNT(steps), NULL);
		struct verdict v;

		diagnose(r, &v);
		EXPECT(v.finding[0].cause == CAUSE_TLS_EXPIRED && v.finding[0].certainty == PROVEN && v.findings == 1);
	}
}

TEST(another_key_than_the_pinned_one_is_told_with_the_key_it_was)
{
	static const char           key[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
	const struct case_step      steps[] = { ADDRESS, PASSED("imap.resolve", 0, PLACE("imap", "993")),
		FAILED_("imap.tls", 0, FACT_TLS_FLAW, "pin", FACT_TLS_PIN, key, FACT_TLS_ISSUER, "Zscaler") };
	CLEANUP(report) struct report *r = report_of(steps, COUNT(steps), NULL);
	struct verdict v;

	diagnose(r, &v);
	EXPECT(v.finding[0].cause == CAUSE_TLS_PIN_MISMATCH && v.finding[0].certainty == PROVEN && v.findings == 1);
	EXPECT(v.finding[0].proofs > 0 && strcmp(v.finding[0].proof[0].value, "pin") == 0);
}

TEST(what_a_rule_leaves_open_is_listed_and_not_excluded)
{
	static const struct case_step steps[] = { ADDRESS, IMAP_REACHED(0), FAILED_("imap.login", 0, REFUSED_PLAINLY) };
	CLEANUP(report) struct report *r = report_of(steps, COUNT(steps), NULL);
	struct verdict     v;
	const struct rule *rule;

	diagnose(r, &v);
	rule = v.finding[0].rule;
	EXPECT(rule && rule->open[0] && v.finding[0].certainty == LIKELY);
	for (size_t i = 0; i < LEFT_OPEN && rule->open[i]; i++) {
		EXPECT_ROW(v.finding[i + 1].cause == rule->open[i], cause_row(rule->open[i])->id);
		EXPECT_ROW(v.finding[i + 1].certainty == POSSIBLE && !v.finding[i + 1].rule && v.finding[i + 1].proofs, cause_row(rule->open[i])->id);
	}
	EXPECT(excludes(&v, CAUSE_TLS_EXPIRED) && excludes(&v, CAUSE_NET_REFUSED) && excludes(&v, CAUSE_AUTH_NO_COMMON_SCHEME));
	sane(&v, "refused");
}

/* "No password was sent" rules out a wrong one, but not where the rule itself leaves it open. */
TEST(an_exclusion_never_contradicts)
{
	static const struct case_step steps[] = {
		PASSED("address", NO_ATTEMPT, FACT_AUTH_SENT, "no"), IMAP_REACHED(0), FAILED_("imap.login", 0, REFUSED_PLAINLY),
	};
	CLEANUP(report) struct report *r = report_of(steps, COUNT(steps), NULL);
	struct verdict v;

	diagnose(r, &v);
	EXPECT(finds(&v, CAUSE_AUTH_PASSWORD_REJECTED) && finds(&v, CAUSE_AUTH_USERNAME_FORM));
	sane(&v, "refused though nothing was sent");
}

TEST(proven_stands_alone)
{
	for (size_t i = 0; i < COUNT(cases); i++) {
		CLEANUP(report) struct report *r = report_of(cases[i].step, COUNT(cases[i].step), cases[i].skip);
		struct verdict v;

		diagnose(r, &v);
		if (v.findings && v.finding[0].certainty == PROVEN)
			EXPECT_ROW(v.findings == 1, cases[i].name);
	}
}

TEST(unknown_shows_what_was_said)
{
	static const struct case_step steps[] = { ADDRESS, IMAP_REACHED(0), FAILED_("imap.open", 0, FACT_REPLY_STATUS, "NO", FACT_REPLY_TEXT, "NO xyzzy") };
	CLEANUP(report) struct report *r = report_of(steps, COUNT(steps), NULL);
	struct verdict v;

	diagnose(r, &v);
	EXPECT(verdict_is_unknown(&v) && v.findings == 1 && v.finding[0].proofs == 2 && !v.finding[0].rule);
	EXPECT_TEXT(r->step[v.finding[0].step].id, "imap.open");
	EXPECT_TEXT(v.finding[0].proof[1].value, "NO xyzzy");
}

/* -- attempts --------------------------------------------------------------------------------------------------------- */

TEST(the_attempt_that_came_furthest_stands)
{
	static const struct case_step steps[] = {
		ADDRESS,
		PASSED("imap.resolve", 0, PLACE("imap", "993")), FAILED_("imap.connect", 0, FACT_NET_OUTCOME, "refused"),
		PASSED("imap.resolve", 1, PLACE("mail", "993")), PASSED("imap.connect", 1, FACT_NET_OUTCOME, "ok"), FAILED_("imap.tls", 1, FACT_TLS_FLAW, "name"),
		PASSED("imap.resolve", 2, PLACE("mx", "993")), PASSED("imap.connect", 2, FACT_NET_OUTCOME, "ok"), FAILED_("imap.tls", 2, FACT_TLS_FLAW, "revoked"),
		PASSED("probe.names", 0), PASSED("probe.port", 0), PASSED("probe.control", 0),      /* probes are no progress */
		PASSED("smtp.resolve", 3, PLACE("smtp", "465")), PASSED("smtp.connect", 3), PASSED("smtp.tls", 3), FAILED_("smtp.greeting", 3, FACT_NET_OUTCOME, "timeout"),
	};
	CLEANUP(report) struct report *r = report_of(steps, COUNT(steps), NULL);
	struct verdict v;

	diagnose(r, &v);
	EXPECT(v.attempt[SERVICE_IMAP] == 1 && v.attempt[SERVICE_SMTP] == 3);
	EXPECT(v.kind == VERDICT_FAILED && v.finding[0].cause == CAUSE_TLS_NAME_MISMATCH && v.finding[0].attempt == 1);
}

TEST(facts_of_another_attempt_do_not_count)
{
	static const struct case_step steps[] = {
		ADDRESS, IMAP_FINE(0), SMTP_REACHED(1), FAILED_("smtp.login", 1, "moon.phase", "full"),
		PASSED("imap.resolve", 2, PLACE("old", "993")), FAILED_("imap.connect", 2, FACT_NET_OUTCOME, "refused"),
	};
	CLEANUP(report) struct report *r = report_of(steps, COUNT(steps), NULL);
	struct verdict v;
	struct finding f;

	diagnose(r, &v);
	EXPECT(v.kind == VERDICT_PARTIAL && verdict_is_unknown(&v) && v.finding[0].attempt == 1);
	EXPECT(diagnose_attempt(r, 2, &f) && f.cause == CAUSE_NET_REFUSED);
	EXPECT(!diagnose_attempt(r, 0, &f));
}

TEST(another_form_of_the_name_that_worked_is_repaired)
{
	static const struct case_step steps[] = {
		ADDRESS, IMAP_REACHED(0), PASSED("imap.login", 0, FACT_AUTH_MECHANISM, "PLAIN", FACT_WORKED_AS, "ann"), PASSED("imap.open", 0), SMTP_FINE(1),
	};
	CLEANUP(report) struct report *r = report_of(steps, COUNT(steps), NULL);
	struct verdict v;

	diagnose(r, &v);
	EXPECT(v.kind == VERDICT_CONNECTED && v.findings == 1 && v.finding[0].repaired && v.finding[0].certainty == PROVEN);
	EXPECT(v.finding[0].cause == CAUSE_AUTH_USERNAME_FORM && v.finding[0].proofs == 1);
	EXPECT_TEXT(v.finding[0].proof[0].value, "ann");
	sane(&v, "repaired");
}

/* The sign-in at SMTP went well, by the name that IMAP found out: and that rules out what was repaired? */
TEST(what_was_repaired_is_not_ruled_out)
{
	static const struct case_step steps[] = {
		ADDRESS, IMAP_REACHED(0), PASSED("imap.login", 0, FACT_AUTH_MECHANISM, "PLAIN", FACT_WORKED_AS, "ann"), PASSED("imap.open", 0), SMTP_FINE(1),
		FAILED_("smtp.send", 1, FACT_SEND_STAGE, "mail", FACT_REPLY_CODE, "550", FACT_REPLY_ENHANCED, "5.7.60", FACT_REPLY_TEXT, "550 5.7.60 no"),
	};
	CLEANUP(report) struct report *r = report_of(steps, COUNT(steps), NULL);
	struct verdict v;

	diagnose(r, &v);
	EXPECT(v.kind == VERDICT_PARTIAL && v.finding[0].cause == CAUSE_SEND_AS_DENIED && finds(&v, CAUSE_AUTH_USERNAME_FORM));
	sane(&v, "sent under a repaired name");
}

TEST(an_empty_report)
{
	CLEANUP(report) struct report *r = report_new("");
	struct verdict v;

	diagnose(r, &v);
	EXPECT(v.kind == VERDICT_UNFINISHED && v.attempt[0] == -1 && v.attempt[1] == -1);
}

/* -- conditions ------------------------------------------------------------------------------------------------------- */

TEST(words)
{
	static const struct { const char *text, *words; bool in; } rows[] = {
		{ "AADSTS50105: no",              "AADSTS50105",   true  },
		{ "AADSTS501057: no",             "AADSTS50105",   false },
		{ "XAADSTS50105",                 "AADSTS50105",   false },
		{ "aadsts50105",                  "AADSTS50105",   true  },
		{ "(AADSTS50105)",                "AADSTS50105",   true  },
		{ "AADSTS501057 AADSTS50105",     "AADSTS50105",   true  },
		{ "the mailbox is full.",         "mailbox is full", true },
		{ "the mailbox is fully used",    "mailbox is full", false },
		{ "submailbox is full",           "mailbox is full", false },
		{ "mailbox  is full",             "mailbox is full", false },
		{ "spam",                         "spam",          true  },
		{ "antispam-spam",                "spam",          true  },
		{ "antispam",                     "spam",          false },
		{ "spammer",                      "spam",          false },
		{ "a spam_filter",                "spam",          true  },
		{ "x#AUTH005y",                   "#AUTH005",      false },      /* a sign at the edge has no word to end … */
		{ "x#AUTH005",                    "#AUTH005",      true  },      /*   … but the digit has */
		{ "me.com/moves",                 "me.com/move",   false },
		{ "http://me.com/move",           "me.com/move",   true  },
		{ "",                             "spam",          false },
		{ "spa",                          "spam",          false },
		{ "spam",                         "",              false },
		{ "",                             "",              false },
		{ "aaa aa",                       "aa",            true  },
		{ "aaaa",                         "aa",            false },
		{ "4.7.0x 4.7.0",                 "4.7.0",         true  },
		{ "14.7.0",                       "4.7.0",         false },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		EXPECT_ROW(words_in(rows[i].text, rows[i].words) == rows[i].in, rows[i].text);
}

TEST(conditions)
{
	static const struct case_step steps[] = {
		PASSED("dns.mx", NO_ATTEMPT, "a", "for all"),
		PASSED("imap.login", 0, "f", "One Value", "f", "another", "empty", ""),
		PASSED("smtp.login", 1, "f", "elsewhere"),
	};
	static const struct { struct condition c; bool holds; } rows[] = {
		{ { "login", "f", IS, "one value" },         true  },
		{ { "login", "f", IS, "one" },               false },
		{ { "login", "f", IS, "one|another" },       true  },
		{ { "login", "f", IS, "elsewhere" },         false },
		{ { "imap.login", "f", IS, "another" },      true  },
		{ { "smtp.login", "f", ANY, NULL },          false },
		{ { "smtp.login|imap.login", "f", ANY, NULL }, true },
		{ { "ogin", "f", ANY, NULL },                false },
		{ { "map.login", "f", ANY, NULL },           false },
		{ { NULL, "f", HAS, "value" },               true  },
		{ { NULL, "f", HAS, "val" },                 false },
		{ { NULL, "f", HAS, "no|ONE VALUE" },        true  },
		{ { NULL, "f", STARTS, "one" },              true  },
		{ { NULL, "f", STARTS, "value" },            false },
		{ { NULL, "f", IS_NOT, "one value" },        true  },      /* there is another */
		{ { NULL, "f", IS_NOT, "one value|another" }, false },
		{ { NULL, "none", IS_NOT, "x" },             false },      /* there is no such fact at all */
		{ { NULL, "f", NONE, NULL },                 false },
		{ { NULL, "none", NONE, NULL },              true  },
		{ { NULL, "none", ANY, NULL },               false },
		{ { NULL, "F", ANY, NULL },                  false },
		{ { NULL, "none|f", ANY, NULL },             true  },
		{ { NULL, "f", NEVER_IS, "another" },        false },
		{ { NULL, "f", NEVER_IS, "other" },          true  },
		{ { NULL, "none", NEVER_IS, "x" },           true  },
		{ { NULL, "f", NEVER_HAS, "value" },         false },
		{ { NULL, "f", NEVER_HAS, "val" },           true  },
		{ { "dns.mx", "a", ANY, NULL },              true  },      /* of no attempt: for all */
		{ { "mx", "a", HAS, "all" },                 true  },
		{ { "login", "empty", IS, "" },              true  },
		{ { "login", "empty", ANY, NULL },           true  },
		{ { "login", FACT_STEP_PASSED, IS, "imap.login" }, true },
		{ { "login", FACT_STEP_PASSED, IS, "smtp.login" }, false },
	};
	CLEANUP(report) struct report *r = report_of(steps, COUNT(steps), NULL);
	struct scope s;

	scope_init(&s, r, 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		char row[12];

		snprintf(row, sizeof row, "row %zu", i);
		EXPECT_ROW((scope_match(&s, &rows[i].c) != NULL) == rows[i].holds, row);
	}
	EXPECT_TEXT(scope_value(&s, "login", "f"), "One Value");
	EXPECT(!scope_value(&s, "login", "none"));
}

/* What was pasted: the kind of its step says which conditions may look at it (rule.h). */
TEST(conditions_on_pasted_words)
{
	static const struct case_step steps[] = {
		PASSED("explain.log", NO_ATTEMPT, "l", "x"), PASSED("explain.imap", NO_ATTEMPT, "i", "x"), PASSED("explain.words", NO_ATTEMPT, "w", "x"),
		PASSED("explain.text", NO_ATTEMPT, "t", "x"),
	};
	static const struct { const char *step, *fact; bool holds; } rows[] = {
		{ "login", "l", true },        { "connect", "l", true },      { "imap.login", "l", false }, { NULL, "l", true },
		{ "login", "i", true },        { "imap.login", "i", true },   { "smtp.login", "i", false }, { "smtp.login|imap.open", "i", true },
		{ "login", "w", false },       { "imap.login", "w", false },  { NULL, "w", true },
		{ "login", "t", false },       { NULL, "t", false },
	};
	CLEANUP(report) struct report *r = report_of(steps, COUNT(steps), NULL);
	struct scope s;

	scope_init(&s, r, NO_ATTEMPT);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct condition c = { rows[i].step, rows[i].fact, ANY, NULL };
		char             row[12];

		snprintf(row, sizeof row, "row %zu", i);
		EXPECT_ROW((scope_match(&s, &c) != NULL) == rows[i].holds, row);
	}
}

/* -- the tables ------------------------------------------------------------------------------------------------------- */

static const char *const known_facts[] = {
	FACT_ADDRESS_DOMAIN, FACT_OUR_ADDRESSES, FACT_OUR_SEEN, FACT_ADDRESS_PROBLEM, FACT_DNS_OUTCOME, FACT_DNS_MX, FACT_DNS_NULL_MX, FACT_DNS_HAS_ADDRESS, FACT_DNS_EDE, FACT_DNS_ALIAS,
	FACT_DNS_FILTER, FACT_HOSTER, FACT_HOSTER_NAME, FACT_PROVIDER, FACT_CANDIDATE, FACT_LOOKED_AT, FACT_NOT_OFFERED, FACT_HOST, FACT_PORT,
	FACT_SOCKET, FACT_SOURCE, FACT_TRUSTED, FACT_NET_ADDRESS, FACT_NET_OUTCOME, FACT_NET_TRIED, FACT_NET_FAMILIES, FACT_TLS_VERIFY, FACT_TLS_FLAW,
	FACT_TLS_TRUSTED_BY, FACT_TLS_PIN,
	FACT_TLS_SHOOK, FACT_TLS_VERSION, FACT_TLS_CIPHER, FACT_TLS_SUBJECT, FACT_TLS_ISSUER, FACT_TLS_LAST_ISSUER, FACT_TLS_SAN, FACT_TLS_NOT_BEFORE,
	FACT_TLS_NOT_AFTER, FACT_TLS_EXPIRED_NAME, FACT_TLS_AIA, FACT_TLS_FINGERPRINT, FACT_TLS_KEY, FACT_TLS_SIGNATURE, FACT_TLS_CHAIN_LENGTH,
	FACT_TLS_ALERT, FACT_TLS_REASON, FACT_TLS_CLIENT_CERT, FACT_FIRST_BYTES, FACT_PROTOCOL, FACT_STARTTLS_OFFERED, FACT_STARTTLS_STRIPPED,
	FACT_STARTTLS_INJECTED, FACT_REPLY_STATUS, FACT_REPLY_CODE, FACT_REPLY_ENHANCED, FACT_REPLY_TEXT, FACT_REPLY_ALSO, FACT_REPLY_BROKEN,
	FACT_GREETING, FACT_CAPABILITY, FACT_SERVER_ID, FACT_SERVER_FAMILY, FACT_AUTH_OFFERED, FACT_AUTH_MECHANISM, FACT_AUTH_BY, FACT_AUTH_USERNAME,
	FACT_AUTH_NO_COMMON, FACT_AUTH_CLEAR, FACT_SASL_REASON, FACT_SASL_STATUS, FACT_TOKEN_AGE, FACT_WORKED_AS, FACT_FOLDERS, FACT_SPECIAL,
	FACT_MESSAGES, FACT_SEND_STAGE, FACT_SEND_TO, FACT_SEND_FOUND, FACT_SEND_FROM, FACT_SEND_AUTH, FACT_SEND_FOLDER, FACT_SEND_WAITED,
	FACT_SEND_BOUNCED, FACT_SEND_COPY, FACT_SEND_REMOVED, FACT_SEND_LEFT, FACT_SEND_MARKED, FACT_PROBE_RESULT, FACT_PROBE_OPEN_PORT,
	FACT_PROBE_DATE, FACT_PROBE_ISSUER, FACT_PROBE_SAME_SERVER, FACT_PROBE_OTHER_NAME, FACT_AUTH_SENT, FACT_LOG_SAYS, FACT_LOG_LINE, FACT_ALIAS,
	FACT_ALIAS_WHOLE, FACT_FINGERPRINT, FACT_STEP_PASSED, FACT_SEND_REWRITTEN,
	FACT_EXCHANGE_PLACE, FACT_EXCHANGE_ASKED, FACT_AUTODISCOVER, FACT_EXCHANGE_ERA, FACT_EXCHANGE_PRODUCT, FACT_EXCHANGE_ONLINE, FACT_EXCHANGE_BINDS, FACT_URL, FACT_URL_IS_EWS,
	FACT_URL_PROBLEM, FACT_RIGHT_ANSWERS, FACT_HTTP_STATUS, FACT_HTTP_EXCERPT, FACT_PAGE, FACT_PAGE_MARK, FACT_IIS_STATUS, FACT_CAS_ERROR,
	FACT_OAUTH_ERROR, FACT_OAUTH_SUBERROR, FACT_OAUTH_MISSING, FACT_OAUTH_SCOPE, FACT_AADSTS, FACT_ADMIN_CONSENT, FACT_DEVICE_CODE, FACT_ENTRA_PAGE, FACT_SIGNIN_AWAY, FACT_APP, FACT_GRAPH_CODE, FACT_GRAPH_TEXT, FACT_ACCOUNT_ASKED,
	FACT_ACCOUNT_KIND, FACT_ACCOUNT_PLAN, FACT_ACCOUNT_SYNCED, FACT_ACCOUNT_MADE_UP, FACT_ACCOUNT_AS, FACT_ACCOUNT_OTHERS, FACT_ID_TOKEN, FACT_CLOCK,
	FACT_AUTH_CREDENTIALS, FACT_EWS_CODE, FACT_EWS_TEXT, FACT_EWS_GUID, FACT_OTHERS_MAILBOX, FACT_TICKET, FACT_PRINCIPAL,
};

/* The ends of the ids of all steps there are. */
static const char *const known_steps[] = {
	"address", "dns.mx", "mx", "detect", "resolve", "connect", "tls", "greeting", "starttls", "capability", "ehlo", "login", "id", "list", "open", "send",
	"arrive", "imap.greeting", "imap.tls", "imap.capability", "imap.login", "imap.id", "imap.list", "imap.open", "smtp.tls", "smtp.greeting", "smtp.ehlo",
	"smtp.login", "smtp.send", "send.arrive", "send.copy", "send.clean", "send.bounce", "bounce",
	"exchange.url", "exchange.find", "exchange.autodiscover", "exchange.offer", "exchange.challenge", "exchange.login", "exchange.version", "exchange.inbox",
	"exchange.mailbox", "exchange.folders", "exchange.calendar", "exchange.calendar_event", "microsoft.calendar_event", "google.calendar_event", "calendar_event", "exchange.send", "ews.pasted",
	"entra.callback", "entra.page", "entra.device", "entra.grant", "entra.token", "entra.identity", "entra.tenant", "entra.scopes", "microsoft.account", "microsoft.inbox", "microsoft.folders", "microsoft.calendar", "microsoft.sender",
	"microsoft.send", "microsoft.watch", "graph.pasted",
};

static bool in_list(struct slice word, const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (slice_equal(word, slice_str(list[i])))
			return true;
	return false;
}

static bool is_known_step(struct slice step)
{
	static const char *const probes[] = { "probe.control", "probe.port", "probe.clock", "probe.dns", "probe.issuer", "probe.intercept", "probe.tls_version",
	                                      "probe.tls", "probe.plain", "probe.names", "imap.probe.plain", "probe.webmail", "probe.agent" };

	return in_list(step, known_steps, COUNT(known_steps)) || in_list(step, probes, COUNT(probes));
}

static void check_condition(const struct condition *c, const char *row)
{
	struct slice rest = slice_str(c->fact);

	while (rest.at)
		EXPECT_ROW(in_list(slice_cut(&rest, '|'), known_facts, COUNT(known_facts)), row);
	rest = slice_str(c->step);
	while (c->step && rest.at)
		EXPECT_ROW(is_known_step(slice_cut(&rest, '|')), row);
	EXPECT_ROW((c->op == ANY || c->op == NONE) == (c->value == NULL), row);
	rest = slice_str(c->value);
	while (c->value && rest.at) {
		struct slice one = slice_cut(&rest, '|');

		/* no bar too many: with IS an empty word would hold for an empty value only where that is the whole */
		EXPECT_ROW(one.len > 0 || (c->op == IS && *c->value == '\0'), row);
		EXPECT_ROW(one.len < 160, row);
	}
}

TEST(every_row_of_the_rules_is_in_order)
{
	for (size_t t = 0; t < COUNT(tables); t++) {
		EXPECT(tables[t]->count > 0);
		for (size_t i = 0; i < tables[t]->count; i++) {
			const struct rule *rule = &tables[t]->rule[i];
			char               row[120];

			snprintf(row, sizeof row, "table %zu, row %zu: %s (%s)", t, i, cause_row(rule->cause)->id, rule->source ? rule->source : "no source");
			EXPECT_ROW(rule->cause > CAUSE_NONE && rule->cause < CAUSE_COUNT, row);
			EXPECT_ROW(rule->source && *rule->source, row);
			EXPECT_ROW(rule->certainty >= POSSIBLE && rule->certainty <= PROVEN, row);
			EXPECT_ROW(rule->when[0].fact, row);
			EXPECT_ROW(rule->certainty < PROVEN || rule->open[0] == CAUSE_NONE, row);
			EXPECT_ROW(!rule->who || ((rule->who & (rule->who - 1)) == 0 && (rule->who & cause_row(rule->cause)->all_who)), row);
			for (size_t o = 0; o < LEFT_OPEN && rule->open[o]; o++) {
				EXPECT_ROW(rule->open[o] != rule->cause, row);
				for (size_t p = 0; p < o; p++)
					EXPECT_ROW(rule->open[p] != rule->open[o], row);
			}
			for (size_t c = 0; c < CONDITIONS && rule->when[c].fact; c++)
				check_condition(&rule->when[c], row);
		}
	}
	for (size_t i = 0; i < exclusion_rule_count; i++) {
		check_condition(&exclusion_rules[i].when, exclusion_rules[i].when.fact);
		EXPECT_ROW(exclusion_rules[i].cause[0], exclusion_rules[i].when.fact);
	}
}

/* A rule below one that holds whenever it does is never reached: the same conditions, or fewer of them, further up. */
static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool has_condition(const struct rule *rule, const struct condition *c)
{
	for (size_t i = 0; i < CONDITIONS && rule->when[i].fact; i++)
		if (same_text(rule->when[i].step, c->step) && same_text(rule->when[i].fact, c->fact) && rule->when[i].op == c->op
		    && same_text(rule->when[i].value, c->value))
			return true;
	return false;
}

TEST(no_row_hides_another)
{
	for (size_t t = 0; t < COUNT(tables); t++)
		for (size_t i = 0; i < tables[t]->count; i++)
			for (size_t j = i + 1; j < tables[t]->count; j++) {
				const struct rule *above = &tables[t]->rule[i], *below = &tables[t]->rule[j];
				bool               hides = true;
				char               row[120];

				for (size_t c = 0; hides && c < CONDITIONS && above->when[c].fact; c++)
					hides = has_condition(below, &above->when[c]);
				snprintf(row, sizeof row, "table %zu, row %zu (%s) hides row %zu (%s)", t, i, cause_row(above->cause)->id, j, cause_row(below->cause)->id);
				EXPECT_ROW(!hides, row);
			}
}

static bool is_reached(enum cause cause)
{
	for (size_t t = 0; t < COUNT(tables); t++)
		for (size_t i = 0; i < tables[t]->count; i++) {
			const struct rule *rule = &tables[t]->rule[i];

			/* the words of other documents reach every cause, and say nothing of sessions */
			if (rule->cause == cause && strcmp(rule->when[0].fact, FACT_ALIAS) != 0)
				return true;
		}
	return false;
}

TEST(every_cause_of_mail_is_reached_by_a_rule)
{
	static const struct { enum cause from, to; } sections[] = {
		{ CAUSE_ADDRESS_MALFORMED, CAUSE_OPERATOR_CLOCK_WRONG },       /* Address, DNS, network    */
		{ CAUSE_TLS_NAME_MISMATCH, CAUSE_TLS_HANDSHAKE_FAILED },       /* TLS                      */
		{ CAUSE_SERVER_WRONG_PROTOCOL, CAUSE_SMTP_AUTH_NOT_OFFERED },  /* Servers and logins       */
		{ CAUSE_SEND_AS_DENIED, CAUSE_SEND_FROM_REWRITTEN },           /* Sending the test message */
		{ CAUSE_EXCHANGE_NOT_FOUND, CAUSE_EXCHANGE_SERVER_FAULT },     /* Exchange                 */
	};
	static const struct { enum cause cause; const char *reason; } elsewhere[] = {
		{ CAUSE_AUTH_USERNAME_FORM, "never the first guess: left open by others, proven by the sign-in that worked" },
	};

	for (size_t s = 0; s < COUNT(sections); s++)
		for (enum cause c = sections[s].from; c <= sections[s].to; c++) {
			bool excused = false;

			for (size_t i = 0; i < COUNT(elsewhere); i++)
				excused |= elsewhere[i].cause == c;
			EXPECT_ROW(is_reached(c) != excused, cause_row(c)->id);
		}
}

TEST(every_wish_is_a_probe_with_a_name)
{
	for (enum probe_kind k = PROBE_NONE + 1; k < PROBE_KINDS; k++)
		EXPECT(slice_starts(slice_str(probe_id(k)), "probe."));
}

TEST(wishes)
{
	static const struct {
		const char      *name;
		struct case_step step[6];
		enum probe_kind  wish;
	} rows[] = {
		{ "no answer: is it us?", { PASSED("imap.resolve", 0, PLACE("imap", "993")), FAILED_("imap.connect", 0, FACT_NET_OUTCOME, "timeout") }, PROBE_CONTROL },
		{ "it is not us: which port then?", { PASSED("imap.resolve", 0, PLACE("imap", "993")), FAILED_("imap.connect", 0, FACT_NET_OUTCOME, "timeout"),
		  PASSED("probe.control", 0, FACT_PROBE_RESULT, "reached") }, PROBE_PORT },
		{ "all has been asked", { PASSED("imap.resolve", 0, PLACE("imap", "993")), FAILED_("imap.connect", 0, FACT_NET_OUTCOME, "timeout"),
		  PASSED("probe.control", 0, FACT_PROBE_RESULT, "reached"), PASSED("probe.port", 0), PASSED("probe.intercept", 0) }, PROBE_NONE },
		{ "asked by another attempt", { PASSED("imap.resolve", 0, PLACE("imap", "993")), FAILED_("imap.connect", 0, FACT_NET_OUTCOME, "refused"), PASSED("probe.port", 1) }, PROBE_PORT },
		{ "expired", { PASSED("imap.resolve", 0), FAILED_("imap.tls", 0, FACT_TLS_FLAW, "expired") }, PROBE_CLOCK },
		{ "expired, and our clock is right", { PASSED("imap.resolve", 0), FAILED_("imap.tls", 0, FACT_TLS_FLAW, "expired"), PASSED("probe.clock", 0, FACT_PROBE_RESULT, "right") }, PROBE_NONE },
		{ "no issuer, and where it lies", { PASSED("imap.resolve", 0), FAILED_("imap.tls", 0, FACT_TLS_FLAW, "no_issuer", FACT_TLS_AIA, "http://ca.example/x", FACT_TLS_ISSUER, "CA") }, PROBE_ISSUER },
		{ "no issuer, no place", { PASSED("imap.resolve", 0), FAILED_("imap.tls", 0, FACT_TLS_FLAW, "no_issuer", FACT_TLS_AIA, "ldap://ca", FACT_TLS_ISSUER, "CA") }, PROBE_INTERCEPT },
		{ "silent where STARTTLS is spoken", { PASSED("imap.resolve", 0, FACT_SOCKET, "starttls"), FAILED_("imap.greeting", 0, FACT_NET_OUTCOME, "timeout") }, PROBE_TLS },
		{ "refused", { PASSED("imap.resolve", 0), FAILED_("imap.login", 0, REFUSED_PLAINLY) }, PROBE_NONE },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		CLEANUP(report) struct report *r = report_of(rows[i].step, COUNT(rows[i].step), NULL);
		struct finding f;

		EXPECT_ROW(diagnose_attempt(r, 0, &f), rows[i].name);
		EXPECT_ROW(diagnose_wish(r, 0, &f) == rows[i].wish, rows[i].name);
	}
}
