#include "base/settings.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/slice.h"

const struct setting_row setting_rows[SETTINGS] = {
#define SETTING(name, section, key, otherwise, manual) [SETTING_##name] = { section, key, otherwise, manual },
#include "base/settings.def"
#undef SETTING
};

#define LONGEST_FILE (64 * 1024)

static void put(struct settings *s, enum setting which, const char *value, enum setting_source from)
{
	free(s->value[which]);
	s->value[which] = must_copy(value);
	s->given[which] = true;
	s->from[which] = from;
}

void settings_set(struct settings *s, enum setting which, const char *value)
{
	put(s, which, value, FROM_COMMAND_LINE);
}

static bool set_named(struct settings *s, struct slice section, struct slice key, struct slice value)
{
	CLEANUP(arena) struct arena *work = arena_new();

	for (enum setting i = 0; i < SETTINGS; i++)
		if (slice_is(section, setting_rows[i].section) && slice_is(key, setting_rows[i].key)) {
			put(s, i, arena_copy(work, value), FROM_FILE);
			return true;
		}
	return false;
}

/* A comment at the end of a line: "; …" or "# …" behind a blank. */
static struct slice without_comment(struct slice line)
{
	for (size_t i = 0; i < line.len; i++)
		if ((line.at[i] == ';' || line.at[i] == '#') && (i == 0 || line.at[i - 1] == ' ' || line.at[i - 1] == '\t'))
			return slice_upto(line, i);
	return line;
}

/* One line of INI. The library for it, inih, cuts lines at 200 bytes and takes the rest for a line of its own: half a
 * connect_to is somebody else's. */
static bool one_line(struct settings *s, struct slice line, struct slice *section, struct error *err, const char *file, int number)
{
	struct slice key;

	line = slice_trim(without_comment(line));
	if (line.len == 0)
		return true;
	if (line.at[0] == '[' && line.at[line.len - 1] == ']') {
		*section = slice_trim(slice(line.at + 1, line.len - 2));
		return true;
	}
	if (line.at[0] == '[' || slice_find(line, '=') == line.len)
		return fail(err, FAULT_MALFORMED, "%s, line %d: not KEY = VALUE", file, number);
	key = slice_trim(slice_cut(&line, '='));
	if (set_named(s, *section, key, slice_trim(line)))
		return true;
	return fail(err, FAULT_MALFORMED, "%s, line %d: [%.*s] %.*s", file, number, (int)(section->len < 40 ? section->len : 40), section->at,
	            (int)(key.len < 50 ? key.len : 50), key.at);
}

static bool read_lines(struct settings *s, struct slice text, const char *file, struct error *err)
{
	struct slice section = slice("", 0);

	for (int number = 1; text.len; number++)
		if (!one_line(s, slice_cut(&text, '\n'), &section, err, file, number))
			return false;
	return true;
}

static bool read_file(struct settings *s, const char *file, struct error *err)
{
	char  *text = must_alloc(LONGEST_FILE + 1);
	FILE  *f = fopen(file, "re");
	size_t n = f ? fread(text, 1, LONGEST_FILE + 1, f) : 0;
	bool   fine;

	if (!f || ferror(f))
		fine = fail(err, FAULT_LOCAL, "%s cannot be read: %s", file, strerror(errno));
	else if (n > LONGEST_FILE)
		fine = fail(err, FAULT_TOO_BIG, "%s: over %d bytes", file, LONGEST_FILE);
	else
		fine = read_lines(s, slice(text, n), file, err);
	if (f)
		fclose(f);
	free(text);
	return fine;
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
			put(s, i, value, FROM_ENVIRONMENT);
	}
}

bool settings_read(struct settings *s, const char *file, struct error *err)
{
	*s = (struct settings){ 0 };
	for (enum setting i = 0; i < SETTINGS; i++)
		if (setting_rows[i].otherwise)
			s->value[i] = must_copy(setting_rows[i].otherwise);
	if (file && !read_file(s, file, err))
		return false;
	read_environment(s);
	return true;
}

void settings_release(struct settings *s)
{
	for (enum setting i = 0; i < SETTINGS; i++)
		free(s->value[i]);
	*s = (struct settings){ 0 };
}
