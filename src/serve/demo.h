/* demo.h -- what `mailmoor demo` adds to the daemon: a tour of what the help articles state, with a mailbox for each cause, and doors
 * through which a browser reaches the sign-in pages that are played on this machine. No setting leads here: only who calls serve_demo().
 */
#ifndef SERVE_DEMO_H
#define SERVE_DEMO_H

#include <stdio.h>

#include "base/arena.h"
#include "base/settings.h"
#include "base/slice.h"

/* A mailbox of the tour. Texts may be NULL where it says so. */
struct demo_mailbox {
	const char *name;            /* in addresses of the tour: "expired-certificate"                                        */
	const char *address;
	const char *provider;        /* of the connect page                                                                    */
	const char *password;        /* NULL: with one of the next two, or somebody has to sign in by a page                   */
	const char *grant_file;      /* what the token endpoint answered to whoever signed in before; NULL                     */
	bool        tenant;          /* by the operator's service account, to which an administrator delegated it              */
	const char *username;        /* NULL: the address                                                                      */
	bool        impersonate;     /* that user acts for the mailbox                                                         */
	const char *ews_url;         /* as somebody typed it; NULL: it is to be found                                          */
	const char *caldav_url;      /* of the calendar beside a mailbox; NULL: none, alone it is found                        */
	const char *imap, *smtp;     /* HOST:PORT, likewise                                                                    */
	const char *cause;           /* id of what has to come of it; NULL: nothing but a connection                           */
	bool        mended;          /* which is there all the same: what was wrong was found and put right                    */
};

/* A statement of the articles; its words are "page/tour.s10" of the catalogue. */
struct demo_statement {
	const char *id;              /* "S10"                                                                                  */
	const char *beside;          /* what neighbouring pages say of it, each once: "N1 N24"; "" is nothing                  */
	const char *see;             /* names of mailboxes, or paths of pages ("/help/…"), blanks between; "settings" is that page */
};

/* What a browser asks of a page that is played, and what it gets. */
struct demo_visit {
	const char  *host, *method, *path;      /* the path with its query                                                 */
	const char  *cookies, *type;            /* NULL: none                                                              */
	struct slice body;
};

#define DEMO_COOKIES 4

struct demo_page {
	int          status;
	const char  *type, *location;           /* NULL: none     */
	const char  *cookie[DEMO_COOKIES];      /* as Set-Cookie says them */
	size_t       cookies;
	struct slice body;
};

/* All of it outlives the daemon. */
struct demo {
	const struct demo_mailbox   *mailbox;
	size_t                       mailboxes;
	const struct demo_statement *statement;
	size_t                       statements;
	void  *self;
	/* Any thread, and it may wait. Texts from `into`. False: nobody plays that host. */
	bool (*visit)(void *self, const struct demo_visit *, struct arena *into, struct demo_page *out);
	/* It answers, at that URL. */
	void (*ready)(void *self, const char *base_url);
};

/* As serve_run(), with the tour at /demo. Nothing is told but by `ready`. */
bool serve_demo(const struct settings *, const struct demo *, struct error *err);

#endif
