#include "sandbox/imap_parts.h"

#include <ctype.h>
#include <strings.h>

#include "sandbox/imap_read.h"
#include "sandbox/mime.h"

/* -- strings ------------------------------------------------------------------------------------------------------ */

void text_add(struct buffer *out, struct slice text)
{
	bool plain = text.len < 500;

	if (!text.at) {
		buffer_add_str(out, "NIL");
		return;
	}
	for (size_t i = 0; plain && i < text.len; i++)
		plain = text.at[i] >= ' ' && text.at[i] <= '~' && text.at[i] != '"' && text.at[i] != '\\';
	if (plain)
		buffer_print(out, "\"%.*s\"", (int)text.len, text.at);
	else {
		buffer_print(out, "{%zu}\r\n", text.len);
		buffer_add(out, text);
	}
}

static const char *field(struct arena *arena, struct slice header, const char *wanted)
{
	const char *name, *value;

	while (mime_field(arena, &header, &name, &value))
		if (strcasecmp(name, wanted) == 0)
			return value;
	return NULL;
}

/* -- the tree ----------------------------------------------------------------------------------------------------- */

static struct slice header_of(struct slice message)
{
	size_t at = 0;

	while (at < message.len) {
		struct slice rest = slice_from(message, at), line = slice_upto(rest, slice_find(rest, '\n') + 1);

		at += line.len;
		if (slice_trim(line).len == 0)
			break;
	}
	return slice_upto(message, at);
}

static struct slice token(struct slice *rest)
{
	struct slice s = slice_trim(*rest);
	size_t       n = 0;

	while (n < s.len && !strchr(" \t\r\n;=/\"", s.at[n]))
		n++;
	*rest = slice_from(s, n);
	return slice_upto(s, n);
}

/* ; name=value or ; name="value" */
static bool parameter(struct arena *arena, struct slice *rest, struct slice *name, struct slice *value)
{
	size_t semicolon = slice_find(*rest, ';');

	if (semicolon == rest->len)
		return false;
	*rest = slice_from(*rest, semicolon + 1);
	*name = token(rest);
	*rest = slice_trim(*rest);
	if (name->len == 0 || rest->len == 0 || rest->at[0] != '=')
		return false;
	*rest = slice_trim(slice_from(*rest, 1));
	if (rest->len && rest->at[0] == '"')
		return read_string(arena, rest, value);
	*value = token(rest);
	return value->len > 0;
}

static const char *lower(struct arena *arena, struct slice text)
{
	char *out = arena_copy(arena, text);

	for (char *c = out; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return out;
}

static void read_type(struct arena *arena, struct part *p)
{
	const char   *value = field(arena, p->header, "Content-Type");
	struct slice  rest = slice_str(value ? value : "text/plain; charset=us-ascii"), name, text;
	struct buffer out;

	p->type = lower(arena, token(&rest));
	if (rest.len && rest.at[0] == '/')
		rest = slice_from(rest, 1);
	p->subtype = lower(arena, token(&rest));
	if (!*p->type || !*p->subtype)
		p->type = "text", p->subtype = "plain", rest.len = 0;
	buffer_init(&out, 8192);
	while (parameter(arena, &rest, &name, &text)) {
		buffer_add_str(&out, buffer_held(&out).len ? " " : "(");
		text_add(&out, name);
		buffer_add_str(&out, " ");
		text_add(&out, text);
		if (slice_is(name, "boundary"))
			p->boundary = arena_copy(arena, text);
	}
	p->parameters = buffer_held(&out).len ? arena_print(arena, "%.*s)", (int)buffer_held(&out).len, buffer_held(&out).at) : "NIL";
	buffer_release(&out);
}

static struct part *read_part(struct arena *arena, struct slice all, int depth, size_t *count);

/* A line "--boundary" or "--boundary--" at the front: its length, with its end; 0: none. */
static size_t delimiter(struct slice text, const char *boundary, bool *closes)
{
	size_t       len = strlen(boundary), end = slice_find(text, '\n');
	struct slice line = slice_upto(text, end + 1);

	if (line.len < len + 2 || memcmp(line.at, "--", 2) != 0 || memcmp(line.at + 2, boundary, len) != 0)
		return 0;
	*closes = line.len >= len + 4 && memcmp(line.at + 2 + len, "--", 2) == 0;
	return line.len;
}

/* The line end before a delimiter is the delimiter's. */
static struct slice without_end(struct slice text)
{
	if (text.len && text.at[text.len - 1] == '\n')
		text.len--;
	if (text.len && text.at[text.len - 1] == '\r')
		text.len--;
	return text;
}

static void read_children(struct arena *arena, struct part *p, int depth, size_t *count)
{
	size_t begun = 0, at = 0;
	bool   within = false, closes = false;

	while (at < p->body.len && !closes) {
		struct slice rest = slice_from(p->body, at);
		size_t       skip = delimiter(rest, p->boundary, &closes);

		if (skip && within && p->children < PARTS_MOST && *count < PARTS_MOST)
			p->child[p->children++] = read_part(arena, without_end(slice(p->body.at + begun, at - begun)), depth + 1, count);
		if (skip)
			within = true, begun = at + skip;
		at += skip ? skip : slice_find(rest, '\n') + 1;
	}
	if (within && !closes && begun < p->body.len && *count < PARTS_MOST)
		p->child[p->children++] = read_part(arena, slice_from(p->body, begun), depth + 1, count);
}

static struct part *read_part(struct arena *arena, struct slice all, int depth, size_t *count)
{
	struct part *p = arena_get(arena, sizeof *p);

	++*count;
	p->all = all;
	p->header = header_of(all);
	p->body = slice_from(all, p->header.len);
	read_type(arena, p);
	if (depth < PARTS_DEEPEST && strcmp(p->type, "multipart") == 0 && p->boundary && *p->boundary)
		read_children(arena, p, depth, count);
	else if (depth < PARTS_DEEPEST && strcmp(p->type, "message") == 0 && strcmp(p->subtype, "rfc822") == 0 && *count < PARTS_MOST)
		p->child[p->children++] = read_part(arena, p->body, depth + 1, count);
	return p;
}

struct part *part_read(struct arena *arena, struct slice message)
{
	size_t count = 0;

	return read_part(arena, message, 0, &count);
}

/* -- the envelope ------------------------------------------------------------------------------------------------- */

/* One of a list of addresses, with its quotes and comments. */
static struct slice next_address(struct slice *rest)
{
	bool   quoted = false;
	size_t n = 0;

	for (; n < rest->len && (quoted || rest->at[n] != ','); n++)
		quoted ^= rest->at[n] == '"';
	{
		struct slice one = slice_trim(slice_upto(*rest, n));

		*rest = slice_from(*rest, n + 1);
		return one;
	}
}

static struct slice without_quotes(struct slice text)
{
	text = slice_trim(text);
	if (text.len >= 2 && text.at[0] == '"' && text.at[text.len - 1] == '"')
		text = slice(text.at + 1, text.len - 2);
	return text.len ? text : slice(NULL, 0);
}

static void add_address(struct buffer *out, struct slice one)
{
	size_t       open = slice_find(one, '<');
	struct slice name = open < one.len ? without_quotes(slice_upto(one, open)) : slice(NULL, 0), mail = one, local;

	if (open < one.len) {
		mail = slice_from(one, open + 1);
		mail = slice_upto(mail, slice_find(mail, '>'));
	}
	local = slice_cut(&mail, '@');
	buffer_add_str(out, "(");
	text_add(out, name);
	buffer_add_str(out, " NIL ");
	text_add(out, local);
	buffer_add_str(out, " ");
	text_add(out, mail);
	buffer_add_str(out, ")");
}

static void add_addresses(struct buffer *out, const char *value)
{
	struct slice rest = slice_str(value ? value : "");
	bool         any = false;

	while (rest.len) {
		struct slice one = next_address(&rest);

		if (one.len == 0)
			continue;
		buffer_add_str(out, any ? "" : "(");
		add_address(out, one);
		any = true;
	}
	buffer_add_str(out, any ? ")" : "NIL");
}

void envelope_add(struct buffer *out, struct arena *arena, struct slice header)
{
	static const char *const people[] = { "From", "Sender", "Reply-To", "To", "Cc", "Bcc" };
	const char *from = field(arena, header, "From");

	buffer_add_str(out, "(");
	text_add(out, slice_str(field(arena, header, "Date")));
	buffer_add_str(out, " ");
	text_add(out, slice_str(field(arena, header, "Subject")));
	for (size_t i = 0; i < COUNT(people); i++) {
		const char *value = field(arena, header, people[i]);

		buffer_add_str(out, " ");
		add_addresses(out, value || i > 2 ? value : from);
	}
	buffer_add_str(out, " ");
	text_add(out, slice_str(field(arena, header, "In-Reply-To")));
	buffer_add_str(out, " ");
	text_add(out, slice_str(field(arena, header, "Message-ID")));
	buffer_add_str(out, ")");
}

/* -- the structure ------------------------------------------------------------------------------------------------ */

static size_t lines_of(struct slice text)
{
	size_t n = 0;

	for (size_t i = 0; i < text.len; i++)
		n += text.at[i] == '\n';
	return n;
}

static void add_disposition(struct buffer *out, struct arena *arena, const struct part *p)
{
	const char  *value = field(arena, p->header, "Content-Disposition");
	struct slice rest = slice_str(value ? value : ""), name, text;
	bool         any = false;

	if (!value) {
		buffer_add_str(out, " NIL");
		return;
	}
	buffer_add_str(out, " (");
	text_add(out, token(&rest));
	buffer_add_str(out, " ");
	while (parameter(arena, &rest, &name, &text)) {
		buffer_add_str(out, any ? " " : "(");
		text_add(out, name);
		buffer_add_str(out, " ");
		text_add(out, text);
		any = true;
	}
	buffer_add_str(out, any ? "))" : "NIL)");
}

static void add_leaf(struct buffer *out, struct arena *arena, const struct part *p, bool extended)
{
	const char *encoding = field(arena, p->header, "Content-Transfer-Encoding");

	buffer_add_str(out, "(");
	text_add(out, slice_str(p->type));
	buffer_add_str(out, " ");
	text_add(out, slice_str(p->subtype));
	buffer_print(out, " %s ", p->parameters);
	text_add(out, slice_str(field(arena, p->header, "Content-ID")));
	buffer_add_str(out, " ");
	text_add(out, slice_str(field(arena, p->header, "Content-Description")));
	buffer_add_str(out, " ");
	text_add(out, slice_trim(slice_str(encoding ? encoding : "7bit")));
	buffer_print(out, " %zu", p->body.len);
	if (p->children) {
		buffer_add_str(out, " ");
		envelope_add(out, arena, p->child[0]->header);
		buffer_add_str(out, " ");
		structure_add(out, arena, p->child[0], extended);
	}
	if (p->children || strcmp(p->type, "text") == 0)
		buffer_print(out, " %zu", lines_of(p->body));
	if (extended) {
		buffer_add_str(out, " NIL");
		add_disposition(out, arena, p);
		buffer_add_str(out, " NIL NIL");
	}
	buffer_add_str(out, ")");
}

void structure_add(struct buffer *out, struct arena *arena, const struct part *p, bool extended)
{
	if (strcmp(p->type, "multipart") != 0 || p->children == 0) {
		add_leaf(out, arena, p, extended);
		return;
	}
	buffer_add_str(out, "(");
	for (size_t i = 0; i < p->children; i++)
		structure_add(out, arena, p->child[i], extended);
	buffer_add_str(out, " ");
	text_add(out, slice_str(p->subtype));
	if (extended) {
		buffer_print(out, " %s", p->parameters);
		add_disposition(out, arena, p);
		buffer_add_str(out, " NIL NIL");
	}
	buffer_add_str(out, ")");
}

/* -- sections ----------------------------------------------------------------------------------------------------- */

static bool is_listed(struct arena *arena, struct slice list, struct slice name)
{
	struct slice one;

	read_mark(&list, '(');
	while (read_string(arena, &list, &one))
		if (slice_is(one, arena_copy(arena, name)))
			return true;
	return false;
}

/* Those of the list, or all but those, with the empty line behind them. */
static struct slice some_fields(struct arena *arena, struct slice header, struct slice list, bool listed)
{
	char  *out = arena_get(arena, header.len + 3);
	size_t len = 0;
	bool   takes = false;

	while (header.len) {
		struct slice line = slice_upto(header, slice_find(header, '\n') + 1);

		header = slice_from(header, line.len);
		if (slice_trim(line).len == 0)
			break;
		if (line.at[0] != ' ' && line.at[0] != '\t')
			takes = is_listed(arena, list, slice_trim(slice_upto(line, slice_find(line, ':')))) == listed;
		if (!takes)
			continue;
		memcpy(out + len, line.at, line.len);
		len += line.len;
	}
	memcpy(out + len, "\r\n", 2);
	return slice(out, len + 2);
}

/* What is named behind the numbers. `inner`: the message whose header and text are meant. */
static bool named_section(struct arena *arena, const struct part *inner, struct slice name, struct slice *out)
{
	struct slice word;

	if (!read_atom(&name, &word))
		return false;
	if (slice_is(word, "HEADER.FIELDS"))
		*out = some_fields(arena, inner->header, name, true);
	else if (slice_is(word, "HEADER.FIELDS.NOT"))
		*out = some_fields(arena, inner->header, name, false);
	else if (slice_is(word, "HEADER"))
		*out = inner->header;
	else if (slice_is(word, "TEXT"))
		*out = inner->body;
	else
		return false;
	return true;
}

static const struct part *child_at(const struct part *p, unsigned long long n)
{
	/* the parts of an enclosed message are its own */
	if (strcmp(p->type, "message") == 0 && p->children)
		p = p->child[0];
	if (strcmp(p->type, "multipart") != 0 || p->children == 0)
		return n == 1 ? p : NULL;
	return n >= 1 && n <= p->children ? p->child[n - 1] : NULL;
}

bool section_read(struct arena *arena, const struct part *p, struct slice section, struct slice *out)
{
	const struct part *at = p;
	bool               numbered = false;
	unsigned long long n;

	while (section.len && isdigit((unsigned char)section.at[0])) {
		if (!slice_number(slice_cut(&section, '.'), PARTS_MOST, &n) || !(at = child_at(at, n)))
			return false;
		numbered = true;
	}
	if (section.len == 0) {
		*out = numbered ? at->body : at->all;
		return true;
	}
	if (numbered && slice_is(section, "MIME")) {
		*out = at->header;
		return true;
	}
	if (numbered && strcmp(at->type, "message") == 0 && at->children)
		at = at->child[0];
	else if (numbered)
		return false;
	return named_section(arena, at, section, out);
}
