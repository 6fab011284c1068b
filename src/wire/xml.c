#include "wire/xml.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "wire/utf8.h"

/* Between the tags; in a CDATA section. */
enum { IN_CONTENT, IN_CDATA };

/* What a byte may be part of. */
enum {
	NAME_FIRST = 1, NAME = 2, BLANK = 4,
	PLAIN = 8,         /* text that nothing has to be done for    */
	SIMPLE = 16,       /* and the same of a value                 */
	TURN = 32,         /* ends a tag, or begins a value           */
};

static const unsigned char kind[256] = {
#define P (PLAIN | SIMPLE)
#define N (P | NAME)
#define F (N | NAME_FIRST)
#define H (NAME | NAME_FIRST)      /* the bytes of UTF-8: looked at in texts, taken as they are in names */
	[0x09] = PLAIN | BLANK, [0x0a] = PLAIN | BLANK, [0x0d] = BLANK, [0x20] = P | BLANK,
	['!'] = P, ['"'] = P | TURN, ['#'] = P, ['$'] = P, ['%'] = P, ['\''] = P | TURN, ['('] = P, [')'] = P, ['*'] = P, ['+'] = P, [','] = P, ['-'] = N, ['.'] = N,
	['/'] = P, ['0' ... '9'] = N, [':'] = F, [';'] = P, ['='] = P, ['>'] = P | TURN, ['?'] = P, ['@'] = P, ['A' ... 'Z'] = F, ['['] = P,
	['\\'] = P, [']'] = P, ['^'] = P, ['_'] = F, ['`'] = P, ['a' ... 'z'] = F, ['{'] = P, ['|'] = P, ['}'] = P, ['~'] = P, [0x7f] = P,
	[0x80 ... 0xff] = H,
#undef P
#undef N
#undef F
#undef H
};

static bool is(char c, unsigned what)
{
	return kind[(unsigned char)c] & what;
}

/* Most of an answer is ids and words: so many bytes of them at a time. How many are plain before one that may not be; for tabs and line
 * ends, which are below a space like what is no text, the table has to be asked. The bytes of UTF-8 are below zero. */
#define AT_ONCE 16

static inline size_t plain_at_once(const char *at, char stop)
{
	signed char __attribute__((vector_size(AT_ONCE))) bytes, odd;
	uint64_t half[2];

	memcpy(&bytes, at, sizeof bytes);
	odd = (bytes < ' ') | (bytes == '&') | (bytes == '<') | (bytes == stop);
	memcpy(half, &odd, sizeof half);
	if (half[0])
		return (size_t)__builtin_ctzll(le64toh(half[0])) / 8;
	return half[1] ? 8 + (size_t)__builtin_ctzll(le64toh(half[1])) / 8 : AT_ONCE;
}

/* `what`: PLAIN or SIMPLE; up to `stop`, if that is one of them. */
static inline const char *skip_until(const char *at, const char *end, unsigned what, char stop)
{
	while (end - at >= AT_ONCE) {
		size_t plain = plain_at_once(at, stop);

		at += plain;
		if (plain == AT_ONCE)
			continue;
		if (*at == stop || !is(*at, what))
			return at;
		at++;
	}
	while (at < end && *at != stop && is(*at, what))
		at++;
	return at;
}

static const char *skip_plain(const char *at, const char *end, unsigned what)
{
	return skip_until(at, end, what, '<');
}

void xml_stop(struct xml_reader *r, enum xml_state state, const char *why)
{
	if (r->state != XML_GOES_ON && r->state != XML_WHOLE)
		return;
	r->state = state;
	r->why = why;
}

static bool broken(struct xml_reader *r, const char *why)
{
	xml_stop(r, XML_BROKEN, why);
	return false;
}

void xml_reader_init(struct xml_reader *r, const struct xml_space *spaces, size_t count, const struct xml_listener *listener)
{
	*r = (struct xml_reader){ .spaces = spaces, .space_count = count, .listener = *listener, .state = XML_GOES_ON, .why = "" };
	buffer_init(&r->names, XML_LONGEST_TAG);
	buffer_init(&r->pending, 2 * XML_LONGEST_TAG);
}

void xml_reader_release(struct xml_reader *r)
{
	buffer_release(&r->names);
	buffer_release(&r->pending);
	free(r->scratch);
	r->scratch = NULL;
}

/* -- characters --------------------------------------------------------------------------------------------------- */

static bool is_character(unsigned long c)
{
	return c == 9 || c == 10 || c == 13 || (c >= 0x20 && c < 0xd800) || (c >= 0xe000 && c < 0xfffe) || (c >= 0x10000 && c < 0x110000);
}

#define PIECE 512                 /* of what follows something that has begun: texts and references end without a '>' */
#define LONGEST_REFERENCE 12      /* "&#x0010FFFF;" */

/* "&amp;" at the start of `s`: its length, what it stands for in `out`; 0 when it is none, -1 when it is cut. */
static int reference(struct slice s, char out[4], size_t *out_len)
{
	static const struct { const char *text; unsigned len; char c; } named[] = {
		{ "&amp;", 5, '&' }, { "&lt;", 4, '<' }, { "&gt;", 4, '>' }, { "&quot;", 6, '"' }, { "&apos;", 6, '\'' },
	};
	struct slice  name;
	unsigned long c = 0;
	size_t        end;

	for (size_t i = 0; i < COUNT(named); i++)
		if (s.len >= named[i].len && bytes_same(s.at, named[i].text, named[i].len)) {
			*out = named[i].c, *out_len = 1;
			return (int)named[i].len;
		}
	end = slice_find(slice_upto(s, LONGEST_REFERENCE), ';');
	if (end == s.len || end == LONGEST_REFERENCE)
		return s.len < LONGEST_REFERENCE ? -1 : 0;
	name = slice_from(slice_upto(s, end), 1);
	if (name.len < 2 || name.at[0] != '#')
		return 0;
	for (size_t i = name.at[1] == 'x' ? 2 : 1, base = i == 2 ? 16 : 10; i < name.len || i == base / 8; i++) {
		char d = i < name.len ? name.at[i] : '?', low = d | 0x20;
		int  digit = d >= '0' && d <= '9' ? d - '0' : base == 16 && low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;

		if (digit < 0)
			return 0;
		c = c * base + (unsigned long)digit;
	}
	if (!is_character(c))
		return 0;
	*out_len = utf8_write(c, out);
	return (int)end + 1;
}

/* -- texts -------------------------------------------------------------------------------------------------------- */

static void tell(struct xml_reader *r, const char *from, const char *to)
{
	if (to > from && r->depth)
		r->listener.text(r->listener.self, slice(from, (size_t)(to - from)));
}

/* One thing in a text that is not plain, at the start of `s`: what it becomes is told. How much of it is done with, 0 when more is
 * needed. */
static size_t odd_text(struct xml_reader *r, struct slice s, bool references)
{
	char   out[4];
	size_t out_len = 0;
	int    len;

	if (s.at[0] == '&' && references) {
		len = reference(s, out, &out_len);
		if (len == 0)
			broken(r, "an entity that is none of the five");
		if (len > 0)
			tell(r, out, out + out_len);
		return len > 0 ? (size_t)len : 0;
	}
	if (s.at[0] == '\r') {                      /* a line's end is LF, however it is written */
		if (s.len < 2)
			return 0;
		if (s.at[1] != '\n')
			tell(r, "\n", "\n" + 1);
		return 1;
	}
	if (r->latin1 && (unsigned char)s.at[0] >= 0x80) {
		out_len = utf8_write((unsigned char)s.at[0], out);
		tell(r, out, out + out_len);
		return 1;
	}
	len = (unsigned char)s.at[0] >= 0x80 ? utf8_character(s) : s.at[0] == '<' || s.at[0] == '&' ? 1 : 0;
	if (len == 0)
		broken(r, "bytes that are no text");
	if (len > 0)
		tell(r, s.at, s.at + len);
	return len > 0 ? (size_t)len : 0;
}

/* The text up to the next tag; how much of `s` is done with. */
static size_t read_text(struct xml_reader *r, struct slice s)
{
	const char *at = s.at, *end = s.at + s.len, *from = at;

	while ((at = skip_plain(at, end, PLAIN)) < end && *at != '<') {
		size_t odd;

		/* whole characters of UTF-8 are told with what is around them */
		if ((unsigned char)*at >= 0x80 && !r->latin1) {
			int len = r->depth ? utf8_character(slice(at, (size_t)(end - at))) : 0;

			if (len > 0) {
				at += len;
				continue;
			}
		}
		tell(r, from, at);
		if (!r->begun && !r->declared && *at == '\xef' && at == s.at) {      /* UTF-8's byte order mark */
			if (s.len < 3)
				return 0;
			if (memcmp(s.at, "\xef\xbb\xbf", 3) == 0)
				return 3;
		}
		if (!r->depth && *at != '\r') {
			broken(r, "text outside of the document");
			break;
		}
		odd = odd_text(r, slice(at, (size_t)(end - at)), true);
		from = at += odd;
		if (!odd)
			return (size_t)(at - s.at);
	}
	if (!r->depth)
		for (const char *c = from; c < at; c++)
			if (!is(*c, BLANK))
				broken(r, "text outside of the document");
	tell(r, from, at);
	return (size_t)(at - s.at);
}

static size_t read_cdata(struct xml_reader *r, struct slice s)
{
	const char *at = s.at, *end = s.at + s.len, *from = at;

	while (at < end) {
		size_t odd;

		if (*at == ']') {
			if (end - at < 3) {
				tell(r, from, at);
				return (size_t)(at - s.at);
			}
			if (at[1] == ']' && at[2] == '>') {
				tell(r, from, at);
				r->in = IN_CONTENT;
				return (size_t)(at + 3 - s.at);
			}
			at++;
			continue;
		}
		if (is(*at, PLAIN) || *at == '<' || *at == '&') {
			at++;
			continue;
		}
		tell(r, from, at);
		odd = odd_text(r, slice(at, (size_t)(end - at)), false);
		from = at += odd;
		if (!odd)
			return (size_t)(at - s.at);
	}
	tell(r, from, at);
	return s.len;
}

/* -- names and namespaces ----------------------------------------------------------------------------------------- */

static unsigned space_of(const struct xml_reader *r, struct slice uri)
{
	if (!uri.len)
		return 0;
	for (size_t i = 0; i < r->space_count; i++)
		if (strlen(r->spaces[i].uri) == uri.len && memcmp(r->spaces[i].uri, uri.at, uri.len) == 0)
			return r->spaces[i].space;
	return XML_FOREIGN;
}

static const char *name_bytes(const struct xml_reader *r)
{
	return r->names.bytes + r->names.start;
}

/* Kept until its element is closed; false when there are too many. */
static bool keep_name(struct xml_reader *r, struct slice name, uint16_t *at)
{
	*at = (uint16_t)(r->names.end - r->names.start);
	/* most of the time there is room: open elements are few */
	if (r->names.size - r->names.end >= name.len) {
		memcpy(r->names.bytes + r->names.end, name.at ? name.at : "", name.len);
		r->names.end += name.len;
		return true;
	}
	return buffer_add(&r->names, name) || (xml_stop(r, XML_TOO_BIG, "too many names that are open"), false);
}

static bool bind(struct xml_reader *r, struct slice prefix, struct slice uri)
{
	struct xml_binding *b = &r->binding[r->bindings];

	if (r->bindings == XML_NAMESPACES || prefix.len > UINT8_MAX) {
		xml_stop(r, XML_TOO_BIG, "too many namespaces");
		return false;
	}
	r->seens = 0;
	*b = (struct xml_binding){ .prefix_len = (uint8_t)prefix.len, .depth = (uint8_t)r->depth, .space = space_of(r, uri) };
	r->bindings += keep_name(r, prefix, &b->prefix_at);
	return r->state == XML_GOES_ON;
}

/* The namespace of a prefix, innermost first; an empty one is the default. False: it was never declared. */
static bool lookup(const struct xml_reader *r, struct slice prefix, unsigned *out)
{
	for (size_t i = r->bindings; i-- > 0;) {
		const struct xml_binding *b = &r->binding[i];

		if (b->prefix_len == prefix.len && bytes_same(name_bytes(r) + b->prefix_at, prefix.at, prefix.len)) {
			*out = b->space;
			return true;
		}
	}
	*out = prefix.len == 3 && memcmp(prefix.at, "xml", 3) == 0 ? XML_FOREIGN : 0;
	return prefix.len == 0 || *out;
}

/* "t:Message" apart; false when it is no name. */
static bool split(struct slice name, struct slice *prefix, struct slice *local)
{
	size_t colon = slice_find(name, ':');

	*prefix = slice(name.at, 0);
	*local = name;
	if (colon < name.len) {
		*prefix = slice_upto(name, colon);
		*local = slice_from(name, colon + 1);
		if (!prefix->len || !local->len || slice_find(*local, ':') < local->len)
			return false;
	}
	return local->len && is(local->at[0], NAME_FIRST);
}

/* -- tags --------------------------------------------------------------------------------------------------------- */

struct tag {
	struct slice         name, prefix, local;
	struct xml_attribute attribute[XML_ATTRIBUTES];
	struct slice         attribute_prefix[XML_ATTRIBUTES];
	size_t               count;
	bool                 empty;
};

static const char *skip_name(const char *at, const char *end)
{
	while (at < end && is(*at, NAME))
		at++;
	return at;
}

static const char *skip_blanks(const char *at, const char *end)
{
	while (at < end && is(*at, BLANK))
		at++;
	return at;
}

/* References out of a value, and every blank a space. */
static bool unescape(struct xml_reader *r, struct slice raw, struct slice *out)
{
	/* a tag has a bound, and nothing grows to more than twice its length */
	char *to;

	if (!r->scratch)
		r->scratch = must_alloc(2 * XML_LONGEST_TAG);
	to = r->scratch + r->scratch_used;
	out->at = to;
	for (size_t i = 0; i < raw.len;) {
		char   c[4] = { raw.at[i] };
		size_t c_len = 1;
		int    len = 1;

		if (raw.at[i] == '&')
			len = reference(slice_from(raw, i), c, &c_len);
		else if (is(raw.at[i], BLANK))
			c[0] = ' ';
		else if ((unsigned char)raw.at[i] >= 0x80 && r->latin1)
			c_len = utf8_write((unsigned char)raw.at[i], c);
		else if ((unsigned char)raw.at[i] >= 0x80 && (len = utf8_character(slice_from(raw, i))) > 0)
			memcpy(c, raw.at + i, c_len = (size_t)len);
		else if (!is(raw.at[i], PLAIN))
			len = 0;
		if (len <= 0)
			return broken(r, "a value that is none");
		memcpy(to, c, c_len);
		to += c_len;
		i += (size_t)len;
	}
	out->len = (size_t)(to - out->at);
	r->scratch_used += out->len;
	return true;
}

static bool is_simple(struct slice raw)
{
	return skip_plain(raw.at, raw.at + raw.len, SIMPLE) == raw.at + raw.len;
}

/* One `name="value"`; where it ends, NULL when it is none. */
static const char *read_attribute(struct xml_reader *r, struct tag *t, const char *at, const char *end)
{
	const char           *name_end = skip_name(at, end), *equals = skip_blanks(name_end, end), *quote, *closes;
	struct xml_attribute *a = &t->attribute[t->count];
	struct slice         *prefix = &t->attribute_prefix[t->count];
	bool                  plain;

	if (t->count == XML_ATTRIBUTES) {
		broken(r, "a tag with too many attributes");
		return NULL;
	}
	quote = equals < end && *equals == '=' ? skip_blanks(equals + 1, end) : end;
	closes = quote < end && (*quote == '"' || *quote == '\'') ? memchr(quote + 1, *quote, (size_t)(end - quote - 1)) : NULL;
	*a = (struct xml_attribute){ .value = slice(quote + 1, closes ? (size_t)(closes - quote - 1) : 0) };
	plain = closes && is_simple(a->value);
	if (!closes || !split(slice(at, (size_t)(name_end - at)), prefix, &a->name)
	    || (!plain && slice_find(a->value, '<') < a->value.len)) {
		broken(r, "an attribute that is none");
		return NULL;
	}
	a->prefixed = prefix->len > 0;
	for (size_t i = 0; i < t->count; i++)
		if (slice_equal(t->attribute[i].name, a->name) && slice_equal(t->attribute_prefix[i], *prefix)) {
			broken(r, "an attribute that comes twice");
			return NULL;
		}
	if (!plain && !unescape(r, a->value, &a->value))
		return NULL;
	t->count++;
	return closes + 1;
}

static bool read_tag(struct xml_reader *r, struct slice s, struct tag *t)
{
	const char *at = s.at, *end = s.at + s.len;

	t->count = 0;
	r->scratch_used = 0;
	at = skip_name(at, end);
	t->name = slice(s.at, (size_t)(at - s.at));
	if (!split(t->name, &t->prefix, &t->local))
		return broken(r, "a tag without a name");
	for (;;) {
		const char *next = skip_blanks(at, end);

		t->empty = next + 1 == end && *next == '/';
		if (next == end || t->empty)
			return true;
		if (next == at)
			return broken(r, "a tag that is none");
		at = read_attribute(r, t, next, end);
		if (!at)
			return false;
	}
}

/* Declarations out of the attributes, into force; those of others stay. */
static bool declare(struct xml_reader *r, struct tag *t)
{
	size_t kept = 0;

	for (size_t i = 0; i < t->count; i++) {
		struct slice *prefix = &t->attribute_prefix[i];
		bool          is_default = !prefix->len && slice_equal(t->attribute[i].name, slice_str("xmlns"));

		if (is_default || slice_equal(*prefix, slice_str("xmlns"))) {
			struct slice bound = is_default ? slice("", 0) : t->attribute[i].name;

			/* a prefix may not be taken back in Namespaces 1.0 */
			if (!is_default && !t->attribute[i].value.len)
				return broken(r, "a namespace without a name");
			if (!bind(r, bound, t->attribute[i].value))
				return false;
			continue;
		}
		t->attribute[kept] = t->attribute[i];
		t->attribute_prefix[kept++] = *prefix;
	}
	t->count = kept;
	for (size_t i = 0; i < kept; i++) {
		unsigned space;

		if (t->attribute_prefix[i].len && !lookup(r, t->attribute_prefix[i], &space))
			return broken(r, "a prefix that was not declared");
	}
	return true;
}

static void close_element(struct xml_reader *r)
{
	r->listener.end(r->listener.self);
	for (; r->bindings && r->binding[r->bindings - 1].depth == r->depth; r->bindings--)
		r->seens = 0;
	/* what was kept behind it goes too */
	r->names.end = r->names.start + r->name_at[r->depth];
	if (--r->depth == 0 && r->state == XML_GOES_ON)
		r->state = XML_WHOLE;
}

static bool is_too_deep(struct xml_reader *r)
{
	return r->depth == XML_DEEPEST && !broken(r, "elements nested too deep");
}

static bool enter(struct xml_reader *r, struct slice name)
{
	r->depth++;
	r->begun = true;
	r->name_len[r->depth] = (uint16_t)name.len;
	return keep_name(r, name, &r->name_at[r->depth]);
}

static bool find_space(struct xml_reader *r, struct slice prefix, unsigned *space)
{
	return lookup(r, prefix, space) || broken(r, "a prefix that was not declared");
}

static void open_element(struct xml_reader *r, struct slice inside)
{
	struct tag t;
	unsigned   space;

	if (is_too_deep(r) || !read_tag(r, inside, &t) || !enter(r, t.name) || !declare(r, &t) || !find_space(r, t.prefix, &space))
		return;
	r->listener.start(r->listener.self, t.local, space, t.attribute, t.count);
	if (t.empty && r->state == XML_GOES_ON)
		close_element(r);
}

static void remember(struct xml_reader *r, struct slice name, size_t local_at, unsigned space)
{
	unsigned i = 0;

	if (name.len > XML_SEEN_NAME)
		return;
	while (i < r->seens && !slice_equal(slice(r->seen[i].name, r->seen[i].len), name))
		i++;
	if (i == XML_SEEN)
		return;
	if (i == r->seens) {
		r->seen[i] = (struct xml_seen){ .len = (uint8_t)name.len, .local_at = (uint8_t)local_at, .space = space };
		memcpy(r->seen[i].name, name.at, name.len);
		r->last = i ? r->last : 0;
		r->seens++;
	}
	r->seen[r->last].next = (uint8_t)i;
	r->last = (uint8_t)i;
}

static bool is_name_end(char c)
{
	return c == '>' || c == ' ';
}

/* Items are all alike: what came behind this tag the last time comes behind it again. NULL: not this time. */
static const struct xml_seen *as_before(struct xml_reader *r, struct slice s)
{
	unsigned               next = r->seen[r->last].next;
	const struct xml_seen *k = &r->seen[next];

	if (!r->seens || s.len < k->len + 2u || !is_name_end(s.at[k->len + 1]) || !bytes_same(s.at + 1, k->name, k->len))
		return NULL;
	r->last = (uint8_t)next;
	return k;
}

/* "<t:Subject>", "<t:ItemId Id=": how long the name is. 0: it is not of that form, or not wholly there. */
static size_t read_name(struct slice s, size_t *local_at)
{
	const char *name = s.at + 1, *local = name, *at = name, *end = s.at + s.len;

	for (; at < end && is(*at, NAME); at++)
		if (*at == ':') {
			if (local != name || at == name)
				return 0;
			local = at + 1;
		}
	if (at == end || !is_name_end(*at) || !is(*local, NAME_FIRST) || *local == ':')
		return 0;
	*local_at = (size_t)(local - name);
	return (size_t)(at - name);
}

static bool is_told(const struct xml_attribute *attribute, size_t count, struct slice name)
{
	for (size_t i = 0; i < count; i++)
		if (slice_equal(attribute[i].name, name))
			return true;
	return false;
}

/* ` Id="AAMk" ChangeKey="CQAA"/>` behind a name: nothing but attributes that stand for what they are, in one walk. Where the tag ends, NULL
 * when it is not of that form, or not wholly there. */
static const char *read_simple(struct slice s, struct xml_attribute *attribute, size_t *count, bool *empty)
{
	const char *at = s.at, *end = s.at + s.len;

	for (; at < end && *at == ' ' && *count < XML_ATTRIBUTES; ++*count) {
		struct xml_attribute *a = &attribute[*count];
		const char           *from = at + 1;

		for (at = from; at < end && is(*at, NAME) && *at != ':';)
			at++;
		a->name = slice(from, (size_t)(at - from));
		if (end - at < 2 || at[0] != '=' || at[1] != '"' || !is(*from, NAME_FIRST) || slice_equal(a->name, slice_str("xmlns"))
		    || is_told(attribute, *count, a->name))
			return NULL;
		from = at + 2;
		at = skip_until(from, end, SIMPLE, '"');
		a->value = slice(from, (size_t)(at - from));
		a->prefixed = false;
		if (at == end || *at++ != '"')
			return NULL;
	}
	*empty = at < end && *at == '/';
	at += *empty;
	return at < end && *at == '>' ? at + 1 : NULL;
}

/* The characters from `from` on, behind those that are gathered already; false when there is no room. */
static bool gather(struct xml_reader *r, const char *from, size_t len)
{
	if (!r->scratch)
		r->scratch = must_alloc(2 * XML_LONGEST_TAG);
	if (len > 2 * XML_LONGEST_TAG - r->scratch_used)
		return false;
	memcpy(r->scratch + r->scratch_used, from, len);
	r->scratch_used += len;
	return true;
}

/* Over whole characters of UTF-8, too. */
static const char *skip_text(const struct xml_reader *r, const char *at, const char *end)
{
	for (;;) {
		int len;

		at = skip_plain(at, end, PLAIN);
		if (at == end || (unsigned char)*at < 0x80 || r->latin1)
			return at;
		len = utf8_character(slice(at, (size_t)(end - at)));
		if (len <= 0)
			return at;
		at += len;
	}
}

/* Text with a reference at `at`, as it becomes, up to the next tag: where that is, NULL when it is to be read by the longer way. */
static const char *gather_text(struct xml_reader *r, const char *from, const char *at, const char *end)
{
	r->scratch_used = 0;
	while (at < end && *at == '&') {
		char   c[4];
		size_t c_len;
		int    len;

		len = reference(slice(at, (size_t)(end - at)), c, &c_len);
		if (len <= 0 || !gather(r, from, (size_t)(at - from)) || !gather(r, c, c_len))
			return NULL;
		from = at + len;
		at = skip_text(r, from, end);
	}
	return gather(r, from, (size_t)(at - from)) ? at : NULL;
}

/* "figures</t:Subject>" behind its start tag: text with nothing odd in it but references, and the end. Where the text ends, NULL when it is
 * not of that form, or not wholly there. */
static const char *read_leaf(struct xml_reader *r, struct slice name, struct slice rest, struct slice *text)
{
	const char *end = rest.at + rest.len, *at;

	if (!r->listener.leaf || !r->depth)
		return NULL;
	at = skip_text(r, rest.at, end);
	*text = slice(rest.at, (size_t)(at - rest.at));
	if (at < end && *at == '&') {
		at = gather_text(r, rest.at, at, end);
		*text = slice(r->scratch, r->scratch_used);
	}
	if (!at || (size_t)(end - at) < name.len + 3 || at[0] != '<' || at[1] != '/' || at[name.len + 2] != '>')
		return NULL;
	return bytes_same(at + 2, name.at, name.len) ? at : NULL;
}

/* A tag of that name with simple attributes, or an empty one; apart, since it needs much room. As open_quick(). */
static __attribute__((noinline))
size_t open_simple(struct xml_reader *r, struct slice s, struct slice name, size_t local_at, unsigned space)
{
	struct xml_attribute attribute[XML_ATTRIBUTES];
	size_t               count = 0;
	bool                 empty = false;
	const char          *end = read_simple(slice_from(s, name.len + 1), attribute, &count, &empty);

	if (!end)
		return 0;
	if (enter(r, name))
		r->listener.start(r->listener.self, slice_from(name, local_at), space, attribute, count);
	if (empty && r->state == XML_GOES_ON)
		close_element(r);
	return (size_t)(end - s.at);
}

/* As most tags are. How much of `s` is done with; 0: it is not of that form, or not wholly there. */
static size_t open_quick(struct xml_reader *r, struct slice s)
{
	const struct xml_seen *seen = as_before(r, s);
	size_t                 local_at = seen ? seen->local_at : 0, len = seen ? seen->len : read_name(s, &local_at);
	struct slice           name = slice(s.at + 1, len), text;
	unsigned               space = seen ? seen->space : 0;
	const char            *text_end;

	/* what is wrong with it is found by the longer way */
	if (!len || r->depth == XML_DEEPEST || (!seen && !lookup(r, slice_upto(name, local_at ? local_at - 1 : 0), &space)))
		return 0;
	if (!seen)
		remember(r, name, local_at, space);
	if (s.at[len + 1] != '>')
		return open_simple(r, s, name, local_at, space);
	text_end = read_leaf(r, name, slice_from(s, len + 2), &text);
	if (text_end) {
		r->listener.leaf(r->listener.self, slice_from(name, local_at), space, text);
		return (size_t)(text_end - s.at) + len + 3;
	}
	if (enter(r, name))
		r->listener.start(r->listener.self, slice_from(name, local_at), space, NULL, 0);
	return len + 2;
}

/* "</t:Subject>" as it has to be. 0: it is not of that form, or not wholly there. */
static size_t close_bare(struct xml_reader *r, struct slice s)
{
	size_t len = r->name_len[r->depth];

	if (!r->depth || s.len < len + 3 || s.at[len + 2] != '>' || !bytes_same(s.at + 2, name_bytes(r) + r->name_at[r->depth], len))
		return 0;
	close_element(r);
	return len + 3;
}

static void end_tag(struct xml_reader *r, struct slice inside)
{
	const char *end = inside.at + inside.len, *name_end = skip_name(inside.at, end);
	size_t      len = (size_t)(name_end - inside.at);

	if (!r->depth || len != r->name_len[r->depth] || memcmp(inside.at, name_bytes(r) + r->name_at[r->depth], len) != 0
	    || skip_blanks(name_end, end) != end)
		broken(r, "an end tag for another element");
	else
		close_element(r);
}

/* -- what is no element ------------------------------------------------------------------------------------------- */

/* <?xml version="1.0" encoding="utf-8"?> */
static void read_declaration(struct xml_reader *r, struct slice inside)
{
	size_t       at = slice_search(inside, "encoding");
	struct slice rest = slice_trim(slice_from(inside, at + strlen("encoding"))), name;
	static const char *const utf8[] = { "utf-8", "utf8", "us-ascii", "ascii" };

	if (at == inside.len)
		return;
	rest = rest.len && rest.at[0] == '=' ? slice_trim(slice_from(rest, 1)) : slice(NULL, 0);
	if (!rest.len || (rest.at[0] != '"' && rest.at[0] != '\'')) {
		broken(r, "a declaration that is none");
		return;
	}
	name = slice_upto(slice_from(rest, 1), slice_find(slice_from(rest, 1), rest.at[0]));
	for (size_t i = 0; i < COUNT(utf8); i++)
		if (slice_is(name, utf8[i]))
			return;
	r->latin1 = slice_is(name, "iso-8859-1") || slice_is(name, "latin1");
	if (!r->latin1)
		broken(r, "another encoding than UTF-8");
}

/* Where `words` end in `s`, behind its first `skip` bytes; 0: not yet. */
static size_t ends_with(struct slice s, size_t skip, const char *words)
{
	struct slice rest = slice_from(s, skip);
	const char  *hit = rest.len ? memmem(rest.at, rest.len, words, strlen(words)) : NULL;

	return hit ? (size_t)(hit - s.at) + strlen(words) : 0;
}

/* The '>' that ends a tag: not one in a value. 0: not yet. */
static size_t tag_end(struct slice s)
{
	const char *at = s.at + 1, *end = s.at + s.len;

	for (;;) {
		while (at < end && !is(*at, TURN))
			at++;
		if (at == end)
			return 0;
		if (*at == '>')
			return (size_t)(at + 1 - s.at);
		/* quotes come in pairs */
		at = memchr(at + 1, *at, (size_t)(end - at - 1));
		if (!at)
			return 0;
		at++;
	}
}

/* What begins with '<'; how much of `s` is done with, 0 when it has not come to its end. */
static size_t read_markup(struct xml_reader *r, struct slice s)
{
	size_t used;

	if (s.len < 2)
		return 0;
	if (s.at[1] == '/') {
		const char *close;

		used = close_bare(r, s);
		if (used)
			return used;
		close = memchr(s.at, '>', s.len);
		if (!close)
			return 0;
		end_tag(r, slice(s.at + 2, (size_t)(close - s.at - 2)));
		return (size_t)(close + 1 - s.at);
	}
	if (s.at[1] == '?') {
		used = ends_with(s, 2, "?>");
		if (used && slice_starts(s, "<?xml") && s.len > 5 && is(s.at[5], BLANK)) {
			if (r->begun || r->declared)
				broken(r, "a declaration in the midst");
			read_declaration(r, slice_upto(s, used));
		}
		r->declared |= used > 0;
		return used;
	}
	if (s.at[1] == '!') {
		if (s.len < 9 && memchr(s.at, '>', s.len) == NULL)
			return 0;
		if (slice_starts(s, "<!--"))
			return ends_with(s, 4, "-->");
		if (r->depth && s.len >= 9 && memcmp(s.at, "<![CDATA[", 9) == 0) {
			r->in = IN_CDATA;
			return 9;
		}
		broken(r, "a document type");
		return s.len;
	}
	used = open_quick(r, s);
	if (used)
		return used;
	used = tag_end(s);
	if (used)
		open_element(r, slice(s.at + 1, used - 2));
	return used;
}

/* -- feeding ------------------------------------------------------------------------------------------------------ */

/* As many whole things as there are; how much of `s` they were. */
static size_t read_things(struct xml_reader *r, struct slice s)
{
	struct slice rest = s;

	while (rest.len && r->state == XML_GOES_ON) {
		size_t used = r->in == IN_CDATA ? read_cdata(r, rest) : rest.at[0] == '<' ? read_markup(r, rest) : read_text(r, rest);

		if (!used)
			break;
		rest = slice_from(rest, used);
	}
	return s.len - rest.len;
}

size_t xml_feed(struct xml_reader *r, struct slice bytes)
{
	struct slice rest = bytes;

	while (rest.len && r->state == XML_GOES_ON) {
		size_t held = buffer_held(&r->pending).len, piece, used;

		if (!held) {
			used = read_things(r, rest);
			rest = slice_from(rest, used);
			if (!rest.len || r->state != XML_GOES_ON)
				break;
		}
		/* something has begun: up to where it may end, and once more */
		piece = slice_find(rest, held ? '>' : '\0');
		piece = piece < rest.len ? piece + 1 : rest.len;
		if (held && piece > PIECE)
			piece = PIECE;
		if (held + piece > XML_LONGEST_TAG || !buffer_add(&r->pending, slice_upto(rest, piece))) {
			broken(r, "a tag or a comment too long");
			break;
		}
		rest = slice_from(rest, piece);
		if (held) {
			buffer_drop(&r->pending, read_things(r, buffer_held(&r->pending)));
			if (r->state == XML_WHOLE) {
				/* what is left over belongs to whatever comes next */
				rest.at -= buffer_held(&r->pending).len;
				rest.len += buffer_held(&r->pending).len;
				buffer_clear(&r->pending);
			}
		}
	}
	return bytes.len - rest.len;
}
