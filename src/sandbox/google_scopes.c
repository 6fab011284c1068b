#include <string.h>

#include "sandbox/google.h"

/* Facts G A.2; those of sign-in first, by both of their names. */
static const struct { const char *name, *whole; bool sign_in; } known[] = {
	{ "openid", "openid", true }, { "email", GSCOPE("userinfo.email"), true }, { "profile", GSCOPE("userinfo.profile"), true },
	{ "userinfo.email", GSCOPE("userinfo.email"), true }, { "userinfo.profile", GSCOPE("userinfo.profile"), true },
	{ NULL, GSCOPE_MAIL, false },
	{ NULL, GSCOPE("gmail.readonly"), false }, { NULL, GSCOPE("gmail.modify"), false }, { NULL, GSCOPE("gmail.send"), false },
	{ NULL, GSCOPE("gmail.compose"), false }, { NULL, GSCOPE("gmail.insert"), false }, { NULL, GSCOPE("gmail.labels"), false },
	{ NULL, GSCOPE("gmail.metadata"), false },
	{ NULL, GSCOPE("gmail.settings.basic"), false }, { NULL, GSCOPE("gmail.settings.sharing"), false }, { NULL, GSCOPE("gmail.imap_admin"), false },
	{ NULL, GSCOPE("calendar"), false }, { NULL, GSCOPE("calendar.readonly"), false }, { NULL, GSCOPE("calendar.events"), false },
	{ NULL, GSCOPE("calendar.events.readonly"), false }, { NULL, GSCOPE("calendar.freebusy"), false },
	{ NULL, GSCOPE("calendar.calendarlist"), false }, { NULL, GSCOPE("calendar.calendarlist.readonly"), false },
	{ NULL, GSCOPE("calendar.settings.readonly"), false },
};

/* What stands behind the last "/"; of that for all mail, which ends in one, the whole. */
static const char *last_word(const char *scope)
{
	const char *slash = strrchr(scope, '/');

	return slash && slash[1] ? slash + 1 : scope;
}

const char *gscope_next(struct arena *arena, struct slice *rest)
{
	while (rest->len) {
		struct slice one = slice_cut(rest, ' ');

		if (one.len)
			return arena_copy(arena, one);
	}
	return NULL;
}

static bool is_scope(struct slice one, const char *scope)
{
	return slice_is(one, scope) || (!strchr(scope, '/') && slice_starts(one, GSCOPE("")) && slice_is(slice_from(one, strlen(GSCOPE(""))), scope));
}

bool gscope_has(const char *scopes, const char *scope)
{
	struct slice rest = slice_str(scopes);

	while (rest.len)
		if (is_scope(slice_cut(&rest, ' '), scope))
			return true;
	return false;
}

bool gscope_is_sign_in(struct slice scope)
{
	for (size_t i = 0; i < COUNT(known); i++)
		if (known[i].sign_in && slice_is(scope, known[i].whole))
			return true;
	return false;
}

const char *gscope_joined(struct arena *arena, const char *a, const char *b)
{
	struct slice rest = slice_str(b);
	const char  *one;

	while ((one = gscope_next(arena, &rest)))
		if (!gscope_has(a, one))
			a = arena_print(arena, "%s%s%s", a, *a ? " " : "", one);
	return a;
}

static const char *whole_of(const char *scope)
{
	for (size_t i = 0; i < COUNT(known); i++)
		if (strcmp(scope, known[i].whole) == 0 || (known[i].name && strcmp(scope, known[i].name) == 0))
			return known[i].whole;
	return NULL;
}

const char *gscope_read(struct arena *arena, const char *asked)
{
	struct slice rest = slice_str(asked);
	const char  *one, *out = "";

	while ((one = gscope_next(arena, &rest))) {
		const char *whole = whole_of(one);

		if (!whole)
			return NULL;
		out = gscope_joined(arena, out, whole);
	}
	return *out ? out : NULL;
}

bool gscope_within(const char *scopes, const char *granted)
{
	struct slice rest = slice_str(scopes);

	while (rest.len) {
		struct slice one = slice_cut(&rest, ' '), all = slice_str(granted);
		bool         found = !one.len;

		while (!found && all.len)
			found = slice_equal(slice_cut(&all, ' '), one);
		if (!found)
			return false;
	}
	return true;
}

const char *gscope_without(struct arena *arena, const char *scopes, const char *list)
{
	struct slice rest = slice_str(scopes);
	const char  *one, *out = "";

	while ((one = gscope_next(arena, &rest))) {
		struct slice words = slice_str(list);
		bool         out_of_it = false;

		while (words.len && !out_of_it)
			out_of_it = slice_is(slice_cut(&words, ','), last_word(one));
		if (!out_of_it)
			out = arena_print(arena, "%s%s%s", out, *out ? " " : "", one);
	}
	return out;
}
