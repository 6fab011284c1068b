#include <stdlib.h>
#include <time.h>

#include "base/random.h"
#include "sandbox/entra.h"
#include "sandbox/text.h"

#define AT_BOTH(error) error, NULL, error
#define AT_PAGE(error)    error, NULL, NULL

/* By number. What the token endpoint says, and whether a browser is sent back with it or sees Microsoft's page (facts M A.8). */
static const struct aadsts rows[] = {
	{ 16000, AT_BOTH("interaction_required"), "User account from identity provider 'live.com' does not exist in tenant 'Contoso' and cannot access the application '" CLOUD_CLIENT "'(Mailmoor) in that tenant. The account needs to be added as an external user in the tenant first. Sign out and sign in again with a different Azure Active Directory user account." },
	{ 16001, AT_BOTH("interaction_required"), "User account selection is invalid." },
	{ 16002, AT_BOTH("interaction_required"), "Application session selection is invalid." },
	{ 50001, AT_BOTH("invalid_resource"), "The resource principal named https://graph.microsoft.com was not found in the tenant named Contoso." },
	{ 50011, AT_PAGE("invalid_request"), "The redirect URI specified in the request does not match the redirect URIs configured for the application '" CLOUD_CLIENT "'." },
	{ 50012, AT_PAGE("invalid_client"), "Authentication failed." },
	{ 50014, AT_PAGE("invalid_grant"), "GuestUserInPendingState - The user account doesn't exist in the directory." },
	{ 50020, "invalid_grant", NULL, "access_denied", "User account from identity provider 'live.com' does not exist in tenant 'Contoso' and cannot access the application '" CLOUD_CLIENT "'(Mailmoor) in that tenant." },
	{ 50034, AT_PAGE("invalid_grant"), "The user account does not exist in the directory. To sign into this application, the account must be added to the directory." },
	{ 50053, AT_PAGE("invalid_grant"), "The account is locked, you've tried to sign in too many times with an incorrect user ID or password." },
	{ 50055, "invalid_grant", "user_password_expired", NULL, "The password is expired." },
	{ 50056, AT_PAGE("invalid_grant"), "Invalid or null password: password does not exist in the directory for this user." },
	{ 50057, AT_PAGE("invalid_grant"), "The user account is disabled." },
	{ 50058, "interaction_required", NULL, "login_required", "Session information is not sufficient for single-sign-on." },
	{ 50072, "interaction_required", "basic_action", "interaction_required", "Due to a configuration change made by your administrator, or because you moved to a new location, you must enroll in multi-factor authentication to access '00000003-0000-0000-c000-000000000000'." },
	{ 50074, "interaction_required", "basic_action", "interaction_required", "Strong Authentication is required." },
	{ 50076, "invalid_grant", "basic_action", "interaction_required", "Due to a configuration change made by your administrator, or because you moved to a new location, you must use multi-factor authentication to access '00000003-0000-0000-c000-000000000000'." },
	{ 50078, "invalid_grant", "basic_action", "interaction_required", "Presented multi-factor authentication has expired due to policies configured by your administrator, you must refresh your multi-factor authentication to access '00000003-0000-0000-c000-000000000000'." },
	{ 50079, "invalid_grant", "basic_action", "interaction_required", "Due to a configuration change made by your administrator, or because you moved to a new location, you must enroll in multi-factor authentication to access '00000003-0000-0000-c000-000000000000'." },
	{ 50085, AT_PAGE("invalid_grant"), "Refresh token needs social IDP login. Have user try signing-in again with username -password." },
	{ 50089, AT_PAGE("invalid_grant"), "Flow token expired - Authentication Failed. Have the user try signing-in again with username -password." },
	{ 50097, AT_BOTH("interaction_required"), "Device authentication is required." },
	{ 50105, "interaction_required", NULL, NULL, "Your administrator has configured the application Mailmoor ('" CLOUD_CLIENT "') to block users unless they are specifically granted ('assigned') access to the application. The signed in user '{EmailHidden}' is blocked because they are not a direct member of a group with access, nor had access directly assigned by an administrator. Please contact your administrator to assign access to this application." },
	{ 50126, AT_PAGE("invalid_grant"), "Error validating credentials due to invalid username or password." },
	{ 50129, AT_BOTH("interaction_required"), "Device is not workplace joined - workplace join is required to register the device." },
	{ 50131, AT_BOTH("interaction_required"), "Device is not in required device state." },
	{ 50132, AT_PAGE("invalid_grant"), "The session is not valid due to password expiration or recent password change." },
	{ 50133, AT_PAGE("invalid_grant"), "The session is not valid due to password expiration or recent password change." },
	{ 50135, AT_PAGE("invalid_grant"), "Password change is required due to account risk." },
	{ 50144, "invalid_grant", "user_password_expired", NULL, "User's Active Directory password has expired." },
	{ 50147, AT_PAGE("invalid_grant"), "Missing code_challenge parameter." },
	{ 501481, AT_PAGE("invalid_grant"), "The Code_Verifier does not match the code_challenge supplied in the authorization request." },
	{ 50158, AT_BOTH("interaction_required"), "External security challenge was not satisfied." },
	{ 50173, "invalid_grant", "bad_token", NULL, "The provided grant has expired due to it being revoked, a fresh auth token is needed. The user might have changed or reset their password. The grant was issued on '2026-11-01T08:00:00.0000000Z' and the TokensValidFrom date (before which tokens are not valid) for this user is '2026-11-20T10:12:00.0000000Z'." },
	{ 50194, AT_BOTH("unauthorized_client"), "Application '" CLOUD_CLIENT "'(Mailmoor) is not configured as a multi-tenant application. Usage of the /common endpoint is not supported for such apps created after '10/15/2018'. Use a tenant-specific endpoint or configure the application to be multi-tenant." },
	{ 50196, AT_PAGE("invalid_grant"), "The server terminated an operation because it encountered a client request loop. Please contact your app vendor." },
	{ 53000, "interaction_required", "message_only", NULL, "Device is not in required device state: Not compliant. Conditional Access policy requires a compliant device, and the device is not compliant. The user must enroll their device with an approved MDM provider like Intune." },
	{ 53001, "interaction_required", "message_only", NULL, "Device is not in required device state: Not domain joined. Conditional Access policy requires a domain joined device, and the device is not domain joined." },
	{ 53002, "interaction_required", "message_only", NULL, "Application used is not an approved application for Conditional Access." },
	{ 53003, "invalid_grant", "message_only", NULL, "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance." },
	{ 53004, AT_PAGE("interaction_required"), "User cannot complete MFA enrollment since the proof-up process is blocked due to risk." },
	{ 530003, AT_PAGE("interaction_required"), "Your device is required to be managed to access this resource." },
	{ 530032, AT_PAGE("invalid_grant"), "Blocked by security policy. The tenant admin has configured a security policy that blocks this request." },
	{ 54005, AT_PAGE("invalid_grant"), "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh token." },
	{ 65001, "invalid_grant", "consent_required", "interaction_required", "The user or administrator has not consented to use the application with ID '" CLOUD_CLIENT "' named 'Mailmoor'. Send an interactive authorization request for this user and resource." },
	{ 65004, AT_BOTH("access_denied"), "User declined to consent to access the app." },
	{ 65005, AT_BOTH("invalid_resource"), "The application '" CLOUD_CLIENT "' asked for scope that doesn't exist on the resource." },
	{ 650051, AT_PAGE("invalid_request"), "Using application 'Mailmoor' is currently not supported for your organization contoso.example because it is in an unmanaged state. An administrator needs to claim ownership of the company by DNS validation." },
	{ 650052, AT_PAGE("invalid_client"), "The app is trying to access a service '00000003-0000-0000-c000-000000000000'(Microsoft Graph) that your organization lacks a service principal for." },
	{ 650056, AT_PAGE("invalid_client"), "Misconfigured application. This could be due to one of the following: the client has not listed any permissions for 'Microsoft Graph' in the requested permissions in the client's application registration." },
	{ 650057, AT_BOTH("invalid_resource"), "Invalid resource. The client has requested access to a resource which is not listed in the requested permissions in the client's application registration." },
	{ 70000, "invalid_grant", NULL, NULL, "The provided value for the 'code' parameter is not valid." },
	{ 70001, AT_PAGE("unauthorized_client"), "Application '" CLOUD_CLIENT "' is disabled." },
	{ 700005, AT_PAGE("invalid_grant"), "Provided Authorization Code is intended to use against other tenant, thus rejected." },
	{ 700011, AT_PAGE("unauthorized_client"), "Application with identifier '" CLOUD_CLIENT "' was not found in the directory 'Contoso'." },
	{ 700016, AT_PAGE("unauthorized_client"), "Application with identifier '" CLOUD_CLIENT "' was not found in the directory 'Contoso'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant." },
	{ 70002, AT_PAGE("invalid_client"), "Error validating credentials. AADSTS50012: Invalid client secret is provided." },
	{ 700020, AT_BOTH("interaction_required"), "The access grant requires interaction." },
	{ 700022, AT_BOTH("invalid_scope"), "The provided value for the input parameter scope is not valid because it contains more than one resource." },
	{ 700025, AT_PAGE("invalid_client"), "Client is public so neither 'client_assertion' nor 'client_secret' should be presented." },
	{ 70003, AT_PAGE("unsupported_grant_type"), "The app returned an unsupported grant type." },
	{ 700054, AT_BOTH("unsupported_response_type"), "response_type 'id_token' is not enabled for the application." },
	{ 70008, "invalid_grant", "bad_token", NULL, "The provided authorization code or refresh token has expired due to inactivity. Send a new interactive authorization request for this user and resource." },
	{ 700082, "invalid_grant", "bad_token", NULL, "The refresh token has expired due to inactivity. The token was issued on 2026-08-01T08:00:00.0000000Z and was inactive for 90.00:00:00." },
	{ 700084, AT_PAGE("invalid_grant"), "The refresh token was issued to a single page app (SPA), and therefore has a fixed, limited lifetime of 1.00:00:00, which cannot be extended." },
	{ 70011, AT_BOTH("invalid_scope"), "The provided value for the input parameter 'scope' is not valid." },
	{ 70012, AT_PAGE("temporarily_unavailable"), "A server error occurred while authenticating an MSA (consumer) user. Try again." },
	{ 70016, AT_PAGE("authorization_pending"), "OAuth 2.0 device flow error. Authorization is pending. Continue polling." },
	{ 70017, AT_PAGE("authorization_declined"), "OAuth 2.0 device flow error. The end user declined the request." },
	{ 70018, AT_PAGE("bad_verification_code"), "Invalid verification code due to User typing in wrong user code for device code flow." },
	{ 70020, AT_PAGE("expired_token"), "The provided value for the input parameter 'device_code' is not valid. This device code has expired." },
	{ 70043, "invalid_grant", "bad_token", NULL, "The refresh token has expired or is invalid due to sign-in frequency checks by conditional access. The token was issued on 2026-11-01T08:00:00.0000000Z and the maximum allowed lifetime for this request is 43200." },
	{ 7000112, AT_PAGE("unauthorized_client"), "Application '" CLOUD_CLIENT "'(Mailmoor) is disabled." },
	{ 7000215, AT_PAGE("invalid_client"), "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '" CLOUD_CLIENT "'." },
	{ 7000218, AT_PAGE("invalid_client"), "The request body must contain the following parameter: 'client_assertion' or 'client_secret'." },
	{ 7000222, AT_PAGE("invalid_client"), "The provided client secret keys for app '" CLOUD_CLIENT "' are expired. Visit the Azure portal to create new keys for your app." },
	{ 7000229, AT_PAGE("invalid_client"), "The client application '" CLOUD_CLIENT "' is missing service principal in the tenant '" CLOUD_TENANT "'." },
	{ 700027, AT_PAGE("invalid_client"), "The certificate with identifier used to sign the client assertion is not registered on application." },
	{ 90002, AT_PAGE("invalid_request"), "Tenant not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant." },
	{ 900023, AT_PAGE("invalid_request"), "Specified tenant identifier is neither a valid DNS name, nor a valid external domain." },
	{ 90014, AT_BOTH("invalid_request"), "The required field is missing from the credential." },
	{ 900144, AT_BOTH("invalid_request"), "The request body must contain the following parameter: 'grant_type'." },
	{ 90023, AT_BOTH("invalid_request"), "Unsupported 'prompt' value." },
	{ 9002313, AT_BOTH("invalid_request"), "Invalid request. Request is malformed or invalid." },
	{ 9002332, AT_BOTH("invalid_request"), "Application is configured for use by Azure Active Directory users only. Please do not use the /consumers endpoint to serve this request." },
	{ 900971, AT_PAGE("invalid_request"), "No reply address provided." },
	{ 90024, AT_PAGE("temporarily_unavailable"), "RequestBudgetExceededError - A transient error has occurred. Please try again." },
	{ 90033, AT_PAGE("server_error"), "A transient error has occurred. Please try again." },
	{ 90072, AT_BOTH("interaction_required"), "User account '{EmailHidden}' from identity provider 'live.com' does not exist in tenant 'Contoso' and cannot access the application '" CLOUD_CLIENT "'(Mailmoor) in that tenant. The account needs to be added as an external user in the tenant first." },
	{ 90093, "invalid_grant", NULL, "access_denied", "Calling principal cannot consent due to lack of permissions." },
	{ 90094, "invalid_grant", NULL, NULL, "The grant requires admin permission." },
	{ 90095, "invalid_grant", NULL, NULL, "Admin consent is required for the permissions requested by this application. An admin consent request may be sent to the admin." },
	{ 90123, AT_BOTH("access_denied"), "The token cannot be issued because the identity or claim issuance provider denied the request." },
};

const struct aadsts *aadsts_of(unsigned number)
{
	static const struct aadsts other = { 90100, "invalid_request", NULL, "invalid_request", "The parameter is empty or not valid." };

	for (size_t i = 0; i < COUNT(rows); i++)
		if (rows[i].number == number)
			return &rows[i];
	return &other;
}

static int status_of(const struct aadsts *row)
{
	return strcmp(row->error, "invalid_client") == 0 ? 401 : strcmp(row->error, "temporarily_unavailable") == 0 ? 503
	     : strcmp(row->error, "server_error") == 0 ? 500 : 400;
}

static const char *stamp(struct arena *arena)
{
	time_t    t = (time_t)now_s();
	struct tm at;
	char      text[40];

	strftime(text, sizeof text, "%Y-%m-%d %H:%M:%SZ", gmtime_r(&t, &at));
	return arena_str(arena, text);
}

static const char *text_with(struct arena *arena, const struct aadsts *row, const char *trace, const char *correlation)
{
	return arena_print(arena, "AADSTS%u: %s\r\nTrace ID: %s\r\nCorrelation ID: %s\r\nTimestamp: %s", row->number, row->text, trace, correlation,
	                   stamp(arena));
}

const char *aadsts_text(struct arena *arena, const struct aadsts *row)
{
	return text_with(arena, row, guid_of(arena, random_text(arena, 20)), guid_of(arena, random_text(arena, 20)));
}

static const char *help_of(struct arena *arena, const struct aadsts *row)
{
	return arena_print(arena, "https://" ENTRA_HOST "/error?code=%u", row->number);
}

/* -- at the token endpoint ----------------------------------------------------------------------------------------- */

static void write_refusal(struct request *r, struct reply *reply, const struct aadsts *row, const char *error, const char *claims)
{
	const char *trace = guid_of(r->work, random_text(r->work, 20)), *correlation = guid_of(r->work, random_text(r->work, 20));
	cJSON      *o = cJSON_CreateObject(), *numbers = cJSON_CreateArray();

	cJSON_AddStringToObject(o, "error", error);
	cJSON_AddStringToObject(o, "error_description", text_with(r->work, row, trace, correlation));
	cJSON_AddItemToArray(numbers, cJSON_CreateNumber(row->number));
	cJSON_AddItemToObject(o, "error_codes", numbers);
	cJSON_AddStringToObject(o, "timestamp", stamp(r->work));
	cJSON_AddStringToObject(o, "trace_id", trace);
	cJSON_AddStringToObject(o, "correlation_id", correlation);
	cJSON_AddStringToObject(o, "error_uri", help_of(r->work, row));
	if (row->suberror)
		cJSON_AddStringToObject(o, "suberror", row->suberror);
	if (claims)
		cJSON_AddStringToObject(o, "claims", claims);
	reply_header(reply, r, "x-ms-request-id", "%s", trace);
	reply_header(reply, r, "x-ms-clitelem", "1,%u,0,,", row->number);
	reply_json(reply, status_of(row), o);
}

void refuse_tenant(struct request *r, struct reply *reply)
{
	write_refusal(r, reply, aadsts_of(90002), "invalid_tenant", NULL);
}

#define CHALLENGE "{\"access_token\":{\"capolids\":{\"essential\":true,\"values\":[\"c0a1b2c3-1111-4222-8333-444455556666\"]}}}"

void refuse_token(struct request *r, struct reply *reply, unsigned number)
{
	static const unsigned with_claims[] = { 50072, 50074, 50076, 50078, 50079 };      /* a sign-in can meet those */
	const struct aadsts  *row = aadsts_of(number);
	const char           *claims = NULL;

	for (size_t i = 0; i < COUNT(with_claims); i++)
		if (with_claims[i] == number)
			claims = CHALLENGE;
	write_refusal(r, reply, row, row->error, claims);
}

/* -- in a browser --------------------------------------------------------------------------------------------------- */

/* Only that page has a way back to the application (facts M A.8, 90094). */
static void way_back(struct request *r, struct reply *reply, const struct back *back, const struct aadsts *row)
{
	struct form f = { .count = 0 };

	if (row->number != 90094 || !back->to || (back->mode && strcmp(back->mode, "query") != 0))
		return;
	form_put(&f, "error", "access_denied");
	form_put(&f, "error_description", aadsts_text(r->work, row));
	form_put(&f, "error_uri", help_of(r->work, row));
	if (back->state)
		form_put(&f, "state", back->state);
	buffer_print(&reply->body, "<p><a id=\"returnLink\" href=\"%s%s%s\">Return to the application without granting consent</a></p>", escaped(r->work, back->to),
	             strchr(back->to, '?') ? "&amp;" : "?", escaped(r->work, form_whole(r->work, &f)));
}

static void own_page(struct request *r, struct reply *reply, const struct back *back, const struct aadsts *row)
{
	bool  approval = row->number == 90094 || row->number == 90095;
	const char *trace = guid_of(r->work, random_text(r->work, 20)), *correlation = guid_of(r->work, random_text(r->work, 20));

	screen_begin(reply, 200, row->number == 90094 ? "Need admin approval" : row->number == 90095 ? "Approval required" : "Sign in to your account");
	buffer_add_str(&reply->body, approval
	             ? "<p>Mailmoor needs permission to access resources in your organization that only an admin can grant. Please ask an admin to grant permission to this app before you can use it.</p>"
	             : "<p>Sorry, but we\xE2\x80\x99re having trouble signing you in.</p>");
	buffer_print(&reply->body, "<p id=\"exceptionMessageContainer\">AADSTS%u: %s</p><dl><dt>Request Id:</dt><dd>%s</dd><dt>Correlation Id:</dt><dd>%s</dd>"
	             "<dt>Timestamp:</dt><dd>%s</dd><dt>Message:</dt><dd>AADSTS%u: %s</dd></dl>", row->number, row->text, trace, correlation, stamp(r->work),
	             row->number, row->text);
	way_back(r, reply, back, row);
	screen_end(reply);
}

void refuse_browser(struct request *r, struct reply *reply, const struct back *back, unsigned number, bool silent)
{
	const struct aadsts *row = aadsts_of(number);
	const char          *error = row->redirected ? row->redirected : silent ? "interaction_required" : NULL;
	struct form          f = { .count = 0 };

	if (!error || !back->to) {
		own_page(r, reply, back, row);
		return;
	}
	form_put(&f, "error", error);
	if (number == 65004)
		form_put(&f, "error_subcode", "cancel");
	form_put(&f, "error_description", aadsts_text(r->work, row));
	form_put(&f, "error_uri", help_of(r->work, row));
	send_back(r, reply, back, &f);
}
