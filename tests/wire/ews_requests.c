/* Writes every request, one a line: its name, a tab, the XML. For ews_schema.py. */
#include "ews_requests.h"

#include <stdio.h>

int main(void)
{
	static const struct ews_header headers[] = {
		{ "Exchange2010_SP2", NULL }, { "Exchange2007_SP1", NULL }, { "Exchange2010_SP2", "ann&bo@birch.example" },
	};

	for (size_t h = 0; h < COUNT(headers); h++)
		for (size_t i = 0; i < EWS_REQUESTS; i++) {
			struct buffer out;
			const char   *name = "";

			if (i >= EWS_SINCE_2010 && slice_starts(slice_str(headers[h].version), "Exchange2007"))
				continue;
			buffer_init(&out, 1 << 16);
			if (!ews_request(i, &out, &headers[h], &name))
				return 1;
			printf("%s (%s)\t%.*s\n", name, headers[h].version, (int)buffer_held(&out).len, buffer_held(&out).at);
			buffer_release(&out);
		}
	return 0;
}
