#include "serve/fake.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

_Atomic int  fake_reads, fake_uses;
_Atomic bool fake_broken, fake_writer_revoked;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct event    events[1000];
static size_t          event_count;

void fake_event(const char *workspace, const char *type, const char *data)
{
	pthread_mutex_lock(&lock);
	events[event_count] = (struct event){ .seq = (int64_t)event_count + 1, .id = "evt_x", .workspace = workspace, .type = type, .data = data, .created = 1 };
	event_count++;
	pthread_mutex_unlock(&lock);
}

void fake_forget(void)
{
	event_count = 0;
	fake_broken = fake_writer_revoked = false;
	fake_reads = fake_uses = 0;
}

bool store_read(struct store *s, bool (*look)(struct txn *, void *, struct error *), void *self, struct error *err)
{
	(void)s;
	fake_reads++;
	return fake_broken ? fail(err, FAULT_LOCAL, "/secret/place/mailmoor.db: disk I/O error") : look(NULL, self, err);
}

void store_write(struct store *s, struct store_write *w)
{
	(void)s;
	w->ok = w->apply(NULL, w->self, &w->err);
	w->done(w);
}

bool key_used(struct txn *t, const char *id, int64_t now, struct error *err)
{
	(void)t;
	(void)id;
	(void)now;
	(void)err;
	fake_uses++;
	return true;
}

bool key_by_hash(struct txn *t, struct arena *into, const char *hash, struct api_key *out, struct error *err)
{
	static const struct { const char *key, *id, *workspace; unsigned scopes; int64_t revoked; } rows[] = {
		{ KEY_READER,  "key_reader",  "wsp_a", SCOPE_ACCOUNTS_READ | SCOPE_EVENTS_READ, 0 },
		{ KEY_WRITER,  "key_writer",  "wsp_a", SCOPE_ADMIN, 0 },
		{ KEY_FOREIGN, "key_foreign", "wsp_b", SCOPE_OPERATOR, 0 },
		{ KEY_REVOKED, "key_revoked", "wsp_a", SCOPE_ADMIN, 1 },
	};

	(void)t;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (strcmp(hash, token_hash(rows[i].key, into)) == 0) {
			*out = (struct api_key){ .id = rows[i].id, .workspace = rows[i].workspace, .hash = hash, .scopes = rows[i].scopes, .revoked = rows[i].revoked };
			if (i == 1 && fake_writer_revoked)
				out->revoked = 1;
			return true;
		}
	return fail(err, FAULT_ABSENT, "no such key");
}

bool event_list(struct txn *t, struct arena *into, const char *workspace, const char *account, const char *type, int64_t after, size_t most,
                struct event **out, size_t *count, struct error *err)
{
	(void)t;
	(void)account;
	(void)err;
	*out = arena_get(into, most * sizeof **out);
	*count = 0;
	pthread_mutex_lock(&lock);
	for (size_t i = (size_t)after; i < event_count && *count < most; i++)
		if (strcmp(events[i].workspace, workspace) == 0 && (!type || strcmp(events[i].type, type) == 0))
			(*out)[(*count)++] = events[i];
	pthread_mutex_unlock(&lock);
	return true;
}

bool event_last(struct txn *t, int64_t *seq_out, struct error *err)
{
	(void)t;
	(void)err;
	pthread_mutex_lock(&lock);
	*seq_out = (int64_t)event_count;
	pthread_mutex_unlock(&lock);
	return true;
}

const char *vault_sign(const struct vault *v, const char *purpose, struct slice text, struct arena *into)
{
	(void)v;
	return token_hash(arena_print(into, "%s %.*s", purpose, (int)text.len, text.at), into);
}

bool vault_signed(const struct vault *v, const char *purpose, struct slice text, const char *signature)
{
	CLEANUP(arena) struct arena *work = arena_new();

	return strcmp(vault_sign(v, purpose, text, work), signature) == 0;
}
