#include "watch/mailbox_kind.h"

#include <stdlib.h>

enum { OPEN_START, OPEN_RENEW, OPEN_SIGN_IN, OPEN_INBOX };

/* As long as it takes to sign in. */
struct mailbox_renewal {
	struct google_session session;
	struct mail_address   who;
};

void mailbox_init(struct mailbox *m, const struct mailbox_owner *owner, void *self, const char *address, const struct endpoint *endpoint,
                  enum tls_how how, uint32_t uidvalidity, uint32_t uidnext)
{
	struct report *report = report_new(address);

	*m = (struct mailbox){ .kind = &mailbox_by_imap, .owner = owner, .self = self, .endpoint = *endpoint, .locked = true };
	imap_session_init(&m->imap, report, &m->endpoint, &m->login, waits_within(MAILBOX_WHOLE_MS), report_attempt(report));
	m->imap.base.reach->how = how;
	imap_watch_init(&m->watch, &m->imap, report, address);
	m->watch.uidvalidity = uidvalidity;
	m->watch.uidnext = uidnext;
}

void mailbox_init_gmail_imap(struct mailbox *m, const struct mailbox_owner *owner, void *self, const char *address,
                             const struct endpoint *endpoint, uint32_t uidvalidity, uint32_t uidnext, const struct google_app *app,
                             struct terms terms, const struct oauth_safe *safe)
{
	struct mailbox_renewal *r = must_alloc(sizeof *r);
	struct report          *report;
	const char             *problem;

	mailbox_init(m, owner, self, address, endpoint, TLS_QUICK, uidvalidity, uidnext);
	m->renewal = r;
	report = m->watch.report;
	report->provider = "google";      /* until there is a token: what goes wrong so far is Google's sign-in */
	if (!mail_address_parse(address, report->job, &r->who, &problem))
		r->who = (struct mail_address){ .text = address, .local = "", .domain = "", .domain_shown = "" };
	google_session_init(&r->session, report, app, &r->who, NULL, waits_within(MAILBOX_WHOLE_MS), report_attempt(report));
	r->session.safe = safe;
	r->session.terms = terms;
}

static void renewal_over(struct mailbox *m)
{
	if (m->renewal)
		google_session_release(&m->renewal->session);
	free(m->renewal);
	m->renewal = NULL;
}

/* An answer that the sign-in brought, but no session: a server that takes no password over this line says so. */
static enum want_kind signed_in(struct mailbox *m, struct error *err)
{
	mailbox_lock(m);
	if (m->imap.logged_in)
		return WANT_NOTHING;
	fail(err, FAULT_NOT_OFFERED, "%s was reached, and there is no way to sign in", m->endpoint.host);
	return WANT_FAILED;
}

static enum want_kind sign_in(struct mailbox *m, struct want *w, struct error *err)
{
	enum want_kind kind = imap_open_step(&m->imap, w, err);

	return kind == WANT_NOTHING ? signed_in(m, err) : kind;
}

static enum want_kind open_step(struct mailbox *m, struct want *w, struct error *err)
{
	switch (m->opening.step) {
	case OPEN_START:
		if (m->renewal)
			google_session_take(&m->renewal->session, &m->grant);

	STEP(&m->opening, OPEN_RENEW):
		if (m->renewal) {
			PASS(google_renew_step(&m->renewal->session, w, err));
			m->login.token = m->renewal->session.grant.access_token;
			m->watch.report->provider = NULL;
			renewal_over(m);
		}

	STEP(&m->opening, OPEN_SIGN_IN):
		PASS(sign_in(m, w, err));
		m->endpoint.trust = NULL;      /* the line stands: what it was judged by need not stay */

	STEP(&m->opening, OPEN_INBOX):
		PASS(imap_watch_open_step(&m->watch, w, err));
		return WANT_NOTHING;
	}
	return WANT_FAILED;
}

static enum want_kind news_step(struct mailbox *m, struct want *w, struct error *err)
{
	return imap_watch_news_step(&m->watch, w, err);
}

static enum want_kind wait_step(struct mailbox *m, struct want *w, struct error *err)
{
	return imap_watch_wait_step(&m->watch, w, err);
}

static void goodbye(struct mailbox *m, const struct want *w)
{
	if (!m->watch.parked && m->imap.base.report)
		imap_goodbye(&m->imap, w);
}

static void release(struct mailbox *m)
{
	renewal_over(m);
	imap_session_release(&m->imap);
	imap_watch_release(&m->watch);
}

static struct mailbox_look look(const struct mailbox *m)
{
	const struct imap_watch *x = &m->watch;

	return (struct mailbox_look){ .report = x->report, .news = x->news, .count = x->count, .more = x->more, .asked = m->imap.asked };
}

const struct mailbox_kind mailbox_by_imap = {
	.order = mailbox_holds, .open = open_step, .news = news_step, .wait = wait_step, .goodbye = goodbye, .release = release,
	.look = look,
};
