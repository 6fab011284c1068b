/* cases.h -- reports made by hand, and what diagnose/ concludes from them: for the tests of a provider's rules.
 *
 * "The least": a report with just the facts that a row asks for; then no row above it may hold. "Seen": steps as a session would have
 * recorded them, for look-alikes side by side. */
#ifndef TESTS_CASES_H
#define TESTS_CASES_H

#include <stdio.h>

#include "diagnose/diagnose.h"
#include "diagnose/explain.h"
#include "diagnose/rule.h"
#include "test.h"

/* -- every row can be reached ---------------------------------------------------------------------------------------- */

struct least {
	const struct rule_table *rules;
	const char *provider;
	const char *usual;           /* the step where a row looks that names none                     */
	const char *pasted[2][2];    /* "ews.pasted" is "explain.ews"                                  */
	const char *early[6];        /* steps of no attempt                                            */
};

static const char *first_of(const char *list, struct arena *job)
{
	return arena_copy(job, slice_upto(slice_str(list), slice_find(slice_str(list), '|')));
}

/* The latest step where a condition looks, whole: earlier ones have rows of their own. */
static const char *step_of(const struct least *l, const struct condition *c)
{
	const char *bar = c->step ? strrchr(c->step, '|') : NULL;
	const char *step = !c->step ? l->usual : bar ? bar + 1 : c->step;

	for (size_t i = 0; i < COUNT(l->pasted) && l->pasted[i][0]; i++)
		if (strcmp(step, l->pasted[i][0]) == 0)
			return l->pasted[i][1];
	return step;
}

static bool is_of_no_attempt(const struct least *l, const char *step)
{
	for (size_t i = 0; i < COUNT(l->early) && l->early[i]; i++)
		if (strcmp(l->early[i], step) == 0)
			return true;
	return strncmp(step, "explain.", 8) == 0;
}

static int step_begun(const struct least *l, struct report *r, const char *id)
{
	int attempt = is_of_no_attempt(l, id) ? NO_ATTEMPT : 0, step = report_find(r, id, attempt);

	return step >= 0 ? step : report_begin(r, id, attempt, 0);
}

/* The least that makes a row hold. */
static struct report *least_for(const struct least *l, const struct rule *rule)
{
	struct report *r = report_new("ann@birch.example");

	r->provider = l->provider;
	r->attempts = 1;
	for (size_t c = 0; c < CONDITIONS && rule->when[c].fact; c++) {
		const struct condition *when = &rule->when[c];
		const char             *step = step_of(l, when), *value = when->value ? first_of(when->value, r->job) : "something";

		if (when->op != NONE && when->op != NEVER_IS && when->op != NEVER_HAS)
			report_note(r, step_begun(l, r, step), first_of(when->fact, r->job), "%s", value);
	}
	for (size_t i = 0; i < r->step_count; i++)
		report_end(r, (int)i, STEP_FAILED, 0);
	return r;
}

static bool is_pasted_only(const struct report *r)
{
	for (size_t i = 0; i < r->step_count; i++)
		if (strncmp(r->step[i].id, "explain.", 8) == 0)
			return true;
	return false;
}

static inline void expect_every_row_reached(const struct least *l)
{
	for (size_t i = 0; i < l->rules->count; i++) {
		const struct rule             *rule = &l->rules->rule[i];
		CLEANUP(report) struct report *r = least_for(l, rule);
		struct verdict                 v;
		struct finding                 f = { 0 };
		char                           row[160];

		snprintf(row, sizeof row, "row %zu: %s (%s)", i, cause_row(rule->cause)->id, rule->source);
		if (is_pasted_only(r)) {
			diagnose_pasted(r, &v);
			f = v.finding[0];
		} else {
			EXPECT_ROW(diagnose_attempt(r, 0, &f), row);
		}
		if (f.rule != rule)
			test_fail(__FILE__, __LINE__, "%s: that of %s (%s) comes before", row, cause_row(f.cause)->id, f.rule ? f.rule->source : "none");
		EXPECT_ROW(f.proofs > 0, row);
	}
}

/* -- look-alikes ------------------------------------------------------------------------------------------------------ */

struct seen {
	const char     *id;
	enum step_state state;
	const char     *fact[14];
};

struct look_alike {
	const char       *name;
	struct seen       seen[12];
	enum verdict_kind kind;
	const char       *cause;
	enum certainty    certainty;
	const char       *open;              /* ids that must not be ruled out, blanks between */
};

#define OK(id, ...)     { id, STEP_PASSED, { __VA_ARGS__ } }
#define NOT(id, ...)    { id, STEP_FAILED, { __VA_ARGS__ } }

static bool excludes(const struct verdict *v, const char *ids)
{
	for (size_t i = 0; i < v->exclusions; i++)
		if (slice_has(slice_str(ids), cause_row(v->exclusion[i].cause)->id))
			return true;
	return false;
}

static inline void expect_look_alikes(const struct least *l, const struct look_alike *pairs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		CLEANUP(report) struct report *r = report_new("ann@birch.example");
		struct verdict v;

		r->provider = l->provider;
		r->attempts = 1;
		for (size_t s = 0; s < COUNT(pairs[i].seen) && pairs[i].seen[s].id; s++) {
			int n = report_begin(r, pairs[i].seen[s].id, is_of_no_attempt(l, pairs[i].seen[s].id) ? NO_ATTEMPT : 0, 0);

			for (size_t f = 0; f + 1 < COUNT(pairs[i].seen[s].fact) && pairs[i].seen[s].fact[f]; f += 2)
				report_note(r, n, pairs[i].seen[s].fact[f], "%s", pairs[i].seen[s].fact[f + 1]);
			report_end(r, n, pairs[i].seen[s].state, 0);
		}
		diagnose(r, &v);
		if (!v.findings || strcmp(cause_row(v.finding[0].cause)->id, pairs[i].cause) != 0 || v.finding[0].certainty != pairs[i].certainty)
			test_fail(__FILE__, __LINE__, "%s: %s %s, not %s %s", pairs[i].name, v.findings ? certainty_name(v.finding[0].certainty) : "nothing",
			          v.findings ? cause_row(v.finding[0].cause)->id : "", certainty_name(pairs[i].certainty), pairs[i].cause);
		EXPECT_ROW(v.kind == pairs[i].kind, pairs[i].name);
		EXPECT_ROW(!excludes(&v, pairs[i].open), pairs[i].name);
		for (size_t f = 1; f < v.findings; f++)
			EXPECT_ROW(v.finding[f].certainty == POSSIBLE && v.finding[f].cause != v.finding[0].cause, pairs[i].name);
	}
}

/* -- pasted texts ----------------------------------------------------------------------------------------------------- */

struct pasted {
	const char    *text, *cause;
	enum certainty certainty;
};

static inline void expect_pasted(const struct pasted *pasted, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		CLEANUP(report) struct report *r = report_new("");
		struct verdict v;

		explain_facts(r, pasted[i].text);
		diagnose_pasted(r, &v);
		if (!v.findings || strcmp(cause_row(v.finding[0].cause)->id, pasted[i].cause) != 0 || v.finding[0].certainty != pasted[i].certainty)
			test_fail(__FILE__, __LINE__, "%s: %s %s", pasted[i].text, v.findings ? certainty_name(v.finding[0].certainty) : "", v.findings ? cause_row(v.finding[0].cause)->id : "nothing");
	}
}

#endif
