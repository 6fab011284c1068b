/* What an Exchange server says on a stream of notifications. The first byte is how much is heard in one READ; 0: all of it; with 128 added
 * it is a stream that several mailboxes share. The rest is the answer to GetStreamingEvents from its first byte, head and chunks. However
 * it ends, the stream is given back whole. */
#include "provider/exchange_stream.h"

#include <assert.h>
#include <stdlib.h>

#define HELD_MOST (128 * 1024)

static enum came hear(struct slice *left, size_t most, struct line *l)
{
	struct slice heard = slice_upto(*left, most ? most : left->len);

	if (!heard.len)
		return CAME_END;
	if (!buffer_add(&l->in, heard))
		return CAME_FULL;
	*left = slice_from(*left, heard.len);
	return CAME;
}

static struct exchange_session *session_new(struct report *report, const struct endpoint *place, const struct login *login)
{
	struct exchange_session *x = must_alloc(sizeof *x);

	exchange_session_init(x, report, place, login, "ann@birch.example", waits_within(30000), report_attempt(report));
	http_reader_init(&x->web.reader, false);
	exchange_session_park(x);
	return x;
}

static void take_stirred(void *self, const char *subscription)
{
	*(size_t *)self += strlen(subscription);
}

static void take_lost(void *self, const char *subscription, const char *code, int64_t now_ms)
{
	*(size_t *)self += strlen(subscription) + strlen(code);
	assert(now_ms > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const struct endpoint   place = { .service = SERVICE_WEB, .host = "192.0.2.7", .port = 443, .socket = SOCKET_TLS, .path = "/EWS/Exchange.asmx" };
	const struct login      login = { .username = "ann", .username_form = "given", .password = "hunter22", .nonce = "0123456789" };
	struct want             w = { .came = CAME_NOTHING, .now_ms = 1 };
	struct report          *report = report_new("ann@birch.example");
	struct exchange_stream *s = exchange_stream_new();
	size_t                  heard = 0;
	struct exchange_ears    ears = { .self = &heard, .stirred = take_stirred, .lost = take_lost };
	struct slice            left = slice((const char *)bytes + (len > 0), len ? len - 1 : 0);

	s->ears = len && bytes[0] & 128 ? &ears : NULL;
	s->session = session_new(report, &place, &login);
	report_free(report);
	s->opened_ms = s->alive_ms = 1;
	for (int turns = 0; exchange_stream_stands(s) && turns < 100000; turns++) {
		enum want_kind kind = exchange_stream_wait_step(s, 20 * 60 * 1000, &w);

		if (kind == WANT_NOTHING && s->heard == EXCHANGE_DUE)
			break;
		if (kind == WANT_NOTHING)
			continue;
		assert(kind == WANT_READ && w.wait_ms > 0 && w.line == &s->session->web.line);
		assert(w.line->in.size <= HELD_MOST);
		w.came = hear(&left, len ? bytes[0] & 127 : 0, w.line);
		w.now_ms++;
	}
	assert(exchange_stream_stands(s) || (s->troubled && s->why[0]));
	exchange_stream_free(s);
	return 0;
}
