#include "sandbox/imap_fetch.h"

#include <stdio.h>
#include <strings.h>
#include <time.h>

#include "sandbox/imap_parts.h"

/* -- dates -------------------------------------------------------------------------------------------------------- */

static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };

const char *stamp_of(struct arena *arena, int64_t unix_s)
{
	time_t    t = (time_t)unix_s;
	struct tm at;

	gmtime_r(&t, &at);
	return arena_print(arena, "%02d-%s-%04d %02d:%02d:%02d +0000", at.tm_mday, months[at.tm_mon], at.tm_year + 1900, at.tm_hour, at.tm_min, at.tm_sec);
}

bool stamp_read(struct slice text, int64_t *unix_s)
{
	char      copy[40], month[4] = "";
	struct tm at = { 0 };
	int       zone = 0, got;

	snprintf(copy, sizeof copy, "%.*s", (int)text.len, text.at ? text.at : "");
	got = sscanf(copy, " %d-%3s-%d %d:%d:%d %d", &at.tm_mday, month, &at.tm_year, &at.tm_hour, &at.tm_min, &at.tm_sec, &zone);
	at.tm_mon = -1;
	for (int i = 0; i < 12; i++)
		if (strcasecmp(months[i], month) == 0)
			at.tm_mon = i;
	if (got < 3 || at.tm_mon < 0 || at.tm_year < 1970 || at.tm_year > 9999 || zone < -2359 || zone > 2359)
		return false;
	at.tm_year -= 1900;
	*unix_s = (int64_t)timegm(&at) - (zone / 100 * 3600 + zone % 100 * 60);
	return true;
}

/* -- FETCH: what is asked for --------------------------------------------------------------------------------------- */

static const struct { const char *name, *stands_for; } macros[] = {
	{ "ALL", "FLAGS INTERNALDATE RFC822.SIZE ENVELOPE" }, { "FAST", "FLAGS INTERNALDATE RFC822.SIZE" },
	{ "FULL", "FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODY" },
};

/* "<0.500>" behind the bracket. */
static bool read_part_of(struct slice text, unsigned long long *from, unsigned long long *most)
{
	struct slice first;

	if (text.len < 3 || text.at[0] != '<' || text.at[text.len - 1] != '>')
		return false;
	text = slice(text.at + 1, text.len - 2);
	first = slice_cut(&text, '.');
	return slice_number(first, UINT32_MAX, from) && slice_number(text, UINT32_MAX, most);
}

static bool read_item(struct fetch *f, struct slice word)
{
	size_t open = slice_find(word, '['), close = slice_find(word, ']');

	if (f->count == FETCH_ITEMS)
		return false;
	f->item[f->count].name = slice_upto(word, open);
	f->item[f->count].has_section = open < word.len;
	f->item[f->count].partial = false;
	if (open < word.len) {
		if (close == word.len || close < open)
			return false;
		f->item[f->count].section = slice(word.at + open + 1, close - open - 1);
		f->item[f->count].peeks = slice_is(f->item[f->count].name, "BODY.PEEK");
		if (close + 1 < word.len) {
			f->item[f->count].partial = true;
			if (!read_part_of(slice_from(word, close + 1), &f->item[f->count].from, &f->item[f->count].most))
				return false;
		}
		f->sets_seen |= !f->item[f->count].peeks;
	}
	f->sets_seen |= slice_is(word, "RFC822") || slice_is(word, "RFC822.TEXT");
	f->has_uid |= slice_is(word, "UID");
	f->has_flags |= slice_is(word, "FLAGS");
	f->count++;
	return true;
}

static bool read_items(struct slice rest, struct fetch *out)
{
	struct slice word;

	while (read_atom(&rest, &word))
		if (!read_item(out, word))
			return false;
	return read_end(&rest);
}

bool fetch_read(struct slice *rest, struct fetch *out)
{
	struct slice word;
	bool         many;

	*out = (struct fetch){ .count = 0 };
	many = read_mark(rest, '(');
	while (read_atom(rest, &word)) {
		for (size_t i = 0; !many && i < COUNT(macros); i++)
			if (slice_is(word, macros[i].name))
				return read_items(slice_str(macros[i].stands_for), out);
		if (!read_item(out, word))
			return false;
		if (!many)
			break;
	}
	return out->count && (!many || read_mark(rest, ')'));
}

/* -- FETCH: what is told ------------------------------------------------------------------------------------------ */

static void add_section(struct buffer *out, const struct fetch *f, size_t n, struct arena *work, const struct part *p)
{
	struct slice text, section = f->item[n].section;
	bool         there = section_read(work, p, section, &text);

	buffer_print(out, "BODY[%.*s]", (int)section.len, section.at);
	if (f->item[n].partial) {
		buffer_print(out, "<%llu>", f->item[n].from);
		text = slice_upto(slice_from(text, (size_t)f->item[n].from), (size_t)f->item[n].most);
	}
	buffer_add_str(out, " ");
	if (!there) {
		buffer_add_str(out, "NIL");
		return;
	}
	buffer_print(out, "{%zu}\r\n", text.len);
	buffer_add(out, text);
}

static void add_old(struct buffer *out, const char *name, struct slice text)
{
	buffer_print(out, "%s {%zu}\r\n", name, text.len);
	buffer_add(out, text);
}

static bool add_item(struct buffer *out, const struct fetch *f, size_t n, struct arena *work, const struct item *i, const struct part *p)
{
	struct slice name = f->item[n].name;
	char         flags[80];

	if (f->item[n].has_section && (slice_is(name, "BODY") || slice_is(name, "BODY.PEEK")))
		add_section(out, f, n, work, p);
	else if (slice_is(name, "UID"))
		buffer_print(out, "UID %u", i->number);
	else if (slice_is(name, "FLAGS"))
		buffer_print(out, "FLAGS (%s)", marks_text(marks_of(i), flags));
	else if (slice_is(name, "INTERNALDATE"))
		buffer_print(out, "INTERNALDATE \"%s\"", stamp_of(work, i->received));
	else if (slice_is(name, "RFC822.SIZE"))
		buffer_print(out, "RFC822.SIZE %zu", i->mime.len);
	else if (slice_is(name, "ENVELOPE")) {
		buffer_add_str(out, "ENVELOPE ");
		envelope_add(out, work, p->header);
	} else if (slice_is(name, "BODY") || slice_is(name, "BODYSTRUCTURE")) {
		buffer_print(out, "%.*s ", (int)name.len, name.at);
		structure_add(out, work, p, slice_is(name, "BODYSTRUCTURE"));
	} else if (slice_is(name, "RFC822"))
		add_old(out, "RFC822", p->all);
	else if (slice_is(name, "RFC822.HEADER"))
		add_old(out, "RFC822.HEADER", p->header);
	else if (slice_is(name, "RFC822.TEXT"))
		add_old(out, "RFC822.TEXT", p->body);
	else
		return false;
	return true;
}

bool fetch_add(struct buffer *out, const struct fetch *f, struct arena *work, const struct item *i)
{
	const struct part *p = part_read(work, i->mime);

	for (size_t n = 0; n < f->count; n++) {
		buffer_add_str(out, n ? " " : "");
		if (!add_item(out, f, n, work, i, p))
			return false;
	}
	return true;
}

/* -- SEARCH ------------------------------------------------------------------------------------------------------- */

#define SEARCH_DEEPEST 20

enum key {
	KEY_ALL, KEY_MARK, KEY_NO_MARK, KEY_NONE, KEY_FIELD, KEY_HEADER, KEY_BODY, KEY_TEXT, KEY_LARGER, KEY_SMALLER,
	KEY_BEFORE, KEY_ON, KEY_SINCE, KEY_UID, KEY_NOT, KEY_OR, KEY_WORD,
};

static const struct { const char *word; enum key key; unsigned mark; const char *field; } keys[] = {
	{ "ALL", KEY_ALL, 0, NULL }, { "OLD", KEY_ALL, 0, NULL }, { "NEW", KEY_NONE, 0, NULL }, { "RECENT", KEY_NONE, 0, NULL },
	{ "SEEN", KEY_MARK, MARK_SEEN, NULL }, { "ANSWERED", KEY_MARK, MARK_ANSWERED, NULL }, { "FLAGGED", KEY_MARK, MARK_FLAGGED, NULL },
	{ "DELETED", KEY_MARK, MARK_DELETED, NULL }, { "DRAFT", KEY_MARK, MARK_DRAFT, NULL },
	{ "UNSEEN", KEY_NO_MARK, MARK_SEEN, NULL }, { "UNANSWERED", KEY_NO_MARK, MARK_ANSWERED, NULL }, { "UNFLAGGED", KEY_NO_MARK, MARK_FLAGGED, NULL },
	{ "UNDELETED", KEY_NO_MARK, MARK_DELETED, NULL }, { "UNDRAFT", KEY_NO_MARK, MARK_DRAFT, NULL },
	{ "FROM", KEY_FIELD, 0, "From" }, { "TO", KEY_FIELD, 0, "To" }, { "CC", KEY_FIELD, 0, "Cc" }, { "BCC", KEY_FIELD, 0, "Bcc" },
	{ "SUBJECT", KEY_FIELD, 0, "Subject" }, { "HEADER", KEY_HEADER, 0, NULL }, { "BODY", KEY_BODY, 0, NULL }, { "TEXT", KEY_TEXT, 0, NULL },
	{ "LARGER", KEY_LARGER, 0, NULL }, { "SMALLER", KEY_SMALLER, 0, NULL }, { "BEFORE", KEY_BEFORE, 0, NULL }, { "ON", KEY_ON, 0, NULL },
	{ "SINCE", KEY_SINCE, 0, NULL }, { "SENTBEFORE", KEY_BEFORE, 0, NULL }, { "SENTON", KEY_ON, 0, NULL }, { "SENTSINCE", KEY_SINCE, 0, NULL },
	{ "UID", KEY_UID, 0, NULL }, { "NOT", KEY_NOT, 0, NULL }, { "OR", KEY_OR, 0, NULL }, { "KEYWORD", KEY_WORD, 0, NULL },
	{ "UNKEYWORD", KEY_WORD, 1, NULL },
};

static bool field_has(struct arena *work, const struct item *i, const char *wanted, struct slice text)
{
	struct slice rest = i->mime;
	const char  *name, *value;

	while (mime_field(work, &rest, &name, &value))
		if (strcasecmp(name, wanted) == 0 && slice_has(slice_str(value), arena_copy(work, text)))
			return true;
	/* what the writer put in other letters is looked for as it reads */
	return strcasecmp(wanted, "Subject") == 0 && i->shown.subject && slice_has(slice_str(i->shown.subject), arena_copy(work, text));
}

static bool compare(enum key key, const struct search_of *s, struct slice arg, bool *bad)
{
	int64_t            day = 0, received = s->item->received - s->item->received % 86400;
	unsigned long long n = 0;

	if (key == KEY_LARGER || key == KEY_SMALLER) {
		*bad |= !slice_number(arg, UINT32_MAX, &n);
		return key == KEY_LARGER ? s->item->mime.len > n : s->item->mime.len < n;
	}
	*bad |= !stamp_read(arg, &day);
	return key == KEY_BEFORE ? received < day : key == KEY_ON ? received == day : received >= day;
}

static bool with_text(enum key key, const char *field, struct slice *rest, const struct search_of *s, bool *bad)
{
	struct slice text = slice("", 0), name = slice_str(field);
	struct slice body;

	if (key == KEY_HEADER && !read_string(s->work, rest, &name))
		*bad = true;
	if (!read_string(s->work, rest, &text))
		*bad = true;
	if (*bad)
		return false;
	body = key == KEY_BODY ? part_read(s->work, s->item->mime)->body : s->item->mime;
	if (key == KEY_BODY || key == KEY_TEXT)
		return slice_has(body, arena_copy(s->work, text));
	return field_has(s->work, s->item, arena_copy(s->work, name), text);
}

static bool in_set(struct slice text, uint32_t n, uint32_t last, bool *bad)
{
	struct number_set set;

	*bad |= !set_read(text, last, &set);
	return !*bad && set_has(&set, n);
}

static bool one_key(struct slice *rest, const struct search_of *s, int depth, bool *bad);

static bool keyed(size_t row, struct slice *rest, const struct search_of *s, int depth, bool *bad)
{
	unsigned     marks = marks_of(s->item);
	enum key     key = keys[row].key;
	struct slice arg = slice("", 0);
	bool         a, b;

	switch (key) {
	case KEY_ALL:     return true;
	case KEY_NONE:    return false;
	case KEY_MARK:    return (marks & keys[row].mark) != 0;
	case KEY_NO_MARK: return (marks & keys[row].mark) == 0;
	case KEY_NOT:     return !one_key(rest, s, depth + 1, bad);
	case KEY_OR:
		a = one_key(rest, s, depth + 1, bad);
		b = one_key(rest, s, depth + 1, bad);
		return a || b;
	case KEY_FIELD:
	case KEY_HEADER:
	case KEY_BODY:
	case KEY_TEXT:    return with_text(key, keys[row].field, rest, s, bad);
	default:          break;
	}
	if (!read_string(s->work, rest, &arg)) {
		*bad = true;
		return false;
	}
	if (key == KEY_WORD)
		return keys[row].mark == 1;
	return key == KEY_UID ? in_set(arg, s->item->number, s->last_uid, bad) : compare(key, s, arg, bad);
}

static bool one_key(struct slice *rest, const struct search_of *s, int depth, bool *bad)
{
	struct slice word;
	bool         fits;

	if (depth > SEARCH_DEEPEST || *bad) {
		*bad = true;
		return false;
	}
	if (read_mark(rest, '(')) {
		fits = search_fits(rest, s, depth + 1, bad);
		*bad |= !read_mark(rest, ')');
		return fits;
	}
	if (!read_atom(rest, &word)) {
		*bad = true;
		return false;
	}
	for (size_t i = 0; i < COUNT(keys); i++)
		if (slice_is(word, keys[i].word))
			return keyed(i, rest, s, depth, bad);
	return in_set(word, s->sequence, s->last_sequence, bad);
}

bool search_fits(struct slice *rest, const struct search_of *s, int depth, bool *bad)
{
	bool fits = true;

	do
		fits &= one_key(rest, s, depth, bad);
	while (!*bad && !read_end(rest) && !(slice_trim(*rest).len && slice_trim(*rest).at[0] == ')'));
	return fits && !*bad;
}
