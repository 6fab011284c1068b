/* mailbox.h -- one connected mailbox, held: signed in, its inbox open, parked until something happens, news kept as they come.
 *
 * By IMAP it holds its line; at Exchange, by Graph and at Gmail it is asked from time to time or when somebody says so, over a line of its
 * own each time, and needs its credentials for that again.
 * One conversation from the first byte to the loss of the line. It ends with WANT_FAILED, and then mailbox_report() tells why;
 * whether, when and how it is tried again is for others to say. It has no time-out of its own beyond those of its waits.
 * While parked it holds the struct, its line and nothing else.
 */
#ifndef WATCH_MAILBOX_H
#define WATCH_MAILBOX_H

#include "provider/caldav_watch.h"
#include "provider/exchange_watch.h"
#include "provider/google_notices.h"
#include "provider/imap_watch.h"
#include "provider/microsoft_notices.h"

struct mailbox;

/* What it asks of whoever runs it. All are called in the conversation's thread, with `self`. */
struct mailbox_owner {
	/* The credentials, just before each sign-in: valid until lock(). At Exchange also the trust, by Graph the grant. False when there
	 * are none: that ends it with FAULT_LOCAL. */
	bool           (*unlock)(void *self, struct login *out, const struct secrets **secrets_out);
	void           (*lock)(void *self);
	/* Signed in and open: from here on it is connected. */
	void           (*settled)(void *self, const struct mailbox *);
	/* At Exchange and by Graph, before a line is opened again: what to wait for. NULL: the host is known to be down, and that ends it
	 * with FAULT_NETWORK. */
	struct errand *(*knock)(void *self);
	/* The news and the place in the mailbox, to be kept before it goes on. The errand is the owner's; NULL: nothing to
	 * keep. */
	struct errand *(*keep)(void *self, struct mailbox *);
	/* Were they kept? False ends it with FAULT_LOCAL: what was not kept is told again by the next session. */
	bool           (*kept)(void *self);
};

/* What kind it is: how one is opened, asked and let go of. A row each, in a file of its own: mailbox_imap.c and so on. */
struct mailbox_kind;
extern const struct mailbox_kind mailbox_by_imap, mailbox_by_ews, mailbox_by_graph, mailbox_by_gmail, mailbox_by_caldav;

struct mailbox {
	const struct mailbox_kind  *kind;
	const struct mailbox_owner *owner;
	void               *self;
	struct endpoint     endpoint;           /* its host is the owner's, and lives as long; its trust until it is settled */
	union {
		struct {
			struct imap_session imap;
			struct imap_watch   watch;
			struct { int step; } opening;
			struct mailbox_renewal *renewal;        /* of a grant, before the sign-in; NULL: a password, or it is over */
		};
		struct {
			struct exchange_watch exchange;
			char                 *path, *name;      /* of the endpoint; of the mailbox there */
		};
		struct {
			struct microsoft_watch microsoft;
			struct microsoft_notices notices;
			char              *delegate;
		};
		struct {
			struct google_watch   google;
			struct google_notices pushes;
		};
		struct {
			struct caldav_watch calendars;
			char              *home;           /* of the endpoint */
		};
	};
	struct oauth_grant  grant;              /* where there is one: the owner's, while it is unlocked */
	struct login        login;
	struct errand      *keeping;
	int                 step;
	bool                locked;
};

void           mailbox_init(struct mailbox *, const struct mailbox_owner *, void *self, const char *address, const struct endpoint *,
                            enum tls_how, uint32_t uidvalidity, uint32_t uidnext);
/* Gmail by IMAP, where its interface is off (facts G B.6): the grant is renewed where it has run out. `app` and `safe` live as long. */
void           mailbox_init_gmail_imap(struct mailbox *, const struct mailbox_owner *, void *self, const char *address,
                                       const struct endpoint *, uint32_t uidvalidity, uint32_t uidnext, const struct google_app *,
                                       struct terms, const struct oauth_safe *);
/* At Exchange: `mailbox` is its address there; that, the endpoint's path and `sync_state` (NULL: known from now on) are copied. */
void           mailbox_init_exchange(struct mailbox *, const struct mailbox_owner *, void *self, const char *address, const char *mailbox,
                                     bool others, bool act_as, const struct endpoint *, const char *sync_state);
/* By Graph: `app` and `safe` live as long; `delegate`, who signs in for a mailbox that is not their own (NULL: it is), and `delta_link`
 * (NULL: known from now on) are copied. */
void           mailbox_init_microsoft(struct mailbox *, const struct mailbox_owner *, void *self, const char *address,
                                      const char *delegate, const struct microsoft_app *, struct terms, const struct oauth_safe *,
                                      const char *delta_link, int64_t since);
/* At Gmail: `app` and `safe` live as long; `history` (NULL: known from now on) is copied. */
void           mailbox_init_google(struct mailbox *, const struct mailbox_owner *, void *self, const char *address,
                                   const struct google_app *, struct terms, const struct oauth_safe *, const char *history, int64_t since);
/* By CalDAV: the calendars below the endpoint's path, which is copied. */
void           mailbox_init_caldav(struct mailbox *, const struct mailbox_owner *, void *self, const char *address, const struct endpoint *,
                                   const struct caldav_memory *);
/* Before the first step: Graph is to say when something happens. The place lives as long. */
void           mailbox_have_it_told(struct mailbox *, struct microsoft_place *, const struct microsoft_prover *,
                                    const struct microsoft_subscription *kept);
/* Likewise Gmail, by Cloud Pub/Sub. */
void           mailbox_have_it_pushed(struct mailbox *, struct google_topic *, const struct google_listener *,
                                      const struct google_watched *kept);
enum want_kind mailbox_step(void *mailbox, struct want *, struct error *);
/* LOGOUT on the open line, flushed with the next wait or not at all. */
void           mailbox_goodbye(struct mailbox *, const struct want *);
void           mailbox_release(struct mailbox *);

/* How it stands. */
struct mailbox_look {
	struct report        *report;           /* of the sign-in, or of the loss; NULL while parked                      */
	const struct message *news;             /* to be told: until the owner has kept them                              */
	size_t                count;
	const struct calendar_news *entries;      /* likewise, of calendars                                               */
	size_t                entry_count;
	int                   busy_ms;          /* so long the server wants to be left alone; 0: it does not say so       */
	bool                  more;             /* there are more news, to be asked for                                   */
	bool                  asked;            /* the server took part in the sign-in, be it to refuse                   */
	/* One that was connected, and whose credentials are taken no more: it is not merely lost. With a grant that is told by who signs
	 * in anew. */
	bool                  refused;
};

struct mailbox_look mailbox_look(const struct mailbox *);

#endif
