/* What an event tells of an entry in a calendar. */
#include "serve/event_data.h"

#include <stdlib.h>

#include "test.h"

#define HEAD "{\"account\":{\"id\":\"acc_1\",\"address\":\"ann@birch.example\"},\"calendar\":{\"id\":\"/ann/work/\""

static const struct {
	const char            *name;
	struct calendar_change change;
	const char            *told;
} rows[] = {
	{ "removed: no more than that is known", { .kind = CALENDAR_REMOVED, .calendar = "/ann/work/", .remote_id = "/ann/work/a.ics" }, HEAD "},\"entry\":{\"id\":\"/ann/work/a.ics\",\"change\":\"removed\"}}" },
	{ "added, and read", { CALENDAR_ADDED, "/ann/work/", "Work", "/ann/work/a.ics", true, "u", "Tea", "Europe/Berlin", 100, 200, false, true, false, false },
	  HEAD ",\"name\":\"Work\"},\"entry\":{\"id\":\"/ann/work/a.ics\",\"change\":\"added\",\"uid\":\"u\",\"title\":\"Tea\",\"start\":100,\"end\":200,\"zone\":\"Europe/Berlin\",\"all_day\":false,\"recurs\":true,\"private\":false,\"cancelled\":false}}" },
	{ "a private one keeps its title", { CALENDAR_CHANGED, "/ann/work/", NULL, "x", true, NULL, "Surgeon", NULL, -11644473600, -11644470000, true, false, true, true },
	  HEAD "},\"entry\":{\"id\":\"x\",\"change\":\"changed\",\"start\":-11644473600,\"end\":-11644470000,\"all_day\":true,\"recurs\":false,\"private\":true,\"cancelled\":true}}" },
};

TEST(what_is_told_of_a_calendar)
{
	struct account a = { .id = "acc_1", .address = "ann@birch.example" };

	for (size_t i = 0; i < COUNT(rows); i++) {
		cJSON *o = calendar_event_data(&a, &rows[i].change);
		char  *text = cJSON_PrintUnformatted(o);

		if (strcmp(text, rows[i].told) != 0)
			test_fail(__FILE__, __LINE__, "%s: %s", rows[i].name, text);
		free(text);
		cJSON_Delete(o);
	}
}
