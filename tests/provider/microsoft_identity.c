#include "provider/microsoft_identity.h"

#include "diagnose/diagnose.h"
#include "openid.h"
#include "provider/microsoft.h"
#include "provider/promises.h"
#include "web_peer.h"

#define APP      "6b1f5c52-10ad-4b8e-9f2e-c0ffee000001"
#define ACCESS   "eyJ0eXAi.access.token"
#define REFRESH  "0.AXoA.refresh-token"
#define CODE     "0.AXoA.code-of-a-person"
#define VERIFIER "verifier-that-nobody-guesses-0123456789abcdefghij"
#define BACK     "https://mail.example.org/oauth/microsoft/callback"
#define TENANT   "7c9e6679-7425-40de-944b-e07fc1f90ae7"
#define PERSONAL "9188040d-6c67-4c5b-b112-36a304b66dad"
#define OID      "0d7f2f9a-46f1-4b2b-9a4a-6a2c5f3b7700"
#define OTHER    "11111111-2222-4333-8444-555555555555"
#define NOW      1795248000      /* web_peer.h's */
#define RIGHT    "Sat, 21 Nov 2026 08:00:02 GMT"
#define LATER    "Sat, 21 Nov 2026 09:00:02 GMT"
#define EARLIER  "Sat, 21 Nov 2026 07:00:02 GMT"

/* -- what is said ----------------------------------------------------------------------------------------------------- */

static EVP_PKEY *key;

struct said {
	const char *tid, *oid, *nonce, *kid;      /* of the token; NULL: as it should be */
	int64_t     from, until;                  /* 0: likewise                         */
	bool        absent;
	const char *date, *graph_date;            /* NULL: none                          */
	const char *id, *mail;                    /* of Graph                            */
	const char *provider, *keys;              /* these answers, whole                */
};

static const char *given(const char *text, const char *usual)
{
	return text ? text : usual;
}

static const char *token(struct arena *job, const struct said *s)
{
	const char *tid = given(s->tid, TENANT);

	return signed_by(job, key, arena_print(job, "{\"alg\":\"RS256\",\"kid\":\"%s\"}", given(s->kid, "k1")),
	                 arena_print(job, "{\"aud\":\"" APP "\",\"iss\":\"https://login.microsoftonline.com/%s/v2.0\",\"tid\":\"%s\",\"oid\":\"%s\",\"sub\":\"s\",\"nonce\":\"%s\",\"iat\":%lld,\"exp\":%lld}",
	                             tid, tid, given(s->oid, OID), given(s->nonce, "n1"), (long long)(s->from ? s->from : NOW), (long long)(s->until ? s->until : NOW + 3600)));
}

static const char *dated(struct arena *job, const char *status, const char *date, const char *body)
{
	return date ? arena_print(job, "%s\nContent-Type: application/json\nDate: %s\n\n%s", status, date, body)
	            : arena_print(job, "%s\nContent-Type: application/json\n\n%s", status, body);
}

static const char *granted(struct arena *job, const struct said *s)
{
	const char *id_token = s->absent ? "" : arena_print(job, ",\"id_token\":\"%s\"", token(job, s));

	return dated(job, "200 OK", s->date, arena_print(job, "{\"token_type\":\"Bearer\",\"scope\":\"openid Mail.ReadWrite Mail.Send Calendars.ReadWrite\",\"expires_in\":3599,"
		"\"access_token\":\"" ACCESS "\",\"refresh_token\":\"" REFRESH "\"%s}", id_token));
}

#define PROVIDER "{\"issuer\":\"https://login.microsoftonline.com/{tenantid}/v2.0\",\"jwks_uri\":\"https://192.0.2.7/common/discovery/v2.0/keys\"}"

static const char *published(struct arena *job, const char *kid)
{
	return dated(job, "200 OK", NULL, arena_print(job, "{\"keys\":[%s]}", key_text(job, key, kid, ",\"use\":\"sig\"")));
}

static const char *user(struct arena *job, const struct said *s)
{
	return dated(job, "200 OK", s->graph_date, arena_print(job, "{\"id\":\"%s\",\"mail\":\"%s\",\"userPrincipalName\":\"x@birch.example\"}", given(s->id, OID), given(s->mail, "ann@birch.example")));
}

/* -- a sign-in ----------------------------------------------------------------------------------------------------------- */

struct scene {
	struct report           *report;
	struct mail_address      address;
	struct microsoft_app     app;
	struct microsoft_session session;
};

static void scene_open(struct scene *s, struct microsoft_keys *keys)
{
	static const struct oauth_code code = { CODE, VERIFIER, BACK, "n1" };
	const char *problem;

	key = key ? key : rsa_new(2048);
	*s = (struct scene){ .report = report_new("ann@birch.example"), .app = { .client_id = APP, .client_secret = "very.secret" } };
	s->report->provider = "microsoft";
	s->report->began_unix = NOW;
	EXPECT(mail_address_parse("ann@birch.example", s->report->job, &s->address, &problem));
	microsoft_session_init(&s->session, s->report, &s->app, &s->address, NULL, waits_within(30000), report_attempt(s->report));
	s->session.authority.host = "192.0.2.7";
	s->session.graph.host = "192.0.2.8";
	s->session.code = &code;
	s->session.keys = keys;
}

static void scene_close(struct scene *s)
{
	microsoft_session_release(&s->session);
	report_free(s->report);
}

static enum want_kind open_step(void *self, struct want *w, struct error *err)
{
	return microsoft_open_step(&((struct scene *)self)->session, w, err);
}

enum { NO_KEYS, NEW_KEYS, UNTIL_PROVIDER, AGAIN };      /* how far the authority is asked; AGAIN: the keys twice */

/* Byte by byte too, since what is asked side by side shares a report. */
static bool sign_in(struct scene *s, const struct said *said, int keys, const char *row, int64_t at_ms, bool piecemeal, struct error *err)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct turn     turn[6] = { { "POST /common/oauth2/v2.0/token\nHost: 192.0.2.7\ngrant_type=authorization_code\ncode=" CODE, granted(job, said), KEEPS } };
	size_t          n = 1;
	struct web_peer p;
	bool            fine;

	if (keys != NO_KEYS)
		turn[n++] = (struct turn){ "GET /common/v2.0/.well-known/openid-configuration\nHost: 192.0.2.7\n!Authorization", given(said->provider, dated(job, "200 OK", NULL, PROVIDER)), KEEPS };
	if (keys == AGAIN)
		turn[n++] = (struct turn){ "GET /common/discovery/v2.0/keys\nHost: 192.0.2.7\n!Authorization", "503 Service Unavailable\nRetry-After: 2\n\n", KEEPS };
	if (keys == NEW_KEYS || keys == AGAIN)
		turn[n++] = (struct turn){ "GET /common/discovery/v2.0/keys\nHost: 192.0.2.7\n!Authorization", given(said->keys, published(job, "k1")), KEEPS };
	turn[n++] = (struct turn){ "GET /v1.0/me?$select=id\nHost: 192.0.2.8\nAuthorization: Bearer " ACCESS, user(job, said), KEEPS };
	web_peer_init(&p, turn, row);
	p.now = at_ms;
	p.piecemeal = piecemeal;
	fine = web_peer_run(&p, open_step, s, err);
	web_peer_end(&p);
	return fine;
}

static void nothing_said(const struct report *r, const char *row)
{
	static const char *const words[] = { ACCESS, REFRESH, CODE, VERIFIER };

	for (size_t i = 0; i < r->fact_count * COUNT(words); i++)
		EXPECT_ROW(!strstr(r->fact[i / COUNT(words)].value, words[i % COUNT(words)]), row);
}

#define HTML "200 OK\nContent-Type: text/html\n\n<html>sign in</html>"

static const struct {
	const char    *name;
	struct said    said;
	int            keys;
	enum fault     fault;
	const char    *cause;            /* NULL: signed in */
	enum certainty certainty;
	const char    *fact, *value;     /* of entra.identity */
} rows[] = {
	{ "well", { 0 }, NEW_KEYS, FAULT_NONE, NULL, 0, FACT_TENANT, TENANT },
	{ "a personal account's id is made a GUID of", { .tid = PERSONAL, .oid = "00000000-0000-0000-66f3-3332eca7ea81", .id = "66f33332eca7ea81" }, NEW_KEYS, FAULT_NONE, NULL, 0, FACT_TENANT, PERSONAL },

	{ "somebody else's account", { .mail = "eve@birch.example" }, NEW_KEYS, FAULT_REFUSED, "microsoft.wrong_account", PROVEN, FACT_TENANT, TENANT },
	{ "none came", { .absent = true }, NO_KEYS, FAULT_REFUSED, "server.answer_unreadable", LIKELY, FACT_ID_TOKEN, "absent" },
	{ "of another sign-in", { .nonce = "n2" }, NEW_KEYS, FAULT_REFUSED, "server.answer_unreadable", LIKELY, FACT_ID_TOKEN, "nonce" },
	{ "by a key that is not published", { .kid = "k9" }, NEW_KEYS, FAULT_REFUSED, "server.answer_unreadable", LIKELY, FACT_ID_TOKEN, "unknown_key" },
	{ "Graph says another id", { .id = OTHER }, NEW_KEYS, FAULT_REFUSED, "server.answer_unreadable", LIKELY, FACT_ID_TOKEN, "account" },
	{ "Graph says a personal one", { .oid = "00000000-0000-0000-66f3-3332eca7ea81", .id = "66f33332eca7ea81" }, NEW_KEYS, FAULT_REFUSED, "server.answer_unreadable", LIKELY, FACT_ID_TOKEN, "account" },
	{ "an organisation's among the personal ones", { .tid = PERSONAL }, NEW_KEYS, FAULT_REFUSED, "server.answer_unreadable", LIKELY, FACT_ID_TOKEN, "account" },

	/* clocks */
	{ "our clock is ahead", { .from = NOW - 3600, .until = NOW - 600, .date = EARLIER, .graph_date = EARLIER }, NEW_KEYS, FAULT_REFUSED, "operator.clock_wrong", PROVEN, FACT_CLOCK, "ahead" },
	{ "our clock is behind", { .from = NOW + 3600, .until = NOW + 7200, .date = LATER, .graph_date = LATER }, NEW_KEYS, FAULT_REFUSED, "operator.clock_wrong", PROVEN, FACT_CLOCK, "behind" },
	{ "one of them does not say", { .from = NOW + 3600, .until = NOW + 7200, .date = LATER }, NEW_KEYS, FAULT_REFUSED, "operator.clock_wrong", LIKELY, FACT_ID_TOKEN, "not_yet" },
	{ "they disagree", { .from = NOW + 3600, .until = NOW + 7200, .date = LATER, .graph_date = RIGHT }, NEW_KEYS, FAULT_REFUSED, "operator.clock_wrong", LIKELY, FACT_ID_TOKEN, "not_yet" },
	{ "our clock is right, the token is old", { .from = NOW - 7200, .until = NOW - 600, .date = RIGHT, .graph_date = RIGHT }, NEW_KEYS, FAULT_REFUSED, "server.answer_unreadable", LIKELY, FACT_CLOCK, "right" },
	{ "expired, and we are behind", { .from = NOW - 7200, .until = NOW - 600, .date = LATER, .graph_date = LATER }, NEW_KEYS, FAULT_REFUSED, "server.answer_unreadable", LIKELY, FACT_CLOCK, "behind" },

	/* what is published */
	{ "a page in its place", { .provider = HTML }, UNTIL_PROVIDER, FAULT_BROKEN, "server.answer_unreadable", PROVEN, FACT_REPLY_BROKEN, "no JSON" },
	{ "a page in the keys' place", { .keys = HTML }, NEW_KEYS, FAULT_BROKEN, "server.answer_unreadable", PROVEN, FACT_REPLY_BROKEN, "no JSON" },
	{ "keys at another host", { .provider = "200 OK\n\n{\"issuer\":\"https://login.microsoftonline.com/{tenantid}/v2.0\",\"jwks_uri\":\"https://192.0.2.9/common/discovery/v2.0/keys\"}" },
	  UNTIL_PROVIDER, FAULT_BROKEN, "server.answer_unreadable", PROVEN, FACT_REPLY_BROKEN, NULL },
	{ "keys without TLS", { .provider = "200 OK\n\n{\"issuer\":\"x\",\"jwks_uri\":\"http://192.0.2.7/keys\"}" }, UNTIL_PROVIDER, FAULT_BROKEN, "server.answer_unreadable", PROVEN, FACT_REPLY_BROKEN, NULL },
	{ "not now, but soon", { 0 }, AGAIN, FAULT_NONE, NULL, 0, FACT_HTTP_RETRY_AFTER, "2" },
	{ "not now, nor soon", { .keys = "503 Service Unavailable\n\n" }, AGAIN, FAULT_BUSY, "server.unavailable", PROVEN, FACT_HTTP_STATUS, "503" },
	{ "not for an hour", { .keys = "429 Too Many Requests\nRetry-After: 3600\n\n" }, NEW_KEYS, FAULT_BUSY, "throttle.provider", LIKELY, FACT_HTTP_STATUS, "429" },
	{ "it is broken", { .keys = "500 Internal Server Error\n\n" }, NEW_KEYS, FAULT_BUSY, "server.unavailable", PROVEN, FACT_HTTP_STATUS, "500" },
	{ "there is none", { .keys = "404 Not Found\n\n" }, NEW_KEYS, FAULT_REFUSED, "unknown.answer", PROVEN, FACT_HTTP_STATUS, "404" },
};

static void play(size_t i, bool piecemeal)
{
	const char    *row = rows[i].name;
	struct error   err = { 0 };
	struct verdict v;
	struct scene   s;
	bool           fine;

	scene_open(&s, NULL);
	fine = sign_in(&s, &rows[i].said, rows[i].keys, row, 0, piecemeal, &err);
	if (fine != !rows[i].cause || err.fault != rows[i].fault)
		test_fail(__FILE__, __LINE__, "%s: %s", row, err.text);
	EXPECT_ROW(s.session.signed_in == fine, row);
	EXPECT_ROW(s.session.not_believed == has_fact(s.report, "entra.identity", FACT_ID_TOKEN, NULL), row);
	EXPECT_ROW(has_fact(s.report, "entra.identity", rows[i].fact, rows[i].value), row);
	nothing_said(s.report, row);
	no_step_is_running(s.report, row);
	diagnose(s.report, &v);
	if (rows[i].cause && (!v.findings || strcmp(cause_row(v.finding[0].cause)->id, rows[i].cause) != 0 || v.finding[0].certainty != rows[i].certainty))
		test_fail(__FILE__, __LINE__, "%s: %s %d", row, v.findings ? cause_row(v.finding[0].cause)->id : "nothing", v.findings ? (int)v.finding[0].certainty : 0);
	scene_close(&s);
}

TEST(every_sign_in_whole)
{
	for (size_t i = 0; i < COUNT(rows); i++)
		play(i, false);
}

TEST(every_sign_in_byte_by_byte)
{
	for (size_t i = 0; i < COUNT(rows); i++)
		play(i, true);
}

/* -- keys are held ------------------------------------------------------------------------------------------------------- */

TEST(keys_are_held_and_asked_for_again)
{
	static const struct { const char *name; struct said said; int64_t at_ms; int keys; bool fine; } visits[] = {
		{ "the first",                       { 0 },            0,                                      NEW_KEYS, true  },
		{ "the next",                        { 0 },            1000,                                   NO_KEYS,  true  },
		{ "a new key, too soon",             { .kid = "k2" },  MICROSOFT_AGAIN_MS - 1000,              NO_KEYS,  false },
		{ "a new key",                       { .kid = "k9" },  MICROSOFT_AGAIN_MS + 1000,              NEW_KEYS, false },
		{ "and again",                       { .kid = "k9" },  MICROSOFT_AGAIN_MS + 2000,              NO_KEYS,  false },
		{ "those that are held still count", { 0 },            MICROSOFT_AGAIN_MS + 3000,              NO_KEYS,  true  },
		{ "they cannot be read: they stay",  { .kid = "k9", .keys = HTML }, 3 * MICROSOFT_AGAIN_MS,    NEW_KEYS, false },
		{ "as they were",                    { 0 },            3 * MICROSOFT_AGAIN_MS + 1000,          NO_KEYS,  true  },
		{ "a day later",                     { 0 },            MICROSOFT_KEYS_MS + 2 * MICROSOFT_AGAIN_MS, NEW_KEYS, true },
	};
	struct microsoft_keys *keys = microsoft_keys_new();

	for (size_t i = 0; i < COUNT(visits); i++) {
		struct error err = { 0 };
		struct scene s;

		scene_open(&s, keys);
		EXPECT_ROW(sign_in(&s, &visits[i].said, visits[i].keys, visits[i].name, visits[i].at_ms, false, &err) == visits[i].fine, visits[i].name);
		scene_close(&s);
	}
	microsoft_keys_free(keys);
	microsoft_keys_free(NULL);
}
