#include "provider/caldav.h"

#include <stdio.h>
#include <stdlib.h>

#include "model/facts.h"
#include "provider/caldav_facts.h"

enum { OPEN_START, OPEN_REACH, OPEN_OFFER, OPEN_GATE, OPEN_PROVOKE, OPEN_LOGIN, OPEN_DONE };
enum { BACK_START, BACK_REACH, BACK_CALENDARS, BACK_DONE };
enum { LOOK_START, LOOK_PRINCIPAL, LOOK_CALENDARS, LOOK_DONE };

/* Where it is looked for on a host (facts G G.1), and the step of each. */
static const struct { const char *step, *target; } paths[] = {
	{ "offer", NULL }, { "well_known", "/.well-known/caldav" }, { "root", "/" },
};

void caldav_session_init(struct caldav_session *s, struct report *report, const struct endpoint *endpoint, const struct login *login,
                         struct waits waits, int attempt)
{
	*s = (struct caldav_session){ .report = report, .endpoint = endpoint, .login = login, .waits = waits, .attempt = attempt,
	                              .reported = -1, .job = arena_new(), .scratch = arena_new() };
	web_session_init(&s->web, report, endpoint, login, "caldav", waits, attempt);
	buffer_init(&s->body, CALDAV_REQUEST);
}

void caldav_session_release(struct caldav_session *s)
{
	if (!s->job)
		return;
	web_session_release(&s->web);
	dav_reader_free(s->reader);
	buffer_release(&s->body);
	arena_free(s->job);
	arena_free(s->scratch);
	*s = (struct caldav_session){ 0 };
}

/* -- the report --------------------------------------------------------------------------------------------------- */

void caldav_begin(struct caldav_session *s, const char *name, const struct want *w)
{
	s->reported = s->web.reported = report_begin(s->report, step_id(s->report, "caldav", name), s->attempt, w->now_ms);
}

void caldav_end(struct caldav_session *s, enum step_state state, const struct want *w)
{
	report_end(s->report, s->reported, state, w->now_ms);
}

enum want_kind caldav_failed(struct caldav_session *s, enum fault fault, const struct want *w, struct error *err, const char *what)
{
	fail(err, fault, "%s: %s", s->endpoint->host, what);
	caldav_end(s, STEP_FAILED, w);
	return WANT_FAILED;
}

static enum fault fault_of(int status)
{
	return status == 429 || status == 503 ? FAULT_BUSY : status < 300 ? FAULT_BROKEN : FAULT_REFUSED;
}

/* -- questions and answers ---------------------------------------------------------------------------------------- */

static const char *url_at(const struct caldav_session *s, const char *target, struct arena *into)
{
	const struct endpoint *e = s->endpoint;
	const char            *host = strchr(e->host, ':') ? arena_print(into, "[%s]", e->host) : e->host;

	return e->port == 443 ? arena_print(into, "https://%s%s", host, target) : arena_print(into, "https://%s:%u%s", host, e->port, target);
}

const struct http_url *caldav_follow(struct caldav_session *s, const char *target, struct slice link)
{
	struct http_url *url, base;

	arena_reset(s->scratch);
	url = arena_get(s->scratch, sizeof *url);
	if (!http_url_parse(slice_str(url_at(s, target, s->scratch)), s->scratch, &base) || !http_url_follow(&base, link, s->scratch, url))
		return NULL;
	return url;
}

static bool is_here(const struct caldav_session *s, const struct http_url *url)
{
	return url->secure && url->port == s->endpoint->port && slice_is(slice_str(url->host), s->endpoint->host);
}

/* What goes well is read as it comes; the rest is short, and kept. */
static bool take_piece(void *self, struct slice piece, struct error *err)
{
	struct caldav_session *s = self;

	if (s->web.answer.status != 207 || s->web.answer.encoded)
		return buffer_add(&s->web.answer.body, piece) || s->web.answer.status >= 300 || fail(err, FAULT_TOO_BIG, "an answer longer than 1 MiB");
	return dav_feed(s->reader, piece, err);
}

void caldav_ask(struct caldav_session *s, const char *method, const char *target, const char *depth,
                void (*resource)(void *, const struct dav_resource *))
{
	s->request = (struct web_request){ .method = method, .target = arena_str(s->report->job, target), .body = buffer_held(&s->body),
		.header = { "Content-Type: application/xml; charset=utf-8", depth } };
	dav_reader_free(s->reader);
	arena_reset(s->job);
	s->reader = dav_reader_new(s->job, resource, s);
	s->web.answer.piece = take_piece;
	s->web.answer.taker = s;
	web_ask(&s->web, &s->request);
}

static void propfind(struct caldav_session *s, enum dav_question question, const char *target, const char *depth,
                     void (*resource)(void *, const struct dav_resource *))
{
	buffer_clear(&s->body);
	dav_propfind(&s->body, question);
	caldav_ask(s, "PROPFIND", target, depth, resource);
}

/* A multistatus, and all of it. False: something else, or broken, which is in the report then. */
bool caldav_is_multistatus(struct caldav_session *s)
{
	struct error err = { 0 };

	if (s->web.answer.status != 207)
		return false;
	if (s->web.answer.encoded)
		report_note(s->report, s->reported, FACT_REPLY_BROKEN, "packed in a way that nobody asked for");
	else if (!dav_finish(s->reader, &err))
		report_note(s->report, s->reported, FACT_REPLY_BROKEN, "%s", err.text);
	else if (dav_answer(s->reader)->multistatus)
		return true;
	else
		report_note(s->report, s->reported, FACT_REPLY_BROKEN, "no multistatus");
	return false;
}

/* What is at that very place, and who is signed in: some tell of what lies below as well. */
static void take_who(void *self, const struct dav_resource *r)
{
	struct caldav_session *s = self;
	struct arena          *job = s->report->job;
	const struct http_url *url = caldav_follow(s, s->request.target, slice_str(r->href));

	s->nobody |= (r->traits & DAV_NOBODY) != 0;
	if (url && dav_same_path(url->target, s->request.target))
		s->traits = r->traits;
	if (r->principal && !s->principal)
		s->principal = arena_str(job, r->principal);
	if (r->homes && !s->home)
		s->home = arena_str(job, r->home[0]);
}

static void ask_who(struct caldav_session *s, const char *target)
{
	s->principal = s->home = NULL;
	s->nobody = false;
	s->traits = 0;
	propfind(s, DAV_WHO, target, "Depth: 0", take_who);
}

/* -- where it is -------------------------------------------------------------------------------------------------- */

enum offer { OFFER_SIGN_IN, OFFER_OPEN, OFFER_NOBODY, OFFER_ON_HERE, OFFER_ELSEWHERE, OFFER_NOT_HERE, OFFER_STOP };

static bool is_redirect(int status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* The server itself is in trouble: no other path of it is any better. */
static bool is_trouble(int status)
{
	return status == 429 || status >= 500;
}

static enum offer weigh_redirect(struct caldav_session *s)
{
	struct slice           location;
	const struct http_url *url = web_field(&s->web, "Location", &location) ? caldav_follow(s, s->request.target, location) : NULL;

	/* never to plain http, and not to a page for people */
	if (!url || !url->secure || caldav_is_sign_in(url) || ++s->redirects > CALDAV_REDIRECTS)
		return OFFER_NOT_HERE;
	if (is_here(s, url)) {
		if (strcmp(url->target, s->target) == 0)
			return OFFER_NOT_HERE;
		s->target = arena_str(s->report->job, url->target);
		return OFFER_ON_HERE;
	}
	s->leads_to = arena_str(s->report->job, url->text);
	return OFFER_ELSEWHERE;
}

static enum offer weigh(struct caldav_session *s)
{
	struct challenges offered;
	int               status = s->web.answer.status;

	challenges_read(buffer_held(&s->web.answer.fields), &offered);
	caldav_http_facts(s);
	if (is_redirect(status))
		return weigh_redirect(s);
	if (status == 401 && offered.count) {
		caldav_choose(s, &offered);
		return OFFER_SIGN_IN;
	}
	if (status == 207)
		return !caldav_is_multistatus(s) ? OFFER_STOP : s->nobody || !s->principal ? OFFER_NOBODY : OFFER_OPEN;
	return is_trouble(status) ? OFFER_STOP : OFFER_NOT_HERE;
}

static void ask_offer(struct caldav_session *s)
{
	report_note(s->report, s->reported, FACT_URL, "%s", url_at(s, s->target, s->report->job));
	ask_who(s, s->target);
	s->request.anonymous = true;
}

static void begin_path(struct caldav_session *s, const struct want *w)
{
	s->target = paths[s->path].target ? paths[s->path].target : s->endpoint->path ? s->endpoint->path : "/";
	caldav_begin(s, paths[s->path].step, w);
	ask_offer(s);
}

/* Another path of this host that has not been asked. */
static bool next_path(struct caldav_session *s, const struct want *w)
{
	const char *given = s->endpoint->path ? s->endpoint->path : "/";

	while (!s->at_home && ++s->path < COUNT(paths))
		if (!dav_same_path(paths[s->path].target, given)) {
			caldav_end(s, STEP_WARNED, w);
			begin_path(s, w);
			return true;
		}
	return false;
}

/* It answers everybody, and says that nobody is signed in: which scheme it takes, it says to a question that needs one. */
static void ask_provoking(struct caldav_session *s)
{
	buffer_clear(&s->body);
	dav_query(&s->body, NULL, NULL, false);
	caldav_ask(s, "REPORT", s->target, "Depth: 1", NULL);
	s->request.anonymous = true;
}

/* Nothing offered even so: what every CalDAV server takes (facts G G.3). */
static void take_provoked(struct caldav_session *s)
{
	static const struct challenges usual = { .item = { { .scheme = { "Basic", 5 } } }, .count = 1 };
	struct challenges              offered;

	challenges_read(buffer_held(&s->web.answer.fields), &offered);
	if (s->web.answer.status == 401 && offered.count)
		caldav_choose(s, &offered);
	else
		web_choose(&s->web, &usual);
}

/* -- the sign-in -------------------------------------------------------------------------------------------------- */

static bool may_sign_in(struct caldav_session *s, const struct want *w)
{
	const char *why = !login_has_any(s->login) ? "no_credentials" : !endpoint_trusted(s->endpoint) ? "not_confirmed"
	                : s->gate && !s->only_waits && s->gate->refused ? "after_refusal" : s->gate && !s->only_waits && s->gate->in_doubt ? "in_doubt" : NULL;

	if (why)
		report_skip(s->report, "caldav.login", s->attempt, why, w->now_ms);
	return !why;
}

/* The answer that the mailbox gets to the same credentials comes first. */
static bool must_wait(const struct caldav_session *s)
{
	return s->gate && !s->gate->gate.open && login_has_any(s->login) && endpoint_trusted(s->endpoint);
}

static enum want_kind no_scheme(struct caldav_session *s, const struct want *w, struct error *err)
{
	caldav_begin(s, "login", w);
	caldav_login_facts(s);
	report_note(s->report, s->reported, FACT_AUTH_NO_COMMON, "yes");
	return caldav_failed(s, FAULT_NOT_OFFERED, w, err, "no scheme in common");
}

/* The password was not what it minded: it may be this path alone that is none for this account. */
static bool is_elsewhere(int status)
{
	return status == 403 || status == 404 || status == 405 || status == 410;
}

/* Lets us in, or goes on to another path. */
static enum want_kind take_login(struct caldav_session *s, const struct want *w, struct error *err)
{
	int  status = s->web.answer.status;
	bool fine = caldav_is_multistatus(s);

	s->asked |= s->web.asked;
	report_note(s->report, s->reported, FACT_AUTH_CREDENTIALS, "%s", s->web.last_leg ? "after" : "before");
	if (fine && !s->nobody) {
		s->logged_in = true;
		caldav_class_facts(s);
		caldav_end(s, STEP_PASSED, w);
		return WANT_NOTHING;
	}
	caldav_http_facts(s);
	if (s->web.last_leg && (status == 401 || fine)) {
		s->refused = true;
		s->report->password_tries += s->login->password != NULL;
		return caldav_failed(s, FAULT_REFUSED, w, err, "refused");
	}
	if (!is_elsewhere(status) || !next_path(s, w))
		return caldav_failed(s, fault_of(status), w, err, "no answer of CalDAV");
	return WANT_NOTHING;
}

/* Whoever asks is let in. */
static void take_open(struct caldav_session *s, const struct want *w)
{
	caldav_begin(s, "login", w);
	report_note(s->report, s->reported, FACT_AUTH_OFFERED, "none wanted");
	s->web.scheme = WEB_NONE;
	s->logged_in = true;
	caldav_end(s, STEP_PASSED, w);
}

static enum want_kind not_here(struct caldav_session *s, enum offer offer, const struct want *w, struct error *err)
{
	if (offer == OFFER_ELSEWHERE) {
		report_note(s->report, s->reported, FACT_CALDAV_LEADS, "%s", s->leads_to);
		caldav_end(s, STEP_WARNED, w);
		return WANT_NOTHING;
	}
	return caldav_failed(s, offer == OFFER_STOP ? fault_of(s->web.answer.status) : FAULT_NOT_OFFERED, w, err, "no CalDAV there");
}

/* The answer to the question where it is; `*settled`: no other has to be asked. */
static enum want_kind take_offer(struct caldav_session *s, bool *settled, const struct want *w, struct error *err)
{
	enum offer offer = weigh(s);

	*settled = false;
	if (offer == OFFER_ON_HERE) {
		ask_offer(s);
		return WANT_NOTHING;
	}
	if (offer == OFFER_NOT_HERE && next_path(s, w))
		return WANT_NOTHING;
	*settled = true;
	if (offer >= OFFER_ELSEWHERE)
		return not_here(s, offer, w, err);
	caldav_end(s, STEP_PASSED, w);
	if (offer == OFFER_OPEN)
		take_open(s, w);
	return WANT_NOTHING;
}

enum want_kind caldav_open_step(void *self, struct want *w, struct error *err)
{
	struct caldav_session *s = self;
	bool                   settled;

	switch (s->step) {
	case OPEN_START:
	STEP(s, OPEN_REACH):
		PASS(web_open_step(&s->web, w, err));
		begin_path(s, w);

	STEP(s, OPEN_OFFER):
		do {
			PASS(web_ask_step(&s->web, w, err));
			PASS(take_offer(s, &settled, w, err));
		} while (!settled);
		if (s->logged_in || s->leads_to)
			return WANT_NOTHING;

	STEP(s, OPEN_GATE):
		if (must_wait(s) && want_came(w) != CAME_TIMEOUT)
			return want_gate(w, &s->gate->gate, s->gate_ms);
		if (!may_sign_in(s, w))
			return WANT_NOTHING;
		s->provoking = s->web.answer.status != 401;
		if (s->provoking)
			ask_provoking(s);

	STEP(s, OPEN_PROVOKE):
		if (s->provoking) {
			PASS(web_ask_step(&s->web, w, err));
			take_provoked(s);
		}
		if (s->web.scheme == WEB_NONE)
			return no_scheme(s, w, err);
		caldav_begin(s, "login", w);
		caldav_login_facts(s);
		ask_who(s, s->target);

	STEP(s, OPEN_LOGIN):
		PASS(web_ask_step(&s->web, w, err));
		PASS(take_login(s, w, err));
		if (!s->logged_in) {
			s->step = OPEN_OFFER;
			return caldav_open_step(s, w, err);
		}

	STEP(s, OPEN_DONE):
		return WANT_NOTHING;
	}
	return WANT_FAILED;
}

/* -- the calendars ------------------------------------------------------------------------------------------------- */

static bool takes_events(unsigned traits)
{
	return (traits & DAV_CALENDAR) && (!(traits & DAV_COMPONENTS) || (traits & DAV_EVENTS));
}

static void take_calendar(void *self, const struct dav_resource *r)
{
	struct caldav_session *s = self;
	struct arena          *job = s->report->job;
	const struct http_url *url = caldav_follow(s, s->request.target, slice_str(r->href));

	if (!(r->traits & DAV_CALENDAR))
		return;
	if (!takes_events(r->traits)) {
		s->without_events++;
		return;
	}
	s->all++;
	/* one that is kept on another host is none that could be asked here */
	if (s->calendars < CALDAV_CALENDARS && url && is_here(s, url))
		s->calendar[s->calendars++] = (struct caldav_calendar){ arena_str(job, url->target),
			r->name ? arena_str(job, r->name) : NULL, r->sync_token ? arena_str(job, r->sync_token) : NULL,
			r->ctag ? arena_str(job, r->ctag) : NULL, r->traits };
}

/* A link out of an answer: WANT_FAILED where it is none, and with `leads_to` where it leads to another host. */
static enum want_kind go_to(struct caldav_session *s, const char *link, const char **target, const struct want *w, struct error *err)
{
	const struct http_url *url = caldav_follow(s, s->request.target, slice_str(link));

	if (!url || !url->secure) {
		report_note(s->report, s->reported, FACT_REPLY_BROKEN, "a link that leads nowhere");
		return caldav_failed(s, FAULT_BROKEN, w, err, "a link that leads nowhere");
	}
	*target = arena_str(s->report->job, url->target);
	if (!is_here(s, url)) {
		s->leads_to = arena_str(s->report->job, url->text);
		report_note(s->report, s->reported, FACT_CALDAV_LEADS, "%s", url->text);
	}
	return WANT_NOTHING;
}

/* Where the calendars are, as far as it is known by now; NULL: nobody said. */
static const char *home_of(const struct caldav_session *s)
{
	if (s->home)
		return s->home;
	return s->at_home || (s->traits & DAV_CALENDAR) ? s->target : NULL;
}

static enum want_kind no_home(struct caldav_session *s, const struct want *w, struct error *err)
{
	report_note(s->report, s->reported, FACT_CALDAV_HOME, "none");
	return caldav_failed(s, FAULT_ABSENT, w, err, "no home of calendars");
}

static enum want_kind take_principal(struct caldav_session *s, const struct want *w, struct error *err)
{
	if (!caldav_is_multistatus(s)) {
		caldav_http_facts(s);
		return caldav_failed(s, fault_of(s->web.answer.status), w, err, "whose calendars");
	}
	if (home_of(s)) {
		caldav_end(s, STEP_PASSED, w);
		return WANT_NOTHING;
	}
	caldav_http_facts(s);
	return no_home(s, w, err);
}

/* The principal is asked only where the first answer did not say it all. */
static enum want_kind begin_principal(struct caldav_session *s, bool *ask_it, const struct want *w, struct error *err)
{
	const char *target;

	*ask_it = false;
	if (home_of(s))
		return WANT_NOTHING;
	caldav_begin(s, "principal", w);
	if (!s->principal)
		return no_home(s, w, err);
	PASS(go_to(s, s->principal, &target, w, err));
	if (s->leads_to) {
		caldav_end(s, STEP_WARNED, w);
		return WANT_NOTHING;
	}
	*ask_it = true;
	ask_who(s, target);
	return WANT_NOTHING;
}

/* A calendar that is its own home has entries below it, and none of them is asked for. */
static void ask_calendars(struct caldav_session *s, const char *home)
{
	s->listed = home;
	propfind(s, DAV_LIST, home, s->itself ? "Depth: 0" : "Depth: 1", take_calendar);
}

static enum want_kind begin_calendars(struct caldav_session *s, const struct want *w, struct error *err)
{
	const char *home;

	caldav_begin(s, "calendars", w);
	PASS(go_to(s, home_of(s), &home, w, err));
	report_note(s->report, s->reported, FACT_CALDAV_HOME, "%s", s->leads_to ? s->leads_to : url_at(s, home, s->report->job));
	s->leads_home = s->leads_to != NULL;
	s->itself = (s->traits & DAV_CALENDAR) && dav_same_path(home, s->target);
	if (s->leads_to)
		caldav_end(s, STEP_WARNED, w);
	else
		ask_calendars(s, home);
	return WANT_NOTHING;
}

static enum want_kind take_calendars(struct caldav_session *s, const struct want *w, struct error *err)
{
	if (!caldav_is_multistatus(s)) {
		caldav_http_facts(s);
		return caldav_failed(s, fault_of(s->web.answer.status), w, err, "the calendars");
	}
	caldav_calendar_facts(s);
	if (s->all == 0)
		return caldav_failed(s, FAULT_ABSENT, w, err, "no calendar");
	caldav_end(s, STEP_PASSED, w);
	return WANT_NOTHING;
}

/* By what the server says of its own accord; what it says nothing of is left to the test event. */
static enum want_kind take_rights(struct caldav_session *s, const struct want *w, struct error *err)
{
	bool told = true, may = false;

	for (size_t i = 0; i < s->calendars; i++) {
		told &= (s->calendar[i].traits & DAV_RIGHTS) != 0;
		may |= (s->calendar[i].traits & DAV_MAY_ADD) != 0;
	}
	caldav_begin(s, "rights", w);
	report_note(s->report, s->reported, FACT_CALENDAR_MAY_ADD, "%s", may ? "yes" : told && s->calendars ? "no" : "unknown");
	if (!may && told && s->calendars)
		return caldav_failed(s, FAULT_REFUSED, w, err, "no calendar takes an event");
	caldav_end(s, STEP_PASSED, w);
	return WANT_NOTHING;
}

enum want_kind caldav_look_step(void *self, struct want *w, struct error *err)
{
	struct caldav_session *s = self;
	bool                   ask_it;

	switch (s->look.step) {
	case LOOK_START:
		PASS(begin_principal(s, &ask_it, w, err));
		if (s->leads_to)
			return WANT_NOTHING;
		if (ask_it) {
	STEP(&s->look, LOOK_PRINCIPAL):
			PASS(web_ask_step(&s->web, w, err));
			PASS(take_principal(s, w, err));
		}
		PASS(begin_calendars(s, w, err));
		if (s->leads_to)
			return WANT_NOTHING;

	STEP(&s->look, LOOK_CALENDARS):
		PASS(web_ask_step(&s->web, w, err));
		PASS(take_calendars(s, w, err));
		if (!s->only_reads)
			PASS(take_rights(s, w, err));

	STEP(&s->look, LOOK_DONE):
		return WANT_NOTHING;
	}
	return WANT_FAILED;
}

/* -- once more ------------------------------------------------------------------------------------------------------ */

void caldav_back(struct caldav_session *s, enum web_scheme scheme, bool itself)
{
	s->web.scheme = scheme;
	s->itself = itself;
	s->target = s->endpoint->path;
}

enum want_kind caldav_refused_again(struct caldav_session *s, const struct want *w, struct error *err)
{
	s->refused = true;
	s->report->password_tries += s->login->password != NULL;
	caldav_end(s, STEP_PASSED, w);
	caldav_begin(s, "login", w);
	caldav_login_facts(s);
	report_note(s->report, s->reported, FACT_AUTH_CREDENTIALS, "%s", "after");
	caldav_http_facts(s);
	return caldav_failed(s, FAULT_REFUSED, w, err, "refused");
}

enum want_kind caldav_back_step(void *self, struct want *w, struct error *err)
{
	struct caldav_session *s = self;

	switch (s->back.step) {
	case BACK_START:
	STEP(&s->back, BACK_REACH):
		PASS(web_open_step(&s->web, w, err));
		caldav_begin(s, "calendars", w);
		ask_calendars(s, s->target);

	STEP(&s->back, BACK_CALENDARS):
		PASS(web_ask_step(&s->web, w, err));
		s->asked |= s->web.asked;
		if (s->web.answer.status == 401)
			return caldav_refused_again(s, w, err);
		PASS(take_calendars(s, w, err));
		s->logged_in = true;

	STEP(&s->back, BACK_DONE):
		return WANT_NOTHING;
	}
	return WANT_FAILED;
}
