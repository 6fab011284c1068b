/* google_page.h -- the words by which Google says why it let nobody in: codes, printed on pages of its own ("Error 400:
 * policy_enforced") and told in the address of such a page, as `authError` (facts G A.6).
 *
 * Whoever ends up there never comes back by himself; what is pasted is a stranger's text. What the codes mean is for diagnose/ to say.
 */
#ifndef MODEL_GOOGLE_PAGE_H
#define MODEL_GOOGLE_PAGE_H

#include "base/arena.h"

#define GOOGLE_PAGE_CODE 64                       /* longest code word                */
#define GOOGLE_PAGE_BLOB ((size_t)8 * 1024)       /* longest authError, as it is sent */

struct google_page {
	const char *code;                         /* "redirect_uri_mismatch"          */
	const char *text;                         /* in Google's words; NULL: none    */
	int         status;                       /* of HTTP; 0: not told             */
};

/* The value of authError: a message of protocol buffers (code, text, status) in base64 of either alphabet, padded or not, perhaps
 * percent-encoded. False: it is none, or has no code. */
bool google_page_decode(struct slice auth_error, struct arena *, struct google_page *);

/* The first such thing in any text: an address with authError, else a code as pages print it behind a status. */
bool google_page_find(struct slice text, struct arena *, struct google_page *);

#endif
