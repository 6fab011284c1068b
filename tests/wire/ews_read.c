#include "wire/ews.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "test.h"

#define TYPES    "http://schemas.microsoft.com/exchange/services/2006/types"
#define MESSAGES "http://schemas.microsoft.com/exchange/services/2006/messages"
#define ERRORS   "http://schemas.microsoft.com/exchange/services/2006/errors"
#define SOAP     "http://schemas.xmlsoap.org/soap/envelope/"

/* -- everything that is heard, as a text -------------------------------------------------------------------------- */

struct heard {
	struct arena      *job;
	struct ews_reader *reader;
	struct buffer      log;
};

static void log_text(struct heard *h, const char *name, const char *value)
{
	if (value)
		buffer_print(&h->log, " %s=%s", name, value);
}

static void log_number(struct heard *h, const char *name, uint64_t value)
{
	if (value)
		buffer_print(&h->log, " %s=%llu", name, (unsigned long long)value);
}

static void on_item(void *self, const struct ews_item *i)
{
	static const char *const kinds[] = { "item", "folder", "mailbox", "event" };
	static const char *const changes[] = { "", " created", " updated", " deleted", " read", " new", " moved", " copied" };
	struct heard *h = self;

	buffer_print(&h->log, "%s%s %s", kinds[i->kind], changes[i->change], i->element ? i->element : "-");
	log_text(h, "id", i->id);
	log_text(h, "key", i->change_key);
	log_text(h, "parent", i->parent_id);
	log_text(h, "subject", i->subject);
	log_text(h, "class", i->item_class);
	log_text(h, "message-id", i->internet_message_id);
	log_text(h, "from", i->from_name);
	log_text(h, "address", i->from_address);
	log_text(h, "received", i->received);
	log_text(h, "sent", i->sent);
	log_text(h, "start", i->start);
	log_text(h, "end", i->end);
	log_text(h, "name", i->display_name);
	log_text(h, "folder-class", i->folder_class);
	log_text(h, "mailbox", i->address);
	log_text(h, "routing", i->routing_type);
	log_text(h, "type", i->mailbox_type);
	log_text(h, "headers", i->headers);
	log_number(h, "size", i->size);
	log_number(h, "total", i->total);
	log_number(h, "unread", i->unread);
	log_number(h, "children", i->children);
	log_number(h, "is-read", i->is_read);
	log_number(h, "attachments", i->has_attachments);
	log_number(h, "of-folder", i->of_folder);
	if (i->kind == EWS_EVENT)
		log_text(h, "of", ews_answer(h->reader)->subscription_id);
	buffer_add_str(&h->log, "\n");
}

static void on_mime(void *self, struct slice piece)
{
	struct heard *h = self;

	for (size_t i = 0; i < piece.len; i++)
		buffer_print(&h->log, "<%c>", piece.at[i]);
}

static void log_answer(struct heard *h)
{
	const struct ews_answer *a = ews_answer(h->reader);

	if (a->version.major || a->version.schema)
		buffer_print(&h->log, "version %u.%u.%u.%u %s\n", a->version.major, a->version.minor, a->version.build, a->version.revision,
		             a->version.schema ? a->version.schema : "-");
	for (size_t i = 0; i < a->count && i < EWS_OUTCOMES; i++) {
		const struct ews_outcome *o = &a->outcome[i];

		buffer_print(&h->log, "%s%s%s [%s] %s", o->fault ? "fault" : "response", o->ok ? " ok" : "", o->warning ? " warning" : "",
		             o->code, o->text);
		for (size_t v = 0; v < o->values; v++)
			buffer_print(&h->log, " {%s: %s}", o->value[v].name, o->value[v].value);
		buffer_add_str(&h->log, "\n");
	}
	if (a->sync_state || a->subscription_id || a->watermark || a->connection_status || a->last_in_range || a->total_in_view) {
		buffer_add_str(&h->log, "answer");
		log_text(h, "state", a->sync_state);
		log_text(h, "subscription", a->subscription_id);
		log_text(h, "watermark", a->watermark);
		log_text(h, "connection", a->connection_status);
		log_number(h, "last", a->last_in_range);
		log_number(h, "total", a->total_in_view);
		buffer_add_str(&h->log, "\n");
	}
}

/* From memory that ends where the bytes end, so that a byte read too far is seen. */
static bool feed_exact(struct ews_reader *r, struct slice bytes, size_t *used, struct error *err)
{
	char *exact = must_alloc(bytes.len);
	bool  good;

	if (bytes.len)
		memcpy(exact, bytes.at, bytes.len);
	good = ews_feed(r, slice(exact, bytes.len), used, err);
	free(exact);
	return good;
}

/* What is heard of `xml`, given in pieces of at most `piece` bytes, the first one of `first`; NULL and `err` when it is refused. */
static const char *heard_of(struct arena *job, struct slice xml, size_t first, size_t piece, size_t longest, struct error *err)
{
	struct heard        h = { .job = job };
	struct ews_listener listener = { &h, on_item, on_mime };
	const char         *result = NULL;
	bool                good = true;

	*err = (struct error){ .fault = FAULT_NONE };
	buffer_init(&h.log, 4 << 20);
	h.reader = ews_reader_new(job, longest, &listener);
	for (size_t len = first; xml.len && good; len = piece) {
		good = feed_exact(h.reader, slice_upto(xml, len), NULL, err);
		xml = slice_from(xml, len);
	}
	if (good && ews_finish(h.reader, err)) {
		EXPECT(ews_answer(h.reader)->envelope && ews_reader_whole(h.reader));
		log_answer(&h);
		result = arena_copy(job, buffer_held(&h.log));
	}
	ews_reader_free(h.reader);
	buffer_release(&h.log);
	return result;
}

/* -- every shape of answer ---------------------------------------------------------------------------------------- */

#define ENVELOPE(inside) \
	"<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n<s:Envelope xmlns:s=\"" SOAP "\">" inside "</s:Envelope>"
#define VERSION \
	"<s:Header><h:ServerVersionInfo MajorVersion=\"14\" MinorVersion=\"2\" MajorBuildNumber=\"328\" MinorBuildNumber=\"9\"" \
	" Version=\"Exchange2010_SP2\" xmlns:h=\"" TYPES "\" xmlns=\"" TYPES "\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"/></s:Header>"
#define ANSWER(op, class, inside) \
	ENVELOPE(VERSION "<s:Body><m:" op "Response xmlns:m=\"" MESSAGES "\" xmlns:t=\"" TYPES "\"><m:ResponseMessages>" \
	         "<m:" op "ResponseMessage ResponseClass=\"" class "\">" inside "</m:" op "ResponseMessage>" \
	         "</m:ResponseMessages></m:" op "Response></s:Body>")
#define GOOD "<m:ResponseCode>NoError</m:ResponseCode>"
#define HEARD_VERSION "version 14.2.328.9 Exchange2010_SP2\n"
#define HEARD_GOOD    HEARD_VERSION "response ok [NoError] \n"

static const struct { const char *xml, *heard; } answers[] = {
	/* C.1 */
	{ ENVELOPE("<s:Body><s:Fault><faultcode xmlns:a=\"" TYPES "\">a:ErrorServerBusy</faultcode>"
	           "<faultstring xml:lang=\"en-US\">The server cannot service this request right now. Try again later.</faultstring><detail>"
	           "<e:ResponseCode xmlns:e=\"" ERRORS "\">ErrorServerBusy</e:ResponseCode><e:Message xmlns:e=\"" ERRORS "\">Other words</e:Message>"
	           "<t:MessageXml xmlns:t=\"" TYPES "\"><t:Value Name=\"BackOffMilliseconds\">297749</t:Value></t:MessageXml></detail></s:Fault></s:Body>"),
	  "fault [ErrorServerBusy] The server cannot service this request right now. Try again later. {BackOffMilliseconds: 297749}\n" },
	{ ENVELOPE("<s:Body><s:Fault><faultcode xmlns:a='" TYPES "'>a:ErrorSchemaValidation</faultcode><faultstring>The request failed.</faultstring>"
	           "<detail><e:ResponseCode xmlns:e='" ERRORS "'>\n ErrorSchemaValidation \n</e:ResponseCode><t:MessageXml xmlns:t='" TYPES "'>"
	           "<t:LineNumber>2</t:LineNumber><t:LinePosition>630</t:LinePosition><t:Violation>The element &lt;x&gt;</t:Violation></t:MessageXml>"
	           "</detail></s:Fault></s:Body>"),
	  "fault [ErrorSchemaValidation] The request failed. {LineNumber: 2} {LinePosition: 630} {Violation: The element <x>}\n" },
	{ ENVELOPE("<s:Body><s:Fault><faultcode>s:Client</faultcode><faultstring>Who are you?</faultstring></s:Fault></s:Body>"),
	  "fault [Client] Who are you?\n" },
	{ ENVELOPE("<s:Body><s:Fault><faultcode>s:Server</faultcode><faultstring/><detail><e:Message xmlns:e='" ERRORS "'>Words</e:Message></detail>"
	           "</s:Fault></s:Body>"), "fault [Server] Words\n" },
	{ "<s:Envelope xmlns:s='http://www.w3.org/2003/05/soap-envelope'><s:Body><s:Fault><s:Code><s:Value>s:Receiver</s:Value><s:Subcode>"
	  "<s:Value xmlns:a='" TYPES "'>a:ErrorInvalidServerVersion</s:Value></s:Subcode></s:Code><s:Reason><s:Text xml:lang='fi'>Ei k\xc3\xa4y</s:Text>"
	  "</s:Reason></s:Fault></s:Body></s:Envelope>", "fault [ErrorInvalidServerVersion] Ei k\xc3\xa4y\n" },
	{ "<s:Envelope xmlns:s='http://www.w3.org/2003/05/soap-envelope'><s:Body><s:Fault><s:Code><s:Value>s:Sender</s:Value></s:Code>"
	  "<s:Detail><e:ResponseCode xmlns:e='" ERRORS "'>ErrorImpersonateUserDenied</e:ResponseCode></s:Detail></s:Fault></s:Body></s:Envelope>",
	  "fault [ErrorImpersonateUserDenied] \n" },
	{ ENVELOPE(VERSION "<s:Body/>"), HEARD_VERSION },
	{ ENVELOPE("<s:Body/>"), "" },
	{ ENVELOPE("<s:Header><t:ServerVersionInfo xmlns:t='" TYPES "' MajorVersion='8' MinorVersion='1' MajorBuildNumber='436' MinorBuildNumber='0'/>"
	           "</s:Header><s:Body/>"), "version 8.1.436.0 -\n" },
	/* C.3 */
	{ ANSWER("GetFolder", "Success", GOOD "<m:Folders><t:Folder><t:FolderId Id=\"AAA=\" ChangeKey=\"AQ\"/><t:ParentFolderId Id=\"P\" ChangeKey=\"x\"/>"
	         "<t:FolderClass>IPF.Note</t:FolderClass><t:DisplayName>Inbox &amp; more</t:DisplayName><t:TotalCount>12</t:TotalCount>"
	         "<t:ChildFolderCount>2</t:ChildFolderCount><t:EffectiveRights><t:Read>true</t:Read></t:EffectiveRights><t:UnreadCount>3</t:UnreadCount>"
	         "</t:Folder></m:Folders>"),
	  "folder Folder id=AAA= key=AQ parent=P name=Inbox & more folder-class=IPF.Note total=12 unread=3 children=2 of-folder=1\n" HEARD_GOOD },
	{ ANSWER("FindFolder", "Success", GOOD "<m:RootFolder IndexedPagingOffset=\"2\" TotalItemsInView=\"2\" IncludesLastItemInRange=\"true\"><t:Folders>"
	         "<t:CalendarFolder><t:FolderId Id=\"C\"/></t:CalendarFolder><t:SearchFolder/></t:Folders></m:RootFolder>"),
	  "folder CalendarFolder id=C of-folder=1\nfolder SearchFolder\n" HEARD_GOOD "answer last=1 total=2\n" },
	{ ANSWER("FindItem", "Success", GOOD "<m:RootFolder TotalItemsInView=\"900\" IncludesLastItemInRange=\"false\"><t:Items><t:Message>"
	         "<t:ItemId Id=\"I\" ChangeKey=\"K\"/><t:ParentFolderId Id=\"P\"/><t:ItemClass>IPM.Note</t:ItemClass><t:Subject>  a &lt;b&gt; </t:Subject>"
	         "<t:DateTimeReceived>2026-11-20T08:00:00Z</t:DateTimeReceived><t:Size>1234</t:Size><t:DateTimeSent>2026-11-20T07:59:58Z</t:DateTimeSent>"
	         "<t:HasAttachments>true</t:HasAttachments><t:From><t:Mailbox><t:Name>Ann</t:Name><t:EmailAddress>ann@birch.example</t:EmailAddress>"
	         "<t:RoutingType>SMTP</t:RoutingType></t:Mailbox></t:From><t:InternetMessageId>&lt;1@x&gt;</t:InternetMessageId><t:IsRead>false</t:IsRead>"
	         "</t:Message><t:MeetingRequest><t:ItemId Id=\"J\"/><t:IsRead>true</t:IsRead></t:MeetingRequest></t:Items></m:RootFolder>"),
	  "item Message id=I key=K parent=P subject=  a <b>  class=IPM.Note message-id=<1@x> from=Ann address=ann@birch.example"
	  " received=2026-11-20T08:00:00Z sent=2026-11-20T07:59:58Z size=1234 attachments=1\nitem MeetingRequest id=J is-read=1\n"
	  HEARD_GOOD "answer total=900\n" },
	{ ANSWER("FindItem", "Success", GOOD "<m:RootFolder TotalItemsInView='1' IncludesLastItemInRange='true'><t:Items><t:CalendarItem><t:ItemId Id='c'/>"
	         "<t:Subject>Lunch</t:Subject><t:Start>2026-11-21T11:00:00Z</t:Start><t:End>2026-11-21T12:00:00Z</t:End><t:Organizer><t:Mailbox>"
	         "<t:Name>Bo</t:Name></t:Mailbox></t:Organizer></t:CalendarItem></t:Items></m:RootFolder>"),
	  "item CalendarItem id=c subject=Lunch from=Bo start=2026-11-21T11:00:00Z end=2026-11-21T12:00:00Z\n" HEARD_GOOD "answer last=1 total=1\n" },
	{ ANSWER("GetItem", "Success", GOOD "<m:Items><t:Message><t:MimeContent CharacterSet=\"UTF-8\">SGVs\r\n bG8=</t:MimeContent><t:ItemId Id=\"I\"/>"
	         "<t:Attachments><t:ItemAttachment><t:Message><t:MimeContent>!!</t:MimeContent><t:Subject>inner</t:Subject></t:Message></t:ItemAttachment>"
	         "</t:Attachments></t:Message></m:Items>"),
	  "<H><e><l><l><o>item Message id=I\n" HEARD_GOOD },
	{ ANSWER("GetItem", "Success", GOOD "<m:Items><t:Message><t:ItemId Id=\"I\"/><t:InternetMessageHeaders>"
	         "<t:InternetMessageHeader HeaderName=\"Received\">from a by b</t:InternetMessageHeader>"
	         "<t:InternetMessageHeader HeaderName=\"X-Token\">7f</t:InternetMessageHeader></t:InternetMessageHeaders></t:Message></m:Items>"),
	  "item Message id=I headers=Received: from a by b\nX-Token: 7f\n\n" HEARD_GOOD },
	{ ANSWER("CreateItem", "Error", "<m:MessageText>The user account ...</m:MessageText><m:ResponseCode>ErrorSendAsDenied</m:ResponseCode>"
	         "<m:DescriptiveLinkKey>0</m:DescriptiveLinkKey><m:Items/>"), HEARD_VERSION "response [ErrorSendAsDenied] The user account ...\n" },
	{ ANSWER("DeleteItem", "Success", GOOD), HEARD_GOOD },
	{ ANSWER("SyncFolderItems", "Success", GOOD "<m:SyncState>H4s+/=</m:SyncState><m:IncludesLastItemInRange>false</m:IncludesLastItemInRange>"
	         "<m:Changes><t:Create><t:Message><t:ItemId Id=\"1\" ChangeKey=\"a\"/></t:Message></t:Create><t:Update><t:CalendarItem><t:ItemId Id=\"2\"/>"
	         "</t:CalendarItem></t:Update><t:Delete><t:ItemId Id=\"3\" ChangeKey=\"c\"/></t:Delete><t:ReadFlagChange><t:ItemId Id=\"4\"/>"
	         "<t:IsRead>true</t:IsRead></t:ReadFlagChange></m:Changes>"),
	  "item created Message id=1 key=a\nitem updated CalendarItem id=2\nitem deleted - id=3 key=c\nitem read - id=4 is-read=1\n"
	  HEARD_GOOD "answer state=H4s+/=\n" },
	{ ANSWER("SyncFolderHierarchy", "Success", GOOD "<m:SyncState>x</m:SyncState><m:IncludesLastFolderInRange>true</m:IncludesLastFolderInRange>"
	         "<m:Changes><t:Create><t:Folder><t:FolderId Id=\"f\"/><t:DisplayName>F</t:DisplayName></t:Folder></t:Create><t:Delete><t:FolderId Id=\"g\"/>"
	         "</t:Delete></m:Changes>"),
	  "folder created Folder id=f name=F of-folder=1\nfolder deleted - id=g of-folder=1\n" HEARD_GOOD "answer state=x last=1\n" },
	{ ANSWER("ResolveNames", "Success", GOOD "<m:ResolutionSet TotalItemsInView=\"1\" IncludesLastItemInRange=\"true\"><t:Resolution><t:Mailbox>"
	         "<t:Name>Ann</t:Name><t:EmailAddress>ann@birch.example</t:EmailAddress><t:RoutingType>SMTP</t:RoutingType><t:MailboxType>Mailbox</t:MailboxType>"
	         "</t:Mailbox><t:Contact><t:DisplayName>other</t:DisplayName></t:Contact></t:Resolution></m:ResolutionSet>"),
	  "mailbox Mailbox name=Ann mailbox=ann@birch.example routing=SMTP type=Mailbox\n" HEARD_GOOD "answer last=1 total=1\n" },
	{ ANSWER("ResolveNames", "Warning", "<m:MessageText>Multiple results were found.</m:MessageText>"
	         "<m:ResponseCode>ErrorNameResolutionMultipleResults</m:ResponseCode>"),
	  HEARD_VERSION "response warning [ErrorNameResolutionMultipleResults] Multiple results were found.\n" },
	{ ANSWER("Subscribe", "Success", GOOD "<m:SubscriptionId>abc</m:SubscriptionId><m:Watermark>w==</m:Watermark>"),
	  HEARD_GOOD "answer subscription=abc watermark=w==\n" },
	{ ANSWER("GetStreamingEvents", "Success", GOOD "<m:ConnectionStatus>OK</m:ConnectionStatus>"), HEARD_GOOD "answer connection=OK\n" },
	{ ANSWER("GetStreamingEvents", "Success", GOOD "<m:Notifications><m:Notification><t:SubscriptionId>s1</t:SubscriptionId><t:NewMailEvent>"
	         "<t:TimeStamp>2026-11-22T05:00:00Z</t:TimeStamp><t:ItemId Id=\"i\" ChangeKey=\"k\"/><t:ParentFolderId Id=\"p\"/></t:NewMailEvent>"
	         "<t:MovedEvent><t:TimeStamp>T</t:TimeStamp><t:ItemId Id=\"n\"/><t:ParentFolderId Id=\"q\"/><t:OldItemId Id=\"o\"/><t:OldParentFolderId Id=\"r\"/>"
	         "</t:MovedEvent></m:Notification><t:Notification><t:SubscriptionId>s2</t:SubscriptionId><t:ModifiedEvent><t:Watermark>w</t:Watermark>"
	         "<t:FolderId Id=\"f\"/><t:UnreadCount>4</t:UnreadCount></t:ModifiedEvent><t:StatusEvent><t:Watermark>w2</t:Watermark></t:StatusEvent>"
	         "</t:Notification></m:Notifications>"),
	  "event new NewMailEvent id=i key=k parent=p received=2026-11-22T05:00:00Z of=s1\nevent moved MovedEvent id=n parent=q received=T of=s1\n"
	  "event updated ModifiedEvent id=f unread=4 of-folder=1 of=s2\n" HEARD_GOOD "answer subscription=s2 watermark=w2\n" },
	{ ANSWER("GetStreamingEvents", "Error", "<m:MessageText>lost</m:MessageText><m:ResponseCode>ErrorSubscriptionNotFound</m:ResponseCode>"
	         "<m:ErrorSubscriptionIds><m:SubscriptionId>s1</m:SubscriptionId><t:SubscriptionId>s2</t:SubscriptionId></m:ErrorSubscriptionIds>"
	         "<m:ConnectionStatus>Closed</m:ConnectionStatus>"),
	  HEARD_VERSION "response [ErrorSubscriptionNotFound] lost {SubscriptionId: s1} {SubscriptionId: s2}\nanswer connection=Closed\n" },
	{ ANSWER("GetEvents", "Success", GOOD "<m:Notification><t:SubscriptionId>s</t:SubscriptionId><t:DeletedEvent><t:ItemId Id='d'/></t:DeletedEvent>"
	         "</m:Notification>"), "event deleted DeletedEvent id=d of=s\n" HEARD_GOOD "answer subscription=s\n" },
	{ ENVELOPE("<s:Body><GetUserAvailabilityResponse xmlns='" MESSAGES "'><FreeBusyResponseArray><FreeBusyResponse><ResponseMessage"
	           " ResponseClass='Error'><MessageText>Unable</MessageText><ResponseCode>ErrorMailRecipientNotFound</ResponseCode><MessageXml>"
	           "<ExceptionType xmlns='" ERRORS "'>X</ExceptionType></MessageXml></ResponseMessage></FreeBusyResponse></FreeBusyResponseArray>"
	           "</GetUserAvailabilityResponse></s:Body>"), "response [ErrorMailRecipientNotFound] Unable {ExceptionType: X}\n" },
	{ ENVELOPE("<s:Body><m:GetUserOofSettingsResponse xmlns:m='" MESSAGES "'><m:ResponseMessage ResponseClass='Success'>" GOOD
	           "</m:ResponseMessage></m:GetUserOofSettingsResponse></s:Body>"), "response ok [NoError] \n" },
	/* C.4 */
	{ ANSWER("GetFolder", "Error", "<m:MessageText>The primary SMTP address must be specified when referencing a mailbox.</m:MessageText>"
	         "<m:ResponseCode>ErrorNonPrimarySmtpAddress</m:ResponseCode><m:DescriptiveLinkKey>0</m:DescriptiveLinkKey><m:MessageXml>"
	         "<t:Value Name=\"Primary\">ann@birch.example</t:Value></m:MessageXml>"),
	  HEARD_VERSION "response [ErrorNonPrimarySmtpAddress] The primary SMTP address must be specified when referencing a mailbox."
	  " {Primary: ann@birch.example}\n" },
	{ ANSWER("GetFolder", "Error", "<m:ResponseCode>ErrorInvalidPropertyRequest</m:ResponseCode><m:MessageXml><t:FieldURI FieldURI='item:X'/>"
	         "<t:Value Name='MailboxGuid'>  </t:Value></m:MessageXml>"), HEARD_VERSION "response [ErrorInvalidPropertyRequest]  {FieldURI: item:X}\n" },
	{ ANSWER("GetFolder", "Success", "<m:ResponseCode>ErrorServerBusy</m:ResponseCode>"), HEARD_VERSION "response [ErrorServerBusy] \n" },
	{ ANSWER("GetFolder", "Error", GOOD), HEARD_VERSION "response [NoError] \n" },
	{ ANSWER("GetFolder", "Error", "<m:ResponseCode>First</m:ResponseCode><m:ResponseCode>Second</m:ResponseCode>"
	         "</m:GetFolderResponseMessage><m:GetFolderResponseMessage ResponseClass=\"Success\">" GOOD),
	  HEARD_VERSION "response [First] \nresponse ok [NoError] \n" },
	/* what belongs to others, or stands where it says nothing */
	{ ANSWER("GetFolder", "Success", GOOD "<x:ResponseCode xmlns:x='urn:x'>ErrorX</x:ResponseCode><m:Folders><x:Folder xmlns:x='urn:x'/>"
	         "<t:Folder x:Id='no' xmlns:x='urn:x'><t:FolderId x:Id='no' Id='yes'/><m:DisplayName>no</m:DisplayName></t:Folder></m:Folders>"
	         "<m:SyncState xmlns:m='https://schemas.microsoft.com/exchange/services/2006/messages'>no</m:SyncState>"),
	  "folder Folder id=yes of-folder=1\n" HEARD_GOOD },
	{ ENVELOPE("<s:Header><s:Fault/><ServerVersionInfo MajorVersion='1'/></s:Header><s:Body><x:Fault xmlns:x='urn:x'><faultcode>x</faultcode></x:Fault>"
	           "<m:R xmlns:m='" MESSAGES "'><m:ResponseCode>no</m:ResponseCode></m:R></s:Body>"), "" },
	/* ways to write it */
	{ ANSWER("GetFolder", "Success", "<!-- a > b --><m:ResponseCode><![CDATA[No]]>Err<!-- c -->or</m:ResponseCode><?pi x > y?><m:Folders><t:Folder>"
	         "<t:DisplayName>&#xe4;&quot;<![CDATA[<&amp;]]></t:DisplayName><t:FolderId Id='a>b&amp;&#38;\"'/></t:Folder></m:Folders>"),
	  "folder Folder id=a>b&&\" name=\xc3\xa4\"<&amp; of-folder=1\n" HEARD_GOOD },
	{ "\xef\xbb\xbf" ENVELOPE("<s:Body/>"), "" },
	{ "\r\n " ENVELOPE("<s:Body/>") "\n<!-- served by a proxy -->", "" },
	{ "<?xml version='1.0' encoding='iso-8859-1'?><Envelope xmlns='" SOAP "'><Body><Fault><faultcode xmlns=''>a</faultcode>"
	  "<faultstring xmlns=''>Zugriff f\xfcr niemand</faultstring></Fault></Body></Envelope>", "fault [a] Zugriff f\xc3\xbcr niemand\n" },
};

TEST(answers_whole_and_cut_at_every_byte)
{
	for (size_t i = 0; i < COUNT(answers); i++) {
		CLEANUP(arena) struct arena *job = arena_new();
		struct slice xml = slice_str(answers[i].xml);
		struct error err;
		const char  *heard = heard_of(job, xml, xml.len, xml.len, 1000, &err);

		if (!heard)
			test_fail(__FILE__, __LINE__, "row %zu: %s", i, err.text);
		EXPECT_TEXT(heard, answers[i].heard);
		EXPECT_TEXT(heard_of(job, xml, 1, 1, 1000, &err), answers[i].heard);
		for (size_t cut = 1; cut < xml.len; cut++)
			EXPECT_TEXT(heard_of(job, xml, cut, xml.len, 1000, &err), answers[i].heard);
	}
}

TEST(an_answer_cut_short_is_none)
{
	for (size_t i = 0; i < COUNT(answers); i++) {
		const char *end = strstr(answers[i].xml, "Envelope>");

		for (const char *next = end; next; next = strstr(next + 1, "Envelope>"))
			end = next;
		for (size_t cut = 0; cut < (size_t)(end - answers[i].xml) + strlen("Envelope>"); cut++) {
			CLEANUP(arena) struct arena *job = arena_new();
			struct error err;

			EXPECT_ROW(heard_of(job, slice(answers[i].xml, cut), cut, 1, 1000, &err) == NULL, answers[i].xml);
			EXPECT_ROW(err.fault == FAULT_BROKEN && *err.text, answers[i].xml);
		}
	}
}

/* -- what is refused ---------------------------------------------------------------------------------------------- */

#define BODY "<s:Envelope xmlns:s='" SOAP "'><s:Body>"
#define MIME(text) ANSWER("GetItem", "Success", "<m:Items><t:Message><t:MimeContent>" text "</t:MimeContent></t:Message></m:Items>")

TEST(what_is_no_answer)
{
	static const char *const rows[] = {
		"", " \r\n", "x", "<", "{}", "\xff\xfe\xff\xff", "<html><body>Sign in</body></html>", "<!DOCTYPE html><html></html>",
		"<!DOCTYPE s:Envelope [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;&a;'>]>" BODY "&b;</s:Body></s:Envelope>",
		"<!DOCTYPE s:Envelope SYSTEM 'file:///etc/passwd'>" BODY "</s:Body></s:Envelope>",
		"<?xml version='1.0'?>\n<!DOCTYPE a>\n" BODY "</s:Body></s:Envelope>",
		BODY "&undeclared;</s:Body></s:Envelope>", BODY "</s:Envelope>", BODY "&#0;</s:Body></s:Envelope>", BODY "<x:y/></s:Body></s:Envelope>",
		BODY "<a b='1' b='2'/></s:Body></s:Envelope>", BODY "\xff\xfe</s:Body></s:Envelope>", BODY "\x01</s:Body></s:Envelope>",
		"<Envelope/>", "<Envelope xmlns='urn:x'/>", "<s:Fault xmlns:s='" SOAP "'/>", "<s:envelope xmlns:s='" SOAP "'/>",
		"<s:Envelope xmlns:s='https://schemas.xmlsoap.org/soap/envelope/'/>", "<s:Envelope xmlns:s='" SOAP "'/ >",
		"<?xml version='1.0' encoding='klingon'?>" BODY "</s:Body></s:Envelope>",
		"<?xml version='1.0' encoding='utf-16'?>" BODY "\xe4</s:Body></s:Envelope>",
		MIME("SGVsbG8"), MIME("SGVsbG8=="), MIME("="), MIME("A==="), MIME("AA=A"), MIME("AAA=AAAA"), MIME("SG*s"), MIME("A"), MIME("\xc3\xa4\xc3\xa4"),
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		for (size_t piece = 1; piece < 3; piece++) {
			CLEANUP(arena) struct arena *job = arena_new();
			struct slice xml = slice_str(rows[i]);
			struct error err;

			EXPECT_ROW(heard_of(job, xml, piece == 1 ? 1 : xml.len, piece, 1000, &err) == NULL, rows[i]);
			EXPECT_ROW(err.fault == FAULT_BROKEN && *err.text, rows[i]);
		}
}

TEST(utf_16_is_refused)
{
	CLEANUP(arena) struct arena *job = arena_new();
	static const char text[] = "<?xml version='1.0' encoding='utf-16'?>" BODY "<s:Fault><faultstring>Nein</faultstring></s:Fault></s:Body></s:Envelope>";
	char              wide[2 * sizeof text + 2] = "\xff\xfe";
	struct error      err;

	for (size_t i = 0; i < sizeof text - 1; i++)
		wide[2 + 2 * i] = text[i];
	for (size_t cut = 1; cut < 2 * sizeof text; cut++)
		EXPECT(!heard_of(job, slice(wide, 2 * sizeof text), cut, sizeof wide, 1000, &err) && err.fault == FAULT_BROKEN);
}

/* Once it has failed it stays so, and says so. */
TEST(a_failure_lasts)
{
	CLEANUP(arena) struct arena *job = arena_new();
	CLEANUP(ews_reader) struct ews_reader *r = ews_reader_new(job, 1000, NULL);
	struct error err = { .fault = FAULT_NONE };

	EXPECT(!ews_feed(r, slice_str("<html>"), NULL, &err) && err.fault == FAULT_BROKEN);
	EXPECT(!ews_feed(r, slice_str(answers[0].xml), NULL, &err) && !ews_finish(r, &err) && !ews_reader_whole(r));
	EXPECT(!ews_answer(r)->envelope && !ews_feed(r, slice(NULL, 0), NULL, NULL));
	ews_reader_free(NULL);
}

/* Nobody listens: it is counted all the same, and a message is not even looked at. */
TEST(without_a_listener)
{
	CLEANUP(arena) struct arena *job = arena_new();
	CLEANUP(ews_reader) struct ews_reader *r = ews_reader_new(job, 1000, NULL);
	struct error err;

	EXPECT(ews_feed(r, slice_str(MIME("*")), NULL, &err) && ews_finish(r, &err) && ews_answer(r)->items == 1);
}

/* -- one after another -------------------------------------------------------------------------------------------- */

TEST(several_envelopes_in_one_stream)
{
	static const char *const streams[] = {
		ENVELOPE("<s:Body>1</s:Body>") ENVELOPE("<s:Body>2</s:Body>") "\r\n\r\n" ENVELOPE("<s:Body>3</s:Body>") "\n",
		BODY "</s:Body></s:Envelope>" BODY "</s:Body></s:Envelope>" BODY "</s:Body></s:Envelope>",
		"\xef\xbb\xbf" ENVELOPE("<s:Body/>") "\xef\xbb\xbf" ENVELOPE("<s:Body/>") " <s:Envelope xmlns:s='" SOAP "'/>",
		"<?xml version='1.0' encoding='iso-8859-1'?>" BODY "\xe4</s:Body></s:Envelope><?xml version='1.0' encoding='iso-8859-1'?>" BODY
		"\xfc\xfc</s:Body></s:Envelope>" ENVELOPE("<s:Body/>"),
	};

	for (size_t i = 0; i < COUNT(streams); i++)
		for (size_t cut = 1; cut <= strlen(streams[i]); cut++) {
			CLEANUP(arena) struct arena *job = arena_new();
			struct ews_reader *r = ews_reader_new(job, 1000, NULL);
			struct slice       rest = slice_str(streams[i]);
			size_t             wholes = 0, offset = 0;

			while (rest.len) {
				struct slice piece = slice_upto(rest, offset < cut ? cut - offset : rest.len);
				struct error err;
				size_t       used = 12345;

				if (!feed_exact(r, piece, &used, &err))
					test_fail(__FILE__, __LINE__, "stream %zu cut at %zu: %s", i, cut, err.text);
				EXPECT(used <= piece.len && (used == piece.len || ews_reader_whole(r)));
				rest = slice_from(rest, used);
				offset += used;
				if (ews_reader_whole(r) && (used < piece.len || !rest.len)) {
					wholes++;
					ews_reader_free(r);
					r = ews_reader_new(job, 1000, NULL);
				}
			}
			EXPECT_ROW(wholes == 3, streams[i]);
			ews_reader_free(r);
		}
}

/* -- how much is kept --------------------------------------------------------------------------------------------- */

static struct slice repeated(struct arena *job, const char *before, const char *text, size_t times, const char *after)
{
	size_t b = strlen(before), t = strlen(text), a = strlen(after), len = b + t * times + a;
	char  *all = arena_get(job, len + 1);

	memcpy(all, before, b);
	for (size_t i = 0; i < times; i++)
		memcpy(all + b + t * i, text, t);
	memcpy(all + b + t * times, after, a);
	return slice(all, len);
}

#define FAULT_HEAD BODY "<s:Fault><faultstring>"
#define FAULT_TAIL "</faultstring></s:Fault></s:Body></s:Envelope>"

TEST(a_long_text_is_cut_at_a_whole_character)
{
	for (size_t longest = 128; longest < 140; longest++)
		for (size_t skew = 0; skew < 4; skew++) {
			CLEANUP(arena) struct arena *job = arena_new();
			struct error err;
			struct slice xml = repeated(job, FAULT_HEAD, "\xf0\x9f\x90\xae", 1000, FAULT_TAIL), most;
			char         head[sizeof FAULT_HEAD + 4];
			const char  *heard;

			snprintf(head, sizeof head, "%s%.*s", FAULT_HEAD, (int)skew, "abc");
			xml = repeated(job, head, "\xf0\x9f\x90\xae", 1000, FAULT_TAIL);
			most = repeated(job, head + strlen(FAULT_HEAD), "\xf0\x9f\x90\xae", (longest - skew) / 4, "");
			for (size_t piece = 1; piece < 9; piece++) {
				heard = heard_of(job, xml, piece, piece * 3, longest, &err);
				EXPECT_TEXT(heard, arena_print(job, "fault [] %s\n", arena_copy(job, most)));
			}
		}
}

TEST(what_is_of_no_use_when_cut_is_not)
{
	CLEANUP(arena) struct arena *job = arena_new();
	static const char head[] = "<s:Envelope xmlns:s='" SOAP "'><s:Body><m:R xmlns:m='" MESSAGES "'><m:ResponseMessages><m:RM ResponseClass='Success'>"
	                           "<m:SyncState>";
	static const char tail[] = "</m:SyncState></m:RM></m:ResponseMessages></m:R></s:Body></s:Envelope>";
	struct slice      xml = repeated(job, head, "a", 1 << 20, tail);
	struct error      err;
	const char       *heard = heard_of(job, xml, xml.len, 1, 200, &err);

	EXPECT(heard && strlen(heard) > 1 << 20);
	xml = repeated(job, head, "a", (1 << 20) + 1, tail);
	EXPECT(!heard_of(job, xml, xml.len, 1, 200, &err) && err.fault == FAULT_TOO_BIG);
}

/* A peer that says it again and again is held to the room that it once took. */
TEST(repetition_fills_nothing)
{
	static const struct { const char *head, *text, *tail; } rows[] = {
		{ "", "<m:SyncState>aaaaaaaaaaaaaaaaaaaa</m:SyncState>", "" },
		{ "", "<m:Watermark>aaaaaaaaaaaaaaaaaaaa</m:Watermark>", "" },
		{ "", GOOD "<m:MessageText>text</m:MessageText>", "" },
		{ "", GOOD "</m:RM><m:RM ResponseClass='Error'><m:MessageText>text</m:MessageText>", "" },
		{ "<m:MessageXml>", "<t:Value Name='a'>b</t:Value><t:Value Name='none'/>", "</m:MessageXml>" },
		{ "<m:MessageXml>", "<t:Value Name='none'/>", "</m:MessageXml>" },
		{ "<m:ErrorSubscriptionIds>", "<t:SubscriptionId>a</t:SubscriptionId>", "</m:ErrorSubscriptionIds>" },
		{ "<m:Items>", "<t:Message><t:ItemId Id='1'/><t:Subject>s</t:Subject></t:Message>", "</m:Items>" },
		{ "<m:Items><t:Message>", "<t:ItemId ChangeKey='1'/><t:ItemId Id='1'/><t:Subject>s</t:Subject><t:ParentFolderId Id='p'/>", "</t:Message></m:Items>" },
		{ "<m:Items><t:Message><t:InternetMessageHeaders>", "<t:InternetMessageHeader HeaderName='a'>b</t:InternetMessageHeader>",
		  "</t:InternetMessageHeaders></t:Message></m:Items>" },
		{ "<m:Notifications><m:Notification>", "<t:SubscriptionId>s</t:SubscriptionId><t:NewMailEvent><t:Watermark>w</t:Watermark></t:NewMailEvent>",
		  "</m:Notification></m:Notifications>" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		CLEANUP(arena) struct arena *texts = arena_new();
		CLEANUP(arena) struct arena *job = arena_new();
		struct error err;
		CLEANUP(ews_reader) struct ews_reader *r = ews_reader_new(job, 1000, NULL);
		struct slice all = repeated(texts, rows[i].head, rows[i].text, 20000, rows[i].tail);

		EXPECT(ews_feed(r, slice_str("<s:Envelope xmlns:s='" SOAP "'><s:Body><m:R xmlns:m='" MESSAGES "' xmlns:t='" TYPES "'><m:ResponseMessages>"
		                             "<m:RM ResponseClass='Success'>"), NULL, &err));
		EXPECT_ROW(ews_feed(r, all, NULL, &err), rows[i].text);
		EXPECT(ews_feed(r, slice_str("</m:RM></m:ResponseMessages></m:R></s:Body></s:Envelope>"), NULL, &err) && ews_finish(r, &err));
		EXPECT_ROW(arena_used(job) < 4000, rows[i].text);
	}
}

TEST(outcomes_beyond_the_room_are_counted)
{
	CLEANUP(arena) struct arena *job = arena_new();
	CLEANUP(ews_reader) struct ews_reader *r = ews_reader_new(job, 1000, NULL);
	struct error err;

	EXPECT(ews_feed(r, repeated(job, "<s:Envelope xmlns:s='" SOAP "'><s:Body><m:R xmlns:m='" MESSAGES "'><m:ResponseMessages>",
	                            "<m:RM ResponseClass='Success'>" GOOD "</m:RM>", 100, "</m:ResponseMessages></m:R></s:Body></s:Envelope>"), NULL, &err));
	EXPECT(ews_finish(r, &err) && ews_answer(r)->count == 100 && ews_answer(r)->outcome[EWS_OUTCOMES - 1].ok);
}

TEST(depth_is_bounded)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct error err;
	struct slice xml = repeated(job, BODY, "<a>", 62, "");

	xml = repeated(job, arena_copy(job, xml), "</a>", 62, "</s:Body></s:Envelope>");
	EXPECT(heard_of(job, xml, xml.len, 1, 200, &err));
	xml = repeated(job, BODY, "<a>", 63, "");
	EXPECT(!heard_of(job, xml, xml.len, 1, 200, &err) && err.fault == FAULT_BROKEN);
}

/* -- memory ------------------------------------------------------------------------------------------------------- */

static size_t status_kib(const char *name)
{
	FILE  *f = fopen("/proc/self/status", "re");
	char   line[200];
	size_t kib = 0;

	while (f && fgets(line, sizeof line, f))
		if (strncmp(line, name, strlen(name)) == 0)
			kib = strtoul(line + strlen(name), NULL, 10);
	if (f)
		fclose(f);
	return kib;
}

/* The peak counts from here on. False where the kernel does not let us, or where a sanitizer keeps what is freed. */
static bool forget_peak(void)
{
	FILE *f = fopen("/proc/self/clear_refs", "we");
	bool  done = f && fputs("5", f) >= 0;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	done = false;
#endif
	return (f ? fclose(f) == 0 : false) && done;
}

struct counted {
	uint64_t bytes, sum;
};

static void count_mime(void *self, struct slice piece)
{
	struct counted *c = self;

	c->bytes += piece.len;
	for (size_t i = 0; i < piece.len; i++)
		c->sum += (unsigned char)piece.at[i];
}

#define MESSAGE_SIZE (100ull << 20)
#define ROUNDS       (MESSAGE_SIZE / 3 * 4 / 65536)

static void stream_a_message(const char *begin, const char *round, const char *end)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct counted      c = { 0, 0 };
	struct ews_listener listener = { &c, NULL, count_mime };
	CLEANUP(ews_reader) struct ews_reader *r = ews_reader_new(job, 1000, &listener);
	char               *block = arena_get(job, 65536 + 1);
	struct error        err;
	bool                measured;
	size_t              before;

	for (size_t i = 0; i < 65536; i += 64)
		memcpy(block + i, round, 64);
	measured = forget_peak();
	before = status_kib("VmRSS:");
	EXPECT(ews_feed(r, slice_str(begin), NULL, &err));
	for (size_t i = 0; i < ROUNDS; i++)
		EXPECT(ews_feed(r, slice(block, 65536), NULL, &err));
	EXPECT(ews_feed(r, slice_str(end), NULL, &err) && ews_finish(r, &err));
	EXPECT(ews_answer(r)->items == 1 && c.bytes && c.sum % c.bytes == 0);
	if (measured && status_kib("VmHWM:") > before + 4096)
		test_fail(__FILE__, __LINE__, "the peak grew by %zu KiB", status_kib("VmHWM:") - before);
	if (!measured)
		puts("# the peak of memory cannot be measured here");
}

#define MIME_HEAD "<s:Envelope xmlns:s='" SOAP "'><s:Body><m:R xmlns:m='" MESSAGES "' xmlns:t='" TYPES "'><m:ResponseMessages>" \
                  "<m:RM ResponseClass='Success'><m:Items><t:Message><t:MimeContent>"
#define MIME_TAIL "</t:MimeContent></t:Message></m:Items></m:RM></m:ResponseMessages></m:R></s:Body></s:Envelope>"

TEST(a_message_of_100_mib_passes_through)
{
	stream_a_message(MIME_HEAD, "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB", MIME_TAIL);
}

TEST(a_message_in_lines)
{
	stream_a_message(MIME_HEAD, "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB\r\n\r\n", MIME_TAIL);
}

/* Fed until they are refused, or 64 MiB long: either way little is kept, and it does not take long. */
TEST(bombs)
{
	static const struct { const char *what, *begin, *again; bool refused; } rows[] = {
		{ "a comment", BODY "<!--", " a comment without end ", true },
		{ "an instruction", BODY "<?pi ", " without end ", true },
		{ "before it all", "<!--", "aaaaaaaaaaaaaaaa", true },
		{ "a tag", BODY "<a b='", "aaaaaaaaaaaaaaaa", true },
		{ "a tag with >", BODY "<a b='", "a>a>a>a>a>a>a>a>", true },
		{ "a name", BODY "<a", "aaaaaaaaaaaaaaaa", true },
		{ "attributes", BODY "<a ", " aaaaaaa='b'", true },
		{ "white space in a tag", BODY "<a ", "                ", true },
		{ "a reference", BODY "&#x", "0000000000000000", true },
		{ "a closing tag", BODY "</s:Body", "                ", true },
		{ "depth", BODY, "<a>", true },
		{ "a document type", "<!DOCTYPE a [", "<!ENTITY a 'b'>", true },
		{ "a CDATA section", FAULT_HEAD "<![CDATA[", "] ]>aaaaaaaaaaaa", false },
		{ "a text", FAULT_HEAD, "aaaaaaaaaaaaaaaa", false },
		{ "references", FAULT_HEAD, "&#x41;&amp;&lt;&gt;", false },
		{ "white space", BODY, "                ", false },
		{ "white space before", "", "                ", false },
		{ "comments", BODY, "<!-- a --><?b c?>", false },
		{ "elements", BODY, "<a b='c' d='e'><f xmlns='urn:g'/></a>", false },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		CLEANUP(arena) struct arena *job = arena_new();
		CLEANUP(ews_reader) struct ews_reader *r = ews_reader_new(job, 1000, NULL);
		struct slice block = repeated(job, "", rows[i].again, 65536 / strlen(rows[i].again), "");
		struct error err = { .fault = FAULT_NONE };
		bool         measured = forget_peak(), good;
		size_t       before = status_kib("VmRSS:");

		good = ews_feed(r, slice_str(rows[i].begin), NULL, &err);
		for (size_t n = 0; good && n < 512; n++)
			good = ews_feed(r, block, NULL, &err);
		EXPECT_ROW(good == !rows[i].refused && (good || err.fault == FAULT_BROKEN), rows[i].what);
		if (measured && status_kib("VmHWM:") > before + 4096)
			test_fail(__FILE__, __LINE__, "%s: the peak grew by %zu KiB", rows[i].what, status_kib("VmHWM:") - before);
	}
}

/* No name is kept that is not open. */
TEST(a_bomb_of_names)
{
	CLEANUP(arena) struct arena *job = arena_new();
	CLEANUP(ews_reader) struct ews_reader *r = ews_reader_new(job, 1000, NULL);
	struct error err = { .fault = FAULT_NONE };
	bool         measured = forget_peak();
	size_t       before = status_kib("VmRSS:");

	EXPECT(ews_feed(r, slice_str(BODY), NULL, &err));
	for (unsigned i = 0; i < 1000000; i++) {
		char text[40];

		snprintf(text, sizeof text, "<a%x b%x=''/>", i, i);
		if (!ews_feed(r, slice_str(text), NULL, &err))
			break;
	}
	EXPECT(err.fault == FAULT_NONE);
	if (measured && status_kib("VmHWM:") > before + 4096)
		test_fail(__FILE__, __LINE__, "the peak grew by %zu KiB", status_kib("VmHWM:") - before);
}

TEST(too_many_attributes_in_one_tag)
{
	CLEANUP(arena) struct arena *job = arena_new();
	char         text[8192] = BODY "<a ";
	size_t       len = strlen(text);
	struct error err;

	for (unsigned i = 0; i < 65; i++)
		len += (size_t)snprintf(text + len, sizeof text - len, " a%u=''", i);
	snprintf(text + len, sizeof text - len, "/></s:Body></s:Envelope>");
	EXPECT(!heard_of(job, slice_str(text), 4000, 4000, 1000, &err) && err.fault == FAULT_BROKEN);
	len = (size_t)snprintf(text, sizeof text, BODY "<a ");
	for (unsigned i = 0; i < 65; i++)
		len += (size_t)snprintf(text + len, sizeof text - len, " xmlns:a%u='urn:a'", i);
	snprintf(text + len, sizeof text - len, "/></s:Body></s:Envelope>");
	EXPECT(!heard_of(job, slice_str(text), 4000, 4000, 1000, &err) && err.fault == FAULT_BROKEN);
}

TEST(times_of_exchange)
{
	static const struct { const char *text; int64_t at; } rows[] = {
		{ "2026-11-22T06:00:00Z", 1795327200 }, { "2026-11-22T06:00:00.123Z", 1795327200 }, { "2026-11-22T06:00:00", 1795327200 },
		{ "2026-11-22T08:00:00+02:00", 1795327200 }, { "2026-11-22T01:30:00-04:30", 1795327200 }, { NULL, 0 }, { "", 0 }, { "2026-11-22", 0 },
		{ "2026-13-22T06:00:00Z", 0 }, { "2026-00-22T06:00:00Z", 0 }, { "2026-11-22T06:00:00Zx", 0 }, { "2026-11-22T06:00:00+2", 0 },
		{ "2026-11-22T06:00:", 0 }, { "22 Nov 2026", 0 },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		EXPECT_ROW(ews_time(rows[i].text) == rows[i].at, rows[i].text ? rows[i].text : "NULL");
}

/* As timegm() has it, over the leap days of four centuries. */
TEST(every_day_of_the_calendar)
{
	for (int64_t day = -25567; day < 150000; day++) {
		time_t    at = (time_t)(day * 86400 + (day * 7919 % 86400 + 86400) % 86400);
		struct tm tm;
		char      text[40];

		gmtime_r(&at, &tm);
		strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
		EXPECT_ROW(ews_time(text) == at, text);
	}
}
