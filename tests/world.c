#include "world.h"

#include <assert.h>
#include <stdlib.h>
#include <strings.h>

#include "errands.h"
#include "test.h"

#define TABLE 200
#define ASKED 2000

struct record {
	const char      *name, *text;
	enum dns_type    type;
	enum dns_outcome outcome;      /* DNS_FOUND: `text` is a record */
	int              extended;
};

struct page {
	const char *url, *head, *body;
	int         status;
	enum came   came;
};

struct place {
	const char    *name;
	struct address address;
	enum came      came;
	int            late;
};

struct node {
	struct node *next, *parent;
	struct task *task;
	struct want  want;
	bool         waiting, ready, called_off;
	int64_t      due, wait_ends, life_ends;
	enum came    came;             /* at `due` */
	int          late_answers;
};

struct world {
	struct arena *job;
	struct record record[TABLE];
	struct page   page[TABLE];
	struct place  place[TABLE];
	size_t        records, pages, places, asked_count;
	struct { enum want_kind kind; const char *text; } asked[ASKED];
	bool          authentic, stopping;
	int64_t       now, stop_at;
	struct node  *nodes;
	enum came   (*lines)(void *, struct want *);
	void         *lines_self;
};

struct world *world_new(void)
{
	struct world *w = must_alloc(sizeof *w);

	w->job = arena_new();
	w->stop_at = INT64_MAX;
	return w;
}

void world_free(struct world *w)
{
	if (!w)
		return;
	arena_free(w->job);
	free(w);
}

/* -- the tables --------------------------------------------------------------------------------------------------- */

static struct record *add_record(struct world *w, const char *name, enum dns_type type)
{
	assert(w->records < TABLE);
	w->record[w->records] = (struct record){ .name = arena_str(w->job, name), .type = type, .extended = -1 };
	return &w->record[w->records++];
}

void world_dns(struct world *w, const char *name, enum dns_type type, const char *record)
{
	add_record(w, name, type)->text = arena_str(w->job, record);
}

void world_dns_fails(struct world *w, const char *name, enum dns_type type, enum dns_outcome outcome, int extended)
{
	struct record *r = add_record(w, name, type);

	r->outcome = outcome;
	r->extended = extended;
}

void world_dns_authentic(struct world *w)
{
	w->authentic = true;
}

static struct page *add_page(struct world *w, const char *url)
{
	assert(w->pages < TABLE);
	w->page[w->pages] = (struct page){ .url = arena_str(w->job, url), .came = CAME };
	return &w->page[w->pages++];
}

void world_url(struct world *w, const char *url, int status, const char *head, const char *body)
{
	struct page *p = add_page(w, url);

	p->status = status;
	p->head = head ? arena_str(w->job, head) : "";
	p->body = body ? arena_str(w->job, body) : "";
}

void world_url_fails(struct world *w, const char *url, enum came came)
{
	add_page(w, url)->came = came;
}

static struct place *add_place(struct world *w, const char *name)
{
	assert(w->places < TABLE);
	w->place[w->places] = (struct place){ .name = arena_str(w->job, name), .came = CAME };
	return &w->place[w->places++];
}

void world_address_fails(struct world *w, const char *address, enum came came)
{
	struct place *p = add_place(w, address);
	bool          good = address_parse(address, &p->address);

	assert(good);
	p->came = came;
}

void world_late(struct world *w, const char *name_or_url, int ms)
{
	add_place(w, name_or_url)->late = ms;
}

void world_lines(struct world *w, enum came (*answer)(void *, struct want *), void *self)
{
	w->lines = answer;
	w->lines_self = self;
}

void world_stop_at(struct world *w, int64_t ms)
{
	w->stop_at = ms;
}

static int lateness(const struct world *w, const char *name)
{
	for (size_t i = 0; i < w->places; i++)
		if (w->place[i].late && strcasecmp(w->place[i].name, name) == 0)
			return w->place[i].late;
	return 1;
}

static void note(struct world *w, enum want_kind kind, const char *text)
{
	assert(w->asked_count < ASKED);
	w->asked[w->asked_count].kind = kind;
	w->asked[w->asked_count++].text = text;
}

int64_t world_now(const struct world *w)
{
	return w->now;
}

size_t world_count(const struct world *w, enum want_kind kind, const char *has)
{
	size_t n = 0;

	for (size_t i = 0; i < w->asked_count; i++)
		n += w->asked[i].kind == kind && slice_has(slice_str(w->asked[i].text), has);
	return n;
}

const char *world_asked(const struct world *w, size_t n, enum want_kind *kind)
{
	if (n >= w->asked_count)
		return NULL;
	*kind = w->asked[n].kind;
	return w->asked[n].text;
}

/* -- DNS ---------------------------------------------------------------------------------------------------------- */

struct question {
	const char *name;
	unsigned    type;
	bool        no_checking;
	size_t      len;           /* of header and question in the query */
};

static struct question read_question(struct world *w, struct slice query)
{
	struct question q = { .no_checking = query.at[3] & 0x10 };
	struct buffer   name;
	size_t          at = 12;

	buffer_init(&name, 300);
	while (query.at[at]) {
		size_t len = (unsigned char)query.at[at];

		if (buffer_held(&name).len)
			buffer_add_str(&name, ".");
		buffer_add(&name, slice(query.at + at + 1, len));
		at += len + 1;
	}
	q.name = arena_copy(w->job, buffer_held(&name));
	buffer_release(&name);
	q.type = (unsigned)((unsigned char)query.at[at + 1] << 8 | (unsigned char)query.at[at + 2]);
	q.len = at + 5;
	return q;
}

static void put8(struct buffer *b, unsigned n)
{
	char byte = (char)n;

	buffer_add(b, slice(&byte, 1));
}

static void put16(struct buffer *b, unsigned n)
{
	put8(b, n >> 8);
	put8(b, n & 255);
}

static void put_name(struct buffer *b, struct slice name)
{
	while (name.len) {
		struct slice label = slice_cut(&name, '.');

		if (label.len == 0)
			break;
		put8(b, (unsigned)label.len);
		buffer_add(b, label);
	}
	put8(b, 0);
}

static unsigned take_number(struct slice *rest)
{
	unsigned long long n = 0;
	bool               good = slice_number(slice_cut(rest, ' '), 65535, &n);

	assert(good);
	return (unsigned)n;
}

static void put_data(struct buffer *b, const struct record *r)
{
	struct slice   text = slice_str(r->text);
	struct address address;

	switch (r->type) {
	case DNS_A:
	case DNS_AAAA:
		if (address_parse(r->text, &address))
			buffer_add(b, slice((const char *)address.bytes, r->type == DNS_A ? 4 : 16));
		break;
	case DNS_MX:
		put16(b, take_number(&text));
		put_name(b, text);
		break;
	case DNS_SRV:
		put16(b, take_number(&text));
		put16(b, take_number(&text));
		put16(b, take_number(&text));
		put_name(b, text);
		break;
	case DNS_TXT:
		assert(text.len < 256);
		put8(b, (unsigned)text.len);
		buffer_add(b, text);
		break;
	default:
		put_name(b, text);
		break;
	}
}

static void put_record(struct buffer *b, const struct record *r)
{
	struct buffer data;

	buffer_init(&data, 2000);
	put_data(&data, r);
	put_name(b, slice_str(r->name));
	put16(b, r->type);
	put16(b, 1);
	put16(b, 0);
	put16(b, 300);
	put16(b, (unsigned)buffer_held(&data).len);
	buffer_add(b, buffer_held(&data));
	buffer_release(&data);
}

static const struct record *failure_of(const struct world *w, const struct question *q, const char *name)
{
	for (size_t i = 0; i < w->records; i++)
		if (w->record[i].outcome != DNS_FOUND && w->record[i].type == q->type && strcasecmp(w->record[i].name, name) == 0)
			return &w->record[i];
	return NULL;
}

/* A name exists when anything stands at it or below it (RFC 8020). */
static bool exists(const struct world *w, const char *name)
{
	const char *below = arena_print(w->job, ".%s", name);

	for (size_t i = 0; i < w->records; i++)
		if ((w->record[i].outcome == DNS_FOUND || w->record[i].outcome == DNS_NO_DATA)
		    && (strcasecmp(w->record[i].name, name) == 0 || slice_ends(slice_str(w->record[i].name), below)))
			return true;
	return false;
}

/* The records for the question, following aliases; how many. */
static unsigned put_answers(struct buffer *b, const struct world *w, const struct question *q, const char **name)
{
	unsigned count = 0;

	for (int aliases = 0; aliases < 10; aliases++) {
		const struct record *alias = NULL;

		for (size_t i = 0; i < w->records; i++) {
			const struct record *r = &w->record[i];

			if (r->outcome != DNS_FOUND || strcasecmp(r->name, *name) != 0)
				continue;
			if (r->type == q->type || r->type == DNS_CNAME) {
				put_record(b, r);
				count++;
			}
			if (r->type == DNS_CNAME && q->type != DNS_CNAME)
				alias = r;
		}
		if (!alias)
			break;
		*name = alias->text;
	}
	return count;
}

static void put_message(struct buffer *out, const struct world *w, const struct question *q, struct slice query,
                        unsigned rcode, int extended, unsigned count, struct slice answers)
{
	buffer_add(out, slice_upto(query, 2));
	put16(out, 0x8180 | (w->authentic ? 0x20 : 0) | rcode);
	put16(out, 1);
	put16(out, count);
	put16(out, 0);
	put16(out, extended >= 0);
	buffer_add(out, slice(query.at + 12, q->len - 12));
	buffer_add(out, answers);
	if (extended >= 0) {
		put8(out, 0);
		put16(out, 41);
		put16(out, 1232);
		put16(out, 0);
		put16(out, 0);
		put16(out, 6);
		put16(out, 15);
		put16(out, 2);
		put16(out, (unsigned)extended);
	}
}

static enum came answer_dns(struct world *w, struct want *want)
{
	struct question      q = read_question(w, want->query);
	const struct record *failure = failure_of(w, &q, q.name);
	const char          *name = q.name;
	struct buffer        answers;
	unsigned             count, rcode = 0;

	buffer_clear(&want->dns->reply);
	buffer_init(&answers, 60000);
	count = put_answers(&answers, w, &q, &name);
	if (!failure && count == 0)
		failure = exists(w, q.name) ? NULL : failure_of(w, &q, "*");
	if (failure && (failure->outcome == DNS_SERVER_FAILED || (failure->outcome == DNS_BOGUS && !q.no_checking)))
		rcode = 2;
	else if (failure && failure->outcome == DNS_SERVER_REFUSED)
		rcode = 5;
	else if (count == 0 && !exists(w, name))
		rcode = 3;
	if (failure && failure->outcome == DNS_BROKEN)
		buffer_add_str(&want->dns->reply, "garbage");
	else
		put_message(&want->dns->reply, w, &q, want->query, rcode, failure ? failure->extended : -1,
		            rcode ? 0 : count, rcode ? slice("", 0) : buffer_held(&answers));
	buffer_release(&answers);
	return CAME;
}

static void begin_dns(struct world *w, struct node *n)
{
	static const struct { unsigned type; const char *name; } types[] = {
		{ DNS_A, "A" }, { DNS_AAAA, "AAAA" }, { DNS_MX, "MX" }, { DNS_SRV, "SRV" }, { DNS_TXT, "TXT" }, { DNS_CNAME, "CNAME" },
	};
	struct question      q = read_question(w, n->want.query);
	const struct record *failure = failure_of(w, &q, q.name);
	const char          *type = "?";

	if (!failure && !exists(w, q.name))
		failure = failure_of(w, &q, "*");
	for (size_t i = 0; i < COUNT(types); i++)
		if (types[i].type == q.type)
			type = types[i].name;
	note(w, WANT_DNS, arena_print(w->job, "%s %s", type, q.name));
	n->due = w->now + (failure && failure->outcome == DNS_SILENT ? WORLD_NEVER : lateness(w, q.name));
}

/* -- HTTP --------------------------------------------------------------------------------------------------------- */

static const struct page *find_page(const struct world *w, const char *url)
{
	struct slice bare = slice_upto(slice_str(url), slice_find(slice_str(url), '?'));

	for (size_t i = 0; i < w->pages; i++)
		if (strcmp(w->page[i].url, url) == 0)
			return &w->page[i];
	for (size_t i = 0; i < w->pages; i++)
		if (slice_equal(slice_str(w->page[i].url), bare))
			return &w->page[i];
	return NULL;
}

static enum came answer_http(struct world *w, struct want *want)
{
	const struct page  *p = find_page(w, want->request->url);
	struct http_answer *a = want->http;

	for (size_t i = 0; i < w->places; i++)
		if (w->place[i].came != CAME && address_equal(&w->place[i].address, &want->request->address))
			return w->place[i].came;
	if (p && p->came != CAME)
		return p->came;
	a->status = p ? p->status : 404;
	if (!buffer_print(&a->head, "HTTP/1.1 %d x\r\n%s%s", a->status, p ? p->head : "", p && *p->head ? "\r\n" : ""))
		return CAME_FULL;
	return buffer_add_str(&a->body, p ? p->body : "nothing here") ? CAME : CAME_FULL;
}

static void begin_http(struct world *w, struct node *n)
{
	const struct http_request *r = n->want.request;
	struct slice               bare = slice_upto(slice_str(r->url), slice_find(slice_str(r->url), '?'));
	const struct page         *p = find_page(w, r->url);

	note(w, WANT_HTTP, arena_print(w->job, "%s %s", r->method, r->url));
	n->due = w->now + lateness(w, arena_copy(w->job, bare));
	if (p && p->came == CAME_TIMEOUT)
		n->due = w->now + WORLD_NEVER;
	for (size_t i = 0; i < w->places; i++)
		if (w->place[i].came == CAME_TIMEOUT && address_equal(&w->place[i].address, &r->address))
			n->due = w->now + WORLD_NEVER;
}

/* -- the loop ----------------------------------------------------------------------------------------------------- */

static struct node *begin_node(struct world *w, struct task *t, struct node *parent)
{
	struct node *n = must_alloc(sizeof *n), **last = &w->nodes;

	n->task = t;
	n->parent = parent;
	n->ready = true;
	n->life_ends = parent ? parent->life_ends : INT64_MAX;
	if (t->wait_ms > 0 && w->now + t->wait_ms < n->life_ends)
		n->life_ends = w->now + t->wait_ms;
	n->want.came = CAME_NOTHING;
	t->state = TASK_RUNNING;
	while (*last)
		last = &(*last)->next;
	*last = n;
	return n;
}

static void drop_node(struct world *, struct node *, enum task_state);

static void drop_children(struct world *w, const struct node *parent)
{
	for (struct node *n = w->nodes; n;) {
		if (n->parent == parent) {
			drop_node(w, n, TASK_CANCELLED);
			n = w->nodes;
		} else {
			n = n->next;
		}
	}
}

static void drop_node(struct world *w, struct node *n, enum task_state state)
{
	struct node **at = &w->nodes;

	drop_children(w, n);
	while (*at != n)
		at = &(*at)->next;
	*at = n->next;
	n->task->state = state;
	free(n);
}

static void answer(struct node *n, enum came came)
{
	n->waiting = false;
	n->ready = true;
	n->want.came = came;
}

static void cancel_children(struct world *w, struct node *n)
{
	drop_children(w, n);
	for (size_t i = 0; i < n->want.children->count; i++)
		if (n->want.children->task[i]->state == TASK_NEW)
			n->want.children->task[i]->state = TASK_CANCELLED;
}

static bool suffices(const struct children *c)
{
	size_t open = 0, done = 0;

	for (size_t i = 0; i < c->count; i++) {
		open += c->task[i]->state == TASK_RUNNING || c->task[i]->state == TASK_NEW;
		done += c->task[i]->state == TASK_DONE;
	}
	return open == 0 || (c->until == UNTIL_ONE && done);
}

static void begin_children(struct world *w, struct node *n)
{
	struct children *c = n->want.children;

	for (size_t i = 0; i < c->count; i++)
		if (c->task[i]->state == TASK_NEW)
			begin_node(w, c->task[i], n);
	n->due = w->now + WORLD_NEVER;
}

static enum came answer_now(struct world *w, struct node *n)
{
	switch (n->want.kind) {
	case WANT_DNS:  return answer_dns(w, &n->want);
	case WANT_HTTP: return answer_http(w, &n->want);
	default:        return n->came;
	}
}

static void begin_wait(struct world *w, struct node *n)
{
	n->waiting = true;
	n->due = w->now + WORLD_NEVER;
	assert(n->want.wait_ms > 0);
	if (n->want.kind == WANT_COMMIT)      /* has no deadline, and takes none of this world's time */
		return answer(n, answer_commit(&n->want));
	if (w->now >= n->life_ends) {
		if (n->late_answers++ > 50)
			test_fail(__FILE__, __LINE__, "a conversation goes on waiting after its life");
		if (n->want.kind == WANT_CHILDREN)
			cancel_children(w, n);
		answer(n, CAME_TIMEOUT);
		return;
	}
	n->wait_ends = w->now + n->want.wait_ms < n->life_ends ? w->now + n->want.wait_ms : n->life_ends;
	switch (n->want.kind) {
	case WANT_DNS:      begin_dns(w, n); break;
	case WANT_HTTP:     begin_http(w, n); break;
	case WANT_CHILDREN: begin_children(w, n); break;
	case WANT_GATE:
	case WANT_TIME:     break;
	default:
		note(w, n->want.kind, n->want.kind == WANT_CONNECT ? arena_print(w->job, "%s:%u", n->want.host, n->want.port) : "");
		assert(w->lines);
		n->came = w->lines(w->lines_self, &n->want);
		n->due = n->came == CAME_NOTHING ? n->due : w->now + 1;
		break;
	}
}

static enum task_state step(struct world *w, struct node *n)
{
	enum want_kind kind;

	n->ready = false;
	n->want.now_ms = w->now;
	n->want.now_unix = 1790000000 + w->now / 1000;
	n->want.stopping = w->stopping;
	kind = n->task->step(n->task->self, &n->want, &n->task->err);
	if (kind == WANT_NOTHING)
		return TASK_DONE;
	if (kind == WANT_FAILED)
		return TASK_FAILED;
	n->want.kind = kind;
	begin_wait(w, n);
	return TASK_RUNNING;
}

/* One whose wait is over without any time passing: a gate that is open, children that suffice. */
static bool settle_one(struct world *w)
{
	for (struct node *n = w->nodes; n; n = n->next) {
		if (n->waiting && n->want.kind == WANT_GATE && n->want.gate->open) {
			answer(n, CAME);
			return true;
		}
		if (n->waiting && n->want.kind == WANT_CHILDREN && suffices(n->want.children)) {
			cancel_children(w, n);
			answer(n, n->called_off ? CAME_CANCELLED : CAME);
			n->called_off = false;
			return true;
		}
	}
	return false;
}

static bool step_one(struct world *w)
{
	for (struct node *n = w->nodes; n; n = n->next)
		if (n->ready) {
			enum task_state state = step(w, n);

			if (state != TASK_RUNNING)
				drop_node(w, n, state);
			return true;
		}
	return false;
}

static void call_off(struct world *w)
{
	w->stopping = true;
	w->now = w->stop_at;
	w->stop_at = INT64_MAX;
	for (struct node *n = w->nodes; n; n = n->next)
		if (n->waiting && n->want.kind == WANT_CHILDREN)
			n->called_off = true;
		else if (n->waiting)
			answer(n, CAME_CANCELLED);
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static void let_time_pass(struct world *w)
{
	struct node *first = NULL;

	for (struct node *n = w->nodes; n; n = n->next)
		if (n->waiting && (!first || earlier(n->due, n->wait_ends) < earlier(first->due, first->wait_ends)))
			first = n;
	assert(first);
	if (earlier(first->due, first->wait_ends) >= w->stop_at) {
		call_off(w);
		return;
	}
	if (earlier(first->due, first->wait_ends) >= WORLD_NEVER)
		test_fail(__FILE__, __LINE__, "a conversation waits for what will never come");
	w->now = earlier(first->due, first->wait_ends);
	if (first->due < first->wait_ends) {
		answer(first, answer_now(w, first));
		return;
	}
	if (first->want.kind == WANT_CHILDREN)
		cancel_children(w, first);
	/* a pause that has passed is what was wanted, unless the life has passed with it */
	answer(first, first->want.kind == WANT_TIME && first->wait_ends < first->life_ends ? CAME : CAME_TIMEOUT);
}

bool world_run(struct world *w, enum want_kind (*first)(void *, struct want *, struct error *), void *self,
               struct error *err)
{
	struct task task = { .step = first, .self = self };

	begin_node(w, &task, NULL);
	while (task.state == TASK_RUNNING) {
		while (step_one(w) || settle_one(w))
			;
		if (task.state == TASK_RUNNING)
			let_time_pass(w);
	}
	assert(!w->nodes);
	*err = task.err;
	return task.state == TASK_DONE;
}
