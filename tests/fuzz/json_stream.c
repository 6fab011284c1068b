/* Any bytes as JSON, in pieces whose length the first byte gives, and whole: the same is told, and no less than cJSON takes is refused. */
#include <assert.h>
#include <stdint.h>

#include "base/json.h"
#include "wire/json_stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A sum over all that was told, in its order; texts count by their bytes, however they are cut. */
struct sum {
	uint64_t all;
	unsigned depth, deepest;
	bool     in_text, beyond;      /* what cJSON refuses */
};

static void add(struct sum *s, unsigned kind, struct slice bytes)
{
	s->all = s->all * 1099511628211u + kind;
	for (size_t i = 0; i < bytes.len; i++) {
		s->all = s->all * 1099511628211u + (unsigned char)bytes.at[i];
		s->beyond |= bytes.at[i] == '\0';
	}
}

static void on_begin(void *self, bool array)
{
	struct sum *s = self;

	assert(!s->in_text);
	add(s, 1 + array, slice(NULL, 0));
	s->deepest = ++s->depth > s->deepest ? s->depth : s->deepest;
}

static void on_end(void *self)
{
	struct sum *s = self;

	assert(!s->in_text && s->depth);
	s->depth--;
	add(s, 3, slice(NULL, 0));
}

static void on_name(void *self, struct slice name)
{
	struct sum *s = self;

	assert(!s->in_text && s->depth && name.len <= JSON_LONGEST_NAME);
	add(s, 4, name);
	s->beyond |= slice_has(name, "\xef\xbf\xbd");
}

static void on_text(void *self, struct slice piece, bool last)
{
	struct sum *s = self;

	assert(piece.len || last);
	if (!s->in_text)
		add(s, 5, slice(NULL, 0));
	for (size_t i = 0; i < piece.len; i++) {
		s->all = s->all * 1099511628211u + (unsigned char)piece.at[i];
		s->beyond |= piece.at[i] == '\0' || piece.at[i] == '\xef';
	}
	s->in_text = !last;
	if (last)
		add(s, 6, slice(NULL, 0));
}

static void on_word(void *self, enum json_word word, struct slice text)
{
	struct sum *s = self;

	assert(!s->in_text && text.len && text.len <= JSON_LONGEST_NAME);
	add(s, 7 + word, text);
	s->beyond |= text.len > 60;
}

static enum json_state read_by(struct slice bytes, size_t piece, struct sum *s)
{
	const struct json_listener listener = { s, on_begin, on_end, on_name, on_text, on_word };
	struct json_stream         r;

	*s = (struct sum){ .all = 1 };
	json_stream_init(&r, &listener);
	while (bytes.len && json_feed(&r, slice_upto(bytes, piece)))
		bytes = slice_from(bytes, piece);
	json_finish(&r);
	assert(r.state != JSON_GOES_ON || (s->depth == 0 && s->deepest <= JSON_STREAM_DEEPEST));
	return r.state;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice    bytes = slice_from(slice((const char *)data, size), 1);
	struct sum      pieces, whole;
	struct error    err = { .fault = FAULT_NONE };
	enum json_state state = read_by(bytes, bytes.len + 1, &whole), other = read_by(bytes, size ? data[0] % 64 + 1u : 1, &pieces);
	cJSON          *json;

	assert(state == other && (state != JSON_GOES_ON || whole.all == pieces.all));
	if (state == JSON_GOES_ON && !whole.beyond) {
		json = json_read(bytes, bytes.len, &err);
		assert(json);
		cJSON_Delete(json);
	}
	return 0;
}
