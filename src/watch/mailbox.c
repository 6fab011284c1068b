#include "watch/mailbox_kind.h"

enum { HOLD_START, HOLD_OPEN, HOLD_NEWS, HOLD_KEEP, HOLD_WAIT };
enum { ASK_START, ASK_OPEN, ASK_READY, ASK_NEWS, ASK_KEEP, ASK_WAIT, ASK_KNOCK };

struct mailbox_look mailbox_look(const struct mailbox *m)
{
	return m->kind->look(m);
}

void mailbox_lock(struct mailbox *m)
{
	struct report *report = mailbox_look(m).report;

	if (m->locked)
		return;
	m->locked = true;
	m->login = (struct login){ 0 };
	m->grant = (struct oauth_grant){ 0 };
	if (report)
		report->secrets = NULL;
	if (m->kind->locked)
		m->kind->locked(m);
	m->owner->lock(m->self);
}

static bool unlock(struct mailbox *m, struct error *err)
{
	const struct secrets *secrets = NULL;
	struct report        *report = mailbox_look(m).report;

	if (!m->owner->unlock(m->self, &m->login, &secrets))
		return fail(err, FAULT_LOCAL, "no credentials for %s", report->address);
	m->locked = false;
	report_guard(report, secrets);
	return true;
}

void mailbox_goodbye(struct mailbox *m, const struct want *w)
{
	if (m->kind->goodbye)
		m->kind->goodbye(m, w);
}

void mailbox_release(struct mailbox *m)
{
	mailbox_lock(m);
	m->kind->release(m);
}

static enum want_kind locked_when_failed(struct mailbox *m, enum want_kind kind)
{
	if (kind == WANT_FAILED)
		mailbox_lock(m);
	return kind;
}

static bool not_kept(const struct mailbox *m, struct error *err)
{
	const struct report *report = mailbox_look(m).report;

	return fail(err, FAULT_LOCAL, "the news of %s could not be kept", report ? report->address : m->endpoint.host);
}

/* The way to the host once more, as everybody else's. */
static bool may_knock(struct mailbox *m, struct error *err)
{
	m->keeping = m->owner->knock(m->self);
	return m->keeping || fail(err, FAULT_NETWORK, "%s: down", m->endpoint.host);
}

enum want_kind mailbox_holds(struct mailbox *m, struct want *w, struct error *err)
{
	switch (m->step) {
	case HOLD_START:
		if (!unlock(m, err))
			return WANT_FAILED;

	STEP(m, HOLD_OPEN):
		PASS(locked_when_failed(m, m->kind->open(m, w, err)));
		m->owner->settled(m->self, m);

		for (;;) {
	STEP(m, HOLD_NEWS):
			PASS(m->kind->news(m, w, err));
			m->keeping = m->owner->keep(m->self, m);
			if (m->keeping) {
				AWAIT(m, HOLD_KEEP, want_commit(w, m->keeping)):
				want_came(w);
				if (!m->owner->kept(m->self))
					return not_kept(m, err), WANT_FAILED;
			}
			if (mailbox_look(m).more)
				continue;

	STEP(m, HOLD_WAIT):
			PASS(m->kind->wait(m, w, err));
		}
	}
	return WANT_FAILED;
}

/* Each page is read with the credentials at hand, and kept without them; between two turns there is neither line nor page. A grant is
 * read anew for each turn, since a turn may renew it. */
enum want_kind mailbox_asks(struct mailbox *m, struct want *w, struct error *err)
{
	struct mailbox_look look;

	switch (m->step) {
	case ASK_START:
		if (!unlock(m, err))
			return WANT_FAILED;

	STEP(m, ASK_OPEN):
		PASS(locked_when_failed(m, m->kind->open(m, w, err)));
		m->owner->settled(m->self, m);

		for (;;) {
	STEP(m, ASK_READY):
			if (m->kind->ready)
				PASS(locked_when_failed(m, m->kind->ready(m, w, err)));

	STEP(m, ASK_NEWS):
			PASS(locked_when_failed(m, m->kind->news(m, w, err)));
			look = mailbox_look(m);
			if (!look.more && m->kind->rest)
				m->kind->rest(m, w);
			mailbox_lock(m);
			if (!look.more && !look.busy_ms)      /* what a busy server said is to be kept as well */
				m->kind->park(m);
			m->keeping = m->owner->keep(m->self, m);
			if (m->keeping) {
				AWAIT(m, ASK_KEEP, want_commit(w, m->keeping)):
				want_came(w);
				if (!m->owner->kept(m->self))
					return not_kept(m, err), WANT_FAILED;
			}
			if (!mailbox_look(m).more) {
				m->kind->park(m);
				m->kind->told(m);

	STEP(m, ASK_WAIT):
				PASS(m->kind->wait(m, w, err));
				if (!may_knock(m, err))
					return WANT_FAILED;
				AWAIT(m, ASK_KNOCK, want_commit(w, m->keeping)):
				want_came(w);
				m->kind->wake(m);
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

	return m->kind->order(m, w, err);
}
