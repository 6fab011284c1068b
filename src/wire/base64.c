#include "wire/sasl.h"

#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *base64_encode(struct arena *into, struct slice s)
{
	char  *text = arena_get(into, (s.len + 2) / 3 * 4 + 1);
	size_t len  = 0;

	for (size_t i = 0; i < s.len; i += 3) {
		size_t   n    = s.len - i < 3 ? s.len - i : 3;
		unsigned bits = (unsigned)(unsigned char)s.at[i] << 16;

		if (n > 1)
			bits |= (unsigned)(unsigned char)s.at[i + 1] << 8;
		if (n > 2)
			bits |= (unsigned char)s.at[i + 2];
		text[len++] = alphabet[bits >> 18];
		text[len++] = alphabet[bits >> 12 & 63];
		text[len++] = n > 1 ? alphabet[bits >> 6 & 63] : '=';
		text[len++] = n > 2 ? alphabet[bits & 63] : '=';
	}
	return text;
}

char *base64url_encode(struct arena *into, struct slice s)
{
	char *text = base64_encode(into, s);

	text[strcspn(text, "=")] = '\0';
	for (char *c = text; *c; c++)
		*c = *c == '+' ? '-' : *c == '/' ? '_' : *c;
	return text;
}

int base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Padding is missing altogether or fills up the last four. */
static bool cut_padding(struct slice *text)
{
	size_t whole = text->len;

	while (text->len && whole - text->len < 2 && text->at[text->len - 1] == '=')
		text->len--;
	return text->len % 4 != 1 && (text->len == whole || whole % 4 == 0);
}

bool base64_decode(struct arena *into, struct slice text, struct slice *out)
{
	unsigned bits = 0;
	int      have = 0;
	size_t   len  = 0;
	char    *bytes;

	if (!cut_padding(&text))
		return false;
	bytes = arena_get(into, text.len / 4 * 3 + 3);
	for (size_t i = 0; i < text.len; i++) {
		int value = base64_value(text.at[i]);

		if (value < 0)
			return false;
		bits = (bits << 6 | (unsigned)value) & 0xffff;
		have += 6;
		if (have >= 8) {
			have -= 8;
			bytes[len++] = (char)(bits >> have & 0xff);
		}
	}
	if (bits & ((1u << have) - 1))
		return false;
	*out = slice(bytes, len);
	return true;
}
