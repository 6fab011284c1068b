/* Subscriptions, and the notices that go to whoever has one: asked whether it listens first, told in a thread of its own. */
#include <stdlib.h>
#include <strings.h>

#include "base/random.h"
#include "sandbox/entra.h"
#include "sandbox/graph.h"
#include "sandbox/letters.h"
#include "sandbox/text.h"

#define SUBSCRIPTIONS_MOST 1000
#define LIFE_MOST   (4230L * 60)
#define LIFE_LEAST  (45L * 60)
#define PROOF_MS    10000
#define PROOF_MOST  4096

struct watcher {
	struct arena   *own;
	const char     *id, *resource, *change, *url, *lifecycle_url, *client_state;
	struct account *account;
	unsigned        folder;          /* 0: all of that kind */
	bool            events, lasting;
	int64_t         expires;
	struct watcher *next;
};

struct notices {
	struct watcher *first;
	size_t          count;
	struct letters *letters;
};

static void send_letter(struct notices *n, const char *url, cJSON *value)
{
	cJSON *o = cJSON_CreateObject(), *list = cJSON_AddArrayToObject(o, "value");
	char  *text;

	cJSON_AddItemToArray(list, value);
	text = cJSON_PrintUnformatted(o);
	cJSON_Delete(o);
	letters_send(n->letters, url, NULL, text);
	cJSON_free(text);
}

/* -- what is told -------------------------------------------------------------------------------------------------------- */

static cJSON *letter_of(const struct watcher *w, struct arena *work)
{
	cJSON *o = cJSON_CreateObject();

	cJSON_AddStringToObject(o, "subscriptionId", w->id);
	cJSON_AddStringToObject(o, "subscriptionExpirationDateTime", moment(work, w->expires));
	cJSON_AddStringToObject(o, "tenantId", CLOUD_TENANT);
	if (w->client_state)
		cJSON_AddStringToObject(o, "clientState", w->client_state);
	return o;
}

static void tell_change(struct sandbox *s, const struct watcher *w, struct mailbox *m, const char *change, unsigned number)
{
	struct arena     *work = arena_new();
	struct item      *item = mailbox_item(m, number), gone = { .number = number, .lasting = number };
	struct msgraph_ask  a = { .sandbox = s, .work = work, .mailbox = m, .account = w->account, .prefer = w->lasting ? "IdType=\"ImmutableId\"" : NULL };
	const char       *id = msgraph_item_id(&a, item ? item : &gone, 0);
	const char       *path = arena_print(work, "Users/%s/%s/%s", account_oid(s, work, w->account), w->events ? "Events" : "Messages", id);
	cJSON            *o = letter_of(w, work), *data;

	cJSON_AddStringToObject(o, "changeType", change);
	cJSON_AddStringToObject(o, "resource", path);
	data = cJSON_AddObjectToObject(o, "resourceData");
	cJSON_AddStringToObject(data, "@odata.type", w->events ? "#Microsoft.Graph.Event" : "#Microsoft.Graph.Message");
	cJSON_AddStringToObject(data, "@odata.id", path);
	cJSON_AddStringToObject(data, "@odata.etag", arena_print(work, "W/\"CQ%llu\"", (unsigned long long)m->change));
	cJSON_AddStringToObject(data, "id", id);
	send_letter(s->cloud->notices, w->url, o);
	arena_free(work);
}

static void tell_in(struct sandbox *s, struct mailbox *m, const char *change, const struct folder *f, unsigned number)
{
	struct notices *n = s->cloud->notices;
	bool            events = strcmp(f->class, "IPF.Appointment") == 0;

	for (struct watcher *w = n->first; w; w = w->next)
		if (w->account->mailbox == m && w->events == events && (!w->folder || w->folder == f->number) && w->expires > now_s() &&
		    strcasestr(w->change, change))
			tell_change(s, w, m, change, number);
}

void notice(struct sandbox *s, struct mailbox *m, enum happening how, unsigned item, const struct folder *f, const struct folder *before)
{
	static const char *const changes[] = { [HAPPENED_CREATED] = "created", [HAPPENED_DELETED] = "deleted", [HAPPENED_MODIFIED] = "updated",
	                                       [HAPPENED_MOVED] = "created" };

	if (!s->cloud->notices || how == HAPPENED_NEW_MAIL || orders_take(&s->orders, ORDER_NO_NOTICES))
		return;
	if (before)
		tell_in(s, m, "deleted", before, item);
	tell_in(s, m, changes[how], f, item);
}

/* What was ordered, once, to who has just subscribed. */
static void tell_life(struct sandbox *s, struct watcher *w)
{
	struct ordered *o = w->lifecycle_url ? orders_take(&s->orders, ORDER_LIFECYCLE) : NULL;
	struct arena   *work;
	cJSON          *letter;

	if (!o)
		return;
	work = arena_new();
	letter = letter_of(w, work);
	cJSON_AddStringToObject(letter, "lifecycleEvent", o->value);
	cJSON_AddStringToObject(letter, "resource", w->resource);
	send_letter(s->cloud->notices, w->lifecycle_url, letter);
	if (strcmp(o->value, "subscriptionRemoved") == 0)
		w->expires = 0;
	arena_free(work);
}

/* -- subscriptions --------------------------------------------------------------------------------------------------------- */

static struct notices *notices_of(struct sandbox *s)
{
	struct notices *n = s->cloud->notices;

	if (n)
		return n;
	n = must_alloc(sizeof *n);
	n->letters = letters_new(s);
	if (!n->letters) {
		free(n);
		return NULL;
	}
	return s->cloud->notices = n;
}

static void watcher_free(struct watcher *w)
{
	arena_free(w->own);
	free(w);
}

void notices_free(struct notices *n)
{
	if (!n)
		return;
	letters_free(n->letters);
	for (struct watcher *w = n->first, *next; w; w = next) {
		next = w->next;
		watcher_free(w);
	}
	free(n);
}

static void drop(struct notices *n, struct watcher *w)
{
	struct watcher **at = &n->first;

	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
	n->count--;
	watcher_free(w);
}

/* That of the path; NULL: refused. What has run out is gone. */
static struct watcher *watcher_of(struct msgraph_ask *a)
{
	struct notices *n = a->sandbox->cloud->notices;

	for (struct watcher *w = n ? n->first : NULL; w; w = w->next)
		if (strcasecmp(w->id, a->arg[0]) == 0 && w->account == a->token->account && w->expires > now_s())
			return w;
	msgraph_refuse(a, "ResourceNotFound", 0, "The object was not found.");
	return NULL;
}

static cJSON *shown(struct msgraph_ask *a, const struct watcher *w)
{
	cJSON *o = cJSON_CreateObject();

	cJSON_AddStringToObject(o, "@odata.context", GRAPH_ROOT "/$metadata#subscriptions/$entity");
	cJSON_AddStringToObject(o, "id", w->id);
	cJSON_AddStringToObject(o, "resource", w->resource);
	cJSON_AddStringToObject(o, "applicationId", CLOUD_CLIENT);
	cJSON_AddStringToObject(o, "changeType", w->change);
	cJSON_AddStringToObject(o, "notificationUrl", w->url);
	if (w->lifecycle_url)
		cJSON_AddStringToObject(o, "lifecycleNotificationUrl", w->lifecycle_url);
	cJSON_AddStringToObject(o, "expirationDateTime", moment(a->work, w->expires));
	cJSON_AddStringToObject(o, "creatorId", account_oid(a->sandbox, a->work, w->account));
	return o;
}

/* As long as was asked for, within Microsoft's bounds, or as was ordered. False: no such time. */
static bool read_expiry(struct msgraph_ask *a, const cJSON *given, int64_t *out)
{
	const char *ordered = ordered_value(a->sandbox, ORDER_SUBSCRIPTION_LIFE);
	int64_t     until, now = now_s();

	if (!moment_read(json_text(given, "expirationDateTime"), &until) || until <= now)
		return false;
	*out = ordered                  ? now + strtol(ordered, NULL, 10)
	     : until > now + LIFE_MOST  ? now + LIFE_MOST
	     : until < now + LIFE_LEAST ? now + LIFE_LEAST : until;
	return true;
}

/* Does it listen there (facts M B.4)? Given back the lock while it is asked. */
static bool proves_itself(struct msgraph_ask *a, const char *url)
{
	struct buffer query, answer;
	const char   *token = arena_print(a->work, "Validation: Testing client application reachability for subscription Request-Id: %s",
	                                  guid_of(a->work, random_text(a->work, 20)));
	long          status;
	bool          fine;

	buffer_init(&query, PROOF_MOST);
	buffer_init(&answer, PROOF_MOST);
	form_write(&query, "validationToken", token);
	pthread_mutex_unlock(&a->sandbox->lock);
	status = letter_post(arena_print(a->work, "%s%s%.*s", url, strchr(url, '?') ? "&" : "?", (int)buffer_held(&query).len, buffer_held(&query).at),
	              "Content-Type: text/plain; charset=utf-8", NULL, "", PROOF_MS, &answer);
	pthread_mutex_lock(&a->sandbox->lock);
	fine = status == 200 && slice_equal(buffer_held(&answer), slice_str(token));
	buffer_release(&query);
	buffer_release(&answer);
	if (!fine)
		msgraph_refuse(a, "ValidationError", 0, status ? NULL : "Subscription validation request timed out.");
	return fine;
}

/* "/me/mailFolders('inbox')/messages", "me/messages", "me/events": whose, and where. False: refused. */
static bool read_resource(struct msgraph_ask *a, const char *resource, struct watcher *w)
{
	struct msgraph_ask at = { .sandbox = a->sandbox, .work = a->work, .token = a->token, .account = a->token->account };
	struct folder   *f;

	w->account = a->token->account;
	at.mailbox = w->account ? w->account->mailbox : NULL;
	if (!at.mailbox || !msgraph_path(&at, slice_str(resource)) || at.parts < 2) {
		msgraph_refuse(a, "InvalidRequest", 0, NULL);
		return false;
	}
	w->events = strcasecmp(at.part[at.parts - 1], "events") == 0;
	if (!scope_has(a->token->scope, w->events ? "Calendars.ReadWrite" : "Mail.ReadWrite") && !scope_has(a->token->scope, w->events ? "Calendars.Read" : "Mail.Read")) {
		msgraph_refuse(a, "ErrorAccessDenied", 0, NULL);
		return false;
	}
	if (at.parts < 4)
		return true;
	f = msgraph_folder(&at, at.part[2]);
	cJSON_Delete(at.json);
	w->folder = f ? f->number : 0;
	if (!f)
		msgraph_refuse(a, "ErrorItemNotFound", 0, NULL);
	return f != NULL;
}

static bool read_watcher(struct msgraph_ask *a, const cJSON *given, struct watcher *w)
{
	const char *change = json_text(given, "changeType"), *url = json_text(given, "notificationUrl"), *resource = json_text(given, "resource");
	const char *life = json_text(given, "lifecycleNotificationUrl"), *state = json_text(given, "clientState");

	if (!change || !url || !resource || !read_expiry(a, given, &w->expires) || (state && strlen(state) > 128)) {
		msgraph_refuse(a, "InvalidRequest", 0, NULL);
		return false;
	}
	w->id = arena_str(w->own, guid_of(a->work, random_text(a->work, 20)));
	w->change = arena_str(w->own, change);
	w->url = arena_str(w->own, url);
	w->resource = arena_str(w->own, resource);
	w->lifecycle_url = life ? arena_str(w->own, life) : NULL;
	w->client_state = state ? arena_str(w->own, state) : NULL;
	w->lasting = msgraph_prefers(a, "ImmutableId");
	return read_resource(a, resource, w);
}

void msgraph_subscribe(struct msgraph_ask *a)
{
	struct notices *n = notices_of(a->sandbox);
	cJSON          *given = json_read(a->body, WEB_LONGEST_REQUEST, NULL);
	struct watcher *w = must_alloc(sizeof *w);
	bool            fine;

	w->own = arena_new();
	fine = read_watcher(a, given, w) && proves_itself(a, w->url) && (!w->lifecycle_url || proves_itself(a, w->lifecycle_url));
	cJSON_Delete(given);
	if (!fine || !n || n->count == SUBSCRIPTIONS_MOST) {
		if (fine)
			msgraph_refuse(a, "ErrorInternalServerError", 0, NULL);
		watcher_free(w);
		return;
	}
	w->next = n->first;
	n->first = w;
	n->count++;
	msgraph_give(a, 201, shown(a, w));
	tell_life(a->sandbox, w);
}

void msgraph_list_subscriptions(struct msgraph_ask *a)
{
	struct notices *n = a->sandbox->cloud->notices;
	cJSON          *value, *page = msgraph_page(a, "subscriptions", &value);

	for (struct watcher *w = n ? n->first : NULL; w; w = w->next)
		if (w->account == a->token->account && w->expires > now_s())
			cJSON_AddItemToArray(value, shown(a, w));
	msgraph_give(a, 200, page);
}

void msgraph_get_subscription(struct msgraph_ask *a)
{
	struct watcher *w = watcher_of(a);

	if (w)
		msgraph_give(a, 200, shown(a, w));
}

void msgraph_renew(struct msgraph_ask *a)
{
	struct watcher *w = watcher_of(a);
	cJSON          *given = w ? json_read(a->body, WEB_LONGEST_REQUEST, NULL) : NULL;

	if (w && !read_expiry(a, given, &w->expires))
		msgraph_refuse(a, "InvalidRequest", 0, NULL);
	else if (w)
		msgraph_give(a, 200, shown(a, w));
	cJSON_Delete(given);
}

void msgraph_reauthorize(struct msgraph_ask *a)
{
	if (watcher_of(a))
		a->status = 204;
}

void msgraph_unsubscribe(struct msgraph_ask *a)
{
	struct watcher *w = watcher_of(a);

	if (!w)
		return;
	drop(a->sandbox->cloud->notices, w);
	a->status = 204;
}
