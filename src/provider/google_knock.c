#include "provider/google_knock.h"

#include "model/facts.h"

#define BROWSER "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36"

enum { KNOCK_START, KNOCK_REACH, KNOCK_SAY, KNOCK_ANSWER, KNOCK_DONE };

/* What is wrong with the registration, whoever it is that signs in; others are not decided without anybody. */
static const char *const refusals[] = {
	"invalid_client", "deleted_client", "disabled_client", "redirect_uri_mismatch", "invalid_request", "invalid_scope", "restricted_client",
};

/* Where somebody whom it does not know yet is asked who they are. */
static const char *const pages[] = { "/signin/identifier", "/v3/signin/", "/ServiceLogin", "/AccountChooser" };

void google_knock_init(struct google_knock *k, struct report *r, const char *url, struct waits waits, int attempt)
{
	static const char at[] = "https://";
	struct slice      rest = slice_from(slice_str(url), sizeof at - 1);
	size_t            path = slice_find(rest, '/');

	*k = (struct google_knock){ .report = r, .waits = waits, .attempt = attempt };
	k->endpoint = (struct endpoint){ .service = SERVICE_WEB, .host = arena_copy(r->job, slice_upto(rest, path)), .port = 443,
	                                 .socket = SOCKET_TLS, .source = SOURCE_TABLE };
	k->request = (struct web_request){ .method = "GET", .target = slice_from(rest, path).at, .agent = BROWSER, .header = { "Accept: text/html" },
	                                   .anonymous = true };
	web_session_init(&k->web, r, &k->endpoint, NULL, "google.auth", waits, attempt);
}

void google_knock_release(struct google_knock *k)
{
	if (k->report)
		web_session_release(&k->web);
	*k = (struct google_knock){ 0 };
}

static bool is_among(const char *const *known, size_t count, const char *word)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(known[i], word) == 0)
			return true;
	return false;
}

static bool leads_on(struct slice location)
{
	struct slice path = slice_upto(location, slice_find(location, '?'));

	for (size_t i = 0; i < COUNT(pages); i++)
		if (slice_search(path, pages[i]) < path.len)
			return true;
	return false;
}

enum google_known google_knock_read(int status, struct slice location, struct slice body, struct arena *into, const char **code)
{
	bool               onward = status >= 300 && status < 400;
	struct google_page page;

	*code = NULL;
	if ((onward || status >= 400) && google_page_find(onward ? location : body, into, &page)
	    && is_among(refusals, COUNT(refusals), page.code)) {
		*code = page.code;
		return GOOGLE_REFUSED;
	}
	return onward && leads_on(location) ? GOOGLE_KNOWN : GOOGLE_NOT_TOLD;
}

static enum want_kind take_answer(struct google_knock *k, const struct want *w, struct error *err)
{
	struct slice location = { 0 };

	web_field(&k->web, "Location", &location);
	k->known = google_knock_read(k->web.answer.status, location, buffer_held(&k->web.answer.body), k->report->job, &k->code);
	report_note(k->report, k->web.reported, FACT_HTTP_STATUS, "%d", k->web.answer.status);
	if (k->code)
		report_note(k->report, k->web.reported, FACT_GOOGLE_PAGE, "%s", k->code);
	report_end(k->report, k->web.reported, k->known == GOOGLE_KNOWN ? STEP_PASSED : k->code ? STEP_FAILED : STEP_WARNED, w->now_ms);
	if (k->known != GOOGLE_REFUSED)
		return WANT_NOTHING;
	fail(err, FAULT_REFUSED, "%s: %s", k->endpoint.host, k->code);
	return WANT_FAILED;
}

enum want_kind google_knock_step(void *self, struct want *w, struct error *err)
{
	struct google_knock *k = self;

	switch (k->step) {
	case KNOCK_START:
	STEP(k, KNOCK_REACH):
		PASS(web_open_step(&k->web, w, err));

	STEP(k, KNOCK_SAY):
		k->web.reported = report_begin(k->report, "google.registration", k->attempt, w->now_ms);
		web_ask(&k->web, &k->request);

	STEP(k, KNOCK_ANSWER):
		PASS(web_ask_step(&k->web, w, err));
		if (take_answer(k, w, err) == WANT_FAILED)
			return WANT_FAILED;

	STEP(k, KNOCK_DONE):
		return WANT_NOTHING;
	}
	return WANT_FAILED;
}
