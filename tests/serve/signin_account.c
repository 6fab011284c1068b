#include "serve/signin_account.h"

#include <stdlib.h>
#include <unistd.h>

#include "test.h"

TEST(how_a_sign_in_without_a_page_ends)
{
	static const struct { const char *error, *number; enum silent_end end; } rows[] = {
		{ "login_required", NULL, SILENT_NEEDS_PERSON }, { "interaction_required", NULL, SILENT_NEEDS_PERSON }, { "interaction_required", "50058", SILENT_NEEDS_PERSON },
		{ "interaction_required", "16000", SILENT_NEEDS_PERSON }, { "consent_required", NULL, SILENT_TOO_EARLY }, { "interaction_required", "65001", SILENT_TOO_EARLY },
		{ "interaction_required", "650051", SILENT_TOO_EARLY }, { "interaction_required", "90094", SILENT_TOO_EARLY }, { "interaction_required", "50105", SILENT_JUDGED },
		{ "interaction_required", "53003", SILENT_JUDGED }, { "interaction_required", "50076", SILENT_JUDGED }, { "consent_required", "65004", SILENT_JUDGED },
		{ "server_error", NULL, SILENT_JUDGED }, { "access_denied", NULL, SILENT_JUDGED }, { NULL, NULL, SILENT_JUDGED },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct oauth_callback c = { .error = rows[i].error, .number = { rows[i].number }, .numbers = rows[i].number ? 1 : 0 };

		EXPECT_ROW(signin_silent_end(&c) == rows[i].end, rows[i].number ? rows[i].number : rows[i].error);
	}
}

TEST(when_a_browser_may_go_by_itself)
{
	static const struct { enum account_state state; const char *provider, *cause; unsigned failures; bool may; } rows[] = {
		{ ACCOUNT_NEEDS_USER, "microsoft", "microsoft.admin_consent_recorded", 0, true }, { ACCOUNT_NEEDS_USER, "microsoft", "microsoft.user_not_assigned", 2, true },
		{ ACCOUNT_NEEDS_USER, "microsoft", "microsoft.admin_consent_recorded", SILENT_MOST, false }, { ACCOUNT_NEEDS_ADMIN, "microsoft", "microsoft.user_not_assigned", 0, false },
		{ ACCOUNT_NEEDS_USER, "microsoft", "microsoft.consent_declined", 0, false }, { ACCOUNT_NEEDS_USER, "imap", "microsoft.user_not_assigned", 0, false },
		{ ACCOUNT_NEEDS_USER, "microsoft", NULL, 0, false }, { ACCOUNT_CONNECTED, "microsoft", "microsoft.admin_consent_recorded", 0, false },
		{ ACCOUNT_PAUSED, "microsoft", "microsoft.admin_consent_recorded", 0, false }, { ACCOUNT_REMOVED, "microsoft", "microsoft.admin_consent_recorded", 0, false },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct account a = { .state = rows[i].state, .provider = rows[i].provider, .cause = rows[i].cause, .failures = rows[i].failures, .state_since = 5000 };

		EXPECT_ROW(signin_may_be_silent(&a) == rows[i].may, rows[i].cause ? rows[i].cause : "none");
		EXPECT(signin_silent_from(&a) == (rows[i].failures ? 5000 + SILENT_AGAIN_MS : 0));
	}
}

TEST(who_signs_in_for_a_shared_mailbox)
{
	static const struct { const char *username, *delegate; } rows[] = {
		{ NULL, NULL }, { "", NULL }, { "BIRCH\\bob", NULL }, { "Ann@Birch.example", NULL }, { "bob@birch.example", "bob@birch.example" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct account a = { .address = "ann@birch.example", .username = rows[i].username, .rights = "read" };
		const char    *who = delegate_of(a.username, a.address);

		EXPECT_ROW(who ? rows[i].delegate && strcmp(who, rows[i].delegate) == 0 : !rows[i].delegate, rows[i].username ? rows[i].username : "none");
		EXPECT(account_terms(&a).shared == (rows[i].delegate != NULL));
		a.tenant = true;
		EXPECT(!account_terms(&a).shared);
	}
}

TEST(that_name_stays_and_a_password_s_does_not)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct account has = { .address = "ann@birch.example", .provider = "microsoft", .username = "bob@birch.example" };

	EXPECT(strcmp(signin_account(&has, "microsoft", "w", has.address, "en", RIGHTS_FULL, 1, job).username, "bob@birch.example") == 0);
	has.provider = "imap";
	EXPECT(!signin_account(&has, "microsoft", "w", has.address, "en", RIGHTS_FULL, 1, job).username);
	EXPECT(!signin_account(NULL, "microsoft", "w", has.address, "en", RIGHTS_FULL, 1, job).username);
}

TEST(what_is_kept_of_who_is_away)
{
	static const struct { const char *plain, *path, *delegate; bool fine; const char *provider; } rows[] = {
		{ "v n /connect/t bob@birch.example google", "/connect/t", "bob@birch.example", true, "google" }, { "v n /connect/t  google", "/connect/t", NULL, true, "google" },
		/* as it was sealed before there were several providers, and before there were any delegates */
		{ "v n /connect/t bob@birch.example", "/connect/t", "bob@birch.example", true, "microsoft" }, { "v n /connect/t ", "/connect/t", NULL, true, "microsoft" },
		{ "v n /connect/t", "/connect/t", NULL, true, "microsoft" },
		{ "v n ", NULL, NULL, false, NULL }, { "v", NULL, NULL, false, NULL }, { "", NULL, NULL, false, NULL }, { " n /connect/t", NULL, NULL, false, NULL },
	};
	CLEANUP(arena) struct arena *job = arena_new();
	char                        folder[] = "/tmp/mailmoor-away-XXXXXX";
	const char                 *file;
	struct vault               *vault;
	struct signin_away          away;
	struct error                err = { 0 };

	EXPECT(mkdtemp(folder));
	file = arena_print(job, "%s/keys", folder);
	vault = vault_open(file, true, &err);
	EXPECT(vault);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct signin_row row = { .id = "s1" };

		EXPECT(vault_seal(vault, "s1/signin", slice_str(rows[i].plain), job, &row.sealed, &err));
		EXPECT_ROW(signin_away_open(vault, &row, job, &away, &err) == rows[i].fine, rows[i].plain);
		if (!rows[i].fine)
			continue;
		EXPECT_ROW(strcmp(away.path, rows[i].path) == 0 && (away.delegate ? rows[i].delegate && strcmp(away.delegate, rows[i].delegate) == 0 : !rows[i].delegate), rows[i].plain);
		EXPECT_ROW(signin_away_seal(vault, "s1", &away, job, &row.sealed, &err) && signin_away_open(vault, &row, job, &away, &err), rows[i].plain);
		EXPECT_ROW(strcmp(away.provider, rows[i].provider) == 0, rows[i].plain);
		EXPECT_ROW(strcmp(away.verifier, "v") == 0 && strcmp(away.nonce, "n") == 0 && (away.delegate != NULL) == (rows[i].delegate != NULL), rows[i].plain);
		row.id = "s2";
		EXPECT_ROW(!signin_away_open(vault, &row, job, &away, &err), "of another");
	}
	vault_free(vault);
	unlink(file);
	EXPECT(rmdir(folder) == 0);
}
