#include "store/calendars.h"

#include "store/rows.h"

static const struct field entry_fields[] = { TEXT(calendar_entry, name), TEXT(calendar_entry, etag) };
static const struct shape entries = SHAPE("calendar entry", calendar_entry, entry_fields);

bool calendar_entry_put(struct txn *t, const char *account, const char *calendar, const struct calendar_entry *e, struct error *err)
{
	return run(t, err, "INSERT INTO calendar_entries (account, calendar, name, etag) VALUES ($1, $2, $3, $4)"
	           " ON CONFLICT (account, calendar, name) DO UPDATE SET etag = excluded.etag",
	           WITH(a_text(account), a_text(calendar), a_text(e->name), a_text(e->etag)));
}

bool calendar_entry_drop(struct txn *t, const char *account, const char *calendar, const char *name, struct error *err)
{
	return run(t, err, "DELETE FROM calendar_entries WHERE account = $1 AND calendar = $2 AND name = $3",
	           WITH(a_text(account), a_text(calendar), a_text(name)));
}

bool calendar_entry_get(struct txn *t, struct arena *into, const char *account, const char *calendar, const char *name,
                        struct calendar_entry *out, struct error *err)
{
	return read_one(t, into, &entries, out, err, "SELECT name, etag FROM calendar_entries WHERE account = $1 AND calendar = $2 AND name = $3",
	                WITH(a_text(account), a_text(calendar), a_text(name)));
}

bool calendar_entries(struct txn *t, struct arena *into, const char *account, const char *calendar, const char *after, size_t most,
                      struct calendar_entry **out, size_t *count, struct error *err)
{
	*out = read_all(t, into, &entries, count, err, "SELECT name, etag FROM calendar_entries WHERE account = $1 AND calendar = $2 AND name > $3"
	                " ORDER BY name LIMIT $4", WITH(a_text(account), a_text(calendar), a_text(after), a_number((int64_t)most)));
	return *out != NULL;
}

bool calendar_forget(struct txn *t, const char *account, struct error *err)
{
	return run(t, err, "DELETE FROM calendar_entries WHERE account = $1", WITH(a_text(account)));
}
