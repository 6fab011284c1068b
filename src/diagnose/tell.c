#include "diagnose/tell.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "diagnose/explain.h"
#include "model/hosters.h"

/* Where a remedy is documented. */
static const struct { enum cause cause; const char *family, *url; } links[] = {
#define DOCLINK(cause, family, url) { CAUSE_##cause, family, url },
#define DOCLESS(cause, why)
#include "model/doclinks.def"
#undef DOCLINK
#undef DOCLESS
};

/* The first of a name holds. */
static void add_value(struct told *t, const char *name, const char *text)
{
	for (size_t i = 0; i < t->values; i++)
		if (strcmp(t->value[i].name, name) == 0)
			return;
	if (text && *text && t->values < TOLD_VALUES)
		t->value[t->values++] = (struct value){ name, text };
}

static void add_link(struct told *t, const char *url)
{
	if (!url || t->links == TOLD_LINKS)
		return;
	for (size_t i = 0; i < t->links; i++)
		if (strcmp(t->link[i], url) == 0)
			return;
	t->link[t->links++] = url;
}

const char *tell_date(const char *utc, const struct language *lang, struct arena *into)
{
	char         key[20], day[4], year[8];
	unsigned     y, m, d;
	const char  *text = NULL;
	struct value values[3];

	if (!utc || sscanf(utc, "%4u-%2u-%2u", &y, &m, &d) != 3 || m < 1 || m > 12 || d < 1 || d > 31)
		return NULL;
	snprintf(key, sizeof key, "ui/month.%u", m);
	snprintf(day, sizeof day, "%u", d % 100);
	snprintf(year, sizeof year, "%u", y % 10000);
	values[0] = (struct value){ "day", day };
	values[1] = (struct value){ "month", catalogue_text(lang, key) };
	values[2] = (struct value){ "year", year };
	return catalogue_fill(into, catalogue_text(lang, "ui/date"), values, COUNT(values), &text) ? text : NULL;
}

const char *tell_time(int64_t unix_ms, const struct language *lang, struct arena *into)
{
	time_t       seconds = (time_t)(unix_ms / 1000);
	struct tm    utc;
	char         date[32], clock[16];
	const char  *text = NULL;
	struct value values[2];

	gmtime_r(&seconds, &utc);
	strftime(date, sizeof date, "%Y-%m-%d", &utc);
	strftime(clock, sizeof clock, "%H:%M", &utc);
	values[0] = (struct value){ "date", tell_date(date, lang, into) };
	values[1] = (struct value){ "time", clock };
	return catalogue_fill(into, catalogue_text(lang, "ui/date_time"), values, COUNT(values), &text) ? text : "";
}

/* What a peer says goes into commands that people paste: a name there must be nothing but a name. */
static const char *plain_name(const char *text, const char *also)
{
	if (!text || text[0] == '-')
		return NULL;
	for (const char *c = text; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr(also, *c))
			return NULL;
	return text;
}

static const char *hoster_value(const struct hoster *h, const char *name)
{
	if (strcmp(name, "provider") == 0)
		return h->name;
	return strcmp(name, "app_password_url") == 0 ? h->app_password_url : h->settings_url;
}

/* "seconds", "second", "sec."; not "minor" for "min". */
static bool is_unit(const char *text, const char *unit)
{
	size_t len = strlen(unit);

	if (!slice_starts(slice_str(text), unit))
		return false;
	len += text[len] == 's';
	return !isalpha((unsigned char)text[len]);
}

static long long rounded_up(double n)
{
	long long whole = (long long)n;

	return (double)whole < n ? whole + 1 : whole;
}

/* Digits, and perhaps a point and more of them; strtod() would take hexadecimal and the locale's comma besides. */
static double decimal(const char *text, char **end)
{
	double n = (double)strtoll(text, end, 10), place = 0.1;

	if (**end == '.' && isdigit((unsigned char)(*end)[1]))
		for (++*end; isdigit((unsigned char)**end); ++*end, place /= 10)
			n += (**end - '0') * place;
	return n;
}

/* "Suggested Backoff Time: 92415 milliseconds", "try again in 60 seconds": the wait, rounded up; 0 when none is said. */
static long long wait_seconds(const char *reply)
{
	static const struct { const char *unit; double seconds; } units[] = {
		{ "millisecond", 0.001 }, { "second", 1 }, { "sec", 1 }, { "minute", 60 }, { "min", 60 }, { "hour", 3600 },
	};

	for (const char *c = reply; c && *c; c++) {
		char  *unit;
		double amount;

		if (!isdigit((unsigned char)*c) || (c > reply && isalnum((unsigned char)c[-1])))
			continue;
		amount = decimal(c, &unit);
		c = unit - 1;
		while (*unit == ' ')
			unit++;
		for (size_t i = 0; i < COUNT(units); i++)
			if (is_unit(unit, units[i].unit) && amount > 0 && amount < 1e9)
				return rounded_up(amount * units[i].seconds);
	}
	return 0;
}

static const char *wait_in(const char *reply, const struct language *lang, struct arena *into)
{
	long long    seconds = wait_seconds(reply);
	struct value n = { "n", arena_print(into, "%lld", seconds) };
	const char  *text;

	return seconds && catalogue_fill(into, catalogue_text(lang, "ui/seconds"), &n, 1, &text) ? text : NULL;
}

/* When that wait is over, by the clock of the report itself. */
static const char *until(const struct report *r, const char *reply, struct arena *into)
{
	long long seconds = wait_seconds(reply), day;

	if (!seconds || !r->began_unix)
		return NULL;
	/* a minute that is not whole counts as one: too early is worse than too late */
	day = (r->began_unix + r->ms / 1000 + seconds + 59) % 86400;
	return arena_print(into, "%02lld:%02lld UTC", day / 3600, day / 60 % 60);
}

/* Every fact of that name in the scope, ", " between. */
static const char *joined(const struct report *r, int attempt, const char *fact, struct arena *into)
{
	const char *all = NULL;

	for (size_t i = 0; i < r->fact_count; i++) {
		const struct step *s = &r->step[r->fact[i].step];

		if (strcmp(r->fact[i].name, fact) == 0 && (s->attempt == attempt || s->attempt == NO_ATTEMPT))
			all = all ? arena_print(into, "%s, %s", all, r->fact[i].value) : r->fact[i].value;
	}
	return all;
}

/* "8.8.4.4, 9.9.9.9 seen once" in words of a language. */
static const char *our_list(const char *list, const char *mark, const struct language *lang, struct arena *into)
{
	struct slice rest = slice_str(list);
	const char  *all = NULL;

	while (rest.at) {
		size_t       end = slice_search(rest, ", ");
		struct slice one = slice_upto(rest, end);
		const char  *shown = arena_copy(into, one);

		rest = end < rest.len ? slice_from(rest, end + 2) : slice(NULL, 0);
		if (slice_ends(one, mark)) {
			struct value address = { "address", arena_copy(into, slice_upto(one, one.len - strlen(mark))) };

			catalogue_fill(into, catalogue_text(lang, "ui/seen_once"), &address, 1, &shown);
		}
		all = all ? arena_print(into, "%s, %s", all, shown) : shown;
	}
	return all;
}

/* What is known of before; otherwise what the servers of this very report have told. */
static const char *our_addresses(const struct report *r, const struct scope *s, const struct language *lang, struct arena *into)
{
	const char *known = scope_value(s, "address", FACT_OUR_ADDRESSES), *list = known;

	for (size_t i = 0; !known && i < r->fact_count; i++) {
		const char *one;

		if (strcmp(r->fact[i].name, FACT_OUR_SEEN) != 0)
			continue;
		one = arena_print(into, "%s" FACT_OUR_ONCE, r->fact[i].value);
		if (!list || !slice_has(slice_str(list), one))
			list = list ? arena_print(into, "%s, %s", list, one) : one;
	}
	return list ? our_list(list, FACT_OUR_ONCE, lang, into) : NULL;
}

#define TRIED_MOST 6

/* "https://autodiscover.example.org/autodiscover/autodiscover.xml: 404" as "autodiscover.example.org: 404". */
static const char *without_path(const char *looked_at, struct arena *into)
{
	struct slice rest = slice_str(looked_at), where = slice_upto(rest, slice_search(rest, ": "));
	struct slice outcome = slice_from(rest, where.len), host = where;

	if (slice_has(where, "://"))
		host = slice_from(where, slice_search(where, "://") + 3);
	/* that there is no such name is the usual case, and no word for people */
	if (slice_is(outcome, ": nxdomain") || slice_is(outcome, ": no_data"))
		outcome = slice("", 0);
	return arena_print(into, "%.*s%.*s", (int)slice_find(host, '/'), host.at, (int)outcome.len, outcome.len ? outcome.at : "");
}

static bool is_among(const char *const *known, size_t count, const char *one)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(known[i], one) == 0)
			return true;
	return false;
}

/* Where a search looked and what came of it, each but once; all of them are in the proof. */
static const char *looked_at(const struct report *r, const char *search, struct arena *into)
{
	const char *tried[TRIED_MOST], *all = NULL;
	size_t      count = 0;

	for (size_t i = 0; i < r->fact_count; i++) {
		const char *one;

		if (strcmp(r->fact[i].name, FACT_LOOKED_AT) != 0 || strcmp(r->step[r->fact[i].step].id, search) != 0)
			continue;
		one = without_path(r->fact[i].value, into);
		if (is_among(tried, count, one))
			continue;
		if (count == TRIED_MOST)
			return arena_print(into, "%s, …", all);
		tried[count++] = one;
		all = all ? arena_print(into, "%s, %s", all, one) : one;
	}
	return all;
}

static const char *in_step(const struct report *r, const struct finding *f, const char *fact)
{
	return f->step >= 0 ? report_value(r, f->step, fact) : NULL;
}

/* The peer's own words: a mail server's reply; a code of Exchange with what it says beside it; or the bare status of a web server. Before
 * those, what the library of Kerberos says: it knows why. */
static const char *words_of(const struct report *r, const struct finding *f, struct arena *into)
{
	const char *reply = in_step(r, f, FACT_REPLY_TEXT), *code = in_step(r, f, FACT_EWS_CODE), *text = in_step(r, f, FACT_EWS_TEXT);
	const char *status = in_step(r, f, FACT_HTTP_STATUS), *reason = in_step(r, f, FACT_HTTP_REASON);

	if (reply || in_step(r, f, FACT_TICKET_TEXT))
		return reply ? reply : in_step(r, f, FACT_TICKET_TEXT);
	if (code || text)
		return arena_print(into, "%s%s%s", code ? code : "", code && text ? ": " : "", text ? text : "");
	return status && f->cause == CAUSE_UNKNOWN_ANSWER ? arena_print(into, "HTTP %s%s%s", status, reason ? " " : "", reason ? reason : "") : NULL;
}

/* Where it says how long to wait, in words that wait_seconds() reads. */
static const char *wait_words(const struct report *r, const struct finding *f, struct arena *into)
{
	const char *back_off = in_step(r, f, FACT_EWS_BACK_OFF), *after = in_step(r, f, FACT_HTTP_RETRY_AFTER);

	if (back_off)
		return arena_print(into, "%s milliseconds", back_off);
	return after ? arena_print(into, "%s seconds", after) : in_step(r, f, FACT_REPLY_TEXT);
}

/* Of an answer that no rule knows: what the peer said, in whatever fact that stands. */
static const char *fingerprint_of(const struct report *r, const struct finding *f, struct arena *into)
{
	static const char *const words[] = { FACT_REPLY_TEXT, FACT_REPLY_BROKEN, FACT_FIRST_BYTES, FACT_GREETING, FACT_NET_OUTCOME,
	                                     FACT_TICKET, FACT_EWS_CODE, FACT_EWS_TEXT, FACT_HTTP_STATUS };
	char                     hex[FINGERPRINT];

	for (size_t i = 0; i < COUNT(words); i++)
		if (in_step(r, f, words[i])) {
			answer_fingerprint(slice_str(in_step(r, f, words[i])), hex);
			return arena_str(into, hex);
		}
	return NULL;
}

static bool is_about_exchange(enum cause cause)
{
	return strncmp(cause_row(cause)->id, "exchange.", 9) == 0;
}

/* "Exchange Server 2010 SP1 (14.1.438.0)", of the step that says so; the texts say "Exchange" themselves. */
static const char *too_old(const struct scope *s, const char *step)
{
	static const char call[] = "Exchange Server ";
	const char *era = scope_value(s, step, FACT_EXCHANGE_ERA), *product = scope_value(s, step, FACT_EXCHANGE_PRODUCT);

	if (!era || !product || strcmp(era, "too_old") != 0)
		return NULL;
	return slice_starts(slice_str(product), call) ? product + strlen(call) : product;
}

static const char *version_of(const struct finding *f, const struct scope *s)
{
	if (!is_about_exchange(f->cause))
		return scope_value(s, "probe.tls_version", FACT_TLS_VERSION);
	return too_old(s, "exchange.version") ? too_old(s, "exchange.version") : too_old(s, "exchange.offer");
}

/* The URLs of Exchange: as given, or as found and asked; and the better one, where that is not the very one that was of no use. */
static void exchange_urls(const struct finding *f, const struct scope *s, struct told *t)
{
	const char *given = scope_value(s, "exchange.url", FACT_GIVEN_URL);

	add_value(t, "given_url", given ? given : scope_value(s, "exchange.offer", FACT_URL));
	if (f->cause != CAUSE_EXCHANGE_WRONG_ENTRY_SERVER)
		add_value(t, "right_url", scope_value(s, "exchange.url", FACT_RIGHT_URL));
}

/* Where CalDAV was looked for: names and hosts of the search, and what was asked of a host, each with what came of it. */
static const char *caldav_tried(const struct report *r, int attempt, struct arena *into)
{
	const char *all = NULL;

	for (size_t i = 0; i < r->step_count; i++) {
		const char *url = report_value(r, (int)i, FACT_URL), *status = report_value(r, (int)i, FACT_HTTP_STATUS);

		if (strncmp(r->step[i].id, "caldav.", 7) != 0 || r->step[i].attempt != attempt || !url || !status)
			continue;
		url = slice_starts(slice_str(url), "https://") ? url + strlen("https://") : url;
		all = arena_print(into, "%s%s%s: %s", all ? all : "", all ? ", " : "", url, status);
	}
	return all ? all : looked_at(r, "caldav.find", into);
}

static void caldav_values(const struct report *r, const struct finding *f, const struct scope *s, struct told *t, struct arena *into)
{
	const char *given = scope_value(s, "caldav.url", FACT_CALDAV_URL);

	if (f->step < 0 || strncmp(r->step[f->step].id, "caldav.", 7) != 0)
		return;
	add_value(t, "given_url", given ? given : scope_value(s, "caldav.offer", FACT_URL));
	if (f->cause == CAUSE_CALDAV_NOT_FOUND)
		add_value(t, "tried", caldav_tried(r, f->attempt, into));
}

/* Where a server of the organisation's own has the mailbox: the URL out of "ews https://… autodiscover trusted". */
static const char *own_server(const struct report *r, struct arena *into)
{
	for (size_t i = 0; i < r->fact_count; i++) {
		struct slice rest = slice_str(r->fact[i].value);

		if (strcmp(r->fact[i].name, FACT_EXCHANGE_PLACE) == 0 && slice_is(slice_cut(&rest, ' '), "ews") && !slice_has(rest, "online"))
			return arena_copy(into, slice_cut(&rest, ' '));
	}
	return NULL;
}

/* Those of an account at Microsoft or Google; before the others, whose names some of them share. */
static void account_values(const struct report *r, const struct finding *f, const struct scope *s, struct told *t, struct arena *into)
{
	if (f->cause == CAUSE_MICROSOFT_SCOPE_MISSING || f->cause == CAUSE_GOOGLE_SCOPE_UNTICKED)
		add_value(t, "missing", joined(r, f->attempt, FACT_OAUTH_MISSING, into));
	if (f->cause == CAUSE_MICROSOFT_MAILBOX_ON_PREMISES)
		add_value(t, "right_url", own_server(r, into));
	if (f->cause == CAUSE_MICROSOFT_FOREIGN_PRIMARY_ALIAS)
		add_value(t, "sender", scope_value(s, NULL, FACT_ACCOUNT_SENDER));
	/* where somebody signs in for another's mailbox it is them that was asked for there */
	if (f->cause == CAUSE_MICROSOFT_WRONG_ACCOUNT)
		add_value(t, "address", scope_value(s, "entra.grant", FACT_ACCOUNT_AS));
	add_value(t, "username", scope_value(s, "entra.grant", FACT_ACCOUNT_AS));
	add_value(t, "other_account", scope_value(s, NULL, FACT_ACCOUNT_IS));
	add_value(t, "app", scope_value(s, NULL, FACT_APP));
	add_value(t, "scopes", scope_value(s, NULL, FACT_OAUTH_ASKED));
	add_value(t, "tenant", plain_name(scope_value(s, NULL, FACT_TENANT), ".-"));
}

/* What was asked for, and where that usually is; nobody is to choose a port of Microsoft's cloud. */
static void service_values(const struct scope *s, const char *step, struct told *t)
{
	static const struct { const char *step, *name, *ports; } known[] = {
		{ "imap", "IMAP", "993, 143" }, { "smtp", "SMTP", "465, 587" }, { "exchange", "Exchange", "443" },
		{ "caldav", "CalDAV", "443" },
	};
	const char *protocol = scope_value(s, NULL, FACT_PROTOCOL);

	for (size_t i = 0; i < COUNT(known); i++)
		if (strncmp(step, known[i].step, strlen(known[i].step)) == 0) {
			add_value(t, "service", known[i].name);
			add_value(t, "usual_ports", known[i].ports);
		}
	add_value(t, "service", scope_value(s, "detect", FACT_NOT_OFFERED));
	add_value(t, "pop_ports", protocol && strcmp(protocol, "pop3") == 0 ? "995, 110" : NULL);
}

/* Google's own word: that of its page, of its sign-in, or of an interface. */
static const char *google_word(const struct report *r, const struct finding *f)
{
	const char *page = in_step(r, f, FACT_GOOGLE_PAGE), *error = in_step(r, f, FACT_OAUTH_ERROR);

	if (f->step < 0 || !strstr(r->step[f->step].id, "google"))
		return NULL;
	return page ? page : error ? error : in_step(r, f, FACT_GOOGLE_REASON);
}

/* By what it is looked up in the documentation of whoever refused. */
static const char *code_of(const struct report *r, const struct finding *f)
{
	static const char *const facts[] = { FACT_AADSTS, FACT_REPLY_ENHANCED, FACT_REPLY_CODE, FACT_EWS_CODE };

	for (size_t i = 0; i < COUNT(facts); i++)
		if (in_step(r, f, facts[i]))
			return in_step(r, f, facts[i]);
	return google_word(r, f);
}

static void values_of_case(const struct report *r, const struct finding *f, const struct scope *s, struct told *t,
                           const struct language *lang, struct arena *into)
{
	static const struct { const char *name, *fact; } plain[] = {
		{ "domain", FACT_ADDRESS_DOMAIN }, { "host", FACT_HOST },           { "port", FACT_PORT },       { "names", FACT_TLS_SAN },
		{ "issuer", FACT_TLS_ISSUER },     { "mx", FACT_DNS_MX },
		{ "other_account", FACT_EWS_PRIMARY },
		{ "offered", FACT_AUTH_OFFERED },  { "right_port", FACT_PROBE_OPEN_PORT },  { "recipient", FACT_SEND_TO },
	};
	const char *service = f->step >= 0 ? r->step[f->step].id : "";
	const char *form = scope_value(s, "login", FACT_AUTH_USERNAME), *family = scope_value(s, NULL, FACT_SERVER_FAMILY);
	const struct hoster *h = hoster_find(family ? family : scope_value(s, "dns.mx", FACT_HOSTER) ? scope_value(s, "dns.mx", FACT_HOSTER) : "");
	const char *at = strrchr(r->address, '@'), *worked = scope_value(s, "login", FACT_WORKED_AS);
	bool        by_local = form && strcmp(form, "local") == 0;
	const char *expired = scope_value(s, "tls", FACT_TLS_EXPIRED_NAME);

	account_values(r, f, s, t, into);
	add_value(t, "address", r->address);
	caldav_values(r, f, s, t, into);
	for (size_t i = 0; i < COUNT(plain); i++)
		add_value(t, plain[i].name, scope_value(s, NULL, plain[i].fact));
	service_values(s, service, t);
	add_value(t, "expired_on", tell_date(scope_value(s, "tls", FACT_TLS_NOT_AFTER), lang, into));
	add_value(t, "valid_from", tell_date(scope_value(s, "tls", FACT_TLS_NOT_BEFORE), lang, into));
	add_value(t, "missing", scope_value(s, "tls", FACT_TLS_LAST_ISSUER) ? scope_value(s, "tls", FACT_TLS_LAST_ISSUER) : scope_value(s, "tls", FACT_TLS_ISSUER));
	add_value(t, "right_host", plain_name(scope_value(s, "probe.names", FACT_PROBE_SAME_SERVER), ".-_"));
	add_value(t, "right_username", plain_name(worked ? worked : scope_value(s, "exchange.challenge", FACT_NTLM_SUGGESTS), ".-_+@\\"));
	/* the name that was refused: where another form worked in the end, it was the other one */
	if (worked)
		by_local = strchr(worked, '@') != NULL;
	add_value(t, "username", f->cause == CAUSE_EXCHANGE_IMPERSONATION_DENIED ? plain_name(scope_value(s, "login", FACT_ACT_AS), ".-_+@\\")
	                       : by_local && at ? arena_copy(into, slice(r->address, (size_t)(at - r->address)))
	                       : worked || (form && strcmp(form, "address") == 0) ? r->address : NULL);
	exchange_urls(f, s, t);
	add_value(t, "version", version_of(f, s));
	add_value(t, "tried", is_about_exchange(f->cause) ? looked_at(r, "exchange.find", into) : joined(r, f->attempt, FACT_NET_TRIED, into));
	add_value(t, "reply", words_of(r, f, into));
	add_value(t, "code", code_of(r, f));
	add_value(t, "wait", wait_in(wait_words(r, f, into), lang, into));
	add_value(t, "fingerprint", f->cause == CAUSE_UNKNOWN_ANSWER ? fingerprint_of(r, f, into) : scope_value(s, "tls", FACT_TLS_FINGERPRINT));
	add_value(t, "pin", scope_value(s, "tls", FACT_TLS_PIN));
	add_value(t, "our_address", our_addresses(r, s, lang, into));
	add_value(t, "until", until(r, wait_words(r, f, into), into));
	add_value(t, "sender", scope_value(s, NULL, FACT_SEND_FROM) ? scope_value(s, NULL, FACT_SEND_FROM) : r->address);
	add_value(t, "server_clock", scope_value(s, "probe.clock|entra.identity", FACT_PROBE_DATE));
	add_value(t, "expired_name", expired);
	if (h) {
		add_value(t, "provider", hoster_value(h, "provider"));
		add_value(t, "app_password_url", hoster_value(h, "app_password_url"));
		add_value(t, "settings_url", hoster_value(h, "settings_url"));
	}
}

static void links_of(enum cause cause, const char *family, const struct hoster *h, struct told *t)
{
	for (size_t i = 0; i < COUNT(links); i++)
		if (links[i].cause == cause && (!links[i].family || (family && strcmp(links[i].family, family) == 0)))
			add_link(t, links[i].url);
	if (!h)
		return;
	if (cause == CAUSE_AUTH_APP_PASSWORD_REQUIRED || cause == CAUSE_AUTH_PASSWORD_REJECTED)
		add_link(t, h->app_password_url);
	if (cause == CAUSE_IMAP_ACCESS_OFF || cause == CAUSE_IMAP_ACCESS_OFF_BY_ADMIN)
		add_link(t, h->settings_url);
	if (strncmp(cause_row(cause)->id, "auth.", 5) == 0 || strncmp(cause_row(cause)->id, "imap.", 5) == 0)
		add_link(t, h->help_url);
}

static const char *text_of(enum cause cause, const char *part, const struct language *lang)
{
	char key[80];

	snprintf(key, sizeof key, "%s/%s", cause_row(cause)->id, part);
	return catalogue_text(lang, key);
}

static void fill(enum cause cause, const struct language *lang, struct arena *into, struct told *t)
{
	const char *why = text_of(cause, "why", lang), *plain = text_of(cause, "why.plain", lang);
	const char *text;

	t->title = text_of(cause, "title", lang);
	t->alias = cause_row(cause)->alias;
	t->why = catalogue_fill(into, why, t->value, t->values, &text) ? text : plain ? plain : why;
	for (size_t i = 1; i <= TOLD_FIXES; i++) {
		char        part[8];
		const char *fix;

		snprintf(part, sizeof part, "fix.%zu", i);
		fix = text_of(cause, part, lang);
		if (fix && catalogue_fill(into, fix, t->value, t->values, &text))
			t->fix[t->fixes++] = text;
	}
}

/* Whose pages fit, where no name tells who speaks: those of whatever was asked. */
static const char *kind_asked(const struct report *r, const struct finding *f)
{
	static const char *const kinds[] = { "exchange", "microsoft" };

	for (size_t i = 0; f->step >= 0 && i < COUNT(kinds); i++)
		if (slice_starts(slice_str(r->step[f->step].id), kinds[i]))
			return kinds[i];
	return NULL;
}

void tell_finding(const struct report *r, const struct finding *f, const struct language *lang, struct arena *into, struct told *out)
{
	struct scope scope;
	const char  *family;

	*out = (struct told){ .alias = "" };
	scope_init(&scope, r, f->attempt);
	values_of_case(r, f, &scope, out, lang, into);
	family = scope_value(&scope, NULL, FACT_SERVER_FAMILY);
	links_of(f->cause, family ? family : kind_asked(r, f), family ? hoster_find(family) : NULL, out);
	fill(f->cause, lang, into, out);
}

void tell_cause(enum cause cause, const struct language *lang, struct arena *into, struct told *out)
{
	const char *why = text_of(cause, "why.plain", lang);

	(void)into;
	*out = (struct told){ .title = text_of(cause, "title", lang), .alias = cause_row(cause)->alias };
	out->why = why ? why : text_of(cause, "why", lang);
	for (size_t i = 1; i <= TOLD_FIXES; i++) {
		char        part[8];
		const char *fix;

		snprintf(part, sizeof part, "fix.%zu", i);
		fix = text_of(cause, part, lang);
		if (fix)
			out->fix[out->fixes++] = fix;
	}
	links_of(cause, "", NULL, out);
	for (size_t i = 0; i < COUNT(links); i++)
		if (links[i].cause == cause)
			add_link(out, links[i].url);
}

/* -- told again --------------------------------------------------------------------------------------------------- */

/* "3 March 2027", as tell_date() says it in English, in another language. */
static const char *date_again(const char *english, const struct language *lang, struct arena *into)
{
	unsigned d, y;
	char     month[16];

	if (sscanf(english, "%2u %15s %4u", &d, month, &y) != 3)
		return NULL;
	for (unsigned m = 1; m <= 12; m++) {
		char key[20];

		snprintf(key, sizeof key, "ui/month.%u", m);
		if (strcmp(catalogue_text(language_english(), key), month) == 0)
			return tell_date(arena_print(into, "%04u-%02u-%02u", y, m, d), lang, into);
	}
	return NULL;
}

/* "60 s", as wait_in() says it. */
static const char *wait_again(const char *english, const struct language *lang, struct arena *into)
{
	struct slice       text = slice_str(english);
	unsigned long long seconds;
	struct value       n = { "n", NULL };
	const char        *told;

	if (!slice_ends(text, " s") || !slice_number(slice_upto(text, text.len - 2), 1000000000, &seconds))
		return NULL;
	n.text = arena_print(into, "%llu", seconds);
	return catalogue_fill(into, catalogue_text(lang, "ui/seconds"), &n, 1, &told) ? told : NULL;
}

/* "8.8.4.4 (named by one server only)": what stands behind the address there is the mark here. */
static const char *ours_again(const char *english, const struct language *lang, struct arena *into)
{
	const char *form = catalogue_text(language_english(), "ui/seen_once"), *mark = strchr(form, '}');

	return our_list(english, mark ? mark + 1 : form, lang, into);
}

/* The values whose form depends on the language; all others are names, numbers and words of a peer. */
static const struct {
	const char *name;
	const char *(*again)(const char *english, const struct language *, struct arena *);
} forms[] = {
	{ "expired_on", date_again }, { "valid_from", date_again }, { "wait", wait_again }, { "our_address", ours_again },
};

static const char *value_again(const struct value *v, const struct language *lang, struct arena *into)
{
	for (size_t i = 0; i < COUNT(forms); i++)
		if (strcmp(forms[i].name, v->name) == 0 && forms[i].again(v->text, lang, into))
			return forms[i].again(v->text, lang, into);
	return v->text;
}

void tell_again(enum cause cause, const struct value *values, size_t count, const struct language *lang, struct arena *into,
                struct told *out)
{
	*out = (struct told){ .alias = "" };
	for (size_t i = 0; i < count; i++)
		add_value(out, values[i].name, value_again(&values[i], lang, into));
	fill(cause, lang, into, out);
}

bool tell_asks_for(enum cause cause, const char *placeholder)
{
	static const char *const parts[] = { "why", "fix.1", "fix.2", "fix.3", "fix.4", "fix.5", "fix.6" };
	char                     wanted[40];

	snprintf(wanted, sizeof wanted, "{%s}", placeholder);
	for (size_t i = 0; i < COUNT(parts); i++) {
		const char *text = text_of(cause, parts[i], language_english());

		if (text && strstr(text, wanted))
			return true;
	}
	return false;
}
