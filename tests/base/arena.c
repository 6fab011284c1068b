#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>

#include "test.h"

TEST(memory_is_zeroed_aligned_and_apart)
{
	CLEANUP(arena) struct arena *job = arena_new();
	unsigned char *kept[300];
	size_t         size[300];

	for (size_t i = 0; i < COUNT(kept); i++) {
		size[i] = (i * 37) % 900;
		kept[i] = arena_get(job, size[i]);
		EXPECT((uintptr_t)kept[i] % alignof(max_align_t) == 0);
		for (size_t b = 0; b < size[i]; b++)
			EXPECT(kept[i][b] == 0);
		memset(kept[i], (int)(i % 255) + 1, size[i]);
	}
	for (size_t i = 0; i < COUNT(kept); i++)
		for (size_t b = 0; b < size[i]; b++)
			EXPECT(kept[i][b] == i % 255 + 1);
}

TEST(sizes_around_a_block)
{
	CLEANUP(arena) struct arena *job = arena_new();

	for (size_t size = 3980; size < 4020; size++) {
		char *p = arena_get(job, size);

		EXPECT(p[0] == 0 && p[size - 1] == 0);
		memset(p, 'x', size);
		EXPECT(*(char *)arena_get(job, 1) == 0);
	}
	EXPECT(((char *)memset(arena_get(job, 1000000), 'x', 1000000))[999999] == 'x');
}

TEST(used_counts_what_was_handed_out)
{
	CLEANUP(arena) struct arena *job = arena_new();

	EXPECT(arena_used(job) == 0);
	arena_get(job, 0);
	EXPECT(arena_used(job) == 0);
	arena_get(job, 1);
	EXPECT(arena_used(job) >= 1 && arena_used(job) <= alignof(max_align_t));
	arena_get(job, 10000);
	EXPECT(arena_used(job) >= 10001 && arena_used(job) < 10100);
}

TEST(copies)
{
	CLEANUP(arena) struct arena *job = arena_new();

	EXPECT_TEXT(arena_copy(job, slice("abcdef", 3)), "abc");
	EXPECT_TEXT(arena_copy(job, slice(NULL, 0)), "");
	EXPECT(memcmp(arena_copy(job, slice("a\0b", 3)), "a\0b", 4) == 0);
	EXPECT_TEXT(arena_str(job, "text"), "text");
	EXPECT(arena_str(job, NULL) == NULL);
	EXPECT_TEXT(arena_print(job, "%s-%d", "a", 7), "a-7");
	EXPECT_TEXT(arena_print(job, "%s", ""), "");
	EXPECT(strlen(arena_print(job, "%9000d", 1)) == 9000);
}

TEST(a_reset_arena_is_as_a_new_one)
{
	struct arena *a = arena_new();

	arena_reset(a);
	for (int round = 0; round < 3; round++) {
		/* the first block of the first round is larger than what is kept, that of the others is not */
		for (size_t size = round ? 100 : 9000; size <= 9000; size += 1780) {
			char *p = arena_get(a, size);

			for (size_t i = 0; i < size; i++)
				EXPECT(p[i] == 0);
			memset(p, 'x', size);
		}
		arena_reset(a);
		EXPECT(arena_used(a) == 0);
	}
	arena_free(a);
}

TEST(freeing_nothing)
{
	arena_free(NULL);
	arena_free(arena_new());
}

TEST(must_functions)
{
	char *p = must_alloc(3), *q = must_copy("word");

	EXPECT(p[0] == 0 && p[1] == 0 && p[2] == 0);
	memcpy(p, "ab", 3);
	p = must_realloc(p, 5000);
	EXPECT_TEXT(p, "ab");
	EXPECT_TEXT(q, "word");
	free(p);
	free(q);
	p = must_alloc(0);
	EXPECT(p != NULL);
	free(must_realloc(p, 0));
}
