/* ews_requests.h -- every request that wire/ews.h can write, with values that need care. */
#ifndef TESTS_EWS_REQUESTS_H
#define TESTS_EWS_REQUESTS_H

#include "wire/ews.h"

#define EWS_REQUESTS   24
#define EWS_SINCE_2010 22      /* from there on: for nobody older */

static const char *const ews_request_ids[] = { "AAMk+/=", "a\"b<c>&d" };

/* Number `which` of EWS_REQUESTS. */
static inline bool ews_request(size_t which, struct buffer *out, const struct ews_header *h, const char **name)
{
	static const struct ews_folder inbox = { .distinguished = "inbox" }, by_id = { .id = "AAM&<" };
	static const struct ews_folder theirs = { .distinguished = "inbox", .mailbox = "b&b@birch.example" };
	static const struct ews_folder all[] = { { .distinguished = "inbox" }, { .id = "X" }, { .distinguished = "calendar", .mailbox = "b@x" } };
	static const struct ews_event event = { "mailmoor-1", "a <b>", "2026-11-23T03:00:00", "2026-11-23T03:15:00", "W. Europe Standard Time" };
	struct slice message = slice_str("Subject: a\r\n\r\nb\r\n");

	switch (which) {
#define CASE(n, called, call) case n: *name = called; return call
	CASE(0,  "GetFolder",              ews_get_folder(out, h, &inbox, 1, true));
	CASE(1,  "GetFolder, all of it",   ews_get_folder(out, h, all, COUNT(all), false));
	CASE(2,  "FindFolder",             ews_find_folder(out, h, &inbox, 500, 500));
	CASE(3,  "FindItem",               ews_find_item(out, h, &theirs, NULL, 100));
	CASE(4,  "FindItem by subject",    ews_find_item(out, h, &by_id, "a \"b\" <c> & \xc3\xa4", 0));
	CASE(5,  "FindItem, calendar",     ews_calendar_view(out, h, &inbox, "2026-11-22T00:00:00Z", "2026-11-29T00:00:00Z", 1000));
	CASE(6,  "GetItem",                ews_get_item(out, h, ews_request_ids, COUNT(ews_request_ids), false));
	CASE(7,  "GetItem, MIME",          ews_get_item(out, h, ews_request_ids, 1, true));
	CASE(8,  "CreateItem",             ews_send(out, h, message));
	CASE(9,  "CreateItem with Bcc",    ews_send_bcc(out, h, message, "a&b@birch.example"));
	CASE(10, "DeleteItem",             ews_delete_item(out, h, ews_request_ids, COUNT(ews_request_ids)));
	CASE(11, "ResolveNames",           ews_resolve_name(out, h, "ann@birch.example"));
	CASE(12, "SyncFolderItems",        ews_sync_items(out, h, &inbox, NULL, 9999));
	CASE(13, "SyncFolderItems, on",    ews_sync_items(out, h, &theirs, "H4s+/=", 0));
	CASE(14, "SyncFolderHierarchy",    ews_sync_folders(out, h, NULL));
	CASE(15, "SyncFolderHierarchy, on", ews_sync_folders(out, h, "H4s+/="));
	CASE(16, "Subscribe",              ews_subscribe_stream(out, h, NULL, 0));
	CASE(17, "Subscribe, folders",     ews_subscribe_stream(out, h, all, COUNT(all)));
	CASE(18, "GetStreamingEvents",     ews_get_stream(out, h, ews_request_ids, COUNT(ews_request_ids), 99));
	CASE(19, "Unsubscribe",            ews_unsubscribe(out, h, "JwB=<"));
	CASE(20, "CreateItem, empty",      ews_send(out, h, slice("", 0)));
	CASE(21, "FindItem, events",       ews_find_events(out, h, &theirs, "a \"b\" <c> & d", 9));
	CASE(22, "CreateItem, event",      ews_add_event(out, h, &all[2], &event));
	CASE(23, "UpdateItem, event",      ews_move_event(out, h, "A/b+c=", "k<", &event));
#undef CASE
	}
	return false;
}

#endif
