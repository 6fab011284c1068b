#include "serve/not_returned.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "flow_signin.h"
#include "serve/api.h"
#include "serve/kept.h"
#include "serve/registration.h"
#include "serve/signin_account.h"
#include "store/accounts.h"
#include "store/links.h"
#include "store/signins.h"

#define LANGUAGE "en"      /* of an account that a link without one was for */

enum { LOOKING, LOOKING_RESTED, LOOKING_KEPT };

struct not_returned {
	struct task        task;
	int                step, every_ms;
	struct daemon     *daemon;
	bool               found;
	struct errand      errand;
	struct store_write write;
};

/* -- one of them -------------------------------------------------------------------------------------------------- */

struct lost {
	struct arena     *job;
	int64_t           now;
	struct signin_row row;
	struct link       link;
	struct account    was, account;
	bool              known;
	struct signin_away away;
};

/* A failure of this one row is no failure of the whole: what it was about is gone, or was never so. */
static bool absent(struct error *err)
{
	bool gone = err->fault == FAULT_ABSENT || err->fault == FAULT_REFUSED;

	if (gone)
		*err = (struct error){ 0 };
	return gone;
}

/* Has anything become of it? */
static bool is_over(const struct lost *l)
{
	if (!l->link.session || strcmp(l->link.session, l->row.session) != 0 || l->link.expires <= l->now)
		return true;
	if (!l->known)
		return l->link.used != 0;
	return l->was.state == ACCOUNT_REMOVED || signin_goes_on(&l->was) || l->was.report_at >= l->row.created
	    || signin_was_silent(&l->was);
}

/* What this vault did not seal is nobody's. */
static bool is_ours(struct lost *l, const struct daemon *d)
{
	struct error none = { 0 };

	return signin_away_open(d->vault, &l->row, l->job, &l->away, &none) && signin_place(l->away.provider);
}

static bool look(struct txn *t, struct lost *l, struct error *err)
{
	if (!link_by_id(t, l->job, l->row.link, &l->link, err))
		return false;
	l->known = l->link.account && account_get(t, l->job, l->link.workspace, l->link.account, &l->was, err);
	return l->known || !l->link.account;
}

static void judge(struct lost *l, const struct daemon *d)
{
	struct apps           apps = registered_as(&d->app);
	struct verdict        v;
	struct report        *r;
	const char           *lang = l->link.lang ? l->link.lang : LANGUAGE;
	enum rights           usual = usual_rights(&d->app, signin_place(l->away.provider));
	enum rights           rights = signin_rights(l->away.provider, usual, l->link.rights,
	                                             l->known ? &l->was : NULL);

	r = signin_not_returned(&(struct signin_asked){ signin_provider(l->away.provider), &apps, l->row.address, rights, l->now / 1000 },
	                        (l->row.expires - l->row.created) / 1000, &v);
	l->account = signin_account(l->known ? &l->was : NULL, l->away.provider, l->link.workspace, l->row.address, lang, rights, l->now,
	                            l->job);
	l->account.username = l->away.delegate;
	signin_judge(&l->account, &v, save_report(r, &v, l->job), l->now);
	report_free(r);
}

static bool tell(struct txn *t, const struct lost *l, const char *type, struct error *err)
{
	return event_tell(t, l->job, l->account.workspace, l->account.id, type, account_event_data(&l->account), err);
}

static bool is_anothers(struct txn *t, const struct lost *l)
{
	const char  *id;
	struct error none = { 0 };

	return !l->known && account_by_key(t, l->job, l->account.workspace, l->account.key, &id, &none);
}

static bool keep(struct txn *t, const struct lost *l, struct error *err)
{
	if (is_anothers(t, l))
		return true;
	if (l->known ? !account_update(t, &l->account, err)
	             : !account_insert(t, &l->account, err) || !tell(t, l, "account.created", err))
		return false;
	return link_use(t, l->link.id, l->account.id, l->now, err) && tell(t, l, "account.failed", err);
}

bool not_returned_take(struct txn *t, const struct daemon *d, int64_t now, bool *found, struct error *err)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct lost l = { .job = job, .now = now };

	*found = signin_take_lost(t, job, now, &l.row, err);
	if (!*found)
		return absent(err);
	if (!look(t, &l, err))
		return absent(err);
	if (is_over(&l) || !is_ours(&l, d))
		return true;
	judge(&l, d);
	return keep(t, &l, err);
}

/* -- every so often ----------------------------------------------------------------------------------------------- */

static bool apply(struct txn *t, void *self, struct error *err)
{
	struct not_returned *n = self;

	return not_returned_take(t, n->daemon, clock_unix_ms(), &n->found, err);
}

static void answered(struct store_write *w)
{
	errand_done(&((struct not_returned *)w->self)->errand);
}

static void begin(struct errand *e)
{
	struct not_returned *n = (struct not_returned *)((char *)e - offsetof(struct not_returned, errand));

	store_write(n->daemon->store, &n->write);
}

/* Nearly always nobody is: nothing is written for that. */
static bool glance(struct txn *t, void *self, struct error *err)
{
	struct not_returned *n = self;

	return signin_any_lost(t, clock_unix_ms(), &n->found, err);
}

static bool is_anybody_lost(struct not_returned *n)
{
	return store_glance(n->daemon->store, glance, n, NULL) && n->found;
}

static enum want_kind look_around(void *self, struct want *w, struct error *err)
{
	struct not_returned *n = self;

	(void)err;
	switch (n->step) {
	case LOOKING:
		while (!w->stopping) {
			AWAIT(n, LOOKING_RESTED, want_time(w, n->every_ms)):
			want_came(w);
			while (!w->stopping && is_anybody_lost(n)) {
				AWAIT(n, LOOKING_KEPT, want_commit(w, &n->errand)):
				want_came(w);
				if (!n->write.ok)
					break;
			}
		}
	}
	return WANT_NOTHING;
}

struct not_returned *not_returned_start(struct net *net, struct daemon *d, int every_ms)
{
	struct not_returned *n = must_alloc(sizeof *n);

	*n = (struct not_returned){ .daemon = d, .every_ms = every_ms, .errand.begin = begin };
	n->write = (struct store_write){ .apply = apply, .done = answered, .self = n };
	n->task = (struct task){ .step = look_around, .self = n };
	net_start(net, &n->task, NULL);
	return n;
}

void not_returned_free(struct not_returned *n)
{
	free(n);
}
