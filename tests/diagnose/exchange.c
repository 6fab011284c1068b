/* What is concluded from Exchange's answers: every row of the rules by evidence that nothing else explains, and look-alikes beside each other. */
#include "diagnose/diagnose.h"

#include "diagnose/rule.h"
#include "test.h"

/* -- every row can be reached ---------------------------------------------------------------------------------------- */

static const char *first_of(const char *list, struct arena *job)
{
	return arena_copy(job, slice_upto(slice_str(list), slice_find(slice_str(list), '|')));
}

/* The latest step where a condition looks, whole: earlier ones have rows of their own. */
static const char *step_of(const struct condition *c)
{
	const char *bar = c->step ? strrchr(c->step, '|') : NULL;
	const char *step = !c->step ? "exchange.inbox" : bar ? bar + 1 : c->step;


	return strcmp(step, "ews.pasted") == 0 ? "explain.ews" : step;
}

static bool is_of_no_attempt(const char *step)
{
	static const char *const early[] = { "exchange.url", "exchange.find", "dns.mx", "explain.ews" };

	for (size_t i = 0; i < COUNT(early); i++)
		if (strcmp(early[i], step) == 0)
			return true;
	return false;
}

static int step_begun(struct report *r, const char *id)
{
	int attempt = is_of_no_attempt(id) ? NO_ATTEMPT : 0, step = report_find(r, id, attempt);

	return step >= 0 ? step : report_begin(r, id, attempt, 0);
}

/* The least that makes a row hold. */
static struct report *least_for(const struct rule *rule)
{
	struct report *r = report_new("ann@birch.example");

	r->provider = "exchange";
	r->attempts = 1;
	for (size_t c = 0; c < CONDITIONS && rule->when[c].fact; c++) {
		const struct condition *when = &rule->when[c];
		const char             *step = step_of(when), *value = when->value ? first_of(when->value, r->job) : "something";

		if (when->op != NONE && when->op != NEVER_IS && when->op != NEVER_HAS)
			report_note(r, step_begun(r, step), first_of(when->fact, r->job), "%s", value);
	}
	for (size_t i = 0; i < r->step_count; i++)
		report_end(r, (int)i, STEP_FAILED, 0);
	return r;
}

TEST(every_row_is_reached_by_the_least_that_it_asks_for)
{
	for (size_t i = 0; i < rules_exchange.count; i++) {
		const struct rule             *rule = &rules_exchange.rule[i];
		CLEANUP(report) struct report *r = least_for(rule);
		struct verdict                 v;
		struct finding                 f = { 0 };
		char                           row[160];

		snprintf(row, sizeof row, "row %zu: %s (%s)", i, cause_row(rule->cause)->id, rule->source);
		if (report_find(r, "explain.ews", NO_ATTEMPT) >= 0) {
			diagnose_pasted(r, &v);
			f = v.finding[0];
		} else {
			EXPECT_ROW(diagnose_attempt(r, 0, &f), row);
		}
		if (f.rule != rule)
			test_fail(__FILE__, __LINE__, "%s: that of %s (%s) comes before", row, cause_row(f.cause)->id, f.rule ? f.rule->source : "none");
		EXPECT_ROW(f.proofs > 0, row);
	}
}

/* -- look-alikes ------------------------------------------------------------------------------------------------------ */

struct seen {
	const char     *id;
	enum step_state state;
	const char     *fact[14];
};

#define OK(id, ...)     { id, STEP_PASSED, { __VA_ARGS__ } }
#define NOT(id, ...)    { id, STEP_FAILED, { __VA_ARGS__ } }
#define REACHED         OK("exchange.resolve", FACT_HOST, "mail.birch.example", FACT_PORT, "443", FACT_DNS_OUTCOME, "found"), \
	OK("exchange.connect", FACT_NET_OUTCOME, "ok"), OK("exchange.tls", FACT_TLS_VERIFY, "ok")
#define OFFERED         REACHED, OK("exchange.offer", FACT_URL_IS_EWS, "yes", FACT_HTTP_STATUS, "401", FACT_AUTH_OFFERED, "Negotiate NTLM", FACT_EXCHANGE_ERA, "fine")
#define LOGGED_IN       OFFERED, OK("exchange.challenge", FACT_NTLM_DOMAIN, "BIRCH"), OK("exchange.login", FACT_AUTH_MECHANISM, "NTLM", FACT_AUTH_BY, "password")
#define AT_OFFER(...)   REACHED, NOT("exchange.offer", FACT_URL_IS_EWS, "yes", __VA_ARGS__)
#define ELSEWHERE(...)  REACHED, NOT("exchange.offer", FACT_URL_IS_EWS, "no", __VA_ARGS__)
#define AT_LOGIN(...)   OFFERED, NOT("exchange.login", FACT_AUTH_MECHANISM, "NTLM", FACT_AUTH_BY, "password", __VA_ARGS__)
#define BY_TICKET(...)  OFFERED, NOT("exchange.login", FACT_AUTH_MECHANISM, "Kerberos", FACT_AUTH_BY, "ticket", __VA_ARGS__)
#define AT_INBOX(...)   LOGGED_IN, OK("exchange.version", FACT_EXCHANGE_ERA, "fine"), NOT("exchange.inbox", FACT_EWS_OPERATION, "GetFolder", __VA_ARGS__)
#define IN              LOGGED_IN, OK("exchange.version", FACT_EXCHANGE_ERA, "fine"), OK("exchange.inbox", NULL)
#define PAGE(is)        FACT_PAGE, is
#define STATUS(code)    FACT_HTTP_STATUS, code
#define CODE(code)      FACT_EWS_CODE, code

static const struct {
	const char       *name;
	struct seen       seen[12];
	enum verdict_kind kind;
	const char       *cause;
	enum certainty    certainty;
	const char       *open;              /* ids that must not be ruled out, blanks between */
} pairs[] = {
	/* 1a, 1b */
	{ "web mail's page where web mail was asked", { ELSEWHERE(STATUS("302"), PAGE("owa")) }, VERDICT_FAILED, "exchange.url_is_webmail", PROVEN, "" },
	{ "web mail's page where EWS was asked", { AT_OFFER(STATUS("302"), PAGE("owa")) }, VERDICT_FAILED, "exchange.sign_in_page_in_front", LIKELY, "exchange.url_is_webmail exchange.not_published" },
	{ "a gateway's page in front of EWS", { AT_OFFER(STATUS("200"), PAGE("gateway")) }, VERDICT_FAILED, "exchange.sign_in_page_in_front", PROVEN, "" },
	{ "a gateway's page where web mail was asked", { ELSEWHERE(STATUS("200"), PAGE("gateway")) }, VERDICT_FAILED, "exchange.url_is_webmail", LIKELY, "exchange.sign_in_page_in_front" },
	{ "Exchange's own passing fault looks like a redirect", { AT_OFFER(STATUS("302"), PAGE("ews_fault")) }, VERDICT_FAILED, "server.unavailable", LIKELY, "exchange.server_fault" },
	{ "a redirect to nothing known", { AT_OFFER(STATUS("302"), PAGE("none")) }, VERDICT_FAILED, "exchange.url_not_ews", LIKELY, "exchange.sign_in_page_in_front exchange.not_published" },
	{ "404, and the web mail is there", { AT_OFFER(STATUS("404")), OK("probe.webmail", FACT_PROBE_RESULT, "owa") }, VERDICT_FAILED, "exchange.not_published", PROVEN, "" },
	{ "404, and the web mail is not", { AT_OFFER(STATUS("404")), OK("probe.webmail", FACT_PROBE_RESULT, "none") }, VERDICT_FAILED, "exchange.url_not_ews", LIKELY, "exchange.not_published" },
	/* 2 */
	{ "too old", { LOGGED_IN, NOT("exchange.version", FACT_EXCHANGE_ERA, "too_old", FACT_EXCHANGE_PRODUCT, "Exchange Server 2007 SP1 (8.1.436.0)") }, VERDICT_FAILED, "exchange.mailbox_version_too_old", PROVEN, "" },
	{ "a schema of ours that it does not take is not its age", { AT_INBOX(CODE("ErrorSchemaValidation"), FACT_EWS_TEXT, "x") }, VERDICT_FAILED, "unknown.answer", PROVEN, "" },
	{ "an old mailbox server behind a new one", { LOGGED_IN, NOT("exchange.version", CODE("ErrorInvalidSchemaVersionForMailboxVersion")) }, VERDICT_FAILED, "exchange.mailbox_version_too_old", LIKELY, "exchange.wrong_entry_server" },
	{ "another site's mailbox is no old one", { AT_INBOX(CODE("ErrorWrongServerVersion")) }, VERDICT_FAILED, "exchange.wrong_entry_server", PROVEN, "" },
	/* 3a */
	{ "the account has no mailbox", { AT_INBOX(CODE("ErrorMissingEmailAddress")) }, VERDICT_FAILED, "mailbox.no_smtp_address", LIKELY, "mailbox.not_found" },
	{ "there is no such mailbox", { AT_INBOX(CODE("ErrorNonExistentMailbox")) }, VERDICT_FAILED, "mailbox.not_found", PROVEN, "" },
	{ "it is in the cloud", { AT_INBOX(CODE("ErrorNonExistentMailbox"), FACT_EWS_GUID, "yes") }, VERDICT_FAILED, "exchange.use_microsoft", LIKELY, "microsoft.mailbox_not_found" },
	{ "it is in the cloud, as words say", { AT_INBOX(CODE("ErrorNonExistentMailbox"), FACT_EWS_TEXT, "No mailbox with such guid.") }, VERDICT_FAILED, "exchange.use_microsoft", LIKELY, "mailbox.not_found" },
	{ "it is being moved", { AT_INBOX(CODE("ErrorMailboxMoveInProgress")) }, VERDICT_FAILED, "mailbox.moving", PROVEN, "" },
	{ "its store is not there just now", { AT_INBOX(CODE("ErrorMailboxStoreUnavailable")) }, VERDICT_FAILED, "server.unavailable", PROVEN, "" },
	{ "a passing fault", { AT_INBOX(CODE("ErrorInternalServerTransientError")) }, VERDICT_FAILED, "server.unavailable", PROVEN, "" },
	{ "a lasting one", { AT_INBOX(CODE("ErrorInternalServerError")) }, VERDICT_FAILED, "exchange.server_fault", PROVEN, "" },
	/* 4a to 4g */
	{ "401 to the last leg", { AT_LOGIN(STATUS("401"), FACT_AUTH_CREDENTIALS, "after") }, VERDICT_FAILED, "auth.password_rejected", LIKELY, "auth.username_form auth.account_locked auth.password_expired auth.account_disabled" },
	{ "401 on the way to it says nothing", { AT_LOGIN(STATUS("401"), FACT_AUTH_CREDENTIALS, "before") }, VERDICT_FAILED, "unknown.answer", PROVEN, "auth.password_rejected" },
	{ "401 from a build that may bind", { OFFERED, NOT("exchange.login", FACT_AUTH_MECHANISM, "NTLM", FACT_AUTH_BY, "password", STATUS("401"), FACT_AUTH_CREDENTIALS, "after", FACT_EXCHANGE_BINDS, "yes") },
	  VERDICT_FAILED, "auth.password_rejected", LIKELY, "auth.channel_binding_required auth.username_form" },
	{ "a ticket that was refused is no wrong password", { BY_TICKET(STATUS("401"), FACT_AUTH_CREDENTIALS, "after", FACT_PRINCIPAL, "ann@BIRCH.EXAMPLE") }, VERDICT_FAILED, "unknown.answer", PROVEN, "" },
	{ "from a build that may bind", { BY_TICKET(STATUS("401"), FACT_AUTH_CREDENTIALS, "after", FACT_PRINCIPAL, "ann@BIRCH.EXAMPLE", FACT_EXCHANGE_BINDS, "yes") },
	  VERDICT_FAILED, "auth.channel_binding_required", POSSIBLE, "operator.clock_wrong auth.account_locked auth.account_disabled" },
	{ "for the time", { BY_TICKET(STATUS("401"), FACT_AUTH_CREDENTIALS, "after", FACT_PRINCIPAL, "ann@BIRCH.EXAMPLE", FACT_TICKET, "clock") }, VERDICT_FAILED, "operator.clock_wrong", POSSIBLE, "" },
	{ "no ticket", { BY_TICKET(FACT_TICKET, "none") }, VERDICT_FAILED, "unknown.answer", PROVEN, "" },
	{ "one at its end", { BY_TICKET(FACT_TICKET, "expired") }, VERDICT_FAILED, "unknown.answer", PROVEN, "" },
	{ "a key that is not taken", { BY_TICKET(FACT_TICKET, "key_refused") }, VERDICT_FAILED, "auth.password_rejected", POSSIBLE, "auth.username_form auth.account_locked" },
	{ "a user that nobody knows", { BY_TICKET(FACT_TICKET, "no_user") }, VERDICT_FAILED, "auth.password_rejected", POSSIBLE, "auth.username_form auth.account_disabled" },
	{ "a KDC that is silent is nothing that is known", { BY_TICKET(FACT_TICKET, "kdc_silent") }, VERDICT_FAILED, "unknown.answer", PROVEN, "" },
	{ "nor a service without a name there", { BY_TICKET(FACT_TICKET, "no_service") }, VERDICT_FAILED, "unknown.answer", PROVEN, "" },
	{ "nor a server that has not proven itself", { BY_TICKET(FACT_TICKET, "unproven") }, VERDICT_FAILED, "unknown.answer", PROVEN, "" },
	{ "nothing in common is no refusal", { OFFERED, NOT("exchange.login", FACT_AUTH_NO_COMMON, "yes") }, VERDICT_FAILED, "auth.no_common_scheme", PROVEN, "" },
	{ "403 behind the sign-in", { AT_LOGIN(STATUS("403"), FACT_AUTH_CREDENTIALS, "after"), OK("probe.agent", FACT_PROBE_RESULT, "the same") }, VERDICT_FAILED, "exchange.ews_off", LIKELY, "auth.ip_not_allowed" },
	{ "403 that Outlook does not get", { AT_LOGIN(STATUS("403"), FACT_AUTH_CREDENTIALS, "after"), OK("probe.agent", FACT_PROBE_RESULT, "let in") }, VERDICT_FAILED, "exchange.ews_off", PROVEN, "" },
	{ "403 to anybody", { AT_OFFER(STATUS("403"), PAGE("none")) }, VERDICT_FAILED, "exchange.not_published", LIKELY, "auth.ip_not_allowed" },
	{ "403.6 to anybody", { AT_OFFER(STATUS("403"), FACT_IIS_STATUS, "403.6") }, VERDICT_FAILED, "auth.ip_not_allowed", PROVEN, "" },
	{ "no right on one's own inbox", { AT_INBOX(CODE("ErrorAccessDenied")) }, VERDICT_FAILED, "exchange.ews_off", LIKELY, "mailbox.not_permitted" },
	{ "no right on another's", { OFFERED, OK("exchange.login", FACT_AUTH_MECHANISM, "NTLM", FACT_OTHERS_MAILBOX, "yes"), NOT("exchange.inbox", CODE("ErrorAccessDenied")) }, VERDICT_FAILED, "mailbox.not_permitted", PROVEN, "" },
	/* 5 */
	{ "no right to send as that", { IN, OK("exchange.calendar", NULL), NOT("exchange.send", CODE("ErrorSendAsDenied")) }, VERDICT_PARTIAL, "send.as_denied", PROVEN, "" },
	{ "no right on something while sending", { IN, OK("exchange.calendar", NULL), NOT("exchange.send", CODE("ErrorAccessDenied")) }, VERDICT_PARTIAL, "send.as_denied", LIKELY, "mailbox.not_permitted" },
	{ "no right to send as that, as a report says later", { IN, OK("exchange.calendar", NULL), OK("exchange.send", NULL), NOT("send.arrive", FACT_SEND_FOUND, "no"),
	  NOT("send.bounce", FACT_SEND_BOUNCED, "yes", FACT_REPLY_CODE, "550", FACT_REPLY_ENHANCED, "5.7.60") }, VERDICT_PARTIAL, "send.as_denied", PROVEN, "" },
	{ "a report that names no reason", { IN, OK("exchange.calendar", NULL), OK("exchange.send", NULL), NOT("send.arrive", FACT_SEND_FOUND, "no"),
	  NOT("send.bounce", FACT_SEND_BOUNCED, "yes", FACT_REPLY_TEXT, "Undeliverable") }, VERDICT_PARTIAL, "send.not_received", LIKELY, "send.delayed" },
	{ "too much sent", { IN, OK("exchange.calendar", NULL), NOT("exchange.send", CODE("ErrorSubmissionQuotaExceeded")) }, VERDICT_PARTIAL, "send.quota_exceeded", PROVEN, "" },
	{ "the mailbox is full", { IN, OK("exchange.calendar", NULL), NOT("exchange.send", CODE("ErrorQuotaExceeded")) }, VERDICT_PARTIAL, "mailbox.full", PROVEN, "" },
	{ "the calendar alone is closed", { IN, NOT("exchange.calendar", CODE("ErrorAccessDenied")) }, VERDICT_PARTIAL, "calendar.not_permitted", PROVEN, "" },
	/* C.5 */
	{ "throttled by a code", { AT_INBOX(CODE("ErrorServerBusy")) }, VERDICT_FAILED, "throttle.provider", PROVEN, "" },
	{ "503 may be either", { AT_LOGIN(STATUS("503"), FACT_AUTH_CREDENTIALS, "after") }, VERDICT_FAILED, "server.unavailable", LIKELY, "throttle.provider exchange.server_fault" },
	{ "a front end that finds no back end", { AT_LOGIN(STATUS("500"), FACT_CAS_ERROR, "UserNotFound", FACT_AUTH_CREDENTIALS, "after") }, VERDICT_FAILED, "exchange.server_fault", PROVEN, "" },
	{ "silence", { REACHED, NOT("exchange.offer", FACT_URL_IS_EWS, "yes", FACT_NET_OUTCOME, "timeout") }, VERDICT_FAILED, "net.silent", PROVEN, "" },
	{ "Exchange Online by its offer", { REACHED, NOT("exchange.offer", FACT_URL_IS_EWS, "yes", STATUS("401"), FACT_EXCHANGE_ONLINE, "yes") }, VERDICT_FAILED, "exchange.use_microsoft", PROVEN, "" },
	{ "Exchange Online with a token that is good for nothing there", { REACHED, OK("exchange.offer", FACT_URL_IS_EWS, "yes", STATUS("401"), FACT_EXCHANGE_ONLINE, "yes"),
	  NOT("exchange.login", FACT_AUTH_MECHANISM, "Bearer", FACT_AUTH_BY, "token", STATUS("403"), FACT_AUTH_CREDENTIALS, "after") }, VERDICT_FAILED, "exchange.online_ews_retired", LIKELY, "exchange.ews_off" },
	{ "nothing that is known", { AT_LOGIN(STATUS("418"), FACT_AUTH_CREDENTIALS, "after") }, VERDICT_FAILED, "unknown.answer", PROVEN, "auth.password_rejected" },
};

static bool excludes(const struct verdict *v, const char *ids)
{
	for (size_t i = 0; i < v->exclusions; i++)
		if (slice_has(slice_str(ids), cause_row(v->exclusion[i].cause)->id))
			return true;
	return false;
}

TEST(look_alikes)
{
	for (size_t i = 0; i < COUNT(pairs); i++) {
		CLEANUP(report) struct report *r = report_new("ann@birch.example");
		struct verdict v;

		r->provider = "exchange";
		r->attempts = 1;
		for (size_t s = 0; s < COUNT(pairs[i].seen) && pairs[i].seen[s].id; s++) {
			int n = report_begin(r, pairs[i].seen[s].id, 0, 0);

			for (size_t f = 0; f + 1 < COUNT(pairs[i].seen[s].fact) && pairs[i].seen[s].fact[f]; f += 2)
				report_note(r, n, pairs[i].seen[s].fact[f], "%s", pairs[i].seen[s].fact[f + 1]);
			report_end(r, n, pairs[i].seen[s].state, 0);
		}
		diagnose(r, &v);
		if (!v.findings || strcmp(cause_row(v.finding[0].cause)->id, pairs[i].cause) != 0 || v.finding[0].certainty != pairs[i].certainty)
			test_fail(__FILE__, __LINE__, "%s: %s %s, not %s %s", pairs[i].name, v.findings ? certainty_name(v.finding[0].certainty) : "nothing",
			          v.findings ? cause_row(v.finding[0].cause)->id : "", certainty_name(pairs[i].certainty), pairs[i].cause);
		EXPECT_ROW(v.kind == pairs[i].kind, pairs[i].name);
		EXPECT_ROW(!excludes(&v, pairs[i].open), pairs[i].name);
		for (size_t f = 1; f < v.findings; f++)
			EXPECT_ROW(v.finding[f].certainty == POSSIBLE && v.finding[f].cause != v.finding[0].cause, pairs[i].name);
	}
}
