#include "serve/upkeep.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "connect/vault.h"
#include "net/options.h"
#include "serve/inbound_listen.h"
#include "serve/keys.h"
#include "serve/serve.h"
#include "store/accounts.h"
#include "wire/http.h"

#define PLACE_MOST 4096

struct places {
	char store[PLACE_MOST], keys[PLACE_MOST];
};

static bool is_busy(struct error *err)
{
	if (err && err->fault == FAULT_BUSY)
		fail(err, FAULT_BUSY, "the daemon runs, or another command has its store open: stop it first");
	return false;
}

static struct store *open_stopped(const struct places *p, struct error *err)
{
	struct store *s = store_check(p->store, err) ? store_open(p->store, err) : NULL;

	if (!s)
		is_busy(err);
	return s;
}

/* -- back-ups ----------------------------------------------------------------------------------------------------- */

bool upkeep_back_up(const struct settings *s, const char *file, struct arena *into, const char **key_file_out, struct error *err)
{
	struct places *p = arena_get(into, sizeof *p);

	if (!serve_places(s, p->store, p->keys, err) || !store_copy(p->store, file, err))
		return false;
	*key_file_out = p->keys;
	return true;
}

struct opening {
	struct vault *vault;           /* NULL: there are no keys */
	struct arena *work;
	int64_t       secrets, closed;
};

static bool try_secret(void *self, const char *owner, const char *kind, struct slice sealed, struct slice *out, struct error *err)
{
	struct opening *o = self;
	struct slice    plain;

	(void)out, (void)err;
	o->secrets++;
	o->closed += !o->vault || !vault_unseal(o->vault, arena_print(o->work, "%s/%s", owner, kind), sealed, o->work, &plain, NULL);
	return true;
}

static bool try_secrets(struct txn *t, void *self, struct error *err)
{
	struct opening *o = self;

	o->secrets = o->closed = 0;
	return sealed_each(t, o->work, try_secret, o, err);
}

/* Brings the store to this version as well. */
static bool count_secrets(const struct places *p, struct restored *out, struct error *err)
{
	CLEANUP(arena) struct arena *work = arena_new();
	struct opening o = { .work = work, .vault = vault_open(p->keys, false, NULL) };
	struct store  *store = store_open(p->store, err);
	bool           fine = store && store_read(store, try_secrets, &o, err);

	store_close(store);
	vault_free(o.vault);
	out->secrets = o.secrets;
	out->closed = o.closed;
	return fine;
}

bool upkeep_restore(const struct settings *s, const char *file, struct arena *into, struct restored *out, struct error *err)
{
	struct places *p = arena_get(into, sizeof *p);
	const char    *path;
	bool           was_there;

	if (!serve_places(s, p->store, p->keys, err))
		return false;
	path = strchr(p->store, ':') ? strchr(p->store, ':') + 1 : p->store;
	was_there = access(path, F_OK) == 0;
	if (!store_restore(p->store, file, err))
		return is_busy(err);
	*out = (struct restored){ .store = path, .aside = was_there ? arena_print(into, "%s.before-restore", path) : NULL, .key_file = p->keys };
	return count_secrets(p, out, err);
}

/* -- keys of the secrets ------------------------------------------------------------------------------------------ */

struct sealing {
	const struct vault *vault;
	struct arena       *work;
	int64_t             secrets;
};

static bool seal_anew(void *self, const char *owner, const char *kind, struct slice sealed, struct slice *out, struct error *err)
{
	struct sealing *s = self;
	const char     *label = arena_print(s->work, "%s/%s", owner, kind);
	struct slice    plain;
	struct error    why = { 0 };

	s->secrets++;
	if (vault_is_current(s->vault, sealed))
		return true;
	if (!vault_unseal(s->vault, label, sealed, s->work, &plain, &why))
		return fail(err, why.fault, "%s: %s", owner, why.text);
	return vault_seal(s->vault, label, plain, s->work, out, err);
}

static bool seal_all_anew(struct txn *t, void *self, struct error *err)
{
	CLEANUP(arena) struct arena *work = arena_new();
	struct sealing *s = self;

	s->work = work;
	s->secrets = 0;
	/* the answers are sealed too, and what they are compared with is signed: that cannot be done anew */
	return sealed_each(t, work, seal_anew, s, err) && answer_forget(t, INT64_MAX, err);
}

static bool all_current(void *self, const char *owner, const char *kind, struct slice sealed, struct slice *out, struct error *err)
{
	(void)kind, (void)out;
	return vault_is_current(self, sealed) || fail(err, FAULT_BROKEN, "%s: a secret is not sealed anew", owner);
}

static bool look_again(struct txn *t, void *self, struct error *err)
{
	CLEANUP(arena) struct arena *work = arena_new();

	return sealed_each(t, work, all_current, self, err);
}

/* Everything under the first key, and then no other key. */
static bool settle(struct store *store, const char *key_file, int64_t *secrets, struct error *err)
{
	CLEANUP(vault) struct vault *vault = vault_open(key_file, false, err);
	struct sealing s = { .vault = vault };

	if (!vault || !store_write_wait(store, seal_all_anew, &s, err) || !store_read(store, look_again, vault, err))
		return false;
	*secrets = s.secrets;
	return vault_drop_old_keys(key_file, err);
}

/* One that was broken off has left more than one key: many of them would fill the file. */
static bool finish_earlier(struct store *store, const char *key_file, int64_t *secrets, struct error *err)
{
	CLEANUP(vault) struct vault *vault = vault_open(key_file, false, err);

	return vault && (vault_keys(vault) == 1 || settle(store, key_file, secrets, err));
}

bool upkeep_rotate(const struct settings *s, int64_t *secrets_out, struct error *err)
{
	struct places p;
	struct store *store;
	bool          fine;

	if (!serve_places(s, p.store, p.keys, err) || !(store = open_stopped(&p, err)))
		return false;
	fine = finish_earlier(store, p.keys, secrets_out, err) && vault_add_key(p.keys, err) && settle(store, p.keys, secrets_out, err);
	store_close(store);
	return fine;
}

/* -- API keys ----------------------------------------------------------------------------------------------------- */

struct granting {
	struct arena  *into;
	const char    *workspace, *name, *text;
	unsigned       scopes;
	struct api_key key;
};

static bool find_workspace(struct txn *t, const struct granting *g, const char **id_out, struct error *err)
{
	struct workspace *known;
	size_t            count;

	if (!workspace_list(t, g->into, &known, &count, err))
		return false;
	if (count == 0)
		return fail(err, FAULT_ABSENT, "there is no workspace yet: the first start of the daemon makes one, with a key");
	if (!g->workspace && count > 1)
		return fail(err, FAULT_MALFORMED, "there are %zu workspaces: which one? (--workspace NAME)", count);
	for (size_t i = 0; i < count; i++)
		if (!g->workspace || strcmp(known[i].id, g->workspace) == 0 || strcmp(known[i].name, g->workspace) == 0) {
			*id_out = known[i].id;
			return true;
		}
	return fail(err, FAULT_ABSENT, "there is no workspace \"%s\"", g->workspace);
}

static bool grant(struct txn *t, void *self, struct error *err)
{
	struct granting *g = self;
	const char      *workspace = NULL;

	if (!find_workspace(t, g, &workspace, err))
		return false;
	g->text = key_make(g->into, workspace, g->name, g->scopes, clock_unix_ms(), &g->key);
	return key_insert(t, &g->key, err);
}

bool upkeep_key(const struct settings *s, const char *workspace, const char *name, unsigned scopes, struct arena *into, const char **id_out,
                const char **key_out, struct error *err)
{
	struct granting g = { .into = into, .workspace = workspace, .name = name, .scopes = scopes };
	struct places   p;
	struct store   *store;
	bool            fine;

	if (!serve_places(s, p.store, p.keys, err) || !(store = open_stopped(&p, err)))
		return false;
	fine = store_write_wait(store, grant, &g, err);
	store_close(store);
	*id_out = g.key.id;
	*key_out = g.text;
	return fine;
}

unsigned upkeep_scope(const char *name)
{
	return scope_find(name);
}

/* -- settings ----------------------------------------------------------------------------------------------------- */

static bool is_web_place(void *self, const char *word)
{
	struct inbound_place place;

	(void)self;
	return inbound_place_parse(word, &place) && !place.lmtp;
}

static bool is_inbound_place(void *self, const char *word)
{
	struct inbound_place place;

	(void)self;
	return inbound_place_parse(word, &place);
}

static bool is_block(void *self, const char *word)
{
	struct address_block block;

	(void)self;
	return address_block_parse(word, &block);
}

static bool is_url(void *self, const char *text)
{
	CLEANUP(arena) struct arena *work = arena_new();
	struct http_url url;

	(void)self;
	return http_url_parse(slice_str(text), work, &url);
}

static bool is_size(void *self, const char *text)
{
	unsigned long long n;

	(void)self;
	return slice_number(slice_str(text), 1u << 30, &n) && n > 0;
}

static bool is_store(void *self, const char *text)
{
	(void)self;
	return strncmp(text, "sqlite:", 7) == 0 && text[7];
}

/* A list is checked word by word, anything else as a whole. */
static const struct { enum setting which; bool is_list; bool (*is_one)(void *, const char *); const char *should; } checks[] = {
	{ SETTING_WEB_LISTEN,     true,  is_web_place,     "IP:PORT" },
	{ SETTING_WEB_BASE_URL,   false, is_url,           "https://HOST" },
	{ SETTING_WEB_PROXIES,    true,  is_block,         "addresses or ranges (CIDR)" },
	{ SETTING_INBOUND_LISTEN, true,  is_inbound_place, "IP:PORT or lmtp:IP:PORT" },
	{ SETTING_INBOUND_MOST,   false, is_size,          "a number of bytes up to 1 GiB" },
	{ SETTING_STORE_URL,      false, is_store,         "sqlite:PATH" },
};

static const enum setting files[] = { SETTING_NET_CA_FILE, SETTING_INBOUND_CERT, SETTING_INBOUND_KEY };

bool upkeep_check_settings(const struct settings *s, struct error *err)
{
	struct net_options options = { 0 };
	bool               fine = net_options_settings(&options, s, err);

	net_options_release(&options);
	for (size_t i = 0; fine && i < COUNT(checks); i++) {
		const char               *value = s->value[checks[i].which];
		const struct setting_row *row = &setting_rows[checks[i].which];

		if (value && !(checks[i].is_list ? each_word(value, NULL, checks[i].is_one) : checks[i].is_one(NULL, value)))
			fine = fail(err, FAULT_MALFORMED, "[%s] %s should be %s", row->section, row->key, checks[i].should);
	}
	for (size_t i = 0; fine && i < COUNT(files); i++)
		if (s->value[files[i]] && access(s->value[files[i]], R_OK) != 0)
			fine = fail(err, FAULT_LOCAL, "[%s] %s: %.100s: %s", setting_rows[files[i]].section, setting_rows[files[i]].key, s->value[files[i]],
			            strerror(errno));
	if (fine && s->value[SETTING_INBOUND_LISTEN] && !s->value[SETTING_INBOUND_DOMAIN])
		fine = fail(err, FAULT_MALFORMED, "[inbound] listen is set and domain is not");
	if (fine && !s->value[SETTING_INBOUND_CERT] != !s->value[SETTING_INBOUND_KEY])
		fine = fail(err, FAULT_MALFORMED, "[inbound] certificate_file and key_file go together");
	return fine;
}
