#include "serve/http.h"

/* Every table of routes. A file with one declares it nowhere else. */
extern const struct route routes_system[], routes_events[];

const struct route *const http_routes[] = { routes_system, routes_events, NULL };
