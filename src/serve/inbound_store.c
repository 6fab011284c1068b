#include "serve/inbound_store.h"

#include <stdio.h>
#include <stdlib.h>

#include <cjson/cJSON.h>

#include "model/account.h"
#include "model/mailaddress.h"
#include "serve/bus.h"
#include "store/accounts.h"
#include "store/events.h"
#include "store/links.h"
#include "store/workspaces.h"

/* -- whose token -------------------------------------------------------------------------------------------------- */

static bool look(struct txn *t, void *self, struct error *err)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct inbound_search       *s = self;
	struct workspace             found;

	if (!workspace_by_bcc(t, job, s->token, &found, err))
		return false;
	if (strlen(found.id) >= sizeof s->workspace)
		return fail(err, FAULT_TOO_BIG, "the workspace's id is too long");
	snprintf(s->workspace, sizeof s->workspace, "%s", found.id);
	return true;
}

/* A look at the store waits for no disk that matters: it is done here and now. */
static void find(struct errand *e)
{
	struct inbound_search *s = (struct inbound_search *)e;
	struct inbound_shelf  *shelf = s->archive;

	s->err = (struct error){ 0 };
	s->found = store_read(shelf->store, look, s, &s->err);
	errand_done(e);
}

/* -- a message ---------------------------------------------------------------------------------------------------- */

struct keeping {
	struct store_write    write;
	struct inbound_mail  *mail;
	struct inbound_shelf *shelf;
};

static cJSON *envelope(const struct inbound_mail *m, const struct inbound_copy *copy)
{
	cJSON *envelope = cJSON_CreateObject();

	cJSON_AddStringToObject(envelope, "from", m->sender);
	cJSON_AddStringToObject(envelope, "to", copy->to);
	return envelope;
}

static void add_text(cJSON *to, const char *member, const char *text)
{
	if (text)
		cJSON_AddStringToObject(to, member, text);
	else
		cJSON_AddNullToObject(to, member);
}

/* What the event tells: nothing of the body. */
static const char *event_data(const struct inbound_mail *m, const struct inbound_copy *copy, struct arena *into)
{
	cJSON      *data = cJSON_CreateObject();
	char       *text;
	const char *kept;

	cJSON_AddStringToObject(data, "id", copy->id);
	add_text(data, "from", m->from);
	add_text(data, "subject", m->subject);
	add_text(data, "message_id", m->message_id);
	cJSON_AddNumberToObject(data, "size", (double)m->len);
	cJSON_AddItemToObject(data, "envelope", envelope(m, copy));
	text = cJSON_PrintUnformatted(data);
	cJSON_Delete(data);
	if (!text)
		exit(70);
	kept = arena_str(into, text);
	free(text);
	return kept;
}

/* The account of that address; `*id_out` NULL: there is none, or it is no address. */
static bool account_of(struct txn *t, struct arena *into, const char *workspace, const char *address, const char **id_out,
                       struct error *err)
{
	struct mail_address parsed;
	struct error        absent = { 0 };
	const char         *problem;

	*id_out = NULL;
	if (!address || !mail_address_parse(address, into, &parsed, &problem)
	    || account_by_key(t, into, workspace, mail_address_key(&parsed, into), id_out, &absent) || absent.fault == FAULT_ABSENT)
		return true;
	if (err)
		*err = absent;
	return false;
}

/* Nobody vouches for From and the envelope at this door but who knows the token: where they name two accounts, it is neither's. */
static bool find_sender(struct txn *t, struct arena *into, const char *workspace, const struct inbound_mail *m, const char **id_out,
                        struct error *err)
{
	const char *author, *envelope;

	if (!account_of(t, into, workspace, m->author, &author, err) || !account_of(t, into, workspace, m->sender, &envelope, err))
		return false;
	*id_out = !author ? envelope : !envelope || strcmp(author, envelope) == 0 ? author : NULL;
	return true;
}

static bool insert(struct txn *t, struct inbound_mail *m, const struct inbound_copy *copy, struct arena *work, struct error *err)
{
	struct logged_mail mail = {
		.id = copy->id, .workspace = copy->workspace, .envelope_from = m->sender, .envelope_to = copy->to,
		.from = m->from, .subject = m->subject, .message_id = m->message_id, .test_token = m->test_token,
		.received = m->received, .size = (int64_t)m->len, .bytes = inbound_mail_bytes(m, copy),
	};
	const struct event event = {
		.id = new_id(work, "evt"), .workspace = copy->workspace, .type = "message.received",
		.data = event_data(m, copy, work), .created = m->received,
	};

	return find_sender(t, work, copy->workspace, m, &mail.account, err) && mail_insert(t, &mail, err)
	    && event_append(t, &event, NULL, err);
}

/* The id says which message it is: one that is there is this one. That is a success like any other, and must wait for the commit like
 * any other: what it is a second copy of may have been written a moment ago in the same transaction. */
static bool apply(struct txn *t, void *self, struct error *err)
{
	CLEANUP(arena) struct arena *work = arena_new();
	struct inbound_mail         *m = self;

	for (size_t i = 0; i < m->copies; i++) {
		struct inbound_copy *copy = &m->copy[i];
		struct logged_mail   there;
		struct error         absent = { 0 };

		copy->again = mail_get(t, work, copy->workspace, copy->id, &there, &absent);
		if (!copy->again && absent.fault != FAULT_ABSENT) {
			if (err)
				*err = absent;
			return false;
		}
		if (!copy->again && !insert(t, m, copy, work, err))
			return false;
	}
	return true;
}

static void done(struct store_write *write)
{
	struct keeping      *k = (struct keeping *)write;
	struct inbound_mail *m = k->mail;
	bool                 news = false;

	m->kept = write->ok;
	m->err = write->err;
	for (size_t i = 0; i < m->copies; i++)
		news |= write->ok && !m->copy[i].again;
	if (news)
		bus_ring(k->shelf->bus);
	free(k);
	errand_done(&m->errand);
}

static void keep(struct errand *e)
{
	struct inbound_mail *m = (struct inbound_mail *)e;
	struct keeping      *k = must_alloc(sizeof *k);

	k->mail = m;
	k->shelf = m->archive;
	k->write.apply = apply;
	k->write.done = done;
	k->write.self = m;
	store_write(k->shelf->store, &k->write);
}

struct inbound_archive inbound_archive_of(struct inbound_shelf *shelf)
{
	return (struct inbound_archive){ .find = find, .keep = keep, .self = shelf };
}
