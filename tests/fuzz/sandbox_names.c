/* A query to the name server. */
#include "sandbox/names.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct names *n = names_new();
	unsigned char out[2048];
	size_t        len;

	names_add(n, "a.b", RECORD_A, "127.0.0.1", 0, 0);
	names_add(n, "c", RECORD_CNAME, "c", 0, 0);      /* a circle */
	names_add(n, "b", RECORD_TXT, "text", 0, 0);
	len = names_answer(n, slice((const char *)data, size), 512, out, sizeof out);
	assert(len <= 512 && (len == 0 || (len >= 12 && (out[2] & 0x80))));
	names_free(n);
	return 0;
}
