#include "wire/smtp.h"

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

static const struct {
	const char *input;
	int         code;
	const char *enhanced;
	size_t      line_count;
	const char *text, *plain;
} good[] = {
	{ "220 mx.example.org ESMTP\r\n", 220, "", 1, "mx.example.org ESMTP", "mx.example.org ESMTP" },
	{ "220 mx.example.org ESMTP\n", 220, "", 1, "mx.example.org ESMTP", "mx.example.org ESMTP" },
	{ "250\r\n", 250, "", 1, "", "" },
	{ "250\n", 250, "", 1, "", "" },
	{ "250 \r\n", 250, "", 1, "", "" },
	{ "334 VXNlcm5hbWU6\r\n", 334, "", 1, "VXNlcm5hbWU6", "VXNlcm5hbWU6" },
	{ "250-mx.example.org\r\n250-SIZE 35882577\r\n250 SMTPUTF8\r\n", 250, "", 3,
	  "mx.example.org SIZE 35882577 SMTPUTF8", "mx.example.org SIZE 35882577 SMTPUTF8" },
	{ "250-a\n250-\n250\n", 250, "", 3, "a", "a" },
	{ "235 2.7.0 Accepted\r\n", 235, "2.7.0", 1, "2.7.0 Accepted", "Accepted" },
	{ "535-5.7.8 Username and Password not accepted. For more information, go to\r\n"
	  "535 5.7.8  https://support.google.com/mail/?p=BadCredentials\r\n", 535, "5.7.8", 2,
	  "5.7.8 Username and Password not accepted. For more information, go to "
	  "https://support.google.com/mail/?p=BadCredentials",
	  "Username and Password not accepted. For more information, go to "
	  "https://support.google.com/mail/?p=BadCredentials" },
	{ "534-5.7.9 Application-specific password required.\r\n534 more\r\n", 534, "5.7.9", 2,
	  "5.7.9 Application-specific password required. more", "Application-specific password required. more" },
	{ "535 5.7.139 Authentication unsuccessful\r\n", 535, "5.7.139", 1, "5.7.139 Authentication unsuccessful",
	  "Authentication unsuccessful" },
	{ "550-5.1.1 a\r\n550 5.7.1 b\r\n", 550, "5.7.1", 2, "5.1.1 a 5.7.1 b", "a b" },
	{ "451-4.7.0 a\r\n550 5.7.1 b\r\n", 550, "5.7.1", 2, "4.7.0 a 5.7.1 b", "4.7.0 a b" },
	{ "550-5.7.1 a\r\n451 b\r\n", 451, "", 2, "5.7.1 a b", "5.7.1 a b" },
	{ "550 4.7.1 b\r\n", 550, "", 1, "4.7.1 b", "4.7.1 b" },
	{ "354 3.0.0 go\r\n", 354, "", 1, "3.0.0 go", "3.0.0 go" },
	{ "554 5.7.1\r\n", 554, "5.7.1", 1, "5.7.1", "" },
	{ "554 5.7.1: no\r\n", 554, "5.7.1", 1, "5.7.1: no", "no" },
	{ "554 5.7.1.2 no\r\n", 554, "", 1, "5.7.1.2 no", "5.7.1.2 no" },
	{ "554 5.7.1-rc no\r\n", 554, "", 1, "5.7.1-rc no", "5.7.1-rc no" },
	{ "554 5.1234.1 no\r\n", 554, "", 1, "5.1234.1 no", "5.1234.1 no" },
	{ "554 5.1.1234 no\r\n", 554, "", 1, "5.1.1234 no", "5.1.1234 no" },
	{ "554 5.123.123 no\r\n", 554, "5.123.123", 1, "5.123.123 no", "no" },
	{ "554 5..1 no\r\n", 554, "", 1, "5..1 no", "5..1 no" },
	{ "554 5.7. no\r\n", 554, "", 1, "5.7. no", "5.7. no" },
	{ "554 5.7\r\n", 554, "", 1, "5.7", "5.7" },
	{ "554 said: 5.7.1 no\r\n", 554, "", 1, "said: 5.7.1 no", "said: 5.7.1 no" },
	{ "599 Gr\xc3\xbc\xc3\x9f\xff\r\n", 599, "", 1, "Gr\xc3\xbc\xc3\x9f\xff", "Gr\xc3\xbc\xc3\x9f\xff" },
	{ "100 x\r\n", 100, "", 1, "x", "x" },
};

static void expect_good(size_t i, const struct smtp_event *e, size_t used)
{
	CLEANUP(arena) struct arena *arena = arena_new();
	const char *end = strrchr(good[i].input, '\n');

	if (end > good[i].input && end[-1] == '\r')
		end--;
	EXPECT_ROW(e->kind == SMTP_REPLY, good[i].input);
	EXPECT_ROW(used == strlen(good[i].input), good[i].input);
	EXPECT_ROW(e->code == good[i].code, good[i].input);
	EXPECT_TEXT(e->enhanced, good[i].enhanced);
	EXPECT_ROW(e->line_count == good[i].line_count, good[i].input);
	EXPECT_ROW(slice_equal(e->lines, slice(good[i].input, (size_t)(end - good[i].input))), good[i].input);
	EXPECT_TEXT(smtp_text(e, arena, false), good[i].text);
	EXPECT_TEXT(smtp_text(e, arena, true), good[i].plain);
}

TEST(replies_are_read_from_any_two_pieces)
{
	for (size_t i = 0; i < COUNT(good); i++)
		for (size_t cut = 0; cut < strlen(good[i].input); cut++) {
			CLEANUP(smtp_reader) struct smtp_reader *r = smtp_reader_new(1000, 1000);
			char             *first = exactly(slice(good[i].input, cut));
			size_t            used = 99;
			struct smtp_event e = smtp_next(r, slice(first, cut), &used);

			free(first);
			EXPECT_ROW(e.kind == SMTP_MORE && used == 0, good[i].input);
			e = smtp_next(r, slice_str(good[i].input), &used);
			expect_good(i, &e, used);
			EXPECT_TEXT(smtp_broken(r), "");
		}
}

TEST(replies_are_read_byte_by_byte_and_one_after_the_other)
{
	CLEANUP(smtp_reader) struct smtp_reader *r = smtp_reader_new(1000, 1000);

	for (size_t i = 0; i < COUNT(good); i++) {
		struct smtp_event e;
		size_t            used;

		for (size_t len = 0; len < strlen(good[i].input); len++)
			EXPECT_ROW(smtp_next(r, slice(good[i].input, len), &used).kind == SMTP_MORE, good[i].input);
		e = smtp_next(r, slice_str(good[i].input), &used);
		expect_good(i, &e, used);
	}
}

TEST(several_replies_in_one_go)
{
	CLEANUP(smtp_reader) struct smtp_reader *r = smtp_reader_new(1000, 1000);
	struct slice held = slice_str("250-a\r\n250 b\r\n354 go\r\n25");
	size_t       used;

	EXPECT(smtp_next(r, held, &used).line_count == 2);
	held = slice_from(held, used);
	EXPECT(smtp_next(r, held, &used).code == 354);
	held = slice_from(held, used);
	EXPECT(smtp_next(r, held, &used).kind == SMTP_MORE && same(held, "25"));
	EXPECT(smtp_next(r, slice(NULL, 0), &used).kind == SMTP_MORE);
}

TEST(what_is_no_smtp_is_broken_and_stays_so)
{
	static const struct { struct slice input; const char *why; } bad[] = {
#define IN(text) { text, sizeof text - 1 }
		{ IN("* OK ready\r\n"),                  "not SMTP: " },
		{ IN("+OK POP3\r\n"),                    "not SMTP: " },
		{ IN("\x15\x03\x01\x00\x02\x02\x46"),    "not SMTP: " },
		{ IN("SSH-2.0-x\r\n"),                   "not SMTP: " },
		{ IN("\r\n"),                            "not SMTP: " },
		{ IN("25\r\n"),                          "not SMTP: 25" },
		{ IN("2\n"),                             "not SMTP: 2" },
		{ IN("25 OK\r\n"),                       "not SMTP: 25 " },
		{ IN("250OK\r\n"),                       "not SMTP: 250O" },
		{ IN("2500\r\n"),                        "not SMTP: 2500" },
		{ IN("250\r \r\n"),                      "not SMTP: 250" },
		{ IN("600 x\r\n"),                       "not SMTP: 6" },
		{ IN("099 x\r\n"),                       "not SMTP: 0" },
		{ IN("2\xb2\xb2 x\r\n"),                 "not SMTP: 2." },
		{ IN("250-a\r\nx\r\n"),                  "not SMTP: x" },
		{ IN("250-a\r\n\r\n"),                   "not SMTP: " },
	};

	for (size_t i = 0; i < COUNT(bad); i++)
		for (size_t cut = 0; cut <= bad[i].input.len; cut++) {
			CLEANUP(smtp_reader) struct smtp_reader *r = smtp_reader_new(1000, 1000);
			char  *first = exactly(slice_upto(bad[i].input, cut));
			size_t used = 0;

			smtp_next(r, slice(first, cut), &used);
			free(first);
			EXPECT_ROW(used == 0, bad[i].input.at);
			EXPECT_ROW(smtp_next(r, bad[i].input, &used).kind == SMTP_BROKEN && used == 0, bad[i].input.at);
			EXPECT_ROW(strncmp(smtp_broken(r), bad[i].why, strlen("not SMTP: ")) == 0, bad[i].input.at);
			if (cut == 0)
				EXPECT_ROW(strncmp(smtp_broken(r), bad[i].why, strlen(bad[i].why)) == 0,
					bad[i].input.at);
			EXPECT(smtp_next(r, slice_str("220 x\r\n"), &used).kind == SMTP_BROKEN);
			smtp_reader_clear(r);
			EXPECT_TEXT(smtp_broken(r), "");
			EXPECT(smtp_next(r, slice_str("220 x\r\n"), &used).kind == SMTP_REPLY);
		}
}

TEST(the_peers_words_are_cut_and_printable)
{
	CLEANUP(smtp_reader) struct smtp_reader *r = smtp_reader_new(1000, 1000);
	size_t used;

	smtp_next(r, slice("x\x01\xff\0""5678901234567890123456789012345678901234567890123456789012345\r\n", 67),
		&used);
	EXPECT_TEXT(smtp_broken(r), "not SMTP: x...56789012345678901234567890123456789012345678901234567890");
	smtp_reader_clear(r);
	smtp_next(r, slice("\x15\x03\x01\x00\x02\x02\x46", 7), &used);
	EXPECT_TEXT(smtp_broken(r), "not SMTP: ......F");
}

TEST(the_limits_are_exact)
{
	static const struct { const char *input; enum smtp_kind kind; const char *why; } rows[] = {
		{ "250 567890\r\n",                SMTP_REPLY,  "" },
		{ "250 567890\n",                  SMTP_REPLY,  "" },
		{ "250 567890\r",                  SMTP_MORE,   "" },
		{ "250 5678901\r\n",               SMTP_BROKEN, "a line longer than 10 bytes" },
		{ "250 5678901\n",                 SMTP_BROKEN, "a line longer than 10 bytes" },
		{ "250 56789012",                  SMTP_BROKEN, "a line longer than 10 bytes" },
		{ "250-567890\r\n250-a\r\n250 67\r\n",   SMTP_REPLY,  "" },
		{ "250-567890\r\n250-a\r\n250 678\r\n",  SMTP_BROKEN, "a reply longer than 25 bytes" },
		{ "250-567890\r\n250-a\r\n250 6789",     SMTP_BROKEN, "a reply longer than 25 bytes" },
		{ "250-567890\r\n250-567890\r\n2\r\n",   SMTP_BROKEN, "not SMTP: 2" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		CLEANUP(smtp_reader) struct smtp_reader *r = smtp_reader_new(10, 25);
		size_t used;

		EXPECT_ROW(smtp_next(r, slice_str(rows[i].input), &used).kind == rows[i].kind, rows[i].input);
		EXPECT_TEXT(smtp_broken(r), rows[i].why);
	}
}

static struct smtp_event reply(struct smtp_reader *r, const char *text)
{
	size_t used;

	return smtp_next(r, slice_str(text), &used);
}

TEST(lines_are_numbered)
{
	CLEANUP(smtp_reader) struct smtp_reader *r = smtp_reader_new(1000, 1000);
	struct smtp_event e = reply(r, "250-mx.example.org\r\n250-\r\n250-SIZE 10\n250\r\n");

	EXPECT(same(smtp_line(&e, 0), "mx.example.org"));
	EXPECT(same(smtp_line(&e, 1), "") && smtp_line(&e, 1).at);
	EXPECT(same(smtp_line(&e, 2), "SIZE 10"));
	EXPECT(same(smtp_line(&e, 3), "") && smtp_line(&e, 3).at);
	EXPECT(!smtp_line(&e, 4).at && !smtp_line(&e, 5).at && !smtp_line(&e, (size_t)-1).at);
}

TEST(offers)
{
	static const struct { const char *ehlo, *keyword; const char *parameters; } rows[] = {
		{ "250-mx\r\n250 AUTH PLAIN LOGIN\r\n",                         "AUTH",      "PLAIN LOGIN" },
		{ "250-mx\r\n250 auth plain login\r\n",                         "AUTH",      "plain login" },
		{ "250-mx\r\n250-AUTH=LOGIN PLAIN\r\n250 SIZE\r\n",             "AUTH",      "LOGIN PLAIN" },
		{ "250-mx\r\n250-AUTH=LOGIN\r\n250-SIZE\r\n250 AUTH XOAUTH2\r\n", "AUTH",    "LOGIN XOAUTH2" },
		{ "250-mx\r\n250-AUTH\r\n250 AUTH=LOGIN\r\n",                   "AUTH",      "LOGIN" },
		{ "250-mx\r\n250 AUTH \r\n",                                    "AUTH",      "" },
		{ "250-mx\r\n250-STARTTLS\r\n250 8BITMIME\r\n",                 "starttls",  "" },
		{ "250-mx\r\n250-SIZE 35882577 \r\n250 x\r\n",                  "SIZE",      "35882577" },
		{ "250-mx\r\n250 SIZE=10\r\n",                                  "SIZE",      NULL },
		{ "250-mx\r\n250 AUTHENTICATE PLAIN\r\n",                       "AUTH",      NULL },
		{ "250-mx\r\n250 X-AUTH PLAIN\r\n",                             "AUTH",      NULL },
		{ "250-STARTTLS\r\n250 x\r\n",                                  "STARTTLS",  NULL },
		{ "250 STARTTLS\r\n",                                           "STARTTLS",  NULL },
		{ "250-mx\r\n250\r\n",                                          "STARTTLS",  NULL },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		CLEANUP(smtp_reader) struct smtp_reader *r = smtp_reader_new(1000, 1000);
		CLEANUP(arena) struct arena *arena = arena_new();
		struct smtp_event e = reply(r, rows[i].ehlo);
		struct slice      parameters = slice_str("untouched");
		bool              offered = smtp_offers(&e, rows[i].keyword, arena, &parameters);

		EXPECT_ROW(offered == (rows[i].parameters != NULL), rows[i].ehlo);
		EXPECT_ROW(same(parameters, offered ? rows[i].parameters : "untouched"), rows[i].ehlo);
	}
}
