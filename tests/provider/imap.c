#include "provider/imap.h"

#include <stdlib.h>

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
	struct imap_session imap;
	bool                opened, done;
};

static void scene_open(struct scene *s, enum endpoint_socket socket, enum endpoint_source source, const char *user, const char *password, const char *token)
{
	*s = (struct scene){
		.report = report_new("ann@birch.example"),
		.place = { .service = SERVICE_IMAP, .host = "192.0.2.7", .port = socket == SOCKET_TLS ? 993 : 143, .socket = socket, .source = source },
		.login = { .username = user, .username_form = "address", .password = password, .token = token, .nonce = NONCE },
	};
	s->report->keep_talk = true;
	imap_session_init(&s->imap, s->report, &s->place, &s->login, waits_within(30000), report_attempt(s->report));
}

static void scene_close(struct scene *s)
{
	imap_session_release(&s->imap);
	report_free(s->report);
}

/* Open, look, goodbye: as the flow does. */
static enum want_kind session_step(void *self, struct want *w, struct error *err)
{
	struct scene *s = self;

	if (!s->opened) {
		PASS(imap_open_step(&s->imap, w, err));
		s->opened = true;
	}
	if (s->imap.logged_in)
		PASS(imap_look_step(&s->imap, w, err));
	imap_goodbye(&s->imap, w);
	s->done = true;
	return WANT_NOTHING;
}

#define CAN(words)   "S: * OK [CAPABILITY IMAP4rev1 " words "] ready\n"
#define PLAIN        "AGFubkBiaXJjaC5leGFtcGxlAGh1bnRlcjIy"
#define XOAUTH2      "dXNlcj1hbm5AYmlyY2guZXhhbXBsZQFhdXRoPUJlYXJlciB5YTI5LnRva2VuLW9mLWFubgEB"
#define REASON       "eyJzdGF0dXMiOiI0MDAiLCJzY2hlbWVzIjoiYmVhcmVyIiwic2NvcGUiOiJodHRwczovL21haWwuZ29vZ2xlLmNvbS8ifQ=="
#define SCRAM_FIRST  "biwsbj11c2VyLHI9ck9wck5HZndFYmVSV2diTkVrcU8="
#define SCRAM_SERVER "cj1yT3ByTkdmd0ViZVJXZ2JORWtxTyVodllEcFdVYTJSYVRDQWZ1eEZJbGopaE5sRiRrMCxzPVcyMlphSjBTTlk3c29Fc1VFamI2Z1E9PSxpPTQwOTY="
#define SCRAM_FINAL  "Yz1iaXdzLHI9ck9wck5HZndFYmVSV2diTkVrcU8laHZZRHBXVWEyUmFUQ0FmdXhGSWxqKWhObEYkazAscD1kSHpiWmFwV0lrNGpVaE4rVXRlOXl0YWc5empmTUhnc3FtbWl6N0FuZFZRPQ=="
#define SCRAM_PROOF  "dj02cnJpVFJCaTIzV3BSUi93dHVwK21NaFVaVW4vZEI1bkxUSlJzamw5NUc0PQ=="
#define SCRAM_FALSE  "dj1BQUFBVFJCaTIzV3BSUi93dHVwK21NaFVaVW4vZEI1bkxUSlJzamw5NUc0PQ=="
#define CRAM_ASKS    "PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+"
#define CRAM_ANSWER  "dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw"

/* The rest of a session after the sign-in `a1`, whose OK said the capabilities; for others see LOOK(). */
#define SIGNED_IN    "S: a1 OK [CAPABILITY IMAP4rev1] welcome\n"
#define LIST(tag)    "C: " tag " LIST \"\" \"*\"\n"
#define INBOX(tag)   "C: " tag " EXAMINE INBOX\n"
#define LISTED(tag)  "S: * LIST (\\HasNoChildren) \"/\" INBOX\nS: * LIST (\\Sent) \"/\" \"Sent\"\nS: " tag " OK done\n"
#define OPENED(tag)  "S: * FLAGS (\\Seen)\nS: * 7 EXISTS\nS: * OK [UIDVALIDITY 1] ok\nS: " tag " OK [READ-ONLY] done\n"
#define LOOK         LIST("a2") INBOX("a3") LISTED("a2") OPENED("a3") "C: a4 LOGOUT\n"

#define USER         "ann@birch.example", PASSWORD, NULL
#define BY_TOKEN     "ann@birch.example", NULL, TOKEN
#define NOBODY       NULL, NULL, NULL

static const struct {
	const char          *name;
	enum endpoint_socket socket;
	enum endpoint_source source;
	const char          *user, *password, *token;
	const char          *script;
	enum fault           fault;                  /* NONE: it goes well, to the goodbye */
	bool                 asked, refused, signed_in;
	const char          *step, *fact, *value;    /* a fact that must be there, or NULL */
	bool                 whole_only;             /* what comes in one piece with something else matters */
} sessions[] = {
	/* -- greetings and capabilities */
	{ "capabilities in the greeting", SOCKET_TLS, SOURCE_USER, USER,
	  CAN("SASL-IR AUTH=PLAIN") "C: a1 AUTHENTICATE PLAIN " PLAIN "\n" SIGNED_IN LOOK,
	  FAULT_NONE, true, false, true, "imap.list", FACT_SPECIAL, "\\Sent = Sent", false },
	{ "asked for", SOCKET_TLS, SOURCE_USER, USER,
	  "S: * OK ready\nC: a1 CAPABILITY\nS: * CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN\nS: a1 OK done\nC: a2 AUTHENTICATE PLAIN " PLAIN "\nS: a2 OK welcome\n"
	  "C: a3 CAPABILITY\n" LIST("a4") INBOX("a5") "S: * CAPABILITY IMAP4rev1\nS: a3 OK\n" LISTED("a4") OPENED("a5") "C: a6 LOGOUT\n",
	  FAULT_NONE, true, false, true, "imap.open", FACT_MESSAGES, "7", false },
	{ "in the answer's code; those before the sign-in do not hold after it", SOCKET_TLS, SOURCE_USER, USER,
	  "S: * OK ready\nC: a1 CAPABILITY\nS: a1 OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] done\nC: a2 AUTHENTICATE PLAIN " PLAIN "\nS: a2 OK [CAPABILITY IMAP4rev1] welcome\n"
	  LIST("a3") INBOX("a4") LISTED("a3") OPENED("a4") "C: a5 LOGOUT\n",
	  FAULT_NONE, true, false, true, NULL, NULL, NULL, false },
	{ "capabilities refused", SOCKET_TLS, SOURCE_USER, USER, "S: * OK ready\nC: a1 CAPABILITY\nS: a1 BAD what?\n",
	  FAULT_REFUSED, false, false, false, "imap.capability", FACT_REPLY_STATUS, "BAD", false },
	{ "PREAUTH inside TLS is a greeting", SOCKET_TLS, SOURCE_USER, NOBODY, "S: * PREAUTH [CAPABILITY IMAP4rev1] hello\nC: a1 LOGOUT\n",
	  FAULT_NONE, false, false, false, "imap.greeting", FACT_GREETING, "* PREAUTH [CAPABILITY IMAP4rev1] hello", false },
	{ "farewell for a greeting", SOCKET_TLS, SOURCE_USER, USER, "S: * BYE too many connections\n",
	  FAULT_REFUSED, false, false, false, "imap.greeting", FACT_REPLY_STATUS, "BYE", false },
	{ "POP3", SOCKET_TLS, SOURCE_USER, USER, "S: +OK POP3 ready\n", FAULT_BROKEN, false, false, false, "imap.greeting", FACT_PROTOCOL, "pop3", false },
	{ "SMTP", SOCKET_TLS, SOURCE_USER, USER, "S: 220 mx.birch.example ESMTP\n", FAULT_BROKEN, false, false, false, "imap.greeting", FACT_PROTOCOL, "smtp", false },
	{ "silence", SOCKET_TLS, SOURCE_USER, USER, "-- silence\n", FAULT_TIMEOUT, false, false, false, "imap.greeting", FACT_NET_OUTCOME, "timeout", false },
	{ "refused by the network", SOCKET_TLS, SOURCE_USER, USER, "-- connect refused\n", FAULT_NETWORK, false, false, false, "imap.connect", FACT_NET_OUTCOME, "refused", false },
	{ "called off", SOCKET_TLS, SOURCE_USER, USER, CAN("AUTH=PLAIN") "C: a1 AUTHENTICATE PLAIN\n-- called off\n",
	  FAULT_CANCELLED, true, false, false, "imap.login", FACT_NET_OUTCOME, "cancelled", false },

	/* -- STARTTLS */
	{ "STARTTLS", SOCKET_STARTTLS, SOURCE_USER, USER,
	  CAN("STARTTLS LOGINDISABLED") "C: a1 STARTTLS\nS: a1 OK go\n-- tls\nC: a2 CAPABILITY\nS: * CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN\nS: a2 OK\n"
	  "C: a3 AUTHENTICATE PLAIN " PLAIN "\nS: a3 OK [CAPABILITY IMAP4rev1] welcome\n" LIST("a4") INBOX("a5") LISTED("a4") OPENED("a5") "C: a6 LOGOUT\n",
	  FAULT_NONE, true, false, true, "imap.starttls", FACT_STARTTLS_OFFERED, "yes", false },
	{ "STARTTLS, what it can is asked for twice", SOCKET_STARTTLS, SOURCE_USER, NOBODY,
	  "S: * OK ready\nC: a1 CAPABILITY\nS: * CAPABILITY IMAP4rev1 STARTTLS\nS: a1 OK\nC: a2 STARTTLS\nS: a2 OK go\n-- tls\nC: a3 CAPABILITY\nS: * CAPABILITY IMAP4rev1 AUTH=PLAIN\nS: a3 OK\nC: a4 LOGOUT\n",
	  FAULT_NONE, false, false, false, "imap.capability", FACT_CAPABILITY, "IMAP4rev1 AUTH=PLAIN", false },
	{ "STARTTLS not offered: nothing is said in the clear", SOCKET_STARTTLS, SOURCE_USER, USER, CAN("AUTH=PLAIN"),
	  FAULT_NOT_OFFERED, false, false, false, "imap.starttls", FACT_STARTTLS_OFFERED, "no", false },
	{ "STARTTLS refused", SOCKET_STARTTLS, SOURCE_USER, USER, CAN("STARTTLS AUTH=PLAIN") "C: a1 STARTTLS\nS: a1 NO not now\n",
	  FAULT_REFUSED, false, false, false, "imap.starttls", FACT_REPLY_TEXT, "NO not now", false },
	{ "bytes injected behind the OK", SOCKET_STARTTLS, SOURCE_USER, USER,
	  CAN("STARTTLS") "C: a1 STARTTLS\nS: a1 OK go\nS: * CAPABILITY IMAP4rev1 AUTH=PLAIN\n",
	  FAULT_BROKEN, false, false, false, "imap.starttls", FACT_STARTTLS_INJECTED, "yes", true },
	{ "the handshake breaks", SOCKET_STARTTLS, SOURCE_USER, USER, CAN("STARTTLS") "C: a1 STARTTLS\nS: a1 OK go\n-- tls tls_failed\n",
	  FAULT_TLS, false, false, false, "imap.tls", FACT_NET_OUTCOME, "tls_failed", false },
	{ "PREAUTH before TLS", SOCKET_STARTTLS, SOURCE_USER, USER, "S: * PREAUTH [CAPABILITY IMAP4rev1] hello\n",
	  FAULT_BROKEN, false, false, false, "imap.greeting", FACT_REPLY_STATUS, "PREAUTH", false },

	/* -- whether to sign in at all */
	{ "no credentials", SOCKET_TLS, SOURCE_USER, NOBODY, CAN("AUTH=PLAIN") "C: a1 LOGOUT\n", FAULT_NONE, false, false, false, NULL, NULL, NULL, false },
	{ "a host that nobody confirmed", SOCKET_TLS, SOURCE_GUESS, USER, CAN("AUTH=PLAIN") "C: a1 LOGOUT\n", FAULT_NONE, false, false, false, NULL, NULL, NULL, false },
	{ "LOGINDISABLED and nothing else", SOCKET_TLS, SOURCE_USER, USER, CAN("LOGINDISABLED AUTH=GSSAPI"),
	  FAULT_NOT_OFFERED, false, false, false, "imap.login", FACT_AUTH_NO_COMMON, "yes", false },
	{ "a token and no mechanism for it", SOCKET_TLS, SOURCE_USER, BY_TOKEN, CAN("AUTH=PLAIN"),
	  FAULT_NOT_OFFERED, false, false, false, "imap.login", FACT_AUTH_NO_COMMON, "yes", false },

	/* -- the mechanisms */
	{ "PLAIN without SASL-IR", SOCKET_TLS, SOURCE_USER, USER, CAN("AUTH=PLAIN") "C: a1 AUTHENTICATE PLAIN\nS: +\nC: " PLAIN "\n" SIGNED_IN LOOK,
	  FAULT_NONE, true, false, true, "imap.login", FACT_AUTH_MECHANISM, "PLAIN", false },
	{ "LOGIN the mechanism", SOCKET_TLS, SOURCE_USER, USER,
	  CAN("AUTH=LOGIN") "C: a1 AUTHENTICATE LOGIN\nS: + VXNlcm5hbWU6\nC: YW5uQGJpcmNoLmV4YW1wbGU=\nS: + UGFzc3dvcmQ6\nC: aHVudGVyMjI=\n" SIGNED_IN LOOK,
	  FAULT_NONE, true, false, true, "imap.login", FACT_AUTH_MECHANISM, "LOGIN", false },
	{ "LOGIN the command, quoted", SOCKET_TLS, SOURCE_USER, "ann \"x\" \\y", PASSWORD, NULL,
	  CAN("") "C: a1 LOGIN \"ann \\\"x\\\" \\\\y\" \"" PASSWORD "\"\n" SIGNED_IN LOOK, FAULT_NONE, true, false, true, NULL, NULL, NULL, false },
	{ "LOGIN, a literal to be asked for", SOCKET_TLS, SOURCE_USER, "ann@birch.example", "p\xc3\xa4ssword", NULL,
	  CAN("") "C: a1 LOGIN \"ann@birch.example\" {9}\nS: + go on\nC: p\xc3\xa4ssword\n" SIGNED_IN LOOK, FAULT_NONE, true, false, true, NULL, NULL, NULL, false },
	{ "LOGIN, two literals", SOCKET_TLS, SOURCE_USER, "\xc3\xa4nn", "p\xc3\xa4ssword", NULL,
	  CAN("") "C: a1 LOGIN {4}\nS: + go on\nC: \xc3\xa4nn {9}\nS: + go on\nC: p\xc3\xa4ssword\n" SIGNED_IN LOOK, FAULT_NONE, true, false, true, NULL, NULL, NULL, false },
	{ "LOGIN, a literal refused", SOCKET_TLS, SOURCE_USER, "ann@birch.example", "p\xc3\xa4ssword", NULL,
	  CAN("") "C: a1 LOGIN \"ann@birch.example\" {9}\nS: a1 BAD no literals\n", FAULT_REFUSED, true, true, false, "imap.login", FACT_REPLY_STATUS, "BAD", false },
	{ "LOGIN with LITERAL+", SOCKET_TLS, SOURCE_USER, "\xc3\xa4nn", "p\xc3\xa4ssword", NULL,
	  CAN("LITERAL+") "C: a1 LOGIN {4+}\nC: \xc3\xa4nn {9+}\nC: p\xc3\xa4ssword\n" SIGNED_IN LOOK, FAULT_NONE, true, false, true, NULL, NULL, NULL, false },
	{ "SCRAM", SOCKET_TLS, SOURCE_USER, "user", "pencil", NULL,
	  CAN("SASL-IR AUTH=SCRAM-SHA-256") "C: a1 AUTHENTICATE SCRAM-SHA-256 " SCRAM_FIRST "\nS: + " SCRAM_SERVER "\nC: " SCRAM_FINAL "\nS: + " SCRAM_PROOF "\nC: \n" SIGNED_IN LOOK,
	  FAULT_NONE, true, false, true, "imap.login", FACT_AUTH_MECHANISM, "SCRAM-SHA-256", false },
	{ "SCRAM, a server that proves nothing", SOCKET_TLS, SOURCE_USER, "user", "pencil", NULL,
	  CAN("SASL-IR AUTH=SCRAM-SHA-256") "C: a1 AUTHENTICATE SCRAM-SHA-256 " SCRAM_FIRST "\nS: + " SCRAM_SERVER "\nC: " SCRAM_FINAL "\nS: a1 OK welcome\n",
	  FAULT_REFUSED, true, false, false, "imap.login", FACT_REPLY_BROKEN, NULL, false },
	{ "SCRAM, a false proof", SOCKET_TLS, SOURCE_USER, "user", "pencil", NULL,
	  CAN("SASL-IR AUTH=SCRAM-SHA-256") "C: a1 AUTHENTICATE SCRAM-SHA-256 " SCRAM_FIRST "\nS: + " SCRAM_SERVER "\nC: " SCRAM_FINAL "\nS: + " SCRAM_FALSE "\nC: *\nS: a1 BAD given up\n",
	  FAULT_REFUSED, true, false, false, "imap.login", FACT_REPLY_STATUS, "BAD", false },
	{ "CRAM-MD5", SOCKET_TLS, SOURCE_USER, "tim", "tanstaaftanstaaf", NULL,
	  CAN("SASL-IR AUTH=CRAM-MD5") "C: a1 AUTHENTICATE CRAM-MD5\nS: + " CRAM_ASKS "\nC: " CRAM_ANSWER "\n" SIGNED_IN LOOK,
	  FAULT_NONE, true, false, true, "imap.login", FACT_AUTH_MECHANISM, "CRAM-MD5", false },
	{ "XOAUTH2", SOCKET_TLS, SOURCE_USER, BY_TOKEN, CAN("SASL-IR AUTH=XOAUTH2") "C: a1 AUTHENTICATE XOAUTH2 " XOAUTH2 "\n" SIGNED_IN LOOK,
	  FAULT_NONE, true, false, true, "imap.login", FACT_AUTH_BY, "token", false },
	{ "XOAUTH2 refused with a reason", SOCKET_TLS, SOURCE_USER, BY_TOKEN,
	  CAN("SASL-IR AUTH=XOAUTH2") "C: a1 AUTHENTICATE XOAUTH2 " XOAUTH2 "\nS: + " REASON "\nC: \nS: a1 NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)\n",
	  FAULT_REFUSED, true, true, false, "imap.login", FACT_SASL_STATUS, "400", false },
	{ "a challenge that makes no sense", SOCKET_TLS, SOURCE_USER, "tim", "tanstaaftanstaaf", NULL,
	  CAN("AUTH=CRAM-MD5 LOGINDISABLED") "C: a1 AUTHENTICATE CRAM-MD5\nS: + !!!\nC: *\nS: a1 BAD given up\n",
	  FAULT_REFUSED, true, false, false, "imap.login", FACT_AUTH_NO_COMMON, "yes", false },

	/* -- refusals */
	{ "refused, with lines before it", SOCKET_TLS, SOURCE_USER, USER,
	  CAN("SASL-IR AUTH=PLAIN") "C: a1 AUTHENTICATE PLAIN " PLAIN "\nS: * NO [ALERT] look here\nS: * 3 EXISTS\nS: a1 NO [AUTHENTICATIONFAILED] no\n",
	  FAULT_REFUSED, true, true, false, "imap.login", FACT_REPLY_ALSO, "* NO [ALERT] look here", false },
	{ "refused with a farewell", SOCKET_TLS, SOURCE_USER, USER,
	  CAN("SASL-IR AUTH=PLAIN") "C: a1 AUTHENTICATE PLAIN " PLAIN "\nS: * BYE go away\n-- end\n",
	  FAULT_NETWORK, true, false, false, "imap.login", FACT_REPLY_ALSO, "* BYE go away", false },
	{ "asks for more than there is", SOCKET_TLS, SOURCE_USER, USER,
	  CAN("") "C: a1 LOGIN \"ann@birch.example\" \"" PASSWORD "\"\nS: + more\n", FAULT_REFUSED, true, true, false, "imap.login", FACT_REPLY_TEXT, NULL, false },
	{ "an answer to somebody else", SOCKET_TLS, SOURCE_USER, USER, CAN("SASL-IR AUTH=PLAIN") "C: a1 AUTHENTICATE PLAIN " PLAIN "\nS: a7 OK welcome\n",
	  FAULT_BROKEN, true, false, false, "imap.login", FACT_REPLY_BROKEN, "a tag that was never sent: a7", false },
	{ "cut while signing in", SOCKET_TLS, SOURCE_USER, USER, CAN("SASL-IR AUTH=PLAIN") "C: a1 AUTHENTICATE PLAIN " PLAIN "\n-- reset\n",
	  FAULT_NETWORK, true, false, false, "imap.login", FACT_NET_OUTCOME, "reset", false },

	/* -- the look */
	{ "ID where it is offered", SOCKET_TLS, SOURCE_USER, USER,
	  CAN("SASL-IR ID AUTH=PLAIN") "C: a1 AUTHENTICATE PLAIN " PLAIN "\n" SIGNED_IN "C: a2 ID (\"name\" \"Mailmoor\" \"version\" …)\n" LIST("a3") INBOX("a4")
	  "S: * ID (\"name\" \"Dovecot\")\nS: a2 OK\n" LISTED("a3") OPENED("a4") "C: a5 LOGOUT\n",
	  FAULT_NONE, true, false, true, "imap.id", FACT_SERVER_ID, "(\"name\" \"Dovecot\")", false },
	{ "LIST extended", SOCKET_TLS, SOURCE_USER, USER,
	  CAN("SASL-IR AUTH=PLAIN") "C: a1 AUTHENTICATE PLAIN " PLAIN "\nS: a1 OK [CAPABILITY SPECIAL-USE LIST-EXTENDED] hi\nC: a2 LIST \"\" \"*\" RETURN (SPECIAL-USE)\n" INBOX("a3")
	  LISTED("a2") OPENED("a3") "C: a4 LOGOUT\n", FAULT_NONE, true, false, true, "imap.list", FACT_FOLDERS, "2", false },
	{ "LIST extended refused and said plainly", SOCKET_TLS, SOURCE_USER, USER,
	  CAN("SASL-IR AUTH=PLAIN") "C: a1 AUTHENTICATE PLAIN " PLAIN "\nS: a1 OK [CAPABILITY SPECIAL-USE LIST-EXTENDED] hi\nC: a2 LIST \"\" \"*\" RETURN (SPECIAL-USE)\n" INBOX("a3")
	  "S: a2 BAD what?\nC: a4 LIST \"\" \"*\"\n" OPENED("a3") LISTED("a4") "C: a5 LOGOUT\n",
	  FAULT_NONE, true, false, true, "imap.list", FACT_FOLDERS, "2", false },
	{ "LIST and ID refused: a warning", SOCKET_TLS, SOURCE_USER, USER,
	  CAN("SASL-IR ID AUTH=PLAIN") "C: a1 AUTHENTICATE PLAIN " PLAIN "\n" SIGNED_IN "C: a2 ID …\n" LIST("a3") INBOX("a4")
	  "S: a2 NO no names\nS: a3 NO no lists\n" OPENED("a4") "C: a5 LOGOUT\n", FAULT_NONE, true, false, true, "imap.id", FACT_REPLY_TEXT, "NO no names", false },
	{ "EXAMINE refused", SOCKET_TLS, SOURCE_USER, USER,
	  CAN("SASL-IR AUTH=PLAIN") "C: a1 AUTHENTICATE PLAIN " PLAIN "\n" SIGNED_IN LIST("a2") INBOX("a3") LISTED("a2") "S: a3 NO [NONEXISTENT] no such mailbox\n",
	  FAULT_REFUSED, true, false, true, "imap.open", FACT_REPLY_CODE, "NONEXISTENT", false },
	{ "the line breaks while three answers are due", SOCKET_TLS, SOURCE_USER, USER,
	  CAN("SASL-IR ID AUTH=PLAIN") "C: a1 AUTHENTICATE PLAIN " PLAIN "\n" SIGNED_IN "C: a2 ID …\n" LIST("a3") INBOX("a4") "S: a2 OK\n-- end\n",
	  FAULT_NETWORK, true, false, true, "imap.list", FACT_NET_OUTCOME, "closed", false },
	{ "farewell in the look", SOCKET_TLS, SOURCE_USER, USER,
	  CAN("SASL-IR AUTH=PLAIN") "C: a1 AUTHENTICATE PLAIN " PLAIN "\n" SIGNED_IN LIST("a2") INBOX("a3") "S: * BYE shutting down\n-- end\n",
	  FAULT_NETWORK, true, false, true, "imap.list", FACT_REPLY_ALSO, "* BYE shutting down", false },
	{ "the answers in another order", SOCKET_TLS, SOURCE_USER, USER,
	  CAN("SASL-IR AUTH=PLAIN") "C: a1 AUTHENTICATE PLAIN " PLAIN "\n" SIGNED_IN LIST("a2") INBOX("a3") OPENED("a3") LISTED("a2") "C: a4 LOGOUT\n",
	  FAULT_NONE, true, false, true, "imap.list", FACT_FOLDERS, "2", false },
	{ "a folder's name as a literal", SOCKET_TLS, SOURCE_USER, USER,
	  CAN("SASL-IR AUTH=PLAIN") "C: a1 AUTHENTICATE PLAIN " PLAIN "\n" SIGNED_IN LIST("a2") INBOX("a3")
	  "S: * LIST (\\Trash) \"/\" {}\nL: Pap&AOk-r\nS:\nS: a2 OK\n" OPENED("a3") "C: a4 LOGOUT\n",
	  FAULT_NONE, true, false, true, "imap.list", FACT_FOLDERS, "1", false },
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
	transcript_line(t, "imap", &s.imap.base.line);
	if (piecemeal)
		transcript_piecemeal(t);
	fine = transcript_run(t, session_step, &s, &err);
	if (err.fault != sessions[i].fault)
		test_fail(__FILE__, __LINE__, "%s: fault %s (%s), not %s", name, fault_name(err.fault), err.text, fault_name(sessions[i].fault));
	EXPECT_ROW(fine == (sessions[i].fault == FAULT_NONE), name);
	EXPECT_ROW(s.imap.asked == sessions[i].asked && s.imap.refused == sessions[i].refused && s.imap.logged_in == sessions[i].signed_in, name);
	EXPECT_ROW(s.report->password_tries == (sessions[i].refused ? 1 : 0), name);
	EXPECT_ROW(!sessions[i].step || has_fact(s.report, sessions[i].step, sessions[i].fact, sessions[i].value), name);
	no_step_is_running(s.report, name);
	no_secret_in(s.report, name);
	scene_close(&s);
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

/* A server that says our own words back. */
TEST(a_password_that_comes_back_is_struck_out)
{
	static const char *const echoes[] = {
		"S: a1 NO " PASSWORD " is wrong\n", "S: a1 NO [ALERT] AUTHENTICATE PLAIN " PLAIN "\n", "S: * NO aHVudGVyMjI=\nS: a1 NO no\n",
		"S: a7 OK " PASSWORD "\n", PASSWORD, "S: " PASSWORD "\n",
	};

	for (size_t i = 0; i < COUNT(echoes); i++) {
		CLEANUP(arena) struct arena *job = arena_new();
		CLEANUP(transcript) struct transcript *t = transcript_new(arena_print(job, "%s%s%s",
			CAN("SASL-IR AUTH=PLAIN") "C: a1 AUTHENTICATE PLAIN " PLAIN "\n", strncmp(echoes[i], "S:", 2) == 0 ? "" : "S: ", echoes[i]));
		struct error err = { 0 };
		struct scene s;

		secrets_know(&known, slice_str(PASSWORD));
		scene_open(&s, SOCKET_TLS, SOURCE_USER, USER);
		report_guard(s.report, &known);
		transcript_title(t, echoes[i]);
		transcript_line(t, "imap", &s.imap.base.line);
		EXPECT_ROW(!transcript_run(t, session_step, &s, &err), echoes[i]);
		no_secret_in(s.report, echoes[i]);
		EXPECT_ROW(!strstr(err.text, PASSWORD) && !strstr(err.heard, PASSWORD), echoes[i]);
		scene_close(&s);
		secrets_forget(&known);
	}
}

/* -- cut at every byte -------------------------------------------------------------------------------------------------- */

static const char spoken[] =
	"* OK [CAPABILITY IMAP4rev1 SASL-IR ID AUTH=PLAIN] ready\r\n"
	"* NO [ALERT] a word before\r\n" "a1 OK [CAPABILITY IMAP4rev1 SPECIAL-USE] welcome\r\n"
	"* ID (\"name\" {7}\r\nDovecot)\r\n" "a2 OK\r\n" "* LIST (\\Sent) \"/\" {4}\r\nSent\r\n" "* LIST () \"/\" INBOX\r\n" "a3 OK done\r\n"
	"* 7 EXISTS\r\n" "* OK [UIDVALIDITY 1] ok\r\n" "a4 OK [READ-ONLY] done\r\n";

TEST(a_session_cut_at_every_byte)
{
	static const enum came ends[] = { CAME_END, CAME_RESET, CAME_TIMEOUT, CAME_FULL, CAME_CANCELLED };

	for (size_t e = 0; e < COUNT(ends); e++)
		for (size_t len = 0; len < sizeof spoken; len++) {
			struct error   err = { 0 };
			struct verdict v;
			struct scene   s;
			char           row[40];
			bool           fine;

			snprintf(row, sizeof row, "%zu bytes, then %s", len, came_name(ends[e]));
			scene_open(&s, SOCKET_TLS, SOURCE_USER, USER);
			fine = run_cut(session_step, &s, slice(spoken, len), ends[e], &err);
			EXPECT_ROW(fine == (len == sizeof spoken - 1), row);
			EXPECT_ROW(fine || err.fault == (ends[e] == CAME_TIMEOUT ? FAULT_TIMEOUT : ends[e] == CAME_FULL ? FAULT_TOO_BIG
			                                 : ends[e] == CAME_CANCELLED ? FAULT_CANCELLED : FAULT_NETWORK), row);
			EXPECT_ROW(s.report->password_tries == 0 && !s.imap.refused, row);
			no_step_is_running(s.report, row);
			no_secret_in(s.report, row);
			diagnose(s.report, &v);
			EXPECT_ROW(fine || (v.kind == VERDICT_FAILED && v.findings), row);
			scene_close(&s);
		}
}

TEST(abandoned_at_any_step)
{
	struct scene s;
	struct want  w = { 0 };
	struct error err = { 0 };

	scene_open(&s, SOCKET_TLS, SOURCE_USER, USER);
	scene_close(&s);
	scene_open(&s, SOCKET_TLS, SOURCE_USER, USER);
	EXPECT(imap_open_step(&s.imap, &w, &err) == WANT_CONNECT);
	scene_close(&s);
}
