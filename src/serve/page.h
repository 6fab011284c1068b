/* page.h -- HTML, written so that no foreign text can ever become markup.
 *
 * There is no way to put markup in: elements and attributes are named by constants of ours, and every text and every value
 * goes through the one escape. Broken UTF-8 and control characters become U+FFFD, and so do the marks that turn the direction of
 * writing around. What stands in href, action or src must begin as an address of our own ("/", "?", "#") or with https:, http: or
 * mailto:, otherwise it is "#". No script and no style stand in a page: both are assets of their own (serve/assets.h).
 *
 * A page grows in the caller's buffer up to its limit; what did not fit makes page_end() false, and such a page is not sent.
 */
#ifndef SERVE_PAGE_H
#define SERVE_PAGE_H

#include "base/buffer.h"
#include "diagnose/catalogue.h"

#define PAGE_BYTES    (512 * 1024)
#define PAGE_DEEPEST 24

struct page {
	struct buffer         *out;
	struct arena          *job;
	const struct language *lang;
	const char            *open[PAGE_DEEPEST];       /* elements that are not closed yet */
	size_t                 depth;
	bool                   full;
};

/* `out` is inited by the caller, with PAGE_BYTES; words that have to be put together come from `job`. */
void page_init(struct page *, struct buffer *out, const struct language *, struct arena *job);

/* -- elements: attributes as name, value, name, value, NULL; one whose value is NULL is left out, one with "" stands alone -- */
__attribute__((sentinel)) void page_open(struct page *, const char *tag, ...);
__attribute__((sentinel)) void page_empty(struct page *, const char *tag, ...);                    /* <input>, <meta> */
__attribute__((sentinel)) void page_element(struct page *, const char *tag, const char *text, ...);   /* with nothing but text inside */
void page_close(struct page *, const char *tag);          /* the one opened last: names it for the reader */
void page_text(struct page *, const char *text);          /* NULL: nothing */

/* A text of the catalogue, or one that tell.h filled: `backticks` become code, and the URLs of `links`, nothing else, become links:
 * the words of a peer may stand in it. */
void page_prose(struct page *, const char *text, const char *const *links, size_t count);

/* The same with its placeholders, as help pages show it: {host} becomes the name of such a value, marked as to be filled in. */
void page_template(struct page *, const char *text);

/* -- words -- */

/* "page/KEY" of the catalogue; asks only for those there are. */
const char *page_word(const struct page *, const char *key);
/* The same with values in place of its {names}: name, value, …, NULL. A value that is NULL or empty is shown as a dash. */
__attribute__((sentinel)) const char *page_phrase(struct page *, const char *key, ...);

enum icon { ICON_PASSED, ICON_FAILED, ICON_WARNED, ICON_WAITING, ICON_GLOBE };
void page_icon(struct page *, enum icon);                 /* decoration: unseen by screen readers */

/* -- the frame around every page -- */
struct frame {
	const char *title;
	const char *path;              /* this page's address, for the language switch; its query is left out            */
	const char *script;            /* name of an asset, or NULL                                                    */
	const char *refresh;           /* for browsers without scripts: an address to go to every other second, or NULL */
	int         refresh_s;         /*   or so seldom; 0: every other second                                        */
	const char *onward;            /* an address that every browser goes to at once, or NULL                         */
	bool        broad;             /* text that is read rather than filled in                                       */
};

void page_begin(struct page *, const struct frame *);     /* up to and with <main>                           */
bool page_end(struct page *);                             /* false: it did not fit                           */

#endif
