#include "provider/imap_hunt.h"

#include "wire/header.h"

enum { FIND_START, FIND_OPENED, FIND_BY_ID, FIND_BY_SUBJECT, FIND_READ };
enum { BOUNCE_START, BOUNCE_OPENED, BOUNCE_SEARCHED, BOUNCE_READ };
enum { REMOVE_START, REMOVE_OPENED, REMOVE_MARKED, REMOVE_EXPUNGED, REMOVE_LEFT };

/* Only the newest messages of a folder are searched, by their number: what was sent a minute ago is among them, and a
 * server without an index would read a hundred thousand headers otherwise. Bounces are opened, so they are fewer. */
#define NEWEST         200
#define NEWEST_BOUNCES 50

/* An over-long header must not break the session: the limit on literals would. So the server is asked for a part. */
#define HEADER_FIELDS "HEADER.FIELDS (RECEIVED FROM SUBJECT MESSAGE-ID AUTHENTICATION-RESULTS " IMAP_HUNT_FIELD ")"
#define HEADER_BYTES 16384
#define BOUNCE_BYTES 60000

#define WORDS 500       /* kept of a refusal */

void imap_hunt_init(struct imap_hunt *h, struct imap_session *imap, struct arena *job, const char *folder,
                    const char *token, const char *subject, const char *message_id)
{
	/* The server made the name as it pleased: what quotes cannot carry (line ends, 8-bit) is not said at all. */
	bool sayable = *folder && imap_quoted(job, folder);

	*h = (struct imap_hunt){ .imap = imap, .job = job, .folder = sayable ? folder : NULL, .token = token,
	                         .subject = subject, .message_id = message_id };
}

/* -- hearing ------------------------------------------------------------------------------------------------------ */

static void add_hit(struct imap_hunt *h, uint32_t uid)
{
	size_t at = 0;

	while (at < h->hits && h->hit[at] > uid)
		at++;
	if (uid == 0 || at == IMAP_HUNT_HITS || (at < h->hits && h->hit[at] == uid))
		return;
	if (h->hits < IMAP_HUNT_HITS)
		h->hits++;
	memmove(&h->hit[at + 1], &h->hit[at], (h->hits - at - 1) * sizeof h->hit[0]);
	h->hit[at] = uid;
}

/* "7", "7:9" or "9:7". Of a range the highest are taken, and never more than are kept at all. */
static void add_range(struct imap_hunt *h, struct slice range)
{
	struct slice       first = slice_cut(&range, ':');
	unsigned long long a, b;

	if (!slice_number(first, UINT32_MAX, &a))
		return;
	if (!range.at)
		b = a;
	else if (!slice_number(range, UINT32_MAX, &b))
		return;
	if (a > b) {
		unsigned long long high = a;

		a = b;
		b = high;
	}
	for (size_t i = 0; i < IMAP_HUNT_HITS && b >= a && b > 0; i++, b--)
		add_hit(h, (uint32_t)b);
}

/* "* SEARCH 4 7", "* SEARCH", "* SEARCH 4 (MODSEQ 917)". */
static void take_search(struct imap_hunt *h, struct slice text)
{
	while (text.len) {
		struct slice word = slice_cut(&text, ' ');

		if (slice_starts(word, "("))
			return;
		add_range(h, word);
	}
}

/* "* ESEARCH (TAG "a5") UID ALL 4,7:9": what IMAP4rev2 says instead (RFC 9051 §7.3.4). */
static void take_esearch(struct imap_hunt *h, struct slice text)
{
	size_t all = slice_search(text, " ALL ");

	text = slice_from(text, all + strlen(" ALL "));
	text = slice_cut(&text, ' ');
	while (text.len)
		add_range(h, slice_cut(&text, ','));
}

/* One without a body is news about flags, and no answer; of several answers the first is kept, so that a server cannot
 * fill our memory. */
static void take_fetch(struct imap_hunt *h, struct slice text)
{
	CLEANUP(arena) struct arena *work = arena_new();
	struct imap_fetch got;

	if (!imap_fetch(text, work, &got))
		return;
	if (got.body.at && !h->text.at && h->next < h->hits && got.uid == h->hit[h->next])
		h->text = slice(arena_copy(h->job, got.body), got.body.len);
}

static void take_code(struct imap_hunt *h, struct slice code)
{
	unsigned long long n;

	if (slice_is(imap_code_word(code), "UIDVALIDITY") && slice_number(imap_code_rest(code), UINT32_MAX, &n))
		h->validity = (uint32_t)n;
}

static void take(struct imap_hunt *h, const struct imap_event *e)
{
	if (slice_is(e->word, "EXISTS"))
		h->exists = e->number;
	else if (slice_is(e->word, "SEARCH"))
		take_search(h, e->text);
	else if (slice_is(e->word, "ESEARCH"))
		take_esearch(h, e->text);
	else if (slice_is(e->word, "FETCH"))
		take_fetch(h, e->text);
	else if (slice_is(e->word, "OK"))
		take_code(h, e->code);
}

static enum want_kind lost(struct imap_hunt *h, enum came came, struct error *err)
{
	h->came = came;
	h->step = 0;
	fail(err, came_fault(came), "waiting for %s: %s", h->imap->base.endpoint->host, came_name(came));
	return WANT_FAILED;
}

static enum want_kind broken(struct imap_hunt *h, struct error *err, const char *how)
{
	h->came = CAME;
	h->step = 0;
	fail(err, FAULT_BROKEN, "%s: %s", h->imap->base.endpoint->host, how);
	return WANT_FAILED;
}

static enum want_kind more(struct imap_hunt *h, struct want *w, struct error *err)
{
	int       reply_ms = h->imap->base.waits.reply_ms;
	enum came came = want_came(w);

	if (came == CAME || came == CAME_NOTHING || came == CAME_CANCELLED) {
		h->asked_ms = w->now_ms;
		return want_read(w, &h->imap->base.line, reply_ms);
	}
	h->time_is_up = came == CAME_TIMEOUT && w->now_ms - h->asked_ms < reply_ms;
	return lost(h, came, err);
}

/* Waits for the end of the command under way; `said_ok` tells what the server thought of it. */
static enum want_kind answered(struct imap_hunt *h, struct want *w, struct error *err)
{
	for (;;) {
		size_t            used;
		struct imap_event e = imap_hear(h->imap, w, &used);

		if (e.kind == IMAP_BROKEN)
			return broken(h, err, imap_broken(h->imap->reader));
		if (e.kind == IMAP_MORE)
			return more(h, w, err);
		if (imap_is_tag(&e, h->tag)) {
			h->said_ok = slice_is(e.word, "OK");
			h->read_only = slice_is(imap_code_word(e.code), "READ-ONLY");
			if (!h->said_ok)
				h->refusal = arena_copy(h->job, slice_upto(e.line, WORDS));
			imap_heard(h->imap, used);
			return WANT_NOTHING;
		}
		if (e.kind != IMAP_UNTAGGED)
			return broken(h, err, "an answer to nothing that was asked");
		take(h, &e);
		imap_heard(h->imap, used);
	}
}

/* -- asking ------------------------------------------------------------------------------------------------------- */

/* Opened anew for each look: not every server tells of what came in since (facts D.2: Courier). */
static void say_open(struct imap_hunt *h, const struct want *w, const char *how)
{
	CLEANUP(arena) struct arena *work = arena_new();

	h->opened = h->searched = h->read_only = h->by_subject = false;
	h->refusal = NULL;
	h->exists = h->validity = 0;
	h->hits = h->next = 0;
	h->tag = imap_say(h->imap, w, "%s %s", how, imap_quoted(work, h->folder));
}

static uint32_t oldest_of(const struct imap_hunt *h, uint32_t most)
{
	return h->exists > most ? h->exists - most + 1 : 1;
}

/* Returns whether there was anything to be said. */
static bool say_search_id(struct imap_hunt *h, const struct want *w)
{
	CLEANUP(arena) struct arena *work = arena_new();
	const char *id = imap_quoted(work, arena_print(work, "<%s>", h->message_id));

	if (id)
		h->tag = imap_say(h->imap, w, "UID SEARCH %u:* HEADER Message-ID %s", oldest_of(h, NEWEST), id);
	return id != NULL;
}

static void say_search_subject(struct imap_hunt *h, const struct want *w)
{
	h->by_subject = true;
	h->tag = imap_say(h->imap, w, "UID SEARCH %u:* SUBJECT \"%s\"", oldest_of(h, NEWEST), h->token);
}

static void say_fetch(struct imap_hunt *h, const struct want *w, const char *what, unsigned bytes)
{
	h->text = slice(NULL, 0);
	h->tag = imap_say(h->imap, w, "UID FETCH %u (BODY.PEEK[%s]<0.%u>)", h->hit[h->next], what, bytes);
}

/* -- finding ------------------------------------------------------------------------------------------------------ */

static bool field_has(struct slice header, const char *name, const char *text)
{
	struct slice body;

	return header_find(header, name, &body) && slice_has(body, text);
}

/* A server may have given it another Message-ID, and a gateway may have put "[EXTERNAL]" before the subject; but a
 * reply or a bounce, whose subject has the token as well, is not ours to remove. */
static bool is_ours(const struct imap_hunt *h, struct slice header)
{
	struct slice subject;

	return field_has(header, "Message-ID", h->message_id) || field_has(header, IMAP_HUNT_FIELD, h->token)
	    || (header_find(header, "Subject", &subject) && slice_is(slice_trim(subject), h->subject));
}

static void judge_hit(struct imap_hunt *h)
{
	/* Some servers answer a search they do not understand with all there is: only what the header says counts. */
	if (!is_ours(h, h->text))
		return;
	h->found = true;
	h->uid = h->hit[h->next];
	h->uid_validity = h->validity;
	h->header = h->text;
}

enum want_kind imap_hunt_find_step(void *self, struct want *w, struct error *err)
{
	struct imap_hunt *h = self;

	switch (h->step) {
	case FIND_START:
		h->found = false;
		say_open(h, w, "EXAMINE");

	STEP(h, FIND_OPENED):
		PASS(answered(h, w, err));
		h->opened = h->said_ok;
		h->searched = h->opened && h->exists == 0;
		if (!h->opened || h->exists == 0)
			goto done;
		if (!say_search_id(h, w))
			say_search_subject(h, w);

	STEP(h, FIND_BY_ID):
		PASS(answered(h, w, err));
		h->searched = h->said_ok;
		/* Not every server has an index of Message-ID, and some give the message one of their own. */
		if (h->hits == 0 && !h->by_subject)
			say_search_subject(h, w);
		else
			goto read;

	STEP(h, FIND_BY_SUBJECT):
		PASS(answered(h, w, err));
		h->searched |= h->said_ok;
	read:
		for (; h->next < h->hits && !h->found; h->next++) {
			say_fetch(h, w, HEADER_FIELDS, HEADER_BYTES);
	STEP(h, FIND_READ):
			PASS(answered(h, w, err));
			judge_hit(h);
		}
	done:
		h->step = FIND_START;
		return WANT_NOTHING;
	}
	return WANT_FAILED;
}

/* -- the bounce --------------------------------------------------------------------------------------------------- */

static void say_search_bounce(struct imap_hunt *h, const struct want *w)
{
	CLEANUP(arena) struct arena *work = arena_new();
	const char *id = imap_quoted(work, arena_print(work, "<%s>", h->message_id));
	uint32_t    oldest = oldest_of(h, NEWEST_BOUNCES);

	/* The text of a bounce names our message, but a search for text makes some servers read every body. So: who
	 * wrote it, and which message it says it answers (Exchange and Gmail do); the few left are read here. */
	if (id)
		h->tag = imap_say(h->imap, w, "UID SEARCH %u:* OR OR FROM \"mailer-daemon\" FROM \"postmaster\" "
		                  "OR HEADER In-Reply-To %s HEADER References %s", oldest, id, id);
	else
		h->tag = imap_say(h->imap, w, "UID SEARCH %u:* OR FROM \"mailer-daemon\" FROM \"postmaster\"", oldest);
}

static bool is_bounce(const struct imap_hunt *h, struct slice text)
{
	return slice_has(text, h->token) && !is_ours(h, text)
	    && (field_has(text, "Content-Type", "multipart/report") || field_has(text, "From", "mailer-daemon")
	        || field_has(text, "From", "postmaster"));
}

enum want_kind imap_hunt_bounce_step(void *self, struct want *w, struct error *err)
{
	struct imap_hunt *h = self;

	switch (h->step) {
	case BOUNCE_START:
		h->bounce = slice(NULL, 0);
		say_open(h, w, "EXAMINE");

	STEP(h, BOUNCE_OPENED):
		PASS(answered(h, w, err));
		h->opened = h->said_ok;
		h->searched = h->opened && h->exists == 0;
		if (!h->opened || h->exists == 0)
			goto done;
		say_search_bounce(h, w);

	STEP(h, BOUNCE_SEARCHED):
		PASS(answered(h, w, err));
		h->searched = h->said_ok;
		for (; h->next < h->hits && !h->bounce.at; h->next++) {
			say_fetch(h, w, "", BOUNCE_BYTES);
	STEP(h, BOUNCE_READ):
			PASS(answered(h, w, err));
			if (is_bounce(h, h->text))
				h->bounce = h->text;
		}
	done:
		h->step = BOUNCE_START;
		return WANT_NOTHING;
	}
	return WANT_FAILED;
}

/* -- removing ----------------------------------------------------------------------------------------------------- */

/* At Gmail an expunge takes a label away and keeps the message; only what is expunged from the trash is gone. */
static bool goes_by_trash(const struct imap_hunt *h)
{
	const struct imap_session *s = h->imap;

	return imap_list_has(s->capability, "X-GM-EXT-1") && imap_list_has(s->capability, "MOVE") && s->trash_folder[0]
	    && strcmp(s->trash_folder, h->folder) != 0;
}

static void say_mark(struct imap_hunt *h, const struct want *w)
{
	CLEANUP(arena) struct arena *work = arena_new();
	const char *trash = goes_by_trash(h) ? imap_quoted(work, h->imap->trash_folder) : NULL;

	h->moved = trash != NULL;
	h->tag = trash ? imap_say(h->imap, w, "UID MOVE %u %s", h->uid, trash)
	               : imap_say(h->imap, w, "UID STORE %u +FLAGS.SILENT (\\Deleted)", h->uid);
}

/* A plain EXPUNGE would remove whatever else is marked there, by other people and programs as well. */
static bool can_expunge_one(const struct imap_hunt *h)
{
	return imap_list_has(h->imap->capability, "UIDPLUS") || imap_list_has(h->imap->capability, "IMAP4rev2");
}

/* Out of the folder in a way that expunges nothing, as CLOSE would. */
static void say_leave(struct imap_hunt *h, const struct want *w)
{
	if (imap_list_has(h->imap->capability, "UNSELECT") || imap_list_has(h->imap->capability, "IMAP4rev2"))
		h->tag = imap_say(h->imap, w, "UNSELECT");
	else
		h->tag = imap_say(h->imap, w, "EXAMINE INBOX");
}

enum want_kind imap_hunt_remove_step(void *self, struct want *w, struct error *err)
{
	struct imap_hunt *h = self;

	switch (h->step) {
	case REMOVE_START:
		h->marked = h->moved = h->removed = false;
		say_open(h, w, "SELECT");

	STEP(h, REMOVE_OPENED):
		PASS(answered(h, w, err));
		h->opened = h->said_ok;
		/* In a folder that was made anew since, the number is somebody else's message (RFC 9051 §2.3.1.1). */
		if (!h->opened)
			goto done;
		if (h->read_only || h->validity != h->uid_validity)
			goto leave;
		say_mark(h, w);

	STEP(h, REMOVE_MARKED):
		PASS(answered(h, w, err));
		h->moved = h->moved && h->said_ok;
		h->marked = !h->moved && h->said_ok;
		if (!h->marked || !can_expunge_one(h))
			goto leave;
		h->tag = imap_say(h->imap, w, "UID EXPUNGE %u", h->uid);

	STEP(h, REMOVE_EXPUNGED):
		PASS(answered(h, w, err));
		h->removed = h->said_ok;
	leave:
		h->removed |= h->moved;
		h->marked &= !h->removed;
		say_leave(h, w);

	STEP(h, REMOVE_LEFT):
		PASS(answered(h, w, err));
	done:
		h->step = REMOVE_START;
		return WANT_NOTHING;
	}
	return WANT_FAILED;
}
