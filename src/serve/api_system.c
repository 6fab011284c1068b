#include "serve/api.h"
#include "serve/http_parts.h"

extern const char openapi_json[];       /* of docs/openapi.yaml, by tools/openapi2c.py */

static void get_health(struct exchange *x)
{
	answer_text(x, 200, "text/plain; charset=utf-8", "ok\n");
}

static void get_description(struct exchange *x)
{
	answer_text(x, 200, "application/json", openapi_json);
}

const struct route routes_system[] = {
	{ "GET", "/healthz",      GUARD_NONE, 0, get_health },
	{ "GET", "/openapi.json", GUARD_NONE, 0, get_description },
	{ 0 }
};
