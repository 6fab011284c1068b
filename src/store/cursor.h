/* cursor.h -- where a page of a list ended: its last row's time and id, as one opaque text. What comes in between later does
 * not move it. */
#ifndef STORE_CURSOR_H
#define STORE_CURSOR_H

#include "base/arena.h"
#include "base/error.h"

#include <stdint.h>

const char *cursor_text(struct arena *into, int64_t time, const char *id);
/* `*id` points into `cursor`. FAULT_MALFORMED. */
bool cursor_read(const char *cursor, int64_t *time, const char **id, struct error *err);

#endif
