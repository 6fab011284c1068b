/* A KDC that says nothing is a socket that listens; what a real one says is tests/flows/kerberos.py's. */
#include "peer.h"

#include <arpa/inet.h>
#include <signal.h>
#include <unistd.h>

#include <krb5.h>

#define AT_ONCE 12      /* more than there are threads */

static char folder[64], keytab[100], other_keytab[100];

static void put(const char *name, const char *text)
{
	char  path[100];
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", folder, name);
	f = fopen(path, "w");
	EXPECT(f && fputs(text, f) >= 0 && fclose(f) == 0);
}

static void put_key(const char *path, const char *name)
{
	static unsigned char key[32] = { 1 };
	krb5_context         krb;
	krb5_keytab          keys;
	krb5_keytab_entry    entry = { .vno = 1, .key = { .enctype = ENCTYPE_AES256_CTS_HMAC_SHA1_96, .length = sizeof key, .contents = key } };

	EXPECT(krb5_init_context(&krb) == 0 && krb5_kt_resolve(krb, path, &keys) == 0 && krb5_parse_name(krb, name, &entry.principal) == 0);
	EXPECT(krb5_kt_add_entry(krb, keys, &entry) == 0);
	krb5_free_principal(krb, entry.principal);
	krb5_kt_close(krb, keys);
	krb5_free_context(krb);
}

/* Once for all tests: who calls here is heard by nobody. */
static void begin(void)
{
	static int         fd = -1;
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t          len = sizeof at;
	char               text[400], config[100];

	if (fd >= 0)
		return;
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	EXPECT(fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof at) == 0 && listen(fd, 100) == 0 && getsockname(fd, (struct sockaddr *)&at, &len) == 0);
	strcpy(folder, "/tmp/ticket-XXXXXX");
	EXPECT(mkdtemp(folder) != NULL);
	snprintf(text, sizeof text, "[libdefaults]\n default_realm = BIRCH.EXAMPLE\n dns_lookup_kdc = false\n udp_preference_limit = 1\n"
	         "[realms]\n BIRCH.EXAMPLE = {\n  kdc = 127.0.0.1:%u\n }\n", ntohs(at.sin_port));
	put("krb5.conf", text);
	put("nonsense", "no tickets");
	snprintf(config, sizeof config, "%s/krb5.conf", folder);
	setenv("KRB5_CONFIG", config, 1);
	snprintf(config, sizeof config, "%s/absent", folder);
	setenv("KRB5CCNAME", config, 1);
	snprintf(keytab, sizeof keytab, "%s/keytab", folder);
	put_key(keytab, "ann@BIRCH.EXAMPLE");
	snprintf(other_keytab, sizeof other_keytab, "%s/other", folder);
	put_key(other_keytab, "bob@BIRCH.EXAMPLE");
}

static void end(void)
{
	static const char *const names[] = { "krb5.conf", "nonsense", "keytab", "other" };
	char                     path[100];

	for (size_t i = 0; i < COUNT(names); i++) {
		snprintf(path, sizeof path, "%s/%s", folder, names[i]);
		unlink(path);
	}
	EXPECT(rmdir(folder) == 0);
}

/* Asks once. */
struct asker {
	struct ticket_source source;
	struct ticket        ticket;
	int                  wait_ms;
	bool                 asked;
	enum came            came;
};

static void asker_init(struct asker *a, const char *cache, const char *keys, int wait_ms)
{
	*a = (struct asker){ .source = { .cache = cache, .keytab = keys }, .wait_ms = wait_ms };
	ticket_init(&a->ticket);
	a->ticket.source = &a->source;
	a->ticket.user = "ann@birch.example";
	a->ticket.host = "mail.birch.example";
	a->ticket.binding = slice_str("0123456789abcdef");
}

static enum want_kind asker_step(void *self, struct want *w, struct error *err)
{
	struct asker *a = self;

	(void)err;
	if (!a->asked) {
		a->asked = true;
		return want_ticket(w, &a->ticket, a->wait_ms);
	}
	a->came = want_came(w);
	return WANT_NOTHING;
}

static struct net *net_plain(void)
{
	struct net_settings s = { 0 };
	struct net         *n = net_new(&s, NULL);

	begin();
	EXPECT(n != NULL);
	return n;
}

static const char *at(const char *name)
{
	static char path[100];

	snprintf(path, sizeof path, "%s/%s", folder, name);
	return path;
}

TEST(what_is_not_there_is_told)
{
	static const struct { const char *cache; bool keys, others; const char *named; } rows[] = {
		{ NULL, false, false, "absent" }, { "absent", false, false, "absent" }, { "nonsense", false, false, "" }, { "FILE:/", false, false, "" },
		{ "BOGUS:x", false, false, "" }, { NULL, true, false, "no-such" }, { NULL, true, true, "ann" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct net  *n = net_plain();
		struct asker a;
		struct task  t = { .step = asker_step, .self = &a };
		char         cache[100];

		snprintf(cache, sizeof cache, "%s", rows[i].cache && !strchr(rows[i].cache, ':') ? at(rows[i].cache) : rows[i].cache ? rows[i].cache : "");
		asker_init(&a, rows[i].cache ? cache : NULL, rows[i].others ? other_keytab : rows[i].keys ? "/no-such/keytab" : NULL, 10000);
		EXPECT(net_run(n, &t));
		EXPECT_ROW(a.came == CAME && a.ticket.trouble == TICKET_NONE && !a.ticket.proven && !buffer_held(&a.ticket.say).len, a.ticket.reason);
		EXPECT_ROW(strstr(a.ticket.reason, rows[i].named), a.ticket.reason);
		ticket_release(&a.ticket);
		net_free(n);
	}
}

/* The library would wait on and on: the thread that does is left behind, and nothing of ours with it. */
TEST(a_silent_kdc_is_waited_for_as_long_as_was_said)
{
	struct net  *n = net_plain();
	struct asker a;
	struct task  t = { .step = asker_step, .self = &a };
	int64_t      before = ms_now();

	asker_init(&a, NULL, keytab, 200);
	EXPECT(net_run(n, &t));
	EXPECT(a.came == CAME_TIMEOUT && !a.ticket.carrier);
	ticket_release(&a.ticket);
	net_free(n);
	EXPECT(ms_now() - before >= 200 && ms_now() - before < 3000);
}

struct crowd {
	struct asker    asker[AT_ONCE];
	struct task     task[AT_ONCE];
	struct children children;
	bool            begun;
};

static enum want_kind crowd_step(void *self, struct want *w, struct error *err)
{
	struct crowd *c = self;

	(void)err;
	if (c->begun)
		return WANT_NOTHING;
	c->begun = true;
	children_init(&c->children, UNTIL_ALL);
	for (size_t i = 0; i < AT_ONCE; i++)
		children_add(&c->children, &c->task[i], asker_step, &c->asker[i], 0);
	return want_children(w, &c->children, 20000);
}

TEST(many_at_once_all_get_an_answer)
{
	for (int silent = 0; silent < 2; silent++) {
		struct net  *n = net_plain();
		struct crowd c = { 0 };
		struct task  t = { .step = crowd_step, .self = &c };

		for (size_t i = 0; i < AT_ONCE; i++)
			asker_init(&c.asker[i], NULL, silent ? keytab : NULL, silent ? 200 : 10000);
		EXPECT(net_run(n, &t));
		for (size_t i = 0; i < AT_ONCE; i++) {
			EXPECT(c.asker[i].came == (silent ? CAME_TIMEOUT : CAME));
			ticket_release(&c.asker[i].ticket);
		}
		net_free(n);
	}
}

struct stopper {
	struct net  *net;
	struct asker asker;
	struct task  task;
	int          naps;
};

static enum want_kind stopper_step(void *self, struct want *w, struct error *err)
{
	struct stopper *s = self;

	(void)err;
	if (s->naps++ == 0)
		return want_time(w, 50);
	net_stop(s->net);
	return WANT_NOTHING;
}

TEST(who_waits_for_a_kdc_can_be_called_off)
{
	struct stopper s = { .net = net_plain() };
	struct task    stops = { .step = stopper_step, .self = &s };
	int64_t        before = ms_now();

	asker_init(&s.asker, NULL, keytab, 20000);
	s.task = (struct task){ .step = asker_step, .self = &s.asker };
	net_start(s.net, &s.task, NULL);
	net_start(s.net, &stops, NULL);
	net_serve(s.net);
	EXPECT(s.asker.came == CAME_CANCELLED && ms_now() - before < 3000);
	ticket_release(&s.asker.ticket);
	net_free(s.net);
	/* the last one: threads that were left behind read no file any more */
	end();
}
