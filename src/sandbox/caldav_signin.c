/* Who it is, at a calendar server: Basic, Digest (RFC 7616), and what providers have in their place (facts G G.3, G.4). */
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include <openssl/evp.h>

#include "base/clock.h"
#include "base/hmac.h"
#include "sandbox/caldav.h"
#include "sandbox/text.h"

#define NONCE_LIVES_S 300
#define QOP           "auth"

static const struct dav_provider providers[] = {
	{ "caldav.icloud.com", "MMCalDav", "icloud.com me.com mac.com", DAV_BASIC | DAV_MOBILEME, true, "p42-caldav.icloud.com" },
	{ "p42-caldav.icloud.com", "MMCalDav", "", DAV_BASIC | DAV_MOBILEME, true, NULL },
	{ "caldav.fastmail.com", "caldav.fastmail.com", "fastmail.com fastmail.fm", DAV_BASIC, true, NULL },
	{ "caldav.calendar.yahoo.com", "Yahoo! Calendar", "yahoo.com yahoo.co.uk yahoo.de ymail.com", DAV_BASIC, true, NULL },
	{ "apidata.googleusercontent.com", "https://accounts.google.com/", "gmail.com googlemail.com", DAV_BEARER, false, NULL },
};

const struct dav_provider *dav_provider_at(size_t n)
{
	return n < COUNT(providers) ? &providers[n] : NULL;
}

const struct dav_provider *dav_provider_of(const char *host)
{
	for (size_t i = 0; i < COUNT(providers); i++)
		if (strcmp(providers[i].host, host) == 0)
			return &providers[i];
	return NULL;
}

/* -- Digest --------------------------------------------------------------------------------------------------------- */

static const char *hashed(struct arena *work, bool sha256, const char *text)
{
	unsigned char d[EVP_MAX_MD_SIZE];
	unsigned      len = 0;
	char         *out;

	EVP_Digest(text, strlen(text), d, &len, sha256 ? EVP_sha256() : EVP_md5(), NULL);
	out = arena_get(work, 2 * (size_t)len + 1);
	for (unsigned i = 0; i < len; i++)
		snprintf(out + 2 * i, 3, "%02x", d[i]);
	return out;
}

/* When it was given, and that it was given here. */
static const char *nonce_at(struct sandbox *s, struct arena *work, int64_t at)
{
	const char   *time = arena_print(work, "%llx", (unsigned long long)at);
	unsigned char mac[HMAC_BYTES];

	hmac_sha256(slice((const char *)s->almanac->key, sizeof s->almanac->key), slice_str(time), mac);
	return arena_print(work, "%s-%02x%02x%02x%02x%02x%02x%02x%02x", time, mac[0], mac[1], mac[2], mac[3], mac[4], mac[5], mac[6], mac[7]);
}

static int64_t seconds_now(void)
{
	return clock_unix_ms() / 1000;
}

/* `*stale`: it is ours, and too old. */
static bool is_nonce(struct sandbox *s, struct arena *work, const char *nonce, bool *stale)
{
	int64_t at = (int64_t)strtoull(nonce, NULL, 16);

	*stale = false;
	if (strcmp(nonce_at(s, work, at), nonce) != 0)
		return false;
	*stale = seconds_now() - at > NONCE_LIVES_S || orders_take(&s->orders, ORDER_DAV_STALE);
	return !*stale;
}

/* The value of `name` in what stands behind "Digest"; "": none. */
static const char *field_of(struct arena *work, const char *text, const char *name)
{
	size_t len = strlen(name);

	while (*text) {
		const char *begin, *end;

		text += strspn(text, " ,\t");
		begin = text;
		text += strcspn(text, "=");
		if (!*text)
			return "";
		end = text++;
		if (*text == '"') {
			size_t n = strcspn(text + 1, "\"");

			if ((size_t)(end - begin) == len && strncasecmp(begin, name, len) == 0)
				return arena_copy(work, slice(text + 1, n));
			text += n + 1 + (text[n + 1] == '"');
		} else {
			size_t n = strcspn(text, ", \t");

			if ((size_t)(end - begin) == len && strncasecmp(begin, name, len) == 0)
				return arena_copy(work, slice(text, n));
			text += n;
		}
	}
	return "";
}

static bool is_proven(struct request *r, const char *digest, bool sha256, const char *user, const char *password)
{
	struct arena *work = r->work;
	const char   *realm = field_of(work, digest, "realm"), *qop = field_of(work, digest, "qop"), *nonce = field_of(work, digest, "nonce");
	const char   *one = hashed(work, sha256, arena_print(work, "%s:%s:%s", user, realm, password));
	const char   *two = hashed(work, sha256, arena_print(work, "%s:%s", r->method, field_of(work, digest, "uri")));
	const char   *all = strcmp(qop, QOP) == 0 ? arena_print(work, "%s:%s:%s:%s:%s:%s", one, nonce, field_of(work, digest, "nc"),
	                                                        field_of(work, digest, "cnonce"), qop, two)
	                                          : arena_print(work, "%s:%s:%s", one, nonce, two);

	return strcasecmp(hashed(work, sha256, all), field_of(work, digest, "response")) == 0;
}

/* -- what is offered -------------------------------------------------------------------------------------------------- */

static const struct { const char *name; enum dav_scheme scheme; } schemes[] = {
	{ "basic", DAV_BASIC }, { "digest", DAV_DIGEST }, { "digest-sha256", DAV_DIGEST_SHA256 }, { "bearer", DAV_BEARER }, { "negotiate", DAV_NEGOTIATE },
};

static unsigned schemes_of(struct sandbox *s, const struct dav_provider *p)
{
	struct ordered *o = orders_has(&s->orders, ORDER_DAV_SCHEMES);
	struct slice    rest = slice_str(o ? o->value : "");
	unsigned        all = 0;

	if (!o)
		return p ? p->schemes : DAV_BASIC;
	while (rest.len) {
		struct slice one = slice_cut(&rest, ',');

		for (size_t i = 0; i < COUNT(schemes); i++)
			if (slice_is(one, schemes[i].name))
				all |= schemes[i].scheme;
	}
	return all;
}

static void challenge_digest(struct sandbox *s, struct request *r, struct reply *reply, const char *realm, bool sha256, bool stale)
{
	reply_header(reply, r, "WWW-Authenticate", "Digest realm=\"%s\", qop=\"" QOP "\", algorithm=%s, nonce=\"%s\", opaque=\"%s\"%s", realm,
	             sha256 ? "SHA-256" : "MD5", nonce_at(s, r->work, seconds_now()), hashed(r->work, false, realm), stale ? ", stale=true" : "");
}

static struct account *refused(struct sandbox *s, struct request *r, struct reply *reply, bool stale)
{
	const struct dav_provider *p = dav_provider_of(r->host);
	const char                *realm = p ? p->realm : r->host;
	unsigned                   offered = schemes_of(s, p);

	if (r->scheme && !stale) {
		r->login = "refused";
		s->counts.refused++;
	}
	reply->status = 401;
	reply->type = "text/html; charset=utf-8";
	if (offered & DAV_NEGOTIATE)
		reply_header(reply, r, "WWW-Authenticate", "Negotiate");
	if (offered & DAV_BEARER)
		reply_header(reply, r, "WWW-Authenticate", "Bearer realm=\"%s\"%s", realm, r->scheme ? ", error=\"invalid_token\"" : "");
	if (offered & DAV_DIGEST_SHA256)
		challenge_digest(s, r, reply, realm, true, stale);
	if (offered & DAV_DIGEST)
		challenge_digest(s, r, reply, realm, false, stale);
	if (offered & DAV_BASIC)
		reply_header(reply, r, "WWW-Authenticate", "Basic realm=\"%s\"", realm);
	if (offered & DAV_MOBILEME)
		reply_header(reply, r, "WWW-Authenticate", "X-MobileMe-AuthToken realm=\"%s\"", realm);
	buffer_add_str(&reply->body, "<html><head><title>Unauthorized</title></head><body><h1>Unauthorized</h1></body></html>");
	return NULL;
}

/* -- who ------------------------------------------------------------------------------------------------------------- */

static struct account *named(struct sandbox *s, const char *user)
{
	for (size_t i = 0; i < s->account_count; i++) {
		struct account *a = &s->accounts[i];

		if (((s->name_forms & NAME_MAIL) && (strcasecmp(user, a->mail) == 0 || strcasecmp(user, a->alias) == 0))
		    || ((s->name_forms & NAME_BARE) && strcasecmp(user, a->sam) == 0))
			return a;
	}
	return NULL;
}

static const char *password_of(struct sandbox *s, const struct request *r, const struct account *a)
{
	const struct dav_provider *p = dav_provider_of(r->host);

	return orders_has(&s->orders, ORDER_DAV_APP_PASSWORD) || (p && p->app_passwords) ? SANDBOX_APP_PASSWORD : a->password;
}

static struct account *let_in(struct sandbox *s, struct request *r, struct reply *reply, struct account *a)
{
	if (!a || orders_take(&s->orders, ORDER_REFUSE))
		return refused(s, r, reply, false);
	r->login = "accepted";
	s->counts.accepted++;
	return a;
}

static struct account *by_basic(struct sandbox *s, struct request *r, struct reply *reply, const char *token)
{
	struct slice    plain, user;
	struct account *a;

	r->scheme = "Basic";
	if (!(schemes_of(s, dav_provider_of(r->host)) & DAV_BASIC) || !base64_read(r->work, slice_str(token), &plain))
		return refused(s, r, reply, false);
	user = slice_cut(&plain, ':');
	r->user = arena_copy(r->work, user);
	a = account_served(s, named(s, r->user));
	return let_in(s, r, reply, a && plain.at && slice_equal(plain, slice_str(password_of(s, r, a))) ? a : NULL);
}

static struct account *by_digest(struct sandbox *s, struct request *r, struct reply *reply, const char *digest)
{
	bool            sha256 = strcasecmp(field_of(r->work, digest, "algorithm"), "SHA-256") == 0, stale;
	struct account *a;

	r->scheme = "Digest";
	r->user = field_of(r->work, digest, "username");
	a = account_served(s, named(s, r->user));
	if (!(schemes_of(s, dav_provider_of(r->host)) & (sha256 ? DAV_DIGEST_SHA256 : DAV_DIGEST)))
		return refused(s, r, reply, false);
	if (!is_nonce(s, r->work, field_of(r->work, digest, "nonce"), &stale))
		return refused(s, r, reply, stale);
	return let_in(s, r, reply, a && is_proven(r, digest, sha256, r->user, password_of(s, r, a)) ? a : NULL);
}

struct account *almanac_sign_in(struct sandbox *s, struct request *r, struct reply *reply)
{
	const char *said = request_header(r, "Authorization");

	if (!said)
		return refused(s, r, reply, false);
	if (strncasecmp(said, "Basic ", 6) == 0)
		return by_basic(s, r, reply, said + 6);
	if (strncasecmp(said, "Digest ", 7) == 0)
		return by_digest(s, r, reply, said + 7);
	r->scheme = arena_copy(r->work, slice(said, strcspn(said, " ")));
	return refused(s, r, reply, false);
}
