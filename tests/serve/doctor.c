/* What the doctor makes of foreign words: of mail servers, of the kernel's tables. The whole of it is looked at by tests/flows/unit.py. */
#include "serve/doctor_parts.h"

#include "test.h"
#include "transcript.h"

TEST(the_owner_of_a_lock)
{
	static const struct { const char *line; ino_t inode; pid_t pid; } rows[] = {
		{ "1: FLOCK  ADVISORY  WRITE 1234 fe:01:131 0 EOF", 131, 1234 },
		{ "12: FLOCK  ADVISORY  WRITE 7 00:2b:18446744073709551615 0 EOF", (ino_t)18446744073709551615ull, 7 },
		{ "1: FLOCK  ADVISORY  WRITE 1234 fe:01:132 0 EOF", 131, 0 },
		{ "1: FLOCK  ADVISORY  READ 1234 fe:01:131 0 EOF", 131, 0 },
		{ "1: POSIX  ADVISORY  WRITE 1234 fe:01:131 0 EOF", 131, 0 },
		{ "1: -> FLOCK  ADVISORY  WRITE 1234 fe:01:131 0 EOF", 131, 0 },
		{ "1: FLOCK  ADVISORY  WRITE -1 fe:01:131 0 EOF", 131, 0 },
		{ "1: FLOCK  ADVISORY", 131, 0 }, { "", 131, 0 },
		{ "1: FLOCKFLOCKFLOCKFLOCKFLOCK ADVISORY WRITE 1234 fe:01:131 0 EOF", 131, 0 },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		EXPECT_ROW(lock_owner(rows[i].line, rows[i].inode) == rows[i].pid, rows[i].line);
}

TEST(limits_of_a_process)
{
	static const char text[] = "Limit                     Soft Limit           Hard Limit           Units     \n"
	                           "Max cpu time              unlimited            unlimited            seconds   \n"
	                           "Max open files            1024                 1048576              files     \n"
	                           "Max locked memory         8388608              8388608              bytes\nMax nothing\n";
	int64_t soft = 0, hard = 0;

	EXPECT(limit_read(text, "Max open files", &soft, &hard) && soft == 1024 && hard == 1048576);
	EXPECT(limit_read(text, "Max locked memory", &soft, &hard) && soft == 8388608 && hard == 8388608);
	EXPECT(limit_read(text, "Max cpu time", &soft, &hard) && soft == -1 && hard == -1);
	EXPECT(!limit_read(text, "Max nothing", &soft, &hard) && !limit_read(text, "Max sticks", &soft, &hard) && !limit_read("", "Max open files", &soft, &hard));
}

TEST(days_of_a_certificate)
{
	struct tls_certificate c = { .not_after = 1000000 };

	EXPECT(days_left(&c, 1000000) == 0 && days_left(&c, 1000000 - 86399) == 0 && days_left(&c, 1000000 - 86400) == 1);
	EXPECT(days_left(&c, 1000001) == -1 && days_left(&c, 1000000 + 86400) == -1 && days_left(&c, 1000000 + 86401) == -2);
}

TEST(flaws_in_words)
{
	struct arena *work = arena_new();

	EXPECT_TEXT(flaw_words(&(struct tls_answer){ .flaws = TLS_FLAW_EXPIRED | TLS_FLAW_NAME }, work), "its certificate has ended and is for other names");
	EXPECT_TEXT(flaw_words(&(struct tls_answer){ .reason = "wrong version number" }, work), "wrong version number");
	EXPECT_TEXT(flaw_words(&(struct tls_answer){ 0 }, work), "TLS did not come about");
	for (unsigned flaw = TLS_FLAW_NAME; flaw < TLS_FLAW_OTHER; flaw <<= 1)
		EXPECT(strncmp(flaw_words(&(struct tls_answer){ .flaws = flaw, .reason = "no word for it" }, work), "its certificate ", 16) == 0);
	arena_free(work);
}

/* -- the registration at Microsoft -------------------------------------------------------------------------------- */

static void remember(void *self, const struct remark *r)
{
	*(enum remark_state *)self = r->state;
}

TEST(a_publisher_has_to_be_verified_where_others_sign_in)
{
	static const struct { const char *client, *tenant, *verified; enum remark_state state; } rows[] = {
		{ NULL, NULL, NULL, REMARK_SKIPPED }, { "id", NULL, NULL, REMARK_WARNED }, { "id", "common", "no", REMARK_WARNED }, { "id", "organizations", "maybe", REMARK_WARNED },
		{ "id", "birch.example", NULL, REMARK_SKIPPED }, { "id", NULL, "yes", REMARK_PASSED }, { "id", "birch.example", "yes", REMARK_PASSED },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		enum remark_state state = REMARK_FAILED;
		struct doctor     d = { .found = remember, .self = &state };

		d.app.microsoft = (struct microsoft_app){ .client_id = rows[i].client, .tenant = rows[i].tenant };
		if (rows[i].verified)
			settings_set(&d.settings, SETTING_MICROSOFT_VERIFIED, rows[i].verified);
		check_publisher(&d);
		EXPECT_ROW(state == rows[i].state && !d.failed, rows[i].tenant ? rows[i].tenant : "none");
		settings_release(&d.settings);
	}
}

/* -- at the door of a mail server --------------------------------------------------------------------------------- */

#define HELLO "-- connect\nS: 220 mx.oak.example ESMTP Postfix\nC: EHLO [127.0.0.1]\n"

static const struct knocked {
	const char *script, *greeting;
	int         code;
	bool        offers_tls;
	enum came   came, secured;
} knocked[] = {
	{ HELLO "S: 250-mx.oak.example\nS: 250 SIZE 1000\nC: QUIT\n", "mx.oak.example ESMTP Postfix", 250, false, CAME, CAME_NOTHING },
	{ HELLO "S: 250-mx.oak.example\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 go\n-- tls\nC: QUIT\n", "mx.oak.example ESMTP Postfix", 220, true, CAME, CAME },
	{ HELLO "S: 250-mx.oak.example\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 go\n-- tls tls_failed\n", "mx.oak.example ESMTP Postfix", 220, true, CAME, CAME_TLS_FAILED },
	{ HELLO "S: 250-mx.oak.example\nS: 250 STARTTLS\nC: STARTTLS\nS: 454 not now\n", "mx.oak.example ESMTP Postfix", 454, true, CAME, CAME_NOTHING },
	{ HELLO "S: 502 what?\n", "mx.oak.example ESMTP Postfix", 502, false, CAME, CAME_NOTHING },
	{ "-- connect\nS: 554-no\nS: 554 service\n", "no service", 554, false, CAME, CAME_NOTHING },
	{ "-- connect\nS: * OK IMAP4rev1\n", NULL, 0, false, CAME, CAME_NOTHING },
	{ "-- connect\n-- silence\n", NULL, 0, false, CAME, CAME_NOTHING },
	{ "-- connect\n-- end\n", NULL, 0, false, CAME, CAME_NOTHING },
	{ "-- connect refused\n", NULL, 0, false, CAME_REFUSED, CAME_NOTHING },
	{ "-- connect timeout\n", NULL, 0, false, CAME_TIMEOUT, CAME_NOTHING },
};

static void play(const struct knocked *row, bool piecemeal)
{
	CLEANUP(transcript) struct transcript *t = transcript_new(row->script);
	CLEANUP(arena)      struct arena      *job = arena_new();
	struct error err = { 0 };
	struct knock k;

	knock_init(&k, job, "192.0.2.25", 25, true);
	transcript_title(t, row->script);
	if (piecemeal)
		transcript_piecemeal(t);
	EXPECT_ROW(transcript_run(t, knock_step, &k, &err), row->script);
	EXPECT_ROW(k.dns == DNS_FOUND && k.came == row->came && k.code == row->code && k.offers_tls == row->offers_tls, row->script);
	EXPECT_ROW(k.secured == row->secured && !k.greeting == !row->greeting, row->script);
	if (row->greeting)
		EXPECT_TEXT(k.greeting, row->greeting);
	knock_release(&k);
}

TEST(mail_servers_and_others_at_a_port)
{
	for (size_t i = 0; i < COUNT(knocked); i++) {
		play(&knocked[i], false);
		/* what is no reply at all is seen at its first byte: the rest of the script would not be played */
		if (knocked[i].code || !strstr(knocked[i].script, "S: "))
			play(&knocked[i], true);
	}
}

TEST(a_port_where_nothing_is_to_be_said)
{
	CLEANUP(transcript) struct transcript *t = transcript_new("-- connect\n");
	CLEANUP(arena)      struct arena      *job = arena_new();
	struct error err = { 0 };
	struct knock k;

	knock_init(&k, job, "192.0.2.25", 993, false);
	EXPECT(transcript_run(t, knock_step, &k, &err) && k.came == CAME);
	EXPECT_TEXT(transcript_said(t), "");
	knock_release(&k);
}

/* Every beginning of what a server says, and then its end. */
TEST(a_mail_server_that_stops_anywhere)
{
	static const char heard[] = "220 mx.oak.example ESMTP\r\n250-mx.oak.example\r\n250-SIZE 1\r\n250 STARTTLS\r\n220 go\r\n";

	for (size_t cut = 0; cut < sizeof heard; cut++) {
		CLEANUP(arena) struct arena *job = arena_new();
		struct error   err = { 0 };
		struct knock   k;
		struct want    w = { 0 };
		enum want_kind wanted;
		size_t         turns = 0;

		knock_init(&k, job, "192.0.2.25", 25, true);
		for (bool fed = false; (wanted = knock_step(&k, &w, &err)) != WANT_NOTHING && turns < 20; turns++) {
			EXPECT(wanted == WANT_CONNECT || wanted == WANT_READ || wanted == WANT_TLS || wanted == WANT_WRITE);
			w.came = wanted == WANT_READ && fed ? CAME_END : CAME;
			if (wanted == WANT_READ && !fed)
				fed = buffer_add(&k.line.in, slice(heard, cut));
		}
		EXPECT(turns < 20 && (k.secured == CAME) == (cut == sizeof heard - 1));
		knock_release(&k);
	}
}
