#include "sandbox/ews.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>

#include "base/random.h"
#include "sandbox/zones.h"

static int64_t now(void)
{
	return (int64_t)time(NULL);
}

static struct entry_id id_of(const struct mailbox *m, const struct item *item)
{
	return (struct entry_id){ m->number, item->number, 0, 'i' };
}

static void one_item(struct call *c, const struct mailbox *m, const struct item *item)
{
	const char *element = item->kind == ITEM_EVENT ? "CalendarItem" : "Message";

	add(c, "<m:Items><t:%s>", element);
	add_item_id(c, m, item, 0);
	add(c, "</t:%s></m:Items>", element);
}

static void done_with(struct call *c, const struct mailbox *m, const struct item *item)
{
	message_begin(c);
	if (item)
		one_item(c, m, item);
	else
		add(c, "<m:Items/>");
	message_end(c);
}

/* -- a message from its fields ------------------------------------------------------------------------------------ */

static struct people people_in(struct call *c, const xmlNode *list)
{
	struct people all = { 0 };
	size_t        room = 0;

	for (const xmlNode *n = xml_first(list); n; n = xml_next(n))
		room++;
	room = room < MIME_PEOPLE ? room : MIME_PEOPLE;
	all.list = arena_get(c->work, room * sizeof *all.list + 1);
	for (const xmlNode *n = xml_first(list); n && all.count < room; n = xml_next(n)) {
		const xmlNode *box = xml_is(n, "Attendee") ? xml_child(n, "Mailbox") : n;

		all.list[all.count++] = (struct person){ xml_text(c->work, xml_child(box, "Name")), xml_text(c->work, xml_child(box, "EmailAddress")) };
	}
	return all;
}

/* What stands in a header field has no line of its own. */
static const char *one_line(struct arena *arena, const char *text)
{
	char *copy = arena_str(arena, text);

	for (char *at = copy; *at; at++)
		if (*at == '\r' || *at == '\n')
			*at = ' ';
	return copy;
}

static const char *field_of_people(struct call *c, const char *name, const struct people *of)
{
	const char *text = "";

	for (size_t i = 0; i < of->count; i++)
		text = arena_print(c->work, "%s%s%s <%s>", text, i ? ",\r\n " : "", mime_word(c->work, one_line(c->work, of->list[i].name)),
		                   one_line(c->work, of->list[i].address));
	return of->count ? arena_print(c->work, "%s: %s\r\n", name, text) : "";
}

static const char *wrapped(struct arena *arena, const char *base64)
{
	enum { LINE = 76 };
	size_t len = strlen(base64);
	char  *out = arena_get(arena, len + len / LINE * 2 + 3), *at = out;

	for (size_t i = 0; i < len; i += LINE) {
		size_t n = len - i < LINE ? len - i : LINE;

		memcpy(at, base64 + i, n);
		at = stpcpy(at + n, "\r\n");
	}
	return out;
}

static struct slice mime_from_fields(struct call *c, const xmlNode *message)
{
	struct people  to = people_in(c, xml_child(message, "ToRecipients")), cc = people_in(c, xml_child(message, "CcRecipients"));
	struct people  bcc = people_in(c, xml_child(message, "BccRecipients")), from = people_in(c, xml_child(message, "From"));
	const xmlNode *body = xml_child(message, "Body");
	const char    *kind = xml_attribute(c->work, body, "BodyType");
	char           date[60];
	time_t         t = (time_t)now();
	struct tm      at;
	const char    *mime;

	if (!from.count) {
		from.list = arena_get(c->work, sizeof *from.list);
		from.list[0] = (struct person){ c->account->display, c->account->mail };
		from.count = 1;
	}
	strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S +0000", gmtime_r(&t, &at));
	mime = arena_print(c->work,
	                   "%s%s%s%sSubject: %s\r\nDate: %s\r\nMessage-ID: <%s@%s>\r\nMIME-Version: 1.0\r\nContent-Type: text/%s; charset=utf-8\r\n"
	                   "Content-Transfer-Encoding: base64\r\n\r\n%s",
	                   field_of_people(c, "From", &from), field_of_people(c, "To", &to), field_of_people(c, "Cc", &cc), field_of_people(c, "Bcc", &bcc),
	                   mime_word(c->work, one_line(c->work, xml_text(c->work, xml_child(message, "Subject")))), date, random_text(c->work, 20),
	                   c->sandbox->dns_host, kind && strcmp(kind, "HTML") == 0 ? "html" : "plain",
	                   wrapped(c->work, base64_of(c->work, slice_str(xml_text(c->work, body)))));
	return slice_str(mime);
}

/* -- sending ------------------------------------------------------------------------------------------------------ */

static void add_to(struct envelope *e, const struct people *of)
{
	for (size_t i = 0; i < of->count && e->count < COUNT(e->to); i++)
		if (*of->list[i].address)
			e->to[e->count++] = of->list[i].address;
}

static bool may_send_as(struct call *c, const char *address)
{
	struct account *a = account_by_mail(c->sandbox, address);

	return a && (a == c->account || a->delegate == c->account);
}

/* NULL: it is on its way; else why not. */
static const char *send_it(struct call *c, struct slice mime, const xmlNode *message)
{
	struct envelope e = { .mime = mime };
	struct mime     shown;
	struct people   more = people_in(c, xml_child(message, "BccRecipients"));

	mime_read(c->work, mime, &shown);
	e.from = *shown.from.address ? shown.from.address : c->account->mail;
	add_to(&e, &shown.to);
	add_to(&e, &shown.cc);
	add_to(&e, &shown.bcc);
	if (xml_child(message, "MimeContent")) {
		struct people to = people_in(c, xml_child(message, "ToRecipients")), cc = people_in(c, xml_child(message, "CcRecipients"));

		add_to(&e, &to);
		add_to(&e, &cc);
		add_to(&e, &more);
	}
	if (!e.count)
		return "ErrorInvalidRecipients";
	if (!may_send_as(c, e.from))
		return "ErrorSendAsDenied";
	deliver(c->sandbox, c->work, &e);
	return NULL;
}

/* -- CreateItem --------------------------------------------------------------------------------------------------- */

static bool mime_given(struct call *c, const xmlNode *message, struct slice *out)
{
	const xmlNode *given = xml_child(message, "MimeContent");

	if (given)
		return base64_read(c->work, slice_str(xml_text(c->work, given)), out);
	*out = mime_from_fields(c, message);
	return true;
}

static struct item *keep_mail(struct mailbox *m, struct folder *f, struct slice mime, bool draft)
{
	struct item *item = mailbox_add_mail(m, f, mime, now());

	item->draft = draft;
	item->read = true;
	return item;
}

static void create_message(struct call *c, const xmlNode *message, const struct place *where)
{
	const char  *disposition = xml_attribute(c->work, c->body, "MessageDisposition"), *why;
	bool         sends = disposition && strncmp(disposition, "Send", 4) == 0, keeps = !sends || strcmp(disposition, "SendAndSaveCopy") == 0;
	struct place p = *where;
	struct slice mime;
	struct item *item = NULL;

	if (!disposition) {
		c->fault = "ErrorMessageDispositionRequired";
		return;
	}
	if (!p.folder && !p.code)
		p = (struct place){ .mailbox = own_mailbox(c), .folder = mailbox_known(own_mailbox(c), sends ? "sentitems" : "drafts") };
	if (!p.folder) {
		place_error(c, &p);
		return;
	}
	if (!mime_given(c, message, &mime)) {
		message_error(c, "ErrorMimeContentInvalid", "Mime content is invalid.");
		return;
	}
	why = sends ? send_it(c, mime, message) : NULL;
	if (why) {
		message_error(c, why, NULL);
		return;
	}
	if (keeps)
		item = keep_mail(p.mailbox, p.folder, mime, !sends && p.folder == mailbox_known(p.mailbox, "drafts"));
	if (item && xml_child(message, "IsRead"))
		item->read = strcmp(xml_text(c->work, xml_child(message, "IsRead")), "true") == 0;
	if (item)
		happened(c->sandbox, p.mailbox, HAPPENED_CREATED, id_of(p.mailbox, item), item->folder, NULL);
	done_with(c, p.mailbox, sends ? NULL : item);
}

static const char *kept(struct item *item, struct call *c, const xmlNode *n, const char *otherwise)
{
	return arena_str(item->own, n ? xml_text(c->work, n) : otherwise);
}

static struct people kept_people(struct item *item, struct call *c, const xmlNode *list)
{
	struct people p = people_in(c, list), copy = { arena_get(item->own, p.count * sizeof *p.list + 1), p.count };

	for (size_t i = 0; i < p.count; i++)
		copy.list[i] = (struct person){ arena_str(item->own, p.list[i].name), arena_str(item->own, p.list[i].address) };
	return copy;
}

/* -- events: by whose clocks ----------------------------------------------------------------------------------------- */

/* False: there is no such zone, or it was ordered that there is none. */
static bool find_zone(struct call *c, const char *name, const struct zone **out)
{
	const struct ordered *unknown = orders_has(&c->sandbox->orders, ORDER_ZONE_UNKNOWN);

	*out = zone_named(name);
	if (!*out || (unknown && zone_named(unknown->value) == *out))
		return false;
	if (orders_has(&c->sandbox->orders, ORDER_ZONE_IGNORED))
		*out = zone_named("UTC");
	return true;
}

/* That of the event, else that of the request, else UTC. False: one that there is none of. */
static bool zone_of_event(struct call *c, const xmlNode *n, const struct zone **out)
{
	const xmlNode *own = xml_child(n, "StartTimeZone"), *context = xml_at(c->header, "TimeZoneContext/TimeZoneDefinition");
	const char    *name = xml_attribute(c->work, own ? own : context, "Id");

	return find_zone(c, name ? name : "UTC", out);
}

/* A time without an offset is by those clocks. Without any time `*out` stays. */
static bool moment_in(struct call *c, const xmlNode *n, const struct zone *zone, int64_t *out)
{
	const char *text = xml_text(c->work, n), *time = strchr(text, 'T');

	if (!moment_read(text, out))
		return false;
	if (time && !strpbrk(time, "Z+-"))
		*out = zone_moment(zone, *out);
	return true;
}

/* True: nothing may be written there, and that is said. */
static bool is_read_only(struct call *c, const struct folder *f)
{
	bool                  calendar = f->known && strcmp(f->known, "calendar") == 0;
	const struct ordered *o = calendar ? orders_take(&c->sandbox->orders, ORDER_CALENDAR_READ_ONLY) : NULL;

	if (o)
		message_error(c, o->value ? o->value : "ErrorAccessDenied", NULL);
	return o;
}

/* What of an event is said in `n`, which may be all of it or a change. */
static void read_event(struct call *c, const xmlNode *n, const struct zone *at, struct item *item)
{
	struct event  *e = &item->event;
	const xmlNode *body = xml_child(n, "Body"), *zone = xml_child(n, "StartTimeZone"), *recurrence = xml_child(n, "Recurrence");
	const char    *kind = xml_attribute(c->work, body, "BodyType");

	moment_in(c, xml_child(n, "Start"), at, &e->start);
	moment_in(c, xml_child(n, "End"), at, &e->end);
	item->shown.subject = kept(item, c, xml_child(n, "Subject"), item->shown.subject);
	item->shown.text = kept(item, c, body, item->shown.text);
	if (kind)
		item->shown.is_html = strcmp(kind, "HTML") == 0;
	e->location = kept(item, c, xml_child(n, "Location"), e->location);
	e->busy = kept(item, c, xml_child(n, "LegacyFreeBusyStatus"), e->busy);
	e->uid = kept(item, c, xml_child(n, "UID"), e->uid);
	if (xml_child(n, "Sensitivity"))
		e->private = strcmp(xml_text(c->work, xml_child(n, "Sensitivity")), "Private") == 0;
	if (xml_child(n, "IsAllDayEvent"))
		e->all_day = strcmp(xml_text(c->work, xml_child(n, "IsAllDayEvent")), "true") == 0;
	if (zone)
		e->zone = arena_str(item->own, xml_attribute(c->work, zone, "Id") ? xml_attribute(c->work, zone, "Id") : "");
	if (xml_child(n, "RequiredAttendees"))
		e->required = kept_people(item, c, xml_child(n, "RequiredAttendees"));
	if (xml_child(n, "OptionalAttendees"))
		e->optional = kept_people(item, c, xml_child(n, "OptionalAttendees"));
	if (recurrence && recurrence_read(c, recurrence, e->start, &e->recurs))
		e->recurs.xml = arena_str(item->own, xml_again(c->work, recurrence));
}

static void create_event(struct call *c, const xmlNode *event, const struct place *where)
{
	struct mailbox *m = own_mailbox(c);
	struct place    p = *where;
	struct item    *item;
	int64_t         start, end;
	const struct zone *zone;

	if (!xml_attribute(c->work, c->body, "SendMeetingInvitations")) {
		c->fault = "ErrorSendMeetingInvitationsRequired";
		return;
	}
	if (!p.folder && !p.code)
		p = (struct place){ .mailbox = m, .folder = mailbox_known(m, "calendar"), .code = "ErrorFolderNotFound" };
	if (!p.folder) {
		place_error(c, &p);
		return;
	}
	if (is_read_only(c, p.folder))
		return;
	if (!zone_of_event(c, event, &zone)) {
		message_error(c, "ErrorTimeZone", "The specified time zone isn't valid.");
		return;
	}
	if (!moment_in(c, xml_child(event, "Start"), zone, &start) || !moment_in(c, xml_child(event, "End"), zone, &end) || end < start) {
		message_error(c, "ErrorCalendarEndDateIsEarlierThanStartDate", "EndDate is earlier than StartDate");
		return;
	}
	item = mailbox_add_event(p.mailbox, p.folder, now());
	item->event.uid = arena_print(item->own, "040000008200E00074C5B7101A82E008%016X", item->number);
	read_event(c, event, zone, item);
	item->read = true;
	happened(c->sandbox, p.mailbox, HAPPENED_CREATED, id_of(p.mailbox, item), item->folder, NULL);
	done_with(c, p.mailbox, item);
}

void answer_create_item(struct call *c)
{
	const xmlNode *saved = xml_first(xml_child(c->body, "SavedItemFolderId"));
	struct place   p = { 0 };

	if (saved)
		p = place_of(c, saved);
	for (const xmlNode *n = xml_first(xml_child(c->body, "Items")); n && !c->fault; n = xml_next(n)) {
		if (!own_mailbox(c) && !p.folder)
			message_error(c, "ErrorMissingEmailAddress", NULL);
		else if (xml_is(n, "CalendarItem"))
			create_event(c, n, &p);
		else if (xml_is(n, "Message"))
			create_message(c, n, &p);
		else
			message_error(c, "ErrorInvalidRequest", NULL);
	}
}

/* -- UpdateItem --------------------------------------------------------------------------------------------------- */

static void update(struct call *c, struct mailbox *m, struct item *item, const xmlNode *changes, const struct zone *zone)
{
	bool more = false;

	for (const xmlNode *n = xml_first(changes); n; n = xml_next(n)) {
		const xmlNode *what = xml_child(n, item->kind == ITEM_EVENT ? "CalendarItem" : "Message"), *read;

		if (!what)
			what = xml_child(n, "Item");
		read = xml_child(what, "IsRead");
		if (read)
			mailbox_set_read(m, item, strcmp(xml_text(c->work, read), "true") == 0);
		else
			more = true;
		if (item->kind == ITEM_EVENT)
			read_event(c, what, zone, item);
		else
			item->shown.subject = kept(item, c, xml_child(what, "Subject"), item->shown.subject);
	}
	if (more)
		mailbox_touch(m, item);
}

void answer_update_item(struct call *c)
{
	const struct zone *zone;

	for (const xmlNode *n = xml_first(xml_child(c->body, "ItemChanges")); n; n = xml_next(n)) {
		struct mailbox *m;
		unsigned        instance;
		const char     *code;
		struct item    *item = item_at(c, xml_first(n), &m, &instance, &code);

		if (!item) {
			message_error(c, code, NULL);
			continue;
		}
		if (item->kind == ITEM_EVENT && is_read_only(c, item->folder))
			continue;
		if (!zone_of_event(c, NULL, &zone)) {
			message_error(c, "ErrorTimeZone", "The specified time zone isn't valid.");
			continue;
		}
		update(c, m, item, xml_child(n, "Updates"), zone);
		happened(c->sandbox, m, HAPPENED_MODIFIED, id_of(m, item), item->folder, NULL);
		message_begin(c);
		one_item(c, m, item);
		add(c, "<m:ConflictResults><t:Count>0</t:Count></m:ConflictResults>");
		message_end(c);
	}
}

/* -- away, elsewhere ---------------------------------------------------------------------------------------------- */

static void remove_item(struct call *c, struct mailbox *m, struct item *item)
{
	const char    *how = xml_attribute(c->work, c->body, "DeleteType");
	struct folder *bin = mailbox_known(m, "deleteditems"), *from = item->folder;
	struct entry_id id = id_of(m, item);

	if (item->kind == ITEM_EVENT && !xml_attribute(c->work, c->body, "SendMeetingCancellations")) {
		message_error(c, "ErrorSendMeetingCancellationsRequired", NULL);
		return;
	}
	if (how && strcmp(how, "MoveToDeletedItems") == 0 && from != bin) {
		struct item *moved = mailbox_copy(m, item, bin, now());

		happened(c->sandbox, m, HAPPENED_MOVED, id_of(m, moved), bin, from);
	} else {
		happened(c->sandbox, m, HAPPENED_DELETED, id, from, NULL);
	}
	mailbox_drop(m, item);
	message_begin(c);
	message_end(c);
}

void answer_delete_item(struct call *c)
{
	for (const xmlNode *id = xml_first(xml_child(c->body, "ItemIds")); id; id = xml_next(id)) {
		struct mailbox *m;
		unsigned        instance;
		const char     *code;
		struct item    *item = item_at(c, id, &m, &instance, &code);

		if (item)
			remove_item(c, m, item);
		else
			message_error(c, code, NULL);
	}
}

static void carry_over(struct call *c, bool moves)
{
	struct place to = place_of(c, xml_first(xml_child(c->body, "ToFolderId")));

	for (const xmlNode *id = xml_first(xml_child(c->body, "ItemIds")); id; id = xml_next(id)) {
		struct mailbox *m;
		unsigned        instance;
		const char     *code;
		struct item    *item = item_at(c, id, &m, &instance, &code), *copy;

		if (!item || !to.folder) {
			if (item)
				place_error(c, &to);
			else
				message_error(c, code, NULL);
			continue;
		}
		copy = mailbox_copy(to.mailbox, item, to.folder, now());
		if (moves)
			happened(c->sandbox, to.mailbox, HAPPENED_MOVED, id_of(to.mailbox, copy), to.folder, item->folder);
		else
			happened(c->sandbox, to.mailbox, HAPPENED_CREATED, id_of(to.mailbox, copy), to.folder, NULL);
		if (moves)
			mailbox_drop(m, item);
		done_with(c, to.mailbox, copy);
	}
}

void answer_move_item(struct call *c)
{
	carry_over(c, true);
}

void answer_copy_item(struct call *c)
{
	carry_over(c, false);
}

/* A draft goes out. */
static void send_draft(struct call *c, struct mailbox *m, struct item *item)
{
	const char    *save = xml_attribute(c->work, c->body, "SaveItemToFolder");
	const xmlNode *folder = xml_first(xml_child(c->body, "SavedItemFolderId"));
	struct place   p = { .mailbox = m, .folder = mailbox_known(m, "sentitems") };
	struct ordered *o = orders_take_code(&c->sandbox->orders, "CreateItem");
	const char    *why = o ? o->value : NULL;

	if (folder)
		p = place_of(c, folder);
	if (!p.folder) {
		place_error(c, &p);
		return;
	}
	why = why ? why : send_it(c, item->mime, NULL);
	if (why) {
		message_error(c, why, NULL);
		return;
	}
	if (save && strcmp(save, "true") == 0)
		keep_mail(p.mailbox, p.folder, item->mime, false);
	mailbox_drop(m, item);
	message_begin(c);
	message_end(c);
}

void answer_send_item(struct call *c)
{
	for (const xmlNode *id = xml_first(xml_child(c->body, "ItemIds")); id; id = xml_next(id)) {
		struct mailbox *m;
		unsigned        instance;
		const char     *code;
		struct item    *item = item_at(c, id, &m, &instance, &code);

		if (item && item->kind == ITEM_MESSAGE)
			send_draft(c, m, item);
		else
			message_error(c, item ? "ErrorInvalidRequest" : code, NULL);
	}
}
