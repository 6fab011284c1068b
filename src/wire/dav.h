/* dav.h -- WebDAV and CalDAV: the requests, and the multistatus that answers them (RFC 4918, 4791, 5397, 6578), without a socket.
 *
 * A multistatus is read as it comes: each resource is told once it is whole, and nothing of it is kept after that, so that a calendar of
 * 100,000 events needs no more memory than its longest one. A property counts only where its own propstat says 2xx; names are known by
 * their namespace, whatever the prefix. Of the same property told twice the first counts.
 *
 * Where an answer contradicts itself, less is believed: beside a status of its own that is no 2xx, no property of a resource counts;
 * properties without a status count for nothing; a status that cannot be read, two names for one set of properties, and a resource
 * without a name break it (FAULT_BROKEN).
 */
#ifndef WIRE_DAV_H
#define WIRE_DAV_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "wire/xml.h"

/* -- requests ----------------------------------------------------------------------------------------------------- */

enum dav_question {
	DAV_WHO,             /* who is signed in, where that one's calendars are, and what this is itself */
	DAV_LIST,            /* of the calendars in a home                                                */
	DAV_ETAGS,
};

#define DAV_HREFS_ASKED 100      /* of one multiget (facts G G.2) */

/* Each false when it does not fit the buffer. Times are UTC as iCalendar writes them, "20260101T000000Z". */
bool dav_propfind(struct buffer *out, enum dav_question);
bool dav_sync(struct buffer *out, const char *token);                                 /* "" begins */
/* ETags of events in between, both NULL: of all; with `data` what they hold as well. */
bool dav_query(struct buffer *out, const char *start, const char *end, bool data);
bool dav_multiget(struct buffer *out, const char *const *href, size_t count);         /* ETags and data */

/* -- answers ------------------------------------------------------------------------------------------------------ */

#define DAV_TEXT       ((size_t)4 * 1024)         /* of a name, a tag, a token: longer ones are FAULT_TOO_BIG */
#define DAV_DATA       ((size_t)1024 * 1024)      /* of one event with all its exceptions: a longer one is told without its data */
#define DAV_HOMES      4
#define DAV_SAME       16                         /* resources that share one status                          */

/* What it is, what it holds, and what may be done with it. */
enum dav_trait {
	DAV_COLLECTION     = 1,
	DAV_CALENDAR       = 2,
	DAV_PRINCIPAL      = 4,
	DAV_COMPONENTS     = 8,          /* it told which components it takes …                          */
	DAV_EVENTS         = 16,         /*   … events are among them                                    */
	DAV_RIGHTS         = 32,         /* it told what may be done …                                   */
	DAV_MAY_READ       = 64,
	DAV_MAY_ADD        = 128,        /*   … a new event may be put there                             */
	DAV_MAY_CHANGE     = 256,
	DAV_MAY_REMOVE     = 512,
	DAV_REPORTS        = 1024,       /* it told which reports it knows …                             */
	DAV_SYNCS          = 2048,
	DAV_NOBODY         = 4096,       /* current-user-principal: nobody is signed in                  */
	DAV_TOO_LONG       = 8192,       /* its data is beyond DAV_DATA, and not here                    */
};

/* All texts during the call only; NULL where it was not told. */
struct dav_resource {
	const char *href;                /* as it stood: still to be resolved                            */
	int         status;              /* of the resource itself: 404 for what is gone, 507; 0: none   */
	const char *condition;           /* what its own error says, as dav_answer has it                */
	unsigned    traits;
	const char *principal;           /* href of whoever is signed in                                 */
	const char *home[DAV_HOMES];     /* calendar-home-set                                            */
	size_t      homes;
	const char *name, *etag, *sync_token, *ctag;
	struct slice data;               /* calendar-data; at == NULL where there is none                */
};

struct dav_answer {
	const char *sync_token;          /* of a sync: where it got to                                   */
	const char *condition;           /* "DAV:valid-sync-token", "CALDAV:no-uid-conflict": the first of an error, where that is the document */
	size_t      resources;
	bool        multistatus;
};

struct dav_reader;

struct dav_reader *dav_reader_new(struct arena *into, void (*resource)(void *, const struct dav_resource *), void *self);
void               dav_reader_free(struct dav_reader *);
/* False with FAULT_BROKEN or FAULT_TOO_BIG; it stays so. */
bool               dav_feed(struct dav_reader *, struct slice bytes, struct error *);
/* Was it whole? */
bool               dav_finish(struct dav_reader *, struct error *);
const struct dav_answer *dav_answer(const struct dav_reader *);      /* texts from `into` */

/* "HTTP/1.1 200 OK": 200; 0 for what is no status line. */
int  dav_status(struct slice line);
/* The same place, however each is percent-encoded, with or without a last slash. */
bool dav_same_path(const char *a, const char *b);

#endif
