#include "connect/vault.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

#define KEY_1 "k1 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define KEY_2 "k2 ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8="

static char folder[60], file[80];

static void begin(void)
{
	strcpy(folder, "/tmp/mailmoor-vault-XXXXXX");
	EXPECT(mkdtemp(folder));
	snprintf(file, sizeof file, "%s/keys", folder);
}

static void end(void)
{
	unlink(file);
	/* nothing else may be left beside it */
	EXPECT(rmdir(folder) == 0);
}

static void write_file(const char *text, mode_t mode)
{
	int fd;

	unlink(file);
	fd = open(file, O_WRONLY | O_CREAT | O_EXCL, 0600);
	EXPECT(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && fchmod(fd, mode) == 0);
	close(fd);
}

static const char *read_file(struct arena *into)
{
	char *text = arena_get(into, 20000);
	int   fd = open(file, O_RDONLY);

	EXPECT(fd >= 0 && read(fd, text, 19999) >= 0);
	close(fd);
	return text;
}

static struct vault *opened(const char *text)
{
	struct error  err = { 0 };
	struct vault *v;

	write_file(text, 0600);
	v = vault_open(file, false, &err);
	EXPECT_ROW(v, err.text);
	return v;
}

TEST(what_is_sealed_comes_back_under_its_label_only)
{
	static const struct { const char *at; size_t len; } rows[] = { { "hunter22", 8 }, { "", 0 }, { "\0\xff\0", 3 } };
	CLEANUP(arena) struct arena *work = arena_new();
	struct vault *v;
	struct slice  sealed, plain, again;
	struct error  err = { 0 };

	begin();
	v = opened(KEY_1 "\n");
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct slice secret = slice(rows[i].at, rows[i].len);

		EXPECT(vault_seal(v, "acc_1/password", secret, work, &sealed, &err) && vault_seal(v, "acc_1/password", secret, work, &again, &err));
		EXPECT(sealed.at[0] == 1 && !slice_equal(sealed, again) && (secret.len < 4 || !slice_has(sealed, "hunter22")));
		EXPECT(vault_unseal(v, "acc_1/password", sealed, work, &plain, &err) && slice_equal(plain, secret));
		EXPECT(!vault_unseal(v, "acc_2/password", sealed, work, &plain, &err) && err.fault == FAULT_BROKEN);
		EXPECT(!vault_unseal(v, "", sealed, work, &plain, &err) && err.fault == FAULT_BROKEN);
		EXPECT(vault_is_current(v, sealed));
	}
	vault_free(v);
	end();
}

TEST(a_sealed_secret_cut_or_bent_anywhere_does_not_open)
{
	CLEANUP(arena) struct arena *work = arena_new();
	struct vault *v;
	struct slice  sealed, plain;
	struct error  err = { 0 };
	char         *bent;

	begin();
	v = opened(KEY_1 "\n");
	EXPECT(vault_seal(v, "l", slice_str("hunter22"), work, &sealed, &err));
	for (size_t cut = 0; cut < sealed.len; cut++)
		EXPECT(!vault_unseal(v, "l", slice_upto(sealed, cut), work, &plain, &err) && err.fault == FAULT_BROKEN);
	EXPECT(!vault_unseal(v, "l", slice(NULL, 0), work, &plain, &err) && err.fault == FAULT_BROKEN);
	EXPECT(!vault_is_current(v, slice(NULL, 0)) && !vault_is_current(v, slice_upto(sealed, 10)));
	bent = arena_copy(work, sealed);
	for (size_t bit = 0; bit < sealed.len * 8; bit++) {
		bent[bit / 8] ^= (char)(1 << bit % 8);
		/* in the id of the key it may have become another one's */
		EXPECT(!vault_unseal(v, "l", slice(bent, sealed.len), work, &plain, &err) && (err.fault == FAULT_BROKEN || err.fault == FAULT_ABSENT));
		bent[bit / 8] ^= (char)(1 << bit % 8);
	}
	EXPECT(vault_unseal(v, "l", slice(bent, sealed.len), work, &plain, &err));
	vault_free(v);
	end();
}

TEST(a_rotation_keeps_what_was_sealed_until_the_old_keys_go)
{
	CLEANUP(arena) struct arena *work = arena_new();
	struct vault *v;
	struct slice  old, fresh, plain;
	struct error  err = { 0 };
	struct stat   before, after;
	char         *id;

	begin();
	v = opened(KEY_1);                      /* no line end behind it */
	EXPECT(vault_seal(v, "l", slice_str("old"), work, &old, &err));
	vault_free(v);
	EXPECT(chmod(file, 0400) == 0 && stat(file, &before) == 0);
	EXPECT_ROW(vault_add_key(file, &err), err.text);
	EXPECT(stat(file, &after) == 0 && after.st_mode == before.st_mode && after.st_ino != before.st_ino);

	v = vault_open(file, false, &err);
	EXPECT(v && strcmp(vault_key_id(v), "k1") != 0 && !vault_is_current(v, old));
	id = arena_str(work, vault_key_id(v));
	EXPECT(vault_unseal(v, "l", old, work, &plain, &err) && slice_equal(plain, slice_str("old")));
	EXPECT(vault_seal(v, "l", plain, work, &fresh, &err) && vault_is_current(v, fresh));
	vault_free(v);

	EXPECT_ROW(vault_drop_old_keys(file, &err), err.text);
	v = vault_open(file, false, &err);
	EXPECT(v);
	EXPECT_TEXT(vault_key_id(v), id);
	EXPECT(vault_unseal(v, "l", fresh, work, &plain, &err) && slice_equal(plain, slice_str("old")));
	EXPECT(!vault_unseal(v, "l", old, work, &plain, &err) && err.fault == FAULT_ABSENT && strstr(err.text, "k1"));
	vault_free(v);
	end();
}

TEST(keys_are_not_added_until_nothing_opens_the_file)
{
	struct error  err = { 0 };
	struct vault *v;
	int           added = 0;

	begin();
	write_file(KEY_1 "\n", 0600);
	while (vault_add_key(file, &err))
		EXPECT(++added < 1000);
	EXPECT(err.fault == FAULT_LOCAL && (v = vault_open(file, false, &err)) != NULL);
	vault_free(v);
	end();
}

TEST(files_that_are_no_keys)
{
	static const char *const rows[] = {
		"", "\n\n", "k1\n", "k1 \n", "k1 AAEC\n", KEY_1 "AA==\n", KEY_1 " x\n", "k/1 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
		" AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n", KEY_1 "\n" KEY_1 "\n", KEY_1 "\nnonsense\n", "k1  AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
		"k1 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n",
		"a123456789012345678901234567890123 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
	};

	begin();
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct error err = { 0 };

		write_file(rows[i], 0600);
		EXPECT_ROW(!vault_open(file, false, &err) && !vault_open(file, true, &err) && err.fault == FAULT_LOCAL, rows[i]);
		EXPECT_ROW(!strstr(err.text, "AAEC") && strstr(err.text, file), rows[i]);
		/* what does not open is not made worse either */
		EXPECT_ROW(!vault_add_key(file, &err) && !vault_drop_old_keys(file, &err), rows[i]);
	}
	end();
}

TEST(a_file_cut_anywhere_opens_with_whole_keys_or_not_at_all)
{
	static const char            both[] = KEY_1 "\n" KEY_2 "\n";
	CLEANUP(arena) struct arena *work = arena_new();

	begin();
	for (size_t cut = 0; cut < sizeof both - 1; cut++) {
		struct error  err = { 0 };
		struct vault *v;
		const char   *text = arena_copy(work, slice(both, cut));

		write_file(text, 0600);
		v = vault_open(file, false, &err);
		EXPECT_ROW((v != NULL) == (cut == sizeof KEY_1 - 1 || cut == sizeof KEY_1 || cut == sizeof both - 2), text);
		vault_free(v);
	}
	end();
}

TEST(the_mode_of_the_file_matters)
{
	static const struct { mode_t mode; bool credential, opens; } rows[] = {
		{ 0600, false, true },  { 0400, false, true },  { 0640, false, false }, { 0604, false, false }, { 0660, false, false },
		{ 0440, false, false }, { 0700, false, false }, { 0440, true, true },   { 0400, true, true },   { 0444, true, false }, { 0640, true, false },
	};

	begin();
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct error  err = { 0 };
		struct vault *v;

		write_file(KEY_1 "\n", rows[i].mode);
		if (rows[i].credential)
			setenv("CREDENTIALS_DIRECTORY", folder, 1);
		v = vault_open(file, true, &err);
		unsetenv("CREDENTIALS_DIRECTORY");
		if ((v != NULL) != rows[i].opens)
			test_fail(__FILE__, __LINE__, "mode %04o: %s", (unsigned)rows[i].mode, v ? "opened" : err.text);
		EXPECT(v || err.fault == FAULT_LOCAL);
		vault_free(v);
	}
	end();
}

TEST(a_file_of_somebody_else_is_refused)
{
	struct error err = { 0 };

	if (geteuid() != 0)
		test_skip("only root can give a file away");
	begin();
	write_file(KEY_1 "\n", 0600);
	EXPECT(chown(file, 65534, 65534) == 0 && !vault_open(file, true, &err) && err.fault == FAULT_LOCAL);
	end();
}

TEST(what_is_no_file)
{
	struct error err = { 0 };

	begin();
	EXPECT(!vault_open(file, false, &err) && err.fault == FAULT_LOCAL);
	EXPECT(!vault_open(folder, false, &err) && err.fault == FAULT_LOCAL);
	EXPECT(!vault_open("/nonexistent/keys", true, &err) && err.fault == FAULT_LOCAL);
	EXPECT(!vault_add_key(file, &err) && err.fault == FAULT_LOCAL);
	end();
}

TEST(the_first_start_makes_a_key_and_the_second_uses_it)
{
	CLEANUP(arena) struct arena *work = arena_new();
	struct vault *v;
	struct slice  sealed, plain;
	struct error  err = { 0 };
	struct stat   st;

	begin();
	v = vault_open(file, true, &err);
	EXPECT_ROW(v, err.text);
	EXPECT(vault_seal(v, "l", slice_str("x"), work, &sealed, &err) && stat(file, &st) == 0 && (st.st_mode & 07777) == 0600);
	vault_free(v);
	v = vault_open(file, true, &err);
	EXPECT(v && vault_unseal(v, "l", sealed, work, &plain, &err));
	vault_free(v);
	end();
}

/* Several processes start at once on a machine that has no key yet: what any of them seals, all can open. */
TEST(first_starts_at_once_agree_on_one_key)
{
	CLEANUP(arena) struct arena *work = arena_new();

	begin();
	for (int round = 0; round < 20; round++) {
		int   gate[2], ids[2];
		char  id[8][40];

		unlink(file);
		EXPECT(pipe(gate) == 0 && pipe(ids) == 0);
		for (int i = 0; i < 8; i++) {
			pid_t child = fork();

			EXPECT(child >= 0);
			if (child == 0) {
				char          said[40] = "", go;
				struct vault *v;

				close(gate[1]);
				/* ends with nothing when all have been started */
				if (read(gate[0], &go, 1) == 0 && (v = vault_open(file, true, NULL)))
					snprintf(said, sizeof said, "%s", vault_key_id(v));
				_exit(write(ids[1], said, sizeof said) != sizeof said);
			}
		}
		close(gate[0]);
		close(gate[1]);
		for (int i = 0; i < 8; i++)
			EXPECT(read(ids[0], id[i], sizeof id[i]) == sizeof id[i] && wait(NULL) > 0);
		close(ids[0]);
		close(ids[1]);
		for (int i = 0; i < 8; i++) {
			EXPECT(id[i][0]);
			EXPECT_TEXT(id[i], id[0]);
		}
		EXPECT(strncmp(read_file(work), id[0], strlen(id[0])) == 0);
	}
	end();
}

/* -- signing ------------------------------------------------------------------------------------------------------ */

TEST(a_signature_holds_for_its_purpose_and_text_and_key)
{
	CLEANUP(arena) struct arena *work = arena_new();
	struct vault *v;
	const char   *signature;
	char         *bent;

	begin();
	v = opened(KEY_1 "\n");
	signature = vault_sign(v, "link", slice_str("acc_1"), work);
	EXPECT(strlen(signature) == 64 && strspn(signature, "0123456789abcdef") == 64);
	EXPECT_TEXT(vault_sign(v, "link", slice_str("acc_1"), work), signature);
	EXPECT(vault_signed(v, "link", slice_str("acc_1"), signature));
	EXPECT(!vault_signed(v, "link", slice_str("acc_2"), signature) && !vault_signed(v, "cookie", slice_str("acc_1"), signature));
	EXPECT(!vault_signed(v, "linka", slice_str("cc_1"), signature) && !vault_signed(v, "lin", slice_str("kacc_1"), signature));
	bent = arena_str(work, signature);
	for (size_t i = 0; i < 64; i++) {
		bent[i] = bent[i] == '0' ? '1' : '0';
		EXPECT(!vault_signed(v, "link", slice_str("acc_1"), bent));
		bent[i] = signature[i];
		EXPECT(!vault_signed(v, "link", slice_str("acc_1"), arena_copy(work, slice(signature, i))));
	}
	EXPECT(!vault_signed(v, "link", slice_str("acc_1"), arena_print(work, "%s0", signature)));
	vault_free(v);

	/* after a rotation it holds as long as its key is there */
	v = opened(KEY_2 "\n" KEY_1 "\n");
	EXPECT(vault_signed(v, "link", slice_str("acc_1"), signature) && strcmp(vault_sign(v, "link", slice_str("acc_1"), work), signature) != 0);
	vault_free(v);
	v = opened(KEY_2 "\n");
	EXPECT(!vault_signed(v, "link", slice_str("acc_1"), signature));
	vault_free(v);
	end();
}
