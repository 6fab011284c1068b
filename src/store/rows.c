#include "store/rows.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "model/account.h"

static struct stmt *begin(struct txn *t, const char *sql, const struct value *value, size_t count, struct error *err)
{
	return t->db->driver->query(t->db, sql, value, count, err);
}

static enum row next(struct txn *t, struct stmt *s, struct error *err)
{
	return t->db->driver->next(s, err);
}

static struct value column(struct txn *t, struct stmt *s, size_t n)
{
	return t->db->driver->column(s, n);
}

static void end(struct txn *t, struct stmt *s)
{
	t->db->driver->end(s);
}

/* -- members ------------------------------------------------------------------------------------------------------ */

static int64_t load(const void *at, size_t size)
{
	switch (size) {
	case sizeof(bool):     return *(const uint8_t *)at;
	case sizeof(uint16_t): return *(const uint16_t *)at;
	case sizeof(int32_t):  return *(const int32_t *)at;
	default:               return *(const int64_t *)at;
	}
}

static void keep(void *at, size_t size, int64_t n)
{
	switch (size) {
	case sizeof(bool):     *(uint8_t *)at = n != 0; break;
	case sizeof(uint16_t): *(uint16_t *)at = (uint16_t)n; break;
	case sizeof(int32_t):  *(int32_t *)at = (int32_t)n; break;
	default:               *(int64_t *)at = n;
	}
}

static struct value value_of(const struct field *f, const void *at)
{
	switch (f->kind) {
	case FIELD_TEXT:  return a_text(*(const char *const *)at);
	case FIELD_BYTES: return some_bytes(*(const struct slice *)at);
	case FIELD_STATE: return a_text(account_state_name(*(const enum account_state *)at));
	default:          return a_number(load(at, f->size));
	}
}

static bool take_value(const struct field *f, void *at, struct value v, struct arena *into, struct error *err)
{
	switch (f->kind) {
	case FIELD_TEXT:
		*(const char **)at = v.null ? NULL : arena_copy(into, v.bytes);
		return true;
	case FIELD_BYTES:
		*(struct slice *)at = v.null ? slice(NULL, 0) : slice(arena_copy(into, v.bytes), v.bytes.len);
		return true;
	case FIELD_STATE:
		return (!v.null && v.bytes.at && account_state_find(v.bytes.at, at))
		    || fail(err, FAULT_LOCAL, "the store: an account in a state that this version does not know");
	default:
		keep(at, f->size, v.number);
		return true;
	}
}

static bool take_row(struct txn *t, struct stmt *s, const struct shape *shape, void *out, struct arena *into, struct error *err)
{
	for (size_t i = 0; i < shape->count; i++)
		if (!take_value(&shape->field[i], (char *)out + shape->field[i].offset, column(t, s, i), into, err))
			return false;
	return true;
}

/* -- statements --------------------------------------------------------------------------------------------------- */

static bool change(struct txn *t, int64_t *changed, struct error *err, const char *sql, const struct value *value, size_t count)
{
	struct stmt *s = begin(t, sql, value, count, err);
	enum row     row;

	if (!s)
		return false;
	while ((row = next(t, s, err)) == ROW_HERE)
		;
	*changed = row == ROW_END ? t->db->driver->changed(s) : 0;
	end(t, s);
	return row == ROW_END;
}

bool run(struct txn *t, struct error *err, const char *sql, const struct value *value, size_t count)
{
	int64_t changed;

	return change(t, &changed, err, sql, value, count);
}

bool run_one(struct txn *t, struct error *err, const char *noun, const char *sql, const struct value *value, size_t count)
{
	int64_t changed;

	return change(t, &changed, err, sql, value, count) && (changed > 0 || fail(err, FAULT_ABSENT, "there is no such %s", noun));
}

static bool change_row(struct txn *t, int64_t *changed, struct error *err, const struct shape *shape, const void *from, const char *sql)
{
	struct value value[48];

	assert(shape->count <= COUNT(value));
	for (size_t i = 0; i < shape->count; i++)
		value[i] = value_of(&shape->field[i], (const char *)from + shape->field[i].offset);
	return change(t, changed, err, sql, value, shape->count);
}

bool insert_row(struct txn *t, struct error *err, const struct shape *shape, const void *from, const char *sql)
{
	int64_t changed;

	return change_row(t, &changed, err, shape, from, sql);
}

bool update_row(struct txn *t, struct error *err, const struct shape *shape, const void *from, const char *sql)
{
	int64_t changed;

	return change_row(t, &changed, err, shape, from, sql) && (changed > 0 || fail(err, FAULT_ABSENT, "there is no such %s", shape->noun));
}

bool read_one(struct txn *t, struct arena *into, const struct shape *shape, void *out, struct error *err,
              const char *sql, const struct value *value, size_t count)
{
	struct stmt *s = begin(t, sql, value, count, err);
	bool         fine = false;

	if (!s)
		return false;
	switch (next(t, s, err)) {
	case ROW_HERE:   fine = take_row(t, s, shape, out, into, err); break;
	case ROW_END:    fail(err, FAULT_ABSENT, "there is no such %s", shape->noun); break;
	case ROW_FAILED: break;
	}
	end(t, s);
	return fine;
}

void *read_all(struct txn *t, struct arena *into, const struct shape *shape, size_t *found, struct error *err,
               const char *sql, const struct value *value, size_t count)
{
	struct stmt *s = begin(t, sql, value, count, err);
	char        *rows = NULL;
	void        *all = NULL;
	size_t       have = 0, room = 0;
	enum row     row;

	if (!s)
		return NULL;
	while ((row = next(t, s, err)) == ROW_HERE) {
		if (have == room)
			rows = must_realloc(rows, (room = room ? room * 2 : 8) * shape->size);
		memset(rows + have * shape->size, 0, shape->size);
		if (!take_row(t, s, shape, rows + have * shape->size, into, err)) {
			row = ROW_FAILED;
			break;
		}
		have++;
	}
	end(t, s);
	if (row == ROW_END) {
		all = arena_copy(into, slice(rows, have * shape->size));
		*found = have;
	}
	free(rows);
	return all;
}

bool read_number(struct txn *t, int64_t *out, int64_t otherwise,
                 struct error *err, const char *sql, const struct value *value, size_t count)
{
	struct stmt *s = begin(t, sql, value, count, err);
	int64_t      found = otherwise;
	enum row     row;

	if (!s)
		return false;
	row = next(t, s, err);
	if (row == ROW_HERE && !column(t, s, 0).null)
		found = column(t, s, 0).number;
	/* one that changes rows and returns a number is carried out to its end */
	while (row == ROW_HERE)
		row = next(t, s, err);
	end(t, s);
	if (row == ROW_END)
		*out = found;
	return row == ROW_END;
}

/* -- statements put together -------------------------------------------------------------------------------------- */

void ask_add(struct ask *a, const char *fmt, ...)
{
	va_list args;
	int     len;

	va_start(args, fmt);
	len = vsnprintf(a->sql + a->len, sizeof a->sql - a->len, fmt, args);
	va_end(args);
	assert(len >= 0 && (size_t)len < sizeof a->sql - a->len);
	a->len += (size_t)len;
}

void ask_where(struct ask *a, const char *condition)
{
	ask_add(a, " %s %s", a->narrowed ? "AND" : "WHERE", condition);
	a->narrowed = true;
}

void ask_value(struct ask *a, const char *condition, struct value v)
{
	assert(a->count < COUNT(a->value));
	ask_where(a, condition);
	a->value[a->count++] = v;
	ask_add(a, " $%zu", a->count);
}

void ask_pair(struct ask *a, const char *condition, struct value one, struct value two)
{
	assert(a->count + 2 <= COUNT(a->value));
	ask_where(a, condition);
	a->value[a->count++] = one;
	a->value[a->count++] = two;
	ask_add(a, " ($%zu, $%zu)", a->count - 1, a->count);
}

void ask_text(struct ask *a, const char *condition, const char *text)
{
	if (text)
		ask_value(a, condition, a_text(text));
}

void ask_end(struct ask *a, const char *text, struct value v)
{
	assert(a->count < COUNT(a->value));
	a->value[a->count++] = v;
	ask_add(a, " %s $%zu", text, a->count);
}
