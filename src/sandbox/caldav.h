/* caldav.h -- a calendar server as the sandbox plays it (RFC 4791, 4918, 5397, 6578, 6764; facts G G): `dav.DOMAIN` for each domain that
 * has an account, and the hosts of a few providers, whose sign-in differs.
 *
 * Calendars in memory, their objects as they were written. All of it is under the sandbox's lock; iCalendar is read by libical, and XML by
 * libxml2: nothing of wire/. Its names begin with almanac, since provider/ speaks of caldav too.
 */
#ifndef SANDBOX_CALDAV_H
#define SANDBOX_CALDAV_H

#include <libxml/tree.h>

#include "sandbox/parts.h"

#define ALMANAC_CALENDARS 32                      /* of one account                */
#define ALMANAC_ENTRIES   200000                  /* of one calendar               */
#define ALMANAC_LONGEST   ((size_t)1 << 20)       /* of one of them                */
#define ALMANAC_DOMAINS   128
#define ALMANAC_HOSTS     (3 * ALMANAC_DOMAINS + 8)
#define ALMANAC_ROOT      "/dav/"

#define NS_DAV     "DAV:"
#define NS_CALDAV  "urn:ietf:params:xml:ns:caldav"
#define NS_SERVER  "http://calendarserver.org/ns/"
#define NS_APPLE   "http://apple.com/ns/ical/"

/* -- what is kept (caldav_store.c) -------------------------------------------------------------------------------- */

enum holds { HOLDS_EVENTS = 1, HOLDS_TASKS = 2 };

struct entry {
	char    *name, *uid, *text;
	size_t   len;
	enum holds kind;
	uint64_t changed;            /* the number of its last change, which is its tag as well */
};

/* Of an entry that is no more. */
struct gone {
	char    *name;
	uint64_t change;
};

struct calendar {
	char          *name, *title, *color;
	unsigned       number;       /* no other ever had it */
	unsigned       holds;        /* of enum holds        */
	struct entry **entry;
	size_t         entries, room;
	struct gone   *gone;
	size_t         gones, gone_room;
	uint64_t       change;       /* the last one         */
};

struct home {
	struct account  *account;
	struct calendar *calendar[ALMANAC_CALENDARS];
	size_t           calendars;
};

struct almanac {
	struct home   home[SANDBOX_ACCOUNTS + 2];      /* in the order of the accounts */
	const char   *domain[ALMANAC_DOMAINS], *host[ALMANAC_HOSTS];
	size_t        domains, hosts;
	unsigned      last_number;
	unsigned char key[32];                         /* of nonces                    */
};

/* NULL: there are too many. */
struct calendar *almanac_add(struct almanac *, struct home *, const char *name, const char *title, unsigned holds);
void             almanac_remove(struct home *, struct calendar *);
struct calendar *almanac_calendar(struct home *, const char *name);      /* NULL: none */
struct entry    *almanac_entry(struct calendar *, const char *name);     /* NULL: none */
struct entry    *almanac_with_uid(struct calendar *, const char *uid);
/* New, or in the place of one. False: there are too many. */
bool             almanac_put(struct calendar *, const char *name, const char *uid, enum holds kind, struct slice text);
void             almanac_drop(struct calendar *, struct entry *);
/* The usual calendars of all accounts, or what was ordered. */
void             almanac_fill(struct sandbox *, struct almanac *);

/* -- iCalendar (caldav_times.c) ----------------------------------------------------------------------------------- */

#define ALMANAC_SPANS 5000

struct span { int64_t from, to; };      /* Unix seconds; `to` is past the end */

/* What may be put into a calendar: one object, events or tasks of one UID. Otherwise the condition that it breaks, "valid-calendar-data";
 * NULL: it is fine. */
const char *almanac_weigh(struct arena *, struct slice text, enum holds *kind, const char **uid);
/* When it takes place between the two; how many times, not more than ALMANAC_SPANS. `busy`: only where it takes up time. */
size_t      almanac_spans(struct slice text, struct span between, bool busy, struct span *out);
/* The same text with what happened to its time zones on the way: "unknown", "broken", "lost" or "shifted". */
struct slice almanac_rezoned(struct arena *, struct slice text, const char *how);

/* -- one request -------------------------------------------------------------------------------------------------- */

enum where { AT_NOWHERE, AT_ROOT, AT_PRINCIPAL, AT_HOME, AT_CALENDAR, AT_ENTRY };

struct dav_place {
	enum where       what;
	struct home     *home;
	struct calendar *calendar;
	struct entry    *entry;
	const char      *name;           /* of what is not there yet, below home or calendar; or NULL */
};

struct dav_ask {
	struct sandbox *sandbox;
	struct almanac *almanac;
	struct arena   *work;
	struct request *request;
	struct reply   *reply;
	struct account *account;
	struct dav_place    place;
	const xmlNode  *body;            /* the root of what was sent, or NULL */
};

/* What was asked for, by namespace and name. */
#define ASKED_MOST 64

struct dav_wish {
	struct { const char *space, *name; } of[ASKED_MOST];
	size_t count;
	bool   all, names;               /* whatever there is; its names alone */
};

/* Places as they are named in answers, percent-encoded. */
const char *dav_place_href(struct dav_ask *, const struct dav_place *);
/* Where a path or a URL of somebody's leads; AT_NOWHERE with `name` where something could be put. */
struct dav_place dav_place_at(struct dav_ask *, const char *path);
const char  *entry_tag(struct dav_ask *, const struct entry *);
const char  *calendar_token(struct dav_ask *, const struct calendar *, uint64_t change);
bool         calendar_may_change(struct dav_ask *, const struct calendar *);

bool is_named(const xmlNode *, const char *space, const char *name);

/* An error with a condition of DAV: or CalDAV, "DAV:need-privileges"; NULL: without. `href`: within it, or NULL. */
void dav_error(struct dav_ask *, int status, const char *condition, const char *href);
void dav_wish_read(struct dav_ask *, const xmlNode *prop, struct dav_wish *);      /* NULL: all */
void dav_begin(struct dav_ask *);                                                  /* of a multistatus … */
void dav_tell(struct dav_ask *, const struct dav_place *, const struct dav_wish *);
void dav_tell_gone(struct dav_ask *, const char *href, int status);
void dav_end(struct dav_ask *, const char *token);                                 /* … and its end; token or NULL */

void dav_propfind_answer(struct dav_ask *);      /* caldav_properties.c */
void dav_proppatch(struct dav_ask *);
void dav_report(struct dav_ask *);               /* caldav_reports.c    */
void dav_get(struct dav_ask *);                  /* caldav_write.c      */
void dav_put(struct dav_ask *);
void dav_delete(struct dav_ask *);
void dav_make(struct dav_ask *);

/* -- who it is (caldav_signin.c) ---------------------------------------------------------------------------------- */

/* A host of a provider's; NULL: none of theirs. */
struct dav_provider {
	const char *host, *realm, *domains;      /* of its mailboxes, with blanks between; ""  */
	unsigned    schemes;             /* of enum dav_scheme */
	bool        app_passwords;       /* no other           */
	const char *home;                /* where calendars are, if that is another host */
};

enum dav_scheme { DAV_BASIC = 1, DAV_DIGEST = 2, DAV_DIGEST_SHA256 = 4, DAV_BEARER = 8, DAV_NEGOTIATE = 16, DAV_MOBILEME = 32 };

const struct dav_provider *dav_provider_of(const char *host);
const struct dav_provider *dav_provider_at(size_t n);      /* NULL past the last */
/* NULL: then the reply is written. */
struct account *almanac_sign_in(struct sandbox *, struct request *, struct reply *);

/* -- the part (caldav.c) ------------------------------------------------------------------------------------------ */

struct almanac *almanac_new(struct sandbox *);            /* once there are accounts */
void            almanac_free(struct almanac *);           /* NULL is fine            */
void            almanac_names(struct sandbox *);
void            almanac_tell(struct sandbox *);           /* among the places        */
bool            almanac_certificate(struct sandbox *, struct error *);
/* False: that host is none of its own. */
bool            almanac_answers(struct sandbox *, struct request *, struct reply *);

#endif
