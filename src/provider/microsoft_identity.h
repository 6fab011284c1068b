/* microsoft_identity.h -- who it is that came back with a code, by the id_token that it was redeemed for (facts M A.6).
 *
 * microsoft_identity_step(): the token is checked by the keys that the authority publishes. Where those are not known, or no more, or have
 * none of that id, they are asked for over the line that the code was redeemed on: beside the questions to Graph, so that nobody waits
 * for it. What passes soon (429, 503, 504 that say when) is waited for, once. microsoft_identity_agree(), when Graph has answered: is it
 * the same account there?
 *
 * Records entra.identity; which organisation it is, where the token is believed. Stops with the faults of web.h, and FAULT_REFUSED (it is
 * not believed, and the report says why), FAULT_BUSY, FAULT_BROKEN (what is published cannot be read, or is at another host).
 */
#ifndef PROVIDER_MICROSOFT_IDENTITY_H
#define PROVIDER_MICROSOFT_IDENTITY_H

#include "model/app.h"
#include "provider/web.h"
#include "wire/graph.h"
#include "wire/id_token.h"

#define MICROSOFT_AUTHORITIES 4                      /* most of which keys are held; then the one asked longest ago goes   */
#define MICROSOFT_KEYS_MS     (24 * 3600 * (int64_t)1000)    /* so long they count                                          */
#define MICROSOFT_AGAIN_MS    (5 * 60 * (int64_t)1000)       /* so long they are not asked for again for the sake of a token */

/* What authorities publish, for all sign-ins of one loop. */
struct microsoft_keys;

struct microsoft_keys *microsoft_keys_new(void);
void                   microsoft_keys_free(struct microsoft_keys *);      /* NULL is fine */

struct microsoft_identity {
	/* in */
	struct report         *report;
	struct web_session    *line;               /* to the authority; nobody else asks there meanwhile     */
	const char            *host, *tenant;      /* of it; the tenant as the code was asked for            */
	const char            *client_id;
	const char            *token, *nonce;      /* NULL: none came; none was sent                         */
	struct microsoft_keys *keys;               /* NULL: they are not held any longer than this           */
	int                    attempt;
	int64_t                date;               /* by the authority's clock, when it was redeemed, and by */
	int64_t                date_here;          /*   ours: Unix seconds. `date` 0: it did not say         */
	/* out */
	bool                   believed;
	enum id_token_flaw     flaw;
	struct id_token        who;                /* where it is believed; lies in the report's arena       */
	/* its own */
	struct microsoft_keys *own;
	struct web_request     request;
	struct id_provider     provider;
	int                    step, reported;
	struct { int step; }   asking;
	bool                   again;
};

enum want_kind microsoft_identity_step(void *self, struct want *, struct error *);
/* Once both have ended, whether well or not; `user` NULL: Graph did not say. `graph_date`: as `date`, from Graph. Ends the step. False with
 * FAULT_REFUSED: the token is not believed, or it is another account there. */
bool           microsoft_identity_agree(struct microsoft_identity *, const struct graph_user *user, int64_t graph_date, const struct want *,
                                        struct error *);
void           microsoft_identity_release(struct microsoft_identity *);

#endif
