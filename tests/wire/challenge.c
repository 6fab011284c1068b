#include "wire/challenge.h"

#include <stdlib.h>

#include "test.h"

/* All of it as one text: "NTLM:TlRM Basic(realm="x")". */
static void tell(const struct challenges *all, char out[2048])
{
	*out = '\0';
	for (size_t i = 0; i < all->count; i++) {
		const struct challenge *c = &all->item[i];
		size_t                  at = strlen(out);

		EXPECT(c->scheme.len > 0 && (c->token.at == NULL || c->token.len > 0) && (c->parameters.at == NULL || c->parameters.len > 0));
		at += (size_t)snprintf(out + at, 2048 - at, "%s%.*s", i ? " " : "", (int)c->scheme.len, c->scheme.at);
		if (c->token.at)
			at += (size_t)snprintf(out + at, 2048 - at, ":%.*s", (int)c->token.len, c->token.at);
		if (c->parameters.at)
			snprintf(out + at, 2048 - at, "(%.*s)", (int)c->parameters.len, c->parameters.at);
	}
}

#define ONLINE_BEARER \
	"client_id=\"00000002-0000-0ff1-ce00-000000000000\", trusted_issuers=\"00000001-0000-0000-c000-000000000000@*\", " \
	"token_types=\"app_asserted_user_v1 service_asserted_app_v1\", " \
	"authorization_uri=\"https://login.microsoftonline.com/common/oauth2/authorize\", error=\"invalid_token\""

static const struct { const char *fields, *told; } rows[] = {
	{ "", "" },
	{ "Server: x\r\nDate: NTLM\r\n", "" },
	/* an Exchange server of one's own, in both ways of writing */
	{ "Server: Microsoft-IIS/10.0\r\nWWW-Authenticate: Negotiate\r\nWWW-Authenticate: NTLM\r\nWWW-Authenticate: Basic realm=\"mail.example.org\"\r\n",
		"Negotiate NTLM Basic(realm=\"mail.example.org\")" },
	{ "www-authenticate: Negotiate, NTLM,Basic realm=\"mail.example.org\", charset=\"UTF-8\"\n",
		"Negotiate NTLM Basic(realm=\"mail.example.org\", charset=\"UTF-8\")" },
	{ "WWW-Authenticate: Basic realm=\"a\", NTLM, Negotiate", "Basic(realm=\"a\") NTLM Negotiate" },
	/* Exchange Online, as it stands there */
	{ "WWW-Authenticate: Bearer " ONLINE_BEARER ", Basic Realm=\"\"\r\n", "Bearer(" ONLINE_BEARER ") Basic(Realm=\"\")" },
	{ "WWW-Authenticate: Basic Realm=\"\", Bearer " ONLINE_BEARER "\r\nWWW-Authenticate: NTLM\r\n",
		"Basic(Realm=\"\") Bearer(" ONLINE_BEARER ") NTLM" },
	/* messages */
	{ "WWW-Authenticate: NTLM TlRMTVNTUAACAAAA==\r\n", "NTLM:TlRMTVNTUAACAAAA==" },
	{ "WWW-Authenticate: NTLM TlRM+/=, Negotiate oRQw\r\n", "NTLM:TlRM+/= Negotiate:oRQw" },
	{ "WWW-Authenticate: NTLM  TlRM \r\n", "NTLM:TlRM" },
	/* commas and quotes inside of quotes */
	{ "WWW-Authenticate: Basic realm=\"a, NTLM, b\"\r\n", "Basic(realm=\"a, NTLM, b\")" },
	{ "WWW-Authenticate: Basic realm=\"a\\\", NTLM\", Digest nonce=\"x\"\r\n", "Basic(realm=\"a\\\", NTLM\") Digest(nonce=\"x\")" },
	/* loose forms */
	{ "WWW-Authenticate: ,, NTLM ,\t, Negotiate,\r\n", "NTLM Negotiate" },
	{ "WWW-Authenticate: Basic realm=bare, NTLM\r\n", "Basic(realm=bare) NTLM" },
	{ "WWW-Authenticate: Basic realm = \"a\" , x = y, NTLM\r\n", "Basic(realm = \"a\" , x = y) NTLM" },
	{ "WWW-Authenticate: Bearer authorization_uri=https://x.example/a?b=c;d, NTLM\r\n", "Bearer(authorization_uri=https://x.example/a?b=c;d) NTLM" },
	{ "WWW-Authenticate: Bearer realm=\"a\" error=\"b\", NTLM\r\n", "Bearer(realm=\"a\" error=\"b\") NTLM" },
	{ "WWW-Authenticate: Basic, realm=\"a\", NTLM\r\n", "Basic(realm=\"a\") NTLM" },
	{ "WWW-Authenticate:NTLM", "NTLM" },
	{ "WWW-Authenticate: Negotiate,\r\n NTLM,\r\n\tBasic\r\n realm=\"x\"\r\nServer: y\r\n", "Negotiate NTLM Basic(realm=\"x\")" },
	/* what is no challenge is left out */
	{ "WWW-Authenticate: realm=\"x\", NTLM\r\n", "NTLM" },
	{ "WWW-Authenticate: \"x\", NTLM\r\n", "NTLM" },
	{ "WWW-Authenticate: (x), {\"a, b\"}, NTLM\r\n", "NTLM" },
	{ "WWW-Authenticate: Ba/sic realm=\"x\", NTLM\r\n", "NTLM" },
	{ "WWW-Authenticate: Basic realm=\"x\" Sneaky, NTLM\r\n", "Basic(realm=\"x\") NTLM" },
	{ "WWW-Authenticate: NTLM, Basic realm=\"no end, Negotiate\r\n", "NTLM Basic" },
	{ "WWW-Authenticate: NTLM, Basic realm=\"no end\\", "NTLM Basic" },
	{ "X-WWW-Authenticate: NTLM\r\nWWW-Authenticate : NTLM\r\nWWW-Authenticate\r\n", "" },
	{ "WWW-Authenticate:\r\nWWW-Authenticate: \r\n", "" },
};

TEST(challenges_are_told_apart)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct challenges all;
		char              told[2048];

		challenges_read(slice_str(rows[i].fields), &all);
		tell(&all, told);
		if (strcmp(told, rows[i].told) != 0)
			test_fail(__FILE__, __LINE__, "%s: %s", rows[i].fields, told);
	}
}

/* Nobody reads on, wherever it ends, and no scheme comes of it that is not the beginning of a word there. */
TEST(challenges_cut_short_do_no_harm)
{
	CLEANUP(arena) struct arena *job = arena_new();

	for (size_t i = 0; i < COUNT(rows); i++)
		for (size_t len = 0; len <= strlen(rows[i].fields); len++) {
			char             *cut = malloc(len ? len : 1);
			struct challenges all;
			struct slice      value;
			char              told[2048];

			memcpy(cut, rows[i].fields, len);
			challenges_read(slice(cut, len), &all);
			tell(&all, told);
			for (size_t n = 0; n < all.count; n++) {
				EXPECT(all.item[n].scheme.at >= cut && all.item[n].scheme.at + all.item[n].scheme.len <= cut + len);
				challenge_parameter(&all.item[n], "realm", job, &value);
			}
			free(cut);
		}
}

TEST(no_more_than_agreed_are_kept)
{
	struct challenges all;
	char              fields[400] = "WWW-Authenticate: NTLM";

	for (int i = 0; i < CHALLENGES_MOST; i++)
		strcat(fields, ", S a=b");
	challenges_read(slice_str(fields), &all);
	EXPECT(all.count == CHALLENGES_MOST && challenge_find(&all, "NTLM") && slice_equal(all.item[11].parameters, slice_str("a=b")));
}

TEST(a_scheme_is_found_whatever_its_case)
{
	struct challenges all;

	challenges_read(slice_str("WWW-Authenticate: ntlm abc, NTLM def, NegotiateEx\r\n"), &all);
	EXPECT(all.count == 3 && challenge_find(&all, "NTLM") == &all.item[0]);
	EXPECT(challenge_find(&all, "Negotiate") == NULL && challenge_find(&all, "") == NULL && challenge_find(&all, "Basic") == NULL);
}

TEST(parameters)
{
	static const struct { const char *field, *name, *value; } wanted[] = {
		{ "Bearer " ONLINE_BEARER ", Basic Realm=\"\"", "client_id", "00000002-0000-0ff1-ce00-000000000000" },
		{ "Bearer " ONLINE_BEARER ", Basic Realm=\"\"", "TOKEN_TYPES", "app_asserted_user_v1 service_asserted_app_v1" },
		{ "Bearer " ONLINE_BEARER ", Basic Realm=\"\"", "error", "invalid_token" },
		{ "Bearer " ONLINE_BEARER ", Basic Realm=\"\"", "realm", NULL },
		{ "Basic Realm=\"\"", "realm", "" },
		{ "Basic realm=\"a \\\"b\\\\\\c\"", "realm", "a \"b\\c" },
		{ "Basic realm=bare", "realm", "bare" },
		{ "Basic realm = bare , x=y", "x", "y" },
		{ "Basic a=\"realm=no\", realm=yes", "realm", "yes" },
		{ "Basic xrealm=no", "realm", NULL },
		{ "Basic realm=first, realm=second", "realm", "first" },
		{ "Basic realm=\"no end", "realm", NULL },
		{ "Basic", "realm", NULL },
	};
	CLEANUP(arena) struct arena *job = arena_new();

	for (size_t i = 0; i < COUNT(wanted); i++) {
		struct challenges all;
		struct slice      value = { 0 };
		bool              there;

		challenges_read(slice_str(arena_print(job, "WWW-Authenticate: %s\r\n", wanted[i].field)), &all);
		there = challenge_parameter(&all.item[0], wanted[i].name, job, &value);
		EXPECT_ROW(there == (wanted[i].value != NULL), wanted[i].field);
		if (there)
			EXPECT_TEXT(arena_copy(job, value), wanted[i].value);
	}
}
