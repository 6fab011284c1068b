/* The watch by Graph against a scripted server, and the safe that a fresh grant is put into before it is used. Time is not spent. */
#include "provider/microsoft_watch.h"

#include "base/secret.h"
#include "model/facts.h"
#include "provider/promises.h"
#include "web_peer.h"

#define APP    "6b1f5c52-10ad-4b8e-9f2e-c0ffee000001"
#define OLD    "eyJ0eXAi.old.token"
#define NEW    "eyJ0eXAi.new.token"
#define THEIRS "eyJ0eXAi.their.token"
#define R0     "0.AXoA.refresh-of-old"
#define R1     "0.AXoA.refresh-of-new"
#define R2     "0.AXoA.refresh-of-theirs"
#define SCOPES "User.Read Mail.ReadWrite Mail.Send Calendars.ReadWrite"
#define NOW    1795248000      /* web_peer_run()'s */
#define SAID   400

enum what_is_kept { FRESH, SOMEBODY_ELSES, NOTHING_AT_ALL };

struct set {                      /* all but the usual */
	const char       *delta;
	int64_t           since, expires_at;
	int               rounds;
	enum what_is_kept kept;
	bool              no_safe;
};

struct scene {
	const struct set        *set;
	struct microsoft_app     app;
	struct oauth_grant   grant;
	struct oauth_safe    safe;
	struct errand            errand;
	struct oauth_grant   in_safe;
	struct arena            *job;
	struct web_peer         *peer;
	size_t                   kept_before;       /* that turn */
	struct microsoft_watch   watch;
	int                      step, rounds, turns;
	char                     news[SAID];
	struct web_peer          p;
};

/* -- the safe ----------------------------------------------------------------------------------------------------- */

static int turn_of(void *self)
{
	struct scene *s = self;

	s->turns++;
	return 20;
}

static void begin(struct errand *e)
{
	errand_done(e);
}

static struct errand *keep(void *self, const struct oauth_grant *fresh)
{
	struct scene *s = self;

	EXPECT_TEXT(fresh->access_token, NEW);
	EXPECT_TEXT(fresh->refresh_token, R1);
	EXPECT(fresh->expires_at == NOW + 3599 && strcmp(fresh->scope, SCOPES) == 0);
	s->kept_before = s->peer->at;
	s->errand.begin = begin;
	return &s->errand;
}

static bool kept(void *self, struct arena *into, struct oauth_grant *now)
{
	struct scene *s = self;

	*now = (struct oauth_grant){ arena_str(into, s->set->kept == FRESH ? NEW : THEIRS), arena_str(into, s->set->kept == FRESH ? R1 : R2), SCOPES, NOW + 3599, 0 };
	s->in_safe = (struct oauth_grant){ s->set->kept == FRESH ? NEW : THEIRS, s->set->kept == FRESH ? R1 : R2, SCOPES, NOW + 3599, 0 };
	return s->set->kept != NOTHING_AT_ALL;
}

/* -- a mailbox ---------------------------------------------------------------------------------------------------- */

static void at_numbers(struct scene *s)
{
	/* by number: nobody answers for names here */
	s->watch.session->authority.host = "192.0.2.7";
	s->watch.session->graph.host = "192.0.2.8";
}

static void scene_open(struct scene *s, const struct set *set, const struct turn *turns, const char *row)
{
	*s = (struct scene){ .set = set, .app = { .client_id = APP }, .rounds = set->rounds };
	s->grant = (struct oauth_grant){ OLD, R0, SCOPES, set->expires_at ? set->expires_at : NOW + 3600, 0 };
	s->safe = (struct oauth_safe){ .self = s, .ahead_s = 300, .turn = turn_of, .keep = keep, .kept = kept };
	s->peer = &s->p;
	web_peer_init(&s->p, turns, row);
	microsoft_watch_init(&s->watch, &(struct microsoft_access){ .app = &s->app, .safe = set->no_safe ? NULL : &s->safe, .grant = &s->grant,
		.address = "ann@birch.example", .waits = waits_within(30000) }, set->delta, set->since);
	at_numbers(s);
}

static void scene_close(struct scene *s)
{
	microsoft_watch_release(&s->watch);
}

static void take_news(struct scene *s)
{
	for (size_t i = 0; i < s->watch.count; i++) {
		const struct message *m = &s->watch.news[i];
		size_t                len = strlen(s->news);

		snprintf(s->news + len, SAID - len, "%s%s:%s:%s", len ? " " : "", m->remote_id, m->subject ? m->subject : "-", m->from ? m->from : "-");
	}
}

/* As watch/mailbox.c has it. */
static enum want_kind watch_step(void *self, struct want *w, struct error *err)
{
	enum { START, OPEN, NEWS, WAIT };
	struct scene *s = self;

	switch (s->step) {
	case START:
	STEP(s, OPEN):
		PASS(microsoft_watch_open_step(&s->watch, w, err));
		while (s->rounds-- > 0) {
	STEP(s, NEWS):
			PASS(microsoft_watch_news_step(&s->watch, w, err));
			take_news(s);
			if (s->watch.more) {
				s->step = NEWS;
				return watch_step(s, w, err);
			}
			if (s->in_safe.access_token)
				s->grant = s->in_safe;
			if (!s->rounds)
				return WANT_NOTHING;
			microsoft_watch_park(&s->watch);
			microsoft_watch_told(&s->watch);
	STEP(s, WAIT):
			PASS(microsoft_watch_wait_step(&s->watch, w, err));
			microsoft_watch_wake(&s->watch);
			at_numbers(s);
		}
	}
	return WANT_NOTHING;
}

/* -- what is said ------------------------------------------------------------------------------------------------- */

#define JSON(status, body)  status "\nContent-Type: application/json\n\n" body
#define GUID                "0d7f2f9a-46f1-4b2b-9a4a-6a2c5f3b7700"
#define ANN                 JSON("200 OK", "{\"id\":\"" GUID "\",\"mail\":\"ann@birch.example\"}")
#define ME(with)            { "GET /v1.0/me?$select=id\nAuthorization: Bearer " with, ANN, KEEPS }
#define IMMUTABLE           "\nHost: 192.0.2.8\nPrefer: IdType=\"ImmutableId\", odata.maxpagesize="
#define FIRST(with, most, answer) { "GET /v1.0/me/mailFolders/inbox/messages/delta?$select=subject,from,internetMessageId,receivedDateTime HTTP/1.1" IMMUTABLE most "\nAuthorization: Bearer " with, answer, KEEPS }
#define ON(with, to, most, answer) { "GET /v1.0/x?" to " HTTP/1.1" IMMUTABLE most "\nAuthorization: Bearer " with, answer, KEEPS }
#define REFRESH(answer)     { "POST /common/oauth2/v2.0/token\nHost: 192.0.2.7\ngrant_type=refresh_token\nrefresh_token=" R0 "\n!Authorization", answer, KEEPS }
#define LINK(to)            "https://192.0.2.8/v1.0/x?" to
#define NEXT(to, items)     JSON("200 OK", "{\"value\":[" items "],\"@odata.nextLink\":\"" to "\"}")
#define DELTA(to, items)    JSON("200 OK", "{\"value\":[" items "],\"@odata.deltaLink\":\"" to "\"}")
#define MAIL(id, day)       "{\"@odata.etag\":\"e\",\"id\":\"" id "\",\"subject\":\"s\",\"receivedDateTime\":\"2026-11-" day "T06:00:00Z\",\"internetMessageId\":\"<" id "@oak.example>\"," \
	"\"from\":{\"emailAddress\":{\"name\":\"Bob\",\"address\":\"bob@oak.example\"}}}"
#define GONE(id)            "{\"id\":\"" id "\",\"@removed\":{\"reason\":\"deleted\"}}"
#define TOLD(id)            id ":s:bob@oak.example"
#define ERROR(status, code) JSON(status, "{\"error\":{\"code\":\"" code "\",\"message\":\"x\",\"innerError\":{}}}")
#define GRANTED             JSON("200 OK", "{\"token_type\":\"Bearer\",\"scope\":\"" SCOPES "\",\"expires_in\":3599,\"access_token\":\"" NEW "\",\"refresh_token\":\"" R1 "\"}")
#define REFUSED_GRANT       JSON("400 Bad Request", "{\"error\":\"invalid_grant\",\"error_description\":\"AADSTS50173: x\",\"error_codes\":[50173]}")
#define NOVEMBER            INT64_C(1793404800)               /* its zeroth, 2026 */
#define DAY(n)              (NOVEMBER + 86400 * (n))

#define TURNS 12

static const struct {
	const char *name;
	struct set  set;
	struct turn turn[TURNS];
	enum fault  fault;
	const char *news, *delta;          /* delta NULL: none is known */
	int64_t     since;                 /* -1: not looked at         */
	int         busy_ms;
	unsigned    throttled;
} rows[] = {
	{ "known from now on, and then told", { .rounds = 2 }, { ME(OLD), FIRST(OLD, "250", NEXT(LINK("n=1"), MAIL("a", "20"))), ON(OLD, "n=1", "250", DELTA(LINK("d=1"), MAIL("b", "21"))),
	  ON(OLD, "d=1", "50", DELTA(LINK("d=2"), MAIL("c", "22") "," MAIL("d", "22"))), ON(OLD, "d=2", "50", DELTA(LINK("d=3"), "")) },
	  FAULT_NONE, TOLD("c") " " TOLD("d"), LINK("d=3"), DAY(21) + 6 * 3600, 0, 0 },
	{ "an empty one", { .rounds = 1 }, { ME(OLD), FIRST(OLD, "250", DELTA(LINK("d=1"), "")), ON(OLD, "d=1", "50", DELTA(LINK("d=2"), MAIL("a", "01"))) },
	  FAULT_NONE, TOLD("a"), LINK("d=2"), DAY(1) + 6 * 3600 - 86400, 0, 0 },
	{ "where it was left", { .delta = LINK("d=1"), .since = DAY(20), .rounds = 1 }, { ME(OLD), ON(OLD, "d=1", "50", NEXT(LINK("n=1"), MAIL("a", "21"))), ON(OLD, "n=1", "50", NEXT(LINK("n=2"), "")),
	  ON(OLD, "n=2", "50", DELTA(LINK("d=2"), MAIL("b", "22"))) }, FAULT_NONE, TOLD("a") " " TOLD("b"), LINK("d=2"), DAY(21) + 6 * 3600, 0, 0 },
	{ "old ones that were touched, those that are gone", { .delta = LINK("d=1"), .since = DAY(20), .rounds = 1 }, { ME(OLD), ON(OLD, "d=1", "50", DELTA(LINK("d=2"), MAIL("a", "19") "," GONE("b") "," MAIL("c", "22"))) },
	  FAULT_NONE, TOLD("c"), LINK("d=2"), DAY(21) + 6 * 3600, 0, 0 },
	{ "no text of it but its id", { .delta = LINK("d=1"), .since = DAY(20), .rounds = 1 }, { ME(OLD), ON(OLD, "d=1", "50", DELTA(LINK("d=2"), "{\"id\":\"a\",\"subject\":null,\"receivedDateTime\":\"2026-11-22T06:00:00Z\"}")) },
	  FAULT_NONE, "a:-:-", LINK("d=2"), -1, 0, 0 },
	{ "a subject of several lines", { .delta = LINK("d=1"), .since = DAY(20), .rounds = 1 }, { ME(OLD), ON(OLD, "d=1", "50", DELTA(LINK("d=2"), "{\"id\":\"a\",\"subject\":\"x\\u0007\\u0001y\",\"receivedDateTime\":\"2026-11-22T06:00:00Z\"}")) },
	  FAULT_NONE, "a:x  y:-", LINK("d=2"), -1, 0, 0 },

	/* -- forgotten */
	{ "gone: from the beginning, and what came meanwhile is told", { .delta = LINK("d=1"), .since = DAY(20), .rounds = 1 }, { ME(OLD), ON(OLD, "d=1", "50", ERROR("410 Gone", "SyncStateNotFound")),
	  FIRST(OLD, "50", NEXT(LINK("n=1"), MAIL("a", "03"))), ON(OLD, "n=1", "50", DELTA(LINK("d=9"), MAIL("b", "22"))) }, FAULT_NONE, TOLD("b"), LINK("d=9"), DAY(21) + 6 * 3600, 0, 0 },
	{ "the same with a 400", { .delta = LINK("d=1"), .since = DAY(20), .rounds = 1 }, { ME(OLD), ON(OLD, "d=1", "50", ERROR("400 Bad Request", "resyncRequired")), FIRST(OLD, "50", DELTA(LINK("d=9"), MAIL("b", "22"))) },
	  FAULT_NONE, TOLD("b"), LINK("d=9"), -1, 0, 0 },
	{ "by another of its names", { .delta = LINK("d=1"), .since = DAY(20), .rounds = 1 }, { ME(OLD), ON(OLD, "d=1", "50", ERROR("400 Bad Request", "ErrorInvalidSyncStateData")), FIRST(OLD, "50", DELTA(LINK("d=9"), MAIL("b", "22"))) },
	  FAULT_NONE, TOLD("b"), LINK("d=9"), -1, 0, 0 },
	{ "beneath another code, and in other letters", { .delta = LINK("d=1"), .since = DAY(20), .rounds = 1 }, { ME(OLD), ON(OLD, "d=1", "50", JSON("400 Bad Request", "{\"error\":{\"code\":\"UnknownError\",\"innererror\":{\"code\":\"syncStateNotFound\"}}}")),
	  FIRST(OLD, "50", DELTA(LINK("d=9"), MAIL("b", "22"))) }, FAULT_NONE, TOLD("b"), LINK("d=9"), -1, 0, 0 },
	{ "gone, in no words at all", { .delta = LINK("d=1"), .since = DAY(20), .rounds = 1 }, { ME(OLD), ON(OLD, "d=1", "50", "410 Gone\n\n"), FIRST(OLD, "50", DELTA(LINK("d=9"), MAIL("b", "22"))) },
	  FAULT_NONE, TOLD("b"), LINK("d=9"), -1, 0, 0 },
	{ "a 400 that says something else forgets nothing", { .delta = LINK("d=1"), .since = DAY(20), .rounds = 1 }, { ME(OLD), ON(OLD, "d=1", "50", ERROR("400 Bad Request", "BadRequest")) }, FAULT_REFUSED, "", LINK("d=1"), -1, 0, 0 },
	{ "in the midst of the first round", { .rounds = 0 }, { ME(OLD), FIRST(OLD, "250", NEXT(LINK("n=1"), MAIL("a", "20"))), ON(OLD, "n=1", "250", ERROR("410 Gone", "SyncStateInvalid")),
	  FIRST(OLD, "250", DELTA(LINK("d=1"), MAIL("a", "20"))) }, FAULT_NONE, "", LINK("d=1"), DAY(20) + 6 * 3600, 0, 0 },
	{ "it forgets whatever it said", { .delta = LINK("d=1"), .rounds = 1 }, { ME(OLD), ON(OLD, "d=1", "50", ERROR("410 Gone", "SyncStateNotFound")), FIRST(OLD, "50", ERROR("410 Gone", "SyncStateNotFound")) },
	  FAULT_REFUSED, "", NULL, -1, 0, 0 },

	/* -- where links lead */
	{ "another host", { .delta = LINK("d=1"), .rounds = 1 }, { ME(OLD), ON(OLD, "d=1", "50", NEXT("https://graph.evil.example/v1.0/x", MAIL("a", "22"))) }, FAULT_BROKEN, "", LINK("d=1"), -1, 0, 0 },
	{ "a host that begins alike", { .delta = LINK("d=1"), .rounds = 1 }, { ME(OLD), ON(OLD, "d=1", "50", NEXT("https://192.0.2.8.evil.example/v1.0/x", "")) }, FAULT_BROKEN, "", LINK("d=1"), -1, 0, 0 },
	{ "somebody in front of the host", { .delta = LINK("d=1"), .rounds = 1 }, { ME(OLD), ON(OLD, "d=1", "50", DELTA("https://192.0.2.8@evil.example/v1.0/x", "")) }, FAULT_BROKEN, "", LINK("d=1"), -1, 0, 0 },
	{ "without TLS", { .delta = LINK("d=1"), .rounds = 1 }, { ME(OLD), ON(OLD, "d=1", "50", DELTA("http://192.0.2.8/v1.0/x", "")) }, FAULT_BROKEN, "", LINK("d=1"), -1, 0, 0 },
	{ "out of v1.0", { .delta = LINK("d=1"), .rounds = 1 }, { ME(OLD), ON(OLD, "d=1", "50", DELTA("https://192.0.2.8/v1.0/../beta/x", "")) }, FAULT_BROKEN, "", LINK("d=1"), -1, 0, 0 },
	{ "another request in it", { .delta = LINK("d=1"), .rounds = 1 }, { ME(OLD), ON(OLD, "d=1", "50", DELTA("https://192.0.2.8/v1.0/x\\r\\nX: y", "")) }, FAULT_BROKEN, "", LINK("d=1"), -1, 0, 0 },
	{ "the one that was kept", { .delta = "https://graph.microsoft.us/v1.0/x", .rounds = 1 }, { ME(OLD) }, FAULT_BROKEN, "", "https://graph.microsoft.us/v1.0/x", -1, 0, 0 },
	{ "round in a ring", { .delta = LINK("d=1"), .rounds = 1 }, { ME(OLD), ON(OLD, "d=1", "50", NEXT(LINK("n=1"), "")), ON(OLD, "n=1", "50", NEXT(LINK("n=1"), "")) }, FAULT_BROKEN, "", LINK("d=1"), -1, 0, 0 },
	{ "two ways at once", { .delta = LINK("d=1"), .rounds = 1 }, { ME(OLD), ON(OLD, "d=1", "50", JSON("200 OK", "{\"value\":[],\"@odata.nextLink\":\"" LINK("n") "\",\"@odata.deltaLink\":\"" LINK("d") "\"}")) }, FAULT_BROKEN, "", LINK("d=1"), -1, 0, 0 },

	{ "on to two places", { .delta = LINK("d=1"), .rounds = 1 }, { ME(OLD), ON(OLD, "d=1", "50", JSON("200 OK", "{\"@odata.nextLink\":\"" LINK("n") "\",\"value\":[],\"@odata.nextLink\":\"" LINK("m") "\"}")) }, FAULT_BROKEN, "", LINK("d=1"), -1, 0, 0 },

	/* -- busy, broken */
	{ "busy for so long", { .delta = LINK("d=1"), .rounds = 2 }, { ME(OLD), ON(OLD, "d=1", "50", "429 Too Many Requests\nRetry-After: 400\n\n"), ON(OLD, "d=1", "50", "503 Service Unavailable\nRetry-After: 90\n\n") },
	  FAULT_NONE, "", LINK("d=1"), -1, 90000, 2 },
	{ "busy, and it does not say how long", { .delta = LINK("d=1"), .rounds = 1 }, { ME(OLD), ON(OLD, "d=1", "50", ERROR("429 Too Many Requests", "ApplicationThrottled")) }, FAULT_NONE, "", LINK("d=1"), -1, 120000, 1 },
	{ "for less than a poll", { .delta = LINK("d=1"), .rounds = 1 }, { ME(OLD), ON(OLD, "d=1", "50", "504 Gateway Timeout\nRetry-After: 1\n\n<html>") }, FAULT_NONE, "", LINK("d=1"), -1, 60000, 1 },
	{ "busy in the midst of a round", { .delta = LINK("d=1"), .since = DAY(20), .rounds = 2 }, { ME(OLD), ON(OLD, "d=1", "50", NEXT(LINK("n=1"), MAIL("a", "22"))), ON(OLD, "n=1", "50", "429 Too Many Requests\nRetry-After: 70\n\n"),
	  ON(OLD, "n=1", "50", DELTA(LINK("d=2"), MAIL("b", "22"))) }, FAULT_NONE, TOLD("a") " " TOLD("b"), LINK("d=2"), -1, 0, 1 },
	{ "busy while it is gone through", { .rounds = 0 }, { ME(OLD), FIRST(OLD, "250", "429 Too Many Requests\nRetry-After: 400\n\n") }, FAULT_BUSY, "", NULL, -1, 400000, 1 },
	{ "down", { .delta = LINK("d=1"), .rounds = 1 }, { ME(OLD), ON(OLD, "d=1", "50", "500 Internal Server Error\n\n") }, FAULT_REFUSED, "", LINK("d=1"), -1, 0, 0 },
	{ "a page, but none of Graph's", { .delta = LINK("d=1"), .rounds = 1 }, { ME(OLD), ON(OLD, "d=1", "50", "200 OK\n\n<html>sign in</html>") }, FAULT_BROKEN, "", LINK("d=1"), -1, 0, 0 },
	{ "a page that ends in its midst", { .delta = LINK("d=1"), .since = DAY(20), .rounds = 1 }, { ME(OLD), ON(OLD, "d=1", "50", JSON("200 OK", "{\"value\":[" MAIL("a", "22") ",")) }, FAULT_BROKEN, "", LINK("d=1"), -1, 0, 0 },
	{ "an answer without a body", { .delta = LINK("d=1"), .rounds = 1 }, { ME(OLD), ON(OLD, "d=1", "50", "200 OK\n\n") }, FAULT_BROKEN, "", LINK("d=1"), -1, 0, 0 },
	{ "packed", { .delta = LINK("d=1"), .rounds = 1 }, { ME(OLD), ON(OLD, "d=1", "50", "200 OK\nContent-Encoding: gzip\n\n{\"value\":[]}") }, FAULT_BROKEN, "", LINK("d=1"), -1, 0, 0 },
	{ "packed, and nothing in it", { .delta = LINK("d=1"), .rounds = 1 }, { ME(OLD), ON(OLD, "d=1", "50", "200 OK\nContent-Encoding: gzip\n\n") }, FAULT_BROKEN, "", LINK("d=1"), -1, 0, 0 },
	{ "an error behind what went well: nothing of it is told", { .delta = LINK("d=1"), .since = DAY(20), .rounds = 1 }, { ME(OLD), ON(OLD, "d=1", "50", JSON("200 OK", "{\"value\":[" MAIL("a", "22") "],\"error\":{\"code\":\"ErrorServerBusy\"}}")) },
	  FAULT_BROKEN, "", LINK("d=1"), -1, 0, 0 },
	{ "a message without an id", { .delta = LINK("d=1"), .rounds = 1 }, { ME(OLD), ON(OLD, "d=1", "50", DELTA(LINK("d=2"), "{\"subject\":\"s\"}")) }, FAULT_BROKEN, "", LINK("d=1"), -1, 0, 0 },

	/* -- the grant */
	{ "renewed ahead of its end, kept, then used", { .delta = LINK("d=1"), .expires_at = NOW + 200, .rounds = 2 }, { ME(OLD), REFRESH(GRANTED), ON(NEW, "d=1", "50", DELTA(LINK("d=2"), "")), ON(NEW, "d=2", "50", DELTA(LINK("d=3"), "")) },
	  FAULT_NONE, "", LINK("d=3"), -1, 0, 0 },
	{ "too early for that", { .delta = LINK("d=1"), .expires_at = NOW + 301, .rounds = 1 }, { ME(OLD), ON(OLD, "d=1", "50", DELTA(LINK("d=2"), "")) }, FAULT_NONE, "", LINK("d=2"), -1, 0, 0 },
	{ "refused by Graph, renewed", { .delta = LINK("d=1"), .rounds = 1 }, { ME(OLD), ON(OLD, "d=1", "50", ERROR("401 Unauthorized", "InvalidAuthenticationToken")), REFRESH(GRANTED), ON(NEW, "d=1", "50", DELTA(LINK("d=2"), "")) },
	  FAULT_NONE, "", LINK("d=2"), -1, 0, 0 },
	{ "refused again", { .delta = LINK("d=1"), .rounds = 1 }, { ME(OLD), ON(OLD, "d=1", "50", ERROR("401 Unauthorized", "InvalidAuthenticationToken")), REFRESH(GRANTED), ON(NEW, "d=1", "50", ERROR("401 Unauthorized", "InvalidAuthenticationToken")) },
	  FAULT_REFUSED, "", LINK("d=1"), -1, 0, 0 },
	{ "somebody else's is newer", { .delta = LINK("d=1"), .expires_at = NOW + 200, .rounds = 2, .kept = SOMEBODY_ELSES }, { ME(OLD), REFRESH(GRANTED), ON(THEIRS, "d=1", "50", DELTA(LINK("d=2"), "")), ON(THEIRS, "d=2", "50", DELTA(LINK("d=3"), "")) },
	  FAULT_NONE, "", LINK("d=3"), -1, 0, 0 },
	{ "not kept: not used", { .delta = LINK("d=1"), .expires_at = NOW + 200, .rounds = 1, .kept = NOTHING_AT_ALL }, { ME(OLD), REFRESH(GRANTED) }, FAULT_LOCAL, "", LINK("d=1"), -1, 0, 0 },
	{ "the authority is down, and there is time", { .delta = LINK("d=1"), .expires_at = NOW + 200, .rounds = 1 }, { ME(OLD), REFRESH("503 Service Unavailable\nRetry-After: 30\n\n"), ON(OLD, "d=1", "50", DELTA(LINK("d=2"), "")) },
	  FAULT_NONE, "", LINK("d=2"), -1, 0, 0 },
	{ "its answer is lost: the old one is tried again", { .delta = LINK("d=1"), .expires_at = NOW + 200, .rounds = 2 }, { ME(OLD), { "POST /common/oauth2/v2.0/token\nrefresh_token=" R0, "!HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{", ENDS }, ON(OLD, "d=1", "50", DELTA(LINK("d=2"), "")),
	  REFRESH(GRANTED), ON(NEW, "d=2", "50", DELTA(LINK("d=3"), "")) }, FAULT_NONE, "", LINK("d=3"), -1, 0, 0 },
	{ "refused by the authority", { .delta = LINK("d=1"), .expires_at = NOW + 200, .rounds = 1 }, { ME(OLD), REFRESH(REFUSED_GRANT) }, FAULT_REFUSED, "", LINK("d=1"), -1, 0, 0 },
	{ "run out, and the authority is down", { .delta = LINK("d=1"), .expires_at = NOW - 5, .rounds = 1 }, { REFRESH("503 Service Unavailable\nRetry-After: 30\n\n") }, FAULT_BUSY, "", LINK("d=1"), -1, 60000, 1 },
	{ "run out: renewed and kept before anything is asked", { .delta = LINK("d=1"), .expires_at = NOW - 5, .rounds = 1 }, { REFRESH(GRANTED), ME(NEW), ON(NEW, "d=1", "50", DELTA(LINK("d=2"), "")) }, FAULT_NONE, "", LINK("d=2"), -1, 0, 0 },
	{ "no safe", { .delta = LINK("d=1"), .expires_at = NOW + 50, .rounds = 1, .no_safe = true }, { REFRESH(GRANTED), ME(NEW), ON(NEW, "d=1", "50", DELTA(LINK("d=2"), "")) }, FAULT_NONE, "", LINK("d=2"), -1, 0, 0 },
};

static void check(struct scene *s, size_t i, const struct error *err)
{
	const char *row = rows[i].name;

	EXPECT_ROW(err->fault == rows[i].fault, row);
	EXPECT_TEXT(s->news, rows[i].news);
	if (rows[i].delta)
		EXPECT_TEXT(s->watch.delta_link, rows[i].delta);
	else
		EXPECT_ROW(!s->watch.delta_link, row);
	EXPECT_ROW(rows[i].since < 0 || s->watch.since == rows[i].since, row);
	EXPECT_ROW(s->watch.busy_ms == rows[i].busy_ms && s->watch.throttled == rows[i].throttled, row);
	EXPECT_ROW(s->watch.asked || err->fault == FAULT_BROKEN, row);
}

/* A fresh grant was in the safe when the next question came: that is the turn after it was given. */
static void check_kept(const struct scene *s, const struct turn *turns, const char *row)
{
	size_t granted = 0;

	for (size_t i = 0; turns[i].asked; i++)
		if (turns[i].answer && strcmp(turns[i].answer, GRANTED) == 0)
			granted = i + 1;
	EXPECT_ROW(s->kept_before == (s->set->no_safe ? 0 : granted), row);
	EXPECT_ROW(!granted || s->set->no_safe || s->turns > 0, row);
}

TEST(what_is_asked_and_what_is_told)
{
	for (int piecemeal = 0; piecemeal < 2; piecemeal++)
		for (size_t i = 0; i < COUNT(rows); i++) {
			struct error err = { 0 };
			struct scene s;

			scene_open(&s, &rows[i].set, rows[i].turn, rows[i].name);
			s.p.piecemeal = piecemeal;
			EXPECT_ROW(web_peer_run(&s.p, watch_step, &s, &err) == (rows[i].fault == FAULT_NONE), rows[i].name);
			check(&s, i, &err);
			check_kept(&s, rows[i].turn, rows[i].name);
			if (s.watch.report)
				no_step_is_running(s.watch.report, rows[i].name);
			scene_close(&s);
			web_peer_end(&s.p);
		}
}

/* The code of an error that comes behind what went well is in the report, and so is what was wrong with the page. */
TEST(an_error_in_the_midst_is_told)
{
	static const struct set  set = { .delta = LINK("d=1"), .rounds = 1 };
	static const struct turn turns[] = { ME(OLD), ON(OLD, "d=1", "50", JSON("200 OK", "{\"value\":[],\"error\":{\"code\":\"ErrorServerBusy\"}}")), { 0 } };
	struct error             err = { 0 };
	struct scene             s;
	int                      step;

	scene_open(&s, &set, turns, "in the midst");
	EXPECT(!web_peer_run(&s.p, watch_step, &s, &err) && err.fault == FAULT_BROKEN);
	step = (int)s.watch.report->step_count - 1;
	EXPECT_TEXT(s.watch.report->step[step].id, "microsoft.watch");
	EXPECT_TEXT(report_value(s.watch.report, step, FACT_GRAPH_CODE), "ErrorServerBusy");
	EXPECT_TEXT(report_value(s.watch.report, step, FACT_REPLY_BROKEN), "an error in the midst of the page: ErrorServerBusy");
	scene_close(&s);
	web_peer_end(&s.p);
}

/* As many as come, news or not, of a page of any size. */
TEST(a_page_with_many)
{
	enum { MANY = 300 };
	static const struct set set = { .delta = LINK("d=1"), .since = DAY(20), .rounds = 1 };
	struct turn             turns[] = { ME(OLD), ON(OLD, "d=1", "50", NULL), { 0 } };
	struct buffer           b;
	struct error            err = { 0 };
	struct scene            s;

	buffer_init(&b, 1 << 20);
	buffer_print(&b, "200 OK\nContent-Type: application/json\n\n{\"value\":[");
	for (int i = 0; i < MANY; i++)
		buffer_print(&b, "%s{\"id\":\"m%d\",\"subject\":\"number %d\",\"receivedDateTime\":\"2026-11-%dT06:00:00Z\"}", i ? "," : "", i, i, i % 3 ? 22 : 19);
	buffer_print(&b, "],\"@odata.deltaLink\":\"" LINK("d=2") "\"}%c", 0);
	turns[1].answer = buffer_held(&b).at;
	scene_open(&s, &set, turns, "many");
	EXPECT(web_peer_run(&s.p, watch_step, &s, &err) && s.watch.count == MANY - MANY / 3);
	for (size_t i = 0; i < s.watch.count; i++) {
		char id[20], subject[20];

		snprintf(id, sizeof id, "m%zu", i + i / 2 + 1);
		snprintf(subject, sizeof subject, "number %zu", i + i / 2 + 1);
		EXPECT_TEXT(s.watch.news[i].remote_id, id);
		EXPECT_TEXT(s.watch.news[i].subject, subject);
	}
	scene_close(&s);
	web_peer_end(&s.p);
	buffer_release(&b);
}

/* Parked there is a struct and a link. */
TEST(parked_it_holds_nothing)
{
	struct scene s;

	scene_open(&s, &rows[2].set, rows[2].turn, "parked");
	microsoft_watch_park(&s.watch);
	EXPECT(!s.watch.session && !s.watch.report && !s.watch.page && !s.watch.reading && s.watch.delta_link);
	scene_close(&s);
	buffer_release(&s.p.heard);
	buffer_release(&s.p.say);
}

/* Whatever is cut, wherever: the link stays what it was, and whatever is told then is told again. */
TEST(a_round_cut_at_every_byte)
{
	static const struct set  set = { .delta = LINK("d=1"), .since = DAY(20), .expires_at = NOW + 200, .rounds = 1 };
	static const struct turn turns[] = { ME(OLD), REFRESH(GRANTED), ON(NEW, "d=1", "50", NEXT(LINK("n=1"), MAIL("a", "22"))), ON(NEW, "n=1", "50", DELTA(LINK("d=2"), MAIL("b", "22"))) };

	for (size_t t = 2; t < COUNT(turns); t++) {
		struct web_peer whole;
		size_t          len;

		web_peer_init(&whole, turns, "cut");
		put_answer(&whole, turns[t].answer);
		len = buffer_held(&whole.say).len;
		for (size_t cut = 1; cut < len; cut++) {
			CLEANUP(arena) struct arena *job = arena_new();
			struct turn  cuts[5] = { { 0 } };
			struct error err = { 0 };
			struct scene s;

			for (size_t i = 0; i < t; i++)
				cuts[i] = turns[i];
			cuts[t] = (struct turn){ turns[t].asked, arena_print(job, "!%.*s", (int)cut, buffer_held(&whole.say).at), ENDS };
			scene_open(&s, &set, cuts, "cut");
			EXPECT(!web_peer_run(&s.p, watch_step, &s, &err));
			EXPECT(err.fault == FAULT_NETWORK || err.fault == FAULT_BROKEN);
			EXPECT_TEXT(s.watch.delta_link, LINK("d=1"));
			EXPECT_TEXT(s.news, t == 2 ? "" : TOLD("a"));
			EXPECT(s.watch.since == DAY(20));
			scene_close(&s);
			web_peer_end(&s.p);
		}
		buffer_release(&whole.heard);
		buffer_release(&whole.say);
	}
}

/* Between seven and nine eighths of what it is set to, or not less than a busy server says. */
TEST(waits_have_dice)
{
	for (int busy = 0; busy < 2; busy++)
		for (int n = 0; n < 200; n++) {
			struct microsoft_watch watch = { .poll_ms = 60000, .rest_ms = 60000, .busy_ms = busy ? 60000 : 0 };
			struct want            w = { 0 };
			struct error           err = { 0 };

			EXPECT(microsoft_watch_wait_step(&watch, &w, &err) == WANT_TIME);
			EXPECT(w.wait_ms >= (busy ? 60000 : 52500) && w.wait_ms <= 67500);
			EXPECT(microsoft_watch_wait_step(&watch, &w, &err) == WANT_NOTHING);
		}
}
