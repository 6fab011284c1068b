#include "serve/doctor_parts.h"
#include "wire/smtp.h"

#define STEP_MS       5000
#define LONGEST_LINE  2000
#define LONGEST_REPLY (16 * 1024)

enum { KNOCK_START, KNOCK_RESOLVE, KNOCK_CONNECT, KNOCK_GREETING, KNOCK_HELLO, KNOCK_STARTTLS, KNOCK_TLS, KNOCK_QUIT };

void knock_init(struct knock *k, struct arena *job, const char *host, uint16_t port, bool speak)
{
	*k = (struct knock){ .host = host, .port = port, .speak = speak, .job = job, .dns = DNS_SILENT, .came = CAME_NOTHING,
	                      .secured = CAME_NOTHING };
	line_init(&k->line, LONGEST_LINE + LONGEST_REPLY, 1024);
	k->reader = smtp_reader_new(LONGEST_LINE, LONGEST_REPLY);
}

void knock_release(struct knock *k)
{
	if (k->resolving)
		resolve_release(&k->resolve);
	line_release(&k->line);
	smtp_reader_free(k->reader);
	k->resolving = false;
	k->reader = NULL;
}

static void see_reply(struct knock *k, const struct smtp_event *e)
{
	struct slice none;

	k->code = e->code;
	if (k->step == KNOCK_GREETING)
		k->greeting = smtp_text(e, k->job, true);
	if (k->step == KNOCK_HELLO)
		k->offers_tls = e->code == 250 && smtp_offers(e, "STARTTLS", k->job, &none);
}

/* The next reply; WANT_FAILED where none comes. */
static enum want_kind reply(struct knock *k, struct want *w)
{
	size_t            used;
	struct smtp_event e = smtp_next(k->reader, buffer_held(&k->line.in), &used);
	enum came         came;

	if (e.kind == SMTP_REPLY) {
		see_reply(k, &e);
		buffer_drop(&k->line.in, used);
		return WANT_NOTHING;
	}
	came = want_came(w);
	if (e.kind == SMTP_BROKEN || (came != CAME && came != CAME_NOTHING))
		return WANT_FAILED;
	return want_read(w, &k->line, STEP_MS);
}

/* What is wanted, or the end of it where the server is none that we understand. */
#define HEAR(k, w)                                                     \
	do {                                                           \
		enum want_kind wanted_ = reply((k), (w));              \
		if (wanted_ == WANT_FAILED || (wanted_ == WANT_NOTHING && (k)->code / 100 != 2)) \
			return WANT_NOTHING;                           \
		if (wanted_ != WANT_NOTHING)                           \
			return wanted_;                                \
	} while (0)

static enum want_kind resolve(struct knock *k, struct want *w, struct error *err)
{
	enum want_kind wanted;

	if (!k->resolving) {
		resolve_init(&k->resolve, k->job, k->host, STEP_MS);
		k->resolving = true;
	}
	wanted = resolve_step(&k->resolve, w, err);
	if (wanted == WANT_NOTHING || wanted == WANT_FAILED)
		k->dns = k->resolve.outcome;
	return wanted;
}

static void take_addresses(struct knock *k)
{
	for (k->connect.count = 0; k->connect.count < k->resolve.count; k->connect.count++)
		k->connect.tried[k->connect.count].address = k->resolve.address[k->connect.count];
}

enum want_kind knock_step(void *self, struct want *w, struct error *err)
{
	struct knock  *k = self;
	enum want_kind wanted;

	switch (k->step) {
	case KNOCK_START:
		STEP(k, KNOCK_RESOLVE):
		wanted = resolve(k, w, err);
		if (wanted == WANT_FAILED || (wanted == WANT_NOTHING && k->dns != DNS_FOUND))
			return WANT_NOTHING;
		if (wanted != WANT_NOTHING)
			return wanted;
		take_addresses(k);
		AWAIT(k, KNOCK_CONNECT, want_connect(w, &k->line, k->host, k->port, &k->connect, STEP_MS)):
		k->came = want_came(w);
		if (k->came != CAME)
			return WANT_NOTHING;
		k->address = k->connect.tried[k->connect.chosen].address;
		if (!k->speak)
			return WANT_NOTHING;
		STEP(k, KNOCK_GREETING):
		HEAR(k, w);
		buffer_add_str(&k->line.out, k->lmtp ? "LHLO [127.0.0.1]\r\n" : "EHLO [127.0.0.1]\r\n");
		STEP(k, KNOCK_HELLO):
		HEAR(k, w);
		if (k->offers_tls) {
			buffer_add_str(&k->line.out, "STARTTLS\r\n");
			STEP(k, KNOCK_STARTTLS):
			HEAR(k, w);
			AWAIT(k, KNOCK_TLS, want_tls(w, &k->line, k->host, TLS_FULL, &k->tls, STEP_MS)):
			k->secured = want_came(w);
			if (k->secured != CAME)
				return WANT_NOTHING;
		}
		buffer_add_str(&k->line.out, "QUIT\r\n");
		AWAIT(k, KNOCK_QUIT, want_write(w, &k->line, STEP_MS)):
		want_came(w);
	}
	return WANT_NOTHING;
}

/* -- several of them ---------------------------------------------------------------------------------------------- */

struct round {
	struct knock   *item;
	size_t          count;
	int             step;
	struct task     task[CHILDREN_MOST];
	struct children all;
};

static enum want_kind round_step(void *self, struct want *w, struct error *err)
{
	struct round *r = self;

	(void)err;
	switch (r->step) {
	case 0:
		children_init(&r->all, UNTIL_ALL);
		for (size_t i = 0; i < r->count; i++)
			children_add(&r->all, &r->task[i], knock_step, &r->item[i], DOCTOR_WAIT_MS);
		AWAIT(r, 1, want_children(w, &r->all, DOCTOR_WAIT_MS + 1000)):
		want_came(w);
	}
	return WANT_NOTHING;
}

void doctor_knock(struct doctor *d, struct knock *item, size_t count)
{
	struct round *r = arena_get(d->job, sizeof *r);

	r->item = item;
	r->count = count < CHILDREN_MOST ? count : CHILDREN_MOST;
	if (count)
		doctor_converse(d, round_step, r, DOCTOR_WAIT_MS + 2000);
}
