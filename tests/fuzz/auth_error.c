/* Any bytes as what somebody pasted of a page of Google's: what is found keeps the promises of google_page.h. */
#include <assert.h>
#include <stdint.h>

#include "model/google_page.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct google_page *p)
{
	size_t len = strlen(p->code);

	assert(len > 2 && len <= GOOGLE_PAGE_CODE && strspn(p->code, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_") == len);
	assert(p->status == 0 || (p->status >= 100 && p->status < 600));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct slice       text = slice((const char *)data, size);
	struct google_page p;

	if (google_page_decode(text, job, &p))
		check(&p);
	if (google_page_find(text, job, &p))
		check(&p);
	return 0;
}
