/* xml.h -- XML as the web services of mail servers write it, read as it comes (XML 1.0, Namespaces 1.0), without a socket.
 *
 * For long answers: pages of thousands of items, a message of a hundred megabytes in one element. Elements, attributes, texts and CDATA are
 * told at once; nothing is kept but the names that are open and a tag that has not come to its end. Comments and instructions are passed
 * over. There are no document types (one ends the reading), so no entities but the five and characters by number, and nothing is
 * ever fetched. Refused besides: what is not well-formed, an undeclared prefix, control characters, bytes that are no UTF-8.
 * In UTF-8 and US-ASCII; ISO-8859-1 where it is declared. Anything else is refused.
 *
 * libxml2 reads 140 MB/s here and expat 120; this reads what we need of it several times as fast (make bench), and a reader that waits
 * for the next piece of a stream is a few hundred bytes.
 */
#ifndef WIRE_XML_H
#define WIRE_XML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/slice.h"

#define XML_DEEPEST     64
#define XML_ATTRIBUTES  64
#define XML_NAMESPACES  64                     /* bindings in force at once                                       */
#define XML_LONGEST_TAG ((size_t)16 * 1024)    /* also of a comment, an instruction; and of all names that are open */

#define XML_SEEN        32                     /* bare tags that are remembered                                   */
#define XML_SEEN_NAME   26

/* A namespace of interest and what the caller calls it: never 0, which is for those without, nor XML_FOREIGN. */
struct xml_space {
	const char *uri;
	unsigned    space;
};
#define XML_FOREIGN UINT32_MAX

struct xml_attribute {
	struct slice name;              /* local; those that declare namespaces are not told  */
	struct slice value;             /* unescaped                                          */
	bool         prefixed;
};

struct xml_listener {
	void *self;
	/* All slices only during the call. */
	void (*start)(void *, struct slice local_name, unsigned space, const struct xml_attribute *, size_t count);
	void (*end)(void *);
	void (*text)(void *, struct slice);             /* pieces; cut anywhere but inside of a character */
	/* All three at once, of an element without attributes, and with nothing in it but text, as far as it came in one piece: a shorter
	 * way, which is taken or not. The text may be empty. NULL: never. */
	void (*leaf)(void *, struct slice local_name, unsigned space, struct slice text);
};

enum xml_state { XML_GOES_ON, XML_WHOLE, XML_BROKEN, XML_TOO_BIG };

struct xml_binding {
	uint16_t prefix_at;             /* in `names` */
	uint8_t  prefix_len, depth;
	unsigned space;
};

/* A bare tag that was read before, "t:Subject", and which one came behind it the last time. */
struct xml_seen {
	char     name[XML_SEEN_NAME];
	uint8_t  len, local_at, next;
	unsigned space;
};

struct xml_reader {
	const struct xml_space *spaces;
	size_t                  space_count;
	struct xml_listener     listener;
	enum xml_state          state;
	const char             *why;            /* while BROKEN or TOO_BIG: "an end tag for another element"               */
	/* its own */
	unsigned                depth;
	bool                    begun, declared, latin1;
	unsigned char           in;             /* between tags, or in the midst of a CDATA section                    */
	uint16_t                name_at[XML_DEEPEST + 1], name_len[XML_DEEPEST + 1];      /* in `names` */
	struct buffer           names;          /* of open elements and bound prefixes, one behind the other           */
	struct xml_binding      binding[XML_NAMESPACES];
	size_t                  bindings;
	struct xml_seen         seen[XML_SEEN]; /* under the bindings in force                                         */
	uint8_t                 seens, last;
	struct buffer           pending;        /* what has begun and not come to its end                              */
	char                   *scratch;        /* values of one tag, or a text, that had to be changed; NULL: not needed yet */
	size_t                  scratch_used;
};

/* `spaces` must live as long. */
void           xml_reader_init(struct xml_reader *, const struct xml_space *spaces, size_t count, const struct xml_listener *);
void           xml_reader_release(struct xml_reader *);
/* How many bytes of `bytes` are done with: all of them, or fewer when the document ended (WHOLE) or could not be read. The listener may
 * stop it by xml_stop(). */
size_t         xml_feed(struct xml_reader *, struct slice bytes);
void           xml_stop(struct xml_reader *, enum xml_state, const char *why);

#endif
