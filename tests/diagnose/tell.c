#include "diagnose/tell.h"

#include "test.h"

static int step(struct report *r, const char *id, int attempt, enum step_state state)
{
	int n = report_begin(r, id, attempt, 0);

	report_end(r, n, state, 0);
	return n;
}

/* A certificate for another name; `same` is the name that leads to the same server, or NULL. */
static struct report *mismatch(const char *same)
{
	struct report *r = report_new("ann@birch.example");
	int            n = step(r, "address", NO_ATTEMPT, STEP_PASSED);

	r->attempts = 1;
	report_note(r, n, FACT_ADDRESS_DOMAIN, "birch.example");
	n = step(r, "imap.resolve", 0, STEP_PASSED);
	report_note(r, n, FACT_HOST, "imap.birch.example");
	report_note(r, n, FACT_PORT, "993");
	n = step(r, "imap.tls", 0, STEP_FAILED);
	report_note(r, n, FACT_TLS_FLAW, "name");
	report_note(r, n, FACT_TLS_SAN, "mail.birch.example, www.birch.example");
	report_note(r, n, FACT_TLS_NOT_AFTER, "2027-03-03 08:15:00 UTC");
	if (same) {
		n = step(r, "probe.names", 0, STEP_PASSED);
		report_note(r, n, FACT_PROBE_SAME_SERVER, "%s", same);
	}
	return r;
}

static const char *value_of(const struct told *t, const char *name)
{
	for (size_t i = 0; i < t->values; i++)
		if (strcmp(t->value[i].name, name) == 0)
			return t->value[i].text;
	return NULL;
}

static void tell_first(const struct report *r, const struct language *l, struct arena *into, struct told *t)
{
	struct verdict v;

	diagnose(r, &v);
	EXPECT(v.findings);
	tell_finding(r, &v.finding[0], l, into, t);
}

static bool mentions(const struct told *t, const char *text)
{
	bool found = strstr(t->title, text) || strstr(t->why, text);

	for (size_t i = 0; i < t->fixes; i++)
		found = found || strstr(t->fix[i], text);
	return found;
}

TEST(values_are_filled_in)
{
	CLEANUP(report) struct report *r = mismatch("mail.birch.example");
	CLEANUP(arena) struct arena   *job = arena_new();
	struct told t;

	tell_first(r, language_english(), job, &t);
	EXPECT_TEXT(value_of(&t, "host"), "imap.birch.example");
	EXPECT_TEXT(value_of(&t, "port"), "993");
	EXPECT_TEXT(value_of(&t, "domain"), "birch.example");
	EXPECT_TEXT(value_of(&t, "address"), "ann@birch.example");
	EXPECT_TEXT(value_of(&t, "service"), "IMAP");
	EXPECT_TEXT(value_of(&t, "names"), "mail.birch.example, www.birch.example");
	EXPECT_TEXT(value_of(&t, "expired_on"), "3 March 2027");
	EXPECT_TEXT(value_of(&t, "right_host"), "mail.birch.example");
	EXPECT(mentions(&t, "`mailmoor diagnose ann@birch.example --imap mail.birch.example`") && mentions(&t, "imap.birch.example"));
	EXPECT_TEXT(t.alias, "");
}

TEST(a_step_without_its_value_is_left_out)
{
	CLEANUP(report) struct report *with = mismatch("mail.birch.example"), *without = mismatch(NULL);
	CLEANUP(arena) struct arena   *job = arena_new();

	for (size_t l = 0; language_at(l); l++) {
		struct told a, b;

		tell_first(with, language_at(l), job, &a);
		tell_first(without, language_at(l), job, &b);
		EXPECT_ROW(b.fixes > 0 && b.fixes < a.fixes && !value_of(&b, "right_host"), language_at(l)->tag);
		EXPECT_ROW(!mentions(&a, "{") && !mentions(&b, "{"), language_at(l)->tag);
	}
}

/* Whoever runs the server writes the certificate: nothing in there may become a part of a command. */
TEST(a_hostile_name_never_gets_into_a_command)
{
	static const char *const names[] = {
		"mail.example;rm -rf ~", "a;b", "a$b", "a(b", "a~b", "a<b", "a?b", "a[b", "$(reboot)", "`reboot`", "a b", "a'b", "a\"b", "a|b", "a>b", "a&b", "a\\b", "a*b", "a/b", "a\nb", "-oProxyCommand=x",
		"--smtp", "a#b", "a=b", "a{port}b", "ma\xc3\xa4il.example", "a\x1b[31m", "a%b", "a!b", "a,b", "a:b", "a@b", "[::1]", "",
	};

	for (size_t i = 0; i < COUNT(names); i++) {
		CLEANUP(report) struct report *r = mismatch(names[i]);
		CLEANUP(arena) struct arena   *job = arena_new();
		struct told t;

		tell_first(r, language_english(), job, &t);
		EXPECT_ROW(!value_of(&t, "right_host"), names[i]);
	}
	{
		CLEANUP(report) struct report *r = mismatch("a-b_c.EXAMPLE9");
		CLEANUP(arena) struct arena   *job = arena_new();
		struct told t;

		tell_first(r, language_english(), job, &t);
		EXPECT_TEXT(value_of(&t, "right_host"), "a-b_c.EXAMPLE9");
	}
}

TEST(a_hostile_user_name_neither)
{
	static const struct { const char *name; bool kept; } rows[] = {
		{ "ann", true }, { "ann+x@birch.example", true }, { "BIRCH\\ann", true }, { "ann'; reboot", false }, { "-x", false }, { "a b", false }, { "$HOME", false },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		CLEANUP(report) struct report *r = report_new("ann@birch.example");
		CLEANUP(arena) struct arena   *job = arena_new();
		struct finding f = { .cause = CAUSE_AUTH_USERNAME_FORM, .certainty = PROVEN, .attempt = 0 };
		struct told    t;

		f.step = step(r, "imap.login", 0, STEP_PASSED);
		report_note(r, f.step, FACT_WORKED_AS, "%s", rows[i].name);
		tell_finding(r, &f, language_english(), job, &t);
		EXPECT_ROW((value_of(&t, "right_username") != NULL) == rows[i].kept, rows[i].name);
	}
}

/* What stands in backticks is pasted into a shell: only values that were looked over, or the user's own, may stand there. */
TEST(commands_hold_no_words_of_a_peer)
{
	static const char *const allowed[] = { "{address}", "{host}", "{port}", "{right_host}", "{right_port}", "{right_username}", "{domain}" };

	for (size_t l = 0; l < catalogue_count; l++)
		for (size_t k = 0; k < catalogue_key_count; k++) {
			struct slice rest = slice_str(catalogue_text(language_at(l), catalogue_keys[k]));

			while (slice_cut(&rest, '`'), rest.at) {
				struct slice command = slice_cut(&rest, '`');

				/* of other programs: not ours to fill */
				if (!slice_starts(command, "mailmoor "))
					continue;
				while (slice_find(command, '{') < command.len) {
					struct slice name = slice_from(command, slice_find(command, '{'));
					bool         fine = false;

					name = slice_upto(name, slice_find(name, '}') + 1);
					for (size_t i = 0; i < COUNT(allowed); i++)
						fine |= slice_equal(name, slice_str(allowed[i]));
					EXPECT_ROW(fine, catalogue_keys[k]);
					command = slice_from(name, name.len);
					command.len = (size_t)(rest.at ? rest.at - 1 - command.at : 0);
				}
			}
		}
}

TEST(why_falls_back_on_the_words_without_values)
{
	for (unsigned c = CAUSE_NONE + 1; c < CAUSE_COUNT; c++)
		for (size_t l = 0; language_at(l); l++) {
			CLEANUP(report) struct report *r = report_new("");
			CLEANUP(arena) struct arena   *job = arena_new();
			struct finding f = { .cause = (enum cause)c, .certainty = PROVEN, .attempt = -1, .step = -1 };
			struct told    t;
			char           key[80];
			const char    *plain;

			snprintf(key, sizeof key, "%s/why.plain", cause_row(f.cause)->id);
			plain = catalogue_text(language_at(l), key);
			tell_finding(r, &f, language_at(l), job, &t);
			EXPECT_ROW(t.title && t.why && t.fixes > 0 && !mentions(&t, "{"), cause_row(f.cause)->id);
			snprintf(key, sizeof key, "%s/why", cause_row(f.cause)->id);
			if (strchr(catalogue_text(language_at(l), key), '{'))
				EXPECT_TEXT(t.why, plain);
			tell_cause(f.cause, language_at(l), job, &t);
			EXPECT_ROW(t.title && t.why && t.fixes > 0 && t.values == 0, cause_row(f.cause)->id);
			EXPECT_ROW(!plain || strcmp(t.why, plain) == 0, cause_row(f.cause)->id);
		}
}

TEST(dates)
{
	static const struct { const char *utc, *tag, *told; } rows[] = {
		{ "2027-03-03 08:15:00 UTC", "en", "3 March 2027" },
		{ "2027-03-03 08:15:00 UTC", "de", "3. März 2027" },
		{ "2027-03-03 08:15:00 UTC", "fi", "3. maaliskuuta 2027" },
		{ "2027-03-03 08:15:00 UTC", "nl", "3 maart 2027" },
		{ "2027-03-03 08:15:00 UTC", "pl", "3 marca 2027" },
		{ "2027-03-03 08:15:00 UTC", "th", "3 มีนาคม 2027" },
		{ "2026-12-31 23:59:59 UTC", "en", "31 December 2026" },
		{ "2026-01-01",              "de", "1. Januar 2026" },
		{ "2026-11-21 08:00:00 UTC", "pl", "21 listopada 2026" },
		{ "2026-13-01",              "en", NULL },
		{ "2026-00-01",              "en", NULL },
		{ "2026-02-00",              "en", NULL },
		{ "2026-02-32",              "en", NULL },
		{ "2026",                    "en", NULL },
		{ "",                        "en", NULL },
		{ "soon",                    "en", NULL },
	};
	CLEANUP(arena) struct arena *job = arena_new();

	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *told = tell_date(rows[i].utc, language_find(rows[i].tag), job);

		EXPECT_ROW((told == NULL) == (rows[i].told == NULL), rows[i].utc);
		if (told)
			EXPECT_TEXT(told, rows[i].told);
	}
	EXPECT(!tell_date(NULL, language_english(), job));
	for (size_t l = 0; language_at(l); l++)
		for (int month = 1; month <= 12; month++)
			EXPECT_ROW(tell_date(arena_print(job, "2026-%02d-15", month), language_at(l), job), language_at(l)->tag);
}

TEST(waits)
{
	static const struct { const char *reply, *wait; } rows[] = {
		{ "NO Request is throttled. Suggested Backoff Time: 92415 milliseconds", "93 s" },
		{ "NO Request is throttled. Suggested Backoff Time: 92000 milliseconds", "92 s" },
		{ "NO Suggested Backoff Time: 1 milliseconds",  "1 s" },
		{ "421 try again in 60 seconds",                "60 s" },
		{ "421 try again in 61 seconds",                "61 s" },
		{ "421 wait 1 second",                          "1 s" },
		{ "421 wait 1.5 seconds",                       "2 s" },
		{ "421 4.7.0 try in 5 minutes",                 "300 s" },
		{ "535 5.7.8 locked for 2 hours",               "7200 s" },
		{ "wait 30sec.",                                "30 s" },
		{ "wait 15 min",                                "900 s" },
		{ "try again later",                            NULL },
		{ "454 4.7.0 Too many login attempts",          NULL },
		{ "wait 0 seconds",                             NULL },
		{ "x5 seconds",                                 NULL },
		{ "2 minor errors",                             NULL },
		{ "3 secrets",                                  NULL },
		{ "99999999999999999999 seconds",               NULL },
		{ "2026-11-21 secondary server",                NULL },
		{ "",                                           NULL },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		CLEANUP(report) struct report *r = report_new("ann@birch.example");
		CLEANUP(arena) struct arena   *job = arena_new();
		struct finding f = { .cause = CAUSE_THROTTLE_PROVIDER, .certainty = PROVEN, .attempt = 0 };
		struct told    t;
		const char    *wait;

		f.step = step(r, "imap.login", 0, STEP_FAILED);
		report_note(r, f.step, FACT_REPLY_TEXT, "%s", rows[i].reply);
		tell_finding(r, &f, language_english(), job, &t);
		wait = value_of(&t, "wait");
		EXPECT_ROW((wait == NULL) == (rows[i].wait == NULL), rows[i].reply);
		if (wait)
			EXPECT_TEXT(wait, rows[i].wait);
	}
}

/* Never earlier than the server asks for; by the report's own clock, so that a replay says the same. */
TEST(until)
{
	static const struct { const char *reply, *until; } rows[] = {
		{ "421 try again in 60 seconds", "08:01 UTC" }, { "421 try again in 90 seconds", "08:02 UTC" }, { "421 try again in 17 hours", "01:00 UTC" },
		{ "421 try again later", NULL },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		CLEANUP(report) struct report *r = report_new("ann@birch.example");
		CLEANUP(arena) struct arena   *job = arena_new();
		struct finding f = { .cause = CAUSE_THROTTLE_PROVIDER, .certainty = PROVEN, .attempt = 0 };
		struct told    t;
		const char    *until;

		r->began_unix = 1795248000;      /* 08:00:00 UTC */
		f.step = step(r, "imap.login", 0, STEP_FAILED);
		report_note(r, f.step, FACT_REPLY_TEXT, "%s", rows[i].reply);
		tell_finding(r, &f, language_english(), job, &t);
		until = value_of(&t, "until");
		EXPECT_ROW((until == NULL) == (rows[i].until == NULL), rows[i].reply);
		if (until)
			EXPECT_TEXT(until, rows[i].until);
	}
}

TEST(user_names_and_joined_facts)
{
	CLEANUP(report) struct report *r = report_new("ann@birch.example");
	CLEANUP(arena) struct arena   *job = arena_new();
	struct finding f = { .cause = CAUSE_NET_TIMEOUT, .certainty = LIKELY, .attempt = 0 };
	struct told    t;

	f.step = step(r, "imap.connect", 0, STEP_FAILED);
	report_note(r, f.step, FACT_NET_TRIED, "192.0.2.1 port 993: timeout, 5 ms");
	report_note(r, f.step, FACT_NET_TRIED, "192.0.2.2 port 993: timeout, 5 ms");
	report_note(r, step(r, "imap.connect", 1, STEP_FAILED), FACT_NET_TRIED, "192.0.2.3 port 993: timeout, 5 ms");
	report_note(r, step(r, "imap.login", 0, STEP_FAILED), FACT_AUTH_USERNAME, "local");
	tell_finding(r, &f, language_english(), job, &t);
	EXPECT_TEXT(value_of(&t, "tried"), "192.0.2.1 port 993: timeout, 5 ms, 192.0.2.2 port 993: timeout, 5 ms");
	EXPECT_TEXT(value_of(&t, "username"), "ann");
	f.attempt = 1;
	tell_finding(r, &f, language_english(), job, &t);
	EXPECT_TEXT(value_of(&t, "tried"), "192.0.2.3 port 993: timeout, 5 ms");
	EXPECT(!value_of(&t, "username"));
}

TEST(links)
{
	static const struct { enum cause cause; const char *host; const char *link; } rows[] = {
		{ CAUSE_AUTH_APP_PASSWORD_REQUIRED, "imap.gmail.com",     "https://support.google.com/accounts/answer/185833" },
		{ CAUSE_SMTP_AUTH_OFF,              "smtp.office365.com", "https://aka.ms/smtp_auth_disabled" },
		{ CAUSE_AUTH_WEB_LOGIN_REQUIRED,    "imap.birch.example", NULL },
		{ CAUSE_TLS_EXPIRED,                "imap.gmail.com",     "https://letsencrypt.org/docs/integration-guide/" },
		{ CAUSE_NET_TIMEOUT,                "imap.gmail.com",     NULL },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		CLEANUP(report) struct report *r = report_new("ann@birch.example");
		CLEANUP(arena) struct arena   *job = arena_new();
		struct finding f = { .cause = rows[i].cause, .certainty = PROVEN, .attempt = 0 };
		struct told    t;
		bool           found = rows[i].link == NULL;

		report_note(r, step(r, "imap.resolve", 0, STEP_PASSED), FACT_HOST, "%s", rows[i].host);
		f.step = step(r, "imap.login", 0, STEP_FAILED);
		tell_finding(r, &f, language_english(), job, &t);
		for (size_t n = 0; n < t.links; n++) {
			found = found || strcmp(t.link[n], rows[i].link) == 0;
			EXPECT_ROW(slice_starts(slice_str(t.link[n]), "https://"), t.link[n]);
			for (size_t m = 0; m < n; m++)
				EXPECT_ROW(strcmp(t.link[n], t.link[m]) != 0, t.link[n]);
		}
		EXPECT_ROW(found && (rows[i].link || t.links == 0), cause_row(rows[i].cause)->id);
	}
}

/* An answer that no rule knows is told with its fingerprint, the same whatever numbers are in it. */
TEST(an_unknown_answer_has_its_fingerprint)
{
	static const char *const replies[] = { "BAD moon 17 at 08:15", "BAD moon 4 at 23:59", "BAD sun 17 at 08:15" };
	CLEANUP(arena) struct arena *job = arena_new();
	const char                  *print[COUNT(replies)];

	for (size_t i = 0; i < COUNT(replies); i++) {
		CLEANUP(report) struct report *r = report_new("ann@birch.example");
		struct told t;
		size_t      same = 0;
		int         n;

		r->attempts = 1;
		n = step(r, "imap.resolve", 0, STEP_PASSED);
		report_note(r, n, FACT_HOST, "imap.birch.example");
		n = step(r, "imap.open", 0, STEP_FAILED);
		report_note(r, n, FACT_REPLY_STATUS, "BAD");
		report_note(r, n, FACT_REPLY_TEXT, "%s", replies[i]);
		tell_first(r, language_english(), job, &t);
		print[i] = arena_str(job, value_of(&t, "fingerprint"));
		EXPECT(print[i] && strlen(print[i]) == 16 && mentions(&t, print[i]));
		for (size_t v = 0; v < t.values; v++)
			same += strcmp(t.value[v].name, "fingerprint") == 0;
		EXPECT(same == 1);
	}
	EXPECT_TEXT(print[0], print[1]);
	EXPECT(strcmp(print[0], print[2]) != 0);
}

/* model/doclinks.def names each of them, or says why there is nothing to name. */
TEST(what_an_administrator_or_provider_has_to_do_is_documented)
{
	static const char *const why_not[CAUSE_COUNT] = {
#define DOCLINK(cause, family, url)
#define DOCLESS(cause, why) [CAUSE_##cause] = why,
#include "model/doclinks.def"
#undef DOCLINK
#undef DOCLESS
	};

	for (unsigned c = CAUSE_NONE + 1; c < CAUSE_COUNT; c++) {
		const struct cause_row      *row = cause_row((enum cause)c);
		CLEANUP(arena) struct arena *job = arena_new();
		struct told t;

		tell_cause((enum cause)c, language_english(), job, &t);
		for (size_t i = 0; i < t.links; i++)
			EXPECT_ROW(slice_starts(slice_str(t.link[i]), "https://"), row->id);
		if (row->who & (WHO_ADMIN | WHO_PROVIDER))
			EXPECT_ROW((t.links > 0) != (why_not[c] != NULL), row->id);
	}
}

TEST(times_in_the_form_of_the_language)
{
	static const struct { const char *tag, *text; } rows[] = {
		{ "en", "3 March 2027, 08:15 UTC" }, { "de", "3. März 2027, 08:15 UTC" }, { "fi", "3. maaliskuuta 2027 klo 08:15 UTC" },
	};
	CLEANUP(arena) struct arena *job = arena_new();

	for (size_t i = 0; i < COUNT(rows); i++)
		EXPECT_TEXT(tell_time(1804061700000, language_find(rows[i].tag), job), rows[i].text);
}

/* Somebody else lets only some addresses in: by a firewall, or the server's own word. */
static struct report *kept_out(bool by_word, const char *known)
{
	struct report *r = report_new("ann@birch.example");
	int            n = step(r, "address", NO_ATTEMPT, STEP_PASSED);

	r->attempts = 2;
	if (known)
		report_note(r, n, FACT_OUR_ADDRESSES, "%s", known);
	n = step(r, "imap.resolve", 0, STEP_PASSED);
	report_note(r, n, FACT_HOST, "imap.birch.example");
	n = step(r, by_word ? "imap.greeting" : "imap.connect", 0, STEP_FAILED);
	if (!by_word) {
		report_note(r, n, FACT_NET_OUTCOME, "timeout");
		return r;
	}
	report_note(r, n, FACT_GREETING, "* BYE Your address is blocked");
	report_note(r, n, FACT_REPLY_TEXT, "Your address is blocked");
	return r;
}

TEST(our_addresses_in_words)
{
	static const struct { const char *known, *seen, *tag, *shown; } rows[] = {
		{ "8.8.4.4", NULL, "en", "8.8.4.4" },
		{ "8.8.4.4, 2a00:1450::1", NULL, "th", "8.8.4.4, 2a00:1450::1" },
		{ "8.8.4.4, 9.9.9.9 seen once", NULL, "en", "8.8.4.4, 9.9.9.9 (named by one server only)" },
		{ "8.8.4.4, 9.9.9.9 seen once", NULL, "de", "8.8.4.4, 9.9.9.9 (nur von einem Server genannt)" },
		/* nothing is known yet, and the server of this report tells it; what is known counts more */
		{ NULL, "9.9.9.9", "de", "9.9.9.9 (nur von einem Server genannt)" },
		{ "8.8.4.4", "9.9.9.9", "de", "8.8.4.4" },
		{ NULL, NULL, "en", NULL },
	};

	for (size_t i = 0; i < COUNT(rows) * 2; i++) {
		const enum cause               cause = i % 2 ? CAUSE_AUTH_IP_NOT_ALLOWED : CAUSE_NET_TIMEOUT;
		CLEANUP(report) struct report *r = kept_out(i % 2, rows[i / 2].known);
		CLEANUP(arena) struct arena   *job = arena_new();
		const struct language         *lang = language_find(rows[i / 2].tag);
		struct verdict v;
		struct told    t, english, again;

		for (int twice = 0; rows[i / 2].seen && twice < 2; twice++)
			report_note(r, step(r, "smtp.ehlo", 1, STEP_PASSED), FACT_OUR_SEEN, "%s", rows[i / 2].seen);
		diagnose(r, &v);
		EXPECT(v.findings);
		EXPECT_TEXT(cause_row(v.finding[0].cause)->id, cause_row(cause)->id);
		tell_finding(r, &v.finding[0], lang, job, &t);
		if (!rows[i / 2].shown) {
			EXPECT(!value_of(&t, "our_address"));
			EXPECT(mentions(&t, i % 2 ? "Mailmoor's is not among them" : "add the outgoing address of the machine"));
			continue;
		}
		EXPECT_TEXT(value_of(&t, "our_address"), rows[i / 2].shown);
		EXPECT(mentions(&t, rows[i / 2].shown));
		/* and once more out of the store, where it is in English */
		tell_finding(r, &v.finding[0], language_english(), job, &english);
		tell_again(cause, english.value, english.values, lang, job, &again);
		EXPECT_TEXT(value_of(&again, "our_address"), rows[i / 2].shown);
	}
}

TEST(which_causes_ask_for_our_address)
{
	EXPECT(tell_asks_for(CAUSE_AUTH_IP_NOT_ALLOWED, "our_address") && tell_asks_for(CAUSE_NET_TIMEOUT, "our_address"));
	EXPECT(!tell_asks_for(CAUSE_AUTH_PASSWORD_REJECTED, "our_address") && !tell_asks_for(CAUSE_NET_TIMEOUT, "our_addres"));
}

/* -- Exchange -------------------------------------------------------------------------------------------------------- */

struct said { const char *id; int attempt; enum step_state state; const char *fact[12]; };

static struct report *exchange_report(const struct said *steps, size_t count)
{
	struct report *r = report_new("ann@birch.example");

	r->provider = "exchange";
	r->attempts = 1;
	for (size_t i = 0; i < count && steps[i].id; i++) {
		int n = step(r, steps[i].id, steps[i].attempt, steps[i].state);

		for (size_t f = 0; f + 1 < COUNT(steps[i].fact) && steps[i].fact[f]; f += 2)
			report_note(r, n, steps[i].fact[f], "%s", steps[i].fact[f + 1]);
	}
	return r;
}

#define RESOLVED { "exchange.resolve", 0, STEP_PASSED, { FACT_HOST, "mail.birch.example", FACT_PORT, "443" } }
#define WEB_URL  "https://mail.birch.example/owa/"
#define EWS_URL  "https://mail.birch.example/EWS/Exchange.asmx"
#define GIVEN    { "exchange.url", NO_ATTEMPT, STEP_PASSED, { FACT_GIVEN_URL, WEB_URL, FACT_RIGHT_URL, EWS_URL } }
#define OFFERED  { "exchange.offer", 0, STEP_PASSED, { FACT_URL, EWS_URL, FACT_URL_IS_EWS, "yes", FACT_HTTP_STATUS, "401", FACT_EXCHANGE_ERA, "fine", FACT_EXCHANGE_PRODUCT, "Exchange Server 2019 CU14 (15.2.1544.9)" } }

static const struct {
	const char *cause;
	struct said said[8];
	const char *name, *value;      /* of a value; NULL: not there */
	const char *text;              /* that is to be read, or NULL */
} exchange_values[] = {
	{ "exchange.url_is_webmail", { GIVEN, RESOLVED, { "exchange.offer", 0, STEP_FAILED, { FACT_URL, WEB_URL, FACT_URL_IS_EWS, "no", FACT_HTTP_STATUS, "302", FACT_PAGE, "owa" } } },
	  "right_url", EWS_URL, "Use " EWS_URL " instead." },
	{ "exchange.url_is_webmail", { RESOLVED, { "exchange.offer", 0, STEP_FAILED, { FACT_URL, WEB_URL, FACT_URL_IS_EWS, "no", FACT_HTTP_STATUS, "302", FACT_PAGE, "owa" } } },
	  "given_url", WEB_URL, WEB_URL " leads to the sign-in page" },
	{ "exchange.version_too_old", { RESOLVED, { "exchange.offer", 0, STEP_FAILED, { FACT_EXCHANGE_ERA, "too_old", FACT_EXCHANGE_PRODUCT, "Exchange Server 2010 SP1 (14.1.438.0)" } } },
	  "version", "2010 SP1 (14.1.438.0)", "runs Exchange version 2010 SP1 (14.1.438.0)." },
	/* a front end that is new enough is not the one that is too old */
	{ "exchange.mailbox_version_too_old", { RESOLVED, OFFERED, { "exchange.version", 0, STEP_FAILED, { FACT_EXCHANGE_ERA, "too_old", FACT_EXCHANGE_PRODUCT, "Exchange Server 2007 SP1 (8.1.436.0)" } } },
	  "version", "2007 SP1 (8.1.436.0)", "is on an older one behind it (Exchange 2007 SP1 (8.1.436.0))." },
	{ "exchange.version_too_old", { RESOLVED, OFFERED, { "exchange.version", 0, STEP_FAILED, { FACT_EWS_CODE, "ErrorInvalidServerVersion" } } }, "version", NULL, "older than 2010 SP2" },
	/* nor is it sent again to where it came from */
	{ "exchange.wrong_entry_server", { GIVEN, RESOLVED, OFFERED, { "exchange.inbox", 0, STEP_FAILED, { FACT_EWS_CODE, "ErrorWrongServerVersion" } } }, "right_url", NULL, NULL },
	{ "mailbox.alias_not_primary", { RESOLVED, OFFERED, { "exchange.mailbox", 0, STEP_FAILED, { FACT_EWS_CODE, "ErrorNonPrimarySmtpAddress", FACT_EWS_PRIMARY, "ann.lee@birch.example" } } },
	  "other_account", "ann.lee@birch.example", "Connect with ann.lee@birch.example instead." },
	{ "exchange.not_found", { { "exchange.find", NO_ATTEMPT, STEP_FAILED, { FACT_EXCHANGE_ASKED, "yes", FACT_LOOKED_AT, "https://autodiscover.birch.example/autodiscover/autodiscover.json: nxdomain",
	  FACT_LOOKED_AT, "https://autodiscover.birch.example/autodiscover/autodiscover.xml: nxdomain", FACT_LOOKED_AT, "https://birch.example/autodiscover/autodiscover.xml: 404",
	  FACT_LOOKED_AT, "_autodiscover._tcp.birch.example: no_data" } } }, "tried", "autodiscover.birch.example, birch.example: 404, _autodiscover._tcp.birch.example", NULL },
	/* the account that acts, not the one that it acts for; and no command out of a name that is none */
	{ "exchange.impersonation_denied", { RESOLVED, OFFERED, { "exchange.login", 0, STEP_PASSED, { FACT_AUTH_USERNAME, "given", FACT_ACT_AS, "BIRCH\\svc" } },
	  { "exchange.inbox", 0, STEP_FAILED, { FACT_EWS_CODE, "ErrorImpersonateUserDenied" } } }, "username", "BIRCH\\svc", "-Role ApplicationImpersonation -User BIRCH\\svc" },
	{ "exchange.impersonation_denied", { RESOLVED, OFFERED, { "exchange.login", 0, STEP_PASSED, { FACT_AUTH_USERNAME, "given", FACT_ACT_AS, "svc; Remove-Mailbox ann" } },
	  { "exchange.inbox", 0, STEP_FAILED, { FACT_EWS_CODE, "ErrorImpersonateUserDenied" } } }, "username", NULL, "The account signed in, but may not act" },
	{ "unknown.answer", { RESOLVED, OFFERED, { "exchange.inbox", 0, STEP_FAILED, { FACT_EWS_CODE, "ErrorBrandNew", FACT_EWS_TEXT, "Uusi virhe." } } }, "reply", "ErrorBrandNew: Uusi virhe.", "ErrorBrandNew: Uusi virhe." },
	{ "unknown.answer", { RESOLVED, OFFERED, { "exchange.login", 0, STEP_FAILED, { FACT_HTTP_STATUS, "418", FACT_HTTP_REASON, "I'm a teapot" } } }, "reply", "HTTP 418 I'm a teapot", NULL },
	{ "throttle.provider", { RESOLVED, OFFERED, { "exchange.inbox", 0, STEP_FAILED, { FACT_EWS_CODE, "ErrorServerBusy", FACT_EWS_BACK_OFF, "297749" } } }, "wait", "298 s", NULL },
	{ "server.unavailable", { RESOLVED, OFFERED, { "exchange.login", 0, STEP_FAILED, { FACT_HTTP_STATUS, "503", FACT_HTTP_RETRY_AFTER, "30" } } }, "wait", "30 s", NULL },
	{ "server.unavailable", { RESOLVED, OFFERED, { "exchange.login", 0, STEP_FAILED, { FACT_HTTP_STATUS, "503", FACT_HTTP_RETRY_AFTER, "Sat, 21 Nov 2026 08:00:00 GMT" } } }, "wait", NULL, NULL },
	{ "auth.password_rejected", { RESOLVED, OFFERED, { "exchange.challenge", 0, STEP_PASSED, { FACT_NTLM_SUGGESTS, "BIRCH\\ann" } },
	  { "exchange.login", 0, STEP_FAILED, { FACT_HTTP_STATUS, "401", FACT_AUTH_CREDENTIALS, "after", FACT_AUTH_USERNAME, "address", FACT_AUTH_MECHANISM, "NTLM" } } }, "right_username", "BIRCH\\ann", NULL },
};

TEST(what_microsoft_told_is_put_into_the_texts)
{
	static const struct { const char *step, *fact[7], *cause, *name, *value; } rows[] = {
		{ "entra.scopes", { FACT_OAUTH_MISSING, "Mail.Send", FACT_OAUTH_MISSING, "offline_access" }, "microsoft.scope_missing", "missing", "Mail.Send, offline_access" },
		{ "microsoft.account", { FACT_ACCOUNT_ASKED, "no", FACT_ACCOUNT_IS, "carl@birch.example" }, "microsoft.wrong_account", "other_account", "carl@birch.example" },
		{ "entra.token", { FACT_AADSTS, "50105", FACT_APP, "6b1f5c52" }, "microsoft.user_not_assigned", "app", "6b1f5c52" },
		{ "entra.token", { FACT_AADSTS, "53003" }, "microsoft.conditional_access", "code", "53003" },
		{ "microsoft.inbox", { FACT_GRAPH_CODE, "ResourceNotFound" }, "microsoft.mailbox_on_premises", "right_url", "https://mail.birch.example/EWS/Exchange.asmx" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		CLEANUP(arena) struct arena   *job = arena_new();
		CLEANUP(report) struct report *r = report_new("ann@birch.example");
		struct told                    t;
		int                            n = step(r, "exchange.find", NO_ATTEMPT, STEP_PASSED);

		r->attempts = 1;
		r->provider = "microsoft";
		if (strcmp(rows[i].name, "right_url") == 0) {
			report_note(r, n, FACT_EXCHANGE_PLACE, "autodiscover https://birch.example/autodiscover/autodiscover.xml autodiscover trusted");
			report_note(r, n, FACT_EXCHANGE_PLACE, "ews https://mail.birch.example/EWS/Exchange.asmx autodiscover trusted");
		}
		step(r, "entra.grant", 0, STEP_PASSED);
		n = step(r, rows[i].step, 0, STEP_FAILED);
		for (size_t f = 0; rows[i].fact[f]; f += 2)
			report_note(r, n, rows[i].fact[f], "%s", rows[i].fact[f + 1]);
		tell_first(r, language_english(), job, &t);
		EXPECT_ROW(value_of(&t, rows[i].name) && strcmp(value_of(&t, rows[i].name), rows[i].value) == 0, rows[i].cause);
		EXPECT_ROW(strcmp(rows[i].name, "code") == 0 ? mentions(&t, "AADSTS53003") : mentions(&t, rows[i].value), rows[i].cause);
	}
}

TEST(what_exchange_told_is_put_into_the_texts)
{
	for (size_t i = 0; i < COUNT(exchange_values); i++) {
		CLEANUP(arena) struct arena   *work = arena_new();
		CLEANUP(report) struct report *r = exchange_report(exchange_values[i].said, COUNT(exchange_values[i].said));
		struct finding f = { 0 };
		struct verdict v;
		struct told    t;
		char           row[80];

		snprintf(row, sizeof row, "row %zu, %s", i, exchange_values[i].cause);
		diagnose(r, &v);
		EXPECT_ROW(v.findings, row);
		f = v.finding[0];
		EXPECT_TEXT(cause_row(f.cause)->id, exchange_values[i].cause);
		tell_finding(r, &f, language_english(), work, &t);
		if (exchange_values[i].value)
			EXPECT_TEXT(value_of(&t, exchange_values[i].name), exchange_values[i].value);
		else
			EXPECT_ROW(!value_of(&t, exchange_values[i].name), row);
		EXPECT_ROW(!exchange_values[i].text || mentions(&t, exchange_values[i].text), row);
	}
}

/* Nobody who connects Exchange is told to try the ports of IMAP, and nobody is to choose one of Microsoft's. */
TEST(ports_are_those_of_the_service)
{
	static const struct { const char *provider, *resolve, *connect, *says, *not_says; } rows[] = {
		{ "imap", "imap.resolve", "imap.connect", "for IMAP, 993, 143", "443" },
		{ "imap", "smtp.resolve", "smtp.connect", "for SMTP, 465, 587", "443" },
		{ "exchange", "exchange.resolve", "exchange.connect", "for Exchange, 443", "993" },
		{ "microsoft", "microsoft.resolve", "microsoft.connect", "tell your administrator", "993" },
		{ "microsoft", "entra.resolve", "entra.connect", "tell your administrator", "is usual" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		CLEANUP(report) struct report *r = report_new("ann@birch.example");
		struct finding finding;
		struct told    told;
		int            n;

		r->provider = rows[i].provider;
		r->attempts = 1;
		n = step(r, rows[i].resolve, 0, STEP_PASSED);
		report_note(r, n, FACT_HOST, "mail.birch.example");
		report_note(r, n, FACT_PORT, "444");
		n = step(r, rows[i].connect, 0, STEP_FAILED);
		report_note(r, n, FACT_NET_OUTCOME, "refused");
		EXPECT_ROW(diagnose_attempt(r, 0, &finding), rows[i].connect);
		tell_finding(r, &finding, language_english(), r->job, &told);
		EXPECT_ROW(mentions(&told, rows[i].says) && !mentions(&told, rows[i].not_says), rows[i].connect);
	}
}
