/* The parser and its bounds. Which element means what stands in ews_envelope.c and ews_items.c. */
#include <stdlib.h>

#include "wire/ews_parts.h"

#define CHUNK            4096
#define LONGEST_TAG      (16 << 10)    /* libxml2 keeps a tag, a comment, an instruction, a CDATA section to its end  */
#define LONGEST_NAMES    (128 << 10)   /* libxml2 keeps every name it has seen: all of types.xsd are 40 kB           */
#define MOST_ATTRIBUTES  64            /* it compares each with all before it                                        */
#define MOST_NAMESPACES  16            /* and looks for each prefix among all that are declared outside              */
#define LONGEST_TOKEN    (1 << 20)     /* of what is of no use when cut: a sync state                                */
#define LEAST_TEXT       128           /* codes and names have to fit whatever is asked for                          */

void ews_stop(struct ews_reader *r, enum fault fault, const char *why)
{
	if (r->fault)
		return;
	r->fault = fault;
	r->why = why;
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

static void add_text(struct ews_reader *r, const struct ews_row *row, struct slice s)
{
	size_t held = buffer_held(&r->text).len, limit = row->uncut ? LONGEST_TOKEN : r->longest;

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

static int base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
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

static enum ews_namespace namespace_of(const xmlChar *uri)
{
	static const struct { const char *uri; enum ews_namespace space; } known[] = {
		{ "http://schemas.microsoft.com/exchange/services/2006/types",    NS_TYPES    },
		{ "http://schemas.microsoft.com/exchange/services/2006/messages", NS_MESSAGES },
		{ "http://schemas.microsoft.com/exchange/services/2006/errors",   NS_ERRORS   },
		{ "http://schemas.xmlsoap.org/soap/envelope/",                    NS_SOAP     },
		{ "http://www.w3.org/2003/05/soap-envelope",                      NS_SOAP     },
	};

	if (!uri || !*uri)
		return NS_NONE;
	for (size_t i = 0; i < COUNT(known); i++)
		if (strcmp((const char *)uri, known[i].uri) == 0)
			return known[i].space;
	return NS_FOREIGN;
}

static void on_start(void *self, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri, int namespaces,
                     const xmlChar **namespace, int attributes, int defaulted, const xmlChar **attribute)
{
	struct ews_reader    *r = self;
	struct ews_element    e = { (const char *)name, namespace_of(uri), attribute, attributes };
	const struct ews_row *row;

	(void)prefix, (void)namespace, (void)defaulted;
	if (r->fault || r->whole)
		return;
	if (r->depth == EWS_DEEPEST) {
		ews_stop(r, FAULT_BROKEN, "elements nested too deep");
		return;
	}
	if (attributes > MOST_ATTRIBUTES || namespaces > MOST_NAMESPACES) {
		ews_stop(r, FAULT_BROKEN, "a tag with too many attributes");
		return;
	}
	row = ews_row_find(r->open[r->depth]->becomes, &e);
	if (!row && r->depth == 0) {
		ews_stop(r, FAULT_BROKEN, "no SOAP envelope");
		return;
	}
	r->open[++r->depth] = row = row ? row : &ews_row_nowhere;
	if (row->begin)
		row->begin(r, &e);
	if (row->text || (row->mime && r->listener.mime))
		listen_to_text(r);
}

static void on_end(void *self, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
	struct ews_reader    *r = self;
	const struct ews_row *row;

	(void)name, (void)prefix, (void)uri;
	if (r->fault || r->whole)
		return;
	row = r->open[r->depth];
	if (r->text_depth == r->depth) {
		r->text_depth = 0;
		if (row->text)
			row->text(r, row, buffer_held(&r->text));
	}
	if (row->end)
		row->end(r);
	if (--r->depth == 0) {
		long consumed = xmlByteConsumed(r->parser);

		r->whole = true;
		r->ended_at = consumed > 0 ? (uint64_t)consumed : UINT64_MAX;
	}
}

static void on_text(void *self, const xmlChar *text, int len)
{
	struct ews_reader    *r = self;
	const struct ews_row *row = r->open[r->depth];

	if (r->fault || r->whole || r->text_depth == 0 || r->text_depth != r->depth)
		return;
	if (row->mime)
		ews_mime(r, slice((const char *)text, (size_t)len));
	else
		add_text(r, row, slice((const char *)text, (size_t)len));
}

/* A document type is where entities, and files and addresses to be fetched, would come from. */
static void on_doctype(void *self, const xmlChar *name, const xmlChar *external, const xmlChar *system)
{
	(void)name, (void)external, (void)system;
	ews_stop(self, FAULT_BROKEN, "a document type");
}

__attribute__((format(printf, 2, 3)))
static void unprinted(void *self, const char *fmt, ...)
{
	(void)self, (void)fmt;
}

/* -- the reader --------------------------------------------------------------------------------------------------- */

struct ews_reader *ews_reader_new(struct arena *into, size_t longest_text, const struct ews_listener *listener)
{
	xmlSAXHandler sax = {
		.initialized = XML_SAX2_MAGIC,
		.startElementNs = on_start,
		.endElementNs = on_end,
		.characters = on_text,
		.ignorableWhitespace = on_text,
		.internalSubset = on_doctype,
	};
	struct ews_reader *r = must_alloc(sizeof *r);

	r->into = into;
	r->longest = longest_text < LEAST_TEXT ? LEAST_TEXT : longest_text;
	if (listener)
		r->listener = *listener;
	r->open[0] = &ews_row_document;
	buffer_init(&r->text, r->longest > LONGEST_TOKEN ? r->longest : LONGEST_TOKEN);
	buffer_init(&r->headers, r->longest);
	r->parser = xmlCreatePushParserCtxt(&sax, r, NULL, 0, NULL);
	if (!r->parser) {
		ews_stop(r, FAULT_LOCAL, "no memory for a parser");
		return r;
	}
	/* NOENT: else the five predefined ones come out of attributes as "&#38;". There are no others without a DTD. */
	xmlCtxtUseOptions(r->parser, XML_PARSE_NONET | XML_PARSE_NOENT);
	xmlDictSetLimit(r->parser->dict, LONGEST_NAMES);
	return r;
}

void ews_reader_free(struct ews_reader *r)
{
	if (!r)
		return;
	if (r->parser && r->parser->myDoc)
		xmlFreeDoc(r->parser->myDoc);
	if (r->parser)
		xmlFreeParserCtxt(r->parser);
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

/* One chunk; how much of it belonged to the envelope. Between two chunks it can be seen how much is kept for one tag that does not end. */
static size_t parse_chunk(struct ews_reader *r, struct slice chunk)
{
	uint64_t before = r->fed;
	int      error = xmlParseChunk(r->parser, chunk.at, (int)chunk.len, 0);

	r->fed += chunk.len;
	if (r->whole && r->parser->nsWellFormed)
		return r->ended_at > before && r->ended_at <= r->fed ? (size_t)(r->ended_at - before) : chunk.len;
	if (error == XML_ERR_NO_MEMORY)
		ews_stop(r, FAULT_TOO_BIG, "more names than are sane");
	else if (error || !r->parser->nsWellFormed)
		ews_stop(r, FAULT_BROKEN, "no well-formed XML");
	else if (r->parser->input && r->parser->input->end - r->parser->input->cur > LONGEST_TAG)
		ews_stop(r, FAULT_BROKEN, "a tag, a comment or a CDATA section too long");
	return chunk.len;
}

/* Errors of character conversion know no parser and would go to standard error. The setting is the thread's own. */
static struct slice parse_silently(struct ews_reader *r, struct slice bytes)
{
	xmlGenericErrorFunc before = xmlGenericError;
	void               *before_self = xmlGenericErrorContext;

	xmlSetGenericErrorFunc(NULL, unprinted);
	while (bytes.len && !r->whole && !r->fault)
		bytes = slice_from(bytes, parse_chunk(r, slice_upto(bytes, CHUNK)));
	xmlSetGenericErrorFunc(before_self, before);
	return bytes;
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
		rest = parse_silently(r, rest);
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
