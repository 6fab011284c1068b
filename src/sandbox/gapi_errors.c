/* How Gmail and Calendar refuse (facts G B.5, C). */
#include <stdlib.h>
#include <strings.h>

#include "sandbox/gapi.h"

#define MAIL     "/gmail/"
#define DATES    "/calendar/"
#define BEARER   "Bearer realm=\"https://accounts.google.com/\""
#define CONSOLE  "https://console.developers.google.com/apis/api/"

/* By a word of ours, which is Google's reason wherever that has one meaning. `about`: what is refused where an order names no path;
 * `status` NULL: an older document, without it. `info`: of google.rpc.ErrorInfo. */
static const struct error_row {
	const char *word;
	int         code;
	const char *domain, *reason, *status, *info, *text, *about;
} rows[] = {
	{ "authError", 401, "global", "authError", "UNAUTHENTICATED", NULL, "Request had invalid authentication credentials. Expected OAuth 2 access token, "
	  "login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.", "/" },
	{ "gmail-off", 400, "global", "failedPrecondition", "FAILED_PRECONDITION", NULL, "Mail service not enabled", MAIL },
	{ "failedPrecondition", 400, "global", "failedPrecondition", "FAILED_PRECONDITION", NULL, "Precondition check failed.", MAIL },
	{ "invalidArgument", 400, "global", "invalidArgument", "INVALID_ARGUMENT", NULL, "Invalid id value", "/" },
	{ "badRequest", 400, "global", "badRequest", NULL, NULL, "Bad Request", "/" },
	{ "required", 400, "global", "required", NULL, NULL, "Required", DATES },
	{ "invalid", 400, "global", "invalid", NULL, NULL, "Invalid Value", DATES },
	{ "timeRangeEmpty", 400, "calendar", "timeRangeEmpty", NULL, NULL, "The specified time range is empty.", DATES },
	{ "domainPolicy", 403, "global", "domainPolicy", "PERMISSION_DENIED", NULL, "The domain administrators have disabled Gmail apps.", MAIL },
	{ "insufficientPermissions", 403, "global", "insufficientPermissions", "PERMISSION_DENIED", "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
	  "Request had insufficient authentication scopes.", "/" },
	{ "accessNotConfigured", 403, "usageLimits", "accessNotConfigured", "PERMISSION_DENIED", "SERVICE_DISABLED", NULL, MAIL },
	{ "delegationDenied", 403, "global", "delegationDenied", "PERMISSION_DENIED", NULL, "Delegation denied.", MAIL },
	{ "forbidden", 403, "global", "forbidden", "PERMISSION_DENIED", NULL, "Forbidden", "/" },
	{ "contextAware", 403, "global", "forbidden", "PERMISSION_DENIED", "SECURITY_POLICY_VIOLATED", "Access blocked by your organisation's policy.", "/" },
	{ "rateLimitExceeded", 403, "usageLimits", "rateLimitExceeded", "PERMISSION_DENIED", "RATE_LIMIT_EXCEEDED", "Rate Limit Exceeded", "/" },
	{ "userRateLimitExceeded", 403, "usageLimits", "userRateLimitExceeded", "PERMISSION_DENIED", "RATE_LIMIT_EXCEEDED", "User Rate Limit Exceeded", "/" },
	{ "tooManyRequests", 429, "global", "rateLimitExceeded", "RESOURCE_EXHAUSTED", NULL, "Too many concurrent requests for user", "/" },
	{ "sendLimit", 429, "usageLimits", "userRateLimitExceeded", "RESOURCE_EXHAUSTED", NULL, NULL, "/messages/send" },
	{ "dailyLimitExceeded", 403, "usageLimits", "dailyLimitExceeded", "PERMISSION_DENIED", NULL, "Daily Limit Exceeded", "/" },
	{ "quotaExceeded", 403, "usageLimits", "quotaExceeded", NULL, NULL, "Calendar usage limits exceeded.", DATES },
	{ "notACalendarUser", 403, "calendar", "notACalendarUser", NULL, NULL, "The user must be signed up for Google Calendar.", DATES },
	{ "requiredAccessLevel", 403, "calendar", "requiredAccessLevel", NULL, NULL, "You need to have writer access to this calendar.", DATES },
	{ "notFound", 404, "global", "notFound", "NOT_FOUND", NULL, "Requested entity was not found.", "/" },
	{ "duplicate", 409, "global", "duplicate", NULL, NULL, "The requested identifier already exists.", DATES },
	{ "deleted", 410, "global", "deleted", NULL, NULL, "Resource has been deleted", DATES },
	{ "fullSyncRequired", 410, "calendar", "fullSyncRequired", NULL, NULL, "Sync token is no longer valid, a full sync is required.", DATES },
	{ "updatedMinTooLongAgo", 410, "calendar", "updatedMinTooLongAgo", NULL, NULL, "The requested minimum modification time lies too far in the past.", DATES },
	{ "conditionNotMet", 412, "global", "conditionNotMet", NULL, NULL, "Precondition Failed", "/" },
	{ "backendError", 500, "global", "backendError", "INTERNAL", NULL, "Internal error encountered.", "/" },
	{ "unavailable", 503, "global", "backendError", "UNAVAILABLE", NULL, "The service is currently unavailable.", "/" },
};

static const struct error_row *row_of(const char *word)
{
	for (size_t i = 0; i < COUNT(rows); i++)
		if (strcmp(rows[i].word, word) == 0)
			return &rows[i];
	return NULL;
}

/* The service, as Google calls it in such documents. */
static const char *service_of(const struct gapi_ask *a)
{
	return slice_has(slice_str(a->path), "calendar/v3") ? "calendar-json.googleapis.com" : strcmp(a->host, GAPIS_HOST) == 0 ? "people.googleapis.com" : a->host;
}

static const char *text_of(struct gapi_ask *a, const struct error_row *row)
{
	bool        dates = slice_has(slice_str(a->path), "calendar/v3");
	const char *service = service_of(a);

	if (row->text)
		return row->text;
	if (strcmp(row->word, "sendLimit") == 0)
		return arena_print(a->work, "User-rate limit exceeded.  Retry after %.19s.000Z", moment(a->work, now_s() + 3600));
	return arena_print(a->work, "%s API has not been used in project " GOOGLE_NUMBER " before or it is disabled. Enable it by visiting " CONSOLE
	                   "%s/overview?project=" GOOGLE_NUMBER " then retry. If you enabled this API recently, wait a few minutes for the action to propagate "
	                   "to our systems and retry.", dates ? "Google Calendar" : "Gmail", service);
}

static void add_info(struct gapi_ask *a, cJSON *e, const struct error_row *row)
{
	cJSON *info = cJSON_CreateObject(), *data;

	cJSON_AddItemToArray(cJSON_AddArrayToObject(e, "details"), info);
	cJSON_AddStringToObject(info, "@type", "type.googleapis.com/google.rpc.ErrorInfo");
	cJSON_AddStringToObject(info, "reason", row->info);
	cJSON_AddStringToObject(info, "domain", "googleapis.com");
	data = cJSON_AddObjectToObject(info, "metadata");
	cJSON_AddStringToObject(data, "service", service_of(a));
	cJSON_AddStringToObject(data, "consumer", "projects/" GOOGLE_NUMBER);
}

/* What is said besides, where it is about something that was sent. */
static void add_place(cJSON *one, const struct error_row *row)
{
	static const struct { const char *reason, *type, *where; } places[] = {
		{ "authError", "header", "Authorization" }, { "fullSyncRequired", "parameter", "syncToken" },
		{ "updatedMinTooLongAgo", "parameter", "updatedMin" }, { "conditionNotMet", "header", "If-Match" },
	};

	for (size_t i = 0; i < COUNT(places); i++)
		if (strcmp(places[i].reason, row->reason) == 0) {
			cJSON_AddStringToObject(one, "locationType", places[i].type);
			cJSON_AddStringToObject(one, "location", places[i].where);
		}
}

static const char *challenge_of(struct gapi_ask *a, const struct error_row *row)
{
	if (row->code == 401)
		return BEARER ", error=\"invalid_token\"";
	if (strcmp(row->reason, "insufficientPermissions") != 0)
		return NULL;
	return arena_print(a->work, BEARER ", error=\"insufficient_scope\", scope=\"%s\"", slice_has(slice_str(a->path), "calendar/v3") ? GSCOPE("calendar") : GSCOPE_MAIL);
}

void gapi_refuse(struct gapi_ask *a, const char *word, const char *text)
{
	static const struct error_row unknown = { "", 403, "global", "forbidden", "PERMISSION_DENIED", NULL, "Forbidden", "/" };
	const struct error_row *row = row_of(word) ? row_of(word) : &unknown;
	cJSON *o = cJSON_CreateObject(), *e = cJSON_AddObjectToObject(o, "error"), *one = cJSON_CreateObject();

	text = text ? text : text_of(a, row);
	cJSON_AddNumberToObject(e, "code", row->code);
	cJSON_AddStringToObject(e, "message", text);
	cJSON_AddItemToArray(cJSON_AddArrayToObject(e, "errors"), one);
	cJSON_AddStringToObject(one, "message", row->code == 401 ? "Invalid Credentials" : row->info && row->code == 403 && strcmp(row->reason, "insufficientPermissions") == 0
	                        ? "Insufficient Permission" : text);
	cJSON_AddStringToObject(one, "domain", row->domain);
	cJSON_AddStringToObject(one, "reason", row == &unknown ? word : row->reason);
	add_place(one, row);
	if (strcmp(row->reason, "accessNotConfigured") == 0)
		cJSON_AddStringToObject(one, "extendedHelp", "https://console.developers.google.com");
	if (row->status)
		cJSON_AddStringToObject(e, "status", row->status);
	if (row->info)
		add_info(a, e, row);
	cJSON_Delete(a->json);
	a->json = o;
	a->plain = (struct slice){ 0 };
	a->status = row->code;
	a->challenge = challenge_of(a, row);
}

/* -- by order ---------------------------------------------------------------------------------------------------------- */

/* "WORD", or with "@PATH" behind it. */
static bool refused_as(struct gapi_ask *a, struct ordered *o)
{
	struct slice where = slice_str(o->value), what = slice_cut(&where, '@');
	const char  *word = arena_copy(a->work, what), *seconds = ordered_value(a->sandbox, ORDER_GOOGLE_RETRY);
	const char  *path = arena_print(a->work, "/%s", a->path);

	if (!slice_has(slice_str(path), where.len ? arena_copy(a->work, where) : row_of(word) ? row_of(word)->about : "/"))
		return false;
	if (o->left > 0 && --o->left == 0)
		o->spent = true;
	gapi_refuse(a, word, NULL);
	a->retry_after = seconds ? atoi(seconds) : 0;
	return true;
}

bool gapi_ordered(struct gapi_ask *a)
{
	struct orders *all = &a->sandbox->orders;

	for (size_t i = 0; i < all->count; i++)
		if (all->list[i].row->order == ORDER_GOOGLE && orders_in_force(all, &all->list[i]) && refused_as(a, &all->list[i]))
			return true;
	return false;
}
