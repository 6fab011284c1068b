/* Which hosts there are, under which names and addresses, and what their certificates are worth. */
#include <stdlib.h>
#include <strings.h>

#include <arpa/inet.h>
#include <openssl/err.h>

#include "sandbox/imap.h"

#define FIRST_ADDRESS 0x100      /* behind the sandbox's own: 127.0.1.1 and on */
#define WORLD_ADDRESS (FIRST_ADDRESS + IMAP_HOSTS + 3)

/* What a diagnosis asks for comparison. */
static const char *const world[] = { "www.google.com", "www.wikipedia.org" };

/* -- which -------------------------------------------------------------------------------------------------------- */

static bool is_below(const char *domain, const char *top)
{
	size_t all = strlen(domain), end = strlen(top);

	return all >= end && strcasecmp(domain + all - end, top) == 0 && (all == end || domain[all - end - 1] == '.');
}

bool imap_has(const char *address)
{
	const char *at = strrchr(address, '@');

	return at && (is_below(at + 1, IMAP_DOMAIN) || dialect_is_own(at + 1));
}

static const char *address_behind(struct sandbox *s, uint32_t by)
{
	struct in_addr a;
	char           text[INET_ADDRSTRLEN];

	inet_pton(AF_INET, s->address, &a);
	a.s_addr = htonl(ntohl(a.s_addr) + by);
	return arena_str(s->own, inet_ntop(AF_INET, &a, text, sizeof text));
}

/* The one whose doors are under the same name. */
static struct imap_host *host_called(struct imap *m, const char *name)
{
	for (size_t i = 0; i < m->hosts; i++)
		if (!m->host[i].shares && strcasecmp(m->host[i].name[0], name) == 0)
			return &m->host[i];
	return NULL;
}

static bool add_domain(struct sandbox *s, const char *domain, bool is_world, struct error *err)
{
	struct imap          *m = s->imap;
	struct imap_host     *h = &m->host[m->hosts];
	const struct dialect *d = dialect_of(domain);
	const char           *name = d->imap ? d->imap : arena_print(s->own, "mail.%s", domain);

	for (size_t i = 0; i < m->hosts; i++)
		if (strcasecmp(m->host[i].domain, domain) == 0)
			return true;
	if (m->hosts == IMAP_HOSTS)
		return fail(err, FAULT_TOO_BIG, "more than %d domains of mailboxes", IMAP_HOSTS);
	*h = (struct imap_host){ .domain = arena_str(s->own, domain), .name = { name, d->smtp ? d->smtp : name }, .dialect = d,
	                         .is_world = is_world, .fd = { -1, -1, -1, -1 }, .shares = host_called(m, name) != NULL };
	/* its web server may be played as well, at an address of its own */
	h->address = s->cloud && strcmp(name, "outlook.office365.com") == 0 ? s->cloud_address : address_behind(s, FIRST_ADDRESS + (uint32_t)m->hosts);
	m->hosts++;
	return true;
}

/* "anna@x.birch.example" and "x.birch.example" alike. */
static bool add_domain_of(struct sandbox *s, const char *text, struct error *err)
{
	const char *at = strrchr(text, '@'), *domain = at ? at + 1 : text;

	return !imap_has(arena_print(s->own, "@%s", domain)) || add_domain(s, domain, false, err);
}

bool imap_new(struct sandbox *s, struct error *err)
{
	struct imap *m = s->imap = must_alloc(sizeof *m);
	bool         fine = add_domain(s, IMAP_DOMAIN, false, err);

	m->sandbox = s;
	m->stop[0] = m->stop[1] = -1;
	m->world_address = address_behind(s, WORLD_ADDRESS);
	for (size_t i = 0; fine && i < s->account_count; i++)
		fine = add_domain_of(s, s->accounts[i].mail, err);
	for (size_t i = 0; fine && i < s->orders.count; i++)
		fine = !s->orders.list[i].whose || add_domain_of(s, s->orders.list[i].whose, err);
	return fine && add_domain(s, "gmail.com", true, err) && add_domain(s, "yahoo.com", true, err);
}

const struct ordered *host_ordered(struct imap *m, const struct imap_host *h, enum order order)
{
	return h->is_world ? NULL : orders_at(&m->sandbox->orders, h->domain, order);
}

/* -- certificates ------------------------------------------------------------------------------------------------- */

/* Whoever asks by another host's name gets that one's. */
static int choose_by_name(SSL *tls, int *alert, void *self)
{
	struct imap *m = self;
	const char  *name = SSL_get_servername(tls, TLSEXT_NAMETYPE_host_name);

	(void)alert;
	for (size_t i = 0; name && i < m->hosts; i++)
		for (size_t n = 0; n < 2; n++)
			if (m->host[i].tls && strcasecmp(m->host[i].name[n], name) == 0) {
				SSL_set_SSL_CTX(tls, m->host[i].tls);
				return SSL_TLSEXT_ERR_OK;
			}
	return SSL_TLSEXT_ERR_OK;
}

static int staple(SSL *tls, void *self)
{
	const struct imap_host *h = self;
	struct slice            der = h->certificate.staple;
	unsigned char          *copy = der.len ? OPENSSL_memdup(der.at, der.len) : NULL;

	if (!copy)
		return SSL_TLSEXT_ERR_NOACK;
	SSL_set_tlsext_status_ocsp_resp(tls, copy, (long)der.len);
	return SSL_TLSEXT_ERR_OK;
}

static bool load(SSL_CTX *context, const struct certificate *c)
{
	BIO      *chain = BIO_new_mem_buf(c->chain, -1), *key = BIO_new_mem_buf(c->key, -1);
	X509     *x = PEM_read_bio_X509(chain, NULL, NULL, NULL), *more;
	EVP_PKEY *k = PEM_read_bio_PrivateKey(key, NULL, NULL, NULL);
	bool      fine = x && k && SSL_CTX_use_certificate(context, x) == 1 && SSL_CTX_use_PrivateKey(context, k) == 1;

	while (fine && (more = PEM_read_bio_X509(chain, NULL, NULL, NULL)))
		SSL_CTX_add_extra_chain_cert(context, more);
	ERR_clear_error();      /* the end of the chain */
	X509_free(x);
	EVP_PKEY_free(k);
	BIO_free(chain);
	BIO_free(key);
	return fine;
}

static bool context_make(struct imap *m, struct imap_host *h, struct error *err)
{
	SSL_CTX *context = h->tls = SSL_CTX_new(TLS_server_method());

	/* a weak key is a fault to be shown, and old versions want old signatures */
	SSL_CTX_set_security_level(context, 0);
	SSL_CTX_set_cipher_list(context, "DEFAULT:@SECLEVEL=0");
	SSL_CTX_set_min_proto_version(context, host_ordered(m, h, ORDER_OLD_TLS) ? TLS1_VERSION : TLS1_2_VERSION);
	if (host_ordered(m, h, ORDER_OLD_TLS))
		SSL_CTX_set_max_proto_version(context, TLS1_1_VERSION);
	if (host_ordered(m, h, ORDER_CLIENT_WANTED))
		SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_session_id_context(context, (const unsigned char *)"sandbox", 7);
	SSL_CTX_set_tlsext_servername_callback(context, choose_by_name);
	SSL_CTX_set_tlsext_servername_arg(context, m);
	SSL_CTX_set_tlsext_status_cb(context, staple);
	SSL_CTX_set_tlsext_status_arg(context, h);
	return load(context, &h->certificate) || fail(err, FAULT_LOCAL, "OpenSSL takes no certificate for %s", h->name[0]);
}

static bool certify(struct imap *m, struct imap_host *h, struct error *err)
{
	struct sandbox       *s = m->sandbox;
	const struct ordered *o = host_ordered(m, h, ORDER_CERTIFICATE);
	enum flaw             flaw = o ? (enum flaw)o->row->number : FLAW_NONE;
	const char           *others[] = { arena_print(s->own, "portal.%s", h->domain), arena_print(s->own, "web.%s", h->domain) };
	size_t                names = h->name[1] == h->name[0] ? 1 : 2;

	if (!(flaw == FLAW_WRONG_NAME ? certificate_make(s->authority, s->own, others, COUNT(others), flaw, &h->certificate, err)
	                              : certificate_make(s->authority, s->own, h->name, names, flaw, &h->certificate, err)))
		return false;
	return context_make(m, h, err);
}

bool imap_open(struct sandbox *s, bool usual_ports, struct error *err)
{
	struct imap *m = s->imap;

	if (!certificate_make(s->authority, s->own, world, COUNT(world), FLAW_NONE, &m->world_certificate, err))
		return false;
	for (size_t i = 0; i < m->hosts; i++)
		if (!m->host[i].shares && !certify(m, &m->host[i], err))
			return false;
	return (usual_ports && doors_open(m, true, NULL)) || doors_open(m, false, err);
}

void imap_free(struct imap *m)
{
	if (!m)
		return;
	doors_close(m);
	for (size_t i = 0; i < m->hosts; i++)
		SSL_CTX_free(m->host[i].tls);
	free(m);
}

/* -- names -------------------------------------------------------------------------------------------------------- */

static void add_srv(struct sandbox *s, const struct imap_host *h, const char *service, const char *host, uint16_t port)
{
	names_add(s->names, arena_print(s->own, "%s._tcp.%s", service, h->domain), RECORD_SRV, host, 0, port);
}

/* Where its services are; those that begin in the clear only where that is what is to be seen. */
static void announce(struct sandbox *s, const struct imap_host *h)
{
	static const enum order in_the_clear[] = { ORDER_STARTTLS_ONLY, ORDER_NO_STARTTLS, ORDER_STRIPPED, ORDER_TLS_AT_ONCE };
	bool clear = false;

	for (size_t i = 0; i < COUNT(in_the_clear); i++)
		clear |= host_ordered(s->imap, h, in_the_clear[i]) != NULL;
	if (host_ordered(s->imap, h, ORDER_NOT_OFFERED)) {
		add_srv(s, h, "_imap", "", 0);
		add_srv(s, h, "_imaps", "", 0);
	} else if (clear) {
		add_srv(s, h, "_imap", h->name[0], 143);
		add_srv(s, h, "_submission", h->name[1], 587);
	} else {
		add_srv(s, h, "_imaps", h->name[0], 993);
		add_srv(s, h, "_submissions", h->name[1], 465);
	}
}

static void name_host(struct sandbox *s, const struct imap_host *h, const char *name)
{
	if (host_ordered(s->imap, h, ORDER_DNS_FAILS))
		names_special(s->names, name, NAMES_FAILS);
	else if (host_ordered(s->imap, h, ORDER_DNS_SILENT))
		names_special(s->names, name, NAMES_SILENT);
	else if (host_ordered(s->imap, h, ORDER_PRIVATE_ADDRESS))
		names_add(s->names, name, RECORD_A, "10.20.30.40", 0, 0);
	else if (!host_ordered(s->imap, h, ORDER_NO_HOST) && !(s->cloud && h->address == s->cloud_address))
		names_add(s->names, name, RECORD_A, host_ordered(s->imap, h, ORDER_CAPTIVE) ? s->imap->host[0].address : h->address, 0, 0);
}

/* What the domain itself says. True: that there are servers. */
static bool name_domain(struct sandbox *s, const struct imap_host *h)
{
	struct names *n = s->names;

	if (host_ordered(s->imap, h, ORDER_NO_DOMAIN))
		return false;
	if (host_ordered(s->imap, h, ORDER_DOMAIN_FAILS) || host_ordered(s->imap, h, ORDER_DOMAIN_SILENT)) {
		names_special(n, h->domain, host_ordered(s->imap, h, ORDER_DOMAIN_FAILS) ? NAMES_FAILS : NAMES_SILENT);
		return false;
	}
	names_add(n, h->domain, RECORD_TXT, "v=spf1 mx -all", 0, 0);
	if (host_ordered(s->imap, h, ORDER_NO_MX))
		return false;
	if (host_ordered(s->imap, h, ORDER_NULL_MX)) {
		names_add(n, h->domain, RECORD_MX, "", 0, 0);
		return false;
	}
	names_add(n, h->domain, RECORD_MX, h->dialect->mx ? h->dialect->mx : h->name[0], 10, 0);
	return true;
}

void imap_names(struct sandbox *s)
{
	struct imap *m = s->imap;

	for (size_t i = 0; i < COUNT(world); i++)
		names_add(s->names, world[i], RECORD_A, m->world_address, 0, 0);
	if (orders_at(&s->orders, "", ORDER_CAPTIVE))
		names_add(s->names, NAMES_ANY, RECORD_A, m->host[0].address, 0, 0);
	for (size_t i = 0; i < m->hosts; i++) {
		struct imap_host *h = &m->host[i];

		if (!h->is_world && !name_domain(s, h))
			continue;
		if (!h->is_world && !h->dialect->imap)
			announce(s, h);
		if (h->shares)
			continue;
		name_host(s, h, h->name[0]);
		if (h->name[1] != h->name[0])
			name_host(s, h, h->name[1]);
	}
}

/* Whoever is told where a host is needs no name for it. */
static bool is_hidden(struct imap *m, const struct imap_host *h)
{
	static const enum order hides[] = { ORDER_NO_HOST, ORDER_DNS_FAILS, ORDER_DNS_SILENT, ORDER_PRIVATE_ADDRESS };

	for (size_t i = 0; i < COUNT(hides); i++)
		if (host_ordered(m, h, hides[i]))
			return true;
	return h->shares;
}

/* -- places ------------------------------------------------------------------------------------------------------- */

void imap_tell(struct sandbox *s)
{
	struct imap *m = s->imap;

	tell_place(s, world[0], 80, m->world_address, m->world_port);
	tell_place(s, world[1], 80, m->world_address, m->world_port);
	tell_place(s, world[1], 443, m->world_address, m->world_https_port);
	for (size_t i = 0; i < m->hosts; i++) {
		const struct imap_host *h = &m->host[i], *at = host_ordered(m, h, ORDER_CAPTIVE) ? &m->host[0] : h;

		if (is_hidden(m, h))
			continue;
		for (enum imap_door d = DOOR_IMAPS; d < IMAP_DOORS; d++)
			tell_place(s, h->name[d >= DOOR_SUBMISSIONS], door_port(d), at->address, at->port[d]);
		tell_place(s, h->name[0], 80, h->address, h->web_port);
	}
}
