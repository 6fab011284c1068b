#include "sandbox/graph.h"

#include "test.h"

static const char item[] = "{\"subject\":\"It's here\",\"isRead\":false,\"receivedDateTime\":\"2026-11-22T06:00:00Z\",\"from\":{\"emailAddress\":{\"address\":\"a@b.example\"}}}";

TEST(what_a_filter_takes)
{
	static const struct { const char *text; bool takes; } rows[] = {
		{ "isRead eq false", true }, { "isRead eq true", false }, { "isRead ne true", true },
		{ "receivedDateTime ge 2026-11-22T06:00:00Z", true }, { "receivedDateTime gt 2026-11-22T06:00:00Z", false },
		{ "receivedDateTime lt 2026-11-23", true }, { "receivedDateTime le 2026-11-21", false },
		{ "subject eq 'It''s here'", true }, { "subject eq 'it''s HERE'", true }, { "subject eq 'It'", false },
		{ "contains(subject,'here')", true }, { "startswith(subject, 'It')", true }, { "startswith(subject,'here')", false },
		{ "from/emailAddress/address eq 'a@b.example'", true }, { "from/emailAddress/name eq 'x'", false },
		{ "isRead eq false and contains(subject,'It')", true }, { "isRead eq true and contains(subject,'It')", false },
	};
	CLEANUP(arena) struct arena *arena = arena_new();
	cJSON        *o = json_read(slice_str(item), 4096, NULL);
	struct filter f;

	for (size_t i = 0; i < COUNT(rows); i++)
		EXPECT_ROW(filter_read(arena, rows[i].text, &f) && filter_takes(&f, o) == rows[i].takes, rows[i].text);
	cJSON_Delete(o);
}

TEST(what_is_no_filter_is_refused)
{
	static const char *const rows[] = {
		"", " ", "isRead", "isRead eq", "isRead is false", "eq false", "isRead eq false or isRead eq true", "subject eq 'open", "contains(subject)",
		"contains(subject,'x'", "isRead eq false and", "a eq 1 and a eq 1 and a eq 1 and a eq 1 and a eq 1 and a eq 1 and a eq 1 and a eq 1 and a eq 1",
	};
	CLEANUP(arena) struct arena *arena = arena_new();
	struct filter f;

	for (size_t i = 0; i < COUNT(rows); i++)
		EXPECT_ROW(!filter_read(arena, rows[i], &f), rows[i]);
}

TEST(cut_at_every_byte)
{
	static const char text[] = "contains(subject,'a''b') and isRead eq false";
	CLEANUP(arena) struct arena *arena = arena_new();
	struct filter f;
	size_t        taken = 0;

	for (size_t len = 0; len < sizeof text; len++)
		taken += filter_read(arena, arena_copy(arena, slice(text, len)), &f);
	EXPECT(taken >= 2 && f.terms == 2);
}
