#include "provider/caldav_facts.h"

#include <ctype.h>
#include <stdio.h>

#include "model/facts.h"
#include "wire/signin_page.h"

#define EXCERPT     400
#define NAMES_SHOWN  20

static void note(struct caldav_session *s, const char *fact, const char *value)
{
	if (value && *value)
		report_note(s->report, s->reported, fact, "%s", value);
}

static void note_field(struct caldav_session *s, const char *field, const char *fact)
{
	struct slice value;

	if (web_field(&s->web, field, &value) && value.len)
		report_fact(s->report, s->reported, fact, value);
}

/* -- where people sign in ----------------------------------------------------------------------------------------- */

static bool is_one_of(struct slice word, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (slice_is(word, words[i]))
			return true;
	return false;
}

/* The next word of a name or a path. */
static struct slice next_word(struct slice *rest)
{
	size_t len = 0;

	while (rest->len && !isalnum((unsigned char)rest->at[0]))
		*rest = slice_from(*rest, 1);
	while (len < rest->len && isalnum((unsigned char)rest->at[len]))
		len++;
	{
		struct slice word = slice_upto(*rest, len);

		*rest = slice_from(*rest, len);
		return word;
	}
}

/* Words that portals have in the places where they send people (facts G G.3, M C.5.1). A query is not looked at: in it stands where
 * one came from. */
bool caldav_is_sign_in(const struct http_url *url)
{
	static const char *const in_path[] = { "login", "logon", "signin", "sso", "saml", "saml2", "adfs", "oauth", "oauth2", "openid", "authorize", "idp" };
	static const char *const in_host[] = { "login", "logon", "signin", "sso", "adfs", "auth", "idp", "saml", "accounts" };
	struct slice host = slice_str(url->host), path = slice_str(url->target);
	size_t       query = slice_find(path, '?');

	path = slice_upto(path, query);
	for (struct slice word; (word = next_word(&path)).len;)
		if (is_one_of(word, in_path, COUNT(in_path)))
			return true;
	host = slice_upto(host, slice_find(host, '.'));
	for (struct slice word; (word = next_word(&host)).len;)
		if (is_one_of(word, in_host, COUNT(in_host)))
			return true;
	return false;
}

/* -- HTTP --------------------------------------------------------------------------------------------------------- */

static void location_facts(struct caldav_session *s)
{
	struct slice    location;
	struct http_url base, url;
	struct arena   *job = s->report->job;
	const char     *here = arena_print(job, "https://%s:%u%s", s->endpoint->host, s->endpoint->port, s->request.target);

	if (!web_field(&s->web, "Location", &location) || !location.len)
		return;
	report_fact(s->report, s->reported, FACT_HTTP_LOCATION, location);
	if (http_url_parse(slice_str(here), job, &base) && http_url_follow(&base, location, job, &url) && caldav_is_sign_in(&url)) {
		note(s, FACT_PAGE, "sign_in");
		report_note(s->report, s->reported, FACT_PAGE_MARK, "location %s%.*s", url.host, (int)strcspn(url.target, "?"), url.target);
	}
}

static void page_facts(struct caldav_session *s)
{
	struct slice       body = buffer_held(&s->web.answer.body), location = { 0 };
	struct signin_seen seen;

	if (web_field(&s->web, "Location", &location) && location.len)
		return;
	signin_page_read(s->web.answer.status, location, buffer_held(&s->web.answer.fields), body, s->report->job, &seen);
	note(s, FACT_PAGE, signin_page_name(seen.page));
	note(s, FACT_PAGE_MARK, seen.mark);
	note(s, FACT_PAGE_TITLE, seen.title);
	if (body.len)
		report_fact(s->report, s->reported, FACT_HTTP_EXCERPT, slice_upto(body, EXCERPT));
}

const char *caldav_condition(struct caldav_session *s)
{
	struct dav_reader *r;
	struct slice       type;
	const char        *condition = NULL;

	if (!web_field(&s->web, "Content-Type", &type) || !slice_has(type, "xml"))
		return NULL;
	r = dav_reader_new(s->report->job, NULL, NULL);
	if (dav_feed(r, buffer_held(&s->web.answer.body), NULL) && dav_finish(r, NULL))
		condition = dav_answer(r)->condition;
	dav_reader_free(r);
	return condition;
}

void caldav_class_facts(struct caldav_session *s)
{
	struct slice classes;

	if (!web_field(&s->web, "DAV", &classes) || !classes.len)
		return;
	report_fact(s->report, s->reported, FACT_DAV_CLASSES, classes);
	note(s, FACT_DAV_CALENDARS, slice_has(buffer_held(&s->web.answer.fields), "calendar-access") ? "yes" : "no");
}

void caldav_http_facts(struct caldav_session *s)
{
	int status = s->web.answer.status;

	report_note(s->report, s->reported, FACT_HTTP_STATUS, "%d", status);
	location_facts(s);
	note_field(s, "Server", FACT_HTTP_SERVER);
	note_field(s, "Content-Type", FACT_HTTP_TYPE);
	note_field(s, "Retry-After", FACT_HTTP_RETRY_AFTER);
	caldav_class_facts(s);
	if (web_field(&s->web, "X-Nextcloud-Maintenance-Mode", &(struct slice){ 0 }))
		note(s, FACT_DAV_MAINTENANCE, "yes");
	if (status >= 400)
		note(s, FACT_DAV_CONDITION, caldav_condition(s));
	if (s->nobody && status == 207)
		note(s, FACT_DAV_NOBODY, "yes");
	if (status != 401 && status != 207)
		page_facts(s);
}

/* -- the sign-in -------------------------------------------------------------------------------------------------- */

void caldav_choose(struct caldav_session *s, const struct challenges *offered)
{
	const char *schemes = "";

	for (size_t i = 0; i < offered->count; i++)
		schemes = arena_print(s->report->job, "%s%s%.*s", schemes, *schemes ? " " : "", (int)offered->item[i].scheme.len,
		                      offered->item[i].scheme.at);
	note(s, FACT_AUTH_OFFERED, schemes);
	/* among several it is Basic that is meant for programs (facts G G.3); NTLM no calendar server is known to take */
	if (web_choose(&s->web, offered) == WEB_NTLM)
		s->web.scheme = challenge_find(offered, "Basic") ? WEB_BASIC : WEB_NONE;
	if (s->web.scheme == WEB_NONE)
		web_choose_digest(&s->web, offered);
}

void caldav_login_facts(struct caldav_session *s)
{
	note(s, FACT_AUTH_MECHANISM, web_scheme_name(s->web.scheme));
	note(s, FACT_AUTH_BY, s->login->tickets ? "ticket" : s->login->token ? "token" : "password");
	note(s, FACT_AUTH_USERNAME, s->login->username_form);
}

/* -- the calendars ------------------------------------------------------------------------------------------------ */

void caldav_calendar_facts(struct caldav_session *s)
{
	report_note(s->report, s->reported, FACT_CALENDARS, "%zu", s->all);
	if (s->without_events)
		report_note(s->report, s->reported, FACT_CALENDARS_OTHER, "%zu", s->without_events);
	for (size_t i = 0; i < s->calendars && i < NAMES_SHOWN; i++)
		note(s, FACT_CALENDAR, s->calendar[i].name ? s->calendar[i].name : s->calendar[i].target);
	caldav_class_facts(s);
}
