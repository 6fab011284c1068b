/* Whole sessions with our SMTP and LMTP server, written as transcripts:
 *
 *     C: MAIL FROM:<>        what the client says, with CRLF behind; \r \n \t \0 \\ stand for those characters
 *     R: a\n.\n              the same without CRLF
 *     S: 250 2.1.0 …         what we must answer; … stands for any text
 *     -- tls · tls failed    the handshake must come here
 *     -- end · reset · silence · called off      how the client goes on; at the end of the script it hangs up
 *
 * Each is played step by step (and then each answer must stand where it stands), all at once, byte by byte, and cut at every byte.
 */
#include "serve/inbound.h"

#include <stdlib.h>

#include "test.h"

#define HOST      "in.example.org"
#define UNIX      1795248000      /* Sat, 21 Nov 2026 08:00:00 UTC */
#define KEPT      64
#define LINE_MOST ((size_t)1024 * 1024)

/* -- an archive in a table ---------------------------------------------------------------------------------------- */

struct kept_mail { char id[INBOUND_ID + 1], workspace[16], *to, *sender, *from, *subject, *message_id, *test_token, *bytes; size_t len; };

struct archive {
	enum fault       refuses;          /* FAULT_NONE: it keeps                           */
	struct kept_mail kept[KEPT];
	size_t           count, again;
	struct errand   *begun;            /* not answered yet                               */
};

static void find(struct errand *e)
{
	static const struct { const char *token, *workspace; enum fault fault; } tokens[] = {
		{ "tok1", "ws1", FAULT_NONE }, { "tok2", "ws2", FAULT_NONE }, { "alias1", "ws1", FAULT_NONE }, { "down", "", FAULT_BUSY },
	};
	struct inbound_search *s = (struct inbound_search *)e;

	((struct archive *)s->archive)->begun = e;
	fail(&s->err, FAULT_ABSENT, "no such token");
	for (size_t i = 0; i < COUNT(tokens); i++)
		if (strcmp(s->token, tokens[i].token) == 0) {
			s->found = tokens[i].fault == FAULT_NONE;
			s->err.fault = tokens[i].fault;
			strcpy(s->workspace, tokens[i].workspace);
		}
}

static char *copied(const char *text)
{
	return text ? must_copy(text) : NULL;
}

static bool is_there(const struct archive *a, const char *id)
{
	for (size_t i = 0; i < a->count; i++)
		if (strcmp(a->kept[i].id, id) == 0)
			return true;
	return false;
}

static void keep_copy(struct archive *a, struct inbound_mail *m, struct inbound_copy *copy)
{
	struct kept_mail *k = &a->kept[a->count];
	struct slice      bytes = inbound_mail_bytes(m, copy);

	copy->again = is_there(a, copy->id);
	a->again += copy->again;
	if (copy->again)
		return;
	EXPECT(a->count < KEPT);
	a->count++;
	*k = (struct kept_mail){ .to = copied(copy->to), .sender = copied(m->sender), .from = copied(m->from), .subject = copied(m->subject),
	                         .message_id = copied(m->message_id), .test_token = copied(m->test_token), .len = bytes.len };
	strcpy(k->id, copy->id);
	snprintf(k->workspace, sizeof k->workspace, "%s", copy->workspace);
	k->bytes = must_alloc(bytes.len + 1);
	memcpy(k->bytes, bytes.at, bytes.len);
}

static void keep(struct errand *e)
{
	struct inbound_mail *m = (struct inbound_mail *)e;
	struct archive      *a = m->archive;

	a->begun = e;
	m->kept = a->refuses == FAULT_NONE;
	if (!m->kept)
		fail(&m->err, a->refuses, "no");
	for (size_t i = 0; i < m->copies && m->kept; i++)
		keep_copy(a, m, &m->copy[i]);
}

static void archive_release(struct archive *a)
{
	for (size_t i = 0; i < a->count; i++) {
		struct kept_mail *k = &a->kept[i];
		char             *text[] = { k->to, k->sender, k->from, k->subject, k->message_id, k->test_token, k->bytes };

		for (size_t n = 0; n < COUNT(text); n++)
			free(text[n]);
	}
	*a = (struct archive){ 0 };
}

/* -- a client ----------------------------------------------------------------------------------------------------- */

enum how { BY_STEPS, AT_ONCE, BY_BYTES, CUT };

struct scene {
	struct archive   archive;
	struct inbound  *inbound;
	bool             lmtp;
	const char      *peer;
	int64_t          now;
	/* of the session under way */
	const char      *name, *script, *at;
	enum how         how;
	size_t           cut;
	struct buffer    said, wanted;       /* by us */
	struct buffer    client;             /* what the client has still to say before something else happens */
	bool             over, stopping;
	int              paused_ms;
};

static const struct inbound_limits small = {
	.connections = 3, .connections_peer = 2, .message = 3000, .all = 6000,
	.command_ms = 1000, .text_ms = 500, .message_ms = 5000,
	.commands = 30, .errors = 4, .unknown = 3, .recipients = 3,
	.minute_peer = 5, .minute_token = 6, .minute_unknown = 6, .unknown_ms = 1000,
};

static void scene_open(struct scene *s, bool lmtp, struct inbound_limits limits)
{
	*s = (struct scene){ .lmtp = lmtp, .peer = "192.0.2.9" };
	s->inbound = inbound_new(&(struct inbound_settings){ .host = HOST, .domain = "In.Example.org", .limits = limits,
	                         .archive = { .find = find, .keep = keep, .self = &s->archive } }, NULL);
	EXPECT(s->inbound);
	inbound_offer_tls(s->inbound, true);
	buffer_init(&s->said, 1 << 20);
	buffer_init(&s->wanted, 1 << 20);
	buffer_init(&s->client, 4 << 20);
}

static void scene_close(struct scene *s)
{
	inbound_free(s->inbound);
	archive_release(&s->archive);
	buffer_release(&s->said);
	buffer_release(&s->wanted);
	buffer_release(&s->client);
}

static void add_escaped(struct buffer *out, struct slice text)
{
	static const char *const escapes = "rnt0\\", *const meant = "\r\n\t\0\\";

	for (size_t i = 0; i < text.len; i++) {
		const char *e = text.at[i] == '\\' && i + 1 < text.len ? strchr(escapes, text.at[i + 1]) : NULL;

		buffer_add(out, e ? slice(meant + (e - escapes), 1) : slice(text.at + i, 1));
		i += e != NULL;
	}
}

/* The next line of the script without its indentation; at == NULL at its end. */
static struct slice script_line(const char *at, const char **next)
{
	struct slice rest = slice_str(at + strspn(at, "\t\n")), line = slice_cut(&rest, '\n');

	*next = rest.at ? rest.at : line.at + line.len;
	return line.len ? line : slice(NULL, 0);
}

static bool is_event(struct slice line)
{
	return slice_starts(line, "--");
}

/* Takes the script on: what we must answer, what the client says, up to the next event (or, step by step, up to where the
 * client must wait for us). */
static void script_on(struct scene *s)
{
	const char *next;

	for (struct slice line = script_line(s->at, &next); line.at && !is_event(line); line = script_line(s->at, &next)) {
		bool ours = slice_starts(line, "S: ");

		if (s->how == BY_STEPS && ours && buffer_held(&s->client).len)
			return;
		add_escaped(ours ? &s->wanted : &s->client, slice_from(line, 3));
		if (!slice_starts(line, "R: "))
			buffer_add_str(ours ? &s->wanted : &s->client, "\r\n");
		s->at = next;
	}
}

static bool fits(struct slice text, struct slice pattern)
{
	size_t gap = slice_search(pattern, "…");

	if (text.len < gap || memcmp(text.at, pattern.at, gap) != 0)
		return false;
	if (gap == pattern.len)
		return text.len == gap;
	for (size_t i = gap; i <= text.len; i++)
		if (fits(slice_from(text, i), slice_from(pattern, gap + strlen("…"))))
			return true;
	return false;
}

static void expect_said(const struct scene *s)
{
	struct slice said = buffer_held(&s->said), wanted = buffer_held(&s->wanted);

	while (said.len || wanted.len) {
		struct slice is = slice_cut(&said, '\n'), should = slice_cut(&wanted, '\n');

		if (!is.len || !should.len || !fits(is, should))
			test_fail(__FILE__, __LINE__, "%s (%d, %zu): said \"%.*s\", not \"%.*s\"", s->name, s->how, s->cut, (int)is.len, is.at ? is.at : "",
			          (int)should.len, should.at ? should.at : "");
	}
}

static bool event(struct scene *s, const char *name)
{
	const char  *next;
	struct slice line = script_line(s->at, &next);

	if (!is_event(line) || !slice_is(slice_from(line, 3), name))
		return false;
	s->at = next;
	return true;
}

static void flush(struct scene *s, struct line *l)
{
	buffer_add(&s->said, buffer_held(&l->out));
	buffer_clear(&l->out);
}

static enum came answer_read(struct scene *s, struct want *w)
{
	size_t len;

	flush(s, w->line);
	if (!s->over)
		script_on(s);
	len = buffer_held(&s->client).len;
	if (len == 0) {
		if (event(s, "silence"))
			return s->now += w->wait_ms, CAME_TIMEOUT;
		if (event(s, "called off"))
			return s->stopping = true, CAME_CANCELLED;
		s->over = true;
		return event(s, "reset") ? CAME_RESET : (event(s, "end"), CAME_END);
	}
	if (s->how == BY_STEPS)
		expect_said(s);
	if (s->how == BY_BYTES)
		len = 1;
	if (s->how == CUT && s->cut && s->cut < len) {
		len = s->cut;
		s->cut = 0;
	}
	if (len > 1000)      /* as little as a socket may bring */
		len = 1000;
	buffer_add(&w->line->in, slice_upto(buffer_held(&s->client), len));
	buffer_drop(&s->client, len);
	return CAME;
}

static enum came answer_tls(struct scene *s, struct want *w)
{
	EXPECT(w->how == TLS_SERVE && buffer_held(&w->line->in).len == 0 && buffer_held(&w->line->out).len == 0);
	script_on(s);
	EXPECT_ROW(buffer_held(&s->client).len == 0, s->name);
	if (event(s, "tls failed"))
		return CAME_TLS_FAILED;
	EXPECT_ROW(event(s, "tls"), s->name);
	return CAME;
}

static void no_answer(struct errand *e)
{
	(void)e;
}

static enum came answer_commit(struct scene *s, struct want *w)
{
	w->errand->answered = no_answer;
	w->errand->begin(w->errand);
	EXPECT(s->archive.begun == w->errand);
	s->archive.begun = NULL;
	return CAME;
}

static enum came answer(struct scene *s, struct want *w)
{
	EXPECT(w->wait_ms > 0);
	switch (w->kind) {
	case WANT_READ:   return answer_read(s, w);
	case WANT_WRITE:  return flush(s, w->line), CAME;
	case WANT_TLS:    return answer_tls(s, w);
	case WANT_COMMIT: return answer_commit(s, w);
	case WANT_TIME:   s->now += w->wait_ms; s->paused_ms += w->wait_ms; return CAME;
	default:          EXPECT(!"a want that no server has"); return CAME_FAILED;
	}
}

static void play(struct scene *s, const char *name, const char *script, enum how how, size_t cut)
{
	struct want             w = { .came = CAME_NOTHING };
	struct address          peer;
	struct inbound_session *session;
	struct error            err;

	EXPECT(address_parse(s->peer, &peer));
	session = inbound_admit(s->inbound, &peer, s->lmtp);
	EXPECT_ROW(session, name);
	s->name = name, s->script = s->at = script, s->how = how, s->cut = cut;
	s->over = s->stopping = false;
	s->paused_ms = 0;
	buffer_clear(&s->said);
	buffer_clear(&s->wanted);
	buffer_clear(&s->client);
	inbound_line(session)->open = true;
	for (;;) {
		w.now_ms = s->now, w.now_unix = UNIX, w.stopping = s->stopping;
		w.kind = inbound_step(session, &w, &err);
		EXPECT(w.kind != WANT_FAILED);
		if (w.kind == WANT_NOTHING)
			break;
		w.came = answer(s, &w);
	}
	script_on(s);
	expect_said(s);
	inbound_session_free(session);
}

/* -- sessions ----------------------------------------------------------------------------------------------------- */

#define A50   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A500  A50 A50 A50 A50 A50 A50 A50 A50 A50 A50
#define HI    "S: 220 in.example.org ESMTP\nC: EHLO mx.birch.example\nS: 250-in.example.org\nS: 250-PIPELINING\nS: 250-SIZE 3000\nS: 250-8BITMIME\n" \
              "S: 250-SMTPUTF8\nS: 250-CHUNKING\nS: 250-STARTTLS\nS: 250 ENHANCEDSTATUSCODES\n"
#define HI_S  "C: EHLO mx.birch.example\nS: 250-in.example.org\nS: 250-PIPELINING\nS: 250-SIZE 3000\nS: 250-8BITMIME\nS: 250-SMTPUTF8\n" \
              "S: 250-CHUNKING\nS: 250 ENHANCEDSTATUSCODES\n"
#define LHI   "S: 220 in.example.org LMTP\nC: LHLO mx.birch.example\nS: 250-in.example.org\nS: 250-PIPELINING\nS: 250-SIZE 3000\nS: 250-8BITMIME\n" \
              "S: 250-SMTPUTF8\nS: 250-CHUNKING\nS: 250-STARTTLS\nS: 250 ENHANCEDSTATUSCODES\n"
#define MAIL  "C: MAIL FROM:<ann@birch.example>\nS: 250 2.1.0 go on\n"
#define RCPT  "C: RCPT TO:<tok1@in.example.org>\nS: 250 2.1.5 go on\n"
#define DATA  "C: DATA\nS: 354 go on, end with a dot\n"
#define TEXT  "C: From: Ann <ann@birch.example>\nC: Message-ID: <1@birch.example>\nC: Subject: x\nC: \\r\\nR: body\\r\\n\n"
#define DOT   "C: .\nS: 250 2.0.0 kept as msg_…\n"
#define QUIT  "C: QUIT\nS: 221 2.0.0 goodbye\n"
#define ADIEU "S: 421 4.7.0 too many errors, goodbye\n"

enum { LMTP = 1, WAITS = 2, NO_TLS = 4, TAKES_BACK = 8, DISK_FULL = 16 };

static const struct { const char *name, *script; size_t kept; unsigned flags; } sessions[] = {
	{ "a message", HI MAIL RCPT DATA TEXT DOT QUIT, 1, 0 },
	{ "two messages", HI MAIL RCPT DATA TEXT DOT "C: MAIL FROM:<>\nS: 250 2.1.0 go on\n" RCPT DATA "C: Message-ID: <2@b>\n" DOT QUIT, 2, 0 },
	{ "the same twice", HI MAIL RCPT DATA TEXT DOT MAIL RCPT DATA TEXT DOT QUIT, 1, 0 },
	{ "HELO", "S: 220 …\nC: HELO mx\nS: 250 in.example.org\n" MAIL RCPT DATA TEXT DOT QUIT, 1, 0 },
	{ "an empty message", HI MAIL RCPT DATA DOT QUIT, 1, 0 },
	{ "tags, cases, aliases", HI MAIL "C: RCPT TO:<TOK1+a.b@IN.example.ORG>\nS: 250 2.1.5 go on\nC: RCPT TO:<alias1@in.example.org>\nS: 250 2.1.5 go on\n"
	  DATA TEXT DOT QUIT, 1, 0 },
	{ "two workspaces", HI MAIL RCPT "C: RCPT TO:<tok2@in.example.org>\nS: 250 2.1.5 go on\n" DATA TEXT DOT QUIT, 2, 0 },
	{ "the end without QUIT", HI MAIL RCPT DATA TEXT DOT "-- end\n", 1, 0 },
	{ "small talk", HI "C: NOOP x\nS: 250 2.0.0 …\nC: HELP\nS: 214 2.0.0 …\nC: VRFY ann\nS: 252 2.5.0 …\nC: EXPN l\nS: 502 5.5.1 …\n"
	  "C: AUTH PLAIN\nS: 502 5.5.1 …\nC: RSET\nS: 250 2.0.0 …\n" QUIT, 0, 0 },
	{ "RSET", HI MAIL RCPT "C: RSET\nS: 250 2.0.0 forgotten\nC: DATA\nS: 503 5.5.1 …\n" MAIL QUIT, 0, 0 },
	{ "EHLO is RSET", HI MAIL RCPT "C: HELO mx\nS: 250 in.example.org\nC: DATA\nS: 503 5.5.1 …\n" QUIT, 0, 0 },
	{ "SMTPUTF8", HI "C: MAIL FROM:<jürgen@birch.example> SMTPUTF8 BODY=8BITMIME SIZE=100\nS: 250 2.1.0 …\n" RCPT DATA TEXT DOT QUIT, 1, 0 },
	/* out of order */
	{ "nothing before EHLO", "S: 220 …\nC: MAIL FROM:<>\nS: 503 5.5.1 say EHLO first\nC: DATA\nS: 503 5.5.1 say MAIL first\n" QUIT, 0, 0 },
	{ "no name", "S: 220 …\nC: EHLO\nS: 501 5.5.4 …\nC: EHLO a(b\nS: 501 5.5.4 …\n" QUIT, 0, 0 },
	{ "LHLO in SMTP", "S: 220 …\nC: LHLO mx\nS: 500 5.5.1 this is SMTP: say EHLO\n" QUIT, 0, 0 },
	{ "MAIL twice", HI MAIL "C: MAIL FROM:<>\nS: 503 5.5.1 …\n" RCPT DATA TEXT DOT QUIT, 1, 0 },
	{ "RCPT before MAIL", HI "C: RCPT TO:<tok1@in.example.org>\nS: 503 5.5.1 …\n" QUIT, 0, 0 },
	{ "DATA without recipient", HI MAIL "C: DATA\nS: 554 5.5.1 …\n" QUIT, 0, 0 },
	{ "words behind", HI "C: RSET x\nS: 501 5.5.4 …\nC: QUIT x\nS: 501 5.5.4 …\n" QUIT, 0, 0 },
	{ "parameters", HI "C: MAIL FROM:<> RET=FULL\nS: 555 5.5.4 …\nC: MAIL FROM:<jürgen@a.b>\nS: 553 5.6.7 …\n" QUIT, 0, 0 },
	{ "four errors", HI "C: FOO\nS: 500 5.5.2 …\nC: BAR\nS: 500 5.5.2 …\nC: BAZ\nS: 500 5.5.2 …\nC: QUX\nS: 500 5.5.2 …\n" ADIEU, 0, 0 },
	/* who may get some */
	{ "another domain", HI MAIL "C: RCPT TO:<tok1@example.org>\nS: 550 5.7.1 relaying denied\nC: RCPT TO:<tok1@[127.0.0.1]>\nS: 550 5.7.1 …\n" QUIT, 0, 0 },
	{ "percent hack", HI MAIL "C: RCPT TO:<ann%birch.example@in.example.org>\nS: 550 5.1.1 …\nC: RCPT TO:<@in.example.org:ann@birch.example>\nS: 550 5.7.1 …\n" QUIT, 0, 0 },
	{ "unknown", HI MAIL "C: RCPT TO:<nobody@in.example.org>\nS: 550 5.1.1 …\n" RCPT DATA TEXT DOT QUIT, 1, 0 },
	{ "no token at all", HI MAIL "C: RCPT TO:<+x@in.example.org>\nS: 550 5.1.1 …\nC: RCPT TO:<a.b@in.example.org>\nS: 550 5.1.1 …\n" QUIT, 0, 0 },
	{ "guessing", HI MAIL "C: RCPT TO:<a@in.example.org>\nS: 550 5.1.1 …\nC: RCPT TO:<b@in.example.org>\nS: 550 5.1.1 …\n"
	  "C: RCPT TO:<c@in.example.org>\nS: 550 5.1.1 …\nS: 421 4.7.0 too many unknown recipients, goodbye\n", 0, 0 },
	{ "the archive is down", HI MAIL "C: RCPT TO:<down@in.example.org>\nS: 451 4.3.0 …\n" QUIT, 0, 0 },
	{ "four recipients", HI MAIL RCPT RCPT RCPT "C: RCPT TO:<tok1@in.example.org>\nS: 452 4.5.3 …\n" DATA TEXT DOT QUIT, 1, 0 },
	/* sizes */
	{ "declared too large", HI "C: MAIL FROM:<> SIZE=3001\nS: 552 5.3.4 …\n" MAIL QUIT, 0, 0 },
	{ "as large as may be", HI "C: MAIL FROM:<> SIZE=3000\nS: 250 2.1.0 …\n" RCPT DATA "C: " A500 A500 "\nC: " A500 A500 "\nC: " A500 A50 A50 A50 A50 A50 A50 A50 A50 A50 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n" DOT QUIT, 1, 0 },
	{ "one too large", HI MAIL RCPT DATA "C: " A500 A500 "\nC: " A500 A500 "\nC: " A500 A50 A50 A50 A50 A50 A50 A50 A50 A50 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n"
	  "C: .\nS: 552 5.3.4 larger than is taken here\n" MAIL QUIT, 0, 0 },
	{ "without end", HI MAIL RCPT DATA "C: " A500 A500 A500 A500 A500 A500 "\nC: " A500 A500 A500 A500 A500 A500 "\nS: 552 5.3.4 much larger than is taken here, goodbye\n", 0, 0 },
	{ "a huge command", HI "C: NOOP " A500 A500 A500 A500 A500 "\nS: 500 5.5.2 that line is too long\n" QUIT, 0, 0 },
	{ "a loop", HI MAIL RCPT DATA
#define R10 "C: Received: x\nC: Received: x\nC: Received: x\nC: Received: x\nC: Received: x\nC: Received: x\nC: Received: x\nC: Received: x\nC: Received: x\nC: Received: x\n"
	  R10 R10 R10 R10 R10 "C: Received: x\nC: .\nS: 554 5.4.6 …\n" QUIT, 0, 0 },
	{ "nearly a loop", HI MAIL RCPT DATA R10 R10 R10 R10 R10 DOT QUIT, 1, 0 },
	/* line ends */
	{ "smuggling LF . LF", HI MAIL RCPT DATA "R: a\\n.\\nMAIL FROM:<evil@b>\\r\\n\n" DOT QUIT, 1, 0 },
	{ "smuggling LF . CRLF", HI MAIL RCPT DATA "R: a\\n.\\r\\nMAIL FROM:<evil@b>\\r\\nRCPT TO:<tok2@in.example.org>\\r\\nDATA\\r\\nx\\r\\n\n" DOT QUIT, 1, 0 },
	{ "smuggling CRLF . LF", HI MAIL RCPT DATA "R: a\\r\\n.\\nMAIL FROM:<evil@b>\\r\\n\n" DOT QUIT, 1, 0 },
	{ "smuggling CR . CR", HI MAIL RCPT DATA "R: a\\r.\\rMAIL FROM:<evil@b>\\r\\n\n" DOT QUIT, 1, 0 },
	{ "smuggling CR . CRLF", HI MAIL RCPT DATA "R: a\\r.\\r\\nMAIL FROM:<evil@b>\\r\\n\n" DOT QUIT, 1, 0 },
	{ "smuggling CRLF . CR", HI MAIL RCPT DATA "R: a\\r\\n.\\rMAIL FROM:<evil@b>\\r\\n\n" DOT QUIT, 1, 0 },
	{ "smuggling NUL", HI MAIL RCPT DATA "R: a\\r\\n\\0.\\r\\nMAIL FROM:<evil@b>\\r\\n\n" DOT QUIT, 1, 0 },
	{ "LF in a command", HI "R: NOOP\\nMAIL FROM:<>\\r\\n\nS: 521 5.5.2 a line that ends in LF alone, goodbye\n", 0, 0 },
	{ "CR in a command", HI "R: NOOP\\rMAIL FROM:<>\\r\\n\nS: 521 5.5.2 a CR that no LF follows, goodbye\n", 0, 0 },
	{ "a browser", "S: 220 …\nC: POST / HTTP/1.1\nS: 521 5.5.2 …\n", 0, 0 },
	/* BDAT */
	{ "one chunk", HI MAIL RCPT "C: BDAT 6 LAST\nR: a\\n.\\r\\nb\nS: 250 2.0.0 kept as …\n" QUIT, 1, 0 },
	{ "three chunks", HI MAIL RCPT "C: BDAT 3\nR: abc\nS: 250 2.0.0 3 octets\nC: BDAT 2\nR: de\nS: 250 2.0.0 2 octets\nC: BDAT 0 LAST\nS: 250 2.0.0 kept as …\n" QUIT, 1, 0 },
	{ "a chunk without MAIL", HI "C: BDAT 6 LAST\nR: QUIT\\r\\n\nS: 503 5.5.1 …\n" QUIT, 0, 0 },
	{ "a chunk without recipient", HI MAIL "C: BDAT 6\nR: QUIT\\r\\n\nS: 554 5.5.1 …\nC: BDAT 1 LAST\nR: x\nS: 503 5.5.1 …\n" MAIL QUIT, 0, 0 },
	{ "DATA among chunks", HI MAIL RCPT "C: BDAT 1\nR: a\nS: 250 …\nC: DATA\nS: 503 5.5.1 …\nC: RCPT TO:<tok2@in.example.org>\nS: 503 …\nC: RSET\nS: 250 …\n" MAIL QUIT, 0, 0 },
	{ "a chunk too large", HI MAIL RCPT "C: BDAT 3001\nR: " A500 A500 A500 A500 A500 A500 "b\nS: 552 5.3.4 …\nC: BDAT 1 LAST\nR: x\nS: 503 5.5.1 an earlier …\n" MAIL QUIT, 0, 0 },
	{ "chunks too large", HI MAIL RCPT "C: BDAT 3000\nR: " A500 A500 A500 A500 A500 A500 "\nS: 250 …\nC: BDAT 1 LAST\nR: x\nS: 552 5.3.4 …\n" MAIL QUIT, 0, 0 },
	{ "a chunk without size", HI MAIL RCPT "C: BDAT x\nS: 521 5.5.2 BDAT without a size, goodbye\n", 0, 0 },
	{ "chunks that stop", HI MAIL RCPT "C: BDAT 10\nR: abc\n-- end\n", 0, 0 },
	/* LMTP */
	{ "LMTP: three recipients, one unknown", LHI MAIL RCPT "C: RCPT TO:<nobody@in.example.org>\nS: 550 5.1.1 …\nC: RCPT TO:<tok2@in.example.org>\nS: 250 2.1.5 …\n"
	  DATA TEXT DOT "S: 250 2.0.0 kept as msg_…\n" QUIT, 2, LMTP },
	{ "LMTP: EHLO", "S: 220 …\nC: EHLO mx\nS: 500 5.5.1 this is LMTP: say LHLO\nC: HELO mx\nS: 500 …\nC: MAIL FROM:<>\nS: 503 5.5.1 say LHLO first\n" QUIT, 0, LMTP },
	{ "LMTP: nobody", LHI MAIL "C: DATA\nS: 503 5.5.1 …\n" QUIT, 0, LMTP },
	{ "LMTP: guesses are nobody's", LHI MAIL "C: RCPT TO:<a@in.example.org>\nS: 550 …\nC: RCPT TO:<b@in.example.org>\nS: 550 …\nC: RCPT TO:<c@in.example.org>\nS: 550 …\n"
	  "C: RCPT TO:<d@in.example.org>\nS: 550 …\nC: RCPT TO:<e@in.example.org>\nS: 550 …\n" RCPT DATA TEXT DOT QUIT, 1, LMTP },
	{ "LMTP: not now, for both", LHI MAIL RCPT "C: RCPT TO:<tok2@in.example.org>\nS: 250 2.1.5 …\n" DATA TEXT "C: .\nS: 451 4.3.0 …\nS: 451 4.3.0 …\n" QUIT, 0, LMTP | TAKES_BACK },
	{ "LMTP: chunks", LHI MAIL RCPT "C: RCPT TO:<tok2@in.example.org>\nS: 250 2.1.5 …\nC: BDAT 3\nR: abc\nS: 250 2.0.0 3 octets\nC: BDAT 1 LAST\nR: d\n"
	  "S: 250 2.0.0 kept as …\nS: 250 2.0.0 kept as …\n" QUIT, 2, LMTP },
	/* the archive says no, the client goes */
	{ "not now", HI MAIL RCPT DATA TEXT "C: .\nS: 451 4.3.0 it cannot be kept now, try again\n" QUIT, 0, TAKES_BACK },
	{ "the disk is full", HI MAIL RCPT DATA TEXT "C: .\nS: 452 4.3.1 it cannot be kept now, try again\n" QUIT, 0, DISK_FULL },
	{ "gone in the middle", HI MAIL RCPT DATA TEXT "-- end\n", 0, 0 },
	{ "cut in the middle", HI MAIL RCPT DATA TEXT "-- reset\n", 0, 0 },
	{ "gone before the dot's CRLF", HI MAIL RCPT DATA TEXT "R: .\\r\n-- reset\n", 0, 0 },
	{ "silent", "S: 220 …\n-- silence\nS: 421 4.4.2 …\n", 0, 0 },
	{ "silent in the middle", HI MAIL RCPT DATA "C: a\n-- silence\nS: 421 4.4.2 …\n", 0, 0 },
	{ "called off", HI "-- called off\nS: 421 4.3.2 …\n", 0, 0 },
	{ "called off in the middle", HI MAIL RCPT DATA TEXT "-- called off\nS: 421 4.3.2 …\n", 0, 0 },
	/* STARTTLS */
	{ "STARTTLS", HI "C: STARTTLS\nS: 220 2.0.0 go on\n-- tls\n" HI_S MAIL RCPT DATA TEXT DOT QUIT, 1, WAITS },
	{ "STARTTLS forgets", HI MAIL RCPT "C: STARTTLS\nS: 220 …\n-- tls\nC: MAIL FROM:<>\nS: 503 5.5.1 say EHLO first\nC: DATA\nS: 503 5.5.1 …\nC: STARTTLS\nS: 503 5.5.1 …\n" QUIT, 0, WAITS },
	{ "STARTTLS that fails", HI "C: STARTTLS\nS: 220 2.0.0 go on\n-- tls failed\n", 0, WAITS },
	{ "STARTTLS is not there", "S: 220 …\n" HI_S "C: STARTTLS\nS: 502 5.5.1 …\n" QUIT, 0, NO_TLS },
};

static void play_row(size_t i, enum how how, size_t cut)
{
	struct scene s;

	scene_open(&s, sessions[i].flags & LMTP, small);
	inbound_offer_tls(s.inbound, !(sessions[i].flags & NO_TLS));
	s.archive.refuses = sessions[i].flags & TAKES_BACK ? FAULT_BUSY : sessions[i].flags & DISK_FULL ? FAULT_LOCAL : FAULT_NONE;
	play(&s, sessions[i].name, sessions[i].script, how, cut);
	EXPECT_ROW(s.archive.count == sessions[i].kept, sessions[i].name);
	scene_close(&s);
}

TEST(sessions_step_by_step)
{
	for (size_t i = 0; i < COUNT(sessions); i++)
		play_row(i, BY_STEPS, 0);
}

TEST(sessions_pipelined_as_one)
{
	for (size_t i = 0; i < COUNT(sessions); i++)
		if (!(sessions[i].flags & WAITS))
			play_row(i, AT_ONCE, 0);
}

TEST(sessions_byte_by_byte)
{
	for (size_t i = 0; i < COUNT(sessions); i++)
		play_row(i, BY_BYTES, 0);
}

TEST(sessions_cut_at_every_byte)
{
	for (size_t i = 0; i < COUNT(sessions); i++)
		for (size_t cut = 1; cut < strlen(sessions[i].script) && cut < 700; cut++)
			if (!(sessions[i].flags & WAITS))
				play_row(i, CUT, cut);
}

/* -- what is kept ------------------------------------------------------------------------------------------------- */

TEST(what_is_kept)
{
	struct scene      s;
	struct kept_mail *k;
	CLEANUP(arena) struct arena *job = arena_new();

	scene_open(&s, false, small);
	play(&s, "whole", HI "C: MAIL FROM:<ann@birch.example>\nS: 250 …\nC: RCPT TO:<Tok1+Case.7@in.example.org>\nS: 250 …\n"
	     "C: RCPT TO:<alias1@in.example.org>\nS: 250 …\nC: RCPT TO:<tok2@in.example.org>\nS: 250 …\n" DATA
	     "C: From: =?utf-8?Q?J=C3=BCrgen?= <j@birch.example>\nC: Subject: a\nC: \\tb\nC: X-Mailmoor-Test: abc123\nC: Message-ID: <7@birch.example>\nR: \\r\\n\n"
	     "C: ..\nR: a\\n.\\nb\\r\\n\n" DOT QUIT, BY_STEPS, 0);
	EXPECT(s.archive.count == 2);
	k = &s.archive.kept[0];
	EXPECT_TEXT(k->workspace, "ws1");
	EXPECT_TEXT(k->sender, "ann@birch.example");
	EXPECT_TEXT(k->to, "Tok1+Case.7@in.example.org, alias1@in.example.org");
	EXPECT_TEXT(k->from, "Jürgen <j@birch.example>");
	EXPECT_TEXT(k->subject, "a b");
	EXPECT_TEXT(k->message_id, "7@birch.example");
	EXPECT_TEXT(k->test_token, "abc123");
	EXPECT_TEXT(k->bytes, arena_print(job, "Received: from mx.birch.example ([192.0.2.9])\r\n\tby in.example.org with ESMTP id %s;\r\n"
	            "\tSat, 21 Nov 2026 08:00:00 +0000\r\n"
	            "From: =?utf-8?Q?J=C3=BCrgen?= <j@birch.example>\r\nSubject: a\r\n\tb\r\nX-Mailmoor-Test: abc123\r\nMessage-ID: <7@birch.example>\r\n\r\n"
	            ".\r\na\n.\nb\r\n", k->id));
	EXPECT_TEXT(s.archive.kept[1].workspace, "ws2");
	EXPECT_TEXT(s.archive.kept[1].to, "tok2@in.example.org");
	EXPECT(strstr(s.archive.kept[1].bytes, s.archive.kept[1].id) && !strstr(s.archive.kept[1].bytes, k->id));
	EXPECT(slice_search(buffer_held(&s.said), k->id) < buffer_held(&s.said).len);
	scene_close(&s);
}

TEST(the_protocol_is_told_in_the_received_line)
{
	static const struct { const char *script, *with; bool lmtp; } rows[] = {
		{ "S: 220 …\nC: HELO mx\nS: 250 …\n" MAIL RCPT DATA DOT QUIT, " with SMTP id ", false },
		{ HI MAIL RCPT DATA DOT QUIT, " with ESMTP id ", false },
		{ HI "C: STARTTLS\nS: 220 …\n-- tls\n" HI_S MAIL RCPT DATA DOT QUIT, " with ESMTPS id ", false },
		{ HI "C: MAIL FROM:<> SMTPUTF8\nS: 250 …\n" RCPT DATA DOT QUIT, " with UTF8SMTP id ", false },
		{ LHI MAIL RCPT DATA DOT QUIT, " with LMTP id ", true },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct scene s;

		scene_open(&s, rows[i].lmtp, small);
		s.peer = "2001:db8::9";
		play(&s, rows[i].with, rows[i].script, BY_STEPS, 0);
		EXPECT(s.archive.count == 1);
		EXPECT_ROW(strstr(s.archive.kept[0].bytes, rows[i].with), rows[i].with);
		EXPECT(strstr(s.archive.kept[0].bytes, " ([IPv6:2001:db8::9])\r\n"));
		scene_close(&s);
	}
}

/* The sender never heard our 250 and sends again: from another connection, on another way. */
TEST(a_message_sent_again_is_kept_once)
{
	struct scene s;

	scene_open(&s, false, small);
	play(&s, "first", HI MAIL RCPT DATA TEXT "C: .\n-- reset\nS: 250 2.0.0 …\n", BY_STEPS, 0);
	EXPECT(s.archive.count == 1 && s.archive.again == 0);
	play(&s, "again", HI MAIL RCPT DATA "C: Received: by another way\n" TEXT DOT QUIT, BY_STEPS, 0);
	EXPECT(s.archive.count == 1 && s.archive.again == 1);
	EXPECT(slice_search(buffer_held(&s.said), s.archive.kept[0].id) < buffer_held(&s.said).len);
	play(&s, "another body", HI MAIL RCPT DATA TEXT "C: more\n" DOT QUIT, BY_STEPS, 0);
	EXPECT(s.archive.count == 2);
	scene_close(&s);
}

TEST(refused_and_sent_again)
{
	struct scene s;

	scene_open(&s, false, small);
	s.archive.refuses = FAULT_BUSY;
	play(&s, "refused", HI MAIL RCPT DATA TEXT "C: .\nS: 451 4.3.0 …\n" QUIT, BY_STEPS, 0);
	EXPECT(s.archive.count == 0);
	s.archive.refuses = FAULT_NONE;
	play(&s, "again", HI MAIL RCPT DATA TEXT DOT QUIT, BY_STEPS, 0);
	EXPECT(s.archive.count == 1 && s.archive.again == 0);
	scene_close(&s);
}

/* -- STARTTLS ----------------------------------------------------------------------------------------------------- */

TEST(nothing_may_follow_starttls)
{
	struct scene s;

	scene_open(&s, false, small);
	play(&s, "injected", HI "C: STARTTLS\nC: MAIL FROM:<evil@b>\nS: 554 5.5.1 nothing may follow STARTTLS, goodbye\n", AT_ONCE, 0);
	EXPECT(s.archive.count == 0);
	scene_close(&s);
}

/* -- limits ------------------------------------------------------------------------------------------------------- */

static struct inbound_session *call(struct scene *s, const char *from)
{
	struct address peer;

	EXPECT(address_parse(from, &peer));
	return inbound_admit(s->inbound, &peer, s->lmtp);
}

static const char *first_words(struct scene *s, struct inbound_session *session, struct arena *job)
{
	struct want  w = { .now_ms = s->now, .now_unix = UNIX };
	struct error err;

	EXPECT(inbound_step(session, &w, &err) > WANT_FAILED);
	return arena_copy(job, buffer_held(&inbound_line(session)->out));
}

TEST(connections_are_limited_in_all_and_by_peer)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct inbound_session *open[32];
	struct inbound_counts   counts;
	struct scene            s;
	size_t                  n = 0;

	scene_open(&s, false, small);
	open[n++] = call(&s, "2001:db8:0:1::1");
	open[n++] = call(&s, "2001:db8:0:1:ffff::2");
	open[n++] = call(&s, "2001:db8:0:1::3");          /* the third of one /64 */
	EXPECT_TEXT(first_words(&s, open[1], job), "220 in.example.org ESMTP\r\n");
	EXPECT_TEXT(first_words(&s, open[2], job), "421 4.7.0 too many connections, try again later\r\n");
	open[n++] = call(&s, "192.0.2.1");
	EXPECT_TEXT(first_words(&s, open[3], job), "220 in.example.org ESMTP\r\n");
	open[n++] = call(&s, "192.0.2.2");                /* the fourth in all */
	EXPECT_TEXT(first_words(&s, open[4], job), "421 4.7.0 too many connections, try again later\r\n");
	while (n < 32 && (open[n] = call(&s, "192.0.2.3")))
		n++;
	EXPECT(n < 32);                                   /* nor is there endless room for being told */
	inbound_counts(s.inbound, &counts);
	EXPECT(counts.sessions == (int64_t)n && counts.turned_away == (int64_t)n - 3 + 1);
	inbound_session_free(open[--n]);
	EXPECT((open[n] = call(&s, "192.0.2.3")) != NULL);
	n++;
	while (n)
		inbound_session_free(open[--n]);
	open[0] = call(&s, "192.0.2.1");
	EXPECT_TEXT(first_words(&s, open[0], job), "220 in.example.org ESMTP\r\n");
	inbound_session_free(open[0]);
	scene_close(&s);
}

#define ONE  MAIL RCPT DATA "C: Message-ID: <%d@b>\n" DOT

TEST(messages_of_a_peer_are_limited_by_the_minute)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct scene s;

	scene_open(&s, false, small);
	for (int i = 0; i < 5; i++)
		play(&s, "one of five", arena_print(job, HI ONE QUIT, i), BY_STEPS, 0);
	play(&s, "the sixth", HI "C: MAIL FROM:<>\nS: 450 4.7.1 …\n" QUIT, BY_STEPS, 0);
	s.peer = "192.0.2.10";
	play(&s, "from elsewhere", arena_print(job, HI ONE QUIT, 6), BY_STEPS, 0);
	play(&s, "that token has enough", HI MAIL "C: RCPT TO:<tok1@in.example.org>\nS: 450 4.2.1 …\nC: RCPT TO:<tok2@in.example.org>\nS: 250 2.1.5 …\n" QUIT, BY_STEPS, 0);
	s.peer = "192.0.2.9";
	s.now += 60000;
	play(&s, "a minute later", arena_print(job, HI ONE QUIT, 7), BY_STEPS, 0);
	EXPECT(s.archive.count == 7);
	scene_close(&s);
}

TEST(a_mail_server_of_ours_brings_as_much_as_it_likes)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct inbound_limits        wide = small;
	struct scene                 s;

	wide.minute_token = 1000;
	scene_open(&s, true, wide);
	for (int i = 0; i < 20; i++)
		play(&s, "one of twenty", arena_print(job, LHI ONE QUIT, i), BY_STEPS, 0);
	EXPECT(s.archive.count == 20);
	scene_close(&s);
}

#define GUESS(answer) "C: RCPT TO:<x@in.example.org>\nS: 550 5.1.1 …\n" answer

TEST(who_guesses_is_slowed_down_and_turned_away)
{
	struct scene s;

	scene_open(&s, false, small);
	play(&s, "two guesses", HI MAIL GUESS("") GUESS("") QUIT, BY_STEPS, 0);
	EXPECT(s.paused_ms == 1000 + 2000);
	play(&s, "three more", HI MAIL GUESS("") GUESS("") GUESS("S: 421 4.7.0 …\n"), BY_STEPS, 0);
	play(&s, "the sixth", HI MAIL GUESS("") QUIT, BY_STEPS, 0);
	play(&s, "not again", "S: 421 4.7.0 too many unknown recipients, try again later\n", BY_STEPS, 0);
	s.peer = "192.0.2.10";
	play(&s, "somebody else", HI QUIT, BY_STEPS, 0);
	s.peer = "192.0.2.9";
	s.now += 60000;
	play(&s, "a minute later", HI QUIT, BY_STEPS, 0);
	scene_close(&s);
}

TEST(commands_are_limited)
{
	CLEANUP(arena) struct arena *job = arena_new();
	const char  *script = HI, *twenty = "";
	struct scene s;

	for (int i = 0; i < 29; i++)
		script = arena_print(job, "%sC: NOOP\nS: 250 …\n", script);
	for (int i = 0; i < 20; i++)
		twenty = arena_print(job, "%sC: NOOP\nS: 250 …\n", twenty);
	scene_open(&s, false, small);
	play(&s, "thirty", arena_print(job, "%sC: NOOP\nS: 421 4.7.0 too many commands, goodbye\n", script), BY_STEPS, 0);
	play(&s, "and at once", arena_print(job, "%sC: NOOP\nS: 421 4.7.0 too many commands, goodbye\n", script), AT_ONCE, 0);
	/* a message makes up for them; 20 + 20 would be too many */
	play(&s, "with a message", arena_print(job, HI "%s" ONE "%s" QUIT, twenty, 1, twenty), BY_STEPS, 0);
	scene_close(&s);
}

/* One byte now and then does not hold a place for ever. */
static void trickle(const char *opening, bool inside, int each_ms, const char *farewell, int64_t longest_ms)
{
	struct address          peer;
	struct scene            s;
	struct inbound_session *session;
	struct want             w = { .came = CAME_NOTHING };
	struct error            err;
	struct buffer           rest;
	int64_t                 began;

	scene_open(&s, false, small);
	EXPECT(address_parse("192.0.2.1", &peer));
	session = inbound_admit(s.inbound, &peer, false);
	buffer_init(&rest, 10000);
	add_escaped(&rest, slice_str(opening));
	for (began = 0;; w.came = CAME) {
		w.now_ms = s.now;
		w.kind = inbound_step(session, &w, &err);
		if (w.kind == WANT_COMMIT)
			answer_commit(&s, &w);
		if (w.kind == WANT_COMMIT)
			continue;
		if (w.kind != WANT_READ)
			break;
		if (buffer_held(&rest).len) {
			buffer_add(&w.line->in, buffer_held(&rest));
			buffer_clear(&rest);
			began = s.now;
			continue;
		}
		EXPECT(w.wait_ms > 0 && s.now - began <= longest_ms);
		s.now += each_ms < w.wait_ms ? each_ms : w.wait_ms;
		if (each_ms <= w.wait_ms)
			buffer_add_str(&w.line->in, inside ? "\r\n" : "x");
	}
	EXPECT(slice_ends(buffer_held(&inbound_line(session)->out), farewell));
	EXPECT(s.now - began >= longest_ms - each_ms && s.now - began <= longest_ms + each_ms);
	EXPECT(s.archive.count == 0);
	buffer_release(&rest);
	inbound_session_free(session);
	scene_close(&s);
}

TEST(slow_clients_lose_their_place)
{
	trickle("", false, 100, "421 4.4.2 you are too slow, goodbye\r\n", small.command_ms);
	trickle("EHLO a\\r\\nMAIL FROM:<>\\r\\nRCPT TO:<tok1@in.example.org>\\r\\nDATA\\r\\n", true, 400, "421 4.4.2 you are too slow, goodbye\r\n",
	        small.message_ms);
}

/* A client that sends and never reads: our answers must not pile up. */
TEST(answers_do_not_pile_up)
{
	struct inbound_limits wide = small;
	struct want           w = { .came = CAME_NOTHING };
	struct error          err;
	struct scene          s;
	struct inbound_session *session;
	size_t                most = 0;

	wide.commands = 100000;
	scene_open(&s, false, wide);
	session = call(&s, "192.0.2.1");
	for (int i = 0; i < 200; i++) {
		w.kind = inbound_step(session, &w, &err);
		if (buffer_held(&inbound_line(session)->out).len > most)
			most = buffer_held(&inbound_line(session)->out).len;
		w.came = CAME;
		if (w.kind == WANT_READ)
			while (buffer_add_str(&w.line->in, "EHLO a\r\n"))
				;
		else if (w.kind == WANT_WRITE)
			buffer_clear(&w.line->out);
	}
	EXPECT(most > 8000 && most < 9000);
	do {
		w.came = CAME;
		if (w.kind == WANT_READ)
			buffer_add_str(&w.line->in, "EHLO a\r\n");
		w.kind = inbound_step(session, &w, &err);
	} while (w.kind != WANT_WRITE);
	w.came = CAME_TIMEOUT;
	EXPECT(inbound_step(session, &w, &err) == WANT_NOTHING);
	inbound_session_free(session);
	scene_close(&s);
}

/* Two of 3000 bytes fill what may be held of all; a third finds room when one of them is gone. */
TEST(all_messages_under_way_are_limited_together)
{
	static const char said[] = "EHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<tok1@in.example.org>\r\nDATA\r\n" A500 A500 A500 "\r\n";
	struct inbound_limits   wide = small;
	struct inbound_session *session[3];
	struct want             w;
	struct error            err;
	struct scene            s;

	wide.connections = wide.connections_peer = 10;
	wide.all = 5000;
	scene_open(&s, false, wide);
	for (size_t i = 0; i < 3; i++) {
		session[i] = call(&s, "192.0.2.1");
		inbound_line(session[i])->open = true;
		w = (struct want){ .came = CAME_NOTHING };
		buffer_add(&inbound_line(session[i])->in, slice(said, sizeof said - 1));
		while (inbound_step(session[i], &w, &err) == WANT_COMMIT)
			answer_commit(&s, &w);
		EXPECT(w.kind == WANT_READ);
	}
	buffer_clear(&inbound_line(session[2])->out);
	buffer_add_str(&inbound_line(session[2])->in, ".\r\nMAIL FROM:<> SIZE=3000\r\n");
	inbound_step(session[2], &w, &err);
	EXPECT(slice_starts(buffer_held(&inbound_line(session[2])->out), "452 4.3.1 too much at the same time, try again\r\n452 4.3.1"));
	inbound_session_free(session[0]);
	inbound_session_free(session[1]);
	inbound_session_free(session[2]);
	play(&s, "room again", "S: 220 …\nC: HELO a\nS: 250 …\nC: MAIL FROM:<> SIZE=3000\nS: 250 …\n" RCPT DATA TEXT DOT QUIT, BY_STEPS, 0);
	scene_close(&s);
}

TEST(a_line_without_end)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct inbound_limits wide = small;
	char                 *line = arena_get(job, LINE_MOST + 2);
	struct scene          s;

	wide.message = 2 * LINE_MOST;
	wide.all = 8 * LINE_MOST;
	scene_open(&s, true, wide);
	memset(line, 'x', LINE_MOST);
	play(&s, "as long as may be", arena_print(job, "S: 220 …\nC: LHLO a\nS: …\nS: …\nS: …\nS: …\nS: …\nS: …\nS: …\nS: …\n" MAIL RCPT DATA "C: %s\n" DOT QUIT, line),
	     BY_STEPS, 0);
	line[LINE_MOST] = 'x';
	play(&s, "one longer", arena_print(job, "S: 220 …\nC: LHLO a\nS: …\nS: …\nS: …\nS: …\nS: …\nS: …\nS: …\nS: …\n" MAIL RCPT DATA "C: %s\nC: .\nS: 554 5.6.0 …\n" QUIT, line),
	     BY_STEPS, 0);
	EXPECT(s.archive.count == 1);
	scene_close(&s);
}

TEST(a_domain_that_is_none)
{
	struct error err = { 0 };

	EXPECT(!inbound_new(&(struct inbound_settings){ .host = HOST, .domain = "", .limits = small }, &err));
	EXPECT(err.fault == FAULT_MALFORMED);
}
