/* A mailbox at Exchange: polled, or told of by a stream of its own or one that many share. */
#include "base/log.h"
#include "serve/kept_kind.h"

/* Of a stream that many share, said once, by whoever takes a turn first. */
static void say_shared(const struct kept *k, struct exchange_stream *line)
{
	if (line->troubled && line->trouble != EXCHANGE_CLOSED)
		LOG(LOG_NEWS, "stream.over", LOG_TEXT("host", k->host), LOG_TEXT("why", line->why),
		    LOG_TEXT("for", line->trouble == EXCHANGE_NOT_OFFERED ? "good" : "now"));
	line->troubled = false;
}

static void count(struct kept *k, struct mailbox *m)
{
	struct exchange_watch *x = &m->exchange;
	bool                   streams = exchange_watch_is_told(x);

	atomic_fetch_add(&k->loop->counts.streams, streams - k->streams);
	if (streams && !k->streams)
		LOG(LOG_NEWS, "mailbox.streams", LOG_TEXT("account", k->id));
	k->streams = streams;
	atomic_fetch_add(&k->loop->counts.polls, x->polls);
	atomic_fetch_add(&k->loop->counts.throttled, x->throttled);
	x->polls = x->throttled = 0;
	if (!x->stream)
		return;
	atomic_fetch_add(&k->loop->counts.notifications, x->stream->notifications);
	x->stream->notifications = 0;
	if (x->stream->troubled && x->stream->trouble != EXCHANGE_CLOSED)
		LOG(LOG_NEWS, "mailbox.polled", LOG_TEXT("account", k->id), LOG_TEXT("why", x->stream->why),
		    LOG_TEXT("for", x->stream->trouble == EXCHANGE_NOT_OFFERED ? "good" : "now"));
	x->stream->troubled = false;
	if (x->seat)
		say_shared(k, x->seat->group->stream);
}

/* Those share one that are the same login's at one server, within a workspace: what its people lay down is theirs alone. */
static void have_it_streamed(struct kept *k, const struct flow_worked *worked, const struct endpoint *place)
{
	struct exchange_watch *x = &k->mailbox->exchange;
	enum ews_streams       which = keeper_ews_streams(k->loop->keeper);

	if (which == EWS_STREAMS_OFF)
		return;
	if (worked->act_as)
		exchange_watch_shares(x, group_for(k->loop, arena_print(k->round->job, "%s %s%s %s", k->round->account.workspace, k->host, place->path,
			worked->username), worked->mailbox));
	else if (which == EWS_STREAMS_ON)
		exchange_watch_streams(x);
}

static const char *sync_state_read(const char *json, struct arena *into)
{
	cJSON      *o = json ? json_read(slice_str(json), CURSOR_LONGEST, NULL) : NULL;
	const char *state = json_text(o, "sync_state"), *copy = state && *state ? arena_str(into, state) : NULL;

	cJSON_Delete(o);
	return copy;
}

static void open_it(struct kept *k, const struct mailbox_owner *owner, const struct flow_worked *worked, const struct endpoint *place)
{
	mailbox_init_exchange(k->mailbox, owner, k, k->address, worked->mailbox, worked->others, worked->act_as, place,
	                      sync_state_read(k->round->account.cursor, k->round->job));
	k->mailbox->exchange.poll_ms = keeper_ews_poll_ms(k->loop->keeper);
	have_it_streamed(k, worked, place);
}

static void cursor(const struct mailbox *m, cJSON *into)
{
	if (m->exchange.sync_state)
		cJSON_AddStringToObject(into, "sync_state", m->exchange.sync_state);
}

const struct kept_kind kept_by_ews = { .open = open_it, .count = count, .cursor = cursor };
