/* hole.h -- a port where connections come to nothing. */
#ifndef SANDBOX_HOLE_H
#define SANDBOX_HOLE_H

#include <stdint.h>

#include "base/error.h"

enum hole_kind { HOLE_REFUSES, HOLE_VANISHES, HOLE_SILENT, HOLE_RESETS };

struct hole;

/* `*port` 0: any. FAULT_LOCAL. */
struct hole *hole_new(const char *address, uint16_t *port, enum hole_kind, struct error *err);
void         hole_free(struct hole *);      /* NULL is fine */

#endif
