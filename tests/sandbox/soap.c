#include "sandbox/soap.h"

#include "test.h"

static const char request[] =
	"<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<soap:Envelope xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:t=\"t\" xmlns:m=\"m\"><soap:Header>"
	"<t:RequestServerVersion Version=\"Exchange2010_SP2\"/></soap:Header><soap:Body><m:GetFolder><m:FolderIds><t:DistinguishedFolderId Id=\"inbox\">"
	"<t:Mailbox><t:EmailAddress> a&amp;b@x.example\n</t:EmailAddress></t:Mailbox></t:DistinguishedFolderId><t:FolderId Id=\"&lt;1\"/></m:FolderIds></m:GetFolder>"
	"</soap:Body></soap:Envelope>";

TEST(a_request_is_read)
{
	CLEANUP(arena) struct arena *arena = arena_new();
	struct soap s;
	xmlNode    *id;

	EXPECT(soap_read(slice_str(request), &s, NULL));
	EXPECT(xml_is(s.operation, "GetFolder"));
	EXPECT_TEXT(xml_attribute(arena, xml_child(s.header, "RequestServerVersion"), "Version"), "Exchange2010_SP2");
	id = xml_at(s.operation, "FolderIds/DistinguishedFolderId");
	EXPECT_TEXT(xml_attribute(arena, id, "Id"), "inbox");
	EXPECT_TEXT(xml_text(arena, xml_at(id, "Mailbox/EmailAddress")), "a&b@x.example");
	EXPECT(xml_below(s.operation, "EmailAddress") == xml_at(id, "Mailbox/EmailAddress"));
	EXPECT_TEXT(xml_again(arena, xml_next(id)), "<t:FolderId Id=\"&lt;1\"></t:FolderId>");
	EXPECT(!xml_next(xml_next(id)) && !xml_child(id, "Nothing") && !xml_at(id, "Mailbox/Nothing/More") && !xml_attribute(arena, id, "x"));
	EXPECT(!xml_child(NULL, "x") && !xml_first(NULL) && !xml_attribute(arena, NULL, "x"));
	EXPECT_TEXT(xml_text(arena, NULL), "");
	xmlFreeDoc(s.document);
}

TEST(a_request_cut_at_every_byte_is_none)
{
	for (size_t len = 0; len < sizeof request - 1; len++) {
		struct soap s = { 0 };

		EXPECT(!soap_read(slice(request, len), &s, NULL));
		EXPECT(!s.document);
	}
}

TEST(what_is_no_request)
{
	static const char *const rows[] = {
		"", "hello", "<a/>", "<Envelope/>", "<Envelope><Body/></Envelope>", "<Envelope><Body>text</Body></Envelope>", "<Body><x/></Body>",
		"<!DOCTYPE a [<!ENTITY b \"c\">]><Envelope><Body><x/></Body></Envelope>", "<!doctype a><Envelope><Body><x/></Body></Envelope>",
		"<Envelope><Body><x>&undefined;</x></Body></Envelope>", "<Envelope><Body><x></Body></Envelope>",
	};
	struct error err;

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct soap s;

		EXPECT_ROW(!soap_read(slice_str(rows[i]), &s, &err), rows[i]);
		EXPECT_ROW(err.fault == FAULT_BROKEN, rows[i]);
	}
	EXPECT(!soap_read(slice("<Envelope>\0<Body><x/></Body></Envelope>", 39), &(struct soap){ 0 }, NULL));
}

TEST(elements_within_elements_have_an_end)
{
	CLEANUP(arena) struct arena *arena = arena_new();
	const char *text = "<x/>";

	for (int i = 0; i < 100; i++) {
		struct soap s;
		bool        fine = soap_read(slice_str(arena_print(arena, "<Envelope><Body>%s</Body></Envelope>", text)), &s, NULL);

		EXPECT(fine == (i < 59));
		if (fine)
			xmlFreeDoc(s.document);
		text = arena_print(arena, "<x>%s</x>", text);
	}
}
