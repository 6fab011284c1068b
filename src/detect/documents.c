/* documents.c -- the URLs where a domain's configuration may lie (draft-ietf-mailmaint-autoconfig §4). */
#include "detect/domain.h"
#include "detect/parts.h"
#include "model/facts.h"

#define DOCUMENT_WAIT_MS 4000

enum { DOCUMENT_START, DOCUMENT_PREDECESSOR, DOCUMENT_FETCH };

struct detect_place {
	enum endpoint_source source;        /* of what it says, if the document is from where it was asked for      */
	int                  rank;
	const char        *(*url)(const struct detect *);      /* NULL from it: there is no such place              */
	bool                 after_exchanger;                  /* which names it                                    */
	int                  instead_of;                       /* asked when that one did not answer; -1: always    */
};

/* -- where -------------------------------------------------------------------------------------------------------- */

/* The only two that learn the whole address: they are the domain's own, and asked over https. */
static const char *own_url(const struct detect *d)
{
	return arena_print(d->job, "https://autoconfig.%s/mail/config-v1.1.xml?emailaddress=%s", d->address->domain,
	                   http_url_encode(d->address->text, d->job));
}

static const char *well_known_url(const struct detect *d)
{
	return arena_print(d->job, "https://%s/.well-known/autoconfig/mail/config-v1.1.xml", d->address->domain);
}

static const char *plain_url(const struct detect *d)
{
	return arena_print(d->job, "http://autoconfig.%s/mail/config-v1.1.xml", d->address->domain);
}

static const char *autoconfig_url(const struct detect *d, const char *domain)
{
	return domain ? arena_print(d->job, "https://autoconfig.%s/mail/config-v1.1.xml", domain) : NULL;
}

static const char *ispdb_url(const struct detect *d, const char *domain)
{
	return domain ? arena_print(d->job, "https://v1.ispdb.net/%s", domain) : NULL;
}

static const char *thunderbird_url(const struct detect *d, const char *domain)
{
	return domain ? arena_print(d->job, "https://autoconfig.thunderbird.net/v1.1/%s", domain) : NULL;
}

static const char *own_ispdb_url(const struct detect *d)          { return ispdb_url(d, d->address->domain); }
static const char *own_thunderbird_url(const struct detect *d)    { return thunderbird_url(d, d->address->domain); }
static const char *mx_url(const struct detect *d)                 { return autoconfig_url(d, d->exchanger.domain); }
static const char *mx_base_url(const struct detect *d)            { return autoconfig_url(d, d->exchanger.base); }
static const char *mx_ispdb_url(const struct detect *d)           { return ispdb_url(d, d->exchanger.domain); }
static const char *mx_thunderbird_url(const struct detect *d)     { return thunderbird_url(d, d->exchanger.domain); }
static const char *mx_base_ispdb_url(const struct detect *d)      { return ispdb_url(d, d->exchanger.base); }
static const char *mx_base_thunderbird_url(const struct detect *d) { return thunderbird_url(d, d->exchanger.base); }

static const struct detect_place places[DETECT_DOCUMENTS] = {
	[0]  = { SOURCE_AUTOCONFIG,        0, own_url,                 false, -1 },
	[1]  = { SOURCE_AUTOCONFIG,      100, well_known_url,          false, -1 },
	[2]  = { SOURCE_ISPDB,             0, own_ispdb_url,           false, -1 },
	[3]  = { SOURCE_ISPDB,           100, own_thunderbird_url,     false,  2 },
	[4]  = { SOURCE_AUTOCONFIG_HTTP,   0, plain_url,               false, -1 },
	[5]  = { SOURCE_MX_AUTOCONFIG,     0, mx_url,                  true,  -1 },
	[6]  = { SOURCE_MX_AUTOCONFIG,   100, mx_base_url,             true,  -1 },
	[7]  = { SOURCE_MX_AUTOCONFIG,   200, mx_ispdb_url,            true,  -1 },
	[8]  = { SOURCE_MX_AUTOCONFIG,   300, mx_thunderbird_url,      true,   7 },
	[9]  = { SOURCE_MX_AUTOCONFIG,   400, mx_base_ispdb_url,       true,  -1 },
	[10] = { SOURCE_MX_AUTOCONFIG,   500, mx_base_thunderbird_url, true,   9 },
};

void documents_init(struct detect *d)
{
	for (size_t i = 0; i < DETECT_DOCUMENTS; i++)
		d->document[i] = (struct detect_document){ .detect = d, .place = &places[i] };
}

void documents_release(struct detect *d)
{
	for (size_t i = 0; i < DETECT_DOCUMENTS; i++)
		if (d->document[i].begun)
			fetch_release(&d->document[i].fetch);
}

enum endpoint_source document_expected_source(const struct detect_document *doc)
{
	return doc->place->source;
}

/* -- what it says ------------------------------------------------------------------------------------------------- */

/* A redirect may lead anywhere, and then it is somebody else who speaks: he is heard, but has to be confirmed. */
static enum endpoint_source source_of(const struct detect_document *doc)
{
	const char *host = doc->fetch.url.host;
	bool        own = same_registrable_domain(host, doc->detect->address->domain);
	bool        database = same_registrable_domain(host, "ispdb.net") || same_registrable_domain(host, "thunderbird.net");

	if (database || (own && doc->place->source == SOURCE_AUTOCONFIG))
		return doc->place->source;
	return doc->place->source <= SOURCE_ISPDB ? SOURCE_MX_AUTOCONFIG : doc->place->source;
}

static void take(struct detect_document *doc)
{
	struct detect *d = doc->detect;
	struct slice   xml = buffer_held(&doc->fetch.answer.body);
	struct error   broken;

	doc->read = fetch_has_document(&doc->fetch)
	         && autoconfig_read(xml, d->address->text, d->job, &doc->autoconfig, &broken);
	for (int s = 0; doc->read && s < SERVICES; s++)
		if (d->want_service[s])
			candidates_from_document(&d->candidates[s], d->job, (enum service)s, &doc->autoconfig, source_of(doc),
			                         doc->place->rank);
}

/* It did not even say that it has nothing. */
static bool is_unanswered(const struct detect_document *doc)
{
	return doc->begun && !fetch_has_document(&doc->fetch) && !(doc->fetch.came == CAME && doc->fetch.answer.status == 404);
}

/* Somebody's own server may send us to his hoster's, and hand him the address in the new URL: we do not carry it there.
 * The hoster's own configuration is asked for in another way, without it. */
static bool mentions_address(const struct mail_address *address, const struct http_url *url, struct arena *job)
{
	const char  *local = http_url_encode(address->local, job);
	struct slice text = slice_str(url->text);

	return slice_has(text, arena_print(job, "%s%%40", local)) || slice_has(text, arena_print(job, "%s@", local))
	    || slice_has(text, arena_print(job, "%s@", address->local));
}

bool keeps_address(const struct mail_address *address, const struct http_url *next, struct arena *job)
{
	return same_registrable_domain(next->host, address->domain) || !mentions_address(address, next, job);
}

static bool may_follow(const void *judge, const struct http_url *next)
{
	const struct detect *d = judge;

	return keeps_address(d->address, next, d->job);
}

static const struct gate *predecessor(const struct detect_document *doc)
{
	if (doc->place->after_exchanger && !doc->detect->exchanger_known.open)
		return &doc->detect->exchanger_known;
	if (doc->place->instead_of >= 0)
		return &doc->detect->document[doc->place->instead_of].over;
	return NULL;
}

static bool begin(struct detect_document *doc, const struct want *w)
{
	struct detect *d = doc->detect;
	const char    *url;
	int            left = detect_time_left(d, w);

	if (d->settled.open || (doc->place->instead_of >= 0 && !is_unanswered(&d->document[doc->place->instead_of])))
		return false;
	if (!(url = doc->place->url(d)))
		return false;
	fetch_init(&doc->fetch, d->job, "GET", url, left < DOCUMENT_WAIT_MS ? left : DOCUMENT_WAIT_MS, FETCH_BODY);
	doc->fetch.may_follow = may_follow;
	doc->fetch.judge = d;
	doc->fetch.request.headers[0] = "Accept: text/xml, application/xml";
	return doc->begun = true;
}

enum want_kind document_step(void *self, struct want *w, struct error *err)
{
	struct detect_document *doc = self;

	switch (doc->step) {
	case DOCUMENT_START:
		while (predecessor(doc) && !predecessor(doc)->open) {
			AWAIT(doc, DOCUMENT_PREDECESSOR, want_gate(w, predecessor(doc), detect_time_left(doc->detect, w))):
			switch (want_came(w)) {
			case CAME:           continue;
			case CAME_CANCELLED: return detect_called_off(doc->detect, err);
			default:             return WANT_NOTHING;      /* nobody has time any more */
			}
		}
		if (begin(doc, w)) {
			STEP(doc, DOCUMENT_FETCH):
			PASS(fetch_step(&doc->fetch, w, err));
			take(doc);
		}
	}
	doc->over.open = true;
	detect_judge(doc->detect);
	return WANT_NOTHING;
}

/* -- facts -------------------------------------------------------------------------------------------------------- */

/* The query has the address in it, which is of no use to anybody here. */
static const char *without_query(const struct detect *d, const char *url)
{
	return arena_copy(d->job, slice_upto(slice_str(url), slice_find(slice_str(url), '?')));
}

static bool oauth_only(const struct autoconfig_server *server)
{
	for (size_t i = 0; i < COUNT(server->authentication) && server->authentication[i]; i++)
		if (!slice_is(slice_str(server->authentication[i]), "OAuth2"))
			return false;
	return server->authentication[0] != NULL;
}

static void server_facts(const struct detect_document *doc)
{
	const struct detect *d = doc->detect;

	for (size_t i = 0; i < doc->autoconfig.count; i++) {
		const struct autoconfig_server *s = &doc->autoconfig.server[i];

		if (oauth_only(s) && (strcmp(s->type, "imap") == 0 || strcmp(s->type, "smtp") == 0))
			report_note(d->report, d->reported, FACT_AUTH_OFFERED, "%s:%u: OAuth2", s->hostname, s->port);
	}
}

void document_facts(const struct detect_document *doc)
{
	const struct detect *d = doc->detect;
	const char          *from = "", *to = "", *result;

	if (!doc->begun)
		return;
	if (!doc->over.open)
		result = "not waited for";
	else if (doc->read)
		result = arena_print(d->job, "200, %zu servers", doc->autoconfig.count);
	else if (fetch_has_document(&doc->fetch))
		result = "200, no configuration";
	else
		result = fetch_result(&doc->fetch);
	if (doc->fetch.redirects) {
		from = ", from ";
		to = without_query(d, doc->fetch.url.text);
	}
	report_note(d->report, d->reported, FACT_LOOKED_AT, "%s: %s%s%s", without_query(d, doc->fetch.start_url), result,
	            from, to);
	if (doc->read)
		server_facts(doc);
}
