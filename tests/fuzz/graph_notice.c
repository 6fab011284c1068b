/* Any bytes as what comes to whoever has a subscription, and as the answer to asking for one: what comes out keeps the promises of
 * graph_notice.h. */
#include <assert.h>
#include <stdint.h>

#include "wire/graph_notice.h"

#define LONG ((size_t)256 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct slice                 body = slice((const char *)data, size);
	const char                  *token = arena_copy(job, body);
	const struct graph_notice   *n;
	struct graph_subscription    s;
	struct error                 err = { .fault = FAULT_NONE };
	size_t                       count;

	if (graph_notices_read(body, LONG, job, &n, &count, &err)) {
		assert(count <= GRAPH_NOTICES_MOST);
		for (size_t i = 0; i < count; i++)
			assert(graph_subscription_is_id(n[i].subscription) && *n[i].client_state && strlen(n[i].client_state) <= GRAPH_CLIENT_STATE
			       && n[i].life <= GRAPH_MISSED);
	} else {
		assert(count == 0 && (err.fault == FAULT_BROKEN || err.fault == FAULT_TOO_BIG));
	}
	if (graph_subscription_read(body, job, &s, &err))
		assert(graph_subscription_is_id(s.id) && s.until > 0);
	if (graph_proof(token))
		assert(*token && strlen(token) <= GRAPH_PROOF && !strpbrk(token, "<>\r\n"));
	return 0;
}
