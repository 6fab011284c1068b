/* imap_hunt.h -- one message of ours in one folder: found by its token, its header read, removed again; or its bounce.
 *
 * Conversations on a session that is open and signed in. Finding reads only (EXAMINE, PEEK). Removing touches no
 * message but the one that was found, and never expunges what somebody else marked as deleted. They record nothing:
 * what was seen is in the struct.
 *
 * Each ends with WANT_NOTHING, whatever the server thought of it, and may then be run again; or with WANT_FAILED when
 * the line is of no more use (FAULT_NETWORK, FAULT_TIMEOUT, FAULT_TLS, FAULT_BROKEN, FAULT_TOO_BIG). Being called off
 * does not end them: the answer under way is waited for, so that the session can still be used to clean up.
 */
#ifndef PROVIDER_IMAP_HUNT_H
#define PROVIDER_IMAP_HUNT_H

#include "provider/imap.h"
#include "wire/header.h"

#define IMAP_HUNT_HITS 4
#define IMAP_HUNT_FIELD HEADER_TEST

struct imap_hunt {
	/* in */
	struct imap_session *imap;
	struct arena        *job;              /* what is found is kept there                                   */
	const char          *folder;           /* on the wire; NULL: none, or its name cannot be said: no hunt  */
	const char          *token, *subject;  /* the subject has the token in it                               */
	const char          *message_id;       /* without < >                                                   */
	/* out: how far it came */
	bool                 opened, searched;
	const char          *refusal;          /* of the last command that was refused, the server's words      */
	enum came            came;             /* after WANT_FAILED; CAME: what came was no IMAP                */
	bool                 time_is_up;       /*   the whole has no time left; not the server's fault          */
	/* out: the message */
	bool                 found;
	uint32_t             uid, uid_validity;
	struct slice         header;           /* of our message: Received, From, Authentication-Results …       */
	struct slice         bounce;           /* beginning of a bounce about it: header and body; or at NULL   */
	bool                 marked;           /* as deleted, and left there: the server has no UIDPLUS         */
	bool                 moved;            /* to the trash: Gmail                                           */
	bool                 removed;
	/* its own */
	int                  step;
	unsigned             tag;
	int64_t              asked_ms;
	bool                 said_ok, read_only, by_subject;
	uint32_t             exists, validity, hit[IMAP_HUNT_HITS];
	size_t               hits, next;
	struct slice         text;             /* of the last FETCH */
};

void imap_hunt_init(struct imap_hunt *, struct imap_session *, struct arena *job, const char *folder, const char *token,
                    const char *subject, const char *message_id);

enum want_kind imap_hunt_find_step(void *self, struct want *, struct error *);      /* fills in found … header */
enum want_kind imap_hunt_bounce_step(void *self, struct want *, struct error *);    /* fills in bounce         */
enum want_kind imap_hunt_remove_step(void *self, struct want *, struct error *);    /* after it was found      */

#endif
