/* bench-readers: how fast foreign bytes are read, against a plain walk from line end to line end over the same bytes.
 *
 * Prints a line for each: name, times the walk's time, megabytes per second. The walk is the floor of every line-based
 * protocol: who takes lines must at least find where they end.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buffer.h"
#include "wire/header.h"
#include "wire/imap.h"

#define BYTES  (4u << 20)
#define ROUNDS 9

static unsigned long sum;      /* so that nothing is optimised away */

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* -- what is read ------------------------------------------------------------------------------------------------- */

static const char *const folders[] = { "INBOX", "Sent Items", "Archive/2024/Quarter 3", "Kunden/M&APw-ller", "Junk E-mail",
                                       "Projects/Birch/Invoices and reminders, older than a year", "Trash" };

static void add_list(struct buffer *to, unsigned n)
{
	static const char *const flags[] = { "\\HasNoChildren", "\\HasChildren \\UnMarked", "\\HasNoChildren \\Sent" };

	buffer_print(to, "* LIST (%s) \"/\" \"%s\"\r\n", flags[n % COUNT(flags)], folders[n % COUNT(folders)]);
}

static void add_envelope(struct buffer *to, unsigned n)
{
	buffer_print(to, "* %u FETCH (UID %u FLAGS (\\Seen) RFC822.SIZE %u ENVELOPE (\"Tue, 3 Mar 2026 09:%02u:12 +0100\" "
	            "\"=?utf-8?Q?Angebot_f=C3=BCr_%u?=\" ((\"Ann Birch\" NIL \"ann\" \"birch.example\")) NIL NIL "
	            "((NIL NIL \"bob\" \"elm.example\")) NIL NIL NIL \"<%u.17@birch.example>\"))\r\n",
	            n, n + 4000, n * 37 % 90000, n % 60, n, n);
}

static void add_flags(struct buffer *to, unsigned n)
{
	buffer_print(to, "* %u FETCH (UID %u FLAGS (\\Seen \\Answered) MODSEQ (%u))\r\n", n, n + 4000, n * 3 + 71);
}

static void add_header(struct buffer *to, unsigned n)
{
	buffer_print(to,
	            "Return-Path: <ann@birch.example>\r\n"
	            "Received: from mx1.birch.example (mx1.birch.example [203.0.113.7])\r\n"
	            "\tby mail.elm.example (Postfix) with ESMTPS id 4T%uK2x\r\n"
	            "\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits))\r\n"
	            "\tfor <bob@elm.example>; Tue,  3 Mar 2026 09:14:%02u +0100 (CET)\r\n"
	            "Authentication-Results: mail.elm.example; dkim=pass header.d=birch.example; spf=pass\r\n"
	            "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=birch.example; s=k1; t=1772525652;\r\n"
	            "\tbh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; h=From:To:Subject:Date:Message-ID;\r\n"
	            "\tb=Yf3rT0uV9kqN2m8cXwPzQ1sLhJdGaEbR7tUoIy6K5nWvCxZlMpSgHfDjAeBqOr4Ti3Uw1Yx\r\n"
	            "\t AVb0Nc7Mm6Ll5Kk4Jj3Hh2Gg1Ff0Dd9Ss8Aa7Pp6Oo5Ii4Uu3Yy2Tt1Rr0Ee9Ww8Qq==\r\n"
	            "Date: Tue, 3 Mar 2026 09:14:12 +0100\r\n"
	            "From: =?utf-8?Q?Ann_M=C3=BCller?= <ann@birch.example>\r\n"
	            "To: Bob <bob@elm.example>\r\n"
	            "Subject: =?utf-8?B?QW5nZWJvdCBmw7xyIGRpZSBXZWJzZWl0ZQ==?= %u\r\n"
	            "Message-ID: <%u.17@birch.example>\r\n"
	            "MIME-Version: 1.0\r\n"
	            "Content-Type: multipart/alternative; boundary=\"b_%u\"\r\n"
	            "\r\n", n, n % 60, n, n, n);
}

/* A header inside a response, as BODY.PEEK[HEADER] brings it. */
static void add_literal(struct buffer *to, unsigned n)
{
	struct buffer header;

	buffer_init(&header, 8192);
	add_header(&header, n);
	buffer_print(to, "* %u FETCH (UID %u BODY[HEADER] {%zu}\r\n", n, n + 4000, buffer_held(&header).len);
	buffer_add(to, buffer_held(&header));
	buffer_add_str(to, ")\r\n");
	buffer_release(&header);
}

static void add_all(struct buffer *to, unsigned n)
{
	void (*const kind[])(struct buffer *, unsigned) = { add_list, add_envelope, add_flags, add_literal };

	kind[n % COUNT(kind)](to, n);
}

/* -- who reads it ------------------------------------------------------------------------------------------------- */

static size_t walk(struct slice bytes)
{
	size_t lines = 0;

	for (const char *at = bytes.at, *end = at + bytes.len; (at = memchr(at, '\n', (size_t)(end - at))); at++)
		lines++;
	return lines;
}

static size_t read_imap(struct slice bytes)
{
	CLEANUP(imap_reader) struct imap_reader *r = imap_reader_new(128 * 1024, 64 * 1024);
	size_t            count = 0, used;
	struct imap_event e;

	for (; (e = imap_next(r, bytes, &used)).kind > IMAP_BROKEN; bytes = slice_from(bytes, used)) {
		count++;
		sum += e.text.len;
	}
	if (bytes.len) {
		fprintf(stderr, "bench-readers: %s\n", imap_broken(r));
		exit(1);
	}
	return count;
}

/* As a network brings it: what is not whole yet is looked at again with more behind it. */
static size_t read_imap_cut(struct slice bytes)
{
	CLEANUP(imap_reader) struct imap_reader *r = imap_reader_new(128 * 1024, 64 * 1024);
	size_t            count = 0, used;
	struct imap_event e = { 0 };

	for (size_t here = 0, came = 0; came < bytes.len;) {
		came = came + 1400 < bytes.len ? came + 1400 : bytes.len;
		for (; (e = imap_next(r, slice_upto(slice_from(bytes, here), came - here), &used)).kind > IMAP_BROKEN; here += used)
			count++;
	}
	return count;
}

/* Values too: what imap_look and the search for a message do with each response. */
static size_t read_values(struct slice bytes)
{
	CLEANUP(imap_reader) struct imap_reader *r = imap_reader_new(128 * 1024, 64 * 1024);
	CLEANUP(arena) struct arena *job = arena_new();
	size_t            count = 0, used;
	struct imap_event e;

	for (; (e = imap_next(r, bytes, &used)).kind > IMAP_BROKEN; bytes = slice_from(bytes, used)) {
		struct slice out, rest = e.text;

		while (imap_value(&rest, job, &out) != IMAP_END)
			count++;
	}
	return count;
}

static size_t read_header(struct slice bytes)
{
	struct header_field f;
	size_t              count = 0;

	while (bytes.len)
		while (header_next(&bytes, &f)) {
			count++;
			sum += f.body.len;
		}
	return count;
}

static size_t read_texts(struct slice bytes)
{
	size_t count = 0;

	while (bytes.len) {
		CLEANUP(arena) struct arena *job = arena_new();      /* one message, one arena */
		struct header_field f;

		while (header_next(&bytes, &f)) {
			sum += strlen(header_text(f.body, job));
			count++;
		}
	}
	return count;
}

/* -- the measuring ------------------------------------------------------------------------------------------------ */

static double once(size_t (*read)(struct slice), struct slice bytes)
{
	double began = seconds();

	sum += read(bytes);
	return seconds() - began;
}

static double least(double a, double b)
{
	return a < b ? a : b;
}

static void measure(const char *name, void (*add)(struct buffer *, unsigned), size_t (*read)(struct slice))
{
	struct buffer bytes;
	double        floor = 1e9, took = 1e9;

	buffer_init(&bytes, BYTES + 16384);
	for (unsigned n = 1; buffer_held(&bytes).len < BYTES; n++)
		add(&bytes, n);
	/* by turns, so that whatever else this machine does slows both; the best of each is what it can */
	for (int i = 0; i < ROUNDS; i++) {
		floor = least(floor, once(walk, buffer_held(&bytes)));
		took = least(took, once(read, buffer_held(&bytes)));
	}
	printf("%s\t%.2f\t%.0f\n", name, took / floor, (double)buffer_held(&bytes).len / 1e6 / took);
	buffer_release(&bytes);
}

int main(void)
{
	measure("IMAP, LIST", add_list, read_imap);
	measure("IMAP, FETCH of flags", add_flags, read_imap);
	measure("IMAP, FETCH of envelopes", add_envelope, read_imap);
	measure("IMAP, FETCH of headers (literals)", add_literal, read_imap);
	measure("IMAP, all of them", add_all, read_imap);
	measure("IMAP, all of them, 1400 bytes at a time", add_all, read_imap_cut);
	measure("IMAP, all of them, values too", add_all, read_values);
	measure("header, fields", add_header, read_header);
	measure("header, fields and their texts", add_header, read_texts);
	return sum == 0;
}
