#include "provider/smtp.h"

#include "model/facts.h"
#include "wire/our_address.h"

enum { OPEN_START, OPEN_REACH, OPEN_GREETING, OPEN_EHLO, OPEN_UPGRADE, OPEN_GATE, OPEN_AUTH, OPEN_DONE };
enum { UPGRADE_START, UPGRADE_STARTTLS, UPGRADE_TLS, UPGRADE_EHLO, UPGRADE_DONE };
enum { SEND_START, SEND_MAIL, SEND_RCPT, SEND_DATA, SEND_BODY, SEND_DONE };

void smtp_session_init(struct smtp_session *s, struct report *report, const struct endpoint *endpoint, const struct login *login,
                       const struct login_gate *gate, struct waits waits, int gate_ms, int attempt)
{
	*s = (struct smtp_session){ .login = login, .gate = gate, .gate_ms = gate_ms };
	session_init(&s->base, "smtp", endpoint, waits, SMTP_LONGEST_REPLY + SMTP_LONGEST_LINE, 256 * 1024);
	session_wake(&s->base, report, attempt);
	s->reader = smtp_reader_new(SMTP_LONGEST_LINE, SMTP_LONGEST_REPLY);
}

void smtp_session_release(struct smtp_session *s)
{
	session_release(&s->base);
	sasl_free(s->sasl);
	smtp_reader_free(s->reader);
	*s = (struct smtp_session){ 0 };
}

/* -- the report --------------------------------------------------------------------------------------------------- */

static void reply_facts(struct smtp_session *s, const struct smtp_event *e)
{
	CLEANUP(arena) struct arena *work = arena_new();
	const char *text = smtp_text(e, work, false);

	session_note(&s->base, FACT_REPLY_CODE, "%d", e->code);
	if (e->enhanced[0])
		session_note(&s->base, FACT_REPLY_ENHANCED, "%s", e->enhanced);
	session_note(&s->base, FACT_REPLY_TEXT, "%d %s", e->code, text);
}

/* How far the message had come: said once, when it comes no further. */
static void stage_fact(struct smtp_session *s)
{
	if (s->stage)
		session_note(&s->base, FACT_SEND_STAGE, "%s", s->stage);
}

static enum want_kind refused(struct smtp_session *s, const struct smtp_event *e, const struct want *w, struct error *err)
{
	stage_fact(s);
	reply_facts(s, e);
	fail(err, e->code / 100 == 4 ? FAULT_BUSY : e->code / 100 == 5 ? FAULT_REFUSED : FAULT_BROKEN, "%s: %d", s->base.endpoint->host, e->code);
	return session_failed(&s->base, w);
}

static enum want_kind lost(struct smtp_session *s, enum came came, const struct want *w, struct error *err)
{
	stage_fact(s);
	return session_lost(&s->base, came, w, err);
}

/* -- saying and hearing ------------------------------------------------------------------------------------------- */

/* The next whole reply in `e`; WANT_NOTHING when it is there. Drop it with heard(). */
static enum want_kind reply(struct smtp_session *s, struct smtp_event *e, size_t *used, struct want *w, struct error *err)
{
	enum came came;

	*e = smtp_next(s->reader, buffer_held(&s->base.line.in), used);
	if (e->kind == SMTP_BROKEN)
		return session_broken(&s->base, smtp_broken(s->reader), w, err);
	if (e->kind == SMTP_REPLY) {
		report_talk(s->base.report, s->base.attempt, 'S', e->lines, w->now_ms);
		return WANT_NOTHING;
	}
	came = want_came(w);
	if (came == CAME || came == CAME_NOTHING)
		return want_read(w, &s->base.line, s->step == OPEN_GREETING ? s->base.waits.greeting_ms : s->base.waits.reply_ms);
	return lost(s, came, w, err);
}

static void heard(struct smtp_session *s, size_t used)
{
	buffer_drop(&s->base.line.in, used);
}

/* Waits for a reply of that hundred: 2 for "done", 3 for "go on". */
static enum want_kind expect(struct smtp_session *s, int hundred, struct want *w, struct error *err)
{
	struct smtp_event e;
	size_t            used;

	PASS(reply(s, &e, &used, w, err));
	if (e.code / 100 != hundred)
		return refused(s, &e, w, err);
	heard(s, used);
	return WANT_NOTHING;
}

/* -- the opening -------------------------------------------------------------------------------------------------- */

static enum want_kind greeting(struct smtp_session *s, struct want *w, struct error *err)
{
	struct smtp_event e;
	size_t            used;

	PASS(reply(s, &e, &used, w, err));
	session_fact(&s->base, FACT_GREETING, e.lines);
	if (protocol_of(e.lines) && strcmp(protocol_of(e.lines), "ftp") == 0)
		session_note(&s->base, FACT_PROTOCOL, "ftp");
	if (e.code != 220 || report_value(s->base.report, s->base.reported, FACT_PROTOCOL))
		return refused(s, &e, w, err);
	heard(s, used);
	session_end(&s->base, STEP_PASSED, w);
	return WANT_NOTHING;
}

/* A firewall that inspects mail (Cisco's "fixup") writes X over the words it does not want to be understood (facts H.7). */
static void look_for_strike_outs(struct smtp_session *s, const struct smtp_event *e)
{
	for (size_t n = 1; n < e->line_count; n++) {
		struct slice line = smtp_line(e, n);

		if (slice_starts(line, "XXXX")) {
			session_fact(&s->base, FACT_STARTTLS_STRIPPED, line);
			return;
		}
	}
}

static bool is_its_own(const struct smtp_session *s, const struct address *a)
{
	for (size_t i = 0; i < s->base.reach->connect.count; i++)
		if (address_equal(&s->base.reach->connect.tried[i].address, a))
			return true;
	return false;
}

/* A stranger's claim: taken from none but a verified host, and not where that names itself. */
static void look_for_our_address(struct smtp_session *s, const struct smtp_event *e)
{
	struct address a;
	char           text[ADDRESS_TEXT];

	if (s->base.line.secure && ehlo_tells_address(smtp_line(e, 0), &a) && !is_its_own(s, &a))
		report_note(s->base.report, s->base.reported, FACT_OUR_SEEN, "%s", address_text(&a, text));
}

static enum want_kind ehlo(struct smtp_session *s, struct want *w, struct error *err)
{
	CLEANUP(arena) struct arena *work = arena_new();
	struct smtp_event e;
	struct slice      auth, nothing;
	size_t            used;

	PASS(reply(s, &e, &used, w, err));
	if (e.code != 250)
		return refused(s, &e, w, err);
	s->has_auth = smtp_offers(&e, "AUTH", work, &auth);
	s->has_starttls = smtp_offers(&e, "STARTTLS", work, &nothing);
	s->auth = s->has_auth ? slice_str(arena_copy(s->base.report->job, auth)) : slice(NULL, 0);
	session_fact(&s->base, FACT_CAPABILITY, slice_str(smtp_text(&e, work, true)));
	if (s->has_auth && s->base.line.secure)
		session_fact(&s->base, FACT_AUTH_OFFERED, s->auth);
	else if (s->has_auth)
		session_fact(&s->base, FACT_AUTH_CLEAR, s->auth);
	if (!s->has_starttls && !s->base.line.secure)
		look_for_strike_outs(s, &e);
	look_for_our_address(s, &e);
	heard(s, used);
	session_end(&s->base, STEP_PASSED, w);
	return WANT_NOTHING;
}

/* RFC 3207 §4.2: what was heard before the handshake is forgotten; what came with the reply was never said by the server. */
static enum want_kind nothing_injected(struct smtp_session *s, const struct want *w, struct error *err)
{
	PASS(session_starttls_clean(&s->base, w, err));
	smtp_reader_clear(s->reader);
	return WANT_NOTHING;
}

static enum want_kind upgrade(struct smtp_session *s, struct want *w, struct error *err)
{
	switch (s->upgrade.step) {
	case UPGRADE_START:
		session_begin(&s->base, "starttls", w);
		PASS(session_starttls_offered(&s->base, s->has_starttls, w, err));
		session_say(&s->base, w, "STARTTLS");

	STEP(&s->upgrade, UPGRADE_STARTTLS):
		PASS(expect(s, 2, w, err));
		PASS(nothing_injected(s, w, err));

	STEP(&s->upgrade, UPGRADE_TLS):
		PASS(reach_tls_step(s->base.reach, w, err));
		session_begin(&s->base, "ehlo", w);
		session_say(&s->base, w, "EHLO " SMTP_OUR_NAME);

	STEP(&s->upgrade, UPGRADE_EHLO):
		PASS(ehlo(s, w, err));

	STEP(&s->upgrade, UPGRADE_DONE):
		return WANT_NOTHING;
	}
	return WANT_FAILED;
}

/* -- the sign-in -------------------------------------------------------------------------------------------------- */

static bool may_sign_in(struct smtp_session *s, const struct want *w)
{
	const char *why = !login_has_any(s->login)            ? "no_credentials"
	                : !s->base.line.secure              ? "no_line"
	                : !endpoint_trusted(s->base.endpoint) ? "not_confirmed"
	                : s->gate && s->gate->refused         ? "after_refusal"
	                : s->gate && s->gate->in_doubt        ? "in_doubt" : NULL;

	if (why)
		report_skip(s->base.report, "smtp.login", s->base.attempt, why, w->now_ms);
	return !why;
}

/* The answer that IMAP gets to the same credentials comes first. */
static bool must_wait(const struct smtp_session *s)
{
	return s->gate && !s->gate->gate.open && login_has_any(s->login) && endpoint_trusted(s->base.endpoint);
}

static void say_auth(struct smtp_session *s, const struct want *w)
{
	CLEANUP(arena) struct arena *work = arena_new();
	const char *initial;

	s->sasl = login_sasl(s->login, s->mechanism, s->base.endpoint);
	initial = s->mechanism->client_first ? sasl_initial(s->sasl) : NULL;
	s->initial_sent = true;
	if (initial) {
		char *line = arena_print(work, "AUTH %s %s", s->mechanism->name, initial);

		session_say_secret(&s->base, w, arena_print(work, "AUTH %s (credentials)", s->mechanism->name), line);
		explicit_bzero(line, strlen(line));
	} else {
		session_say(&s->base, w, arena_print(work, "AUTH %s", s->mechanism->name));
	}
}

static enum want_kind say_credentials(struct smtp_session *s, const struct want *w, struct error *err)
{
	session_begin(&s->base, "login", w);
	s->mechanism = login_choose(s->base.report, s->base.reported, s->auth, s->login, false);
	if (s->mechanism) {
		say_auth(s, w);
		s->asked = true;
		return WANT_NOTHING;
	}
	if (!s->has_auth)
		session_note(&s->base, FACT_AUTH_OFFERED, "nothing");
	fail(err, FAULT_NOT_OFFERED, "%s offers no way to sign in that we have credentials for", s->base.endpoint->host);
	return session_failed(&s->base, w);
}

static enum want_kind authenticate(struct smtp_session *s, struct want *w, struct error *err)
{
	for (;;) {
		struct smtp_event e;
		size_t            used;

		PASS(reply(s, &e, &used, w, err));
		if (e.code == 334 && ++s->rounds > LOGIN_ROUNDS) {
			session_note(&s->base, FACT_REPLY_BROKEN, "a sign-in without end");
			return refused(s, &e, w, err);
		}
		if (e.code == 334) {
			const char *said = sasl_answer(s->sasl, slice_trim(smtp_line(&e, 0)));

			s->cancelled = !said;
			session_say_secret(&s->base, w, said ? "(credentials)" : "*", !said ? "*" : strcmp(said, "=") == 0 ? "" : said);
			heard(s, used);
			continue;
		}
		if (e.code == 235 && !sasl_proven(s->sasl)) {
			session_note(&s->base, FACT_REPLY_BROKEN, "the server did not prove that it knows the password");
			return refused(s, &e, w, err);
		}
		if (e.code != 235) {
			s->refused = login_refused(s->base.report, s->base.reported, s->sasl, s->cancelled);
			return refused(s, &e, w, err);
		}
		heard(s, used);
		sasl_free(s->sasl);
		s->sasl = NULL;
		s->logged_in = true;
		session_end(&s->base, STEP_PASSED, w);
		return WANT_NOTHING;
	}
}

enum want_kind smtp_open_step(void *self, struct want *w, struct error *err)
{
	struct smtp_session *s = self;

	switch (s->step) {
	case OPEN_START:

	STEP(s, OPEN_REACH):
		PASS(reach_step(s->base.reach, w, err));
		session_begin(&s->base, "greeting", w);

	STEP(s, OPEN_GREETING):
		PASS(greeting(s, w, err));
		session_begin(&s->base, "ehlo", w);
		session_say(&s->base, w, "EHLO " SMTP_OUR_NAME);

	STEP(s, OPEN_EHLO):
		PASS(ehlo(s, w, err));

	STEP(s, OPEN_UPGRADE):
		if (s->base.endpoint->socket == SOCKET_STARTTLS)
			PASS(upgrade(s, w, err));

	STEP(s, OPEN_GATE):
		if (must_wait(s) && want_came(w) != CAME_TIMEOUT)
			return want_gate(w, &s->gate->gate, s->gate_ms);
		if (!may_sign_in(s, w))
			return WANT_NOTHING;
		PASS(say_credentials(s, w, err));

	STEP(s, OPEN_AUTH):
		PASS(authenticate(s, w, err));

	STEP(s, OPEN_DONE):
		return WANT_NOTHING;
	}
	return WANT_FAILED;
}

/* -- one message -------------------------------------------------------------------------------------------------- */

/* RFC 5321 §4.5.2: a line that begins with a dot gets another. */
static void say_message(struct smtp_session *s, const struct want *w)
{
	struct slice rest = s->message->bytes;

	while (rest.len) {
		size_t       at = slice_find(rest, '\n');
		struct slice line = slice_upto(rest, at + 1);

		if (line.at[0] == '.')
			buffer_add_str(&s->base.line.out, ".");
		buffer_add(&s->base.line.out, line);
		rest = slice_from(rest, line.len);
	}
	buffer_add_str(&s->base.line.out, ".\r\n");
	report_talk(s->base.report, s->base.attempt, 'C', slice_str("(the test message)"), w->now_ms);
}

enum want_kind smtp_send_step(void *self, struct want *w, struct error *err)
{
	struct smtp_session         *s = self;
	CLEANUP(arena) struct arena *work = arena_new();

	switch (s->send.step) {
	case SEND_START:
		session_begin(&s->base, "send", w);
		session_note(&s->base, FACT_SEND_TO, "%s", s->message->to);
		s->stage = "mail";
		session_say(&s->base, w, arena_print(work, "MAIL FROM:<%s>", s->message->from));

	STEP(&s->send, SEND_MAIL):
		PASS(expect(s, 2, w, err));
		s->stage = "rcpt";
		session_say(&s->base, w, arena_print(work, "RCPT TO:<%s>", s->message->to));

	STEP(&s->send, SEND_RCPT):
		PASS(expect(s, 2, w, err));
		s->stage = "data";
		session_say(&s->base, w, "DATA");

	STEP(&s->send, SEND_DATA):
		PASS(expect(s, 3, w, err));
		say_message(s, w);

	STEP(&s->send, SEND_BODY):
		PASS(expect(s, 2, w, err));
		s->sent = true;
		session_end(&s->base, STEP_PASSED, w);

	STEP(&s->send, SEND_DONE):
		return WANT_NOTHING;
	}
	return WANT_FAILED;
}

void smtp_goodbye(struct smtp_session *s, const struct want *w)
{
	if (s->base.line.open)
		session_say(&s->base, w, "QUIT");
}
