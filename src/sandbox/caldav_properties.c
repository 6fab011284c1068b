/* What is where, and what is told of it: places, properties, multistatus (RFC 4918). */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "sandbox/caldav.h"
#include "sandbox/soap.h"
#include "sandbox/text.h"

static bool is_ordered_here(struct dav_ask *a, enum order order)
{
	return orders_has(&a->sandbox->orders, order) != NULL;
}

bool is_named(const xmlNode *n, const char *space, const char *name)
{
	return n && n->type == XML_ELEMENT_NODE && strcmp((const char *)n->name, name) == 0 && n->ns
	    && strcmp((const char *)n->ns->href, space) == 0;
}

/* -- places ------------------------------------------------------------------------------------------------------------ */

static const char *encoded(struct arena *work, const char *text)
{
	char *out = arena_get(work, 3 * strlen(text) + 1), *at = out;

	for (; *text; text++)
		if (isalnum((unsigned char)*text) || strchr("-._~/", *text))
			*at++ = *text;
		else
			at += sprintf(at, "%%%02X", (unsigned char)*text);
	return out;
}

const char *dav_place_href(struct dav_ask *a, const struct dav_place *p)
{
	const char *who = p->home ? p->home->account->mail : "";

	switch (p->what) {
	case AT_PRINCIPAL: return encoded(a->work, arena_print(a->work, ALMANAC_ROOT "principals/%s/", who));
	case AT_HOME:      return encoded(a->work, arena_print(a->work, ALMANAC_ROOT "calendars/%s/", who));
	case AT_CALENDAR:  return encoded(a->work, arena_print(a->work, ALMANAC_ROOT "calendars/%s/%s/", who, p->calendar->name));
	case AT_ENTRY:     return encoded(a->work, arena_print(a->work, ALMANAC_ROOT "calendars/%s/%s/%s", who, p->calendar->name, p->entry->name));
	default:           return ALMANAC_ROOT;
	}
}

static struct home *home_of(struct dav_ask *a, const char *who)
{
	const struct account *of = account_by_mail(a->sandbox, who);

	return of ? &a->almanac->home[of - a->sandbox->accounts] : NULL;
}

struct dav_place dav_place_at(struct dav_ask *a, const char *path)
{
	struct slice rest = slice_str(path);
	const char  *part[5] = { 0 };
	size_t       parts = 0;
	struct dav_place p = { AT_NOWHERE, NULL, NULL, NULL, NULL };

	if (!slice_starts(rest, ALMANAC_ROOT))
		return dav_provider_of(a->request->host) ? (struct dav_place){ .what = AT_ROOT } : p;
	rest = slice_from(rest, strlen(ALMANAC_ROOT));
	while (rest.len && parts < COUNT(part)) {
		struct slice one = slice_cut(&rest, '/');

		if (one.len)
			part[parts++] = arena_copy(a->work, one);
	}
	if (parts == 0)
		return (struct dav_place){ .what = AT_ROOT };
	if (parts > 4 || !part[1] || !(p.home = home_of(a, part[1])) || p.home->account != a->account)
		return (struct dav_place){ .what = AT_NOWHERE };
	if (strcmp(part[0], "principals") == 0 && parts == 2)
		p.what = AT_PRINCIPAL;
	else if (strcmp(part[0], "calendars") == 0 && parts == 2)
		p.what = AT_HOME;
	else if (strcmp(part[0], "calendars") == 0 && (p.calendar = almanac_calendar(p.home, part[2])) && parts == 3)
		p.what = AT_CALENDAR;
	else if (strcmp(part[0], "calendars") == 0 && p.calendar && parts == 4 && (p.entry = almanac_entry(p.calendar, part[3])))
		p.what = AT_ENTRY;
	else if (strcmp(part[0], "calendars") == 0 && (p.calendar || parts == 3))
		p.name = part[parts - 1];
	return p;
}

const char *entry_tag(struct dav_ask *a, const struct entry *e)
{
	return arena_print(a->work, "\"%llx-%zx\"", (unsigned long long)e->changed, e->len);
}

const char *calendar_token(struct dav_ask *a, const struct calendar *c, uint64_t change)
{
	return arena_print(a->work, "http://sandbox.example/ns/sync/%u/%llu", c->number, (unsigned long long)change);
}

bool calendar_may_change(struct dav_ask *a, const struct calendar *c)
{
	(void)c;
	return !is_ordered_here(a, ORDER_DAV_READ_ONLY);
}

/* -- properties -------------------------------------------------------------------------------------------------------- */

/* Writes the value; false: this place has none such. */
typedef bool writes_property(struct dav_ask *, const struct dav_place *, struct buffer *);

static void put_href(struct dav_ask *a, struct buffer *out, const char *href)
{
	buffer_print(out, "<d:href>%s</d:href>", escaped(a->work, href));
}

static bool write_type(struct dav_ask *a, const struct dav_place *p, struct buffer *out)
{
	(void)a;
	if (p->what != AT_ENTRY)
		buffer_add_str(out, "<d:collection/>");
	if (p->what == AT_PRINCIPAL)
		buffer_add_str(out, "<d:principal/>");
	if (p->what == AT_CALENDAR)
		buffer_add_str(out, "<c:calendar/>");
	return true;
}

static bool write_name(struct dav_ask *a, const struct dav_place *p, struct buffer *out)
{
	if (p->what == AT_ENTRY || p->what == AT_ROOT)
		return false;
	return buffer_add_str(out, escaped(a->work, p->what == AT_CALENDAR ? p->calendar->title : p->home->account->display));
}

static bool write_who(struct dav_ask *a, const struct dav_place *p, struct buffer *out)
{
	(void)p;
	if (is_ordered_here(a, ORDER_DAV_NOBODY))
		return buffer_add_str(out, "<d:unauthenticated/>");
	put_href(a, out, dav_place_href(a, &(struct dav_place){ .what = AT_PRINCIPAL, .home = home_of(a, a->account->mail) }));
	return true;
}

static bool write_owner(struct dav_ask *a, const struct dav_place *p, struct buffer *out)
{
	return p->home && write_who(a, p, out);
}

static bool write_home(struct dav_ask *a, const struct dav_place *p, struct buffer *out)
{
	const struct dav_provider *at = dav_provider_of(a->request->host);
	struct ordered            *o = orders_has(&a->sandbox->orders, ORDER_DAV_HOME);
	const char                *href;

	if ((p->what != AT_PRINCIPAL && p->what != AT_ROOT) || is_ordered_here(a, ORDER_DAV_NO_HOME)
	    || is_ordered_here(a, ORDER_DAV_NOBODY))
		return false;
	href = dav_place_href(a, &(struct dav_place){ .what = AT_HOME, .home = home_of(a, a->account->mail) });
	put_href(a, out, o ? o->value : at && at->home ? arena_print(a->work, "https://%s%s", at->home, href) : href);
	return true;
}

static bool write_addresses(struct dav_ask *a, const struct dav_place *p, struct buffer *out)
{
	if (p->what != AT_PRINCIPAL)
		return false;
	put_href(a, out, arena_print(a->work, "mailto:%s", p->home->account->mail));
	put_href(a, out, dav_place_href(a, p));
	return true;
}

static bool write_components(struct dav_ask *a, const struct dav_place *p, struct buffer *out)
{
	(void)a;
	if (p->what != AT_CALENDAR)
		return false;
	if (p->calendar->holds & HOLDS_EVENTS)
		buffer_add_str(out, "<c:comp name=\"VEVENT\"/>");
	if (p->calendar->holds & HOLDS_TASKS)
		buffer_add_str(out, "<c:comp name=\"VTODO\"/>");
	return true;
}

static bool write_rights(struct dav_ask *a, const struct dav_place *p, struct buffer *out)
{
	bool may = (p->what == AT_CALENDAR || p->what == AT_ENTRY || p->what == AT_HOME) && calendar_may_change(a, p->calendar);

	buffer_add_str(out, "<d:privilege><d:read/></d:privilege><d:privilege><c:read-free-busy/></d:privilege>");
	if (may)
		buffer_add_str(out, "<d:privilege><d:write/></d:privilege><d:privilege><d:write-content/></d:privilege>"
		               "<d:privilege><d:write-properties/></d:privilege><d:privilege><d:bind/></d:privilege><d:privilege><d:unbind/></d:privilege>");
	return true;
}

static bool write_reports(struct dav_ask *a, const struct dav_place *p, struct buffer *out)
{
	if (p->what != AT_CALENDAR)
		return true;
	buffer_add_str(out, "<d:supported-report><d:report><c:calendar-query/></d:report></d:supported-report>"
	               "<d:supported-report><d:report><c:calendar-multiget/></d:report></d:supported-report>"
	               "<d:supported-report><d:report><c:free-busy-query/></d:report></d:supported-report>");
	if (!is_ordered_here(a, ORDER_DAV_NO_SYNC))
		buffer_add_str(out, "<d:supported-report><d:report><d:sync-collection/></d:report></d:supported-report>");
	return true;
}

static bool write_token(struct dav_ask *a, const struct dav_place *p, struct buffer *out)
{
	return p->what == AT_CALENDAR && !is_ordered_here(a, ORDER_DAV_NO_SYNC)
	    && buffer_add_str(out, escaped(a->work, calendar_token(a, p->calendar, p->calendar->change)));
}

static bool write_ctag(struct dav_ask *a, const struct dav_place *p, struct buffer *out)
{
	return p->what == AT_CALENDAR && buffer_add_str(out, escaped(a->work, calendar_token(a, p->calendar, p->calendar->change)));
}

static bool write_tag(struct dav_ask *a, const struct dav_place *p, struct buffer *out)
{
	return p->what == AT_ENTRY && buffer_add_str(out, escaped(a->work, entry_tag(a, p->entry)));
}

static bool write_content_type(struct dav_ask *a, const struct dav_place *p, struct buffer *out)
{
	(void)a;
	return p->what == AT_ENTRY && buffer_print(out, "text/calendar; charset=utf-8; component=%s", p->entry->kind == HOLDS_EVENTS ? "VEVENT" : "VTODO");
}

static bool write_length(struct dav_ask *a, const struct dav_place *p, struct buffer *out)
{
	(void)a;
	return p->what == AT_ENTRY && buffer_print(out, "%zu", p->entry->len);
}

static bool write_color(struct dav_ask *a, const struct dav_place *p, struct buffer *out)
{
	return p->what == AT_CALENDAR && buffer_add_str(out, escaped(a->work, p->calendar->color));
}

static bool write_most(struct dav_ask *a, const struct dav_place *p, struct buffer *out)
{
	(void)a;
	return p->what == AT_CALENDAR && buffer_print(out, "%zu", ALMANAC_LONGEST);
}

static bool write_data(struct dav_ask *a, const struct dav_place *p, struct buffer *out)
{
	struct ordered *o = orders_has(&a->sandbox->orders, ORDER_DAV_ZONE);
	struct slice    text;

	if (p->what != AT_ENTRY)
		return false;
	text = slice(p->entry->text, p->entry->len);
	if (o)
		text = almanac_rezoned(a->work, text, o->value);
	return buffer_add_str(out, escaped(a->work, arena_copy(a->work, text)));
}

static const struct property {
	const char *space, *name;
	writes_property *write;
	bool        in_all;
} properties[] = {
	{ NS_DAV, "resourcetype", write_type, true }, { NS_DAV, "displayname", write_name, true },
	{ NS_DAV, "current-user-principal", write_who, false }, { NS_DAV, "principal-URL", write_owner, false }, { NS_DAV, "owner", write_owner, false },
	{ NS_DAV, "current-user-privilege-set", write_rights, false }, { NS_DAV, "supported-report-set", write_reports, false },
	{ NS_DAV, "sync-token", write_token, false }, { NS_DAV, "getetag", write_tag, true }, { NS_DAV, "getcontenttype", write_content_type, true },
	{ NS_DAV, "getcontentlength", write_length, true },
	{ NS_CALDAV, "calendar-home-set", write_home, false }, { NS_CALDAV, "calendar-user-address-set", write_addresses, false },
	{ NS_CALDAV, "supported-calendar-component-set", write_components, false }, { NS_CALDAV, "max-resource-size", write_most, false },
	{ NS_CALDAV, "calendar-data", write_data, false },
	{ NS_SERVER, "getctag", write_ctag, false }, { NS_APPLE, "calendar-color", write_color, false },
};

static const struct property *property_of(const char *space, const char *name)
{
	for (size_t i = 0; i < COUNT(properties); i++)
		if (strcmp(properties[i].name, name) == 0 && strcmp(properties[i].space, space) == 0)
			return &properties[i];
	return NULL;
}

/* -- multistatus --------------------------------------------------------------------------------------------------------- */

static const char *reason_of(int status)
{
	static const struct { int status; const char *reason; } reasons[] = {
		{ 200, "OK" }, { 201, "Created" }, { 403, "Forbidden" }, { 404, "Not Found" }, { 409, "Conflict" }, { 507, "Insufficient Storage" },
	};

	for (size_t i = 0; i < COUNT(reasons); i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return "Refused";
}

void dav_error(struct dav_ask *a, int status, const char *condition, const char *href)
{
	struct slice rest = slice_str(condition), space = slice_cut(&rest, ':');

	a->reply->status = status;
	if (!condition) {
		a->reply->type = "text/plain; charset=utf-8";
		buffer_print(&a->reply->body, "%d %s\n", status, reason_of(status));
		return;
	}
	a->reply->type = "application/xml; charset=utf-8";
	buffer_print(&a->reply->body, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<d:error xmlns:d=\"DAV:\" xmlns:c=\"" NS_CALDAV "\"><%s:%.*s>",
	             slice_is(space, "DAV") ? "d" : "c", (int)rest.len, rest.at);
	if (href)
		put_href(a, &a->reply->body, href);
	buffer_print(&a->reply->body, "</%s:%.*s></d:error>\n", slice_is(space, "DAV") ? "d" : "c", (int)rest.len, rest.at);
}

static void wish_for(struct dav_wish *w, const char *space, const char *name)
{
	if (w->count < ASKED_MOST) {
		w->of[w->count].space = space;
		w->of[w->count++].name = name;
	}
}

void dav_wish_read(struct dav_ask *a, const xmlNode *prop, struct dav_wish *w)
{
	*w = (struct dav_wish){ .all = !prop };
	for (const xmlNode *n = xml_first(prop); n; n = xml_next(n))
		wish_for(w, n->ns ? arena_str(a->work, (const char *)n->ns->href) : "", arena_str(a->work, (const char *)n->name));
	if (w->all)
		for (size_t i = 0; i < COUNT(properties); i++)
			if (properties[i].in_all)
				wish_for(w, properties[i].space, properties[i].name);
}

void dav_begin(struct dav_ask *a)
{
	a->reply->status = 207;
	a->reply->type = "application/xml; charset=utf-8";
	buffer_add_str(&a->reply->body, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<d:multistatus xmlns:d=\"DAV:\" xmlns:c=\"" NS_CALDAV "\" xmlns:cs=\"" NS_SERVER
	               "\" xmlns:a=\"" NS_APPLE "\">\n");
}

void dav_end(struct dav_ask *a, const char *token)
{
	if (token)
		buffer_print(&a->reply->body, "<d:sync-token>%s</d:sync-token>\n", escaped(a->work, token));
	buffer_add_str(&a->reply->body, "</d:multistatus>\n");
}

static const char *prefix_of(const char *space)
{
	return strcmp(space, NS_DAV) == 0 ? "d" : strcmp(space, NS_CALDAV) == 0 ? "c" : strcmp(space, NS_SERVER) == 0 ? "cs" : strcmp(space, NS_APPLE) == 0 ? "a" : NULL;
}

/* Where nobody has such a name, its own namespace goes along. */
static void put_name(struct dav_ask *a, struct buffer *out, const char *space, const char *name, const char *value)
{
	const char *prefix = prefix_of(space);

	if (!prefix && *space)
		buffer_print(out, "<x:%s xmlns:x=\"%s\"/>", name, escaped(a->work, space));
	else if (!prefix)
		buffer_print(out, "<%s xmlns=\"\"/>", name);
	else if (!*value)
		buffer_print(out, "<%s:%s/>", prefix, name);
	else
		buffer_print(out, "<%s:%s>%s</%s:%s>", prefix, name, value, prefix, name);
}

static void put_propstat(struct dav_ask *a, const struct buffer *props, int status)
{
	struct slice held = buffer_held(props);

	if (!held.len)
		return;
	buffer_add_str(&a->reply->body, "<d:propstat><d:prop>");
	buffer_add(&a->reply->body, held);
	buffer_print(&a->reply->body, "</d:prop><d:status>HTTP/1.1 %d %s</d:status></d:propstat>", status, reason_of(status));
}

void dav_tell(struct dav_ask *a, const struct dav_place *p, const struct dav_wish *w)
{
	struct buffer found, missing, value;

	buffer_init(&found, 8 * ALMANAC_LONGEST);
	buffer_init(&missing, 1 << 16);
	buffer_init(&value, 8 * ALMANAC_LONGEST);
	for (size_t i = 0; i < w->count; i++) {
		const struct property *known = property_of(w->of[i].space, w->of[i].name);

		buffer_clear(&value);
		if (known && known->write(a, p, &value))
			put_name(a, &found, w->of[i].space, w->of[i].name, w->names ? "" : arena_copy(a->work, buffer_held(&value)));
		else if (!w->all)
			put_name(a, &missing, w->of[i].space, w->of[i].name, "");
	}
	buffer_print(&a->reply->body, "<d:response><d:href>%s</d:href>", escaped(a->work, dav_place_href(a, p)));
	/* a resource that is gone, and has properties all the same */
	if (is_ordered_here(a, ORDER_DAV_CONTRADICTION))
		buffer_add_str(&a->reply->body, "<d:status>HTTP/1.1 404 Not Found</d:status>");
	put_propstat(a, &found, 200);
	put_propstat(a, &missing, 404);
	buffer_add_str(&a->reply->body, "</d:response>\n");
	buffer_release(&found);
	buffer_release(&missing);
	buffer_release(&value);
}

void dav_tell_gone(struct dav_ask *a, const char *href, int status)
{
	buffer_print(&a->reply->body, "<d:response><d:href>%s</d:href><d:status>HTTP/1.1 %d %s</d:status>%s</d:response>\n", escaped(a->work, href), status,
	             reason_of(status), status == 507 ? "<d:error><d:number-of-matches-within-limits/></d:error>" : "");
}

/* -- PROPFIND ------------------------------------------------------------------------------------------------------------- */

static void tell_below(struct dav_ask *a, const struct dav_wish *w)
{
	struct dav_place below = a->place;

	if (a->place.what == AT_HOME)
		for (size_t i = 0; i < a->place.home->calendars; i++) {
			below.what = AT_CALENDAR;
			below.calendar = a->place.home->calendar[i];
			dav_tell(a, &below, w);
		}
	if (a->place.what == AT_CALENDAR)
		for (size_t i = 0; i < a->place.calendar->entries; i++) {
			below.what = AT_ENTRY;
			below.entry = a->place.calendar->entry[i];
			dav_tell(a, &below, w);
		}
}

void dav_propfind_answer(struct dav_ask *a)
{
	const char     *depth = request_header(a->request, "Depth");
	struct dav_wish w;

	if (a->place.what == AT_NOWHERE) {
		dav_error(a, 404, NULL, NULL);
		return;
	}
	if (!depth || (strcmp(depth, "0") != 0 && strcmp(depth, "1") != 0)) {
		dav_error(a, 403, "DAV:propfind-finite-depth", NULL);
		return;
	}
	if (a->body && !is_named(a->body, NS_DAV, "propfind")) {
		dav_error(a, 400, NULL, NULL);
		return;
	}
	if (a->place.what >= AT_HOME && is_ordered_here(a, ORDER_CALENDAR_DENIED)) {
		dav_error(a, 403, "DAV:need-privileges", NULL);
		return;
	}
	dav_wish_read(a, xml_child(a->body, "prop"), &w);
	w.names = xml_child(a->body, "propname") != NULL;
	dav_begin(a);
	dav_tell(a, &a->place, &w);
	if (strcmp(depth, "1") == 0)
		tell_below(a, &w);
	dav_end(a, NULL);
}

/* -- PROPPATCH ------------------------------------------------------------------------------------------------------------- */

static char **kept_property(struct calendar *c, const xmlNode *n)
{
	return is_named(n, NS_DAV, "displayname") ? &c->title : is_named(n, NS_APPLE, "calendar-color") ? &c->color : NULL;
}

/* What of it is kept: the name and the colour of a calendar. The rest is refused, and then nothing is changed (RFC 4918 9.2). */
void dav_proppatch(struct dav_ask *a)
{
	const xmlNode *prop = xml_below(a->body, "prop");
	struct buffer  names;
	bool           fine = a->place.what == AT_CALENDAR && calendar_may_change(a, a->place.calendar);

	if (a->place.what == AT_NOWHERE || !prop) {
		dav_error(a, a->place.what == AT_NOWHERE ? 404 : 400, NULL, NULL);
		return;
	}
	buffer_init(&names, 1 << 16);
	for (const xmlNode *n = xml_first(prop); n; n = xml_next(n)) {
		fine = fine && kept_property(a->place.calendar, n);
		put_name(a, &names, n->ns ? (const char *)n->ns->href : "", (const char *)n->name, "");
	}
	for (const xmlNode *n = fine ? xml_first(prop) : NULL; n; n = xml_next(n)) {
		char **kept = kept_property(a->place.calendar, n);

		free(*kept);
		*kept = must_copy(xml_text(a->work, n));
	}
	dav_begin(a);
	buffer_print(&a->reply->body, "<d:response><d:href>%s</d:href>", escaped(a->work, dav_place_href(a, &a->place)));
	put_propstat(a, &names, fine ? 200 : 403);
	buffer_add_str(&a->reply->body, "</d:response>\n");
	dav_end(a, NULL);
	buffer_release(&names);
}
