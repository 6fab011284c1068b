#include "verify/probe.h"

#include <stdio.h>
#include <stdlib.h>

#include "model/facts.h"
#include "model/hosters.h"

enum { TOUCH_START, TOUCH_RESOLVED, TOUCH_CONNECTED, TOUCH_SHAKEN, TOUCH_HEARD, TOUCH_DONE };
enum { PROBE_START, PROBE_DONE, PROBE_SECOND, PROBE_SECOND_DONE };

#define CLOCK_TOLERANCE_S  3600      /* less than that explains no certificate */
#define CLOCK_AGREEMENT_S   600      /* two honest servers are nearer to each other than this */
#define AIA_MOST        (64 * 1024)

/* -- a touch ------------------------------------------------------------------------------------------------------ */

static void touch_init(struct touch *t, struct probe *p, const char *host, uint16_t port)
{
	*t = (struct touch){ .job = p->report->job, .waits = p->waits,
	                     .endpoint = { .host = arena_str(p->report->job, host), .port = port, .service = p->endpoint->service } };
	line_init(&t->line, 4096, 64);
	resolve_init(&t->resolve, t->job, t->endpoint.host, t->waits.lookup_ms);
	t->tls = arena_get(t->job, sizeof *t->tls);
	t->tls->alert = -1;
}

static void touch_release(struct touch *t)
{
	if (!t->job)
		return;
	resolve_release(&t->resolve);
	line_release(&t->line);
}

static void touch_end(struct touch *t, enum came came)
{
	struct slice held = slice_upto(buffer_held(&t->line.in), sizeof t->heard - 1);

	t->came = came;
	if (held.len)
		memcpy(t->heard, held.at, held.len);
	line_close(&t->line);
}

static enum want_kind touch_step(void *self, struct want *w, struct error *err)
{
	struct touch *t = self;

	switch (t->step) {
	case TOUCH_START:
	STEP(t, TOUCH_RESOLVED):
		PASS(resolve_step(&t->resolve, w, err));
		t->connect.count = t->resolve.count;
		for (size_t i = 0; i < t->resolve.count; i++)
			t->connect.tried[i].address = t->resolve.address[i];
		AWAIT(t, TOUCH_CONNECTED, want_connect(w, &t->line, t->endpoint.host, t->endpoint.port, &t->connect, t->waits.connect_ms)):
		t->came = want_came(w);
		if (t->came != CAME || (!t->shake && !t->listen))
			goto done;
		if (t->listen) {
			AWAIT(t, TOUCH_HEARD, want_read(w, &t->line, t->waits.connect_ms)):
			t->came = want_came(w);
			goto done;
		}
		want_tls_with(w, &t->line, t->endpoint.host, t->how, t->extra, t->tls, t->waits.tls_ms);
		AWAIT(t, TOUCH_SHAKEN, want_trust(w, t->endpoint.trust)):
		t->came = want_came(w);
	done:
		touch_end(t, t->came);

	STEP(t, TOUCH_DONE):
		return WANT_NOTHING;
	}
	return WANT_FAILED;
}

/* -- setting out -------------------------------------------------------------------------------------------------- */

static const char *attempt_fact(const struct report *r, int attempt, const char *name)
{
	for (size_t i = 0; i < r->fact_count; i++)
		if (r->step[r->fact[i].step].attempt == attempt && strcmp(r->fact[i].name, name) == 0)
			return r->fact[i].value;
	return NULL;
}

void probe_init(struct probe *p, enum probe_kind kind, struct report *report, const struct endpoint *endpoint, struct waits waits,
                int attempt)
{
	*p = (struct probe){ .kind = kind, .report = report, .endpoint = endpoint, .waits = waits, .attempt = attempt };
	children_init(&p->children, UNTIL_ALL);
}

void probe_release(struct probe *p)
{
	for (size_t i = 0; i < PROBE_TARGETS; i++) {
		touch_release(&p->touch[i]);
		if (p->fetch[i].job)
			fetch_release(&p->fetch[i]);
		if (p->lookup[i].job)
			dns_lookup_release(&p->lookup[i]);
		if (p->resolve[i].host)
			resolve_release(&p->resolve[i]);
	}
	*p = (struct probe){ 0 };
}

static struct touch *add_touch(struct probe *p, const char *host, uint16_t port)
{
	size_t n = p->count++;

	touch_init(&p->touch[n], p, host, port);
	children_add(&p->children, &p->task[n], touch_step, &p->touch[n], 0);
	return &p->touch[n];
}

static struct touch *add_shake(struct probe *p, const char *host, uint16_t port, enum tls_how how)
{
	struct touch *t = add_touch(p, host, port);

	t->shake = true;
	t->how = how;
	return t;
}

/* The server itself, by whatever the session went by. */
static struct touch *add_shake_again(struct probe *p, enum tls_how how)
{
	struct touch *t = add_shake(p, p->endpoint->host, p->endpoint->port, how);

	t->endpoint.trust = p->endpoint->trust;
	return t;
}

/* Unrelated to each other and to the mailbox, each known to listen there. */
static void start_control(struct probe *p)
{
	static const struct { uint16_t port; const char *host; } known[] = {
		{ 993, "imap.gmail.com" },   { 993, "imap.mail.yahoo.com" },   { 993, "outlook.office365.com" },
		{ 143, "outlook.office365.com" }, { 143, "imap.gmx.net" },
		{ 465, "smtp.gmail.com" },   { 465, "smtp.mail.yahoo.com" },
		{ 587, "smtp.gmail.com" },   { 587, "smtp.office365.com" },
		{ 25, "gmail-smtp-in.l.google.com" }, { 25, "outlook-com.olc.protection.outlook.com" },
		{ 443, "www.google.com" },   { 443, "www.wikipedia.org" },
	};

	for (size_t i = 0; i < COUNT(known) && p->count < PROBE_TARGETS; i++)
		if (known[i].port == p->endpoint->port && strcmp(known[i].host, p->endpoint->host) != 0)
			add_touch(p, known[i].host, known[i].port);
}

static void start_port(struct probe *p)
{
	static const uint16_t ports[SERVICES_ALL][2] = { [SERVICE_IMAP] = { 993, 143 }, [SERVICE_SMTP] = { 465, 587 } };

	for (size_t i = 0; i < 2; i++)
		if (ports[p->endpoint->service][i] && ports[p->endpoint->service][i] != p->endpoint->port)
			add_touch(p, p->endpoint->host, ports[p->endpoint->service][i]);
	if (p->endpoint->service != SERVICE_WEB || p->endpoint->port != 443)
		add_touch(p, p->endpoint->host, 443);
}

/* Plain http on purpose: with a wrong clock no certificate is good. Nothing secret is asked, and three must agree. */
static void start_clock(struct probe *p)
{
	static const char *const urls[] = { "http://www.google.com/", "http://www.wikipedia.org/", "http://detectportal.firefox.com/", "http://www.debian.org/" };

	for (size_t i = 0; i < COUNT(urls); i++) {
		fetch_init(&p->fetch[i], p->report->job, "HEAD", urls[i], p->waits.connect_ms, 4096);
		children_add(&p->children, &p->task[i], fetch_step, &p->fetch[i], 0);
		p->count++;
	}
}

static void start_dns(struct probe *p)
{
	static const char *const names[] = { "www.google.com", "www.wikipedia.org" };

	for (size_t i = 0; i < COUNT(names); i++) {
		dns_lookup_init(&p->lookup[i], p->report->job, names[i], DNS_A, p->waits.lookup_ms);
		children_add(&p->children, &p->task[i], dns_lookup_step, &p->lookup[i], 0);
		p->count++;
	}
}

static void start_issuer(struct probe *p)
{
	fetch_init(&p->fetch[0], p->report->job, "GET", attempt_fact(p->report, p->attempt, FACT_TLS_AIA), p->waits.connect_ms, AIA_MOST);
	children_add(&p->children, &p->task[0], fetch_step, &p->fetch[0], 0);
	p->count = 1;
}

/* The names a certificate carries, to be looked up: not the wildcards, not the one that was asked for. */
static void start_names(struct probe *p)
{
	struct slice rest = slice_str(attempt_fact(p->report, p->attempt, FACT_TLS_SAN));

	while (rest.len && p->count < PROBE_TARGETS) {
		struct slice name = slice_trim(slice_cut(&rest, ','));
		size_t       n = p->count;

		if (name.len == 0 || slice_find(name, '*') < name.len || slice_is(name, p->endpoint->host))
			continue;
		resolve_init(&p->resolve[n], p->report->job, arena_copy(p->report->job, name), p->waits.lookup_ms);
		children_add(&p->children, &p->task[n], resolve_step, &p->resolve[n], 0);
		p->count++;
	}
}

static bool attempt_has(const struct probe *p, const char *name, const char *value)
{
	const struct report *r = p->report;

	for (size_t i = 0; i < r->fact_count; i++)
		if (r->step[r->fact[i].step].attempt == p->attempt && strcmp(r->fact[i].name, name) == 0
		    && strcmp(r->fact[i].value, value) == 0)
			return true;
	return false;
}

/* Is it the same elsewhere? Where a name that cannot be (RFC 6761 §6.4) leads to the same address, every name does; and
 * whoever opens our connections shows a certificate of his own for an unrelated host as well. */
static void start_intercept(struct probe *p)
{
	if (attempt_has(p, FACT_TLS_FLAW, "private_root") || attempt_has(p, FACT_TLS_FLAW, "no_issuer") || attempt_has(p, FACT_TLS_FLAW, "self_signed"))
		add_shake(p, "www.wikipedia.org", 443, TLS_FULL);
	resolve_init(&p->resolve[0], p->report->job, "no-such-host.invalid", p->waits.lookup_ms);
	children_add(&p->children, &p->task[p->count], resolve_step, &p->resolve[0], 0);
}

static void start(struct probe *p)
{
	const struct endpoint *e = p->endpoint;

	switch (p->kind) {
	case PROBE_CONTROL:     start_control(p); break;
	case PROBE_PORT:        start_port(p); break;
	case PROBE_CLOCK:       start_clock(p); break;
	case PROBE_DNS:         start_dns(p); break;
	case PROBE_ISSUER:      start_issuer(p); break;
	case PROBE_INTERCEPT:   start_intercept(p); break;
	case PROBE_TLS_VERSION: add_shake_again(p, TLS_OLD_ONLY); break;
	case PROBE_TLS:         add_shake_again(p, TLS_FULL); break;
	case PROBE_PLAIN:       add_touch(p, e->host, e->port)->listen = true; break;
	case PROBE_NAMES:       start_names(p); break;
	case PROBE_NONE:
	case PROBE_KINDS:       break;
	}
}

/* -- coming home -------------------------------------------------------------------------------------------------- */

#define result(p, ...) report_note((p)->report, (p)->reported, FACT_PROBE_RESULT, __VA_ARGS__)

/* A refusal reaches us as well as a connection does: packets come and go. */
static bool reached(const struct touch *t)
{
	return t->came == CAME || t->came == CAME_REFUSED || t->came == CAME_RESET;
}

static void end_control(struct probe *p)
{
	size_t timeouts = 0, reaches = 0;

	for (size_t i = 0; i < p->count; i++) {
		report_note(p->report, p->reported, FACT_NET_TRIED, "%s port %u: %s", p->touch[i].endpoint.host, p->touch[i].endpoint.port,
		            came_name(p->touch[i].came));
		timeouts += p->touch[i].came == CAME_TIMEOUT;
		reaches += reached(&p->touch[i]);
	}
	if (reaches)
		result(p, "reached");
	else if (timeouts >= 2)
		result(p, "none reached");
	else
		result(p, "unknown");
}

static void end_port(struct probe *p)
{
	for (size_t i = 0; i < p->count; i++) {
		report_note(p->report, p->reported, FACT_NET_TRIED, "port %u: %s", p->touch[i].endpoint.port, came_name(p->touch[i].came));
		/* for mail, port 443 only tells whether the machine is there at all */
		if (p->touch[i].came == CAME && (p->touch[i].endpoint.port != 443 || p->endpoint->service == SERVICE_WEB))
			report_note(p->report, p->reported, FACT_PROBE_OPEN_PORT, "%u", p->touch[i].endpoint.port);
	}
}

static void end_clock(struct probe *p, const struct want *w)
{
	int64_t off[PROBE_TARGETS];
	size_t  n = 0, agree = 0;

	for (size_t i = 0; i < p->count; i++) {
		struct slice date;
		int64_t      there;

		if (!http_header(&p->fetch[i].answer, "Date", &date) || !http_date(date, &there))
			continue;
		report_note(p->report, p->reported, FACT_PROBE_DATE, "%s: %.*s", p->fetch[i].url.host, (int)date.len, date.at);
		off[n++] = there - w->now_unix;
	}
	for (size_t i = 1; i < n; i++)
		agree += llabs(off[i] - off[0]) < CLOCK_AGREEMENT_S;
	if (n < 2 || agree + 1 < n)
		result(p, "unknown");
	else if (llabs(off[0]) < CLOCK_TOLERANCE_S)
		result(p, "right");
	else
		result(p, "%s", off[0] > 0 ? "behind" : "ahead");
}

static void end_dns(struct probe *p)
{
	for (size_t i = 0; i < p->count; i++)
		report_note(p->report, p->reported, FACT_DNS_OUTCOME, "%s", dns_outcome_name(p->lookup[i].outcome));
}

static void end_issuer(struct probe *p)
{
	const struct touch *t = &p->touch[0];

	if (t->came == CAME || (t->tls->shook && !(t->tls->flaws & TLS_FLAW_NO_ISSUER)))
		result(p, "completes the chain");
	else
		result(p, "does not complete the chain");
}

static bool shares_address(const struct report *r, int attempt, const struct resolve *other)
{
	char text[ADDRESS_TEXT];

	for (size_t i = 0; i < r->fact_count; i++)
		for (size_t a = 0; a < other->count; a++)
			if (r->step[r->fact[i].step].attempt == attempt && strcmp(r->fact[i].name, FACT_NET_ADDRESS) == 0
			    && strcmp(r->fact[i].value, address_text(&other->address[a], text)) == 0)
				return true;
	return false;
}

static void end_intercept(struct probe *p)
{
	const struct tls_answer *a = p->touch[0].tls;
	const char *ours = attempt_fact(p->report, p->attempt, FACT_TLS_ISSUER);

	if (shares_address(p->report, p->attempt, &p->resolve[0])) {
		report_note(p->report, p->reported, FACT_PROBE_SAME_SERVER, "%s", p->resolve[0].host);
		result(p, "same address");
		return;
	}
	if (!a || !a->shook || a->chain_len == 0) {
		result(p, "unknown");
		return;
	}
	report_note(p->report, p->reported, FACT_PROBE_ISSUER, "%s: %s", p->touch[0].endpoint.host, a->chain[0].issuer_name);
	result(p, "%s", a->flaws && ours && strcmp(ours, a->chain[0].issuer_name) == 0 ? "same issuer" : "another issuer");
}

static void end_plain(struct probe *p)
{
	const char *protocol = protocol_of(slice_str(p->touch[0].heard));

	if (p->touch[0].heard[0])
		report_note(p->report, p->reported, FACT_FIRST_BYTES, "%s", p->touch[0].heard);
	if (protocol)
		report_note(p->report, p->reported, FACT_PROTOCOL, "%s", protocol);
	result(p, "%s", p->touch[0].heard[0] ? "speaks first" : p->touch[0].came == CAME_TIMEOUT ? "silent" : came_name(p->touch[0].came));
}

static void end_names(struct probe *p)
{
	for (size_t i = 0; i < p->count; i++) {
		if (shares_address(p->report, p->attempt, &p->resolve[i]))
			report_note(p->report, p->reported, FACT_PROBE_SAME_SERVER, "%s", p->resolve[i].host);
		else
			report_note(p->report, p->reported, FACT_PROBE_OTHER_NAME, "%s: %s", p->resolve[i].host,
			            p->resolve[i].count ? "another server" : dns_outcome_name(p->resolve[i].outcome));
	}
}

static void finish(struct probe *p, const struct want *w)
{
	switch (p->kind) {
	case PROBE_CONTROL:     end_control(p); break;
	case PROBE_PORT:        end_port(p); break;
	case PROBE_CLOCK:       end_clock(p, w); break;
	case PROBE_DNS:         end_dns(p); break;
	case PROBE_ISSUER:      end_issuer(p); break;
	case PROBE_INTERCEPT:   end_intercept(p); break;
	case PROBE_TLS_VERSION:
	case PROBE_TLS:         reach_tls_facts(p->report, p->reported, p->touch[0].tls, p->touch[0].came); break;
	case PROBE_PLAIN:       end_plain(p); break;
	case PROBE_NAMES:       end_names(p); break;
	case PROBE_NONE:
	case PROBE_KINDS:       break;
	}
}

/* The certificate that was fetched, tried as the link between the server's and a root: a second handshake tells. */
static bool try_link(struct probe *p)
{
	struct touch *t;

	if (p->kind != PROBE_ISSUER || !fetch_has_document(&p->fetch[0]))
		return false;
	children_init(&p->children, UNTIL_ALL);
	p->count = 0;
	t = add_shake_again(p, TLS_FULL);
	t->extra = buffer_held(&p->fetch[0].answer.body);
	return true;
}

enum want_kind probe_step(void *self, struct want *w, struct error *err)
{
	struct probe *p = self;
	int           whole = p->waits.lookup_ms + p->waits.connect_ms + p->waits.tls_ms;

	(void)err;
	switch (p->step) {
	case PROBE_START:
		p->reported = report_begin(p->report, probe_id(p->kind), p->attempt, w->now_ms);
		start(p);
		AWAIT(p, PROBE_DONE, want_children(w, &p->children, whole)):
		want_came(w);
		if (try_link(p)) {
			AWAIT(p, PROBE_SECOND, want_children(w, &p->children, whole)):
			want_came(w);
		} else if (p->kind == PROBE_ISSUER) {
			result(p, "not found: %s", fetch_result(&p->fetch[0]));
			report_end(p->report, p->reported, STEP_WARNED, w->now_ms);
			return WANT_NOTHING;
		}
		finish(p, w);
		report_end(p->report, p->reported, STEP_PASSED, w->now_ms);

	STEP(p, PROBE_SECOND_DONE):
		return WANT_NOTHING;
	}
	return WANT_FAILED;
}

/* -- the user name ------------------------------------------------------------------------------------------------ */

const char *probe_other_username(struct report *r, int attempt, const char *address, const char *username)
{
	const char *host = attempt_fact(r, attempt, FACT_HOST), *at = strrchr(address, '@');

	/* A large provider wants one form and locks quickly (facts J.4): its table row already decided. */
	if (!at || (host && hoster_by_host(host)))
		return NULL;
	if (strcmp(username, address) != 0)
		return strchr(username, '@') ? NULL : address;
	return arena_copy(r->job, slice(address, (size_t)(at - address)));
}
