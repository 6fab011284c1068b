#include <string.h>

#include "serve/http_parts.h"

#define PARTS 12       /* of a path; no route has more */

struct path {
	const char *part[PARTS];
	size_t      count;
};

static bool path_read(struct slice raw, struct arena *into, struct path *out, bool *too_long)
{
	*out = (struct path){ 0 };
	*too_long = false;
	if (raw.len == 0 || raw.at[0] != '/')
		return false;
	raw = slice_from(raw, 1);
	for (bool more = true; more;) {
		struct slice part = raw;

		more = slice_find(raw, '/') < raw.len;
		if (more)
			part = slice_cut(&raw, '/');
		if (out->count == PARTS) {
			*too_long = true;
			return true;
		}
		if (!percent_decode(part, false, into, &out->part[out->count++]))
			return false;
	}
	return true;
}

/* Where the route goes on behind its part that is this one; NULL when it is another. */
static const char *behind_literal(const char *route, const char *part)
{
	for (; *part && *part == *route && *route != '/'; part++)
		route++;
	return !*part && (!*route || *route == '/') ? route : NULL;
}

/* How many parts of the route are literal, or -1 when it does not fit. Asked of every route for every request. */
static int fits(const char *route, const struct path *path, const char *param[HTTP_PARAMS])
{
	int    literal = 0;
	size_t params = 0;

	for (size_t i = 0; i < path->count; i++) {
		if (*route++ != '/')
			return -1;
		if (*route == '{') {
			if (!*path->part[i] || params == HTTP_PARAMS)
				return -1;
			param[params++] = path->part[i];
			route = strchrnul(route, '/');
		} else {
			if (!(route = behind_literal(route, path->part[i])))
				return -1;
			literal++;
		}
	}
	return *route ? -1 : literal;
}

static const char *allowed(const char *so_far, const char *method, struct arena *into)
{
	const char *name = strcmp(method, "GET") == 0 ? "GET, HEAD" : method;

	return so_far ? arena_print(into, "%s, %s", so_far, name) : name;
}

/* Which methods that path has besides, for the refusal. */
static const char *all_allowed(const struct route *const *tables, const struct path *path, struct arena *into)
{
	const char *allow = NULL, *unused[HTTP_PARAMS];

	for (size_t t = 0; tables[t]; t++)
		for (const struct route *r = tables[t]; r->method; r++)
			if (fits(r->path, path, unused) >= 0)
				allow = allowed(allow, r->method, into);
	return allow;
}

enum routed route_find(const struct route *const *tables, const char *method, struct slice raw_path, struct arena *into,
                       const struct route **out, const char *param[HTTP_PARAMS], const char **allow)
{
	const char *wanted = strcmp(method, "HEAD") == 0 ? "GET" : method;
	struct path path;
	bool        too_long;
	int         best = -1;

	*out = NULL;
	*allow = NULL;
	if (!path_read(raw_path, into, &path, &too_long))
		return ROUTED_MALFORMED;
	for (size_t t = 0; tables[t] && !too_long; t++)
		for (const struct route *r = tables[t]; r->method; r++) {
			const char *found[HTTP_PARAMS] = { 0 };
			int         literal;

			if (r->method[0] != wanted[0] || strcmp(r->method, wanted) != 0)
				continue;
			literal = fits(r->path, &path, found);
			if (literal <= best)
				continue;
			best = literal;
			*out = r;
			memcpy(param, found, sizeof found);
		}
	if (!*out && !too_long)
		*allow = all_allowed(tables, &path, into);
	return *out ? ROUTED : *allow ? ROUTED_OTHER_METHOD : ROUTED_NOWHERE;
}
