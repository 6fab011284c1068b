#include "base/secret.h"

#include <assert.h>
#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buffer.h"

#define FORMS 8                        /* raw, quoted, hex, three escapes, JSON, Latin-1; the percent form is compared, not kept */
#define BASE64_SHORTEST 6              /* characters of base64 for four bytes: the shortest secret that is struck everywhere */

struct secret_forms {
	struct slice form[FORMS];
	size_t       count;
};

void secret_wipe(void *p, size_t size)
{
	if (p)
		explicit_bzero(p, size);
}

static void add_form(struct secret_forms *k, const struct buffer *form)
{
	struct slice held = buffer_held(form);
	char        *copy;

	for (size_t i = 0; i < k->count; i++)
		if (slice_equal(k->form[i], held))
			return;
	if (held.len == 0)
		return;
	assert(k->count < FORMS);
	copy = must_alloc(held.len);
	memcpy(copy, held.at, held.len);
	k->form[k->count++] = slice(copy, held.len);
}

static void form_raw(struct buffer *out, unsigned char c)
{
	buffer_add(out, slice((const char *)&c, 1));
}

static void form_quoted(struct buffer *out, unsigned char c)
{
	if (c == '"' || c == '\\')
		buffer_add_str(out, "\\");
	form_raw(out, c);
}

static void form_hex(struct buffer *out, unsigned char c)
{
	buffer_print(out, "%02x", c);
}

/* As Python and C print bytes over 0x7e. */
static void form_escaped(struct buffer *out, unsigned char c)
{
	if (c == '"' || c == '\\')
		buffer_print(out, "\\%c", c);
	else if (c < 0x20 || c > 0x7e)
		buffer_print(out, "\\x%02x", c);
	else
		form_raw(out, c);
}

/* As PHP writes JSON. */
static void form_slashes(struct buffer *out, unsigned char c)
{
	if (c == '/')
		buffer_add_str(out, "\\");
	form_quoted(out, c);
}

/* One code point of UTF-8 at `s`, and how long it is; a byte that begins none stands for itself. */
static uint32_t code_point(struct slice s, size_t *len)
{
	unsigned char c = (unsigned char)s.at[0];
	size_t        n = c < 0xc0 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
	uint32_t      code = n == 1 ? c : c & (0x7fu >> n);

	if (n > s.len)
		n = 1, code = c;
	for (size_t i = 1; i < n; i++)
		code = (code << 6) | (s.at[i] & 0x3f);
	*len = n;
	return code;
}

/* As JSON is written that keeps to ASCII (RFC 8259 §7): \uXXXX, in two halves over U+FFFF. */
static void as_json(struct slice s, struct buffer *out)
{
	for (size_t i = 0, n; i < s.len; i += n) {
		uint32_t code = code_point(slice_from(s, i), &n);

		if (code > 0xffff)
			buffer_print(out, "\\u%04x\\u%04x", 0xd800 + ((code - 0x10000) >> 10), 0xdc00 + ((code - 0x10000) & 0x3ff));
		else if (code < 0x20 || code > 0x7e)
			buffer_print(out, "\\u%04x", code);
		else
			form_quoted(out, (unsigned char)code);
	}
}

/* UTF-8 of up to U+00FF as single bytes: what a server makes of it that thinks in Latin-1. */
static bool as_latin1(struct slice s, struct buffer *out)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.at[i];

		if (c < 0x80) {
			form_raw(out, c);
		} else if ((c == 0xc2 || c == 0xc3) && i + 1 < s.len) {
			form_raw(out, (unsigned char)(((c & 3) << 6) | (s.at[++i] & 0x3f)));
		} else {
			return false;
		}
	}
	return true;
}

static bool is_known(const struct secrets *set, struct slice secret)
{
	for (size_t i = 0; i < set->count; i++)
		if (slice_equal(set->known[i].form[0], secret))
			return true;
	return false;
}

void secrets_know(struct secrets *set, struct slice secret)
{
	static void (*const forms[])(struct buffer *, unsigned char) = { form_raw, form_quoted, form_hex, form_escaped, form_slashes };
	struct secret_forms *k;
	struct buffer form;

	if (secret.len == 0 || is_known(set, secret))
		return;
	set->known = must_realloc(set->known, (set->count + 1) * sizeof *set->known);
	k = &set->known[set->count++];
	*k = (struct secret_forms){ 0 };
	buffer_init(&form, secret.len * 6 + 1);
	for (size_t f = 0; f < COUNT(forms); f++) {
		for (size_t i = 0; i < secret.len; i++)
			forms[f](&form, (unsigned char)secret.at[i]);
		add_form(k, &form);
		buffer_clear(&form);
	}
	as_json(secret, &form);
	add_form(k, &form);
	buffer_clear(&form);
	if (as_latin1(secret, &form))
		add_form(k, &form);
	buffer_release(&form);
}

void secrets_forget(struct secrets *set)
{
	for (size_t i = 0; i < set->count; i++)
		for (size_t f = 0; f < set->known[i].count; f++) {
			char *at = (char *)set->known[i].form[f].at;

			secret_wipe(at, set->known[i].form[f].len);
			free(at);
		}
	free(set->known);
	*set = (struct secrets){ 0 };
}

static bool same_bytes(struct slice text, size_t at, struct slice form)
{
	for (size_t i = 0; i < form.len; i++)
		if (tolower((unsigned char)text.at[at + i]) != tolower((unsigned char)form.at[i]))
			return false;
	return true;
}

static bool stands_alone(struct slice text, size_t at, size_t len)
{
	return (at == 0 || !isalnum((unsigned char)text.at[at - 1]))
	    && (at + len >= text.len || !isalnum((unsigned char)text.at[at + len]));
}

static int hex_value(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The secret as a form or a URL carries it: any byte may be %XX, a blank may be "+". Its length there, or 0. */
static size_t percent_at(struct slice text, size_t at, struct slice raw)
{
	size_t from = at;

	for (size_t i = 0; i < raw.len; i++) {
		int high, low;

		if (at >= text.len)
			return 0;
		if (text.at[at] == '%' && at + 2 < text.len && (high = hex_value(text.at[at + 1])) >= 0
		    && (low = hex_value(text.at[at + 2])) >= 0 && (char)(high << 4 | low) == raw.at[i])
			at += 3;
		else if (text.at[at] == raw.at[i] || (text.at[at] == '+' && raw.at[i] == ' '))
			at++;
		else
			return 0;
	}
	return at - from;
}

/* How many bytes at `at` are a secret in one of its forms; 0 when none begins there. */
static size_t secret_at(const struct secrets *set, struct slice text, size_t at)
{
	size_t longest = 0;

	for (size_t i = 0; i < set->count; i++) {
		size_t percent = set->known[i].form[0].len >= 4 ? percent_at(text, at, set->known[i].form[0]) : 0;

		longest = percent > longest ? percent : longest;
		for (size_t f = 0; f < set->known[i].count; f++) {
			struct slice form = set->known[i].form[f];

			if (form.len > longest && form.len <= text.len - at && same_bytes(text, at, form)
			    && (form.len >= 4 || stands_alone(text, at, form.len)))
				longest = form.len;
		}
	}
	return longest;
}

static int base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+' || c == '-')
		return 62;
	return c == '/' || c == '_' ? 63 : -1;
}

/* Does this run of base64 characters, read from any of the four places in a group, hold a secret? */
static bool hides_secret(const struct secrets *set, struct slice run)
{
	char *plain = must_alloc(run.len);
	bool  found = false;

	for (size_t skip = 0; skip < 4 && skip < run.len && !found; skip++) {
		size_t   n = 0;
		uint32_t bits = 0;
		unsigned have = 0;

		for (size_t i = skip; i < run.len; i++) {
			bits = (bits << 6) | (uint32_t)base64_value(run.at[i]);
			have += 6;
			if (have >= 8) {
				have -= 8;
				plain[n++] = (char)(bits >> have);
			}
		}
		for (size_t i = 0; i < n && !found; i++)
			found = secret_at(set, slice(plain, n), i) > 0;
		secret_wipe(plain, n);
	}
	free(plain);
	return found;
}

static size_t base64_run(struct slice text, size_t at)
{
	size_t n = 0;

	while (at + n < text.len && base64_value(text.at[at + n]) >= 0)
		n++;
	return n;
}

/* A URL that signs somebody in loses all behind its host (facts: "the URL is a sign-in link: do not log it"). */
struct link {
	size_t secret, end;     /* where that begins and ends; the same when nothing is to be struck */
};

static struct link link_at(struct slice text, size_t at)
{
	static const char *const marks[] = { "signin/", "ContinueSignIn", "plt=", "oauth", "token=", "code=" };
	struct slice url = slice_from(text, at);
	size_t       len = 0, host, path;

	host = slice_find(url, ':') + strlen("://");
	/* an address in brackets has one that does not end the URL */
	if (host < url.len && url.at[host] == '[')
		len = host + slice_find(slice_from(url, host), ']') + 1;
	while (len < url.len && (unsigned char)url.at[len] > ' ' && !strchr("]>\"'", url.at[len]))
		len++;
	/* <https://…> may be broken over several lines of a reply */
	if (at > 0 && text.at[at - 1] == '<' && slice_find(url, '>') < url.len)
		len = slice_find(url, '>');
	url = slice_upto(url, len);
	for (path = host; path < len && !strchr("/?#", url.at[path]); path++)
		;
	for (size_t i = 0; slice_find(url, '?') < url.len && i < COUNT(marks); i++)
		if (slice_has(url, marks[i]))
			return (struct link){ at + (path < len ? path + 1 : len), at + len };
	return (struct link){ at + len, at + len };
}

static bool url_begins(struct slice text, size_t at)
{
	return slice_starts(slice_from(text, at), "https://") || slice_starts(slice_from(text, at), "http://");
}

const char *secrets_strike(const struct secrets *set, struct slice text, struct arena *into)
{
	static const struct secrets none = { 0 };
	struct buffer out;
	struct link   link = { 0, 0 };
	const char   *struck;
	size_t        fresh = 0;          /* what stands before it was struck: base64 may begin right here */

	if (!set)
		set = &none;
	buffer_init(&out, text.len * (sizeof SECRET_STRUCK) + 64);
	for (size_t i = 0, len, run; i < text.len;) {
		if (i >= link.end && url_begins(text, i))
			link = link_at(text, i);
		if (i >= link.secret && i < link.end) {
			buffer_add_str(&out, SECRET_STRUCK);
			i = fresh = link.end;
		} else if ((len = secret_at(set, text, i)) > 0) {
			buffer_add_str(&out, SECRET_STRUCK);
			i = fresh = i + len;
		} else if (set->count && (i == fresh || base64_value(text.at[i - 1]) < 0)
		           && (run = base64_run(text, i)) >= BASE64_SHORTEST && hides_secret(set, slice(text.at + i, run))) {
			buffer_add_str(&out, SECRET_STRUCK);
			i = fresh = i + run;
		} else {
			/* a NUL would end the text for everybody who reads it */
			buffer_add(&out, text.at[i] ? slice(text.at + i, 1) : slice(" ", 1));
			i++;
		}
	}
	struck = arena_copy(into, buffer_held(&out));
	buffer_release(&out);
	return struck;
}
