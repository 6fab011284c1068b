/* render.h -- the pages that work without scripts: from plain data to HTML. No store, no keeper, no clock.
 *
 * Each writes one whole page and says whether it fitted (page_end()). Texts come from the catalogue in the page's language; data may hold
 * anything a peer or a user wrote. The handlers that load the data are pages_*.c.
 */
#ifndef SERVE_RENDER_H
#define SERVE_RENDER_H

#include "diagnose/retell.h"
#include "model/account.h"
#include "serve/page.h"

/* -- help ----------------------------------------------------------------------------------------------------------- */

struct help_page {
	enum cause  cause;
	const char *csrf;              /* for the feedback's form                 */
	bool        thanked;           /* it was given a moment ago               */
};

bool render_help_index(struct page *);
bool render_help(struct page *, const struct help_page *);
bool render_help_unknown(struct page *);

/* Something of ours does not work just now. `try_again`: where to, or NULL. */
bool render_trouble(struct page *, const char *try_again);

/* -- parts that several pages share --------------------------------------------------------------------------------- */

const char *who_word(const struct page *, enum who);        /* "Your administrator" */
void render_csrf(struct page *, const char *token);
/* Title apart: why, what to do, the links. */
void render_remedy(struct page *, const struct retold_cause *);
/* Folded away: what was seen, what it was not, what it may be instead. */
void render_proof(struct page *, const struct retold *);
/* "proven", and who must act. */
void render_marks(struct page *, const struct retold_cause *);
void render_help_link(struct page *, enum cause);

#endif
