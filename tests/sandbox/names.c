#include "sandbox/names.h"

#include <stdlib.h>

#include "test.h"

static const char query[] = "\x12\x67\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x04mail\x07" "contoso\x07" "example\x00\x00\x01\x00\x01";

static struct names *made(void)
{
	struct names *n = names_new();

	names_add(n, "mail.contoso.example", RECORD_A, "127.0.0.1", 0, 0);
	names_add(n, "owa.contoso.example", RECORD_CNAME, "mail.contoso.example", 0, 0);
	names_add(n, "contoso.example", RECORD_MX, "mail.contoso.example", 10, 0);
	return n;
}

static struct slice asked(struct arena *arena, const char *first, unsigned char type)
{
	char *copy = arena_copy(arena, slice(query, sizeof query - 1));

	copy[sizeof query - 1 - 3] = (char)type;
	memcpy(copy + 13, first, 4);
	return slice(copy, sizeof query - 1);
}

TEST(an_address_is_told)
{
	struct names *n = made();
	unsigned char out[512];
	size_t        len = names_answer(n, slice(query, sizeof query - 1), 512, out, sizeof out);

	EXPECT(len > sizeof query && memcmp(out, "\x12\x67\x85\x80\x00\x01\x00\x01\x00\x00\x00\x00", 12) == 0);
	EXPECT(memcmp(out + len - 4, "\x7f\0\0\1", 4) == 0);
	names_free(n);
}

TEST(names_that_are_not_there)
{
	CLEANUP(arena) struct arena *arena = arena_new();
	struct names *n = made();
	unsigned char out[512];

	EXPECT(names_answer(n, asked(arena, "nail", 1), 512, out, sizeof out) == sizeof query - 1 && (out[3] & 15) == 3 && out[7] == 0);
	EXPECT(names_answer(n, asked(arena, "mail", 28), 512, out, sizeof out) == sizeof query - 1 && (out[3] & 15) == 0 && out[7] == 0);
	names_special(n, "fail.contoso.example", NAMES_FAILS);
	names_special(n, "mute.contoso.example", NAMES_SILENT);
	EXPECT(names_answer(n, asked(arena, "fail", 1), 512, out, sizeof out) && (out[3] & 15) == 2);
	EXPECT(names_answer(n, asked(arena, "mute", 1), 512, out, sizeof out) == 0);
	names_free(n);
}

TEST(a_query_cut_at_every_byte_has_no_answer)
{
	struct names *n = made();
	unsigned char out[512];

	for (size_t len = 0; len < sizeof query - 1; len++) {
		char *copy = must_alloc(len ? len : 1);

		memcpy(copy, query, len);
		EXPECT(names_answer(n, slice(copy, len), 512, out, sizeof out) == 0);
		free(copy);
	}
	names_free(n);
}

TEST(what_is_no_query_has_no_answer)
{
	CLEANUP(arena) struct arena *arena = arena_new();
	struct names *n = made();
	unsigned char out[512];
	char         *copy = arena_copy(arena, slice(query, sizeof query - 1));

	copy[2] |= '\x80';      /* a reply */
	EXPECT(names_answer(n, slice(copy, sizeof query - 1), 512, out, sizeof out) == 0);
	copy = arena_copy(arena, slice(query, sizeof query - 1));
	copy[5] = 2;            /* two questions */
	EXPECT(names_answer(n, slice(copy, sizeof query - 1), 512, out, sizeof out) == 0);
	copy = arena_copy(arena, slice(query, sizeof query - 1));
	copy[12] = '\xc0';      /* a pointer */
	EXPECT(names_answer(n, slice(copy, sizeof query - 1), 512, out, sizeof out) == 0);
	names_free(n);
}

TEST(what_does_not_fit_is_cut_and_says_so)
{
	struct names *n = names_new();
	unsigned char out[2048];
	size_t        len;

	for (int i = 0; i < 40; i++)
		names_add(n, "mail.contoso.example", RECORD_A, "127.0.0.1", 0, 0);
	len = names_answer(n, slice(query, sizeof query - 1), 512, out, sizeof out);
	EXPECT(len == sizeof query - 1 && (out[2] & 2) && out[7] == 0);
	len = names_answer(n, slice(query, sizeof query - 1), 2048, out, sizeof out);
	EXPECT(len > 512 && !(out[2] & 2) && out[7] == 40);
	names_free(n);
}
