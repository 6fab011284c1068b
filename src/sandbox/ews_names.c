#include "sandbox/ews.h"
#include "sandbox/zones.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

/* -- ResolveNames ------------------------------------------------------------------------------------------------- */

static void add_resolution(struct call *c, const struct account *a)
{
	bool        x500 = orders_has(&c->sandbox->orders, ORDER_EX_ONLY) != NULL;
	const char *full = xml_attribute(c->work, c->body, "ReturnFullContactData");
	const char *legacy = arena_print(c->work, "/o=%s/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)/cn=Recipients/cn=%s", c->sandbox->netbios, a->sam);

	add(c, "<t:Resolution><t:Mailbox>");
	add_text(c, "Name", a->display);
	add_text(c, "EmailAddress", x500 ? legacy : a->mail);
	add(c, "<t:RoutingType>%s</t:RoutingType><t:MailboxType>Mailbox</t:MailboxType></t:Mailbox>", x500 ? "EX" : "SMTP");
	if (full && strcmp(full, "true") == 0) {
		add(c, "<t:Contact>");
		add_text(c, "DisplayName", a->display);
		if (!x500)
			add(c, "<t:EmailAddresses><t:Entry Key=\"EmailAddress1\">SMTP:%s</t:Entry></t:EmailAddresses>", escaped(c->work, a->mail));
		add(c, "<t:ContactSource>ActiveDirectory</t:ContactSource></t:Contact>");
	}
	add(c, "</t:Resolution>");
}

static bool is_meant(struct call *c, const struct account *a, const char *entry)
{
	if (!a->mailbox)
		return false;
	if (orders_has(&c->sandbox->orders, ORDER_OTHER_MAILBOX))
		return a != c->account && a == c->sandbox->accounts + 1;
	if (strncasecmp(entry, "smtp:", 5) == 0)
		entry += 5;
	return *entry && (strcasecmp(entry, a->mail) == 0 || strncasecmp(entry, a->sam, strlen(entry)) == 0 ||
	                  strncasecmp(entry, a->display, strlen(entry)) == 0);
}

void answer_resolve_names(struct call *c)
{
	const char *entry = xml_text(c->work, xml_child(c->body, "UnresolvedEntry"));
	unsigned    count = 0;

	for (size_t i = 0; i < c->sandbox->account_count; i++)
		count += is_meant(c, &c->sandbox->accounts[i], entry);
	if (!count) {
		message_error(c, "ErrorNameResolutionNoResults", NULL);
		return;
	}
	message_begin(c);
	add(c, "<m:ResolutionSet TotalItemsInView=\"%u\" IncludesLastItemInRange=\"true\">", count);
	for (size_t i = 0; i < c->sandbox->account_count; i++)
		if (is_meant(c, &c->sandbox->accounts[i], entry))
			add_resolution(c, &c->sandbox->accounts[i]);
	add(c, "</m:ResolutionSet>");
	message_end(c);
}

/* -- ConvertId ---------------------------------------------------------------------------------------------------- */

static const char *in_hex(struct arena *arena, struct slice bytes)
{
	char *out = arena_get(arena, 2 * bytes.len + 1);

	for (size_t i = 0; i < bytes.len; i++)
		snprintf(out + 2 * i, 3, "%02X", (unsigned char)bytes.at[i]);
	return out;
}

static void convert(struct call *c, const xmlNode *source)
{
	const char     *id = xml_attribute(c->work, source, "Id"), *format = xml_attribute(c->work, source, "Format");
	const char     *to = xml_attribute(c->work, c->body, "DestinationFormat"), *mailbox = xml_attribute(c->work, source, "Mailbox");
	struct entry_id e;
	struct slice    bytes;

	if (!id || !format || !to || strcmp(format, "EwsId") != 0 || !entry_id_read(c->work, id, &e) || !base64_read(c->work, slice_str(id), &bytes)) {
		message_error(c, "ErrorInvalidIdMalformed", NULL);
		return;
	}
	message_begin(c);
	add(c, "<m:AlternateId xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"t:AlternateIdType\" Format=\"%s\" Id=\"%s\" Mailbox=\"%s\"/>",
	    escaped(c->work, to), strcmp(to, "HexEntryId") == 0 ? in_hex(c->work, bytes) : id, escaped(c->work, mailbox));
	message_end(c);
}

void answer_convert_id(struct call *c)
{
	for (const xmlNode *n = xml_first(xml_child(c->body, "SourceIds")); n; n = xml_next(n))
		convert(c, n);
}

/* -- time zones --------------------------------------------------------------------------------------------------- */

static void add_transition(struct call *c, const char *to, const char *time, int month, int sunday)
{
	add(c, "<t:RecurringDayTransition><t:To Kind=\"Period\">%s</t:To><t:TimeOffset>%s</t:TimeOffset><t:Month>%d</t:Month><t:DayOfWeek>Sunday</t:DayOfWeek>"
	    "<t:Occurrence>%d</t:Occurrence></t:RecurringDayTransition>", to, time, month, sunday);
}

static void add_period(struct call *c, int east, const char *name, const char *id)
{
	add(c, "<t:Period Bias=\"%sPT%dM\" Name=\"%s\" Id=\"%s\"/>", east > 0 ? "-" : "", abs(east), name, id);
}

static void add_zone(struct call *c, const struct zone *z, bool full)
{
	add(c, "<t:TimeZoneDefinition Id=\"%s\" Name=\"%s\"", z->id, escaped(c->work, z->name));
	if (!full) {
		add(c, "/>");
		return;
	}
	add(c, "><t:Periods>");
	add_period(c, z->east, "Standard", "std");
	if (z->summer)
		add_period(c, z->east + 60, "Daylight", "dlt");
	add(c, "</t:Periods><t:TransitionsGroups><t:TransitionsGroup Id=\"0\">");
	if (z->summer) {
		add_transition(c, "dlt", "PT2H", 3, z->summer == SUMMER_EUROPE ? -1 : 2);
		add_transition(c, "std", z->summer == SUMMER_EUROPE ? "PT3H" : "PT2H", z->summer == SUMMER_EUROPE ? 10 : 11, z->summer == SUMMER_EUROPE ? -1 : 1);
	} else {
		add(c, "<t:Transition><t:To Kind=\"Period\">std</t:To></t:Transition>");
	}
	add(c, "</t:TransitionsGroup></t:TransitionsGroups><t:Transitions><t:Transition><t:To Kind=\"Group\">0</t:To></t:Transition></t:Transitions></t:TimeZoneDefinition>");
}

void answer_time_zones(struct call *c)
{
	const char        *full = xml_attribute(c->work, c->body, "ReturnFullTimeZoneData");
	const xmlNode     *ids = xml_child(c->body, "Ids");
	const struct zone *z;

	message_begin(c);
	add(c, "<m:TimeZoneDefinitions>");
	for (size_t i = 0; (z = zone_at(i)); i++) {
		bool asked = !ids;

		for (const xmlNode *id = xml_first(ids); id && !asked; id = xml_next(id))
			asked = strcmp(xml_text(c->work, id), z->id) == 0;
		if (asked)
			add_zone(c, z, !full || strcmp(full, "false") != 0);
	}
	add(c, "</m:TimeZoneDefinitions>");
	message_end(c);
}

/* -- free and busy ------------------------------------------------------------------------------------------------ */

#define FIRST_INSTANCES 500

struct window {
	int64_t from, to, slot;
	char   *merged;
	size_t  slots;
};

static void mark(struct call *c, struct window *w, const struct item *item, int64_t start)
{
	int64_t end = start + item->event.end - item->event.start;
	char    how = strcmp(item->event.busy, "Free") == 0 ? '0' : strcmp(item->event.busy, "Tentative") == 0 ? '1' : strcmp(item->event.busy, "OOF") == 0 ? '3' : '2';

	if (end <= w->from || start >= w->to)
		return;
	for (size_t i = 0; i < w->slots; i++)
		if (w->from + (int64_t)i * w->slot < end && w->from + (int64_t)(i + 1) * w->slot > start && how > w->merged[i])
			w->merged[i] = how;
	add(c, "<t:CalendarEvent><t:StartTime>%s</t:StartTime><t:EndTime>%s</t:EndTime><t:BusyType>%s</t:BusyType></t:CalendarEvent>", moment(c->work, start),
	    moment(c->work, end), item->event.busy);
}

static void add_free_busy(struct call *c, const struct mailbox *m, struct window *w)
{
	struct buffer before = c->out;

	memset(w->merged, '0', w->slots);
	buffer_init(&c->out, 1u << 24);
	for (const struct item *i = m->first; i; i = i->next)
		for (unsigned n = 1; i->kind == ITEM_EVENT && n <= FIRST_INSTANCES; n++) {
			int64_t start = event_occurrence(&i->event, n);

			if (!start || start >= w->to)
				break;
			mark(c, w, i, start);
		}
	{
		struct buffer events = c->out;
		const char   *text = arena_copy(c->work, buffer_held(&events));

		c->out = before;
		buffer_release(&events);
		add(c, "<m:FreeBusyResponse><m:ResponseMessage ResponseClass=\"Success\"><m:ResponseCode>NoError</m:ResponseCode></m:ResponseMessage>"
		    "<m:FreeBusyView><t:FreeBusyViewType>FreeBusyMerged</t:FreeBusyViewType><t:MergedFreeBusy>%s</t:MergedFreeBusy>"
		    "<t:CalendarEventArray>%s</t:CalendarEventArray></m:FreeBusyView></m:FreeBusyResponse>", w->merged, text);
	}
}

#define MOST_SLOTS 20000

/* A time without an offset is by the clock of the zone that the request describes; of that its standard bias is minded, no summer. */
static bool local_moment(struct call *c, const xmlNode *n, long bias_minutes, int64_t *out)
{
	const char *text = xml_text(c->work, n), *time = strchr(text, 'T');

	if (!moment_read(text, out))
		return false;
	if (time && !strpbrk(time, "Z+-"))
		*out += bias_minutes * 60;
	return true;
}

void answer_availability(struct call *c)
{
	const xmlNode *options = xml_child(c->body, "FreeBusyViewOptions"), *time = xml_child(options, "TimeWindow");
	long           slot = strtol(xml_text(c->work, xml_child(options, "MergedFreeBusyIntervalInMinutes")), NULL, 10);
	long           bias = strtol(xml_text(c->work, xml_at(c->body, "TimeZone/Bias")), NULL, 10);
	struct window  w = { .slot = (slot > 0 && slot <= 1440 ? slot : 30) * 60L };

	if (!local_moment(c, xml_child(time, "StartTime"), bias, &w.from) || !local_moment(c, xml_child(time, "EndTime"), bias, &w.to) ||
	    w.to <= w.from || (w.to - w.from) / w.slot > MOST_SLOTS) {
		c->fault = "ErrorInvalidTimeInterval";
		return;
	}
	w.slots = (size_t)((w.to - w.from + w.slot - 1) / w.slot);
	w.merged = arena_get(c->work, w.slots + 1);
	add(c, "<m:FreeBusyResponseArray>");
	for (const xmlNode *n = xml_first(xml_child(c->body, "MailboxDataArray")); n; n = xml_next(n)) {
		struct account *a = account_by_mail(c->sandbox, xml_text(c->work, xml_at(n, "Email/Address")));

		if (a && a->mailbox)
			add_free_busy(c, a->mailbox, &w);
		else
			add(c, "<m:FreeBusyResponse><m:ResponseMessage ResponseClass=\"Error\"><m:MessageText>%s</m:MessageText>"
			    "<m:ResponseCode>ErrorMailRecipientNotFound</m:ResponseCode></m:ResponseMessage></m:FreeBusyResponse>", code_text("ErrorMailRecipientNotFound"));
	}
	add(c, "</m:FreeBusyResponseArray>");
}
