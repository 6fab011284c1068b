#include "diagnose/ways.h"

#include <stdlib.h>

#include "model/facts.h"
#include "model/hosters.h"

enum kind { BY_EXCHANGE = 1, BY_MAIL = 2, BY_MICROSOFT = 4 };

/* Which causes say that the mailbox is elsewhere, and where it may be then. */
static const struct { enum cause cause; unsigned kinds; } elsewhere[] = {
	{ CAUSE_MICROSOFT_MAILBOX_NOT_FOUND,   BY_EXCHANGE | BY_MAIL },
	{ CAUSE_MICROSOFT_REST_NOT_ENABLED,    BY_EXCHANGE | BY_MAIL },
	{ CAUSE_MICROSOFT_MAILBOX_ON_PREMISES, BY_EXCHANGE           },
	{ CAUSE_EXCHANGE_USE_MICROSOFT,        BY_MICROSOFT          },
	{ CAUSE_EXCHANGE_ONLINE_EWS_RETIRED,   BY_MICROSOFT          },
};

static unsigned kinds_for(const struct verdict *v)
{
	if (v->kind != VERDICT_FAILED || !v->findings || v->finding[0].repaired)
		return 0;
	for (size_t i = 0; i < COUNT(elsewhere); i++)
		if (elsewhere[i].cause == v->finding[0].cause)
			return elsewhere[i].kinds;
	return 0;
}

static const struct fact *next_fact(const struct report *r, const char *name, size_t *at)
{
	while (*at < r->fact_count) {
		const struct fact *f = &r->fact[(*at)++];

		if (strcmp(f->name, name) == 0)
			return f;
	}
	return NULL;
}

/* -- Exchange --------------------------------------------------------------------------------------------------------- */

/* Of "ews https://… autodiscover trusted, 15.2.…". How good it is, 0 for none: a URL by the domain's own word before one that has to be
 * confirmed, and Autodiscover alone last, where it showed itself as Exchange's. */
static int read_place(const struct fact *f, struct arena *into, struct way *out)
{
	struct slice rest = slice_str(f->value), kind = slice_cut(&rest, ' '), url = slice_cut(&rest, ' ');
	bool         trusted = slice_has(rest, " trusted"), ews = slice_is(kind, "ews");

	if (slice_has(rest, "online") || (!ews && (!trusted || slice_has(rest, "no sign of Exchange"))))
		return 0;
	*out = (struct way){ .provider = "exchange", .ews_url = ews ? arena_copy(into, url) : NULL, .confirm = !trusted, .by = *f };
	return ews && trusted ? 3 : ews ? 2 : 1;
}

static bool by_exchange(const struct report *r, struct arena *into, struct way *out)
{
	const struct fact *f;
	struct way         w;
	int                best = 0, now;

	for (size_t at = 0; (f = next_fact(r, FACT_EXCHANGE_PLACE, &at));) {
		now = read_place(f, into, &w);
		if (now > best)
			*out = w, best = now;
	}
	return best > 0;
}

/* -- a host of mailboxes ------------------------------------------------------------------------------------------------ */

static bool by_table(const struct report *r, struct way *out)
{
	size_t             at = 0;
	const struct fact *f = next_fact(r, FACT_HOSTER, &at);
	const struct hoster *h = f ? hoster_find(f->value) : NULL;

	if (!h || h->login == LOGIN_OAUTH_ONLY || strcmp(h->provider, "microsoft") == 0 || !h->server[SERVICE_IMAP].host)
		return false;
	*out = (struct way){ .provider = "imap", .name = h->name, .by = *f };
	for (enum service s = SERVICE_IMAP; s < SERVICES; s++) {
		out->host[s] = h->server[s].host;
		out->port[s] = h->server[s].port;
	}
	return true;
}

/* Of "imap imap.example.org:993 tls autoconfig": only by whoever a password may be said to without asking. */
static bool read_candidate(const struct fact *f, struct arena *into, struct way *out)
{
	struct slice    rest = slice_str(f->value), service = slice_cut(&rest, ' '), place = slice_cut(&rest, ' '), port;
	unsigned long long number;
	size_t          colon = 0;
	enum service    which = slice_is(service, "imap") ? SERVICE_IMAP : SERVICE_SMTP;
	struct endpoint e = { .source = SOURCES };

	slice_cut(&rest, ' ');
	for (enum endpoint_source s = SOURCE_USER; s < SOURCES; s++)
		if (slice_is(rest, endpoint_source_name(s)))
			e.source = s;
	for (size_t i = 0; i < place.len; i++)
		if (place.at[i] == ':')
			colon = i;
	port = slice_from(place, colon + 1);
	if (!endpoint_trusted(&e) || !colon || out->host[which] || !slice_number(port, 65535, &number))
		return false;
	out->host[which] = arena_copy(into, slice_upto(place, colon));
	out->port[which] = (uint16_t)number;
	if (which == SERVICE_IMAP)
		out->by = *f;
	return true;
}

static bool by_announced(const struct report *r, struct arena *into, struct way *out)
{
	const struct fact *f;

	*out = (struct way){ .provider = "imap" };
	for (size_t at = 0; (f = next_fact(r, FACT_CANDIDATE, &at));)
		read_candidate(f, into, out);
	return out->host[SERVICE_IMAP] != NULL;
}

/* -- all of them -------------------------------------------------------------------------------------------------------- */

size_t diagnose_ways(const struct report *r, const struct verdict *v, struct arena *into, struct way out[WAYS])
{
	unsigned kinds = kinds_for(v);
	size_t   count = 0;

	if (kinds & BY_EXCHANGE)
		count += by_exchange(r, into, &out[count]);
	if (kinds & BY_MAIL)
		count += by_table(r, &out[count]) || by_announced(r, into, &out[count]);
	if ((kinds & BY_MICROSOFT) && v->finding[0].proofs)
		out[count++] = (struct way){ .provider = "microsoft", .name = "Microsoft 365", .by = v->finding[0].proof[0] };
	return count;
}

/* -- as JSON ------------------------------------------------------------------------------------------------------------ */

static void add_server(cJSON *o, const struct way *w, enum service s)
{
	cJSON *server;

	if (!w->host[s])
		return;
	server = cJSON_AddObjectToObject(o, service_name(s));
	cJSON_AddStringToObject(server, "host", w->host[s]);
	cJSON_AddNumberToObject(server, "port", w->port[s]);
}

cJSON *way_json(const struct way *w)
{
	cJSON *o = cJSON_CreateObject();

	cJSON_AddStringToObject(o, "provider", w->provider);
	if (w->name)
		cJSON_AddStringToObject(o, "name", w->name);
	if (w->ews_url)
		cJSON_AddStringToObject(o, "ews_url", w->ews_url);
	for (enum service s = SERVICE_IMAP; s < SERVICES; s++)
		add_server(o, w, s);
	if (w->confirm)
		cJSON_AddTrueToObject(o, "confirm");
	return o;
}

static const char *known_provider(const char *name)
{
	static const char *const known[] = { "exchange", "imap", "microsoft" };

	for (size_t i = 0; name && i < COUNT(known); i++)
		if (strcmp(known[i], name) == 0)
			return known[i];
	return NULL;
}

bool way_read(const cJSON *o, struct arena *into, struct way *out)
{
	*out = (struct way){ .provider = known_provider(json_text(o, "provider")) };
	if (!out->provider)
		return false;
	if (json_text(o, "name"))
		out->name = arena_str(into, json_text(o, "name"));
	if (json_text(o, "ews_url"))
		out->ews_url = arena_str(into, json_text(o, "ews_url"));
	for (enum service s = SERVICE_IMAP; s < SERVICES; s++) {
		const cJSON *server = cJSON_GetObjectItemCaseSensitive(o, service_name(s));
		double       port = json_number(server, "port", 0);

		if (!json_text(server, "host") || port < 1 || port > 65535)
			continue;
		out->host[s] = arena_str(into, json_text(server, "host"));
		out->port[s] = (uint16_t)port;
	}
	out->confirm = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(o, "confirm"));
	return true;
}
