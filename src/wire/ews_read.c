/* The parser and its bounds. Which element means what stands in ews_envelope.c and ews_items.c. */
#include <stdlib.h>

#include "wire/ews_parts.h"
#include "wire/sasl.h"

#define LONGEST_TOKEN    (1 << 20)     /* of what is of no use when cut: a sync state                                */
#define LEAST_TEXT       128           /* codes and names have to fit whatever is asked for                          */

void ews_stop(struct ews_reader *r, enum fault fault, const char *why)
{
	if (r->fault)
		return;
	r->fault = fault;
	r->why = why;
	xml_stop(&r->xml, fault == FAULT_TOO_BIG ? XML_TOO_BIG : XML_BROKEN, why);
}

/* -- texts -------------------------------------------------------------------------------------------------------- */

static void listen_to_text(struct ews_reader *r)
{
	r->text_depth = r->depth;
	r->text_cut = false;
	buffer_clear(&r->text);
}

/* What fits, up to a whole character. */
static struct slice cut_to(struct slice s, size_t room)
{
	if (s.len > room)
		for (s.len = room; s.len && ((unsigned char)s.at[s.len] & 0xc0) == 0x80;)
			s.len--;
	return s;
}

static size_t limit_of(const struct ews_reader *r, const struct ews_row *row)
{
	return row->uncut ? LONGEST_TOKEN : r->longest;
}

static void add_text(struct ews_reader *r, const struct ews_row *row, struct slice s)
{
	size_t held = buffer_held(&r->text).len, limit = limit_of(r, row);

	if (r->text_cut)
		return;
	if (s.len > limit - held) {
		if (row->uncut) {
			ews_stop(r, FAULT_TOO_BIG, "a sync state or an id beyond all measure");
			return;
		}
		r->text_cut = true;
	}
	buffer_add(&r->text, cut_to(s, limit - held));
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* One letter of base64, and what it completes at `to`; the number of bytes, or -1. A padding ends it all: `padding` stays. */
static int decode_letter(struct ews_reader *r, char c, char *to)
{
	int value = base64_value(c), bytes;

	if (c == '=' ? r->letters < 2 : value < 0 || r->padding)
		return -1;
	r->padding += c == '=';
	r->bits = r->bits << 6 | (c == '=' ? 0 : (unsigned)value);
	if (++r->letters < 4)
		return 0;
	bytes = 3 - r->padding;
	for (int i = 0; i < bytes; i++)
		to[i] = (char)(r->bits >> (16 - 8 * i) & 0xff);
	r->letters = 0;
	r->bits = 0;
	return bytes;
}

void ews_mime(struct ews_reader *r, struct slice base64)
{
	char   piece[3 * 256];
	size_t len = 0;

	for (size_t i = 0; i < base64.len; i++) {
		int bytes = is_blank(base64.at[i]) ? 0 : decode_letter(r, base64.at[i], piece + len);

		if (bytes < 0) {
			ews_stop(r, FAULT_BROKEN, "a message that is no base64");
			return;
		}
		len += (size_t)bytes;
		if (len > sizeof piece - 3) {
			r->listener.mime(r->listener.self, slice(piece, len));
			len = 0;
		}
	}
	if (len)
		r->listener.mime(r->listener.self, slice(piece, len));
}

/* -- what the parser tells ---------------------------------------------------------------------------------------- */

static const struct xml_space spaces[] = {
	{ "http://schemas.microsoft.com/exchange/services/2006/types",    NS_TYPES    },
	{ "http://schemas.microsoft.com/exchange/services/2006/messages", NS_MESSAGES },
	{ "http://schemas.microsoft.com/exchange/services/2006/errors",   NS_ERRORS   },
	{ "http://schemas.xmlsoap.org/soap/envelope/",                    NS_SOAP     },
	{ "http://www.w3.org/2003/05/soap-envelope",                      NS_SOAP     },
};

static unsigned bit_of(unsigned space)
{
	return space == 0 ? NS_NONE : space == XML_FOREIGN ? 0 : space;
}

static void on_start(void *self, struct slice name, unsigned space, const struct xml_attribute *attribute, size_t attributes)
{
	struct ews_reader    *r = self;
	struct ews_element    e = { name, bit_of(space), attribute, attributes };
	const struct ews_row *row = ews_row_find(r->open[r->depth]->becomes, name, e.space, &r->from[r->depth]);

	if (!row && r->depth == 0) {
		ews_stop(r, FAULT_BROKEN, "no SOAP envelope");
		return;
	}
	r->open[++r->depth] = row = row ? row : &ews_row_nowhere;
	r->from[r->depth] = 0;
	if (row->begin)
		row->begin(r, &e);
	if (row->text || (row->mime && r->listener.mime))
		listen_to_text(r);
}

static void on_end(void *self)
{
	struct ews_reader    *r = self;
	const struct ews_row *row = r->open[r->depth];

	if (r->text_depth == r->depth) {
		r->text_depth = 0;
		if (row->text)
			row->text(r, row, buffer_held(&r->text));
	}
	if (row->end)
		row->end(r);
	r->whole = --r->depth == 0;
}

static void on_text(void *self, struct slice text)
{
	struct ews_reader    *r = self;
	const struct ews_row *row = r->open[r->depth];

	if (r->text_depth != r->depth)
		return;
	if (row->mime)
		ews_mime(r, text);
	else
		add_text(r, row, text);
}

/* Nothing has to be gathered: the text is there as a whole. */
static void on_leaf(void *self, struct slice name, unsigned space, struct slice text)
{
	struct ews_reader    *r = self;
	unsigned              from = r->from[r->depth];
	const struct ews_row *row = ews_row_find(r->open[r->depth]->becomes, name, bit_of(space), &from);

	if (!row)
		return;
	if (row->text && !row->begin && !row->end && text.len <= limit_of(r, row)) {
		r->from[r->depth] = from;
		r->text_depth = 0;
		row->text(r, row, text);
		return;
	}
	on_start(self, name, space, NULL, 0);
	if (r->fault)
		return;
	if (text.len)
		on_text(self, text);
	on_end(self);
}

/* -- the reader --------------------------------------------------------------------------------------------------- */

struct ews_reader *ews_reader_new(struct arena *into, size_t longest_text, const struct ews_listener *listener)
{
	struct ews_reader        *r = must_alloc(sizeof *r);
	const struct xml_listener told = { .self = r, .start = on_start, .end = on_end, .text = on_text, .leaf = on_leaf };

	r->into = into;
	r->longest = longest_text < LEAST_TEXT ? LEAST_TEXT : longest_text;
	if (listener)
		r->listener = *listener;
	r->open[0] = &ews_row_document;
	buffer_init(&r->text, r->longest > LONGEST_TOKEN ? r->longest : LONGEST_TOKEN);
	buffer_init(&r->headers, r->longest);
	xml_reader_init(&r->xml, spaces, COUNT(spaces), &told);
	return r;
}

void ews_reader_free(struct ews_reader *r)
{
	if (!r)
		return;
	xml_reader_release(&r->xml);
	buffer_release(&r->text);
	buffer_release(&r->headers);
	arena_free(r->kept);
	free(r);
}

static struct slice without_blanks(struct slice s)
{
	while (s.len && is_blank(s.at[0]))
		s = slice_from(s, 1);
	return s;
}

/* What stopped the one below stops this one. */
static void take_fault(struct ews_reader *r)
{
	if (r->xml.state == XML_BROKEN || r->xml.state == XML_TOO_BIG)
		ews_stop(r, r->xml.state == XML_BROKEN ? FAULT_BROKEN : FAULT_TOO_BIG, r->xml.why);
}

static bool stopped(const struct ews_reader *r, struct error *err)
{
	return fail(err, r->fault, "no answer of EWS: %s", r->why);
}

bool ews_feed(struct ews_reader *r, struct slice bytes, size_t *used, struct error *err)
{
	struct slice rest = bytes;

	if (!r->begun)
		rest = without_blanks(rest);               /* an XML declaration bears nothing before it */
	r->begun = r->begun || rest.len;
	if (!r->fault)
		rest = slice_from(rest, xml_feed(&r->xml, rest));
	take_fault(r);
	if (r->fault)
		return stopped(r, err);
	if (r->whole)
		rest = without_blanks(rest);
	if (used)
		*used = bytes.len - rest.len;
	return true;
}

bool ews_reader_whole(const struct ews_reader *r)
{
	return r->whole;
}

bool ews_finish(struct ews_reader *r, struct error *err)
{
	if (!r->whole)
		ews_stop(r, FAULT_BROKEN, r->begun ? "it is cut short" : "it is empty");
	return r->fault ? stopped(r, err) : true;
}

const struct ews_answer *ews_answer(const struct ews_reader *r)
{
	return &r->answer;
}
