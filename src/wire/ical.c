#include "wire/ical.h"

#include <ctype.h>
#include <libical/ical.h>
#include <stdlib.h>
#include <strings.h>

#define RULES          4                 /* RRULEs of one event             */
#define RULE_LONGEST   1024
#define PARAMETERS     512               /* of one line, all of them        */
#define ZONES          32                /* VTIMEZONEs of one object        */
#define ZONE_TEXT      ((size_t)16 * 1024)
#define ZONE_RULES_MOST 64
#define DEEPEST        8
#define LONGEST_NAME   20                /* of a component */
#define TEXT_MOST      1000

/* A date with or without a time, as it stands in a line. */
struct when {
	struct icaltimetype  at;              /* its zone is not set: that is `zone` here */
	const struct zone   *zone;            /* NULL: floating, a date, or UTC           */
	bool                 is_date, is_utc;
};

struct zone {
	const char        *given, *name;      /* NULL where it has none of the IANA's */
	icaltimezone      *at;                /* libical's own, for ever; NULL: `own` */
	icaltimezone      *own;
	enum ical_zone_by  by;
	struct zone       *next;
};

struct event {
	struct ical_event told;
	struct when       start, end, replaces;
	bool              has_start, has_end, has_duration;
	int64_t           duration;
	const char       *rule[RULES];
	size_t            rules;
	struct when      *except, *also;
	size_t            excepts, alsos;
};

/* A VTIMEZONE, until it is known whether anybody needs it. */
struct described {
	const char  *tzid, *besides;
	struct slice text;
};

struct ical_object {
	struct arena    *into;
	struct event    *event;
	size_t           events, room;
	struct zone     *zones;
	struct described described[ZONES];
	size_t           describes;
	size_t           dates;
};

const char *ical_zone_by_name(enum ical_zone_by by)
{
	static const char *const name[] = { "none", "utc", "name", "windows", "besides", "rules", "unknown" };

	return name[by];
}

/* -- lines -------------------------------------------------------------------------------------------------------- */

struct line {
	struct slice name, parameters, value;
};

/* The next line, unfolded into `unfolded`; false at the end. What is longer than ICAL_LINE is cut there. */
static bool next_line(struct slice *rest, struct buffer *unfolded, struct slice *out)
{
	buffer_clear(unfolded);
	if (!rest->at || !rest->len)
		return false;
	do {
		struct slice one = slice_cut(rest, '\n');

		if (one.len && one.at[one.len - 1] == '\r')
			one.len--;
		if (buffer_held(unfolded).len && one.len)
			one = slice_from(one, 1);      /* the blank that folds */
		buffer_add(unfolded, slice_upto(one, ICAL_LINE - buffer_held(unfolded).len));
	} while (rest->at && rest->len && (rest->at[0] == ' ' || rest->at[0] == '\t') && buffer_held(unfolded).len);
	*out = buffer_held(unfolded);
	return true;
}

/* NAME;PARAMETERS:VALUE; a colon in quotation marks is none. */
static bool cut_line(struct slice text, struct line *out)
{
	size_t name = 0, colon;
	bool   quoted = false;

	while (name < text.len && text.at[name] != ';' && text.at[name] != ':')
		name++;
	for (colon = name; colon < text.len && (quoted || text.at[colon] != ':'); colon++)
		quoted ^= text.at[colon] == '"';
	if (name == 0 || colon == text.len)
		return false;
	*out = (struct line){ slice_upto(text, name), slice(text.at + name, colon - name), slice_from(text, colon + 1) };
	return out->parameters.len <= PARAMETERS;
}

static struct slice parameter(const struct line *l, const char *name)
{
	struct slice rest = l->parameters;
	size_t       len = strlen(name);

	while (rest.len > len + 1) {
		bool   quoted = false;
		size_t end = 1;

		while (end < rest.len && (quoted || rest.at[end] != ';'))
			quoted ^= rest.at[end++] == '"';
		if (end > len + 2 && strncasecmp(rest.at + 1, name, len) == 0 && rest.at[len + 1] == '=') {
			struct slice value = slice(rest.at + len + 2, end - len - 2);

			return value.len >= 2 && value.at[0] == '"' ? slice(value.at + 1, value.len - 2) : value;
		}
		rest = slice_from(rest, end);
	}
	return slice(NULL, 0);
}

/* "\n" and the like undone, cut to what is of use. */
static const char *plain_text(struct slice value, struct arena *into)
{
	char  *text = arena_get(into, TEXT_MOST + 1);
	size_t len = 0;

	for (size_t i = 0; i < value.len && len < TEXT_MOST; i++) {
		char c = value.at[i];

		if (c == '\\' && i + 1 < value.len)
			c = value.at[++i] == 'n' || value.at[i] == 'N' ? '\n' : value.at[i];
		text[len++] = c;
	}
	return text;
}

/* -- zones -------------------------------------------------------------------------------------------------------- */

static const struct { const char *windows, *name; } windows_zones[] = {
#define WINDOWS_ZONE(windows, name) { windows, name },
#include "wire/windows_zones.def"
#undef WINDOWS_ZONE
	{ "tzone://Microsoft/Utc", "Etc/UTC" }, { "UTC", "Etc/UTC" }, { "GMT", "Etc/UTC" },
};

const char *ical_windows_zone(struct slice name)
{
	for (size_t i = 0; i < COUNT(windows_zones); i++)
		if (slice_is(name, windows_zones[i].windows))
			return windows_zones[i].name;
	return NULL;
}

/* The machine's own, and none but those: the name becomes that of a file. */
static icaltimezone *machines(struct slice name, struct arena *into)
{
	for (size_t i = 0; i < name.len; i++)
		if (!isalnum((unsigned char)name.at[i]) && !strchr("/_+-", name.at[i]))
			return NULL;
	if (!name.len || name.len > 64 || !isalpha((unsigned char)name.at[0]) || !isalnum((unsigned char)name.at[name.len - 1])
	    || slice_search(name, "//") < name.len)
		return NULL;
	if (slice_is(name, "Etc/UTC") || slice_is(name, "UTC"))
		return icaltimezone_get_utc_timezone();
	return icaltimezone_get_builtin_timezone(arena_copy(into, name));
}

/* By that name, or by what is left of it when the beginning of a path is taken away. */
static bool name_zone(struct zone *z, struct slice given, enum ical_zone_by by, struct arena *into)
{
	struct slice rest = given;

	while (rest.len && !z->at) {
		while (rest.len && rest.at[0] == '/')
			rest = slice_from(rest, 1);
		z->at = machines(rest, into);
		if (z->at)
			z->name = arena_copy(into, rest);
		rest = slice_from(rest, slice_find(rest, '/'));
	}
	if (z->at)
		z->by = by;
	return z->at != NULL;
}

static bool is_empty(const short *list)
{
	return list[0] == ICAL_RECURRENCE_ARRAY_MAX;
}

/* Yearly, in a month, on a day: what laws say. Anything else is somebody's game. */
static bool is_plain_rule(struct slice value, struct arena *into)
{
	struct icalrecurrencetype r;

	if (value.len > RULE_LONGEST)
		return false;
	r = icalrecurrencetype_from_string(arena_copy(into, value));
	return r.freq == ICAL_YEARLY_RECURRENCE && is_empty(r.by_second) && is_empty(r.by_minute) && is_empty(r.by_hour)
	    && is_empty(r.by_year_day) && is_empty(r.by_week_no) && is_empty(r.by_set_pos);
}

/* One date, with a time, in a year that calendars have. */
static bool is_plain_date(struct slice value)
{
	return value.len == 15 && value.at[8] == 'T' && slice_number(slice_upto(value, 8), 99991231, &(unsigned long long){ 0 })
	    && slice_number(slice_from(value, 9), 235959, &(unsigned long long){ 0 });
}

/* What is plain of a description, in order, is left to libical; nothing is, where something is not. */
static bool keep_plain(struct slice text, struct buffer *out, struct buffer *unfolded, struct arena *into)
{
	struct line  l;
	struct slice one;
	unsigned     lines = 0;

	while (next_line(&text, unfolded, &one)) {
		static const char *const kept[] = { "BEGIN", "END", "TZID", "DTSTART", "RRULE", "RDATE", "TZOFFSETFROM", "TZOFFSETTO" };
		bool keep = false;

		if (!cut_line(one, &l))
			continue;
		for (size_t i = 0; i < COUNT(kept); i++)
			keep |= slice_is(l.name, kept[i]);
		if (!keep)
			continue;
		if (++lines > ZONE_RULES_MOST * 6 || (slice_is(l.name, "RRULE") && !is_plain_rule(l.value, into))
		    || ((slice_is(l.name, "RDATE") || slice_is(l.name, "DTSTART")) && !is_plain_date(l.value)))
			return false;
		if (!buffer_add(out, l.name) || !buffer_add_str(out, ":") || !buffer_add(out, slice_upto(l.value, RULE_LONGEST)) || !buffer_add_str(out, "\r\n"))
			return false;
	}
	return true;
}

static bool rule_zone(struct zone *z, struct slice text, struct arena *into)
{
	struct buffer  plain, unfolded;
	icalcomponent *c = NULL;

	buffer_init(&plain, ZONE_TEXT);
	buffer_init(&unfolded, ICAL_LINE);
	if (keep_plain(text, &plain, &unfolded, into))
		c = icalcomponent_new_from_string(arena_copy(into, buffer_held(&plain)));
	buffer_release(&plain);
	buffer_release(&unfolded);
	if (c && icalcomponent_isa(c) == ICAL_VTIMEZONE_COMPONENT && (icalcomponent_get_first_component(c, ICAL_XSTANDARD_COMPONENT)
	                                                              || icalcomponent_get_first_component(c, ICAL_XDAYLIGHT_COMPONENT))) {
		z->own = icaltimezone_new();
		if (icaltimezone_set_component(z->own, c)) {
			z->by = ZONE_RULES;
			return true;
		}
		icaltimezone_free(z->own, 1);
		z->own = NULL;
	}
	if (c)
		icalcomponent_free(c);
	return false;
}

static const struct zone *zone_of(struct ical_object *o, struct slice tzid)
{
	const struct described *d = NULL;
	const char             *windows = ical_windows_zone(tzid);
	struct zone            *z;

	for (z = o->zones; z; z = z->next)
		if (slice_equal(slice_str(z->given), tzid))
			return z;
	z = arena_get(o->into, sizeof *z);
	z->given = arena_copy(o->into, slice_upto(tzid, PARAMETERS));
	z->by = ZONE_UNKNOWN;
	z->next = o->zones;
	o->zones = z;
	for (size_t i = 0; i < o->describes; i++)
		if (slice_equal(slice_str(o->described[i].tzid), tzid))
			d = &o->described[i];
	if (!name_zone(z, tzid, ZONE_NAME, o->into) && !(windows && name_zone(z, slice_str(windows), ZONE_WINDOWS, o->into))
	    && !(d && d->besides && name_zone(z, slice_str(d->besides), ZONE_BESIDES, o->into)) && d)
		rule_zone(z, d->text, o->into);
	return z;
}

/* -- times -------------------------------------------------------------------------------------------------------- */

static int64_t days_of(int year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year, era = (y >= 0 ? y : y - 399) / 400, of_era = y - era * 400;
	int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static int64_t seconds_of(const struct icaltimetype *t)
{
	return days_of(t->year, t->month, t->day) * 86400 + (t->is_date ? 0 : t->hour * 3600 + t->minute * 60 + t->second);
}

static icaltimezone *zone_at(const struct when *w)
{
	return w->zone ? w->zone->at ? w->zone->at : w->zone->own : NULL;
}

const char *ical_zone_in_windows(const char *zone)
{
	for (size_t i = 0; i < COUNT(windows_zones); i++)
		if (strcmp(windows_zones[i].name, zone) == 0)
			return windows_zones[i].windows;
	return NULL;
}

static icaltimezone *by_any_name(struct slice zone, struct arena *into)
{
	const char *name = ical_windows_zone(zone);

	return machines(name ? slice_str(name) : zone, into);
}

bool ical_clock_of(int64_t at, struct slice zone, int64_t *clock)
{
	CLEANUP(arena) struct arena *work = arena_new();
	icaltimezone       *its = by_any_name(zone, work);
	struct icaltimetype utc = icaltime_from_timet_with_zone((time_t)at, 0, NULL);
	int                 is_dst;

	if (!its)
		return false;
	*clock = at + icaltimezone_get_utc_offset_of_utc_time(its, &utc, &is_dst);
	return true;
}

bool ical_moment_of(int64_t clock, struct slice zone, int64_t *at)
{
	CLEANUP(arena) struct arena *work = arena_new();
	icaltimezone       *its = by_any_name(zone, work);
	struct icaltimetype local = icaltime_from_timet_with_zone((time_t)clock, 0, NULL);
	int                 is_dst;

	if (!its)
		return false;
	local.zone = NULL;
	*at = clock - icaltimezone_get_utc_offset(its, &local, &is_dst);
	return true;
}

/* Without a zone: as if in UTC. */
static int64_t unix_of(const struct when *w, const struct icaltimetype *at)
{
	icaltimezone       *zone = zone_at(w);
	struct icaltimetype local = *at;
	int                 is_dst;

	if (w->is_date || w->is_utc || !zone)
		return seconds_of(at);
	local.zone = NULL;
	return seconds_of(at) - icaltimezone_get_utc_offset(zone, &local, &is_dst);
}

static bool number_at(struct slice s, size_t at, size_t len, int least, int most, int *out)
{
	unsigned long long n;

	if (!slice_number(slice_upto(slice_from(s, at), len), (unsigned long long)most, &n) || (int)n < least)
		return false;
	*out = (int)n;
	return true;
}

static bool read_date(struct slice s, struct icaltimetype *t)
{
	*t = icaltime_null_time();
	return s.len >= 8 && number_at(s, 0, 4, 1, 9999, &t->year) && number_at(s, 4, 2, 1, 12, &t->month)
	    && number_at(s, 6, 2, 1, 31, &t->day) && t->day <= icaltime_days_in_month(t->month, t->year);
}

/* "20260101", "20260101T120000", "20260101T120000Z". */
static bool read_when(struct ical_object *o, const struct line *l, struct slice value, struct when *out)
{
	struct slice tzid = parameter(l, "TZID");

	*out = (struct when){ 0 };
	value = slice_trim(value);
	if (!read_date(value, &out->at))
		return false;
	if (value.len == 8) {
		out->is_date = true;
		out->at.is_date = 1;
		return true;
	}
	out->is_utc = value.len == 16 && (value.at[15] == 'Z' || value.at[15] == 'z');
	if ((value.len != 15 && !out->is_utc) || (value.at[8] != 'T' && value.at[8] != 't') || !number_at(value, 9, 2, 0, 23, &out->at.hour)
	    || !number_at(value, 11, 2, 0, 59, &out->at.minute) || !number_at(value, 13, 2, 0, 60, &out->at.second))
		return false;
	if (!out->is_utc && tzid.len)
		out->zone = zone_of(o, tzid);
	return true;
}

/* "PT1H30M", "P2D", "P1W"; nothing that takes longer than a lifetime. */
static bool read_duration(struct slice s, int64_t *out)
{
	static const struct { char letter; int seconds; } units[] = {
		{ 'W', 604800 }, { 'D', 86400 }, { 'H', 3600 }, { 'M', 60 }, { 'S', 1 },
	};
	bool    negative;
	int64_t sum = 0;

	s = slice_trim(s);
	negative = slice_starts(s, "-");
	if (s.len && (s.at[0] == '-' || s.at[0] == '+'))
		s = slice_from(s, 1);
	if (!slice_starts(s, "P"))
		return false;
	for (s = slice_from(s, 1); s.len;) {
		size_t             digits = 0;
		unsigned long long n;
		int                seconds = 0;

		if (s.at[0] == 'T' || s.at[0] == 't') {
			s = slice_from(s, 1);
			continue;
		}
		while (digits < s.len && isdigit((unsigned char)s.at[digits]))
			digits++;
		if (digits == s.len || !slice_number(slice_upto(s, digits), 1000000000, &n))
			return false;
		for (size_t i = 0; i < COUNT(units); i++)
			if (toupper((unsigned char)s.at[digits]) == units[i].letter)
				seconds = units[i].seconds;
		if (!seconds)
			return false;
		sum += (int64_t)n * seconds;
		s = slice_from(s, digits + 1);
	}
	*out = sum;
	return !negative && sum < (int64_t)100 * 366 * 86400;
}

/* -- the object --------------------------------------------------------------------------------------------------- */

static struct when *more_dates(struct arena *into, struct when *dates, size_t count)
{
	struct when *more;

	/* grows by doubling */
	if ((count & (count - 1)) != 0 || (count && count < 8))
		return dates;
	more = arena_get(into, (count < 8 ? 8 : 2 * count) * sizeof *more);
	if (count)
		memcpy(more, dates, count * sizeof *more);
	return more;
}

/* Several with commas between; of a period its beginning. */
static bool take_dates(struct ical_object *o, const struct line *l, struct when **dates, size_t *count)
{
	struct slice rest = l->value;

	while (rest.at) {
		struct slice one = slice_cut(&rest, ',');
		struct when  w;

		if (!read_when(o, l, slice_upto(one, slice_find(one, '/')), &w))
			continue;
		if (++o->dates > ICAL_DATES)
			return false;
		*dates = more_dates(o->into, *dates, *count);
		(*dates)[(*count)++] = w;
	}
	return true;
}

static bool take_line(struct ical_object *o, struct event *e, const struct line *l, struct error *err)
{
	if (slice_is(l->name, "UID") && !e->told.uid)
		e->told.uid = plain_text(l->value, o->into);
	else if (slice_is(l->name, "SUMMARY") && !e->told.summary)
		e->told.summary = plain_text(l->value, o->into);
	else if (slice_is(l->name, "DTSTART") && !e->has_start)
		e->has_start = read_when(o, l, l->value, &e->start);
	else if (slice_is(l->name, "DTEND") && !e->has_end)
		e->has_end = read_when(o, l, l->value, &e->end);
	else if (slice_is(l->name, "DURATION"))
		e->has_duration = read_duration(l->value, &e->duration);
	else if (slice_is(l->name, "RECURRENCE-ID"))
		e->told.is_exception = read_when(o, l, l->value, &e->replaces);
	else if (slice_is(l->name, "RRULE") && e->rules < RULES && l->value.len <= RULE_LONGEST)
		e->rule[e->rules++] = arena_copy(o->into, l->value);
	else if (slice_is(l->name, "STATUS"))
		e->told.cancelled = slice_is(slice_trim(l->value), "CANCELLED");
	else if (slice_is(l->name, "CLASS"))
		e->told.is_private = slice_is(slice_trim(l->value), "PRIVATE") || slice_is(slice_trim(l->value), "CONFIDENTIAL");
	else if ((slice_is(l->name, "EXDATE") && !take_dates(o, l, &e->except, &e->excepts))
	         || (slice_is(l->name, "RDATE") && !take_dates(o, l, &e->also, &e->alsos)))
		return fail(err, FAULT_TOO_BIG, "more than %d dates beside a rule", ICAL_DATES);
	return true;
}

static struct event *new_event(struct ical_object *o)
{
	if (o->events == o->room) {
		struct event *more;

		o->room = o->room ? 2 * o->room : 4;
		more = arena_get(o->into, o->room * sizeof *more);
		if (o->events)
			memcpy(more, o->event, o->events * sizeof *more);
		o->event = more;
	}
	return &o->event[o->events++];
}

/* -- two passes: the zones first, since an event may come before what it refers to ------------------------------------ */

struct pass {
	struct ical_object *o;
	struct buffer       unfolded;
	struct slice        in[DEEPEST];       /* names of open components */
	int                 depth;
	const char         *zone_begin;
	struct described    zone;
	struct event       *event;
	bool                calendar;
};

static bool is_in(const struct pass *p, int depth, const char *name)
{
	return p->depth == depth && slice_is(p->in[depth - 1], name);
}

static void end_zone(struct pass *p, const char *upto)
{
	p->zone.text = slice(p->zone_begin, (size_t)(upto - p->zone_begin));
	if (p->zone.tzid && p->o->describes < ZONES && p->zone.text.len <= ZONE_TEXT)
		p->o->described[p->o->describes++] = p->zone;
	p->zone = (struct described){ 0 };
}

static bool open_component(struct pass *p, const struct line *l, const char *begin, bool zones, struct error *err)
{
	struct slice name = slice_trim(l->value);

	if (p->depth == DEEPEST)
		return fail(err, FAULT_BROKEN, "components within components without end");
	p->in[p->depth++] = slice_str(arena_copy(p->o->into, slice_upto(name, LONGEST_NAME)));
	p->calendar |= is_in(p, 1, "VCALENDAR");
	if (zones && is_in(p, 2, "VTIMEZONE"))
		p->zone_begin = begin;
	if (!zones && is_in(p, 2, "VEVENT")) {
		if (p->o->events == ICAL_EXCEPTIONS)
			return fail(err, FAULT_TOO_BIG, "more than %d exceptions", ICAL_EXCEPTIONS);
		p->event = new_event(p->o);
	}
	return true;
}

static bool run_pass(struct ical_object *o, struct slice text, bool zones, struct error *err)
{
	struct pass  p = { .o = o };
	struct slice rest = text, one;
	const char  *begin = text.at;
	struct line  l;
	bool         fine = true;

	buffer_init(&p.unfolded, ICAL_LINE);
	for (; fine && next_line(&rest, &p.unfolded, &one); begin = rest.at) {
		if (!cut_line(one, &l))
			continue;
		if (slice_is(l.name, "BEGIN")) {
			fine = open_component(&p, &l, begin, zones, err);
		} else if (slice_is(l.name, "END")) {
			if (p.depth == 0 || !slice_equal(p.in[p.depth - 1], slice_upto(slice_trim(l.value), LONGEST_NAME)))
				fine = fail(err, FAULT_BROKEN, "an end of another component");
			if (fine && zones && is_in(&p, 2, "VTIMEZONE"))
				end_zone(&p, rest.at ? rest.at : text.at + text.len);
			p.depth -= fine;
			p.event = p.depth < 2 ? NULL : p.event;
		} else if (zones && is_in(&p, 2, "VTIMEZONE")) {
			if (slice_is(l.name, "TZID"))
				p.zone.tzid = arena_copy(o->into, slice_upto(slice_trim(l.value), PARAMETERS));
			if (slice_is(l.name, "X-LIC-LOCATION"))
				p.zone.besides = arena_copy(o->into, slice_upto(slice_trim(l.value), PARAMETERS));
		} else if (!zones && p.event && is_in(&p, 2, "VEVENT")) {
			fine = take_line(o, p.event, &l, err);
		}
	}
	buffer_release(&p.unfolded);
	if (fine && !p.calendar)
		return fail(err, FAULT_BROKEN, "no calendar");
	return fine && (p.depth == 0 || fail(err, FAULT_BROKEN, "a component without an end"));
}

/* -- what is told -------------------------------------------------------------------------------------------------- */

static int64_t length_of(const struct event *e)
{
	int64_t start = unix_of(&e->start, &e->start.at), end = e->has_end ? unix_of(&e->end, &e->end.at) : 0;

	if (e->has_end)
		return end > start ? end - start : 0;
	return e->has_duration ? e->duration : e->start.is_date ? 86400 : 0;
}

static void tell(struct event *e)
{
	struct ical_event *t = &e->told;
	const struct zone *z = e->start.zone;

	t->start = unix_of(&e->start, &e->start.at);
	t->end = t->start + length_of(e);
	t->all_day = e->start.is_date;
	t->recurs = e->rules || e->alsos;
	t->replaces = t->is_exception ? unix_of(&e->replaces, &e->replaces.at) : 0;
	t->zone_by = z ? z->by : e->start.is_utc ? ZONE_UTC : ZONE_NONE;
	t->zone = z ? z->name : e->start.is_utc ? "Etc/UTC" : NULL;
	t->zone_given = z ? z->given : NULL;
}

static void give_back(struct ical_object *o)
{
	for (struct zone *z = o->zones; z; z = z->next) {
		if (z->own)
			icaltimezone_free(z->own, 1);
		z->own = NULL;
	}
}

void ical_free(struct ical_object *o)
{
	if (o)
		give_back(o);
}

bool ical_read(struct slice text, struct arena *into, struct ical_object **out, struct error *err)
{
	struct ical_object *o = arena_get(into, sizeof *o);

	*out = NULL;
	o->into = into;
	if (text.len > ICAL_MOST)
		return fail(err, FAULT_TOO_BIG, "a calendar object of more than %zu bytes", ICAL_MOST);
	if (!run_pass(o, text, true, err) || !run_pass(o, text, false, err)) {
		give_back(o);
		return false;
	}
	for (size_t i = 0; i < o->events; i++)
		if (!o->event[i].has_start) {
			give_back(o);
			return fail(err, FAULT_BROKEN, "an event without a start");
		}
	if (!o->events)
		return fail(err, FAULT_BROKEN, "no event");
	for (size_t i = 0; i < o->events; i++)
		tell(&o->event[i]);
	*out = o;
	return true;
}

size_t ical_events(const struct ical_object *o)
{
	return o->events;
}

const struct ical_event *ical_event(const struct ical_object *o, size_t n)
{
	return &o->event[n].told;
}

/* -- instances ----------------------------------------------------------------------------------------------------- */

struct window {
	const struct ical_object *o;
	int64_t                   from, upto;
	struct ical_instance     *out;
	size_t                    count, most, steps;
	bool                      whole;
};

/* False: there is no room for more. */
static bool add(struct window *w, int64_t start, int64_t length)
{
	if (start >= w->upto || (start + length <= w->from && !(length == 0 && start >= w->from)))
		return true;
	if (w->count == w->most) {
		w->whole = false;
		return false;
	}
	w->out[w->count++] = (struct ical_instance){ start, start + length };
	return true;
}

/* A date among the exceptions of something with a time means that day, wherever the event is. */
static bool is_excepted(const struct event *e, const struct icaltimetype *at, int64_t start)
{
	for (size_t i = 0; i < e->excepts; i++) {
		const struct when *x = &e->except[i];

		if (x->is_date && !e->start.is_date ? days_of(x->at.year, x->at.month, x->at.day) == days_of(at->year, at->month, at->day)
		                                    : unix_of(x, &x->at) == start)
			return true;
	}
	return false;
}

static bool is_replaced(const struct ical_object *o, int64_t start)
{
	for (size_t i = 0; i < o->events; i++)
		if (o->event[i].told.is_exception && o->event[i].told.replaces == start)
			return true;
	return false;
}

static bool add_one(struct window *w, const struct event *e, const struct icaltimetype *at, const struct when *like, int64_t length)
{
	int64_t start = unix_of(like, at);

	if (start >= w->upto || start + length < w->from || is_excepted(e, at, start) || is_replaced(w->o, start))
		return true;
	return add(w, start, length);
}

/* Several times a day with conditions on top may run for years of seconds between two hits: such rules are not run. */
static bool may_run(const struct icalrecurrencetype *r)
{
	if (r->freq == ICAL_NO_RECURRENCE || r->interval < 1)
		return false;
	if (r->freq != ICAL_SECONDLY_RECURRENCE && r->freq != ICAL_MINUTELY_RECURRENCE && r->freq != ICAL_HOURLY_RECURRENCE)
		return true;
	return is_empty(r->by_second) && is_empty(r->by_minute) && is_empty(r->by_hour) && is_empty(r->by_day) && is_empty(r->by_month_day)
	    && is_empty(r->by_year_day) && is_empty(r->by_week_no) && is_empty(r->by_month) && is_empty(r->by_set_pos);
}

/* UNTIL in UTC, as the clock of the event shows it. */
static void localise(struct icalrecurrencetype *r, const struct event *e)
{
	icaltimezone *zone = zone_at(&e->start);

	if (icaltime_is_null_time(r->until))
		return;
	if (!r->until.is_date && zone && icaltime_is_utc(r->until))
		r->until = icaltime_convert_to_zone(r->until, zone);
	r->until.zone = NULL;
	r->until.is_date = r->until.is_date || e->start.is_date;
}

/* To somewhere before the window, where that can be jumped to: clocks have changed by three hours at most. */
static void jump(icalrecur_iterator *i, const struct icalrecurrencetype *r, const struct event *e, int64_t from)
{
	struct icaltimetype at = icaltime_from_timet_with_zone((time_t)from, 0, NULL);
	icaltimezone       *zone = e->start.is_utc || e->start.is_date ? NULL : zone_at(&e->start);
	int                 is_dst, offset = zone ? icaltimezone_get_utc_offset_of_utc_time(zone, &at, &is_dst) : 0;
	bool                often = r->freq <= ICAL_HOURLY_RECURRENCE;
	int64_t             first = seconds_of(&e->start.at), near = from + offset - (often ? 3 * 3600 : 2 * 86400);

	if (r->count || near <= first || near > (int64_t)253402300799)
		return;
	at = icaltime_from_timet_with_zone((time_t)near, e->start.is_date, NULL);
	at.zone = NULL;
	icalrecur_iterator_set_start(i, at);
}

static void run_rule(struct window *w, const struct event *e, const char *rule, int64_t length)
{
	struct icalrecurrencetype r = icalrecurrencetype_from_string(rule);
	struct icaltimetype       start = e->start.at, at;
	icalrecur_iterator       *i;

	if (!may_run(&r)) {
		w->whole = false;
		return;
	}
	localise(&r, e);
	i = icalrecur_iterator_new(r, start);
	if (!i) {
		w->whole = false;
		return;
	}
	jump(i, &r, e, w->from - length);
	for (at = icalrecur_iterator_next(i); !icaltime_is_null_time(at); at = icalrecur_iterator_next(i)) {
		if (++w->steps > ICAL_STEPS) {
			w->whole = false;
			break;
		}
		if (unix_of(&e->start, &at) >= w->upto || at.year > 9999)
			break;
		/* the first is told beside the rule, whether it fits that or not */
		if (seconds_of(&at) != seconds_of(&start) && !add_one(w, e, &at, &e->start, length))
			break;
	}
	icalrecur_iterator_free(i);
}

size_t ical_instances(const struct ical_object *o, int64_t from, int64_t upto, struct ical_instance *out, size_t most, bool *whole)
{
	struct window w = { .o = o, .from = from, .upto = upto, .out = out, .most = most, .whole = true };

	for (size_t n = 0; n < o->events; n++) {
		const struct event *e = &o->event[n];
		int64_t             length = e->told.end - e->told.start;

		if (e->told.cancelled)
			continue;
		if (e->told.is_exception) {
			add(&w, e->told.start, length);
			continue;
		}
		add_one(&w, e, &e->start.at, &e->start, length);
		for (size_t i = 0; i < e->alsos; i++)
			add_one(&w, e, &e->also[i].at, &e->also[i], length);
		for (size_t i = 0; i < e->rules; i++)
			run_rule(&w, e, e->rule[i], length);
	}
	*whole = w.whole;
	return w.count;
}

/* -- our own event --------------------------------------------------------------------------------------------------- */

#define PREFIX "/freeassociation.sourceforge.net/"

/* The zone's own description, by its plain name. */
static bool add_zone(struct buffer *out, icaltimezone *zone)
{
	icalcomponent *c = icaltimezone_get_component(zone);
	char          *text = c ? icalcomponent_as_ical_string_r(c) : NULL;
	bool           fits = text != NULL;

	for (struct slice rest = slice_str(text); fits && rest.len;) {
		size_t at = slice_search(rest, PREFIX);

		fits = buffer_add(out, slice_upto(rest, at));
		rest = slice_from(rest, at + strlen(PREFIX));
	}
	free(text);
	return fits;
}

static bool add_time(struct buffer *out, const char *name, int64_t at, icaltimezone *zone, const char *tzid)
{
	struct icaltimetype t = icaltime_from_timet_with_zone((time_t)at, 0, zone);

	if (!buffer_print(out, "%s", name) || (tzid && !buffer_print(out, ";TZID=%s", tzid)))
		return false;
	return buffer_print(out, ":%04d%02d%02dT%02d%02d%02d%s\r\n", t.year, t.month, t.day, t.hour, t.minute, t.second, tzid ? "" : "Z");
}

bool ical_write_test(struct buffer *out, const struct ical_test *t)
{
	CLEANUP(arena) struct arena *work = arena_new();
	icaltimezone *zone = machines(slice_str(t->zone), work), *utc = icaltimezone_get_utc_timezone();

	return zone && zone != utc && buffer_add_str(out, "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Mailmoor//EN\r\nCALSCALE:GREGORIAN\r\n") && add_zone(out, zone)
	    && buffer_print(out, "BEGIN:VEVENT\r\nUID:%s\r\nSEQUENCE:%u\r\n", t->uid, t->sequence) && add_time(out, "DTSTAMP", t->stamp, utc, NULL)
	    && add_time(out, "DTSTART", t->start, zone, t->zone) && add_time(out, "DTEND", t->end, zone, t->zone)
	    && buffer_print(out, "SUMMARY:%s\r\nCLASS:PRIVATE\r\nTRANSP:TRANSPARENT\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n", t->summary);
}
