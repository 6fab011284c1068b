#include "verify/testmail.h"

#include <stdio.h>

#include "model/facts.h"
#include "verify/bounce.h"
#include "verify/testmessage.h"
#include "wire/header.h"
#include "wire/our_address.h"

enum { MAIL_START, MAIL_SEND, MAIL_ARRIVE, MAIL_BOUNCE, MAIL_COPY, MAIL_TIDY, MAIL_DONE };
enum { ARRIVE_START, ARRIVE_LOOK, ARRIVE_COPY, ARRIVE_BOUNCE, ARRIVE_TIDY, ARRIVE_PAUSE, ARRIVE_DONE };
enum { BOUNCE_START, BOUNCE_PAUSE, BOUNCE_LOOK, BOUNCE_DONE };
enum { COPY_START, COPY_LOOK, COPY_PAUSE, COPY_AGAIN, COPY_DONE };

#define ARRIVE_MS    60000      /* as long as that it is waited for, where the whole leaves it            */
#define HURRY_MS      3000      /*   and that long when it was called off: net/ leaves five seconds       */
#define HURRY_PAUSE_MS 500
#define COPY_MS       1000      /* Exchange files the copy a moment after it took the message (facts D.2) */
#define ROOM          (8 * 1024)

void testmail_init(struct testmail *t, struct report *report, struct smtp_session *smtp, struct imap_session *imap,
                   const char *address, const char *send_to, struct waits waits)
{
	const char        *folder[TESTMAIL_PLACES] = { "INBOX" };
	struct testmessage message;

	*t = (struct testmail){ .report = report, .smtp = smtp, .imap = imap, .address = address, .waits = waits,
	                        .remove = -1 };
	t->to = send_to ? send_to : address;
	t->to_self = slice_is(slice_str(t->to), address);
	t->job = arena_new();
	message = testmessage_new(address, t->to, t->job);
	t->token = message.token, t->message_id = message.message_id, t->subject = message.subject;
	buffer_init(&t->bytes, ROOM);
	if (!imap)
		return;
	folder[TESTMAIL_JUNK] = imap->junk_folder;
	folder[TESTMAIL_SENT] = imap->sent_folder;
	folder[TESTMAIL_TRASH] = imap->trash_folder;
	for (enum testmail_place p = TESTMAIL_INBOX; p < TESTMAIL_PLACES; p++)
		imap_hunt_init(&t->place[p], imap, t->job, folder[p], t->token, t->subject, t->message_id);
}

void testmail_release(struct testmail *t)
{
	buffer_release(&t->bytes);
	arena_free(t->job);
	*t = (struct testmail){ 0 };
}

/* -- the message -------------------------------------------------------------------------------------------------- */

static void compose(struct testmail *t, const struct want *w)
{
	testmessage_write(&(struct testmessage){ .from = t->address, .to = t->to, .token = t->token, .message_id = t->message_id,
		.subject = t->subject }, w->now_unix, &t->bytes);
	t->message = (struct smtp_message){ .from = t->address, .to = t->to, .bytes = buffer_held(&t->bytes) };
	t->smtp->message = &t->message;
}

/* -- the report --------------------------------------------------------------------------------------------------- */

static int begin(struct testmail *t, const char *id, const struct want *w)
{
	return report_begin(t->report, id, t->smtp->base.attempt, w->now_ms);
}

static void skip(struct testmail *t, const char *id, const char *why, const struct want *w)
{
	report_skip(t->report, id, t->smtp->base.attempt, why, w->now_ms);
}

static void skip_begun(struct testmail *t, int step, const char *why, const struct want *w)
{
	t->report->step[step].skip = why;
	report_end(t->report, step, STEP_SKIPPED, w->now_ms);
}

static bool can_be_awaited(const struct testmail *t)
{
	return t->to_self || t->has_come;
}

static void skip_all(struct testmail *t, const char *why, const struct want *w)
{
	skip(t, "send.arrive", can_be_awaited(t) ? why : "not_checked_here", w);
	if (!t->to_self)
		skip(t, "send.bounce", why, w);
	skip(t, "send.copy", why, w);
	skip(t, "send.remove", why, w);
}

/* Why nothing more can be seen in the mailbox; NULL while it can. */
static const char *blind(const struct testmail *t)
{
	return t->over ? "no_time" : !t->imap || t->lost ? "earlier" : NULL;
}

/* Why its arrival can be waited for no longer. */
static const char *blind_to_arrival(const struct testmail *t)
{
	return t->to_self ? blind(t) : t->over ? "no_time" : NULL;
}

/* A step during which the folder could not be looked into: no time, the line was lost, or the server said no. */
static void end_unseen(struct testmail *t, int step, const struct imap_hunt *h, const struct want *w)
{
	if (t->over || t->hurry) {
		skip_begun(t, step, t->over ? "no_time" : "called_off", w);
		return;
	}
	if (!t->lost && h->refusal)
		report_note(t->report, step, FACT_REPLY_TEXT, "%s", h->refusal);
	else if (t->lost && t->lost_by == CAME)
		report_note(t->report, step, FACT_REPLY_BROKEN, "%s", t->err.text);
	else if (t->lost)
		report_note(t->report, step, FACT_NET_OUTCOME, "%s", came_name(t->lost_by));
	report_end(t->report, step, t->lost ? STEP_FAILED : STEP_WARNED, w->now_ms);
}

/* A folder's name for the eye. */
static const char *shown(struct testmail *t, enum testmail_place place)
{
	const char *folder = t->place[place].folder, *name = imap_utf7_decode(slice_str(folder), t->job);

	return name ? name : folder;
}

/* -- looking ------------------------------------------------------------------------------------------------------ */

/* Runs one hunt. When the line is lost the hunt is over, and `lost` or `over` tells those behind it. */
static enum want_kind hunt(struct testmail *t, enum testmail_place place,
                           enum want_kind (*step)(void *, struct want *, struct error *), struct want *w)
{
	struct imap_hunt *h = &t->place[place];
	enum want_kind    kind = step(h, w, &t->err);

	if (kind != WANT_FAILED)
		return kind;
	t->lost = true;
	t->lost_by = h->came;
	t->over |= h->time_is_up;
	return WANT_NOTHING;
}

static bool exists(const struct testmail *t, enum testmail_place place)
{
	return t->place[place].folder != NULL;
}

static enum testmail_place arrived(const struct testmail *t)
{
	return t->place[TESTMAIL_INBOX].found ? TESTMAIL_INBOX
	     : t->place[TESTMAIL_JUNK].found  ? TESTMAIL_JUNK : TESTMAIL_PLACES;
}

/* After each pause: was it called off meanwhile, is all the time over? */
static void time_passed(struct testmail *t, struct want *w)
{
	t->over |= want_came(w) == CAME_TIMEOUT;
	if (w->stopping && !t->hurry) {
		t->hurry = true;
		t->hurry_ms = w->now_ms;
	}
}

static bool is_there(const struct testmail *t)
{
	return t->to_self ? arrived(t) != TESTMAIL_PLACES : t->come;
}

/* Once through the places where it may arrive; the first that has it ends it. */
static enum want_kind look(struct testmail *t, struct want *w)
{
	if (!t->to_self) {
		t->come = t->has_come(t->asked, t->token, t->job, &t->came_with);
		t->looks++;
		return WANT_NOTHING;
	}
	for (; t->place_at <= TESTMAIL_JUNK && arrived(t) == TESTMAIL_PLACES && !t->lost; t->place_at++)
		if (exists(t, t->place_at))
			PASS(hunt(t, t->place_at, imap_hunt_find_step, w));
	t->place_at = TESTMAIL_INBOX;
	t->looks += t->place[TESTMAIL_INBOX].searched && !t->lost;
	return WANT_NOTHING;
}

/* -- the bounce --------------------------------------------------------------------------------------------------- */

static void end_bounce(struct testmail *t, const struct want *w)
{
	const struct imap_hunt *h = &t->place[TESTMAIL_INBOX];
	bool delayed;

	if (!h->searched) {
		end_unseen(t, t->bounce, h, w);
		return;
	}
	report_note(t->report, t->bounce, FACT_SEND_BOUNCED, "%s", h->bounce.at ? "yes" : "no");
	if (!h->bounce.at) {
		report_end(t->report, t->bounce, STEP_PASSED, w->now_ms);
		return;
	}
	bounce_facts(t->report, t->bounce, h->bounce);
	delayed = bounce_is_delay(h->bounce);
	t->bounced = !delayed;
	report_end(t->report, t->bounce, delayed ? STEP_WARNED : STEP_FAILED, w->now_ms);
}

/* A bounce from the server itself is there within seconds; one from further away is not waited for. */
static enum want_kind look_for_bounce(struct testmail *t, int looks, struct want *w)
{
	const char *why;

	switch (t->bouncing.step) {
	case BOUNCE_START:
		why = blind(t) ? blind(t) : t->hurry ? "called_off" : NULL;
		if (why) {
			skip(t, "send.bounce", why, w);
			goto done;
		}
		t->bounce = begin(t, "send.bounce", w);
		for (t->pauses = 1; t->pauses <= looks && !t->place[TESTMAIL_INBOX].bounce.at; t->pauses++) {
			AWAIT(&t->bouncing, BOUNCE_PAUSE, want_time(w, t->pauses * 1000)):
			time_passed(t, w);
			if (t->over || t->hurry)
				break;

	STEP(&t->bouncing, BOUNCE_LOOK):
			PASS(hunt(t, TESTMAIL_INBOX, imap_hunt_bounce_step, w));
			if (t->lost)
				break;
		}
		end_bounce(t, w);

	STEP(&t->bouncing, BOUNCE_DONE):
	done:
		return WANT_NOTHING;
	}
	return WANT_FAILED;
}

/* -- the copy in Sent --------------------------------------------------------------------------------------------- */

/* With or without a copy all is well: where the server files one a client must not, where it does not a client does. */
static void end_copy(struct testmail *t, const struct want *w)
{
	const struct imap_hunt *h = &t->place[TESTMAIL_SENT];

	if (!h->searched) {
		end_unseen(t, t->copy, h, w);
		return;
	}
	report_note(t->report, t->copy, FACT_SEND_COPY, "%s", h->found ? "yes" : "no");
	report_end(t->report, t->copy, STEP_PASSED, w->now_ms);
}

static enum want_kind look_at_copy(struct testmail *t, struct want *w)
{
	const char *why;

	switch (t->copying.step) {
	case COPY_START:
		why = blind(t) ? blind(t) : !exists(t, TESTMAIL_SENT) ? "no_sent_folder" : NULL;
		if (why) {
			skip(t, "send.copy", why, w);
			t->copying.step = COPY_DONE;
			return WANT_NOTHING;
		}
		t->copy = begin(t, "send.copy", w);

	STEP(&t->copying, COPY_LOOK):
		PASS(hunt(t, TESTMAIL_SENT, imap_hunt_find_step, w));
		if (t->lost || t->hurry || !t->place[TESTMAIL_SENT].searched || t->place[TESTMAIL_SENT].found)
			goto end;
		AWAIT(&t->copying, COPY_PAUSE, want_time(w, COPY_MS)):
		time_passed(t, w);
		if (t->over)
			goto end;

	STEP(&t->copying, COPY_AGAIN):
		PASS(hunt(t, TESTMAIL_SENT, imap_hunt_find_step, w));
	end:
		end_copy(t, w);

	STEP(&t->copying, COPY_DONE):
		return WANT_NOTHING;
	}
	return WANT_FAILED;
}

/* -- tidying up --------------------------------------------------------------------------------------------------- */

static bool moved_to_trash(const struct testmail *t)
{
	return t->place[TESTMAIL_INBOX].moved || t->place[TESTMAIL_JUNK].moved || t->place[TESTMAIL_SENT].moved;
}

/* Removes what was found so far. May be run again when more has been found. */
static enum want_kind tidy(struct testmail *t, struct want *w)
{
	for (; t->tidy_at < TESTMAIL_PLACES && !blind(t); t->tidy_at++) {
		struct imap_hunt *h = &t->place[t->tidy_at];

		if (t->tidied[t->tidy_at])
			continue;
		if (t->tidy_at == TESTMAIL_TRASH && exists(t, TESTMAIL_TRASH) && moved_to_trash(t) && !h->found)
			PASS(hunt(t, TESTMAIL_TRASH, imap_hunt_find_step, w));
		if (!h->found || t->lost)
			continue;
		if (t->remove < 0)
			t->remove = begin(t, "send.remove", w);
		PASS(hunt(t, t->tidy_at, imap_hunt_remove_step, w));
		t->tidied[t->tidy_at] = true;
	}
	t->tidy_at = TESTMAIL_INBOX;
	return WANT_NOTHING;
}

static bool is_removed(const struct imap_hunt *h) { return h->found && h->removed; }
static bool is_left(const struct imap_hunt *h)    { return h->found && !h->removed; }
static bool is_marked(const struct imap_hunt *h)  { return h->found && h->marked; }

/* "INBOX, Sent"; returns whether there was any. */
static bool note_places(struct testmail *t, const char *fact, bool (*is)(const struct imap_hunt *),
                        enum testmail_place last)
{
	const char *list = NULL;

	for (enum testmail_place p = TESTMAIL_INBOX; p <= last; p++)
		if (is(&t->place[p]))
			list = list ? arena_print(t->job, "%s, %s", list, shown(t, p)) : shown(t, p);
	if (list)
		report_note(t->report, t->remove, fact, "%s", list);
	return list != NULL;
}

static void end_tidy(struct testmail *t, const struct want *w)
{
	const char *why = blind(t) ? blind(t) : t->hurry && t->to_self ? "called_off" : "nothing_to_remove";
	bool        left;

	if (t->remove < 0) {
		skip(t, "send.remove", why, w);
		return;
	}
	note_places(t, FACT_SEND_REMOVED, is_removed, TESTMAIL_SENT);
	left = note_places(t, FACT_SEND_LEFT, is_left, TESTMAIL_TRASH);
	note_places(t, FACT_SEND_MARKED, is_marked, TESTMAIL_TRASH);
	report_end(t->report, t->remove, left ? STEP_WARNED : STEP_PASSED, w->now_ms);
}

/* -- the arrival -------------------------------------------------------------------------------------------------- */

/* "spf=pass dkim=none", as the receiving server judged it: its own field stands on top (RFC 8601 §5). */
static const char *authentication(struct slice header, struct arena *work)
{
	static const char *const method[] = { "spf", "dkim", "dmarc" };
	const char  *all = "";
	struct slice body, result;

	if (!header_find(header, "Authentication-Results", &body))
		return all;
	for (size_t i = 0; i < COUNT(method); i++) {
		result = header_auth_result(body, method[i]);
		if (result.at)
			all = arena_print(work, "%s%s%s=%.*s", all, *all ? " " : "", method[i],
			                  (int)result.len, result.at);
	}
	return all;
}

static void note_our_address(struct testmail *t, struct slice header)
{
	struct address a;
	char           text[ADDRESS_TEXT];

	if (received_tells_address(header, SMTP_OUR_NAME, &a))
		report_note(t->report, t->arrive, FACT_OUR_SEEN, "%s", address_text(&a, text));
}

static void end_arrived(struct testmail *t, enum testmail_place place, const struct want *w)
{
	CLEANUP(arena) struct arena *work = arena_new();
	struct slice header = t->place[place].header, body;
	const char  *from = header_find(header, "From", &body) ? header_address(body, work) : NULL;
	const char  *judged = authentication(header, work);
	bool         same = from && slice_is(slice_str(from), t->address);

	report_note(t->report, t->arrive, FACT_SEND_FOUND, "yes");
	report_note(t->report, t->arrive, FACT_SEND_FOLDER, "%s", shown(t, place));
	if (from)
		report_note(t->report, t->arrive, FACT_SEND_FROM, "%s", from);
	if (*judged)
		report_note(t->report, t->arrive, FACT_SEND_AUTH, "%s", judged);
	note_our_address(t, header);
	report_end(t->report, t->arrive, place == TESTMAIL_INBOX && same ? STEP_PASSED : STEP_WARNED, w->now_ms);
}

static void end_arrival(struct testmail *t, const struct want *w)
{
	if (t->come) {
		report_note(t->report, t->arrive, FACT_SEND_FOUND, "yes");
		note_our_address(t, t->came_with);
		report_end(t->report, t->arrive, STEP_PASSED, w->now_ms);
	} else if (is_there(t)) {
		end_arrived(t, arrived(t), w);
	} else if (t->hurry) {
		skip_begun(t, t->arrive, w->stopping ? "called_off" : "earlier", w);
	} else if (t->looks == 0 || (t->to_self && t->lost && !t->over)) {
		end_unseen(t, t->arrive, &t->place[TESTMAIL_INBOX], w);
	} else {
		report_note(t->report, t->arrive, FACT_SEND_FOUND, "%s", t->over ? "not yet" : "no");
		report_note(t->report, t->arrive, FACT_SEND_WAITED, "%lld", (long long)(w->now_ms - t->sent_ms));
		report_end(t->report, t->arrive, STEP_FAILED, w->now_ms);
	}
}

static bool waited_long_enough(const struct testmail *t, const struct want *w)
{
	return t->hurry ? w->now_ms - t->hurry_ms >= HURRY_MS : w->now_ms - t->sent_ms >= ARRIVE_MS;
}

static int pause_ms(const struct testmail *t, const struct want *w)
{
	static const int pause[] = { 300, 600, 1000, 2000 };
	size_t           n = t->looks ? t->looks - 1 : 0;
	int64_t          left = t->sent_ms + ARRIVE_MS - w->now_ms;
	int              ms = pause[n < COUNT(pause) ? n : COUNT(pause) - 1];

	return t->hurry ? HURRY_PAUSE_MS : ms < left ? ms : (int)left;
}

/* When it has not come for a while: see to what else there is, since the whole may end in the middle of the wait. A
 * bounce would end the wait, and it explains what the wait cannot. */
static bool is_halfway(const struct testmail *t, const struct want *w)
{
	return !t->halfway && !t->hurry && w->now_ms - t->sent_ms >= t->waits.reply_ms / 2;
}

static enum want_kind wait_for_arrival(struct testmail *t, struct want *w)
{
	switch (t->arriving.step) {
	case ARRIVE_START:
		t->arrive = begin(t, "send.arrive", w);
		for (;;) {
	STEP(&t->arriving, ARRIVE_LOOK):
			PASS(look(t, w));
			time_passed(t, w);
			if (is_there(t) || blind_to_arrival(t) || t->looks == 0 || waited_long_enough(t, w))
				break;
			if (!is_halfway(t, w))
				goto pause;

	STEP(&t->arriving, ARRIVE_COPY):
			PASS(look_at_copy(t, w));

	STEP(&t->arriving, ARRIVE_BOUNCE):
			PASS(look_for_bounce(t, 1, w));

	STEP(&t->arriving, ARRIVE_TIDY):
			PASS(tidy(t, w));
			t->halfway = true;
			if (t->bounced || blind_to_arrival(t))
				break;
		pause:
			AWAIT(&t->arriving, ARRIVE_PAUSE, want_time(w, pause_ms(t, w))):
			time_passed(t, w);
			if (t->over)
				break;
		}
		end_arrival(t, w);

	STEP(&t->arriving, ARRIVE_DONE):
		return WANT_NOTHING;
	}
	return WANT_FAILED;
}

/* -- the whole ---------------------------------------------------------------------------------------------------- */

/* RFC 1047: when the line breaks before the last answer, the message may be on its way all the same. */
static bool may_be_taken(const struct testmail *t)
{
	int step = report_find(t->report, "smtp.send", t->smtp->base.attempt);

	if (t->err.fault == FAULT_REFUSED || t->err.fault == FAULT_BUSY)
		return false;
	for (size_t i = 0; i < t->report->fact_count; i++) {
		const struct fact *f = &t->report->fact[i];

		if (f->step == step && strcmp(f->name, FACT_SEND_STAGE) == 0 && strcmp(f->value, "data") == 0)
			return true;
	}
	return false;
}

static enum want_kind send(struct testmail *t, struct want *w)
{
	enum want_kind kind = smtp_send_step(t->smtp, w, &t->err);

	if (kind > WANT_FAILED)
		return kind;
	t->taken = kind == WANT_NOTHING || may_be_taken(t);
	t->hurry = kind == WANT_FAILED || w->stopping;
	t->sent_ms = t->hurry_ms = w->now_ms;
	return WANT_NOTHING;
}

enum want_kind testmail_step(void *self, struct want *w, struct error *err)
{
	struct testmail *t = self;

	(void)err;
	switch (t->step) {
	case MAIL_START:
		if (w->stopping) {
			skip_all(t, "called_off", w);
			return WANT_NOTHING;
		}
		compose(t, w);

	STEP(t, MAIL_SEND):
		PASS(send(t, w));
		if (!t->taken || (!t->imap && !t->has_come)) {
			skip_all(t, "earlier", w);
			return WANT_NOTHING;
		}
		if (!can_be_awaited(t))
			skip(t, "send.arrive", "not_checked_here", w);

	STEP(t, MAIL_ARRIVE):
		if (can_be_awaited(t))
			PASS(wait_for_arrival(t, w));

	STEP(t, MAIL_BOUNCE):
		if (!t->to_self && !t->come)
			PASS(look_for_bounce(t, 2, w));

	STEP(t, MAIL_COPY):
		PASS(look_at_copy(t, w));

	STEP(t, MAIL_TIDY):
		PASS(tidy(t, w));
		end_tidy(t, w);

	STEP(t, MAIL_DONE):
		return WANT_NOTHING;
	}
	return WANT_FAILED;
}
