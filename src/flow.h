/* flow.h -- the product on one page: address, detect, connect, verify, diagnose.
 *
 * A diagnosis is one conversation, run on net/. verify/ and diagnose/ take turns until one cause stands.
 */
#ifndef FLOW_H
#define FLOW_H

#include "connect/app.h"
#include "connect/credentials.h"
#include "diagnose/diagnose.h"
#include "model/app.h"
#include "model/endpoint.h"
#include "model/terms.h"
#include "net/options.h"

/* Of calendars by CalDAV, alone or beside a mailbox. */
struct flow_calendar {
	bool            well;
	struct endpoint endpoint;                  /* `path`: their home */
	const char     *username;
};

/* Where and how a mailbox was signed in to; for the sessions after this one. Kept by the report. */
struct flow_worked {
	bool            well[SERVICES_ALL];
	struct endpoint endpoint[SERVICES_ALL];
	const char     *username;
	uint32_t        uidvalidity, uidnext;      /* of the inbox; 0: not told */
	const char     *mailbox;                   /* at Exchange: its address there */
	bool            others, act_as;            /* as exchange_session has them   */
	const char     *interface;                 /* of the web service, where it is not Exchange: "graph" (then `mailbox` is the id of who
	                                            * signed in), "gmail", "gmail_imap" (its token, by IMAP), "caldav"; NULL                       */
	struct flow_calendar calendar;             /* beside it */
};

/* Where a mailbox may be: what detection found, and what was named. Kept by the report. */
struct flow_found {
	const char            *provider;           /* proposal: "imap" "exchange" "microsoft" "google"; NULL: unknown */
	const struct endpoint *item[SERVICES];     /* best first                                           */
	size_t                 count[SERVICES];
	bool                   not_offered[SERVICES];      /* the domain says so, in so many words         */
	const char            *caldav_url;         /* where somebody trustworthy says the calendars are; NULL: nobody, or not looked for */
	const char            *ews_url;            /* of Exchange, as its Autodiscover told without a sign-in; NULL: it did not */
};

struct oauth_code;
struct microsoft_keys;
struct microsoft_device;
struct oauth_safe;

struct flow_request {
	const char                *address;
	const char                *provider;                /* "auto" "imap" …                                      */
	const char                *username;                /* NULL: the form the source names, else the address; at Microsoft
	                                                     * another address: who signs in for this, a shared mailbox            */
	const struct credentials  *credentials;             /* NULL: only what needs none                           */
	int                        tries_most;              /* refused sign-ins; 0: as many as is sane (2)          */
	const char                *host[SERVICES];          /* NULL: to be detected                                 */
	uint16_t                   port[SERVICES];          /* 0: the usual ones                                    */
	const struct own_trust    *trust;                   /* for the sessions with its servers, or NULL           */
	const char                *ews_url;                 /* as it was typed; NULL: to be found, where Exchange is meant   */
	const char                *caldav_url;              /* likewise of the calendars; NULL: to be found, where CalDAV alone is meant */
	const char                *caldav_username;         /* the calendars' own sign-in, beside a mailbox; NULL: the mailbox's    */
	const char                *caldav_password;         /* likewise                                                     */
	bool                       act_as;                  /* `username` is a service account that impersonates            */
	const struct microsoft_app *microsoft;              /* as whom we are registered there; NULL: not                   */
	struct terms               terms;                   /* there: what may be done, and by whom it was allowed                */
	const struct google_app   *google;                  /* likewise                                                     */
	const struct oauth_code *code;                  /* for flow_signin.h alone; NULL                                */
	struct microsoft_keys     *keys;                    /*   likewise                                                   */
	struct microsoft_device   *device;                  /* likewise                                             */
	const struct oauth_safe *safe;                  /* where a fresh grant is kept before it is used; NULL: nowhere     */
	bool                       send_test;
	bool                       calendar_test;           /* an event of our own is written, read and removed              */
	const char                *send_to;                 /* NULL: to the mailbox itself                          */
	/* the test message, at send_to: as testmail's has_come; NULL: cannot be seen */
	bool                     (*arrived)(void *, const char *token, struct arena *into, struct slice *header_out);
	void                      *arrival;
	int                        timeout_ms;              /* the whole                                            */
	const char                *our_addresses;           /* as FACT_OUR_ADDRESSES has them; NULL: not known      */
	bool                       find_calendar;           /* beside a mailbox, with only_detect: flow_found() tells       */
	bool                       only_detect;             /* where the mailbox may be: no server of it is connected to */
	bool                       keep_talk;               /* for a record                                         */
	void                     (*watch)(void *, const struct report *, int step);
	void                      *watcher;
};

/* -- the line as a conversation, for a loop that has others as well. The request must live as long. -- */

struct flow;

struct flow   *flow_new(const struct flow_request *);
enum want_kind flow_step(void *flow, struct want *, struct error *);      /* never WANT_FAILED: see the verdict */
/* After the conversation has ended, before flow_end(). */
void           flow_found(const struct flow *, struct flow_found *);
/* After the conversation has ended (it took `ms`), or was called off: the verdict, the report (the caller's), and what worked. */
struct report *flow_end(struct flow *, int ms, struct verdict *, struct flow_worked *);
void           flow_free(struct flow *);

/* -- the same on a loop of its own: NULL only for what is wrong on this machine (FAULT_LOCAL). -- */
struct report *flow_diagnose(const struct flow_request *, const struct net_settings *, struct verdict *, struct error *err);

/* One conversation on a loop of its own, until it has ended. False only for what is wrong on this machine (FAULT_LOCAL). */
bool flow_run(struct task *, const struct net_settings *, struct error *err);

/* From a signal handler: stop flow_diagnose() and flow_run(), clean up at the provider what can be cleaned up, report what is known. */
void flow_stop(void);

#endif
