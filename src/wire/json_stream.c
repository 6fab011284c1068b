#include "wire/json_stream.h"

#include <endian.h>
#include <string.h>

#include "base/arena.h"
#include "wire/utf8.h"

/* What may come next. */
enum {
	AT_START,                          /* a byte order mark or the document */
	AT_MARK,                           /* the rest of one                   */
	AT_VALUE, AT_FIRST_VALUE,          /* the first one of an array, or its end */
	AT_NAME, AT_FIRST_NAME,            /* the first one of an object, or its end */
	AT_COLON,
	AT_NEXT,                           /* behind a value: a comma or an end */
	AT_END,                            /* behind the document               */
	IN_TEXT, IN_NAME, IN_NUMBER, IN_WORD,
};

/* Only what is inside of something else waits for a comma. */
static unsigned char behind_value(const struct json_stream *r)
{
	return r->depth ? AT_NEXT : AT_END;
}

static bool in_array(const struct json_stream *r)
{
	return r->arrays & 1;
}

void json_stop(struct json_stream *r, enum json_state state, const char *why)
{
	if (r->state != JSON_GOES_ON)
		return;
	r->state = state;
	r->why = why;
}

static const char *broken(struct json_stream *r, const char *at, const char *why)
{
	json_stop(r, JSON_BROKEN, why);
	return at;
}

void json_stream_init(struct json_stream *r, const struct json_listener *listener)
{
	*r = (struct json_stream){ .listener = *listener, .state = JSON_GOES_ON, .why = "", .at = AT_START };
}

/* -- characters --------------------------------------------------------------------------------------------------- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* So many bytes of a text at a time. */
#define AT_ONCE 16

static bool is_plain(char c)
{
	return (unsigned char)c >= ' ' && (unsigned char)c < 0x80 && c != '"' && c != '\\';
}

/* How many are nothing but themselves. The bytes of UTF-8 are below zero. */
static inline size_t plain_at_once(const char *at)
{
	signed char __attribute__((vector_size(AT_ONCE))) bytes, odd;
	uint64_t half[2];

	memcpy(&bytes, at, sizeof bytes);
	odd = (bytes < ' ') | (bytes == '"') | (bytes == '\\');
	memcpy(half, &odd, sizeof half);
	if (half[0])
		return (size_t)__builtin_ctzll(le64toh(half[0])) / 8;
	return half[1] ? 8 + (size_t)__builtin_ctzll(le64toh(half[1])) / 8 : AT_ONCE;
}

static inline const char *skip_plain(const char *at, const char *end)
{
	while (end - at >= AT_ONCE) {
		size_t plain = plain_at_once(at);

		at += plain;
		if (plain < AT_ONCE)
			return at;
	}
	while (at < end && is_plain(*at))
		at++;
	return at;
}

/* -1: these are no four digits; -2: they are cut. */
static long hex4(struct slice s)
{
	long value = 0;

	for (size_t i = 0; i < 4; i++) {
		char c = i < s.len ? s.at[i] : '\0', low = (char)(c | 0x20);

		if (i >= s.len)
			return -2;
		if (c >= '0' && c <= '9')
			value = value * 16 + c - '0';
		else if (low >= 'a' && low <= 'f')
			value = value * 16 + low - 'a' + 10;
		else
			return -1;
	}
	return value;
}

#define REPLACEMENT 0xfffdUL

/* "\ud83d" was read: with the other half behind it they are one character. Its length, -1 when that is cut. */
static int surrogates(struct slice s, long high, char out[4], size_t *out_len)
{
	struct slice behind = slice_from(s, 6);
	long         low = -1;

	if (high < 0xdc00) {
		if (!behind.len || (behind.at[0] == '\\' && behind.len < 2))
			return -1;
		if (behind.at[0] == '\\' && behind.at[1] == 'u')
			low = hex4(slice_from(behind, 2));
		if (low == -2)
			return -1;
	}
	if (low < 0xdc00 || low > 0xdfff) {
		*out_len = utf8_write(REPLACEMENT, out);
		return 6;
	}
	*out_len = utf8_write((unsigned long)(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00)), out);
	return 12;
}

/* "\n" at the start of `s`: its length, what it stands for in `out`; 0 when it is none, -1 when it is cut. */
static int escape(struct slice s, char out[4], size_t *out_len)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char       *found;
	long              value;

	if (s.len < 2)
		return -1;
	if (s.at[1] != 'u') {
		found = s.at[1] ? strchr(from, s.at[1]) : NULL;
		if (!found)
			return 0;
		*out = to[found - from];
		*out_len = 1;
		return 2;
	}
	value = hex4(slice_from(s, 2));
	if (value < 0)
		return value == -1 ? 0 : -1;
	if (value >= 0xd800 && value <= 0xdfff)
		return surrogates(s, value, out, out_len);
	*out_len = utf8_write((unsigned long)value, out);
	return 6;
}

/* What is not plain, at the start of `s`: as escape(). */
static int odd(struct slice s, char out[4], size_t *out_len)
{
	int len;

	if (s.at[0] == '\\')
		return escape(s, out, out_len);
	len = (unsigned char)s.at[0] < ' ' ? 0 : utf8_character(s);
	if (len > 0) {
		memcpy(out, s.at, (size_t)len);
		*out_len = (size_t)len;
	}
	return len;
}

/* -- texts and names ---------------------------------------------------------------------------------------------- */

static bool keep(struct json_stream *r, struct slice s)
{
	if (s.len > sizeof r->kept - r->kept_len) {
		json_stop(r, JSON_TOO_BIG, r->at == IN_NAME ? "a name that is too long" : "a number or a word that is too long");
		return false;
	}
	if (s.len)
		memcpy(r->kept + r->kept_len, s.at, s.len);
	r->kept_len += s.len;
	return true;
}

static void tell(struct json_stream *r, const char *from, const char *to, bool last)
{
	struct slice piece = slice(from, (size_t)(to - from));

	if (r->at == IN_NAME)
		keep(r, piece);
	else if (piece.len || last)
		r->listener.text(r->listener.self, piece, last);
}

static void text_ends(struct json_stream *r, const char *from, const char *to)
{
	tell(r, from, to, true);
	if (r->at == IN_NAME && r->state == JSON_GOES_ON)
		r->listener.name(r->listener.self, slice(r->kept, r->kept_len));
	r->at = r->at == IN_NAME ? AT_COLON : behind_value(r);
}

static const char *no_text(struct json_stream *r, const char *at)
{
	return broken(r, at, *at == '\\' ? "an escape that is none" : (unsigned char)*at < ' ' ? "a control character in a text" : "bytes that are no UTF-8");
}

/* What was cut, with what came now. Where it is done with; NULL: more is needed. */
static const char *read_odd(struct json_stream *r, const char *at, const char *end)
{
	while (r->odd_len && r->state == JSON_GOES_ON) {
		size_t before = r->odd_len, more = JSON_LONGEST_ODD - before, out_len = 0;
		char   out[4];
		int    len;

		more = (size_t)(end - at) < more ? (size_t)(end - at) : more;
		memcpy(r->odd + before, at, more);
		len = odd(slice(r->odd, before + more), out, &out_len);
		if (len < 0) {
			r->odd_len += more;
			return NULL;
		}
		if (len == 0)
			return no_text(r, r->odd);
		tell(r, out, out + out_len, false);
		/* half a pair may leave the beginning of another escape behind */
		if ((size_t)len < before)
			memmove(r->odd, r->odd + len, before - (size_t)len);
		else
			at += (size_t)len - before;
		r->odd_len = (size_t)len < before ? before - (size_t)len : 0;
	}
	return at;
}

static const char *read_text(struct json_stream *r, const char *at, const char *end)
{
	const char *from;

	if (r->odd_len && !(at = read_odd(r, at, end)))
		return end;
	for (from = at; (at = skip_plain(at, end)) < end && r->state == JSON_GOES_ON;) {
		char   out[4];
		size_t out_len = 0;
		int    len;

		if (*at == '"') {
			text_ends(r, from, at);
			return at + 1;
		}
		len = odd(slice(at, (size_t)(end - at)), out, &out_len);
		if (len == 0) {
			tell(r, from, at, false);
			return no_text(r, at);
		}
		/* characters are told with what is around them */
		if (len > 0 && *at != '\\') {
			at += len;
			continue;
		}
		tell(r, from, at, false);
		if (len < 0) {
			r->odd_len = (size_t)(end - at);
			memcpy(r->odd, at, r->odd_len);
			return end;
		}
		tell(r, out, out + out_len, false);
		from = at += len;
	}
	tell(r, from, at, false);
	return at;
}

/* Most of them stand there whole and plain. */
static const char *begin_name(struct json_stream *r, const char *at, const char *end)
{
	const char *to = skip_plain(at, end);

	if (to < end && *to == '"' && (size_t)(to - at) <= JSON_LONGEST_NAME) {
		r->listener.name(r->listener.self, slice(at, (size_t)(to - at)));
		r->at = to + 1 < end && to[1] == ':' ? AT_VALUE : AT_COLON;
		return r->at == AT_VALUE ? to + 2 : to + 1;
	}
	r->at = IN_NAME;
	r->kept_len = 0;
	return at;
}

/* -- numbers and words -------------------------------------------------------------------------------------------- */

static size_t digits(struct slice s)
{
	size_t len = 0;

	while (len < s.len && s.at[len] >= '0' && s.at[len] <= '9')
		len++;
	return len;
}

/* RFC 8259 §6, all of it. */
static bool is_number(struct slice s)
{
	size_t len;

	if (s.len && s.at[0] == '-')
		s = slice_from(s, 1);
	len = digits(s);
	if (!len || (len > 1 && s.at[0] == '0'))
		return false;
	s = slice_from(s, len);
	if (s.len && s.at[0] == '.') {
		len = digits(slice_from(s, 1));
		if (!len)
			return false;
		s = slice_from(s, len + 1);
	}
	if (!s.len)
		return true;
	if ((s.at[0] | 0x20) != 'e')
		return false;
	s = slice_from(s, 1);
	if (s.len && (s.at[0] == '+' || s.at[0] == '-'))
		s = slice_from(s, 1);
	return s.len && digits(s) == s.len;
}

static bool is_of_number(char c)
{
	return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || (c | 0x20) == 'e';
}

static void word_ends(struct json_stream *r, struct slice s)
{
	static const struct { const char *text; enum json_word word; } words[] = { { "null", JSON_NULL }, { "false", JSON_FALSE }, { "true", JSON_TRUE } };
	bool number = r->at == IN_NUMBER;

	r->at = behind_value(r);
	if (number && is_number(s)) {
		r->listener.word(r->listener.self, JSON_NUMBER, s);
		return;
	}
	for (size_t i = 0; !number && i < COUNT(words); i++)
		if (slice_equal(s, slice_str(words[i].text))) {
			r->listener.word(r->listener.self, words[i].word, s);
			return;
		}
	broken(r, s.at, number ? "a number that is none" : "a word that means nothing");
}

static const char *read_word(struct json_stream *r, const char *at, const char *end)
{
	const char *from = at;

	while (at < end && (r->at == IN_NUMBER ? is_of_number(*at) : *at >= 'a' && *at <= 'z'))
		at++;
	if (at < end && !r->kept_len) {
		if (at - from > JSON_LONGEST_NAME)
			json_stop(r, JSON_TOO_BIG, "a number or a word that is too long");
		else
			word_ends(r, slice(from, (size_t)(at - from)));
	} else if (keep(r, slice(from, (size_t)(at - from))) && at < end) {
		word_ends(r, slice(r->kept, r->kept_len));
	}
	return at;
}

/* -- values ------------------------------------------------------------------------------------------------------- */

static void begin(struct json_stream *r, bool array)
{
	if (r->depth == JSON_STREAM_DEEPEST) {
		json_stop(r, JSON_TOO_BIG, "too deep");
		return;
	}
	r->depth++;
	r->arrays = r->arrays << 1 | array;
	r->at = array ? AT_FIRST_VALUE : AT_FIRST_NAME;
	r->listener.begin(r->listener.self, array);
}

static void end_of(struct json_stream *r)
{
	r->depth--;
	r->arrays >>= 1;
	r->at = behind_value(r);
	r->listener.end(r->listener.self);
}

static const char *begin_value(struct json_stream *r, const char *at, const char *end)
{
	r->kept_len = 0;
	switch (*at) {
	case '{':
	case '[':
		begin(r, *at == '[');
		return at + 1;
	case '"':
		r->at = IN_TEXT;
		return read_text(r, at + 1, end);
	case '-':
	case '0' ... '9':
		r->at = IN_NUMBER;
		return at;
	case 'a' ... 'z':
		r->at = IN_WORD;
		return at;
	default:
		return broken(r, at, r->depth ? "no value where one is due" : "no JSON");
	}
}

static const char *begin_document(struct json_stream *r, const char *at)
{
	r->at = AT_VALUE;
	if (*at != '\xef')
		return at;
	r->at = AT_MARK;
	r->odd_len = 1;
	return at + 1;
}

static const char *read_mark(struct json_stream *r, const char *at)
{
	static const char mark[] = "\xef\xbb\xbf";

	if (*at != mark[r->odd_len])
		return broken(r, at, "no JSON");
	if (++r->odd_len == sizeof mark - 1) {
		r->odd_len = 0;
		r->at = AT_VALUE;
	}
	return at + 1;
}

/* Behind a value. */
static const char *read_next(struct json_stream *r, const char *at)
{
	if (*at == ',')
		r->at = in_array(r) ? AT_VALUE : AT_NAME;
	else if (*at == (in_array(r) ? ']' : '}'))
		end_of(r);
	else
		return broken(r, at, "neither a comma nor an end behind a value");
	return at + 1;
}

/* One thing that is no blank. */
static const char *read_sign(struct json_stream *r, const char *at, const char *end)
{
	switch (r->at) {
	case AT_FIRST_VALUE:
		if (*at != ']')
			return begin_value(r, at, end);
		end_of(r);
		return at + 1;
	case AT_VALUE:
		return begin_value(r, at, end);
	case AT_FIRST_NAME:
		if (*at == '}') {
			end_of(r);
			return at + 1;
		}
		__attribute__((fallthrough));
	case AT_NAME:
		return *at == '"' ? begin_name(r, at + 1, end) : broken(r, at, "no name where one is due");
	case AT_COLON:
		r->at = AT_VALUE;
		return *at == ':' ? at + 1 : broken(r, at, "no colon behind a name");
	case AT_NEXT:
		return read_next(r, at);
	default:
		return broken(r, at, "something behind the document");
	}
}

bool json_feed(struct json_stream *r, struct slice bytes)
{
	const char *at = bytes.at, *end = bytes.at + bytes.len;

	while (at < end && r->state == JSON_GOES_ON)
		switch (r->at) {
		case AT_START:
			at = begin_document(r, at);
			break;
		case AT_MARK:
			at = read_mark(r, at);
			break;
		case IN_TEXT:
		case IN_NAME:
			at = read_text(r, at, end);
			break;
		case IN_NUMBER:
		case IN_WORD:
			at = read_word(r, at, end);
			break;
		default:
			at = (unsigned char)*at <= ' ' && is_blank(*at) ? at + 1 : read_sign(r, at, end);
		}
	return r->state == JSON_GOES_ON;
}

bool json_finish(struct json_stream *r)
{
	/* a number alone ends where the document ends */
	if ((r->at == IN_NUMBER || r->at == IN_WORD) && !r->depth)
		word_ends(r, slice(r->kept, r->kept_len));
	if (r->at != AT_END)
		json_stop(r, JSON_BROKEN, "cut short");
	return r->state == JSON_GOES_ON;
}
