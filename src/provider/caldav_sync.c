#include "provider/caldav_sync.h"

#include <stdlib.h>

#include "model/facts.h"
#include "provider/caldav_facts.h"

enum { SYNC_START, SYNC_CHANGES, SYNC_DATA, SYNC_DONE };

void caldav_sync_init(struct caldav_sync *y, struct caldav_session *s, const char *calendar, const char *token)
{
	*y = (struct caldav_sync){ .session = s, .calendar = calendar, .token = token && *token ? token : NULL };
}

void caldav_sync_release(struct caldav_sync *y)
{
	free(y->found);
	y->found = NULL;
	y->count = y->room = 0;
}

/* -- what is told ------------------------------------------------------------------------------------------------- */

static void tell(struct caldav_sync *y, const char *target, const struct dav_resource *r, bool gone)
{
	if (y->change)
		y->change(y->self, &(struct caldav_change){ .target = target, .etag = r->etag, .data = r->data, .gone = gone });
}

static void keep(struct caldav_sync *y, const char *target, const char *etag)
{
	struct arena *job = y->session->report->job;

	if (y->count == CALDAV_CHANGES) {
		y->cut = true;
		return;
	}
	if (y->count == y->room) {
		y->room = y->room ? 2 * y->room : 64;
		y->found = must_realloc(y->found, y->room * sizeof *y->found);
	}
	y->found[y->count++] = (struct caldav_sync_found){ arena_str(job, target), etag ? arena_str(job, etag) : NULL };
}

static bool is_gone(int status)
{
	return status == 404 || status == 410;
}

/* Of the calendar itself only that there is more; of everything in it whether it is there. */
static void take_change(void *self, const struct dav_resource *r)
{
	struct caldav_session *s = self;
	struct caldav_sync    *y = s->sync;
	const struct http_url *url = caldav_follow(s, y->calendar, slice_str(r->href));

	if (!url)
		return;
	if (dav_same_path(url->target, y->calendar))
		y->cut |= r->status == 507;
	else if (is_gone(r->status))
		tell(y, url->target, r, true);
	else if (r->status == 0 && !(r->traits & DAV_COLLECTION) && y->with_data)
		keep(y, url->target, r->etag);
	else if (r->status == 0 && !(r->traits & DAV_COLLECTION))
		tell(y, url->target, r, false);
}

static void take_data(void *self, const struct dav_resource *r)
{
	struct caldav_session *s = self;
	struct caldav_sync    *y = s->sync;
	const struct http_url *url = caldav_follow(s, y->calendar, slice_str(r->href));

	if (url && (is_gone(r->status) || r->status == 0))
		tell(y, url->target, r, is_gone(r->status));
}

/* -- asking ------------------------------------------------------------------------------------------------------- */

static void ask_changes(struct caldav_sync *y)
{
	struct caldav_session *s = y->session;

	s->sync = y;
	y->cut = false;
	buffer_clear(&s->body);
	if (y->by_etags) {
		dav_propfind(&s->body, DAV_ETAGS);
		caldav_ask(s, "PROPFIND", y->calendar, "Depth: 1", take_change);
		return;
	}
	dav_sync(&s->body, y->token ? y->token : "");
	caldav_ask(s, "REPORT", y->calendar, y->deep ? "Depth: 1" : "Depth: 0", take_change);
}

/* As many as fit, a hundred at most. */
static void ask_data(struct caldav_sync *y)
{
	struct caldav_session *s = y->session;
	const char            *href[DAV_HREFS_ASKED];
	size_t                 n = 0;

	while (n < DAV_HREFS_ASKED && y->asked + n < y->count) {
		href[n] = y->found[y->asked + n].target;
		n++;
	}
	for (buffer_clear(&s->body); !dav_multiget(&s->body, href, n) && n > 1; n /= 2)
		buffer_clear(&s->body);
	y->asked += n;
	caldav_ask(s, "REPORT", y->calendar, "Depth: 1", take_data);
}

/* -- answers ------------------------------------------------------------------------------------------------------ */

static void begin_anew(struct caldav_sync *y)
{
	y->token = NULL;
	y->whole = true;
	y->count = 0;
}

static enum fault fault_of(int status)
{
	return status == 429 || status == 503 ? FAULT_BUSY : status < 300 ? FAULT_BROKEN : FAULT_REFUSED;
}

/* Another way to ask for the same; false: there is none. */
static bool is_another_way(struct caldav_sync *y)
{
	int         status = y->session->web.answer.status;
	const char *condition = caldav_condition(y->session);

	if (y->by_etags || status == 401 || status == 429 || status == 503 || status < 400)
		return false;
	if (y->token && condition && strcmp(condition, "DAV:valid-sync-token") == 0) {
		begin_anew(y);
		return true;
	}
	if (status == 400 && !y->deep)
		return y->deep = true;
	begin_anew(y);
	return y->by_etags = true;
}

/* WANT_NOTHING with `*again`: it is asked on. */
static enum want_kind take_changes(struct caldav_sync *y, bool *again, const struct want *w, struct error *err)
{
	struct caldav_session *s = y->session;
	const char            *next;

	*again = true;
	if (!caldav_is_multistatus(s)) {
		if (is_another_way(y))
			return WANT_NOTHING;
		caldav_http_facts(s);
		return caldav_failed(s, fault_of(s->web.answer.status), w, err, "the changes");
	}
	if (y->count == CALDAV_CHANGES && y->cut)
		return caldav_failed(s, FAULT_TOO_BIG, w, err, "more changes than can be held");
	next = y->by_etags ? NULL : dav_answer(s->reader)->sync_token;
	*again = y->cut && next && ++y->parts < CALDAV_PARTS && !(y->token && strcmp(next, y->token) == 0);
	y->next = next ? arena_str(s->report->job, next) : NULL;
	if (*again)
		y->token = y->next;
	return WANT_NOTHING;
}

enum want_kind caldav_sync_step(void *self, struct want *w, struct error *err)
{
	struct caldav_sync *y = self;
	bool                again;

	switch (y->step) {
	case SYNC_START:
		y->whole = !y->token;
		caldav_begin(y->session, "changes", w);
		do {
			ask_changes(y);
	STEP(y, SYNC_CHANGES):
			PASS(web_ask_step(&y->session->web, w, err));
			PASS(take_changes(y, &again, w, err));
		} while (again);
		while (y->asked < y->count) {
			ask_data(y);
	STEP(y, SYNC_DATA):
			PASS(web_ask_step(&y->session->web, w, err));
			if (!caldav_is_multistatus(y->session)) {
				caldav_http_facts(y->session);
				return caldav_failed(y->session, fault_of(y->session->web.answer.status), w, err, "what has changed");
			}
		}
		report_note(y->session->report, y->session->reported, FACT_SYNC_BY, "%s", y->by_etags ? "etags" : "token");

	STEP(y, SYNC_DONE):
		return WANT_NOTHING;
	}
	return WANT_FAILED;
}
