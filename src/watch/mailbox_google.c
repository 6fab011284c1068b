#include "watch/mailbox_kind.h"

void mailbox_init_google(struct mailbox *m, const struct mailbox_owner *owner, void *self, const char *address,
                         const struct google_app *app, struct terms terms, const struct oauth_safe *safe, const char *history,
                         int64_t since)
{
	*m = (struct mailbox){ .kind = &mailbox_by_gmail, .owner = owner, .self = self, .locked = true };
	google_watch_init(&m->google, &(struct google_access){ .app = app, .safe = safe, .grant = &m->grant, .address = address,
		.terms = terms, .waits = waits_within(MAILBOX_WHOLE_MS) }, history, since);
	m->endpoint = m->google.session->line[GOOGLE_MAIL].endpoint;
	google_notices_init(&m->pushes, &m->google, NULL, NULL, NULL);
}

void mailbox_have_it_pushed(struct mailbox *m, struct google_topic *topic, const struct google_listener *listener,
                            const struct google_watched *kept)
{
	google_notices_init(&m->pushes, &m->google, topic, listener, kept);
}

static enum want_kind open_step(struct mailbox *m, struct want *w, struct error *err)
{
	return google_watch_open_step(&m->google, w, err);
}

/* Another line, in the same turn and with what it was unlocked for. */
static void open_another_line(struct mailbox *m)
{
	const struct secrets *secrets = m->google.report->secrets;

	google_watch_park(&m->google);
	google_watch_wake(&m->google);
	report_guard(m->google.report, secrets);
	m->pushes.lost = false;
}

static enum want_kind ready_step(struct mailbox *m, struct want *w, struct error *err)
{
	enum want_kind kind = google_notices_step(&m->pushes, w, err);

	if (kind == WANT_NOTHING && m->pushes.lost)
		open_another_line(m);
	return kind;
}

static enum want_kind news_step(struct mailbox *m, struct want *w, struct error *err)
{
	return google_watch_news_step(&m->google, w, err);
}

static enum want_kind wait_step(struct mailbox *m, struct want *w, struct error *err)
{
	return google_watch_wait_step(&m->google, w, err);
}

static void rest(struct mailbox *m, const struct want *w)
{
	google_notices_rest(&m->pushes, w);
}

static void park(struct mailbox *m)
{
	google_watch_park(&m->google);
}

static void told(struct mailbox *m)
{
	google_watch_told(&m->google);
}

static void wake(struct mailbox *m)
{
	google_watch_wake(&m->google);
}

static void release(struct mailbox *m)
{
	google_notices_release(&m->pushes);
	google_watch_release(&m->google);
}

static struct mailbox_look look(const struct mailbox *m)
{
	const struct google_watch *x = &m->google;

	return (struct mailbox_look){ .report = x->report, .news = x->news, .count = x->count,
		.entries = x->entries, .entry_count = x->entry_count, .busy_ms = x->busy_ms, .more = x->more,
		.asked = x->asked };
}

const struct mailbox_kind mailbox_by_gmail = {
	.order = mailbox_asks, .open = open_step, .ready = ready_step, .news = news_step, .wait = wait_step, .rest = rest, .park = park,
	.told = told, .wake = wake, .release = release, .look = look,
};
