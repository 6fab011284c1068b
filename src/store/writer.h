/* writer.h -- the one thread that changes the store: it takes all that waits and keeps it in one commit. */
#ifndef STORE_WRITER_H
#define STORE_WRITER_H

#include "store/store.h"

struct db;
struct writer;

/* The connection stays the caller's, and is the thread's until writer_stop(). */
struct writer *writer_start(struct db *, struct error *err);
void           writer_stop(struct writer *);        /* answers all that was handed over; NULL is fine */

void writer_take(struct writer *, struct store_write *);
void writer_health(struct writer *, struct store_health *out);

#endif
