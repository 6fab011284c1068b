#include <stdlib.h>
#include <strings.h>
#include <time.h>

#include "base/random.h"
#include "sandbox/graph.h"
#include "sandbox/text.h"

#define UNSUPPORTED "REST API is not yet supported for this mailbox."

/* Facts M B.7. */
static const struct { const char *code; int status; const char *text; } rows[] = {
	{ "InvalidAuthenticationToken", 401, "Access token has expired or is not yet valid." },
	{ "UnknownError", 401, "" },
	{ "MailboxNotEnabledForRESTAPI", 404, "The mailbox is either inactive, soft-deleted, or is hosted on-premise." },
	{ "MailboxNotSupportedForRESTAPI", 404, UNSUPPORTED },
	{ "RESTAPINotEnabledForComponentSharedMailbox", 404, UNSUPPORTED },
	{ "MailboxNotHostedInExchangeOnline", 404, "Mailbox is hosted by an on-premise or non-Exchange server, which is not supported." },
	{ "ExtensionError", 403, "Operation: Create; Exception: [Status Code: Forbidden; Reason: Access to OData is disabled.]" },
	{ "ResourceNotFound", 404, "Resource could not be discovered." },
	{ "Request_ResourceNotFound", 404, "Resource does not exist or one of its queried reference-property objects are not present." },
	{ "ErrorInvalidUser", 404, "The requested user is invalid." },
	{ "ErrorItemNotFound", 404, "The specified object was not found in the store." },
	{ "ErrorFolderNotFound", 404, "The specified folder could not be found in the store." },
	{ "ErrorNonExistentMailbox", 404, "The SMTP address has no mailbox associated with it." },
	{ "ErrorAccessDenied", 403, "Access is denied. Check credentials and try again." },
	{ "Authorization_RequestDenied", 403, "Insufficient privileges to complete the operation." },
	{ "ErrorSendAsDenied", 403, "The user account which was used to submit this request does not have the right to send mail on behalf of the specified sending account., Cannot submit message." },
	{ "ErrorInvalidLicense", 403, "The license of the user is invalid." },
	{ "ErrorAccountDisabled", 403, "The account is disabled." },
	{ "ErrorOrganizationAccessBlocked", 403, "Access to the organization is blocked." },
	{ "ErrorAccountSuspend", 403, "Account suspended. Follow the instructions in your Inbox to verify your account." },
	{ "ErrorExceededMessageLimit", 429, "You have exceeded your daily message limit." },
	{ "ErrorSubmissionQuotaExceeded", 429, "The message submission quota was exceeded." },
	{ "ErrorInvalidRecipients", 400, "At least one recipient is not valid., One or more recipients are invalid." },
	{ "ErrorMessageSizeExceeded", 413, "The message exceeds the maximum supported size." },
	{ "ErrorSendQuotaExceeded", 403, "The send quota was exceeded." },
	{ "ErrorQuotaExceeded", 507, "The mailbox has exceeded its quota." },
	{ "ErrorMimeContentInvalidBase64String", 400, "Invalid base64 string for MIME content." },
	{ "ErrorInvalidIdMalformed", 400, "Id is malformed." },
	{ "ErrorInvalidPropertySet", 400, "The property set is not valid." },
	{ "RequestBodyRead", 400, "The property does not exist on type 'microsoft.graph.message'. Make sure to only use property names that are defined by the type." },
	{ "BadRequest", 400, "Bad request." },
	{ "ValidationError", 400, "Subscription validation request failed. Notification endpoint must respond with 200 OK to validation request." },
	{ "InvalidRequest", 400, "Invalid request." },
	{ "InefficientFilter", 400, "The restriction or sort order is too complex for this operation." },
	{ "ErrorInvalidUrlQuery", 400, "The query parameter is not valid." },
	{ "ErrorIncorrectRoutingHint", 400, "The x-anchor mailbox does not match the target of the request." },
	{ "ErrorIrresolvableConflict", 409, "The send or update operation could not be performed because the change key passed in the request does not match the current change key for the item." },
	{ "SyncStateNotFound", 410, "The sync state generation is not found; generation=149;[highest=157]." },
	{ "SyncStateInvalid", 410, "The sync state data is invalid." },
	{ "resyncRequired", 410, "Resync required." },
	{ "ErrorMailboxMoveInProgress", 423, "Mailbox move in progress. Try again later." },
	{ "ApplicationThrottled", 429, "Application is over its MailboxConcurrency limit." },
	{ "TooManyRequests", 429, "Too many requests." },
	{ "ErrorInternalServerError", 500, "An internal server error occurred. The operation failed." },
	{ "generalException", 500, "An unspecified error has occurred." },
	{ "MailboxInfoStale", 503, "Mailbox info is stale." },
	{ "ServiceUnavailable", 503, "The service is temporarily unavailable." },
};

static const char *date_now(struct arena *arena)
{
	char *text = arena_str(arena, moment(arena, now_s()));

	text[strcspn(text, "Z")] = '\0';
	return text;
}

void msgraph_refuse(struct msgraph_ask *a, const char *code, int status, const char *text)
{
	cJSON *o = cJSON_CreateObject(), *e = cJSON_AddObjectToObject(o, "error"), *inner;
	size_t i;

	for (i = 0; i < COUNT(rows) && strcasecmp(rows[i].code, code) != 0; i++)
		;
	cJSON_AddStringToObject(e, "code", code);
	cJSON_AddStringToObject(e, "message", text ? text : i < COUNT(rows) ? rows[i].text : "");
	inner = cJSON_AddObjectToObject(e, "innerError");
	cJSON_AddStringToObject(inner, "date", date_now(a->work));
	cJSON_AddStringToObject(inner, "request-id", guid_of(a->work, random_text(a->work, 20)));
	cJSON_AddStringToObject(inner, "client-request-id", guid_of(a->work, random_text(a->work, 20)));
	cJSON_Delete(a->json);
	a->json = o;
	a->plain = (struct slice){ 0 };
	a->status = status ? status : i < COUNT(rows) ? rows[i].status : 400;
}

/* -- by order ---------------------------------------------------------------------------------------------------------- */

/* About the account itself nothing is refused unless the path is named: who it is, Graph knows of everybody. */
static bool is_about(const struct msgraph_ask *a, struct slice where)
{
	struct slice path = slice_str(a->path);

	if (where.len)
		return slice_is(where, "*") || slice_search(path, arena_copy(a->work, where)) < path.len;
	return a->parts > 1 && !slice_is(path, "$batch") && !slice_is(slice_str(a->part[0]), "subscriptions");
}

/* "CODE", "CODE:STATUS", each with "@PATH" behind it. */
static bool refused_as(struct msgraph_ask *a, struct ordered *o)
{
	struct slice where = slice_str(o->value), what = slice_cut(&where, '@'), status = what, code = slice_cut(&status, ':');
	const char  *seconds = ordered_value(a->sandbox, ORDER_GRAPH_RETRY);
	unsigned long long number = 0;

	if (!is_about(a, where))
		return false;
	slice_number(status, 999, &number);
	if (o->left > 0 && --o->left == 0)
		o->spent = true;
	msgraph_refuse(a, arena_copy(a->work, code), (int)number, ordered_value(a->sandbox, ORDER_GRAPH_TEXT));
	a->retry_after = seconds ? atoi(seconds) : 0;
	return true;
}

bool msgraph_ordered(struct msgraph_ask *a)
{
	struct orders *all = &a->sandbox->orders;

	for (size_t i = 0; i < all->count; i++)
		if (all->list[i].row->order == ORDER_GRAPH && orders_in_force(all, &all->list[i]) && refused_as(a, &all->list[i]))
			return true;
	return false;
}
