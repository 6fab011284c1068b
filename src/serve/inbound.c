#include "serve/inbound.h"

#include <assert.h>
#include <ctype.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "model/mailaddress.h"
#include "serve/tally.h"
#include "wire/smtpd.h"

#define LONGEST_TEXT_LINE ((size_t)1024 * 1024)    /* RFC 5321 has 1000; a newsletter in one line is seen, and harms nobody  */
#define HEAR_MOST         ((size_t)32 * 1024)
#define SAY_MOST          ((size_t)64 * 1024)
#define SAY_ENOUGH        ((size_t)8 * 1024)       /* so much unsent: the client reads before it is heard again        */
#define GOODBYE_MS        5000
#define TLS_MS            30000
#define TURNED_AWAY_MOST  16                       /* sessions that do nothing but say 421                             */
#define PEERS_COUNTED     4096
#define TOKENS_COUNTED    4096
#define TOKEN_MOST        64
#define RECEIVED_MOST     1024                     /* our own line in front of a message                               */

const struct inbound_limits inbound_usual = {
	.connections = 500, .connections_peer = 20,
	.message = (size_t)25 * 1024 * 1024, .all = (size_t)256 * 1024 * 1024,
	.command_ms = 300 * 1000, .text_ms = 180 * 1000, .message_ms = 1800 * 1000,
	.commands = 1000,
	.errors = 10, .unknown = 5, .recipients = 100,
	.minute_peer = 120, .minute_token = 600, .minute_unknown = 20,
	.unknown_ms = 1000,
};

struct inbound {
	struct inbound_limits  limits;
	struct inbound_archive archive;
	struct arena          *own;
	const char            *host, *domain;
	bool                   tls;
	size_t                 open, turning_away;
	size_t                 held;                   /* bytes of messages under way */
	struct tally          *peers, *tokens, *guesses;
	struct { _Atomic int64_t sessions, kept, again, refused, unknown, turned_away; } count;
	TAILQ_HEAD(, inbound_session) sessions;
};

enum step {
	SESSION_GREETING, SESSION_COMMAND,
	SESSION_SEARCH, SESSION_FOUND, SESSION_SLOWED,         /* of RCPT          */
	SESSION_TEXT, SESSION_KEEP, SESSION_KEPT,              /* of DATA and BDAT */
	SESSION_UPGRADE, SESSION_SHAKE, SESSION_SHOOK,         /* of STARTTLS      */
	SESSION_GOODBYE, SESSION_GONE,
};

struct recipient {
	const char *to, *token;
	size_t      copy;              /* which copy of the message is for it */
};

struct inbound_session {
	struct inbound       *inbound;
	struct line           line;
	struct smtpd_reader  *reader;
	struct address        peer;
	bool                  lmtp, turned_away;
	enum step             step;
	int64_t               until_ms;        /* the command or the message must be whole by then */
	unsigned              commands, errors, unknown;
	bool                  secure, extended;
	char                  name[256];       /* as it called itself; "" before EHLO              */
	struct tls_answer    *shaken;          /* must live as long as the line                    */
	/* the message under way */
	struct arena         *job;             /* NULL: none                                       */
	struct smtpd_mail     mail;
	struct smtpd_rcpt     asked;           /* the recipient that is looked up                  */
	struct recipient     *recipient;
	size_t                recipients;
	struct inbound_search search;
	struct inbound_mail   keeping;
	struct buffer         bytes;
	size_t                own_bytes;       /* of `bytes`: our Received line in front           */
	size_t                got, chunk;      /* octets of the message, of the chunk              */
	bool                  chunked;         /* BDAT has begun                                   */
	bool                  spoilt;          /*   and a chunk was refused                        */
	const char           *refusal;         /* why what still comes of it is not kept           */
	TAILQ_ENTRY(inbound_session) links;
};

/* -- the listener's side ------------------------------------------------------------------------------------------ */

static const char *domain_of(const char *text, struct arena *into)
{
	const char *ascii = host_ascii(text, into);
	size_t      len = ascii ? strlen(ascii) : 0;

	return len && len < 254 ? ascii : NULL;
}

struct inbound *inbound_new(const struct inbound_settings *settings, struct error *err)
{
	struct inbound *in = must_alloc(sizeof *in);

	in->own = arena_new();
	in->domain = domain_of(settings->domain, in->own);
	in->host = domain_of(settings->host, in->own);
	in->limits = settings->limits;
	in->archive = settings->archive;
	in->peers = tally_new(PEERS_COUNTED);
	in->tokens = tally_new(TOKENS_COUNTED);
	in->guesses = tally_new(PEERS_COUNTED);
	TAILQ_INIT(&in->sessions);
	if (in->domain && in->host)
		return in;
	fail(err, FAULT_MALFORMED, "\"%s\" can be no domain", in->domain ? settings->host : settings->domain);
	inbound_free(in);
	return NULL;
}

void inbound_free(struct inbound *in)
{
	if (!in)
		return;
	assert(TAILQ_EMPTY(&in->sessions));
	tally_free(in->peers);
	tally_free(in->tokens);
	tally_free(in->guesses);
	arena_free(in->own);
	free(in);
}

void inbound_offer_tls(struct inbound *in, bool offered)
{
	in->tls = offered;
}

void inbound_counts(const struct inbound *in, struct inbound_counts *out)
{
	*out = (struct inbound_counts){
		.sessions = in->count.sessions, .kept = in->count.kept, .again = in->count.again,
		.refused = in->count.refused, .unknown = in->count.unknown, .turned_away = in->count.turned_away,
	};
}

/* Who is counted as one: an IPv6 host has a whole /64 to call from. */
static struct slice peer_name(const struct address *peer)
{
	return slice((const char *)peer->bytes, peer->family == 6 ? 8 : 4);
}

static size_t open_from(const struct inbound *in, const struct address *peer)
{
	struct inbound_session *s;
	size_t                  n = 0;

	TAILQ_FOREACH(s, &in->sessions, links)
		n += !s->turned_away && !s->lmtp && s->peer.family == peer->family && slice_equal(peer_name(&s->peer), peer_name(peer));
	return n;
}

struct inbound_session *inbound_admit(struct inbound *in, const struct address *peer, bool lmtp)
{
	struct inbound_session *s;
	bool full = in->open >= in->limits.connections || (!lmtp && open_from(in, peer) >= in->limits.connections_peer);

	if (full)
		in->count.turned_away++;
	if (full && in->turning_away >= TURNED_AWAY_MOST)
		return NULL;
	s = must_alloc(sizeof *s);
	s->inbound = in;
	s->peer = *peer;
	s->lmtp = lmtp;
	s->turned_away = full;
	s->reader = smtpd_reader_new(SMTPD_LONGEST_COMMAND, LONGEST_TEXT_LINE);
	line_init(&s->line, HEAR_MOST, SAY_MOST);
	buffer_init(&s->bytes, in->limits.message + RECEIVED_MOST);
	in->count.sessions++;
	in->open += !full;
	in->turning_away += full;
	TAILQ_INSERT_TAIL(&in->sessions, s, links);
	return s;
}

struct line *inbound_line(struct inbound_session *s)
{
	return &s->line;
}

static void give_back(struct inbound_session *s)
{
	s->inbound->held -= s->bytes.size;
	buffer_release(&s->bytes);
}

/* Back to before MAIL. */
static void forget_mail(struct inbound_session *s)
{
	give_back(s);
	arena_free(s->job);
	s->job = NULL;
	s->recipient = NULL;
	s->recipients = 0;
	s->chunked = s->spoilt = false;
	s->refusal = NULL;
	s->got = 0;
}

void inbound_session_free(struct inbound_session *s)
{
	struct inbound *in = s->inbound;

	in->count.sessions--;
	in->open -= !s->turned_away;
	in->turning_away -= s->turned_away;
	TAILQ_REMOVE(&in->sessions, s, links);
	forget_mail(s);
	line_release(&s->line);
	smtpd_reader_free(s->reader);
	free(s->shaken);
	free(s);
}

/* -- saying ------------------------------------------------------------------------------------------------------- */

__attribute__((format(printf, 2, 3)))
static void say(struct inbound_session *s, const char *fmt, ...)
{
	char    text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	buffer_add_str(&s->line.out, text);
	buffer_add_str(&s->line.out, "\r\n");
}

/* Says it, and hangs up. */
static void leave(struct inbound_session *s, const char *reply)
{
	say(s, "%s", reply);
	s->step = SESSION_GOODBYE;
}

/* An answer to what a good client never does. */
static void refuse(struct inbound_session *s, const char *reply)
{
	s->inbound->count.refused++;
	say(s, "%s", reply);
	if (++s->errors >= s->inbound->limits.errors)
		leave(s, "421 4.7.0 too many errors, goodbye");
}

/* RFC 2033 §4.2: after the message each recipient has an answer of its own. */
static void refuse_message(struct inbound_session *s, const char *reply)
{
	s->inbound->count.refused++;
	for (size_t i = 0; i < (s->lmtp && s->recipients ? s->recipients : 1); i++)
		say(s, "%s", reply);
}

static void next_command(struct inbound_session *s, const struct want *w)
{
	if (s->step != SESSION_GOODBYE)
		s->step = SESSION_COMMAND;
	s->until_ms = w->now_ms + s->inbound->limits.command_ms;
}

/* -- hearing ------------------------------------------------------------------------------------------------------ */

/* The wait did not bring what was waited for: a word to a client that can still hear it, and the end. */
static void lost(struct inbound_session *s, enum came came)
{
	switch (came) {
	case CAME_TIMEOUT:   leave(s, "421 4.4.2 you are too slow, goodbye"); break;
	case CAME_CANCELLED: leave(s, "421 4.3.2 this server is closing, try again"); break;
	default:             s->step = SESSION_GONE;
	}
}

/* A client that sends on and never reads what is answered. */
static enum want_kind drain(struct inbound_session *s, struct want *w)
{
	if (buffer_held(&s->line.out).len < SAY_ENOUGH)
		return WANT_NOTHING;
	if (want_came(w) > CAME_NOTHING) {
		s->step = SESSION_GONE;
		return WANT_NOTHING;
	}
	return want_write(w, &s->line, s->inbound->limits.text_ms);
}

/* WANT_NOTHING: `e` is there (drop it with heard()), or the step has changed and there is nothing more to hear. */
static enum want_kind hear(struct inbound_session *s, struct smtpd_event *e, size_t *used, int wait_ms, struct want *w)
{
	int64_t   left_ms = s->until_ms - w->now_ms;
	enum came came = want_came(w);

	*e = smtpd_next(s->reader, buffer_held(&s->line.in), used);
	if (e->kind != SMTPD_MORE)
		return WANT_NOTHING;
	buffer_drop(&s->line.in, *used);
	*used = 0;
	if (came > CAME_NOTHING || left_ms <= 0) {
		lost(s, came > CAME_NOTHING ? came : CAME_TIMEOUT);
		return WANT_NOTHING;
	}
	return want_read(w, &s->line, left_ms < wait_ms ? (int)left_ms : wait_ms);
}

static void heard(struct inbound_session *s, size_t used)
{
	buffer_drop(&s->line.in, used);
}

/* -- EHLO and what needs no state --------------------------------------------------------------------------------- */

static void answer_hello(struct inbound_session *s, const struct smtpd_event *e)
{
	const struct inbound *in = s->inbound;

	if ((e->verb == SMTPD_LHLO) != s->lmtp) {
		refuse(s, s->lmtp ? "500 5.5.1 this is LMTP: say LHLO" : "500 5.5.1 this is SMTP: say EHLO");
		return;
	}
	if (!smtpd_name(e->args)) {
		refuse(s, "501 5.5.4 that is no host's name");
		return;
	}
	forget_mail(s);
	snprintf(s->name, sizeof s->name, "%.*s", (int)e->args.len, e->args.at);
	s->extended = e->verb != SMTPD_HELO;
	if (!s->extended) {
		say(s, "250 %s", in->host);
		return;
	}
	say(s, "250-%s", in->host);
	say(s, "250-PIPELINING");
	say(s, "250-SIZE %zu", in->limits.message);
	say(s, "250-8BITMIME");
	say(s, "250-SMTPUTF8");
	say(s, "250-CHUNKING");
	if (in->tls && !s->secure)
		say(s, "250-STARTTLS");
	say(s, "250 ENHANCEDSTATUSCODES");
}

static void answer_rset(struct inbound_session *s, const struct smtpd_event *e)
{
	(void)e;
	forget_mail(s);
	say(s, "250 2.0.0 forgotten");
}

static void answer_noop(struct inbound_session *s, const struct smtpd_event *e)
{
	(void)e;
	say(s, "250 2.0.0 here I am");
}

static void answer_help(struct inbound_session *s, const struct smtpd_event *e)
{
	(void)e;
	say(s, "214 2.0.0 mail is taken for the BCC addresses at %s, see RFC %s", s->inbound->domain, s->lmtp ? "2033" : "5321");
}

static void answer_vrfy(struct inbound_session *s, const struct smtpd_event *e)
{
	(void)e;
	say(s, "252 2.5.0 send it some mail, and see");
}

static void answer_quit(struct inbound_session *s, const struct smtpd_event *e)
{
	(void)e;
	leave(s, "221 2.0.0 goodbye");
}

static void answer_never(struct inbound_session *s, const struct smtpd_event *e)
{
	(void)e;
	refuse(s, "502 5.5.1 not here");
}

static void answer_unknown(struct inbound_session *s, const struct smtpd_event *e)
{
	refuse(s, e->verb == SMTPD_TOO_LONG ? "500 5.5.2 that line is too long" : "500 5.5.2 no such command");
}

static void answer_foreign(struct inbound_session *s, const struct smtpd_event *e)
{
	(void)e;
	s->inbound->count.refused++;
	leave(s, "521 5.5.2 this is no web server, goodbye");
}

static void answer_starttls(struct inbound_session *s, const struct smtpd_event *e)
{
	(void)e;
	if (s->secure)
		refuse(s, "503 5.5.1 TLS is there already");
	else if (!s->inbound->tls)
		refuse(s, "502 5.5.1 not here");
	else
		s->step = SESSION_UPGRADE;
}

/* -- MAIL and RCPT ------------------------------------------------------------------------------------------------ */

static const char *no_room_for(const struct inbound_session *s, size_t size)
{
	const struct inbound *in = s->inbound;

	return size > in->limits.message             ? "552 5.3.4 larger than is taken here"
	     : in->held + size > in->limits.all      ? "452 4.3.1 too much at the same time, try again" : NULL;
}

static void answer_mail(struct inbound_session *s, const struct smtpd_event *e, const struct want *w)
{
	struct inbound    *in = s->inbound;
	struct arena      *job = arena_new();
	struct smtpd_mail  mail;
	const char        *problem = smtpd_mail(e->args, job, &mail), *no_room = problem ? NULL : no_room_for(s, mail.size);

	if (problem) {
		refuse(s, problem);
	} else if (no_room) {
		say(s, "%s", no_room);
	} else if (!s->lmtp && tally_count(in->peers, peer_name(&s->peer), w->now_ms) >= in->limits.minute_peer) {
		say(s, "450 4.7.1 too many messages from you in this minute, try again");
	} else {
		s->job = job;
		s->mail = mail;
		s->recipient = arena_get(job, in->limits.recipients * sizeof *s->recipient);
		say(s, "250 2.1.0 go on");
		return;
	}
	arena_free(job);
}

/* The token of TOKEN@… or TOKEN+anything@…, or NULL: then it cannot be one. */
static const char *token_of(const char *local, struct arena *into)
{
	struct slice text = slice_upto(slice_str(local), strcspn(local, "+"));
	char        *token;

	if (text.len == 0 || text.len > TOKEN_MOST)
		return NULL;
	token = arena_copy(into, text);
	for (char *c = token; *c; c++) {
		if ((unsigned char)*c >= 0x80 || !isalnum((unsigned char)*c))
			return NULL;
		*c = (char)tolower((unsigned char)*c);
	}
	return token;
}

static void unknown_recipient(struct inbound_session *s, const struct want *w)
{
	struct inbound *in = s->inbound;

	in->count.unknown++;
	if (s->lmtp) {
		say(s, "550 5.1.1 nobody here has that address");
		return;
	}
	tally_add(in->guesses, peer_name(&s->peer), w->now_ms);
	refuse(s, "550 5.1.1 nobody here has that address");
	if (s->step != SESSION_GOODBYE && ++s->unknown >= in->limits.unknown)
		leave(s, "421 4.7.0 too many unknown recipients, goodbye");
	else if (s->step != SESSION_GOODBYE)
		s->step = SESSION_SLOWED;
}

static void answer_rcpt(struct inbound_session *s, const struct smtpd_event *e, const struct want *w)
{
	struct inbound *in = s->inbound;
	const char     *problem = smtpd_rcpt(e->args, s->mail.utf8, s->job, &s->asked);

	if (problem) {
		refuse(s, problem);
	} else if (strcmp(s->asked.domain, in->domain) != 0) {
		refuse(s, "550 5.7.1 relaying denied");
	} else if (s->recipients == in->limits.recipients) {
		say(s, "452 4.5.3 enough recipients for one message");
	} else {
		s->search = (struct inbound_search){ .errand = { .begin = in->archive.find }, .archive = in->archive.self,
		                                     .token = token_of(s->asked.local, s->job) };
		if (s->search.token)
			s->step = SESSION_SEARCH;
		else
			unknown_recipient(s, w);
	}
}

static enum want_kind search(struct inbound_session *s, struct want *w)
{
	s->step = SESSION_FOUND;
	return want_commit(w, &s->search.errand);
}

/* The copy for that workspace: the address joins the others of it, or is the first. */
static size_t copy_for(struct inbound_session *s, const char *workspace, const char *to)
{
	struct inbound_mail *m = &s->keeping;
	size_t               n = 0;

	while (n < m->copies && strcmp(m->copy[n].workspace, workspace) != 0)
		n++;
	if (n < m->copies)
		m->copy[n].to = arena_print(s->job, "%s, %s", m->copy[n].to, to);
	else
		m->copy[m->copies++] = (struct inbound_copy){ .workspace = arena_str(s->job, workspace), .to = to };
	return n;
}

static enum want_kind found(struct inbound_session *s, struct want *w)
{
	struct inbound *in = s->inbound;

	want_came(w);
	if (s->search.found && tally_count(in->tokens, slice_str(s->search.token), w->now_ms) >= in->limits.minute_token) {
		say(s, "450 4.2.1 too many messages for that address in this minute, try again");
	} else if (s->search.found) {
		if (s->recipients == 0) {
			s->keeping = (struct inbound_mail){ 0 };
			s->keeping.copy = arena_get(s->job, in->limits.recipients * sizeof *s->keeping.copy);
		}
		s->recipient[s->recipients++] = (struct recipient){ .to = s->asked.text, .token = s->search.token,
		                                                    .copy = copy_for(s, s->search.workspace, s->asked.text) };
		say(s, "250 2.1.5 go on");
	} else if (s->search.err.fault == FAULT_ABSENT) {
		unknown_recipient(s, w);
	} else {
		say(s, "451 4.3.0 addresses cannot be looked up now, try again");
	}
	if (s->step == SESSION_FOUND)
		next_command(s, w);
	return WANT_NOTHING;
}

/* The answer lies in the line already and goes out with the next wait for the client: first this one passes. */
static enum want_kind slowed(struct inbound_session *s, struct want *w)
{
	int ms = s->inbound->limits.unknown_ms << (s->unknown - 1);

	next_command(s, w);
	s->until_ms += ms;
	return want_time(w, ms);
}

/* -- DATA and BDAT ------------------------------------------------------------------------------------------------ */

static const char *protocol(const struct inbound_session *s)
{
	static const char *const name[2][2][2] = {      /* [LMTP][SMTPUTF8][TLS]; RFC 3848, RFC 6531 §4.3 */
		{ { "ESMTP", "ESMTPS" }, { "UTF8SMTP", "UTF8SMTPS" } },
		{ { "LMTP", "LMTPS" }, { "UTF8LMTP", "UTF8LMTPS" } },
	};

	if (!s->extended)
		return "SMTP";
	return name[s->lmtp][s->mail.utf8][s->secure];
}

/* Gone over a limit: what was collected goes at once, what still comes is only counted. */
static void give_up(struct inbound_session *s, const char *refusal)
{
	s->refusal = refusal;
	give_back(s);
}

/* Adds to the message while all messages together may still grow. */
static void collect(struct inbound_session *s, struct slice text)
{
	struct inbound *in = s->inbound;
	size_t          before = s->bytes.size;

	if (s->refusal)
		return;
	if (!buffer_add(&s->bytes, text)) {
		give_up(s, "552 5.3.4 larger than is taken here");
		return;
	}
	in->held += s->bytes.size - before;
	if (in->held > in->limits.all)
		give_up(s, "452 4.3.1 too much at the same time, try again");
}

static void begin_message(struct inbound_session *s, const struct want *w)
{
	struct inbound *in = s->inbound;

	if (!s->lmtp)
		tally_add(in->peers, peer_name(&s->peer), w->now_ms);
	s->got = 0;
	s->keeping.received = w->now_unix * 1000;
	collect(s, slice_str(inbound_received(s->job, s->name, &s->peer, in->host, protocol(s), w->now_unix, &s->keeping.id_at)));
	s->own_bytes = buffer_held(&s->bytes).len;
}

static void text_begins(struct inbound_session *s, const struct want *w)
{
	s->chunk = 0;
	s->until_ms = w->now_ms + s->inbound->limits.message_ms;
	s->step = SESSION_TEXT;
}

static const char *no_message(const struct inbound_session *s)
{
	return !s->job            ? "503 5.5.1 say MAIL first"
	     : s->recipients == 0 ? s->lmtp ? "503 5.5.1 no recipient was accepted" : "554 5.5.1 no recipient was accepted" : NULL;
}

static void answer_data(struct inbound_session *s, const struct smtpd_event *e, const struct want *w)
{
	const char *problem = s->chunked ? "503 5.5.1 BDAT has begun: go on with BDAT" : no_message(s);

	(void)e;
	if (problem) {
		refuse(s, problem);
		return;
	}
	begin_message(s, w);
	smtpd_data(s->reader);
	text_begins(s, w);
	say(s, "354 go on, end with a dot");
}

static void answer_bdat(struct inbound_session *s, const struct smtpd_event *e, const struct want *w)
{
	(void)e;
	s->refusal = s->spoilt ? "503 5.5.1 an earlier chunk was refused: say RSET" : no_message(s);
	if (!s->refusal && !s->chunked)
		begin_message(s, w);
	s->chunked = s->job != NULL;
	text_begins(s, w);
}

static void count_text(struct inbound_session *s, struct slice text)
{
	const struct inbound *in = s->inbound;

	s->got += text.len;
	s->chunk += text.len;
	/* An honest client is heard to the end, and then told; one without end is not. */
	if (s->got > 2 * in->limits.message)
		leave(s, "552 5.3.4 much larger than is taken here, goodbye");
	else if (s->got > in->limits.message && !s->refusal)
		give_up(s, "552 5.3.4 larger than is taken here");
	else
		collect(s, text);
}

static void end_mail(struct inbound_session *s, const struct want *w)
{
	forget_mail(s);
	next_command(s, w);
}

/* What is wrong with the message as a whole; NULL: it is to be kept. */
static const char *judge(struct inbound_session *s)
{
	struct inbound_mail *m = &s->keeping;
	struct slice         message = slice_from(buffer_held(&s->bytes), s->own_bytes);

	if (s->refusal)
		return s->refusal;
	inbound_mail_read(m, message, s->job);
	if (m->hops > INBOUND_HOPS)
		return "554 5.4.6 this message goes round in circles";
	for (size_t i = 0; i < m->copies; i++)
		inbound_mail_id(message, m->copy[i].workspace, m->copy[i].id);
	m->errand = (struct errand){ .begin = s->inbound->archive.keep };
	m->archive = s->inbound->archive.self;
	m->sender = s->mail.sender;
	m->bytes = s->bytes.bytes + s->bytes.start;
	m->len = buffer_held(&s->bytes).len;
	m->kept = false;
	return NULL;
}

static void chunk_ends(struct inbound_session *s, const struct want *w)
{
	next_command(s, w);
	if (!s->refusal) {
		say(s, "250 2.0.0 %zu octets", s->chunk);
		return;
	}
	s->spoilt = s->job != NULL;
	refuse(s, s->refusal);
}

static void message_ends(struct inbound_session *s, const struct want *w)
{
	const char *refusal = judge(s);

	if (!refusal) {
		s->step = SESSION_KEEP;
		return;
	}
	refuse_message(s, refusal);
	end_mail(s, w);
}

static enum want_kind text(struct inbound_session *s, struct want *w)
{
	struct smtpd_event e;
	size_t             used;

	PASS(hear(s, &e, &used, s->inbound->limits.text_ms, w));
	if (e.kind == SMTPD_TEXT)
		count_text(s, e.text);
	if (e.kind == SMTPD_TEXT_END && e.long_line && !s->refusal)
		give_up(s, "554 5.6.0 a line of it is too long");
	heard(s, used);
	if (e.kind == SMTPD_TEXT_END && e.last)
		message_ends(s, w);
	else if (e.kind == SMTPD_TEXT_END)
		chunk_ends(s, w);
	return WANT_NOTHING;
}

static enum want_kind keep(struct inbound_session *s, struct want *w)
{
	s->step = SESSION_KEPT;
	return want_commit(w, &s->keeping.errand);
}

static void say_kept(struct inbound_session *s, const struct want *w)
{
	struct inbound            *in = s->inbound;
	const struct inbound_mail *m = &s->keeping;

	for (size_t i = 0; i < s->recipients; i++) {
		tally_add(in->tokens, slice_str(s->recipient[i].token), w->now_ms);
		if (s->lmtp || i == 0)
			say(s, "250 2.0.0 kept as %s", m->copy[s->recipient[i].copy].id);
	}
	for (size_t i = 0; i < m->copies; i++)
		*(m->copy[i].again ? &in->count.again : &in->count.kept) += 1;
	s->commands = 0;
}

static enum want_kind kept(struct inbound_session *s, struct want *w)
{
	const struct inbound_mail *m = &s->keeping;

	want_came(w);
	if (m->kept)
		say_kept(s, w);
	else
		refuse_message(s, m->err.fault == FAULT_LOCAL ? "452 4.3.1 it cannot be kept now, try again"
		                                              : "451 4.3.0 it cannot be kept now, try again");
	end_mail(s, w);
	return WANT_NOTHING;
}

/* -- STARTTLS ----------------------------------------------------------------------------------------------------- */

/* RFC 3207 §4: nothing may follow until the handshake is over. What does was said by somebody in between, or by a client that would
 * not notice such a one. */
static enum want_kind upgrade(struct inbound_session *s, struct want *w)
{
	if (buffer_held(&s->line.in).len) {
		leave(s, "554 5.5.1 nothing may follow STARTTLS, goodbye");
		return WANT_NOTHING;
	}
	say(s, "220 2.0.0 go on");
	want_came(w);
	s->step = SESSION_SHAKE;
	return want_write(w, &s->line, s->inbound->limits.text_ms);
}

static enum want_kind shake(struct inbound_session *s, struct want *w)
{
	if (want_came(w) != CAME) {
		s->step = SESSION_GONE;
		return WANT_NOTHING;
	}
	buffer_clear(&s->line.in);
	s->shaken = must_alloc(sizeof *s->shaken);
	s->step = SESSION_SHOOK;
	return want_tls(w, &s->line, s->inbound->host, TLS_SERVE, s->shaken, TLS_MS);
}

/* RFC 3207 §4.2: whatever was said before, anybody may have said. */
static enum want_kind shook(struct inbound_session *s, struct want *w)
{
	if (want_came(w) != CAME) {
		s->step = SESSION_GONE;
		return WANT_NOTHING;
	}
	forget_mail(s);
	s->name[0] = '\0';
	s->secure = true;
	next_command(s, w);
	return WANT_NOTHING;
}

/* -- commands ----------------------------------------------------------------------------------------------------- */

enum { HELLO = 1 << 0, NO_MAIL = 1 << 1, MAIL = 1 << 2, BARE = 1 << 3 };      /* what must be so */

static const struct {
	unsigned needs;
	void   (*answer)(struct inbound_session *, const struct smtpd_event *);
	void   (*answer_at)(struct inbound_session *, const struct smtpd_event *, const struct want *);     /* where time matters */
} commands[] = {
	[SMTPD_UNKNOWN]  = { 0,               answer_unknown,  NULL        },
	[SMTPD_TOO_LONG] = { 0,               answer_unknown,  NULL        },
	[SMTPD_FOREIGN]  = { 0,               answer_foreign,  NULL        },
	[SMTPD_EHLO]     = { 0,               answer_hello,    NULL        },
	[SMTPD_HELO]     = { 0,               answer_hello,    NULL        },
	[SMTPD_LHLO]     = { 0,               answer_hello,    NULL        },
	[SMTPD_MAIL]     = { HELLO | NO_MAIL, NULL,            answer_mail },
	[SMTPD_RCPT]     = { HELLO | MAIL,    NULL,            answer_rcpt },
	[SMTPD_DATA]     = { BARE,            NULL,            answer_data },
	[SMTPD_BDAT]     = { 0,               NULL,            answer_bdat },
	[SMTPD_RSET]     = { BARE,            answer_rset,     NULL        },
	[SMTPD_NOOP]     = { 0,               answer_noop,     NULL        },
	[SMTPD_VRFY]     = { 0,               answer_vrfy,     NULL        },
	[SMTPD_EXPN]     = { 0,               answer_never,    NULL        },
	[SMTPD_HELP]     = { 0,               answer_help,     NULL        },
	[SMTPD_QUIT]     = { BARE,            answer_quit,     NULL        },
	[SMTPD_STARTTLS] = { BARE,            answer_starttls, NULL        },
	[SMTPD_AUTH]     = { 0,               answer_never,    NULL        },
};

static const char *out_of_order(const struct inbound_session *s, unsigned needs, const struct smtpd_event *e)
{
	return (needs & HELLO) && !s->name[0]               ? s->lmtp ? "503 5.5.1 say LHLO first" : "503 5.5.1 say EHLO first"
	     : (needs & NO_MAIL) && s->job                  ? "503 5.5.1 there is a message under way: say RSET first"
	     : (needs & MAIL) && (!s->job || s->chunked)    ? "503 5.5.1 say MAIL first"
	     : (needs & BARE) && e->args.len                ? "501 5.5.4 nothing stands behind that command" : NULL;
}

static void obey(struct inbound_session *s, const struct smtpd_event *e, const struct want *w)
{
	const char *problem = out_of_order(s, commands[e->verb].needs, e);

	if (++s->commands > s->inbound->limits.commands)
		leave(s, "421 4.7.0 too many commands, goodbye");
	else if (problem)
		refuse(s, problem);
	else if (commands[e->verb].answer)
		commands[e->verb].answer(s, e);
	else
		commands[e->verb].answer_at(s, e, w);
}

static enum want_kind command(struct inbound_session *s, struct want *w)
{
	struct smtpd_event e;
	size_t             used;

	PASS(drain(s, w));
	if (s->step == SESSION_COMMAND && w->stopping)
		lost(s, CAME_CANCELLED);
	if (s->step != SESSION_COMMAND)
		return WANT_NOTHING;
	PASS(hear(s, &e, &used, s->inbound->limits.command_ms, w));
	if (e.kind == SMTPD_BROKEN) {
		s->inbound->count.refused++;
		say(s, "521 5.5.2 %s, goodbye", smtpd_broken(s->reader));
		s->step = SESSION_GOODBYE;
	} else if (e.kind == SMTPD_COMMAND) {
		obey(s, &e, w);
		heard(s, used);
		if (s->step == SESSION_COMMAND)
			next_command(s, w);
	}
	return WANT_NOTHING;
}

/* -- the session -------------------------------------------------------------------------------------------------- */

static enum want_kind greeting(struct inbound_session *s, struct want *w)
{
	struct inbound *in = s->inbound;

	if (!s->lmtp && tally_count(in->guesses, peer_name(&s->peer), w->now_ms) >= in->limits.minute_unknown) {
		in->count.turned_away++;
		leave(s, "421 4.7.0 too many unknown recipients, try again later");
	} else if (s->turned_away) {
		leave(s, "421 4.7.0 too many connections, try again later");
	} else {
		say(s, "220 %s %s", in->host, s->lmtp ? "LMTP" : "ESMTP");
		next_command(s, w);
	}
	return WANT_NOTHING;
}

static enum want_kind goodbye(struct inbound_session *s, struct want *w)
{
	want_came(w);
	s->step = SESSION_GONE;
	return want_write(w, &s->line, GOODBYE_MS);
}

/* A server's side goes in circles: each step says itself which one is next. */
enum want_kind inbound_step(void *self, struct want *w, struct error *err)
{
	static enum want_kind (*const steps[])(struct inbound_session *, struct want *) = {
		[SESSION_GREETING] = greeting, [SESSION_COMMAND] = command,
		[SESSION_SEARCH] = search, [SESSION_FOUND] = found, [SESSION_SLOWED] = slowed,
		[SESSION_TEXT] = text, [SESSION_KEEP] = keep, [SESSION_KEPT] = kept,
		[SESSION_UPGRADE] = upgrade, [SESSION_SHAKE] = shake, [SESSION_SHOOK] = shook,
		[SESSION_GOODBYE] = goodbye,
	};
	struct inbound_session *s = self;

	(void)err;
	while (s->step != SESSION_GONE)
		PASS(steps[s->step](s, w));
	line_close(&s->line);
	return WANT_NOTHING;
}
