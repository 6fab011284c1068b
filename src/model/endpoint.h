/* endpoint.h -- one place where a service may be, where we have that from, and how far it is trusted. */
#ifndef MODEL_ENDPOINT_H
#define MODEL_ENDPOINT_H

#include <stdbool.h>
#include <stdint.h>

struct own_trust;

enum service { SERVICE_IMAP, SERVICE_SMTP, SERVICES };

/* A web service is asked by URL; its endpoints are no candidates of the two above. */
#define SERVICE_WEB SERVICES
#define SERVICES_ALL (SERVICES + 1)

enum endpoint_socket { SOCKET_TLS, SOCKET_STARTTLS };

/* Best first: the order in which candidates are tried. */
enum endpoint_source {
	SOURCE_USER,               /* named on the command line, or confirmed                                  */
	SOURCE_AUTOCONFIG,         /* https, at the domain itself                                              */
	SOURCE_ISPDB,              /* Thunderbird's database, by the address's domain                          */
	SOURCE_TABLE,              /* our own table of large providers, by the address's domain                */
	SOURCE_AUTODISCOVER,       /* Autodiscover of Exchange, https, at the domain itself                    */
	SOURCE_AUTODISCOVER_SRV,   /* the same at a host that SRV names within the registrable domain          */
	SOURCE_WELL_KNOWN,         /* CalDAV: where the domain's own host sends from its well-known place, https */
	SOURCE_SRV,                /* SRV, target within the same registrable domain (or under DNSSEC)         */
	SOURCE_MX_TABLE,           /* our table, by the mail exchanger: DNS may be forged, so to be confirmed  */
	SOURCE_MX_AUTOCONFIG,      /* autoconfig or database of the mail exchanger's domain: to be confirmed   */
	SOURCE_SRV_FOREIGN,        /* SRV to another domain: to be confirmed                                   */
	SOURCE_WELL_KNOWN_FOREIGN, /* CalDAV: a redirect or a link that leads to somebody else's host           */
	SOURCE_AUTODISCOVER_REDIRECT,   /* Autodiscover where a redirect led to: over plain http, or to somebody else */
	SOURCE_AUTODISCOVER_SRV_FOREIGN,   /* Autodiscover at a host that SRV names elsewhere: to be confirmed */
	SOURCE_AUTODISCOVER_MICROSOFT,  /* what Microsoft's Autodiscover says of a domain: to be confirmed     */
	SOURCE_AUTOCONFIG_HTTP,    /* autoconfig over plain http: to be confirmed                              */
	SOURCE_GUESS,              /* a common name: to be confirmed                                           */
	SOURCES
};

struct endpoint {
	enum service         service;
	const char          *host;             /* lower case, A-labels; or an address literal without brackets */
	uint16_t             port;
	enum endpoint_socket socket;
	enum endpoint_source source;
	const char          *path;             /* of a web service: what is asked for, "/EWS/Exchange.asmx"; NULL elsewhere */
	const char          *username;         /* the form that the source names, or NULL                      */
	int                  rank;             /* within its source: SRV priority, order of the document       */
	const struct own_trust *trust;         /* base/want.h: of whoever connects there, or NULL              */
};

const char *service_name(enum service);                 /* "imap" "smtp" "ews" */
/* "user" "autoconfig" "ispdb" "table" "autodiscover" "autodiscover_srv" "well_known" "srv" "mx_table" "mx_autoconfig"
 * "srv_foreign" "well_known_foreign" "autodiscover_redirect" "autodiscover_srv_foreign" "autodiscover_microsoft" "autoconfig_http" "guess" */
const char *endpoint_source_name(enum endpoint_source);

/* May a password go there without the user having named the host (DESIGN §3)? */
bool endpoint_trusted(const struct endpoint *);

#endif
