/* Labels: Gmail's own, and those that are a folder's name. What lies in a folder has its label; more than that is in item.labels. */
#include <stdlib.h>
#include <strings.h>

#include "sandbox/gapi.h"

/* `known`: the folder that is such a label. */
static const struct { const char *id; unsigned bit; const char *known; } own[] = {
	{ "CHAT", 0, NULL }, { "SENT", GLABEL_SENT, "sentitems" }, { "INBOX", GLABEL_INBOX, "inbox" }, { "IMPORTANT", GLABEL_IMPORTANT, NULL },
	{ "TRASH", GLABEL_TRASH, "deleteditems" }, { "DRAFT", GLABEL_DRAFT, "drafts" }, { "SPAM", GLABEL_SPAM, "junkemail" },
	{ "CATEGORY_FORUMS", 0, NULL }, { "CATEGORY_UPDATES", 0, NULL }, { "CATEGORY_PERSONAL", GLABEL_PERSONAL, NULL },
	{ "CATEGORY_PROMOTIONS", 0, NULL }, { "CATEGORY_SOCIAL", 0, NULL }, { "STARRED", GLABEL_STARRED, NULL }, { "UNREAD", GLABEL_UNREAD, NULL },
};

#define ARCHIVE "msgfolderroot"      /* of what has no label that is a folder */

const char *glabel_system(size_t n, unsigned *bit)
{
	if (n >= COUNT(own))
		return NULL;
	*bit = own[n].bit;
	return own[n].id;
}

unsigned glabel_bit(const char *id)
{
	for (size_t i = 0; i < COUNT(own); i++)
		if (strcmp(own[i].id, id) == 0)
			return own[i].bit;
	return 0;
}

static unsigned bit_of(const struct folder *f)
{
	for (size_t i = 0; f->known && i < COUNT(own); i++)
		if (own[i].known && strcmp(own[i].known, f->known) == 0)
			return own[i].bit;
	return 0;
}

static bool is_users(const struct folder *f)
{
	return !f->known && !f->gone && strcmp(f->class, "IPF.Note") == 0;
}

unsigned glabels_of(const struct item *item, unsigned *folder)
{
	if (folder)
		*folder = is_users(item->folder) ? item->folder->number : 0;
	return item->labels | bit_of(item->folder) | (item->read ? 0 : GLABEL_UNREAD) | (item->draft ? GLABEL_DRAFT : 0);
}

const char *glabel_id(struct arena *arena, const struct folder *f)
{
	return arena_print(arena, "Label_%u", f->number);
}

struct folder *glabel_folder(struct mailbox *m, const char *id)
{
	unsigned long long number;
	struct folder     *f;

	if (strncmp(id, "Label_", 6) != 0 || !slice_number(slice_str(id + 6), UINT32_MAX, &number))
		return NULL;
	f = mailbox_folder(m, (unsigned)number);
	return f && is_users(f) ? f : NULL;
}

cJSON *glabels_json(struct arena *arena, unsigned bits, unsigned folder)
{
	cJSON *list = cJSON_CreateArray();

	for (size_t i = 0; i < COUNT(own); i++)
		if (own[i].bit & bits)
			cJSON_AddItemToArray(list, cJSON_CreateString(own[i].id));
	if (folder)
		cJSON_AddItemToArray(list, cJSON_CreateString(arena_print(arena, "Label_%u", folder)));
	return list;
}

/* Where an item with these labels lies: what is thrown away lies nowhere else. */
static struct folder *home_of(struct mailbox *m, unsigned bits, struct folder *users)
{
	static const struct { unsigned bit; const char *known; } before[] = { { GLABEL_TRASH, "deleteditems" }, { GLABEL_SPAM, "junkemail" }, { GLABEL_DRAFT, "drafts" } };
	static const struct { unsigned bit; const char *known; } after[] = { { GLABEL_INBOX, "inbox" }, { GLABEL_SENT, "sentitems" } };

	for (size_t i = 0; i < COUNT(before); i++)
		if (bits & before[i].bit)
			return mailbox_known(m, before[i].known);
	if (users)
		return users;
	for (size_t i = 0; i < COUNT(after); i++)
		if (bits & after[i].bit)
			return mailbox_known(m, after[i].known);
	return mailbox_known(m, ARCHIVE);
}

/* Others who look into this mailbox are told; history has it already. */
static void tell_others(struct gapi_ask *a, const struct item *item, const struct folder *from)
{
	a->sandbox->google->telling = true;
	gapi_happened(a, from == item->folder ? HAPPENED_MODIFIED : HAPPENED_MOVED, item, from == item->folder ? NULL : from);
	a->sandbox->google->telling = false;
}

struct item *glabels_change(struct gapi_ask *a, struct item *item, unsigned more, unsigned less, struct folder *to, bool leaves_folder)
{
	unsigned       users, before = glabels_of(item, &users), after = (before | more) & ~less, now_users;
	struct folder *from = item->folder, *home = home_of(a->mailbox, after, to ? to : leaves_folder || !users ? NULL : from);

	if (home != from)
		item = mailbox_move(a->mailbox, item, home, item->received);
	item->labels = after & ~(unsigned)(GLABEL_UNREAD | GLABEL_DRAFT);
	item->draft = (after & GLABEL_DRAFT) != 0;
	if (item->read != !(after & GLABEL_UNREAD))
		mailbox_set_read(a->mailbox, item, !(after & GLABEL_UNREAD));
	mailbox_touch(a->mailbox, item);
	glabels_of(item, &now_users);
	if (after & ~before || (now_users && now_users != users))
		ghistory_add(a->sandbox, a->mailbox, GCHANGE_LABELLED, item, after & ~before, now_users != users ? now_users : 0);
	if (before & ~after || (users && now_users != users))
		ghistory_add(a->sandbox, a->mailbox, GCHANGE_UNLABELLED, item, before & ~after, now_users != users ? users : 0);
	tell_others(a, item, from);
	return item;
}
