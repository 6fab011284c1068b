#include "provider/caldav_watch.h"

#include <stdlib.h>

#include "base/random.h"
#include "model/facts.h"
#include "provider/caldav_facts.h"
#include "wire/ical.h"

#define POLL_MS      (5 * 60 * 1000)
#define BUSY_MS      (5 * 60 * 1000)        /* where a busy server does not say how long */
#define REST_MOST_MS (60 * 60 * 1000)       /* and where it says too much                */

enum { OPEN_START, OPEN_SIGN_IN, OPEN_LOOK, OPEN_DONE };
enum { NEWS_START, NEWS_LIST, NEWS_NEXT, NEWS_MISSING, NEWS_SYNC, NEWS_PAGE, NEWS_DATA, NEWS_DONE };
enum { WAIT_START, WAIT_OVER };

/* One calendar under way: what has changed in it, and how far that has been told. */
struct caldav_turn {
	struct arena       *job;
	struct caldav_watched *of;
	struct caldav_sync  sync;
	struct change { const char *name, *etag; bool gone; } *change;
	size_t              count, room, next;
	bool                whole, too_many;
	/* of all that was known, where all is compared */
	struct arena       *page;
	struct caldav_known *known;
	size_t              knowns, next_known;
	const char         *after;
	bool                known_over;
	/* what the page under way asks for */
	size_t              asked[DAV_HREFS_ASKED], asks;
};

void caldav_watch_init(struct caldav_watch *s, const struct caldav_access *access, const struct caldav_memory *memory)
{
	*s = (struct caldav_watch){ .access = *access, .memory = *memory, .poll_ms = POLL_MS };
	caldav_watch_wake(s);
}

static char *copy_of(const char *text)
{
	return text ? must_copy(text) : NULL;
}

static struct caldav_watched *add_calendar(struct caldav_watch *s, const char *target, const char *name)
{
	struct caldav_watched *c;

	if (s->calendars == CALDAV_WATCHED)
		return NULL;
	s->calendar = must_realloc(s->calendar, (s->calendars + 1) * sizeof *s->calendar);
	c = &s->calendar[s->calendars++];
	*c = (struct caldav_watched){ .target = must_copy(target), .name = copy_of(name) };
	return c;
}

void caldav_watch_knows(struct caldav_watch *s, const char *target, const char *name, const char *token, const char *tag)
{
	struct caldav_watched *c = add_calendar(s, target, name);

	if (!c)
		return;
	c->token = copy_of(token);
	c->tag = copy_of(tag);
	c->known = true;
}

static void forget_calendar(struct caldav_watch *s, struct caldav_watched *c)
{
	free(c->target);
	free(c->name);
	free(c->token);
	free(c->tag);
	free(c->left);
	*c = s->calendar[--s->calendars];
}

/* -- asleep and awake --------------------------------------------------------------------------------------------- */

void caldav_watch_wake(struct caldav_watch *s)
{
	const struct caldav_access *a = &s->access;

	if (s->session)
		return;
	s->report = report_new(a->address);
	s->report->provider = "caldav";
	s->session = must_alloc(sizeof *s->session);
	caldav_session_init(s->session, s->report, a->endpoint, a->login, a->waits, report_attempt(s->report));
	s->session->at_home = s->session->only_reads = true;
	s->session->web.how = TLS_QUICK;
	s->asked = s->refused = s->listed = false;
	s->busy_ms = 0;
	s->step = NEWS_START;
	s->opening.step = OPEN_START;
	/* Digest begins with what the server says first */
	if (s->opened && s->scheme != WEB_DIGEST)
		caldav_back(s->session, s->scheme, s->itself);
}

void caldav_watch_told(struct caldav_watch *s)
{
	arena_free(s->page);
	s->page = NULL;
	s->news = NULL;
	s->count = 0;
}

static void end_turn(struct caldav_watch *s)
{
	struct caldav_turn *t = s->turn;

	if (!t)
		return;
	caldav_sync_release(&t->sync);
	free(t->change);
	arena_free(t->page);
	arena_free(t->job);
	free(t);
	s->turn = NULL;
}

void caldav_watch_park(struct caldav_watch *s)
{
	end_turn(s);
	if (s->session)
		caldav_session_release(s->session);
	free(s->session);
	report_free(s->report);
	s->session = NULL;
	s->report = NULL;
	for (size_t i = 0; i < s->calendars; i++)
		s->calendar[i].token_now = s->calendar[i].tag_now = NULL;
}

void caldav_watch_release(struct caldav_watch *s)
{
	caldav_watch_park(s);
	caldav_watch_told(s);
	while (s->calendars)
		forget_calendar(s, &s->calendar[s->calendars - 1]);
	free(s->calendar);
	s->calendar = NULL;
}

static int dice_of(int ms)
{
	uint32_t dice;

	random_bytes(&dice, sizeof dice);
	return (int)(dice % (uint32_t)(ms / 4 + 1));
}

/* An eighth to either side; who is busy is left alone for no less than it says. */
enum want_kind caldav_watch_wait_step(void *self, struct want *w, struct error *err)
{
	struct caldav_watch *s = self;

	(void)err;
	switch (s->wait.step) {
	case WAIT_START:
		AWAIT(&s->wait, WAIT_OVER, want_time(w, s->busy_ms ? s->rest_ms + dice_of(s->rest_ms) / 2
		                                                    : s->rest_ms - s->rest_ms / 8 + dice_of(s->rest_ms))):
		want_came(w);
		s->wait.step = WAIT_START;
		return WANT_NOTHING;
	}
	return WANT_FAILED;
}

/* -- who is busy, and what is wrong ------------------------------------------------------------------------------- */

static int within_reason(long long ms, int least)
{
	return ms > REST_MOST_MS ? REST_MOST_MS : ms < least ? least : (int)ms;
}

static void note_asked(struct caldav_watch *s)
{
	s->asked |= s->session->asked || s->session->web.asked;
	s->refused |= s->session->refused;
}

static int asked_to_wait(struct caldav_watch *s)
{
	unsigned long long seconds = 0;
	struct slice       field;
	bool               says = web_field(&s->session->web, "Retry-After", &field) && slice_number(slice_trim(field), 24 * 3600, &seconds);

	return within_reason(says ? (long long)seconds * 1000 : BUSY_MS, s->poll_ms);
}

/* No news, and a longer rest. */
static enum want_kind rest_busy(struct caldav_watch *s, struct error *err)
{
	*err = (struct error){ 0 };
	end_turn(s);
	caldav_watch_told(s);
	s->throttled++;
	s->more = false;
	s->rest_ms = s->busy_ms = asked_to_wait(s);
	s->step = NEWS_START;
	return WANT_NOTHING;
}

/* A busy server rests; a refusal in the midst of it is one of the sign-in. */
static enum want_kind answered(struct caldav_watch *s, enum want_kind kind, const struct want *w, struct error *err)
{
	const struct caldav_session *x = s->session;

	if (kind == WANT_FAILED && err->fault == FAULT_REFUSED && x->web.answer.status == 401 && x->web.last_leg && x->logged_in
	    && !x->refused)
		caldav_refused_again(s->session, w, err);
	note_asked(s);
	if (kind == WANT_FAILED && err->fault == FAULT_BUSY)
		return rest_busy(s, err);
	return kind;
}

static bool is_resting(const struct caldav_watch *s)
{
	return s->busy_ms > 0;
}

/* -- opening ------------------------------------------------------------------------------------------------------ */

enum want_kind caldav_watch_open_step(void *self, struct want *w, struct error *err)
{
	struct caldav_watch   *s = self;
	struct caldav_session *x = s->session;
	enum want_kind         kind;

	switch (s->opening.step) {
	case OPEN_START:
	STEP(&s->opening, OPEN_SIGN_IN):
		kind = caldav_open_step(x, w, err);
		note_asked(s);
		if (kind == WANT_FAILED && err->fault == FAULT_BUSY)
			s->busy_ms = asked_to_wait(s);
		PASS(kind);
		if (!x->logged_in) {
			fail(err, FAULT_NOT_OFFERED, "%s was reached, and there is no way to sign in", s->access.endpoint->host);
			return WANT_FAILED;
		}

	STEP(&s->opening, OPEN_LOOK):
		PASS(caldav_look_step(x, w, err));
		if (x->leads_to) {
			fail(err, FAULT_NOT_OFFERED, "%s leads to another host", s->access.endpoint->host);
			return WANT_FAILED;
		}
		s->opened = s->listed = true;
		s->scheme = x->web.scheme;
		s->itself = x->itself;

	STEP(&s->opening, OPEN_DONE):
		return WANT_NOTHING;
	}
	return WANT_FAILED;
}

/* -- which calendars have changed --------------------------------------------------------------------------------- */

static struct caldav_watched *find_calendar(struct caldav_watch *s, const char *target)
{
	for (size_t i = 0; i < s->calendars; i++)
		if (dav_same_path(s->calendar[i].target, target))
			return &s->calendar[i];
	return NULL;
}

static bool same(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

static bool may_be_read(const struct caldav_calendar *c)
{
	return !(c->traits & DAV_RIGHTS) || (c->traits & DAV_MAY_READ);
}

static void take_name(struct caldav_watched *c, const char *name)
{
	if (same(c->name, name) || (!c->name && !name))
		return;
	free(c->name);
	c->name = copy_of(name);
}

/* Either says that nothing changed; where there is neither, it has to be asked. */
static bool has_changed(const struct caldav_watched *c, const struct caldav_calendar *now)
{
	if (same(c->left, now->sync_token ? now->sync_token : now->ctag))
		return false;
	if (!c->known)
		return true;
	if (c->token && now->sync_token)
		return strcmp(c->token, now->sync_token) != 0;
	return !same(c->tag, now->ctag);
}

static void weigh_calendars(struct caldav_watch *s)
{
	for (size_t i = 0; i < s->calendars; i++)
		s->calendar[i].due = s->calendar[i].missing = true;
	for (size_t i = 0; i < s->session->calendars; i++) {
		const struct caldav_calendar *now = &s->session->calendar[i];
		struct caldav_watched        *c = find_calendar(s, now->target);

		if (c)
			c->due = c->missing = false;
		if (!may_be_read(now) || (!c && !(c = add_calendar(s, now->target, now->name))))
			continue;
		take_name(c, now->name);
		c->token_now = now->sync_token;
		c->tag_now = now->ctag;
		c->due = has_changed(c, now);
	}
}

static struct caldav_watched *next_due(struct caldav_watch *s)
{
	for (size_t i = 0; i < s->calendars; i++)
		if (s->calendar[i].due)
			return &s->calendar[i];
	return NULL;
}

/* -- what has changed in one -------------------------------------------------------------------------------------- */

/* Without the calendar's own place before it, where that is so. */
static const char *name_in(const struct caldav_watched *c, const char *target)
{
	size_t len = strlen(c->target);

	return strncmp(target, c->target, len) == 0 && target[len] && c->target[len - 1] == '/' ? target + len : target;
}

static const char *target_of(const struct caldav_watched *c, const char *name, struct arena *into)
{
	return *name == '/' ? arena_str(into, name) : arena_print(into, "%s%s", c->target, name);
}

static void take_change(void *self, const struct caldav_change *c)
{
	struct caldav_turn *t = self;

	if (t->count == CALDAV_CHANGES) {
		t->too_many = true;
		return;
	}
	if (t->count == t->room) {
		t->room = t->room ? 2 * t->room : 64;
		t->change = must_realloc(t->change, t->room * sizeof *t->change);
	}
	t->change[t->count++] = (struct change){ arena_str(t->job, name_in(t->of, c->target)), arena_str(t->job, c->etag ? c->etag : ""),
		c->gone };
}

static struct caldav_turn *begin_turn(struct caldav_watch *s, struct caldav_watched *c)
{
	struct caldav_turn *t = must_alloc(sizeof *t);

	*t = (struct caldav_turn){ .job = arena_new(), .of = c, .after = "" };
	return s->turn = t;
}

static void begin_sync(struct caldav_watch *s, struct caldav_watched *c)
{
	struct caldav_turn *t = begin_turn(s, c);

	caldav_sync_init(&t->sync, s->session, c->target, c->known ? c->token : NULL);
	t->sync.change = take_change;
	t->sync.self = t;
}

static int by_name(const void *a, const void *b)
{
	const struct change *one = a, *two = b;
	int                  order = strcmp(one->name, two->name);

	/* what is there and gone at once is there, until it is asked for itself */
	return order ? order : one->gone - two->gone;
}

static void sort_changes(struct caldav_turn *t)
{
	size_t kept = 0;

	if (t->count)
		qsort(t->change, t->count, sizeof *t->change, by_name);
	for (size_t i = 0; i < t->count; i++)
		if (!kept || strcmp(t->change[kept - 1].name, t->change[i].name) != 0)
			t->change[kept++] = t->change[i];
	t->count = kept;
}

/* That one calendar is refused is no reason to leave the others; that the line or the sign-in fails is. */
static bool is_of_this_one(const struct caldav_watch *s, const struct error *err)
{
	return err->fault == FAULT_REFUSED && s->session->web.answer.status != 401;
}

static void replace(char **kept, const char *with)
{
	char *copy = copy_of(with);

	free(*kept);
	*kept = copy;
}

/* Not asked again before it changes. */
static void leave_as_it_is(struct caldav_watch *s, const struct want *w)
{
	struct caldav_watched *c = s->turn->of;

	caldav_end(s->session, STEP_WARNED, w);
	c->due = false;
	replace(&c->left, c->token_now ? c->token_now : c->tag_now);
	end_turn(s);
}

/* -- a page of it ------------------------------------------------------------------------------------------------- */

static void begin_page(struct caldav_watch *s)
{
	caldav_watch_told(s);
	s->page = arena_new();
	s->news = arena_get(s->page, CALDAV_FIRST_MOST * sizeof *s->news);
	s->turn->asks = 0;
}

static size_t page_most(const struct caldav_watch *s)
{
	return s->turn->of->known ? CALDAV_NEWS_MOST : CALDAV_FIRST_MOST;
}

static void add_news(struct caldav_watch *s, enum calendar_change_kind kind, const char *name, const char *etag)
{
	const struct caldav_watched *c = s->turn->of;
	struct caldav_turn          *t = s->turn;
	struct calendar_news        *n = &s->news[s->count];

	*n = (struct calendar_news){ .calendar = arena_str(s->page, c->target), .name = arena_str(s->page, name),
		.etag = kind == CALENDAR_REMOVED ? NULL : arena_str(s->page, etag), .told = c->known };
	n->change = (struct calendar_change){ .kind = kind, .calendar = n->calendar,
		.calendar_name = c->name ? arena_str(s->page, c->name) : NULL, .remote_id = target_of(c, name, s->page) };
	if (n->told && kind != CALENDAR_REMOVED && t->asks < DAV_HREFS_ASKED)
		t->asked[t->asks++] = s->count;
	s->count++;
}

/* Some of what was known, into the page that is compared. */
static bool more_known(struct caldav_watch *s, struct error *err)
{
	struct caldav_turn *t = s->turn;
	struct arena       *page;

	if (t->known_over || t->next_known < t->knowns)
		return true;
	page = arena_new();
	t->after = arena_str(t->job, t->after);      /* it stands in the page that goes */
	if (!s->memory.entries(s->memory.self, t->of->target, t->after, page, &t->known, &t->knowns, err)) {
		arena_free(page);
		return false;
	}
	arena_free(t->page);
	t->page = page;
	t->next_known = 0;
	t->known_over = t->knowns == 0;
	return true;
}

/* All there is beside all that was known, both by their names. */
static bool compare_all(struct caldav_watch *s, bool *over, struct error *err)
{
	struct caldav_turn *t = s->turn;

	*over = false;
	while (s->count < page_most(s)) {
		const struct change       *now;
		const struct caldav_known *was;
		int                        order;

		while (t->next < t->count && t->change[t->next].gone)
			t->next++;
		if (!more_known(s, err))
			return false;
		now = t->next < t->count ? &t->change[t->next] : NULL;
		was = t->known_over ? NULL : &t->known[t->next_known];
		if (!now && !was) {
			*over = true;
			return true;
		}
		order = !was ? -1 : !now ? 1 : strcmp(now->name, was->name);
		if (order < 0)
			add_news(s, CALENDAR_ADDED, now->name, now->etag);
		else if (order > 0)
			add_news(s, CALENDAR_REMOVED, was->name, NULL);
		else if (strcmp(now->etag, was->etag) != 0)
			add_news(s, CALENDAR_CHANGED, now->name, now->etag);
		t->next += order <= 0;
		if (order >= 0) {
			t->after = was->name;
			t->next_known++;
		}
	}
	return true;
}

static bool take_one(struct caldav_watch *s, const struct change *now, struct error *err)
{
	struct caldav_known was;
	bool                known = s->memory.entry(s->memory.self, s->turn->of->target, now->name, s->page, &was, err);

	if (!known && err->fault != FAULT_ABSENT)
		return false;
	*err = (struct error){ 0 };
	if (now->gone && known)
		add_news(s, CALENDAR_REMOVED, now->name, NULL);
	else if (!now->gone && !known)
		add_news(s, CALENDAR_ADDED, now->name, now->etag);
	else if (!now->gone && (!*now->etag || strcmp(now->etag, was.etag) != 0))
		add_news(s, CALENDAR_CHANGED, now->name, now->etag);
	return true;
}

static bool compare_changed(struct caldav_watch *s, bool *over, struct error *err)
{
	struct caldav_turn *t = s->turn;

	while (t->next < t->count && s->count < page_most(s))
		if (!take_one(s, &t->change[t->next++], err))
			return false;
	*over = t->next == t->count;
	return true;
}

/* -- what they hold ----------------------------------------------------------------------------------------------- */

static const char *short_text(struct arena *into, const char *text)
{
	size_t len = text ? strlen(text) : 0;

	if (!len)
		return NULL;
	if (len > CALDAV_TITLE)
		for (len = CALDAV_TITLE; len && ((unsigned char)text[len] & 0xc0) == 0x80; len--)
			;
	return arena_print(into, "%.*s", (int)len, text);
}

/* The series, or where only instances of it are there, the first of them. */
static const struct ical_event *event_of(const struct ical_object *o)
{
	for (size_t i = 0; i < ical_events(o); i++)
		if (!ical_event(o, i)->is_exception)
			return ical_event(o, i);
	return ical_event(o, 0);
}

static void read_entry(struct caldav_watch *s, struct calendar_change *c, struct slice data)
{
	CLEANUP(arena) struct arena *work = arena_new();
	struct ical_object      *object;
	const struct ical_event *e;
	struct error             err = { 0 };

	if (!ical_read(data, work, &object, &err))
		return;
	e = event_of(object);
	c->known = true;
	c->uid = short_text(s->page, e->uid);
	c->title = short_text(s->page, e->summary);
	c->zone = short_text(s->page, e->zone);
	c->start = e->start;
	c->end = e->end;
	c->all_day = e->all_day;
	c->recurs = e->recurs;
	c->is_private = e->is_private;
	c->cancelled = e->cancelled;
	ical_free(object);
}

static void take_data(void *self, const struct dav_resource *r)
{
	struct caldav_session *x = self;
	struct caldav_watch   *s = (struct caldav_watch *)x->watcher;
	struct caldav_turn    *t = s->turn;
	const struct http_url *url = caldav_follow(x, t->of->target, slice_str(r->href));

	for (size_t i = 0; url && i < t->asks; i++) {
		struct calendar_news *n = &s->news[t->asked[i]];

		if (!dav_same_path(url->target, n->change.remote_id))
			continue;
		if (r->status == 404 || r->status == 410) {
			/* it went while it was asked for */
			n->told = n->change.kind != CALENDAR_ADDED;
			n->change.kind = CALENDAR_REMOVED;
			n->etag = NULL;
			return;
		}
		if (r->etag)
			n->etag = arena_str(s->page, r->etag);
		if (r->data.at)
			read_entry(s, &n->change, r->data);
		return;
	}
}

static void ask_data(struct caldav_watch *s, const struct want *w)
{
	struct caldav_session *x = s->session;
	struct caldav_turn    *t = s->turn;
	const char            *href[DAV_HREFS_ASKED];
	size_t                 n = t->asks;

	for (size_t i = 0; i < n; i++)
		href[i] = s->news[t->asked[i]].change.remote_id;
	/* as many as fit; of the others it is told that they changed */
	for (buffer_clear(&x->body); !dav_multiget(&x->body, href, n) && n > 1; n /= 2)
		buffer_clear(&x->body);
	x->watcher = s;
	caldav_begin(x, "changes", w);
	caldav_ask(x, "REPORT", t->of->target, "Depth: 1", take_data);
}

/* -- the turn ----------------------------------------------------------------------------------------------------- */

/* All of it is in the page that is told next, or was told before. */
static void calendar_is_over(struct caldav_watch *s)
{
	struct caldav_turn    *t = s->turn;
	struct caldav_watched *c = t->of;

	c->due = false;
	if (c->missing) {
		forget_calendar(s, c);
	} else {
		c->known = true;
		replace(&c->token, t->sync.next);
		/* what was listed may be older than what was synced: it is asked for once more then, and nothing is found */
		replace(&c->tag, c->tag_now);
	}
	end_turn(s);
}

static void ask_missing(struct caldav_watch *s, struct caldav_watched *c, const struct want *w)
{
	struct caldav_session *x = s->session;

	begin_turn(s, c);
	caldav_begin(x, "changes", w);
	buffer_clear(&x->body);
	dav_propfind(&x->body, DAV_ETAGS);
	caldav_ask(x, "PROPFIND", c->target, "Depth: 0", NULL);
}

/* Only its own place says that it is gone. */
static void take_missing(struct caldav_watch *s, const struct want *w)
{
	int status = s->session->web.answer.status;

	if (status == 404 || status == 410) {
		caldav_end(s->session, STEP_PASSED, w);
		s->turn->whole = true;
		return;
	}
	leave_as_it_is(s, w);
}

static bool build_page(struct caldav_watch *s, bool *over, struct error *err)
{
	begin_page(s);
	return s->turn->whole ? compare_all(s, over, err) : compare_changed(s, over, err);
}

static enum want_kind list_again(struct caldav_watch *s, struct want *w, struct error *err)
{
	if (s->scheme == WEB_DIGEST)
		return caldav_watch_open_step(s, w, err);
	return caldav_back_step(s->session, w, err);
}

enum want_kind caldav_watch_news_step(void *self, struct want *w, struct error *err)
{
	struct caldav_watch   *s = self;
	struct caldav_watched *c;
	enum want_kind         kind;
	bool                   over;

	switch (s->step) {
	case NEWS_START:
		s->busy_ms = 0;
		s->more = false;
		s->rest_ms = s->poll_ms;
		s->polls++;

	STEP(s, NEWS_LIST):
		if (!s->listed) {
			PASS(answered(s, list_again(s, w, err), w, err));
			if (is_resting(s))
				return WANT_NOTHING;
		}
		s->listed = true;
		weigh_calendars(s);

	STEP(s, NEWS_NEXT):
		caldav_watch_told(s);
		c = next_due(s);
		if (!c) {
			s->more = false;
			s->step = NEWS_START;
			return WANT_NOTHING;
		}
		if (c->missing) {
			ask_missing(s, c, w);
	STEP(s, NEWS_MISSING):
			PASS(answered(s, web_ask_step(&s->session->web, w, err), w, err));
			take_missing(s, w);
			s->step = s->turn ? NEWS_PAGE : NEWS_NEXT;
			return caldav_watch_news_step(s, w, err);
		}
		begin_sync(s, c);

	STEP(s, NEWS_SYNC):
		kind = answered(s, caldav_sync_step(&s->turn->sync, w, err), w, err);
		if (is_resting(s))
			return WANT_NOTHING;
		if (kind == WANT_FAILED && is_of_this_one(s, err)) {
			*err = (struct error){ 0 };
			leave_as_it_is(s, w);
			s->step = NEWS_NEXT;
			return caldav_watch_news_step(s, w, err);
		}
		PASS(kind);
		if (s->turn->too_many) {
			leave_as_it_is(s, w);
			s->step = NEWS_NEXT;
			return caldav_watch_news_step(s, w, err);
		}
		caldav_end(s->session, STEP_PASSED, w);
		s->turn->whole = s->turn->sync.whole;
		s->resets += s->turn->whole && s->turn->of->known && s->turn->of->token;
		sort_changes(s->turn);

	STEP(s, NEWS_PAGE):
		if (!build_page(s, &over, err))
			return WANT_FAILED;
		s->more = !over;
		if (s->turn->asks)
			ask_data(s, w);

	STEP(s, NEWS_DATA):
		if (s->turn->asks) {
			PASS(answered(s, web_ask_step(&s->session->web, w, err), w, err));
			if (is_resting(s))
				return WANT_NOTHING;
			/* what they hold is told where it can be read; that they changed is known */
			caldav_end(s->session, caldav_is_multistatus(s->session) ? STEP_PASSED : STEP_WARNED, w);
		}
		s->step = NEWS_PAGE;
		if (!s->more) {
			calendar_is_over(s);
			s->step = NEWS_NEXT;
		}
		s->more = s->more || next_due(s) || s->count;
		if (!s->count)
			return caldav_watch_news_step(s, w, err);
		return WANT_NOTHING;
	}
	return WANT_FAILED;
}
