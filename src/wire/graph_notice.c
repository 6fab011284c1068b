#include "wire/graph_notice.h"

#include <stdlib.h>
#include <time.h>

#include "base/json.h"
#include "wire/ews.h"
#include "wire/graph.h"

#define CHANGES "created,updated,deleted"

/* -- subscriptions ------------------------------------------------------------------------------------------------ */

static void add_time(cJSON *o, const char *name, int64_t unix_s)
{
	char      text[40] = "";
	time_t    t = (time_t)unix_s;
	struct tm tm;

	if (gmtime_r(&t, &tm))
		strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
	cJSON_AddStringToObject(o, name, text);
}

/* Takes it. */
static bool write_down(struct buffer *b, cJSON *o)
{
	char *text = cJSON_PrintUnformatted(o);
	bool  fine = text && buffer_add_str(b, text);

	cJSON_free(text);
	json_forget(o);
	return fine;
}

bool graph_subscribe(struct buffer *b, const struct graph_wish *w)
{
	cJSON *o = cJSON_CreateObject();

	cJSON_AddStringToObject(o, "changeType", CHANGES);
	cJSON_AddStringToObject(o, "notificationUrl", w->url);
	cJSON_AddStringToObject(o, "lifecycleNotificationUrl", w->url);
	cJSON_AddStringToObject(o, "resource", w->resource);
	add_time(o, "expirationDateTime", w->until);
	cJSON_AddStringToObject(o, "clientState", w->client_state);
	return write_down(b, o);
}

bool graph_prolong(struct buffer *b, int64_t until)
{
	cJSON *o = cJSON_CreateObject();

	add_time(o, "expirationDateTime", until);
	return write_down(b, o);
}

bool graph_subscription_is_id(const char *id)
{
	static const char fine[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
	size_t            len = strspn(id, fine);

	return len > 0 && len <= GRAPH_SUBSCRIPTION_ID && !id[len];
}

bool graph_subscription_read(struct slice body, struct arena *a, struct graph_subscription *s, struct error *err)
{
	cJSON *json = json_read(body, GRAPH_ANSWER, err);

	*s = (struct graph_subscription){ 0 };
	if (!json)
		return false;
	*s = (struct graph_subscription){ json_copy(json, "id", a), ews_time(json_text(json, "expirationDateTime")) };
	cJSON_Delete(json);
	if (!s->id || !graph_subscription_is_id(s->id))
		return fail(err, FAULT_BROKEN, "a subscription without an id");
	return s->until > 0 || fail(err, FAULT_BROKEN, "a subscription without an end");
}

/* -- notices ------------------------------------------------------------------------------------------------------ */

static enum graph_life life_of(const char *event)
{
	static const struct { const char *name; enum graph_life life; } lives[] = {
		{ "reauthorizationRequired", GRAPH_REAUTHORIZE }, { "subscriptionRemoved", GRAPH_REMOVED }, { "missed", GRAPH_MISSED },
	};

	if (!event)
		return GRAPH_CHANGED;
	for (size_t i = 0; i < COUNT(lives); i++)
		if (strcmp(event, lives[i].name) == 0)
			return lives[i].life;
	return GRAPH_MISSED;
}

static bool read_notice(const cJSON *json, struct arena *a, struct graph_notice *n)
{
	const char *id = json_text(json, "subscriptionId"), *state = json_text(json, "clientState");

	if (!id || !state || !graph_subscription_is_id(id) || !*state || strlen(state) > GRAPH_CLIENT_STATE)
		return false;
	*n = (struct graph_notice){ arena_str(a, id), arena_str(a, state), life_of(json_text(json, "lifecycleEvent")) };
	return true;
}

bool graph_notices_read(struct slice body, size_t longest, struct arena *a, const struct graph_notice **out, size_t *count,
                        struct error *err)
{
	cJSON               *json = json_read(body, longest, err);
	const cJSON         *value = cJSON_GetObjectItemCaseSensitive(json, "value"), *item;
	size_t               most = (size_t)cJSON_GetArraySize(value), looked = 0;
	struct graph_notice *all;

	*count = 0;
	*out = all = arena_get(a, ((most < GRAPH_NOTICES_MOST ? most : GRAPH_NOTICES_MOST) + 1) * sizeof *all);
	if (!cJSON_IsArray(value)) {
		if (json)
			fail(err, FAULT_BROKEN, "no collection of notices");
		cJSON_Delete(json);
		return false;
	}
	cJSON_ArrayForEach(item, value) {
		if (looked++ == GRAPH_NOTICES_MOST)
			break;
		*count += read_notice(item, a, &all[*count]);
	}
	json_forget(json);
	return true;
}

/* -- the handshake ------------------------------------------------------------------------------------------------ */

bool graph_proof(const char *token)
{
	size_t len = 0;

	for (; len <= GRAPH_PROOF && token[len]; len++)
		if (token[len] < ' ' || token[len] > '~' || token[len] == '<' || token[len] == '>')
			return false;
	return len > 0 && len <= GRAPH_PROOF;
}
