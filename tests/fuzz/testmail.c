/* A mailbox that says what it likes while a test message is sent, waited for and removed. The first byte says what the
 * server offers; of the rest each line is one answer, in which 0x01 stands for the tag and 0x02 for the token. */
#include "verify/testmail.h"

#include <assert.h>

struct scene {
	struct report      *report;
	struct endpoint     place;
	struct imap_session imap;
	struct smtp_session smtp;
	struct testmail     mail;
	struct slice        left;
	int64_t             now;
	bool                stopping;
};

/* A submission server that takes everything. */
static enum came smtp_answer(struct line *l)
{
	bool data = slice_is(buffer_held(&l->out), "DATA\r\n");

	buffer_clear(&l->out);
	return buffer_add_str(&l->in, data ? "354 go on\r\n" : "250 ok\r\n") ? CAME : CAME_FULL;
}

static enum came imap_answer(struct scene *s, struct line *l)
{
	struct slice words = slice_upto(s->left, slice_find(s->left, '\n') + 1);

	/* Each command on a line of its own, or a peer could speak through us. */
	for (struct slice said = buffer_held(&l->out), line; said.len;) {
		line = slice_cut(&said, '\n');
		assert(slice_starts(line, "a") && slice_ends(line, "\r"));
	}
	buffer_clear(&l->out);
	if (words.len == 0)
		return CAME_END;
	s->left = slice_from(s->left, words.len);
	for (size_t i = 0; i < words.len; i++) {
		bool fits = words.at[i] == 1 ? buffer_print(&l->in, "a%u", s->imap.tag)
		          : words.at[i] == 2 ? buffer_add_str(&l->in, s->mail.token)
		                             : buffer_add(&l->in, slice(words.at + i, 1));

		if (!fits)
			return CAME_FULL;
	}
	return CAME;
}

static enum came answer(struct scene *s, struct want *w)
{
	assert(w->wait_ms > 0);
	if (w->kind == WANT_TIME) {
		s->now += w->wait_ms;
		return CAME;
	}
	assert(w->kind == WANT_READ);
	return w->line == &s->smtp.base.line ? smtp_answer(w->line) : imap_answer(s, w->line);
}

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const char *const offers[] = { "IMAP4rev1", "UIDPLUS UNSELECT", "UIDPLUS MOVE X-GM-EXT-1", "IMAP4rev2" };
	struct scene   s = { .report = report_new("ann@birch.example"), .place = { .host = "mail.birch.example" } };
	struct waits   waits = waits_within(30000);
	struct want    w = { .came = CAME_NOTHING };
	struct error   err = { 0 };
	enum want_kind kind;

	if (len == 0) {
		report_free(s.report);
		return 0;
	}
	s.left = slice((const char *)bytes + 1, len - 1);
	imap_session_init(&s.imap, s.report, &s.place, NULL, waits, 0);
	smtp_session_init(&s.smtp, s.report, &s.place, NULL, NULL, waits, 1000, 1);
	s.imap.base.line.open = s.smtp.base.line.open = true;
	s.imap.capability = slice_str(offers[bytes[0] & 3]);
	memcpy(s.imap.sent_folder, "Sent", 5);
	memcpy(s.imap.junk_folder, "Junk", 5);
	memcpy(s.imap.trash_folder, "Trash", 6);
	testmail_init(&s.mail, s.report, &s.smtp, &s.imap, "ann@birch.example",
	              bytes[0] & 4 ? "bcc@ash.example" : NULL, waits);
	for (;;) {
		w.now_ms = s.now;
		w.stopping = s.stopping;
		kind = testmail_step(&s.mail, &w, &err);
		if (kind <= WANT_FAILED)
			break;
		w.kind = kind;
		w.came = answer(&s, &w);
		if ((bytes[0] & 8) && s.now > 1000 && !s.stopping) {
			s.stopping = true;
			w.came = CAME_CANCELLED;
		}
	}
	assert(kind == WANT_NOTHING);
	for (size_t i = 0; i < s.report->step_count; i++)
		assert(s.report->step[i].state != STEP_RUNNING);
	testmail_release(&s.mail);
	imap_session_release(&s.imap);
	smtp_session_release(&s.smtp);
	report_free(s.report);
	return 0;
}
