/* Gmail and Calendar by path: who may, and who answers. */
#include "sandbox/gapi.h"

#include <stdlib.h>
#include <strings.h>
#include <time.h>

/* Any of these will do, by the last word of their names; what reads may also be done by what writes. */
#define READS    "https://mail.google.com/|gmail.modify|gmail.readonly"
#define KNOWS    READS "|gmail.metadata"
#define PROFILE  KNOWS "|gmail.compose"
#define MODIFIES "https://mail.google.com/|gmail.modify"
#define LABELS   KNOWS "|gmail.labels"
#define SENDS    MODIFIES "|gmail.compose|gmail.send"
#define INSERTS  MODIFIES "|gmail.insert"
#define SETTINGS READS "|gmail.settings.basic"
#define ALL_MAIL "https://mail.google.com/"
#define DATES    "calendar|calendar.readonly|calendar.events|calendar.events.readonly"
#define LISTS    "calendar|calendar.readonly|calendar.calendarlist|calendar.calendarlist.readonly"
#define WRITES   "calendar|calendar.events"
#define BUSY     "calendar|calendar.readonly|calendar.freebusy"

#define USER "gmail/v1/users/*/"
#define CAL  "calendar/v3/"

/* "*" stands for anything. `scopes`: one of them is needed; NULL: none. */
static const struct route {
	const char *host, *method, *path, *scopes;
	gapi_route *answer;
} routes[] = {
	{ GMAIL_HOST, "GET",    USER "profile", PROFILE, gmail_get_profile },
	{ GMAIL_HOST, "GET",    USER "labels", LABELS, gmail_list_labels },
	{ GMAIL_HOST, "GET",    USER "labels/*", LABELS, gmail_get_label },
	{ GMAIL_HOST, "POST",   USER "labels", MODIFIES "|gmail.labels", gmail_add_label },
	{ GMAIL_HOST, "DELETE", USER "labels/*", MODIFIES "|gmail.labels", gmail_delete_label },
	{ GMAIL_HOST, "GET",    USER "settings/sendAs", SETTINGS, gmail_list_send_as },
	{ GMAIL_HOST, "GET",    USER "settings/imap", SETTINGS, gmail_get_imap },
	{ GMAIL_HOST, "GET",    USER "messages", KNOWS, gmail_list_messages },
	{ GMAIL_HOST, "POST",   USER "messages/send", SENDS, gmail_send_message },
	{ GMAIL_HOST, "POST",   "upload/" USER "messages/send", SENDS, gmail_send_message },
	{ GMAIL_HOST, "POST",   USER "messages", INSERTS, gmail_insert_message },
	{ GMAIL_HOST, "POST",   "upload/" USER "messages", INSERTS, gmail_insert_message },
	{ GMAIL_HOST, "POST",   USER "messages/import", INSERTS, gmail_insert_message },
	{ GMAIL_HOST, "POST",   USER "messages/batchModify", MODIFIES, gmail_modify_many },
	{ GMAIL_HOST, "GET",    USER "messages/*", KNOWS, gmail_get_message },
	{ GMAIL_HOST, "GET",    USER "messages/*/attachments/*", READS, gmail_get_attachment },
	{ GMAIL_HOST, "POST",   USER "messages/*/modify", MODIFIES, gmail_modify_message },
	{ GMAIL_HOST, "POST",   USER "messages/*/trash", MODIFIES, gmail_trash_message },
	{ GMAIL_HOST, "POST",   USER "messages/*/untrash", MODIFIES, gmail_untrash_message },
	{ GMAIL_HOST, "DELETE", USER "messages/*", ALL_MAIL, gmail_delete_message },
	{ GMAIL_HOST, "GET",    USER "threads", KNOWS, gmail_list_threads },
	{ GMAIL_HOST, "GET",    USER "threads/*", KNOWS, gmail_get_thread },
	{ GMAIL_HOST, "GET",    USER "history", KNOWS, gmail_list_history },
	{ GMAIL_HOST, "POST",   USER "watch", KNOWS, gmail_watch },
	{ GMAIL_HOST, "POST",   USER "stop", KNOWS, gmail_stop },
	{ GAPIS_HOST, "GET",    CAL "users/me/calendarList", LISTS, gcal_list_calendars },
	{ GAPIS_HOST, "GET",    CAL "users/me/calendarList/*", LISTS, gcal_get_entry },
	{ GAPIS_HOST, "GET",    CAL "calendars/*", "calendar|calendar.readonly", gcal_get_calendar },
	{ GAPIS_HOST, "GET",    CAL "calendars/*/events", DATES, gcal_list_events },
	{ GAPIS_HOST, "POST",   CAL "calendars/*/events", WRITES, gcal_add_event },
	{ GAPIS_HOST, "POST",   CAL "calendars/*/events/import", WRITES, gcal_import_event },
	{ GAPIS_HOST, "GET",    CAL "calendars/*/events/*", DATES, gcal_get_event },
	{ GAPIS_HOST, "PUT",    CAL "calendars/*/events/*", WRITES, gcal_update_event },
	{ GAPIS_HOST, "PATCH",  CAL "calendars/*/events/*", WRITES, gcal_update_event },
	{ GAPIS_HOST, "DELETE", CAL "calendars/*/events/*", WRITES, gcal_delete_event },
	{ GAPIS_HOST, "POST",   CAL "freeBusy", BUSY, gcal_free_busy },
	{ GUSERINFO_HOST, "GET", "v1/userinfo", "openid|userinfo.email|userinfo.profile", gapi_user_info },
	{ GAPIS_HOST, "GET",    "oauth2/v2/userinfo", "openid|userinfo.email|userinfo.profile", gapi_user_info },
	{ GAPIS_HOST, "GET",    "oauth2/v3/userinfo", "openid|userinfo.email|userinfo.profile", gapi_user_info },
	{ GMAIL_HOST, "POST",   "batch/gmail/v1", NULL, gapi_batch },
	{ GMAIL_HOST, "POST",   "batch", NULL, gapi_batch },
	{ GAPIS_HOST, "POST",   "batch/calendar/v3", NULL, gapi_batch },
};

/* -- what is asked --------------------------------------------------------------------------------------------------------- */

bool gapi_path(struct gapi_ask *a, struct slice path)
{
	struct slice query = path, rest = slice_cut(&query, '?');

	if (query.len && !form_read(a->work, query, &a->query))
		return false;
	while (slice_starts(rest, "/"))
		rest = slice_from(rest, 1);
	a->path = arena_copy(a->work, rest);
	while (rest.len) {
		const char *plain = url_plain(a->work, slice_cut(&rest, '/'), false);

		if (!plain || a->parts == GAPI_PARTS)
			return false;
		if (*plain)
			a->part[a->parts++] = plain;
	}
	return a->parts > 0;
}

static bool fits(struct gapi_ask *a, const char *route)
{
	struct slice rest = slice_str(route);
	size_t       args = 0, n = 0;

	for (; rest.len; n++) {
		struct slice one = slice_cut(&rest, '/');

		if (n == a->parts)
			return false;
		if (slice_is(one, "*") && args < COUNT(a->arg))
			a->arg[args++] = a->part[n];
		else if (!slice_is(one, a->part[n]))
			return false;
	}
	return n == a->parts;
}

/* Those with fewer "*" first: "messages/send" is no message. */
static const struct route *route_of(struct gapi_ask *a)
{
	const struct route *best = NULL;
	size_t              stars = 0;

	for (size_t i = 0; i < COUNT(routes); i++) {
		size_t n = 0;

		if (strcmp(routes[i].host, a->host) != 0 || strcmp(routes[i].method, a->method) != 0 || !fits(a, routes[i].path))
			continue;
		for (const char *c = routes[i].path; *c; c++)
			n += *c == '*';
		if (!best || n < stars) {
			best = &routes[i];
			stars = n;
		}
	}
	if (best)
		fits(a, best->path);
	return best;
}

const char *gapi_query(const struct gapi_ask *a, const char *name, size_t n)
{
	for (size_t i = 0; i < a->query.count; i++)
		if (strcmp(a->query.field[i].name, name) == 0 && n-- == 0)
			return a->query.field[i].value;
	return NULL;
}

bool gapi_query_is(const struct gapi_ask *a, const char *name)
{
	const char *value = gapi_query(a, name, 0);

	return value && strcasecmp(value, "true") == 0;
}

size_t gapi_most(const struct gapi_ask *a, size_t usual, size_t most)
{
	const char        *value = gapi_query(a, "maxResults", 0);
	unsigned long long n = usual;

	if (value && (!slice_number(slice_str(value), 1000000, &n) || !n))
		n = usual;
	return n < most ? (size_t)n : most;
}

const char *gapi_text(struct arena *arena, unsigned long long n)
{
	return arena_print(arena, "%llu", n);
}

cJSON *gapi_body(struct gapi_ask *a)
{
	cJSON *o = json_read(a->body, WEB_LONGEST_REQUEST, NULL);

	if (!o)
		gapi_refuse(a, "badRequest", "Parse Error");
	return o;
}

void gapi_give(struct gapi_ask *a, cJSON *o)
{
	cJSON_Delete(a->json);
	a->json = o;
	a->status = 200;
}

void gapi_happened(struct gapi_ask *a, enum happening how, const struct item *item, const struct folder *before)
{
	happened(a->sandbox, a->mailbox, how, (struct entry_id){ a->mailbox->number, item->number, 0, 'i' }, item->folder, before);
}

/* -- who may ------------------------------------------------------------------------------------------------------------- */

static bool may(const struct gapi_ask *a, const char *scopes)
{
	struct slice rest = slice_str(scopes);

	while (rest.len)
		if (gscope_has(a->token->scope, arena_copy(a->work, slice_cut(&rest, '|'))))
			return true;
	return !scopes;
}

/* "me", or one's own address; nobody else's mailbox is opened so (facts G B.5). */
static bool is_own(struct gapi_ask *a)
{
	const char *user = a->arg[0];

	if (strcasecmp(user, "me") == 0 || (a->account && google_account(a->sandbox, user) == a->account))
		return true;
	gapi_refuse(a, "delegationDenied", arena_print(a->work, "Delegation denied for %s", a->account ? a->account->mail : GOOGLE_SERVICE));
	return false;
}

/* A service account by itself has no mailbox, and an account may have none. */
static bool has_mailbox(struct gapi_ask *a, const struct route *route)
{
	bool mail = slice_has(slice_str(route->path), USER);

	a->mailbox = a->account ? a->account->mailbox : NULL;
	if (mail && !a->mailbox)
		gapi_refuse(a, a->account ? "gmail-off" : "failedPrecondition", NULL);
	else if (slice_starts(slice_str(route->path), CAL) && !(a->mailbox && mailbox_known(a->mailbox, "calendar")))
		gapi_refuse(a, "notACalendarUser", NULL);
	else
		return !mail || is_own(a);
	return false;
}

void gapi_do(struct gapi_ask *a)
{
	const struct route *route = route_of(a);

	a->status = 200;
	if (gapi_ordered(a))
		return;
	if (!route)
		gapi_refuse(a, "notFound", "Not Found");
	else if (!may(a, route->scopes))
		gapi_refuse(a, "insufficientPermissions", NULL);
	else if (!route->scopes || route->answer == gapi_user_info || has_mailbox(a, route))
		route->answer(a);
}

/* -- over the line ------------------------------------------------------------------------------------------------------- */

static bool disturbed(struct sandbox *s, struct reply *reply)
{
	struct ordered *o = orders_take(&s->orders, ORDER_GOOGLE_HTML);

	if (o) {
		gscreen_begin(reply, o->value ? atoi(o->value) : 502, "Error (Server Error)!!1");
		gscreen_end(reply);
	}
	return o != NULL;
}

/* As long as was ordered, without the lock, so that several may be under way at once. */
static void linger(struct sandbox *s)
{
	struct ordered *o = orders_take(&s->orders, ORDER_GOOGLE_SLOW);
	struct timespec until;
	long            ms = o ? strtol(o->value, NULL, 10) : 0;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += ms % 1000 * 1000000;
	until.tv_sec += ms / 1000 + until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	while (ms > 0 && !s->stopping && pthread_cond_timedwait(&s->news, &s->lock, &until) == 0)
		;
}

/* NULL: it is none, and that is refused. */
static const struct gtoken *token_of(struct gapi_ask *a, const char *header)
{
	const char    *query = gapi_query(a, "access_token", 0), *text = header && slice_starts(slice_str(header), "Bearer ") ? header + 7 : query;
	struct gtoken *t = text ? gtoken_find(a->sandbox->google, GTOKEN_ACCESS, text) : NULL;

	if (t && !t->revoked && t->expires >= now_s())
		return t;
	gapi_refuse(a, "authError", NULL);
	return NULL;
}

/* The path, which MHD has freed of its %-forms already, and the query. */
static bool read_ask(struct request *r, struct gapi_ask *a)
{
	struct slice path = slice_from(slice_str(r->path), 1);

	a->path = r->path + 1;
	while (path.len) {
		struct slice one = slice_cut(&path, '/');

		if (a->parts == GAPI_PARTS)
			return false;
		if (one.len)
			a->part[a->parts++] = arena_copy(a->work, one);
	}
	return request_fields(r, &a->query);
}

static void write_out(struct gapi_ask *a, struct request *r, struct reply *reply)
{
	struct ordered *o = orders_take(&a->sandbox->orders, ORDER_GOOGLE_CUT);

	if (a->challenge)
		reply_header(reply, r, "WWW-Authenticate", "%s", a->challenge);
	if (a->retry_after)
		reply_header(reply, r, "Retry-After", "%d", a->retry_after);
	reply_header(reply, r, "Vary", "Origin, X-Origin, Referer");
	reply_header(reply, r, "Server", "ESF");
	reply->status = a->status;
	if (a->json) {
		reply_json(reply, a->status, a->json);
	} else if (a->plain.at) {
		reply->type = a->type;
		buffer_add(&reply->body, a->plain);
	}
	a->json = NULL;
	if (o) {
		reply->ending = ENDS_CUT;
		reply->cut = o->value ? strtoul(o->value, NULL, 10) : 20;
	}
}

void answer_google_api(struct sandbox *s, struct request *r, struct reply *reply)
{
	struct gapi_ask a = { .sandbox = s, .work = r->work, .host = r->host, .method = r->method, .content_type = request_header(r, "Content-Type"),
	                      .if_match = request_header(r, "If-Match"), .body = r->body };

	r->scheme = "bearer";
	if (!read_ask(r, &a)) {
		gapi_refuse(&a, "badRequest", NULL);
	} else if ((a.token = token_of(&a, request_header(r, "Authorization")))) {
		account_served(s, a.account = a.token->account);
		linger(s);
		if (disturbed(s, reply))
			return;
		a.token = token_of(&a, request_header(r, "Authorization"));      /* it may have gone meanwhile */
		r->login = "accepted";
		r->user = a.account ? a.account->mail : GOOGLE_SERVICE;
		s->counts.accepted++;
		account_served(s, a.account);
		if (a.token)
			gapi_do(&a);
	} else {
		r->login = "refused";
		s->counts.refused++;
	}
	write_out(&a, r, reply);
}
