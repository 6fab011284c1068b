/* calendar.h -- what the daemon keeps of watched calendars: how far each is known, and what is known of their entries. */
#ifndef SERVE_CALENDAR_H
#define SERVE_CALENDAR_H

#include "base/json.h"
#include "store/accounts.h"
#include "watch/mailbox.h"

/* How far they are known, as a member of an account's cursor or calendar; and back, before the watch's first step. */
void calendar_cursor_write(const struct caldav_watch *, cJSON *into);
void calendar_cursor_read(const char *json, struct caldav_watch *);

/* The entries that are kept for an account. */
struct calendar_keeping {
	struct store *store;
	const char   *account;
};

/* It lives as long. */
struct caldav_memory calendar_memory(struct calendar_keeping *);

/* Copies of a page's news. */
struct calendar_news *calendar_news_copy(const struct calendar_news *, size_t count, struct arena *into);
/* In the transaction in which they are kept: what is known of each, and the event that tells of it. `*told`: there was one. */
bool calendar_news_keep(struct txn *, struct arena *work, const struct account *, const struct calendar_news *, size_t count, int64_t now,
                        bool *told, struct error *);

#endif
