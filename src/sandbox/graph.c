/* Graph by path: who may, and who answers. */
#include "sandbox/graph.h"

#include <stdlib.h>
#include <strings.h>
#include <time.h>

#include "base/random.h"
#include "sandbox/entra.h"
#include "sandbox/text.h"

#define READS_MAIL  "Mail.Read|Mail.ReadWrite|Mail.ReadBasic"
#define READS_DATES "Calendars.Read|Calendars.ReadWrite"
#define CHALLENGE   "Bearer realm=\"\", authorization_uri=\"https://" ENTRA_HOST "/common/oauth2/authorize\", client_id=\"00000003-0000-0000-c000-000000000000\""

/* "*" stands for anything. A mailbox's paths begin behind "me" or "users/ID". `scopes`: one of them is needed; NULL: none. */
struct route {
	const char  *method, *path, *scopes;
	msgraph_route *answer;
	bool         without_mailbox;
};

static const struct route routes[] = {
	{ "GET",    "", "User.Read|User.Read.All|User.ReadBasic.All", msgraph_get_me, true },
	{ "GET",    "mailboxSettings", "MailboxSettings.Read|MailboxSettings.ReadWrite", msgraph_get_settings, false },
	{ "GET",    "mailFolders", READS_MAIL, msgraph_list_folders, false },
	{ "POST",   "mailFolders", "Mail.ReadWrite", msgraph_add_folder, false },
	{ "GET",    "mailFolders/delta", READS_MAIL, msgraph_folders_delta, false },
	{ "GET",    "mailFolders/*", READS_MAIL, msgraph_get_folder, false },
	{ "GET",    "mailFolders/*/childFolders", READS_MAIL, msgraph_list_children, false },
	{ "GET",    "mailFolders/*/messages", READS_MAIL, msgraph_list_messages, false },
	{ "GET",    "mailFolders/*/messages/delta", READS_MAIL, msgraph_messages_delta, false },
	{ "GET",    "messages", READS_MAIL, msgraph_list_messages, false },
	{ "POST",   "messages", "Mail.ReadWrite", msgraph_add_draft, false },
	{ "GET",    "messages/*", READS_MAIL, msgraph_get_message, false },
	{ "GET",    "messages/*/$value", READS_MAIL, msgraph_get_mime, false },
	{ "PATCH",  "messages/*", "Mail.ReadWrite", msgraph_update_message, false },
	{ "DELETE", "messages/*", "Mail.ReadWrite", msgraph_delete_message, false },
	{ "POST",   "messages/*/permanentDelete", "Mail.ReadWrite", msgraph_drop_message, false },
	{ "POST",   "messages/*/move", "Mail.ReadWrite", msgraph_move_message, false },
	{ "POST",   "messages/*/copy", "Mail.ReadWrite", msgraph_copy_message, false },
	{ "POST",   "messages/*/send", "Mail.Send", msgraph_send_draft, false },
	{ "POST",   "sendMail", "Mail.Send", msgraph_send_mail, false },
	{ "GET",    "calendars", READS_DATES, msgraph_list_calendars, false },
	{ "GET",    "calendar", READS_DATES, msgraph_get_calendar, false },
	{ "GET",    "calendars/*", READS_DATES, msgraph_get_calendar, false },
	{ "GET",    "events", READS_DATES, msgraph_list_events, false },
	{ "GET",    "calendar/events", READS_DATES, msgraph_list_events, false },
	{ "POST",   "events", "Calendars.ReadWrite", msgraph_add_event, false },
	{ "POST",   "calendar/events", "Calendars.ReadWrite", msgraph_add_event, false },
	{ "GET",    "events/*", READS_DATES, msgraph_get_event, false },
	{ "PATCH",  "events/*", "Calendars.ReadWrite", msgraph_update_event, false },
	{ "DELETE", "events/*", "Calendars.ReadWrite", msgraph_delete_event, false },
	{ "POST",   "events/*/permanentDelete", "Calendars.ReadWrite", msgraph_drop_event, false },
	{ "GET",    "calendarView", READS_DATES, msgraph_calendar_view, false },
	{ "GET",    "calendar/calendarView", READS_DATES, msgraph_calendar_view, false },
	{ "GET",    "calendars/*/calendarView", READS_DATES, msgraph_calendar_view, false },
	{ "GET",    "calendars/*/events", READS_DATES, msgraph_list_events, false },
	{ "POST",   "calendars/*/events", "Calendars.ReadWrite", msgraph_add_event, false },
	{ "GET",    "calendarView/delta", READS_DATES, msgraph_view_delta, false },
	{ "GET",    "calendar/calendarView/delta", READS_DATES, msgraph_view_delta, false },
};

/* Those that are about no mailbox. */
static const struct route others[] = {
	{ "POST",   "subscriptions", NULL, msgraph_subscribe, true },
	{ "GET",    "subscriptions", NULL, msgraph_list_subscriptions, true },
	{ "GET",    "subscriptions/*", NULL, msgraph_get_subscription, true },
	{ "PATCH",  "subscriptions/*", NULL, msgraph_renew, true },
	{ "POST",   "subscriptions/*/reauthorize", NULL, msgraph_reauthorize, true },
	{ "DELETE", "subscriptions/*", NULL, msgraph_unsubscribe, true },
	{ "POST",   "$batch", NULL, msgraph_batch, true },
};

/* -- the path ---------------------------------------------------------------------------------------------------------- */

/* "mailFolders('inbox')" is "mailFolders/inbox". */
static bool add_part(struct msgraph_ask *a, struct slice text)
{
	size_t open = slice_find(text, '(');

	if (!text.len)
		return true;
	if (a->parts + 2 > GRAPH_PARTS)
		return false;
	if (open + 4 <= text.len && slice_ends(text, "')") && text.at[open + 1] == '\'') {
		a->part[a->parts++] = arena_copy(a->work, slice_upto(text, open));
		text = slice(text.at + open + 2, text.len - open - 4);
	}
	a->part[a->parts++] = arena_copy(a->work, text);
	return true;
}

bool msgraph_path(struct msgraph_ask *a, struct slice path)
{
	struct slice query = path, rest = slice_cut(&query, '?');

	if (query.len && !form_read(a->work, query, &a->query))
		return false;
	while (slice_starts(rest, "/"))
		rest = slice_from(rest, 1);
	a->path = arena_copy(a->work, rest);
	while (rest.len) {
		struct slice one = slice_cut(&rest, '/');
		const char  *plain = url_plain(a->work, one, false);

		if (!plain || !add_part(a, slice_str(plain)))
			return false;
	}
	return true;
}

/* From that part on; what stands where "*" does goes to `arg`. */
static bool fits(struct msgraph_ask *a, size_t from, const char *route)
{
	struct slice rest = slice_str(route);
	size_t       args = 0;

	while (rest.len) {
		struct slice one = slice_cut(&rest, '/');

		if (from == a->parts)
			return false;
		if (slice_is(one, "*") && args < COUNT(a->arg))
			a->arg[args++] = a->part[from];
		else if (!slice_is(one, a->part[from]))
			return false;
		from++;
	}
	return from == a->parts;
}

static const struct route *route_in(struct msgraph_ask *a, const struct route *list, size_t count, size_t from)
{
	/* those without "*" first: "mailFolders/delta" is no folder */
	for (int star = 0; star < 2; star++)
		for (size_t i = 0; i < count; i++)
			if ((strchr(list[i].path, '*') != NULL) == star && strcmp(list[i].method, a->method) == 0 &&
			    fits(a, from, list[i].path))
				return &list[i];
	return NULL;
}

/* -- who may ------------------------------------------------------------------------------------------------------------- */

static bool refused_at_door(struct msgraph_ask *a, const char *text)
{
	msgraph_refuse(a, "InvalidAuthenticationToken", 401, text);
	a->challenge = CHALLENGE;
	return false;
}

static bool token_is_right(struct msgraph_ask *a, const char *header)
{
	struct slice h = slice_str(header ? header : "");

	if (!slice_starts(h, "Bearer ") || h.len < 8)
		return refused_at_door(a, "Access token is empty.");
	a->token = token_find(a->sandbox->cloud, TOKEN_ACCESS, header + 7);
	if (!a->token)
		return refused_at_door(a, "CompactToken parsing failed with error code: 80049217");
	if (orders_take(&a->sandbox->orders, ORDER_AUDIENCE))
		return refused_at_door(a, "Access token validation failure. Invalid audience.");
	if (a->token->expires < now_s())
		return refused_at_door(a, "Lifetime validation failed, the token is expired.");
	if (orders_take(&a->sandbox->orders, ORDER_CLAIMS)) {
		refused_at_door(a, "Continuous access evaluation resulted in challenge with result: InteractionRequired and code: TokenIssuedBeforeRevocationTimestamp");
		a->challenge = CHALLENGE ", error=\"insufficient_claims\", claims=\"eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7ImVzc2VudGlhbCI6dHJ1ZSwidmFsdWUiOiIxNzAwMDAwMDAwIn19fQ==\"";
		return false;
	}
	return true;
}

/* A person who opens another's mailbox needs the right to that besides the mailbox's owner's word (facts M B.1, B.9). */
static bool is_shared(const struct msgraph_ask *a, struct slice scope)
{
	return a->token->account && a->account && a->account != a->token->account && (slice_starts(scope, "Mail.") || slice_starts(scope, "Calendars."));
}

static bool may(const struct msgraph_ask *a, const char *scopes)
{
	struct slice rest = slice_str(scopes);

	if (!scopes)
		return true;
	while (rest.len) {
		struct slice one = slice_cut(&rest, '|');

		if (scope_has(a->token->scope, arena_print(a->work, "%.*s%s", (int)one.len, one.at, is_shared(a, one) ? ".Shared" : "")))
			return true;
	}
	return false;
}

/* Whose mailbox: "me", or "users/…" for oneself, a mailbox that one may open, and for an application anybody. */
static bool find_account(struct msgraph_ask *a, size_t *from)
{
	struct account *own = a->token->account;

	*from = 1;
	a->account = own;
	if (strcasecmp(a->part[0], "me") == 0) {
		if (!own)
			msgraph_refuse(a, "BadRequest", 400, "/me request is only valid with delegated authentication flow.");
		return own != NULL;
	}
	*from = 2;
	a->account = NULL;
	for (size_t i = 0; a->parts > 1 && i < a->sandbox->account_count; i++) {
		struct account *one = &a->sandbox->accounts[i];

		if (strcasecmp(one->mail, a->part[1]) == 0 || strcasecmp(account_oid(a->sandbox, a->work, one), a->part[1]) == 0)
			a->account = one;
	}
	if (!a->account)
		msgraph_refuse(a, "ErrorInvalidUser", 0, arena_print(a->work, "The requested user '%s' is invalid.", a->parts > 1 ? a->part[1] : ""));
	else if (own && own != a->account && a->account->delegate != own)
		msgraph_refuse(a, "ErrorAccessDenied", 0, NULL);
	else
		return true;
	return false;
}

static bool has_mailbox(struct msgraph_ask *a)
{
	a->mailbox = a->sandbox->cloud->hybrid ? NULL : a->account->mailbox;
	if (!a->mailbox)
		msgraph_refuse(a, "MailboxNotEnabledForRESTAPI", 0, NULL);
	return a->mailbox != NULL;
}

static void no_route(struct msgraph_ask *a)
{
	msgraph_refuse(a, "BadRequest", 400, arena_print(a->work, "Resource not found for the segment '%s'.", a->parts ? a->part[a->parts - 1] : ""));
}

/* Who signed in; of an application, whom it asks for. */
static void serve_owner(const struct msgraph_ask *a)
{
	if (a->token->account)
		account_served(a->sandbox, a->token->account);
	else if (a->parts > 1 && strcasecmp(a->part[0], "users") == 0)
		account_served(a->sandbox, account_by_mail(a->sandbox, a->part[1]));
}

void msgraph_do(struct msgraph_ask *a)
{
	bool                of_user = a->parts && (strcasecmp(a->part[0], "me") == 0 || strcasecmp(a->part[0], "users") == 0);
	const struct route *route;
	size_t              from = 0;

	a->status = 200;
	serve_owner(a);
	if (msgraph_ordered(a))
		return;
	if (of_user && !find_account(a, &from))
		return;
	route = of_user ? route_in(a, routes, COUNT(routes), from) : route_in(a, others, COUNT(others), 0);
	if (!route)
		no_route(a);
	else if (!may(a, route->scopes))
		msgraph_refuse(a, "ErrorAccessDenied", 0, NULL);
	else if (route->without_mailbox || has_mailbox(a))
		route->answer(a);
}

void msgraph_happened(struct msgraph_ask *a, enum happening what, const struct item *item, const struct folder *before)
{
	happened(a->sandbox, a->mailbox, what, (struct entry_id){ a->mailbox->number, item->number, 0, 'i' }, item->folder, before);
}

/* -- batches -------------------------------------------------------------------------------------------------------------- */

static cJSON *answer_of(struct msgraph_ask *one, const char *id)
{
	cJSON *o = cJSON_CreateObject(), *headers = cJSON_AddObjectToObject(o, "headers");

	cJSON_AddStringToObject(o, "id", id);
	cJSON_AddNumberToObject(o, "status", one->status);
	if (one->retry_after)
		cJSON_AddStringToObject(headers, "Retry-After", arena_print(one->work, "%d", one->retry_after));
	if (one->json)
		cJSON_AddStringToObject(headers, "Content-Type", "application/json");
	if (one->json)
		cJSON_AddItemToObject(o, "body", one->json);
	one->json = NULL;
	return o;
}

static const char *header_in(const cJSON *request, const char *name)
{
	const cJSON *h;

	cJSON_ArrayForEach(h, cJSON_GetObjectItem(request, "headers"))
		if (strcasecmp(h->string, name) == 0 && cJSON_IsString(h))
			return h->valuestring;
	return NULL;
}

/* Whether all that it waits for went well. */
static bool may_begin(const cJSON *request, const cJSON *answers)
{
	const cJSON *needed, *done;

	cJSON_ArrayForEach(needed, cJSON_GetObjectItem(request, "dependsOn"))
		cJSON_ArrayForEach(done, answers)
			if (cJSON_IsString(needed) && strcmp(json_text(done, "id"), needed->valuestring) == 0 && json_number(done, "status", 0) >= 400)
				return false;
	return true;
}

static cJSON *do_one(struct msgraph_ask *a, const cJSON *request, const char *id, const cJSON *answers)
{
	struct msgraph_ask one = { .sandbox = a->sandbox, .work = a->work, .token = a->token, .method = json_text(request, "method"),
	                         .prefer = header_in(request, "Prefer"), .content_type = header_in(request, "Content-Type") };
	cJSON           *body = cJSON_GetObjectItem(request, "body");

	if (body) {
		char *text = cJSON_PrintUnformatted(body);

		one.body = slice_str(cJSON_IsString(body) ? arena_str(a->work, body->valuestring) : arena_str(a->work, text));
		cJSON_free(text);
	}
	if (!one.method || !json_text(request, "url") || !msgraph_path(&one, slice_str(json_text(request, "url"))))
		msgraph_refuse(&one, "BadRequest", 400, NULL);
	else if (!may_begin(request, answers))
		msgraph_refuse(&one, "FailedDependency", 424, "Failed dependency.");
	else
		msgraph_do(&one);
	return answer_of(&one, id);
}

void msgraph_batch(struct msgraph_ask *a)
{
	cJSON       *given = json_read(a->body, WEB_LONGEST_REQUEST, NULL), *list = cJSON_GetObjectItem(given, "requests"), *out;
	const cJSON *request;

	if (!cJSON_IsArray(list) || cJSON_GetArraySize(list) > GRAPH_BATCH || !cJSON_GetArraySize(list)) {
		msgraph_refuse(a, "BadRequest", 400, "Number of batch requests must be between 1 and 20.");
		cJSON_Delete(given);
		return;
	}
	out = cJSON_CreateArray();
	/* the last first, for nobody may rely on their order */
	cJSON_ArrayForEach(request, list) {
		const char *id = json_text(request, "id");

		cJSON_InsertItemInArray(out, 0, do_one(a, request, id ? id : "", out));
	}
	a->json = cJSON_CreateObject();
	cJSON_AddItemToObject(a->json, "responses", out);
	a->status = 200;
	cJSON_Delete(given);
}

/* -- over the line -------------------------------------------------------------------------------------------------------- */

static void write_out(struct msgraph_ask *a, struct request *r, struct reply *reply)
{
	const char *given = request_header(r, "client-request-id"), *id = guid_of(r->work, random_text(r->work, 20));

	reply_header(reply, r, "request-id", "%s", id);
	reply_header(reply, r, "client-request-id", "%s", given ? given : id);
	reply_header(reply, r, "x-ms-ags-diagnostic", "{\"ServerInfo\":{\"DataCenter\":\"Sandbox\",\"Slice\":\"E\",\"Ring\":\"5\"}}");
	if (a->challenge)
		reply_header(reply, r, "WWW-Authenticate", "%s", a->challenge);
	if (a->retry_after)
		reply_header(reply, r, "Retry-After", "%d", a->retry_after);
	if (msgraph_prefers(a, "ImmutableId"))
		reply_header(reply, r, "Preference-Applied", "IdType=\"ImmutableId\"");
	reply->status = a->status;
	if (a->json)
		reply_json(reply, a->status, a->json);
	else if (a->plain.at) {
		reply->type = "text/plain";
		buffer_add(&reply->body, a->plain);
	}
	a->json = NULL;
}

static bool disturbed(struct sandbox *s, struct reply *reply)
{
	struct ordered *o = orders_take(&s->orders, ORDER_GRAPH_PAGE);

	if (o) {
		screen_begin(reply, o->value ? atoi(o->value) : 502, "Service unavailable");
		screen_end(reply);
	}
	return o != NULL;
}

static void cut(struct sandbox *s, struct reply *reply)
{
	struct ordered *o = orders_take(&s->orders, ORDER_GRAPH_CUT);

	if (o) {
		reply->ending = ENDS_CUT;
		reply->cut = o->value ? strtoul(o->value, NULL, 10) : 20;
	}
}

/* As long as was ordered, without the lock, so that several may be under way at once. */
static void linger(struct sandbox *s)
{
	struct ordered *o = orders_take(&s->orders, ORDER_GRAPH_SLOW);
	struct timespec until;
	long            ms = o ? strtol(o->value, NULL, 10) : 0;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += ms % 1000 * 1000000;
	until.tv_sec += ms / 1000 + until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	while (ms > 0 && !s->stopping && pthread_cond_timedwait(&s->news, &s->lock, &until) == 0)
		;
}

/* What is asked, without the query, which MHD has read already. */
static bool read_ask(struct request *r, struct msgraph_ask *a)
{
	struct slice path = slice_str(r->path);

	if (!slice_starts(path, "/v1.0/") || memchr(path.at, '?', path.len) || !request_fields(r, &a->query))
		return false;
	a->path = r->path + 6;
	path = slice_from(path, 6);
	while (path.len)
		if (!add_part(a, slice_cut(&path, '/')))
			return false;
	return a->parts > 0;
}

/* Four at a time may be under way for a mailbox (facts M B.6). */
static void take_turn(struct msgraph_ask *a, const char *header)
{
	struct cloud *c = a->sandbox->cloud;
	unsigned     *busy = &c->busy[a->token->account ? account_number(a->sandbox, a->token->account) : SANDBOX_ACCOUNTS + 1];

	if (*busy == GRAPH_AT_ONCE) {
		msgraph_refuse(a, "ApplicationThrottled", 0, NULL);
		a->retry_after = 1;
		return;
	}
	++*busy;
	linger(a->sandbox);
	--*busy;
	a->token = token_find(c, TOKEN_ACCESS, header + 7);      /* it may have gone meanwhile */
	if (a->token)
		msgraph_do(a);
	else
		refused_at_door(a, "Lifetime validation failed, the token is expired.");
}

static void answer_signed_in(struct msgraph_ask *a, struct request *r)
{
	const char *header = request_header(r, "Authorization");

	if (!token_is_right(a, header)) {
		a->sandbox->counts.refused++;
		r->login = "refused";
		return;
	}
	a->sandbox->counts.accepted++;
	r->login = "accepted";
	r->user = a->token->account ? a->token->account->mail : CLOUD_CLIENT;
	if (slice_is(slice_str(r->path), "/oidc/userinfo"))
		msgraph_userinfo(a);
	else if (read_ask(r, a))
		take_turn(a, header);
	else
		msgraph_refuse(a, "BadRequest", 0, "Invalid version or path.");
}

/* Whose token it is, before it is looked at more closely. */
static void serve_bearer(struct sandbox *s, const char *header)
{
	const struct token *t = header && strlen(header) > 7 ? token_find(s->cloud, TOKEN_ACCESS, header + 7) : NULL;

	account_served(s, t ? t->account : NULL);
}

void answer_graph(struct sandbox *s, struct request *r, struct reply *reply)
{
	struct msgraph_ask a = { .sandbox = s, .work = r->work, .method = r->method, .prefer = request_header(r, "Prefer"),
	                       .content_type = request_header(r, "Content-Type"), .body = r->body };

	r->scheme = "bearer";
	serve_bearer(s, request_header(r, "Authorization"));
	if (disturbed(s, reply))
		return;
	answer_signed_in(&a, r);
	write_out(&a, r, reply);
	cut(s, reply);
}
