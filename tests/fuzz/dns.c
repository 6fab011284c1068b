/* Any bytes as a message; what comes out of it as names goes back in as a question; and any replies to a lookup. */
#include <assert.h>
#include <stdint.h>

#include "wire/dns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask_for(const char *name)
{
	struct buffer query;

	buffer_init(&query, 512);
	assert(*name == '\0' || dns_query(&query, name, DNS_A, false));
	buffer_release(&query);
}

static void read_message(struct slice bytes)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct dns_message m;

	if (!dns_message(bytes, job, &m))
		return;
	assert(m.answer_count <= DNS_ANSWERS);
	for (size_t i = 0; i < m.answer_count; i++) {
		ask_for(m.answer[i].owner);
		if (m.answer[i].target)
			ask_for(m.answer[i].target);
	}
}

/* Each reply: two bytes of length, then the reply. */
static struct slice next_reply(struct slice *rest)
{
	size_t       len = rest->len < 2 ? 0 : (size_t)(uint8_t)rest->at[0] << 8 | (uint8_t)rest->at[1];
	struct slice reply;

	*rest = slice_from(*rest, 2);
	reply = slice_upto(*rest, len);
	*rest = slice_from(*rest, reply.len);
	return reply;
}

static void look_up(struct slice replies, enum dns_type type)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct dns_lookup s;
	struct want       w = { .came = CAME_NOTHING };
	int               rounds = 0;

	dns_lookup_init(&s, job, "a", type, 1000);
	while (dns_lookup_step(&s, &w, NULL) == WANT_DNS) {
		assert(++rounds <= 20);
		w.came = replies.len ? CAME : CAME_TIMEOUT;
		buffer_add(&w.dns->reply, next_reply(&replies));
		w.now_ms += 10;
	}
	for (size_t i = 1; i < s.count; i++)
		assert(type != DNS_MX || s.record[i - 1].preference <= s.record[i].preference);
	dns_lookup_release(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice bytes = slice((const char *)data, size);

	read_message(bytes);
	look_up(bytes, DNS_A);
	look_up(bytes, DNS_MX);
	return 0;
}
