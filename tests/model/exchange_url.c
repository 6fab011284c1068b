#include "model/exchange_url.h"

#include "test.h"

#define EWS "/EWS/Exchange.asmx"

static const struct { const char *text, *host; unsigned port; const char *path; bool is_ews; const char *right; } good[] = {
	{ "mail.birch.example",                          "mail.birch.example", 443, EWS, true, "https://mail.birch.example" EWS },
	{ "  Mail.Birch.EXAMPLE.\r\n",                   "mail.birch.example", 443, EWS, true, "https://mail.birch.example" EWS },
	{ "\xc2\xa0https://mail.birch.example\xe2\x80\x8b", "mail.birch.example", 443, EWS, true, "https://mail.birch.example" EWS },
	{ "https://mail.birch.example",                  "mail.birch.example", 443, EWS, true, "https://mail.birch.example" EWS },
	{ "HTTPS://mail.birch.example/",                 "mail.birch.example", 443, EWS, true, "https://mail.birch.example" EWS },
	{ "<https://mail.birch.example>",                "mail.birch.example", 443, EWS, true, "https://mail.birch.example" EWS },
	{ "\"mail.birch.example/ews\"",                  "mail.birch.example", 443, EWS, true, "https://mail.birch.example" EWS },
	{ "//mail.birch.example/ews",                    "mail.birch.example", 443, EWS, true, "https://mail.birch.example" EWS },
	{ "https://http://mail.birch.example/ews/",      "mail.birch.example", 443, EWS, true, "https://mail.birch.example" EWS },
	{ "https://mail.birch.example/ews",              "mail.birch.example", 443, EWS, true, "https://mail.birch.example" EWS },
	{ "https://mail.birch.example/EWS/Services.wsdl", "mail.birch.example", 443, EWS, true, "https://mail.birch.example" EWS },
	{ "https://mail.birch.example/ews/exchange.asmx?WSDL", "mail.birch.example", 443, EWS, true, "https://mail.birch.example" EWS },
	{ "https://mail.birch.example/ews/exchange.asmx", "mail.birch.example", 443, "/ews/exchange.asmx", true, "https://mail.birch.example" EWS },
	{ "https://mail.birch.example/ews/exchange.asmx?x=1#top", "mail.birch.example", 443, "/ews/exchange.asmx?x=1", true, "https://mail.birch.example" EWS },
	{ "https://mail.birch.example/owa",              "mail.birch.example", 443, "/owa", false, "https://mail.birch.example" EWS },
	{ "mail.birch.example/owa/auth/logon.aspx?replaceCurrent=1&url=x", "mail.birch.example", 443,
		"/owa/auth/logon.aspx?replaceCurrent=1&url=x", false, "https://mail.birch.example" EWS },
	{ "https://mail.birch.example/owa/ann@birch.example/", "mail.birch.example", 443, "/owa/ann@birch.example/", false,
		"https://mail.birch.example" EWS },
	{ "https://mail.birch.example?a=b",              "mail.birch.example", 443, EWS, true, "https://mail.birch.example" EWS },
	{ "https://mail.birch.example#a",                "mail.birch.example", 443, EWS, true, "https://mail.birch.example" EWS },
	{ "https://mail.birch.example/b\xc3\xbc" "ro",   "mail.birch.example", 443, "/b%C3%BCro", false, "https://mail.birch.example" EWS },
	{ "https://mail.birch.example/ewsx",             "mail.birch.example", 443, "/ewsx", false, "https://mail.birch.example" EWS },
	/* http is taken for https, and so is its port */
	{ "http://mail.birch.example/ews",               "mail.birch.example", 443, EWS, true, "https://mail.birch.example" EWS },
	{ "http://mail.birch.example:80/ews",            "mail.birch.example", 443, EWS, true, "https://mail.birch.example" EWS },
	{ "https://mail.birch.example:80",               "mail.birch.example", 80, EWS, true, "https://mail.birch.example:80" EWS },
	{ "mail.birch.example:8443/owa/",                "mail.birch.example", 8443, "/owa/", false, "https://mail.birch.example:8443" EWS },
	{ "localhost:8443",                              "localhost", 8443, EWS, true, "https://localhost:8443" EWS },
	{ "mail.birch.example:/ews",                     "mail.birch.example", 443, EWS, true, "https://mail.birch.example" EWS },
	{ "https://mail.birch.example:443",              "mail.birch.example", 443, EWS, true, "https://mail.birch.example" EWS },
	{ "m\xc3\xbcnchen.example",                      "xn--mnchen-3ya.example", 443, EWS, true, "https://xn--mnchen-3ya.example" EWS },
	{ "https://M\xc3\x9cNCHEN.example/owa",          "xn--mnchen-3ya.example", 443, "/owa", false, "https://xn--mnchen-3ya.example" EWS },
	{ "192.0.2.7",                                   "192.0.2.7", 443, EWS, true, "https://192.0.2.7" EWS },
	{ "https://192.0.2.7:444/owa",                   "192.0.2.7", 444, "/owa", false, "https://192.0.2.7:444" EWS },
	{ "https://[2001:DB8::1]:444/owa",               "2001:db8::1", 444, "/owa", false, "https://[2001:db8::1]:444" EWS },
	{ "[2001:db8::1]",                               "2001:db8::1", 443, EWS, true, "https://[2001:db8::1]" EWS },
	{ "2001:db8::1",                                 "2001:db8::1", 443, EWS, true, "https://[2001:db8::1]" EWS },
	{ "ex",                                          "ex", 443, EWS, true, "https://ex" EWS },
	{ "ftp.birch.example",                           "ftp.birch.example", 443, EWS, true, "https://ftp.birch.example" EWS },
};

TEST(exchange_urls_are_understood)
{
	CLEANUP(arena) struct arena *job = arena_new();

	for (size_t i = 0; i < COUNT(good); i++) {
		struct exchange_url u;

		exchange_url_read(good[i].text, job, &u);
		EXPECT_ROW(!u.problem, good[i].text);
		EXPECT_TEXT(u.host, good[i].host);
		EXPECT_ROW(u.port == good[i].port, good[i].text);
		EXPECT_TEXT(u.path, good[i].path);
		EXPECT_ROW(u.is_ews == good[i].is_ews, good[i].text);
		EXPECT_TEXT(u.right, good[i].right);
		EXPECT_ROW(!u.online, good[i].text);
		EXPECT_ROW(*u.given, good[i].text);
	}
}

/* What is right is right again, and the same. */
TEST(exchange_urls_are_put_right_once)
{
	CLEANUP(arena) struct arena *job = arena_new();

	for (size_t i = 0; i < COUNT(good); i++) {
		struct exchange_url u;

		exchange_url_read(good[i].right, job, &u);
		EXPECT_ROW(!u.problem && u.is_ews, good[i].right);
		EXPECT_TEXT(u.right, good[i].right);
	}
}

static const struct { const char *text, *problem, *given; } bad[] = {
	{ "",                                       "empty",                     "" },
	{ " \t\xc2\xa0 ",                           "empty",                     "" },
	{ "<>",                                     "empty",                     "" },
	{ "https://",                               "no host",                   "https://" },
	{ "https:///owa",                           "no host",                   "https:///owa" },
	{ "/owa",                                   "no host",                   "/owa" },
	{ ":443",                                   "no host",                   ":443" },
	{ "ftp://mail.birch.example",               "scheme ftp",                "ftp://mail.birch.example" },
	{ "file:///c/x",                            "scheme file",               "file:///c/x" },
	{ "javascript:alert(1)",                    "scheme javascript",         "javascript:alert(1)" },
	{ "https://ldap://mail.birch.example",      "scheme ldap",               "https://ldap://mail.birch.example" },
	{ "mail birch.example",                     "a space in it",             "mail birch.example" },
	{ "https://mail.birch.example /ews",        "a space in it",             "https://mail.birch.example /ews" },
	{ "https://mail.birch.example/a\tb",        "a control character in it", "https://mail.birch.example/a\tb" },
	{ "BIRCH\\ann",                             "a backslash in it",         "BIRCH\\ann" },
	{ "ann@birch.example",                      "an e-mail address",         "ann@birch.example" },
	{ "https://ann@mail.birch.example/ews",     "a user name in it",         "https://mail.birch.example/ews" },
	{ "https://ann:secret@mail.birch.example",  "a user name in it",         "https://mail.birch.example" },
	{ "https://ann:se/cret@mail.birch.example", "a user name in it",         "https://mail.birch.example" },
	{ "https://ann:s@cret@mail.birch.example/", "a user name in it",         "https://mail.birch.example/" },
	{ "ann:secret@mail.birch.example",          "a user name in it",         "mail.birch.example" },
	{ "ftp://ann:secret@mail.birch.example",    "scheme ftp",                "ftp://mail.birch.example" },
	{ "mail.birch.example:0",                   "a port that is none",       "mail.birch.example:0" },
	{ "mail.birch.example:65536",               "a port that is none",       "mail.birch.example:65536" },
	{ "mail.birch.example:ews",                 "a port that is none",       "mail.birch.example:ews" },
	{ "[2001:db8::1]x",                         "a port that is none",       "[2001:db8::1]x" },
	{ "mail..birch.example",                    "a host name that is none",  "mail..birch.example" },
	{ "mail.birch.example..",                   "a host name that is none",  "mail.birch.example.." },
	{ "*.birch.example",                        "a host name that is none",  "*.birch.example" },
	{ "m%61il.birch.example",                   "a host name that is none",  "m%61il.birch.example" },
	{ "192.168.1",                              "a host name that is none",  "192.168.1" },
	{ "0x7f.1",                                 "a host name that is none",  "0x7f.1" },
	{ "999.1.1.1",                              "a host name that is none",  "999.1.1.1" },
	{ "[2001:db8::g]",                          "a host name that is none",  "[2001:db8::g]" },
	{ "[fe80::1%eth0]",                         "a host name that is none",  "[fe80::1%eth0]" },
	{ "[2001:db8::1",                           "a host name that is none",  "[2001:db8::1" },
	{ "mail\xff.birch.example",                 "a host name that is none",  "mail\xff.birch.example" },
	{ "mail\xe2\x80\x8b" "x\xe2\x82\xac.example\xc3", "a host name that is none", "mail\xe2\x80\x8b" "x\xe2\x82\xac.example\xc3" },
};

TEST(what_is_no_exchange_url)
{
	CLEANUP(arena) struct arena *job = arena_new();

	for (size_t i = 0; i < COUNT(bad); i++) {
		struct exchange_url u;

		exchange_url_read(bad[i].text, job, &u);
		EXPECT_ROW(u.problem, bad[i].text);
		EXPECT_TEXT(u.problem, bad[i].problem);
		EXPECT_TEXT(u.given, bad[i].given);
		EXPECT_ROW(!u.host && !u.right && !u.path, bad[i].text);
	}
}

TEST(a_url_has_an_end)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct exchange_url u;
	char               *text = arena_get(job, EXCHANGE_URL_MOST + 2);

	memset(text, 'a', EXCHANGE_URL_MOST + 1);
	memcpy(text, "https://mail.example/", 21);
	exchange_url_read(text, job, &u);
	EXPECT_TEXT(u.problem, "too long");
	text[EXCHANGE_URL_MOST] = '\0';
	exchange_url_read(text, job, &u);
	EXPECT(!u.problem);
}

TEST(exchange_online_is_known)
{
	static const struct { const char *text; bool online; } hosts[] = {
		{ "https://outlook.office365.com/EWS/Exchange.asmx", true }, { "Outlook.Office.com", true },
		{ "outlook.live.com/owa", true },       { "outlook.com", true },            { "autodiscover-s.outlook.com", true },
		{ "outlook.office365.com.", true },     { "partner.outlook.cn", true },     { "outlook.office365.us", true },
		{ "myoutlook.com", false },             { "outlook.com.birch.example", false }, { "office365.birch.example", false },
	};
	CLEANUP(arena) struct arena *job = arena_new();

	for (size_t i = 0; i < COUNT(hosts); i++) {
		struct exchange_url u;

		exchange_url_read(hosts[i].text, job, &u);
		EXPECT_ROW(!u.problem && u.online == hosts[i].online, hosts[i].text);
	}
}

TEST(domains_of_the_cloud_alone_are_known)
{
	EXPECT(exchange_domain_is_online("contoso.mail.onmicrosoft.com") && exchange_domain_is_online("contoso.onmicrosoft.com"));
	EXPECT(!exchange_domain_is_online("contoso.example") && !exchange_domain_is_online("myonmicrosoft.com") && !exchange_domain_is_online("outlook.com"));
}

/* Cut anywhere, it is a URL or has a problem, and a password never is in what is shown. */
TEST(urls_with_a_password_cut_anywhere)
{
	static const char whole[] = "https://ann:secret@mail.birch.example:444/ews";
	CLEANUP(arena) struct arena *job = arena_new();

	for (size_t n = strlen("https://ann:secret@"); n <= strlen(whole); n++) {
		struct exchange_url u;

		exchange_url_read(arena_copy(job, slice(whole, n)), job, &u);
		EXPECT(u.problem && !slice_has(slice_str(u.given), "secret"));
	}
}
