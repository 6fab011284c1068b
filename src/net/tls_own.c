/* What is made of a struct own_trust: its certificates in a store, read once for all connections that go by the same content. */
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/queue.h>

#include "base/arena.h"
#include "net/tls_openssl.h"

#define BUCKETS 256

struct tls_own {
	char               id[65];          /* SHA-256 of the content                            */
	unsigned           holders;
	struct tls_owns   *among;           /* NULL: those are gone, the last holder frees it    */
	STACK_OF(X509)    *anchors;         /* of ca_pem; NULL: none                             */
	X509_STORE        *store;           /* they and all that is trusted anyway; NULL: none   */
	char              *pin;
	LIST_ENTRY(tls_own)  bucket;
	TAILQ_ENTRY(tls_own) unused;        /* while nobody holds it                             */
};

struct tls_owns {
	LIST_HEAD(, tls_own)  bucket[BUCKETS];
	TAILQ_HEAD(, tls_own) oldest_unused_first;
	size_t                unused;
};

struct tls_owns *tls_owns_new(void)
{
	struct tls_owns *o = must_alloc(sizeof *o);

	TAILQ_INIT(&o->oldest_unused_first);
	return o;
}

static void destroy(struct tls_own *own)
{
	sk_X509_pop_free(own->anchors, X509_free);
	X509_STORE_free(own->store);
	free(own->pin);
	free(own);
}

static void drop_oldest_unused(struct tls_owns *o)
{
	struct tls_own *own = TAILQ_FIRST(&o->oldest_unused_first);

	TAILQ_REMOVE(&o->oldest_unused_first, own, unused);
	LIST_REMOVE(own, bucket);
	o->unused--;
	destroy(own);
}

void tls_owns_free(struct tls_owns *o)
{
	struct tls_own *own;

	if (!o)
		return;
	while (o->unused)
		drop_oldest_unused(o);
	for (size_t i = 0; i < BUCKETS; i++)
		while ((own = LIST_FIRST(&o->bucket[i]))) {
			LIST_REMOVE(own, bucket);
			own->among = NULL;
		}
	free(o);
}

void tls_own_release(struct tls_own *own)
{
	if (!own || --own->holders > 0)
		return;
	if (!own->among) {
		destroy(own);
		return;
	}
	TAILQ_INSERT_TAIL(&own->among->oldest_unused_first, own, unused);
	if (++own->among->unused > TLS_OWN_UNUSED)
		drop_oldest_unused(own->among);
}

/* -- made of its content -------------------------------------------------------------------------------------------- */

static bool identify(const struct own_trust *t, char out[65])
{
	EVP_MD_CTX   *ctx = EVP_MD_CTX_new();
	unsigned char digest[32];
	const char   *ca = t->ca_pem ? t->ca_pem : "", *pin = t->pin ? t->pin : "";
	bool          fine = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) && EVP_DigestUpdate(ctx, ca, strlen(ca) + 1)
	                  && EVP_DigestUpdate(ctx, pin, strlen(pin) + 1) && EVP_DigestFinal_ex(ctx, digest, NULL);

	EVP_MD_CTX_free(ctx);
	if (fine)
		hex_of(digest, out);
	return fine;
}

static bool is_pin(const char *pin)
{
	return strlen(pin) == 64 && strspn(pin, "0123456789abcdefABCDEF") == 64;
}

/* OpenSSL would ask at the terminal for the password of an encrypted one. */
static int no_password(char *at, int size, int writing, void *unused)
{
	(void)at, (void)size, (void)writing, (void)unused;
	return 0;
}

/* NULL: none in there, or one that is broken. */
static STACK_OF(X509) *read_certificates(const char *pem)
{
	BIO            *bio = BIO_new_mem_buf(pem, -1);
	STACK_OF(X509) *all = sk_X509_new_null();
	X509           *one;

	while (bio && all && (one = PEM_read_bio_X509(bio, NULL, no_password, NULL)))
		if (!sk_X509_push(all, one))
			X509_free(one);
	/* after the last one there is nothing that begins like one */
	if (sk_X509_num(all) < 1 || ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) {
		sk_X509_pop_free(all, X509_free);
		all = NULL;
	}
	BIO_free(bio);
	ERR_clear_error();
	return all;
}

bool tls_own_check(const struct own_trust *t, struct error *err)
{
	STACK_OF(X509) *all = t->ca_pem ? read_certificates(t->ca_pem) : NULL;
	bool            fine = !t->ca_pem || all;

	sk_X509_pop_free(all, X509_free);
	if (!fine)
		return fail(err, FAULT_MALFORMED, "is not certificates, one after the other, in PEM");
	return !t->pin || is_pin(t->pin) || fail(err, FAULT_MALFORMED, "is not 64 hexadecimal digits");
}

static bool fill(X509_STORE *store, STACK_OF(X509) *certificates)
{
	bool fine = true;

	for (int i = 0; fine && i < sk_X509_num(certificates); i++)
		fine = X509_STORE_add_cert(store, sk_X509_value(certificates, i)) == 1;
	return fine;
}

static bool make_store(struct tls_own *own, X509_STORE *everybodys)
{
	STACK_OF(X509) *theirs = X509_STORE_get1_all_certs(everybodys);
	bool            fine;

	own->store = trust_store_new();
	fine = own->store && fill(own->store, theirs) && fill(own->store, own->anchors);
	sk_X509_pop_free(theirs, X509_free);
	ERR_clear_error();
	return fine;
}

static struct tls_own *make(struct tls_owns *o, const struct own_trust *t, const char *id, X509_STORE *everybodys, struct error *err)
{
	struct tls_own *own;

	if (!tls_own_check(t, err))
		return NULL;
	own = must_alloc(sizeof *own);
	memcpy(own->id, id, sizeof own->id);
	own->pin = t->pin ? must_copy(t->pin) : NULL;
	own->anchors = t->ca_pem ? read_certificates(t->ca_pem) : NULL;
	if (own->anchors && !make_store(own, everybodys)) {
		destroy(own);
		fail(err, FAULT_LOCAL, "OpenSSL cannot make a trust store");
		return NULL;
	}
	own->among = o;
	return own;
}

static size_t bucket_of(const char *id)
{
	return strtoul((char[]){ id[0], id[1], '\0' }, NULL, 16);
}

static struct tls_own *find(struct tls_owns *o, const char *id)
{
	struct tls_own *own;

	LIST_FOREACH(own, &o->bucket[bucket_of(id)], bucket)
		if (strcmp(own->id, id) == 0)
			return own;
	return NULL;
}

struct tls_own *tls_own_hold(struct tls_owns *o, const struct own_trust *t, X509_STORE *everybodys, struct error *err)
{
	char            id[65];
	struct tls_own *own;

	if (!identify(t, id)) {
		fail(err, FAULT_LOCAL, "OpenSSL cannot make a digest");
		return NULL;
	}
	own = find(o, id);
	if (own && own->holders == 0) {
		TAILQ_REMOVE(&o->oldest_unused_first, own, unused);
		o->unused--;
	} else if (!own) {
		own = make(o, t, id, everybodys, err);
		if (!own)
			return NULL;
		LIST_INSERT_HEAD(&o->bucket[bucket_of(id)], own, bucket);
	}
	own->holders++;
	return own;
}

/* -- what it says ----------------------------------------------------------------------------------------------------- */

const char *tls_own_id(const struct tls_own *own)
{
	return own->id;
}

X509_STORE *tls_own_store(const struct tls_own *own, X509_STORE *everybodys)
{
	return own && own->store ? own->store : everybodys;
}

bool tls_own_has_pin(const struct tls_own *own)
{
	return own && own->pin;
}

bool tls_own_pins(const struct tls_own *own, X509 *leaf)
{
	char pin[65];

	certificate_pin(leaf, pin);
	return strcasecmp(pin, own->pin) == 0;
}

bool tls_own_vouches(const struct tls_own *own, const X509 *anchor)
{
	for (int i = 0; own && anchor && i < sk_X509_num(own->anchors); i++)
		if (X509_cmp(sk_X509_value(own->anchors, i), anchor) == 0)
			return true;
	return false;
}

bool tls_own_pin_for_curl(const struct tls_own *own, char out[TLS_PIN_FOR_CURL])
{
	unsigned char digest[32] = { 0 };
	int           used = snprintf(out, TLS_PIN_FOR_CURL, "sha256//");

	if (!own->pin)
		return false;
	for (size_t i = 0; i < sizeof digest; i++)
		digest[i] = (unsigned char)strtoul((char[]){ own->pin[2 * i], own->pin[2 * i + 1], '\0' }, NULL, 16);
	EVP_EncodeBlock((unsigned char *)out + used, digest, sizeof digest);
	return true;
}

/* A private authority may have vouched, or one of all: only a pin leaves no choice. */
enum tls_by tls_own_by_before(const struct tls_own *own)
{
	return tls_own_has_pin(own) ? TLS_BY_OWN_PIN : TLS_BY_ALL;
}
