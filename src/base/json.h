/* json.h -- JSON read and written by cJSON, with bounds that cJSON does not have.
 *
 * Reading: size and depth are checked before cJSON sees the text, and a NUL in a string is refused (it would cut it).
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <cjson/cJSON.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/slice.h"

#define JSON_DEEPEST 64

/* FAULT_TOO_BIG, FAULT_BROKEN. Free with cJSON_Delete(). */
cJSON *json_read(struct slice text, size_t longest, struct error *err);

/* The member's text, or NULL when it is not there or no string. */
const char *json_text(const cJSON *object, const char *member);
double      json_number(const cJSON *object, const char *member, double otherwise);

/* The member's text copied; NULL also where it is empty. */
const char *json_copy(const cJSON *object, const char *member, struct arena *into);

/* cJSON_Delete() for what may hold secrets: cJSON gives memory back as it is, so the texts are wiped first. NULL is fine. */
void json_forget(cJSON *);

/* Indented, from the heap: free(). Numbers that are whole are written as such. */
char *json_write(const cJSON *);

#endif
