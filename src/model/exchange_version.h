/* exchange_version.h -- what a build number of Exchange stands for, and what may be asked of it (facts M C.2). A table. */
#ifndef MODEL_EXCHANGE_VERSION_H
#define MODEL_EXCHANGE_VERSION_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/slice.h"

struct exchange_build {
	unsigned major, minor, build, revision;
};

enum exchange_era { EXCHANGE_UNKNOWN, EXCHANGE_TOO_OLD /* before 2010 SP2 */, EXCHANGE_FINE, EXCHANGE_ONLINE };

/* "15.2.1544.9", as X-OWA-Version says it; trailing numbers may be missing. False when it is none. */
bool exchange_build_read(struct slice text, struct exchange_build *out);
/* The hexadecimal of Autodiscover's ServerVersion: skip 4 bits, 6 major, 6 minor, skip 1, 15 build. */
bool exchange_build_from_hex(struct slice text, struct exchange_build *out);

enum exchange_era exchange_era(const struct exchange_build *);
/* "Exchange Server 2019 CU14 (15.2.1544.9)", "Exchange Server 2010 SP1 (14.1.438.0)": as exact as the table is sure; from `into`. */
const char *exchange_build_name(const struct exchange_build *, struct arena *into);
/* What to put into RequestServerVersion: the newest schema that both know; never above "Exchange2013_SP1". */
const char *exchange_schema(const struct exchange_build *);
/* Extended Protection may be on by default: Exchange 2019 CU14 and later, Subscription Edition. */
bool exchange_binds_channels(const struct exchange_build *);

#endif
