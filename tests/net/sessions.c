#include "net/tls_openssl.h"
#include "test.h"

#define NOW 1795248000

static SSL_SESSION *session(unsigned char number)
{
	SSL_SESSION *s = SSL_SESSION_new();

	SSL_SESSION_set_protocol_version(s, TLS1_2_VERSION);
	SSL_SESSION_set1_id(s, &number, 1);
	return s;
}

/* Kept under the key, and given back: the number it has, or -1. */
static void keep(struct tls_sessions *s, const char *key, unsigned char number, int64_t from, int64_t until)
{
	SSL_SESSION *one = session(number);

	tls_session_keep(s, key, one, (struct tls_proof){ .from = from, .until = until });
	SSL_SESSION_free(one);
}

static int kept(struct tls_sessions *s, const char *key, int64_t now)
{
	struct tls_proof     p;
	SSL_SESSION         *one = tls_session_of(s, key, now, &p);
	unsigned             len;
	int                  number = one ? *SSL_SESSION_get_id(one, &len) : -1;

	SSL_SESSION_free(one);
	return number;
}

TEST(a_session_counts_as_long_as_what_proved_it)
{
	static const struct { const char *row; int64_t from, until, now; bool counts; } rows[] = {
		{ "at once",                 NOW, NOW + 1000000, NOW,                           true },
		{ "almost a day",            NOW, NOW + 1000000, NOW + TLS_SESSION_SECONDS - 1, true },
		{ "a day",                   NOW, NOW + 1000000, NOW + TLS_SESSION_SECONDS,     false },
		{ "before its end",          NOW, NOW + 100,     NOW + 99,                      true },
		{ "at the certificate's end", NOW, NOW + 100,    NOW + 100,                     false },
		{ "the clock was set back",  NOW, NOW + 1000000, NOW - 1,                       false },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct tls_sessions *s = tls_sessions_new();

		keep(s, "a 993", 7, rows[i].from, rows[i].until);
		EXPECT_ROW(kept(s, "a 993", rows[i].now) == (rows[i].counts ? 7 : -1), rows[i].row);
		/* what did not count once is gone for good */
		EXPECT_ROW(kept(s, "a 993", NOW) == (rows[i].counts ? 7 : -1), rows[i].row);
		EXPECT_ROW(kept(s, "a 994", NOW) == -1 && kept(s, "b 993", NOW) == -1, rows[i].row);
		tls_sessions_free(s);
	}
}

TEST(the_newest_session_of_the_newest_proof_is_kept)
{
	struct tls_sessions *s = tls_sessions_new();

	keep(s, "a 993", 1, NOW, NOW + 1000);
	keep(s, "a 993", 2, NOW, NOW + 1000);
	EXPECT(kept(s, "a 993", NOW) == 2);
	keep(s, "a 993", 3, NOW + 10, NOW + 1000);
	keep(s, "a 993", 4, NOW, NOW + 1000);      /* a connection that began before */
	EXPECT(kept(s, "a 993", NOW + 20) == 3);
	tls_session_forget(s, "a 993");
	tls_session_forget(s, "a 993");
	EXPECT(kept(s, "a 993", NOW + 20) == -1);
	tls_sessions_free(s);
}

TEST(of_too_many_hosts_the_oldest_goes)
{
	struct tls_sessions *s = tls_sessions_new();
	char                 key[32];

	for (int i = 0; i < TLS_SESSIONS; i++) {
		snprintf(key, sizeof key, "host%d 993", i);
		keep(s, key, 1, NOW, NOW + 1000);
	}
	keep(s, "host0 993", 2, NOW, NOW + 1000);      /* renewed: now host1 is the oldest */
	keep(s, "another 993", 3, NOW, NOW + 1000);
	EXPECT(kept(s, "host0 993", NOW) == 2 && kept(s, "host1 993", NOW) == -1);
	EXPECT(kept(s, "host2 993", NOW) == 1 && kept(s, "another 993", NOW) == 3);
	tls_sessions_free(s);
}

/* The DER that OpenSSL reads a session from, with a ticket of that length in it. */
static SSL_SESSION *session_with_ticket(size_t len)
{
	static const unsigned char head[] = { 0x02, 1, 1, 0x02, 2, 3, 3, 0x04, 2, 0xC0, 0x2F, 0x04, 1, 9, 0x04, 48 };
	unsigned char              der[8192] = { 0x30, 0x82 };
	const unsigned char       *at = der;
	size_t                     used = 4;

	memcpy(der + used, head, sizeof head);
	used += sizeof head + 48;
	der[used++] = 0xAA;                            /* [10] OCTET STRING */
	der[used++] = 0x82;
	der[used++] = (unsigned char)((len + 4) >> 8);
	der[used++] = (unsigned char)(len + 4);
	der[used++] = 0x04;
	der[used++] = 0x82;
	der[used++] = (unsigned char)(len >> 8);
	der[used++] = (unsigned char)len;
	used += len;
	der[2] = (unsigned char)((used - 4) >> 8);
	der[3] = (unsigned char)(used - 4);
	return d2i_SSL_SESSION(NULL, &at, (long)used);
}

TEST(what_cannot_be_resumed_or_is_too_big_is_not_kept)
{
	struct tls_sessions *s = tls_sessions_new();
	SSL_SESSION         *none = SSL_SESSION_new(), *fits = session_with_ticket(TLS_TICKET_MOST),
		*too_long = session_with_ticket(TLS_TICKET_MOST + 1);
	struct tls_proof     p = { .from = NOW, .until = NOW + 1000 };

	EXPECT(fits && too_long);
	tls_session_keep(s, "a 993", none, p);
	tls_session_keep(s, "a 993", too_long, p);
	EXPECT(kept(s, "a 993", NOW) == -1);
	tls_session_keep(s, "a 993", fits, p);
	EXPECT(kept(s, "a 993", NOW) == 9);
	SSL_SESSION_free(none);
	SSL_SESSION_free(fits);
	SSL_SESSION_free(too_long);
	tls_sessions_free(s);
}
