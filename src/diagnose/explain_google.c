#include "diagnose/explain_google.h"

#include "diagnose/explain_value.h"
#include "model/aadsts.h"
#include "model/facts.h"
#include "model/google_page.h"

#define TEXT_MOST 1000

/* What one of these words is found by is a fact of that name: nobody else says it. */
struct phrase {
	const char *words, *means;
};

static const char *meaning(struct slice text, const struct phrase *phrases, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (slice_has(text, phrases[i].words))
			return phrases[i].means;
	return NULL;
}

static bool says_any(struct slice text, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (slice_has(text, words[i]))
			return true;
	return false;
}

static bool is_any(const char *word, const char *const *of, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(word, of[i]) == 0)
			return true;
	return false;
}

/* Each thing found goes into the one step, which begins with the first of them. */
struct findings {
	struct report *report;
	int            step;
};

static void found(struct findings *f, const char *fact, struct slice value)
{
	if (!value.len)
		return;
	if (f->step < 0)
		f->step = report_begin(f->report, "explain.google", NO_ATTEMPT, f->report->began_ms);
	report_fact(f->report, f->step, fact, value);
}

static bool is_googles(struct slice text)
{
	return slice_has(text, "google") || slice_has(text, "Access blocked");
}

/* -- pages -------------------------------------------------------------------------------------------------------- */

/* What its pages say without the code beside it (facts G A.6), the narrower first. */
static const struct phrase pages[] = {
	{ "not approved by Advanced Protection", "policy_enforced" },
	{ "Advanced Protection prevented your Google Account", "policy_enforced" },
	{ "Access to your account data is restricted by policies within your organization", "admin_policy_enforced" },
	{ "is restricted to users within its organization", "org_internal" },
	{ "has not completed the Google verification process", "access_denied" },
	{ "register the redirect URI in the Google Cloud Console", "redirect_uri_mismatch" },
	{ "The OAuth client was not found", "invalid_client" },
	{ "The OAuth client was deleted", "deleted_client" },
	{ "The OAuth client was disabled", "disabled_client" },
};

/* These every OAuth server prints. */
static const char *const common_codes[] = { "access_denied", "invalid_request", "invalid_client", "invalid_scope" };

static void find_page(struct findings *f, struct slice text)
{
	struct google_page p;
	const char        *code = NULL;

	if (google_page_find(text, f->report->job, &p)
	    && (p.text || !is_any(p.code, common_codes, COUNT(common_codes)) || is_googles(text)))
		code = p.code;
	if (!code)
		code = meaning(text, pages, COUNT(pages));
	if (code)
		found(f, FACT_GOOGLE_PAGE, slice_str(code));
}

/* -- the token endpoint ------------------------------------------------------------------------------------------- */

static const char *const own_errors[] = {
	"policy_enforced", "admin_policy_enforced", "deleted_client", "disabled_client", "rapt_required", "invalid_rapt",
};

/* Beside an error that others have too, these say whose it is. */
static const char *const descriptions[] = {
	"invalid_rapt", "rapt_required", "Token has been expired or revoked", "Malformed auth code",
	"Client is unauthorized to retrieve access tokens using this method", "Requested client not authorized", "Invalid JWT",
	"Invalid email or User ID", "Not a valid email or user ID", "oauth2.googleapis.com", "accounts.google.com",
};

static void find_refusal(struct findings *f, struct slice text)
{
	struct slice error = explain_value(text, "\"error"), subtype = explain_value(text, "error_subtype");
	char         word[GOOGLE_PAGE_CODE];

	/* a redirect's, when it names itself */
	if (!error.at)
		error = explain_value(text, "error");
	if (!error.at || error.len >= sizeof word)
		return;
	memcpy(word, error.at, error.len);
	word[error.len] = '\0';
	if (!is_any(word, own_errors, COUNT(own_errors)) && !says_any(text, descriptions, COUNT(descriptions)))
		return;
	found(f, FACT_OAUTH_ERROR, error);
	found(f, FACT_OAUTH_SUBERROR, subtype);
	found(f, FACT_OAUTH_TEXT, slice_upto(slice_trim(text), TEXT_MOST));
}

/* -- the interfaces ----------------------------------------------------------------------------------------------- */

/* Reasons that are nobody else's words: they may stand alone. */
static const char *const own_reasons[] = {
	"accessNotConfigured", "SERVICE_DISABLED", "ACCESS_TOKEN_SCOPE_INSUFFICIENT", "notACalendarUser", "userRateLimitExceeded",
	"dailyLimitExceeded", "delegationDenied",
};

/* Those that need JSON around them. */
static const char *const reasons[] = {
	"domainPolicy", "insufficientPermissions", "failedPrecondition", "rateLimitExceeded", "quotaExceeded", "authError", "backendError",
	"requiredAccessLevel", "forbidden",
};

static const struct phrase sentences[] = {
	{ "Mail service not enabled", "failedPrecondition" },
	{ "The domain administrators have disabled Gmail apps", "domainPolicy" },
	{ "Gmail API has not been used in project", "accessNotConfigured" },
	{ "Google Calendar API has not been used in project", "accessNotConfigured" },
	{ "Request had insufficient authentication scopes", "insufficientPermissions" },
	{ "The user must be signed up for Google Calendar", "notACalendarUser" },
};

static const char *reason_in(struct slice text)
{
	struct slice said = explain_value(text, "\"reason");

	for (size_t i = 0; i < COUNT(own_reasons); i++)
		if (explain_stands_alone(text, own_reasons[i]))
			return own_reasons[i];
	for (size_t i = 0; said.at && i < COUNT(reasons); i++)
		if (slice_is(said, reasons[i]) && (slice_has(text, "\"domain\"") || is_googles(text)))
			return reasons[i];
	return meaning(text, sentences, COUNT(sentences));
}

static void find_reason(struct findings *f, struct slice text)
{
	const char *reason = reason_in(text);

	if (!reason)
		return;
	found(f, FACT_GOOGLE_REASON, slice_str(reason));
	found(f, FACT_GOOGLE_TEXT, slice_upto(slice_trim(text), TEXT_MOST));
}

void explain_google(struct report *r, struct slice text)
{
	struct findings f = { r, -1 };
	struct slice    rest = text, digits;

	/* Microsoft's number says whose the words beside it are */
	if (aadsts_next(&rest, &digits))
		return;
	find_page(&f, text);
	find_refusal(&f, text);
	find_reason(&f, text);
	if (f.step >= 0)
		report_end(r, f.step, STEP_FAILED, r->began_ms);
}
