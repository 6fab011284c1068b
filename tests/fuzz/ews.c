/* Any bytes as an answer of EWS, the first one saying in which pieces and whether behind the beginning of a good one: nothing that is told
 * or kept breaks the promises of ews.h. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "wire/ews.h"

#define LONGEST 200

/* so that the names of the schema matter from the first byte on */
#define BEGINNING \
	"<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/' xmlns:t='http://schemas.microsoft.com/exchange/services/2006/types'" \
	" xmlns='http://schemas.microsoft.com/exchange/services/2006/messages'><s:Body><R><ResponseMessages><RM ResponseClass='Success'>"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect_short(const char *text)
{
	assert(!text || strlen(text) <= LONGEST);
}

static void on_item(void *self, const struct ews_item *i)
{
	const char *const texts[] = { i->subject, i->item_class, i->internet_message_id, i->uid, i->from_name, i->from_address, i->received, i->sent,
		i->start, i->end, i->display_name, i->folder_class, i->address, i->routing_type, i->mailbox_type, i->headers };

	++*(uint64_t *)self;
	for (size_t n = 0; n < COUNT(texts); n++)
		expect_short(texts[n]);
	assert(i->kind != EWS_EVENT || i->element);
}

static void on_mime(void *self, struct slice piece)
{
	(void)self;
	assert(piece.at && piece.len);
}

static void expect_sane(const struct ews_answer *a)
{
	for (size_t i = 0; i < a->count && i < EWS_OUTCOMES; i++) {
		const struct ews_outcome *o = &a->outcome[i];

		assert(o->code && o->text && o->values <= EWS_VALUES && !(o->ok && o->fault));
		expect_short(o->code);
		expect_short(o->text);
		for (size_t n = 0; n < o->values; n++)
			assert(o->value[n].name && *o->value[n].value);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena) struct arena *job = arena_new();
	uint64_t            told = 0;
	struct ews_listener listener = { &told, on_item, on_mime };
	CLEANUP(ews_reader) struct ews_reader *r = ews_reader_new(job, LONGEST, &listener);
	struct slice        rest = slice((const char *)data, size);
	size_t              piece = size ? 1 + data[0] / 2 : 1;
	struct error        err = { .fault = FAULT_NONE };
	bool                good = true;

	if (size && data[0] % 2)
		good = ews_feed(r, slice_str(BEGINNING), NULL, &err);
	for (rest = slice_from(rest, 1); rest.len && good && !ews_reader_whole(r);) {
		size_t used = 0;

		good = ews_feed(r, slice_upto(rest, piece), &used, &err);
		assert(!good || (used <= piece && used <= rest.len && (used == piece || used == rest.len || ews_reader_whole(r))));
		rest = slice_from(rest, used);
	}
	good = ews_finish(r, &err);
	assert(good == (ews_reader_whole(r) && err.fault == FAULT_NONE));
	assert(good || err.fault == FAULT_BROKEN || err.fault == FAULT_TOO_BIG);
	assert(told == ews_answer(r)->items);
	expect_sane(ews_answer(r));
	return 0;
}
