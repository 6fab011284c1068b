#include "diagnose/explain_caldav.h"

#include "base/arena.h"
#include "model/facts.h"

/* Conditions that an error of WebDAV names, and that a rule knows (RFC 4918 16, RFC 4331, RFC 3744). */
static const struct { const char *element, *condition; } conditions[] = {
	{ "need-privileges",    "DAV:need-privileges"    },
	{ "quota-not-exceeded", "DAV:quota-not-exceeded" },
};

/* Challenges of calendar servers that tell whose they are (facts G G.4). */
static const struct { const char *words, *also; } challenges[] = {
	{ "realm=\"MMCalDav\"",                     "" },
	{ "realm=\"https://accounts.google.com/\"", "caldav" },
};

static const char *condition_in(struct slice text)
{
	for (size_t i = 0; slice_has(text, "DAV:") && i < COUNT(conditions); i++)
		if (slice_has(text, conditions[i].element))
			return conditions[i].condition;
	return NULL;
}

static const char *challenge_in(struct slice text)
{
	for (size_t i = 0; i < COUNT(challenges); i++)
		if (slice_has(text, challenges[i].words) && slice_has(text, challenges[i].also))
			return challenges[i].words;
	return NULL;
}

void explain_caldav(struct report *r, struct slice text)
{
	const char *condition = condition_in(text), *challenge = challenge_in(text);
	int         step;

	if (!condition && !challenge)
		return;
	step = report_begin(r, "explain.caldav", NO_ATTEMPT, r->began_ms);
	if (condition)
		report_note(r, step, FACT_DAV_CONDITION, "%s", condition);
	if (challenge)
		report_note(r, step, FACT_AUTH_OFFERED, "%s", challenge);
	report_end(r, step, STEP_FAILED, r->began_ms);
}
