#include "diagnose/explain_exchange.h"

#include <ctype.h>

#include "base/slice.h"
#include "model/facts.h"

#define CODE_LONGEST 60

/* What Exchange says in English beside a code (facts M C.4): people paste the sentence alone. */
static const struct { const char *words, *code; } sentences[] = {
	{ "The SMTP address has no mailbox associated with it",                   "ErrorNonExistentMailbox" },
	{ "No mailbox with such guid",                                           "ErrorNonExistentMailbox" },
	{ "account that does not have a mailbox, you must specify",              "ErrorMissingEmailAddress" },
	{ "The primary SMTP address must be specified when referencing",         "ErrorNonPrimarySmtpAddress" },
	{ "Unable to access an account or mailbox",                              "ErrorMailboxConfiguration" },
	{ "The mailbox database is temporarily unavailable",                     "ErrorMailboxStoreUnavailable" },
	{ "Mailbox move in progress",                                            "ErrorMailboxMoveInProgress" },
	{ "The server cannot service this request right now",                    "ErrorServerBusy" },
	{ "You have exceeded the available concurrent connections",              "ErrorExceededConnectionCount" },
	{ "The specified server version is invalid",                             "ErrorInvalidServerVersion" },
	{ "doesn't support the specified RequestServerVersion",                  "ErrorInvalidSchemaVersionForMailboxVersion" },
	{ "The Client Access server version doesn't match the Mailbox server",   "ErrorWrongServerVersion" },
	{ "none of the Client Access Servers in the destination site",           "ErrorNoRespondingCASInDestinationSite" },
	{ "does not have the right to send mail on behalf of",                   "ErrorSendAsDenied" },
	{ "does not have permission to impersonate the requested user",          "ErrorImpersonateUserDenied" },
	{ "Mailbox has exceeded maximum mailbox size",                           "ErrorQuotaExceeded" },
	{ "the sender's submission quota was exceeded",                          "ErrorSubmissionQuotaExceeded" },
	{ "Failed to get valid Active Directory information for the calling",    "ErrorCallerIsInvalidADAccount" },
};

/* "ErrorServerBusy": a word of that form, and no part of a longer one. At == NULL: there is none. */
static struct slice code_in(struct slice text)
{
	for (size_t i = 0; i + 6 < text.len; i++) {
		size_t end = i + 5;

		if (memcmp(text.at + i, "Error", 5) != 0 || !isupper((unsigned char)text.at[end]) || (i > 0 && isalnum((unsigned char)text.at[i - 1])))
			continue;
		while (end < text.len && isalnum((unsigned char)text.at[end]))
			end++;
		if (end - i <= CODE_LONGEST && end - i > 8 && memcmp(text.at + i, "ErrorCode", 9) != 0)
			return slice(text.at + i, end - i);
		i = end;
	}
	return slice(NULL, 0);
}

/* <t:Value Name="Primary">ann@example.org</t:Value> */
static struct slice value_in(struct slice text, const char *name)
{
	size_t       at = slice_search(text, name);
	struct slice rest = slice_from(text, at + strlen(name));

	if (at == text.len || !rest.len || (rest.at[0] != '"' && rest.at[0] != '\''))
		return slice(NULL, 0);
	slice_cut(&rest, '>');
	return rest.at ? slice_trim(slice_cut(&rest, '<')) : slice(NULL, 0);
}

static void note_back_off(struct report *r, int step, struct slice text)
{
	unsigned long long ms;

	if (slice_number(value_in(text, "Name=\"BackOffMilliseconds"), 1u << 30, &ms))
		report_note(r, step, FACT_EWS_BACK_OFF, "%llu", ms);
}

void explain_exchange(struct report *r, struct slice text)
{
	struct slice code = code_in(text), primary = value_in(text, "Name=\"Primary");
	const char  *said = NULL;
	int          step;

	for (size_t i = 0; i < COUNT(sentences) && !code.at; i++)
		if (slice_has(text, sentences[i].words))
			said = sentences[i].words, code = slice_str(sentences[i].code);
	if (!code.at && !slice_has(text, "does not have SMTP address associated"))
		return;
	step = report_begin(r, "explain.ews", NO_ATTEMPT, r->began_ms);
	if (code.at)
		report_fact(r, step, FACT_EWS_CODE, code);
	report_fact(r, step, FACT_EWS_TEXT, said ? slice_str(said) : slice_upto(slice_trim(text), 300));
	if (value_in(text, "Name=\"MailboxGuid").len || slice_has(text, "No mailbox with such guid"))
		report_note(r, step, FACT_EWS_GUID, "yes");
	note_back_off(r, step, text);
	if (primary.len)
		report_fact(r, step, FACT_EWS_PRIMARY, primary);
	report_end(r, step, STEP_FAILED, r->began_ms);
}
