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

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	static const struct xml_space spaces[] = { { "urn:a", 1 } };
	size_t                    sum = 0;
	const struct xml_listener told = { .self = &sum, .start = on_start, .end = on_end, .text = on_text };
	struct xml_reader         r;
	size_t                    piece = size ? data[0] + 1u : 1;

	xml_reader_init(&r, spaces, 1, &told);
	for (struct slice rest = slice((const char *)data + 1, size ? size - 1 : 0); rest.len && r.state == XML_GOES_ON;) {
		size_t used = xml_feed(&r, slice_upto(rest, piece));

		if (!used)
			break;
		rest = slice_from(rest, used);
	}
	xml_reader_release(&r);
	return (int)(sum & 0);
}
