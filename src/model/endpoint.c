#include "model/endpoint.h"

const char *service_name(enum service service)
{
	static const char *const name[SERVICES_ALL] = { "imap", "smtp", "ews" };

	return name[service];
}

const char *endpoint_source_name(enum endpoint_source source)
{
	static const char *const name[SOURCES] = {
		[SOURCE_USER] = "user",                       [SOURCE_AUTOCONFIG] = "autoconfig",     [SOURCE_ISPDB] = "ispdb",
		[SOURCE_TABLE] = "table",                     [SOURCE_SRV] = "srv",                   [SOURCE_MX_TABLE] = "mx_table",
		[SOURCE_MX_AUTOCONFIG] = "mx_autoconfig",     [SOURCE_WELL_KNOWN] = "well_known",
		[SOURCE_WELL_KNOWN_FOREIGN] = "well_known_foreign",
		[SOURCE_AUTODISCOVER] = "autodiscover",
		[SOURCE_AUTODISCOVER_SRV] = "autodiscover_srv",
		[SOURCE_AUTODISCOVER_REDIRECT] = "autodiscover_redirect",
		[SOURCE_AUTODISCOVER_SRV_FOREIGN] = "autodiscover_srv_foreign",
		[SOURCE_AUTODISCOVER_MICROSOFT] = "autodiscover_microsoft",
		[SOURCE_SRV_FOREIGN] = "srv_foreign",         [SOURCE_AUTOCONFIG_HTTP] = "autoconfig_http", [SOURCE_GUESS] = "guess",
	};

	return name[source];
}

bool endpoint_trusted(const struct endpoint *e)
{
	return e->source <= SOURCE_SRV;
}
