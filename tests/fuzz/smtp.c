/* The first byte says where the bytes are cut, the rest is what a server says. Whole and in two pieces it must mean the
 * same; then everything is taken apart. */
#include "wire/smtp.h"

#include <assert.h>

#define MOST 64

struct heard {
	size_t            count;
	struct smtp_event event[MOST];
};

static void take_apart(const struct smtp_event *e)
{
	static const char *const keywords[] = { "AUTH", "STARTTLS", "SIZE", "" };
	CLEANUP(arena) struct arena *arena = arena_new();
	struct slice parameters;
	size_t       n = 0;

	assert(e->code >= 100 && e->code <= 599 && e->line_count > 0);
	assert(!e->enhanced[0] || e->enhanced[0] == '0' + e->code / 100);
	assert(strlen(smtp_text(e, arena, true)) <= strlen(smtp_text(e, arena, false)));
	while (smtp_line(e, n).at)
		n++;
	assert(n == e->line_count);
	for (size_t i = 0; i < COUNT(keywords); i++)
		if (smtp_offers(e, keywords[i], arena, &parameters))
			assert(parameters.len <= e->lines.len);
}

static size_t hear(struct smtp_reader *r, struct slice bytes, size_t from, struct heard *heard)
{
	struct smtp_event e;
	size_t            used;

	while (heard->count < MOST && (e = smtp_next(r, slice_from(bytes, from), &used)).kind == SMTP_REPLY) {
		assert(used > 0 && used <= bytes.len - from);
		heard->event[heard->count++] = e;
		from += used;
	}
	return from;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	CLEANUP(smtp_reader) struct smtp_reader *at_once = smtp_reader_new(80, 300);
	CLEANUP(smtp_reader) struct smtp_reader *in_two = smtp_reader_new(80, 300);
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
	assert(!*smtp_broken(at_once) == !*smtp_broken(in_two));
	for (size_t i = 0; i < whole.count; i++) {
		assert(slice_equal(whole.event[i].lines, pieces.event[i].lines));
		assert(whole.event[i].code == pieces.event[i].code);
		assert(strcmp(whole.event[i].enhanced, pieces.event[i].enhanced) == 0);
		take_apart(&whole.event[i]);
	}
	return 0;
}
