/* Google by host: its names, its certificate, what is told of it, its life. */
#include "sandbox/google.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "base/random.h"
#include "sandbox/gapi.h"
#include "sandbox/letters.h"

#define KEY_BITS 2048
#define DAY      86400
#define ASKED_FOR "openid " GSCOPE("userinfo.email") " " GSCOPE("userinfo.profile") " " GSCOPE_MAIL " " GSCOPE("gmail.settings.basic") " " GSCOPE("calendar")

bool google_has(const struct sandbox *s, const struct account *a)
{
	const char *at = strrchr(a->mail, '@');

	return s->google && (!s->google->domain || (at && strcasecmp(at + 1, s->google->domain) == 0) || !google_domain(a));
}

struct account *google_account(struct sandbox *s, const char *mail)
{
	struct account *a = account_by_mail(s, mail);

	for (size_t i = 0; !a && i < s->account_count; i++) {
		CLEANUP(arena) struct arena *work = arena_new();

		if (strcmp(google_sub(work, &s->accounts[i]), mail) == 0)
			a = &s->accounts[i];
	}
	return a && google_has(s, a) ? a : NULL;
}

struct account *google_somebody_else(struct sandbox *s, struct account *a)
{
	for (size_t i = 0; i < s->account_count; i++)
		if (&s->accounts[i] != a && google_has(s, &s->accounts[i]))
			return &s->accounts[i];
	return a;
}

/* -- documents ------------------------------------------------------------------------------------------------------- */

static const struct { const char *name, *value; } endpoints[] = {
	{ "issuer", "https://" GACCOUNTS_HOST }, { "authorization_endpoint", "https://" GACCOUNTS_HOST "/o/oauth2/v2/auth" },
	{ "token_endpoint", "https://" GTOKEN_HOST "/token" }, { "userinfo_endpoint", "https://" GUSERINFO_HOST "/v1/userinfo" },
	{ "revocation_endpoint", "https://" GTOKEN_HOST "/revoke" }, { "jwks_uri", "https://" GAPIS_HOST "/oauth2/v3/certs" },
};

static void add_words(cJSON *o, const char *name, const char *const words[], int count)
{
	cJSON_AddItemToObject(o, name, cJSON_CreateStringArray(words, count));
}

static void answer_configuration(struct sandbox *s, struct request *r, struct reply *reply)
{
	static const char *const types[] = { "code" }, *const how[] = { "client_secret_post", "client_secret_basic" }, *const algs[] = { "RS256" };
	static const char *const challenges[] = { "plain", "S256" }, *const subjects[] = { "public" };
	cJSON *o = cJSON_CreateObject();

	(void)s, (void)r;
	for (size_t i = 0; i < COUNT(endpoints); i++)
		cJSON_AddStringToObject(o, endpoints[i].name, endpoints[i].value);
	add_words(o, "response_types_supported", types, COUNT(types));
	add_words(o, "token_endpoint_auth_methods_supported", how, COUNT(how));
	add_words(o, "id_token_signing_alg_values_supported", algs, COUNT(algs));
	add_words(o, "code_challenge_methods_supported", challenges, COUNT(challenges));
	add_words(o, "subject_types_supported", subjects, COUNT(subjects));
	reply_json(reply, 200, o);
}

static void answer_keys(struct sandbox *s, struct request *r, struct reply *reply)
{
	cJSON *all = cJSON_CreateObject();

	cJSON_AddItemToArray(cJSON_AddArrayToObject(all, "keys"), jwk_of(r->work, s->google->key, s->google->key_id));
	reply_json(reply, 200, all);
}

/* The same key as older clients want it: in a certificate that signs itself. */
static X509 *certificate_of(EVP_PKEY *key)
{
	static const unsigned char of[] = "federated-signon.system.gserviceaccount.com";
	X509      *x = X509_new();
	X509_NAME *name = x ? X509_get_subject_name(x) : NULL;
	bool       fine = x && X509_set_version(x, 2) == 1 && ASN1_INTEGER_set(X509_get_serialNumber(x), 1) == 1
	               && X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, of, -1, -1, 0) == 1 && X509_set_issuer_name(x, name) == 1
	               && X509_gmtime_adj(X509_getm_notBefore(x), -DAY) && X509_gmtime_adj(X509_getm_notAfter(x), DAY)
	               && X509_set_pubkey(x, key) == 1 && X509_sign(x, key, EVP_sha256()) > 0;

	if (fine)
		return x;
	X509_free(x);
	return NULL;
}

static void answer_certificates(struct sandbox *s, struct request *r, struct reply *reply)
{
	cJSON *all = cJSON_CreateObject();
	X509  *x = certificate_of(s->google->key);
	BIO   *out = BIO_new(BIO_s_mem());
	char  *bytes;
	long   len;

	if (x && out && PEM_write_bio_X509(out, x) == 1 && (len = BIO_get_mem_data(out, &bytes)) > 0)
		cJSON_AddStringToObject(all, s->google->key_id, arena_copy(r->work, slice(bytes, (size_t)len)));
	BIO_free(out);
	X509_free(x);
	reply_json(reply, 200, all);
}

/* -- by host and path -------------------------------------------------------------------------------------------------- */

/* `path` NULL: all of the host's. */
static const struct { const char *host, *path; void (*answer)(struct sandbox *, struct request *, struct reply *); } paths[] = {
	{ GACCOUNTS_HOST, "/o/oauth2/v2/auth", answer_google_authorize }, { GACCOUNTS_HOST, "/o/oauth2/auth", answer_google_authorize },
	{ GACCOUNTS_HOST, "/v3/signin/identifier", answer_google_identifier }, { GACCOUNTS_HOST, "/signin/oauth/consent", answer_google_consent },
	{ GACCOUNTS_HOST, "/signin/oauth/error", answer_google_error_page }, { GACCOUNTS_HOST, "/Logout", answer_google_logout },
	{ GACCOUNTS_HOST, "/.well-known/openid-configuration", answer_configuration },
	{ GTOKEN_HOST, "/token", answer_google_token }, { GTOKEN_HOST, "/revoke", answer_google_revoke },
	{ GTOKEN_HOST, "/tokeninfo", answer_google_token_info },
	{ GAPIS_HOST, "/oauth2/v4/token", answer_google_token },      /* its older address, which Google's own clients still have */
	{ GAPIS_HOST, "/oauth2/v3/certs", answer_keys }, { GAPIS_HOST, "/oauth2/v1/certs", answer_certificates },
	{ GMAIL_HOST, NULL, answer_google_api }, { GAPIS_HOST, NULL, answer_google_api }, { GUSERINFO_HOST, NULL, answer_google_api },
};

static const char *const hosts[] = { GACCOUNTS_HOST, GTOKEN_HOST, GMAIL_HOST, GAPIS_HOST, GUSERINFO_HOST };

const char *google_host(size_t n)
{
	return n < COUNT(hosts) ? hosts[n] : NULL;
}

static bool is_host(const char *host)
{
	for (size_t i = 0; i < COUNT(hosts); i++)
		if (strcmp(host, hosts[i]) == 0)
			return true;
	return false;
}

bool google_answers(struct sandbox *s, struct request *r, struct reply *reply)
{
	if (!s->google || !is_host(r->host))
		return false;
	for (size_t i = 0; i < COUNT(paths); i++)
		if (strcmp(r->host, paths[i].host) == 0 && (!paths[i].path || strcmp(r->path, paths[i].path) == 0)) {
			paths[i].answer(s, r, reply);
			return true;
		}
	gscreen_begin(reply, 404, "Error 404 (Not Found)!!1");
	gscreen_end(reply);
	return true;
}

void google_names(struct sandbox *s)
{
	const char           *domain = s->google->domain ? s->google->domain : s->domain;
	const struct ordered *elsewhere = orders_at(&s->orders, domain, ORDER_MX);
	bool                  others = (s->cloud || s->exchange) && !s->google->domain;      /* its mail is elsewhere already */

	for (size_t i = 0; i < COUNT(hosts); i++)
		names_add(s->names, hosts[i], RECORD_A, s->google_address, 0, 0);
	if (others)
		return;
	names_add(s->names, domain, RECORD_A, s->auto_address, 0, 0);
	names_add(s->names, domain, RECORD_MX, elsewhere ? elsewhere->value : "aspmx.l.google.com", 1, 0);
	names_add(s->names, domain, RECORD_TXT, elsewhere ? "v=spf1 mx -all" : "v=spf1 include:_spf.google.com ~all", 0, 0);
	names_add(s->names, "gmail.com", RECORD_MX, "gmail-smtp-in.l.google.com", 5, 0);
}

bool google_certificate(struct sandbox *s, enum flaw flaw, struct error *err)
{
	static const char *const other[] = { "portal.example", "legacy.example" };

	return flaw == FLAW_WRONG_NAME ? certificate_make(s->authority, s->own, other, COUNT(other), flaw, &s->google_certificate, err)
	                               : certificate_make(s->authority, s->own, hosts, COUNT(hosts), flaw, &s->google_certificate, err);
}

/* -- what is told ---------------------------------------------------------------------------------------------------- */

/* What the token endpoint would have answered to whoever signed in as this account, so many days ago as was ordered. */
static cJSON *grant_told(struct sandbox *s, struct arena *work, struct account *a)
{
	const char *unticked, *days;
	int64_t     at;
	cJSON      *o;

	account_served(s, a);
	unticked = ordered_value(s, ORDER_GOOGLE_UNTICKED);
	days = ordered_value(s, ORDER_GOOGLE_AGE);
	at = now_s() - (days ? strtol(days, NULL, 10) : 0) * DAY;
	if (is_ordered(s, ORDER_WRONG_ACCOUNT))
		a = google_somebody_else(s, a);
	o = google_grant(s, work, a, unticked ? gscope_without(work, ASKED_FOR, unticked) : ASKED_FOR, NULL, true, at);
	cJSON_AddNumberToObject(o, "obtained_at", (double)at);
	return o;
}

/* False: errno says why. */
static bool write_file(const char *path, cJSON *o)
{
	int   fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;
	char *text = cJSON_PrintUnformatted(o);
	bool  fine = f && fprintf(f, "%s\n", text) > 0;

	if (f && fclose(f) != 0)
		fine = false;
	cJSON_free(text);
	cJSON_Delete(o);
	return fine;
}

bool google_tell(struct sandbox *s, struct error *err)
{
	CLEANUP(arena) struct arena *work = arena_new();
	struct sandbox_places *p = &s->places;

	p->google_client_id = GOOGLE_CLIENT;
	p->google_client_secret = GOOGLE_SECRET;
	p->google_topic = GOOGLE_TOPIC;
	p->google_pusher = GOOGLE_PUSHER;
	p->google_service_account = arena_print(s->own, "%s/service-account.json", s->folder);
	if (!write_file(p->google_service_account, google_service_file(s, work)))
		return fail(err, FAULT_LOCAL, "%s: %s", p->google_service_account, strerror(errno));
	for (size_t i = 0; i < p->addresses; i++) {
		const char *path = arena_print(s->own, "%s/%s.google.json", s->folder, s->accounts[i].mail);

		if (!google_has(s, &s->accounts[i]))
			continue;
		if (!write_file(path, grant_told(s, work, &s->accounts[i])))
			return fail(err, FAULT_LOCAL, "%s: %s", path, strerror(errno));
		p->google_token_file[i] = path;
	}
	orders_serve(&s->orders, NULL);
	return true;
}

/* -- its life -------------------------------------------------------------------------------------------------------- */

struct google *google_new(struct sandbox *s, const struct sandbox_wishes *w, struct error *err)
{
	struct google *g = must_alloc(sizeof *g);

	g->domain = w->google_domain ? arena_str(s->own, w->google_domain) : NULL;
	g->push_to = w->push_to ? arena_str(s->own, w->push_to) : NULL;
	g->key = EVP_RSA_gen(KEY_BITS);
	g->service_key = EVP_RSA_gen(KEY_BITS);
	g->key_id = random_text(s->own, 40);
	g->history_id = GOOGLE_FIRST_HISTORY;
	if (g->key && g->service_key)
		return g;
	fail(err, FAULT_LOCAL, "OpenSSL makes no keys");
	google_free(g);
	return NULL;
}

void google_free(struct google *g)
{
	if (!g)
		return;
	while (g->newest) {
		struct gtoken *t = g->newest;

		g->newest = t->older;
		arena_free(t->own);
		free(t);
	}
	while (g->gone) {
		struct ggone *one = g->gone;

		g->gone = one->older;
		free(one->id);
		free(one);
	}
	letters_free(g->letters);
	for (size_t i = 0; i < COUNT(g->granted); i++)
		free(g->granted[i]);
	free(g->history);
	EVP_PKEY_free(g->key);
	EVP_PKEY_free(g->service_key);
	free(g);
}
