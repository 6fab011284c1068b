#include "base/slice.h"

#include <strings.h>

bool slice_is(struct slice s, const char *text)
{
	return s.len == strlen(text) && (s.len == 0 || strncasecmp(s.at, text, s.len) == 0);
}

bool slice_starts(struct slice s, const char *text)
{
	size_t len = strlen(text);

	return s.len >= len && strncasecmp(s.at, text, len) == 0;
}

bool slice_ends(struct slice s, const char *text)
{
	size_t len = strlen(text);

	return s.len >= len && strncasecmp(s.at + s.len - len, text, len) == 0;
}

size_t slice_find(struct slice s, char byte)
{
	const char *hit = s.len ? memchr(s.at, byte, s.len) : NULL;

	return hit ? (size_t)(hit - s.at) : s.len;
}

size_t slice_search(struct slice s, const char *text)
{
	size_t len = strlen(text);

	if (len == 0)
		return 0;
	for (size_t i = 0; i + len <= s.len; i++)
		if (strncasecmp(s.at + i, text, len) == 0)
			return i;
	return s.len;
}

bool slice_has(struct slice s, const char *text)
{
	return *text == '\0' || slice_search(s, text) < s.len;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct slice slice_trim(struct slice s)
{
	while (s.len && is_space(s.at[0]))
		s = slice_from(s, 1);
	while (s.len && is_space(s.at[s.len - 1]))
		s.len--;
	return s;
}

struct slice slice_cut(struct slice *rest, char byte)
{
	size_t       at = slice_find(*rest, byte);
	struct slice before = slice_upto(*rest, at);

	*rest = at < rest->len ? slice_from(*rest, at + 1) : slice(NULL, 0);
	return before;
}

bool slice_number(struct slice s, unsigned long long most, unsigned long long *out)
{
	unsigned long long n = 0;

	if (s.len == 0)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		unsigned digit = (unsigned)(s.at[i] - '0');

		if (s.at[i] < '0' || s.at[i] > '9' || digit > most || n > (most - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	*out = n;
	return true;
}
