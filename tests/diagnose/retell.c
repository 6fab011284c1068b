#include "diagnose/retell.h"

#include <stdio.h>
#include <stdlib.h>

#include "diagnose/report_json.h"
#include "test.h"

static int step(struct report *r, const char *id, int attempt, enum step_state state)
{
	int n = report_begin(r, id, attempt, 0);

	report_end(r, n, state, 0);
	return n;
}

static struct report *reached(const char *host)
{
	struct report *r = report_new("ann@birch.example");
	int            n = step(r, "address", NO_ATTEMPT, STEP_PASSED);

	r->attempts = 1;
	report_note(r, n, FACT_ADDRESS_DOMAIN, "birch.example");
	report_note(r, n, FACT_OUR_ADDRESSES, "203.0.113.9");
	n = step(r, "imap.resolve", 0, STEP_PASSED);
	report_note(r, n, FACT_HOST, "%s", host);
	report_note(r, n, FACT_PORT, "993");
	return r;
}

static struct report *certificate(const char *flaw)
{
	struct report *r = reached("imap.birch.example");
	int            n = step(r, "imap.tls", 0, STEP_FAILED);

	report_note(r, n, FACT_TLS_FLAW, "%s", flaw);
	report_note(r, n, FACT_TLS_SAN, "mail.birch.example, www.birch.example");
	report_note(r, n, FACT_TLS_ISSUER, "CN=<b>R3</b>");
	report_note(r, n, FACT_TLS_NOT_AFTER, "2027-05-03 08:15:00 UTC");
	report_note(r, n, FACT_TLS_NOT_BEFORE, "2026-12-24 08:15:00 UTC");
	n = step(r, "probe.names", 0, STEP_PASSED);
	report_note(r, n, FACT_PROBE_SAME_SERVER, "mail.birch.example");
	return r;
}

static struct report *refused(const char *host, const char *family, const char *code, const char *text)
{
	struct report *r = reached(host);
	int            n = step(r, "imap.greeting", 0, STEP_PASSED);

	report_note(r, n, FACT_SERVER_FAMILY, "%s", family);
	n = step(r, "imap.login", 0, STEP_FAILED);
	report_note(r, n, FACT_AUTH_USERNAME, "address");
	report_note(r, n, FACT_REPLY_STATUS, "NO");
	if (*code)
		report_note(r, n, FACT_REPLY_CODE, "%s", code);
	report_note(r, n, FACT_REPLY_TEXT, "%s", text);
	return r;
}

#define CASES 10

static struct report *recorded(size_t n)
{
	switch (n) {
	case 0:  return certificate("name");
	case 1:  return certificate("expired");
	case 2:  return certificate("not_yet");
	case 3:  return certificate("self_signed");
	case 4:  return refused("imap.birch.example", "dovecot", "AUTHENTICATIONFAILED", "Authentication failed.");
	case 5:  return refused("imap.gmail.com", "gmail", "ALERT", "Application-specific password required: https://support.google.com/accounts/answer/185833 (Failure)");
	case 6:  return refused("outlook.office365.com", "microsoft", "", "Request is throttled. Suggested Backoff Time: 92415 milliseconds");
	case 7:  return refused("imap.birch.example", "dovecot", "UNAVAILABLE", "Temporary authentication failure. {host} `reboot`");
	case 8:  return refused("imap.birch.example", "", "", "The moon is full");
	case 9:  return refused("imap.birch.example", "dovecot", "CONTACTADMIN", "Logins only from <our> \"addresses\"");
	default: return NULL;
	}
}

/* As it goes into the store: in English. */
static char *stored(const struct report *r, const struct verdict *v)
{
	cJSON *json = report_json(r, v, language_english());
	char  *text = json_write(json);

	cJSON_Delete(json);
	return text;
}

static void same_telling(const struct told *again, const struct told *first, const char *row)
{
	EXPECT_ROW(strcmp(again->title, first->title) == 0, row);
	EXPECT_TEXT(again->why, first->why);
	EXPECT_ROW(again->fixes == first->fixes && again->links == first->links && again->values == first->values, row);
	for (size_t i = 0; i < first->fixes; i++)
		EXPECT_TEXT(again->fix[i], first->fix[i]);
	for (size_t i = 0; i < first->links; i++)
		EXPECT_TEXT(again->link[i], first->link[i]);
	for (size_t i = 0; i < first->values; i++)
		EXPECT_TEXT(again->value[i].text, first->value[i].text);
	EXPECT_TEXT(again->alias, first->alias);
}

TEST(a_report_is_told_again_as_it_was_told_first)
{
	for (size_t n = 0; n < CASES; n++)
		for (size_t l = 0; language_at(l); l++) {
			CLEANUP(report) struct report *r = recorded(n);
			CLEANUP(arena) struct arena   *job = arena_new();
			const struct language         *lang = language_at(l);
			struct verdict v;
			struct retold  again;
			struct error   err = { 0 };
			char          *json, row[80];

			diagnose(r, &v);
			json = stored(r, &v);
			EXPECT(v.findings > 0);
			snprintf(row, sizeof row, "%s: %s", lang->tag, cause_row(v.finding[0].cause)->id);
			EXPECT_ROW(retell(json, lang, job, &again, &err), row);
			EXPECT_ROW(again.causes == v.findings && again.steps == r->step_count && again.outs == v.exclusions, row);
			EXPECT_TEXT(again.address, "ann@birch.example");
			EXPECT_TEXT(again.verdict, verdict_name(v.kind));
			for (size_t i = 0; i < v.findings; i++) {
				struct told first;

				tell_finding(r, &v.finding[i], lang, job, &first);
				same_telling(&again.cause[i].told, &first, row);
				EXPECT_ROW(again.cause[i].who == v.finding[i].who && again.cause[i].proofs == v.finding[i].proofs, row);
				EXPECT_TEXT(again.cause[i].certainty, certainty_name(v.finding[i].certainty));
			}
			free(json);
		}
}

/* Otherwise the test above would compare nothing that depends on the language. */
TEST(the_cases_hold_dates_and_waits)
{
	static const struct { size_t n; const char *name, *english, *german; } rows[] = {
		{ 1, "expired_on", "3 May 2027",       "3. Mai 2027" },
		{ 2, "valid_from", "24 December 2026", "24. Dezember 2026" },
		{ 6, "wait",       "93 s",             "93 s" },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		for (size_t german = 0; german < 2; german++) {
			CLEANUP(report) struct report *r = recorded(rows[i].n);
			CLEANUP(arena) struct arena   *job = arena_new();
			struct verdict v;
			struct retold  again;
			const char    *value = NULL;
			char          *json;

			diagnose(r, &v);
			json = stored(r, &v);
			EXPECT(retell(json, language_find(german ? "de" : "en"), job, &again, NULL));
			for (size_t n = 0; n < again.cause[0].told.values; n++)
				if (strcmp(again.cause[0].told.value[n].name, rows[i].name) == 0)
					value = again.cause[0].told.value[n].text;
			EXPECT_TEXT(value, german ? rows[i].german : rows[i].english);
			free(json);
		}
}

TEST(steps_and_facts_have_their_words)
{
	CLEANUP(report) struct report *r = recorded(1);
	CLEANUP(arena) struct arena   *job = arena_new();
	struct verdict v;
	struct retold  again;
	char          *json;

	report_skip(r, "imap.login", 0, "no_line", 0);
	diagnose(r, &v);
	json = stored(r, &v);
	EXPECT(retell(json, language_find("de"), job, &again, NULL));
	EXPECT_TEXT(again.step[2].label, "IMAP-Zertifikat");
	EXPECT_TEXT(again.step[2].state, "failed");
	EXPECT_TEXT(again.step[again.steps - 1].why, "ein Passwort wird nie über eine ungeprüfte Verbindung gesendet");
	EXPECT_TEXT(again.cause[0].proof[0].step, "IMAP-Zertifikat");
	free(json);
}

TEST(what_is_no_report_is_refused)
{
	static const char *const rows[] = { "", "{}", "[]", "null", "{\"format\": 1}", "{\"format\": \"mailmoor.report.v2\"}", "{\"format\": \"mailmoor.report.v1\"" };

	for (size_t i = 0; i < COUNT(rows); i++) {
		CLEANUP(arena) struct arena *job = arena_new();
		struct retold again;
		struct error  err = { 0 };

		EXPECT_ROW(!retell(rows[i], language_english(), job, &again, &err) && err.fault != FAULT_NONE, rows[i]);
	}
}

/* A later version of ours may write what this one does not know; a damaged store anything. */
TEST(strange_members_are_left_out)
{
	static const char *const json =
		"{\"format\": \"mailmoor.report.v1\", \"address\": 7, \"verdict\": null, \"causes\": [7, {}, {\"id\": \"no.such\"}, {\"id\": \"tls.expired\", \"who\": \"cat\","
		" \"values\": {\"host\": 7, \"expired_on\": \"some day\"}, \"links\": [\"javascript:alert(1)\", \"https://letsencrypt.org/docs/integration-guide/\"], \"proof\": {\"x\": 3}}],"
		" \"ruled_out\": [{\"id\": \"no.such\"}, {\"id\": \"tls.revoked\"}], \"steps\": [{\"id\": \"moon.walk\", \"state\": \"passed\", \"why\": \"no_gravity\"}, []], \"needs\": 4}";
	CLEANUP(arena) struct arena *job = arena_new();
	struct retold again;

	EXPECT(retell(json, language_english(), job, &again, NULL));
	EXPECT(again.causes == 1 && again.outs == 1 && again.steps == 2 && again.needs == 0);
	EXPECT(again.cause[0].cause == CAUSE_TLS_EXPIRED && again.cause[0].told.links == 1 && again.cause[0].told.fixes > 0);
	EXPECT_TEXT(again.cause[0].told.link[0], "https://letsencrypt.org/docs/integration-guide/");
	EXPECT_TEXT(again.cause[0].told.value[0].text, "some day");
	EXPECT_TEXT(again.step[0].label, "moon.walk");
	EXPECT_TEXT(again.step[0].why, "no_gravity");
	EXPECT_TEXT(again.address, "");
}

TEST(cut_anywhere_it_is_refused_or_told)
{
	CLEANUP(report) struct report *r = recorded(7);
	struct verdict v;
	char          *json;

	diagnose(r, &v);
	json = stored(r, &v);
	for (size_t len = strlen(json); len-- > 0;) {
		CLEANUP(arena) struct arena *job = arena_new();
		struct retold again;

		json[len] = '\0';
		if (retell(json, language_english(), job, &again, NULL))
			EXPECT(json[len - 1] == '}');
	}
	free(json);
}
