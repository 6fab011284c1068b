#include "sandbox/ews.h"

#include <stdlib.h>

#define DAY 86400

static bool is_on(const struct recurrence *r, int64_t start, int64_t day)
{
	/* 1970 began on a Thursday */
	unsigned weekday = (unsigned)((day / DAY + 4) % 7);
	int64_t  first_week = (start / DAY + 4) / 7, week = (day / DAY + 4) / 7;

	if (r->how == RECURS_DAILY)
		return (day - start) / DAY % r->interval == 0;
	return (r->days & 1u << weekday) && (week - first_week) % r->interval == 0;
}

#define LONGEST_DAYS 4000      /* nobody looks further */

int64_t event_occurrence(const struct event *e, unsigned n)
{
	unsigned count = 0;

	if (e->recurs.how == RECURS_NOT)
		return n <= 1 ? e->start : 0;
	if (e->recurs.count && n > e->recurs.count)
		return 0;
	for (int64_t day = e->start; day < e->start + (int64_t)LONGEST_DAYS * DAY; day += DAY) {
		if (e->recurs.until && day >= e->recurs.until)
			return 0;
		if (is_on(&e->recurs, e->start, day) && ++count == n)
			return day;
	}
	return 0;
}

static unsigned days_of(const char *text)
{
	static const char *const names[] = { "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday" };
	unsigned all = 0;

	for (size_t i = 0; i < COUNT(names); i++)
		if (strstr(text, names[i]))
			all |= 1u << i;
	return all;
}

bool recurrence_read(struct call *c, const xmlNode *n, int64_t start, struct recurrence *out)
{
	const xmlNode *daily = xml_child(n, "DailyRecurrence"), *weekly = xml_child(n, "WeeklyRecurrence");
	unsigned long  interval = strtoul(xml_text(c->work, xml_child(daily ? daily : weekly, "Interval")), NULL, 10);
	unsigned long  count = strtoul(xml_text(c->work, xml_at(n, "NumberedRecurrence/NumberOfOccurrences")), NULL, 10);
	int64_t        end;

	if (!daily && !weekly)
		return false;
	*out = (struct recurrence){ .how = daily ? RECURS_DAILY : RECURS_WEEKLY };
	out->interval = interval && interval < 100 ? (unsigned)interval : 1;
	out->days = weekly ? days_of(xml_text(c->work, xml_child(weekly, "DaysOfWeek"))) : 0;
	if (weekly && !out->days)
		out->days = 1u << (start / DAY + 4) % 7;
	out->count = count < 1000 ? (unsigned)count : 999;
	if (moment_read(xml_text(c->work, xml_at(n, "EndDateRecurrence/EndDate")), &end))
		out->until = end - end % DAY + DAY;
	return true;
}
