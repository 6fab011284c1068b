/* signin_page.h -- what stands in front of a web service: which sign-in page, gateway or error page is it (facts M C.5, C.5.1).
 *
 * Looks at one answer to a request without credentials: status, fields, body, and says what marks it carries. Marks only:
 * what follows from them is diagnose/'s business. Never looks at texts in a language.
 */
#ifndef WIRE_SIGNIN_PAGE_H
#define WIRE_SIGNIN_PAGE_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/slice.h"

enum signin_page {
	PAGE_NONE,             /* nothing of the below                                                                    */
	PAGE_OWA,              /* Outlook Web App's own sign-in page, or a redirect to it                                 */
	PAGE_GATEWAY,          /* ISA, TMG, UAG: a form in front of everything (/CookieAuth.dll, /InternalSite/, marker without
	                          X-OWA-Version)                                                                  */
	PAGE_ADFS,             /* /adfs/ls/                                                                               */
	PAGE_MICROSOFT,        /* login.microsoftonline.com and its kin                                                   */
	PAGE_FORMS,            /* 440 Login Timeout, /_forms/, another form with a password field                         */
	PAGE_EWS_FAULT,        /* /ews/genericerrorpage.htm: a passing fault of Exchange's own                            */
	PAGE_GATEWAY_FAULT,    /* /internalsite/internalerror.asp                                                         */
	PAGE_SERVICE,          /* "You have created a service.", WSDL: EWS itself                                         */
	PAGE_HTML,             /* some other page                                                                         */
};

struct signin_seen {
	enum signin_page page;
	const char      *mark;        /* by what it was known: "location /owa/auth/logon.aspx", "comment 57a118c6-…", "form /owa/auth.owa",
	                                 "refresh /owa/", "status 440", "field password" …; NULL for PAGE_NONE and PAGE_HTML           */
	const char      *build;       /* "15.1.1913" out of a path or X-OWA-Version, NULL                                  */
	const char      *iis_status;  /* "403.6" out of an error page of IIS, of the answer's own status; NULL. After a 401 only the
	                                 caller knows whether it was the last leg of a login: on others the page says what is not so  */
	const char      *title;       /* of the page, as written, at most 100 bytes, NULL                                  */
};

const char *signin_page_name(enum signin_page);      /* "none" "owa" "gateway" "adfs" "microsoft" "forms" "ews_fault" "gateway_fault" "service" "html" */

/* `location` may be empty; `fields` are header lines, CRLF or LF between. The body may be cut at any byte, and of one that is
 * longer the first 128 KiB are looked at. Texts from `into`. */
void signin_page_read(int status, struct slice location, struct slice fields, struct slice body, struct arena *into,
                      struct signin_seen *out);

#endif
