#include "store/events.h"

#include "store/rows.h"

#define LIST_MOST 1000      /* events or deliveries read at once, whatever was asked for */

static int64_t bounded(size_t most)
{
	return most < LIST_MOST ? (int64_t)most : LIST_MOST;
}

/* The first of `n` new numbers. They rise in the order of the commits, and none is ever given twice. */
static bool numbers(struct txn *t, const char *counter, int64_t n, int64_t *first, struct error *err)
{
	int64_t last;

	if (!read_number(t, &last, 0, err, "UPDATE counters SET value = value + $2 WHERE name = $1 RETURNING value", WITH(a_text(counter), a_number(n))))
		return false;
	*first = last - n + 1;
	return true;
}

/* -- events ------------------------------------------------------------------------------------------------------- */

#define EVENT "seq, id, workspace, account, type, data, created"

static const struct field event_fields[] = {
	NUMBER(event, seq), TEXT(event, id),   TEXT(event, workspace), TEXT(event, account),
	TEXT(event, type),  TEXT(event, data), NUMBER(event, created),
};
static const struct shape events = SHAPE("event", event, event_fields);

/* Of a webhook, what laying a delivery for it needs. */
struct listener { const char *id, *types; bool enabled; };

static const struct field listener_fields[] = { TEXT(listener, id), TEXT(listener, types), NUMBER(listener, enabled) };
static const struct shape listeners = SHAPE("webhook", listener, listener_fields);

static bool wants(const struct listener *l, const char *type)
{
	struct slice rest = slice_str(l->types), wanted = slice_str(type);

	while (rest.len) {
		struct slice one = slice_cut(&rest, ' ');

		if (slice_equal(one, slice_str("*")) || slice_equal(one, wanted))
			return true;
	}
	return false;
}

static bool lay_one(struct txn *t, const struct listener *l, const struct event *e, int64_t seq, int64_t id, struct error *err)
{
	return run(t, err, "INSERT INTO deliveries (id, webhook, account, event, place, held, tries, next_try, delivered, status)"
	           " VALUES ($1, $2, $3, $4, CASE WHEN EXISTS (SELECT 1 FROM deliveries WHERE webhook = $2 AND account = $3 AND place = 'first')"
	           " THEN 'behind' ELSE 'first' END, $5, 0, 0, 0, 0)",
	           WITH(a_number(id), a_text(l->id), a_text(e->account ? e->account : ""), a_number(seq), a_number(!l->enabled)));
}

static bool lay_deliveries(struct txn *t, const struct event *e, int64_t seq, struct error *err)
{
	CLEANUP(arena) struct arena *work = arena_new();
	struct listener *l;
	size_t           count, wanting = 0;
	int64_t          id;

	l = read_all(t, work, &listeners, &count, err, "SELECT id, types, enabled FROM webhooks WHERE workspace = $1", WITH(a_text(e->workspace)));
	if (!l)
		return false;
	for (size_t i = 0; i < count; i++)
		if (wants(&l[i], e->type))
			l[wanting++] = l[i];
	if (wanting && !numbers(t, "delivery", (int64_t)wanting, &id, err))
		return false;
	for (size_t i = 0; i < wanting; i++)
		if (!lay_one(t, &l[i], e, seq, id + (int64_t)i, err))
			return false;
	return true;
}

bool event_append(struct txn *t, const struct event *given, int64_t *seq_out, struct error *err)
{
	struct event e = *given;

	if (!numbers(t, "event", 1, &e.seq, err)
	    || !insert_row(t, err, &events, &e, "INSERT INTO events (" EVENT ") VALUES ($1, $2, $3, $4, $5, $6, $7)")
	    || !lay_deliveries(t, &e, e.seq, err))
		return false;
	if (seq_out)
		*seq_out = e.seq;
	return true;
}

bool event_list(struct txn *t, struct arena *into, const char *workspace, const char *account, const char *type,
                int64_t after, size_t most, struct event **out, size_t *count, struct error *err)
{
	struct ask a = { 0 };

	ask_add(&a, "SELECT " EVENT " FROM events");
	ask_value(&a, "seq >", a_number(after));
	ask_text(&a, "workspace =", workspace);
	ask_text(&a, "account =", account);
	ask_text(&a, "type =", type);
	ask_end(&a, "ORDER BY seq LIMIT", a_number(bounded(most)));
	return (*out = read_all(t, into, &events, count, err, a.sql, a.value, a.count)) != NULL;
}

bool event_last(struct txn *t, int64_t *seq_out, struct error *err)
{
	return read_number(t, seq_out, 0, err, "SELECT value FROM counters WHERE name = 'event'", WITHOUT);
}

bool event_forget(struct txn *t, int64_t before, struct error *err)
{
	int64_t end;

	/* the oldest come first, so this reads only what goes; after a jump of the clock it goes a little later */
	return read_number(t, &end, INT64_MAX, err, "SELECT seq FROM events WHERE created >= $1 ORDER BY seq LIMIT 1", WITH(a_number(before)))
	    && run(t, err, "DELETE FROM deliveries WHERE place IN ('taken', 'given_up') AND event IN (SELECT seq FROM events WHERE seq < $1)",
	           WITH(a_number(end)))
	    && run(t, err, "DELETE FROM events WHERE seq < $1 AND NOT EXISTS (SELECT 1 FROM deliveries WHERE event = events.seq)", WITH(a_number(end)));
}

/* -- webhooks ----------------------------------------------------------------------------------------------------- */

#define WEBHOOK "id, workspace, url, types, enabled, disabled_why, created, last_ok, failing_since"

static const struct field webhook_fields[] = {
	TEXT(webhook, id),        TEXT(webhook, workspace),    TEXT(webhook, url),       TEXT(webhook, types),
	NUMBER(webhook, enabled), TEXT(webhook, disabled_why), NUMBER(webhook, created), NUMBER(webhook, last_ok),
	NUMBER(webhook, failing_since),
};
static const struct shape webhooks = SHAPE("webhook", webhook, webhook_fields);

bool webhook_insert(struct txn *t, const struct webhook *w, struct error *err)
{
	return insert_row(t, err, &webhooks, w, "INSERT INTO webhooks (" WEBHOOK ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)");
}

bool webhook_get(struct txn *t, struct arena *into, const char *workspace, const char *id, struct webhook *out, struct error *err)
{
	struct ask a = { 0 };

	ask_add(&a, "SELECT " WEBHOOK " FROM webhooks");
	ask_value(&a, "id =", a_text(id));
	ask_text(&a, "workspace =", workspace);
	return read_one(t, into, &webhooks, out, err, a.sql, a.value, a.count);
}

bool webhook_update(struct txn *t, const struct webhook *w, struct error *err)
{
	return update_row(t, err, &webhooks, w, "UPDATE webhooks SET url = $3, types = $4, enabled = $5, disabled_why = $6, last_ok = $8,"
	                  " failing_since = $9 WHERE id = $1 AND workspace = $2")
	    && run(t, err, "UPDATE deliveries SET held = $2 WHERE webhook = $1 AND place = 'first' AND held <> $2",
	           WITH(a_text(w->id), a_number(!w->enabled)));
}

bool webhook_heard(struct txn *t, const char *id, int64_t last_ok, int64_t failing_since, struct error *err)
{
	return run(t, err, "UPDATE webhooks SET last_ok = $2, failing_since = $3 WHERE id = $1", WITH(a_text(id), a_number(last_ok), a_number(failing_since)));
}

bool webhook_delete(struct txn *t, const char *workspace, const char *id, struct error *err)
{
	int64_t there;

	if (!read_number(t, &there, 0, err, "SELECT 1 FROM webhooks WHERE id = $1 AND workspace = $2", WITH(a_text(id), a_text(workspace))))
		return false;
	if (!there)
		return fail(err, FAULT_ABSENT, "there is no such webhook");
	return run(t, err, "DELETE FROM deliveries WHERE webhook = $1", WITH(a_text(id)))
	    && run(t, err, "DELETE FROM sealed WHERE owner = $1", WITH(a_text(id)))
	    && run(t, err, "DELETE FROM webhooks WHERE id = $1", WITH(a_text(id)));
}

bool webhook_list(struct txn *t, struct arena *into, const char *workspace, struct webhook **out, size_t *count, struct error *err)
{
	struct ask a = { 0 };

	ask_add(&a, "SELECT " WEBHOOK " FROM webhooks");
	ask_text(&a, "workspace =", workspace);
	ask_add(&a, " ORDER BY created, id");
	return (*out = read_all(t, into, &webhooks, count, err, a.sql, a.value, a.count)) != NULL;
}

/* -- deliveries --------------------------------------------------------------------------------------------------- */

#define DELIVERY                                                                                                              \
	"SELECT d.id, d.webhook, e.seq, e.id, e.workspace, e.account, e.type, e.data, e.created, d.tries, d.next_try, "       \
	"d.delivered, CASE WHEN d.place = 'given_up' THEN 1 ELSE 0 END, d.status, d.note FROM deliveries d JOIN events e ON e.seq = d.event"

static const struct field delivery_fields[] = {
	NUMBER(delivery, id),            TEXT(delivery, webhook),       NUMBER(delivery, event.seq), TEXT(delivery, event.id),
	TEXT(delivery, event.workspace), TEXT(delivery, event.account), TEXT(delivery, event.type),  TEXT(delivery, event.data),
	NUMBER(delivery, event.created), NUMBER(delivery, tries),       NUMBER(delivery, next_try),  NUMBER(delivery, delivered),
	NUMBER(delivery, given_up),      NUMBER(delivery, status),      TEXT(delivery, note),
};
static const struct shape deliveries = SHAPE("delivery", delivery, delivery_fields);

/* Whose queue a delivery stands in. */
struct queue { const char *webhook, *account; };

static const struct field queue_fields[] = { TEXT(queue, webhook), TEXT(queue, account) };
static const struct shape queues = SHAPE("delivery that waits", queue, queue_fields);

static const struct field waiting_fields[] = { TEXT(webhook_waits, webhook), NUMBER(webhook_waits, due) };
static const struct shape waitings = SHAPE("delivery that waits", webhook_waits, waiting_fields);

#define OPEN "place = 'first' AND held = 0"

/* From one webhook in the index to the next: as many steps as there are webhooks, however much waits for each. */
bool delivery_waiting(struct txn *t, struct arena *into, struct webhook_waits **out, size_t *count, struct error *err)
{
	return (*out = read_all(t, into, &waitings, count, err,
	                        "WITH RECURSIVE w (id) AS (SELECT MIN(webhook) FROM deliveries WHERE " OPEN
	                        " UNION ALL SELECT (SELECT MIN(webhook) FROM deliveries WHERE " OPEN " AND webhook > w.id) FROM w WHERE w.id IS NOT NULL)"
	                        " SELECT id, (SELECT MIN(next_try) FROM deliveries WHERE " OPEN " AND webhook = w.id) FROM w WHERE id IS NOT NULL",
	                        WITHOUT)) != NULL;
}

bool delivery_due(struct txn *t, struct arena *into, const char *webhook, int64_t now, size_t most, struct delivery **out, size_t *count,
                  struct error *err)
{
	return (*out = read_all(t, into, &deliveries, count, err,
	                        DELIVERY " WHERE d.webhook = $1 AND d.place = 'first' AND d.held = 0 AND d.next_try <= $2 ORDER BY d.next_try, d.id LIMIT $3",
	                        WITH(a_text(webhook), a_number(now), a_number(bounded(most))))) != NULL;
}

bool delivery_hasten(struct txn *t, int64_t latest, struct error *err)
{
	return run(t, err, "UPDATE deliveries SET next_try = $1 WHERE place = 'first' AND next_try > $1", WITH(a_number(latest)));
}

/* The next one of a queue comes to its front, unless one is there. */
static bool move_up(struct txn *t, const struct queue *q, struct error *err)
{
	return run(t, err, "UPDATE deliveries SET place = 'first', held = (SELECT 1 - enabled FROM webhooks WHERE id = $1)"
	           " WHERE id = (SELECT MIN(id) FROM deliveries WHERE webhook = $1 AND account = $2 AND place = 'behind')"
	           " AND NOT EXISTS (SELECT 1 FROM deliveries WHERE webhook = $1 AND account = $2 AND place = 'first')",
	           WITH(a_text(q->webhook), a_text(q->account)));
}

bool delivery_taken(struct txn *t, int64_t id, int status, int64_t now, struct error *err)
{
	CLEANUP(arena) struct arena *work = arena_new();
	struct queue q;

	return read_one(t, work, &queues, &q, err, "UPDATE deliveries SET place = 'taken', delivered = $2, status = $3, note = NULL"
	                " WHERE id = $1 AND place = 'first' RETURNING webhook, account",
	                WITH(a_number(id), a_number(now), a_number(status)))
	    && move_up(t, &q, err);
}

bool delivery_failed(struct txn *t, int64_t id, int status, const char *note, int64_t next_try, bool give_up, struct error *err)
{
	CLEANUP(arena) struct arena *work = arena_new();
	struct queue q;

	return read_one(t, work, &queues, &q, err, "UPDATE deliveries SET tries = tries + 1, status = $2, note = $3, next_try = $4,"
	                " place = CASE WHEN $5 = 1 THEN 'given_up' ELSE place END"
	                " WHERE id = $1 AND place = 'first' RETURNING webhook, account",
	                WITH(a_number(id), a_number(status), a_text(note), a_number(next_try), a_number(give_up)))
	    && (!give_up || move_up(t, &q, err));
}

bool delivery_replay(struct txn *t, const char *webhook, int64_t from_seq, int64_t now, int64_t *count, struct error *err)
{
	int64_t enabled, again;

	if (!read_number(t, &enabled, -1, err, "SELECT enabled FROM webhooks WHERE id = $1", WITH(a_text(webhook))))
		return false;
	if (enabled < 0)
		return fail(err, FAULT_ABSENT, "there is no such webhook");
	/* its numbers are in the order of the events, so the queues are in order again once each has its first one */
	if (!read_number(t, &again, 0, err, "SELECT COUNT(*) FROM deliveries WHERE webhook = $1 AND event >= $2", WITH(a_text(webhook), a_number(from_seq)))
	    || !run(t, err, "UPDATE deliveries SET place = 'behind' WHERE webhook = $1 AND place = 'first'", WITH(a_text(webhook)))
	    || !run(t, err, "UPDATE deliveries SET place = 'behind', tries = 0, next_try = $3, delivered = 0, status = 0, note = NULL"
	            " WHERE webhook = $1 AND event >= $2", WITH(a_text(webhook), a_number(from_seq), a_number(now)))
	    || !run(t, err, "UPDATE deliveries SET place = 'first', held = $2 WHERE id IN"
	            " (SELECT MIN(id) FROM deliveries WHERE webhook = $1 AND place = 'behind' GROUP BY account)",
	            WITH(a_text(webhook), a_number(!enabled))))
		return false;
	*count = again;
	return true;
}

bool delivery_list(struct txn *t, struct arena *into, const char *webhook, int64_t before_id, size_t most,
                   struct delivery **out, size_t *count, struct error *err)
{
	return (*out = read_all(t, into, &deliveries, count, err,
	                        DELIVERY " WHERE d.webhook = $1 AND d.id < $2 ORDER BY d.id DESC LIMIT $3",
	                        WITH(a_text(webhook), a_number(before_id ? before_id : INT64_MAX), a_number(bounded(most))))) != NULL;
}

bool delivery_counts(struct txn *t, int64_t *waiting, int64_t *given_up, struct error *err)
{
	int64_t first, behind, lost;

	/* each from its own index */
	if (!read_number(t, &first, 0, err, "SELECT COUNT(*) FROM deliveries WHERE place = 'first'", WITHOUT)
	    || !read_number(t, &behind, 0, err, "SELECT COUNT(*) FROM deliveries WHERE place = 'behind'", WITHOUT)
	    || !read_number(t, &lost, 0, err, "SELECT COUNT(*) FROM deliveries WHERE place = 'given_up'", WITHOUT))
		return false;
	*waiting = first + behind;
	*given_up = lost;
	return true;
}
