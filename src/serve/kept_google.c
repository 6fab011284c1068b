/* A mailbox at Gmail or Google Workspace, by Google's interface: polled. */
#include "base/log.h"
#include "serve/kept_kind.h"

#define HISTORY_DIGITS 20      /* a number of 64 bits */

static const char *history_read(const cJSON *cursor, struct arena *into)
{
	const char *history = json_text(cursor, "history_id");
	size_t      len = history ? strspn(history, "0123456789") : 0;

	return len && len <= HISTORY_DIGITS && !history[len] ? arena_str(into, history) : NULL;
}

static int64_t time_read(const cJSON *cursor, const char *name)
{
	double at = json_number(cursor, name, 0);

	return at > 0 && at < 1e11 ? (int64_t)at : 0;
}

static char *token_read(const cJSON *cursor, const char *name)
{
	const char *token = json_text(cursor, name);

	return token && *token ? must_copy(token) : NULL;
}

static void calendar_read(const cJSON *cursor, struct google_watch *x)
{
	x->sync = token_read(cursor, "sync_token");
	x->sync_page = token_read(cursor, "sync_page");
	x->synced = time_read(cursor, "synced");
}

static void open_it(struct kept *k, const struct mailbox_owner *owner, const struct flow_worked *worked, const struct endpoint *place)
{
	const char *text = k->round->account.cursor;
	cJSON      *known = text ? json_read(slice_str(text), CURSOR_LONGEST, NULL) : NULL;

	(void)worked;
	(void)place;
	mailbox_init_google(k->mailbox, owner, k, k->address, keeper_google(k->loop->keeper), account_terms(&k->round->account),
	                    grant_safe(k), history_read(known, k->round->job), time_read(known, "since"));
	k->mailbox->google.poll_ms = keeper_gmail_poll_ms(k->loop->keeper);
	calendar_read(known, &k->mailbox->google);
	cJSON_Delete(known);
}

static void count(struct kept *k, struct mailbox *m)
{
	struct google_watch *x = &m->google;

	atomic_fetch_add(&k->loop->counts.gmail_polls, x->polls);
	atomic_fetch_add(&k->loop->counts.gmail_throttled, x->throttled);
	x->polls = x->throttled = 0;
	if (x->renumbered)
		LOG(LOG_NEWS, "mailbox.history_forgotten", LOG_TEXT("account", k->id));
	x->renumbered = false;
	if (x->calendar_resets)
		LOG(LOG_NEWS, "calendar.sync_forgotten", LOG_TEXT("account", k->id));
	x->calendar_resets = 0;
}

static void cursor(const struct mailbox *m, cJSON *into)
{
	const struct google_watch *x = &m->google;

	if (x->history) {
		cJSON_AddStringToObject(into, "history_id", x->history);
		cJSON_AddNumberToObject(into, "since", (double)x->since);
	}
	if (x->sync)
		cJSON_AddStringToObject(into, "sync_token", x->sync);
	if (x->sync_page)
		cJSON_AddStringToObject(into, "sync_page", x->sync_page);
	if (x->synced)
		cJSON_AddNumberToObject(into, "synced", (double)x->synced);
}

const struct kept_kind kept_by_gmail = { .interface = "gmail", .granted = true, .open = open_it, .count = count, .cursor = cursor };
