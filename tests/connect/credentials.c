#include "connect/credentials.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/secret.h"
#include "test.h"

static char file[60];

static void written(const char *bytes, size_t len)
{
	FILE *f;
	int   fd;

	snprintf(file, sizeof file, "/tmp/mailmoor-credentials-XXXXXX");
	fd = mkstemp(file);
	f = fd >= 0 ? fdopen(fd, "w") : NULL;
	EXPECT(f && fwrite(bytes, 1, len, f) == len && fclose(f) == 0);
}

static bool password_of(struct credentials *c, const char *bytes, size_t len, struct error *err)
{
	bool fine;

	*c = (struct credentials){ 0 };
	written(bytes, len);
	fine = credentials_read_password(c, file, err);
	unlink(file);
	return fine;
}

static bool token_of(struct credentials *c, const char *json, struct error *err)
{
	bool fine;

	*c = (struct credentials){ 0 };
	written(json, strlen(json));
	fine = credentials_read_token(c, file, err);
	unlink(file);
	return fine;
}

static bool is_secret(const struct credentials *c, const char *text)
{
	CLEANUP(arena) struct arena *job = arena_new();

	return strcmp(secrets_strike(&c->secrets, slice_str(text), job), SECRET_STRUCK) == 0;
}

TEST(a_password_less_one_last_newline)
{
	static const struct { const char *content, *password; } rows[] = {
		{ "hunter22",          "hunter22" },
		{ "hunter22\n",        "hunter22" },
		{ "hunter22\r\n",      "hunter22" },
		{ "hunter22\n\n",      "hunter22\n" },
		{ "hunter22\r\n\r\n",  "hunter22\r\n" },
		{ "hunter22\r",        "hunter22\r" },      /* not a line end of ours: part of it */
		{ " hunter22 \n",      " hunter22 " },
		{ "two\nlines\n",      "two\nlines" },
		{ "\nhunter22",        "\nhunter22" },
		{ "p\xc3\xa4ss\xff\n", "p\xc3\xa4ss\xff" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct credentials c;
		struct error       err = { 0 };

		EXPECT_ROW(password_of(&c, rows[i].content, strlen(rows[i].content), &err), rows[i].content);
		EXPECT_TEXT(c.password, rows[i].password);
		EXPECT_ROW(!c.token && !c.expires_at && is_secret(&c, rows[i].password), rows[i].content);
		credentials_release(&c);
		EXPECT(!c.password);
		credentials_release(&c);
	}
}

TEST(what_is_no_password)
{
	static const struct { const char *content; size_t len; } rows[] = { { "", 0 }, { "\n", 1 }, { "\r\n", 2 }, { "pass\0word\n", 10 }, { "\0", 1 }, { "hunter22\0", 9 } };

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct credentials c;
		struct error       err = { 0 };

		EXPECT_ROW(!password_of(&c, rows[i].content, rows[i].len, &err), rows[i].content);
		EXPECT_ROW(err.fault == FAULT_LOCAL && !c.password && !slice_has(slice_str(err.text), "hunter22"), rows[i].content);
	}
}

TEST(the_length_is_bounded)
{
	static char        big[64 * 1024 + 1];
	struct credentials c;
	struct error       err = { 0 };

	memset(big, 'x', sizeof big);
	EXPECT(!password_of(&c, big, sizeof big, &err) && err.fault == FAULT_TOO_BIG && !c.password);
	EXPECT(password_of(&c, big, sizeof big - 2, &err) && strlen(c.password) == sizeof big - 2);
	credentials_release(&c);
	/* "over 64 KiB" is too big; 64 KiB are not */
	EXPECT(password_of(&c, big, sizeof big - 1, &err) && strlen(c.password) == sizeof big - 1);
	credentials_release(&c);
}

TEST(files_that_cannot_be_read)
{
	struct credentials c = { 0 };
	struct error       err = { 0 };

	EXPECT(!credentials_read_password(&c, "/nonexistent/password", &err) && err.fault == FAULT_LOCAL && strstr(err.text, "/nonexistent/password"));
	err = (struct error){ 0 };
	EXPECT(!credentials_read_token(&c, "/nonexistent/token", &err) && err.fault == FAULT_LOCAL);
	err = (struct error){ 0 };
	EXPECT(!credentials_read_password(&c, "/tmp", &err) && err.fault == FAULT_LOCAL);
	EXPECT(!c.password && !c.token);
}

/* "-" comes through a pipe, in as many pieces as it likes. */
TEST(standard_input)
{
	static const struct { const char *pieces[3], *password; } rows[] = {
		{ { "hunter22\n" },           "hunter22" },
		{ { "hun", "ter", "22\r\n" }, "hunter22" },
		{ { "" },                     NULL },
	};
	int saved = dup(STDIN_FILENO);

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct credentials c = { 0 };
		struct error       err = { 0 };
		int                ends[2];

		EXPECT(pipe(ends) == 0 && dup2(ends[0], STDIN_FILENO) == STDIN_FILENO);
		close(ends[0]);
		for (size_t p = 0; p < COUNT(rows[i].pieces) && rows[i].pieces[p]; p++)
			EXPECT(write(ends[1], rows[i].pieces[p], strlen(rows[i].pieces[p])) >= 0);
		close(ends[1]);
		clearerr(stdin);
		EXPECT(credentials_read_password(&c, "-", &err) == (rows[i].password != NULL));
		if (rows[i].password)
			EXPECT_TEXT(c.password, rows[i].password);
		credentials_release(&c);
	}
	EXPECT(dup2(saved, STDIN_FILENO) == STDIN_FILENO);
	close(saved);
	clearerr(stdin);
}

TEST(a_token)
{
	static const struct { const char *json, *token; int64_t expires_at; } rows[] = {
		{ "{\"access_token\":\"ya29.abc\",\"expires_in\":3599,\"obtained_at\":1795248000}", "ya29.abc", 1795251599 },
		{ "{\"access_token\":\"ya29.abc\"}",                                               "ya29.abc", 0 },
		{ "{\"access_token\":\"ya29.abc\",\"expires_in\":0,\"obtained_at\":1795248000}",    "ya29.abc", 0 },
		{ "{\"access_token\":\"ya29.abc\",\"expires_in\":-5,\"obtained_at\":1795248000}",   "ya29.abc", 0 },
		{ "\n{ \"token_type\": \"Bearer\", \"access_token\": \"ya29.abc\" }\n",            "ya29.abc", 0 },
		{ "{\"access_token\":\"ya29.abc\",\"expires_in\":null}",                           "ya29.abc", 0 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct credentials c;
		struct error       err = { 0 };

		EXPECT_ROW(token_of(&c, rows[i].json, &err), rows[i].json);
		EXPECT_TEXT(c.token, rows[i].token);
		EXPECT_ROW(c.expires_at == rows[i].expires_at && !c.password && is_secret(&c, "ya29.abc"), rows[i].json);
		credentials_release(&c);
		EXPECT(!c.token && !c.expires_at);
	}
}

/* As it was consented to, where the answer tells; else as it was obtained. */
TEST(since_when_it_is_granted)
{
	static const struct { const char *json; int64_t granted_at; } rows[] = {
		/* {"iat":1794000000} */
		{ "{\"access_token\":\"ya29.abc\",\"id_token\":\"e30.eyJpYXQiOjE3OTQwMDAwMDB9.c2ln\",\"obtained_at\":1795248000}", 1794000000 },
		{ "{\"access_token\":\"ya29.abc\",\"obtained_at\":1795248000}", 1795248000 },
		{ "{\"access_token\":\"ya29.abc\",\"id_token\":\"nonsense\"}", 0 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct credentials c;
		struct error       err = { 0 };

		EXPECT_ROW(token_of(&c, rows[i].json, &err) && c.granted_at == rows[i].granted_at, rows[i].json);
		credentials_release(&c);
	}
}

TEST(without_a_date_the_file_s_own_time_counts)
{
	static const char  json[] = "{\"access_token\":\"ya29.abc\",\"expires_in\":3600}";
	struct credentials c = { 0 };
	struct error       err = { 0 };
	struct timespec    times[2] = { { .tv_sec = 1795000000 }, { .tv_sec = 1795000000 } };

	written(json, sizeof json - 1);
	EXPECT(utimensat(AT_FDCWD, file, times, 0) == 0);
	EXPECT(credentials_read_token(&c, file, &err) && c.expires_at == 1795003600);
	unlink(file);
	credentials_release(&c);
}

TEST(everything_secret_in_the_answer_is_known_as_such)
{
	struct credentials c;
	struct error       err = { 0 };

	EXPECT(token_of(&c, "{\"access_token\":\"access-1\",\"refresh_token\":\"refresh-2\",\"id_token\":\"identity-3\",\"client_secret\":\"client-4\",\"scope\":\"scope-5\"}", &err));
	EXPECT(is_secret(&c, "access-1") && is_secret(&c, "refresh-2") && is_secret(&c, "identity-3") && is_secret(&c, "client-4") && !is_secret(&c, "scope-5"));
	credentials_release(&c);
}

TEST(what_is_no_token)
{
	static const char *const rows[] = {
		"", "ya29.abc", "[]", "{}", "{\"access_token\":7}", "{\"access_token\":null}", "{\"Access_Token\":\"x\"}", "{\"access_token\":\"\"}",
		"{\"access_token\":\"a\\u0000b\"}", "{\"error\":\"invalid_grant\"}", "{\"access_token\":\"ya29.abc\"",
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct credentials c;
		struct error       err = { 0 };

		EXPECT_ROW(!token_of(&c, rows[i], &err), rows[i]);
		EXPECT_ROW(!c.token && err.fault != FAULT_NONE && !slice_has(slice_str(err.text), "ya29"), rows[i]);
	}
}

TEST(tickets_are_for_whoever_may_read_them)
{
	static const struct { const char *prefix; bool keys; mode_t mode; bool there, fine; } rows[] = {
		{ "", true, 0600, true, true }, { "FILE:", true, 0640, true, true }, { "", true, 0604, true, false }, { "FILE:", true, 0602, true, false },
		{ "", false, 0604, true, true }, { "FILE:", false, 0600, true, true }, { "", true, 0, false, false }, { "FILE:", false, 0, false, false },
		{ "KCM:", false, 0, false, true },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct credentials   c = { 0 };
		struct error         err = { 0 };
		char                 path[] = "/tmp/keys-XXXXXX", name[40];
		int                  fd = mkstemp(path);
		struct ticket_source source;

		EXPECT(fd >= 0 && fchmod(fd, rows[i].mode) == 0);
		close(fd);
		if (!rows[i].there)
			unlink(path);
		snprintf(name, sizeof name, "%s%s", rows[i].prefix, path);
		source = (struct ticket_source){ .cache = rows[i].keys ? NULL : name, .keytab = rows[i].keys ? name : NULL };
		EXPECT_ROW(credentials_take_tickets(&c, &source, &err) == rows[i].fine && (c.tickets == &source) == rows[i].fine, name);
		EXPECT_ROW(err.fault == (rows[i].fine ? FAULT_NONE : FAULT_LOCAL), err.text);
		unlink(path);
		credentials_release(&c);
	}
	EXPECT(credentials_take_tickets(&(struct credentials){ 0 }, &(struct ticket_source){ 0 }, NULL));
}

TEST(releasing_nothing)
{
	struct credentials c = { 0 };

	credentials_release(&c);
}
