#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "serve/http_parts.h"
#include "store/links.h"
#include "store/workspaces.h"

#define KEY_LONGEST 100
#define HASH        65           /* hex of SHA-256 and its NUL */

/* -- keys that were seen lately ------------------------------------------------------------------------------------- */

#define KEYS_HELD  1024
#define KEY_FRESH  5000          /* ms: another process' revocation holds after that */
#define USED_EVERY 60000

struct known_key {
	char     hash[HASH], id[40], workspace[40];
	unsigned scopes;
	int64_t  read, used;         /* used: the time that was last written to the store */
};

struct key_cache {
	pthread_mutex_t  lock;
	unsigned         revocations;      /* what was read before one is not kept after it */
	struct known_key key[KEYS_HELD];
};

struct key_cache *keys_new(void)
{
	struct key_cache *c = must_alloc(sizeof *c);

	pthread_mutex_init(&c->lock, NULL);
	return c;
}

void keys_free(struct key_cache *c)
{
	if (!c)
		return;
	pthread_mutex_destroy(&c->lock);
	free(c);
}

/* The hash of a key is as good as dice. */
static struct known_key *place_of(struct key_cache *c, const char *hash)
{
	unsigned n = 0;

	for (size_t i = 0; i < 8 && hash[i]; i++)
		n = n << 4 | ((unsigned)(hash[i] & 15) + (hash[i] > '9' ? 9 : 0));
	return &c->key[n % KEYS_HELD];
}

static bool known(struct key_cache *c, const char *hash, struct known_key *out, unsigned *revocations)
{
	const struct known_key *k = place_of(c, hash);
	bool                    found;

	pthread_mutex_lock(&c->lock);
	found = strcmp(k->hash, hash) == 0 && clock_mono_ms() - k->read < KEY_FRESH;
	if (found)
		*out = *k;
	*revocations = c->revocations;
	pthread_mutex_unlock(&c->lock);
	return found;
}

static void keep(struct key_cache *c, const struct known_key *k, unsigned revocations)
{
	struct known_key *place = place_of(c, k->hash);

	pthread_mutex_lock(&c->lock);
	if (c->revocations == revocations) {
		int64_t used = strcmp(place->hash, k->hash) == 0 && place->used > k->used ? place->used : k->used;

		*place = *k;
		place->used = used;
	}
	pthread_mutex_unlock(&c->lock);
}

/* Whether the use of it is to be written now; only one of those who ask at once is told so. */
static bool use_is_due(struct key_cache *c, const struct known_key *k, int64_t now)
{
	struct known_key *place = place_of(c, k->hash);
	bool              due;

	pthread_mutex_lock(&c->lock);
	due = strcmp(place->hash, k->hash) == 0 && (now - place->used >= USED_EVERY || now < place->used);
	if (due)
		place->used = now;
	pthread_mutex_unlock(&c->lock);
	return due;
}

void http_key_revoked(struct exchange *x, const char *key_id)
{
	struct http_server *s = request_of(x)->server;
	struct stream      *stream;

	pthread_mutex_lock(&s->keys->lock);
	s->keys->revocations++;
	for (size_t i = 0; i < KEYS_HELD; i++)
		if (strcmp(s->keys->key[i].id, key_id) == 0)
			s->keys->key[i] = (struct known_key){ 0 };
	pthread_mutex_unlock(&s->keys->lock);
	pthread_mutex_lock(&s->lock);
	TAILQ_FOREACH(stream, &s->streams, next)
		if (strcmp(stream->key_id, key_id) == 0) {
			stream->over = true;
			events_wake(stream);
		}
	pthread_mutex_unlock(&s->lock);
}

/* -- the key of a request ------------------------------------------------------------------------------------------- */

const char *token_hash(const char *token, struct arena *into)
{
	unsigned char hash[crypto_hash_sha256_BYTES];
	char         *hex = arena_get(into, HASH);

	crypto_hash_sha256(hash, (const unsigned char *)token, strlen(token));
	return sodium_bin2hex(hex, HASH, hash, sizeof hash);
}

unsigned scopes_meant(unsigned scopes)
{
	if (scopes & SCOPE_OPERATOR)
		scopes |= SCOPE_ADMIN;
	if (scopes & SCOPE_ADMIN)
		scopes |= SCOPE_ACCOUNTS_READ | SCOPE_ACCOUNTS_WRITE | SCOPE_EVENTS_READ | SCOPE_WEBHOOKS_WRITE;
	return scopes;
}

struct looking {
	const char      *hash;
	struct arena    *into;
	struct api_key   key;
};

static bool look_up(struct txn *t, void *self, struct error *err)
{
	struct looking *l = self;

	return key_by_hash(t, l->into, l->hash, &l->key, err);
}

struct key_use {
	struct store_write write;
	char               id[40];
	int64_t            now;
};

static bool apply_use(struct txn *t, void *self, struct error *err)
{
	struct key_use *u = self;

	return key_used(t, u->id, u->now, err);
}

static void use_written(struct store_write *w)
{
	free(w->self);
}

static void write_use(struct request *r, const struct known_key *k, int64_t now)
{
	struct key_use *u;

	if (!use_is_due(r->server->keys, k, now))
		return;
	u = must_alloc(sizeof *u);
	snprintf(u->id, sizeof u->id, "%s", k->id);
	u->now = now;
	u->write = (struct store_write){ .apply = apply_use, .done = use_written, .self = u };
	store_write(r->x.service->store, &u->write);
}

static bool read_key(struct request *r, const char *hash, unsigned revocations, struct known_key *out, struct error *err)
{
	struct looking l = { .hash = hash, .into = r->x.job };

	if (!store_read(r->x.service->store, look_up, &l, err))
		return false;
	if (l.key.revoked)
		return fail(err, FAULT_ABSENT, "a revoked key");
	*out = (struct known_key){ .scopes = scopes_meant(l.key.scopes), .read = clock_mono_ms(), .used = l.key.last_used };
	snprintf(out->hash, sizeof out->hash, "%s", hash);
	snprintf(out->id, sizeof out->id, "%s", l.key.id);
	snprintf(out->workspace, sizeof out->workspace, "%s", l.key.workspace);
	keep(r->server->keys, out, revocations);
	return true;
}

/* "Bearer mm_…": the token, or NULL. */
static const char *bearer(struct request *r)
{
	const char *given = http_field(&r->x, "Authorization");
	size_t      len = 0;

	if (!given || strncasecmp(given, "Bearer ", 7) != 0)
		return NULL;
	for (given += 7; *given == ' '; given++)
		;
	while (given[len] > ' ' && given[len] < 0x7f)
		len++;
	return len > 3 && len < KEY_LONGEST && !given[len] && strncmp(given, "mm_", 3) == 0 ? given : NULL;
}

/* -- answers of the guard ------------------------------------------------------------------------------------------- */

static bool too_many(struct request *r, int wait_s)
{
	http_set(&r->x, "Retry-After", arena_print(r->x.job, "%d", wait_s));
	answer_problem(&r->x, 429, "request.too_many", "Too many requests", NULL, NULL, NULL);
	r->server->counts.refused_rate++;
	return false;
}

static bool no_key(struct request *r, const char *detail)
{
	http_set(&r->x, "WWW-Authenticate", "Bearer realm=\"mailmoor\"");
	answer_problem(&r->x, 401, "request.unauthorized", "A valid API key is needed", detail, NULL, NULL);
	return false;
}

/* One client of IPv6 has a whole /64. */
static const char *rate_name(struct request *r, const char *what)
{
	struct address a;

	if (!address_parse(r->x.client, &a) || a.family != 6)
		return arena_print(r->x.job, "%s %s", what, r->x.client);
	return arena_print(r->x.job, "%s %02x%02x%02x%02x%02x%02x%02x%02x", what, a.bytes[0], a.bytes[1], a.bytes[2], a.bytes[3],
	                   a.bytes[4], a.bytes[5], a.bytes[6], a.bytes[7]);
}

static bool is_write(const struct request *r)
{
	return strcmp(r->x.method, "GET") != 0 && strcmp(r->x.method, "HEAD") != 0;
}

/* The key of this request; false: answered. Whoever guesses is refused before the store is asked, but a key that is known here is
 * not made to suffer for others behind the same address. */
static bool find_key(struct request *r, struct known_key *out)
{
	const char  *token = bearer(r), *wrong, *hash = token ? token_hash(token, r->x.job) : NULL;
	struct error err = { 0 };
	unsigned     revocations;
	int          wait_s = 1;

	if (hash && known(r->server->keys, hash, out, &revocations))
		return true;
	wrong = rate_name(r, "wrong");
	if (!rate_left(r->server->rates, wrong, r->server->limits.wrong, clock_mono_ms(), &wait_s))
		return too_many(r, wait_s);
	if (hash && read_key(r, hash, revocations, out, &err))
		return true;
	if (hash && err.fault != FAULT_ABSENT) {
		answer_fault(&r->x, &err);
		return false;
	}
	rate_take(r->server->rates, wrong, r->server->limits.wrong, clock_mono_ms(), &wait_s);
	return no_key(r, hash ? "there is no such key, or it was revoked" : "Authorization: Bearer mm_…");
}

/* -- browsers ------------------------------------------------------------------------------------------------------- */

#define BROWSER_DICE 32

static bool is_browser(const char *text)
{
	return text && strlen(text) == BROWSER_DICE && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789") == BROWSER_DICE;
}

/* Browsers say where a form or a script stands: it must be a page of ours. Those that say nothing are left to the token. */
static bool same_origin(struct request *r)
{
	const char *origin = http_field(&r->x, "Origin"), *site = http_field(&r->x, "Sec-Fetch-Site"), *host = http_field(&r->x, "Host");

	if (site && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0)
		return false;
	if (!origin)
		return true;
	if (r->x.service->base_url && strcasecmp(origin, r->x.service->base_url) == 0)
		return true;
	return host && strcasecmp(origin, arena_print(r->x.job, "%s://%s", r->x.https ? "https" : "http", host)) == 0;
}

/* -- sessions of our own pages -------------------------------------------------------------------------------------- */

/* What the page behind a link of that kind needs, and nothing else. A cookie for each of these paths: two pages in one browser do not
 * take each other's place, and nothing else ever sees it. */
static const struct session_kind {
	const char *kind;
	const char *under[2];
	unsigned    scopes;
	bool        writes;
} session_kinds[] = {
	{ "settings", { "/v1/accounts", "/v1/connect-links" }, SCOPE_ACCOUNTS_READ | SCOPE_ACCOUNTS_WRITE, true  },
	{ "operator", { "/v1/overview", "/v1/incidents" },     SCOPE_OPERATOR,                             false },
};

static const struct session_kind *session_kind(const char *kind)
{
	for (size_t i = 0; i < COUNT(session_kinds); i++)
		if (strcmp(session_kinds[i].kind, kind) == 0)
			return &session_kinds[i];
	return NULL;
}

static struct slice session_text(const char *link_id, const char *browser, struct arena *into)
{
	return slice_str(arena_print(into, "%s %s", link_id, browser));
}

const char *http_session(struct exchange *x, const char *kind, const char *link_id, const char *token, int64_t expires)
{
	const struct session_kind *k = session_kind(kind);
	long long                  lasts = (expires - clock_unix_ms()) / 1000;

	for (size_t i = 0; k && i < COUNT(k->under); i++)
		http_set(x, "Set-Cookie", arena_print(x->job, "mm_session=%s; Path=%s; Max-Age=%lld; HttpOnly; SameSite=Strict%s", token, k->under[i],
		                                      lasts > 0 ? lasts : 0, x->https ? "; Secure" : ""));
	return vault_sign(x->service->vault, "session", session_text(link_id, http_browser(x), x->job), x->job);
}

struct session_look {
	struct request *r;
	const char     *hash;
	struct link     link;
};

static bool look_session(struct txn *t, void *self, struct error *err)
{
	struct session_look *l = self;

	return link_by_hash(t, l->r->x.job, l->hash, &l->link, err);
}

static bool session_holds(const struct session_look *l, const char *browser)
{
	return session_kind(l->link.kind) && l->link.expires > clock_unix_ms() && l->link.session && is_browser(browser)
	    && strcmp(l->link.session, token_hash(browser, l->r->x.job)) == 0;
}

/* The link behind the cookie; false: answered. */
static bool find_session(struct request *r, const char *token, struct link *out)
{
	struct session_look l = { .r = r, .hash = token_hash(token, r->x.job) };
	const char         *wrong = rate_name(r, "wrong");
	struct error        err = { 0 };
	int                 wait_s = 1;

	if (!rate_left(r->server->rates, wrong, r->server->limits.wrong, clock_mono_ms(), &wait_s))
		return too_many(r, wait_s);
	if (store_read(r->x.service->store, look_session, &l, &err)) {
		*out = l.link;
		if (session_holds(&l, http_cookie(&r->x, "mm_browser")))
			return true;
	} else if (err.fault != FAULT_ABSENT) {
		answer_fault(&r->x, &err);
		return false;
	}
	rate_take(r->server->rates, wrong, r->server->limits.wrong, clock_mono_ms(), &wait_s);
	return no_key(r, "this session is over: open the link again");
}

static bool reaches(const struct session_kind *k, const struct request *r)
{
	bool under = false;

	for (size_t i = 0; i < COUNT(k->under); i++) {
		struct slice rest = slice_str(r->route->path);

		if (slice_starts(rest, k->under[i])) {
			rest = slice_from(rest, strlen(k->under[i]));
			under = under || rest.len == 0 || rest.at[0] == '/';
		}
	}
	return under && (k->scopes & r->route->scopes) == r->route->scopes && (k->writes || !is_write(r));
}

/* A write needs the token of the page, and whatever brings one must bring that of this session: another page in the same browser may have
 * begun a session since. */
static bool token_is_right(struct request *r, const struct link *l)
{
	const char *given = http_field(&r->x, "X-CSRF-Token");

	if (!given)
		return !is_write(r);
	return vault_signed(r->x.service->vault, "session", session_text(l->id, http_cookie(&r->x, "mm_browser"), r->x.job), given);
}

static bool guard_session(struct request *r, const char *token)
{
	struct link l = { 0 };
	int         wait_s = 1;

	if (!find_session(r, token, &l))
		return false;
	r->x.by_session = true;
	r->x.key_id = l.id;
	r->x.workspace = l.workspace;
	r->x.scopes = session_kind(l.kind)->scopes;
	if (!reaches(session_kind(l.kind), r)) {
		answer_problem(&r->x, 403, "request.scope", "This page may not do that", NULL, NULL, NULL);
		return false;
	}
	if ((is_write(r) && !same_origin(r)) || !token_is_right(r, &l)) {
		answer_problem(&r->x, 403, "request.csrf", "This page has been replaced; open its link again", NULL, NULL, NULL);
		return false;
	}
	return !is_write(r) || rate_take(r->server->rates, l.id, r->server->limits.writes, clock_mono_ms(), &wait_s) || too_many(r, wait_s);
}

/* -- who asks the API ----------------------------------------------------------------------------------------------- */

static bool guard_key(struct request *r)
{
	const char      *session = http_field(&r->x, "Authorization") ? NULL : http_cookie(&r->x, "mm_session");
	struct known_key key = { 0 };
	int              wait_s = 1;

	if (session)
		return guard_session(r, session);
	if (!find_key(r, &key))
		return false;
	r->x.key_id = arena_str(r->x.job, key.id);
	r->x.workspace = arena_str(r->x.job, key.workspace);
	r->x.scopes = key.scopes;
	if ((key.scopes & r->route->scopes) != r->route->scopes) {
		answer_problem(&r->x, 403, "request.scope", "This key may not do that", NULL, NULL, "operator");
		return false;
	}
	if (is_write(r) && !rate_take(r->server->rates, key.id, r->server->limits.writes, clock_mono_ms(), &wait_s))
		return too_many(r, wait_s);
	write_use(r, &key, clock_unix_ms());
	return true;
}

/* -- forms ---------------------------------------------------------------------------------------------------------- */

const char *http_browser(struct exchange *x)
{
	struct request *r = request_of(x);

	if (r->browser)
		return r->browser;
	r->browser = http_cookie(x, "mm_browser");
	if (!is_browser(r->browser)) {
		r->browser = random_text(x->job, BROWSER_DICE);
		http_set(x, "Set-Cookie", arena_print(x->job, "mm_browser=%s; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax%s", r->browser,
		                                      x->https ? "; Secure" : ""));
	}
	return r->browser;
}

const char *http_csrf(struct exchange *x)
{
	struct request *r = request_of(x);

	if (!r->csrf)
		r->csrf = vault_sign(x->service->vault, "csrf", slice_str(http_browser(x)), x->job);
	return r->csrf;
}

static bool guard_form(struct request *r)
{
	const char *cookie = http_cookie(&r->x, "mm_browser");
	const char *why = NULL, *token;

	if (!r->form.read && !pairs_read(r->x.body, r->x.job, &r->form)) {
		answer_problem(&r->x, 400, "request.malformed", "The form cannot be read", NULL, NULL, NULL);
		return false;
	}
	token = http_form(&r->x, "csrf");
	if (!same_origin(r))
		why = "it comes from another site";
	else if (!is_browser(cookie))
		why = "your browser has not sent its cookie";
	else if (!token || !vault_signed(r->x.service->vault, "csrf", slice_str(cookie), token))
		why = "it does not belong to this browser";
	if (!why)
		return true;
	answer_problem(&r->x, 403, "request.csrf", "This form is not taken; open the page again", why, NULL, NULL);
	return false;
}

bool http_may(struct exchange *x, const char *who, struct rate_limit limit)
{
	int wait_s;

	return rate_take(request_of(x)->server->rates, who, limit, clock_mono_ms(), &wait_s);
}

/* -- both ----------------------------------------------------------------------------------------------------------- */

bool guard_head(struct request *r)
{
	int wait_s = 1;

	if (r->route->guard == GUARD_KEY)
		return guard_key(r);
	if (r->route->guard == GUARD_HOOK)
		return rate_take(r->server->rates, rate_name(r, "hook"), r->server->limits.hooks, clock_mono_ms(), &wait_s) || too_many(r, wait_s);
	return rate_take(r->server->rates, rate_name(r, "open"), r->server->limits.open, clock_mono_ms(), &wait_s) || too_many(r, wait_s);
}

bool guard_body(struct request *r)
{
	return r->route->guard != GUARD_FORM || guard_form(r);
}
