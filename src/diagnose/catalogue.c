#include "diagnose/catalogue.h"

#include <assert.h>
#include <stdlib.h>

/* Long enough for any tag of RFC 5646 that makes sense here; a longer one is known to nobody. */
#define TAG_MOST 40

const struct language *language_at(size_t n)
{
	return n < catalogue_count ? &catalogues[n].language : NULL;
}

const struct language *language_english(void)
{
	return language_at(0);
}

static const struct language *language_named(const char *tag)
{
	for (size_t i = 0; i < catalogue_count; i++)
		if (slice_is(slice_str(tag), catalogues[i].language.tag))
			return &catalogues[i].language;
	return NULL;
}

/* "th_TH.UTF-8@calendar" is "th-TH" as a tag. */
static bool as_tag(const char *name, char out[TAG_MOST])
{
	size_t len = strcspn(name, ".@");

	if (len >= TAG_MOST)
		return false;
	for (size_t i = 0; i < len; i++)
		out[i] = name[i] == '_' ? '-' : name[i];
	out[len] = '\0';
	return true;
}

const struct language *language_find(const char *name)
{
	char tag[TAG_MOST];

	if (!name || !as_tag(name, tag))
		return NULL;
	for (;;) {
		const struct language *found = language_named(tag);
		char                  *narrower = strrchr(tag, '-');

		if (found || !narrower)
			return found;
		*narrower = '\0';          /* RFC 4647 §3.4: from narrow to wide */
	}
}

static int compare_keys(const void *key, const void *member)
{
	return strcmp(key, *(const char *const *)member);
}

const char *catalogue_text(const struct language *language, const char *key)
{
	const struct catalogue *mine = (const struct catalogue *)language;
	const char *const      *hit;
	size_t                  n;

	assert(language && key);
	hit = bsearch(key, catalogue_keys, catalogue_key_count, sizeof *catalogue_keys, compare_keys);
	if (!hit)
		return NULL;
	n = (size_t)(hit - catalogue_keys);
	return mine->texts[n] ? mine->texts[n] : catalogues[0].texts[n];
}

static bool is_name(char c, bool first)
{
	return (c >= 'a' && c <= 'z') || (!first && (c == '_' || (c >= '0' && c <= '9')));
}

/* The name behind the brace that `at` points to; empty when that brace begins no placeholder. */
static struct slice placeholder(const char *at)
{
	size_t len = 0;

	at++;
	while (is_name(at[len], len == 0))
		len++;
	return slice(at, at[len] == '}' ? len : 0);
}

static const char *value_of(struct slice name, const struct value *values, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (slice_equal(name, slice_str(values[i].name)))
			return values[i].text && *values[i].text ? values[i].text : NULL;
	return NULL;
}

/* Writes the filled text to `out`, or only measures it when that is NULL. */
static bool fill(const char *text, const struct value *values, size_t count, char *out, size_t *len)
{
	*len = 0;
	while (*text) {
		struct slice piece = slice(text, 1);
		size_t       used = 1;
		struct slice name = *text == '{' ? placeholder(text) : slice(NULL, 0);

		if (name.len) {
			piece = slice_str(value_of(name, values, count));
			used = name.len + 2;
			if (!piece.at)
				return false;
		}
		if (out)
			memcpy(out + *len, piece.at, piece.len);
		*len += piece.len;
		text += used;
	}
	return true;
}

bool catalogue_fill(struct arena *job, const char *text, const struct value *values, size_t count, const char **out)
{
	size_t len;
	char  *filled;

	if (!fill(text, values, count, NULL, &len))
		return false;
	filled = arena_get(job, len + 1);          /* comes zeroed: the NUL is there */
	fill(text, values, count, filled, &len);
	*out = filled;
	return true;
}
