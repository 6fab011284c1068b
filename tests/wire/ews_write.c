#include "ews_requests.h"

#include <libxml/parser.h>
#include <string.h>

#include "test.h"
#include "wire/sasl.h"

static const struct ews_header plain = { "Exchange2010_SP2", NULL };

static const char *request(struct arena *job, size_t which, const struct ews_header *h)
{
	struct buffer out;
	const char   *name = "", *text = NULL;

	buffer_init(&out, 1 << 16);
	if (ews_request(which, &out, h, &name))
		text = arena_copy(job, buffer_held(&out));
	buffer_release(&out);
	return text;
}

TEST(a_request_word_for_word)
{
	CLEANUP(arena) struct arena *job = arena_new();
	static const struct ews_header as_ann = { "Exchange2007_SP1", "ann&bo@birch.example" };

	EXPECT_TEXT(request(job, 0, &as_ann),
	            "<?xml version=\"1.0\" encoding=\"utf-8\"?><soap:Envelope xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\""
	            " xmlns:t=\"http://schemas.microsoft.com/exchange/services/2006/types\""
	            " xmlns:m=\"http://schemas.microsoft.com/exchange/services/2006/messages\"><soap:Header>"
	            "<t:RequestServerVersion Version=\"Exchange2007_SP1\"/><t:ExchangeImpersonation><t:ConnectingSID>"
	            "<t:PrimarySmtpAddress>ann&amp;bo@birch.example</t:PrimarySmtpAddress></t:ConnectingSID></t:ExchangeImpersonation>"
	            "</soap:Header><soap:Body><m:GetFolder><m:FolderShape><t:BaseShape>IdOnly</t:BaseShape></m:FolderShape><m:FolderIds>"
	            "<t:DistinguishedFolderId Id=\"inbox\"/></m:FolderIds></m:GetFolder></soap:Body></soap:Envelope>");
}

TEST(what_a_version_or_a_limit_changes)
{
	CLEANUP(arena) struct arena *job = arena_new();
	static const struct ews_header old = { "Exchange2007_SP1", NULL };

	EXPECT(strstr(request(job, 2, &plain), "<m:IndexedPageFolderView MaxEntriesReturned=\"500\" Offset=\"500\" BasePoint=\"Beginning\"/>"));
	EXPECT(!strstr(request(job, 2, &old), "IndexedPageFolderView"));
	EXPECT(strstr(request(job, 12, &plain), "<m:MaxChangesReturned>512</m:MaxChangesReturned>"));
	EXPECT(strstr(request(job, 13, &plain), "<m:SyncState>H4s+/=</m:SyncState><m:MaxChangesReturned>1</m:MaxChangesReturned>"));
	EXPECT(strstr(request(job, 18, &plain), "<m:ConnectionTimeout>30</m:ConnectionTimeout>"));
	EXPECT(strstr(request(job, 3, &plain), "<t:Mailbox><t:EmailAddress>b&amp;b@birch.example</t:EmailAddress></t:Mailbox>"));
	EXPECT(!strstr(request(job, 3, &plain), "Restriction"));
}

/* Each is XML, and with one byte less of room there is nothing at all. */
TEST(every_request_within_every_limit)
{
	for (size_t i = 0; i < EWS_REQUESTS; i++) {
		CLEANUP(arena) struct arena *job = arena_new();
		const char *whole = request(job, i, &plain), *name = "";
		xmlDocPtr   doc = whole ? xmlReadMemory(whole, (int)strlen(whole), NULL, NULL, XML_PARSE_NONET) : NULL;

		EXPECT(doc);
		xmlFreeDoc(doc);
		for (size_t limit = 0; limit <= strlen(whole); limit++) {
			struct buffer out;
			bool          fits;

			buffer_init(&out, limit);
			fits = ews_request(i, &out, &plain, &name);
			EXPECT_ROW(fits == (limit == strlen(whole)) && buffer_held(&out).len == (fits ? limit : 0), name);
			buffer_release(&out);
		}
	}
}

TEST(texts_are_escaped)
{
	static const struct { const char *text, *written; } rows[] = {
		{ "plain", "plain" }, { "<>&\"'", "&lt;&gt;&amp;&quot;'" }, { "a\tb\r\nc", "a&#9;b&#13;&#10;c" }, { "%s%", "%s%" },
		{ "\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\xae", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\xae" },
		{ "\x01\x1f\x7f", "\xef\xbf\xbd\xef\xbf\xbd\x7f" }, { "\xff" "a", "\xef\xbf\xbd" "a" }, { "\xc3", "\xef\xbf\xbd" },
		{ "\xc0\x80", "\xef\xbf\xbd\xef\xbf\xbd" }, { "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
		{ "\xef\xbf\xbf", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" }, { "\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		CLEANUP(arena) struct arena *job = arena_new();
		struct buffer out;

		buffer_init(&out, 1 << 16);
		EXPECT(ews_unsubscribe(&out, &plain, rows[i].text));
		EXPECT_ROW(strstr(arena_copy(job, buffer_held(&out)), arena_print(job, "<m:SubscriptionId>%s</m:SubscriptionId>", rows[i].written)),
		           rows[i].text);
		buffer_release(&out);
	}
}

TEST(a_message_of_any_length)
{
	for (size_t len = 0; len < 200; len++) {
		CLEANUP(arena) struct arena *job = arena_new();
		static const char open[] = "<t:MimeContent CharacterSet=\"UTF-8\">";
		struct buffer out;
		char          message[200];
		struct slice  decoded;
		char         *begin;

		for (size_t i = 0; i < len; i++)
			message[i] = (char)(i * 37 + len);
		buffer_init(&out, 1 << 16);
		EXPECT(ews_send(&out, &plain, slice(message, len)));
		begin = strstr(arena_copy(job, buffer_held(&out)), open) + strlen(open);
		EXPECT(base64_decode(job, slice(begin, strcspn(begin, "<")), &decoded) && slice_equal(decoded, slice(message, len)));
		buffer_release(&out);
	}
}
