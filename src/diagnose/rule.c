#include "diagnose/rule.h"

#include <assert.h>
#include <ctype.h>

#include "model/hosters.h"

static const struct fact nothing = { .name = "", .value = "" };

/* Inside a word a match means nothing: "AADST50105" is not in "XAADST501057". */
bool words_in(const char *text, const char *words)
{
	struct slice rest = slice_str(text);
	size_t       len = strlen(words);

	for (;;) {
		size_t at = slice_search(rest, words);
		bool   left, right;

		if (at >= rest.len || len == 0)
			return false;
		left = !isalnum((unsigned char)words[0]) || rest.at + at == text || !isalnum((unsigned char)rest.at[at - 1]);
		right = !isalnum((unsigned char)words[len - 1]) || !isalnum((unsigned char)rest.at[at + len]);
		if (left && right)
			return true;
		rest = slice_from(rest, at + 1);
		/* what stands before `rest` is part of the text still: rest.at[-1] is looked at above */
		if (rest.len == 0)
			return false;
	}
}

/* -- one of several, with bars between ------------------------------------------------------------------------------ */

typedef bool fits_fn(const char *value, const char *one);

#define LONGEST_ALTERNATIVE 160

static bool one_fits(const char *several, fits_fn *fits, const char *value)
{
	struct slice rest = slice_str(several);
	char         one[LONGEST_ALTERNATIVE];

	while (rest.at) {
		struct slice next = slice_cut(&rest, '|');

		assert(next.len < sizeof one);
		memcpy(one, next.at, next.len);
		one[next.len] = '\0';
		if (fits(value, one))
			return true;
	}
	return false;
}

static bool is_same(const char *value, const char *one)
{
	return slice_is(slice_str(value), one);
}

static bool starts_with(const char *value, const char *one)
{
	return slice_starts(slice_str(value), one);
}

static bool is_name(const char *value, const char *one)
{
	return strcmp(value, one) == 0;
}

/* -- steps ---------------------------------------------------------------------------------------------------------- */

#define PASTED "explain."

static bool is_pasted(const char *id)
{
	return strncmp(id, PASTED, strlen(PASTED)) == 0;
}

/* The text as it came, kept for whoever reads the report: it is no evidence of anything. */
static bool is_raw(const struct step *step)
{
	return strcmp(step->id, PASTED "text") == 0;
}

static bool pasted_fits(const char *id, const char *tail)
{
	const char *kind = id + strlen(PASTED);
	size_t      protocol = strcspn(tail, ".");

	if (strcmp(kind, "words") == 0)
		return false;
	return tail[protocol] == '\0' || (strlen(kind) == protocol && strncmp(tail, kind, protocol) == 0);
}

static bool is_step(const char *id, const char *tail)
{
	size_t id_len = strlen(id), len = strlen(tail);

	if (is_pasted(id))
		return pasted_fits(id, tail);
	return strcmp(id, tail) == 0 || (id_len > len && id[id_len - len - 1] == '.' && strcmp(id + id_len - len, tail) == 0);
}

/* -- facts ---------------------------------------------------------------------------------------------------------- */

static bool says(const struct fact *f, const struct condition *c)
{
	switch (c->op) {
	case IS:
	case NEVER_IS:  return one_fits(c->value, is_same, f->value);
	case IS_NOT:    return !one_fits(c->value, is_same, f->value);
	case HAS:
	case NEVER_HAS: return one_fits(c->value, words_in, f->value);
	case STARTS:    return one_fits(c->value, starts_with, f->value);
	case ANY:
	case NONE:      return true;
	}
	return false;
}

static bool in_scope(const struct scope *s, const struct fact *f, const struct condition *c)
{
	const struct step *step = &s->report->step[f->step];

	return one_fits(c->fact, is_name, f->name) && (step->attempt == NO_ATTEMPT || step->attempt == s->attempt)
	    && !is_raw(step) && (!c->step || one_fits(c->step, is_step, step->id));
}

static const struct fact *find(const struct scope *s, const struct condition *c)
{
	for (size_t i = 0; i < s->derived_count; i++)
		if (in_scope(s, &s->derived[i], c) && says(&s->derived[i], c))
			return &s->derived[i];
	for (size_t i = 0; i < s->report->fact_count; i++)
		if (in_scope(s, &s->report->fact[i], c) && says(&s->report->fact[i], c))
			return &s->report->fact[i];
	return NULL;
}

const struct fact *scope_match(const struct scope *s, const struct condition *c)
{
	const struct fact *f = find(s, c);

	if (c->op == NONE || c->op == NEVER_IS || c->op == NEVER_HAS)
		return f ? NULL : &nothing;
	return f;
}

const char *scope_value(const struct scope *s, const char *step, const char *fact)
{
	const struct fact *f = find(s, &(struct condition){ step, fact, ANY, NULL });

	return f ? f->value : NULL;
}

/* -- what follows from facts ---------------------------------------------------------------------------------------- */

static void derive(struct scope *s, const char *name, const char *value, int step)
{
	if (s->derived_count < DERIVED)
		s->derived[s->derived_count++] = (struct fact){ .name = name, .value = value, .step = step };
}

/* Which provider or which software speaks: by the host's name, else by how it greets, else by its answer to ID. */
static void derive_family(struct scope *s)
{
	const char        *host = scope_value(s, "resolve", FACT_HOST);
	const char        *greeting = scope_value(s, "greeting", FACT_GREETING);
	const char        *id = scope_value(s, "imap.id", FACT_SERVER_ID);
	const char        *family = server_family(host ? host : "", greeting ? greeting : "", id ? id : "");
	const struct fact *by = find(s, &(struct condition){ NULL, host ? FACT_HOST : FACT_GREETING, ANY, NULL });

	if (*family)
		derive(s, FACT_SERVER_FAMILY, family, by ? by->step : 0);
}

static void derive_steps_passed(struct scope *s)
{
	const struct report *r = s->report;

	for (size_t i = 0; i < r->step_count; i++)
		if (r->step[i].state == STEP_PASSED && r->step[i].attempt == s->attempt && !is_pasted(r->step[i].id))
			derive(s, FACT_STEP_PASSED, r->step[i].id, (int)i);
}

/* The test message asks for the address the report is about. */
static void derive_rewritten(struct scope *s)
{
	const struct fact *seen = find(s, &(struct condition){ "arrive", FACT_SEND_FROM, ANY, NULL });

	if (seen && s->report->address && !slice_is(slice_str(seen->value), s->report->address))
		derive(s, FACT_SEND_REWRITTEN, seen->value, seen->step);
}

void scope_init(struct scope *s, const struct report *report, int attempt)
{
	*s = (struct scope){ .report = report, .attempt = attempt };
	derive_family(s);
	derive_rewritten(s);
	derive_steps_passed(s);
}
