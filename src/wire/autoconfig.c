#include "wire/autoconfig.h"

#include <ctype.h>

#include "base/address.h"
#include "base/buffer.h"
#include "wire/xml_document.h"

#define LONGEST_XML    (1 << 20)
#define DEEPEST        32
#define LONGEST_TEXT   1000      /* of one value, and again of what it is when the placeholders are filled in */
#define LONGEST_HOST   253
#define LONGEST_LABEL  63

/* Where the reader stands. Everything that is nobody's child here is passed over, whatever is in it. */
enum place { OUTSIDE, IN_CONFIG, IN_PROVIDER, IN_SERVER };

struct reader {
	struct xml_document      document;         /* first: the callbacks get it                                   */
	struct autoconfig       *out;
	struct arena            *into;
	struct slice             address;
	int                      depth;            /* open elements                                                 */
	enum place               place;            /* also its depth: the elements that count are one in another    */
	bool                     provider_seen;    /* the first one is the domain's; a second would be no such file */
	bool                     server_good;
	bool                     has_port, has_socket;
	struct autoconfig_server server;
	size_t                   authentications;
	struct buffer            text;             /* of the element at text_depth                                  */
	int                      text_depth;       /* 0: nobody listens                                             */
	bool                     text_too_long;
};

static void stop(struct reader *r, const char *why)
{
	xml_document_stop(&r->document, why);
}

static bool is(const xmlChar *name, const char *text)
{
	return strcmp((const char *)name, text) == 0;
}

/* -- values ------------------------------------------------------------------------------------------------------- */

static bool is_printable(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.at[i] < ' ' || s.at[i] == 0x7f)
			return false;
	return true;
}

/* With %EMAILADDRESS% and its kind filled in; NULL when it is empty, too long or has control characters. */
static const char *filled_in(struct reader *r, struct slice s)
{
	size_t       at_sign = r->address.len;
	struct slice local, domain;
	struct buffer whole;
	const char   *result = NULL;
	bool          fits = true;

	while (at_sign > 0 && r->address.at[at_sign - 1] != '@')
		at_sign--;
	local = slice_upto(r->address, at_sign ? at_sign - 1 : r->address.len);
	domain = at_sign ? slice_from(r->address, at_sign) : slice("", 0);

	buffer_init(&whole, LONGEST_TEXT);
	for (size_t len; s.len && fits; s = slice_from(s, len)) {
		const struct { const char *name; struct slice value; } placeholder[] = {
			{ "%EMAILADDRESS%",   r->address },
			{ "%EMAILLOCALPART%", local      },
			{ "%EMAILDOMAIN%",    domain     },
		};
		struct slice piece = slice_upto(s, len = s.at[0] == '%' ? 1 : slice_find(s, '%'));

		for (size_t i = 0; i < COUNT(placeholder); i++)
			if (slice_starts(s, placeholder[i].name)) {
				piece = placeholder[i].value;
				len = strlen(placeholder[i].name);
			}
		fits = buffer_add(&whole, piece);
	}
	if (fits && buffer_held(&whole).len && is_printable(buffer_held(&whole)))
		result = arena_copy(r->into, buffer_held(&whole));
	buffer_release(&whole);
	return result;
}

/* For people: runs of white space, also the line ends of a nicely indented file, are one space. */
static const char *display_text(struct reader *r, struct slice s)
{
	char  *text = arena_get(r->into, s.len + 1);
	size_t len = 0;

	for (size_t i = 0; i < s.len; i++) {
		bool space = (unsigned char)s.at[i] <= ' ' || s.at[i] == 0x7f;

		if (!space)
			text[len++] = s.at[i];
		else if (len && text[len - 1] != ' ')
			text[len++] = ' ';
	}
	return len ? filled_in(r, slice(text, len)) : NULL;
}

static const char *lower_case(struct arena *into, const char *text)
{
	char *copy = arena_str(into, text);

	for (char *p = copy; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p |= 0x20;
	return copy;
}

static bool is_label(struct slice label)
{
	for (size_t i = 0; i < label.len; i++)
		if (!isalnum((unsigned char)label.at[i]) && label.at[i] != '-' && label.at[i] != '_')
			return false;
	return label.len > 0 && label.len <= LONGEST_LABEL && label.at[0] != '-' && label.at[label.len - 1] != '-';
}

static bool is_hostname(const char *host)
{
	struct address address;
	struct slice   rest = slice_str(host);

	if (address_parse(host, &address))
		return true;
	if (rest.len > LONGEST_HOST)
		return false;
	while (rest.at)
		if (!is_label(slice_cut(&rest, '.')))
			return false;
	return true;
}

static bool read_hostname(struct reader *r, struct slice text)
{
	const char *host;

	if (slice_ends(text, "."))
		text.len--;
	host = filled_in(r, text);
	if (!host || !is_hostname(host))
		return false;
	r->server.hostname = lower_case(r->into, host);
	return true;
}

static bool read_port(struct reader *r, struct slice text)
{
	unsigned long long port;

	if (!slice_number(text, 65535, &port) || port == 0)
		return false;
	r->server.port = (uint16_t)port;
	return r->has_port = true;
}

/* "TLS" is not among them: some mean TLS from the first byte by it and some STARTTLS. */
static bool read_socket(struct reader *r, struct slice text)
{
	static const struct { const char *name; enum autoconfig_socket socket; } sockets[] = {
		{ "SSL",      AUTOCONFIG_TLS      },
		{ "STARTTLS", AUTOCONFIG_STARTTLS },
		{ "plain",    AUTOCONFIG_PLAIN    },
	};

	for (size_t i = 0; i < COUNT(sockets); i++)
		if (slice_is(text, sockets[i].name)) {
			r->server.socket = sockets[i].socket;
			return r->has_socket = true;
		}
	return false;
}

static bool read_username(struct reader *r, struct slice text)
{
	if (text.len == 0)
		return true;
	r->server.username = filled_in(r, text);
	return r->server.username != NULL;
}

/* Unknown ones are kept: which of them we can is not decided here. The last place stays NULL. */
static bool read_authentication(struct reader *r, struct slice text)
{
	if (text.len && is_printable(text) && r->authentications + 1 < COUNT(r->server.authentication))
		r->server.authentication[r->authentications++] = arena_copy(r->into, text);
	return true;
}

/* What a server's element says. Where it says something twice, the first counts. */
static void read_server_value(struct reader *r, const char *name, struct slice text)
{
	bool good = true;

	if (!r->server_good)
		return;
	if (strcmp(name, "hostname") == 0)
		good = r->server.hostname || read_hostname(r, text);
	else if (strcmp(name, "port") == 0)
		good = r->has_port || read_port(r, text);
	else if (strcmp(name, "socketType") == 0)
		good = r->has_socket || read_socket(r, text);
	else if (strcmp(name, "username") == 0)
		good = r->server.username || read_username(r, text);
	else if (strcmp(name, "authentication") == 0)
		good = read_authentication(r, text);
	r->server_good = good;
}

/* -- elements ----------------------------------------------------------------------------------------------------- */

/* The attribute's value; at == NULL when it is not there. libxml2 gives five pointers for each: name, prefix,
 * namespace, start and end of the value. */
static struct slice attribute(const xmlChar **attributes, int count, const char *name)
{
	for (int i = 0; i < count; i++) {
		const xmlChar **a = attributes + i * 5;

		if (is(a[0], name))
			return slice_trim(slice((const char *)a[3], (size_t)(a[4] - a[3])));
	}
	return slice(NULL, 0);
}

static bool is_type(struct slice type)
{
	for (size_t i = 0; i < type.len; i++)
		if (!isalnum((unsigned char)type.at[i]) && type.at[i] != '-')
			return false;
	return type.len > 0 && type.len <= 32;
}

static void server_begin(struct reader *r, bool incoming, struct slice type)
{
	r->server = (struct autoconfig_server){ .incoming = incoming };
	r->server_good = is_type(type) && r->out->count < AUTOCONFIG_SERVERS;
	r->has_port = r->has_socket = false;
	r->authentications = 0;
	if (r->server_good)
		r->server.type = lower_case(r->into, arena_copy(r->into, type));
}

static void server_end(struct reader *r)
{
	if (r->server_good && r->server.hostname && r->has_port && r->has_socket)
		r->out->server[r->out->count++] = r->server;
}

static bool is_https_link(struct slice url)
{
	for (size_t i = 0; i < url.len; i++)
		if (url.at[i] <= ' ' || url.at[i] == 0x7f || strchr("\"'<>\\", url.at[i]))
			return false;
	return slice_starts(url, "https://") && url.len > strlen("https://") && url.len <= LONGEST_TEXT;
}

static void provider_begin(struct reader *r, struct slice id)
{
	r->provider_seen = true;
	if (id.len && id.len <= LONGEST_HOST && is_printable(id))
		r->out->provider_id = arena_copy(r->into, id);
}

static void listen_to_text(struct reader *r)
{
	r->text_depth = r->depth;
	r->text_too_long = false;
	buffer_clear(&r->text);
}

static void on_start(void *self, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri, int namespaces,
                     const xmlChar **namespace, int attributes, int defaulted, const xmlChar **attribute_at)
{
	struct reader *r = self;
	bool           incoming;

	(void)prefix, (void)uri, (void)namespaces, (void)namespace, (void)defaulted;
	if (r->document.stop)
		return;
	if (++r->depth > DEEPEST) {
		stop(r, "elements nested too deep");
		return;
	}
	if (r->depth == 1 && !is(name, "clientConfig")) {
		stop(r, "another kind of document");
		return;
	}
	if (r->depth != (int)r->place + 1)         /* inside of something that does not concern us */
		return;
	switch (r->place) {
	case OUTSIDE:
		r->place = IN_CONFIG;
		break;
	case IN_CONFIG:
		if (is(name, "emailProvider") && !r->provider_seen) {
			r->place = IN_PROVIDER;
			provider_begin(r, attribute(attribute_at, attributes, "id"));
		}
		break;
	case IN_PROVIDER:
		incoming = is(name, "incomingServer");
		if (incoming || is(name, "outgoingServer")) {
			r->place = IN_SERVER;
			server_begin(r, incoming, attribute(attribute_at, attributes, "type"));
		} else if (is(name, "displayName")) {
			listen_to_text(r);
		} else if (is(name, "documentation") && !r->out->documentation) {
			struct slice url = attribute(attribute_at, attributes, "url");

			if (is_https_link(url))
				r->out->documentation = arena_copy(r->into, url);
		}
		break;
	case IN_SERVER:
		listen_to_text(r);
		break;
	}
}

static void text_end(struct reader *r, const char *name)
{
	struct slice text = slice_trim(buffer_held(&r->text));

	r->text_depth = 0;
	if (r->place == IN_SERVER) {
		if (r->text_too_long)
			r->server_good = false;
		else
			read_server_value(r, name, text);
	} else if (!r->out->display_name && !r->text_too_long) {
		r->out->display_name = display_text(r, text);
	}
}

static void on_end(void *self, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
	struct reader *r = self;

	(void)prefix, (void)uri;
	if (r->document.stop)
		return;
	if (r->text_depth == r->depth)
		text_end(r, (const char *)name);
	if (r->depth == (int)r->place) {
		if (r->place == IN_SERVER)
			server_end(r);
		r->place--;
	}
	r->depth--;
}

static void on_text(void *self, const xmlChar *text, int len)
{
	struct reader *r = self;

	if (r->text_depth && r->text_depth == r->depth && !buffer_add(&r->text, slice((const char *)text, (size_t)len)))
		r->text_too_long = true;
}

/* -- the document ------------------------------------------------------------------------------------------------- */

bool autoconfig_read(struct slice xml, const char *address, struct arena *into, struct autoconfig *out,
                     struct error *err)
{
	struct autoconfig found = { .count = 0 };
	struct reader     r = { .out = &found, .into = into, .address = slice_str(address) };
	bool              good;

	if (xml.len > LONGEST_XML)
		return fail(err, FAULT_TOO_BIG, "the autoconfig document has %zu bytes, over %d", xml.len, LONGEST_XML);
	buffer_init(&r.text, LONGEST_TEXT);
	good = xml_document_read(&r.document, xml, on_start, on_end, on_text);
	buffer_release(&r.text);
	if (!good)
		return fail(err, FAULT_BROKEN, "no autoconfig document: %s", r.document.stop);
	if (!r.provider_seen)
		return fail(err, FAULT_BROKEN, "no autoconfig document: it names no email provider");
	*out = found;
	return true;
}
