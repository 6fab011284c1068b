/* xml_document.h -- a short document of XML by libxml2's push parser: no network, no document type, no entities but the five, a bound on
 * how much of one tag is kept. For documents that are at hand whole; long answers, and those that come bit by bit, are xml.h's.
 *
 * Used by the readers in this folder: their own struct begins with struct xml_document, and is what the callbacks get.
 */
#ifndef WIRE_XML_DOCUMENT_H
#define WIRE_XML_DOCUMENT_H

#include <libxml/parser.h>
#include <stdbool.h>

#include "base/slice.h"

struct xml_document {
	xmlParserCtxtPtr parser;
	const char      *stop;          /* why it is none; the first reason counts */
};

void xml_document_stop(struct xml_document *, const char *why);

/* False with `stop` when it is no such document, or a callback stopped it. */
bool xml_document_read(struct xml_document *, struct slice xml, startElementNsSAX2Func start, endElementNsSAX2Func end,
                       charactersSAXFunc text);

#endif
