/* pages.h -- the pages that work without scripts: how a rendering becomes an answer. */
#ifndef SERVE_PAGES_H
#define SERVE_PAGES_H

#include "serve/http.h"
#include "serve/page.h"

/* An answer under way: render into `page`, then pages_answer() with what the rendering said. It lives as long as the exchange. */
struct page *pages_begin(struct exchange *);
void         pages_answer(struct exchange *, struct page *, int status, bool fitted);

/* A browser that only looks ahead, or whoever asks for the head alone, has not opened a link. */
bool pages_only_looks(struct exchange *);

/* "We cannot do that now; nothing was lost": for what the store refused. Never a blank page. */
void pages_trouble(struct exchange *, const char *try_again);

#endif
