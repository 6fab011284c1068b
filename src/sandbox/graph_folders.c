#include <stdlib.h>

#include "sandbox/graph.h"

/* What mail folders are: Graph shows no others. */
static bool is_shown(const struct folder *f)
{
	return f->parent && !f->gone && strcmp(f->class, "IPF.Note") == 0;
}

static size_t children_of(struct msgraph_ask *a, const struct folder *parent)
{
	size_t n = 0;

	for (size_t i = 0; i < a->mailbox->folders; i++)
		n += is_shown(a->mailbox->folder[i]) && a->mailbox->folder[i]->parent == parent;
	return n;
}

static cJSON *shown(struct msgraph_ask *a, const struct folder *f)
{
	cJSON *o = cJSON_CreateObject();

	cJSON_AddStringToObject(o, "id", msgraph_folder_id(a, f));
	cJSON_AddStringToObject(o, "displayName", f->name);
	cJSON_AddStringToObject(o, "parentFolderId", msgraph_folder_id(a, f->parent));
	cJSON_AddNumberToObject(o, "childFolderCount", (double)children_of(a, f));
	cJSON_AddNumberToObject(o, "unreadItemCount", mailbox_count(a->mailbox, f, true));
	cJSON_AddNumberToObject(o, "totalItemCount", mailbox_count(a->mailbox, f, false));
	cJSON_AddNumberToObject(o, "sizeInBytes", 0);
	cJSON_AddBoolToObject(o, "isHidden", false);
	return msgraph_selected(a, o, form_get(&a->query, "$select"));
}

static void list(struct msgraph_ask *a, const struct folder *parent)
{
	size_t         most = msgraph_page_size(a), skip = strtoul(form_text(&a->query, "$skip"), NULL, 10), n = 0;
	struct mailbox *m = a->mailbox;
	cJSON          *value, *page = msgraph_page(a, "users('me')/mailFolders", &value);

	for (size_t i = 0; i < m->folders; i++) {
		if (!is_shown(m->folder[i]) || m->folder[i]->parent != parent || n++ < skip)
			continue;
		if (n > skip + most) {
			struct form next = { .count = 0 };

			form_put(&next, "$top", arena_print(a->work, "%zu", most));
			form_put(&next, "$skip", arena_print(a->work, "%zu", skip + most));
			msgraph_link(a, page, "@odata.nextLink", &next);
			break;
		}
		cJSON_AddItemToArray(value, shown(a, m->folder[i]));
	}
	msgraph_give(a, 200, page);
}

void msgraph_list_folders(struct msgraph_ask *a)
{
	list(a, mailbox_known(a->mailbox, "msgfolderroot"));
}

void msgraph_list_children(struct msgraph_ask *a)
{
	struct folder *parent = msgraph_folder(a, a->arg[0]);

	if (parent)
		list(a, parent);
}

void msgraph_get_folder(struct msgraph_ask *a)
{
	struct folder *f = msgraph_folder(a, a->arg[0]);

	if (f)
		msgraph_give(a, 200, shown(a, f));
}

/* All at once, for there are few; with a token the changes since. */
void msgraph_folders_delta(struct msgraph_ask *a)
{
	const char *token = form_get(&a->query, "$deltatoken"), *text = token ? base64url_read(a->work, token) : "0";
	uint64_t    since = text ? strtoull(text, NULL, 10) : 0;
	struct form next = { .count = 0 };
	cJSON      *value, *page;

	if (!text) {
		msgraph_refuse(a, "SyncStateInvalid", 0, NULL);
		return;
	}
	page = msgraph_page(a, "Collection(mailFolder)", &value);
	for (size_t i = 0; i < a->mailbox->folders; i++) {
		const struct folder *f = a->mailbox->folder[i];

		if (is_shown(f) && f->changed > since) {
			cJSON_AddItemToArray(value, shown(a, f));
		} else if (f->gone > since && f->made <= since) {
			cJSON *o = cJSON_CreateObject();

			cJSON_AddStringToObject(o, "id", msgraph_folder_id(a, f));
			cJSON_AddStringToObject(cJSON_AddObjectToObject(o, "@removed"), "reason", "deleted");
			cJSON_AddItemToArray(value, o);
		}
	}
	form_put(&next, "$deltatoken", base64url_of(a->work, slice_str(arena_print(a->work, "%llu", (unsigned long long)a->mailbox->change))));
	msgraph_link(a, page, "@odata.deltaLink", &next);
	msgraph_give(a, 200, page);
}

void msgraph_add_folder(struct msgraph_ask *a)
{
	cJSON         *given = json_read(a->body, WEB_LONGEST_REQUEST, NULL);
	const char    *name = json_text(given, "displayName");
	struct folder *f = name && *name ? mailbox_add_folder(a->mailbox, mailbox_known(a->mailbox, "msgfolderroot"), name, "IPF.Note") : NULL;

	cJSON_Delete(given);
	if (f)
		msgraph_give(a, 201, shown(a, f));
	else
		msgraph_refuse(a, "BadRequest", 0, NULL);
}
