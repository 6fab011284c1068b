/* detect.h -- from an address to the endpoints worth trying, without credentials.
 *
 * Asks the mail exchanger, SRV, the domain's autoconfig, Thunderbird's database, our table of large providers, and at
 * last common names; lists what answers, best first. Sends no password and stores nothing; the local part of the
 * address goes to the domain's own servers over https only, never to the database, nor along with a redirect to
 * somebody else. The same answers from the network give the same list.
 *
 * Writes two steps into the report: "dns.mx" (who takes the domain's mail) and, when a service is wanted, "detect"
 * (where it may be); and "probe.dns" where the question for the exchanger failed in a way that may be our own resolver's fault.
 */
#ifndef DETECT_DETECT_H
#define DETECT_DETECT_H

#include "base/want.h"
#include "detect/candidates.h"
#include "model/hosters.h"
#include "model/mailaddress.h"
#include "model/report.h"
#include "wire/fetch.h"

#define DETECT_WAIT_MS 10000      /* a good `wait_ms` */

/* One URL where a configuration may lie. Which there are stands in documents.c. */
struct detect_document {
	struct detect             *detect;
	const struct detect_place *place;
	int                        step;
	struct task                task;
	struct fetch               fetch;
	bool                       begun, read;
	struct gate                over;             /* open: it has ended, one way or the other */
	struct autoconfig          autoconfig;
};

#define DETECT_DOCUMENTS 11

struct detect_srv {
	struct detect    *detect;
	const char       *name;
	enum service      service;
	bool              implicit_tls, refused;     /* refused: the target is "." */
	struct task       task;
	struct dns_lookup lookup;
};

#define DETECT_SRV 4

/* Signs in DNS that a domain's mailboxes are in one of the clouds, where its exchanger does not tell. */
struct detect_evidence {
	struct children   both;
	struct task       txt_task, cname_task;
	struct dns_lookup txt, cname;
};

/* Who takes the domain's mail. */
struct detect_exchanger {
	struct detect         *detect;
	int                    step;
	struct task            task;
	struct dns_lookup      lookup;
	struct resolve         own_address;
	struct children        control;
	struct task            control_task[2];
	struct dns_lookup      control_lookup[2];
	struct detect_evidence evidence;
	int                    reported, probe_reported;      /* steps of the report, -1 when not begun */
	const char            *domain, *base;                 /* the exchanger's: without its first label; registrable */
	bool                   is_filter, over;
};

struct detect_part {
	struct detect  *detect;
	int             step;
	struct task     task;
	struct children children;
};

struct detect_guess {
	const char    *host;
	struct task    task;
	struct resolve resolve;
};

#define DETECT_GUESSES 3

/* Some 80 kB: not for a stack. */
struct detect {
	/* in */
	const struct mail_address *address;
	struct arena              *job;
	struct report             *report;
	bool                       want_service[SERVICES];
	int                        wait_ms;
	/* out */
	struct candidates          candidates[SERVICES];
	bool                       not_offered[SERVICES];   /* SRV says so, in so many words                        */
	const struct dns_record   *mx;                      /* lowest preference first; no null MX among them       */
	size_t                     mx_count;
	bool                       null_mx;
	enum dns_outcome           mx_outcome;
	const struct hoster       *hoster;                  /* known by domain or mail exchanger, or NULL           */
	const char                *provider;                /* proposal: "imap" "microsoft" "google", NULL: unknown */
	/* its own */
	int                     step;
	int64_t                 began;
	int                     reported;                   /* step of the report, -1 when not begun                */
	bool                    hoster_by_domain;
	struct children         race;                       /* the search against "we have enough"                  */
	struct detect_part      search, enough;
	struct gate             exchanger_known, in_hand, settled;
	struct detect_exchanger exchanger;
	struct detect_srv       srv[DETECT_SRV];
	struct detect_document  document[DETECT_DOCUMENTS];
	struct children         guessed;
	struct detect_guess     guess[DETECT_GUESSES];
	struct detect_evidence  evidence;
};

void           detect_init(struct detect *, const struct mail_address *, struct arena *job, struct report *,
                           const bool want_service[SERVICES], int wait_ms);
/* WANT_NOTHING whatever was found; WANT_FAILED only when called off. */
enum want_kind detect_step(void *self, struct want *, struct error *);
void           detect_release(struct detect *);

#endif
