/* promises.h -- what the tests of every session ask: no secret is told, no step left open, no cut leads astray. */
#ifndef TESTS_PROVIDER_PROMISES_H
#define TESTS_PROVIDER_PROMISES_H

#include <string.h>

#include "base/want.h"
#include "model/report.h"
#include "test.h"

#define PASSWORD "hunter22"
#define TOKEN    "ya29.token-of-ann"
#define NONCE    "rOprNGfwEbeRWgbNEkqO"      /* of RFC 7677 */

/* What must never be in a report, whatever happens: as it is, and as the mechanisms say it. */
static const char *const secrets[] = {
	PASSWORD, TOKEN, "p\xc3\xa4ssword", "pencil", "tanstaaftanstaaf", "AGFubkBiaXJjaC5leGFtcGxlAGh1bnRlcjIy", "aHVudGVyMjI",
	"dXNlcj1hbm5AYmlyY2guZXhhbXBsZQFhdXRoPUJlYXJlciB5YTI5LnRva2VuLW9mLWFubgEB", "dHzbZapWIk4jUhN", "YjkxM2E2MDJj", "Yz1iaXdzLH",
};

static inline void no_secret_in(const struct report *r, const char *row)
{
	for (size_t n = 0; n < COUNT(secrets); n++) {
		for (size_t i = 0; i < r->fact_count; i++)
			EXPECT_ROW(!strstr(r->fact[i].value, secrets[n]), row);
		for (size_t i = 0; i < r->talk_count; i++)
			EXPECT_ROW(!strstr(r->talk[i].text, secrets[n]), row);
	}
}

static inline void no_step_is_running(const struct report *r, const char *row)
{
	for (size_t i = 0; i < r->step_count; i++)
		EXPECT_ROW(r->step[i].state != STEP_RUNNING, row);
}

static inline bool has_fact(const struct report *r, const char *id, const char *fact, const char *value)
{
	for (size_t i = 0; i < r->fact_count; i++)
		if (strcmp(r->step[r->fact[i].step].id, id) == 0 && strcmp(r->fact[i].name, fact) == 0 && (!value || strcmp(r->fact[i].value, value) == 0))
			return true;
	return false;
}

static inline enum came hear_line(struct line *l, struct slice *rest, enum came at_end)
{
	struct slice next = slice_upto(*rest, slice_find(*rest, '\n') + 1);

	buffer_clear(&l->out);
	if (next.len == 0)
		return at_end;
	EXPECT(buffer_add(&l->in, next));
	*rest = slice_from(*rest, next.len);
	return CAME;
}

/* A session that hears `heard`, a line a READ, and then `at_end`. True for WANT_NOTHING, false with `err` for WANT_FAILED. */
static inline bool run_cut(enum want_kind (*step)(void *, struct want *, struct error *), void *self, struct slice heard, enum came at_end,
                           struct error *err)
{
	struct want w = { .came = CAME_NOTHING };

	for (int steps = 0;; steps++) {
		enum want_kind kind = step(self, &w, err);

		EXPECT(steps < 1000);
		if (kind <= WANT_FAILED)
			return kind == WANT_NOTHING;
		EXPECT(w.wait_ms > 0);
		w.now_ms++;
		if (kind == WANT_CONNECT) {
			w.line->open = true;
			w.came = CAME;
		} else if (kind == WANT_TLS) {
			*w.tls = (struct tls_answer){ .shook = true, .alert = -1, .verify = "ok", .version = "TLSv1.3" };
			w.line->secure = true;
			w.came = CAME;
		} else {
			w.came = hear_line(w.line, &heard, at_end);
		}
	}
}

/* Neither in a fact nor in what is recorded of the talk. */
static inline void said_nowhere(const struct report *r, const char *const *words, size_t count, const char *row)
{
	for (size_t n = 0; n < count; n++) {
		for (size_t i = 0; i < r->fact_count; i++)
			EXPECT_ROW(!strstr(r->fact[i].value, words[n]), row);
		for (size_t i = 0; i < r->talk_count; i++)
			EXPECT_ROW(!strstr(r->talk[i].text, words[n]), row);
	}
}

#endif
