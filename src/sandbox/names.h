/* names.h -- the sandbox's name server: a small table, over UDP and TCP on one loopback port. What is not in it does not exist. */
#ifndef SANDBOX_NAMES_H
#define SANDBOX_NAMES_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/slice.h"

enum record { RECORD_A = 1, RECORD_CNAME = 5, RECORD_MX = 15, RECORD_TXT = 16, RECORD_SRV = 33 };
enum names_special { NAMES_USUAL, NAMES_FAILS, NAMES_SILENT };      /* SERVFAIL; no answer at all */

#define NAMES_RECORDS 2048
#define NAMES_ANY     "*"      /* stands for every name that is not there */

struct names;

struct names *names_new(void);
/* Before names_start(). `value`: an IPv4 address, a host, or a text. `priority` is also MX's preference. The texts must live on. */
void names_add(struct names *, const char *name, enum record, const char *value, uint16_t priority, uint16_t port);
void names_special(struct names *, const char *name, enum names_special);

/* The reply to one query, into `out`; its length, 0 when there is none. Never more than `room`, at least 512; by UDP
 * (`longest` 512 or what the asker takes) an answer that does not fit is cut and says so. Pure: for tests and fuzzers. */
size_t names_answer(const struct names *, struct slice query, size_t longest, unsigned char *out, size_t room);

/* FAULT_LOCAL. `*port` is then what it got. */
bool names_start(struct names *, const char *address, uint16_t *port, struct error *err);
void names_free(struct names *);      /* ends it; NULL is fine */

#endif
