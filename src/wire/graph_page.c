/* What the members of a page mean: one table for each place. What has no place is passed over with all that is in it. */
#include "wire/graph_page.h"

#include <stdlib.h>

#include "base/buffer.h"
#include "wire/ews.h"
#include "wire/graph.h"
#include "wire/json_stream.h"

#define CODE 64

enum place { NOWHERE, DOCUMENT, MESSAGES, MESSAGE, SENDER, SENDER_ADDRESS, ERROR, PLACES };
enum field { ID, RECEIVED, SUBJECT, FROM, INTERNET_MESSAGE_ID, FIELDS, NEXT, DELTA, ERROR_CODE, REMOVED, NO_FIELD };

static const enum place outside_of[PLACES] = {
	[MESSAGES] = DOCUMENT, [MESSAGE] = MESSAGES, [SENDER] = MESSAGE, [SENDER_ADDRESS] = SENDER, [ERROR] = DOCUMENT,
};

struct row {
	const char *name;
	size_t      name_len;
	enum place  becomes;           /* where its value is an object, or the array of messages */
	enum field  field;             /* where it is a text                                     */
};

#define TEXT(n, f)  { .name = n, .name_len = sizeof n - 1, .field = f }
#define IN(n, p)    { .name = n, .name_len = sizeof n - 1, .becomes = p, .field = NO_FIELD }

static const struct row in_document[] = {
	TEXT("@odata.nextLink", NEXT), TEXT("@odata.deltaLink", DELTA), IN("value", MESSAGES), IN("error", ERROR),
};

/* In the order in which Graph writes them: what follows is looked for behind what was found. */
static const struct row in_message[] = {
	TEXT("receivedDateTime", RECEIVED), TEXT("internetMessageId", INTERNET_MESSAGE_ID), TEXT("subject", SUBJECT), TEXT("id", ID),
	IN("from", SENDER), TEXT("@removed", REMOVED),
};

static const struct row in_sender[] = { IN("emailAddress", SENDER_ADDRESS) };
static const struct row in_sender_address[] = { TEXT("address", FROM) };
static const struct row in_error[] = { TEXT("code", ERROR_CODE) };

static const struct { const struct row *row; size_t count; } rows_in[PLACES] = {
	[DOCUMENT]       = { in_document, COUNT(in_document) },
	[MESSAGE]        = { in_message, COUNT(in_message) },
	[SENDER]         = { in_sender, COUNT(in_sender) },
	[SENDER_ADDRESS] = { in_sender_address, COUNT(in_sender_address) },
	[ERROR]          = { in_error, COUNT(in_error) },
};

struct graph_page {
	struct graph_page_listener listener;
	struct json_stream         json;
	enum place                 place;
	unsigned                   lost;             /* so deep in what has no place              */
	const struct row          *row;              /* of the member under way; NULL: none of ours */
	size_t                     looked;           /* where the next one is looked for first    */
	size_t                     bytes, messages;
	bool                       has_messages, removed;
	bool                       in_text, cut;     /* of the text under way, a piece came; no more of it is taken */
	struct buffer              link;
	enum field                 leads;            /* NEXT, DELTA, or NO_FIELD                  */
	char                       code[CODE];
	size_t                     code_len;
	unsigned                   seen;             /* of the message, a bit for each row        */
	size_t                     len[FIELDS];
	char                       text[FIELDS][GRAPH_TEXT + 1];
};

static void broken(struct graph_page *p, const char *why)
{
	json_stop(&p->json, JSON_BROKEN, why);
}

/* -- messages ----------------------------------------------------------------------------------------------------- */

static void begin_message(struct graph_page *p)
{
	if (p->messages == GRAPH_ITEMS)
		json_stop(&p->json, JSON_TOO_BIG, "too many messages in one page");
	memset(p->len, 0, sizeof p->len);
	p->seen = 0;
	p->removed = false;
}

static struct slice text_of(const struct graph_page *p, enum field field)
{
	struct slice whole = slice_trim(slice(p->text[field], p->len[field]));

	return whole.len ? whole : slice(NULL, 0);
}

#define AT_ONCE 16

/* Sixteen bytes at a time: whether all of them are letters, digits and signs. The bytes of UTF-8 are below zero. */
static bool are_visible(const char *at)
{
	signed char __attribute__((vector_size(AT_ONCE))) bytes, odd;
	uint64_t half[2];

	memcpy(&bytes, at, sizeof bytes);
	odd = (bytes <= ' ') | (bytes == 0x7f);
	memcpy(half, &odd, sizeof half);
	return !(half[0] | half[1]);
}

/* It becomes part of ids of our own. */
static bool is_name(struct slice id)
{
	char last[AT_ONCE];

	if (!id.len)
		return false;
	for (; id.len >= AT_ONCE; id = slice_from(id, AT_ONCE))
		if (!are_visible(id.at))
			return false;
	memset(last, '-', sizeof last);
	memcpy(last, id.at, id.len);
	return are_visible(last);
}

static int64_t time_of(struct graph_page *p)
{
	p->text[RECEIVED][p->len[RECEIVED]] = '\0';
	return ews_time(p->text[RECEIVED]);
}

static void end_message(struct graph_page *p)
{
	struct graph_news m = { .id = slice(p->text[ID], p->len[ID]), .removed = p->removed };

	if (!is_name(m.id)) {
		broken(p, "a message without an id");
		return;
	}
	m.subject = text_of(p, SUBJECT);
	m.from = text_of(p, FROM);
	m.internet_message_id = text_of(p, INTERNET_MESSAGE_ID);
	m.received = time_of(p);
	p->messages++;
	if (p->listener.message)
		p->listener.message(p->listener.self, &m);
}

/* As much of it as there is room for; a NUL would end it. */
static void add_text(struct graph_page *p, enum field field, struct slice piece)
{
	size_t room = GRAPH_TEXT - p->len[field];
	char  *to = p->text[field] + p->len[field];

	if (piece.len > room) {
		if (field == ID)
			json_stop(&p->json, JSON_TOO_BIG, "an id that is too long");
		p->cut = true;
		while (room && ((unsigned char)piece.at[room] & 0xc0) == 0x80)
			room--;
		piece.len = room;
	}
	if (piece.len)
		memcpy(to, piece.at, piece.len);
	p->len[field] += piece.len;
	/* it comes in a piece of its own, and would end the text for whoever reads it as C does */
	if (piece.len == 1 && !*to)
		*to = '\1';
}

/* -- links -------------------------------------------------------------------------------------------------------- */

static void add_link(struct graph_page *p, enum field field, struct slice piece, bool first)
{
	if (!piece.len)
		return;
	if (first && p->leads != NO_FIELD)
		broken(p, "a page that leads to two places");
	p->leads = field;
	if (memchr(piece.at, '\0', piece.len))
		broken(p, "a link that is none");
	/* with a NUL behind it */
	if (buffer_held(&p->link).len + piece.len >= GRAPH_LINK || !buffer_add(&p->link, piece))
		json_stop(&p->json, JSON_TOO_BIG, "a link that is too long");
}

static void add_code(struct graph_page *p, struct slice piece)
{
	size_t room = CODE - 1 - p->code_len;

	if (piece.len > room)
		piece.len = room;
	for (size_t i = 0; i < piece.len; i++)
		p->code[p->code_len++] = piece.at[i] > ' ' && piece.at[i] <= '~' ? piece.at[i] : '?';
}

/* -- the document ------------------------------------------------------------------------------------------------- */

static void on_name(void *self, struct slice name)
{
	struct graph_page *p = self;
	const struct row  *row = rows_in[p->place].row;
	size_t             count = rows_in[p->place].count;

	p->row = NULL;
	if (p->lost)
		return;
	for (size_t i = 0; i < count; i++) {
		size_t at = p->looked + i < count ? p->looked + i : p->looked + i - count;

		if (row[at].name_len != name.len || !bytes_same(row[at].name, name.at, name.len))
			continue;
		p->looked = at + 1 < count ? at + 1 : 0;
		p->row = &row[at];
		break;
	}
	/* where a message says something twice, the first counts */
	if (p->place != MESSAGE || !p->row)
		return;
	if (p->seen & 1u << (p->row - row))
		p->row = NULL;
	else
		p->seen |= 1u << (p->row - row);
	p->removed |= p->row && p->row->field == REMOVED;
}

static void enter(struct graph_page *p, enum place place)
{
	p->place = place;
	p->looked = 0;
	p->row = NULL;
}

static void on_begin(void *self, bool array)
{
	struct graph_page *p = self;
	enum place         becomes = p->row ? p->row->becomes : NOWHERE;

	if (p->lost) {
		p->lost++;
	} else if (p->place == NOWHERE) {
		enter(p, DOCUMENT);
		if (array)
			broken(p, "no page of messages");
	} else if (p->place == MESSAGES) {
		enter(p, MESSAGE);
		begin_message(p);
		if (array)
			broken(p, "a message without an id");
	} else if (becomes == MESSAGES && (!array || p->has_messages)) {
		broken(p, array ? "two lists of messages" : "no page of messages");
	} else if (becomes != NOWHERE && array == (becomes == MESSAGES)) {
		p->has_messages |= array;
		enter(p, becomes);
	} else {
		p->lost = 1;
	}
}

static void on_end(void *self)
{
	struct graph_page *p = self;

	if (p->lost) {
		p->lost--;
		return;
	}
	if (p->place == MESSAGE)
		end_message(p);
	else if (p->place == ERROR)
		broken(p, "an error in the midst of the page");
	enter(p, outside_of[p->place]);
	/* behind the sender others of the message follow */
	p->looked = p->place == MESSAGE ? COUNT(in_message) - 1 : 0;
}

/* Neither a page nor a message is a text, a number or the like. */
static void on_plain(struct graph_page *p)
{
	if (p->lost)
		return;
	if (p->place == NOWHERE || (p->row && p->row->becomes == MESSAGES))
		broken(p, "no page of messages");
	else if (p->place == MESSAGES)
		broken(p, "a message without an id");
}

static void on_text(void *self, struct slice piece, bool last)
{
	struct graph_page *p = self;
	enum field         field = p->row && !p->lost ? p->row->field : NO_FIELD;

	on_plain(p);
	if (field < FIELDS && !p->cut)
		add_text(p, field, piece);
	else if (field == NEXT || field == DELTA)
		add_link(p, field, piece, !p->in_text);
	else if (field == ERROR_CODE)
		add_code(p, piece);
	p->in_text = !last;
	p->cut &= !last;
}

static void on_word(void *self, enum json_word word, struct slice text)
{
	(void)word, (void)text;
	on_plain(self);
}

/* -- the whole ---------------------------------------------------------------------------------------------------- */

struct graph_page *graph_page_new(const struct graph_page_listener *listener)
{
	struct graph_page         *p = must_alloc(sizeof *p);
	const struct json_listener json = { p, on_begin, on_end, on_name, on_text, on_word };

	p->listener = *listener;
	p->leads = NO_FIELD;
	json_stream_init(&p->json, &json);
	buffer_init(&p->link, GRAPH_LINK);
	return p;
}

void graph_page_free(struct graph_page *p)
{
	if (!p)
		return;
	buffer_release(&p->link);
	free(p);
}

static bool failed(const struct graph_page *p, struct error *err)
{
	return fail(err, p->json.state == JSON_TOO_BIG ? FAULT_TOO_BIG : FAULT_BROKEN, "%s%s%s", p->json.why, *p->code ? ": " : "", p->code);
}

bool graph_page_feed(struct graph_page *p, struct slice bytes, struct error *err)
{
	p->bytes += bytes.len;
	if (p->bytes > GRAPH_PAGE)
		json_stop(&p->json, JSON_TOO_BIG, "a page that is too long");
	return json_feed(&p->json, bytes) || failed(p, err);
}

bool graph_page_finish(struct graph_page *p, struct error *err)
{
	if (json_finish(&p->json)) {
		if (!p->has_messages)
			broken(p, "no page of messages");
		if (p->leads == NO_FIELD || !buffer_add(&p->link, slice("", 1)))
			broken(p, "a page that leads nowhere");
	}
	return p->json.state == JSON_GOES_ON || failed(p, err);
}

static const char *link_of(const struct graph_page *p, enum field leads)
{
	return p->leads == leads ? buffer_held(&p->link).at : NULL;
}

const char *graph_page_next(const struct graph_page *p)
{
	return link_of(p, NEXT);
}

const char *graph_page_delta(const struct graph_page *p)
{
	return link_of(p, DELTA);
}

size_t graph_page_messages(const struct graph_page *p)
{
	return p->messages;
}

const char *graph_page_error(const struct graph_page *p)
{
	return p->code;
}
