#include "base/arena.h"

#include <stdio.h>
#include <stdlib.h>
#include <stdalign.h>

#define BLOCK 4000     /* with malloc's own head a page; most jobs stay within two or three */

struct block {
	struct block *next;
	size_t        size, used;
	alignas(max_align_t) char bytes[];
};

struct arena {
	struct block *blocks;
	size_t        used;
};

static void *no_memory(void)
{
	fputs("mailmoor: out of memory\n", stderr);
	exit(70);
}

void *must_alloc(size_t size)
{
	void *p = calloc(1, size ? size : 1);

	return p ? p : no_memory();
}

void *must_realloc(void *old, size_t size)
{
	void *p = realloc(old, size ? size : 1);

	return p ? p : no_memory();
}

char *must_copy(const char *text)
{
	size_t size = strlen(text) + 1;

	return memcpy(must_alloc(size), text, size);
}

struct arena *arena_new(void)
{
	return must_alloc(sizeof(struct arena));
}

static struct block *block_free(struct block *b)
{
	struct block *next = b->next;

	explicit_bzero(b->bytes, b->used);
	free(b);
	return next;
}

void arena_free(struct arena *a)
{
	if (!a)
		return;
	while (a->blocks)
		a->blocks = block_free(a->blocks);
	free(a);
}

void arena_reset(struct arena *a)
{
	while (a->blocks && (a->blocks->next || a->blocks->size > BLOCK))
		a->blocks = block_free(a->blocks);
	if (a->blocks) {
		explicit_bzero(a->blocks->bytes, a->blocks->used);
		a->blocks->used = 0;
	}
	a->used = 0;
}

void *arena_get(struct arena *a, size_t size)
{
	size_t        need = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	struct block *b = a->blocks;
	void         *p;

	if (!b || b->size - b->used < need) {
		size_t room = need > BLOCK ? need : BLOCK;

		b = must_alloc(sizeof *b + room);
		b->size = room;
		b->next = a->blocks;
		a->blocks = b;
	}
	p = b->bytes + b->used;
	b->used += need;
	a->used += need;
	return p;
}

char *arena_copy(struct arena *a, struct slice s)
{
	char *p = arena_get(a, s.len + 1);

	if (s.len)
		memcpy(p, s.at, s.len);
	return p;
}

char *arena_str(struct arena *a, const char *text)
{
	return text ? arena_copy(a, slice_str(text)) : NULL;
}

char *arena_vprint(struct arena *a, const char *fmt, va_list args)
{
	va_list again;
	int     len;
	char   *p;

	va_copy(again, args);
	len = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (len < 0)
		len = 0;
	p = arena_get(a, (size_t)len + 1);
	vsnprintf(p, (size_t)len + 1, fmt, args);
	return p;
}

char *arena_print(struct arena *a, const char *fmt, ...)
{
	va_list args;
	char   *p;

	va_start(args, fmt);
	p = arena_vprint(a, fmt, args);
	va_end(args);
	return p;
}

size_t arena_used(const struct arena *a)
{
	return a->used;
}
