#include "wire/ical.h"

#include <stdlib.h>
#include <time.h>

#include "test.h"

#define CALENDAR(inner) "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n" inner "END:VCALENDAR\r\n"
#define EVENT(inner)    "BEGIN:VEVENT\r\nUID:u1\r\n" inner "END:VEVENT\r\n"
#define ONE(inner)      CALENDAR(EVENT(inner))
#define MOST            64

/* "20260101T120000Z" as Unix seconds, by the C library. */
static int64_t at(const char *text)
{
	struct tm t = { 0 };

	EXPECT(sscanf(text, "%4d%2d%2dT%2d%2d%2d", &t.tm_year, &t.tm_mon, &t.tm_mday, &t.tm_hour, &t.tm_min, &t.tm_sec) >= 3);
	t.tm_year -= 1900;
	t.tm_mon--;
	return timegm(&t);
}

static const char *moment(int64_t unix_s, struct arena *job)
{
	time_t    seconds = (time_t)unix_s;
	struct tm t;

	gmtime_r(&seconds, &t);
	return arena_print(job, "%04d%02d%02dT%02d%02d", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday, t.tm_hour, t.tm_min);
}

static int by_start(const void *a, const void *b)
{
	const struct ical_instance *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

/* What takes place in that window, in order; "…" behind it where that is not all. */
static const char *takes_place(const char *text, const char *from, const char *upto, struct arena *job)
{
	struct ical_object  *o;
	struct ical_instance found[MOST];
	struct error         err = { 0 };
	bool                 whole;
	size_t               count;
	const char          *all = "";

	if (!ical_read(slice_str(text), job, &o, &err))
		return err.text[0] ? arena_str(job, err.text) : "?";
	count = ical_instances(o, at(from), at(upto), found, MOST, &whole);
	qsort(found, count, sizeof *found, by_start);
	for (size_t i = 0; i < count && i < 8; i++)
		all = arena_print(job, "%s%s%s", all, i ? " " : "", moment(found[i].start, job));
	ical_free(o);
	return whole ? all : arena_print(job, "%s…", all);
}

/* -- events --------------------------------------------------------------------------------------------------------- */

#define OUTLOOK_ZONE(name) "BEGIN:VTIMEZONE\r\nTZID:" name "\r\nBEGIN:STANDARD\r\nDTSTART:16010101T030000\r\nTZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10\r\nEND:STANDARD\r\n" \
	"BEGIN:DAYLIGHT\r\nDTSTART:16010101T020000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3\r\nEND:DAYLIGHT\r\nEND:VTIMEZONE\r\n"
#define BOMB_ZONE(rule)    "BEGIN:VTIMEZONE\r\nTZID:Bomb\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0100\r\nRRULE:" rule "\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"

static const struct { const char *name, *text, *start, *end, *zone_by, *zone; } events[] = {
	{ "in UTC", ONE("DTSTART:20260401T120000Z\r\nDTEND:20260401T130000Z\r\n"), "20260401T1200", "20260401T1300", "utc", "Etc/UTC" },
	{ "in a zone, in summer", ONE("DTSTART;TZID=Europe/Berlin:20260701T120000\r\nDURATION:PT1H30M\r\n"), "20260701T1000", "20260701T1130", "name", "Europe/Berlin" },
	{ "and in winter", ONE("DTSTART;TZID=Europe/Berlin:20260101T120000\r\n"), "20260101T1100", "20260101T1100", "name", "Europe/Berlin" },
	{ "half an hour off, quoted", ONE("DTSTART;TZID=\"Asia/Kolkata\":20260101T120000\r\n"), "20260101T0630", "20260101T0630", "name", "Asia/Kolkata" },
	{ "a day", ONE("DTSTART;VALUE=DATE:20260401\r\n"), "20260401T0000", "20260402T0000", "none", NULL },
	{ "floating", ONE("DTSTART:20260401T120000\r\n"), "20260401T1200", "20260401T1200", "none", NULL },
	{ "a zone under a prefix", ONE("DTSTART;TZID=/freeassociation.sourceforge.net/Europe/Berlin:20260701T120000\r\n"), "20260701T1000", "20260701T1000", "name", "Europe/Berlin" },
	{ "and under Mozilla's", ONE("DTSTART;TZID=/mozilla.org/20070129_1/America/Argentina/Buenos_Aires:20260701T120000\r\n"), "20260701T1500", "20260701T1500", "name", "America/Argentina/Buenos_Aires" },
	{ "as Windows calls it", ONE("DTSTART;TZID=W. Europe Standard Time:20260701T120000\r\n"), "20260701T1000", "20260701T1000", "windows", "Europe/Berlin" },
	{ "the name counts, not the rules that came along", CALENDAR(OUTLOOK_ZONE("Tokyo Standard Time") EVENT("DTSTART;TZID=Tokyo Standard Time:20260701T120000\r\n")), "20260701T0300", "20260701T0300", "windows", "Asia/Tokyo" },
	{ "nobody's name, with rules", CALENDAR(OUTLOOK_ZONE("Customized Time Zone") EVENT("DTSTART;TZID=Customized Time Zone:20260701T120000\r\n")), "20260701T1000", "20260701T1000", "rules", NULL },
	{ "the same behind the event", CALENDAR(EVENT("DTSTART;TZID=Customized Time Zone:20260101T120000\r\n") OUTLOOK_ZONE("Customized Time Zone")), "20260101T1100", "20260101T1100", "rules", NULL },
	{ "what it calls itself besides", CALENDAR("BEGIN:VTIMEZONE\r\nTZID:Mine\r\nX-LIC-LOCATION:Asia/Tokyo\r\nEND:VTIMEZONE\r\n" EVENT("DTSTART;TZID=Mine:20260701T120000\r\n")), "20260701T0300", "20260701T0300", "besides", "Asia/Tokyo" },
	{ "nobody's name, nothing else", ONE("DTSTART;TZID=Somewhere:20260701T120000\r\n"), "20260701T1200", "20260701T1200", "unknown", NULL },
	{ "no file of ours", ONE("DTSTART;TZID=../../../etc/passwd:20260701T120000\r\n"), "20260701T1200", "20260701T1200", "unknown", NULL },
	{ "a zone whose rule would run for ever", CALENDAR(BOMB_ZONE("FREQ=SECONDLY") EVENT("DTSTART;TZID=Bomb:20260701T120000\r\n")), "20260701T1200", "20260701T1200", "unknown", NULL },
	{ "a zone that changes each second of the year", CALENDAR(BOMB_ZONE("FREQ=YEARLY;BYSECOND=0,1,2,3;BYMINUTE=0,1,2,3") EVENT("DTSTART;TZID=Bomb:20260701T120000\r\n")), "20260701T1200", "20260701T1200", "unknown", NULL },
	{ "a zone without rules", CALENDAR("BEGIN:VTIMEZONE\r\nTZID:Bomb\r\nEND:VTIMEZONE\r\n" EVENT("DTSTART;TZID=Bomb:20260701T120000\r\n")), "20260701T1200", "20260701T1200", "unknown", NULL },
	{ "in 1601", ONE("DTSTART;TZID=Europe/Berlin:16010101T000000\r\nDTEND;VALUE=DATE-TIME:16010102T000000Z\r\n"), "16001231T2306", "16010102T0000", "name", "Europe/Berlin" },
	{ "in 9999", ONE("DTSTART:99991231T235959Z\r\n"), "99991231T2359", "99991231T2359", "utc", "Etc/UTC" },
	{ "an end before the start", ONE("DTSTART:20260401T120000Z\r\nDTEND:20260401T110000Z\r\n"), "20260401T1200", "20260401T1200", "utc", "Etc/UTC" },
	{ "folded in the midst", "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTST\n ART:2026\n\t0401T120000Z\nEND:VEVENT\nEND:VCALENDAR", "20260401T1200", "20260401T1200", "utc", "Etc/UTC" },
};

TEST(events_and_their_zones)
{
	for (size_t i = 0; i < COUNT(events); i++) {
		CLEANUP(arena) struct arena *job = arena_new();
		struct ical_object          *o;
		struct error                 err = { 0 };
		const struct ical_event     *e;

		if (!ical_read(slice_str(events[i].text), job, &o, &err))
			test_fail(__FILE__, __LINE__, "%s: %s", events[i].name, err.text);
		e = ical_event(o, 0);
		if (strcmp(moment(e->start, job), events[i].start) != 0 || strcmp(moment(e->end, job), events[i].end) != 0 || strcmp(ical_zone_by_name(e->zone_by), events[i].zone_by) != 0)
			test_fail(__FILE__, __LINE__, "%s: %s to %s, by %s", events[i].name, moment(e->start, job), moment(e->end, job), ical_zone_by_name(e->zone_by));
		EXPECT_ROW(events[i].zone ? e->zone && strcmp(e->zone, events[i].zone) == 0 : !e->zone, events[i].name);
		ical_free(o);
	}
}

TEST(what_is_no_event)
{
	static const struct { const char *text, *why; enum fault fault; } rows[] = {
		{ "", "no calendar", FAULT_BROKEN }, { "BEGIN:VEVENT\nDTSTART:20260401\nEND:VEVENT\n", "no calendar", FAULT_BROKEN },
		{ CALENDAR(""), "no event", FAULT_BROKEN }, { ONE(""), "an event without a start", FAULT_BROKEN },
		{ ONE("DTSTART:20260230T120000Z\r\n"), "an event without a start", FAULT_BROKEN }, { ONE("DTSTART:20261301\r\n"), "an event without a start", FAULT_BROKEN },
		{ ONE("DTSTART:00000101\r\n"), "an event without a start", FAULT_BROKEN }, { ONE("DTSTART:20260401T250000\r\n"), "an event without a start", FAULT_BROKEN },
		{ "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20260401\n", "a component without an end", FAULT_BROKEN },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		CLEANUP(arena) struct arena *job = arena_new();
		struct ical_object          *o;
		struct error                 err = { 0 };

		EXPECT_ROW(!ical_read(slice_str(rows[i].text), job, &o, &err) && !o && err.fault == rows[i].fault, rows[i].text);
		EXPECT_TEXT(err.text, rows[i].why);
	}
}

TEST(an_event_cut_at_every_byte)
{
	static const char text[] = CALENDAR(OUTLOOK_ZONE("Mine") EVENT("DTSTART;TZID=Mine:20260701T120000\r\nRRULE:FREQ=DAILY;COUNT=3\r\nEXDATE;TZID=Mine:20260702T120000\r\nSUMMARY:a\\, b\r\n"));

	for (size_t len = 0; len < sizeof text - 3; len++) {
		CLEANUP(arena) struct arena *job = arena_new();
		struct ical_object          *o;

		EXPECT(!ical_read(slice(text, len), job, &o, NULL));
	}
}

/* -- instances -------------------------------------------------------------------------------------------------------- */

#define NOON "DTSTART;TZID=Europe/Berlin:20260328T120000\r\nDURATION:PT1H\r\n"

static const struct { const char *name, *text, *from, *upto, *takes_place; } recurring[] = {
	{ "once", ONE(NOON), "20260301", "20260401", "20260328T1100" },
	{ "not in the window", ONE(NOON), "20260401", "20260501", "" },
	{ "over the change of the clocks", ONE(NOON "RRULE:FREQ=DAILY;COUNT=3\r\n"), "20260301", "20260401", "20260328T1100 20260329T1000 20260330T1000" },
	{ "until, in UTC", ONE(NOON "RRULE:FREQ=DAILY;UNTIL=20260329T100000Z\r\n"), "20260301", "20260401", "20260328T1100 20260329T1000" },
	{ "until, as a date", ONE("DTSTART;VALUE=DATE:20260301\r\nRRULE:FREQ=WEEKLY;UNTIL=20260315\r\n"), "20260201", "20260501", "20260301T0000 20260308T0000 20260315T0000" },
	{ "but not then", ONE(NOON "RRULE:FREQ=DAILY;COUNT=3\r\nEXDATE;TZID=Europe/Berlin:20260329T120000\r\n"), "20260301", "20260401", "20260328T1100 20260330T1000" },
	{ "but not on that day", ONE(NOON "RRULE:FREQ=DAILY;COUNT=3\r\nEXDATE;VALUE=DATE:20260329\r\n"), "20260301", "20260401", "20260328T1100 20260330T1000" },
	{ "and then too", ONE(NOON "RDATE;TZID=Europe/Berlin:20260402T120000,20260403T120000\r\n"), "20260301", "20260501", "20260328T1100 20260402T1000 20260403T1000" },
	{ "one of them moved", CALENDAR(EVENT(NOON "RRULE:FREQ=DAILY;COUNT=3\r\n") EVENT("RECURRENCE-ID;TZID=Europe/Berlin:20260329T120000\r\nDTSTART:20260329T180000Z\r\n")), "20260301", "20260401", "20260328T1100 20260329T1800 20260330T1000" },
	{ "one of them cancelled", CALENDAR(EVENT(NOON "RRULE:FREQ=DAILY;COUNT=3\r\n") EVENT("RECURRENCE-ID:20260329T100000Z\r\nDTSTART:20260329T180000Z\r\nSTATUS:CANCELLED\r\n")), "20260301", "20260401", "20260328T1100 20260330T1000" },
	{ "an exception whose series is elsewhere", ONE("RECURRENCE-ID:20260329T100000Z\r\nDTSTART:20260329T180000Z\r\n"), "20260301", "20260401", "20260329T1800" },
	{ "the last day of months that have it", ONE("DTSTART:20260131T100000Z\r\nRRULE:FREQ=MONTHLY;BYMONTHDAY=31\r\n"), "20260101", "20260701", "20260131T1000 20260331T1000 20260531T1000" },
	{ "leap years", ONE("DTSTART;VALUE=DATE:20240229\r\nRRULE:FREQ=YEARLY\r\n"), "20240101", "20330101", "20240229T0000 20280229T0000 20320229T0000" },
	{ "a start that does not fit the rule", ONE("DTSTART:20260401T100000Z\r\nRRULE:FREQ=WEEKLY;BYDAY=MO;COUNT=2\r\n"), "20260401", "20260501", "20260401T1000 20260406T1000 20260413T1000" },
	{ "far behind the start", ONE("DTSTART:20000101T100000Z\r\nRRULE:FREQ=DAILY\r\n"), "20260401", "20260403", "20260401T1000 20260402T1000" },
	{ "since 1601", ONE("DTSTART:16010101T100000Z\r\nRRULE:FREQ=YEARLY\r\n"), "20260101", "20270101", "20260101T1000" },
	/* bombs */
	{ "every second for ever", ONE("DTSTART:20000101T000000Z\r\nRRULE:FREQ=SECONDLY\r\n"), "20260401", "20260402", "20260401T0000 20260401T0000 20260401T0000 20260401T0000 20260401T0000 20260401T0000 20260401T0000 20260401T0000…" },
	{ "a day that never comes, looked for by seconds", ONE("DTSTART:20260101T000000Z\r\nRRULE:FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30\r\n"), "20260401", "20260402", "…" },
	{ "a day that never comes", ONE("DTSTART:20260101T000000Z\r\nRRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30\r\n"), "20260401", "20260402", "…" },
	{ "a million times", ONE("DTSTART:20260101T000000Z\r\nRRULE:FREQ=SECONDLY;COUNT=1000000000\r\n"), "20260401", "20260402", "…" },
	{ "no rule at all", ONE("DTSTART:20260401T000000Z\r\nRRULE:FREQ=OFTEN\r\n"), "20260401", "20260402", "20260401T0000…" },
};

TEST(what_takes_place)
{
	for (size_t i = 0; i < COUNT(recurring); i++) {
		CLEANUP(arena) struct arena *job = arena_new();
		clock_t                      begun = clock();
		const char                  *got = takes_place(recurring[i].text, recurring[i].from, recurring[i].upto, job);

		if (strcmp(got, recurring[i].takes_place) != 0)
			test_fail(__FILE__, __LINE__, "%s: %s", recurring[i].name, got);
		EXPECT_ROW(clock() - begun < 5 * CLOCKS_PER_SEC, recurring[i].name);
	}
}

/* -- limits ----------------------------------------------------------------------------------------------------------- */

static struct error read_many(const char *head, const char *again, size_t times, const char *tail)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct buffer                b;
	struct ical_object          *o;
	struct error                 err = { 0 };

	buffer_init(&b, 8 * 1024 * 1024);
	buffer_add_str(&b, head);
	for (size_t i = 0; i < times; i++)
		buffer_add_str(&b, again);
	buffer_add_str(&b, tail);
	if (ical_read(buffer_held(&b), job, &o, &err))
		ical_free(o);
	buffer_release(&b);
	return err;
}

TEST(limits)
{
	EXPECT(read_many("BEGIN:VCALENDAR\n", "BEGIN:VEVENT\nDTSTART:20260401\nEND:VEVENT\n", ICAL_EXCEPTIONS, "END:VCALENDAR\n").fault == FAULT_NONE);
	EXPECT(read_many("BEGIN:VCALENDAR\n", "BEGIN:VEVENT\nDTSTART:20260401\nEND:VEVENT\n", ICAL_EXCEPTIONS + 1, "END:VCALENDAR\n").fault == FAULT_TOO_BIG);
	EXPECT(read_many("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20260401\n", "EXDATE:20260401,20260402,20260403,20260404\n", ICAL_DATES / 4, "END:VEVENT\nEND:VCALENDAR\n").fault == FAULT_NONE);
	EXPECT(read_many("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20260401\n", "EXDATE:20260401,20260402,20260403,20260404\n", ICAL_DATES / 4 + 1, "END:VEVENT\nEND:VCALENDAR\n").fault == FAULT_TOO_BIG);
	EXPECT(read_many("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20260401\nDESCRIPTION:", "all of it in one line ", 40000, "\nEND:VEVENT\nEND:VCALENDAR\n").fault == FAULT_NONE);
	EXPECT(read_many("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20260401\nDESCRIPTION:", "all of it in one line ", 60000, "\nEND:VEVENT\nEND:VCALENDAR\n").fault == FAULT_TOO_BIG);
	EXPECT(read_many("BEGIN:VCALENDAR\n", "BEGIN:VEVENT\n", 20, "").fault == FAULT_BROKEN);
}

/* -- Windows, and our own ------------------------------------------------------------------------------------------------ */

TEST(names_of_windows)
{
	EXPECT_TEXT(ical_windows_zone(slice_str("FLE Standard Time")), "Europe/Kyiv");
	EXPECT_TEXT(ical_windows_zone(slice_str("tzone://Microsoft/Utc")), "Etc/UTC");
	EXPECT(!ical_windows_zone(slice_str("Europe/Berlin")) && !ical_windows_zone(slice_str("")));
}

TEST(names_of_the_iana)
{
	EXPECT_TEXT(ical_zone_in_windows("Europe/Berlin"), "W. Europe Standard Time");
	EXPECT_TEXT(ical_zone_in_windows("America/New_York"), "Eastern Standard Time");
	EXPECT_TEXT(ical_zone_in_windows("Asia/Kolkata"), "India Standard Time");
	EXPECT(!ical_zone_in_windows("W. Europe Standard Time") && !ical_zone_in_windows(""));
}

TEST(clocks_and_moments)
{
	static const struct { const char *zone, *moment, *clock; } rows[] = {
		{ "Europe/Berlin", "20261123T020000", "20261123T030000" }, { "W. Europe Standard Time", "20260723T010000", "20260723T030000" },
		{ "eastern standard time", "20261123T080000", "20261123T030000" }, { "Asia/Kolkata", "20261122T213000", "20261123T030000" },
		{ "UTC", "20261123T030000", "20261123T030000" }, { "tzone://Microsoft/Utc", "20261123T030000", "20261123T030000" },
		{ "Asia/Kolkata", "16010102T000000", "16010102T055328" }, { "Europe/Berlin", "99990101T000000", "99990101T010000" },
	};
	static const char *const none[] = { "", "../../etc/localtime", "Customized Time Zone", "Nowhere/Town", "Europe/Berlin\n" };
	int64_t out;

	for (size_t i = 0; i < COUNT(rows); i++) {
		EXPECT_ROW(ical_clock_of(at(rows[i].moment), slice_str(rows[i].zone), &out) && out == at(rows[i].clock), rows[i].zone);
		EXPECT_ROW(ical_moment_of(at(rows[i].clock), slice_str(rows[i].zone), &out) && out == at(rows[i].moment), rows[i].zone);
	}
	for (size_t i = 0; i < COUNT(none); i++)
		EXPECT_ROW(!ical_clock_of(0, slice_str(none[i]), &out) && !ical_moment_of(0, slice_str(none[i]), &out), none[i]);
}

TEST(our_own_event_is_read_as_it_was_meant)
{
	static const char *const zones[] = { "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Auckland" };

	for (size_t i = 0; i < COUNT(zones); i++)
		for (int month = 0; month < 12; month++) {
			CLEANUP(arena) struct arena *job = arena_new();
			struct ical_test             t = { "mailmoor-1", "Mailmoor test", zones[i], at("20260101T000000"), at("20260110T030000") + month * 30 * 86400, 0, 0 };
			struct ical_object          *o;
			struct error                 err = { 0 };
			struct buffer                b;

			t.end = t.start + 900;
			buffer_init(&b, 64 * 1024);
			EXPECT_ROW(ical_write_test(&b, &t), zones[i]);
			EXPECT_ROW(ical_read(buffer_held(&b), job, &o, &err), err.text);
			EXPECT_ROW(ical_events(o) == 1 && ical_event(o, 0)->start == t.start && ical_event(o, 0)->end == t.end && ical_event(o, 0)->is_private, zones[i]);
			EXPECT_TEXT(ical_event(o, 0)->zone, zones[i]);
			EXPECT_TEXT(ical_event(o, 0)->uid, "mailmoor-1");
			EXPECT_ROW(!slice_has(buffer_held(&b), "freeassociation") && slice_has(buffer_held(&b), "BEGIN:VTIMEZONE"), zones[i]);
			ical_free(o);
			buffer_release(&b);
		}
	{
		struct ical_test t = { "u", "s", "Nowhere/At_All", 0, 0, 0, 0 };
		struct buffer    b;

		buffer_init(&b, 64 * 1024);
		EXPECT(!ical_write_test(&b, &t));
		buffer_release(&b);
	}
}
