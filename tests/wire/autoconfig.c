#include "test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buffer.h"
#include "wire/autoconfig.h"

#define ADDRESS "Ann.Smith@Birch.example"

/* From memory that ends where the document ends, so that a byte read too far is seen. */
static bool reads(struct slice xml, struct arena *into, struct autoconfig *out, struct error *err)
{
	char *exact = must_alloc(xml.len);
	bool  good;

	if (xml.len)
		memcpy(exact, xml.at, xml.len);
	good = autoconfig_read(slice(exact, xml.len), ADDRESS, into, out, err);
	free(exact);
	return good;
}

static const char whole[] =
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	"<!-- who serves birch -->\n"
	"<clientConfig version=\"1.1\">\n"
	"  <emailProvider id=\"birch.example\">\n"
	"    <domain>birch.example</domain>\n"
	"    <displayName>Birch &amp;\n      B\xc3\xa4ume</displayName>\n"
	"    <displayName>Another</displayName>\n"
	"    <displayShortName>Birch</displayShortName>\n"
	"    <incomingServer type=\"IMAP\">\n"
	"      <hostname> IMAP.Birch.example. </hostname>\n"
	"      <hostname>other.example</hostname>\n"
	"      <port>993</port><port>1</port>\n"
	"      <socketType>SSL</socketType><socketType>plain</socketType>\n"
	"      <username>%EMAILADDRESS%</username>\n"
	"      <authentication>OAuth2</authentication>\n"
	"      <authentication>password-cleartext</authentication>\n"
	"    </incomingServer>\n"
	"    <incomingServer type=\"pop3\">\n"
	"      <hostname>pop.%EMAILDOMAIN%</hostname><port>110</port><socketType>starttls</socketType>\n"
	"      <username>x%EMAILLOCALPART%+%OTHER%100%</username>\n"
	"      <pop3><leaveMessagesOnServer>true</leaveMessagesOnServer><port>7</port></pop3>\n"
	"    </incomingServer>\n"
	"    <outgoingServer type=\"smtp\">\n"
	"      <hostname>[2001:db8::1]</hostname><port>25</port><socketType>plain</socketType>\n"
	"      <username><![CDATA[a<b]]></username>\n"
	"    </outgoingServer>\n"
	"    <documentation url=\"http://birch.example/insecure\"/>\n"
	"    <documentation url=\"https://birch.example/help?a=1&amp;b=2\"><descr>Help</descr></documentation>\n"
	"    <documentation url=\"https://birch.example/second\"/>\n"
	"  </emailProvider>\n"
	"  <emailProvider id=\"second\"><incomingServer type=\"imap\"><hostname>b</hostname><port>1</port>\n"
	"    <socketType>SSL</socketType></incomingServer></emailProvider>\n"
	"  <webMail><incomingServer type=\"imap\"><hostname>c</hostname><port>1</port><socketType>SSL</socketType>\n"
	"    </incomingServer></webMail>\n"
	"</clientConfig>\n";

TEST(a_whole_document)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct autoconfig a;
	struct error      err;

	EXPECT(reads(slice_str(whole), job, &a, &err));
	EXPECT_TEXT(a.provider_id, "birch.example");
	EXPECT_TEXT(a.display_name, "Birch & B\xc3\xa4ume");
	EXPECT_TEXT(a.documentation, "https://birch.example/help?a=1&b=2");
	EXPECT(a.count == 3);

	EXPECT(a.server[0].incoming && a.server[0].port == 993 && a.server[0].socket == AUTOCONFIG_TLS);
	EXPECT_TEXT(a.server[0].type, "imap");
	EXPECT_TEXT(a.server[0].hostname, "imap.birch.example");
	EXPECT_TEXT(a.server[0].username, ADDRESS);
	EXPECT_TEXT(a.server[0].authentication[0], "OAuth2");
	EXPECT_TEXT(a.server[0].authentication[1], "password-cleartext");
	EXPECT(a.server[0].authentication[2] == NULL);

	EXPECT(a.server[1].incoming && a.server[1].port == 110 && a.server[1].socket == AUTOCONFIG_STARTTLS);
	EXPECT_TEXT(a.server[1].hostname, "pop.birch.example");
	EXPECT_TEXT(a.server[1].username, "xAnn.Smith+%OTHER%100%");
	EXPECT(a.server[1].authentication[0] == NULL);

	EXPECT(!a.server[2].incoming && a.server[2].port == 25 && a.server[2].socket == AUTOCONFIG_PLAIN);
	EXPECT_TEXT(a.server[2].type, "smtp");
	EXPECT_TEXT(a.server[2].hostname, "[2001:db8::1]");
	EXPECT_TEXT(a.server[2].username, "a<b");
}

TEST(a_document_cut_anywhere_is_none)
{
	size_t end = (size_t)(strstr(whole, "</clientConfig>") - whole) + strlen("</clientConfig>");

	for (size_t cut = 0; cut < sizeof whole; cut++) {
		CLEANUP(arena) struct arena *job = arena_new();
		struct autoconfig a = { .count = 99 };
		struct error      err = { .fault = FAULT_NONE };

		EXPECT(reads(slice(whole, cut), job, &a, &err) == (cut >= end));
		if (cut < end)
			EXPECT(err.fault == FAULT_BROKEN && a.count == 99);
	}
}

/* -- servers ------------------------------------------------------------------------------------------------------ */

#define HEAD "<clientConfig><emailProvider id='b'>"
#define TAIL "</emailProvider></clientConfig>"
#define HOST "<hostname>imap.birch.example</hostname>"
#define PORT "<port>993</port>"
#define SSL  "<socketType>SSL</socketType>"
#define L63  "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg"

static const struct { const char *type, *inside, *hostname; } servers[] = {
	{ "imap", HOST PORT SSL, "imap.birch.example" },
	{ "ews", SSL PORT HOST, "imap.birch.example" },
	{ "imap", "<hostname>my_host-1.example</hostname>" PORT SSL, "my_host-1.example" },
	{ "imap", "<hostname>192.0.2.1</hostname>" PORT SSL, "192.0.2.1" },
	{ "imap", "<hostname>2001:DB8::1</hostname>" PORT SSL, "2001:db8::1" },
	{ "imap", "<hostname>" L63 ".example</hostname>" PORT SSL, L63 ".example" },
	{ "imap", HOST "<port>65535</port>" SSL, "imap.birch.example" },
	{ "imap", HOST "<port>\n 1 \n</port>" SSL, "imap.birch.example" },
	{ "imap", "<hostname>imap<!-- a comment -->.birch.example</hostname>" PORT SSL, "imap.birch.example" },
	{ "imap", "<hostname>im&#97;p.birch.example</hostname>" PORT SSL, "imap.birch.example" },
	{ "imap", HOST PORT SSL "<username></username>", "imap.birch.example" },
	{ "imap", "<new><hostname>other.example</hostname></new>" HOST PORT SSL, "imap.birch.example" },
	{ "imap", "<hostname>imap.<b>other.</b>birch.example</hostname>" PORT SSL, "imap.birch.example" },
	{ "", HOST PORT SSL, NULL },
	{ "im ap", HOST PORT SSL, NULL },
	{ "imap", PORT SSL, NULL },
	{ "imap", HOST SSL, NULL },
	{ "imap", HOST PORT, NULL },
	{ "imap", "<hostname/>" PORT SSL, NULL },
	{ "imap", "<hostname>imap birch</hostname>" PORT SSL, NULL },
	{ "imap", "<hostname>a..b</hostname>" PORT SSL, NULL },
	{ "imap", "<hostname>.a</hostname>" PORT SSL, NULL },
	{ "imap", "<hostname>-a.example</hostname>" PORT SSL, NULL },
	{ "imap", "<hostname>a-.example</hostname>" PORT SSL, NULL },
	{ "imap", "<hostname>a/b</hostname>" PORT SSL, NULL },
	{ "imap", "<hostname>a@b</hostname>" PORT SSL, NULL },
	{ "imap", "<hostname>a:993</hostname>" PORT SSL, NULL },
	{ "imap", "<hostname>b\xc3\xa4r.example</hostname>" PORT SSL, NULL },
	{ "imap", "<hostname>" L63 "x.example</hostname>" PORT SSL, NULL },
	{ "imap", "<hostname>" L63 "." L63 "." L63 "." L63 "</hostname>" PORT SSL, NULL },
	{ "imap", "<hostname>%EMAILADDRESS%</hostname>" PORT SSL, NULL },
	{ "imap", "<hostname>x y</hostname>" HOST PORT SSL, NULL },
	{ "imap", HOST "<port>0</port>" SSL, NULL },
	{ "imap", HOST "<port>65536</port>" SSL, NULL },
	{ "imap", HOST "<port>-1</port>" SSL, NULL },
	{ "imap", HOST "<port>993x</port>" SSL, NULL },
	{ "imap", HOST "<port></port>" SSL, NULL },
	{ "imap", HOST PORT "<socketType>TLS</socketType>", NULL },
	{ "imap", HOST PORT "<socketType></socketType>", NULL },
	{ "imap", HOST PORT SSL "<username>a&#10;b</username>", NULL },
};

TEST(servers_that_count_and_servers_that_do_not)
{
	for (size_t i = 0; i < COUNT(servers); i++) {
		CLEANUP(arena) struct arena *job = arena_new();
		struct autoconfig a;
		struct error      err;
		const char       *xml;

		xml = arena_print(job, HEAD "<incomingServer type='%s'>%s</incomingServer><outgoingServer type='smtp'>"
		                  HOST PORT SSL "</outgoingServer>" TAIL, servers[i].type, servers[i].inside);
		EXPECT_ROW(reads(slice_str(xml), job, &a, &err), servers[i].inside);
		EXPECT_ROW(a.count == (servers[i].hostname ? 2 : 1), servers[i].inside);
		EXPECT_ROW(!a.server[a.count - 1].incoming, servers[i].inside);
		if (servers[i].hostname)
			EXPECT_TEXT(a.server[0].hostname, servers[i].hostname);
	}
}

static struct slice repeated(struct arena *job, const char *head, const char *middle, size_t times, const char *tail)
{
	struct buffer b;
	struct slice  all;

	buffer_init(&b, 2 << 20);
	buffer_add_str(&b, head);
	while (times--)
		buffer_add_str(&b, middle);
	EXPECT(buffer_add_str(&b, tail));
	all = slice(arena_copy(job, buffer_held(&b)), buffer_held(&b).len);
	buffer_release(&b);
	return all;
}

TEST(limits)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct autoconfig a;
	struct error      err;
	struct slice      xml;

	xml = repeated(job, HEAD, "<incomingServer type='imap'>" HOST PORT SSL "</incomingServer>", 40, TAIL);
	EXPECT(reads(xml, job, &a, &err) && a.count == AUTOCONFIG_SERVERS);

	xml = repeated(job, HEAD "<incomingServer type='imap'>" HOST PORT SSL, "<authentication>x</authentication>", 40,
	               "</incomingServer>" TAIL);
	EXPECT(reads(xml, job, &a, &err) && a.server[0].authentication[4] && !a.server[0].authentication[5]);

	xml = repeated(job, HEAD "<incomingServer type='imap'>" HOST PORT SSL "<username>", "aaaaaaaaaa", 100,
	               "</username></incomingServer>" TAIL);
	EXPECT(reads(xml, job, &a, &err) && a.count == 1 && strlen(a.server[0].username) == 1000);
	xml = repeated(job, HEAD "<incomingServer type='imap'>" HOST PORT SSL "<username>a", "aaaaaaaaaa", 100,
	               "</username></incomingServer>" TAIL);
	EXPECT(reads(xml, job, &a, &err) && a.count == 0);
	xml = repeated(job, HEAD "<incomingServer type='imap'>" HOST PORT SSL "<username>", "%EMAILADDRESS%", 50,
	               "</username></incomingServer>" TAIL);
	EXPECT(reads(xml, job, &a, &err) && a.count == 0);

	xml = repeated(job, HEAD "<a ", "          ", 1000, "/>" TAIL);
	EXPECT(reads(xml, job, &a, &err));
	xml = repeated(job, HEAD "<a ", "          ", 3000, "/>" TAIL);
	EXPECT(!reads(xml, job, &a, &err) && err.fault == FAULT_BROKEN && strstr(err.text, "too long"));

	xml = repeated(job, HEAD, "<a>", 30, "");
	xml = repeated(job, arena_copy(job, xml), "</a>", 30, TAIL);
	EXPECT(reads(xml, job, &a, &err));
	xml = repeated(job, HEAD, "<a>", 31, "");
	xml = repeated(job, arena_copy(job, xml), "</a>", 31, TAIL);
	EXPECT(!reads(xml, job, &a, &err) && err.fault == FAULT_BROKEN);

	xml = repeated(job, HEAD TAIL, " ", (1 << 20) - strlen(HEAD TAIL), "");
	EXPECT(reads(xml, job, &a, &err));
	xml = repeated(job, HEAD TAIL, " ", (1 << 20) - strlen(HEAD TAIL), " ");
	EXPECT(!reads(xml, job, &a, &err) && err.fault == FAULT_TOO_BIG);
}

/* -- what is no such document ------------------------------------------------------------------------------------- */

static const struct { const char *row, *xml, *why; } broken[] = {
	{ "nothing",              "", "well-formed" },
	{ "text",                 "Not Found", "well-formed" },
	{ "HTML",                 "<!DOCTYPE html><html><head><title>x</title></head></html>", "document type" },
	{ "HTML without a type",  "<html><body><br></body></html>", "another kind" },
	{ "another root",         "<autodiscover/>", "another kind" },
	{ "inside another root",  "<a>" HEAD TAIL "</a>", "another kind" },
	{ "no provider",          "<clientConfig version='1.1'/>", "no email provider" },
	{ "no provider of its own", "<clientConfig><x><emailProvider/></x></clientConfig>", "no email provider" },
	{ "not closed",           HEAD "</emailProvider>", "well-formed" },
	{ "closed wrong",         HEAD "</clientConfig></emailProvider>", "well-formed" },
	{ "two roots",            HEAD TAIL HEAD TAIL, "well-formed" },
	{ "a late document type", HEAD TAIL "<!DOCTYPE x>", "well-formed" },
	{ "an unknown entity",    HEAD "<displayName>&nbsp;</displayName>" TAIL, "well-formed" },
	{ "a character that is none", HEAD "<displayName>&#0;</displayName>" TAIL, "well-formed" },
	{ "no UTF-8",             HEAD "<displayName>B\xe4ume</displayName>" TAIL, "well-formed" },
	{ "an unknown encoding",  "<?xml version='1.0' encoding='x-none'?>" HEAD TAIL, "well-formed" },
	{ "an encoding that lies", "<?xml version='1.0' encoding='EUC-JP'?>" HEAD
	                          "<displayName>\x8f\xff\xff</displayName>" TAIL, "well-formed" },
	{ "a file",               "<!DOCTYPE clientConfig [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>" HEAD
	                          "<displayName>&x;</displayName>" TAIL, "document type" },
	{ "an external DTD",      "<!DOCTYPE clientConfig SYSTEM 'http://127.0.0.1:9/x'>" HEAD TAIL, "document type" },
	{ "laughter",             "<!DOCTYPE clientConfig [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;'>]>" HEAD
	                          "<displayName>&b;</displayName>" TAIL, "document type" },
};

/* Returns what was written to standard error meanwhile, at most size - 1 bytes of it. */
static void read_all_broken(char *heard, size_t size)
{
	int     before = dup(STDERR_FILENO), pipe_ends[2];
	ssize_t len;

	EXPECT(before >= 0 && pipe2(pipe_ends, O_NONBLOCK) == 0);
	fflush(stderr);
	dup2(pipe_ends[1], STDERR_FILENO);
	for (size_t i = 0; i < COUNT(broken); i++) {
		CLEANUP(arena) struct arena *job = arena_new();
		struct autoconfig a;
		struct error      err;

		reads(slice_str(broken[i].xml), job, &a, &err);
	}
	fflush(stderr);
	dup2(before, STDERR_FILENO);
	len = read(pipe_ends[0], heard, size - 1);
	heard[len > 0 ? len : 0] = '\0';
	close(before);
	close(pipe_ends[0]);
	close(pipe_ends[1]);
}

TEST(what_is_no_such_document)
{
	for (size_t i = 0; i < COUNT(broken); i++) {
		CLEANUP(arena) struct arena *job = arena_new();
		struct autoconfig a;
		struct error      err = { .fault = FAULT_NONE };

		EXPECT_ROW(!reads(slice_str(broken[i].xml), job, &a, &err), broken[i].row);
		EXPECT_ROW(err.fault == FAULT_BROKEN && strstr(err.text, broken[i].why), broken[i].row);
	}
}

TEST(nothing_is_printed)
{
	char heard[500];

	read_all_broken(heard, sizeof heard);
	EXPECT_TEXT(heard, "");
}

/* -- encodings ---------------------------------------------------------------------------------------------------- */

TEST(encodings)
{
	CLEANUP(arena) struct arena *job = arena_new();
	static const char latin[] = "<?xml version='1.0' encoding='ISO-8859-1'?>" HEAD
	                            "<displayName>B\xe4ume</displayName>" TAIL;
	static const char marked[] = "\xef\xbb\xbf" HEAD "<displayName>B\xc3\xa4ume</displayName>" TAIL;
	static const char ascii[] = HEAD "<displayName>B&#xe4;ume</displayName>" TAIL;
	char              utf16[4 * sizeof ascii];
	size_t            len = 0;
	struct autoconfig a;
	struct error      err;

	EXPECT(reads(slice_str(latin), job, &a, &err));
	EXPECT_TEXT(a.display_name, "B\xc3\xa4ume");
	EXPECT(reads(slice_str(marked), job, &a, &err));
	EXPECT_TEXT(a.display_name, "B\xc3\xa4ume");

	utf16[len++] = '\xff';
	utf16[len++] = '\xfe';
	for (const char *p = ascii; *p; p++) {
		utf16[len++] = *p;
		utf16[len++] = '\0';
	}
	EXPECT(reads(slice(utf16, len), job, &a, &err));
	EXPECT_TEXT(a.display_name, "B\xc3\xa4ume");
}

TEST(characters_lie_across_the_pieces_that_are_fed)
{
	for (size_t i = 0; i < 8; i++) {
		CLEANUP(arena) struct arena *job = arena_new();
		struct autoconfig a;
		struct error      err;
		struct slice      xml = repeated(job, HEAD "<displayName>", " ", 4000 + i, "");

		xml = repeated(job, arena_copy(job, xml), "\xe2\x82\xac", 60, "</displayName>" TAIL);
		EXPECT(reads(xml, job, &a, &err) && a.display_name == NULL);       /* with its white space too long */
		xml = repeated(job, HEAD "<!--", " ", 4000 + i, "--><displayName>");
		xml = repeated(job, arena_copy(job, xml), "\xe2\x82\xac", 60, "</displayName>" TAIL);
		EXPECT(reads(xml, job, &a, &err) && a.display_name);
		EXPECT_TEXT(a.display_name, arena_copy(job, repeated(job, "", "\xe2\x82\xac", 60, "")));
	}
}

TEST(a_namespace_is_no_obstacle)
{
	CLEANUP(arena) struct arena *job = arena_new();
	static const char xml[] = "<c:clientConfig xmlns:c='urn:x'><c:emailProvider id='b'/></c:clientConfig>";
	struct autoconfig a;
	struct error      err;

	EXPECT(reads(slice_str(xml), job, &a, &err));
	EXPECT_TEXT(a.provider_id, "b");
	EXPECT(a.count == 0);
}

TEST(an_address_without_a_domain)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct autoconfig a;
	struct error      err;
	struct slice      xml = slice_str(HEAD "<incomingServer type='imap'>" HOST PORT SSL
	                                  "<username>%EMAILLOCALPART%</username></incomingServer>"
	                                  "<incomingServer type='imap'><hostname>%EMAILDOMAIN%</hostname>" PORT SSL
	                                  "</incomingServer>" TAIL);

	EXPECT(autoconfig_read(xml, "ann", job, &a, &err) && a.count == 1);
	EXPECT_TEXT(a.server[0].username, "ann");
}
