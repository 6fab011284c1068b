/* soap.h -- a request's XML as a tree. Foreign bytes: no DTD, no network, no entities of anybody's own, libxml2's limits in force.
 *
 * Names are compared without their namespace: a client that puts an element into the wrong one is told so by its own tests.
 */
#ifndef SANDBOX_SOAP_H
#define SANDBOX_SOAP_H

#include <libxml/tree.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/slice.h"

/* Any document; NULL with FAULT_BROKEN. xmlFreeDoc() gives it back. */
xmlDoc *xml_read(struct slice text, struct error *err);

/* The first child with this name; the next sibling that is an element; NULL: none. They take NULL for a node. */
xmlNode *xml_child(const xmlNode *, const char *name);
xmlNode *xml_first(const xmlNode *);
xmlNode *xml_next(const xmlNode *);
/* "SavedItemFolderId/DistinguishedFolderId" */
xmlNode *xml_at(const xmlNode *, const char *path);
/* The first with this name at any depth, in the order of the document. */
xmlNode *xml_below(const xmlNode *, const char *name);
bool     xml_is(const xmlNode *, const char *name);

/* "" when there is none; NULL for an attribute. White space at the ends is left out of xml_text(). */
const char *xml_text(struct arena *, const xmlNode *);
const char *xml_attribute(struct arena *, const xmlNode *, const char *name);

/* The same XML again, of this element, for what is kept as it was given. */
const char *xml_again(struct arena *, const xmlNode *);

struct soap {
	xmlDoc  *document;
	xmlNode *header, *operation;      /* `header` may be NULL */
};

bool soap_read(struct slice text, struct soap *out, struct error *err);

#endif
