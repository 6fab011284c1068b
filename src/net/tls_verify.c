/* Is the peer who it must be? OpenSSL judges; here every flaw it finds is noted, not only the first, because the
 * person who has to mend the certificate should not have to come back for the second. */
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/address.h"
#include "base/arena.h"
#include "net/tls_openssl.h"

/* RFC 9525 §6.3: names only from subjectAltName, and no "mail*.example.org". */
#define NAME_RULES (X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS)

#define OCSP_SKEW_SECONDS 300

/* OpenSSL has words for these but not the symbols, which are what people search for. */
static const struct { int code; const char *symbol; unsigned flaw; } verdicts[] = {
#define V(symbol, flaw) { X509_V_ERR_##symbol, #symbol, TLS_FLAW_##flaw }
	V(CERT_HAS_EXPIRED, EXPIRED),                    V(CERT_NOT_YET_VALID, NOT_YET),
	V(DEPTH_ZERO_SELF_SIGNED_CERT, SELF_SIGNED),     V(SELF_SIGNED_CERT_IN_CHAIN, PRIVATE_ROOT),
	V(UNABLE_TO_GET_ISSUER_CERT, NO_ISSUER),         V(UNABLE_TO_GET_ISSUER_CERT_LOCALLY, NO_ISSUER),
	V(UNABLE_TO_VERIFY_LEAF_SIGNATURE, NO_ISSUER),   V(HOSTNAME_MISMATCH, NAME),
	V(IP_ADDRESS_MISMATCH, NAME),                    V(CERT_REVOKED, REVOKED),
	V(EE_KEY_TOO_SMALL, WEAK),                       V(CA_KEY_TOO_SMALL, WEAK),
	V(CA_MD_TOO_WEAK, WEAK),                         V(CERT_SIGNATURE_FAILURE, OTHER),
	V(ERROR_IN_CERT_NOT_BEFORE_FIELD, OTHER),        V(ERROR_IN_CERT_NOT_AFTER_FIELD, OTHER),
	V(UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY, OTHER),    V(UNABLE_TO_DECRYPT_CERT_SIGNATURE, OTHER),
	V(CERT_CHAIN_TOO_LONG, OTHER),                   V(PATH_LENGTH_EXCEEDED, OTHER),
	V(INVALID_CA, OTHER),                            V(INVALID_PURPOSE, OTHER),
	V(INVALID_NON_CA, OTHER),                        V(INVALID_EXTENSION, OTHER),
	V(CERT_UNTRUSTED, OTHER),                        V(CERT_REJECTED, OTHER),
	V(SUBJECT_ISSUER_MISMATCH, OTHER),               V(AKID_SKID_MISMATCH, OTHER),
	V(AKID_ISSUER_SERIAL_MISMATCH, OTHER),           V(KEYUSAGE_NO_CERTSIGN, OTHER),
	V(KEYUSAGE_NO_DIGITAL_SIGNATURE, OTHER),         V(UNHANDLED_CRITICAL_EXTENSION, OTHER),
	V(INVALID_POLICY_EXTENSION, OTHER),              V(NO_EXPLICIT_POLICY, OTHER),
	V(PERMITTED_VIOLATION, OTHER),                   V(EXCLUDED_VIOLATION, OTHER),
	V(SUBTREE_MINMAX, OTHER),                        V(UNSUPPORTED_CONSTRAINT_TYPE, OTHER),
	V(UNSUPPORTED_CONSTRAINT_SYNTAX, OTHER),         V(UNSUPPORTED_NAME_SYNTAX, OTHER),
	V(PATH_LOOP, OTHER),                             V(EC_KEY_EXPLICIT_PARAMS, OTHER),
	V(UNSUPPORTED_SIGNATURE_ALGORITHM, OTHER),       V(SIGNATURE_ALGORITHM_MISMATCH, OTHER),
	V(SIGNATURE_ALGORITHM_INCONSISTENCY, OTHER),     V(STORE_LOOKUP, OTHER),
	V(UNSPECIFIED, OTHER),                           V(DANE_NO_MATCH, PIN),
#undef V
};

/* -- who watches -------------------------------------------------------------------------------------------------- */

struct tls_witness *tls_witness_new(struct tls_answer *answer)
{
	struct tls_witness *w = must_alloc(sizeof *w);

	w->holders = 1;
	w->answer = answer;
	return w;
}

void tls_witness_release(struct tls_witness *w)
{
	if (!w || --w->holders > 0)
		return;
	tls_own_release(w->own);
	free(w);
}

static void ctx_is_gone(void *parent, void *witness, CRYPTO_EX_DATA *unused, int index, long none, void *nothing)
{
	(void)parent, (void)unused, (void)index, (void)none, (void)nothing;
	tls_witness_release(witness);
}

static int slot;      /* of a witness in an SSL_CTX; the same for good once it is known */

static void find_slot(void)
{
	slot = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, ctx_is_gone);
}

static int witness_slot(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, find_slot);
	return slot;
}

bool witness_lend(struct tls_witness *w, SSL_CTX *ctx)
{
	if (!SSL_CTX_set_ex_data(ctx, witness_slot(), w))
		return false;
	w->holders++;
	return true;
}

struct tls_witness *witness_of(const SSL *ssl)
{
	struct tls_witness *w = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), witness_slot());

	/* In this order: an SSL of curl's has something of curl's there. */
	return w ? w : SSL_get_app_data(ssl);
}

static struct tls_witness *witness_of_store(X509_STORE_CTX *store)
{
	return witness_of(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
}

/* -- the chain and the name --------------------------------------------------------------------------------------- */

static void note_flaw(struct tls_answer *a, int code, int depth)
{
	const char *symbol = NULL;
	unsigned    flaw = TLS_FLAW_OTHER;

	for (size_t i = 0; i < COUNT(verdicts); i++)
		if (verdicts[i].code == code) {
			symbol = verdicts[i].symbol;
			flaw = verdicts[i].flaw;
		}
	/* A mere consequence of a chain that is known not to end well, and the first word is the more exact one. */
	if (code == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE
		&& (a->flaws & (TLS_FLAW_SELF_SIGNED | TLS_FLAW_PRIVATE_ROOT)))
		return;
	if (a->flaws == 0) {
		a->flaw_depth = depth;
		if (symbol)
			snprintf(a->verify, sizeof a->verify, "%s", symbol);
		else
			snprintf(a->verify, sizeof a->verify, "ERROR_%d", code);
	}
	a->flaws |= flaw;
}

int verify_flaw(int ok, X509_STORE_CTX *store)
{
	if (!ok)
		note_flaw(witness_of_store(store)->answer, X509_STORE_CTX_get_error(store),
			X509_STORE_CTX_get_error_depth(store));
	return 1;
}

static void describe_chain(struct tls_answer *a, X509_STORE_CTX *store)
{
	STACK_OF(X509) *sent = X509_STORE_CTX_get0_untrusted(store);

	a->chain_len = 0;
	for (int i = 0; i < sk_X509_num(sent) && a->chain_len < TLS_CHAIN; i++)
		certificate_describe(sk_X509_value(sent, i), &a->chain[a->chain_len++]);
}

static bool is_literal(const char *host)
{
	struct address address;

	return address_parse(host, &address);
}

/* The address literal without brackets, the name without its last dot. */
static const char *bare_host(const char *host, char out[256])
{
	struct address a;
	int            len = (int)strlen(host);

	if (address_parse(host, &a))
		return address_text(&a, out);
	snprintf(out, 256, "%.*s", len && host[len - 1] == '.' ? len - 1 : len, host);
	return out;
}

static void demand_host(X509_STORE_CTX *store, const char *host)
{
	X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(store);

	X509_VERIFY_PARAM_set_hostflags(param, NAME_RULES);
	if (is_literal(host))
		X509_VERIFY_PARAM_set1_ip_asc(param, host);
	else
		X509_VERIFY_PARAM_set1_host(param, host, 0);
}

/* The leaf's dates and names once more by hand: whether OpenSSL gets to them after a broken chain is its business. */
static void check_leaf(struct tls_answer *a, X509 *leaf, const char *host)
{
	bool literal = is_literal(host);

	if (X509_cmp_current_time(X509_get0_notAfter(leaf)) <= 0)
		note_flaw(a, X509_V_ERR_CERT_HAS_EXPIRED, 0);
	if (X509_cmp_current_time(X509_get0_notBefore(leaf)) >= 0)
		note_flaw(a, X509_V_ERR_CERT_NOT_YET_VALID, 0);
	if (literal && X509_check_ip_asc(leaf, host, NAME_RULES) != 1)
		note_flaw(a, X509_V_ERR_IP_ADDRESS_MISMATCH, 0);
	if (!literal && X509_check_host(leaf, host, 0, NAME_RULES, NULL) != 1)
		note_flaw(a, X509_V_ERR_HOSTNAME_MISMATCH, 0);
}

/* Judges the chain as it was sent, or with one more certificate in it that the peer should have sent. */
static bool chain_holds(X509_STORE_CTX *store, struct slice link)
{
	STACK_OF(X509)      *sent = X509_STORE_CTX_get0_untrusted(store);
	const unsigned char *der = (const unsigned char *)link.at;
	X509                *missing = link.len ? d2i_X509(NULL, &der, (long)link.len) : NULL;
	STACK_OF(X509)      *mended;
	bool                 well;

	if (!missing)
		return X509_verify_cert(store) == 1;
	mended = sent ? sk_X509_dup(sent) : sk_X509_new_null();
	sk_X509_push(mended, missing);
	X509_STORE_CTX_set0_untrusted(store, mended);
	well = X509_verify_cert(store) == 1;
	X509_STORE_CTX_set0_untrusted(store, sent);
	sk_X509_free(mended);
	X509_free(missing);
	return well;
}

/* The workspace's own word. Its pin is about the key and nothing else, so that neither a flaw of the certificate nor a perfect one counts
 * beside it. */
static void ask_own(const struct tls_own *own, struct tls_answer *a, X509_STORE_CTX *store, X509 *leaf)
{
	STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(store);

	if (!tls_own_has_pin(own)) {
		if (a->flaws == 0 && tls_own_vouches(own, sk_X509_value(chain, sk_X509_num(chain) - 1)))
			a->by = TLS_BY_OWN_CA;
		return;
	}
	a->flaws = 0;
	if (leaf && tls_own_pins(own, leaf)) {
		a->by = TLS_BY_OWN_PIN;
		X509_STORE_CTX_set_error(store, X509_V_OK);
	} else {
		note_flaw(a, X509_V_ERR_DANE_NO_MATCH, 0);
		X509_STORE_CTX_set_error(store, X509_V_ERR_DANE_NO_MATCH);
	}
}

int verify_chain(X509_STORE_CTX *store, void *unused)
{
	struct tls_witness *w = witness_of_store(store);
	struct tls_answer  *a = w->answer;
	X509               *leaf = X509_STORE_CTX_get0_cert(store);
	char                host[256];
	bool                well;

	(void)unused;
	if (!a || !w->host)      /* another handshake on a connection that is settled: there is none */
		return 0;
	bare_host(w->host, host);
	describe_chain(a, store);
	demand_host(store, host);
	well = chain_holds(store, w->link);
	if (leaf)
		check_leaf(a, leaf, host);
	if ((!well || !leaf || *host == '\0') && a->flaws == 0)
		note_flaw(a, X509_V_ERR_UNSPECIFIED, 0);
	ask_own(w->own, a, store, leaf);
	w->judged = true;
	if (a->flaws == 0) {
		snprintf(a->verify, sizeof a->verify, "ok");
		return 1;
	}
	if (X509_STORE_CTX_get_error(store) == X509_V_OK)
		X509_STORE_CTX_set_error(store, X509_V_ERR_UNSPECIFIED);
	return w->refuse ? 0 : 1;
}

/* -- a stapled OCSP answer (RFC 6066 §8, RFC 6960) ---------------------------------------------------------------- */

/* What the answer says of `leaf`, or -1 when it says nothing. */
static int staple_status(OCSP_BASICRESP *basic, X509 *leaf, X509 *issuer)
{
	int status = -1;

	for (int i = 0; i < OCSP_resp_count(basic) && status < 0; i++) {
		OCSP_SINGLERESP      *single = OCSP_resp_get0(basic, i);
		ASN1_OBJECT          *hash;
		ASN1_GENERALIZEDTIME *from, *until;
		OCSP_CERTID          *id;
		const EVP_MD         *md;

		if (!OCSP_id_get0_info(NULL, &hash, NULL, NULL, (OCSP_CERTID *)OCSP_SINGLERESP_get0_id(single)))
			continue;
		md = EVP_get_digestbyobj(hash);
		id = md ? OCSP_cert_to_id(md, leaf, issuer) : NULL;
		if (id && OCSP_id_cmp(id, OCSP_SINGLERESP_get0_id(single)) == 0) {
			status = OCSP_single_get0_status(single, NULL, NULL, &from, &until);
			if (!OCSP_check_validity(from, until, OCSP_SKEW_SECONDS, -1))
				status = -1;
		}
		OCSP_CERTID_free(id);
	}
	return status;
}

static int staple_read(SSL *ssl, const struct tls_own *own, STACK_OF(X509) *chain)
{
	X509_STORE          *store = tls_own_store(own, SSL_CTX_get_cert_store(SSL_get_SSL_CTX(ssl)));
	const unsigned char *der;
	long                 len = SSL_get_tlsext_status_ocsp_resp(ssl, &der);
	OCSP_RESPONSE       *response = der && len > 0 ? d2i_OCSP_RESPONSE(NULL, &der, len) : NULL;
	OCSP_BASICRESP      *basic = NULL;
	int                  status = -1;

	if (response && OCSP_response_status(response) == OCSP_RESPONSE_STATUS_SUCCESSFUL)
		basic = OCSP_response_get1_basic(response);
	if (basic && OCSP_basic_verify(basic, chain, store, 0) == 1)
		status = staple_status(basic, sk_X509_value(chain, 0), sk_X509_value(chain, 1));
	OCSP_BASICRESP_free(basic);
	OCSP_RESPONSE_free(response);
	return status;
}

int verify_staple(SSL *ssl, void *unused)
{
	struct tls_witness *w = witness_of(ssl);
	STACK_OF(X509)     *chain = SSL_get0_verified_chain(ssl);
	int                 status;

	(void)unused;
	/* Without a chain that holds, nobody could say who signed it. */
	if (w->answer->flaws || sk_X509_num(chain) < 2)
		return 1;
	ERR_set_mark();
	status = staple_read(ssl, w->own, chain);
	ERR_pop_to_mark();
	w->answer->stapled_good = status == V_OCSP_CERTSTATUS_GOOD;
	if (status == V_OCSP_CERTSTATUS_REVOKED)
		note_flaw(w->answer, X509_V_ERR_CERT_REVOKED, 0);
	return w->answer->flaws && w->refuse ? 0 : 1;
}
