#include "detect/exchange.h"

#include <assert.h>

#include "detect/domain.h"
#include "detect/parts.h"
#include "model/exchange_url.h"
#include "model/facts.h"
#include "wire/autodiscover.h"
#include "wire/signin_page.h"

#define DNS_WAIT_MS    4000
#define PATIENCE_MS    2500      /* how long better sources may keep us waiting when one is in hand */
#define BODY_MOST      ((size_t)256 * 1024)
#define POX_PATH       "/autodiscover/autodiscover.xml"
#define MICROSOFT_HOST "outlook.office365.com"

enum { SEARCH_START, SEARCH_RACE };
enum { ALL_START, ALL_ASKED };
enum { ENOUGH_START, ENOUGH_IN_HAND, ENOUGH_SETTLED };
enum { QUESTION_START, QUESTION_PREDECESSOR, QUESTION_FETCH };

void exchange_search_init(struct exchange_search *s, const struct mail_address *address, struct detect *detect, struct arena *job,
                          struct report *report, int wait_ms)
{
	assert(wait_ms > 0);
	*s = (struct exchange_search){
		.address = address, .detect = detect, .job = job, .report = report, .wait_ms = wait_ms, .reported = -1,
	};
}

void exchange_search_release(struct exchange_search *s)
{
	dns_lookup_release(&s->srv);
	for (size_t i = 0; i < EXCHANGE_QUESTIONS; i++)
		if (s->question[i].begun)
			fetch_release(&s->question[i].fetch);
}

static int time_left(const struct exchange_search *s, const struct want *w)
{
	int64_t left = s->wait_ms - (w->now_ms - s->began);

	return left > 1 ? (int)left : 1;
}

static int at_most(int ms, int most)
{
	return ms < most ? ms : most;
}

static enum want_kind called_off(const struct exchange_search *s, struct error *err)
{
	fail(err, FAULT_CANCELLED, "looking for the Exchange server of %s was called off", s->address->domain);
	return WANT_FAILED;
}

/* -- what is asked ------------------------------------------------------------------------------------------------ */

enum way { WAY_V2, WAY_POX, WAY_PLAIN };

enum after { AFTER_NOTHING, AFTER_EXCHANGER, AFTER_PLAIN, AFTER_SRV };

/* Its place in the table is its rank. */
struct exchange_kind {
	enum way             way;
	enum endpoint_source source;      /* of what is said, if that comes from where it was asked for */
	enum after           after;
	size_t               srv;         /* which target                                               */
	const char        *(*url)(const struct exchange_question *);      /* NULL from it: not asked    */
};

static const char *own_name(const struct exchange_question *q)
{
	return arena_print(q->search->job, "autodiscover.%s", q->search->address->domain);
}

static const char *v2_url(const struct exchange_question *q, const char *authority)
{
	return autodiscover_v2_url(authority, q->search->address->text, q->search->job);
}

static const char *pox_url(const struct exchange_question *q, const char *authority)
{
	return arena_print(q->search->job, "https://%s" POX_PATH, authority);
}

static const char *v2_own_url(const struct exchange_question *q)   { return v2_url(q, own_name(q)); }
static const char *v2_bare_url(const struct exchange_question *q)  { return v2_url(q, q->search->address->domain); }
static const char *pox_own_url(const struct exchange_question *q)  { return pox_url(q, own_name(q)); }
static const char *pox_bare_url(const struct exchange_question *q) { return pox_url(q, q->search->address->domain); }
static const char *redirect_url(const struct exchange_question *q) { return q->search->redirect; }

static const char *plain_url(const struct exchange_question *q)
{
	return arena_print(q->search->job, "http://%s" POX_PATH, own_name(q));
}

/* These two are asked in any case. */
static bool is_standard_host(const struct exchange_question *q, const char *host)
{
	return strcmp(host, q->search->address->domain) == 0 || strcmp(host, own_name(q)) == 0;
}

/* The target as it stands in a URL; NULL when there is none, or none that has to be asked for once more. */
static const char *srv_authority(const struct exchange_question *q)
{
	const struct dns_record *record = q->kind->srv < q->search->srv.count ? &q->search->srv.record[q->kind->srv] : NULL;

	if (!record || !record->target[0] || record->port == 0)
		return NULL;
	if (record->port == 443)
		return is_standard_host(q, record->target) ? NULL : record->target;
	return arena_print(q->search->job, "%s:%u", record->target, record->port);
}

static bool is_own(const struct exchange_search *s, const char *host)
{
	return same_registrable_domain(host, s->address->domain);
}

/* The address is for the domain's own hosts. */
static const char *srv_v2_url(const struct exchange_question *q)
{
	const char *authority = srv_authority(q);

	return authority && is_own(q->search, q->search->srv.record[q->kind->srv].target) ? v2_url(q, authority) : NULL;
}

static const char *srv_pox_url(const struct exchange_question *q)
{
	const char *authority = srv_authority(q);

	return authority ? pox_url(q, authority) : NULL;
}

static bool points_to_microsoft(const struct exchange_search *s)
{
	return s->microsoft || (s->detect && s->detect->provider && strcmp(s->detect->provider, "microsoft") == 0);
}

static const char *microsoft_url(const struct exchange_question *q)
{
	return points_to_microsoft(q->search) ? v2_url(q, MICROSOFT_HOST) : NULL;
}

static const struct exchange_kind kinds[EXCHANGE_QUESTIONS] = {
	{ WAY_V2,    SOURCE_AUTODISCOVER,           AFTER_NOTHING,   0, v2_own_url    },
	{ WAY_V2,    SOURCE_AUTODISCOVER,           AFTER_NOTHING,   0, v2_bare_url   },
	{ WAY_V2,    SOURCE_AUTODISCOVER_SRV,       AFTER_SRV,       0, srv_v2_url    },
	{ WAY_V2,    SOURCE_AUTODISCOVER_SRV,       AFTER_SRV,       1, srv_v2_url    },
	{ WAY_POX,   SOURCE_AUTODISCOVER,           AFTER_NOTHING,   0, pox_own_url   },
	{ WAY_POX,   SOURCE_AUTODISCOVER,           AFTER_NOTHING,   0, pox_bare_url  },
	{ WAY_POX,   SOURCE_AUTODISCOVER_SRV,       AFTER_SRV,       0, srv_pox_url   },
	{ WAY_POX,   SOURCE_AUTODISCOVER_SRV,       AFTER_SRV,       1, srv_pox_url   },
	{ WAY_PLAIN, SOURCE_AUTODISCOVER_REDIRECT,  AFTER_NOTHING,   0, plain_url     },
	{ WAY_POX,   SOURCE_AUTODISCOVER_REDIRECT,  AFTER_PLAIN,     0, redirect_url  },
	{ WAY_V2,    SOURCE_AUTODISCOVER_MICROSOFT, AFTER_EXCHANGER, 0, microsoft_url },
};

#define PLAIN_QUESTION 8

static int rank_of(const struct exchange_question *q)
{
	return (int)(q->kind - kinds);
}

/* -- the list ----------------------------------------------------------------------------------------------------- */

static bool is_hint(const struct exchange_place *p)
{
	return p->online && p->source == SOURCE_AUTODISCOVER_MICROSOFT;
}

static bool comes_before(const struct exchange_place *a, const struct exchange_place *b)
{
	if (is_hint(a) != is_hint(b))
		return is_hint(b);
	if (a->trusted != b->trusted)
		return a->trusted;
	if (a->kind != b->kind)
		return a->kind < b->kind;
	return a->rank < b->rank;
}

/* Of the same URL the better stays; when there is no room the worst goes. */
static void add_place(struct exchange_search *s, struct exchange_place p)
{
	size_t at;

	p.trusted = endpoint_trusted(&(struct endpoint){ .host = p.host, .port = p.port, .source = p.source });
	for (size_t i = 0; i < s->count; i++) {
		if (strcmp(s->place[i].url, p.url) != 0)
			continue;
		if (!comes_before(&p, &s->place[i]))
			return;
		memmove(&s->place[i], &s->place[i + 1], (--s->count - i) * sizeof s->place[0]);
		break;
	}
	for (at = s->count; at > 0 && comes_before(&p, &s->place[at - 1]); at--)
		;
	if (at == EXCHANGE_PLACES)
		return;
	if (s->count == EXCHANGE_PLACES)
		s->count--;
	memmove(&s->place[at + 1], &s->place[at], (s->count - at) * sizeof s->place[0]);
	s->place[at] = p;
	s->count++;
}

/* -- what was answered -------------------------------------------------------------------------------------------- */

/* Who speaks in the end: a redirect may have led to somebody else, who is heard but has to be confirmed. */
static enum endpoint_source source_of(const struct exchange_question *q)
{
	bool own = is_own(q->search, q->fetch.url.host);

	switch (q->kind->source) {
	case SOURCE_AUTODISCOVER_MICROSOFT:
		/* Sent on to the domain's own host over https, it is that host that speaks. */
		return own ? SOURCE_AUTODISCOVER : SOURCE_AUTODISCOVER_MICROSOFT;
	case SOURCE_AUTODISCOVER:
		return own ? SOURCE_AUTODISCOVER : SOURCE_AUTODISCOVER_REDIRECT;
	case SOURCE_AUTODISCOVER_SRV:
		return own ? SOURCE_AUTODISCOVER_SRV : SOURCE_AUTODISCOVER_SRV_FOREIGN;
	default:
		return q->kind->source;
	}
}

/* X-OWA-Version, when it is a version. */
static const char *build_of(const struct exchange_question *q)
{
	struct signin_seen seen;

	signin_page_read(q->fetch.answer.status, slice("", 0), buffer_held(&q->fetch.answer.head), slice("", 0), q->search->job, &seen);
	return seen.build;
}

static void take_ews_url(struct exchange_question *q, const char *told)
{
	struct exchange_search *s = q->search;
	struct exchange_url     url;

	exchange_url_read(told, s->job, &url);
	if (url.problem) {
		q->outcome = arena_print(s->job, "%d, no usable URL: %s", q->fetch.answer.status, url.problem);
		return;
	}
	add_place(s, (struct exchange_place){
		.kind = PLACE_EWS, .url = exchange_url_at(url.host, url.port, url.path, s->job), .host = url.host, .port = url.port,
		.source = source_of(q), .online = url.online, .sure = true, .rank = rank_of(q),
		.build = strcmp(url.host, q->fetch.url.host) == 0 ? build_of(q) : NULL,
	});
	q->outcome = arena_print(s->job, "%d, EWS is at %s", q->fetch.answer.status, exchange_url_at(url.host, url.port, url.path, s->job));
}

/* Errors too are JSON, with 200 from some and with 400 or 404 from others. */
static void take_v2(struct exchange_question *q)
{
	struct autodiscover_v2 answer;
	struct error           broken;

	if (q->fetch.came != CAME || q->fetch.problem)
		return;
	if (!autodiscover_v2_read(buffer_held(&q->fetch.answer.body), q->search->job, &answer, &broken)) {
		if (q->fetch.answer.status == 200)
			q->outcome = "200, no answer of Autodiscover";
		return;
	}
	if (answer.url && q->fetch.answer.status == 200)
		take_ews_url(q, answer.url);
	else
		q->outcome = arena_print(q->search->job, "%d, %s", q->fetch.answer.status, answer.error_code ? answer.error_code : "no URL");
}

/* The schemes that the 401 offers, each once; "" for none. They stand in one line or in several, and their parameters are no business
 * of ours. */
static const char *schemes_offered(const struct exchange_question *q)
{
	static const char *const known[] = { "Negotiate", "NTLM", "Bearer", "Basic", "Digest" };
	const char  *all = "";
	struct slice rest = buffer_held(&q->fetch.answer.head);

	for (size_t i = 0; i < COUNT(known); i++) {
		bool offered = false;

		for (struct slice lines = rest; lines.at && lines.len;) {
			struct slice line = slice_cut(&lines, '\n'), name = slice_cut(&line, ':');

			while (slice_is(name, "WWW-Authenticate") && line.at) {
				struct slice part = slice_trim(slice_cut(&line, ','));

				offered = offered || slice_is(slice_upto(part, slice_find(part, ' ')), known[i]);
			}
		}
		if (offered)
			all = arena_print(q->search->job, "%s%s%s", all, *all ? " " : "", known[i]);
	}
	return all;
}

/* What only Exchange says, or what few but a Windows server offer. */
static bool shows_exchange(const struct exchange_question *q, const char *schemes)
{
	static const char *const fields[] = { "X-OWA-Version", "X-FEServer", "X-SOAP-Enabled", "X-WSSecurity-Enabled", "X-OAuth-Enabled" };
	struct slice value;

	for (size_t i = 0; i < COUNT(fields); i++)
		if (http_header(&q->fetch.answer, fields[i], &value))
			return true;
	return slice_has(slice_str(schemes), "NTLM") || slice_has(slice_str(schemes), "Negotiate");
}

/* It answers without asking who we are: mail servers that are no Exchange tell Outlook of their IMAP in this way. */
static const char *open_document(const struct exchange_question *q)
{
	struct autodiscover_answer answer;
	struct error               broken;

	return autodiscover_read(buffer_held(&q->fetch.answer.body), q->search->job, &answer, &broken)
	         ? "200, Autodiscover that wants no sign-in" : "200, no Autodiscover";
}

static void take_pox(struct exchange_question *q)
{
	struct exchange_search *s = q->search;
	const char             *schemes;

	if (q->fetch.came != CAME || q->fetch.problem)
		return;
	if (q->fetch.answer.status == 200)
		q->outcome = open_document(q);
	if (q->fetch.answer.status != 401)
		return;
	schemes = schemes_offered(q);
	q->outcome = arena_print(s->job, "401, %s", *schemes ? schemes : "no scheme that is known");
	if (!*schemes)
		return;
	add_place(s, (struct exchange_place){
		.kind = PLACE_AUTODISCOVER, .url = q->fetch.url.text, .host = q->fetch.url.host, .port = q->fetch.url.port,
		.source = source_of(q), .online = exchange_is_online(q->fetch.url.host), .sure = shows_exchange(q, schemes),
		.build = build_of(q), .rank = rank_of(q),
	});
}

/* Anybody on the way may have written that: nothing but the Location is read, and where it leads is to be confirmed. */
static void take_plain(struct exchange_question *q)
{
	struct exchange_search *s = q->search;
	struct slice            location;
	struct http_url         next;

	if (q->fetch.answer.status < 300 || q->fetch.answer.status > 399 || !http_header(&q->fetch.answer, "Location", &location))
		return;
	if (!http_url_follow(&q->fetch.url, location, s->job, &next)) {
		q->outcome = arena_print(s->job, "%d, to no URL", q->fetch.answer.status);
		return;
	}
	q->outcome = arena_print(s->job, "%d, to %s", q->fetch.answer.status, next.text);
	if (!next.secure || (is_standard_host(q, next.host) && next.port == 443 && slice_is(slice_str(next.target), POX_PATH)))
		return;
	s->redirect = next.text;
}

/* -- how long to wait --------------------------------------------------------------------------------------------- */

/* As in detect.c: one of the domain's own answers is enough as soon as nothing better can come, or after a while. */
static void judge(struct exchange_search *s)
{
	if (s->count == 0 || !s->place[0].trusted)
		return;
	s->in_hand.open = true;
	for (int i = 0; i < s->place[0].rank; i++)
		if (!s->question[i].over.open)
			return;
	s->settled.open = true;
}

static enum want_kind enough_step(void *self, struct want *w, struct error *err)
{
	struct exchange_part   *enough = self;
	struct exchange_search *s = enough->search;

	switch (enough->step) {
	case ENOUGH_START:
		AWAIT(enough, ENOUGH_IN_HAND, want_gate(w, &s->in_hand, time_left(s, w))):
		if (want_came(w) == CAME_CANCELLED)
			return called_off(s, err);
		AWAIT(enough, ENOUGH_SETTLED, want_gate(w, &s->settled, PATIENCE_MS)):
		if (want_came(w) == CAME_CANCELLED)
			return called_off(s, err);
	}
	return WANT_NOTHING;
}

/* -- a question --------------------------------------------------------------------------------------------------- */

static bool may_follow(const void *judge_of, const struct http_url *next)
{
	const struct exchange_question *q = judge_of;

	if (q->kind->way == WAY_PLAIN)
		return false;
	/* Microsoft knows the address by then, and may send us on among its own. */
	if (q->kind->source == SOURCE_AUTODISCOVER_MICROSOFT && exchange_is_online(next->host))
		return true;
	return keeps_address(q->search->address, next, q->search->job);
}

static const struct gate *predecessor(const struct exchange_question *q)
{
	struct exchange_search *s = q->search;

	switch (q->kind->after) {
	case AFTER_NOTHING:   return NULL;
	case AFTER_PLAIN:     return &s->question[PLAIN_QUESTION].over;
	case AFTER_SRV:       return &s->srv_over;
	/* What the caller says suffices, and nobody else says anything where detect does not run. */
	case AFTER_EXCHANGER: return s->microsoft || !s->detect ? NULL : &s->detect->exchanger_known;
	}
	return NULL;
}

static bool begin(struct exchange_question *q, const struct want *w)
{
	struct exchange_search *s = q->search;
	const char             *url = q->kind->url(q);

	if (!url)
		return false;
	fetch_init(&q->fetch, s->job, "GET", url, at_most(time_left(s, w), EXCHANGE_WAIT_MS), BODY_MOST);
	q->fetch.may_follow = may_follow;
	q->fetch.judge = q;
	q->fetch.tls = arena_get(s->job, sizeof *q->fetch.tls);
	if (q->kind->source != SOURCE_AUTODISCOVER_MICROSOFT)
		q->fetch.request.trust = s->trust;
	q->fetch.request.headers[0] = q->kind->way == WAY_V2 ? "Accept: application/json" : "Accept: text/xml, application/xml";
	return q->begun = true;
}

static void take(struct exchange_question *q)
{
	switch (q->kind->way) {
	case WAY_V2:    take_v2(q); break;
	case WAY_POX:   take_pox(q); break;
	case WAY_PLAIN: take_plain(q); break;
	}
}

static enum want_kind question_step(void *self, struct want *w, struct error *err)
{
	struct exchange_question *q = self;

	switch (q->step) {
	case QUESTION_START:
		while (predecessor(q) && !predecessor(q)->open) {
			AWAIT(q, QUESTION_PREDECESSOR, want_gate(w, predecessor(q), time_left(q->search, w))):
			switch (want_came(w)) {
			case CAME:           continue;
			case CAME_CANCELLED: return called_off(q->search, err);
			default:             return WANT_NOTHING;      /* nobody has time any more */
			}
		}
		if (begin(q, w)) {
			STEP(q, QUESTION_FETCH):
			PASS(fetch_step(&q->fetch, w, err));
			take(q);
		}
	}
	q->over.open = true;
	judge(q->search);
	return WANT_NOTHING;
}

static enum want_kind srv_step(void *self, struct want *w, struct error *err)
{
	struct exchange_search *s = self;

	PASS(dns_lookup_step(&s->srv, w, err));
	s->not_offered = s->srv.count == 1 && s->srv.record[0].target[0] == '\0';
	s->srv_over.open = true;
	return WANT_NOTHING;
}

static enum want_kind all_step(void *self, struct want *w, struct error *err)
{
	struct exchange_part   *all = self;
	struct exchange_search *s = all->search;

	switch (all->step) {
	case ALL_START:
		children_init(&all->children, UNTIL_ALL);
		children_add(&all->children, &s->srv_task, srv_step, s, 0);
		for (size_t i = 0; i < EXCHANGE_QUESTIONS; i++)
			children_add(&all->children, &s->question[i].task, question_step, &s->question[i], 0);
		AWAIT(all, ALL_ASKED, want_children(w, &all->children, time_left(s, w))):
		if (want_came(w) == CAME_CANCELLED)
			return called_off(s, err);
	}
	return WANT_NOTHING;
}

/* -- facts -------------------------------------------------------------------------------------------------------- */

/* The query has the address in it, which is of no use to anybody here. */
static const char *without_query(const struct exchange_search *s, const char *url)
{
	return arena_copy(s->job, slice_upto(slice_str(url), slice_find(slice_str(url), '?')));
}

static const char *outcome_of(const struct exchange_question *q)
{
	const char *result = q->outcome ? q->outcome : fetch_result(&q->fetch);

	if (!q->over.open)
		return "not waited for";
	if (q->fetch.came == CAME_TLS_FAILED && q->fetch.tls->verify[0] && strcmp(q->fetch.tls->verify, "ok") != 0)
		return arena_print(q->search->job, "%s, %s", result, q->fetch.tls->verify);
	return result;
}

/* Where it did not follow, who should have been asked is worth knowing. */
static const char *not_followed(const struct exchange_question *q)
{
	struct slice    location;
	struct http_url next;

	if (!q->over.open || q->kind->way == WAY_PLAIN || !q->fetch.problem || !http_header(&q->fetch.answer, "Location", &location)
	    || !http_url_follow(&q->fetch.url, location, q->search->job, &next))
		return "";
	return arena_print(q->search->job, " to %s", without_query(q->search, next.text));
}

static void question_facts(const struct exchange_question *q)
{
	struct exchange_search *s = q->search;
	bool                    moved = q->begun && q->fetch.redirects;

	if (q->begun)
		report_note(s->report, s->reported, FACT_LOOKED_AT, "%s: %s%s%s%s", without_query(s, q->fetch.start_url), outcome_of(q),
		            not_followed(q), moved ? ", from " : "", moved ? without_query(s, q->fetch.url.text) : "");
}

static void place_facts(const struct exchange_search *s, const struct exchange_place *p)
{
	report_note(s->report, s->reported, FACT_EXCHANGE_PLACE, "%s %s %s %s%s%s%s%s", p->kind == PLACE_EWS ? "ews" : "autodiscover", p->url,
	            endpoint_source_name(p->source), p->trusted ? "trusted" : "to be confirmed", p->sure ? "" : ", no sign of Exchange",
	            p->online ? ", online" : "", p->build ? ", " : "", p->build ? p->build : "");
}

static void srv_facts(const struct exchange_search *s)
{
	const char *result = s->srv_over.open ? dns_outcome_name(s->srv.outcome) : "not waited for";

	for (size_t i = 0; i < s->srv.count; i++)
		result = arena_print(s->job, "%s%s%s:%u", i ? result : "", i ? " " : "", s->srv.record[i].target, s->srv.record[i].port);
	report_note(s->report, s->reported, s->not_offered ? FACT_NOT_OFFERED : FACT_LOOKED_AT, s->not_offered ? "%s" : "%s: %s", s->srv.name,
	            result);
}

static void conclude(struct exchange_search *s, const struct want *w)
{
	for (size_t i = 0; i < s->count; i++)
		place_facts(s, &s->place[i]);
	for (size_t i = 0; i < EXCHANGE_QUESTIONS; i++)
		question_facts(&s->question[i]);
	srv_facts(s);
	report_end(s->report, s->reported, s->count ? STEP_PASSED : STEP_FAILED, w->now_ms);
}

/* -- all of it ---------------------------------------------------------------------------------------------------- */

static void begin_race(struct exchange_search *s, const struct want *w)
{
	s->reported = report_begin(s->report, "exchange.find", NO_ATTEMPT, w->now_ms);
	for (size_t i = 0; i < EXCHANGE_QUESTIONS; i++)
		s->question[i] = (struct exchange_question){ .search = s, .kind = &kinds[i] };
	dns_lookup_init(&s->srv, s->job, arena_print(s->job, "_autodiscover._tcp.%s", s->address->domain), DNS_SRV,
	                at_most(s->wait_ms, DNS_WAIT_MS));
	s->search = s->enough = (struct exchange_part){ .search = s };
	children_init(&s->race, UNTIL_ONE);
	children_add(&s->race, &s->search.task, all_step, &s->search, 0);
	children_add(&s->race, &s->enough.task, enough_step, &s->enough, 0);
}

enum want_kind exchange_search_step(void *self, struct want *w, struct error *err)
{
	struct exchange_search *s = self;

	switch (s->step) {
	case SEARCH_START:
		s->began = w->now_ms;
		if (s->address->is_literal)      /* Autodiscover begins with a domain */
			break;
		begin_race(s, w);
		AWAIT(s, SEARCH_RACE, want_children(w, &s->race, time_left(s, w))):
		if (want_came(w) == CAME_CANCELLED) {
			report_end(s->report, s->reported, STEP_SKIPPED, w->now_ms);
			return called_off(s, err);
		}
		conclude(s, w);
	}
	return WANT_NOTHING;
}
