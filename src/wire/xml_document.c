#include "wire/xml_document.h"

#define LONGEST_TAG (16 << 10)      /* libxml2 compares each attribute with all before it: 1 MiB of them take 8 s */
#define CHUNK       4096

void xml_document_stop(struct xml_document *d, const char *why)
{
	if (!d->stop)
		d->stop = why;
	xmlStopParser(d->parser);
}

/* A document type is where entities, and files and addresses to be fetched, would come from. */
static void on_doctype(void *self, const xmlChar *name, const xmlChar *external, const xmlChar *system)
{
	(void)name, (void)external, (void)system;
	xml_document_stop(self, "a document type");
}

__attribute__((format(printf, 2, 3)))
static void unprinted(void *self, const char *fmt, ...)
{
	(void)self, (void)fmt;
}

/* Piece by piece, for between two of them it can be seen how much is kept for one tag that does not end. */
static bool feed(struct xml_document *d, struct slice xml)
{
	for (; xml.len; xml = slice_from(xml, CHUNK)) {
		struct slice chunk = slice_upto(xml, CHUNK);

		if (xmlParseChunk(d->parser, chunk.at, (int)chunk.len, 0) != 0 || d->stop)
			return false;
		if (d->parser->input->end - d->parser->input->cur > LONGEST_TAG) {
			xml_document_stop(d, "a tag or a comment too long");
			return false;
		}
	}
	return xmlParseChunk(d->parser, NULL, 0, 1) == 0 && d->parser->wellFormed && !d->stop;
}

static bool parse(struct xml_document *d, xmlSAXHandler *sax, struct slice xml)
{
	bool good;

	d->parser = xmlCreatePushParserCtxt(sax, d, NULL, 0, NULL);
	if (!d->parser)
		return false;
	/* NOENT: else the five predefined ones come out of attributes as "&#38;". There are no others without a DTD. */
	xmlCtxtUseOptions(d->parser, XML_PARSE_NONET | XML_PARSE_NOENT);
	good = feed(d, xml);
	if (!good && !d->stop)
		d->stop = "no well-formed XML";
	if (d->parser->myDoc)
		xmlFreeDoc(d->parser->myDoc);
	xmlFreeParserCtxt(d->parser);
	return good;
}

/* Silence not by the handlers of the parser: errors of character conversion know no parser and would go to standard error, and
 * xmlParseChunk() itself prints what it thinks of an encoding. The setting is the thread's own. */
bool xml_document_read(struct xml_document *d, struct slice xml, startElementNsSAX2Func start, endElementNsSAX2Func end,
                       charactersSAXFunc text)
{
	xmlSAXHandler sax = {
		.initialized = XML_SAX2_MAGIC,
		.startElementNs = start,
		.endElementNs = end,
		.characters = text,
		.ignorableWhitespace = text,
		.cdataBlock = text,
		.internalSubset = on_doctype,
	};
	xmlGenericErrorFunc before = xmlGenericError;
	void               *before_self = xmlGenericErrorContext;
	bool                good;

	xmlSetGenericErrorFunc(NULL, unprinted);
	good = parse(d, &sax, xml);
	xmlSetGenericErrorFunc(before_self, before);
	return good;
}
