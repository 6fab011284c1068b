#include "provider/imap_watch.h"

#include "model/facts.h"
#include "test.h"
#include "transcript.h"

/* Open, then news and waits in turns, `turns` times: as the daemon does for ever. */
struct scene {
	struct report      *report;          /* of the sign-in that came before */
	struct endpoint     place;
	struct imap_session imap;
	struct imap_watch   watch;
	struct arena       *job;
	const char         *told;            /* "7.5 Hello|7.6 World" */
	int                 turns, pages, parked;
	enum { OPEN, NEWS, WAIT } step;
};

static void tell(struct scene *s)
{
	for (size_t i = 0; i < s->watch.count; i++) {
		const struct message *m = &s->watch.news[i];

		s->told = arena_print(s->job, "%s%s%s %s", s->told, *s->told ? "|" : "", m->remote_id, m->subject ? m->subject : "-");
	}
	s->pages++;
}

static enum want_kind scene_step(void *self, struct want *w, struct error *err)
{
	struct scene *s = self;

	switch (s->step) {
	case OPEN:
		PASS(imap_watch_open_step(&s->watch, w, err));
		for (;;) {
	STEP(s, NEWS):
			PASS(imap_watch_news_step(&s->watch, w, err));
			tell(s);
			if (s->watch.more)
				continue;
			if (s->turns-- == 0)
				return WANT_NOTHING;
	STEP(s, WAIT):
			PASS(imap_watch_wait_step(&s->watch, w, err));
		}
	}
	return WANT_FAILED;
}

/* Counts how often the session is parked when it waits, and looks whether it then holds anything. */
static enum want_kind watched_step(void *self, struct want *w, struct error *err)
{
	struct scene  *s = self;
	enum want_kind kind = scene_step(s, w, err);

	if (kind == WANT_READ && s->watch.parked) {
		s->parked++;
		EXPECT(!s->imap.base.reach && !s->imap.reader && !s->imap.job && !s->imap.base.report && !s->watch.report && !s->watch.page);
	}
	return kind;
}

static struct transcript *scene_open(struct scene *s, const char *script, const char *capability, uint32_t uidvalidity, uint32_t uidnext, int turns)
{
	struct transcript *t = transcript_new(script);

	*s = (struct scene){ .report = report_new("ann@birch.example"), .turns = turns, .job = arena_new(), .told = "",
	                     .place = { .service = SERVICE_IMAP, .host = "imap.birch.example", .port = 993 } };
	imap_session_init(&s->imap, s->report, &s->place, NULL, waits_within(30000), report_attempt(s->report));
	transcript_opened(t, &s->imap.base.line);
	transcript_line(t, "imap", &s->imap.base.line);
	s->imap.logged_in = true;
	if (capability)
		s->imap.capability = slice_str(capability);
	imap_watch_init(&s->watch, &s->imap, s->report, "ann@birch.example");
	s->watch.uidvalidity = uidvalidity;
	s->watch.uidnext = uidnext;
	return t;
}

static void scene_close(struct scene *s)
{
	imap_session_release(&s->imap);
	imap_watch_release(&s->watch);
	arena_free(s->job);
}

#define EXAMINED(exists, next) "C: … EXAMINE INBOX\n" "S: * " exists " EXISTS\n" "S: * OK [UIDVALIDITY 7] ok\n" "S: * OK [UIDNEXT " next "] ok\n" "S: {TAG} OK done\n"
#define FETCH(from)            "C: … UID FETCH " from ":* (UID RFC822.SIZE INTERNALDATE BODY.PEEK[HEADER.FIELDS (DATE FROM TO SUBJECT MESSAGE-ID IN-REPLY-TO X-MAILMOOR-TEST)]<0.8192>)\n"
#define MESSAGE(n, uid, text)  "S: * " n " FETCH (UID " uid " RFC822.SIZE 900 INTERNALDATE \"21-Nov-2026 08:00:00 +0000\" BODY[HEADER.FIELDS (DATE)]<0> {}\n" \
                               "L: From: Bob <bob@oak.example>\n" "L: Subject: " text "\n" "L: Message-ID: <" uid "@oak.example>\n" "L: \n" "S: )\n"
#define DONE_FETCH             "S: {TAG} OK fetched\n"
#define IDLE                   "C: … IDLE\n" "S: + idling\n"

static const struct {
	const char *name, *capability, *script;
	uint32_t    uidvalidity, uidnext;
	int         turns;
	const char *told;
	enum fault  fault;
	uint32_t    next;            /* where it stands afterwards */
	int         parked;          /* 0: whatever                */
} rows[] = {
	{ "a mailbox seen for the first time is known from now on", "IMAP4rev1 IDLE", EXAMINED("3", "12"), 0, 0, 0, "", FAULT_NONE, 12, 0 },
	{ "what came while nobody looked is told", "IMAP4rev1 IDLE",
	  EXAMINED("4", "13") FETCH("11") MESSAGE("3", "11", "one") MESSAGE("4", "12", "two") DONE_FETCH, 7, 11, 0, "7.11 one|7.12 two", FAULT_NONE, 13, 0 },
	{ "nothing new: nothing is fetched", "IMAP4rev1 IDLE", EXAMINED("4", "13"), 7, 13, 0, "", FAULT_NONE, 13, 0 },
	{ "news while idling", "IMAP4rev1 IDLE",
	  EXAMINED("3", "12") IDLE "-- late 5000\n" "S: * 4 EXISTS\n" "C: DONE\n" FETCH("12") "S: a2 OK idle over\n" MESSAGE("4", "12", "hello") DONE_FETCH,
	  7, 12, 1, "7.12 hello", FAULT_NONE, 13, 1 },
	{ "the answer to DONE comes with the next command's", "IMAP4rev1 IDLE",
	  EXAMINED("3", "12") IDLE "S: * 4 EXISTS\n" "C: DONE\n" FETCH("12") MESSAGE("4", "12", "hello") "S: a2 OK idle over\n" DONE_FETCH
	  "C: … IDLE\n" "S: * 5 EXISTS\n" "S: + idling\n" "C: DONE\n" FETCH("13") "S: a4 OK\n" MESSAGE("5", "13", "again") DONE_FETCH,
	  7, 12, 2, "7.12 hello|7.13 again", FAULT_NONE, 14, 0 },
	{ "chatter is no news", "IMAP4rev1 IDLE",
	  EXAMINED("3", "12") IDLE "-- late 100\n" "S: * OK Still here\n" "-- late 100\n" "S: * 2 FETCH (FLAGS (\\Seen))\n" "-- late 100\n" "S: * 0 RECENT\n"
	  "-- late 100\n" "S: * 3 EXISTS\n" "-- late 100\n" "S: * 4 EXISTS\n" "C: DONE\n" FETCH("12") "S: a2 OK\n" MESSAGE("4", "12", "hello") DONE_FETCH,
	  7, 12, 1, "7.12 hello", FAULT_NONE, 13, 5 },
	{ "one goes, one comes", "IMAP4rev1 IDLE",
	  EXAMINED("3", "12") IDLE "-- late 100\n" "S: * 2 EXPUNGE\n" "-- late 100\n" "S: * 3 EXISTS\n" "C: DONE\n" FETCH("12") "S: a2 OK\n" MESSAGE("3", "12", "hello") DONE_FETCH,
	  7, 12, 1, "7.12 hello", FAULT_NONE, 13, 0 },
	{ "the last message is told again by *, and is none", "IMAP4rev1 IDLE",
	  EXAMINED("3", "12") IDLE "S: * 4 EXISTS\n" "C: DONE\n" FETCH("12") "S: a2 OK\n" MESSAGE("3", "11", "old") DONE_FETCH, 7, 12, 1, "", FAULT_NONE, 12, 0 },
	{ "our own test message is none", "IMAP4rev1 IDLE",
	  EXAMINED("4", "13") FETCH("12")
	  "S: * 4 FETCH (UID 12 BODY[HEADER.FIELDS (DATE)]<0> {}\n" "L: Subject: Mailmoor test\n" "L: X-Mailmoor-Test: abc\n" "L: \n" "S: )\n" DONE_FETCH,
	  7, 12, 0, "", FAULT_NONE, 13, 0 },
	{ "a message without a header", "IMAP4rev1 IDLE",
	  EXAMINED("4", "13") FETCH("12") "S: * 4 FETCH (UID 12 BODY[HEADER.FIELDS (DATE)]<0> \"\")\n" DONE_FETCH, 7, 12, 0, "7.12 -", FAULT_NONE, 13, 0 },
	{ "renumbered: begins anew", "IMAP4rev1 IDLE", EXAMINED("4", "13"), 6, 40, 0, "", FAULT_NONE, 13, 0 },
	{ "an empty mailbox that does not tell UIDNEXT", "IMAP4rev1 IDLE",
	  "C: … EXAMINE INBOX\n" "S: * 0 EXISTS\n" "S: * OK [UIDVALIDITY 7] ok\n" "S: {TAG} OK done\n", 0, 0, 0, "", FAULT_NONE, 1, 0 },
	{ "a full one that does not: its last message does", "IMAP4rev1 IDLE",
	  "C: … EXAMINE INBOX\n" "S: * 9 EXISTS\n" "S: * OK [UIDVALIDITY 7] ok\n" "S: {TAG} OK done\n"
	  "C: … UID FETCH * (UID)\n" "S: * 9 FETCH (UID 41)\n" "S: {TAG} OK done\n", 0, 0, 0, "", FAULT_NONE, 42, 0 },
	{ "capabilities are asked for when they are not known", NULL,
	  "C: … CAPABILITY\n" "C: … EXAMINE INBOX\n" "S: * CAPABILITY IMAP4rev1 IDLE\n" "S: a1 OK done\n" "S: * 3 EXISTS\n" "S: * OK [UIDVALIDITY 7] ok\n"
	  "S: * OK [UIDNEXT 12] ok\n" "S: a2 OK done\n" IDLE "S: * 4 EXISTS\n" "C: DONE\n" FETCH("12") "S: a3 OK\n" MESSAGE("4", "12", "hello") DONE_FETCH,
	  7, 12, 1, "7.12 hello", FAULT_NONE, 13, 0 },
	{ "the inbox does not open", "IMAP4rev1 IDLE", "C: … EXAMINE INBOX\n" "S: {TAG} NO [NONEXISTENT] no such mailbox\n", 7, 12, 0, "", FAULT_REFUSED, 12, 0 },
	{ "a long quiet is renewed", "IMAP4rev1 IDLE",
	  EXAMINED("3", "12") IDLE "-- silence\n" "C: DONE\n" "C: … IDLE\n" "S: a2 OK over\n" "S: + idling\n" "-- silence\n" "C: DONE\n", 7, 12, 2, "", FAULT_NONE, 12, 2 },
	{ "the server says goodbye", "IMAP4rev1 IDLE", EXAMINED("3", "12") IDLE "-- late 9000\n" "S: * BYE shutting down\n", 7, 12, 1, "", FAULT_REFUSED, 12, 1 },
	{ "the server just closes", "IMAP4rev1 IDLE", EXAMINED("3", "12") IDLE "-- end\n", 7, 12, 1, "", FAULT_NETWORK, 12, 1 },
	{ "the line is cut", "IMAP4rev1 IDLE", EXAMINED("3", "12") IDLE "-- reset\n", 7, 12, 1, "", FAULT_NETWORK, 12, 1 },
	{ "noise instead of news", "IMAP4rev1 IDLE", EXAMINED("3", "12") IDLE "-- late 100\n" "S: what is this\n", 7, 12, 1, "", FAULT_BROKEN, 12, 1 },
	{ "IDLE is announced and refused: polling", "IMAP4rev1 IDLE",
	  EXAMINED("3", "12") "C: … IDLE\n" "S: {TAG} BAD what?\n" "-- silence\n" "C: … NOOP\n" "S: * 4 EXISTS\n" "S: {TAG} OK\n" FETCH("12") MESSAGE("4", "12", "hello") DONE_FETCH,
	  7, 12, 1, "7.12 hello", FAULT_NONE, 13, 1 },
	{ "no IDLE: polling", "IMAP4rev1",
	  EXAMINED("3", "12") "-- silence\n" "C: … NOOP\n" "S: {TAG} OK\n" "-- silence\n" "C: … NOOP\n" "S: * 4 EXISTS\n" "S: {TAG} OK\n"
	  FETCH("12") MESSAGE("4", "12", "hello") DONE_FETCH, 7, 12, 2, "7.12 hello", FAULT_NONE, 13, 2 },
	{ "NOTIFY where there is no IDLE", "IMAP4rev1 NOTIFY",
	  EXAMINED("3", "12") "C: … NOTIFY SET (SELECTED (MessageNew MessageExpunge))\n" "S: {TAG} OK\n" "-- late 4000\n" "S: * 4 EXISTS\n"
	  FETCH("12") MESSAGE("4", "12", "hello") DONE_FETCH "-- late 4000\n" "S: * 5 EXISTS\n" FETCH("13") MESSAGE("5", "13", "again") DONE_FETCH,
	  7, 12, 2, "7.12 hello|7.13 again", FAULT_NONE, 14, 2 },
	{ "NOTIFY is refused: polling", "IMAP4rev1 NOTIFY",
	  EXAMINED("3", "12") "C: … NOTIFY SET (SELECTED (MessageNew MessageExpunge))\n" "S: {TAG} NO [NOTIFICATIONOVERFLOW]\n" "-- silence\n" "C: … NOOP\n" "S: {TAG} OK\n",
	  7, 12, 1, "", FAULT_NONE, 12, 1 },
	{ "news among the answers are not lost", "IMAP4rev1 IDLE",
	  EXAMINED("4", "13") FETCH("12") MESSAGE("4", "12", "one") "S: * 5 EXISTS\n" DONE_FETCH IDLE "C: DONE\n" FETCH("13") "S: a3 OK\n" MESSAGE("5", "13", "two") DONE_FETCH,
	  7, 12, 1, "7.12 one|7.13 two", FAULT_NONE, 14, 0 },
	{ "the fetch is refused", "IMAP4rev1 IDLE", EXAMINED("4", "13") FETCH("12") "S: {TAG} NO [UNAVAILABLE] later\n", 7, 12, 0, "", FAULT_REFUSED, 12, 0 },
};

static void play(size_t i, bool piecemeal)
{
	struct scene s;
	struct error err = { 0 };
	CLEANUP(transcript) struct transcript *t = scene_open(&s, rows[i].script, rows[i].capability, rows[i].uidvalidity, rows[i].uidnext, rows[i].turns);

	transcript_title(t, rows[i].name);
	if (piecemeal)
		transcript_piecemeal(t);
	EXPECT_ROW(transcript_run(t, watched_step, &s, &err) == (rows[i].fault == FAULT_NONE), rows[i].name);
	EXPECT_ROW(err.fault == rows[i].fault, rows[i].name);
	EXPECT_TEXT(s.told, rows[i].told);
	EXPECT_ROW(s.watch.uidnext == rows[i].next, rows[i].name);
	if (!piecemeal && rows[i].parked)
		EXPECT_ROW(s.parked == rows[i].parked, rows[i].name);
	scene_close(&s);
}

TEST(watches)
{
	for (size_t i = 0; i < COUNT(rows); i++)
		play(i, false);
}

TEST(watches_byte_by_byte)
{
	for (size_t i = 0; i < COUNT(rows); i++)
		play(i, true);
}

TEST(many_messages_come_page_by_page)
{
	CLEANUP(arena) struct arena *work = arena_new();
	const char *script = EXAMINED("200", "212") FETCH("12");
	struct scene s;
	struct error err = { 0 };

	for (int uid = 12; uid < 212; uid++)
		script = arena_print(work, "%s" "S: * %d FETCH (UID %d BODY[HEADER.FIELDS (DATE)]<0> {}\n" "L: Subject: no. %d\n" "L: \n" "S: )\n", script, uid - 11, uid, uid);
	CLEANUP(transcript) struct transcript *t = scene_open(&s, arena_print(work, "%s%s", script, DONE_FETCH), "IDLE", 7, 12, 0);
	EXPECT(transcript_run(t, scene_step, &s, &err));
	EXPECT(s.pages == 200 / IMAP_NEWS_MOST + 1);
	EXPECT(s.watch.uidnext == 212);
	EXPECT(slice_ends(slice_str(s.told), "7.211 no. 211"));
	scene_close(&s);
}

TEST(what_is_known_of_a_message)
{
	struct scene s;
	struct error err = { 0 };
	CLEANUP(transcript) struct transcript *t = scene_open(&s, EXAMINED("4", "13") FETCH("12") MESSAGE("4", "12", "=?utf-8?q?Gr=C3=BC=C3=9Fe?=") DONE_FETCH, "IDLE", 7, 12, 0);
	const struct message *m;

	EXPECT(transcript_run(t, scene_step, &s, &err));
	EXPECT(s.watch.count == 1);
	m = s.watch.news;
	EXPECT_TEXT(m->subject, "Grüße");
	EXPECT_TEXT(m->from, "bob@oak.example");
	EXPECT_TEXT(m->message_id, "<12@oak.example>");
	EXPECT(!m->to && !m->in_reply_to && m->size == 900 && m->received == 1795248000);
	scene_close(&s);
}

TEST(renumbering_is_told)
{
	struct scene s;
	struct error err = { 0 };
	CLEANUP(transcript) struct transcript *t = scene_open(&s, EXAMINED("4", "13"), "IDLE", 6, 40, 0);

	EXPECT(transcript_run(t, scene_step, &s, &err));
	EXPECT(s.watch.renumbered && s.watch.uidvalidity == 7);
	scene_close(&s);
}

TEST(why_it_ended_is_in_the_report)
{
	struct scene s;
	struct error err = { 0 };
	CLEANUP(transcript) struct transcript *t = scene_open(&s, EXAMINED("3", "12") IDLE "-- late 9000\n" "S: * BYE [UNAVAILABLE] shutting down\n", "IDLE", 7, 12, 1);

	EXPECT(!transcript_run(t, scene_step, &s, &err));
	EXPECT_TEXT(report_value(s.watch.report, report_find(s.watch.report, "imap.watch", NO_ATTEMPT), FACT_REPLY_CODE), "UNAVAILABLE");
	scene_close(&s);
}
