#include "transcript.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "errands.h"
#include "test.h"

#define NAMES       16
#define BEGAN_UNIX  1795248000      /* Sat, 21 Nov 2026 08:00:00 UTC */
#define LATE_WAITS  50              /* answered at once after the end of the whole, as net/ does */

enum item_kind { ITEM_SERVER, ITEM_CLIENT, ITEM_LITERAL, ITEM_EVENT };

struct item {
	enum item_kind kind;
	int            number;          /* line of the script */
	const char    *name, *text;     /* name "": any line  */
};

struct transcript {
	struct arena     *job;
	struct item      *item;
	size_t            items, at;
	struct { const char *name, *value; } value[NAMES];
	size_t            values;
	struct { const char *name; struct line *line; } line[NAMES];
	size_t            lines;
	struct buffer     pending;      /* of a server's words that come piece by piece */
	struct buffer     said;
	const char       *title;        /* "" or "title: " */
	const char       *tag;          /* first word of what we said last */
	struct tls_answer tls;
	bool              piecemeal, stopping, skipping;
	int64_t           now, life_ends;
	int               late;
};

/* -- the script --------------------------------------------------------------------------------------------------- */

static bool read_item(struct arena *job, struct slice line, struct item *out)
{
	static const struct { const char *mark; enum item_kind kind; } marks[] = {
		{ "C:", ITEM_CLIENT }, { "S:", ITEM_SERVER }, { "L:", ITEM_LITERAL }, { "--", ITEM_EVENT },
	};
	struct slice rest = line, word = slice_cut(&rest, ' '), name = slice("", 0);

	for (int words = 0; words < 2; words++) {
		for (size_t i = 0; i < COUNT(marks); i++)
			if (slice_equal(word, slice_str(marks[i].mark))) {
				*out = (struct item){ .kind = marks[i].kind, .name = arena_copy(job, name),
				                      .text = arena_copy(job, rest) };
				return true;
			}
		name = word;
		word = slice_cut(&rest, ' ');
	}
	return false;
}

static void read_script(struct transcript *t, const char *script)
{
	struct slice rest = slice_str(script);

	for (int number = 1; rest.len; number++) {
		struct slice line = slice_cut(&rest, '\n'), bare = slice_trim(line);

		while (line.len && (line.at[0] == '\t' || line.at[0] == ' '))
			line = slice_from(line, 1);
		if (bare.len == 0 || bare.at[0] == '#')
			continue;
		t->item = must_realloc(t->item, (t->items + 1) * sizeof *t->item);
		if (!read_item(t->job, line, &t->item[t->items]))
			test_fail(__FILE__, __LINE__, "script line %d is none: %.*s", number, (int)line.len, line.at);
		t->item[t->items++].number = number;
	}
}

struct transcript *transcript_new(const char *script)
{
	struct transcript *t = must_alloc(sizeof *t);

	t->job = arena_new();
	t->life_ends = INT64_MAX;
	t->title = t->tag = "";
	t->tls = (struct tls_answer){ .shook = true, .alert = -1, .verify = "ok", .version = "TLSv1.3",
	                              .cipher = "TLS_AES_256_GCM_SHA384" };
	buffer_init(&t->pending, 1024 * 1024);
	buffer_init(&t->said, 1024 * 1024);
	read_script(t, script);
	return t;
}

void transcript_free(struct transcript *t)
{
	if (!t)
		return;
	buffer_release(&t->pending);
	buffer_release(&t->said);
	free(t->item);
	arena_free(t->job);
	free(t);
}

void transcript_set(struct transcript *t, const char *name, const char *value)
{
	assert(t->values < NAMES);
	t->value[t->values].name = arena_print(t->job, "{%s}", name);
	t->value[t->values++].value = arena_str(t->job, value);
}

void transcript_title(struct transcript *t, const char *title)
{
	t->title = arena_print(t->job, "%s: ", title);
}

void transcript_line(struct transcript *t, const char *name, struct line *line)
{
	assert(t->lines < NAMES);
	t->line[t->lines].name = arena_str(t->job, name);
	t->line[t->lines++].line = line;
}

void transcript_piecemeal(struct transcript *t)
{
	t->piecemeal = true;
}

void transcript_life(struct transcript *t, int ms)
{
	t->life_ends = t->now + ms;
}

struct tls_answer *transcript_tls(struct transcript *t)
{
	return &t->tls;
}

int64_t transcript_now(const struct transcript *t)
{
	return t->now;
}

const char *transcript_said(const struct transcript *t)
{
	return arena_copy(t->job, buffer_held(&t->said));
}

static const struct item *next_item(const struct transcript *t)
{
	return t->at < t->items ? &t->item[t->at] : NULL;
}

static const char *mark_of(const struct item *i)
{
	static const char *const mark[] = { "S:", "C:", "L:", "--" };

	return mark[i->kind];
}

__attribute__((noreturn)) static void parted(const struct transcript *t, const char *what)
{
	const struct item *i = next_item(t);

	if (i)
		test_fail(__FILE__, __LINE__, "%s%s\n  script line %d: %s%s%s %s", t->title, what, i->number, i->name,
		          *i->name ? " " : "", mark_of(i), i->text);
	test_fail(__FILE__, __LINE__, "%s%s\n  and the script is at its end", t->title, what);
}

/* -- text with {NAME} in it --------------------------------------------------------------------------------------- */

static const char *put_in(struct transcript *t, const char *text, const char *name, const char *value)
{
	for (const char *at = strstr(text, name); at; at = strstr(text, name))
		text = arena_print(t->job, "%.*s%s%s", (int)(at - text), text, value, at + strlen(name));
	return text;
}

static const char *filled_in(struct transcript *t, const char *text)
{
	for (size_t i = 0; i < t->values; i++)
		text = put_in(t, text, t->value[i].name, t->value[i].value);
	return put_in(t, text, "{TAG}", t->tag);
}

/* Does the text fit the pattern, in which … stands for anything? */
static bool fits(struct slice text, const char *pattern)
{
	static const char any[] = "…";
	const char *gap = strstr(pattern, any);
	size_t      before = gap ? (size_t)(gap - pattern) : strlen(pattern);

	if (text.len < before || memcmp(text.at, pattern, before) != 0)
		return false;
	text = slice_from(text, before);
	if (!gap)
		return text.len == 0;
	for (size_t i = 0; i <= text.len; i++)
		if (fits(slice_from(text, i), gap + strlen(any)))
			return true;
	return false;
}

/* -- our words ---------------------------------------------------------------------------------------------------- */

static bool is_turn_of(const struct transcript *t, const struct item *i, const struct line *l)
{
	if (!*i->name)
		return true;
	for (size_t n = 0; n < t->lines; n++)
		if (t->line[n].line == l && strcmp(t->line[n].name, i->name) == 0)
			return true;
	return false;
}

static void take_word(struct transcript *t, const struct line *l, struct slice word)
{
	const struct item *i = next_item(t);
	struct slice       rest = word;

	if (buffer_held(&t->pending).len)
		parted(t, arena_print(t->job, "said before the server had finished: %.*s", (int)word.len, word.at));
	if (i && i->kind == ITEM_CLIENT && strcmp(i->text, "…") == 0 && is_turn_of(t, i, l)) {
		t->skipping = true;
		i = ++t->at < t->items ? &t->item[t->at] : NULL;
	}
	if (!i || i->kind != ITEM_CLIENT || !is_turn_of(t, i, l) || !fits(word, filled_in(t, i->text))) {
		if (t->skipping)
			return;
		parted(t, arena_print(t->job, "said: %.*s", (int)word.len, word.at));
	}
	t->skipping = false;
	t->at++;
	t->tag = arena_copy(t->job, slice_cut(&rest, ' '));
}

/* All that was to be said on a line, as a carrier would send it with the next wait. */
static void flush(struct transcript *t, struct line *l)
{
	for (struct slice held = buffer_held(&l->out); held.len; held = buffer_held(&l->out)) {
		size_t end = slice_find(held, '\n');

		if (end == held.len || end == 0 || held.at[end - 1] != '\r')
			parted(t, arena_print(t->job, "said a line without CRLF: %.*s", (int)end, held.at));
		buffer_add(&t->said, slice_upto(held, end - 1));
		buffer_add_str(&t->said, "\n");
		take_word(t, l, slice_upto(held, end - 1));
		buffer_drop(&l->out, end + 1);
	}
}

/* -- the server's words ------------------------------------------------------------------------------------------- */

/* One line of the server with the literal that is announced in it, if any. */
static void next_words(struct transcript *t)
{
	const char *text = filled_in(t, t->item[t->at++].text);
	struct buffer literal;

	buffer_init(&literal, 1024 * 1024);
	for (; t->at < t->items && t->item[t->at].kind == ITEM_LITERAL; t->at++)
		buffer_print(&literal, "%s\r\n", filled_in(t, t->item[t->at].text));
	text = put_in(t, text, "{}", arena_print(t->job, "{%zu}", buffer_held(&literal).len));
	buffer_print(&t->pending, "%s\r\n", text);
	buffer_add(&t->pending, buffer_held(&literal));
	buffer_release(&literal);
}

static bool server_goes_on(const struct transcript *t, const struct line *l)
{
	const struct item *i = next_item(t);

	return i && i->kind == ITEM_SERVER && is_turn_of(t, i, l);
}

static enum came hear(struct transcript *t, struct line *l)
{
	size_t len;

	if (!buffer_held(&t->pending).len)
		next_words(t);
	while (!t->piecemeal && server_goes_on(t, l))
		next_words(t);
	len = t->piecemeal ? 1 : buffer_held(&t->pending).len;
	if (!buffer_add(&l->in, slice_upto(buffer_held(&t->pending), len)))
		return CAME_FULL;
	buffer_drop(&t->pending, len);
	return CAME;
}

/* -- events ------------------------------------------------------------------------------------------------------- */

/* What follows the word, when the next thing in the script is that event; else NULL. */
static const char *event(const struct transcript *t, const char *word)
{
	const struct item *i = next_item(t);

	if (!i || i->kind != ITEM_EVENT || !slice_starts(slice_str(i->text), word))
		return NULL;
	return i->text[strlen(word)] == ' ' ? i->text + strlen(word) + 1 : i->text[strlen(word)] ? NULL : "";
}

static int number_of(const struct transcript *t, const char *text)
{
	unsigned long long n;

	if (!slice_number(slice_str(text), 1000000000, &n))
		parted(t, "no number of milliseconds");
	return (int)n;
}

static enum came came_of(const struct transcript *t, const char *name)
{
	if (!*name)
		return CAME;
	for (enum came c = CAME; c <= CAME_CANCELLED; c++)
		if (strcmp(came_name(c), name) == 0)
			return c;
	parted(t, "no such end of a wait");
}

/* Lets time pass, but not beyond the whole. */
static enum came pass(struct transcript *t, int ms)
{
	bool in_time = t->now + ms < t->life_ends;

	t->now = in_time ? t->now + ms : t->life_ends;
	return in_time ? CAME : CAME_TIMEOUT;
}

static bool called_off(struct transcript *t)
{
	if (!event(t, "called off"))
		return false;
	t->at++;
	return t->stopping = true;
}

static enum came read_event(struct transcript *t, struct line *l, int wait_ms)
{
	const char *late = event(t, "late");

	if (late) {
		int ms = number_of(t, late);

		if (ms >= wait_ms)
			parted(t, "later than anybody waits: that is a silence");
		t->at++;
		return pass(t, ms);
	}
	if (event(t, "silence")) {
		t->at++;
		pass(t, wait_ms);
		return CAME_TIMEOUT;
	}
	if (event(t, "end") || event(t, "reset")) {
		enum came came = event(t, "end") ? CAME_END : CAME_RESET;

		t->at++;
		l->ended = true;
		return came;
	}
	return CAME_NOTHING;
}

static enum came answer_read(struct transcript *t, struct line *l, int wait_ms)
{
	enum came came;

	if (!l->open)
		return l->ended ? CAME_END : CAME_RESET;
	flush(t, l);
	if (buffer_held(&t->pending).len)
		return hear(t, l);
	if (l->ended)
		return CAME_END;
	if (called_off(t))
		return CAME_CANCELLED;
	came = read_event(t, l, wait_ms);
	if (came != CAME_NOTHING && came != CAME)
		return came;
	if (!server_goes_on(t, l))
		parted(t, "we wait for the server");
	return hear(t, l);
}

static void drop(struct line *l)
{
	buffer_clear(&l->out);
}

static enum came answer_connect(struct transcript *t, struct want *w)
{
	const char *how = event(t, "connect");
	enum came   came = how ? came_of(t, how) : CAME;

	if (how)
		t->at++;
	for (size_t i = 0; i < w->connect->count && came != CAME; i++)
		w->connect->tried[i].came = came;
	if (came != CAME)
		return came;
	if (w->connect->count)
		w->connect->tried[0].came = CAME;
	w->connect->chosen = 0;
	buffer_clear(&w->line->in);
	buffer_clear(&w->line->out);
	w->line->open = true;
	w->line->secure = w->line->ended = false;
	w->line->carrier = t;
	w->line->drop = drop;
	return CAME;
}

static enum came answer_tls(struct transcript *t, struct want *w)
{
	const char *how;
	enum came   came;

	flush(t, w->line);
	how = event(t, "tls");
	came = how ? came_of(t, how) : CAME;
	if (how)
		t->at++;
	*w->tls = t->tls;
	w->line->handshake = w->tls;
	if (came == CAME && w->how != TLS_OLD_ONLY)
		w->line->secure = true;
	else
		line_close(w->line);
	return came;
}

enum came transcript_answer(void *self, struct want *w)
{
	struct transcript *t = self;

	switch (w->kind) {
	case WANT_CONNECT: return answer_connect(t, w);
	case WANT_TLS:     return answer_tls(t, w);
	case WANT_READ:    return answer_read(t, w->line, w->wait_ms);
	case WANT_WRITE:   return flush(t, w->line), CAME;
	default:           parted(t, "a want that only a world can answer");
	}
}

void transcript_opened(struct transcript *t, struct line *l)
{
	l->open = l->secure = true;
	l->carrier = t;
	l->drop = drop;
}

/* -- a conversation ----------------------------------------------------------------------------------------------- */

static enum came answer_time(struct transcript *t, int wait_ms)
{
	const char *wanted = event(t, "wait");

	if (called_off(t))
		return CAME_CANCELLED;
	if (wanted && number_of(t, wanted) != wait_ms)
		parted(t, arena_print(t->job, "we pause for %d ms", wait_ms));
	if (wanted)
		t->at++;
	return pass(t, wait_ms);
}

static enum came answer_gate(struct transcript *t, const struct want *w)
{
	if (w->gate->open)
		return CAME;
	if (called_off(t))
		return CAME_CANCELLED;
	pass(t, w->wait_ms);
	return CAME_TIMEOUT;
}

static enum came answer(struct transcript *t, struct want *w)
{
	if (w->kind == WANT_COMMIT)
		return answer_commit(w);
	if (w->wait_ms <= 0)
		parted(t, "a wait without an end");
	if (t->now >= t->life_ends) {
		if (t->late++ == LATE_WAITS)
			parted(t, "goes on waiting after its time was up");
		return CAME_TIMEOUT;
	}
	switch (w->kind) {
	case WANT_TIME: return answer_time(t, w->wait_ms);
	case WANT_GATE: return answer_gate(t, w);
	default:        return transcript_answer(t, w);
	}
}

/* What was said and not waited for (a farewell) counts as said. */
void transcript_end(struct transcript *t)
{
	for (size_t i = 0; i < t->lines; i++)
		flush(t, t->line[i].line);
	if (t->at < t->items || buffer_held(&t->pending).len)
		parted(t, "we are at our end");
}

bool transcript_run(struct transcript *t, enum want_kind (*step)(void *, struct want *, struct error *), void *self,
                    struct error *err)
{
	struct want    w = { .came = CAME_NOTHING };
	enum want_kind kind;

	for (;;) {
		w.now_ms = t->now;
		w.now_unix = BEGAN_UNIX + t->now / 1000;
		w.stopping = t->stopping;
		kind = step(self, &w, err);
		if (kind == WANT_NOTHING || kind == WANT_FAILED)
			break;
		w.kind = kind;
		w.came = answer(t, &w);
	}
	transcript_end(t);
	return kind == WANT_NOTHING;
}
