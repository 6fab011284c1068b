/* Tickets come by the plain library, which says exactly what went wrong; only their exchange is GSS-API's, since SPNEGO is. By then the
 * ticket is in the cache, so that the exchange itself asks nobody. */
#include "net/kerberos.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <gssapi/gssapi_ext.h>
#include <gssapi/gssapi_krb5.h>
#include <krb5.h>

#include "base/arena.h"
#include "base/secret.h"

#define BINDING "tls-server-end-point:"

struct library {
	krb5_context   krb;
	krb5_ccache    cache;
	bool           own_cache;        /* in memory, of this sign-in alone */
	krb5_principal client, service;
	gss_cred_id_t  cred;
	gss_name_t     target;
	gss_ctx_id_t   context;
};

static char         spnego_oid[] = "\x2b\x06\x01\x05\x05\x02";                        /* RFC 4178 */
static char         krb5_oid[] = "\x2a\x86\x48\x86\xf7\x12\x01\x02\x02";              /* RFC 4121 */
static gss_OID_desc spnego = { sizeof spnego_oid - 1, spnego_oid }, krb5 = { sizeof krb5_oid - 1, krb5_oid };

/* -- what went wrong ---------------------------------------------------------------------------------------------- */

static const struct { long code; enum ticket_trouble trouble; } codes[] = {
	{ KRB5_FCC_NOFILE, TICKET_NONE }, { KRB5_FCC_PERM, TICKET_NONE }, { KRB5_CC_NOTFOUND, TICKET_NONE },
	{ KRB5_CC_FORMAT, TICKET_NONE }, { KRB5_CC_UNKNOWN_TYPE, TICKET_NONE }, { KRB5_CC_BADNAME, TICKET_NONE },
	{ KRB5_CCACHE_BADVNO, TICKET_NONE }, { KRB5_CC_IO, TICKET_NONE }, { KRB5_CC_END, TICKET_NONE },
	{ KRB5_KT_NOTFOUND, TICKET_NONE }, { KRB5_KT_IOERR, TICKET_NONE }, { KRB5_KEYTAB_BADVNO, TICKET_NONE },
	{ KRB5_KT_BADNAME, TICKET_NONE }, { KRB5_KT_FORMAT, TICKET_NONE }, { ENOENT, TICKET_NONE }, { EACCES, TICKET_NONE },
	{ KRB5_CONFIG_NODEFREALM, TICKET_NONE }, { KRB5KRB_AP_ERR_TKT_EXPIRED, TICKET_EXPIRED }, { KRB5_CC_NOT_KTYPE, TICKET_OTHER },
	{ KRB5_KDC_UNREACH, TICKET_KDC_SILENT }, { KRB5_REALM_UNKNOWN, TICKET_KDC_SILENT },
	{ KRB5_REALM_CANT_RESOLVE, TICKET_KDC_SILENT }, { KRB5KDC_ERR_SVC_UNAVAILABLE, TICKET_KDC_SILENT },
	{ KRB5KDC_ERR_S_PRINCIPAL_UNKNOWN, TICKET_NO_SERVICE }, { KRB5_ERR_HOST_REALM_UNKNOWN, TICKET_NO_SERVICE },
	{ KRB5KDC_ERR_C_PRINCIPAL_UNKNOWN, TICKET_NO_USER }, { KRB5KDC_ERR_CLIENT_REVOKED, TICKET_NO_USER },
	{ KRB5KDC_ERR_NAME_EXP, TICKET_NO_USER }, { KRB5KDC_ERR_PREAUTH_FAILED, TICKET_KEY_REFUSED },
	{ KRB5KRB_AP_ERR_BAD_INTEGRITY, TICKET_KEY_REFUSED }, { KRB5KDC_ERR_KEY_EXP, TICKET_KEY_REFUSED },
	{ KRB5KDC_ERR_ETYPE_NOSUPP, TICKET_OTHER }, { KRB5KRB_AP_ERR_SKEW, TICKET_CLOCK }, { KRB5_KDCREP_SKEW, TICKET_CLOCK },
	{ KRB5KRB_AP_ERR_TKT_NYV, TICKET_CLOCK }, { KRB5_MUTUAL_FAILED, TICKET_UNPROVEN }, { KRB5KRB_AP_ERR_MODIFIED, TICKET_OTHER },
};

static enum ticket_trouble trouble_of(long code)
{
	for (size_t i = 0; i < COUNT(codes); i++)
		if (codes[i].code == code)
			return codes[i].trouble;
	return TICKET_OTHER;
}

/* GSS-API gives codes that come from inside SPNEGO numbers of its own; the words are still those of the code. */
static enum ticket_trouble trouble_of_words(krb5_context krb, const char *text)
{
	for (size_t i = 0; i < COUNT(codes); i++) {
		const char *words = krb5_get_error_message(krb, (krb5_error_code)codes[i].code);
		bool        same = strcmp(words, text) == 0;

		krb5_free_error_message(krb, words);
		if (same)
			return codes[i].trouble;
	}
	return TICKET_OTHER;
}

/* Texts are one line, and name files and principals, never keys. */
static bool trouble(struct kerberos *k, enum ticket_trouble what, const char *reason)
{
	k->trouble = what;
	snprintf(k->reason, sizeof k->reason, "%s", reason);
	for (char *c = k->reason; *c; c++)
		if ((unsigned char)*c < ' ')
			*c = ' ';
	return false;
}

static bool refused(struct kerberos *k, krb5_error_code code)
{
	const char *words = krb5_get_error_message(k->library->krb, code);

	trouble(k, trouble_of(code), words);
	krb5_free_error_message(k->library->krb, words);
	return false;
}

static bool refused_by_gss(struct kerberos *k, OM_uint32 major, OM_uint32 minor)
{
	gss_buffer_desc words = GSS_C_EMPTY_BUFFER;
	OM_uint32       ignored, more = 0;
	char            text[sizeof k->reason] = "";

	if (minor && gss_display_status(&ignored, minor, GSS_C_MECH_CODE, &spnego, &more, &words) == GSS_S_COMPLETE)
		snprintf(text, sizeof text, "%.*s", (int)words.length, (const char *)words.value);
	gss_release_buffer(&ignored, &words);
	more = 0;
	if (!*text && gss_display_status(&ignored, major, GSS_C_GSS_CODE, GSS_C_NO_OID, &more, &words) == GSS_S_COMPLETE)
		snprintf(text, sizeof text, "%.*s", (int)words.length, (const char *)words.value);
	gss_release_buffer(&ignored, &words);
	return trouble(k, trouble_of_words(k->library->krb, text), text);
}

/* -- the ticket --------------------------------------------------------------------------------------------------- */

/* "EXAMPLE\ann" is ann of this machine's realm. Realms are in upper case (RFC 4120 §6.1 as everybody has it), addresses are not. */
static char *principal_of(const char *user)
{
	const char *back = strrchr(user, '\\');
	char       *name = must_copy(back ? back + 1 : user), *at = strrchr(name, '@');

	for (char *c = at; c && *c; c++)
		*c = *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c;
	return name;
}

/* Before anybody is asked: afterwards the library calls all of it a failed pre-authentication. */
static krb5_error_code has_key(krb5_context krb, krb5_keytab keys, krb5_principal name)
{
	krb5_keytab_entry entry;
	krb5_error_code   code = krb5_kt_get_entry(krb, keys, name, 0, 0, &entry);

	if (!code)
		krb5_free_keytab_entry_contents(krb, &entry);
	return code;
}

static bool ask_with_keytab(struct kerberos *k)
{
	struct library *l = k->library;
	krb5_keytab     keys = NULL;
	krb5_creds      got = { 0 };
	char           *name = principal_of(k->user);
	krb5_error_code code = krb5_parse_name(l->krb, name, &l->client);

	free(name);
	if (!code)
		code = krb5_kt_resolve(l->krb, k->keytab, &keys);
	if (!code)
		code = has_key(l->krb, keys, l->client);
	if (!code)
		code = krb5_get_init_creds_keytab(l->krb, &got, l->client, keys, 0, NULL, NULL);
	/* a cache for nobody else: two sign-ins at once would each empty that of the other */
	if (!code)
		code = krb5_cc_new_unique(l->krb, "MEMORY", NULL, &l->cache);
	if (!code) {
		l->own_cache = true;
		code = krb5_cc_initialize(l->krb, l->cache, l->client);
	}
	if (!code)
		code = krb5_cc_store_cred(l->krb, l->cache, &got);
	krb5_free_cred_contents(l->krb, &got);
	if (keys)
		krb5_kt_close(l->krb, keys);
	return !code || refused(k, code);
}

static bool open_cache(struct kerberos *k)
{
	struct library *l = k->library;
	krb5_error_code code = k->cache_name ? krb5_cc_resolve(l->krb, k->cache_name, &l->cache) : krb5_cc_default(l->krb, &l->cache);

	if (!code)
		code = krb5_cc_get_principal(l->krb, l->cache, &l->client);
	return !code || refused(k, code);
}

/* The cache's own ticket-granting ticket has come to its end: the library just says that it finds none. */
static bool has_expired(struct library *l)
{
	krb5_cc_cursor  at;
	krb5_creds      one;
	krb5_timestamp  now, ends = 0;
	bool            any = false;

	if (krb5_timeofday(l->krb, &now) || krb5_cc_start_seq_get(l->krb, l->cache, &at))
		return false;
	while (krb5_cc_next_cred(l->krb, l->cache, &at, &one) == 0) {
		if (!krb5_is_config_principal(l->krb, one.server)) {
			any = true;
			ends = one.times.endtime > ends ? one.times.endtime : ends;
		}
		krb5_free_cred_contents(l->krb, &one);
	}
	krb5_cc_end_seq_get(l->krb, l->cache, &at);
	return any && ends <= now;
}

/* No letter that means something in a principal. */
static bool is_plain_host(const char *host)
{
	return *host && strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._:") == strlen(host);
}

/* HTTP/host@: the realm is the KDC's to say, the host nobody's but who typed it. A name of the host-based kind would be handed to the
 * library's dns_canonicalize_hostname, and then whoever answers for DNS would choose whom the ticket, and with it the sign-in, is for. */
static bool get_ticket(struct kerberos *k)
{
	struct library *l = k->library;
	krb5_creds      wanted = { 0 }, *got = NULL;
	char            name[300];
	krb5_error_code code;

	if (!is_plain_host(k->host) || (size_t)snprintf(name, sizeof name, "HTTP/%s@", k->host) >= sizeof name)
		return trouble(k, TICKET_NO_SERVICE, "no name of a host");
	code = krb5_parse_name(l->krb, name, &l->service);
	if (code)
		return refused(k, code);
	if (!l->own_cache && has_expired(l))
		return trouble(k, TICKET_EXPIRED, "Ticket expired");
	wanted.client = l->client;
	wanted.server = l->service;
	code = krb5_get_credentials(l->krb, 0, l->cache, &wanted, &got);
	if (got)
		krb5_free_creds(l->krb, got);
	return !code || refused(k, code);
}

static void tell_principal(struct kerberos *k)
{
	char *name = NULL;

	if (krb5_unparse_name(k->library->krb, k->library->client, &name) == 0)
		snprintf(k->principal, sizeof k->principal, "%s", name);
	krb5_free_unparsed_name(k->library->krb, name);
}

/* -- the exchange ------------------------------------------------------------------------------------------------- */

/* Kerberos inside SPNEGO and nothing else: what a library of NTLM beside it would do is not to be had by this road. */
static bool take_credentials(struct kerberos *k)
{
	struct library            *l = k->library;
	gss_OID_set_desc           outer = { 1, &spnego }, inner = { 1, &krb5 };
	gss_key_value_element_desc from = { .key = "ccache" };
	gss_key_value_set_desc     store = { 1, &from };
	gss_buffer_desc            name;
	OM_uint32                  major, minor;
	char                       text[300], *cache = NULL;
	krb5_error_code            code = krb5_cc_get_full_name(l->krb, l->cache, &cache);

	if (code)
		return refused(k, code);
	from.value = cache;
	major = gss_acquire_cred_from(&minor, GSS_C_NO_NAME, GSS_C_INDEFINITE, &outer, GSS_C_INITIATE, &store, &l->cred, NULL, NULL);
	krb5_free_string(l->krb, cache);
	if (!GSS_ERROR(major))
		major = gss_set_neg_mechs(&minor, l->cred, &inner);
	if (!GSS_ERROR(major)) {
		name = (gss_buffer_desc){ .length = (size_t)snprintf(text, sizeof text, "HTTP/%s@", k->host), .value = text };
		major = gss_import_name(&minor, &name, (gss_OID)(uintptr_t)GSS_KRB5_NT_PRINCIPAL_NAME, &l->target);
	}
	return !GSS_ERROR(major) || refused_by_gss(k, major, minor);
}

static void exchange(struct kerberos *k, struct slice heard)
{
	struct library                  *l = k->library;
	struct gss_channel_bindings_struct bound = { .application_data = { k->binding_len, k->binding } };
	gss_buffer_desc                  in = { heard.len, (void *)(uintptr_t)heard.at }, out = GSS_C_EMPTY_BUFFER;
	OM_uint32                        major, minor, ignored, got = 0;

	major = gss_init_sec_context(&minor, l->cred, &l->context, l->target, &spnego, GSS_C_MUTUAL_FLAG, 0,
	                             k->binding_len ? &bound : NULL, heard.len ? &in : NULL, NULL, &out, &got, NULL);
	if (GSS_ERROR(major)) {
		refused_by_gss(k, major, minor);
		/* whatever else the library says of it: what came from there proves nothing */
		if (heard.len && k->trouble != TICKET_CLOCK && k->trouble != TICKET_EXPIRED)
			k->trouble = TICKET_UNPROVEN;
	} else if (!buffer_add(&k->say, slice(out.value, out.length))) {
		trouble(k, TICKET_OTHER, "a ticket longer than 64 KiB");
	} else if (major == GSS_S_COMPLETE) {
		k->proven = (got & GSS_C_MUTUAL_FLAG) != 0;
		if (!k->proven)
			trouble(k, TICKET_UNPROVEN, "the server has not proven itself");
	}
	gss_release_buffer(&ignored, &out);
}

/* -- its life ----------------------------------------------------------------------------------------------------- */

struct kerberos *kerberos_new(const struct ticket *t)
{
	struct kerberos *k = must_alloc(sizeof *k);

	buffer_init(&k->say, TICKET_TOKEN);
	k->cache_name = t->source->cache ? must_copy(t->source->cache) : NULL;
	k->keytab = t->source->keytab ? must_copy(t->source->keytab) : NULL;
	k->user = must_copy(t->user ? t->user : "");
	k->host = must_copy(t->host);
	if (t->binding.len && t->binding.len <= sizeof k->binding - sizeof BINDING) {
		memcpy(k->binding, BINDING, sizeof BINDING - 1);
		memcpy(k->binding + sizeof BINDING - 1, t->binding.at, t->binding.len);
		k->binding_len = sizeof BINDING - 1 + t->binding.len;
	}
	return k;
}

static bool begin(struct kerberos *k)
{
	krb5_error_code code;

	k->library = must_alloc(sizeof *k->library);
	code = krb5_init_context(&k->library->krb);
	if (code)
		return trouble(k, TICKET_OTHER, "krb5.conf cannot be read");
	if (!(k->keytab ? ask_with_keytab(k) : open_cache(k))) {
		if (k->library->client)
			tell_principal(k);
		return false;
	}
	tell_principal(k);
	return get_ticket(k) && take_credentials(k);
}

void kerberos_step(struct kerberos *k, struct slice heard)
{
	buffer_clear(&k->say);
	k->proven = false;
	k->trouble = TICKET_FINE;
	k->reason[0] = '\0';
	if (!k->library && !begin(k))
		return;
	if (!k->library->target) {
		trouble(k, TICKET_OTHER, "no ticket was had");
		return;
	}
	exchange(k, heard);
}

void kerberos_free(struct kerberos *k)
{
	struct library *l = k ? k->library : NULL;
	OM_uint32       ignored;

	if (!k)
		return;
	if (l) {
		gss_delete_sec_context(&ignored, &l->context, GSS_C_NO_BUFFER);
		gss_release_name(&ignored, &l->target);
		gss_release_cred(&ignored, &l->cred);
		if (l->krb) {
			krb5_free_principal(l->krb, l->service);
			krb5_free_principal(l->krb, l->client);
			if (l->cache && l->own_cache)
				krb5_cc_destroy(l->krb, l->cache);
			else if (l->cache)
				krb5_cc_close(l->krb, l->cache);
			krb5_free_context(l->krb);
		}
		free(l);
	}
	buffer_release(&k->say);
	free(k->cache_name);
	free(k->keytab);
	free(k->user);
	free(k->host);
	free(k);
}
