#include "sandbox/imap_read.h"

#include "test.h"

TEST(words_are_read)
{
	CLEANUP(arena) struct arena *arena = arena_new();
	struct slice rest = slice_str("a7 LOGIN \"an\\\"na\" {5}\r\nhe\"lo (x) BODY.PEEK[HEADER.FIELDS (A B)]<0.9>"), out;

	EXPECT(read_atom(&rest, &out) && slice_equal(out, slice_str("a7")));
	EXPECT(read_atom(&rest, &out) && slice_equal(out, slice_str("LOGIN")));
	EXPECT(!read_atom(&rest, &out) && read_string(arena, &rest, &out) && slice_equal(out, slice_str("an\"na")));
	EXPECT(read_string(arena, &rest, &out) && slice_equal(out, slice_str("he\"lo")));
	EXPECT(!read_mark(&rest, ')') && read_mark(&rest, '(') && read_string(arena, &rest, &out) && slice_equal(out, slice_str("x")));
	EXPECT(read_mark(&rest, ')') && read_atom(&rest, &out));
	EXPECT(slice_equal(out, slice_str("BODY.PEEK[HEADER.FIELDS (A B)]<0.9>")) && read_end(&rest));
}

TEST(what_is_cut_or_wrong_is_no_string)
{
	static const char *const rows[] = { "", " ", "\"", "\"x", "\"x\\", "\"x\r\n\"", "{3}", "{3}\r\n", "{3}\r\nab", "{x}\r\nabc", "{-1}\r\n", "{99999999999}\r\n", ")" };
	CLEANUP(arena) struct arena *arena = arena_new();

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct slice rest = slice_str(rows[i]), out;

		EXPECT_ROW(!read_string(arena, &rest, &out) && rest.at == rows[i], rows[i]);
	}
}

TEST(literals_are_announced)
{
	static const struct { const char *line; bool is, waits; size_t size; } rows[] = {
		{ "a APPEND x {17}", true, true, 17 }, { "a LOGIN {3+}", true, false, 3 }, { "{0}", true, true, 0 }, { "a {}", false, false, 0 },
		{ "a {3", false, false, 0 }, { "a {3}x", false, false, 0 }, { "}", false, false, 0 }, { "a {+}", false, false, 0 }, { "a {4294967296}", false, false, 0 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t size = 0;
		bool   waits = false;

		EXPECT_ROW(literal_announced(slice_str(rows[i].line), &size, &waits) == rows[i].is, rows[i].line);
		EXPECT_ROW(!rows[i].is || (size == rows[i].size && waits == rows[i].waits), rows[i].line);
	}
}

TEST(sets)
{
	static const char *const wrong[] = { "", "0", "x", "1,", "1:", ":2", "1:2:3", "4294967296", "1, 2" };
	struct number_set set;

	EXPECT(set_read(slice_str("4:2,9,12:*"), 14, &set) && set.count == 3);
	EXPECT(set_has(&set, 2) && set_has(&set, 4) && set_has(&set, 9) && set_has(&set, 13) && !set_has(&set, 5) && !set_has(&set, 15));
	/* what is past the end still means the last one */
	EXPECT(set_read(slice_str("20:*"), 14, &set) && set_has(&set, 14) && set_has(&set, 20) && !set_has(&set, 13));
	for (size_t i = 0; i < COUNT(wrong); i++)
		EXPECT_ROW(!set_read(slice_str(wrong[i]), 14, &set), wrong[i]);
}

TEST(names_of_mailboxes)
{
	static const struct { const char *utf8, *modified; } rows[] = {
		{ "INBOX", "INBOX" }, { "Räume", "R&AOQ-ume" }, { "A&B", "A&-B" }, { "台北", "&U,BTFw-" }, { "Tea 🍵", "Tea &2Dzfdf-" }, { "", "" },
	};
	CLEANUP(arena) struct arena *arena = arena_new();

	for (size_t i = 0; i + 2 < COUNT(rows); i++) {
		EXPECT_TEXT(mailbox_name_of(arena, rows[i].utf8), rows[i].modified);
		EXPECT_TEXT(mailbox_name_read(arena, slice_str(rows[i].modified)), rows[i].utf8);
	}
	EXPECT_TEXT(mailbox_name_read(arena, slice_str(mailbox_name_of(arena, rows[4].utf8))), rows[4].utf8);
	EXPECT_TEXT(mailbox_name_read(arena, slice_str("x&")), "x&");
}

TEST(patterns)
{
	static const struct { const char *pattern, *name; bool fits; } rows[] = {
		{ "*", "a/b", true }, { "%", "a/b", false }, { "%/%", "a/b", true }, { "a*", "a/b", true }, { "a%", "a/b", false }, { "", "", true }, { "*", "", true },
		{ "inbox", "INBOX", true }, { "sent", "Sent", false }, { "*b", "a/b", true }, { "*c", "a/b", false }, { "a/b", "a/bc", false },
		{ "*a*a*a*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		EXPECT_ROW(pattern_fits(rows[i].pattern, rows[i].name) == rows[i].fits, rows[i].pattern);
}
