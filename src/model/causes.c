#include "model/causes.h"

#include <assert.h>
#include <string.h>

static const struct cause_row rows[CAUSE_COUNT] = {
	[CAUSE_NONE] = { "", WHO_NOBODY, WHO_NOBODY, "" },
#define CAUSE(name, id, first_who, all_who, alias) [CAUSE_##name] = { id, first_who, all_who, alias },
#include "model/causes.def"
#undef CAUSE
};

const struct cause_row *cause_row(enum cause cause)
{
	assert(cause < CAUSE_COUNT);
	return &rows[cause];
}

enum cause cause_find(const char *id)
{
	for (unsigned i = CAUSE_NONE + 1; i < CAUSE_COUNT; i++)
		if (strcmp(rows[i].id, id) == 0)
			return (enum cause)i;
	return CAUSE_NONE;
}

const char *who_name(enum who who)
{
	switch (who) {
	case WHO_USER:     return "user";
	case WHO_ADMIN:    return "admin";
	case WHO_PROVIDER: return "provider";
	case WHO_OPERATOR: return "operator";
	case WHO_NOBODY:   return "nobody";
	}
	return "";
}

const char *certainty_name(enum certainty certainty)
{
	static const char *const name[] = { "", "possible", "likely", "proven" };

	return name[certainty];
}
