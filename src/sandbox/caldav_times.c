/* What stands in calendar objects: whether it may, and when it is. By libical, whose own zones are this machine's. */
#include <libical/ical.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>

#include "sandbox/caldav.h"

#define STEPS_MOST 200000      /* of one rule, before it is given up */
#define EXCEPT_MOST 1000

/* -- whether it may stand there ----------------------------------------------------------------------------------------- */

/* A rule of a time zone that is none of a law's could run for ever. */
static bool has_wild_zone(struct slice text)
{
	struct slice rest = text;
	bool         within = false;

	while (rest.at && rest.len) {
		struct slice line = slice_cut(&rest, '\n');

		if (slice_starts(line, "BEGIN:VTIMEZONE"))
			within = true;
		else if (slice_starts(line, "END:VTIMEZONE"))
			within = false;
		else if (within && slice_starts(line, "RRULE") && !slice_has(line, "FREQ=YEARLY"))
			return true;
	}
	return false;
}

static icalcomponent *read_whole(struct slice text)
{
	char          *copy = must_alloc(text.len + 1);
	icalcomponent *c;

	memcpy(copy, text.at, text.len);
	c = icalparser_parse_string(copy);
	free(copy);
	return c;
}

static bool is_entry(icalcomponent *c)
{
	icalcomponent_kind kind = icalcomponent_isa(c);

	return kind == ICAL_VEVENT_COMPONENT || kind == ICAL_VTODO_COMPONENT;
}

static const char *weigh_parts(struct arena *work, icalcomponent *all, enum holds *kind, const char **uid)
{
	*uid = NULL;
	for (icalcomponent *c = icalcomponent_get_first_component(all, ICAL_ANY_COMPONENT); c;
	     c = icalcomponent_get_next_component(all, ICAL_ANY_COMPONENT)) {
		const char *own = icalcomponent_get_uid(c);
		enum holds  is = icalcomponent_isa(c) == ICAL_VEVENT_COMPONENT ? HOLDS_EVENTS : HOLDS_TASKS;

		if (icalcomponent_isa(c) == ICAL_VTIMEZONE_COMPONENT)
			continue;
		if (!is_entry(c))
			return "supported-calendar-component";
		if (!own || (*uid && (strcmp(*uid, own) != 0 || *kind != is)))
			return "valid-calendar-object-resource";
		if (is == HOLDS_EVENTS && icaltime_is_null_time(icalcomponent_get_dtstart(c)))
			return "valid-calendar-data";
		*uid = arena_str(work, own);
		*kind = is;
	}
	return *uid ? NULL : "valid-calendar-object-resource";
}

const char *almanac_weigh(struct arena *work, struct slice text, enum holds *kind, const char **uid)
{
	icalcomponent *all;
	const char    *breaks;

	if (text.len > ALMANAC_LONGEST)
		return "max-resource-size";
	if (!text.len || memchr(text.at, '\0', text.len) || has_wild_zone(text) || !(all = read_whole(text)))
		return "valid-calendar-data";
	if (icalcomponent_isa(all) != ICAL_VCALENDAR_COMPONENT || icalcomponent_count_errors(all) > 0)
		breaks = "valid-calendar-data";
	else if (icalcomponent_get_first_property(all, ICAL_METHOD_PROPERTY))
		breaks = "valid-calendar-object-resource";
	else
		breaks = weigh_parts(work, all, kind, uid);
	icalcomponent_free(all);
	return breaks;
}

/* -- when it is ---------------------------------------------------------------------------------------------------------- */

static int64_t seconds_at(struct icaltimetype t)
{
	return (int64_t)icaltime_as_timet_with_zone(t, t.zone);
}

struct series {
	icalcomponent *all, *one;
	int64_t        lasts;
	struct span    between, *out;
	size_t         count;
};

static void add_span(struct series *x, int64_t from)
{
	int64_t to = from + x->lasts;

	/* what takes no time is where it begins (RFC 4791 9.9) */
	if (from < x->between.to && (to > x->between.from || (x->lasts == 0 && from >= x->between.from)) && x->count < ALMANAC_SPANS)
		x->out[x->count++] = (struct span){ from, to };
}

static bool is_replaced(const struct series *x, int64_t at)
{
	for (icalcomponent *c = icalcomponent_get_first_component(x->all, icalcomponent_isa(x->one)); c;
	     c = icalcomponent_get_next_component(x->all, icalcomponent_isa(x->one))) {
		icalproperty *p = icalcomponent_get_first_property(c, ICAL_RECURRENCEID_PROPERTY);

		if (p && seconds_at(icalcomponent_get_recurrenceid(c)) == at)
			return true;
	}
	return false;
}

static bool is_excepted(const struct series *x, int64_t at)
{
	for (icalproperty *p = icalcomponent_get_first_property(x->one, ICAL_EXDATE_PROPERTY); p;
	     p = icalcomponent_get_next_property(x->one, ICAL_EXDATE_PROPERTY))
		if (seconds_at(icalproperty_get_datetime_with_component(p, x->one)) == at)
			return true;
	return false;
}

static void add_ruled(struct series *x, struct icaltimetype start, icalproperty *rule)
{
	icalrecur_iterator *i = icalrecur_iterator_new(icalproperty_get_rrule(rule), start);
	struct icaltimetype at;

	for (unsigned steps = 0; i && steps < STEPS_MOST && !icaltime_is_null_time(at = icalrecur_iterator_next(i)); steps++) {
		int64_t from;

		at.zone = start.zone;
		from = seconds_at(at);
		if (from >= x->between.to || x->count == ALMANAC_SPANS)
			break;
		if (from + x->lasts >= x->between.from && !is_excepted(x, from) && !is_replaced(x, from))
			add_span(x, from);
	}
	if (i)
		icalrecur_iterator_free(i);
}

static void add_also(struct series *x, const icaltimezone *zone)
{
	for (icalproperty *p = icalcomponent_get_first_property(x->one, ICAL_RDATE_PROPERTY); p;
	     p = icalcomponent_get_next_property(x->one, ICAL_RDATE_PROPERTY)) {
		struct icaldatetimeperiodtype at = icalproperty_get_rdate(p);

		if (icaltime_is_null_time(at.time))
			continue;
		if (!at.time.zone)
			at.time.zone = zone;
		add_span(x, seconds_at(at.time));
	}
}

static int64_t lasting(icalcomponent *c, struct icaltimetype start)
{
	struct icaldurationtype d = icalcomponent_get_duration(c);
	icalproperty           *end = icalcomponent_get_first_property(c, ICAL_DTEND_PROPERTY);

	if (!end && !icalcomponent_get_first_property(c, ICAL_DURATION_PROPERTY))
		return start.is_date ? 86400 : 0;
	return icaldurationtype_as_int(d);
}

static bool is_busy(icalcomponent *c)
{
	icalproperty *transparent = icalcomponent_get_first_property(c, ICAL_TRANSP_PROPERTY);

	return icalcomponent_isa(c) == ICAL_VEVENT_COMPONENT && icalcomponent_get_status(c) != ICAL_STATUS_CANCELLED
	    && !(transparent && icalproperty_get_transp(transparent) == ICAL_TRANSP_TRANSPARENT);
}

static void add_series(struct series *x)
{
	struct icaltimetype start = icalcomponent_get_dtstart(x->one);
	icalproperty       *rule = icalcomponent_get_first_property(x->one, ICAL_RRULE_PROPERTY);

	if (icaltime_is_null_time(start))
		return;
	x->lasts = lasting(x->one, start);
	if (!rule)
		add_span(x, seconds_at(start));
	for (; rule; rule = icalcomponent_get_next_property(x->one, ICAL_RRULE_PROPERTY))
		add_ruled(x, start, rule);
	add_also(x, start.zone);
}

size_t almanac_spans(struct slice text, struct span between, bool busy, struct span *out)
{
	icalcomponent *all = read_whole(text), *part[EXCEPT_MOST];
	struct series  x = { .all = all, .between = between, .out = out };
	size_t         parts = 0;

	if (!all)
		return 0;
	/* gathered first: the library knows only one walk through a component at a time */
	for (icalcomponent *c = icalcomponent_get_first_component(all, ICAL_ANY_COMPONENT); c && parts < EXCEPT_MOST;
	     c = icalcomponent_get_next_component(all, ICAL_ANY_COMPONENT))
		if (is_entry(c) && (!busy || is_busy(c)))
			part[parts++] = c;
	for (size_t i = 0; i < parts; i++) {
		x.one = part[i];
		add_series(&x);
	}
	icalcomponent_free(all);
	return x.count;
}

/* -- what happens to zones on the way -------------------------------------------------------------------------------------- */

#define STRANGE "Customized Time Zone 7"

static bool begins_zone(struct slice line) { return slice_starts(line, "BEGIN:VTIMEZONE"); }
static bool ends_zone(struct slice line)   { return slice_starts(line, "END:VTIMEZONE"); }

/* ";TZID=Europe/Berlin" of a line, to where the parameter ends. */
static struct slice zone_of(struct slice line)
{
	size_t at = slice_search(line, ";TZID="), end = at + 1;

	if (at == line.len)
		return slice(NULL, 0);
	while (end < line.len && line.at[end] != ';' && line.at[end] != ':')
		end++;
	return slice(line.at + at, end - at);
}

static void rezone_line(struct buffer *out, struct slice line, const char *how)
{
	struct slice zone = zone_of(line);
	bool         is_kept = strcmp(how, "unknown") == 0 || strcmp(how, "broken") == 0;

	if (!zone.at) {
		buffer_add(out, line);
		return;
	}
	buffer_add(out, slice_upto(line, (size_t)(zone.at - line.at)));
	if (is_kept)
		buffer_add_str(out, ";TZID=\"" STRANGE "\"");
	buffer_add(out, slice(zone.at + zone.len, (size_t)(line.at + line.len - zone.at - zone.len)));
	if (strcmp(how, "shifted") == 0)
		buffer_add_str(out, "Z");
}

struct slice almanac_rezoned(struct arena *work, struct slice text, const char *how)
{
	static const char broken[] = "BEGIN:VTIMEZONE\r\nTZID:" STRANGE "\r\nBEGIN:STANDARD\r\nDTSTART:never\r\nTZOFFSETFROM:+99\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n";
	struct buffer out;
	struct slice  rest = text, done;
	bool          within = false;

	buffer_init(&out, 2 * ALMANAC_LONGEST);
	while (rest.at && rest.len) {
		struct slice line = slice_cut(&rest, '\n');

		if (line.len && line.at[line.len - 1] == '\r')
			line.len--;
		if (begins_zone(line) && strcmp(how, "broken") == 0)
			buffer_add_str(&out, broken);
		within |= begins_zone(line);
		if (!within) {
			rezone_line(&out, line, how);
			buffer_add_str(&out, "\r\n");
		}
		if (ends_zone(line))
			within = false;
	}
	done = slice(arena_copy(work, buffer_held(&out)), buffer_held(&out).len);
	buffer_release(&out);
	return done;
}
