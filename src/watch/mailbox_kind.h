/* mailbox_kind.h -- what the kinds of held mailboxes (mailbox.h) have to bring, and the two orders in which it is done. For this folder.
 *
 * One that holds its line is open from the sign-in to the loss: open, then news and wait in turn. One that is asked has neither line nor
 * credentials between two turns: unlocked, it is opened once; then each turn is ready, news (page by page, each kept), rest, park, told;
 * wait; and wake for the next one.
 * Every step that fails leaves a report that says why, which look() shows.
 */
#ifndef WATCH_MAILBOX_KIND_H
#define WATCH_MAILBOX_KIND_H

#include "watch/mailbox.h"

#define MAILBOX_WHOLE_MS 30000      /* the waits of a sign-in follow from it */

typedef enum want_kind mailbox_part(struct mailbox *, struct want *, struct error *);

struct mailbox_kind {
	mailbox_part *order;                                              /* one of the two below                                    */
	mailbox_part *open;                                               /* until it is connected                                   */
	mailbox_part *ready;                                              /* before the news of a turn, over its line; NULL: nothing */
	mailbox_part *news;                                               /* one page: see look()                                    */
	mailbox_part *wait;                                               /* until it is to be asked again                           */
	void        (*rest)(struct mailbox *, const struct want *);       /* there are no more news, and the line is open; NULL      */
	/* NULL for one that holds its line: */
	void        (*park)(struct mailbox *);                            /* the line goes, the news stay; may be said twice         */
	void        (*told)(struct mailbox *);                            /* the news go                                             */
	void        (*wake)(struct mailbox *);
	void        (*locked)(struct mailbox *);                          /* what it had from the owner's goes; NULL: nothing        */
	void        (*goodbye)(struct mailbox *, const struct want *);    /* NULL: it says none                                      */
	void        (*release)(struct mailbox *);
	struct mailbox_look (*look)(const struct mailbox *);
};

mailbox_part mailbox_holds, mailbox_asks;

/* The credentials are needed no more. Fine when they are not there. */
void         mailbox_lock(struct mailbox *);

#endif
