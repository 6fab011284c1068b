#include "cmd/wrap.h"

#include <locale.h>
#include <stdlib.h>

#include "test.h"

__attribute__((constructor)) static void speak_utf8(void)
{
	setlocale(LC_ALL, "C.UTF-8");
}

/* From the heap. */
static char *wrapped(const char *text, size_t at, size_t indent)
{
	char  *out = NULL;
	size_t len = 0;
	FILE  *f = open_memstream(&out, &len);

	EXPECT(f);
	print_wrapped(f, text, at, indent);
	fclose(f);
	return out;
}

TEST(widths)
{
	static const struct { const char *text; size_t width; } rows[] = {
		{ "",            0 }, { "abc",   3 }, { "äöü",  3 }, { "日本", 4 }, { "e\xcc\x81", 1 },      /* e and a combining acute */
		{ "ที่",           1 },      /* THO THAHAN, SARA II, MAI EK: one column */
		{ "น้ำ",          2 },      /* SARA AM takes a column of its own */
		{ "a\xe2\x80\x8b" "b", 2 },  /* a space of no width */
		{ "a\xff" "b",   3 },        /* no UTF-8: byte for byte */
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		EXPECT_ROW(text_width(rows[i].text) == rows[i].width, rows[i].text);
}

TEST(padding)
{
	static const struct { const char *text; size_t width; const char *padded; } rows[] = {
		{ "abc", 5, "abc  " }, { "abc", 3, "abc" }, { "abcd", 3, "abcd" }, { "", 2, "  " }, { "ä", 3, "ä  " }, { "ที่", 3, "ที่  " }, { "日", 3, "日 " },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		char  *out = NULL;
		size_t len = 0;
		FILE  *f = open_memstream(&out, &len);

		print_padded(f, rows[i].text, rows[i].width);
		fclose(f);
		EXPECT_TEXT(out, rows[i].padded);
		free(out);
	}
}

#define X10 "xxxxxxxxxx"
#define X76 X10 X10 X10 X10 X10 X10 X10 "xxxxxx"

TEST(lines)
{
	static const struct { const char *text; size_t at, indent; const char *wrapped; } rows[] = {
		{ "",                    0, 0, "\n" },
		{ "one two",             0, 0, "one two\n" },
		{ X76 " two",            0, 0, X76 " two\n" },             /* 80 columns are a full line */
		{ X76 " twos",           0, 0, X76 "\ntwos\n" },
		{ X76 " twos",           0, 2, X76 "\n  twos\n" },
		{ "one " X76,            4, 4, "one\n    " X76 "\n" },
		{ X76 " y",              2, 2, X76 " y\n" },
		{ X76 " y",              3, 2, X76 "\n  y\n" },
		{ X76 X76 " two",        0, 2, X76 X76 "\n  two\n" },      /* a word longer than the line stands on one of its own */
		{ "one " X76 X76 " two", 0, 2, "one\n  " X76 X76 "\n  two\n" },
		{ X76,                  10, 2, "\n  " X76 "\n" },          /* does not fit behind what stands there already */
		{ "one  two",            0, 0, "one  two\n" },
		{ "one ",                0, 0, "one\n" },
		{ "one   ",              0, 0, "one\n" },
		{ X76 "    ",            0, 0, X76 "\n" },
		{ X76 "       two",      0, 2, X76 "\n  two\n" },
		{ X10 X10 X10 X10 X10 X10 X10 " `xxxxxxxxx`", 0, 2, X10 X10 X10 X10 X10 X10 X10 " xxxxxxxxx\n" },      /* 80: backticks take no place */
		{ "`a b`, c",            0, 0, "a b, c\n" },
		{ X76 " `a b c`",        0, 2, X76 "\n  a b c\n" },
		{ X10 X10 X10 " yy `" X10 " " X10 " " X10 " " X10 " " X10 "`", 0, 2, X10 X10 X10 " yy\n  " X10 " " X10 " " X10 " " X10 " " X10 "\n" },
		{ "`" X76 " " X76 "` two", 0, 2, X76 " " X76 "\n  two\n" },
		{ "ä ä ä ä ä ä ä ä ä ä ä ä ä ä ä ä ä ä ä ä ä ä ä ä ä ä ä ä ä ä ä ä ä ä ä ä ä ä ä ä ä", 0, 0,
		  "ä ä ä ä ä ä ä ä ä ä ä ä ä ä ä ä ä ä ä ä ä ä ä ä ä ä ä ä ä ä ä ä ä ä ä ä ä ä ä ä\nä\n" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		char *got = wrapped(rows[i].text, rows[i].at, rows[i].indent);

		EXPECT_TEXT(got, rows[i].wrapped);
		free(got);
	}
}

/* What holds of every text: nothing lost, no line too wide unless it is one word, no blanks at an end. */
static void sane(const char *text, size_t indent)
{
	char        *got = wrapped(text, indent, indent);
	struct slice rest = slice_str(got), line;

	while (line = slice_cut(&rest, '\n'), rest.at) {
		char *copy = must_alloc(line.len + 1);

		memcpy(copy, line.at, line.len);
		EXPECT_ROW(line.len == 0 || line.at[line.len - 1] != ' ', text);
		EXPECT_ROW(text_width(copy) <= TERMINAL_COLUMNS || !slice_has(slice_trim(line), " "), text);
		free(copy);
	}
	for (const char *a = text, *b = got;;) {
		while (*a == ' ' || *a == '`')
			a++;
		while (*b == ' ' || *b == '\n')
			b++;
		EXPECT_ROW(*a == *b, text);
		if (!*a)
			break;
		a++, b++;
	}
	free(got);
}

TEST(every_length_of_words)
{
	for (size_t word = 1; word < 100; word++)
		for (size_t indent = 0; indent < 8; indent += 2) {
			char   text[600];
			size_t n = 0;

			while (n + word + 2 < sizeof text) {
				memset(text + n, 'a' + (int)(n % 26), word);
				n += word;
				text[n++] = ' ';
			}
			text[n - 1] = '\0';
			sane(text, indent);
		}
}

#define THAI "เซิร์ฟเวอร์แสดงใบรับรองสำหรับชื่ออื่นและไม่ตรงกับชื่อโฮสต์ที่คุณใช้เชื่อมต่อโปรดติดต่อผู้ดูแลระบบขององค์กรของคุณเพื่อแก้ไขการตั้งค่านี้"

TEST(thai_breaks_between_its_words_alone)
{
	char        *got = wrapped(THAI, 2, 2);
	struct slice rest = slice_str(got), line;
	static const char *const words[] = { "เซิร์ฟเวอร์", "แสดง", "ใบรับรอง", "ชื่อ", "โฮสต์", "เชื่อมต่อ", "โปรด", "ติดต่อ", "องค์กร", "แก้ไข" };
	int          lines = 0;

	while (line = slice_cut(&rest, '\n'), rest.at) {
		unsigned char second = lines ? (unsigned char)line.at[3] : 0, third = lines ? (unsigned char)line.at[4] : 0;

		lines++;
		/* no line begins with a vowel or a tone that belongs above or below the letter before: U+0E31, 0E34-0E3A, 0E47-0E4E */
		EXPECT(!(second == 0xb8 && (third == 0xb1 || (third >= 0xb4 && third <= 0xba))) && !(second == 0xb9 && third >= 0x87 && third <= 0x8e));
	}
	EXPECT(lines >= 2);
	for (size_t i = 0; i < COUNT(words); i++)
		EXPECT_ROW(strstr(got, words[i]), words[i]);
	free(got);
	sane(THAI THAI, 4);
	sane("ไปที่ `mailmoor diagnose ann@birch.example --imap mail.birch.example` " THAI, 4);
}

TEST(thai_in_backticks_is_not_broken)
{
	char *got = wrapped("x `" THAI "` y", 0, 2);

	EXPECT(strstr(got, THAI));
	free(got);
}

TEST(what_is_no_utf8_is_shown_somehow)
{
	char *got = wrapped("one \xff\xfe two", 0, 0);

	EXPECT_TEXT(got, "one ?? two\n");
	free(got);
}

TEST(a_text_without_end_is_cut)
{
	char *text = must_alloc(50001), *got;

	memset(text, 'x', 50000);
	got = wrapped(text, 0, 0);
	EXPECT(strlen(got) > 7000 && strlen(got) < 9000);
	free(got);
	free(text);
}

static char *cell(const char *text, size_t width)
{
	char  *out = NULL;
	size_t len = 0;
	FILE  *f = open_memstream(&out, &len);

	EXPECT(f);
	put_cell(f, text, width);
	fclose(f);
	return out;
}

TEST(cells)
{
	static const struct { const char *text; size_t width; const char *cell; } rows[] = {
		{ "",            3, "   "  }, { "abc",         3, "abc"  }, { "abcd",        3, "ab…"  }, { "ab",      3, "ab "    },
		{ "日本",        4, "日本" }, { "日本",        3, "日…"  }, { "日本",        2, "…"    }, { "ab\x1b[2J", 8, "ab?[2J  " },
		{ "a\r\nb",      4, "a??b" }, { "a\xff" "b",   3, "a?b"  }, { "\x1b\x1b\x1b", 2, "?…"  }, { "ä\xc2\x9b" "b", 3, "ä?b" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		char *got = cell(rows[i].text, rows[i].width);

		/* of "日…" in three columns nothing is left over; of "…" in two, one */
		EXPECT_ROW(strncmp(got, rows[i].cell, strlen(rows[i].cell)) == 0 && text_width(got) == rows[i].width, rows[i].text);
		free(got);
	}
}
