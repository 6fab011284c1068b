#include "sandbox/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <openssl/evp.h>

/* -- XML ---------------------------------------------------------------------------------------------------------- */

static const char *entity(char c)
{
	switch (c) {
	case '&':  return "&amp;";
	case '<':  return "&lt;";
	case '>':  return "&gt;";
	case '"':  return "&quot;";
	case '\'': return "&#39;";
	case '\r': return "&#xD;";
	default:   return NULL;
	}
}

static bool is_text(char c)
{
	return (unsigned char)c >= ' ' || c == '\t' || c == '\n' || c == '\r';
}

#define LONGEST_ENTITY 6

const char *escaped(struct arena *arena, const char *text)
{
	char *out = arena_get(arena, (text ? strlen(text) : 0) * LONGEST_ENTITY + 1), *at = out;

	for (const char *c = text ? text : ""; *c; c++) {
		const char *e = entity(*c);

		if (e)
			at = stpcpy(at, e);
		else
			*at++ = is_text(*c) ? *c : '?';
	}
	return out;
}

/* -- base64 ------------------------------------------------------------------------------------------------------- */

const char *base64_of(struct arena *arena, struct slice bytes)
{
	char *out = arena_get(arena, bytes.len / 3 * 4 + 5);

	EVP_EncodeBlock((unsigned char *)out, (const unsigned char *)(bytes.len ? bytes.at : ""), (int)bytes.len);
	return out;
}

bool base64_read(struct arena *arena, struct slice text, struct slice *out)
{
	char  *dense = arena_get(arena, text.len + 1);
	char  *bytes;
	size_t len = 0, padding = 0;
	int    got;

	for (size_t i = 0; i < text.len; i++)
		if (!strchr(" \t\r\n", text.at[i]))
			dense[len++] = text.at[i];
		else if (!text.at[i])
			return false;
	while (padding < len && padding < 2 && dense[len - 1 - padding] == '=')
		padding++;
	bytes = arena_get(arena, len / 4 * 3 + 4);
	got = len % 4 == 0 ? EVP_DecodeBlock((unsigned char *)bytes, (const unsigned char *)dense, (int)len) : -1;
	if (got < 0 || memchr(dense, '=', len - padding))
		return false;
	*out = slice(bytes, (size_t)got - padding);
	return true;
}

/* -- UTF-16 ------------------------------------------------------------------------------------------------------- */

#define REPLACEMENT 0xfffd

/* One character of a text in UTF-8; `*at` moves on by at least one byte. */
static uint32_t take_utf8(const unsigned char **at)
{
	static const struct { unsigned char mask, lead; unsigned more; uint32_t least; } forms[] = {
		{ 0x80, 0x00, 0, 0 }, { 0xe0, 0xc0, 1, 0x80 }, { 0xf0, 0xe0, 2, 0x800 }, { 0xf8, 0xf0, 3, 0x10000 },
	};
	unsigned char first = *(*at)++;

	for (size_t f = 0; f < COUNT(forms); f++) {
		uint32_t c = first & (unsigned char)~forms[f].mask;
		unsigned n;

		if ((first & forms[f].mask) != forms[f].lead)
			continue;
		for (n = 0; n < forms[f].more && ((*at)[n] & 0xc0) == 0x80; n++)
			c = c << 6 | ((*at)[n] & 0x3f);
		if (n < forms[f].more || c < forms[f].least || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
			return REPLACEMENT;
		*at += n;
		return c;
	}
	return REPLACEMENT;
}

static char *put_unit(char *at, uint32_t unit)
{
	*at++ = (char)(unit & 0xff);
	*at++ = (char)(unit >> 8);
	return at;
}

struct slice utf16_of(struct arena *arena, const char *utf8)
{
	char *out = arena_get(arena, strlen(utf8) * 2 + 2), *end = out;

	for (const unsigned char *at = (const unsigned char *)utf8; *at;) {
		uint32_t c = take_utf8(&at);

		if (c >= 0x10000) {
			end = put_unit(end, 0xd800 + ((c - 0x10000) >> 10));
			c = 0xdc00 + ((c - 0x10000) & 0x3ff);
		}
		end = put_unit(end, c);
	}
	return slice(out, (size_t)(end - out));
}

static char *put_utf8(char *at, uint32_t c)
{
	if (c < 0x80) {
		*at++ = (char)c;
		return at;
	}
	if (c < 0x800) {
		*at++ = (char)(0xc0 | c >> 6);
	} else {
		if (c < 0x10000) {
			*at++ = (char)(0xe0 | c >> 12);
		} else {
			*at++ = (char)(0xf0 | c >> 18);
			*at++ = (char)(0x80 | (c >> 12 & 0x3f));
		}
		*at++ = (char)(0x80 | (c >> 6 & 0x3f));
	}
	*at++ = (char)(0x80 | (c & 0x3f));
	return at;
}

static uint32_t unit_at(struct slice utf16, size_t i)
{
	return (uint32_t)(unsigned char)utf16.at[2 * i] | (uint32_t)(unsigned char)utf16.at[2 * i + 1] << 8;
}

const char *utf16_read(struct arena *arena, struct slice utf16)
{
	size_t count = utf16.len / 2;
	char  *out = arena_get(arena, count * 3 + 1), *end = out;

	for (size_t i = 0; i < count; i++) {
		uint32_t c = unit_at(utf16, i);

		if (c >= 0xd800 && c < 0xdc00 && i + 1 < count && (unit_at(utf16, i + 1) & 0xfc00) == 0xdc00)
			c = 0x10000 + ((c & 0x3ff) << 10) + (unit_at(utf16, ++i) & 0x3ff);
		else if ((c >= 0xd800 && c < 0xe000) || c == 0)
			c = REPLACEMENT;
		end = put_utf8(end, c);
	}
	return out;
}

/* -- time --------------------------------------------------------------------------------------------------------- */

static const char *in_form(struct arena *arena, const char *form, int64_t unix_s)
{
	time_t    t = (time_t)unix_s;
	struct tm at = { 0 };
	char      text[60];

	gmtime_r(&t, &at);
	strftime(text, sizeof text, form, &at);
	return arena_str(arena, text);
}

const char *moment(struct arena *arena, int64_t unix_s)
{
	return in_form(arena, "%Y-%m-%dT%H:%M:%SZ", unix_s);
}

const char *moment_short(struct arena *arena, int64_t unix_s)
{
	return in_form(arena, "%Y%m%dT%H%M%SZ", unix_s);
}

bool moment_read(const char *text, int64_t *unix_s)
{
	struct tm   at = { 0 };
	const char *rest = text ? strptime(text, "%Y-%m-%d", &at) : NULL;
	int         hours = 0, minutes = 0;

	if (!rest)
		return false;
	if (*rest == 'T') {
		rest = strptime(rest, "T%H:%M:%S", &at);
		if (!rest)
			return false;
		if (*rest == '.')
			rest += 1 + strspn(rest + 1, "0123456789");
	}
	if ((*rest == '+' || *rest == '-') && sscanf(rest + 1, "%2d:%2d", &hours, &minutes) != 2)
		return false;
	*unix_s = (int64_t)timegm(&at) - (*rest == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
	return true;
}
