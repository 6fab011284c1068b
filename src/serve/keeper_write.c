/* What the keeper writes down: state, place, report, news, and the events that tell of them; each in one transaction. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/hmac.h"
#include "base/log.h"
#include "diagnose/report_json.h"
#include "serve/budget.h"
#include "serve/bus.h"
#include "serve/calendar.h"
#include "serve/event_data.h"
#include "serve/kept_kind.h"
#include "serve/our_addresses.h"
#include "store/links.h"

#define DAY_MS     (24 * 3600 * (int64_t)1000)
#define NAME_BYTES 16      /* of the hash that stands for a long name */

struct saving {
	struct store_write  write;
	struct errand       errand;
	struct kept        *kept;
	struct arena       *job;
	const char         *id;
	int64_t             now, fence;
	enum account_state  seen;              /* the state that it was decided upon: another one now is somebody else's word */
	/* the outcome */
	bool                decides;
	struct outcome      outcome;
	const char         *place, *report;    /* NULL: as it was */
	const char         *host;              /* it becomes part of an incident there; NULL: of none */
	int                 refused;
	struct our_address  seen_as[OUR_ADDRESSES_TOLD];     /* as the servers that were asked told */
	size_t              seen_count;
	/* the news */
	const char         *cursor;            /* NULL: as it was */
	bool                first_cursor;      /* it counts only where none is known: news are told from the verification on */
	struct message     *news;
	size_t              count;
	struct calendar_news *entries;
	size_t              entry_count;
	bool                told;              /* an event was written */
	bool                recovered;
};

/* -- events ------------------------------------------------------------------------------------------------------- */

static bool tell(struct saving *s, struct txn *t, struct arena *work, const struct account *a, const char *id, const char *type,
                 cJSON *data, struct error *err)
{
	char        *text = cJSON_PrintUnformatted(data);
	struct event e = { .id = id ? id : new_id(work, "evt"), .workspace = a->workspace, .account = a->id, .type = type, .data = text, .created = s->now };
	bool         ok = event_append(t, &e, NULL, err);

	free(text);
	cJSON_Delete(data);
	/* the same news a second time, after a crash between two pages: told already */
	if (!ok && id && err->fault == FAULT_REFUSED) {
		*err = (struct error){ 0 };
		return true;
	}
	s->told |= ok;
	return ok;
}

static bool same_text(const char *a, const char *b)
{
	return (!a && !b) || (a && b && strcmp(a, b) == 0);
}

static bool is_well(enum account_state state)
{
	return state == ACCOUNT_CONNECTED;
}

/* From one state to another: what is worth telling. */
static bool tell_change(struct saving *s, struct txn *t, struct arena *work, const struct account *was, const struct account *is,
                        struct error *err)
{
	const char *type = is_well(is->state) ? was->last_ok && was->state != ACCOUNT_CONNECTING ? "account.recovered" : "account.connected" : "account.failed";

	/* what is told as an incident, and its end, is not told of each account */
	if ((was->state == is->state && same_text(was->cause, is->cause)) || is->incident || was->incident)
		return true;
	return tell(s, t, work, is, NULL, type, account_event_data(is), err)
	    && (is->state != ACCOUNT_NEEDS_ADMIN || was->state == ACCOUNT_NEEDS_ADMIN
	        || tell(s, t, work, is, NULL, "account.needs_admin", account_event_data(is), err));
}

/* -- incidents ---------------------------------------------------------------------------------------------------- */

/* To a workspace, not to an account: whoever has twelve mailboxes there hears of it once. */
static bool tell_incident(struct saving *s, struct txn *t, struct arena *work, const struct account *a, const struct incident *n,
                          const char *type, struct error *err)
{
	struct account everybody = { .id = NULL, .workspace = a->workspace };

	return tell(s, t, work, &everybody, NULL, type, incident_event_data(n), err);
}

static bool join_incident(struct saving *s, struct txn *t, struct arena *work, struct account *a, struct error *err)
{
	struct incident n;
	bool            concerned, known = incident_find(t, work, s->host, a->cause, &n, err);

	if (!known && err->fault != FAULT_ABSENT)
		return false;
	*err = (struct error){ 0 };
	if (!known)
		n = (struct incident){ .id = new_id(work, "inc"), .host = s->host, .cause = a->cause, .who = a->who, .opened = s->now };
	a->incident = n.id;
	n.accounts++;
	if (!(known ? incident_update(t, &n, err) : incident_insert(t, &n, err))
	    || !incident_concerns(t, n.id, a->workspace, &concerned, err))
		return false;
	return concerned || tell_incident(s, t, work, a, &n, "incident.opened", err);
}

/* The last of a workspace tells it that it is over; the last of all closes it. */
static bool leave_incident(struct saving *s, struct txn *t, struct arena *work, const struct account *was, struct error *err)
{
	struct incident n;
	bool            here, anywhere;

	if (!incident_get(t, work, was->incident, &n, err))
		return err->fault == FAULT_ABSENT && (*err = (struct error){ 0 }, true);
	if (!incident_concerns(t, n.id, was->workspace, &here, err) || !incident_concerns(t, n.id, NULL, &anywhere, err))
		return false;
	if (!anywhere) {
		n.closed = s->now;
		if (!incident_update(t, &n, err))
			return false;
	}
	return here || tell_incident(s, t, work, was, &n, "incident.closed", err);
}

/* -- the change itself -------------------------------------------------------------------------------------------- */

static void decide(const struct saving *s, struct account *a)
{
	const struct outcome *o = &s->outcome;
	bool                  well = o->state == ACCOUNT_CONNECTED || o->state == ACCOUNT_DEGRADED;

	if (a->state != o->state)
		a->state_since = s->now;
	a->state = o->state;
	a->next_try = o->next_try;
	a->failures = o->failures;
	a->cause = o->cause ? cause_row(o->cause)->id : NULL;
	a->certainty = o->cause ? certainty_name(o->certainty) : NULL;
	a->who = o->cause || o->who ? who_name(o->who) : NULL;
	if (a->state != ACCOUNT_WAITING)
		a->incident = NULL;
	if (well)
		a->last_ok = s->now;
	if (s->place)
		a->place = s->place;
	if (s->report) {
		a->report = s->report;
		a->report_at = s->now;
	}
}

static void recover(const struct saving *s, struct account *a)
{
	if (a->state != ACCOUNT_WAITING)
		return;
	a->state = ACCOUNT_CONNECTED;
	a->state_since = a->last_ok = s->now;
	a->next_try = s->now + DAY_MS;
	a->failures = 0;
	a->cause = a->certainty = a->who = a->incident = NULL;
}

/* Names of Exchange are long, and have signs in them that an id has not. */
static const char *short_name(const char *remote_id, struct arena *work)
{
	unsigned char hash[HMAC_BYTES];
	char         *text = arena_get(work, 2 * NAME_BYTES + 1);

	if (strlen(remote_id) <= 2 * NAME_BYTES)
		return remote_id;
	hmac_sha256(slice_str("message"), slice_str(remote_id), hash);
	for (size_t i = 0; i < NAME_BYTES; i++)
		snprintf(text + 2 * i, 3, "%02x", hash[i]);
	return text;
}

/* The id follows from what it tells of: however often a page is told, it is one event. */
static bool tell_news(struct saving *s, struct txn *t, struct arena *work, const struct account *a, struct error *err)
{
	for (size_t i = 0; i < s->count; i++)
		if (!tell(s, t, work, a, arena_print(work, "evt_%s-%s", a->id + strlen("acc_"), short_name(s->news[i].remote_id, work)), "message.received",
		          message_event_data(a, &s->news[i]), err))
			return false;
	return true;
}

static bool learn(struct saving *s, struct txn *t, struct error *err)
{
	for (size_t i = 0; i < s->seen_count; i++)
		if (!our_address_learn(t, &s->seen_as[i], err))
			return false;
	return true;
}

/* Whether a calendar beside the mailbox works is not the mailbox's to know. */
static bool reads_mail(enum account_state state)
{
	return state == ACCOUNT_CONNECTED || state == ACCOUNT_DEGRADED;
}

static bool is_only_news(const struct saving *s)
{
	return !s->decides && !s->recovered;
}

static bool apply(struct txn *t, void *self, struct error *err)
{
	CLEANUP(arena) struct arena *work = arena_new();
	struct saving *s = self;
	struct account was, is;

	s->told = false;
	if (!lease_take(t, s->id, s->kept->loop->daemon->node, s->fence, NEVER, err) || !account_get(t, work, NULL, s->id, &was, err))
		return false;
	if (was.state != s->seen && !(is_only_news(s) && reads_mail(was.state) && reads_mail(s->seen)))
		return fail(err, FAULT_REFUSED, "it was changed meanwhile");
	is = was;
	if (s->decides)
		decide(s, &is);
	if (s->recovered)
		recover(s, &is);
	if (s->cursor && (!s->first_cursor || !was.cursor))
		is.cursor = s->cursor;
	if (s->host && !was.incident && !join_incident(s, t, work, &is, err))
		return false;
	return account_update(t, &is, err) && tell_change(s, t, work, &was, &is, err) && tell_news(s, t, work, &is, err)
	    && calendar_news_keep(t, work, &is, s->entries, s->entry_count, s->now, &s->told, err)
	    && (!was.incident || is.incident || leave_incident(s, t, work, &was, err))
	    && (!s->refused || tries_add(t, s->id, budget_day(s->kept->loop->daemon), s->refused, err)) && learn(s, t, err);
}

static void answered(struct store_write *w)
{
	struct saving *s = w->self;

	if (w->ok && s->told)
		bus_ring(s->kept->loop->daemon->bus);
	errand_done(&s->errand);
}

static void begin(struct errand *e)
{
	struct saving *s = (struct saving *)((char *)e - offsetof(struct saving, errand));

	store_write(s->kept->loop->daemon->store, &s->write);
}

static struct saving *saving_new(struct kept *k, enum account_state seen, int64_t now)
{
	struct saving *s = must_alloc(sizeof *s);

	*s = (struct saving){ .write = { .apply = apply, .done = answered, .self = s }, .errand.begin = begin, .kept = k,
	                      .job = arena_new(), .id = k->id, .now = now, .fence = k->loop->daemon->fence, .seen = seen };
	k->saving = s;
	return s;
}

bool save_over(struct kept *k)
{
	struct saving *s = k->saving;
	bool           ok = s->write.ok;

	/* where somebody else's word counts, the keeper hears of that by itself */
	if (!ok)
		LOG(s->write.err.fault == FAULT_REFUSED ? LOG_NEWS : LOG_FAILURE, "account.unsaved", LOG_TEXT("account", k->id), LOG_TEXT("why", s->write.err.text));
	if (ok && s->recovered) {
		k->state = ACCOUNT_CONNECTED;
		k->proof_due = clock_mono_ms() + DAY_MS;
	}
	if (ok && s->decides)
		k->state = s->outcome.state;
	if (ok)
		atomic_fetch_add(&k->loop->counts.messages, (long long)s->count);
	arena_free(s->job);
	free(s);
	k->saving = NULL;
	return ok;
}

/* -- what is saved ------------------------------------------------------------------------------------------------ */

const char *save_report(const struct report *r, const struct verdict *v, struct arena *into)
{
	cJSON *json = report_json(r, v, language_english());
	char  *text = cJSON_PrintUnformatted(json);
	const char *copy = arena_str(into, text);

	free(text);
	cJSON_Delete(json);
	return copy;
}

struct errand *save_outcome(struct kept *k, const struct outcome *o, const struct report *r, const struct verdict *v,
                            const struct flow_worked *worked, bool verified, int64_t now)
{
	struct saving *s = saving_new(k, k->round->account.state, now);

	s->decides = true;
	s->outcome = *o;
	s->refused = r->password_tries;
	s->seen_count = our_addresses_told(r, now, s->job, s->seen_as);
	/* a session that was lost tells less than the verification before it, unless that one was well */
	if (verified || o->cause)
		s->report = save_report(r, v, s->job);
	if (worked && (worked->well[SERVICE_IMAP] || worked->well[SERVICE_WEB])) {
		s->place = place_write(worked, s->job);
		s->first_cursor = true;
		if (worked->uidvalidity && worked->uidnext)
			s->cursor = inbox_place_write((struct inbox_place){ worked->uidvalidity, worked->uidnext }, s->job);
	}
	return &s->errand;
}

/* Copied: the mailbox goes on to other things, not before this is answered, but it may be closed. */
static void take_news(struct saving *s, const struct mailbox *m)
{
	struct mailbox_look   look = mailbox_look(m);
	const struct message *news = look.news;

	s->count = look.count;
	s->news = s->count ? arena_get(s->job, s->count * sizeof *s->news) : NULL;
	for (size_t i = 0; i < s->count; i++) {
		const struct message *n = &news[i];

		s->news[i] = *n;
		s->news[i].remote_id = arena_str(s->job, n->remote_id);
		s->news[i].message_id = n->message_id ? arena_str(s->job, n->message_id) : NULL;
		s->news[i].in_reply_to = n->in_reply_to ? arena_str(s->job, n->in_reply_to) : NULL;
		s->news[i].from = n->from ? arena_str(s->job, n->from) : NULL;
		s->news[i].to = n->to ? arena_str(s->job, n->to) : NULL;
		s->news[i].subject = n->subject ? arena_str(s->job, n->subject) : NULL;
	}
	s->entry_count = look.entry_count;
	s->entries = calendar_news_copy(look.entries, look.entry_count, s->job);
	s->cursor = cursor_of(s->kept, m, s->job);
}

struct errand *save_trouble(struct kept *k, const struct trouble *t, int64_t now)
{
	struct saving *s = saving_new(k, k->state, now);

	s->decides = true;
	s->outcome = t->outcome;
	s->report = t->report ? arena_str(s->job, t->report) : NULL;
	if (t->mailboxes >= INCIDENT_LEAST)
		s->host = arena_str(s->job, k->host);
	return &s->errand;
}

struct errand *save_news(struct kept *k, const struct mailbox *m, int64_t now)
{
	struct saving *s = saving_new(k, k->state, now);

	take_news(s, m);
	return &s->errand;
}

struct errand *save_settled(struct kept *k, const struct mailbox *m, int64_t now)
{
	struct saving *s = saving_new(k, k->state, now);

	s->recovered = true;
	take_news(s, m);
	return &s->errand;
}

/* -- place and cursor --------------------------------------------------------------------------------------------- */

static cJSON *write_endpoint(cJSON *o, const char *name, const struct endpoint *e)
{
	cJSON *place = cJSON_AddObjectToObject(o, name);

	cJSON_AddStringToObject(place, "host", e->host);
	cJSON_AddNumberToObject(place, "port", e->port);
	cJSON_AddStringToObject(place, "socket", e->socket == SOCKET_TLS ? "tls" : "starttls");
	cJSON_AddStringToObject(place, "source", endpoint_source_name(e->source));
	if (e->path)
		cJSON_AddStringToObject(place, "path", e->path);
	return place;
}

static void write_calendar(cJSON *o, const struct flow_calendar *c)
{
	cJSON *place;

	if (!c->well)
		return;
	place = write_endpoint(o, "caldav", &c->endpoint);
	if (c->username)
		cJSON_AddStringToObject(place, "username", c->username);
}

const char *place_write(const struct flow_worked *w, struct arena *into)
{
	cJSON      *o = cJSON_CreateObject();
	char       *text;
	const char *copy;

	if (w->username)
		cJSON_AddStringToObject(o, "username", w->username);
	for (enum service s = SERVICE_IMAP; s <= SERVICE_WEB; s++)
		if (w->well[s])
			write_endpoint(o, service_name(s), &w->endpoint[s]);
	write_calendar(o, &w->calendar);
	if (w->mailbox)
		cJSON_AddStringToObject(o, "mailbox", w->mailbox);
	if (w->others || w->act_as)
		cJSON_AddStringToObject(o, "as", w->act_as ? "impersonator" : "delegate");
	if (w->interface)
		cJSON_AddStringToObject(o, "interface", w->interface);
	text = cJSON_PrintUnformatted(o);
	copy = arena_str(into, text);
	free(text);
	cJSON_Delete(o);
	return copy;
}

static bool read_source(const char *name, enum endpoint_source *out)
{
	for (enum endpoint_source s = SOURCE_USER; name && s < SOURCES; s++)
		if (strcmp(endpoint_source_name(s), name) == 0) {
			*out = s;
			return true;
		}
	return false;
}

static bool read_endpoint(const cJSON *place, enum service service, struct arena *into, struct endpoint *e)
{
	const char      *host = json_text(place, "host"), *socket = json_text(place, "socket"), *path = json_text(place, "path");
	double           port = json_number(place, "port", 0);

	if (!host || !socket || port < 1 || port > 65535 || !read_source(json_text(place, "source"), &e->source))
		return false;
	e->service = service;
	e->host = arena_str(into, host);
	e->port = (uint16_t)port;
	e->socket = strcmp(socket, "tls") == 0 ? SOCKET_TLS : SOCKET_STARTTLS;
	e->path = path ? arena_str(into, path) : NULL;
	return true;
}

static void read_calendar(const cJSON *place, struct arena *into, struct flow_calendar *out)
{
	out->well = read_endpoint(place, SERVICE_WEB, into, &out->endpoint) && out->endpoint.path;
	if (json_text(place, "username"))
		out->username = arena_str(into, json_text(place, "username"));
}

#define PLACE_LONGEST  4096

bool place_read(const char *json, struct arena *into, struct flow_worked *out)
{
	cJSON      *o = json ? json_read(slice_str(json), PLACE_LONGEST, NULL) : NULL;
	const char *as;

	*out = (struct flow_worked){ 0 };
	if (!o)
		return false;
	for (enum service s = SERVICE_IMAP; s <= SERVICE_WEB; s++)
		out->well[s] = read_endpoint(cJSON_GetObjectItemCaseSensitive(o, service_name(s)), s, into, &out->endpoint[s]);
	read_calendar(cJSON_GetObjectItemCaseSensitive(o, "caldav"), into, &out->calendar);
	out->well[SERVICE_WEB] &= out->endpoint[SERVICE_WEB].path != NULL;
	if (json_text(o, "username"))
		out->username = arena_str(into, json_text(o, "username"));
	if (json_text(o, "mailbox"))
		out->mailbox = arena_str(into, json_text(o, "mailbox"));
	as = json_text(o, "as");
	out->others = as && strcmp(as, "delegate") == 0;
	out->act_as = as && strcmp(as, "impersonator") == 0;
	if (json_text(o, "interface"))
		out->interface = arena_str(into, json_text(o, "interface"));
	cJSON_Delete(o);
	return (out->well[SERVICE_IMAP] || (out->well[SERVICE_WEB] && out->mailbox)) && out->username;
}

const char *place_without_calendar(const char *json, struct arena *into)
{
	cJSON      *o = json ? json_read(slice_str(json), PLACE_LONGEST, NULL) : NULL;
	char       *text;
	const char *copy;

	if (!o)
		return json;
	cJSON_DeleteItemFromObjectCaseSensitive(o, "caldav");
	text = cJSON_PrintUnformatted(o);
	copy = arena_str(into, text);
	free(text);
	cJSON_Delete(o);
	return copy;
}

const char *cursor_of(const struct kept *k, const struct mailbox *m, struct arena *into)
{
	cJSON      *o = cJSON_CreateObject();
	char       *text;
	const char *copy;

	k->kind->cursor(m, o);
	text = cJSON_PrintUnformatted(o);
	copy = arena_str(into, text);
	free(text);
	cJSON_Delete(o);
	return copy;
}

const char *inbox_place_write(struct inbox_place c, struct arena *into)
{
	return arena_print(into, "{\"uidvalidity\":%" PRIu32 ",\"uidnext\":%" PRIu32 "}", c.uidvalidity, c.uidnext);
}

void inbox_place_read(const char *json, struct inbox_place *out)
{
	cJSON *o = json ? json_read(slice_str(json), PLACE_LONGEST, NULL) : NULL;
	double validity = json_number(o, "uidvalidity", 0), next = json_number(o, "uidnext", 0);

	*out = (struct inbox_place){ 0 };
	if (validity >= 1 && validity <= UINT32_MAX && next >= 1 && next <= UINT32_MAX)
		*out = (struct inbox_place){ (uint32_t)validity, (uint32_t)next };
	cJSON_Delete(o);
}
