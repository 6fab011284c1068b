#include "watch/mailbox_kind.h"

#include <stdlib.h>

void mailbox_init_caldav(struct mailbox *m, const struct mailbox_owner *owner, void *self, const char *address,
                         const struct endpoint *endpoint, const struct caldav_memory *memory)
{
	*m = (struct mailbox){ .kind = &mailbox_by_caldav, .owner = owner, .self = self, .endpoint = *endpoint, .locked = true };
	m->endpoint.path = m->home = must_copy(endpoint->path);
	caldav_watch_init(&m->calendars, &(struct caldav_access){ .endpoint = &m->endpoint, .login = &m->login, .address = address,
		.waits = waits_within(MAILBOX_WHOLE_MS) }, memory);
}

static enum want_kind open_step(struct mailbox *m, struct want *w, struct error *err)
{
	return caldav_watch_open_step(&m->calendars, w, err);
}

static enum want_kind news_step(struct mailbox *m, struct want *w, struct error *err)
{
	return caldav_watch_news_step(&m->calendars, w, err);
}

static enum want_kind wait_step(struct mailbox *m, struct want *w, struct error *err)
{
	return caldav_watch_wait_step(&m->calendars, w, err);
}

static void park(struct mailbox *m)
{
	caldav_watch_park(&m->calendars);
}

static void told(struct mailbox *m)
{
	caldav_watch_told(&m->calendars);
}

static void wake(struct mailbox *m)
{
	caldav_watch_wake(&m->calendars);
}

static void locked(struct mailbox *m)
{
	m->endpoint.trust = NULL;
}

static void release(struct mailbox *m)
{
	caldav_watch_release(&m->calendars);
	free(m->home);
}

static struct mailbox_look look(const struct mailbox *m)
{
	const struct caldav_watch *x = &m->calendars;

	return (struct mailbox_look){ .report = x->report, .entries = x->news, .entry_count = x->count, .busy_ms = x->busy_ms,
		.more = x->more, .asked = x->asked, .refused = x->refused };
}

const struct mailbox_kind mailbox_by_caldav = {
	.order = mailbox_asks, .open = open_step, .news = news_step, .wait = wait_step, .park = park, .told = told, .wake = wake,
	.locked = locked, .release = release, .look = look,
};
