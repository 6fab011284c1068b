/* A mailbox at Gmail or Google Workspace, by Google's interface: polled, and told of where Gmail reaches us by Pub/Sub. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/log.h"
#include "serve/kept_kind.h"
#include "serve/subscription.h"

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

static bool watched_read(const cJSON *cursor, struct google_watched *out)
{
	const cJSON *at = cJSON_GetObjectItemCaseSensitive(cursor, SUBSCRIPTION_AT_GOOGLE);
	const char  *mark = json_text(at, "mark");

	*out = (struct google_watched){ .asked = time_read(at, "asked"), .until = time_read(at, "until") };
	return mark && *mark && (size_t)snprintf(out->mark, sizeof out->mark, "%s", mark) < sizeof out->mark && out->until;
}

bool kept_is_watched(const char *cursor)
{
	cJSON                *known = cursor ? json_read(slice_str(cursor), CURSOR_LONGEST, NULL) : NULL;
	struct google_watched watched;
	bool                  is = watched_read(known, &watched);

	cJSON_Delete(known);
	return is;
}

static void watched_write(cJSON *cursor, const struct google_watched *watched)
{
	cJSON *at = *watched->mark ? cJSON_AddObjectToObject(cursor, SUBSCRIPTION_AT_GOOGLE) : NULL;

	if (!at)
		return;
	cJSON_AddStringToObject(at, "mark", watched->mark);
	cJSON_AddNumberToObject(at, "asked", (double)watched->asked);
	cJSON_AddNumberToObject(at, "until", (double)watched->until);
}

/* -- who hears what is pushed ------------------------------------------------------------------------------------- */

static size_t ear_of(const char *mailbox)
{
	uint32_t hash = 2166136261u;      /* FNV-1a; what is looked up here Google has signed */

	for (; *mailbox; mailbox++)
		hash = (hash ^ (unsigned char)tolower((unsigned char)*mailbox)) * 16777619u;
	return hash % KEPT_EARS;
}

void kept_cover_ear(struct kept *k)
{
	if (!k->ear)
		return;
	LIST_REMOVE(k, among_ears);
	free(k->ear);
	k->ear = NULL;
}

static void listen(void *self, const char *mailbox)
{
	struct kept *k = self;

	kept_cover_ear(k);
	k->ear = must_copy(mailbox);
	LIST_INSERT_HEAD(&k->loop->ears[ear_of(mailbox)], k, among_ears);
}

void loop_hear_push(struct keeper_loop *l, const char *mailbox)
{
	struct kept *k;

	LIST_FOREACH(k, &l->ears[ear_of(mailbox)], among_ears)
		if (k->mailbox && strcasecmp(k->ear, mailbox) == 0)
			google_notices_hear(&k->mailbox->pushes);
}

/* -- the mailbox -------------------------------------------------------------------------------------------------- */

static void open_it(struct kept *k, const struct mailbox_owner *owner, const struct flow_worked *worked, const struct endpoint *place)
{
	const char *text = k->round->account.cursor;
	struct google_watched watched;
	cJSON      *known = text ? json_read(slice_str(text), CURSOR_LONGEST, NULL) : NULL;

	(void)worked;
	(void)place;
	mailbox_init_google(k->mailbox, owner, k, k->address, keeper_google(k->loop->keeper), account_terms(&k->round->account),
	                    grant_safe(k), history_read(known, k->round->job), time_read(known, "since"));
	k->mailbox->google.poll_ms = keeper_gmail_poll_ms(k->loop->keeper);
	calendar_read(known, &k->mailbox->google);
	if (rights_have_mail(account_terms(&k->round->account).rights))
		mailbox_have_it_pushed(k->mailbox, &k->loop->topic, &(struct google_listener){ k, listen },
		                       watched_read(known, &watched) ? &watched : NULL);
	cJSON_Delete(known);
}

/* Who is told of it by Gmail, and why not. That the topic is not as it should be is the operator's to put right. */
static void count_pushes(struct kept *k, struct google_notices *n)
{
	bool told = n->topic && google_notices_stand(n, k->loop->now_ms);

	atomic_fetch_add(&k->loop->counts.gmail_told, told - k->pushed);
	atomic_fetch_add(&k->loop->counts.gmail_pushes, n->heard);
	n->heard = 0;
	if (told && !k->pushed)
		LOG(LOG_NEWS, "mailbox.told", LOG_TEXT("account", k->id));
	k->pushed = told;
	if (n->troubled)
		LOG(n->topic->refusals ? LOG_CAUTION : LOG_NEWS, "mailbox.untold", LOG_TEXT("account", k->id), LOG_TEXT("why", n->why),
		    LOG_TEXT("topic", n->topic->name ? n->topic->name : ""));
	n->troubled = false;
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
	count_pushes(k, &m->pushes);
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
	watched_write(into, &m->pushes.kept);
}

const struct kept_kind kept_by_gmail = { .interface = "gmail", .granted = true, .open = open_it, .count = count, .cursor = cursor };
