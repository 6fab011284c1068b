/* exchange_url.h -- from whatever a person calls "the Exchange URL" to the URLs that are worth asking (facts M C.5.2). Pure.
 *
 * Accepted: a host, with or without a port; any https or http URL, with a path or without. Put right on the way: blanks that were
 * pasted along, <> and quotation marks around it, a scheme that stands there twice, a dot behind the host's name, names with other
 * letters than ASCII. Nothing else is guessed at: whatever is unclear is a problem, and nobody is asked.
 */
#ifndef MODEL_EXCHANGE_URL_H
#define MODEL_EXCHANGE_URL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"

#define EXCHANGE_PATH     "/EWS/Exchange.asmx"
#define EXCHANGE_URL_MOST 2048

struct exchange_url {
	const char *problem;           /* NULL, or why it is no usable URL: "empty", "scheme ftp", "no host", "a space in it", "a user name
	                                  in it", "an e-mail address", "a host name that is none", "a port that is none" …    */
	bool        online;            /* a host of Exchange Online: to be connected as Microsoft 365                    */
	const char *given;             /* as it was typed, trimmed; user name and password in it left out                 */
	const char *host;              /* lower case, A-labels, no brackets                                              */
	uint16_t    port;
	const char *path;              /* what was typed behind the host, with its query; "/EWS/Exchange.asmx" where nothing, /ews or a WSDL was */
	bool        is_ews;            /* `path` is that of EWS (but for the case): asking it and asking `right` is the same */
	const char *right;             /* https://HOST[:PORT]/EWS/Exchange.asmx: what is meant most likely               */
};

/* Always fills in `given`; the rest when problem == NULL. http is taken for https. All from `into`. */
void exchange_url_read(const char *text, struct arena *into, struct exchange_url *out);

/* https://HOST[:PORT]PATH, brackets around an IPv6 address; `host` and `path` as above. */
const char *exchange_url_at(const char *host, uint16_t port, const char *path, struct arena *into);

/* A host of Microsoft's own Exchange, or one below it; `host` in lower case and A-labels. */
bool exchange_is_online(const char *host);
/* A mail domain that exists in Microsoft's cloud alone: "contoso.mail.onmicrosoft.com". In lower case. */
bool exchange_domain_is_online(const char *domain);

#endif
