/* What the elements of items, folders, mailboxes and events mean: one table for each place, one function for each meaning. */
#include "wire/ews_parts.h"

/* -- items -------------------------------------------------------------------------------------------------------- */

static void begin_any(struct ews_reader *r, enum ews_item_kind kind, struct slice element)
{
	if (r->kept)
		arena_reset(r->kept);
	else
		r->kept = arena_new();
	buffer_clear(&r->headers);
	r->item = (struct ews_item){ .kind = kind, .change = r->change, .element = element.len ? arena_copy(r->kept, element) : NULL };
	r->in_item = true;
}

static void end_item(struct ews_reader *r)
{
	if (!r->in_item)
		return;
	r->in_item = false;
	if (buffer_held(&r->headers).len)
		r->item.headers = arena_copy(r->kept, buffer_held(&r->headers));
	r->answer.items++;
	if (r->listener.item)
		r->listener.item(r->listener.self, &r->item);
}

static void begin_item(struct ews_reader *r, const struct ews_element *e)
{
	begin_any(r, slice_ends(e->name, "Folder") ? EWS_FOLDER : EWS_ITEM, e->name);
}

static void begin_mailbox(struct ews_reader *r, const struct ews_element *e)
{
	begin_any(r, EWS_MAILBOX, e->name);
}

static enum ews_change change_named(struct slice name)
{
	static const struct { const char *name; enum ews_change change; } changes[] = {
		{ "Create",        EWS_CREATED   }, { "Update",       EWS_UPDATED  }, { "Delete",       EWS_DELETED },
		{ "ReadFlagChange", EWS_READ_FLAG }, { "NewMailEvent", EWS_NEW_MAIL }, { "CreatedEvent", EWS_CREATED },
		{ "ModifiedEvent", EWS_UPDATED   }, { "DeletedEvent", EWS_DELETED  }, { "MovedEvent",   EWS_MOVED   },
		{ "CopiedEvent",   EWS_COPIED    },
	};

	for (size_t i = 0; i < COUNT(changes); i++)
		if (slice_equal(name, slice_str(changes[i].name)))
			return changes[i].change;
	return EWS_NO_CHANGE;
}

static void begin_event(struct ews_reader *r, const struct ews_element *e)
{
	begin_any(r, EWS_EVENT, e->name);
	r->item.change = change_named(e->name);
}

static void begin_changed(struct ews_reader *r, const struct ews_element *e)
{
	r->change = change_named(e->name);
}

static void end_changed(struct ews_reader *r)
{
	r->change = EWS_NO_CHANGE;
}

/* A deletion and a read flag name no element of an item, only its id. */
static void begin_bare_change(struct ews_reader *r, const struct ews_element *e)
{
	begin_any(r, EWS_ITEM, slice(NULL, 0));
	r->item.change = change_named(e->name);
}

static const char *kept(struct ews_reader *r, struct slice s)
{
	return s.len ? arena_copy(r->kept, s) : NULL;
}

static void begin_item_id(struct ews_reader *r, const struct ews_element *e)
{
	if (r->item.id)
		return;
	r->item.id = kept(r, ews_attribute(e, "Id"));
	if (r->item.id)
		r->item.change_key = kept(r, ews_attribute(e, "ChangeKey"));
}

static void begin_folder_id(struct ews_reader *r, const struct ews_element *e)
{
	begin_item_id(r, e);
	r->item.of_folder = true;
	if (r->item.kind == EWS_ITEM)
		r->item.kind = EWS_FOLDER;
}

static void begin_parent_id(struct ews_reader *r, const struct ews_element *e)
{
	if (!r->item.parent_id)
		r->item.parent_id = kept(r, ews_attribute(e, "Id"));
}

static void *field_of(struct ews_reader *r, const struct ews_row *row)
{
	return (char *)&r->item + row->field;
}

/* For people: as it is. Where an item says something twice, the first counts. */
static void read_text(struct ews_reader *r, const struct ews_row *row, struct slice text)
{
	const char **field = field_of(r, row);

	if (!*field)
		*field = kept(r, text);
}

static void read_word(struct ews_reader *r, const struct ews_row *row, struct slice text)
{
	read_text(r, row, slice_trim(text));
}

static void read_number(struct ews_reader *r, const struct ews_row *row, struct slice text)
{
	*(unsigned *)field_of(r, row) = ews_number(text);
}

static void read_size(struct ews_reader *r, const struct ews_row *row, struct slice text)
{
	*(uint64_t *)field_of(r, row) = ews_number(text);
}

static void read_truth(struct ews_reader *r, const struct ews_row *row, struct slice text)
{
	*(bool *)field_of(r, row) = ews_truth(text);
}

static void begin_header(struct ews_reader *r, const struct ews_element *e)
{
	ews_keep_name(&r->header_name, ews_attribute(e, "HeaderName"));
}

/* A line that does not fit is left out whole. */
static void read_header(struct ews_reader *r, const struct ews_row *row, struct slice text)
{
	(void)row;
	if (*r->header_name)
		buffer_print(&r->headers, "%s: %.*s\n", r->header_name, (int)text.len, text.at);
}

static void begin_mime(struct ews_reader *r, const struct ews_element *e)
{
	(void)e;
	r->bits = 0;
	r->letters = r->padding = 0;
}

static void end_mime(struct ews_reader *r)
{
	if (r->letters && r->listener.mime)
		ews_stop(r, FAULT_BROKEN, "base64 that is cut short");
}

/* -- tables ------------------------------------------------------------------------------------------------------- */

#define OF(f) offsetof(struct ews_item, f)

static const struct ews_row in_items[] = {
	{ ANY(T), .becomes = ITEM, .begin = begin_item, .end = end_item },
};

static const struct ews_row in_changes[] = {
	{ IN("Create",         T, CHANGED), .begin = begin_changed,     .end = end_changed },
	{ IN("Update",         T, CHANGED), .begin = begin_changed,     .end = end_changed },
	{ IN("Delete",         T, ITEM),    .begin = begin_bare_change, .end = end_item    },
	{ IN("ReadFlagChange", T, ITEM),    .begin = begin_bare_change, .end = end_item    },
};

/* In the order of the schema: what follows is looked for behind what was found. */
static const struct ews_row in_item[] = {
	{ IN("ItemId",                 T, LEAF), .begin = begin_item_id   },
	{ IN("ParentFolderId",         T, LEAF), .begin = begin_parent_id },
	{ TEXT("ItemClass",            T, read_word),   .field = OF(item_class)          },
	{ TEXT("Subject",              T, read_text),   .field = OF(subject)             },
	{ TEXT("DateTimeReceived",     T, read_word),   .field = OF(received)            },
	{ TEXT("Size",                 T, read_size),   .field = OF(size)                },
	{ TEXT("DateTimeSent",         T, read_word),   .field = OF(sent)                },
	{ TEXT("HasAttachments",       T, read_truth),  .field = OF(has_attachments)     },
	{ IN("From",                   T, SENDER)           },
	{ TEXT("InternetMessageId",    T, read_word),   .field = OF(internet_message_id) },
	{ TEXT("IsRead",               T, read_truth),  .field = OF(is_read)             },
	{ IN("InternetMessageHeaders", T, INTERNET_HEADERS) },
	{ IN("MimeContent",            T, LEAF), .begin = begin_mime, .end = end_mime, .mime = true },
	{ TEXT("UID",                  T, read_word),   .field = OF(uid)                 },
	{ TEXT("Start",                T, read_word),   .field = OF(start)               },
	{ TEXT("End",                  T, read_word),   .field = OF(end)                 },
	{ IN("Organizer",              T, SENDER)           },
	{ IN("FolderId",               T, LEAF), .begin = begin_folder_id },
	{ TEXT("FolderClass",          T, read_word),   .field = OF(folder_class)        },
	{ TEXT("DisplayName",          T, read_text),   .field = OF(display_name)        },
	{ TEXT("TotalCount",           T, read_number), .field = OF(total)               },
	{ TEXT("ChildFolderCount",     T, read_number), .field = OF(children)            },
	{ TEXT("UnreadCount",          T, read_number), .field = OF(unread)              },
};

static const struct ews_row in_sender[] = {
	{ IN("Mailbox", T, SENDER_MAILBOX) },
};

static const struct ews_row in_sender_mailbox[] = {
	{ TEXT("Name",         T, read_text), .field = OF(from_name)    },
	{ TEXT("EmailAddress", T, read_word), .field = OF(from_address) },
};

static const struct ews_row in_internet_headers[] = {
	{ TEXT("InternetMessageHeader", T, read_header), .begin = begin_header },
};

static const struct ews_row in_resolutions[] = {
	{ IN("Resolution", T, RESOLUTION) },
};

static const struct ews_row in_resolution[] = {
	{ IN("Mailbox", T, MAILBOX), .begin = begin_mailbox, .end = end_item },
};

static const struct ews_row in_mailbox[] = {
	{ TEXT("Name",         T, read_text), .field = OF(display_name) },
	{ TEXT("EmailAddress", T, read_word), .field = OF(address)      },
	{ TEXT("RoutingType",  T, read_word), .field = OF(routing_type) },
	{ TEXT("MailboxType",  T, read_word), .field = OF(mailbox_type) },
	{ IN("ItemId",         T, LEAF),      .begin = begin_item_id    },
};

/* The schema has it among the types, Microsoft's own samples among the messages. */
static const struct ews_row in_notifications[] = {
	{ IN("Notification", T | M, NOTIFICATION) },
};

/* A StatusEvent is a heartbeat: nothing but its watermark is news. */
static const struct ews_row in_notification[] = {
	{ TEXT("SubscriptionId",   T, ews_read_subscription), .uncut = true },
	{ IN("StatusEvent",        T, STATUS) },
	{ IN("NewMailEvent",       T, EVENT), .begin = begin_event, .end = end_item },
	{ IN("CreatedEvent",       T, EVENT), .begin = begin_event, .end = end_item },
	{ IN("ModifiedEvent",      T, EVENT), .begin = begin_event, .end = end_item },
	{ IN("DeletedEvent",       T, EVENT), .begin = begin_event, .end = end_item },
	{ IN("MovedEvent",         T, EVENT), .begin = begin_event, .end = end_item },
	{ IN("CopiedEvent",        T, EVENT), .begin = begin_event, .end = end_item },
};

static const struct ews_row in_status[] = {
	{ TEXT("Watermark", T, ews_read_watermark), .uncut = true },
};

static const struct ews_row in_event[] = {
	{ TEXT("Watermark",    T, ews_read_watermark), .uncut = true           },
	{ TEXT("TimeStamp",    T, read_word),      .field = OF(received)   },
	{ IN("ItemId",         T, LEAF),           .begin = begin_item_id  },
	{ IN("FolderId",       T, LEAF),           .begin = begin_folder_id },
	{ IN("ParentFolderId", T, LEAF),           .begin = begin_parent_id },
	{ TEXT("UnreadCount",  T, read_number),    .field = OF(unread)     },
};

const struct ews_rows ews_item_places[PLACES] = {
	[ITEMS]            = { in_items, COUNT(in_items) },
	[CHANGES]          = { in_changes, COUNT(in_changes) },
	[CHANGED]          = { in_items, COUNT(in_items) },
	[ITEM]             = { in_item, COUNT(in_item) },
	[SENDER]           = { in_sender, COUNT(in_sender) },
	[SENDER_MAILBOX]   = { in_sender_mailbox, COUNT(in_sender_mailbox) },
	[INTERNET_HEADERS] = { in_internet_headers, COUNT(in_internet_headers) },
	[RESOLUTIONS]      = { in_resolutions, COUNT(in_resolutions) },
	[RESOLUTION]       = { in_resolution, COUNT(in_resolution) },
	[MAILBOX]          = { in_mailbox, COUNT(in_mailbox) },
	[NOTIFICATIONS]    = { in_notifications, COUNT(in_notifications) },
	[NOTIFICATION]     = { in_notification, COUNT(in_notification) },
	[STATUS]           = { in_status, COUNT(in_status) },
	[EVENT]            = { in_event, COUNT(in_event) },
};
