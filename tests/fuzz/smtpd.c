/* The first byte says where the bytes are cut, the rest is what a client says. Whole and in two pieces it must mean the same, and
 * no message may end anywhere but behind CRLF "." CRLF. */
#include "wire/smtpd.h"

#include <assert.h>

#include "base/buffer.h"

struct heard {
	struct smtpd_reader *reader;
	struct buffer        left, text;
	unsigned             commands, ends;
	unsigned             sum;        /* of the verbs, in their order */
	bool                 message;    /* between DATA and its end     */
	char                 last[2];    /* of the bytes done with       */
};

static void judge_arguments(const struct smtpd_event *e)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct smtpd_mail mail;
	struct smtpd_rcpt rcpt;

	if (e->verb == SMTPD_MAIL && !smtpd_mail(e->args, job, &mail))
		assert(strlen(mail.sender) <= 600 && !strpbrk(mail.sender, "\r\n"));
	if (e->verb == SMTPD_RCPT && !smtpd_rcpt(e->args, true, job, &rcpt))
		assert(*rcpt.local && *rcpt.domain && !strpbrk(rcpt.text, "\r\n"));
	if (smtpd_name(e->args))
		assert(slice_find(e->args, ' ') == e->args.len);
}

static void take(struct heard *h, const struct smtpd_event *e, struct slice used)
{
	switch (e->kind) {
	case SMTPD_COMMAND:
		h->commands++;
		h->sum = h->sum * 31 + e->verb;
		judge_arguments(e);
		if (e->verb == SMTPD_DATA) {
			smtpd_data(h->reader);
			h->message = true;
		}
		break;
	case SMTPD_TEXT:
		assert(e->text.len > 0);
		buffer_add(&h->text, e->text);
		break;
	case SMTPD_TEXT_END:
		if (h->message)
			assert(slice_equal(used, slice_str(".\r\n")) && memcmp(h->last, "\r\n", 2) == 0);
		h->message = false;
		h->ends++;
		break;
	default:
		break;
	}
	for (size_t i = 0; i < used.len; i++) {
		h->last[0] = h->last[1];
		h->last[1] = used.at[i];
	}
}

static void hear(struct heard *h, struct slice bytes)
{
	struct smtpd_event e;
	size_t             used;

	buffer_add(&h->left, bytes);
	do {
		struct slice held = buffer_held(&h->left);

		e = smtpd_next(h->reader, held, &used);
		assert(used <= held.len && (used || e.kind != SMTPD_COMMAND));
		take(h, &e, slice_upto(held, used));
		buffer_drop(&h->left, used);
	} while (e.kind != SMTPD_MORE && e.kind != SMTPD_BROKEN);
	assert(e.kind == SMTPD_BROKEN || buffer_held(&h->left).len <= 81);
}

static void heard_open(struct heard *h)
{
	*h = (struct heard){ .reader = smtpd_reader_new(80, 40) };
	buffer_init(&h->left, 1 << 20);
	buffer_init(&h->text, 1 << 20);
}

static void heard_close(struct heard *h)
{
	smtpd_reader_free(h->reader);
	buffer_release(&h->left);
	buffer_release(&h->text);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct heard whole, pieces;
	struct slice bytes;

	if (size < 2)
		return 0;
	bytes = slice((const char *)data + 1, size - 1);
	heard_open(&whole);
	heard_open(&pieces);
	hear(&whole, bytes);
	hear(&pieces, slice_upto(bytes, data[0]));
	hear(&pieces, slice_from(bytes, data[0]));
	assert(whole.commands == pieces.commands && whole.ends == pieces.ends && whole.sum == pieces.sum);
	assert(slice_equal(buffer_held(&whole.text), buffer_held(&pieces.text)));
	assert(!*smtpd_broken(whole.reader) == !*smtpd_broken(pieces.reader));
	heard_close(&whole);
	heard_close(&pieces);
	return 0;
}
