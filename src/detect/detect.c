#include "detect/detect.h"

#include <assert.h>

#include "detect/parts.h"
#include "model/facts.h"

/* How long better sources may keep us waiting when everything else is there. */
#define PATIENCE_MS 2500
#define DNS_WAIT_MS 4000

enum { DETECT_START, DETECT_EXCHANGER, DETECT_RACE, DETECT_GUESS, DETECT_EVIDENCE };
enum { SEARCH_START, SEARCH_ALL };
enum { ENOUGH_START, ENOUGH_IN_HAND, ENOUGH_SETTLED };

void detect_init(struct detect *d, const struct mail_address *address, struct arena *job, struct report *report,
                 const bool want_service[SERVICES], int wait_ms)
{
	assert(wait_ms > 0);
	*d = (struct detect){ .address = address, .job = job, .report = report, .wait_ms = wait_ms, .reported = -1,
	                      .mx_outcome = DNS_SILENT };
	for (int s = 0; s < SERVICES; s++)
		d->want_service[s] = want_service[s];
	exchanger_init(d);
	documents_init(d);
}

void detect_release(struct detect *d)
{
	exchanger_release(d);
	documents_release(d);
	for (size_t i = 0; i < DETECT_SRV; i++)
		dns_lookup_release(&d->srv[i].lookup);
	for (size_t i = 0; i < DETECT_GUESSES; i++)
		resolve_release(&d->guess[i].resolve);
	evidence_release(&d->evidence);
}

int detect_time_left(const struct detect *d, const struct want *w)
{
	int64_t left = d->wait_ms - (w->now_ms - d->began);

	return left > 1 ? (int)left : 1;
}

/* A third of the whole: the question for the exchanger may have to be followed by one that tells whose fault it was. */
int detect_dns_wait(const struct detect *d)
{
	int third = d->wait_ms / 3;

	return third > DNS_WAIT_MS ? DNS_WAIT_MS : third > 1 ? third : 1;
}

enum want_kind detect_called_off(const struct detect *d, struct error *err)
{
	fail(err, FAULT_CANCELLED, "looking for the servers of %s was called off", d->address->domain);
	return WANT_FAILED;
}

static bool wants_any(const struct detect *d)
{
	for (int s = 0; s < SERVICES; s++)
		if (d->want_service[s])
			return true;
	return false;
}

/* -- SRV (RFC 6186, RFC 8314) ------------------------------------------------------------------------------------- */

static const struct { const char *label; enum service service; bool implicit_tls; } srv_kinds[DETECT_SRV] = {
	{ "_imaps",       SERVICE_IMAP, true  },
	{ "_imap",        SERVICE_IMAP, false },
	{ "_submissions", SERVICE_SMTP, true  },
	{ "_submission",  SERVICE_SMTP, false },
};

static enum want_kind srv_step(void *self, struct want *w, struct error *err)
{
	struct detect_srv *srv = self;
	struct detect     *d = srv->detect;

	PASS(dns_lookup_step(&srv->lookup, w, err));
	for (size_t i = 0; i < srv->lookup.count; i++)
		candidates_from_srv(&d->candidates[srv->service], srv->service, srv->implicit_tls, d->address->domain,
		                    &srv->lookup.record[i]);
	srv->refused = srv->lookup.count == 1 && srv->lookup.record[0].target[0] == '\0';
	detect_judge(d);
	return WANT_NOTHING;
}

static void add_srv(struct detect *d, struct children *to, size_t n)
{
	struct detect_srv *srv = &d->srv[n];

	*srv = (struct detect_srv){ .detect = d, .service = srv_kinds[n].service, .implicit_tls = srv_kinds[n].implicit_tls };
	srv->name = arena_print(d->job, "%s._tcp.%s", srv_kinds[n].label, d->address->domain);
	dns_lookup_init(&srv->lookup, d->job, srv->name, DNS_SRV, detect_dns_wait(d));
	children_add(to, &srv->task, srv_step, srv, 0);
}

/* The service is refused in one form and not announced in the other. */
static bool srv_refuses(const struct detect *d, enum service service)
{
	bool refused = false;

	for (size_t i = 0; i < DETECT_SRV; i++) {
		if (d->srv[i].service == service && d->srv[i].lookup.count && !d->srv[i].refused)
			return false;
		refused = refused || (d->srv[i].service == service && d->srv[i].refused);
	}
	return refused;
}

/* -- how long to wait --------------------------------------------------------------------------------------------- */

/* The search asks everybody at once, and some of them never answer: a host "autoconfig" that swallows packets, a web
 * server that thinks. So a second conversation runs beside it and ends the race when it may:
 *
 *   in_hand   the exchanger is known, and each wanted service has a candidate from a trusted source. What could still
 *             come and be better are documents only, SRV being the last of the trusted sources: they get PATIENCE_MS.
 *   settled   what could still come is not better either: the race is over at once. Also where nothing can come: the
 *             domain does not exist, or says that it has no mail.
 */
static bool domain_has_no_mail(const struct detect *d)
{
	return d->mx_outcome == DNS_NO_NAME || d->null_mx;
}

static bool has_trusted(const struct detect *d, int service)
{
	return d->candidates[service].count && endpoint_trusted(&d->candidates[service].item[0]);
}

static bool better_may_come(const struct detect *d, int service)
{
	for (size_t i = 0; i < DETECT_DOCUMENTS; i++)
		if (!d->document[i].over.open && document_expected_source(&d->document[i]) < d->candidates[service].item[0].source)
			return true;
	return false;
}

void detect_judge(struct detect *d)
{
	bool settled = true;

	if (!d->exchanger.over)
		return;
	for (int s = 0; !domain_has_no_mail(d) && s < SERVICES; s++) {
		if (!d->want_service[s])
			continue;
		if (!has_trusted(d, s))
			return;
		settled = settled && !better_may_come(d, s);
	}
	d->in_hand.open = true;
	d->settled.open = d->settled.open || settled;
}

static enum want_kind enough_step(void *self, struct want *w, struct error *err)
{
	struct detect_part *enough = self;
	struct detect      *d = enough->detect;

	switch (enough->step) {
	case ENOUGH_START:
		AWAIT(enough, ENOUGH_IN_HAND, want_gate(w, &d->in_hand, detect_time_left(d, w))):
		if (want_came(w) == CAME_CANCELLED)
			return detect_called_off(d, err);
		AWAIT(enough, ENOUGH_SETTLED, want_gate(w, &d->settled, PATIENCE_MS)):
		if (want_came(w) == CAME_CANCELLED)
			return detect_called_off(d, err);
	}
	return WANT_NOTHING;
}

static enum want_kind search_step(void *self, struct want *w, struct error *err)
{
	struct detect_part *search = self;
	struct detect      *d = search->detect;

	switch (search->step) {
	case SEARCH_START:
		children_init(&search->children, UNTIL_ALL);
		children_add(&search->children, &d->exchanger.task, exchanger_step, &d->exchanger, 0);
		for (size_t i = 0; i < DETECT_SRV; i++)
			if (d->want_service[srv_kinds[i].service])
				add_srv(d, &search->children, i);
		for (size_t i = 0; i < DETECT_DOCUMENTS; i++)
			children_add(&search->children, &d->document[i].task, document_step, &d->document[i], 0);
		AWAIT(search, SEARCH_ALL, want_children(w, &search->children, detect_time_left(d, w))):
		if (want_came(w) == CAME_CANCELLED)
			return detect_called_off(d, err);
	}
	return WANT_NOTHING;
}

static void begin_race(struct detect *d, const struct want *w)
{
	d->reported = report_begin(d->report, "detect", NO_ATTEMPT, w->now_ms);
	d->search = d->enough = (struct detect_part){ .detect = d };
	children_init(&d->race, UNTIL_ONE);
	children_add(&d->race, &d->search.task, search_step, &d->search, 0);
	children_add(&d->race, &d->enough.task, enough_step, &d->enough, 0);
}

/* -- common names ------------------------------------------------------------------------------------------------- */

static const struct { const char *label; bool serves[SERVICES]; } guesses[DETECT_GUESSES] = {
	{ "imap", { [SERVICE_IMAP] = true } },
	{ "smtp", { [SERVICE_SMTP] = true } },
	{ "mail", { [SERVICE_IMAP] = true, [SERVICE_SMTP] = true } },
};

/* Where name service fails altogether, guessing would only cost more time. */
static bool may_guess(const struct detect *d, int service)
{
	return d->want_service[service] && !has_trusted(d, service) && !d->not_offered[service] && !d->null_mx
	    && (d->mx_outcome == DNS_FOUND || d->mx_outcome == DNS_NO_DATA);
}

static bool begin_guesses(struct detect *d)
{
	children_init(&d->guessed, UNTIL_ALL);
	for (size_t i = 0; i < DETECT_GUESSES; i++) {
		struct detect_guess *g = &d->guess[i];
		bool                 useful = false;

		for (int s = 0; s < SERVICES; s++)
			useful = useful || (guesses[i].serves[s] && may_guess(d, s));
		if (!useful)
			continue;
		g->host = arena_print(d->job, "%s.%s", guesses[i].label, d->address->domain);
		resolve_init(&g->resolve, d->job, g->host, detect_dns_wait(d));
		children_add(&d->guessed, &g->task, resolve_step, &g->resolve, 0);
	}
	return d->guessed.count > 0;
}

static void add_guess(struct detect *d, int service, const char *host, int rank)
{
	static const struct { uint16_t port; enum endpoint_socket socket; } ports[SERVICES][2] = {
		[SERVICE_IMAP] = { { 993, SOCKET_TLS }, { 143, SOCKET_STARTTLS } },
		[SERVICE_SMTP] = { { 465, SOCKET_TLS }, { 587, SOCKET_STARTTLS } },
	};

	for (size_t i = 0; i < 2; i++)
		candidates_add(&d->candidates[service], &(struct endpoint){
			.service = (enum service)service, .host = host, .port = ports[service][i].port,
			.socket = ports[service][i].socket, .source = SOURCE_GUESS, .rank = rank,
		});
}

static void take_guesses(struct detect *d)
{
	bool may[SERVICES];

	for (int s = 0; s < SERVICES; s++)
		may[s] = may_guess(d, s);
	for (size_t i = 0; i < DETECT_GUESSES; i++)
		for (int s = 0; s < SERVICES; s++)
			if (may[s] && guesses[i].serves[s] && d->guess[i].host && d->guess[i].resolve.count)
				add_guess(d, s, d->guess[i].host, (int)i);
}

/* The address itself says where: [192.0.2.1]. There is nothing to ask. */
static void take_literal(struct detect *d, const struct want *w)
{
	char text[ADDRESS_TEXT];

	d->provider = "imap";
	if (!wants_any(d))
		return;
	d->reported = report_begin(d->report, "detect", NO_ATTEMPT, w->now_ms);
	for (int s = 0; s < SERVICES; s++)
		if (d->want_service[s])
			add_guess(d, s, arena_str(d->job, address_text(&d->address->literal, text)), 0);
}

/* -- the end ------------------------------------------------------------------------------------------------------ */

/* Somebody other than ourselves says that there is IMAP or SMTP. */
static bool is_told(const struct detect *d)
{
	for (int s = 0; s < SERVICES; s++)
		if (d->candidates[s].count && d->candidates[s].item[0].source != SOURCE_GUESS)
			return true;
	return false;
}

static bool needs_evidence(const struct detect *d)
{
	return !d->provider && !d->exchanger.is_filter && !is_told(d) && d->mx_count > 0;
}

static void propose(struct detect *d, const char *provider)
{
	if (d->provider || !provider)
		return;
	d->provider = provider;
	if (d->exchanger.reported >= 0)
		report_note(d->report, d->exchanger.reported, FACT_PROVIDER, "%s", provider);
}

static void candidate_facts(const struct detect *d, const struct endpoint *e)
{
	const char *host = strchr(e->host, ':') ? arena_print(d->job, "[%s]", e->host) : e->host;

	report_note(d->report, d->reported, FACT_CANDIDATE, "%s %s:%u %s %s", service_name(e->service), host, e->port,
	            e->socket == SOCKET_TLS ? "tls" : "starttls", endpoint_source_name(e->source));
}

static void conclude(struct detect *d, const struct want *w)
{
	bool any = false;

	if (is_told(d))
		propose(d, "imap");
	if (d->reported < 0)
		return;
	for (int s = 0; s < SERVICES; s++)
		for (size_t i = 0; i < d->candidates[s].count; i++) {
			candidate_facts(d, &d->candidates[s].item[i]);
			any = true;
		}
	for (size_t i = 0; i < DETECT_SRV; i++)
		if (d->srv[i].refused)
			report_note(d->report, d->reported, FACT_NOT_OFFERED, "%s", d->srv[i].name);
	for (size_t i = 0; i < DETECT_DOCUMENTS; i++)
		document_facts(&d->document[i]);
	report_end(d->report, d->reported, any ? STEP_PASSED : STEP_FAILED, w->now_ms);
}

/* When called off, or when the time was up before it came to its own end. */
static void end_open_steps(struct detect *d, const struct want *w, enum step_state state)
{
	const int open[] = { d->exchanger.probe_reported, d->exchanger.reported, state == STEP_SKIPPED ? d->reported : -1 };

	for (size_t i = 0; i < COUNT(open); i++)
		if (open[i] >= 0 && d->report->step[open[i]].state == STEP_RUNNING)
			report_end(d->report, open[i], state, w->now_ms);
}

static enum want_kind call_off(struct detect *d, const struct want *w, struct error *err)
{
	end_open_steps(d, w, STEP_SKIPPED);
	return detect_called_off(d, err);
}

static void end_race(struct detect *d, const struct want *w)
{
	end_open_steps(d, w, STEP_FAILED);
	for (int s = 0; s < SERVICES; s++) {
		d->not_offered[s] = srv_refuses(d, (enum service)s);
		/* Whatever was a moment faster than this answer: the list must not depend on that. */
		if (domain_has_no_mail(d))
			d->candidates[s].count = 0;
	}
}

static void look_into_table(struct detect *d)
{
	const struct hoster *hoster = hoster_by_domain(d->address->domain);

	if (hoster)
		detect_take_hoster(d, hoster, true);
}

/* Only who takes the mail. */
static enum want_kind ask_exchanger(struct detect *d, struct want *w, struct error *err)
{
	enum want_kind kind = exchanger_step(&d->exchanger, w, err);

	return kind == WANT_FAILED ? call_off(d, w, err) : kind;
}

enum want_kind detect_step(void *self, struct want *w, struct error *err)
{
	struct detect *d = self;

	switch (d->step) {
	case DETECT_START:
		d->began = w->now_ms;
		if (d->address->is_literal) {
			take_literal(d, w);
			break;
		}
		look_into_table(d);
		d->exchanger.reported = report_begin(d->report, "dns.mx", NO_ATTEMPT, w->now_ms);
		if (!wants_any(d)) {
			STEP(d, DETECT_EXCHANGER):
			PASS(ask_exchanger(d, w, err));
			break;
		}
		begin_race(d, w);
		AWAIT(d, DETECT_RACE, want_children(w, &d->race, detect_time_left(d, w))):
		if (want_came(w) == CAME_CANCELLED)
			return call_off(d, w, err);
		end_race(d, w);

		if (begin_guesses(d)) {
			AWAIT(d, DETECT_GUESS, want_children(w, &d->guessed, detect_time_left(d, w))):
			if (want_came(w) == CAME_CANCELLED)
				return call_off(d, w, err);
			take_guesses(d);
		}
		if (needs_evidence(d)) {
			evidence_ask(d, &d->evidence, detect_dns_wait(d));
			AWAIT(d, DETECT_EVIDENCE, want_children(w, &d->evidence.both, detect_time_left(d, w))):
			if (want_came(w) == CAME_CANCELLED)
				return call_off(d, w, err);
			propose(d, evidence_says(&d->evidence));
		}
	}
	conclude(d, w);
	return WANT_NOTHING;
}
