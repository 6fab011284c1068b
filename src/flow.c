#include "flow.h"

#include <stdlib.h>

#include "base/random.h"
#include "detect/detect.h"
#include "flow_caldav.h"
#include "flow_exchange.h"
#include "flow_google.h"
#include "flow_microsoft.h"
#include "model/hosters.h"
#include "model/mailaddress.h"
#include "provider/imap.h"
#include "provider/smtp.h"
#include "verify/exchange_event.h"
#include "verify/exchange_mail.h"
#include "verify/google_event.h"
#include "verify/graph_event.h"
#include "verify/graph_mail.h"
#include "verify/probe.h"
#include "verify/testmail.h"

#define CANDIDATES_MOST 6        /* endpoints tried for one service */
#define PROBES_MOST     4        /* probes for one failure          */
#define GOODBYE_MS    500        /* to say LOGOUT and QUIT; nobody waits for the answer */

enum { FLOW_START, FLOW_VERIFIED, FLOW_CALENDAR, FLOW_SEND, FLOW_LOGOUT, FLOW_QUIT, FLOW_DONE };
enum { PART_START, PART_SEARCHED, PART_CANDIDATE, PART_OPEN, PART_ANOTHER_NAME, PART_LOOK, PART_PROBE, PART_NEXT, PART_DONE };

struct flow;

/* One service, from its first candidate to the last probe. */
struct part {
	struct flow          *flow;
	enum service          service;
	int                   step;
	const struct endpoint *endpoint;
	size_t                next;              /* candidate */
	int                   attempt;
	struct {
		int                    attempt;
		const struct endpoint *endpoint;
	}                     tried[CANDIDATES_MOST + 1];      /* the same again with another user name */
	size_t                tries;
	bool                  in_session;        /* the session below is to be released */
	union {
		struct imap_session imap;
		struct smtp_session smtp;
	} session;
	struct probe          probe;
	unsigned              probes;
	bool                  renamed;           /* tried once more by another user name         */
	bool                  well;              /* signed in, and what could be looked at was */
	struct error          err;
};

struct flow {
	const struct flow_request *request;
	struct report            *report;
	struct mail_address       address;
	struct detect             detect;
	struct endpoint           named[SERVICES];
	struct endpoint           gmail[SERVICES];      /* where it is gone on by IMAP, after google_way_leads_to_imap() */
	struct waits              waits;
	struct login              login;
	struct login_gate         gate;
	struct gate               detected;
	struct part               part[SERVICES];
	struct exchange_way      exchange;
	struct microsoft_way     microsoft;
	struct google_way        google;
	struct caldav_way        caldav;
	struct testmail           testmail;
	struct webmail            webmail;
	struct webevent           webevent;
	struct task               task[SERVICES + 5];
	struct children           children;
	int                       step;
	bool                      detecting, sending, seeking, at_microsoft, at_google;
};

static struct net *running_net;

/* -- candidates --------------------------------------------------------------------------------------------------- */

static uint16_t usual_port(enum service service)
{
	return service == SERVICE_IMAP ? 993 : 465;
}

/* Which ports begin in plain text (RFC 8314). An unusual port is taken for TLS from the first byte. */
static enum endpoint_socket socket_of(uint16_t port)
{
	return port == 143 || port == 587 || port == 25 || port == 2525 ? SOCKET_STARTTLS : SOCKET_TLS;
}

static void name_endpoint(struct flow *f, enum service service)
{
	const struct flow_request *q = f->request;
	uint16_t                   port = q->port[service] ? q->port[service] : usual_port(service);

	const char                *host = host_ascii(q->host[service], f->report->job);

	/* a name that IDNA refuses is asked as it was typed: the answer says that there is none */
	f->named[service] = (struct endpoint){ .service = service, .host = host ? host : q->host[service], .port = port,
	                                       .socket = socket_of(port), .source = SOURCE_USER, .trust = q->trust };
}

/* Gmail by IMAP, in the place of its interface. */
static bool is_instead(const struct flow *f)
{
	return f->at_google && google_way_leads_to_imap(&f->google);
}

static size_t candidate_count(const struct flow *f, enum service service)
{
	return f->request->host[service] ? 1 : f->detect.candidates[service].count;
}

/* The n-th place to try, or NULL. Where somebody trustworthy named one, nobody's guess is tried after it. */
static const struct endpoint *candidate(const struct flow *f, enum service service, size_t n)
{
	const struct endpoint *e;

	if (is_instead(f) && !f->request->host[service])
		return n == 0 ? &f->gmail[service] : NULL;
	if (n >= candidate_count(f, service) || n >= CANDIDATES_MOST)
		return NULL;
	if (f->request->host[service])
		return &f->named[service];
	e = &f->detect.candidates[service].item[n];
	return n == 0 || endpoint_trusted(e) || !endpoint_trusted(&f->detect.candidates[service].item[0]) ? e : NULL;
}

/* A mailbox at Microsoft or Google is best connected by that provider. IMAP is meant where it was asked for by name, where
 * there is a token for it, and at Google where there is a password: an app password opens IMAP and nothing else. */
static bool exchange_is_named(const struct flow *f)
{
	return strcmp(f->request->provider, "exchange") == 0 || f->request->ews_url;
}

static bool microsoft_is_named(const struct flow *f)
{
	return strcmp(f->request->provider, "microsoft") == 0;
}

static bool google_is_named(const struct flow *f)
{
	return strcmp(f->request->provider, "google") == 0;
}

/* The calendars alone. */
static bool caldav_is_named(const struct flow *f)
{
	return strcmp(f->request->provider, "caldav") == 0;
}

/* One that signs in to web services alone was named: nobody's IMAP is looked for. */
static bool web_is_named(const struct flow *f)
{
	return exchange_is_named(f) || microsoft_is_named(f) || google_is_named(f) || caldav_is_named(f);
}

/* The domain's mail goes to that provider, and no server was named. */
static bool mail_goes_to(const struct flow *f, const char *provider)
{
	return f->detecting && f->detect.provider && strcmp(f->detect.provider, provider) == 0 && !f->request->host[SERVICE_IMAP];
}

/* There is a token for it besides. */
static bool microsoft_is_meant(const struct flow *f)
{
	return microsoft_is_named(f) || (f->at_microsoft && mail_goes_to(f, "microsoft"));
}

static bool ask_whether_microsoft(void *self)
{
	return microsoft_is_meant(self);
}

static bool google_is_meant(const struct flow *f)
{
	return google_is_named(f) || (f->at_google && mail_goes_to(f, "google"));
}

static bool ask_whether_google(void *self)
{
	return google_is_meant(self);
}

/* Does anybody trustworthy say where the domain's IMAP is? */
static bool imap_is_announced(const struct flow *f)
{
	const struct candidates *c = &f->detect.candidates[SERVICE_IMAP];

	return f->request->host[SERVICE_IMAP] || (c->count && endpoint_trusted(&c->item[0]));
}

/* Nobody announced IMAP, and the domain's own Autodiscover answers as Exchange's does. */
static bool exchange_is_found(const struct flow *f)
{
	return f->seeking && f->exchange.found && f->detected.open && !imap_is_announced(f);
}

static bool exchange_is_meant(const struct flow *f)
{
	return exchange_is_named(f) || exchange_is_found(f);
}

static bool ask_whether_found(void *self)
{
	return exchange_is_found(self);
}

static bool imap_is_meant(const struct flow *f)
{
	const struct flow_request *q = f->request;
	const char                *provider = f->detect.provider;

	if (is_instead(f))
		return true;
	if (exchange_is_meant(f) || microsoft_is_meant(f) || google_is_meant(f) || caldav_is_named(f))
		return false;
	if (strcmp(q->provider, "imap") == 0 || q->host[SERVICE_IMAP] || !provider || strcmp(provider, "imap") == 0)
		return true;
	return q->credentials && (q->credentials->token || strcmp(provider, "google") == 0);
}

/* -- the user name ------------------------------------------------------------------------------------------------ */

static void name_user(struct flow *f, const struct endpoint *e)
{
	const char *name = f->request->username;
	const char *form = "given";

	if (!f->request->credentials)
		return;
	if (!name && e->username)
		name = e->username;
	if (!name)
		name = f->address.text, form = "address";
	f->login = (struct login){ .username = name, .username_form = form, .password = f->request->credentials->password,
	                           .token = f->request->credentials->token, .nonce = random_text(f->report->job, 24) };
	/* it may have been renewed meanwhile */
	if (is_instead(f))
		f->login.token = f->google.session.grant.access_token;
}

/* -- one service -------------------------------------------------------------------------------------------------- */

static void part_release(struct part *p)
{
	if (p->in_session && p->service == SERVICE_IMAP)
		imap_session_release(&p->session.imap);
	else if (p->in_session)
		smtp_session_release(&p->session.smtp);
	p->in_session = false;
}

static void begin_session(struct part *p)
{
	struct flow *f = p->flow;

	part_release(p);
	p->attempt = report_attempt(f->report);
	p->tried[p->tries].attempt = p->attempt;
	p->tried[p->tries++].endpoint = p->endpoint;
	if (p->service == SERVICE_IMAP)
		imap_session_init(&p->session.imap, f->report, p->endpoint, &f->login, f->waits, p->attempt);
	else
		smtp_session_init(&p->session.smtp, f->report, p->endpoint, &f->login, &f->gate, f->waits, f->request->timeout_ms,
		                  p->attempt);
	p->in_session = true;
}

/* The end of a session is not the end of the part: what went wrong is a fact now. Only being called off is passed up. */
static enum want_kind outcome(enum want_kind kind, bool *well)
{
	if (kind > WANT_FAILED)
		return kind;
	*well = kind == WANT_NOTHING;
	return WANT_NOTHING;
}

static enum want_kind open_session(struct part *p, struct want *w)
{
	return outcome(p->service == SERVICE_IMAP ? imap_open_step(&p->session.imap, w, &p->err)
	                                          : smtp_open_step(&p->session.smtp, w, &p->err), &p->well);
}

/* Another form of the user name, once, where the refusal leaves that possible: the second and last try of this password. */
static bool another_name(struct part *p)
{
	struct flow   *f = p->flow;
	struct finding finding;
	const char    *name;

	if (p->service != SERVICE_IMAP || !p->session.imap.refused || f->report->password_tries != 1 || f->request->tries_most == 1
	    || !f->login.password)
		return false;
	if (!diagnose_attempt(f->report, p->attempt, &finding) || finding.cause != CAUSE_AUTH_PASSWORD_REJECTED)
		return false;
	name = probe_other_username(f->report, p->attempt, f->address.text, f->login.username);
	if (!name)
		return false;
	f->login.username = name;
	f->login.username_form = strchr(name, '@') ? "address" : "local";
	return p->renamed = true;
}

static void note_repair(struct part *p)
{
	struct report *r = p->flow->report;

	int            step = report_find(r, "imap.login", p->attempt);

	if (p->renamed && p->session.imap.logged_in && !report_value(r, step, FACT_WORKED_AS))
		report_note(r, step, FACT_WORKED_AS, "%s", p->flow->login.username);
}

static bool step_failed(const struct part *p, const char *id)
{
	int step = p->attempt < 0 ? -1 : report_find(p->flow->report, id, p->attempt);

	return step >= 0 && p->flow->report->step[step].state == STEP_FAILED;
}

/* IMAP has answered (or never will): SMTP may know. */
static void open_gate(struct part *p)
{
	if (p->service != SERVICE_IMAP)
		return;
	p->flow->gate.refused = p->session.imap.asked && !p->session.imap.logged_in;
	p->flow->gate.in_doubt = step_failed(p, "imap.tls") || step_failed(p, "imap.starttls");
	p->flow->gate.gate.open = true;
}

static bool asked(const struct part *p)
{
	return p->service == SERVICE_IMAP ? p->session.imap.asked : p->session.smtp.asked;
}

/* The cause so far asks for a probe; PROBE_NONE when one cause stands or nothing cheap is left. */
static enum probe_kind next_probe(struct part *p)
{
	struct finding finding;

	if (p->well || p->probes >= PROBES_MOST || !diagnose_attempt(p->flow->report, p->attempt, &finding))
		return PROBE_NONE;
	return diagnose_wish(p->flow->report, p->attempt, &finding);
}

/* None of the places did: the one that stands for the service is the one to ask about. */
static void look_back(struct part *p)
{
	int best = p->well ? -1 : diagnose_best_attempt(p->flow->report, p->service);

	for (size_t i = 0; i < p->tries; i++)
		if (p->tried[i].attempt == best) {
			p->attempt = best;
			p->endpoint = p->tried[i].endpoint;
		}
}

static enum want_kind part_step(void *self, struct want *w, struct error *err)
{
	struct part    *p = self;
	struct flow    *f = p->flow;
	enum probe_kind kind;

	(void)err;
	switch (p->step) {
	case PART_START:
		if (!f->request->host[p->service] && !f->detected.open)
			return want_gate(w, &f->detected, f->request->timeout_ms);

	STEP(p, PART_SEARCHED):
		if (f->at_google && !f->google.over.open)
			return want_gate(w, &f->google.over, f->request->timeout_ms);
		/* before names are guessed: it may be Exchange */
		if (f->seeking && !exchange_is_named(f) && !imap_is_announced(f) && !f->exchange.searched.open)
			return want_gate(w, &f->exchange.searched, f->request->timeout_ms);

	STEP(p, PART_CANDIDATE):
		p->endpoint = imap_is_meant(f) ? candidate(f, p->service, p->next++) : NULL;
		if (!p->endpoint) {
			p->well = false;
			open_gate(p);
			return WANT_NOTHING;
		}
		if (p->service == SERVICE_IMAP)
			name_user(f, p->endpoint);
		begin_session(p);

	STEP(p, PART_OPEN):
		PASS(open_session(p, w));
		if (!p->well && another_name(p)) {
			begin_session(p);
			p->step = PART_ANOTHER_NAME;
		}

	__attribute__((fallthrough));
	case PART_ANOTHER_NAME:
		if (p->step == PART_ANOTHER_NAME)
			PASS(open_session(p, w));

	STEP(p, PART_LOOK):
		if (p->service == SERVICE_IMAP && (p->well || asked(p) || !candidate(f, p->service, p->next))) {
			note_repair(p);
			open_gate(p);
		}
		if (p->service == SERVICE_IMAP && p->session.imap.logged_in)
			PASS(outcome(imap_look_step(&p->session.imap, w, &p->err), &p->well));

		/* first every place that was announced, then the questions: a healthy one may come after one that is silent */
		if (!p->well && !asked(p) && !w->stopping && candidate(f, p->service, p->next)) {
			p->step = PART_CANDIDATE;
			return part_step(p, w, err);
		}
		look_back(p);

	STEP(p, PART_PROBE):
		while ((kind = next_probe(p)) != PROBE_NONE && !w->stopping) {
			probe_release(&p->probe);
			probe_init(&p->probe, kind, f->report, p->endpoint, f->waits, p->attempt);
			p->probes++;
	STEP(p, PART_NEXT):
			PASS(probe_step(&p->probe, w, &p->err));
		}

	STEP(p, PART_DONE):
		return WANT_NOTHING;
	}
	return WANT_FAILED;
}

/* -- the whole ---------------------------------------------------------------------------------------------------- */

static bool read_address(struct flow *f, const struct want *w)
{
	const char *problem = NULL;
	int         step = report_begin(f->report, "address", NO_ATTEMPT, w->now_ms);
	bool        fine = mail_address_parse(f->request->address, f->report->job, &f->address, &problem);

	if (fine)
		report_note(f->report, step, FACT_ADDRESS_DOMAIN, "%s", f->address.domain);
	else
		report_note(f->report, step, FACT_ADDRESS_PROBLEM, "%s", problem);
	if (f->request->our_addresses)
		report_note(f->report, step, FACT_OUR_ADDRESSES, "%s", f->request->our_addresses);
	report_end(f->report, step, fine ? STEP_PASSED : STEP_FAILED, w->now_ms);
	return fine;
}

static enum want_kind detect_part(void *self, struct want *w, struct error *err)
{
	struct flow *f = self;

	PASS(detect_step(&f->detect, w, err));
	for (enum service s = SERVICE_IMAP; s < SERVICES; s++)
		for (size_t i = 0; i < f->detect.candidates[s].count; i++)
			f->detect.candidates[s].item[i].trust = f->request->trust;
	f->detected.open = true;
	return WANT_NOTHING;
}

/* The servers want their time as well; where they are not asked, it is the search's, but for what it takes to conclude. */
static int detect_ms(const struct flow_request *q)
{
	return q->only_detect ? q->timeout_ms - q->timeout_ms / 10 : q->timeout_ms / 2;
}

static void name_gmail(struct flow *f)
{
	const struct hoster *gmail = hoster_find("gmail");

	for (enum service s = SERVICE_IMAP; s < SERVICES; s++)
		f->gmail[s] = (struct endpoint){ .service = s, .host = gmail->server[s].host, .port = gmail->server[s].port,
		                                 .socket = gmail->server[s].socket, .source = SOURCE_TABLE, .trust = f->request->trust };
}

/* Everything side by side: a service whose server was named does not wait for the search; who takes the domain's mail is
 * asked in any case. */
static void start_all(struct flow *f)
{
	const struct flow_request *q = f->request;

	f->detecting = true;
	detect_init(&f->detect, &f->address, f->report->job, f->report,
	            (bool[SERVICES]){ !web_is_named(f) && !q->host[SERVICE_IMAP], !web_is_named(f) && !q->host[SERVICE_SMTP] },
	            detect_ms(q));
	children_init(&f->children, UNTIL_ALL);
	if (exchange_is_named(f) || (strcmp(q->provider, "auto") == 0 && !q->host[SERVICE_IMAP])) {
		f->seeking = true;
		exchange_way_init(&f->exchange, q, f->report, &f->address, &f->detect, f->waits);
		f->exchange.detected = &f->detected;
		f->exchange.is_meant = exchange_is_named(f) ? NULL : ask_whether_found;
		f->exchange.asked = f;
		children_add(&f->children, &f->task[SERVICES + 1], exchange_way_step, &f->exchange, 0);
	}
	if (microsoft_is_named(f) || (strcmp(q->provider, "auto") == 0 && microsoft_token(q->credentials))) {
		f->at_microsoft = true;
		microsoft_way_init(&f->microsoft, q, f->report, &f->address, &f->detect, f->waits);
		f->microsoft.detected = &f->detected;
		f->microsoft.is_meant = microsoft_is_named(f) ? NULL : ask_whether_microsoft;
		f->microsoft.asked = f;
		children_add(&f->children, &f->task[SERVICES + 2], microsoft_way_step, &f->microsoft, 0);
	}
	if (google_is_named(f) || (strcmp(q->provider, "auto") == 0 && google_token(q->credentials))) {
		f->at_google = true;
		google_way_init(&f->google, q, f->report, &f->address, f->waits);
		f->google.detected = &f->detected;
		f->google.is_meant = google_is_named(f) ? NULL : ask_whether_google;
		f->google.asked = f;
		name_gmail(f);
		children_add(&f->children, &f->task[SERVICES + 3], google_way_step, &f->google, 0);
	}
	if (caldav_is_named(f) || q->caldav_url || (q->find_calendar && q->only_detect)) {
		caldav_way_init(&f->caldav, q, f->report, &f->address, &f->detect, f->waits);
		f->caldav.gate = web_is_named(f) ? NULL : &f->gate;
		children_add(&f->children, &f->task[SERVICES + 4], caldav_way_step, &f->caldav, 0);
	}
	for (enum service s = SERVICE_IMAP; s < SERVICES; s++) {
		if (q->host[s])
			name_endpoint(f, s);
		f->part[s] = (struct part){ .flow = f, .service = s, .attempt = -1 };
		if (!q->only_detect)
			children_add(&f->children, &f->task[s], part_step, &f->part[s], 0);
	}
	children_add(&f->children, &f->task[SERVICES], detect_part, f, 0);
}

static bool can_send(const struct flow *f)
{
	return f->part[SERVICE_SMTP].in_session && f->part[SERVICE_SMTP].session.smtp.logged_in && f->part[SERVICE_SMTP].well;
}

static void start_testmail(struct flow *f)
{
	struct part *imap = &f->part[SERVICE_IMAP];

	f->sending = true;
	testmail_init(&f->testmail, f->report, &f->part[SERVICE_SMTP].session.smtp,
	              imap->well && imap->in_session && imap->session.imap.logged_in ? &imap->session.imap : NULL,
	              f->address.text, f->request->send_to, f->waits);
	f->testmail.has_come = f->request->arrived;
	f->testmail.asked = f->request->arrival;
}

static bool exchange_can_send(const struct flow *f)
{
	return f->exchange.in_session && f->exchange.session.inbox_open && f->exchange.session.logged_in;
}

static bool microsoft_can_send(const struct flow *f)
{
	return f->microsoft.in_session && f->microsoft.session.inbox_open && rights_send(f->request->terms.rights);
}

static bool google_can_send(const struct flow *f)
{
	return f->google.in_session && f->google.well && rights_send(f->request->terms.rights);
}

/* Over whichever web service the mailbox was opened. */
static void start_webmail(struct flow *f)
{
	const struct flow_request *q = f->request;
	const char                *address = f->address.text;

	f->sending = true;
	if (exchange_can_send(f))
		webmail_init(&f->webmail, &exchange_mail, &f->exchange.session, f->report, f->exchange.attempt, address, q->send_to);
	else if (microsoft_can_send(f))
		webmail_init(&f->webmail, &graph_mail, &f->microsoft.session, f->report, f->microsoft.attempt, address, q->send_to);
	else
		webmail_init(&f->webmail, &google_mail, &f->google.mail, f->report, f->google.attempt, address, q->send_to);
	f->webmail.has_come = q->arrived;
	f->webmail.asked = q->arrival;
}

/* A calendar behind a web service, whose mailbox it stands beside: as whom it is written into. NULL: none that may be written to. */
static const struct webevent_ways *calendar_of(struct flow *f, void **session, int *attempt)
{
	bool writable = rights_write_calendar(f->request->terms.rights);

	if (exchange_can_send(f) && f->exchange.session.has_calendar) {
		*session = &f->exchange.session;
		*attempt = f->exchange.attempt;
		return &exchange_event;
	}
	if (f->microsoft.in_session && f->microsoft.session.has_calendar && writable) {
		*session = &f->microsoft.session;
		*attempt = f->microsoft.attempt;
		return &graph_event;
	}
	if (google_can_send(f) && f->google.session.has_calendar) {
		*session = &f->google.session;
		*attempt = f->google.attempt;
		return &google_event;
	}
	return NULL;
}

/* Only where it was asked for is anything written, and only where the time will do to remove it again. */
static void start_webevent(struct flow *f, const struct want *w)
{
	const struct flow_request  *q = f->request;
	int                         attempt;
	void                       *session;
	const struct webevent_ways *ways = calendar_of(f, &session, &attempt);
	int64_t                     left = f->report->began_ms + q->timeout_ms - w->now_ms;

	if (!ways)
		return;
	if (!q->calendar_test)
		report_skip(f->report, ways->id, attempt, "not_asked", w->now_ms);
	else if (left < WEBEVENT_ROOM_MS && left < q->timeout_ms / 2)
		report_skip(f->report, ways->id, attempt, "no_time", w->now_ms);
	else
		webevent_init(&f->webevent, ways, session, f->report, attempt);
}

static void start_sending(struct flow *f, const struct want *w)
{
	const struct flow_request *q = f->request;

	if ((exchange_can_send(f) || microsoft_can_send(f) || google_can_send(f)) && q->send_test)
		start_webmail(f);
	else if (exchange_can_send(f))
		report_skip(f->report, "exchange.send", f->exchange.attempt, "not_asked", w->now_ms);
	else if (microsoft_can_send(f))
		report_skip(f->report, "microsoft.send", f->microsoft.attempt, "not_asked", w->now_ms);
	else if (google_can_send(f))
		report_skip(f->report, "google.send", f->google.attempt, "not_asked", w->now_ms);
	else if (can_send(f) && q->send_test)
		start_testmail(f);
	else if (can_send(f))
		report_skip(f->report, "smtp.send", f->part[SERVICE_SMTP].attempt, "not_asked", w->now_ms);
}

static bool is_open(const struct part *p)
{
	return p->in_session && (p->service == SERVICE_IMAP ? p->session.imap.base.line.open : p->session.smtp.base.line.open);
}

static void note_sent(struct flow *f)
{
	int  step = report_find(f->report, "address", NO_ATTEMPT);
	bool any = false;

	for (size_t i = 0; i < f->report->fact_count; i++)
		any |= strcmp(f->report->fact[i].name, FACT_AUTH_MECHANISM) == 0;
	report_note(f->report, step, FACT_AUTH_SENT, "%s", any ? "yes" : "no");
}

enum want_kind flow_step(void *self, struct want *w, struct error *err)
{
	struct flow               *f = self;
	const struct flow_request *q = f->request;

	switch (f->step) {
	case FLOW_START:
		f->report->began_ms = w->now_ms;
		f->report->began_unix = w->now_unix;
		if (!read_address(f, w))
			return WANT_NOTHING;
		start_all(f);
		AWAIT(f, FLOW_VERIFIED, want_children(w, &f->children, q->timeout_ms)):
		want_came(w);
		start_webevent(f, w);

	STEP(f, FLOW_CALENDAR):
		if (f->webevent.job)
			PASS(webevent_step(&f->webevent, w, err));
		start_sending(f, w);

	STEP(f, FLOW_SEND):
		if (f->sending)
			PASS(f->webmail.job ? webmail_step(&f->webmail, w, err) : testmail_step(&f->testmail, w, err));
		note_sent(f);
		if (is_open(&f->part[SERVICE_IMAP])) {
			imap_goodbye(&f->part[SERVICE_IMAP].session.imap, w);
			AWAIT(f, FLOW_LOGOUT, want_write(w, &f->part[SERVICE_IMAP].session.imap.base.line, GOODBYE_MS)):
			want_came(w);
		}
		if (is_open(&f->part[SERVICE_SMTP])) {
			smtp_goodbye(&f->part[SERVICE_SMTP].session.smtp, w);
			AWAIT(f, FLOW_QUIT, want_write(w, &f->part[SERVICE_SMTP].session.smtp.base.line, GOODBYE_MS)):
			want_came(w);
		}

	STEP(f, FLOW_DONE):
		return WANT_NOTHING;
	}
	return WANT_FAILED;
}

struct flow *flow_new(const struct flow_request *q)
{
	struct flow *f = must_alloc(sizeof *f);

	*f = (struct flow){ .request = q, .report = report_new(q->address), .waits = waits_within(q->timeout_ms) };
	if (q->credentials)
		report_guard(f->report, &q->credentials->secrets);
	f->report->keep_talk = q->keep_talk;
	f->report->watch = q->watch;
	f->report->watcher = q->watcher;
	return f;
}

static void flow_release(struct flow *f)
{
	if (f->detecting)
		detect_release(&f->detect);
	if (f->testmail.job)
		testmail_release(&f->testmail);
	webmail_release(&f->webmail);
	webevent_release(&f->webevent);
	exchange_way_release(&f->exchange);
	microsoft_way_release(&f->microsoft);
	google_way_release(&f->google);
	caldav_way_release(&f->caldav);
	for (enum service s = SERVICE_IMAP; s < SERVICES; s++) {
		part_release(&f->part[s]);
		probe_release(&f->part[s].probe);
	}
}

void flow_free(struct flow *f)
{
	if (!f)
		return;
	flow_release(f);
	report_free(f->report);
	free(f);
}

static bool signed_in(const struct part *p)
{
	return p->well && p->in_session && (p->service == SERVICE_IMAP ? p->session.imap.logged_in : p->session.smtp.logged_in);
}

/* Where nobody named the web service it may still be Exchange that was meant: then its user name counts. */
static void note_exchange(struct flow *f, struct flow_worked *out)
{
	const struct exchange_session *s = &f->exchange.session;
	struct arena                  *job = f->report->job;
	struct endpoint               *e = &out->endpoint[SERVICE_WEB];

	*e = *f->exchange.endpoint;
	e->host = arena_str(job, e->host);
	e->path = arena_str(job, e->path);
	e->username = NULL;
	e->trust = NULL;
	out->well[SERVICE_WEB] = true;
	out->username = arena_str(job, f->exchange.login.username);
	out->mailbox = arena_str(job, s->address);
	out->others = s->others;
	out->act_as = s->act_as;
}

/* Graph's host follows from the settings each time: here it is what is shown and counted. */
static void note_microsoft(struct flow *f, struct flow_worked *out)
{
	const struct microsoft_session *s = &f->microsoft.session;
	struct arena                   *job = f->report->job;

	out->endpoint[SERVICE_WEB] = s->graph;
	out->endpoint[SERVICE_WEB].host = arena_str(job, s->graph.host);
	out->endpoint[SERVICE_WEB].path = "/v1.0";
	out->well[SERVICE_WEB] = true;
	out->interface = "graph";
	out->username = arena_str(job, s->others ? s->delegate : f->address.text);
	out->others = s->others;
	out->mailbox = arena_str(job, s->user.id);
}

/* Calendars that were seen, whatever may be done with them: beside a mailbox, or in its place. */
static void note_calendars(struct flow *f, struct flow_worked *out)
{
	struct arena   *job = f->report->job;
	struct endpoint e = *f->caldav.endpoint;
	const char     *username = arena_str(job, f->caldav.login.username ? f->caldav.login.username : f->address.text);

	e.host = arena_str(job, e.host);
	e.path = arena_str(job, f->caldav.session.listed);
	e.username = NULL;
	e.trust = NULL;
	if (!caldav_is_named(f)) {
		out->calendar = (struct flow_calendar){ true, e, username };
		return;
	}
	out->endpoint[SERVICE_WEB] = e;
	out->well[SERVICE_WEB] = true;
	out->interface = "caldav";
	out->username = username;
	out->mailbox = arena_str(job, f->address.text);
}

/* Where Gmail is, is known: here it is what is shown and counted. */
static void note_google(struct flow *f, struct flow_worked *out)
{
	const struct google_session *s = &f->google.session;
	struct arena                *job = f->report->job;

	out->endpoint[SERVICE_WEB] = s->line[GOOGLE_MAIL].endpoint;
	out->endpoint[SERVICE_WEB].host = arena_str(job, out->endpoint[SERVICE_WEB].host);
	out->endpoint[SERVICE_WEB].path = "/gmail/v1";
	out->well[SERVICE_WEB] = true;
	out->interface = "gmail";
	out->username = arena_str(job, f->address.text);
	out->mailbox = arena_str(job, s->profile.address ? s->profile.address : s->account.address ? s->account.address : f->address.text);
}

static void note_worked(struct flow *f, struct flow_worked *out)
{
	struct arena *job = f->report->job;

	*out = (struct flow_worked){ .username = f->login.username ? arena_str(job, f->login.username) : NULL };
	for (enum service s = SERVICE_IMAP; s < SERVICES; s++) {
		const struct part *p = &f->part[s];

		if (!signed_in(p))
			continue;
		out->well[s] = true;
		out->endpoint[s] = *p->endpoint;
		out->endpoint[s].host = arena_str(job, p->endpoint->host);
		out->endpoint[s].username = NULL;
		out->endpoint[s].trust = NULL;
	}
	if (f->exchange.well && f->exchange.in_session && f->exchange.session.inbox_open)
		note_exchange(f, out);
	if (f->microsoft.in_session && microsoft_is_open(&f->microsoft.session))
		note_microsoft(f, out);
	if (f->google.in_session && f->google.session.signed_in
	    && (f->google.session.mailbox_open || (f->google.session.has_calendar && !rights_have_mail(f->request->terms.rights))))
		note_google(f, out);
	if (is_instead(f) && out->well[SERVICE_IMAP])
		out->interface = "gmail_imap";
	if (f->caldav.in_session && f->caldav.session.calendars)
		note_calendars(f, out);
	if (out->well[SERVICE_IMAP]) {
		out->uidvalidity = f->part[SERVICE_IMAP].session.imap.uidvalidity;
		out->uidnext = f->part[SERVICE_IMAP].session.imap.uidnext;
	}
}

/* The first URL that a password may go to; where Autodiscover wants a sign-in first, there is none yet. */
static const char *found_ews_url(const struct flow *f)
{
	const struct exchange_way *way = &f->exchange;

	for (size_t i = 0; !f->request->ews_url && way->found && i < way->places; i++)
		if (!way->discovers[i] && endpoint_trusted(&way->place[i]))
			return exchange_url_at(way->place[i].host, way->place[i].port, way->place[i].path, f->report->job);
	return NULL;
}

/* The first of them, where it is nobody's guess. */
static const char *found_caldav_url(const struct flow *f)
{
	const struct endpoint *e = f->caldav.places ? &f->caldav.place[0] : NULL;

	if (!e || !endpoint_trusted(e))
		return NULL;
	return exchange_url_at(e->host, e->port, e->path && *e->path ? e->path : "/", f->report->job);
}

void flow_found(const struct flow *f, struct flow_found *out)
{
	bool exchange = exchange_is_found(f) || (f->seeking && exchange_is_named(f));

	*out = (struct flow_found){ .provider = exchange_is_found(f) ? "exchange" : f->detect.provider,
		.ews_url = exchange ? found_ews_url(f) : NULL,
		.caldav_url = f->request->find_calendar ? found_caldav_url(f) : NULL };
	for (enum service s = SERVICE_IMAP; s < SERVICES; s++) {
		size_t           count = f->detecting ? candidate_count(f, s) : 0;
		struct endpoint *item = arena_get(f->report->job, (count + 1) * sizeof *item);

		for (size_t i = 0; i < count; i++) {
			item[i] = f->request->host[s] ? f->named[s] : f->detect.candidates[s].item[i];
			item[i].host = arena_str(f->report->job, item[i].host);
			item[i].username = NULL;
		}
		out->item[s] = item;
		out->count[s] = count;
		out->not_offered[s] = f->detect.not_offered[s];
	}
}

/* By which of them it is connected, or should have been. */
static const char *provider_of(struct flow *f)
{
	const char *named = f->request->provider;

	if (exchange_is_meant(f) || microsoft_is_meant(f))
		return exchange_is_meant(f) ? "exchange" : "microsoft";
	if (google_is_meant(f))
		return is_instead(f) && signed_in(&f->part[SERVICE_IMAP]) ? "imap" : "google";
	return strcmp(named, "auto") != 0 ? named : imap_is_meant(f) ? "imap" : f->detect.provider;
}

struct report *flow_end(struct flow *f, int ms, struct verdict *v, struct flow_worked *worked)
{
	struct report *r = f->report;

	r->provider = provider_of(f);
	r->ms = ms;
	note_worked(f, worked);
	flow_release(f);
	report_finish(r);
	r->secrets = NULL;
	diagnose(r, v);
	free(f);
	return r;
}

bool flow_run(struct task *t, const struct net_settings *settings, struct error *err)
{
	struct net *net = net_new(settings, err);

	if (!net)
		return false;
	running_net = net;
	net_run(net, t);
	running_net = NULL;
	net_free(net);
	return true;
}

struct report *flow_diagnose(const struct flow_request *q, const struct net_settings *settings, struct verdict *v, struct error *err)
{
	struct net        *net = net_new(settings, err);
	struct flow       *f;
	struct task        task;
	struct report     *r;
	struct flow_worked worked;

	if (!net)
		return NULL;
	f = flow_new(q);
	task = (struct task){ .step = flow_step, .self = f, .wait_ms = q->timeout_ms };
	running_net = net;
	net_run(net, &task);
	running_net = NULL;
	r = flow_end(f, task.ms, v, &worked);
	net_free(net);
	return r;
}

void flow_stop(void)
{
	if (running_net)
		net_stop(running_net);
}
