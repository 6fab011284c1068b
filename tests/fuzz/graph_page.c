/* Any bytes as a page of Graph, in pieces whose length the first byte gives, and whole: what comes out of it is the same, and keeps the
 * promises of graph_page.h. */
#include <assert.h>
#include <stdint.h>

#include "wire/graph.h"
#include "wire/graph_page.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void add(uint64_t *sum, struct slice text)
{
	assert(!text.at == !text.len && text.len <= GRAPH_TEXT);
	for (size_t i = 0; i < text.len; i++) {
		assert(text.at[i]);
		*sum = *sum * 1099511628211u + (unsigned char)text.at[i];
	}
	*sum = *sum * 1099511628211u + 1;
}

static void on_message(void *self, const struct graph_news *m)
{
	uint64_t *sum = self;

	assert(m->id.len && slice_find(m->id, ' ') == m->id.len && slice_find(m->id, '\n') == m->id.len);
	add(sum, m->id);
	add(sum, m->subject);
	add(sum, m->from);
	add(sum, m->internet_message_id);
	*sum = *sum * 31 + (uint64_t)m->received + m->removed;
}

/* 0: it is no page. */
static uint64_t read_by(struct slice bytes, size_t piece)
{
	uint64_t                               sum = 1;
	struct error                           err = { .fault = FAULT_NONE };
	CLEANUP(graph_page) struct graph_page *p = graph_page_new(&(struct graph_page_listener){ &sum, on_message });
	const char                            *link, *target;
	bool                                   fine = true;

	for (; fine && bytes.len; bytes = slice_from(bytes, piece))
		fine = graph_page_feed(p, slice_upto(bytes, piece), &err);
	if (!fine || !graph_page_finish(p, &err)) {
		assert(err.fault == FAULT_BROKEN || err.fault == FAULT_TOO_BIG);
		return 0;
	}
	link = graph_page_next(p) ? graph_page_next(p) : graph_page_delta(p);
	target = graph_link_target(link, "graph.microsoft.com");
	assert(graph_page_messages(p) <= GRAPH_ITEMS && !graph_page_next(p) != !graph_page_delta(p));
	assert(*link && strlen(link) < GRAPH_LINK && (!target || strncmp(target, "/v1.0/", 6) == 0));
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice bytes = slice_from(slice((const char *)data, size), 1);

	assert(read_by(bytes, bytes.len + 1) == read_by(bytes, size ? data[0] % 64 + 1u : 1));
	return 0;
}
