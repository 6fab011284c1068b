/* Any bytes as an answer of Google, as each kind of document: what comes out of it keeps the promises of google.h. */
#include <assert.h>
#include <stdint.h>

#include "wire/google.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_fault(bool fine, struct error *err)
{
	assert(fine == (err->fault == FAULT_NONE));
	assert(fine || err->fault == FAULT_BROKEN || err->fault == FAULT_TOO_BIG);
	*err = (struct error){ .fault = FAULT_NONE };
}

static void check_names(const struct google_messages *m)
{
	assert(m->count <= GOOGLE_PAGE && (!m->next || (*m->next && strlen(m->next) <= GOOGLE_TOKEN)));
	for (size_t i = 0; i < m->count; i++)
		assert(*m->id[i] && !strpbrk(m->id[i], " \r\n/?&#%"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct slice             body = slice((const char *)data, size), raw = slice(NULL, 0);
	struct google_error      e;
	struct google_account    u;
	struct google_profile    p;
	struct google_labels     l;
	struct google_senders    s;
	struct google_messages   many;
	struct google_message    one;
	struct google_history    history;
	struct google_calendars  c;
	struct google_events     many_events;
	struct error             err = { .fault = FAULT_NONE };
	bool                     fine;

	if (google_error_read(body, job, &e))
		assert(e.reasons <= GOOGLE_REASONS && (e.reasons || e.status || e.message));
	fine = google_account_read(body, job, &u, &err);
	check_fault(fine, &err);
	assert(!fine || u.id || u.address);
	fine = google_profile_read(body, job, &p, &err);
	check_fault(fine, &err);
	assert(!fine || (p.address && (!p.history || strspn(p.history, "0123456789") == strlen(p.history))));
	check_fault(google_labels_read(body, &l, &err), &err);
	assert(l.own <= l.count);
	check_fault(google_senders_read(body, job, &s, &err), &err);
	for (size_t i = 0; i < s.count; i++)
		assert(i < GOOGLE_SENDERS && *s.item[i].address);
	fine = google_messages_read(body, job, &many, &err);
	check_fault(fine, &err);
	if (fine)
		check_names(&many);
	fine = google_message_read(body, job, &one, &err);
	check_fault(fine, &err);
	assert(!fine || (*one.id && one.received >= 0 && one.size >= 0));
	fine = google_history_read(body, job, &history, &err);
	check_fault(fine, &err);
	assert(!fine || (history.count <= GOOGLE_ARRIVALS && *history.until && strspn(history.until, "0123456789") == strlen(history.until)));
	for (size_t i = 0; fine && i < history.count; i++)
		assert(*history.item[i].id && !strpbrk(history.item[i].id, " \r\n/?&#%"));
	check_fault(google_raw_read(body, job, &raw, &err), &err);
	fine = google_calendars_read(body, job, &c, &err);
	check_fault(fine, &err);
	assert(!fine || c.count > 0 || !c.primary);
	fine = google_events_read(body, job, &many_events, &err);
	check_fault(fine, &err);
	assert(!fine || (many_events.count <= GOOGLE_EVENTS && (!many_events.next || !many_events.sync)));
	for (size_t i = 0; fine && i < many_events.count; i++)
		assert(*many_events.item[i].id && (!many_events.item[i].start.day || many_events.item[i].start.at));
	google_scope_has(arena_copy(job, body), "email");
	return 0;
}
