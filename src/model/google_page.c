#include "model/google_page.h"

#include <ctype.h>

/* -- the blob ----------------------------------------------------------------------------------------------------- */

/* Both alphabets: which one it is nobody writes down. */
static int six_bits(char c)
{
	return c >= 'A' && c <= 'Z' ? c - 'A' : c >= 'a' && c <= 'z' ? c - 'a' + 26 : c >= '0' && c <= '9' ? c - '0' + 52
	     : c == '-' || c == '+' ? 62 : c == '_' || c == '/' ? 63 : -1;
}

/* A sign as it was before it became part of an address: "%3D" is a '='. */
static char plain_sign(struct slice *rest)
{
	char               c = rest->at[0];
	unsigned           value = 0;

	if (c == '%' && rest->len >= 3 && isxdigit((unsigned char)rest->at[1]) && isxdigit((unsigned char)rest->at[2])) {
		for (int i = 1; i < 3; i++) {
			int digit = tolower((unsigned char)rest->at[i]);

			value = value << 4 | (unsigned)(isdigit(digit) ? digit - '0' : digit - 'a' + 10);
		}
		*rest = slice_from(*rest, 3);
		return (char)value;
	}
	*rest = slice_from(*rest, 1);
	return c;
}

static bool decode(struct slice text, struct arena *a, struct slice *out)
{
	char    *bytes = arena_get(a, text.len + 1);
	size_t   len = 0, padding = 0;
	unsigned bits = 0;
	int      have = 0;

	while (text.len) {
		char c = plain_sign(&text);
		int  value = six_bits(c);

		padding += c == '=';
		if (c != '=' && (value < 0 || padding))
			return false;
		if (c == '=')
			continue;
		bits = (bits << 6 | (unsigned)value) & 0xfff;
		have += 6;
		if (have >= 8) {
			have -= 8;
			bytes[len++] = (char)(bits >> have & 0xff);
		}
	}
	*out = slice(bytes, len);
	return padding <= 2 && have < 6;
}

/* A number of base 128, its least digit first; false where it does not end within ten. */
static bool take_number(struct slice *rest, unsigned long long *out)
{
	*out = 0;
	for (int digit = 0; digit < 10 && rest->len; digit++) {
		unsigned char byte = (unsigned char)rest->at[0];

		*rest = slice_from(*rest, 1);
		*out |= (unsigned long long)(byte & 0x7f) << (7 * digit);
		if (!(byte & 0x80))
			return true;
	}
	return false;
}

enum { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 };

struct field {
	unsigned long long number, value;
	unsigned           kind;
	struct slice       bytes;
};

static bool take_bytes(struct slice *rest, unsigned long long len, struct slice *out)
{
	if (len > rest->len)
		return false;
	*out = slice_upto(*rest, (size_t)len);
	*rest = slice_from(*rest, (size_t)len);
	return true;
}

static bool take_field(struct slice *rest, struct field *f)
{
	unsigned long long tag, len;

	if (!take_number(rest, &tag))
		return false;
	*f = (struct field){ .number = tag >> 3, .kind = (unsigned)(tag & 7) };
	switch (f->kind) {
	case VARINT:  return take_number(rest, &f->value);
	case FIXED64: return take_bytes(rest, 8, &f->bytes);
	case FIXED32: return take_bytes(rest, 4, &f->bytes);
	case BYTES:   return take_number(rest, &len) && take_bytes(rest, len, &f->bytes);
	default:      return false;
	}
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || c == '_';
}

static bool is_code(struct slice word)
{
	for (size_t i = 0; i < word.len; i++)
		if (!is_letter(word.at[i]))
			return false;
	return word.len > 2 && word.len <= GOOGLE_PAGE_CODE;
}

/* Up to the first NUL: what comes after it nobody would see. */
static const char *text_of(struct slice bytes, struct arena *a)
{
	return bytes.len ? arena_copy(a, slice_upto(bytes, slice_find(bytes, '\0'))) : NULL;
}

bool google_page_decode(struct slice auth_error, struct arena *a, struct google_page *p)
{
	struct slice rest;
	struct field f;

	*p = (struct google_page){ 0 };
	if (auth_error.len > GOOGLE_PAGE_BLOB || !decode(auth_error, a, &rest))
		return false;
	while (rest.len) {
		if (!take_field(&rest, &f))
			return false;
		if (f.number == 1 && f.kind == BYTES && is_code(f.bytes))
			p->code = arena_copy(a, f.bytes);
		else if (f.number == 2 && f.kind == BYTES)
			p->text = text_of(f.bytes, a);
		else if (f.number == 4 && f.kind == VARINT && f.value >= 100 && f.value < 600)
			p->status = (int)f.value;
	}
	return p->code != NULL;
}

/* -- in a text ---------------------------------------------------------------------------------------------------- */

static size_t blob_length(struct slice text)
{
	size_t len = 0;

	while (len < text.len && (six_bits(text.at[len]) >= 0 || text.at[len] == '=' || text.at[len] == '%'))
		len++;
	return len;
}

static bool find_address(struct slice text, struct arena *a, struct google_page *p)
{
	static const char name[] = "authError=";

	for (size_t at = slice_search(text, name); at < text.len; at = slice_search(text, name)) {
		text = slice_from(text, at + sizeof name - 1);
		if (google_page_decode(slice_upto(text, blob_length(text)), a, p))
			return true;
	}
	return false;
}

/* What Google prints (facts G A.6); a code of another's may stand behind a number too. */
static const char *const printed[] = {
	"policy_enforced", "admin_policy_enforced", "access_not_configured", "org_internal", "access_denied", "disallowed_useragent",
	"redirect_uri_mismatch", "invalid_request", "invalid_client", "deleted_client", "disabled_client", "invalid_scope",
	"restricted_client", "rate_limit_exceeded", "invalid_grant",
};

static bool is_printed(struct slice word)
{
	for (size_t i = 0; i < COUNT(printed); i++)
		if (slice_is(word, printed[i]))
			return true;
	return false;
}

/* "400: policy_enforced", whatever language the word before it is in; -1: no status ends at `at`. */
static int status_before(struct slice text, size_t at)
{
	int status = 0;

	while (at && text.at[at - 1] == ' ')
		at--;
	if (!at || text.at[at - 1] != ':')
		return -1;
	for (at--; at && text.at[at - 1] == ' ';)
		at--;
	if (at < 3 || (at > 3 && isdigit((unsigned char)text.at[at - 4])))
		return -1;
	for (size_t i = at - 3; i < at; i++) {
		if (!isdigit((unsigned char)text.at[i]))
			return -1;
		status = status * 10 + (text.at[i] - '0');
	}
	return status >= 400 && status < 600 ? status : -1;
}

static bool find_printed(struct slice text, struct arena *a, struct google_page *p)
{
	for (size_t at = 0; at < text.len;) {
		size_t       len = 0;
		struct slice word;
		int          status;

		while (at + len < text.len && (is_letter(text.at[at + len]) || (text.at[at + len] >= 'A' && text.at[at + len] <= 'Z')))
			len++;
		word = slice(text.at + at, len);
		status = is_printed(word) ? status_before(text, at) : -1;
		if (status > 0) {
			*p = (struct google_page){ .code = arena_copy(a, word), .status = status };
			return true;
		}
		at += len ? len : 1;
	}
	return false;
}

bool google_page_find(struct slice text, struct arena *a, struct google_page *p)
{
	return find_address(text, a, p) || find_printed(text, a, p);
}
