#include "store/accounts.h"
#include "store/events.h"

#include "store/links.h"
#include "store/scratch.h"

static struct account an_account(const char *id, const char *address)
{
	return (struct account){
		.id = id, .workspace = "wsp_1", .address = address, .key = address, .provider = "imap", .username = "ann",
		.host = { [SERVICE_IMAP] = "imap.birch.example" }, .port = { [SERVICE_IMAP] = 993, [SERVICE_SMTP] = 65535 }, .lang = "de",
		.external_id = "crm-7", .state = ACCOUNT_NEEDS_ADMIN, .state_since = 11, .next_try = 12, .last_ok = 13, .created = 14,
		.cause = "tls.expired", .certainty = "proven", .who = "admin", .incident = "inc_1", .failures = 3,
		.place = "{\"p\":1}", .cursor = "{\"c\":2}", .report = "{\"r\":3}", .report_at = 15,
		.ews_url = "https://mail.birch.example/EWS/Exchange.asmx", .impersonate = true,
		.caldav_url = "https://cal.birch.example/", .caldav_username = "ann", .calendar = "{\"k\":4}",
	};
}

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static void expect_same(const struct account *a, const struct account *b)
{
	EXPECT(same(a->id, b->id) && same(a->workspace, b->workspace) && same(a->address, b->address) && same(a->key, b->key));
	EXPECT(same(a->provider, b->provider) && same(a->username, b->username) && same(a->lang, b->lang) && same(a->external_id, b->external_id));
	for (enum service i = 0; i < SERVICES; i++)
		EXPECT(same(a->host[i], b->host[i]) && a->port[i] == b->port[i]);
	EXPECT(a->state == b->state && a->state_since == b->state_since && a->next_try == b->next_try && a->last_ok == b->last_ok && a->created == b->created);
	EXPECT(same(a->cause, b->cause) && same(a->certainty, b->certainty) && same(a->who, b->who) && same(a->incident, b->incident));
	EXPECT(a->failures == b->failures && same(a->place, b->place) && same(a->cursor, b->cursor) && same(a->report, b->report));
	EXPECT(a->report_at == b->report_at && same(a->ews_url, b->ews_url) && a->impersonate == b->impersonate);
	EXPECT(same(a->caldav_url, b->caldav_url) && same(a->caldav_username, b->caldav_username) && same(a->calendar, b->calendar));
}

TEST(an_account_comes_back_as_it_went)
{
	struct scratch s;
	struct account a = an_account("acc_1", "ann@birch.example"), bare = { .id = "acc_2", .workspace = "wsp_1", .address = "b", .key = "b", .provider = "auto" }, got;

	scratch_rows(&s);
	EXPECT(account_insert(&s.txn, &a, &s.err) && account_insert(&s.txn, &bare, &s.err));
	EXPECT(account_get(&s.txn, s.arena, NULL, "acc_1", &got, &s.err));
	expect_same(&got, &a);
	EXPECT(account_get(&s.txn, s.arena, "wsp_1", "acc_2", &got, &s.err));
	expect_same(&got, &bare);
	FAILS(account_get(&s.txn, s.arena, "wsp_2", "acc_1", &got, &s.err), FAULT_ABSENT);
	FAILS(account_get(&s.txn, s.arena, NULL, "acc_3", &got, &s.err), FAULT_ABSENT);
	scratch_end(&s);
}

TEST(a_brief_account_has_its_report_only_beside_a_cause)
{
	struct scratch s;
	struct account ill = an_account("acc_1", "ann@birch.example"), well = an_account("acc_2", "bob@birch.example"), got;

	well.cause = NULL;
	scratch_rows(&s);
	EXPECT(account_insert(&s.txn, &ill, &s.err) && account_insert(&s.txn, &well, &s.err));
	EXPECT(ill.cause && ill.report && well.report);
	EXPECT(account_get_brief(&s.txn, s.arena, "wsp_1", "acc_1", &got, &s.err));
	expect_same(&got, &ill);
	EXPECT(account_get_brief(&s.txn, s.arena, "wsp_1", "acc_2", &got, &s.err));
	well.report = NULL;
	expect_same(&got, &well);
	FAILS(account_get_brief(&s.txn, s.arena, "wsp_2", "acc_1", &got, &s.err), FAULT_ABSENT);
	scratch_end(&s);
}

TEST(an_update_changes_all_but_what_never_changes)
{
	struct scratch s;
	struct account a = an_account("acc_1", "ann@birch.example"), other, got;

	scratch_rows(&s);
	EXPECT(account_insert(&s.txn, &a, &s.err));
	other = (struct account){ .id = "acc_1", .workspace = "wsp_2", .address = "Ann@birch.example", .key = "other", .provider = "auto", .created = 99,
	                          .host = { [SERVICE_SMTP] = "smtp.birch.example" }, .state = ACCOUNT_WAITING, .state_since = 1, .next_try = 2, .last_ok = 3,
	                          .report = "{}", .report_at = 4 };
	EXPECT(account_update(&s.txn, &other, &s.err) && account_get(&s.txn, s.arena, NULL, "acc_1", &got, &s.err));
	other.workspace = a.workspace, other.key = a.key, other.created = a.created;
	expect_same(&got, &other);
	other.id = "acc_3";
	FAILS(account_update(&s.txn, &other, &s.err), FAULT_ABSENT);
	scratch_end(&s);
}

TEST(one_key_in_one_workspace_until_it_is_removed)
{
	struct scratch s;
	struct account a = an_account("acc_1", "ann@birch.example"), again = an_account("acc_2", "ann@birch.example");

	scratch_rows(&s);
	EXPECT(account_insert(&s.txn, &a, &s.err));
	FAILS(account_insert(&s.txn, &again, &s.err), FAULT_REFUSED);
	again.workspace = "wsp_2";
	EXPECT(account_insert(&s.txn, &again, &s.err));
	again.id = "acc_3", again.workspace = "wsp_9";
	FAILS(account_insert(&s.txn, &again, &s.err), FAULT_ABSENT);
	again.workspace = "wsp_1";
	EXPECT(account_erase(&s.txn, "acc_1", 50, &s.err) && account_insert(&s.txn, &again, &s.err));
	again.id = "acc_1", again.key = "new";
	FAILS(account_insert(&s.txn, &again, &s.err), FAULT_REFUSED);
	scratch_end(&s);
}

/* One mailbox, by its address or by an alias of it, of whatever workspace; not one that another provider has, nobody signed in to, or that
 * is gone. */
TEST(whose_mailbox_is_shared)
{
	static const struct { const char *address, *place, *provider; bool tenant, removed, shared; } rows[] = {
		{ "Ann@Birch.example", NULL, "google", false, false, true },
		{ "al@birch.example", "{\"username\":\"al\",\"mailbox\":\"ann@birch.example\",\"interface\":\"gmail\"}", "google", false, false, true },
		{ "al@birch.example", "{\"mailbox\":\"joann@birch.example\"}", "google", false, false, false },
		{ "a_n@birch.example", "{\"mailbox\":\"a_n@birch.example\"}", "google", false, false, false },
		{ "annas@birch.example", "{\"mailbox\":\"first@birch.example\"}", "google", false, false, true },
		{ "ann@birch.example", NULL, "microsoft", false, false, false },
		{ "ann@birch.example", NULL, "google", true, false, false },
		{ "ann@birch.example", NULL, "google", false, true, false },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct account one = an_account("acc_1", "ann@birch.example"), other = an_account("acc_2", rows[i].address);
		struct scratch s;
		bool           shared;

		scratch_rows(&s);
		one.provider = "google", one.place = "{\"mailbox\":\"first@birch.example\"}";
		other.provider = rows[i].provider, other.place = rows[i].place, other.tenant = rows[i].tenant, other.workspace = "wsp_2";
		EXPECT(account_insert(&s.txn, &one, &s.err) && account_insert(&s.txn, &other, &s.err));
		EXPECT(!rows[i].removed || account_erase(&s.txn, "acc_2", 50, &s.err));
		EXPECT_ROW(account_is_shared(&s.txn, &one, &shared, &s.err) && shared == rows[i].shared, rows[i].address);
		scratch_end(&s);
	}
}

TEST(removal_leaves_the_id_and_times_alone)
{
	struct scratch s;
	struct account a = an_account("acc_1", "ann@birch.example"), got;
	struct link    link = { .id = "lnk_1", .hash = "h", .workspace = "wsp_1", .kind = "connect", .expected = "ann@birch.example", .account = "acc_1" };
	struct slice   sealed;
	struct event  *told;
	size_t         count;
	int            refused;

	scratch_rows(&s);
	EXPECT(account_insert(&s.txn, &a, &s.err) && sealed_put(&s.txn, "acc_1", "password", slice_str("x"), &s.err));
	EXPECT(lease_take(&s.txn, "acc_1", "here", 1, 9, &s.err) && tries_add(&s.txn, "acc_1", 7, 2, &s.err) && link_insert(&s.txn, &link, &s.err));
	EXPECT(event_append(&s.txn, &(struct event){ .id = "evt_1", .workspace = "wsp_1", .account = "acc_1", .type = "message.received", .data = "{\"subject\":\"secret\"}" }, NULL, &s.err));
	FAILS(account_erase(&s.txn, "acc_9", 50, &s.err), FAULT_ABSENT);
	EXPECT(account_erase(&s.txn, "acc_1", 50, &s.err) && account_erase(&s.txn, "acc_1", 60, &s.err));

	EXPECT(account_get(&s.txn, s.arena, "wsp_1", "acc_1", &got, &s.err));
	expect_same(&got, &(struct account){ .id = "acc_1", .workspace = "wsp_1", .address = "", .key = "", .provider = "", .state = ACCOUNT_REMOVED,
	                                     .state_since = 50, .last_ok = 13, .created = 14 });
	FAILS(sealed_get(&s.txn, s.arena, "acc_1", "password", &sealed, &s.err), FAULT_ABSENT);
	FAILS(lease_holds(&s.txn, "acc_1", 1, &s.err), FAULT_ABSENT);
	EXPECT(tries_of(&s.txn, "acc_1", 7, &refused, &s.err) && refused == 0);
	FAILS(link_by_hash(&s.txn, s.arena, "h", &link, &s.err), FAULT_ABSENT);
	EXPECT(event_list(&s.txn, s.arena, NULL, "acc_1", NULL, 0, 10, &told, &count, &s.err) && count == 1);
	EXPECT_TEXT(told->data, "{\"account\":{\"id\":\"acc_1\"}}");
	/* whoever still holds what it was cannot bring it back */
	FAILS(account_update(&s.txn, &a, &s.err), FAULT_ABSENT);
	scratch_end(&s);
}

/* -- lists -------------------------------------------------------------------------------------------------------- */

/* The ids of a page, without "acc_", a blank behind each. */
static const char *ids(struct scratch *s, struct account_query q, const char **next)
{
	struct account_page page;
	char               *text = arena_get(s->arena, PAGE_MOST * 8);

	EXPECT(account_list(&s->txn, s->arena, &q, &page, &s->err));
	for (size_t i = 0; i < page.count; i++)
		strcat(strcat(text, page.item[i].id + strlen("acc_")), " ");
	if (next)
		*next = page.next;
	return text;
}

static void add(struct scratch *s, const char *id, const char *workspace, const char *address, enum account_state state, int64_t created,
                const char *cause, const char *external)
{
	struct account a = an_account(id, address);

	a.workspace = workspace, a.state = state, a.created = created, a.cause = cause, a.external_id = external;
	EXPECT(account_insert(&s->txn, &a, &s->err));
}

static void some_accounts(struct scratch *s)
{
	add(s, "acc_d", "wsp_1", "Dora_1@birch.example", ACCOUNT_CONNECTED, 10, NULL, "x1");
	add(s, "acc_a", "wsp_1", "ann@oak.example", ACCOUNT_WAITING, 10, "net.timeout", NULL);
	add(s, "acc_c", "wsp_1", "carl@birch.example", ACCOUNT_WAITING, 5, "tls.expired", NULL);
	add(s, "acc_b", "wsp_2", "bob%@birch.example", ACCOUNT_CONNECTED, 7, NULL, "x1");
	add(s, "acc_r", "wsp_1", "", ACCOUNT_REMOVED, 8, NULL, NULL);
}

TEST(lists_by_what_is_asked_for)
{
	static const struct { struct account_query query; const char *ids; } rows[] = {
		{ { .most = 9 },                                                       "c b a d " },
		{ { .most = 9, .workspace = "wsp_1" },                                 "c a d " },
		{ { .most = 9, .workspace = "wsp_9" },                                 "" },
		{ { .most = 9, .workspace = "wsp_1", .state = "waiting" },             "c a " },
		{ { .most = 9, .state = "removed" },                                   "r " },
		{ { .most = 9, .cause = "tls.expired" },                               "c " },
		{ { .most = 9, .state = "waiting", .cause = "net.timeout" },           "a " },
		{ { .most = 9, .external_id = "x1" },                                  "b d " },
		{ { .most = 9, .workspace = "wsp_2", .external_id = "x1" },            "b " },
		{ { .most = 9, .search = "BIRCH" },                                    "c b d " },
		{ { .most = 9, .search = "dora_1" },                                   "d " },
		{ { .most = 9, .search = "a_1" },                                      "d " },
		{ { .most = 9, .search = "r_@" },                                      "" },
		{ { .most = 9, .search = "%" },                                        "b " },
		{ { .most = 9, .search = "!" },                                        "" },
		{ { .most = 9, .search = "' OR 1=1 --" },                              "" },
		{ { .most = 0 },                                                       "" },
		{ { .most = 9, .workspace = "wsp_1", .state = "waiting", .cause = "tls.expired", .search = "carl" }, "c " },
	};
	struct scratch s;

	scratch_rows(&s);
	some_accounts(&s);
	for (size_t i = 0; i < COUNT(rows); i++)
		EXPECT_TEXT(ids(&s, rows[i].query, NULL), rows[i].ids);
	scratch_end(&s);
}

TEST(pages_do_not_move_when_rows_come_and_go)
{
	struct scratch s;
	const char    *next;

	scratch_rows(&s);
	some_accounts(&s);
	EXPECT_TEXT(ids(&s, (struct account_query){ .most = 2 }, &next), "c b ");
	EXPECT(next);
	add(&s, "acc_0", "wsp_1", "new@oak.example", ACCOUNT_CONNECTED, 1, NULL, NULL);
	add(&s, "acc_e", "wsp_1", "newer@oak.example", ACCOUNT_CONNECTED, 10, NULL, NULL);
	EXPECT(account_erase(&s.txn, "acc_b", 99, &s.err));
	EXPECT_TEXT(ids(&s, (struct account_query){ .most = 2, .after = next }, &next), "a d ");
	EXPECT_TEXT(ids(&s, (struct account_query){ .most = 2, .after = next }, &next), "e ");
	EXPECT(!next);
	/* a last page that is full is the last one all the same */
	EXPECT_TEXT(ids(&s, (struct account_query){ .most = 3, .workspace = "wsp_1", .search = "birch" }, &next), "c d ");
	EXPECT(!next);
	scratch_end(&s);
}

TEST(a_page_is_bounded)
{
	struct scratch      s;
	struct account_page page;

	scratch_rows(&s);
	for (int i = 0; i < PAGE_MOST + 1; i++)
		add(&s, arena_print(s.arena, "acc_%03d", i), "wsp_1", arena_print(s.arena, "a%d@oak.example", i), ACCOUNT_CONNECTED, 1, NULL, NULL);
	EXPECT(account_list(&s.txn, s.arena, &(struct account_query){ .most = 100000 }, &page, &s.err) && page.count == PAGE_MOST && page.next);
	EXPECT(account_list(&s.txn, s.arena, &(struct account_query){ .most = PAGE_MOST, .after = page.next }, &page, &s.err) && page.count == 1 && !page.next);
	scratch_end(&s);
}

TEST(what_is_no_cursor)
{
	static const char *const rows[] = { "", ".", "a", "1.", ".acc_1", "x.acc_1", "-1.acc_1", " 1.acc_1", "0x1.acc_1", "11111111111111111.acc_1" };
	struct scratch           s;
	struct account_page      page;

	scratch_rows(&s);
	for (size_t i = 0; i < COUNT(rows); i++)
		EXPECT_ROW(failed_as(&s, account_list(&s.txn, s.arena, &(struct account_query){ .after = rows[i], .most = 9 }, &page, &s.err), FAULT_MALFORMED), rows[i]);
	scratch_end(&s);
}

TEST(accounts_are_counted_by_state_and_cause)
{
	struct scratch        s;
	struct account_count *c;
	size_t                count;

	scratch_rows(&s);
	some_accounts(&s);
	EXPECT(account_counts(&s.txn, s.arena, "wsp_1", &c, &count, &s.err) && count == 4);
	EXPECT_TEXT(c[0].workspace, "wsp_1");
	EXPECT_TEXT(c[0].state, "connected");
	EXPECT(c[0].count == 1 && !c[0].cause);
	EXPECT(account_counts(&s.txn, s.arena, NULL, &c, &count, &s.err) && count == 4 && !c[0].workspace && c[0].count == 2);
	EXPECT_TEXT(c[2].cause, "net.timeout");
	scratch_end(&s);
}

/* -- secrets, leases, tries ------------------------------------------------------------------------------------------ */

TEST(a_sealed_secret_is_bytes_and_replaced)
{
	static const char bytes[] = "\1\0\xff\0x";
	struct scratch    s;
	struct slice      got;

	scratch_rows(&s);
	EXPECT(sealed_put(&s.txn, "acc_1", "password", slice_str("old"), &s.err));
	EXPECT(sealed_put(&s.txn, "acc_1", "password", slice(bytes, sizeof bytes), &s.err) && sealed_put(&s.txn, "acc_1", "token", slice(NULL, 0), &s.err));
	EXPECT(sealed_get(&s.txn, s.arena, "acc_1", "password", &got, &s.err) && slice_equal(got, slice(bytes, sizeof bytes)));
	EXPECT(sealed_get(&s.txn, s.arena, "acc_1", "token", &got, &s.err) && got.len == 0);
	FAILS(sealed_get(&s.txn, s.arena, "acc_2", "password", &got, &s.err), FAULT_ABSENT);
	EXPECT(sealed_delete(&s.txn, "acc_1", &s.err) && sealed_delete(&s.txn, "acc_1", &s.err));
	FAILS(sealed_get(&s.txn, s.arena, "acc_1", "token", &got, &s.err), FAULT_ABSENT);
	scratch_end(&s);
}

struct rotation { struct arena *arena; int seen; const char *stop_at; };

static bool rotate(void *self, const char *owner, const char *kind, struct slice sealed, struct slice *out, struct error *err)
{
	struct rotation *r = self;

	EXPECT(strcmp(kind, "password") == 0 || strcmp(kind, "signing") == 0);
	if (r->stop_at && strcmp(owner, r->stop_at) == 0)
		return fail(err, FAULT_BROKEN, "stopped");
	r->seen++;
	/* every other one stays as it is */
	if (r->seen % 2)
		*out = slice_str(arena_print(r->arena, "new %.*s", (int)sealed.len, sealed.at));
	return true;
}

TEST(a_rotation_sees_each_secret_once)
{
	struct scratch  s;
	struct rotation r = { 0 };
	struct slice    got;

	scratch_rows(&s);
	r.arena = s.arena;
	for (int i = 0; i < 250; i++)
		EXPECT(sealed_put(&s.txn, arena_print(s.arena, "acc_%03d", i / 2), i % 2 ? "password" : "signing", slice_str(arena_print(s.arena, "%d", i)), &s.err));
	EXPECT(sealed_each(&s.txn, s.arena, rotate, &r, &s.err) && r.seen == 250);
	EXPECT(sealed_get(&s.txn, s.arena, "acc_124", "password", &got, &s.err) && slice_equal(got, slice_str("new 249")));
	EXPECT(sealed_get(&s.txn, s.arena, "acc_124", "signing", &got, &s.err) && slice_equal(got, slice_str("248")));
	r = (struct rotation){ .arena = s.arena, .stop_at = "acc_003" };
	FAILS(sealed_each(&s.txn, s.arena, rotate, &r, &s.err), FAULT_BROKEN);
	EXPECT(r.seen == 6);
	scratch_end(&s);
}

TEST(a_later_start_takes_over_and_an_earlier_one_learns_of_it)
{
	struct scratch s;
	struct account a = an_account("acc_1", "ann@birch.example");
	int64_t        first, second;

	scratch_rows(&s);
	EXPECT(account_insert(&s.txn, &a, &s.err));
	EXPECT(node_start(&s.txn, "here", &first, &s.err) && node_start(&s.txn, "here", &second, &s.err) && second > first && first > 0);
	FAILS(lease_holds(&s.txn, "acc_1", first, &s.err), FAULT_ABSENT);
	EXPECT(lease_take(&s.txn, "acc_1", "here", first, 100, &s.err) && lease_holds(&s.txn, "acc_1", first, &s.err));
	EXPECT(lease_take(&s.txn, "acc_1", "here", first, 200, &s.err));
	FAILS(lease_holds(&s.txn, "acc_1", second, &s.err), FAULT_ABSENT);
	EXPECT(lease_take(&s.txn, "acc_1", "there", second, 300, &s.err) && lease_holds(&s.txn, "acc_1", second, &s.err));
	FAILS(lease_holds(&s.txn, "acc_1", first, &s.err), FAULT_REFUSED);
	FAILS(lease_take(&s.txn, "acc_1", "here", first, 400, &s.err), FAULT_REFUSED);
	FAILS(lease_take(&s.txn, "acc_9", "here", first, 400, &s.err), FAULT_ABSENT);
	scratch_end(&s);
}

TEST(refused_tries_add_up_within_a_day)
{
	struct scratch s;
	struct account a = an_account("acc_1", "ann@birch.example");
	int            n;

	scratch_rows(&s);
	EXPECT(account_insert(&s.txn, &a, &s.err));
	EXPECT(tries_of(&s.txn, "acc_1", 100, &n, &s.err) && n == 0);
	EXPECT(tries_add(&s.txn, "acc_1", 100, 1, &s.err) && tries_add(&s.txn, "acc_1", 100, 2, &s.err) && tries_add(&s.txn, "acc_1", 101, 1, &s.err));
	EXPECT(tries_of(&s.txn, "acc_1", 100, &n, &s.err) && n == 3);
	EXPECT(tries_of(&s.txn, "acc_1", 101, &n, &s.err) && n == 1);
	EXPECT(tries_add(&s.txn, "acc_1", 200, 1, &s.err) && tries_of(&s.txn, "acc_1", 100, &n, &s.err) && n == 0);
	FAILS(tries_add(&s.txn, "acc_9", 1, 1, &s.err), FAULT_ABSENT);
	scratch_end(&s);
}
