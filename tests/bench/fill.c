/* bench-fill STATE_FOLDER COUNT [ENDS]: puts that many connected accounts into a store that nobody has open, as if each had been verified.
 *
 * user0@bench.example, user1@bench.example …, all at imap.bench.example:993 inside TLS, with place, cursor, sealed password
 * ("correct-horse-9") and a report of a usual length. With ENDS, Unix seconds, they are at Microsoft 365, by grants at-0 and rt-0, at-1 and
 * rt-1 … of which the first ends then and the last within the minute that follows. Prints the id of one of them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "connect/grant.h"
#include "connect/vault.h"
#include "serve/kept.h"
#include "store/workspaces.h"

#define PASSWORD   "correct-horse-9"
#define DAY_MS     (24 * 3600 * (int64_t)1000)
#define AT_ONCE    1000
#define REPORT_LEN 6000
#define DELTA_LINK "{\"delta_link\":\"https://graph.microsoft.com/v1.0/delta\",\"since\":1}"

struct filling {
	struct vault *vault;
	int           from, to, count;
	int64_t       ends;            /* 0: by IMAP */
	char          id[KEPT_ID];
};

static void be_at_microsoft(struct account *a, struct flow_worked *worked)
{
	*worked = (struct flow_worked){ .well[SERVICE_WEB] = true, .interface = "graph", .username = a->address, .mailbox = a->address,
		.endpoint[SERVICE_WEB] = { .service = SERVICE_WEB, .host = "graph.microsoft.com", .port = 443, .socket = SOCKET_TLS, .source = SOURCE_TABLE, .path = "/v1.0" } };
	a->provider = "microsoft";
	a->cursor = DELTA_LINK;
}

static struct slice secret_of(const struct filling *f, int n, struct arena *work)
{
	struct oauth_grant g = { arena_print(work, "at-%d", n), arena_print(work, "rt-%d", n),
		"User.Read Mail.ReadWrite Mail.Send Calendars.ReadWrite", f->ends + (int64_t)60 * n / f->count, 0 };

	return f->ends ? grant_write(&g, work) : slice_str(PASSWORD);
}

static bool add_one(struct txn *t, struct arena *work, const struct filling *f, const char *workspace, const char *id, int n, struct error *err)
{
	static char        report[REPORT_LEN];
	const char        *address = arena_print(work, "user%d@bench.example", n);
	struct flow_worked worked = { .well[SERVICE_IMAP] = true, .username = address,
		.endpoint[SERVICE_IMAP] = { .service = SERVICE_IMAP, .host = "imap.bench.example", .port = 993, .socket = SOCKET_TLS, .source = SOURCE_USER } };
	int64_t            now = clock_unix_ms();
	struct account     a = { .id = id, .workspace = workspace, .address = address, .key = address, .provider = "imap", .lang = "en",
		.state = ACCOUNT_CONNECTED, .state_since = now, .created = now, .last_ok = now, .next_try = now + DAY_MS, .report = report, .report_at = now,
		.cursor = inbox_place_write((struct inbox_place){ 1, 1 }, work) };
	struct slice       sealed;

	if (f->ends)
		be_at_microsoft(&a, &worked);
	a.place = place_write(&worked, work);
	snprintf(report, sizeof report, "{\"filler\":\"%0*d\"}", REPORT_LEN - 20, 0);
	return account_insert(t, &a, err)
	    && vault_seal(f->vault, arena_print(work, "%s/password", id), secret_of(f, n, work), work, &sealed, err)
	    && sealed_put(t, id, "password", sealed, err);
}

static bool fill(struct txn *t, void *self, struct error *err)
{
	CLEANUP(arena) struct arena *work = arena_new();
	struct filling   *f = self;
	struct workspace *w;
	size_t            count;

	if (!workspace_list(t, work, &w, &count, err))
		return false;
	for (int i = f->from; i < f->to; i++) {
		snprintf(f->id, sizeof f->id, "%s", new_id(work, "acc"));
		if (!add_one(t, work, f, w[0].id, f->id, i, err))
			return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	char           path[2][4096];
	struct error   err = { 0 };
	struct filling f = { 0 };
	int            count = argc == 3 || argc == 4 ? atoi(argv[2]) : 0;
	struct store  *store;
	bool           ok;

	if (count < 1) {
		fputs("Usage: bench-fill STATE_FOLDER COUNT [ENDS]\n", stderr);
		return 2;
	}
	f.count = count;
	f.ends = argc == 4 ? atoll(argv[3]) : 0;
	snprintf(path[0], sizeof path[0], "sqlite:%s/mailmoor.db", argv[1]);
	snprintf(path[1], sizeof path[1], "%s/mailmoor.key", argv[1]);
	f.vault = vault_open(path[1], false, &err);
	store = f.vault ? store_open(path[0], &err) : NULL;
	ok = store != NULL;
	for (; ok && f.from < count; f.from = f.to) {
		f.to = f.from + AT_ONCE < count ? f.from + AT_ONCE : count;
		ok = store_write_wait(store, fill, &f, &err);
	}
	if (ok)
		puts(f.id);
	else
		fprintf(stderr, "bench-fill: %s\n", err.text);
	store_close(store);
	vault_free(f.vault);
	return ok ? 0 : 1;
}
