#include "provider/smtp.h"

#include "base/secret.h"
#include "diagnose/diagnose.h"
#include "provider/promises.h"
#include "test.h"
#include "transcript.h"

static struct secrets known;

struct scene {
	struct report      *report;
	struct endpoint     place;
	struct login        login;
	struct login_gate   gate;
	struct smtp_session smtp;
	struct smtp_message message;
	bool                opened;
};

static void scene_open(struct scene *s, enum endpoint_socket socket, enum endpoint_source source, const char *user, const char *password, const char *token)
{
	*s = (struct scene){
		.report = report_new("ann@birch.example"),
		.place = { .service = SERVICE_SMTP, .host = "192.0.2.7", .port = socket == SOCKET_TLS ? 465 : 587, .socket = socket, .source = source },
		.login = { .username = user, .username_form = "address", .password = password, .token = token, .nonce = NONCE },
		.gate = { .gate = { .open = true } },
	};
	s->report->keep_talk = true;
	smtp_session_init(&s->smtp, s->report, &s->place, &s->login, &s->gate, waits_within(30000), 15000, report_attempt(s->report));
}

static void scene_close(struct scene *s)
{
	smtp_session_release(&s->smtp);
	report_free(s->report);
}

/* Open, send when there is something to send, goodbye. */
static enum want_kind session_step(void *self, struct want *w, struct error *err)
{
	struct scene *s = self;

	if (!s->opened) {
		PASS(smtp_open_step(&s->smtp, w, err));
		s->opened = true;
	}
	if (s->smtp.logged_in && s->smtp.message)
		PASS(smtp_send_step(&s->smtp, w, err));
	smtp_goodbye(&s->smtp, w);
	return WANT_NOTHING;
}

#define EHLO          "C: EHLO [127.0.0.1]\n"
#define HELLO(words)  "S: 220 smtp.birch.example ESMTP\n" EHLO "S: 250-smtp.birch.example\nS: 250-SIZE 1000000\nS: 250 " words "\n"
#define PLAIN         "AGFubkBiaXJjaC5leGFtcGxlAGh1bnRlcjIy"
#define XOAUTH2       "dXNlcj1hbm5AYmlyY2guZXhhbXBsZQFhdXRoPUJlYXJlciB5YTI5LnRva2VuLW9mLWFubgEB"
#define REASON        "eyJzdGF0dXMiOiI0MDAiLCJzY2hlbWVzIjoiYmVhcmVyIiwic2NvcGUiOiJodHRwczovL21haWwuZ29vZ2xlLmNvbS8ifQ=="
#define SCRAM_FIRST   "biwsbj11c2VyLHI9ck9wck5HZndFYmVSV2diTkVrcU8="
#define SCRAM_SERVER  "cj1yT3ByTkdmd0ViZVJXZ2JORWtxTyVodllEcFdVYTJSYVRDQWZ1eEZJbGopaE5sRiRrMCxzPVcyMlphSjBTTlk3c29Fc1VFamI2Z1E9PSxpPTQwOTY="
#define SCRAM_FINAL   "Yz1iaXdzLHI9ck9wck5HZndFYmVSV2diTkVrcU8laHZZRHBXVWEyUmFUQ0FmdXhGSWxqKWhObEYkazAscD1kSHpiWmFwV0lrNGpVaE4rVXRlOXl0YWc5empmTUhnc3FtbWl6N0FuZFZRPQ=="
#define SCRAM_PROOF   "dj02cnJpVFJCaTIzV3BSUi93dHVwK21NaFVaVW4vZEI1bkxUSlJzamw5NUc0PQ=="
#define CRAM_ASKS     "PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+"
#define CRAM_ANSWER   "dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw"
#define WELCOME       "S: 235 2.7.0 welcome\nC: QUIT\n"

#define USER          "ann@birch.example", PASSWORD, NULL
#define BY_TOKEN      "ann@birch.example", NULL, TOKEN
#define NOBODY        NULL, NULL, NULL

static const struct {
	const char          *name;
	enum endpoint_socket socket;
	enum endpoint_source source;
	const char          *user, *password, *token;
	const char          *script;
	enum fault           fault;
	bool                 asked, refused, signed_in;
	const char          *step, *fact, *value;
	bool                 whole_only;
} sessions[] = {
	/* -- greetings and EHLO */
	{ "PLAIN", SOCKET_TLS, SOURCE_USER, USER, HELLO("AUTH PLAIN LOGIN") "C: AUTH PLAIN " PLAIN "\n" WELCOME,
	  FAULT_NONE, true, false, true, "smtp.ehlo", FACT_AUTH_OFFERED, "PLAIN LOGIN", false },
	{ "a greeting of several lines", SOCKET_TLS, SOURCE_USER, NOBODY, "S: 220-smtp.birch.example ESMTP\nS: 220-no spam\nS: 220 please\n" EHLO "S: 250 smtp.birch.example\nC: QUIT\n",
	  FAULT_NONE, false, false, false, "smtp.greeting", FACT_GREETING, NULL, false },
	{ "an EHLO of one line", SOCKET_TLS, SOURCE_USER, USER, "S: 220 hi\n" EHLO "S: 250 smtp.birch.example\n",
	  FAULT_NOT_OFFERED, false, false, false, "smtp.login", FACT_AUTH_OFFERED, "nothing", false },
	{ "the old form of AUTH", SOCKET_TLS, SOURCE_USER, USER, HELLO("AUTH=PLAIN") "C: AUTH PLAIN " PLAIN "\n" WELCOME, FAULT_NONE, true, false, true, NULL, NULL, NULL, false },
	{ "not now", SOCKET_TLS, SOURCE_USER, USER, "S: 421 4.3.2 too busy\n", FAULT_BUSY, false, false, false, "smtp.greeting", FACT_REPLY_CODE, "421", false },
	{ "not you", SOCKET_TLS, SOURCE_USER, USER, "S: 554-5.7.1 blocked\nS: 554 see https://birch.example/\n",
	  FAULT_REFUSED, false, false, false, "smtp.greeting", FACT_REPLY_ENHANCED, "5.7.1", false },
	{ "EHLO refused", SOCKET_TLS, SOURCE_USER, USER, "S: 220 hi\n" EHLO "S: 502 what?\n", FAULT_REFUSED, false, false, false, "smtp.ehlo", FACT_REPLY_CODE, "502", false },
	{ "IMAP", SOCKET_TLS, SOURCE_USER, USER, "S: * OK ready\n", FAULT_BROKEN, false, false, false, "smtp.greeting", FACT_PROTOCOL, "imap", true },
	{ "FTP", SOCKET_TLS, SOURCE_USER, USER, "S: 220 FTP server ready\n", FAULT_BROKEN, false, false, false, "smtp.greeting", FACT_PROTOCOL, "ftp", false },
	{ "silence", SOCKET_TLS, SOURCE_USER, USER, "-- silence\n", FAULT_TIMEOUT, false, false, false, "smtp.greeting", FACT_NET_OUTCOME, "timeout", false },
	{ "of codes that change within a reply the last counts", SOCKET_TLS, SOURCE_USER, USER, "S: 220 hi\n" EHLO "S: 250-smtp.birch.example\nS: 550 AUTH PLAIN\n",
	  FAULT_REFUSED, false, false, false, "smtp.ehlo", FACT_REPLY_CODE, "550", false },

	/* -- our address */
	{ "it tells our address", SOCKET_TLS, SOURCE_USER, NOBODY, "S: 220 hi\n" EHLO "S: 250-smtp.birch.example at your service, [8.8.4.4]\nS: 250 SIZE 1\nC: QUIT\n",
	  FAULT_NONE, false, false, false, "smtp.ehlo", FACT_OUR_SEEN, "8.8.4.4", false },
	{ "it tells our address once nobody else can", SOCKET_STARTTLS, SOURCE_USER, NOBODY,
	  "S: 220 hi\n" EHLO "S: 250-mx Hello [9.9.9.9]\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 go\n-- tls\n" EHLO "S: 250 mx Hello [8.8.4.4]\nC: QUIT\n",
	  FAULT_NONE, false, false, false, "smtp.ehlo", FACT_OUR_SEEN, "8.8.4.4", false },

	/* -- STARTTLS */
	{ "STARTTLS", SOCKET_STARTTLS, SOURCE_USER, USER,
	  HELLO("STARTTLS") "C: STARTTLS\nS: 220 go\n-- tls\n" EHLO "S: 250-smtp.birch.example\nS: 250 AUTH PLAIN\nC: AUTH PLAIN " PLAIN "\n" WELCOME,
	  FAULT_NONE, true, false, true, "smtp.starttls", FACT_STARTTLS_OFFERED, "yes", false },
	{ "what was offered in the clear does not hold inside", SOCKET_STARTTLS, SOURCE_USER, USER,
	  "S: 220 hi\n" EHLO "S: 250-hi\nS: 250-AUTH PLAIN\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 go\n-- tls\n" EHLO "S: 250 hi\n",
	  FAULT_NOT_OFFERED, false, false, false, "smtp.ehlo", FACT_AUTH_CLEAR, "PLAIN", false },
	{ "STARTTLS not offered", SOCKET_STARTTLS, SOURCE_USER, USER, HELLO("AUTH PLAIN"), FAULT_NOT_OFFERED, false, false, false, "smtp.starttls", FACT_STARTTLS_OFFERED, "no", false },
	{ "STARTTLS struck out", SOCKET_STARTTLS, SOURCE_USER, USER, HELLO("XXXXXXXA"), FAULT_NOT_OFFERED, false, false, false, "smtp.ehlo", FACT_STARTTLS_STRIPPED, "XXXXXXXA", false },
	{ "STARTTLS refused", SOCKET_STARTTLS, SOURCE_USER, USER, HELLO("STARTTLS") "C: STARTTLS\nS: 454 4.7.0 not now\n",
	  FAULT_BUSY, false, false, false, "smtp.starttls", FACT_REPLY_ENHANCED, "4.7.0", false },
	{ "bytes injected behind the 220", SOCKET_STARTTLS, SOURCE_USER, USER, HELLO("STARTTLS") "C: STARTTLS\nS: 220 go\nS: 250-hi\nS: 250 AUTH PLAIN\n",
	  FAULT_BROKEN, false, false, false, "smtp.starttls", FACT_STARTTLS_INJECTED, "yes", true },
	{ "the handshake breaks", SOCKET_STARTTLS, SOURCE_USER, USER, HELLO("STARTTLS") "C: STARTTLS\nS: 220 go\n-- tls tls_failed\n",
	  FAULT_TLS, false, false, false, "smtp.tls", FACT_NET_OUTCOME, "tls_failed", false },

	/* -- whether to sign in at all */
	{ "no credentials", SOCKET_TLS, SOURCE_USER, NOBODY, HELLO("AUTH PLAIN") "C: QUIT\n", FAULT_NONE, false, false, false, NULL, NULL, NULL, false },
	{ "a host that nobody confirmed", SOCKET_TLS, SOURCE_GUESS, USER, HELLO("AUTH PLAIN") "C: QUIT\n", FAULT_NONE, false, false, false, NULL, NULL, NULL, false },
	{ "nothing in common", SOCKET_TLS, SOURCE_USER, USER, HELLO("AUTH GSSAPI NTLM"), FAULT_NOT_OFFERED, false, false, false, "smtp.login", FACT_AUTH_NO_COMMON, "yes", false },
	{ "a token and no mechanism for it", SOCKET_TLS, SOURCE_USER, BY_TOKEN, HELLO("AUTH PLAIN LOGIN"), FAULT_NOT_OFFERED, false, false, false, "smtp.login", FACT_AUTH_BY, "token", false },

	/* -- the mechanisms */
	{ "LOGIN", SOCKET_TLS, SOURCE_USER, USER, HELLO("AUTH LOGIN") "C: AUTH LOGIN\nS: 334 VXNlcm5hbWU6\nC: YW5uQGJpcmNoLmV4YW1wbGU=\nS: 334 UGFzc3dvcmQ6\nC: aHVudGVyMjI=\n" WELCOME,
	  FAULT_NONE, true, false, true, "smtp.login", FACT_AUTH_MECHANISM, "LOGIN", false },
	{ "LOGIN refused at the name", SOCKET_TLS, SOURCE_USER, USER, HELLO("AUTH LOGIN") "C: AUTH LOGIN\nS: 334 VXNlcm5hbWU6\nC: YW5uQGJpcmNoLmV4YW1wbGU=\nS: 535 5.7.8 no such user\n",
	  FAULT_REFUSED, true, true, false, "smtp.login", FACT_REPLY_ENHANCED, "5.7.8", false },
	{ "SCRAM", SOCKET_TLS, SOURCE_USER, "user", "pencil", NULL,
	  HELLO("AUTH SCRAM-SHA-256") "C: AUTH SCRAM-SHA-256 " SCRAM_FIRST "\nS: 334 " SCRAM_SERVER "\nC: " SCRAM_FINAL "\nS: 334 " SCRAM_PROOF "\nC: \n" WELCOME,
	  FAULT_NONE, true, false, true, "smtp.login", FACT_AUTH_MECHANISM, "SCRAM-SHA-256", false },
	{ "SCRAM, a server that proves nothing", SOCKET_TLS, SOURCE_USER, "user", "pencil", NULL,
	  HELLO("AUTH SCRAM-SHA-256") "C: AUTH SCRAM-SHA-256 " SCRAM_FIRST "\nS: 334 " SCRAM_SERVER "\nC: " SCRAM_FINAL "\nS: 235 2.7.0 welcome\n",
	  FAULT_BROKEN, true, false, false, "smtp.login", FACT_REPLY_BROKEN, NULL, false },
	{ "CRAM-MD5", SOCKET_TLS, SOURCE_USER, "tim", "tanstaaftanstaaf", NULL, HELLO("AUTH CRAM-MD5") "C: AUTH CRAM-MD5\nS: 334 " CRAM_ASKS "\nC: " CRAM_ANSWER "\n" WELCOME,
	  FAULT_NONE, true, false, true, "smtp.login", FACT_AUTH_MECHANISM, "CRAM-MD5", false },
	{ "XOAUTH2 refused with a reason", SOCKET_TLS, SOURCE_USER, BY_TOKEN,
	  HELLO("AUTH XOAUTH2") "C: AUTH XOAUTH2 " XOAUTH2 "\nS: 334 " REASON "\nC: \nS: 535-5.7.8 Username and Password not accepted.\nS: 535 5.7.8 https://support.google.com/mail/?p=BadCredentials\n",
	  FAULT_REFUSED, true, true, false, "smtp.login", FACT_SASL_STATUS, "400", false },
	{ "a challenge that makes no sense", SOCKET_TLS, SOURCE_USER, "tim", "tanstaaftanstaaf", NULL, HELLO("AUTH CRAM-MD5") "C: AUTH CRAM-MD5\nS: 334 !!!\nC: *\nS: 501 given up\n",
	  FAULT_REFUSED, true, false, false, "smtp.login", FACT_AUTH_NO_COMMON, "yes", false },

	/* -- refusals */
	{ "a refusal of several lines", SOCKET_TLS, SOURCE_USER, USER, HELLO("AUTH PLAIN") "C: AUTH PLAIN " PLAIN "\nS: 535-5.7.8 no.\nS: 535-5.7.8 really\nS: 535 5.7.8 no\n",
	  FAULT_REFUSED, true, true, false, "smtp.login", FACT_REPLY_CODE, "535", false },
	{ "a refusal for now", SOCKET_TLS, SOURCE_USER, USER, HELLO("AUTH PLAIN") "C: AUTH PLAIN " PLAIN "\nS: 454 4.7.0 later\n", FAULT_BUSY, true, true, false, "smtp.login", FACT_REPLY_CODE, "454", false },
	{ "cut while signing in", SOCKET_TLS, SOURCE_USER, USER, HELLO("AUTH PLAIN") "C: AUTH PLAIN " PLAIN "\n-- reset\n", FAULT_NETWORK, true, false, false, "smtp.login", FACT_NET_OUTCOME, "reset", false },
	{ "closed in the middle of a reply", SOCKET_TLS, SOURCE_USER, USER, HELLO("AUTH PLAIN") "C: AUTH PLAIN " PLAIN "\nS: 535-5.7.8 no.\n-- end\n",
	  FAULT_NETWORK, true, false, false, "smtp.login", FACT_FIRST_BYTES, NULL, false },
	{ "called off", SOCKET_TLS, SOURCE_USER, USER, HELLO("AUTH PLAIN") "C: AUTH PLAIN " PLAIN "\n-- called off\n", FAULT_CANCELLED, true, false, false, NULL, NULL, NULL, false },
};

static void play(size_t i, bool piecemeal)
{
	CLEANUP(transcript) struct transcript *t = transcript_new(sessions[i].script);
	const char   *name = sessions[i].name;
	struct error  err = { 0 };
	struct scene  s;
	bool          fine;

	scene_open(&s, sessions[i].socket, sessions[i].source, sessions[i].user, sessions[i].password, sessions[i].token);
	transcript_title(t, name);
	transcript_line(t, "smtp", &s.smtp.base.line);
	if (piecemeal)
		transcript_piecemeal(t);
	fine = transcript_run(t, session_step, &s, &err);
	if (err.fault != sessions[i].fault)
		test_fail(__FILE__, __LINE__, "%s: fault %s (%s), not %s", name, fault_name(err.fault), err.text, fault_name(sessions[i].fault));
	EXPECT_ROW(fine == (sessions[i].fault == FAULT_NONE), name);
	EXPECT_ROW(s.smtp.asked == sessions[i].asked && s.smtp.refused == sessions[i].refused && s.smtp.logged_in == sessions[i].signed_in, name);
	EXPECT_ROW(s.report->password_tries == (sessions[i].refused ? 1 : 0), name);
	EXPECT_ROW(!sessions[i].step || has_fact(s.report, sessions[i].step, sessions[i].fact, sessions[i].value), name);
	no_step_is_running(s.report, name);
	no_secret_in(s.report, name);
	scene_close(&s);
}

/* What cannot be believed, or is no address of ours that anybody could allow, is not even seen. */
TEST(an_address_that_is_not_taken)
{
	static const struct { enum endpoint_socket socket; const char *script; } rows[] = {
		/* in the clear, where anybody may have said it: the handshake breaks */
		{ SOCKET_STARTTLS, "S: 220 hi\n" EHLO "S: 250-mx Hello [8.8.4.4]\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 go\n-- tls tls_failed\n" },
		{ SOCKET_TLS, "S: 220 hi\n" EHLO "S: 250 mx Hello [127.0.0.1]\nC: QUIT\n" },
		{ SOCKET_TLS, "S: 220 hi\n" EHLO "S: 250 mx Hello [10.0.0.1]\nC: QUIT\n" },
		{ SOCKET_TLS, "S: 220 hi\n" EHLO "S: 250-mx\nS: 250 X-YOU [8.8.4.4]\nC: QUIT\n" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		CLEANUP(transcript) struct transcript *t = transcript_new(rows[i].script);
		struct error err = { 0 };
		struct scene s;

		scene_open(&s, rows[i].socket, SOURCE_USER, NOBODY);
		transcript_title(t, rows[i].script);
		transcript_line(t, "smtp", &s.smtp.base.line);
		transcript_run(t, session_step, &s, &err);
		EXPECT_ROW(!has_fact(s.report, "smtp.ehlo", FACT_OUR_SEEN, NULL), rows[i].script);
		EXPECT_ROW(report_find(s.report, "smtp.ehlo", NO_ATTEMPT) >= 0, rows[i].script);
		scene_close(&s);
	}
}

TEST(sessions_whole)
{
	for (size_t i = 0; i < COUNT(sessions); i++)
		play(i, false);
}

TEST(sessions_one_byte_at_a_time)
{
	for (size_t i = 0; i < COUNT(sessions); i++)
		if (!sessions[i].whole_only)
			play(i, true);
}

/* -- the gate: what IMAP was told comes first --------------------------------------------------------------------------- */

TEST(the_gate)
{
	static const struct {
		const char *name;
		bool        open, refused, in_doubt, trusted, has_password;
		const char *script, *skip;
		int         waited_ms;
	} rows[] = {
		{ "open",                        true,  false, false, true,  true,  HELLO("AUTH PLAIN") "C: AUTH PLAIN " PLAIN "\n" WELCOME, NULL, 0 },
		{ "refused",                     true,  true,  false, true,  true,  HELLO("AUTH PLAIN") "C: QUIT\n", "after_refusal", 0 },
		{ "closed: waits, then asks",    false, false, false, true,  true,  HELLO("AUTH PLAIN") "C: AUTH PLAIN " PLAIN "\n" WELCOME, NULL, 15000 },
		{ "closed, and refused",         false, true,  false, true,  true,  HELLO("AUTH PLAIN") "C: QUIT\n", "after_refusal", 15000 },
		{ "IMAP's line is in doubt",     true,  false, true,  true,  true,  HELLO("AUTH PLAIN") "C: QUIT\n", "in_doubt", 0 },
		{ "closed, nothing to ask with", false, false, false, true,  false, HELLO("AUTH PLAIN") "C: QUIT\n", "no_credentials", 0 },
		{ "closed, not confirmed",       false, false, false, false, true,  HELLO("AUTH PLAIN") "C: QUIT\n", "not_confirmed", 0 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		CLEANUP(transcript) struct transcript *t = transcript_new(rows[i].script);
		struct error err = { 0 };
		struct scene s;
		int          step;

		scene_open(&s, SOCKET_TLS, rows[i].trusted ? SOURCE_USER : SOURCE_GUESS, "ann@birch.example", rows[i].has_password ? PASSWORD : NULL, NULL);
		s.gate = (struct login_gate){ .gate = { rows[i].open }, .refused = rows[i].refused, .in_doubt = rows[i].in_doubt };
		transcript_title(t, rows[i].name);
		transcript_line(t, "smtp", &s.smtp.base.line);
		EXPECT_ROW(transcript_run(t, session_step, &s, &err), rows[i].name);
		step = report_find(s.report, "smtp.login", 0);
		EXPECT_ROW(step >= 0 && s.smtp.asked == (rows[i].skip == NULL), rows[i].name);
		if (rows[i].skip)
			EXPECT_TEXT(s.report->step[step].skip, rows[i].skip);
		EXPECT_ROW(transcript_now(t) == rows[i].waited_ms, rows[i].name);
		EXPECT_ROW(rows[i].skip == NULL || !strstr(transcript_said(t), "AUTH"), rows[i].name);
		scene_close(&s);
	}
}

/* -- one message -------------------------------------------------------------------------------------------------------- */

#define SIGNED_IN HELLO("AUTH PLAIN") "C: AUTH PLAIN " PLAIN "\nS: 235 2.7.0 welcome\n"
#define MAIL      "C: MAIL FROM:<ann@birch.example>\n"
#define RCPT      "C: RCPT TO:<ann@birch.example>\n"
#define BODY      "C: Subject: x\nC:\nC: ..\nC: ..a dot\nC: no . dot\nC: .\n"

TEST(sending)
{
	static const struct { const char *name, *script; enum fault fault; const char *stage, *code; } rows[] = {
		{ "taken",             MAIL "S: 250 ok\n" RCPT "S: 250 ok\nC: DATA\nS: 354 go on\n" BODY "S: 250 2.0.0 queued\nC: QUIT\n", FAULT_NONE, NULL, NULL },
		{ "forwarded",         MAIL "S: 250 ok\n" RCPT "S: 251 will forward\nC: DATA\nS: 354 go on\n" BODY "S: 250 queued\nC: QUIT\n", FAULT_NONE, NULL, NULL },
		{ "sender refused",    MAIL "S: 550 5.7.60 not you\n", FAULT_REFUSED, "mail", "550" },
		{ "recipient refused", MAIL "S: 250 ok\n" RCPT "S: 550-5.1.1 no\nS: 550 5.1.1 such user\n", FAULT_REFUSED, "rcpt", "550" },
		{ "later",             MAIL "S: 250 ok\n" RCPT "S: 451 4.7.1 greylisted\n", FAULT_BUSY, "rcpt", "451" },
		{ "DATA refused",      MAIL "S: 250 ok\n" RCPT "S: 250 ok\nC: DATA\nS: 554 no\n", FAULT_REFUSED, "data", "554" },
		{ "message refused",   MAIL "S: 250 ok\n" RCPT "S: 250 ok\nC: DATA\nS: 354 go on\n" BODY "S: 552 5.3.4 too big\n", FAULT_REFUSED, "data", "552" },
		{ "DATA answered with a 250", MAIL "S: 250 ok\n" RCPT "S: 250 ok\nC: DATA\nS: 250 ok\n", FAULT_BROKEN, "data", "250" },
		{ "cut",               MAIL "S: 250 ok\n" RCPT "S: 250 ok\nC: DATA\nS: 354 go on\n" BODY "-- reset\n", FAULT_NETWORK, "data", NULL },
		{ "silence",           MAIL "-- silence\n", FAULT_TIMEOUT, "mail", NULL },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		for (int piecemeal = 0; piecemeal < 2; piecemeal++) {
			CLEANUP(arena) struct arena *job = arena_new();
			CLEANUP(transcript) struct transcript *t = transcript_new(arena_print(job, "%s%s", SIGNED_IN, rows[i].script));
			const char  *name = rows[i].name;
			struct error err = { 0 };
			struct scene s;

			scene_open(&s, SOCKET_TLS, SOURCE_USER, USER);
			s.message = (struct smtp_message){ .from = "ann@birch.example", .to = "ann@birch.example",
			                                   .bytes = slice_str("Subject: x\r\n\r\n.\r\n.a dot\r\nno . dot\r\n") };
			s.smtp.message = &s.message;
			transcript_title(t, name);
			transcript_line(t, "smtp", &s.smtp.base.line);
			if (piecemeal)
				transcript_piecemeal(t);
			EXPECT_ROW(transcript_run(t, session_step, &s, &err) == (rows[i].fault == FAULT_NONE), name);
			EXPECT_ROW(err.fault == rows[i].fault && s.smtp.sent == (rows[i].fault == FAULT_NONE), name);
			EXPECT_ROW(!rows[i].stage || has_fact(s.report, "smtp.send", FACT_SEND_STAGE, rows[i].stage), name);
			EXPECT_ROW(!rows[i].code || has_fact(s.report, "smtp.send", FACT_REPLY_CODE, rows[i].code), name);
			no_step_is_running(s.report, name);
			no_secret_in(s.report, name);
			scene_close(&s);
		}
}

TEST(a_password_that_comes_back_is_struck_out)
{
	static const char *const echoes[] = {
		"S: 535 5.7.8 " PASSWORD " is wrong\n", "S: 535-AUTH PLAIN " PLAIN "\nS: 535 no\n", "S: 535 aHVudGVyMjI=\n", "S: " PASSWORD "\n", "S: 535-" PASSWORD "\n-- end\n",
	};

	for (size_t i = 0; i < COUNT(echoes); i++) {
		CLEANUP(arena) struct arena *job = arena_new();
		CLEANUP(transcript) struct transcript *t = transcript_new(arena_print(job, "%s%s", HELLO("AUTH PLAIN") "C: AUTH PLAIN " PLAIN "\n", echoes[i]));
		struct error err = { 0 };
		struct scene s;

		secrets_know(&known, slice_str(PASSWORD));
		scene_open(&s, SOCKET_TLS, SOURCE_USER, USER);
		report_guard(s.report, &known);
		transcript_title(t, echoes[i]);
		transcript_line(t, "smtp", &s.smtp.base.line);
		EXPECT_ROW(!transcript_run(t, session_step, &s, &err), echoes[i]);
		no_secret_in(s.report, echoes[i]);
		EXPECT_ROW(!strstr(err.text, PASSWORD) && !strstr(err.heard, PASSWORD), echoes[i]);
		scene_close(&s);
		secrets_forget(&known);
	}
}

/* -- cut at every byte -------------------------------------------------------------------------------------------------- */

static const char spoken[] =
	"220-smtp.birch.example ESMTP\r\n" "220 ready\r\n" "250-smtp.birch.example\r\n250-SIZE 1000\r\n250 AUTH LOGIN\r\n" "334 VXNlcm5hbWU6\r\n" "334 UGFzc3dvcmQ6\r\n"
	"235 2.7.0 welcome\r\n";

TEST(a_session_cut_at_every_byte)
{
	static const enum came ends[] = { CAME_END, CAME_RESET, CAME_TIMEOUT, CAME_FULL, CAME_CANCELLED };

	for (size_t e = 0; e < COUNT(ends); e++)
		for (size_t len = 0; len < sizeof spoken; len++) {
			struct error   err = { 0 };
			struct finding f;
			struct scene   s;
			char           row[40];
			bool           fine;

			snprintf(row, sizeof row, "%zu bytes, then %s", len, came_name(ends[e]));
			scene_open(&s, SOCKET_TLS, SOURCE_USER, USER);
			fine = run_cut(session_step, &s, slice(spoken, len), ends[e], &err);
			EXPECT_ROW(fine == (len == sizeof spoken - 1), row);
			EXPECT_ROW(fine || err.fault == (ends[e] == CAME_TIMEOUT ? FAULT_TIMEOUT : ends[e] == CAME_FULL ? FAULT_TOO_BIG
			                                 : ends[e] == CAME_CANCELLED ? FAULT_CANCELLED : FAULT_NETWORK), row);
			EXPECT_ROW(s.report->password_tries == 0 && !s.smtp.refused, row);
			no_step_is_running(s.report, row);
			no_secret_in(s.report, row);
			EXPECT_ROW(fine || diagnose_attempt(s.report, 0, &f), row);
			scene_close(&s);
		}
}
