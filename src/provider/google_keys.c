#include "provider/google_keys.h"

#include "model/facts.h"

enum { KEYS_START, KEYS_REACH, KEYS_SAY, KEYS_ANSWER, KEYS_DONE };

void google_keys_init(struct google_keys *k, struct report *r, struct arena *into, struct waits waits, int attempt)
{
	*k = (struct google_keys){ .report = r, .into = into, .attempt = attempt };
	k->endpoint = (struct endpoint){ .service = SERVICE_WEB, .host = "www.googleapis.com", .port = 443, .socket = SOCKET_TLS,
	                                 .source = SOURCE_TABLE };
	k->request = (struct web_request){ .method = "GET", .target = "/oauth2/v3/certs", .header = { "Accept: application/json" },
	                                   .anonymous = true };
	web_session_init(&k->web, r, &k->endpoint, NULL, "google.keys", waits, attempt);
}

void google_keys_release(struct google_keys *k)
{
	if (k->report)
		web_session_release(&k->web);
	*k = (struct google_keys){ 0 };
}

static enum want_kind take_answer(struct google_keys *k, const struct want *w, struct error *err)
{
	int  status = k->web.answer.status;
	bool fine = status == 200 && id_keys_read(buffer_held(&k->web.answer.body), k->into, &k->keys, err);

	report_note(k->report, k->web.reported, FACT_HTTP_STATUS, "%d", status);
	report_end(k->report, k->web.reported, fine ? STEP_PASSED : STEP_FAILED, w->now_ms);
	if (fine)
		return WANT_NOTHING;
	if (status != 200)
		fail(err, status == 429 || status >= 500 ? FAULT_BUSY : FAULT_REFUSED, "%s: its keys are not told: %d", k->endpoint.host, status);
	return WANT_FAILED;
}

enum want_kind google_keys_step(void *self, struct want *w, struct error *err)
{
	struct google_keys *k = self;

	switch (k->step) {
	case KEYS_START:
	STEP(k, KEYS_REACH):
		PASS(web_open_step(&k->web, w, err));

	STEP(k, KEYS_SAY):
		k->web.reported = report_begin(k->report, "google.keys", k->attempt, w->now_ms);
		web_ask(&k->web, &k->request);

	STEP(k, KEYS_ANSWER):
		PASS(web_ask_step(&k->web, w, err));
		if (take_answer(k, w, err) == WANT_FAILED)
			return WANT_FAILED;

	STEP(k, KEYS_DONE):
		return WANT_NOTHING;
	}
	return WANT_FAILED;
}
