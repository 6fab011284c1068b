#include "connect/credentials.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/buffer.h"
#include "base/json.h"
#include "base/secret.h"

#define LONGEST (64 * 1024)

/* All of the file into `out`, whose limit bounds it. `*changed` is the file's own time. */
static bool read_file(const char *file, struct buffer *out, int64_t *changed, struct error *err)
{
	FILE       *f = strcmp(file, "-") == 0 ? stdin : fopen(file, "re");
	struct stat st;
	bool        fine = true;

	if (!f)
		return fail(err, FAULT_LOCAL, "%s: %s", file, strerror(errno));
	*changed = fstat(fileno(f), &st) == 0 ? (int64_t)st.st_mtime : 0;
	for (;;) {
		size_t room = 4096, got;
		char  *at = buffer_room(out, &room);

		if (!at) {
			fine = fail(err, FAULT_TOO_BIG, "%s: over %d bytes", file, LONGEST);
			break;
		}
		got = fread(at, 1, room, f);
		buffer_grew(out, got);
		if (got == 0)
			break;
	}
	if (fine && ferror(f))
		fine = fail(err, FAULT_LOCAL, "%s: cannot be read", file);
	if (f != stdin)
		fclose(f);
	return fine;
}

static char *secret_copy(struct slice s)
{
	char *copy = must_alloc(s.len + 1);

	if (s.len)
		memcpy(copy, s.at, s.len);
	secret_know(s);
	return copy;
}

bool credentials_read_password(struct credentials *c, const char *file, struct error *err)
{
	struct buffer bytes;
	struct slice  held;
	int64_t       changed;
	bool          fine;

	buffer_init(&bytes, LONGEST);
	fine = read_file(file, &bytes, &changed, err);
	held = buffer_held(&bytes);
	if (fine && held.len && held.at[held.len - 1] == '\n')
		held.len--;
	if (fine && held.len && held.at[held.len - 1] == '\r')
		held.len--;
	if (fine && held.len == 0)
		fine = fail(err, FAULT_LOCAL, "%s: no password in it", file);
	else if (fine && slice_find(held, '\0') < held.len)
		fine = fail(err, FAULT_LOCAL, "%s: a NUL byte in the password", file);
	if (fine)
		c->password = secret_copy(held);
	buffer_release(&bytes);
	return fine;
}

/* Every secret of the answer is made known, also those that are not used here. */
static void know_all(const cJSON *json)
{
	static const char *const members[] = { "refresh_token", "id_token", "client_secret" };

	for (size_t i = 0; i < COUNT(members); i++)
		if (json_text(json, members[i]))
			secret_know(slice_str(json_text(json, members[i])));
}

bool credentials_read_token(struct credentials *c, const char *file, struct error *err)
{
	struct buffer bytes;
	int64_t       changed;
	cJSON        *json = NULL;
	bool          fine;

	buffer_init(&bytes, LONGEST);
	fine = read_file(file, &bytes, &changed, err) && (json = json_read(buffer_held(&bytes), LONGEST, err)) != NULL;
	if (fine && !json_text(json, "access_token"))
		fine = fail(err, FAULT_LOCAL, "%s: no access_token in it", file);
	if (fine) {
		double lasts = json_number(json, "expires_in", 0);

		know_all(json);
		c->token = secret_copy(slice_str(json_text(json, "access_token")));
		if (lasts > 0)
			c->expires_at = (int64_t)(json_number(json, "obtained_at", (double)changed) + lasts);
	}
	cJSON_Delete(json);
	buffer_release(&bytes);
	return fine;
}

static void wipe(char *text)
{
	if (text)
		secret_wipe(text, strlen(text));
	free(text);
}

void credentials_release(struct credentials *c)
{
	wipe(c->password);
	wipe(c->token);
	*c = (struct credentials){ 0 };
}
