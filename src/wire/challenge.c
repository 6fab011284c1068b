#include "wire/challenge.h"

/* White space between words; a line end too, where a field was folded. */
static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct slice skip_space(struct slice s)
{
	while (s.len && is_space(s.at[0]))
		s = slice_from(s, 1);
	return s;
}

static bool is_alphanumeric(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* How many bytes at the start are letters, digits, or one of `more`. */
static size_t run(struct slice s, const char *more)
{
	size_t n = 0;

	while (n < s.len && (is_alphanumeric(s.at[n]) || (s.at[n] && strchr(more, s.at[n]))))
		n++;
	return n;
}

/* A token of RFC 9110 §5.6.2; empty when there is none. */
static struct slice cut_token(struct slice *rest)
{
	size_t       len = run(*rest, "!#$%&'*+-.^_`|~");
	struct slice token = slice_upto(*rest, len);

	*rest = slice_from(*rest, len);
	return token;
}

/* A quoted string with its quotes, or what stands bare up to a comma or blank: URLs do, which are no tokens. Empty: a quote without end. */
static struct slice cut_value(struct slice *rest)
{
	struct slice all = *rest;
	bool         quoted = all.len && all.at[0] == '"';
	size_t       len = quoted;

	if (quoted)
		while (len < all.len && all.at[len] != '"')
			len += all.at[len] == '\\' ? 2 : 1;
	else
		while (len < all.len && all.at[len] != ',' && all.at[len] != '"' && !is_space(all.at[len]))
			len++;
	len += quoted;
	if (len > all.len) {
		*rest = slice_from(all, all.len);
		return slice(all.at, 0);
	}
	*rest = slice_from(all, len);
	return slice_upto(all, len);
}

/* `name=value`, with blanks around the "=" for the sake of those who write them. `*rest` stays where it is when it is none. */
static bool cut_parameter(struct slice *rest, struct slice *name, struct slice *value)
{
	struct slice at = *rest;

	*name = cut_token(&at);
	at = skip_space(at);
	if (name->len == 0 || at.len == 0 || at.at[0] != '=')
		return false;
	at = skip_space(slice_from(at, 1));
	*value = cut_value(&at);
	*rest = at;
	return true;
}

/* token68 is all that stands between the scheme and the next comma; "realm=x" is none, nor is `realm=""`. */
static bool cut_token68(struct slice *rest, struct slice *token)
{
	size_t       len = run(*rest, "-._~+/");
	struct slice behind;

	if (len == 0)
		return false;
	while (len < rest->len && rest->at[len] == '=')
		len++;
	behind = skip_space(slice_from(*rest, len));
	if (behind.len && behind.at[0] != ',')
		return false;
	*token = slice_upto(*rest, len);
	*rest = behind;
	return true;
}

/* Whatever that is: to the next comma that stands in no quotes. */
static struct slice skip_to_comma(struct slice s)
{
	while (s.len && s.at[0] != ',') {
		struct slice before = s;

		if (s.at[0] == '"')
			cut_value(&s);
		if (s.len == before.len)
			s = slice_from(s, 1);
	}
	return s;
}

static struct challenge *add(struct challenges *out, struct slice scheme)
{
	if (out->count == CHALLENGES_MOST)
		return NULL;
	out->item[out->count] = (struct challenge){ .scheme = scheme };
	return &out->item[out->count++];
}

/* From its first parameter to the end of its last one. */
static void extend(struct challenge *c, struct slice from, size_t len)
{
	if (!c->parameters.at)
		c->parameters = slice(from.at, 0);
	c->parameters.len = (size_t)(from.at + len - c->parameters.at);
}

/* What comes between two commas is a scheme (with a token, or with its first parameter) or one more parameter of the scheme before it:
 * only the "=" tells them apart. */
static void read_value(struct slice value, struct challenges *out)
{
	struct challenge *current = NULL;
	struct slice      rest = skip_space(value), name, unused;

	for (bool at_comma = true; rest.len; rest = skip_space(rest)) {
		struct slice from = rest, token;

		if (rest.at[0] == ',') {
			at_comma = true;
			rest = slice_from(rest, 1);
		} else if (cut_parameter(&rest, &name, &unused)) {
			if (current && unused.len)
				extend(current, from, (size_t)(unused.at + unused.len - from.at));
			at_comma = false;
		} else if (at_comma && (token = cut_token(&rest)).len) {
			current = NULL;
			if (rest.len && rest.at[0] != ',' && !is_space(rest.at[0])) {
				rest = skip_to_comma(rest);
				continue;
			}
			current = add(out, token);
			rest = skip_space(rest);
			if (cut_token68(&rest, &token) && current)
				current->token = token;
			/* its first parameter needs no comma before it, and nothing else may be there */
			at_comma = false;
		} else {
			rest = skip_to_comma(rest);
		}
	}
}

/* The next field's value, with the lines that go on with it; `*name` is empty where there is none. */
static struct slice cut_field(struct slice *rest, struct slice *name)
{
	struct slice line = slice_cut(rest, '\n');

	while (rest->at && rest->len && (rest->at[0] == ' ' || rest->at[0] == '\t')) {
		struct slice more = slice_cut(rest, '\n');

		line.len = (size_t)(more.at + more.len - line.at);
	}
	*name = slice_cut(&line, ':');
	return slice_trim(line);
}

void challenges_read(struct slice fields, struct challenges *out)
{
	*out = (struct challenges){ 0 };
	while (fields.at && fields.len) {
		struct slice name, value = cut_field(&fields, &name);

		if (slice_is(name, "WWW-Authenticate"))
			read_value(value, out);
	}
}

const struct challenge *challenge_find(const struct challenges *all, const char *scheme)
{
	for (size_t i = 0; i < all->count; i++)
		if (slice_is(all->item[i].scheme, scheme))
			return &all->item[i];
	return NULL;
}

static struct slice unquoted(struct slice value, struct arena *into)
{
	char  *copy;
	size_t len = 0;

	if (value.len < 2 || value.at[0] != '"')
		return value;
	value = slice(value.at + 1, value.len - 2);
	if (slice_find(value, '\\') == value.len)
		return value;
	copy = arena_copy(into, value);
	for (size_t i = 0; i < value.len; i++) {
		if (value.at[i] == '\\' && i + 1 < value.len)
			i++;
		copy[len++] = value.at[i];
	}
	return slice(copy, len);
}

bool challenge_parameter(const struct challenge *c, const char *wanted, struct arena *into, struct slice *out)
{
	struct slice rest = c->parameters, name, value;

	for (; rest.len; rest = skip_space(rest)) {
		if (rest.at[0] == ',') {
			rest = slice_from(rest, 1);
		} else if (!cut_parameter(&rest, &name, &value)) {
			rest = skip_to_comma(rest);
		} else if (slice_is(name, wanted) && value.len) {
			*out = unquoted(value, into);
			return true;
		}
	}
	return false;
}
