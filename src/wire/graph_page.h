/* graph_page.h -- what is new in a folder, a page of a delta of Microsoft Graph, read as it comes (facts M B.3).
 *
 * Bytes in, each message out as soon as it is whole, and at the end where it goes on: a link, which is kept as it is. Of the document
 * nothing is held but the message under way, ten kilobytes at most, and that link; what is not asked for is passed over, however long.
 *
 * What is told before the end may be told of a page that is none: whoever keeps it waits for graph_page_finish().
 */
#ifndef WIRE_GRAPH_PAGE_H
#define WIRE_GRAPH_PAGE_H

#include "base/arena.h"
#include "base/error.h"
#include "base/slice.h"

#define GRAPH_PAGE  ((size_t)16 * 1024 * 1024)   /* bytes of one page                                     */
#define GRAPH_ITEMS 1000                         /*   and messages: Microsoft has no longer ones          */
#define GRAPH_TEXT  2048                         /* bytes of one text; longer ones are cut, an id may not be */

/* Texts are UTF-8, without white space around them; they may have control characters in them, but no NUL: that is U+0001. */
struct graph_news {
	struct slice id, subject, from, internet_message_id;        /* at == NULL: none, but for the id           */
	int64_t      received;                                      /* Unix seconds; 0: unknown                   */
	bool         removed;                                       /* no more there: nothing but the id          */
};

struct graph_page_listener {
	void  *self;
	void (*message)(void *, const struct graph_news *);         /* valid only during the call; may be NULL    */
};

struct graph_page;

struct graph_page *graph_page_new(const struct graph_page_listener *);
void               graph_page_free(struct graph_page *);            /* NULL is fine */
DEFINE_CLEANUP(graph_page)
/* False: FAULT_BROKEN (no JSON, no page, an item without an id, two links, an error in the midst of it), FAULT_TOO_BIG. Then it is of no
 * more use. */
bool               graph_page_feed(struct graph_page *, struct slice, struct error *);
/* After the last byte. False (FAULT_BROKEN): cut short, or it leads nowhere. */
bool               graph_page_finish(struct graph_page *, struct error *);

/* Where it goes on; from where it is asked next time: one of them, once it is finished. NULL: the other one. */
const char        *graph_page_next(const struct graph_page *);
const char        *graph_page_delta(const struct graph_page *);
size_t             graph_page_messages(const struct graph_page *);  /* told so far                            */
/* The code of the error that came in the midst of it; "": none did. */
const char        *graph_page_error(const struct graph_page *);

#endif
