/* Objects as they are: read, put, removed; and new calendars (RFC 4791 5.3). */
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "sandbox/caldav.h"
#include "sandbox/soap.h"

static bool is_ordered_here(struct dav_ask *a, enum order order)
{
	return orders_has(&a->sandbox->orders, order) != NULL;
}

void dav_get(struct dav_ask *a)
{
	struct ordered *o = orders_has(&a->sandbox->orders, ORDER_DAV_ZONE);
	struct slice    text;

	if (a->place.what != AT_ENTRY) {
		dav_error(a, a->place.what == AT_NOWHERE ? 404 : 405, NULL, NULL);
		return;
	}
	text = slice(a->place.entry->text, a->place.entry->len);
	a->reply->status = 200;
	a->reply->type = "text/calendar; charset=utf-8";
	reply_header(a->reply, a->request, "ETag", "%s", entry_tag(a, a->place.entry));
	buffer_add(&a->reply->body, o ? almanac_rezoned(a->work, text, o->value) : text);
}

/* If-Match and If-None-Match, of what is there now or is not. */
static bool is_as_supposed(struct dav_ask *a, const struct entry *e)
{
	const char *match = request_header(a->request, "If-Match"), *none = request_header(a->request, "If-None-Match");

	if (match && !(e && (strcmp(match, "*") == 0 || strstr(match, entry_tag(a, e)))))
		return false;
	return !(none && e && (strcmp(none, "*") == 0 || strstr(none, entry_tag(a, e))));
}

/* False: then it is said why not. */
static bool may_write(struct dav_ask *a, const struct entry *e)
{
	if (!calendar_may_change(a, a->place.calendar) || is_ordered_here(a, ORDER_CALENDAR_DENIED))
		dav_error(a, 403, "DAV:need-privileges", NULL);
	else if (!is_as_supposed(a, e))
		dav_error(a, 412, NULL, NULL);
	else
		return true;
	return false;
}

static void put_fine(struct dav_ask *a, const char *name, const char *uid, enum holds kind)
{
	bool           is_new = !a->place.entry;
	struct entry  *e;

	if (!almanac_put(a->place.calendar, name, uid, kind, a->request->body)) {
		dav_error(a, 507, "DAV:quota-not-exceeded", NULL);
		return;
	}
	e = almanac_entry(a->place.calendar, name);
	a->reply->status = is_new ? 201 : 204;
	/* what comes back is not what came: then there is no tag (RFC 4791 5.3.4) */
	if (!is_ordered_here(a, ORDER_DAV_NO_ETAG) && !is_ordered_here(a, ORDER_DAV_ZONE))
		reply_header(a->reply, a->request, "ETag", "%s", entry_tag(a, e));
}

void dav_put(struct dav_ask *a)
{
	const char         *name = a->place.entry ? a->place.entry->name : a->place.name, *uid = NULL, *breaks;
	struct entry       *other;
	enum holds          kind = HOLDS_EVENTS;

	if (!a->place.calendar || !name) {
		dav_error(a, a->place.what == AT_NOWHERE ? 409 : 405, NULL, NULL);
		return;
	}
	if (!may_write(a, a->place.entry))
		return;
	breaks = almanac_weigh(a->work, a->request->body, &kind, &uid);
	if (!breaks && !(a->place.calendar->holds & kind))
		breaks = "supported-calendar-component";
	if (breaks) {
		dav_error(a, 403, arena_print(a->work, "CALDAV:%s", breaks), NULL);
		return;
	}
	other = almanac_with_uid(a->place.calendar, uid);
	if (other && other != a->place.entry) {
		struct dav_place there = { AT_ENTRY, a->place.home, a->place.calendar, other, NULL };

		dav_error(a, 409, "CALDAV:no-uid-conflict", dav_place_href(a, &there));
		return;
	}
	put_fine(a, name, uid, kind);
}

void dav_delete(struct dav_ask *a)
{
	if (a->place.what == AT_CALENDAR && may_write(a, NULL)) {
		almanac_remove(a->place.home, a->place.calendar);
		a->reply->status = 204;
	} else if (a->place.what == AT_ENTRY && may_write(a, a->place.entry)) {
		almanac_drop(a->place.calendar, a->place.entry);
		a->reply->status = 204;
	} else if (a->place.what == AT_NOWHERE) {
		dav_error(a, 404, NULL, NULL);
	} else if (a->place.what < AT_CALENDAR) {
		dav_error(a, 403, NULL, NULL);
	}
}

/* -- new calendars --------------------------------------------------------------------------------------------------------- */

static unsigned wanted_parts(const xmlNode *set)
{
	unsigned holds = 0;

	for (const xmlNode *n = xml_first(xml_below(set, "supported-calendar-component-set")); n; n = xml_next(n)) {
		xmlChar *name = xmlGetNoNsProp(n, (const xmlChar *)"name");

		if (name && strcmp((const char *)name, "VEVENT") == 0)
			holds |= HOLDS_EVENTS;
		else if (name && strcmp((const char *)name, "VTODO") == 0)
			holds |= HOLDS_TASKS;
		xmlFree(name);
	}
	return holds ? holds : HOLDS_EVENTS | HOLDS_TASKS;
}

/* MKCALENDAR, and MKCOL that says it shall be one (RFC 5689). */
void dav_make(struct dav_ask *a)
{
	const xmlNode   *type = xml_below(a->body, "resourcetype"), *title = xml_below(a->body, "displayname");
	struct calendar *c;

	if (strcmp(a->request->method, "MKCOL") == 0 && !xml_child(type, "calendar")) {
		dav_error(a, 403, "DAV:valid-resourcetype", NULL);
		return;
	}
	if (a->place.what != AT_NOWHERE) {
		dav_error(a, 405, "DAV:resource-must-be-null", NULL);
		return;
	}
	if (!a->place.home || a->place.calendar || !a->place.name) {
		dav_error(a, 409, "CALDAV:calendar-collection-location-ok", NULL);
		return;
	}
	if (!calendar_may_change(a, NULL)) {
		dav_error(a, 403, "DAV:need-privileges", NULL);
		return;
	}
	c = almanac_add(a->almanac, a->place.home, a->place.name, title ? xml_text(a->work, title) : a->place.name, wanted_parts(a->body));
	if (c)
		a->reply->status = 201;
	else
		dav_error(a, 507, "DAV:quota-not-exceeded", NULL);
}
