/* Calendars by CalDAV, and no mailbox: asked from time to time. */
#include "serve/kept_calendar.h"
#include "serve/kept_kind.h"

static void open_it(struct kept *k, const struct mailbox_owner *owner, const struct flow_worked *worked, const struct endpoint *place)
{
	struct caldav_memory memory;

	(void)worked;
	k->entries = (struct calendar_keeping){ k->loop->daemon->store, k->id };
	memory = calendar_memory(&k->entries);
	mailbox_init_caldav(k->mailbox, owner, k, k->address, place, &memory);
	k->mailbox->calendars.poll_ms = keeper_caldav_poll_ms(k->loop->keeper);
	calendar_cursor_read(k->round->account.cursor, &k->mailbox->calendars);
}

static void count(struct kept *k, struct mailbox *m)
{
	calendar_count(k->loop, k->id, &m->calendars);
}

static void cursor(const struct mailbox *m, cJSON *into)
{
	calendar_cursor_write(&m->calendars, into);
}

const struct kept_kind kept_by_caldav = { .interface = "caldav", .open = open_it, .count = count, .cursor = cursor };
