#include "wire/imap.h"

#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>

#define WHY       120
#define QUOTE_MAX 60       /* of what a peer said that is no IMAP */

struct imap_reader {
	size_t longest_line, longest_literal;
	size_t seen;             /* everything before it was looked at; may lie behind what is held: inside a literal */
	size_t line;             /* where the line at `seen` begins, the response's first or the one behind a literal */
	size_t literals;         /* bytes of literals so far in this response, all before `seen` */
	bool   broken;
	char   why[WHY];
};

struct imap_reader *imap_reader_new(size_t longest_line, size_t longest_literal)
{
	struct imap_reader *r = must_alloc(sizeof *r);

	assert(longest_line < SIZE_MAX / 4 && longest_literal < SIZE_MAX / 4);     /* so that no sum of them wraps */
	r->longest_line = longest_line;
	r->longest_literal = longest_literal;
	return r;
}

void imap_reader_free(struct imap_reader *r)
{
	free(r);
}

const char *imap_broken(const struct imap_reader *r)
{
	return r->why;
}

static void next_response(struct imap_reader *r)
{
	r->seen = r->line = r->literals = 0;
}

void imap_reader_clear(struct imap_reader *r)
{
	next_response(r);
	r->broken = false;
	r->why[0] = '\0';
}

static struct imap_event more(void)
{
	return (struct imap_event){ .kind = IMAP_MORE };
}

static struct imap_event broken(struct imap_reader *r)
{
	r->broken = true;
	return (struct imap_event){ .kind = IMAP_BROKEN };
}

static struct slice without_line_end(struct slice line)
{
	if (line.len && line.at[line.len - 1] == '\n')
		line.len--;
	if (line.len && line.at[line.len - 1] == '\r')
		line.len--;
	return line;
}

static struct imap_event broken_by(struct imap_reader *r, const char *what, struct slice line)
{
	char heard[QUOTE_MAX + 1];

	line = slice_trim(slice_upto(slice_upto(line, slice_find(line, '\n')), QUOTE_MAX));
	for (size_t i = 0; i < line.len; i++)
		heard[i] = line.at[i] >= ' ' && line.at[i] <= '~' ? line.at[i] : '.';
	heard[line.len] = '\0';
	snprintf(r->why, sizeof r->why, "%s: %s", what, heard);
	return broken(r);
}

static struct imap_event line_too_long(struct imap_reader *r)
{
	snprintf(r->why, sizeof r->why, "a line longer than %zu bytes", r->longest_line);
	return broken(r);
}

/* -- the shape of a line ------------------------------------------------------------------------------------------ */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_tag_char(char c)
{
	return is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '.';
}

static bool is_special(char c)
{
	switch (c) {
	case '(': case ')': case '{': case '%': case '*': case '"': case '\\': case ']':
		return true;
	}
	return (unsigned char)c <= ' ' || (unsigned char)c >= 0x7f;
}

/* Up to the first space, which is gone as well. */
static struct slice cut_word(struct slice *rest)
{
	struct slice word = slice_cut(rest, ' ');

	if (!rest->at && word.at)
		*rest = slice(word.at + word.len, 0);
	return word;
}

static bool is_word(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (is_special(s.at[i]))
			return false;
	return s.len > 0;
}

static bool is_tag(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!is_tag_char(s.at[i]))
			return false;
	return s.len > 0;
}

/* slice_is(), inlined: for nearly every word the length alone says no. */
static inline bool is(struct slice word, const char *text)
{
	return word.len == strlen(text) && strncasecmp(word.at, text, word.len) == 0;
}

static bool is_result(struct slice word)
{
	return is(word, "OK") || is(word, "NO") || is(word, "BAD");
}

static bool is_status(struct slice word)
{
	return is_result(word) || is(word, "BYE") || is(word, "PREAUTH");
}

static bool is_untagged(struct slice line)
{
	return line.len >= 2 && line.at[0] == '*' && line.at[1] == ' ';
}

/* Human text may end in "{5}" and mean nothing by it; only data goes on behind a literal (RFC 9051 §9, resp-text).
 * Looks no further than it must: it is asked anew at every literal of a response. */
static bool takes_literals(struct slice line)
{
	if (!is_untagged(line))
		return false;
	line = slice_upto(slice_from(line, 2), sizeof "PREAUTH");
	return !is_status(cut_word(&line));
}

/* Where the code ends that begins behind its "[". A bracket inside a quoted string is none (RFC 9051, BADCHARSET); a
 * lone quote mark, though, is only a quote mark. */
static size_t code_end(struct slice s)
{
	bool quoted = false;

	for (size_t i = 0; i < s.len; i++)
		if (quoted && s.at[i] == '\\')
			i++;
		else if (s.at[i] == '"')
			quoted = !quoted;
		else if (s.at[i] == ']' && !quoted)
			return i;
	return slice_find(s, ']');
}

static bool split_status(struct slice rest, struct imap_event *e)
{
	if (rest.len && rest.at[0] == '[') {
		rest = slice_from(rest, 1);
		e->code = slice_upto(rest, code_end(rest));
		if (e->code.len == rest.len)
			return false;
		rest = slice_from(rest, e->code.len + 1);
		if (rest.len && rest.at[0] == ' ')
			rest = slice_from(rest, 1);
	}
	e->text = rest;
	return true;
}

enum shape { SHAPE_GOOD, SHAPE_NOT_IMAP, SHAPE_OPEN_CODE };

static enum shape split_untagged(struct slice rest, struct imap_event *e)
{
	unsigned long long number;

	e->kind = IMAP_UNTAGGED;
	e->word = cut_word(&rest);
	if (e->word.len && is_digit(e->word.at[0])) {
		if (!slice_number(e->word, UINT32_MAX, &number))
			return SHAPE_NOT_IMAP;
		e->number = (uint32_t)number;
		e->word = cut_word(&rest);
	} else if (is_status(e->word)) {
		return split_status(rest, e) ? SHAPE_GOOD : SHAPE_OPEN_CODE;
	}
	e->text = rest;
	return is_word(e->word) ? SHAPE_GOOD : SHAPE_NOT_IMAP;
}

/* "+OK" is POP3. Any other text right behind the plus is a challenge whose space was forgotten. */
static enum shape split_continuation(struct slice rest, struct imap_event *e)
{
	struct slice after = rest;

	e->kind = IMAP_CONTINUE;
	if (rest.len && rest.at[0] == ' ')
		rest = slice_from(rest, 1);
	else if (slice_is(cut_word(&after), "OK"))
		return SHAPE_NOT_IMAP;
	e->text = rest;
	return SHAPE_GOOD;
}

static enum shape split_tagged(struct slice rest, struct imap_event *e)
{
	e->kind = IMAP_TAGGED;
	e->tag = cut_word(&rest);
	e->word = cut_word(&rest);
	if (!is_tag(e->tag) || !is_result(e->word))
		return SHAPE_NOT_IMAP;
	return split_status(rest, e) ? SHAPE_GOOD : SHAPE_OPEN_CODE;
}

static enum shape split(struct slice line, struct imap_event *e)
{
	if (is_untagged(line))
		return split_untagged(slice_from(line, 2), e);
	if (line.len && line.at[0] == '+')
		return split_continuation(slice_from(line, 1), e);
	return split_tagged(line, e);
}

static bool can_begin(char c)
{
	return c == '*' || c == '+' || is_tag_char(c);
}

/* -- the reader --------------------------------------------------------------------------------------------------- */

/* The digits of "{42}" or "{42+}" at the end of a line, or an empty slice. What comes before them, also the "~" of a
 * binary literal (RFC 3516), is not its business. */
static struct slice literal_at_end(struct slice line)
{
	size_t end, start;

	if (line.len < 3 || line.at[line.len - 1] != '}')
		return slice(NULL, 0);
	end = line.len - 1;
	if (line.at[end - 1] == '+')
		end--;
	for (start = end; start > 0 && is_digit(line.at[start - 1]); start--)
		;
	if (start == end || start == 0 || line.at[start - 1] != '{')
		return slice(NULL, 0);
	return slice(line.at + start, end - start);
}

static bool skip_literal(struct imap_reader *r, struct slice digits)
{
	unsigned long long n;

	if (!slice_number(digits, ULLONG_MAX, &n) || n > r->longest_literal - r->literals) {
		snprintf(r->why, sizeof r->why, "a literal of %.*s bytes", (int)slice_upto(digits, 40).len, digits.at);
		return false;
	}
	r->line = r->seen += (size_t)n;
	r->literals += (size_t)n;
	return true;
}

static struct imap_event whole(struct imap_reader *r, struct slice line, size_t *used)
{
	struct imap_event e = { .line = line };

	switch (split(line, &e)) {
	case SHAPE_NOT_IMAP:
		return broken_by(r, "not IMAP", line);
	case SHAPE_OPEN_CODE:
		return broken_by(r, "a response code without its end", line);
	case SHAPE_GOOD:
		break;
	}
	*used = r->seen;
	next_response(r);
	return e;
}

struct imap_event imap_next(struct imap_reader *r, struct slice bytes, size_t *used)
{
	*used = 0;
	if (r->broken)
		return broken(r);
	/* What is no IMAP may never send a line end (the alert of a TLS server): do not wait for it. */
	if (bytes.len && !can_begin(bytes.at[0]))
		return broken_by(r, "not IMAP", bytes);
	while (r->seen < bytes.len) {
		const char  *end = memchr(bytes.at + r->seen, '\n', bytes.len - r->seen);
		struct slice line, digits;

		if (!end) {
			r->seen = bytes.len;
			/* One more, as the last byte may be the CR of the line end. */
			return r->seen - r->literals > r->longest_line + 1 ? line_too_long(r) : more();
		}
		r->seen = (size_t)(end - bytes.at) + 1;
		/* A CR that ends a literal is not part of the line end behind it. */
		line = slice_upto(bytes, r->line + without_line_end(slice(bytes.at + r->line, r->seen - r->line)).len);
		if (line.len - r->literals > r->longest_line)
			return line_too_long(r);
		digits = literal_at_end(slice_from(line, r->line));
		if (digits.len == 0 || !takes_literals(line))
			return whole(r, line, used);
		if (!skip_literal(r, digits))
			return broken(r);
	}
	return more();
}

/* -- taking data apart -------------------------------------------------------------------------------------------- */

/* Nothing behind junk can be trusted; and so no loop over values reads the same bytes twice. */
static enum imap_value_kind junk(struct slice *rest)
{
	*rest = slice(rest->at + rest->len, 0);
	return IMAP_JUNK;
}

static struct slice unescape(struct slice s, struct arena *into)
{
	char  *text;
	size_t len = 0;

	if (slice_find(s, '\\') == s.len)
		return s;
	text = arena_get(into, s.len + 1);
	for (size_t i = 0; i < s.len; i++) {
		/* Only these two may be escaped; servers that forget to double a backslash mean the backslash. */
		if (s.at[i] == '\\' && i + 1 < s.len && (s.at[i + 1] == '"' || s.at[i + 1] == '\\'))
			i++;
		text[len++] = s.at[i];
	}
	return slice(text, len);
}

static enum imap_value_kind quoted_value(struct slice *rest, struct arena *into, struct slice *out)
{
	for (size_t i = 1; i < rest->len; i++)
		switch (rest->at[i]) {
		case '"':
			*out = unescape(slice(rest->at + 1, i - 1), into);
			*rest = slice_from(*rest, i + 1);
			return IMAP_STRING;
		case '\\':
			i += i + 1 < rest->len && (rest->at[i + 1] == '"' || rest->at[i + 1] == '\\');
			break;
		case '\0': case '\r': case '\n':
			return junk(rest);
		}
	return junk(rest);
}

static enum imap_value_kind literal_value(struct slice *rest, struct slice *out)
{
	struct slice       s    = slice_from(*rest, rest->at[0] == '~' ? 2 : 1);
	size_t             end  = slice_find(slice_upto(s, WHY), '\n');
	struct slice       size = without_line_end(slice_upto(s, end));
	unsigned long long n;

	if (end >= s.len || s.at[end] != '\n' || !slice_ends(size, "}"))
		return junk(rest);
	size.len--;
	if (slice_ends(size, "+"))
		size.len--;
	s = slice_from(s, end + 1);
	if (!slice_number(size, ULLONG_MAX, &n) || n > s.len)
		return junk(rest);
	*out = slice_upto(s, (size_t)n);
	*rest = slice_from(s, (size_t)n);
	return IMAP_STRING;
}

static bool ends_atom(char c)
{
	return (unsigned char)c <= ' ' || c == 0x7f || c == '(' || c == ')' || c == '"' || c == '{';
}

/* Between its brackets BODY[HEADER.FIELDS (FROM TO)] has spaces and parentheses. */
static bool names_section(struct slice s)
{
	return slice_starts(s, "BODY[") || slice_starts(s, "BODY.PEEK[") || slice_starts(s, "BINARY[")
	    || slice_starts(s, "BINARY.SIZE[");
}

static enum imap_value_kind atom_value(struct slice *rest, struct slice *out)
{
	size_t len = 0;

	if (names_section(*rest)) {
		len = slice_find(*rest, ']');
		if (len == rest->len)
			return junk(rest);
	}
	while (len < rest->len && !ends_atom(rest->at[len]))
		len++;
	if (len == 0 || (len < rest->len && (unsigned char)rest->at[len] < ' '))
		return junk(rest);
	*out = slice_upto(*rest, len);
	*rest = slice_from(*rest, len);
	return slice_is(*out, "NIL") ? IMAP_NIL : IMAP_ATOM;
}

enum imap_value_kind imap_value(struct slice *rest, struct arena *into, struct slice *out)
{
	while (rest->len && rest->at[0] == ' ')
		*rest = slice_from(*rest, 1);
	*out = slice_upto(*rest, 1);
	if (rest->len == 0)
		return IMAP_END;
	if (rest->at[0] == '(' || rest->at[0] == ')') {
		*rest = slice_from(*rest, 1);
		return out->at[0] == '(' ? IMAP_OPEN : IMAP_CLOSE;
	}
	if (rest->at[0] == '"')
		return quoted_value(rest, into, out);
	if (slice_starts(*rest, "{") || slice_starts(*rest, "~{"))
		return literal_value(rest, out);
	return atom_value(rest, out);
}

bool imap_list_has(struct slice list, const char *word)
{
	while (list.len)
		if (slice_is(slice_cut(&list, ' '), word))
			return *word != '\0';
	return false;
}

struct slice imap_code_word(struct slice code)
{
	return cut_word(&code);
}

struct slice imap_code_rest(struct slice code)
{
	cut_word(&code);
	return code;
}

bool imap_mailbox(struct slice text, struct arena *into, struct imap_mailbox *out)
{
	struct imap_mailbox  box;
	enum imap_value_kind kind;
	size_t               close;

	while (text.len && text.at[0] == ' ')
		text = slice_from(text, 1);
	close = slice_find(text, ')');
	if (close == text.len || text.at[0] != '(')
		return false;
	box.flags = slice_trim(slice(text.at + 1, close - 1));
	text = slice_from(text, close + 1);

	kind = imap_value(&text, into, &box.delimiter);
	if (kind == IMAP_NIL)
		box.delimiter.len = 0;
	else if (kind != IMAP_STRING || box.delimiter.len > 1)
		return false;

	kind = imap_value(&text, into, &box.name);      /* a mailbox may well be called NIL */
	if ((kind != IMAP_ATOM && kind != IMAP_STRING && kind != IMAP_NIL) || slice_find(box.name, '\0') < box.name.len)
		return false;
	*out = box;
	return true;
}

/* Past the parenthesis that was opened just now. */
static void skip_list(struct slice *rest, struct arena *work)
{
	struct slice value;
	size_t       depth = 1;

	while (depth) {
		enum imap_value_kind kind = imap_value(rest, work, &value);

		if (kind == IMAP_END || kind == IMAP_JUNK)
			return;
		depth += kind == IMAP_OPEN;
		depth -= kind == IMAP_CLOSE;
	}
}

bool imap_fetch(struct slice text, struct arena *into, struct imap_fetch *out)
{
	struct slice       name, value;
	unsigned long long n;

	*out = (struct imap_fetch){ 0 };
	if (imap_value(&text, into, &name) != IMAP_OPEN)
		return false;
	while (imap_value(&text, into, &name) == IMAP_ATOM) {
		enum imap_value_kind kind = imap_value(&text, into, &value);

		if (kind == IMAP_OPEN)
			skip_list(&text, into);
		else if (kind == IMAP_ATOM && slice_is(name, "UID") && slice_number(value, UINT32_MAX, &n))
			out->uid = (uint32_t)n;
		else if (kind == IMAP_ATOM && slice_is(name, "RFC822.SIZE"))
			slice_number(value, UINT64_MAX, &out->size);
		else if (kind == IMAP_STRING && slice_is(name, "INTERNALDATE"))
			out->internal_date = value;
		else if (kind == IMAP_STRING && slice_starts(name, "BODY["))
			out->body = value;
	}
	return true;
}

/* Two or four digits at a fixed place; a blank stands for a leading zero of the day. */
static bool digits(struct slice text, size_t at, size_t len, int most, int *out)
{
	unsigned long long n;
	struct slice       part = slice_upto(slice_from(text, at), len);

	if (part.len && part.at[0] == ' ')
		part = slice_from(part, 1);
	if (!slice_number(part, (unsigned long long)most, &n))
		return false;
	*out = (int)n;
	return true;
}

int64_t imap_date(struct slice text)
{
	static const char *const months = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct tm tm = { 0 };
	int       month = 0, zone_h, zone_m;
	int64_t   at;

	if (text.len != strlen("21-Nov-2026 08:00:00 +0200") || text.at[2] != '-' || text.at[6] != '-' || text.at[14] != ':' || text.at[17] != ':')
		return 0;
	while (month < 12 && strncasecmp(months + 3 * month, text.at + 3, 3) != 0)
		month++;
	if (month == 12 || !digits(text, 0, 2, 31, &tm.tm_mday) || !digits(text, 7, 4, 9999, &tm.tm_year)
	    || !digits(text, 12, 2, 23, &tm.tm_hour) || !digits(text, 15, 2, 59, &tm.tm_min) || !digits(text, 18, 2, 60, &tm.tm_sec)
	    || !digits(text, 22, 2, 14, &zone_h) || !digits(text, 24, 2, 59, &zone_m) || (text.at[21] != '+' && text.at[21] != '-'))
		return 0;
	tm.tm_mon = month;
	tm.tm_year -= 1900;
	at = timegm(&tm);
	return text.at[21] == '+' ? at - zone_h * 3600 - zone_m * 60 : at + zone_h * 3600 + zone_m * 60;
}

/* -- modified UTF-7 ----------------------------------------------------------------------------------------------- */

static size_t put_utf8(char *at, unsigned long c)
{
	if (c < 0x80) {
		at[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		at[0] = (char)(0xc0 | c >> 6);
		at[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		at[0] = (char)(0xe0 | c >> 12);
		at[1] = (char)(0x80 | (c >> 6 & 0x3f));
		at[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	at[0] = (char)(0xf0 | c >> 18);
	at[1] = (char)(0x80 | (c >> 12 & 0x3f));
	at[2] = (char)(0x80 | (c >> 6 & 0x3f));
	at[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

static int base64_comma_value(char c)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";
	const char       *hit = c ? strchr(alphabet, c) : NULL;

	return hit ? (int)(hit - alphabet) : -1;
}

/* What stands between "&" and "-": UTF-16, big end first, in base64. At `out` is room for two bytes per digit. */
static bool decode_shifted(struct slice s, char *out, size_t *len)
{
	unsigned long bits = 0, unit, high = 0;
	int           have = 0;

	for (size_t i = 0; i < s.len; i++) {
		int value = base64_comma_value(s.at[i]);

		if (value < 0)
			return false;
		bits = (bits << 6 | (unsigned)value) & 0x3fffff;
		have += 6;
		if (have < 16)
			continue;
		have -= 16;
		unit = bits >> have & 0xffff;
		if (unit == 0 || (high != 0) != (unit >= 0xdc00 && unit <= 0xdfff))
			return false;
		if (unit >= 0xd800 && unit <= 0xdbff) {
			high = unit;
			continue;
		}
		*len += put_utf8(out + *len, high ? 0x10000 + ((high - 0xd800) << 10) + (unit - 0xdc00) : unit);
		high = 0;
	}
	return high == 0 && have < 6 && (bits & ((1ul << have) - 1)) == 0;
}

const char *imap_utf7_decode(struct slice name, struct arena *into)
{
	char  *text = arena_get(into, 2 * name.len + 1);
	size_t len  = 0;

	while (name.len) {
		char c = name.at[0];

		if (c < ' ' || c > '~')
			return NULL;
		name = slice_from(name, 1);
		if (c == '&') {
			size_t end = slice_find(name, '-');

			if (end == name.len || (end && !decode_shifted(slice_upto(name, end), text, &len)))
				return NULL;
			name = slice_from(name, end + 1);
			if (end)
				continue;
		}
		text[len++] = c;
	}
	return text;
}

/* -- saying ------------------------------------------------------------------------------------------------------- */

const char *imap_quoted(struct arena *into, const char *text)
{
	char  *quoted = arena_get(into, 2 * strlen(text) + 3);
	size_t len    = 0;

	quoted[len++] = '"';
	for (; *text; text++) {
		if (*text == '\r' || *text == '\n' || (unsigned char)*text >= 0x80)
			return NULL;
		if (*text == '"' || *text == '\\')
			quoted[len++] = '\\';
		quoted[len++] = *text;
	}
	quoted[len] = '"';
	return quoted;
}
