#include "model/report.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buffer.h"

/* Length of the valid UTF-8 sequence at the start, 0 when there is none (RFC 3629 §4). */
static size_t utf8_length(const unsigned char *s, size_t left)
{
	size_t n = s[0] < 0x80 ? 1 : (s[0] & 0xe0) == 0xc0 ? 2 : (s[0] & 0xf0) == 0xe0 ? 3 : (s[0] & 0xf8) == 0xf0 ? 4 : 0;

	if (n == 0 || n > left)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((n == 2 && s[0] < 0xc2) || (n == 3 && s[0] == 0xe0 && s[1] < 0xa0) || (n == 3 && s[0] == 0xed && s[1] >= 0xa0)
	    || (n == 4 && s[0] == 0xf0 && s[1] < 0x90) || (n == 4 && (s[0] > 0xf4 || (s[0] == 0xf4 && s[1] >= 0x90))))
		return 0;
	return n;
}

/* Control characters, the second set of them (U+0080 to U+009F), and those that turn the direction of writing round. */
static bool commands_terminal(const unsigned char *c, size_t n)
{
	if (n == 1)
		return *c < 0x20 || *c == 0x7f;
	if (n == 2)
		return c[0] == 0xc2 && c[1] < 0xa0;
	return n == 3 && c[0] == 0xe2 && ((c[1] == 0x80 && c[2] >= 0xaa && c[2] <= 0xae) || (c[1] == 0x81 && c[2] >= 0xa6 && c[2] <= 0xa9));
}

/* What a peer said, made fit to be shown: secrets out first, then the length, then the characters. */
static const char *presentable(const struct report *r, struct slice raw)
{
	CLEANUP(arena) struct arena *work = arena_new();
	/* a secret that is cut in two would not be known again: so they go first, out of all that a peer can say at once */
	struct slice   ours = slice_str(secrets_strike(r->secrets, slice_upto(raw, REPORT_RAW), work));
	struct slice   text = slice_upto(slice_str(secrets_strike(&r->own_secrets, ours, work)), REPORT_VALUE);
	struct buffer  out;
	const char    *copy;

	buffer_init(&out, 3 * REPORT_VALUE + 8);
	for (size_t i = 0; i < text.len;) {
		const unsigned char *c = (const unsigned char *)text.at + i;
		size_t               n = utf8_length(c, text.len - i);

		if (n == 0)
			buffer_add_str(&out, "\xef\xbf\xbd");
		else if (commands_terminal(c, n))
			buffer_add_str(&out, " ");
		else
			buffer_add(&out, slice(text.at + i, n));
		i += n ? n : 1;
	}
	copy = arena_copy(r->job, buffer_held(&out));
	buffer_release(&out);
	return copy;
}

struct report *report_new(const char *address)
{
	struct report *r = must_alloc(sizeof *r);

	r->job = arena_new();
	r->address = presentable(r, slice_str(address));
	r->provider = "auto";
	return r;
}

void report_guard(struct report *r, const struct secrets *secrets)
{
	r->secrets = secrets;
	r->address = presentable(r, slice_str(r->address));
}

void report_secret(struct report *r, struct slice secret)
{
	secrets_know(&r->own_secrets, secret);
}

void report_free(struct report *r)
{
	if (!r)
		return;
	secrets_forget(&r->own_secrets);
	free(r->step);
	free(r->fact);
	free(r->talk);
	arena_free(r->job);
	free(r);
}

/* The next free place of a growing array. */
#define GROW(array, count, room)                                                        \
	do {                                                                            \
		if ((count) == (room)) {                                                \
			(room) = (room) ? 2 * (room) : 32;                              \
			(array) = must_realloc((array), (room) * sizeof *(array));      \
		}                                                                       \
	} while (0)

static void tell(const struct report *r, int step)
{
	if (r->watch)
		r->watch(r->watcher, r, step);
}

static int since_began(struct report *r, int64_t now_ms)
{
	return (int)(now_ms - r->began_ms);
}

int report_attempt(struct report *r)
{
	return r->attempts++;
}

int report_begin(struct report *r, const char *id, int attempt, int64_t now_ms)
{
	int n = (int)r->step_count;

	GROW(r->step, r->step_count, r->step_room);
	r->step[r->step_count++] = (struct step){
		.id = arena_str(r->job, id), .attempt = attempt, .state = STEP_RUNNING, .began_ms = since_began(r, now_ms),
	};
	tell(r, n);
	return n;
}

void report_end(struct report *r, int step, enum step_state state, int64_t now_ms)
{
	assert(step >= 0 && (size_t)step < r->step_count);
	r->step[step].state = state;
	r->step[step].ms = since_began(r, now_ms) - r->step[step].began_ms;
	tell(r, step);
}

void report_skip(struct report *r, const char *id, int attempt, const char *why, int64_t now_ms)
{
	int step = report_begin(r, id, attempt, now_ms);

	r->step[step].skip = why;
	report_end(r, step, STEP_SKIPPED, now_ms);
}

void report_finish(struct report *r)
{
	for (size_t i = 0; i < r->step_count; i++)
		if (r->step[i].state == STEP_RUNNING) {
			r->step[i].skip = "called_off";
			report_end(r, (int)i, STEP_SKIPPED, r->began_ms + r->ms);
		}
}

void report_fact(struct report *r, int step, const char *name, struct slice value)
{
	assert(step >= 0 && (size_t)step < r->step_count);
	if (r->fact_count >= REPORT_FACTS)
		return;
	GROW(r->fact, r->fact_count, r->fact_room);
	r->fact[r->fact_count++] = (struct fact){
		.name = arena_str(r->job, name), .value = presentable(r, value), .step = step,
	};
}

void report_note(struct report *r, int step, const char *name, const char *fmt, ...)
{
	CLEANUP(arena) struct arena *work = arena_new();
	va_list args;

	va_start(args, fmt);
	report_fact(r, step, name, slice_str(arena_vprint(work, fmt, args)));
	va_end(args);
}

void report_talk(struct report *r, int attempt, char from, struct slice text, int64_t now_ms)
{
	const char *kept;

	if (!r->keep_talk || r->talk_bytes > REPORT_TALK)
		return;
	kept = presentable(r, text);
	r->talk_bytes += strlen(kept);
	GROW(r->talk, r->talk_count, r->talk_room);
	r->talk[r->talk_count++] = (struct talk){ .attempt = attempt, .ms = since_began(r, now_ms), .from = from,
		.text = r->talk_bytes > REPORT_TALK ? "(the rest is left out)" : kept };
}

const char *report_value(const struct report *r, int step, const char *name)
{
	for (size_t i = 0; i < r->fact_count; i++)
		if (r->fact[i].step == step && strcmp(r->fact[i].name, name) == 0)
			return r->fact[i].value;
	return NULL;
}

int report_find(const struct report *r, const char *id, int attempt)
{
	for (size_t i = r->step_count; i-- > 0;)
		if ((attempt == NO_ATTEMPT || r->step[i].attempt == attempt) && strcmp(r->step[i].id, id) == 0)
			return (int)i;
	return -1;
}

const char *step_state_name(enum step_state state)
{
	static const char *const name[] = { "running", "passed", "failed", "warned", "skipped" };

	return name[state];
}
