/* Any bytes as XML, in pieces whose length the first byte gives. */
#include "wire/xml.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void on_start(void *self, struct slice name, unsigned space, const struct xml_attribute *a, size_t count)
{
	size_t *sum = self;

	*sum += name.len + space;
	for (size_t i = 0; i < count; i++)
		for (size_t c = 0; c < a[i].value.len; c++)
			*sum += (unsigned char)a[i].value.at[c];
}

static void on_end(void *self)
{
	++*(size_t *)self;
}

static void on_text(void *self, struct slice text)
{
	for (size_t c = 0; c < text.len; c++)
		*(size_t *)self += (unsigned char)text.at[c];
}

static void on_leaf(void *self, struct slice name, unsigned space, struct slice text)
{
	on_start(self, name, space, NULL, 0);
	on_text(self, text);
	on_end(self);
}

/* The sum of what was told; 0 when it was no whole document. */
static size_t read_by(const unsigned char *data, size_t size, size_t piece, bool leaves)
{
	static const struct xml_space spaces[] = { { "urn:a", 1 } };
	size_t                    sum = 1;
	const struct xml_listener told = { .self = &sum, .start = on_start, .end = on_end, .text = on_text, .leaf = leaves ? on_leaf : NULL };
	struct xml_reader         r;

	xml_reader_init(&r, spaces, 1, &told);
	for (struct slice rest = slice((const char *)data + 1, size ? size - 1 : 0); rest.len && r.state == XML_GOES_ON;) {
		size_t used = xml_feed(&r, slice_upto(rest, piece));

		if (!used)
			break;
		rest = slice_from(rest, used);
	}
	if (r.state != XML_WHOLE)
		sum = 0;
	xml_reader_release(&r);
	return sum;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	size_t one = read_by(data, size, size ? data[0] + 1u : 1, true), other = read_by(data, size, size ? data[0] + 1u : 1, false);

	/* by the shorter way or not: the same */
	if (one != other)
		__builtin_trap();
	return 0;
}
