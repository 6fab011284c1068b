#include "verify/bounce.h"

#include <string.h>

#include "model/facts.h"
#include "wire/header.h"

/* A field of the delivery report inside a bounce (RFC 3464), or at == NULL. */
static struct slice report_field(struct slice text, const char *name, struct arena *work)
{
	size_t       at = slice_search(text, arena_print(work, "\n%s:", name));
	struct slice body;

	return header_find(slice_from(text, at + 1), name, &body) ? body : slice(NULL, 0);
}

static bool three_digits(const char *text)
{
	unsigned long long n;

	return strlen(text) >= 3 && slice_number(slice(text, 3), 599, &n) && n >= 400;
}

void bounce_facts(struct report *r, int step, struct slice text)
{
	CLEANUP(arena) struct arena *work = arena_new();
	struct slice diagnostic = report_field(text, "Diagnostic-Code", work);
	struct slice status = report_field(text, "Status", work), subject;

	/* "smtp; 550 5.1.1 …": the words are those of the server that refused it */
	if (diagnostic.at) {
		size_t      type = slice_find(diagnostic, ';') + 1;
		const char *words = header_text(slice_from(diagnostic, type > diagnostic.len ? 0 : type), work);

		if (three_digits(words))
			report_fact(r, step, FACT_REPLY_CODE, slice(words, 3));
		report_note(r, step, FACT_REPLY_TEXT, "%s", words);
	} else if (header_find(text, "Subject", &subject)) {
		report_note(r, step, FACT_REPLY_TEXT, "%s", header_text(subject, work));
	}
	if (status.at)
		report_note(r, step, FACT_REPLY_ENHANCED, "%s", header_text(status, work));
}

/* "Not yet delivered, will be tried again" is no refusal (RFC 3464 §2.3.3). */
bool bounce_is_delay(struct slice text)
{
	CLEANUP(arena) struct arena *work = arena_new();

	return slice_starts(slice_trim(report_field(text, "Action", work)), "delayed");
}
