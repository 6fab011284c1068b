#include "serve/kept_kind.h"

#include <string.h>

const struct kept_kind *kept_kind_of(const struct flow_worked *worked)
{
	static const struct kept_kind *const by_interface[] = { &kept_by_graph, &kept_by_gmail, &kept_by_gmail_imap, &kept_by_caldav };

	for (size_t i = 0; worked->interface && i < COUNT(by_interface); i++)
		if (strcmp(by_interface[i]->interface, worked->interface) == 0)
			return by_interface[i];
	return worked->well[SERVICE_WEB] ? &kept_by_ews : &kept_by_imap;
}
