#include "wire/smtpd.h"

#include <stdlib.h>

#include "base/buffer.h"
#include "test.h"

#define LONGEST_COMMAND 64
#define LONGEST_LINE    20

/* Exactly these bytes and no more behind them, so that the sanitizer sees a reader that looks too far. */
static char *exactly(struct slice s)
{
	char *copy = must_alloc(s.len);

	if (s.len)
		memcpy(copy, s.at, s.len);
	return copy;
}

struct heard {
	struct smtpd_reader *reader;
	struct buffer        story;      /* what was heard, as text: "EHLO[a] TEXT{…} END " */
	struct buffer        left;       /* not used yet */
	bool                 broken;
};

static const char *const verb_name[] = {
	[SMTPD_UNKNOWN] = "?", [SMTPD_TOO_LONG] = "LONG", [SMTPD_FOREIGN] = "FOREIGN", [SMTPD_EHLO] = "EHLO", [SMTPD_HELO] = "HELO",
	[SMTPD_LHLO] = "LHLO", [SMTPD_MAIL] = "MAIL", [SMTPD_RCPT] = "RCPT", [SMTPD_DATA] = "DATA", [SMTPD_BDAT] = "BDAT",
	[SMTPD_RSET] = "RSET", [SMTPD_NOOP] = "NOOP", [SMTPD_VRFY] = "VRFY", [SMTPD_EXPN] = "EXPN", [SMTPD_HELP] = "HELP",
	[SMTPD_QUIT] = "QUIT", [SMTPD_STARTTLS] = "STARTTLS", [SMTPD_AUTH] = "AUTH",
};

static void heard_open(struct heard *h)
{
	*h = (struct heard){ .reader = smtpd_reader_new(LONGEST_COMMAND, LONGEST_LINE) };
	buffer_init(&h->story, 64 * 1024);
	buffer_init(&h->left, 64 * 1024);
}

static void heard_close(struct heard *h)
{
	smtpd_reader_free(h->reader);
	buffer_release(&h->story);
	buffer_release(&h->left);
}

/* Pieces of one text are written as one, wherever they were cut. */
static void tell_text(struct buffer *story, struct slice text)
{
	struct slice held = buffer_held(story);

	if (held.len >= 2 && memcmp(held.at + held.len - 2, "} ", 2) == 0)
		story->end -= 2;
	else
		buffer_add_str(story, "{");
	buffer_add(story, text);
	buffer_add_str(story, "} ");
}

static void tell(struct heard *h, const struct smtpd_event *e)
{
	switch (e->kind) {
	case SMTPD_COMMAND:
		buffer_print(&h->story, "%s[%.*s] ", verb_name[e->verb], (int)e->args.len, e->args.at ? e->args.at : "");
		if (e->verb == SMTPD_DATA)
			smtpd_data(h->reader);
		break;
	case SMTPD_TEXT:
		tell_text(&h->story, e->text);
		break;
	case SMTPD_TEXT_END:
		buffer_print(&h->story, "%s%s ", e->last ? "END" : "CHUNK", e->long_line ? "-LONG" : "");
		break;
	case SMTPD_BROKEN:
		buffer_print(&h->story, "BROKEN(%s) ", smtpd_broken(h->reader));
		break;
	case SMTPD_MORE:
		break;
	}
}

static void hear(struct heard *h, struct slice bytes)
{
	struct smtpd_event e;

	buffer_add(&h->left, bytes);
	do {
		struct slice held = buffer_held(&h->left);
		char        *copy = exactly(held);
		size_t       used;

		e = smtpd_next(h->reader, slice(copy, held.len), &used);
		EXPECT(used <= held.len);
		if (!h->broken)
			tell(h, &e);
		h->broken = e.kind == SMTPD_BROKEN;
		free(copy);
		buffer_drop(&h->left, used);
	} while (e.kind != SMTPD_MORE && e.kind != SMTPD_BROKEN);
}

#define A10 "aaaaaaaaaa"
#define A50 A10 A10 A10 A10 A10

static const struct { const char *name; struct slice said; const char *story; } sessions[] = {
#define SAID(text) { text, sizeof text - 1 }
	{ "every command", SAID("EHLO a.example\r\nhelo b\r\nLHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\nRSET\r\nNOOP x y\r\nVRFY a\r\nEXPN b\r\nHELP\r\nSTARTTLS\r\nAUTH PLAIN\r\nQUIT\r\n"),
	  "EHLO[a.example] HELO[b] LHLO[c] MAIL[FROM:<>] RCPT[TO:<a@b>] RSET[] NOOP[x y] VRFY[a] EXPN[b] HELP[] STARTTLS[] AUTH[PLAIN] QUIT[] " },
	{ "blanks behind", SAID("QUIT \r\nNOOP  x  \r\n"), "QUIT[] NOOP[x] " },
	{ "unknown", SAID("XCLIENT a\r\n\r\n \r\nMAILFROM\r\n"), "?[a] ?[] ?[] ?[] " },
	{ "controls", SAID("NOOP\tx\r\nNOOP a\0b\r\nNOOP \x1b[2J\r\n"), "?[] ?[a] ?[\x1b[2J] " },
	{ "HTTP", SAID("POST / HTTP/1.1\r\n"), "FOREIGN[/ HTTP/1.1] " },
	{ "as long as may be", SAID("NOOP 89" A50 "1234567\r\n"), "NOOP[89" A50 "1234567] " },
	{ "one too long", SAID("NOOP 89" A50 "12345678\r\nRSET\r\n"), "LONG[] RSET[] " },
	{ "much too long", SAID("NOOP " A50 A50 A50 "\r\nRSET\r\n"), "LONG[] RSET[] " },
	{ "much too long and CRs", SAID("NOOP \r\r" A50 A50 A50 "\r\r\r\nRSET\r\n"), "LONG[] RSET[] " },
	{ "much too long with a lone LF", SAID("NOOP " A50 A50 A50 "\nRSET\r\n"), "BROKEN(a line that ends in LF alone) " },
	{ "lone LF", SAID("RSET\nNOOP\r\n"), "BROKEN(a line that ends in LF alone) " },
	{ "lone LF first", SAID("\nNOOP\r\n"), "BROKEN(a line that ends in LF alone) " },
	{ "lone CR", SAID("NOOP a\rMAIL FROM:<>\r\nNOOP\r\n"), "BROKEN(a CR that no LF follows) " },
	{ "two CR", SAID("NOOP\r\r\n"), "BROKEN(a CR that no LF follows) " },
	/* messages */
	{ "a message", SAID("DATA\r\nSubject: x\r\n\r\nbody\r\n.\r\nQUIT\r\n"), "DATA[] {Subject: x\r\n\r\nbody\r\n} END QUIT[] " },
	{ "an empty one", SAID("DATA\r\n.\r\nQUIT\r\n"), "DATA[] END QUIT[] " },
	{ "dots", SAID("DATA\r\n..\r\n...\r\n.a\r\na.\r\n..b\r\n.\r\n"), "DATA[] {.\r\n..\r\na\r\na.\r\n.b\r\n} END " },
	{ "no command inside", SAID("DATA\r\nQUIT\r\nDATA\r\n.\r\n"), "DATA[] {QUIT\r\nDATA\r\n} END " },
	/* what others took for an end, and is none */
	{ "LF . LF", SAID("DATA\r\na\n.\nMAIL\r\n.\r\n"), "DATA[] {a\n.\nMAIL\r\n} END " },
	{ "LF . CRLF", SAID("DATA\r\na\n.\r\nMAIL\r\n.\r\n"), "DATA[] {a\n.\r\nMAIL\r\n} END " },
	{ "CRLF . LF", SAID("DATA\r\na\r\n.\nMAIL\r\n.\r\n"), "DATA[] {a\r\n\nMAIL\r\n} END " },
	{ "CR . CR", SAID("DATA\r\na\r.\rMAIL\r\n.\r\n"), "DATA[] {a\r.\rMAIL\r\n} END " },
	{ "CR . CRLF", SAID("DATA\r\na\r.\r\nMAIL\r\n.\r\n"), "DATA[] {a\r.\r\nMAIL\r\n} END " },
	{ "CRLF . CR", SAID("DATA\r\na\r\n.\rMAIL\r\n.\r\n"), "DATA[] {a\r\n\rMAIL\r\n} END " },
	{ "CRLF . CR CRLF", SAID("DATA\r\na\r\n.\r\r\nMAIL\r\n.\r\n"), "DATA[] {a\r\n\r\r\nMAIL\r\n} END " },
	{ "LF CR . CRLF", SAID("DATA\r\na\n\r.\r\nMAIL\r\n.\r\n"), "DATA[] {a\n\r.\r\nMAIL\r\n} END " },
	{ "CRLF blank . CRLF", SAID("DATA\r\na\r\n .\r\nMAIL\r\n.\r\n"), "DATA[] {a\r\n .\r\nMAIL\r\n} END " },
	{ "a stuffed dot behind LF stays", SAID("DATA\r\na\n..b\r\n.\r\n"), "DATA[] {a\n..b\r\n} END " },
	{ "CR CRLF . CRLF", SAID("DATA\r\na\r\r\n.\r\nRSET\r\n"), "DATA[] {a\r\r\n} END RSET[] " },
	{ "a line as long as may be", SAID("DATA\r\n" A10 A10 "\r\nb\r\n.\r\n"), "DATA[] {" A10 A10 "\r\nb\r\n} END " },
	{ "a line too long", SAID("DATA\r\n" A10 A10 "1\r\nb\r\n.\r\nDATA\r\nb\r\n.\r\n"), "DATA[] {" A10 A10 "1\r\nb\r\n} END-LONG DATA[] {b\r\n} END " },
	{ "8 bits", SAID("DATA\r\n\xff\xc3\xa4\r\n.\r\n"), "DATA[] {\xff\xc3\xa4\r\n} END " },
	/* chunks */
	{ "one chunk", SAID("BDAT 5 LAST\r\n.\r\n.\nQUIT\r\n"), "BDAT[5 LAST] {.\r\n.\n} END QUIT[] " },
	{ "three chunks", SAID("BDAT 3\r\nab\rBDAT 2\r\n\ncbdat 0 last\r\nQUIT\r\n"), "BDAT[3] {ab\r} CHUNK BDAT[2] {\nc} CHUNK BDAT[0 last] END QUIT[] " },
	{ "a long line in a chunk", SAID("BDAT 24\r\n" A10 A10 "1234BDAT 1 LAST\r\na"), "BDAT[24] {" A10 A10 "1234} CHUNK-LONG BDAT[1 LAST] {a} END " },
	{ "chunk without size", SAID("BDAT LAST\r\n"), "BROKEN(BDAT without a size) " },
	{ "chunk with more", SAID("BDAT 1 FIRST\r\n"), "BROKEN(BDAT without a size) " },
	{ "chunk with a tab", SAID("BDAT\t1\r\n"), "BROKEN(BDAT without a size) " },
	{ "chunk without measure", SAID("BDAT 99999999999999999999\r\n"), "BROKEN(BDAT without a size) " },
	{ "chunk below nothing", SAID("BDAT -1\r\n"), "BROKEN(BDAT without a size) " },
};

static void expect_story(const struct heard *h, size_t i, size_t cut)
{
	CLEANUP(arena) struct arena *job = arena_new();
	const char *story = arena_copy(job, buffer_held(&h->story));

	if (strcmp(story, sessions[i].story) != 0)
		test_fail(__FILE__, __LINE__, "%s, cut at %zu: heard \"%s\"", sessions[i].name, cut, story);
}

TEST(sessions_are_heard_the_same_from_any_two_pieces)
{
	for (size_t i = 0; i < COUNT(sessions); i++)
		for (size_t cut = 0; cut <= sessions[i].said.len; cut++) {
			struct heard h;

			heard_open(&h);
			hear(&h, slice_upto(sessions[i].said, cut));
			hear(&h, slice_from(sessions[i].said, cut));
			expect_story(&h, i, cut);
			heard_close(&h);
		}
}

TEST(sessions_are_heard_the_same_byte_by_byte)
{
	for (size_t i = 0; i < COUNT(sessions); i++) {
		struct heard h;

		heard_open(&h);
		for (size_t at = 0; at < sessions[i].said.len; at++)
			hear(&h, slice(sessions[i].said.at + at, 1));
		expect_story(&h, i, 1);
		heard_close(&h);
	}
}

/* Whatever the length of a line that never ends, nothing of it is held. */
TEST(an_endless_command_is_not_held)
{
	struct heard h;
	char         piece[1000];

	memset(piece, 'x', sizeof piece);
	heard_open(&h);
	for (int i = 0; i < 50; i++) {
		hear(&h, slice(piece, sizeof piece));
		EXPECT(buffer_held(&h.left).len <= LONGEST_COMMAND + 1);
	}
	hear(&h, slice_str("\r\nQUIT\r\n"));
	EXPECT(slice_equal(buffer_held(&h.story), slice_str("LONG[] QUIT[] ")));
	heard_close(&h);
}

TEST(what_is_broken_stays_broken)
{
	CLEANUP(smtpd_reader) struct smtpd_reader *r = smtpd_reader_new(100, 100);
	size_t used;

	EXPECT(smtpd_next(r, slice_str("RSET\n"), &used).kind == SMTPD_BROKEN && used == 0);
	EXPECT(smtpd_next(r, slice_str("RSET\r\n"), &used).kind == SMTPD_BROKEN && used == 0);
	EXPECT_TEXT(smtpd_broken(r), "a line that ends in LF alone");
}

/* -- arguments ---------------------------------------------------------------------------------------------------- */

#define L64 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl"

TEST(mail_from)
{
	static const struct { const char *args, *refusal, *sender; unsigned long long size; bool utf8; } rows[] = {
		{ "FROM:<>", NULL, "", 0, false },
		{ "from:<ann@example.org>", NULL, "ann@example.org", 0, false },
		{ "FROM: <ann@example.org>", NULL, "ann@example.org", 0, false },
		{ "FROM:<ann@example.org> SIZE=1000 BODY=8BITMIME", NULL, "ann@example.org", 1000, false },
		{ "FROM:<ann@example.org> body=7bit  size=0", NULL, "ann@example.org", 0, false },
		{ "FROM:<@a.example,@b.example:ann@example.org>", NULL, "ann@example.org", 0, false },
		{ "FROM:<\"a b>@c\"@example.org>", NULL, "\"a b>@c\"@example.org", 0, false },
		{ "FROM:<\"a\\\">\"@example.org>", NULL, "\"a\\\">\"@example.org", 0, false },
		{ "FROM:<ann@[192.0.2.1]>", NULL, "ann@[192.0.2.1]", 0, false },
		{ "FROM:<ann@[IPv6:2001:db8::1]>", NULL, "ann@[IPv6:2001:db8::1]", 0, false },
		{ "FROM:<j\xc3\xbcrgen@example.org> SMTPUTF8", NULL, "j\xc3\xbcrgen@example.org", 0, true },
		{ "FROM:<x@b\xc3\xbc" "cher.example> SMTPUTF8", NULL, "x@xn--bcher-kva.example", 0, true },
		{ "FROM:<" L64 L64 "@example.org>", NULL, L64 L64 "@example.org", 0, false },
		{ "FROM:<a@under_score.example>", NULL, "a@under_score.example", 0, false },
		{ "FROM:<j\xc3\xbcrgen@example.org>", "553 5.6.7", NULL, 0, false },
		{ "FROM:<j\xff@example.org> SMTPUTF8", "501 5.1.7", NULL, 0, false },
		{ "FROM:<" L64 L64 L64 L64 L64 L64 L64 L64 "@example.org>", "501 5.1.7", NULL, 0, false },
		{ "FROM:<ann>", "501 5.1.7", NULL, 0, false },
		{ "FROM:<@>", "501 5.1.7", NULL, 0, false },
		{ "FROM:<a b@>", "501 5.1.7", NULL, 0, false },
		{ "FROM:ann@example.org", "501 5.5.4", NULL, 0, false },
		{ "FROM:<ann@example.org", "501 5.5.4", NULL, 0, false },
		{ "FROM:<ann@example.org>SIZE=1", "501 5.5.4", NULL, 0, false },
		{ "FROM <ann@example.org>", "501 5.5.4", NULL, 0, false },
		{ "", "501 5.5.4", NULL, 0, false },
		{ "TO:<ann@example.org>", "501 5.5.4", NULL, 0, false },
		{ "FROM:<> SIZE=x", "501 5.5.4", NULL, 0, false },
		{ "FROM:<> SIZE", "501 5.5.4", NULL, 0, false },
		{ "FROM:<> SIZE=1 SIZE=1", "501 5.5.4", NULL, 0, false },
		{ "FROM:<> SIZE=99999999999999999999", "501 5.5.4", NULL, 0, false },
		{ "FROM:<> BODY=BINARYMIME", "501 5.5.4", NULL, 0, false },
		{ "FROM:<> SMTPUTF8=1", "555 5.5.4", NULL, 0, false },
		{ "FROM:<> SMTPUTF8 SMTPUTF8", "501 5.5.4", NULL, 0, false },
		{ "FROM:<> RET=HDRS", "555 5.5.4", NULL, 0, false },
		{ "FROM:<> ENVID=QQ314159", "555 5.5.4", NULL, 0, false },
		{ "FROM:<> AUTH=<>", "555 5.5.4", NULL, 0, false },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		CLEANUP(arena) struct arena *job = arena_new();
		struct smtpd_mail mail;
		const char       *refusal = smtpd_mail(slice_str(rows[i].args), job, &mail);

		EXPECT_ROW(!refusal == !rows[i].refusal, rows[i].args);
		if (refusal) {
			EXPECT_ROW(slice_starts(slice_str(refusal), rows[i].refusal), rows[i].args);
			continue;
		}
		EXPECT_TEXT(mail.sender, rows[i].sender);
		EXPECT_ROW(mail.size == rows[i].size && mail.utf8 == rows[i].utf8, rows[i].args);
	}
}

TEST(rcpt_to)
{
	static const struct { const char *args; bool utf8; const char *refusal, *local, *domain; } rows[] = {
		{ "TO:<token@In.Example.org>", false, NULL, "token", "in.example.org" },
		{ "to: <Token+Tag@in.example.org>", false, NULL, "Token+Tag", "in.example.org" },
		{ "TO:<\"token\"@in.example.org>", false, NULL, "token", "in.example.org" },
		{ "TO:<@relay.example:token@in.example.org>", false, NULL, "token", "in.example.org" },
		{ "TO:<token@in.example.org.>", false, NULL, "token", "in.example.org" },
		{ "TO:<token@b\xc3\xbc" "cher.example>", true, NULL, "token", "xn--bcher-kva.example" },
		{ "TO:<token@[192.0.2.1]>", false, NULL, "token", "[192.0.2.1]" },
		{ "TO:<token@b\xc3\xbc" "cher.example>", false, "553 5.6.7", NULL, NULL },
		{ "TO:<>", false, "501 5.1.3", NULL, NULL },
		{ "TO:<postmaster>", false, "501 5.1.3", NULL, NULL },
		{ "TO:<a@b@c>", false, "501 5.1.3", NULL, NULL },
		{ "TO:<a b@example.org>", false, "501 5.1.3", NULL, NULL },
		{ "TO:a@example.org", false, "501 5.5.4", NULL, NULL },
		{ "TO:<a@example.org> NOTIFY=NEVER", false, "555 5.5.4", NULL, NULL },
		{ "FROM:<a@example.org>", false, "501 5.5.4", NULL, NULL },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		CLEANUP(arena) struct arena *job = arena_new();
		struct smtpd_rcpt rcpt;
		const char       *refusal = smtpd_rcpt(slice_str(rows[i].args), rows[i].utf8, job, &rcpt);

		EXPECT_ROW(!refusal == !rows[i].refusal, rows[i].args);
		if (refusal) {
			EXPECT_ROW(slice_starts(slice_str(refusal), rows[i].refusal), rows[i].args);
			continue;
		}
		EXPECT_TEXT(rcpt.local, rows[i].local);
		EXPECT_TEXT(rcpt.domain, rows[i].domain);
	}
}

TEST(names_that_fit_a_received_line)
{
	static const struct { const char *name; bool fits; } rows[] = {
		{ "mx.example.org", true }, { "[192.0.2.1]", true }, { "[IPv6:2001:db8::1]", true }, { "DESKTOP_7", true }, { "localhost", true },
		{ "", false }, { "a b", false }, { "a)b", false }, { "a\\b", false }, { "<a>", false }, { "\xc3\xbc", false },
		{ L64 L64 L64 L64, false },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		EXPECT_ROW(smtpd_name(slice_str(rows[i].name)) == rows[i].fits, rows[i].name);
}
