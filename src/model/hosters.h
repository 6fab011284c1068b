/* hosters.h -- what is known beforehand about large mailbox hosts, and which software speaks.
 *
 * A table, hosters.def. A row is a hint: it says where to look and which advice fits, and the server's greeting and
 * answers have the last word. The id is what the rules of diagnose/ ask for; several rows may share one, where a host
 * has several doors.
 */
#ifndef MODEL_HOSTERS_H
#define MODEL_HOSTERS_H

#include <stdbool.h>
#include <stddef.h>

#include "model/endpoint.h"

enum hoster_login {
	LOGIN_PASSWORD,          /* the mailbox's own password                                            */
	LOGIN_APP_PASSWORD,      /* one made for programs: app password, authorisation code               */
	LOGIN_OAUTH_ONLY,        /* no password at all                                                    */
};

enum hoster_user { USER_ADDRESS, USER_LOCAL };

struct hoster_server {
	const char          *host;      /* NULL: not known */
	uint16_t             port;
	enum endpoint_socket socket;
	enum hoster_user     user;      /* the form of the user name for an address in one of `domains` */
};

struct hoster {
	const char          *id, *name, *provider;       /* provider: "imap" "microsoft" "google"                */
	const char          *mx;                         /* patterns with * between blanks, or NULL: mail exchangers … */
	const char          *domains;                    /*   … the host's own mail domains …                    */
	const char          *hosts;                      /*   … names under which its servers are reached        */
	struct hoster_server server[SERVICES];
	const char          *caldav;                     /* where CalDAV is asked for first, % the address; or NULL */
	enum hoster_login    login;
	const char          *app_password_url;           /* where one is made, or NULL                           */
	const char          *settings_url;               /* where IMAP is switched on, or NULL                   */
	const char          *help_url;                   /* the host's own words about it, or NULL               */
};

/* Names are lower case, A-labels, without a last dot. NULL when there is no such row. */
const struct hoster *hoster_find(const char *id);
const struct hoster *hoster_by_domain(const char *domain);
const struct hoster *hoster_by_mx(const char *mx);
const struct hoster *hoster_by_host(const char *host);
const struct hoster *hoster_at(size_t n);                     /* NULL past the last */

/* A filter or a forwarder in front of mailboxes that are elsewhere. */
bool mx_is_filter(const char *mx);

/* Who speaks: the id of a hoster by the host's name, else of a hoster or of software ("dovecot" "cyrus" "exchange" …)
 * by the greeting, else by the answer to ID; "" when nothing tells. Each may be NULL. outlook.office365.com serves
 * Outlook.com as well as Microsoft 365: it is "microsoft". */
const char *server_family(const char *host, const char *greeting, const char *id_response);

#endif
