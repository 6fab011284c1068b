#include "provider/microsoft_device.h"

#include "model/facts.h"

#define SLOWER_S 5        /* RFC 8628 3.5 */

enum { DEVICE_START, DEVICE_REACH, DEVICE_ANSWER, DEVICE_WAIT, DEVICE_HEAR, DEVICE_DONE };

/* What an answer means for who asks again and again. */
enum word { WORD_GRANTED, WORD_WAIT, WORD_SLOWER, WORD_LATER, WORD_NO, WORD_BROKEN };

static void say(struct microsoft_session *s, const char *target)
{
	s->request = (struct web_request){ .method = "POST", .target = target,
		.header = { "Content-Type: application/x-www-form-urlencoded", "Accept: application/json" }, .body = buffer_held(&s->body),
		.anonymous = true, .hushed = true };
	web_ask(&s->entra, &s->request);
}

/* -- the code ----------------------------------------------------------------------------------------------------- */

static void ask_code(struct microsoft_session *s, const struct want *w)
{
	microsoft_begin(s, "entra.device", w);
	report_note(s->report, s->reported, FACT_APP, "%s", s->app->client_id);
	buffer_clear(&s->body);
	oauth_device(&s->body, &(struct oauth_client){ .id = s->app->client_id }, microsoft_asked_scopes(s, s->job));
	say(s, microsoft_authority_path(s, "devicecode"));
}

static enum want_kind take_code(struct microsoft_session *s, const struct want *w, struct error *err)
{
	struct microsoft_device *d = s->device;
	struct slice             body = buffer_held(&s->entra.answer.body);
	int                      status = s->entra.answer.status;
	struct oauth_answer      o;
	struct error             why = { 0 };

	if (status == 200 && oauth_device_read(body, s->report->job, &d->told, &why)) {
		report_secret(s->report, slice_str(d->told.device_code));
		d->ends_ms = w->now_ms + (int64_t)d->told.expires_in * 1000;
		d->pause_s = d->told.interval;
		microsoft_ask_end(s, STEP_PASSED, w);
		d->show(d->viewer, &d->told);
		return WANT_NOTHING;
	}
	if (status == 200) {
		report_note(s->report, s->reported, FACT_REPLY_BROKEN, "%s", why.text);
		return microsoft_failed(s, FAULT_BROKEN, w, err, why.text);
	}
	report_note(s->report, s->reported, FACT_HTTP_STATUS, "%d", status);
	if (!oauth_answer_read(body, s->job, &o, &why) || !o.error)
		return microsoft_failed(s, status == 429 || status >= 500 ? FAULT_BUSY : FAULT_BROKEN, w, err, "no code");
	microsoft_refusal(s, &o);
	return microsoft_failed(s, FAULT_REFUSED, w, err, "no code");
}

/* -- what came of it ---------------------------------------------------------------------------------------------- */

static void ask_grant(struct microsoft_session *s, const struct want *w)
{
	struct oauth_client client = microsoft_client(s, w);

	buffer_clear(&s->body);
	oauth_device_redeem(&s->body, &client, s->device->told.device_code);
	say(s, microsoft_authority_path(s, "token"));
}

static bool is_one_of(const struct oauth_answer *o, const char *error, const char *number)
{
	for (size_t i = 0; i < o->numbers; i++)
		if (strcmp(o->number[i], number) == 0)
			return true;
	return strcmp(o->error, error) == 0;
}

static enum word word_of(struct microsoft_session *s, struct oauth_answer *o)
{
	int          status = s->entra.answer.status;
	struct error why = { 0 };

	if (!oauth_answer_read(buffer_held(&s->entra.answer.body), s->report->job, o, &why))
		return status == 429 || status >= 500 ? WORD_LATER : WORD_BROKEN;
	if (o->access_token)
		return status == 200 ? WORD_GRANTED : WORD_BROKEN;
	if (is_one_of(o, "authorization_pending", "70016"))
		return WORD_WAIT;
	if (strcmp(o->error, "slow_down") == 0)
		return WORD_SLOWER;
	return status == 429 || status >= 500 ? WORD_LATER : WORD_NO;
}

static void slower(struct microsoft_device *d, int pause_s)
{
	d->pause_s = pause_s < OAUTH_DEVICE_PAUSE ? pause_s : OAUTH_DEVICE_PAUSE;
}

/* WANT_TIME: ask again after the pause. */
static enum want_kind judge(struct microsoft_session *s, const struct want *w, struct error *err)
{
	struct microsoft_device *d = s->device;
	struct oauth_answer      o = { 0 };

	switch (word_of(s, &o)) {
	case WORD_GRANTED:
		microsoft_granted(s, &o, w);
		microsoft_ask_end(s, STEP_PASSED, w);
		return WANT_NOTHING;
	case WORD_WAIT:
		return WANT_TIME;
	case WORD_SLOWER:
		slower(d, d->pause_s + SLOWER_S);
		return WANT_TIME;
	case WORD_LATER:
		slower(d, 2 * d->pause_s);
		return WANT_TIME;
	case WORD_NO:
		report_note(s->report, s->reported, FACT_HTTP_STATUS, "%d", s->entra.answer.status);
		microsoft_refusal(s, &o);
		return microsoft_failed(s, FAULT_REFUSED, w, err, "no token");
	case WORD_BROKEN:
		break;
	}
	report_note(s->report, s->reported, FACT_REPLY_BROKEN, "%s", "no answer of a token endpoint");
	return microsoft_failed(s, FAULT_BROKEN, w, err, "no token");
}

/* In the midst of a question: nobody is to blame for it. */
static enum want_kind broken_off(struct microsoft_session *s, const struct want *w)
{
	s->report->step[s->reported].skip = "called_off";
	microsoft_ask_end(s, STEP_SKIPPED, w);
	return WANT_FAILED;
}

/* The line broke: the code is as good as before. */
static enum want_kind lost(struct microsoft_session *s, const struct want *w, struct error *err)
{
	struct microsoft_device *d = s->device;

	if (w->stopping || err->fault == FAULT_CANCELLED)
		return broken_off(s, w);
	if (err->fault != FAULT_NETWORK && err->fault != FAULT_TIMEOUT)
		return WANT_FAILED;
	*err = (struct error){ 0 };
	microsoft_ask_end(s, STEP_WARNED, w);
	microsoft_begin(s, "entra.token", w);
	slower(d, 2 * d->pause_s);
	return WANT_TIME;
}

static enum want_kind ran_out(struct microsoft_session *s, const struct want *w, struct error *err)
{
	report_note(s->report, s->reported, FACT_DEVICE_CODE, "ran_out");
	return microsoft_failed(s, FAULT_TIMEOUT, w, err, "nobody signed in while the code was good");
}

/* The step stays as it is, under way: nothing was refused. */
static enum want_kind called_off(struct error *err)
{
	fail(err, FAULT_CANCELLED, "called off");
	return WANT_FAILED;
}

enum want_kind microsoft_device_step(struct microsoft_session *s, struct want *w, struct error *err)
{
	struct microsoft_device *d = s->device;
	enum want_kind           kind;
	enum came                came;

	switch (d->step) {
	case DEVICE_START:
		s->at_authority = true;

	STEP(d, DEVICE_REACH):
		PASS(web_open_step(&s->entra, w, err));
		s->entra_open = true;
		ask_code(s, w);

	STEP(d, DEVICE_ANSWER):
		PASS(web_ask_step(&s->entra, w, err));
		if (take_code(s, w, err) == WANT_FAILED)
			return WANT_FAILED;
		microsoft_begin(s, "entra.token", w);
		for (;;) {
			AWAIT(d, DEVICE_WAIT, want_time(w, d->pause_s * 1000)):
			came = want_came(w);
			if (w->stopping || came == CAME_CANCELLED)
				return called_off(err);
			if (w->now_ms >= d->ends_ms)
				return ran_out(s, w, err);
			ask_grant(s, w);
	STEP(d, DEVICE_HEAR):
			kind = web_ask_step(&s->entra, w, err);
			if (kind > WANT_FAILED)
				return kind;
			kind = kind == WANT_FAILED ? lost(s, w, err) : judge(s, w, err);
			if (kind == WANT_FAILED)
				return kind;
			if (kind == WANT_NOTHING)
				break;
		}
		s->at_authority = false;

	STEP(d, DEVICE_DONE):
		return WANT_NOTHING;
	}
	return WANT_FAILED;
}
