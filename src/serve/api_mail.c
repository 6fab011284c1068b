#include "serve/api.h"

struct mail_look {
	struct exchange    *x;
	struct logged_mail  one, *all;
	size_t              count, most;
	const char         *account, *after, *next;
};

/* What came in by mail may be no UTF-8, and JSON is nothing else. */
static void add_foreign(cJSON *o, const char *name, const char *text, struct arena *job)
{
	char *clean;

	if (!text || text_is_utf8(text)) {
		json_maybe(o, name, text);
		return;
	}
	clean = arena_str(job, text);
	for (char *c = clean; *c; c++)
		if (*c & 0x80)
			*c = '?';
	cJSON_AddStringToObject(o, name, clean);
}

static cJSON *mail_json(const struct logged_mail *m, struct arena *job)
{
	cJSON *o = cJSON_CreateObject();

	cJSON_AddStringToObject(o, "id", m->id);
	json_maybe(o, "account", m->account);
	add_foreign(o, "envelope_from", m->envelope_from, job);
	add_foreign(o, "envelope_to", m->envelope_to, job);
	add_foreign(o, "from", m->from, job);
	add_foreign(o, "subject", m->subject, job);
	add_foreign(o, "message_id", m->message_id, job);
	json_time(o, "received", m->received);
	cJSON_AddNumberToObject(o, "size", (double)m->size);
	return o;
}

static bool look_at_page(struct txn *t, void *self, struct error *err)
{
	struct mail_look *l = self;

	return mail_list(t, l->x->job, l->x->workspace, l->account, l->after, l->most, &l->all, &l->count, &l->next, err);
}

static void list_mail(struct exchange *x)
{
	struct mail_look l = { .x = x };
	struct error     err = { 0 };
	long long        most;
	cJSON           *items;

	if (!query_number(x, "limit", 1, PAGE_MOST, 50, &most) || !query_text(x, "after", 300, &l.after)
	    || !query_text(x, "account", 40, &l.account))
		return;
	l.most = (size_t)most;
	if (!store_read(x->service->store, look_at_page, &l, &err)) {
		answer_fault(x, &err);
		return;
	}
	items = cJSON_CreateArray();
	for (size_t i = 0; i < l.count; i++)
		cJSON_AddItemToArray(items, mail_json(&l.all[i], x->job));
	answer_json(x, 200, list_json(items, l.next));
}

static bool look_at_one(struct txn *t, void *self, struct error *err)
{
	struct mail_look *l = self;

	return mail_get(t, l->x->job, l->x->workspace, l->x->param[0], &l->one, err);
}

static void get_mail(struct exchange *x)
{
	struct mail_look l = { .x = x };
	struct error     err = { 0 };
	const char      *accept = http_field(x, "Accept");

	if (!store_read(x->service->store, look_at_one, &l, &err)) {
		answer_fault(x, &err);
	} else if (accept && slice_has(slice_str(accept), "message/rfc822")) {
		x->status = 200;
		x->type = "message/rfc822";
		x->answer = l.one.bytes;
		/* a browser shall save it, not look into it */
		http_set(x, "Content-Disposition", "attachment; filename=\"message.eml\"");
	} else {
		answer_json(x, 200, mail_json(&l.one, x->job));
	}
}

const struct route routes_mail[] = {
	{ "GET", "/v1/mail",      GUARD_KEY, SCOPE_ACCOUNTS_READ, list_mail },
	{ "GET", "/v1/mail/{id}", GUARD_KEY, SCOPE_ACCOUNTS_READ, get_mail },
	{ 0 }
};
