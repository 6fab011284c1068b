/* arena.h -- memory of one job, given back in one go.
 *
 * What a job allocates, the job's arena owns. Memory comes zeroed. Running out ends the process with exit status 70;
 * so nothing here can fail, and in return everything a peer can make us hold has a limit where it is born.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdarg.h>

#include "base/slice.h"

#define CLEANUP(type)        __attribute__((cleanup(type##_cleanup)))
#define DEFINE_CLEANUP(type) static inline void type##_cleanup(struct type **p) { type##_free(*p); }
#define COUNT(array)         (sizeof(array) / sizeof((array)[0]))

struct arena;

struct arena *arena_new(void);
void          arena_free(struct arena *);                   /* wipes: credentials pass through here; NULL is fine */
DEFINE_CLEANUP(arena)
void          arena_reset(struct arena *);                  /* wipes; keeps a little room for the next job */

void  *arena_get(struct arena *, size_t size);              /* zeroed, aligned for anything        */
char  *arena_copy(struct arena *, struct slice);            /* with a NUL behind it                */
char  *arena_str(struct arena *, const char *text);
__attribute__((format(printf, 2, 3)))
char  *arena_print(struct arena *, const char *fmt, ...);
char  *arena_vprint(struct arena *, const char *fmt, va_list);

/* Bytes handed out so far: for the tests of "holds nothing while parked". */
size_t arena_used(const struct arena *);

/* malloc that cannot fail: for what outlives a job. Zeroed; free() gives it back. */
void *must_alloc(size_t size);
void *must_realloc(void *, size_t size);
char *must_copy(const char *text);

#endif
