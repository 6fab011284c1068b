#include "client/client.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/random.h"
#include "base/secret.h"
#include "net/options.h"
#include "wire/fetch.h"

#define ANSWER_MS   30000
#define ANSWER_MOST ((size_t)16 * 1024 * 1024)      /* a page of 200 accounts, each with all that can be said of its cause */
#define PAGES_MOST  100000
#define ONCE_DICE   24

struct client {
	struct arena      *own;
	struct net_options options;
	struct net        *net;
	const char        *base;              /* no slash behind */
	const char        *authorization, *language;
};

static struct net *running_net;

/* -- where it is -------------------------------------------------------------------------------------------------- */

static bool is_unspecified(const struct address *a)
{
	for (size_t i = 0; i < sizeof a->bytes; i++)
		if (a->bytes[i])
			return false;
	return true;
}

static bool is_loopback(const char *host)
{
	static const struct address_block here[] = { { { 4, { 127 } }, 8 }, { { 6, { [15] = 1 } }, 128 } };
	struct address a;

	return address_parse(host, &a) && (address_in(&a, &here[0]) || address_in(&a, &here[1]));
}

/* A daemon that listens everywhere listens here; and that name is never another machine's (RFC 6761). */
static const char *reachable_host(const char *host)
{
	struct address a;

	if (strcmp(host, "localhost") == 0)
		return "127.0.0.1";
	if (!address_parse(host, &a) || !is_unspecified(&a))
		return host;
	return a.family == 4 ? "127.0.0.1" : "::1";
}

static bool read_base(struct client *c, const char *text, bool is_ours, struct error *err)
{
	struct http_url url;
	const char     *host;
	size_t          len;

	if (!http_url_parse(slice_str(text), c->own, &url) || strchr(url.target, '?'))
		return fail(err, FAULT_MALFORMED, "\"%s\" is no address of a daemon: it should be https://HOST or http://127.0.0.1:PORT", text);
	host = reachable_host(url.host);
	if (!url.secure && !is_ours && !is_loopback(host))
		return fail(err, FAULT_NOT_ALLOWED, "%s: over plain http to another machine everybody on the way could read the key; use https, or --url "
		            "http://127.0.0.1:PORT where the daemon runs", text);
	len = strlen(url.target);
	while (len && url.target[len - 1] == '/')
		len--;
	c->base = arena_print(c->own, strchr(host, ':') ? "%s://[%s]:%u%.*s" : "%s://%s:%u%.*s", url.secure ? "https" : "http", host, url.port,
	                      (int)len, url.target);
	return true;
}

static bool find_base(struct client *c, const struct settings *s, const char *url, struct error *err)
{
	const char *listen = s->value[SETTING_WEB_LISTEN];
	struct slice first;

	if (url || s->value[SETTING_WEB_BASE_URL])
		return read_base(c, url ? url : s->value[SETTING_WEB_BASE_URL], false, err);
	first = slice_trim(slice_upto(slice_trim(slice_str(listen)), strcspn(listen, " ,")));
	if (first.len == 0 || slice_ends(first, ":0"))
		return fail(err, FAULT_MALFORMED, "[web] listen does not say where the daemon is: use --url");
	return read_base(c, arena_print(c->own, "http://%.*s", (int)first.len, first.at), true, err);
}

/* -- beginning and end -------------------------------------------------------------------------------------------- */

struct client *client_new(const struct settings *s, const char *url, const char *key, const char *lang, struct error *err)
{
	struct client *c = must_alloc(sizeof *c);

	c->own = arena_new();
	if (net_options_settings(&c->options, s, err) && find_base(c, s, url, err)) {
		c->options.net.check_targets = false;
		c->authorization = arena_print(c->own, "Authorization: Bearer %s", key);
		c->language = arena_print(c->own, "Accept-Language: %s", lang);
		running_net = c->net = net_new(&c->options.net, err);
		if (c->net)
			return c;
	}
	client_free(c);
	return NULL;
}

void client_free(struct client *c)
{
	if (!c)
		return;
	running_net = NULL;
	net_free(c->net);
	net_options_release(&c->options);
	arena_free(c->own);
	free(c);
}

const char *client_base(const struct client *c)
{
	return c->base;
}

void client_stop(void)
{
	if (running_net)
		net_stop(running_net);
}

/* -- what came of it ---------------------------------------------------------------------------------------------- */

static const struct { int status; enum fault fault; } faults[] = {
	{ 400, FAULT_MALFORMED }, { 401, FAULT_REFUSED }, { 403, FAULT_REFUSED }, { 404, FAULT_ABSENT }, { 409, FAULT_REFUSED },
	{ 413, FAULT_TOO_BIG },   { 415, FAULT_BROKEN },  { 422, FAULT_REFUSED }, { 429, FAULT_BUSY },   { 503, FAULT_BUSY },
};

static enum fault fault_of(int status)
{
	for (size_t i = 0; i < COUNT(faults); i++)
		if (faults[i].status == status)
			return faults[i].fault;
	return FAULT_BROKEN;
}

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

/* A problem document (RFC 9457) in one line. */
static bool tell_problem(const cJSON *problem, int status, struct error *err)
{
	const char *title = json_text(problem, "title"), *detail = json_text(problem, "detail"), *pointer = json_text(problem, "pointer");

	fail(err, fault_of(status), "%s%s%s%s%s%s", title, detail ? ": " : "", or_empty(detail), pointer ? " (" : "", or_empty(pointer), pointer ? ")" : "");
	if (err)
		snprintf(err->step, sizeof err->step, "%s", or_empty(json_text(problem, "code")));
	return false;
}

static bool no_answer(const struct client *c, const struct fetch *f, struct error *err)
{
	if (f->dns != DNS_FOUND)
		return fail(err, FAULT_NETWORK, "%s: the name is not found (%s)", c->base, fetch_result(f));
	if (f->came == CAME_TIMEOUT)
		return fail(err, FAULT_TIMEOUT, "%s did not answer within %d s", c->base, ANSWER_MS / 1000);
	if (f->came == CAME_TLS_FAILED)
		return fail(err, FAULT_TLS, "%s: its certificate is not trusted (%s)", c->base,
		            f->answer.tls && *f->answer.tls->verify && strcmp(f->answer.tls->verify, "ok") != 0 ? f->answer.tls->verify : f->answer.reason);
	if (f->came == CAME_FULL)
		return fail(err, FAULT_TOO_BIG, "%s: the answer is over %zu bytes", c->base, ANSWER_MOST);
	return fail(err, FAULT_NETWORK, "no daemon answers at %s (%s): does it run there? --url leads elsewhere", c->base, came_name(f->came));
}

static bool judge(const struct client *c, const struct fetch *f, cJSON **answer_out, struct error *err)
{
	int    status = f->answer.status;
	cJSON *json;
	bool   fine;

	if (f->came != CAME)
		return no_answer(c, f, err);
	if (status >= 300 && status < 400)
		return fail(err, FAULT_BROKEN, "%s leads elsewhere (%d), where a key is not sent: name that place by --url", c->base, status);
	if (status == 204)
		return true;
	json = json_read(buffer_held(&f->answer.body), ANSWER_MOST, NULL);
	fine = json && status < 300;
	if (json && status >= 400 && json_text(json, "title"))
		tell_problem(json, status, err);
	else if (!fine)
		fail(err, status == 502 || status == 504 ? FAULT_BUSY : FAULT_BROKEN, "%s answers %d, and not as Mailmoor does: is it one?", c->base, status);
	if (fine && answer_out)
		*answer_out = json;
	else
		cJSON_Delete(json);
	return fine;
}

/* -- asking ------------------------------------------------------------------------------------------------------- */

static bool nowhere(const void *judge, const struct http_url *next)
{
	(void)judge, (void)next;
	return false;
}

/* What is asked after the word to stop is not asked: net/ would grant it a moment. */
struct asking {
	struct fetch *fetch;
	bool          began;
};

static enum want_kind ask_step(void *self, struct want *w, struct error *err)
{
	struct asking *a = self;

	if (!a->began && w->stopping) {
		fail(err, FAULT_CANCELLED, "called off");
		return WANT_FAILED;
	}
	a->began = true;
	return fetch_step(a->fetch, w, err);
}

static bool fetch_it(struct client *c, struct fetch *f, struct error *err)
{
	struct asking a = { .fetch = f };
	struct task   task = { .step = ask_step, .self = &a };

	return net_run(c->net, &task) || fail(err, FAULT_CANCELLED, "called off");
}

bool client_call(struct client *c, const char *method, const char *path, const cJSON *body, cJSON **answer_out, struct error *err)
{
	CLEANUP(arena) struct arena *job = arena_new();
	char             *text = body ? json_write(body) : NULL;
	struct tls_answer tls = { .alert = -1 };
	struct fetch      f;
	bool              fine;

	if (answer_out)
		*answer_out = NULL;
	fetch_init(&f, job, method, arena_print(job, "%s%s", c->base, path), ANSWER_MS, ANSWER_MOST);
	f.request.headers[0] = c->authorization;
	f.request.headers[1] = c->language;
	f.request.headers[2] = "Accept: application/json, application/problem+json";
	f.request.headers[3] = arena_print(job, "Idempotency-Key: %s", random_text(job, ONCE_DICE));
	f.request.headers[4] = text ? "Content-Type: application/json" : NULL;
	f.request.body = slice_str(text);
	f.request.keep = true;
	f.tls = &tls;
	f.may_follow = nowhere;
	fine = fetch_it(c, &f, err) && judge(c, &f, answer_out, err);
	fetch_release(&f);
	if (text)
		secret_wipe(text, strlen(text));
	free(text);
	return fine;
}

static bool add_page(struct client *c, const char *path, const char **after, struct arena *work, cJSON *all, struct error *err)
{
	const char *mark = strchr(path, '?') ? "&" : "?";
	cJSON      *page, *item, *items;

	if (!client_call(c, "GET", *after ? arena_print(work, "%s%safter=%s", path, mark, http_url_encode(*after, work)) : path, NULL, &page, err))
		return false;
	items = cJSON_GetObjectItemCaseSensitive(page, "items");
	while ((item = cJSON_DetachItemFromArray(items, 0)))
		cJSON_AddItemToArray(all, item);
	*after = json_text(page, "next") ? arena_str(work, json_text(page, "next")) : NULL;
	cJSON_Delete(page);
	return items || fail(err, FAULT_BROKEN, "%s: the answer has no items", c->base);
}

cJSON *client_list(struct client *c, const char *path, struct error *err)
{
	CLEANUP(arena) struct arena *work = arena_new();
	cJSON      *all = cJSON_CreateArray();
	const char *after = NULL;

	for (int page = 0; page < PAGES_MOST; page++) {
		if (!add_page(c, path, &after, work, all, err))
			break;
		if (!after)
			return all;
	}
	cJSON_Delete(all);
	return NULL;
}

const char *client_word(const char *text, struct arena *into)
{
	return http_url_encode(text, into);
}

/* -- waiting ------------------------------------------------------------------------------------------------------ */

struct pause {
	int       ms;
	bool      began;
	enum came came;
};

static enum want_kind pause_step(void *self, struct want *w, struct error *err)
{
	struct pause *p = self;

	(void)err;
	if (!p->began && !w->stopping) {
		p->began = true;
		return want_time(w, p->ms);
	}
	p->came = w->stopping ? CAME_CANCELLED : want_came(w);
	return WANT_NOTHING;
}

bool client_wait(struct client *c, int ms)
{
	struct pause p = { .ms = ms };
	struct task  task = { .step = pause_step, .self = &p };

	return net_run(c->net, &task) && p.came != CAME_CANCELLED;
}
