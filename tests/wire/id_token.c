#include "wire/id_token.h"

#include "openid.h"

#define TENANT  "7c9e6679-7425-40de-944b-e07fc1f90ae7"
#define OTHER   "11111111-2222-3333-4444-555555555555"
#define CLIENT  "5f3b2c1a-8d7e-4a6b-9c0d-1e2f3a4b5c6d"
#define SHOUTED "5F3B2C1A-8D7E-4A6B-9C0D-1E2F3A4B5C6D"
#define FOR_ALL "https://login.microsoftonline.com/{tenantid}/v2.0"
#define ISSUER  "https://login.microsoftonline.com/" TENANT "/v2.0"
#define OID     "0d7f2f9a-46f1-4b2b-9a4a-6a2c5f3b7700"
#define NOW     1795248000

#define HEAD    "{\"typ\":\"JWT\",\"alg\":\"RS256\",\"kid\":\"k1\"}"
#define WITH(aud, iss, tid, nonce, times, more) \
	"{\"aud\":" aud ",\"iss\":\"" iss "\",\"tid\":\"" tid "\",\"nonce\":" nonce ",\"sub\":\"s1\",\"oid\":\"" OID "\",\"preferred_username\":\"ann@birch.example\"," times more "}"
#define TIMES   "\"iat\":1795247990,\"nbf\":1795247990,\"exp\":1795251590"
#define US      "\"" CLIENT "\""
#define OURS    "\"n1\""
#define GOOD    WITH(US, ISSUER, TENANT, OURS, TIMES, ",\"name\":\"Ann\",\"email\":\"a@birch.example\"")

/* -- a provider's keys --------------------------------------------------------------------------------------------- */

static EVP_PKEY *right, *wrong, *small;

static void make_keys(void)
{
	right = right ? right : rsa_new(2048);
	wrong = wrong ? wrong : rsa_new(2048);
	small = small ? small : rsa_new(1024);
}

static void publish(struct arena *job, struct id_keys *keys)
{
	struct error err = { 0 };
	const char  *all;

	make_keys();
	all = arena_print(job, "{\"keys\":[%s,%s,%s,%s,{\"kty\":\"EC\",\"kid\":\"e1\"},7,%s]}", key_text(job, right, "k1", ",\"use\":\"sig\",\"issuer\":\"" FOR_ALL "\""),
	                  key_text(job, wrong, "k2", ""), key_text(job, right, "for-encryption", ",\"use\":\"enc\""),
	                  key_text(job, right, "personal", ",\"issuer\":\"https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0\""),
	                  key_text(job, small, "small", ""));
	EXPECT(id_keys_read(slice_str(all), job, keys, &err));
	EXPECT(keys->count == 3);
}

static const struct id_token_wish usual = { FOR_ALL, CLIENT, "n1", NOW, false };

/* -- every refusal by its name -------------------------------------------------------------------------------------- */

enum { BY_RIGHT, BY_WRONG, BY_NOBODY };

static const struct {
	const char *head, *claims;
	int         by;
	const char *flaw;
} tokens[] = {
	{ HEAD, GOOD, BY_RIGHT, "none" },
	{ HEAD, WITH("[" US "]", ISSUER, TENANT, OURS, TIMES, ""), BY_RIGHT, "none" },
	{ HEAD, WITH("\"" SHOUTED "\"", ISSUER, TENANT, OURS, TIMES, ",\"azp\":" US), BY_RIGHT, "none" },
	{ HEAD, WITH(US, ISSUER, TENANT, OURS, "\"iat\":1795248299,\"exp\":1795251590", ""), BY_RIGHT, "none" },
	{ HEAD, WITH(US, ISSUER, TENANT, OURS, "\"iat\":1795240000,\"exp\":1795247701", ""), BY_RIGHT, "none" },

	/* whose signature */
	{ HEAD, GOOD, BY_WRONG, "signature" },
	{ HEAD, GOOD, BY_NOBODY, "unreadable" },
	{ "{\"alg\":\"RS256\",\"kid\":\"k2\"}", GOOD, BY_RIGHT, "signature" },
	{ "{\"alg\":\"RS256\",\"kid\":\"k9\"}", GOOD, BY_RIGHT, "unknown_key" },
	{ "{\"alg\":\"RS256\"}", GOOD, BY_RIGHT, "unknown_key" },
	{ "{\"alg\":\"RS256\",\"kid\":7}", GOOD, BY_RIGHT, "unknown_key" },
	{ "{\"alg\":\"RS256\",\"kid\":\"for-encryption\"}", GOOD, BY_RIGHT, "unknown_key" },
	{ "{\"alg\":\"RS256\",\"kid\":\"small\"}", GOOD, BY_RIGHT, "unknown_key" },
	{ "{\"alg\":\"none\"}", GOOD, BY_NOBODY, "unsigned" },
	{ "{\"alg\":\"None\",\"kid\":\"k1\"}", GOOD, BY_NOBODY, "unsigned" },
	{ "{\"alg\":\"none\",\"kid\":\"k1\"}", GOOD, BY_RIGHT, "unsigned" },
	{ "{\"alg\":\"HS256\",\"kid\":\"k1\"}", GOOD, BY_RIGHT, "algorithm" },
	{ "{\"alg\":\"RS512\",\"kid\":\"k1\"}", GOOD, BY_RIGHT, "algorithm" },
	{ "{\"alg\":\"rs256\",\"kid\":\"k1\"}", GOOD, BY_RIGHT, "algorithm" },
	{ "{\"alg\":\"RS256\",\"kid\":\"k1\",\"crit\":[\"exp\"]}", GOOD, BY_RIGHT, "unreadable" },
	{ "{\"kid\":\"k1\"}", GOOD, BY_RIGHT, "unreadable" },
	{ "{\"alg\":\"RS256\",\"alg\":\"none\",\"kid\":\"k1\"}", GOOD, BY_RIGHT, "unreadable" },

	/* whose token, and for whom */
	{ HEAD, WITH(US, ISSUER, OTHER, OURS, TIMES, ""), BY_RIGHT, "issuer" },
	{ HEAD, WITH(US, "https://login.microsoftonline.com/" OTHER "/v2.0", TENANT, OURS, TIMES, ""), BY_RIGHT, "issuer" },
	{ HEAD, WITH(US, "https://login.example/v2.0", TENANT, OURS, TIMES, ""), BY_RIGHT, "issuer" },
	{ HEAD, WITH(US, FOR_ALL, TENANT, OURS, TIMES, ""), BY_RIGHT, "issuer" },
	{ HEAD, "{\"aud\":" US ",\"iss\":\"" FOR_ALL "\",\"nonce\":\"n1\",\"sub\":\"s\"," TIMES "}", BY_RIGHT, "issuer" },
	{ HEAD, "{\"aud\":" US ",\"tid\":\"" TENANT "\",\"nonce\":\"n1\",\"sub\":\"s\"," TIMES "}", BY_RIGHT, "issuer" },
	{ "{\"alg\":\"RS256\",\"kid\":\"personal\"}", GOOD, BY_RIGHT, "issuer" },
	{ HEAD, WITH(US, ISSUER, "not-a-guid", OURS, TIMES, ""), BY_RIGHT, "nobody" },
	{ HEAD, WITH(US, "https://login.microsoftonline.com/x/y/v2.0", "x/y", OURS, TIMES, ""), BY_RIGHT, "nobody" },
	{ HEAD, "{\"aud\":" US ",\"iss\":\"" ISSUER "\",\"tid\":\"" TENANT "\",\"nonce\":\"n1\"," TIMES "}", BY_RIGHT, "nobody" },
	{ HEAD, "{\"aud\":" US ",\"iss\":\"" ISSUER "\",\"tid\":7,\"sub\":\"s\",\"nonce\":\"n1\"," TIMES "}", BY_RIGHT, "nobody" },
	{ HEAD, WITH("\"" OTHER "\"", ISSUER, TENANT, OURS, TIMES, ""), BY_RIGHT, "audience" },
	{ HEAD, WITH("[" US ",\"" OTHER "\"]", ISSUER, TENANT, OURS, TIMES, ""), BY_RIGHT, "audience" },
	{ HEAD, WITH("[]", ISSUER, TENANT, OURS, TIMES, ""), BY_RIGHT, "audience" },
	{ HEAD, WITH("null", ISSUER, TENANT, OURS, TIMES, ""), BY_RIGHT, "audience" },
	{ HEAD, WITH(US, ISSUER, TENANT, OURS, TIMES, ",\"azp\":\"" OTHER "\""), BY_RIGHT, "party" },
	{ HEAD, WITH(US, ISSUER, TENANT, OURS, TIMES, ",\"azp\":null"), BY_RIGHT, "party" },
	{ HEAD, WITH(US, ISSUER, TENANT, "\"n2\"", TIMES, ""), BY_RIGHT, "nonce" },
	{ HEAD, WITH(US, ISSUER, TENANT, "\"N1\"", TIMES, ""), BY_RIGHT, "nonce" },
	{ HEAD, WITH(US, ISSUER, TENANT, "null", TIMES, ""), BY_RIGHT, "nonce" },
	{ HEAD, WITH(US, ISSUER, TENANT, OURS, TIMES, ",\"nonce\":\"n2\""), BY_RIGHT, "unreadable" },

	/* when */
	{ HEAD, WITH(US, ISSUER, TENANT, OURS, "\"iat\":1795240000,\"exp\":1795247700", ""), BY_RIGHT, "expired" },
	{ HEAD, WITH(US, ISSUER, TENANT, OURS, "\"iat\":1795247990,\"nbf\":1795248301,\"exp\":1795251590", ""), BY_RIGHT, "not_yet" },
	{ HEAD, WITH(US, ISSUER, TENANT, OURS, "\"iat\":1795248301,\"exp\":1795251590", ""), BY_RIGHT, "not_yet" },
	{ HEAD, WITH(US, ISSUER, TENANT, OURS, "\"iat\":1795247990", ""), BY_RIGHT, "unreadable" },
	{ HEAD, WITH(US, ISSUER, TENANT, OURS, "\"iat\":1795247990,\"exp\":\"1795251590\"", ""), BY_RIGHT, "unreadable" },
	{ HEAD, WITH(US, ISSUER, TENANT, OURS, "\"iat\":1795247990,\"exp\":1e300", ""), BY_RIGHT, "unreadable" },
	{ HEAD, WITH(US, ISSUER, TENANT, OURS, "\"iat\":-1,\"exp\":1795251590", ""), BY_RIGHT, "unreadable" },

	/* no object that could be gone by */
	{ "[]", GOOD, BY_RIGHT, "unreadable" },
	{ HEAD, "[]", BY_RIGHT, "unreadable" },
	{ HEAD, "{\"sub\":\"a\\u0000b\"}", BY_RIGHT, "unreadable" },
	{ HEAD, WITH(US, ISSUER, TENANT, OURS, TIMES, ",\"x\":[[[1]]]"), BY_RIGHT, "none" },
	{ HEAD, WITH(US, ISSUER, TENANT, OURS, TIMES, ",\"x\":[[[[1]]]]"), BY_RIGHT, "unreadable" },
};

TEST(each_refusal_has_its_name)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct id_keys               keys;

	publish(job, &keys);
	for (size_t i = 0; i < COUNT(tokens); i++) {
		const char        *text = signed_by(job, tokens[i].by == BY_WRONG ? wrong : right, tokens[i].head, tokens[i].claims);
		struct id_token    out;
		enum id_token_flaw flaw;

		if (tokens[i].by == BY_NOBODY)
			text = arena_copy(job, slice(text, (size_t)(strrchr(text, '.') + 1 - text)));
		flaw = id_token_check(text, &keys, &usual, job, &out);
		if (strcmp(id_token_flaw_name(flaw), tokens[i].flaw) != 0)
			test_fail(__FILE__, __LINE__, "row %zu: %s, not %s: %s %s", i, id_token_flaw_name(flaw), tokens[i].flaw, tokens[i].head, tokens[i].claims);
		EXPECT(!out.sub == (flaw != ID_TOKEN_FINE) && (flaw == ID_TOKEN_FINE || (!out.tid && !out.oid && !out.preferred_username)));
	}
}

TEST(what_a_good_one_says)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct id_keys               keys;
	struct id_token              t;

	publish(job, &keys);
	EXPECT(id_token_check(signed_by(job, right, HEAD, GOOD), &keys, &usual, job, &t) == ID_TOKEN_FINE);
	EXPECT_TEXT(t.tid, TENANT);
	EXPECT_TEXT(t.oid, OID);
	EXPECT_TEXT(t.sub, "s1");
	EXPECT_TEXT(t.preferred_username, "ann@birch.example");
	EXPECT_TEXT(t.email, "a@birch.example");
	EXPECT_TEXT(t.name, "Ann");
}

/* A provider that is one organisation's has its name in its issuer; none need say a tid. */
TEST(an_issuer_without_a_blank)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct id_token_wish         wish = { "https://id.birch.example", CLIENT, NULL, NOW, false };
	const char                  *claims = "{\"aud\":" US ",\"iss\":\"https://id.birch.example\",\"sub\":\"s\"," TIMES "}";
	struct id_keys               keys;
	struct id_token              t;

	publish(job, &keys);
	EXPECT(id_token_check(signed_by(job, wrong, "{\"alg\":\"RS256\",\"kid\":\"k2\"}", claims), &keys, &wish, job, &t) == ID_TOKEN_FINE && !t.tid);
	wish.issuer = "https://ID.birch.example";
	EXPECT(id_token_check(signed_by(job, wrong, "{\"alg\":\"RS256\",\"kid\":\"k2\"}", claims), &keys, &wish, job, &t) == ID_TOKEN_OTHER_ISSUER);
}

/* One key, published for personal accounts and for organisations; and one whose id stands in front of another's. */
/* As Google signs what it pushes: for a place, by whoever it may be (facts G B.3). */
TEST(what_a_service_of_googles_presents)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct id_keys               keys;
	struct id_token              t;
	struct id_token_wish         wish = { "https://accounts.google.com", "https://mail.birch.example/hooks/google", NULL, NOW, true };
	const char *claims = "{\"aud\":\"https://mail.birch.example/hooks/google\",\"azp\":\"113774264463038321964\",\"email\":\"push@birch.example\","
		"\"email_verified\":true,\"iss\":\"https://accounts.google.com\",\"sub\":\"113774264463038321964\"," TIMES "}", *text;

	publish(job, &keys);
	text = signed_by(job, wrong, "{\"alg\":\"RS256\",\"kid\":\"k2\",\"typ\":\"JWT\"}", claims);
	EXPECT(id_token_check(text, &keys, &wish, job, &t) == ID_TOKEN_FINE && t.email_verified);
	EXPECT_TEXT(t.email, "push@birch.example");
	wish.any_party = false;
	EXPECT(id_token_check(text, &keys, &wish, job, &t) == ID_TOKEN_OTHER_PARTY && !t.email);
	wish = (struct id_token_wish){ wish.issuer, "https://mail.birch.example/hooks/google/", NULL, NOW, true };
	EXPECT(id_token_check(text, &keys, &wish, job, &t) == ID_TOKEN_OTHER_AUDIENCE && !t.email_verified);
}

TEST(of_several_keys_by_one_id_one_suffices)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct error                 err = { 0 };
	struct id_keys               keys;
	struct id_token              t;
	const char                  *all;

	make_keys();
	all = arena_print(job, "{\"keys\":[%s,%s,%s]}", key_text(job, wrong, "k1", ""), key_text(job, right, "k1", ",\"issuer\":\"https://login.example/v2.0\""),
	                  key_text(job, right, "k1", ",\"issuer\":\"" FOR_ALL "\""));
	EXPECT(id_keys_read(slice_str(all), job, &keys, &err) && keys.count == 3);
	EXPECT(id_token_check(signed_by(job, right, HEAD, GOOD), &keys, &usual, job, &t) == ID_TOKEN_FINE);
	keys.count = 2;
	EXPECT(id_token_check(signed_by(job, right, HEAD, GOOD), &keys, &usual, job, &t) == ID_TOKEN_OTHER_ISSUER);
}

TEST(no_byte_of_it_may_be_another)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct id_keys               keys;
	const char                  *text;
	struct id_token              t;

	publish(job, &keys);
	text = signed_by(job, right, HEAD, GOOD);
	for (size_t i = 0; text[i]; i++) {
		CLEANUP(arena) struct arena *work = arena_new();
		char                        *other = arena_str(work, text);

		other[i] = text[i] == 'A' ? 'B' : 'A';
		EXPECT(id_token_check(other, &keys, &usual, work, &t) != ID_TOKEN_FINE);
		EXPECT(id_token_check(arena_copy(work, slice(text, i)), &keys, &usual, work, &t) != ID_TOKEN_FINE);
	}
	for (size_t i = 0; i < 3; i++) {
		static const char *const behind[] = { "A", ".", "=" };

		EXPECT(id_token_check(arena_print(job, "%s%s", text, behind[i]), &keys, &usual, job, &t) != ID_TOKEN_FINE);
	}
	EXPECT(id_token_check(NULL, &keys, &usual, job, &t) == ID_TOKEN_ABSENT);
	EXPECT(id_token_check("", &keys, &usual, job, &t) == ID_TOKEN_ABSENT);
	EXPECT(id_token_check("a.b.c", &keys, &usual, job, &t) == ID_TOKEN_UNREADABLE);
}

TEST(nothing_is_too_long)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct id_keys               keys;
	struct error                 err = { 0 };
	struct id_token              t;
	char                        *text = arena_get(job, ID_TOKEN + 2), *claims = arena_str(job, "{\"sub\":\"s\"");
	const char                  *all = key_text(job, (make_keys(), right), "k", "");

	memset(text, 'A', ID_TOKEN + 1);
	publish(job, &keys);
	EXPECT(id_token_check(text, &keys, &usual, job, &t) == ID_TOKEN_UNREADABLE);
	for (int i = 0; i < ID_TOKEN_CLAIMS; i++)
		claims = arena_print(job, "%s,\"c%d\":1", claims, i);
	EXPECT(id_token_check(signed_by(job, right, HEAD, arena_print(job, "%s}", claims)), &keys, &usual, job, &t) == ID_TOKEN_UNREADABLE);
	for (int i = 0; i < ID_KEYS; i++)
		all = arena_print(job, "%s,%s", all, key_text(job, right, arena_print(job, "k%d", i), ""));
	EXPECT(!id_keys_read(slice_str(arena_print(job, "{\"keys\":[%s]}", all)), job, &keys, &err) && err.fault == FAULT_TOO_BIG);
}

/* -- documents -------------------------------------------------------------------------------------------------------- */

TEST(documents_that_are_none)
{
	static const char *const providers[] = { "", "[]", "{}", "{\"issuer\":\"x\"}", "{\"jwks_uri\":\"x\"}", "{\"issuer\":7,\"jwks_uri\":\"x\"}", "<html>" };
	static const char *const keys[] = { "", "[]", "{}", "{\"keys\":{}}", "{\"keys\":7}", "<html>" };
	CLEANUP(arena) struct arena *job = arena_new();

	for (size_t i = 0; i < COUNT(providers); i++) {
		struct id_provider p;
		struct error       err = { 0 };

		EXPECT_ROW(!id_provider_read(slice_str(providers[i]), job, &p, &err) && err.fault == FAULT_BROKEN, providers[i]);
	}
	for (size_t i = 0; i < COUNT(keys); i++) {
		struct id_keys k;
		struct error   err = { 0 };

		EXPECT_ROW(!id_keys_read(slice_str(keys[i]), job, &k, &err) && err.fault == FAULT_BROKEN, keys[i]);
	}
}

TEST(documents_cut_at_every_byte)
{
	CLEANUP(arena) struct arena *job = arena_new();
	const char                  *provider = "{\"issuer\":\"" FOR_ALL "\",\"jwks_uri\":\"https://login.microsoftonline.com/common/discovery/v2.0/keys\"}";
	struct id_provider           p;
	struct error                 err = { 0 };
	const char                  *all;

	make_keys();
	all = arena_print(job, "{\"keys\":[%s]}", key_text(job, right, "k1", ",\"use\":\"sig\""));
	EXPECT(id_provider_read(slice_str(provider), job, &p, &err));
	EXPECT_TEXT(p.issuer, FOR_ALL);
	for (size_t len = 0; provider[len]; len++)
		EXPECT(!id_provider_read(slice(provider, len), job, &p, &err));
	for (size_t len = 0; all[len]; len++) {
		CLEANUP(arena) struct arena *work = arena_new();
		struct id_keys               keys;

		EXPECT(!id_keys_read(slice(all, len), work, &keys, &err));
	}
}
