#include "provider/microsoft_identity.h"

#include <ctype.h>
#include <stdlib.h>

#include "model/facts.h"
#include "wire/http.h"

/* The organisation that all personal accounts are in (facts M A.1). */
#define PERSONAL      "9188040d-6c67-4c5b-b112-36a304b66dad"
#define CLOCKS_AGREE_S 60      /* two honest servers are nearer to each other than this */

#define PAUSE_MOST    5000     /* as long as that it is waited */

enum { IDENTITY_START, IDENTITY_PROVIDER, IDENTITY_KEYS, IDENTITY_DONE };
enum { ASKING_START, ASKING_SAY, ASKING_ANSWER, ASKING_PAUSE };

/* -- what authorities publish ------------------------------------------------------------------------------------- */

struct published {
	struct arena      *own;
	const char        *where;
	struct id_provider provider;
	struct id_keys     keys;
	int64_t            asked_ms;
};

struct microsoft_keys {
	struct published *row[MICROSOFT_AUTHORITIES];
};

struct microsoft_keys *microsoft_keys_new(void)
{
	return must_alloc(sizeof(struct microsoft_keys));
}

static void forget(struct published **p)
{
	if (*p)
		arena_free((*p)->own);
	free(*p);
	*p = NULL;
}

void microsoft_keys_free(struct microsoft_keys *keys)
{
	for (size_t i = 0; keys && i < MICROSOFT_AUTHORITIES; i++)
		forget(&keys->row[i]);
	free(keys);
}

static struct published *published_at(struct microsoft_keys *keys, const char *where)
{
	for (size_t i = 0; i < MICROSOFT_AUTHORITIES; i++)
		if (keys->row[i] && strcmp(keys->row[i]->where, where) == 0)
			return keys->row[i];
	return NULL;
}

/* The place for `where`: its own, else a free one, else that of the one asked longest ago. */
static struct published **place_for(struct microsoft_keys *keys, const char *where)
{
	struct published **best = &keys->row[0];

	for (size_t i = 0; i < MICROSOFT_AUTHORITIES; i++) {
		struct published **p = &keys->row[i];

		if (*p && strcmp((*p)->where, where) == 0)
			return p;
		if (*best && (!*p || (*p)->asked_ms < (*best)->asked_ms))
			best = p;
	}
	return best;
}

/* False, and what is held stays: they cannot be read. */
static bool keep(struct microsoft_keys *keys, const char *where, const struct id_provider *provider, struct slice document, int64_t now_ms,
                 struct error *err)
{
	struct published *p = must_alloc(sizeof *p);

	p->own = arena_new();
	if (!id_keys_read(document, p->own, &p->keys, err)) {
		forget(&p);
		return false;
	}
	p->where = arena_str(p->own, where);
	p->provider.issuer = arena_str(p->own, provider->issuer);
	p->asked_ms = now_ms;
	forget(place_for(keys, where));
	*place_for(keys, where) = p;
	return true;
}

/* -- the report ----------------------------------------------------------------------------------------------------- */

static void note(struct microsoft_identity *i, const char *fact, const char *value)
{
	if (value)
		report_note(i->report, i->reported, fact, "%s", value);
}

static enum want_kind failed(struct microsoft_identity *i, enum fault fault, const struct want *w, struct error *err, const char *what)
{
	report_end(i->report, i->reported, STEP_FAILED, w->now_ms);
	fail(err, fault, "%s: %s", i->host, what);
	return WANT_FAILED;
}

/* -- asked for ------------------------------------------------------------------------------------------------------ */

static void ask(struct microsoft_identity *i, const char *target)
{
	i->request = (struct web_request){ .method = "GET", .target = target, .header = { "Accept: application/json" }, .anonymous = true };
	i->asking.step = ASKING_START;
}

static bool is_passing(int status)
{
	return status == 429 || status == 503 || status == 504;
}

/* What else is asked of Graph meanwhile has steps of its own, and tells the lines of each: the one under way here is said every time. */
static enum want_kind answer_step(struct microsoft_identity *i, struct want *w, struct error *err)
{
	int status;

	switch (i->asking.step) {
	case ASKING_START:
	STEP(&i->asking, ASKING_SAY):
		web_ask(i->line, &i->request);

	STEP(&i->asking, ASKING_ANSWER):
		i->line->reported = i->reported;
		PASS(web_ask_step(i->line, w, err));
		status = i->line->answer.status;
		if (status == 200)
			return WANT_NOTHING;
		if (is_passing(status) && !i->again && web_pause_ms(i->line) <= PAUSE_MOST) {
			i->again = true;
			report_note(i->report, i->reported, FACT_HTTP_RETRY_AFTER, "%d", web_pause_ms(i->line) / 1000);
			AWAIT(&i->asking, ASKING_PAUSE, want_time(w, web_pause_ms(i->line))):
			want_came(w);
			i->asking.step = ASKING_SAY;
			return answer_step(i, w, err);
		}
		report_note(i->report, i->reported, FACT_HTTP_STATUS, "%d", status);
		return failed(i, is_passing(status) || status >= 500 ? FAULT_BUSY : FAULT_REFUSED, w, err, "its keys are not told");
	}
	return WANT_FAILED;
}

static enum want_kind unreadable(struct microsoft_identity *i, const struct want *w, struct error *err, const char *how)
{
	note(i, FACT_REPLY_BROKEN, how);
	return failed(i, FAULT_BROKEN, w, err, how);
}

/* Keys are taken from the authority alone: it is the one who was verified. NULL: they are elsewhere. */
static const char *target_of(const struct microsoft_identity *i)
{
	struct http_url url;

	if (!http_url_parse(slice_str(i->provider.jwks_uri), i->report->job, &url))
		return NULL;
	return url.secure && url.port == 443 && strcmp(url.host, i->host) == 0 ? url.target : NULL;
}

static const char *document_of(const struct microsoft_identity *i)
{
	return arena_print(i->report->job, "/%s/v2.0/.well-known/openid-configuration", http_url_encode(i->tenant, i->report->job));
}

static const char *where_of(const struct microsoft_identity *i)
{
	return arena_print(i->report->job, "%s%s", i->host, document_of(i));
}

/* -- the check ------------------------------------------------------------------------------------------------------ */

static void check(struct microsoft_identity *i, const struct published *p, const struct want *w)
{
	static const struct id_keys none = { .count = 0 };
	struct id_token_wish        wish = { p ? p->provider.issuer : "", i->client_id, i->nonce, w->now_unix, false };

	i->flaw = id_token_check(i->token, p ? &p->keys : &none, &wish, i->report->job, &i->who);
	i->believed = i->flaw == ID_TOKEN_FINE;
}

static struct published *current(struct microsoft_identity *i, const struct want *w)
{
	struct published *p = published_at(i->keys, where_of(i));

	return p && w->now_ms - p->asked_ms < MICROSOFT_KEYS_MS ? p : NULL;
}

/* By what is held already. True: that is all that can be said. */
static bool is_settled(struct microsoft_identity *i, const struct want *w)
{
	const struct published *p = current(i, w);

	check(i, p, w);
	return i->flaw != ID_TOKEN_UNKNOWN_KEY || (p && w->now_ms - p->asked_ms < MICROSOFT_AGAIN_MS);
}

static void begin(struct microsoft_identity *i, const struct want *w)
{
	i->reported = report_begin(i->report, "entra.identity", i->attempt, w->now_ms);
	if (!i->keys)
		i->keys = i->own = microsoft_keys_new();
}

enum want_kind microsoft_identity_step(void *self, struct want *w, struct error *err)
{
	struct microsoft_identity *i = self;
	struct error               why = { 0 };

	switch (i->step) {
	case IDENTITY_START:
		begin(i, w);
		if (is_settled(i, w))
			return WANT_NOTHING;
		ask(i, document_of(i));

	STEP(i, IDENTITY_PROVIDER):
		PASS(answer_step(i, w, err));
		if (!id_provider_read(buffer_held(&i->line->answer.body), i->report->job, &i->provider, &why))
			return unreadable(i, w, err, why.text);
		if (!target_of(i))
			return unreadable(i, w, err, "its keys are said to be at another host");
		ask(i, target_of(i));

	STEP(i, IDENTITY_KEYS):
		PASS(answer_step(i, w, err));
		if (!keep(i->keys, where_of(i), &i->provider, buffer_held(&i->line->answer.body), w->now_ms, &why))
			return unreadable(i, w, err, why.text);
		check(i, current(i, w), w);

	STEP(i, IDENTITY_DONE):
		return WANT_NOTHING;
	}
	return WANT_FAILED;
}

void microsoft_identity_release(struct microsoft_identity *i)
{
	microsoft_keys_free(i->own);
	i->own = NULL;
}

/* -- and Graph -------------------------------------------------------------------------------------------------------- */

/* The next digit of it that counts: no dashes, no zeros in front. */
static char next_digit(const char **text, bool *begun)
{
	while (**text == '-' || (**text == '0' && !*begun))
		++*text;
	*begun = true;
	return (char)tolower((unsigned char)**text);
}

/* A personal account's id is sixteen digits in Graph, which a GUID is made of in the token (facts M B.8). */
static bool is_same_id(const char *oid, const char *id)
{
	bool begun = false, other_begun = false;

	for (char c = '-'; c; ++oid, ++id) {
		c = next_digit(&oid, &begun);
		if (c != next_digit(&id, &other_begun))
			return false;
		if (!c)
			return true;
	}
	return false;
}

static bool is_same_account(const struct id_token *t, const struct graph_user *u)
{
	return (!t->oid || !u->id || is_same_id(t->oid, u->id)) && (!t->tid || slice_is(slice_str(t->tid), PERSONAL) == u->personal);
}

/* Two servers who agree are right: the one that signed, and Graph. */
static const char *our_clock(const struct microsoft_identity *i, int64_t graph_date, int64_t now_unix)
{
	int64_t off = i->date - i->date_here, graph_off = graph_date - now_unix;

	if (!i->date || !graph_date || llabs(off - graph_off) > CLOCKS_AGREE_S)
		return NULL;
	return llabs(off) < ID_SKEW_S ? "right" : off > 0 ? "behind" : "ahead";
}

static void clock_facts(struct microsoft_identity *i, int64_t graph_date, const struct want *w)
{
	struct slice date;

	note(i, FACT_CLOCK, our_clock(i, graph_date, w->now_unix));
	if (i->date && web_field(i->line, "Date", &date))
		report_note(i->report, i->reported, FACT_PROBE_DATE, "%s: %.*s", i->host, (int)date.len, date.at);
}

static bool refuse(struct microsoft_identity *i, const char *flaw, const struct want *w, struct error *err)
{
	i->believed = false;
	note(i, FACT_ID_TOKEN, flaw);
	report_end(i->report, i->reported, STEP_FAILED, w->now_ms);
	return fail(err, FAULT_REFUSED, "%s: its id_token is not believed: %s", i->host, flaw);
}

bool microsoft_identity_agree(struct microsoft_identity *i, const struct graph_user *user, int64_t graph_date, const struct want *w,
                              struct error *err)
{
	if (i->flaw) {
		if (i->flaw == ID_TOKEN_EXPIRED || i->flaw == ID_TOKEN_NOT_YET)
			clock_facts(i, graph_date, w);
		return refuse(i, id_token_flaw_name(i->flaw), w, err);
	}
	note(i, FACT_TENANT, i->who.tid);
	if (user && !is_same_account(&i->who, user))
		return refuse(i, "account", w, err);
	report_end(i->report, i->reported, STEP_PASSED, w->now_ms);
	return true;
}
