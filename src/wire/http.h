/* http.h -- URLs and header fields (RFC 3986, RFC 9110), as far as fetching a document needs them. */
#ifndef WIRE_HTTP_H
#define WIRE_HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/want.h"

#define HTTP_URL_MOST 2048

struct http_url {
	const char *text;          /* all of it as it is asked for: scheme and host in lower case, no fragment       */
	const char *host;          /* lower case; an address literal without brackets                               */
	const char *target;        /* "/path?query"; at least "/"                                                   */
	uint16_t    port;
	bool        secure;        /* https                                                                         */
};

/* Absolute, http or https, with a host in ASCII and no user name in it (nobody's credentials travel in URLs).
 * False when it is anything else. All of `out` from `into`. */
bool http_url_parse(struct slice text, struct arena *into, struct http_url *out);

/* `reference` (a Location) as seen from `base`; false when it leads to no such URL. */
bool http_url_follow(const struct http_url *base, struct slice reference, struct arena *into, struct http_url *out);

/* `text` with everything but unreserved characters as %XX. */
const char *http_url_encode(const char *text, struct arena *into);

/* The first field of that name in header lines (CRLF or LF between), without white space around it. */
bool http_header_in(struct slice lines, const char *name, struct slice *out);
/* The same of an answer. */
bool http_header(const struct http_answer *, const char *name, struct slice *out);

/* "Sun, 22 Nov 2026 08:00:00 GMT", the form that every server sends (RFC 9110 5.6.7); Unix seconds. */
bool http_date(struct slice text, int64_t *out);

#endif
