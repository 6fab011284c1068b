#include "watch/mailbox.h"

#define WHOLE_MS 30000      /* the waits of a sign-in follow from it */

enum { MAILBOX_START, MAILBOX_SIGN_IN, MAILBOX_OPEN, MAILBOX_NEWS, MAILBOX_KEEP, MAILBOX_WAIT };

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

static void lock(struct mailbox *m)
{
	if (m->locked)
		return;
	m->locked = true;
	m->login = (struct login){ 0 };
	if (m->watch.report)
		m->watch.report->secrets = NULL;
	m->owner->lock(m->self);
}

static bool unlock(struct mailbox *m, struct error *err)
{
	const struct secrets *secrets = NULL;

	if (!m->owner->unlock(m->self, &m->login, &secrets))
		return fail(err, FAULT_LOCAL, "no credentials for %s", m->watch.address);
	m->locked = false;
	report_guard(m->watch.report, secrets);
	return true;
}

void mailbox_goodbye(struct mailbox *m, const struct want *w)
{
	if (!m->watch.parked && m->imap.base.report)
		imap_goodbye(&m->imap, w);
}

void mailbox_release(struct mailbox *m)
{
	lock(m);
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

enum want_kind mailbox_step(void *self, struct want *w, struct error *err)
{
	struct mailbox *m = self;

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
				if (!m->owner->kept(m->self)) {
					fail(err, FAULT_LOCAL, "the news of %s could not be kept", m->watch.address);
					return WANT_FAILED;
				}
			}
			if (m->watch.more)
				continue;

	STEP(m, MAILBOX_WAIT):
			PASS(imap_watch_wait_step(&m->watch, w, err));
		}
	}
	return WANT_FAILED;
}
