/* What the elements of an answer mean: one table for each place, one function for each meaning. */
#include "wire/ews_parts.h"

#define LONGEST_NUMBER  0xffffffffu
#define LONGEST_VERSION 64

/* How good the code of a fault is: a faultcode, SOAP 1.2's subcode, the ResponseCode. */
enum { NO_CODE, SOME_CODE, BETTER_CODE, BEST_CODE };

/* -- values ------------------------------------------------------------------------------------------------------- */

static struct slice attribute(const struct ews_element *e, const char *name)
{
	for (int i = 0; i < e->attributes; i++) {
		const xmlChar **a = e->attribute + i * 5;

		if (!a[2] && strcmp((const char *)a[0], name) == 0)
			return slice_trim(slice((const char *)a[3], (size_t)(a[4] - a[3])));
	}
	return slice(NULL, 0);
}

static unsigned number(struct slice s)
{
	unsigned long long n;

	return slice_number(slice_trim(s), LONGEST_NUMBER, &n) ? (unsigned)n : 0;
}

static bool truth(struct slice s)
{
	s = slice_trim(s);
	return slice_is(s, "true") || slice_is(s, "1");
}

/* Into room that is there once: what comes without end shall not fill the arena. */
static void keep_name(char (*to)[EWS_NAME + 1], struct slice s)
{
	s = slice_upto(s, EWS_NAME);
	if (s.len)
		memcpy(*to, s.at, s.len);
	(*to)[s.len] = '\0';
}

static const char *keep(struct ews_reader *r, struct ews_slot *slot, struct slice s)
{
	if (s.len >= slot->room) {
		slot->room = s.len < 64 ? 64 : s.len * 2;
		slot->at = arena_get(r->into, slot->room);
	}
	if (s.len)
		memcpy(slot->at, s.at, s.len);
	slot->at[s.len] = '\0';
	return slot->at;
}

/* -- outcomes ----------------------------------------------------------------------------------------------------- */

static void begin_outcome(struct ews_reader *r)
{
	r->outcome = r->answer.count < EWS_OUTCOMES ? &r->answer.outcome[r->answer.count] : NULL;
	r->answer.count++;
	r->code_rank = NO_CODE;
	if (r->outcome)
		r->outcome->code = r->outcome->text = "";
}

static void begin_fault(struct ews_reader *r, const struct ews_element *e)
{
	(void)e;
	begin_outcome(r);
	if (r->outcome)
		r->outcome->fault = true;
}

/* What the class says may be taken back by the code. */
static void begin_response(struct ews_reader *r, const struct ews_element *e)
{
	struct slice class = attribute(e, "ResponseClass");

	begin_outcome(r);
	if (r->outcome) {
		r->outcome->ok = slice_is(class, "Success");
		r->outcome->warning = slice_is(class, "Warning");
	}
}

static void end_outcome(struct ews_reader *r)
{
	struct ews_outcome *o = r->outcome;

	r->outcome = NULL;
	if (o)
		o->ok = o->ok && (!*o->code || strcmp(o->code, "NoError") == 0);
}

static void set_code(struct ews_reader *r, struct slice code, int rank)
{
	code = slice_trim(code);
	if (!r->outcome || r->code_rank >= rank || !code.len)
		return;
	r->code_rank = rank;
	r->outcome->code = arena_copy(r->into, code);
}

static void read_code(struct ews_reader *r, const struct ews_row *row, struct slice text)
{
	(void)row;
	set_code(r, text, BEST_CODE);
}

/* "a:ErrorServerBusy": what stands before the colon is only a shorthand. */
static struct slice local_name(struct slice name)
{
	size_t colon = slice_find(name, ':');

	return colon < name.len ? slice_from(name, colon + 1) : name;
}

static void read_faultcode(struct ews_reader *r, const struct ews_row *row, struct slice text)
{
	(void)row;
	set_code(r, local_name(slice_trim(text)), SOME_CODE);
}

static void read_subcode(struct ews_reader *r, const struct ews_row *row, struct slice text)
{
	(void)row;
	set_code(r, local_name(slice_trim(text)), BETTER_CODE);
}

static void read_words(struct ews_reader *r, const struct ews_row *row, struct slice text)
{
	(void)row;
	text = slice_trim(text);
	if (r->outcome && !*r->outcome->text && text.len)
		r->outcome->text = arena_copy(r->into, text);
}

static void add_value(struct ews_reader *r, const char *name, struct slice value)
{
	struct ews_outcome *o = r->outcome;

	value = slice_trim(value);
	if (!o || o->values == EWS_VALUES || !value.len)
		return;
	o->value[o->values].name = arena_str(r->into, name);
	o->value[o->values++].value = arena_copy(r->into, value);
}

/* <t:Value Name="Primary">, <t:LineNumber>, <t:FieldURI FieldURI="…"/> */
static void begin_value(struct ews_reader *r, const struct ews_element *e)
{
	struct slice name = attribute(e, "Name"), uri = attribute(e, "FieldURI");

	keep_name(&r->value_name, name.len ? name : slice_str(e->name));
	if (uri.len)
		add_value(r, r->value_name, slice_upto(uri, r->longest));
}

static void read_value(struct ews_reader *r, const struct ews_row *row, struct slice text)
{
	(void)row;
	add_value(r, r->value_name, text);
}

static void read_lost(struct ews_reader *r, const struct ews_row *row, struct slice text)
{
	(void)row;
	add_value(r, "SubscriptionId", text);
}

/* -- the answer's own --------------------------------------------------------------------------------------------- */

static void begin_envelope(struct ews_reader *r, const struct ews_element *e)
{
	(void)e;
	r->answer.envelope = true;
}

static void begin_version(struct ews_reader *r, const struct ews_element *e)
{
	struct ews_version *v = &r->answer.version;
	struct slice        schema = attribute(e, "Version");

	if (v->major)
		return;
	v->major = number(attribute(e, "MajorVersion"));
	v->minor = number(attribute(e, "MinorVersion"));
	v->build = number(attribute(e, "MajorBuildNumber"));
	v->revision = number(attribute(e, "MinorBuildNumber"));
	if (schema.len && schema.len <= LONGEST_VERSION && !v->schema)
		v->schema = arena_copy(r->into, schema);
}

static void begin_found(struct ews_reader *r, const struct ews_element *e)
{
	r->answer.total_in_view = number(attribute(e, "TotalItemsInView"));
	r->answer.last_in_range = truth(attribute(e, "IncludesLastItemInRange"));
}

static void read_last_in_range(struct ews_reader *r, const struct ews_row *row, struct slice text)
{
	(void)row;
	r->answer.last_in_range = truth(text);
}

static void read_sync_state(struct ews_reader *r, const struct ews_row *row, struct slice text)
{
	(void)row;
	r->answer.sync_state = keep(r, &r->sync_state, slice_trim(text));
}

static void read_subscription(struct ews_reader *r, const struct ews_row *row, struct slice text)
{
	(void)row;
	r->answer.subscription_id = keep(r, &r->subscription_id, slice_trim(text));
}

static void read_watermark(struct ews_reader *r, const struct ews_row *row, struct slice text)
{
	(void)row;
	r->answer.watermark = keep(r, &r->watermark, slice_trim(text));
}

static void read_connection(struct ews_reader *r, const struct ews_row *row, struct slice text)
{
	(void)row;
	r->answer.connection_status = keep(r, &r->connection_status, slice_trim(text));
}

/* -- items -------------------------------------------------------------------------------------------------------- */

static void begin_any(struct ews_reader *r, enum ews_item_kind kind, const char *element)
{
	arena_free(r->kept);
	r->kept = arena_new();
	buffer_clear(&r->headers);
	r->item = (struct ews_item){ .kind = kind, .change = r->change, .element = element };
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
	begin_any(r, slice_ends(slice_str(e->name), "Folder") ? EWS_FOLDER : EWS_ITEM, e->name);
}

static void begin_mailbox(struct ews_reader *r, const struct ews_element *e)
{
	begin_any(r, EWS_MAILBOX, e->name);
}

static enum ews_change change_named(const char *name)
{
	static const struct { const char *name; enum ews_change change; } changes[] = {
		{ "Create",        EWS_CREATED   }, { "Update",       EWS_UPDATED  }, { "Delete",       EWS_DELETED },
		{ "ReadFlagChange", EWS_READ_FLAG }, { "NewMailEvent", EWS_NEW_MAIL }, { "CreatedEvent", EWS_CREATED },
		{ "ModifiedEvent", EWS_UPDATED   }, { "DeletedEvent", EWS_DELETED  }, { "MovedEvent",   EWS_MOVED   },
		{ "CopiedEvent",   EWS_COPIED    },
	};

	for (size_t i = 0; i < COUNT(changes); i++)
		if (strcmp(name, changes[i].name) == 0)
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
	begin_any(r, EWS_ITEM, NULL);
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
	r->item.id = kept(r, attribute(e, "Id"));
	if (r->item.id)
		r->item.change_key = kept(r, attribute(e, "ChangeKey"));
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
		r->item.parent_id = kept(r, attribute(e, "Id"));
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
	*(unsigned *)field_of(r, row) = number(text);
}

static void read_size(struct ews_reader *r, const struct ews_row *row, struct slice text)
{
	*(uint64_t *)field_of(r, row) = number(text);
}

static void read_truth(struct ews_reader *r, const struct ews_row *row, struct slice text)
{
	*(bool *)field_of(r, row) = truth(text);
}

static void begin_header(struct ews_reader *r, const struct ews_element *e)
{
	keep_name(&r->header_name, attribute(e, "HeaderName"));
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

#define T            NS_TYPES
#define M            NS_MESSAGES
#define S            NS_SOAP
#define ANY_OF_OURS  (NS_TYPES | NS_MESSAGES | NS_ERRORS)
#define OF(f)        offsetof(struct ews_item, f)
#define IN(n, s, p)  .name = (n), .spaces = (s), .becomes = (p)
#define TEXT(n, s, f) .name = (n), .spaces = (s), .becomes = LEAF, .text = (f)

static const struct ews_row in_document[] = {
	{ IN("Envelope", S, ENVELOPE), .begin = begin_envelope },
};

static const struct ews_row in_envelope[] = {
	{ IN("Header", S, HEADER) },
	{ IN("Body",   S, BODY)   },
};

static const struct ews_row in_header[] = {
	{ IN("ServerVersionInfo", T, LEAF), .begin = begin_version },
};

static const struct ews_row in_body[] = {
	{ IN("Fault", S, FAULT), .begin = begin_fault, .end = end_outcome },
	{ IN(NULL,    M, OPERATION) },
};

static const struct ews_row in_fault[] = {
	{ TEXT("faultcode",   NS_NONE, read_faultcode) },
	{ TEXT("faultstring", NS_NONE, read_words)     },
	{ IN("detail",        NS_NONE, DETAIL)         },
	{ IN("Code",          S,       FAULT_CODE)     },
	{ IN("Reason",        S,       FAULT_REASON)   },
	{ IN("Detail",        S,       DETAIL)         },
};

static const struct ews_row in_fault_code[] = {
	{ TEXT("Value", S, read_faultcode) },
	{ IN("Subcode", S, FAULT_SUBCODE)  },
};

static const struct ews_row in_fault_subcode[] = {
	{ TEXT("Value", S, read_subcode) },
};

static const struct ews_row in_fault_reason[] = {
	{ TEXT("Text", S, read_words) },
};

static const struct ews_row in_detail[] = {
	{ TEXT("ResponseCode", ANY_OF_OURS, read_code)   },
	{ TEXT("Message",      ANY_OF_OURS, read_words)  },
	{ IN("MessageXml",     ANY_OF_OURS, MESSAGE_XML) },
};

static const struct ews_row in_message_xml[] = {
	{ TEXT(NULL, ANY_OF_OURS, read_value), .begin = begin_value },
};

static const struct ews_row in_operation[] = {
	{ IN("ResponseMessages",      M, RESPONSES) },
	{ IN("ResponseMessage",       M, RESPONSE), .begin = begin_response, .end = end_outcome },
	{ IN("FreeBusyResponseArray", M, FREE_BUSY) },
};

static const struct ews_row in_free_busy[] = {
	{ IN("FreeBusyResponse", M, OPERATION) },
};

static const struct ews_row in_responses[] = {
	{ IN(NULL, M, RESPONSE), .begin = begin_response, .end = end_outcome },
};

static const struct ews_row in_response[] = {
	{ TEXT("ResponseCode",              M, read_code)          },
	{ TEXT("MessageText",               M, read_words)         },
	{ IN("MessageXml",                  M, MESSAGE_XML)        },
	{ IN("Items",                       M, ITEMS)              },
	{ IN("Folders",                     M, ITEMS)              },
	{ IN("RootFolder",                  M, FOUND),             .begin = begin_found },
	{ IN("Changes",                     M, CHANGES)            },
	{ IN("ResolutionSet",               M, RESOLUTIONS),       .begin = begin_found },
	{ IN("Notifications",               M, NOTIFICATIONS)      },
	{ IN("Notification",                M, NOTIFICATION)       },
	{ TEXT("SyncState",                 M, read_sync_state),   .uncut = true },
	{ TEXT("SubscriptionId",            M, read_subscription), .uncut = true },
	{ TEXT("Watermark",                 M, read_watermark),    .uncut = true },
	{ TEXT("ConnectionStatus",          M, read_connection)    },
	{ TEXT("IncludesLastItemInRange",   M, read_last_in_range) },
	{ TEXT("IncludesLastFolderInRange", M, read_last_in_range) },
	{ IN("ErrorSubscriptionIds",        M, LOST)               },
};

static const struct ews_row in_found[] = {
	{ IN("Items",   T, ITEMS) },
	{ IN("Folders", T, ITEMS) },
};

static const struct ews_row in_items[] = {
	{ IN(NULL, T, ITEM), .begin = begin_item, .end = end_item },
};

static const struct ews_row in_changes[] = {
	{ IN("Create",         T, CHANGED), .begin = begin_changed,     .end = end_changed },
	{ IN("Update",         T, CHANGED), .begin = begin_changed,     .end = end_changed },
	{ IN("Delete",         T, ITEM),    .begin = begin_bare_change, .end = end_item    },
	{ IN("ReadFlagChange", T, ITEM),    .begin = begin_bare_change, .end = end_item    },
};

static const struct ews_row in_item[] = {
	{ IN("ItemId",                 T, LEAF), .begin = begin_item_id   },
	{ IN("FolderId",               T, LEAF), .begin = begin_folder_id },
	{ IN("ParentFolderId",         T, LEAF), .begin = begin_parent_id },
	{ IN("MimeContent",            T, LEAF), .begin = begin_mime, .end = end_mime, .mime = true },
	{ TEXT("ItemClass",            T, read_word),   .field = OF(item_class)          },
	{ TEXT("Subject",              T, read_text),   .field = OF(subject)             },
	{ TEXT("DateTimeReceived",     T, read_word),   .field = OF(received)            },
	{ TEXT("DateTimeSent",         T, read_word),   .field = OF(sent)                },
	{ TEXT("Size",                 T, read_size),   .field = OF(size)                },
	{ TEXT("HasAttachments",       T, read_truth),  .field = OF(has_attachments)     },
	{ TEXT("InternetMessageId",    T, read_word),   .field = OF(internet_message_id) },
	{ TEXT("IsRead",               T, read_truth),  .field = OF(is_read)             },
	{ IN("From",                   T, SENDER)           },
	{ IN("Organizer",              T, SENDER)           },
	{ IN("InternetMessageHeaders", T, INTERNET_HEADERS) },
	{ TEXT("Start",                T, read_word),   .field = OF(start)               },
	{ TEXT("End",                  T, read_word),   .field = OF(end)                 },
	{ TEXT("DisplayName",          T, read_text),   .field = OF(display_name)        },
	{ TEXT("FolderClass",          T, read_word),   .field = OF(folder_class)        },
	{ TEXT("TotalCount",           T, read_number), .field = OF(total)               },
	{ TEXT("UnreadCount",          T, read_number), .field = OF(unread)              },
	{ TEXT("ChildFolderCount",     T, read_number), .field = OF(children)            },
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
	{ TEXT("SubscriptionId",   T, read_subscription), .uncut = true },
	{ IN("StatusEvent",        T, STATUS) },
	{ IN("NewMailEvent",       T, EVENT), .begin = begin_event, .end = end_item },
	{ IN("CreatedEvent",       T, EVENT), .begin = begin_event, .end = end_item },
	{ IN("ModifiedEvent",      T, EVENT), .begin = begin_event, .end = end_item },
	{ IN("DeletedEvent",       T, EVENT), .begin = begin_event, .end = end_item },
	{ IN("MovedEvent",         T, EVENT), .begin = begin_event, .end = end_item },
	{ IN("CopiedEvent",        T, EVENT), .begin = begin_event, .end = end_item },
};

static const struct ews_row in_status[] = {
	{ TEXT("Watermark", T, read_watermark), .uncut = true },
};

static const struct ews_row in_event[] = {
	{ TEXT("Watermark",    T, read_watermark), .uncut = true           },
	{ TEXT("TimeStamp",    T, read_word),      .field = OF(received)   },
	{ IN("ItemId",         T, LEAF),           .begin = begin_item_id  },
	{ IN("FolderId",       T, LEAF),           .begin = begin_folder_id },
	{ IN("ParentFolderId", T, LEAF),           .begin = begin_parent_id },
	{ TEXT("UnreadCount",  T, read_number),    .field = OF(unread)     },
};

static const struct ews_row in_lost[] = {
	{ TEXT("SubscriptionId", T | M, read_lost), .uncut = true },
};

#define ROWS(table) { table, COUNT(table) }

static const struct { const struct ews_row *row; size_t count; } places[PLACES] = {
	[DOCUMENT]         = ROWS(in_document),
	[ENVELOPE]         = ROWS(in_envelope),
	[HEADER]           = ROWS(in_header),
	[BODY]             = ROWS(in_body),
	[FAULT]            = ROWS(in_fault),
	[FAULT_CODE]       = ROWS(in_fault_code),
	[FAULT_SUBCODE]    = ROWS(in_fault_subcode),
	[FAULT_REASON]     = ROWS(in_fault_reason),
	[DETAIL]           = ROWS(in_detail),
	[MESSAGE_XML]      = ROWS(in_message_xml),
	[OPERATION]        = ROWS(in_operation),
	[RESPONSES]        = ROWS(in_responses),
	[FREE_BUSY]        = ROWS(in_free_busy),
	[RESPONSE]         = ROWS(in_response),
	[FOUND]            = ROWS(in_found),
	[ITEMS]            = ROWS(in_items),
	[CHANGES]          = ROWS(in_changes),
	[CHANGED]          = ROWS(in_items),
	[ITEM]             = ROWS(in_item),
	[SENDER]           = ROWS(in_sender),
	[SENDER_MAILBOX]   = ROWS(in_sender_mailbox),
	[INTERNET_HEADERS] = ROWS(in_internet_headers),
	[RESOLUTIONS]      = ROWS(in_resolutions),
	[RESOLUTION]       = ROWS(in_resolution),
	[MAILBOX]          = ROWS(in_mailbox),
	[NOTIFICATIONS]    = ROWS(in_notifications),
	[NOTIFICATION]     = ROWS(in_notification),
	[STATUS]           = ROWS(in_status),
	[EVENT]            = ROWS(in_event),
	[LOST]             = ROWS(in_lost),
};

const struct ews_row ews_row_document = { .becomes = DOCUMENT };
const struct ews_row ews_row_nowhere = { .becomes = NOWHERE };

const struct ews_row *ews_row_find(enum ews_place place, const struct ews_element *e)
{
	for (size_t i = 0; i < places[place].count; i++) {
		const struct ews_row *row = &places[place].row[i];

		if ((row->spaces & e->space) && (!row->name || strcmp(row->name, e->name) == 0))
			return row;
	}
	return NULL;
}
