/* Signatures as Standard Webhooks documents them; the secrets, sealed in a real store. */
#include "serve/signing.h"

#include <stdlib.h>
#include <unistd.h>

#include "store/accounts.h"
#include "store/scratch.h"

/* The example of the specification's reference libraries. */
#define SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define ID     "msg_p5jXN8AQM9LWM0D4loKWxJek"
#define SIGNED "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

struct scene { struct scratch s; struct vault *vault; char key_file[80]; };

static void scene_open(struct scene *c)
{
	scratch_rows(&c->s);
	snprintf(c->key_file, sizeof c->key_file, "%s/key", c->s.folder);
	c->vault = vault_open(c->key_file, true, &c->s.err);
	EXPECT(c->vault);
}

static void scene_close(struct scene *c)
{
	vault_free(c->vault);
	unlink(c->key_file);
	scratch_end(&c->s);
}

static struct signing key_of(const char *secret, struct arena *into)
{
	struct signing s = { .count = 1 };

	EXPECT(signing_key(slice_str(secret), into, &s.key[0]));
	return s;
}

TEST(the_documented_example)
{
	CLEANUP(arena) struct arena *work = arena_new();
	struct signing s = key_of(SECRET, work);

	EXPECT_TEXT(signing_header(&s, ID, 1614265330, slice_str("{\"test\": 2432232314}"), work), SIGNED);
	EXPECT(strcmp(signing_header(&s, ID, 1614265331, slice_str("{\"test\": 2432232314}"), work), SIGNED) != 0);
	s.key[1] = s.key[0];
	s.count = 2;
	EXPECT_TEXT(signing_header(&s, ID, 1614265330, slice_str("{\"test\": 2432232314}"), work), SIGNED " " SIGNED);
}

TEST(what_is_no_secret)
{
	static const char *const rows[] = { "", "whsec_", "whsec", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "WHSEC_MfKQ", "whsec_****", "whsec_M" };
	CLEANUP(arena) struct arena *work = arena_new();
	struct slice key;

	for (size_t i = 0; i < COUNT(rows); i++)
		EXPECT_ROW(!signing_key(slice_str(rows[i]), work, &key), rows[i]);
}

TEST(a_new_secret_is_32_bytes_and_never_the_same)
{
	CLEANUP(arena) struct arena *work = arena_new();
	const char  *one = signing_secret(work), *other = signing_secret(work);
	struct slice key;

	EXPECT(strcmp(one, other) != 0 && strlen(one) == strlen(other));
	EXPECT(signing_key(slice_str(one), work, &key) && key.len == 32);
}

static struct signing read_at(struct scene *c, int64_t now)
{
	struct signing s;

	EXPECT(signing_read(&c->s.txn, c->vault, "whk_1", now, c->s.arena, &s, &c->s.err));
	return s;
}

static void keep(struct scene *c, const char *secret, int64_t now)
{
	EXPECT(signing_keep(&c->s.txn, c->vault, "whk_1", secret, now, &c->s.err));
}

TEST(the_secret_before_signs_for_a_day)
{
	struct scene   c;
	const char    *secret[3];
	struct signing s;

	scene_open(&c);
	for (size_t i = 0; i < 3; i++)
		secret[i] = signing_secret(c.s.arena);
	keep(&c, secret[0], 1000);
	s = read_at(&c, 2000);
	EXPECT(s.count == 1 && slice_equal(s.key[0], key_of(secret[0], c.s.arena).key[0]));
	keep(&c, secret[1], 5000);
	s = read_at(&c, 5000 + SIGNING_OVERLAP_MS - 1);
	EXPECT(s.count == 2 && slice_equal(s.key[0], key_of(secret[1], c.s.arena).key[0]) && slice_equal(s.key[1], key_of(secret[0], c.s.arena).key[0]));
	EXPECT(read_at(&c, 5000 + SIGNING_OVERLAP_MS).count == 1);
	/* of three the last two */
	keep(&c, secret[2], 6000);
	s = read_at(&c, 6001);
	EXPECT(s.count == 2 && slice_equal(s.key[0], key_of(secret[2], c.s.arena).key[0]) && slice_equal(s.key[1], key_of(secret[1], c.s.arena).key[0]));
	scene_close(&c);
}

/* Sealed under the label that a rotation of the vault's keys makes of owner and kind, and never in the clear. */
TEST(how_it_lies_in_the_store)
{
	static const char *const kinds[] = { "signing", "signing_before" };
	struct scene c;
	struct slice sealed, plain;

	scene_open(&c);
	keep(&c, SECRET, 1000);
	keep(&c, SECRET, 1000);
	for (size_t i = 0; i < COUNT(kinds); i++) {
		EXPECT(sealed_get(&c.s.txn, c.s.arena, "whk_1", kinds[i], &sealed, &c.s.err) && !slice_has(sealed, "whsec"));
		EXPECT(vault_unseal(c.vault, arena_print(c.s.arena, "whk_1/%s", kinds[i]), sealed, c.s.arena, &plain, &c.s.err));
		EXPECT(slice_ends(plain, SECRET));
	}
	scene_close(&c);
}

TEST(one_that_cannot_be_opened_is_said_and_can_be_replaced)
{
	struct scene   c;
	struct signing out;

	scene_open(&c);
	EXPECT(!signing_read(&c.s.txn, c.vault, "whk_1", 1, c.s.arena, &out, &c.s.err) && c.s.err.fault == FAULT_ABSENT);
	EXPECT(sealed_put(&c.s.txn, "whk_1", "signing", slice_str("nonsense"), &c.s.err));
	EXPECT(!signing_read(&c.s.txn, c.vault, "whk_1", 1, c.s.arena, &out, &c.s.err) && c.s.err.fault == FAULT_BROKEN);
	keep(&c, SECRET, 1000);
	EXPECT(read_at(&c, 1000).count == 1);
	/* nor does a broken one of before keep the new one from signing */
	EXPECT(sealed_put(&c.s.txn, "whk_1", "signing_before", slice_str("nonsense"), &c.s.err));
	EXPECT(read_at(&c, 1000).count == 1);
	scene_close(&c);
}
