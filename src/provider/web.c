#include "provider/web.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "model/facts.h"
#include "wire/http.h"
#include "wire/sasl.h"

#define LINE_IN  (HTTP_READER_HEAD + 32 * 1024)
#define LINE_OUT ((size_t)1024 * 1024)      /* one request with all its body                     */
#define SHOWN    4096                       /* of a body, in the record                          */
#define DICE     24

enum { OPEN_START, OPEN_REACH, OPEN_DONE };
enum { LEG_START, LEG_REACH, LEG_HEAR, LEG_DONE };
enum { ASK_START, ASK_REACH, ASK_LEG, ASK_TICKET, ASK_SAY, ASK_HEAR, ASK_ON, ASK_DONE };

static const struct web_request ntlm_way = { .method = "POST", .header = { "Content-Type: text/xml; charset=utf-8" } };

const char *web_scheme_name(enum web_scheme scheme)
{
	static const char *const name[] = { "", "Basic", "NTLM", "Bearer", "Kerberos", "Digest" };

	return name[scheme];
}

void web_session_init(struct web_session *s, struct report *report, const struct endpoint *endpoint, const struct login *login,
                      const char *prefix, struct waits waits, int attempt)
{
	*s = (struct web_session){ .report = report, .endpoint = endpoint, .login = login, .prefix = prefix, .waits = waits,
	                           .attempt = attempt, .reported = -1, .job = arena_new() };
	line_init(&s->line, LINE_IN, LINE_OUT);
	buffer_init(&s->negotiate, 256);
	negotiate_init(&s->kerberos);
	buffer_init(&s->answer.fields, HTTP_READER_HEAD);
	buffer_init(&s->answer.body, WEB_BODY);
}

/* Once an answer came nothing of the handshake is waited for any more. */
static void reach_over(struct web_session *s)
{
	s->line.handshake = NULL;
	if (s->reach)
		reach_release(s->reach);
	free(s->reach);
	s->reach = NULL;
	report_free(s->aside);
	s->aside = NULL;
}

void web_session_park(struct web_session *s)
{
	reach_over(s);
	buffer_release(&s->negotiate);
	negotiate_release(&s->kerberos);
	buffer_release(&s->answer.fields);
	buffer_release(&s->answer.body);
	arena_free(s->job);
	s->job = NULL;
	s->report = NULL;
	s->request = NULL;
}

void web_session_release(struct web_session *s)
{
	line_release(&s->line);
	web_session_park(s);
	*s = (struct web_session){ 0 };
}

bool web_field(const struct web_session *s, const char *name, struct slice *out)
{
	return http_header_in(buffer_held(&s->answer.fields), name, out);
}

#define PAUSE_LONGEST_S 3600

int web_pause_ms(const struct web_session *s)
{
	struct slice       field;
	unsigned long long seconds;

	if (!web_field(s, "Retry-After", &field) || !slice_number(field, UINT32_MAX, &seconds))
		return 1000;
	return (int)(seconds < PAUSE_LONGEST_S ? seconds : PAUSE_LONGEST_S) * 1000;
}

/* -- the line ----------------------------------------------------------------------------------------------------- */

static void reach_begin(struct web_session *s, struct report *into)
{
	line_close(&s->line);
	reach_over(s);
	s->reaching = true;
	buffer_clear(&s->line.in);
	buffer_clear(&s->line.out);
	s->signed_in = s->used = false;
	s->reach = must_alloc(sizeof *s->reach);
	reach_init(s->reach, into, s->endpoint, s->prefix, &s->line, s->waits, into == s->report ? s->attempt : report_attempt(into));
	s->reach->how = s->how;
}

static void line_stands(struct web_session *s)
{
	s->reaching = false;
	s->end_point_len = s->reach->tls.end_point_len;
	memcpy(s->end_point, s->reach->tls.end_point, s->end_point_len);
}

enum want_kind web_open_step(void *self, struct want *w, struct error *err)
{
	struct web_session *s = self;

	switch (s->step) {
	case OPEN_START:
		reach_begin(s, s->report);

	STEP(s, OPEN_REACH):
		PASS(reach_step(s->reach, w, err));
		line_stands(s);

	STEP(s, OPEN_DONE):
		return WANT_NOTHING;
	}
	return WANT_FAILED;
}

/* What stopped it stands in the step under way. */
static enum want_kind stopped(struct web_session *s, enum came came, const struct want *w, struct error *err)
{
	line_close(&s->line);
	report_note(s->report, s->reported, FACT_NET_OUTCOME, "%s", came_name(came));
	/* A server that wants a client's certificate may say so only now (TLS 1.3). */
	if (s->reach && s->reach->tls.alert >= 0)
		report_note(s->report, s->reported, FACT_TLS_ALERT, "%d", s->reach->tls.alert);
	if (s->reach && s->reach->tls.wants_client_certificate)
		report_note(s->report, s->reported, FACT_TLS_CLIENT_CERT, "yes");
	report_end(s->report, s->reported, STEP_FAILED, w->now_ms);
	fail(err, came_fault(came), "%s: %s", s->endpoint->host, came_name(came));
	return WANT_FAILED;
}

static enum want_kind broken(struct web_session *s, enum fault fault, const char *why, const struct want *w, struct error *err)
{
	struct slice held = buffer_held(&s->line.in);
	const char  *protocol = s->heard ? NULL : protocol_of(held);

	report_note(s->report, s->reported, FACT_REPLY_BROKEN, "%s", why);
	if (held.len && !s->heard)
		report_fact(s->report, s->reported, FACT_FIRST_BYTES, slice_upto(held, 200));
	if (protocol && strcmp(protocol, "http") != 0)
		report_note(s->report, s->reported, FACT_PROTOCOL, "%s", protocol);
	line_close(&s->line);
	report_end(s->report, s->reported, STEP_FAILED, w->now_ms);
	fail(err, fault, "%s: %s", s->endpoint->host, why);
	return WANT_FAILED;
}

/* The line once more, without a word in the report where that works. */
static enum want_kind reach_again(struct web_session *s, struct want *w, struct error *err)
{
	enum want_kind kind;

	if (!s->reaching) {
		struct report *aside = report_new("");

		reach_begin(s, aside);
		s->aside = aside;
	}
	kind = reach_step(s->reach, w, err);
	if (kind > WANT_FAILED)
		return kind;
	if (kind == WANT_FAILED) {
		const char *outcome = report_value(s->aside, (int)s->aside->step_count - 1, FACT_NET_OUTCOME);

		report_note(s->report, s->reported, FACT_NET_OUTCOME, "%s", outcome ? outcome : "failed");
		report_end(s->report, s->reported, STEP_FAILED, w->now_ms);
		return WANT_FAILED;
	}
	line_stands(s);
	return WANT_NOTHING;
}

/* -- saying ------------------------------------------------------------------------------------------------------- */

static const char *host_field(struct web_session *s)
{
	const struct endpoint *e = s->endpoint;
	const char            *host = strchr(e->host, ':') ? arena_print(s->job, "[%s]", e->host) : e->host;

	return e->port == 443 ? host : arena_print(s->job, "%s:%u", host, e->port);
}

static void say(struct web_session *s, const struct web_request *q, const char *target, const char *authorization, const struct want *w)
{
	struct buffer *out = &s->line.out;
	buffer_print(out, "%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: %s\r\n", q->method, target, host_field(s),
	             q->agent ? q->agent : "mailmoor/" MAILMOOR_VERSION);
	for (size_t i = 0; i < WEB_HEADERS && q->header[i]; i++)
		buffer_print(out, "%s\r\n", q->header[i]);
	report_talk(s->report, s->attempt, 'C', slice_str(arena_print(s->job, "%s %s HTTP/1.1, to %s%s", q->method, target,
		host_field(s), authorization ? ", with credentials" : "")), w->now_ms);
	if (authorization)
		buffer_print(out, "Authorization: %s\r\n", authorization);
	if (q->body.len || strcmp(q->method, "POST") == 0)
		buffer_print(out, "Content-Length: %zu\r\n", q->body.len);
	buffer_add_str(out, "\r\n");
	buffer_add(out, q->body);
	if (q->body.len && !q->hushed)
		report_talk(s->report, s->attempt, 'C', slice_upto(q->body, SHOWN), w->now_ms);
	http_reader_init(&s->reader, strcmp(q->method, "HEAD") == 0);
	s->heard = s->taken = s->proving = false;
	s->answer.status = 0;
	s->answer.reason[0] = '\0';
	buffer_clear(&s->answer.fields);
	buffer_clear(&s->answer.body);
}

/* -- hearing ------------------------------------------------------------------------------------------------------ */

static void take_head(struct web_session *s, const struct http_event *e, const struct want *w)
{
	s->answer.status = s->reader.status;
	s->answer.encoded = s->reader.encoded;
	snprintf(s->answer.reason, sizeof s->answer.reason, "%.*s", (int)e->reason.len, e->reason.len ? e->reason.at : "");
	buffer_add(&s->answer.fields, e->data);
	report_talk(s->report, s->attempt, 'S', slice_str(arena_print(s->job, "HTTP %d %s", s->answer.status, s->answer.reason)), w->now_ms);
	report_talk(s->report, s->attempt, 'S', slice_upto(e->data, SHOWN), w->now_ms);
}

static enum want_kind take_piece(struct web_session *s, struct slice piece, const struct want *w, struct error *err)
{
	if (s->answer.piece && s->answer.status / 100 == 2) {
		if (s->answer.piece(s->answer.taker, piece, err))
			return WANT_NOTHING;
		return broken(s, err->fault, arena_str(s->job, err->text), w, err);
	}
	if (buffer_add(&s->answer.body, piece))
		return WANT_NOTHING;
	/* what a refusal says stands at its beginning */
	if (s->answer.status >= 300) {
		s->reader.keeps = false;
		s->taken = true;
		return WANT_NOTHING;
	}
	return broken(s, FAULT_TOO_BIG, "an answer longer than 1 MiB", w, err);
}

static void show_body(struct web_session *s, const struct want *w)
{
	struct slice body = buffer_held(&s->answer.body);

	if (body.len && !s->request->hushed)
		report_talk(s->report, s->attempt, 'S', slice_upto(body, SHOWN), w->now_ms);
}

/* -- Kerberos ----------------------------------------------------------------------------------------------------- */

/* What the server says by Negotiate, if anything. It may say beside that it offers it. */
static bool heard_token(struct web_session *s, struct slice *out)
{
	struct challenges said;

	challenges_read(buffer_held(&s->answer.fields), &said);
	for (size_t i = 0; i < said.count; i++)
		if (slice_is(said.item[i].scheme, "Negotiate") && said.item[i].token.len)
			return base64_decode(s->job, said.item[i].token, out);
	return false;
}

/* Before anything of an answer is believed that goes well. What does not go well may come from somebody in front, who has no key. */
static bool must_be_proven(struct web_session *s)
{
	struct slice token = { 0 };
	bool         told = heard_token(s, &token);

	if (!s->kerberos.begun || !s->last_leg || s->signed_in || s->answer.status == 401 || s->answer.status < 200)
		return false;
	negotiate_hear(&s->kerberos, token);
	return told || s->answer.status < 300;
}

static enum want_kind prove(struct web_session *s, struct want *w, struct error *err)
{
	const struct ticket *t = &s->kerberos.ticket;
	enum want_kind       kind = WANT_NOTHING;

	if (t->heard.len)
		kind = negotiate_step(&s->kerberos, s->report, s->reported, s->waits.reply_ms, w, err);
	if (kind > WANT_FAILED)
		return kind;
	s->proving = false;
	if (kind == WANT_NOTHING && t->heard.len && t->proven) {
		report_note(s->report, s->reported, FACT_PROVEN, "yes");
		return WANT_NOTHING;
	}
	if (kind == WANT_NOTHING) {
		report_note(s->report, s->reported, FACT_TICKET, "unproven");
		fail(err, FAULT_REFUSED, "%s: has not proven itself", s->endpoint->host);
	}
	line_close(&s->line);
	report_end(s->report, s->reported, STEP_FAILED, w->now_ms);
	return WANT_FAILED;
}

/* The whole answer. `*gone`: the line ended before anything of it came. */
static enum want_kind hear(struct web_session *s, bool *gone, struct want *w, struct error *err)
{
	*gone = false;
	for (;;) {
		size_t            used = 0;
		struct http_event e;
		enum came         came;

		if (s->proving)
			PASS(prove(s, w, err));
		e = http_next(&s->reader, buffer_held(&s->line.in), &used);
		if (e.said == HTTP_HEAD) {
			take_head(s, &e, w);
			s->proving = must_be_proven(s);
		}
		if (e.said == HTTP_DATA)
			PASS(take_piece(s, e.data, w, err));
		if (e.said == HTTP_BROKEN)
			return broken(s, FAULT_BROKEN, http_broken(&s->reader), w, err);
		s->heard |= e.said != HTTP_MORE;
		buffer_drop(&s->line.in, used);
		if (e.said == HTTP_HEAD && s->answer.head_only && s->answer.status == 200) {
			reach_over(s);
			s->used = true;
			return WANT_NOTHING;
		}
		if (e.said == HTTP_DONE || s->taken)
			break;
		if (e.said != HTTP_MORE)
			continue;
		came = want_came(w);
		if (came == CAME || came == CAME_NOTHING)
			return want_read(w, &s->line, s->waits.reply_ms);
		if (came != CAME_END)
			*gone = !s->heard && came == CAME_RESET && buffer_held(&s->line.in).len == 0;
		else if (!s->heard && buffer_held(&s->line.in).len == 0)
			*gone = true;
		else if (http_ended(&s->reader).said == HTTP_DONE)
			break;
		line_close(&s->line);
		/* the way to the sign-in may be gone twice; the request itself not, where it may have been done */
		if (*gone && s->used && !s->retried && (s->in_leg || !s->request->once))
			return WANT_NOTHING;
		return stopped(s, came, w, err);
	}
	show_body(s, w);
	reach_over(s);
	s->used = true;
	/* who says more than it was asked would be heard as the answer to the next question; an empty line is nothing */
	if (!s->reader.keeps || slice_trim(buffer_held(&s->line.in)).len)
		line_close(&s->line);
	buffer_clear(&s->line.in);
	return WANT_NOTHING;
}

/* -- signing in --------------------------------------------------------------------------------------------------- */

enum web_scheme web_choose(struct web_session *s, const struct challenges *offered)
{
	s->scheme = WEB_NONE;
	if (!login_has_any(s->login))
		return WEB_NONE;
	if (s->login->tickets)
		s->scheme = challenge_find(offered, "Negotiate") ? WEB_KERBEROS : WEB_NONE;
	else if (s->login->token)
		s->scheme = challenge_find(offered, "Bearer") ? WEB_BEARER : WEB_NONE;
	else if (challenge_find(offered, "NTLM"))
		s->scheme = WEB_NTLM;
	else if (challenge_find(offered, "Basic"))
		s->scheme = WEB_BASIC;
	return s->scheme;
}

bool web_choose_digest(struct web_session *s, const struct challenges *offered)
{
	if (!login_has_any(s->login) || !s->login->password || !digest_choose(offered, s->report->job, &s->digest))
		return false;
	s->scheme = WEB_DIGEST;
	return true;
}

static const char *ready_made(struct web_session *s)
{
	if (s->scheme == WEB_DIGEST)
		return digest_authorization(&s->digest, s->login->username, s->login->password, s->request->method, s->request->target,
		                            random_text(s->job, DICE), s->job);
	if (s->scheme == WEB_BEARER)
		return arena_print(s->job, "Bearer %s", s->login->token);
	if (s->scheme == WEB_BASIC)
		return arena_print(s->job, "Basic %s", base64_encode(s->job, slice_str(arena_print(s->job, "%s:%s", s->login->username,
			s->login->password))));
	return NULL;
}

static void say_negotiate(struct web_session *s, const struct want *w)
{
	buffer_clear(&s->negotiate);
	ntlm_negotiate(&s->negotiate);
	say(s, &ntlm_way, s->request->target, arena_print(s->job, "NTLM %s", base64_encode(s->job, buffer_held(&s->negotiate))), w);
}

/* 100 ns since 1601, for servers that do not say what time it is. */
static uint64_t windows_time(int64_t unix_s)
{
	return ((uint64_t)unix_s + 11644473600u) * 10000000u;
}

/* The way back from the challenge: the last message, which goes with the request itself. */
static bool answer_challenge(struct web_session *s, const struct want *w, struct error *err)
{
	struct challenges       offered;
	const struct challenge *ntlm;
	struct slice            raw;
	struct buffer           out;
	struct ntlm_login       login = { .password = s->login->password, .target = arena_print(s->job, "HTTP/%s", s->endpoint->host),
		.binding = slice((const char *)s->end_point, s->end_point_len), .time = windows_time(w->now_unix) };
	bool                    fine;

	s->challenged = false;
	challenges_read(buffer_held(&s->answer.fields), &offered);
	ntlm = challenge_find(&offered, "NTLM");
	if (s->answer.status != 401 || !ntlm || !ntlm->token.len || !base64_decode(s->report->job, ntlm->token, &raw))
		return true;
	if (!ntlm_challenge_read(raw, s->report->job, &s->challenge, err))
		return true;
	s->challenged = true;
	ntlm_name(s->login->username, s->job, &login.domain, &login.user);
	memcpy(login.nonce, s->login->nonce, sizeof login.nonce);
	buffer_init(&out, NTLM_MOST);
	fine = ntlm_authenticate(&login, &s->challenge, buffer_held(&s->negotiate), raw, &out, err);
	if (fine)
		s->type3 = arena_print(s->job, "NTLM %s", base64_encode(s->job, buffer_held(&out)));
	buffer_release(&out);
	return fine;
}

static bool is_to_be_reached(const struct web_session *s)
{
	return s->reaching || !s->line.open;
}

enum want_kind web_challenge_step(void *self, struct want *w, struct error *err)
{
	struct web_session *s = self;
	bool                gone;

	switch (s->leg.step) {
	case LEG_START:
		s->challenged = false;
		s->type3 = NULL;

	STEP(&s->leg, LEG_REACH):
		if (is_to_be_reached(s))
			PASS(reach_again(s, w, err));
		say_negotiate(s, w);

	STEP(&s->leg, LEG_HEAR):
		PASS(hear(s, &gone, w, err));
		if (gone) {
			s->retried = true;
			s->leg.step = LEG_REACH;
			return web_challenge_step(s, w, err);
		}
		if (!answer_challenge(s, w, err))
			return broken(s, err->fault, "no NTLM on this machine", w, err);
		/* Who hangs up between the legs has forgotten the first: it is begun anew, once. No password was judged. */
		if (s->challenged && !s->line.open && !s->retried) {
			s->retried = true;
			s->leg.step = LEG_REACH;
			return web_challenge_step(s, w, err);
		}

	STEP(&s->leg, LEG_DONE):
		return WANT_NOTHING;
	}
	return WANT_FAILED;
}

void web_ask(struct web_session *s, const struct web_request *q)
{
	s->request = q;
	s->step = ASK_START;
	s->leg.step = LEG_START;
	s->retried = s->renewed = s->last_leg = s->in_leg = false;
}

static bool may_say_credentials(const struct web_session *s)
{
	return s->line.secure && endpoint_trusted(s->endpoint) && s->scheme != WEB_NONE && !s->request->anonymous;
}

static bool must_negotiate(const struct web_session *s)
{
	return s->scheme == WEB_KERBEROS && !s->signed_in && may_say_credentials(s);
}

/* The first word: a ticket for that service. */
static enum want_kind negotiate(struct web_session *s, struct want *w, struct error *err)
{
	enum want_kind kind = negotiate_step(&s->kerberos, s->report, s->reported, s->waits.reply_ms, w, err);

	if (kind == WANT_FAILED)
		report_end(s->report, s->reported, STEP_FAILED, w->now_ms);
	return kind;
}

/* A refusal in which the server goes on speaking: the next word, or the reason. */
static enum want_kind negotiate_on(struct web_session *s, bool *again, struct want *w, struct error *err)
{
	enum want_kind kind = negotiate_step(&s->kerberos, s->report, s->reported, s->waits.reply_ms, w, err);

	if (kind > WANT_FAILED || err->fault == FAULT_CANCELLED)
		return kind;
	*again = kind == WANT_NOTHING && buffer_held(&s->kerberos.ticket.say).len && s->line.open;
	*err = (struct error){ 0 };      /* it stands in the report, and the refusal is the answer */
	return WANT_NOTHING;
}

static bool goes_on(struct web_session *s)
{
	struct slice token;

	if (!s->kerberos.begun || s->answer.status != 401 || !heard_token(s, &token) || ++s->kerberos.legs >= NEGOTIATE_LEGS)
		return false;
	negotiate_hear(&s->kerberos, token);
	return true;
}

/* Some servers sign in the connection, others each request (IIS: authPersistNonNTLM). Where this is one of those, it has not done
 * what it was asked, whatever that was. */
static bool wants_it_again(struct web_session *s)
{
	if (s->scheme != WEB_KERBEROS || !s->signed_in || s->answer.status != 401 || s->renewed)
		return false;
	s->signed_in = false;
	return s->renewed = s->each_time = true;
}

/* Its nonce is of no use any more; the password was not what it minded. */
static bool is_stale(struct web_session *s)
{
	struct challenges offered;

	if (s->scheme != WEB_DIGEST || s->answer.status != 401 || !s->last_leg || s->renewed)
		return false;
	challenges_read(buffer_held(&s->answer.fields), &offered);
	s->renewed = digest_is_stale(&offered, s->job) && digest_choose(&offered, s->report->job, &s->digest);
	return s->renewed;
}

static void note_signed_in(struct web_session *s)
{
	if (!s->last_leg || s->answer.status == 401)
		return;
	if (s->scheme == WEB_NTLM)
		s->signed_in = s->line.open;
	if (s->scheme != WEB_KERBEROS || !s->kerberos.ticket.proven)
		return;
	s->signed_in = s->line.open && !s->each_time;
	negotiate_release(&s->kerberos);
}

static const char *next_word(struct web_session *s)
{
	struct slice word = buffer_held(&s->kerberos.ticket.say);

	return must_negotiate(s) && word.len ? arena_print(s->job, "Negotiate %s", base64_encode(s->job, word)) : NULL;
}

static void say_request(struct web_session *s, const struct want *w)
{
	const char *authorization = NULL;

	if (may_say_credentials(s)) {
		authorization = s->scheme == WEB_NTLM ? s->type3 : s->scheme == WEB_KERBEROS ? next_word(s) : ready_made(s);
		s->asked |= authorization != NULL;
		s->last_leg = authorization || s->signed_in;
	}
	say(s, s->request, s->request->target, authorization, w);
	s->type3 = NULL;
}

/* What holds secrets in itself goes where credentials go, and nowhere else. */
static bool may_say_request(const struct web_session *s)
{
	return !s->request->hushed || (s->line.secure && endpoint_trusted(s->endpoint));
}

static bool must_be_challenged(const struct web_session *s)
{
	return s->scheme == WEB_NTLM && !s->request->anonymous && !s->signed_in && !s->type3 && s->line.secure
	    && endpoint_trusted(s->endpoint);
}

enum want_kind web_ask_step(void *self, struct want *w, struct error *err)
{
	struct web_session *s = self;
	bool                gone, again = false;

	switch (s->step) {
	case ASK_START:
	STEP(s, ASK_REACH):
		if (is_to_be_reached(s)) {
			s->type3 = NULL;
			PASS(reach_again(s, w, err));
		}
		s->leg.step = LEG_START;
		s->in_leg = must_be_challenged(s);
		negotiate_release(&s->kerberos);
		if (must_negotiate(s))
			negotiate_begin(&s->kerberos, s->login, s->endpoint->host, slice((const char *)s->end_point, s->end_point_len));

	STEP(s, ASK_LEG):
		if (s->in_leg) {
			PASS(web_challenge_step(s, w, err));
			s->in_leg = false;
			/* the way there ended in another answer, or the server hung up behind it: NTLM needs this very line */
			if (!s->challenged || !s->line.open)
				return WANT_NOTHING;
		}

	STEP(s, ASK_TICKET):
		if (s->kerberos.begun)
			PASS(negotiate(s, w, err));

	STEP(s, ASK_SAY):
		if (!may_say_request(s))
			return broken(s, FAULT_TLS, "no verified line for what is secret", w, err);
		say_request(s, w);

	STEP(s, ASK_HEAR):
		PASS(hear(s, &gone, w, err));
		if (gone) {
			s->retried = true;
			s->step = ASK_REACH;
			return web_ask_step(s, w, err);
		}
		if (wants_it_again(s) || is_stale(s)) {
			s->step = ASK_REACH;
			return web_ask_step(s, w, err);
		}
		s->going_on = goes_on(s);

	STEP(s, ASK_ON):
		if (s->going_on)
			PASS(negotiate_on(s, &again, w, err));
		if (again) {
			s->step = ASK_SAY;
			return web_ask_step(s, w, err);
		}
		note_signed_in(s);

	STEP(s, ASK_DONE):
		return WANT_NOTHING;
	}
	return WANT_FAILED;
}
