/* The outbox with a real store, over real sockets on loopback. */
#include "serve/outbox.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hmac.h"
#include "base/json.h"
#include "net/peer.h"
#include "serve/folder.h"
#include "serve/outbox_parts.h"
#include "serve/receiver.h"
#include "store/accounts.h"
#include "store/workspaces.h"
#include "test.h"
#include "wire/sasl.h"

extern const char openapi_json[];

#define SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

/* Pauses that a test can wait for; a webhook that fails rests longer than any test. */
static const struct outbox_limits quick = {
	.posts = 64, .posts_webhook = 8, .posts_failing = 32, .post_ms = 5000, .answer_most = 65536,
	.pause_ms = { 1, 1, 1, 1, 1, 1, 1, 1, 1 }, .failures = 1000, .rest_ms = 60000, .rest_most_ms = 60000,
	.disable_ms = 5 * 24 * 3600 * 1000LL, .drain_ms = 3000, .keep_again_ms = 10,
};

/* -- names ------------------------------------------------------------------------------------------------------------ */

/* Answers every question for A with these addresses, "first/second": the first time and from then on; blanks between several. Others have
 * no data. */
struct names {
	int         fd;
	uint16_t    port;
	const char *says;
	atomic_int  asked;
	pthread_t   thread;
};

static size_t put_addresses(uint8_t *m, size_t len, struct slice list)
{
	while (list.len) {
		CLEANUP(arena) struct arena *work = arena_new();
		static const uint8_t head[] = { 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4 };

		memcpy(m + len, head, sizeof head);
		EXPECT(inet_pton(AF_INET, arena_copy(work, slice_cut(&list, ' ')), m + len + sizeof head) == 1);
		len += sizeof head + 4;
		m[7]++;
	}
	return len;
}

static void *serve_names(void *self)
{
	struct names *n = self;

	for (;;) {
		uint8_t            m[1200];
		struct sockaddr_in from;
		socklen_t          from_len = sizeof from;
		ssize_t            got = recvfrom(n->fd, m, 512, 0, (struct sockaddr *)&from, &from_len);
		size_t             end = 12;
		struct slice       rest = slice_str(n->says), first;

		if (got < 17)
			return NULL;
		while (m[end])
			end += m[end] + 1u;
		end += 5;
		m[2] |= 0x80, m[3] = 0x80;
		memset(m + 6, 0, 6);                       /* no EDNS in the answer */
		if (m[end - 3] == 1) {
			first = slice_cut(&rest, '/');
			end = put_addresses(m, end, n->asked++ > 0 && rest.at ? rest : first);
		}
		sendto(n->fd, m, end, 0, (struct sockaddr *)&from, from_len);
	}
}

static void names_open(struct names *n, const char *says)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t          len = sizeof at;

	*n = (struct names){ .says = says, .fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0) };
	EXPECT(bind(n->fd, (struct sockaddr *)&at, sizeof at) == 0 && getsockname(n->fd, (struct sockaddr *)&at, &len) == 0);
	n->port = ntohs(at.sin_port);
	EXPECT(pthread_create(&n->thread, NULL, serve_names, n) == 0);
}

static void names_close(struct names *n)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) }, .sin_port = htons(n->port) };

	sendto(n->fd, "", 0, 0, (struct sockaddr *)&at, sizeof at);
	pthread_join(n->thread, NULL);
	close(n->fd);
}

/* -- the scene -------------------------------------------------------------------------------------------------------- */

struct scene {
	char                 folder[FOLDER_PATH];
	struct arena        *arena;
	struct net_settings  net_settings;
	struct address_block allow[2];
	struct daemon        daemon;
	struct names         names;
	struct outbox_limits limits;
	struct net          *net;
	struct outbox       *outbox;
	pthread_t            loop;
	int                  events;
	struct error         err;
};

static void *run_loop(void *self)
{
	net_serve(self);
	return NULL;
}

static void outbox_runs(struct scene *s)
{
	s->net = net_new(&s->net_settings, &s->err);
	EXPECT(s->net);
	s->outbox = outbox_start(s->net, &s->daemon, &s->limits);
	EXPECT(pthread_create(&s->loop, NULL, run_loop, s->net) == 0);
}

/* As the daemon does, or (not `cleanly`) as if the loop had just been stopped. */
static void outbox_ends(struct scene *s, bool cleanly)
{
	if (cleanly)
		outbox_stop(s->outbox);
	net_stop(s->net);
	if (!cleanly)
		outbox_stop(s->outbox);      /* too late, but no harm */
	pthread_join(s->loop, NULL);
	net_free(s->net);
	outbox_free(s->outbox);
	s->outbox = NULL;
}

static bool add_workspaces(struct txn *t, void *self, struct error *err)
{
	(void)self;
	return workspace_insert(t, &(struct workspace){ "wsp_1", "One", "bcc1", 1 }, err);
}

/* Without an outbox yet. `says`: see struct names. Of loopback 127.0.0.2 may be connected to, and with `all` any. */
static void scene_open(struct scene *s, struct outbox_limits limits, const char *says, bool all)
{
	*s = (struct scene){ .arena = arena_new(), .limits = limits };
	folder_make(s->folder, "outbox");
	names_open(&s->names, says ? says : "127.0.0.2");
	EXPECT(address_block_parse(all ? "127.0.0.0/8" : "127.0.0.2", &s->allow[0]));
	s->net_settings = (struct net_settings){ .resolver_count = 1, .allow = s->allow, .allow_count = 1, .check_targets = true };
	EXPECT(address_parse("127.0.0.1", &s->net_settings.resolver[0].address));
	s->net_settings.resolver[0].port = s->names.port;
	s->daemon = (struct daemon){ .net = &s->net_settings, .bus = bus_new() };
	s->daemon.store = store_open(arena_print(s->arena, "sqlite:%s/store", s->folder), &s->err);
	s->daemon.vault = vault_open(arena_print(s->arena, "%s/key", s->folder), true, &s->err);
	EXPECT(s->daemon.store && s->daemon.vault && store_write_wait(s->daemon.store, add_workspaces, NULL, &s->err));
}

static void scene_close(struct scene *s)
{
	if (s->outbox)
		outbox_ends(s, true);
	names_close(&s->names);
	store_close(s->daemon.store);
	vault_free(s->daemon.vault);
	bus_free(s->daemon.bus);
	folder_remove(s->folder);
	arena_free(s->arena);
}

struct hooking { struct scene *s; struct webhook w; const char *secret; };

static bool put_hook(struct txn *t, void *self, struct error *err)
{
	struct hooking *h = self;

	return webhook_insert(t, &h->w, err) && signing_keep(t, h->s->daemon.vault, h->w.id, h->secret, 1, err);
}

static void add_hook(struct scene *s, const char *id, const char *url)
{
	struct hooking h = { s, { .id = id, .workspace = "wsp_1", .url = url, .types = "*", .enabled = true, .created = 1 }, SECRET };

	EXPECT(store_write_wait(s->daemon.store, put_hook, &h, &s->err));
}

/* One that hears on 127.0.0.2 and answers so, and the webhook that leads there. */
static void add_heard(struct scene *s, const char *id, struct receiver *r,
                      void (*answer)(struct receiver *, const struct heard_post *, struct receiver_answer *), void *self)
{
	EXPECT(receiver_open(r, "127.0.0.2", 0, answer, self));
	add_hook(s, id, r->url);
}

/* The scene with "whk_1", heard likewise. */
static void scene_heard(struct scene *s, struct receiver *r,
                        void (*answer)(struct receiver *, const struct heard_post *, struct receiver_answer *), void *self)
{
	scene_open(s, quick, NULL, false);
	add_heard(s, "whk_1", r, answer, self);
}

struct telling { struct scene *s; const char *account; int from, count, accounts; };

/* "evt_0", "evt_1" … of that account, or of "acc_0", "acc_1" … in turn. */
static bool put_events(struct txn *t, void *self, struct error *err)
{
	struct telling *x = self;

	for (int i = x->from; i < x->from + x->count; i++)
		if (!event_append(t, &(struct event){ .id = arena_print(x->s->arena, "evt_%d", i), .workspace = "wsp_1",
			.account = x->accounts ? arena_print(x->s->arena, "acc_%d", i % x->accounts) : x->account, .type = "account.failed",
			.data = "{\"cause\":\"auth.password_rejected\"}", .created = 1700000000123 }, NULL, err))
			return false;
	return true;
}

static void tell(struct scene *s, const char *account, int count, int accounts)
{
	struct telling x = { s, account, s->events, count, accounts };

	EXPECT(store_write_wait(s->daemon.store, put_events, &x, &s->err));
	s->events += count;
	bus_ring(s->daemon.bus);
}

struct seeing { struct arena *arena; const char *id; struct webhook hook; struct delivery *d; size_t count; int64_t waiting, given_up; };

static bool see_all(struct txn *t, void *self, struct error *err)
{
	struct seeing *x = self;

	return webhook_get(t, x->arena, NULL, x->id, &x->hook, err) && delivery_list(t, x->arena, x->id, 0, 1000, &x->d, &x->count, err)
	    && delivery_counts(t, &x->waiting, &x->given_up, err);
}

static struct seeing see(struct scene *s, const char *id)
{
	struct seeing x = { .arena = s->arena, .id = id };

	EXPECT(store_read(s->daemon.store, see_all, &x, &s->err));
	return x;
}

/* What a condition of the store is waited for with: a look each few milliseconds, for ten seconds at most. */
static bool nap(int *naps)
{
	nanosleep(&(struct timespec){ 0, 5000000 }, NULL);
	return ++*naps < 2000;
}

#define UNTIL(what)                                                                \
	do {                                                                       \
		int naps_ = 0;                                                     \
		while (!(what) && nap(&naps_))                                     \
			;                                                          \
		EXPECT(what);                                                      \
	} while (0)

static struct outbox_counts counts(struct scene *s)
{
	struct outbox_counts c;

	outbox_counts(s->outbox, &c);
	return c;
}

/* -- what is sent ----------------------------------------------------------------------------------------------------- */

static const char *signature_of(const char *secret, const struct heard_post *p, struct arena *work)
{
	unsigned char hash[HMAC_BYTES];
	struct slice  key;

	EXPECT(base64_decode(work, slice_str(secret + 6), &key));
	hmac_sha256(key, slice_str(arena_print(work, "%s.%s.%s", p->id, p->second, p->body)), hash);
	return arena_print(work, "v1,%s", base64_encode(work, slice((char *)hash, sizeof hash)));
}

TEST(a_delivery_as_it_is_sent)
{
	struct scene         s;
	struct receiver      r;
	struct seeing        x;
	struct outbox_counts c;

	scene_heard(&s, &r, NULL, NULL);
	outbox_runs(&s);
	tell(&s, "acc_1", 1, 0);
	tell(&s, NULL, 1, 0);
	EXPECT(receiver_hears(&r, 2));
	EXPECT_TEXT(r.heard[0].path, "/hook");
	EXPECT_TEXT(r.heard[0].id, "evt_0");
	EXPECT_TEXT(r.heard[0].type, "application/json");
	EXPECT_TEXT(r.heard[0].agent, "mailmoor/" MAILMOOR_VERSION);
	EXPECT(llabs(atoll(r.heard[0].second) - clock_unix_ms() / 1000) <= 10);
	EXPECT_TEXT(r.heard[0].body, "{\"type\":\"account.failed\",\"id\":\"evt_0\",\"seq\":\"1\",\"timestamp\":\"2023-11-14T22:13:20.123Z\","
	            "\"workspace\":\"wsp_1\",\"account\":\"acc_1\",\"data\":{\"cause\":\"auth.password_rejected\"}}");
	EXPECT_TEXT(r.heard[0].signature, signature_of(SECRET, &r.heard[0], s.arena));
	EXPECT(strstr(r.heard[1].body, "\"account\":null"));
	UNTIL(see(&s, "whk_1").waiting == 0);
	x = see(&s, "whk_1");
	EXPECT(x.count == 2 && x.d[1].delivered > 0 && x.d[1].status == 200 && x.d[1].tries == 0 && !x.d[1].note);
	EXPECT(x.hook.last_ok > 0 && x.hook.failing_since == 0 && x.hook.enabled);
	c = counts(&s);
	EXPECT(c.sent == 2 && c.failed == 0 && c.given_up == 0 && c.under_way == 0);
	/* one connection is enough for one after the other */
	EXPECT(r.connections <= 2);
	scene_close(&s);
	receiver_close(&r);
}

static bool rotate(struct txn *t, void *self, struct error *err)
{
	struct hooking *h = self;

	return signing_keep(t, h->s->daemon.vault, h->w.id, h->secret, clock_unix_ms(), err);
}

/* What docs/openapi.yaml says of the body, member for member. */
TEST(the_body_is_the_one_described)
{
	CLEANUP(arena) struct arena *work = arena_new();
	const struct delivery d = { .event = { .seq = 17, .id = "evt_1", .workspace = "wsp_1", .type = "webhook.test", .data = "{}", .created = 1 } };
	cJSON *root = json_read(slice_str(openapi_json), 1 << 20, NULL), *body = json_read(slice_str(post_body(&d, work)), 10000, NULL), *one;
	cJSON *schemas = cJSON_GetObjectItem(cJSON_GetObjectItem(root, "components"), "schemas");
	cJSON *described = cJSON_GetObjectItem(cJSON_GetObjectItem(schemas, "Notification"), "properties");

	EXPECT(root && body && described && cJSON_GetArraySize(described) == cJSON_GetArraySize(body));
	cJSON_ArrayForEach(one, body)
		EXPECT_ROW(cJSON_GetObjectItemCaseSensitive(described, one->string), one->string);
	EXPECT(cJSON_IsNull(cJSON_GetObjectItem(body, "account")) && cJSON_IsObject(cJSON_GetObjectItem(body, "data")));
	EXPECT_TEXT(json_text(body, "seq"), "17");
	cJSON_Delete(root);
	cJSON_Delete(body);
}

TEST(both_secrets_sign_after_a_rotation)
{
	struct scene    s;
	struct receiver r;
	struct hooking  h = { &s, { .id = "whk_1" }, "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" };
	const char     *both;

	scene_heard(&s, &r, NULL, NULL);
	EXPECT(store_write_wait(s.daemon.store, rotate, &h, &s.err));
	outbox_runs(&s);
	tell(&s, "acc_1", 1, 0);
	EXPECT(receiver_hears(&r, 1));
	both = arena_print(s.arena, "%s %s", signature_of(h.secret, &r.heard[0], s.arena), signature_of(SECRET, &r.heard[0], s.arena));
	EXPECT_TEXT(r.heard[0].signature, both);
	scene_close(&s);
	receiver_close(&r);
}

/* -- order ------------------------------------------------------------------------------------------------------------ */

/* Two of three are refused at first, each event by its number; and never is one heard before the one before it was taken. */
struct sequence { int last[10], tries[400]; bool broken; };

static void in_sequence(struct receiver *r, const struct heard_post *p, struct receiver_answer *a)
{
	struct sequence *q = r->self;
	int              n = atoi(p->id + 4), account = n % 10;

	q->broken |= n != q->last[account] + 10;
	a->status = q->tries[n]++ < n % 3 ? 500 + n % 4 : 204;
	if (a->status == 204)
		q->last[account] = n;
}

TEST(each_account_s_events_come_in_order_whatever_fails)
{
	struct sequence q = { 0 };
	struct scene    s;
	struct receiver r;

	for (int i = 0; i < 10; i++)
		q.last[i] = i - 10;
	scene_heard(&s, &r, in_sequence, &q);
	tell(&s, NULL, 200, 10);
	outbox_runs(&s);
	tell(&s, NULL, 200, 10);
	UNTIL(see(&s, "whk_1").waiting == 0);
	EXPECT(!q.broken && see(&s, "whk_1").given_up == 0);
	EXPECT(counts(&s).sent == 400 && counts(&s).failed == 399);      /* none twice that was taken */
	for (int i = 0; i < 10; i++)
		EXPECT(q.last[i] == 390 + i);
	EXPECT(see(&s, "whk_1").hook.failing_since == 0);
	scene_close(&s);
	receiver_close(&r);
}

static bool replay_from_second(struct txn *t, void *self, struct error *err)
{
	return delivery_replay(t, "whk_1", 2, clock_unix_ms(), self, err);
}

TEST(a_replay_comes_in_order_again)
{
	struct scene    s;
	struct receiver r;
	int64_t         again;

	scene_heard(&s, &r, NULL, NULL);
	outbox_runs(&s);
	tell(&s, "acc_1", 4, 0);
	UNTIL(see(&s, "whk_1").waiting == 0);
	EXPECT(store_write_wait(s.daemon.store, replay_from_second, &again, &s.err) && again == 3);
	bus_ring(s.daemon.bus);
	UNTIL(see(&s, "whk_1").waiting == 0);
	EXPECT(receiver_count(&r) == 7);
	for (size_t i = 0; i < 7; i++)
		EXPECT_TEXT(r.heard[i].id, arena_print(s.arena, "evt_%zu", i < 4 ? i : i - 3));
	scene_close(&s);
	receiver_close(&r);
}

/* -- receivers that do not behave ------------------------------------------------------------------------------------- */

static void hangs(struct receiver *r, const struct heard_post *p, struct receiver_answer *a)
{
	(void)r, (void)p;
	*a = (struct receiver_answer){ .hang = true };
}

static void hangs_up(struct receiver *r, const struct heard_post *p, struct receiver_answer *a)
{
	(void)r, (void)p;
	*a = (struct receiver_answer){ .status = 0 };
}

static void refuses(struct receiver *r, const struct heard_post *p, struct receiver_answer *a)
{
	(void)r, (void)p;
	a->status = 500;
}

static void takes(struct receiver *r, const struct heard_post *p, struct receiver_answer *a)
{
	(void)r, (void)p, (void)a;
}

TEST(one_that_hangs_delays_no_other)
{
	struct scene    s;
	struct receiver slow, fine;

	scene_heard(&s, &slow, hangs, NULL);
	add_heard(&s, "whk_2", &fine, NULL, NULL);
	s.limits.post_ms = 60000;
	s.limits.drain_ms = 50;
	outbox_runs(&s);
	tell(&s, NULL, 300, 100);
	EXPECT(receiver_hears(&fine, 300) && receiver_hears(&slow, 1));
	/* nothing is known of it yet, so there is one conversation */
	UNTIL(counts(&s).sent == 300);
	EXPECT(receiver_count(&slow) == 1 && counts(&s).under_way == 1);
	scene_close(&s);
	receiver_close(&slow);
	receiver_close(&fine);
}

TEST(one_that_hangs_is_not_waited_for_without_end)
{
	struct scene    s;
	struct receiver r;
	struct seeing   x;

	scene_heard(&s, &r, hangs, NULL);
	s.limits.post_ms = 100;
	s.limits.pause_ms[0] = 60000;
	outbox_runs(&s);
	tell(&s, "acc_1", 1, 0);
	UNTIL(see(&s, "whk_1").hook.failing_since > 0);
	x = see(&s, "whk_1");
	EXPECT(x.d[0].tries == 1 && x.d[0].status == 0 && strstr(x.d[0].note, "no whole answer"));
	EXPECT(x.d[0].next_try > clock_unix_ms() + 50000 && x.d[0].next_try <= clock_unix_ms() + 72000);
	scene_close(&s);
	receiver_close(&r);
}

/* How often a dead one with many accounts is asked: as often as it may fail, then it rests. */
TEST(one_that_fails_is_not_hammered)
{
	struct scene    s;
	struct receiver r, fine;

	scene_heard(&s, &r, refuses, NULL);
	add_heard(&s, "whk_2", &fine, NULL, NULL);
	s.limits.failures = 3;
	outbox_runs(&s);
	tell(&s, NULL, 300, 300);
	UNTIL(see(&s, "whk_2").waiting == 300);
	EXPECT(receiver_count(&r) == 3 && r.open_most == 1);
	scene_close(&s);
	receiver_close(&r);
	receiver_close(&fine);
}

TEST(it_goes_on_when_its_rest_is_over)
{
	struct scene    s;
	struct receiver r;

	scene_heard(&s, &r, refuses, NULL);
	s.limits.failures = 2;
	s.limits.rest_ms = 10;
	s.limits.rest_most_ms = 20;
	outbox_runs(&s);
	tell(&s, NULL, 50, 50);
	EXPECT(receiver_hears(&r, 6));
	receiver_changes(&r, takes);
	UNTIL(see(&s, "whk_1").waiting == 0);
	EXPECT(see(&s, "whk_1").hook.failing_since == 0 && see(&s, "whk_1").hook.last_ok > 0);
	scene_close(&s);
	receiver_close(&r);
}

static void floods(struct receiver *r, const struct heard_post *p, struct receiver_answer *a)
{
	(void)r;
	*a = (struct receiver_answer){ .status = strcmp(p->id, "evt_0") == 0 ? 200 : 500, .flood = true };
}

TEST(an_answer_without_end_is_cut_and_its_status_holds)
{
	struct scene    s;
	struct receiver r;
	struct seeing   x;

	scene_heard(&s, &r, floods, NULL);
	s.limits.pause_ms[0] = 60000;
	outbox_runs(&s);
	tell(&s, NULL, 2, 2);
	UNTIL(see(&s, "whk_1").hook.failing_since > 0);
	x = see(&s, "whk_1");
	EXPECT(x.d[1].delivered > 0 && x.d[1].status == 200);
	EXPECT(x.d[0].tries == 1 && x.d[0].status == 500);
	scene_close(&s);
	receiver_close(&r);
}

static void redirects(struct receiver *r, const struct heard_post *p, struct receiver_answer *a)
{
	(void)p;
	*a = (struct receiver_answer){ .status = 307, .headers = r->self };
}

TEST(a_redirect_to_an_inner_address_is_not_followed)
{
	struct scene    s;
	struct receiver r, inner;
	struct seeing   x;

	scene_open(&s, quick, NULL, true);
	EXPECT(receiver_open(&inner, "127.0.0.1", 0, NULL, NULL));
	EXPECT(receiver_open(&r, "127.0.0.2", 0, redirects, arena_print(s.arena, "Location: %s\r\n", inner.url)));
	s.limits.pause_ms[0] = 60000;
	add_hook(&s, "whk_1", r.url);
	outbox_runs(&s);
	tell(&s, "acc_1", 1, 0);
	UNTIL(see(&s, "whk_1").hook.failing_since > 0);
	x = see(&s, "whk_1");
	EXPECT(x.d[0].status == 307 && strstr(x.d[0].note, "redirects are not followed") && inner.connections == 0);
	scene_close(&s);
	receiver_close(&r);
	receiver_close(&inner);
}

/* -- where names lead ------------------------------------------------------------------------------------------------- */

/* The same port on 127.0.0.2, which is allowed, and on 127.0.0.1, which is not and must never be connected to. */
struct pair_of { struct receiver allowed, inner; };

static void pair_open(struct pair_of *p, void (*answer)(struct receiver *, const struct heard_post *, struct receiver_answer *))
{
	EXPECT(receiver_open(&p->allowed, "127.0.0.2", 0, answer, NULL));
	EXPECT(receiver_open(&p->inner, "127.0.0.1", p->allowed.port, NULL, NULL));
}

static void pair_close(struct pair_of *p)
{
	EXPECT(p->inner.connections == 0);
	receiver_close(&p->allowed);
	receiver_close(&p->inner);
}

TEST(a_name_that_leads_inside_is_not_connected_to)
{
	static const struct { const char *says, *note; bool https; } rows[] = {
		{ "127.0.0.1",           "plain http",                       false },
		{ "127.0.0.1",           "may not be connected to",          true  },
		{ "10.0.0.1 127.0.0.1",  "may not be connected to",          true  },
		{ "169.254.169.254",     "may not be connected to",          true  },
		{ "8.8.8.8",             "plain http",                       false },
		{ "",                    "no_data",                          true  },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct pair_of  p;
		struct scene    s;
		struct seeing   x;

		scene_open(&s, quick, rows[i].says, false);
		pair_open(&p, NULL);
		s.limits.pause_ms[0] = 60000;
		add_hook(&s, "whk_1", arena_print(s.arena, "http%s://hook.example.org:%u/", rows[i].https ? "s" : "", p.inner.port));
		outbox_runs(&s);
		tell(&s, "acc_1", 1, 0);
		UNTIL(see(&s, "whk_1").hook.failing_since > 0);
		x = see(&s, "whk_1");
		EXPECT_ROW(x.d[0].tries == 1 && x.d[0].status == 0 && strstr(x.d[0].note, rows[i].note), x.d[0].note);
		EXPECT_ROW(p.allowed.connections == 0, rows[i].says);
		scene_close(&s);
		pair_close(&p);
	}
}

TEST(of_several_addresses_the_one_that_is_allowed_is_taken)
{
	struct pair_of p;
	struct scene   s;

	scene_open(&s, quick, "127.0.0.1 127.0.0.2", false);
	pair_open(&p, NULL);
	add_hook(&s, "whk_1", arena_print(s.arena, "http://hook.example.org:%u/", p.inner.port));
	outbox_runs(&s);
	tell(&s, "acc_1", 3, 0);
	EXPECT(receiver_hears(&p.allowed, 3));
	/* what was looked up is used for a while */
	EXPECT(s.names.asked == 1);
	scene_close(&s);
	pair_close(&p);
}

/* The first time it leads to an allowed place; looked up anew after a failure, to an inner one. */
TEST(a_name_that_is_rebound_is_not_followed)
{
	struct pair_of p;
	struct scene   s;
	struct seeing  x;

	scene_open(&s, quick, "127.0.0.2/127.0.0.1", false);
	pair_open(&p, hangs_up);
	add_hook(&s, "whk_1", arena_print(s.arena, "http://hook.example.org:%u/", p.inner.port));
	s.limits.pause_ms[1] = 60000;
	outbox_runs(&s);
	tell(&s, "acc_1", 1, 0);
	UNTIL(see(&s, "whk_1").d[0].tries == 2);
	x = see(&s, "whk_1");
	EXPECT(p.allowed.connections == 1 && s.names.asked == 2);
	EXPECT(strstr(x.d[0].note, "plain http"));
	scene_close(&s);
	pair_close(&p);
}

/* Over https the peer must be who the URL says; a certificate of somebody else, or of nobody we trust, gets nothing. */
TEST(https_goes_to_whom_the_url_names)
{
	static const struct { const char *san; bool trusted; const char *note; } rows[] = {
		{ "DNS:hook.example.org",  true,  NULL },
		{ "DNS:other.example.org", true,  "TLS: " },
		{ "DNS:hook.example.org",  false, "TLS: " },
	};
	struct identity root = identity_new((struct wish){ .cn = "Root", .ca = true }, NULL), stranger = identity_new((struct wish){ .cn = "S", .ca = true }, NULL);
	char            ca[32];

	pem_file(&root, ca);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct identity   me = identity_new((struct wish){ .cn = "x", .san = rows[i].san }, rows[i].trusted ? &root : &stranger);
		struct tls_server web = { .me = &me, .http = true, .says = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" };
		struct peer       p;
		struct scene      s;
		struct seeing     x;

		scene_open(&s, quick, "127.0.0.1", true);
		s.net_settings.ca_file = ca;
		s.limits.pause_ms[0] = 60000;
		peer_start(&p, serve_tls, &web);
		add_hook(&s, "whk_1", arena_print(s.arena, "https://hook.example.org:%u/hook", p.port));
		outbox_runs(&s);
		tell(&s, "acc_1", 1, 0);
		UNTIL(see(&s, "whk_1").hook.failing_since > 0 || see(&s, "whk_1").waiting == 0);
		x = see(&s, "whk_1");
		EXPECT_ROW(rows[i].note ? x.d[0].note && strncmp(x.d[0].note, rows[i].note, 5) == 0 && strlen(x.d[0].note) > 5 : x.d[0].delivered > 0, rows[i].san);
		scene_close(&s);
		peer_stop(&p);
		EXPECT_ROW((strstr(web.heard, "POST /hook HTTP/1.1\r\n") != NULL) == !rows[i].note, rows[i].san);
		identity_free(&me);
	}
	unlink(ca);
	identity_free(&root);
	identity_free(&stranger);
}

/* -- what answers mean ------------------------------------------------------------------------------------------------ */

static void is_gone(struct receiver *r, const struct heard_post *p, struct receiver_answer *a)
{
	(void)r, (void)p;
	a->status = 410;
}

static bool enable(struct txn *t, void *self, struct error *err)
{
	struct seeing *x = self;

	x->hook.enabled = true;
	x->hook.disabled_why = NULL;
	x->hook.failing_since = 0;
	return webhook_update(t, &x->hook, err);
}

TEST(gone_disables_it_and_nothing_is_lost)
{
	struct scene    s;
	struct receiver r;
	struct seeing   x;

	scene_heard(&s, &r, is_gone, NULL);
	outbox_runs(&s);
	tell(&s, NULL, 20, 10);
	UNTIL(!see(&s, "whk_1").hook.enabled);
	x = see(&s, "whk_1");
	EXPECT(strstr(x.hook.disabled_why, "410 Gone") && x.waiting == 20);
	receiver_changes(&r, takes);
	EXPECT(store_write_wait(s.daemon.store, enable, &x, &s.err));
	bus_ring(s.daemon.bus);
	UNTIL(see(&s, "whk_1").waiting == 0);
	EXPECT(see(&s, "whk_1").hook.enabled && !see(&s, "whk_1").hook.disabled_why);
	scene_close(&s);
	receiver_close(&r);
}

static bool failed_days_ago(struct txn *t, void *self, struct error *err)
{
	return webhook_heard(t, "whk_1", 1, clock_unix_ms() - *(int64_t *)self * 24 * 3600 * 1000, err);
}

TEST(failing_for_five_days_disables_it)
{
	static const struct { int64_t days; bool disabled; } rows[] = { { 4, false }, { 6, true } };

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct scene    s;
		struct receiver r;
		struct seeing   x;
		int64_t         days = rows[i].days;

		scene_heard(&s, &r, refuses, NULL);
		s.limits.pause_ms[0] = 60000;
		EXPECT(store_write_wait(s.daemon.store, failed_days_ago, &days, &s.err));
		outbox_runs(&s);
		tell(&s, "acc_1", 1, 0);
		UNTIL(see(&s, "whk_1").d[0].tries == 1);
		x = see(&s, "whk_1");
		EXPECT(x.hook.enabled == !rows[i].disabled && x.waiting == 1 && x.hook.last_ok == 1);
		if (rows[i].disabled)
			EXPECT_TEXT(x.hook.disabled_why, "failing for 5 days without a success; the last time: answered 500");
		scene_close(&s);
		receiver_close(&r);
	}
}

static void asks_to_wait(struct receiver *r, const struct heard_post *p, struct receiver_answer *a)
{
	(void)p;
	*a = (struct receiver_answer){ .status = 503, .headers = r->self };
}

TEST(retry_after_is_obeyed_by_the_whole_webhook)
{
	struct scene    s;
	struct receiver r, fine;
	struct seeing   x;
	int64_t         now = clock_unix_ms();

	scene_open(&s, quick, NULL, false);
	add_heard(&s, "whk_1", &r, asks_to_wait, arena_str(s.arena, "Retry-After: 120\r\n"));
	add_heard(&s, "whk_2", &fine, NULL, NULL);
	outbox_runs(&s);
	tell(&s, NULL, 40, 20);
	UNTIL(see(&s, "whk_2").waiting == 40);
	EXPECT(receiver_count(&r) == 1);
	x = see(&s, "whk_1");
	EXPECT(x.d[39].tries == 1 && x.d[39].next_try >= now + 119000 && x.d[39].next_try <= clock_unix_ms() + 121000);
	scene_close(&s);
	receiver_close(&r);
	receiver_close(&fine);
}

TEST(after_the_last_pause_it_is_given_up_and_the_next_goes_out)
{
	struct scene    s;
	struct receiver r;
	struct seeing   x;

	scene_heard(&s, &r, refuses, NULL);
	outbox_runs(&s);
	tell(&s, "acc_1", 2, 0);
	UNTIL(see(&s, "whk_1").given_up == 2);
	x = see(&s, "whk_1");
	EXPECT(receiver_count(&r) == 20 && x.waiting == 0 && counts(&s).failed == 20 && counts(&s).given_up == 2);
	for (size_t i = 0; i < 20; i++)
		EXPECT_TEXT(r.heard[i].id, i < 10 ? "evt_0" : "evt_1");
	/* the same bytes each time, signed for its own second */
	EXPECT_TEXT(r.heard[9].body, r.heard[0].body);
	EXPECT_TEXT(r.heard[9].signature, signature_of(SECRET, &r.heard[9], s.arena));
	EXPECT(x.d[0].given_up && x.d[0].tries == 10 && x.d[0].status == 500);
	scene_close(&s);
	receiver_close(&r);
}

static bool lose_secret(struct txn *t, void *self, struct error *err)
{
	(void)self;
	return sealed_delete(t, "whk_1", err);
}

TEST(a_webhook_whose_secret_is_gone_keeps_no_other_from_going_out)
{
	struct scene    s;
	struct receiver r, fine;

	scene_heard(&s, &r, NULL, NULL);
	add_heard(&s, "whk_2", &fine, NULL, NULL);
	EXPECT(store_write_wait(s.daemon.store, lose_secret, &s, &s.err));
	outbox_runs(&s);
	tell(&s, NULL, 20, 10);
	UNTIL(see(&s, "whk_2").waiting == 20);
	EXPECT(receiver_count(&r) == 0 && see(&s, "whk_1").d[0].tries == 0);
	scene_close(&s);
	receiver_close(&r);
	receiver_close(&fine);
}

/* -- beginning and ending --------------------------------------------------------------------------------------------- */

static void takes_its_time(struct receiver *r, const struct heard_post *p, struct receiver_answer *a)
{
	(void)r, (void)p;
	a->delay_ms = 300;
}

static void room_on_disk(bool any)
{
	struct rlimit limit;

	signal(SIGXFSZ, SIG_IGN);
	EXPECT(getrlimit(RLIMIT_FSIZE, &limit) == 0);
	limit.rlim_cur = any ? limit.rlim_max : 1;
	EXPECT(setrlimit(RLIMIT_FSIZE, &limit) == 0);
}

static bool is_writable(struct scene *s)
{
	struct store_health health;

	store_health(s->daemon.store, &health);
	return health.writable;
}

/* What was answered waits for the store; nothing new goes out meanwhile, and nothing goes out twice. */
TEST(with_no_room_to_keep_an_answer_nothing_more_is_sent)
{
	struct scene    s;
	struct receiver r;

	scene_heard(&s, &r, takes_its_time, NULL);
	outbox_runs(&s);
	tell(&s, NULL, 30, 10);
	EXPECT(receiver_hears(&r, 1));
	room_on_disk(false);
	UNTIL(!is_writable(&s) && counts(&s).under_way == 0);
	EXPECT(receiver_count(&r) < 5);
	room_on_disk(true);
	receiver_changes(&r, takes);
	UNTIL(see(&s, "whk_1").waiting == 0);
	EXPECT(is_writable(&s) && receiver_count(&r) == 30 && counts(&s).sent == 30);
	scene_close(&s);
	receiver_close(&r);
}

TEST(what_is_under_way_is_let_finish)
{
	struct scene    s;
	struct receiver r;

	scene_heard(&s, &r, takes_its_time, NULL);
	outbox_runs(&s);
	tell(&s, "acc_1", 2, 0);
	EXPECT(receiver_hears(&r, 1));
	outbox_ends(&s, true);
	EXPECT(see(&s, "whk_1").waiting == 1 && see(&s, "whk_1").d[1].delivered > 0 && r.count == 1);
	scene_close(&s);
	receiver_close(&r);
}

TEST(what_does_not_finish_goes_out_again_after_the_next_start)
{
	for (int cleanly = 0; cleanly < 2; cleanly++) {
		struct scene    s;
		struct receiver r;
		int64_t         began;

		scene_heard(&s, &r, hangs, NULL);
		s.limits.post_ms = 60000;
		s.limits.drain_ms = 100;
		outbox_runs(&s);
		tell(&s, "acc_1", 3, 0);
		EXPECT(receiver_hears(&r, 1));
		began = clock_mono_ms();
		outbox_ends(&s, cleanly);
		EXPECT(clock_mono_ms() - began < 3000);
		EXPECT(see(&s, "whk_1").waiting == 3 && see(&s, "whk_1").d[2].tries == 0 && see(&s, "whk_1").hook.failing_since == 0);
		receiver_changes(&r, takes);
		outbox_runs(&s);
		EXPECT(receiver_hears(&r, 4));
		for (size_t i = 0; i < 4; i++)
			EXPECT_TEXT(r.heard[i].id, arena_print(s.arena, "evt_%zu", i ? i - 1 : 0));
		UNTIL(see(&s, "whk_1").waiting == 0);
		scene_close(&s);
		receiver_close(&r);
	}
}

static bool delete_first(struct txn *t, void *self, struct error *err)
{
	(void)self;
	return webhook_delete(t, "wsp_1", "whk_1", err);
}

TEST(one_that_is_deleted_on_the_way_hurts_nobody)
{
	struct scene    s;
	struct receiver slow, fine;

	scene_heard(&s, &slow, takes_its_time, NULL);
	add_heard(&s, "whk_2", &fine, NULL, NULL);
	outbox_runs(&s);
	tell(&s, "acc_1", 2, 0);
	EXPECT(receiver_hears(&slow, 1));
	EXPECT(store_write_wait(s.daemon.store, delete_first, NULL, &s.err));
	UNTIL(counts(&s).sent == 3);
	tell(&s, "acc_1", 1, 0);
	UNTIL(see(&s, "whk_2").waiting == 0);
	EXPECT(receiver_count(&slow) == 1 && receiver_count(&fine) == 3);
	scene_close(&s);
	receiver_close(&slow);
	receiver_close(&fine);
}

/* -- tables ----------------------------------------------------------------------------------------------------------- */

TEST(what_retry_after_says)
{
	static const struct { const char *value; int64_t ms; } rows[] = {
		{ "0", 0 }, { "7", 7000 }, { "86400", 86400000 }, { "86401", 86400000 }, { "4000000000", 86400000 }, { "99999999999999999999", 0 },
		{ "-7", 0 }, { "7 ", 0 }, { "", 0 }, { "soon", 0 },
		{ "Sun, 06 Nov 1994 08:49:37 GMT", 37000 }, { "Sun, 06 Nov 1994 08:49:00 GMT", 0 }, { "Sat, 05 Nov 1994 08:49:37 GMT", 0 },
		{ "Mon, 06 Nov 2034 08:49:37 GMT", 86400000 }, { "Sun, 06 Nov 1994 08:49:37 UTC", 0 }, { "Sun, 06 Foo 1994 08:49:37 GMT", 0 },
		{ "Sun, 06 Nov 1994 08:49:3x GMT", 0 }, { "Sunday, 06-Nov-94 08:49:37 GMT", 0 }, { "Sun Nov  6 08:49:37 1994", 0 },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		EXPECT_ROW(retry_after_ms(slice_str(rows[i].value), 784111740) == rows[i].ms, rows[i].value);
	/* cut at every byte it is no date, or one that is over */
	for (size_t cut = 0; cut < 29; cut++)
		EXPECT(retry_after_ms(slice("Mon, 06 Nov 2034 08:49:37 GMT", cut), 784111740) == 0);
}

TEST(the_pauses)
{
	static const int64_t seconds[] = { 5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400 };

	for (unsigned i = 0; i < COUNT(seconds); i++) {
		EXPECT(post_pause_ms(&outbox_usual, i + 1, 0) == seconds[i] * 1000);
		EXPECT(post_pause_ms(&outbox_usual, i + 1, 65535) > seconds[i] * 1199 && post_pause_ms(&outbox_usual, i + 1, 65535) < seconds[i] * 1200);
	}
	EXPECT(post_pause_ms(&outbox_usual, 10, 0) == -1);
}
