/* Calendars in memory. */
#include <stdlib.h>
#include <strings.h>
#include <time.h>

#include "base/clock.h"
#include "sandbox/caldav.h"

#define TASKS_TITLE "Tasks"

/* -- calendars ------------------------------------------------------------------------------------------------------- */

struct calendar *almanac_add(struct almanac *m, struct home *h, const char *name, const char *title, unsigned holds)
{
	struct calendar *c;

	if (h->calendars == ALMANAC_CALENDARS)
		return NULL;
	c = must_alloc(sizeof *c);
	c->name = must_copy(name);
	c->title = must_copy(title);
	c->color = must_copy("#2f6f4f");
	c->number = ++m->last_number;
	c->holds = holds;
	c->change = 1;
	h->calendar[h->calendars++] = c;
	return c;
}

static void entry_free(struct entry *e)
{
	free(e->name);
	free(e->uid);
	free(e->text);
	free(e);
}

static void calendar_free(struct calendar *c)
{
	for (size_t i = 0; i < c->entries; i++)
		entry_free(c->entry[i]);
	for (size_t i = 0; i < c->gones; i++)
		free(c->gone[i].name);
	free(c->entry);
	free(c->gone);
	free(c->name);
	free(c->title);
	free(c->color);
	free(c);
}

void almanac_remove(struct home *h, struct calendar *c)
{
	for (size_t i = 0; i < h->calendars; i++)
		if (h->calendar[i] == c) {
			calendar_free(c);
			h->calendar[i] = h->calendar[--h->calendars];
			return;
		}
}

struct calendar *almanac_calendar(struct home *h, const char *name)
{
	for (size_t i = 0; i < h->calendars; i++)
		if (strcmp(h->calendar[i]->name, name) == 0)
			return h->calendar[i];
	return NULL;
}

/* -- what is in them -------------------------------------------------------------------------------------------------- */

struct entry *almanac_entry(struct calendar *c, const char *name)
{
	for (size_t i = 0; i < c->entries; i++)
		if (strcmp(c->entry[i]->name, name) == 0)
			return c->entry[i];
	return NULL;
}

struct entry *almanac_with_uid(struct calendar *c, const char *uid)
{
	for (size_t i = 0; i < c->entries; i++)
		if (strcmp(c->entry[i]->uid, uid) == 0)
			return c->entry[i];
	return NULL;
}

/* It is there again: only that counts. */
static void forget_gone(struct calendar *c, const char *name)
{
	for (size_t i = 0; i < c->gones; i++)
		if (strcmp(c->gone[i].name, name) == 0) {
			free(c->gone[i].name);
			c->gone[i] = c->gone[--c->gones];
			return;
		}
}

static struct entry *add_entry(struct calendar *c, const char *name)
{
	struct entry *e = must_alloc(sizeof *e);

	if (c->entries == c->room) {
		c->room = c->room ? 2 * c->room : 64;
		c->entry = must_realloc(c->entry, c->room * sizeof *c->entry);
	}
	e->name = must_copy(name);
	c->entry[c->entries++] = e;
	return e;
}

static void write_entry(struct calendar *c, struct entry *e, const char *uid, enum holds kind, struct slice text)
{
	free(e->uid);
	free(e->text);
	e->uid = must_copy(uid);
	e->text = must_alloc(text.len + 1);
	memcpy(e->text, text.at, text.len);
	e->len = text.len;
	e->kind = kind;
	e->changed = ++c->change;
}

bool almanac_put(struct calendar *c, const char *name, const char *uid, enum holds kind, struct slice text)
{
	struct entry *e = almanac_entry(c, name);

	if (!e && c->entries == ALMANAC_ENTRIES)
		return false;
	forget_gone(c, name);
	write_entry(c, e ? e : add_entry(c, name), uid, kind, text);
	return true;
}

void almanac_drop(struct calendar *c, struct entry *e)
{
	for (size_t i = 0; i < c->entries; i++)
		if (c->entry[i] == e) {
			c->entry[i] = c->entry[--c->entries];
			break;
		}
	if (c->gones == c->gone_room) {
		c->gone_room = c->gone_room ? 2 * c->gone_room : 64;
		c->gone = must_realloc(c->gone, c->gone_room * sizeof *c->gone);
	}
	c->gone[c->gones++] = (struct gone){ must_copy(e->name), ++c->change };
	entry_free(e);
}

/* -- what is there at the beginning ------------------------------------------------------------------------------------ */

static const char *stamp(struct arena *work, int64_t at, const char *format)
{
	char      text[40];
	time_t    t = (time_t)at;
	struct tm tm;

	strftime(text, sizeof text, format, gmtime_r(&t, &tm));
	return arena_str(work, text);
}

#define HEAD "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Sandbox//EN\r\n"
#define BERLIN "BEGIN:VTIMEZONE\r\nTZID:Europe/Berlin\r\nBEGIN:DAYLIGHT\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\nTZNAME:CEST\r\nDTSTART:19700329T020000\r\n" \
	"RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\r\nEND:DAYLIGHT\r\nBEGIN:STANDARD\r\nTZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\nTZNAME:CET\r\n" \
	"DTSTART:19701025T030000\r\nRRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"

static void put_usual(struct calendar *c, int64_t today)
{
	CLEANUP(arena) struct arena *work = arena_new();
	const char *day = stamp(work, today + 86400, "%Y%m%d"), *made = stamp(work, today, "%Y%m%dT%H%M%SZ");

	almanac_put(c, "weekly.ics", "weekly@sandbox", HOLDS_EVENTS, slice_str(arena_print(work,
		HEAD BERLIN "BEGIN:VEVENT\r\nUID:weekly@sandbox\r\nDTSTAMP:%s\r\nDTSTART;TZID=Europe/Berlin:%sT090000\r\nDTEND;TZID=Europe/Berlin:%sT100000\r\n"
		"RRULE:FREQ=WEEKLY;COUNT=52\r\nSUMMARY:Weekly meeting\r\nLOCATION:Room 4\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n", made, day, day)));
	almanac_put(c, "holiday.ics", "holiday@sandbox", HOLDS_EVENTS, slice_str(arena_print(work,
		HEAD "BEGIN:VEVENT\r\nUID:holiday@sandbox\r\nDTSTAMP:%s\r\nDTSTART;VALUE=DATE:%s\r\nSUMMARY:Grüße\\, 日本\r\nTRANSP:TRANSPARENT\r\n"
		"END:VEVENT\r\nEND:VCALENDAR\r\n", made, stamp(work, today + 3 * 86400, "%Y%m%d"))));
}

/* One every hour from tomorrow on. None of them is there yet, so nobody has to look. */
static void put_many(struct calendar *c, unsigned long n, int64_t today)
{
	struct arena *work = arena_new();

	for (unsigned long i = 0; i < n && c->entries < ALMANAC_ENTRIES; i++) {
		int64_t     at = today + 86400 + (int64_t)i * 3600;
		const char *name = arena_print(work, "many-%06lu.ics", i), *uid = arena_print(work, "many-%06lu@sandbox", i);

		write_entry(c, add_entry(c, name), uid, HOLDS_EVENTS, slice_str(arena_print(work,
			HEAD "BEGIN:VEVENT\r\nUID:%s\r\nDTSTAMP:%s\r\nDTSTART:%s\r\nDURATION:PT30M\r\nSUMMARY:One of many\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n", uid,
			stamp(work, today, "%Y%m%dT%H%M%SZ"), stamp(work, at, "%Y%m%dT%H%M%SZ"))));
		arena_reset(work);
	}
	arena_free(work);
}

void almanac_fill(struct sandbox *s, struct almanac *m)
{
	int64_t today = clock_unix_ms() / 1000 / 86400 * 86400;

	for (size_t i = 0; i < s->account_count; i++) {
		struct home     *h = &m->home[i];
		const char      *mail = s->accounts[i].mail;
		struct ordered  *many = orders_of(&s->orders, mail, ORDER_DAV_MANY);
		struct calendar *c;

		h->account = &s->accounts[i];
		if (orders_of(&s->orders, mail, ORDER_NO_CALENDAR))
			continue;
		almanac_add(m, h, "tasks", TASKS_TITLE, HOLDS_TASKS);
		if (orders_of(&s->orders, mail, ORDER_DAV_ONLY_TASKS))
			continue;
		c = almanac_add(m, h, "calendar", "Calendar", HOLDS_EVENTS);
		put_usual(c, today);
		if (many)
			put_many(c, strtoul(many->value, NULL, 10), today);
	}
}

void almanac_free(struct almanac *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < COUNT(m->home); i++)
		while (m->home[i].calendars)
			almanac_remove(&m->home[i], m->home[i].calendar[0]);
	free(m);
}
