#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>

#include "sandbox/pages.h"
#include "sandbox/parts.h"
#include "sandbox/soap.h"
#include "sandbox/text.h"

#define NS_OUTER   "http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006"
#define NS_OUTLOOK "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a"

static const char *value_of(struct sandbox *s, enum order order)
{
	const struct ordered *o = orders_has(&s->orders, order);

	return o ? o->value : NULL;
}

static const char *ews_url(struct sandbox *s, const struct account *a)
{
	const char *other = value_of(s, ORDER_AUTO_EWS_URL);

	return other ? other : a && a->ews_url ? a->ews_url : s->places.ews_url;
}

static bool has_domain(struct sandbox *s, const char *address)
{
	const char *at = strrchr(address, '@');

	return at && strcasecmp(at + 1, s->domain) == 0;
}

/* -- v2: JSON, without a login ------------------------------------------------------------------------------------ */

static void json_error(struct reply *reply, int status, const char *code, const char *text)
{
	reply->status = status;
	reply->type = "application/json";
	buffer_print(&reply->body, "{\"ErrorCode\":\"%s\",\"ErrorMessage\":\"%s\"}", code, text);
}

static const char *address_of(struct request *r)
{
	static const char version[] = "/v1.0/";
	const char       *asked = request_query(r, "Email"), *in_path = strcasestr(r->path, version);

	return asked ? asked : in_path ? in_path + sizeof version - 1 : "";
}

static void answer_json(struct sandbox *s, struct request *r, struct reply *reply)
{
	const char *protocol = request_query(r, "Protocol");
	const int  *version = s->persona->version;

	/* it came with 2016 */
	if (version[0] < 15 || (version[0] == 15 && version[1] == 0) || orders_has(&s->orders, ORDER_AUTO_NO_V2)) {
		page_write(s, r, reply, PAGE_404, NULL);
		return;
	}
	usual_headers(s, r, reply);
	if (!protocol)
		json_error(reply, 400, "MandatoryParameterMissing", "A valid value must be provided for the query parameter 'Protocol'");
	else if (!has_domain(s, address_of(r)))
		json_error(reply, 404, "UserNotFound", "The given user is not found");
	else if (strcasecmp(protocol, "ews") != 0 && strcasecmp(protocol, "autodiscoverv1") != 0)
		json_error(reply, 404, "ProtocolNotSupported", "The given protocol value is invalid. Supported values are 'AutodiscoverV1,Ews'");
	else {
		bool ews = strcasecmp(protocol, "ews") == 0;

		reply->type = "application/json; charset=utf-8";
		buffer_print(&reply->body, "{\"Protocol\":\"%s\",\"Url\":\"%s\"}", ews ? "Ews" : "AutodiscoverV1",
		             ews ? ews_url(s, account_by_mail(s, address_of(r))) : arena_print(r->work, "https://%s/autodiscover/autodiscover.xml", r->host));
	}
}

/* -- v1: POX ------------------------------------------------------------------------------------------------------ */

static void begin_xml(struct reply *reply)
{
	reply->type = "text/xml; charset=utf-8";
	buffer_add_str(&reply->body, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n<Autodiscover xmlns=\"" NS_OUTER "\">");
}

static const struct { int code; const char *text; } errors[] = {
	{ 500, "The email address can't be found." }, { 501, "Bad Address" }, { 600, "Invalid Request" }, { 601, "Provider is not available" },
	{ 602, "Bad Address" }, { 603, "Server Error" },
};

static void write_error(struct reply *reply, int code)
{
	const char *text = "Server Error";
	char        now[16];
	time_t      t = time(NULL);
	struct tm   at;

	for (size_t i = 0; i < COUNT(errors); i++)
		if (errors[i].code == code)
			text = errors[i].text;
	strftime(now, sizeof now, "%H:%M:%S", gmtime_r(&t, &at));
	buffer_print(&reply->body, "<Response><Error Time=\"%s.0000000\" Id=\"1054084152\"><ErrorCode>%d</ErrorCode><Message>%s</Message><DebugData/></Error></Response>",
	             now, code, text);
}

static void write_redirect(struct request *r, struct reply *reply, const char *action, const char *element, const char *value)
{
	buffer_print(&reply->body, "<Response xmlns=\"" NS_OUTLOOK "\"><Account><AccountType>email</AccountType><Action>%s</Action><%s>%s</%s></Account></Response>",
	             action, element, escaped(r->work, value), element);
}

/* As hexadecimal digits: bits skipped, major, minor, skipped, build. */
static unsigned version_number(const struct persona *p)
{
	return 0x70000000u | (unsigned)p->version[0] << 22 | (unsigned)p->version[1] << 16 | 0x8000u | (unsigned)p->version[2];
}

static void write_settings(struct sandbox *s, struct request *r, struct reply *reply, const struct account *a)
{
	const char *inside = arena_print(r->work, "https://%s/EWS/Exchange.asmx", s->dns_host), *outside = escaped(r->work, ews_url(s, a));

	buffer_print(&reply->body,
	             "<Response xmlns=\"" NS_OUTLOOK "\"><User><DisplayName>%s</DisplayName><LegacyDN>/o=%s/ou=Exchange Administrative Group/cn=Recipients/cn=%s</LegacyDN>"
	             "<AutoDiscoverSMTPAddress>%s</AutoDiscoverSMTPAddress><DeploymentId>5e8a8b3f-0d5a-4f5f-9a2a-6f2d1f3c9b10</DeploymentId></User>"
	             "<Account><AccountType>email</AccountType><Action>settings</Action><MicrosoftOnline>%s</MicrosoftOnline>",
	             escaped(r->work, a->display), s->netbios, a->sam, escaped(r->work, a->mail), s->persona->schemes == SCHEME_BEARER ? "True" : "False");
	buffer_print(&reply->body,
	             "<Protocol><Type>EXCH</Type><Server>EXCH01</Server><ServerVersion>%08X</ServerVersion><ASUrl>%s</ASUrl><EwsUrl>%s</EwsUrl></Protocol>"
	             "<Protocol><Type>EXPR</Type><Server>%s</Server><SSL>On</SSL><AuthPackage>Ntlm</AuthPackage><ASUrl>%s</ASUrl><EwsUrl>%s</EwsUrl></Protocol>"
	             "</Account></Response>", version_number(s->persona), inside, inside, s->mail_host, outside, outside);
}

static const char *asked_for(struct request *r)
{
	xmlDoc     *d = strcmp(r->method, "POST") == 0 ? xml_read(r->body, NULL) : NULL;
	const char *address = d ? xml_text(r->work, xml_below(xmlDocGetRootElement(d), "EMailAddress")) : "";

	xmlFreeDoc(d);
	return address;
}

static void answer_pox(struct sandbox *s, struct request *r, struct reply *reply)
{
	const char     *address = asked_for(r), *error = value_of(s, ORDER_AUTO_ERROR);
	struct account *a = account_by_mail(s, address);

	if (a && orders_has(&s->orders, ORDER_OTHER_MAILBOX))
		a = &s->accounts[1 % s->account_count];
	if (s->persona->version[0] >= 14) {
		reply_header(reply, r, "X-SOAP-Enabled", "True");
		reply_header(reply, r, "X-WSSecurity-Enabled", "True");
		reply_header(reply, r, "X-OAuth-Enabled", "True");
	}
	if (!sign_in(s, r, reply))
		return;
	usual_headers(s, r, reply);
	begin_xml(reply);
	if (orders_has(&s->orders, ORDER_AUTO_ERROR))
		write_error(reply, error ? atoi(error) : 500);
	else if (!*address)
		write_error(reply, 600);
	else if (value_of(s, ORDER_AUTO_ADDRESS) && strcasecmp(address, value_of(s, ORDER_AUTO_ADDRESS)) != 0)
		write_redirect(r, reply, "redirectAddr", "RedirectAddr", value_of(s, ORDER_AUTO_ADDRESS));
	else if (value_of(s, ORDER_AUTO_URL))
		write_redirect(r, reply, "redirectUrl", "RedirectUrl", value_of(s, ORDER_AUTO_URL));
	else if (!a)
		write_error(reply, 500);
	else
		write_settings(s, r, reply, a);
	buffer_add_str(&reply->body, "</Autodiscover>");
}

/* -- SOAP --------------------------------------------------------------------------------------------------------- */

static void setting(struct request *r, struct reply *reply, const char *name, const char *value)
{
	buffer_print(&reply->body, "<UserSetting i:type=\"StringSetting\"><Name>%s</Name><Value>%s</Value></UserSetting>", name, escaped(r->work, value));
}

static void answer_soap(struct sandbox *s, struct request *r, struct reply *reply)
{
	struct soap     soap;
	struct account *a;
	char            build[40];

	if (s->persona->version[0] < 14) {
		page_write(s, r, reply, PAGE_404, NULL);
		return;
	}
	if (!sign_in(s, r, reply))
		return;
	usual_headers(s, r, reply);
	if (!soap_read(r->body, &soap, NULL)) {
		reply->status = 400;
		return;
	}
	a = account_by_mail(s, xml_text(r->work, xml_below(soap.operation, "Mailbox")));
	xmlFreeDoc(soap.document);
	reply->type = "text/xml; charset=utf-8";
	buffer_add_str(&reply->body,
	               "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:a=\"http://www.w3.org/2005/08/addressing\"><s:Header>"
	               "<a:Action s:mustUnderstand=\"1\">http://schemas.microsoft.com/exchange/2010/Autodiscover/Autodiscover/GetUserSettingsResponse</a:Action></s:Header>"
	               "<s:Body><GetUserSettingsResponseMessage xmlns=\"http://schemas.microsoft.com/exchange/2010/Autodiscover\">"
	               "<Response xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\"><ErrorCode>NoError</ErrorCode><ErrorMessage/><UserResponses><UserResponse>");
	if (a) {
		buffer_add_str(&reply->body, "<ErrorCode>NoError</ErrorCode><ErrorMessage>No error.</ErrorMessage><RedirectTarget i:nil=\"true\"/><UserSettingErrors/><UserSettings>");
		setting(r, reply, "ExternalEwsUrl", ews_url(s, a));
		setting(r, reply, "InternalEwsUrl", ews_url(s, a));
		setting(r, reply, "CasVersion", persona_build(s->persona, build));
		setting(r, reply, "EwsSupportedSchemas", "Exchange2007, Exchange2007_SP1, Exchange2010, Exchange2010_SP1, Exchange2010_SP2, Exchange2013, Exchange2013_SP1");
		setting(r, reply, "AutoDiscoverSMTPAddress", a->mail);
		setting(r, reply, "UserDisplayName", a->display);
		buffer_add_str(&reply->body, "</UserSettings>");
	} else {
		buffer_add_str(&reply->body, "<ErrorCode>InvalidUser</ErrorCode><ErrorMessage>Invalid user</ErrorMessage>");
	}
	buffer_add_str(&reply->body, "</UserResponse></UserResponses></Response></GetUserSettingsResponseMessage></s:Body></s:Envelope>");
}

/* -- by path ------------------------------------------------------------------------------------------------------ */

static bool begins(const char *path, const char *with)
{
	return strncasecmp(path, with, strlen(with)) == 0;
}

void answer_autodiscover(struct sandbox *s, struct request *r, struct reply *reply)
{
	account_served(s, account_by_mail(s, strcmp(r->method, "POST") == 0 ? asked_for(r) : address_of(r)));
	if (!r->secure && orders_has(&s->orders, ORDER_AUTO_HTTP)) {
		reply->status = 302;
		reply_header(reply, r, "Location", "https://%s/autodiscover/autodiscover.xml", s->mail_host);
	} else if (!r->secure || orders_has(&s->orders, ORDER_AUTO_OFF)) {
		page_write(s, r, reply, PAGE_404, NULL);
	} else if (begins(r->path, "/autodiscover/autodiscover.json")) {
		answer_json(s, r, reply);
	} else if (begins(r->path, "/autodiscover/autodiscover.xml")) {
		answer_pox(s, r, reply);
	} else if (begins(r->path, "/autodiscover/autodiscover.svc")) {
		answer_soap(s, r, reply);
	} else {
		page_write(s, r, reply, PAGE_404, NULL);
	}
}
