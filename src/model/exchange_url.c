#include "model/exchange_url.h"

#include <ctype.h>

#include "model/mailaddress.h"

#define LONGEST_HOST  253
#define LONGEST_LABEL 63

/* -- Exchange Online ---------------------------------------------------------------------------------------------- */

/* Each stands for itself and for what is below it. None of them is anybody's but Microsoft's. */
static const char *const online_hosts[] = {
	"outlook.com",             /* also autodiscover-s, eas, *.prod                       */
	"office365.com",
	"office.com",
	"live.com",
	"hotmail.com",
	"outlook.cloud.microsoft",
	"office365.us",            /* the United States' government                          */
	"outlook.us",
	"outlook.cn",              /* partner.outlook.cn, operated by 21Vianet               */
	"office.de",               /* Germany's own cloud, closed in 2021; still pasted      */
};

/* Every organisation there has one below these, besides its own. */
static const char *const online_domains[] = { "onmicrosoft.com", "onmicrosoft.us", "partner.onmschina.cn" };

static bool is_below(struct slice name, const char *const list[], size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(list[i]);

		if (slice_ends(name, list[i]) && (name.len == len || name.at[name.len - len - 1] == '.'))
			return true;
	}
	return false;
}

bool exchange_is_online(const char *host)
{
	return is_below(slice_str(host), online_hosts, COUNT(online_hosts));
}

bool exchange_domain_is_online(const char *domain)
{
	return is_below(slice_str(domain), online_domains, COUNT(online_domains));
}

/* -- what stands in front of the host ----------------------------------------------------------------------------- */

static bool is_scheme(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!isalnum((unsigned char)s.at[i]) && !strchr("+-.", s.at[i]))
			return false;
	return s.len > 0 && isalpha((unsigned char)s.at[0]);
}

/* What is around it in a text: <https://…>, "https://…". */
static struct slice without_quotes(struct slice s)
{
	static const char pairs[][3] = { "<>", "\"\"", "''" };

	for (size_t i = 0; i < COUNT(pairs); i++)
		if (s.len >= 2 && s.at[0] == pairs[i][0] && s.at[s.len - 1] == pairs[i][1])
			return slice_trim(slice(s.at + 1, s.len - 2));
	return s;
}

/* https or http, as often as it stands there: "https://http://mail…" is what comes out of a form that has one already. */
static struct slice without_web_schemes(struct slice s, bool *plain)
{
	for (;;) {
		bool http = slice_starts(s, "http://");

		if (!http && !slice_starts(s, "https://"))
			return s;
		*plain = http;
		s = slice_from(s, http ? strlen("http://") : strlen("https://"));
	}
}

/* Up to the path, the query or the fragment. */
static struct slice authority_of(struct slice s)
{
	size_t n = 0;

	while (n < s.len && !strchr("/?#", s.at[n]))
		n++;
	return slice_upto(s, n);
}

/* "ann:pa/ss@host": what seems to be a port is none, and so the host's name ends somewhere else. */
static bool has_odd_port(struct slice authority)
{
	struct slice rest = authority;

	slice_cut(&rest, ':');
	return authority.len && authority.at[0] != '[' && rest.len && !isdigit((unsigned char)rest.at[0]);
}

/* Up to and including the last "@" of the authority; 0 where nobody is named. */
static size_t user_length(struct slice s)
{
	struct slice authority = authority_of(s);
	size_t       n = has_odd_port(authority) ? s.len : authority.len;

	while (n > 0 && s.at[n - 1] != '@')
		n--;
	return n;
}

/* Another scheme: "ftp://…", "mailto:…". A port is a number, a host has a dot where a scheme has none, and "ann:secret@…" is none. */
static const char *foreign_scheme(struct slice s, struct arena *into)
{
	struct slice rest = s, before = slice_cut(&rest, ':');

	if (!rest.at || !is_scheme(before))
		return NULL;
	if (!slice_starts(rest, "//") && (rest.len == 0 || isdigit((unsigned char)rest.at[0]) || strchr("/?#", rest.at[0])
	                                  || slice_find(before, '.') < before.len || user_length(s)))
		return NULL;
	return arena_print(into, "scheme %.*s", (int)(before.len < 20 ? before.len : 20), before.at);
}

/* -- host and port ------------------------------------------------------------------------------------------------ */

static bool is_label(struct slice label)
{
	for (size_t i = 0; i < label.len; i++)
		if (!isalnum((unsigned char)label.at[i]) && label.at[i] != '-' && label.at[i] != '_')
			return false;
	return label.len > 0 && label.len <= LONGEST_LABEL;
}

/* "192.168.1", "0x7f.1": some programs take that for an address, none for a name. */
static bool is_number(struct slice label)
{
	bool hex = slice_starts(label, "0x");

	for (size_t i = hex ? 2 : 0; i < label.len; i++)
		if (hex ? !isxdigit((unsigned char)label.at[i]) : !isdigit((unsigned char)label.at[i]))
			return false;
	return true;
}

static bool is_name(struct slice host)
{
	struct slice label = slice(NULL, 0);

	if (host.len > LONGEST_HOST)
		return false;
	while (host.at) {
		label = slice_cut(&host, '.');
		if (!is_label(label))
			return false;
	}
	return !is_number(label);
}

static bool read_host(struct slice text, struct arena *into, struct exchange_url *out)
{
	struct address literal;
	char           shown[ADDRESS_TEXT], *copy = arena_copy(into, text);
	struct slice   name;

	if (address_parse(copy, &literal)) {
		out->host = arena_str(into, address_text(&literal, shown));
		return true;
	}
	out->host = host_ascii(copy, into);
	if (!out->host)
		return false;
	name = slice_str(out->host);
	if (slice_ends(name, "."))
		name.len--;
	out->host = arena_copy(into, name);
	return is_name(name);
}

/* The colon in front of the port, or all of it; an IPv6 address has colons of its own. */
static size_t host_length(struct slice authority)
{
	struct address literal;
	size_t         bracket = slice_find(authority, ']');

	if (authority.len < ADDRESS_TEXT) {
		char bare[ADDRESS_TEXT];

		memcpy(bare, authority.at, authority.len);
		bare[authority.len] = '\0';
		if (address_parse(bare, &literal))
			return authority.len;
	}
	if (authority.at[0] == '[' && bracket < authority.len)
		return bracket + 1;
	return slice_find(authority, ':');
}

static const char *read_authority(struct slice authority, bool plain, struct arena *into, struct exchange_url *out)
{
	size_t             len = authority.len ? host_length(authority) : 0;
	struct slice       rest = slice_from(authority, len);
	unsigned long long port = 443;

	if (len == 0)
		return "no host";
	if (!read_host(slice_upto(authority, len), into, out))
		return "a host name that is none";
	if (rest.len && rest.at[0] != ':')
		return "a port that is none";
	if (rest.len > 1 && (!slice_number(slice_from(rest, 1), 65535, &port) || port == 0))
		return "a port that is none";
	/* http is taken for https, and so is its port. */
	out->port = plain && port == 80 ? 443 : (uint16_t)port;
	return NULL;
}

/* -- the path ----------------------------------------------------------------------------------------------------- */

/* What people find in a browser or in a manual and that is not a service itself. */
static const char *const around_ews[] = {
	"", "/", "/ews", "/ews/", "/ews/services.wsdl", "/ews/types.xsd", "/ews/messages.xsd", "/ews/exchange.asmx/",
};

static bool is_around_ews(struct slice path, struct slice query)
{
	for (size_t i = 0; i < COUNT(around_ews); i++)
		if (slice_is(path, around_ews[i]))
			return true;
	return slice_is(path, EXCHANGE_PATH) && slice_is(query, "wsdl");
}

/* With what is no ASCII as %XX: a path is sent as it is. */
static const char *encoded(struct slice text, struct arena *into)
{
	static const char digits[] = "0123456789ABCDEF";
	char *copy = arena_get(into, 3 * text.len + 1), *at = copy;

	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.at[i];

		if (c < 0x80) {
			*at++ = (char)c;
			continue;
		}
		*at++ = '%';
		*at++ = digits[c >> 4];
		*at++ = digits[c & 15];
	}
	return copy;
}

static void read_path(struct slice text, struct arena *into, struct exchange_url *out)
{
	struct slice whole = slice_upto(text, slice_find(text, '#')), query = whole, path = slice_cut(&query, '?');

	if (is_around_ews(path, query))
		out->path = EXCHANGE_PATH;
	else
		out->path = encoded(whole, into);
	out->is_ews = slice_is(slice_upto(slice_str(out->path), slice_find(slice_str(out->path), '?')), EXCHANGE_PATH);
}

/* -- all of it ---------------------------------------------------------------------------------------------------- */

const char *exchange_url_at(const char *host, uint16_t port, const char *path, struct arena *into)
{
	bool ipv6 = strchr(host, ':') != NULL;

	if (port == 443)
		return arena_print(into, "https://%s%s%s%s", ipv6 ? "[" : "", host, ipv6 ? "]" : "", path);
	return arena_print(into, "https://%s%s%s:%u%s", ipv6 ? "[" : "", host, ipv6 ? "]" : "", port, path);
}

static const char *bad_character(struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (s.at[i] == ' ')
			return "a space in it";
		if ((unsigned char)s.at[i] < ' ' || s.at[i] == 0x7f)
			return "a control character in it";
		if (s.at[i] == '\\')
			return "a backslash in it";
	}
	return NULL;
}

/* Whose name stands before an "@" is nobody's business, and a password may stand behind it. An address alone is no secret. */
static const char *leave_out_user(struct slice *text, struct slice *rest, struct arena *into)
{
	size_t       len = user_length(*rest);
	struct slice user = slice_upto(*rest, len), before = slice(text->at, (size_t)(rest->at - text->at));

	if (len == 0)
		return NULL;
	if (before.len == 0 && rest->len == authority_of(*rest).len && slice_find(user, ':') == len)
		return "an e-mail address";
	*text = slice_str(arena_print(into, "%s%s", arena_copy(into, before), arena_copy(into, slice_from(*rest, len))));
	return "a user name in it";
}

static const char *read_all(struct slice text, struct arena *into, struct exchange_url *out)
{
	bool         plain = false;
	struct slice rest = without_web_schemes(text, &plain), authority;
	const char  *problem;

	if ((problem = foreign_scheme(rest, into))) {
		/* There may be a name in "ftp://ann:secret@…" as well. */
		struct slice behind = slice_from(rest, slice_find(rest, ':') + 1);

		behind = slice_starts(behind, "//") ? slice_from(behind, 2) : behind;
		leave_out_user(&text, &behind, into);
	} else {
		if (slice_starts(rest, "//"))
			rest = slice_from(rest, 2);
		problem = leave_out_user(&text, &rest, into);
	}
	out->given = arena_copy(into, text);
	if (problem)
		return problem;
	if ((problem = bad_character(text)))
		return problem;
	authority = authority_of(rest);
	if ((problem = read_authority(authority, plain, into, out)))
		return problem;
	read_path(slice_from(rest, authority.len), into, out);
	return NULL;
}

void exchange_url_read(const char *text, struct arena *into, struct exchange_url *out)
{
	struct slice trimmed = without_quotes(without_unseen_ends(slice_str(text)));

	*out = (struct exchange_url){ .given = "" };
	if (trimmed.len == 0)
		out->problem = "empty";
	else if (trimmed.len > EXCHANGE_URL_MOST)
		out->problem = "too long";
	else
		out->problem = read_all(trimmed, into, out);
	if (out->problem) {
		*out = (struct exchange_url){ .problem = out->problem, .given = out->given };
		return;
	}
	out->online = exchange_is_online(out->host);
	out->right = exchange_url_at(out->host, out->port, EXCHANGE_PATH, into);
}
