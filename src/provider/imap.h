/* imap.h -- a session with an IMAP server (RFC 9051, 3501): to the sign-in, and the look into the mailbox.
 *
 * Two conversations over one struct. imap_open_step(): reach, greeting, STARTTLS, capabilities, sign-in. imap_look_step():
 * ID, LIST and EXAMINE in one go. Nothing is written at the provider: the inbox is opened with EXAMINE.
 * A password is said only on a line that is secure and to an endpoint that is trusted; without credentials the session
 * ends well before the sign-in, which is then `skipped`.
 * Records the steps imap.greeting, imap.starttls, imap.capability, imap.login; imap.id, imap.list, imap.open.
 * Stops with FAULT_NETWORK, FAULT_TIMEOUT, FAULT_TLS, FAULT_REFUSED, FAULT_BROKEN, FAULT_NOT_OFFERED, FAULT_CANCELLED
 * and those of reach.h.
 */
#ifndef PROVIDER_IMAP_H
#define PROVIDER_IMAP_H

#include "provider/login.h"
#include "provider/session.h"
#include "wire/imap.h"

#define IMAP_LONGEST_LINE    (128 * 1024)
#define IMAP_LONGEST_LITERAL (64 * 1024)
#define IMAP_SPECIALS        8

struct imap_session {
	struct session         base;
	/* in */
	const struct login    *login;
	/* out */
	bool                   logged_in;
	bool                   refused;             /* the server judged the credentials and said no              */
	bool                   asked;               /* credentials were sent                                      */
	bool                   inbox_open;
	uint32_t               uidvalidity, uidnext; /* of the inbox, as the look saw it; 0 when it was not told  */
	char                   sent_folder[128];    /* \Sent, as on the wire; "" unknown                          */
	char                   junk_folder[128];    /* \Junk, likewise                                            */
	char                   trash_folder[128];   /* \Trash, likewise                                           */
	/* its own */
	struct imap_reader    *reader;              /* NULL while parked, like job                                */
	struct arena          *job;                 /* of one step */
	int                    step;
	struct { int step; }   upgrade;
	int                    id_step, list_step, inbox_step;                /* in the report */
	unsigned               tag, capability_tag, id_tag, list_tag, open_tag;
	struct slice           capability;          /* in the report's arena */
	struct sasl           *sasl;
	const struct sasl_mechanism *mechanism;
	bool                   asking, cancelled, initial_sent, knows_id, list_extended;
	char                  *login_part[3];       /* of a LOGIN with literals, in `job` */
	size_t                 login_parts, login_said;
	size_t                 folders, specials, also;
	unsigned               rounds;              /* of the sign-in */
	uint32_t               messages;
};

void           imap_session_init(struct imap_session *, struct report *, const struct endpoint *, const struct login *, struct waits,
                                 int attempt);
enum want_kind imap_open_step(void *self, struct want *, struct error *);
enum want_kind imap_look_step(void *self, struct want *, struct error *);      /* after a successful open with logged_in */
void           imap_goodbye(struct imap_session *, const struct want *);       /* LOGOUT, flushed with the next want, not waited for */
void           imap_session_release(struct imap_session *);

/* Between two responses of a signed-in session: gives back all memory but the line's, so that thousands can wait. The
 * credentials and the report are not looked at any more. */
void           imap_session_park(struct imap_session *);
/* Before anything else is done with a parked one: what happens from here on goes into this report. */
void           imap_session_wake(struct imap_session *, struct report *);

/* -- for others that go on talking on an open session (the search for a test message) -- */

/* Says one command; its tag is returned. */
__attribute__((format(printf, 3, 4)))
unsigned imap_say(struct imap_session *, const struct want *, const char *fmt, ...);
/* The next response, once there is a whole one; drop it with imap_heard() when it is dealt with. */
struct imap_event imap_hear(struct imap_session *, const struct want *, size_t *used);
void              imap_heard(struct imap_session *, size_t used);
/* The same, waited for: WANT_NOTHING when it is there. How the line ended, or what came instead, is recorded in the step under way. */
enum want_kind    imap_await(struct imap_session *, struct imap_event *, size_t *used, int wait_ms, struct want *, struct error *);
/* A tagged NO or BAD, or a BYE, that ends it: recorded, the step closed as failed. WANT_FAILED. */
enum want_kind    imap_refused(struct imap_session *, const struct imap_event *, const struct want *, struct error *);
bool              imap_is_tag(const struct imap_event *, unsigned tag);

#endif
