#include <stdlib.h>
#include <sys/queue.h>

#include "base/arena.h"
#include "net/tls_openssl.h"

#define BUCKETS 1024

struct kept {
	SSL_SESSION     *session;
	struct tls_proof proof;
	LIST_ENTRY(kept) bucket;
	TAILQ_ENTRY(kept) age;
	char             key[];
};

struct tls_sessions {
	LIST_HEAD(, kept)  bucket[BUCKETS];
	TAILQ_HEAD(, kept) oldest_first;
	size_t             count;
};

struct tls_sessions *tls_sessions_new(void)
{
	struct tls_sessions *s = must_alloc(sizeof *s);

	TAILQ_INIT(&s->oldest_first);
	return s;
}

static void drop(struct tls_sessions *s, struct kept *k)
{
	LIST_REMOVE(k, bucket);
	TAILQ_REMOVE(&s->oldest_first, k, age);
	s->count--;
	SSL_SESSION_free(k->session);
	free(k);
}

void tls_sessions_free(struct tls_sessions *s)
{
	struct kept *k;

	if (!s)
		return;
	while ((k = TAILQ_FIRST(&s->oldest_first)))
		drop(s, k);
	free(s);
}

static size_t bucket_of(const char *key)
{
	uint32_t hash = 2166136261u;      /* FNV-1a */

	for (; *key; key++)
		hash = (hash ^ (unsigned char)*key) * 16777619u;
	return hash % BUCKETS;
}

static struct kept *find(struct tls_sessions *s, const char *key)
{
	struct kept *k;

	LIST_FOREACH(k, &s->bucket[bucket_of(key)], bucket)
		if (strcmp(k->key, key) == 0)
			return k;
	return NULL;
}

void tls_session_forget(struct tls_sessions *s, const char *key)
{
	struct kept *k = find(s, key);

	if (k)
		drop(s, k);
}

/* A clock that was set back makes it of no use as well: who knows what the certificate is then. */
static bool counts(struct tls_proof p, int64_t now)
{
	return now >= p.from && now < p.until && now - p.from < TLS_SESSION_SECONDS;
}

SSL_SESSION *tls_session_of(struct tls_sessions *s, const char *key, int64_t now, struct tls_proof *out)
{
	struct kept *k = find(s, key);

	if (!k)
		return NULL;
	if (!counts(k->proof, now)) {
		drop(s, k);
		return NULL;
	}
	*out = k->proof;
	return SSL_SESSION_dup(k->session);
}

static bool worth_keeping(const SSL_SESSION *session)
{
	const unsigned char *ticket;
	size_t               len;

	SSL_SESSION_get0_ticket(session, &ticket, &len);
	return SSL_SESSION_is_resumable(session) && len <= TLS_TICKET_MOST;
}

void tls_session_keep(struct tls_sessions *s, const char *key, SSL_SESSION *session, struct tls_proof proof)
{
	struct kept *k = find(s, key);
	SSL_SESSION *copy = worth_keeping(session) ? SSL_SESSION_dup(session) : NULL;

	/* One that resumed an older proof must not take the place of a newer one. */
	if (!copy || (k && k->proof.from > proof.from)) {
		SSL_SESSION_free(copy);
		return;
	}
	if (k)
		drop(s, k);
	else if (s->count == TLS_SESSIONS)
		drop(s, TAILQ_FIRST(&s->oldest_first));
	k = must_alloc(sizeof *k + strlen(key) + 1);
	memcpy(k->key, key, strlen(key) + 1);
	k->session = copy;
	k->proof = proof;
	LIST_INSERT_HEAD(&s->bucket[bucket_of(key)], k, bucket);
	TAILQ_INSERT_TAIL(&s->oldest_first, k, age);
	s->count++;
}
