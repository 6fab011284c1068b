#include "provider/imap_watch.h"

#include <inttypes.h>

#include "model/facts.h"
#include "wire/header.h"

enum { OPEN_START, OPEN_ANSWERS, OPEN_LAST, OPEN_DONE };
enum { NEWS_START, NEWS_ANSWERS, NEWS_DONE };
enum { WAIT_START, WAIT_NOTIFY, WAIT_IDLE, WAIT_QUIET, WAIT_POLL, WAIT_DONE };

#define IDLE_MS      (28 * 60 * 1000)      /* RFC 2177 §3: issued again at least every 29 minutes */
#define POLL_MS      (60 * 1000)
#define HEADER_BYTES 8192
#define FIELDS       "DATE FROM TO SUBJECT MESSAGE-ID IN-REPLY-TO X-MAILMOOR-TEST"

void imap_watch_init(struct imap_watch *s, struct imap_session *imap, struct report *report, const char *address)
{
	*s = (struct imap_watch){ .imap = imap, .report = report, .address = address, .idle_ms = IDLE_MS, .poll_ms = POLL_MS };
}

void imap_watch_release(struct imap_watch *s)
{
	arena_free(s->page);
	report_free(s->report);
	s->page = NULL;
	s->report = NULL;
}

/* -- asleep and awake --------------------------------------------------------------------------------------------- */

static void park(struct imap_watch *s)
{
	if (s->parked)
		return;
	imap_session_park(s->imap);
	imap_watch_release(s);
	s->count = 0;
	s->parked = true;
}

static void wake(struct imap_watch *s, const struct want *w)
{
	if (!s->parked)
		return;
	s->report = report_new(s->address);
	imap_session_wake(s->imap, s->report);
	session_begin(&s->imap->base, "watch", w);
	s->parked = false;
}

/* -- what is said in between ------------------------------------------------------------------------------------- */

static void take_capability(struct imap_watch *s, struct slice list)
{
	s->idles = imap_list_has(list, "IDLE") && !s->cannot_idle;
	s->notifies = imap_list_has(list, "NOTIFY") && !s->cannot_notify;
}

static void take_code(struct imap_watch *s, struct slice code)
{
	unsigned long long n;
	struct slice       word = imap_code_word(code);

	if (slice_is(word, "CAPABILITY"))
		take_capability(s, imap_code_rest(code));
	else if (!slice_number(imap_code_rest(code), UINT32_MAX, &n))
		return;
	else if (slice_is(word, "UIDNEXT"))
		s->server_next = (uint32_t)n;
	else if (slice_is(word, "UIDVALIDITY") && n != s->uidvalidity) {
		s->renumbered = s->uidvalidity != 0;
		s->uidvalidity = (uint32_t)n;
		s->uidnext = 0;
	}
}

/* More messages than before: something came. Fewer: something went. */
static void take_exists(struct imap_watch *s, uint32_t exists)
{
	s->stirred |= exists > s->exists;
	s->exists = exists;
}

/* "* BYE": the server ends it, and says why. */
static enum want_kind take(struct imap_watch *s, const struct imap_event *e, const struct want *w, struct error *err)
{
	if (slice_is(e->word, "BYE"))
		return imap_refused(s->imap, e, w, err);
	if (slice_is(e->word, "EXISTS"))
		take_exists(s, e->number);
	else if (slice_is(e->word, "EXPUNGE") && s->exists)
		s->exists--;
	else if (slice_is(e->word, "CAPABILITY"))
		take_capability(s, e->text);
	else if (slice_is(e->word, "OK"))
		take_code(s, e->code);
	return WANT_NOTHING;
}

static bool is_ours(const struct imap_watch *s, const struct imap_event *e)
{
	return imap_is_tag(e, s->tag);
}

/* The next response that is no news in passing: a tagged one, or a continuation. Late answers to an IDLE that was ended are
 * passed over. */
static enum want_kind answer(struct imap_watch *s, struct imap_event *e, size_t *used, struct want *w, struct error *err)
{
	for (;;) {
		PASS(imap_await(s->imap, e, used, s->imap->base.waits.reply_ms, w, err));
		if (e->kind == IMAP_CONTINUE || (e->kind == IMAP_TAGGED && !imap_is_tag(e, s->idle_tag)) || slice_is(e->word, "FETCH"))
			return WANT_NOTHING;
		if (e->kind == IMAP_UNTAGGED)
			PASS(take(s, e, w, err));
		imap_heard(s->imap, *used);
	}
}

/* Until our command is answered; NO and BAD end it. */
static enum want_kind done(struct imap_watch *s, struct want *w, struct error *err)
{
	for (;;) {
		struct imap_event e;
		size_t            used;

		PASS(answer(s, &e, &used, w, err));
		if (e.kind != IMAP_TAGGED || !is_ours(s, &e)) {
			imap_heard(s->imap, used);
			continue;
		}
		if (!slice_is(e.word, "OK"))
			return imap_refused(s->imap, &e, w, err);
		take_code(s, e.code);
		imap_heard(s->imap, used);
		return WANT_NOTHING;
	}
}

/* -- opening ------------------------------------------------------------------------------------------------------ */

/* Servers that do not tell UIDNEXT (RFC 3501 lets them): the last message's UID tells it. */
static void take_last(struct imap_watch *s, const struct imap_event *e)
{
	CLEANUP(arena) struct arena *work = arena_new();
	struct imap_fetch got;

	if (imap_fetch(e->text, work, &got) && got.uid >= s->server_next)
		s->server_next = got.uid + 1;
}

static enum want_kind last(struct imap_watch *s, struct want *w, struct error *err)
{
	for (;;) {
		struct imap_event e;
		size_t            used;

		PASS(answer(s, &e, &used, w, err));
		if (e.kind == IMAP_UNTAGGED)
			take_last(s, &e);
		else if (e.kind == IMAP_TAGGED && is_ours(s, &e))
			return imap_heard(s->imap, used), WANT_NOTHING;
		imap_heard(s->imap, used);
	}
}

enum want_kind imap_watch_open_step(void *self, struct want *w, struct error *err)
{
	struct imap_watch *s = self;

	switch (s->step) {
	case OPEN_START:
		take_capability(s, s->imap->capability);
		if (s->imap->capability.len == 0)
			imap_say(s->imap, w, "CAPABILITY");
		session_begin(&s->imap->base, "open", w);
		s->tag = imap_say(s->imap, w, "EXAMINE INBOX");

	STEP(s, OPEN_ANSWERS):
		PASS(done(s, w, err));
		s->asking = s->server_next == 0 && s->exists > 0;
		if (s->asking)
			s->tag = imap_say(s->imap, w, "UID FETCH * (UID)");

	STEP(s, OPEN_LAST):
		if (s->asking)
			PASS(last(s, w, err));
		if (s->uidnext == 0)
			s->uidnext = s->server_next ? s->server_next : 1;
		s->stirred = s->server_next > s->uidnext;
		session_end(&s->imap->base, STEP_PASSED, w);
		session_begin(&s->imap->base, "watch", w);
		s->step = NEWS_START;
		return WANT_NOTHING;
	}
	return WANT_FAILED;
}

/* -- news --------------------------------------------------------------------------------------------------------- */

static const char *field(struct imap_watch *s, struct slice header, const char *name, bool is_address)
{
	struct slice body;

	if (!header_find(header, name, &body))
		return NULL;
	return is_address ? header_address(body, s->page) : header_text(body, s->page);
}

static void take_message(struct imap_watch *s, const struct imap_event *e)
{
	CLEANUP(arena) struct arena *work = arena_new();
	struct imap_fetch got;
	struct message   *m = &s->news[s->count];
	struct slice      test;

	/* "*" in a range is the last message, be it ever so old; and flags of others are told at any time */
	if (!imap_fetch(e->text, work, &got) || got.uid < s->uidnext || !got.body.at)
		return;
	if (got.uid > s->highest)
		s->highest = got.uid;
	if (header_find(got.body, "X-Mailmoor-Test", &test))
		return;
	*m = (struct message){
		.remote_id = arena_print(s->page, "%" PRIu32 ".%" PRIu32, s->uidvalidity, got.uid), .size = got.size,
		.received = imap_date(got.internal_date), .message_id = field(s, got.body, "Message-ID", false),
		.in_reply_to = field(s, got.body, "In-Reply-To", false), .from = field(s, got.body, "From", true),
		.to = field(s, got.body, "To", true), .subject = field(s, got.body, "Subject", false),
	};
	s->count++;
}

/* All have been told: from here on only what comes after them is news. */
static void told_all(struct imap_watch *s)
{
	if (s->highest >= s->uidnext)
		s->uidnext = s->highest + 1;
	s->fetching = s->more = false;
}

/* One page. Whoever asked for it keeps it before the next is read: a slow store slows the server. */
static enum want_kind page(struct imap_watch *s, struct want *w, struct error *err)
{
	while (s->count < IMAP_NEWS_MOST) {
		struct imap_event e;
		size_t            used;

		PASS(answer(s, &e, &used, w, err));
		if (e.kind == IMAP_TAGGED && is_ours(s, &e)) {
			if (!slice_is(e.word, "OK"))
				return imap_refused(s->imap, &e, w, err);
			imap_heard(s->imap, used);
			told_all(s);
			return WANT_NOTHING;
		}
		if (e.kind == IMAP_UNTAGGED)
			take_message(s, &e);
		imap_heard(s->imap, used);
	}
	s->more = true;
	return WANT_NOTHING;
}

enum want_kind imap_watch_news_step(void *self, struct want *w, struct error *err)
{
	struct imap_watch *s = self;

	switch (s->step) {
	case NEWS_START:
		arena_free(s->page);
		s->page = NULL;
		s->count = 0;
		if (!s->stirred && !s->fetching)
			return WANT_NOTHING;
		s->page = arena_new();
		s->news = arena_get(s->page, IMAP_NEWS_MOST * sizeof *s->news);
		if (!s->fetching) {
			s->fetching = true;
			s->stirred = false;
			s->highest = 0;
			s->tag = imap_say(s->imap, w, "UID FETCH %" PRIu32 ":* (UID RFC822.SIZE INTERNALDATE BODY.PEEK[HEADER.FIELDS (" FIELDS ")]<0.%d>)",
			                  s->uidnext, HEADER_BYTES);
		}

	STEP(s, NEWS_ANSWERS):
		PASS(page(s, w, err));
		s->step = NEWS_START;
		return WANT_NOTHING;
	}
	return WANT_FAILED;
}

/* -- waiting ------------------------------------------------------------------------------------------------------ */

/* All that was said while nobody asked. WANT_NOTHING: all of it is dealt with. */
static enum want_kind overheard(struct imap_watch *s, struct want *w, struct error *err)
{
	for (;;) {
		size_t            used;
		struct imap_event e = imap_hear(s->imap, w, &used);

		if (e.kind == IMAP_MORE)
			return WANT_NOTHING;
		if (e.kind == IMAP_BROKEN)
			return imap_await(s->imap, &e, &used, s->imap->base.waits.reply_ms, w, err);      /* says it of the line */
		if (e.kind == IMAP_UNTAGGED)
			PASS(take(s, &e, w, err));
		imap_heard(s->imap, used);
	}
}

/* The answer to IDLE: "+", or a refusal that makes us poll from here on. */
static enum want_kind idle_begins(struct imap_watch *s, struct want *w, struct error *err)
{
	for (;;) {
		struct imap_event e;
		size_t            used;

		PASS(answer(s, &e, &used, w, err));
		if (e.kind == IMAP_TAGGED && is_ours(s, &e))
			s->idles = false, s->cannot_idle = true;
		imap_heard(s->imap, used);
		if (e.kind == IMAP_CONTINUE || s->cannot_idle)
			return WANT_NOTHING;
	}
}

/* NOTIFY is asked for once in a session; refused, we poll. */
static enum want_kind notify_begins(struct imap_watch *s, struct want *w, struct error *err)
{
	for (;;) {
		struct imap_event e;
		size_t            used;

		PASS(answer(s, &e, &used, w, err));
		if (e.kind == IMAP_TAGGED && is_ours(s, &e)) {
			s->notifies = slice_is(e.word, "OK");
			s->cannot_notify = true;
		}
		imap_heard(s->imap, used);
		if (s->cannot_notify)
			return WANT_NOTHING;
	}
}

static int quiet_ms(const struct imap_watch *s)
{
	return s->idles || s->notifies ? s->idle_ms : s->poll_ms;
}

/* Quiet until something is said. WANT_NOTHING with `stirred`, or because the longest quiet wait is over. */
static enum want_kind quiet(struct imap_watch *s, struct want *w, struct error *err)
{
	enum came came;

	for (;;) {
		if (!s->parked)
			PASS(overheard(s, w, err));
		if (s->stirred)
			return WANT_NOTHING;
		came = want_came(w);
		if (came == CAME_NOTHING) {
			park(s);
			return want_read(w, &s->imap->base.line, quiet_ms(s));
		}
		if (came == CAME_TIMEOUT)
			return WANT_NOTHING;
		wake(s, w);
		if (came != CAME)
			return session_lost(&s->imap->base, came, w, err);
	}
}

/* DONE, and what comes next is said right behind it: its answer is passed over when it comes. */
static void end_idle(struct imap_watch *s, const struct want *w)
{
	wake(s, w);
	if (!s->idles)
		return;
	session_say(&s->imap->base, w, "DONE");
	s->idle_tag = s->tag;
}

enum want_kind imap_watch_wait_step(void *self, struct want *w, struct error *err)
{
	struct imap_watch *s = self;

	switch (s->step) {
	case WAIT_START:
		if (!s->idles && s->notifies && !s->cannot_notify)
			s->tag = imap_say(s->imap, w, "NOTIFY SET (SELECTED (MessageNew MessageExpunge))");

	STEP(s, WAIT_NOTIFY):
		if (!s->idles && s->notifies && !s->cannot_notify)
			PASS(notify_begins(s, w, err));
		if (s->idles)
			s->tag = imap_say(s->imap, w, "IDLE");

	STEP(s, WAIT_IDLE):
		if (s->idles)
			PASS(idle_begins(s, w, err));

	STEP(s, WAIT_QUIET):
		PASS(quiet(s, w, err));
		end_idle(s, w);
		s->asking = !s->stirred && !s->idles;
		if (s->asking)
			s->tag = imap_say(s->imap, w, "NOOP");

	STEP(s, WAIT_POLL):
		if (s->asking)
			PASS(done(s, w, err));

	STEP(s, WAIT_DONE):
		s->step = WAIT_START;
		return WANT_NOTHING;
	}
	return WANT_FAILED;
}
