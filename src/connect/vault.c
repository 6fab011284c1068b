#include "connect/vault.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/random.h"

/* A sealed secret: version, length of the key's id, the id, nonce, what is sealed with its tag. */
#define VERSION      1
#define HEAD         2

#define ID_LONGEST   32
#define ID_DICE      10
#define KEYS_MOST    32
#define FILE_LONGEST (16 * 1024)
#define KEY_BYTES    crypto_aead_xchacha20poly1305_ietf_KEYBYTES
#define NONCE_BYTES  crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_BYTES    crypto_aead_xchacha20poly1305_ietf_ABYTES
#define BASE64_KEY   sodium_base64_ENCODED_LEN(KEY_BYTES, sodium_base64_VARIANT_ORIGINAL)      /* with its NUL */
#define SIGNED_BYTES crypto_generichash_BYTES

struct vault_key {
	char          id[ID_LONGEST + 1];
	unsigned char sealing[KEY_BYTES], signing[crypto_kdf_KEYBYTES];
};

/* All of it in memory that libsodium guards: locked, left out of dumps, read-only once it is filled. */
struct vault {
	size_t           count;
	struct vault_key key[KEYS_MOST];
};

/* -- memory that is guarded --------------------------------------------------------------------------------------- */

struct guarded {
	size_t len;
	char   bytes[FILE_LONGEST + 1];
};

static void guarded_free(struct guarded *g)
{
	sodium_free(g);
}
DEFINE_CLEANUP(guarded)

static void *guard(size_t size, struct error *err)
{
	void *p = sodium_init() < 0 ? NULL : sodium_malloc(size);

	if (!p) {
		fail(err, FAULT_LOCAL, "the vault: no guarded memory");
		return NULL;
	}
	memset(p, 0, size);
	return p;
}

/* -- the file ----------------------------------------------------------------------------------------------------- */

/* systemd hands its credentials to the service's group or by an access list, in a folder that nobody else can read. */
static bool is_credential(const char *file)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY");
	char       *whole = folder ? realpath(folder, NULL) : NULL, *path = realpath(file, NULL);
	size_t      len = whole ? strlen(whole) : 0;
	bool        fine = whole && path && strncmp(path, whole, len) == 0 && path[len] == '/';

	free(whole);
	free(path);
	return fine;
}

static bool check_mode(const char *file, int fd, struct error *err)
{
	struct stat st;
	mode_t      mode;

	if (fstat(fd, &st) < 0)
		return fail(err, FAULT_LOCAL, "%s: %s", file, strerror(errno));
	mode = st.st_mode & 07777;
	if (!S_ISREG(st.st_mode))
		return fail(err, FAULT_LOCAL, "%s: no file", file);
	if (st.st_uid != geteuid() && st.st_uid != 0)
		return fail(err, FAULT_LOCAL, "%s: belongs to somebody else", file);
	if (mode == 0600 || mode == 0400 || (mode == 0440 && is_credential(file)))
		return true;
	return fail(err, FAULT_LOCAL, "%s: mode %04o, but a file of keys must be 0600", file, (unsigned)mode);
}

static bool read_all(const char *file, int fd, struct guarded *g, struct error *err)
{
	ssize_t got;

	while ((got = read(fd, g->bytes + g->len, sizeof g->bytes - g->len)) > 0)
		g->len += (size_t)got;
	if (got < 0)
		return fail(err, FAULT_LOCAL, "%s: %s", file, strerror(errno));
	return g->len <= FILE_LONGEST || fail(err, FAULT_LOCAL, "%s: over %d bytes", file, FILE_LONGEST);
}

/* The file's bytes; `st`, where wanted, is whose it is. */
static struct guarded *file_read(const char *file, struct stat *st, struct error *err)
{
	struct guarded *g = guard(sizeof *g, err);
	int             fd = open(file, O_RDONLY | O_CLOEXEC);
	bool            fine = g != NULL;

	if (fine && fd < 0)
		fine = fail(err, FAULT_LOCAL, "%s: %s", file, strerror(errno));
	fine = fine && check_mode(file, fd, err) && read_all(file, fd, g, err);
	if (fine && st)
		fstat(fd, st);
	if (fd >= 0)
		close(fd);
	if (fine)
		return g;
	guarded_free(g);
	return NULL;
}

static bool write_all(int fd, const char *at, size_t len)
{
	while (len) {
		ssize_t put = write(fd, at, len);

		if (put < 0)
			return false;
		at += put;
		len -= (size_t)put;
	}
	return fsync(fd) == 0;
}

/* A file beside `file` with these bytes, on the disk; `owner` NULL: ours. */
static bool write_beside(const char *beside, struct slice bytes, const struct stat *owner)
{
	int  fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	bool fine = fd >= 0 && write_all(fd, bytes.at, bytes.len)
	         && (!owner || (fchown(fd, owner->st_uid, owner->st_gid) == 0 && fchmod(fd, owner->st_mode & 0777) == 0));
	int  why = errno;

	if (fd >= 0)
		close(fd);
	if (fd >= 0 && !fine)
		unlink(beside);
	errno = why;
	return fine;
}

static const char *name_beside(const char *file, struct arena *work)
{
	return arena_print(work, "%s.%s", file, random_text(work, ID_DICE));
}

/* Its folder, to make a new name durable, and to keep two changes apart. -1: errno. */
static int folder_of(const char *file, struct arena *work)
{
	return open(dirname(arena_str(work, file)), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Never over one that is there: of several that begin at once one wins, and all use its key. */
static bool file_create(const char *file, struct slice bytes, struct error *err)
{
	CLEANUP(arena) struct arena *work = arena_new();
	const char *beside = name_beside(file, work);
	int         folder = folder_of(file, work);
	bool        fine = folder >= 0 && write_beside(beside, bytes, NULL) && (link(beside, file) == 0 || errno == EEXIST);

	if (!fine)
		fail(err, FAULT_LOCAL, "%s: %s", file, strerror(errno));
	unlink(beside);
	if (fine && fsync(folder) < 0)
		fine = fail(err, FAULT_LOCAL, "%s: %s", file, strerror(errno));
	if (folder >= 0)
		close(folder);
	return fine;
}

static bool file_replace(const char *file, int folder, struct slice bytes, const struct stat *owner, struct error *err)
{
	CLEANUP(arena) struct arena *work = arena_new();
	const char *beside = name_beside(file, work);
	bool        fine = write_beside(beside, bytes, owner) && rename(beside, file) == 0 && fsync(folder) == 0;

	if (!fine) {
		fail(err, FAULT_LOCAL, "%s: %s", file, strerror(errno));
		unlink(beside);
	}
	return fine;
}

/* -- its lines ---------------------------------------------------------------------------------------------------- */

/* "ID BASE64" and a line end, with a new key. */
static void print_new_key(struct guarded *out)
{
	CLEANUP(arena) struct arena *work = arena_new();
	unsigned char key[KEY_BYTES];

	randombytes_buf(key, sizeof key);
	out->len += (size_t)snprintf(out->bytes + out->len, sizeof out->bytes - out->len, "k%s ", random_text(work, ID_DICE));
	sodium_bin2base64(out->bytes + out->len, BASE64_KEY, key, sizeof key, sodium_base64_VARIANT_ORIGINAL);
	out->len += BASE64_KEY - 1;
	out->bytes[out->len++] = '\n';
	sodium_memzero(key, sizeof key);
}

static bool is_id(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!isalnum((unsigned char)s.at[i]) && s.at[i] != '-' && s.at[i] != '_')
			return false;
	return s.len > 0 && s.len <= ID_LONGEST;
}

static const struct vault_key *find_key(const struct vault *v, struct slice id)
{
	for (size_t i = 0; i < v->count; i++)
		if (slice_equal(slice_str(v->key[i].id), id))
			return &v->key[i];
	return NULL;
}

static bool add_key(struct vault *v, struct slice line)
{
	struct slice      text = line, id = slice_cut(&text, ' ');
	struct vault_key *k = &v->key[v->count];
	const char       *end;
	size_t            len;

	if (v->count == KEYS_MOST || !is_id(id) || find_key(v, id))
		return false;
	if (sodium_base642bin(k->sealing, KEY_BYTES, text.at, text.len, NULL, &len, &end, sodium_base64_VARIANT_ORIGINAL) != 0
	    || len != KEY_BYTES || end != text.at + text.len)
		return false;
	memcpy(k->id, id.at, id.len);
	/* what seals is not used for anything else */
	crypto_kdf_derive_from_key(k->signing, sizeof k->signing, 1, "mailsign", k->sealing);
	v->count++;
	return true;
}

/* Nothing of a line goes into an error: it may be half a key. */
static bool read_keys(const char *file, struct slice text, struct vault *v, struct error *err)
{
	for (int number = 1; text.len; number++) {
		struct slice line = slice_trim(slice_cut(&text, '\n'));

		if (line.len && !add_key(v, line))
			return fail(err, FAULT_LOCAL, "%s: line %d is no key, or there are too many", file, number);
	}
	return v->count > 0 || fail(err, FAULT_LOCAL, "%s: no key in it", file);
}

static bool create_if_absent(const char *file, struct error *err)
{
	CLEANUP(guarded) struct guarded *fresh = NULL;

	if (access(file, F_OK) == 0 || errno != ENOENT)
		return true;
	if (!(fresh = guard(sizeof *fresh, err)))
		return false;
	print_new_key(fresh);
	return file_create(file, slice(fresh->bytes, fresh->len), err);
}

struct vault *vault_open(const char *key_file, bool create, struct error *err)
{
	CLEANUP(guarded) struct guarded *text = NULL;
	struct vault *v;

	if ((create && !create_if_absent(key_file, err)) || !(text = file_read(key_file, NULL, err)) || !(v = guard(sizeof *v, err)))
		return NULL;
	if (read_keys(key_file, slice(text->bytes, text->len), v, err) && sodium_mprotect_readonly(v) == 0)
		return v;
	vault_free(v);
	return NULL;
}

void vault_free(struct vault *v)
{
	sodium_free(v);
}

const char *vault_key_id(const struct vault *v)
{
	return v->key[0].id;
}

size_t vault_keys(const struct vault *v)
{
	return v->count;
}

/* Under the folder's lock, from the file as it is then. */
static bool change_file(const char *file, struct error *err,
                        bool (*change)(const struct vault *, const struct guarded *before, struct guarded *after, struct error *))
{
	CLEANUP(arena)   struct arena   *work = arena_new();
	CLEANUP(guarded) struct guarded *before = NULL, *after = guard(sizeof *after, err);
	CLEANUP(vault)   struct vault   *keys = NULL;
	struct stat owner;
	int         folder = folder_of(file, work);
	bool        fine;

	if (folder < 0 || flock(folder, LOCK_EX) < 0)
		fine = fail(err, FAULT_LOCAL, "%s: %s", file, strerror(errno));
	else
		fine = after && (before = file_read(file, &owner, err)) && (keys = vault_open(file, false, err))
		    && change(keys, before, after, err) && file_replace(file, folder, slice(after->bytes, after->len), &owner, err);
	if (folder >= 0)
		close(folder);
	return fine;
}

static bool put_new_first(const struct vault *keys, const struct guarded *before, struct guarded *after, struct error *err)
{
	print_new_key(after);
	if (keys->count == KEYS_MOST || after->len + before->len > FILE_LONGEST)
		return fail(err, FAULT_LOCAL, "the file of keys is full: seal all secrets anew and drop the old keys");
	memcpy(after->bytes + after->len, before->bytes, before->len);
	after->len += before->len;
	return true;
}

static bool keep_first(const struct vault *keys, const struct guarded *before, struct guarded *after, struct error *err)
{
	struct slice rest = slice(before->bytes, before->len), line = { 0 };

	(void)keys, (void)err;
	while (rest.len && !line.len)
		line = slice_trim(slice_cut(&rest, '\n'));
	memcpy(after->bytes, line.at, line.len);
	after->bytes[line.len] = '\n';
	after->len = line.len + 1;
	return true;
}

bool vault_add_key(const char *key_file, struct error *err)
{
	return change_file(key_file, err, put_new_first);
}

bool vault_drop_old_keys(const char *key_file, struct error *err)
{
	return change_file(key_file, err, keep_first);
}

/* -- sealing ------------------------------------------------------------------------------------------------------ */

/* What is authenticated besides the secret: how it is sealed, and for whom. */
static struct slice bound_to(struct slice head, const char *label, struct arena *work)
{
	struct slice whose = slice_str(label);
	char        *text = arena_get(work, head.len + whose.len);

	memcpy(text, head.at, head.len);
	memcpy(text + head.len, whose.at, whose.len);
	return slice(text, head.len + whose.len);
}

bool vault_seal(const struct vault *v, const char *label, struct slice secret, struct arena *into, struct slice *sealed_out,
                struct error *err)
{
	const struct vault_key *k = &v->key[0];
	size_t             id = strlen(k->id), head = HEAD + id;
	unsigned char     *out = arena_get(into, head + NONCE_BYTES + secret.len + TAG_BYTES), *nonce = out + head;
	struct slice       bound;
	unsigned long long len;

	out[0] = VERSION;
	out[1] = (unsigned char)id;
	memcpy(out + HEAD, k->id, id);
	randombytes_buf(nonce, NONCE_BYTES);
	bound = bound_to(slice((const char *)out, head), label, into);
	if (crypto_aead_xchacha20poly1305_ietf_encrypt(nonce + NONCE_BYTES, &len, (const unsigned char *)secret.at, secret.len,
	                                               (const unsigned char *)bound.at, bound.len, NULL, nonce, k->sealing) != 0)
		return fail(err, FAULT_LOCAL, "sealing a secret failed");
	*sealed_out = slice((const char *)out, head + NONCE_BYTES + (size_t)len);
	return true;
}

/* The id of its key, and `*rest` what follows; empty when it is no sealed secret. */
static struct slice key_id_of(struct slice sealed, struct slice *rest)
{
	size_t id = sealed.len >= HEAD && sealed.at[0] == VERSION ? (unsigned char)sealed.at[1] : 0;

	if (id == 0 || id > ID_LONGEST || sealed.len < HEAD + id + NONCE_BYTES + TAG_BYTES)
		return slice(NULL, 0);
	*rest = slice_from(sealed, HEAD + id);
	return slice(sealed.at + HEAD, id);
}

bool vault_unseal(const struct vault *v, const char *label, struct slice sealed, struct arena *into, struct slice *plain_out,
                  struct error *err)
{
	struct slice            rest, id = key_id_of(sealed, &rest), bound;
	const struct vault_key *k;
	const unsigned char    *nonce, *box;
	unsigned char          *plain;
	unsigned long long      len;

	if (!is_id(id))
		return fail(err, FAULT_BROKEN, "a sealed secret is damaged");
	if (!(k = find_key(v, id)))
		return fail(err, FAULT_ABSENT, "a secret is sealed with key %.*s, which is not in the file of keys", (int)id.len, id.at);
	bound = bound_to(slice(sealed.at, HEAD + id.len), label, into);
	nonce = (const unsigned char *)rest.at, box = nonce + NONCE_BYTES;
	plain = arena_get(into, rest.len - NONCE_BYTES - TAG_BYTES + 1);
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(plain, &len, NULL, box, rest.len - NONCE_BYTES,
	                                               (const unsigned char *)bound.at, bound.len, nonce, k->sealing) != 0)
		return fail(err, FAULT_BROKEN, "a sealed secret does not open: it is damaged, or somebody else's");
	*plain_out = slice((const char *)plain, (size_t)len);
	return true;
}

bool vault_is_current(const struct vault *v, struct slice sealed)
{
	struct slice rest;

	return slice_equal(key_id_of(sealed, &rest), slice_str(v->key[0].id));
}

/* -- signing ------------------------------------------------------------------------------------------------------ */

/* The purpose goes in with its length, so that no two pairs of purpose and text are the same bytes. */
static void sign(const struct vault_key *k, const char *purpose, struct slice text, char hex[SIGNED_BYTES * 2 + 1])
{
	crypto_generichash_state state;
	unsigned char            hash[SIGNED_BYTES];
	uint64_t                 len = strlen(purpose);

	crypto_generichash_init(&state, k->signing, sizeof k->signing, sizeof hash);
	for (unsigned shift = 0; shift < 64; shift += 8)
		crypto_generichash_update(&state, &(unsigned char){ (unsigned char)(len >> shift) }, 1);
	crypto_generichash_update(&state, (const unsigned char *)purpose, len);
	crypto_generichash_update(&state, (const unsigned char *)text.at, text.len);
	crypto_generichash_final(&state, hash, sizeof hash);
	sodium_memzero(&state, sizeof state);
	sodium_bin2hex(hex, SIGNED_BYTES * 2 + 1, hash, sizeof hash);
}

const char *vault_sign(const struct vault *v, const char *purpose, struct slice text, struct arena *into)
{
	char *hex = arena_get(into, SIGNED_BYTES * 2 + 1);

	sign(&v->key[0], purpose, text, hex);
	return hex;
}

bool vault_signed(const struct vault *v, const char *purpose, struct slice text, const char *signature)
{
	char hex[SIGNED_BYTES * 2 + 1];
	bool right = false;

	if (strlen(signature) != SIGNED_BYTES * 2)
		return false;
	for (size_t i = 0; i < v->count; i++) {
		sign(&v->key[i], purpose, text, hex);
		right |= sodium_memcmp(hex, signature, SIGNED_BYTES * 2) == 0;
	}
	sodium_memzero(hex, sizeof hex);
	return right;
}
