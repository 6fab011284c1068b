/* The requests. Written by hand into the bounded buffer and not with xmlTextWriter: that one writes on past a limit and keeps copies of
 * the message in memory that nobody wipes. What stands in quotes here is what goes over the wire; each '%' is the next value, escaped. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>

#include "wire/ews.h"

#define ROUND     48      /* bytes of a message encoded at a time: a multiple of three */
#define SYNC_MOST 512     /* facts M C.3: 1..512 */
#define WAIT_MOST 30      /* minutes */

#define SUBJECT_PROPERTIES \
	"<t:FieldURI FieldURI=\"item:ParentFolderId\"/><t:FieldURI FieldURI=\"item:ItemClass\"/><t:FieldURI FieldURI=\"item:Subject\"/>" \
	"<t:FieldURI FieldURI=\"item:DateTimeReceived\"/><t:FieldURI FieldURI=\"item:Size\"/><t:FieldURI FieldURI=\"item:DateTimeSent\"/>" \
	"<t:FieldURI FieldURI=\"item:HasAttachments\"/><t:FieldURI FieldURI=\"message:From\"/>" \
	"<t:FieldURI FieldURI=\"message:InternetMessageId\"/><t:FieldURI FieldURI=\"message:IsRead\"/>"

#define ITEM_SHAPE(more) \
	"<m:ItemShape><t:BaseShape>IdOnly</t:BaseShape><t:AdditionalProperties>" more "</t:AdditionalProperties></m:ItemShape>"

/* "Default" has the counts, which not every kind of folder has and which therefore cannot be asked for by name. */
#define FOLDER_SHAPE \
	"<m:FolderShape><t:BaseShape>Default</t:BaseShape><t:AdditionalProperties><t:FieldURI FieldURI=\"folder:ParentFolderId\"/>" \
	"<t:FieldURI FieldURI=\"folder:FolderClass\"/></t:AdditionalProperties></m:FolderShape>"

/* -- the writer --------------------------------------------------------------------------------------------------- */

struct writer {
	struct buffer *out;
	bool           fits;
};

static void add(struct writer *w, struct slice s)
{
	w->fits = w->fits && buffer_add(w->out, s);
}

/* Length of the first character if XML 1.0 can say it, else 0: no UTF-8, a control character, a surrogate, U+FFFE, U+FFFF. */
static size_t good_character(struct slice s)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned char first = (unsigned char)s.at[0];
	size_t        n = first < 0x80 ? 1 : first < 0xc0 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf8 ? 4 : 0;
	uint32_t      c;

	if (n == 1)
		return first >= ' ' || first == '\t' || first == '\n' || first == '\r';
	if (n == 0 || n > s.len)
		return 0;
	c = first & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if (((unsigned char)s.at[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | ((unsigned char)s.at[i] & 0x3f);
	}
	return c >= least[n] && c <= 0x10ffff && (c < 0xd800 || c > 0xdfff) && c != 0xfffe && c != 0xffff ? n : 0;
}

/* For texts and attributes alike. What XML cannot say becomes U+FFFD: a request that is no XML would be blamed on the server. */
static void add_escaped(struct writer *w, struct slice s)
{
	static const struct { char byte; const char *text; } escapes[] = {
		{ '&', "&amp;" }, { '<', "&lt;" }, { '>', "&gt;" }, { '"', "&quot;" }, { '\t', "&#9;" }, { '\n', "&#10;" }, { '\r', "&#13;" },
	};

	while (s.len) {
		size_t       n = good_character(s);
		struct slice piece = n ? slice_upto(s, n) : slice_str("\xef\xbf\xbd");

		for (size_t i = 0; i < COUNT(escapes); i++)
			if (s.at[0] == escapes[i].byte)
				piece = slice_str(escapes[i].text);
		add(w, piece);
		s = slice_from(s, n ? n : 1);
	}
}

/* A value for each % in it. */
static void add_xml(struct writer *w, const char *xml, const char *const *value, size_t values)
{
	size_t n = 0;

	for (struct slice rest = slice_str(xml); rest.at;) {
		add(w, slice_cut(&rest, '%'));
		if (rest.at) {
			assert(n < values);
			add_escaped(w, slice_str(value[n++]));
		}
	}
}

#define XML(w, xml, ...) add_xml(w, xml, (const char *const[]){ __VA_ARGS__ }, COUNT(((const char *const[]){ __VA_ARGS__ })))

struct number {
	char text[12];
};

static struct number decimal(unsigned n)
{
	struct number d;

	snprintf(d.text, sizeof d.text, "%u", n);
	return d;
}

static struct number within(unsigned n, unsigned least, unsigned most)
{
	return decimal(n < least ? least : n > most ? most : n);
}

/* `zone`: by whose clocks times are meant that have no zone of their own; NULL: by UTC's. */
static struct writer envelope_begin_in(struct buffer *out, const struct ews_header *h, const char *zone)
{
	struct writer w = { .out = out, .fits = true };

	XML(&w, "<?xml version=\"1.0\" encoding=\"utf-8\"?>"
	        "<soap:Envelope xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\""
	        " xmlns:t=\"http://schemas.microsoft.com/exchange/services/2006/types\""
	        " xmlns:m=\"http://schemas.microsoft.com/exchange/services/2006/messages\">"
	        "<soap:Header><t:RequestServerVersion Version=\"%\"/>", h->version);
	if (h->act_as)
		XML(&w, "<t:ExchangeImpersonation><t:ConnectingSID><t:PrimarySmtpAddress>%</t:PrimarySmtpAddress></t:ConnectingSID>"
		        "</t:ExchangeImpersonation>", h->act_as);
	if (zone)
		XML(&w, "<t:TimeZoneContext><t:TimeZoneDefinition Id=\"%\"/></t:TimeZoneContext>", zone);
	XML(&w, "</soap:Header><soap:Body>", NULL);
	return w;
}

static struct writer envelope_begin(struct buffer *out, const struct ews_header *h)
{
	return envelope_begin_in(out, h, NULL);
}

/* Half a request is none: nobody shall send it by mistake. */
static bool envelope_end(struct writer *w)
{
	XML(w, "</soap:Body></soap:Envelope>", NULL);
	if (!w->fits)
		buffer_clear(w->out);
	return w->fits;
}

static void add_folder(struct writer *w, const struct ews_folder *f)
{
	if (!f->distinguished)
		XML(w, "<t:FolderId Id=\"%\"/>", f->id);
	else if (f->mailbox)
		XML(w, "<t:DistinguishedFolderId Id=\"%\"><t:Mailbox><t:EmailAddress>%</t:EmailAddress></t:Mailbox></t:DistinguishedFolderId>",
		    f->distinguished, f->mailbox);
	else
		XML(w, "<t:DistinguishedFolderId Id=\"%\"/>", f->distinguished);
}

static void add_item_ids(struct writer *w, const char *const *id, size_t count)
{
	XML(w, "<m:ItemIds>", NULL);
	for (size_t i = 0; i < count; i++)
		XML(w, "<t:ItemId Id=\"%\"/>", id[i]);
	XML(w, "</m:ItemIds>", NULL);
}

/* -- folders ------------------------------------------------------------------------------------------------------ */

bool ews_get_folder(struct buffer *out, const struct ews_header *h, const struct ews_folder *folder, size_t count, bool only_ids)
{
	struct writer w = envelope_begin(out, h);

	XML(&w, "<m:GetFolder>", NULL);
	XML(&w, only_ids ? "<m:FolderShape><t:BaseShape>IdOnly</t:BaseShape></m:FolderShape>" : FOLDER_SHAPE, NULL);
	XML(&w, "<m:FolderIds>", NULL);
	for (size_t i = 0; i < count; i++)
		add_folder(&w, &folder[i]);
	XML(&w, "</m:FolderIds></m:GetFolder>", NULL);
	return envelope_end(&w);
}

/* Exchange 2007 knows no pages of folders: it answers with all of them. */
static bool has_folder_pages(const struct ews_header *h)
{
	return !slice_starts(slice_str(h->version), "Exchange2007");
}

bool ews_find_folder(struct buffer *out, const struct ews_header *h, const struct ews_folder *root, unsigned offset, unsigned most)
{
	struct writer w = envelope_begin(out, h);

	XML(&w, "<m:FindFolder Traversal=\"Deep\">" FOLDER_SHAPE, NULL);
	if (has_folder_pages(h))
		XML(&w, "<m:IndexedPageFolderView MaxEntriesReturned=\"%\" Offset=\"%\" BasePoint=\"Beginning\"/>",
		    within(most, 1, INT32_MAX).text, within(offset, 0, INT32_MAX).text);
	XML(&w, "<m:ParentFolderIds>", NULL);
	add_folder(&w, root);
	XML(&w, "</m:ParentFolderIds></m:FindFolder>", NULL);
	return envelope_end(&w);
}

bool ews_sync_folders(struct buffer *out, const struct ews_header *h, const char *state)
{
	struct writer w = envelope_begin(out, h);

	XML(&w, "<m:SyncFolderHierarchy><m:FolderShape><t:BaseShape>IdOnly</t:BaseShape><t:AdditionalProperties>"
	        "<t:FieldURI FieldURI=\"folder:DisplayName\"/><t:FieldURI FieldURI=\"folder:ParentFolderId\"/>"
	        "<t:FieldURI FieldURI=\"folder:FolderClass\"/></t:AdditionalProperties></m:FolderShape>"
	        "<m:SyncFolderId><t:DistinguishedFolderId Id=\"msgfolderroot\"/></m:SyncFolderId>", NULL);
	if (state)
		XML(&w, "<m:SyncState>%</m:SyncState>", state);
	XML(&w, "</m:SyncFolderHierarchy>", NULL);
	return envelope_end(&w);
}

/* -- items -------------------------------------------------------------------------------------------------------- */

bool ews_find_item(struct buffer *out, const struct ews_header *h, const struct ews_folder *folder, const char *subject, unsigned most)
{
	struct writer w = envelope_begin(out, h);

	XML(&w, "<m:FindItem Traversal=\"Shallow\">" ITEM_SHAPE(SUBJECT_PROPERTIES)
	        "<m:IndexedPageItemView MaxEntriesReturned=\"%\" Offset=\"0\" BasePoint=\"Beginning\"/>", within(most, 1, INT32_MAX).text);
	if (subject)
		XML(&w, "<m:Restriction><t:Contains ContainmentMode=\"Substring\" ContainmentComparison=\"IgnoreCase\">"
		        "<t:FieldURI FieldURI=\"item:Subject\"/><t:Constant Value=\"%\"/></t:Contains></m:Restriction>", subject);
	XML(&w, "<m:SortOrder><t:FieldOrder Order=\"Descending\"><t:FieldURI FieldURI=\"item:DateTimeReceived\"/></t:FieldOrder></m:SortOrder>"
	        "<m:ParentFolderIds>", NULL);
	add_folder(&w, folder);
	XML(&w, "</m:ParentFolderIds></m:FindItem>", NULL);
	return envelope_end(&w);
}

bool ews_calendar_view(struct buffer *out, const struct ews_header *h, const struct ews_folder *folder, const char *from, const char *to,
                       unsigned most)
{
	struct writer w = envelope_begin(out, h);

	XML(&w, "<m:FindItem Traversal=\"Shallow\">"
	        ITEM_SHAPE("<t:FieldURI FieldURI=\"item:ParentFolderId\"/><t:FieldURI FieldURI=\"item:ItemClass\"/>"
	                   "<t:FieldURI FieldURI=\"item:Subject\"/><t:FieldURI FieldURI=\"calendar:UID\"/><t:FieldURI FieldURI=\"calendar:Start\"/>"
	                   "<t:FieldURI FieldURI=\"calendar:End\"/><t:FieldURI FieldURI=\"calendar:Organizer\"/>")
	        "<m:CalendarView MaxEntriesReturned=\"%\" StartDate=\"%\" EndDate=\"%\"/><m:ParentFolderIds>",
	    within(most, 1, INT32_MAX).text, from, to);
	add_folder(&w, folder);
	XML(&w, "</m:ParentFolderIds></m:FindItem>", NULL);
	return envelope_end(&w);
}

bool ews_get_item(struct buffer *out, const struct ews_header *h, const char *const *id, size_t count, bool mime)
{
	struct writer w = envelope_begin(out, h);

	XML(&w, "<m:GetItem>", NULL);
	XML(&w, mime ? "<m:ItemShape><t:BaseShape>IdOnly</t:BaseShape><t:IncludeMimeContent>true</t:IncludeMimeContent></m:ItemShape>"
	             : ITEM_SHAPE(SUBJECT_PROPERTIES "<t:FieldURI FieldURI=\"item:InternetMessageHeaders\"/>"), NULL);
	add_item_ids(&w, id, count);
	XML(&w, "</m:GetItem>", NULL);
	return envelope_end(&w);
}

/* -- our own event ------------------------------------------------------------------------------------------------ */

bool ews_find_events(struct buffer *out, const struct ews_header *h, const struct ews_folder *folder, const char *subject, unsigned most)
{
	struct writer w = envelope_begin(out, h);

	XML(&w, "<m:FindItem Traversal=\"Shallow\">" ITEM_SHAPE("<t:FieldURI FieldURI=\"item:Subject\"/><t:FieldURI FieldURI=\"calendar:UID\"/>")
	        "<m:IndexedPageItemView MaxEntriesReturned=\"%\" Offset=\"0\" BasePoint=\"Beginning\"/>"
	        "<m:Restriction><t:Contains ContainmentMode=\"FullString\" ContainmentComparison=\"IgnoreCase\">"
	        "<t:FieldURI FieldURI=\"item:Subject\"/><t:Constant Value=\"%\"/></t:Contains></m:Restriction><m:ParentFolderIds>",
	    within(most, 1, INT32_MAX).text, subject);
	add_folder(&w, folder);
	XML(&w, "</m:ParentFolderIds></m:FindItem>", NULL);
	return envelope_end(&w);
}

/* The zone is said twice: what has no zone of its own is meant by the header's, and is kept in the event's. */
bool ews_add_event(struct buffer *out, const struct ews_header *h, const struct ews_folder *folder, const struct ews_event *e)
{
	struct writer w = envelope_begin_in(out, h, e->zone);

	XML(&w, "<m:CreateItem SendMeetingInvitations=\"SendToNone\"><m:SavedItemFolderId>", NULL);
	add_folder(&w, folder);
	XML(&w, "</m:SavedItemFolderId><m:Items><t:CalendarItem><t:Subject>%</t:Subject><t:Sensitivity>Private</t:Sensitivity>"
	        "<t:ReminderIsSet>false</t:ReminderIsSet><t:UID>%</t:UID><t:Start>%</t:Start><t:End>%</t:End>"
	        "<t:LegacyFreeBusyStatus>Free</t:LegacyFreeBusyStatus><t:StartTimeZone Id=\"%\"/><t:EndTimeZone Id=\"%\"/>"
	        "</t:CalendarItem></m:Items></m:CreateItem>", e->subject, e->uid, e->start, e->end, e->zone, e->zone);
	return envelope_end(&w);
}

#define SET_EVENT(field, xml) \
	"<t:SetItemField><t:FieldURI FieldURI=\"calendar:" field "\"/><t:CalendarItem>" xml "</t:CalendarItem></t:SetItemField>"

bool ews_move_event(struct buffer *out, const struct ews_header *h, const char *id, const char *change_key, const struct ews_event *e)
{
	struct writer w = envelope_begin_in(out, h, e->zone);

	XML(&w, "<m:UpdateItem ConflictResolution=\"AlwaysOverwrite\" SendMeetingInvitationsOrCancellations=\"SendToNone\">"
	        "<m:ItemChanges><t:ItemChange><t:ItemId Id=\"%\" ChangeKey=\"%\"/><t:Updates>"
	        SET_EVENT("Start", "<t:Start>%</t:Start>") SET_EVENT("End", "<t:End>%</t:End>")
	        SET_EVENT("StartTimeZone", "<t:StartTimeZone Id=\"%\"/>") SET_EVENT("EndTimeZone", "<t:EndTimeZone Id=\"%\"/>")
	        "</t:Updates></t:ItemChange></m:ItemChanges></m:UpdateItem>", id, change_key, e->start, e->end, e->zone, e->zone);
	return envelope_end(&w);
}

/* -- messages ----------------------------------------------------------------------------------------------------- */

static char *base64_three(char *to, const unsigned char *from, size_t n)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	unsigned bits = (unsigned)from[0] << 16 | (n > 1 ? (unsigned)from[1] << 8 : 0) | (n > 2 ? from[2] : 0);

	*to++ = alphabet[bits >> 18];
	*to++ = alphabet[bits >> 12 & 63];
	*to++ = n > 1 ? alphabet[bits >> 6 & 63] : '=';
	*to++ = n > 2 ? alphabet[bits & 63] : '=';
	return to;
}

/* A little at a time: a message of the largest size shall not stand in memory twice. */
static void add_base64(struct writer *w, struct slice message)
{
	for (; message.len && w->fits; message = slice_from(message, ROUND)) {
		struct slice round = slice_upto(message, ROUND);
		char         text[ROUND / 3 * 4], *end = text;

		for (size_t i = 0; i < round.len; i += 3)
			end = base64_three(end, (const unsigned char *)round.at + i, round.len - i < 3 ? round.len - i : 3);
		add(w, slice(text, (size_t)(end - text)));
	}
}

bool ews_send_bcc(struct buffer *out, const struct ews_header *h, struct slice message, const char *bcc)
{
	struct writer w = envelope_begin(out, h);

	XML(&w, "<m:CreateItem MessageDisposition=\"SendAndSaveCopy\"><m:SavedItemFolderId><t:DistinguishedFolderId Id=\"sentitems\"/>"
	        "</m:SavedItemFolderId><m:Items><t:Message><t:MimeContent CharacterSet=\"UTF-8\">", NULL);
	add_base64(&w, message);
	XML(&w, "</t:MimeContent>", NULL);
	if (bcc)
		XML(&w, "<t:BccRecipients><t:Mailbox><t:EmailAddress>%</t:EmailAddress></t:Mailbox></t:BccRecipients>", bcc);
	XML(&w, "</t:Message></m:Items></m:CreateItem>", NULL);
	return envelope_end(&w);
}

bool ews_send(struct buffer *out, const struct ews_header *h, struct slice message)
{
	return ews_send_bcc(out, h, message, NULL);
}

/* Without the two attributes a calendar item would be refused, and with other values people would be told of it. */
bool ews_delete_item(struct buffer *out, const struct ews_header *h, const char *const *id, size_t count)
{
	struct writer w = envelope_begin(out, h);

	XML(&w, "<m:DeleteItem DeleteType=\"HardDelete\" SendMeetingCancellations=\"SendToNone\" AffectedTaskOccurrences=\"AllOccurrences\">", NULL);
	add_item_ids(&w, id, count);
	XML(&w, "</m:DeleteItem>", NULL);
	return envelope_end(&w);
}

/* SyncScope is left out: it came with 2010, and what it would say is what holds without it. */
bool ews_sync_items(struct buffer *out, const struct ews_header *h, const struct ews_folder *folder, const char *state, unsigned most)
{
	struct writer w = envelope_begin(out, h);

	XML(&w, "<m:SyncFolderItems>" ITEM_SHAPE(SUBJECT_PROPERTIES) "<m:SyncFolderId>", NULL);
	add_folder(&w, folder);
	XML(&w, "</m:SyncFolderId>", NULL);
	if (state)
		XML(&w, "<m:SyncState>%</m:SyncState>", state);
	XML(&w, "<m:MaxChangesReturned>%</m:MaxChangesReturned></m:SyncFolderItems>", within(most, 1, SYNC_MOST).text);
	return envelope_end(&w);
}

/* -- names and news ----------------------------------------------------------------------------------------------- */

bool ews_resolve_name(struct buffer *out, const struct ews_header *h, const char *address)
{
	struct writer w = envelope_begin(out, h);

	XML(&w, "<m:ResolveNames ReturnFullContactData=\"false\" SearchScope=\"ActiveDirectory\">"
	        "<m:UnresolvedEntry>smtp:%</m:UnresolvedEntry></m:ResolveNames>", address);
	return envelope_end(&w);
}

bool ews_subscribe_stream(struct buffer *out, const struct ews_header *h, const struct ews_folder *folder, size_t count)
{
	struct writer w = envelope_begin(out, h);

	XML(&w, count ? "<m:Subscribe><m:StreamingSubscriptionRequest><t:FolderIds>"
	              : "<m:Subscribe><m:StreamingSubscriptionRequest SubscribeToAllFolders=\"true\">", NULL);
	for (size_t i = 0; i < count; i++)
		add_folder(&w, &folder[i]);
	XML(&w, count ? "</t:FolderIds>" : "", NULL);
	XML(&w, "<t:EventTypes><t:EventType>NewMailEvent</t:EventType><t:EventType>CreatedEvent</t:EventType>"
	        "<t:EventType>ModifiedEvent</t:EventType><t:EventType>MovedEvent</t:EventType><t:EventType>CopiedEvent</t:EventType>"
	        "<t:EventType>DeletedEvent</t:EventType></t:EventTypes></m:StreamingSubscriptionRequest></m:Subscribe>", NULL);
	return envelope_end(&w);
}

bool ews_get_stream(struct buffer *out, const struct ews_header *h, const char *const *subscription, size_t count, unsigned minutes)
{
	struct writer w = envelope_begin(out, h);

	XML(&w, "<m:GetStreamingEvents><m:SubscriptionIds>", NULL);
	for (size_t i = 0; i < count; i++)
		XML(&w, "<t:SubscriptionId>%</t:SubscriptionId>", subscription[i]);
	XML(&w, "</m:SubscriptionIds><m:ConnectionTimeout>%</m:ConnectionTimeout></m:GetStreamingEvents>", within(minutes, 1, WAIT_MOST).text);
	return envelope_end(&w);
}

bool ews_unsubscribe(struct buffer *out, const struct ews_header *h, const char *subscription)
{
	struct writer w = envelope_begin(out, h);

	XML(&w, "<m:Unsubscribe><m:SubscriptionId>%</m:SubscriptionId></m:Unsubscribe>", subscription);
	return envelope_end(&w);
}
