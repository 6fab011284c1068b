#include "serve/tally.h"

#include <sodium.h>
#include <stdlib.h>

#include "base/random.h"

#define WAYS 4       /* places in which one name may stand */

struct place {
	uint64_t name;         /* keyed hash: nobody outside can choose names that meet in one place */
	int64_t  began_ms;
	unsigned count;        /* 0: empty */
};

struct tally {
	unsigned char key[crypto_shorthash_KEYBYTES];
	size_t        sets;
	struct place *place;
};

struct tally *tally_new(size_t names)
{
	struct tally *t = must_alloc(sizeof *t);

	random_bytes(t->key, sizeof t->key);
	t->sets = names / WAYS + 1;
	t->place = must_alloc(t->sets * WAYS * sizeof *t->place);
	return t;
}

void tally_free(struct tally *t)
{
	if (!t)
		return;
	free(t->place);
	free(t);
}

static uint64_t hash(const struct tally *t, struct slice name)
{
	uint64_t h;

	crypto_shorthash((unsigned char *)&h, (const unsigned char *)name.at, name.len, t->key);
	return h;
}

static bool is_over(const struct place *p, int64_t now_ms)
{
	return p->count == 0 || now_ms - p->began_ms >= TALLY_MS;
}

/* Where the name stands, or NULL. */
static struct place *find(const struct tally *t, uint64_t h)
{
	struct place *set = &t->place[h % t->sets * WAYS];

	for (size_t i = 0; i < WAYS; i++)
		if (set[i].count && set[i].name == h)
			return &set[i];
	return NULL;
}

static struct place *oldest(const struct tally *t, uint64_t h)
{
	struct place *set = &t->place[h % t->sets * WAYS], *p = set;

	for (size_t i = 0; i < WAYS; i++)
		if (set[i].count == 0 || (p->count && set[i].began_ms < p->began_ms))
			p = &set[i];
	return p;
}

unsigned tally_add(struct tally *t, struct slice name, int64_t now_ms)
{
	uint64_t      h = hash(t, name);
	struct place *p = find(t, h);

	if (!p)
		p = oldest(t, h);
	if (p->name != h || is_over(p, now_ms))
		*p = (struct place){ .name = h, .began_ms = now_ms };
	return ++p->count;
}

unsigned tally_count(const struct tally *t, struct slice name, int64_t now_ms)
{
	const struct place *p = find(t, hash(t, name));

	return p && !is_over(p, now_ms) ? p->count : 0;
}
