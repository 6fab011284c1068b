/* Messages of the BCC addresses in a real store: with their event, once, and the bus rung. */
#include "serve/inbound_store.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/json.h"
#include "serve/bus.h"
#include "store/accounts.h"
#include "store/events.h"
#include "store/links.h"
#include "store/workspaces.h"
#include "test.h"

struct scene {
	char                 folder[64], url[96];
	struct inbound_shelf shelf;
	struct bus_listener  listener;
	struct arena        *job;
};

static atomic_int rings;

static void rung(struct bus_listener *l)
{
	(void)l;
	rings++;
}

static bool add_workspaces(struct txn *t, void *self, struct error *err)
{
	(void)self;
	return workspace_insert(t, &(struct workspace){ .id = "ws_1", .name = "one", .bcc_token = "tok1", .created = 1 }, err)
	    && workspace_insert(t, &(struct workspace){ .id = "ws_2", .name = "two", .bcc_token = "tok2", .created = 1 }, err);
}

static void scene_open(struct scene *s)
{
	struct error err = { 0 };

	*s = (struct scene){ .folder = "/tmp/mailmoor-inbound-XXXXXX", .listener = { .rung = rung }, .job = arena_new() };
	EXPECT(mkdtemp(s->folder));
	snprintf(s->url, sizeof s->url, "sqlite:%s/s.db", s->folder);
	s->shelf.store = store_open(s->url, &err);
	s->shelf.bus = bus_new();
	EXPECT(s->shelf.store && store_write_wait(s->shelf.store, add_workspaces, NULL, &err));
	rings = 0;
	bus_listen(s->shelf.bus, &s->listener);
}

static void scene_close(struct scene *s)
{
	static const char *const files[] = { "s.db", "s.db-wal", "s.db-shm", "s.db-lock" };

	store_close(s->shelf.store);
	bus_unlisten(s->shelf.bus, &s->listener);
	bus_free(s->shelf.bus);
	for (size_t i = 0; i < COUNT(files); i++)
		unlink(arena_print(s->job, "%s/%s", s->folder, files[i]));
	rmdir(s->folder);
	arena_free(s->job);
}

/* -- errands, waited for ------------------------------------------------------------------------------------------ */

struct waiting {
	pthread_mutex_t lock;
	pthread_cond_t  over;
	bool            is_over;
};

static void answered(struct errand *e)
{
	struct waiting *w = e->carrier;

	pthread_mutex_lock(&w->lock);
	w->is_over = true;
	pthread_cond_signal(&w->over);
	pthread_mutex_unlock(&w->lock);
}

static void run(struct errand *e)
{
	struct waiting w = { .lock = PTHREAD_MUTEX_INITIALIZER, .over = PTHREAD_COND_INITIALIZER };

	e->carrier = &w;
	e->answered = answered;
	e->begin(e);
	pthread_mutex_lock(&w.lock);
	while (!w.is_over)
		pthread_cond_wait(&w.over, &w.lock);
	pthread_mutex_unlock(&w.lock);
}

static const char *envelope_from = "ann@birch.example";

static struct inbound_mail keep(struct scene *s, struct inbound_copy *copies, size_t count, const char *text)
{
	struct inbound_archive archive = inbound_archive_of(&s->shelf);
	struct address         peer;
	struct inbound_mail    m = { .errand = { .begin = archive.keep }, .archive = archive.self, .copy = copies, .copies = count,
	                             .sender = envelope_from, .received = 5000 };
	const char            *line;

	EXPECT(address_parse("192.0.2.1", &peer));
	line = inbound_received(s->job, "mx", &peer, "in.example.org", "ESMTP", 5, &m.id_at);
	inbound_mail_read(&m, slice_str(text), s->job);
	for (size_t i = 0; i < count; i++)
		inbound_mail_id(slice_str(text), copies[i].workspace, copies[i].id);
	m.bytes = arena_print(s->job, "%s%s", line, text);
	m.len = strlen(m.bytes);
	run(&m.errand);
	return m;
}

struct seen { struct scene *scene; const char *workspace, *id; struct logged_mail mail; struct event *events; size_t count; };

static bool look(struct txn *t, void *self, struct error *err)
{
	struct seen *s = self;

	return mail_get(t, s->scene->job, s->workspace, s->id, &s->mail, err)
	    && event_list(t, s->scene->job, s->workspace, NULL, "message.received", 0, 10, &s->events, &s->count, err);
}

static struct seen seen(struct scene *s, const char *workspace, const char *id)
{
	struct seen  seen = { .scene = s, .workspace = workspace, .id = id };
	struct error err = { 0 };

	EXPECT(store_read(s->shelf.store, look, &seen, &err));
	return seen;
}

#define TEXT "From: Ann <ann@birch.example>\r\nSubject: x\r\nMessage-ID: <1@b>\r\nX-Mailmoor-Test: t1\r\n\r\nbody\r\n"

TEST(a_message_and_its_event)
{
	struct inbound_copy copies[] = { { .workspace = "ws_1", .to = "tok1+a@in.example.org" }, { .workspace = "ws_2", .to = "tok2@in.example.org" } };
	struct scene        s;
	struct inbound_mail m;
	struct seen         one;
	cJSON              *data;

	scene_open(&s);
	m = keep(&s, copies, 2, TEXT);
	EXPECT(m.kept && !copies[0].again && !copies[1].again && rings == 1);
	one = seen(&s, "ws_1", copies[0].id);
	EXPECT_TEXT(one.mail.envelope_from, "ann@birch.example");
	EXPECT_TEXT(one.mail.envelope_to, "tok1+a@in.example.org");
	EXPECT_TEXT(one.mail.from, "Ann <ann@birch.example>");
	EXPECT_TEXT(one.mail.message_id, "1@b");
	EXPECT_TEXT(one.mail.test_token, "t1");
	EXPECT(one.mail.received == 5000 && one.mail.size == (int64_t)m.len && slice_ends(one.mail.bytes, TEXT));
	EXPECT(slice_search(one.mail.bytes, copies[0].id) < one.mail.bytes.len);
	EXPECT(one.count == 1);
	data = json_read(slice_str(one.events[0].data), 10000, NULL);
	EXPECT_TEXT(json_text(data, "id"), copies[0].id);
	EXPECT_TEXT(json_text(data, "subject"), "x");
	EXPECT_TEXT(json_text(cJSON_GetObjectItem(data, "envelope"), "to"), "tok1+a@in.example.org");
	EXPECT(!strstr(one.events[0].data, "body"));
	cJSON_Delete(data);
	EXPECT(seen(&s, "ws_2", copies[1].id).count == 1);
	scene_close(&s);
}

TEST(the_same_again_is_kept_once_and_told_once)
{
	struct inbound_copy copies[] = { { .workspace = "ws_1", .to = "tok1@in.example.org" }, { .workspace = "ws_2", .to = "tok2@in.example.org" } };
	struct scene        s;

	scene_open(&s);
	EXPECT(keep(&s, copies, 1, TEXT).kept && rings == 1);
	EXPECT(keep(&s, copies, 1, TEXT).kept && copies[0].again && rings == 1);
	/* one of two was there */
	EXPECT(keep(&s, copies, 2, TEXT).kept && copies[0].again && !copies[1].again && rings == 2);
	EXPECT(seen(&s, "ws_1", copies[0].id).count == 1 && seen(&s, "ws_2", copies[1].id).count == 1);
	scene_close(&s);
}

static bool add_accounts(struct txn *t, void *self, struct error *err)
{
	static const struct { const char *id, *workspace, *key; } rows[] = {
		{ "acc_ann", "ws_1", "ann@birch.example" }, { "acc_bob", "ws_1", "bob@xn--bcher-kva.example" }, { "acc_eve", "ws_2", "eve@birch.example" },
		{ "acc_gone", "ws_1", "gone@birch.example" },
	};

	(void)self;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (!account_insert(t, &(struct account){ .id = rows[i].id, .workspace = rows[i].workspace, .address = rows[i].key, .key = rows[i].key,
			.provider = "imap" }, err))
			return false;
	return account_erase(t, "acc_gone", 5, err);
}

TEST(the_account_it_says_it_was_sent_from)
{
	static const struct { const char *from, *envelope, *account; } rows[] = {
		{ "Ann <ann@birch.example>", "ann@birch.example", "acc_ann" },
		{ "=?utf-8?q?=C3=84nn?= <ANN@Birch.Example>", "bounce-1@lists.example", "acc_ann" },
		{ "bob@b\xc3\xbc" "cher.example", "", "acc_bob" },
		{ "Sales <sales@birch.example>", "ann@birch.example", "acc_ann" },      /* sent as another address of hers */
		{ "ann@birch.example", "bob@xn--bcher-kva.example", NULL },             /* two of them */
		{ "eve@birch.example", "eve@birch.example", NULL },                     /* of another workspace */
		{ "gone@birch.example", "gone@birch.example", NULL },
		{ "ann+crm@birch.example", "x@birch.example", NULL },
		{ "nobody", "", NULL },
	};
	struct scene s;
	struct error err = { 0 };

	scene_open(&s);
	EXPECT(store_write_wait(s.shelf.store, add_accounts, NULL, &err));
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct inbound_copy copy = { .workspace = "ws_1", .to = "tok1@in.example.org" };
		const char         *account;

		envelope_from = rows[i].envelope;
		EXPECT_ROW(keep(&s, &copy, 1, arena_print(s.job, "From: %s\r\nMessage-ID: <%zu@b>\r\n\r\nx\r\n", rows[i].from, i)).kept, rows[i].from);
		account = seen(&s, "ws_1", copy.id).mail.account;
		EXPECT_ROW(rows[i].account ? account && strcmp(account, rows[i].account) == 0 : !account, rows[i].from);
	}
	envelope_from = "ann@birch.example";
	scene_close(&s);
}

TEST(whose_token)
{
	static const struct { const char *token, *workspace; } rows[] = { { "tok1", "ws_1" }, { "tok2", "ws_2" }, { "tok3", NULL }, { "", NULL } };
	struct scene s;

	scene_open(&s);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct inbound_archive archive = inbound_archive_of(&s.shelf);
		struct inbound_search  search = { .errand = { .begin = archive.find }, .archive = archive.self, .token = rows[i].token };

		run(&search.errand);
		EXPECT_ROW(search.found == (rows[i].workspace != NULL), rows[i].token);
		if (search.found)
			EXPECT_TEXT(search.workspace, rows[i].workspace);
		else
			EXPECT_ROW(search.err.fault == FAULT_ABSENT, rows[i].token);
	}
	scene_close(&s);
}
