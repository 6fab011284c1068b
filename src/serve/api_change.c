#include <stdlib.h>

#include "base/clock.h"
#include "base/random.h"
#include "base/secret.h"
#include "serve/api.h"
#include "serve/bus.h"
#include "wire/sasl.h"

#define KEPT_FOR     (24 * 3600 * 1000LL)
#define KEY_MOST     200
#define ANSWER_MOST  (256 * 1024)

struct running {
	struct change *change;
	const char    *key;             /* Idempotency-Key, NULL                          */
	struct slice   request;         /* what must be the same: method, path, body      */
	const char    *label;           /* of the kept answer: it may show a new key      */
	int64_t        now;
	bool           kept, other;     /* it was answered before; with another request   */
	const char    *kept_text;
};

static void begin_again(struct change *c)
{
	cJSON_Delete(c->body);
	arena_free(c->work);
	c->body = NULL;
	c->location = c->conflict = NULL;
	c->status = 0;
	c->work = arena_new();
}

/* -- answers that are kept ------------------------------------------------------------------------------------------- */

/* "LOCATION\nBODY", sealed: there is one answer that shows a key, and it is not for whoever finds a back-up. */
static bool keep(struct txn *t, struct running *r, struct error *err)
{
	struct change *c = r->change;
	char          *body = c->body ? cJSON_PrintUnformatted(c->body) : must_copy("");
	const char    *text = arena_print(c->work, "%s\n%s", c->location ? c->location : "", body);
	const struct vault *vault = c->x->service->vault;
	struct slice   sealed;
	bool           fine;

	secret_wipe(body, strlen(body));
	free(body);
	fine = vault_seal(vault, r->label, slice_str(text), c->work, &sealed, err);
	return fine && answer_put(t, &(struct kept_answer){ .workspace = c->x->workspace, .key = r->key,
		.request_hash = vault_sign(vault, "idempotency", r->request, c->work), .status = c->status,
		.body = base64_encode(c->work, sealed), .created = r->now }, err);
}

static bool take_kept(struct running *r, const struct kept_answer *a, struct error *err)
{
	struct change *c = r->change;
	struct slice   sealed, text;

	if (!vault_signed(c->x->service->vault, "idempotency", r->request, a->request_hash)) {
		r->other = true;
		return fail(err, FAULT_REFUSED, "an Idempotency-Key that came with another request");
	}
	if (!base64_decode(c->work, slice_str(a->body), &sealed))
		return fail(err, FAULT_BROKEN, "a kept answer");
	if (!vault_unseal(c->x->service->vault, r->label, sealed, c->work, &text, err))
		return false;
	r->kept = true;
	c->status = a->status;
	c->location = arena_copy(c->work, slice_cut(&text, '\n'));
	r->kept_text = arena_copy(c->work, text);
	return true;
}

static bool look_for_kept(struct txn *t, struct running *r, struct error *err)
{
	struct kept_answer before = { 0 };
	struct error       none = { 0 };

	r->kept = r->other = false;
	if (!r->key)
		return true;
	if (!answer_get(t, r->change->work, r->change->x->workspace, r->key, &before, &none))
		return none.fault == FAULT_ABSENT || fail(err, none.fault, "%s", none.text);
	if (before.created < r->now - KEPT_FOR)
		return answer_forget(t, r->now - KEPT_FOR, err);
	return take_kept(r, &before, err);
}

static bool apply(struct txn *t, void *self, struct error *err)
{
	struct running *r = self;

	begin_again(r->change);
	if (!look_for_kept(t, r, err))
		return false;
	return r->kept || (r->change->apply(t, r->change, err) && (!r->key || keep(t, r, err)));
}

/* -- the answer ------------------------------------------------------------------------------------------------------- */

static void answer(struct running *r)
{
	struct change   *c = r->change;
	struct exchange *x = c->x;

	if (c->location && *c->location)
		http_set(x, "Location", arena_str(x->job, c->location));
	if (r->kept)
		http_set(x, "Idempotent-Replayed", "true");
	if (c->body) {
		answer_json(x, c->status, c->body);
		c->body = NULL;
	} else {
		answer_text(x, c->status, "application/json", r->kept ? arena_str(x->job, r->kept_text) : "");
	}
}

static void answer_failed(struct running *r, const struct error *err)
{
	struct exchange *x = r->change->x;

	if (r->other)
		answer_problem(x, 422, "request.idempotency", "This Idempotency-Key came with another request before", NULL, NULL, NULL);
	else if (r->change->conflict)
		answer_problem(x, 409, "request.conflict", "That cannot be done now", arena_str(x->job, r->change->conflict), NULL, NULL);
	else
		answer_fault(x, err);
}

static bool is_visible(const char *text)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len; i++)
		if (text[i] < '!' || text[i] > '~')
			return false;
	return len > 0 && len <= KEY_MOST;
}

static bool read_key(struct running *r)
{
	struct exchange *x = r->change->x;

	r->key = http_field(x, "Idempotency-Key");
	if (!r->key)
		return true;
	if (!is_visible(r->key)) {
		answer_problem(x, 400, "request.invalid", "This parameter is not valid", "1 to 200 characters of visible ASCII", "Idempotency-Key", NULL);
		return false;
	}
	r->label = arena_print(x->job, "%s/%s/answer", x->workspace, r->key);
	r->request = slice_str(arena_print(x->job, "%s\n%s\n%.*s", x->method, x->path, (int)x->body.len, x->body.at));
	return true;
}

void api_change(struct change *c)
{
	struct running r = { .change = c, .now = clock_unix_ms() };
	struct error   err = { 0 };

	if (!read_key(&r))
		return;
	if (store_write_wait(c->x->service->store, apply, &r, &err)) {
		if (!r.kept && c->x->service->bus)
			bus_ring(c->x->service->bus);
		if (!r.kept && c->after)
			c->after(c);
		answer(&r);
	} else {
		answer_failed(&r, &err);
	}
	cJSON_Delete(c->body);
	arena_free(c->work);
	c->body = NULL;
	c->work = NULL;
}

bool event_tell(struct txn *t, struct arena *into, const char *workspace, const char *account, const char *type, cJSON *data,
                struct error *err)
{
	char *text = cJSON_PrintUnformatted(data);
	bool  told = event_append(t, &(struct event){ .id = new_id(into, "evt"), .workspace = workspace, .account = account, .type = type,
		.data = text, .created = clock_unix_ms() }, NULL, err);

	free(text);
	cJSON_Delete(data);
	return told;
}
