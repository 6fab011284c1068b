#include <stdlib.h>

#include "base/clock.h"
#include "model/causes.h"
#include "serve/api.h"
#include "serve/http_parts.h"
#include "serve/finder.h"
#include "serve/identity.h"
#include "serve/keeper.h"
#include "serve/our_addresses.h"
#include "serve/outbox.h"

#define METRICS_MOST (1024 * 1024)

extern const char openapi_json[];       /* of docs/openapi.yaml, by tools/openapi2c.py */

static void get_health(struct exchange *x)
{
	const char *ask = http_query(x, "ask"), *more = ask ? identity_answer(x->service->vault, ask, x->job) : NULL;

	if (more)
		answer_text(x, 200, "text/plain; charset=utf-8",
		            arena_print(x->job, "ok %s %s %s\n", more, MAILMOOR_VERSION, x->service->inbound_domain ? "mail" : "no-mail"));
	else
		answer_text(x, 200, "text/plain; charset=utf-8", "ok\n");
}

static void get_description(struct exchange *x)
{
	answer_text(x, 200, "application/json", openapi_json);
}

static bool read_last(struct txn *t, void *self, struct error *err)
{
	return event_last(t, self, err);
}

/* What went wrong is in the log, not here: anybody may ask. */
static void get_readiness(struct exchange *x)
{
	struct store_health health = { 0 };
	struct error        err = { 0 };
	int64_t             last;
	bool                reads = store_read(x->service->store, read_last, &last, &err);

	store_health(x->service->store, &health);
	if (reads && health.writable)
		answer_text(x, 200, "text/plain; charset=utf-8", "ready\n");
	else
		answer_text(x, 503, "text/plain; charset=utf-8", reads ? "the store cannot be written\n" : "the store cannot be read\n");
}

static void list_causes(struct exchange *x)
{
	cJSON *o = cJSON_CreateObject(), *items = cJSON_AddArrayToObject(o, "items");

	for (unsigned c = CAUSE_NONE + 1; c < CAUSE_COUNT; c++)
		cJSON_AddItemToArray(items, cause_json(x, cause_row((enum cause)c)->id));
	answer_json(x, 200, o);
}

/* -- overview and incidents ------------------------------------------------------------------------------------------------- */

struct system_look {
	struct exchange      *x;
	struct account_count *account;
	size_t                accounts;
	struct incident      *incident;
	size_t                incidents, most;
	bool                  open_only;
	int64_t               waiting, given_up;
	struct our_addresses  ours;
};

static cJSON *incidents_json(const struct system_look *l)
{
	cJSON *items = cJSON_CreateArray();

	for (size_t i = 0; i < l->incidents; i++) {
		const struct incident *n = &l->incident[i];
		cJSON                 *o = cJSON_CreateObject();

		cJSON_AddStringToObject(o, "id", n->id);
		cJSON_AddStringToObject(o, "host", n->host);
		cJSON_AddStringToObject(o, "cause", n->cause);
		cJSON_AddStringToObject(o, "who", n->who ? n->who : who_name(WHO_NOBODY));
		json_time(o, "opened", n->opened);
		json_time(o, "closed", n->closed);
		cJSON_AddNumberToObject(o, "accounts", (double)n->accounts);
		cJSON_AddItemToArray(items, o);
	}
	return items;
}

static bool look_at_incidents(struct txn *t, void *self, struct error *err)
{
	struct system_look *l = self;

	return incident_list(t, l->x->job, l->open_only, l->most, &l->incident, &l->incidents, err);
}

static void list_incidents(struct exchange *x)
{
	struct system_look l = { .x = x };
	struct error       err = { 0 };
	const char        *open = http_query(x, "open");
	long long          most;
	cJSON             *o;

	if (!query_number(x, "limit", 1, PAGE_MOST, 50, &most))
		return;
	if (open && strcmp(open, "true") != 0 && strcmp(open, "false") != 0) {
		answer_problem(x, 400, "request.invalid", "This parameter is not valid", "true or false", "open", NULL);
		return;
	}
	l.open_only = open && strcmp(open, "true") == 0;
	l.most = (size_t)most;
	if (!store_read(x->service->store, look_at_incidents, &l, &err)) {
		answer_fault(x, &err);
		return;
	}
	o = cJSON_CreateObject();
	cJSON_AddItemToObject(o, "items", incidents_json(&l));
	answer_json(x, 200, o);
}

static bool look_at_system(struct txn *t, void *self, struct error *err)
{
	struct system_look *l = self;

	l->open_only = true;
	l->most = PAGE_MOST;
	return account_counts(t, l->x->job, NULL, &l->account, &l->accounts, err) && look_at_incidents(t, self, err)
	    && delivery_counts(t, &l->waiting, &l->given_up, err)
	    && our_addresses_read(t, l->x->service->settings, l->x->job, clock_unix_ms(), &l->ours, err);
}

/* Several workspaces have the same state and cause: one row for all. */
static int64_t sum_of(const struct system_look *l, size_t first)
{
	const char *state = l->account[first].state, *cause = l->account[first].cause;
	int64_t     sum = 0;

	for (size_t i = 0; i < l->accounts; i++) {
		const struct account_count *a = &l->account[i];
		bool same = strcmp(a->state, state) == 0 && (a->cause && cause ? strcmp(a->cause, cause) == 0 : a->cause == cause);

		if (same && i < first)
			return -1;
		sum += same ? a->count : 0;
	}
	return sum;
}

static void add_accounts(cJSON *o, const struct system_look *l)
{
	cJSON *list = cJSON_AddArrayToObject(o, "accounts");

	for (size_t i = 0; i < l->accounts; i++) {
		int64_t count = sum_of(l, i);
		cJSON  *row;

		if (count < 0)
			continue;
		row = cJSON_CreateObject();
		cJSON_AddStringToObject(row, "state", l->account[i].state);
		json_maybe(row, "cause", l->account[i].cause);
		cJSON_AddNumberToObject(row, "count", (double)count);
		cJSON_AddItemToArray(list, row);
	}
}

/* -- figures: the same ones in the overview and for Prometheus ----------------------------------------------------------------- */

struct figures {
	struct keeper_counts keeper;
	struct store_health  store;
	struct outbox_counts outbox;
	unsigned             searches;
};

static void take_figures(const struct daemon *s, struct figures *f)
{
	*f = (struct figures){ 0 };
	if (s->keeper)
		keeper_counts(s->keeper, &f->keeper);
	if (s->outbox)
		outbox_counts(s->outbox, &f->outbox);
	if (s->finder)
		f->searches = finder_busy(s->finder);
	store_health(s->store, &f->store);
}

static void add_figures(cJSON *o, const struct figures *f)
{
	cJSON *k = cJSON_AddObjectToObject(o, "keeper"), *s;

	cJSON_AddNumberToObject(k, "parked", (double)f->keeper.parked);
	cJSON_AddNumberToObject(k, "opening", (double)f->keeper.opening);
	cJSON_AddNumberToObject(k, "waiting", (double)f->keeper.waiting);
	cJSON_AddNumberToObject(k, "verifying", (double)f->keeper.verifying);
	cJSON_AddNumberToObject(k, "connects", (double)f->keeper.connects);
	cJSON_AddNumberToObject(k, "losses", (double)f->keeper.losses);
	cJSON_AddNumberToObject(k, "messages", (double)f->keeper.messages);
	s = cJSON_AddObjectToObject(o, "store");
	cJSON_AddBoolToObject(s, "writable", f->store.writable);
	cJSON_AddNumberToObject(s, "commits", (double)f->store.commits);
	cJSON_AddNumberToObject(s, "writes", (double)f->store.writes);
	cJSON_AddNumberToObject(s, "failed", (double)f->store.failed);
	cJSON_AddNumberToObject(s, "waiting", (double)f->store.waiting);
}

static void get_overview(struct exchange *x)
{
	struct system_look l = { .x = x };
	struct error       err = { 0 };
	struct figures     f;
	cJSON             *o, *hooks, *stray;

	if (!store_read(x->service->store, look_at_system, &l, &err)) {
		answer_fault(x, &err);
		return;
	}
	take_figures(x->service, &f);
	o = cJSON_CreateObject();
	add_accounts(o, &l);
	cJSON_AddItemToObject(o, "incidents", incidents_json(&l));
	add_figures(o, &f);
	hooks = cJSON_AddObjectToObject(o, "webhooks");
	cJSON_AddNumberToObject(hooks, "waiting", (double)l.waiting);
	cJSON_AddNumberToObject(hooks, "given_up", (double)l.given_up);
	cJSON_AddItemToObject(o, "egress", our_addresses_json(&l.ours, true));
	stray = cJSON_AddArrayToObject(o, "egress_stray");
	for (size_t i = 0; i < l.ours.strays; i++)
		cJSON_AddItemToArray(stray, cJSON_CreateString(l.ours.stray[i].address));
	json_time(o, "started", x->service->started);
	answer_json(x, 200, o);
}

/* -- Prometheus ---------------------------------------------------------------------------------------------------------------- */

static void head(struct buffer *b, const char *name, const char *type, const char *help)
{
	buffer_print(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void figure(struct buffer *b, const char *name, const char *type, const char *help, int64_t value)
{
	head(b, name, type, help);
	buffer_print(b, "%s %lld\n", name, (long long)value);
}

static void print_accounts(struct buffer *b, const struct system_look *l)
{
	head(b, "mailmoor_accounts", "gauge", "Accounts by state and cause.");
	for (size_t i = 0; i < l->accounts; i++)
		if (sum_of(l, i) >= 0)
			buffer_print(b, "mailmoor_accounts{state=\"%s\",cause=\"%s\"} %lld\n", l->account[i].state,
			             l->account[i].cause ? l->account[i].cause : "", (long long)sum_of(l, i));
}

static void print_web(struct buffer *b, struct http_server *s)
{
	head(b, "mailmoor_http_answers_total", "counter", "Answers of the web server by the first digit of their status.");
	for (size_t i = 1; i < COUNT(s->counts.answers); i++)
		buffer_print(b, "mailmoor_http_answers_total{class=\"%zuxx\"} %lld\n", i, (long long)s->counts.answers[i]);
	figure(b, "mailmoor_http_too_many_total", "counter", "Requests refused because their client was too fast.", s->counts.refused_rate);
	figure(b, "mailmoor_http_refused_connections_total", "counter", "Connections refused because there were too many.",
	       s->counts.refused_connections);
	figure(b, "mailmoor_http_cut_connections_total", "counter", "Connections cut because the client was too slow.", s->counts.cut);
	pthread_mutex_lock(&s->lock);
	figure(b, "mailmoor_http_connections", "gauge", "Connections that are open.", s->visits);
	figure(b, "mailmoor_http_streams", "gauge", "Streams of events that are open.", s->stream_count);
	pthread_mutex_unlock(&s->lock);
}

static void print_figures(struct buffer *b, const struct figures *f, const struct system_look *l)
{
	const struct { const char *name, *type, *help; int64_t value; } rows[] = {
		{ "mailmoor_mailboxes_parked",       "gauge",   "Mailboxes that are held and wait for news.",            f->keeper.parked },
		{ "mailmoor_mailboxes_opening",      "gauge",   "Mailboxes that are being opened.",                      f->keeper.opening },
		{ "mailmoor_mailboxes_opening_most", "gauge", "The largest number of mailboxes that were being opened at once.", f->keeper.most_opening },
		{ "mailmoor_mailboxes_waiting",      "gauge",   "Mailboxes that wait for their next try.",               f->keeper.waiting },
		{ "mailmoor_verifications_running",  "gauge",   "Verifications under way.",                              f->keeper.verifying },
		{ "mailmoor_searches_running",       "gauge",   "Searches for servers under way.",                       f->searches },
		{ "mailmoor_connects_total",         "counter", "Connections to mailboxes that were opened.",            f->keeper.connects },
		{ "mailmoor_losses_total",           "counter", "Connections to mailboxes that were lost.",              f->keeper.losses },
		{ "mailmoor_messages_total",         "counter", "Messages that came to mailboxes.",                      f->keeper.messages },
		{ "mailmoor_exchange_streams",       "gauge",   "Mailboxes at Exchange that a stream of notifications tells of.", f->keeper.streams },
		{ "mailmoor_exchange_notifications_total", "counter", "What those streams told.",                          f->keeper.notifications },
		{ "mailmoor_exchange_polls_total",   "counter", "Questions for new mail at Exchange.",                   f->keeper.polls },
		{ "mailmoor_exchange_throttled_total", "counter", "How often a server of Exchange asked to be left alone.", f->keeper.throttled },
		{ "mailmoor_calendars",              "gauge",   "Accounts whose calendars by CalDAV are watched beside their mailboxes.", f->keeper.calendars },
		{ "mailmoor_caldav_polls_total",     "counter", "Questions for what has changed in calendars by CalDAV.", f->keeper.caldav_polls },
		{ "mailmoor_caldav_throttled_total", "counter", "Times a calendar server asked to be left alone.",         f->keeper.caldav_throttled },
		{ "mailmoor_microsoft_polls_total",  "counter", "Questions for new mail to Microsoft Graph.",             f->keeper.graph_polls },
		{ "mailmoor_microsoft_throttled_total", "counter", "How often Microsoft Graph asked to be left alone.",   f->keeper.graph_throttled },
		{ "mailmoor_microsoft_subscriptions", "gauge",   "Mailboxes that Microsoft Graph tells us of.",           f->keeper.graph_told },
		{ "mailmoor_microsoft_notifications_total", "counter", "What it told.",                                   f->keeper.graph_notices },
		{ "mailmoor_microsoft_renewed_total", "counter", "Grants of Microsoft that were renewed and kept.",       f->keeper.renewed },
		{ "mailmoor_google_polls_total",     "counter", "Questions for new mail to Gmail.",                       f->keeper.gmail_polls },
		{ "mailmoor_google_throttled_total", "counter", "How often Gmail asked to be left alone.",                f->keeper.gmail_throttled },
		{ "mailmoor_google_watches",         "gauge",   "Mailboxes that Gmail tells us of by Pub/Sub.",           f->keeper.gmail_told },
		{ "mailmoor_google_pushes_total",    "counter", "What it told.",                                          f->keeper.gmail_pushes },
		{ "mailmoor_google_pushes_refused_total", "counter", "What came there and did not prove itself.",         f->keeper.gmail_refused },
		{ "mailmoor_google_renewed_total",   "counter", "Grants of Google that were renewed and kept.",          f->keeper.google_renewed },
		{ "mailmoor_store_writable",         "gauge",   "Whether the last commit went well.",                    f->store.writable },
		{ "mailmoor_store_commits_total",    "counter", "Commits of the store.",                                 f->store.commits },
		{ "mailmoor_store_writes_total",     "counter", "Changes handed to the store.",                          f->store.writes },
		{ "mailmoor_store_failed_total",     "counter", "Changes that the store did not keep.",                  f->store.failed },
		{ "mailmoor_store_waiting",          "gauge",   "Changes that wait for their commit.",                   (int64_t)f->store.waiting },
		{ "mailmoor_deliveries_sent_total",  "counter", "Deliveries that a webhook took.",                       f->outbox.sent },
		{ "mailmoor_deliveries_failed_total", "counter", "Tries of deliveries that failed.",                     f->outbox.failed },
		{ "mailmoor_deliveries_under_way",   "gauge",   "Deliveries on the wire.",                               f->outbox.under_way },
		{ "mailmoor_deliveries_waiting",     "gauge",   "Events that wait to be delivered to webhooks.",         l->waiting },
		{ "mailmoor_deliveries_given_up",    "gauge",   "Events that no webhook took.",                          l->given_up },
		{ "mailmoor_incidents_open",         "gauge",   "Failures that many accounts share and that are not over.", (int64_t)l->incidents },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		figure(b, rows[i].name, rows[i].type, rows[i].help, rows[i].value);
}

static void get_metrics(struct exchange *x)
{
	struct system_look l = { .x = x };
	struct error       err = { 0 };
	struct figures     f;
	struct buffer      b;

	if (!store_read(x->service->store, look_at_system, &l, &err)) {
		answer_fault(x, &err);
		return;
	}
	take_figures(x->service, &f);
	buffer_init(&b, METRICS_MOST);
	print_accounts(&b, &l);
	print_figures(&b, &f, &l);
	print_web(&b, request_of(x)->server);
	head(&b, "mailmoor_start_time_seconds", "gauge", "When this process started, Unix time.");
	buffer_print(&b, "mailmoor_start_time_seconds %lld.%03lld\n", (long long)(x->service->started / 1000), (long long)(x->service->started % 1000));
	answer_text(x, 200, "text/plain; version=0.0.4; charset=utf-8", arena_copy(x->job, buffer_held(&b)));
	buffer_release(&b);
}

const struct route routes_system[] = {
	{ "GET", "/healthz",      GUARD_NONE, 0,              get_health },
	{ "GET", "/readyz",       GUARD_NONE, 0,              get_readiness },
	{ "GET", "/metrics",      GUARD_KEY,  SCOPE_OPERATOR, get_metrics },
	{ "GET", "/openapi.json", GUARD_NONE, 0,              get_description },
	{ "GET", "/v1/causes",    GUARD_NONE, 0,              list_causes },
	{ "GET", "/v1/overview",  GUARD_KEY,  SCOPE_OPERATOR, get_overview },
	{ "GET", "/v1/incidents", GUARD_KEY,  SCOPE_OPERATOR, list_incidents },
	{ 0 }
};
