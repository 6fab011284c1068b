/* A watch at Gmail that tells by Pub/Sub, beside our watch of the inbox, against a scripted server. Time is not spent; the wall clock
 * stands still. */
#include "provider/google_notices.h"

#include "provider/promises.h"
#include "web_peer.h"

#define BROUGHT     "ya29.the-token"
#define SCOPES    "https://mail.google.com/"
#define BOTH      SCOPES " https://www.googleapis.com/auth/calendar"
#define NOW       INT64_C(1795248000)      /* web_peer_run()'s: 2026-11-21T08:00:00Z */
#define TOPIC     "projects/birch/topics/gmail"
#define MARK      "0123456789abcdef"
#define MINUTE_MS 60000
#define SECOND_MS 1000
#define DAY_S     86400
#define ROUNDS    6
#define TURNS     14

struct set {
	const char *mark;                /* as it was written down; NULL: none */
	int         asked, until;        /* seconds from now                   */
	int         rounds, poll_ms;
	bool        off, unwanted;       /* no topic; nothing of it            */
	bool        dates;               /* the grant is for the calendar, too */
	bool        under_way;           /* something is pushed while it is asked for */
	bool        between[ROUNDS];     /* or before the wait of a round      */
};

struct scene {
	const struct set     *set;
	struct google_app     app;
	struct oauth_grant    grant;
	struct google_topic   topic;
	struct google_watch   watch;
	struct google_notices notices;
	int                   step, round, news, lost, listened;
	char                  mailbox[80], rests[200];
	struct web_peer       p;
};

static void listen_to(void *self, const char *mailbox)
{
	struct scene *s = self;

	s->listened++;
	snprintf(s->mailbox, sizeof s->mailbox, "%s", mailbox);
}

/* It is listened to before the watch is asked for. */
static void before(struct web_peer *p, void *self)
{
	struct scene *s = self;

	if (s->set->under_way && p->at == 1) {
		EXPECT(s->listened == 1);
		google_notices_hear(&s->notices);
	}
}

static void at_numbers(struct scene *s)
{
	static const char *const hosts[GOOGLE_PLACES] = { "192.0.2.7", "192.0.2.8", "192.0.2.9", "192.0.2.10" };

	for (enum google_place p = 0; p < GOOGLE_PLACES; p++)
		s->watch.session->line[p].endpoint.host = hosts[p];
}

static void scene_open(struct scene *s, const struct set *set, const struct turn *turns, const char *row)
{
	struct google_watched kept = { .asked = NOW + set->asked, .until = NOW + set->until };

	*s = (struct scene){ .set = set, .app = { .client_id = "a" }, .grant = { BROUGHT, "r", set->dates ? BOTH : SCOPES, NOW + 2 * DAY_S, 0 } };
	s->topic = (struct google_topic){ .name = set->off ? NULL : TOPIC, .mark = MARK };
	web_peer_init(&s->p, turns, row);
	s->p.before = before;
	s->p.self = s;
	google_watch_init(&s->watch, &(struct google_access){ .app = &s->app, .grant = &s->grant, .address = "ann@birch.example",
		.waits = waits_within(30000) }, "700", NOW - DAY_S);
	if (set->poll_ms)
		s->watch.poll_ms = set->poll_ms;
	s->watch.dates_ms = INT64_MAX;      /* the calendar is not asked here */
	snprintf(kept.mark, sizeof kept.mark, "%s", set->mark ? set->mark : "");
	google_notices_init(&s->notices, &s->watch, set->unwanted ? NULL : &s->topic, &(struct google_listener){ s, listen_to },
	                    set->mark ? &kept : NULL);
	at_numbers(s);
}

static void scene_close(struct scene *s)
{
	google_notices_release(&s->notices);
	google_watch_release(&s->watch);
}

static void note_rest(struct scene *s)
{
	size_t len = strlen(s->rests);

	snprintf(s->rests + len, sizeof s->rests - len, "%s%d%s", len ? " " : "", s->watch.rest_ms / SECOND_MS, s->watch.told ? "" : "-");
}

/* As watch/mailbox.c has it. */
static enum want_kind turn_step(void *self, struct want *w, struct error *err)
{
	enum { START, OPEN, NOTICES, NEWS, WAIT };
	struct scene *s = self;

	switch (s->step) {
	case START:
	STEP(s, OPEN):
		PASS(google_watch_open_step(&s->watch, w, err));
		for (;;) {
	STEP(s, NOTICES):
			PASS(google_notices_step(&s->notices, w, err));
			if (s->notices.lost) {
				google_watch_park(&s->watch);
				google_watch_wake(&s->watch);
				at_numbers(s);
				s->notices.lost = false;
				s->lost++;
			}
	STEP(s, NEWS):
			PASS(google_watch_news_step(&s->watch, w, err));
			s->news += (int)s->watch.count;
			if (s->set->between[s->round])
				google_notices_hear(&s->notices);
			google_notices_rest(&s->notices, w);
			note_rest(s);
			if (++s->round >= s->set->rounds)
				return WANT_NOTHING;
			no_step_is_running(s->watch.report, s->p.row);
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

#define JSON(status, body) status "\nContent-Type: application/json; charset=UTF-8\n\n" body
#define BEARER      "\nHost: 192.0.2.9\nAuthorization: Bearer " BROUGHT
#define ME          { "GET /gmail/v1/users/me/profile HTTP/1.1" BEARER, JSON("200 OK", "{\"emailAddress\":\"ANN@birch.example\",\"historyId\":\"700\"}"), KEEPS }
#define HISTORY     "GET /gmail/v1/users/me/history?startHistoryId=700" TYPES " HTTP/1.1" BEARER
#define TYPES       "&historyTypes=messageAdded&historyTypes=labelAdded&maxResults=100"
#define QUIET       { HISTORY, JSON("200 OK", "{\"historyId\":\"700\"}"), KEEPS }
#define NEWS        { HISTORY, JSON("200 OK", "{\"history\":[{\"id\":\"1\",\"messagesAdded\":[{\"message\":{\"id\":\"m1\",\"threadId\":\"t\",\"labelIds\":[\"INBOX\"]}}]}],\"historyId\":\"700\"}"), KEEPS }, \
                    { "GET /gmail/v1/users/me/messages/m1?format=metadata", JSON("200 OK", "{\"id\":\"m1\",\"internalDate\":\"1795247000000\",\"payload\":{\"headers\":[]}}"), KEEPS }
#define WATCH       "POST /gmail/v1/users/me/watch HTTP/1.1\nContent-Type: application/json" BEARER "\n{\"topicName\":\"" TOPIC "\",\"labelIds\":[\"INBOX\"],\"labelFilterBehavior\":\"INCLUDE\"}"
#define STOP        { "POST /gmail/v1/users/me/stop HTTP/1.1" BEARER, "204 No Content\n\n", KEEPS }
#define MADE        { WATCH, JSON("200 OK", "{\"historyId\":\"700\",\"expiration\":\"1795852800000\"}"), KEEPS }
#define REFUSED(status, reason, text) { WATCH, JSON(status, "{\"error\":{\"code\":1,\"message\":\"" text "\",\"errors\":[{\"reason\":\"" reason "\"}]}}"), KEEPS }
#define NOT_MINE    REFUSED("403 Forbidden", "forbidden", "User not authorized to perform this action.")
#define FRESH       .mark = MARK, .asked = -60, .until = 6 * DAY_S
#define ASK_AGAIN   (1000 * SECOND_MS)

static const struct {
	const char *name;
	struct set  set;
	struct turn turn[TURNS];
	bool        stands;
	const char *why, *rests;      /* rests: seconds, with "-" behind where none stands */
	int         news, lost;
	enum fault  fault;
} rows[] = {
	/* -- asked for and kept */
	{ "asked for before the news, once", { .rounds = 3 }, { ME, MADE, NEWS, QUIET, QUIET }, true, "", "900 900 900", 1, 0, FAULT_NONE },
	{ "polled seldom already", { .rounds = 1, .poll_ms = 3600 * SECOND_MS }, { ME, MADE, QUIET }, true, "", "3600", 0, 0, FAULT_NONE },
	{ "known from before", { FRESH, .rounds = 2 }, { ME, QUIET, QUIET }, true, "", "900 900", 0, 0, FAULT_NONE },
	{ "a day is over", { .mark = MARK, .asked = -DAY_S, .until = 6 * DAY_S, .rounds = 2, .poll_ms = ASK_AGAIN }, { ME, QUIET, MADE, QUIET }, true, "", "2 1000", 0, 0, FAULT_NONE },
	{ "days are over", { .mark = MARK, .asked = -3 * DAY_S, .until = 4 * DAY_S, .rounds = 2, .poll_ms = ASK_AGAIN }, { ME, QUIET, MADE, QUIET }, true, "", "2 1000", 0, 0, FAULT_NONE },
	{ "it ended meanwhile", { .mark = MARK, .asked = -8 * DAY_S, .until = -5, .rounds = 1 }, { ME, MADE, QUIET }, true, "", "900", 0, 0, FAULT_NONE },
	{ "written down by a clock that was wrong", { .mark = MARK, .asked = 900 * DAY_S, .until = 907 * DAY_S, .rounds = 2, .poll_ms = ASK_AGAIN }, { ME, QUIET, MADE, QUIET }, true, "", "2 1000", 0, 0, FAULT_NONE },
	{ "of another topic", { .mark = "fedcba9876543210", .asked = -60, .until = DAY_S, .rounds = 1 }, { ME, STOP, MADE, QUIET }, true, "", "900", 0, 0, FAULT_NONE },
	{ "switched off", { FRESH, .off = true, .rounds = 2 }, { ME, STOP, QUIET, QUIET }, false, "", "60- 60-", 0, 0, FAULT_NONE },
	{ "never on", { .off = true, .rounds = 2 }, { ME, QUIET, QUIET }, false, "", "60- 60-", 0, 0, FAULT_NONE },
	{ "none is wanted", { .unwanted = true, .rounds = 2 }, { ME, QUIET, QUIET }, false, "", "60- 60-", 0, 0, FAULT_NONE },

	/* -- what is pushed */
	{ "something happened: asked at once", { FRESH, .rounds = 2, .between = { true } }, { ME, QUIET, NEWS }, true, "", "900 900", 1, 0, FAULT_NONE },
	{ "while it is asked for", { .rounds = 2, .under_way = true }, { ME, MADE, QUIET, NEWS }, true, "", "900 900", 1, 0, FAULT_NONE },
	{ "a poll finds what should have been told", { FRESH, .rounds = 4, .between = { [2] = true } }, { ME, QUIET, NEWS, QUIET, QUIET }, true, "", "900 60 900 900", 1, 0, FAULT_NONE },
	{ "and another is asked for, where that one is older", { .mark = MARK, .asked = -7200, .until = 6 * DAY_S, .rounds = 3 }, { ME, QUIET, NEWS, MADE, QUIET }, true, "", "900 60 60", 1, 0, FAULT_NONE },
	{ "what came while nobody was here is no such thing", { FRESH, .rounds = 2 }, { ME, NEWS, QUIET }, true, "", "900 900", 1, 0, FAULT_NONE },

	/* -- refused, and asked again */
	{ "Gmail may not publish there: later, and later still", { .rounds = 3, .poll_ms = ASK_AGAIN }, { ME, NOT_MINE, QUIET, NOT_MINE, QUIET, NOT_MINE, QUIET }, false,
	  "403 User not authorized to perform this action.", "68- 274- 1000-", 0, 0, FAULT_NONE },
	{ "in another project", { .rounds = 2, .poll_ms = 20 * SECOND_MS }, { ME, REFUSED("400 Bad Request", "invalidArgument", "Invalid topicName does not match projects/p/topics/*"), QUIET, QUIET }, false,
	  "400 Invalid topicName does not match projects/p/topics/*", "20- 20-", 0, 0, FAULT_NONE },
	{ "too often: no sooner than it says", { .rounds = 2, .poll_ms = ASK_AGAIN }, { ME, { WATCH, "429 Too Many Requests\nRetry-After: 300\n\n", KEEPS }, QUIET, MADE, QUIET }, true, "", "342- 1000", 0, 0, FAULT_NONE },
	{ "out of order", { .rounds = 1 }, { ME, REFUSED("503 Service Unavailable", "backendError", "x"), QUIET }, false, "503 x", "60-", 0, 0, FAULT_NONE },
	{ "no end in the answer", { .rounds = 1 }, { ME, { WATCH, JSON("200 OK", "{}"), KEEPS }, QUIET }, false, "a watch without an end", "60-", 0, 0, FAULT_NONE },
	{ "a page", { .rounds = 1 }, { ME, { WATCH, "200 OK\n\n<html>", KEEPS }, QUIET }, false, NULL, "60-", 0, 0, FAULT_NONE },

	/* -- no answer */
	{ "silent: another line, and the news", { .rounds = 1 }, { ME, { WATCH, NULL, IS_SILENT }, QUIET }, false, "timeout", "60-", 0, 1, FAULT_NONE },
	{ "an answer that is none", { .rounds = 1 }, { ME, { WATCH, "!gibberish\r\n\r\n", ENDS }, NEWS }, false, "broken", "60-", 1, 1, FAULT_NONE },
	{ "called off", { .rounds = 1 }, { ME, { WATCH, NULL, STOPS } }, false, NULL, "", 0, 0, FAULT_CANCELLED },
};

TEST(what_is_asked_and_what_comes_of_it)
{
	for (int piecemeal = 0; piecemeal < 2; piecemeal++)
		for (size_t i = 0; i < COUNT(rows); i++) {
			struct error err = { 0 };
			struct scene s;

			scene_open(&s, &rows[i].set, rows[i].turn, rows[i].name);
			s.p.piecemeal = piecemeal;
			EXPECT_ROW(web_peer_run(&s.p, turn_step, &s, &err) == (rows[i].fault == FAULT_NONE), rows[i].name);
			EXPECT_ROW(err.fault == rows[i].fault, rows[i].name);
			EXPECT_ROW(google_notices_stand(&s.notices, s.p.now) == rows[i].stands, rows[i].name);
			if (rows[i].why)
				EXPECT_TEXT(s.notices.why, rows[i].why);
			EXPECT_TEXT(s.rests, rows[i].rests);
			EXPECT_ROW(s.news == rows[i].news && s.lost == rows[i].lost, rows[i].name);
			EXPECT_ROW(s.listened == !(rows[i].set.off || rows[i].set.unwanted), rows[i].name);
			/* by the address that Gmail has for it */
			EXPECT_TEXT(s.mailbox, s.listened ? "ANN@birch.example" : "");
			EXPECT_ROW(!s.notices.body.bytes, rows[i].name);
			no_step_is_running(s.watch.report, rows[i].name);
			scene_close(&s);
			web_peer_end(&s.p);
		}
}

/* Whatever is cut, wherever: the news come over another line, and it is asked for another time. */
TEST(an_answer_cut_at_every_byte)
{
	static const struct set  set = { .rounds = 1 };
	static const struct turn turns[] = { ME, MADE, QUIET };
	struct web_peer          whole;

	web_peer_init(&whole, turns, "cut");
	put_answer(&whole, turns[1].answer);
	for (size_t cut = 1; cut < buffer_held(&whole.say).len; cut++) {
		CLEANUP(arena) struct arena *job = arena_new();
		struct turn  cuts[4] = { turns[0], { WATCH, arena_print(job, "!%.*s", (int)cut, buffer_held(&whole.say).at), ENDS }, turns[2] };
		struct error err = { 0 };
		struct scene s;

		scene_open(&s, &set, cuts, "cut");
		EXPECT(web_peer_run(&s.p, turn_step, &s, &err));
		EXPECT(!*s.notices.kept.mark && s.lost == 1 && s.notices.troubled);
		scene_close(&s);
		web_peer_end(&s.p);
	}
	buffer_release(&whole.heard);
	buffer_release(&whole.say);
}

/* The calendar is nobody's to tell: while the inbox is left alone it is asked as often as ever. */
TEST(how_long_it_may_rest)
{
	struct google_session session = { .grant = { .scope = BOTH } };
	struct google_watch   watch = { .session = &session, .poll_ms = MINUTE_MS, .rest_ms = MINUTE_MS, .dates_ms = 7 * SECOND_MS + 350 * SECOND_MS };
	struct want           w = { .now_ms = 7 * SECOND_MS };

	google_watch_rest(&watch, 15 * MINUTE_MS, &w);
	EXPECT(watch.rest_ms == 350 * SECOND_MS + 50 * SECOND_MS + 1 && watch.mail_ms == w.now_ms + 15 * MINUTE_MS);
	/* what is left of it, after a look at the calendar alone */
	w.now_ms += 10 * MINUTE_MS;
	watch.dates_ms = w.now_ms + 5 * MINUTE_MS;
	google_watch_rest(&watch, 15 * MINUTE_MS, &w);
	EXPECT(watch.rest_ms == 5 * MINUTE_MS);
	w.now_ms += 5 * MINUTE_MS;
	google_watch_rest(&watch, 15 * MINUTE_MS, &w);
	EXPECT(watch.rest_ms == MINUTE_MS);
	session.grant.scope = SCOPES;
	watch.mail_ms = 0;
	google_watch_rest(&watch, 15 * MINUTE_MS, &w);
	EXPECT(watch.rest_ms == 15 * MINUTE_MS);
}
