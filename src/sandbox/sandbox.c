#include "sandbox/sandbox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <libxml/parser.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/random.h"
#include "sandbox/caldav.h"
#include "sandbox/cloud.h"
#include "sandbox/ews.h"
#include "sandbox/google.h"
#include "sandbox/hole.h"
#include "sandbox/hosts.h"
#include "sandbox/imap.h"
#include "sandbox/pages.h"

#define USUAL_HEARTBEAT_MS 45000
#define DOOR_TRIES         20      /* for numbers that are free at both addresses */

/* -- what there is to choose from --------------------------------------------------------------------------------- */

const char *sandbox_persona(size_t n, const char **text)
{
	const struct persona *p = persona_at(n);

	if (!p)
		return NULL;
	*text = p->product;
	return p->name;
}

const char *sandbox_fault(size_t n, const char **value, const char **text)
{
	const struct order_row *row = order_at(n);

	if (!row)
		return NULL;
	*value = row->value;
	*text = row->text;
	return row->name;
}

/* -- requests ----------------------------------------------------------------------------------------------------- */

/* What Graph, Gmail or Calendar was asked, by name: no secret stands there. */
static void log_question(cJSON *o, const struct request *r)
{
	static const char *const asked[] = { GRAPH_HOST, GMAIL_HOST, GAPIS_HOST };
	const char *kind = request_header(r, "Content-Type");
	struct form f;
	size_t      i;

	for (i = 0; i < COUNT(asked) && strcasecmp(r->host, asked[i]) != 0; i++)
		;
	if (i == COUNT(asked))
		return;
	if (request_fields(r, &f) && f.count)
		cJSON_AddStringToObject(o, "query", form_whole(r->work, &f));
	if (r->body.len && kind && slice_starts(slice_str(kind), "application/json"))
		cJSON_AddStringToObject(o, "body", arena_copy(r->work, r->body));
}

static void log_request(struct sandbox *s, const struct request *r, const struct reply *reply, int64_t began)
{
	cJSON *o;
	char  *line;

	if (!s->log)
		return;
	o = cJSON_CreateObject();
	cJSON_AddNumberToObject(o, "unix_ms", (double)clock_unix_ms());
	cJSON_AddNumberToObject(o, "ms", (double)(clock_mono_ms() - began));
	cJSON_AddStringToObject(o, "client", r->client);
	cJSON_AddStringToObject(o, "host", r->host);
	cJSON_AddBoolToObject(o, "tls", r->secure);
	cJSON_AddStringToObject(o, "method", r->method);
	cJSON_AddStringToObject(o, "path", r->path);
	log_question(o, r);
	cJSON_AddStringToObject(o, "agent", request_header(r, "User-Agent") ? request_header(r, "User-Agent") : "");
	if (r->operation)
		cJSON_AddStringToObject(o, "operation", r->operation);
	if (r->version)
		cJSON_AddStringToObject(o, "version", r->version);
	if (r->scheme)
		cJSON_AddStringToObject(o, "scheme", r->scheme);
	if (r->user)
		cJSON_AddStringToObject(o, "user", r->user);
	cJSON_AddStringToObject(o, "login", r->login ? r->login : "none");
	cJSON_AddNumberToObject(o, "status", reply->ending == ENDS_DROPPED ? 0 : reply->status);
	cJSON_AddNumberToObject(o, "bytes", (double)buffer_held(&reply->body).len);
	line = cJSON_PrintUnformatted(o);
	fprintf(s->log, "%s\n", line);
	fflush(s->log);
	cJSON_free(line);
	cJSON_Delete(o);
}

static bool begins(const char *path, const char *with)
{
	return strncasecmp(path, with, strlen(with)) == 0;
}

/* What is ordered for EWS before anybody asks who it is. */
static bool answered_by_order(struct sandbox *s, struct request *r, struct reply *reply)
{
	struct ordered *o = orders_take(&s->orders, ORDER_PAGE);

	if (o) {
		page_write(s, r, reply, (enum page)o->row->number, o->value);
		return true;
	}
	if (orders_take(&s->orders, ORDER_DROP)) {
		reply->ending = ENDS_DROPPED;
		return true;
	}
	if (orders_take(&s->orders, ORDER_SILENT_REQUEST)) {
		while (!s->stopping)
			pthread_cond_wait(&s->news, &s->lock);
		reply->ending = ENDS_DROPPED;
		return true;
	}
	return false;
}

static void answer_issuer(struct sandbox *s, struct request *r, struct reply *reply)
{
	reply->status = 200;
	reply->type = "application/pkix-cert";
	buffer_add(&reply->body, authority_intermediate(s->authority, r->work));
}

static void answer_by_path(struct sandbox *s, struct request *r, struct reply *reply)
{
	bool is_bare_domain = strcmp(r->host, s->domain) == 0;

	if (cloud_answers(s, r, reply) || google_answers(s, r, reply) || almanac_answers(s, r, reply))
		return;
	if (is_bare_domain && begins(r->path, "/autodiscover"))
		page_write(s, r, reply, PAGE_404, NULL);
	else if (is_bare_domain)
		page_write(s, r, reply, PAGE_OTHER, NULL);
	else if (!r->secure && strcmp(r->path, AUTHORITY_PATH) == 0)
		answer_issuer(s, r, reply);
	else if (begins(r->path, "/autodiscover"))
		answer_autodiscover(s, r, reply);
	else if (strcasecmp(r->path, "/EWS/Exchange.asmx") == 0 || strcasecmp(r->path, "/EWS/Services.wsdl") == 0) {
		if (!answered_by_order(s, r, reply))
			answer_ews(s, r, reply);
	} else if (begins(r->path, "/ews")) {
		if (sign_in(s, r, reply))
			page_write(s, r, reply, PAGE_403, NULL);
	} else if (!page_owa(s, r, reply))
		page_write(s, r, reply, PAGE_404, NULL);
}

/* Nobody is signed in yet; the host is known, and tells of some whose it is. */
static void serve_request(struct sandbox *s, const struct request *r)
{
	orders_serve(&s->orders, NULL);
	orders_serve_host(&s->orders, r->host);
	if (!account_served(s, account_at(s, r->host)))
		dress(s);
}

static void wait_as_ordered(struct sandbox *s, const struct request *r)
{
	struct ordered *o = orders_take(&s->orders, ORDER_SLOW);
	long            ms = o ? strtol(o->value, NULL, 10) : 0;
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += ms % 1000 * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	while (ms > 0 && !s->stopping && pthread_cond_timedwait(&s->news, &s->lock, &until) == 0)
		;
	serve_request(s, r);
}

static void answer(void *self, struct request *r, struct reply *reply)
{
	struct sandbox *s = self;
	int64_t         began = clock_mono_ms();

	pthread_mutex_lock(&s->lock);
	s->counts.requests++;
	serve_request(s, r);
	wait_as_ordered(s, r);
	if (s->stopping)
		reply->ending = ENDS_DROPPED;
	else
		answer_by_path(s, r, reply);
	log_request(s, r, reply, began);
	pthread_mutex_unlock(&s->lock);
}

/* -- what it is --------------------------------------------------------------------------------------------------- */

/* "down,upn" of a table's words; false: not one of them. */
static bool read_words(const char *text, const char *const words[], size_t count, unsigned *out)
{
	struct slice rest = slice_str(text);

	*out = 0;
	while (rest.len) {
		struct slice word = slice_cut(&rest, ',');
		size_t       i;

		for (i = 0; i < count && !slice_is(word, words[i]); i++)
			;
		if (i == count)
			return false;
		*out |= 1u << i;
	}
	return *out != 0;
}

static const char *const scheme_words[] = { "negotiate", "ntlm", "basic", "bearer" }, *const form_words[] = { "down", "upn", "mail", "bare" };

void dress(struct sandbox *s)
{
	const struct ordered *o = orders_has(&s->orders, ORDER_VERSION);

	s->persona = s->mailbox_persona = o ? persona_find(o->value) : s->usual;
	s->schemes = s->persona->schemes;
	s->name_forms = NAME_DOWN | NAME_UPN | NAME_MAIL;
	if ((o = orders_has(&s->orders, ORDER_SCHEMES)))
		read_words(o->value, scheme_words, COUNT(scheme_words), &s->schemes);
	if (orders_has(&s->orders, ORDER_BEARER))
		s->schemes |= SCHEME_BEARER;
	if ((o = orders_has(&s->orders, ORDER_NAMES)))
		read_words(o->value, form_words, COUNT(form_words), &s->name_forms);
	if ((o = orders_has(&s->orders, ORDER_MAILBOX_VERSION)))
		s->mailbox_persona = persona_find(o->value);
}

/* What dress() goes by can be gone by. */
static bool makes_sense(const struct ordered *o, struct error *err)
{
	enum order order = o->row->order;
	unsigned   some;

	if (order == ORDER_SCHEMES && !read_words(o->value, scheme_words, COUNT(scheme_words), &some))
		return fail(err, FAULT_MALFORMED, "schemes are of negotiate,ntlm,basic,bearer");
	if (order == ORDER_NAMES && !read_words(o->value, form_words, COUNT(form_words), &some))
		return fail(err, FAULT_MALFORMED, "names are of down,upn,mail,bare");
	if ((order == ORDER_VERSION || order == ORDER_MAILBOX_VERSION) && !persona_find(o->value))
		return fail(err, FAULT_MALFORMED, "there is no version \"%s\"", o->value);
	return true;
}

static bool read_orders(struct sandbox *s, const struct sandbox_wishes *w, struct error *err)
{
	for (size_t i = 0; i < w->faults; i++)
		if (!orders_add(&s->orders, s->own, w->fault[i], err) || !makes_sense(&s->orders.list[i], err))
			return false;
	dress(s);
	return true;
}

static const char *address_behind(struct arena *arena, struct in_addr a, uint32_t by)
{
	char text[INET_ADDRSTRLEN];

	a.s_addr = htonl(ntohl(a.s_addr) + by);
	return arena_str(arena, inet_ntop(AF_INET, &a, text, sizeof text));
}

static bool read_wishes(struct sandbox *s, const struct sandbox_wishes *w, struct error *err)
{
	struct in_addr a;
	char          *netbios;

	s->usual = persona_find(w->persona ? w->persona : w->microsoft || w->google ? "online" : "2016");
	if (!s->usual)
		return fail(err, FAULT_MALFORMED, "there is no version \"%s\"", w->persona);
	s->domain = arena_str(s->own, w->domain ? w->domain : "contoso.example");
	s->address = arena_str(s->own, w->listen ? w->listen : "127.0.0.1");
	if (inet_pton(AF_INET, s->address, &a) != 1 || ntohl(a.s_addr) >> 24 != 127 || (ntohl(a.s_addr) & 0xff) == 0xff)
		return fail(err, FAULT_MALFORMED, "%s is no loopback address", s->address);
	s->auto_address = address_behind(s->own, a, 1);
	s->cloud_address = address_behind(s->own, a, 2);
	s->google_address = address_behind(s->own, a, 3);
	s->almanac_address = address_behind(s->own, a, 4);
	s->netbios = netbios = arena_copy(s->own, slice_upto(slice(s->domain, strcspn(s->domain, ".")), 15));
	for (char *c = netbios; *c; c++)
		*c = *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c;
	s->mail_host = arena_print(s->own, "mail.%s", s->domain);
	s->auto_host = arena_print(s->own, "autodiscover.%s", s->domain);
	s->dns_host = arena_print(s->own, "exch01.%s", s->domain);
	s->places.ews_url = arena_print(s->own, "https://%s/EWS/Exchange.asmx", s->mail_host);
	s->deliver = w->deliver ? arena_str(s->own, w->deliver) : NULL;
	for (size_t i = 0; i < w->redirect_uris; i++)
		s->redirect_uri[i] = arena_str(s->own, w->redirect_uri[i]);
	s->heartbeat_ms = w->heartbeat_ms ? w->heartbeat_ms : USUAL_HEARTBEAT_MS;
	if (w->keytab && !(s->keys = keytab_read(w->keytab, err)))
		return false;
	s->plays_imap = w->imap;
	s->exchange = w->persona || !(w->microsoft || w->google || w->imap || w->caldav);
	if (!read_orders(s, w, err) || (w->microsoft && !(s->cloud = cloud_new(s, w, err))))
		return false;
	if (w->google && !(s->google = google_new(s, w, err)))
		return false;
	if (!add_accounts(s, w, err) || (w->imap && !imap_new(s, err)))
		return false;
	if (w->caldav)
		s->almanac = almanac_new(s);
	s->has_own_hosts = s->exchange && hosts_give(s);
	return true;
}

/* -- names -------------------------------------------------------------------------------------------------------- */

static bool has(struct sandbox *s, enum order order)
{
	return orders_has(&s->orders, order) != NULL;
}

static void add_names(struct sandbox *s)
{
	struct names *n = s->names;
	bool          hidden = has(s, ORDER_AUTO_OFF) || has(s, ORDER_AUTO_SRV);

	if (s->cloud)
		cloud_names(s);
	if (s->google)
		google_names(s);
	if (s->imap)
		imap_names(s);
	if (s->almanac)
		almanac_names(s);
	if (!s->exchange)
		return;
	hosts_name(s);
	names_add(n, s->domain, RECORD_A, s->auto_address, 0, 0);
	names_add(n, s->domain, RECORD_MX, s->mail_host, 10, 0);
	names_add(n, s->domain, RECORD_TXT, "v=spf1 mx -all", 0, 0);
	if (has(s, ORDER_DNS_FAILS))
		names_special(n, s->mail_host, NAMES_FAILS);
	else if (has(s, ORDER_DNS_SILENT))
		names_special(n, s->mail_host, NAMES_SILENT);
	else if (!has(s, ORDER_NO_HOST))
		names_add(n, s->mail_host, RECORD_A, s->address, 0, 0);
	names_add(n, arena_print(s->own, "owa.%s", s->domain), RECORD_A, s->address, 0, 0);
	names_add(n, arena_print(s->own, "adfs.%s", s->domain), RECORD_A, s->address, 0, 0);
	if (!hidden)
		names_add(n, s->auto_host, RECORD_A, s->auto_address, 0, 0);
	if (has(s, ORDER_AUTO_SRV))
		names_add(n, arena_print(s->own, "_autodiscover._tcp.%s", s->domain), RECORD_SRV, s->mail_host, 0, 443);
}

/* -- doors -------------------------------------------------------------------------------------------------------- */

static struct web *door(struct sandbox *s, const char *address, uint16_t wanted, const struct certificate *certificate, uint16_t *port,
                        struct error *err)
{
	struct web_wishes w = { .address = address, .port = wanted, .certificate = certificate, .answer = answer, .self = s };

	w.old_tls = certificate == &s->certificate && has(s, ORDER_OLD_TLS);
	return web_new(&w, port, err);
}

static const struct { enum order order; enum hole_kind kind; } holes[] = {
	{ ORDER_REFUSED, HOLE_REFUSES }, { ORDER_VANISH, HOLE_VANISHES }, { ORDER_SILENT, HOLE_SILENT }, { ORDER_RESET, HOLE_RESETS },
};

/* EWS's own, or the hole in its place. */
static bool open_mail_door(struct sandbox *s, uint16_t wanted, struct error *err)
{
	for (size_t i = 0; i < COUNT(holes); i++)
		if (has(s, holes[i].order)) {
			s->https_port = wanted;
			s->hole = hole_new(s->address, &s->https_port, holes[i].kind, err);
			return s->hole != NULL;
		}
	s->https = door(s, s->address, wanted, &s->certificate, &s->https_port, err);
	return s->https != NULL;
}

static void close_doors(struct sandbox *s)
{
	web_free(s->https);
	web_free(s->auto_https);
	web_free(s->http);
	web_free(s->auto_http);
	web_free(s->cloud_https);
	web_free(s->google_https);
	web_free(s->almanac_https);
	hole_free(s->hole);
	hosts_close(s);
	s->https = s->auto_https = s->http = s->auto_http = s->cloud_https = s->google_https = s->almanac_https = NULL;
	s->hole = NULL;
}

/* All of them on these ports (0: any). */
static bool open_doors(struct sandbox *s, uint16_t https, uint16_t http, struct error *err)
{
	uint16_t other_http = http;
	bool     fine = open_mail_door(s, https, err);

	/* where only plain http shall lead on, nothing listens for https */
	if (fine && !has(s, ORDER_AUTO_HTTP))
		fine = (s->auto_https = door(s, s->auto_address, https, &s->auto_certificate, &s->auto_port, err)) != NULL;
	fine = fine && (s->http = door(s, s->address, http, NULL, &s->http_port, err)) != NULL;
	/* one number for both, so that one --connect-to is enough to say where port 80 is */
	other_http = s->http_port;
	fine = fine && (s->auto_http = door(s, s->auto_address, other_http, NULL, &other_http, err)) != NULL;
	fine = fine && hosts_open(s, err);
	if (fine && s->cloud)
		fine = (s->cloud_https = door(s, s->cloud_address, https, &s->cloud_certificate, &s->cloud_port, err)) != NULL;
	if (fine && s->google)
		fine = (s->google_https = door(s, s->google_address, https, &s->google_certificate, &s->google_port, err)) != NULL;
	if (fine && s->almanac)
		fine = (s->almanac_https = door(s, s->almanac_address, https, &s->almanac_certificate, &s->almanac_port, err)) != NULL;
	if (!fine)
		close_doors(s);
	return fine;
}

/* Where the usual ports are not ours. What is free for one address may be taken at the other, by a server or by anybody's
 * passing connection: then all are closed and others looked for. */
static bool open_free_doors(struct sandbox *s, struct error *err)
{
	bool fine = false;

	for (int tries = 0; !fine && tries < DOOR_TRIES; tries++)
		fine = open_doors(s, 0, 0, err);
	return fine;
}

static bool make_certificates(struct sandbox *s, struct error *err)
{
	const char *const owa = arena_print(s->own, "owa.%s", s->domain), *const adfs = arena_print(s->own, "adfs.%s", s->domain);
	const char *const usual[] = { s->mail_host, owa, adfs, arena_print(s->own, "*.%s", s->domain) }, *const other[] = { owa, arena_print(s->own, "legacy.%s", s->domain) };
	const char *const autos[] = { s->auto_host, s->domain };
	struct ordered   *o = orders_has(&s->orders, ORDER_CERTIFICATE);
	enum flaw         flaw = o ? (enum flaw)o->row->number : FLAW_NONE;
	bool              others = flaw == FLAW_WRONG_NAME;
	size_t            count = others ? COUNT(other) : COUNT(usual) - !s->has_own_hosts;

	if (!certificate_make(s->authority, s->own, others ? other : usual, count, flaw, &s->certificate, err))
		return false;
	if (s->cloud && !cloud_certificate(s, s->exchange ? FLAW_NONE : flaw, err))
		return false;
	if (s->google && !google_certificate(s, s->exchange || s->cloud ? FLAW_NONE : flaw, err))
		return false;
	if (s->almanac && !almanac_certificate(s, err))
		return false;
	return certificate_make(s->authority, s->own, autos, COUNT(autos), FLAW_NONE, &s->auto_certificate, err);
}

/* -- what is told ------------------------------------------------------------------------------------------------- */

void tell_place(struct sandbox *s, const char *host, uint16_t usual, const char *address, uint16_t port)
{
	if (usual != port && port && s->places.connects < SANDBOX_PLACES)
		s->places.connect_to[s->places.connects++] = arena_print(s->own, "%s:%u=%s:%u", host, usual, address, port);
}

static void tell_exchange(struct sandbox *s)
{
	tell_place(s, s->mail_host, 443, s->address, s->https_port);
	tell_place(s, arena_print(s->own, "owa.%s", s->domain), 443, s->address, s->https_port);
	tell_place(s, s->auto_host, 443, s->auto_address, s->auto_port);
	tell_place(s, s->domain, 443, s->auto_address, s->auto_port);
	tell_place(s, s->mail_host, 80, s->address, s->http_port);
	tell_place(s, s->auto_host, 80, s->auto_address, s->http_port);
	tell_place(s, s->domain, 80, s->auto_address, s->http_port);
	hosts_tell(s, tell_place);
}

/* "Exchange 2016, 15.1.2507.39; Google" */
static const char *what_is_played(struct sandbox *s)
{
	char        build[40];
	const struct { bool played; const char *text; } parts[] = {
		{ s->exchange, arena_print(s->own, "%s, %s", s->usual->product, persona_build(s->usual, build)) },
		{ s->cloud, "Microsoft 365" }, { s->google, "Google" }, { s->imap, "mailboxes by IMAP and SMTP" }, { s->almanac, "calendars by CalDAV" },
	};
	const char *all = "";

	for (size_t i = 0; i < COUNT(parts); i++)
		if (parts[i].played)
			all = arena_print(s->own, "%s%s%s", all, *all ? "; " : "", parts[i].text);
	return all;
}

static void tell(struct sandbox *s, uint16_t dns_port)
{
	s->places.resolver = arena_print(s->own, "%s:%u", s->address, dns_port);
	s->places.version = what_is_played(s);
	s->places.ca_file = s->ca_file;
	for (size_t i = 0; s->cloud && cloud_host(i); i++)
		tell_place(s, cloud_host(i), 443, s->cloud_address, s->cloud_port);
	for (size_t i = 0; s->google && google_host(i); i++)
		tell_place(s, google_host(i), 443, s->google_address, s->google_port);
	if (!s->exchange && !s->cloud)
		s->places.ews_url = NULL;
	if (s->exchange)
		tell_exchange(s);
	if (s->imap)
		imap_tell(s);
	if (s->almanac)
		almanac_tell(s);
	for (size_t i = 0; i < s->account_count && i < SANDBOX_ACCOUNTS; i++) {
		s->places.address[i] = s->accounts[i].mail;
		s->places.login[i] = (!s->exchange && !s->cloud) || (s->imap && imap_has(s->accounts[i].mail))
		                   ? s->accounts[i].mail : arena_print(s->own, "%s\\%s", s->netbios, s->accounts[i].sam);
		s->places.password[i] = s->accounts[i].password;
		s->places.addresses++;
	}
}

static bool write_ca(struct sandbox *s, const char *out, struct error *err)
{
	const char *tmp = getenv("TMPDIR"), *pem = authority_pem(s->authority, s->own);
	char       *template = arena_print(s->own, "%s/mailmoor-sandbox-XXXXXX", tmp && *tmp ? tmp : "/tmp");
	FILE       *f;
	bool        fine;

	if (!out || s->cloud || s->google) {
		s->folder = mkdtemp(template);
		if (!s->folder)
			return fail(err, FAULT_LOCAL, "%s: %s", template, strerror(errno));
	}
	s->ca_file = out ? arena_str(s->own, out) : arena_print(s->own, "%s/ca.pem", s->folder);
	f = fopen(s->ca_file, "we");
	fine = f && fputs(pem, f) >= 0;
	if (f && fclose(f) != 0)
		fine = false;
	return fine || fail(err, FAULT_LOCAL, "%s: %s", s->ca_file, strerror(errno));
}

/* -- its life ----------------------------------------------------------------------------------------------------- */

static bool open_log(struct sandbox *s, const char *path, struct error *err)
{
	if (path)
		s->log = fopen(path, "we");
	return !path || s->log || fail(err, FAULT_LOCAL, "%s: %s", path, strerror(errno));
}

static bool start(struct sandbox *s, const struct sandbox_wishes *w, struct error *err)
{
	uint16_t dns_port = 0;
	bool     fine;

	if (!read_wishes(s, w, err) || !open_log(s, w->log, err))
		return false;
	if (!make_certificates(s, err) || !write_ca(s, w->ca_file_out, err))
		return false;
	if ((w->high_ports || !open_doors(s, 443, 80, NULL)) && !open_free_doors(s, err))
		return false;
	if (s->imap && !imap_open(s, !w->high_ports, err))
		return false;
	add_names(s);
	if (!names_start(s->names, s->address, &dns_port, err))
		return false;
	tell(s, dns_port);
	if (!s->cloud && !s->google)
		return true;
	/* its doors are open already */
	pthread_mutex_lock(&s->lock);
	fine = (!s->cloud || cloud_tell(s, err)) && (!s->google || google_tell(s, err));
	pthread_mutex_unlock(&s->lock);
	return fine;
}

struct sandbox *sandbox_new(const struct sandbox_wishes *w, struct error *err)
{
	struct sandbox *s = must_alloc(sizeof *s);

	s->own = arena_new();
	s->answer = answer;
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->news, NULL);
	s->authority = authority_new();
	s->names = names_new();
	xmlInitParser();
	if (!start(s, w, err)) {
		sandbox_free(s);
		return NULL;
	}
	return s;
}

const struct sandbox_places *sandbox_places(const struct sandbox *s)
{
	return &s->places;
}

struct sandbox_counts sandbox_counts(struct sandbox *s)
{
	struct sandbox_counts c;

	pthread_mutex_lock(&s->lock);
	c = s->counts;
	pthread_mutex_unlock(&s->lock);
	return c;
}

void sandbox_free(struct sandbox *s)
{
	if (!s)
		return;
	pthread_mutex_lock(&s->lock);
	s->stopping = true;
	pthread_cond_broadcast(&s->news);
	pthread_mutex_unlock(&s->lock);
	close_doors(s);
	imap_free(s->imap);
	names_free(s->names);
	keytab_free(s->keys);
	subscriptions_free(s->subscriptions);
	for (size_t i = 0; i < s->account_count; i++)
		mailbox_free(s->accounts[i].mailbox);
	authority_free(s->authority);
	if (s->log)
		fclose(s->log);
	cloud_free(s->cloud);
	google_free(s->google);
	almanac_free(s->almanac);
	if (s->folder) {
		if (strncmp(s->ca_file, s->folder, strlen(s->folder)) == 0)
			unlink(s->ca_file);
		for (size_t i = 0; i < SANDBOX_ACCOUNTS; i++)      /* not every part has one for each of its people */
			if (s->places.token_file[i])
				unlink(s->places.token_file[i]);
		for (size_t i = 0; i < SANDBOX_ACCOUNTS; i++)
			if (s->places.google_token_file[i])
				unlink(s->places.google_token_file[i]);
		if (s->places.google_service_account)
			unlink(s->places.google_service_account);
		rmdir(s->folder);
	}
	pthread_cond_destroy(&s->news);
	pthread_mutex_destroy(&s->lock);
	arena_free(s->own);
	free(s);
}
