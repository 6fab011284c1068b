/* rows.h -- what the functions about rows are written with: a statement, its values, and where its columns go.
 *
 * A shape says of a struct which members are columns, in the order in which its statements name them; so a statement fills a
 * struct, or takes all its values from one, without a word about each. Texts and bytes are copied into the caller's arena.
 */
#ifndef STORE_ROWS_H
#define STORE_ROWS_H

#include <stddef.h>

#include "store/driver.h"

struct txn {
	struct db *db;
};

enum field_kind { FIELD_TEXT, FIELD_NUMBER, FIELD_BYTES, FIELD_STATE };

struct field {
	enum field_kind kind;
	size_t          offset, size;
};

struct shape {
	const char         *noun;          /* "account", for "there is no such …" */
	size_t              size;          /* of the struct                       */
	const struct field *field;
	size_t              count;
};

#define FIELD(kind, what, member) { kind, offsetof(struct what, member), sizeof(((struct what *)0)->member) }
#define TEXT(what, member)        FIELD(FIELD_TEXT, what, member)          /* const char *, NULL too              */
#define NUMBER(what, member)      FIELD(FIELD_NUMBER, what, member)        /* any integer, also bool              */
#define BYTES(what, member)       FIELD(FIELD_BYTES, what, member)         /* struct slice                        */
#define STATE(what, member)       FIELD(FIELD_STATE, what, member)         /* enum account_state, kept by its name */
#define SHAPE(noun, what, fields) { noun, sizeof(struct what), fields, COUNT(fields) }

/* The values of a statement: run(t, err, "… WHERE id = $1", WITH(a_text(id))). */
#define WITH(...) (const struct value[]){ __VA_ARGS__ }, COUNT(((const struct value[]){ __VA_ARGS__ }))
#define WITHOUT   NULL, 0

/* Changes rows, any number of them. */
bool run(struct txn *, struct error *, const char *sql, const struct value *, size_t count);
/* Changes at least one, or FAULT_ABSENT: there is no such `noun`. */
bool run_one(struct txn *, struct error *, const char *noun, const char *sql, const struct value *, size_t count);
/* The same with `$1` … from the struct's members; insert_row() may change none. */
bool insert_row(struct txn *, struct error *, const struct shape *, const void *from, const char *sql);
bool update_row(struct txn *, struct error *, const struct shape *, const void *from, const char *sql);

/* The first row into `out`; FAULT_ABSENT. */
bool read_one(struct txn *, struct arena *into, const struct shape *, void *out, struct error *,
              const char *sql, const struct value *, size_t count);
/* All rows as an array of the shape's structs; NULL only with the error. */
void *read_all(struct txn *, struct arena *into, const struct shape *, size_t *found, struct error *,
               const char *sql, const struct value *, size_t count);
/* One number; `otherwise` when there is no row, or no number in it. */
bool read_number(struct txn *, int64_t *out, int64_t otherwise, struct error *, const char *sql, const struct value *, size_t count);

/* A statement that depends on what is asked for. */
struct ask {
	char         sql[1400];
	size_t       len;
	bool         narrowed;
	struct value value[16];
	size_t       count;
};

__attribute__((format(printf, 2, 3)))
void ask_add(struct ask *, const char *fmt, ...);                      /* text of ours only         */
void ask_where(struct ask *, const char *condition);                   /* "WHERE " or " AND " before it */
void ask_value(struct ask *, const char *condition, struct value);     /* the same with " $n" behind it */
void ask_pair(struct ask *, const char *condition, struct value, struct value);     /* " ($n, $m)" */
void ask_text(struct ask *, const char *condition, const char *text);  /* only when there is one    */

void ask_end(struct ask *, const char *text, struct value);            /* " ORDER BY … LIMIT $n" */

#endif
