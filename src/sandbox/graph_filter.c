#include "sandbox/graph.h"

#include <ctype.h>
#include <strings.h>

#include "sandbox/text.h"

static const struct { const char *word; enum term how; } verbs[] = {
	{ "eq", TERM_EQ }, { "ne", TERM_NE }, { "ge", TERM_GE }, { "gt", TERM_GT }, { "le", TERM_LE }, { "lt", TERM_LT },
};

static const struct { const char *word; enum term how; } calls[] = { { "contains(", TERM_CONTAINS }, { "startswith(", TERM_STARTS } };

static void skip_blanks(struct slice *rest)
{
	while (rest->len && rest->at[0] == ' ')
		*rest = slice_from(*rest, 1);
}

/* A word, up to what ends one. */
static struct slice word(struct slice *rest)
{
	size_t       n = 0;
	struct slice out;

	skip_blanks(rest);
	while (n < rest->len && !strchr(" ,()", rest->at[n]))
		n++;
	out = slice_upto(*rest, n);
	*rest = slice_from(*rest, n);
	return out;
}

/* 'It''s' or a plain word; NULL: neither. */
static const char *value(struct arena *arena, struct slice *rest)
{
	char  *out, *at;
	size_t i;

	skip_blanks(rest);
	if (!rest->len || rest->at[0] != '\'') {
		struct slice plain = word(rest);

		return plain.len ? arena_copy(arena, plain) : NULL;
	}
	out = at = arena_get(arena, rest->len);
	for (i = 1; i < rest->len; i++) {
		if (rest->at[i] == '\'' && (i + 1 == rest->len || rest->at[i + 1] != '\''))
			break;
		*at++ = rest->at[i];
		i += rest->at[i] == '\'';
	}
	if (i >= rest->len)
		return NULL;
	*rest = slice_from(*rest, i + 1);
	return out;
}

static bool take(struct slice *rest, char c)
{
	skip_blanks(rest);
	if (!rest->len || rest->at[0] != c)
		return false;
	*rest = slice_from(*rest, 1);
	return true;
}

static bool read_call(struct arena *arena, struct slice *rest, struct filter *f)
{
	for (size_t i = 0; i < COUNT(calls); i++)
		if (slice_starts(*rest, calls[i].word)) {
			*rest = slice_from(*rest, strlen(calls[i].word));
			f->term[f->terms].how = calls[i].how;
			f->term[f->terms].path = arena_copy(arena, word(rest));
			if (!take(rest, ','))
				return false;
			f->term[f->terms].value = value(arena, rest);
			return f->term[f->terms++].value && take(rest, ')');
		}
	return false;
}

static bool read_comparison(struct arena *arena, struct slice *rest, struct filter *f)
{
	struct slice path = word(rest), verb = word(rest);

	for (size_t i = 0; path.len && i < COUNT(verbs); i++)
		if (slice_is(verb, verbs[i].word)) {
			f->term[f->terms].how = verbs[i].how;
			f->term[f->terms].path = arena_copy(arena, path);
			f->term[f->terms].value = value(arena, rest);
			return f->term[f->terms++].value != NULL;
		}
	return false;
}

bool filter_read(struct arena *arena, const char *text, struct filter *out)
{
	struct slice rest = slice_str(text);

	*out = (struct filter){ .terms = 0 };
	skip_blanks(&rest);
	while (rest.len) {
		bool is_call = slice_starts(rest, calls[0].word) || slice_starts(rest, calls[1].word);

		if (out->terms == FILTER_TERMS || !(is_call ? read_call(arena, &rest, out) : read_comparison(arena, &rest, out)))
			return false;
		skip_blanks(&rest);
		if (!rest.len)
			return true;
		if (!slice_is(word(&rest), "and"))
			return false;
		skip_blanks(&rest);
	}
	return false;
}

/* -- judging ------------------------------------------------------------------------------------------------------------- */

static const cJSON *member_at(const cJSON *o, const char *path)
{
	struct slice rest = slice_str(path);

	while (o && rest.len) {
		struct slice one = slice_cut(&rest, '/');
		const cJSON *child = o->child;

		while (child && !slice_is(one, child->string))
			child = child->next;
		o = child;
	}
	return o;
}

static int compared(const cJSON *m, const char *value)
{
	int64_t left, right;

	if (cJSON_IsBool(m))
		return strcasecmp(cJSON_IsTrue(m) ? "true" : "false", value);
	if (!cJSON_IsString(m))
		return -1;
	if (moment_read(m->valuestring, &left) && moment_read(value, &right))
		return left < right ? -1 : left > right;
	return strcasecmp(m->valuestring, value);
}

static bool term_takes(enum term how, const cJSON *m, const char *value)
{
	const char *text = cJSON_IsString(m) ? m->valuestring : "";
	int         c = compared(m, value);

	switch (how) {
	case TERM_CONTAINS: return strcasestr(text, value) != NULL;
	case TERM_STARTS:   return strncasecmp(text, value, strlen(value)) == 0;
	case TERM_EQ:       return c == 0;
	case TERM_NE:       return c != 0;
	case TERM_GE:       return c >= 0;
	case TERM_GT:       return c > 0;
	case TERM_LE:       return c <= 0;
	default:            return c < 0;
	}
}

bool filter_takes(const struct filter *f, const cJSON *item)
{
	for (size_t i = 0; i < f->terms; i++)
		if (!term_takes(f->term[i].how, member_at(item, f->term[i].path), f->term[i].value))
			return false;
	return true;
}
