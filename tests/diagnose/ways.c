/* Another way in: what a report shows is offered, what is not seen is not; and it survives the store. */
#include <stdlib.h>

#include "diagnose/report_json.h"
#include "diagnose/retell.h"
#include "model/facts.h"
#include "test.h"

#define PLACE(text)  FACT_EXCHANGE_PLACE, text
#define URL          "https://mail.birch.example/EWS/Exchange.asmx"
#define NO_BOX       "MailboxNotEnabledForRESTAPI"

struct case_of {
	const char *name;
	const char *code;                    /* of Graph */
	const char *mx[4], *find[4], *detect[4];
	const char *ways;                    /* "PROVIDER WHERE[ ?]", commas between */
};

static const struct case_of cases[] = {
	{ "nothing seen, nothing offered", NO_BOX, { 0 }, { 0 }, { 0 }, "" },
	{ "a server of their own", NO_BOX, { 0 }, { PLACE("ews " URL " autodiscover trusted, 15.2.1544.9") }, { 0 }, "exchange " URL },
	{ "one that has to be confirmed", NO_BOX, { 0 }, { PLACE("ews " URL " autodiscover_microsoft to be confirmed") }, { 0 }, "exchange " URL " ?" },
	{ "by its own word before by another's", NO_BOX, { 0 },
		{ PLACE("ews https://other.example/EWS/Exchange.asmx autodiscover_redirect to be confirmed"), PLACE("ews " URL " autodiscover trusted") }, { 0 },
		"exchange " URL },
	{ "Autodiscover alone", NO_BOX, { 0 }, { PLACE("autodiscover https://autodiscover.birch.example/autodiscover/autodiscover.xml autodiscover trusted") }, { 0 },
		"exchange -" },
	{ "something wants a password, and no more is known", NO_BOX, { 0 },
		{ PLACE("autodiscover https://birch.example/autodiscover/autodiscover.xml autodiscover trusted, no sign of Exchange") }, { 0 }, "" },
	{ "Exchange Online is no other way", NO_BOX, { 0 }, { PLACE("ews https://outlook.office365.com/EWS/Exchange.asmx autodiscover trusted, online") }, { 0 }, "" },
	{ "mail goes to Gmail", NO_BOX, { FACT_HOSTER, "gmail" }, { 0 }, { 0 }, "imap imap.gmail.com" },
	{ "mail goes to Microsoft", NO_BOX, { FACT_HOSTER, "microsoft" }, { 0 }, { 0 }, "" },
	{ "announced by the domain", NO_BOX, { 0 }, { 0 }, { FACT_CANDIDATE, "imap imap.birch.example:993 tls autoconfig" }, "imap imap.birch.example" },
	{ "a guess is no announcement", NO_BOX, { 0 }, { 0 }, { FACT_CANDIDATE, "imap mail.birch.example:993 tls guess" }, "" },
	{ "both", "RESTAPINotEnabledForComponentSharedMailbox", { FACT_HOSTER, "gmail" }, { PLACE("autodiscover " URL " autodiscover trusted") }, { 0 },
		"exchange -, imap imap.gmail.com" },
	{ "a refusal has no other way", "ErrorAccessDenied", { FACT_HOSTER, "gmail" }, { PLACE("ews " URL " autodiscover trusted") }, { 0 }, "" },
};

static void add(struct report *r, const char *id, int attempt, enum step_state state, const char *const *facts)
{
	int step = report_begin(r, id, attempt, 0);

	for (size_t i = 0; i < 4 && facts[i]; i += 2)
		report_note(r, step, facts[i], "%s", facts[i + 1]);
	report_end(r, step, state, 0);
}

static struct report *report_of(const struct case_of *c)
{
	struct report *r = report_new("ann@birch.example");

	r->provider = "microsoft";
	r->attempts = 1;
	if (c->mx[0])
		add(r, "dns.mx", NO_ATTEMPT, STEP_PASSED, c->mx);
	add(r, "entra.grant", 0, STEP_PASSED, (const char *const[4]){ FACT_AUTH_BY, "token" });
	add(r, "microsoft.account", 0, STEP_PASSED, (const char *const[4]){ FACT_ACCOUNT_ASKED, "yes", FACT_ACCOUNT_KIND, "organisation" });
	add(r, "microsoft.inbox", 0, STEP_FAILED, (const char *const[4]){ FACT_HTTP_STATUS, "404", FACT_GRAPH_CODE, c->code });
	if (c->find[0])
		add(r, "exchange.find", NO_ATTEMPT, STEP_PASSED, c->find);
	if (c->detect[0])
		add(r, "detect", NO_ATTEMPT, STEP_PASSED, c->detect);
	return r;
}

static const char *shown(const struct way *way, size_t count, struct arena *job)
{
	const char *all = "";

	for (size_t i = 0; i < count; i++) {
		const char *where = way[i].ews_url ? way[i].ews_url : way[i].host[SERVICE_IMAP] ? way[i].host[SERVICE_IMAP] : "-";

		all = arena_print(job, "%s%s%s %s%s", all, i ? ", " : "", way[i].provider, where, way[i].confirm ? " ?" : "");
	}
	return all;
}

TEST(what_is_offered_is_what_was_seen)
{
	for (size_t i = 0; i < COUNT(cases); i++) {
		CLEANUP(report) struct report *r = report_of(&cases[i]);
		CLEANUP(arena) struct arena   *job = arena_new();
		struct verdict v;
		struct way     way[WAYS];
		size_t         count;
		const char    *now;

		diagnose(r, &v);
		count = diagnose_ways(r, &v, job, way);
		now = shown(way, count, job);
		if (strcmp(now, cases[i].ways) != 0)
			test_fail(__FILE__, __LINE__, "%s: \"%s\", not \"%s\"", cases[i].name, now, cases[i].ways);
		for (size_t n = 0; n < count; n++)
			EXPECT_ROW(way[n].by.value && *way[n].by.value, cases[i].name);
	}
}

TEST(it_is_told_again_out_of_the_store)
{
	for (size_t i = 0; i < COUNT(cases); i++) {
		CLEANUP(report) struct report *r = report_of(&cases[i]);
		CLEANUP(arena) struct arena   *job = arena_new();
		struct verdict v;
		struct retold  again;
		cJSON         *json;
		char          *text;

		diagnose(r, &v);
		json = report_json(r, &v, language_english());
		text = json_write(json);
		EXPECT_ROW(retell(text, language_find("pl"), job, &again, NULL), cases[i].name);
		EXPECT_TEXT(shown(again.way, again.ways, job), cases[i].ways);
		cJSON_Delete(json);
		free(text);
	}
}

TEST(strange_ones_in_the_store_are_left_out)
{
	static const struct { const char *json; bool fine; } rows[] = {
		{ "{}", false }, { "[]", false }, { "{\"provider\": 1}", false }, { "{\"provider\": \"pop3\"}", false },
		{ "{\"provider\": \"imap\", \"imap\": {\"host\": \"a\", \"port\": 70000}}", true },
		{ "{\"provider\": \"imap\", \"imap\": \"a\"}", true },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		CLEANUP(arena) struct arena *job = arena_new();
		cJSON     *o = json_read(slice_str(rows[i].json), 1000, NULL);
		struct way w;

		EXPECT_ROW(way_read(o, job, &w) == rows[i].fine, rows[i].json);
		EXPECT_ROW(!w.host[SERVICE_IMAP], rows[i].json);
		cJSON_Delete(o);
	}
}
