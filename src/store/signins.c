#include "store/signins.h"

#include "store/rows.h"

#define SIGNIN "id, link, session, address, created, expires, sealed"

static const struct field signin_fields[] = {
	TEXT(signin_row, id),        TEXT(signin_row, link),      TEXT(signin_row, session), TEXT(signin_row, address),
	NUMBER(signin_row, created), NUMBER(signin_row, expires), BYTES(signin_row, sealed),
};
static const struct shape signins = SHAPE("sign-in", signin_row, signin_fields);

bool signin_insert(struct txn *t, const struct signin_row *s, struct error *err)
{
	return run(t, err, "DELETE FROM signins WHERE expires <= $1", WITH(a_number(s->created - SIGNINS_NOTED)))
	    && run(t, err, "DELETE FROM signins WHERE link = $1 AND id NOT IN (SELECT id FROM signins WHERE link = $1"
	           " ORDER BY created DESC, id LIMIT $2)", WITH(a_text(s->link), a_number(SIGNINS_OF_LINK - 1)))
	    && insert_row(t, err, &signins, s, "INSERT INTO signins (" SIGNIN ") VALUES ($1, $2, $3, $4, $5, $6, $7)");
}

bool signin_take(struct txn *t, struct arena *into, const char *id, const char *session, int64_t now, struct signin_row *out,
                 struct error *err)
{
	if (!read_one(t, into, &signins, out, err, "SELECT " SIGNIN " FROM signins WHERE id = $1 AND expires > $2", WITH(a_text(id), a_number(now))))
		return false;
	if (strcmp(out->session, session) != 0)
		return fail(err, FAULT_REFUSED, "another browser began it");
	return run_one(t, err, "sign-in", "DELETE FROM signins WHERE id = $1", WITH(a_text(id)));
}

bool signin_latest(struct txn *t, struct arena *into, const char *link, const char *session, int64_t now, struct signin_row *out,
                   struct error *err)
{
	return read_one(t, into, &signins, out, err, "SELECT " SIGNIN " FROM signins WHERE link = $1 AND session = $2 AND expires > $3"
	                " ORDER BY created DESC, id LIMIT 1", WITH(a_text(link), a_text(session), a_number(now)));
}

bool signin_any_lost(struct txn *t, int64_t now, bool *out, struct error *err)
{
	int64_t count = 0;
	bool    fine = read_number(t, &count, 0, err, "SELECT count(*) FROM signins WHERE expires <= $1", WITH(a_number(now)));

	*out = count > 0;
	return fine;
}

bool signin_take_lost(struct txn *t, struct arena *into, int64_t now, struct signin_row *out, struct error *err)
{
	return read_one(t, into, &signins, out, err, "SELECT " SIGNIN " FROM signins WHERE expires <= $1 ORDER BY expires, id LIMIT 1",
	                WITH(a_number(now)))
	    && run_one(t, err, "sign-in", "DELETE FROM signins WHERE id = $1", WITH(a_text(out->id)));
}

bool signin_forget(struct txn *t, const char *link, struct error *err)
{
	return run(t, err, "DELETE FROM signins WHERE link = $1", WITH(a_text(link)));
}
