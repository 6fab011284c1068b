#include "wire/ntlm.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"
#include "wire/ntlm_hash.h"

static struct slice bytes_of(const char *hex, struct arena *into)
{
	size_t len = strlen(hex) / 2;
	char  *bytes = arena_get(into, len + 1);

	for (size_t i = 0; i < len; i++) {
		char digits[3] = { hex[2 * i], hex[2 * i + 1], '\0' };

		bytes[i] = (char)strtoul(digits, NULL, 16);
	}
	return slice(bytes, len);
}

static char *hex_of(struct slice bytes, struct arena *into)
{
	char *hex = arena_get(into, 2 * bytes.len + 1);

	for (size_t i = 0; i < bytes.len; i++)
		sprintf(hex + 2 * i, "%02x", (unsigned char)bytes.at[i]);
	return hex;
}

static size_t number(struct slice s, size_t at, size_t n)
{
	size_t value = 0;

	EXPECT(at + n <= s.len);
	while (n-- > 0)
		value = value << 8 | (unsigned char)s.at[at + n];
	return value;
}

/* One of an AUTHENTICATE's fields, within it. */
static struct slice field(struct slice message, size_t at)
{
	size_t len = number(message, at, 2), offset = number(message, at + 4, 4);

	EXPECT(number(message, at + 2, 2) == len && offset >= 88 && offset <= message.len && len <= message.len - offset);
	return slice(message.at + offset, len);
}

enum { LM = 12, NT = 20, DOMAIN = 28, USER = 36, WORKSTATION = 44, SESSION_KEY = 52 };

/* From MS-NLMP §4.2.4.3: "Domain" and "Server" in the target information, and no time. */
#define OLD_CHALLENGE \
	"4e544c4d53535000020000000c000c003800000033828ae20123456789abcdef00000000000000002400240044000000060070170000000f" \
	"53006500720076006500720002000c0044006f006d00610069006e0001000c0053006500720076006500720000000000"

/* As a Windows of today sends it. */
#define NEW_CHALLENGE \
	"4e544c4d53535000020000000e000e0038000000058289a20123456789abcdef00000000000000009e009e00460000000a007c4f0000000f" \
	"43004f004e0054004f0053004f0002000e0043004f004e0054004f0053004f0001000800450058003000310004001e0063006f006e007400" \
	"6f0073006f002e006500780061006d0070006c0065000300280065007800300031002e0063006f006e0074006f0073006f002e0065007800" \
	"61006d0070006c00650005001e0063006f006e0074006f0073006f002e006500780061006d0070006c006500070008000080f21e645adb01" \
	"00000000"

static const struct ntlm_login of_the_specification = {
	.domain = "Domain", .user = "User", .password = "Password", .target = "",
	.nonce = { 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa },
};

/* The whole dance; AUTHENTICATE, or NULL with `err`. */
static struct slice dance(struct ntlm_login login, struct slice challenge, struct arena *into, struct error *err)
{
	struct ntlm_challenge c;
	struct buffer         negotiate, out;
	struct slice          message = { 0 };

	memset(login.nonce, 0xaa, sizeof login.nonce);
	buffer_init(&negotiate, 1000);
	buffer_init(&out, 100000);
	ntlm_negotiate(&negotiate);
	EXPECT(ntlm_challenge_read(challenge, into, &c, err));
	if (ntlm_authenticate(&login, &c, buffer_held(&negotiate), challenge, &out, err))
		message = slice(arena_copy(into, buffer_held(&out)), buffer_held(&out).len);
	else
		EXPECT(buffer_held(&out).len == 0);
	buffer_release(&negotiate);
	buffer_release(&out);
	return message;
}

/* -- without MD4 -------------------------------------------------------------------------------------------------- */

/* The provider is loaded once in a process: in a child, and before any other test here has had it loaded. */
TEST(a_machine_without_md4_is_told_so)
{
	int   status = -1;
	pid_t child = fork();

	if (child == 0) {
		unsigned char hash[NTLM_HASH];
		struct error  err = { 0 };

		setenv("OPENSSL_MODULES", "/nonexistent", 1);
		_exit(!ntlm_md4(slice_str("x"), hash, &err) && err.fault == FAULT_LOCAL && strstr(err.text, "legacy provider")
			&& !ntlm_md4(slice_str("x"), hash, NULL) && ntlm_md5(slice_str("x"), hash, NULL) ? 7 : 1);
	}
	EXPECT(child > 0 && waitpid(child, &status, 0) == child);
	EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

static void *hash_often(void *wrong)
{
	for (int i = 0; i < 1000; i++) {
		unsigned char hash[NTLM_HASH] = { 0 };

		if (!ntlm_md4(slice_str("abc"), hash, NULL) || hash[0] != 0xa4 || hash[15] != 0x9d)
			*(bool *)wrong = true;
	}
	return NULL;
}

TEST(several_threads_load_it_once)
{
	pthread_t threads[4];
	bool      wrong[4] = { false };

	for (size_t i = 0; i < COUNT(threads); i++)
		EXPECT(pthread_create(&threads[i], NULL, hash_often, &wrong[i]) == 0);
	for (size_t i = 0; i < COUNT(threads); i++) {
		pthread_join(threads[i], NULL);
		EXPECT(!wrong[i]);
	}
}

TEST(hashes_of_the_specifications)
{
	static const struct { const char *text, *md4; } rows[] = {      /* RFC 1320 §A.5 */
		{ "",                           "31d6cfe0d16ae931b73c59d7e0c089c0" },
		{ "a",                          "bde52cb31de33e46245e05fbdbd6fb24" },
		{ "message digest",             "d9130a8164549fe818874806e1c7014b" },
		{ "abcdefghijklmnopqrstuvwxyz", "d79e1c308aa5bbcdeea8ed63df412da9" },
	};
	static const unsigned char key[NTLM_HASH] = { 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11 };
	CLEANUP(arena) struct arena *job = arena_new();
	unsigned char hash[NTLM_HASH];

	for (size_t i = 0; i < COUNT(rows); i++) {
		EXPECT(ntlm_md4(slice_str(rows[i].text), hash, NULL));
		EXPECT_TEXT(hex_of(slice((char *)hash, 16), job), rows[i].md4);
	}
	EXPECT(ntlm_md4(slice(NULL, 0), hash, NULL) && hash[0] == 0x31);
	EXPECT(ntlm_hmac(key, slice_str("Hi There"), hash, NULL));      /* RFC 2202 §2 */
	EXPECT_TEXT(hex_of(slice((char *)hash, 16), job), "9294727a3638bb1c13f48ef8158bfc9d");
}

/* -- NEGOTIATE ---------------------------------------------------------------------------------------------------- */

TEST(negotiate_tells_nothing_of_this_machine)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct buffer out;

	buffer_init(&out, 40);
	ntlm_negotiate(&out);
	EXPECT_TEXT(hex_of(buffer_held(&out), job), "4e544c4d5353500001000000058208a0000000000000000000000000000000000000000000000000");
	buffer_release(&out);
}

/* -- CHALLENGE ---------------------------------------------------------------------------------------------------- */

TEST(a_challenge_names_who_sent_it)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct ntlm_challenge c;
	struct slice          bytes = bytes_of(NEW_CHALLENGE, job);
	struct error          err = { 0 };

	EXPECT(ntlm_challenge_read(bytes, job, &c, &err));
	EXPECT_TEXT(hex_of(slice((char *)c.nonce, 8), job), "0123456789abcdef");
	EXPECT_TEXT(c.netbios_domain, "CONTOSO");
	EXPECT_TEXT(c.netbios_computer, "EX01");
	EXPECT_TEXT(c.dns_domain, "contoso.example");
	EXPECT_TEXT(c.dns_computer, "ex01.contoso.example");
	EXPECT_TEXT(c.dns_forest, "contoso.example");
	EXPECT_TEXT(c.version, "10.0.20348");
	EXPECT(c.has_time && c.time == 133800000000000000 && c.flags == 0xa2898205);
	EXPECT(c.target_info.at > bytes.at && c.target_info.at + c.target_info.len == bytes.at + bytes.len);
	EXPECT(ntlm_challenge_read(bytes_of(OLD_CHALLENGE, job), job, &c, &err) && !c.has_time);
	EXPECT_TEXT(c.netbios_domain, "Domain");
	EXPECT_TEXT(c.netbios_computer, "Server");
	EXPECT_TEXT(c.version, "6.0.6000");
	EXPECT(!c.dns_domain && !c.dns_computer && !c.dns_forest);
}

#define HEAD(flags, target, info) "4e544c4d5353500002000000" target flags "0123456789abcdef0000000000000000" info
#define NO_FIELD "0000000000000000"

static const struct { const char *row, *hex; bool fine; const char *domain, *computer, *version; } challenges[] = {
	{ "without target information", HEAD("05820000", NO_FIELD, ""), true, NULL, NULL, "" },
	{ "only its first 32 bytes", "4e544c4d5353500002000000" NO_FIELD "058200000123456789abcdef", true, NULL, NULL, "" },
	{ "a domain in its target", HEAD("05820100", "0400040028000000", "") "44004100", true, "DA", NULL, "" },
	{ "a machine in its target", HEAD("05820200", "0400040028000000", "") "44004100", true, NULL, "DA", "" },
	{ "a target in another code page", HEAD("06820100", "0200020028000000", "") "4441", true, NULL, NULL, "" },
	{ "no length, and an offset to nowhere", HEAD("05828000", "00000000ffffffff", "00000000ffffffff"), true, NULL, NULL, "" },
	{ "names where the version would be", HEAD("05828002", NO_FIELD, "0c000c0030000000") "0200040044004100" "00000000" "0000000000", true, "DA",
		NULL, "" },
	{ "a list without an end", HEAD("05828000", NO_FIELD, "0800080030000000") "0200040044004100", true, "DA", NULL, "" },
	{ "an empty name", HEAD("05828000", NO_FIELD, "0e000e0030000000") "02000000" "020002004400" "00000000", true, "D", NULL, "" },
	{ "nothing counts behind the end", HEAD("05828000", NO_FIELD, "0c000c0030000000") "00000000" "0200040044004100", true, NULL, NULL, "" },
	{ "a name within a name", HEAD("05828000", NO_FIELD, "0a000a0030000000") "0200060044000a00" "4100", true, "D?A", NULL, "" },
	{ "no flag for what would be broken", HEAD("05820000", NO_FIELD, "ffffffffffffffff"), true, NULL, NULL, "" },
	{ "nothing", "", false, NULL, NULL, NULL },
	{ "ours", "4e544c4d5353500001000000058208a0000000000000000000000000000000000000000000000000", false, NULL, NULL, NULL },
	{ "another signature", "4e544c4d5353510002000000" NO_FIELD "058200000123456789abcdef", false, NULL, NULL, NULL },
	{ "a target behind the end", HEAD("05820100", "0400040026000000", ""), false, NULL, NULL, NULL },
	{ "a target far behind the end", HEAD("05820100", "04000400fcffffff", ""), false, NULL, NULL, NULL },
	{ "information behind the end", HEAD("05828000", NO_FIELD, "0c000c0028000000"), false, NULL, NULL, NULL },
	{ "information far behind the end", HEAD("05828000", NO_FIELD, "ffff0000f0ffffff"), false, NULL, NULL, NULL },
	{ "no room for where it is", HEAD("05828000", NO_FIELD, "00000000000000"), false, NULL, NULL, NULL },
	{ "a pair cut off", HEAD("05828000", NO_FIELD, "0600060030000000") "020004004400", false, NULL, NULL, NULL },
	{ "half a pair's head", HEAD("05828000", NO_FIELD, "0200020030000000") "0200", false, NULL, NULL, NULL },
	{ "half a time", HEAD("05828000", NO_FIELD, "0800080030000000") "0700040044004100", false, NULL, NULL, NULL },
};

TEST(odd_challenges)
{
	CLEANUP(arena) struct arena *job = arena_new();

	for (size_t i = 0; i < COUNT(challenges); i++) {
		struct ntlm_challenge c;
		struct error          err = { 0 };
		struct slice          bytes = bytes_of(challenges[i].hex, job);
		bool                  fine = ntlm_challenge_read(bytes, job, &c, &err);

		EXPECT_ROW(fine == challenges[i].fine && (fine || err.fault == FAULT_BROKEN), challenges[i].row);
		if (!fine)
			continue;
		EXPECT_ROW(!c.netbios_domain == !challenges[i].domain && !c.netbios_computer == !challenges[i].computer, challenges[i].row);
		if (c.netbios_domain)
			EXPECT_TEXT(c.netbios_domain, challenges[i].domain);
		if (c.netbios_computer)
			EXPECT_TEXT(c.netbios_computer, challenges[i].computer);
		EXPECT_TEXT(c.version, challenges[i].version);
	}
}

TEST(a_challenge_cut_short_is_none)
{
	static const char *const whole[] = { OLD_CHALLENGE, NEW_CHALLENGE };
	CLEANUP(arena) struct arena *job = arena_new();

	for (size_t i = 0; i < COUNT(whole); i++) {
		struct slice bytes = bytes_of(whole[i], job);

		for (size_t len = 0; len < bytes.len; len++) {
			char                 *cut = malloc(len ? len : 1);
			struct ntlm_challenge c;
			struct error          err = { 0 };

			memcpy(cut, bytes.at, len);
			EXPECT_ROW(!ntlm_challenge_read(slice(cut, len), job, &c, &err) && err.fault == FAULT_BROKEN, whole[i]);
			free(cut);
		}
	}
}

TEST(a_challenge_has_a_limit)
{
	CLEANUP(arena) struct arena *job = arena_new();
	char                 *bytes = arena_get(job, NTLM_MOST + 1);
	struct ntlm_challenge c;
	struct error          err = { 0 };

	memcpy(bytes, bytes_of(HEAD("05820000", NO_FIELD, ""), job).at, 40);
	EXPECT(ntlm_challenge_read(slice(bytes, NTLM_MOST), job, &c, &err));
	EXPECT(!ntlm_challenge_read(slice(bytes, NTLM_MOST + 1), job, &c, &err) && err.fault == FAULT_BROKEN);
}

/* -- AUTHENTICATE ------------------------------------------------------------------------------------------------- */

/* MS-NLMP §4.2.4.2: the two responses, to the byte. */
TEST(the_responses_of_the_specification)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct error err = { 0 };
	struct slice m = dance(of_the_specification, bytes_of(OLD_CHALLENGE, job), job, &err);

	EXPECT(m.at != NULL);
	EXPECT_TEXT(hex_of(field(m, LM), job), "86c35097ac9cec102554764a57cccc19aaaaaaaaaaaaaaaa");
	EXPECT_TEXT(hex_of(field(m, NT), job), "68cd0ab851e51c96aabc927bebef6a1c"
		"01010000000000000000000000000000aaaaaaaaaaaaaaaa0000000002000c0044006f006d00610069006e0001000c005300650072007600650072000000000000000000");
	EXPECT_TEXT(hex_of(field(m, DOMAIN), job), "44006f006d00610069006e00");
	EXPECT_TEXT(hex_of(field(m, USER), job), "5500730065007200");
	EXPECT(field(m, WORKSTATION).len == 0 && field(m, SESSION_KEY).len == 0);
	/* of what this server offers (sealing, keys exchanged) only what we asked for */
	EXPECT(number(m, 60, 4) == 0xa0888201);
	/* no time, so no MIC */
	EXPECT_TEXT(hex_of(slice(m.at + 64, 24), job), "000000000000000000000000000000000000000000000000");
}

/* Proof, MIC and MD5 of the whole message, worked out from the specification in another language (Python's hashlib, an MD4 of its own). */
TEST(logins_to_a_server_of_today)
{
	static const struct { struct ntlm_login login; bool bound; const char *proof, *mic, *md5; } rows[] = {
		{ { .domain = "CONTOSO", .user = "m\xc3\xbcller", .password = "P\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", .target = "HTTP/ex01.contoso.example" },
		  true, "40bf5f5c0a8df0ad56e3871a8046a27f", "3d9ca58814040ab7dd7eb829fbbf6aa4", "ad5a8c08fa1a198731042a76f0ea64cc" },
		{ { .domain = "", .user = "a.b@contoso.example", .password = "x", .target = NULL },
		  false, "daa2f51578752bd62ff4b61abf806fd7", "c2da9df698b5d57f6fa097ff1110558d", "8f800ebc2bbca0ca280b9be7df17ddef" },
		{ { .domain = "CONTOSO", .user = "\xd0\xb6\xd1\x83\xd0\xba", .password = "", .target = "HTTP/x" },
		  false, "6cc03104a13dcc140bcff8b4b47f8bad", "4c006b419e6e96ca9b32d06e30dc39e0", "1d63b6fd119bbd3a55625f108e8b4c6e" },
	};
	CLEANUP(arena) struct arena *job = arena_new();
	struct slice challenge = bytes_of(NEW_CHALLENGE, job);

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct ntlm_login login = rows[i].login;
		unsigned char     hash[NTLM_HASH];
		struct error      err = { 0 };
		struct slice      m;

		/* SHA-256 of "certificate" */
		if (rows[i].bound)
			login.binding = bytes_of("03d66dd08835c1ca3f128cceacd1f31ac94163096b20f445ae84285bc0832d72", job);
		m = dance(login, challenge, job, &err);
		EXPECT(m.at != NULL);
		EXPECT_TEXT(hex_of(slice_upto(field(m, NT), 16), job), rows[i].proof);
		EXPECT_TEXT(hex_of(slice(m.at + 72, 16), job), rows[i].mic);
		EXPECT(ntlm_md5(m, hash, NULL));
		EXPECT_TEXT(hex_of(slice((char *)hash, 16), job), rows[i].md5);
		EXPECT_TEXT(hex_of(field(m, LM), job), "000000000000000000000000000000000000000000000000");
	}
}

static bool says(struct slice message, const char *hex, struct arena *job)
{
	return strstr(hex_of(message, job), hex) != NULL;
}

TEST(what_is_added_to_the_servers_own_words)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct ntlm_login login = of_the_specification;
	struct slice      new = bytes_of(NEW_CHALLENGE, job), m;
	struct error      err = { 0 };

	m = dance(login, new, job, &err);
	EXPECT(says(m, "0600040002000000" "00000000" "00000000", job) && !says(m, "0a001000", job) && !says(m, "09000c00", job));
	login.binding = bytes_of("03d66dd08835c1ca3f128cceacd1f31ac94163096b20f445ae84285bc0832d72", job);
	m = dance(login, new, job, &err);
	EXPECT(says(m, "0600040002000000" "0a001000" "a8398e96473163fef6cae76013e8ab5a" "00000000" "00000000", job));
	login.target = "HTTP/x";
	m = dance(login, new, job, &err);
	EXPECT(says(m, "a8398e96473163fef6cae76013e8ab5a" "09000c00" "48005400540050002f007800" "00000000", job));
	/* the server's flags are kept, its binding and target are none of its business */
	login = of_the_specification;
	m = dance(login, bytes_of(HEAD("05828000", NO_FIELD, "2400240030000000")
		"0600040001000000" "0a0002006162" "090002006364" "07000800" "0102030405060708" "00000000", job), job, &err);
	EXPECT(m.at && says(m, "07000800" "0102030405060708" "0600040003000000" "00000000" "00000000", job));
	EXPECT(!says(m, "0a000200", job) && !says(m, "09000200", job));
	/* the time is theirs, or ours where they have none */
	EXPECT(says(field(m, NT), "0101000000000000" "0102030405060708" "aaaaaaaaaaaaaaaa", job));
	login.time = 0x1122334455667788;
	m = dance(login, bytes_of(OLD_CHALLENGE, job), job, &err);
	EXPECT(says(field(m, NT), "0101000000000000" "8877665544332211" "aaaaaaaaaaaaaaaa", job));
	/* without any words of the server's */
	m = dance(login, bytes_of(HEAD("05820000", NO_FIELD, ""), job), job, &err);
	EXPECT(says(field(m, NT), "aaaaaaaaaaaaaaaa" "00000000" "00000000" "00000000", job) && field(m, NT).len == 16 + 28 + 8);
}

TEST(the_user_counts_in_any_case_the_password_does_not)
{
	static const struct { const char *domain, *user, *password; bool same; } rows[] = {
		{ "Domain", "uSER", "Password", true }, { "Domain", "User", "password", false }, { "domain", "User", "Password", false },
		{ "", "User", "Password", false },
	};
	CLEANUP(arena) struct arena *job = arena_new();

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct ntlm_login login = of_the_specification;
		struct error      err = { 0 };
		struct slice      m;

		login.domain = rows[i].domain, login.user = rows[i].user, login.password = rows[i].password;
		m = dance(login, bytes_of(OLD_CHALLENGE, job), job, &err);
		EXPECT_ROW(m.at && says(field(m, NT), "68cd0ab851e51c96aabc927bebef6a1c", job) == rows[i].same, rows[i].user);
	}
}

TEST(what_cannot_be_sent)
{
	CLEANUP(arena) struct arena *job = arena_new();
	char                 *endless = arena_get(job, 40001);
	struct ntlm_login     login = of_the_specification;
	struct ntlm_challenge c;
	struct slice          old = bytes_of(OLD_CHALLENGE, job);
	struct error          err = { 0 };
	struct buffer         out;

	memset(endless, 'x', 40000);
	login.user = endless;
	EXPECT(!dance(login, old, job, &err).at && err.fault == FAULT_TOO_BIG);
	login = of_the_specification;
	login.password = endless;
	EXPECT(!dance(login, old, job, &err).at && err.fault == FAULT_TOO_BIG);
	login = of_the_specification;
	login.target = endless;
	EXPECT(!dance(login, old, job, &err).at && err.fault == FAULT_TOO_BIG);
	login = of_the_specification;
	EXPECT(!dance(login, bytes_of(HEAD("06820000", NO_FIELD, ""), job), job, &err).at && err.fault == FAULT_NOT_OFFERED);
	buffer_init(&out, 100);
	EXPECT(ntlm_challenge_read(old, job, &c, &err));
	EXPECT(!ntlm_authenticate(&login, &c, old, old, &out, &err) && err.fault == FAULT_TOO_BIG && buffer_held(&out).len == 0);
	buffer_release(&out);
}

/* -- names -------------------------------------------------------------------------------------------------------- */

TEST(names)
{
	static const struct { const char *name, *domain, *user; } rows[] = {
		{ "CONTOSO\\mueller", "CONTOSO", "mueller" },  { "mueller@contoso.example", "", "mueller@contoso.example" },
		{ "mueller", "", "mueller" },                  { "\\mueller", "", "mueller" },
		{ "CONTOSO\\a@b", "CONTOSO", "a@b" },          { "A\\b\\c", "A", "b\\c" },
		{ "CONTOSO\\", "CONTOSO", "" },                { "", "", "" },
	};
	CLEANUP(arena) struct arena *job = arena_new();

	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *domain, *user;

		ntlm_name(rows[i].name, job, &domain, &user);
		EXPECT_TEXT(domain, rows[i].domain);
		EXPECT_TEXT(user, rows[i].user);
	}
}
