#include "store/links.h"

#include "store/accounts.h"
#include "store/scratch.h"

TEST(a_link_lets_one_browser_and_one_account_in)
{
	struct scratch s;
	struct link    l = { .id = "lnk_1", .hash = "h1", .workspace = "wsp_1", .kind = "connect", .expected = "ann@birch.example", .lang = "fi",
	                     .return_url = "https://example.org/", .created = 1, .expires = 100 }, got;

	scratch_rows(&s);
	EXPECT(link_insert(&s.txn, &l, &s.err));
	FAILS(link_insert(&s.txn, &l, &s.err), FAULT_REFUSED);
	EXPECT(link_by_hash(&s.txn, s.arena, "h1", &got, &s.err) && !got.account && !got.session && got.expires == 100 && got.created == 1 && !got.used);
	EXPECT_TEXT(got.id, "lnk_1");
	EXPECT_TEXT(got.workspace, "wsp_1");
	EXPECT_TEXT(got.kind, "connect");
	EXPECT_TEXT(got.expected, "ann@birch.example");
	EXPECT_TEXT(got.lang, "fi");
	EXPECT_TEXT(got.return_url, "https://example.org/");
	FAILS(link_by_hash(&s.txn, s.arena, "h2", &got, &s.err), FAULT_ABSENT);

	EXPECT(link_open(&s.txn, "lnk_1", "browser", &s.err) && link_open(&s.txn, "lnk_1", "browser", &s.err));
	FAILS(link_open(&s.txn, "lnk_1", "another", &s.err), FAULT_REFUSED);
	FAILS(link_open(&s.txn, "lnk_2", "browser", &s.err), FAULT_ABSENT);

	EXPECT(link_use(&s.txn, "lnk_1", "acc_1", 50, &s.err) && link_use(&s.txn, "lnk_1", "acc_1", 60, &s.err));
	FAILS(link_use(&s.txn, "lnk_1", "acc_2", 70, &s.err), FAULT_REFUSED);
	FAILS(link_use(&s.txn, "lnk_2", "acc_1", 70, &s.err), FAULT_ABSENT);
	EXPECT(link_by_hash(&s.txn, s.arena, "h1", &got, &s.err) && got.used == 50);
	EXPECT_TEXT(got.account, "acc_1");
	EXPECT_TEXT(got.session, "browser");
	scratch_end(&s);
}

TEST(a_link_that_reconnects_is_of_that_account)
{
	struct scratch s;
	struct link    l = { .id = "lnk_1", .hash = "h1", .workspace = "wsp_1", .kind = "connect", .account = "acc_1", .expires = 100 };

	scratch_rows(&s);
	EXPECT(link_insert(&s.txn, &l, &s.err));
	FAILS(link_use(&s.txn, "lnk_1", "acc_2", 50, &s.err), FAULT_REFUSED);
	EXPECT(link_use(&s.txn, "lnk_1", "acc_1", 50, &s.err));
	scratch_end(&s);
}

TEST(expired_links_are_found_until_they_are_forgotten)
{
	struct scratch s;
	struct link    l = { .id = "lnk_1", .hash = "h1", .workspace = "wsp_1", .kind = "admin", .expires = 100 }, got;

	scratch_rows(&s);
	EXPECT(link_insert(&s.txn, &l, &s.err));
	l.id = "lnk_2", l.hash = "h2", l.expires = 200;
	EXPECT(link_insert(&s.txn, &l, &s.err) && link_forget(&s.txn, 100, &s.err) && link_by_hash(&s.txn, s.arena, "h1", &got, &s.err));
	EXPECT(link_forget(&s.txn, 101, &s.err));
	FAILS(link_by_hash(&s.txn, s.arena, "h1", &got, &s.err), FAULT_ABSENT);
	EXPECT(link_by_hash(&s.txn, s.arena, "h2", &got, &s.err));
	scratch_end(&s);
}

TEST(a_revoked_link_opens_nothing_more)
{
	struct scratch s;
	struct link    l = { .id = "lnk_1", .hash = "h1", .workspace = "wsp_1", .kind = "connect", .account = "acc_1", .created = 1, .expires = 100 }, got, *all;
	struct link_query q = { .workspace = "wsp_1", .state = LINK_STATES, .now = 50, .most = 10 };
	const char    *next;
	size_t         count;

	scratch_rows(&s);
	EXPECT(link_insert(&s.txn, &l, &s.err) && link_by_id(&s.txn, s.arena, "lnk_1", &got, &s.err) && !got.revoked);
	FAILS(link_revoke(&s.txn, "wsp_2", true, "lnk_1", 50, &s.err), FAULT_ABSENT);
	FAILS(link_revoke(&s.txn, "wsp_1", true, "lnk_2", 50, &s.err), FAULT_ABSENT);
	EXPECT(link_by_hash(&s.txn, s.arena, "h1", &got, &s.err));
	EXPECT(link_revoke(&s.txn, "wsp_1", false, "lnk_1", 50, &s.err) && link_revoke(&s.txn, "wsp_1", false, "lnk_1", 60, &s.err));
	FAILS(link_by_hash(&s.txn, s.arena, "h1", &got, &s.err), FAULT_ABSENT);
	FAILS(link_by_id(&s.txn, s.arena, "lnk_1", &got, &s.err), FAULT_ABSENT);
	FAILS(link_open(&s.txn, "lnk_1", "browser", &s.err), FAULT_ABSENT);
	FAILS(link_use(&s.txn, "lnk_1", "acc_1", 60, &s.err), FAULT_ABSENT);
	EXPECT(link_list(&s.txn, s.arena, &q, &all, &count, &next, &s.err) && count == 1 && all[0].revoked == 50 && !all[0].used && !next);
	scratch_end(&s);
}

TEST(links_are_listed_by_what_became_of_them)
{
	static const struct { const char *id; int64_t created, expires, used, revoked; const char *state, *kind, *workspace; } rows[] = {
		{ "lnk_1", 1, 100, 0,  0,  "open",    "connect",  "wsp_1" }, { "lnk_2", 2, 50, 0,  0,  "expired", "settings", "wsp_1" },
		{ "lnk_3", 3, 50,  20, 0,  "used",    "connect",  "wsp_1" }, { "lnk_4", 3, 50, 20, 30, "revoked", "admin",    "wsp_1" },
		{ "lnk_5", 4, 51,  0,  0,  "open",    "operator", "wsp_1" }, { "lnk_6", 5, 99, 0,  0,  "open",    "connect",  "wsp_2" },
	};
	static const struct { enum link_state state; bool for_operator; const char *ids; } asked[] = {
		{ LINK_STATES,        true,  "lnk_5 lnk_4 lnk_3 lnk_2 lnk_1 " }, { LINK_STATES,        false, "lnk_4 lnk_3 lnk_2 lnk_1 " },
		{ LINK_STATE_OPEN,    true,  "lnk_5 lnk_1 " },                   { LINK_STATE_EXPIRED, true,  "lnk_2 " },
		{ LINK_STATE_USED,    true,  "lnk_3 " },                         { LINK_STATE_REVOKED, true,  "lnk_4 " },
		{ LINK_STATE_OPEN,    false, "lnk_1 " },
	};
	struct scratch s;

	scratch_rows(&s);
	for (size_t i = 0; i < COUNT(rows); i++)
		EXPECT(link_insert(&s.txn, &(struct link){ .id = rows[i].id, .hash = rows[i].id, .workspace = rows[i].workspace, .kind = rows[i].kind,
			.created = rows[i].created, .expires = rows[i].expires, .used = rows[i].used, .revoked = rows[i].revoked }, &s.err));
	/* one page of all, and page by page */
	for (size_t i = 0; i < COUNT(asked); i++)
		for (size_t most = 1; most < 7; most++) {
			struct link_query q = { .workspace = "wsp_1", .for_operator = asked[i].for_operator, .state = asked[i].state, .now = 50, .most = most };
			const char       *ids = "";

			do {
				struct link *all;
				size_t       count;

				EXPECT(link_list(&s.txn, s.arena, &q, &all, &count, &q.after, &s.err) && count <= most);
				for (size_t n = 0; n < count; n++) {
					ids = arena_print(s.arena, "%s%s ", ids, all[n].id);
					EXPECT_TEXT(link_state_name(link_state(&all[n], 50)), rows[all[n].id[4] - '1'].state);
				}
			} while (q.after);
			EXPECT_TEXT(ids, asked[i].ids);
		}
	FAILS(link_revoke(&s.txn, "wsp_1", false, "lnk_5", 50, &s.err), FAULT_ABSENT);
	EXPECT(link_revoke(&s.txn, "wsp_1", true, "lnk_5", 50, &s.err));
	scratch_end(&s);
}

TEST(what_had_expired_stays_so_when_the_clock_is_set_back)
{
	struct scratch s;
	struct link    l = { .id = "lnk_1", .hash = "h1", .workspace = "wsp_1", .kind = "connect", .expires = 100 }, got;

	scratch_rows(&s);
	EXPECT(link_insert(&s.txn, &l, &s.err));
	l.id = "lnk_2", l.hash = "h2", l.expires = 200;
	EXPECT(link_insert(&s.txn, &l, &s.err));
	l.id = "lnk_3", l.hash = "h3", l.expires = 40;
	EXPECT(link_insert(&s.txn, &l, &s.err));
	EXPECT(link_expire(&s.txn, 150, 50, &s.err));      /* it was 150, and is 50 */
	EXPECT(link_by_hash(&s.txn, s.arena, "h1", &got, &s.err) && got.expires == 50);
	EXPECT(link_by_hash(&s.txn, s.arena, "h2", &got, &s.err) && got.expires == 200);
	EXPECT(link_by_hash(&s.txn, s.arena, "h3", &got, &s.err) && got.expires == 40);
	scratch_end(&s);
}

TEST(one_open_incident_for_a_host_and_cause)
{
	struct scratch  s;
	struct incident i = { "inc_1", "imap.birch.example", "tls.expired", "admin", 10, 0, 12 }, got, *all;
	struct account  a = { .id = "acc_1", .workspace = "wsp_2", .address = "a", .key = "a", .provider = "imap", .incident = "inc_1" };
	bool            concerned;
	size_t          count;

	scratch_rows(&s);
	EXPECT(incident_insert(&s.txn, &i, &s.err));
	i.id = "inc_2";
	FAILS(incident_insert(&s.txn, &i, &s.err), FAULT_REFUSED);
	EXPECT(incident_find(&s.txn, s.arena, "imap.birch.example", "tls.expired", &got, &s.err) && got.accounts == 12 && got.opened == 10);
	EXPECT_TEXT(got.id, "inc_1");
	EXPECT_TEXT(got.who, "admin");
	FAILS(incident_find(&s.txn, s.arena, "imap.birch.example", "net.timeout", &got, &s.err), FAULT_ABSENT);

	EXPECT(account_insert(&s.txn, &a, &s.err));
	a.id = "acc_2", a.key = "b";
	EXPECT(account_insert(&s.txn, &a, &s.err));
	a.id = "acc_3", a.workspace = "wsp_1", a.incident = NULL;
	EXPECT(account_insert(&s.txn, &a, &s.err));
	EXPECT(incident_concerns(&s.txn, "inc_1", "wsp_2", &concerned, &s.err) && concerned);
	EXPECT(incident_concerns(&s.txn, "inc_1", "wsp_1", &concerned, &s.err) && !concerned);
	EXPECT(incident_concerns(&s.txn, "inc_1", NULL, &concerned, &s.err) && concerned);
	EXPECT(incident_concerns(&s.txn, "inc_2", NULL, &concerned, &s.err) && !concerned);

	got.closed = 20, got.accounts = 13;
	EXPECT(incident_update(&s.txn, &got, &s.err));
	FAILS(incident_find(&s.txn, s.arena, "imap.birch.example", "tls.expired", &got, &s.err), FAULT_ABSENT);
	EXPECT(incident_get(&s.txn, s.arena, "inc_1", &got, &s.err) && got.closed == 20);
	FAILS(incident_get(&s.txn, s.arena, "inc_9", &got, &s.err), FAULT_ABSENT);
	i.opened = 30;
	EXPECT(incident_insert(&s.txn, &i, &s.err));
	EXPECT(incident_list(&s.txn, s.arena, false, 10, &all, &count, &s.err) && count == 2 && all[1].closed == 20 && all[1].accounts == 13);
	EXPECT_TEXT(all[0].id, "inc_2");
	EXPECT(incident_list(&s.txn, s.arena, true, 10, &all, &count, &s.err) && count == 1 && !all[0].closed);
	EXPECT(incident_list(&s.txn, s.arena, false, 1, &all, &count, &s.err) && count == 1);
	i.id = "inc_9";
	FAILS(incident_update(&s.txn, &i, &s.err), FAULT_ABSENT);
	scratch_end(&s);
}

static struct logged_mail a_mail(const char *id, int64_t received, struct slice bytes)
{
	return (struct logged_mail){ .id = id, .workspace = "wsp_1", .account = "acc_1", .envelope_from = "ann@birch.example", .envelope_to = "bcc1@in.example",
	                             .from = "Ann <ann@birch.example>", .subject = "Gr\xc3\xbc\xc3\x9f" "e", .message_id = "<1@birch.example>",
	                             .test_token = "tok", .received = received, .size = (int64_t)bytes.len, .bytes = bytes };
}

TEST(a_message_comes_back_byte_for_byte)
{
	static const size_t sizes[] = { 0, 1, 1000, 3000000 };
	struct scratch      s;

	scratch_rows(&s);
	for (size_t i = 0; i < COUNT(sizes); i++) {
		char              *bytes = arena_get(s.arena, sizes[i]);
		const char        *id = arena_print(s.arena, "mail_%zu", i);
		struct logged_mail m, got;

		for (size_t n = 0; n < sizes[i]; n++)
			bytes[n] = (char)(n * n >> 3);
		m = a_mail(id, 10, slice(bytes, sizes[i]));
		EXPECT(mail_insert(&s.txn, &m, &s.err) && mail_get(&s.txn, s.arena, "wsp_1", id, &got, &s.err));
		EXPECT(slice_equal(got.bytes, m.bytes) && got.size == (int64_t)sizes[i] && got.received == 10);
		EXPECT_TEXT(got.from, m.from);
		EXPECT_TEXT(got.subject, m.subject);
		EXPECT_TEXT(got.envelope_from, m.envelope_from);
		EXPECT_TEXT(got.envelope_to, m.envelope_to);
		EXPECT_TEXT(got.message_id, m.message_id);
		EXPECT_TEXT(got.account, "acc_1");
		FAILS(mail_insert(&s.txn, &m, &s.err), FAULT_REFUSED);
		FAILS(mail_get(&s.txn, s.arena, "wsp_2", id, &got, &s.err), FAULT_ABSENT);
	}
	scratch_end(&s);
}

TEST(a_message_takes_less_room_than_it_is_long)
{
	struct scratch s;
	char          *bytes;
	int64_t        packed;
	struct logged_mail m;

	scratch_rows(&s);
	bytes = arena_get(s.arena, 100000);
	memset(bytes, 'x', 100000);
	m = a_mail("mail_1", 1, slice(bytes, 100000));
	EXPECT(mail_insert(&s.txn, &m, &s.err));
	EXPECT(read_number(&s.txn, &packed, 0, &s.err, "SELECT LENGTH(packed) FROM mails", WITHOUT) && packed > 0 && packed < 1000);
	scratch_end(&s);
}

TEST(too_long_a_message_is_not_kept)
{
	struct scratch     s;
	struct logged_mail m;
	size_t             len = (64u << 20) + 1;

	scratch_rows(&s);
	m = a_mail("mail_1", 1, slice(arena_get(s.arena, len), len));
	FAILS(mail_insert(&s.txn, &m, &s.err), FAULT_TOO_BIG);
	scratch_end(&s);
}

/* What a damaged disk or a foreign hand may have put there: no kilobyte may become gigabytes, nor an error a crash. */
TEST(what_is_packed_otherwise_is_refused)
{
	static const char frame[] = "\x28\xb5\x2f\xfd\xa0\0\0\0\x40\1\0\0";      /* says that it holds 1 GiB */
	struct scratch     s;
	struct logged_mail m, got;
	int64_t            len;

	scratch_rows(&s);
	m = a_mail("mail_1", 1, slice_str("Subject: hello\r\n\r\nhello hello hello hello hello hello hello hello\r\n"));
	EXPECT(mail_insert(&s.txn, &m, &s.err));
	EXPECT(read_number(&s.txn, &len, 0, &s.err, "SELECT LENGTH(packed) FROM mails", WITHOUT));
	for (int64_t cut = len - 1; cut >= 0; cut--) {
		EXPECT(run(&s.txn, &s.err, "UPDATE mails SET packed = SUBSTR(packed, 1, $1)", WITH(a_number(cut))));
		FAILS(mail_get(&s.txn, s.arena, "wsp_1", "mail_1", &got, &s.err), FAULT_LOCAL);
	}
	EXPECT(run(&s.txn, &s.err, "UPDATE mails SET packed = $1", WITH(some_bytes(slice(frame, sizeof frame - 1)))));
	FAILS(mail_get(&s.txn, s.arena, "wsp_1", "mail_1", &got, &s.err), FAULT_LOCAL);
	scratch_end(&s);
}

TEST(mail_is_listed_newest_first_without_its_bytes)
{
	struct scratch      s;
	struct logged_mail *m, got;
	size_t              count;
	const char         *next;

	scratch_rows(&s);
	for (int i = 0; i < 5; i++) {
		struct logged_mail one = a_mail(arena_print(s.arena, "mail_%d", i), 10 + i / 2, slice_str("x"));

		one.test_token = i == 3 ? "other" : i == 4 ? NULL : "tok";
		EXPECT(mail_insert(&s.txn, &one, &s.err));
	}
	EXPECT(mail_list(&s.txn, s.arena, "wsp_1", NULL, NULL, 2, &m, &count, &next, &s.err) && count == 2 && next && !m[0].bytes.at && m[0].size == 1);
	EXPECT_TEXT(m[0].id, "mail_4");
	EXPECT_TEXT(m[1].id, "mail_3");
	/* a newer one does not move the pages */
	EXPECT(mail_insert(&s.txn, &(struct logged_mail){ .id = "mail_9", .workspace = "wsp_1", .received = 99, .bytes = slice_str("y") }, &s.err));
	EXPECT(mail_list(&s.txn, s.arena, "wsp_1", NULL, next, 3, &m, &count, &next, &s.err) && count == 3 && !next);
	EXPECT_TEXT(m[0].id, "mail_2");
	EXPECT_TEXT(m[2].id, "mail_0");
	EXPECT(mail_list(&s.txn, s.arena, "wsp_2", NULL, NULL, 2, &m, &count, &next, &s.err) && count == 0 && !next);
	FAILS(mail_list(&s.txn, s.arena, "wsp_1", NULL, "nonsense", 2, &m, &count, &next, &s.err), FAULT_MALFORMED);

	EXPECT(mail_by_test(&s.txn, s.arena, "wsp_1", "tok", &got, &s.err) && slice_equal(got.bytes, slice_str("x")));
	EXPECT_TEXT(got.id, "mail_2");
	FAILS(mail_by_test(&s.txn, s.arena, "wsp_2", "tok", &got, &s.err), FAULT_ABSENT);
	FAILS(mail_by_test(&s.txn, s.arena, "wsp_1", "none", &got, &s.err), FAULT_ABSENT);
	scratch_end(&s);
}
