/* The multistatus. Which element means what stands in the table of rows; the parser and its bounds are xml.h's. */
#include "wire/dav.h"

#include <stdlib.h>

enum { NS_DAV = 1, NS_CALDAV, NS_CALENDARSERVER };

static const struct xml_space spaces[] = {
	{ "DAV:", NS_DAV }, { "urn:ietf:params:xml:ns:caldav", NS_CALDAV }, { "http://calendarserver.org/ns/", NS_CALENDARSERVER },
};

/* What the element is that we are in. What has no place here is passed over with all that is in it. */
enum place {
	NOWHERE, DOCUMENT, MULTISTATUS, RESPONSE, PROPSTAT, PROP, TYPE, WHO, HOME, COMPONENTS, RIGHTS, RIGHT, REPORTS, REPORT, REPORT_NAME,
	CONDITIONS, OWN_CONDITIONS, LEAF,
};

/* Where a text goes. */
enum text_of {
	TEXT_NONE, TEXT_HREF, TEXT_STATUS, TEXT_PROPSTAT_STATUS, TEXT_PRINCIPAL, TEXT_HOME, TEXT_NAME, TEXT_ETAG, TEXT_SYNC_TOKEN,
	TEXT_CTAG, TEXT_DATA, TEXT_ANSWER_TOKEN,
};

static const struct row {
	enum place   in;
	unsigned     space;
	const char  *name;
	enum place   becomes;
	enum text_of text;
	unsigned     traits;
} rows[] = {
	{ DOCUMENT,    NS_DAV,    "multistatus",                      MULTISTATUS, TEXT_NONE,            0 },
	{ DOCUMENT,    NS_DAV,    "error",                            CONDITIONS,  TEXT_NONE,            0 },
	{ MULTISTATUS, NS_DAV,    "response",                         RESPONSE,    TEXT_NONE,            0 },
	{ MULTISTATUS, NS_DAV,    "sync-token",                       LEAF,        TEXT_ANSWER_TOKEN,    0 },
	{ RESPONSE,    NS_DAV,    "href",                             LEAF,        TEXT_HREF,            0 },
	{ RESPONSE,    NS_DAV,    "propstat",                         PROPSTAT,    TEXT_NONE,            0 },
	{ RESPONSE,    NS_DAV,    "status",                           LEAF,        TEXT_STATUS,          0 },
	{ RESPONSE,    NS_DAV,    "error",                            OWN_CONDITIONS, TEXT_NONE,         0 },
	{ PROPSTAT,    NS_DAV,    "prop",                             PROP,        TEXT_NONE,            0 },
	{ PROPSTAT,    NS_DAV,    "status",                           LEAF,        TEXT_PROPSTAT_STATUS, 0 },
	{ PROP,        NS_DAV,    "resourcetype",                     TYPE,        TEXT_NONE,            0 },
	{ PROP,        NS_DAV,    "current-user-principal",           WHO,         TEXT_NONE,            0 },
	{ PROP,        NS_CALDAV, "calendar-home-set",                HOME,        TEXT_NONE,            0 },
	{ PROP,        NS_DAV,    "displayname",                      LEAF,        TEXT_NAME,            0 },
	{ PROP,        NS_DAV,    "getetag",                          LEAF,        TEXT_ETAG,            0 },
	{ PROP,        NS_DAV,    "sync-token",                       LEAF,        TEXT_SYNC_TOKEN,      0 },
	{ PROP,        NS_CALENDARSERVER, "getctag",                  LEAF,        TEXT_CTAG,            0 },
	{ PROP,        NS_CALDAV, "calendar-data",                    LEAF,        TEXT_DATA,            0 },
	{ PROP,        NS_CALDAV, "supported-calendar-component-set", COMPONENTS,  TEXT_NONE,            DAV_COMPONENTS },
	{ PROP,        NS_DAV,    "current-user-privilege-set",       RIGHTS,      TEXT_NONE,            DAV_RIGHTS },
	{ PROP,        NS_DAV,    "supported-report-set",             REPORTS,     TEXT_NONE,            DAV_REPORTS },
	{ TYPE,        NS_DAV,    "collection",                       LEAF,        TEXT_NONE,            DAV_COLLECTION },
	{ TYPE,        NS_DAV,    "principal",                        LEAF,        TEXT_NONE,            DAV_PRINCIPAL },
	{ TYPE,        NS_CALDAV, "calendar",                         LEAF,        TEXT_NONE,            DAV_CALENDAR },
	{ WHO,         NS_DAV,    "href",                             LEAF,        TEXT_PRINCIPAL,       0 },
	{ WHO,         NS_DAV,    "unauthenticated",                  LEAF,        TEXT_NONE,            DAV_NOBODY },
	{ HOME,        NS_DAV,    "href",                             LEAF,        TEXT_HOME,            0 },
	{ RIGHTS,      NS_DAV,    "privilege",                        RIGHT,       TEXT_NONE,            0 },
	{ RIGHT,       NS_DAV,    "all",                              LEAF,        TEXT_NONE,            DAV_MAY_READ | DAV_MAY_ADD | DAV_MAY_CHANGE | DAV_MAY_REMOVE },
	{ RIGHT,       NS_DAV,    "read",                             LEAF,        TEXT_NONE,            DAV_MAY_READ },
	{ RIGHT,       NS_DAV,    "write",                            LEAF,        TEXT_NONE,            DAV_MAY_ADD | DAV_MAY_CHANGE | DAV_MAY_REMOVE },
	{ RIGHT,       NS_DAV,    "write-content",                    LEAF,        TEXT_NONE,            DAV_MAY_CHANGE },
	{ RIGHT,       NS_DAV,    "bind",                             LEAF,        TEXT_NONE,            DAV_MAY_ADD },
	{ RIGHT,       NS_DAV,    "unbind",                           LEAF,        TEXT_NONE,            DAV_MAY_REMOVE },
	{ REPORTS,     NS_DAV,    "supported-report",                 REPORT,      TEXT_NONE,            0 },
	{ REPORT,      NS_DAV,    "report",                           REPORT_NAME, TEXT_NONE,            0 },
	{ REPORT_NAME, NS_DAV,    "sync-collection",                  LEAF,        TEXT_NONE,            DAV_SYNCS },
};

/* Of one propstat, until its status is known: it may come behind the properties. */
struct found {
	unsigned    traits;
	const char *text[TEXT_ANSWER_TOKEN];
	const char *home[DAV_HOMES];
	size_t      homes;
	struct slice data;
	int         status;
};

struct dav_reader {
	struct dav_answer answer;
	struct arena     *into, *job;              /* `job`: of the resource under way */
	void            (*resource)(void *, const struct dav_resource *);
	void             *self;
	struct xml_reader xml;
	enum fault        fault;                   /* sticky */
	const char       *why;
	bool              begun, whole;
	int               depth;
	enum place        open[XML_DEEPEST + 1];
	const struct row *listening;               /* whose text is gathered, in the element at `text_depth` */
	int               text_depth;
	struct buffer     text;
	bool              text_cut;
	struct found      found, believed;         /* of the propstat under way; of those that said 2xx */
	const char       *href[DAV_SAME], *condition;
	size_t            hrefs, propstats;
	int               status;
};

static void stop(struct dav_reader *r, enum fault fault, const char *why)
{
	if (r->fault)
		return;
	r->fault = fault;
	r->why = why;
	xml_stop(&r->xml, fault == FAULT_TOO_BIG ? XML_TOO_BIG : XML_BROKEN, why);
}

/* -- what was found ----------------------------------------------------------------------------------------------- */

static void begin_response(struct dav_reader *r)
{
	arena_reset(r->job);
	r->found = r->believed = (struct found){ 0 };
	r->hrefs = r->propstats = 0;
	r->condition = NULL;
	r->status = 0;
}

/* The first of a kind counts. */
static void believe(struct found *to, const struct found *from)
{
	to->traits |= from->traits;
	for (size_t i = 0; i < COUNT(to->text); i++)
		if (!to->text[i])
			to->text[i] = from->text[i];
	if (!to->data.at)
		to->data = from->data;
	for (size_t i = 0; i < from->homes && to->homes < DAV_HOMES; i++)
		to->home[to->homes++] = from->home[i];
}

static void end_propstat(struct dav_reader *r)
{
	if (r->found.status >= 200 && r->found.status < 300)
		believe(&r->believed, &r->found);
	r->found = (struct found){ 0 };
	r->propstats++;
}

static bool is_well(int status)
{
	return status == 0 || (status >= 200 && status < 300);
}

static void end_response(struct dav_reader *r)
{
	static const struct found nothing = { 0 };
	const struct found       *f = is_well(r->status) ? &r->believed : &nothing;
	struct dav_resource       out = { .status = r->status, .condition = r->condition, .traits = f->traits,
		.principal = f->text[TEXT_PRINCIPAL], .homes = f->homes, .name = f->text[TEXT_NAME], .etag = f->text[TEXT_ETAG],
		.sync_token = f->text[TEXT_SYNC_TOKEN], .ctag = f->text[TEXT_CTAG], .data = f->data };

	memcpy(out.home, f->home, sizeof out.home);
	if (r->hrefs == 0)
		stop(r, FAULT_BROKEN, "a resource without a name");
	else if (r->hrefs > 1 && r->propstats)
		stop(r, FAULT_BROKEN, "two names for one resource");
	for (size_t i = 0; i < r->hrefs && !r->fault; i++) {
		out.href = r->href[i];
		r->answer.resources++;
		if (r->resource)
			r->resource(r->self, &out);
	}
}

/* -- texts -------------------------------------------------------------------------------------------------------- */

static void take_href(struct dav_reader *r, const char *text)
{
	if (r->hrefs == DAV_SAME)
		stop(r, FAULT_TOO_BIG, "too many names for one status");
	else if (*text)
		r->href[r->hrefs++] = text;
}

static void take_status(struct dav_reader *r, int *to, const char *text)
{
	int status = dav_status(slice_str(text));

	if (!status)
		stop(r, FAULT_BROKEN, "a status that is none");
	else if (!*to)
		*to = status;
}

static void take_text(struct dav_reader *r, enum text_of which)
{
	struct slice text = buffer_held(&r->text);

	if (which == TEXT_DATA) {
		if (r->text_cut)
			r->found.traits |= DAV_TOO_LONG;
		else if (!r->found.data.at)
			r->found.data = slice(arena_copy(r->job, text), text.len);
		return;
	}
	if (r->text_cut) {
		stop(r, FAULT_TOO_BIG, "a name or a tag beyond all measure");
		return;
	}
	text = slice_trim(text);
	switch (which) {
	case TEXT_HREF:            take_href(r, arena_copy(r->job, text)); break;
	case TEXT_STATUS:          take_status(r, &r->status, arena_copy(r->job, text)); break;
	case TEXT_PROPSTAT_STATUS: take_status(r, &r->found.status, arena_copy(r->job, text)); break;
	case TEXT_HOME:
		if (r->found.homes < DAV_HOMES && text.len)
			r->found.home[r->found.homes++] = arena_copy(r->job, text);
		break;
	case TEXT_ANSWER_TOKEN:
		if (!r->answer.sync_token)
			r->answer.sync_token = arena_copy(r->into, text);
		break;
	default:
		if (!r->found.text[which] && text.len)
			r->found.text[which] = arena_copy(r->job, text);
	}
}

/* -- what the parser tells ---------------------------------------------------------------------------------------- */

static const struct row *find(enum place in, struct slice name, unsigned space)
{
	for (size_t i = 0; i < COUNT(rows); i++)
		if (rows[i].in == in && rows[i].space == space && slice_equal(name, slice_str(rows[i].name)))
			return &rows[i];
	return NULL;
}

/* Any element in an error is a condition that was not met. */
static const char *condition(struct arena *into, struct slice name, unsigned space)
{
	const char *of = space == NS_DAV ? "DAV:" : space == NS_CALDAV ? "CALDAV:" : "";

	return arena_print(into, "%s%.*s", of, (int)slice_upto(name, 80).len, name.at);
}

static void note_component(struct dav_reader *r, struct slice name, unsigned space, const struct xml_attribute *a, size_t count)
{
	if (space != NS_CALDAV || !slice_equal(name, slice_str("comp")))
		return;
	for (size_t i = 0; i < count; i++)
		if (!a[i].prefixed && slice_equal(a[i].name, slice_str("name")) && slice_is(slice_trim(a[i].value), "VEVENT"))
			r->found.traits |= DAV_EVENTS;
}

static void on_start(void *self, struct slice name, unsigned space, const struct xml_attribute *attribute, size_t attributes)
{
	struct dav_reader *r = self;
	enum place         in = r->open[r->depth];
	const struct row  *row = find(in, name, space);

	if (in == DOCUMENT && !row) {
		stop(r, FAULT_BROKEN, "no multistatus");
		return;
	}
	if (in == COMPONENTS)
		note_component(r, name, space, attribute, attributes);
	if (in == CONDITIONS && !r->answer.condition)
		r->answer.condition = condition(r->into, name, space);
	if (in == OWN_CONDITIONS && !r->condition)
		r->condition = condition(r->job, name, space);
	r->open[++r->depth] = row ? row->becomes : NOWHERE;
	if (!row)
		return;
	r->found.traits |= row->traits;
	r->answer.multistatus |= row->becomes == MULTISTATUS;
	if (row->becomes == RESPONSE)
		begin_response(r);
	if (row->becomes == PROPSTAT)
		r->found = (struct found){ 0 };
	if (row->text != TEXT_NONE) {
		r->listening = row;
		r->text_depth = r->depth;
		r->text_cut = false;
		buffer_clear(&r->text);
	}
}

static void on_text(void *self, struct slice text)
{
	struct dav_reader *r = self;
	size_t             most;

	if (!r->listening || r->text_depth != r->depth || r->text_cut)
		return;
	most = r->listening->text == TEXT_DATA ? DAV_DATA : DAV_TEXT;
	r->text_cut = buffer_held(&r->text).len + text.len > most || !buffer_add(&r->text, text);
}

static void on_end(void *self)
{
	struct dav_reader *r = self;

	if (r->listening && r->text_depth == r->depth) {
		const struct row *row = r->listening;

		r->listening = NULL;
		take_text(r, row->text);
	}
	if (r->open[r->depth] == PROPSTAT)
		end_propstat(r);
	if (r->open[r->depth] == RESPONSE && !r->fault)
		end_response(r);
	r->whole = --r->depth == 0;
}

/* -- the reader --------------------------------------------------------------------------------------------------- */

struct dav_reader *dav_reader_new(struct arena *into, void (*resource)(void *, const struct dav_resource *), void *self)
{
	struct dav_reader        *r = must_alloc(sizeof *r);
	const struct xml_listener told = { .self = r, .start = on_start, .end = on_end, .text = on_text };

	*r = (struct dav_reader){ .into = into, .job = arena_new(), .resource = resource, .self = self, .open = { DOCUMENT } };
	buffer_init(&r->text, DAV_DATA);
	xml_reader_init(&r->xml, spaces, COUNT(spaces), &told);
	return r;
}

void dav_reader_free(struct dav_reader *r)
{
	if (!r)
		return;
	xml_reader_release(&r->xml);
	buffer_release(&r->text);
	arena_free(r->job);
	free(r);
}

bool dav_feed(struct dav_reader *r, struct slice bytes, struct error *err)
{
	size_t used;

	while (!r->begun && bytes.len && strchr(" \t\r\n", bytes.at[0]))
		bytes = slice_from(bytes, 1);      /* an XML declaration bears nothing before it */
	r->begun |= bytes.len > 0;
	if (r->fault)
		return fail(err, r->fault, "%s", r->why);
	used = xml_feed(&r->xml, bytes);
	if (!r->fault && (r->xml.state == XML_BROKEN || r->xml.state == XML_TOO_BIG)) {
		r->fault = r->xml.state == XML_BROKEN ? FAULT_BROKEN : FAULT_TOO_BIG;
		r->why = r->xml.why;
	}
	if (!r->fault && slice_trim(slice_from(bytes, used)).len) {
		r->fault = FAULT_BROKEN;
		r->why = "something behind the end of the document";
	}
	return !r->fault || fail(err, r->fault, "%s", r->why);
}

bool dav_finish(struct dav_reader *r, struct error *err)
{
	if (r->fault)
		return fail(err, r->fault, "%s", r->why);
	return r->whole || fail(err, FAULT_BROKEN, "it ends before its end");
}

const struct dav_answer *dav_answer(const struct dav_reader *r)
{
	return &r->answer;
}
