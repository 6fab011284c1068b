#include "wire/signin_page.h"

#include <stdlib.h>

#include "test.h"

/* From memory that ends where the body ends, so that a byte read too far is seen. */
static void look(int status, const char *location, const char *fields, struct slice body, struct arena *into, struct signin_seen *out)
{
	char *exact = must_alloc(body.len + 1);

	memcpy(exact, body.at, body.len);
	signin_page_read(status, slice_str(location), slice_str(fields), slice(exact, body.len), into, out);
	free(exact);
}

static bool same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

#define HTML     "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n"
#define VERSION  "X-OWA-Version: 15.2.1544.9\r\n"
#define FORM_MARK "<!-- {57A118C6-2DA9-419d-BE9A-F92B0F9A418B} -->"

#define OWA_PAGE(mark, action)                                                                                       \
	"<!DOCTYPE HTML>\r\n<html><head>" mark "\r\n<!-- OwaPage = ASP.auth_logon_aspx -->\r\n<title>Outlook</title>" \
	"<link rel=\"shortcut icon\" href=\"/owa/auth/15.1.1913/themes/resources/favicon.ico\"></head><body>"         \
	"<form action=\"" action "\" method=\"POST\" name=\"logonForm\"><input type=\"password\" name=\"password\"></form></body></html>"

#define IIS_PAGE(title, text)                                                                                        \
	"<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Strict//EN\" \"http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd\">\r\n" \
	"<html><head><title>" title "</title></head><body><h2>" text "</h2></body></html>"

static const struct {
	const char *what;
	int         status;
	const char *location, *fields, *body;
	enum signin_page page;
	const char *mark, *build, *iis_status, *title;
} rows[] = {
	/* redirects */
	{ "OWA", 302, "https://mail.birch.example/owa/auth/logon.aspx?url=x&reason=0", "", "", PAGE_OWA, "location /owa/auth/logon.aspx", NULL, NULL, NULL },
	{ "OWA, its folder", 301, "/owa/", "", "", PAGE_OWA, "location /owa/", NULL, NULL, NULL },
	{ "OWA, without a slash", 302, "https://mail.birch.example/OWA", "", "", PAGE_OWA, "location /OWA", NULL, NULL, NULL },
	{ "OWA, with its version", 302, "/owa/auth/errorfe.aspx", "x: y\r\nx-owa-version: 14.1.438.0\r\n", "", PAGE_OWA, "location /owa/auth/errorfe.aspx",
		"14.1.438.0", NULL, NULL },
	{ "OWA, a build in the path", 302, "/owa/auth/15.1.2507/logon.aspx", "", "", PAGE_OWA, "location /owa/auth/15.1.2507/logon.aspx", "15.1.2507", NULL, NULL },
	{ "OWA of 2003", 302, "/exchweb/bin/auth/owalogon.asp", "", "", PAGE_OWA, "location /exchweb/bin/auth/owalogon.asp", NULL, NULL, NULL },
	{ "ISA", 302, "https://mail.birch.example/CookieAuth.dll?GetLogon?curl=Z2FowaZ2F", "", "", PAGE_GATEWAY, "location /CookieAuth.dll", NULL, NULL, NULL },
	{ "UAG", 302, "/InternalSite/Login.asp?x", "", "", PAGE_GATEWAY, "location /InternalSite/Login.asp", NULL, NULL, NULL },
	{ "UAG, broken", 302, "/internalsite/internalerror.asp?e=7", "", "", PAGE_GATEWAY_FAULT, "location /internalsite/internalerror.asp", NULL, NULL, NULL },
	{ "UAG, broken too", 302, "/InternalSite/InitParams.aspx", "", "", PAGE_GATEWAY_FAULT, "location /InternalSite/InitParams.aspx", NULL, NULL, NULL },
	{ "AD FS", 302, "https://sts.birch.example/adfs/ls/?wa=wsignin1.0&wtrealm=https%3a//mail/owa/", "", "", PAGE_ADFS, "location /adfs/ls/", NULL, NULL, NULL },
	{ "Microsoft", 302, "https://login.microsoftonline.com/common/oauth2/authorize?x", "", "", PAGE_MICROSOFT, "location login.microsoftonline.com", NULL, NULL, NULL },
	{ "not Microsoft", 302, "https://login.microsoftonline.com.elm.example/x", "", "", PAGE_NONE, NULL, NULL, NULL, NULL },
	{ "forms", 302, "/_forms/default.aspx", "", "", PAGE_FORMS, "location /_forms/default.aspx", NULL, NULL, NULL },
	{ "a fault that passes", 302, "/ews/genericerrorpage.htm?aspxerrorpath=/ews/exchange.asmx", "", "", PAGE_EWS_FAULT, "location /ews/genericerrorpage.htm", NULL, NULL, NULL },
	{ "EWS", 302, "https://mail.birch.example/EWS/Services.wsdl", "", "", PAGE_SERVICE, "location /EWS/Services.wsdl", NULL, NULL, NULL },
	{ "elsewhere", 302, "https://www.birch.example/?from=/owa/", HTML, "<html><body>Object moved</body></html>", PAGE_NONE, NULL, NULL, NULL, NULL },
	{ "no OWA", 302, "/owasp/", "", "", PAGE_NONE, NULL, NULL, NULL, NULL },
	/* pages */
	{ "OWA's page", 200, "", HTML VERSION, OWA_PAGE(FORM_MARK, "/owa/auth.owa"), PAGE_OWA, "comment 57a118c6-2da9-419d-be9a-f92b0f9a418b", "15.2.1544.9", NULL, "Outlook" },
	{ "TMG's page", 200, "", HTML, OWA_PAGE(FORM_MARK, "/CookieAuth.dll?Logon"), PAGE_GATEWAY, "comment 57a118c6-2da9-419d-be9a-f92b0f9a418b", "15.1.1913", NULL, "Outlook" },
	{ "a form to OWA", 200, "", HTML, OWA_PAGE("", "/owa/auth.owa"), PAGE_OWA, "form /owa/auth.owa", "15.1.1913", NULL, "Outlook" },
	{ "a form of 2007", 200, "", "", "<html><FORM name=logonForm ACTION=owaauth.dll method=post>", PAGE_OWA, "form owaauth.dll", NULL, NULL, NULL },
	{ "a form to ISA", 200, "", HTML, "<form method='post' action='/CookieAuth.dll?Logon'>", PAGE_GATEWAY, "form /CookieAuth.dll", NULL, NULL, NULL },
	{ "a form to AD FS", 200, "", HTML, "<form id=f data-action=\"/owa/\" action=\"https://sts.birch.example/adfs/ls/?x\">", PAGE_ADFS, "form /adfs/ls/", NULL, NULL, NULL },
	{ "OWA's comment", 200, "", HTML, "<html><!-- OwaPage = ASP.auth_logon_aspx --></html>", PAGE_OWA, "comment OwaPage = ASP.auth_logon", NULL, NULL, NULL },
	{ "OWA's script", 200, "", HTML, "<script>var a_sLgnQS = '';</script>", PAGE_OWA, "script a_sLgn", NULL, NULL, NULL },
	{ "a refresh", 200, "", "", "\xef\xbb\xbf <!DOCTYPE html><meta http-equiv=\"refresh\" content=\"0; URL='/owa/'\">", PAGE_OWA, "refresh /owa/", NULL, NULL, NULL },
	{ "a refresh elsewhere", 200, "", HTML, "<meta http-equiv=\"refresh\" content=\"0; url=/home\"><title>Home</title>", PAGE_HTML, NULL, NULL, NULL, "Home" },
	{ "a link to OWA is none", 200, "", HTML, "<a href=\"/owa/auth.owa\">webmail</a>", PAGE_HTML, NULL, NULL, NULL, NULL },
	{ "another form", 200, "", HTML, "<form action=\"/login.php\"><input class=x type=Password></form>", PAGE_FORMS, "field password", NULL, NULL, NULL },
	{ "no password", 200, "", HTML, "<form action=\"/search\"><input type=text name=password></form>", PAGE_HTML, NULL, NULL, NULL, NULL },
	{ "440", 440, "", "", "", PAGE_FORMS, "status 440", NULL, NULL, NULL },
	{ "440 with OWA's page", 440, "", HTML VERSION, OWA_PAGE(FORM_MARK, "/owa/auth.owa"), PAGE_OWA, "comment 57a118c6-2da9-419d-be9a-f92b0f9a418b", "15.2.1544.9", NULL, "Outlook" },
	{ "EWS's own page", 200, "", HTML, "<html><title>ExchangeServices Service</title>You have created a service.", PAGE_SERVICE, "page You have created a service.", NULL, NULL, "ExchangeServices Service" },
	{ "WSDL", 200, "", "Content-Type: text/xml\n", "<?xml version=\"1.0\"?><wsdl:definitions xmlns:wsdl=\"http://schemas.xmlsoap.org/wsdl/\"/>", PAGE_SERVICE, "document WSDL", NULL, NULL, NULL },
	{ "some page", 200, "", HTML, "<html><head><TITLE lang=en>\n It\t works! </TITLE>", PAGE_HTML, NULL, NULL, NULL, "It works!" },
	{ "SOAP", 500, "", "Content-Type: text/xml\r\n", "<Envelope>see <form action=\"/owa/auth.owa\">" FORM_MARK "</Envelope>", PAGE_NONE, NULL, NULL, NULL, NULL },
	{ "nothing", 401, "", "X-OWA-Version: 15.0.847.32\r\n", "", PAGE_NONE, NULL, "15.0.847.32", NULL, NULL },
	{ "no version", 401, "", "X-OWA-Version: <script>\r\n", "", PAGE_NONE, NULL, NULL, NULL, NULL },
	/* what IIS says beside the status */
	{ "403.6", 403, "", HTML, IIS_PAGE("IIS", "HTTP Error 403.6 - Forbidden: IP address of the client has been rejected."), PAGE_HTML, NULL, NULL, "403.6", "IIS" },
	{ "403.4 in Finnish", 403, "", HTML, IIS_PAGE("403.4 - K\xc3\xa4ytt\xc3\xb6 estetty", ""), PAGE_HTML, NULL, NULL, "403.4", "403.4 - K\xc3\xa4ytt\xc3\xb6 estetty" },
	{ "403.503", 403, "", HTML, IIS_PAGE("x", "403.503 - Forbidden"), PAGE_HTML, NULL, NULL, "403.503", "x" },
	{ "401.1, reported", 401, "", HTML, IIS_PAGE("x", "HTTP Error 401.1 - Unauthorized"), PAGE_HTML, NULL, NULL, "401.1", "x" },
	{ "no sub-status", 403, "", HTML, IIS_PAGE("403 - Forbidden: Access is denied.", ""), PAGE_HTML, NULL, NULL, NULL, "403 - Forbidden: Access is denied." },
	{ "of another status", 403, "", HTML, IIS_PAGE("x", "HTTP Error 404.2 - Not Found"), PAGE_HTML, NULL, NULL, NULL, "x" },
	{ "part of something", 403, "", HTML, IIS_PAGE("x", "1403.6 - x 10.403.6 - x 403.6.1 - x 403.6 403.1234 - x"), PAGE_HTML, NULL, NULL, NULL, "x" },
};

TEST(pages_are_known_by_their_marks)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		CLEANUP(arena) struct arena *job = arena_new();
		struct signin_seen seen;

		look(rows[i].status, rows[i].location, rows[i].fields, slice_str(rows[i].body), job, &seen);
		EXPECT_ROW(seen.page == rows[i].page, arena_print(job, "%s (%s)", rows[i].what, signin_page_name(seen.page)));
		EXPECT_ROW(same(seen.mark, rows[i].mark), arena_print(job, "%s: %s", rows[i].what, seen.mark));
		EXPECT_ROW(same(seen.build, rows[i].build), arena_print(job, "%s: %s", rows[i].what, seen.build));
		EXPECT_ROW(same(seen.iis_status, rows[i].iis_status), arena_print(job, "%s: %s", rows[i].what, seen.iis_status));
		EXPECT_ROW(same(seen.title, rows[i].title), arena_print(job, "%s: %s", rows[i].what, seen.title));
	}
}

/* A page cut short says less, but nothing that the whole does not. */
TEST(pages_cut_anywhere)
{
	for (size_t i = 0; i < COUNT(rows); i++)
		for (size_t n = 0; n < strlen(rows[i].body); n++) {
			CLEANUP(arena) struct arena *job = arena_new();
			struct signin_seen seen;

			look(rows[i].status, rows[i].location, rows[i].fields, slice(rows[i].body, n), job, &seen);
			EXPECT_ROW(seen.page == rows[i].page || seen.page == PAGE_HTML || seen.page == PAGE_NONE || seen.page == PAGE_FORMS,
			           rows[i].what);
			EXPECT_ROW(!seen.build || same(seen.build, rows[i].build), rows[i].what);
			EXPECT_ROW(!seen.title || slice_starts(slice_str(rows[i].title), seen.title), rows[i].what);
		}
}

TEST(everything_has_a_bound)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct signin_seen seen;
	size_t             most = 128 * 1024;
	char              *body = must_alloc(most + 100), *title = must_alloc(400);

	/* a mark behind the end of what is looked at */
	memset(body, ' ', most + 100);
	memcpy(body, "<html>", 6);
	memcpy(body + most, FORM_MARK, strlen(FORM_MARK));
	look(200, "", "", slice(body, most + 100), job, &seen);
	EXPECT(seen.page == PAGE_HTML);
	memcpy(body + most - 100, FORM_MARK, strlen(FORM_MARK));
	look(200, "", "", slice(body, most + 100), job, &seen);
	EXPECT(seen.page == PAGE_GATEWAY);
	free(body);

	/* a title is cut between two characters */
	strcpy(title, "<html><title>x");
	for (int i = 0; i < 100; i++)
		strcat(title, "\xc3\xa4");
	look(200, "", "", slice_str(title), job, &seen);
	EXPECT(strlen(seen.title) == 99);
	free(title);

	/* a thousand forms, and none that ends */
	body = must_alloc(most);
	for (size_t i = 0; i + 6 <= most; i += 6)
		memcpy(body + i, "<form ", 6);
	look(200, "", HTML, slice(body, most), job, &seen);
	EXPECT(seen.page == PAGE_HTML);
	free(body);
}

TEST(every_page_has_a_name)
{
	for (int page = PAGE_NONE; page <= PAGE_HTML; page++)
		EXPECT(*signin_page_name((enum signin_page)page));
}
