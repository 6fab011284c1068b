#include "detect/candidates.h"

#include <string.h>
#include <strings.h>

#include "detect/domain.h"

static bool comes_before(const struct endpoint *a, const struct endpoint *b)
{
	if (a->source != b->source)
		return a->source < b->source;
	if (a->rank != b->rank)
		return a->rank < b->rank;
	return a->socket == SOCKET_TLS && b->socket != SOCKET_TLS;
}

static void remove_at(struct candidates *c, size_t n)
{
	memmove(&c->item[n], &c->item[n + 1], (c->count - n - 1) * sizeof c->item[0]);
	c->count--;
}

void candidates_add(struct candidates *c, const struct endpoint *e)
{
	size_t at;

	for (size_t i = 0; i < c->count; i++) {
		if (c->item[i].port != e->port || strcasecmp(c->item[i].host, e->host) != 0)
			continue;
		if (!comes_before(e, &c->item[i]))
			return;
		remove_at(c, i);
		break;
	}
	if (c->count == CANDIDATES) {
		if (!comes_before(e, &c->item[c->count - 1]))
			return;
		c->count--;
	}
	for (at = c->count; at > 0 && comes_before(e, &c->item[at - 1]); at--)
		c->item[at] = c->item[at - 1];
	c->item[at] = *e;
	c->count++;
}

static bool serves(const struct autoconfig_server *server, enum service service)
{
	return service == SERVICE_IMAP ? server->incoming && strcmp(server->type, "imap") == 0
	                               : !server->incoming && strcmp(server->type, "smtp") == 0;
}

/* An address literal loses its brackets. */
static const char *bare_host(struct arena *into, const char *host)
{
	struct address address;
	char           text[ADDRESS_TEXT];

	return address_parse(host, &address) ? arena_str(into, address_text(&address, text)) : host;
}

void candidates_from_document(struct candidates *c, struct arena *into, enum service service,
                              const struct autoconfig *document, enum endpoint_source source, int rank)
{
	for (size_t i = 0; i < document->count; i++) {
		const struct autoconfig_server *server = &document->server[i];

		if (!serves(server, service) || server->socket == AUTOCONFIG_PLAIN)
			continue;
		candidates_add(c, &(struct endpoint){
			.service = service, .host = bare_host(into, server->hostname), .port = server->port,
			.socket = server->socket == AUTOCONFIG_TLS ? SOCKET_TLS : SOCKET_STARTTLS,
			.source = source, .username = server->username, .rank = rank++,
		});
	}
}

void candidates_from_srv(struct candidates *c, enum service service, bool implicit_tls, const char *domain,
                         const struct dns_record *record)
{
	/* Some publish 465 under _submission and 993 under _imap: the port says how it is spoken there. */
	uint16_t tls_port = service == SERVICE_IMAP ? 993 : 465;

	if (record->target[0] == '\0' || record->port == 0)
		return;
	candidates_add(c, &(struct endpoint){
		.service = service, .host = record->target, .port = record->port,
		.socket = implicit_tls || record->port == tls_port ? SOCKET_TLS : SOCKET_STARTTLS,
		.source = same_registrable_domain(record->target, domain) ? SOURCE_SRV : SOURCE_SRV_FOREIGN,
		.rank = record->preference,
	});
}
