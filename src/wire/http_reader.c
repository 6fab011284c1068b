#include "wire/http_reader.h"

/* Left over for what is counted on top of it: no sum of ours overflows. */
#define LENGTH_MOST ((unsigned long long)INT64_MAX)

enum state {
	AT_HEAD,
	IN_LENGTH,         /* of a body whose length is known     */
	TO_THE_END,        /* of the line                         */
	AT_CHUNK,          /* the line with its size              */
	IN_CHUNK,
	BEHIND_CHUNK,      /* its line end                        */
	IN_TRAILERS,
	AT_DONE,           /* to be said yet                      */
	IS_BROKEN,
};

void http_reader_init(struct http_reader *r, bool to_head)
{
	*r = (struct http_reader){ .state = AT_HEAD, .to_head = to_head, .why = "" };
}

const char *http_broken(const struct http_reader *r)
{
	return r->why;
}

static bool wrong(struct http_reader *r, const char *why)
{
	r->state = IS_BROKEN;
	r->keeps = false;
	r->why = why;
	return false;
}

static struct http_event said(enum http_said what)
{
	return (struct http_event){ .said = what };
}

/* -- lines -------------------------------------------------------------------------------------------------------- */

/* The next line without its end. A CR anywhere else stays in it and is found by is_clean(). */
static struct slice cut_line(struct slice *rest)
{
	struct slice line = slice_cut(rest, '\n');

	if (line.len && line.at[line.len - 1] == '\r')
		line.len--;
	return line;
}

/* Others take a CR by itself for the end of a line, or a NUL for the end of a text. */
static bool is_clean(struct slice line)
{
	return slice_find(line, '\r') == line.len && slice_find(line, '\0') == line.len;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_token(struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.at[i];

		if (!is_digit(c) && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && (c == '\0' || !strchr("!#$%&'*+-.^_`|~", c)))
			return false;
	}
	return s.len > 0;
}

/* How far the head reaches, its empty line included; 0 while that has not come. `looked` remembers where to go on. */
static size_t head_length(struct http_reader *r, struct slice bytes)
{
	size_t at = r->looked;

	for (;;) {
		at += slice_find(slice_from(bytes, at), '\n');
		if (at + 1 >= bytes.len || (bytes.at[at + 1] == '\r' && at + 2 >= bytes.len))
			break;
		if (bytes.at[at + 1] == '\n')
			return at + 2;
		if (bytes.at[at + 1] == '\r' && bytes.at[at + 2] == '\n')
			return at + 3;
		at++;
	}
	r->looked = at;
	return 0;
}

/* How far the line at the start of `bytes` reaches, its end included; 0 while that has not come. */
static size_t line_length(struct http_reader *r, struct slice bytes)
{
	size_t at = r->looked + slice_find(slice_from(bytes, r->looked), '\n');

	r->looked = at < bytes.len ? 0 : at;
	return at < bytes.len ? at + 1 : 0;
}

/* -- the fields that say where the answer ends -------------------------------------------------------------------- */

struct framing {
	bool               has_length, chunked, close, keep_alive, encoded;
	unsigned long long length;
};

/* "5" and "5, 5" (RFC 9110 §8.6), of as many fields as there are, as long as all of them agree. */
static bool take_length(struct http_reader *r, struct slice value, struct framing *f)
{
	unsigned long long length;

	do {
		if (!slice_number(slice_trim(slice_cut(&value, ',')), LENGTH_MOST, &length))
			return wrong(r, "Content-Length is no number, or too big a one");
		if (f->has_length && f->length != length)
			return wrong(r, "two different Content-Length");
		f->has_length = true;
		f->length = length;
	} while (value.at);
	return true;
}

/* Nobody was told (TE) that we could read another one, and where it ends would be anybody's guess. */
static bool take_coding(struct http_reader *r, struct slice value, struct framing *f)
{
	if (f->chunked || !slice_is(value, "chunked"))
		return wrong(r, "a Transfer-Encoding other than chunked");
	f->chunked = true;
	return true;
}

static bool take_connection(struct http_reader *r, struct slice value, struct framing *f)
{
	(void)r;
	while (value.at) {
		struct slice word = slice_trim(slice_cut(&value, ','));

		f->close |= slice_is(word, "close");
		f->keep_alive |= slice_is(word, "keep-alive");
	}
	return true;
}

static bool take_encoding(struct http_reader *r, struct slice value, struct framing *f)
{
	(void)r;
	f->encoded |= value.len > 0 && !slice_is(value, "identity");
	return true;
}

static const struct known {
	const char *name;
	bool      (*take)(struct http_reader *, struct slice value, struct framing *);
} known_fields[] = {
	{ "Content-Length",    take_length     },
	{ "Transfer-Encoding", take_coding     },
	{ "Connection",        take_connection },
	{ "Content-Encoding",  take_encoding   },
};

static const struct known *known_field(struct slice name)
{
	for (size_t i = 0; i < sizeof known_fields / sizeof known_fields[0]; i++)
		if (slice_is(name, known_fields[i].name))
			return &known_fields[i];
	return NULL;
}

/* A line that begins with a blank goes on with the field above it (obs-fold, RFC 9112 §5.2). Old gateways fold long challenges, and
 * whoever reads those can step over a line end; so it is let pass, but not where it could change what a length is. */
static bool read_fields(struct http_reader *r, struct slice fields, struct framing *f)
{
	const struct known *above = NULL;
	bool                first = true;

	for (; fields.at && fields.len; first = false) {
		struct slice line = cut_line(&fields), name;

		if (!is_clean(line))
			return wrong(r, "a field with a CR or NUL in it");
		if (line.len && is_blank(line.at[0])) {
			if (first || above)
				return wrong(r, "a folded line where none may be");
			continue;
		}
		name = slice_cut(&line, ':');
		if (!line.at || !is_token(name))
			return wrong(r, "a line that is no field");
		above = known_field(name);
		if (above && !above->take(r, slice_trim(line), f))
			return false;
	}
	return true;
}

/* -- the head ----------------------------------------------------------------------------------------------------- */

/* "HTTP/1.1 401 Unauthorized"; the reason, and the blank before it, may be missing. */
static bool read_status(struct http_reader *r, struct slice line, bool *one_one, struct slice *reason)
{
	struct slice text = slice_from(line, 12);

	if (line.len < 12 || !is_digit(line.at[7]) || line.at[8] != ' ' || line.at[9] < '1' || line.at[9] > '9' || !is_digit(line.at[10])
	    || !is_digit(line.at[11]) || (text.len && text.at[0] != ' ') || !is_clean(line))
		return wrong(r, "no status line of HTTP/1.x");
	*one_one = line.at[7] != '0';
	*reason = slice_trim(text);
	r->status = (line.at[9] - '0') * 100 + (line.at[10] - '0') * 10 + (line.at[11] - '0');
	return true;
}

static bool has_no_body(const struct http_reader *r)
{
	return r->to_head || r->status == 204 || r->status == 304;
}

/* Where the body ends (RFC 9112 §6.3), and whether the line is good for more afterwards. */
static bool settle_body(struct http_reader *r, const struct framing *f, bool one_one)
{
	if (f->chunked && f->has_length)
		return wrong(r, "both Content-Length and Transfer-Encoding");
	if (f->chunked && !one_one)
		return wrong(r, "Transfer-Encoding in HTTP/1.0");
	r->encoded = f->encoded;
	r->keeps = !f->close && (one_one || f->keep_alive);
	r->left = f->length;
	if (has_no_body(r)) {
		/* A 204 has none, whatever it says; but one that says so may send it, and the next answer would begin in there. */
		if (r->status == 204 && (f->chunked || f->length))
			r->keeps = false;
		r->state = AT_DONE;
	} else if (f->chunked) {
		r->state = AT_CHUNK;
	} else if (f->has_length) {
		r->state = f->length ? IN_LENGTH : AT_DONE;
	} else {
		r->state = TO_THE_END;
		r->keeps = false;
	}
	return true;
}

static bool settle_interim(struct http_reader *r)
{
	if (r->status == 101)
		return wrong(r, "101: it changes to a protocol that nobody asked for");
	if (++r->interim > HTTP_READER_INTERIM)
		return wrong(r, "no end of interim answers");
	return true;
}

static struct http_event read_head(struct http_reader *r, struct slice bytes, size_t *used)
{
	static const char  sign[] = "HTTP/1.";
	size_t             len = bytes.len < sizeof sign - 1 ? bytes.len : sizeof sign - 1;
	struct http_event  e = { .said = HTTP_HEAD };
	struct framing     f = { 0 };
	struct slice       lines;
	bool               one_one;

	/* at once, so that nobody waits for the rest of what can be no HTTP any more */
	if (len && memcmp(bytes.at, sign, len) != 0)
		return wrong(r, "it does not begin as HTTP/1.x does"), said(HTTP_BROKEN);
	len = head_length(r, slice_upto(bytes, HTTP_READER_HEAD));
	if (len == 0 && bytes.len < HTTP_READER_HEAD)
		return said(HTTP_MORE);
	if (len == 0)
		return wrong(r, "a head of more than 64 KiB"), said(HTTP_BROKEN);
	lines = slice_upto(bytes, len);
	lines.len -= lines.at[len - 2] == '\r' ? 2 : 1;
	if (!read_status(r, cut_line(&lines), &one_one, &e.reason) || !read_fields(r, lines, &f))
		return said(HTTP_BROKEN);
	if (r->status < 200 ? !settle_interim(r) : !settle_body(r, &f, one_one))
		return said(HTTP_BROKEN);
	r->looked = 0;
	*used = len;
	if (r->status < 200)
		return said(HTTP_INTERIM);
	e.data = lines;
	return e;
}

/* -- the body ----------------------------------------------------------------------------------------------------- */

static struct http_event piece(struct http_reader *r, struct slice bytes, size_t *used, enum state then)
{
	struct slice data = bytes.len > r->left ? slice_upto(bytes, (size_t)r->left) : bytes;

	if (data.len == 0)
		return said(HTTP_MORE);
	*used = data.len;
	r->left -= data.len;
	if (r->left == 0)
		r->state = then;
	return (struct http_event){ .said = HTTP_DATA, .data = data };
}

static int hex_value(char c)
{
	return is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* "1A2", then blanks, as some servers fill up the room they left for it, then nothing or ";extensions", which mean nothing to us. */
static bool read_size(struct http_reader *r, struct slice line)
{
	size_t   at = 0;
	uint64_t size = 0;

	for (; at < line.len && hex_value(line.at[at]) >= 0; at++) {
		if (size > LENGTH_MOST >> 4)
			return wrong(r, "a chunk of more than can be");
		size = size << 4 | (uint64_t)hex_value(line.at[at]);
	}
	if (at == 0)
		return wrong(r, "a chunk whose size is no number");
	while (at < line.len && is_blank(line.at[at]))
		at++;
	if ((at < line.len && line.at[at] != ';') || !is_clean(line))
		return wrong(r, "a chunk whose size is followed by something else");
	r->left = size ? size : HTTP_READER_HEAD;
	r->state = size ? IN_CHUNK : IN_TRAILERS;
	return true;
}

/* These three take at most one line, and say whether there was all that they need. */
static bool chunk_line(struct http_reader *r, struct slice bytes, size_t *used)
{
	size_t len = line_length(r, bytes);

	if (len > HTTP_READER_LINE || (len == 0 && bytes.len >= HTTP_READER_LINE))
		return wrong(r, "a chunk's first line of more than 4 KiB");
	if (len == 0)
		return false;
	*used += len;
	bytes.len = len;
	return read_size(r, cut_line(&bytes));
}

static bool chunk_end(struct http_reader *r, struct slice bytes, size_t *used)
{
	size_t cr = bytes.len && bytes.at[0] == '\r';

	if (bytes.len == cr)
		return false;
	if (bytes.at[cr] != '\n')
		return wrong(r, "a chunk that is longer than it says");
	*used += cr + 1;
	r->state = AT_CHUNK;
	return true;
}

static bool trailer(struct http_reader *r, struct slice bytes, size_t *used)
{
	struct framing unheeded = { 0 };
	size_t         len = line_length(r, bytes);
	struct slice   line = slice_upto(bytes, len);

	if (len > r->left || (len == 0 && bytes.len >= r->left))
		return wrong(r, "trailers of more than 64 KiB");
	if (len == 0)
		return false;
	*used += len;
	r->left -= len;
	line = cut_line(&line);
	if (line.len == 0) {
		r->state = AT_DONE;
		return true;
	}
	/* Fields as in the head, but for what they say: where the answer ends is known by now. */
	return is_blank(line.at[0]) ? is_clean(line) || wrong(r, "a field with a CR or NUL in it") : read_fields(r, line, &unheeded);
}

static struct http_event done(struct http_reader *r)
{
	r->state = AT_HEAD;
	r->interim = 0;
	r->looked = 0;
	return said(HTTP_DONE);
}

static struct http_event chunks(struct http_reader *r, struct slice bytes, size_t *used)
{
	static bool (*const line_of[])(struct http_reader *, struct slice, size_t *) = {
		[AT_CHUNK] = chunk_line, [BEHIND_CHUNK] = chunk_end, [IN_TRAILERS] = trailer,
	};

	while (r->state == AT_CHUNK || r->state == BEHIND_CHUNK || r->state == IN_TRAILERS)
		if (!line_of[r->state](r, slice_from(bytes, *used), used))
			return said(r->state == IS_BROKEN ? HTTP_BROKEN : HTTP_MORE);
	/* an event's piece stands behind the lines that were used up before it */
	if (r->state == IN_CHUNK) {
		size_t            before = *used, n = 0;
		struct http_event e = piece(r, slice_from(bytes, before), &n, BEHIND_CHUNK);

		*used = before + n;
		return e;
	}
	return done(r);
}

struct http_event http_next(struct http_reader *r, struct slice bytes, size_t *used)
{
	*used = 0;
	switch ((enum state)r->state) {
	case AT_HEAD:
		return read_head(r, bytes, used);
	case IN_LENGTH:
		return piece(r, bytes, used, AT_DONE);
	case TO_THE_END:
		*used = bytes.len;
		return bytes.len ? (struct http_event){ .said = HTTP_DATA, .data = bytes } : said(HTTP_MORE);
	case AT_CHUNK:
	case IN_CHUNK:
	case BEHIND_CHUNK:
	case IN_TRAILERS:
		return chunks(r, bytes, used);
	case AT_DONE:
		return done(r);
	case IS_BROKEN:
		break;
	}
	return said(HTTP_BROKEN);
}

struct http_event http_ended(struct http_reader *r)
{
	if (r->state == TO_THE_END || r->state == AT_DONE || (r->state == AT_HEAD && r->looked == 0 && r->interim == 0))
		return done(r);
	if (r->state != IS_BROKEN)
		wrong(r, r->state == AT_HEAD ? "the line ended within the head" : "the line ended within the body");
	return said(HTTP_BROKEN);
}
