#include "wire/google.h"

#include <time.h>

#include "base/json.h"
#include "wire/header.h"
#include "wire/sasl.h"

static const cJSON *member(const cJSON *object, const char *name)
{
	return cJSON_GetObjectItemCaseSensitive(object, name);
}

/* An object, or NULL. */
static cJSON *document(struct slice body, struct error *err)
{
	cJSON *json = json_read(body, GOOGLE_ANSWER, err);

	if (!json || cJSON_IsObject(json))
		return json;
	fail(err, FAULT_BROKEN, "no object");
	cJSON_Delete(json);
	return NULL;
}

/* Some lists that are empty are left out altogether. */
static bool is_list(const cJSON *list)
{
	return !list || cJSON_IsArray(list);
}

static bool is_one_of_us(const char *text, const char *more)
{
	for (; text && *text; text++) {
		bool plain = (*text >= '0' && *text <= '9') || (*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z');

		if (!plain && !strchr(more, *text))
			return false;
	}
	return text != NULL;
}

/* Ids become part of paths of ours, tokens of a query. */
static const char *name_of(const cJSON *json, const char *name, const char *more, struct arena *a)
{
	const char *text = json_copy(json, name, a);

	return text && strlen(text) <= GOOGLE_TOKEN && is_one_of_us(text, more) ? text : NULL;
}

/* -- errors ------------------------------------------------------------------------------------------------------- */

static void add_reason(struct google_error *e, const char *reason, struct arena *a)
{
	for (size_t i = 0; reason && i < e->reasons; i++)
		if (strcmp(e->reason[i], reason) == 0)
			return;
	if (reason && *reason && e->reasons < GOOGLE_REASONS)
		e->reason[e->reasons++] = arena_str(a, reason);
}

static void add_reasons(struct google_error *e, const cJSON *list, struct arena *a)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, list) {
		add_reason(e, json_text(item, "reason"), a);
		if (!e->service)
			e->service = json_copy(member(item, "metadata"), "service", a);
	}
}

bool google_error_read(struct slice body, struct arena *a, struct google_error *e)
{
	struct error none = { 0 };
	cJSON       *json = json_read(body, GOOGLE_ANSWER, &none);
	const cJSON *error = member(json, "error");

	*e = (struct google_error){ .status = json_copy(error, "status", a), .message = json_copy(error, "message", a) };
	add_reasons(e, member(error, "details"), a);
	add_reasons(e, member(error, "errors"), a);
	cJSON_Delete(json);
	return e->reasons || e->status || e->message;
}

/* -- who ---------------------------------------------------------------------------------------------------------- */

bool google_account_read(struct slice body, struct arena *a, struct google_account *u, struct error *err)
{
	cJSON *json = document(body, err);

	*u = (struct google_account){ 0 };
	if (!json)
		return false;
	*u = (struct google_account){ json_copy(json, "sub", a), json_copy(json, "email", a), json_copy(json, "hd", a) };
	cJSON_Delete(json);
	return u->id || u->address || fail(err, FAULT_BROKEN, "an account without a name");
}

static bool is_number(const char *text)
{
	size_t len = text ? strspn(text, "0123456789") : 0;

	return len && len <= 20 && !text[len];
}

bool google_profile_read(struct slice body, struct arena *a, struct google_profile *p, struct error *err)
{
	cJSON *json = document(body, err);

	*p = (struct google_profile){ .messages = -1 };
	if (!json)
		return false;
	p->address = json_copy(json, "emailAddress", a);
	p->history = json_copy(json, "historyId", a);
	if (!is_number(p->history))
		p->history = NULL;
	if (cJSON_IsNumber(member(json, "messagesTotal")) && json_number(json, "messagesTotal", -1) < 1e12)
		p->messages = (long long)json_number(json, "messagesTotal", -1);
	cJSON_Delete(json);
	return p->address || fail(err, FAULT_BROKEN, "a mailbox without an address");
}

/* -- the mailbox -------------------------------------------------------------------------------------------------- */

static bool take_labels(const cJSON *list, struct google_labels *l, struct error *err)
{
	const cJSON *item;

	if (!cJSON_IsArray(list))
		return fail(err, FAULT_BROKEN, "no list of labels");
	cJSON_ArrayForEach(item, list) {
		const char *id = json_text(item, "id"), *type = json_text(item, "type");

		if (!id || !*id)
			return fail(err, FAULT_BROKEN, "a label without an id");
		l->count++;
		l->own += type && strcmp(type, "user") == 0;
		l->inbox |= strcmp(id, "INBOX") == 0;
		l->sent |= strcmp(id, "SENT") == 0;
	}
	return true;
}

bool google_labels_read(struct slice body, struct google_labels *l, struct error *err)
{
	cJSON *json = document(body, err);
	bool   fine;

	*l = (struct google_labels){ 0 };
	fine = json && take_labels(member(json, "labels"), l, err);
	cJSON_Delete(json);
	return fine;
}

static void take_sender(const cJSON *item, struct google_sender *s, struct arena *a)
{
	const char *state = json_text(item, "verificationStatus");

	*s = (struct google_sender){ .address = json_copy(item, "sendAsEmail", a), .primary = cJSON_IsTrue(member(item, "isPrimary")),
		.usual = cJSON_IsTrue(member(item, "isDefault")), .alias = cJSON_IsTrue(member(item, "treatAsAlias")) };
	/* the mailbox's own needs nobody's agreement, and has no such member */
	s->confirmed = s->primary || (state && strcmp(state, "accepted") == 0);
}

bool google_senders_read(struct slice body, struct arena *a, struct google_senders *s, struct error *err)
{
	cJSON       *json = document(body, err);
	const cJSON *list = member(json, "sendAs"), *item;
	bool         fine = cJSON_IsArray(list);

	s->count = 0;
	if (!json)
		return false;
	cJSON_ArrayForEach(item, list) {
		if (s->count == GOOGLE_SENDERS)
			break;
		take_sender(item, &s->item[s->count], a);
		s->count += s->item[s->count].address != NULL;
	}
	cJSON_Delete(json);
	return fine || fail(err, FAULT_BROKEN, "no list of addresses");
}

/* -- messages ----------------------------------------------------------------------------------------------------- */

static bool take_messages(const cJSON *json, struct arena *a, struct google_messages *m, struct error *err)
{
	const cJSON *list = member(json, "messages"), *item;

	if (!is_list(list))
		return fail(err, FAULT_BROKEN, "no list of messages");
	cJSON_ArrayForEach(item, list) {
		if (m->count == GOOGLE_PAGE)
			return fail(err, FAULT_TOO_BIG, "more than %d messages in one page", GOOGLE_PAGE);
		if (!(m->id[m->count++] = name_of(item, "id", "-_", a)))
			return fail(err, FAULT_BROKEN, "a message without an id");
	}
	m->next = name_of(json, "nextPageToken", "-_.~=+/", a);
	return true;
}

bool google_messages_read(struct slice body, struct arena *a, struct google_messages *m, struct error *err)
{
	cJSON *json = document(body, err);
	bool   fine;

	*m = (struct google_messages){ .count = 0 };
	fine = json && take_messages(json, a, m, err);
	cJSON_Delete(json);
	return fine;
}

static const char *header_of(const cJSON *message, const char *name, struct arena *a)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, member(member(message, "payload"), "headers")) {
		const char *its = json_text(item, "name");

		if (its && slice_is(slice_str(its), name))
			return json_copy(item, "value", a);
	}
	return NULL;
}

/* Numbers of 64 bits come as texts. */
static long long long_number(const cJSON *json, const char *name)
{
	unsigned long long n;
	const char        *text = json_text(json, name);

	return text && slice_number(slice_str(text), INT64_MAX, &n) ? (long long)n : 0;
}

bool google_message_read(struct slice body, struct arena *a, struct google_message *m, struct error *err)
{
	cJSON *json = document(body, err);

	*m = (struct google_message){ 0 };
	if (!json)
		return false;
	*m = (struct google_message){ .id = name_of(json, "id", "-_", a), .subject = header_of(json, "Subject", a),
		.from = header_of(json, "From", a), .content_type = header_of(json, "Content-Type", a),
		.references = header_of(json, "References", a), .to = header_of(json, "To", a),
		.in_reply_to = header_of(json, "In-Reply-To", a) };
	if (!m->references)
		m->references = m->in_reply_to;
	m->message_id = header_of(json, "Message-ID", a);
	m->is_test = header_of(json, HEADER_TEST, a) != NULL;
	m->received = long_number(json, "internalDate") / 1000;
	if (cJSON_IsNumber(member(json, "sizeEstimate")) && json_number(json, "sizeEstimate", 0) > 0 && json_number(json, "sizeEstimate", 0) < 1e12)
		m->size = (long long)json_number(json, "sizeEstimate", 0);
	cJSON_Delete(json);
	return m->id || fail(err, FAULT_BROKEN, "a message without an id");
}

/* -- what happened ------------------------------------------------------------------------------------------------ */

static bool has_inbox(const cJSON *labels)
{
	const cJSON *label;

	cJSON_ArrayForEach(label, labels)
		if (cJSON_IsString(label) && strcmp(label->valuestring, "INBOX") == 0)
			return true;
	return false;
}

/* Put there anew, and moved there later: it is new all the same. */
static bool add_arrival(struct google_history *h, const char *id, bool moved, struct error *err)
{
	for (size_t i = 0; i < h->count; i++)
		if (strcmp(h->item[i].id, id) == 0)
			return true;
	if (h->count == GOOGLE_ARRIVALS)
		return fail(err, FAULT_TOO_BIG, "more than %d messages in one page", GOOGLE_ARRIVALS);
	h->item[h->count++] = (struct google_arrival){ id, moved };
	return true;
}

static bool take_arrivals(const cJSON *list, bool moved, struct arena *a, struct google_history *h, struct error *err)
{
	const cJSON *item;

	if (!is_list(list))
		return fail(err, FAULT_BROKEN, "no list of messages");
	cJSON_ArrayForEach(item, list) {
		const cJSON *message = member(item, "message");
		const char  *id = name_of(message, "id", "-_", a);

		if (!id)
			return fail(err, FAULT_BROKEN, "a message without an id");
		/* where a label was given: to that one, which is told beside the message */
		if (has_inbox(member(moved ? item : message, "labelIds")) && !add_arrival(h, id, moved, err))
			return false;
	}
	return true;
}

static bool take_history(const cJSON *json, struct arena *a, struct google_history *h, struct error *err)
{
	const cJSON *list = member(json, "history"), *item;
	size_t       room = 0;

	if (!is_list(list))
		return fail(err, FAULT_BROKEN, "no list of what happened");
	cJSON_ArrayForEach(item, list)
		room += (size_t)cJSON_GetArraySize(member(item, "messagesAdded")) + (size_t)cJSON_GetArraySize(member(item, "labelsAdded"));
	h->item = arena_get(a, ((room < GOOGLE_ARRIVALS ? room : GOOGLE_ARRIVALS) + 1) * sizeof *h->item);
	cJSON_ArrayForEach(item, list)
		if (!take_arrivals(member(item, "messagesAdded"), false, a, h, err) || !take_arrivals(member(item, "labelsAdded"), true, a, h, err))
			return false;
	h->next = name_of(json, "nextPageToken", "-_.~=+/", a);
	if (!h->next && member(json, "nextPageToken"))
		return fail(err, FAULT_BROKEN, "the name of the next page is none");
	h->until = json_copy(json, "historyId", a);
	return is_number(h->until) || fail(err, FAULT_BROKEN, "no moment to go on from");
}

bool google_history_read(struct slice body, struct arena *a, struct google_history *h, struct error *err)
{
	cJSON *json = document(body, err);
	bool   fine;

	*h = (struct google_history){ 0 };
	fine = json && take_history(json, a, h, err);
	cJSON_Delete(json);
	return fine;
}

/* -- a message's bytes -------------------------------------------------------------------------------------------- */

static void swap_signs(char *text, const char *from, const char *to)
{
	for (; *text; text++)
		if (*text == from[0] || *text == from[1])
			*text = *text == from[0] ? to[0] : to[1];
}

bool google_raw_read(struct slice body, struct arena *a, struct slice *out, struct error *err)
{
	cJSON *json = document(body, err);
	char  *text;

	if (!json)
		return false;
	text = arena_str(a, json_text(json, "raw") ? json_text(json, "raw") : "");
	cJSON_Delete(json);
	swap_signs(text, "-_", "+/");
	return (*text && base64_decode(a, slice_str(text), out)) || fail(err, FAULT_BROKEN, "no message, or no base64");
}

bool google_raw_write(struct buffer *b, struct slice message)
{
	CLEANUP(arena) struct arena *job = arena_new();
	char *text = base64_encode(job, message);

	swap_signs(text, "+/", "-_");
	return buffer_print(b, "{\"raw\":\"") && buffer_add_str(b, text) && buffer_print(b, "\"}");
}

/* -- calendars ---------------------------------------------------------------------------------------------------- */

static bool take_calendars(const cJSON *json, struct arena *a, struct google_calendars *c, struct error *err)
{
	const cJSON *list = member(json, "items"), *item;

	if (!cJSON_IsArray(list))
		return fail(err, FAULT_BROKEN, "no list of calendars");
	cJSON_ArrayForEach(item, list) {
		const char *id = json_text(item, "id");

		if (!id || !*id)
			return fail(err, FAULT_BROKEN, "a calendar without an id");
		c->count++;
		if (!cJSON_IsTrue(member(item, "primary")) || c->primary)
			continue;
		c->primary = arena_str(a, id);
		c->time_zone = json_copy(item, "timeZone", a);
		c->role = json_copy(item, "accessRole", a);
	}
	c->next = name_of(json, "nextPageToken", "-_.~=+/", a);
	return true;
}

bool google_calendars_read(struct slice body, struct arena *a, struct google_calendars *c, struct error *err)
{
	cJSON *json = document(body, err);
	bool   fine;

	*c = (struct google_calendars){ 0 };
	fine = json && take_calendars(json, a, c, err);
	cJSON_Delete(json);
	return fine;
}

/* -- events ------------------------------------------------------------------------------------------------------- */

static struct google_time time_of(const cJSON *event, const char *name, struct arena *a)
{
	const cJSON *json = member(event, name);
	const char  *date = json_copy(json, "date", a);

	return (struct google_time){ date ? date : json_copy(json, "dateTime", a), json_copy(json, "timeZone", a), date != NULL };
}

static bool is_hidden(const char *visibility)
{
	return visibility && (strcmp(visibility, "private") == 0 || strcmp(visibility, "confidential") == 0);
}

static bool digits(struct slice *rest, size_t count, unsigned most, int *out)
{
	unsigned long long n;

	if (rest->len < count || !slice_number(slice_upto(*rest, count), most, &n))
		return false;
	*rest = slice_from(*rest, count);
	*out = (int)n;
	return true;
}

static bool sign(struct slice *rest, char c)
{
	if (!rest->len || *rest->at != c)
		return false;
	*rest = slice_from(*rest, 1);
	return true;
}

static bool read_day(struct slice *rest, struct tm *tm)
{
	int year, month, day;

	if (!digits(rest, 4, 9999, &year) || !sign(rest, '-') || !digits(rest, 2, 12, &month) || !sign(rest, '-')
	    || !digits(rest, 2, 31, &day) || month < 1 || day < 1)
		return false;
	*tm = (struct tm){ .tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day };
	return true;
}

static bool read_clock(struct slice *rest, struct tm *tm)
{
	if (!(sign(rest, 'T') || sign(rest, 't')) || !digits(rest, 2, 23, &tm->tm_hour) || !sign(rest, ':')
	    || !digits(rest, 2, 59, &tm->tm_min) || !sign(rest, ':') || !digits(rest, 2, 60, &tm->tm_sec))
		return false;
	if (sign(rest, '.'))
		while (rest->len && *rest->at >= '0' && *rest->at <= '9')
			*rest = slice_from(*rest, 1);
	return true;
}

/* Seconds east of UTC. */
static bool read_offset(struct slice *rest, int *out)
{
	int  hours = 0, minutes = 0;
	bool west;

	*out = 0;
	if (sign(rest, 'Z') || sign(rest, 'z'))
		return true;
	west = sign(rest, '-');
	if (!(west || sign(rest, '+')) || !digits(rest, 2, 23, &hours) || !sign(rest, ':') || !digits(rest, 2, 59, &minutes))
		return false;
	*out = (west ? -60 : 60) * (hours * 60 + minutes);
	return true;
}

bool google_moment(const struct google_time *t, int64_t *out)
{
	struct slice rest = slice_str(t->at);
	struct tm    tm;
	int          east = 0;

	if (!t->at || !read_day(&rest, &tm) || (!t->day && !(read_clock(&rest, &tm) && read_offset(&rest, &east))) || rest.len)
		return false;
	*out = (int64_t)timegm(&tm) - east;
	return true;
}

static long long moment_in(const cJSON *json, const char *name, struct arena *a)
{
	int64_t at;

	return google_moment(&(struct google_time){ .at = json_copy(json, name, a) }, &at) && at > 0 ? at : 0;
}

static bool take_event(const cJSON *json, struct google_event *e, struct arena *a)
{
	const char *status = json_text(json, "status");

	*e = (struct google_event){ .id = name_of(json, "id", "-_", a), .uid = json_copy(json, "iCalUID", a), .etag = json_copy(json, "etag", a),
		.summary = json_copy(json, "summary", a), .series = name_of(json, "recurringEventId", "-_", a), .start = time_of(json, "start", a),
		.end = time_of(json, "end", a), .original = time_of(json, "originalStartTime", a), .gone = status && strcmp(status, "cancelled") == 0,
		.created = moment_in(json, "created", a), .updated = moment_in(json, "updated", a), .recurs = cJSON_IsArray(member(json, "recurrence")),
		.hidden = is_hidden(json_text(json, "visibility")) };
	return e->id != NULL;
}

static bool take_events(const cJSON *json, struct arena *a, struct google_events *p, struct error *err)
{
	const cJSON *list = member(json, "items"), *item;
	size_t       most = (size_t)cJSON_GetArraySize(list);

	if (!cJSON_IsArray(list))
		return fail(err, FAULT_BROKEN, "no list of events");
	if (most > GOOGLE_EVENTS)
		return fail(err, FAULT_TOO_BIG, "%zu events in one page", most);
	p->item = arena_get(a, (most + 1) * sizeof *p->item);
	cJSON_ArrayForEach(item, list)
		if (!take_event(item, &p->item[p->count++], a))
			return fail(err, FAULT_BROKEN, "an event without an id");
	p->next = name_of(json, "nextPageToken", "-_.~=+/", a);
	p->sync = name_of(json, "nextSyncToken", "-_.~=+/", a);
	return !p->next || !p->sync || fail(err, FAULT_BROKEN, "a page that leads on and to an end");
}

bool google_events_read(struct slice body, struct arena *a, struct google_events *p, struct error *err)
{
	cJSON *json = document(body, err);
	bool   fine;

	*p = (struct google_events){ 0 };
	fine = json && take_events(json, a, p, err);
	cJSON_Delete(json);
	return fine;
}

/* -- scopes ------------------------------------------------------------------------------------------------------- */

static const char *whole_name(const char *scope)
{
	return strcmp(scope, "email") == 0 ? "https://www.googleapis.com/auth/userinfo.email"
	     : strcmp(scope, "profile") == 0 ? "https://www.googleapis.com/auth/userinfo.profile" : scope;
}

bool google_event_write(struct buffer *b, const struct google_new_event *e, bool whole)
{
	if (whole && !buffer_print(b, "{\"id\":\"%s\",\"summary\":\"%s\",\"visibility\":\"private\",\"transparency\":\"transparent\",\"reminders\":{\"useDefault\":false},"
	                           "\"extendedProperties\":{\"private\":{\"" GOOGLE_MARK "\":\"%s\"}},", e->id, e->summary, e->mark))
		return false;
	return buffer_print(b, "%s\"start\":{\"dateTime\":\"%s\",\"timeZone\":\"%s\"},\"end\":{\"dateTime\":\"%s\",\"timeZone\":\"%s\"}}",
	                    whole ? "" : "{", e->start, e->zone, e->end, e->zone);
}

bool google_scope_has(const char *granted, const char *scope)
{
	struct slice rest = slice_str(granted);

	while (rest.at) {
		struct slice one = slice_trim(slice_cut(&rest, ' '));

		if (one.len && (slice_equal(one, slice_str(scope)) || slice_equal(one, slice_str(whole_name(scope)))))
			return true;
	}
	return false;
}
