/* What is asked of a calendar as a whole: by name, by time, by what changed, and when it is busy (RFC 4791 7, 6578). */
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>

#include "sandbox/caldav.h"
#include "sandbox/form.h"
#include "sandbox/soap.h"
#include "sandbox/text.h"

static bool is_ordered_here(struct dav_ask *a, enum order order)
{
	return orders_has(&a->sandbox->orders, order) != NULL;
}

/* -- times ------------------------------------------------------------------------------------------------------------- */

/* "20260101T000000Z" */
static bool read_moment(const char *text, int64_t *out)
{
	struct tm t = { 0 };
	char      z;

	if (!text || sscanf(text, "%4d%2d%2dT%2d%2d%2d%c", &t.tm_year, &t.tm_mon, &t.tm_mday, &t.tm_hour, &t.tm_min, &t.tm_sec, &z) != 7 || z != 'Z')
		return false;
	t.tm_year -= 1900;
	t.tm_mon -= 1;
	*out = (int64_t)timegm(&t);
	return true;
}

/* One end may be open. */
static bool read_range(struct dav_ask *a, const xmlNode *n, struct span *out)
{
	const char *start = xml_attribute(a->work, n, "start"), *end = xml_attribute(a->work, n, "end");

	*out = (struct span){ INT64_MIN / 2, INT64_MAX / 2 };
	return (start || end) && (!start || read_moment(start, &out->from)) && (!end || read_moment(end, &out->to)) && out->from < out->to;
}

/* -- calendar-query ------------------------------------------------------------------------------------------------------ */

struct filter {
	unsigned    kinds;
	bool        timed;
	struct span between;
	const char *uid;             /* NULL: any */
};

/* Of a component: a time, and which UID. What else there may be (RFC 4791 9.7) it does not know, and says so. */
static bool read_component(struct dav_ask *a, const xmlNode *n, struct filter *f)
{
	for (const xmlNode *of = xml_first(n); of; of = xml_next(of)) {
		const char *name = xml_attribute(a->work, of, "name");

		if (is_named(of, NS_CALDAV, "time-range")) {
			if (!read_range(a, of, &f->between))
				return false;
			f->timed = true;
		} else if (is_named(of, NS_CALDAV, "prop-filter") && name && strcmp(name, "UID") == 0 && xml_child(of, "text-match")) {
			f->uid = xml_text(a->work, xml_child(of, "text-match"));
		} else {
			return false;
		}
	}
	return true;
}

static bool read_filter(struct dav_ask *a, struct filter *f)
{
	const xmlNode *all = xml_at(a->body, "filter/comp-filter"), *one = xml_child(all, "comp-filter");
	const char    *name = all ? xml_attribute(a->work, all, "name") : NULL;

	*f = (struct filter){ .kinds = HOLDS_EVENTS | HOLDS_TASKS };
	if (!name || strcmp(name, "VCALENDAR") != 0 || xml_next(one) || xml_first(all) != one)
		return false;
	if (!one)
		return true;
	name = xml_attribute(a->work, one, "name");
	f->kinds = !name ? 0 : strcmp(name, "VEVENT") == 0 ? HOLDS_EVENTS : strcmp(name, "VTODO") == 0 ? HOLDS_TASKS : 0;
	return read_component(a, one, f);
}

static bool is_meant(const struct filter *f, const struct entry *e, struct span *room)
{
	if (!(f->kinds & e->kind) || (f->uid && !strstr(e->uid, f->uid)))
		return false;
	return !f->timed || almanac_spans(slice(e->text, e->len), f->between, false, room) > 0;
}

static void calendar_query(struct dav_ask *a)
{
	struct span    *room = must_alloc(ALMANAC_SPANS * sizeof *room);
	struct filter   f;
	struct dav_wish w;
	struct dav_place    p = a->place;

	if (!read_filter(a, &f)) {
		dav_error(a, 403, "CALDAV:supported-filter", NULL);
		free(room);
		return;
	}
	dav_wish_read(a, xml_child(a->body, "prop"), &w);
	dav_begin(a);
	p.what = AT_ENTRY;
	for (size_t i = 0; i < a->place.calendar->entries; i++) {
		p.entry = a->place.calendar->entry[i];
		if (is_meant(&f, p.entry, room))
			dav_tell(a, &p, &w);
	}
	dav_end(a, NULL);
	free(room);
}

/* -- calendar-multiget ---------------------------------------------------------------------------------------------------- */

/* Of a path or a URL on this host, its path without %-forms. */
static const char *path_of(struct dav_ask *a, const char *href)
{
	const char *scheme = strstr(href, "://"), *path = scheme ? strchr(scheme + 3, '/') : href;

	return path ? url_plain(a->work, slice_str(path), false) : NULL;
}

static void calendar_multiget(struct dav_ask *a)
{
	struct dav_wish w;

	dav_wish_read(a, xml_child(a->body, "prop"), &w);
	dav_begin(a);
	for (const xmlNode *n = xml_first(a->body); n; n = xml_next(n)) {
		const char  *href = is_named(n, NS_DAV, "href") ? xml_text(a->work, n) : NULL, *path = href ? path_of(a, href) : NULL;
		struct dav_place p;

		if (!href)
			continue;
		p = dav_place_at(a, path ? path : "");
		if (p.what == AT_ENTRY)
			dav_tell(a, &p, &w);
		else
			dav_tell_gone(a, href, 404);
	}
	dav_end(a, NULL);
}

/* -- sync-collection ------------------------------------------------------------------------------------------------------- */

/* Where that token got to; false: none of this calendar's. */
static bool read_token(struct dav_ask *a, const char *token, uint64_t *out)
{
	const struct calendar *c = a->place.calendar;
	const char            *slash = strrchr(token, '/');
	unsigned long long     n;

	if (!slash || !slice_number(slice_str(slash + 1), UINT64_MAX / 2, &n) || n > c->change)
		return false;
	*out = n;
	return strcmp(calendar_token(a, c, n), token) == 0;
}

/* One of the things that changed: something there, or something gone. */
struct news { uint64_t change; struct entry *entry; const char *name; };

static int by_change(const void *a, const void *b)
{
	const struct news *x = a, *y = b;

	return x->change < y->change ? -1 : x->change > y->change;
}

/* In the order in which it happened, so that the last one told is where it got to. */
static size_t gather(struct calendar *c, uint64_t since, bool from_start, struct news *out)
{
	size_t count = 0;

	for (size_t i = 0; i < c->entries; i++)
		if (c->entry[i]->changed > since || from_start)
			out[count++] = (struct news){ c->entry[i]->changed, c->entry[i], c->entry[i]->name };
	for (size_t i = 0; !from_start && i < c->gones; i++)
		if (c->gone[i].change > since)
			out[count++] = (struct news){ c->gone[i].change, NULL, c->gone[i].name };
	qsort(out, count, sizeof *out, by_change);
	return count;
}

static void tell_news(struct dav_ask *a, const struct news *n, const struct dav_wish *w)
{
	struct entry gone = { .name = (char *)(uintptr_t)n->name };
	struct dav_place p = { AT_ENTRY, a->place.home, a->place.calendar, n->entry ? n->entry : &gone, NULL };

	if (n->entry)
		dav_tell(a, &p, w);
	else
		dav_tell_gone(a, dav_place_href(a, &p), 404);
}

static size_t most_of(struct dav_ask *a)
{
	struct ordered     *o = orders_has(&a->sandbox->orders, ORDER_DAV_PARTS);
	unsigned long long  n, most = o ? strtoull(o->value, NULL, 10) : 0;

	if (slice_number(slice_str(xml_text(a->work, xml_at(a->body, "limit/nresults"))), 1000000, &n) && n > 0 && (most == 0 || n < most))
		most = n;
	return most ? (size_t)most : SIZE_MAX;
}

static void sync_collection(struct dav_ask *a)
{
	struct calendar *c = a->place.calendar;
	const char      *token = xml_text(a->work, xml_child(a->body, "sync-token"));
	struct news     *news;
	struct dav_wish  w;
	uint64_t         since = 0;
	size_t           count, most = most_of(a);

	if (is_ordered_here(a, ORDER_DAV_NO_SYNC)) {
		dav_error(a, 403, "DAV:supported-report", NULL);
		return;
	}
	if (*token && (!read_token(a, token, &since) || orders_take(&a->sandbox->orders, ORDER_DAV_TOKEN_GONE))) {
		dav_error(a, 403, "DAV:valid-sync-token", NULL);
		return;
	}
	news = must_alloc((c->entries + c->gones + 1) * sizeof *news);
	count = gather(c, since, !*token, news);
	dav_wish_read(a, xml_child(a->body, "prop"), &w);
	dav_begin(a);
	for (size_t i = 0; i < count && i < most; i++)
		tell_news(a, &news[i], &w);
	if (count > most)
		dav_tell_gone(a, dav_place_href(a, &a->place), 507);
	dav_end(a, calendar_token(a, c, count > most ? news[most - 1].change : c->change));
	free(news);
}

/* -- free-busy-query -------------------------------------------------------------------------------------------------------- */

static int by_begin(const void *a, const void *b)
{
	const struct span *x = a, *y = b;

	return x->from < y->from ? -1 : x->from > y->from;
}

static struct span within(struct span of, struct span between)
{
	return (struct span){ of.from > between.from ? of.from : between.from, of.to < between.to ? of.to : between.to };
}

static void put_busy(struct dav_ask *a, const struct span *of)
{
	buffer_print(&a->reply->body, "FREEBUSY;FBTYPE=BUSY:%s/%s\r\n", moment_short(a->work, of->from), moment_short(a->work, of->to));
}

/* What meets is one. */
static void put_merged(struct dav_ask *a, struct span *list, size_t count, struct span between)
{
	struct span now = { 0, 0 };

	qsort(list, count, sizeof *list, by_begin);
	for (size_t i = 0; i < count; i++) {
		struct span one = within(list[i], between);

		if (now.to && one.from <= now.to) {
			now.to = one.to > now.to ? one.to : now.to;
			continue;
		}
		if (now.to)
			put_busy(a, &now);
		now = one;
	}
	if (now.to)
		put_busy(a, &now);
}

static void free_busy_query(struct dav_ask *a)
{
	const struct calendar *c = a->place.calendar;
	struct span            between, *list, *room;
	size_t                 count = 0;

	if (!read_range(a, xml_child(a->body, "time-range"), &between) || between.from < 0 || between.to > INT32_MAX * 4LL) {
		dav_error(a, 400, NULL, NULL);
		return;
	}
	list = must_alloc(ALMANAC_SPANS * sizeof *list);
	room = must_alloc(ALMANAC_SPANS * sizeof *room);
	for (size_t i = 0; i < c->entries; i++) {
		size_t n = almanac_spans(slice(c->entry[i]->text, c->entry[i]->len), between, true, room);

		for (size_t k = 0; k < n && count < ALMANAC_SPANS; k++)
			list[count++] = room[k];
	}
	a->reply->status = 200;
	a->reply->type = "text/calendar; charset=utf-8";
	buffer_print(&a->reply->body, "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Sandbox//EN\r\nBEGIN:VFREEBUSY\r\nDTSTAMP:%s\r\nDTSTART:%s\r\nDTEND:%s\r\n",
	             moment_short(a->work, between.from), moment_short(a->work, between.from), moment_short(a->work, between.to));
	put_merged(a, list, count, between);
	buffer_add_str(&a->reply->body, "END:VFREEBUSY\r\nEND:VCALENDAR\r\n");
	free(list);
	free(room);
}

/* -- which ------------------------------------------------------------------------------------------------------------------ */

static const struct { const char *space, *name; void (*answer)(struct dav_ask *); } reports[] = {
	{ NS_CALDAV, "calendar-query", calendar_query }, { NS_CALDAV, "calendar-multiget", calendar_multiget },
	{ NS_CALDAV, "free-busy-query", free_busy_query }, { NS_DAV, "sync-collection", sync_collection },
};

void dav_report(struct dav_ask *a)
{
	if (a->place.what == AT_NOWHERE || !a->body) {
		dav_error(a, a->body ? 404 : 400, NULL, NULL);
		return;
	}
	if (is_ordered_here(a, ORDER_CALENDAR_DENIED)) {
		dav_error(a, 403, "DAV:need-privileges", NULL);
		return;
	}
	for (size_t i = 0; i < COUNT(reports); i++)
		if (a->place.what == AT_CALENDAR && is_named(a->body, reports[i].space, reports[i].name)) {
			reports[i].answer(a);
			return;
		}
	dav_error(a, 403, "DAV:supported-report", NULL);
}
