#include "wire/http_reader.h"

#include <stdlib.h>

#include "test.h"

/* What was told, as one text: "401 Unauthorized|body|." for HEAD, DATA and DONE; "(100)" an interim one, "!" broken. Pieces of one
 * body are told as one. */
struct told {
	char               text[1024];
	struct http_reader r;
};

static void tell(struct told *t, const struct http_event *e)
{
	size_t at = strlen(t->text), room = sizeof t->text - at;

	switch (e->said) {
	case HTTP_INTERIM:
		snprintf(t->text + at, room, "(%d)", t->r.status);
		break;
	case HTTP_HEAD:
		snprintf(t->text + at, room, "%d %.*s%s%s|", t->r.status, (int)e->reason.len, e->reason.at, t->r.keeps ? "" : " close",
			t->r.encoded ? " encoded" : "");
		break;
	case HTTP_DATA:
		snprintf(t->text + at, room, "%.*s", (int)e->data.len, e->data.at);
		break;
	case HTTP_DONE:
		snprintf(t->text + at, room, "|.");
		break;
	case HTTP_BROKEN:
		snprintf(t->text + at, room, "!");
		break;
	case HTTP_MORE:
		break;
	}
}

/* Everything that can be taken out of what has come so far. The bytes are in a block of their own, so that a sanitizer sees who reads on. */
static bool drain(struct told *t, const char *bytes, size_t len, size_t *done)
{
	for (;;) {
		size_t             held = len - *done, used;
		char              *copy = malloc(held ? held : 1);
		struct http_event  e;

		memcpy(copy, bytes + *done, held);
		e = http_next(&t->r, slice(copy, held), &used);
		EXPECT(used <= held);
		tell(t, &e);
		free(copy);
		*done += used;
		if (e.said == HTTP_BROKEN)
			return false;
		if (e.said == HTTP_MORE)
			return true;
	}
}

/* The bytes in two pieces, or byte by byte (cut == SIZE_MAX), then the end of the line. */
static void listen_to(struct told *t, const char *bytes, size_t len, size_t cut, bool to_head)
{
	struct http_event e;
	size_t            done = 0;
	bool              fine = true;

	*t = (struct told){ 0 };
	http_reader_init(&t->r, to_head);
	for (size_t to = cut == SIZE_MAX ? 1 : cut; fine && to < len; to = cut == SIZE_MAX ? to + 1 : len)
		fine = drain(t, bytes, to, &done);
	fine = fine && drain(t, bytes, len, &done);
	if (fine && done < len) {
		/* held until the end, which never came */
		e = http_ended(&t->r);
		EXPECT(e.said == HTTP_BROKEN);
		tell(t, &e);
	} else if (fine) {
		e = http_ended(&t->r);
		if (e.said == HTTP_BROKEN || t->text[0] == '\0' || t->text[strlen(t->text) - 1] != '.')
			tell(t, &e);
	}
	EXPECT((http_broken(&t->r)[0] != '\0') == (strchr(t->text, '!') != NULL));
}

static const struct row { const char *answer, *told; bool to_head; } rows[] = {
	{ "", "|.", false },
	/* bodies with a length */
	{ "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "200 OK|hello|.", false },
	{ "HTTP/1.1 200 OK\nContent-Length: 5\n\nhello", "200 OK|hello|.", false },
	{ "HTTP/1.1 200 OK\r\nContent-Length:5\n\r\nhello", "200 OK|hello|.", false },
	{ "HTTP/1.1 200 OK\r\ncontent-LENGTH:  5  \r\n\r\nhello", "200 OK|hello|.", false },
	{ "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", "401 Unauthorized||.", false },
	{ "HTTP/1.1 200\r\nContent-Length: 1\r\n\r\nx", "200 |x|.", false },
	{ "HTTP/1.1 200 \r\nContent-Length: 1\r\n\r\nx", "200 |x|.", false },
	{ "HTTP/1.1 456 Visit http://x/?a b\r\nContent-Length: 0\r\n\r\n", "456 Visit http://x/?a b||.", false },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello", "200 OK|hello|.", false },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello", "200 OK|hello|.", false },
	/* two answers on one line */
	{ "HTTP/1.1 401 No\r\nContent-Length: 2\r\n\r\nnoHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes", "401 No|no|.200 OK|yes|.", false },
	/* may the line be used again? */
	{ "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx", "200 OK close|x|.", false },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: Foo, CLOSE\r\n\r\nx", "200 OK close|x|.", false },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: keep-alive\r\nConnection: close\r\n\r\nx", "200 OK close|x|.", false },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: enclosed\r\n\r\nx", "200 OK|x|.", false },
	{ "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", "200 OK close|x|.", false },
	{ "HTTP/1.0 200 OK\r\nContent-Length: 1\r\nConnection: Keep-Alive\r\n\r\nx", "200 OK|x|.", false },
	/* to the end of the line */
	{ "HTTP/1.1 200 OK\r\nServer: x\r\n\r\nall of it", "200 OK close|all of it|.", false },
	{ "HTTP/1.0 200 OK\r\n\r\n", "200 OK close||.", false },
	{ "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\nx", "200 OK close|x|.", false },
	/* without a body */
	{ "HTTP/1.1 204 None\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", "204 None||.200 OK|x|.", false },
	{ "HTTP/1.1 204 None\r\nContent-Length: 0\r\n\r\n", "204 None||.", false },
	{ "HTTP/1.1 204 None\r\nContent-Length: 5\r\n\r\n", "204 None close||.", false },
	{ "HTTP/1.1 204 None\r\nTransfer-Encoding: chunked\r\n\r\n", "204 None close||.", false },
	{ "HTTP/1.1 304 Same\r\nContent-Length: 500\r\n\r\n", "304 Same||.", false },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", "200 OK||.", true },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "200 OK||.", true },
	{ "HTTP/1.1 200 OK\r\n\r\n", "200 OK||.", true },
	/* interim answers */
	{ "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", "(100)200 OK|x|.", false },
	{ "HTTP/1.1 100\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "(100)(103)200 OK||.", false },
	{ "HTTP/1.1 100 Continue\r\n\r\n", "(100)!", false },
	{ "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n", "!", false },
	/* chunks */
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n,\r\n0\r\n\r\n", "200 OK|hello,|.", false },
	{ "HTTP/1.1 200 OK\nTransfer-Encoding: Chunked\n\n5\nhello\n0\n\n", "200 OK|hello|.", false },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0000A;x=\"1;2\";y\r\n0123456789\r\n0 ; last\r\n\r\n", "200 OK|0123456789|.", false },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2   \r\nab\r\n00\r\n\r\n", "200 OK|ab|.", false },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nA: b\r\n c\r\nContent-Length: 7\r\n\r\nHTTP/1.1 204 N\r\n\r\n",
		"200 OK|x|.204 N||.", false },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n", "200 OK close||.", false },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7fffffffffffffff\r\nabc", "200 OK|abc!", false },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8000000000000000\r\nabc", "200 OK|!", false },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000005\r\nhello\r\n0\r\n\r\n", "200 OK|!", false },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nhello", "200 OK|!", false },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n+5\r\nhello", "200 OK|!", false },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\nhello", "200 OK|!", false },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n 5\r\nhello", "200 OK|!", false },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5 5\r\nhello", "200 OK|!", false },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n", "200 OK|!", false },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a\rb\r\nhello", "200 OK|!", false },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello!\r\n", "200 OK|hello!", false },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\r\n", "200 OK|hello!", false },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nno field\r\n\r\n", "200 OK|!", false },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA : b\r\n\r\n", "200 OK|!", false },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: b\rc\r\n\r\n", "200 OK|!", false },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", "200 OK|!", false },
	/* read in two ways */
	{ "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", "!", false },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\nhello", "!", false },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 5,\r\n\r\nhello", "!", false },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "!", false },
	{ "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello", "!", false },
	{ "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello", "!", false },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 0x5\r\n\r\nhello", "!", false },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 5 5\r\n\r\nhello", "!", false },
	{ "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\nhello", "!", false },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551621\r\n\r\nhello", "!", false },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775808\r\n\r\nhello", "!", false },
	{ "HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\nhello", "!", false },
	{ "HTTP/1.1 200 OK\r\n Content-Length: 5\r\n\r\nhello", "!", false },
	{ "HTTP/1.1 200 OK\r\nContent-Length:\r\n 5\r\n\r\nhello", "!", false },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", "!", false },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "!", false },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", "!", false },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "!", false },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\nx", "!", false },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", "!", false },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\n\r\n0\r\n\r\n", "!", false },
	{ "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "!", false },
	{ "HTTP/1.1 200 OK\r\nX: y\rContent-Length: 5\r\n\r\nhello", "!", false },
	{ "HTTP/1.1 200 OK\r\nX: y\r\r\n\r\n", "!", false },
	{ "HTTP/1.1 200 OK\r\nX\r\n\r\n", "!", false },
	{ "HTTP/1.1 200 OK\r\n: y\r\n\r\n", "!", false },
	{ "HTTP/1.1 200 OK\r\nX Y: z\r\n\r\n", "!", false },
	{ "HTTP/1.1 200 O\rK\r\n\r\n", "!", false },
	/* folded where it does no harm */
	{ "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic\r\n\trealm=\"x\"\r\nContent-Length: 1\r\n\r\nx", "401 No|x|.", false },
	{ "HTTP/1.1 401 No\r\nX:\r\n \r\n Content-Length: 5\r\nContent-Length: 1\r\n\r\nx", "401 No|x|.", false },
	/* encoded */
	{ "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Encoding: gzip\r\n\r\nx", "200 OK encoded|x|.", false },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Encoding: identity\r\n\r\nx", "200 OK|x|.", false },
	/* no HTTP/1.x */
	{ "HTTP/2 200\r\n\r\n", "!", false },
	{ "HTTP/1.1  200 OK\r\n\r\n", "!", false },
	{ "HTTP/1.1 20 OK\r\n\r\n", "!", false },
	{ "HTTP/1.1 2000 OK\r\n\r\n", "!", false },
	{ "HTTP/1.1 099 OK\r\n\r\n", "!", false },
	{ "HTTP/1.x 200 OK\r\n\r\n", "!", false },
	{ "http/1.1 200 OK\r\n\r\n", "!", false },
	{ "\r\nHTTP/1.1 200 OK\r\n\r\n", "!", false },
	{ "<html>", "!", false },
	{ "220 mail.example.org ESMTP\r\n", "!", false },
};

TEST(answers_come_out_alike_however_they_are_cut)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t      len = strlen(rows[i].answer);
		struct told t;

		for (size_t cut = 0; cut <= len; cut++) {
			listen_to(&t, rows[i].answer, len, cut, rows[i].to_head);
			if (strcmp(t.text, rows[i].told) != 0)
				test_fail(__FILE__, __LINE__, "%s, cut at %zu: %s", rows[i].answer, cut, t.text);
		}
		listen_to(&t, rows[i].answer, len, SIZE_MAX, rows[i].to_head);
		EXPECT_TEXT(t.text, rows[i].told);
	}
}

/* Only a body that goes to the end of the line may be cut short without being noticed. */
TEST(a_line_that_ends_too_early_is_noticed)
{
	static const char *const whole[] = {
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x\r\nhello\r\n0\r\nA: b\r\n\r\n",
		"HTTP/1.1 100 Go on\r\n\r\nHTTP/1.1 200 OK\nContent-Length: 1\n\nx",
	};

	for (size_t i = 0; i < COUNT(whole); i++)
		for (size_t len = 0; len <= strlen(whole[i]); len++) {
			bool        fine = len == 0 || len == strlen(whole[i]);
			struct told t;

			listen_to(&t, whole[i], len, 0, false);
			if ((strchr(t.text, '!') == NULL) != fine)
				test_fail(__FILE__, __LINE__, "%.*s: %s", (int)len, whole[i], t.text);
		}
}

TEST(a_nul_is_no_text)
{
	static const char status[] = "HTTP/1.1 200 O\0K\r\n\r\n", field[] = "HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n",
		name[] = "HTTP/1.1 200 OK\r\nX\0: b\r\n\r\n", chunk[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;\0\r\nx\r\n";
	struct told t;

	listen_to(&t, status, sizeof status - 1, 0, false);
	EXPECT_TEXT(t.text, "!");
	listen_to(&t, field, sizeof field - 1, 0, false);
	EXPECT_TEXT(t.text, "!");
	listen_to(&t, name, sizeof name - 1, 0, false);
	EXPECT_TEXT(t.text, "!");
	listen_to(&t, chunk, sizeof chunk - 1, 0, false);
	EXPECT_TEXT(t.text, "200 OK|!");
}

/* -- limits ------------------------------------------------------------------------------------------------------- */

/* `before`, that many `x`, `behind`: to be freed. */
static char *stretched(const char *before, size_t xs, const char *behind, size_t *len)
{
	char *bytes = must_alloc(strlen(before) + xs + strlen(behind) + 1);

	strcpy(bytes, before);
	memset(bytes + strlen(before), 'x', xs);
	strcpy(bytes + strlen(before) + xs, behind);
	*len = strlen(bytes);
	return bytes;
}

TEST(limits_hold_to_the_byte)
{
	static const char head[] = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nX: ", chunked[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
	static const struct { const char *row, *before, *behind; size_t most, counted_from; const char *fine, *too_much; } limits[] = {
		{ "head",     head, "\r\n\r\n", HTTP_READER_HEAD, 0, "200 OK|y|.", "!" },
		{ "chunk",    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", "\r\n", HTTP_READER_LINE, sizeof chunked - 1,
			"200 OK|y|.", "200 OK|!" },
		{ "trailers", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: ", "\r\n\r\n", HTTP_READER_HEAD, sizeof chunked - 1 + 3,
			"200 OK||.", "200 OK|!" },
	};
	static const char *const rest[] = { "y", "y\r\n0\r\n\r\n", "" };

	for (size_t i = 0; i < COUNT(limits); i++)
		for (size_t over = 0; over < 2; over++) {
			size_t      xs = limits[i].most - (strlen(limits[i].before) - limits[i].counted_from) - strlen(limits[i].behind) + over, len;
			char        behind[64], *bytes;
			struct told t;

			snprintf(behind, sizeof behind, "%s%s", limits[i].behind, rest[i]);
			bytes = stretched(limits[i].before, xs, behind, &len);
			for (size_t cut = len - 12; cut <= len; cut++) {
				listen_to(&t, bytes, len, cut, false);
				EXPECT_ROW(strcmp(t.text, over ? limits[i].too_much : limits[i].fine) == 0, limits[i].row);
			}
			free(bytes);
		}
}

/* What would grow without end is refused before its end has come. */
TEST(nobody_waits_for_the_end_of_what_is_too_long)
{
	static const char *const begun[] = { "HTTP/1.1 200 ", "HTTP/1.1 200 OK\r\nX: ", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: " };

	for (size_t i = 0; i < COUNT(begun); i++) {
		size_t             len, used, done = 0;
		char              *bytes = stretched(begun[i], HTTP_READER_HEAD, "", &len);
		struct http_reader r;
		struct http_event  e;

		http_reader_init(&r, false);
		do {
			e = http_next(&r, slice(bytes + done, len - done), &used);
			done += used;
		} while (e.said == HTTP_HEAD);
		EXPECT_ROW(e.said == HTTP_BROKEN && *http_broken(&r), begun[i]);
		e = http_next(&r, slice_str("HTTP/1.1 200 OK\r\n\r\n"), &used);
		EXPECT_ROW(e.said == HTTP_BROKEN && used == 0 && http_ended(&r).said == HTTP_BROKEN, begun[i]);
		free(bytes);
	}
}

TEST(interim_answers_end)
{
	struct http_reader r;
	size_t             used;
	int                n = 0;

	http_reader_init(&r, false);
	while (http_next(&r, slice_str("HTTP/1.1 100 Wait\r\n\r\n"), &used).said == HTTP_INTERIM)
		n++;
	EXPECT(n == HTTP_READER_INTERIM);
}

/* The fields as the event gives them, for those who look further. */
TEST(fields_are_handed_on_as_they_stand)
{
	static const char answer[] = "HTTP/1.1 401 No\r\nServer: x\r\nWWW-Authenticate: NTLM\nContent-Length: 0\r\n\r\n";
	struct http_reader r;
	struct http_event  e;
	size_t             used;

	http_reader_init(&r, false);
	e = http_next(&r, slice_str(answer), &used);
	EXPECT(e.said == HTTP_HEAD && used == strlen(answer) && r.status == 401 && r.keeps);
	EXPECT(slice_equal(e.data, slice_str("Server: x\r\nWWW-Authenticate: NTLM\nContent-Length: 0\r\n")));
	EXPECT(slice_equal(e.reason, slice_str("No")));
	EXPECT(e.data.at > answer && e.data.at < answer + sizeof answer);
}
