#include "cmd/wrap.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <thai/thbrk.h>
#include <thai/thwbrk.h>
#include <wchar.h>

#include "base/arena.h"

#define LONGEST 8000        /* characters of one text; ours are hundreds */

static size_t decode(const char *text, wchar_t *out, size_t most)
{
	mbstate_t   state = { 0 };
	const char *at = text;
	size_t      n = mbsrtowcs(out, &at, most - 1, &state);

	if (n == (size_t)-1) {
		/* not valid in this locale: byte for byte, so that something is shown */
		for (n = 0; text[n] && n < most - 1; n++)
			out[n] = (unsigned char)text[n] < 0x80 ? (wchar_t)text[n] : L'?';
	}
	out[n] = L'\0';
	return n;
}

static size_t width_of(wchar_t c)
{
	int w = wcwidth(c);

	return w > 0 ? (size_t)w : 0;
}

size_t text_width(const char *text)
{
	wchar_t *wide = must_alloc((strlen(text) + 1) * sizeof *wide);
	size_t   width = 0;

	for (size_t i = 0, n = decode(text, wide, strlen(text) + 1); i < n; i++)
		width += width_of(wide[i]);
	free(wide);
	return width;
}

static bool is_thai(wchar_t c)
{
	return c >= 0x0e00 && c <= 0x0e7f;
}

static bool in_quotes(const wchar_t *wide, size_t at)
{
	bool quoted = false;

	for (size_t i = 0; i < at; i++)
		quoted ^= wide[i] == L'`';
	return quoted;
}

/* may_break[i]: a line may end before character i. Blanks, and inside Thai where libthai finds a word's end. */
static void find_breaks(const wchar_t *wide, size_t n, bool *may_break)
{
	int    *pos = must_alloc((n + 1) * sizeof *pos);
	bool    quoted = false, thai = false;

	for (size_t i = 0; i < n; i++) {
		thai |= is_thai(wide[i]);
		may_break[i] = !quoted && i > 0 && wide[i - 1] == L' ';
		quoted ^= wide[i] == L'`';
	}
	if (thai) {
		ThBrk *brk = th_brk_new(NULL);
		int    count = brk ? th_brk_wc_find_breaks(brk, (const thwchar_t *)wide, pos, n) : 0;

		th_brk_delete(brk);
		for (int i = 0; i < count; i++)
			if (pos[i] > 0 && (size_t)pos[i] < n && is_thai(wide[pos[i]]) && is_thai(wide[pos[i] - 1])
			    && !in_quotes(wide, (size_t)pos[i]))
				may_break[pos[i]] = true;
	}
	free(pos);
}

static void put(FILE *out, const wchar_t *from, const wchar_t *to)
{
	char      bytes[MB_LEN_MAX];
	mbstate_t state = { 0 };

	for (; from < to; from++) {
		size_t n = *from == L'`' ? 0 : wcrtomb(bytes, *from, &state);

		if (n != (size_t)-1)
			fwrite(bytes, 1, n, out);
	}
}

static void new_line(FILE *out, size_t indent)
{
	fprintf(out, "\n%*s", (int)indent, "");
}

void print_wrapped(FILE *out, const char *text, size_t at, size_t indent)
{
	size_t   most = strlen(text) + 1 < LONGEST ? strlen(text) + 1 : LONGEST;
	wchar_t *wide = must_alloc(most * sizeof *wide);
	size_t   n = decode(text, wide, most);
	bool    *may_break = must_alloc(n + 1);

	find_breaks(wide, n, may_break);
	for (size_t start = 0, end, blanks = 0; start < n; start = end) {
		size_t width = 0, shown;

		/* one piece up to the next place where a line may end */
		for (end = start + 1; end < n && !may_break[end]; end++)
			;
		for (shown = end; shown > start && wide[shown - 1] == L' '; shown--)
			;
		if (shown == start) {
			blanks += end - start;
			continue;
		}
		for (size_t i = start; i < shown; i++)
			width += wide[i] == L'`' ? 0 : width_of(wide[i]);
		if (at + blanks + width > TERMINAL_COLUMNS && at > indent) {
			new_line(out, indent);
			at = indent;
			blanks = 0;
		}
		fprintf(out, "%*s", (int)blanks, "");
		put(out, wide + start, wide + shown);
		at += blanks + width;
		blanks = end - shown;
	}
	fputc('\n', out);
	free(may_break);
	free(wide);
}

void print_padded(FILE *out, const char *text, size_t width)
{
	size_t has = text_width(text);

	fputs(text, out);
	if (has < width)
		fprintf(out, "%*s", (int)(width - has), "");
}

/* The next character of a text, cleaned; the columns it takes. */
static size_t next_character(const char **text, char out[MB_LEN_MAX + 1])
{
	wchar_t   c = 0;
	mbstate_t state = { 0 };
	size_t    n = mbrtowc(&c, *text, strlen(*text), &state);
	int       width;

	if (n == (size_t)-1 || n == (size_t)-2 || n == 0)
		n = 1, c = L'\0';
	width = wcwidth(c);
	if (c == L'\0' || width < 0) {
		memcpy(out, "?", sizeof "?");
		width = 1;
	} else {
		memcpy(out, *text, n);
		out[n] = '\0';
	}
	*text += n;
	return (size_t)width;
}

void put_text(FILE *f, const char *text)
{
	char one[MB_LEN_MAX + 1];

	while (*text) {
		next_character(&text, one);
		fputs(one, f);
	}
}

static size_t clean_width(const char *text)
{
	size_t width = 0;
	char   one[MB_LEN_MAX + 1];

	while (*text)
		width += next_character(&text, one);
	return width;
}

void put_cell(FILE *f, const char *text, size_t width)
{
	bool   fits = clean_width(text) <= width;
	size_t used = 0;
	char   one[MB_LEN_MAX + 1];

	while (*text) {
		size_t w = next_character(&text, one);

		if (used + w + (fits ? 0 : 1) > width) {
			fputs("…", f);
			used++;
			break;
		}
		fputs(one, f);
		used += w;
	}
	fprintf(f, "%*s", used < width ? (int)(width - used) : 0, "");
}
