/* What the sandbox's calendar server makes of calendar objects. */
#include "sandbox/caldav.h"

#include "test.h"

#define OBJECT(inner) "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//t//t\r\n" inner "END:VCALENDAR\r\n"
#define EVENT(inner)  "BEGIN:VEVENT\r\nUID:u\r\nDTSTAMP:20260101T000000Z\r\n" inner "END:VEVENT\r\n"
#define AT            "DTSTART:20300105T100000Z\r\nDURATION:PT1H\r\n"
#define ZONED         OBJECT("BEGIN:VTIMEZONE\r\nTZID:Europe/Berlin\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0100\r\n" \
	"END:STANDARD\r\nEND:VTIMEZONE\r\n" EVENT("DTSTART;TZID=Europe/Berlin:20300105T100000\r\nDURATION:PT1H\r\n"))

static const struct { const char *text, *breaks; enum holds kind; } weighed[] = {
	{ OBJECT(EVENT(AT)), NULL, HOLDS_EVENTS },
	{ OBJECT("BEGIN:VTODO\r\nUID:u\r\nDTSTAMP:20260101T000000Z\r\nEND:VTODO\r\n"), NULL, HOLDS_TASKS },
	{ OBJECT(EVENT(AT) EVENT("RECURRENCE-ID:20300105T100000Z\r\n" AT)), NULL, HOLDS_EVENTS },
	{ OBJECT(""), "valid-calendar-object-resource", 0 },
	{ OBJECT("METHOD:PUBLISH\r\n" EVENT(AT)), "valid-calendar-object-resource", 0 },
	{ OBJECT(EVENT(AT) "BEGIN:VEVENT\r\nUID:v\r\nDTSTAMP:20260101T000000Z\r\n" AT "END:VEVENT\r\n"), "valid-calendar-object-resource", 0 },
	{ OBJECT(EVENT("DURATION:PT1H\r\n")), "valid-calendar-data", 0 },
	{ OBJECT("BEGIN:VALARM\r\nEND:VALARM\r\n"), "supported-calendar-component", 0 },
	{ EVENT(AT), "valid-calendar-data", 0 },
	{ "", "valid-calendar-data", 0 },
	{ "no calendar", "valid-calendar-data", 0 },
	{ OBJECT("BEGIN:VTIMEZONE\r\nTZID:x\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nRRULE:FREQ=SECONDLY\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n" EVENT(AT)), "valid-calendar-data", 0 },
};

TEST(objects_are_weighed)
{
	CLEANUP(arena) struct arena *work = arena_new();

	for (size_t i = 0; i < COUNT(weighed); i++) {
		enum holds  kind = 0;
		const char *uid = NULL, *breaks = almanac_weigh(work, slice_str(weighed[i].text), &kind, &uid);

		EXPECT_ROW(breaks == weighed[i].breaks || (breaks && weighed[i].breaks && strcmp(breaks, weighed[i].breaks) == 0), weighed[i].text);
		if (!weighed[i].breaks)
			EXPECT_ROW(kind == weighed[i].kind && strcmp(uid, "u") == 0, weighed[i].text);
	}
}

TEST(half_an_object_is_none)
{
	CLEANUP(arena) struct arena *work = arena_new();
	const char *uid;
	enum holds  kind;

	for (size_t len = 0; len < strlen(weighed[0].text) - strlen("END:VCALENDAR\r\n"); len++)
		EXPECT(almanac_weigh(work, slice(weighed[0].text, len), &kind, &uid));
	EXPECT(almanac_weigh(work, slice("a\0b", 3), &kind, &uid));
}

#define DAY0 INT64_C(1893801600)      /* 5 January 2030 */
#define HOUR INT64_C(3600)

static const struct { const char *text; int64_t from, to; size_t all, busy; int64_t first; } spans[] = {
	{ OBJECT(EVENT(AT)), DAY0, DAY0 + 24 * HOUR, 1, 1, DAY0 + 10 * HOUR },
	{ OBJECT(EVENT(AT)), DAY0 + 11 * HOUR, DAY0 + 24 * HOUR, 0, 0, 0 },
	{ OBJECT(EVENT(AT)), DAY0, DAY0 + 10 * HOUR, 0, 0, 0 },
	{ OBJECT(EVENT(AT "TRANSP:TRANSPARENT\r\n")), DAY0, DAY0 + 24 * HOUR, 1, 0, DAY0 + 10 * HOUR },
	{ OBJECT(EVENT(AT "STATUS:CANCELLED\r\n")), DAY0, DAY0 + 24 * HOUR, 1, 0, DAY0 + 10 * HOUR },
	{ OBJECT(EVENT("DTSTART;VALUE=DATE:20300105\r\n")), DAY0 + 23 * HOUR, DAY0 + 48 * HOUR, 1, 1, DAY0 },
	{ OBJECT(EVENT("DTSTART:20300105T100000Z\r\n")), DAY0 + 10 * HOUR, DAY0 + 11 * HOUR, 1, 1, DAY0 + 10 * HOUR },
	{ ZONED, DAY0, DAY0 + 24 * HOUR, 1, 1, DAY0 + 9 * HOUR },
	{ OBJECT(EVENT(AT "RRULE:FREQ=DAILY;COUNT=5\r\nEXDATE:20300106T100000Z\r\n")), DAY0, DAY0 + 10 * 24 * HOUR, 4, 4, DAY0 + 10 * HOUR },
	{ OBJECT(EVENT(AT "RRULE:FREQ=DAILY;COUNT=5\r\n") EVENT("RECURRENCE-ID:20300106T100000Z\r\nDTSTART:20300106T150000Z\r\nDURATION:PT1H\r\n")),
	  DAY0 + 24 * HOUR, DAY0 + 48 * HOUR, 1, 1, DAY0 + 39 * HOUR },
	{ OBJECT(EVENT(AT "RDATE:20300107T100000Z\r\n")), DAY0, DAY0 + 10 * 24 * HOUR, 2, 2, DAY0 + 10 * HOUR },
	{ OBJECT(EVENT("DTSTART:20300105T100000Z\r\nDURATION:PT1S\r\nRRULE:FREQ=SECONDLY\r\n")), DAY0, DAY0 + 240 * HOUR, ALMANAC_SPANS, ALMANAC_SPANS, DAY0 + 10 * HOUR },
};

TEST(it_is_known_when_an_event_is)
{
	struct span *out = must_alloc(ALMANAC_SPANS * sizeof *out);

	for (size_t i = 0; i < COUNT(spans); i++) {
		struct span between = { spans[i].from, spans[i].to };
		size_t      n = almanac_spans(slice_str(spans[i].text), between, false, out);

		EXPECT_ROW(n == spans[i].all && (n == 0 || out[0].from == spans[i].first), spans[i].text);
		EXPECT_ROW(almanac_spans(slice_str(spans[i].text), between, true, out) == spans[i].busy, spans[i].text);
	}
	free(out);
}

TEST(zones_get_lost_as_ordered)
{
	static const struct { const char *how, *has, *has_not; } rows[] = {
		{ "unknown", "DTSTART;TZID=\"Customized Time Zone 7\":20300105T100000\r\n", "VTIMEZONE" },
		{ "broken", "TZOFFSETFROM:+99", "Europe/Berlin" },
		{ "lost", "DTSTART:20300105T100000\r\n", "TZID" },
		{ "shifted", "DTSTART:20300105T100000Z\r\n", "TZID" },
	};
	CLEANUP(arena) struct arena *work = arena_new();

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct slice out = almanac_rezoned(work, slice_str(ZONED), rows[i].how);

		EXPECT_ROW(slice_has(out, rows[i].has) && !slice_has(out, rows[i].has_not), rows[i].how);
		for (size_t len = 0; len < strlen(ZONED); len++)
			almanac_rezoned(work, slice(ZONED, len), rows[i].how);
	}
}
