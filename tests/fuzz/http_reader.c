#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "wire/http_reader.h"

/* The first byte says how the rest is cut. Cut or whole, an answer comes out alike: the same events, the same bytes of a body. */
struct heard {
	size_t   heads, interims, done, body, status;
	uint64_t sum;
	bool     broken;
};

static void note(struct heard *h, const struct http_reader *r, const struct http_event *e)
{
	h->heads += e->said == HTTP_HEAD;
	h->interims += e->said == HTTP_INTERIM;
	h->done += e->said == HTTP_DONE;
	h->broken |= e->said == HTTP_BROKEN;
	if (e->said == HTTP_HEAD)
		h->status = h->status * 31 + (size_t)r->status + r->keeps + 2 * r->encoded + e->reason.len + 7 * e->data.len;
	if (e->said == HTTP_DATA) {
		assert(e->data.len > 0);
		h->body += e->data.len;
		for (size_t i = 0; i < e->data.len; i++)
			h->sum = h->sum * 31 + (unsigned char)e->data.at[i];
	}
}

static struct heard hear(struct slice all, size_t step, bool to_head)
{
	struct http_reader r;
	struct heard       h = { 0 };
	struct http_event  e;
	size_t             done = 0, used;

	http_reader_init(&r, to_head);
	for (size_t to = step < all.len ? step : all.len; !h.broken; to = to + step < all.len ? to + step : all.len) {
		do {
			/* of its own, so that reading on is seen */
			char *held = malloc(to - done + 1);

			memcpy(held, all.at + done, to - done);
			e = http_next(&r, slice(held, to - done), &used);
			assert(used <= to - done);
			note(&h, &r, &e);
			free(held);
			done += used;
		} while (e.said != HTTP_MORE && e.said != HTTP_BROKEN);
		if (to == all.len)
			break;
	}
	e = http_ended(&r);
	note(&h, &r, &e);
	assert(!h.broken == (*http_broken(&r) == '\0'));
	assert(h.heads <= h.done + 1);
	return h;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice all;
	struct heard whole, cut;

	if (size < 2)
		return 0;
	all = slice((const char *)data + 1, size - 1);
	whole = hear(all, all.len, data[0] & 1);
	cut = hear(all, 1 + data[0] / 8, data[0] & 1);
	assert(whole.heads == cut.heads && whole.interims == cut.interims && whole.done == cut.done && whole.status == cut.status);
	assert(whole.body == cut.body && whole.sum == cut.sum && whole.broken == cut.broken);
	return 0;
}
