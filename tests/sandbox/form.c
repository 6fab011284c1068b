#include "sandbox/form.h"

#include "test.h"

TEST(fields_are_read)
{
	CLEANUP(arena) struct arena *arena = arena_new();
	struct form f;

	EXPECT(form_read(arena, slice_str("a=1&b=%C3%A4+x&&c&d=a%3Db=c&a=2"), &f));
	EXPECT(f.count == 5);
	EXPECT_TEXT(form_get(&f, "a"), "1");
	EXPECT_TEXT(form_get(&f, "b"), "ä x");
	EXPECT_TEXT(form_get(&f, "c"), "");
	EXPECT_TEXT(form_get(&f, "d"), "a=b=c");
	EXPECT(!form_get(&f, "e") && !form_get(&f, "A"));
	EXPECT_TEXT(form_text(&f, "e"), "");
}

TEST(what_is_no_form_is_refused)
{
	static const char *const rows[] = { "a=%", "a=%4", "a=%zz", "%0=1", "a=%00", "a%00b=1" };
	CLEANUP(arena) struct arena *arena = arena_new();
	struct form f;

	for (size_t i = 0; i < COUNT(rows); i++)
		EXPECT_ROW(!form_read(arena, slice_str(rows[i]), &f), rows[i]);
	EXPECT(!form_read(arena, slice("a=\0", 3), &f));
}

TEST(cut_at_every_byte)
{
	static const char text[] = "code=0.AX%2Bx&state=s+1&redirect_uri=https%3A%2F%2Fa.example%2Fcb";
	CLEANUP(arena) struct arena *arena = arena_new();
	struct form f;

	for (size_t len = 0; len < sizeof text - 1; len++) {
		bool in_code = (len > 0 && text[len - 1] == '%') || (len > 1 && text[len - 2] == '%');

		EXPECT(form_read(arena, slice(text, len), &f) != in_code);
	}
}

TEST(no_more_than_it_holds)
{
	CLEANUP(arena) struct arena *arena = arena_new();
	char        text[2 * (FORM_FIELDS + 1) + 1];
	struct form f;

	for (size_t i = 0; i <= FORM_FIELDS; i++)
		memcpy(text + 2 * i, "a&", 2);
	EXPECT(form_read(arena, slice(text, 2 * FORM_FIELDS), &f) && f.count == FORM_FIELDS);
	EXPECT(!form_read(arena, slice(text, 2 * (FORM_FIELDS + 1)), &f));
	form_put(&f, "b", "1");
	EXPECT(!form_get(&f, "b"));
	EXPECT(!form_read(arena, slice(arena_get(arena, FORM_LONGEST + 1), FORM_LONGEST + 1), &f));
}

TEST(what_is_written_is_read_again)
{
	CLEANUP(arena) struct arena *arena = arena_new();
	struct form f = { .count = 0 }, again;
	const char *text;

	form_put(&f, "error_description", "AADSTS65004: no.\r\nTrace ID: 1");
	form_put(&f, "ü&=", "~+/ %");
	text = form_whole(arena, &f);
	EXPECT_TEXT(text, "error_description=AADSTS65004%3A%20no.%0D%0ATrace%20ID%3A%201&%C3%BC%26%3D=~%2B%2F%20%25");
	EXPECT(form_read(arena, slice_str(text), &again) && again.count == 2);
	EXPECT_TEXT(form_get(&again, "ü&="), "~+/ %");
}
