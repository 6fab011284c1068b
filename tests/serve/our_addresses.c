#include "serve/our_addresses.h"

#include "model/facts.h"
#include "store/scratch.h"

#define NOW 5000

static void learn(struct scratch *s, const char *address, const char *host)
{
	EXPECT(our_address_learn(&s->txn, &(struct our_address){ .address = address, .how = "ehlo", .host = host, .last_seen = NOW }, &s->err));
}

static void with_setting(struct scratch *s, const char *setting, struct our_addresses *out)
{
	struct settings settings = { .value = { [SETTING_NET_EGRESS] = arena_str(s->arena, setting) } };

	EXPECT(our_addresses_read(&s->txn, &settings, s->arena, NOW, out, &s->err));
}

static const char *joined(struct scratch *s, const struct our_address *a, size_t count)
{
	const char *text = "";

	for (size_t i = 0; i < count; i++)
		text = arena_print(s->arena, "%s%s%s", text, i ? " " : "", a[i].address);
	return text;
}

TEST(what_is_known_of_our_addresses)
{
	static const struct { const char *setting, *text, *stray; } rows[] = {
		{ "", "8.8.4.4, 2a00:1450::1, 9.9.9.9 seen once", "" },
		{ " , ", "8.8.4.4, 2a00:1450::1, 9.9.9.9 seen once", "" },
		{ "8.8.4.4", "8.8.4.4", "2a00:1450::1" },
		{ "8.8.4.4, 2a00:1450::1", "8.8.4.4, 2a00:1450::1", "" },
		{ "8.8.4.0/24 2a00:1450::/32", "8.8.4.0/24, 2a00:1450::/32", "" },
		{ "192.0.2.1", "192.0.2.1", "8.8.4.4 2a00:1450::1" },
		/* written otherwise, the same */
		{ "2A00:1450:0::0001\t8.8.4.4", "2A00:1450:0::0001, 8.8.4.4", "" },
	};
	struct scratch       s;
	struct our_addresses ours;

	scratch_rows(&s);
	with_setting(&s, "", &ours);
	EXPECT(!our_addresses_text(&ours, s.arena) && !ours.count && !ours.configured);
	learn(&s, "8.8.4.4", "a"), learn(&s, "8.8.4.4", "b");
	learn(&s, "2a00:1450::1", "b"), learn(&s, "2a00:1450::1", "a");
	learn(&s, "9.9.9.9", "a");
	/* both told first at the same time: by their text */
	for (size_t i = 0; i < COUNT(rows); i++) {
		with_setting(&s, rows[i].setting, &ours);
		if (!ours.configured)
			EXPECT(ours.count == 3 && strstr(our_addresses_text(&ours, s.arena), "9.9.9.9 seen once"));
		else
			EXPECT_TEXT(our_addresses_text(&ours, s.arena), rows[i].text);
		EXPECT_ROW(ours.strays == (size_t)(*rows[i].stray ? 1 + (strchr(rows[i].stray, ' ') != NULL) : 0), rows[i].setting);
		for (size_t n = 0; n < ours.strays; n++)
			EXPECT_ROW(strstr(rows[i].stray, ours.stray[n].address), joined(&s, ours.stray, ours.strays));
	}
	scratch_end(&s);
}

TEST(hosts_are_shown_to_the_operator_alone)
{
	struct scratch       s;
	struct our_addresses ours;

	scratch_rows(&s);
	learn(&s, "9.9.9.9", "smtp.birch.example");
	with_setting(&s, "", &ours);
	for (int hosts = 0; hosts < 2; hosts++) {
		cJSON *o = our_addresses_json(&ours, hosts);
		char  *text = cJSON_PrintUnformatted(o);

		EXPECT(strstr(text, "\"address\":\"9.9.9.9\"") && strstr(text, "\"how\":\"ehlo\"") && strstr(text, "\"seen_once\":true"));
		EXPECT((strstr(text, "smtp.birch.example") != NULL) == hosts);
		cJSON_Delete(o);
		free(text);
	}
	scratch_end(&s);
}

static int step(struct report *r, const char *id, int attempt)
{
	int n = report_begin(r, id, attempt, 0);

	report_end(r, n, STEP_PASSED, 0);
	return n;
}

TEST(what_a_report_tells)
{
	CLEANUP(report) struct report *r = report_new("ann@birch.example");
	CLEANUP(arena) struct arena   *job = arena_new();
	struct our_address             told[OUR_ADDRESSES_TOLD];
	int                            imap = report_attempt(r), smtp = report_attempt(r);

	report_note(r, step(r, "imap.resolve", imap), FACT_HOST, "imap.birch.example");
	report_note(r, step(r, "smtp.resolve", smtp), FACT_HOST, "smtp.birch.example");
	EXPECT(our_addresses_told(r, NOW, job, told) == 0);
	report_note(r, step(r, "smtp.ehlo", smtp), FACT_OUR_SEEN, "8.8.4.4");
	report_note(r, step(r, "send.arrive", smtp), FACT_OUR_SEEN, "9.9.9.9");
	report_note(r, step(r, "smtp.ehlo", report_attempt(r)), FACT_OUR_SEEN, "9.9.9.8");      /* of nobody */
	EXPECT(our_addresses_told(r, NOW, job, told) == 2);
	EXPECT_TEXT(told[0].address, "8.8.4.4");
	EXPECT_TEXT(told[0].how, "ehlo");
	EXPECT_TEXT(told[0].host, "smtp.birch.example");
	EXPECT_TEXT(told[1].address, "9.9.9.9");
	EXPECT_TEXT(told[1].how, "received");
	EXPECT(told[1].last_seen == NOW && !told[1].other_host);
	for (int i = 0; i < 20; i++)
		report_note(r, step(r, "smtp.ehlo", smtp), FACT_OUR_SEEN, "8.8.4.%d", i);
	EXPECT(our_addresses_told(r, NOW, job, told) == OUR_ADDRESSES_TOLD);
}
