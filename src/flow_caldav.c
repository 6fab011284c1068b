#include "flow_caldav.h"

#include <stdlib.h>

#include "detect/domain.h"
#include "model/facts.h"

#define PROBES_MOST 4

enum { WAY_START, WAY_FIND, WAY_PLACE, WAY_OPEN, WAY_LOOK, WAY_TEST, WAY_PROBE, WAY_NEXT, WAY_DONE };

void caldav_way_init(struct caldav_way *p, const struct flow_request *q, struct report *r, const struct mail_address *address,
                     struct detect *detect, struct waits waits)
{
	*p = (struct caldav_way){ .request = q, .report = r, .address = address, .detect = detect, .waits = waits, .attempt = -1 };
}

void caldav_way_release(struct caldav_way *p)
{
	caldav_session_release(&p->session);
	caldav_search_release(&p->search);
	caldav_event_release(&p->event);
	probe_release(&p->probe);
	p->in_session = false;
}

/* -- where -------------------------------------------------------------------------------------------------------- */

bool caldav_url_read(const char *typed, struct arena *into, struct http_url *out)
{
	struct slice    text = slice_trim(slice_str(typed));
	struct http_url plain;

	/* what is typed as http is meant; asked is https alone */
	if (slice_starts(text, "http://")) {
		if (!http_url_parse(text, into, &plain))
			return false;
		text = slice_from(text, strlen("http://"));
		if (plain.port == 80 && !slice_has(slice_upto(text, slice_find(text, '/')), ":80"))
			return http_url_parse(slice_str(arena_print(into, "https://%.*s", (int)text.len, text.at)), into, out);
		return false;
	}
	if (!slice_has(text, "://"))
		return http_url_parse(slice_str(arena_print(into, "https://%.*s", (int)text.len, text.at)), into, out);
	return http_url_parse(text, into, out) && out->secure;
}

/* False: there is no room for it, or it is known already. */
static bool add_place(struct caldav_way *p, struct endpoint e, bool is_home)
{
	for (size_t i = 0; i < p->places; i++)
		if (strcmp(p->place[i].host, e.host) == 0 && p->place[i].port == e.port && dav_same_path(p->place[i].path, e.path))
			return false;
	if (p->places == CALDAV_ENDPOINTS)
		return false;
	e.trust = p->request->trust;
	p->is_home[p->places] = is_home;
	p->place[p->places++] = e;
	return true;
}

static bool add_url(struct caldav_way *p, const struct http_url *url, enum endpoint_source source, bool is_home)
{
	return add_place(p, (struct endpoint){ .service = SERVICE_WEB, .host = url->host, .port = url->port, .socket = SOCKET_TLS,
		.source = source, .path = url->target }, is_home);
}

static void take_typed(struct caldav_way *p, const struct want *w)
{
	int             step = report_begin(p->report, "caldav.url", NO_ATTEMPT, w->now_ms);
	struct http_url url;
	bool            fine = caldav_url_read(p->request->caldav_url, p->report->job, &url);

	report_note(p->report, step, FACT_CALDAV_URL, "%s", p->request->caldav_url);
	if (fine)
		add_url(p, &url, SOURCE_USER, false);
	else
		report_note(p->report, step, FACT_CALDAV_PROBLEM, "no https address");
	report_end(p->report, step, fine ? STEP_PASSED : STEP_FAILED, w->now_ms);
}

static void begin_search(struct caldav_way *p)
{
	int third = p->request->timeout_ms / 3;

	caldav_search_init(&p->search, p->address, p->detect, p->report->job, p->report, third < CALDAV_WAIT_MS ? third : CALDAV_WAIT_MS);
}

static void take_found(struct caldav_way *p)
{
	for (size_t i = 0; i < p->search.count; i++)
		add_place(p, p->search.place[i], false);
}

/* Another host that this one named: next. It gets credentials where its owner is the same and the first one may have them; anybody
 * else's has to be confirmed (facts J.3). */
static bool is_led_on(struct caldav_way *p)
{
	const struct caldav_session *s = &p->session;
	struct http_url              url;
	bool                         own;

	if (!s->leads_to || p->leads == CALDAV_LEADS || !http_url_parse(slice_str(s->leads_to), p->report->job, &url))
		return false;
	own = endpoint_trusted(p->endpoint) && same_registrable_domain(url.host, p->endpoint->host);
	/* the way that was led to comes before what else was found */
	p->places = p->next;
	p->leads++;
	return add_url(p, &url, own ? SOURCE_WELL_KNOWN : SOURCE_WELL_KNOWN_FOREIGN, s->leads_home);
}

/* -- one place ---------------------------------------------------------------------------------------------------- */

static void name_user(struct caldav_way *p)
{
	const struct credentials *c = p->request->credentials;
	const char               *name;

	if (p->request->caldav_password) {
		p->login = (struct login){ .username = p->request->caldav_username ? p->request->caldav_username : p->address->text,
			.username_form = p->request->caldav_username ? "given" : "address", .password = p->request->caldav_password };
		return;
	}
	if (!c)
		return;
	name = p->request->caldav_username ? p->request->caldav_username : p->request->username;
	p->login = (struct login){ .username = name ? name : p->address->text, .username_form = name ? "given" : "address",
		.password = c->password, .token = c->token, .tickets = c->tickets };
}

static void begin_session(struct caldav_way *p)
{
	caldav_session_release(&p->session);
	p->attempt = report_attempt(p->report);
	caldav_session_init(&p->session, p->report, p->endpoint, &p->login, p->waits, p->attempt);
	p->session.at_home = p->is_home[p->endpoint - p->place];
	p->session.gate = p->gate;
	p->session.only_waits = p->request->caldav_password != NULL;
	p->session.gate_ms = p->request->timeout_ms;
	p->in_session = true;
}

static enum want_kind outcome(struct caldav_way *p, enum want_kind kind)
{
	if (kind > WANT_FAILED)
		return kind;
	p->well = kind == WANT_NOTHING;
	return WANT_NOTHING;
}

/* Many calendar servers know people by their bare names (facts G G.4, Nextcloud): the second and last try of this password. */
static bool another_name(struct caldav_way *p)
{
	const char *name;

	if (!p->session.refused || p->report->password_tries != 1 || p->request->tries_most == 1 || !p->login.password || p->gate)
		return false;
	name = probe_other_username(p->report, p->attempt, p->address->text, p->login.username);
	if (!name)
		return false;
	p->login.username = name;
	p->login.username_form = strchr(name, '@') ? "address" : "local";
	return true;
}

static void note_repair(struct caldav_way *p)
{
	int step = report_find(p->report, "caldav.login", p->attempt);

	if (p->report->password_tries && !p->gate && p->session.logged_in && p->session.asked
	    && !report_value(p->report, step, FACT_WORKED_AS))
		report_note(p->report, step, FACT_WORKED_AS, "%s", p->login.username);
}

static enum probe_kind next_probe(struct caldav_way *p)
{
	struct finding finding;

	if (p->well || p->probes >= PROBES_MOST || p->attempt < 0 || !diagnose_attempt(p->report, p->attempt, &finding))
		return PROBE_NONE;
	return diagnose_wish(p->report, p->attempt, &finding);
}

/* Does what was just opened send us to another place, or was it none that could be asked? */
static bool is_next_worth_it(struct caldav_way *p, const struct want *w)
{
	if (w->stopping)
		return false;
	if (is_led_on(p))
		return true;
	return !p->well && !p->session.asked && p->next < p->places
	    && endpoint_trusted(&p->place[p->next]) == endpoint_trusted(p->endpoint);
}

/* Only where it was asked for is anything written. */
static void begin_test(struct caldav_way *p, const struct want *w)
{
	if (!p->session.calendars)
		return;
	if (p->request->calendar_test)
		caldav_event_init(&p->event, &p->session);
	else
		report_skip(p->report, "caldav.event", p->attempt, "not_asked", w->now_ms);
}

enum want_kind caldav_way_step(void *self, struct want *w, struct error *err)
{
	struct caldav_way *p = self;
	enum probe_kind    kind;

	switch (p->step) {
	case WAY_START:
		if (p->request->caldav_url)
			take_typed(p, w);
		else
			begin_search(p);

	STEP(p, WAY_FIND):
		if (!p->request->caldav_url) {
			PASS(caldav_search_step(&p->search, w, err));
			take_found(p);
		}
		if (p->request->only_detect)
			return WANT_NOTHING;
		name_user(p);

	STEP(p, WAY_PLACE):
		if (p->next >= p->places)
			return WANT_NOTHING;
		p->endpoint = &p->place[p->next++];
		begin_session(p);

	STEP(p, WAY_OPEN):
		PASS(outcome(p, caldav_open_step(&p->session, w, &p->err)));
		if (!p->well && !w->stopping && another_name(p)) {
			begin_session(p);
			return caldav_way_step(p, w, err);
		}
		note_repair(p);

	STEP(p, WAY_LOOK):
		if (p->session.logged_in)
			PASS(outcome(p, caldav_look_step(&p->session, w, &p->err)));
		if (is_next_worth_it(p, w)) {
			p->step = WAY_PLACE;
			return caldav_way_step(p, w, err);
		}

		if (p->well && !w->stopping)
			begin_test(p, w);

	STEP(p, WAY_TEST):
		if (p->event.session)
			PASS(caldav_event_step(&p->event, w, err));

	STEP(p, WAY_PROBE):
		while ((kind = next_probe(p)) != PROBE_NONE && !w->stopping) {
			probe_release(&p->probe);
			probe_init(&p->probe, kind, p->report, p->endpoint, p->waits, p->attempt);
			p->probes++;
	STEP(p, WAY_NEXT):
			PASS(probe_step(&p->probe, w, &p->err));
		}

	STEP(p, WAY_DONE):
		return WANT_NOTHING;
	}
	return WANT_FAILED;
}
