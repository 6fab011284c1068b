#include "wire/smtpd.h"

#include <assert.h>
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>

#include "model/mailaddress.h"

#define LONGEST_NAME   255
#define LONGEST_SENDER 512       /* senders that were rewritten on the way (SRS, VERP, BATV) pass the 254 of RFC 5321 */

enum mode { COMMANDS, MESSAGE, CHUNK };

struct smtpd_reader {
	size_t      longest_command, longest_text_line;
	enum mode   mode;
	bool        skipping;          /* a command that is too long             */
	char        last;              /* byte that was done with                */
	bool        at_start;          /* of a line of the message               */
	size_t      line;              /* octets of that line so far             */
	bool        long_line;
	size_t      left;              /* octets of the chunk                    */
	bool        last_chunk;
	const char *why;
};

struct smtpd_reader *smtpd_reader_new(size_t longest_command, size_t longest_text_line)
{
	struct smtpd_reader *r = must_alloc(sizeof *r);

	assert(longest_command < SIZE_MAX / 4);
	r->longest_command = longest_command;
	r->longest_text_line = longest_text_line;
	r->why = "";
	return r;
}

void smtpd_reader_free(struct smtpd_reader *r)
{
	free(r);
}

const char *smtpd_broken(const struct smtpd_reader *r)
{
	return r->why;
}

static void text_begins(struct smtpd_reader *r, enum mode mode)
{
	r->mode = mode;
	r->at_start = true;
	r->last = '\n';
	r->line = 0;
	r->long_line = false;
}

void smtpd_data(struct smtpd_reader *r)
{
	text_begins(r, MESSAGE);
}

static struct smtpd_event more(void)
{
	return (struct smtpd_event){ .kind = SMTPD_MORE };
}

static struct smtpd_event broken(struct smtpd_reader *r, const char *why)
{
	r->why = why;
	return (struct smtpd_event){ .kind = SMTPD_BROKEN };
}

/* -- commands ----------------------------------------------------------------------------------------------------- */

static const struct { const char *word; enum smtpd_verb verb; } verbs[] = {
	{ "EHLO", SMTPD_EHLO }, { "HELO", SMTPD_HELO }, { "LHLO", SMTPD_LHLO }, { "MAIL", SMTPD_MAIL }, { "RCPT", SMTPD_RCPT },
	{ "DATA", SMTPD_DATA }, { "BDAT", SMTPD_BDAT }, { "RSET", SMTPD_RSET }, { "NOOP", SMTPD_NOOP }, { "VRFY", SMTPD_VRFY },
	{ "EXPN", SMTPD_EXPN }, { "HELP", SMTPD_HELP }, { "QUIT", SMTPD_QUIT }, { "STARTTLS", SMTPD_STARTTLS }, { "AUTH", SMTPD_AUTH },
	{ "GET", SMTPD_FOREIGN }, { "POST", SMTPD_FOREIGN }, { "PUT", SMTPD_FOREIGN }, { "CONNECT", SMTPD_FOREIGN },
};

static bool is_control(char c)
{
	return (unsigned char)c < ' ' || c == 0x7f;
}

static bool has_control(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (is_control(s.at[i]))
			return true;
	return false;
}

static enum smtpd_verb verb_of(struct slice word)
{
	for (size_t i = 0; i < COUNT(verbs); i++)
		if (slice_is(word, verbs[i].word))
			return verbs[i].verb;
	return SMTPD_UNKNOWN;
}

static bool read_chunk(struct slice args, struct smtpd_event *e)
{
	struct slice       rest = args, size = slice_cut(&rest, ' ');
	unsigned long long n;

	rest = slice_trim(rest);
	if (!slice_number(size, SMTPD_LONGEST_CHUNK, &n) || (rest.len && !slice_is(rest, "LAST")))
		return false;
	e->chunk = (size_t)n;
	e->last = rest.len > 0;
	return true;
}

static struct smtpd_event whole_command(struct smtpd_reader *r, struct slice line)
{
	struct slice       rest = line, word = slice_cut(&rest, ' ');
	struct smtpd_event e = { .kind = SMTPD_COMMAND, .line = line, .args = slice_trim(rest) };

	e.verb = has_control(line) ? SMTPD_UNKNOWN : verb_of(word);
	if (!slice_starts(line, "BDAT"))
		return e;
	/* RFC 3030 §2: the octets follow whatever we think of it; without their number nobody knows where they end. */
	if (e.verb != SMTPD_BDAT || !read_chunk(e.args, &e))
		return broken(r, "BDAT without a size");
	text_begins(r, CHUNK);
	r->left = e.chunk;
	r->last_chunk = e.last;
	return e;
}

static struct smtpd_event command(struct smtpd_reader *r, struct slice bytes, size_t *used)
{
	size_t       lf = slice_find(bytes, '\n');
	struct slice line = slice_upto(bytes, lf);
	char         before = lf ? bytes.at[lf - 1] : r->skipping ? r->last : '\0';
	bool         too_long;

	if (lf == bytes.len) {
		/* one more, as the last byte may be the CR of the line end */
		r->skipping |= bytes.len > r->longest_command + 1;
		if (r->skipping && bytes.len) {
			*used = bytes.len;
			r->last = bytes.at[bytes.len - 1];
		}
		return more();
	}
	if (before != '\r')
		return broken(r, "a line that ends in LF alone");
	too_long = r->skipping || line.len - 1 > r->longest_command;
	r->skipping = false;
	*used = lf + 1;
	if (too_long)
		return (struct smtpd_event){ .kind = SMTPD_COMMAND, .verb = SMTPD_TOO_LONG };
	line.len--;
	if (slice_find(line, '\r') < line.len)
		return broken(r, "a CR that no LF follows");
	return whole_command(r, line);
}

/* -- the message -------------------------------------------------------------------------------------------------- */

static void note_byte(struct smtpd_reader *r, char c)
{
	r->at_start = c == '\n' && r->last == '\r';
	r->line = r->at_start ? 0 : r->line + 1;
	if (r->line > r->longest_text_line + 1)        /* one more for the CR */
		r->long_line = true;
	r->last = c;
}

static struct smtpd_event text_ends(struct smtpd_reader *r, bool last)
{
	r->mode = COMMANDS;
	return (struct smtpd_event){ .kind = SMTPD_TEXT_END, .last = last, .long_line = r->long_line };
}

static struct smtpd_event message(struct smtpd_reader *r, struct slice bytes, size_t *used)
{
	static const char end[] = ".\r\n";
	size_t from = 0, at;

	if (r->at_start && bytes.len && bytes.at[0] == '.') {
		size_t n = bytes.len < 3 ? bytes.len : 3;

		if (memcmp(bytes.at, end, n) == 0) {
			*used = n == 3 ? 3 : 0;
			return n == 3 ? text_ends(r, true) : more();
		}
		r->at_start = false;                   /* RFC 5321 §4.5.2: the sender put it there */
		from = 1;
	}
	for (at = from; at < bytes.len && !(r->at_start && bytes.at[at] == '.'); at++)
		note_byte(r, bytes.at[at]);
	*used = at;
	if (at == from)
		return more();
	return (struct smtpd_event){ .kind = SMTPD_TEXT, .text = slice_from(slice_upto(bytes, at), from) };
}

static struct smtpd_event chunk(struct smtpd_reader *r, struct slice bytes, size_t *used)
{
	struct slice text = slice_upto(bytes, r->left);

	if (r->left == 0)
		return text_ends(r, r->last_chunk);
	if (text.len == 0)
		return more();
	for (size_t i = 0; i < text.len; i++)
		note_byte(r, text.at[i]);
	r->left -= text.len;
	*used = text.len;
	return (struct smtpd_event){ .kind = SMTPD_TEXT, .text = text };
}

struct smtpd_event smtpd_next(struct smtpd_reader *r, struct slice bytes, size_t *used)
{
	*used = 0;
	if (*r->why)
		return (struct smtpd_event){ .kind = SMTPD_BROKEN };
	switch (r->mode) {
	case MESSAGE: return message(r, bytes, used);
	case CHUNK:   return chunk(r, bytes, used);
	default:      return command(r, bytes, used);
	}
}

/* -- arguments ---------------------------------------------------------------------------------------------------- */

bool smtpd_name(struct slice args)
{
	for (size_t i = 0; i < args.len; i++)
		if (!isalnum((unsigned char)args.at[i]) && !strchr(".-_:[]", args.at[i]))
			return false;
	return args.len > 0 && args.len <= LONGEST_NAME;
}

static bool is_ascii(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.at[i] >= 0x80)
			return false;
	return true;
}

/* Where the '>' stands that is in no quotes; s.len when nowhere. */
static size_t closing(struct slice s)
{
	bool quoted = false;

	for (size_t i = 0; i < s.len; i++) {
		if (quoted && s.at[i] == '\\')
			i++;
		else if (s.at[i] == '"')
			quoted = !quoted;
		else if (s.at[i] == '>' && !quoted)
			return i;
	}
	return s.len;
}

/* What stands in the angle brackets behind "FROM:" or "TO:", and the parameters behind them. A blank before the bracket is
 * wrong and common. */
static bool cut_path(struct slice args, const char *keyword, struct slice *path, struct slice *parameters)
{
	struct slice rest;
	size_t       end;

	if (!slice_starts(args, keyword))
		return false;
	rest = slice_trim(slice_from(args, strlen(keyword)));
	if (rest.len == 0 || rest.at[0] != '<')
		return false;
	rest = slice_from(rest, 1);
	end = closing(rest);
	if (end == rest.len || (end + 1 < rest.len && rest.at[end + 1] != ' '))
		return false;
	*path = slice_upto(rest, end);
	*parameters = slice_trim(slice_from(rest, end + 1));
	/* RFC 5321 app. C: a source route is taken and not followed */
	if (path->len && path->at[0] == '@' && slice_find(*path, ':') < path->len)
		*path = slice_from(*path, slice_find(*path, ':') + 1);
	return true;
}

/* A sender is logged and never written to: one that breaks the rules of RFC 5321 in ways that are seen (a long local part, an
 * underscore in the domain) is better than none. */
static bool is_sender(struct slice path)
{
	size_t at = path.len;

	while (at && path.at[at - 1] != '@')
		at--;
	return is_ascii(path) && slice_find(path, ' ') == path.len && at > 1 && at < path.len && path.len <= LONGEST_SENDER;
}

static const char *read_sender(struct slice path, struct arena *into, struct smtpd_mail *out)
{
	struct mail_address address;
	const char         *problem = NULL;

	if (!is_ascii(path) && !out->utf8)
		return "553 5.6.7 that address needs SMTPUTF8";
	if (path.len == 0)
		out->sender = "";
	else if (mail_address_parse(arena_copy(into, path), into, &address, &problem))
		out->sender = address.text;
	else if (is_sender(path))
		out->sender = arena_copy(into, path);
	else
		return arena_print(into, "501 5.1.7 no sender address: %s", problem);
	return NULL;
}

struct mail_seen { bool size, body, utf8; };

/* Each at most once. */
static bool first_time(bool *seen)
{
	bool first = !*seen;

	*seen = true;
	return first;
}

static const char *read_parameter(struct slice word, struct smtpd_mail *out, struct mail_seen *seen)
{
	struct slice value = word, name = slice_cut(&value, '=');

	if (slice_is(name, "SIZE"))
		return slice_number(value, UINT64_MAX / 16, &out->size) && first_time(&seen->size) ? NULL : "501 5.5.4 SIZE is not in order";
	if (slice_is(name, "BODY"))
		return (slice_is(value, "7BIT") || slice_is(value, "8BITMIME")) && first_time(&seen->body)
		     ? NULL : "501 5.5.4 BODY is 7BIT or 8BITMIME";
	if (slice_is(name, "SMTPUTF8") && !value.at)
		return (out->utf8 = first_time(&seen->utf8)) ? NULL : "501 5.5.4 SMTPUTF8 is not in order";
	return "555 5.5.4 a parameter of MAIL that is not offered here";
}

const char *smtpd_mail(struct slice args, struct arena *into, struct smtpd_mail *out)
{
	struct mail_seen seen = { 0 };
	struct slice     path, rest;

	*out = (struct smtpd_mail){ .sender = "" };
	if (!cut_path(args, "FROM:", &path, &rest))
		return "501 5.5.4 that is not MAIL FROM:<address>";
	while (rest.len) {
		struct slice word = slice_cut(&rest, ' ');
		const char  *problem = word.len ? read_parameter(word, out, &seen) : NULL;

		if (problem)
			return problem;
	}
	return read_sender(path, into, out);
}

const char *smtpd_rcpt(struct slice args, bool utf8, struct arena *into, struct smtpd_rcpt *out)
{
	struct mail_address address;
	struct slice        path, rest;
	const char         *problem = NULL;

	if (!cut_path(args, "TO:", &path, &rest))
		return "501 5.5.4 that is not RCPT TO:<address>";
	if (rest.len)
		return "555 5.5.4 a parameter of RCPT that is not offered here";
	if (!is_ascii(path) && !utf8)
		return "553 5.6.7 that address needs SMTPUTF8";
	if (!mail_address_parse(arena_copy(into, path), into, &address, &problem))
		return arena_print(into, "501 5.1.3 no recipient address: %s", problem);
	*out = (struct smtpd_rcpt){ .text = address.text, .local = address.local, .domain = address.domain };
	return NULL;
}
