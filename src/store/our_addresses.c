#include "store/our_addresses.h"

#include "store/rows.h"

#define OUR_ADDRESS "address, how, host, other_host, first_seen, last_seen"

static const struct field our_fields[] = {
	TEXT(our_address, address),    TEXT(our_address, how),          TEXT(our_address, host),
	TEXT(our_address, other_host), NUMBER(our_address, first_seen), NUMBER(our_address, last_seen),
};
static const struct shape ours = SHAPE("address", our_address, our_fields);

static bool forget_old(struct txn *t, int64_t now, struct error *err)
{
	return run(t, err, "DELETE FROM our_addresses WHERE last_seen < $1", WITH(a_number(now - OUR_ADDRESSES_MS)));
}

/* So that whoever tells another address each time drives out no other but its own. */
static bool make_room_of(struct txn *t, const char *host, struct error *err)
{
	return run(t, err, "DELETE FROM our_addresses WHERE other_host IS NULL AND host = $1 AND address NOT IN (SELECT address FROM our_addresses"
	           " WHERE other_host IS NULL AND host = $1 ORDER BY last_seen DESC, address LIMIT $2)", WITH(a_text(host), a_number(OUR_ADDRESSES_TOLD - 1)));
}

static bool make_room(struct txn *t, struct error *err)
{
	return run(t, err, "DELETE FROM our_addresses WHERE address NOT IN (SELECT address FROM our_addresses"
	           " ORDER BY CASE WHEN other_host IS NULL THEN 1 ELSE 0 END, last_seen DESC, address LIMIT $1)", WITH(a_number(OUR_ADDRESSES_MOST - 1)));
}

bool our_address_learn(struct txn *t, const struct our_address *told, struct error *err)
{
	struct our_address new = { .address = told->address, .how = told->how, .host = told->host, .first_seen = told->last_seen,
	                           .last_seen = told->last_seen };
	int64_t known;

	if (!forget_old(t, told->last_seen, err)
	    || !read_number(t, &known, 0, err, "UPDATE our_addresses SET last_seen = CASE WHEN last_seen < $3 THEN $3 ELSE last_seen END,"
	                    " other_host = CASE WHEN other_host IS NULL AND host <> $2 THEN $2 ELSE other_host END WHERE address = $1 RETURNING 1",
	                    WITH(a_text(told->address), a_text(told->host), a_number(told->last_seen))))
		return false;
	return known || (make_room_of(t, told->host, err) && make_room(t, err)
	                 && insert_row(t, err, &ours, &new, "INSERT INTO our_addresses (" OUR_ADDRESS ") VALUES ($1, $2, $3, $4, $5, $6)"));
}

bool our_address_list(struct txn *t, struct arena *into, int64_t now, struct our_address **out, size_t *count, struct error *err)
{
	return (*out = read_all(t, into, &ours, count, err, "SELECT " OUR_ADDRESS " FROM our_addresses WHERE last_seen >= $1"
	                        " ORDER BY CASE WHEN other_host IS NULL THEN 1 ELSE 0 END, first_seen, address",
	                        WITH(a_number(now - OUR_ADDRESSES_MS)))) != NULL;
}
