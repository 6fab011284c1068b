/* exchange_url.h -- from whatever a person calls "the Exchange URL" to the URLs that are worth asking (facts M C.5.2). Pure. */
#ifndef MODEL_EXCHANGE_URL_H
#define MODEL_EXCHANGE_URL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"

#define EXCHANGE_PATH "/EWS/Exchange.asmx"

struct exchange_url {
	const char *problem;           /* NULL, or why it is no usable URL: "scheme ftp", "no host", "a space in it", "a user name in it" … */
	bool        online;            /* a host of Exchange Online: to be connected as Microsoft 365                    */
	const char *given;             /* as it was typed, trimmed; user name and password in it left out                 */
	const char *host;              /* lower case, A-labels, no brackets                                              */
	uint16_t    port;
	const char *path;              /* what was typed behind the host, with its query; "/EWS/Exchange.asmx" where nothing, /ews or a WSDL was */
	bool        is_ews;            /* the path already is that of EWS (but for the case)                             */
	const char *right;             /* https://HOST[:PORT]/EWS/Exchange.asmx: what is meant most likely               */
};

/* Always fills in `given`; the rest when problem == NULL. http is taken for https. All from `into`. */
void exchange_url_read(const char *text, struct arena *into, struct exchange_url *out);

#endif
