#include "serve/event_data.h"

#include "diagnose/tell.h"
#include "serve/state.h"

static void add_known(cJSON *o, const char *name, const char *text)
{
	if (text)
		cJSON_AddStringToObject(o, name, text);
}

static void add_account(cJSON *o, const struct account *a)
{
	cJSON  *in = cJSON_AddObjectToObject(o, "account");
	int64_t next_try = a->next_try / 1000;

	cJSON_AddStringToObject(in, "id", a->id);
	if (a->state == ACCOUNT_REMOVED)
		return;
	cJSON_AddStringToObject(in, "address", a->address);
	cJSON_AddStringToObject(in, "state", account_state_name(a->state));
	add_known(in, "external_id", a->external_id);
	if (a->next_try && a->next_try != NEVER)
		cJSON_AddNumberToObject(in, "next_try", (double)next_try);
}

static void add_cause(cJSON *o, const struct account *a)
{
	CLEANUP(arena) struct arena *work = arena_new();
	cJSON      *in = cJSON_AddObjectToObject(o, "cause");
	struct told t;

	tell_cause(cause_find(a->cause), language_english(), work, &t);
	cJSON_AddStringToObject(in, "id", a->cause);
	add_known(in, "certainty", a->certainty);
	add_known(in, "who", a->who);
	cJSON_AddStringToObject(in, "title", t.title);
}

cJSON *account_event_data(const struct account *a)
{
	cJSON *o = cJSON_CreateObject();

	add_account(o, a);
	if (a->cause && a->state != ACCOUNT_REMOVED)
		add_cause(o, a);
	return o;
}

cJSON *message_event_data(const struct account *a, const struct message *m)
{
	cJSON *o = cJSON_CreateObject(), *of = cJSON_AddObjectToObject(o, "account"), *message = cJSON_AddObjectToObject(o, "message");

	cJSON_AddStringToObject(of, "id", a->id);
	cJSON_AddStringToObject(of, "address", a->address);
	cJSON_AddStringToObject(message, "id", m->remote_id);
	add_known(message, "message_id", m->message_id);
	add_known(message, "in_reply_to", m->in_reply_to);
	add_known(message, "from", m->from);
	add_known(message, "to", m->to);
	add_known(message, "subject", m->subject);
	cJSON_AddStringToObject(message, "folder", "INBOX");
	cJSON_AddNumberToObject(message, "size", (double)m->size);
	if (m->received)
		cJSON_AddNumberToObject(message, "received", (double)m->received);
	return o;
}

static void add_entry(cJSON *entry, const struct calendar_change *c)
{
	add_known(entry, "uid", c->uid);
	if (!c->is_private)
		add_known(entry, "title", c->title);
	cJSON_AddNumberToObject(entry, "start", (double)c->start);
	cJSON_AddNumberToObject(entry, "end", (double)c->end);
	add_known(entry, "zone", c->zone);
	cJSON_AddBoolToObject(entry, "all_day", c->all_day);
	cJSON_AddBoolToObject(entry, "recurs", c->recurs);
	cJSON_AddBoolToObject(entry, "private", c->is_private);
	cJSON_AddBoolToObject(entry, "cancelled", c->cancelled);
}

cJSON *calendar_event_data(const struct account *a, const struct calendar_change *c)
{
	cJSON *o = cJSON_CreateObject(), *of = cJSON_AddObjectToObject(o, "account"), *calendar = cJSON_AddObjectToObject(o, "calendar");
	cJSON *entry = cJSON_AddObjectToObject(o, "entry");

	cJSON_AddStringToObject(of, "id", a->id);
	cJSON_AddStringToObject(of, "address", a->address);
	cJSON_AddStringToObject(calendar, "id", c->calendar);
	add_known(calendar, "name", c->calendar_name);
	cJSON_AddStringToObject(entry, "id", c->remote_id);
	cJSON_AddStringToObject(entry, "change", calendar_change_name(c->kind));
	if (c->known)
		add_entry(entry, c);
	return o;
}

cJSON *incident_event_data(const struct incident *n)
{
	cJSON *o = cJSON_CreateObject(), *in = cJSON_AddObjectToObject(o, "incident");

	cJSON_AddStringToObject(in, "id", n->id);
	cJSON_AddStringToObject(in, "host", n->host);
	cJSON_AddStringToObject(in, "cause", n->cause);
	add_known(in, "who", n->who);
	return o;
}
