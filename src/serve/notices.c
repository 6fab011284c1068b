#include "serve/notices.h"

#include <stdio.h>

#include "serve/http.h"
#include "serve/keeper.h"

#define PURPOSE_STATE "graph-client-state"
#define PURPOSE_PLACE "graph-place"

/* -- what proves itself ------------------------------------------------------------------------------------------- */

const char *notice_state(const struct vault *vault, const char *account, const char *nonce, struct arena *into)
{
	const char *said = arena_print(into, "%s.%s", nonce, account);

	return arena_print(into, "%s.%s", said, vault_sign(vault, PURPOSE_STATE, slice_str(said), into));
}

bool notice_state_read(const struct vault *vault, const char *state, struct arena *into, const char **account, const char **nonce)
{
	struct slice rest = slice_str(state), first = slice_cut(&rest, '.'), second = slice_cut(&rest, '.');

	if (!first.len || !second.len || !rest.len)
		return false;
	if (!vault_signed(vault, PURPOSE_STATE, slice(state, first.len + 1 + second.len), arena_copy(into, rest)))
		return false;
	*nonce = arena_copy(into, first);
	*account = arena_copy(into, second);
	return true;
}

/* -- where ---------------------------------------------------------------------------------------------------------- */

void notice_place(const struct daemon *d, struct microsoft_place *place, char **url_out)
{
	CLEANUP(arena) struct arena *job = arena_new();
	const char                  *base = d->settings->value[SETTING_WEB_BASE_URL], *url;

	*place = (struct microsoft_place){ 0 };
	*url_out = NULL;
	if (!base || !slice_starts(slice_str(base), "https://"))
		return;
	url = arena_print(job, "%s%s", base, MICROSOFT_HOOK);
	*url_out = must_copy(url);
	place->url = *url_out;
	/* another key signs otherwise: what proves itself by the one before is replaced while that still opens */
	snprintf(place->mark, sizeof place->mark, "%.*s", MICROSOFT_MARK, vault_sign(d->vault, PURPOSE_PLACE, slice_str(url), job));
}

/* -- what comes in -------------------------------------------------------------------------------------------------- */

/* Graph asks whether somebody listens: its token, as it is. */
static void prove(struct exchange *x, const char *token)
{
	if (graph_proof(token))
		answer_text(x, 200, "text/plain; charset=utf-8", token);
	else
		answer_problem(x, 400, "request.invalid", "This token is not said back", NULL, NULL, NULL);
}

static bool is_like(const struct graph_notice *a, const struct graph_notice *b)
{
	return a->life == b->life && strcmp(a->subscription, b->subscription) == 0 && strcmp(a->client_state, b->client_state) == 0;
}

static void take(struct exchange *x, const struct graph_notice *n)
{
	const char *account, *nonce;

	if (notice_state_read(x->service->vault, n->client_state, x->job, &account, &nonce) && x->service->keeper)
		keeper_hear(x->service->keeper, account, nonce, n);
}

static void take_notices(struct exchange *x)
{
	const char                *token = http_query(x, "validationToken");
	const struct graph_notice *n;
	struct error               err = { 0 };
	size_t                     count;

	if (token) {
		prove(x, token);
		return;
	}
	if (!graph_notices_read(x->body, HTTP_BODY_MOST, x->job, &n, &count, &err)) {
		answer_problem(x, 400, "request.malformed", "This is no collection of notifications", NULL, NULL, NULL);
		return;
	}
	/* a busy mailbox says the same many times over */
	for (size_t i = 0; i < count; i++)
		if (i == 0 || !is_like(&n[i], &n[i - 1]))
			take(x, &n[i]);
	answer_text(x, 202, "text/plain; charset=utf-8", "");
}

const struct route routes_notices[] = {
	{ "POST", MICROSOFT_HOOK, GUARD_HOOK, 0, take_notices },
	{ 0 }
};
