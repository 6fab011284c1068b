/* What Gmail says of a mailbox as a whole. */
#include <stdlib.h>
#include <strings.h>

#include "sandbox/gapi.h"


void gmail_get_profile(struct gapi_ask *a)
{
	cJSON   *o = cJSON_CreateObject();
	unsigned messages = 0, threads = 0;

	for (const struct item *i = a->mailbox->first; i; i = i->next) {
		messages += i->kind == ITEM_MESSAGE;
		threads += i->kind == ITEM_MESSAGE && (!i->thread || i->thread == i->lasting);
	}
	cJSON_AddStringToObject(o, "emailAddress", a->account->mail);
	cJSON_AddNumberToObject(o, "messagesTotal", messages);
	cJSON_AddNumberToObject(o, "threadsTotal", threads);
	cJSON_AddStringToObject(o, "historyId", gapi_text(a->work, a->sandbox->google->history_id));
	gapi_give(a, o);
}

/* -- labels ----------------------------------------------------------------------------------------------------------------- */

static cJSON *label_json(const char *id, const char *name, bool users)
{
	cJSON *o = cJSON_CreateObject();

	cJSON_AddStringToObject(o, "id", id);
	cJSON_AddStringToObject(o, "name", name);
	cJSON_AddStringToObject(o, "messageListVisibility", users ? "show" : "hide");
	if (users)
		cJSON_AddStringToObject(o, "labelListVisibility", "labelShow");
	cJSON_AddStringToObject(o, "type", users ? "user" : "system");
	return o;
}

static bool is_label(const struct folder *f)
{
	return !f->known && !f->gone && strcmp(f->class, "IPF.Note") == 0;
}

void gmail_list_labels(struct gapi_ask *a)
{
	cJSON      *o = cJSON_CreateObject(), *list = cJSON_AddArrayToObject(o, "labels");
	const char *id;
	unsigned    bit;

	for (size_t i = 0; (id = glabel_system(i, &bit)); i++)
		cJSON_AddItemToArray(list, label_json(id, id, false));
	for (size_t i = 0; i < a->mailbox->folders; i++) {
		const struct folder *f = a->mailbox->folder[i];

		if (is_label(f))
			cJSON_AddItemToArray(list, label_json(glabel_id(a->work, f), f->name, true));
	}
	gapi_give(a, o);
}

void gmail_get_label(struct gapi_ask *a)
{
	const char          *id = a->arg[1];
	const struct folder *users = glabel_folder(a->mailbox, id);
	unsigned             bit = glabel_bit(id), all = 0, unread = 0, folder;
	cJSON               *o;

	if (!users && !bit) {
		gapi_refuse(a, "notFound", NULL);
		return;
	}
	for (const struct item *i = a->mailbox->first; i; i = i->next) {
		bool in = i->kind == ITEM_MESSAGE && ((glabels_of(i, &folder) & bit) || (users && folder == users->number));

		all += in;
		unread += in && !i->read;
	}
	o = label_json(id, users ? users->name : id, users != NULL);
	cJSON_AddNumberToObject(o, "messagesTotal", all);
	cJSON_AddNumberToObject(o, "messagesUnread", unread);
	cJSON_AddNumberToObject(o, "threadsTotal", all);
	cJSON_AddNumberToObject(o, "threadsUnread", unread);
	gapi_give(a, o);
}

void gmail_add_label(struct gapi_ask *a)
{
	cJSON         *given = gapi_body(a);
	const char    *name = json_text(given, "name");
	struct folder *f = name && *name ? mailbox_add_folder(a->mailbox, mailbox_known(a->mailbox, "msgfolderroot"), name, "IPF.Note") : NULL;

	if (f)
		gapi_give(a, label_json(glabel_id(a->work, f), f->name, true));
	else if (given)
		gapi_refuse(a, "invalidArgument", "Invalid label name");
	cJSON_Delete(given);
}

/* Its messages stay; only the label goes. */
void gmail_delete_label(struct gapi_ask *a)
{
	struct folder *f = glabel_folder(a->mailbox, a->arg[1]);
	struct item   *next;

	if (!f) {
		gapi_refuse(a, "notFound", NULL);
		return;
	}
	for (struct item *i = a->mailbox->first; i; i = next) {
		next = i->next;
		if (i->folder == f)
			glabels_change(a, i, 0, 0, NULL, true);
	}
	mailbox_drop_folder(a->mailbox, f);
	a->status = 204;
}

/* -- settings --------------------------------------------------------------------------------------------------------------- */

static cJSON *sender_json(const char *address, const char *name, bool primary)
{
	cJSON *o = cJSON_CreateObject();

	cJSON_AddStringToObject(o, "sendAsEmail", address);
	cJSON_AddStringToObject(o, "displayName", name);
	cJSON_AddStringToObject(o, "replyToAddress", "");
	cJSON_AddStringToObject(o, "signature", "");
	if (primary)
		cJSON_AddBoolToObject(o, "isPrimary", true);
	cJSON_AddBoolToObject(o, "isDefault", primary);
	cJSON_AddBoolToObject(o, "treatAsAlias", !primary);
	cJSON_AddStringToObject(o, "verificationStatus", "accepted");
	return o;
}

void gmail_list_send_as(struct gapi_ask *a)
{
	cJSON *o = cJSON_CreateObject(), *list = cJSON_AddArrayToObject(o, "sendAs");

	cJSON_AddItemToArray(list, sender_json(a->account->mail, a->account->display, true));
	cJSON_AddItemToArray(list, sender_json(a->account->alias, a->account->display, false));
	gapi_give(a, o);
}

void gmail_get_imap(struct gapi_ask *a)
{
	cJSON *o = cJSON_CreateObject();

	cJSON_AddBoolToObject(o, "enabled", true);
	cJSON_AddBoolToObject(o, "autoExpunge", true);
	cJSON_AddStringToObject(o, "expungeBehavior", "archive");
	cJSON_AddNumberToObject(o, "maxFolderSize", 0);
	gapi_give(a, o);
}

/* -- watching (facts G B.3): it is granted; there is no Pub/Sub here that would tell anybody ------------------------------- */
