/* mailbox.h -- one connected mailbox, held: signed in, its inbox open, parked until something happens, news kept as they come.
 *
 * One conversation from the first byte to the loss of the line. It ends with WANT_FAILED, and then mailbox_report() tells why;
 * whether, when and how it is tried again is for others to say. It has no time-out of its own beyond those of its waits.
 * While parked it holds the struct, its line and nothing else.
 */
#ifndef WATCH_MAILBOX_H
#define WATCH_MAILBOX_H

#include "provider/imap_watch.h"

struct mailbox;

/* What it asks of whoever runs it. All are called in the conversation's thread, with `self`. */
struct mailbox_owner {
	/* The credentials, just before the sign-in: valid until lock(). False when there are none: that ends it with FAULT_LOCAL. */
	bool           (*unlock)(void *self, struct login *out, const struct secrets **secrets_out);
	void           (*lock)(void *self);
	/* Signed in and open: from here on it is connected. */
	void           (*settled)(void *self, const struct mailbox *);
	/* The news and the place in the mailbox, to be kept before it goes on. The errand is the owner's; NULL: nothing to
	 * keep. */
	struct errand *(*keep)(void *self, const struct mailbox *);
	/* Were they kept? False ends it with FAULT_LOCAL: what was not kept is told again by the next session. */
	bool           (*kept)(void *self);
};

struct mailbox {
	const struct mailbox_owner *owner;
	void               *self;
	struct endpoint     endpoint;           /* its host is the owner's, and lives as long; its trust until it is settled */
	struct imap_session imap;
	struct imap_watch   watch;
	struct login        login;
	struct errand      *keeping;
	int                 step;
	bool                locked;
};

void           mailbox_init(struct mailbox *, const struct mailbox_owner *, void *self, const char *address, const struct endpoint *,
                            enum tls_how, uint32_t uidvalidity, uint32_t uidnext);
enum want_kind mailbox_step(void *mailbox, struct want *, struct error *);
/* LOGOUT on the open line, flushed with the next wait or not at all. */
void           mailbox_goodbye(struct mailbox *, const struct want *);
void           mailbox_release(struct mailbox *);

/* Of the sign-in, or of the loss; NULL while parked. */
static inline struct report *mailbox_report(struct mailbox *m)
{
	return m->watch.report;
}

#endif
