#include "store/events.h"

#include "store/accounts.h"
#include "store/scratch.h"

static int64_t add(struct scratch *s, const char *id, const char *account, const char *type, int64_t created)
{
	int64_t seq;

	EXPECT(event_append(&s->txn, &(struct event){ .id = id, .workspace = "wsp_1", .account = account, .type = type, .data = "{}", .created = created },
	                    &seq, &s->err));
	return seq;
}

static struct webhook a_webhook(const char *id, const char *types)
{
	return (struct webhook){ .id = id, .workspace = "wsp_1", .url = "https://example.org/hook", .types = types, .enabled = true, .created = 1 };
}

static void hook(struct scratch *s, const char *id, const char *types)
{
	struct webhook w = a_webhook(id, types);

	EXPECT(webhook_insert(&s->txn, &w, &s->err));
}

static int by_time(const void *a, const void *b)
{
	const struct delivery *one = a, *other = b;

	if (one->next_try != other->next_try)
		return one->next_try < other->next_try ? -1 : 1;
	return one->id < other->id ? -1 : one->id > other->id;
}

/* Of all webhooks, by their times. */
static struct delivery *all_due(struct scratch *s, int64_t now, size_t *count)
{
	struct delivery *all = arena_get(s->arena, 200 * sizeof *all), *d;
	struct webhook_waits  *w;
	size_t           hooks, some;

	*count = 0;
	EXPECT(delivery_waiting(&s->txn, s->arena, &w, &hooks, &s->err));
	for (size_t i = 0; i < hooks; i++) {
		EXPECT(delivery_due(&s->txn, s->arena, w[i].webhook, now, 100, &d, &some, &s->err) && *count + some <= 200);
		EXPECT((some > 0) == (w[i].due <= now));
		for (size_t n = 0; n < some; n++)
			all[(*count)++] = d[n];
	}
	qsort(all, *count, sizeof *all, by_time);
	return all;
}

/* What is due, as "webhook:event " each. */
static const char *due(struct scratch *s, int64_t now)
{
	size_t           count;
	struct delivery *d = all_due(s, now, &count);
	char            *text = arena_get(s->arena, 2000);

	for (size_t i = 0; i < count; i++)
		strcat(strcat(strcat(strcat(text, d[i].webhook), ":"), d[i].event.id), " ");
	return text;
}

static int64_t due_id(struct scratch *s, int64_t now)
{
	size_t           count;
	struct delivery *d = all_due(s, now, &count);

	EXPECT(count > 0);
	return d->id;
}

static int64_t waiting(struct scratch *s, int64_t *given_up)
{
	int64_t n, lost;

	EXPECT(delivery_counts(&s->txn, &n, given_up ? given_up : &lost, &s->err));
	return n;
}

static int64_t next_due(struct scratch *s)
{
	int64_t         when = INT64_MAX;
	struct webhook_waits *w;
	size_t          count;

	EXPECT(delivery_waiting(&s->txn, s->arena, &w, &count, &s->err));
	for (size_t i = 0; i < count; i++) {
		EXPECT(i == 0 || strcmp(w[i - 1].webhook, w[i].webhook) < 0);
		when = w[i].due < when ? w[i].due : when;
	}
	return when;
}

/* -- events ------------------------------------------------------------------------------------------------------- */

TEST(events_are_numbered_and_listed_by_what_is_asked_for)
{
	struct scratch s;
	struct event  *e;
	size_t         count;
	int64_t        first, last;

	scratch_rows(&s);
	EXPECT(event_last(&s.txn, &last, &s.err) && last == 0);
	first = add(&s, "evt_1", "acc_1", "account.failed", 10);
	EXPECT(first > 0 && add(&s, "evt_2", NULL, "incident.opened", 11) == first + 1 && add(&s, "evt_3", "acc_2", "account.failed", 12) == first + 2);
	EXPECT(event_append(&s.txn, &(struct event){ .id = "evt_4", .workspace = "wsp_2", .type = "account.failed", .data = "{\"a\":1}", .created = 13 }, NULL, &s.err));
	EXPECT(event_last(&s.txn, &last, &s.err) && last == first + 3);

	EXPECT(event_list(&s.txn, s.arena, NULL, NULL, NULL, 0, 10, &e, &count, &s.err) && count == 4);
	EXPECT(e[0].seq == first && e[0].created == 10 && !e[1].account);
	EXPECT_TEXT(e[0].id, "evt_1");
	EXPECT_TEXT(e[0].account, "acc_1");
	EXPECT_TEXT(e[3].workspace, "wsp_2");
	EXPECT_TEXT(e[3].data, "{\"a\":1}");
	EXPECT(event_list(&s.txn, s.arena, "wsp_1", NULL, NULL, first, 10, &e, &count, &s.err) && count == 2);
	EXPECT_TEXT(e[0].id, "evt_2");
	EXPECT(event_list(&s.txn, s.arena, "wsp_1", NULL, "account.failed", 0, 10, &e, &count, &s.err) && count == 2);
	EXPECT(event_list(&s.txn, s.arena, "wsp_1", "acc_2", NULL, 0, 10, &e, &count, &s.err) && count == 1);
	EXPECT(event_list(&s.txn, s.arena, NULL, NULL, NULL, 0, 1, &e, &count, &s.err) && count == 1);
	EXPECT(event_list(&s.txn, s.arena, "wsp_2", "acc_2", NULL, 0, 10, &e, &count, &s.err) && count == 0);
	scratch_end(&s);
}

TEST(the_same_thing_is_not_told_twice)
{
	struct scratch s;
	struct event   e = { .id = "evt_1", .workspace = "wsp_1", .type = "account.failed", .data = "{}" };

	scratch_rows(&s);
	hook(&s, "whk_1", "*");
	EXPECT(event_append(&s.txn, &e, NULL, &s.err));
	EXPECT(s.db->driver->save(s.db, &s.err));
	FAILS(event_append(&s.txn, &e, NULL, &s.err), FAULT_REFUSED);
	EXPECT(s.db->driver->unsave(s.db, false, &s.err));
	EXPECT(waiting(&s, NULL) == 1);
	e.id = "evt_2", e.workspace = "wsp_9";
	FAILS(event_append(&s.txn, &e, NULL, &s.err), FAULT_ABSENT);
	scratch_end(&s);
}

TEST(what_is_old_is_forgotten_unless_it_waits)
{
	struct scratch s;
	struct event  *e;
	size_t         count;
	int64_t        last, newest;

	scratch_rows(&s);
	add(&s, "evt_1", NULL, "a", 10);
	hook(&s, "whk_1", "*");
	add(&s, "evt_2", "acc_1", "a", 11);
	add(&s, "evt_3", "acc_1", "a", 12);
	newest = add(&s, "evt_4", "acc_1", "a", 20);
	EXPECT(delivery_taken(&s.txn, due_id(&s, 30), 200, 30, &s.err));
	EXPECT(event_forget(&s.txn, 20, &s.err));
	EXPECT(event_list(&s.txn, s.arena, NULL, NULL, NULL, 0, 10, &e, &count, &s.err) && count == 2);
	EXPECT_TEXT(e[0].id, "evt_3");
	EXPECT_TEXT(due(&s, 30), "whk_1:evt_3 ");
	EXPECT(delivery_taken(&s.txn, due_id(&s, 30), 200, 30, &s.err) && delivery_failed(&s.txn, due_id(&s, 30), 500, "no", 0, true, &s.err));
	EXPECT(event_forget(&s.txn, 1000, &s.err));
	EXPECT(event_list(&s.txn, s.arena, NULL, NULL, NULL, 0, 10, &e, &count, &s.err) && count == 0);
	/* a number that was given is not given again */
	EXPECT(event_last(&s.txn, &last, &s.err) && last == newest && add(&s, "evt_5", NULL, "a", 1) == newest + 1);
	scratch_end(&s);
}

/* -- webhooks ----------------------------------------------------------------------------------------------------- */

TEST(a_webhook_is_kept_changed_and_deleted)
{
	struct scratch  s;
	struct webhook  w = a_webhook("whk_1", "account.failed"), got, *all;
	struct delivery *d;
	struct slice    sealed;
	size_t          count;

	scratch_rows(&s);
	EXPECT(webhook_insert(&s.txn, &w, &s.err) && sealed_put(&s.txn, "whk_1", "signing", slice_str("x"), &s.err));
	FAILS(webhook_insert(&s.txn, &w, &s.err), FAULT_REFUSED);
	w.enabled = false, w.disabled_why = "410 Gone", w.last_ok = 5, w.failing_since = 6, w.url = "https://example.org/2", w.types = "*";
	EXPECT(webhook_update(&s.txn, &w, &s.err) && webhook_get(&s.txn, s.arena, "wsp_1", "whk_1", &got, &s.err));
	EXPECT(!got.enabled && got.last_ok == 5 && got.failing_since == 6 && got.created == 1);
	EXPECT_TEXT(got.disabled_why, "410 Gone");
	EXPECT_TEXT(got.url, "https://example.org/2");
	EXPECT_TEXT(got.types, "*");
	EXPECT(webhook_get(&s.txn, s.arena, NULL, "whk_1", &got, &s.err));
	FAILS(webhook_get(&s.txn, s.arena, "wsp_2", "whk_1", &got, &s.err), FAULT_ABSENT);
	w.id = "whk_9";
	FAILS(webhook_update(&s.txn, &w, &s.err), FAULT_ABSENT);
	EXPECT(webhook_list(&s.txn, s.arena, "wsp_1", &all, &count, &s.err) && count == 1);
	EXPECT(webhook_list(&s.txn, s.arena, "wsp_2", &all, &count, &s.err) && count == 0);
	EXPECT(webhook_list(&s.txn, s.arena, NULL, &all, &count, &s.err) && count == 1);

	add(&s, "evt_1", "acc_1", "a", 10);
	FAILS(webhook_delete(&s.txn, "wsp_2", "whk_1", &s.err), FAULT_ABSENT);
	EXPECT(webhook_delete(&s.txn, "wsp_1", "whk_1", &s.err));
	FAILS(webhook_delete(&s.txn, "wsp_1", "whk_1", &s.err), FAULT_ABSENT);
	EXPECT(waiting(&s, NULL) == 0 && delivery_list(&s.txn, s.arena, "whk_1", 0, 10, &d, &count, &s.err) && count == 0);
	FAILS(sealed_get(&s.txn, s.arena, "whk_1", "signing", &sealed, &s.err), FAULT_ABSENT);
	scratch_end(&s);
}

TEST(each_webhook_gets_the_types_that_it_wants)
{
	static const struct { const char *types, *type; bool wants; } rows[] = {
		{ "*", "account.failed", true },                                { "account.failed", "account.failed", true },
		{ "account.connected account.failed", "account.failed", true }, { "account.failed account.connected", "account.failed", true },
		{ "account", "account.failed", false },                         { "account.failed", "account.fail", false },
		{ "account_failed", "account.failed", false },                  { "", "account.failed", false },
		{ "  account.failed ", "account.failed", true },                { "account.%", "account.failed", false },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct scratch s;

		scratch_rows(&s);
		hook(&s, "whk_1", rows[i].types);
		add(&s, "evt_1", "acc_1", rows[i].type, 1);
		EXPECT_ROW(waiting(&s, NULL) == rows[i].wants, rows[i].types);
		scratch_end(&s);
	}
}

/* -- deliveries --------------------------------------------------------------------------------------------------- */

TEST(one_account_s_deliveries_go_out_one_after_the_other)
{
	struct scratch s;

	scratch_rows(&s);
	hook(&s, "whk_1", "*");
	add(&s, "evt_1", "acc_1", "a", 10);
	add(&s, "evt_2", "acc_1", "a", 11);
	add(&s, "evt_3", "acc_2", "a", 12);
	add(&s, "evt_4", NULL, "a", 13);
	add(&s, "evt_5", NULL, "a", 14);
	EXPECT_TEXT(due(&s, 20), "whk_1:evt_1 whk_1:evt_3 whk_1:evt_4 ");
	EXPECT(waiting(&s, NULL) == 5);
	EXPECT(delivery_taken(&s.txn, due_id(&s, 20), 204, 20, &s.err));
	EXPECT_TEXT(due(&s, 20), "whk_1:evt_2 whk_1:evt_3 whk_1:evt_4 ");
	EXPECT(delivery_taken(&s.txn, due_id(&s, 20), 204, 21, &s.err) && waiting(&s, NULL) == 3);
	EXPECT_TEXT(due(&s, 20), "whk_1:evt_3 whk_1:evt_4 ");
	add(&s, "evt_6", "acc_1", "a", 15);
	EXPECT_TEXT(due(&s, 20), "whk_1:evt_3 whk_1:evt_4 whk_1:evt_6 ");
	scratch_end(&s);
}

TEST(a_failure_holds_back_its_own_account_only)
{
	struct scratch   s;
	struct delivery *d;
	size_t           count;
	int64_t          id, lost;

	scratch_rows(&s);
	hook(&s, "whk_1", "*");
	hook(&s, "whk_2", "*");
	EXPECT(next_due(&s) == INT64_MAX);
	add(&s, "evt_1", "acc_1", "a", 10);
	add(&s, "evt_2", "acc_1", "a", 11);
	add(&s, "evt_3", "acc_2", "a", 12);
	EXPECT(next_due(&s) <= 20);
	id = due_id(&s, 20);
	EXPECT(delivery_failed(&s.txn, id, 503, "503 Service Unavailable", 100, false, &s.err));
	EXPECT_TEXT(due(&s, 99), "whk_2:evt_1 whk_1:evt_3 whk_2:evt_3 ");
	EXPECT_TEXT(due(&s, 100), "whk_2:evt_1 whk_1:evt_3 whk_2:evt_3 whk_1:evt_1 ");
	EXPECT(delivery_failed(&s.txn, id, 0, "time-out", 300, false, &s.err));
	EXPECT(delivery_list(&s.txn, s.arena, "whk_1", 0, 10, &d, &count, &s.err) && count == 3);
	EXPECT(d[2].id == id && d[2].tries == 2 && d[2].status == 0 && d[2].next_try == 300 && !d[2].given_up && !d[2].delivered);
	EXPECT_TEXT(d[2].note, "time-out");
	EXPECT_TEXT(d[0].event.id, "evt_3");

	for (int i = 0; i < 3; i++)
		EXPECT(delivery_taken(&s.txn, due_id(&s, 50), 200, 50, &s.err));
	EXPECT_TEXT(due(&s, 50), "whk_2:evt_3 ");
	EXPECT(delivery_taken(&s.txn, due_id(&s, 50), 200, 50, &s.err) && next_due(&s) == 300);

	EXPECT(delivery_failed(&s.txn, id, 400, "400", 0, true, &s.err));
	EXPECT_TEXT(due(&s, 50), "whk_1:evt_2 ");
	EXPECT(waiting(&s, &lost) == 1 && lost == 1);
	EXPECT(delivery_list(&s.txn, s.arena, "whk_1", 0, 10, &d, &count, &s.err) && d[2].given_up && d[2].tries == 3);
	scratch_end(&s);
}

TEST(what_no_longer_waits_is_neither_taken_nor_failed)
{
	struct scratch s;
	int64_t        id;

	scratch_rows(&s);
	hook(&s, "whk_1", "*");
	add(&s, "evt_1", "acc_1", "a", 10);
	id = due_id(&s, 20);
	EXPECT(delivery_taken(&s.txn, id, 200, 20, &s.err));
	FAILS(delivery_taken(&s.txn, id, 200, 20, &s.err), FAULT_ABSENT);
	FAILS(delivery_failed(&s.txn, id, 500, NULL, 30, false, &s.err), FAULT_ABSENT);
	FAILS(delivery_taken(&s.txn, id + 1, 200, 20, &s.err), FAULT_ABSENT);
	scratch_end(&s);
}

TEST(a_disabled_webhook_holds_everything_until_it_is_enabled)
{
	struct scratch s;
	struct webhook w = a_webhook("whk_1", "*");

	scratch_rows(&s);
	EXPECT(webhook_insert(&s.txn, &w, &s.err));
	add(&s, "evt_1", "acc_1", "a", 10);
	add(&s, "evt_2", "acc_1", "a", 10);
	w.enabled = false;
	EXPECT(webhook_update(&s.txn, &w, &s.err));
	add(&s, "evt_3", "acc_2", "a", 10);
	EXPECT_TEXT(due(&s, 20), "");
	EXPECT(next_due(&s) == INT64_MAX && waiting(&s, NULL) == 3);
	w.enabled = true;
	EXPECT(webhook_update(&s.txn, &w, &s.err));
	EXPECT_TEXT(due(&s, 20), "whk_1:evt_1 whk_1:evt_3 ");
	/* one that was on its way when it was disabled */
	w.enabled = false;
	EXPECT(webhook_update(&s.txn, &w, &s.err) && delivery_taken(&s.txn, 1, 200, 20, &s.err));
	EXPECT_TEXT(due(&s, 20), "");
	w.enabled = true;
	EXPECT(webhook_update(&s.txn, &w, &s.err));
	EXPECT_TEXT(due(&s, 20), "whk_1:evt_2 whk_1:evt_3 ");
	scratch_end(&s);
}

TEST(a_replay_sends_all_again_in_order)
{
	struct scratch   s;
	struct delivery *d;
	size_t           count;
	int64_t          second, again, on_its_way;

	scratch_rows(&s);
	hook(&s, "whk_1", "*");
	hook(&s, "whk_2", "*");
	add(&s, "evt_1", "acc_1", "a", 10);
	second = add(&s, "evt_2", "acc_1", "a", 11);
	add(&s, "evt_3", "acc_2", "a", 12);
	add(&s, "evt_4", "acc_1", "a", 13);
	add(&s, "evt_5", "acc_1", "a", 14);
	EXPECT(webhook_delete(&s.txn, "wsp_1", "whk_2", &s.err));
	EXPECT(delivery_taken(&s.txn, due_id(&s, 20), 200, 20, &s.err) && delivery_failed(&s.txn, due_id(&s, 20), 500, "no", 0, true, &s.err));
	EXPECT_TEXT(due(&s, 20), "whk_1:evt_3 whk_1:evt_4 ");
	EXPECT(delivery_taken(&s.txn, due_id(&s, 20), 200, 20, &s.err));
	on_its_way = due_id(&s, 20);

	FAILS(delivery_replay(&s.txn, "whk_2", second, 50, &again, &s.err), FAULT_ABSENT);
	EXPECT(delivery_replay(&s.txn, "whk_1", second, 50, &again, &s.err) && again == 4);
	EXPECT_TEXT(due(&s, 49), "");
	EXPECT_TEXT(due(&s, 50), "whk_1:evt_2 whk_1:evt_3 ");
	/* the answer to the one that was under way does not let it pass the others: it goes out once more, behind them */
	FAILS(delivery_taken(&s.txn, on_its_way, 200, 50, &s.err), FAULT_ABSENT);
	FAILS(delivery_failed(&s.txn, on_its_way, 500, "no", 60, true, &s.err), FAULT_ABSENT);
	EXPECT_TEXT(due(&s, 50), "whk_1:evt_2 whk_1:evt_3 ");
	EXPECT(delivery_list(&s.txn, s.arena, "whk_1", 0, 10, &d, &count, &s.err) && count == 5 && d[1].delivered == 0);
	EXPECT(!d[3].given_up && d[3].tries == 0 && !d[3].note);
	EXPECT(delivery_taken(&s.txn, due_id(&s, 50), 200, 50, &s.err));
	EXPECT_TEXT(due(&s, 50), "whk_1:evt_3 whk_1:evt_4 ");
	scratch_end(&s);
}

TEST(no_time_is_too_far_away)
{
	struct scratch s;

	scratch_rows(&s);
	hook(&s, "whk_1", "*");
	add(&s, "evt_1", "acc_1", "a", 10);
	add(&s, "evt_2", "acc_2", "a", 10);
	EXPECT(delivery_failed(&s.txn, due_id(&s, 20), 500, "no", 1000, false, &s.err) && delivery_failed(&s.txn, due_id(&s, 20), 500, "no", 90, false, &s.err));
	EXPECT(delivery_hasten(&s.txn, 100, &s.err));
	EXPECT_TEXT(due(&s, 99), "whk_1:evt_2 ");
	EXPECT_TEXT(due(&s, 100), "whk_1:evt_2 whk_1:evt_1 ");
	scratch_end(&s);
}

TEST(how_a_webhook_was_heard_of_is_kept)
{
	struct scratch s;
	struct webhook w;

	scratch_rows(&s);
	hook(&s, "whk_1", "*");
	EXPECT(webhook_heard(&s.txn, "whk_1", 5, 6, &s.err) && webhook_get(&s.txn, s.arena, NULL, "whk_1", &w, &s.err));
	EXPECT(w.last_ok == 5 && w.failing_since == 6 && w.enabled);
	EXPECT(webhook_heard(&s.txn, "whk_9", 5, 6, &s.err));
	scratch_end(&s);
}

TEST(deliveries_are_listed_newest_first_page_by_page)
{
	struct scratch   s;
	struct delivery *d;
	size_t           count;

	scratch_rows(&s);
	hook(&s, "whk_1", "*");
	hook(&s, "whk_2", "*");
	for (int i = 0; i < 5; i++)
		add(&s, arena_print(s.arena, "evt_%d", i), "acc_1", "a", 10 + i);
	EXPECT(delivery_list(&s.txn, s.arena, "whk_2", 0, 3, &d, &count, &s.err) && count == 3);
	EXPECT_TEXT(d[0].event.id, "evt_4");
	EXPECT(delivery_list(&s.txn, s.arena, "whk_2", d[2].id, 3, &d, &count, &s.err) && count == 2);
	EXPECT_TEXT(d[0].event.id, "evt_1");
	EXPECT_TEXT(d[0].event.account, "acc_1");
	EXPECT_TEXT(d[0].webhook, "whk_2");
	EXPECT(d[0].event.created == 11);
	scratch_end(&s);
}

/* Order under any course of things: of each (webhook, account) what is due is always the oldest that waits. */
TEST(whatever_happens_a_queue_keeps_its_order)
{
	struct scratch   s;
	unsigned         dice = 1;
	int64_t          last_seq[2][3] = { 0 };
	struct delivery *d;
	size_t           count;

	scratch_rows(&s);
	hook(&s, "whk_0", "*");
	hook(&s, "whk_1", "*");
	for (int round = 0; round < 3000; round++) {
		dice = dice * 1103515245u + 12345u;
		if ((dice >> 16) % 3 == 0) {
			add(&s, arena_print(s.arena, "evt_%d", round), (const char *[]){ "acc_0", "acc_1", "acc_2" }[(dice >> 18) % 3], "a", round);
			continue;
		}
		d = all_due(&s, round, &count);
		for (size_t i = 0; i < count && i < 2; i++) {
			int64_t *last = &last_seq[d[i].webhook[4] - '0'][d[i].event.account[4] - '0'];

			EXPECT(d[i].event.seq >= *last);
			if ((dice >> (20 + i)) % 2) {
				EXPECT(delivery_failed(&s.txn, d[i].id, 500, "no", round + 5, (dice >> 24) % 4 == 0, &s.err));
			} else {
				EXPECT(d[i].event.seq > *last);
				*last = d[i].event.seq;
				EXPECT(delivery_taken(&s.txn, d[i].id, 200, round, &s.err));
			}
		}
	}
	/* and nothing is left behind */
	while (waiting(&s, NULL) > 0)
		EXPECT(delivery_taken(&s.txn, due_id(&s, 100000), 200, 1, &s.err));
	scratch_end(&s);
}

static bool plan_uses(struct scratch *s, const char *sql, const char *wanted)
{
	struct stmt *q = s->db->driver->query(s->db, sql, NULL, 0, &s->err);
	bool         uses = false;

	EXPECT(q);
	while (s->db->driver->next(q, &s->err) == ROW_HERE) {
		struct slice line = s->db->driver->column(q, 3).bytes;

		uses = uses || slice_has(line, wanted);
		EXPECT(!slice_has(line, "SCAN") || slice_has(line, "USING"));
		EXPECT(!slice_has(line, "TEMP B-TREE"));
	}
	s->db->driver->end(q);
	return uses;
}

/* With a hundred thousand waiting, what is due is found by reading what is due: as many rows as are wanted. */
TEST(what_is_due_is_found_by_an_index)
{
	struct scratch s;

	scratch_rows(&s);
	EXPECT(plan_uses(&s, "EXPLAIN QUERY PLAN SELECT d.id FROM deliveries d JOIN events e ON e.seq = d.event WHERE d.webhook = 'a' AND d.place = 'first'"
	                 " AND d.held = 0 AND d.next_try <= 5 ORDER BY d.next_try, d.id LIMIT 9", "deliveries_due"));
	EXPECT(plan_uses(&s, "EXPLAIN QUERY PLAN SELECT MIN(next_try) FROM deliveries WHERE place = 'first' AND held = 0 AND webhook = 'a'", "deliveries_due"));
	EXPECT(plan_uses(&s, "EXPLAIN QUERY PLAN SELECT MIN(webhook) FROM deliveries WHERE place = 'first' AND held = 0 AND webhook > 'a'", "deliveries_due"));
	EXPECT(plan_uses(&s, "EXPLAIN QUERY PLAN SELECT MIN(id) FROM deliveries WHERE webhook = 'a' AND account = 'b' AND place = 'behind'", "deliveries_behind"));
	EXPECT(plan_uses(&s, "EXPLAIN QUERY PLAN SELECT 1 FROM deliveries WHERE webhook = 'a' AND account = 'b' AND place = 'first'", "deliveries_first"));
	EXPECT(plan_uses(&s, "EXPLAIN QUERY PLAN SELECT 1 FROM deliveries d WHERE d.webhook = 'a' AND d.id < 7 ORDER BY d.id DESC LIMIT 9", "deliveries_of"));
	scratch_end(&s);
}
