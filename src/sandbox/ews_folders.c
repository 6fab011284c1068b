#include "sandbox/ews.h"

#include <stdio.h>
#include <stdlib.h>

/* -- how a folder is shown ---------------------------------------------------------------------------------------- */

static const struct { const char *class, *element; } kinds[] = {
	{ "IPF.Appointment", "CalendarFolder" }, { "IPF.Contact", "ContactsFolder" }, { "IPF.Task", "TasksFolder" },
};

static const char *element_of(const struct folder *f)
{
	for (size_t i = 0; i < COUNT(kinds); i++)
		if (strcmp(kinds[i].class, f->class) == 0)
			return kinds[i].element;
	return "Folder";
}

static unsigned children(const struct mailbox *m, const struct folder *of)
{
	unsigned n = 0;

	for (size_t i = 0; i < m->folders; i++)
		n += !m->folder[i]->gone && m->folder[i]->parent == of;
	return n;
}

/* Was a property asked for, by name or by the shape that holds it? */
static bool wants(struct call *c, const xmlNode *shape, const char *property, bool by_default)
{
	const char *base = shape ? xml_text(c->work, xml_child(shape, "BaseShape")) : "Default";

	if (strcmp(base, "AllProperties") == 0 || (by_default && strcmp(base, "Default") == 0))
		return true;
	for (const xmlNode *n = xml_first(xml_child(shape, "AdditionalProperties")); n; n = xml_next(n)) {
		const char *uri = xml_attribute(c->work, n, "FieldURI");

		if (uri && strcmp(uri, property) == 0)
			return true;
	}
	return false;
}

static void add_folder(struct call *c, const struct mailbox *m, const struct folder *f, const xmlNode *shape)
{
	const char *element = element_of(f);

	add(c, "<t:%s>", element);
	add_folder_id(c, "FolderId", m, f);
	if (f->parent && wants(c, shape, "folder:ParentFolderId", false))
		add_folder_id(c, "ParentFolderId", m, f->parent);
	if (*f->class && wants(c, shape, "folder:FolderClass", false))
		add_text(c, "FolderClass", f->class);
	if (wants(c, shape, "folder:DisplayName", true))
		add_text(c, "DisplayName", f->name);
	if (wants(c, shape, "folder:TotalCount", true))
		add(c, "<t:TotalCount>%u</t:TotalCount>", mailbox_count(m, f, false));
	if (wants(c, shape, "folder:ChildFolderCount", true))
		add(c, "<t:ChildFolderCount>%u</t:ChildFolderCount>", children(m, f));
	if (f->known && persona_is_modern(c->sandbox->persona) && wants(c, shape, "folder:DistinguishedFolderId", false))
		add_text(c, "DistinguishedFolderId", f->known);
	if (strcmp(element, "CalendarFolder") != 0 && strcmp(element, "ContactsFolder") != 0 && wants(c, shape, "folder:UnreadCount", true))
		add(c, "<t:UnreadCount>%u</t:UnreadCount>", mailbox_count(m, f, true));
	add(c, "</t:%s>", element);
}

/* -- reading ------------------------------------------------------------------------------------------------------ */

void answer_get_folder(struct call *c)
{
	for (const xmlNode *id = xml_first(xml_child(c->body, "FolderIds")); id; id = xml_next(id)) {
		struct place p = place_of(c, id);

		if (!p.folder) {
			place_error(c, &p);
			continue;
		}
		message_begin(c);
		add(c, "<m:Folders>");
		add_folder(c, p.mailbox, p.folder, xml_child(c->body, "FolderShape"));
		add(c, "</m:Folders>");
		message_end(c);
	}
}

static bool is_shown(const struct folder *f, const struct folder *top, bool deep)
{
	return !f->gone && (f->parent == top || (deep && folder_is_under(f, top)));
}

static unsigned long number_of(struct call *c, const xmlNode *n, const char *attribute, unsigned long otherwise)
{
	const char *text = xml_attribute(c->work, n, attribute);

	return text ? strtoul(text, NULL, 10) : otherwise;
}

void answer_find_folder(struct call *c)
{
	const char    *traversal = xml_attribute(c->work, c->body, "Traversal");
	const xmlNode *view = xml_child(c->body, "IndexedPageFolderView");
	unsigned long  from = number_of(c, view, "Offset", 0), most = number_of(c, view, "MaxEntriesReturned", 1000), seen = 0, shown = 0;
	bool           deep = traversal && strcmp(traversal, "Deep") == 0;
	struct place   p = place_of(c, xml_first(xml_child(c->body, "ParentFolderIds")));
	unsigned long  total = 0;

	if (!p.folder) {
		place_error(c, &p);
		return;
	}
	for (size_t i = 0; i < p.mailbox->folders; i++)
		total += is_shown(p.mailbox->folder[i], p.folder, deep);
	message_begin(c);
	add(c, "<m:RootFolder");
	if (view)
		add(c, " IndexedPagingOffset=\"%lu\"", from + most < total ? from + most : total);
	add(c, " TotalItemsInView=\"%lu\" IncludesLastItemInRange=\"%s\"><t:Folders>", total, total <= from || total - from <= most ? "true" : "false");
	for (size_t i = 0; i < p.mailbox->folders; i++)
		if (is_shown(p.mailbox->folder[i], p.folder, deep) && seen++ >= from && shown++ < most)
			add_folder(c, p.mailbox, p.mailbox->folder[i], xml_child(c->body, "FolderShape"));
	add(c, "</t:Folders></m:RootFolder>");
	message_end(c);
}

/* -- sync --------------------------------------------------------------------------------------------------------- */

static void add_change(struct call *c, const struct mailbox *m, const struct folder *f, uint64_t since)
{
	const char *how = f->gone ? "Delete" : f->made > since ? "Create" : "Update";

	if (f->gone ? f->gone <= since || f->made > since : f->changed <= since)
		return;
	add(c, "<t:%s>", how);
	if (f->gone)
		add_folder_id(c, "FolderId", m, f);
	else
		add_folder(c, m, f, xml_child(c->body, "FolderShape"));
	add(c, "</t:%s>", how);
}

void answer_sync_hierarchy(struct call *c)
{
	struct place       p = place_of(c, xml_first(xml_child(c->body, "SyncFolderId")));
	unsigned long long since;

	if (!p.folder) {
		place_error(c, &p);
		return;
	}
	if (!told_state_read(c, &p, SYNC_HIERARCHY, &since)) {
		message_error(c, "ErrorInvalidSyncStateData", NULL);
		return;
	}
	message_begin(c);
	add(c, "<m:SyncState>%s</m:SyncState><m:IncludesLastFolderInRange>true</m:IncludesLastFolderInRange><m:Changes>",
	    told_state(c, &p, SYNC_HIERARCHY, p.mailbox->change));
	for (size_t i = 0; i < p.mailbox->folders; i++)
		if (folder_is_under(p.mailbox->folder[i], p.folder))
			add_change(c, p.mailbox, p.mailbox->folder[i], since);
	add(c, "</m:Changes>");
	message_end(c);
}

/* -- writing ------------------------------------------------------------------------------------------------------ */

static void one_folder(struct call *c, const struct mailbox *m, const struct folder *f)
{
	message_begin(c);
	add(c, "<m:Folders><t:%s>", element_of(f));
	add_folder_id(c, "FolderId", m, f);
	add(c, "</t:%s></m:Folders>", element_of(f));
	message_end(c);
}

static bool name_is_taken(const struct mailbox *m, const struct folder *parent, const char *name)
{
	for (size_t i = 0; i < m->folders; i++)
		if (!m->folder[i]->gone && m->folder[i]->parent == parent && strcmp(m->folder[i]->name, name) == 0)
			return true;
	return false;
}

void answer_create_folder(struct call *c)
{
	struct place p = place_of(c, xml_first(xml_child(c->body, "ParentFolderId")));

	for (const xmlNode *n = xml_first(xml_child(c->body, "Folders")); n; n = xml_next(n)) {
		const char    *name = xml_text(c->work, xml_child(n, "DisplayName")), *class = xml_text(c->work, xml_child(n, "FolderClass"));
		struct folder *f;

		if (!p.folder) {
			place_error(c, &p);
			continue;
		}
		if (name_is_taken(p.mailbox, p.folder, name)) {
			message_error(c, "ErrorFolderExists", NULL);
			continue;
		}
		for (size_t i = 0; i < COUNT(kinds) && !*class; i++)
			if (xml_is(n, kinds[i].element))
				class = kinds[i].class;
		f = mailbox_add_folder(p.mailbox, p.folder, name, *class ? class : "IPF.Note");
		if (f)
			one_folder(c, p.mailbox, f);
		else
			message_error(c, "ErrorQuotaExceeded", NULL);
	}
}

void answer_update_folder(struct call *c)
{
	for (const xmlNode *n = xml_first(xml_child(c->body, "FolderChanges")); n; n = xml_next(n)) {
		struct place   p = place_of(c, xml_first(n));
		const xmlNode *name = xml_below(xml_child(n, "Updates"), "DisplayName");

		if (!p.folder) {
			place_error(c, &p);
			continue;
		}
		if (name) {
			free(p.folder->name);
			p.folder->name = must_copy(xml_text(c->work, name));
		}
		p.folder->changed = ++p.mailbox->change;
		one_folder(c, p.mailbox, p.folder);
	}
}

static void delete_folder(struct call *c, const struct place *p)
{
	const char    *how = xml_attribute(c->work, c->body, "DeleteType");
	struct folder *bin = mailbox_known(p->mailbox, "deleteditems");

	if (p->folder->known) {
		message_error(c, "ErrorDeleteDistinguishedFolder", "Distinguished folders cannot be deleted.");
		return;
	}
	if (how && strcmp(how, "MoveToDeletedItems") == 0 && p->folder->parent != bin) {
		p->folder->parent = bin;
		p->folder->changed = ++p->mailbox->change;
	} else {
		mailbox_drop_folder(p->mailbox, p->folder);
	}
	message_begin(c);
	message_end(c);
}

void answer_delete_folder(struct call *c)
{
	for (const xmlNode *id = xml_first(xml_child(c->body, "FolderIds")); id; id = xml_next(id)) {
		struct place p = place_of(c, id);

		if (p.folder)
			delete_folder(c, &p);
		else
			place_error(c, &p);
	}
}

void answer_move_folder(struct call *c)
{
	struct place to = place_of(c, xml_first(xml_child(c->body, "ToFolderId")));

	for (const xmlNode *id = xml_first(xml_child(c->body, "FolderIds")); id; id = xml_next(id)) {
		struct place p = place_of(c, id);

		if (!p.folder || !to.folder) {
			place_error(c, p.folder ? &to : &p);
			continue;
		}
		if (p.mailbox != to.mailbox || p.folder == to.folder || p.folder->known || folder_is_under(to.folder, p.folder)) {
			message_error(c, "ErrorMoveCopyFailed", "The move or copy operation failed.");
			continue;
		}
		p.folder->parent = to.folder;
		p.folder->changed = ++p.mailbox->change;
		one_folder(c, p.mailbox, p.folder);
	}
}
