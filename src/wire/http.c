#include "wire/http.h"

#include <ctype.h>
#include <stdio.h>
#include <time.h>

/* -- URLs --------------------------------------------------------------------------------------------------------- */

static bool is_plain(struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.at[i] <= 0x20 || (unsigned char)text.at[i] >= 0x7f)
			return false;
	return true;
}

/* The first byte that ends the authority. */
static size_t authority_length(struct slice s)
{
	size_t i = 0;

	while (i < s.len && s.at[i] != '/' && s.at[i] != '?')
		i++;
	return i;
}

static bool read_port(struct slice digits, struct http_url *out)
{
	unsigned long long port;

	if (digits.len == 0)
		return true;      /* RFC 3986 §3.2.3: "host:" is the default port */
	if (!slice_number(digits, 65535, &port) || port == 0)
		return false;
	out->port = (uint16_t)port;
	return true;
}

static const char *lower_copy(struct slice text, struct arena *into)
{
	char *copy = arena_copy(into, text);

	for (char *c = copy; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return copy;
}

static bool is_host_name(struct slice host)
{
	if (host.len == 0 || host.len > 254 || host.at[0] == '.')
		return false;
	for (size_t i = 0; i < host.len; i++) {
		char c = host.at[i];

		if (!isalnum((unsigned char)c) && c != '-' && c != '.' && c != '_')
			return false;
		if (c == '.' && i + 1 < host.len && host.at[i + 1] == '.')
			return false;
	}
	return true;
}

/* "host", "host:port", "[2001:db8::1]:port"; never "user@host". */
static bool read_authority(struct slice authority, struct arena *into, struct http_url *out)
{
	struct slice rest = authority, host;

	if (rest.len && rest.at[0] == '[') {
		struct address literal;

		host = slice_cut(&rest, ']');
		if (!rest.at || (rest.len && rest.at[0] != ':'))
			return false;
		host = slice_from(host, 1);
		out->host = lower_copy(host, into);
		return host.len < ADDRESS_TEXT && address_parse(out->host, &literal) && literal.family == 6
		    && read_port(slice_from(rest, 1), out);
	}
	host = slice_cut(&rest, ':');
	if (!is_host_name(host))
		return false;
	out->host = lower_copy(host, into);
	return !rest.at || read_port(rest, out);
}

bool http_url_parse(struct slice text, struct arena *into, struct http_url *out)
{
	struct http_url url = { 0 };
	struct slice    rest = slice_trim(text), authority;

	if (rest.len > HTTP_URL_MOST || !is_plain(rest))
		return false;
	url.secure = slice_starts(rest, "https://");
	if (!url.secure && !slice_starts(rest, "http://"))
		return false;
	url.port = url.secure ? 443 : 80;
	rest = slice_from(rest, url.secure ? 8 : 7);
	rest = slice_upto(rest, slice_find(rest, '#'));
	authority = slice_upto(rest, authority_length(rest));
	rest = slice_from(rest, authority.len);
	if (!read_authority(authority, into, &url))
		return false;
	url.target = arena_print(into, "%s%s", rest.len && rest.at[0] == '/' ? "" : "/", arena_copy(into, rest));
	url.text = arena_print(into, "http%s://%s%s", url.secure ? "s" : "", lower_copy(authority, into), url.target);
	*out = url;
	return true;
}

/* What stands between the scheme's "//" and the target, as it was written. */
static struct slice authority_of(const struct http_url *url)
{
	struct slice rest = slice_from(slice_str(url->text), url->secure ? 8 : 7);

	return slice_upto(rest, authority_length(rest));
}

/* The directory of the path: up to its last slash. */
static struct slice directory_of(const struct http_url *url)
{
	struct slice path = slice_upto(slice_str(url->target), slice_find(slice_str(url->target), '?'));

	while (path.len > 1 && path.at[path.len - 1] != '/')
		path.len--;
	return path;
}

/* A scheme stands before the first of ":/?#" (RFC 3986 §4.2). */
static bool is_absolute(struct slice reference)
{
	for (size_t i = 0; i < reference.len; i++) {
		if (reference.at[i] == ':')
			return i > 0;
		if (strchr("/?#", reference.at[i]))
			return false;
	}
	return false;
}

bool http_url_follow(const struct http_url *base, struct slice reference, struct arena *into, struct http_url *out)
{
	const char *scheme = base->secure ? "https" : "http";
	const char *authority = arena_copy(into, authority_of(base)), *text;

	reference = slice_trim(reference);
	if (reference.len == 0 || reference.len > HTTP_URL_MOST)
		return false;
	if (is_absolute(reference))
		return http_url_parse(reference, into, out);
	text = arena_copy(into, reference);
	if (slice_starts(reference, "//"))
		text = arena_print(into, "%s:%s", scheme, text);
	else if (reference.at[0] == '/')
		text = arena_print(into, "%s://%s%s", scheme, authority, text);
	else
		text = arena_print(into, "%s://%s%s%s", scheme, authority, arena_copy(into, directory_of(base)), text);
	return http_url_parse(slice_str(text), into, out);
}

const char *http_url_encode(const char *text, struct arena *into)
{
	static const char digits[] = "0123456789ABCDEF";
	char *encoded = arena_get(into, 3 * strlen(text) + 1), *at = encoded;

	for (const char *c = text; *c; c++) {
		if (isalnum((unsigned char)*c) || strchr("-._~", *c)) {
			*at++ = *c;
			continue;
		}
		*at++ = '%';
		*at++ = digits[(unsigned char)*c >> 4];
		*at++ = digits[(unsigned char)*c & 15];
	}
	return encoded;
}

/* -- header fields ------------------------------------------------------------------------------------------------ */

bool http_header_in(struct slice rest, const char *name, struct slice *out)
{
	while (rest.at && rest.len) {
		struct slice line = slice_cut(&rest, '\n');
		struct slice before = slice_cut(&line, ':');

		if (line.at && slice_is(before, name)) {
			*out = slice_trim(line);
			return true;
		}
	}
	return false;
}

bool http_header(const struct http_answer *answer, const char *name, struct slice *out)
{
	return http_header_in(buffer_held(&answer->head), name, out);
}

bool http_date(struct slice text, int64_t *out)
{
	struct tm tm = { 0 };
	char      plain[64];

	text = slice_trim(text);
	if (text.len >= sizeof plain)
		return false;
	snprintf(plain, sizeof plain, "%.*s", (int)text.len, text.at);
	if (!strptime(plain, "%a, %d %b %Y %H:%M:%S", &tm))
		return false;
	*out = timegm(&tm);
	return true;
}
