#include "provider/imap_hunt.h"

#include "test.h"
#include "transcript.h"

struct scene {
	struct report      *report;
	struct endpoint     place;
	struct imap_session imap;
	struct imap_hunt    hunt;
	struct transcript  *t;
	struct error        err;
};

static void scene_open(struct scene *s, const char *script, bool piecemeal)
{
	*s = (struct scene){ .report = report_new("ann@birch.example"), .place = { .host = "imap.birch.example" }, .t = transcript_new(script) };
	imap_session_init(&s->imap, s->report, &s->place, NULL, waits_within(30000), 0);
	transcript_opened(s->t, &s->imap.base.line);
	transcript_line(s->t, "imap", &s->imap.base.line);
	s->imap.capability = slice_str("IMAP4rev1 UIDPLUS UNSELECT");
	imap_hunt_init(&s->hunt, &s->imap, s->report->job, "INBOX", "token", "Mailmoor test token", "token@birch.example");
	if (piecemeal)
		transcript_piecemeal(s->t);
}

static void scene_close(struct scene *s)
{
	imap_session_release(&s->imap);
	transcript_free(s->t);
	report_free(s->report);
}

#define OPENED "C: a1 EXAMINE \"INBOX\"\n" "S: * 3 EXISTS\n" "S: * OK [UIDVALIDITY 7] ok\n" "S: a1 OK done\n"
#define SEARCH "C: a2 UID SEARCH 1:* HEADER Message-ID \"<token@birch.example>\"\n"
#define SUBJECT "C: a3 UID SEARCH 1:* SUBJECT \"token\"\n"
#define WHAT "(BODY.PEEK[HEADER.FIELDS (RECEIVED FROM SUBJECT MESSAGE-ID AUTHENTICATION-RESULTS X-Mailmoor-Test)]<0.16384>)\n"
#define OURS "L: Message-ID: <token@birch.example>\n" "L: \n"
#define OTHER "L: Message-ID: <other@birch.example>\n" "L: Subject: Re: Mailmoor test token\n" "L: \n"
#define FOUND(tag, uid, extra)                                                                                         \
	"C: " tag " UID FETCH " uid " " WHAT "S: * 3 FETCH (" extra "UID " uid " BODY[HEADER.FIELDS (FROM \"SUBJECT\")]<0> {}\n" OURS "S: )\n" "S: " tag " OK\n"
#define NOT_OURS(tag, uid)                                                                                             \
	"C: " tag " UID FETCH " uid " " WHAT "S: * 3 FETCH (BODY[HEADER.FIELDS (FROM)]<0> {}\n" OTHER "S:  UID " uid ")\n" "S: " tag " OK\n"

static const struct {
	const char *name, *script;
	uint32_t    uid;                /* 0: not found */
	bool        opened, searched;
} finds[] = {
	{ "one hit", OPENED SEARCH "S: * SEARCH 12\n" "S: a2 OK done\n" FOUND("a3", "12", ""), 12, true, true },
	{ "with a modification sequence", OPENED SEARCH "S: * SEARCH 12 (MODSEQ 917162500)\n" "S: a2 OK done\n" FOUND("a3", "12", ""), 12, true, true },
	{ "ESEARCH", OPENED SEARCH "S: * ESEARCH (TAG \"a2\") UID COUNT 1 ALL 12\n" "S: a2 OK done\n" FOUND("a3", "12", "FLAGS (\\Seen (x)) "), 12, true, true },
	{ "ESEARCH without hits", OPENED SEARCH "S: * ESEARCH (TAG \"a2\") UID\n" "S: a2 OK done\n" SUBJECT "S: * ESEARCH (TAG \"a3\") UID\n" "S: a3 OK\n",
	  0, true, true },
	{ "no SEARCH line at all", OPENED SEARCH "S: a2 OK done\n" SUBJECT "S: a3 OK done\n", 0, true, true },
	{ "no such search there", OPENED SEARCH "S: a2 BAD no\n" SUBJECT "S: a3 NO no\n", 0, true, false },
	{ "by subject only", OPENED SEARCH "S: a2 BAD no\n" SUBJECT "S: * SEARCH 12\n" "S: a3 OK\n" FOUND("a4", "12", ""), 12, true, true },
	{ "an answer with everything there is: the newest are looked at, and none is taken for ours",
	  OPENED SEARCH "S: * SEARCH 1 2 3 4 5 6\n" "S: a2 OK\n" NOT_OURS("a3", "6") NOT_OURS("a4", "5") NOT_OURS("a5", "4") NOT_OURS("a6", "3"),
	  0, true, true },
	{ "a range, backwards, and the same again",
	  OPENED SEARCH "S: * ESEARCH UID ALL 4294967295:4294967292,7,4294967294\n" "S: a2 OK\n" NOT_OURS("a3", "4294967295")
	  FOUND("a4", "4294967294", ""), 4294967294u, true, true },
	{ "numbers that are none", OPENED SEARCH "S: * SEARCH 0 -1 99999999999 x 0:0 5: :5\n" "S: a2 OK\n" SUBJECT "S: * SEARCH\n" "S: a3 OK\n", 0, true, true },
	{ "expunged before it was read", OPENED SEARCH "S: * SEARCH 12\n" "S: a2 OK\n" "C: a3 UID FETCH 12 " WHAT "S: a3 OK\n", 0, true, true },
	{ "news about other messages between", OPENED SEARCH "S: * SEARCH 12\n" "S: a2 OK\n" "C: a3 UID FETCH 12 " WHAT
	  "S: * 1 FETCH (FLAGS (\\Seen) UID 12)\n" "S: * 4 EXISTS\n" "S: * 2 FETCH (UID 11 BODY[HEADER.FIELDS (FROM)]<0> {}\n" OURS "S: )\n"
	  "S: * 3 FETCH (UID 12 BODY[HEADER.FIELDS (FROM)]<0> {}\n" OURS "S: )\n" "S: a3 OK\n", 12, true, true },
	{ "a header that is none", OPENED SEARCH "S: * SEARCH 12\n" "S: a2 OK\n" "C: a3 UID FETCH 12 " WHAT
	  "S: * 3 FETCH (UID 12 BODY[HEADER.FIELDS (FROM)]<0> NIL)\n" "S: * 3 FETCH UID 12\n" "S: * 3 FETCH (UID\n" "S: a3 OK\n", 0, true, true },
	{ "an empty folder is not searched", "C: a1 EXAMINE \"INBOX\"\n" "S: * 0 EXISTS\n" "S: a1 OK done\n", 0, true, true },
	{ "a folder that does not open", "C: a1 EXAMINE \"INBOX\"\n" "S: * 9 EXISTS\n" "S: a1 NO [NONEXISTENT] none\n", 0, false, false },
	{ "of a large folder only the end", "C: a1 EXAMINE \"INBOX\"\n" "S: * 100000 EXISTS\n" "S: a1 OK done\n"
	  "C: a2 UID SEARCH 99801:* HEADER Message-ID \"<token@birch.example>\"\n" "S: * SEARCH 12\n" "S: a2 OK\n" FOUND("a3", "12", ""), 12, true, true },
};

TEST(finding)
{
	for (size_t i = 0; i < COUNT(finds); i++)
		for (int piecemeal = 0; piecemeal < 2; piecemeal++) {
			const char  *name = finds[i].name;
			struct scene s;

			scene_open(&s, finds[i].script, piecemeal);
			transcript_title(s.t, name);
			EXPECT_ROW(transcript_run(s.t, imap_hunt_find_step, &s.hunt, &s.err), name);
			EXPECT_ROW(s.hunt.found == (finds[i].uid != 0), name);
			EXPECT_ROW(!s.hunt.found || s.hunt.uid == finds[i].uid, name);
			EXPECT_ROW(s.hunt.opened == finds[i].opened && s.hunt.searched == finds[i].searched, name);
			EXPECT_ROW(s.hunt.step == 0, name);
			scene_close(&s);
		}
}

TEST(a_second_look_forgets_the_first)
{
	struct scene s;

	scene_open(&s, OPENED SEARCH "S: * SEARCH 12\n" "S: a2 OK\n" FOUND("a3", "12", ""), false);
	EXPECT(transcript_run(s.t, imap_hunt_find_step, &s.hunt, &s.err) && s.hunt.found);
	transcript_free(s.t);
	s.t = transcript_new("C: a4 EXAMINE \"INBOX\"\n" "S: * 0 EXISTS\n" "S: a4 OK done\n");
	EXPECT(transcript_run(s.t, imap_hunt_find_step, &s.hunt, &s.err) && !s.hunt.found);
	scene_close(&s);
}

static const struct {
	const char *name, *script;
	enum fault  fault;
	enum came   came;
} losses[] = {
	{ "closed",           OPENED SEARCH "-- end\n",                       FAULT_NETWORK, CAME_END },
	{ "cut in a line",    OPENED SEARCH "S: * SEARCH 12\n" "-- reset\n",  FAULT_NETWORK, CAME_RESET },
	{ "silent",           OPENED SEARCH "-- silence\n",                   FAULT_TIMEOUT, CAME_TIMEOUT },
	{ "farewell",         OPENED SEARCH "S: * BYE too long\n" "-- end\n", FAULT_NETWORK, CAME_END },
	{ "another tag",      OPENED SEARCH "S: a9 OK done\n",                FAULT_BROKEN,  CAME },
	{ "a continuation",   OPENED SEARCH "S: + go on\n",                   FAULT_BROKEN,  CAME },
	{ "no IMAP",          OPENED SEARCH "S: HTTP/1.1 400 no\n",           FAULT_BROKEN,  CAME },
	{ "a literal without end", OPENED SEARCH "S: * SEARCH 12\n" "S: a2 OK\n" "C: a3 UID FETCH 12 " WHAT
	  "S: * 3 FETCH (UID 12 BODY[HEADER] {4294967295}\n",                 FAULT_BROKEN,  CAME },
};

TEST(losing_the_line)
{
	for (size_t i = 0; i < COUNT(losses); i++) {
		struct scene s;

		scene_open(&s, losses[i].script, false);
		transcript_title(s.t, losses[i].name);
		EXPECT_ROW(!transcript_run(s.t, imap_hunt_find_step, &s.hunt, &s.err), losses[i].name);
		EXPECT_ROW(s.err.fault == losses[i].fault && s.hunt.came == losses[i].came, losses[i].name);
		EXPECT_ROW(!s.hunt.found && !s.hunt.time_is_up, losses[i].name);
		scene_close(&s);
	}
}

TEST(the_end_of_the_whole_is_told_from_a_silent_server)
{
	struct scene s;

	scene_open(&s, OPENED SEARCH "-- silence\n", false);
	transcript_life(s.t, 5000);
	EXPECT(!transcript_run(s.t, imap_hunt_find_step, &s.hunt, &s.err));
	EXPECT(s.hunt.time_is_up && transcript_now(s.t) == 5000);
	scene_close(&s);
}

TEST(names_that_need_care)
{
	static const struct { const char *folder, *said; } names[] = {
		{ "Gesendete Objekte", "C: a1 EXAMINE \"Gesendete Objekte\"\n" },
		{ "a\"b\\c",           "C: a1 EXAMINE \"a\\\"b\\\\c\"\n" },
		{ "&AMk-l&AOk-ments",  "C: a1 EXAMINE \"&AMk-l&AOk-ments\"\n" },
	};

	for (size_t i = 0; i < COUNT(names); i++) {
		CLEANUP(arena) struct arena *work = arena_new();
		struct scene s;

		scene_open(&s, arena_print(work, "%sS: a1 NO none\n", names[i].said), false);
		imap_hunt_init(&s.hunt, &s.imap, s.report->job, names[i].folder, "token", "subject", "token@birch.example");
		EXPECT_ROW(transcript_run(s.t, imap_hunt_find_step, &s.hunt, &s.err), names[i].folder);
		EXPECT_TEXT(s.hunt.refusal, "a1 NO none");
		scene_close(&s);
	}
}

TEST(names_that_cannot_be_said)
{
	static const char *const names[] = { "", "\xc3\x89t\xc3\xa9", "x\r\na2 DELETE INBOX" };

	for (size_t i = 0; i < COUNT(names); i++) {
		struct scene s;

		scene_open(&s, "", false);
		imap_hunt_init(&s.hunt, &s.imap, s.report->job, names[i], "token", "subject", "token@birch.example");
		EXPECT_ROW(!s.hunt.folder, names[i]);
		scene_close(&s);
	}
}

TEST(a_move_that_is_refused_removes_nothing)
{
	struct scene s;

	scene_open(&s, "C: a1 SELECT \"INBOX\"\n" "S: * OK [UIDVALIDITY 7] ok\n" "S: a1 OK [READ-WRITE] done\n" "C: a2 UID MOVE 12 \"Bin\"\n"
	           "S: a2 NO [CANNOT] no\n" "C: a3 UNSELECT\n" "S: a3 OK\n", false);
	s.imap.capability = slice_str("IMAP4rev1 UIDPLUS UNSELECT MOVE X-GM-EXT-1");
	memcpy(s.imap.trash_folder, "Bin", 4);
	s.hunt.uid = 12;
	s.hunt.uid_validity = 7;
	EXPECT(transcript_run(s.t, imap_hunt_remove_step, &s.hunt, &s.err));
	EXPECT(!s.hunt.removed && !s.hunt.moved && !s.hunt.marked);
	EXPECT_TEXT(s.hunt.refusal, "a2 NO [CANNOT] no");
	scene_close(&s);
}

TEST(an_expunge_that_is_refused_leaves_a_mark)
{
	struct scene s;

	scene_open(&s, "C: a1 SELECT \"INBOX\"\n" "S: * OK [UIDVALIDITY 7] ok\n" "S: a1 OK done\n" "C: a2 UID STORE 12 +FLAGS.SILENT (\\Deleted)\n"
	           "S: a2 OK\n" "C: a3 UID EXPUNGE 12\n" "S: a3 NO [NOPERM] no\n" "C: a4 UNSELECT\n" "S: a4 OK\n", false);
	s.hunt.uid = 12;
	s.hunt.uid_validity = 7;
	EXPECT(transcript_run(s.t, imap_hunt_remove_step, &s.hunt, &s.err));
	EXPECT(!s.hunt.removed && s.hunt.marked);
	scene_close(&s);
}
