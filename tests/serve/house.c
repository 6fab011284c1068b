#include "serve/house.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "serve/folder.h"
#include "serve/keeper.h"
#include "serve/parting.h"
#include "store/events.h"
#include "store/workspaces.h"
#include "wire/graph_notice.h"

/* -- the keeper, played ------------------------------------------------------------------------------------------------ */

static struct house *keeper_of;      /* one house at a time */

void keeper_changed(struct keeper *k, const char *account)
{
	(void)k;
	keeper_of->changed++;
	snprintf(keeper_of->last, sizeof keeper_of->last, "%s", account);
}

void keeper_hear(struct keeper *k, const char *account, const char *nonce, const struct graph_notice *n)
{
	(void)k;
	keeper_of->heard++;
	snprintf(keeper_of->last_heard, sizeof keeper_of->last_heard, "%s %s %s %d", account, nonce, n->subscription, n->life);
}

void keeper_hear_push(struct keeper *k, const char *mailbox)
{
	(void)k;
	keeper_of->heard++;
	snprintf(keeper_of->last_heard, sizeof keeper_of->last_heard, "%s", mailbox);
}

struct pushes *keeper_pushes(struct keeper *k)
{
	(void)k;
	return NULL;
}

void keeper_part(struct keeper *k, const struct account *was, struct slice sealed, enum parting how)
{
	(void)k;
	keeper_of->parted += was->id && was->address && sealed.len > 0;
	keeper_of->how = how;
}

bool keeper_progress(struct keeper *k, const char *account, const struct language *lang, cJSON **steps_out, bool *done_out)
{
	cJSON *o = cJSON_CreateObject();

	(void)k;
	(void)account;
	cJSON_AddStringToObject(o, "id", "imap.login");
	cJSON_AddStringToObject(o, "label", lang->tag);
	cJSON_AddStringToObject(o, "state", "running");
	cJSON_AddStringToObject(o, "text", "");
	cJSON_AddNumberToObject(o, "ms", 5);
	*steps_out = cJSON_CreateArray();
	cJSON_AddItemToArray(*steps_out, o);
	*done_out = false;
	return true;
}

void keeper_counts(struct keeper *k, struct keeper_counts *out)
{
	(void)k;
	*out = (struct keeper_counts){ .parked = 3, .connects = 7 };
}

/* -- the house ----------------------------------------------------------------------------------------------------------- */

struct http_limits house_limits(void)
{
	struct http_limits l = http_usual;

	l.open = l.wrong = l.writes = (struct rate_limit){ 100000, 100000 };
	return l;
}

static bool furnish(struct txn *t, void *self, struct error *err)
{
	static const struct { const char *key, *id, *workspace; unsigned scopes; int64_t revoked; } rows[] = {
		{ KEY_READER,   "key_reader",   "wsp_a", SCOPE_ACCOUNTS_READ | SCOPE_EVENTS_READ, 0 },
		{ KEY_ADMIN,    "key_admin",    "wsp_a", SCOPE_ADMIN, 0 },
		{ KEY_OPERATOR, "key_operator", "wsp_b", SCOPE_OPERATOR, 0 },
		{ KEY_REVOKED,  "key_revoked",  "wsp_a", SCOPE_ADMIN, 1 },
	};
	struct house *h = self;

	for (int i = 0; i < 2; i++)
		if (!workspace_insert(t, &(struct workspace){ i ? "wsp_b" : "wsp_a", i ? "B" : "A", i ? "bccb" : "bcca", 1 }, err))
			return false;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (!key_insert(t, &(struct api_key){ .id = rows[i].id, .workspace = rows[i].workspace, .name = rows[i].id,
			.hash = token_hash(rows[i].key, h->arena), .scopes = rows[i].scopes, .created = 1 }, err)
		    || (rows[i].revoked && !key_revoke(t, rows[i].workspace, rows[i].id, 1, err)))
			return false;
	return true;
}

void house_open(struct house *h, const struct route *const *routes, struct http_limits limits, const char *proxies)
{
	struct error err = { 0 };

	*h = (struct house){ .arena = arena_new() };
	keeper_of = h;
	folder_make(h->folder, "serve");
	settings_read(&h->settings, NULL, &err);
	settings_set(&h->settings, SETTING_WEB_LISTEN, "127.0.0.1:0");
	settings_set(&h->settings, SETTING_NET_EGRESS, "192.0.2.1, 2001:db8::1");
	if (proxies)
		settings_set(&h->settings, SETTING_WEB_PROXIES, proxies);
	h->service = (struct daemon){ .settings = &h->settings, .base_url = "http://mail.example.org", .inbound_domain = "in.example.org",
		.bus = bus_new(), .keeper = (struct keeper *)h, .started = 1500 };
	h->service.store = store_open(arena_print(h->arena, "sqlite:%s/store", h->folder), &err);
	h->service.vault = vault_open(arena_print(h->arena, "%s/key", h->folder), true, &err);
	if (!h->service.store || !h->service.vault || !store_write_wait(h->service.store, furnish, h, &err)
	    || !(h->http = http_start_with(&h->service, routes, &limits, &err)))
		test_fail(__FILE__, __LINE__, "%s", err.text);
	h->port = (uint16_t)atoi(strrchr(http_listening(h->http), ':') + 1);
}

void house_close(struct house *h)
{
	http_stop(h->http);
	store_close(h->service.store);
	vault_free(h->service.vault);
	bus_free(h->service.bus);
	settings_release(&h->settings);
	folder_remove(h->folder);
	arena_free(h->arena);
}

static bool append(struct txn *t, void *self, struct error *err)
{
	return event_append(t, self, NULL, err);
}

void house_event(struct house *h, const char *workspace, const char *type, const char *data)
{
	struct error err = { 0 };
	struct event e = { .id = arena_print(h->arena, "evt_%zu", arena_used(h->arena)), .workspace = workspace, .type = type, .data = data, .created = 1 };

	if (!store_write_wait(h->service.store, append, &e, &err))
		test_fail(__FILE__, __LINE__, "%s", err.text);
	bus_ring(h->service.bus);
}

/* -- the client ------------------------------------------------------------------------------------------------------------ */

int dial(const struct house *h)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(h->port), .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int                fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct timeval     most = { 10, 0 };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof most);
	EXPECT(fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof to) == 0);
	return fd;
}

void say(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);

		if (n <= 0)
			return;                  /* it has hung up: what it said is still to be read */
		text += n, len -= (size_t)n;
	}
}

const char *hear(int fd, const char *until)
{
	static char text[1 << 20];
	size_t      len = 0;
	ssize_t     n;

	text[0] = '\0';
	while (len < sizeof text - 1 && (n = recv(fd, text + len, sizeof text - 1 - len, 0)) > 0) {
		len += (size_t)n;
		text[len] = '\0';
		if (until && strstr(text, until))
			break;
	}
	return text;
}

const char *ask(struct house *h, const char *request)
{
	int         fd = dial(h);
	const char *heard;

	say(fd, request, strlen(request));
	shutdown(fd, SHUT_WR);
	heard = arena_str(h->arena, hear(fd, NULL));
	close(fd);
	return heard;
}

const char *call(struct house *h, const char *line, const char *key, const char *json, const char *more)
{
	return ask(h, arena_print(h->arena, "%s HTTP/1.1\r\n" CLOSE "Authorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n%s\r\n%s",
	                          line, key, json ? strlen(json) : 0, more ? more : "", json ? json : ""));
}

int status_of(const char *answer)
{
	return strncmp(answer, "HTTP/1.1 ", 9) == 0 ? atoi(answer + 9) : 0;
}

const char *body_of(const char *answer)
{
	const char *at = strstr(answer, "\r\n\r\n");

	return at ? at + 4 : "";
}
