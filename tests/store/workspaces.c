#include "store/workspaces.h"

#include "store/scratch.h"

TEST(a_workspace_is_found_by_its_id_and_by_its_bcc_token)
{
	struct scratch   s;
	struct workspace w, *all;
	size_t           count;

	scratch_rows(&s);
	EXPECT(workspace_get(&s.txn, s.arena, "wsp_2", &w, &s.err));
	EXPECT_TEXT(w.id, "wsp_2");
	EXPECT_TEXT(w.name, "Two");
	EXPECT_TEXT(w.bcc_token, "bcc2");
	EXPECT(w.created == 2);
	EXPECT(workspace_by_bcc(&s.txn, s.arena, "bcc1", &w, &s.err));
	EXPECT_TEXT(w.id, "wsp_1");
	EXPECT(workspace_list(&s.txn, s.arena, &all, &count, &s.err) && count == 2);
	EXPECT_TEXT(all[0].id, "wsp_1");
	EXPECT_TEXT(all[1].id, "wsp_2");
	FAILS(workspace_get(&s.txn, s.arena, "wsp_3", &w, &s.err), FAULT_ABSENT);
	FAILS(workspace_by_bcc(&s.txn, s.arena, "", &w, &s.err), FAULT_ABSENT);
	scratch_end(&s);
}

TEST(ids_and_bcc_tokens_come_once)
{
	struct scratch s;

	scratch_rows(&s);
	FAILS(workspace_insert(&s.txn, &(struct workspace){ "wsp_1", "Three", "bcc3", 3 }, &s.err), FAULT_REFUSED);
	FAILS(workspace_insert(&s.txn, &(struct workspace){ "wsp_3", "Three", "bcc1", 3 }, &s.err), FAULT_REFUSED);
	FAILS(workspace_insert(&s.txn, &(struct workspace){ "wsp_3", NULL, "bcc3", 3 }, &s.err), FAULT_LOCAL);
	EXPECT(workspace_insert(&s.txn, &(struct workspace){ "wsp_3", "'; DROP TABLE workspaces; --", "bcc3", 3 }, &s.err));
	scratch_end(&s);
}

TEST(a_key_is_found_by_its_hash_revoked_too)
{
	struct scratch s;
	struct api_key k = { "key_1", "wsp_1", "laptop", "cafe", SCOPE_ADMIN | SCOPE_EVENTS_READ, 5, 0, 0 }, found, *all;
	size_t         count;

	scratch_rows(&s);
	EXPECT(key_insert(&s.txn, &k, &s.err));
	FAILS(key_insert(&s.txn, &k, &s.err), FAULT_REFUSED);
	k.id = "key_2";
	FAILS(key_insert(&s.txn, &k, &s.err), FAULT_REFUSED);
	k.hash = "f00d", k.workspace = "wsp_9";
	FAILS(key_insert(&s.txn, &k, &s.err), FAULT_ABSENT);
	k.workspace = "wsp_2";
	EXPECT(key_insert(&s.txn, &k, &s.err));

	EXPECT(key_used(&s.txn, "key_1", 70, &s.err) && key_revoke(&s.txn, "wsp_1", "key_1", 80, &s.err));
	EXPECT(key_revoke(&s.txn, "wsp_1", "key_1", 90, &s.err));
	EXPECT(key_by_hash(&s.txn, s.arena, "cafe", &found, &s.err));
	EXPECT_TEXT(found.id, "key_1");
	EXPECT_TEXT(found.workspace, "wsp_1");
	EXPECT_TEXT(found.name, "laptop");
	EXPECT(found.scopes == (SCOPE_ADMIN | SCOPE_EVENTS_READ) && found.created == 5 && found.last_used == 70 && found.revoked == 80);
	FAILS(key_by_hash(&s.txn, s.arena, "CAFE", &found, &s.err), FAULT_ABSENT);
	FAILS(key_revoke(&s.txn, "wsp_1", "key_2", 80, &s.err), FAULT_ABSENT);
	FAILS(key_used(&s.txn, "key_3", 80, &s.err), FAULT_ABSENT);

	EXPECT(key_list(&s.txn, s.arena, "wsp_2", &all, &count, &s.err) && count == 1 && !all[0].revoked);
	EXPECT(key_list(&s.txn, s.arena, NULL, &all, &count, &s.err) && count == 2);
	EXPECT(key_list(&s.txn, s.arena, "wsp_9", &all, &count, &s.err) && count == 0);
	scratch_end(&s);
}

TEST(settings_of_a_domain_are_replaced_and_deleted)
{
	struct scratch         s;
	struct domain_settings d, *all;
	size_t                 count;

	scratch_rows(&s);
	EXPECT(domain_put(&s.txn, &(struct domain_settings){ "wsp_1", "b.example", "{}", 1 }, &s.err));
	EXPECT(domain_put(&s.txn, &(struct domain_settings){ "wsp_1", "a.example", "{\"a\":1}", 2 }, &s.err));
	EXPECT(domain_put(&s.txn, &(struct domain_settings){ "wsp_1", "b.example", "{\"b\":2}", 3 }, &s.err));
	FAILS(domain_put(&s.txn, &(struct domain_settings){ "wsp_9", "b.example", "{}", 1 }, &s.err), FAULT_ABSENT);
	EXPECT(domain_get(&s.txn, s.arena, "wsp_1", "b.example", &d, &s.err) && d.changed == 3);
	EXPECT_TEXT(d.json, "{\"b\":2}");
	EXPECT(domain_list(&s.txn, s.arena, "wsp_1", &all, &count, &s.err) && count == 2);
	EXPECT_TEXT(all[0].domain, "a.example");
	FAILS(domain_get(&s.txn, s.arena, "wsp_2", "b.example", &d, &s.err), FAULT_ABSENT);
	FAILS(domain_delete(&s.txn, "wsp_2", "b.example", &s.err), FAULT_ABSENT);
	EXPECT(domain_delete(&s.txn, "wsp_1", "b.example", &s.err));
	FAILS(domain_get(&s.txn, s.arena, "wsp_1", "b.example", &d, &s.err), FAULT_ABSENT);
	scratch_end(&s);
}

TEST(an_answer_is_kept_once_until_it_is_forgotten)
{
	struct scratch     s;
	struct kept_answer a = { "wsp_1", "idem", "hash", 201, "{}", 100 }, found;

	scratch_rows(&s);
	EXPECT(answer_put(&s.txn, &a, &s.err));
	FAILS(answer_put(&s.txn, &a, &s.err), FAULT_REFUSED);
	a.workspace = "wsp_2", a.created = 200, a.body = NULL;
	EXPECT(answer_put(&s.txn, &a, &s.err));
	EXPECT(answer_get(&s.txn, s.arena, "wsp_1", "idem", &found, &s.err) && found.status == 201 && found.created == 100);
	EXPECT_TEXT(found.request_hash, "hash");
	EXPECT_TEXT(found.body, "{}");
	EXPECT(answer_forget(&s.txn, 200, &s.err));
	FAILS(answer_get(&s.txn, s.arena, "wsp_1", "idem", &found, &s.err), FAULT_ABSENT);
	EXPECT(answer_get(&s.txn, s.arena, "wsp_2", "idem", &found, &s.err) && !found.body);
	scratch_end(&s);
}

TEST(feedback_is_counted_by_cause_and_language)
{
	struct scratch   s;
	struct feedback *all;
	size_t           count;

	scratch_rows(&s);
	EXPECT(feedback_add(&s.txn, "tls.expired", "de", true, &s.err) && feedback_add(&s.txn, "tls.expired", "de", true, &s.err));
	EXPECT(feedback_add(&s.txn, "tls.expired", "de", false, &s.err) && feedback_add(&s.txn, "tls.expired", "en", false, &s.err));
	EXPECT(feedback_list(&s.txn, s.arena, &all, &count, &s.err) && count == 2);
	EXPECT(all[0].helpful == 2 && all[0].not_helpful == 1 && all[1].helpful == 0 && all[1].not_helpful == 1);
	EXPECT_TEXT(all[1].lang, "en");
	scratch_end(&s);
}
