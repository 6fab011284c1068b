/* google.h -- Google's interfaces as bytes: Gmail v1, Calendar v3, user information, and what they say when they refuse (facts G A.1,
 * B.1, B.5, C).
 *
 * Answers are short documents; they are bounded and read whole. Everything read lies in the arena. All readers fail with FAULT_TOO_BIG
 * and FAULT_BROKEN, and each says what it takes for broken.
 */
#ifndef WIRE_GOOGLE_H
#define WIRE_GOOGLE_H

#include <stdint.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"

#define GOOGLE_ANSWER  ((size_t)1024 * 1024)
#define GOOGLE_REASONS 6
#define GOOGLE_PAGE    500                    /* most messages of one page: Google's own limit */
#define GOOGLE_TOKEN   ((size_t)4 * 1024)     /* longest that leads to a further page          */
#define GOOGLE_SENDERS 100

/* {"error":{"code":…,"message":…,"errors":[{"reason":…}],"status":…,"details":[{"reason":…}]}} */
struct google_error {
	const char *reason[GOOGLE_REASONS];   /* those of details first: they are the narrowest; each once        */
	size_t      reasons;
	const char *status;                   /* "PERMISSION_DENIED"                                              */
	const char *message;
	const char *service;                  /* "gmail.googleapis.com": whose refusal it is, where that is told  */
};

/* False where the body is no such document: front doors answer with pages and with nothing. */
bool google_error_read(struct slice body, struct arena *, struct google_error *);

/* Whose account it is. Broken: nobody, by neither number nor address. */
struct google_account {
	const char *id, *address;             /* NULL: not told             */
	const char *domain;                   /* of its Workspace; NULL: none */
};

bool google_account_read(struct slice body, struct arena *, struct google_account *, struct error *);

/* Broken: no address. */
struct google_profile {
	const char *address;
	const char *history;                  /* where what is new is asked from: a decimal number of 64 bits; NULL: not told */
	long long   messages;                 /* -1: not told */
};

bool google_profile_read(struct slice body, struct arena *, struct google_profile *, struct error *);

struct google_labels {
	size_t count, own;                    /* all; those of the user's own */
	bool   inbox, sent;
};

/* Broken: no list, a label without an id. */
bool google_labels_read(struct slice body, struct google_labels *, struct error *);

/* The addresses that mail may leave under. Broken: no list; of more than GOOGLE_SENDERS the rest is passed over. */
struct google_sender {
	const char *address;
	bool        primary, usual;           /* the mailbox's own; taken where nothing else is said     */
	bool        alias;                    /* mail to it comes here too                               */
	bool        confirmed;                /* may be used: the mailbox's own, or its owner has agreed */
};

struct google_senders {
	struct google_sender item[GOOGLE_SENDERS];
	size_t               count;
};

bool google_senders_read(struct slice body, struct arena *, struct google_senders *, struct error *);

/* A page of messages: ids alone, newest first. Broken: an id that could not be part of a path. */
struct google_messages {
	const char *id[GOOGLE_PAGE];
	size_t      count;
	const char *next;                     /* of the page after it; NULL: there is none */
};

bool google_messages_read(struct slice body, struct arena *, struct google_messages *, struct error *);

/* One message, as `format=metadata` has it. Broken: without an id. */
struct google_message {
	const char *id, *subject, *from;      /* NULL: not told */
	const char *content_type;             /* of the whole                                                    */
	const char *references;               /* ids of what it is about: References, else In-Reply-To            */
	const char *to, *message_id, *in_reply_to;
	long long   received, size;           /* Unix seconds by Gmail's clock, bytes; 0: not told */
	bool        is_test;                  /* a test message of ours: by its header (wire/header.h) */
};

bool google_message_read(struct slice body, struct arena *, struct google_message *, struct error *);

/* A page of what happened in a mailbox since a moment, as far as it is about the inbox: what was put there, oldest first, each once.
 * Broken: a list that is none, an id that could not be part of a path, no moment that it is asked from next. FAULT_TOO_BIG: more than
 * GOOGLE_ARRIVALS. */
#define GOOGLE_ARRIVALS 2000

struct google_arrival {
	const char *id;
	bool        moved;                    /* was in the mailbox before, and got the inbox's label now */
};

struct google_history {
	struct google_arrival *item;
	size_t                 count;
	const char            *next;          /* of the page after it; NULL: there is none                          */
	const char            *until;         /* of the mailbox, as it is now: counts with the last page (facts G B.2) */
};

bool google_history_read(struct slice body, struct arena *, struct google_history *, struct error *);

/* The bytes of one, as `format=raw` has it. Broken: none, or no base64. */
bool google_raw_read(struct slice body, struct arena *, struct slice *out, struct error *);
/* {"raw":…} of a message to be sent, appended; false where the buffer's limit is reached. */
bool google_raw_write(struct buffer *, struct slice message);

/* Calendars. Broken: no list, one without an id. */
struct google_calendars {
	size_t      count;
	const char *primary, *time_zone;      /* id and zone of the account's own; NULL: none, not told   */
	const char *role;                     /* what may be done with that one: "owner" "writer" …       */
	const char *next;                     /* of the page after it; NULL: there is none                */
};

bool google_calendars_read(struct slice body, struct arena *, struct google_calendars *, struct error *);

/* A moment of an event: on a day as a whole ("2026-11-23"), or at a time of RFC 3339, with the zone it was entered in. */
struct google_time {
	const char *at, *zone;                /* at NULL: not told; zone NULL: that of the calendar, or `at` says it */
	bool        day;
};

struct google_event {
	const char        *id, *uid, *etag, *summary;   /* all but the id: NULL where not told           */
	const char        *series;                      /* of which it is an exception; NULL: of none    */
	struct google_time start, end, original;        /* `original`: when the exception would have been */
	long long          created, updated;            /* Unix seconds; 0: not told */
	bool               gone;                        /* cancelled; then often nothing but the id      */
	bool               recurs, hidden;              /* it is a series; its owner keeps it private    */
};

/* When that is, in Unix seconds; of a day as a whole as if in UTC. False: not told, or no such time. */
bool google_moment(const struct google_time *, int64_t *out);

/* A page of events. Broken: no list, an event without an id, a page that leads both on and to an end. FAULT_TOO_BIG: more than Google's
 * own limit of GOOGLE_EVENTS in one. */
#define GOOGLE_EVENTS 2500

struct google_events {
	struct google_event *item;
	size_t               count;
	const char          *next, *sync;     /* where it goes on; from where it is asked next time. NULL: not told */
};

bool google_events_read(struct slice body, struct arena *, struct google_events *, struct error *);

struct google_new_event {
	const char *id;                       /* of our own choice: a-v and digits */
	const char *summary;
	const char *mark;                     /* kept with it for us alone, under GOOGLE_MARK: by it what is ours is found again */
	const char *start, *end;              /* "2026-11-23T03:00:00", by the clocks of */
	const char *zone;                     /*   as the IANA calls it                  */
};

#define GOOGLE_MARK "mailmoor"

/* A private event that keeps nobody busy, without guests and reminders. `whole` false: only where it is moved to. No text of it may need
 * to be escaped. False: no room. */
bool google_event_write(struct buffer *, const struct google_new_event *, bool whole);

/* Is that scope among those granted, by its whole name? Those of sign-in go by two (facts G A.4): "email" is "…/auth/userinfo.email". */
bool google_scope_has(const char *granted, const char *scope);

#endif
