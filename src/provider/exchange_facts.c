#include "provider/exchange_facts.h"

#include <stdio.h>
#include <stdlib.h>

#include "model/exchange_url.h"
#include "model/facts.h"
#include "wire/signin_page.h"

#define EXCERPT 400

static void note(struct exchange_session *s, const char *fact, const char *value)
{
	if (value && *value)
		report_note(s->report, s->reported, fact, "%s", value);
}

static void note_field(struct exchange_session *s, const char *field, const char *fact)
{
	struct slice value;

	if (web_field(&s->web, field, &value) && value.len)
		report_fact(s->report, s->reported, fact, value);
}

/* -- HTTP --------------------------------------------------------------------------------------------------------- */

/* The phrases that every server has: only others say something. */
static bool is_usual_reason(const char *reason)
{
	static const char *const usual[] = { "", "OK", "Unauthorized", "Forbidden", "Not Found", "Found", "Moved Permanently", "Object moved",
	                                     "Internal Server Error", "Service Unavailable", "Bad Gateway", "Bad Request" };

	for (size_t i = 0; i < COUNT(usual); i++)
		if (strcmp(reason, usual[i]) == 0)
			return true;
	return false;
}

static void read_page(struct exchange_session *s, struct signin_seen *seen)
{
	struct slice location = { 0 };

	web_field(&s->web, "Location", &location);
	signin_page_read(s->web.answer.status, location, buffer_held(&s->web.answer.fields), buffer_held(&s->web.answer.body),
	                 s->report->job, seen);
}

const char *exchange_page(struct exchange_session *s)
{
	struct signin_seen seen;

	read_page(s, &seen);
	return signin_page_name(seen.page);
}

/* A 401 is asked by its challenges alone: its page says "invalid credentials" also where none were judged (facts M C.5). */
static void page_facts(struct exchange_session *s)
{
	struct slice       body = buffer_held(&s->web.answer.body);
	struct signin_seen seen;

	read_page(s, &seen);
	note(s, FACT_PAGE, signin_page_name(seen.page));
	note(s, FACT_PAGE_MARK, seen.mark);
	note(s, FACT_PAGE_TITLE, seen.title);
	note(s, FACT_IIS_STATUS, seen.iis_status);
	if (seen.build && !s->build.major && exchange_build_read(slice_str(seen.build), &s->build))
		exchange_build_facts(s);
	if (body.len && !s->answer && seen.page <= PAGE_NONE)
		report_fact(s->report, s->reported, FACT_HTTP_EXCERPT, slice_upto(body, EXCERPT));
}

void exchange_http_facts(struct exchange_session *s)
{
	report_note(s->report, s->reported, FACT_HTTP_STATUS, "%d", s->web.answer.status);
	if (!is_usual_reason(s->web.answer.reason))
		note(s, FACT_HTTP_REASON, s->web.answer.reason);
	note_field(s, "Location", FACT_HTTP_LOCATION);
	note_field(s, "Server", FACT_HTTP_SERVER);
	note_field(s, "Content-Type", FACT_HTTP_TYPE);
	note_field(s, "Retry-After", FACT_HTTP_RETRY_AFTER);
	note_field(s, "X-MS-Diagnostics", FACT_MS_DIAGNOSTICS);
	note_field(s, "X-CasErrorCode", FACT_CAS_ERROR);
	if (s->web.answer.status != 401)
		page_facts(s);
	else if (s->web.last_leg && s->web.answer.body.end > s->web.answer.body.start)
		report_fact(s->report, s->reported, FACT_HTTP_EXCERPT, slice_upto(buffer_held(&s->web.answer.body), EXCERPT));
	if (s->answer && s->answer->count)
		exchange_outcome_facts(s, "GetFolder", &s->answer->outcome[0]);
}

/* -- builds ------------------------------------------------------------------------------------------------------- */

void exchange_build_facts(struct exchange_session *s)
{
	static const char *const era[] = { [EXCHANGE_UNKNOWN] = "unknown", [EXCHANGE_TOO_OLD] = "too_old", [EXCHANGE_FINE] = "fine",
	                                   [EXCHANGE_ONLINE] = "online" };

	if (!s->build.major)
		return;
	report_note(s->report, s->reported, FACT_EXCHANGE_BUILD, "%u.%u.%u.%u", s->build.major, s->build.minor, s->build.build, s->build.revision);
	note(s, FACT_EXCHANGE_PRODUCT, exchange_build_name(&s->build, s->report->job));
	note(s, FACT_EXCHANGE_ERA, era[exchange_era(&s->build)]);
	if (exchange_binds_channels(&s->build))
		note(s, FACT_EXCHANGE_BINDS, "yes");
}

/* -- offers and challenges ---------------------------------------------------------------------------------------- */

static bool trusts_anybody(struct exchange_session *s, const struct challenges *offered)
{
	const struct challenge *bearer = challenge_find(offered, "Bearer");
	struct slice            issuers;

	/* Exchange Online takes tokens for any tenant; a server of one's own names its own (facts M C.6). */
	return bearer && challenge_parameter(bearer, "trusted_issuers", s->report->job, &issuers) && slice_has(issuers, "@*");
}

void exchange_offer_facts(struct exchange_session *s, const struct challenges *offered)
{
	struct exchange_url url;
	struct slice        build;
	const char         *schemes = "";

	for (size_t i = 0; i < offered->count; i++)
		schemes = arena_print(s->report->job, "%s%s%.*s", schemes, *schemes ? " " : "", (int)offered->item[i].scheme.len,
		                      offered->item[i].scheme.at);
	note(s, FACT_AUTH_OFFERED, schemes);
	if (web_field(&s->web, "X-OWA-Version", &build) && exchange_build_read(build, &s->build))
		exchange_build_facts(s);
	exchange_url_read(s->endpoint->host, s->report->job, &url);
	if ((!url.problem && url.online) || trusts_anybody(s, offered))
		note(s, FACT_EXCHANGE_ONLINE, "yes");
}

/* CONTOSO\ann out of a challenge that says CONTOSO, and a name typed as ann@example.org or ann. */
static const char *suggestion(struct exchange_session *s)
{
	const char *name = s->login->username, *at = strchr(name, '@');

	if (!s->web.challenge.netbios_domain || strchr(name, '\\'))
		return NULL;
	return arena_print(s->report->job, "%s\\%.*s", s->web.challenge.netbios_domain, at ? (int)(at - name) : (int)strlen(name), name);
}

void exchange_challenge_facts(struct exchange_session *s)
{
	const struct ntlm_challenge *c = &s->web.challenge;

	note(s, FACT_NTLM_DOMAIN, c->netbios_domain);
	note(s, FACT_NTLM_DNS_DOMAIN, c->dns_domain);
	note(s, FACT_NTLM_COMPUTER, c->dns_computer ? c->dns_computer : c->netbios_computer);
	s->suggests = suggestion(s);
	note(s, FACT_NTLM_SUGGESTS, s->suggests);
}

void exchange_login_facts(struct exchange_session *s)
{
	note(s, FACT_AUTH_MECHANISM, web_scheme_name(s->web.scheme));
	note(s, FACT_AUTH_BY, s->login->tickets ? "ticket" : s->login->token ? "token" : "password");
	note(s, FACT_AUTH_USERNAME, s->login->username_form);
	if (s->web.scheme == WEB_NTLM || s->web.scheme == WEB_KERBEROS)
		note(s, FACT_AUTH_BINDING, s->web.end_point_len ? "sent" : "none");
	if (s->act_as)
		note(s, FACT_ACT_AS, s->login->username);
	if (s->others)
		note(s, FACT_OTHERS_MAILBOX, "yes");
}

/* -- SOAP --------------------------------------------------------------------------------------------------------- */

static void value_facts(struct exchange_session *s, const char *name, const char *value)
{
	unsigned long long ms;

	report_note(s->report, s->reported, FACT_EWS_VALUE, "%s = %s", name, value);
	if (strcmp(name, "BackOffMilliseconds") == 0 && slice_number(slice_trim(slice_str(value)), 1u << 30, &ms)) {
		s->back_off_ms = (int)ms;
		report_note(s->report, s->reported, FACT_EWS_BACK_OFF, "%d", s->back_off_ms);
	}
	if (strcmp(name, "MailboxGuid") == 0)
		note(s, FACT_EWS_GUID, "yes");
	if (strcmp(name, "Primary") == 0 && *value) {
		s->primary = arena_str(s->report->job, value);
		note(s, FACT_EWS_PRIMARY, value);
	}
}

void exchange_outcome_facts(struct exchange_session *s, const char *operation, const struct ews_outcome *o)
{
	note(s, FACT_EWS_OPERATION, operation);
	note(s, FACT_EWS_CODE, o->code);
	note(s, FACT_EWS_TEXT, o->text);
	if (o->fault)
		note(s, FACT_EWS_FAULT, "yes");
	for (size_t i = 0; i < o->values && i < EWS_VALUES; i++)
		if (o->value[i].name && o->value[i].value)
			value_facts(s, o->value[i].name, o->value[i].value);
}
