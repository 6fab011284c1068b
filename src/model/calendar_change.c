#include "model/calendar_change.h"

const char *calendar_change_name(enum calendar_change_kind kind)
{
	static const char *const names[] = { [CALENDAR_ADDED] = "added", [CALENDAR_CHANGED] = "changed", [CALENDAR_REMOVED] = "removed" };

	return names[kind];
}
