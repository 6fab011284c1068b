#include "wire/utf16.h"

#include <stdint.h>

#define REPLACEMENT 0xFFFD

/* -- UTF-8 -------------------------------------------------------------------------------------------------------- */

/* The character at the start of `text` and how many bytes it takes; 0 when that is no UTF-8 (RFC 3629). */
static size_t read_utf8(const unsigned char *text, uint32_t *c)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t len = text[0] < 0x80 ? 1 : text[0] < 0xC2 ? 0 : text[0] < 0xE0 ? 2 : text[0] < 0xF0 ? 3 : text[0] < 0xF5 ? 4 : 0;

	if (len == 0)
		return 0;
	*c = len == 1 ? text[0] : text[0] & (0x7Fu >> len);
	for (size_t i = 1; i < len; i++) {
		if ((text[i] & 0xC0) != 0x80)      /* the NUL at the end as well */
			return 0;
		*c = *c << 6 | (text[i] & 0x3F);
	}
	return *c < least[len] || *c > 0x10FFFF || (*c >= 0xD800 && *c < 0xE000) ? 0 : len;
}

static size_t put_utf8(char *at, uint32_t c)
{
	static const unsigned char lead[] = { 0, 0, 0xC0, 0xE0, 0xF0 };
	size_t len = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	for (size_t i = len; i-- > 1; c >>= 6)
		at[i] = (char)(0x80 | (c & 0x3F));
	at[0] = (char)(lead[len] | c);
	return len;
}

static bool is_utf8(const char *text)
{
	uint32_t c;
	size_t   len;

	for (; *text; text += len)
		if ((len = read_utf8((const unsigned char *)text, &c)) == 0)
			return false;
	return true;
}

/* -- UTF-16 ------------------------------------------------------------------------------------------------------- */

static bool put_unit(struct buffer *out, uint32_t unit)
{
	char bytes[2] = { (char)(unit & 0xFF), (char)(unit >> 8) };

	return buffer_add(out, slice(bytes, 2));
}

static bool put_character(struct buffer *out, uint32_t c)
{
	if (c < 0x10000)
		return put_unit(out, c);
	c -= 0x10000;
	return put_unit(out, 0xD800 | c >> 10) && put_unit(out, 0xDC00 | (c & 0x3FF));
}

bool utf16_add(struct buffer *out, const char *text)
{
	bool     utf8 = is_utf8(text);
	uint32_t c = 0;

	while (*text) {
		size_t len = utf8 ? read_utf8((const unsigned char *)text, &c) : 1;

		if (!put_character(out, utf8 ? c : (unsigned char)*text))
			return false;
		text += len;
	}
	return true;
}

static uint32_t unit_at(const char *bytes)
{
	return (uint32_t)(unsigned char)bytes[0] | (uint32_t)(unsigned char)bytes[1] << 8;
}

/* The character at `*at`, which is moved behind it. */
static uint32_t next_character(struct slice s, size_t *at)
{
	uint32_t high = unit_at(s.at + *at), low;

	*at += 2;
	if (high < 0xD800 || high > 0xDFFF)
		return high < 0x20 || high == 0x7F ? '?' : high;
	if (high > 0xDBFF || *at + 2 > s.len)
		return REPLACEMENT;
	low = unit_at(s.at + *at);
	if (low < 0xDC00 || low > 0xDFFF)
		return REPLACEMENT;
	*at += 2;
	return 0x10000 + ((high & 0x3FF) << 10 | (low & 0x3FF));
}

char *utf16_text(struct slice s, struct arena *into)
{
	char  *text = arena_get(into, s.len / 2 * 3 + 1);
	size_t len = 0;

	for (size_t at = 0; at + 2 <= s.len; )
		len += put_utf8(text + len, next_character(s, &at));
	return text;
}

/* -- upper case --------------------------------------------------------------------------------------------------- */

/* Small letters from `first` to `last`, each `step` apart, and how far above its capital one stands. */
static const struct { uint16_t first, last; uint8_t step; int16_t above; } small[] = {
	{ 'a',    'z',    1, 32 },   { 0xE0,   0xF6,   1, 32 },   { 0xF8,   0xFE,   1, 32 },   { 0xFF,   0xFF,   1, -121 },
	{ 0x101,  0x12F,  2, 1 },    { 0x133,  0x137,  2, 1 },    { 0x13A,  0x148,  2, 1 },    { 0x14B,  0x177,  2, 1 },
	{ 0x17A,  0x17E,  2, 1 },    { 0x1CE,  0x1DC,  2, 1 },    { 0x1DF,  0x1EF,  2, 1 },    { 0x201,  0x217,  2, 1 },
	{ 0x219,  0x21B,  2, 1 },    { 0x3AC,  0x3AC,  1, 38 },   { 0x3AD,  0x3AF,  1, 37 },   { 0x3B1,  0x3C1,  1, 32 },
	{ 0x3C2,  0x3C2,  1, 31 },   { 0x3C3,  0x3CB,  1, 32 },   { 0x3CC,  0x3CC,  1, 64 },   { 0x3CD,  0x3CE,  1, 63 },
	{ 0x430,  0x44F,  1, 32 },   { 0x450,  0x45F,  1, 80 },   { 0x461,  0x481,  2, 1 },    { 0x491,  0x4BF,  2, 1 },
	{ 0x4C2,  0x4C4,  2, 1 },    { 0x4D1,  0x4F5,  2, 1 },    { 0x561,  0x586,  1, 48 },   { 0x1E01, 0x1E95, 2, 1 },
	{ 0x1EA1, 0x1EF9, 2, 1 },
};

static uint32_t upper(uint32_t unit)
{
	for (size_t i = 0; i < COUNT(small); i++)
		if (unit >= small[i].first && unit <= small[i].last)
			return (unit - small[i].first) % small[i].step ? unit : (uint32_t)((int32_t)unit - small[i].above);
	return unit;
}

void utf16_upper(char *bytes, size_t len)
{
	for (size_t i = 0; i + 2 <= len; i += 2) {
		uint32_t unit = upper(unit_at(bytes + i));

		bytes[i] = (char)(unit & 0xFF);
		bytes[i + 1] = (char)(unit >> 8);
	}
}
