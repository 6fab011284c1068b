/* flow.h -- the product on one page: address, detect, connect, verify, diagnose.
 *
 * A diagnosis is one conversation, run on net/. verify/ and diagnose/ take turns until one cause stands.
 */
#ifndef FLOW_H
#define FLOW_H

#include "connect/credentials.h"
#include "diagnose/diagnose.h"
#include "model/endpoint.h"
#include "net/options.h"

struct flow_request {
	const char                *address;
	const char                *provider;                /* "auto" "imap" …                                      */
	const char                *username;                /* NULL: the form the source names, else the address    */
	const struct credentials  *credentials;             /* NULL: only what needs none                           */
	const char                *host[SERVICES];          /* NULL: to be detected                                 */
	uint16_t                   port[SERVICES];          /* 0: the usual ones                                    */
	bool                       send_test;
	const char                *send_to;                 /* NULL: to the mailbox itself                          */
	int                        timeout_ms;              /* the whole                                            */
	const char                *our_addresses;           /* outgoing ones, as the operator wrote them; or NULL   */
	bool                       keep_talk;               /* for a record                                         */
	const struct net_settings *net;
	void                     (*watch)(void *, const struct report *, int step);
	void                      *watcher;
};

/* The report with its verdict; NULL only for what is wrong on this machine (FAULT_LOCAL). */
struct report *flow_diagnose(const struct flow_request *, struct verdict *, struct error *err);

/* From a signal handler: stop, clean up at the provider what can be cleaned up, report what is known. */
void flow_stop(void);

#endif
