/* The watch of Gmail against a scripted server, and the safe that a fresh grant is put into before it is used. Time is not spent. */
#include "provider/google_watch.h"

#include "base/secret.h"
#include "model/facts.h"
#include "provider/promises.h"
#include "web_peer.h"

#define APP    "481516234200-mailmoor.apps.googleusercontent.com"
#define OLD    "ya29.old-token"
#define NEW    "ya29.new-token"
#define THEIRS "ya29.their-token"
#define R0     "1//0refresh-of-old"
#define R1     "1//0refresh-of-theirs"
#define SCOPES "https://mail.google.com/"
#define BOTH   SCOPES " https://www.googleapis.com/auth/calendar"
#define NOW    1795248000      /* web_peer_run()'s */
#define SAID   400

enum what_is_kept { FRESH, SOMEBODY_ELSES, NOTHING_AT_ALL };

struct set {                      /* all but the usual */
	const char       *history;
	int64_t           since, expires_at;
	int               rounds;
	enum what_is_kept kept;
	bool              no_safe;
};

struct scene {
	const struct set   *set;
	struct google_app   app;
	struct oauth_grant  grant, in_safe;
	struct oauth_safe   safe;
	struct errand       errand;
	struct web_peer    *peer;
	size_t              kept_before;       /* that turn */
	struct google_watch watch;
	int                 step, rounds, turns;
	char                news[SAID];
	struct web_peer     p;
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

/* Google's answer brings no refresh token: the one that was there is kept. */
static struct errand *keep(void *self, const struct oauth_grant *fresh)
{
	struct scene *s = self;

	EXPECT_TEXT(fresh->access_token, NEW);
	EXPECT_TEXT(fresh->refresh_token, R0);
	EXPECT(fresh->expires_at == NOW + 3599 && strcmp(fresh->scope, SCOPES) == 0);
	s->kept_before = s->peer->at;
	s->errand.begin = begin;
	return &s->errand;
}

static bool kept(void *self, struct arena *into, struct oauth_grant *now)
{
	struct scene *s = self;
	bool          fresh = s->set->kept == FRESH;

	*now = (struct oauth_grant){ arena_str(into, fresh ? NEW : THEIRS), arena_str(into, fresh ? R0 : R1), SCOPES, NOW + 3599, 0 };
	s->in_safe = (struct oauth_grant){ fresh ? NEW : THEIRS, fresh ? R0 : R1, SCOPES, NOW + 3599, 0 };
	return s->set->kept != NOTHING_AT_ALL;
}

/* -- a mailbox ---------------------------------------------------------------------------------------------------- */

static void at_numbers(struct scene *s)
{
	/* by number: nobody answers for names here */
	static const char *const hosts[GOOGLE_PLACES] = { "192.0.2.7", "192.0.2.8", "192.0.2.9", "192.0.2.10" };

	for (enum google_place p = 0; p < GOOGLE_PLACES; p++)
		s->watch.session->line[p].endpoint.host = hosts[p];
}

static void scene_open(struct scene *s, const struct set *set, const struct turn *turns, const char *row)
{
	*s = (struct scene){ .set = set, .app = { .client_id = APP }, .rounds = set->rounds };
	s->grant = (struct oauth_grant){ OLD, R0, SCOPES, set->expires_at ? set->expires_at : NOW + 3600, 0 };
	s->safe = (struct oauth_safe){ .self = s, .ahead_s = 300, .turn = turn_of, .keep = keep, .kept = kept };
	s->peer = &s->p;
	web_peer_init(&s->p, turns, row);
	google_watch_init(&s->watch, &(struct google_access){ .app = &s->app, .safe = set->no_safe ? NULL : &s->safe, .grant = &s->grant,
		.address = "ann@birch.example", .waits = waits_within(30000) }, set->history, set->since);
	at_numbers(s);
}

static void scene_close(struct scene *s)
{
	google_watch_release(&s->watch);
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
		PASS(google_watch_open_step(&s->watch, w, err));
		while (s->rounds-- > 0) {
	STEP(s, NEWS):
			PASS(google_watch_news_step(&s->watch, w, err));
			take_news(s);
			if (s->in_safe.access_token)
				s->grant = s->in_safe;
			if (s->watch.more) {
				s->step = NEWS;
				return watch_step(s, w, err);
			}
			if (!s->rounds)
				return WANT_NOTHING;
			google_watch_park(&s->watch);
			google_watch_told(&s->watch);
	STEP(s, WAIT):
			PASS(google_watch_wait_step(&s->watch, w, err));
			google_watch_wake(&s->watch);
			at_numbers(s);
		}
	}
	return WANT_NOTHING;
}

/* -- what is said ------------------------------------------------------------------------------------------------- */

#define JSON(status, body)  status "\nContent-Type: application/json; charset=UTF-8\n\n" body
#define BEARER(with)        "\nHost: 192.0.2.9\nAuthorization: Bearer " with
#define ME(with)            { "GET /gmail/v1/users/me/profile HTTP/1.1" BEARER(with), PROFILE("700"), KEEPS }
#define MOMENT(id)          { "GET /gmail/v1/users/me/profile HTTP/1.1" BEARER(OLD), PROFILE(id), KEEPS }
#define PROFILE(id)         JSON("200 OK", "{\"emailAddress\":\"ann@birch.example\",\"messagesTotal\":3,\"historyId\":\"" id "\"}")
#define HISTORY             "GET /gmail/v1/users/me/history?startHistoryId="
#define TYPES               "&historyTypes=messageAdded&historyTypes=labelAdded&maxResults=100"
#define ON(with, id, answer)       { HISTORY id TYPES " HTTP/1.1" BEARER(with), answer, KEEPS }
#define PAGE(with, id, to, answer) { HISTORY id TYPES "&pageToken=" to " HTTP/1.1" BEARER(with), answer, KEEPS }
#define LIST(answer)        { "GET /gmail/v1/users/me/messages?labelIds=INBOX&maxResults=50 HTTP/1.1" BEARER(OLD), answer, KEEPS }
#define LIST_ON(to, answer) { "GET /gmail/v1/users/me/messages?labelIds=INBOX&maxResults=50&pageToken=" to " HTTP/1.1" BEARER(OLD), answer, KEEPS }
#define GET(with, id, answer) { "GET /gmail/v1/users/me/messages/" id "?format=metadata&metadataHeaders=Subject&metadataHeaders=From&metadataHeaders=To&metadataHeaders=Message-ID&metadataHeaders=In-Reply-To&metadataHeaders=X-Mailmoor-Test HTTP/1.1" BEARER(with), answer, KEEPS }
#define REFRESH(answer)     { "POST /token\nHost: 192.0.2.7\ngrant_type=refresh_token\nrefresh_token=1%2F%2F0refresh-of-old\n!Authorization", answer, KEEPS }
#define ADDED(id)           "{\"id\":\"1\",\"messagesAdded\":[{\"message\":{\"id\":\"" id "\",\"threadId\":\"t\",\"labelIds\":[\"UNREAD\",\"INBOX\"]}}]}"
#define MOVED(id)           "{\"id\":\"1\",\"labelsAdded\":[{\"message\":{\"id\":\"" id "\",\"threadId\":\"t\"},\"labelIds\":[\"INBOX\"]}]}"
#define SENT(id)            "{\"id\":\"1\",\"messagesAdded\":[{\"message\":{\"id\":\"" id "\",\"threadId\":\"t\",\"labelIds\":[\"SENT\"]}}]}"
#define LAST(id, items)     JSON("200 OK", "{\"history\":[" items "],\"historyId\":\"" id "\"}")
#define NEXT(to, items)     JSON("200 OK", "{\"history\":[" items "],\"nextPageToken\":\"" to "\",\"historyId\":\"900\"}")
#define NONE(id)            JSON("200 OK", "{\"historyId\":\"" id "\"}")
#define IDS(items)          JSON("200 OK", "{\"messages\":[" items "],\"resultSizeEstimate\":2}")
#define IDS_ON(to, items)   JSON("200 OK", "{\"messages\":[" items "],\"nextPageToken\":\"" to "\"}")
#define ID(id)              "{\"id\":\"" id "\",\"threadId\":\"t\"}"
#define MAIL_WITH(id, ms, more) JSON("200 OK", "{\"id\":\"" id "\",\"labelIds\":[\"INBOX\"],\"internalDate\":\"" ms "\",\"payload\":{\"headers\":[{\"name\":\"Subject\",\"value\":\"s\"},{\"name\":\"From\",\"value\":\"Bob <bob@oak.example>\"}" more "]}}")
#define MAIL(id, ms)        MAIL_WITH(id, ms, "")
#define OURS                ",{\"name\":\"X-Mailmoor-Test\",\"value\":\"abc\"}"
#define TOLD(id)            id ":s:bob@oak.example"
#define ERROR(status, reason) JSON(status, "{\"error\":{\"code\":4,\"message\":\"m\",\"errors\":[{\"domain\":\"d\",\"reason\":\"" reason "\",\"message\":\"m\"}]}}")
#define GONE                ERROR("404 Not Found", "notFound")
#define GRANTED             JSON("200 OK", "{\"token_type\":\"Bearer\",\"scope\":\"" SCOPES "\",\"expires_in\":3599,\"access_token\":\"" NEW "\"}")
#define ENDED               JSON("400 Bad Request", "{\"error\":\"invalid_grant\",\"error_description\":\"Token has been expired or revoked.\"}")

/* Days of November 2026, at six. */
#define D03 "1793685600000"
#define D19 "1795068000000"
#define D21 "1795240800000"
#define D22 "1795327200000"
#define DAY(n) (INT64_C(1793404800) + 86400 * (n))

#define TURNS 12

static const struct {
	const char *name;
	struct set  set;
	struct turn turn[TURNS];
	enum fault  fault;
	const char *news, *history;        /* history NULL: none is known */
	int64_t     since;                 /* -1: not looked at           */
	int         busy_ms;
	unsigned    throttled;
} rows[] = {
	{ "known from now on, and then told", { .rounds = 2 }, { ME(OLD), ON(OLD, "700", NONE("700")), ON(OLD, "700", LAST("705", ADDED("a"))), GET(OLD, "a", MAIL("a", D22)) },
	  FAULT_NONE, TOLD("a"), "705", NOW, 0, 0 },
	{ "by Google's clock", { .rounds = 0 }, { { "GET /gmail/v1/users/me/profile", "200 OK\nContent-Type: application/json\nDate: Sat, 21 Nov 2026 06:00:00 GMT\n\n{\"emailAddress\":\"ann@birch.example\",\"historyId\":\"700\"}", KEEPS } },
	  FAULT_NONE, "", "700", 1795240800, 0, 0 },
	{ "a mailbox that says no moment", { .rounds = 1 }, { { "GET /gmail/v1/users/me/profile", JSON("200 OK", "{\"emailAddress\":\"ann@birch.example\"}"), KEEPS } }, FAULT_BROKEN, "", NULL, -1, 0, 0 },
	{ "where it was left", { .history = "500", .since = DAY(20), .rounds = 1 }, { ME(OLD), ON(OLD, "500", NEXT("p=1", ADDED("a"))), GET(OLD, "a", MAIL("a", D21)), PAGE(OLD, "500", "p%3D1", LAST("520", ADDED("b"))), GET(OLD, "b", MAIL("b", D22)) },
	  FAULT_NONE, TOLD("a") " " TOLD("b"), "520", DAY(21) + 6 * 3600, 0, 0 },
	{ "what is sent, what has arrived twice", { .history = "500", .since = DAY(20), .rounds = 1 }, { ME(OLD), ON(OLD, "500", LAST("501", SENT("x") "," ADDED("a") "," MOVED("a"))), GET(OLD, "a", MAIL("a", D21)) }, FAULT_NONE, TOLD("a"), "501", -1, 0, 0 },
	{ "an old one that arrives now", { .history = "500", .since = DAY(20), .rounds = 1 }, { ME(OLD), ON(OLD, "500", LAST("501", ADDED("a"))), GET(OLD, "a", MAIL("a", D03)) }, FAULT_NONE, TOLD("a"), "501", DAY(20), 0, 0 },
	{ "an old one that is moved back, a young one that was no spam", { .history = "500", .since = DAY(20), .rounds = 1 }, { ME(OLD), ON(OLD, "500", LAST("501", MOVED("a") "," MOVED("b"))), GET(OLD, "a", MAIL("a", D19)), GET(OLD, "b", MAIL("b", D21)) },
	  FAULT_NONE, TOLD("b"), "501", -1, 0, 0 },
	{ "gone by then", { .history = "500", .since = DAY(20), .rounds = 1 }, { ME(OLD), ON(OLD, "500", LAST("501", ADDED("a") "," ADDED("b"))), GET(OLD, "a", GONE), GET(OLD, "b", MAIL("b", D21)) }, FAULT_NONE, TOLD("b"), "501", -1, 0, 0 },
	{ "our own test message", { .history = "500", .since = DAY(20), .rounds = 1 }, { ME(OLD), ON(OLD, "500", LAST("501", ADDED("a"))), GET(OLD, "a", MAIL_WITH("a", D21, OURS)) }, FAULT_NONE, "", "501", -1, 0, 0 },
	{ "no text of it but its id", { .history = "500", .since = DAY(20), .rounds = 1 }, { ME(OLD), ON(OLD, "500", LAST("501", ADDED("a"))), GET(OLD, "a", JSON("200 OK", "{\"id\":\"a\"}")) }, FAULT_NONE, "a:-:-", "501", -1, 0, 0 },
	{ "a subject of several lines, in a sign of its own", { .history = "500", .since = DAY(20), .rounds = 1 }, { ME(OLD), ON(OLD, "500", LAST("501", ADDED("a"))),
	  GET(OLD, "a", JSON("200 OK", "{\"id\":\"a\",\"payload\":{\"headers\":[{\"name\":\"Subject\",\"value\":\"x\\r\\n =?utf-8?q?y?=\"}]}}")) }, FAULT_NONE, "a:x y:-", "501", -1, 0, 0 },

	/* -- forgotten */
	{ "forgotten: the present moment first, then the inbox, the newest first", { .history = "500", .since = DAY(20), .rounds = 1 }, { ME(OLD), ON(OLD, "500", GONE), MOMENT("888"), LIST(IDS_ON("p2", ID("b") "," ID("a"))), GET(OLD, "b", MAIL("b", D22)),
	  GET(OLD, "a", MAIL("a", D19)), LIST_ON("p2", IDS_ON("p3", ID("c"))), GET(OLD, "c", MAIL("c", D03)) }, FAULT_NONE, TOLD("b"), "888", DAY(21) + 6 * 3600, 0, 0 },
	{ "forgotten, and the inbox is empty", { .history = "500", .since = DAY(20), .rounds = 2 }, { ME(OLD), ON(OLD, "500", GONE), MOMENT("888"), LIST(IDS("")), ON(OLD, "888", NONE("889")) }, FAULT_NONE, "", "889", DAY(20), 0, 0 },
	{ "in no words at all", { .history = "500", .since = DAY(20), .rounds = 1 }, { ME(OLD), ON(OLD, "500", "404 Not Found\n\n"), MOMENT("888"), LIST(JSON("200 OK", "{}")) }, FAULT_NONE, "", "888", -1, 0, 0 },
	{ "in the midst of a round", { .history = "500", .since = DAY(20), .rounds = 1 }, { ME(OLD), ON(OLD, "500", NEXT("p1", ADDED("a"))), GET(OLD, "a", MAIL("a", D21)), PAGE(OLD, "500", "p1", GONE), MOMENT("888"), LIST(IDS(ID("a"))), GET(OLD, "a", MAIL("a", D21)) },
	  FAULT_NONE, TOLD("a") " " TOLD("a"), "888", -1, 0, 0 },
	{ "who has forgotten says no moment", { .history = "500", .since = DAY(20), .rounds = 1 }, { ME(OLD), ON(OLD, "500", GONE), { "GET /gmail/v1/users/me/profile", JSON("200 OK", "{\"emailAddress\":\"ann@birch.example\"}"), KEEPS } }, FAULT_BROKEN, "", "500", -1, 0, 0 },
	{ "an inbox that is not there either", { .history = "500", .since = DAY(20), .rounds = 1 }, { ME(OLD), ON(OLD, "500", GONE), MOMENT("888"), LIST(GONE) }, FAULT_REFUSED, "", "500", -1, 0, 0 },
	{ "busy between the two", { .history = "500", .since = DAY(20), .rounds = 2 }, { ME(OLD), ON(OLD, "500", GONE), MOMENT("888"), LIST("429 Too Many Requests\nRetry-After: 70\n\n"), LIST(IDS(ID("a"))), GET(OLD, "a", MAIL("a", D22)) },
	  FAULT_NONE, TOLD("a"), "888", -1, 0, 1 },

	/* -- no end */
	{ "round in a ring", { .history = "500", .rounds = 1 }, { ME(OLD), ON(OLD, "500", NEXT("p1", "")), PAGE(OLD, "500", "p1", NEXT("p1", "")) }, FAULT_BROKEN, "", "500", -1, 0, 0 },

	/* -- busy, broken */
	{ "busy for so long", { .history = "500", .rounds = 2 }, { ME(OLD), ON(OLD, "500", "429 Too Many Requests\nRetry-After: 400\n\n"), ON(OLD, "500", "503 Service Unavailable\nRetry-After: 90\n\n") }, FAULT_NONE, "", "500", -1, 90000, 2 },
	{ "a limit, told by a 403; ever longer", { .history = "500", .rounds = 3 }, { ME(OLD), ON(OLD, "500", ERROR("403 Forbidden", "userRateLimitExceeded")), ON(OLD, "500", ERROR("403 Forbidden", "rateLimitExceeded")), ON(OLD, "500", ERROR("429 Too Many Requests", "rateLimitExceeded")) },
	  FAULT_NONE, "", "500", -1, 480000, 3 },
	{ "and short again once it was well", { .history = "500", .rounds = 3 }, { ME(OLD), ON(OLD, "500", ERROR("403 Forbidden", "quotaExceeded")), ON(OLD, "500", NONE("501")), ON(OLD, "501", ERROR("403 Forbidden", "quotaExceeded")) }, FAULT_NONE, "", "501", -1, 120000, 2 },
	{ "for less than a poll", { .history = "500", .rounds = 1 }, { ME(OLD), ON(OLD, "500", "504 Gateway Timeout\nRetry-After: 1\n\n<html>") }, FAULT_NONE, "", "500", -1, 60000, 1 },
	{ "for more than an hour", { .history = "500", .rounds = 1 }, { ME(OLD), ON(OLD, "500", "503 Service Unavailable\nRetry-After: 86400\n\n") }, FAULT_NONE, "", "500", -1, 3600000, 1 },
	{ "busy amid the messages: those that were read are told with the others", { .history = "500", .since = DAY(20), .rounds = 2 }, { ME(OLD), ON(OLD, "500", LAST("501", ADDED("a") "," ADDED("b"))), GET(OLD, "a", MAIL("a", D21)), GET(OLD, "b", ERROR("403 Forbidden", "userRateLimitExceeded")),
	  GET(OLD, "a", MAIL("a", D21)), GET(OLD, "b", MAIL("b", D22)) }, FAULT_NONE, TOLD("a") " " TOLD("b"), "501", -1, 0, 1 },
	{ "busy at its opening", { .history = "500", .rounds = 1 }, { { "GET /gmail/v1/users/me/profile", "429 Too Many Requests\nRetry-After: 400\n\n", KEEPS } }, FAULT_BUSY, "", "500", -1, 400000, 1 },
	{ "down", { .history = "500", .rounds = 1 }, { ME(OLD), ON(OLD, "500", "500 Internal Server Error\n\n") }, FAULT_REFUSED, "", "500", -1, 0, 0 },
	{ "a 403 that is no limit", { .history = "500", .rounds = 1 }, { ME(OLD), ON(OLD, "500", ERROR("403 Forbidden", "domainPolicy")) }, FAULT_REFUSED, "", "500", -1, 0, 0 },
	{ "a message that may not be read", { .history = "500", .rounds = 1 }, { ME(OLD), ON(OLD, "500", LAST("501", ADDED("a"))), GET(OLD, "a", ERROR("403 Forbidden", "insufficientPermissions")) }, FAULT_REFUSED, "", "500", -1, 0, 0 },
	{ "a page, but none of Gmail's", { .history = "500", .rounds = 1 }, { ME(OLD), ON(OLD, "500", "200 OK\n\n<html>sign in</html>") }, FAULT_BROKEN, "", "500", -1, 0, 0 },
	{ "a page without a moment", { .history = "500", .rounds = 1 }, { ME(OLD), ON(OLD, "500", JSON("200 OK", "{\"history\":[]}")) }, FAULT_BROKEN, "", "500", -1, 0, 0 },
	{ "an id that would be a path", { .history = "500", .rounds = 1 }, { ME(OLD), ON(OLD, "500", LAST("501", ADDED("../../x"))) }, FAULT_BROKEN, "", "500", -1, 0, 0 },
	{ "an answer without a body", { .history = "500", .rounds = 1 }, { ME(OLD), ON(OLD, "500", "200 OK\n\n") }, FAULT_BROKEN, "", "500", -1, 0, 0 },

	/* -- the grant */
	{ "renewed ahead of its end, kept, then used", { .history = "500", .expires_at = NOW + 200, .rounds = 2 }, { ME(OLD), REFRESH(GRANTED), ON(NEW, "500", NONE("501")), ON(NEW, "501", NONE("502")) }, FAULT_NONE, "", "502", -1, 0, 0 },
	{ "too early for that", { .history = "500", .expires_at = NOW + 301, .rounds = 1 }, { ME(OLD), ON(OLD, "500", NONE("501")) }, FAULT_NONE, "", "501", -1, 0, 0 },
	{ "refused by Gmail, renewed", { .history = "500", .rounds = 1 }, { ME(OLD), ON(OLD, "500", ERROR("401 Unauthorized", "authError")), REFRESH(GRANTED), ON(NEW, "500", NONE("501")) }, FAULT_NONE, "", "501", -1, 0, 0 },
	{ "refused amid the messages, renewed", { .history = "500", .rounds = 1 }, { ME(OLD), ON(OLD, "500", LAST("501", ADDED("a") "," ADDED("b"))), GET(OLD, "a", MAIL("a", D21)), GET(OLD, "b", ERROR("401 Unauthorized", "authError")), REFRESH(GRANTED), GET(NEW, "b", MAIL("b", D21)) },
	  FAULT_NONE, TOLD("a") " " TOLD("b"), "501", -1, 0, 0 },
	{ "refused again", { .history = "500", .rounds = 1 }, { ME(OLD), ON(OLD, "500", ERROR("401 Unauthorized", "authError")), REFRESH(GRANTED), ON(NEW, "500", ERROR("401 Unauthorized", "authError")) }, FAULT_REFUSED, "", "500", -1, 0, 0 },
	{ "somebody else's is newer", { .history = "500", .expires_at = NOW + 200, .rounds = 2, .kept = SOMEBODY_ELSES }, { ME(OLD), REFRESH(GRANTED), ON(THEIRS, "500", NONE("501")), ON(THEIRS, "501", NONE("502")) }, FAULT_NONE, "", "502", -1, 0, 0 },
	{ "not kept: not used", { .history = "500", .expires_at = NOW + 200, .rounds = 1, .kept = NOTHING_AT_ALL }, { ME(OLD), REFRESH(GRANTED) }, FAULT_LOCAL, "", "500", -1, 0, 0 },
	{ "the token endpoint is down, and there is time", { .history = "500", .expires_at = NOW + 200, .rounds = 1 }, { ME(OLD), REFRESH("503 Service Unavailable\nRetry-After: 30\n\n"), ON(OLD, "500", NONE("501")) }, FAULT_NONE, "", "501", -1, 0, 0 },
	{ "its answer is lost: the same refresh token brings another", { .history = "500", .expires_at = NOW + 200, .rounds = 2 }, { ME(OLD), { "POST /token\nrefresh_token=1%2F%2F0refresh-of-old", "!HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{", ENDS }, ON(OLD, "500", NONE("501")),
	  REFRESH(GRANTED), ON(NEW, "501", NONE("502")) }, FAULT_NONE, "", "502", -1, 0, 0 },
	{ "ended at Google", { .history = "500", .expires_at = NOW + 200, .rounds = 1 }, { ME(OLD), REFRESH(ENDED) }, FAULT_REFUSED, "", "500", -1, 0, 0 },
	{ "run out, and the token endpoint is down", { .history = "500", .expires_at = NOW - 5, .rounds = 1 }, { REFRESH("503 Service Unavailable\nRetry-After: 30\n\n") }, FAULT_BUSY, "", "500", -1, 60000, 1 },
	{ "run out: renewed and kept before anything is asked", { .history = "500", .expires_at = NOW - 5, .rounds = 1 }, { REFRESH(GRANTED), ME(NEW), ON(NEW, "500", NONE("501")) }, FAULT_NONE, "", "501", -1, 0, 0 },
	{ "no safe", { .history = "500", .expires_at = NOW + 50, .rounds = 1, .no_safe = true }, { REFRESH(GRANTED), ME(NEW), ON(NEW, "500", NONE("501")) }, FAULT_NONE, "", "501", -1, 0, 0 },
	{ "somebody else's mailbox", { .history = "500", .rounds = 1 }, { { "GET /gmail/v1/users/me/profile", JSON("200 OK", "{\"emailAddress\":\"bob@birch.example\",\"historyId\":\"1\"}"), KEEPS }, { "GET /gmail/v1/users/me/settings/sendAs", JSON("200 OK", "{\"sendAs\":[]}"), KEEPS },
	  { "GET /v1/userinfo", JSON("200 OK", "{\"email\":\"bob@birch.example\"}"), KEEPS } }, FAULT_REFUSED, "", "500", -1, 0, 0 },
};

static void check(struct scene *s, size_t i, const struct error *err)
{
	const char *row = rows[i].name;

	EXPECT_ROW(err->fault == rows[i].fault, row);
	EXPECT_ROW(strcmp(s->news, rows[i].news) == 0, row);
	EXPECT_ROW(rows[i].history ? s->watch.history && strcmp(s->watch.history, rows[i].history) == 0 : !s->watch.history, row);
	EXPECT_ROW(rows[i].since < 0 || s->watch.since == rows[i].since, row);
	EXPECT_ROW(s->watch.busy_ms == rows[i].busy_ms && s->watch.throttled == rows[i].throttled, row);
	EXPECT_ROW(s->watch.asked, row);
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

/* More than are told at once: so many at a time, each of them kept before the next are asked for; one page, one line. */
TEST(a_page_with_many)
{
	enum { MANY = GOOGLE_NEWS_MOST + 7 };
	static const struct set set = { .history = "500", .since = DAY(20), .rounds = 1 };
	static struct turn      turns[MANY + 3];
	CLEANUP(arena) struct arena *job = arena_new();
	struct error            err = { 0 };
	struct scene            s;
	const char             *page = "200 OK\nContent-Type: application/json\n\n{\"historyId\":\"501\",\"history\":[";

	turns[0] = (struct turn){ "GET /gmail/v1/users/me/profile", PROFILE("1"), KEEPS };
	for (int i = 0; i < MANY; i++) {
		page = arena_print(job, "%s%s{\"messagesAdded\":[{\"message\":{\"id\":\"m%d\",\"labelIds\":[\"INBOX\"]}}]}", page, i ? "," : "", i);
		turns[2 + i] = (struct turn){ arena_print(job, "GET /gmail/v1/users/me/messages/m%d?", i),
			arena_print(job, "200 OK\n\n{\"id\":\"m%d\",\"internalDate\":\"" D21 "\"}", i), KEEPS };
	}
	turns[1] = (struct turn){ HISTORY "500", arena_print(job, "%s]}", page), KEEPS };
	scene_open(&s, &set, turns, "many");
	EXPECT(web_peer_run(&s.p, google_watch_open_step, &s.watch, &err));
	EXPECT(web_peer_run(&s.p, google_watch_news_step, &s.watch, &err));
	EXPECT(s.watch.more && s.watch.count == GOOGLE_NEWS_MOST && s.watch.polls == 1);
	EXPECT_TEXT(s.watch.history, "500");
	EXPECT(web_peer_run(&s.p, google_watch_news_step, &s.watch, &err));
	EXPECT(!s.watch.more && s.watch.count == 7 && s.watch.polls == 1 && s.p.connects == 1);
	EXPECT_TEXT(s.watch.news[6].remote_id, "m56");
	EXPECT_TEXT(s.watch.history, "501");
	scene_close(&s);
	web_peer_end(&s.p);
}

/* Parked there is a struct and the moment; and the ids that are left, where Gmail broke it off. */
TEST(parked_it_holds_nothing)
{
	static const struct turn turns[] = { ME(OLD), ON(OLD, "500", LAST("501", ADDED("a"))), GET(OLD, "a", MAIL("a", D21)), { 0 } };
	static const struct set  set = { .history = "500", .since = DAY(20), .rounds = 1 };
	struct error             err = { 0 };
	struct scene             s;

	scene_open(&s, &set, turns, "parked");
	EXPECT(web_peer_run(&s.p, watch_step, &s, &err));
	google_watch_park(&s.watch);
	EXPECT(s.watch.count == 1);
	google_watch_told(&s.watch);
	EXPECT(!s.watch.session && !s.watch.report && !s.watch.page && !s.watch.ids && !s.watch.next && !s.watch.until && s.watch.history);
	scene_close(&s);
	web_peer_end(&s.p);
}

/* Whatever is cut, wherever: the moment stays what it was, and whatever is told then is told again. */
TEST(a_round_cut_at_every_byte)
{
	static const struct set  set = { .history = "500", .since = DAY(20), .expires_at = NOW + 200, .rounds = 1 };
	static const struct turn turns[] = { ME(OLD), REFRESH(GRANTED), ON(NEW, "500", NEXT("p1", ADDED("a"))), GET(NEW, "a", MAIL("a", D21)), PAGE(NEW, "500", "p1", LAST("501", ADDED("b"))),
		GET(NEW, "b", MAIL("b", D21)) };

	for (size_t t = 2; t < COUNT(turns); t++) {
		struct web_peer whole;
		size_t          len;

		web_peer_init(&whole, turns, "cut");
		put_answer(&whole, turns[t].answer);
		len = buffer_held(&whole.say).len;
		for (size_t cut = 1; cut < len; cut++) {
			CLEANUP(arena) struct arena *job = arena_new();
			struct turn  cuts[8] = { { 0 } };
			struct error err = { 0 };
			struct scene s;

			for (size_t i = 0; i < t; i++)
				cuts[i] = turns[i];
			cuts[t] = (struct turn){ turns[t].asked, arena_print(job, "!%.*s", (int)cut, buffer_held(&whole.say).at), ENDS };
			scene_open(&s, &set, cuts, "cut");
			EXPECT(!web_peer_run(&s.p, watch_step, &s, &err));
			EXPECT(err.fault == FAULT_NETWORK || err.fault == FAULT_BROKEN);
			EXPECT_TEXT(s.watch.history, "500");
			EXPECT_TEXT(s.news, t < 4 ? "" : TOLD("a"));
			EXPECT(s.watch.since == DAY(20));
			scene_close(&s);
			web_peer_end(&s.p);
		}
		buffer_release(&whole.heard);
		buffer_release(&whole.say);
	}
}

/* Between seven and nine eighths of what it is set to, or not less than a busy server says; and until somebody says that something happened. */
TEST(waits_have_dice_and_an_ear)
{
	struct google_watch watch = { .poll_ms = 60000, .rest_ms = 60000, .told = true };
	struct want         w = { 0 };
	struct error        err = { 0 };

	for (int busy = 0; busy < 2; busy++)
		for (int n = 0; n < 200; n++) {
			struct google_watch one = { .rest_ms = 60000, .busy_ms = busy ? 60000 : 0, .told = busy };

			EXPECT(google_watch_wait_step(&one, &w, &err) == WANT_TIME);
			EXPECT(w.wait_ms >= (busy ? 60000 : 52500) && w.wait_ms <= 67500);
		}
	EXPECT(google_watch_wait_step(&watch, &w, &err) == WANT_GATE && w.gate == &watch.rest.stirred);
	watch.rest.stirred.open = true;
	w.came = CAME;
	EXPECT(google_watch_wait_step(&watch, &w, &err) == WANT_NOTHING && watch.rest.woken);
	/* and a second of peace after that */
	EXPECT(google_watch_wait_step(&watch, &w, &err) == WANT_TIME && w.wait_ms == 1000);
}

/* -- the calendar ------------------------------------------------------------------------------------------------- */

#define EVENTS        "GET /calendar/v3/calendars/primary/events?maxResults=100&showDeleted=true&maxAttendees=1"
#define ALL(answer)   { EVENTS " HTTP/1.1\nHost: 192.0.2.10\nAuthorization: Bearer " OLD, answer, KEEPS }
#define SINCE(token, answer) { EVENTS "&syncToken=" token " HTTP/1.1\nHost: 192.0.2.10", answer, KEEPS }
#define SINCE_ON(token, page, answer) { EVENTS "&syncToken=" token "&pageToken=" page " HTTP/1.1\nHost: 192.0.2.10", answer, KEEPS }
#define ALL_ON(page, answer) { EVENTS "&pageToken=" page " HTTP/1.1\nHost: 192.0.2.10", answer, KEEPS }
#define SYNC(token, items) JSON("200 OK", "{\"items\":[" items "],\"nextSyncToken\":\"" token "\"}")
#define MORE(page, items)  JSON("200 OK", "{\"items\":[" items "],\"nextPageToken\":\"" page "\"}")
#define WHEN(id, created, updated, more) "{\"id\":\"" id "\",\"summary\":\"s\",\"created\":\"" created "\",\"updated\":\"" updated "\",\"start\":{\"dateTime\":\"2026-11-23T09:00:00+02:00\",\"timeZone\":\"Europe/Helsinki\"},\"end\":{\"dateTime\":\"2026-11-23T10:00:00+02:00\"}" more "}"
#define OLD_ONE(id)   WHEN(id, "2026-01-01T00:00:00Z", "2026-01-02T00:00:00.000Z", "")
#define TOUCHED(id)   WHEN(id, "2026-01-01T00:00:00Z", "2026-11-21T08:30:00Z", "")
#define FRESHLY(id)   WHEN(id, "2026-11-21T08:30:00Z", "2026-11-21T08:30:00Z", "")
#define REMOVED(id)   "{\"id\":\"" id "\",\"status\":\"cancelled\"}"
#define QUIET         ME(OLD), ON(OLD, "500", NONE("501"))

static const struct {
	const char *name, *sync, *page;
	int64_t     synced;
	struct turn turn[TURNS];
	const char *told, *after;      /* the token; NULL: none */
	unsigned    resets;
} dates[] = {
	{ "known from the first look on", NULL, NULL, 0, { QUIET, ALL(MORE("p1", OLD_ONE("a"))), ALL_ON("p1", SYNC("t1", FRESHLY("b"))) }, "", "t1", 0 },
	{ "added, changed, removed", "t1", NULL, DAY(21), { QUIET, SINCE("t1", SYNC("t2", FRESHLY("a") "," TOUCHED("b") "," REMOVED("c"))) }, "added:a:s changed:b:s removed:c:-", "t2", 0 },
	{ "in pages", "t1", NULL, DAY(21), { QUIET, SINCE("t1", MORE("p1", FRESHLY("a"))), SINCE_ON("t1", "p1", SYNC("t2", TOUCHED("b"))) }, "added:a:s changed:b:s", "t2", 0 },
	{ "where it broke off", "t1", "p1", DAY(21), { QUIET, SINCE_ON("t1", "p1", SYNC("t2", TOUCHED("b"))) }, "changed:b:s", "t2", 0 },
	{ "forgotten: all once more, and what has changed since", "t1", NULL, DAY(21), { QUIET, SINCE("t1", ERROR("410 Gone", "fullSyncRequired")), ALL(MORE("p1", OLD_ONE("x") "," TOUCHED("b"))), ALL_ON("p1", SYNC("t9", FRESHLY("a"))) },
	  "changed:b:s added:a:s", "t9", 1 },
	{ "a page that is forgotten", "t1", "p1", DAY(21), { QUIET, SINCE_ON("t1", "p1", ERROR("400 Bad Request", "invalid")), ALL(SYNC("t9", TOUCHED("b"))) }, "changed:b:s", "t9", 1 },
	{ "it forgets whatever it said", "t1", NULL, DAY(21), { QUIET, SINCE("t1", ERROR("410 Gone", "fullSyncRequired")), ALL(MORE("p1", "")), ALL_ON("p1", ERROR("410 Gone", "fullSyncRequired")) }, "", NULL, 1 },
	{ "off: the mailbox is watched all the same", "t1", NULL, DAY(21), { QUIET, SINCE("t1", ERROR("403 Forbidden", "notACalendarUser")) }, "", "t1", 0 },
	{ "busy", "t1", NULL, DAY(21), { QUIET, SINCE("t1", ERROR("403 Forbidden", "rateLimitExceeded")) }, "", "t1", 0 },
	{ "no JSON", "t1", NULL, DAY(21), { QUIET, SINCE("t1", "200 OK\n\n<html>") }, "", "t1", 0 },
	{ "neither on nor to an end", "t1", NULL, DAY(21), { QUIET, SINCE("t1", JSON("200 OK", "{\"items\":[]}")) }, "", "t1", 0 },
	{ "round in a ring", "t1", NULL, DAY(21), { QUIET, SINCE("t1", MORE("p1", "")), SINCE_ON("t1", "p1", MORE("p1", "")) }, "", "t1", 0 },
	{ "a line that breaks", "t1", NULL, DAY(21), { QUIET, { EVENTS, "!HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{", ENDS } }, "", "t1", 0 },
};

static char *text_of(const char *text)
{
	return text ? must_copy(text) : NULL;
}

static enum want_kind dates_step(void *self, struct want *w, struct error *err)
{
	struct scene *s = self;

	if (!s->step)
		PASS(google_watch_open_step(&s->watch, w, err));
	s->step = 1;
	do {
		PASS(google_watch_news_step(&s->watch, w, err));
		for (size_t i = 0; i < s->watch.entry_count; i++) {
			const struct calendar_change *c = &s->watch.entries[i].change;
			size_t                        len = strlen(s->news);

			EXPECT(!c->known || (c->start == 1795417200 && c->end == 1795420800));
			snprintf(s->news + len, SAID - len, "%s%s:%s:%s", len ? " " : "", calendar_change_name(c->kind), c->remote_id, c->title ? c->title : "-");
		}
	} while (s->watch.more);
	return WANT_NOTHING;
}

TEST(what_changes_in_the_calendar)
{
	static const struct set set = { .history = "500", .since = DAY(20) };

	for (size_t i = 0; i < COUNT(dates); i++) {
		struct error err = { 0 };
		struct scene s;

		scene_open(&s, &set, dates[i].turn, dates[i].name);
		s.grant.scope = BOTH;
		s.watch.sync = text_of(dates[i].sync);
		s.watch.sync_page = text_of(dates[i].page);
		s.watch.synced = dates[i].synced;
		EXPECT_ROW(web_peer_run(&s.p, dates_step, &s, &err) && !err.fault, dates[i].name);
		EXPECT_ROW(strcmp(s.news, dates[i].told) == 0, dates[i].name);
		EXPECT_ROW(dates[i].after ? s.watch.sync && strcmp(s.watch.sync, dates[i].after) == 0 : !s.watch.sync, dates[i].name);
		EXPECT_ROW(s.watch.calendar_resets == dates[i].resets && !s.watch.busy_ms, dates[i].name);
		EXPECT_TEXT(s.watch.history, "501");
		no_step_is_running(s.watch.report, dates[i].name);
		scene_close(&s);
		web_peer_end(&s.p);
	}
}

/* On terms without mail there is the calendar alone, at every poll; and then its trouble is the account's. */
TEST(a_calendar_alone)
{
	static const struct turn turns[] = { { "GET /v1/userinfo", JSON("200 OK", "{\"email\":\"ann@birch.example\"}"), KEEPS }, ALL(SYNC("t1", OLD_ONE("a"))), SINCE("t1", SYNC("t2", FRESHLY("b"))),
		SINCE("t2", ERROR("403 Forbidden", "notACalendarUser")), { 0 } };
	static const struct set set = { 0 };
	struct error err = { 0 };
	struct scene s;

	scene_open(&s, &set, turns, "alone");
	s.watch.access.terms.rights = s.watch.session->terms.rights = RIGHTS_CALENDAR;
	s.grant.scope = "https://www.googleapis.com/auth/calendar";
	EXPECT(web_peer_run(&s.p, dates_step, &s, &err) && s.watch.entry_count == 0 && !s.watch.history);
	EXPECT(web_peer_run(&s.p, dates_step, &s, &err) && s.watch.entry_count == 1);
	EXPECT(!web_peer_run(&s.p, dates_step, &s, &err) && err.fault == FAULT_REFUSED);
	EXPECT_TEXT(s.watch.sync, "t2");
	scene_close(&s);
	web_peer_end(&s.p);
}
