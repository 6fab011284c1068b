/* world.h -- a small Internet made of tables, and a loop that runs conversations in it.
 *
 * Names that are not in the table do not exist, URLs that are not in the table are 404. Time is counted, not spent: it
 * jumps to whatever is due next. Everything that was asked for is written down, so that a test can say what must never
 * be asked. A conversation that waits for nothing that could ever come fails the test.
 */
#ifndef TESTS_WORLD_H
#define TESTS_WORLD_H

#include "base/want.h"
#include "wire/dns.h"

struct world;

struct world *world_new(void);
void          world_free(struct world *);
DEFINE_CLEANUP(world)

/* "192.0.2.1", "10 mx1.birch.example", "0 0 993 imap.birch.example" (SRV: priority weight port target), "v=spf1 …" */
void world_dns(struct world *, const char *name, enum dns_type, const char *record);
/* The question fails in that way; name "*": every question that nothing else in the table answers. DNS_NO_DATA: the
 * name exists. `extended`: an extended error to go with it, or -1. */
void world_dns_fails(struct world *, const char *name, enum dns_type, enum dns_outcome, int extended);
void world_dns_authentic(struct world *);                 /* from now on all answers have the AD bit */

/* `head`: more header lines with CRLF between them, or NULL. A URL without a query answers for any query. */
void world_url(struct world *, const char *url, int status, const char *head, const char *body);
void world_url_fails(struct world *, const char *url, enum came);
void world_address_fails(struct world *, const char *address, enum came);    /* every connection to it */

/* Answers about this name or URL come that late (others take a millisecond); never: WORLD_NEVER. */
#define WORLD_NEVER 1000000000
void world_late(struct world *, const char *name_or_url, int ms);

/* For CONNECT, READ, WRITE and TLS: the answer is given at once; how the wait ended is returned (CAME_NOTHING: never
 * ends by itself). */
void world_lines(struct world *, enum came (*answer)(void *self, struct want *), void *self);

void world_stop_at(struct world *, int64_t ms);           /* calls everything off at that moment */

/* Until the end. True for WANT_NOTHING, false with `err` for WANT_FAILED. */
bool world_run(struct world *, enum want_kind (*step)(void *, struct want *, struct error *), void *self,
               struct error *err);

int64_t     world_now(const struct world *);
/* How many wants of that kind were about something with `has` in it. */
size_t      world_count(const struct world *, enum want_kind, const char *has);
/* The n-th: "MX birch.example", "GET https://…"; NULL past the last. */
const char *world_asked(const struct world *, size_t n, enum want_kind *kind);

#endif
