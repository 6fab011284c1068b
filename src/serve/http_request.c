#include <ctype.h>
#include <microhttpd.h>
#include <stdlib.h>

#include "serve/http_parts.h"

/* -- text that came percent-encoded ------------------------------------------------------------------------------- */

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool is_control(unsigned char c, bool form)
{
	return c == 0x7f || (c < 0x20 && !(form && (c == '\r' || c == '\n' || c == '\t')));
}

bool percent_decode(struct slice text, bool form, struct arena *into, const char **out)
{
	char  *plain = arena_get(into, text.len + 1);
	size_t n = 0;

	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];

		if (c == '%') {
			int high = i + 2 < text.len ? hex_digit(text.at[i + 1]) : -1, low = high >= 0 ? hex_digit(text.at[i + 2]) : -1;

			if (low < 0)
				return false;
			c = (char)(high << 4 | low);
			i += 2;
		} else if (c == '+' && form) {
			c = ' ';
		}
		if (is_control((unsigned char)c, form))
			return false;
		plain[n++] = c;
	}
	*out = plain;
	return true;
}

bool pairs_read(struct slice text, struct arena *into, struct pairs *out)
{
	*out = (struct pairs){ .read = true };
	if (text.len)
		out->item = arena_get(into, HTTP_PAIRS * sizeof *out->item);
	while (text.len) {
		struct slice value = slice_cut(&text, '&'), name = slice_cut(&value, '=');
		struct pair *p = out->item + out->count;

		if (name.len == 0 && value.len == 0)
			continue;
		if (out->count == HTTP_PAIRS || !percent_decode(name, true, into, &p->name)
		    || !percent_decode(value, true, into, &p->value))
			return false;
		out->count++;
	}
	return true;
}

static const char *pair_named(const struct pairs *p, const char *name)
{
	for (size_t i = 0; i < p->count; i++)
		if (strcmp(p->item[i].name, name) == 0)
			return p->item[i].value;
	return NULL;
}

const char *http_query(struct exchange *x, const char *name)
{
	return pair_named(&request_of(x)->query, name);
}

/* Read when a handler first asks. What is broken in it, the guard has refused. */
const char *http_form(struct exchange *x, const char *name)
{
	struct request *r = request_of(x);

	if (!r->form.read)
		pairs_read(x->body, x->job, &r->form);
	return pair_named(&r->form, name);
}

const char *http_field(struct exchange *x, const char *name)
{
	return MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, name);
}

const char *http_cookie(struct exchange *x, const char *name)
{
	struct slice rest = slice_str(http_field(x, "Cookie"));

	while (rest.len) {
		struct slice value = slice_trim(slice_cut(&rest, ';')), mine = slice_cut(&value, '=');

		if (slice_equal(mine, slice_str(name)) && value.at)
			return arena_copy(x->job, value);
	}
	return NULL;
}

/* -- the language (RFC 9110 §12.5.4) -------------------------------------------------------------------------------- */

/* "0.8" as 800; 0 for what is no weight. */
static int weight(struct slice q)
{
	int n = 0;

	if (q.len == 0 || (q.at[0] != '0' && q.at[0] != '1') || (q.len > 1 && q.at[1] != '.') || q.len > 5)
		return 0;
	n = (q.at[0] - '0') * 1000;
	for (size_t i = 2, unit = 100; i < q.len; i++, unit /= 10) {
		if (!isdigit((unsigned char)q.at[i]))
			return 0;
		n += (q.at[i] - '0') * (int)unit;
	}
	return n > 1000 ? 1000 : n;
}

const struct language *language_accepted(const char *header)
{
	const struct language *best = NULL;
	struct slice           rest = slice_str(header);
	int                    most = 0;

	while (rest.len) {
		struct slice params = slice_cut(&rest, ','), tag = slice_trim(slice_cut(&params, ';'));
		int          q = 1000;
		char         text[36];

		params = slice_trim(params);
		if (slice_starts(params, "q="))
			q = weight(slice_trim(slice_from(params, 2)));
		if (q <= most || tag.len == 0 || tag.len >= sizeof text)
			continue;
		memcpy(text, tag.at, tag.len);
		text[tag.len] = '\0';
		if (strcmp(text, "*") == 0 || language_find(text)) {
			best = strcmp(text, "*") == 0 ? language_english() : language_find(text);
			most = q;
		}
	}
	return best;
}

static const struct language *language_of(struct exchange *x)
{
	const char            *asked[] = { http_query(x, "lang"), http_cookie(x, "mm_lang") };
	const struct language *found = NULL;

	for (size_t i = 0; i < COUNT(asked) && !found; i++)
		found = asked[i] ? language_find(asked[i]) : NULL;
	if (!found)
		found = language_accepted(http_field(x, "Accept-Language"));
	return found ? found : language_english();
}

/* -- who asks ------------------------------------------------------------------------------------------------------- */

static bool is_proxy(const struct address *a, const struct address_block *proxy, size_t proxies)
{
	for (size_t i = 0; i < proxies; i++)
		if (address_in(a, &proxy[i]))
			return true;
	return false;
}

/* From behind: what stands further in front, the client may have made up. */
struct address client_address(const struct address *peer, const char *forwarded, const struct address_block *proxy, size_t proxies)
{
	struct address client = *peer;
	struct slice   rest = slice_str(forwarded);

	while (rest.len && is_proxy(&client, proxy, proxies)) {
		size_t         comma = rest.len;
		struct slice   last;
		struct address said;
		char           text[ADDRESS_TEXT + 2];

		while (comma && rest.at[comma - 1] != ',')
			comma--;
		last = slice_trim(slice_from(rest, comma));
		rest = slice_upto(rest, comma ? comma - 1 : 0);
		if (last.len >= sizeof text)
			break;
		memcpy(text, last.at, last.len);
		text[last.len] = '\0';
		if (!address_parse(text, &said))
			break;
		client = said;
	}
	return client;
}

struct collected { struct exchange *x; const char *name, *all, *last; };

static enum MHD_Result collect(void *self, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct collected *c = self;

	(void)kind;
	if (strcasecmp(name, c->name) == 0 && value) {
		c->all = c->all ? arena_print(c->x->job, "%s,%s", c->all, value) : value;
		c->last = value;
	}
	return MHD_YES;
}

/* A proxy may add a line of its own below the one that the client made up: only all of them together are what was said (RFC 9110 §5.3). */
static struct collected fields_of(struct exchange *x, const char *name)
{
	struct collected c = { x, name, NULL, NULL };

	MHD_get_connection_values(x->connection, MHD_HEADER_KIND, collect, &c);
	return c;
}

static bool base_is_https(const struct daemon *s)
{
	return s->base_url && strncmp(s->base_url, "https://", 8) == 0;
}

void request_know_client(struct request *r)
{
	struct exchange *x = &r->x;
	const char      *proto = NULL;
	struct address   client = r->visit->peer;
	char             text[ADDRESS_TEXT];

	if (is_proxy(&r->visit->peer, r->server->proxy, r->server->proxies)) {
		client = client_address(&r->visit->peer, fields_of(x, "X-Forwarded-For").all, r->server->proxy, r->server->proxies);
		proto = fields_of(x, "X-Forwarded-Proto").last;
	}
	x->client = arena_str(x->job, client.family ? address_text(&client, text) : "local");
	x->https = proto ? slice_is(slice_str(proto), "https") : base_is_https(x->service);
	x->lang = language_of(x);
}
