#include "sandbox/entra.h"

#include "test.h"

TEST(scopes_are_read)
{
	static const struct { const char *asked; unsigned number; const char *scope; } rows[] = {
		{ "openid offline_access mail.readwrite", 0, "openid offline_access Mail.ReadWrite" },
		{ "https://graph.microsoft.com/Mail.Send https://graph.microsoft.com/User.Read", 0, "Mail.Send User.Read" },
		{ "Mail.Send  Mail.Send", 0, "Mail.Send" },
		{ "https://outlook.office365.com/EWS.AccessAsUser.All offline_access", 0, "EWS.AccessAsUser.All offline_access" },
		{ "https://graph.microsoft.com/Mail.Send https://outlook.office365.com/EWS.AccessAsUser.All", 700022, NULL },
		{ "Mail.Sent", 70011, NULL }, { "", 70011, NULL },
	};
	CLEANUP(arena) struct arena *arena = arena_new();

	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *scope = NULL;

		EXPECT_ROW(scope_read(arena, rows[i].asked, &scope) == rows[i].number, rows[i].asked);
		if (rows[i].scope)
			EXPECT_TEXT(scope, rows[i].scope);
	}
}

TEST(scopes_within)
{
	EXPECT(scope_has("a Mail.Send b", "mail.send") && !scope_has("Mail.Send.Shared", "Mail.Send") && !scope_has("", "a"));
	EXPECT(scope_within("a b", "b c a") && scope_within("", "a") && !scope_within("a d", "a b"));
}

TEST(every_number_has_an_error)
{
	EXPECT(aadsts_of(50105)->number == 50105 && !aadsts_of(50105)->redirected);
	EXPECT_TEXT(aadsts_of(65004)->redirected, "access_denied");
	EXPECT_TEXT(aadsts_of(50173)->suberror, "bad_token");
	EXPECT_TEXT(aadsts_of(1)->error, "invalid_request");
}
