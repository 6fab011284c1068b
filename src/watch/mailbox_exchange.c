#include "watch/mailbox_kind.h"

#include <stdlib.h>

void mailbox_init_exchange(struct mailbox *m, const struct mailbox_owner *owner, void *self, const char *address, const char *mailbox,
                           bool others, bool act_as, const struct endpoint *endpoint, const char *sync_state)
{
	*m = (struct mailbox){ .kind = &mailbox_by_ews, .owner = owner, .self = self, .endpoint = *endpoint, .locked = true };
	m->endpoint.path = m->path = must_copy(endpoint->path);
	m->name = must_copy(mailbox);
	exchange_watch_init(&m->exchange, &(struct exchange_access){ .endpoint = &m->endpoint, .login = &m->login, .address = address,
		.mailbox = m->name, .others = others, .act_as = act_as, .waits = waits_within(MAILBOX_WHOLE_MS) }, sync_state);
}

static enum want_kind open_step(struct mailbox *m, struct want *w, struct error *err)
{
	return exchange_watch_open_step(&m->exchange, w, err);
}

static enum want_kind news_step(struct mailbox *m, struct want *w, struct error *err)
{
	return exchange_watch_news_step(&m->exchange, w, err);
}

static enum want_kind wait_step(struct mailbox *m, struct want *w, struct error *err)
{
	return exchange_watch_wait_step(&m->exchange, w, err);
}

static void park(struct mailbox *m)
{
	exchange_watch_park(&m->exchange);
}

static void told(struct mailbox *m)
{
	exchange_watch_told(&m->exchange);
}

static void wake(struct mailbox *m)
{
	exchange_watch_wake(&m->exchange);
}

static void locked(struct mailbox *m)
{
	m->endpoint.trust = NULL;
}

static void release(struct mailbox *m)
{
	exchange_watch_release(&m->exchange);
	free(m->path);
	free(m->name);
}

static struct mailbox_look look(const struct mailbox *m)
{
	const struct exchange_watch *x = &m->exchange;

	return (struct mailbox_look){ .report = x->report, .news = x->news, .count = x->count, .busy_ms = x->busy_ms, .more = x->more,
		.asked = x->asked, .refused = x->refused };
}

const struct mailbox_kind mailbox_by_ews = {
	.order = mailbox_asks, .open = open_step, .news = news_step, .wait = wait_step, .park = park, .told = told, .wake = wake,
	.locked = locked, .release = release, .look = look,
};
