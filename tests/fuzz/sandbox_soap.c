/* A request, and all that is asked of its tree. */
#include "sandbox/soap.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	CLEANUP(arena) struct arena *arena = arena_new();
	struct soap  s;
	struct error err = { 0 };

	if (!soap_read(slice((const char *)data, size), &s, &err)) {
		assert(err.fault == FAULT_BROKEN);
		return 0;
	}
	xml_attribute(arena, xml_child(s.header, "RequestServerVersion"), "Version");
	xml_text(arena, xml_below(s.operation, "Mailbox"));
	assert(*xml_again(arena, s.operation) == '<');
	xmlFreeDoc(s.document);
	return 0;
}
