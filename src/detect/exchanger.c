/* exchanger.c -- who takes the domain's mail, and what that says about where its mailboxes are. */
#include <stdio.h>

#include "detect/domain.h"
#include "detect/parts.h"
#include "model/facts.h"

enum { EXCHANGER_START, EXCHANGER_LOOKUP, EXCHANGER_ADDRESS, EXCHANGER_CONTROL, EXCHANGER_EVIDENCE };

/* Names that exist for everybody: when they cannot be had either, it is our own resolver that fails. */
static const char *const control_names[2] = { "www.google.com", "www.wikipedia.org" };

void exchanger_init(struct detect *d)
{
	d->exchanger = (struct detect_exchanger){ .detect = d, .reported = -1, .probe_reported = -1 };
}

void exchanger_release(struct detect *d)
{
	struct detect_exchanger *x = &d->exchanger;

	dns_lookup_release(&x->lookup);
	resolve_release(&x->own_address);
	for (size_t i = 0; i < COUNT(control_names); i++)
		dns_lookup_release(&x->control_lookup[i]);
	evidence_release(&x->evidence);
}

/* -- the table ---------------------------------------------------------------------------------------------------- */

static const char *username_for(const struct detect *d, const struct hoster_server *server)
{
	if (server->user == USER_ADDRESS)
		return d->address->text;
	/* In a domain of one's own the name is that of another address, which is not known here. */
	return d->hoster_by_domain ? d->address->local : NULL;
}

void detect_take_hoster(struct detect *d, const struct hoster *hoster, bool by_domain)
{
	d->hoster = hoster;
	d->hoster_by_domain = by_domain;
	for (int s = 0; s < SERVICES; s++) {
		const struct hoster_server *server = &hoster->server[s];

		if (!d->want_service[s] || !server->host)
			continue;
		candidates_add(&d->candidates[s], &(struct endpoint){
			.service = (enum service)s, .host = server->host, .port = server->port, .socket = server->socket,
			.source = by_domain ? SOURCE_TABLE : SOURCE_MX_TABLE, .username = username_for(d, server),
		});
	}
}

/* -- MX ----------------------------------------------------------------------------------------------------------- */

/* Without its first label: where its owner's autoconfig may be. NULL when there is nothing between it and the base. */
static const char *domain_of(const char *host, const char *base)
{
	const char *dot = strchr(host, '.');

	return dot && strlen(dot + 1) > strlen(base) ? dot + 1 : NULL;
}

static void take_exchanger(struct detect *d, const char *host)
{
	struct detect_exchanger *x = &d->exchanger;
	const struct hoster     *hoster = d->hoster ? NULL : hoster_by_mx(host);

	if (hoster)
		detect_take_hoster(d, hoster, false);
	x->is_filter = !d->hoster && mx_is_filter(host);
	/* A filter's own configuration says nothing about those who are filtered. */
	if (x->is_filter || same_registrable_domain(host, d->address->domain))
		return;
	x->base = registrable_domain(host);
	x->domain = domain_of(host, x->base);
}

static void take_records(struct detect *d)
{
	const struct dns_lookup *lookup = &d->exchanger.lookup;
	struct dns_record       *kept = lookup->count ? arena_get(d->job, lookup->count * sizeof *kept) : NULL;

	d->mx_outcome = lookup->outcome;
	/* RFC 7505 §3: a null MX stands alone; among others it is a mistake and means nothing. */
	d->null_mx = lookup->count == 1 && lookup->record[0].target[0] == '\0';
	for (size_t i = 0; i < lookup->count; i++)
		if (lookup->record[i].target[0])
			kept[d->mx_count++] = lookup->record[i];
	d->mx = kept;
	if (d->mx_count)
		take_exchanger(d, d->mx[0].target);
}

/* Failures that may be ours as well as theirs. */
static bool may_be_our_resolver(enum dns_outcome outcome)
{
	return outcome == DNS_SERVER_FAILED || outcome == DNS_SILENT || outcome == DNS_SERVER_REFUSED || outcome == DNS_BROKEN;
}

static void ask_control(struct detect_exchanger *x, const struct want *w)
{
	struct detect *d = x->detect;

	x->probe_reported = report_begin(d->report, "probe.dns", NO_ATTEMPT, w->now_ms);
	children_init(&x->control, UNTIL_ALL);
	for (size_t i = 0; i < COUNT(control_names); i++) {
		dns_lookup_init(&x->control_lookup[i], d->job, control_names[i], DNS_A, detect_dns_wait(d));
		children_add(&x->control, &x->control_task[i], dns_lookup_step, &x->control_lookup[i], 0);
	}
}

static void end_control(struct detect_exchanger *x, const struct want *w)
{
	struct report *r = x->detect->report;
	bool           found = false;

	for (size_t i = 0; i < COUNT(control_names); i++) {
		const char *outcome = dns_outcome_name(x->control_lookup[i].outcome);

		report_note(r, x->probe_reported, FACT_DNS_OUTCOME, "%s", outcome);
		report_note(r, x->probe_reported, FACT_PROBE_RESULT, "%s: %s", control_names[i], outcome);
		found = found || x->control_lookup[i].outcome == DNS_FOUND;
	}
	report_end(r, x->probe_reported, found ? STEP_PASSED : STEP_FAILED, w->now_ms);
}

/* -- facts -------------------------------------------------------------------------------------------------------- */

static void lookup_facts(const struct detect_exchanger *x)
{
	const struct detect *d = x->detect;

	report_note(d->report, x->reported, FACT_DNS_OUTCOME, "%s", dns_outcome_name(d->mx_outcome));
	for (size_t i = 0; i < d->mx_count; i++)
		report_note(d->report, x->reported, FACT_DNS_MX, "%u %s", d->mx[i].preference, d->mx[i].target);
	if (d->null_mx)
		report_note(d->report, x->reported, FACT_DNS_NULL_MX, "yes");
	if (x->lookup.alias)
		report_note(d->report, x->reported, FACT_DNS_ALIAS, "%s", x->lookup.alias);
	if (x->lookup.extended >= 0)
		report_note(d->report, x->reported, FACT_DNS_EDE, "%d", x->lookup.extended);
}

static void host_facts(const struct detect_exchanger *x)
{
	const struct detect *d = x->detect;

	if (x->is_filter)
		report_note(d->report, x->reported, FACT_DNS_FILTER, "yes");
	if (d->hoster) {
		report_note(d->report, x->reported, FACT_HOSTER, "%s", d->hoster->id);
		report_note(d->report, x->reported, FACT_HOSTER_NAME, "%s", d->hoster->name);
	}
	if (d->provider)
		report_note(d->report, x->reported, FACT_PROVIDER, "%s", d->provider);
}

static void end(struct detect_exchanger *x, enum step_state state, const struct want *w)
{
	struct detect *d = x->detect;

	host_facts(x);
	report_end(d->report, x->reported, state, w->now_ms);
	x->over = d->exchanger_known.open = true;
	detect_judge(d);
}

/* Mail for a domain without MX goes to the domain's own address (RFC 5321 §5.1). */
static enum step_state state_of(const struct detect_exchanger *x)
{
	if (x->detect->mx_count)
		return STEP_PASSED;
	return x->own_address.count ? STEP_WARNED : STEP_FAILED;
}

enum want_kind exchanger_step(void *self, struct want *w, struct error *err)
{
	struct detect_exchanger *x = self;
	struct detect           *d = x->detect;

	switch (x->step) {
	case EXCHANGER_START:
		dns_lookup_init(&x->lookup, d->job, d->address->domain, DNS_MX, detect_dns_wait(d));

	STEP(x, EXCHANGER_LOOKUP):
		PASS(dns_lookup_step(&x->lookup, w, err));
		take_records(d);
		lookup_facts(x);
		if (d->mx_outcome == DNS_NO_DATA) {
			resolve_init(&x->own_address, d->job, d->address->domain, detect_dns_wait(d));
			STEP(x, EXCHANGER_ADDRESS):
			PASS(resolve_step(&x->own_address, w, err));
			if (x->own_address.count || x->own_address.outcome == DNS_NO_DATA)
				report_note(d->report, x->reported, FACT_DNS_HAS_ADDRESS, "%s", x->own_address.count ? "yes" : "no");
		}
		if (may_be_our_resolver(d->mx_outcome)) {
			ask_control(x, w);
			AWAIT(x, EXCHANGER_CONTROL, want_children(w, &x->control, detect_time_left(d, w))):
			if (want_came(w) == CAME_CANCELLED)
				return detect_called_off(d, err);
			end_control(x, w);
		}
		if (x->is_filter) {
			evidence_ask(d, &x->evidence, detect_dns_wait(d));
			AWAIT(x, EXCHANGER_EVIDENCE, want_children(w, &x->evidence.both, detect_time_left(d, w))):
			if (want_came(w) == CAME_CANCELLED)
				return detect_called_off(d, err);
			d->provider = evidence_says(&x->evidence);
		}
		if (d->hoster)
			d->provider = d->hoster->provider;
		end(x, state_of(x), w);
	}
	return WANT_NOTHING;
}

/* -- other signs -------------------------------------------------------------------------------------------------- */

void evidence_ask(struct detect *d, struct detect_evidence *e, int wait_ms)
{
	const char *domain = d->address->domain;

	dns_lookup_init(&e->txt, d->job, domain, DNS_TXT, wait_ms);
	dns_lookup_init(&e->cname, d->job, arena_print(d->job, "autodiscover.%s", domain), DNS_CNAME, wait_ms);
	children_init(&e->both, UNTIL_ALL);
	children_add(&e->both, &e->txt_task, dns_lookup_step, &e->txt, 0);
	children_add(&e->both, &e->cname_task, dns_lookup_step, &e->cname, 0);
}

void evidence_release(struct detect_evidence *e)
{
	dns_lookup_release(&e->txt);
	dns_lookup_release(&e->cname);
}

static bool spf_includes(const struct detect_evidence *e, const char *whom)
{
	for (size_t i = 0; i < e->txt.count; i++) {
		struct slice rest = e->txt.record[i].text;

		if (!slice_is(slice_cut(&rest, ' '), "v=spf1"))
			continue;
		while (rest.at) {
			struct slice term = slice_cut(&rest, ' ');

			if (slice_starts(term, "include:") && slice_is(slice_from(term, 8), whom))
				return true;
		}
	}
	return false;
}

/* Autodiscover is where the mailbox is. SPF only says who may send: with both in it, it says nothing. */
const char *evidence_says(const struct detect_evidence *e)
{
	bool microsoft, google;

	if (e->cname.count && slice_is(slice_str(e->cname.record[0].target), "autodiscover.outlook.com"))
		return "microsoft";
	microsoft = spf_includes(e, "spf.protection.outlook.com");
	google = spf_includes(e, "_spf.google.com");
	return microsoft == google ? NULL : microsoft ? "microsoft" : "google";
}
