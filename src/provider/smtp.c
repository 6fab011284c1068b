#include "provider/smtp.h"

#include "model/facts.h"
#include "wire/our_address.h"

enum { OPEN_START, OPEN_REACH, OPEN_GREETING, OPEN_EHLO, OPEN_UPGRADE, OPEN_GATE, OPEN_AUTH, OPEN_DONE };
enum { UPGRADE_START, UPGRADE_STARTTLS, UPGRADE_TLS, UPGRADE_EHLO, UPGRADE_DONE };
enum { SEND_START, SEND_MAIL, SEND_RCPT, SEND_DATA, SEND_BODY, SEND_DONE };

void smtp_session_init(struct smtp_session *s, struct report *report, const struct endpoint *endpoint, const struct login *login,
                       const struct login_gate *gate, struct waits waits, int gate_ms, int attempt)
{
	*s = (struct smtp_session){ .report = report, .endpoint = endpoint, .login = login, .gate = gate, .waits = waits,
	                            .gate_ms = gate_ms, .attempt = attempt };
	line_init(&s->line, SMTP_LONGEST_REPLY + SMTP_LONGEST_LINE, 256 * 1024);
	s->reader = smtp_reader_new(SMTP_LONGEST_LINE, SMTP_LONGEST_REPLY);
	reach_init(&s->reach, report, endpoint, "smtp", &s->line, waits, attempt);
}

void smtp_session_release(struct smtp_session *s)
{
	sasl_free(s->sasl);
	reach_release(&s->reach);
	line_release(&s->line);
	smtp_reader_free(s->reader);
	*s = (struct smtp_session){ 0 };
}

/* -- the report --------------------------------------------------------------------------------------------------- */

static void begin(struct smtp_session *s, const char *name, const struct want *w)
{
	s->reported = report_begin(s->report, step_id(s->report, "smtp", name), s->attempt, w->now_ms);
}

static void end(struct smtp_session *s, enum step_state state, const struct want *w)
{
	report_end(s->report, s->reported, state, w->now_ms);
}

static void note(struct smtp_session *s, const char *name, struct slice value)
{
	report_fact(s->report, s->reported, name, value);
}

static void reply_facts(struct smtp_session *s, const struct smtp_event *e)
{
	CLEANUP(arena) struct arena *work = arena_new();
	const char *text = smtp_text(e, work, false);

	report_note(s->report, s->reported, FACT_REPLY_CODE, "%d", e->code);
	if (e->enhanced[0])
		report_note(s->report, s->reported, FACT_REPLY_ENHANCED, "%s", e->enhanced);
	report_note(s->report, s->reported, FACT_REPLY_TEXT, "%d %s", e->code, text);
}

/* How far the message had come: said once, when it comes no further. */
static void stage_fact(struct smtp_session *s)
{
	if (s->stage)
		report_note(s->report, s->reported, FACT_SEND_STAGE, "%s", s->stage);
}

static enum want_kind refused(struct smtp_session *s, const struct smtp_event *e, const struct want *w, struct error *err)
{
	stage_fact(s);
	reply_facts(s, e);
	fail(err, e->code / 100 == 4 ? FAULT_BUSY : e->code / 100 == 5 ? FAULT_REFUSED : FAULT_BROKEN, "%s: %d", s->endpoint->host, e->code);
	end(s, STEP_FAILED, w);
	return WANT_FAILED;
}

static enum want_kind lost(struct smtp_session *s, enum came came, const struct want *w, struct error *err)
{
	stage_fact(s);
	return reach_lost(&s->reach, s->reported, came, w, err);
}

static enum want_kind broken(struct smtp_session *s, const struct want *w, struct error *err)
{
	return reach_broken(&s->reach, s->reported, "smtp", smtp_broken(s->reader), w, err);
}

/* -- saying and hearing ------------------------------------------------------------------------------------------- */

static void say(struct smtp_session *s, const struct want *w, const char *line)
{
	buffer_add_str(&s->line.out, line);
	buffer_add_str(&s->line.out, "\r\n");
	report_talk(s->report, s->attempt, 'C', slice_str(line), w->now_ms);
}

static void say_secret(struct smtp_session *s, const struct want *w, const char *shown, const char *said)
{
	buffer_add_str(&s->line.out, said);
	buffer_add_str(&s->line.out, "\r\n");
	report_talk(s->report, s->attempt, 'C', slice_str(shown), w->now_ms);
}

/* The next whole reply in `e`; WANT_NOTHING when it is there. Drop it with heard(). */
static enum want_kind reply(struct smtp_session *s, struct smtp_event *e, size_t *used, struct want *w, struct error *err)
{
	enum came came;

	*e = smtp_next(s->reader, buffer_held(&s->line.in), used);
	if (e->kind == SMTP_BROKEN)
		return broken(s, w, err);
	if (e->kind == SMTP_REPLY) {
		report_talk(s->report, s->attempt, 'S', e->lines, w->now_ms);
		return WANT_NOTHING;
	}
	came = want_came(w);
	if (came == CAME || came == CAME_NOTHING)
		return want_read(w, &s->line, s->step == OPEN_GREETING ? s->waits.greeting_ms : s->waits.reply_ms);
	return lost(s, came, w, err);
}

static void heard(struct smtp_session *s, size_t used)
{
	buffer_drop(&s->line.in, used);
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
	note(s, FACT_GREETING, e.lines);
	if (protocol_of(e.lines) && strcmp(protocol_of(e.lines), "ftp") == 0)
		report_note(s->report, s->reported, FACT_PROTOCOL, "ftp");
	if (e.code != 220 || report_value(s->report, s->reported, FACT_PROTOCOL))
		return refused(s, &e, w, err);
	heard(s, used);
	end(s, STEP_PASSED, w);
	return WANT_NOTHING;
}

/* A firewall that inspects mail (Cisco's "fixup") writes X over the words it does not want to be understood (facts H.7). */
static void look_for_strike_outs(struct smtp_session *s, const struct smtp_event *e)
{
	for (size_t n = 1; n < e->line_count; n++) {
		struct slice line = smtp_line(e, n);

		if (slice_starts(line, "XXXX")) {
			note(s, FACT_STARTTLS_STRIPPED, line);
			return;
		}
	}
}

static bool is_its_own(const struct smtp_session *s, const struct address *a)
{
	for (size_t i = 0; i < s->reach.connect.count; i++)
		if (address_equal(&s->reach.connect.tried[i].address, a))
			return true;
	return false;
}

/* A stranger's claim: taken from none but a verified host, and not where that names itself. */
static void look_for_our_address(struct smtp_session *s, const struct smtp_event *e)
{
	struct address a;
	char           text[ADDRESS_TEXT];

	if (s->line.secure && ehlo_tells_address(smtp_line(e, 0), &a) && !is_its_own(s, &a))
		report_note(s->report, s->reported, FACT_OUR_SEEN, "%s", address_text(&a, text));
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
	s->auth = s->has_auth ? slice_str(arena_copy(s->report->job, auth)) : slice(NULL, 0);
	note(s, FACT_CAPABILITY, slice_str(smtp_text(&e, work, true)));
	if (s->has_auth && s->line.secure)
		note(s, FACT_AUTH_OFFERED, s->auth);
	else if (s->has_auth)
		note(s, FACT_AUTH_CLEAR, s->auth);
	if (!s->has_starttls && !s->line.secure)
		look_for_strike_outs(s, &e);
	look_for_our_address(s, &e);
	heard(s, used);
	end(s, STEP_PASSED, w);
	return WANT_NOTHING;
}

static enum want_kind starttls_offered(struct smtp_session *s, const struct want *w, struct error *err)
{
	report_note(s->report, s->reported, FACT_STARTTLS_OFFERED, "%s", s->has_starttls ? "yes" : "no");
	if (s->has_starttls)
		return WANT_NOTHING;
	fail(err, FAULT_NOT_OFFERED, "%s offers no STARTTLS", s->endpoint->host);
	end(s, STEP_FAILED, w);
	return WANT_FAILED;
}

/* RFC 3207 §4.2: what was heard before the handshake is forgotten; what came with the reply was never said by the server. */
static enum want_kind nothing_injected(struct smtp_session *s, const struct want *w, struct error *err)
{
	PASS(reach_not_injected(&s->reach, s->reported, w, err));
	end(s, STEP_PASSED, w);
	smtp_reader_clear(s->reader);
	return WANT_NOTHING;
}

static enum want_kind upgrade(struct smtp_session *s, struct want *w, struct error *err)
{
	switch (s->upgrade.step) {
	case UPGRADE_START:
		begin(s, "starttls", w);
		PASS(starttls_offered(s, w, err));
		say(s, w, "STARTTLS");

	STEP(&s->upgrade, UPGRADE_STARTTLS):
		PASS(expect(s, 2, w, err));
		PASS(nothing_injected(s, w, err));

	STEP(&s->upgrade, UPGRADE_TLS):
		PASS(reach_tls_step(&s->reach, w, err));
		begin(s, "ehlo", w);
		say(s, w, "EHLO " SMTP_OUR_NAME);

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
	const char *why = !login_has_any(s->login)          ? "no_credentials"
	                : !s->line.secure                   ? "no_line"
	                : !endpoint_trusted(s->endpoint)    ? "not_confirmed"
	                : s->gate && s->gate->refused       ? "after_refusal"
	                : s->gate && s->gate->in_doubt      ? "in_doubt" : NULL;

	if (why)
		report_skip(s->report, "smtp.login", s->attempt, why, w->now_ms);
	return !why;
}

/* The answer that IMAP gets to the same credentials comes first. */
static bool must_wait(const struct smtp_session *s)
{
	return s->gate && !s->gate->gate.open && login_has_any(s->login) && endpoint_trusted(s->endpoint);
}

static void say_auth(struct smtp_session *s, const struct want *w)
{
	CLEANUP(arena) struct arena *work = arena_new();
	const char *initial;

	s->sasl = sasl_new(s->mechanism, &(struct sasl_credentials){
		.user = s->login->username, .password = s->login->password, .token = s->login->token,
		.host = s->endpoint->host, .port = s->endpoint->port, .nonce = s->login->nonce });
	initial = s->mechanism->client_first ? sasl_initial(s->sasl) : NULL;
	s->initial_sent = true;
	if (initial) {
		char *line = arena_print(work, "AUTH %s %s", s->mechanism->name, initial);

		say_secret(s, w, arena_print(work, "AUTH %s (credentials)", s->mechanism->name), line);
		explicit_bzero(line, strlen(line));
	} else {
		say(s, w, arena_print(work, "AUTH %s", s->mechanism->name));
	}
}

static enum want_kind say_credentials(struct smtp_session *s, const struct want *w, struct error *err)
{
	begin(s, "login", w);
	s->mechanism = login_choose(s->report, s->reported, s->auth, s->login, false);
	if (s->mechanism) {
		say_auth(s, w);
		s->asked = true;
		return WANT_NOTHING;
	}
	if (!s->has_auth)
		report_note(s->report, s->reported, FACT_AUTH_OFFERED, "nothing");
	fail(err, FAULT_NOT_OFFERED, "%s offers no way to sign in that we have credentials for", s->endpoint->host);
	end(s, STEP_FAILED, w);
	return WANT_FAILED;
}

static enum want_kind authenticate(struct smtp_session *s, struct want *w, struct error *err)
{
	for (;;) {
		struct smtp_event e;
		size_t            used;

		PASS(reply(s, &e, &used, w, err));
		if (e.code == 334 && ++s->rounds > LOGIN_ROUNDS) {
			report_note(s->report, s->reported, FACT_REPLY_BROKEN, "a sign-in without end");
			return refused(s, &e, w, err);
		}
		if (e.code == 334) {
			const char *said = sasl_answer(s->sasl, slice_trim(smtp_line(&e, 0)));

			s->cancelled = !said;
			say_secret(s, w, said ? "(credentials)" : "*", !said ? "*" : strcmp(said, "=") == 0 ? "" : said);
			heard(s, used);
			continue;
		}
		if (e.code == 235 && !sasl_proven(s->sasl)) {
			report_note(s->report, s->reported, FACT_REPLY_BROKEN, "the server did not prove that it knows the password");
			return refused(s, &e, w, err);
		}
		if (e.code != 235) {
			s->refused = !s->cancelled;
			s->report->password_tries += s->refused;
			if (s->cancelled)
				login_cancelled(s->report, s->reported);
			login_reason(s->report, s->reported, sasl_reason(s->sasl));
			return refused(s, &e, w, err);
		}
		heard(s, used);
		sasl_free(s->sasl);
		s->sasl = NULL;
		s->logged_in = true;
		end(s, STEP_PASSED, w);
		return WANT_NOTHING;
	}
}

enum want_kind smtp_open_step(void *self, struct want *w, struct error *err)
{
	struct smtp_session *s = self;

	switch (s->step) {
	case OPEN_START:

	STEP(s, OPEN_REACH):
		PASS(reach_step(&s->reach, w, err));
		begin(s, "greeting", w);

	STEP(s, OPEN_GREETING):
		PASS(greeting(s, w, err));
		begin(s, "ehlo", w);
		say(s, w, "EHLO " SMTP_OUR_NAME);

	STEP(s, OPEN_EHLO):
		PASS(ehlo(s, w, err));

	STEP(s, OPEN_UPGRADE):
		if (s->endpoint->socket == SOCKET_STARTTLS)
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
			buffer_add_str(&s->line.out, ".");
		buffer_add(&s->line.out, line);
		rest = slice_from(rest, line.len);
	}
	buffer_add_str(&s->line.out, ".\r\n");
	report_talk(s->report, s->attempt, 'C', slice_str("(the test message)"), w->now_ms);
}

enum want_kind smtp_send_step(void *self, struct want *w, struct error *err)
{
	struct smtp_session         *s = self;
	CLEANUP(arena) struct arena *work = arena_new();

	switch (s->send.step) {
	case SEND_START:
		begin(s, "send", w);
		report_note(s->report, s->reported, FACT_SEND_TO, "%s", s->message->to);
		s->stage = "mail";
		say(s, w, arena_print(work, "MAIL FROM:<%s>", s->message->from));

	STEP(&s->send, SEND_MAIL):
		PASS(expect(s, 2, w, err));
		s->stage = "rcpt";
		say(s, w, arena_print(work, "RCPT TO:<%s>", s->message->to));

	STEP(&s->send, SEND_RCPT):
		PASS(expect(s, 2, w, err));
		s->stage = "data";
		say(s, w, "DATA");

	STEP(&s->send, SEND_DATA):
		PASS(expect(s, 3, w, err));
		say_message(s, w);

	STEP(&s->send, SEND_BODY):
		PASS(expect(s, 2, w, err));
		s->sent = true;
		end(s, STEP_PASSED, w);

	STEP(&s->send, SEND_DONE):
		return WANT_NOTHING;
	}
	return WANT_FAILED;
}

void smtp_goodbye(struct smtp_session *s, const struct want *w)
{
	if (s->line.open)
		say(s, w, "QUIT");
}
