/* house.h -- a web server with a real store and vault in a folder of its own, on a port of its own; and a client that says anything. The
 * keeper is played: it remembers what it was told. */
#ifndef TESTS_SERVE_HOUSE_H
#define TESTS_SERVE_HOUSE_H

#include "serve/parting.h"
#include "serve/http_parts.h"
#include "test.h"

/* Keys that there are, by what they may; all of workspace wsp_a but the operator's, which is of wsp_b. */
#define KEY_READER   "mm_readerreaderreaderreaderreaderreader"       /* accounts:read, events:read */
#define KEY_ADMIN    "mm_adminadminadminadminadminadminadminad"
#define KEY_OPERATOR "mm_operatoroperatoroperatoroperatoroper"
#define KEY_REVOKED  "mm_revokedrevokedrevokedrevokedrevokedre"

struct house {
	struct daemon       service;
	struct settings     settings;
	struct http_server *http;
	uint16_t            port;
	char                folder[40];
	struct arena       *arena;        /* of the test */
	int                 changed;      /* what the keeper was told: how often, and last */
	char                last[60];
	int                 heard;        /*   of Graph's notices: how often, and last, "ACCOUNT NONCE SUBSCRIPTION LIFE" */
	char                last_heard[160];
	int                 parted;       /*   of accounts that it is to say goodbye for, with their secret at hand */
	enum parting        how;          /*   and of the last of them */
};

/* Limits that no test reaches by accident. */
struct http_limits house_limits(void);
void house_open(struct house *, const struct route *const *routes, struct http_limits, const char *proxies);
void house_close(struct house *);
void house_event(struct house *, const char *workspace, const char *type, const char *data);

int         dial(const struct house *);
void        say(int fd, const char *text, size_t len);
const char *hear(int fd, const char *until);                       /* until it hangs up, or that has come; in one place */
const char *ask(struct house *, const char *request);              /* in the arena */
/* "POST /v1/keys" with a key and, unless NULL, JSON; `more` are header lines with their ends. */
const char *call(struct house *, const char *line, const char *key, const char *json, const char *more);
int         status_of(const char *answer);
const char *body_of(const char *answer);

#define CLOSE "Host: x\r\nConnection: close\r\n"

#endif
