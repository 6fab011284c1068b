/* settings.h -- one table is the parser, the defaults, the manual and `mailmoor config`.
 *
 * A value comes from the command line, else from the environment (MAILMOOR_SECTION_KEY), else from the file, else it is
 * the table's default. The file is INI; an unknown section or key is an error, with its line.
 */
#ifndef BASE_SETTINGS_H
#define BASE_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

enum setting {
#define SETTING(name, section, key, otherwise, manual) SETTING_##name,
#include "base/settings.def"
#undef SETTING
	SETTINGS
};

struct setting_row {
	const char *section, *key, *otherwise, *manual;
};

extern const struct setting_row setting_rows[SETTINGS];

enum setting_source { FROM_DEFAULT, FROM_FILE, FROM_ENVIRONMENT, FROM_COMMAND_LINE };

struct settings {
	char               *value[SETTINGS];      /* NULL: not set, and no default */
	bool                given[SETTINGS];      /* by the file, the environment or the command line … */
	enum setting_source from[SETTINGS];       /* … and by which of them        */
};

/* The defaults, the file when there is one (NULL: none), the environment. FAULT_LOCAL, FAULT_MALFORMED, FAULT_TOO_BIG;
 * settings_release() is in order either way. */
bool settings_read(struct settings *, const char *file, struct error *err);
void settings_set(struct settings *, enum setting, const char *value);      /* by the command line */
void settings_release(struct settings *);

#endif
