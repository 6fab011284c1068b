#include "wire/digest.h"

#include <openssl/evp.h>

#define HEX_MOST (2 * EVP_MAX_MD_SIZE + 1)

static bool said(const struct challenge *c, const char *name, struct arena *into, struct slice *out)
{
	return challenge_parameter(c, name, into, out);
}

/* Nothing that would end the field it goes back in. */
static bool is_sayable(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.at[i] < ' ' || s.at[i] == 0x7f)
			return false;
	return s.len <= 1000;
}

static bool has_word(struct slice list, const char *word)
{
	while (list.at) {
		struct slice one = slice_trim(slice_cut(&list, ','));

		if (slice_is(one, word))
			return true;
	}
	return false;
}

static bool read_algorithm(struct slice name, struct digest *out)
{
	static const struct { const char *name; bool sha256, session; } known[] = {
		{ "", false, false }, { "MD5", false, false }, { "MD5-sess", false, true }, { "SHA-256", true, false }, { "SHA-256-sess", true, true },
	};

	for (size_t i = 0; i < COUNT(known); i++)
		if (slice_is(name, known[i].name)) {
			out->sha256 = known[i].sha256;
			out->session = known[i].session;
			return true;
		}
	return false;
}

bool digest_choose(const struct challenges *offered, struct arena *into, struct digest *out)
{
	for (size_t i = 0; i < offered->count; i++) {
		const struct challenge *c = &offered->item[i];
		struct slice            realm = { 0 }, nonce = { 0 }, opaque = { 0 }, algorithm = slice("", 0), qop = { 0 };

		if (!slice_is(c->scheme, "Digest") || !said(c, "nonce", into, &nonce) || !nonce.len)
			continue;
		said(c, "realm", into, &realm);
		said(c, "opaque", into, &opaque);
		said(c, "algorithm", into, &algorithm);
		said(c, "qop", into, &qop);
		*out = (struct digest){ .protects = qop.at != NULL };
		if (!read_algorithm(algorithm, out) || (qop.at && !has_word(qop, "auth")) || !is_sayable(realm) || !is_sayable(nonce) || !is_sayable(opaque))
			continue;
		out->realm = arena_copy(into, realm);
		out->nonce = arena_copy(into, nonce);
		out->opaque = opaque.at ? arena_copy(into, opaque) : NULL;
		return true;
	}
	return false;
}

bool digest_is_stale(const struct challenges *offered, struct arena *into)
{
	struct slice stale;

	for (size_t i = 0; i < offered->count; i++)
		if (slice_is(offered->item[i].scheme, "Digest") && said(&offered->item[i], "stale", into, &stale) && slice_is(stale, "true"))
			return true;
	return false;
}

/* -- the answer --------------------------------------------------------------------------------------------------- */

static bool hash(const struct digest *d, const char *text, char hex[HEX_MOST])
{
	unsigned char raw[EVP_MAX_MD_SIZE];
	unsigned      len = 0;
	bool          fine = EVP_Digest(text, strlen(text), raw, &len, d->sha256 ? EVP_sha256() : EVP_md5(), NULL) == 1;

	for (unsigned i = 0; fine && i < len; i++) {
		hex[2 * i] = "0123456789abcdef"[raw[i] >> 4];
		hex[2 * i + 1] = "0123456789abcdef"[raw[i] & 15];
	}
	hex[2 * len] = '\0';
	return fine;
}

static const char *quoted(const char *text, struct arena *into)
{
	char *out = arena_get(into, 2 * strlen(text) + 3), *to = out;

	*to++ = '"';
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			*to++ = '\\';
		*to++ = *text;
	}
	*to = '"';
	return out;
}

const char *digest_authorization(struct digest *d, const char *username, const char *password, const char *method, const char *target,
                                 const char *dice, struct arena *into)
{
	char        a1[HEX_MOST], a2[HEX_MOST], response[HEX_MOST];
	const char *count = arena_print(into, "%08x", ++d->count), *all;

	if (!hash(d, arena_print(into, "%s:%s:%s", username, d->realm, password), a1)
	    || (d->session && !hash(d, arena_print(into, "%s:%s:%s", a1, d->nonce, dice), a1))
	    || !hash(d, arena_print(into, "%s:%s", method, target), a2)
	    || !hash(d, d->protects ? arena_print(into, "%s:%s:%s:%s:auth:%s", a1, d->nonce, count, dice, a2)
	                            : arena_print(into, "%s:%s:%s", a1, d->nonce, a2), response))
		return NULL;
	all = arena_print(into, "Digest username=%s, realm=%s, nonce=%s, uri=%s, algorithm=%s%s, response=\"%s\"", quoted(username, into),
	                  quoted(d->realm, into), quoted(d->nonce, into), quoted(target, into), d->sha256 ? "SHA-256" : "MD5",
	                  d->session ? "-sess" : "", response);
	if (d->protects || d->session)
		all = arena_print(into, "%s, cnonce=%s", all, quoted(dice, into));
	if (d->protects)
		all = arena_print(into, "%s, qop=auth, nc=%s", all, count);
	return d->opaque ? arena_print(into, "%s, opaque=%s", all, quoted(d->opaque, into)) : all;
}
