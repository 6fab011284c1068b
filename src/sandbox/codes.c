/* What the server says with each ResponseCode, as it was seen. */
#include "sandbox/ews.h"

static const struct { const char *code, *text; } rows[] = {
	{ "ErrorAccessDenied", "Access is denied. Check credentials and try again." },
	{ "ErrorAccountDisabled", "Account is disabled. Contact the account administrator." },
	{ "ErrorAccountSuspend", "Account suspended. Follow the instructions in your Inbox to verify your account." },
	{ "ErrorCallerIsInvalidADAccount", "Failed to get valid Active Directory information for the calling account. Confirm that it is a valid Active Directory account." },
	{ "ErrorConnectionFailed", "Connection did not succeed. Try again later." },
	{ "ErrorExceededConnectionCount", "You have exceeded the available concurrent connections for your account. Try again once your other requests have completed." },
	{ "ErrorExceededMessageLimit", "You have exceeded your daily message limit." },
	{ "ErrorFolderExists", "A folder with the specified name already exists." },
	{ "ErrorFolderNotFound", "The specified folder could not be found in the store." },
	{ "ErrorImpersonateUserDenied", "The account does not have permission to impersonate the requested user." },
	{ "ErrorImpersonationFailed", "Impersonation failed." },
	{ "ErrorIncorrectSchemaVersion", "The request is valid but does not specify the correct server version in the RequestServerVersion SOAP header. Ensure that the "
	  "RequestServerVersion header is set with the correct RequestServerVersionValue." },
	{ "ErrorInternalServerError", "An internal server error occurred. The operation failed." },
	{ "ErrorInternalServerTransientError", "An internal server error occurred. Try again later." },
	{ "ErrorInvalidIdMalformed", "Id is malformed." },
	{ "ErrorInvalidLicense", "The license is invalid for this mailbox., Mailbox doesn't have a valid license." },
	{ "ErrorInvalidRecipients", "At least one recipient is not valid., Recipient address is rejected." },
	{ "ErrorInvalidRequest", "The request is invalid." },
	{ "ErrorInvalidSchemaVersionForMailboxVersion", "The mailbox that was requested doesn't support the specified RequestServerVersion." },
	{ "ErrorInvalidServerVersion", "The specified server version is invalid." },
	{ "ErrorInvalidSubscription", "The specified subscription is not valid." },
	{ "ErrorInvalidSyncStateData", "Synchronization state data is corrupt or otherwise invalid." },
	{ "ErrorItemNotFound", "The specified object was not found in the store." },
	{ "ErrorMailboxConfiguration", "Unable to access an account or mailbox." },
	{ "ErrorMailboxMoveInProgress", "Mailbox move in progress. Try again later., Cannot open mailbox." },
	{ "ErrorMailboxStoreUnavailable", "The mailbox database is temporarily unavailable." },
	{ "ErrorMailRecipientNotFound", "Unable to resolve e-mail address to an Active Directory object." },
	{ "ErrorMessageDispositionRequired", "Message disposition is required." },
	{ "ErrorMessageSizeExceeded", "The message exceeds the maximum supported size." },
	{ "ErrorMessageSubmissionBlocked", "Message submission is blocked for this account." },
	{ "ErrorMissingEmailAddress", "When making a request as an account that does not have a mailbox, you must specify the mailbox primary SMTP address for any "
	  "distinguished folder Ids." },
	{ "ErrorNameResolutionNoResults", "No results were found." },
	{ "ErrorNonExistentMailbox", "The SMTP address has no mailbox associated with it." },
	{ "ErrorNonPrimarySmtpAddress", "The primary SMTP address must be specified when referencing a mailbox." },
	{ "ErrorNoRespondingCASInDestinationSite", "Exchange Web Services are not currently available for this request because none of the Client Access Servers in the "
	  "destination site could process the request." },
	{ "ErrorPasswordChangeRequired", "Password change is required." },
	{ "ErrorPasswordExpired", "Password has expired. Change password." },
	{ "ErrorQuotaExceeded", "Mailbox has exceeded maximum mailbox size." },
	{ "ErrorSchemaValidation", "The request failed schema validation." },
	{ "ErrorSendAsDenied", "The user account which was used to submit this request does not have the right to send mail on behalf of the specified sending account., "
	  "Cannot submit message." },
	{ "ErrorSendMeetingCancellationsRequired", "Send meeting cancellations mode is required." },
	{ "ErrorSendMeetingInvitationsRequired", "Send invitations mode is required for calendar items." },
	{ "ErrorServerBusy", "The server cannot service this request right now. Try again later." },
	{ "ErrorSubmissionQuotaExceeded", "The message couldn't be sent because the sender's submission quota was exceeded. Please try again later." },
	{ "ErrorSubscriptionNotFound", "The specified subscription was not found." },
	{ "ErrorTimeoutExpired", "The request timed out." },
	{ "ErrorWrongServerVersion", "The Client Access server version doesn't match the Mailbox server version of the resource that was being accessed. To determine the "
	  "correct URL to use to access the resource, use Autodiscover with the address of the resource." },
};

const char *code_text(const char *code)
{
	for (size_t i = 0; i < COUNT(rows); i++)
		if (strcmp(rows[i].code, code) == 0)
			return rows[i].text;
	return code;
}
