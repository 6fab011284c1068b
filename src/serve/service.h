/* service.h -- what all parts of the daemon share: made by daemon.c, read by the others, freed last. */
#ifndef SERVE_SERVICE_H
#define SERVE_SERVICE_H

#include "base/settings.h"
#include "connect/app.h"
#include "connect/vault.h"
#include "store/store.h"

struct keeper;
struct bus;
struct outbox;
struct finder;
struct redeemer;
struct net_settings;
struct demo;
struct route;

struct daemon {
	const struct settings     *settings;
	const struct net_settings *net;
	struct app                 app;              /* as whom it is registered elsewhere                           */
	struct store              *store;
	struct vault              *vault;
	struct keeper             *keeper;           /* looks after the accounts                                     */
	struct outbox             *outbox;           /* brings events to webhooks; NULL where none does              */
	struct finder             *finder;           /* finds servers for whoever asks; NULL where none does         */
	struct redeemer           *redeemer;         /* redeems what people bring back from a sign-in; NULL: nobody  */
	struct bus                *bus;              /* says to whom it concerns that there are new events           */
	const char                *base_url;         /* "https://mail.example.org", no slash behind; where the settings have none,
	                                              * of the web server, from http_start() to http_stop()          */
	const char                *inbound_domain;   /* of the BCC addresses; NULL: none, test mails go to the mailbox itself */
	const char                *node;
	int64_t                    fence;            /* of this start                                                */
	int64_t                    started;          /* Unix ms                                                      */
	int64_t                    started_ms;       /*   the same moment of the monotonic clock                     */
	const struct demo         *demo;             /* serve/demo.h; NULL wherever mailboxes are real               */
	const struct route *const *routes;           /* with the demo's; NULL: those of every daemon                 */
	_Atomic int64_t            was_ms;           /* Unix ms that the clock had shown when it was set back; 0: it was not */
};

#endif
