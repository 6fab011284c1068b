#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <time.h>

#include "net/tls_openssl.h"

/* At most size - 1 bytes, cut between characters, control characters made '?'. */
static void put_line(char *out, size_t size, const char *text, size_t len)
{
	if (len > size - 1) {
		len = size - 1;
		while (len && ((unsigned char)text[len] & 0xC0) == 0x80)
			len--;
	}
	for (size_t i = 0; i < len; i++)
		out[i] = (unsigned char)text[i] < 0x20 || text[i] == 0x7F ? '?' : text[i];
	out[len] = '\0';
}

/* A DNS name or a URL: nothing but visible ASCII can be one. */
static void put_ascii(char *out, size_t size, const char *text, size_t len)
{
	put_line(out, size, text, len);
	for (char *c = out; *c; c++)
		if (*c < 0x21 || *c > 0x7E)
			*c = '?';
}

static void name_line(const X509_NAME *name, char *out, size_t size)
{
	/* RFC 4514 order, with spaces for people, and UTF-8 as it is. */
	unsigned long letters = ASN1_STRFLGS_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB;
	unsigned long how = letters | XN_FLAG_SEP_CPLUS_SPC | XN_FLAG_DN_REV | XN_FLAG_FN_SN;
	BIO          *line = BIO_new(BIO_s_mem());
	char         *text;

	if (line && X509_NAME_print_ex(line, name, 0, how) >= 0) {
		long len = BIO_get_mem_data(line, &text);

		put_line(out, size, text, len > 0 ? (size_t)len : 0);
	}
	BIO_free(line);
}

static bool name_part(const X509_NAME *name, int nid, char *out, size_t size)
{
	int            at = X509_NAME_get_index_by_NID(name, nid, -1);
	unsigned char *text;
	int            len;

	if (at < 0)
		return false;
	len = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
	if (len < 0)
		return false;
	put_line(out, size, (const char *)text, (size_t)len);
	OPENSSL_free(text);
	return *out != '\0';
}

static void name_short(const X509_NAME *name, char *out, size_t size)
{
	if (!name_part(name, NID_commonName, out, size))
		name_part(name, NID_organizationName, out, size);
}

static bool general_name_text(const GENERAL_NAME *g, char *out, size_t size)
{
	int                type;
	const ASN1_STRING *value = GENERAL_NAME_get0_value(g, &type);

	if (type == GEN_DNS || type == GEN_URI) {
		put_ascii(out, size, (const char *)ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value));
		return *out != '\0';
	}
	if (type == GEN_IPADD && ASN1_STRING_length(value) == 4)
		return inet_ntop(AF_INET, ASN1_STRING_get0_data(value), out, (socklen_t)size) != NULL;
	if (type == GEN_IPADD && ASN1_STRING_length(value) == 16)
		return inet_ntop(AF_INET6, ASN1_STRING_get0_data(value), out, (socklen_t)size) != NULL;
	return false;
}

static void alternative_names(X509 *x, char *out, size_t size)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
	size_t         used = 0;

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *g = sk_GENERAL_NAME_value(names, i);
		char                text[256];
		size_t              len;

		if (g->type == GEN_URI || !general_name_text(g, text, sizeof text))
			continue;
		len = strlen(text);
		if (used + len + 2 >= size)
			break;
		used += (size_t)snprintf(out + used, size - used, "%s%s", used ? ", " : "", text);
	}
	GENERAL_NAMES_free(names);
}

static void issuer_url(X509 *x, char *out, size_t size)
{
	AUTHORITY_INFO_ACCESS *aia = X509_get_ext_d2i(x, NID_info_access, NULL, NULL);

	for (int i = 0; i < sk_ACCESS_DESCRIPTION_num(aia); i++) {
		const ACCESS_DESCRIPTION *d = sk_ACCESS_DESCRIPTION_value(aia, i);

		if (OBJ_obj2nid(d->method) == NID_ad_ca_issuers && d->location->type == GEN_URI
		    && general_name_text(d->location, out, size))
			break;
	}
	AUTHORITY_INFO_ACCESS_free(aia);
}

static int64_t unix_time(const ASN1_TIME *t)
{
	struct tm tm;

	return t && ASN1_TIME_to_tm(t, &tm) ? (int64_t)timegm(&tm) : 0;
}

int64_t certificate_not_after(const X509 *x)
{
	return unix_time(X509_get0_notAfter(x));
}

void hex_of(const unsigned char digest[32], char out[65])
{
	for (size_t i = 0; i < 32; i++)
		snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

static void fingerprint(const X509 *x, char out[65])
{
	unsigned char digest[EVP_MAX_MD_SIZE];

	if (X509_digest(x, EVP_sha256(), digest, NULL))
		hex_of(digest, out);
}

void certificate_pin(X509 *x, char out[65])
{
	unsigned char  digest[EVP_MAX_MD_SIZE];
	unsigned char *der = NULL;
	int            len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &der);

	*out = '\0';
	if (len > 0 && EVP_Digest(der, (size_t)len, digest, NULL, EVP_sha256(), NULL))
		hex_of(digest, out);
	OPENSSL_free(der);
}

size_t certificate_end_point(X509 *x, unsigned char out[64])
{
	int           hash = NID_undef;
	const EVP_MD *md;
	unsigned      len = 0;

	ERR_set_mark();
	if (x && X509_get_signature_info(x, &hash, NULL, NULL, NULL) != 1)
		hash = NID_undef;
	if (hash == NID_md5 || hash == NID_sha1)
		hash = NID_sha256;
	md = hash == NID_undef ? NULL : EVP_get_digestbynid(hash);
	if (!md || EVP_MD_get_size(md) > 64 || !X509_digest(x, md, out, &len))
		len = 0;
	ERR_pop_to_mark();
	return len;
}

static void key_text(X509 *x, char *out, size_t size)
{
	EVP_PKEY   *key = X509_get0_pubkey(x);
	const char *type = key ? EVP_PKEY_get0_type_name(key) : NULL;

	if (type)
		snprintf(out, size, "%s %d", type, EVP_PKEY_get_bits(key));
}

void certificate_describe(X509 *x, struct tls_certificate *out)
{
	const X509_NAME *subject = X509_get_subject_name(x), *issuer = X509_get_issuer_name(x);
	const char      *signature = OBJ_nid2ln(X509_get_signature_nid(x));

	*out = (struct tls_certificate){ 0 };
	name_line(subject, out->subject, sizeof out->subject);
	name_line(issuer, out->issuer, sizeof out->issuer);
	name_short(subject, out->subject_name, sizeof out->subject_name);
	name_short(issuer, out->issuer_name, sizeof out->issuer_name);
	alternative_names(x, out->names, sizeof out->names);
	issuer_url(x, out->aia, sizeof out->aia);
	fingerprint(x, out->fingerprint);
	certificate_pin(x, out->pin);
	key_text(x, out->key, sizeof out->key);
	snprintf(out->signature, sizeof out->signature, "%s", signature ? signature : "");
	out->not_before = unix_time(X509_get0_notBefore(x));
	out->not_after = certificate_not_after(x);
	out->is_ca = X509_check_ca(x) > 0;
	out->self_issued = X509_NAME_cmp(subject, issuer) == 0;
}
