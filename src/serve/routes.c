#include "serve/http.h"

/* Every table of routes; a file with one declares it nowhere else. */
extern const struct route routes_accounts[], routes_admin[], routes_app[], routes_connect[], routes_diagnose[], routes_domains[],
	routes_events[], routes_help[], routes_keys[], routes_links[], routes_mail[], routes_notices[], routes_pushes[], routes_signin[],
	routes_system[], routes_webhooks[];

const struct route *const http_routes[] = {
	routes_accounts, routes_admin, routes_app, routes_connect, routes_diagnose, routes_domains, routes_events, routes_help,
	routes_keys, routes_links, routes_mail, routes_notices, routes_pushes, routes_signin, routes_system, routes_webhooks, NULL
};
