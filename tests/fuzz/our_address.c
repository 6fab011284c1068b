/* Any bytes as the first line of an answer to EHLO, and as a header: what is told is an address of the public Internet. */
#include <assert.h>
#include <stdint.h>

#include "wire/our_address.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice   whole = slice((const char *)data, size);
	struct address a;

	if (ehlo_tells_address(whole, &a))
		assert(!address_is_special(&a));
	if (received_tells_address(whole, "[127.0.0.1]", &a))
		assert(!address_is_special(&a));
	return 0;
}
