/* imap_fetch.h -- FETCH's items and SEARCH's keys, of one message each. Under the sandbox's lock. */
#ifndef SANDBOX_IMAP_FETCH_H
#define SANDBOX_IMAP_FETCH_H

#include "sandbox/imap_box.h"

/* What was asked for, once for all messages: "(FLAGS UID BODY.PEEK[HEADER]<0.500>)" or "FULL". */
#define FETCH_ITEMS 40
struct fetch {
	struct { struct slice name, section; bool has_section, peeks; unsigned long long from, most; bool partial; } item[FETCH_ITEMS];
	size_t count;
	bool   sets_seen, has_uid, has_flags;
};

bool fetch_read(struct slice *rest, struct fetch *out);
/* "UID 7 FLAGS (\\Seen)": false: one of the items is none. */
bool fetch_add(struct buffer *out, const struct fetch *, struct arena *, const struct item *);

/* Does the message fit? `*rest` is then behind the keys. False and `*bad`: they cannot be read. */
struct search_of {
	struct arena      *work;
	const struct item *item;
	uint32_t           sequence, last_sequence, last_uid;
};
bool search_fits(struct slice *rest, const struct search_of *, int depth, bool *bad);

/* "12-Nov-2026 09:00:00 +0000" both ways. */
const char *stamp_of(struct arena *, int64_t unix_s);
bool        stamp_read(struct slice, int64_t *unix_s);

#endif
