#include "model/aadsts.h"

#include <stdlib.h>

#include "base/arena.h"
#include "test.h"

static const struct { const char *text, *numbers; } texts[] = {
	{ "AADSTS50105: x", "50105" },
	{ "aadsts700082 the refresh token", "700082" },
	{ "(AADSTS7000222)", "7000222" },
	{ "AADSTS50011%3a+The+redirect", "50011" },
	{ "AADSTS70002: x AADSTS70008: y", "70002 70008" },
	{ "AADSTS50105", "50105" },
	{ "AADSTS", "" },
	{ "AADSTS123", "" },
	{ "AADSTS12345678", "" },
	{ "XAADSTS50105", "" },
	{ "AADSTS50105a", "" },
	{ "AADSTSAADSTS50105", "" },
	{ "AADSTS501, AADSTS50076.", "50076" },
	{ "", "" },
};

static const char *numbers_in(struct slice text, struct arena *job)
{
	const char  *all = "";
	struct slice digits;

	while (aadsts_next(&text, &digits))
		all = arena_print(job, "%s%s%.*s", all, *all ? " " : "", (int)digits.len, digits.at);
	return all;
}

TEST(numbers_are_found_in_any_text)
{
	for (size_t i = 0; i < COUNT(texts); i++) {
		CLEANUP(arena) struct arena *job = arena_new();

		EXPECT_TEXT(numbers_in(slice_str(texts[i].text), job), texts[i].numbers);
	}
}

/* What is cut has a shorter number or none, and nothing is read behind its end. */
TEST(cut_at_every_byte)
{
	static const char text[] = "AADSTS70002: x AADSTS70008";

	for (size_t len = 0; len < sizeof text; len++) {
		CLEANUP(arena) struct arena *job = arena_new();
		char                        *copy = must_alloc(len + 1);
		const char                  *found;

		memcpy(copy, text, len);
		found = numbers_in(slice(copy, len), job);
		EXPECT(strncmp("70002 70008", found, strlen(found)) == 0 || strcmp(found, "7000") == 0 || strcmp(found, "70002 7000") == 0);
		free(copy);
	}
}

TEST(ids_and_times_behind_their_labels)
{
	struct slice text = slice_str("x\r\nCorrelation ID: 5b6d2c1e-9f58-4a7c-8f0e-3c1f4d2b9a11\r\nTimestamp: 2019-09-19 08:55:37Z");

	EXPECT(slice_is(aadsts_labelled(text, "Correlation ID:"), "5b6d2c1e-9f58-4a7c-8f0e-3c1f4d2b9a11"));
	EXPECT(slice_is(aadsts_labelled(text, "Timestamp:"), "2019-09-19"));
	EXPECT(!aadsts_labelled(text, "Trace ID:").at);
	EXPECT(!aadsts_labelled(slice_str("Trace ID: none"), "Trace ID:").at);
	EXPECT(!aadsts_labelled(slice_str("Trace ID:"), "Trace ID:").at);
}
