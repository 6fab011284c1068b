#include <math.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/secret.h"
#include "flow_caldav.h"
#include "model/exchange_url.h"
#include "model/mailaddress.h"
#include "serve/api.h"

#define DEEPEST_POINTER 200

struct wrong {
	char        pointer[DEEPEST_POINTER];
	const char *what;               /* from the job */
};

/* -- texts ------------------------------------------------------------------------------------------------------------ */

/* How many bytes follow a lead byte, and what the first of them may be (RFC 3629 §4); false when it leads nothing. */
static bool utf8_lead(unsigned char lead, unsigned *more, unsigned char *least, unsigned char *most)
{
	*least = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
	*most = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
	*more = lead < 0x80 ? 0 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
	return lead < 0x80 || (lead >= 0xc2 && lead < 0xf5);
}

bool text_is_utf8(const char *text)
{
	const unsigned char *c = (const unsigned char *)text;

	while (*c) {
		unsigned      more;
		unsigned char least, most;

		if (!utf8_lead(*c++, &more, &least, &most))
			return false;
		for (; more; more--, c++, least = 0x80, most = 0xbf)
			if (*c < least || *c > most)
				return false;
	}
	return true;
}

static size_t characters(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += (*text & 0xc0) != 0x80;
	return n;
}

static bool is_word(const char *text, const char *const *words)
{
	for (; *words; words++)
		if (strcmp(text, *words) == 0)
			return true;
	return false;
}

static bool fits_pattern(const char *text, const char *pattern)
{
	regex_t r;
	bool    fits;

	if (regcomp(&r, pattern, REG_EXTENDED | REG_NOSUB) != 0)
		exit(70);
	fits = regexec(&r, text, 0, NULL, 0) == 0;
	regfree(&r);
	return fits;
}

/* Control characters are refused wherever no pattern allows them: they would be forged lines in logs and headers. */
static bool is_plain(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return false;
	return true;
}

static bool is_label(struct slice label)
{
	for (size_t i = 0; i < label.len; i++) {
		char c = label.at[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '_' && c != '-')
			return false;
	}
	return label.len > 0 && label.len <= 63 && label.at[0] != '-' && label.at[label.len - 1] != '-';
}

const char *host_read(const char *text, struct arena *into)
{
	struct address literal;
	const char    *host = text && text_is_utf8(text) ? host_ascii(text, into) : NULL;
	struct slice   rest = slice_str(host);

	if (!host || strlen(host) > 253)
		return NULL;
	if (address_parse(host, &literal))
		return host;
	while (rest.at)
		if (!is_label(slice_cut(&rest, '.')))
			return NULL;
	return host;
}

/* -- one member --------------------------------------------------------------------------------------------------------- */

static const char *text_fault(const char *text, const struct field *f, struct arena *job)
{
	size_t len = text_is_utf8(text) ? characters(text) : 0;

	if (!text_is_utf8(text))
		return "is not UTF-8";
	if (f->words)
		return is_word(text, f->words) ? NULL : "is none of those allowed";
	if (len < (size_t)f->least)
		return arena_print(job, "has fewer than %lld characters", f->least);
	if (len > (size_t)f->most || strlen(text) > 4 * (size_t)f->most)
		return arena_print(job, "has more than %lld characters", f->most);
	if (f->pattern)
		return fits_pattern(text, f->pattern) ? NULL : arena_print(job, "does not fit %s", f->pattern);
	return is_plain(text) ? NULL : "has control characters in it";
}

static const char *number_fault(double n, const struct field *f, struct arena *job)
{
	if (n != floor(n))
		return "is not a whole number";
	return n < (double)f->least || n > (double)f->most ? arena_print(job, "is not from %lld to %lld", f->least, f->most) : NULL;
}

static const char *texts_fault(const cJSON *list, const struct field *f, struct arena *job)
{
	static const struct field any = { .most = 200 };
	const cJSON *item;
	long long    count = 0;

	cJSON_ArrayForEach(item, list) {
		struct field one = f->words ? (struct field){ .words = f->words } : any;

		if (!cJSON_IsString(item))
			return "is not a list of texts";
		if (++count > f->most)
			return arena_print(job, "has more than %lld items", f->most);
		if (text_fault(item->valuestring, &one, job))
			return "has an item that is none of those allowed";
	}
	return count < f->least ? arena_print(job, "has fewer than %lld items", f->least) : NULL;
}

static bool read_object(const cJSON *, const struct field *, const char *pointer, struct arena *, struct wrong *);

static bool is_wrong(struct wrong *w, const char *pointer, const char *name, const char *what)
{
	snprintf(w->pointer, sizeof w->pointer, "%s/%s", pointer, name);
	w->what = what;
	return false;
}

static bool read_member(const cJSON *item, const struct field *f, const char *pointer, struct arena *job, struct wrong *w)
{
	static const char *const expected[] = {
		[FIELD_TEXT] = "is no text", [FIELD_NUMBER] = "is no number", [FIELD_BOOL] = "is neither true nor false",
		[FIELD_OBJECT] = "is no object", [FIELD_TEXTS] = "is no list",
	};
	const char *what = NULL;

	if (cJSON_IsNull(item) && f->nullable)
		return true;
	switch (f->kind) {
	case FIELD_TEXT:
		what = cJSON_IsString(item) ? text_fault(item->valuestring, f, job) : expected[f->kind];
		break;
	case FIELD_NUMBER:
		what = cJSON_IsNumber(item) ? number_fault(item->valuedouble, f, job) : expected[f->kind];
		break;
	case FIELD_BOOL:
		what = cJSON_IsBool(item) ? NULL : expected[f->kind];
		break;
	case FIELD_TEXTS:
		what = cJSON_IsArray(item) ? texts_fault(item, f, job) : expected[f->kind];
		break;
	case FIELD_OBJECT:
		if (cJSON_IsObject(item))
			return read_object(item, f->inside, arena_print(job, "%s/%s", pointer, f->name), job, w);
		what = expected[f->kind];
		break;
	}
	return !what || is_wrong(w, pointer, f->name, what);
}

static const struct field *field_named(const struct field *f, const char *name)
{
	for (; f->name; f++)
		if (strcmp(f->name, name) == 0)
			return f;
	return NULL;
}

/* RFC 6901 §3, and nothing in it that could break a line. */
static const char *pointer_part(const char *name, struct arena *job)
{
	char  *part = arena_get(job, 2 * strlen(name) + 1);
	size_t n = 0;

	if (!text_is_utf8(name))
		return "?";
	for (; *name && n < DEEPEST_POINTER / 2; name++)
		if (*name == '~' || *name == '/')
			part[n++] = '~', part[n++] = *name == '~' ? '0' : '1';
		else
			part[n++] = (unsigned char)*name < 0x20 ? '?' : *name;
	while (n && !text_is_utf8(part))       /* cut within a character */
		part[--n] = '\0';
	return part;
}

static bool read_object(const cJSON *object, const struct field *table, const char *pointer, struct arena *job, struct wrong *w)
{
	const cJSON *item, *other;

	cJSON_ArrayForEach(item, object) {
		const struct field *f = field_named(table, item->string);

		if (!f)
			return is_wrong(w, pointer, pointer_part(item->string, job), "is not known here");
		/* cJSON would take the first, others the last */
		for (other = item->next; other; other = other->next)
			if (strcmp(other->string, item->string) == 0)
				return is_wrong(w, pointer, f->name, "comes twice");
		if (!read_member(item, f, pointer, job, w))
			return false;
	}
	for (; table->name; table++)
		if (table->required && !cJSON_GetObjectItemCaseSensitive(object, table->name))
			return is_wrong(w, pointer, table->name, "is missing");
	return true;
}

/* -- the whole ---------------------------------------------------------------------------------------------------------- */

cJSON *body_read(struct exchange *x, const struct field *table)
{
	struct error err = { 0 };
	struct wrong w = { .what = NULL };
	cJSON       *o = json_read(x->body, HTTP_BODY_MOST, &err);

	if (!o) {
		answer_problem(x, 400, "request.malformed", "The body cannot be read", err.text, NULL, NULL);
		return NULL;
	}
	if (!cJSON_IsObject(o))
		answer_problem(x, 400, "request.invalid", "The body is no JSON object", NULL, "", NULL);
	else if (!read_object(o, table, "", x->job, &w))
		answer_problem(x, 400, "request.invalid", "This field is not valid", w.what, arena_str(x->job, w.pointer), NULL);
	else
		return o;
	body_free(o);
	return NULL;
}

static void wipe(cJSON *o)
{
	for (; o; o = o->next) {
		if (cJSON_IsString(o))
			secret_wipe(o->valuestring, strlen(o->valuestring));
		wipe(o->child);       /* json_read() bounds the depth */
	}
}

void body_free(cJSON *o)
{
	wipe(o);
	cJSON_Delete(o);
}

bool body_address(struct exchange *x, const cJSON *body, struct mail_address *out)
{
	const char *problem;

	if (!mail_address_parse(json_text(body, "address"), x->job, out, &problem)) {
		answer_problem(x, 400, "address.malformed", "This is no e-mail address", problem, "/address", "user");
		return false;
	}
	return true;
}

bool body_server(struct exchange *x, const cJSON *body, enum service which, const char **host_out, uint16_t *port_out)
{
	const cJSON *server = cJSON_GetObjectItemCaseSensitive(body, service_name(which));
	bool         named = cJSON_IsObject(server);

	*host_out = named ? host_read(json_text(server, "host"), x->job) : NULL;
	*port_out = named ? (uint16_t)json_number(server, "port", 0) : 0;
	if (!named || *host_out)
		return true;
	answer_problem(x, 400, "request.invalid", "This field is not valid", "is no host name",
	               arena_print(x->job, "/%s/host", service_name(which)), NULL);
	return false;
}

bool body_ews_url(struct exchange *x, const cJSON *body, const char **out)
{
	const char         *typed = json_text(body, "ews_url");
	struct exchange_url url;

	*out = NULL;
	if (!typed)
		return true;
	exchange_url_read(typed, x->job, &url);
	if (!url.problem) {
		*out = url.is_ews ? exchange_url_at(url.host, url.port, url.path, x->job) : url.given;
		return true;
	}
	answer_problem(x, 400, "request.invalid", "This field is not valid", arena_print(x->job, "is no URL of Exchange: %s", url.problem),
	               "/ews_url", NULL);
	return false;
}

bool body_caldav_url(struct exchange *x, const cJSON *body, const char **out)
{
	const char     *typed = json_text(body, "caldav_url");
	struct http_url url;

	*out = NULL;
	if (!typed)
		return true;
	if (caldav_url_read(typed, x->job, &url)) {
		*out = url.text;
		return true;
	}
	answer_problem(x, 400, "request.invalid", "This field is not valid", "is no https address of calendars", "/caldav_url", NULL);
	return false;
}

bool query_number(struct exchange *x, const char *name, long long least, long long most, long long otherwise, long long *out)
{
	const char        *text = http_query(x, name);
	unsigned long long n;

	*out = otherwise;
	if (!text)
		return true;
	if (!slice_number(slice_str(text), (unsigned long long)most, &n) || (long long)n < least) {
		answer_problem(x, 400, "request.invalid", "This parameter is not valid", arena_print(x->job, "a number from %lld to %lld", least, most), name, NULL);
		return false;
	}
	*out = (long long)n;
	return true;
}

bool query_text(struct exchange *x, const char *name, size_t most, const char **out)
{
	*out = http_query(x, name);
	if (!*out || (**out && text_is_utf8(*out) && characters(*out) <= most && is_plain(*out)))
		return true;
	answer_problem(x, 400, "request.invalid", "This parameter is not valid", arena_print(x->job, "1 to %zu characters", most), name, NULL);
	return false;
}

/* -- the tables ----------------------------------------------------------------------------------------------------------- */

#define PLAIN "^[^[:cntrl:]]+$"

static const char *const providers[] = { "auto", "imap", "exchange", "caldav", NULL };
static const char *const granting_providers[] = { "microsoft", "google", NULL };
static const char *const detected_providers[] = { "auto", "exchange", "imap", NULL };
static const char *const link_providers[] = { "auto", "imap", "exchange", "microsoft", "google", NULL };
static const char *const rights_names[] = { "full", "read", "calendar", NULL };
static const char *const link_kinds[] = { "connect", "settings", "admin", "operator", NULL };
static const char *const scope_names[] = { "accounts:read", "accounts:write", "events:read", "webhooks:write", "admin", "operator", NULL };

const char *const event_types[] = {
	"account.created", "account.connected", "account.failed", "account.recovered", "account.needs_admin", "account.approved", "account.paused", "account.resumed",
	"account.removed", "message.received", "calendar.changed", "mail.logged", "incident.opened", "incident.closed", "webhook.test", NULL
};

#define TEXT(n, low, high, ...)   { .name = n, .kind = FIELD_TEXT, .least = low, .most = high, __VA_ARGS__ }
#define WORD(n, list, ...)        { .name = n, .kind = FIELD_TEXT, .words = list, __VA_ARGS__ }
#define NUMBER(n, low, high, ...) { .name = n, .kind = FIELD_NUMBER, .least = low, .most = high, __VA_ARGS__ }
#define SERVER(n, ...)            { .name = n, .kind = FIELD_OBJECT, .inside = server, __VA_ARGS__ }
#define EWS_URL(...)              TEXT("ews_url", 1, EXCHANGE_URL_MOST, .pattern = PLAIN, __VA_ARGS__)
/* The calendar of a mailbox, or the calendars alone; beside a mailbox perhaps with a sign-in of its own. */
#define CALDAV(...)               TEXT("caldav_url", 1, CALDAV_URL_MOST, .pattern = PLAIN, __VA_ARGS__), \
                                  TEXT("caldav_username", 1, 254, .pattern = PLAIN, __VA_ARGS__), \
                                  TEXT("caldav_password", 1, 1024, .pattern = ".*", __VA_ARGS__)
#define IMPERSONATE               { .name = "impersonate", .kind = FIELD_BOOL }
#define RIGHTS                    WORD("rights", rights_names)
#define LANG                      TEXT("lang", 0, 35, .pattern = "^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$")

static const struct field server[] = {
	TEXT("host", 1, 253, .required = true, .pattern = "^[^[:cntrl:] ]+$"),
	NUMBER("port", 1, 65535),
	{ 0 }
};

const struct field fields_account_new[] = {
	TEXT("address", 3, 254, .required = true),
	TEXT("password", 1, 1024, .required = true, .pattern = ".*"),
	WORD("provider", providers),
	TEXT("username", 1, 254, .pattern = PLAIN),
	SERVER("imap"),
	SERVER("smtp"),
	EWS_URL(),
	IMPERSONATE,
	CALDAV(),
	LANG,
	TEXT("external_id", 1, 200, .pattern = PLAIN),
	{ 0 }
};

#define TOKEN(n, high, ...) TEXT(n, 1, high, .pattern = "^[!-~]+$", __VA_ARGS__)

const struct field fields_grant_new[] = {
	TEXT("address", 3, 254, .required = true),
	WORD("provider", granting_providers),
	TOKEN("refresh_token", 8192, .required = true),
	TOKEN("access_token", 16384),
	NUMBER("expires_at", 1, 99999999999),
	NUMBER("granted_at", 1, 99999999999),
	TEXT("scope", 1, 4096, .pattern = PLAIN),
	TEXT("username", 3, 254, .pattern = "^[^[:cntrl:]@]+@[^[:cntrl:]@]+$"),
	RIGHTS,
	LANG,
	TEXT("external_id", 1, 200, .pattern = PLAIN),
	{ 0 }
};

const struct field fields_tenant_account_new[] = {
	TEXT("address", 3, 254, .required = true),
	WORD("provider", granting_providers),
	RIGHTS,
	LANG,
	TEXT("external_id", 1, 200, .pattern = PLAIN),
	{ 0 }
};

const struct field fields_account_change[] = {
	TEXT("username", 1, 254, .nullable = true, .pattern = PLAIN),
	SERVER("imap", .nullable = true),
	SERVER("smtp", .nullable = true),
	EWS_URL(.nullable = true),
	IMPERSONATE,
	CALDAV(.nullable = true),
	LANG,
	TEXT("external_id", 1, 200, .nullable = true, .pattern = PLAIN),
	{ 0 }
};

const struct field fields_reconnection[] = {
	TEXT("password", 1, 1024, .required = true, .pattern = ".*"),
	WORD("provider", providers),
	TEXT("username", 1, 254, .nullable = true, .pattern = PLAIN),
	SERVER("imap", .nullable = true),
	SERVER("smtp", .nullable = true),
	EWS_URL(.nullable = true),
	IMPERSONATE,
	CALDAV(.nullable = true),
	{ 0 }
};

const struct field fields_link_new[] = {
	WORD("kind", link_kinds),
	TEXT("address", 3, 254),
	TEXT("account", 0, 40, .pattern = "^acc_[a-z0-9]{22}$"),
	WORD("provider", link_providers),
	RIGHTS,
	LANG,
	TEXT("return_url", 9, 2000, .pattern = "^https://[^[:cntrl:] ]+$"),
	NUMBER("expires_in", 300, 2592000),
	{ 0 }
};

const struct field fields_webhook_new[] = {
	TEXT("url", 9, 2000, .required = true, .pattern = "^https?://[^[:cntrl:] ]+$"),
	{ .name = "types", .kind = FIELD_TEXTS, .least = 1, .most = 20, .words = event_types },
	{ 0 }
};

const struct field fields_webhook_change[] = {
	TEXT("url", 9, 2000, .pattern = "^https?://[^[:cntrl:] ]+$"),
	{ .name = "types", .kind = FIELD_TEXTS, .least = 1, .most = 20, .words = event_types, .nullable = true },
	{ .name = "enabled", .kind = FIELD_BOOL },
	{ 0 }
};

const struct field fields_replay[] = {
	TEXT("from", 0, 18, .required = true, .pattern = "^[0-9]{1,18}$"),
	{ 0 }
};

const struct field fields_domain[] = {
	SERVER("imap"),
	SERVER("smtp"),
	EWS_URL(),
	TEXT("ca_pem", 50, 65536, .pattern = "^-----BEGIN CERTIFICATE-----"),
	TEXT("pin", 0, 64, .pattern = "^[0-9a-f]{64}$"),
	{ 0 }
};

const struct field fields_workspace_new[] = {
	TEXT("name", 1, 100, .required = true, .pattern = PLAIN),
	{ 0 }
};

const struct field fields_key_new[] = {
	TEXT("name", 1, 100, .required = true, .pattern = PLAIN),
	{ .name = "scopes", .kind = FIELD_TEXTS, .required = true, .least = 1, .most = 6, .words = scope_names },
	{ 0 }
};

const struct field fields_detection[] = {
	TEXT("address", 3, 254, .required = true),
	WORD("provider", detected_providers),
	SERVER("imap"),
	SERVER("smtp"),
	LANG,
	{ 0 }
};

const struct field fields_explanation[] = {
	TEXT("text", 1, 65536, .required = true, .pattern = ".*"),
	LANG,
	{ 0 }
};

const struct body_table body_tables[] = {
	{ "AccountNew", fields_account_new }, { "GrantNew", fields_grant_new }, { "TenantAccountNew", fields_tenant_account_new },
	 { "AccountChange", fields_account_change }, { "Reconnection", fields_reconnection },
	{ "LinkNew", fields_link_new },       { "WebhookNew", fields_webhook_new },       { "WebhookChange", fields_webhook_change },
	{ "Replay", fields_replay },          { "DomainSettings", fields_domain },        { "WorkspaceNew", fields_workspace_new },
	{ "KeyNew", fields_key_new },         { "DetectionNew", fields_detection },       { "Explanation", fields_explanation },
	{ 0 }
};
