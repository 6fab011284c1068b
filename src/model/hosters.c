#include "model/hosters.h"

#include <fnmatch.h>
#include <string.h>

#include "base/arena.h"
#include "base/slice.h"

static const struct hoster rows[] = {
#define HOSTER(...) { __VA_ARGS__ },
#include "model/hosters.def"
#undef HOSTER
};

static const char *const filters[] = {
#define FILTER(pattern) pattern,
#include "model/hosters.def"
#undef FILTER
};

static const struct { const char *id, *greeting, *id_response; } families[] = {
#define FAMILY(id, greeting, id_response) { id, greeting, id_response },
#include "model/hosters.def"
#undef FAMILY
};

/* No DNS name is longer; a longer text is somebody's game with the matcher. */
#define LONGEST_NAME 255

static bool matches(const char *pattern, const char *name)
{
	return fnmatch(pattern, name, FNM_CASEFOLD) == 0;
}

static bool matches_any(const char *patterns, const char *name)
{
	struct slice rest = slice_str(patterns);
	char         pattern[128];

	if (strlen(name) > LONGEST_NAME)
		return false;
	while (rest.at) {
		struct slice one = slice_cut(&rest, ' ');

		if (one.len == 0 || one.len >= sizeof pattern)
			continue;
		memcpy(pattern, one.at, one.len);
		pattern[one.len] = '\0';
		if (matches(pattern, name))
			return true;
	}
	return false;
}

const struct hoster *hoster_at(size_t n)
{
	return n < COUNT(rows) ? &rows[n] : NULL;
}

const struct hoster *hoster_find(const char *id)
{
	for (size_t i = 0; i < COUNT(rows); i++)
		if (strcmp(rows[i].id, id) == 0)
			return &rows[i];
	return NULL;
}

const struct hoster *hoster_by_domain(const char *domain)
{
	for (size_t i = 0; i < COUNT(rows); i++)
		if (matches_any(rows[i].domains, domain))
			return &rows[i];
	return NULL;
}

const struct hoster *hoster_by_mx(const char *mx)
{
	for (size_t i = 0; i < COUNT(rows); i++)
		if (matches_any(rows[i].mx, mx))
			return &rows[i];
	return NULL;
}

const struct hoster *hoster_by_host(const char *host)
{
	for (size_t i = 0; i < COUNT(rows); i++)
		if (matches_any(rows[i].hosts, host))
			return &rows[i];
	return NULL;
}

bool mx_is_filter(const char *mx)
{
	for (size_t i = 0; i < COUNT(filters); i++)
		if (strlen(mx) <= LONGEST_NAME && matches(filters[i], mx))
			return true;
	return false;
}

const char *server_family(const char *host, const char *greeting, const char *id_response)
{
	const struct hoster *known = host ? hoster_by_host(host) : NULL;

	if (known)
		return known->id;
	for (size_t i = 0; greeting && i < COUNT(families); i++)
		if (slice_has(slice_str(greeting), families[i].greeting))
			return families[i].id;
	for (size_t i = 0; id_response && i < COUNT(families); i++)
		if (families[i].id_response && slice_has(slice_str(id_response), families[i].id_response))
			return families[i].id;
	return "";
}
