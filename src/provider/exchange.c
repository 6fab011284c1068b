#include "provider/exchange.h"

#include <stdio.h>
#include <stdlib.h>

#include "model/exchange_url.h"
#include "model/facts.h"
#include "model/mailaddress.h"
#include "provider/exchange_facts.h"

enum { OPEN_START, OPEN_REACH, OPEN_OFFER, OPEN_WEBMAIL, OPEN_CHALLENGE, OPEN_LOGIN, OPEN_AGENT, OPEN_VERSION, OPEN_LADDER, OPEN_DONE };
enum { LOOK_START, LOOK_MAILBOX, LOOK_FOLDERS, LOOK_CALENDAR, LOOK_DONE };
enum { SEND_START, SEND_ANSWER, SEND_DONE };
enum { BACK_START, BACK_REACH, BACK_ANSWER, BACK_DONE };

/* Where the answers to the first question stand. */
enum { ABOUT_INBOX, ABOUT_MAILBOX, ABOUT_FOLDERS, ABOUT_CALENDAR, ABOUT_ALL };

/* What is asked for first, and what then where a server says that it is older (facts M C.2). */
static const char *const ladder[] = { "Exchange2010_SP2", "Exchange2010_SP1", "Exchange2010", "Exchange2007_SP1" };

void exchange_session_init(struct exchange_session *s, struct report *report, const struct endpoint *endpoint, const struct login *login,
                           const char *address, struct waits waits, int attempt)
{
	*s = (struct exchange_session){ .report = report, .endpoint = endpoint, .login = login, .address = address, .waits = waits,
	                                .attempt = attempt, .schema = ladder[0], .reported = -1 };
	web_session_init(&s->web, report, endpoint, login, "exchange", waits, attempt);
	buffer_init(&s->soap, EXCHANGE_REQUEST);
	s->job = arena_new();
}

void exchange_session_park(struct exchange_session *s)
{
	web_session_park(&s->web);
	ews_reader_free(s->reader);
	buffer_release(&s->soap);
	arena_free(s->job);
	s->reader = NULL;
	s->answer = NULL;
	s->job = NULL;
	s->report = NULL;
}

void exchange_session_release(struct exchange_session *s)
{
	web_session_release(&s->web);
	exchange_session_park(s);
	*s = (struct exchange_session){ 0 };
}

/* -- the report --------------------------------------------------------------------------------------------------- */

void exchange_begin(struct exchange_session *s, const char *name, const struct want *w)
{
	s->reported = report_begin(s->report, step_id(s->report, "exchange", name), s->attempt, w->now_ms);
	s->web.reported = s->reported;
}

void exchange_end(struct exchange_session *s, enum step_state state, const struct want *w)
{
	report_end(s->report, s->reported, state, w->now_ms);
}

static enum want_kind failed(struct exchange_session *s, enum fault fault, const struct want *w, struct error *err, const char *what)
{
	fail(err, fault, "%s: %s", s->endpoint->host, what);
	exchange_end(s, STEP_FAILED, w);
	return WANT_FAILED;
}

/* -- questions and answers ---------------------------------------------------------------------------------------- */

struct ews_header exchange_header(const struct exchange_session *s)
{
	return (struct ews_header){ .version = s->schema, .act_as = s->act_as ? s->address : NULL };
}

void exchange_ask(struct exchange_session *s, bool once)
{
	s->request = (struct web_request){ .method = "POST", .target = s->endpoint->path, .body = buffer_held(&s->soap), .once = once };
	s->request.header[0] = "Content-Type: text/xml; charset=utf-8";
	s->request.header[1] = "Accept: text/xml";
	s->request.header[2] = arena_print(s->report->job, "X-AnchorMailbox: %s", s->address);
	ews_reader_free(s->reader);
	s->reader = NULL;
	s->web.answer.piece = NULL;
	s->web.answer.head_only = false;
	web_ask(&s->web, &s->request);
}

static void begin_reader(struct exchange_session *s, const struct ews_listener *listener)
{
	arena_free(s->job);
	s->job = arena_new();
	s->answer = NULL;
	s->reader = ews_reader_new(s->job, REPORT_VALUE, listener);
}

/* The answer's SOAP, where it is some. What is none leaves `answer` NULL: the status speaks. */
static void read_soap(struct exchange_session *s, const struct ews_listener *listener)
{
	struct slice body = buffer_held(&s->web.answer.body);
	struct error err = { 0 };
	bool         fine = s->reader != NULL;

	s->web.answer.piece = NULL;
	s->answer = NULL;
	if (!fine) {
		if (s->web.answer.encoded && s->web.answer.status == 200)
			report_note(s->report, s->reported, FACT_REPLY_BROKEN, "%s", "packed in a way that nobody asked for");
		if (s->web.answer.encoded || s->discovers)
			return;
		begin_reader(s, listener);
		fine = ews_feed(s->reader, body, NULL, &err);
	}
	if (fine && ews_finish(s->reader, &err) && ews_answer(s->reader)->envelope) {
		struct ews_answer *kept = arena_get(s->job, sizeof *kept);

		*kept = *ews_answer(s->reader);
		s->answer = kept;
	} else if (s->web.answer.status == 200) {
		report_note(s->report, s->reported, FACT_REPLY_BROKEN, "%s", err.text[0] ? err.text : "no SOAP");
	}
	ews_reader_free(s->reader);
	s->reader = NULL;
}

/* What is packed is kept as it is: nobody asked for it, and nobody reads it. */
static bool take_piece(void *self, struct slice piece, struct error *err)
{
	struct exchange_session *s = self;

	if (s->web.answer.encoded)
		return buffer_add(&s->web.answer.body, piece) || fail(err, FAULT_TOO_BIG, "an answer longer than 1 MiB");
	if (!s->reader)
		begin_reader(s, &s->listener);
	return ews_feed(s->reader, piece, NULL, err);
}

void exchange_stream(struct exchange_session *s, const struct ews_listener *listener)
{
	s->listener = *listener;
	s->web.answer.piece = take_piece;
	s->web.answer.taker = s;
}

enum want_kind exchange_answer_step(struct exchange_session *s, const struct ews_listener *listener, struct want *w, struct error *err)
{
	PASS(web_ask_step(&s->web, w, err));
	read_soap(s, listener);
	return WANT_NOTHING;
}

/* Of a question that asked for one thing it is the first one that counts. */
static const struct ews_outcome *outcome_of(const struct exchange_session *s, size_t about)
{
	return s->answer && about < EWS_OUTCOMES && about < s->answer->count ? &s->answer->outcome[about] : NULL;
}

static const struct ews_outcome *first_outcome(const struct exchange_session *s)
{
	return outcome_of(s, 0);
}

static bool is_coded(const struct ews_outcome *o, const char *code)
{
	return o && o->code && strcmp(o->code, code) == 0;
}

static bool code_is(const struct exchange_session *s, const char *code)
{
	return is_coded(first_outcome(s), code);
}

/* That part of the answer is well; else its words are in the report. */
static bool went_well(struct exchange_session *s, size_t about, const char *operation)
{
	const struct ews_outcome *o = outcome_of(s, about);

	if (o && !o->ok && !o->warning) {
		exchange_outcome_facts(s, operation, o);
		return false;
	}
	if (o && s->web.answer.status == 200)
		return true;
	report_note(s->report, s->reported, FACT_EWS_OPERATION, "%s", operation);
	exchange_http_facts(s);
	return false;
}

bool exchange_went_well(struct exchange_session *s, const char *operation)
{
	return went_well(s, 0, operation);
}

static enum want_kind not_well(struct exchange_session *s, const struct want *w, struct error *err, const char *what)
{
	const struct ews_outcome *o = first_outcome(s);

	return failed(s, s->back_off_ms ? FAULT_BUSY : o || s->web.answer.status >= 400 ? FAULT_REFUSED : FAULT_BROKEN, w, err, what);
}

/* -- the first question -------------------------------------------------------------------------------------------- */

static void write_first(struct exchange_session *s)
{
	struct ews_header h = exchange_header(s);
	const char       *mailbox = s->others ? s->address : NULL;

	buffer_clear(&s->soap);
	if (s->discovers) {
		autodiscover_request(&s->soap, s->address);
		return;
	}
	s->folder[ABOUT_INBOX] = (struct ews_folder){ .distinguished = "inbox", .mailbox = mailbox };
	s->folder[ABOUT_MAILBOX] = (struct ews_folder){ .distinguished = "inbox", .mailbox = s->address };
	s->folder[ABOUT_FOLDERS] = (struct ews_folder){ .distinguished = "msgfolderroot", .mailbox = mailbox };
	s->folder[ABOUT_CALENDAR] = (struct ews_folder){ .distinguished = "calendar", .mailbox = mailbox };
	ews_get_folder(&s->soap, &h, s->folder, ABOUT_ALL, false);
}

/* Behind an error a server may leave out the rest, or say that it stopped there: then nothing is known of it. */
static bool is_answered(const struct exchange_session *s, size_t about)
{
	const struct ews_outcome *o = outcome_of(s, about);

	return o && !is_coded(o, "ErrorBatchProcessingStopped");
}

/* It stands in the first answer, or alone in that to a question of its own. */
static size_t place_of(const struct exchange_session *s, size_t about)
{
	return is_answered(s, about) ? about : 0;
}

static void note_root(void *self, const struct ews_item *item)
{
	struct exchange_session *s = self;
	size_t                   count = ews_answer(s->reader)->count;

	if (item->kind == EWS_FOLDER && (count == ABOUT_FOLDERS + 1 || s->asks_root))
		s->folders = item->children;
}

/* -- the offer ---------------------------------------------------------------------------------------------------- */

/* One thing only, since nobody is signed in yet, and nobody is named who is not asked for by his name anyhow. */
static void write_inbox(struct exchange_session *s)
{
	struct ews_header h = exchange_header(s);

	buffer_clear(&s->soap);
	if (s->discovers) {
		autodiscover_request(&s->soap, s->address);
		return;
	}
	s->folder[0] = (struct ews_folder){ .distinguished = "inbox", .mailbox = s->others ? s->address : NULL };
	ews_get_folder(&s->soap, &h, s->folder, 1, false);
}

static void ask_offer(struct exchange_session *s, const struct want *w)
{
	exchange_begin(s, "offer", w);
	report_note(s->report, s->reported, FACT_URL, "%s", exchange_url_at(s->endpoint->host, s->endpoint->port, s->endpoint->path, s->report->job));
	if (!s->discovers)
		report_note(s->report, s->reported, FACT_URL_IS_EWS, "%s", slice_is(slice_str(s->endpoint->path), EXCHANGE_PATH) ? "yes" : "no");
	write_inbox(s);
	exchange_ask(s, false);
	s->request.anonymous = true;
	s->request.header[2] = NULL;      /* nobody is named before anybody is signed in */
}

static enum want_kind take_offer(struct exchange_session *s, const struct want *w, struct error *err)
{
	struct challenges offered;

	challenges_read(buffer_held(&s->web.answer.fields), &offered);
	exchange_http_facts(s);
	exchange_offer_facts(s, &offered);
	if (s->web.answer.status != 401 || offered.count == 0)
		return failed(s, FAULT_NOT_OFFERED, w, err, "no EWS there");
	s->offers = true;
	web_choose(&s->web, &offered);
	if (exchange_era(&s->build) == EXCHANGE_TOO_OLD && s->build.major)
		return failed(s, FAULT_NOT_OFFERED, w, err, "too old");
	if (report_value(s->report, s->reported, FACT_EXCHANGE_ONLINE) && !(s->login && s->login->token))
		return failed(s, FAULT_NOT_OFFERED, w, err, "Exchange Online");
	exchange_end(s, STEP_PASSED, w);
	return WANT_NOTHING;
}

/* Where EWS is not to be had: is the web mail of the same server? */
static bool is_worth_a_look(const struct exchange_session *s)
{
	int status = s->web.answer.status;

	return (status == 403 || status == 404 || status == 410) && slice_is(slice_str(s->endpoint->path), EXCHANGE_PATH);
}

static void ask_webmail(struct exchange_session *s, const struct want *w)
{
	s->reported = s->web.reported = report_begin(s->report, "probe.webmail", s->attempt, w->now_ms);
	s->request = (struct web_request){ .method = "GET", .target = "/owa/", .anonymous = true };
	web_ask(&s->web, &s->request);
}

static void take_webmail(struct exchange_session *s, const struct want *w)
{
	report_note(s->report, s->reported, FACT_PROBE_RESULT, "%s", exchange_page(s));
	report_note(s->report, s->reported, FACT_HTTP_STATUS, "%d", s->web.answer.status);
	exchange_end(s, STEP_PASSED, w);
}

/* -- the sign-in -------------------------------------------------------------------------------------------------- */

static bool may_sign_in(struct exchange_session *s, const struct want *w)
{
	const char *why = !login_has_any(s->login) ? "no_credentials" : !endpoint_trusted(s->endpoint) ? "not_confirmed"
	                : !s->web.line.secure && s->web.line.open ? "no_line" : NULL;

	if (why)
		report_skip(s->report, "exchange.login", s->attempt, why, w->now_ms);
	return !why;
}

static enum want_kind take_challenge(struct exchange_session *s, const struct want *w, struct error *err)
{
	if (!s->web.challenged) {
		exchange_http_facts(s);
		return failed(s, FAULT_BROKEN, w, err, "no challenge");
	}
	exchange_challenge_facts(s);
	exchange_end(s, STEP_PASSED, w);
	return WANT_NOTHING;
}

static enum want_kind no_scheme(struct exchange_session *s, const struct want *w, struct error *err)
{
	exchange_begin(s, "login", w);
	exchange_login_facts(s);
	report_note(s->report, s->reported, FACT_AUTH_NO_COMMON, "yes");
	return failed(s, FAULT_NOT_OFFERED, w, err, "no scheme in common");
}

/* Whether the answer to the last leg lets us in. */
static enum want_kind take_login(struct exchange_session *s, const struct want *w, struct error *err)
{
	int status = s->web.answer.status;

	s->asked |= s->web.asked;
	report_note(s->report, s->reported, FACT_AUTH_CREDENTIALS, "%s", s->web.last_leg ? "after" : "before");
	if (status == 401 && s->web.last_leg) {
		s->refused = true;
		s->report->password_tries += s->login->password != NULL;
		exchange_http_facts(s);
		return failed(s, FAULT_REFUSED, w, err, "refused");
	}
	/* a 200 alone proves nothing: pages of gateways have it as well */
	if (s->discovers ? status == 200 : s->answer && (status == 200 || status == 500)) {
		s->logged_in = true;
		exchange_end(s, STEP_PASSED, w);
		return WANT_NOTHING;
	}
	exchange_http_facts(s);
	return failed(s, status == 503 ? FAULT_BUSY : status == 200 ? FAULT_BROKEN : FAULT_REFUSED, w, err, "an answer that is none of EWS");
}

/* The password was taken, and then something else said no. */
static bool is_forbidden(const struct exchange_session *s)
{
	return s->web.answer.status == 403 && s->web.last_leg && !s->answer;
}

/* Some servers let in only programs whose name they know: the same question once more, under another (facts M C.5). */
static void ask_as_office(struct exchange_session *s, const struct want *w)
{
	s->reported = report_begin(s->report, "probe.agent", s->attempt, w->now_ms);
	s->web.reported = s->reported;
	write_first(s);
	exchange_ask(s, false);
	s->request.agent = "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0; Pro)";
}

static void take_agent(struct exchange_session *s, const struct want *w)
{
	int status = s->web.answer.status;

	report_note(s->report, s->reported, FACT_PROBE_RESULT, "%s", status == 200 ? "let in" : status == 403 ? "the same" : "another answer");
	report_note(s->report, s->reported, FACT_HTTP_STATUS, "%d", status);
	exchange_end(s, status == 200 ? STEP_WARNED : STEP_PASSED, w);
}

/* -- Autodiscover -------------------------------------------------------------------------------------------------- */

/* The mailbox has a name that exists in Microsoft's cloud alone, or Microsoft is to be asked: it has moved (facts M D.1). */
static bool leads_online(const struct exchange_session *s, const struct autodiscover_answer *a)
{
	struct mail_address to;
	struct exchange_url url;
	const char         *problem;

	if (a->action == AUTODISCOVER_REDIRECT_ADDRESS)
		return mail_address_parse(a->redirect, s->report->job, &to, &problem) && exchange_domain_is_online(to.domain);
	if (a->action != AUTODISCOVER_REDIRECT_URL)
		return false;
	exchange_url_read(a->redirect, s->report->job, &url);
	return !url.problem && url.online;
}

static enum want_kind take_where(struct exchange_session *s, const struct want *w, struct error *err)
{
	static const char *const said[] = { [AUTODISCOVER_SETTINGS] = "settings", [AUTODISCOVER_REDIRECT_ADDRESS] = "redirectAddr",
	                                    [AUTODISCOVER_REDIRECT_URL] = "redirectUrl", [AUTODISCOVER_ERROR] = "error" };
	struct autodiscover_answer *a = &s->where;
	const char                 *url;

	exchange_begin(s, "autodiscover", w);
	if (!autodiscover_read(buffer_held(&s->web.answer.body), s->report->job, a, err)) {
		exchange_http_facts(s);
		report_note(s->report, s->reported, FACT_REPLY_BROKEN, "%s", "no answer of Autodiscover");
		return failed(s, FAULT_BROKEN, w, err, "no answer of Autodiscover");
	}
	report_note(s->report, s->reported, FACT_AUTODISCOVER, "%s", said[a->action]);
	if (a->redirect)
		report_note(s->report, s->reported, FACT_HTTP_LOCATION, "%s", a->redirect);
	if (a->error_code)
		report_note(s->report, s->reported, FACT_EWS_CODE, "%s", a->error_code);
	if (a->message)
		report_note(s->report, s->reported, FACT_EWS_TEXT, "%s", a->message);
	if (a->online || leads_online(s, a))
		report_note(s->report, s->reported, FACT_EXCHANGE_ONLINE, "yes");
	if (leads_online(s, a))
		return failed(s, FAULT_ABSENT, w, err, "the mailbox is in Microsoft's cloud");
	url = a->action == AUTODISCOVER_SETTINGS ? autodiscover_ews_url(a) : NULL;
	if (url)
		report_note(s->report, s->reported, FACT_URL, "%s", url);
	if (!url && a->action != AUTODISCOVER_REDIRECT_ADDRESS && a->action != AUTODISCOVER_REDIRECT_URL)
		return failed(s, FAULT_ABSENT, w, err, "Autodiscover names no server");
	exchange_end(s, STEP_PASSED, w);
	return WANT_NOTHING;
}

/* -- the version -------------------------------------------------------------------------------------------------- */

static bool is_version_refused(const struct exchange_session *s)
{
	return code_is(s, "ErrorInvalidServerVersion") || code_is(s, "ErrorInvalidSchemaVersionForMailboxVersion")
	    || code_is(s, "ErrorSchemaValidation");      /* 2007: a version that it does not know is no valid XML */
}

static void take_version(struct exchange_session *s)
{
	const struct ews_version *v = s->answer ? &s->answer->version : NULL;

	if (!v || !v->major)
		return;
	s->build = (struct exchange_build){ v->major, v->minor, v->build, v->revision };
	exchange_build_facts(s);
}

/* What refused the version is noted; then it is asked for the one before. False: there is none left, or no reason to. */
static bool next_rung(struct exchange_session *s)
{
	if (!is_version_refused(s) || s->rung + 1 >= COUNT(ladder))
		return false;
	exchange_outcome_facts(s, "GetFolder", first_outcome(s));
	s->schema = ladder[++s->rung];
	write_first(s);
	exchange_ask(s, false);
	return true;
}

static enum want_kind end_version(struct exchange_session *s, const struct want *w, struct error *err)
{
	if (s->rung == 0 && !is_version_refused(s)) {
		bool old = s->build.major && exchange_era(&s->build) == EXCHANGE_TOO_OLD;

		if (old)
			return failed(s, FAULT_NOT_OFFERED, w, err, "too old");
		/* what the answer did not tell, the front end may have told */
		if (!report_value(s->report, s->reported, FACT_EXCHANGE_PRODUCT))
			exchange_build_facts(s);
		exchange_end(s, STEP_PASSED, w);
		return WANT_NOTHING;
	}
	if (is_version_refused(s))
		exchange_outcome_facts(s, "GetFolder", first_outcome(s));
	report_note(s->report, s->reported, FACT_EXCHANGE_SCHEMA, "%s", s->schema);
	return failed(s, FAULT_NOT_OFFERED, w, err, "too old");
}

static enum want_kind take_inbox(struct exchange_session *s, const struct want *w, struct error *err)
{
	exchange_begin(s, "inbox", w);
	if (!went_well(s, ABOUT_INBOX, "GetFolder")) {
		s->no_mailbox = code_is(s, "ErrorNonExistentMailbox") || code_is(s, "ErrorMissingEmailAddress");
		return not_well(s, w, err, "the inbox");
	}
	s->inbox_open = true;
	exchange_end(s, STEP_PASSED, w);
	return WANT_NOTHING;
}

enum want_kind exchange_open_step(void *self, struct want *w, struct error *err)
{
	struct exchange_session  *s = self;
	const struct ews_listener root = { .self = s, .item = note_root };

	switch (s->step) {
	case OPEN_START:
	STEP(s, OPEN_REACH):
		PASS(web_open_step(&s->web, w, err));
		ask_offer(s, w);

	STEP(s, OPEN_OFFER):
		PASS(exchange_answer_step(s, NULL, w, err));
		if (take_offer(s, w, err) == WANT_FAILED) {
			if (!is_worth_a_look(s))
				return WANT_FAILED;
			ask_webmail(s, w);
			s->step = OPEN_WEBMAIL;
			return exchange_open_step(s, w, err);
		}
		if (!may_sign_in(s, w))
			return WANT_NOTHING;
		if (s->web.scheme == WEB_NONE)
			return no_scheme(s, w, err);
		write_first(s);
		exchange_ask(s, false);
		if (s->web.scheme == WEB_NTLM)
			exchange_begin(s, "challenge", w);

	STEP(s, OPEN_CHALLENGE):
		if (s->web.scheme == WEB_NTLM) {
			PASS(web_challenge_step(&s->web, w, err));
			PASS(take_challenge(s, w, err));
		}
		exchange_begin(s, "login", w);
		exchange_login_facts(s);

	STEP(s, OPEN_LOGIN):
		PASS(exchange_answer_step(s, &root, w, err));
		if (is_forbidden(s)) {
			take_login(s, w, err);
			ask_as_office(s, w);
			s->step = OPEN_AGENT;
			return exchange_open_step(s, w, err);
		}
		PASS(take_login(s, w, err));
		if (s->discovers)
			return take_where(s, w, err);
		exchange_begin(s, "version", w);
		take_version(s);

	STEP(s, OPEN_LADDER):
		while (next_rung(s)) {
	STEP(s, OPEN_VERSION):
			PASS(exchange_answer_step(s, &root, w, err));
			take_version(s);
		}
		PASS(end_version(s, w, err));
		PASS(take_inbox(s, w, err));

	STEP(s, OPEN_DONE):
		return WANT_NOTHING;

	case OPEN_WEBMAIL:
		PASS(web_ask_step(&s->web, w, err));
		take_webmail(s, w);
		fail(err, FAULT_NOT_OFFERED, "%s: no EWS there", s->endpoint->host);
		return WANT_FAILED;

	case OPEN_AGENT:
		PASS(web_ask_step(&s->web, w, err));
		take_agent(s, w);
		fail(err, FAULT_REFUSED, "%s: forbidden behind the sign-in", s->endpoint->host);
		return WANT_FAILED;
	}
	return WANT_FAILED;
}

void exchange_back(struct exchange_session *s, enum web_scheme scheme, const char *schema)
{
	s->web.scheme = scheme;
	s->schema = schema;
}

enum want_kind exchange_back_step(void *self, struct want *w, struct error *err)
{
	struct exchange_session *s = self;

	switch (s->back.step) {
	case BACK_START:
	STEP(&s->back, BACK_REACH):
		PASS(web_open_step(&s->web, w, err));
		web_ask(&s->web, &s->request);
		exchange_begin(s, "login", w);
		exchange_login_facts(s);

	STEP(&s->back, BACK_ANSWER):
		PASS(exchange_answer_step(s, NULL, w, err));
		PASS(take_login(s, w, err));

	STEP(&s->back, BACK_DONE):
		return WANT_NOTHING;
	}
	return WANT_FAILED;
}

/* -- the look ----------------------------------------------------------------------------------------------------- */

static void ask_one(struct exchange_session *s, const char *folder, const char *mailbox, bool is_root)
{
	struct ews_header h = exchange_header(s);

	buffer_clear(&s->soap);
	s->folder[0] = (struct ews_folder){ .distinguished = folder, .mailbox = mailbox };
	ews_get_folder(&s->soap, &h, s->folder, 1, false);
	exchange_ask(s, false);
	s->asks_root = is_root;
}

/* Autodiscover sent us to another address of the mailbox, and its primary one is the very one that was asked about. */
static bool is_own_address(struct exchange_session *s, const struct ews_outcome *o)
{
	for (size_t i = 0; is_coded(o, "ErrorNonPrimarySmtpAddress") && i < o->values && i < EWS_VALUES; i++)
		if (o->value[i].name && o->value[i].value && strcmp(o->value[i].name, "Primary") == 0
		    && slice_is(slice_trim(slice_str(o->value[i].value)), s->report->address)) {
			s->primary = s->report->address;
			return true;
		}
	return false;
}

/* Signed in is not enough: the mailbox must be that of the address. An alias is no failure, and is told. */
static enum want_kind take_mailbox(struct exchange_session *s, const struct want *w, struct error *err)
{
	size_t about = place_of(s, ABOUT_MAILBOX);

	if (is_own_address(s, outcome_of(s, about)) || went_well(s, about, "GetFolder")) {
		exchange_end(s, STEP_PASSED, w);
		return WANT_NOTHING;
	}
	if (!is_coded(outcome_of(s, about), "ErrorNonPrimarySmtpAddress"))
		return not_well(s, w, err, "the mailbox");
	exchange_end(s, STEP_WARNED, w);
	return WANT_NOTHING;
}

static const char *mailbox_name(const struct exchange_session *s)
{
	return !s->others ? NULL : s->primary ? s->primary : s->address;
}

/* Not where the mailbox has turned out to have another name than the one that it was asked for by. */
static bool is_known(const struct exchange_session *s, size_t about)
{
	return is_answered(s, about) && !(s->others && s->primary && about != ABOUT_MAILBOX);
}

static enum want_kind take_folders(struct exchange_session *s, const struct want *w, struct error *err)
{
	if (!went_well(s, place_of(s, ABOUT_FOLDERS), "GetFolder"))
		return not_well(s, w, err, "the folders");
	if (s->folders)
		report_note(s->report, s->reported, FACT_EWS_FOLDERS, "%u", s->folders);
	exchange_end(s, STEP_PASSED, w);
	return WANT_NOTHING;
}

static enum want_kind take_calendar(struct exchange_session *s, const struct want *w, struct error *err)
{
	if (!went_well(s, place_of(s, ABOUT_CALENDAR), "GetFolder"))
		return not_well(s, w, err, "the calendar");
	s->has_calendar = true;
	exchange_end(s, STEP_PASSED, w);
	return WANT_NOTHING;
}

enum want_kind exchange_look_step(void *self, struct want *w, struct error *err)
{
	struct exchange_session  *s = self;
	const struct ews_listener root = { .self = s, .item = note_root };

	switch (s->look.step) {
	case LOOK_START:
		exchange_begin(s, "mailbox", w);
		if (!is_known(s, ABOUT_MAILBOX)) {
			ask_one(s, "inbox", s->address, false);
	STEP(&s->look, LOOK_MAILBOX):
			PASS(exchange_answer_step(s, NULL, w, err));
		}
		PASS(take_mailbox(s, w, err));

		exchange_begin(s, "folders", w);
		if (!is_known(s, ABOUT_FOLDERS)) {
			ask_one(s, "msgfolderroot", mailbox_name(s), true);
	STEP(&s->look, LOOK_FOLDERS):
			PASS(exchange_answer_step(s, &root, w, err));
		}
		PASS(take_folders(s, w, err));

		exchange_begin(s, "calendar", w);
		if (!is_known(s, ABOUT_CALENDAR)) {
			ask_one(s, "calendar", mailbox_name(s), false);
	STEP(&s->look, LOOK_CALENDAR):
			PASS(exchange_answer_step(s, NULL, w, err));
		}
		PASS(take_calendar(s, w, err));

	STEP(&s->look, LOOK_DONE):
		return WANT_NOTHING;
	}
	return WANT_FAILED;
}

/* -- one message -------------------------------------------------------------------------------------------------- */

enum want_kind exchange_send_step(void *self, struct want *w, struct error *err)
{
	struct exchange_session *s = self;
	struct ews_header        h = exchange_header(s);

	switch (s->send.step) {
	case SEND_START:
		exchange_begin(s, "send", w);
		buffer_clear(&s->soap);
		if (!ews_send(&s->soap, &h, s->message))
			return failed(s, FAULT_TOO_BIG, w, err, "the message");
		exchange_ask(s, true);

	STEP(&s->send, SEND_ANSWER):
		PASS(exchange_answer_step(s, NULL, w, err));
		if (!went_well(s, 0, "CreateItem"))
			return not_well(s, w, err, "sending");
		s->sent = true;
		exchange_end(s, STEP_PASSED, w);

	STEP(&s->send, SEND_DONE):
		return WANT_NOTHING;
	}
	return WANT_FAILED;
}
