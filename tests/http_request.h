/* http_request.h -- what a web server of a test has heard so far: is it a request? */
#ifndef TESTS_HTTP_REQUEST_H
#define TESTS_HTTP_REQUEST_H

#include "base/slice.h"
#include "test.h"

/* A request with all of its body, or nothing yet. */
static inline size_t whole_request(struct slice heard)
{
	size_t             head = slice_search(heard, "\r\n\r\n"), field = slice_search(heard, "Content-Length: ");
	unsigned long long body = 0;

	if (head == heard.len)
		return 0;
	if (field < head) {
		struct slice rest = slice_from(heard, field + 16);

		EXPECT(slice_number(slice_cut(&rest, '\r'), 1 << 30, &body));
	}
	return head + 4 + body <= heard.len ? head + 4 + (size_t)body : 0;
}

#endif
