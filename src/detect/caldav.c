#include "detect/caldav.h"

#include "detect/domain.h"
#include "model/facts.h"
#include "model/hosters.h"
#include "wire/dav.h"

#define DNS_WAIT_MS 4000
#define BODY_MOST   ((size_t)64 * 1024)
#define WELL_KNOWN  "/.well-known/caldav"

enum { SEARCH_START, SEARCH_ASKED, SEARCH_EXCHANGER, SEARCH_DONE };

void caldav_search_init(struct caldav_search *s, const struct mail_address *address, struct detect *detect, struct arena *job,
                        struct report *report, int wait_ms)
{
	const char *srv = arena_print(job, "_caldavs._tcp.%s", address->domain);

	*s = (struct caldav_search){ .address = address, .detect = detect, .job = job, .report = report, .wait_ms = wait_ms,
	                             .reported = -1 };
	dns_lookup_init(&s->srv, job, srv, DNS_SRV, wait_ms < DNS_WAIT_MS ? wait_ms : DNS_WAIT_MS);
	dns_lookup_init(&s->txt, job, srv, DNS_TXT, wait_ms < DNS_WAIT_MS ? wait_ms : DNS_WAIT_MS);
	buffer_init(&s->body, BODY_MOST);
}

void caldav_search_release(struct caldav_search *s)
{
	if (!s->job)
		return;
	dns_lookup_release(&s->srv);
	dns_lookup_release(&s->txt);
	buffer_release(&s->body);
	if (s->own_asked)
		fetch_release(&s->own);
	s->job = NULL;
}

/* -- the list ----------------------------------------------------------------------------------------------------- */

/* One that stands there already stays, as do those before it. */
static void add(struct caldav_search *s, const char *host, uint16_t port, const char *path, enum endpoint_source source)
{
	for (size_t i = 0; i < s->count; i++)
		if (strcmp(s->place[i].host, host) == 0 && s->place[i].port == port)
			return;
	if (s->count == CALDAV_PLACES)
		return;
	s->place[s->count++] = (struct endpoint){ .service = SERVICE_WEB, .host = host, .port = port, .socket = SOCKET_TLS,
		.source = source, .path = path };
}

static void add_hoster(struct caldav_search *s, const struct hoster *h, enum endpoint_source source)
{
	const char     *at = h && h->caldav ? strchr(h->caldav, '%') : NULL;
	const char     *text = h ? h->caldav : NULL;
	struct http_url url;

	if (at)
		text = arena_print(s->job, "%.*s%s%s", (int)(at - text), text, http_url_encode(s->address->text, s->job), at + 1);
	if (text && http_url_parse(slice_str(text), s->job, &url))
		add(s, url.host, url.port, url.target, source);
}

static bool is_own(const struct caldav_search *s, const char *host)
{
	return same_registrable_domain(host, s->address->domain);
}

/* "path=/dav/": where SRV's host has it (RFC 6764 4). */
static const char *path_told(const struct caldav_search *s)
{
	for (size_t i = 0; i < s->txt.count; i++) {
		struct slice text = slice_trim(s->txt.record[i].text);

		if (slice_starts(text, "path=/") && text.len < HTTP_URL_MOST && !slice_has(text, " "))
			return arena_copy(s->job, slice_from(text, strlen("path=")));
	}
	return WELL_KNOWN;
}

static void take_srv(struct caldav_search *s)
{
	s->not_offered = s->srv.count == 1 && s->srv.record[0].target[0] == '\0';
	for (size_t i = 0; i < s->srv.count && i < CALDAV_TARGETS && !s->not_offered; i++) {
		const struct dns_record *r = &s->srv.record[i];

		if (r->target[0] && r->port)
			add(s, r->target, r->port, path_told(s), is_own(s, r->target) ? SOURCE_SRV : SOURCE_SRV_FOREIGN);
	}
}

/* The domain's own host says where: by sending on from the well-known place, or by saying there that it has calendars. A bare 401 may be
 * any page for members; then it has to be confirmed. */
static void take_own(struct caldav_search *s)
{
	int          status = s->own.answer.status;
	struct slice classes = { 0 }, challenge;
	bool         has = http_header(&s->own.answer, "DAV", &classes) && slice_has(classes, "calendar-access");
	bool         wants = status == 401 && http_header(&s->own.answer, "WWW-Authenticate", &challenge);
	bool         told = has || s->own.redirects > 0 || status == 207;

	if (!s->own_asked || s->own.came != CAME || s->own.problem || (!wants && status != 207))
		return;
	add(s, s->own.url.host, s->own.url.port, s->own.url.target,
	    told && is_own(s, s->own.url.host) ? SOURCE_WELL_KNOWN : SOURCE_WELL_KNOWN_FOREIGN);
}

/* Those that may be gone to come before those to be confirmed. */
static void sort(struct caldav_search *s)
{
	for (size_t i = 1; i < s->count; i++)
		for (size_t at = i; at > 0 && endpoint_trusted(&s->place[at]) && !endpoint_trusted(&s->place[at - 1]); at--) {
			struct endpoint worse = s->place[at - 1];

			s->place[at - 1] = s->place[at];
			s->place[at] = worse;
		}
}

/* -- the report --------------------------------------------------------------------------------------------------- */

static const char *srv_result(const struct caldav_search *s)
{
	const char *result = dns_outcome_name(s->srv.outcome);

	for (size_t i = 0; i < s->srv.count; i++)
		result = arena_print(s->job, "%s%s%s:%u", i ? result : "", i ? " " : "", s->srv.record[i].target, s->srv.record[i].port);
	return result;
}

static void conclude(struct caldav_search *s, const struct want *w)
{
	for (size_t i = 0; i < s->count; i++)
		report_note(s->report, s->reported, FACT_CALDAV_PLACE, "https://%s:%u%s %s %s", s->place[i].host, s->place[i].port, s->place[i].path,
		            endpoint_source_name(s->place[i].source), endpoint_trusted(&s->place[i]) ? "trusted" : "to be confirmed");
	if (s->not_offered)
		report_note(s->report, s->reported, FACT_NOT_OFFERED, "%s", s->srv.name);
	else
		report_note(s->report, s->reported, FACT_LOOKED_AT, "%s: %s", s->srv.name, srv_result(s));
	if (s->own_asked)
		report_note(s->report, s->reported, FACT_LOOKED_AT, "%s: %s%s%s", s->own.start_url, fetch_result(&s->own),
		            s->own.redirects ? ", from " : "", s->own.redirects ? s->own.url.text : "");
	report_end(s->report, s->reported, s->count ? STEP_PASSED : STEP_FAILED, w->now_ms);
}

/* -- all of it ---------------------------------------------------------------------------------------------------- */

static int time_left(const struct caldav_search *s, const struct want *w)
{
	int64_t left = s->wait_ms - (w->now_ms - s->began);

	return left > 1 ? (int)left : 1;
}

static void ask_own(struct caldav_search *s)
{
	s->own_asked = true;
	fetch_init(&s->own, s->job, "PROPFIND", arena_print(s->job, "https://%s" WELL_KNOWN, s->address->domain), s->wait_ms, BODY_MOST);
	dav_propfind(&s->body, DAV_WHO);
	s->own.request.body = buffer_held(&s->body);
	s->own.request.headers[0] = "Depth: 0";
	s->own.request.headers[1] = "Content-Type: application/xml; charset=utf-8";
	children_add(&s->children, &s->own_task, fetch_step, &s->own, 0);
}

static void begin_all(struct caldav_search *s, const struct want *w)
{
	const struct hoster *h = hoster_by_domain(s->address->domain);

	s->began = w->now_ms;
	s->reported = report_begin(s->report, "caldav.find", NO_ATTEMPT, w->now_ms);
	children_init(&s->children, UNTIL_ALL);
	children_add(&s->children, &s->srv_task, dns_lookup_step, &s->srv, 0);
	children_add(&s->children, &s->txt_task, dns_lookup_step, &s->txt, 0);
	add_hoster(s, h, SOURCE_TABLE);
	/* a hoster's own domain is his web site */
	if (!h && !s->address->is_literal)
		ask_own(s);
}

enum want_kind caldav_search_step(void *self, struct want *w, struct error *err)
{
	struct caldav_search *s = self;
	enum came             came;

	switch (s->step) {
	case SEARCH_START:
		begin_all(s, w);
		AWAIT(s, SEARCH_ASKED, want_children(w, &s->children, time_left(s, w))):
		came = want_came(w);
		if (came == CAME_CANCELLED) {
			report_end(s->report, s->reported, STEP_SKIPPED, w->now_ms);
			fail(err, FAULT_CANCELLED, "looking for the calendars of %s was called off", s->address->domain);
			return WANT_FAILED;
		}
		take_srv(s);
		take_own(s);

	STEP(s, SEARCH_EXCHANGER):
		if (s->count == 0 && !s->not_offered && s->detect && !s->detect->exchanger_known.open && want_came(w) != CAME_TIMEOUT)
			return want_gate(w, &s->detect->exchanger_known, time_left(s, w));
		if (s->count == 0 && !s->not_offered && s->detect)
			add_hoster(s, s->detect->hoster, SOURCE_MX_TABLE);
		sort(s);
		conclude(s, w);

	STEP(s, SEARCH_DONE):
		return WANT_NOTHING;
	}
	return WANT_FAILED;
}
