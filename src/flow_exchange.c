#include "flow_exchange.h"

#include <stdlib.h>

#include "base/random.h"
#include "detect/domain.h"
#include "model/facts.h"

#define PROBES_MOST 4

#define REDIRECTS_MOST 3

#define REST_MOST_MS 3000      /* what passes within that is waited for, once                     */
#define REST_CUT_MS   500      /*   behind a line that was cut before anybody was asked anything  */

enum { WAY_START, WAY_FIND, WAY_DECIDE, WAY_PLACE, WAY_OPEN, WAY_LOOK, WAY_MOVED, WAY_PROBE, WAY_DONE };
enum { FIND_START, FIND_SEARCH };
enum { OPENING_START, OPENING_TRY, OPENING_REST, OPENING_DONE };
enum { PROBING_START, PROBING_ONE };

void exchange_way_init(struct exchange_way *p, const struct flow_request *q, struct report *r, const struct mail_address *address,
                       struct detect *detect, struct waits waits)
{
	*p = (struct exchange_way){ .request = q, .report = r, .address = address, .detect = detect, .waits = waits, .attempt = -1,
	                            .seeks = *address };
}

static void end_session(struct exchange_way *p)
{
	if (p->in_session)
		exchange_session_release(&p->session);
	p->in_session = false;
}

static void end_search(struct exchange_way *p)
{
	if (p->search)
		exchange_search_release(p->search);
	free(p->search);
	p->search = NULL;
}

void exchange_way_release(struct exchange_way *p)
{
	end_session(p);
	end_search(p);
	probe_release(&p->probe);
}

/* -- where -------------------------------------------------------------------------------------------------------- */

static void add_place(struct exchange_way *p, const char *host, uint16_t port, const char *path,
                      enum endpoint_source source, bool discovers)
{
	if (p->places == EXCHANGE_ENDPOINTS)
		return;
	p->discovers[p->places] = discovers;
	p->place[p->places++] = (struct endpoint){ .service = SERVICE_WEB, .host = host, .port = port, .socket = SOCKET_TLS,
		.source = source, .path = path, .trust = p->request->trust };
}

static void add_url(struct exchange_way *p, const char *text, enum endpoint_source source, bool discovers)
{
	struct exchange_url url;

	exchange_url_read(text, p->report->job, &url);
	if (!url.problem)
		add_place(p, url.host, url.port, url.path, source, discovers);
}

/* What was typed, and behind it what was meant: the same host's EWS. */
static void name_places(struct exchange_way *p, const struct want *w)
{
	struct report      *r = p->report;
	struct exchange_url url;
	int                 step = report_begin(r, "exchange.url", NO_ATTEMPT, w->now_ms);

	exchange_url_read(p->request->ews_url, r->job, &url);
	report_note(r, step, FACT_GIVEN_URL, "%s", url.given);
	if (url.problem)
		report_note(r, step, FACT_URL_PROBLEM, "%s", url.problem);
	else if (url.online && !(p->request->credentials && p->request->credentials->token))
		report_note(r, step, FACT_EXCHANGE_ONLINE, "yes");
	else
		add_place(p, url.host, url.port, url.path, SOURCE_USER, false);
	if (!url.problem && !url.is_ews) {
		report_note(r, step, FACT_RIGHT_URL, "%s", url.right);
		add_place(p, url.host, url.port, EXCHANGE_PATH, SOURCE_USER, false);
	}
	report_end(r, step, p->places ? STEP_PASSED : STEP_FAILED, w->now_ms);
	if (report_value(r, step, FACT_EXCHANGE_ONLINE))
		p->places = 0;
}

/* -- looked for --------------------------------------------------------------------------------------------------- */

static void begin_search(struct exchange_way *p)
{
	int whole = p->request->timeout_ms / 2;

	end_search(p);
	p->search = must_alloc(sizeof *p->search);
	exchange_search_init(p->search, &p->seeks, p->redirects ? NULL : p->detect, p->report->job, p->report,
	                     whole < EXCHANGE_WAIT_MS ? whole : EXCHANGE_WAIT_MS);
	p->search->trust = p->request->trust;
}

/* The places in the order in which they are worth asking; where a password may go anywhere unasked, nothing else is tried. */
static void take_found(struct exchange_way *p)
{
	bool any_trusted = false;

	for (size_t i = 0; i < p->search->count; i++) {
		const struct exchange_place *place = &p->search->place[i];

		if (place->online || (any_trusted && !place->trusted))
			continue;
		any_trusted |= place->trusted && place->sure;
		add_url(p, place->url, place->source, place->kind == PLACE_AUTODISCOVER);
	}
	if (!p->is_meant)
		report_note(p->report, p->search->reported, FACT_EXCHANGE_ASKED, "yes");
	p->found = any_trusted;
	p->searched.open = true;
}

/* Autodiscover has spoken: where EWS is, or whom to ask instead. True: there is something new to try. */
static bool take_where(struct exchange_way *p)
{
	const struct autodiscover_answer *a = &p->session.where;
	const char                       *url = autodiscover_ews_url(a), *problem;
	struct exchange_url               to;

	if (p->redirects++ >= REDIRECTS_MOST)
		return false;
	p->next = p->places;
	switch (a->action) {
	case AUTODISCOVER_SETTINGS:
		if (url)
			add_url(p, url, p->endpoint->source, false);
		return p->next < p->places;
	case AUTODISCOVER_REDIRECT_URL:
		exchange_url_read(a->redirect, p->report->job, &to);
		if (!to.problem)
			add_place(p, to.host, to.port, to.path, same_registrable_domain(to.host, p->seeks.domain) ? p->endpoint->source
			          : SOURCE_AUTODISCOVER_REDIRECT, true);
		return p->next < p->places;
	case AUTODISCOVER_REDIRECT_ADDRESS:
		return !slice_is(slice_str(a->redirect), p->seeks.text)
		    && mail_address_parse(a->redirect, p->report->job, &p->seeks, &problem);
	default:
		return false;
	}
}

/* Round in a circle, or on and on: it answered, and EWS is not found by it. */
static void lead_nowhere(struct exchange_way *p, const struct want *w)
{
	int step = report_find(p->report, "exchange.autodiscover", p->attempt);

	p->well = false;
	if (step < 0)
		return;
	report_note(p->report, step, FACT_AUTODISCOVER, "%s", "nowhere");
	report_end(p->report, step, STEP_FAILED, w->now_ms);
}

/* -- as whom ------------------------------------------------------------------------------------------------------ */

static void name_user(struct exchange_way *p)
{
	const struct flow_request *q = p->request;

	if (!q->credentials)
		return;
	p->login = (struct login){ .username = q->username ? q->username : p->address->text, .username_form = q->username ? "given" : "address",
		.password = q->credentials->password, .token = q->credentials->token, .tickets = q->credentials->tickets,
		.nonce = random_text(p->report->job, 24) };
}

/* A service account, or a colleague: the mailbox is not the one of that name. DOMAIN\ann may well be ann's. */
static bool is_others(const struct exchange_way *p)
{
	const char  *name = p->request->username, *back = name ? strchr(name, '\\') : NULL;
	const char  *at = strchr(p->address->text, '@');
	struct slice local;

	if (!name || p->request->act_as)
		return name != NULL;
	if (strchr(name, '@'))
		return !slice_is(slice_str(name), p->address->text);
	local = back ? slice_str(back + 1) : slice_str(name);
	return !slice_equal(local, slice(p->address->text, (size_t)(at - p->address->text)));
}

static void begin_session(struct exchange_way *p)
{
	end_session(p);
	p->attempt = report_attempt(p->report);
	p->tried[p->tries].attempt = p->attempt;
	p->tried[p->tries++].endpoint = p->endpoint;
	exchange_session_init(&p->session, p->report, p->endpoint, &p->login, p->seeks.text, p->waits, p->attempt);
	p->session.discovers = p->discovers[p->endpoint - p->place];
	p->session.act_as = p->request->act_as;
	p->session.others = is_others(p) && !p->request->act_as;
	p->in_session = true;
}

/* The name of which the server's own challenge speaks, once, where it is another directory's than the address says: the second
 * and last try of this password (facts M E.1 4c). */
static bool another_name(struct exchange_way *p)
{
	const struct ntlm_challenge *c = &p->session.web.challenge;
	bool                         same = c->dns_domain && slice_is(slice_str(c->dns_domain), p->address->domain);

	if (!p->session.refused || !p->session.suggests || p->report->password_tries != 1 || p->request->tries_most == 1
	    || !p->login.password)
		return false;
	if (same && strchr(p->login.username, '@'))
		return false;
	p->login.username = arena_str(p->report->job, p->session.suggests);
	p->login.username_form = "domain";
	return true;
}

/* -- what was wrong and was put right ------------------------------------------------------------------------------ */

static void note_first(struct exchange_way *p, int attempt, const char *id, const char *fact, const char *value)
{
	int step = report_find(p->report, id, attempt);

	if (step >= 0 && !report_value(p->report, step, fact))
		report_note(p->report, step, fact, "%s", value);
}

static void note_repairs(struct exchange_way *p)
{
	if (p->session.offers && p->endpoint != &p->place[0] && p->request->ews_url)
		note_first(p, p->tried[0].attempt, "exchange.offer", FACT_RIGHT_ANSWERS, "yes");
	if (p->session.logged_in && p->report->password_tries)
		note_first(p, p->attempt, "exchange.login", FACT_WORKED_AS, p->login.username);
}

/* The next place is worth a try where this one answered, and is no EWS: who does not answer at all does so under any path. */
static bool is_next_worth_it(const struct exchange_way *p)
{
	return !p->well && !p->session.discovers && p->next < p->places && !p->session.offers && p->session.web.answer.status;
}

static enum probe_kind next_probe(struct exchange_way *p)
{
	struct finding finding;

	if (p->well || p->probes >= PROBES_MOST || p->attempt < 0 || !diagnose_attempt(p->report, p->attempt, &finding))
		return PROBE_NONE;
	return diagnose_wish(p->report, p->attempt, &finding);
}

static enum want_kind outcome(struct exchange_way *p, enum want_kind kind)
{
	if (kind > WANT_FAILED)
		return kind;
	p->well = kind == WANT_NOTHING;
	return WANT_NOTHING;
}

/* Autodiscover at one host fails, another may know; but a password that was refused is not carried around. */
static bool is_another_to_ask(const struct exchange_way *p)
{
	return p->session.discovers && !p->session.asked && !p->report->password_tries && p->next < p->places;
}

/* -- the parts of the way ------------------------------------------------------------------------------------------ */

static enum want_kind find_step(struct exchange_way *p, struct want *w, struct error *err)
{
	switch (p->finding.step) {
	case FIND_START:
		if (p->request->ews_url) {
			name_places(p, w);
			p->searched.open = true;
			return WANT_NOTHING;
		}
		begin_search(p);

	STEP(&p->finding, FIND_SEARCH):
		PASS(exchange_search_step(p->search, w, err));
		take_found(p);
		end_search(p);
		p->finding.step = FIND_START;
	}
	return WANT_NOTHING;
}

/* How the line of the place just tried ended, in the last step of it; other parts of the diagnosis write theirs at the same time. */
static bool was_cut(const struct exchange_way *p)
{
	const char *how = NULL;

	for (size_t i = 0; i < p->report->step_count; i++)
		if (p->report->step[i].attempt == p->attempt)
			how = report_value(p->report, (int)i, FACT_NET_OUTCOME);
	return how && (strcmp(how, "reset") == 0 || strcmp(how, "closed") == 0);
}

/* How long until what went wrong may have passed by itself, as the server says, or as cut lines do; -1: it is not waited for. */
static int passes_in(struct exchange_way *p)
{
	struct exchange_session *s = &p->session;
	int                      most = p->request->timeout_ms / 4 < REST_MOST_MS ? p->request->timeout_ms / 4 : REST_MOST_MS;
	unsigned long long       seconds;
	struct slice             field;

	if (p->well || p->rested || s->refused)
		return -1;
	if (s->back_off_ms)
		return s->back_off_ms <= most ? s->back_off_ms : -1;
	if (s->web.answer.status == 503 && web_field(&s->web, "Retry-After", &field) && slice_number(slice_trim(field), 24 * 3600, &seconds))
		return seconds * 1000 <= (unsigned long long)most ? (int)seconds * 1000 : -1;
	/* whoever was told a password may have judged it */
	return !s->asked && !s->web.asked && was_cut(p) ? REST_CUT_MS : -1;
}

/* A place, opened; and once more where it was only for the moment that it could not be. */
static enum want_kind open_step(struct exchange_way *p, struct want *w)
{
	int rest;

	switch (p->opening.step) {
	case OPENING_START:
		begin_session(p);

	STEP(&p->opening, OPENING_TRY):
		PASS(outcome(p, exchange_open_step(&p->session, w, &p->err)));
		note_repairs(p);
		rest = w->stopping ? -1 : passes_in(p);
		if (rest >= 0) {
			p->rested = true;
			AWAIT(&p->opening, OPENING_REST, want_time(w, rest)):
			if (!w->stopping && want_came(w) != CAME_TIMEOUT) {
				p->opening.step = OPENING_START;
				return open_step(p, w);
			}
		}

	STEP(&p->opening, OPENING_DONE):
		p->opening.step = OPENING_START;
	}
	return WANT_NOTHING;
}

/* What the place that was opened leads to; WAY_LOOK: to nothing else. */
static int leads_to(struct exchange_way *p, const struct want *w)
{
	if (w->stopping)
		return WAY_LOOK;
	if (is_next_worth_it(p) || (!p->well && is_another_to_ask(p)))
		return WAY_PLACE;
	if (!p->well && another_name(p))
		return WAY_OPEN;
	if (!p->session.discovers || !p->session.logged_in || !p->well)
		return WAY_LOOK;
	if (take_where(p))
		return p->next < p->places ? WAY_PLACE : WAY_FIND;
	lead_nowhere(p, w);
	return WAY_LOOK;
}

static enum want_kind probe_all_step(struct exchange_way *p, struct want *w)
{
	enum probe_kind kind;

	switch (p->probing.step) {
	case PROBING_START:
		while ((kind = next_probe(p)) != PROBE_NONE && !w->stopping) {
			probe_release(&p->probe);
			probe_init(&p->probe, kind, p->report, p->endpoint, p->waits, p->attempt);
			p->probes++;
	STEP(&p->probing, PROBING_ONE):
			PASS(probe_step(&p->probe, w, &p->err));
		}
	}
	return WANT_NOTHING;
}

enum want_kind exchange_way_step(void *self, struct want *w, struct error *err)
{
	struct exchange_way *p = self;

	switch (p->step) {
	case WAY_START:
	STEP(p, WAY_FIND):
		PASS(find_step(p, w, err));

	STEP(p, WAY_DECIDE):
		if (p->is_meant && !p->detected->open)
			return want_gate(w, p->detected, p->request->timeout_ms);
		if (p->request->only_detect || (p->is_meant && !p->is_meant(p->asked)))
			return WANT_NOTHING;
		name_user(p);

	STEP(p, WAY_PLACE):
		if (p->next >= p->places) {
			if (p->redirects)
				lead_nowhere(p, w);
			return WANT_NOTHING;
		}
		p->endpoint = &p->place[p->next++];

	STEP(p, WAY_OPEN):
		PASS(open_step(p, w));
		p->step = leads_to(p, w);
		if (p->step != WAY_LOOK)
			return exchange_way_step(p, w, err);

	STEP(p, WAY_LOOK):
		if (p->session.inbox_open)
			PASS(outcome(p, exchange_look_step(&p->session, w, &p->err)));

		/* at the URL that was typed it is no more: what does Autodiscover say of it by now? */
		if (p->session.no_mailbox && p->request->ews_url && !w->stopping)
			begin_search(p);

	STEP(p, WAY_MOVED):
		if (p->search)
			PASS(exchange_search_step(p->search, w, err));
		end_search(p);

	STEP(p, WAY_PROBE):
		PASS(probe_all_step(p, w));

	STEP(p, WAY_DONE):
		return WANT_NOTHING;
	}
	return WANT_FAILED;
}
