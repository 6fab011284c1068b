/* doctor_parts.h -- what the doctor's files share. Nobody else includes it but tests.
 *
 * doctor.c       the order of things, the settings, the daemon
 * doctor_here.c  files, the disk, the store, keys, limits, the clock
 * doctor_net.c   the name server, base_url, the BCC domain, what may leave
 * doctor_knock.c one connection to a port, and what a mail server says there
 */
#ifndef SERVE_DOCTOR_PARTS_H
#define SERVE_DOCTOR_PARTS_H

#include <sys/types.h>

#include "connect/app.h"
#include "net/options.h"
#include "serve/doctor.h"
#include "serve/identity.h"
#include "serve/our_addresses.h"
#include "wire/fetch.h"

enum check {
	CHECK_SETTINGS, CHECK_USER, CHECK_DIRECTORY, CHECK_DISK, CHECK_KEY, CHECK_STORE, CHECK_SECRETS, CHECK_ADDRESSES, CHECK_DAEMON,
	CHECK_FILES, CHECK_MEMORY, CHECK_CLOCK, CHECK_DNS, CHECK_BASE, CHECK_CERTIFICATE, CHECK_PROXY, CHECK_MAIL_DOOR, CHECK_MAIL_DOMAIN,
	CHECK_MAIL_TLS, CHECK_MICROSOFT, CHECK_CLIENT_CERTIFICATE, CHECK_CLIENT, CHECK_PUBLISHER, CHECK_GOOGLE,
	CHECK_GOOGLE_PAGE, CHECK_EGRESS,
	CHECKS
};

#define DOCTOR_HOSTS   8          /* of connected accounts that are knocked at    */
#define DOCTOR_WAIT_MS 10000      /* for one conversation                         */
#define DOCTOR_DAYS    14         /* a certificate that ends sooner should have been renewed */

struct doctor_host {
	const char *host;
	uint16_t    port;
};

struct doctor {
	struct arena               *job;
	const struct doctor_wishes *wishes;
	void                      (*found)(void *self, const struct remark *);
	void                       *self;
	bool                        failed;

	struct settings    settings;
	struct net_options options;
	struct app         app;                 /* as the settings have it …    */
	struct error       unread;              /* … why not all of it; no fault: it is all there */
	struct net        *net;
	const char        *file;                /* settings are of; NULL: of none */
	char               store_url[4096], key_file[4096];
	const char        *directory;           /* of the store's file; NULL: it is kept in none */

	bool               begun;               /* there is a store: the daemon has run          */
	bool               runs;                /* somebody has the store open …                 */
	pid_t              pid;                 /* … who; 0: not to be seen from here            */
	bool               takes_mail;          /* as the daemon says                            */
	bool               answered;            /* it has said so                                */

	struct vault      *vault;               /* NULL: no key that can be used                 */
	int64_t            accounts;
	size_t             secrets, shut;       /* sealed ones, and those that do not open       */
	struct doctor_host host[DOCTOR_HOSTS];  /* of accounts that are connected                */
	size_t             hosts;

	struct our_addresses ours;              /* for allowlists                                */
};

/* "advice" may be NULL. */
__attribute__((format(printf, 5, 6)))
void doctor_say(struct doctor *, enum check, enum remark_state, const char *advice, const char *fmt, ...);

/* The document, within DOCTOR_WAIT_MS; false when no answer came. fetch_release() is due either way. */
bool doctor_get(struct doctor *, struct fetch *, const char *url, struct tls_answer *);
/* Asks whether this daemon answers at BASE/healthz. */
enum doctor_who { WHO_NOBODY_THERE, WHO_THIS_DAEMON, WHO_SOMEBODY, WHO_CANNOT_TELL };
enum doctor_who doctor_who_answers(struct doctor *, const char *base, struct fetch *, struct tls_answer *, const char **version);
/* Runs a conversation of the doctor's to its end. */
void doctor_converse(struct doctor *, enum want_kind (*step)(void *, struct want *, struct error *), void *self, int wait_ms);

/* In words for people: "in 3 days", "the name server does not know it" … */
const char *came_words(enum came);
const char *dns_words(enum dns_outcome);
const char *flaw_words(const struct tls_answer *, struct arena *into);
int         days_left(const struct tls_certificate *, int64_t now_unix);

/* doctor_here.c */
void check_directory(struct doctor *);
void check_disk(struct doctor *);
void check_store(struct doctor *);
void check_key(struct doctor *);
void check_addresses(struct doctor *);
void check_files(struct doctor *);
void check_memory(struct doctor *);
void check_clock(struct doctor *);
void check_microsoft(struct doctor *);
void check_client_certificate(struct doctor *);      /* before check_client() */
void check_publisher(struct doctor *);
void check_google(struct doctor *);
/* "1: FLOCK  ADVISORY  WRITE 1234 fe:01:131 0 EOF" of /proc/locks; 0: another inode, or no such line. */
pid_t lock_owner(const char *line, ino_t inode);
/* A limit's two numbers from /proc/PID/limits; -1: unlimited. */
bool limit_read(const char *text, const char *name, int64_t *soft, int64_t *hard);

/* doctor_net.c */
void check_dns(struct doctor *);
void check_base(struct doctor *);
void check_proxy(struct doctor *);
void check_mail(struct doctor *);
void check_egress(struct doctor *);
void check_client(struct doctor *);
void check_google_page(struct doctor *);

/* doctor_knock.c: goes to a port, and where `speak`, hears the greeting of a mail server there, and tries STARTTLS. */
struct knock {
	/* in */
	const char      *host;
	uint16_t         port;
	bool             speak, lmtp;
	struct arena    *job;
	/* out */
	enum dns_outcome dns;
	enum came        came;              /* of the connection; CAME_NOTHING: there was no address */
	struct address   address;           /* that answered                                         */
	int              code;              /* of the last reply; 0: none                            */
	const char      *greeting;          /* without its code; NULL: none                          */
	bool             offers_tls;
	enum came        secured;           /* how the handshake ended; CAME_NOTHING: none           */
	struct tls_answer tls;
	/* its own */
	int                   step;
	struct line           line;
	struct resolve        resolve;
	bool                  resolving;
	struct connect_answer connect;
	struct smtp_reader   *reader;
	bool                  hears_tls;
};

void           knock_init(struct knock *, struct arena *job, const char *host, uint16_t port, bool speak);
enum want_kind knock_step(void *self, struct want *, struct error *);      /* always ends well */
void           knock_release(struct knock *);
/* All of them side by side. */
void           doctor_knock(struct doctor *, struct knock *, size_t count);

#endif
