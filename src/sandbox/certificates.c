#include "sandbox/certificates.h"

#include <stdlib.h>

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/buffer.h"
#include "base/random.h"

#define DAY 86400L

/* A name that signs. */
struct signer {
	EVP_PKEY *key;
	X509     *certificate;
};

struct authority {
	struct signer root, other, inspector, between;      /* `between` is the root's */
};

/* -- one certificate ---------------------------------------------------------------------------------------------- */

static void extend(X509 *x, X509 *issuer, int what, const char *value)
{
	X509V3_CTX      context;
	X509_EXTENSION *e;

	X509V3_set_ctx(&context, issuer, x, NULL, NULL, 0);
	e = X509V3_EXT_conf_nid(NULL, &context, what, value);
	if (e)
		X509_add_ext(x, e, -1);
	X509_EXTENSION_free(e);
}

static void number_it(X509 *x)
{
	unsigned char serial[16];
	BIGNUM       *n;

	random_bytes(serial, sizeof serial);
	serial[0] &= 0x7f;
	n = BN_bin2bn(serial, sizeof serial, NULL);
	BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x));
	BN_free(n);
}

/* By itself when `by` is NULL. The caller frees it. */
static X509 *certify(EVP_PKEY *key, const char *common_name, const struct signer *by, long from_s, long to_s)
{
	X509 *x = X509_new();

	X509_set_version(x, X509_VERSION_3);
	number_it(x);
	X509_gmtime_adj(X509_getm_notBefore(x), from_s);
	X509_gmtime_adj(X509_getm_notAfter(x), to_s);
	X509_set_pubkey(x, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "O", MBSTRING_UTF8, (const unsigned char *)"Mailmoor sandbox", -1, -1, 0);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_UTF8, (const unsigned char *)common_name, -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(by ? by->certificate : x));
	return x;
}

static void sign(X509 *x, EVP_PKEY *key, const struct signer *by)
{
	X509 *issuer = by ? by->certificate : x;

	extend(x, issuer, NID_subject_key_identifier, "hash");
	extend(x, issuer, NID_authority_key_identifier, "keyid");
	X509_sign(x, by ? by->key : key, EVP_sha256());
}

/* -- authorities -------------------------------------------------------------------------------------------------- */

static void signer_make(struct signer *s, const char *name, const struct signer *by)
{
	s->key = EVP_EC_gen("P-256");
	s->certificate = certify(s->key, name, by, -DAY, 30 * DAY);
	extend(s->certificate, by ? by->certificate : s->certificate, NID_basic_constraints, "critical,CA:TRUE");
	extend(s->certificate, by ? by->certificate : s->certificate, NID_key_usage, "critical,keyCertSign,cRLSign");
	sign(s->certificate, s->key, by);
}

static void signer_release(struct signer *s)
{
	EVP_PKEY_free(s->key);
	X509_free(s->certificate);
}

struct authority *authority_new(void)
{
	struct authority *a = must_alloc(sizeof *a);

	signer_make(&a->root, "Mailmoor sandbox authority", NULL);
	signer_make(&a->other, "Somebody's own authority", NULL);
	signer_make(&a->inspector, "FortiGate CA", NULL);
	signer_make(&a->between, "Mailmoor sandbox intermediate", &a->root);
	return a;
}

void authority_free(struct authority *a)
{
	if (!a)
		return;
	signer_release(&a->root);
	signer_release(&a->other);
	signer_release(&a->inspector);
	signer_release(&a->between);
	free(a);
}

static struct slice der_of(X509 *x, struct arena *into)
{
	unsigned char *der = NULL;
	int            len = i2d_X509(x, &der);
	const char    *kept = arena_copy(into, slice((const char *)der, (size_t)len));

	OPENSSL_free(der);
	return slice(kept, (size_t)len);
}

static const char *all_of(BIO *bio, struct arena *into)
{
	char       *at;
	long        len = BIO_get_mem_data(bio, &at);
	const char *text = arena_copy(into, slice(at, (size_t)len));

	BIO_free(bio);
	return text;
}

static const char *pem_of(X509 *x, struct arena *into)
{
	BIO *bio = BIO_new(BIO_s_mem());

	PEM_write_bio_X509(bio, x);
	return all_of(bio, into);
}

const char *authority_pem(struct authority *a, struct arena *into)
{
	return pem_of(a->root.certificate, into);
}

struct slice authority_intermediate(struct authority *a, struct arena *into)
{
	return der_of(a->between.certificate, into);
}

/* -- servers ------------------------------------------------------------------------------------------------------ */

/* Who signs it, what is sent along, and when it holds. */
struct recipe {
	enum flaw flaw;
	size_t    by;              /* offset of a signer in the authority, or ITSELF */
	bool      sends_issuer;
	long      from_s, to_s;
};

#define ITSELF     SIZE_MAX
#define BY(signer) offsetof(struct authority, signer)

static const struct recipe recipes[] = {
	{ FLAW_NONE,            BY(root),    false, -DAY,     20 * DAY },
	{ FLAW_EXPIRED,         BY(root),    false, -90 * DAY, -3 * DAY },
	{ FLAW_NOT_YET,         BY(root),    false, 2 * DAY,  20 * DAY },
	{ FLAW_WRONG_NAME,      BY(root),    false, -DAY,     20 * DAY },
	{ FLAW_SELF_SIGNED,     ITSELF,      false, -DAY,     20 * DAY },
	{ FLAW_OTHER_AUTHORITY, BY(other),   true,  -DAY,     20 * DAY },
	{ FLAW_NO_ISSUER,       BY(between), false, -DAY,     20 * DAY },
	{ FLAW_NAME_IN_SUBJECT, BY(root),    false, -DAY,     20 * DAY },
	{ FLAW_WEAK,            BY(root),    false, -DAY,     20 * DAY },
	{ FLAW_REVOKED,         BY(root),    false, -DAY,     20 * DAY },
	{ FLAW_INSPECTED,       BY(inspector), true, -DAY,    20 * DAY },
};

static const struct recipe *recipe_of(enum flaw flaw)
{
	for (size_t i = 0; i < COUNT(recipes); i++)
		if (recipes[i].flaw == flaw)
			return &recipes[i];
	return &recipes[0];
}

static const char *names_text(struct arena *into, const char *const names[], size_t count)
{
	const char *text = "";

	for (size_t i = 0; i < count; i++)
		text = arena_print(into, "%s%sDNS:%s", text, i ? "," : "", names[i]);
	return text;
}

static void write_out(EVP_PKEY *key, X509 *x, const struct signer *along, struct arena *into, struct certificate *out)
{
	BIO *bio = BIO_new(BIO_s_mem());

	out->der = der_of(x, into);
	PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
	out->key = all_of(bio, into);
	out->chain = pem_of(x, into);
	if (along)
		out->chain = arena_print(into, "%s%s", out->chain, pem_of(along->certificate, into));
}

/* "It was revoked yesterday", by its issuer itself. */
static struct slice revocation_of(X509 *x, const struct signer *by, struct arena *into)
{
	OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
	OCSP_CERTID    *id = OCSP_cert_to_id(EVP_sha1(), x, by->certificate);
	ASN1_TIME      *since = X509_gmtime_adj(NULL, -DAY), *now = X509_gmtime_adj(NULL, -60), *until = X509_gmtime_adj(NULL, 7 * DAY);
	OCSP_RESPONSE  *response;
	unsigned char  *der = NULL;
	const char     *kept;
	int             len;

	OCSP_basic_add1_status(basic, id, V_OCSP_CERTSTATUS_REVOKED, OCSP_REVOKED_STATUS_KEYCOMPROMISE, since, now, until);
	OCSP_basic_sign(basic, by->certificate, by->key, EVP_sha256(), NULL, 0);
	response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
	len = i2d_OCSP_RESPONSE(response, &der);
	kept = len > 0 ? arena_copy(into, slice((const char *)der, (size_t)len)) : "";
	OPENSSL_free(der);
	OCSP_RESPONSE_free(response);
	OCSP_BASICRESP_free(basic);
	OCSP_CERTID_free(id);
	ASN1_TIME_free(since);
	ASN1_TIME_free(now);
	ASN1_TIME_free(until);
	return slice(kept, len > 0 ? (size_t)len : 0);
}

bool certificate_make(struct authority *a, struct arena *into, const char *const names[], size_t count, enum flaw flaw,
                      struct certificate *out, struct error *err)
{
	const struct recipe *r = recipe_of(flaw);
	const struct signer *by = r->by == ITSELF ? NULL : (const struct signer *)(const void *)((const char *)a + r->by);
	EVP_PKEY            *key = flaw == FLAW_WEAK ? EVP_RSA_gen(1024) : EVP_EC_gen("P-256");
	X509                *x;

	if (!key || !a->root.key)
		return fail(err, FAULT_LOCAL, "OpenSSL makes no keys");
	x = certify(key, names[0], by, r->from_s, r->to_s);
	extend(x, by ? by->certificate : x, NID_basic_constraints, "CA:FALSE");
	extend(x, by ? by->certificate : x, NID_ext_key_usage, "serverAuth");
	if (flaw != FLAW_NAME_IN_SUBJECT)
		extend(x, by ? by->certificate : x, NID_subject_alt_name, names_text(into, names, count));
	if (flaw == FLAW_NO_ISSUER)
		extend(x, by->certificate, NID_info_access, arena_print(into, "caIssuers;URI:http://%s" AUTHORITY_PATH, names[0]));
	sign(x, key, by);
	write_out(key, x, r->sends_issuer ? by : NULL, into, out);
	out->staple = flaw == FLAW_REVOKED ? revocation_of(x, by, into) : slice(NULL, 0);
	X509_free(x);
	EVP_PKEY_free(key);
	return true;
}
