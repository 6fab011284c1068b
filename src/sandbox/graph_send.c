/* Mail on its way, as JSON or as it is. */
#include <stdlib.h>
#include <strings.h>

#include "sandbox/graph.h"
#include "sandbox/text.h"

static void add_to(struct envelope *e, const struct people *of)
{
	for (size_t i = 0; i < of->count && e->count < COUNT(e->to); i++)
		if (*of->list[i].address)
			e->to[e->count++] = of->list[i].address;
}

/* Whoever signed in, whichever mailbox it goes out of. */
static bool may_send_as(struct msgraph_ask *a, const char *address)
{
	const struct account *of = account_by_mail(a->sandbox, address), *who = a->token->account ? a->token->account : a->account;

	return of && (of == who || of->delegate == who);
}

static void keep_copy(struct msgraph_ask *a, struct slice mime)
{
	struct folder *sent = mailbox_known(a->mailbox, "sentitems");
	struct item   *copy = mailbox_add_mail(a->mailbox, sent, mime, now_s());

	copy->read = true;
	msgraph_happened(a, HAPPENED_CREATED, copy, NULL);
}

const char *msgraph_post(struct msgraph_ask *a, struct slice mime, bool save)
{
	struct envelope e = { .mime = mime };
	struct mime     shown;

	mime_read(a->work, mime, &shown);
	e.from = *shown.from.address ? shown.from.address : a->account->mail;
	add_to(&e, &shown.to);
	add_to(&e, &shown.cc);
	add_to(&e, &shown.bcc);
	if (!e.count)
		return "ErrorInvalidRecipients";
	if (!may_send_as(a, e.from))
		return "ErrorSendAsDenied";
	if (save)
		keep_copy(a, mime);
	deliver(a->sandbox, a->work, &e);
	return NULL;
}

static void post(struct msgraph_ask *a, struct slice mime, bool save)
{
	const char *code = msgraph_post(a, mime, save);

	if (code)
		msgraph_refuse(a, code, 0, NULL);
	else
		a->status = 202;
}

/* False: refused. */
static bool read_mime(struct msgraph_ask *a, struct slice *mime)
{
	if (base64_read(a->work, a->body, mime) && mime->len)
		return true;
	msgraph_refuse(a, "ErrorMimeContentInvalidBase64String", 0, NULL);
	return false;
}

static bool is_mime(const struct msgraph_ask *a)
{
	return a->content_type && strncasecmp(a->content_type, "text/plain", 10) == 0;
}

static bool saves(const cJSON *given)
{
	const cJSON *save = cJSON_GetObjectItem(given, "saveToSentItems");

	return !(cJSON_IsFalse(save) || (cJSON_IsString(save) && strcasecmp(save->valuestring, "false") == 0));
}

void msgraph_send_mail(struct msgraph_ask *a)
{
	struct slice mime;
	cJSON       *given, *message;

	if (is_mime(a)) {
		if (read_mime(a, &mime))
			post(a, mime, true);
		return;
	}
	given = json_read(a->body, WEB_LONGEST_REQUEST, NULL);
	message = cJSON_GetObjectItem(given, "message");
	if (!cJSON_IsObject(message))
		msgraph_refuse(a, "RequestBodyRead", 0, NULL);
	else if (compose(a, message, &mime))
		post(a, mime, saves(given));
	cJSON_Delete(given);
}

/* -- drafts -------------------------------------------------------------------------------------------------------------- */

void msgraph_add_draft(struct msgraph_ask *a)
{
	cJSON       *given = is_mime(a) ? NULL : json_read(a->body, WEB_LONGEST_REQUEST, NULL);
	struct slice mime;
	struct item *draft;
	bool         fine = is_mime(a) ? read_mime(a, &mime) : given && compose(a, given, &mime);

	if (!is_mime(a) && !given)
		msgraph_refuse(a, "RequestBodyRead", 0, NULL);
	cJSON_Delete(given);
	if (!fine)
		return;
	draft = mailbox_add_mail(a->mailbox, mailbox_known(a->mailbox, "drafts"), mime, now_s());
	draft->draft = draft->read = true;
	msgraph_happened(a, HAPPENED_CREATED, draft, NULL);
	msgraph_give(a, 201, msgraph_message(a, draft));
}

/* The copy in Sent Items is the draft, moved: its immutable id stays (facts M B.2). */
void msgraph_send_draft(struct msgraph_ask *a)
{
	struct item   *draft = msgraph_item(a, a->arg[0], ITEM_MESSAGE, NULL), *sent;
	struct folder *from = draft ? draft->folder : NULL;
	const char    *code = draft ? msgraph_post(a, slice(arena_copy(a->work, draft->mime), draft->mime.len), false) : NULL;

	if (!draft)
		return;
	if (code) {
		msgraph_refuse(a, code, 0, NULL);
		return;
	}
	sent = mailbox_move(a->mailbox, draft, mailbox_known(a->mailbox, "sentitems"), now_s());
	sent->draft = false;
	msgraph_happened(a, HAPPENED_MOVED, sent, from);
	a->status = 202;
}
