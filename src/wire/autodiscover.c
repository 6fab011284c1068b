#include "wire/autodiscover.h"

#include <libxml/xmlwriter.h>

#include "base/address.h"
#include "base/json.h"
#include "wire/http.h"
#include "wire/xml_document.h"

#define REQUEST_SPACE  "http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006"
#define RESPONSE_SPACE "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a"

#define DEEPEST      32
#define LONGEST_TEXT 2048        /* of one value: a URL, or the server's words; what is longer is taken for nothing */
#define LONGEST_JSON ((size_t)64 * 1024)

/* -- the question ------------------------------------------------------------------------------------------------- */

static bool write_request(xmlTextWriterPtr w, const char *address)
{
	return xmlTextWriterStartDocument(w, NULL, "utf-8", NULL) >= 0
	    && xmlTextWriterStartElementNS(w, NULL, BAD_CAST "Autodiscover", BAD_CAST REQUEST_SPACE) >= 0
	    && xmlTextWriterStartElement(w, BAD_CAST "Request") >= 0
	    && xmlTextWriterWriteElement(w, BAD_CAST "EMailAddress", BAD_CAST address) >= 0
	    && xmlTextWriterWriteElement(w, BAD_CAST "AcceptableResponseSchema", BAD_CAST RESPONSE_SPACE) >= 0
	    && xmlTextWriterEndDocument(w) >= 0;
}

bool autodiscover_request(struct buffer *out, const char *address)
{
	xmlBufferPtr     text = xmlBufferCreate();
	xmlTextWriterPtr writer = text ? xmlNewTextWriterMemory(text, 0) : NULL;
	bool             good = writer && write_request(writer, address);

	xmlFreeTextWriter(writer);      /* flushes */
	good = good && buffer_add(out, slice((const char *)xmlBufferContent(text), (size_t)xmlBufferLength(text)));
	xmlBufferFree(text);
	return good;
}

/* -- where the reader stands -------------------------------------------------------------------------------------- */

/* Everything that is nobody's child here is passed over, whatever is in it. Names of namespaces are not compared: there are three of
 * them, and servers that are not Microsoft's mix them up. */
enum place { OUTSIDE, IN_AUTODISCOVER, IN_RESPONSE, IN_USER, IN_ACCOUNT, IN_ERROR, IN_PROTOCOL };

static const struct { const char *name; enum place parent, place; } elements[] = {
	{ "Autodiscover", OUTSIDE,         IN_AUTODISCOVER },
	{ "Response",     IN_AUTODISCOVER, IN_RESPONSE     },
	{ "User",         IN_RESPONSE,     IN_USER         },
	{ "Account",      IN_RESPONSE,     IN_ACCOUNT      },
	{ "Error",        IN_RESPONSE,     IN_ERROR        },
	{ "Protocol",     IN_ACCOUNT,      IN_PROTOCOL     },
};

static const struct { enum place parent; int depth; } places[] = {
	[OUTSIDE]     = { OUTSIDE,         0 },
	[IN_AUTODISCOVER] = { OUTSIDE,     1 },
	[IN_RESPONSE] = { IN_AUTODISCOVER, 2 },
	[IN_USER]     = { IN_RESPONSE,     3 },
	[IN_ACCOUNT]  = { IN_RESPONSE,     3 },
	[IN_ERROR]    = { IN_RESPONSE,     3 },
	[IN_PROTOCOL] = { IN_ACCOUNT,      4 },
};

struct reader {
	struct xml_document          document;         /* first: the callbacks get it                       */
	struct autodiscover_answer  *out;
	struct arena                *into;
	int                          depth;            /* open elements                                     */
	enum place                   place;
	bool                         responded;        /* there was an account or an error                  */
	bool                         has_action, acts_otherwise;
	struct autodiscover_protocol protocol;
	const char                  *url, *address;    /* RedirectUrl, RedirectAddr                         */
	struct buffer                text;             /* of the element at text_depth                      */
	int                          text_depth;       /* 0: nobody listens                                 */
	bool                         text_too_long;
};

static void stop(struct reader *r, const char *why)
{
	xml_document_stop(&r->document, why);
}

/* -- values ------------------------------------------------------------------------------------------------------- */

/* Runs of white space are one blank, control characters too: these texts are shown to people. */
static const char *one_line(struct reader *r, struct slice s)
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
	while (len && text[len - 1] == ' ')
		text[--len] = '\0';
	return len ? text : NULL;
}

/* A URL or a name has no blank in it. */
static const char *one_word(struct reader *r, struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.at[i] <= ' ' || s.at[i] == 0x7f)
			return NULL;
	return s.len ? arena_copy(r->into, s) : NULL;
}

static const char *upper_word(struct reader *r, struct slice s)
{
	char *copy = one_word(r, s) ? arena_copy(r->into, s) : NULL;

	for (char *c = copy; c && *c; c++)
		if (*c >= 'a' && *c <= 'z')
			*c &= ~0x20;
	return copy;
}

static void read_action(struct reader *r, struct slice text)
{
	static const struct { const char *name; enum autodiscover_action action; } actions[] = {
		{ "settings",     AUTODISCOVER_SETTINGS         },
		{ "redirectAddr", AUTODISCOVER_REDIRECT_ADDRESS },
		{ "redirectUrl",  AUTODISCOVER_REDIRECT_URL     },
	};

	if (r->has_action)
		return;
	r->has_action = r->acts_otherwise = true;
	for (size_t i = 0; i < COUNT(actions); i++)
		if (slice_is(text, actions[i].name)) {
			r->out->action = actions[i].action;
			r->acts_otherwise = false;
		}
}

/* Each value once: where an element comes twice, the first counts. */
static void read_value(struct reader *r, const char *name, struct slice text)
{
	const struct {
		enum place   place;
		const char  *name;
		const char **value;
		const char *(*read)(struct reader *, struct slice);
	} values[] = {
		{ IN_USER,     "DisplayName",             &r->out->display_name,        one_line   },
		{ IN_USER,     "AutoDiscoverSMTPAddress", &r->out->smtp_address,        one_word   },
		{ IN_ACCOUNT,  "RedirectAddr",            &r->address,                  one_word   },
		{ IN_ACCOUNT,  "RedirectUrl",             &r->url,                      one_word   },
		{ IN_ERROR,    "ErrorCode",               &r->out->error_code,          one_word   },
		{ IN_ERROR,    "Message",                 &r->out->message,             one_line   },
		{ IN_PROTOCOL, "Type",                    &r->protocol.type,            upper_word },
		{ IN_PROTOCOL, "Server",                  &r->protocol.server,          one_word   },
		{ IN_PROTOCOL, "ServerVersion",           &r->protocol.server_version,  one_word   },
		{ IN_PROTOCOL, "EwsUrl",                  &r->protocol.ews_url,         one_word   },
		{ IN_PROTOCOL, "ASUrl",                   &r->protocol.as_url,          one_word   },
		{ IN_PROTOCOL, "AuthPackage",             &r->protocol.auth_package,    one_word   },
	};

	if (r->place == IN_ACCOUNT && strcmp(name, "Action") == 0)
		read_action(r, text);
	if (r->place == IN_ACCOUNT && strcmp(name, "MicrosoftOnline") == 0)
		r->out->online = slice_is(text, "true");
	for (size_t i = 0; i < COUNT(values); i++)
		if (r->place == values[i].place && !*values[i].value && strcmp(name, values[i].name) == 0)
			*values[i].value = values[i].read(r, text);
}

/* -- elements ----------------------------------------------------------------------------------------------------- */

static void protocol_end(struct reader *r)
{
	if (r->protocol.type && r->out->count < AUTODISCOVER_PROTOCOLS)
		r->out->protocol[r->out->count++] = r->protocol;
}

static void enter(struct reader *r, enum place place)
{
	r->place = place;
	r->protocol = (struct autodiscover_protocol){ 0 };
	r->responded = r->responded || place == IN_ACCOUNT || place == IN_ERROR;
	if (place == IN_ERROR)
		r->out->action = AUTODISCOVER_ERROR;
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

	(void)prefix, (void)uri, (void)namespaces, (void)namespace, (void)attributes, (void)defaulted, (void)attribute_at;
	if (r->document.stop)
		return;
	if (++r->depth > DEEPEST)
		return stop(r, "elements nested too deep");
	if (r->depth == 1 && strcmp((const char *)name, "Autodiscover") != 0)
		return stop(r, "another kind of document");
	if (r->depth != places[r->place].depth + 1)      /* inside of something that does not concern us */
		return;
	for (size_t i = 0; i < COUNT(elements); i++)
		if (elements[i].parent == r->place && strcmp((const char *)name, elements[i].name) == 0)
			return enter(r, elements[i].place);
	listen_to_text(r);
}

static void on_end(void *self, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
	struct reader *r = self;

	(void)prefix, (void)uri;
	if (r->document.stop)
		return;
	if (r->text_depth == r->depth) {
		r->text_depth = 0;
		if (!r->text_too_long)
			read_value(r, (const char *)name, slice_trim(buffer_held(&r->text)));
	}
	if (r->depth == places[r->place].depth) {
		if (r->place == IN_PROTOCOL)
			protocol_end(r);
		r->place = places[r->place].parent;
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

/* What the elements come to together; NULL when that is an answer. */
static const char *conclude(struct reader *r)
{
	struct autodiscover_answer *a = r->out;

	if (!r->responded)
		return "it has neither an account nor an error in it";
	if (a->action == AUTODISCOVER_ERROR)
		return NULL;
	if (r->acts_otherwise)
		return "an action that is not known";
	if (a->action != AUTODISCOVER_SETTINGS)
		a->redirect = a->action == AUTODISCOVER_REDIRECT_URL ? r->url : r->address;
	return a->action != AUTODISCOVER_SETTINGS && !a->redirect ? "a redirect to nowhere" : NULL;
}

bool autodiscover_read(struct slice xml, struct arena *into, struct autodiscover_answer *out, struct error *err)
{
	struct autodiscover_answer found = { .action = AUTODISCOVER_SETTINGS };
	struct reader              r = { .out = &found, .into = into };
	const char                *problem;
	bool                       good;

	if (xml.len > AUTODISCOVER_MOST)
		return fail(err, FAULT_TOO_BIG, "the Autodiscover document has %zu bytes, over %zu", xml.len, AUTODISCOVER_MOST);
	buffer_init(&r.text, LONGEST_TEXT);
	good = xml_document_read(&r.document, xml, on_start, on_end, on_text);
	buffer_release(&r.text);
	problem = good ? conclude(&r) : r.document.stop;
	if (problem)
		return fail(err, FAULT_BROKEN, "no Autodiscover document: %s", problem);
	*out = found;
	return true;
}

/* -- which URL ---------------------------------------------------------------------------------------------------- */

/* EXHTTP and EXPR are for those outside, EXCH is for those inside; WEB is webmail, whose protocols may name it too. */
const char *autodiscover_ews_url(const struct autodiscover_answer *a)
{
	static const char *const best_first[] = { "EXHTTP", "EXPR", "EXCH", "WEB" };

	for (size_t t = 0; t < COUNT(best_first); t++)
		for (size_t i = 0; i < a->count; i++) {
			const struct autodiscover_protocol *p = &a->protocol[i];

			if (strcmp(p->type, best_first[t]) == 0 && (p->ews_url || p->as_url))
				return p->ews_url ? p->ews_url : p->as_url;
		}
	return NULL;
}

/* -- v2 ----------------------------------------------------------------------------------------------------------- */

const char *autodiscover_v2_url(const char *host, const char *address, struct arena *into)
{
	struct address literal;
	bool           ipv6 = host[0] != '[' && address_parse(host, &literal) && literal.family == 6;

	return arena_print(into, "https://%s%s%s/autodiscover/autodiscover.json?Email=%s&Protocol=EWS&RedirectCount=1", ipv6 ? "[" : "", host,
	                   ipv6 ? "]" : "", http_url_encode(address, into));
}

/* Text of a member of either case: servers that are not Microsoft's write "url". NULL when it is empty or too long. */
static const char *member(const cJSON *object, const char *name, bool word, struct arena *into)
{
	const char   *text = cJSON_GetStringValue(cJSON_GetObjectItem(object, name));
	struct reader r = { .into = into };

	if (!text || strlen(text) > LONGEST_TEXT)
		return NULL;
	return word ? one_word(&r, slice_trim(slice_str(text))) : one_line(&r, slice_str(text));
}

bool autodiscover_v2_read(struct slice json, struct arena *into, struct autodiscover_v2 *out, struct error *err)
{
	cJSON *object = json_read(json, LONGEST_JSON, err);

	if (!object)
		return false;
	*out = (struct autodiscover_v2){
		.url = member(object, "Url", true, into),
		.error_code = member(object, "ErrorCode", true, into),
		.error_message = member(object, "ErrorMessage", false, into),
	};
	cJSON_Delete(object);
	if (!out->url && !out->error_code)
		return fail(err, FAULT_BROKEN, "no Autodiscover answer: it has neither a URL nor an error in it");
	return true;
}
