#include "serve/rate.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/random.h"

#define SETS 1024
#define WAYS 4

struct bucket {
	uint64_t who;          /* a keyed hash: nobody can choose whom he pushes out */
	int64_t  at;
	double   left;
};

struct rates {
	pthread_mutex_t lock;
	unsigned char   key[crypto_shorthash_KEYBYTES];
	struct bucket   bucket[SETS][WAYS];
};

struct rates *rates_new(void)
{
	struct rates *r = must_alloc(sizeof *r);

	pthread_mutex_init(&r->lock, NULL);
	random_bytes(r->key, sizeof r->key);
	return r;
}

void rates_free(struct rates *r)
{
	if (!r)
		return;
	pthread_mutex_destroy(&r->lock);
	free(r);
}

static struct bucket *bucket_of(struct rates *r, uint64_t who, struct rate_limit limit, int64_t now)
{
	struct bucket *set = r->bucket[who % SETS], *oldest = set;

	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].who == who && set[i].at)
			return &set[i];
		if (set[i].at < oldest->at)
			oldest = &set[i];
	}
	*oldest = (struct bucket){ who, now, limit.burst };
	return oldest;
}

static bool take(struct rates *r, const char *who, struct rate_limit limit, int64_t now, double amount, int *wait_s)
{
	uint64_t       hash;
	struct bucket *b;
	bool           may;

	crypto_shorthash((unsigned char *)&hash, (const unsigned char *)who, strlen(who), r->key);
	pthread_mutex_lock(&r->lock);
	b = bucket_of(r, hash, limit, now);
	if (now > b->at)
		b->left += (double)(now - b->at) * limit.per_second / 1000;
	if (b->left > limit.burst)
		b->left = limit.burst;
	b->at = now;
	may = b->left >= 1;
	if (may)
		b->left -= amount;
	else
		*wait_s = 1 + (int)((1 - b->left) / (limit.per_second ? limit.per_second : 1));
	pthread_mutex_unlock(&r->lock);
	return may;
}

bool rate_take(struct rates *r, const char *who, struct rate_limit limit, int64_t now_ms, int *wait_s)
{
	return take(r, who, limit, now_ms, 1, wait_s);
}

bool rate_left(struct rates *r, const char *who, struct rate_limit limit, int64_t now_ms, int *wait_s)
{
	return take(r, who, limit, now_ms, 0, wait_s);
}
