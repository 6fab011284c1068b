#include "store/consents.h"

#include "store/rows.h"

#define CONSENT "id, link, account, created, expires, sealed"

static const struct field consent_fields[] = {
	TEXT(consent_row, id),        TEXT(consent_row, link),      TEXT(consent_row, account),
	NUMBER(consent_row, created), NUMBER(consent_row, expires), BYTES(consent_row, sealed),
};
static const struct shape consents = SHAPE("consent", consent_row, consent_fields);

bool consent_insert(struct txn *t, const struct consent_row *c, struct error *err)
{
	return run(t, err, "DELETE FROM consents WHERE expires <= $1", WITH(a_number(c->created)))
	    && insert_row(t, err, &consents, c, "INSERT INTO consents (" CONSENT ") VALUES ($1, $2, $3, $4, $5, $6)");
}

bool consent_of_link(struct txn *t, struct arena *into, const char *link, const char *account, int64_t least, struct consent_row *out,
                     struct error *err)
{
	return read_one(t, into, &consents, out, err, "SELECT " CONSENT " FROM consents WHERE link = $1 AND account = $2 AND expires > $3"
	                " ORDER BY created DESC, id LIMIT 1", WITH(a_text(link), a_text(account), a_number(least)));
}

bool consent_find(struct txn *t, struct arena *into, const char *id, int64_t now, struct consent_row *out, struct error *err)
{
	return read_one(t, into, &consents, out, err, "SELECT " CONSENT " FROM consents WHERE id = $1 AND expires > $2", WITH(a_text(id), a_number(now)));
}

bool consent_take(struct txn *t, struct arena *into, const char *id, int64_t now, struct consent_row *out, struct error *err)
{
	return consent_find(t, into, id, now, out, err)
	    && run_one(t, err, "consent", "DELETE FROM consents WHERE id = $1", WITH(a_text(id)));
}
