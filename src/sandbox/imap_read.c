#include "sandbox/imap_read.h"

#include <strings.h>

#include "sandbox/text.h"

static struct slice past_blank(struct slice s)
{
	return s.len && s.at[0] == ' ' ? slice_from(s, 1) : s;
}

/* A section of FETCH has blanks and brackets of its own: "BODY[HEADER.FIELDS (DATE)]". */
bool read_atom(struct slice *rest, struct slice *out)
{
	struct slice s = past_blank(*rest);
	size_t       n = 0;
	bool         within = false;

	for (; n < s.len; n++) {
		char c = s.at[n];

		if (c == '\r' || c == '\n' || (!within && (c == ' ' || c == '(' || c == ')' || c == '"' || c == '{')))
			break;
		within = c == '[' || (within && c != ']');
	}
	if (n == 0)
		return false;
	*out = slice_upto(s, n);
	*rest = slice_from(s, n);
	return true;
}

static bool read_quoted(struct arena *arena, struct slice *s, struct slice *out)
{
	char  *text = arena_get(arena, s->len + 1);
	size_t len = 0;

	for (size_t i = 1; i < s->len; i++) {
		char c = s->at[i];

		if (c == '"') {
			*out = slice(text, len);
			*s = slice_from(*s, i + 1);
			return true;
		}
		if (c == '\\' && ++i < s->len)
			c = s->at[i];
		if (i == s->len || c == '\r' || c == '\n')
			return false;
		text[len++] = c;
	}
	return false;
}

static bool read_literal(struct slice *s, struct slice *out)
{
	size_t end = slice_find(*s, '\n'), size;
	bool   waits;
	struct slice head = slice_upto(*s, end && end < s->len ? end - 1 : end), body = slice_from(*s, end + 1);

	if (end == s->len || !literal_announced(head, &size, &waits) || size > body.len)
		return false;
	*out = slice_upto(body, size);
	*s = slice_from(body, size);
	return true;
}

bool read_string(struct arena *arena, struct slice *rest, struct slice *out)
{
	struct slice s = past_blank(*rest);
	bool         fine = s.len && (s.at[0] == '"' ? read_quoted(arena, &s, out) : s.at[0] == '{' ? read_literal(&s, out) : read_atom(&s, out));

	if (fine)
		*rest = s;
	return fine;
}

bool read_mark(struct slice *rest, char mark)
{
	struct slice s = past_blank(*rest);

	if (s.len == 0 || s.at[0] != mark)
		return false;
	*rest = slice_from(s, 1);
	return true;
}

bool read_end(const struct slice *rest)
{
	return slice_trim(*rest).len == 0;
}

bool literal_announced(struct slice line, size_t *size, bool *waits)
{
	struct slice       number;
	unsigned long long n;
	size_t             open = line.len;

	if (line.len < 3 || line.at[line.len - 1] != '}')
		return false;
	while (open && line.at[open - 1] != '{')
		open--;
	if (open == 0)
		return false;
	number = slice(line.at + open, line.len - open - 1);
	*waits = number.len == 0 || number.at[number.len - 1] != '+';
	if (!*waits)
		number.len--;
	if (!slice_number(number, UINT32_MAX, &n))
		return false;
	*size = (size_t)n;
	return true;
}

/* -- sets --------------------------------------------------------------------------------------------------------- */

static bool read_bound(struct slice text, uint32_t last, uint32_t *out)
{
	unsigned long long n;

	if (text.len == 1 && text.at[0] == '*') {
		*out = last;
		return true;
	}
	if (!slice_number(text, UINT32_MAX, &n) || n == 0)
		return false;
	*out = (uint32_t)n;
	return true;
}

bool set_read(struct slice text, uint32_t last, struct number_set *out)
{
	out->count = 0;
	do {
		struct slice range = slice_cut(&text, ','), from = slice_cut(&range, ':');
		uint32_t     a, b;

		if (out->count == SET_RANGES || !read_bound(from, last, &a) || !read_bound(range.at ? range : from, last, &b))
			return false;
		out->range[out->count].from = a < b ? a : b;
		out->range[out->count++].to = a < b ? b : a;
	} while (text.at);
	return true;
}

bool set_has(const struct number_set *set, uint32_t n)
{
	for (size_t i = 0; i < set->count; i++)
		if (n >= set->range[i].from && n <= set->range[i].to)
			return true;
	return false;
}

/* -- names of mailboxes ------------------------------------------------------------------------------------------- */

/* UTF-16, big end first, to UTF-8: through the little-endian reader that there is. */
static const char *utf8_of_big(struct arena *arena, struct slice utf16)
{
	char *little = arena_get(arena, utf16.len + 1);

	for (size_t i = 0; i + 1 < utf16.len; i += 2) {
		little[i] = utf16.at[i + 1];
		little[i + 1] = utf16.at[i];
	}
	return utf16_read(arena, slice(little, utf16.len & ~(size_t)1));
}

const char *mailbox_name_read(struct arena *arena, struct slice text)
{
	const char *out = "";

	while (text.len) {
		struct slice plain = slice_cut(&text, '&'), shifted, bytes;
		char        *base64;

		out = arena_print(arena, "%s%.*s", out, (int)plain.len, plain.at ? plain.at : "");
		if (!text.at)
			break;
		shifted = slice_cut(&text, '-');
		base64 = arena_print(arena, "%.*s%s", (int)shifted.len, shifted.at ? shifted.at : "", &"===="[shifted.len % 4 ? shifted.len % 4 : 4]);
		for (char *c = base64; *c; c++)
			*c = *c == ',' ? '/' : *c;
		if (shifted.len == 0)
			out = arena_print(arena, "%s&", out);
		else if (base64_read(arena, slice_str(base64), &bytes))
			out = arena_print(arena, "%s%s", out, utf8_of_big(arena, bytes));
	}
	return out;
}

static const char *shifted_of(struct arena *arena, struct slice utf8)
{
	struct slice little = utf16_of(arena, arena_copy(arena, utf8));
	char        *big = arena_get(arena, little.len + 1), *base64;

	for (size_t i = 0; i + 1 < little.len; i += 2) {
		big[i] = little.at[i + 1];
		big[i + 1] = little.at[i];
	}
	base64 = arena_str(arena, base64_of(arena, slice(big, little.len)));
	base64[strcspn(base64, "=")] = '\0';
	for (char *c = base64; *c; c++)
		*c = *c == '/' ? ',' : *c;
	return arena_print(arena, "&%s-", base64);
}

const char *mailbox_name_of(struct arena *arena, const char *utf8)
{
	const char *out = "";

	while (*utf8) {
		size_t plain = 0, other = 0;

		while (utf8[plain] >= ' ' && utf8[plain] <= '~' && utf8[plain] != '&')
			plain++;
		out = arena_print(arena, "%s%.*s", out, (int)plain, utf8);
		utf8 += plain;
		if (*utf8 == '&') {
			out = arena_print(arena, "%s&-", out);
			utf8++;
			continue;
		}
		while (utf8[other] && (utf8[other] < ' ' || utf8[other] > '~'))
			other++;
		if (other)
			out = arena_print(arena, "%s%s", out, shifted_of(arena, slice(utf8, other)));
		utf8 += other;
	}
	return out;
}

#define NAME_LONGEST 1000

/* Row by row of the pattern: where in the name its first part may end. No stars, however many, make that slow. */
bool pattern_fits(const char *pattern, const char *name)
{
	bool   inbox = strcasecmp(name, "INBOX") == 0;
	size_t len = strlen(name);
	bool   ends[NAME_LONGEST + 1] = { true };

	if (len > NAME_LONGEST)
		return false;
	for (; *pattern; pattern++) {
		bool star = *pattern == '*' || *pattern == '%', before = ends[0];

		ends[0] = star && before;
		for (size_t i = 1; i <= len; i++) {
			bool here = ends[i], same = *pattern == name[i - 1] || (inbox && (*pattern | 32) == (name[i - 1] | 32));

			ends[i] = star ? here || (ends[i - 1] && (*pattern == '*' || name[i - 1] != '/')) : before && same;
			before = here;
		}
	}
	return ends[len];
}
