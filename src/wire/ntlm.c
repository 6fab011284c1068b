#include "wire/ntlm.h"

#include <stdio.h>

#include "base/secret.h"
#include "wire/ntlm_hash.h"
#include "wire/utf16.h"

#define SIGNATURE slice("NTLMSSP", 8)      /* with its NUL */
#define FIELD_MOST ((size_t)0xFFFF)         /* a length is 16 bits */

enum { NEGOTIATE = 1, CHALLENGE = 2, AUTHENTICATE = 3 };

/* MS-NLMP §2.2.2.5 */
enum flag {
	UNICODE          = 1 << 0,
	REQUEST_TARGET   = 1 << 2,
	NTLM             = 1 << 9,
	ALWAYS_SIGN      = 1 << 15,
	TARGET_IS_DOMAIN = 1 << 16,
	TARGET_IS_SERVER = 1 << 17,
	EXTENDED         = 1 << 19,
	TARGET_INFO      = 1 << 23,
	VERSION          = 1 << 25,
	KEY_128          = 1 << 29,
};
#define KEY_56 0x80000000u

/* What Windows asks for, without the sealing that TLS makes needless. Some servers refuse whoever cannot 128 bits. */
#define WE_ASK  (UNICODE | REQUEST_TARGET | NTLM | ALWAYS_SIGN | EXTENDED | KEY_128 | KEY_56)
#define WE_GIVE (WE_ASK | TARGET_INFO)

/* MS-NLMP §2.2.2.1 */
enum pair_id {
	PAIR_END              = 0,
	PAIR_NETBIOS_COMPUTER = 1,
	PAIR_NETBIOS_DOMAIN   = 2,
	PAIR_DNS_COMPUTER     = 3,
	PAIR_DNS_DOMAIN       = 4,
	PAIR_DNS_FOREST       = 5,
	PAIR_FLAGS            = 6,
	PAIR_TIME             = 7,
	PAIR_TARGET           = 9,
	PAIR_BINDING          = 10,
};

#define FLAGS_WITH_MIC 2u

/* -- numbers ------------------------------------------------------------------------------------------------------ */

static uint64_t get(struct slice s, size_t at, size_t bytes)
{
	uint64_t n = 0;

	while (bytes-- > 0)
		n = n << 8 | (unsigned char)s.at[at + bytes];
	return n;
}

static bool put(struct buffer *out, uint64_t n, size_t bytes)
{
	char little[8];

	for (size_t i = 0; i < bytes; i++, n >>= 8)
		little[i] = (char)(n & 0xFF);
	return buffer_add(out, slice(little, bytes));
}

static bool put_bytes(struct buffer *out, const void *bytes, size_t len)
{
	return buffer_add(out, slice(bytes, len));
}

/* -- CHALLENGE ---------------------------------------------------------------------------------------------------- */

struct pair {
	unsigned     id;
	struct slice value;
};

/* The next one; false behind the last, and where `*rest` is cut off within one, which sets `*broken`. */
static bool next_pair(struct slice *rest, struct pair *p, bool *broken)
{
	size_t len;

	if (rest->len == 0)      /* a list without its end mark says all the same what it says */
		return false;
	*broken = rest->len < 4 || rest->len - 4 < (len = get(*rest, 2, 2));
	if (*broken)
		return false;
	*p = (struct pair){ (unsigned)get(*rest, 0, 2), slice(rest->at + 4, len) };
	*rest = slice_from(*rest, 4 + len);
	return p->id != PAIR_END;
}

static const char **name_of(struct ntlm_challenge *c, unsigned id)
{
	switch (id) {
	case PAIR_NETBIOS_COMPUTER:
		return &c->netbios_computer;
	case PAIR_NETBIOS_DOMAIN:
		return &c->netbios_domain;
	case PAIR_DNS_COMPUTER:
		return &c->dns_computer;
	case PAIR_DNS_DOMAIN:
		return &c->dns_domain;
	case PAIR_DNS_FOREST:
		return &c->dns_forest;
	default:
		return NULL;
	}
}

static bool read_pairs(struct ntlm_challenge *c, struct arena *into, struct error *err)
{
	struct slice rest = c->target_info;
	bool         broken = false;
	struct pair  p;

	while (next_pair(&rest, &p, &broken)) {
		const char **name = name_of(c, p.id);

		if (p.id == PAIR_TIME && p.value.len != 8)
			return fail(err, FAULT_BROKEN, "an NTLM challenge whose time is no time");
		if (p.id == PAIR_TIME) {
			c->has_time = true;
			c->time = get(p.value, 0, 8);
		}
		if (name && p.value.len && !*name)
			*name = utf16_text(p.value, into);
	}
	return !broken || fail(err, FAULT_BROKEN, "an NTLM challenge whose target information is cut off");
}

/* Length, length once more, offset. What has no length may have any offset. */
static bool read_field(struct slice message, size_t at, struct slice *out)
{
	size_t len = get(message, at, 2), offset = get(message, at + 4, 4);

	*out = slice(message.at, 0);
	if (len == 0)
		return true;
	*out = slice_upto(slice_from(message, offset), len);
	return out->len == len;
}

/* Servers without target information still name themselves. */
static void read_target(struct ntlm_challenge *c, struct slice target, struct arena *into)
{
	const char **name = c->flags & TARGET_IS_DOMAIN ? &c->netbios_domain : c->flags & TARGET_IS_SERVER ? &c->netbios_computer : NULL;

	if (name && !*name && target.len && c->flags & UNICODE)
		*name = utf16_text(target, into);
}

/* Older servers set the flag, but have names where the version would be. */
static void read_version(struct ntlm_challenge *c, struct slice message, struct slice target)
{
	bool there = c->flags & VERSION && message.len >= 56 && (!target.len || target.at >= message.at + 56)
	    && (!c->target_info.len || c->target_info.at >= message.at + 56);

	if (there)
		snprintf(c->version, sizeof c->version, "%u.%u.%u", (unsigned)get(message, 48, 1), (unsigned)get(message, 49, 1),
		         (unsigned)get(message, 50, 2));
}

bool ntlm_challenge_read(struct slice message, struct arena *into, struct ntlm_challenge *out, struct error *err)
{
	struct ntlm_challenge c = { 0 };
	struct slice          target;

	if (message.len > NTLM_MOST)
		return fail(err, FAULT_BROKEN, "an NTLM challenge of more than %zu KiB", NTLM_MOST / 1024);
	if (message.len < 32 || !slice_equal(slice_upto(message, 8), SIGNATURE) || get(message, 8, 4) != CHALLENGE)
		return fail(err, FAULT_BROKEN, "this is no NTLM challenge");
	c.flags = (uint32_t)get(message, 20, 4);
	memcpy(c.nonce, message.at + 24, sizeof c.nonce);
	if (!read_field(message, 12, &target))
		return fail(err, FAULT_BROKEN, "an NTLM challenge whose target name lies outside of it");
	if (c.flags & TARGET_INFO && (message.len < 48 || !read_field(message, 40, &c.target_info)))
		return fail(err, FAULT_BROKEN, "an NTLM challenge whose target information lies outside of it");
	if (c.target_info.len == 0)
		c.target_info = slice(NULL, 0);
	if (!read_pairs(&c, into, err))
		return false;
	read_target(&c, target, into);
	read_version(&c, message, target);
	*out = c;
	return true;
}

/* -- names -------------------------------------------------------------------------------------------------------- */

void ntlm_name(const char *name, struct arena *into, const char **domain, const char **user)
{
	const char *slash = strchr(name, '\\');

	*domain = slash ? arena_copy(into, slice(name, (size_t)(slash - name))) : "";
	*user = arena_str(into, slash ? slash + 1 : name);
}

/* -- NEGOTIATE ---------------------------------------------------------------------------------------------------- */

void ntlm_negotiate(struct buffer *out)
{
	char          bytes[40] = { 0 };      /* no domain, no machine, no version of ours: nothing that nobody needs to know */
	struct buffer b;

	buffer_init(&b, sizeof bytes);
	buffer_add(&b, SIGNATURE);
	put(&b, NEGOTIATE, 4);
	put(&b, WE_ASK, 4);
	memcpy(bytes, buffer_held(&b).at, buffer_held(&b).len);
	buffer_release(&b);
	buffer_add(out, slice(bytes, sizeof bytes));
}

/* -- AUTHENTICATE ------------------------------------------------------------------------------------------------- */

#define HEAD 88      /* bytes of the message before what its fields point to */
#define MIC  72      /* where in there */

/* What the message is made of; each with a limit that a field's length can say. */
struct answer {
	struct buffer domain, user, lm, nt;
	struct buffer message;
	unsigned char key[NTLM_HASH];          /* NTOWFv2: as good as the password, at this server and any other */
	unsigned char session[NTLM_HASH];
};

static void answer_init(struct answer *a)
{
	*a = (struct answer){ 0 };
	buffer_init(&a->domain, FIELD_MOST);
	buffer_init(&a->user, FIELD_MOST);
	buffer_init(&a->lm, FIELD_MOST);
	buffer_init(&a->nt, FIELD_MOST);
	buffer_init(&a->message, HEAD + 4 * FIELD_MOST);
}

static void answer_release(struct answer *a)
{
	buffer_release(&a->domain);
	buffer_release(&a->user);
	buffer_release(&a->lm);
	buffer_release(&a->nt);
	buffer_release(&a->message);
	secret_wipe(a, sizeof *a);
}

static bool too_big(struct error *err)
{
	return fail(err, FAULT_TOO_BIG, "an NTLM message of more than can be sent");
}

/* HMAC-MD5 over several pieces: there is one place only that knows all of them at once. */
static bool hmac_of(const unsigned char key[NTLM_HASH], const struct slice *pieces, size_t count, unsigned char out[NTLM_HASH],
                    struct error *err)
{
	struct buffer all;
	bool          fine = true;

	buffer_init(&all, 8 * FIELD_MOST);
	for (size_t i = 0; i < count; i++)
		fine = fine && buffer_add(&all, pieces[i]);
	fine = fine ? ntlm_hmac(key, buffer_held(&all), out, err) : too_big(err);
	buffer_release(&all);
	return fine;
}

/* MS-NLMP §3.3.2, NTOWFv2. The user counts in capitals, the domain as it is sent. */
static bool find_key(struct answer *a, const struct ntlm_login *login, struct error *err)
{
	unsigned char hash[NTLM_HASH];
	struct buffer password, user;
	bool          fine;

	buffer_init(&password, FIELD_MOST);
	buffer_init(&user, FIELD_MOST);
	fine = (utf16_add(&password, login->password) && buffer_add(&user, buffer_held(&a->user))) || too_big(err);
	utf16_upper((char *)buffer_held(&user).at, buffer_held(&user).len);
	fine = fine && ntlm_md4(buffer_held(&password), hash, err)
	    && hmac_of(hash, (struct slice[]){ buffer_held(&user), buffer_held(&a->domain) }, 2, a->key, err);
	buffer_release(&password);
	buffer_release(&user);
	secret_wipe(hash, sizeof hash);
	return fine;
}

static bool put_pair(struct buffer *out, enum pair_id id, struct slice value)
{
	return value.len <= FIELD_MOST && put(out, id, 2) && put(out, value.len, 2) && buffer_add(out, value);
}

/* MS-NLMP §3.1.1.2 and RFC 5929 §4: the hash of a gss_channel_bindings_struct (RFC 2744 §3.11) without addresses. */
static bool put_binding(struct buffer *out, struct slice end_point, struct error *err)
{
	static const char kind[] = "tls-server-end-point:";
	unsigned char     hash[NTLM_HASH];
	struct buffer     b;
	bool              fine;

	buffer_init(&b, FIELD_MOST);
	fine = (put(&b, 0, 8) && put(&b, 0, 8) && put(&b, sizeof kind - 1 + end_point.len, 4) && buffer_add_str(&b, kind)
		&& buffer_add(&b, end_point)) || too_big(err);
	fine = fine && ntlm_md5(buffer_held(&b), hash, err)
	    && (put_pair(out, PAIR_BINDING, slice((char *)hash, sizeof hash)) || too_big(err));
	buffer_release(&b);
	return fine;
}

static bool put_target(struct buffer *out, const char *target)
{
	struct buffer text;
	bool          fine;

	buffer_init(&text, FIELD_MOST);
	fine = utf16_add(&text, target) && put_pair(out, PAIR_TARGET, buffer_held(&text));
	buffer_release(&text);
	return fine;
}

/* What the server said of itself, and what we add (MS-NLMP §3.1.5.1.2). Without a binding none is sent, rather than sixteen zeros: to
 * say nothing is what clients from before extended protection do, and they pass wherever it is not required. */
static bool put_pairs(struct buffer *out, const struct ntlm_login *login, const struct ntlm_challenge *c, struct error *err)
{
	struct slice rest = c->target_info;
	uint64_t     flags = c->has_time ? FLAGS_WITH_MIC : 0;
	bool         broken = false, fits = true;
	struct pair  p;

	while (next_pair(&rest, &p, &broken)) {
		if (p.id == PAIR_FLAGS && p.value.len == 4)
			flags |= get(p.value, 0, 4);
		else if (p.id != PAIR_FLAGS && p.id != PAIR_TARGET && p.id != PAIR_BINDING)
			fits = fits && put_pair(out, p.id, p.value);
	}
	if (flags)
		fits = fits && put(out, PAIR_FLAGS, 2) && put(out, 4, 2) && put(out, flags, 4);
	if (fits && login->binding.len && !put_binding(out, login->binding, err))
		return false;
	if (login->target && *login->target)
		fits = fits && put_target(out, login->target);
	return (fits && put(out, PAIR_END, 2) && put(out, 0, 2)) || too_big(err);
}

/* MS-NLMP §3.3.2 ("temp"): what the proof is about. */
static bool put_blob(struct buffer *out, const struct ntlm_login *login, const struct ntlm_challenge *c, struct error *err)
{
	static const char version[] = { 1, 1, 0, 0, 0, 0, 0, 0 };

	if (!put_bytes(out, version, sizeof version) || !put(out, c->has_time ? c->time : login->time, 8)
	    || !put_bytes(out, login->nonce, sizeof login->nonce) || !put(out, 0, 4))
		return too_big(err);
	return put_pairs(out, login, c, err) && (put(out, 0, 4) || too_big(err));
}

static bool respond(struct answer *a, const struct ntlm_login *login, const struct ntlm_challenge *c, struct error *err)
{
	unsigned char proof[NTLM_HASH];
	struct slice  nonce = slice((const char *)c->nonce, sizeof c->nonce), ours = slice((const char *)login->nonce, sizeof login->nonce);
	struct buffer blob;
	bool          fine;

	buffer_init(&blob, FIELD_MOST);
	fine = put_blob(&blob, login, c, err)
	    && hmac_of(a->key, (struct slice[]){ nonce, buffer_held(&blob) }, 2, proof, err)
	    && ntlm_hmac(a->key, slice((char *)proof, sizeof proof), a->session, err)
	    && ((put_bytes(&a->nt, proof, sizeof proof) && buffer_add(&a->nt, buffer_held(&blob))) || too_big(err));
	buffer_release(&blob);
	if (!fine)
		return false;
	/* LMv2 is for servers that are too old to send a time; the others want zeros there */
	if (c->has_time)
		return put(&a->lm, 0, 8) && put(&a->lm, 0, 8) && put(&a->lm, 0, 8);
	return hmac_of(a->key, (struct slice[]){ nonce, ours }, 2, proof, err) && put_bytes(&a->lm, proof, sizeof proof)
	    && buffer_add(&a->lm, ours);
}

static bool put_field(struct buffer *out, const struct buffer *what, size_t *offset)
{
	size_t len = buffer_held(what).len, at = *offset;

	*offset += len;
	return put(out, len, 2) && put(out, len, 2) && put(out, at, 4);
}

/* The name of this machine stays here, and there is no session key: nothing is sealed with it. */
static bool put_message(struct answer *a, uint32_t flags)
{
	struct buffer *m = &a->message, none = { 0 };
	size_t         domain = HEAD, lm = domain + buffer_held(&a->domain).len + buffer_held(&a->user).len, end;

	end = lm + buffer_held(&a->lm).len + buffer_held(&a->nt).len;
	return buffer_add(m, SIGNATURE) && put(m, AUTHENTICATE, 4)
	    && put_field(m, &a->lm, &lm) && put_field(m, &a->nt, &lm)
	    && put_field(m, &a->domain, &domain) && put_field(m, &a->user, &domain)
	    && put_field(m, &none, &end) && put_field(m, &none, &end)
	    && put(m, flags, 4) && put(m, 0, 8)                   /* the version of a Windows that we are not */
	    && put(m, 0, 8) && put(m, 0, 8)                       /* the MIC, for now */
	    && buffer_add(m, buffer_held(&a->domain)) && buffer_add(m, buffer_held(&a->user))
	    && buffer_add(m, buffer_held(&a->lm)) && buffer_add(m, buffer_held(&a->nt));
}

/* So that nobody on the way has changed what the two agreed on. */
static bool seal(struct answer *a, struct slice negotiate, struct slice challenge, struct error *err)
{
	unsigned char mic[NTLM_HASH];

	if (!hmac_of(a->session, (struct slice[]){ negotiate, challenge, buffer_held(&a->message) }, 3, mic, err))
		return false;
	memcpy(a->message.bytes + a->message.start + MIC, mic, sizeof mic);
	return true;
}

static bool compose(struct answer *a, const struct ntlm_login *login, const struct ntlm_challenge *c, struct error *err)
{
	if (!utf16_add(&a->domain, login->domain) || !utf16_add(&a->user, login->user))
		return too_big(err);
	return find_key(a, login, err) && respond(a, login, c, err)
	    && (put_message(a, (c->flags & WE_GIVE) | UNICODE | NTLM) || too_big(err));
}

bool ntlm_authenticate(const struct ntlm_login *login, const struct ntlm_challenge *c, struct slice negotiate, struct slice challenge,
                       struct buffer *out, struct error *err)
{
	struct answer a;
	bool          fine;

	/* Names in that machine's own code page would be guessed at, and a wrong guess looks like a wrong password. */
	if (!(c->flags & UNICODE))
		return fail(err, FAULT_NOT_OFFERED, "the server takes NTLM only without Unicode");
	answer_init(&a);
	fine = compose(&a, login, c, err) && (!c->has_time || seal(&a, negotiate, challenge, err))
	    && (buffer_add(out, buffer_held(&a.message)) || too_big(err));
	answer_release(&a);
	return fine;
}
