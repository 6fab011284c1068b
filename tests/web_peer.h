/* web_peer.h -- a web server that is written down beforehand, one turn for each request.
 *
 *     { "POST /EWS/Exchange.asmx\n!Authorization", "401 Unauthorized\nWWW-Authenticate: NTLM\n\nno", 0 }
 *
 * What the request must have in it, a piece a line (with ! in front: must not); the answer, head and body with an empty line between,
 * its length is filled in; and what the server does then. An answer NULL: it does that instead of answering. A turn whose answer begins
 * with ! is said as it stands, without a length.
 */
#ifndef TESTS_WEB_PEER_H
#define TESTS_WEB_PEER_H

#include <stdlib.h>

#include "base/want.h"
#include "errands.h"
#include "http_request.h"
#include "test.h"

enum { KEEPS, ENDS, RESETS, IS_SILENT, STOPS };      /* STOPS: the one who waits is called off */

struct turn {
	const char *asked, *answer;
	int         then;
};

/* What the library of tickets is told, and says; a `came` other than CAME ends the wait. */
struct ticket_turn {
	const char         *heard, *say;    /* NULL say ends */
	bool                proven;
	enum ticket_trouble trouble;
	enum came           came;
};

struct web_peer {
	const struct turn *turn;            /* { 0 } ends                                             */
	size_t             at, connects, secrets;
	const char        *row;
	bool               piecemeal, clear;        /* a byte a READ; a handshake that proves nobody   */
	struct buffer      heard, say;
	int                then;
	int64_t            now;
	/* Called before each turn; may be NULL. */
	void             (*before)(struct web_peer *, void *);
	void              *self;
	const struct ticket_turn *tickets;  /* NULL: none are asked for                               */
	size_t             ticket_at;
	const char        *token;           /* stands for {TOKEN} in answers                          */
};

static void web_peer_init(struct web_peer *p, const struct turn *turns, const char *row)
{
	*p = (struct web_peer){ .turn = turns, .row = row };
	buffer_init(&p->heard, 1024 * 1024);
	buffer_init(&p->say, 4 * 1024 * 1024);
}

static void web_peer_end(struct web_peer *p)
{
	if (p->turn[p->at].asked)
		test_fail(__FILE__, __LINE__, "%s: nobody asked: %s", p->row, p->turn[p->at].asked);
	buffer_release(&p->heard);
	buffer_release(&p->say);
}

static void check_asked(const struct web_peer *p, struct slice request, const char *patterns)
{
	struct slice rest = slice_str(patterns);

	while (rest.len) {
		struct slice one = slice_cut(&rest, '\n');
		bool         never = slice_starts(one, "!");
		char         text[200];

		snprintf(text, sizeof text, "%.*s", (int)one.len - never, one.at + never);
		if (slice_has(request, text) == never)
			test_fail(__FILE__, __LINE__, "%s: turn %zu, %s: %s\n%.*s", p->row, p->at, never ? "must not be said" : "was not said", text,
			          (int)request.len, request.at);
	}
}

static void put_answer(struct web_peer *p, const char *answer)
{
	struct slice rest = slice_str(answer), body = slice(NULL, 0);
	size_t       gap = slice_search(rest, "\n\n");

	if (answer[0] == '!') {
		buffer_add(&p->say, slice_from(rest, 1));
		return;
	}
	if (gap < rest.len) {
		body = slice_from(rest, gap + 2);
		rest = slice_upto(rest, gap);
	}
	buffer_print(&p->say, "HTTP/1.1 ");
	while (rest.len) {
		struct slice line = slice_cut(&rest, '\n');

		buffer_print(&p->say, "%.*s\r\n", (int)line.len, line.at);
	}
	buffer_print(&p->say, "Content-Length: %zu\r\n\r\n", body.len);
	buffer_add(&p->say, body);
}

static const char *with_token(struct web_peer *p, const char *answer, struct arena *job)
{
	for (const char *at = p->token ? strstr(answer, "{TOKEN}") : NULL; at; at = strstr(answer, "{TOKEN}"))
		answer = arena_print(job, "%.*s%s%s", (int)(at - answer), answer, p->token, at + strlen("{TOKEN}"));
	return answer;
}

static void take_turn(struct web_peer *p)
{
	size_t             len = whole_request(buffer_held(&p->heard));
	const struct turn *turn = &p->turn[p->at];
	struct arena      *job = arena_new();

	if (p->before)
		p->before(p, p->self);
	if (!turn->asked)
		test_fail(__FILE__, __LINE__, "%s: asked beyond the script: %.*s", p->row, (int)len, buffer_held(&p->heard).at);
	check_asked(p, slice_upto(buffer_held(&p->heard), len), turn->asked);
	p->secrets += slice_has(slice_upto(buffer_held(&p->heard), len), "Authorization: ");
	buffer_drop(&p->heard, len);
	p->at++;
	if (turn->answer)
		put_answer(p, with_token(p, turn->answer, job));
	p->then = turn->then;
	arena_free(job);
}

static enum came peer_hear(struct web_peer *p, struct want *w)
{
	static const enum came ends[] = { [ENDS] = CAME_END, [RESETS] = CAME_RESET, [IS_SILENT] = CAME_TIMEOUT, [STOPS] = CAME_CANCELLED };
	struct line           *l = w->line;
	size_t                 len;

	EXPECT_ROW(l->open, p->row);
	if (p->then == KEEPS || buffer_held(&p->say).len)
		buffer_add(&p->heard, buffer_held(&l->out));
	buffer_clear(&l->out);
	if (!buffer_held(&p->say).len && p->then == KEEPS && whole_request(buffer_held(&p->heard)))
		take_turn(p);
	len = buffer_held(&p->say).len;
	if (len) {
		len = p->piecemeal ? 1 : len > 8192 ? 8192 : len;
		EXPECT_ROW(buffer_add(&l->in, slice_upto(buffer_held(&p->say), len)), p->row);
		buffer_drop(&p->say, len);
		return CAME;
	}
	if (p->then == KEEPS)
		test_fail(__FILE__, __LINE__, "%s: we wait for the server, who waits for us", p->row);
	if (p->then == STOPS)
		w->stopping = true;
	return ends[p->then];
}

static enum came peer_ticket(struct web_peer *p, struct ticket *t)
{
	const struct ticket_turn *turn = p->tickets ? &p->tickets[p->ticket_at++] : NULL;

	EXPECT_ROW(turn && turn->say, p->row);
	EXPECT_ROW(slice_is(t->heard, turn->heard) && t->source && t->host && t->binding.len == 16, p->row);
	buffer_clear(&t->say);
	buffer_add_str(&t->say, turn->say);
	t->proven = turn->proven;
	t->trouble = turn->trouble;
	snprintf(t->principal, sizeof t->principal, "ann@BIRCH.EXAMPLE");
	snprintf(t->reason, sizeof t->reason, "the library's words");
	return turn->came == CAME_NOTHING ? CAME : turn->came;
}

static bool web_peer_run(struct web_peer *, enum want_kind (*step)(void *, struct want *, struct error *), void *self, struct error *);

/* One after the other, in the order they were added: what is written down beforehand has an order. */
static enum came peer_children(struct web_peer *p, struct children *c)
{
	for (size_t i = 0; i < c->count; i++) {
		struct task *t = c->task[i];

		t->err = (struct error){ 0 };
		t->state = web_peer_run(p, t->step, t->self, &t->err) ? TASK_DONE : TASK_FAILED;
	}
	return CAME;
}

static enum came peer_answer(struct web_peer *p, struct want *w, enum want_kind kind)
{
	switch (kind) {
	case WANT_CONNECT:
		p->connects++;
		p->then = KEEPS;
		buffer_clear(&p->heard);
		buffer_clear(&p->say);
		w->line->open = true;
		w->line->secure = w->line->ended = false;
		return CAME;
	case WANT_TLS:
		*w->tls = (struct tls_answer){ .shook = true, .alert = -1, .verify = "ok", .version = "TLSv1.3", .end_point = "0123456789abcdef", .end_point_len = 16 };
		w->line->secure = !p->clear;
		return CAME;
	case WANT_READ:
		return peer_hear(p, w);
	case WANT_TICKET:
		return peer_ticket(p, w->ticket);
	case WANT_COMMIT:
		return answer_commit(w);
	case WANT_CHILDREN:
		return peer_children(p, w->children);
	case WANT_TIME:
		p->now += w->wait_ms;
		return CAME;
	default:
		test_fail(__FILE__, __LINE__, "%s: a want that nobody answers here: %d", p->row, (int)kind);
	}
}

/* True for WANT_NOTHING, false with `err` for WANT_FAILED. */
static bool web_peer_run(struct web_peer *p, enum want_kind (*step)(void *, struct want *, struct error *), void *self, struct error *err)
{
	struct want w = { .came = CAME_NOTHING, .now_unix = 1795248000 };

	for (int steps = 0;; steps++) {
		enum want_kind kind;

		w.now_ms = p->now++;
		kind = step(self, &w, err);
		EXPECT_ROW(steps < 2000000, p->row);
		if (kind <= WANT_FAILED)
			return kind == WANT_NOTHING;
		w.came = peer_answer(p, &w, kind);
	}
}

#endif
