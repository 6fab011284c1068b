#include "sandbox/mime.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "sandbox/text.h"

#define DEEPEST 8

/* -- header fields ------------------------------------------------------------------------------------------------ */

static struct slice line_of(struct slice *rest)
{
	struct slice line = slice_cut(rest, '\n');

	if (line.len && line.at[line.len - 1] == '\r')
		line.len--;
	return line;
}

bool mime_field(struct arena *arena, struct slice *rest, const char **name, const char **value)
{
	while (rest->len) {
		struct slice line = line_of(rest), word;
		const char  *text;

		if (line.len == 0)
			return false;
		word = slice_cut(&line, ':');
		if (!line.at)
			continue;
		text = arena_copy(arena, slice_trim(line));
		while (rest->len && (rest->at[0] == ' ' || rest->at[0] == '\t'))
			text = arena_print(arena, "%s %s", text, arena_copy(arena, slice_trim(line_of(rest))));
		*name = arena_copy(arena, slice_trim(word));
		*value = text;
		return true;
	}
	return false;
}

static const char *field(struct arena *arena, struct slice message, const char *wanted)
{
	const char *name, *value;

	while (mime_field(arena, &message, &name, &value))
		if (strcasecmp(name, wanted) == 0)
			return value;
	return "";
}

static struct slice body_of(struct slice part)
{
	size_t crlf = slice_search(part, "\r\n\r\n"), lf = slice_search(part, "\n\n");

	if (part.len && (part.at[0] == '\r' || part.at[0] == '\n'))      /* no header at all */
		return slice_from(part, part.at[0] == '\r' ? 2 : 1);
	return crlf < lf ? slice_from(part, crlf + 4) : slice_from(part, lf + 2);
}

/* -- characters --------------------------------------------------------------------------------------------------- */

/* Any bytes as UTF-8: what is not is taken for Latin-1. */
static const char *as_utf8(struct arena *arena, struct slice bytes, bool latin)
{
	char *out = arena_get(arena, bytes.len * 2 + 1), *at = out;

	for (size_t i = 0; i < bytes.len; i++) {
		unsigned char c = (unsigned char)bytes.at[i];
		unsigned      more = c < 0xc2 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : c < 0xf5 ? 3 : 0, n = 0;

		while (n < more && i + n + 1 < bytes.len && ((unsigned char)bytes.at[i + n + 1] & 0xc0) == 0x80)
			n++;
		if (c < 0x80) {
			*at++ = c ? (char)c : '?';
		} else if (!latin && more && n == more) {
			memcpy(at, bytes.at + i, more + 1);
			at += more + 1, i += more;
		} else {
			*at++ = (char)(0xc0 | c >> 6);
			*at++ = (char)(0x80 | (c & 0x3f));
		}
	}
	return out;
}

static int hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Quoted-printable; in a header's word "_" is a blank. */
static struct slice unquoted(struct arena *arena, struct slice text, bool word)
{
	char *out = arena_get(arena, text.len + 1), *at = out;

	for (size_t i = 0; i < text.len; i++) {
		if (text.at[i] == '=' && i + 2 < text.len && hex(text.at[i + 1]) >= 0 && hex(text.at[i + 2]) >= 0) {
			*at++ = (char)(hex(text.at[i + 1]) << 4 | hex(text.at[i + 2]));
			i += 2;
		} else if (text.at[i] == '=' && i + 1 < text.len && (text.at[i + 1] == '\n' || text.at[i + 1] == '\r')) {
			i += text.at[i + 1] == '\r' && i + 2 < text.len && text.at[i + 2] == '\n' ? 2 : 1;
		} else {
			*at++ = word && text.at[i] == '_' ? ' ' : text.at[i];
		}
	}
	return slice(out, (size_t)(at - out));
}

/* One "=?utf-8?B?…?=" at the beginning of `text`; how much of it that was, 0: none. */
static size_t encoded_word(struct arena *arena, struct slice text, const char **out)
{
	struct slice rest = slice_from(text, 2), charset, how, inner, bytes;

	if (text.len < 8 || text.at[0] != '=' || text.at[1] != '?')
		return 0;
	charset = slice_cut(&rest, '?');
	how = slice_cut(&rest, '?');
	if (!rest.at || how.len != 1)
		return 0;
	inner = slice_cut(&rest, '?');
	if (!rest.at || rest.len == 0 || rest.at[0] != '=')
		return 0;
	if ((how.at[0] | 0x20) == 'q')
		bytes = unquoted(arena, inner, true);
	else if ((how.at[0] | 0x20) != 'b' || !base64_read(arena, inner, &bytes))
		return 0;
	*out = as_utf8(arena, bytes, slice_starts(charset, "iso-8859-1"));
	return (size_t)(rest.at + 1 - text.at);
}

static const char *decoded(struct arena *arena, const char *value)
{
	struct slice rest = slice_str(value);
	const char  *out = "";
	bool         behind_word = false;

	while (rest.len) {
		size_t      plain = slice_search(rest, "=?"), used;
		const char *word;

		if (!(behind_word && slice_trim(slice_upto(rest, plain)).len == 0 && plain < rest.len))
			out = arena_print(arena, "%s%s", out, as_utf8(arena, slice_upto(rest, plain), false));
		rest = slice_from(rest, plain);
		used = encoded_word(arena, rest, &word);
		behind_word = used > 0;
		if (used)
			out = arena_print(arena, "%s%s", out, word);
		else if (rest.len)
			out = arena_print(arena, "%s=?", out);
		rest = slice_from(rest, used ? used : 2);
	}
	return out;
}

const char *mime_word(struct arena *arena, const char *utf8)
{
	for (const char *c = utf8; *c; c++)
		if ((unsigned char)*c >= 0x80 || (unsigned char)*c < ' ')
			return arena_print(arena, "=?UTF-8?B?%s?=", base64_of(arena, slice_str(utf8)));
	return utf8;
}

/* -- people ------------------------------------------------------------------------------------------------------- */

static struct person person_of(struct arena *arena, struct slice text)
{
	size_t        open = slice_find(text, '<');
	struct slice  name = slice_trim(slice_upto(text, open)), address = slice_from(text, open + 1);
	struct person p = { "", "" };

	if (open == text.len) {
		p.address = arena_copy(arena, slice_trim(text));
		return p;
	}
	if (name.len >= 2 && name.at[0] == '"' && name.at[name.len - 1] == '"')
		name = slice(name.at + 1, name.len - 2);
	p.name = decoded(arena, arena_copy(arena, name));
	p.address = arena_copy(arena, slice_trim(slice_cut(&address, '>')));
	return p;
}

/* Commas inside quotes and angles are none. */
static struct slice next_of_list(struct slice *rest)
{
	bool   quoted = false;
	size_t i;

	for (i = 0; i < rest->len && (quoted || rest->at[i] != ','); i++)
		if (rest->at[i] == '"')
			quoted = !quoted;
	{
		struct slice one = slice_upto(*rest, i);

		*rest = slice_from(*rest, i + 1);
		return slice_trim(one);
	}
}

static struct people people_of(struct arena *arena, const char *value)
{
	struct slice  rest = slice_str(value);
	struct people all = { 0 };
	size_t        room = 1;

	for (const char *c = value; *c; c++)
		room += *c == ',';
	room = room < MIME_PEOPLE ? room : MIME_PEOPLE;
	all.list = arena_get(arena, room * sizeof *all.list);
	while (rest.len && all.count < room) {
		struct slice one = next_of_list(&rest);

		if (one.len)
			all.list[all.count++] = person_of(arena, one);
	}
	return all;
}

/* -- the text ----------------------------------------------------------------------------------------------------- */

static const char *parameter(struct arena *arena, const char *value, const char *name)
{
	struct slice rest = slice_str(value);

	slice_cut(&rest, ';');
	while (rest.len) {
		struct slice one = slice_trim(slice_cut(&rest, ';')), key = slice_cut(&one, '=');

		if (!slice_is(slice_trim(key), name))
			continue;
		one = slice_trim(one);
		if (one.len >= 2 && one.at[0] == '"' && one.at[one.len - 1] == '"')
			one = slice(one.at + 1, one.len - 2);
		return arena_copy(arena, one);
	}
	return "";
}

static void read_text(struct arena *arena, struct slice part, const char *type, struct mime *out)
{
	struct slice coding = slice_str(field(arena, part, "Content-Transfer-Encoding")), body = body_of(part), bytes;
	bool latin = slice_starts(slice_str(parameter(arena, type, "charset")), "iso-8859");

	if (slice_is(coding, "base64") && base64_read(arena, body, &bytes))
		body = bytes;
	else if (slice_is(coding, "quoted-printable"))
		body = unquoted(arena, body, false);
	out->text = as_utf8(arena, body, latin);
	out->is_html = slice_starts(slice_str(type), "text/html");
}

static void read_part(struct arena *arena, struct slice part, int depth, struct mime *out)
{
	const char  *type = field(arena, part, "Content-Type");
	const char  *boundary = slice_starts(slice_str(type), "multipart/") ? parameter(arena, type, "boundary") : "";
	const char  *line = arena_print(arena, "--%s", boundary);
	struct slice rest = body_of(part);

	if (slice_starts(slice_str(field(arena, part, "Content-Disposition")), "attachment")) {
		out->has_attachments = true;
		return;
	}
	if (!*boundary) {
		if (!*out->text && (!*type || slice_starts(slice_str(type), "text/")))
			read_text(arena, part, type, out);
		return;
	}
	while (rest.len && depth < DEEPEST) {
		struct slice inner;

		rest = slice_from(rest, slice_search(rest, line) + strlen(line));
		if (rest.len < 2 || slice_starts(rest, "--"))
			return;
		slice_cut(&rest, '\n');
		inner = slice_upto(rest, slice_search(rest, line));
		if (inner.len)
			read_part(arena, inner, depth + 1, out);
	}
}

/* -- parts -------------------------------------------------------------------------------------------------------- */

const char *mime_header(struct arena *arena, struct slice part, const char *name)
{
	return field(arena, part, name);
}

const char *mime_parameter(struct arena *arena, const char *value, const char *name)
{
	return parameter(arena, value, name);
}

struct slice mime_bytes(struct arena *arena, struct slice part)
{
	struct slice coding = slice_str(field(arena, part, "Content-Transfer-Encoding")), body = body_of(part), bytes;

	if (slice_is(coding, "base64") && base64_read(arena, body, &bytes))
		return bytes;
	return slice_is(coding, "quoted-printable") ? unquoted(arena, body, false) : body;
}

/* The line's end before a delimiter is the delimiter's. */
static struct slice without_end(struct slice part)
{
	if (part.len && part.at[part.len - 1] == '\n')
		part.len -= part.len > 1 && part.at[part.len - 2] == '\r' ? 2 : 1;
	return part;
}

bool mime_next_part(struct arena *arena, struct slice part, struct slice *rest, struct slice *inner)
{
	const char *type = field(arena, part, "Content-Type");
	const char *boundary = slice_starts(slice_str(type), "multipart/") ? parameter(arena, type, "boundary") : "";
	const char *line = arena_print(arena, "--%s", boundary);
	size_t      found;

	if (!*boundary)
		return false;
	if (!rest->at)
		*rest = body_of(part);
	found = slice_search(*rest, line);
	*rest = slice_from(*rest, found + strlen(line));
	if (rest->len < 2 || slice_starts(*rest, "--"))
		return false;
	slice_cut(rest, '\n');
	if (!rest->at)
		return false;
	*inner = without_end(slice_upto(*rest, slice_search(*rest, line)));
	return true;
}

void mime_read(struct arena *arena, struct slice message, struct mime *out)
{
	struct people from = people_of(arena, field(arena, message, "From"));

	*out = (struct mime){ .text = "", .from = { "", "" } };
	out->subject = decoded(arena, field(arena, message, "Subject"));
	out->message_id = as_utf8(arena, slice_str(field(arena, message, "Message-ID")), false);
	out->in_reply_to = as_utf8(arena, slice_str(field(arena, message, "In-Reply-To")), false);
	out->references = as_utf8(arena, slice_str(field(arena, message, "References")), false);
	if (from.count)
		out->from = from.list[0];
	out->to = people_of(arena, field(arena, message, "To"));
	out->cc = people_of(arena, field(arena, message, "Cc"));
	out->bcc = people_of(arena, field(arena, message, "Bcc"));
	out->reply_to = people_of(arena, field(arena, message, "Reply-To"));
	read_part(arena, message, 0, out);
}
