#include "base/slice.h"

#include <stdint.h>

#include "test.h"

static const struct slice none = { NULL, 0 };

TEST(equal_and_is)
{
	static const struct { const char *a, *b; bool equal, is; } rows[] = {
		{ "",      "",      true,  true  },
		{ "a",     "",      false, false },
		{ "",      "a",     false, false },
		{ "abc",   "abc",   true,  true  },
		{ "ABC",   "abc",   false, true  },
		{ "abc",   "abcd",  false, false },
		{ "abcd",  "abc",   false, false },
		{ "\xc3\x84", "\xc3\xa4", false, false },
		{ "[",     "{",     false, false },      /* a bit apart, as letters are from capitals */
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		EXPECT_ROW(slice_equal(slice_str(rows[i].a), slice_str(rows[i].b)) == rows[i].equal, rows[i].a);
		EXPECT_ROW(slice_is(slice_str(rows[i].a), rows[i].b) == rows[i].is, rows[i].a);
	}
	EXPECT(slice_equal(slice("a\0b", 3), slice("a\0b", 3)) && !slice_equal(slice("a\0b", 3), slice("a\0c", 3)));
	EXPECT(slice_equal(none, slice_str("")) && slice_is(none, "") && !slice_is(none, "a"));
	EXPECT(slice_str(NULL).len == 0);
}

TEST(starts_ends_has_and_search)
{
	static const struct { const char *text, *part; bool starts, ends; size_t at; } rows[] = {
		{ "mail.example.org", "MAIL",      true,  false, 0  },
		{ "mail.example.org", ".ORG",      false, true,  12 },
		{ "mail.example.org", "example",   false, false, 5  },
		{ "mail.example.org", "exampel",   false, false, 16 },
		{ "mail.example.org", "orga",      false, false, 16 },
		{ "mail",             "mail",      true,  true,  0  },
		{ "mail",             "mails",     false, false, 4  },
		{ "aab",              "ab",        false, true,  1  },
		{ "aaab",             "AAB",       false, true,  1  },
		{ "mail",             "",          true,  true,  0  },
		{ "",                 "a",         false, false, 0  },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct slice s = slice_str(rows[i].text);

		EXPECT_ROW(slice_starts(s, rows[i].part) == rows[i].starts, rows[i].part);
		EXPECT_ROW(slice_ends(s, rows[i].part) == rows[i].ends, rows[i].part);
		EXPECT_ROW(slice_search(s, rows[i].part) == rows[i].at, rows[i].part);
		EXPECT_ROW(slice_has(s, rows[i].part) == (rows[i].at < s.len), rows[i].part);
	}
	EXPECT(slice_has(slice_str(""), "") && !slice_has(slice_str(""), "a"));
	EXPECT(!slice_has(none, "a") && !slice_starts(none, "a") && !slice_ends(none, "a"));
}

/* What lies behind the slice is nobody's business. */
TEST(nothing_behind_the_end_is_looked_at)
{
	struct slice s = slice("mail.example", 4);

	EXPECT(slice_is(s, "mail") && !slice_is(s, "mail.example"));
	EXPECT(!slice_starts(s, "mail.") && !slice_has(s, ".") && slice_find(s, '.') == 4 && slice_search(s, "l.") == 4);
	EXPECT(slice_ends(s, "ail"));
}

TEST(find)
{
	EXPECT(slice_find(slice_str("a:b:c"), ':') == 1);
	EXPECT(slice_find(slice_str("abc"), ':') == 3);
	EXPECT(slice_find(slice("a\0b", 3), '\0') == 1);
	EXPECT(slice_find(none, ':') == 0);
}

TEST(from_and_upto)
{
	struct slice s = slice_str("abc");

	EXPECT(slice_equal(slice_from(s, 0), s) && slice_equal(slice_from(s, 1), slice_str("bc")));
	EXPECT(slice_from(s, 3).len == 0 && slice_from(s, 3).at == s.at + 3);
	EXPECT(slice_from(s, 4).len == 0 && slice_from(s, (size_t)-1).at == s.at + 3);
	EXPECT(slice_from(none, 5).at == NULL && slice_upto(none, 5).len == 0);
	EXPECT(slice_equal(slice_upto(s, 2), slice_str("ab")) && slice_equal(slice_upto(s, 4), s) && slice_upto(s, 0).len == 0);
}

TEST(trim)
{
	static const struct { const char *text, *trimmed; } rows[] = {
		{ "", "" }, { " ", "" }, { " \t\r\n ", "" }, { "a", "a" }, { " a b ", "a b" }, { "\r\na\tb\r\n", "a\tb" }, { "\va\f", "\va\f" },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		EXPECT_ROW(slice_equal(slice_trim(slice_str(rows[i].text)), slice_str(rows[i].trimmed)), rows[i].text);
	EXPECT(slice_trim(none).len == 0);
}

TEST(cut)
{
	static const struct { const char *text, *before, *rest; } rows[] = {     /* rest NULL: the byte was not there */
		{ "a:b:c", "a",   "b:c" },
		{ ":b",    "",    "b"   },
		{ "a:",    "a",   ""    },
		{ "::",    "",    ":"   },
		{ "abc",   "abc", NULL  },
		{ "",      "",    NULL  },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct slice rest = slice_str(rows[i].text), before = slice_cut(&rest, ':');

		EXPECT_ROW(slice_equal(before, slice_str(rows[i].before)), rows[i].text);
		EXPECT_ROW((rest.at != NULL) == (rows[i].rest != NULL), rows[i].text);
		EXPECT_ROW(slice_equal(rest, slice_str(rows[i].rest)), rows[i].text);
	}
}

/* As the callers use it: `while (rest.at)` sees the empty piece behind a last separator, and ends. */
TEST(cutting_in_a_loop)
{
	static const struct { const char *text; int pieces; } rows[] = { { "", 1 }, { "a", 1 }, { "a|b", 2 }, { "a|", 2 }, { "|", 2 }, { "a|b|c", 3 } };

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct slice rest = slice_str(rows[i].text);
		int          pieces = 0;

		for (; rest.at; pieces++)
			slice_cut(&rest, '|');
		EXPECT_ROW(pieces == rows[i].pieces, rows[i].text);
	}
}

TEST(number)
{
	static const struct { const char *text; unsigned long long most; bool fine; unsigned long long n; } rows[] = {
		{ "0",                     0,         true,  0 },
		{ "1",                     0,         false, 0 },
		{ "000",                   0,         true,  0 },
		{ "5",                     4,         false, 0 },
		{ "5",                     5,         true,  5 },
		{ "65535",                 65535,     true,  65535 },
		{ "65536",                 65535,     false, 0 },
		{ "65540",                 65535,     false, 0 },
		{ "655350",                65535,     false, 0 },
		{ "0000000000000000065535", 65535,    true,  65535 },
		{ "4294967295",            UINT32_MAX, true, UINT32_MAX },
		{ "4294967296",            UINT32_MAX, false, 0 },
		{ "18446744073709551615",  UINT64_MAX, true, UINT64_MAX },
		{ "18446744073709551616",  UINT64_MAX, false, 0 },
		{ "99999999999999999999",  UINT64_MAX, false, 0 },
		{ "184467440737095516150", UINT64_MAX, false, 0 },
		{ "",                      9,         false, 0 },
		{ "-1",                    9,         false, 0 },
		{ "+1",                    9,         false, 0 },
		{ " 1",                    9,         false, 0 },
		{ "1 ",                    9,         false, 0 },
		{ "1.",                    9,         false, 0 },
		{ "0x1",                   99,        false, 0 },
		{ "/",                     9,         false, 0 },      /* the neighbours of the digits */
		{ ":",                     99,        false, 0 },
		{ "\xb1",                  UINT64_MAX, false, 0 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		unsigned long long n = 4711;
		bool               fine = slice_number(slice_str(rows[i].text), rows[i].most, &n);

		EXPECT_ROW(fine == rows[i].fine, rows[i].text);
		EXPECT_ROW(n == (fine ? rows[i].n : 4711), rows[i].text);
	}
	EXPECT(!slice_number(none, 9, &(unsigned long long){ 0 }));
	EXPECT(!slice_number(slice("1\0", 2), 9, &(unsigned long long){ 0 }));
}
