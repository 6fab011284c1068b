#include "verify/testmail.h"

#include "model/facts.h"
#include "test.h"
#include "transcript.h"

/* -- words that come again and again ------------------------------------------------------------------------------ */

#define MAIL(to)                                                                                                       \
	"smtp C: MAIL FROM:<ann@birch.example>\n" "smtp S: 250 2.1.0 ok\n"                                             \
	"smtp C: RCPT TO:<" to ">\n" "smtp S: 250 2.1.5 ok\n"                                                          \
	"smtp C: DATA\n" "smtp S: 354 go on\n" "smtp C: …\n" "smtp C: .\n"
#define SENT_TO(to)  MAIL(to) "smtp S: 250 2.0.0 queued\n"
#define SENT         SENT_TO("ann@birch.example")

#define OPENED(folder)                                                                                                 \
	"imap C: … EXAMINE \"" folder "\"\n" "imap S: * 3 EXISTS\n" "imap S: * OK [UIDVALIDITY 7] ok\n"                \
	"imap S: {TAG} OK [READ-ONLY] opened\n"
#define EMPTY(folder) "imap C: … EXAMINE \"" folder "\"\n" "imap S: * 0 EXISTS\n" "imap S: {TAG} OK [READ-ONLY] opened\n"
#define SEARCHED(hits) "imap C: … UID SEARCH 1:* HEADER Message-ID \"<{TOKEN}@birch.example>\"\n" "imap S: * SEARCH" hits "\n" "imap S: {TAG} OK searched\n"
#define SUBJECTS(hits) "imap C: … UID SEARCH 1:* SUBJECT \"{TOKEN}\"\n" "imap S: * SEARCH" hits "\n" "imap S: {TAG} OK searched\n"
#define BOUNCES(hits)                                                                                                  \
	"imap C: … UID SEARCH 1:* OR OR FROM \"mailer-daemon\" FROM \"postmaster\" OR HEADER In-Reply-To "             \
	"\"<{TOKEN}@birch.example>\" HEADER References \"<{TOKEN}@birch.example>\"\n"                                  \
	"imap S: * SEARCH" hits "\n" "imap S: {TAG} OK searched\n"
#define FETCHED(uid)                                                                                                   \
	"imap C: … UID FETCH " uid " (BODY.PEEK[HEADER.FIELDS (RECEIVED FROM SUBJECT MESSAGE-ID AUTHENTICATION-RESULTS X-Mailmoor-Test)]<0.16384>)\n" \
	"imap S: * 3 FETCH (UID " uid " BODY[HEADER.FIELDS (FROM SUBJECT MESSAGE-ID)]<0> {}\n"
#define OURS(uid)                                                                                                      \
	FETCHED(uid) "L: From: <ann@birch.example>\n" "L: Subject: Mailmoor test {TOKEN}\n"                            \
	"L: Message-ID: <{TOKEN}@birch.example>\n" "L: \n" "imap S: )\n" "imap S: {TAG} OK fetched\n"
#define NOT_IN(folder) OPENED(folder) SEARCHED("") SUBJECTS("")
#define FOUND_IN(folder, uid) OPENED(folder) SEARCHED(" " uid) OURS(uid)

#define MARKED(folder, uid)                                                                                            \
	"imap C: … SELECT \"" folder "\"\n" "imap S: * 3 EXISTS\n" "imap S: * OK [UIDVALIDITY 7] ok\n"                 \
	"imap S: {TAG} OK [READ-WRITE] opened\n"                                                                       \
	"imap C: … UID STORE " uid " +FLAGS.SILENT (\\Deleted)\n" "imap S: {TAG} OK stored\n"
#define LEAVES "imap C: … UNSELECT\n" "imap S: {TAG} OK left\n"
#define REMOVED(folder, uid) MARKED(folder, uid) "imap C: … UID EXPUNGE " uid "\n" "imap S: * 3 EXPUNGE\n" "imap S: {TAG} OK expunged\n" LEAVES

#define NOT_ANYWHERE NOT_IN("INBOX") NOT_IN("Junk")

/* -- a mailbox and its servers, already signed in ----------------------------------------------------------------- */

struct scene {
	struct report      *report;
	struct endpoint     place[SERVICES];
	struct imap_session imap;
	struct smtp_session smtp;
	struct testmail     mail;
	struct transcript  *t;
};

/* Special folders by the letter: S(ent), J(unk), T(rash). */
static void scene_open_with(struct scene *s, const char *folders, const char *script, const char *capability, const char *to)
{
	struct waits waits = waits_within(30000);

	*s = (struct scene){ .report = report_new("ann@birch.example"), .t = transcript_new(script) };
	for (enum service i = SERVICE_IMAP; i < SERVICES; i++)
		s->place[i] = (struct endpoint){ .service = i, .host = i == SERVICE_IMAP ? "imap.birch.example" : "smtp.birch.example" };
	imap_session_init(&s->imap, s->report, &s->place[SERVICE_IMAP], NULL, waits, report_attempt(s->report));
	smtp_session_init(&s->smtp, s->report, &s->place[SERVICE_SMTP], NULL, NULL, waits, 1000, report_attempt(s->report));
	transcript_opened(s->t, &s->imap.base.line);
	transcript_opened(s->t, &s->smtp.base.line);
	transcript_line(s->t, "imap", &s->imap.base.line);
	transcript_line(s->t, "smtp", &s->smtp.base.line);
	s->imap.logged_in = s->smtp.logged_in = true;
	s->imap.capability = slice_str(capability ? capability : "IMAP4rev1 UIDPLUS UNSELECT");
	if (strchr(folders, 'S'))
		memcpy(s->imap.sent_folder, "Sent", 5);
	if (strchr(folders, 'J'))
		memcpy(s->imap.junk_folder, "Junk", 5);
	if (strchr(folders, 'T'))
		memcpy(s->imap.trash_folder, "Trash", 6);
	testmail_init(&s->mail, s->report, &s->smtp, &s->imap, "ann@birch.example", to, waits);
	transcript_set(s->t, "TOKEN", s->mail.token);
}

static void scene_open(struct scene *s, const char *script, const char *capability, const char *to)
{
	scene_open_with(s, "SJ", script, capability, to);
}

static void scene_run(struct scene *s)
{
	struct error err = { 0 };

	EXPECT(transcript_run(s->t, testmail_step, &s->mail, &err));
}

static void scene_close(struct scene *s)
{
	testmail_release(&s->mail);
	imap_session_release(&s->imap);
	smtp_session_release(&s->smtp);
	transcript_free(s->t);
	report_free(s->report);
}

/* "passed send.found=yes send.folder=INBOX …", "skipped earlier"; "" when there is no such step. */
static const char *seen(const struct scene *s, const char *id)
{
	struct report *r = s->report;
	int            step = report_find(r, id, NO_ATTEMPT);
	const char    *text;

	if (step < 0)
		return "";
	text = step_state_name(r->step[step].state);
	if (r->step[step].skip)
		return arena_print(r->job, "%s %s", text, r->step[step].skip);
	for (size_t i = 0; i < r->fact_count; i++)
		if (r->fact[i].step == step)
			text = arena_print(r->job, "%s %s=%s", text, r->fact[i].name, r->fact[i].value);
	return text;
}

/* -- cases -------------------------------------------------------------------------------------------------------- */

#define GMAIL "IMAP4rev1 UIDPLUS UNSELECT MOVE X-GM-EXT-1"

static const struct {
	const char *name, *script, *to, *capability;
	const char *send, *arrive, *bounce, *copy, *remove;
	const char *folders;
	bool        no_imap;
	int         life_ms;
} cases[] = {
	{ .name = "arrives at the second look, after a pause",
	  .script = SENT NOT_ANYWHERE "-- wait 300\n" FOUND_IN("INBOX", "12") FOUND_IN("Sent", "5") REMOVED("INBOX", "12") REMOVED("Sent", "5"),
	  .arrive = "passed send.found=yes send.folder=INBOX send.from_seen=ann@birch.example",
	  .copy = "passed send.copy=yes", .remove = "passed send.removed=INBOX, Sent" },

	{ .name = "the hop from us tells our address",
	  .script = SENT OPENED("INBOX") SEARCHED(" 12") FETCHED("12") "L: Received: from [127.0.0.1] (unknown [8.8.4.4])\n" "L:  by smtp.birch.example\n"
	            "L: From: <ann@birch.example>\n" "L: Subject: Mailmoor test {TOKEN}\n" "L: Message-ID: <{TOKEN}@birch.example>\n" "L: \n" "imap S: )\n"
	            "imap S: {TAG} OK fetched\n" FOUND_IN("Sent", "5") REMOVED("INBOX", "12") REMOVED("Sent", "5"),
	  .arrive = "passed send.found=yes send.folder=INBOX send.from_seen=ann@birch.example our.seen=8.8.4.4",
	  .copy = "passed send.copy=yes", .remove = "passed send.removed=INBOX, Sent" },

	{ .name = "the pauses grow",
	  .script = SENT NOT_ANYWHERE "-- wait 300\n" NOT_ANYWHERE "-- wait 600\n" NOT_ANYWHERE "-- wait 1000\n" NOT_ANYWHERE "-- wait 2000\n"
	            NOT_ANYWHERE "-- wait 2000\n" FOUND_IN("INBOX", "12") FOUND_IN("Sent", "5") REMOVED("INBOX", "12") REMOVED("Sent", "5"),
	  .arrive = "passed send.found=yes send.folder=INBOX send.from_seen=ann@birch.example",
	  .copy = "passed send.copy=yes", .remove = "passed send.removed=INBOX, Sent" },

	{ .name = "in the junk folder, and no copy in Sent, also not a second later",
	  .script = SENT NOT_IN("INBOX") FOUND_IN("Junk", "4") NOT_IN("Sent") "-- wait 1000\n" NOT_IN("Sent") REMOVED("Junk", "4"),
	  .arrive = "warned send.found=yes send.folder=Junk send.from_seen=ann@birch.example",
	  .copy = "passed send.copy=no", .remove = "passed send.removed=Junk" },

	{ .name = "a copy in Sent that comes a moment later",
	  .script = SENT FOUND_IN("INBOX", "12") EMPTY("Sent") "-- wait 1000\n" FOUND_IN("Sent", "5") REMOVED("INBOX", "12") REMOVED("Sent", "5"),
	  .arrive = "passed send.found=yes send.folder=INBOX send.from_seen=ann@birch.example",
	  .copy = "passed send.copy=yes", .remove = "passed send.removed=INBOX, Sent" },

	{ .name = "From rewritten, Message-ID too, and judged by the server",
	  .script = SENT OPENED("INBOX") SEARCHED("") SUBJECTS(" 11 12")
	            /* 12 is a reply that has the token in its subject */
	            FETCHED("12") "L: From: Bob <bob@oak.example>\n" "L: Subject: Automatic reply: Mailmoor test {TOKEN}\n"
	            "L: Message-ID: <other@oak.example>\n" "L: \n" "imap S: )\n" "imap S: {TAG} OK fetched\n"
	            FETCHED("11") "L: Authentication-Results: mx.birch.example; spf=pass smtp.mailfrom=x;\n" "L: \tdkim=none; dmarc=fail (p=none)\n"
	            "L: Authentication-Results: elsewhere.example; spf=fail\n"
	            "L: From: \"Ann\" <office@birch.example>\n" "L: Subject: [EXTERNAL] Mailmoor test {TOKEN}\n"
	            "L: Message-ID: <new@birch.example>\n" "L: X-Mailmoor-Test: {TOKEN}\n" "L: \n" "imap S: )\n" "imap S: {TAG} OK fetched\n"
	            NOT_IN("Sent") NOT_IN("Sent") REMOVED("INBOX", "11"),
	  .arrive = "warned send.found=yes send.folder=INBOX send.from_seen=office@birch.example send.authentication=spf=pass dkim=none dmarc=fail",
	  .copy = "passed send.copy=no", .remove = "passed send.removed=INBOX" },

	{ .name = "no UIDPLUS: it stays, marked as deleted, and nothing else is expunged",
	  .script = SENT FOUND_IN("INBOX", "12") NOT_IN("Sent") NOT_IN("Sent") MARKED("INBOX", "12")
	            "imap C: … EXAMINE INBOX\n" "imap S: * 3 EXISTS\n" "imap S: {TAG} OK left\n",
	  .capability = "IMAP4rev1 IDLE",
	  .arrive = "passed send.found=yes send.folder=INBOX send.from_seen=ann@birch.example", .copy = "passed send.copy=no",
	  .remove = "warned send.left=INBOX send.marked=INBOX" },

	{ .name = "the inbox was made anew meanwhile: that number is another message",
	  .script = SENT FOUND_IN("INBOX", "12") NOT_IN("Sent") NOT_IN("Sent") "imap C: … SELECT \"INBOX\"\n" "imap S: * 3 EXISTS\n"
	            "imap S: * OK [UIDVALIDITY 8] new\n" "imap S: {TAG} OK [READ-WRITE] opened\n" LEAVES,
	  .arrive = "passed send.found=yes send.folder=INBOX send.from_seen=ann@birch.example", .copy = "passed send.copy=no",
	  .remove = "warned send.left=INBOX" },

	{ .name = "a mailbox that may only be read",
	  .script = SENT FOUND_IN("INBOX", "12") NOT_IN("Sent") NOT_IN("Sent") "imap C: … SELECT \"INBOX\"\n" "imap S: * 3 EXISTS\n"
	            "imap S: * OK [UIDVALIDITY 7] ok\n" "imap S: {TAG} OK [READ-ONLY] opened\n" LEAVES,
	  .arrive = "passed send.found=yes send.folder=INBOX send.from_seen=ann@birch.example", .copy = "passed send.copy=no",
	  .remove = "warned send.left=INBOX" },

	{ .name = "Gmail: to the trash, and out of it",
	  .script = SENT FOUND_IN("INBOX", "12") FOUND_IN("Sent", "5")
	            "imap C: … SELECT \"INBOX\"\n" "imap S: * OK [UIDVALIDITY 7] ok\n" "imap S: {TAG} OK [READ-WRITE] opened\n"
	            "imap C: … UID MOVE 12 \"Trash\"\n" "imap S: * OK [COPYUID 7 12 90] moved\n" "imap S: {TAG} OK moved\n" LEAVES
	            "imap C: … SELECT \"Sent\"\n" "imap S: * OK [UIDVALIDITY 7] ok\n" "imap S: {TAG} OK [READ-WRITE] opened\n"
	            "imap C: … UID MOVE 5 \"Trash\"\n" "imap S: {TAG} OK nothing to move\n" LEAVES
	            FOUND_IN("Trash", "90") REMOVED("Trash", "90"),
	  .capability = GMAIL, .folders = "SJT",
	  .arrive = "passed send.found=yes send.folder=INBOX send.from_seen=ann@birch.example",
	  .copy = "passed send.copy=yes", .remove = "passed send.removed=INBOX, Sent" },

	{ .name = "the folder for sent mail is not known, nor that for junk",
	  .script = SENT FOUND_IN("INBOX", "12") REMOVED("INBOX", "12"), .folders = "",
	  .arrive = "passed send.found=yes send.folder=INBOX send.from_seen=ann@birch.example",
	  .copy = "skipped no_sent_folder", .remove = "passed send.removed=INBOX" },

	{ .name = "to another address, and it bounces",
	  .script = SENT_TO("bcc@ash.example") "-- wait 1000\n" OPENED("INBOX") BOUNCES("") "-- wait 2000\n" OPENED("INBOX") BOUNCES(" 8 9")
	            /* 9 is an old bounce of something else */
	            "imap C: … UID FETCH 9 (BODY.PEEK[]<0.60000>)\n" "imap S: * 3 FETCH (UID 9 BODY[]<0> {}\n"
	            "L: From: MAILER-DAEMON@mx.birch.example\n" "L: Subject: Undelivered\n" "L: \n" "L: something else\n" "imap S: )\n"
	            "imap S: {TAG} OK fetched\n"
	            "imap C: … UID FETCH 8 (BODY.PEEK[]<0.60000>)\n" "imap S: * 2 FETCH (FLAGS (\\Seen) UID 8 BODY[]<0> {}\n"
	            "L: From: Mail Delivery System <MAILER-DAEMON@mx.birch.example>\n" "L: Subject: Undelivered Mail Returned to Sender\n"
	            "L: Content-Type: multipart/report; report-type=delivery-status; boundary=x\n" "L: \n" "L: --x\n" "L: \n"
	            "L: Final-Recipient: rfc822; bcc@ash.example\n" "L: Action: failed\n" "L: Status: 5.1.1\n"
	            "L: Diagnostic-Code: smtp; 550 5.1.1 <bcc@ash.example>: Recipient address\n" "L:  rejected: User unknown\n" "L: --x\n"
	            "L: Message-ID: <{TOKEN}@birch.example>\n" "imap S: )\n" "imap S: {TAG} OK fetched\n"
	            NOT_IN("Sent") NOT_IN("Sent"),
	  .to = "bcc@ash.example", .arrive = "skipped not_checked_here",
	  .bounce = "failed send.bounced=yes reply.code=550 reply.text=550 5.1.1 <bcc@ash.example>: Recipient address rejected: User unknown "
	            "reply.enhanced=5.1.1",
	  .copy = "passed send.copy=no", .remove = "skipped nothing_to_remove" },

	{ .name = "to another address, delayed: no refusal yet",
	  .script = SENT_TO("bcc@ash.example") "-- wait 1000\n" OPENED("INBOX") BOUNCES(" 8")
	            "imap C: … UID FETCH 8 (BODY.PEEK[]<0.60000>)\n" "imap S: * 2 FETCH (UID 8 BODY[]<0> {}\n"
	            "L: From: postmaster@birch.example\n" "L: Subject: Delayed\n" "L: \n" "L: Action: delayed\n" "L: Status: 4.4.1\n"
	            "L: Message-ID: <{TOKEN}@birch.example>\n" "imap S: )\n" "imap S: {TAG} OK fetched\n"
	            FOUND_IN("Sent", "5") REMOVED("Sent", "5"),
	  .to = "bcc@ash.example", .arrive = "skipped not_checked_here",
	  .bounce = "warned send.bounced=yes reply.text=Delayed reply.enhanced=4.4.1",
	  .copy = "passed send.copy=yes", .remove = "passed send.removed=Sent" },

	{ .name = "to another address, and all is well",
	  .script = SENT_TO("bcc@ash.example") OPENED("INBOX") BOUNCES("") OPENED("INBOX") BOUNCES("") FOUND_IN("Sent", "5") REMOVED("Sent", "5"),
	  .to = "bcc@ash.example", .arrive = "skipped not_checked_here", .bounce = "passed send.bounced=no",
	  .copy = "passed send.copy=yes", .remove = "passed send.removed=Sent" },

	{ .name = "refused at MAIL", .script = "smtp C: MAIL FROM:<ann@birch.example>\n" "smtp S: 553 5.7.1 not yours\n",
	  .send = "failed send.to=ann@birch.example send.stage=mail reply.code=553 reply.enhanced=5.7.1 reply.text=553 5.7.1 not yours",
	  .arrive = "skipped earlier", .copy = "skipped earlier", .remove = "skipped earlier" },

	{ .name = "refused at RCPT",
	  .script = "smtp C: MAIL FROM:<ann@birch.example>\n" "smtp S: 250 ok\n" "smtp C: RCPT TO:<bcc@ash.example>\n" "smtp S: 550 5.1.1 nobody\n",
	  .to = "bcc@ash.example",
	  .send = "failed send.to=bcc@ash.example send.stage=rcpt reply.code=550 reply.enhanced=5.1.1 reply.text=550 5.1.1 nobody",
	  .arrive = "skipped not_checked_here", .bounce = "skipped earlier", .copy = "skipped earlier", .remove = "skipped earlier" },

	{ .name = "refused after the message: nothing is looked for",
	  .script = MAIL("ann@birch.example") "smtp S: 554 5.2.252 SendAsDenied\n",
	  .send = "failed send.to=ann@birch.example send.stage=data reply.code=554 reply.enhanced=5.2.252 "
	          "reply.text=554 5.2.252 SendAsDenied",
	  .arrive = "skipped earlier", .copy = "skipped earlier", .remove = "skipped earlier" },

	{ .name = "the mailbox cannot be read", .script = SENT, .no_imap = true,
	  .arrive = "skipped earlier", .copy = "skipped earlier", .remove = "skipped earlier" },

	{ .name = "called off while it waits for the arrival: it still comes, and is removed",
	  .script = SENT NOT_ANYWHERE "-- called off\n" NOT_ANYWHERE "-- wait 500\n" FOUND_IN("INBOX", "12") FOUND_IN("Sent", "5")
	            REMOVED("INBOX", "12") REMOVED("Sent", "5"),
	  .arrive = "passed send.found=yes send.folder=INBOX send.from_seen=ann@birch.example",
	  .copy = "passed send.copy=yes", .remove = "passed send.removed=INBOX, Sent" },

	{ .name = "called off in the middle of a search: the answer is waited for, the line stays of use",
	  .script = SENT OPENED("INBOX") "imap C: … UID SEARCH 1:* HEADER …\n" "-- called off\n" "imap S: * SEARCH 12\n" "imap S: {TAG} OK searched\n"
	            OURS("12") NOT_IN("Sent") REMOVED("INBOX", "12"),
	  .arrive = "passed send.found=yes send.folder=INBOX send.from_seen=ann@birch.example",
	  .copy = "passed send.copy=no", .remove = "passed send.removed=INBOX" },

	{ .name = "called off after the message was said, before the server answered: it may be on its way",
	  .script = MAIL("ann@birch.example") "-- called off\n" NOT_ANYWHERE "-- wait 500\n" FOUND_IN("INBOX", "12") FOUND_IN("Sent", "5")
	            REMOVED("INBOX", "12") REMOVED("Sent", "5"),
	  .arrive = "passed send.found=yes send.folder=INBOX send.from_seen=ann@birch.example",
	  .copy = "passed send.copy=yes", .remove = "passed send.removed=INBOX, Sent" },

	{ .name = "called off, and it does not come within three seconds",
	  .script = SENT NOT_ANYWHERE "-- called off\n" NOT_ANYWHERE NOT_ANYWHERE NOT_ANYWHERE NOT_ANYWHERE NOT_ANYWHERE NOT_ANYWHERE NOT_ANYWHERE
	            FOUND_IN("Sent", "5") REMOVED("Sent", "5"),
	  .arrive = "skipped called_off", .copy = "passed send.copy=yes", .remove = "passed send.removed=Sent" },

	{ .name = "called off before anything was taken",
	  .script = "smtp C: MAIL FROM:<ann@birch.example>\n" "-- called off\n",
	  .arrive = "skipped earlier", .copy = "skipped earlier", .remove = "skipped earlier" },

	{ .name = "the line breaks before the server answers: looked for all the same",
	  .script = MAIL("ann@birch.example") "-- reset\n" FOUND_IN("INBOX", "12") NOT_IN("Sent") REMOVED("INBOX", "12"),
	  .arrive = "passed send.found=yes send.folder=INBOX send.from_seen=ann@birch.example",
	  .copy = "passed send.copy=no", .remove = "passed send.removed=INBOX" },

	{ .name = "the line to the mailbox breaks",
	  .script = SENT OPENED("INBOX") "imap C: … UID SEARCH …\n" "-- reset\n",
	  .arrive = "failed net.outcome=reset", .copy = "skipped earlier", .remove = "skipped earlier" },

	{ .name = "the mailbox answers what is no IMAP",
	  .script = SENT "imap C: … EXAMINE \"INBOX\"\n" "imap S: 220 smtp?\n",
	  .arrive = "failed reply.broken=imap.birch.example: not IMAP: 220 smtp?", .copy = "skipped earlier", .remove = "skipped earlier" },

	{ .name = "the mailbox falls silent",
	  .script = SENT "imap C: … EXAMINE \"INBOX\"\n" "-- silence\n",
	  .arrive = "failed net.outcome=timeout", .copy = "skipped earlier", .remove = "skipped earlier" },

	{ .name = "it falls silent while it removes: what was found is left",
	  .script = SENT FOUND_IN("INBOX", "12") NOT_IN("Sent") NOT_IN("Sent") "imap C: … SELECT \"INBOX\"\n" "-- silence\n",
	  .arrive = "passed send.found=yes send.folder=INBOX send.from_seen=ann@birch.example", .copy = "passed send.copy=no",
	  .remove = "warned send.left=INBOX" },

	{ .name = "the inbox cannot be opened any more",
	  .script = SENT "imap C: … EXAMINE \"INBOX\"\n" "imap S: {TAG} NO [INUSE] locked\n"
	            "imap C: … EXAMINE \"Junk\"\n" "imap S: {TAG} NO none\n" "imap C: … EXAMINE \"Sent\"\n" "imap S: {TAG} NO [NOPERM] none\n",
	  .arrive = "warned reply.text=a1 NO [INUSE] locked", .copy = "warned reply.text=a3 NO [NOPERM] none", .remove = "skipped nothing_to_remove" },

	{ .name = "the whole is over in the middle of the wait: not found",
	  .script = SENT NOT_ANYWHERE NOT_ANYWHERE NOT_ANYWHERE "-- wait 1000\n", .life_ms = 1500,
	  .arrive = "failed send.found=not yet send.waited_ms=1500", .copy = "skipped no_time", .remove = "skipped no_time" },

	{ .name = "the whole is over before the first look",
	  .script = SENT "imap C: … EXAMINE \"INBOX\"\n" "-- silence\n", .life_ms = 1500,
	  .arrive = "skipped no_time", .copy = "skipped no_time", .remove = "skipped no_time" },
};

static void expect_seen(const struct scene *s, const char *name, const char *id, const char *wanted)
{
	const char *got = seen(s, id);

	if (strcmp(got, wanted) != 0)
		test_fail(__FILE__, __LINE__, "%s: %s is \"%s\", not \"%s\"", name, id, got, wanted);
}

static void run_case(size_t i, bool piecemeal)
{
	const char  *name = cases[i].name;
	struct scene s;

	scene_open_with(&s, cases[i].folders ? cases[i].folders : "SJ", cases[i].script, cases[i].capability, cases[i].to);
	transcript_title(s.t, name);
	if (cases[i].no_imap)
		s.mail.imap = NULL;
	if (piecemeal)
		transcript_piecemeal(s.t);
	if (cases[i].life_ms)
		transcript_life(s.t, cases[i].life_ms);
	scene_run(&s);
	if (cases[i].send)
		expect_seen(&s, name, "smtp.send", cases[i].send);
	expect_seen(&s, name, "send.arrive", cases[i].arrive);
	expect_seen(&s, name, "send.bounce", cases[i].bounce ? cases[i].bounce : "");
	expect_seen(&s, name, "send.copy", cases[i].copy);
	expect_seen(&s, name, "send.remove", cases[i].remove);
	EXPECT_ROW(report_find(s.report, "send.arrive", s.smtp.base.attempt) >= 0, name);
	scene_close(&s);
}

TEST(test_message_cases)
{
	for (size_t i = 0; i < COUNT(cases); i++)
		run_case(i, false);
}

TEST(test_message_cases_byte_by_byte)
{
	for (size_t i = 0; i < COUNT(cases); i++)
		run_case(i, true);
}

/* -- the long wait ------------------------------------------------------------------------------------------------ */

static const char *times(struct arena *work, const char *text, int n)
{
	const char *all = "";

	while (n--)
		all = arena_print(work, "%s%s", all, text);
	return all;
}

/* Looks at 0, 0.3, 0.9, 1.9, 3.9, 5.9 and 7.9 seconds. */
#define HALF_THE_WAIT 7

TEST(never_arrives)
{
	CLEANUP(arena) struct arena *work = arena_new();
	struct scene s;

	/* After the pauses of one second for the copy (it is there) and the bounce, a look every two seconds up to 60. */
	scene_open(&s, arena_print(work, "%s%s%s%s", SENT, times(work, NOT_ANYWHERE, HALF_THE_WAIT),
	                           FOUND_IN("Sent", "5") OPENED("INBOX") BOUNCES("") REMOVED("Sent", "5"), times(work, NOT_ANYWHERE, 26)),
	           NULL, NULL);
	scene_run(&s);
	EXPECT_TEXT(seen(&s, "send.arrive"), "failed send.found=no send.waited_ms=60000");
	EXPECT_TEXT(seen(&s, "send.bounce"), "passed send.bounced=no");
	EXPECT_TEXT(seen(&s, "send.copy"), "passed send.copy=yes");
	EXPECT_TEXT(seen(&s, "send.remove"), "passed send.removed=Sent");
	EXPECT(transcript_now(s.t) == 60000);
	scene_close(&s);
}

TEST(never_arrives_and_the_whole_ends_first_but_the_copy_is_gone_by_then)
{
	CLEANUP(arena) struct arena *work = arena_new();
	struct scene s;

	scene_open(&s, arena_print(work, "%s%s%s%s", SENT, times(work, NOT_ANYWHERE, HALF_THE_WAIT),
	                           FOUND_IN("Sent", "5") OPENED("INBOX") BOUNCES("") REMOVED("Sent", "5"), times(work, NOT_ANYWHERE, 10)),
	           NULL, NULL);
	transcript_life(s.t, 30000);
	scene_run(&s);
	EXPECT_TEXT(seen(&s, "send.arrive"), "failed send.found=not yet send.waited_ms=30000");
	EXPECT_TEXT(seen(&s, "send.copy"), "passed send.copy=yes");
	EXPECT_TEXT(seen(&s, "send.remove"), "passed send.removed=Sent");
	scene_close(&s);
}

TEST(a_bounce_ends_the_wait)
{
	CLEANUP(arena) struct arena *work = arena_new();
	struct scene s;

	scene_open(&s, arena_print(work, "%s%s%s", SENT, times(work, NOT_ANYWHERE, HALF_THE_WAIT),
	                           FOUND_IN("Sent", "5") OPENED("INBOX") BOUNCES(" 8")
	                           "imap C: … UID FETCH 8 (BODY.PEEK[]<0.60000>)\n" "imap S: * 2 FETCH (UID 8 BODY[]<0> {}\n"
	                           "L: From: <MicrosoftExchange329@birch.example>\n" "L: Subject: Undeliverable: Mailmoor test {TOKEN}\n"
	                           "L: Content-Type: multipart/report; report-type=delivery-status\n"
	                           "L: In-Reply-To: <{TOKEN}@birch.example>\n" "L: \n" "L: Diagnostic-Code: smtp;550 5.7.1 no\n" "imap S: )\n"
	                           "imap S: {TAG} OK fetched\n"
	                           REMOVED("Sent", "5")), NULL, NULL);
	scene_run(&s);
	EXPECT_TEXT(seen(&s, "send.arrive"), "failed send.found=no send.waited_ms=8900");
	EXPECT_TEXT(seen(&s, "send.bounce"), "failed send.bounced=yes reply.code=550 reply.text=550 5.7.1 no");
	EXPECT_TEXT(seen(&s, "send.remove"), "passed send.removed=Sent");
	scene_close(&s);
}

/* -- the message itself ------------------------------------------------------------------------------------------- */

TEST(the_message_is_what_it_should_be)
{
	CLEANUP(arena) struct arena *work = arena_new();
	struct scene s;
	const char  *said;

	scene_open(&s, SENT_TO("bcc@ash.example"), NULL, "bcc@ash.example");
	s.mail.imap = NULL;
	scene_run(&s);
	said = transcript_said(s.t);
	EXPECT(strlen(s.mail.token) == 16);
	EXPECT(strstr(said, arena_print(work,
		"DATA\nFrom: <ann@birch.example>\nTo: <bcc@ash.example>\nDate: Sat, 21 Nov 2026 08:00:00 +0000\n"
		"Message-ID: <%s@birch.example>\nSubject: Mailmoor test %s\nX-Mailmoor-Test: %s\nMIME-Version: 1.0\n"
		"Content-Type: text/plain; charset=us-ascii\nAuto-Submitted: auto-generated\n\nHello,\n",
		s.mail.token, s.mail.token, s.mail.token)));
	for (const char *c = said; *c; c++)
		EXPECT((unsigned char)*c < 0x7f);
	scene_close(&s);
}

TEST(two_messages_have_two_tokens)
{
	struct scene a, b;

	scene_open(&a, "", NULL, NULL);
	scene_open(&b, "", NULL, NULL);
	EXPECT(strcmp(a.mail.token, b.mail.token) != 0);
	scene_close(&a);
	scene_close(&b);
}

TEST(called_off_before_it_began_nothing_is_sent)
{
	struct scene    s;
	struct want     w = { .stopping = true };
	struct error    err = { 0 };

	scene_open(&s, "", NULL, NULL);
	EXPECT(testmail_step(&s.mail, &w, &err) == WANT_NOTHING);
	EXPECT(buffer_held(&s.smtp.base.line.out).len == 0 && buffer_held(&s.imap.base.line.out).len == 0);
	EXPECT_TEXT(seen(&s, "send.arrive"), "skipped called_off");
	EXPECT_TEXT(seen(&s, "send.remove"), "skipped called_off");
	scene_close(&s);
}

/* -- to another address that can be asked about ------------------------------------------------------------------ */

struct elsewhere {
	const char *token;       /* that was asked for   */
	int         asked, at;   /* it is there at the at-th asking; 0: never */
	const char *header;      /* and this is its header */
};

static bool has_come(void *self, const char *token, struct arena *into, struct slice *header_out)
{
	struct elsewhere *e = self;

	e->token = token;
	if (e->header)
		*header_out = slice_str(arena_str(into, e->header));
	return ++e->asked == e->at;
}

TEST(to_another_address_and_it_is_seen_to_arrive_there)
{
	struct elsewhere e = { .at = 3 };
	struct scene     s;

	scene_open(&s, SENT_TO("bcc@ash.example") "-- wait 300\n-- wait 600\n" FOUND_IN("Sent", "5") REMOVED("Sent", "5"), NULL, "bcc@ash.example");
	s.mail.has_come = has_come;
	s.mail.asked = &e;
	scene_run(&s);
	EXPECT_TEXT(seen(&s, "send.arrive"), "passed send.found=yes");
	EXPECT_TEXT(seen(&s, "send.bounce"), "");
	EXPECT_TEXT(e.token, s.mail.token);
	scene_close(&s);
}

TEST(the_hop_from_us_tells_our_address)
{
	static const struct { const char *header, *seen; } rows[] = {
		{ "Received: from out.birch.example (out.birch.example [9.9.9.9]) by in.ash.example\r\n"
		  "Received: from [127.0.0.1] (unknown [8.8.4.4]) by out.birch.example\r\nFrom: x\r\n", "passed send.found=yes our.seen=8.8.4.4" },
		{ "Received: from [127.0.0.1] (localhost [127.0.0.1]) by mx\r\n", "passed send.found=yes" },
		{ "", "passed send.found=yes" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct elsewhere e = { .at = 1, .header = rows[i].header };
		struct scene     s;

		scene_open(&s, SENT_TO("bcc@ash.example") FOUND_IN("Sent", "5") REMOVED("Sent", "5"), NULL, "bcc@ash.example");
		s.mail.has_come = has_come;
		s.mail.asked = &e;
		scene_run(&s);
		EXPECT_TEXT(seen(&s, "send.arrive"), rows[i].seen);
		scene_close(&s);
	}
}

TEST(to_another_address_and_it_never_comes)
{
	struct elsewhere e = { 0 };
	struct scene     s;

	scene_open_with(&s, "", SENT_TO("bcc@ash.example"), NULL, "bcc@ash.example");
	s.mail.has_come = has_come;
	s.mail.asked = &e;
	s.mail.imap = NULL;
	scene_run(&s);
	EXPECT(slice_starts(slice_str(seen(&s, "send.arrive")), "failed send.found=no send.waited"));
	EXPECT(e.asked > 10);
	scene_close(&s);
}
