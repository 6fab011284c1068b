#include "wire/header.h"

#include <ctype.h>
#include <stdint.h>

#include "base/buffer.h"

#define LONGEST_ADDRESS 320      /* 64 @ 255 (RFC 5321 §4.5.3.1) */

/* -- fields ------------------------------------------------------------------------------------------------------- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_space(char c)
{
	return is_blank(c) || c == '\r' || c == '\n';
}

/* ftext, RFC 5322 §2.2: printable and no colon. */
static bool is_name_char(char c)
{
	return c > ' ' && c < 0x7f && c != ':';
}

/* Where the field that starts at `at` ends: behind the first line end that no white space follows. */
static const char *end_of_field(const char *at, const char *end)
{
	while (at < end) {
		const char *lf = memchr(at, '\n', (size_t)(end - at));

		if (!lf)
			return end;
		at = lf + 1;
		if (at < end && !is_blank(*at))
			return at;
	}
	return end;
}

static const char *without_line_end(const char *start, const char *end)
{
	if (end > start && end[-1] == '\n')
		end--;
	if (end > start && end[-1] == '\r')
		end--;
	return end;
}

/* False when what lies in [at, end) is no field: the mbox "From " line, white space without a field before it … */
static bool split_field(const char *at, const char *end, struct header_field *out)
{
	const char *name = at, *name_end;

	while (at < end && is_name_char(*at))
		at++;
	name_end = at;
	while (at < end && is_blank(*at))         /* obsolete, but seen: "Subject : x" (RFC 5322 §4.5) */
		at++;
	if (name_end == name || at == end || *at != ':')
		return false;
	at++;
	while (at < end && is_blank(*at))
		at++;
	out->name = slice(name, (size_t)(name_end - name));
	out->body = slice(at, (size_t)(without_line_end(at, end) - at));
	return true;
}

/* The empty line's length, 0 when there is none at `at`. */
static size_t empty_line(const char *at, const char *end)
{
	if (at < end && at[0] == '\n')
		return 1;
	return end - at >= 2 && at[0] == '\r' && at[1] == '\n' ? 2 : 0;
}

bool header_next(struct slice *rest, struct header_field *out)
{
	const char *at = rest->at, *end = rest->at + rest->len;

	while (at < end) {
		size_t      empty = empty_line(at, end);
		const char *next = empty ? at + empty : end_of_field(at, end);
		bool        found = !empty && split_field(at, next, out);

		*rest = slice(next, (size_t)(end - next));
		if (empty || found)
			return found;
		at = next;
	}
	return false;
}

bool header_find(struct slice header, const char *name, struct slice *body)
{
	struct header_field field;

	while (header_next(&header, &field))
		if (slice_is(field.name, name)) {
			*body = field.body;
			return true;
		}
	return false;
}

/* -- text --------------------------------------------------------------------------------------------------------- */

static void add_char(struct buffer *out, uint32_t c)
{
	char   utf8[4];
	size_t len = 0;

	/* Controls would end the line, or the string, or drive somebody's terminal. */
	if (c < 0x20 || (c >= 0x7f && c < 0xa0))
		c = ' ';
	if (c < 0x80) {
		utf8[len++] = (char)c;
	} else if (c < 0x800) {
		utf8[len++] = (char)(0xc0 | c >> 6);
		utf8[len++] = (char)(0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		utf8[len++] = (char)(0xe0 | c >> 12);
		utf8[len++] = (char)(0x80 | (c >> 6 & 0x3f));
		utf8[len++] = (char)(0x80 | (c & 0x3f));
	} else {
		utf8[len++] = (char)(0xf0 | c >> 18);
		utf8[len++] = (char)(0x80 | (c >> 12 & 0x3f));
		utf8[len++] = (char)(0x80 | (c >> 6 & 0x3f));
		utf8[len++] = (char)(0x80 | (c & 0x3f));
	}
	buffer_add(out, slice(utf8, len));
}

#define REPLACEMENT 0xfffd

/* One character of at most `len` bytes; its length, or 0 when they are no UTF-8 (RFC 3629 §4: not overlong, no
 * surrogates, nothing over U+10FFFF). */
static size_t utf8_char(const uint8_t *at, size_t len, uint32_t *out)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint8_t  lead = at[0];
	size_t   need = lead < 0x80 ? 1 : lead < 0xc0 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf8 ? 4 : 0;
	uint32_t c = need == 1 ? lead : lead & (0x7fu >> need);

	if (need == 0 || need > len)
		return 0;
	for (size_t i = 1; i < need; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (at[i] & 0x3f);
	}
	if (c < least[need] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return 0;
	*out = c;
	return need;
}

static void add_utf8(struct buffer *out, struct slice bytes)
{
	for (size_t i = 0; i < bytes.len; ) {
		uint32_t c = REPLACEMENT;
		size_t   len = utf8_char((const uint8_t *)bytes.at + i, bytes.len - i, &c);

		add_char(out, c);
		i += len ? len : 1;
	}
}

static uint32_t from_ascii(uint8_t byte)
{
	return byte < 0x80 ? byte : REPLACEMENT;
}

static uint32_t from_windows_1252(uint8_t byte)
{
	static const uint16_t high[32] = {
		0x20ac, REPLACEMENT, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021,
		0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, REPLACEMENT, 0x017d, REPLACEMENT,
		REPLACEMENT, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
		0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, REPLACEMENT, 0x017e, 0x0178,
	};

	return byte >= 0x80 && byte < 0xa0 ? high[byte - 0x80] : byte;
}

static uint32_t from_iso_8859_15(uint8_t byte)
{
	switch (byte) {
	case 0xa4: return 0x20ac;
	case 0xa6: return 0x0160;
	case 0xa8: return 0x0161;
	case 0xb4: return 0x017d;
	case 0xb8: return 0x017e;
	case 0xbc: return 0x0152;
	case 0xbd: return 0x0153;
	case 0xbe: return 0x0178;
	default:   return byte;
	}
}

static const struct charset {
	const char *name;
	uint32_t  (*character)(uint8_t);      /* NULL: UTF-8 */
} charsets[] = {
	{ "utf-8",        NULL              },
	{ "utf8",         NULL              },
	{ "us-ascii",     from_ascii        },
	{ "ascii",        from_ascii        },
	/* Who writes ISO-8859-1 and bytes of 80-9F means windows-1252 (WHATWG Encoding §4.2), not C1 controls. */
	{ "iso-8859-1",   from_windows_1252 },
	{ "latin1",       from_windows_1252 },
	{ "windows-1252", from_windows_1252 },
	{ "cp1252",       from_windows_1252 },
	{ "iso-8859-15",  from_iso_8859_15  },
	{ "latin-9",      from_iso_8859_15  },
};

static const struct charset *charset_of(struct slice name)
{
	for (size_t i = 0; i < COUNT(charsets); i++)
		if (slice_is(name, charsets[i].name))
			return &charsets[i];
	return NULL;
}

static int hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0'
	     : c >= 'A' && c <= 'F' ? c - 'A' + 10
	     : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool decode_q(struct slice text, struct buffer *out)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];

		if (c == '_') {
			c = ' ';
		} else if (c == '=') {
			if (text.len - i < 3 || hex(text.at[i + 1]) < 0 || hex(text.at[i + 2]) < 0)
				return false;
			c = (char)(hex(text.at[i + 1]) << 4 | hex(text.at[i + 2]));
			i += 2;
		}
		buffer_add(out, slice(&c, 1));
	}
	return true;
}

static int base64_digit(char c)
{
	return c >= 'A' && c <= 'Z' ? c - 'A'
	     : c >= 'a' && c <= 'z' ? c - 'a' + 26
	     : c >= '0' && c <= '9' ? c - '0' + 52
	     : c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Not as strict as SASL's: in headers the padding is often missing. */
static bool decode_b(struct slice text, struct buffer *out)
{
	uint32_t bits = 0;

	while (text.len && text.at[text.len - 1] == '=')
		text.len--;
	if (text.len % 4 == 1)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		int  digit = base64_digit(text.at[i]);
		char byte;

		if (digit < 0)
			return false;
		bits = bits << 6 | (uint32_t)digit;
		if (i % 4 == 0)
			continue;
		byte = (char)(bits >> (6 - i % 4 * 2));
		buffer_add(out, slice(&byte, 1));
	}
	return true;
}

/* An encoded word (RFC 2047 §2, and the language of RFC 2231 §5) taken apart. */
struct word {
	const struct charset *charset;
	char                  encoding;
	struct slice          text;
	size_t                len;          /* of all of it, "=?" and "?=" included */
};

static bool take_word(struct slice s, struct word *out)
{
	struct slice rest = slice_from(s, 2), charset, encoding, text;
	size_t       end;

	if (!slice_starts(s, "=?"))
		return false;
	charset = slice_cut(&rest, '?');
	encoding = slice_cut(&rest, '?');
	end = slice_find(rest, '?');
	if (!rest.at || encoding.len != 1 || rest.len - end < 2 || rest.at[end + 1] != '=')
		return false;
	text = slice_upto(rest, end);
	for (size_t i = 0; i < text.len; i++)
		if (text.at[i] <= ' ' || text.at[i] == 0x7f)
			return false;
	*out = (struct word){
		.charset = charset_of(slice_upto(charset, slice_find(charset, '*'))),
		.encoding = (char)toupper((unsigned char)encoding.at[0]),
		.text = text,
		.len = (size_t)(text.at + text.len + 2 - s.at),
	};
	return out->charset && (out->encoding == 'Q' || out->encoding == 'B');
}

struct text {
	struct buffer         out;
	struct buffer         bytes;         /* of the words since `charset` was set: converted together, as     */
	const struct charset *charset;       /*   some software splits a character between two; NULL: none now   */
	struct buffer         decoded;
};

static bool decode(const struct word *w, struct buffer *out)
{
	buffer_clear(out);
	return w->encoding == 'Q' ? decode_q(w->text, out) : decode_b(w->text, out);
}

static void convert_words(struct text *t)
{
	struct slice bytes = buffer_held(&t->bytes);

	if (!t->charset)
		return;
	if (!t->charset->character)
		add_utf8(&t->out, bytes);
	else
		for (size_t i = 0; i < bytes.len; i++)
			add_char(&t->out, t->charset->character((uint8_t)bytes.at[i]));
	buffer_clear(&t->bytes);
	t->charset = NULL;
}

static size_t white_space(struct slice s)
{
	size_t len = 0;

	while (len < s.len && is_space(s.at[len]))
		len++;
	return len;
}

/* RFC 5322 §2.2.3: unfolding takes the line end away and leaves the white space. */
static void add_unfolded(struct text *t, struct slice space)
{
	for (size_t i = 0; i < space.len; i++)
		if (is_blank(space.at[i]))
			add_char(&t->out, ' ');
}

/* White space and the encoded word behind it. False, and nothing is taken, where that is not what comes next. */
static bool take_encoded(struct text *t, struct slice *rest)
{
	struct slice space = slice_upto(*rest, white_space(*rest));
	struct word  w;

	if (!take_word(slice_from(*rest, space.len), &w) || !decode(&w, &t->decoded))
		return false;
	if (!t->charset)               /* RFC 2047 §6.2: between two encoded words white space is not text */
		add_unfolded(t, space);
	else if (t->charset->character != w.charset->character)
		convert_words(t);
	t->charset = w.charset;
	buffer_add(&t->bytes, buffer_held(&t->decoded));
	*rest = slice_from(*rest, space.len + w.len);
	return true;
}

/* White space, and text up to where white space or an encoded word may begin again. */
static void take_plain(struct text *t, struct slice *rest)
{
	size_t space = white_space(*rest), len = space;

	while (len < rest->len && !is_space(rest->at[len]) && (len == space || rest->at[len] != '='))
		len++;
	add_unfolded(t, slice_upto(*rest, space));
	add_utf8(&t->out, slice_from(slice_upto(*rest, len), space));
	*rest = slice_from(*rest, len);
}

const char *header_text(struct slice body, struct arena *into)
{
	struct text  t = { .charset = NULL };
	struct slice rest = slice_trim(body);
	const char  *text;

	buffer_init(&t.out, rest.len * 3);       /* one byte becomes a character of three at most */
	buffer_init(&t.bytes, rest.len);
	buffer_init(&t.decoded, rest.len);
	while (rest.len)
		if (!take_encoded(&t, &rest)) {
			convert_words(&t);
			take_plain(&t, &rest);
		}
	convert_words(&t);
	text = arena_copy(into, buffer_held(&t.out));
	buffer_release(&t.out);
	buffer_release(&t.bytes);
	buffer_release(&t.decoded);
	return text;
}

#define AT_ONCE 16

/* Sixteen bytes of UTF-8 at a time: whether there may be more to do for one of them than to copy it. 0xc2 begins the control characters
 * above ASCII, and some others; '=' an encoded word. */
static bool has_odd(const char *at)
{
	signed char __attribute__((vector_size(AT_ONCE))) bytes, odd;
	uint64_t half[2];

	memcpy(&bytes, at, sizeof bytes);
	odd = ((bytes >= 0) & (bytes < ' ')) | (bytes == 0x7f) | (bytes == '=') | (bytes == (signed char)0xc2);
	memcpy(half, &odd, sizeof half);
	return half[0] | half[1];
}

static bool is_one_line(struct slice utf8)
{
	char last[AT_ONCE];

	for (; utf8.len >= AT_ONCE; utf8 = slice_from(utf8, AT_ONCE))
		if (has_odd(utf8.at))
			return false;
	memset(last, ' ', sizeof last);
	if (utf8.len)
		memcpy(last, utf8.at, utf8.len);
	return !has_odd(last);
}

const char *header_text_utf8(struct slice utf8, struct arena *into)
{
	struct slice s = slice_trim(utf8);

	return is_one_line(s) ? arena_copy(into, s) : header_text(s, into);
}

/* -- addresses ---------------------------------------------------------------------------------------------------- */

/* Behind the comment that begins at `at`; they nest (RFC 5322 §3.2.2). */
static size_t skip_comment(struct slice s, size_t at)
{
	size_t depth = 0;

	for (; at < s.len; at++) {
		if (s.at[at] == '\\')
			at++;
		else if (s.at[at] == '(')
			depth++;
		else if (s.at[at] == ')' && --depth == 0)
			return at + 1;
	}
	return s.len;
}

/* Behind the quoted string or the domain literal that begins at `at`. */
static size_t skip_quoted(struct slice s, size_t at, char end)
{
	for (at++; at < s.len; at++) {
		if (s.at[at] == '\\')
			at++;
		else if (s.at[at] == end)
			return at + 1;
	}
	return s.len;
}

struct mailbox {
	char   text[LONGEST_ADDRESS];
	size_t len;
	size_t at_sign;          /* where the last one stands outside quotes, 0 when there is none (or no local part) */
	bool   bad;              /* two at signs, too long                                                            */
	bool   angle, closed;    /* inside < >; behind it                                                             */
	bool   spaced;           /* white space stood before what comes now                                           */
};

static void mailbox_begin(struct mailbox *m, bool angle)
{
	*m = (struct mailbox){ .angle = angle };
}

static void mailbox_add(struct mailbox *m, struct slice piece)
{
	bool at_sign = piece.at[0] == '@', joint = at_sign || piece.at[0] == '.';
	char last = m->len ? m->text[m->len - 1] : '@';

	if (m->closed)
		return;
	/* "Ann ann@example.org": a word that nothing joins to the one before begins anew, or ends a whole address. */
	if (m->spaced && !m->angle && !joint && last != '@' && last != '.') {
		if (m->at_sign) {
			m->closed = true;
			return;
		}
		mailbox_begin(m, false);
	}
	m->spaced = false;
	if (at_sign) {
		m->bad |= m->at_sign || m->len == 0;
		m->at_sign = m->len;
	}
	if (piece.len > sizeof m->text - m->len) {
		m->bad = true;
		return;
	}
	memcpy(m->text + m->len, piece.at, piece.len);
	m->len += piece.len;
}

static bool is_printable_utf8(struct slice s)
{
	for (size_t i = 0, len; i < s.len; i += len) {
		uint32_t c;

		len = utf8_char((const uint8_t *)s.at + i, s.len - i, &c);
		if (len == 0 || c < ' ' || (c >= 0x7f && c < 0xa0))
			return false;
	}
	return true;
}

static const char *mailbox_address(const struct mailbox *m, struct arena *into)
{
	struct slice s = slice(m->text, m->len);

	if (m->bad || m->at_sign == 0 || m->at_sign + 1 == m->len || !is_printable_utf8(s))
		return NULL;
	return arena_copy(into, s);
}

const char *header_address(struct slice body, struct arena *into)
{
	struct mailbox m;
	const char    *address;
	size_t         next;

	mailbox_begin(&m, false);
	for (size_t at = 0; at < body.len; at = next) {
		char c = body.at[at];

		next = at + 1;
		if (is_space(c)) {
			m.spaced = true;
		} else if (c == '(') {
			next = skip_comment(body, at);
			m.spaced = true;
		} else if (c == '"' || c == '[') {
			next = skip_quoted(body, at, c == '"' ? '"' : ']');
			mailbox_add(&m, slice_upto(slice_from(body, at), next - at));
		} else if (c == '<') {
			mailbox_begin(&m, true);
		} else if (c == '>') {
			m.closed = true;
			m.angle = false;
		} else if (c == ':') {            /* what stood before is a group's name, or an obsolete route */
			mailbox_begin(&m, m.angle);
		} else if ((c == ',' || c == ';') && !m.angle) {
			address = mailbox_address(&m, into);
			if (address)
				return address;
			mailbox_begin(&m, false);
		} else {
			mailbox_add(&m, slice(body.at + at, 1));
		}
	}
	return m.angle ? NULL : mailbox_address(&m, into);
}

/* -- Authentication-Results --------------------------------------------------------------------------------------- */

/* White space and comments (RFC 5322 §3.2.2, CFWS). */
static void skip_cfws(struct slice *s)
{
	for (;;) {
		size_t len = white_space(*s);

		if (len == 0 && s->len && s->at[0] == '(')
			len = skip_comment(*s, 0);
		if (len == 0)
			return;
		*s = slice_from(*s, len);
	}
}

static bool is_keyword_char(char c)
{
	return isalnum((unsigned char)c) || c == '-' || c == '_' || c == '.';
}

static struct slice take_keyword(struct slice *s)
{
	struct slice word;
	size_t       len = 0;

	skip_cfws(s);
	while (len < s->len && is_keyword_char(s->at[len]))
		len++;
	word = slice_upto(*s, len);
	*s = slice_from(*s, len);
	skip_cfws(s);
	return word;
}

static bool take_char(struct slice *s, char c)
{
	if (s->len == 0 || s->at[0] != c)
		return false;
	*s = slice_from(*s, 1);
	return true;
}

/* Behind the next ';' that is in no comment and in no quotes. */
static void skip_part(struct slice *s)
{
	size_t at = 0;

	while (at < s->len && s->at[at] != ';') {
		if (s->at[at] == '(')
			at = skip_comment(*s, at);
		else if (s->at[at] == '"')
			at = skip_quoted(*s, at, '"');
		else
			at++;
	}
	*s = slice_from(*s, at + 1);
}

struct slice header_auth_result(struct slice body, const char *method)
{
	struct slice first = slice(NULL, 0);

	/* Exchange Online writes no server's name before the first result, so that part is looked at like all. */
	for (struct slice rest = body; rest.len; skip_part(&rest)) {
		struct slice name = take_keyword(&rest), result;

		if (take_char(&rest, '/'))
			take_keyword(&rest);            /* the method's version */
		if (!take_char(&rest, '='))
			continue;
		result = take_keyword(&rest);
		if (result.len == 0 || !slice_is(name, method))
			continue;
		if (slice_is(result, "pass"))
			return result;
		if (!first.at)
			first = result;
	}
	return first;
}
