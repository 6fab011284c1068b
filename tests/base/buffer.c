#include "base/buffer.h"

#include <stdint.h>

#include "test.h"

static bool all_zero(const char *at, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (at[i])
			return false;
	return true;
}

static bool holds(const struct buffer *b, const char *text)
{
	return slice_equal(buffer_held(b), slice_str(text));
}

TEST(an_empty_buffer)
{
	struct buffer b;
	size_t        room = 5;

	buffer_init(&b, 0);
	EXPECT(buffer_held(&b).len == 0 && buffer_held(&b).at == NULL);
	EXPECT(buffer_add(&b, slice(NULL, 0)) && !buffer_add_str(&b, "a") && !buffer_print(&b, "%s", ""));
	EXPECT(!buffer_room(&b, &room) && room == 0);
	buffer_drop(&b, 0);
	buffer_clear(&b);
	buffer_release(&b);
	buffer_release(&b);
}

TEST(the_limit)
{
	struct buffer b;

	buffer_init(&b, 8);
	EXPECT(buffer_add_str(&b, "12345678") && holds(&b, "12345678"));
	EXPECT(!buffer_add_str(&b, "9") && holds(&b, "12345678"));
	EXPECT(buffer_add_str(&b, ""));
	buffer_drop(&b, 3);
	EXPECT(!buffer_add_str(&b, "abcd") && holds(&b, "45678"));
	EXPECT(buffer_add_str(&b, "abc") && holds(&b, "45678abc"));
	/* so long that a sum would run over */
	EXPECT(!buffer_add(&b, slice("x", SIZE_MAX)) && !buffer_add(&b, slice("x", SIZE_MAX - 4)) && holds(&b, "45678abc"));
	EXPECT(b.size <= 8);
	buffer_release(&b);
}

TEST(printing_within_the_limit)
{
	struct buffer b;

	buffer_init(&b, 8);
	/* one byte for the NUL that vsnprintf() writes */
	EXPECT(!buffer_print(&b, "%d", 12345678) && b.end == 0);
	EXPECT(buffer_print(&b, "%d", 1234567) && holds(&b, "1234567"));
	EXPECT(!buffer_print(&b, "%s", "x") && holds(&b, "1234567"));
	EXPECT(buffer_add_str(&b, "x") && holds(&b, "1234567x"));
	EXPECT(!buffer_print(&b, "%s", ""));
	buffer_drop(&b, 4);
	EXPECT(buffer_print(&b, "%s-%d", "y", 7) && holds(&b, "567xy-7"));
	buffer_release(&b);
}

TEST(growth_keeps_what_is_held)
{
	struct buffer b;
	size_t        dropped = 0, added = 0;

	buffer_init(&b, 10000);
	for (int round = 0; round < 4000; round++) {
		char   piece[7];
		size_t len = (size_t)(round % 7) + (round % 3 == 0);

		for (size_t i = 0; i < len && i < sizeof piece; i++)
			piece[i] = (char)((added + i) % 251);
		len = len < sizeof piece ? len : sizeof piece;
		if (buffer_add(&b, slice(piece, len)))
			added += len;
		if (round % 5 == 4) {
			struct slice held = buffer_held(&b);

			for (size_t i = 0; i < held.len; i++)
				EXPECT((unsigned char)held.at[i] == (dropped + i) % 251);
			len = held.len < 11 ? held.len : 11;
			buffer_drop(&b, len);
			dropped += len;
		}
	}
	EXPECT(buffer_held(&b).len == added - dropped && added > 10000 && b.size <= 10000);
	buffer_release(&b);
}

TEST(a_large_one_grows_up_to_its_limit_exactly)
{
	struct buffer b;
	static char   big[100000];

	buffer_init(&b, 100000);
	EXPECT(buffer_add(&b, slice(big, 600)) && b.size == 1024);
	EXPECT(buffer_add(&b, slice(big, sizeof big - 600)) && b.size == 100000);
	EXPECT(!buffer_add(&b, slice(big, 1)));
	buffer_release(&b);
}

TEST(room)
{
	struct buffer b;
	size_t        room = 100;
	char         *at;

	buffer_init(&b, 10);
	at = buffer_room(&b, &room);
	EXPECT(at && room == 10);
	memcpy(at, "0123456", 7);
	buffer_grew(&b, 7);
	EXPECT(holds(&b, "0123456"));
	room = 2;
	EXPECT(buffer_room(&b, &room) && room == 2);
	room = 4;
	at = buffer_room(&b, &room);
	EXPECT(at && room == 3);
	memcpy(at, "789", 3);
	buffer_grew(&b, 3);
	room = 1;
	EXPECT(!buffer_room(&b, &room) && room == 0 && holds(&b, "0123456789"));
	buffer_drop(&b, 9);
	room = 100;
	EXPECT(buffer_room(&b, &room) && room == 9 && holds(&b, "9"));
	room = 0;
	EXPECT(!buffer_room(&b, &room));
	buffer_release(&b);
}

TEST(what_is_dropped_is_wiped)
{
	struct buffer b;

	buffer_init(&b, 1000);
	EXPECT(buffer_add_str(&b, "password-and-more"));
	buffer_drop(&b, 8);
	EXPECT(all_zero(b.bytes, 8) && holds(&b, "-and-more"));
	buffer_drop(&b, 9);
	EXPECT(all_zero(b.bytes, b.size) && b.start == 0 && b.end == 0);
	EXPECT(buffer_add_str(&b, "password"));
	buffer_clear(&b);
	EXPECT(all_zero(b.bytes, b.size));
	buffer_release(&b);
	EXPECT(b.bytes == NULL && b.limit == 1000);
}

/* Moving to the front must not leave a second copy behind the end. */
TEST(what_is_moved_leaves_nothing_behind)
{
	struct buffer b;
	char          filler[500];

	memset(filler, 'f', sizeof filler);
	buffer_init(&b, 512);
	EXPECT(buffer_add(&b, slice(filler, 400)) && buffer_add_str(&b, "PASSWORD"));
	buffer_drop(&b, 400);
	EXPECT(buffer_add(&b, slice(filler, 200)));        /* does not fit behind: moved */
	EXPECT(b.start == 0 && slice_starts(buffer_held(&b), "PASSWORD"));
	EXPECT(!slice_has(slice(b.bytes + 8, b.size - 8), "PASSWORD"));
	EXPECT(all_zero(b.bytes + b.end, b.size - b.end));
	buffer_release(&b);
}

TEST(printing_leaves_no_trace_behind_the_end)
{
	struct buffer b;

	buffer_init(&b, 100);
	EXPECT(buffer_add_str(&b, "PASSWORD"));
	buffer_clear(&b);
	EXPECT(!buffer_print(&b, "%200s", "PASSWORD"));
	EXPECT(all_zero(b.bytes, b.size));
	buffer_release(&b);
}
