/* want.h -- all that conversations and net/ know of each other.
 *
 * A conversation is a resumable function over a struct. It reads from top to bottom, has named steps, and wherever it
 * must wait it describes the wait in a `struct want` and returns the kind of it. Somebody else (net/, a test, a fuzzer)
 * satisfies the want, puts the answer where the want says, and calls again. A conversation never owns a socket, a
 * clock or a file.
 *
 *     enum want_kind imap_login_step(void *self, struct want *w, struct error *err)
 *     {
 *             struct imap_login *s = self;
 *
 *             switch (s->step) {
 *             case LOGIN_START:
 *                     AWAIT(s, LOGIN_CONNECTED, want_connect(w, &s->line, …)):
 *                     if (want_came(w) != CAME)
 *                             return fail(err, FAULT_NETWORK, …), WANT_FAILED;
 *             STEP(s, LOGIN_GREETING):
 *                     while (!answer(s, &e)) {
 *                             …
 *
 * Rules. Locals do not survive a return; what must, lives in the object. After WANT_NOTHING (done) or WANT_FAILED
 * (see the error) it is not called again. It may be abandoned at any step: its _release() copes. Conversations nest:
 * one calls another with its own `w`, and passes every kind above WANT_FAILED up unchanged.
 */
#ifndef BASE_WANT_H
#define BASE_WANT_H

#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/buffer.h"
#include "base/error.h"

enum want_kind {
	WANT_NOTHING,       /* done                                                                        */
	WANT_FAILED,        /* ended by the error                                                          */
	WANT_CONNECT,       /* a line to one of these checked addresses                                    */
	WANT_READ,          /* at least one more byte in line->in (line->out is flushed meanwhile)         */
	WANT_WRITE,         /* until line->out is flushed                                                  */
	WANT_TLS,           /* the handshake on an open line                                               */
	WANT_DNS,           /* one question to the name server                                             */
	WANT_HTTP,          /* one request, one answer; redirects are answers                              */
	WANT_TICKET,        /* the next word of a sign-in by Kerberos                                      */
	WANT_TIME,          /* just let wait_ms pass                                                       */
	WANT_COMMIT,        /* something done elsewhere: a change kept by the store, work on another thread */
	WANT_GATE,          /* until another conversation opens the gate                                   */
	WANT_CHILDREN,      /* other conversations, side by side                                           */
};

/* How a wait ended. */
enum came {
	CAME,                /* what was wanted                                                             */
	CAME_NOTHING,        /* not waited since the last want_came()                                       */
	CAME_TIMEOUT,        /* wait_ms (or the task's own end) passed first                                */
	CAME_END,            /* the peer closed the connection in an orderly way                            */
	CAME_RESET,          /* the connection was cut                                                      */
	CAME_REFUSED,        /* ECONNREFUSED                                                                */
	CAME_UNREACHABLE,    /* no route                                                                    */
	CAME_NOT_ALLOWED,    /* our own policy forbids that address                                         */
	CAME_FULL,           /* the buffer's limit is reached                                               */
	CAME_TLS_FAILED,     /* the handshake broke, or the peer is not proven: see the tls_answer          */
	CAME_FAILED,         /* otherwise                                                                   */
	CAME_CANCELLED,      /* the person at the keyboard called it off: clean up and end                  */
};

const char *came_name(enum came);         /* "timeout", "refused" … for facts and records */

/* One connection, as its conversation sees it. The socket behind it belongs to whoever satisfies the wants. */
struct line {
	struct buffer in;          /* heard and not yet used: the conversation drops what it has read   */
	struct buffer out;         /* to be said: the conversation adds, the carrier drops (and wipes)  */
	bool          open;
	bool          secure;      /* inside TLS: with a peer that was verified, where we connected; with
	                              anybody, where we were called (TLS_SERVE)                        */
	bool          ended;       /* nothing more will come                                            */
	struct tls_answer *handshake;          /* of its TLS, set by the carrier: where a late alert is written
	                                          down. From CAME on the conversation may take it away (NULL) */
	void         *carrier;
	void        (*drop)(struct line *);    /* closes at once; set with `carrier`                    */
};

static inline void line_init(struct line *l, size_t longest_in, size_t longest_out)
{
	*l = (struct line){ 0 };
	buffer_init(&l->in, longest_in);
	buffer_init(&l->out, longest_out);
}

static inline void line_close(struct line *l)
{
	if (l->drop)
		l->drop(l);
	l->carrier = NULL;
	l->handshake = NULL;
	l->drop = NULL;
	l->open = l->secure = false;
}

static inline void line_release(struct line *l)      /* closes, and gives the buffers back */
{
	line_close(l);
	buffer_release(&l->in);
	buffer_release(&l->out);
}

/* -- CONNECT ------------------------------------------------------------------------------------------------------ */

#define CONNECT_ADDRESSES 12

struct connect_try {
	struct address address;
	enum came      came;       /* CAME_NOTHING: not tried, another one was faster */
	int            ms;
};

struct connect_answer {
	struct connect_try tried[CONNECT_ADDRESSES];
	size_t             count;
	size_t             chosen;      /* index of the one that stands, when the wait CAME */
};

/* -- TLS ---------------------------------------------------------------------------------------------------------- */

#define TLS_CHAIN 6

/* What one handshake may go by that no other may: the word of a workspace, or of whoever is at the keyboard, for its own servers. Plain
 * data; what is made of it is found again by its content. It must live as long as the wait. */
struct own_trust {
	const char *ca_pem;        /* certificates trusted besides those that everybody here trusts, PEM; or NULL              */
	const char *pin;           /* 64 digits, hex: SHA-256 of the public key (SubjectPublicKeyInfo in DER) that the peer must
	                              have. It alone decides then: name, dates and issuer prove nothing more. NULL: any       */
};

struct tls_certificate {
	char    subject[160], issuer[160];      /* one line, "CN=…, O=…"; `…_name` the CN or else the O     */
	char    subject_name[80], issuer_name[80];
	char    names[640];                     /* subjectAltName, ", " between; cut at a whole name        */
	char    aia[200];                       /* authorityInfoAccess caIssuers, "" when none              */
	char    fingerprint[65];                /* SHA-256, hex                                             */
	char    pin[65];                        /* SHA-256 of its public key, as own_trust has it           */
	char    key[24], signature[40];         /* "RSA 2048", "ecdsa-with-SHA256"                          */
	int64_t not_before, not_after;          /* Unix seconds                                             */
	bool    is_ca, self_issued;
};

/* What is wrong with what the peer showed. Several may be. */
enum tls_flaw {
	TLS_FLAW_NAME            = 1 << 0,     /* issued for other names                                   */
	TLS_FLAW_EXPIRED         = 1 << 1,
	TLS_FLAW_NOT_YET         = 1 << 2,
	TLS_FLAW_SELF_SIGNED     = 1 << 3,     /* the server's own certificate signs itself                */
	TLS_FLAW_PRIVATE_ROOT    = 1 << 4,     /* the chain ends in a root that nobody here trusts         */
	TLS_FLAW_NO_ISSUER       = 1 << 5,     /* the issuer of the last one sent is not known here        */
	TLS_FLAW_REVOKED         = 1 << 6,
	TLS_FLAW_WEAK            = 1 << 7,     /* key too short, broken hash                               */
	TLS_FLAW_OTHER           = 1 << 8,
	TLS_FLAW_PIN             = 1 << 9,     /* not the pinned key; then the only one                    */
};

/* By whose word a peer was believed. */
enum tls_by {
	TLS_BY_ALL,                            /* authorities that everybody here trusts                   */
	TLS_BY_OWN_CA,                         /* a certificate of the own_trust                           */
	TLS_BY_OWN_PIN,                        /* its pinned key                                           */
};

struct tls_answer {
	bool     shook;                        /* the handshake itself came to its end                     */
	bool     resumed;                      /* by what an earlier one proved: no chain is shown         */
	enum tls_by by;                        /* when verified                                            */
	unsigned flaws;                        /* of enum tls_flaw; verified == shook && flaws == 0        */
	int      flaw_depth;                   /* of the first flaw: 0 is the server's own                 */
	char     verify[48];                   /* OpenSSL's symbol of the first flaw ("CERT_HAS_EXPIRED"), or "ok" */
	char     version[12], cipher[48];
	int      alert;                        /* number of the alert that the peer sent, -1 for none      */
	char     reason[100];                  /* OpenSSL's words when it broke                            */
	unsigned char first[64];               /* the first bytes that the peer sent after our hello       */
	size_t   first_len;
	bool     wants_client_certificate;
	bool     stapled_good;                 /* a valid OCSP answer was stapled and says "good"          */
	unsigned char end_point[64];           /* tls-server-end-point (RFC 5929 §4.1): the hash of the server's certificate that a
	                                          login can be bound to, of a resumed handshake too. None (len 0) where that is
	                                          undefined (Ed25519), and over a connection that WANT_HTTP kept   */
	size_t   end_point_len;
	struct tls_certificate chain[TLS_CHAIN];
	size_t   chain_len;
};

enum tls_how {
	TLS_FULL,         /* today's TLS, the chain and the name verified: the only one that may carry anything    */
	TLS_QUICK,        /* the same, but may resume a session that was verified with this host and port by the same net, and the same
	                     own_trust or none, in the last 24 hours: then `resumed`, verify "ok", and no chain         */
	TLS_SERVE,        /* we are the server: our certificate is shown, the client's is not asked for; `host` may be NULL     */
	TLS_OLD_ONLY,     /* a probe: would TLS 1.0 or 1.1 shake hands? Closed at once, nothing is said inside     */
};

/* -- DNS ---------------------------------------------------------------------------------------------------------- */

struct dns_answer {
	struct buffer reply;       /* the whole message, its id and question already matched to the query */
	bool          by_tcp;
	char          server[ADDRESS_TEXT + 8];
};

/* -- HTTP --------------------------------------------------------------------------------------------------------- */

struct http_request {
	const char    *method;             /* "GET", "HEAD" …                                                   */
	const char    *url;                /* http or https; the host's name is what certificates are checked against */
	const char    *host;               /* its host … */
	uint16_t       port;               /* … and port again, as --connect-to looks for them                  */
	struct address address;            /* where it leads, resolved by the conversation, checked by net/     */
	const char    *headers[16];        /* "Accept: text/xml"; NULL ends                                     */
	struct slice   body;
	const struct own_trust *trust;     /* for https, or NULL                                                */
	bool           keep;               /* the connection may be one that was kept, and may be kept: for the same host, port,
	                                      address and trust only. Such a one may break just then; what had no answer yet is sent
	                                      once more                                                         */
};

struct http_answer {
	int           status;              /* 0 when none came                                                  */
	struct buffer head;                /* header lines of this answer, CRLF between                         */
	struct buffer body;                /* limits are set by who inits them                                  */
	struct tls_answer *tls;            /* filled in for https when not NULL; over a kept connection as if it were resumed */
	char          reason[100];         /* the library's words when it failed                                */
};

/* -- TICKET ------------------------------------------------------------------------------------------------------- */

#define TICKET_TOKEN ((size_t)64 * 1024)      /* the longest, either way */

/* Where the tickets of a sign-in come from: files of this machine. */
struct ticket_source {
	const char *cache;         /* a credential cache; NULL: the one that KRB5CCNAME or krb5.conf names                    */
	const char *keytab;        /* or keys: a ticket is asked for with that of the user, into memory; NULL: none            */
};

/* Why there is no next word. */
enum ticket_trouble {
	TICKET_FINE,
	TICKET_NONE,               /* no cache, none in it that is of use, no key of that name, or the file cannot be read     */
	TICKET_EXPIRED,
	TICKET_KDC_SILENT,         /* no KDC of the realm is known, or none answers                                            */
	TICKET_NO_SERVICE,         /* the KDC knows no such service                                                            */
	TICKET_NO_USER,            /*   and no such user, or has locked him out                                                */
	TICKET_KEY_REFUSED,        /* the KDC does not take the keytab's key                                                   */
	TICKET_CLOCK,              /* whoever checked it finds our clock, or his, too far off                                  */
	TICKET_UNPROVEN,           /* what the server said does not prove that it is the service                               */
	TICKET_OTHER,
};

/* One sign-in at HTTP/`host` by Kerberos in SPNEGO, word for word: each wait takes what the server said and gives what is to be said.
 * What is behind it belongs to whoever satisfies the wants. */
struct ticket {
	/* in; must live as long as the wait */
	const struct ticket_source *source;
	const char   *user;            /* whose key of the keytab; a cache knows its own                                        */
	const char   *host;            /* as it was typed: what DNS calls it has no say in whom a ticket is asked for           */
	struct slice  binding;         /* hash of the server's certificate (RFC 5929 tls-server-end-point); empty: not bound    */
	struct slice  heard;           /* of the server, decoded; empty: nothing yet                                            */
	/* out */
	struct buffer say;             /* empty: nothing more                                                                   */
	bool          proven;          /* the server has proven that it is that service                                         */
	enum ticket_trouble trouble;
	char          principal[200];  /* as whom, "ann@EXAMPLE.ORG"; "" where that is not known                                */
	char          reason[160];     /* the library's words on the trouble                                                    */
	/* not the conversation's */
	void         *carrier;
	void        (*drop)(struct ticket *);
};

static inline void ticket_init(struct ticket *t)
{
	*t = (struct ticket){ 0 };
	buffer_init(&t->say, TICKET_TOKEN);
}

static inline void ticket_release(struct ticket *t)      /* for good; fine again, and after none */
{
	if (t->drop)
		t->drop(t);
	buffer_release(&t->say);
	t->carrier = NULL;
	t->drop = NULL;
}

/* -- CHILDREN ----------------------------------------------------------------------------------------------------- */

enum task_state { TASK_NEW, TASK_RUNNING, TASK_DONE, TASK_FAILED, TASK_CANCELLED };

struct want;

/* A conversation that can be run by itself. */
struct task {
	enum want_kind (*step)(void *self, struct want *, struct error *);
	void           *self;
	int             wait_ms;        /* its whole life; 0: as long as its parent's            */
	enum task_state state;
	struct error    err;            /* after TASK_FAILED                                     */
	int             ms;             /* how long it ran                                       */
	void           *carrier;        /* whoever runs it                                       */
};

enum children_until { UNTIL_ALL, UNTIL_ONE };    /* ONE: the first TASK_DONE suffices, the others are cancelled */

#define CHILDREN_MOST 24

struct children {
	struct task         *task[CHILDREN_MOST];
	size_t               count;
	enum children_until  until;
};

static inline void children_init(struct children *c, enum children_until until)
{
	*c = (struct children){ .until = until };
}

/* `self` must live until the children have ended; its step is called with it. */
void children_add(struct children *, struct task *, enum want_kind (*step)(void *, struct want *, struct error *), void *self, int wait_ms);

/* -- COMMIT, WORK --------------------------------------------------------------------------------------------------- */

/* Something that is done outside of the loop and answered from there. `begin` hands it over, in the loop's thread, and does not
 * block; whoever did it calls errand_done(), once, from any thread. Such a wait has no deadline and cannot be called off: what is being
 * done lives in the caller's memory. */
struct errand {
	void (*begin)(struct errand *);
	void (*answered)(struct errand *);     /* set by whoever runs the conversation */
	void  *carrier;                        /*   likewise                           */
};

static inline void errand_done(struct errand *e)
{
	e->answered(e);
}

/* Opened by one conversation, awaited by others. */
struct gate {
	bool open;
};

/* -- the want itself ---------------------------------------------------------------------------------------------- */

struct want {
	enum want_kind kind;
	int            wait_ms;             /* this wait's own deadline; never 0                         */
	int64_t        now_ms;              /* set before each step: monotonic, from when the loop began */
	int64_t        now_unix;            /*   the same moment by this machine's clock, seconds        */
	bool           stopping;            /* called off: clean up, ask for little, end                 */
	enum came      came;

	struct line   *line;                            /* CONNECT READ WRITE TLS */
	const char    *host;                            /* CONNECT TLS            */
	uint16_t       port;                            /* CONNECT                */
	struct connect_answer *connect;
	struct tls_answer     *tls;
	enum tls_how           how;
	struct slice           extra;                   /* TLS: a certificate in DER to try as a missing link, or empty */
	const struct own_trust *trust;                  /* TLS: or NULL           */
	struct slice           query;                   /* DNS: the id is put in by net/ */
	struct dns_answer     *dns;
	struct ticket             *ticket;              /* TICKET */
	const struct http_request *request;             /* HTTP */
	struct http_answer        *http;
	struct children           *children;
	const struct gate         *gate;
	struct errand             *errand;              /* COMMIT */
};

/* How the last wait ended; asking takes it away, so that a stale answer is never read twice. */
static inline enum came want_came(struct want *w)
{
	enum came came = w->came;

	w->came = CAME_NOTHING;
	return came;
}

/* `answer->tried[0..count)` name the addresses, best first; the rest of it is filled in. IPv6 and IPv4 are tried side
 * by side (RFC 8305, each a head start of `CONNECT_STAGGER_MS`). */
static inline enum want_kind want_connect(struct want *w, struct line *line, const char *host, uint16_t port,
                                          struct connect_answer *answer, int wait_ms)
{
	w->line = line, w->host = host, w->port = port, w->connect = answer, w->wait_ms = wait_ms;
	return w->kind = WANT_CONNECT;
}

static inline enum want_kind want_read(struct want *w, struct line *line, int wait_ms)
{
	w->line = line, w->wait_ms = wait_ms;
	return w->kind = WANT_READ;
}

static inline enum want_kind want_write(struct want *w, struct line *line, int wait_ms)
{
	w->line = line, w->wait_ms = wait_ms;
	return w->kind = WANT_WRITE;
}

/* `host` is the name that the certificate must carry (or an address literal). CAME only when verified: then
 * line->secure. Otherwise the line is closed by then, and the answer says why. The answer must live as long as line->handshake
 * leads to it: a conversation that parks its line sets that to NULL and need not hold it. An alert that comes later (TLS 1.3
 * refuses a client's certificate after the handshake) ends its READ with CAME_TLS_FAILED in either case, and is written down only
 * where there is an answer. */
static inline enum want_kind want_tls(struct want *w, struct line *line, const char *host, enum tls_how how,
                                      struct tls_answer *answer, int wait_ms)
{
	w->line = line, w->host = host, w->how = how, w->tls = answer, w->wait_ms = wait_ms, w->extra = slice(NULL, 0);
	w->trust = NULL;
	return w->kind = WANT_TLS;
}

/* Of that handshake, just wanted. */
static inline enum want_kind want_trust(struct want *w, const struct own_trust *trust)
{
	w->trust = trust;
	return w->kind;
}

static inline enum want_kind want_dns(struct want *w, struct slice query, struct dns_answer *answer, int wait_ms)
{
	w->query = query, w->dns = answer, w->wait_ms = wait_ms;
	return w->kind = WANT_DNS;
}

static inline enum want_kind want_http(struct want *w, const struct http_request *request, struct http_answer *answer, int wait_ms)
{
	w->request = request, w->http = answer, w->wait_ms = wait_ms;
	return w->kind = WANT_HTTP;
}

/* CAME when the library has spoken: `trouble` says whether well. After anything else what it was doing is lost, and the next wait
 * begins the sign-in anew. */
static inline enum want_kind want_ticket(struct want *w, struct ticket *ticket, int wait_ms)
{
	w->ticket = ticket, w->wait_ms = wait_ms;
	return w->kind = WANT_TICKET;
}

/* As want_tls(), trying `certificate` (DER) as the link that the server forgot to send. */
static inline enum want_kind want_tls_with(struct want *w, struct line *line, const char *host, enum tls_how how, struct slice certificate,
                                           struct tls_answer *answer, int wait_ms)
{
	want_tls(w, line, host, how, answer, wait_ms);
	w->extra = certificate;
	return w->kind;
}

static inline enum want_kind want_time(struct want *w, int wait_ms)
{
	w->wait_ms = wait_ms;
	return w->kind = WANT_TIME;
}

/* No deadline: it is answered when it is done. Always CAME; how it went stands in the errand's owner. */
static inline enum want_kind want_commit(struct want *w, struct errand *errand)
{
	w->errand = errand, w->wait_ms = 1;
	return w->kind = WANT_COMMIT;
}

static inline enum want_kind want_gate(struct want *w, const struct gate *gate, int wait_ms)
{
	w->gate = gate, w->wait_ms = wait_ms;
	return w->kind = WANT_GATE;
}

/* CAME when they all ended (or one sufficed), CAME_TIMEOUT when wait_ms passed: those still running are cancelled. */
static inline enum want_kind want_children(struct want *w, struct children *children, int wait_ms)
{
	w->children = children, w->wait_ms = wait_ms;
	return w->kind = WANT_CHILDREN;
}

/* -- how a conversation is written -------------------------------------------------------------------------------- */

/* The next named step, reached from above or resumed at. */
#define STEP(s, name)         (s)->step = (name); __attribute__((fallthrough)); case name

/* Return `want`, and go on behind this line when it has been answered. Opens the step `name`. Both end in a colon. */
#define AWAIT(s, name, want)  (s)->step = (name); return (want); case name

/* Go on only when that part of the conversation is done; until then (or if it failed) return what it wants. What stands
 * between the last label and here is run again at each resumption: keep it free of effects. */
#define PASS(part)                                                     \
	do {                                                           \
		enum want_kind wanted_ = (part);                       \
		if (wanted_ != WANT_NOTHING)                           \
			return wanted_;                                \
	} while (0)

#endif
