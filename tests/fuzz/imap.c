/* The first byte says where the bytes are cut, the rest is what a server says. Whole and in two pieces it must mean the
 * same; then everything is taken apart. */
#include "wire/imap.h"

#include <assert.h>

#define MOST 64

struct heard {
	size_t            count;
	struct imap_event event[MOST];
};

static void within(struct slice part, struct slice whole)
{
	assert(part.len == 0 || (part.at >= whole.at && part.at + part.len <= whole.at + whole.len));
}

static void take_values(struct slice text, struct arena *arena)
{
	struct slice out, rest = text;

	for (;;)
		switch (imap_value(&rest, arena, &out)) {
		case IMAP_END:
			return;
		case IMAP_JUNK:
			assert(rest.len == 0);
			break;
		default:
			within(rest, text);
			imap_utf7_decode(out, arena);
		}
}

static void take_apart(const struct imap_event *e, struct slice bytes)
{
	CLEANUP(arena) struct arena *arena = arena_new();
	struct imap_mailbox box;
	const char         *name;

	within(e->line, bytes);
	within(e->tag, e->line);
	within(e->word, e->line);
	within(e->code, e->line);
	within(e->text, e->line);
	assert(e->kind == IMAP_CONTINUE || e->word.len);
	assert((e->kind == IMAP_TAGGED) == (e->tag.len > 0));
	take_values(e->text, arena);
	within(imap_code_word(e->code), e->line);
	within(imap_code_rest(e->code), e->line);
	imap_list_has(e->text, "AUTH=PLAIN");
	if (!imap_mailbox(e->text, arena, &box))
		return;
	name = imap_quoted(arena, arena_copy(arena, box.name));
	if (name) {
		struct slice back = slice_str(name), out;

		assert(imap_value(&back, arena, &out) == IMAP_STRING && slice_equal(out, box.name) && back.len == 0);
	}
}

/* All responses in the first `len` bytes, from where the last call stopped. */
static size_t hear(struct imap_reader *r, struct slice bytes, size_t from, struct heard *heard)
{
	struct imap_event e;
	size_t            used;

	while (heard->count < MOST && (e = imap_next(r, slice_from(bytes, from), &used)).kind > IMAP_BROKEN) {
		assert(used > 0 && used <= bytes.len - from);
		heard->event[heard->count++] = e;
		from += used;
	}
	return from;
}

static bool same(const struct imap_event *a, const struct imap_event *b)
{
	return a->kind == b->kind && a->number == b->number && slice_equal(a->tag, b->tag) && slice_equal(a->word,
		b->word)
	    && slice_equal(a->code, b->code) && slice_equal(a->text, b->text) && slice_equal(a->line, b->line);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	CLEANUP(imap_reader) struct imap_reader *at_once = imap_reader_new(300, 100);
	CLEANUP(imap_reader) struct imap_reader *in_two = imap_reader_new(300, 100);
	struct heard whole = { 0 }, pieces = { 0 };
	struct slice bytes;
	size_t       end, end_in_two;

	if (size < 2)
		return 0;
	bytes = slice((const char *)data + 1, size - 1);
	end = hear(at_once, bytes, 0, &whole);
	end_in_two = hear(in_two, slice_upto(bytes, data[0]), 0, &pieces);
	end_in_two = hear(in_two, bytes, end_in_two, &pieces);
	assert(end == end_in_two && whole.count == pieces.count);
	assert(!*imap_broken(at_once) == !*imap_broken(in_two));
	for (size_t i = 0; i < whole.count; i++) {
		assert(same(&whole.event[i], &pieces.event[i]));
		take_apart(&whole.event[i], bytes);
	}
	return 0;
}
