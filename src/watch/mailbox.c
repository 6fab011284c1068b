#include "watch/mailbox.h"

#include <stdlib.h>

#define WHOLE_MS 30000      /* the waits of a sign-in follow from it */

enum { MAILBOX_START, MAILBOX_SIGN_IN, MAILBOX_OPEN, MAILBOX_NEWS, MAILBOX_KEEP, MAILBOX_WAIT };
enum { EXCHANGE_START, EXCHANGE_OPEN, EXCHANGE_NEWS, EXCHANGE_KEEP, EXCHANGE_WAIT, EXCHANGE_KNOCK };
enum { GRAPH_START, GRAPH_OPEN, GRAPH_NOTICES, GRAPH_NEWS, GRAPH_KEEP, GRAPH_WAIT, GRAPH_KNOCK };

void mailbox_init(struct mailbox *m, const struct mailbox_owner *owner, void *self, const char *address, const struct endpoint *endpoint,
                  enum tls_how how, uint32_t uidvalidity, uint32_t uidnext)
{
	struct report *report = report_new(address);

	*m = (struct mailbox){ .owner = owner, .self = self, .endpoint = *endpoint, .locked = true };
	imap_session_init(&m->imap, report, &m->endpoint, &m->login, waits_within(WHOLE_MS), report_attempt(report));
	m->imap.base.reach->how = how;
	imap_watch_init(&m->watch, &m->imap, report, address);
	m->watch.uidvalidity = uidvalidity;
	m->watch.uidnext = uidnext;
}

void mailbox_init_exchange(struct mailbox *m, const struct mailbox_owner *owner, void *self, const char *address, const char *mailbox,
                           bool others, bool act_as, const struct endpoint *endpoint, const char *sync_state)
{
	*m = (struct mailbox){ .owner = owner, .self = self, .endpoint = *endpoint, .locked = true, .by_ews = true };
	m->endpoint.path = m->path = must_copy(endpoint->path);
	m->name = must_copy(mailbox);
	exchange_watch_init(&m->exchange, &(struct exchange_access){ .endpoint = &m->endpoint, .login = &m->login, .address = address,
		.mailbox = m->name, .others = others, .act_as = act_as, .waits = waits_within(WHOLE_MS) }, sync_state);
}

void mailbox_init_microsoft(struct mailbox *m, const struct mailbox_owner *owner, void *self, const char *address,
                            const char *delegate, const struct microsoft_app *app, struct terms terms, const struct oauth_safe *safe,
                            const char *delta_link, int64_t since)
{
	*m = (struct mailbox){ .owner = owner, .self = self, .locked = true, .by_graph = true };
	m->delegate = delegate ? must_copy(delegate) : NULL;
	microsoft_watch_init(&m->microsoft, &(struct microsoft_access){ .app = app, .safe = safe, .grant = &m->grant, .address = address,
		.terms = terms, .delegate = m->delegate, .waits = waits_within(WHOLE_MS) }, delta_link, since);
	m->endpoint = m->microsoft.session->graph;
	microsoft_notices_init(&m->notices, &m->microsoft, NULL, &(struct microsoft_prover){ 0 }, NULL);
}

void mailbox_have_it_told(struct mailbox *m, struct microsoft_place *place, const struct microsoft_prover *prover,
                          const struct microsoft_subscription *kept)
{
	microsoft_notices_init(&m->notices, &m->microsoft, place, prover, kept);
}

static void lock(struct mailbox *m)
{
	if (m->locked)
		return;
	m->locked = true;
	m->login = (struct login){ 0 };
	if (mailbox_report(m))
		mailbox_report(m)->secrets = NULL;
	if (m->by_ews)
		m->endpoint.trust = NULL;
	if (m->by_graph)
		m->grant = (struct oauth_grant){ 0 };
	m->owner->lock(m->self);
}

static bool unlock(struct mailbox *m, struct error *err)
{
	const struct secrets *secrets = NULL;

	if (!m->owner->unlock(m->self, &m->login, &secrets))
		return fail(err, FAULT_LOCAL, "no credentials for %s", mailbox_report(m)->address);
	m->locked = false;
	report_guard(mailbox_report(m), secrets);
	return true;
}

void mailbox_goodbye(struct mailbox *m, const struct want *w)
{
	if (!m->by_ews && !m->by_graph && !m->watch.parked && m->imap.base.report)
		imap_goodbye(&m->imap, w);
}

void mailbox_release(struct mailbox *m)
{
	lock(m);
	if (m->by_graph) {
		microsoft_notices_release(&m->notices);
		microsoft_watch_release(&m->microsoft);
		free(m->delegate);
		return;
	}
	if (m->by_ews) {
		exchange_watch_release(&m->exchange);
		free(m->path);
		free(m->name);
		return;
	}
	imap_session_release(&m->imap);
	imap_watch_release(&m->watch);
}

/* An answer that the sign-in brought, but no session: a server that takes no password over this line says so. */
static enum want_kind signed_in(struct mailbox *m, struct error *err)
{
	lock(m);
	if (m->imap.logged_in)
		return WANT_NOTHING;
	fail(err, FAULT_NOT_OFFERED, "%s was reached, and there is no way to sign in", m->endpoint.host);
	return WANT_FAILED;
}

static enum want_kind sign_in(struct mailbox *m, struct want *w, struct error *err)
{
	enum want_kind kind = imap_open_step(&m->imap, w, err);

	if (kind == WANT_FAILED)
		lock(m);
	return kind == WANT_NOTHING ? signed_in(m, err) : kind;
}

static enum want_kind locked_when_failed(struct mailbox *m, enum want_kind kind)
{
	if (kind == WANT_FAILED)
		lock(m);
	return kind;
}

static bool not_kept(const struct mailbox *m, struct error *err)
{
	return fail(err, FAULT_LOCAL, "the news of %s could not be kept", mailbox_report(m) ? mailbox_report(m)->address : m->endpoint.host);
}

/* The way to the host once more, as everybody else's. */
static bool may_knock(struct mailbox *m, struct error *err)
{
	m->keeping = m->owner->knock(m->self);
	return m->keeping || fail(err, FAULT_NETWORK, "%s: down", m->endpoint.host);
}

/* Each page is read with the credentials at hand, and kept without them; between two polls there is neither line nor page. */
static enum want_kind exchange_step(struct mailbox *m, struct want *w, struct error *err)
{
	struct exchange_watch *x = &m->exchange;

	switch (m->step) {
	case EXCHANGE_START:
		if (!unlock(m, err))
			return WANT_FAILED;

	STEP(m, EXCHANGE_OPEN):
		PASS(locked_when_failed(m, exchange_watch_open_step(x, w, err)));
		m->owner->settled(m->self, m);

		for (;;) {
	STEP(m, EXCHANGE_NEWS):
			PASS(locked_when_failed(m, exchange_watch_news_step(x, w, err)));
			lock(m);
			if (!x->more && !x->busy_ms)      /* what a busy server said is to be kept as well */
				exchange_watch_park(x);
			m->keeping = m->owner->keep(m->self, m);
			if (m->keeping) {
				AWAIT(m, EXCHANGE_KEEP, want_commit(w, m->keeping)):
				want_came(w);
				if (!m->owner->kept(m->self))
					return not_kept(m, err), WANT_FAILED;
			}
			if (!x->more) {
				exchange_watch_park(x);
				exchange_watch_told(x);

	STEP(m, EXCHANGE_WAIT):
				PASS(exchange_watch_wait_step(x, w, err));
				if (!may_knock(m, err))
					return WANT_FAILED;
				AWAIT(m, EXCHANGE_KNOCK, want_commit(w, m->keeping)):
				want_came(w);
				exchange_watch_wake(x);
			}
			if (!unlock(m, err))
				return WANT_FAILED;
		}
	}
	return WANT_FAILED;
}

/* Another line, in the same turn and with what it was unlocked for. */
static void open_another_line(struct mailbox *m)
{
	const struct secrets *secrets = m->microsoft.report->secrets;

	microsoft_watch_park(&m->microsoft);
	microsoft_watch_wake(&m->microsoft);
	report_guard(m->microsoft.report, secrets);
	m->notices.lost = false;
}

/* The same by Graph: what is granted is read anew for each turn, since a turn may renew it. */
static enum want_kind graph_step(struct mailbox *m, struct want *w, struct error *err)
{
	struct microsoft_watch *x = &m->microsoft;

	switch (m->step) {
	case GRAPH_START:
		if (!unlock(m, err))
			return WANT_FAILED;

	STEP(m, GRAPH_OPEN):
		PASS(locked_when_failed(m, microsoft_watch_open_step(x, w, err)));
		m->owner->settled(m->self, m);

		for (;;) {
	STEP(m, GRAPH_NOTICES):
			PASS(locked_when_failed(m, microsoft_notices_step(&m->notices, w, err)));
			if (m->notices.lost)
				open_another_line(m);

	STEP(m, GRAPH_NEWS):
			PASS(locked_when_failed(m, microsoft_watch_news_step(x, w, err)));
			if (!x->more)
				microsoft_notices_rest(&m->notices, w);
			lock(m);
			if (!x->more && !x->busy_ms)      /* what a busy server said is to be kept as well */
				microsoft_watch_park(x);
			m->keeping = m->owner->keep(m->self, m);
			if (m->keeping) {
				AWAIT(m, GRAPH_KEEP, want_commit(w, m->keeping)):
				want_came(w);
				if (!m->owner->kept(m->self))
					return not_kept(m, err), WANT_FAILED;
			}
			if (!x->more) {
				microsoft_watch_park(x);
				microsoft_watch_told(x);

	STEP(m, GRAPH_WAIT):
				PASS(microsoft_watch_wait_step(x, w, err));
				if (!may_knock(m, err))
					return WANT_FAILED;
				AWAIT(m, GRAPH_KNOCK, want_commit(w, m->keeping)):
				want_came(w);
				microsoft_watch_wake(x);
			}
			if (!unlock(m, err))
				return WANT_FAILED;
		}
	}
	return WANT_FAILED;
}

enum want_kind mailbox_step(void *self, struct want *w, struct error *err)
{
	struct mailbox *m = self;

	if (m->by_graph)
		return graph_step(m, w, err);
	if (m->by_ews)
		return exchange_step(m, w, err);
	switch (m->step) {
	case MAILBOX_START:
		if (!unlock(m, err))
			return WANT_FAILED;

	STEP(m, MAILBOX_SIGN_IN):
		PASS(sign_in(m, w, err));

	STEP(m, MAILBOX_OPEN):
		m->endpoint.trust = NULL;      /* the line stands: what it was judged by need not stay */
		PASS(imap_watch_open_step(&m->watch, w, err));
		m->owner->settled(m->self, m);

		for (;;) {
	STEP(m, MAILBOX_NEWS):
			PASS(imap_watch_news_step(&m->watch, w, err));
			m->keeping = m->owner->keep(m->self, m);
			if (m->keeping) {
				AWAIT(m, MAILBOX_KEEP, want_commit(w, m->keeping)):
				want_came(w);
				if (!m->owner->kept(m->self))
					return not_kept(m, err), WANT_FAILED;
			}
			if (m->watch.more)
				continue;

	STEP(m, MAILBOX_WAIT):
			PASS(imap_watch_wait_step(&m->watch, w, err));
		}
	}
	return WANT_FAILED;
}
