#include "diagnose/explain_microsoft.h"

#include <ctype.h>

#include "diagnose/explain_value.h"
#include "model/aadsts.h"
#include "model/facts.h"

#define NUMBERS 6

static void fact(struct report *r, int step, const char *name, struct slice value)
{
	if (value.at && value.len)
		report_fact(r, step, name, value);
}

/* -- Entra -------------------------------------------------------------------------------------------------------- */

/* What OAuth, OpenID and Microsoft call errors: other texts have "error=" as well. */
static bool is_oauth_error(struct slice word)
{
	static const char *const errors[] = {
		"invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type", "invalid_scope",
		"access_denied", "unsupported_response_type", "server_error", "temporarily_unavailable", "invalid_resource", "login_required",
		"interaction_required", "consent_required", "authorization_declined", "expired_token", "bad_verification_code",
		"permission_denied", "invalid_tenant", "insufficient_claims",
	};

	for (size_t i = 0; i < COUNT(errors); i++)
		if (slice_is(word, errors[i]))
			return true;
	return false;
}

/* `admin_consent=True` stands in refusals as well (facts M A.7). */
static const char *admin_consent(struct slice text)
{
	struct slice said = explain_value(text, "admin_consent"), error = explain_value(text, "error");

	if (!slice_is(said, "true"))
		return NULL;
	return error.at ? "refused" : "recorded";
}

/* Google has some of these words too; what is Microsoft's says so by a number, a subcode or Microsoft's own name. */
static bool is_microsofts(struct slice text, struct slice error)
{
	if (slice_is(error, "interaction_required") || slice_is(error, "consent_required") || slice_is(error, "login_required"))
		return true;
	return is_oauth_error(error) && (explain_value(text, "suberror").at || slice_has(text, "microsoftonline") || explain_value(text, "admin_consent").at);
}

/* What stands on the pages that Microsoft shows instead of sending anybody back (facts M A.8, E.3); they have no number on them. */
static const struct { const char *words, *page; } pages[] = {
	{ "permission to access resources in your organization that only an admin can grant", "admin_approval" },
	{ "Need admin approval",                                                            "admin_approval" },
	{ "This app requires your admin's approval",                                        "approval_request" },
};

static const char *own_page(struct slice text)
{
	for (size_t i = 0; i < COUNT(pages); i++)
		if (slice_has(text, pages[i].words))
			return pages[i].page;
	return NULL;
}

/* https://login.microsoftonline.com/error?code=90094, where the number has no name before it. */
static struct slice number_of_page(struct slice text)
{
	struct slice rest = slice_from(text, slice_search(text, "/error?code=")), digits;
	size_t       len = 0;

	digits = slice_from(rest, strlen("/error?code="));
	while (len < digits.len && isdigit((unsigned char)digits.at[len]))
		len++;
	return len >= AADSTS_LEAST && len <= AADSTS_MOST && slice_has(text, "microsoftonline") ? slice(digits.at, len) : slice(NULL, 0);
}

static void write_entra(struct report *r, struct slice text)
{
	struct slice rest = text, digits, error = explain_value(text, "error"), of_page = number_of_page(text);
	const char  *consent = admin_consent(text), *page = own_page(text);
	bool         named = aadsts_next(&rest, &digits);
	int          step;

	if (!named && !of_page.at && !page && !consent && !is_microsofts(text, error))
		return;
	step = report_begin(r, "explain.entra", NO_ATTEMPT, r->began_ms);
	rest = text;
	for (size_t i = 0; i < NUMBERS && aadsts_next(&rest, &digits); i++)
		report_fact(r, step, FACT_AADSTS, digits);
	if (!named)
		fact(r, step, FACT_AADSTS, of_page);
	if (page)
		report_note(r, step, FACT_ENTRA_PAGE, "%s", page);
	if (is_oauth_error(error))
		fact(r, step, FACT_OAUTH_ERROR, error);
	fact(r, step, FACT_OAUTH_SUBERROR, explain_value(text, "suberror"));
	if (consent)
		report_note(r, step, FACT_ADMIN_CONSENT, "%s", consent);
	if (consent)
		fact(r, step, FACT_TENANT, aadsts_labelled(text, "tenant="));
	fact(r, step, FACT_AADSTS_TRACE, aadsts_labelled(text, "Correlation ID:"));
	fact(r, step, FACT_AADSTS_TIME, aadsts_labelled(text, "Timestamp:"));
	report_end(r, step, STEP_FAILED, r->began_ms);
}

/* -- Graph -------------------------------------------------------------------------------------------------------- */

/* Codes that are nobody else's words: they may stand alone. */
static const char *const own_codes[] = {
	"MailboxNotEnabledForRESTAPI", "MailboxNotSupportedForRESTAPI", "RESTAPINotEnabledForComponentSharedMailbox",
	"MailboxNotHostedInExchangeOnline", "InvalidAuthenticationToken", "ApplicationThrottled", "Authorization_RequestDenied",
	"Request_ResourceNotFound", "MailboxInfoStale", "ErrorInvalidUser", "activityLimitReached",
};

/* What Graph says in English beside a code (facts M B.7): people paste the sentence alone. */
static const struct { const char *words, *code; } sentences[] = {
	{ "The mailbox is either inactive, soft-deleted, or is hosted on-premise", "MailboxNotEnabledForRESTAPI" },
	{ "REST API is not yet supported for this mailbox",                        "MailboxNotEnabledForRESTAPI" },
	{ "Mailbox is hosted by an on-premise or non-Exchange server",             "MailboxNotHostedInExchangeOnline" },
	{ "Application is over its MailboxConcurrency limit",                      "ApplicationThrottled" },
	{ "Mailbox info is stale",                                                 "MailboxInfoStale" },
};

static struct slice graph_code(struct slice text)
{
	struct slice in_json = explain_value(text, "\"code");

	for (size_t i = 0; i < COUNT(own_codes); i++)
		if (explain_stands_alone(text, own_codes[i]))
			return slice_str(own_codes[i]);
	for (size_t i = 0; i < COUNT(sentences); i++)
		if (slice_has(text, sentences[i].words))
			return slice_str(sentences[i].code);
	return slice_has(text, "innerError") ? in_json : slice(NULL, 0);
}

static void write_graph(struct report *r, struct slice text)
{
	struct slice code = graph_code(text);
	int          step;

	if (!code.at)
		return;
	step = report_begin(r, "explain.graph", NO_ATTEMPT, r->began_ms);
	report_fact(r, step, FACT_GRAPH_CODE, code);
	report_fact(r, step, FACT_GRAPH_TEXT, slice_upto(slice_trim(text), 300));
	report_end(r, step, STEP_FAILED, r->began_ms);
}

void explain_microsoft(struct report *r, struct slice text)
{
	write_entra(r, text);
	write_graph(r, text);
}
