/* caldav.h -- calendars by CalDAV (facts G G): find the service on one host, sign in, and see the calendars.
 *
 * caldav_open_step(): reach; ask without credentials where CalDAV is: the path that was given, then /.well-known/caldav, then /; redirects
 * are followed on the very same host alone; sign in by what that server offers. caldav_look_step(): whose calendars, where, which, and
 * whether an event may be added. Nothing is written.
 *
 * Where another host is named in its place, by a redirect or as the home of the calendars, that ends it without a word more: `leads_to`
 * says where, and whoever runs this decides whether credentials may go there.
 *
 * Records caldav.resolve, .connect, .tls, .offer, .well_known, .root, .login; .principal, .calendars, .rights.
 * Stops with the faults of web.h, and FAULT_NOT_OFFERED (no CalDAV there, no scheme in common), FAULT_REFUSED, FAULT_BUSY, FAULT_ABSENT
 * (no calendar), FAULT_BROKEN.
 */
#ifndef PROVIDER_CALDAV_H
#define PROVIDER_CALDAV_H

#include "provider/web.h"
#include "wire/dav.h"
#include "wire/http.h"

#define CALDAV_REDIRECTS 5
#define CALDAV_CALENDARS 100      /* more are counted, and not kept */
#define CALDAV_REQUEST   ((size_t)64 * 1024)

struct caldav_calendar {
	const char *target, *name;         /* from the report's arena; name NULL where it has none */
	const char *sync_token, *ctag;     /* as they were when it was listed; NULL: not told      */
	unsigned    traits;                /* of enum dav_trait                                    */
};

struct caldav_session {
	/* in */
	struct report           *report;
	const struct endpoint   *endpoint;      /* `path` is what is asked first              */
	const struct login      *login;
	struct waits             waits;
	int                      attempt;
	bool                     at_home;       /* that path is the home of the calendars      */
	bool                     only_reads;    /* whether an event may be added is nobody's question */
	/* set after init: nothing is signed in to before it is open, nor after a refusal; or NULL */
	const struct login_gate *gate;
	int                      gate_ms;
	bool                     only_waits;    /* for it to be open: the password is another one */
	/* out */
	bool                     asked, refused, logged_in;
	const char              *leads_to;      /* a URL; NULL: nowhere else                   */
	bool                     leads_home;    /*   and it is the home of the calendars       */
	struct caldav_calendar   calendar[CALDAV_CALENDARS];
	size_t                   calendars;
	const char              *listed;        /* target of the home whose calendars these are */
	/* its own */
	struct web_session       web;
	struct web_request       request;
	struct buffer            body;
	struct dav_reader       *reader;
	struct arena            *job, *scratch;
	const char              *target;        /* where the service is                        */
	const char              *principal, *home;
	unsigned                 traits;        /* of what is at `target`                      */
	bool                     nobody, provoking;
	size_t                   all, without_events;
	size_t                   path;          /* which of the three is asked                 */
	struct caldav_event     *event;         /* whose answers are awaited, or NULL          */
	struct caldav_sync      *sync;
	struct caldav_watch     *watcher;
	int                      step, reported, redirects;
	bool                     itself;        /* that home is a calendar                     */
	struct { int step; }     look, back;
};

void           caldav_session_init(struct caldav_session *, struct report *, const struct endpoint *, const struct login *, struct waits,
                                   int attempt);
enum want_kind caldav_open_step(void *self, struct want *, struct error *);
enum want_kind caldav_look_step(void *self, struct want *, struct error *);      /* once logged in */
/* One that was signed in to before with that scheme, in place of both: the calendars of the same home, by a line of its own and the fewest
 * words. A refusal is told as the sign-in's. */
void           caldav_back(struct caldav_session *, enum web_scheme, bool itself);
enum want_kind caldav_back_step(void *self, struct want *, struct error *);
/* The answer at hand is a 401 to who was signed in before: WANT_FAILED. */
enum want_kind caldav_refused_again(struct caldav_session *, const struct want *, struct error *);
void           caldav_session_release(struct caldav_session *);                  /* fine again, and after none */

/* -- for what goes on talking on an open session -- */

void           caldav_begin(struct caldav_session *, const char *name, const struct want *);      /* a step of the report */
void           caldav_end(struct caldav_session *, enum step_state, const struct want *);
enum want_kind caldav_failed(struct caldav_session *, enum fault, const struct want *, struct error *, const char *what);
/* What `body` holds; web_ask_step() on `web` brings the answer. `header` is one more of the request's, or NULL. */
void           caldav_ask(struct caldav_session *, const char *method, const char *target, const char *header,
                          void (*resource)(void *, const struct dav_resource *));
/* A multistatus, and all of it. False: something else, or broken, which is in the report then. */
bool           caldav_is_multistatus(struct caldav_session *);
/* What a link in an answer about `target` leads to, until the next one is followed; NULL: nowhere that could be asked. */
const struct http_url *caldav_follow(struct caldav_session *, const char *target, struct slice link);


#endif
