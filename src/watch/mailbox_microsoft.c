#include "watch/mailbox_kind.h"

#include <stdlib.h>

void mailbox_init_microsoft(struct mailbox *m, const struct mailbox_owner *owner, void *self, const char *address,
                            const char *delegate, const struct microsoft_app *app, struct terms terms, const struct oauth_safe *safe,
                            const char *delta_link, int64_t since)
{
	*m = (struct mailbox){ .kind = &mailbox_by_graph, .owner = owner, .self = self, .locked = true };
	m->delegate = delegate ? must_copy(delegate) : NULL;
	microsoft_watch_init(&m->microsoft, &(struct microsoft_access){ .app = app, .safe = safe, .grant = &m->grant, .address = address,
		.terms = terms, .delegate = m->delegate, .waits = waits_within(MAILBOX_WHOLE_MS) }, delta_link, since);
	m->endpoint = m->microsoft.session->graph;
	microsoft_notices_init(&m->notices, &m->microsoft, NULL, &(struct microsoft_prover){ 0 }, NULL);
}

void mailbox_have_it_told(struct mailbox *m, struct microsoft_place *place, const struct microsoft_prover *prover,
                          const struct microsoft_subscription *kept)
{
	microsoft_notices_init(&m->notices, &m->microsoft, place, prover, kept);
}

static enum want_kind open_step(struct mailbox *m, struct want *w, struct error *err)
{
	return microsoft_watch_open_step(&m->microsoft, w, err);
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

static enum want_kind ready_step(struct mailbox *m, struct want *w, struct error *err)
{
	enum want_kind kind = microsoft_notices_step(&m->notices, w, err);

	if (kind == WANT_NOTHING && m->notices.lost)
		open_another_line(m);
	return kind;
}

static enum want_kind news_step(struct mailbox *m, struct want *w, struct error *err)
{
	return microsoft_watch_news_step(&m->microsoft, w, err);
}

static enum want_kind wait_step(struct mailbox *m, struct want *w, struct error *err)
{
	return microsoft_watch_wait_step(&m->microsoft, w, err);
}

static void rest(struct mailbox *m, const struct want *w)
{
	microsoft_notices_rest(&m->notices, w);
}

static void park(struct mailbox *m)
{
	microsoft_watch_park(&m->microsoft);
}

static void told(struct mailbox *m)
{
	microsoft_watch_told(&m->microsoft);
}

static void wake(struct mailbox *m)
{
	microsoft_watch_wake(&m->microsoft);
}

static void release(struct mailbox *m)
{
	microsoft_notices_release(&m->notices);
	microsoft_watch_release(&m->microsoft);
	free(m->delegate);
}

static struct mailbox_look look(const struct mailbox *m)
{
	const struct microsoft_watch *x = &m->microsoft;

	return (struct mailbox_look){ .report = x->report, .news = x->news, .count = x->count, .busy_ms = x->busy_ms, .more = x->more,
		.asked = x->asked };
}

const struct mailbox_kind mailbox_by_graph = {
	.order = mailbox_asks, .open = open_step, .ready = ready_step, .news = news_step, .wait = wait_step, .rest = rest, .park = park,
	.told = told, .wake = wake, .release = release, .look = look,
};
