#include "detect/domain.h"

#include <libpsl.h>
#include <string.h>
#include <strings.h>

const char *registrable_domain(const char *name)
{
	const char *found = psl_registrable_domain(psl_builtin(), name);

	return found ? found : name;
}

bool same_registrable_domain(const char *a, const char *b)
{
	return strcasecmp(registrable_domain(a), registrable_domain(b)) == 0;
}
