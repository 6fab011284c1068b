/* Subscriptions at Graph beside the watch of an inbox, against a scripted server. Time is not spent; the wall clock stands still. */
#include "provider/microsoft_notices.h"

#include "provider/promises.h"
#include "web_peer.h"

#define BROUGHT  "eyJ0eXAi.the.token"
#define NOW    INT64_C(1795248000)      /* web_peer_run()'s: 2026-11-21T08:00:00Z */
#define ID     "7f105c7d-2dc5-4530-97cd-4e7ae6534c07"
#define OTHER  "11111111-2dc5-4530-97cd-4e7ae6534c07"
#define URL    "https://mail.example.org/hooks/microsoft"
#define MARK   "0123456789abcdef"
#define WORD  "abcdefghijklmnop"
#define SECOND_MS 1000
#define MINUTE 60
#define DAY_S  86400
#define ROUNDS 6
#define TURNS  14

/* Something comes in: while a request is under way (`at` it, counted from 0), or before the wait of a round. */
struct hint {
	bool            comes;
	int             at;
	enum graph_life life;
	const char     *nonce, *id;      /* NULL: those that the subscription has, or that are asked with */
};

struct set {
	const char *id, *mark;           /* as it was written down; NULL: none */
	int         asked, until;        /* seconds from now                   */
	int         rounds, poll_ms, expires;      /* of the grant, seconds from now; 0: late */
	bool        nowhere, unwanted;   /* no url; no place                   */
	struct hint under_way, between[ROUNDS];
};

struct scene {
	const struct set        *set;
	struct microsoft_app     app;
	struct oauth_grant   grant;
	struct microsoft_place   place;
	struct microsoft_watch   watch;
	struct microsoft_notices notices;
	int                      step, round, news, lost, heard;
	char                     nonce[MICROSOFT_NONCE + 1], rests[200];
	struct web_peer          p;
};

static const char *client_state(void *self, const char *nonce, struct arena *into)
{
	struct scene *s = self;

	EXPECT(strlen(nonce) == MICROSOFT_NONCE);
	snprintf(s->nonce, sizeof s->nonce, "%s", nonce);
	return arena_print(into, "proof of %s", nonce);
}

static void hear(struct scene *s, const struct hint *h)
{
	const char *nonce = h->nonce ? h->nonce : *s->nonce ? s->nonce : s->notices.kept.nonce;

	s->heard += microsoft_notices_hear(&s->notices, nonce, &(struct graph_notice){ h->id ? h->id : ID, "proven", h->life });
}

static void before(struct web_peer *p, void *self)
{
	struct scene *s = self;

	if (s->set->under_way.comes && p->at == (size_t)s->set->under_way.at)
		hear(s, &s->set->under_way);
}

static void at_numbers(struct scene *s)
{
	s->watch.session->authority.host = "192.0.2.7";
	s->watch.session->graph.host = "192.0.2.8";
}

static void scene_open(struct scene *s, const struct set *set, const struct turn *turns, const char *row)
{
	struct microsoft_subscription kept = { .asked = NOW + set->asked, .until = NOW + set->until, .nonce = WORD };

	*s = (struct scene){ .set = set, .app = { .client_id = "a" }, .grant = { BROUGHT, "r", "Mail.ReadWrite", NOW + (set->expires ? set->expires : 2 * DAY_S) } };
	s->place = (struct microsoft_place){ .url = set->nowhere ? NULL : URL, .mark = MARK };
	web_peer_init(&s->p, turns, row);
	s->p.before = before;
	s->p.self = s;
	microsoft_watch_init(&s->watch, &(struct microsoft_access){ .app = &s->app, .grant = &s->grant, .address = "ann@birch.example",
		.waits = waits_within(30000) }, "https://192.0.2.8/v1.0/x?d=1", NOW - DAY_S);
	if (set->poll_ms)
		s->watch.poll_ms = set->poll_ms;
	snprintf(kept.id, sizeof kept.id, "%s", set->id ? set->id : "");
	snprintf(kept.mark, sizeof kept.mark, "%s", set->mark ? set->mark : MARK);
	microsoft_notices_init(&s->notices, &s->watch, set->unwanted ? NULL : &s->place, &(struct microsoft_prover){ s, client_state },
	                       set->id ? &kept : NULL);
	at_numbers(s);
}

static void scene_close(struct scene *s)
{
	microsoft_notices_release(&s->notices);
	microsoft_watch_release(&s->watch);
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
		PASS(microsoft_watch_open_step(&s->watch, w, err));
		for (;;) {
	STEP(s, NOTICES):
			PASS(microsoft_notices_step(&s->notices, w, err));
			if (s->notices.lost) {
				microsoft_watch_park(&s->watch);
				microsoft_watch_wake(&s->watch);
				at_numbers(s);
				s->notices.lost = false;
				s->lost++;
			}
	STEP(s, NEWS):
			PASS(microsoft_watch_news_step(&s->watch, w, err));
			s->news += (int)s->watch.count;
			if (s->set->between[s->round].comes)
				hear(s, &s->set->between[s->round]);
			microsoft_notices_rest(&s->notices, w);
			note_rest(s);
			if (++s->round >= s->set->rounds)
				return WANT_NOTHING;
			no_step_is_running(s->watch.report, s->p.row);
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
#define BEARER              "\nHost: 192.0.2.8\nAuthorization: Bearer " BROUGHT
#define ME                  { "GET /v1.0/me?$select=id", JSON("200 OK", "{\"id\":\"" OTHER "\",\"mail\":\"ann@birch.example\"}"), KEEPS }
#define DELTA(items)        { "GET /v1.0/x?d=1 HTTP/1.1\nPrefer: IdType=\"ImmutableId\", odata.maxpagesize=50" BEARER, \
                              JSON("200 OK", "{\"value\":[" items "],\"@odata.deltaLink\":\"https://192.0.2.8/v1.0/x?d=1\"}"), KEEPS }
#define QUIET               DELTA("")
#define MAIL                "{\"id\":\"a\",\"subject\":\"s\",\"receivedDateTime\":\"2026-11-21T07:59:00Z\"}"
#define ASKED               "POST /v1.0/subscriptions HTTP/1.1\nPrefer: IdType=\"ImmutableId\"\nContent-Type: application/json" BEARER \
	"\n\"notificationUrl\":\"" URL "\",\"lifecycleNotificationUrl\":\"" URL "\"\n\"resource\":\"/me/mailFolders('inbox')/messages\"" \
	"\n\"changeType\":\"created,updated,deleted\"\n\"expirationDateTime\":\"2026-11-24T06:00:00Z\"\n\"clientState\":\"proof of "
#define MORE(id)            "PATCH /v1.0/subscriptions/" id " HTTP/1.1\nContent-Type: application/json" BEARER "\n{\"expirationDateTime\":\"2026-11-24T06:00:00Z\"}"
#define END(id)             "DELETE /v1.0/subscriptions/" id " HTTP/1.1" BEARER
#define SUB(status, id, until) JSON(status, "{\"id\":\"" id "\",\"expirationDateTime\":\"" until "\"}")
#define MADE                { ASKED, SUB("201 Created", ID, "2026-11-24T06:00:00.0000000Z"), KEEPS }
#define MADE_OTHER          { ASKED, SUB("201 Created", OTHER, "2026-11-24T06:00:00Z"), KEEPS }
#define PROLONGED           { MORE(ID), SUB("200 OK", ID, "2026-11-24T06:00:00Z"), KEEPS }
#define ERROR(status, code, text) JSON(status, "{\"error\":{\"code\":\"" code "\",\"message\":\"" text "\",\"innerError\":{}}}")
#define UNPROVEN            { ASKED, ERROR("400 Bad Request", "ValidationError", "Subscription validation request failed."), KEEPS }
#define GONE                ERROR("404 Not Found", "ResourceNotFound", "The object was not found.")
#define HINT(what)          { .comes = true, .life = what }
#define FRESH               .id = ID, .asked = -60, .until = 2 * DAY_S

static const struct {
	const char *name;
	struct set  set;
	struct turn turn[TURNS];
	const char *id, *why, *rests;      /* rests: seconds, with "-" behind where none stands */
	int         heard, news, lost;
	enum fault  fault;
} rows[] = {
	/* -- made and kept */
	{ "asked for before the news, once", { .rounds = 3 }, { ME, MADE, DELTA(MAIL), QUIET, QUIET }, ID, "", "900 900 900", 0, 1, 0, FAULT_NONE },
	{ "polled seldom already", { .rounds = 1, .poll_ms = 3600 * SECOND_MS }, { ME, MADE, QUIET }, ID, "", "3600", 0, 0, 0, FAULT_NONE },
	{ "no longer than the grant is good", { .rounds = 1, .expires = 600 }, { ME, MADE, QUIET }, ID, "", "600", 0, 0, 0, FAULT_NONE },
	{ "known from before", { FRESH, .rounds = 2 }, { ME, QUIET, QUIET }, ID, "", "900 900", 0, 0, 0, FAULT_NONE },
	{ "nobody asked after it for long", { .id = ID, .asked = -3600, .until = DAY_S, .rounds = 2 }, { ME, PROLONGED, QUIET, QUIET }, ID, "", "900 900", 0, 0, 0, FAULT_NONE },
	{ "it ended meanwhile", { .id = OTHER, .asked = -3 * DAY_S, .until = -5, .rounds = 1 }, { ME, MADE, QUIET }, ID, "", "900", 0, 0, 0, FAULT_NONE },
	{ "written down by a clock that was wrong", { .id = ID, .asked = 900 * DAY_S, .until = 903 * DAY_S, .rounds = 1 }, { ME, PROLONGED, QUIET }, ID, "", "900", 0, 0, 0, FAULT_NONE },
	{ "lost by Graph meanwhile", { .id = OTHER, .asked = -7200, .until = DAY_S, .rounds = 1 }, { ME, { MORE(OTHER), GONE, KEEPS }, MADE, QUIET }, ID, "", "900", 0, 0, 0, FAULT_NONE },
	{ "made for another place, or proven by another key", { .id = OTHER, .mark = "fedcba9876543210", .asked = -60, .until = DAY_S, .rounds = 1 }, { ME, { END(OTHER), "204 No Content\n\n", KEEPS }, MADE, QUIET }, ID, "", "900", 0, 0, 0, FAULT_NONE },
	{ "Graph cannot reach us any more", { FRESH, .nowhere = true, .rounds = 2 }, { ME, { END(ID), "204 No Content\n\n", KEEPS }, QUIET, QUIET }, "", "", "60- 60-", 0, 0, 0, FAULT_NONE },
	{ "it never could", { .nowhere = true, .rounds = 2 }, { ME, QUIET, QUIET }, "", "", "60- 60-", 0, 0, 0, FAULT_NONE },
	{ "none is wanted", { .unwanted = true, .rounds = 2 }, { ME, QUIET, QUIET }, "", "", "60- 60-", 0, 0, 0, FAULT_NONE },

	/* -- what comes in */
	{ "something happened: asked at once", { FRESH, .rounds = 2, .between = { HINT(GRAPH_CHANGED) } }, { ME, QUIET, DELTA(MAIL) }, ID, "", "900 900", 1, 1, 0, FAULT_NONE },
	{ "some of it was not told", { FRESH, .rounds = 2, .between = { HINT(GRAPH_MISSED) } }, { ME, QUIET, DELTA(MAIL) }, ID, "", "900 900", 1, 1, 0, FAULT_NONE },
	{ "it wants to be prolonged", { FRESH, .rounds = 2, .between = { HINT(GRAPH_REAUTHORIZE) } }, { ME, QUIET, PROLONGED, QUIET }, ID, "", "2 900", 1, 0, 0, FAULT_NONE },
	{ "it is no more: another, and what came meanwhile", { FRESH, .rounds = 2, .between = { HINT(GRAPH_REMOVED) } }, { ME, QUIET, MADE_OTHER, DELTA(MAIL) }, OTHER, "", "60- 900", 1, 1, 0, FAULT_NONE },
	{ "told before its id is known", { .rounds = 2, .under_way = { true, 1, GRAPH_REAUTHORIZE, NULL, NULL } }, { ME, MADE, PROLONGED, QUIET, QUIET }, ID, "", "900 900", 1, 0, 0, FAULT_NONE },
	{ "removed before its id is known", { .rounds = 2, .under_way = { true, 1, GRAPH_REMOVED, NULL, NULL } }, { ME, MADE, MADE_OTHER, QUIET, QUIET }, OTHER, "", "900 900", 1, 0, 0, FAULT_NONE },
	{ "of one that was never written down", { FRESH, .rounds = 2, .between = { { true, 0, GRAPH_REMOVED, "ponmlkjihgfedcba", OTHER } } }, { ME, QUIET, QUIET }, ID, "", "900 900", 0, 0, 0, FAULT_NONE },
	{ "another id with the same word", { FRESH, .rounds = 2, .between = { { true, 0, GRAPH_REMOVED, NULL, OTHER } } }, { ME, QUIET, QUIET }, ID, "", "900 900", 0, 0, 0, FAULT_NONE },
	{ "a poll finds what should have been told", { FRESH, .rounds = 4, .between = { [2] = HINT(GRAPH_CHANGED) } }, { ME, QUIET, DELTA(MAIL), QUIET, QUIET }, ID, "", "900 60 900 900", 1, 1, 0, FAULT_NONE },
	{ "what came while nobody was here is no such thing", { FRESH, .rounds = 2 }, { ME, DELTA(MAIL), QUIET }, ID, "", "900 900", 0, 1, 0, FAULT_NONE },

	/* -- refused, and asked again */
	{ "nobody listens there: later, and later still", { .rounds = 3, .poll_ms = 1000 * SECOND_MS }, { ME, UNPROVEN, QUIET, UNPROVEN, QUIET, UNPROVEN, QUIET }, "", "400 ValidationError", "68- 274- 1000-", 0, 0, 0, FAULT_NONE },
	{ "by its words", { .rounds = 1 }, { ME, { ASKED, ERROR("400 Bad Request", "InvalidRequest", "Subscription validation request timed out."), KEEPS }, QUIET }, "", "400 InvalidRequest", "60-", 0, 0, 0, FAULT_NONE },
	{ "not for this mailbox", { .rounds = 2, .poll_ms = 30 * SECOND_MS }, { ME, { ASKED, ERROR("403 Forbidden", "ExtensionError", "Operation: Create"), KEEPS }, QUIET, QUIET }, "", "403 ExtensionError", "30- 30-", 0, 0, 0, FAULT_NONE },
	{ "busy: not before it says", { .rounds = 2, .poll_ms = 1000 * SECOND_MS }, { ME, { ASKED, "429 Too Many Requests\nRetry-After: 300\n\n", KEEPS }, QUIET, MADE, QUIET }, ID, "", "342- 1000", 0, 0, 0, FAULT_NONE },
	{ "it cannot be prolonged, and stands", { .id = ID, .asked = -7200, .until = DAY_S, .rounds = 1 }, { ME, { MORE(ID), ERROR("503 Service Unavailable", "ServiceUnavailable", ""), KEEPS }, QUIET }, ID, "503 ServiceUnavailable", "68", 0, 0, 0, FAULT_NONE },
	{ "no subscription in the answer", { .rounds = 1 }, { ME, { ASKED, JSON("201 Created", "{}"), KEEPS }, QUIET }, "", "a subscription without an id", "60-", 0, 0, 0, FAULT_NONE },
	{ "a page", { .rounds = 1 }, { ME, { ASKED, "200 OK\n\n<html>", KEEPS }, QUIET }, "", NULL, "60-", 0, 0, 0, FAULT_NONE },
	{ "removed as soon as it is made, without end", { .rounds = 2, .under_way = { true, 1, GRAPH_REMOVED, NULL, NULL }, .between = { { true, 0, GRAPH_REMOVED, NULL, OTHER } } },
	  { ME, MADE, MADE_OTHER, QUIET, QUIET }, "", "", "60- 60-", 2, 0, 0, FAULT_NONE },

	/* -- no answer */
	{ "silent while it asks us: another line, and the news", { .rounds = 1 }, { ME, { ASKED, NULL, IS_SILENT }, QUIET }, "", "timeout", "60-", 0, 0, 1, FAULT_NONE },
	{ "the line is lost: never said twice", { .rounds = 1 }, { ME, { ASKED, NULL, RESETS }, DELTA(MAIL) }, "", "network", "60-", 0, 1, 1, FAULT_NONE },
	{ "an answer that is none", { .rounds = 1 }, { ME, { ASKED, "!gibberish\r\n\r\n", ENDS }, QUIET }, "", "broken", "60-", 0, 0, 1, FAULT_NONE },
	{ "called off", { .rounds = 1 }, { ME, { ASKED, NULL, STOPS } }, "", NULL, "", 0, 0, 0, FAULT_CANCELLED },
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
			EXPECT_TEXT(s.notices.kept.id, rows[i].id);
			if (rows[i].why)
				EXPECT_TEXT(s.notices.why, rows[i].why);
			if (rows[i].rests)
				EXPECT_TEXT(s.rests, rows[i].rests);
			EXPECT_ROW(s.heard == rows[i].heard && (int)s.notices.heard == rows[i].heard, rows[i].name);
			EXPECT_ROW(s.news == rows[i].news && s.lost == rows[i].lost, rows[i].name);
			EXPECT_ROW(!*s.notices.kept.id || s.notices.kept.until > NOW, rows[i].name);
			no_step_is_running(s.watch.report, rows[i].name);
			scene_close(&s);
			web_peer_end(&s.p);
		}
}

/* Whatever is cut, wherever: the news come over another line, and what may have been made is nobody's. */
TEST(an_answer_cut_at_every_byte)
{
	static const struct set  set = { .rounds = 1 };
	static const struct turn turns[] = { ME, MADE, DELTA(MAIL) };
	struct web_peer          whole;

	web_peer_init(&whole, turns, "cut");
	put_answer(&whole, turns[1].answer);
	for (size_t cut = 1; cut < buffer_held(&whole.say).len; cut++) {
		CLEANUP(arena) struct arena *job = arena_new();
		struct turn  cuts[4] = { turns[0], { ASKED, arena_print(job, "!%.*s", (int)cut, buffer_held(&whole.say).at), ENDS }, turns[2] };
		struct error err = { 0 };
		struct scene s;

		scene_open(&s, &set, cuts, "cut");
		EXPECT(web_peer_run(&s.p, turn_step, &s, &err));
		EXPECT(!*s.notices.kept.id && s.lost == 1 && s.news == 1 && s.notices.troubled);
		EXPECT(!microsoft_notices_hear(&s.notices, WORD, &(struct graph_notice){ ID, "proven", GRAPH_CHANGED }));
		scene_close(&s);
		web_peer_end(&s.p);
	}
	buffer_release(&whole.heard);
	buffer_release(&whole.say);
}

/* A subscription that stands lets the gate end the wait, at once; who stirs without end is followed once a second, and who is busy is left
 * alone all the same. */
TEST(a_notice_ends_the_wait)
{
	struct microsoft_watch watch = { .poll_ms = 60000, .rest_ms = 60000, .told = true };
	struct want            w = { 0 };
	struct error           err = { 0 };

	EXPECT(microsoft_watch_wait_step(&watch, &w, &err) == WANT_GATE && w.gate == &watch.rest.stirred);
	EXPECT(w.wait_ms >= 52500 && w.wait_ms <= 67500);
	watch.rest.stirred.open = true;
	EXPECT(microsoft_watch_wait_step(&watch, &w, &err) == WANT_NOTHING && watch.rest.woken);
	EXPECT(microsoft_watch_wait_step(&watch, &w, &err) == WANT_TIME && w.wait_ms == SECOND_MS);
	EXPECT(microsoft_watch_wait_step(&watch, &w, &err) == WANT_GATE);
	watch.rest.stirred.open = false;
	EXPECT(microsoft_watch_wait_step(&watch, &w, &err) == WANT_NOTHING && !watch.rest.woken);
	watch.busy_ms = 60000;
	EXPECT(microsoft_watch_wait_step(&watch, &w, &err) == WANT_TIME && w.wait_ms >= 60000);
	EXPECT(microsoft_watch_wait_step(&watch, &w, &err) == WANT_NOTHING);
}

/* What is kept of it while parked is the struct. */
TEST(parked_it_holds_nothing)
{
	static const struct set  set = { .rounds = 1 };
	static const struct turn turns[] = { ME, MADE, QUIET, { 0 } };
	struct error             err = { 0 };
	struct scene             s;

	scene_open(&s, &set, turns, "parked");
	EXPECT(web_peer_run(&s.p, turn_step, &s, &err));
	EXPECT(!s.notices.job && !s.notices.body.bytes && microsoft_notices_stand(&s.notices, s.p.now));
	EXPECT_TEXT(s.notices.kept.nonce, s.nonce);
	EXPECT_TEXT(s.notices.kept.mark, MARK);
	scene_close(&s);
	web_peer_end(&s.p);
}
