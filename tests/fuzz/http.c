#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "wire/http.h"

/* A URL is parsed again to itself; a reference never leaves http and https; header fields are read from anything. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct slice       text = slice((const char *)data, size), value;
	struct slice       reference = text, first = slice_cut(&reference, '\n');
	struct http_url    url, next;
	struct http_answer answer = { .status = 200 };

	buffer_init(&answer.head, 65536);
	if (buffer_add(&answer.head, text))
		http_header(&answer, "Location", &value);
	buffer_release(&answer.head);

	if (!http_url_parse(first, job, &url))
		return 0;
	assert(http_url_parse(slice_str(url.text), job, &next));
	assert(strcmp(url.text, next.text) == 0 && strcmp(url.host, next.host) == 0 && url.port == next.port);
	assert(*url.host && url.target[0] == '/' && !strchr(url.host, '@') && !strchr(url.host, '/'));
	if (http_url_follow(&url, reference, job, &next))
		assert(*next.host && (next.secure ? strncmp(next.text, "https://", 8) : strncmp(next.text, "http://", 7)) == 0);
	return 0;
}
