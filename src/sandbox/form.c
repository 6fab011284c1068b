#include "sandbox/form.h"

#include <ctype.h>
#include <string.h>

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

const char *url_plain(struct arena *arena, struct slice text, bool plus)
{
	char *out = arena_get(arena, text.len + 1), *at = out;

	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];

		if (c == '%') {
			int high = i + 2 < text.len ? digit(text.at[i + 1]) : -1, low = i + 2 < text.len ? digit(text.at[i + 2]) : -1;

			if (high < 0 || low < 0)
				return NULL;
			c = (char)(high << 4 | low);
			i += 2;
		} else if (c == '+' && plus) {
			c = ' ';
		}
		if (!c)
			return NULL;
		*at++ = c;
	}
	return out;
}

bool form_read(struct arena *arena, struct slice text, struct form *out)
{
	*out = (struct form){ .count = 0 };
	if (text.len > FORM_LONGEST)
		return false;
	while (text.len) {
		struct slice rest = slice_cut(&text, '&'), name = slice_cut(&rest, '=');

		if (!name.len && !rest.len)
			continue;
		if (out->count == FORM_FIELDS)
			return false;
		out->field[out->count].name = url_plain(arena, name, true);
		out->field[out->count].value = url_plain(arena, rest, true);
		if (!out->field[out->count].name || !out->field[out->count].value)
			return false;
		out->count++;
	}
	return true;
}

const char *form_get(const struct form *f, const char *name)
{
	for (size_t i = 0; i < f->count; i++)
		if (strcmp(f->field[i].name, name) == 0)
			return f->field[i].value;
	return NULL;
}

const char *form_text(const struct form *f, const char *name)
{
	const char *value = form_get(f, name);

	return value ? value : "";
}

void form_put(struct form *f, const char *name, const char *value)
{
	if (f->count == FORM_FIELDS)
		return;
	f->field[f->count].name = name;
	f->field[f->count++].value = value;
}

static void write_coded(struct buffer *out, const char *text)
{
	for (; *text; text++)
		if (isalnum((unsigned char)*text) || strchr("-._~", *text))
			buffer_add(out, slice(text, 1));
		else
			buffer_print(out, "%%%02X", (unsigned char)*text);
}

void form_write(struct buffer *out, const char *name, const char *value)
{
	if (!value)
		return;
	if (buffer_held(out).len)
		buffer_add_str(out, "&");
	write_coded(out, name);
	buffer_add_str(out, "=");
	write_coded(out, value);
}

const char *form_whole(struct arena *arena, const struct form *f)
{
	struct buffer all;
	const char   *text;

	buffer_init(&all, 4 * FORM_LONGEST);
	for (size_t i = 0; i < f->count; i++)
		form_write(&all, f->field[i].name, f->field[i].value);
	text = arena_copy(arena, buffer_held(&all));
	buffer_release(&all);
	return text;
}
