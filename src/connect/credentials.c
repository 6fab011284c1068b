#include "connect/credentials.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/json.h"
#include "base/secret.h"
#include "provider/microsoft.h"
#include "wire/oauth.h"

#define LONGEST (64 * 1024)

/* All of the file into `out`, whose limit bounds it. `*changed` is the file's own time. */
static bool read_file(const char *file, struct buffer *out, int64_t *changed, struct error *err)
{
	FILE       *f = strcmp(file, "-") == 0 ? stdin : fopen(file, "re");
	struct stat st;
	bool        fine = true;

	if (!f)
		return fail(err, FAULT_LOCAL, "%s: %s", file, strerror(errno));
	/* what passes through the library's own buffer stays on the heap */
	setvbuf(f, NULL, _IONBF, 0);
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
	if (fine && buffer_held(out).len > LONGEST)
		fine = fail(err, FAULT_TOO_BIG, "%s: over %d bytes", file, LONGEST);
	if (fine && ferror(f))
		fine = fail(err, FAULT_LOCAL, "%s: cannot be read", file);
	if (f != stdin)
		fclose(f);
	return fine;
}

bool credentials_read_file(const char *file, struct buffer *into, struct error *err)
{
	int64_t changed;

	return read_file(file, into, &changed, err);
}

static char *secret_copy(struct credentials *c, struct slice s)
{
	char *copy = must_alloc(s.len + 1);

	if (s.len)
		memcpy(copy, s.at, s.len);
	secrets_know(&c->secrets, s);
	return copy;
}

void credentials_take_password(struct credentials *c, struct slice password)
{
	c->password = secret_copy(c, password);
}

void credentials_take_grant(struct credentials *c, const struct oauth_grant *g)
{
	c->token = secret_copy(c, slice_str(g->access_token ? g->access_token : ""));
	if (g->refresh_token)
		c->refresh_token = secret_copy(c, slice_str(g->refresh_token));
	if (g->scope)
		c->scope = must_copy(g->scope);
	c->expires_at = g->expires_at;
	c->granted_at = g->granted_at;
}

bool credentials_read_password(struct credentials *c, const char *file, struct error *err)
{
	struct buffer bytes;
	struct slice  held;
	int64_t       changed = 0;
	bool          fine;

	buffer_init(&bytes, LONGEST + 1);
	fine = read_file(file, &bytes, &changed, err);
	held = buffer_held(&bytes);
	if (fine && held.len && held.at[held.len - 1] == '\n')
		held.len -= held.len > 1 && held.at[held.len - 2] == '\r' ? 2 : 1;
	if (fine && held.len == 0)
		fine = fail(err, FAULT_LOCAL, "%s: there is nothing in it", file);
	else if (fine && slice_find(held, '\0') < held.len)
		fine = fail(err, FAULT_LOCAL, "%s: a NUL byte in the password", file);
	if (fine)
		c->password = secret_copy(c, held);
	buffer_release(&bytes);
	return fine;
}

/* Seconds, as a number or (older endpoints of Microsoft) in quotes; 0 when it is neither, or absurd. */
static int64_t seconds(const cJSON *json, const char *member)
{
	const char *text = json_text(json, member);
	double      n = text ? strtod(text, NULL) : json_number(json, member, 0);

	return n > 0 && n < 1e11 ? (int64_t)n : 0;
}

/* Every secret of the answer is made known, also those that are not used here. */
static void know_all(struct credentials *c, const cJSON *json)
{
	static const char *const members[] = { "refresh_token", "id_token", "client_secret" };

	for (size_t i = 0; i < COUNT(members); i++)
		if (json_text(json, members[i]))
			secrets_know(&c->secrets, slice_str(json_text(json, members[i])));
}

bool credentials_read_token(struct credentials *c, const char *file, struct error *err)
{
	struct buffer bytes;
	int64_t       changed = 0;
	cJSON        *json = NULL;
	bool          fine;

	buffer_init(&bytes, LONGEST + 1);
	fine = read_file(file, &bytes, &changed, err) && (json = json_read(buffer_held(&bytes), LONGEST, err)) != NULL;
	if (fine && !oauth_is_sayable(json_text(json, "access_token")))
		fine = fail(err, FAULT_LOCAL, "%s: no access_token in it", file);
	if (fine) {
		int64_t lasts = seconds(json, "expires_in"), from = seconds(json, "obtained_at");

		know_all(c, json);
		c->token = secret_copy(c, slice_str(json_text(json, "access_token")));
		if (lasts > 0)
			c->expires_at = (from ? from : changed) + lasts;
		c->granted_at = oauth_issued_at(json_text(json, "id_token"));
		if (!c->granted_at)
			c->granted_at = from;
		if (json_text(json, "refresh_token"))
			c->refresh_token = secret_copy(c, slice_str(json_text(json, "refresh_token")));
		if (json_text(json, "scope"))
			c->scope = must_copy(json_text(json, "scope"));
	}
	json_forget(json);
	buffer_release(&bytes);
	return fine;
}

static void wipe(char *text)
{
	if (text)
		secret_wipe(text, strlen(text));
	free(text);
}

/* "FILE:/tmp/krb5cc_0" or without that word; NULL: no file at all (KCM:, KEYRING:, DIR: …). */
static const char *file_of(const char *name)
{
	static const char *const words[] = { "FILE:", "WRFILE:" };

	for (size_t i = 0; i < COUNT(words); i++)
		if (strncmp(name, words[i], strlen(words[i])) == 0)
			return name + strlen(words[i]);
	return strchr(name, ':') ? NULL : name;
}

bool credentials_take_tickets(struct credentials *c, const struct ticket_source *tickets, struct error *err)
{
	const char *name = tickets->keytab ? tickets->keytab : tickets->cache, *file = name ? file_of(name) : NULL;
	struct stat is;

	if (file && (stat(file, &is) != 0 || access(file, R_OK) != 0))
		return fail(err, FAULT_LOCAL, "%s: %s", file, strerror(errno));
	if (file && !S_ISREG(is.st_mode))
		return fail(err, FAULT_LOCAL, "%s: no file", file);
	if (file && tickets->keytab && is.st_mode & (S_IROTH | S_IWOTH))
		return fail(err, FAULT_LOCAL, "%s: everybody can read the keys in it (chmod o= %s)", file, file);
	c->tickets = tickets;
	return true;
}

void credentials_release(struct credentials *c)
{
	wipe(c->password);
	wipe(c->token);
	wipe(c->refresh_token);
	free(c->scope);
	secrets_forget(&c->secrets);
	*c = (struct credentials){ 0 };
}
