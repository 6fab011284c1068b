/* autodiscover.h -- by which Exchange says where a mailbox is: POX (v1) and JSON (v2); facts M D.1, D.3, without a socket. */
#ifndef WIRE_AUTODISCOVER_H
#define WIRE_AUTODISCOVER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/slice.h"

#define AUTODISCOVER_MOST      ((size_t)256 * 1024)
#define AUTODISCOVER_PROTOCOLS 8

/* -- v1, POX: a POST of XML, which wants credentials -- */

bool autodiscover_request(struct buffer *out, const char *address);      /* false when `out` is full */

enum autodiscover_action { AUTODISCOVER_SETTINGS, AUTODISCOVER_REDIRECT_ADDRESS, AUTODISCOVER_REDIRECT_URL, AUTODISCOVER_ERROR };

struct autodiscover_protocol {
	const char *type;              /* "EXCH" "EXPR" "EXHTTP" "WEB", upper case       */
	const char *server, *server_version, *ews_url, *as_url, *auth_package;      /* NULL: not told */
};

struct autodiscover_answer {
	enum autodiscover_action     action;
	const char                  *display_name, *smtp_address;
	const char                  *redirect;         /* the address or the URL                              */
	const char                  *error_code, *message;      /* "500" and the server's words              */
	bool                         online;           /* MicrosoftOnline True                                */
	struct autodiscover_protocol protocol[AUTODISCOVER_PROTOCOLS];
	size_t                       count;
};

/* FAULT_BROKEN when it is no such document (HTML, a document type, cut short, too deep), FAULT_TOO_BIG. All from `into`. */
bool autodiscover_read(struct slice xml, struct arena *into, struct autodiscover_answer *out, struct error *err);
/* The URL for somebody outside: EWS of EXHTTP or EXPR, else of EXCH, else of WEB; EwsUrl before ASUrl. NULL: none told. */
const char *autodiscover_ews_url(const struct autodiscover_answer *);

/* -- v2, JSON: a GET without credentials -- */

/* `host` may have a port behind it. */
const char *autodiscover_v2_url(const char *host, const char *address, struct arena *into);

struct autodiscover_v2 {
	const char *url;               /* NULL: none                              */
	const char *error_code, *error_message;
};
bool autodiscover_v2_read(struct slice json, struct arena *into, struct autodiscover_v2 *out, struct error *err);

#endif
