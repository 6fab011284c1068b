#include "wire/graph.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

/* -- errors ------------------------------------------------------------------------------------------------------- */

static const cJSON *member(const cJSON *object, const char *name)
{
	return cJSON_GetObjectItemCaseSensitive(object, name);
}

static void add_code(struct graph_error *e, const char *code, struct arena *a)
{
	for (size_t i = 0; i < e->codes; i++)
		if (strcmp(e->code[i], code) == 0)
			return;
	if (*code && e->codes < GRAPH_CODES)
		e->code[e->codes++] = arena_str(a, code);
}

/* Its casing varies (facts M B.7). */
static const cJSON *inner_of(const cJSON *error)
{
	const cJSON *inner = member(error, "innerError");

	return inner ? inner : member(error, "innererror");
}

bool graph_error_read(struct slice body, struct arena *a, struct graph_error *e)
{
	struct error  none = { 0 };
	cJSON        *json = json_read(body, GRAPH_ANSWER, &none);
	const cJSON  *error = member(json, "error");
	const char   *message = json_text(error, "message");

	*e = (struct graph_error){ .message = message ? arena_str(a, message) : NULL };
	for (const cJSON *at = error; cJSON_IsObject(at); at = inner_of(at)) {
		const char *code = json_text(at, "code"), *id = json_text(at, "request-id");

		if (code)
			add_code(e, code, a);
		if (id && !e->request_id)
			e->request_id = arena_str(a, id);
	}
	cJSON_Delete(json);
	return e->codes > 0;
}

/* -- who ---------------------------------------------------------------------------------------------------------- */

static void add_address(struct graph_user *u, const char *text, struct arena *a)
{
	if (!text || !strchr(text, '@'))
		return;
	if (u->addresses < GRAPH_ADDRESSES)
		u->address[u->addresses++] = arena_str(a, text);
}

static void add_list(struct graph_user *u, const cJSON *list, const char *prefix, struct arena *a)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, list)
		if (cJSON_IsString(item) && slice_starts(slice_str(item->valuestring), prefix))
			add_address(u, item->valuestring + strlen(prefix), a);
}

/* There may be several plans with a mailbox in them: one that is on will do. */
static void read_plans(struct graph_user *u, const cJSON *plans, struct arena *a)
{
	const cJSON *plan;

	u->plans_told = cJSON_IsArray(plans);
	cJSON_ArrayForEach(plan, plans) {
		const char *service = json_text(plan, "service"), *status = json_text(plan, "capabilityStatus");

		if (!service || !status || !slice_is(slice_str(service), "exchange"))
			continue;
		if (!u->exchange_plan || slice_is(slice_str(status), "Enabled"))
			u->exchange_plan = arena_str(a, status);
	}
}

/* Sixteen hexadecimal digits, where organisations have GUIDs (facts M B.8). */
static bool is_personal_id(const char *id)
{
	size_t len = id ? strspn(id, "0123456789abcdefABCDEF") : 0;

	return len == 16 && !id[len];
}

bool graph_user_read(struct slice body, struct arena *a, struct graph_user *u, struct error *err)
{
	cJSON      *json = json_read(body, GRAPH_ANSWER, err);
	const char *type;

	if (!json)
		return false;
	*u = (struct graph_user){ .id = json_copy(json, "id", a), .display_name = json_copy(json, "displayName", a), .mail = json_copy(json, "mail", a),
	                          .user_principal_name = json_copy(json, "userPrincipalName", a) };
	add_address(u, u->mail, a);
	add_address(u, u->user_principal_name, a);
	add_list(u, member(json, "proxyAddresses"), "smtp:", a);
	add_list(u, member(json, "otherMails"), "", a);
	read_plans(u, member(json, "assignedPlans"), a);
	u->on_premises_sync_enabled = cJSON_IsTrue(member(json, "onPremisesSyncEnabled"));
	type = json_text(json, "userType");
	u->guest = (type && slice_is(slice_str(type), "Guest")) || (u->user_principal_name && strstr(u->user_principal_name, "#EXT#"));
	u->personal = is_personal_id(u->id);
	cJSON_Delete(json);
	return u->id || fail(err, FAULT_BROKEN, "an account without an id");
}

/* -- batches ------------------------------------------------------------------------------------------------------ */

bool graph_batch(struct buffer *b, const struct graph_question *q, size_t count)
{
	bool fine = buffer_add_str(b, "{\"requests\":[");

	for (size_t i = 0; i < count; i++)
		fine = fine && buffer_print(b, "%s{\"id\":\"%zu\",\"method\":\"%s\",\"url\":\"%s\"}", i ? "," : "", i + 1, q[i].method, q[i].url);
	return fine && buffer_add_str(b, "]}");
}

static int retry_after(const cJSON *headers)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, headers)
		if (cJSON_IsString(item) && slice_is(slice_str(item->string), "Retry-After"))
			return atoi(item->valuestring) > 0 ? atoi(item->valuestring) : 0;
	return 0;
}

/* A body that is no JSON comes as a text. */
static struct slice body_of(const cJSON *reply, struct arena *a)
{
	const cJSON *body = member(reply, "body");
	char        *text;
	struct slice copy;

	if (!body || cJSON_IsNull(body))
		return slice(NULL, 0);
	if (cJSON_IsString(body))
		return slice_str(arena_str(a, body->valuestring));
	text = cJSON_PrintUnformatted(body);
	copy = slice_str(text ? arena_str(a, text) : NULL);
	free(text);
	return copy;
}

bool graph_batch_read(struct slice body, struct arena *a, struct graph_reply *reply, size_t count, struct error *err)
{
	cJSON       *json = json_read(body, GRAPH_ANSWER, err);
	const cJSON *replies = member(json, "responses"), *item;

	if (!json)
		return false;
	for (size_t i = 0; i < count; i++)
		reply[i] = (struct graph_reply){ 0 };
	cJSON_ArrayForEach(item, replies) {
		const char *id = json_text(item, "id");
		int         n = id ? atoi(id) : 0, status = (int)json_number(item, "status", 0);

		if (n >= 1 && (size_t)n <= count && !reply[n - 1].status && status >= 100 && status < 600)
			reply[n - 1] = (struct graph_reply){ status, retry_after(member(item, "headers")), body_of(item, a) };
	}
	cJSON_Delete(json);
	return replies ? true : fail(err, FAULT_BROKEN, "no answers in the batch");
}

/* -- what is new -------------------------------------------------------------------------------------------------- */

const char *graph_link_target(const char *link, const char *host)
{
	struct slice rest = slice_str(link);
	size_t       name = strlen(host);

	if (rest.len > GRAPH_LINK || !slice_starts(rest, "https://") || !slice_starts(slice_from(rest, 8), host))
		return NULL;
	rest = slice_from(rest, 8 + name);
	if (slice_starts(rest, ":443/"))
		rest = slice_from(rest, 4);
	if (rest.len < 6 || memcmp(rest.at, "/v1.0/", 6) != 0)
		return NULL;
	for (size_t i = 0; i < rest.len; i++)
		if ((unsigned char)rest.at[i] <= ' ' || (unsigned char)rest.at[i] >= 0x7f || rest.at[i] == '#')
			return NULL;
	/* a path that climbs out of where it says that it is */
	return slice_has(slice_upto(rest, slice_find(rest, '?')), "/..") ? NULL : rest.at;
}

/* -- messages ------------------------------------------------------------------------------------------------------ */

static const char *message_class(const cJSON *message, struct arena *a)
{
	const cJSON *property;

	cJSON_ArrayForEach(property, member(message, "singleValueExtendedProperties")) {
		const char *id = json_text(property, "id");

		if (id && slice_is(slice_str(id), "String 0x1a"))
			return json_copy(property, "value", a);
	}
	return NULL;
}

int graph_messages_read(struct slice body, struct arena *a, struct graph_message *out, size_t most)
{
	struct error none = { 0 };
	cJSON       *json = json_read(body, GRAPH_ANSWER, &none);
	const cJSON *value = member(json, "value"), *item;
	size_t       count = 0;

	cJSON_ArrayForEach(item, value) {
		if (count == most)
			break;
		out[count++] = (struct graph_message){ json_copy(item, "id", a), json_copy(item, "subject", a),
			json_copy(member(member(item, "from"), "emailAddress"), "address", a), message_class(item, a) };
	}
	count = cJSON_IsArray(value) ? count : (size_t)-1;
	cJSON_Delete(json);
	return (int)count;
}

/* -- events -------------------------------------------------------------------------------------------------------- */

int graph_events_read(struct slice body, struct arena *a, struct graph_event *out, size_t most)
{
	struct error none = { 0 };
	cJSON       *json = json_read(body, GRAPH_ANSWER, &none);
	const cJSON *value = member(json, "value"), *item;
	size_t       count = 0;

	cJSON_ArrayForEach(item, value) {
		const cJSON *start = member(item, "start");

		if (count == most)
			break;
		out[count++] = (struct graph_event){ json_copy(item, "id", a), json_copy(item, "subject", a), json_copy(item, "transactionId", a),
			json_copy(start, "dateTime", a), json_copy(start, "timeZone", a) };
	}
	count = cJSON_IsArray(value) ? count : (size_t)-1;
	cJSON_Delete(json);
	return (int)count;
}

bool graph_event_write(struct buffer *b, const struct graph_new_event *e, bool whole)
{
	if (whole && !buffer_print(b, "{\"subject\":\"%s\",\"sensitivity\":\"private\",\"showAs\":\"free\",\"isReminderOn\":false,\"transactionId\":\"%s\",",
	                           e->subject, e->transaction))
		return false;
	return buffer_print(b, "%s\"start\":{\"dateTime\":\"%s\",\"timeZone\":\"%s\"},\"end\":{\"dateTime\":\"%s\",\"timeZone\":\"%s\"}}",
	                    whole ? "" : "{", e->start, e->zone, e->end, e->zone);
}

/* -- bits --------------------------------------------------------------------------------------------------------- */

int graph_page_count(struct slice body, bool *more)
{
	struct error none = { 0 };
	cJSON       *json = json_read(body, GRAPH_ANSWER, &none);
	const cJSON *value = member(json, "value");
	int          count = cJSON_IsArray(value) ? cJSON_GetArraySize(value) : -1;

	*more = json_text(json, "@odata.nextLink") != NULL;
	cJSON_Delete(json);
	return count;
}

const char *graph_text(struct slice body, const char *path, struct arena *a)
{
	struct error none = { 0 };
	cJSON       *json = json_read(body, GRAPH_ANSWER, &none);
	const cJSON *at = cJSON_IsArray(member(json, "value")) ? cJSON_GetArrayItem(member(json, "value"), 0) : json;
	struct slice rest = slice_str(path);
	const char  *text = NULL;

	while (rest.at && at) {
		struct slice name = slice_cut(&rest, '.');
		char         one[64];

		snprintf(one, sizeof one, "%.*s", (int)name.len, name.at);
		at = member(at, one);
	}
	if (cJSON_IsString(at))
		text = arena_str(a, at->valuestring);
	cJSON_Delete(json);
	return text;
}
