#include "sandbox/kerberos.h"

#include <stdlib.h>
#include <string.h>

#include <gssapi/gssapi_ext.h>
#include <gssapi/gssapi_krb5.h>

#define BINDING "tls-server-end-point:"

struct keytab {
	gss_cred_id_t cred;
};

static char         spnego_oid[] = "\x2b\x06\x01\x05\x05\x02";                        /* RFC 4178 */
static char         krb5_oid[] = "\x2a\x86\x48\x86\xf7\x12\x01\x02\x02";              /* RFC 4121 */
static gss_OID_desc spnego = { sizeof spnego_oid - 1, spnego_oid }, krb5 = { sizeof krb5_oid - 1, krb5_oid };

static const char *words_of(OM_uint32 major, OM_uint32 minor, struct arena *into)
{
	gss_buffer_desc words = GSS_C_EMPTY_BUFFER;
	OM_uint32       ignored, more = 0;
	const char     *text = "";

	if (gss_display_status(&ignored, minor ? minor : major, minor ? GSS_C_MECH_CODE : GSS_C_GSS_CODE, minor ? &spnego : GSS_C_NO_OID,
	                       &more, &words) == GSS_S_COMPLETE)
		text = arena_copy(into, slice(words.value, words.length));
	gss_release_buffer(&ignored, &words);
	return text;
}

struct keytab *keytab_read(const char *keytab, struct error *err)
{
	CLEANUP(arena) struct arena *work = arena_new();
	gss_OID_set_desc             outer = { 1, &spnego }, inner = { 1, &krb5 };
	gss_key_value_element_desc   from[] = { { "keytab", keytab }, { "rcache", "none:" } };
	gss_key_value_set_desc       store = { COUNT(from), from };
	OM_uint32                    major, minor;
	struct keytab                 *k = must_alloc(sizeof *k);

	major = gss_acquire_cred_from(&minor, GSS_C_NO_NAME, GSS_C_INDEFINITE, &outer, GSS_C_ACCEPT, &store, &k->cred, NULL, NULL);
	if (!GSS_ERROR(major))
		major = gss_set_neg_mechs(&minor, k->cred, &inner);
	if (!GSS_ERROR(major))
		return k;
	fail(err, FAULT_LOCAL, "%s: %s", keytab, words_of(major, minor, work));
	keytab_free(k);
	return NULL;
}

void keytab_free(struct keytab *k)
{
	OM_uint32 ignored;

	if (k)
		gss_release_cred(&ignored, &k->cred);
	free(k);
}

static const char *text_of(gss_name_t name, struct arena *into)
{
	gss_buffer_desc text = GSS_C_EMPTY_BUFFER;
	OM_uint32       ignored;
	const char     *copy = NULL;

	if (name && gss_display_name(&ignored, name, &text, NULL) == GSS_S_COMPLETE)
		copy = arena_copy(into, slice(text.value, text.length));
	gss_release_buffer(&ignored, &text);
	return copy;
}

struct kerberos_word keytab_accept(const struct keytab *k, struct arena *into, struct slice token, struct slice hash)
{
	size_t               len = sizeof BINDING - 1;
	char                *data = arena_get(into, len + hash.len);
	struct gss_channel_bindings_struct bound = { .application_data = { len + hash.len, data } };
	gss_buffer_desc      in = { token.len, (void *)(uintptr_t)token.at }, out = GSS_C_EMPTY_BUFFER;
	gss_ctx_id_t         context = GSS_C_NO_CONTEXT;
	gss_name_t           client = GSS_C_NO_NAME;
	OM_uint32            major, minor, ignored, got = 0;
	struct kerberos_word word = { 0 };

	memcpy(data, BINDING, len);
	if (hash.len)
		memcpy(data + len, hash.at, hash.len);
	major = gss_accept_sec_context(&minor, &context, k->cred, &in, hash.len ? &bound : NULL, &client, NULL, &out, &got, NULL, NULL);
	if (GSS_ERROR(major))
		word.reason = words_of(major, minor, into);
	else
		word.accepted = major == GSS_S_COMPLETE;
	word.bound = word.accepted && (got & GSS_C_CHANNEL_BOUND_FLAG);
	word.principal = text_of(client, into);
	if (out.length)
		word.say = slice(arena_copy(into, slice(out.value, out.length)), out.length);
	gss_release_buffer(&ignored, &out);
	gss_release_name(&ignored, &client);
	gss_delete_sec_context(&ignored, &context, GSS_C_NO_BUFFER);
	return word;
}
