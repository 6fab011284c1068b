#include "diagnose/explain_value.h"

#include <ctype.h>

#define WORD 60      /* the longest error, code or flag */

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '.';
}

struct slice explain_value(struct slice text, const char *name)
{
	size_t len = strlen(name);

	for (struct slice rest = text; rest.len > len;) {
		size_t       at = slice_search(rest, name), end = 0;
		struct slice value = slice_from(rest, at + len);
		bool         whole = at < rest.len && (rest.at + at == text.at || !is_word(rest.at[at - 1]));
		bool         query = value.len && value.at[0] == '=', json = value.len && value.at[0] == '"';

		rest = value;
		if (!whole || (!query && !json))
			continue;
		while (value.len && strchr("\"=: ", value.at[0]))
			value = slice_from(value, 1);
		while (end < value.len && is_word(value.at[end]))
			end++;
		if (end > 0 && end <= WORD)
			return slice(value.at, end);
	}
	return slice(NULL, 0);
}

bool explain_stands_alone(struct slice text, const char *word)
{
	size_t at = slice_search(text, word), end = at + strlen(word);

	return at < text.len && (at == 0 || !is_word(text.at[at - 1])) && (end == text.len || !isalnum((unsigned char)text.at[end]));
}
