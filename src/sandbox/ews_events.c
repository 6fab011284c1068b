#include "sandbox/gapi.h"
#include "sandbox/graph.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/random.h"
#include "sandbox/imap.h"

#define SUBSCRIPTIONS_MOST 600
#define EVENTS_KEPT        1000

static const char *const happening_names[] = { "NewMailEvent", "CreatedEvent", "DeletedEvent", "ModifiedEvent", "MovedEvent" };

struct event_told {
	enum happening  how;
	struct entry_id item;
	unsigned        folder, before;
	int64_t         at;
	uint64_t        number;
};

struct subscription {
	char              id[33];
	struct mailbox   *mailbox;
	bool              all, streams;
	unsigned          folder[32];
	size_t            folders;
	unsigned          kinds;              /* bits of enum happening */
	struct event_told told[EVENTS_KEPT];  /* not yet fetched        */
	size_t            count;
	uint64_t          last;               /* number of the last one */
	uint64_t          heard_by;           /* number of the stream that asked for it last: an older one of it is over */
};

struct subscriptions {
	struct subscription *list[SUBSCRIPTIONS_MOST];
	size_t               count;
	uint64_t             streams;         /* so many were opened */
};

void subscriptions_free(struct subscriptions *all)
{
	if (!all)
		return;
	for (size_t i = 0; i < all->count; i++)
		free(all->list[i]);
	free(all);
}

static struct subscription *subscription_named(struct sandbox *s, const char *id)
{
	for (size_t i = 0; s->subscriptions && i < s->subscriptions->count; i++)
		if (strcmp(s->subscriptions->list[i]->id, id) == 0)
			return s->subscriptions->list[i];
	return NULL;
}

/* -- what happens ------------------------------------------------------------------------------------------------- */

static bool watches(const struct subscription *s, unsigned folder)
{
	for (size_t i = 0; i < s->folders; i++)
		if (s->folder[i] == folder)
			return true;
	return s->all;
}

void happened(struct sandbox *s, struct mailbox *m, enum happening how, struct entry_id item, const struct folder *folder,
              const struct folder *before)
{
	int64_t now = clock_unix_ms() / 1000;

	for (size_t i = 0; s->subscriptions && i < s->subscriptions->count; i++) {
		struct subscription *one = s->subscriptions->list[i];

		if (one->mailbox != m || !(one->kinds & 1u << how))
			continue;
		if (!watches(one, folder->number) && !(before && watches(one, before->number)))
			continue;
		if (one->count == EVENTS_KEPT)
			memmove(one->told, one->told + 1, (--one->count) * sizeof *one->told);
		one->told[one->count++] = (struct event_told){ how, item, folder->number, before ? before->number : 0, now, ++one->last };
	}
	if (s->cloud)
		notice(s, m, how, item.number, folder, before);
	imap_stir(s, m);
	if (s->google)
		ghistory_happened(s, m, how, item.number);
	pthread_cond_broadcast(&s->news);
}

/* -- Subscribe ---------------------------------------------------------------------------------------------------- */

static bool read_folders(struct call *c, const xmlNode *request, struct subscription *s)
{
	const char *all = xml_attribute(c->work, request, "SubscribeToAllFolders");

	s->all = all && strcmp(all, "true") == 0;
	s->mailbox = own_mailbox(c);
	for (const xmlNode *id = xml_first(xml_child(request, "FolderIds")); id && s->folders < COUNT(s->folder); id = xml_next(id)) {
		struct place p = place_of(c, id);

		if (!p.folder) {
			place_error(c, &p);
			return false;
		}
		s->mailbox = p.mailbox;
		s->folder[s->folders++] = p.folder->number;
	}
	if (!s->mailbox)
		message_error(c, "ErrorMissingEmailAddress", NULL);
	return s->mailbox != NULL;
}

static const char *watermark(struct call *c, const struct subscription *s, uint64_t number)
{
	return base64_of(c->work, slice_str(arena_print(c->work, "w:%s:%llu", s->id, (unsigned long long)number)));
}

static void subscribe(struct call *c, const xmlNode *request, struct subscription *s)
{
	struct subscriptions *all = c->sandbox->subscriptions;

	snprintf(s->id, sizeof s->id, "%s", random_text(c->work, 32));
	s->streams = xml_is(request, "StreamingSubscriptionRequest");
	for (const xmlNode *n = xml_first(xml_child(request, "EventTypes")); n; n = xml_next(n))
		for (size_t i = 0; i < COUNT(happening_names); i++)
			if (strcmp(xml_text(c->work, n), happening_names[i]) == 0)
				s->kinds |= 1u << i;
	all->list[all->count++] = s;
	message_begin(c);
	add(c, "<m:SubscriptionId>%s</m:SubscriptionId>", s->id);
	if (!s->streams)
		add(c, "<m:Watermark>%s</m:Watermark>", watermark(c, s, 0));
	message_end(c);
}

void answer_subscribe(struct call *c)
{
	const xmlNode       *request = xml_first(c->body);
	struct subscription *s;

	if (!xml_is(request, "StreamingSubscriptionRequest") && !xml_is(request, "PullSubscriptionRequest")) {
		c->fault = "ErrorInvalidRequest";
		return;
	}
	if (!c->sandbox->subscriptions)
		c->sandbox->subscriptions = must_alloc(sizeof *c->sandbox->subscriptions);
	if (c->sandbox->subscriptions->count == SUBSCRIPTIONS_MOST) {
		message_error(c, "ErrorExceededSubscriptionCount", "You have exceeded the available subscriptions for your account.");
		return;
	}
	s = must_alloc(sizeof *s);
	if (read_folders(c, request, s))
		subscribe(c, request, s);
	else
		free(s);
}

void answer_unsubscribe(struct call *c)
{
	struct subscriptions *all = c->sandbox->subscriptions;
	struct subscription  *s = subscription_named(c->sandbox, xml_text(c->work, xml_child(c->body, "SubscriptionId")));

	if (!s) {
		message_error(c, "ErrorSubscriptionNotFound", NULL);
		return;
	}
	for (size_t i = 0; i < all->count; i++)
		if (all->list[i] == s)
			all->list[i--] = all->list[--all->count];
	free(s);
	pthread_cond_broadcast(&c->sandbox->news);
	message_begin(c);
	message_end(c);
}

/* -- notifications ------------------------------------------------------------------------------------------------ */

static void add_ids(struct buffer *out, struct arena *work, const struct subscription *s, const struct event_told *e)
{
	unsigned m = s->mailbox->number;
	struct entry_id item = e->item;

	item.kind = 'i';
	buffer_print(out, "<t:TimeStamp>%s</t:TimeStamp><t:ItemId Id=\"%s\" ChangeKey=\"%s\"/>", moment(work, e->at), entry_id(work, item),
	             entry_id(work, (struct entry_id){ m, (unsigned)e->number, 0, 'c' }));
	buffer_print(out, "<t:ParentFolderId Id=\"%s\" ChangeKey=\"AQAAAA==\"/>", entry_id(work, (struct entry_id){ m, e->folder, 0, 'f' }));
	if (e->how == HAPPENED_MOVED)
		buffer_print(out, "<t:OldItemId Id=\"%s\" ChangeKey=\"AQAAAA==\"/><t:OldParentFolderId Id=\"%s\" ChangeKey=\"AQAAAA==\"/>", entry_id(work, item),
		             entry_id(work, (struct entry_id){ m, e->before, 0, 'f' }));
}

static void add_events(struct buffer *out, struct arena *work, const struct subscription *s, bool marks)
{
	for (size_t i = 0; i < s->count; i++) {
		const char *name = happening_names[s->told[i].how];

		buffer_print(out, "<t:%s>", name);
		if (marks)
			buffer_print(out, "<t:Watermark>%s</t:Watermark>",
			             base64_of(work, slice_str(arena_print(work, "w:%s:%llu", s->id, (unsigned long long)s->told[i].number))));
		add_ids(out, work, s, &s->told[i]);
		buffer_print(out, "</t:%s>", name);
	}
}

/* What came up to this mark is known to the other side. */
static void forget_until(struct subscription *s, uint64_t number)
{
	size_t n = 0;

	while (n < s->count && s->told[n].number <= number)
		n++;
	memmove(s->told, s->told + n, (s->count - n) * sizeof *s->told);
	s->count -= n;
}

void answer_get_events(struct call *c)
{
	const char          *mark = xml_text(c->work, xml_child(c->body, "Watermark"));
	struct subscription *s = subscription_named(c->sandbox, xml_text(c->work, xml_child(c->body, "SubscriptionId")));
	struct slice         plain;
	char                 id[33];
	unsigned long long   number;
	struct buffer        events;

	if (!s) {
		message_error(c, "ErrorSubscriptionNotFound", NULL);
		return;
	}
	if (!base64_read(c->work, slice_str(mark), &plain) || sscanf(arena_copy(c->work, plain), "w:%32[^:]:%llu", id, &number) != 2 || strcmp(id, s->id) != 0) {
		message_error(c, "ErrorInvalidWatermark", "The watermark is invalid.");
		return;
	}
	forget_until(s, number);
	buffer_init(&events, 16u << 20);
	add_events(&events, c->work, s, true);
	message_begin(c);
	add(c, "<m:Notification><t:SubscriptionId>%s</t:SubscriptionId><t:PreviousWatermark>%s</t:PreviousWatermark><t:MoreEvents>false</t:MoreEvents>", s->id, mark);
	if (s->count)
		buffer_add(&c->out, buffer_held(&events));
	else
		add(c, "<t:StatusEvent><t:Watermark>%s</t:Watermark></t:StatusEvent>", watermark(c, s, number));
	add(c, "</m:Notification>");
	message_end(c);
	buffer_release(&events);
}

/* -- streaming ---------------------------------------------------------------------------------------------------- */

/* One GetStreamingEvents that is being answered, in its connection's thread. */
struct stream {
	struct sandbox *sandbox;
	char          (*id)[33];
	size_t          ids;
	int64_t         ends_ms;            /* by the monotonic clock */
	uint64_t        number;
	bool            began, closed;
	int             version[4];
	const char     *label;
};

/* NULL: it is no more, or heard elsewhere. */
static struct subscription *subscription_of(const struct stream *st, size_t i)
{
	struct subscription *s = subscription_named(st->sandbox, st->id[i]);

	return s && s->heard_by == st->number ? s : NULL;
}

static void stream_begin(const struct stream *st, struct buffer *out, const char *class, const char *code)
{
	buffer_print(out,
	             "<?xml version=\"1.0\" encoding=\"utf-8\"?><s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Header><h:ServerVersionInfo "
	             "MajorVersion=\"%d\" MinorVersion=\"%d\" MajorBuildNumber=\"%d\" MinorBuildNumber=\"%d\" Version=\"%s\" "
	             "xmlns:h=\"http://schemas.microsoft.com/exchange/services/2006/types\"/></s:Header><s:Body>"
	             "<m:GetStreamingEventsResponse xmlns:m=\"http://schemas.microsoft.com/exchange/services/2006/messages\" "
	             "xmlns:t=\"http://schemas.microsoft.com/exchange/services/2006/types\"><m:ResponseMessages>"
	             "<m:GetStreamingEventsResponseMessage ResponseClass=\"%s\"><m:ResponseCode>%s</m:ResponseCode>",
	             st->version[0], st->version[1], st->version[2], st->version[3], st->label, class, code);
}

static void stream_head(const struct stream *st, struct buffer *out)
{
	stream_begin(st, out, "Success", "NoError");
}

static void stream_foot(struct buffer *out)
{
	buffer_add_str(out, "</m:GetStreamingEventsResponseMessage></m:ResponseMessages></m:GetStreamingEventsResponse></s:Body></s:Envelope>");
}

/* Which of what was asked for there is not; nothing where all of it is there. */
static void stream_missing(const struct stream *st, struct buffer *out)
{
	struct arena *work = arena_new();
	bool          any = false;

	for (size_t i = 0; i < st->ids; i++) {
		if (subscription_of(st, i))
			continue;
		if (!any)
			stream_begin(st, out, "Error", "ErrorSubscriptionNotFound");
		buffer_print(out, "%s<t:SubscriptionId>%s</t:SubscriptionId>", any ? "" : "<m:ErrorSubscriptionIds>", escaped(work, st->id[i]));
		any = true;
	}
	if (any) {
		buffer_add_str(out, "</m:ErrorSubscriptionIds>");
		stream_foot(out);
	}
	arena_free(work);
}

static void stream_status(const struct stream *st, struct buffer *out, const char *status)
{
	stream_head(st, out);
	buffer_print(out, "<m:ConnectionStatus>%s</m:ConnectionStatus>", status);
	stream_foot(out);
}

/* All that happened in its subscriptions, as one envelope; false: nothing. */
static bool stream_news(struct stream *st, struct buffer *out)
{
	struct arena *work = arena_new();
	bool          any = false;

	for (size_t i = 0; i < st->ids; i++) {
		struct subscription *s = subscription_of(st, i);

		if (!s || !s->count)
			continue;
		if (!any) {
			stream_head(st, out);
			buffer_add_str(out, "<m:Notifications>");
		}
		any = true;
		buffer_print(out, "<m:Notification><t:SubscriptionId>%s</t:SubscriptionId>", s->id);
		add_events(out, work, s, false);
		buffer_add_str(out, "</m:Notification>");
		s->count = 0;
	}
	if (any) {
		buffer_add_str(out, "</m:Notifications>");
		stream_foot(out);
	}
	arena_free(work);
	return any;
}

static bool has_any(const struct stream *st)
{
	for (size_t i = 0; i < st->ids; i++)
		if (subscription_of(st, i))
			return true;
	return false;
}

/* True: news may be there. */
static bool stream_wait(struct stream *st, int64_t ms)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += ms % 1000 * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	return pthread_cond_timedwait(&st->sandbox->news, &st->sandbox->lock, &until) == 0;
}

static bool stream_more(void *self, struct buffer *out)
{
	struct stream  *st = self;
	struct sandbox *s = st->sandbox;
	int64_t         beat = clock_mono_ms() + s->heartbeat_ms;

	if (st->closed)
		return false;
	pthread_mutex_lock(&s->lock);
	if (!st->began) {
		st->began = true;
		stream_status(st, out, "OK");
		stream_missing(st, out);
	}
	while (!buffer_held(out).len && !st->closed) {
		int64_t now = clock_mono_ms();

		if (s->stopping || now >= st->ends_ms || !has_any(st)) {
			stream_status(st, out, "Closed");
			st->closed = true;
		} else if (!stream_news(st, out)) {
			if (now >= beat)
				stream_status(st, out, "OK");
			else
				stream_wait(st, (beat < st->ends_ms ? beat : st->ends_ms) - now);
		}
	}
	pthread_mutex_unlock(&s->lock);
	return true;
}

static void stream_done(void *self)
{
	struct stream *st = self;

	free(st->id);
	free(st);
}

static struct stream *stream_new(struct call *c)
{
	const xmlNode *ids = xml_child(c->body, "SubscriptionIds");
	unsigned long  minutes = strtoul(xml_text(c->work, xml_child(c->body, "ConnectionTimeout")), NULL, 10);
	struct stream *st = must_alloc(sizeof *st);

	st->sandbox = c->sandbox;
	st->ends_ms = clock_mono_ms() + (int64_t)(minutes >= 1 && minutes <= 30 ? minutes : 1) * 60000;
	memcpy(st->version, c->sandbox->persona->version, sizeof st->version);
	st->label = c->sandbox->persona->label;
	st->id = must_alloc(SUBSCRIPTIONS_MOST * sizeof *st->id);
	for (const xmlNode *n = xml_first(ids); n && st->ids < SUBSCRIPTIONS_MOST; n = xml_next(n))
		snprintf(st->id[st->ids++], sizeof *st->id, "%s", xml_text(c->work, n));
	return st;
}

/* From here on none but this one hears them. */
static void hear(struct stream *st)
{
	struct subscriptions *all = st->sandbox->subscriptions;

	if (!all)
		return;
	st->number = ++all->streams;
	for (size_t i = 0; i < st->ids; i++) {
		struct subscription *s = subscription_named(st->sandbox, st->id[i]);

		if (s)
			s->heard_by = st->number;
	}
	pthread_cond_broadcast(&st->sandbox->news);
}

void answer_stream_events(struct call *c)
{
	struct stream *st = stream_new(c);

	hear(st);
	if (!has_any(st)) {
		message_error(c, "ErrorInvalidSubscription", NULL);
		stream_done(st);
		return;
	}
	c->reply->type = "text/xml; charset=utf-8";
	usual_headers(c->sandbox, c->request, c->reply);
	c->reply->ending = ENDS_STREAM;
	c->reply->more = stream_more;
	c->reply->done = stream_done;
	c->reply->self = st;
	c->streams = true;
}
