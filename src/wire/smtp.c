#include "wire/smtp.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define WHY       120
#define QUOTE_MAX 60       /* of what a peer said that is no SMTP */

struct smtp_reader {
	size_t longest_line, longest_reply;
	size_t seen;             /* everything before it was looked at     */
	size_t line;             /* where the line at `seen` begins        */
	size_t line_count;       /* whole lines of this reply before it    */
	bool   broken;
	char   why[WHY];
};

struct smtp_reader *smtp_reader_new(size_t longest_line, size_t longest_reply)
{
	struct smtp_reader *r = must_alloc(sizeof *r);

	assert(longest_line < SIZE_MAX / 4 && longest_reply < SIZE_MAX / 4);
	r->longest_line = longest_line;
	r->longest_reply = longest_reply;
	return r;
}

void smtp_reader_free(struct smtp_reader *r)
{
	free(r);
}

const char *smtp_broken(const struct smtp_reader *r)
{
	return r->why;
}

static void next_reply(struct smtp_reader *r)
{
	r->seen = r->line = r->line_count = 0;
}

void smtp_reader_clear(struct smtp_reader *r)
{
	next_reply(r);
	r->broken = false;
	r->why[0] = '\0';
}

static struct smtp_event broken(struct smtp_reader *r)
{
	r->broken = true;
	return (struct smtp_event){ .kind = SMTP_BROKEN };
}

static struct smtp_event not_smtp(struct smtp_reader *r, struct slice line)
{
	char heard[QUOTE_MAX + 1];

	line = slice_trim(slice_upto(line, QUOTE_MAX));
	for (size_t i = 0; i < line.len; i++)
		heard[i] = line.at[i] >= ' ' && line.at[i] <= '~' ? line.at[i] : '.';
	heard[line.len] = '\0';
	snprintf(r->why, sizeof r->why, "not SMTP: %s", heard);
	return broken(r);
}

static struct smtp_event too_long(struct smtp_reader *r, const char *what, size_t limit)
{
	snprintf(r->why, sizeof r->why, "a %s longer than %zu bytes", what, limit);
	return broken(r);
}

/* -- one line ----------------------------------------------------------------------------------------------------- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Could this, so far, become a reply line? "250", "250 …", "250-…", and no number that is no reply code. */
static bool fits(struct slice line)
{
	for (size_t i = 0; i < line.len && i < 3; i++)
		if (!is_digit(line.at[i]) || (i == 0 && (line.at[i] < '1' || line.at[i] > '5')))
			return false;
	return line.len < 4 || line.at[3] == ' ' || line.at[3] == '-';
}

static int code_of(struct slice line)
{
	return (line.at[0] - '0') * 100 + (line.at[1] - '0') * 10 + (line.at[2] - '0');
}

/* The text behind "250-" or "250 ". */
static struct slice text_of(struct slice line)
{
	return slice_from(line, 4);
}

static struct slice without_cr(struct slice line)
{
	if (line.len && line.at[line.len - 1] == '\r')
		line.len--;
	return line;
}

/* The next line of a reply without its end; at == NULL past the last. `*rest` begins as the event's lines. */
static struct slice cut_line(struct slice *rest)
{
	if (!rest->at)
		return *rest;
	return without_cr(slice_cut(rest, '\n'));
}

static size_t digits(struct slice s, size_t from)
{
	size_t n = 0;

	while (from + n < s.len && is_digit(s.at[from + n]))
		n++;
	return n;
}

/* How long the enhanced code (RFC 3463) at the start of a text is, 0 when there is none of this class. An address or a
 * version ("5.7.1.2", "5.7.1-rc2") is no code. */
static size_t enhanced_len(struct slice text, int class)
{
	size_t subject, detail, len;

	if (text.len < 5 || text.at[0] != '0' + class || !strchr("245", text.at[0]) || text.at[1] != '.')
		return 0;
	subject = digits(text, 2);
	if (subject < 1 || subject > 3 || 2 + subject >= text.len || text.at[2 + subject] != '.')
		return 0;
	detail = digits(text, 3 + subject);
	len = 3 + subject + detail;
	if (detail < 1 || detail > 3 || (len < text.len && !strchr(" \t,:;)", text.at[len])))
		return 0;
	return len;
}

/* -- the reader --------------------------------------------------------------------------------------------------- */

static void find_enhanced(struct smtp_event *e)
{
	for (struct slice rest = e->lines, line = cut_line(&rest); line.at; line = cut_line(&rest)) {
		struct slice text = text_of(line);
		size_t       len  = enhanced_len(text, e->code / 100);

		if (len)
			snprintf(e->enhanced, sizeof e->enhanced, "%.*s", (int)len, text.at);
	}
}

static struct smtp_event whole(struct smtp_reader *r, struct slice lines, struct slice last)
{
	struct smtp_event e = {
		.kind       = SMTP_REPLY,
		.code       = code_of(last),
		.lines      = lines,
		.line_count = r->line_count,
	};

	find_enhanced(&e);
	next_reply(r);
	return e;
}

static struct smtp_event unfinished(struct smtp_reader *r, struct slice held)
{
	struct slice line = slice_from(held, r->line);

	/* What is no SMTP may never send a line end (the alert of a TLS server): do not wait for it. */
	if (!fits(without_cr(line)))
		return not_smtp(r, line);
	/* One more, as the last byte may be the CR of the line end. */
	if (line.len > r->longest_line + 1)
		return too_long(r, "line", r->longest_line);
	if (held.len > r->longest_reply + 1)
		return too_long(r, "reply", r->longest_reply);
	r->seen = held.len;
	return (struct smtp_event){ .kind = SMTP_MORE };
}

struct smtp_event smtp_next(struct smtp_reader *r, struct slice bytes, size_t *used)
{
	*used = 0;
	if (r->broken)
		return broken(r);
	while (r->seen < bytes.len) {
		const char  *end = memchr(bytes.at + r->seen, '\n', bytes.len - r->seen);
		struct slice line;
		size_t       length;

		if (!end)
			return unfinished(r, bytes);
		line = without_cr(slice(bytes.at + r->line, (size_t)(end - bytes.at) - r->line));
		length = r->line + line.len;
		if (line.len < 3 || !fits(line))
			return not_smtp(r, line);
		if (line.len > r->longest_line)
			return too_long(r, "line", r->longest_line);
		if (length > r->longest_reply)
			return too_long(r, "reply", r->longest_reply);
		r->seen = r->line = (size_t)(end - bytes.at) + 1;
		r->line_count++;
		if (line.len == 3 || line.at[3] == ' ') {
			*used = r->seen;
			return whole(r, slice(bytes.at, length), line);
		}
	}
	return (struct smtp_event){ .kind = SMTP_MORE };
}

/* -- taking a reply apart ----------------------------------------------------------------------------------------- */

static struct slice without_enhanced(struct slice text, int class)
{
	size_t len = enhanced_len(text, class);

	return slice_from(text, len && len < text.len && text.at[len] == ':' ? len + 1 : len);
}

const char *smtp_text(const struct smtp_event *e, struct arena *into, bool plain)
{
	char        *text = arena_get(into, e->lines.len + 1); /* each line gives up its code for at most a space */
	size_t       len  = 0;
	struct slice first = slice(NULL, 0);                   /* the first line's enhanced code, with its blank */

	for (struct slice rest = e->lines, line = cut_line(&rest); line.at; line = cut_line(&rest)) {
		struct slice said = text_of(line);

		/* RFC 2034 §4 puts the code on every line: once is enough, and words that go on stay together */
		if (len == 0)
			first = slice_upto(said, said.len - without_enhanced(said, e->code / 100).len);
		if (plain || (len && first.len && slice_equal(slice_upto(said, first.len), first)))
			said = without_enhanced(said, e->code / 100);
		said = slice_trim(said);
		if (said.len == 0)
			continue;
		if (len)
			text[len++] = ' ';
		memcpy(text + len, said.at, said.len);
		len += said.len;
	}
	return text;
}

struct slice smtp_line(const struct smtp_event *e, size_t n)
{
	struct slice rest = e->lines, line = cut_line(&rest);

	while (n-- && line.at)
		line = cut_line(&rest);
	return line.at ? text_of(line) : line;
}

/* Is this line about the keyword? Then `*parameters` is what follows. "AUTH=LOGIN" is what servers said before
 * RFC 2554, and what some still say to please old clients; no other keyword was ever written so. */
static bool names_keyword(struct slice text, const char *keyword, struct slice *parameters)
{
	size_t len = strlen(keyword);

	if (!slice_starts(text, keyword))
		return false;
	if (text.len > len && text.at[len] != ' ' && (text.at[len] != '=' || !slice_is(slice_str(keyword), "AUTH")))
		return false;
	*parameters = slice_trim(slice_from(text, len + 1));
	return true;
}

bool smtp_offers(const struct smtp_event *ehlo, const char *keyword, struct arena *into, struct slice *parameters)
{
	struct slice rest    = ehlo->lines;
	char        *all     = NULL;
	size_t       len     = 0;
	bool         offered = false;

	cut_line(&rest);                                       /* the greeting: the server's name offers nothing */
	for (struct slice line = cut_line(&rest), more; line.at; line = cut_line(&rest)) {
		if (!names_keyword(text_of(line), keyword, &more))
			continue;
		if (!all)
			all = arena_get(into, ehlo->lines.len + 1);
		if (len && more.len)
			all[len++] = ' ';
		offered = true;
		memcpy(all + len, more.at, more.len);
		len += more.len;
	}
	if (offered)
		*parameters = slice(all, len);
	return offered;
}
