#include "model/record.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/json.h"

#define FORMAT "mailmoor.record.v1"

static cJSON *step_json(const struct report *r, int n)
{
	const struct step *s = &r->step[n];
	cJSON             *o = cJSON_CreateObject(), *facts;

	cJSON_AddStringToObject(o, "id", s->id);
	cJSON_AddNumberToObject(o, "attempt", s->attempt);
	cJSON_AddStringToObject(o, "state", step_state_name(s->state));
	if (s->skip)
		cJSON_AddStringToObject(o, "skip", s->skip);
	cJSON_AddNumberToObject(o, "began_ms", s->began_ms);
	cJSON_AddNumberToObject(o, "ms", s->ms);
	facts = cJSON_AddArrayToObject(o, "facts");
	for (size_t i = 0; i < r->fact_count; i++)
		if (r->fact[i].step == n) {
			cJSON *f = cJSON_CreateArray();

			cJSON_AddItemToArray(f, cJSON_CreateString(r->fact[i].name));
			cJSON_AddItemToArray(f, cJSON_CreateString(r->fact[i].value));
			cJSON_AddItemToArray(facts, f);
		}
	return o;
}

static cJSON *talk_json(const struct talk *t)
{
	char   from[2] = { t->from, '\0' };
	cJSON *o = cJSON_CreateArray();

	cJSON_AddItemToArray(o, cJSON_CreateNumber(t->ms));
	cJSON_AddItemToArray(o, cJSON_CreateNumber(t->attempt));
	cJSON_AddItemToArray(o, cJSON_CreateString(from));
	cJSON_AddItemToArray(o, cJSON_CreateString(t->text));
	return o;
}

static char *record_text(const struct report *r)
{
	cJSON *o = cJSON_CreateObject(), *list;
	char  *text;

	cJSON_AddStringToObject(o, "format", FORMAT);
	cJSON_AddStringToObject(o, "address", r->address);
	cJSON_AddStringToObject(o, "provider", r->provider);
	cJSON_AddNumberToObject(o, "began_unix", (double)r->began_unix);
	cJSON_AddNumberToObject(o, "attempts", r->attempts);
	cJSON_AddNumberToObject(o, "password_tries", r->password_tries);
	cJSON_AddNumberToObject(o, "ms", r->ms);
	list = cJSON_AddArrayToObject(o, "steps");
	for (size_t i = 0; i < r->step_count; i++)
		cJSON_AddItemToArray(list, step_json(r, (int)i));
	list = cJSON_AddArrayToObject(o, "talk");
	for (size_t i = 0; i < r->talk_count; i++)
		cJSON_AddItemToArray(list, talk_json(&r->talk[i]));
	text = json_write(o);
	cJSON_Delete(o);
	return text;
}

static bool write_all(int fd, const char *text)
{
	size_t left = strlen(text);

	while (left) {
		ssize_t n = write(fd, text, left);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		text += n;
		left -= (size_t)n;
	}
	return true;
}

bool record_write(const struct report *r, const char *file, struct error *err)
{
	CLEANUP(arena) struct arena *work = arena_new();
	char *beside = arena_print(work, "%s.XXXXXX", file);
	char *text = record_text(r);
	int   fd = mkostemp(beside, O_CLOEXEC);
	bool  fine = fd >= 0 && write_all(fd, text) && fsync(fd) == 0;

	free(text);
	if (fd >= 0)
		close(fd);
	fine = fine && rename(beside, file) == 0;
	if (!fine) {
		fail(err, FAULT_LOCAL, "%s: %s", file, strerror(errno));
		if (fd >= 0)
			unlink(beside);
	}
	return fine;
}

/* -- back --------------------------------------------------------------------------------------------------------- */

/* Anybody may have written the file: a number outside its bounds is none. */
static int64_t whole(const cJSON *o, const char *member, int64_t otherwise, int64_t least, int64_t most)
{
	double n = json_number(o, member, (double)otherwise);

	return n >= (double)least && n <= (double)most ? (int64_t)n : otherwise;
}

static enum step_state state_of(const char *name)
{
	for (enum step_state s = STEP_RUNNING; s <= STEP_SKIPPED; s++)
		if (name && strcmp(step_state_name(s), name) == 0)
			return s;
	return STEP_SKIPPED;
}

/* `most`: there are no more attempts than steps. */
static bool take_step(struct report *r, const cJSON *o, int most)
{
	const cJSON *f;
	const char  *id = json_text(o, "id");
	int          step;

	if (!id)
		return false;
	step = report_begin(r, id, (int)whole(o, "attempt", NO_ATTEMPT, NO_ATTEMPT, most), 0);
	if (r->attempts <= r->step[step].attempt)
		r->attempts = r->step[step].attempt + 1;
	cJSON_ArrayForEach(f, cJSON_GetObjectItemCaseSensitive(o, "facts")) {
		const char *name = cJSON_GetStringValue(cJSON_GetArrayItem(f, 0)), *value = cJSON_GetStringValue(cJSON_GetArrayItem(f, 1));

		if (!name || !value)
			return false;
		report_fact(r, step, name, slice_str(value));
	}
	report_end(r, step, state_of(json_text(o, "state")), 0);
	r->step[step].skip = arena_str(r->job, json_text(o, "skip"));
	r->step[step].began_ms = (int)whole(o, "began_ms", 0, 0, INT_MAX);
	r->step[step].ms = (int)whole(o, "ms", 0, 0, INT_MAX);
	return true;
}

struct report *record_parse(struct slice text, struct error *err)
{
	cJSON         *o = json_read(text, RECORD_LONGEST, err);
	const cJSON   *s;
	const char    *format = o ? json_text(o, "format") : NULL;
	struct report *r = NULL;
	bool           fine;

	if (!o)
		return NULL;
	fine = format && strcmp(format, FORMAT) == 0 && json_text(o, "address") && json_text(o, "provider");
	if (fine) {
		r = report_new(json_text(o, "address"));
		r->provider = arena_str(r->job, json_text(o, "provider"));
		r->began_unix = whole(o, "began_unix", 0, 0, INT64_C(1) << 52);
		r->attempts = (int)whole(o, "attempts", 0, 0, cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(o, "steps")));
		r->password_tries = (int)whole(o, "password_tries", 0, 0, INT_MAX);
		r->ms = (int)whole(o, "ms", 0, 0, INT_MAX);
		cJSON_ArrayForEach(s, cJSON_GetObjectItemCaseSensitive(o, "steps"))
			fine = fine && take_step(r, s, cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(o, "steps")));
	}
	cJSON_Delete(o);
	if (fine)
		return r;
	report_free(r);
	fail(err, FAULT_BROKEN, "this is no record of mailmoor");
	return NULL;
}

struct report *record_read(const char *file, struct error *err)
{
	FILE          *f = fopen(file, "re");
	struct buffer  bytes;
	struct report *r = NULL;

	if (!f) {
		fail(err, FAULT_LOCAL, "%s: %s", file, strerror(errno));
		return NULL;
	}
	buffer_init(&bytes, RECORD_LONGEST + 1);
	for (;;) {
		size_t room = 64 * 1024, got;
		char  *at = buffer_room(&bytes, &room);

		if (!at) {
			fail(err, FAULT_TOO_BIG, "%s: over %d bytes", file, RECORD_LONGEST);
			break;
		}
		got = fread(at, 1, room, f);
		buffer_grew(&bytes, got);
		if (got == 0) {
			r = ferror(f) ? NULL : record_parse(buffer_held(&bytes), err);
			if (ferror(f))
				fail(err, FAULT_LOCAL, "%s: cannot be read", file);
			break;
		}
	}
	fclose(f);
	buffer_release(&bytes);
	return r;
}
