/* What the elements around the items of an answer mean: one table for each place, one function for each meaning. */
#include <ctype.h>
#include <time.h>

#include "wire/ews_parts.h"

#define LONGEST_NUMBER  0xffffffffu
#define LONGEST_VERSION 64

/* How good the code of a fault is: a faultcode, SOAP 1.2's subcode, the ResponseCode. */
enum { NO_CODE, SOME_CODE, BETTER_CODE, BEST_CODE };

/* -- values ------------------------------------------------------------------------------------------------------- */

unsigned ews_number(struct slice s)
{
	unsigned long long n;

	return slice_number(slice_trim(s), LONGEST_NUMBER, &n) ? (unsigned)n : 0;
}

static bool take_digits(const char **text, int count, int most, int *out)
{
	int n = 0;

	for (int i = 0; i < count; i++) {
		if (!isdigit((unsigned char)(*text)[i]))
			return false;
		n = n * 10 + ((*text)[i] - '0');
	}
	*text += count;
	*out = n;
	return n <= most;
}

static bool take_sign(const char **text, char sign)
{
	return **text == sign && (*text)++;
}

/* "Z", "+02:00", or nothing. */
static bool take_zone(const char **text, int *seconds_out)
{
	int  hours = 0, minutes = 0;
	bool west = **text == '-';

	*seconds_out = 0;
	if (!**text || take_sign(text, 'Z'))
		return !**text;
	if ((!take_sign(text, '-') && !take_sign(text, '+')) || !take_digits(text, 2, 14, &hours) || !take_sign(text, ':')
	    || !take_digits(text, 2, 59, &minutes))
		return false;
	*seconds_out = (hours * 3600 + minutes * 60) * (west ? -1 : 1);
	return !**text;
}

/* As timegm(), which asks for the zone of this machine before it does without: months from 1, years from 0. */
static int64_t seconds_of(const struct tm *tm)
{
	static const int before[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334 };
	int64_t          year = tm->tm_year, gone = year - (tm->tm_mon < 3), days;

	days = 365 * (year - 1970) + gone / 4 - gone / 100 + gone / 400 - 477 + before[tm->tm_mon - 1] + tm->tm_mday - 1;
	return ((days * 24 + tm->tm_hour) * 60 + tm->tm_min) * 60 + tm->tm_sec;
}

int64_t ews_time(const char *text)
{
	struct tm tm = { 0 };
	int       zone = 0;

	if (!text || !take_digits(&text, 4, 9999, &tm.tm_year) || !take_sign(&text, '-') || !take_digits(&text, 2, 12, &tm.tm_mon)
	    || !take_sign(&text, '-') || !take_digits(&text, 2, 31, &tm.tm_mday) || !take_sign(&text, 'T')
	    || !take_digits(&text, 2, 24, &tm.tm_hour) || !take_sign(&text, ':') || !take_digits(&text, 2, 59, &tm.tm_min)
	    || !take_sign(&text, ':') || !take_digits(&text, 2, 60, &tm.tm_sec))
		return 0;
	if (take_sign(&text, '.'))
		text += strspn(text, "0123456789");
	if (!take_zone(&text, &zone) || tm.tm_mon < 1)
		return 0;
	return seconds_of(&tm) - zone;
}

bool ews_truth(struct slice s)
{
	s = slice_trim(s);
	return slice_is(s, "true") || slice_is(s, "1");
}

/* Into room that is there once: what comes without end shall not fill the arena. */
void ews_keep_name(char (*to)[EWS_NAME + 1], struct slice s)
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
	struct slice class = ews_attribute(e, "ResponseClass");

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
	struct slice name = ews_attribute(e, "Name"), uri = ews_attribute(e, "FieldURI");

	ews_keep_name(&r->value_name, name.len ? name : e->name);
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
	struct slice        schema = ews_attribute(e, "Version");

	if (v->major)
		return;
	v->major = ews_number(ews_attribute(e, "MajorVersion"));
	v->minor = ews_number(ews_attribute(e, "MinorVersion"));
	v->build = ews_number(ews_attribute(e, "MajorBuildNumber"));
	v->revision = ews_number(ews_attribute(e, "MinorBuildNumber"));
	if (schema.len && schema.len <= LONGEST_VERSION && !v->schema)
		v->schema = arena_copy(r->into, schema);
}

static void begin_found(struct ews_reader *r, const struct ews_element *e)
{
	r->answer.total_in_view = ews_number(ews_attribute(e, "TotalItemsInView"));
	r->answer.last_in_range = ews_truth(ews_attribute(e, "IncludesLastItemInRange"));
}

static void read_last_in_range(struct ews_reader *r, const struct ews_row *row, struct slice text)
{
	(void)row;
	r->answer.last_in_range = ews_truth(text);
}

static void read_sync_state(struct ews_reader *r, const struct ews_row *row, struct slice text)
{
	(void)row;
	r->answer.sync_state = keep(r, &r->sync_state, slice_trim(text));
}

void ews_read_subscription(struct ews_reader *r, const struct ews_row *row, struct slice text)
{
	(void)row;
	r->answer.subscription_id = keep(r, &r->subscription_id, slice_trim(text));
}

void ews_read_watermark(struct ews_reader *r, const struct ews_row *row, struct slice text)
{
	(void)row;
	r->answer.watermark = keep(r, &r->watermark, slice_trim(text));
}

static void read_connection(struct ews_reader *r, const struct ews_row *row, struct slice text)
{
	(void)row;
	r->answer.connection_status = keep(r, &r->connection_status, slice_trim(text));
}

/* -- tables ------------------------------------------------------------------------------------------------------- */

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
	{ ANY(M), .becomes = OPERATION },
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
	{ ANY(ANY_OF_OURS), .becomes = LEAF, .text = read_value, .begin = begin_value },
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
	{ ANY(M), .becomes = RESPONSE, .begin = begin_response, .end = end_outcome },
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
	{ TEXT("SubscriptionId",            M, ews_read_subscription), .uncut = true },
	{ TEXT("Watermark",                 M, ews_read_watermark),    .uncut = true },
	{ TEXT("ConnectionStatus",          M, read_connection)    },
	{ TEXT("IncludesLastItemInRange",   M, read_last_in_range) },
	{ TEXT("IncludesLastFolderInRange", M, read_last_in_range) },
	{ IN("ErrorSubscriptionIds",        M, LOST)               },
};

static const struct ews_row in_found[] = {
	{ IN("Items",   T, ITEMS) },
	{ IN("Folders", T, ITEMS) },
};

static const struct ews_row in_lost[] = {
	{ TEXT("SubscriptionId", T | M, read_lost), .uncut = true },
};

static const struct ews_rows places[PLACES] = {
	[DOCUMENT]         = { in_document, COUNT(in_document) },
	[ENVELOPE]         = { in_envelope, COUNT(in_envelope) },
	[HEADER]           = { in_header, COUNT(in_header) },
	[BODY]             = { in_body, COUNT(in_body) },
	[FAULT]            = { in_fault, COUNT(in_fault) },
	[FAULT_CODE]       = { in_fault_code, COUNT(in_fault_code) },
	[FAULT_SUBCODE]    = { in_fault_subcode, COUNT(in_fault_subcode) },
	[FAULT_REASON]     = { in_fault_reason, COUNT(in_fault_reason) },
	[DETAIL]           = { in_detail, COUNT(in_detail) },
	[MESSAGE_XML]      = { in_message_xml, COUNT(in_message_xml) },
	[OPERATION]        = { in_operation, COUNT(in_operation) },
	[RESPONSES]        = { in_responses, COUNT(in_responses) },
	[FREE_BUSY]        = { in_free_busy, COUNT(in_free_busy) },
	[RESPONSE]         = { in_response, COUNT(in_response) },
	[FOUND]            = { in_found, COUNT(in_found) },
	[LOST]             = { in_lost, COUNT(in_lost) },
};

const struct ews_row ews_row_document = { .becomes = DOCUMENT };
const struct ews_row ews_row_nowhere = { .becomes = NOWHERE };

static bool is_named(const struct ews_row *row, struct slice name)
{
	return !row->name || (row->name_len == name.len && bytes_same(row->name, name.at, name.len));
}

const struct ews_row *ews_row_find(enum ews_place place, struct slice name, unsigned space, unsigned *from)
{
	const struct ews_rows *rows = places[place].row ? &places[place] : &ews_item_places[place];
	size_t                 at = *from;

	for (size_t i = 0; i < rows->count; i++, at++) {
		const struct ews_row *row = &rows->row[at = at < rows->count ? at : 0];

		if ((row->spaces & space) && is_named(row, name)) {
			*from = (unsigned)at + 1;
			return row;
		}
	}
	return NULL;
}
