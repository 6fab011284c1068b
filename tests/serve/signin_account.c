#include "serve/signin_account.h"

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
