#include "sandbox/ews.h"

#include <stdlib.h>
#include <strings.h>

#include "sandbox/pages.h"

#define NS_SOAP     "http://schemas.xmlsoap.org/soap/envelope/"
#define NS_TYPES    "http://schemas.microsoft.com/exchange/services/2006/types"
#define NS_MESSAGES "http://schemas.microsoft.com/exchange/services/2006/messages"
#define NS_ERRORS   "http://schemas.microsoft.com/exchange/services/2006/errors"

/* -- operations --------------------------------------------------------------------------------------------------- */

/* `empty`: what a response message that says no holds besides. `least`: the version that has it. */
static const struct operation {
	const char    *name;
	ews_operation *run;
	const char    *empty, *least;
} operations[] = {
	{ "GetFolder",           answer_get_folder,     "<m:Folders/>", "Exchange2007" },
	{ "FindFolder",          answer_find_folder,    "",             "Exchange2007" },
	{ "CreateFolder",        answer_create_folder,  "<m:Folders/>", "Exchange2007" },
	{ "UpdateFolder",        answer_update_folder,  "<m:Folders/>", "Exchange2007" },
	{ "MoveFolder",          answer_move_folder,    "<m:Folders/>", "Exchange2007" },
	{ "DeleteFolder",        answer_delete_folder,  "",             "Exchange2007" },
	{ "SyncFolderHierarchy", answer_sync_hierarchy, "",             "Exchange2007" },
	{ "FindItem",            answer_find_item,      "",             "Exchange2007" },
	{ "GetItem",             answer_get_item,       "<m:Items/>",   "Exchange2007" },
	{ "SyncFolderItems",     answer_sync_items,     "",             "Exchange2007" },
	{ "CreateItem",          answer_create_item,    "<m:Items/>",   "Exchange2007" },
	{ "UpdateItem",          answer_update_item,    "<m:Items/>",   "Exchange2007" },
	{ "DeleteItem",          answer_delete_item,    "",             "Exchange2007" },
	{ "SendItem",            answer_send_item,      "",             "Exchange2007" },
	{ "MoveItem",            answer_move_item,      "<m:Items/>",   "Exchange2007" },
	{ "CopyItem",            answer_copy_item,      "<m:Items/>",   "Exchange2007" },
	{ "ResolveNames",        answer_resolve_names,  "",             "Exchange2007" },
	{ "ConvertId",           answer_convert_id,     "",             "Exchange2007_SP1" },
	{ "GetServerTimeZones",  answer_time_zones,     "",             "Exchange2010" },
	{ "GetUserAvailabilityRequest", answer_availability, "",        "Exchange2007" },
	{ "Subscribe",           answer_subscribe,      "",             "Exchange2007" },
	{ "Unsubscribe",         answer_unsubscribe,    "",             "Exchange2007" },
	{ "GetEvents",           answer_get_events,     "",             "Exchange2007" },
	{ "GetStreamingEvents",  answer_stream_events,  "",             "Exchange2010_SP1" },
};

static const struct operation *operation_named(const char *name)
{
	for (size_t i = 0; i < COUNT(operations); i++)
		if (strcmp(operations[i].name, name) == 0)
			return &operations[i];
	return NULL;
}

/* Elements that came with a later version: an older server's schema refuses them. */
static const struct { const char *element, *least; } newer[] = {
	{ "SyncScope", "Exchange2010" }, { "IndexedPageFolderView", "Exchange2010" }, { "StartTimeZone", "Exchange2010" }, { "EndTimeZone", "Exchange2010" },
	{ "StreamingSubscriptionRequest", "Exchange2010_SP1" }, { "GetServerTimeZones", "Exchange2010" }, { "ConversationId", "Exchange2010" },
};

/* -- response messages -------------------------------------------------------------------------------------------- */

void add(struct call *c, const char *fmt, ...)
{
	va_list args, again;
	int     len;
	char   *text;

	va_start(args, fmt);
	va_copy(again, args);
	len = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	text = must_alloc((size_t)len + 1);
	vsnprintf(text, (size_t)len + 1, fmt, again);
	va_end(again);
	buffer_add(&c->out, slice(text, (size_t)len));
	free(text);
}

void add_text(struct call *c, const char *name, const char *text)
{
	add(c, "<t:%s>%s</t:%s>", name, escaped(c->work, text), name);
}

void message_begin(struct call *c)
{
	add(c, "<m:%sResponseMessage ResponseClass=\"Success\"><m:ResponseCode>NoError</m:ResponseCode>", c->operation);
}

void message_end(struct call *c)
{
	add(c, "</m:%sResponseMessage>", c->operation);
}

static void message_no(struct call *c, const char *code, const char *text, const char *value)
{
	const struct operation *o = operation_named(c->operation);

	add(c, "<m:%sResponseMessage ResponseClass=\"Error\"><m:MessageText>%s</m:MessageText><m:ResponseCode>%s</m:ResponseCode>"
	    "<m:DescriptiveLinkKey>0</m:DescriptiveLinkKey>", c->operation, escaped(c->work, text ? text : code_text(code)), escaped(c->work, code));
	if (value)
		add(c, "<m:MessageXml>%s</m:MessageXml>", value);
	add(c, "%s</m:%sResponseMessage>", o ? o->empty : "", c->operation);
}

void message_error(struct call *c, const char *code, const char *text)
{
	message_no(c, code, text, NULL);
}

void place_error(struct call *c, const struct place *p)
{
	message_no(c, p->code, NULL, p->value);
}

/* -- what requests point to --------------------------------------------------------------------------------------- */

struct mailbox *own_mailbox(struct call *c)
{
	return c->account->mailbox;
}

static struct mailbox *mailbox_numbered(struct sandbox *s, unsigned number)
{
	for (size_t i = 0; i < s->account_count; i++)
		if (s->accounts[i].mailbox && s->accounts[i].mailbox->number == number)
			return s->accounts[i].mailbox;
	return NULL;
}

static bool may_open(const struct call *c, const struct mailbox *m)
{
	for (size_t i = 0; i < c->sandbox->account_count; i++) {
		const struct account *a = &c->sandbox->accounts[i];

		if (a->mailbox == m)
			return a == c->account || (a->delegate && a->delegate == c->account);
	}
	return false;
}

static struct place nowhere(const char *code)
{
	return (struct place){ .code = code };
}

static struct place known_place(struct call *c, const char *known, const char *mail)
{
	struct account *owner = *mail ? account_by_mail(c->sandbox, mail) : c->account;
	struct folder  *f;

	if (!owner || (*mail && !owner->mailbox))
		return nowhere("ErrorNonExistentMailbox");
	if (!owner->mailbox)
		return nowhere("ErrorMissingEmailAddress");
	if (!may_open(c, owner->mailbox))
		return nowhere(strcmp(known, "root") == 0 ? "ErrorAccessDenied" : "ErrorFolderNotFound");
	if (*mail && strcasecmp(mail, owner->mail) != 0) {
		struct place p = nowhere("ErrorNonPrimarySmtpAddress");

		p.value = arena_print(c->work, "<t:Value Name=\"Primary\">%s</t:Value>", escaped(c->work, owner->mail));
		return p;
	}
	if (strcmp(known, "calendar") == 0 && orders_has(&c->sandbox->orders, ORDER_CALENDAR_DENIED))
		return nowhere("ErrorAccessDenied");
	f = mailbox_known(owner->mailbox, known);
	return f ? (struct place){ .mailbox = owner->mailbox, .folder = f } : nowhere("ErrorFolderNotFound");
}

struct place place_of(struct call *c, const xmlNode *id)
{
	struct entry_id e;
	struct place    p = { 0 };

	if (!id)
		return known_place(c, "msgfolderroot", "");
	if (xml_is(id, "DistinguishedFolderId"))
		return known_place(c, xml_attribute(c->work, id, "Id") ? xml_attribute(c->work, id, "Id") : "",
		                   xml_text(c->work, xml_at(id, "Mailbox/EmailAddress")));
	if (!entry_id_read(c->work, xml_attribute(c->work, id, "Id"), &e) || e.kind != 'f')
		return nowhere("ErrorInvalidIdMalformed");
	p.mailbox = mailbox_numbered(c->sandbox, e.mailbox);
	p.folder = p.mailbox && may_open(c, p.mailbox) ? mailbox_folder(p.mailbox, e.number) : NULL;
	return p.folder ? p : nowhere("ErrorFolderNotFound");
}

struct item *item_at(struct call *c, const xmlNode *id, struct mailbox **mailbox, unsigned *instance, const char **code)
{
	struct entry_id e;
	struct item    *item;

	*code = "ErrorInvalidIdMalformed";
	if (!entry_id_read(c->work, xml_attribute(c->work, id, xml_is(id, "RecurringMasterItemId") ? "OccurrenceId" : "Id"), &e) || e.kind != 'i')
		return NULL;
	*code = "ErrorItemNotFound";
	*mailbox = mailbox_numbered(c->sandbox, e.mailbox);
	*instance = xml_is(id, "RecurringMasterItemId") ? 0 : e.instance;
	item = *mailbox && may_open(c, *mailbox) ? mailbox_item(*mailbox, e.number) : NULL;
	return item;
}

void add_item_id(struct call *c, const struct mailbox *m, const struct item *item, unsigned instance)
{
	uint64_t last = item->changed > item->flagged ? item->changed : item->flagged;

	add(c, "<t:ItemId Id=\"%s\" ChangeKey=\"%s\"/>", entry_id(c->work, (struct entry_id){ m->number, item->number, instance, 'i' }),
	    entry_id(c->work, (struct entry_id){ m->number, (unsigned)last, 0, 'c' }));
}

void add_folder_id(struct call *c, const char *name, const struct mailbox *m, const struct folder *f)
{
	add(c, "<t:%s Id=\"%s\" ChangeKey=\"%s\"/>", name, entry_id(c->work, (struct entry_id){ m->number, f->number, 0, 'f' }),
	    entry_id(c->work, (struct entry_id){ m->number, (unsigned)f->changed, 0, 'c' }));
}

/* -- whole answers ------------------------------------------------------------------------------------------------ */

static void write_fault(struct call *c, const char *code, const char *text, const char *values)
{
	const char *says = escaped(c->work, text ? text : code_text(code)), *name = escaped(c->work, code);

	c->reply->status = 500;
	c->reply->type = "text/xml; charset=utf-8";
	usual_headers(c->sandbox, c->request, c->reply);
	buffer_print(&c->reply->body,
	             "<?xml version=\"1.0\" encoding=\"utf-8\"?><s:Envelope xmlns:s=\"" NS_SOAP "\"><s:Body><s:Fault><faultcode xmlns:a=\"" NS_TYPES "\">a:%s</faultcode>"
	             "<faultstring xml:lang=\"en-US\">%s</faultstring><detail><e:ResponseCode xmlns:e=\"" NS_ERRORS "\">%s</e:ResponseCode>"
	             "<e:Message xmlns:e=\"" NS_ERRORS "\">%s</e:Message>", name, says, name, says);
	if (values)
		buffer_print(&c->reply->body, "<t:MessageXml xmlns:t=\"" NS_TYPES "\">%s</t:MessageXml>", values);
	buffer_add_str(&c->reply->body, "</detail></s:Fault></s:Body></s:Envelope>");
}

static void write_head(struct call *c, struct buffer *out)
{
	const struct persona *p = c->sandbox->mailbox_persona;

	buffer_print(out,
	             "<?xml version=\"1.0\" encoding=\"utf-8\"?><s:Envelope xmlns:s=\"" NS_SOAP "\"><s:Header><h:ServerVersionInfo MajorVersion=\"%d\" MinorVersion=\"%d\" "
	             "MajorBuildNumber=\"%d\" MinorBuildNumber=\"%d\" Version=\"%s\" xmlns:h=\"" NS_TYPES "\" xmlns=\"" NS_TYPES "\"/></s:Header><s:Body>",
	             p->version[0], p->version[1], p->version[2], p->version[3], p->label);
}

static void write_answer(struct call *c)
{
	struct buffer *b = &c->reply->body;
	bool           bare = strcmp(c->operation, "GetUserAvailabilityRequest") == 0;
	const char    *name = bare ? "GetUserAvailability" : c->operation;

	c->reply->type = "text/xml; charset=utf-8";
	usual_headers(c->sandbox, c->request, c->reply);
	write_head(c, b);
	buffer_print(b, "<m:%sResponse xmlns:m=\"" NS_MESSAGES "\" xmlns:t=\"" NS_TYPES "\">%s", name, bare ? "" : "<m:ResponseMessages>");
	buffer_add(b, buffer_held(&c->out));
	buffer_print(b, "%s</m:%sResponse></s:Body></s:Envelope>", bare ? "" : "</m:ResponseMessages>", name);
}

/* -- what may be asked -------------------------------------------------------------------------------------------- */

static bool fault(struct call *c, const char *code)
{
	c->fault = code;
	return false;
}

/* The element of a version that this server has not heard of. */
static bool schema_allows(struct call *c)
{
	for (size_t i = 0; i < COUNT(newer); i++) {
		if (persona_accepts(c->sandbox->persona, newer[i].least))
			continue;
		if (xml_is(c->body, newer[i].element) || xml_below(c->body, newer[i].element)) {
			c->fault_text = arena_print(c->work, "The request failed schema validation: The element '%s' has invalid child element '%s'.", c->operation,
			                            newer[i].element);
			return fault(c, "ErrorSchemaValidation");
		}
	}
	return true;
}

static bool version_allows(struct call *c, const struct soap *soap)
{
	const char *version = xml_attribute(c->work, xml_child(soap->header, "RequestServerVersion"), "Version");
	const struct operation *o = operation_named(c->operation);

	if (!version)
		version = "Exchange2007";
	c->request->version = version;
	c->rank = request_version_rank(version);
	if (!persona_accepts(c->sandbox->persona, version)) {
		if (orders_has(&c->sandbox->orders, ORDER_OLD_SCHEMA))
			c->fault_text = arena_print(c->work, "The request failed schema validation: The 'Version' attribute is invalid - The value '%s' is invalid.", version);
		return fault(c, c->fault_text ? "ErrorSchemaValidation" : "ErrorInvalidServerVersion");
	}
	if (!o)
		return fault(c, "ErrorInvalidRequest");
	if (!schema_allows(c))
		return false;
	return c->rank >= request_version_rank(o->least) || fault(c, "ErrorIncorrectSchemaVersion");
}

/* Whom the caller wants to be. */
static bool impersonate(struct call *c, const struct soap *soap)
{
	const xmlNode  *header = xml_child(soap->header, "ExchangeImpersonation");
	struct account *other;

	if (!header)
		return true;
	other = account_by_mail(c->sandbox, xml_text(c->work, header));
	if (!c->caller->may_impersonate && other != c->caller)
		return fault(c, "ErrorImpersonateUserDenied");
	if (!other)
		return fault(c, "ErrorNonExistentMailbox");
	c->account = other;
	return true;
}

/* -- what was ordered --------------------------------------------------------------------------------------------- */

#define MIB (1u << 20)

static void write_huge_fault(struct call *c, const char *value)
{
	char  *block = must_alloc(MIB);
	size_t count = value ? strtoul(value, NULL, 10) : 200;

	memset(block, 'x', MIB);
	write_fault(c, "ErrorInternalServerError", "HUGE", NULL);
	{
		struct slice  all = buffer_held(&c->reply->body);
		size_t        at = slice_search(all, "HUGE");
		struct buffer big;

		buffer_init(&big, (count + 1) * MIB);
		buffer_add(&big, slice_upto(all, at));
		for (size_t i = 0; i < count; i++)
			buffer_add(&big, slice(block, MIB));
		buffer_add(&big, slice_from(all, at));
		buffer_release(&c->reply->body);
		c->reply->body = big;
	}
	free(block);
}

#define BACK_OFF "<t:Value Name=\"BackOffMilliseconds\">%lu</t:Value>"

/* True: the answer is written. */
static bool ordered_fault(struct call *c)
{
	struct orders  *all = &c->sandbox->orders;
	struct ordered *o = orders_take(all, ORDER_FAULT);

	if (o) {
		write_fault(c, o->value, NULL, NULL);
		return true;
	}
	o = orders_take(all, ORDER_BACK_OFF);
	if (o) {
		write_fault(c, "ErrorServerBusy", NULL, arena_print(c->work, BACK_OFF, o->value ? strtoul(o->value, NULL, 10) : 3000));
		return true;
	}
	o = orders_take(all, ORDER_HUGE_FAULT);
	if (o) {
		write_huge_fault(c, o->value);
		return true;
	}
	o = orders_take_code(all, c->operation);
	if (o) {
		message_error(c, o->value, o->text);
		write_answer(c);
		return true;
	}
	return false;
}

/* -- answers on their way ----------------------------------------------------------------------------------------- */

static void replace_body(struct reply *reply, struct slice with)
{
	struct buffer b;

	buffer_init(&b, 512u << 20);
	buffer_add(&b, with);
	buffer_release(&reply->body);
	reply->body = b;
}

static uint32_t crc_of(struct slice bytes)
{
	uint32_t crc = ~0u;

	for (size_t i = 0; i < bytes.len; i++) {
		crc ^= (unsigned char)bytes.at[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return ~crc;
}

static void put_little(struct buffer *b, uint32_t n, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		buffer_add(b, slice(&(char){ (char)(n >> 8 * i) }, 1));
}

/* As gzip has it (RFC 1952), in blocks that are stored as they are (RFC 1951): packed enough for who did not expect it. */
static void pack(struct call *c)
{
	enum { BLOCK = 60000 };
	struct slice  all = buffer_held(&c->reply->body), rest = all;
	struct buffer b;

	buffer_init(&b, 512u << 20);
	buffer_add(&b, slice("\x1f\x8b\x08\0\0\0\0\0\0\x03", 10));
	do {
		struct slice block = slice_upto(rest, BLOCK);

		rest = slice_from(rest, block.len);
		put_little(&b, rest.len == 0, 1);
		put_little(&b, (uint32_t)block.len, 2);
		put_little(&b, ~(uint32_t)block.len, 2);
		buffer_add(&b, block);
	} while (rest.len);
	put_little(&b, crc_of(all), 4);
	put_little(&b, (uint32_t)all.len, 4);
	buffer_release(&c->reply->body);
	c->reply->body = b;
	reply_header(c->reply, c->request, "Content-Encoding", "gzip");
}

/* `with` for each `what`; the lengths may differ. */
static void exchange_text(struct call *c, const char *what, const char *with)
{
	struct slice  rest = buffer_held(&c->reply->body);
	struct buffer b;

	buffer_init(&b, 512u << 20);
	while (rest.len) {
		size_t at = slice_search(rest, what);

		buffer_add(&b, slice_upto(rest, at));
		if (at < rest.len)
			buffer_add_str(&b, with);
		rest = slice_from(rest, at < rest.len ? at + strlen(what) : rest.len);
	}
	buffer_release(&c->reply->body);
	c->reply->body = b;
}

static const char bomb[] =
	"<?xml version=\"1.0\"?><!DOCTYPE s:Envelope [<!ENTITY a \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\">"
	"<!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;\"><!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;\"><!ENTITY d \"&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;\">"
	"<!ENTITY e \"&d;&d;&d;&d;&d;&d;&d;&d;&d;&d;\"><!ENTITY f \"&e;&e;&e;&e;&e;&e;&e;&e;&e;&e;\"><!ENTITY g \"&f;&f;&f;&f;&f;&f;&f;&f;&f;&f;\">]>"
	"<s:Envelope xmlns:s=\"" NS_SOAP "\"><s:Body><x>&g;</x></s:Body></s:Envelope>";

/* What happens to an answer that was right. */
static void spoil(struct call *c)
{
	struct orders  *all = &c->sandbox->orders;
	struct ordered *o;

	if (orders_take(all, ORDER_MALFORMED))
		replace_body(c->reply, slice_str(arena_print(c->work, "%s<t:Unclosed>&nothing;</s:Envelope", arena_copy(c->work, slice_upto(buffer_held(&c->reply->body), 300)))));
	if (orders_take(all, ORDER_BOMB))
		replace_body(c->reply, slice_str(bomb));
	if (orders_take(all, ORDER_WRONG_NAMESPACE))
		exchange_text(c, "schemas.microsoft.com", "schemas.example.com");
	if ((o = orders_take(all, ORDER_CHARSET))) {
		const char *name = o->value ? o->value : "utf-16";

		exchange_text(c, "encoding=\"utf-8\"", arena_print(c->work, "encoding=\"%s\"", name));
		c->reply->type = arena_print(c->work, "text/xml; charset=%s", name);
	}
	if (orders_take(all, ORDER_COOKIES)) {
		reply_header(c->reply, c->request, "Set-Cookie", "exchangecookie=4f3c2b1a; path=/; secure; HttpOnly");
		reply_header(c->reply, c->request, "Set-Cookie", "X-BackEndCookie=S-1-5-21=u56Lnp2ejJqBz; path=/EWS; secure; HttpOnly");
	}
	if (orders_take(all, ORDER_GZIP))
		pack(c);
	if (orders_take(all, ORDER_ENDLESS))
		c->reply->ending = ENDS_NEVER;
	if ((o = orders_take(all, ORDER_CUT))) {
		c->reply->ending = ENDS_CUT;
		c->reply->cut = o->value ? strtoul(o->value, NULL, 10) : buffer_held(&c->reply->body).len / 2;
	}
}

/* -- one request -------------------------------------------------------------------------------------------------- */

static void run_operation(struct call *c, const struct soap *soap)
{
	c->operation = arena_str(c->work, (const char *)soap->operation->name);
	c->body = soap->operation;
	c->header = soap->header;
	c->request->operation = c->operation;
	if (version_allows(c, soap) && impersonate(c, soap)) {
		if (ordered_fault(c))
			return;
		if (!persona_accepts(c->sandbox->mailbox_persona, c->request->version))
			message_error(c, "ErrorInvalidSchemaVersionForMailboxVersion", NULL);
		else
			operation_named(c->operation)->run(c);
	}
	if (c->fault)
		write_fault(c, c->fault, c->fault_text, NULL);
	else if (!c->streams)
		write_answer(c);
}

static void answer_post(struct call *c)
{
	struct soap soap;

	if (!c->request->body.len) {
		c->reply->status = 400;
		usual_headers(c->sandbox, c->request, c->reply);
		return;
	}
	if (!slice_has(slice_str(request_header(c->request, "Content-Type")), "xml")) {
		c->reply->status = 415;
		usual_headers(c->sandbox, c->request, c->reply);
		return;
	}
	if (!soap_read(c->request->body, &soap, NULL)) {
		write_fault(c, "ErrorInvalidRequest", NULL, NULL);
		return;
	}
	run_operation(c, &soap);
	xmlFreeDoc(soap.document);
}

/* Of those who are signed in: do they get no further? */
static bool stopped_after_login(struct call *c)
{
	struct orders  *all = &c->sandbox->orders;
	struct ordered *page = orders_take(all, ORDER_PAGE_AFTER), *only = orders_has(all, ORDER_AGENTS);
	struct ordered *barred = orders_has(all, ORDER_NOT_AGENTS);
	struct slice    agent = slice_str(request_header(c->request, "User-Agent"));

	if (page)
		page_write(c->sandbox, c->request, c->reply, (enum page)page->row->number, page->value);
	else if ((only && !slice_has(agent, only->value)) || (barred && slice_has(agent, barred->value)))
		page_write(c->sandbox, c->request, c->reply, PAGE_403, NULL);
	return page || c->reply->status == 403;
}

void answer_ews(struct sandbox *s, struct request *r, struct reply *reply)
{
	struct call c = { .sandbox = s, .request = r, .reply = reply, .work = r->work };

	c.account = c.caller = sign_in(s, r, reply);
	if (!c.account || stopped_after_login(&c))
		return;
	buffer_init(&c.out, 512u << 20);
	if (strcasecmp(r->path, "/EWS/Services.wsdl") == 0) {
		usual_headers(s, r, reply);
		reply->type = "text/xml";
		buffer_add_str(&reply->body, "<?xml version=\"1.0\"?><wsdl:definitions xmlns:wsdl=\"http://schemas.xmlsoap.org/wsdl/\" targetNamespace=\"" NS_MESSAGES "\"/>");
	} else if (strcmp(r->method, "POST") == 0) {
		answer_post(&c);
		spoil(&c);
	} else {
		bool gets = strcmp(r->method, "GET") == 0 || strcmp(r->method, "HEAD") == 0;

		reply->status = gets ? 302 : 405;
		usual_headers(s, r, reply);
		if (gets)
			reply_header(reply, r, "Location", "https://%s/EWS/Services.wsdl", r->host);
	}
	buffer_release(&c.out);
}
