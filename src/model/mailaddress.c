#include "model/mailaddress.h"

#include <ctype.h>
#include <idn2.h>
#include <stdint.h>

/* More than any address in any encoding: whatever is longer is not looked at. */
#define LONGEST_INPUT 1024

#define DOMAIN_MOST 253
#define LABEL_MOST  63

/* -- characters --------------------------------------------------------------------------------------------------- */

/* One character of UTF-8 (RFC 3629) at the start; its length, or 0 when there is none. */
static size_t utf8_character(struct slice s, uint32_t *out)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned char first = s.len ? (unsigned char)s.at[0] : 0x80;
	size_t        n = first < 0x80 ? 1 : first < 0xc0 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf8 ? 4 : 0;
	uint32_t      c;

	if (n == 0 || n > s.len)
		return 0;
	c = n == 1 ? first : first & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if (((unsigned char)s.at[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | ((unsigned char)s.at[i] & 0x3f);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*out = c;
	return n;
}

/* Blanks and marks that nobody sees and that word processors and web pages leave in what is copied from them. */
static bool is_unseen(uint32_t c)
{
	return c == 0xa0 || c == 0xad || c == 0x1680 || (c >= 0x2000 && c <= 0x200f) || (c >= 0x2028 && c <= 0x202f)
	    || (c >= 0x205f && c <= 0x206f) || c == 0x3000 || c == 0xfeff;
}

static bool is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0);
}

struct slice without_unseen_ends(struct slice s)
{
	for (;;) {
		struct slice before = s = slice_trim(s);
		uint32_t     c;
		size_t       n = utf8_character(s, &c);

		if (n > 1 && is_unseen(c))
			s = slice_from(s, n);
		for (n = 2; n <= 3 && n <= s.len; n++)
			if (utf8_character(slice_from(s, s.len - n), &c) == n && is_unseen(c))
				s.len -= n;
		if (s.len == before.len)
			return s;
	}
}

/* What is wrong with the characters as such, wherever they stand; NULL when nothing is. */
static const char *bad_character(struct slice s)
{
	while (s.len) {
		uint32_t c;
		size_t   n = utf8_character(s, &c);

		if (n == 0)
			return "it is not valid UTF-8";
		if (is_control(c))
			return "it has a control character in it";
		if (is_unseen(c))
			return "it has an invisible character in it";
		s = slice_from(s, n);
	}
	return NULL;
}

/* -- the local part ----------------------------------------------------------------------------------------------- */

/* atext (RFC 5322 §3.2.3), widened by RFC 6531 §3.3. */
static bool is_atext(unsigned char c)
{
	return c >= 0x80 || isalnum(c) || (c && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

static const char *bad_atoms(struct slice local)
{
	for (size_t i = 0; i < local.len; i++) {
		unsigned char c = (unsigned char)local.at[i];

		if (c == ' ')
			return "it has a space in it";
		if (c == '.' && (i == 0 || i + 1 == local.len))
			return "the part before the @ begins or ends with a dot";
		if (c == '.' && local.at[i + 1] == '.')
			return "the part before the @ has two dots in a row";
		if (c != '.' && !is_atext(c))
			return "the part before the @ has a character that is not allowed there";
	}
	return NULL;
}

/* Length of the quoted string at the start, with its quotes; 0 when it does not end. */
static size_t quoted_length(struct slice s)
{
	for (size_t i = 1; i < s.len; i++) {
		if (s.at[i] == '"')
			return i + 1;
		if (s.at[i] == '\\')
			i++;
	}
	return 0;
}

/* The parts before and after the @ that separates them; what is wrong, or NULL. */
static const char *split(struct slice s, struct slice *local, struct slice *domain)
{
	size_t at = slice_find(s, '@');

	if (s.len && s.at[0] == '"') {
		at = quoted_length(s);
		if (at == 0)
			return "its quotation mark is never closed";
		if (at == s.len)
			return "it has no @";
		if (s.at[at] != '@')
			return "the @ does not follow the closing quotation mark";
	}
	if (at == s.len)
		return "it has no @";
	*local = slice_upto(s, at);
	*domain = slice_from(s, at + 1);
	if (local->len == 0)
		return "nothing stands before the @";
	if (domain->len == 0)
		return "nothing stands after the @";
	if (slice_find(*domain, '@') < domain->len)
		return "it has more than one @";
	if (local->len > MAIL_LOCAL_MOST)
		return "the part before the @ is longer than 64 octets";
	return local->at[0] == '"' ? NULL : bad_atoms(*local);
}

/* RFC 5321 §4.1.2: "ann" in quotes is ann, and the quotes ought to be left out where nothing needs them. */
static const char *local_of(struct slice local, struct arena *into)
{
	struct slice inside = local.at[0] == '"' ? slice(local.at + 1, local.len - 2) : local;

	if (inside.len && slice_find(inside, '\\') == inside.len && !bad_atoms(inside))
		return arena_copy(into, inside);
	return arena_copy(into, local);
}

/* -- the domain --------------------------------------------------------------------------------------------------- */

static const char *bad_label(struct slice label)
{
	if (label.len == 0)
		return "its domain has an empty label (a dot too many)";
	if (label.len > LABEL_MOST)
		return "a label of its domain is longer than 63 octets";
	if (label.at[0] == '-' || label.at[label.len - 1] == '-')
		return "a label of its domain begins or ends with a hyphen";
	for (size_t i = 0; i < label.len; i++) {
		if (label.at[i] == '_')
			return "its domain has an underscore in it";
		if (label.at[i] == ' ')
			return "it has a space in it";
		if (!isalnum((unsigned char)label.at[i]) && label.at[i] != '-')
			return "its domain has a character that is not allowed there";
	}
	return NULL;
}

/* Of the A-label form. */
static const char *bad_domain(const char *domain)
{
	struct slice rest = slice_str(domain), label;
	unsigned long long number;

	if (rest.len == 0)
		return "its domain has an empty label (a dot too many)";
	if (rest.len > DOMAIN_MOST)
		return "its domain is longer than 253 octets";
	do {
		const char *problem;

		label = slice_cut(&rest, '.');
		if ((problem = bad_label(label)))
			return problem;
	} while (rest.at);
	/* RFC 1123 §2.1: the last label is never all digits; so this was meant as an IP address. */
	if (slice_number(label, UINT64_MAX / 16, &number))
		return "an IP address after the @ must stand in square brackets";
	return NULL;
}

static char *lower_case(char *text)
{
	for (char *c = text; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return text;
}

static bool is_ascii(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.at[i] >= 0x80)
			return false;
	return true;
}

/* A name that is ASCII already is left to DNS to judge: there are old "xn--" registrations, with emoji for one, that
 * IDNA 2008 would not give out today and whose mail works. */
static char *to_ascii(struct slice domain, struct arena *into, const char **problem)
{
	uint8_t *ascii = NULL;
	char    *copy;
	int      result;

	if (is_ascii(domain))
		return lower_case(arena_copy(into, domain));
	result = idn2_lookup_u8((const uint8_t *)arena_copy(into, domain), &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
	if (result != IDN2_OK) {
		*problem = result == IDN2_TOO_BIG_LABEL || result == IDN2_PUNYCODE_BIG_OUTPUT
		             ? "a label of its domain is longer than 63 octets"
		         : result == IDN2_TOO_BIG_DOMAIN ? "its domain is longer than 253 octets"
		                                         : "its domain has a character that is not allowed there";
		return NULL;
	}
	copy = lower_case(arena_str(into, (const char *)ascii));
	idn2_free(ascii);
	return copy;
}

const char *host_ascii(const char *host, struct arena *into)
{
	const char    *problem = NULL;
	struct address literal;

	return address_parse(host, &literal) ? arena_str(into, host) : to_ascii(slice_str(host), into, &problem);
}

static const char *to_shown(const char *domain, struct arena *into)
{
	char       *shown = NULL;
	const char *copy = domain;

	if (idn2_to_unicode_8z8z(domain, &shown, IDN2_NONTRANSITIONAL) == IDN2_OK && !bad_character(slice_str(shown)))
		copy = arena_str(into, shown);
	idn2_free(shown);
	return copy;
}

/* RFC 5321 §4.1.3. */
static bool read_literal(struct slice domain, struct arena *into, struct mail_address *out)
{
	struct slice inside = slice(domain.at + 1, domain.len - 2);
	bool         tagged = slice_starts(inside, "IPv6:");
	char         text[ADDRESS_TEXT];

	if (tagged)
		inside = slice_from(inside, 5);
	if (inside.len >= ADDRESS_TEXT || !address_parse(arena_copy(into, inside), &out->literal)
	    || out->literal.family != (tagged ? 6 : 4))
		return false;
	out->is_literal = true;
	out->domain = arena_print(into, "[%s%s]", tagged ? "IPv6:" : "", address_text(&out->literal, text));
	out->domain_shown = out->domain;
	return true;
}

static bool read_domain(struct slice domain, struct arena *into, struct mail_address *out, const char **problem)
{
	char  *ascii;
	size_t len;

	if (domain.at[0] == '[') {
		if (domain.len < 3 || domain.at[domain.len - 1] != ']' || !read_literal(domain, into, out))
			*problem = "what stands in square brackets is no IP address";
		return *problem == NULL;
	}
	ascii = to_ascii(domain, into, problem);
	if (!ascii)
		return false;
	len = strlen(ascii);
	if (len > 1 && ascii[len - 1] == '.')
		ascii[len - 1] = '\0';
	if ((*problem = bad_domain(ascii)))
		return false;
	out->domain = ascii;
	out->domain_shown = to_shown(out->domain, into);
	return true;
}

bool mail_address_parse(const char *text, struct arena *into, struct mail_address *out, const char **problem)
{
	struct mail_address found = { 0 };
	struct slice        s = without_unseen_ends(slice(text, strnlen(text, LONGEST_INPUT + 1))), local, domain;

	*problem = NULL;
	if (s.len == 0)
		*problem = "it is empty";
	else if (s.len > LONGEST_INPUT)
		*problem = "it is longer than 254 octets";
	else if (!(*problem = bad_character(s)))
		*problem = split(s, &local, &domain);
	if (*problem || !read_domain(domain, into, &found, problem))
		return false;

	found.local = local_of(local, into);
	found.text = arena_print(into, "%s@%s", found.local, found.domain);
	if (strlen(found.text) > MAIL_ADDRESS_MOST) {
		*problem = "it is longer than 254 octets";
		return false;
	}
	*out = found;
	return true;
}

const char *mail_address_key(const struct mail_address *address, struct arena *into)
{
	char *key = arena_str(into, address->text);

	for (char *c = key; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return key;
}
