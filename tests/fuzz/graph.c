/* Any bytes as an answer of Graph, as each kind of document: what comes out of it keeps the promises of graph.h. */
#include <assert.h>
#include <stdint.h>

#include "wire/graph.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct slice                 body = slice((const char *)data, size);
	struct graph_error           e;
	struct graph_user            u;
	struct graph_reply           r[4];
	struct graph_message         m[4];
	struct graph_event           v[4];
	struct error                 err = { .fault = FAULT_NONE };
	bool                         more;

	if (graph_error_read(body, job, &e))
		assert(e.codes > 0 && e.codes <= GRAPH_CODES && *e.code[0]);
	if (graph_user_read(body, job, &u, &err))
		assert(u.id && u.addresses <= GRAPH_ADDRESSES && (!u.exchange_plan || u.plans_told));
	else
		assert(err.fault == FAULT_BROKEN || err.fault == FAULT_TOO_BIG);
	if (graph_batch_read(body, job, r, 4, &err))
		for (size_t i = 0; i < 4; i++) {
			assert(r[i].status == 0 || (r[i].status >= 100 && r[i].status < 600));
			assert(r[i].retry_after >= 0);
			graph_error_read(r[i].body, job, &e);
		}
	assert(graph_page_count(body, &more) >= -1);
	assert(graph_messages_read(body, job, m, 4) <= 4);
	assert(graph_events_read(body, job, v, 4) <= 4);
	graph_text(body, "from.emailAddress.address", job);
	return 0;
}
