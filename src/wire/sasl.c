/* Everything that carries a secret is wiped as soon as it was used: the messages before they are base64, the base64 at
 * the next call, the copies of the credentials at the end. The arena alone would not do that. */
#include "wire/sasl.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>

#include "base/buffer.h"

#define MESSAGE_MAX     (256 * 1024)       /* the longest access tokens are some 16 kB */
#define CHALLENGE_MAX   (64 * 1024)
#define ITERATIONS_MOST 1000000            /* half a second; servers ask for 4096 to 310000 */

static bool plain_begin(struct sasl *, struct buffer *);
static bool xoauth2_begin(struct sasl *, struct buffer *);
static bool oauthbearer_begin(struct sasl *, struct buffer *);
static bool scram_begin(struct sasl *, struct buffer *);
static bool login_answer(struct sasl *, struct slice, struct buffer *);
static bool token_refused(struct sasl *, struct slice, struct buffer *);
static bool scram_answer(struct sasl *, struct slice, struct buffer *);
static bool cram_md5_answer(struct sasl *, struct slice, struct buffer *);

struct mechanism {
	struct sasl_mechanism shown;
	bool (*begin)(struct sasl *, struct buffer *);                   /* NULL: the server speaks first            */
	bool (*answer)(struct sasl *, struct slice, struct buffer *);    /* NULL: there is nothing more to say       */
	int    answers;                                                  /* how often it may be asked                */
	bool   any_challenge;                                            /* what the challenge says does not matter  */
	const EVP_MD *(*hash)(void);
};

/* The best first: what sasl_choose() promises. */
static const struct mechanism mechanisms[] = {
	{ { "OAUTHBEARER",   true,  true,  true  }, oauthbearer_begin, token_refused,   1, false, NULL       },
	{ { "XOAUTH2",       true,  true,  true  }, xoauth2_begin,     token_refused,   1, false, NULL       },
	{ { "PLAIN",         false, true,  true  }, plain_begin,       NULL,            0, false, NULL       },
	{ { "LOGIN",         false, false, true  }, NULL,              login_answer,    2, true,  NULL       },
	{ { "SCRAM-SHA-256", false, true,  false }, scram_begin,       scram_answer,    2, false, EVP_sha256 },
	{ { "SCRAM-SHA-1",   false, true,  false }, scram_begin,       scram_answer,    2, false, EVP_sha1   },
	{ { "CRAM-MD5",      false, false, false }, NULL,              cram_md5_answer, 1, false, EVP_md5    },
};

struct sasl {
	const struct mechanism *how;
	struct arena           *arena;
	char                   *user, *authzid, *password, *token, *host, *nonce;
	uint16_t                port;
	bool                    begun;
	int                     answered;
	char                   *said;              /* base64, the last answer */
	const char             *reason;
	bool                    proven;
	struct slice            first_bare;        /* SCRAM: "n=user,r=nonce" */
	unsigned char           server_signature[EVP_MAX_MD_SIZE];
	unsigned                signature_len;
};

/* -- choosing ----------------------------------------------------------------------------------------------------- */

static bool listed(struct slice list, const char *name)
{
	while (list.len)
		if (slice_is(slice_cut(&list, ' '), name))
			return true;
	return false;
}

const struct sasl_mechanism *sasl_choose(struct slice offered, bool has_password, bool has_token)
{
	for (size_t i = 0; i < COUNT(mechanisms); i++) {
		const struct sasl_mechanism *m = &mechanisms[i].shown;

		if ((m->by_token ? has_token : has_password) && listed(offered, m->name))
			return m;
	}
	return NULL;
}

const struct sasl_mechanism *sasl_find(const char *name)
{
	for (size_t i = 0; i < COUNT(mechanisms); i++)
		if (slice_is(slice_str(name), mechanisms[i].shown.name))
			return &mechanisms[i].shown;
	return NULL;
}

static const struct mechanism *row_of(const struct sasl_mechanism *m)
{
	for (size_t i = 0; i < COUNT(mechanisms); i++)
		if (m == &mechanisms[i].shown)
			return &mechanisms[i];
	return NULL;
}

/* -- one exchange ------------------------------------------------------------------------------------------------- */

struct sasl *sasl_new(const struct sasl_mechanism *m, const struct sasl_credentials *c)
{
	struct sasl *s = must_alloc(sizeof *s);

	s->how = row_of(m);
	assert(s->how && c->user && (m->by_token ? c->token : c->password));
	assert(s->how->begin != scram_begin || c->nonce);
	s->arena = arena_new();
	s->user = arena_str(s->arena, c->user);
	s->authzid = arena_str(s->arena, c->authzid);
	s->password = m->by_token ? NULL : arena_str(s->arena, c->password);
	s->token = m->by_token ? arena_str(s->arena, c->token) : NULL;
	s->host = arena_str(s->arena, c->host);
	s->nonce = arena_str(s->arena, c->nonce);
	s->port = c->port;
	s->reason = "";
	s->proven = s->how->begin != scram_begin;
	return s;
}

static void wipe(char *text)
{
	if (text)
		OPENSSL_cleanse(text, strlen(text));
}

void sasl_free(struct sasl *s)
{
	if (!s)
		return;
	wipe(s->password);
	wipe(s->token);
	wipe(s->said);
	arena_free(s->arena);
	OPENSSL_cleanse(s, sizeof *s);
	free(s);
}

static const char *say(struct sasl *s, const struct buffer *message)
{
	wipe(s->said);
	return s->said = base64_encode(s->arena, buffer_held(message));
}

const char *sasl_initial(struct sasl *s)
{
	struct buffer message;
	const char   *said = NULL;

	if (!s->how->begin)
		return NULL;
	buffer_init(&message, MESSAGE_MAX);
	if (s->how->begin(s, &message)) {
		s->begun = true;
		said = say(s, &message);
	}
	buffer_release(&message);
	return said;
}

const char *sasl_answer(struct sasl *s, struct slice challenge)
{
	struct buffer message;
	struct slice  heard = slice(NULL, 0);
	const char   *said  = NULL;

	challenge = slice_trim(challenge);
	if (challenge.len > CHALLENGE_MAX)
		return NULL;
	if (!s->how->any_challenge && !base64_decode(s->arena, challenge, &heard))
		return NULL;
	if (s->how->begin && !s->begun)
		return heard.len ? NULL : sasl_initial(s);
	if (s->answered >= s->how->answers)
		return NULL;
	buffer_init(&message, MESSAGE_MAX);
	if (s->how->answer(s, heard, &message)) {
		s->answered++;
		said = say(s, &message);
	}
	buffer_release(&message);
	return said;
}

const char *sasl_reason(const struct sasl *s)
{
	return s->reason;
}

bool sasl_proven(const struct sasl *s)
{
	return s->proven;
}

/* -- what the mechanisms say -------------------------------------------------------------------------------------- */

static bool add(struct buffer *b, const char *text)
{
	return buffer_add_str(b, text);
}

static bool add_base64(struct sasl *s, struct buffer *b, const void *bytes, size_t len)
{
	return add(b, base64_encode(s->arena, slice(bytes, len)));
}

/* In OAUTHBEARER and XOAUTH2 a ^A ends a field, and no name or token has a reason to hold any control character. */
static bool is_printable(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return false;
	return true;
}

/* RFC 5801: "=" and "," in a name. */
static bool add_name(struct buffer *b, const char *name)
{
	for (; *name; name++)
		if (!(*name == ',' ? add(b, "=2C") : *name == '=' ? add(b, "=3D") : buffer_add(b, slice(name, 1))))
			return false;
	return true;
}

static bool plain_begin(struct sasl *s, struct buffer *out)
{
	return (!s->authzid || add(out, s->authzid)) && buffer_add(out, slice("", 1))
	    && add(out, s->user) && buffer_add(out, slice("", 1)) && add(out, s->password);
}

/* What the prompts say differs ("Username:", "User Name" with a NUL, not even base64); their order does not. */
static bool login_answer(struct sasl *s, struct slice heard, struct buffer *out)
{
	(void)heard;
	return add(out, s->answered == 0 ? s->user : s->password);
}

static bool xoauth2_begin(struct sasl *s, struct buffer *out)
{
	return is_printable(s->user) && is_printable(s->token)
	    && add(out, "user=") && add(out, s->user) && add(out, "\1")
	    && add(out, "auth=Bearer ") && add(out, s->token) && add(out, "\1\1");
}

/* RFC 7628 §3.1 */
static bool oauthbearer_begin(struct sasl *s, struct buffer *out)
{
	return is_printable(s->user) && is_printable(s->token) && (!s->host || is_printable(s->host))
	    && add(out, "n,a=") && add_name(out, s->authzid ? s->authzid : s->user) && add(out, ",\1")
	    && (!s->host || (add(out, "host=") && add(out, s->host) && add(out, "\1")))
	    && (!s->port || buffer_print(out, "port=%u\1", s->port))
	    && add(out, "auth=Bearer ") && add(out, s->token) && add(out, "\1\1");
}

/* RFC 7628 §3.2.3: ^A. To XOAUTH2 Google wants an empty line. */
static bool token_refused(struct sasl *s, struct slice heard, struct buffer *out)
{
	s->reason = arena_copy(s->arena, slice_trim(heard));
	return s->how->begin == xoauth2_begin || add(out, "\1");
}

static bool hmac(const EVP_MD *hash, struct slice key, struct slice data, unsigned char *out, unsigned *len)
{
	return HMAC(hash, key.at, (int)key.len, (const unsigned char *)data.at, data.len, out, len);
}

static bool cram_md5_answer(struct sasl *s, struct slice heard, struct buffer *out)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned      len;

	if (heard.len == 0 || !hmac(s->how->hash(), slice_str(s->password), heard, digest, &len))
		return false;
	if (!add(out, s->user) || !add(out, " "))
		return false;
	for (unsigned i = 0; i < len; i++)
		if (!buffer_print(out, "%02x", digest[i]))
			return false;
	return true;
}

/* -- SCRAM (RFC 5802) --------------------------------------------------------------------------------------------- */

/* Names and passwords go as they came in. RFC 5802 wants SASLprep (NFKC and a list of forbidden characters), which
 * changes nothing in ASCII and little in what keyboards produce; many servers do without it as well. */

static bool add_gs2_header(struct sasl *s, struct buffer *out)
{
	return add(out, "n,") && (!s->authzid || (add(out, "a=") && add_name(out, s->authzid))) && add(out, ",");
}

static bool is_nonce(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.at[i] <= ' ' || s.at[i] > '~' || s.at[i] == ',')
			return false;
	return s.len > 0;
}

static bool scram_begin(struct sasl *s, struct buffer *out)
{
	struct slice held;
	size_t       header;

	if (!is_nonce(slice_str(s->nonce)) || !add_gs2_header(s, out))
		return false;
	header = buffer_held(out).len;
	if (!add(out, "n=") || !add_name(out, s->user) || !add(out, ",r=") || !add(out, s->nonce))
		return false;
	held = slice_from(buffer_held(out), header);
	s->first_bare = slice(arena_copy(s->arena, held), held.len);
	return true;
}

struct server_first {
	struct slice       nonce, salt;
	unsigned long long iterations;
};

/* "r=…": cut off and its value returned, or at == NULL when the next attribute has another name. */
static struct slice cut_attribute(struct slice *rest, char name)
{
	struct slice attribute = rest->at ? slice_cut(rest, ',') : *rest;

	if (attribute.len < 2 || attribute.at[0] != name || attribute.at[1] != '=')
		return slice(NULL, 0);
	return slice_from(attribute, 2);
}

/* The order is fixed (§7), so an extension we must know ("m=") fails at the nonce. Ours must begin the server's nonce,
 * and something of its own must follow: or an old exchange could be played back. */
static bool read_server_first(struct sasl *s, struct slice heard, struct server_first *out)
{
	struct slice ours  = slice_str(s->nonce);
	struct slice nonce = cut_attribute(&heard, 'r');
	struct slice salt  = cut_attribute(&heard, 's');
	struct slice count = cut_attribute(&heard, 'i');

	if (!is_nonce(nonce) || nonce.len <= ours.len || !slice_equal(slice_upto(nonce, ours.len), ours))
		return false;
	if (!salt.len || !base64_decode(s->arena, salt, &out->salt))
		return false;
	out->nonce = nonce;
	return slice_number(count, ITERATIONS_MOST, &out->iterations) && out->iterations > 0;
}

/* From the password to the proof, and to the signature by which the server must prove itself. */
static bool scram_proof(struct sasl *s, const struct server_first *first, struct slice message, unsigned char *proof)
{
	const EVP_MD *hash = s->how->hash();
	int           size = EVP_MD_get_size(hash);
	unsigned      len  = (unsigned)size;
	struct {
		unsigned char salted[EVP_MAX_MD_SIZE], client[EVP_MAX_MD_SIZE];
		unsigned char stored[EVP_MAX_MD_SIZE], server[EVP_MAX_MD_SIZE];
	} key;
	bool good;

	good = PKCS5_PBKDF2_HMAC(s->password, (int)strlen(s->password), (const unsigned char *)first->salt.at,
	                         (int)first->salt.len, (int)first->iterations, hash, size, key.salted)
	    && hmac(hash, slice((char *)key.salted, len), slice_str("Client Key"), key.client, &len)
	    && EVP_Digest(key.client, len, key.stored, &len, hash, NULL)
	    && hmac(hash, slice((char *)key.stored, len), message, proof, &len)
	    && hmac(hash, slice((char *)key.salted, len), slice_str("Server Key"), key.server, &len)
	    && hmac(hash, slice((char *)key.server, len), message, s->server_signature, &s->signature_len);
	for (unsigned i = 0; good && i < len; i++)
		proof[i] ^= key.client[i];
	OPENSSL_cleanse(&key, sizeof key);
	return good;
}

/* What both sides sign: all that was said, but for the proof. */
static bool sign(struct sasl *s, const struct server_first *first, struct slice heard, struct slice final,
                 unsigned char *proof)
{
	struct buffer message;
	bool          good;

	buffer_init(&message, MESSAGE_MAX);
	good = buffer_add(&message, s->first_bare) && add(&message, ",")
	    && buffer_add(&message, heard) && add(&message, ",")
	    && buffer_add(&message, final) && scram_proof(s, first, buffer_held(&message), proof);
	buffer_release(&message);
	return good;
}

static bool scram_final(struct sasl *s, struct slice heard, struct buffer *out)
{
	struct server_first first;
	struct buffer       header;
	unsigned char       proof[EVP_MAX_MD_SIZE];
	bool                good;

	if (!read_server_first(s, heard, &first))
		return false;
	buffer_init(&header, MESSAGE_MAX);
	good = add_gs2_header(s, &header) && add(out, "c=")
	    && add_base64(s, out, buffer_held(&header).at, buffer_held(&header).len)
	    && add(out, ",r=") && buffer_add(out, first.nonce)
	    && sign(s, &first, heard, buffer_held(out), proof)
	    && add(out, ",p=") && add_base64(s, out, proof, (size_t)EVP_MD_get_size(s->how->hash()));
	buffer_release(&header);
	return good;
}

static bool scram_verify(struct sasl *s, struct slice heard)
{
	struct slice refused = heard, signature;

	refused = cut_attribute(&refused, 'e');
	if (refused.at) {
		s->reason = arena_copy(s->arena, refused);
		return true;
	}
	signature = cut_attribute(&heard, 'v');
	if (!signature.at || !base64_decode(s->arena, signature, &signature))
		return false;
	s->proven = signature.len == s->signature_len
	         && CRYPTO_memcmp(signature.at, s->server_signature, signature.len) == 0;
	return s->proven;
}

static bool scram_answer(struct sasl *s, struct slice heard, struct buffer *out)
{
	return s->answered == 0 ? scram_final(s, heard, out) : scram_verify(s, heard);
}
