#include "serve/inbound_mail.h"

#include <stdlib.h>

#include "test.h"

#define HEAD "From: ann@birch.example\r\nSubject: x\r\n"
#define ID   "Message-ID: <1@birch.example>\r\n"
#define BODY "\r\nbody\r\n"

TEST(which_messages_are_one)
{
	static const struct { const char *name, *one, *other, *other_workspace; bool same; } rows[] = {
		{ "byte for byte", HEAD ID BODY, HEAD ID BODY, "ws1", true },
		{ "in another workspace", HEAD ID BODY, HEAD ID BODY, "ws2", false },
		{ "another hop", HEAD ID BODY, "Received: from x\r\n\tby y\r\n" HEAD ID BODY, "ws1", true },
		{ "signed anew", "DKIM-Signature: t=1\r\n" HEAD ID BODY, "dkim-signature: t=2\r\nReturn-Path: <a@b>\r\n" HEAD ID BODY, "ws1", true },
		{ "another body", HEAD ID BODY, HEAD ID BODY "more\r\n", "ws1", false },
		{ "another Message-ID", HEAD ID BODY, HEAD "Message-ID: <2@birch.example>\r\n" BODY, "ws1", false },
		{ "another subject", HEAD ID BODY, "From: ann@birch.example\r\nSubject: y\r\n" ID BODY, "ws1", false },
		{ "a field more", HEAD ID BODY, HEAD "X-Mailmoor-Test: abc\r\n" ID BODY, "ws1", false },
		{ "a field in the body", HEAD ID BODY, HEAD ID "\r\nReceived: x\r\nbody\r\n", "ws1", false },
		{ "the same without Message-ID", HEAD BODY, HEAD BODY, "ws1", true },
		{ "another hop without Message-ID", HEAD BODY, "Received: from x\r\n" HEAD BODY, "ws1", false },
		{ "an empty Message-ID is none", HEAD "Message-ID: \r\n" BODY, "Received: x\r\n" HEAD "Message-ID: \r\n" BODY, "ws1", false },
		{ "nothing at all", "", "", "ws1", true },
		{ "a field that reads like two", "A: b\r\nC: d\r\n" ID BODY, "A: b\r\n C: d\r\n" ID BODY, "ws1", false },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		char one[INBOUND_ID + 1], other[INBOUND_ID + 1];

		inbound_mail_id(slice_str(rows[i].one), "ws1", one);
		inbound_mail_id(slice_str(rows[i].other), rows[i].other_workspace, other);
		EXPECT_ROW((strcmp(one, other) == 0) == rows[i].same, rows[i].name);
		EXPECT_ROW(strlen(one) == INBOUND_ID && strncmp(one, "msg_", 4) == 0, rows[i].name);
		EXPECT_ROW(strspn(one + 4, "abcdefghijklmnopqrstuvwxyz0123456789") == 22, rows[i].name);
	}
}

/* An id that is in somebody's store may not change with the next version: a retry would be kept twice. */
TEST(ids_are_for_good)
{
	char id[INBOUND_ID + 1];

	inbound_mail_id(slice_str(HEAD ID BODY), "ws1", id);
	EXPECT_TEXT(id, "msg_lqnqve986tc4d9zhm4do5k");
}

TEST(what_is_read_from_the_header)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct inbound_mail m = { 0 };

	inbound_mail_read(&m, slice_str("Received: a\r\nreceived: b\r\n\tc\r\nFrom: =?utf-8?Q?J=C3=BCrgen?= <j@birch.example>\r\n"
	                                "Subject: one\r\n two\r\nSubject: three\r\nMessage-Id: <1@birch.example>\r\nX-Mailmoor-Test: t0K-en_1\r\n"
	                                "\r\nReceived: d\r\n"), job);
	EXPECT(m.hops == 2);
	EXPECT_TEXT(m.from, "Jürgen <j@birch.example>");
	EXPECT_TEXT(m.subject, "one two");
	EXPECT_TEXT(m.message_id, "1@birch.example");
	EXPECT_TEXT(m.test_token, "t0K-en_1");
	inbound_mail_read(&m, slice_str("\r\nFrom: x\r\n"), job);
	EXPECT(m.hops == 0 && !m.from && !m.subject && !m.message_id && !m.test_token);
}

TEST(what_is_no_test_token)
{
	static const char *const bad[] = { "", " ", "a b", "a'b", "<a>", "\xc3\xbc",
	                                   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" };
	CLEANUP(arena) struct arena *job = arena_new();

	for (size_t i = 0; i < COUNT(bad); i++) {
		struct inbound_mail m = { 0 };

		inbound_mail_read(&m, slice_str(arena_print(job, "X-Mailmoor-Test: %s\r\n\r\n", bad[i])), job);
		EXPECT_ROW(!m.test_token, bad[i]);
	}
}

/* A subject of a megabyte is not what anybody wants in a list. */
TEST(long_fields_are_cut)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct inbound_mail m = { 0 };
	char               *text = must_alloc(1000001);

	memset(text, 'x', 1000000);
	memcpy(text, "Subject: ", 9);
	inbound_mail_read(&m, slice(text, 1000000), job);
	EXPECT(strlen(m.subject) == INBOUND_FIELD);
	free(text);
}

TEST(our_received_line_has_room_for_each_id)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct address      peer;
	struct inbound_mail m = { 0 };
	struct inbound_copy copy = { .id = "msg_abcdefghijklmnopqrstuv" };
	const char         *line;

	EXPECT(address_parse("2001:db8::1", &peer));
	line = inbound_received(job, "mx", &peer, "in.example.org", "ESMTPS", 0, &m.id_at);
	m.bytes = arena_str(job, line);
	m.len = strlen(line);
	EXPECT(slice_equal(inbound_mail_bytes(&m, &copy), slice_str("Received: from mx ([IPv6:2001:db8::1])\r\n\tby in.example.org with ESMTPS id "
	       "msg_abcdefghijklmnopqrstuv;\r\n\tThu, 01 Jan 1970 00:00:00 +0000\r\n")));
}
