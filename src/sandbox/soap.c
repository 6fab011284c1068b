#include "sandbox/soap.h"

#include <string.h>

#include <libxml/parser.h>

#include "sandbox/text.h"

#define DEEPEST 60      /* elements within elements: libxml2 itself allows 256 */

static bool too_deep(const xmlNode *n, int left)
{
	for (n = n->children; n; n = n->next)
		if (n->type == XML_ELEMENT_NODE && (left == 0 || too_deep(n, left - 1)))
			return true;
	return false;
}

xmlDoc *xml_read(struct slice text, struct error *err)
{
	xmlDoc *d;

	if (text.len == 0 || text.len > 1u << 30 || memchr(text.at, '\0', text.len) || slice_has(text, "<!DOCTYPE")) {
		fail(err, FAULT_BROKEN, "no XML, or with a DTD");
		return NULL;
	}
	d = xmlReadMemory(text.at, (int)text.len, NULL, NULL,
	                  XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOCDATA);
	if (d && (d->intSubset || !xmlDocGetRootElement(d) || too_deep(xmlDocGetRootElement(d), DEEPEST))) {
		xmlFreeDoc(d);
		d = NULL;
	}
	if (!d)
		fail(err, FAULT_BROKEN, "no well-formed XML");
	return d;
}

bool xml_is(const xmlNode *n, const char *name)
{
	return n && n->type == XML_ELEMENT_NODE && strcmp((const char *)n->name, name) == 0;
}

static xmlNode *element_from(xmlNode *n)
{
	while (n && n->type != XML_ELEMENT_NODE)
		n = n->next;
	return n;
}

xmlNode *xml_first(const xmlNode *n)
{
	return n ? element_from(n->children) : NULL;
}

xmlNode *xml_next(const xmlNode *n)
{
	return n ? element_from(n->next) : NULL;
}

xmlNode *xml_child(const xmlNode *n, const char *name)
{
	xmlNode *c = xml_first(n);

	while (c && !xml_is(c, name))
		c = xml_next(c);
	return c;
}

xmlNode *xml_at(const xmlNode *n, const char *path)
{
	struct slice rest = slice_str(path);
	char         name[80];
	xmlNode     *at = NULL;

	while (rest.len) {
		struct slice one = slice_upto(slice_cut(&rest, '/'), sizeof name - 1);

		memcpy(name, one.at, one.len);
		name[one.len] = '\0';
		at = xml_child(n, name);
		if (!at)
			return NULL;
		n = at;
	}
	return at;
}

xmlNode *xml_below(const xmlNode *n, const char *name)
{
	for (xmlNode *c = xml_first(n); c; c = xml_next(c)) {
		xmlNode *found = xml_is(c, name) ? c : xml_below(c, name);

		if (found)
			return found;
	}
	return NULL;
}

const char *xml_text(struct arena *arena, const xmlNode *n)
{
	xmlChar    *text = n ? xmlNodeGetContent(n) : NULL;
	const char *copy = arena_copy(arena, slice_trim(slice_str((const char *)text)));

	xmlFree(text);
	return copy;
}

const char *xml_attribute(struct arena *arena, const xmlNode *n, const char *name)
{
	xmlChar    *text = n ? xmlGetNoNsProp(n, (const xmlChar *)name) : NULL;
	const char *copy = text ? arena_str(arena, (const char *)text) : NULL;

	xmlFree(text);
	return copy;
}

static const char *attributes_again(struct arena *arena, const xmlNode *n)
{
	const char *all = "";

	for (const xmlAttr *a = n->properties; a; a = a->next)
		all = arena_print(arena, "%s %s=\"%s\"", all, (const char *)a->name,
		                  escaped(arena, xml_attribute(arena, n, (const char *)a->name)));
	return all;
}

const char *xml_again(struct arena *arena, const xmlNode *n)
{
	const char *inner = "", *name = (const char *)n->name;

	for (const xmlNode *c = xml_first(n); c; c = xml_next(c))
		inner = arena_print(arena, "%s%s", inner, xml_again(arena, c));
	if (!xml_first(n))
		inner = escaped(arena, xml_text(arena, n));
	return arena_print(arena, "<t:%s%s>%s</t:%s>", name, attributes_again(arena, n), inner, name);
}

bool soap_read(struct slice text, struct soap *out, struct error *err)
{
	xmlDoc  *d = xml_read(text, err);
	xmlNode *root;

	if (!d)
		return false;
	root = xmlDocGetRootElement(d);
	*out = (struct soap){ d, xml_child(root, "Header"), xml_first(xml_child(root, "Body")) };
	if (!xml_is(root, "Envelope") || !out->operation) {
		xmlFreeDoc(d);
		*out = (struct soap){ 0 };
		return fail(err, FAULT_BROKEN, "no SOAP envelope with a body");
	}
	return true;
}
