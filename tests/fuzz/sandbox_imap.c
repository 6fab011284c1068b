/* A command of IMAP, a message, and what the sandbox's mailboxes make of both. */
#include <assert.h>

#include "sandbox/imap_fetch.h"
#include "sandbox/imap_parts.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void read_command(struct arena *arena, struct slice all)
{
	struct slice      rest = all, out;
	struct number_set set;
	struct fetch      wish;
	unsigned          marks;

	while (read_string(arena, &rest, &out) || read_mark(&rest, '(') || read_mark(&rest, ')'))
		assert(rest.len < all.len);
	if (set_read(slice_upto(all, 200), 7, &set))
		assert(set.count && set.count <= SET_RANGES);
	rest = all;
	fetch_read(&rest, &wish);
	rest = all;
	marks_read(&rest, &marks);
}

static void look_at(struct arena *arena, struct slice all)
{
	struct mailbox  *m = mailbox_new(1, "anna@birch.example", false);
	struct item     *i = mailbox_add_mail(m, mailbox_known(m, "inbox"), all, 0);
	struct slice     first = slice_cut(&all, '\n');
	struct search_of s = { arena, i, 1, 1, i->number };
	struct fetch     wish;
	struct buffer    out;
	bool             wrong = false;

	buffer_init(&out, 64u << 20);
	if (fetch_read(&(struct slice){ first.at, first.len }, &wish))
		fetch_add(&out, &wish, arena, i);
	search_fits(&first, &s, 0, &wrong);
	buffer_clear(&out);
	structure_add(&out, arena, part_read(arena, i->mime), true);
	assert(buffer_held(&out).len && buffer_held(&out).at[0] == '(');
	buffer_release(&out);
	mailbox_free(m);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	CLEANUP(arena) struct arena *arena = arena_new();
	struct slice all = slice((const char *)data, size < 65536 ? size : 65536);
	const char  *name = mailbox_name_read(arena, slice_upto(all, 300));

	pattern_fits(arena_copy(arena, slice_upto(all, 100)), name);
	mailbox_name_of(arena, name);
	read_command(arena, all);
	look_at(arena, all);
	return 0;
}
