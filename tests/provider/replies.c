/* Every row of replies.h played through the real sessions: what they record must lead to the same cause as facts made by
 * hand. */
#include "replies.h"

#include "provider/imap.h"
#include "provider/smtp.h"
#include "transcript.h"
#include "world.h"

/* -- what a server says, station by station, until the row's reply ------------------------------------------------------ */

struct station {
	const char *step, *stage;      /* of the row that is refused there */
	const char *said, *passed;     /* by us; by a server that is content */
	const char *tag;               /* before a refusal */
};

static const struct station imap_stations[] = {
	{ "imap.greeting",   NULL, "", "S: {GREETING}\n", "" },
	{ "imap.capability", NULL, "C: a1 CAPABILITY\n", "S: * CAPABILITY {CAPABILITY}\nS: a1 OK done\n", "a1 " },
	{ "imap.login",      NULL, "C: a2 {SIGN_IN} …\n", "S: a2 OK [CAPABILITY IMAP4rev1 ID IDLE] welcome\n", "a2 " },
	{ "imap.id",         NULL, "C: a3 ID …\nC: a4 LIST \"\" \"*\"\nC: a5 EXAMINE INBOX\n", "S: * ID NIL\nS: a3 OK done\n", "a3 " },
	{ "imap.list",       NULL, "", "S: * LIST (\\HasNoChildren) \"/\" INBOX\nS: a4 OK done\n", "a4 " },
	{ "imap.open",       NULL, "", "", "a5 " },
};

static const struct station smtp_stations[] = {
	{ "smtp.greeting", NULL,   "", "S: 220 {HOST} ESMTP\n", "" },
	{ "smtp.ehlo",     NULL,   "C: EHLO [127.0.0.1]\n", "S: 250-{HOST}\nS: 250-SIZE 35651584\nS: 250-8BITMIME\nS: 250 AUTH {AUTH}\n", "" },
	{ "smtp.login",    NULL,   "C: AUTH {SIGN_IN} …\n", "S: 235 2.7.0 welcome\n", "" },
	{ "smtp.send",     "mail", "C: MAIL FROM:<ann@example.org>\n", "S: 250 2.1.0 fine\n", "" },
	{ "smtp.send",     "rcpt", "C: RCPT TO:<bob@example.net>\n", "S: 250 2.1.5 fine\n", "" },
	{ "smtp.send",     "data", "C: DATA\nS: 354 go on\nC: Subject: a test\nC: \nC: Hello.\nC: .\n", "", "" },
};

#define EXCHANGE "IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2 SASL-IR UIDPLUS MOVE ID UNSELECT CHILDREN IDLE NAMESPACE LITERAL+"

/* Hosts whose first words the facts know (G B.6, D.3, D.5); the last stands for all others. NetEase offers no mechanism
 * at all: there it is the command LOGIN. */
static const struct opening {
	const char *host, *greeting, *capability, *by_password, *by_token;
} openings[] = {
	{ "gmail.com", "* OK Gimap ready for requests from 192.0.2.9",
	  "IMAP4rev1 UNSELECT IDLE NAMESPACE QUOTA ID XLIST CHILDREN X-GM-EXT-1 XYZZY SASL-IR"
	  " AUTH=XOAUTH2 AUTH=PLAIN AUTH=PLAIN-CLIENTTOKEN AUTH=OAUTHBEARER AUTH=XOAUTH",
	  "AUTHENTICATE PLAIN", "AUTHENTICATE OAUTHBEARER" },
	{ "outlook.", EXCHANGE_GREETING, EXCHANGE, "AUTHENTICATE PLAIN", "AUTHENTICATE XOAUTH2" },
	{ BIRCH, EXCHANGE_GREETING, EXCHANGE, "AUTHENTICATE PLAIN", NULL },
	{ "imap.163.com", "* OK ready",
	  "IMAP4rev1 XLIST SPECIAL-USE ID LITERAL+ STARTTLS XAPPLEPUSHSERVICE UIDPLUS X-CM-EXT-1", "LOGIN", NULL },
	{ "", "* OK IMAP4rev1 server ready", "IMAP4rev1 SASL-IR LITERAL+ ID ENABLE IDLE AUTH=PLAIN AUTH=LOGIN AUTH=XOAUTH2",
	  "AUTHENTICATE PLAIN", "AUTHENTICATE XOAUTH2" },
};

static const struct opening *opening_of(const char *host)
{
	const struct opening *o = openings;

	while (!strstr(host, o->host))
		o++;
	return o;
}

static bool is_imap(const struct row *row)
{
	return strncmp(row->step, "imap.", 5) == 0;
}

/* A token's refusal is first a challenge that says why; the answer to it says nothing (RFC 7628 §3.2.3; XOAUTH2: facts B.6). */
static void challenge(struct buffer *b, const struct row *row, struct arena *job)
{
	const char *json = arena_print(job, "{\"status\":\"%s\",\"schemes\":\"Bearer\",\"scope\":\"https://mail.google.com/\"}", row->also + 1);
	bool        bearer = is_imap(row) && strstr(opening_of(row->host)->by_token, "OAUTHBEARER");

	buffer_print(b, "S: %s %s\nC: %s\n", is_imap(row) ? "+" : "334", base64_encode(job, slice_str(json)), bearer ? "AQ==" : "");
}

static const char *ending(const char *how)
{
	return strcmp(how, "timeout") == 0 ? "silence" : strcmp(how, "closed") == 0 ? "end" : how;
}

static void refusal(struct buffer *b, const struct row *row, const char *tag, struct arena *job)
{
	if (row->also && row->also[0] == '{')
		challenge(b, row, job);
	if (row->also && row->also[0] == '*')
		buffer_print(b, "S: %s\n", row->also);
	if (row->reply[0] == '!')
		buffer_print(b, "-- %s\n", ending(row->reply + 1));
	else
		buffer_print(b, "S: %s%s\n", tag, row->reply);
}

static bool is_refused_at(const struct row *row, const struct station *s)
{
	return strcmp(row->step, s->step) == 0 && (!s->stage || strcmp(row->also, s->stage) == 0);
}

static const char *script_of(const struct row *row, struct arena *job)
{
	const struct station *station = is_imap(row) ? imap_stations : smtp_stations;
	size_t                stations = is_imap(row) ? COUNT(imap_stations) : COUNT(smtp_stations), at = 0;
	struct buffer         b;
	const char           *script;

	buffer_init(&b, 16 * 1024);
	for (; at < stations && !is_refused_at(row, &station[at]); at++)
		buffer_print(&b, "%s%s", station[at].said, station[at].passed);
	if (at == stations)
		test_fail(__FILE__, __LINE__, "%s: no session comes to %s", row->reply, row->step);
	buffer_print(&b, "%s", station[at].said);
	refusal(&b, row, station[at].tag, job);
	script = arena_copy(job, buffer_held(&b));
	buffer_release(&b);
	return script;
}

/* -- the session ---------------------------------------------------------------------------------------------------------- */

static const struct smtp_message message = {
	.from = "ann@example.org", .to = "bob@example.net", .bytes = { "Subject: a test\r\n\r\nHello.\r\n", 27 },
};

struct scene {
	struct report      *report;
	struct endpoint     place;
	struct login        login;
	struct login_gate   gate;
	struct imap_session imap;
	struct smtp_session smtp;
	bool                opened;
};

static enum want_kind imap_step(void *self, struct want *w, struct error *err)
{
	struct scene *s = self;

	if (!s->opened)
		PASS(imap_open_step(&s->imap, w, err));
	s->opened = true;
	return imap_look_step(&s->imap, w, err);
}

static enum want_kind smtp_step(void *self, struct want *w, struct error *err)
{
	struct scene *s = self;

	if (!s->opened)
		PASS(smtp_open_step(&s->smtp, w, err));
	s->opened = true;
	return smtp_send_step(&s->smtp, w, err);
}

static void scene_open(struct scene *s, const struct row *row)
{
	bool imap = is_imap(row);
	int  attempt;

	*s = (struct scene){
		.report = report_new("ann@example.org"),
		.place = { .service = imap ? SERVICE_IMAP : SERVICE_SMTP, .host = row->host, .port = imap ? 993 : 465,
		           .socket = SOCKET_TLS, .source = SOURCE_USER },
		.login = { .username = "ann@example.org", .username_form = "address", .nonce = "rOprNGfwEbeRWgbNEkqO",
		           .password = row->by == BY_PASSWORD ? "hunter22" : NULL, .token = row->by == BY_TOKEN ? "ya29.token-of-ann" : NULL },
		.gate = { .gate = { .open = true } },
	};
	report_end(s->report, report_begin(s->report, "address", NO_ATTEMPT, 0), STEP_PASSED, 0);
	attempt = report_attempt(s->report);
	imap_session_init(&s->imap, s->report, &s->place, &s->login, waits_within(30000), attempt);
	smtp_session_init(&s->smtp, s->report, &s->place, &s->login, &s->gate, waits_within(30000), 15000, attempt);
	s->smtp.message = &message;
}

static void scene_close(struct scene *s)
{
	imap_session_release(&s->imap);
	smtp_session_release(&s->smtp);
	report_free(s->report);
}

static struct transcript *transcript_of(const struct row *row, struct scene *s, struct arena *job)
{
	const struct opening *o = opening_of(row->host);
	struct transcript    *t = transcript_new(script_of(row, job));
	const char           *imap = row->by == BY_TOKEN ? o->by_token : o->by_password;
	const char           *smtp = row->by == BY_TOKEN ? "XOAUTH2" : "PLAIN";

	transcript_title(t, arena_print(job, "%s at %s of %s", row->reply, row->step, row->host));
	transcript_set(t, "HOST", row->host);
	transcript_set(t, "GREETING", o->greeting);
	transcript_set(t, "CAPABILITY", o->capability);
	transcript_set(t, "AUTH", "PLAIN LOGIN XOAUTH2");
	transcript_set(t, "SIGN_IN", is_imap(row) ? imap : smtp);
	transcript_line(t, "server", is_imap(row) ? &s->imap.base.line : &s->smtp.base.line);
	return t;
}

/* Where the session was to be refused, it was: neither earlier nor later. */
static void expect_failed_at(const struct report *r, const struct row *row)
{
	for (size_t i = 0; i < r->step_count; i++)
		EXPECT_ROW((r->step[i].state == STEP_FAILED) == (strcmp(r->step[i].id, row->step) == 0), row->reply);
	EXPECT_ROW(report_find(r, row->step, 0) >= 0, row->reply);
}

static void play(const struct row *row, bool piecemeal)
{
	CLEANUP(arena) struct arena *job = arena_new();
	CLEANUP(world) struct world *world = world_new();
	CLEANUP(transcript) struct transcript *t = NULL;
	struct error err = { 0 };
	struct scene s;

	scene_open(&s, row);
	t = transcript_of(row, &s, job);
	if (piecemeal)
		transcript_piecemeal(t);
	world_dns(world, row->host, DNS_A, "192.0.2.7");
	world_lines(world, transcript_answer, t);
	EXPECT_ROW(!world_run(world, is_imap(row) ? imap_step : smtp_step, &s, &err), row->reply);
	transcript_end(t);
	expect_failed_at(s.report, row);
	expect_row(s.report, row);
	scene_close(&s);
}

static void play_all(const struct row *row, size_t rows, bool piecemeal)
{
	for (size_t i = 0; i < rows; i++)
		play(&row[i], piecemeal);
}

TEST(imap_whole)
{
	play_all(imap_rows, COUNT(imap_rows), false);
}

TEST(imap_one_byte_at_a_time)
{
	play_all(imap_rows, COUNT(imap_rows), true);
}

TEST(smtp_whole)
{
	play_all(smtp_rows, COUNT(smtp_rows), false);
}

TEST(smtp_one_byte_at_a_time)
{
	play_all(smtp_rows, COUNT(smtp_rows), true);
}
