#include "wire/our_address.h"

#include "wire/header.h"

/* What is told in one line: the one address, or too many. */
struct told {
	struct address address;
	unsigned       different;
};

/* "IPv6:2001:db8::1" and "192.0.2.1"; an IPv4 address that a server with one socket for both writes as IPv6 is what it is. */
static bool read_address(struct slice text, struct address *out)
{
	static const char v6[] = "IPv6:";
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	char           word[ADDRESS_TEXT];
	struct address a;

	text = slice_trim(text);
	if (slice_starts(text, v6))
		text = slice_from(text, sizeof v6 - 1);
	if (text.len == 0 || text.len >= sizeof word || memchr(text.at, '\0', text.len))
		return false;
	memcpy(word, text.at, text.len);
	word[text.len] = '\0';
	if (!address_parse(word, &a))
		return false;
	if (a.family == 6 && memcmp(a.bytes, mapped, sizeof mapped) == 0) {
		memmove(a.bytes, a.bytes + sizeof mapped, 4);
		memset(a.bytes + 4, 0, sizeof a.bytes - 4);
		a.family = 4;
	}
	*out = a;
	return true;
}

static void add(struct told *t, struct slice text)
{
	struct address a;

	if (!read_address(text, &a) || address_is_special(&a) || (t->different && address_equal(&a, &t->address)))
		return;
	t->address = a;
	t->different++;
}

static bool one(const struct told *t, struct address *out)
{
	if (t->different != 1)
		return false;
	*out = t->address;
	return true;
}

/* -- the answer to EHLO ------------------------------------------------------------------------------------------- */

bool ehlo_tells_address(struct slice line, struct address *out)
{
	struct told t = { 0 };

	slice_cut(&line, ' ');                /* RFC 5321 §4.1.1.1: the server's own name, which may be an address too */
	while (slice_find(line, '[') < line.len) {
		line = slice_from(line, slice_find(line, '[') + 1);
		if (slice_find(line, ']') < line.len)
			add(&t, slice_upto(line, slice_find(line, ']')));
	}
	return one(&t, out);
}

/* -- a Received line ---------------------------------------------------------------------------------------------- */

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct slice cut_word(struct slice *rest)
{
	size_t n = 0;
	struct slice word;

	*rest = slice_trim(*rest);
	while (n < rest->len && !is_space(rest->at[n]) && rest->at[n] != '(')
		n++;
	word = slice_upto(*rest, n);
	*rest = slice_from(*rest, n);
	return word;
}

/* The inside of a comment that stands next, RFC 5322 §3.2.2; false when there is none, or it does not end. */
static bool cut_comment(struct slice *rest, struct slice *inside)
{
	unsigned depth = 0;

	*rest = slice_trim(*rest);
	if (rest->len == 0 || rest->at[0] != '(')
		return false;
	for (size_t n = 0; n < rest->len; n++) {
		depth += rest->at[n] == '(';
		depth -= rest->at[n] == ')';
		if (rest->at[n] == '\\') {
			n++;
		} else if (depth == 0) {
			*inside = slice(rest->at + 1, n - 1);
			*rest = slice_from(*rest, n + 1);
			return true;
		}
	}
	return false;
}

/* How servers repeat in a comment what the client calls itself: Exim, qmail and its children. */
static const char *const repeats[] = { "helo=", "HELO ", "EHLO " };

static bool is_repeated(struct slice comment, size_t at)
{
	for (size_t i = 0; i < COUNT(repeats); i++)
		if (slice_ends(slice_upto(comment, at), repeats[i]))
			return true;
	return false;
}

static bool names_us(struct slice comment, const char *our_name)
{
	size_t at = slice_search(comment, our_name);

	return at < comment.len && is_repeated(comment, at);
}

/* "unknown [8.8.4.4]" (RFC 5321 §4.4), "[8.8.4.4]:4711 helo=[127.0.0.1]" (Exim), "8.8.4.4" (Exchange). */
static void add_comment(struct told *t, struct slice comment)
{
	add(t, comment);
	for (size_t at = slice_find(comment, '['); at < comment.len;) {
		struct slice behind = slice_from(comment, at + 1);
		size_t       end = slice_find(behind, ']');

		if (end == behind.len)
			return;
		if (!is_repeated(comment, at))
			add(t, slice_upto(behind, end));
		at += 1 + end + slice_find(slice_from(behind, end), '[');
	}
}

static bool line_tells(struct slice body, const char *our_name, struct address *out)
{
	struct told  t = { 0 };
	struct slice name, comment;
	bool         ours;

	if (!slice_is(cut_word(&body), "from"))
		return false;
	name = cut_word(&body);
	ours = slice_is(name, our_name);
	while (cut_comment(&body, &comment)) {
		/* only a server that knows no better name puts the address in its place */
		if (!ours && names_us(comment, our_name)) {
			ours = true;
			if (name.len > 2 && name.at[0] == '[' && name.at[name.len - 1] == ']')
				add(&t, slice(name.at + 1, name.len - 2));
		}
		add_comment(&t, comment);
	}
	return ours && slice_is(cut_word(&body), "by") && one(&t, out);
}

bool received_tells_address(struct slice header, const char *our_name, struct address *out)
{
	struct header_field field;

	while (header_next(&header, &field))
		if (slice_is(field.name, "Received") && line_tells(field.body, our_name, out))
			return true;
	return false;
}
