#include "wire/imap.h"

#include <stdlib.h>

#include "test.h"

static bool same(struct slice s, const char *text)
{
	return slice_equal(s, slice_str(text));
}

/* Exactly these bytes and no more behind them, so that the sanitizer sees a reader that looks too far. */
static char *exactly(struct slice s)
{
	char *copy = must_alloc(s.len);

	if (s.len)
		memcpy(copy, s.at, s.len);
	return copy;
}

/* -- whole responses ---------------------------------------------------------------------------------------------- */

static const struct {
	const char    *input;
	enum imap_kind kind;
	const char    *tag, *word;
	uint32_t       number;
	const char    *code, *text;
} good[] = {
	{ "* OK Gimap ready for requests from 192.0.2.1\r\n", IMAP_UNTAGGED, "", "OK", 0, "",
	  "Gimap ready for requests from 192.0.2.1" },
	{ "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] Dovecot ready.\r\n", IMAP_UNTAGGED, "", "OK", 0,
	  "CAPABILITY IMAP4rev1 AUTH=PLAIN", "Dovecot ready." },
	{ "* OK\r\n", IMAP_UNTAGGED, "", "OK", 0, "", "" },
	{ "* OK ready\n", IMAP_UNTAGGED, "", "OK", 0, "", "ready" },
	{ "* OK Gr\xc3\xbc\xc3\x9f Gott \xff\r\n", IMAP_UNTAGGED, "", "OK", 0, "", "Gr\xc3\xbc\xc3\x9f Gott \xff" },
	{ "* ok lower\r\n", IMAP_UNTAGGED, "", "ok", 0, "", "lower" },
	{ "* PREAUTH [ALERT] hi\r\n", IMAP_UNTAGGED, "", "PREAUTH", 0, "ALERT", "hi" },
	{ "* BYE Connection is closed. 13\r\n", IMAP_UNTAGGED, "", "BYE", 0, "", "Connection is closed. 13" },
	{ "* BYE [OVERQUOTA] Account exceeded command or bandwidth limits.\r\n", IMAP_UNTAGGED, "", "BYE", 0,
	  "OVERQUOTA",
	  "Account exceeded command or bandwidth limits." },
	{ "a1 NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)\r\n", IMAP_TAGGED, "a1", "NO", 0,
	  "AUTHENTICATIONFAILED", "Invalid credentials (Failure)" },
	{ "A.7 BAD Login parameters!\r\n", IMAP_TAGGED, "A.7", "BAD", 0, "", "Login parameters!" },
	{ "a1 OK\r\n", IMAP_TAGGED, "a1", "OK", 0, "", "" },
	{ "a1 no [ALERT]\r\n", IMAP_TAGGED, "a1", "no", 0, "ALERT", "" },
	{ "a1 NO [ALERT]Invalid\r\n", IMAP_TAGGED, "a1", "NO", 0, "ALERT", "Invalid" },
	{ "a1 NO [] what\r\n", IMAP_TAGGED, "a1", "NO", 0, "", "what" },
	{ "a1 NO text [with] brackets [\r\n", IMAP_TAGGED, "a1", "NO", 0, "", "text [with] brackets [" },
	{ "a1 NO [BADCHARSET (\"[\" \"]\" \"\\\"]\")] no\r\n", IMAP_TAGGED, "a1", "NO", 0,
	  "BADCHARSET (\"[\" \"]\" \"\\\"]\")", "no" },
	{ "a1 NO [ALERT 5\" too wide] see\r\n", IMAP_TAGGED, "a1", "NO", 0, "ALERT 5\" too wide", "see" },
	{ "a1 NO [ALERT \"] what\\\r\n", IMAP_TAGGED, "a1", "NO", 0, "ALERT \"", "what\\" },
	{ "a1 OK [READ-ONLY] EXAMINE completed {5}\r\n", IMAP_TAGGED, "a1", "OK", 0, "READ-ONLY",
	  "EXAMINE completed {5}" },
	{ "* PREAUTHED {1}\r\n\n\r\n", IMAP_UNTAGGED, "", "PREAUTHED", 0, "", "{1}\r\n\n" },
	{ "* PREAUTH all {1}\r\n", IMAP_UNTAGGED, "", "PREAUTH", 0, "", "all {1}" },
	{ "* NO disk at {99999999999}\r\n", IMAP_UNTAGGED, "", "NO", 0, "", "disk at {99999999999}" },
	{ "* OK [UIDNEXT 18] Predicted next UID\r\n", IMAP_UNTAGGED, "", "OK", 0, "UIDNEXT 18", "Predicted next UID" },
	{ "* OK [PERMANENTFLAGS (\\Deleted \\*)] Limited\r\n", IMAP_UNTAGGED, "", "OK", 0,
	  "PERMANENTFLAGS (\\Deleted \\*)",
	  "Limited" },
	{ "* 23 EXISTS\r\n", IMAP_UNTAGGED, "", "EXISTS", 23, "", "" },
	{ "* 4294967295 RECENT\r\n", IMAP_UNTAGGED, "", "RECENT", 4294967295u, "", "" },
	{ "* 2 FETCH (UID 7 FLAGS (\\Seen))\r\n", IMAP_UNTAGGED, "", "FETCH", 2, "", "(UID 7 FLAGS (\\Seen))" },
	{ "* CAPABILITY IMAP4rev1 SASL-IR\r\n", IMAP_UNTAGGED, "", "CAPABILITY", 0, "", "IMAP4rev1 SASL-IR" },
	{ "* SEARCH\r\n", IMAP_UNTAGGED, "", "SEARCH", 0, "", "" },
	{ "* LIST (\\HasNoChildren \\Sent) \"/\" \"Sent\"\r\n", IMAP_UNTAGGED, "", "LIST", 0, "",
	  "(\\HasNoChildren \\Sent) \"/\" \"Sent\"" },
	{ "* LIST () \"/\" {5}\r\nna\r\ne\r\n", IMAP_UNTAGGED, "", "LIST", 0, "", "() \"/\" {5}\r\nna\r\ne" },
	{ "* LIST () \"/\" {5+}\r\na1 OK\r\n", IMAP_UNTAGGED, "", "LIST", 0, "", "() \"/\" {5+}\r\na1 OK" },
	{ "* 1 FETCH (BODY[] ~{3}\n\r\n) UID 3)\n", IMAP_UNTAGGED, "", "FETCH", 1, "", "(BODY[] ~{3}\n\r\n) UID 3)" },
	{ "* 1 FETCH (A {1}\r\n( B {0}\r\n C {002}\r\n{}x)\r\n", IMAP_UNTAGGED, "", "FETCH", 1, "",
	  "(A {1}\r\n( B {0}\r\n C {002}\r\n{}x)" },
	{ "* X {1}\r\n\r\r\n", IMAP_UNTAGGED, "", "X", 0, "", "{1}\r\n\r" },
	{ "* X {1}\r\n\r\n", IMAP_UNTAGGED, "", "X", 0, "", "{1}\r\n\r" },
	{ "* X {} {+} 5} {5\r\n", IMAP_UNTAGGED, "", "X", 0, "", "{} {+} 5} {5" },
	{ "+ \r\n", IMAP_CONTINUE, "", "", 0, "", "" },
	{ "+\r\n", IMAP_CONTINUE, "", "", 0, "", "" },
	{ "+\n", IMAP_CONTINUE, "", "", 0, "", "" },
	{ "+ idling\r\n", IMAP_CONTINUE, "", "", 0, "", "idling" },
	{ "+ OK\r\n", IMAP_CONTINUE, "", "", 0, "", "OK" },
	{ "+PDE4OTYu\r\n", IMAP_CONTINUE, "", "", 0, "", "PDE4OTYu" },
	{ "+ go {5}\r\n", IMAP_CONTINUE, "", "", 0, "", "go {5}" },
};

static void expect_good(size_t i, const struct imap_event *e, size_t used)
{
	EXPECT_ROW(e->kind == good[i].kind, good[i].input);
	EXPECT_ROW(used == strlen(good[i].input), good[i].input);
	EXPECT_ROW(same(e->tag, good[i].tag), good[i].input);
	EXPECT_ROW(same(e->word, good[i].word), good[i].input);
	EXPECT_ROW(e->number == good[i].number, good[i].input);
	EXPECT_ROW(same(e->code, good[i].code), good[i].input);
	EXPECT_ROW(same(e->text, good[i].text), good[i].input);
	EXPECT_ROW(e->line.at == good[i].input, good[i].input);
	EXPECT_ROW(e->line.at + e->line.len == e->text.at + e->text.len, good[i].input);
}

TEST(responses_are_read_whole)
{
	for (size_t i = 0; i < COUNT(good); i++) {
		CLEANUP(imap_reader) struct imap_reader *r = imap_reader_new(1000, 1000);
		size_t            used;
		struct imap_event e = imap_next(r, slice_str(good[i].input), &used);

		expect_good(i, &e, used);
		EXPECT_TEXT(imap_broken(r), "");
	}
}

TEST(responses_are_read_from_any_two_pieces)
{
	for (size_t i = 0; i < COUNT(good); i++)
		for (size_t cut = 0; cut < strlen(good[i].input); cut++) {
			CLEANUP(imap_reader) struct imap_reader *r = imap_reader_new(1000, 1000);
			char             *first = exactly(slice(good[i].input, cut));
			size_t            used = 99;
			struct imap_event e = imap_next(r, slice(first, cut), &used);

			free(first);
			EXPECT_ROW(e.kind == IMAP_MORE && used == 0, good[i].input);
			e = imap_next(r, slice_str(good[i].input), &used);
			expect_good(i, &e, used);
		}
}

TEST(responses_are_read_byte_by_byte_and_one_after_the_other)
{
	CLEANUP(imap_reader) struct imap_reader *r = imap_reader_new(1000, 1000);

	for (size_t i = 0; i < COUNT(good); i++) {
		struct imap_event e;
		size_t            used;

		for (size_t len = 0; len < strlen(good[i].input); len++)
			EXPECT_ROW(imap_next(r, slice(good[i].input, len), &used).kind == IMAP_MORE, good[i].input);
		e = imap_next(r, slice_str(good[i].input), &used);
		expect_good(i, &e, used);
	}
}

TEST(several_responses_in_one_go)
{
	CLEANUP(imap_reader) struct imap_reader *r = imap_reader_new(1000, 1000);
	struct slice held = slice_str("* 1 EXISTS\r\n* LIST () NIL {3}\r\na\nb\r\na1 OK done\r\n+");
	size_t       used;

	EXPECT(imap_next(r, held, &used).number == 1);
	held = slice_from(held, used);
	EXPECT(same(imap_next(r, held, &used).line, "* LIST () NIL {3}\r\na\nb"));
	held = slice_from(held, used);
	EXPECT(imap_next(r, held, &used).kind == IMAP_TAGGED);
	held = slice_from(held, used);
	EXPECT(same(held, "+"));
	EXPECT(imap_next(r, held, &used).kind == IMAP_MORE);
	EXPECT(imap_next(r, slice(NULL, 0), &used).kind == IMAP_MORE);
}

/* -- what is no IMAP ---------------------------------------------------------------------------------------------- */

static const struct { struct slice input; const char *why; } bad[] = {
#define IN(text) { text, sizeof text - 1 }
	{ IN("220 mx.example.org ESMTP Postfix\r\n"), "not IMAP: 220 mx.example.org ESMTP Postfix" },
	{ IN("+OK Dovecot ready.\r\n"),               "not IMAP: +OK Dovecot ready." },
	{ IN("+ok\r\n"),                              "not IMAP: +ok" },
	{ IN("HTTP/1.1 400 Bad Request\r\n"),         "not IMAP: HTTP/1.1 400 Bad Request" },
	{ IN("SSH-2.0-OpenSSH_9.2\r\n"),              "not IMAP: SSH-2.0-OpenSSH_9.2" },
	{ IN("\x15\x03\x01\x00\x02\x02\x46"),         NULL },
	{ IN("\0* OK\r\n"),                           NULL },
	{ IN("<html>\r\n"),                           NULL },
	{ IN("\r\n"),                                 NULL },
	{ IN(" * OK\r\n"),                            NULL },
	{ IN("*\r\n"),                                "not IMAP: *" },
	{ IN("* \r\n"),                               "not IMAP: *" },
	{ IN("*OK ready\r\n"),                        "not IMAP: *OK ready" },
	{ IN("*  OK ready\r\n"),                      "not IMAP: *  OK ready" },
	{ IN("* \0\xff\r\n"),                         "not IMAP: * .." },
	{ IN("* 23\r\n"),                             "not IMAP: * 23" },
	{ IN("* 23 \r\n"),                            "not IMAP: * 23" },
	{ IN("* 4294967296 EXISTS\r\n"),              "not IMAP: * 4294967296 EXISTS" },
	{ IN("* 23x EXISTS\r\n"),                     "not IMAP: * 23x EXISTS" },
	{ IN("* (\r\n"),                              "not IMAP: * (" },
	{ IN("a1\r\n"),                               "not IMAP: a1" },
	{ IN("a1 \r\n"),                              "not IMAP: a1" },
	{ IN("a1 YES\r\n"),                           "not IMAP: a1 YES" },
	{ IN("a1 BYE\r\n"),                           "not IMAP: a1 BYE" },
	{ IN("a1 OK[ALERT] x\r\n"),                   "not IMAP: a1 OK[ALERT] x" },
	{ IN("a-1 OK x\r\n"),                         "not IMAP: a-1 OK x" },
	{ IN("a1\xff OK x\r\n"),                      "not IMAP: a1. OK x" },
	{ IN("a1 NO [AUTHENTICATIONFAILED\r\n"),
	  "a response code without its end: a1 NO [AUTHENTICATIONFAILED" },
	{ IN("* OK [\r\n"),                           "a response code without its end: * OK [" },
	{ IN("* BYE [ALERT \"x\r\n"),                 "a response code without its end: * BYE [ALERT \"x" },
	{ IN("* X {1001}\r\n"),                       "a literal of 1001 bytes" },
	{ IN("* X {2147483648}\r\n"),                 "a literal of 2147483648 bytes" },
	{ IN("* X {2147483648+}\r\n"),                "a literal of 2147483648 bytes" },
	{ IN("* X ~{18446744073709551616}\r\n"),      "a literal of 18446744073709551616 bytes" },
	{ IN("* X {18446744073709551615}\r\n"),       "a literal of 18446744073709551615 bytes" },
	{ IN("* X {99999999999999999999999999999999999999999999999}\r\n"),
	  "a literal of 9999999999999999999999999999999999999999 bytes" },
	{ IN("a 45678901234567890123456789012345678901234567890123456789012345\r\n"),
	  "not IMAP: a 4567890123456789012345678901234567890123456789012345678901" },
};

TEST(what_is_no_imap_is_broken_and_stays_so)
{
	for (size_t i = 0; i < COUNT(bad); i++)
		for (size_t cut = 0; cut <= bad[i].input.len; cut++) {
			CLEANUP(imap_reader) struct imap_reader *r = imap_reader_new(1000, 1000);
			char  *first = exactly(slice_upto(bad[i].input, cut));
			size_t used = 0;

			imap_next(r, slice(first, cut), &used);
			free(first);
			if (used)
				test_fail(__FILE__, __LINE__, "row %zu: something was taken", i);
			EXPECT_ROW(imap_next(r, bad[i].input, &used).kind == IMAP_BROKEN && used == 0, bad[i].input.at);
			if (bad[i].why)
				EXPECT_TEXT(imap_broken(r), bad[i].why);
			else
				EXPECT_ROW(strncmp(imap_broken(r), "not IMAP: ", 10) == 0, bad[i].input.at);
			EXPECT(imap_next(r, slice_str("* OK\r\n"), &used).kind == IMAP_BROKEN);
			imap_reader_clear(r);
			EXPECT_TEXT(imap_broken(r), "");
			EXPECT(imap_next(r, slice_str("* OK\r\n"), &used).kind == IMAP_UNTAGGED);
		}
}

TEST(a_tls_alert_is_told_at_its_first_byte)
{
	CLEANUP(imap_reader) struct imap_reader *r = imap_reader_new(1000, 1000);
	size_t used;

	EXPECT(imap_next(r, slice("\x15\x03\x01\x00\x02\x02\x46", 7), &used).kind == IMAP_BROKEN);
	EXPECT_TEXT(imap_broken(r), "not IMAP: ......F");
}

/* -- limits ------------------------------------------------------------------------------------------------------- */

TEST(the_line_limit_is_exact)
{
	static const struct { const char *input; bool fits; } rows[] = {
		{ "* OK 67890\r\n", true },  { "* OK 67890\n", true },  { "* OK 678901\r\n", false },
		  { "* OK 678901\n", false },
		{ "* OK 678901\r", false },  { "* OK 6789012", false },
		{ "* X {9}\r\n123456789\r\n", true }, { "* X {9}\r\n123456789 \r\n", true },
		  { "* X {9}\r\n123456789  \r\n", false },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		CLEANUP(imap_reader) struct imap_reader *r = imap_reader_new(10, 9);
		size_t         used;
		enum imap_kind kind = imap_next(r, slice_str(rows[i].input), &used).kind;

		EXPECT_ROW((kind == IMAP_UNTAGGED) == rows[i].fits, rows[i].input);
		if (!rows[i].fits)
			EXPECT_TEXT(imap_broken(r), "a line longer than 10 bytes");
		imap_reader_clear(r);
		for (size_t cut = 0; rows[i].fits && cut < strlen(rows[i].input); cut++)
			EXPECT_ROW(imap_next(r, slice(rows[i].input, cut), &used).kind == IMAP_MORE, rows[i].input);
	}
}

TEST(the_literal_limit_counts_all_literals_of_a_response)
{
	CLEANUP(imap_reader) struct imap_reader *r = imap_reader_new(100, 9);
	size_t used;

	EXPECT(imap_next(r, slice_str("* X {5}\r\n12345 {4}\r\n1234\r\n"), &used).kind == IMAP_UNTAGGED);
	EXPECT(imap_next(r, slice_str("* X {9}\r\n123456789\r\n"), &used).kind == IMAP_UNTAGGED);
	EXPECT(imap_next(r, slice_str("* X {5}\r\n12345 {5}\r\n"), &used).kind == IMAP_BROKEN);
	EXPECT_TEXT(imap_broken(r), "a literal of 5 bytes");
}

#define PARENTHESES 500000

TEST(half_a_million_parentheses)
{
	CLEANUP(imap_reader) struct imap_reader *small = imap_reader_new(8192, 0);
	CLEANUP(imap_reader) struct imap_reader *large = imap_reader_new(2 * PARENTHESES, 0);
	CLEANUP(arena) struct arena *arena = arena_new();
	char             *line = must_alloc(PARENTHESES + 20);
	struct slice      all = slice(line, PARENTHESES + 12), rest, out;
	struct imap_event e;
	size_t            used, depth = 0;

	memcpy(line, "* 1 FETCH ", 10);
	memset(line + 10, '(', PARENTHESES);
	memcpy(line + 10 + PARENTHESES, "\r\n", 2);
	EXPECT(imap_next(small, all, &used).kind == IMAP_BROKEN);
	EXPECT_TEXT(imap_broken(small), "a line longer than 8192 bytes");
	for (size_t len = 0; len < all.len; len += 7)
		EXPECT(imap_next(large, slice_upto(all, len), &used).kind == IMAP_MORE);
	e = imap_next(large, all, &used);
	EXPECT(e.kind == IMAP_UNTAGGED && e.text.len == PARENTHESES);
	for (rest = e.text; imap_value(&rest, arena, &out) == IMAP_OPEN; )
		depth++;
	EXPECT(depth == PARENTHESES && rest.len == 0);
	free(line);
}

/* -- values ------------------------------------------------------------------------------------------------------- */

/* One letter for each kind: A atom, S string, N nil, J junk; "A(x)" with what it was. */
static const char *values(struct slice rest, struct arena *arena)
{
	static const char letters[] = ".ASN()J";
	const char  *all = "";
	struct slice out;

	for (;;) {
		enum imap_value_kind kind = imap_value(&rest, arena, &out);

		if (kind == IMAP_END)
			return all;
		if (kind == IMAP_ATOM || kind == IMAP_STRING)
			all = arena_print(arena, "%s%c<%.*s>", all, letters[kind], (int)out.len, out.at);
		else
			all = arena_print(arena, "%s%c", all, letters[kind]);
	}
}

TEST(values_of_response_data)
{
	static const struct { const char *input, *values; } rows[] = {
		{ "",                                 "" },
		{ "   ",                              "" },
		{ "a b  c",                           "A<a>A<b>A<c>" },
		{ "(\\Seen \\*)",                     "(A<\\Seen>A<\\*>)" },
		{ "NIL nil \"NIL\" NILS",             "NNS<NIL>A<NILS>" },
		{ "\"\" \"a b\" \"a\\\"b\\\\c\"",     "S<>S<a b>S<a\"b\\c>" },
		{ "\"a\\b\"",                         "S<a\\b>" },
		{ "\"a\\\\\"",                        "S<a\\>" },
		{ "\"a\\\"",                          "J" },
		{ "\"a",                              "J" },
		{ "\"",                               "J" },
		{ "\"a\r\nb\" c",                     "J" },
		{ "{3}\r\na b c",                     "S<a b>A<c>" },
		{ "{0}\r\n",                          "S<>" },
		{ "~{3+}\na)b(",                      "S<a)b>(" },
		{ "{4}\r\nabc",                       "J" },
		{ "{18446744073709551616}\r\nabc",    "J" },
		{ "{3} abc",                          "J" },
		{ "{3}",                              "J" },
		{ "{}\r\n",                           "J" },
		{ "{3\r\nabc",                        "J" },
		{ "{",                                "J" },
		{ "~{",                               "J" },
		{ "~x",                               "A<~x>" },
		{ "UID 7(BODY[HEADER.FIELDS (FROM TO)]<0> {1}\r\nx)",
		  "A<UID>A<7>(A<BODY[HEADER.FIELDS (FROM TO)]<0>>S<x>)" },
		{ "BODY[]{1}\r\nx",                   "A<BODY[]>S<x>" },
		{ "BODY[ a b",                        "J" },
		{ "[Gmail]/All foo[bar",              "A<[Gmail]/All>A<foo[bar>" },
		{ "a\x01 b",                          "J" },
		{ "a\tb",                             "J" },
		{ "\x7f",                             "J" },
		{ "\xc3\xbc",                         "A<\xc3\xbc>" },
		{ "a\"b\"c",                          "A<a>S<b>A<c>" },
		{ "))(",                              "))(" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		CLEANUP(arena) struct arena *arena = arena_new();

		EXPECT_TEXT(values(slice_str(rows[i].input), arena), rows[i].values);
		for (size_t cut = 0; cut < strlen(rows[i].input); cut++) {
			char *part = exactly(slice(rows[i].input, cut));

			values(slice(part, cut), arena);      /* the sanitizer watches */
			free(part);
		}
	}
	EXPECT_TEXT(values(slice(NULL, 0), NULL), "");
}

TEST(lists_have_whole_words)
{
	struct slice list = slice_str("IMAP4rev1 AUTH=PLAIN  SASL-IR");

	EXPECT(imap_list_has(list, "imap4REV1"));
	EXPECT(imap_list_has(list, "AUTH=PLAIN"));
	EXPECT(imap_list_has(list, "SASL-IR"));
	EXPECT(!imap_list_has(list, "SASL"));
	EXPECT(!imap_list_has(list, "AUTH=PLAIN-CLIENTTOKEN"));
	EXPECT(!imap_list_has(list, ""));
	EXPECT(!imap_list_has(slice(NULL, 0), "IDLE"));
}

TEST(codes_have_a_word_and_a_rest)
{
	EXPECT(same(imap_code_word(slice_str("UIDNEXT 18")), "UIDNEXT"));
	EXPECT(same(imap_code_rest(slice_str("UIDNEXT 18")), "18"));
	EXPECT(same(imap_code_word(slice_str("ALERT")), "ALERT"));
	EXPECT(same(imap_code_rest(slice_str("ALERT")), ""));
	EXPECT(same(imap_code_word(slice(NULL, 0)), ""));
	EXPECT(same(imap_code_rest(slice(NULL, 0)), ""));
}

TEST(mailboxes)
{
	static const struct { const char *text; bool good; const char *flags, *delimiter, *name; } rows[] = {
		{ "(\\HasNoChildren \\Sent) \"/\" \"Sent\"",   true,  "\\HasNoChildren \\Sent", "/", "Sent" },
		{ "() NIL INBOX",                              true,  "", "", "INBOX" },
		{ "(\\Noselect) \"/\" \"\"",                   true,  "\\Noselect", "/", "" },
		{ "( \\All ) \"\\\\\" \"a\\\\b \\\"c\\\"\"",   true,  "\\All", "\\", "a\\b \"c\"" },
		{ "() \".\" {7}\r\na\r\nb)( ",                 true,  "", ".", "a\r\nb)( " },
		{ "() \"/\" [Gmail]/Trash",                    true,  "", "/", "[Gmail]/Trash" },
		{ "() \"/\" NIL",                              true,  "", "/", "NIL" },
		{ "() \"\" x",                                 true,  "", "", "x" },
		{ "(\\Subscribed) \"/\" foo (\"CHILDINFO\" (\"SUBSCRIBED\"))", true, "\\Subscribed", "/", "foo" },
		{ "",                                          false, "", "", "" },
		{ "(",                                         false, "", "", "" },
		{ ")",                                         false, "", "", "" },
		{ "()",                                        false, "", "", "" },
		{ "() \"/\"",                                  false, "", "", "" },
		{ "() \"/",                                    false, "", "", "" },
		{ "() \"//\" x",                               false, "", "", "" },
		{ "() / x",                                    false, "", "", "" },
		{ "() \"/\" (x)",                              false, "", "", "" },
		{ "\"/\" x",                                   false, "", "", "" },
		{ "() \"/\" {9}\r\nx",                         false, "", "", "" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		CLEANUP(arena) struct arena *arena = arena_new();
		struct imap_mailbox box;

		EXPECT_ROW(imap_mailbox(slice_str(rows[i].text), arena, &box) == rows[i].good, rows[i].text);
		if (rows[i].good) {
			EXPECT_ROW(same(box.flags, rows[i].flags), rows[i].text);
			EXPECT_ROW(same(box.delimiter, rows[i].delimiter), rows[i].text);
			EXPECT_ROW(same(box.name, rows[i].name), rows[i].text);
		}
		for (size_t cut = 0; cut < strlen(rows[i].text); cut++) {
			char *part = exactly(slice(rows[i].text, cut));

			imap_mailbox(slice(part, cut), arena, &box);
			free(part);
		}
	}
}

TEST(a_mailbox_name_with_a_nul_is_none)
{
	CLEANUP(arena) struct arena *arena = arena_new();
	struct imap_mailbox box;

	EXPECT(!imap_mailbox(slice("() \"/\" {3}\r\na\0b", 14), arena, &box));
}

TEST(fetches)
{
	static const struct { const char *text; bool good; uint32_t uid; unsigned size; const char *date, *body; } rows[] = {
		{ "(UID 7 RFC822.SIZE 4711 INTERNALDATE \"21-Nov-2026 08:00:00 +0000\" BODY[HEADER.FIELDS (FROM)]<0> {6}\r\nFrom: )", true, 7, 4711,
		  "21-Nov-2026 08:00:00 +0000", "From: " },
		{ "(FLAGS (\\Seen (\\Odd)) UID 8)", true, 8, 0, NULL, NULL },
		{ "(ENVELOPE ((NIL) \"UID\" 9) BODY[] \"\" UID 4294967295)", true, UINT32_MAX, 0, NULL, "" },
		{ "(UID 4294967296 RFC822.SIZE -1)", true, 0, 0, NULL, NULL },
		{ "(BODY[] NIL UID 3)", true, 3, 0, NULL, NULL },
		{ "()", true, 0, 0, NULL, NULL },
		{ "UID 7", false, 0, 0, NULL, NULL },
		{ "", false, 0, 0, NULL, NULL },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		CLEANUP(arena) struct arena *job = arena_new();
		struct imap_fetch got;

		EXPECT_ROW(imap_fetch(slice_str(rows[i].text), job, &got) == rows[i].good, rows[i].text);
		EXPECT_ROW(got.uid == rows[i].uid && got.size == rows[i].size, rows[i].text);
		EXPECT_ROW(rows[i].date ? slice_is(got.internal_date, rows[i].date) : !got.internal_date.at, rows[i].text);
		EXPECT_ROW(rows[i].body ? slice_is(got.body, rows[i].body) : !got.body.at, rows[i].text);
		for (size_t cut = 0; cut < strlen(rows[i].text); cut++)
			imap_fetch(slice(rows[i].text, cut), job, &got);
	}
}

TEST(dates)
{
	static const struct { const char *text; int64_t unix_s; } rows[] = {
		{ "21-Nov-2026 08:00:00 +0000", 1795248000 },
		{ "21-nov-2026 10:00:00 +0200", 1795248000 },
		{ "21-Nov-2026 02:30:00 -0530", 1795248000 },
		{ " 1-Jan-1970 00:00:01 +0000", 1 },
		{ "29-Feb-2024 23:59:60 +0000", 1709251200 },
		{ "21-Nov-2026 08:00:00", 0 }, { "21-Now-2026 08:00:00 +0000", 0 }, { "21-Nov-2026 24:00:00 +0000", 0 },
		{ "21-Nov-2026 08:00:00 ?0000", 0 }, { "21/Nov/2026 08:00:00 +0000", 0 }, { "xx-Nov-2026 08:00:00 +0000", 0 }, { "", 0 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		EXPECT_ROW(imap_date(slice_str(rows[i].text)) == rows[i].unix_s, rows[i].text);
		for (size_t cut = 0; cut < strlen(rows[i].text); cut++)
			EXPECT_ROW(imap_date(slice(rows[i].text, cut)) == 0, rows[i].text);
	}
}

TEST(modified_utf7)
{
	static const struct { const char *name, *text; } rows[] = {
		{ "",                          "" },
		{ "INBOX",                     "INBOX" },
		{ "a&-b",                      "a&b" },
		{ "&-",                        "&" },
		{ "Entw&APw-rfe",              "Entw\xc3\xbcrfe" },
		{ "~peter/mail/&U,BTFw-/&ZeVnLIqe-",
		  "~peter/mail/\xe5\x8f\xb0\xe5\x8c\x97/\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e" },
		{ "&2D3eAA-",                  "\xf0\x9f\x98\x80" },
		{ "&",                         NULL },
		{ "&APw",                      NULL },
		{ "&AP-",                      NULL },       /* half a character                   */
		{ "&AP8A-",                    NULL },       /* … and one and a half               */
		{ "&APx-",                     NULL },       /* bits left over                     */
		{ "&A/w-",                     NULL },       /* the slash of ordinary base64       */
		{ "&AAA-",                     NULL },       /* NUL                                */
		{ "&2D0-",                     NULL },       /* half a surrogate pair              */
		{ "&3gA-",                     NULL },
		{ "&2D0AQQ-",                  NULL },
		{ "&2D3YPQ-",                  NULL },
		{ "&AP\xc3w-",                 NULL },
		{ "\xc3\xbc",                  NULL },
		{ "a\tb",                      NULL },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		CLEANUP(arena) struct arena *arena = arena_new();

		if (rows[i].text)
			EXPECT_TEXT(imap_utf7_decode(slice_str(rows[i].name), arena), rows[i].text);
		else
			EXPECT_ROW(!imap_utf7_decode(slice_str(rows[i].name), arena), rows[i].name);
		for (size_t cut = 0; cut < strlen(rows[i].name); cut++) {
			char *part = exactly(slice(rows[i].name, cut));

			imap_utf7_decode(slice(part, cut), arena);
			free(part);
		}
	}
}

TEST(quoting)
{
	CLEANUP(arena) struct arena *arena = arena_new();
	struct slice rest = slice_str(imap_quoted(arena, "a \"b\\\" %*"));
	struct slice out;

	EXPECT_TEXT(imap_quoted(arena, ""), "\"\"");
	EXPECT_TEXT(imap_quoted(arena, "secret word"), "\"secret word\"");
	EXPECT_TEXT(imap_quoted(arena, "a\"b\\"), "\"a\\\"b\\\\\"");
	EXPECT(imap_quoted(arena, "a\rb") == NULL);
	EXPECT(imap_quoted(arena, "a\n") == NULL);
	EXPECT(imap_quoted(arena, "gr\xc3\xbc\xc3\x9f") == NULL);
	EXPECT(imap_value(&rest, arena, &out) == IMAP_STRING && same(out, "a \"b\\\" %*"));
}
