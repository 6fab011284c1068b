#include "wire/autodiscover.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "test.h"

/* From memory that ends where the document ends, so that a byte read too far is seen. */
static bool reads(struct slice xml, struct arena *into, struct autodiscover_answer *out, struct error *err)
{
	char *exact = must_alloc(xml.len + 1);
	bool  good;

	if (xml.len)
		memcpy(exact, xml.at, xml.len);
	good = autodiscover_read(slice(exact, xml.len), into, out, err);
	free(exact);
	return good;
}

#define HEAD     "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"                                                       \
	"<Autodiscover xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\""                                      \
	" xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006\">\n"
#define RESPONSE "<Response xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a\">\n"
#define TAIL     "</Response></Autodiscover>\n"
#define ACCOUNT(inside) HEAD RESPONSE "<Account><AccountType>email</AccountType>" inside "</Account>" TAIL

static const char whole[] =
	HEAD RESPONSE
	"<User><DisplayName>Ann\n  &amp; B\xc3\xa4ume</DisplayName><LegacyDN>/o=Birch</LegacyDN>\n"
	"<AutoDiscoverSMTPAddress>ann@birch.example</AutoDiscoverSMTPAddress><DeploymentId>x</DeploymentId></User>\n"
	"<Account><AccountType>email</AccountType><Action>settings</Action><MicrosoftOnline>False</MicrosoftOnline>\n"
	"<Protocol Type=\"mapiHttp\" Version=\"1\"><MailStore><InternalUrl>https://in.birch.example/mapi</InternalUrl></MailStore></Protocol>\n"
	"<Protocol><Type>EXCH</Type><Server>guid@birch.example</Server><ServerVersion>73C18880</ServerVersion>\n"
	"<ASUrl>https://in.birch.example/EWS/Exchange.asmx</ASUrl><EwsUrl> https://in.birch.example/EWS/Exchange.asmx </EwsUrl></Protocol>\n"
	"<Protocol><Type>Expr</Type><Server>mail.birch.example</Server><SSL>On</SSL><AuthPackage>Ntlm</AuthPackage>\n"
	"<ASUrl>https://mail.birch.example/EWS/Exchange.asmx</ASUrl></Protocol>\n"
	"<Protocol><Type>WEB</Type><External><OWAUrl>https://mail.birch.example/owa/</OWAUrl><Protocol><Type>EXPR</Type>\n"
	"<ASUrl>https://other.example/EWS/Exchange.asmx</ASUrl></Protocol></External></Protocol>\n"
	"</Account>\n" TAIL;

TEST(a_whole_answer)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct autodiscover_answer a;
	struct error               err;

	EXPECT(reads(slice_str(whole), job, &a, &err));
	EXPECT(a.action == AUTODISCOVER_SETTINGS && !a.online && !a.redirect && !a.error_code);
	EXPECT_TEXT(a.display_name, "Ann & B\xc3\xa4ume");
	EXPECT_TEXT(a.smtp_address, "ann@birch.example");
	EXPECT(a.count == 3);
	EXPECT_TEXT(a.protocol[0].type, "EXCH");
	EXPECT_TEXT(a.protocol[0].server_version, "73C18880");
	EXPECT_TEXT(a.protocol[0].ews_url, "https://in.birch.example/EWS/Exchange.asmx");
	EXPECT_TEXT(a.protocol[1].type, "EXPR");
	EXPECT_TEXT(a.protocol[1].server, "mail.birch.example");
	EXPECT_TEXT(a.protocol[1].auth_package, "Ntlm");
	EXPECT_TEXT(a.protocol[2].type, "WEB");
	EXPECT(!a.protocol[2].as_url);
	EXPECT_TEXT(autodiscover_ews_url(&a), "https://mail.birch.example/EWS/Exchange.asmx");
}

#define PROTOCOL(type, urls) "<Protocol><Type>" type "</Type>" urls "</Protocol>"

TEST(which_url)
{
	static const struct { const char *protocols, *url; } rows[] = {
		{ "", NULL },
		{ PROTOCOL("EXCH", ""), NULL },
		{ PROTOCOL("EXCH", "<EwsUrl>in</EwsUrl>") PROTOCOL("EXPR", "<ASUrl>out</ASUrl>"), "out" },
		{ PROTOCOL("EXPR", "<ASUrl>as</ASUrl><EwsUrl>ews</EwsUrl>"), "ews" },
		{ PROTOCOL("EXPR", "<EwsUrl>expr</EwsUrl>") PROTOCOL("EXHTTP", "<EwsUrl>exhttp</EwsUrl>"), "exhttp" },
		{ PROTOCOL("EXPR", "") PROTOCOL("EXCH", "<EwsUrl>in</EwsUrl>"), "in" },
		{ PROTOCOL("EXHTTP", "<EwsUrl>first</EwsUrl>") PROTOCOL("EXHTTP", "<EwsUrl>second</EwsUrl>"), "first" },
		{ PROTOCOL("WEB", "<ASUrl>web</ASUrl>"), "web" },
		{ PROTOCOL("EXPR", "<EwsUrl>a b</EwsUrl><ASUrl>as</ASUrl>"), "as" },
		{ PROTOCOL("EXPR", "<EwsUrl><![CDATA[https://x/?a&b]]></EwsUrl>"), "https://x/?a&b" },
		{ PROTOCOL("EXPR", "<EwsUrl>one</EwsUrl><EwsUrl>two</EwsUrl>"), "one" },
		{ "<Protocol><EwsUrl>no type</EwsUrl></Protocol>", NULL },
	};
	CLEANUP(arena) struct arena *job = arena_new();

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct autodiscover_answer a;
		struct error               err;
		const char *xml = arena_print(job, ACCOUNT("<Action>settings</Action>%s"), rows[i].protocols), *url;

		EXPECT_ROW(reads(slice_str(xml), job, &a, &err), rows[i].protocols);
		url = autodiscover_ews_url(&a);
		EXPECT_ROW(url ? rows[i].url && strcmp(url, rows[i].url) == 0 : !rows[i].url, rows[i].protocols);
	}
}

TEST(other_answers)
{
	static const struct { const char *xml; enum autodiscover_action action; const char *redirect, *code, *message; } rows[] = {
		{ ACCOUNT("<Action>redirectAddr</Action><RedirectAddr>ann@elm.example</RedirectAddr>"), AUTODISCOVER_REDIRECT_ADDRESS,
			"ann@elm.example", NULL, NULL },
		{ ACCOUNT("<RedirectUrl>https://elm.example/autodiscover/autodiscover.xml</RedirectUrl><Action>redirectUrl</Action>"),
			AUTODISCOVER_REDIRECT_URL, "https://elm.example/autodiscover/autodiscover.xml", NULL, NULL },
		{ HEAD "<Response><Error Time=\"08:00:00\" Id=\"1\"><ErrorCode>500</ErrorCode><Message>The email address can't be found.</Message>"
			"<DebugData /></Error>" TAIL, AUTODISCOVER_ERROR, NULL, "500", "The email address can't be found." },
		{ HEAD "<Response><Error><ErrorCode>600</ErrorCode><Message>Invalid\r\n\tRequest</Message></Error>" TAIL, AUTODISCOVER_ERROR,
			NULL, "600", "Invalid Request" },
		{ HEAD "<Response><Error/>" TAIL, AUTODISCOVER_ERROR, NULL, NULL, NULL },
		/* no namespaces at all */
		{ "<Autodiscover><Response><Account><Action>settings</Action></Account></Response></Autodiscover>", AUTODISCOVER_SETTINGS, NULL,
			NULL, NULL },
		/* a prefix */
		{ "<a:Autodiscover xmlns:a=\"x\"><a:Response><a:Account><a:Action>redirectAddr</a:Action><a:RedirectAddr>b@c</a:RedirectAddr>"
			"</a:Account></a:Response></a:Autodiscover>", AUTODISCOVER_REDIRECT_ADDRESS, "b@c", NULL, NULL },
		/* what stands elsewhere does not count */
		{ HEAD RESPONSE "<Account><X><Action>redirectUrl</Action></X></Account><Other><Error/></Other>" TAIL, AUTODISCOVER_SETTINGS, NULL,
			NULL, NULL },
	};
	CLEANUP(arena) struct arena *job = arena_new();

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct autodiscover_answer a;
		struct error               err;

		EXPECT_ROW(reads(slice_str(rows[i].xml), job, &a, &err), rows[i].xml);
		EXPECT_ROW(a.action == rows[i].action, rows[i].xml);
		EXPECT_ROW(!rows[i].redirect == !a.redirect && !rows[i].code == !a.error_code && !rows[i].message == !a.message, rows[i].xml);
		if (a.redirect)
			EXPECT_TEXT(a.redirect, rows[i].redirect);
		if (a.error_code)
			EXPECT_TEXT(a.error_code, rows[i].code);
		if (a.message)
			EXPECT_TEXT(a.message, rows[i].message);
	}
}

TEST(microsoft_says_that_it_is_online)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct autodiscover_answer a;
	struct error               err;

	EXPECT(reads(slice_str(ACCOUNT("<Action>settings</Action><MicrosoftOnline>True</MicrosoftOnline>")), job, &a, &err));
	EXPECT(a.online);
}

#define BOMB "<!DOCTYPE Autodiscover [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">]>"

TEST(what_is_no_answer)
{
	static const struct { const char *xml, *why; } rows[] = {
		{ "",                                                             "no well-formed XML" },
		{ "nothing",                                                      "no well-formed XML" },
		{ "<html><body>It works!</body></html>",                          "another kind of document" },
		{ "<!DOCTYPE html><html></html>",                                 "a document type" },
		{ BOMB "<Autodiscover><Response><Account><Action>&b;</Action></Account></Response></Autodiscover>", "a document type" },
		{ "<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><Autodiscover/>",    "a document type" },
		{ "<Autodiscover><Response><Account>&x;</Account></Response></Autodiscover>", "no well-formed XML" },
		{ "<Autodiscover/>",                                              "neither an account nor an error" },
		{ HEAD RESPONSE "<User/>" TAIL,                                   "neither an account nor an error" },
		{ ACCOUNT("<Action>dance</Action>"),                              "an action that is not known" },
		{ ACCOUNT("<Action>redirectUrl</Action>"),                        "a redirect to nowhere" },
		{ ACCOUNT("<Action>redirectUrl</Action><RedirectAddr>a@b</RedirectAddr>"), "a redirect to nowhere" },
		{ "<?xml version=\"1.0\" encoding=\"x-unheard-of\"?><Autodiscover/>", "no well-formed XML" },
	};
	CLEANUP(arena) struct arena *job = arena_new();

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct autodiscover_answer a;
		struct error               err;

		EXPECT_ROW(!reads(slice_str(rows[i].xml), job, &a, &err), rows[i].xml);
		EXPECT_ROW(err.fault == FAULT_BROKEN, rows[i].xml);
		EXPECT_ROW(slice_has(slice_str(err.text), rows[i].why), err.text);
	}
}

static const char *repeated(struct arena *job, const char *before, const char *what, size_t times, const char *after)
{
	size_t len = strlen(what);
	char  *text = arena_get(job, strlen(before) + len * times + strlen(after) + 1), *at = stpcpy(text, before);

	for (size_t i = 0; i < times; i++)
		at = stpcpy(at, what);
	stpcpy(at, after);
	return text;
}

TEST(everything_has_a_bound)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct autodiscover_answer a;
	struct error               err;
	const char                *xml;

	EXPECT(!reads(slice_str(repeated(job, ACCOUNT(""), " ", AUTODISCOVER_MOST, "")), job, &a, &err));
	EXPECT(err.fault == FAULT_TOO_BIG);
	EXPECT(!reads(slice_str(repeated(job, "<Autodiscover>", "<a>", 40, "")), job, &a, &err));
	EXPECT(slice_has(slice_str(err.text), "too deep"));
	EXPECT(!reads(slice_str(repeated(job, "<Autodiscover ", "abcdefgh='1' ", 10000, "/>")), job, &a, &err));
	EXPECT(err.fault == FAULT_BROKEN);
	xml = repeated(job, HEAD RESPONSE "<Account>", PROTOCOL("EXPR", "<ASUrl>u</ASUrl>"), 30, "</Account>" TAIL);
	EXPECT(reads(slice_str(xml), job, &a, &err) && a.count == AUTODISCOVER_PROTOCOLS);
	/* one value that is too long is taken for none */
	xml = repeated(job, HEAD RESPONSE "<Account>" "<Protocol><Type>EXPR</Type><EwsUrl>https://", "x", 3000,
	               "</EwsUrl><ASUrl>https://y</ASUrl></Protocol></Account>" TAIL);
	EXPECT(reads(slice_str(xml), job, &a, &err));
	EXPECT_TEXT(autodiscover_ews_url(&a), "https://y");
}

/* Cut anywhere before its end it is none; and the parser has nothing to say about it on standard error. */
TEST(answers_cut_anywhere)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct slice               all = slice_trim(slice_str(whole));
	struct autodiscover_answer a;
	struct error               err;
	int                        pipes[2], before = dup(2);
	char                       said;

	EXPECT(pipe2(pipes, O_NONBLOCK) == 0 && dup2(pipes[1], 2) == 2);
	for (size_t n = 0; n < all.len; n++)
		EXPECT(!reads(slice_upto(all, n), job, &a, &err) && err.fault == FAULT_BROKEN);
	dup2(before, 2);
	EXPECT(read(pipes[0], &said, 1) == -1);
	EXPECT(reads(all, job, &a, &err));
	close(pipes[0]), close(pipes[1]), close(before);
}

/* -- the question ------------------------------------------------------------------------------------------------- */

TEST(the_request)
{
	struct buffer out;

	buffer_init(&out, 2000);
	EXPECT(autodiscover_request(&out, "j\xc3\xbcrgen&co<x>@birch.example"));
	EXPECT(slice_starts(buffer_held(&out), "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<Autodiscover xmlns=\"http://schemas.microsoft.com/"
	                                       "exchange/autodiscover/outlook/requestschema/2006\"><Request>"));
	EXPECT(slice_has(buffer_held(&out), "<EMailAddress>j\xc3\xbcrgen&amp;co&lt;x&gt;@birch.example</EMailAddress><AcceptableResponseSchema>"
	                                    "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a"
	                                    "</AcceptableResponseSchema></Request></Autodiscover>"));
	buffer_release(&out);
	buffer_init(&out, 100);
	EXPECT(!autodiscover_request(&out, "ann@birch.example") && buffer_held(&out).len == 0);
	buffer_release(&out);
}

/* -- v2 ----------------------------------------------------------------------------------------------------------- */

TEST(the_url_of_v2)
{
	CLEANUP(arena) struct arena *job = arena_new();

	EXPECT_TEXT(autodiscover_v2_url("autodiscover.birch.example", "ann+x&y@birch.example", job),
	            "https://autodiscover.birch.example/autodiscover/autodiscover.json?Email=ann%2Bx%26y%40birch.example&Protocol=EWS&RedirectCount=1");
	EXPECT_TEXT(autodiscover_v2_url("mail.birch.example:444", "a@b", job),
	            "https://mail.birch.example:444/autodiscover/autodiscover.json?Email=a%40b&Protocol=EWS&RedirectCount=1");
	EXPECT_TEXT(autodiscover_v2_url("2001:db8::1", "a@b", job),
	            "https://[2001:db8::1]/autodiscover/autodiscover.json?Email=a%40b&Protocol=EWS&RedirectCount=1");
}

TEST(answers_of_v2)
{
	static const struct { const char *json; enum fault fault; const char *url, *code, *message; } rows[] = {
		{ "{\"Protocol\":\"Ews\",\"Url\":\"https://mail.birch.example/EWS/Exchange.asmx\"}", FAULT_NONE,
			"https://mail.birch.example/EWS/Exchange.asmx", NULL, NULL },
		{ "\xef\xbb\xbf{\"protocol\":\"Ews\",\"url\":\" https://x/ \"}",                     FAULT_NONE, "https://x/", NULL, NULL },
		{ "{\"ErrorCode\":\"UserNotFound\",\"ErrorMessage\":\"The given\\nuser is not found\"}", FAULT_NONE, NULL, "UserNotFound",
			"The given user is not found" },
		{ "{\"ErrorCode\":\"ProtocolNotSupported\"}",            FAULT_NONE, NULL, "ProtocolNotSupported", NULL },
		{ "{\"Url\":\"\",\"ErrorCode\":\"InvalidProtocol\"}",    FAULT_NONE, NULL, "InvalidProtocol", NULL },
		{ "{\"Url\":\"a b\"}",                                   FAULT_BROKEN, NULL, NULL, NULL },
		{ "{\"Url\":7}",                                         FAULT_BROKEN, NULL, NULL, NULL },
		{ "{}",                                                  FAULT_BROKEN, NULL, NULL, NULL },
		{ "[]",                                                  FAULT_BROKEN, NULL, NULL, NULL },
		{ "",                                                    FAULT_BROKEN, NULL, NULL, NULL },
		{ "<html>",                                              FAULT_BROKEN, NULL, NULL, NULL },
		{ "{\"Url\":\"https://x/\"} more",                       FAULT_BROKEN, NULL, NULL, NULL },
		{ "{\"Url\":\"https://x/\\u0000y\"}",                    FAULT_BROKEN, NULL, NULL, NULL },
	};
	CLEANUP(arena) struct arena *job = arena_new();

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct autodiscover_v2 a = { 0 };
		struct error           err = { .fault = FAULT_NONE };

		EXPECT_ROW(autodiscover_v2_read(slice_str(rows[i].json), job, &a, &err) == (rows[i].fault == FAULT_NONE), rows[i].json);
		EXPECT_ROW(err.fault == rows[i].fault, rows[i].json);
		if (rows[i].fault != FAULT_NONE)
			continue;
		EXPECT_ROW(a.url ? rows[i].url && strcmp(a.url, rows[i].url) == 0 : !rows[i].url, rows[i].json);
		EXPECT_ROW(a.error_code ? rows[i].code && strcmp(a.error_code, rows[i].code) == 0 : !rows[i].code, rows[i].json);
		EXPECT_ROW(a.error_message ? rows[i].message && strcmp(a.error_message, rows[i].message) == 0 : !rows[i].message, rows[i].json);
	}
}

TEST(answers_of_v2_cut_anywhere)
{
	static const char whole_json[] = "{\"Protocol\":\"Ews\",\"Url\":\"https://mail.birch.example/EWS/Exchange.asmx\"}";
	CLEANUP(arena) struct arena *job = arena_new();

	for (size_t n = 0; n < strlen(whole_json); n++) {
		struct autodiscover_v2 a;
		struct error           err;
		char                  *exact = must_alloc(n + 1);

		memcpy(exact, whole_json, n);
		EXPECT(!autodiscover_v2_read(slice(exact, n), job, &a, &err) && err.fault == FAULT_BROKEN);
		free(exact);
	}
}
