/* ews_parts.h -- between the parts of the EWS reader: ews_read.c bounds the parser, ews_envelope.c and ews_items.c know the elements. */
#ifndef WIRE_EWS_PARTS_H
#define WIRE_EWS_PARTS_H

#include "wire/ews.h"
#include "wire/xml.h"

#define EWS_NAME    76        /* of a value or of an internet header                                             */

enum ews_namespace {               /* bits, so that a row can allow several                                         */
	NS_NONE     = 1,
	NS_SOAP     = 2,           /* 1.1 and 1.2                                                                   */
	NS_TYPES    = 4,
	NS_MESSAGES = 8,
	NS_ERRORS   = 16,
};

/* What the element is that we are in. What has no place here is passed over with all that is in it. */
enum ews_place {
	NOWHERE, DOCUMENT, ENVELOPE, HEADER, BODY, FAULT, FAULT_CODE, FAULT_SUBCODE, FAULT_REASON, DETAIL, MESSAGE_XML,
	OPERATION, RESPONSES, FREE_BUSY, RESPONSE, FOUND, ITEMS, CHANGES, CHANGED, ITEM, SENDER, SENDER_MAILBOX, INTERNET_HEADERS,
	RESOLUTIONS, RESOLUTION, MAILBOX, NOTIFICATIONS, NOTIFICATION, STATUS, EVENT, LOST, LEAF, PLACES
};

struct ews_element {
	struct slice                name;
	unsigned                    space;     /* of enum ews_namespace; XML_FOREIGN is none of them                        */
	const struct xml_attribute *attribute;
	size_t                      attributes;
};

struct ews_row {
	const char     *name;              /* NULL: any                                                                   */
	size_t          name_len;
	unsigned        spaces;
	enum ews_place  becomes;
	void          (*begin)(struct ews_reader *, const struct ews_element *);
	void          (*text)(struct ews_reader *, const struct ews_row *, struct slice);       /* the whole text, at the element's end */
	void          (*end)(struct ews_reader *);
	size_t          field;             /* for `text`: which field of the item                                         */
	bool            uncut;             /* of no use when it is not whole                                              */
	bool            mime;              /* its text is decoded and passed on as it comes                               */
};

/* A text that comes again and again: its room is used again, so that an endless answer does not fill the arena. */
struct ews_slot {
	char  *at;
	size_t room;
};

struct ews_reader {
	struct ews_answer     answer;
	struct arena         *into;
	size_t                longest;
	struct ews_listener   listener;

	struct xml_reader     xml;
	enum fault            fault;               /* sticky                                                            */
	const char           *why;
	bool                  begun, whole;

	int                   depth;
	const struct ews_row *open[XML_DEEPEST + 1];       /* by depth; [0] is the document's                         */
	unsigned              from[XML_DEEPEST + 1];       /* where what is in it is looked for first                 */
	struct buffer         text;                /* of the element at text_depth                                      */
	int                   text_depth;          /* 0: nobody listens                                                 */
	bool                  text_cut;

	struct ews_slot       sync_state, subscription_id, watermark, connection_status;
	struct ews_outcome   *outcome;             /* NULL: none open, or more than are kept                            */
	int                   code_rank;           /* how good the code is that it has                                  */
	char                  value_name[EWS_NAME + 1];

	struct arena         *kept;                /* what the open item needs                                          */
	struct ews_item       item;
	bool                  in_item;
	enum ews_change       change;              /* what is said of the items in it                                   */
	struct buffer         headers;
	char                  header_name[EWS_NAME + 1];

	unsigned              bits;                /* of MimeContent                                                    */
	int                   letters, padding;    /* of the open group of four                                         */
};

/* How rows are written down. */
#define T             NS_TYPES
#define M             NS_MESSAGES
#define S             NS_SOAP
#define ANY_OF_OURS   (NS_TYPES | NS_MESSAGES | NS_ERRORS)
#define NAMED(n, s)   .name = (n), .name_len = sizeof(n "") - 1, .spaces = (s)
#define IN(n, s, p)   NAMED(n, s), .becomes = (p)
#define TEXT(n, s, f) NAMED(n, s), .becomes = LEAF, .text = (f)
#define ANY(s)        .spaces = (s)

struct ews_rows {
	const struct ews_row *row;
	size_t                count;
};

extern const struct ews_rows ews_item_places[PLACES];

/* Values: trimmed; 0 and false where there is none. */
static inline struct slice ews_attribute(const struct ews_element *e, const char *name)
{
	const struct slice wanted = slice_str(name);

	for (size_t i = 0; i < e->attributes; i++)
		if (!e->attribute[i].prefixed && slice_equal(e->attribute[i].name, wanted))
			return slice_trim(e->attribute[i].value);
	return slice(NULL, 0);
}

unsigned     ews_number(struct slice);
bool         ews_truth(struct slice);
void         ews_keep_name(char (*to)[EWS_NAME + 1], struct slice);
void         ews_read_subscription(struct ews_reader *, const struct ews_row *, struct slice);
void         ews_read_watermark(struct ews_reader *, const struct ews_row *, struct slice);

/* What to do with an element inside of `place`; NULL: nothing, and with nothing in it. `*from`: the row to begin with, 0 at first; then the
 * one behind what was found, since elements come in the order of their schema, and the tables are in it. */
const struct ews_row *ews_row_find(enum ews_place place, struct slice name, unsigned space, unsigned *from);
extern const struct ews_row ews_row_document, ews_row_nowhere;

/* Called by the others; the first fault counts. */
void ews_stop(struct ews_reader *, enum fault, const char *why);
void ews_mime(struct ews_reader *, struct slice base64);

#endif
