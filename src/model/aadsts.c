#include "model/aadsts.h"

#include <ctype.h>

static const char mark[] = "AADSTS";

static bool is_digit(struct slice s, size_t at)
{
	return at < s.len && isdigit((unsigned char)s.at[at]);
}

static bool is_wordy(struct slice s, size_t at)
{
	return at < s.len && isalnum((unsigned char)s.at[at]);
}

bool aadsts_next(struct slice *text, struct slice *digits_out)
{
	const size_t len = sizeof mark - 1;

	for (size_t i = 0; i + len < text->len; i++) {
		size_t end = i + len;

		if ((i > 0 && is_wordy(*text, i - 1)) || !slice_starts(slice_from(*text, i), mark))
			continue;
		while (is_digit(*text, end))
			end++;
		if (is_wordy(*text, end) || end - i - len < AADSTS_LEAST || end - i - len > AADSTS_MOST)
			continue;
		*digits_out = slice(text->at + i + len, end - i - len);
		*text = slice_from(*text, end);
		return true;
	}
	return false;
}

struct slice aadsts_labelled(struct slice text, const char *label)
{
	size_t       at = slice_search(text, label), len = 0;
	struct slice rest = slice_trim(slice_from(text, at + strlen(label)));

	if (at == text.len)
		return slice(NULL, 0);
	while (len < rest.len && len < 40 && (isxdigit((unsigned char)rest.at[len]) || strchr("-:TZ.", rest.at[len])))
		len++;
	return len >= 8 ? slice(rest.at, len) : slice(NULL, 0);
}
