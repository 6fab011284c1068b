#include "cmd/command.h"

#include <stdio.h>
#include <stdlib.h>

void command_name(char *argv0[], const char *name)
{
	static char full[40];

	snprintf(full, sizeof full, "mailmoor %s", name);
	argv0[0] = full;
}

bool command_language(const char *wanted, const struct language **out)
{
	static const char *const variables[] = { "LC_ALL", "LC_MESSAGES", "LANG" };

	if (wanted) {
		const struct language *lang = language_find(wanted);

		if (lang)
			*out = lang;
		return lang != NULL;
	}
	*out = language_english();
	for (size_t i = 0; i < COUNT(variables); i++) {
		const char *name = getenv(variables[i]);

		if (name && *name) {
			const struct language *lang = language_find(name);

			if (lang)
				*out = lang;
			return true;
		}
	}
	return true;
}

int exit_status_of(const struct verdict *v)
{
	bool unknown = verdict_is_unknown(v);

	switch (v->kind) {
	case VERDICT_CONNECTED:  return EXIT_CONNECTED;
	case VERDICT_FAILED:
	case VERDICT_PARTIAL:    return unknown ? EXIT_UNFINISHED : EXIT_CAUSE;
	case VERDICT_UNFINISHED: return EXIT_UNFINISHED;
	case VERDICT_EXPLAINED:  return unknown ? EXIT_UNFINISHED : EXIT_CONNECTED;
	}
	return EXIT_INTERNAL;
}
