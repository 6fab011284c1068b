/* form.h -- forms as they stand in a query or a body (application/x-www-form-urlencoded): read, and written. Foreign bytes; bounded. */
#ifndef SANDBOX_FORM_H
#define SANDBOX_FORM_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/slice.h"

#define FORM_FIELDS  64
#define FORM_LONGEST ((size_t)256 * 1024)

struct form {
	struct { const char *name, *value; } field[FORM_FIELDS];
	size_t count;
};

/* False: more than it holds, a broken %-form, a NUL. Texts are in the arena. */
bool        form_read(struct arena *, struct slice text, struct form *out);
/* The first of that name; NULL: none. */
const char *form_get(const struct form *, const char *name);
/* The same where "" will do. */
const char *form_text(const struct form *, const char *name);
void        form_put(struct form *, const char *name, const char *value);      /* one more; nothing where it is full */

/* "name=value", with the "&" before it where there is something before it. Nothing for a value that is NULL. */
void        form_write(struct buffer *, const char *name, const char *value);
/* All of it, in the arena. */
const char *form_whole(struct arena *, const struct form *);

/* Without its %-forms; NULL: a broken one, or a NUL. `plus`: "+" is a blank. */
const char *url_plain(struct arena *, struct slice, bool plus);

#endif
