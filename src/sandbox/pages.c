#include "sandbox/pages.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "sandbox/parts.h"
#include "sandbox/text.h"

#define MARKER "<!-- {57A118C6-2DA9-419d-BE9A-F92B0F9A418B} -->"

/* -- bodies ------------------------------------------------------------------------------------------------------- */

void page_iis(struct request *r, struct reply *reply, int status, const char *sub, const char *text)
{
	reply->type = "text/html";
	buffer_print(&reply->body,
	             "<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Strict//EN\">\r\n<html><head><title>%d - %s</title></head><body>"
	             "<div id=\"header\"><h1>Server Error</h1></div><div id=\"content\"><fieldset><h2>%d - %s</h2><h3>%s</h3></fieldset></div></body></html>",
	             status, escaped(r->work, text), status, escaped(r->work, text),
	             sub ? arena_print(r->work, "HTTP Error %s", escaped(r->work, sub)) : "You do not have permission to view this directory or page.");
}

/* The form of the versions' pages, or of the gateway's before it. */
static void form(struct sandbox *s, struct request *r, struct reply *reply, const char *title, const char *action)
{
	bool modern = persona_is_modern(s->persona);
	char build[40];

	reply->type = "text/html; charset=utf-8";
	buffer_print(&reply->body, "<!DOCTYPE HTML>\r\n" MARKER "\r\n<!-- OwaPage = ASP.auth_logon_aspx -->\r\n<html><head><title>%s</title><link rel=\"shortcut icon\" "
	             "href=\"/owa/%s%s/themes/%s/favicon.ico", title, modern ? "auth/" : "", persona_build(s->persona, build), modern ? "resources" : "base");
	buffer_print(&reply->body,
	             "\"><script>var a_sLgnQS='';var a_sUrl='https://%s/owa/';</script></head><body>"
	             "<form action=\"%s\" method=\"POST\" name=\"logonForm\" id=\"loginForm\" autocomplete=\"off\">"
	             "<input type=\"hidden\" name=\"destination\" value=\"https://%s/owa/\"><input type=\"hidden\" name=\"flags\" value=\"4\">"
	             "<input type=\"hidden\" name=\"forcedownlevel\" value=\"0\"><input id=\"username\" name=\"username\">"
	             "<input id=\"password\" name=\"password\" type=\"password\"><input type=\"hidden\" name=\"isUtf8\" value=\"1\"></form></body></html>",
	             escaped(r->work, r->host), action, escaped(r->work, r->host));
}

static void moved(struct request *r, struct reply *reply, const char *where)
{
	reply->status = 302;
	reply_header(reply, r, "Location", "%s", where);
	reply->type = "text/html; charset=utf-8";
	buffer_print(&reply->body, "<html><head><title>Object moved</title></head><body><h2>Object moved to <a href=\"%s\">here</a>.</h2></body></html>",
	             escaped(r->work, where));
}

/* -- the table ---------------------------------------------------------------------------------------------------- */

struct page_row {
	int         status;
	const char *server;              /* NULL: IIS of the version, with all its headers */
	const char *sub, *text;          /* of a page of IIS                               */
	const char *where;               /* of a redirect: a path, or a URL                */
};

#define IIS_403 "Forbidden: Access is denied."

static const struct page_row rows[PAGE_COUNT] = {
	[PAGE_404]           = { 404, NULL, NULL, "File or directory not found.", NULL },
	[PAGE_403]           = { 403, NULL, NULL, IIS_403, NULL },
	[PAGE_403_4]         = { 403, NULL, "403.4 - Forbidden: SSL is required to view this resource.", IIS_403, NULL },
	[PAGE_403_6]         = { 403, NULL, "403.6 - Forbidden: IP address of the client has been rejected.", IIS_403, NULL },
	[PAGE_403_7]         = { 403, NULL, "403.7 - Forbidden: SSL client certificate is required.", IIS_403, NULL },
	[PAGE_440]           = { 440, NULL, NULL, "Login Timeout", NULL },
	[PAGE_456]           = { 456, NULL, NULL, NULL, NULL },
	[PAGE_500]           = { 500, NULL, NULL, NULL, NULL },
	[PAGE_502]           = { 502, "nginx", NULL, "Bad Gateway", NULL },
	[PAGE_503]           = { 503, "Microsoft-HTTPAPI/2.0", NULL, "Service Unavailable", NULL },
	[PAGE_504]           = { 504, "nginx", NULL, "Gateway Time-out", NULL },
	[PAGE_CAS_ERROR]     = { 500, NULL, NULL, NULL, NULL },
	[PAGE_HTTPAPI_404]   = { 404, "Microsoft-HTTPAPI/2.0", NULL, "Not Found", NULL },
	[PAGE_HTTPAPI_400]   = { 400, "Microsoft-HTTPAPI/2.0", NULL, "Bad Request - Invalid Hostname", NULL },
	[PAGE_OTHER]         = { 200, "Apache/2.4.57 (Debian)", NULL, NULL, NULL },
	[PAGE_OWA]           = { 200, NULL, NULL, NULL, NULL },
	[PAGE_TMG]           = { 200, "", NULL, NULL, NULL },
	[PAGE_UAG_ERROR]     = { 302, "", NULL, NULL, "/internalsite/internalerror.asp?site_name=portal&secure=1&error_code=37" },
	[PAGE_TO_OWA]        = { 302, NULL, NULL, NULL, "/owa/auth/logon.aspx?url=https%3a%2f%2f{host}%2fews%2fexchange.asmx&reason=0" },
	[PAGE_TO_TMG]        = { 302, "", NULL, NULL, "/CookieAuth.dll?GetLogon?curl=Z2FewsZ2Fexchange.asmx&reason=0&formdir=1" },
	[PAGE_TO_UAG]        = { 302, "", NULL, NULL, "/InternalSite/InitParams.aspx?referrer=/InternalSite/Validate.asp&orig_url=https%3a%2f%2f{host}%2f" },
	[PAGE_TO_ADFS]       = { 302, NULL, NULL, NULL, "https://adfs.{domain}/adfs/ls/?wa=wsignin1.0&wtrealm=https%3a%2f%2f{host}%2fowa%2f" },
	[PAGE_TO_FORMS]      = { 302, NULL, NULL, NULL, "/_forms/default.aspx?ReturnUrl=%2fews%2fexchange.asmx" },
	[PAGE_CIRCLE]        = { 302, NULL, NULL, NULL, "/EWS/Exchange.asmx" },
	[PAGE_TO_VALUE]      = { 302, NULL, NULL, NULL, NULL },
	[PAGE_GENERIC_ERROR] = { 302, NULL, NULL, NULL, "/ews/genericerrorpage.htm?aspxerrorpath=/ews/exchange.asmx" },
};

/* With our names in it. */
static const char *filled_in(struct sandbox *s, struct request *r, const char *where)
{
	struct slice rest = slice_str(where);
	const char  *text = where[0] == '/' ? arena_print(r->work, "%s://%s", r->secure ? "https" : "http", r->host) : "";

	while (rest.len) {
		struct slice before = slice_cut(&rest, '{');

		text = arena_print(r->work, "%s%.*s", text, (int)before.len, before.at);
		if (rest.at)
			text = arena_print(r->work, "%s%s", text, slice_equal(slice_cut(&rest, '}'), slice_str("host")) ? r->host : s->domain);
	}
	return text;
}

/* The reason phrase is of our own making, which no library writes. */
static void write_456(struct request *r, struct reply *reply, const char *value)
{
	buffer_print(&reply->body,
	             "HTTP/1.1 456 This account is locked. Visit %s to unlock it.\r\nServer: Microsoft-IIS/10.0\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
	             value ? value : arena_print(r->work, "https://%s/unlock", r->host));
	reply->ending = ENDS_RAW;
}

static void write_body(struct sandbox *s, struct request *r, struct reply *reply, enum page page, const char *value)
{
	switch (page) {
	case PAGE_OWA:
		form(s, r, reply, "Outlook", "/owa/auth.owa");
		return;
	case PAGE_TMG:
		form(s, r, reply, "Microsoft Forefront TMG", "/CookieAuth.dll?Logon");
		return;
	case PAGE_OTHER:
		reply->type = "text/html";
		buffer_add_str(&reply->body, "<!DOCTYPE html><html><head><title>Welcome to our bakery</title></head><body><h1>Bread, rolls, cake</h1></body></html>");
		return;
	case PAGE_500:
		reply->type = "text/html; charset=utf-8";
		buffer_add_str(&reply->body, "<html><head><title>Runtime Error</title></head><body><h1>Server Error in '/EWS' Application.</h1></body></html>");
		return;
	case PAGE_CAS_ERROR:
		reply_header(reply, r, "X-CasErrorCode", "%s", value ? value : "MailboxServerLocatorTimedOut");
		return;
	case PAGE_503:
		if (value)
			reply_header(reply, r, "Retry-After", "%s", value);
		break;
	default:
		break;
	}
	page_iis(r, reply, rows[page].status, rows[page].sub, rows[page].text);
}

void page_write(struct sandbox *s, struct request *r, struct reply *reply, enum page page, const char *value)
{
	const struct page_row *row = &rows[page];

	if (page == PAGE_456) {
		write_456(r, reply, value);
		return;
	}
	reply->status = row->status;
	if (!row->server)
		usual_headers(s, r, reply);
	else if (*row->server)
		reply_header(reply, r, "Server", "%s", row->server);
	if (page == PAGE_TO_VALUE)
		moved(r, reply, value);
	else if (row->where)
		moved(r, reply, filled_in(s, r, row->where));
	else
		write_body(s, r, reply, page, value);
}

/* -- Outlook on the web ------------------------------------------------------------------------------------------- */

static bool begins(const char *path, const char *with)
{
	return strncasecmp(path, with, strlen(with)) == 0;
}

bool page_owa(struct sandbox *s, struct request *r, struct reply *reply)
{
	char build[40];

	if (begins(r->path, "/CookieAuth.dll")) {
		page_write(s, r, reply, PAGE_TMG, NULL);
		return true;
	}
	if (strcmp(r->path, "/") != 0 && !begins(r->path, "/owa") && !begins(r->path, "/ecp"))
		return false;
	if (!s->persona->tells_build)      /* older ones tell it here only */
		reply_header(reply, r, "X-OWA-Version", "%s", persona_build(s->persona, build));
	if (strcasecmp(r->path, "/owa/auth/logon.aspx") == 0) {
		page_write(s, r, reply, PAGE_OWA, NULL);
	} else if (strcasecmp(r->path, "/owa/healthcheck.htm") == 0) {
		usual_headers(s, r, reply);
		reply->type = "text/html";
		buffer_print(&reply->body, "200 OK<br/>%s", s->dns_host);
	} else if (strcmp(r->path, "/") == 0) {
		usual_headers(s, r, reply);
		moved(r, reply, arena_print(r->work, "https://%s/owa/", r->host));
	} else {
		page_write(s, r, reply, PAGE_TO_OWA, NULL);
	}
	return true;
}
