#include "base/settings.h"

#include <ctype.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/arena.h"

const struct setting_row setting_rows[SETTINGS] = {
#define SETTING(name, section, key, otherwise, manual) [SETTING_##name] = { section, key, otherwise, manual },
#include "base/settings.def"
#undef SETTING
};

struct reading {
	struct settings *settings;
	char             unknown[100];
};

void settings_set(struct settings *s, enum setting which, const char *value)
{
	free(s->value[which]);
	s->value[which] = must_copy(value);
	s->given[which] = true;
}

static int one_line(void *user, const char *section, const char *key, const char *value)
{
	struct reading *r = user;

	for (enum setting i = 0; i < SETTINGS; i++)
		if (strcasecmp(section, setting_rows[i].section) == 0 && strcasecmp(key, setting_rows[i].key) == 0) {
			settings_set(r->settings, i, value);
			return 1;
		}
	snprintf(r->unknown, sizeof r->unknown, "[%.40s] %.50s", section, key);
	return 0;
}

static void read_environment(struct settings *s)
{
	for (enum setting i = 0; i < SETTINGS; i++) {
		char  name[80];
		char *value;

		snprintf(name, sizeof name, "MAILMOOR_%s_%s", setting_rows[i].section, setting_rows[i].key);
		for (char *c = name; *c; c++)
			*c = (char)toupper((unsigned char)*c);
		value = getenv(name);
		if (value)
			settings_set(s, i, value);
	}
}

bool settings_read(struct settings *s, const char *file, struct error *err)
{
	struct reading r = { .settings = s };

	*s = (struct settings){ 0 };
	for (enum setting i = 0; i < SETTINGS; i++)
		if (setting_rows[i].otherwise)
			s->value[i] = must_copy(setting_rows[i].otherwise);
	if (file) {
		int line = ini_parse(file, one_line, &r);

		if (line < 0)
			return fail(err, FAULT_LOCAL, "%s cannot be read", file);
		if (line > 0)
			return fail(err, FAULT_MALFORMED, "%s, line %d: %s", file, line, r.unknown[0] ? r.unknown : "not KEY = VALUE");
	}
	read_environment(s);
	return true;
}

void settings_release(struct settings *s)
{
	for (enum setting i = 0; i < SETTINGS; i++)
		free(s->value[i]);
	*s = (struct settings){ 0 };
}
