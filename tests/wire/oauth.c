#include "wire/oauth.h"

#include <stdlib.h>

#include "test.h"

#define ID "5b6d2c1e-9f58-4a7c-8f0e-3c1f4d2b9a11"

static const struct {
	const char *body;
	enum fault  fault;
	const char *token, *error, *numbers;
	long long   expires_in;
} answers[] = {
	{ "{\"token_type\":\"Bearer\",\"access_token\":\"a.b\",\"expires_in\":3599}", FAULT_NONE, "a.b", NULL, "", 3599 },
	{ "{\"access_token\":\"a.b\",\"expires_in\":\"3600\"}", FAULT_NONE, "a.b", NULL, "", 3600 },
	{ "{\"access_token\":\"a.b\",\"expires_in\":-1}", FAULT_NONE, "a.b", NULL, "", 0 },
	{ "{\"error\":\"invalid_grant\",\"error_description\":\"AADSTS50105: x\",\"error_codes\":[50105]}", FAULT_NONE, NULL, "invalid_grant", "50105", 0 },
	{ "{\"error\":\"invalid_grant\",\"error_description\":\"AADSTS70002: x AADSTS70008: y\"}", FAULT_NONE, NULL, "invalid_grant", "70002 70008", 0 },
	{ "{\"error\":\"invalid_grant\",\"error_codes\":[70008,\"x\",1e300,-5]}", FAULT_NONE, NULL, "invalid_grant", "70008", 0 },
	{ "{\"error\":\"invalid_grant\",\"access_token\":\"a\"}", FAULT_NONE, NULL, "invalid_grant", "", 0 },
	{ "{\"error\":\"invalid_grant\",\"error_codes\":[50001,50002,50003,50004,50005,50006,50007]}", FAULT_NONE, NULL, "invalid_grant", "50001 50002 50003 50004 50005 50006", 0 },
	{ "{}", FAULT_BROKEN, NULL, NULL, "", 0 },
	{ "[]", FAULT_BROKEN, NULL, NULL, "", 0 },
	{ "", FAULT_BROKEN, NULL, NULL, "", 0 },
	{ "<html>", FAULT_BROKEN, NULL, NULL, "", 0 },
	{ "{\"access_token\":\"\"}", FAULT_BROKEN, NULL, NULL, "", 0 },
	{ "{\"access_token\":\"a\\nb\"}", FAULT_BROKEN, NULL, NULL, "", 0 },
	{ "{\"access_token\":\"a b\"}", FAULT_BROKEN, NULL, NULL, "", 0 },
	{ "{\"access_token\":7}", FAULT_BROKEN, NULL, NULL, "", 0 },
	{ "{\"access_token\":\"a\\u0000b\"}", FAULT_BROKEN, NULL, NULL, "", 0 },
};

static const char *numbers_of(const struct oauth_answer *o, struct arena *job)
{
	const char *all = "";

	for (size_t i = 0; i < o->numbers; i++)
		all = arena_print(job, "%s%s%s", all, i ? " " : "", o->number[i]);
	return all;
}

TEST(when_an_id_token_was_issued)
{
	static const struct { const char *token; long long at; } rows[] = {
		{ "e30.eyJpc3MiOiJ4IiwiaWF0IjoxNzk1MjQ4MDAwLCJuIjoiw7_Dvj8_Pj4ifQ.c2ln", 1795248000 },
		{ "e30.eyJpYXQiOiIxNzk1MjQ4MDAwIn0.c2ln", 1795248000 },
		{ "e30.eyJpc3MiOiJ4In0.c2ln", 0 },
		{ "e30.eyJpYXQiOjFlMzAwfQ.c2ln", 0 },
		{ "e30", 0 },
		{ "", 0 },
		{ "a..b", 0 },
		{ "a.!!.b", 0 },
		{ "a.bm8ganNvbg.b", 0 },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		EXPECT_ROW(oauth_issued_at(rows[i].token) == rows[i].at, rows[i].token);
	EXPECT(oauth_issued_at(NULL) == 0);
}

TEST(the_narrower_word_goes_by_two_names)
{
	static const char *const bodies[] = { "{\"error\":\"invalid_grant\",\"suberror\":\"bad_token\",\"error_subtype\":\"x\"}", "{\"error\":\"invalid_grant\",\"error_subtype\":\"invalid_rapt\"}" };
	static const char *const words[] = { "bad_token", "invalid_rapt" };

	for (size_t i = 0; i < COUNT(bodies); i++) {
		CLEANUP(arena) struct arena *job = arena_new();
		struct oauth_answer          o = { 0 };
		struct error                 err = { 0 };

		EXPECT(oauth_answer_read(slice_str(bodies[i]), job, &o, &err));
		EXPECT_TEXT(o.suberror, words[i]);
	}
}

TEST(answers_are_read)
{
	for (size_t i = 0; i < COUNT(answers); i++) {
		CLEANUP(arena) struct arena *job = arena_new();
		struct oauth_answer          o = { 0 };
		struct error                 err = { 0 };
		bool                         fine = oauth_answer_read(slice_str(answers[i].body), job, &o, &err);

		EXPECT_ROW(fine == (answers[i].fault == FAULT_NONE) && err.fault == answers[i].fault, answers[i].body);
		if (!fine)
			continue;
		EXPECT_ROW(!o.access_token == !answers[i].token && (!o.access_token || strcmp(o.access_token, answers[i].token) == 0), answers[i].body);
		EXPECT_ROW(!o.error == !answers[i].error && (!o.error || strcmp(o.error, answers[i].error) == 0), answers[i].body);
		EXPECT_ROW(o.expires_in == answers[i].expires_in, answers[i].body);
		EXPECT_TEXT(numbers_of(&o, job), answers[i].numbers);
	}
}

TEST(what_else_a_refusal_says)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct oauth_answer          o;
	struct error                 err = { 0 };

	EXPECT(oauth_answer_read(slice_str("{\"error\":\"interaction_required\",\"suberror\":\"basic_action\",\"claims\":\"{}\",\"correlation_id\":\"" ID "\",\"timestamp\":\"2026-11-22 08:00:00Z\"}"), job, &o, &err));
	EXPECT_TEXT(o.suberror, "basic_action");
	EXPECT_TEXT(o.claims, "{}");
	EXPECT_TEXT(o.correlation_id, ID);
	EXPECT_TEXT(o.timestamp, "2026-11-22 08:00:00Z");
}

TEST(cut_at_every_byte)
{
	static const char body[] = "{\"access_token\":\"a.b.c\",\"refresh_token\":\"r\",\"scope\":\"Mail.Send\",\"expires_in\":3599}";

	for (size_t len = 0; len < sizeof body - 1; len++) {
		CLEANUP(arena) struct arena *job = arena_new();
		struct oauth_answer          o;
		struct error                 err = { 0 };

		EXPECT(!oauth_answer_read(slice(body, len), job, &o, &err) && err.fault == FAULT_BROKEN);
	}
}

TEST(too_long_is_refused)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct oauth_answer          o;
	struct error                 err = { 0 };
	char                        *body = must_alloc(OAUTH_ANSWER + 2);

	memset(body, ' ', OAUTH_ANSWER + 1);
	EXPECT(!oauth_answer_read(slice(body, OAUTH_ANSWER + 1), job, &o, &err) && err.fault == FAULT_TOO_BIG);
	free(body);
}

TEST(requests_are_forms)
{
	const struct oauth_client confidential = { .id = "id-1", .secret = "s~e+c r&t=" }, public = { .id = "id-1" };
	const struct oauth_client with_key = { "id-1", "unsaid", "a.b.c" };
	struct buffer             b;

	buffer_init(&b, 4096);
	EXPECT(oauth_refresh(&b, &confidential, "0.A/+=", "openid Mail.Send"));
	EXPECT(slice_equal(buffer_held(&b), slice_str("grant_type=refresh_token&client_id=id-1&client_secret=s~e%2Bc%20r%26t%3D&refresh_token=0.A%2F%2B%3D&scope=openid%20Mail.Send")));
	buffer_clear(&b);
	EXPECT(oauth_refresh(&b, &public, "r", NULL));
	EXPECT(slice_equal(buffer_held(&b), slice_str("grant_type=refresh_token&client_id=id-1&refresh_token=r")));
	buffer_clear(&b);
	EXPECT(oauth_redeem(&b, &public, "c", "https://crm.example/back", "v"));
	EXPECT(slice_equal(buffer_held(&b), slice_str("grant_type=authorization_code&client_id=id-1&code=c&redirect_uri=https%3A%2F%2Fcrm.example%2Fback&code_verifier=v")));
	buffer_clear(&b);
	EXPECT(oauth_as_itself(&b, &confidential, "https://graph.example/.default"));
	EXPECT(slice_equal(buffer_held(&b), slice_str("grant_type=client_credentials&client_id=id-1&client_secret=s~e%2Bc%20r%26t%3D&scope=https%3A%2F%2Fgraph.example%2F.default")));
	buffer_clear(&b);
	EXPECT(oauth_refresh(&b, &with_key, "r", NULL));
	EXPECT(slice_equal(buffer_held(&b), slice_str("grant_type=refresh_token&client_id=id-1&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"
		"&client_assertion=a.b.c&refresh_token=r")));
	buffer_release(&b);
	buffer_init(&b, 30);
	EXPECT(!oauth_refresh(&b, &public, "r", NULL));
	buffer_release(&b);
}

/* -- on another screen ------------------------------------------------------------------------------------------------- */

#define PAGE ",\"verification_uri\":\"https://microsoft.com/devicelogin\""

static const struct {
	const char *body;
	bool        fine;
	const char *user_code;
	int         expires_in, interval;
} devices[] = {
	{ "{\"device_code\":\"d.c\",\"user_code\":\"AB-CD\"" PAGE ",\"expires_in\":900,\"interval\":5,\"message\":\"x\"}", true, "AB-CD", 900, 5 },
	{ "{\"device_code\":\"d\",\"user_code\":\"A\"" PAGE ",\"expires_in\":\"600\",\"interval\":\"7\"}", true, "A", 600, 7 },
	{ "{\"device_code\":\"d\",\"user_code\":\"A\"" PAGE "}", true, "A", 900, 5 },
	{ "{\"device_code\":\"d\",\"user_code\":\"A\"" PAGE ",\"expires_in\":1e9,\"interval\":86400}", true, "A", OAUTH_DEVICE_LIFE, OAUTH_DEVICE_PAUSE },
	{ "{\"device_code\":\"d\",\"user_code\":\"A\"" PAGE ",\"expires_in\":-1,\"interval\":-1}", true, "A", 900, 5 },
	{ "{\"user_code\":\"A\"" PAGE "}", false, NULL, 0, 0 },
	{ "{\"device_code\":\"d\"" PAGE "}", false, NULL, 0, 0 },
	{ "{\"device_code\":\"d\",\"user_code\":\"A\"}", false, NULL, 0, 0 },
	{ "{\"device_code\":\"d e\",\"user_code\":\"A\"" PAGE "}", false, NULL, 0, 0 },
	{ "{\"device_code\":\"d\",\"user_code\":\"A\\u001b[2J\"" PAGE "}", false, NULL, 0, 0 },
	{ "{\"device_code\":\"d\",\"user_code\":\"A\\u202eB\"" PAGE "}", false, NULL, 0, 0 },
	{ "{\"device_code\":\"d\",\"user_code\":\"A\",\"verification_uri\":\"http://microsoft.com/devicelogin\"}", false, NULL, 0, 0 },
	{ "{\"device_code\":\"d\",\"user_code\":\"A\",\"verification_uri\":\"javascript:x\"}", false, NULL, 0, 0 },
	{ "{\"error\":\"invalid_client\"}", false, NULL, 0, 0 },
	{ "[]", false, NULL, 0, 0 },
	{ "", false, NULL, 0, 0 },
};

TEST(codes_for_a_person)
{
	for (size_t i = 0; i < COUNT(devices); i++) {
		CLEANUP(arena) struct arena *job = arena_new();
		struct oauth_device          d = { 0 };
		struct error                 err = { 0 };
		bool                         fine = oauth_device_read(slice_str(devices[i].body), job, &d, &err);

		EXPECT_ROW(fine == devices[i].fine && err.fault == (fine ? FAULT_NONE : FAULT_BROKEN), devices[i].body);
		if (!fine)
			continue;
		EXPECT_TEXT(d.user_code, devices[i].user_code);
		EXPECT_TEXT(d.page, "https://microsoft.com/devicelogin");
		EXPECT_ROW(d.expires_in == devices[i].expires_in && d.interval == devices[i].interval, devices[i].body);
	}
}

TEST(a_code_for_a_person_cut_at_every_byte)
{
	const char *body = devices[0].body;

	for (size_t len = 0; len < strlen(body); len++) {
		CLEANUP(arena) struct arena *job = arena_new();
		struct oauth_device          d;
		struct error                 err = { 0 };
		char                        *copy = must_alloc(len + 1);      /* of that size: a look behind its end is seen */

		memcpy(copy, body, len);
		EXPECT(!oauth_device_read(slice(copy, len), job, &d, &err) && err.fault == FAULT_BROKEN);
		free(copy);
	}
}

TEST(a_code_that_is_too_long_to_be_shown)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct oauth_device          d;
	struct error                 err = { 0 };
	char                         code[300];

	memset(code, 'A', sizeof code - 1);
	code[sizeof code - 1] = '\0';
	EXPECT(!oauth_device_read(slice_str(arena_print(job, "{\"device_code\":\"d\",\"user_code\":\"%s\"" PAGE "}", code)), job, &d, &err));
	EXPECT(err.fault == FAULT_BROKEN);
}

TEST(what_is_asked_for_a_person)
{
	const struct oauth_client confidential = { .id = "id-1", .secret = "s~e" };
	struct buffer             b;

	buffer_init(&b, 4096);
	EXPECT(oauth_device(&b, &confidential, "openid Mail.Send"));
	EXPECT(slice_equal(buffer_held(&b), slice_str("client_id=id-1&scope=openid%20Mail.Send")));
	buffer_clear(&b);
	EXPECT(oauth_device_redeem(&b, &confidential, "D/+"));
	EXPECT(slice_equal(buffer_held(&b), slice_str("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&client_id=id-1&client_secret=s~e&device_code=D%2F%2B")));
	buffer_release(&b);
}

TEST(scopes)
{
	static const char granted[] = "openid  https://graph.microsoft.com/Mail.ReadWrite mail.send";

	EXPECT(oauth_scope_has(granted, "Mail.ReadWrite") && oauth_scope_has(granted, "Mail.Send") && oauth_scope_has(granted, "OPENID"));
	EXPECT(!oauth_scope_has(granted, "Mail.Read") && !oauth_scope_has(granted, "Calendars.ReadWrite") && !oauth_scope_has("", "x"));
	EXPECT(!oauth_scope_has("https://graph.microsoft.com/", "graph.microsoft.com"));
}

/* -- the person's part ------------------------------------------------------------------------------------------------ */

TEST(where_a_person_is_sent)
{
	struct oauth_authorize a = { "https://login.example/common/oauth2/v2.0/authorize", "id-1", "https://crm.example/back", "openid Mail.Send", "st", "ch", NULL, NULL, false, false, false, NULL };
	struct buffer          b;

	buffer_init(&b, 4096);
	EXPECT(oauth_authorize(&b, &a));
	EXPECT(slice_equal(buffer_held(&b), slice_str("https://login.example/common/oauth2/v2.0/authorize?client_id=id-1&response_type=code"
		"&redirect_uri=https%3A%2F%2Fcrm.example%2Fback&response_mode=query&scope=openid%20Mail.Send&state=st&code_challenge=ch"
		"&code_challenge_method=S256&prompt=select_account")));
	a.login_hint = "ann+b@birch.example";
	buffer_clear(&b);
	EXPECT(oauth_authorize(&b, &a) && slice_ends(buffer_held(&b), "&login_hint=ann%2Bb%40birch.example"));
	EXPECT(!slice_has(buffer_held(&b), "prompt="));
	buffer_release(&b);
	buffer_init(&b, 60);
	EXPECT(!oauth_authorize(&b, &a));
	buffer_release(&b);
}

/* RFC 7636, Appendix B */
TEST(the_challenge_of_a_verifier)
{
	char out[OAUTH_CHALLENGE];

	oauth_challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", out);
	EXPECT_TEXT(out, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
}

static const struct {
	const char *query;
	enum fault  fault;
	const char *state, *code, *error, *suberror, *numbers;
	bool        consent;
} callbacks[] = {
	{ "code=0.AX_b-c&state=s1&session_state=x", FAULT_NONE, "s1", "0.AX_b-c", NULL, NULL, "", false },
	{ "code=a%2Bb&state=s1", FAULT_NONE, "s1", "a+b", NULL, NULL, "", false },
	{ "code=a", FAULT_NONE, NULL, "a", NULL, NULL, "", false },
	{ "code=a&state=", FAULT_NONE, NULL, "a", NULL, NULL, "", false },
	{ "c%6fde=a&state=s1", FAULT_NONE, "s1", "a", NULL, NULL, "", false },
	{ "admin_consent=True&tenant=" ID "&scope=a&state=12345", FAULT_NONE, "12345", NULL, NULL, NULL, "", true },
	{ "admin_consent=True&code=a&state=s1", FAULT_NONE, "s1", "a", NULL, NULL, "", true },
	{ "admin_consent=True&error=consent_required&error_description=AADSTS65004%3a+x&state=s1", FAULT_NONE, "s1", NULL, "consent_required", NULL, "65004", true },
	{ "error=access_denied&error_subcode=cancel&state=s1", FAULT_NONE, "s1", NULL, "access_denied", "cancel", "", false },
	{ "error=access_denied&error_subcode=cancel&error_description=AADSTS65004%3a+User+declined%0d%0aTrace+ID%3a+x&error_uri=https%3a%2f%2flogin.microsoftonline.com%2ferror%3fcode%3d65004&state=s1",
	  FAULT_NONE, "s1", NULL, "access_denied", "cancel", "65004", false },
	{ "error=server_error&error_uri=https%3a%2f%2flogin.microsoftonline.com%2ferror%3fcode%3d90033", FAULT_NONE, NULL, NULL, "server_error", NULL, "90033", false },
	{ "error=x&error_uri=code%3d12", FAULT_NONE, NULL, NULL, "x", NULL, "", false },
	{ "code=a&code=b&state=s1", FAULT_BROKEN, NULL, NULL, NULL, NULL, "", false },
	{ "code=a&state=s1&state=s2", FAULT_BROKEN, NULL, NULL, NULL, NULL, "", false },
	{ "code=a&%63ode=b&state=s1", FAULT_BROKEN, NULL, NULL, NULL, NULL, "", false },
	{ "code=a&error=access_denied&state=s1", FAULT_BROKEN, NULL, NULL, NULL, NULL, "", false },
	{ "code=a%0ab&state=s1", FAULT_BROKEN, NULL, NULL, NULL, NULL, "", false },
	{ "code=a+b&state=s1", FAULT_BROKEN, NULL, NULL, NULL, NULL, "", false },
	{ "code=a%00&state=s1", FAULT_BROKEN, NULL, NULL, NULL, NULL, "", false },
	{ "code=a%4&state=s1", FAULT_BROKEN, NULL, NULL, NULL, NULL, "", false },
	{ "code=a%&state=s1", FAULT_BROKEN, NULL, NULL, NULL, NULL, "", false },
	{ "code=&error=&state=s1", FAULT_BROKEN, NULL, NULL, NULL, NULL, "", false },
	{ "state=s1", FAULT_BROKEN, NULL, NULL, NULL, NULL, "", false },
	{ "admin_consent=False&state=s1", FAULT_BROKEN, NULL, NULL, NULL, NULL, "", false },
	{ "", FAULT_BROKEN, NULL, NULL, NULL, NULL, "", false },
	{ "&&=&", FAULT_BROKEN, NULL, NULL, NULL, NULL, "", false },
};

static bool same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

TEST(what_a_browser_brings_back)
{
	for (size_t i = 0; i < COUNT(callbacks); i++) {
		CLEANUP(arena) struct arena *job = arena_new();
		struct oauth_callback        c;
		struct error                 err = { 0 };
		struct oauth_answer          numbers = { 0 };
		bool                         fine = oauth_callback_read(slice_str(callbacks[i].query), job, &c, &err);

		EXPECT_ROW(fine == (callbacks[i].fault == FAULT_NONE) && err.fault == callbacks[i].fault, callbacks[i].query);
		if (!fine)
			continue;
		EXPECT_ROW(same(c.state, callbacks[i].state) && same(c.code, callbacks[i].code), callbacks[i].query);
		EXPECT_ROW(same(c.error, callbacks[i].error) && same(c.suberror, callbacks[i].suberror), callbacks[i].query);
		EXPECT_ROW(c.admin_consent == callbacks[i].consent, callbacks[i].query);
		memcpy(numbers.number, c.number, sizeof numbers.number);
		numbers.numbers = c.numbers;
		EXPECT_TEXT(numbers_of(&numbers, job), callbacks[i].numbers);
	}
}

TEST(a_callback_cut_at_every_byte)
{
	static const char query[] = "error=access_denied&error_description=AADSTS65004%3a+no%0d%0aCorrelation+ID%3a+" ID "%0d%0aTimestamp%3a+2026-11-22+08%3a00%3a00Z&state=s1";
	CLEANUP(arena) struct arena *job = arena_new();
	struct oauth_callback        c;
	struct error                 err = { 0 };

	EXPECT(oauth_callback_read(slice(query, sizeof query - 1), job, &c, &err));
	EXPECT_TEXT(c.correlation_id, ID);
	EXPECT_TEXT(c.timestamp, "2026-11-22");
	for (size_t len = 0; len < sizeof query - 1; len++) {
		char *copy = must_alloc(len + 1);      /* of that size: a look behind its end is seen */

		memcpy(copy, query, len);
		if (oauth_callback_read(slice(copy, len), job, &c, &err))
			EXPECT(c.error && !c.code && (!c.state || strcmp(c.state, "s") == 0));
		free(copy);
	}
}

TEST(a_callback_that_is_too_long)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct oauth_callback        c;
	struct error                 err = { 0 };
	char                        *query = must_alloc(OAUTH_CALLBACK + 2);

	memset(query, 'a', OAUTH_CALLBACK + 1);
	memcpy(query, "code=", 5);
	EXPECT(!oauth_callback_read(slice(query, OAUTH_CALLBACK + 1), job, &c, &err) && err.fault == FAULT_TOO_BIG);
	EXPECT(oauth_callback_read(slice(query, OAUTH_CALLBACK), job, &c, &err) && strlen(c.code) == OAUTH_CALLBACK - 5);
	free(query);
}

TEST(where_an_administrator_consents)
{
	struct oauth_admin_consent a = { "https://login.example/7c9e/v2.0/adminconsent", "id-1", "https://crm.example/back", "openid https://graph.example/Mail.Send", "consent.st" };
	struct buffer b;

	buffer_init(&b, 4096);
	EXPECT(oauth_admin_consent(&b, &a));
	EXPECT(slice_equal(buffer_held(&b), slice_str("https://login.example/7c9e/v2.0/adminconsent?client_id=id-1&scope=openid%20https%3A%2F%2Fgraph.example%2FMail.Send"
	                                              "&redirect_uri=https%3A%2F%2Fcrm.example%2Fback&state=consent.st")));
	buffer_clear(&b);
	a.state = NULL;
	EXPECT(oauth_admin_consent(&b, &a) && slice_ends(buffer_held(&b), "%2Fback"));
	buffer_release(&b);
	buffer_init(&b, 100);
	EXPECT(!oauth_admin_consent(&b, &a));
	buffer_release(&b);
}
