#include "provider/imap.h"

#include <stdio.h>

#include "model/facts.h"

enum { OPEN_START, OPEN_REACH, OPEN_GREETING, OPEN_UPGRADE, OPEN_CAPABILITY, OPEN_AUTHENTICATE, OPEN_DONE,
       LOOK_ANSWERS, LOOK_GOODBYE, LOOK_DONE };
#define ALSO_MOST 8       /* untagged warnings kept as evidence */

enum { UPGRADE_START, UPGRADE_CAPABILITY, UPGRADE_STARTTLS, UPGRADE_TLS, UPGRADE_DONE };

/* What a session needs while something goes on, and not while it waits for news. */
static void equip(struct imap_session *s, struct report *report, int attempt)
{
	session_wake(&s->base, report, attempt);
	s->reader = imap_reader_new(IMAP_LONGEST_LINE, IMAP_LONGEST_LITERAL);
	s->job = arena_new();
}

static void strip(struct imap_session *s)
{
	sasl_free(s->sasl);
	imap_reader_free(s->reader);
	arena_free(s->job);
	s->sasl = NULL;
	s->reader = NULL;
	s->job = NULL;
}

void imap_session_init(struct imap_session *s, struct report *report, const struct endpoint *endpoint, const struct login *login,
                       struct waits waits, int attempt)
{
	*s = (struct imap_session){ .login = login };
	session_init(&s->base, "imap", endpoint, waits, IMAP_LONGEST_LINE + IMAP_LONGEST_LITERAL + 1024, 64 * 1024);
	equip(s, report, attempt);
}

void imap_session_release(struct imap_session *s)
{
	session_release(&s->base);
	strip(s);
	*s = (struct imap_session){ 0 };
}

void imap_session_park(struct imap_session *s)
{
	session_park(&s->base);
	strip(s);
	s->login = NULL;
	s->capability = slice(NULL, 0);
}

void imap_session_wake(struct imap_session *s, struct report *report)
{
	equip(s, report, report_attempt(report));
}

/* -- the report --------------------------------------------------------------------------------------------------- */

static void reply_facts(struct imap_session *s, const struct imap_event *e)
{
	struct slice words = e->line;

	if (e->kind == IMAP_TAGGED)
		slice_cut(&words, ' ');      /* our tag is no news */
	session_fact(&s->base, FACT_REPLY_STATUS, e->word);
	if (e->code.len)
		session_fact(&s->base, FACT_REPLY_CODE, imap_code_word(e->code));
	session_fact(&s->base, FACT_REPLY_TEXT, words);
}

enum want_kind imap_refused(struct imap_session *s, const struct imap_event *e, const struct want *w, struct error *err)
{
	reply_facts(s, e);
	fail(err, FAULT_REFUSED, "%s refused", s->base.endpoint->host);
	return session_failed(&s->base, w);
}

/* -- saying and hearing ------------------------------------------------------------------------------------------- */

unsigned imap_say(struct imap_session *s, const struct want *w, const char *fmt, ...)
{
	CLEANUP(arena) struct arena *work = arena_new();
	const char *command, *line;
	va_list     args;

	va_start(args, fmt);
	command = arena_vprint(work, fmt, args);
	va_end(args);
	line = arena_print(work, "a%u %s\r\n", ++s->tag, command);
	buffer_add_str(&s->base.line.out, line);
	report_talk(s->base.report, s->base.attempt, 'C', slice(line, strlen(line) - 2), w->now_ms);
	return s->tag;
}

struct imap_event imap_hear(struct imap_session *s, const struct want *w, size_t *used)
{
	struct imap_event e = imap_next(s->reader, buffer_held(&s->base.line.in), used);

	if (e.kind > IMAP_BROKEN)
		report_talk(s->base.report, s->base.attempt, 'S', e.line, w->now_ms);
	return e;
}

void imap_heard(struct imap_session *s, size_t used)
{
	buffer_drop(&s->base.line.in, used);
}

bool imap_is_tag(const struct imap_event *e, unsigned tag)
{
	char text[16];

	snprintf(text, sizeof text, "a%u", tag);
	return e->kind == IMAP_TAGGED && slice_is(e->tag, text);
}

enum want_kind imap_await(struct imap_session *s, struct imap_event *e, size_t *used, int wait_ms, struct want *w, struct error *err)
{
	enum came came;

	*e = imap_hear(s, w, used);
	if (e->kind == IMAP_BROKEN)
		return session_broken(&s->base, imap_broken(s->reader), w, err);
	if (e->kind != IMAP_MORE)
		return WANT_NOTHING;
	came = want_came(w);
	if (came == CAME || came == CAME_NOTHING)
		return want_read(w, &s->base.line, wait_ms);
	return session_lost(&s->base, came, w, err);
}

static enum want_kind hear(struct imap_session *s, struct imap_event *e, size_t *used, struct want *w, struct error *err)
{
	return imap_await(s, e, used, s->step == OPEN_GREETING ? s->base.waits.greeting_ms : s->base.waits.reply_ms, w, err);
}

/* A tag that is none of ours cannot be an answer to anything. */
static enum want_kind foreign_tag(struct imap_session *s, const struct imap_event *e, const struct want *w, struct error *err)
{
	session_note(&s->base, FACT_REPLY_BROKEN, "a tag that was never sent: %.*s",
	             (int)(e->tag.len < 40 ? e->tag.len : 40), e->tag.at);
	session_fact(&s->base, FACT_FIRST_BYTES, e->line);
	fail(err, FAULT_BROKEN, "%s answers with a foreign tag", s->base.endpoint->host);
	return session_failed(&s->base, w);
}

static void keep_capability(struct imap_session *s, struct slice list)
{
	s->capability = slice_str(arena_copy(s->base.report->job, slice_upto(list, 4000)));
	session_fact(&s->base, FACT_CAPABILITY, list);
}

/* Bounded: a server may warn for ever. */
static void note_also(struct imap_session *s, const struct imap_event *e)
{
	if (s->also++ < ALSO_MOST)
		session_fact(&s->base, FACT_REPLY_ALSO, e->line);
}

/* Untagged lines between a command and its answer: capabilities are kept, warnings and farewells are evidence. */
static void untagged(struct imap_session *s, const struct imap_event *e)
{
	if (slice_is(e->word, "CAPABILITY"))
		keep_capability(s, e->text);
	else if (slice_is(e->word, "NO") || slice_is(e->word, "BAD") || slice_is(e->word, "BYE") || slice_starts(e->code, "ALERT"))
		note_also(s, e);
}

/* The next response that is no untagged line, in `e`; WANT_NOTHING when it is there. */
static enum want_kind answer(struct imap_session *s, struct imap_event *e, size_t *used, struct want *w, struct error *err)
{
	for (;;) {
		enum want_kind kind;

		kind = hear(s, e, used, w, err);
		if (kind != WANT_NOTHING)
			return kind;
		if (e->kind == IMAP_CONTINUE || imap_is_tag(e, s->tag))
			return WANT_NOTHING;
		if (e->kind == IMAP_TAGGED)
			return foreign_tag(s, e, w, err);
		untagged(s, e);
		imap_heard(s, *used);
	}
}

/* -- the sign-in -------------------------------------------------------------------------------------------------- */

/* "PLAIN LOGIN" out of "IMAP4rev1 AUTH=PLAIN AUTH=LOGIN". */
static struct slice offered_mechanisms(struct imap_session *s)
{
	struct buffer out;
	struct slice  rest = s->capability;
	const char   *list;

	buffer_init(&out, 4096);
	while (rest.len) {
		struct slice word = slice_cut(&rest, ' ');

		if (slice_starts(word, "AUTH=")) {
			if (buffer_held(&out).len)
				buffer_add_str(&out, " ");
			buffer_add(&out, slice_from(word, 5));
		}
	}
	list = arena_copy(s->base.report->job, buffer_held(&out));
	buffer_release(&out);
	return slice_str(list);
}

/* The LOGIN command serves where no mechanism does. */
static bool login_command_serves(const struct imap_session *s)
{
	return s->login->password && !imap_list_has(s->capability, "LOGINDISABLED");
}

/* One argument of LOGIN: quoted where quoting can carry it, else a literal (RFC 9051 §4.3), which a server without
 * LITERAL+ has to ask for: there the command is cut, and goes on with the next part after its "+". */
static void add_argument(struct imap_session *s, const char *text)
{
	const char *quoted = imap_quoted(s->job, text);
	bool        at_once = imap_list_has(s->capability, "LITERAL+");
	char      **part = &s->login_part[s->login_parts - 1];

	if (quoted) {
		*part = arena_print(s->job, "%s %s", *part, quoted);
	} else if (at_once) {
		*part = arena_print(s->job, "%s {%zu+}\r\n%s", *part, strlen(text), text);
	} else {
		*part = arena_print(s->job, "%s {%zu}", *part, strlen(text));
		s->login_part[s->login_parts++] = arena_str(s->job, text);
	}
}

static void say_login_part(struct imap_session *s, const struct want *w)
{
	const char *part = s->login_part[s->login_said++];
	bool        last = s->login_said == s->login_parts;

	session_say_secret(&s->base, w, last ? "LOGIN (credentials)" : "LOGIN (credentials, a part)", part);
}

static void say_login(struct imap_session *s, const struct want *w)
{
	s->login_part[0] = arena_print(s->job, "a%u LOGIN", ++s->tag);
	s->login_parts = 1;
	add_argument(s, s->login->username);
	add_argument(s, s->login->password);
	say_login_part(s, w);
}

static void say_authenticate(struct imap_session *s, const struct want *w)
{
	CLEANUP(arena) struct arena *work = arena_new();
	const char *initial;

	s->sasl = login_sasl(s->login, s->mechanism, s->base.endpoint);
	s->tag++;
	initial = s->mechanism->client_first && imap_list_has(s->capability, "SASL-IR") ? sasl_initial(s->sasl) : NULL;
	s->initial_sent = initial != NULL;
	if (initial) {
		char *line = arena_print(work, "a%u AUTHENTICATE %s %s", s->tag, s->mechanism->name, initial);

		session_say_secret(&s->base, w, arena_print(work, "a%u AUTHENTICATE %s (credentials)", s->tag, s->mechanism->name), line);
		explicit_bzero(line, strlen(line));
	} else {
		const char *line = arena_print(work, "a%u AUTHENTICATE %s", s->tag, s->mechanism->name);

		session_say_secret(&s->base, w, line, line);
	}
}

/* The answer to "+ …" while signing in. */
static void say_answer(struct imap_session *s, const struct imap_event *e, const struct want *w)
{
	const char *said = s->initial_sent || !s->mechanism->client_first ? sasl_answer(s->sasl, slice_trim(e->text))
	                                                                  : sasl_initial(s->sasl);

	s->initial_sent = true;
	/* "=" stands for an empty initial response only; in an answer it is an empty line (RFC 9051 §6.2.2) */
	if (said && strcmp(said, "=") == 0)
		said = "";
	s->cancelled = !said;
	session_say_secret(&s->base, w, said ? "(credentials)" : "*", said ? said : "*");
}

/* Shall credentials be said here at all? Records why not. */
static bool may_sign_in(struct imap_session *s, const struct want *w)
{
	const char *why = !login_has_any(s->login)            ? "no_credentials"
	                : !s->base.line.secure              ? "no_line"
	                : !endpoint_trusted(s->base.endpoint) ? "not_confirmed" : NULL;

	if (why)
		report_skip(s->base.report, "imap.login", s->base.attempt, why, w->now_ms);
	return !why;
}

static enum want_kind nothing_in_common(struct imap_session *s, const struct want *w, struct error *err)
{
	if (imap_list_has(s->capability, "LOGINDISABLED"))
		session_note(&s->base, FACT_REPLY_CODE, "LOGINDISABLED");
	fail(err, FAULT_NOT_OFFERED, "%s offers no way to sign in that we have credentials for", s->base.endpoint->host);
	return session_failed(&s->base, w);
}

static enum want_kind sign_in_refused(struct imap_session *s, const struct imap_event *e, const struct want *w, struct error *err)
{
	s->refused = login_refused(s->base.report, s->base.reported, s->sasl, s->cancelled);
	return imap_refused(s, e, w, err);
}

static enum want_kind greeting(struct imap_session *s, struct want *w, struct error *err)
{
	size_t            used;
	struct imap_event e;
	enum want_kind    kind = hear(s, &e, &used, w, err);
	bool              fine;

	if (kind != WANT_NOTHING)
		return kind;
	session_fact(&s->base, FACT_GREETING, e.line);
	if (e.kind == IMAP_TAGGED || (!slice_is(e.word, "OK") && !slice_is(e.word, "PREAUTH"))) {
		reply_facts(s, &e);
		fail(err, FAULT_REFUSED, "%s greets with %.*s", s->base.endpoint->host, (int)e.word.len, e.word.at);
		return session_failed(&s->base, w);
	}
	/* "Already signed in" on a line without TLS is what an attacker says to have us go on in the clear (facts H.4). */
	fine = slice_is(e.word, "OK") || s->base.line.secure;
	if (!fine)
		reply_facts(s, &e);
	if (slice_is(imap_code_word(e.code), "CAPABILITY"))
		keep_capability(s, imap_code_rest(e.code));
	imap_heard(s, used);
	session_end(&s->base, fine ? STEP_PASSED : STEP_FAILED, w);
	if (!fine)
		fail(err, FAULT_BROKEN, "%s says PREAUTH before TLS", s->base.endpoint->host);
	return fine ? WANT_NOTHING : WANT_FAILED;
}

/* Waits for the end of the command under way; OK is WANT_NOTHING. */
static enum want_kind done(struct imap_session *s, struct want *w, struct error *err)
{
	struct imap_event e;
	size_t            used;
	enum want_kind    kind = answer(s, &e, &used, w, err);

	if (kind != WANT_NOTHING)
		return kind;
	if (!slice_is(e.word, "OK"))
		return imap_refused(s, &e, w, err);
	if (slice_is(imap_code_word(e.code), "CAPABILITY"))
		keep_capability(s, imap_code_rest(e.code));
	imap_heard(s, used);
	return WANT_NOTHING;
}

/* CAPABILITY costs a round trip: only where the greeting did not say it already. */
static void ask_capability(struct imap_session *s, const struct want *w)
{
	s->asking = s->capability.len == 0;
	if (s->asking)
		imap_say(s, w, "CAPABILITY");
}

/* RFC 9051 §6.2.1: whatever came before the handshake, anyone may have sent. */
static enum want_kind nothing_injected(struct imap_session *s, const struct want *w, struct error *err)
{
	PASS(session_starttls_clean(&s->base, w, err));
	s->capability = slice(NULL, 0);
	imap_reader_clear(s->reader);
	return WANT_NOTHING;
}

static enum want_kind endless(struct imap_session *s, const struct want *w, struct error *err)
{
	session_note(&s->base, FACT_REPLY_BROKEN, "a sign-in without end");
	fail(err, FAULT_BROKEN, "%s asks on and on", s->base.endpoint->host);
	return session_failed(&s->base, w);
}

/* One round of the sign-in: WANT_NOTHING only when it is over and well. */
static enum want_kind authenticate(struct imap_session *s, struct want *w, struct error *err)
{
	for (;;) {
		struct imap_event e;
		size_t            used;
		enum want_kind    kind = answer(s, &e, &used, w, err);

		if (kind != WANT_NOTHING)
			return kind;
		if (e.kind == IMAP_CONTINUE && ++s->rounds > LOGIN_ROUNDS)
			return endless(s, w, err);
		if (e.kind == IMAP_CONTINUE && s->sasl) {
			say_answer(s, &e, w);
			imap_heard(s, used);
			continue;
		}
		if (e.kind == IMAP_CONTINUE && s->login_said < s->login_parts) {
			say_login_part(s, w);
			imap_heard(s, used);
			continue;
		}
		if (e.kind == IMAP_CONTINUE || !slice_is(e.word, "OK"))
			return sign_in_refused(s, &e, w, err);
		if (s->sasl && !sasl_proven(s->sasl)) {
			session_note(&s->base, FACT_REPLY_BROKEN, "the server did not prove that it knows the password");
			return imap_refused(s, &e, w, err);
		}
		if (slice_is(imap_code_word(e.code), "CAPABILITY"))
			keep_capability(s, imap_code_rest(e.code));
		imap_heard(s, used);
		return WANT_NOTHING;
	}
}

static void forget_sign_in(struct imap_session *s)
{
	sasl_free(s->sasl);
	s->sasl = NULL;
	arena_free(s->job);      /* wipes the parts of LOGIN */
	s->job = arena_new();
	s->login_parts = s->login_said = 0;
}

/* From plain text to a private line (RFC 9051 §6.2.1). Never goes on without. */
static enum want_kind upgrade(struct imap_session *s, struct want *w, struct error *err)
{
	switch (s->upgrade.step) {
	case UPGRADE_START:
		session_begin(&s->base, "starttls", w);
		ask_capability(s, w);

	STEP(&s->upgrade, UPGRADE_CAPABILITY):
		if (s->asking)
			PASS(done(s, w, err));
		PASS(session_starttls_offered(&s->base, imap_list_has(s->capability, "STARTTLS"), w, err));
		imap_say(s, w, "STARTTLS");

	STEP(&s->upgrade, UPGRADE_STARTTLS):
		PASS(done(s, w, err));
		PASS(nothing_injected(s, w, err));

	STEP(&s->upgrade, UPGRADE_TLS):
		PASS(reach_tls_step(s->base.reach, w, err));

	STEP(&s->upgrade, UPGRADE_DONE):
		return WANT_NOTHING;
	}
	return WANT_FAILED;
}

static enum want_kind say_credentials(struct imap_session *s, const struct want *w, struct error *err)
{
	session_begin(&s->base, "login", w);
	s->mechanism = login_choose(s->base.report, s->base.reported, offered_mechanisms(s), s->login, login_command_serves(s));
	if (s->mechanism)
		say_authenticate(s, w);
	else if (login_command_serves(s))
		say_login(s, w);
	else
		return nothing_in_common(s, w, err);
	/* what is said of them from here on holds after the sign-in: some servers say it before their OK */
	s->knows_id = imap_list_has(s->capability, "ID");
	s->capability = slice(NULL, 0);
	s->asked = true;
	return WANT_NOTHING;
}

enum want_kind imap_open_step(void *self, struct want *w, struct error *err)
{
	struct imap_session *s = self;

	switch (s->step) {
	case OPEN_START:

	STEP(s, OPEN_REACH):
		PASS(reach_step(s->base.reach, w, err));
		session_begin(&s->base, "greeting", w);

	STEP(s, OPEN_GREETING):
		PASS(greeting(s, w, err));

	STEP(s, OPEN_UPGRADE):
		if (s->base.endpoint->socket == SOCKET_STARTTLS)
			PASS(upgrade(s, w, err));
		session_begin(&s->base, "capability", w);
		if (s->capability.len)
			session_fact(&s->base, FACT_CAPABILITY, s->capability);
		ask_capability(s, w);

	STEP(s, OPEN_CAPABILITY):
		if (s->asking)
			PASS(done(s, w, err));
		session_end(&s->base, STEP_PASSED, w);
		if (!may_sign_in(s, w))
			return WANT_NOTHING;
		PASS(say_credentials(s, w, err));

	STEP(s, OPEN_AUTHENTICATE):
		PASS(authenticate(s, w, err));
		forget_sign_in(s);
		s->logged_in = true;
		session_end(&s->base, STEP_PASSED, w);

	STEP(s, OPEN_DONE):
		return WANT_NOTHING;
	}
	return WANT_FAILED;
}

/* -- the look into the mailbox ------------------------------------------------------------------------------------ */

/* Everything is asked at once: one round trip instead of four. The answers come in the order of the questions. */
static void ask_all(struct imap_session *s, const struct want *w)
{
	if (s->capability.len == 0)
		s->capability_tag = imap_say(s, w, "CAPABILITY");
	s->list_extended = imap_list_has(s->capability, "SPECIAL-USE") && imap_list_has(s->capability, "LIST-EXTENDED");
	if (s->knows_id || imap_list_has(s->capability, "ID"))
		s->id_tag = imap_say(s, w, "ID (\"name\" \"Mailmoor\" \"version\" \"%s\")", MAILMOOR_VERSION);
	s->list_tag = imap_say(s, w, s->list_extended ? "LIST \"\" \"*\" RETURN (SPECIAL-USE)" : "LIST \"\" \"*\"");
	s->open_tag = imap_say(s, w, "EXAMINE INBOX");
	s->id_step = s->id_tag ? report_begin(s->base.report, "imap.id", s->base.attempt, w->now_ms) : -1;
	s->list_step = report_begin(s->base.report, "imap.list", s->base.attempt, w->now_ms);
	s->inbox_step = report_begin(s->base.report, "imap.open", s->base.attempt, w->now_ms);
}

/* The first of each use that is worth knowing later. */
static void keep_folder(struct imap_session *s, const char *use, struct slice name)
{
	struct { const char *use; char *at; } kept[] = {
		{ "\\Sent", s->sent_folder }, { "\\Junk", s->junk_folder }, { "\\Trash", s->trash_folder },
	};

	for (size_t i = 0; i < COUNT(kept); i++)
		if (strcmp(kept[i].use, use) == 0 && !kept[i].at[0] && name.len < sizeof s->sent_folder)
			memcpy(kept[i].at, name.at, name.len);
}

static void folder(struct imap_session *s, const struct imap_event *e)
{
	static const char *const uses[] = { "\\Sent", "\\Drafts", "\\Trash", "\\Junk", "\\Archive", "\\All" };
	CLEANUP(arena) struct arena *work = arena_new();
	struct imap_mailbox box;
	const char         *name;

	s->folders++;
	if (!imap_mailbox(e->text, work, &box))
		return;
	name = imap_utf7_decode(box.name, work);
	for (size_t i = 0; i < COUNT(uses); i++) {
		if (!imap_list_has(box.flags, uses[i]))
			continue;
		keep_folder(s, uses[i], box.name);
		if (s->specials++ < IMAP_SPECIALS)
			report_note(s->base.report, s->list_step, FACT_SPECIAL, "%s = %s", uses[i], name ? name : "?");
	}
}

static void server_id(struct imap_session *s, const struct imap_event *e)
{
	if (s->id_step >= 0)
		report_fact(s->base.report, s->id_step, FACT_SERVER_ID, e->text);
}

static void inbox_code(struct imap_session *s, struct slice code)
{
	unsigned long long n;

	if (!slice_number(imap_code_rest(code), UINT32_MAX, &n))
		return;
	if (slice_is(imap_code_word(code), "UIDVALIDITY"))
		s->uidvalidity = (uint32_t)n;
	else if (slice_is(imap_code_word(code), "UIDNEXT"))
		s->uidnext = (uint32_t)n;
}

/* What an untagged response of the look belongs to. */
static void seen(struct imap_session *s, const struct imap_event *e)
{
	if (slice_is(e->word, "LIST") || slice_is(e->word, "XLIST"))
		folder(s, e);
	else if (slice_is(e->word, "ID"))
		server_id(s, e);
	else if (slice_is(e->word, "EXISTS"))
		s->messages = e->number;
	else if (slice_is(e->word, "OK"))
		inbox_code(s, e->code);
	else
		untagged(s, e);
}

static bool running(const struct imap_session *s, int step)
{
	return step >= 0 && s->base.report->step[step].state == STEP_RUNNING;
}

static void close_step(struct imap_session *s, int step, const struct imap_event *e, enum step_state otherwise, const struct want *w)
{
	bool fine = slice_is(e->word, "OK");

	s->base.reported = step;
	if (!fine)
		reply_facts(s, e);
	session_end(&s->base, fine ? STEP_PASSED : otherwise, w);
}

/* A tagged answer of the look; false when the tag is none of ours. A refused ID or LIST is worth a warning; a refused
 * inbox is the end. */
static bool concluded(struct imap_session *s, const struct imap_event *e, const struct want *w)
{
	if (s->id_tag && imap_is_tag(e, s->id_tag)) {
		close_step(s, s->id_step, e, STEP_WARNED, w);
	} else if (imap_is_tag(e, s->list_tag)) {
		/* Some servers announce the extended form and refuse it (facts D.1: Exchange): once more, plainly. */
		if (s->list_extended && !slice_is(e->word, "OK")) {
			s->list_extended = false;
			s->list_tag = imap_say(s, w, "LIST \"\" \"*\"");
			return true;
		}
		report_note(s->base.report, s->list_step, FACT_FOLDERS, "%zu", s->folders);
		close_step(s, s->list_step, e, STEP_WARNED, w);
	} else if (imap_is_tag(e, s->open_tag)) {
		if (slice_is(e->word, "OK"))
			report_note(s->base.report, s->inbox_step, FACT_MESSAGES, "%u", s->messages);
		close_step(s, s->inbox_step, e, STEP_FAILED, w);
	} else {
		return s->capability_tag && imap_is_tag(e, s->capability_tag);
	}
	return true;
}

/* When the line breaks while several answers are due, the first of them carries the evidence, the others were not heard. */
static void give_up_rest(struct imap_session *s, const struct want *w)
{
	int due[] = { s->id_step, s->list_step, s->inbox_step };

	for (size_t i = 0; i < COUNT(due); i++)
		if (running(s, due[i])) {
			s->base.report->step[due[i]].skip = "earlier";
			report_end(s->base.report, due[i], STEP_SKIPPED, w->now_ms);
		}
}

static int first_due(const struct imap_session *s)
{
	return running(s, s->id_step) ? s->id_step : running(s, s->list_step) ? s->list_step : s->inbox_step;
}

static enum want_kind look_answers(struct imap_session *s, struct want *w, struct error *err)
{
	while (running(s, s->id_step) || running(s, s->list_step) || running(s, s->inbox_step)) {
		size_t            used;
		struct imap_event e;
		enum want_kind    kind;

		s->base.reported = first_due(s);
		kind = hear(s, &e, &used, w, err);
		if (kind == WANT_FAILED)
			give_up_rest(s, w);
		if (kind != WANT_NOTHING)
			return kind;
		if (e.kind != IMAP_TAGGED)
			seen(s, &e);
		else if (!concluded(s, &e, w))
			return foreign_tag(s, &e, w, err);
		imap_heard(s, used);
	}
	return WANT_NOTHING;
}

enum want_kind imap_look_step(void *self, struct want *w, struct error *err)
{
	struct imap_session *s = self;

	switch (s->step) {
	case OPEN_DONE:
		ask_all(s, w);

	STEP(s, LOOK_ANSWERS):
		PASS(look_answers(s, w, err));
		s->inbox_open = s->base.report->step[s->inbox_step].state == STEP_PASSED;

	STEP(s, LOOK_DONE):
		if (s->inbox_open)
			return WANT_NOTHING;
		fail(err, FAULT_REFUSED, "%s does not open the inbox", s->base.endpoint->host);
		return WANT_FAILED;
	}
	return WANT_FAILED;
}

void imap_goodbye(struct imap_session *s, const struct want *w)
{
	/* The server's farewell changes nothing, and some hang before they say it: nobody waits for it. */
	if (s->base.line.open)
		imap_say(s, w, "LOGOUT");
}
