#include "sandbox/ews.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

/* One item being written. */
struct showing {
	struct call          *call;
	const struct mailbox *mailbox;
	const struct item    *item;
	const struct shape   *shape;
	int64_t               start;         /* of the event, or of the occurrence that is shown */
	unsigned              instance;
};

static void text(struct showing *s, const char *name, const char *value)
{
	if (value && *value)
		add_text(s->call, name, value);
}

static void yes_or_no(struct showing *s, const char *name, bool yes)
{
	add(s->call, "<t:%s>%s</t:%s>", name, yes ? "true" : "false", name);
}

static void when(struct showing *s, const char *name, int64_t at)
{
	add(s->call, "<t:%s>%s</t:%s>", name, moment(s->call->work, at), name);
}

static void person(struct showing *s, const struct person *p)
{
	add(s->call, "<t:Mailbox><t:Name>%s</t:Name><t:EmailAddress>%s</t:EmailAddress><t:RoutingType>SMTP</t:RoutingType></t:Mailbox>",
	    escaped(s->call->work, *p->name ? p->name : p->address), escaped(s->call->work, p->address));
}

static void one_person(struct showing *s, const char *name, const struct person *p)
{
	if (!*p->address)
		return;
	add(s->call, "<t:%s>", name);
	person(s, p);
	add(s->call, "</t:%s>", name);
}

static void people(struct showing *s, const char *name, const struct people *of)
{
	if (!of->count)
		return;
	add(s->call, "<t:%s>", name);
	for (size_t i = 0; i < of->count; i++)
		person(s, &of->list[i]);
	add(s->call, "</t:%s>", name);
}

static void attendees(struct showing *s, const char *name, const struct people *of)
{
	if (!of->count)
		return;
	add(s->call, "<t:%s>", name);
	for (size_t i = 0; i < of->count; i++) {
		add(s->call, "<t:Attendee>");
		person(s, &of->list[i]);
		add(s->call, "<t:ResponseType>Unknown</t:ResponseType></t:Attendee>");
	}
	add(s->call, "</t:%s>", name);
}

/* -- the properties, in the schema's order ------------------------------------------------------------------------ */

static const char *display_of(struct arena *arena, const struct people *of)
{
	const char *all = "";

	for (size_t i = 0; i < of->count; i++)
		all = arena_print(arena, "%s%s%s", all, i ? "; " : "", *of->list[i].name ? of->list[i].name : of->list[i].address);
	return all;
}

static void show_parent(struct showing *s)   { add_folder_id(s->call, "ParentFolderId", s->mailbox, s->item->folder); }
static void show_class(struct showing *s)    { text(s, "ItemClass", s->item->class); }
static void show_subject(struct showing *s)  { text(s, "Subject", s->item->shown.subject); }
static void show_sensitivity(struct showing *s) { text(s, "Sensitivity", s->item->event.private ? "Private" : "Normal"); }
static void show_received(struct showing *s) { when(s, "DateTimeReceived", s->item->received); }
static void show_size(struct showing *s)     { add(s->call, "<t:Size>%zu</t:Size>", s->item->mime.len + 1000); }
static void show_importance(struct showing *s) { text(s, "Importance", "Normal"); }
static void show_reply_to_id(struct showing *s) { text(s, "InReplyTo", s->item->shown.in_reply_to); }
static void show_draft(struct showing *s)    { yes_or_no(s, "IsDraft", s->item->draft); }
static void show_sent(struct showing *s)     { when(s, "DateTimeSent", s->item->received); }
static void show_created(struct showing *s)  { when(s, "DateTimeCreated", s->item->received); }
static void show_reminder_set(struct showing *s) { yes_or_no(s, "ReminderIsSet", false); }
static void show_reminder(struct showing *s) { text(s, "ReminderMinutesBeforeStart", "15"); }
static void show_cc_text(struct showing *s)  { text(s, "DisplayCc", display_of(s->call->work, &s->item->shown.cc)); }
static void show_to_text(struct showing *s)  { text(s, "DisplayTo", display_of(s->call->work, &s->item->shown.to)); }
static void show_attached(struct showing *s) { yes_or_no(s, "HasAttachments", s->item->shown.has_attachments); }
static void show_culture(struct showing *s)  { text(s, "Culture", "en-US"); }
static void show_modified_by(struct showing *s) { text(s, "LastModifiedName", s->mailbox->address); }
static void show_modified(struct showing *s) { when(s, "LastModifiedTime", s->item->received); }
static void show_sender(struct showing *s)   { one_person(s, "Sender", &s->item->shown.from); }
static void show_to(struct showing *s)       { people(s, "ToRecipients", &s->item->shown.to); }
static void show_cc(struct showing *s)       { people(s, "CcRecipients", &s->item->shown.cc); }
static void show_bcc(struct showing *s)      { people(s, "BccRecipients", &s->item->shown.bcc); }
static void show_topic(struct showing *s)    { text(s, "ConversationTopic", s->item->shown.subject); }
static void show_from(struct showing *s)     { one_person(s, "From", &s->item->shown.from); }
static void show_message_id(struct showing *s) { text(s, "InternetMessageId", s->item->shown.message_id); }
static void show_read(struct showing *s)     { yes_or_no(s, "IsRead", s->item->read); }
static void show_references(struct showing *s) { text(s, "References", s->item->shown.references); }
static void show_reply_to(struct showing *s) { people(s, "ReplyTo", &s->item->shown.reply_to); }
static void show_uid(struct showing *s)      { text(s, "UID", s->item->event.uid); }
static void show_start(struct showing *s)    { when(s, "Start", s->start); }
static void show_end(struct showing *s)      { when(s, "End", s->start + s->item->event.end - s->item->event.start); }
static void show_all_day(struct showing *s)  { yes_or_no(s, "IsAllDayEvent", s->item->event.all_day); }
static void show_busy(struct showing *s)     { text(s, "LegacyFreeBusyStatus", s->item->event.busy); }
static void show_location(struct showing *s) { text(s, "Location", s->item->event.location); }
static void show_meeting(struct showing *s)  { yes_or_no(s, "IsMeeting", s->item->event.required.count > 0); }
static void show_cancelled(struct showing *s) { yes_or_no(s, "IsCancelled", false); }
static void show_recurring(struct showing *s) { yes_or_no(s, "IsRecurring", s->instance > 0); }
static void show_required(struct showing *s) { attendees(s, "RequiredAttendees", &s->item->event.required); }
static void show_optional(struct showing *s) { attendees(s, "OptionalAttendees", &s->item->event.optional); }

static void show_body(struct showing *s)
{
	add(s->call, "<t:Body BodyType=\"%s\">%s</t:Body>", s->item->shown.is_html ? "HTML" : "Text", escaped(s->call->work, s->item->shown.text));
}

static void show_text_body(struct showing *s)
{
	add(s->call, "<t:TextBody BodyType=\"Text\" IsTruncated=\"false\">%s</t:TextBody>", escaped(s->call->work, s->item->shown.text));
}

static void show_headers(struct showing *s)
{
	struct slice rest = s->item->mime;
	const char  *name, *value;

	if (!rest.len)
		return;
	add(s->call, "<t:InternetMessageHeaders>");
	while (mime_field(s->call->work, &rest, &name, &value))
		add(s->call, "<t:InternetMessageHeader HeaderName=\"%s\">%s</t:InternetMessageHeader>", escaped(s->call->work, name), escaped(s->call->work, value));
	add(s->call, "</t:InternetMessageHeaders>");
}

static void show_organizer(struct showing *s)
{
	const struct person p = { "", s->mailbox->address };

	one_person(s, "Organizer", &p);
}

static void show_type(struct showing *s)
{
	text(s, "CalendarItemType", s->instance ? "Occurrence" : s->item->event.recurs.how ? "RecurringMaster" : "Single");
}

static void show_recurrence(struct showing *s)
{
	if (!s->instance && s->item->event.recurs.xml)
		add(s->call, "%s", s->item->event.recurs.xml);
}

static void show_zone(struct showing *s, const char *element)
{
	if (*s->item->event.zone && s->call->rank >= request_version_rank("Exchange2010"))
		add(s->call, "<t:%s Id=\"%s\" Name=\"%s\"/>", element, escaped(s->call->work, s->item->event.zone), escaped(s->call->work, s->item->event.zone));
}

static void show_start_zone(struct showing *s) { show_zone(s, "StartTimeZone"); }
static void show_end_zone(struct showing *s)   { show_zone(s, "EndTimeZone"); }

/* Which shape has it by itself. */
enum { NEVER, ALL, DEFAULT };
enum { ANY, MAIL, EVENT };

static void show_extended(struct showing *);

static const struct property {
	const char *uri;
	int         shape, kind;
	bool        long_one;             /* FindItem and SyncFolderItems leave it out */
	void      (*show)(struct showing *);
} properties[] = {
	{ "item:ParentFolderId", ALL, ANY, false, show_parent },
	{ "item:ItemClass", ALL, ANY, false, show_class },
	{ "item:Subject", DEFAULT, ANY, false, show_subject },
	{ "item:Sensitivity", DEFAULT, ANY, false, show_sensitivity },
	{ "item:Body", DEFAULT, ANY, true, show_body },
	{ "item:DateTimeReceived", ALL, ANY, false, show_received },
	{ "item:Size", DEFAULT, ANY, false, show_size },
	{ "item:Importance", ALL, ANY, false, show_importance },
	{ "item:InReplyTo", ALL, ANY, false, show_reply_to_id },
	{ "item:IsDraft", ALL, ANY, false, show_draft },
	{ "item:InternetMessageHeaders", ALL, ANY, true, show_headers },
	{ "item:DateTimeSent", DEFAULT, ANY, false, show_sent },
	{ "item:DateTimeCreated", DEFAULT, ANY, false, show_created },
	{ "item:ReminderIsSet", ALL, ANY, false, show_reminder_set },
	{ "item:ReminderMinutesBeforeStart", ALL, ANY, false, show_reminder },
	{ "item:DisplayCc", ALL, ANY, false, show_cc_text },
	{ "item:DisplayTo", ALL, ANY, false, show_to_text },
	{ "item:HasAttachments", DEFAULT, ANY, false, show_attached },
	{ "", DEFAULT, ANY, false, show_extended },
	{ "item:Culture", ALL, ANY, false, show_culture },
	{ "item:LastModifiedName", ALL, ANY, false, show_modified_by },
	{ "item:LastModifiedTime", ALL, ANY, false, show_modified },
	{ "item:TextBody", NEVER, ANY, true, show_text_body },
	{ "message:Sender", ALL, MAIL, false, show_sender },
	{ "message:ToRecipients", DEFAULT, MAIL, true, show_to },
	{ "message:CcRecipients", DEFAULT, MAIL, true, show_cc },
	{ "message:BccRecipients", DEFAULT, MAIL, true, show_bcc },
	{ "message:ConversationTopic", ALL, MAIL, false, show_topic },
	{ "message:From", DEFAULT, MAIL, false, show_from },
	{ "message:InternetMessageId", ALL, MAIL, false, show_message_id },
	{ "message:IsRead", DEFAULT, MAIL, false, show_read },
	{ "message:References", ALL, MAIL, false, show_references },
	{ "message:ReplyTo", ALL, MAIL, true, show_reply_to },
	{ "calendar:UID", DEFAULT, EVENT, false, show_uid },
	{ "calendar:Start", DEFAULT, EVENT, false, show_start },
	{ "calendar:End", DEFAULT, EVENT, false, show_end },
	{ "calendar:IsAllDayEvent", ALL, EVENT, false, show_all_day },
	{ "calendar:LegacyFreeBusyStatus", DEFAULT, EVENT, false, show_busy },
	{ "calendar:Location", DEFAULT, EVENT, false, show_location },
	{ "calendar:IsMeeting", ALL, EVENT, false, show_meeting },
	{ "calendar:IsCancelled", ALL, EVENT, false, show_cancelled },
	{ "calendar:IsRecurring", ALL, EVENT, false, show_recurring },
	{ "calendar:CalendarItemType", DEFAULT, EVENT, false, show_type },
	{ "calendar:Organizer", DEFAULT, EVENT, false, show_organizer },
	{ "calendar:RequiredAttendees", ALL, EVENT, true, show_required },
	{ "calendar:OptionalAttendees", ALL, EVENT, true, show_optional },
	{ "calendar:Recurrence", ALL, EVENT, true, show_recurrence },
	{ "calendar:StartTimeZone", ALL, EVENT, false, show_start_zone },
	{ "calendar:EndTimeZone", ALL, EVENT, false, show_end_zone },
};

_Static_assert(COUNT(properties) <= 64, "a bit for each");

/* -- MAPI's properties -------------------------------------------------------------------------------------------- */

static const char *number_text(struct arena *arena, unsigned long long n)
{
	return arena_print(arena, "%llu", n);
}

enum tag { TAG_SUBJECT = 0x37, TAG_HEADERS = 0x7d, TAG_DELIVERED = 0xe06, TAG_FLAGS = 0xe07, TAG_SIZE = 0xe08, TAG_ARTICLE = 0xe23,
           TAG_MESSAGE_ID = 0x1035, TAG_URL_NAME = 0x10f3, TAG_CREATED = 0x3007, TAG_MODIFIED = 0x3008, TAG_CLASS = 0x1a };

static const char *tag_value(struct call *c, const struct item *i, unsigned long tag)
{
	switch (tag) {
	case TAG_CLASS:      return i->class;
	case TAG_SUBJECT:    return i->shown.subject;
	case TAG_DELIVERED:
	case TAG_CREATED:
	case TAG_MODIFIED:   return moment(c->work, i->received);
	case TAG_FLAGS:      return number_text(c->work, (i->read ? 1u : 0) | (i->draft ? 8u : 0));
	case TAG_SIZE:       return number_text(c->work, i->mime.len + 1000);
	case TAG_ARTICLE:    return number_text(c->work, i->number);
	case TAG_MESSAGE_ID: return *i->shown.message_id ? i->shown.message_id : NULL;
	case TAG_URL_NAME:   return arena_print(c->work, "%u.EML", i->number);
	default:             return NULL;
	}
}

static const char *extended_value(struct call *c, const struct item *i, const xmlNode *field)
{
	const char *tag = xml_attribute(c->work, field, "PropertyTag");

	return tag ? tag_value(c, i, strtoul(tag, NULL, 0)) : NULL;
}

static void show_extended(struct showing *s)
{
	for (size_t i = 0; i < s->shape->extendeds; i++) {
		const char *value = extended_value(s->call, s->item, s->shape->extended[i]);

		if (!value)
			continue;
		add(s->call, "<t:ExtendedProperty>%s", xml_again(s->call->work, s->shape->extended[i]));
		add_text(s->call, "Value", value);
		add(s->call, "</t:ExtendedProperty>");
	}
}

const char *item_value(struct call *c, const struct item *i, const xmlNode *field)
{
	const char *uri = xml_attribute(c->work, field, "FieldURI");

	if (!uri)
		return extended_value(c, i, field);
	if (strcmp(uri, "item:Subject") == 0)
		return i->shown.subject;
	if (strcmp(uri, "item:ItemClass") == 0)
		return i->class;
	if (strcmp(uri, "item:Body") == 0)
		return i->shown.text;
	if (strcmp(uri, "item:Size") == 0)
		return number_text(c->work, i->mime.len + 1000);
	if (strcmp(uri, "message:InternetMessageId") == 0)
		return i->shown.message_id;
	if (strcmp(uri, "message:IsRead") == 0)
		return i->read ? "true" : "false";
	if (strcmp(uri, "message:From") == 0 || strcmp(uri, "message:Sender") == 0)
		return i->shown.from.address;
	if (strcmp(uri, "calendar:Start") == 0)
		return moment(c->work, i->event.start);
	if (strcmp(uri, "calendar:End") == 0)
		return moment(c->work, i->event.end);
	if (strcmp(uri, "calendar:UID") == 0)
		return i->event.uid;
	return strncmp(uri, "item:DateTime", 13) == 0 || strcmp(uri, "item:LastModifiedTime") == 0 ? moment(c->work, i->received) : NULL;
}

/* -- shapes ------------------------------------------------------------------------------------------------------- */

static void want_by_name(struct call *c, const xmlNode *n, struct shape *out)
{
	const char *uri = xml_attribute(c->work, n, "FieldURI");

	if (xml_is(n, "ExtendedFieldURI") && out->extendeds < SHAPE_EXTENDED)
		out->extended[out->extendeds++] = n;
	for (size_t i = 0; uri && i < COUNT(properties); i++)
		if (strcmp(properties[i].uri, uri) == 0)
			out->wanted |= 1ull << i;
	if (uri && strcmp(uri, "item:MimeContent") == 0)
		out->mime = true;
}

void shape_read(struct call *c, const xmlNode *item_shape, bool brief, struct shape *out)
{
	const char *base = xml_text(c->work, xml_child(item_shape, "BaseShape"));
	int         least = strcmp(base, "AllProperties") == 0 ? ALL : strcmp(base, "IdOnly") == 0 ? DEFAULT + 1 : DEFAULT;

	*out = (struct shape){ .brief = brief, .mime = strcmp(xml_text(c->work, xml_child(item_shape, "IncludeMimeContent")), "true") == 0 };
	for (size_t i = 0; i < COUNT(properties); i++)
		if (properties[i].shape >= least || !*properties[i].uri)
			out->wanted |= 1ull << i;
	for (const xmlNode *n = xml_first(xml_child(item_shape, "AdditionalProperties")); n; n = xml_next(n))
		want_by_name(c, n, out);
}

/* The message as it is; for an event what a calendar would take (RFC 5545). */
static const char *mime_of(struct showing *s)
{
	const struct item *i = s->item;
	struct arena      *work = s->call->work;
	const char        *ics;

	if (i->kind == ITEM_MESSAGE)
		return base64_of(work, i->mime);
	ics = arena_print(work, "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:Microsoft Exchange Server\r\nBEGIN:VEVENT\r\nUID:%s\r\nSUMMARY:%s\r\nLOCATION:%s\r\n"
	                  "DTSTART:%s\r\nDTEND:%s\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n", i->event.uid, i->shown.subject, i->event.location,
	                  moment_short(work, s->start), moment_short(work, s->start + i->event.end - i->event.start));
	return base64_of(work, slice_str(ics));
}

void add_item(struct call *c, const struct mailbox *m, const struct item *item, const struct shape *shape, unsigned instance, int64_t at)
{
	struct showing s = { c, m, item, shape, at ? at : item->event.start, instance };
	const char    *element = item->kind == ITEM_EVENT ? "CalendarItem" : "Message";

	add(c, "<t:%s>", element);
	if (shape->mime && !shape->brief)
		add(c, "<t:MimeContent CharacterSet=\"UTF-8\">%s</t:MimeContent>", mime_of(&s));
	add_item_id(c, m, item, instance);
	for (size_t i = 0; i < COUNT(properties); i++) {
		const struct property *p = &properties[i];

		if ((shape->wanted & 1ull << i) && !(shape->brief && p->long_one) && p->kind != (item->kind == ITEM_EVENT ? MAIL : EVENT))
			p->show(&s);
	}
	add(c, "</t:%s>", element);
}

/* -- states of synchronisation ------------------------------------------------------------------------------------ */

const char *told_state(struct call *c, const struct place *p, enum sync_kind kind, uint64_t change)
{
	return base64_of(c->work, slice_str(arena_print(c->work, "%c:%u:%u:%llu", kind, p->mailbox->number, p->folder->number,
	                                                (unsigned long long)change)));
}

bool told_state_read(struct call *c, const struct place *p, enum sync_kind kind, unsigned long long *since)
{
	const char  *text = xml_text(c->work, xml_child(c->body, "SyncState"));
	struct slice plain;
	unsigned     mailbox, folder;
	char         of;

	*since = 0;
	if (!*text)
		return true;
	return base64_read(c->work, slice_str(text), &plain) &&
	       sscanf(arena_copy(c->work, plain), "%c:%u:%u:%llu", &of, &mailbox, &folder, since) == 4 && of == (char)kind &&
	       mailbox == p->mailbox->number && folder == p->folder->number;
}
