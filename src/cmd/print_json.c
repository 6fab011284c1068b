#include <stdlib.h>

#include "cmd/print.h"
#include "diagnose/report_json.h"

void print_json(FILE *out, const struct report *r, const struct verdict *v, const struct language *lang)
{
	cJSON *json = report_json(r, v, lang);
	char  *text = json_write(json);

	fputs(text, out);
	fputc('\n', out);
	free(text);
	cJSON_Delete(json);
}
