#include "provider/web.h"

#include "model/facts.h"
#include "provider/exchange_words.h"
#include "provider/promises.h"
#include "web_peer.h"

struct scene {
	struct report     *report;
	struct endpoint    place;
	struct login       login;
	struct web_session web;
	struct web_request request;
	bool               opened;
	struct buffer      taken;
	size_t             most;               /* of a body that goes to a taker */
};

static void scene_open(struct scene *s, enum web_scheme scheme)
{
	*s = (struct scene){
		.report = report_new("ann@birch.example"),
		.place = { .service = SERVICE_WEB, .host = "192.0.2.7", .port = 444, .socket = SOCKET_TLS, .source = SOURCE_USER },
		.login = { .username = "ann@birch.example", .username_form = "address", .password = PASSWORD, .nonce = NONCE },
		.request = { .method = "POST", .target = "/x", .header = { "X-Mine: 1" }, .body = slice_str("asked") },
	};
	s->report->keep_talk = true;
	web_session_init(&s->web, s->report, &s->place, &s->login, "exchange", waits_within(30000), report_attempt(s->report));
	s->web.scheme = scheme;
	buffer_init(&s->taken, 4 * 1024 * 1024);
}

static void scene_close(struct scene *s)
{
	buffer_release(&s->taken);
	web_session_release(&s->web);
	report_free(s->report);
}

/* Opened, and then the request, once for each run. */
static enum want_kind ask_step(void *self, struct want *w, struct error *err)
{
	struct scene *s = self;

	if (!s->opened) {
		PASS(web_open_step(&s->web, w, err));
		s->opened = true;
		s->web.reported = report_begin(s->report, "exchange.offer", 0, w->now_ms);
		web_ask(&s->web, &s->request);
	}
	return web_ask_step(&s->web, w, err);
}

static bool ask_again(struct scene *s, struct web_peer *p, struct error *err)
{
	web_ask(&s->web, &s->request);
	return web_peer_run(p, ask_step, s, err);
}

/* -- choosing --------------------------------------------------------------------------------------------------------- */

TEST(the_best_scheme_that_both_have)
{
	static const struct { const char *fields, *password, *token; enum web_scheme scheme; } rows[] = {
		{ "WWW-Authenticate: Basic realm=x\r\nWWW-Authenticate: NTLM\r\n", PASSWORD, NULL, WEB_NTLM },
		{ "WWW-Authenticate: Negotiate, NTLM, Basic\r\n", PASSWORD, NULL, WEB_NTLM },
		{ "WWW-Authenticate: ntlm\r\n", PASSWORD, NULL, WEB_NTLM },
		{ "WWW-Authenticate: Basic realm=\"NTLM\"\r\n", PASSWORD, NULL, WEB_BASIC },
		{ "WWW-Authenticate: Negotiate\r\n", PASSWORD, NULL, WEB_NONE },
		{ "WWW-Authenticate: Digest realm=x, nonce=y\r\n", PASSWORD, NULL, WEB_NONE },
		{ "WWW-Authenticate: Bearer x=y\r\nWWW-Authenticate: Basic realm=x\r\n", NULL, TOKEN, WEB_BEARER },
		{ "WWW-Authenticate: Basic realm=x\r\nWWW-Authenticate: NTLM\r\n", NULL, TOKEN, WEB_NONE },
		{ "X-WWW-Authenticate: Basic realm=x\r\n", PASSWORD, NULL, WEB_NONE },
		{ "WWW-Authenticate: Basic\r\n", NULL, NULL, WEB_NONE },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct challenges offered;
		struct scene      s;

		scene_open(&s, WEB_NONE);
		s.login.password = rows[i].password;
		s.login.token = rows[i].token;
		challenges_read(slice_str(rows[i].fields), &offered);
		EXPECT_ROW(web_choose(&s.web, &offered) == rows[i].scheme && s.web.scheme == rows[i].scheme, rows[i].fields);
		scene_close(&s);
	}
	EXPECT_TEXT(web_scheme_name(WEB_NTLM), "NTLM");
}

/* Who chose Kerberos has no password to fall back on, and would not want to. */
TEST(tickets_are_for_negotiate_and_nothing_else)
{
	static const struct ticket_source tickets = { 0 };
	static const struct { const char *fields; enum web_scheme scheme; } rows[] = {
		{ "WWW-Authenticate: Negotiate, NTLM, Basic\r\n", WEB_KERBEROS }, { "WWW-Authenticate: NTLM, Basic\r\n", WEB_NONE },
		{ "WWW-Authenticate: Bearer x=y\r\n", WEB_NONE },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct challenges offered;
		struct scene      s;

		scene_open(&s, WEB_NONE);
		s.login.password = NULL;
		s.login.tickets = &tickets;
		challenges_read(slice_str(rows[i].fields), &offered);
		EXPECT_ROW(web_choose(&s.web, &offered) == rows[i].scheme, rows[i].fields);
		scene_close(&s);
	}
}

/* -- one request after another ------------------------------------------------------------------------------------------ */

TEST(what_is_said_and_what_is_heard)
{
	static const struct turn turns[] = {
		{ "POST /x HTTP/1.1\nHost: 192.0.2.7:444\nUser-Agent: mailmoor/\nX-Mine: 1\nContent-Length: 5\nasked\n!Authorization", "200 OK\nX-Theirs:  2 \nX-Empty:\n\nanswered", KEEPS },
		{ "GET /x HTTP/1.1\n!Content-Length\nUser-Agent: Somebody", "!HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 No such thing\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", KEEPS },
		{ "HEAD /x HTTP/1.1", "!HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", KEEPS }, { 0 },
	};
	struct web_peer p;
	struct error    err = { 0 };
	struct slice    value;
	struct scene    s;

	web_peer_init(&p, turns, "said and heard");
	scene_open(&s, WEB_NONE);
	EXPECT(web_peer_run(&p, ask_step, &s, &err));
	EXPECT(s.web.answer.status == 200 && slice_is(buffer_held(&s.web.answer.body), "answered"));
	EXPECT(web_field(&s.web, "x-theirs", &value) && slice_is(value, "2"));
	EXPECT(web_field(&s.web, "X-Empty", &value) && value.len == 0);
	EXPECT(!web_field(&s.web, "X-Other", &value));
	s.request = (struct web_request){ .method = "GET", .target = "/x", .agent = "Somebody" };
	EXPECT(ask_again(&s, &p, &err));
	EXPECT(s.web.answer.status == 404 && slice_is(buffer_held(&s.web.answer.body), "abc"));
	EXPECT_TEXT(s.web.answer.reason, "No such thing");
	s.request = (struct web_request){ .method = "HEAD", .target = "/x" };
	EXPECT(ask_again(&s, &p, &err));
	EXPECT(s.web.answer.status == 200 && buffer_held(&s.web.answer.body).len == 0 && p.connects == 1);
	scene_close(&s);
	web_peer_end(&p);
}

/* -- lines that end ----------------------------------------------------------------------------------------------------- */

static const struct {
	const char     *name;
	enum web_scheme scheme;
	bool            once;
	struct turn     turn[10];
	enum fault      fault;
	int             status;              /* of the second answer */
	size_t          connects, said;
	bool            whole_only;
} lines[] = {
	{ "closed in between: asked on another line", WEB_BASIC, false, { { "asked", "200 OK\n\n", ENDS }, { "asked\nBasic", "201 OK\n\n", KEEPS } }, FAULT_NONE, 201, 2, 2, false },
	{ "cut in between", WEB_BASIC, false, { { "asked", "200 OK\n\n", RESETS }, { "asked", "201 OK\n\n", KEEPS } }, FAULT_NONE, 201, 2, 2, false },
	{ "closed as it said", WEB_BASIC, false, { { "asked", "200 OK\nConnection: close\n\n", ENDS }, { "asked", "201 OK\n\n", KEEPS } }, FAULT_NONE, 201, 2, 2, false },
	{ "closed instead of an answer: once more", WEB_BASIC, false, { { "asked", "200 OK\n\n", KEEPS }, { "asked", NULL, ENDS }, { "asked", "201 OK\n\n", KEEPS } }, FAULT_NONE, 201, 2, 3, false },
	{ "and not a third time", WEB_BASIC, false, { { "asked", "200 OK\n\n", KEEPS }, { "asked", NULL, ENDS }, { "asked", NULL, ENDS } }, FAULT_NETWORK, 0, 2, 3, false },
	{ "what may have been done is not said again", WEB_BASIC, true, { { "asked", "200 OK\n\n", KEEPS }, { "asked", NULL, ENDS } }, FAULT_NETWORK, 0, 1, 2, false },
	{ "nor where the line was cut", WEB_NTLM, true, { CHALLENGES, { TYPE3, "200 OK\n\n", KEEPS }, { "asked\n!Authorization", NULL, RESETS } }, FAULT_NETWORK, 0, 1, 2, false },
	{ "but on a line that is known to be closed it is said on another", WEB_NTLM, true, { CHALLENGES, { TYPE3, "200 OK\nConnection: close\n\n", ENDS }, CHALLENGES, { TYPE3 "\nasked", "201 OK\n\n", KEEPS } },
	  FAULT_NONE, 201, 2, 4, false },
	{ "what is said beyond the answer is no answer to the next question", WEB_BASIC, false, { { "asked", "!HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 299 Smuggled\r\nContent-Length: 0\r\n\r\n", KEEPS }, { "asked", "201 OK\n\n", KEEPS } },
	  FAULT_NONE, 201, 2, 2, true },
	{ "but an empty line is nothing", WEB_BASIC, false, { { "asked", "!HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok\r\n", KEEPS }, { "asked", "201 OK\n\n", KEEPS } }, FAULT_NONE, 201, 1, 2, true },
	{ "half an answer is none to ask again for", WEB_BASIC, false, { { "asked", "200 OK\n\n", KEEPS }, { "asked", "!HTTP/1.1 201 OK\r\nContent-Le", ENDS } }, FAULT_NETWORK, 0, 1, 2, false },
	{ "nor half a body", WEB_BASIC, false, { { "asked", "200 OK\n\n", KEEPS }, { "asked", "!HTTP/1.1 201 OK\r\nContent-Length: 9\r\n\r\nhalf", ENDS } }, FAULT_NETWORK, 201, 1, 2, false },
	{ "a promise of an answer is not one", WEB_BASIC, false, { { "asked", "200 OK\n\n", KEEPS }, { "asked", "!HTTP/1.1 100 Continue\r\n\r\n", ENDS } }, FAULT_NETWORK, 0, 1, 2, false },
	{ "a body that ends with the line", WEB_BASIC, false, { { "asked", "200 OK\n\n", KEEPS }, { "asked", "!HTTP/1.1 203 OK\r\n\r\nall of it", ENDS } }, FAULT_NONE, 203, 1, 2, false },
	{ "a sign-in that does not last", WEB_NTLM, false, { CHALLENGES, { TYPE3, "401 Unauthorized\n\n", KEEPS }, CHALLENGES, { TYPE3, "200 OK\n\n", KEEPS } }, FAULT_NONE, 200, 1, 4, false },
	{ "gone twice on the way to the sign-in", WEB_NTLM, false, { CHALLENGES, { TYPE3, "200 OK\n\n", ENDS }, { TYPE1, NULL, ENDS } }, FAULT_NETWORK, 0, 2, 3, false },
};

TEST(a_line_that_ends_is_opened_again_once)
{
	for (size_t i = 0; i < COUNT(lines); i++)
		for (int piecemeal = 0; piecemeal < 2; piecemeal++) {
			const char     *row = lines[i].name;
			struct web_peer p;
			struct error    err = { 0 };
			struct scene    s;
			bool            fine;

			/* what comes after the answer was heard is not known to be more than it */
			if (piecemeal && lines[i].whole_only)
				continue;
			web_peer_init(&p, lines[i].turn, row);
			p.piecemeal = piecemeal;
			scene_open(&s, lines[i].scheme);
			EXPECT_ROW(web_peer_run(&p, ask_step, &s, &err), row);
			s.request.once = lines[i].once;
			fine = ask_again(&s, &p, &err);
			if (fine != (lines[i].fault == FAULT_NONE) || err.fault != lines[i].fault)
				test_fail(__FILE__, __LINE__, "%s: %s (%s)", row, fine ? "went well" : fault_name(err.fault), err.text);
			EXPECT_ROW(s.web.answer.status == lines[i].status && p.connects == lines[i].connects && p.secrets == lines[i].said, row);
			EXPECT_ROW(fine == (s.report->step[s.web.reported].state == STEP_RUNNING), row);
			no_secret_in(s.report, row);
			scene_close(&s);
			web_peer_end(&p);
		}
}

/* -- bodies that go elsewhere ------------------------------------------------------------------------------------------- */

static bool take(void *self, struct slice piece, struct error *err)
{
	struct scene *s = self;

	if (buffer_held(&s->taken).len + piece.len > s->most)
		return fail(err, FAULT_BROKEN, "that is enough");
	return buffer_add(&s->taken, piece);
}

TEST(a_body_may_go_to_whoever_reads_it)
{
	size_t          len = (size_t)3 * 1024 * 1024;
	char           *answer = malloc(len + 100);
	struct turn     turns[] = { { "asked", answer, KEEPS }, { "asked", answer, KEEPS }, { 0 } };
	struct web_peer p;
	struct error    err = { 0 };
	struct scene    s;

	strcpy(answer, "200 OK\n\n");
	memset(answer + 8, 'x', len);
	answer[8 + len] = '\0';
	web_peer_init(&p, turns, "to a taker");
	scene_open(&s, WEB_NONE);
	s.web.answer.piece = take;
	s.web.answer.taker = &s;
	s.most = len;
	EXPECT(web_peer_run(&p, ask_step, &s, &err));
	EXPECT(buffer_held(&s.taken).len == len && buffer_held(&s.web.answer.body).len == 0);
	buffer_clear(&s.taken);
	s.most = 100000;
	EXPECT(!ask_again(&s, &p, &err));
	EXPECT(err.fault == FAULT_BROKEN && !s.web.line.open && has_fact(s.report, "exchange.offer", FACT_REPLY_BROKEN, "that is enough"));
	scene_close(&s);
	web_peer_end(&p);
	free(answer);
}

/* -- as whom ------------------------------------------------------------------------------------------------------------ */

/* The same challenge, told once as one; and what stands in it. */
TEST(a_challenge_tells_who_the_server_is)
{
	static const struct turn turns[] = { CHALLENGES, { 0 } };
	struct web_peer p;
	struct error    err = { 0 };
	struct scene    s;
	struct want     w = { .came = CAME_NOTHING };

	web_peer_init(&p, turns, "challenge");
	scene_open(&s, WEB_NTLM);
	for (enum want_kind kind = web_open_step(&s.web, &w, &err); kind != WANT_NOTHING; kind = web_open_step(&s.web, &w, &err))
		w.came = peer_answer(&p, &w, kind);
	s.web.reported = report_begin(s.report, "exchange.challenge", 0, 0);
	web_ask(&s.web, &s.request);
	EXPECT(web_peer_run(&p, web_challenge_step, &s.web, &err));
	EXPECT(s.web.challenged && !s.web.asked && !s.web.last_leg);
	EXPECT_TEXT(s.web.challenge.netbios_domain, "CONTOSO");
	EXPECT_TEXT(s.web.challenge.dns_domain, "contoso.example");
	no_secret_in(s.report, "challenge");
	scene_close(&s);
	web_peer_end(&p);
}

/* -- by Kerberos ---------------------------------------------------------------------------------------------------------- */

#define ONE    "asked\nAuthorization: Negotiate T05F"
#define TWO    "asked\nAuthorization: Negotiate VFdP"
#define PROOF  "WWW-Authenticate: Negotiate T0s=\n"
#define BARE   "asked\n!Authorization"
#define SAYS(heard, say) { heard, say, false, TICKET_FINE, CAME_NOTHING }
#define IS_PROVEN { "OK", "", true, TICKET_FINE, CAME_NOTHING }

static const struct {
	const char        *name;
	struct turn        turn[10];
	struct ticket_turn ticket[10];
	bool               again;             /* a second request behind the first          */
	enum fault         fault;
	int                status;
	const char        *ticket_fact;       /* kerberos.ticket; NULL: not there           */
	bool               proven;
	size_t             said;              /* requests with credentials                  */
} kerberos[] = {
	{ "one word each", { { ONE, "200 OK\n" PROOF "\nfine", KEEPS } }, { SAYS("", "ONE"), IS_PROVEN }, false, FAULT_NONE, 200, NULL, true, 1 },
	{ "then the line is signed in", { { ONE, "200 OK\n" PROOF "\nfine", KEEPS }, { BARE, "201 OK\n\n", KEEPS } }, { SAYS("", "ONE"), IS_PROVEN }, true, FAULT_NONE, 201, NULL, true, 1 },
	{ "or each request", { { ONE, "200 OK\n" PROOF "\nfine", KEEPS }, { BARE, "401 No\nWWW-Authenticate: Negotiate\n\n", KEEPS }, { TWO, "201 OK\n" PROOF "\n", KEEPS } },
	  { SAYS("", "ONE"), IS_PROVEN, SAYS("", "TWO"), IS_PROVEN }, true, FAULT_NONE, 201, NULL, true, 2 },
	{ "another line, another ticket", { { ONE, "200 OK\n" PROOF "\nfine", ENDS }, { TWO, "201 OK\n" PROOF "\n", KEEPS } }, { SAYS("", "ONE"), IS_PROVEN, SAYS("", "TWO"), IS_PROVEN }, true,
	  FAULT_NONE, 201, NULL, true, 2 },
	{ "two words each", { { ONE, "401 No\nWWW-Authenticate: Negotiate\nWWW-Authenticate: Negotiate T0s=\n\n", KEEPS }, { TWO, "200 OK\n" PROOF "\n", KEEPS } },
	  { SAYS("", "ONE"), SAYS("OK", "TWO"), IS_PROVEN }, false, FAULT_NONE, 200, NULL, true, 2 },
	{ "on and on", { { ONE, "401 No\n" PROOF "\n", KEEPS }, { ONE, "401 No\n" PROOF "\n", KEEPS }, { ONE, "401 No\n" PROOF "\n", KEEPS }, { ONE, "401 No\n" PROOF "\n", KEEPS } },
	  { SAYS("", "ONE"), SAYS("OK", "ONE"), SAYS("OK", "ONE"), SAYS("OK", "ONE") }, false, FAULT_NONE, 401, NULL, false, 4 },
	{ "refused", { { ONE, "401 No\nWWW-Authenticate: Negotiate\n\n", KEEPS } }, { SAYS("", "ONE") }, false, FAULT_NONE, 401, NULL, false, 1 },
	{ "refused for a reason", { { ONE, "401 No\n" PROOF "\n", KEEPS } }, { SAYS("", "ONE"), { "OK", "", false, TICKET_CLOCK, CAME_NOTHING } }, false, FAULT_NONE, 401, "clock", false, 1 },
	{ "a server that proves nothing", { { ONE, "200 OK\n\nfine", KEEPS } }, { SAYS("", "ONE") }, false, FAULT_REFUSED, 200, "unproven", false, 1 },
	{ "or something wrong", { { ONE, "200 OK\n" PROOF "\nfine", KEEPS } }, { SAYS("", "ONE"), { "OK", "", false, TICKET_UNPROVEN, CAME_NOTHING } }, false, FAULT_REFUSED, 200, "unproven", false, 1 },
	{ "or not yet all", { { ONE, "200 OK\n" PROOF "\nfine", KEEPS } }, { SAYS("", "ONE"), SAYS("OK", "TWO") }, false, FAULT_REFUSED, 200, "unproven", false, 1 },
	{ "an error with a wrong proof", { { ONE, "500 No\n" PROOF "\nno", KEEPS } }, { SAYS("", "ONE"), { "OK", "", false, TICKET_UNPROVEN, CAME_NOTHING } }, false, FAULT_REFUSED, 500, "unproven", false, 1 },
	{ "somebody in front has no key", { { ONE, "503 Later\n\n", KEEPS } }, { SAYS("", "ONE") }, false, FAULT_NONE, 503, NULL, false, 1 },
	{ "and signs nobody in", { { ONE, "503 Later\n\n", KEEPS }, { TWO, "200 OK\n" PROOF "\n", KEEPS } }, { SAYS("", "ONE"), SAYS("", "TWO"), IS_PROVEN }, true, FAULT_NONE, 200, NULL, true, 2 },
	{ "no ticket: nothing is said", { { 0 } }, { { "", "", false, TICKET_NONE, CAME_NOTHING } }, false, FAULT_REFUSED, 0, "none", false, 0 },
	{ "no KDC: nor then", { { 0 } }, { { "", "", false, TICKET_FINE, CAME_TIMEOUT } }, false, FAULT_TIMEOUT, 0, "kdc_silent", false, 0 },
	{ "called off while the KDC is asked", { { 0 } }, { { "", "", false, TICKET_FINE, CAME_CANCELLED } }, false, FAULT_CANCELLED, 0, NULL, false, 0 },
	{ "called off while the proof is looked at", { { ONE, "200 OK\n" PROOF "\nfine", KEEPS } }, { SAYS("", "ONE"), { "OK", "", false, TICKET_FINE, CAME_CANCELLED } }, false, FAULT_CANCELLED, 200, NULL, false, 1 },
};

TEST(by_kerberos_a_server_is_believed_that_proves_itself)
{
	static const struct ticket_source tickets = { 0 };

	for (size_t i = 0; i < COUNT(kerberos); i++)
		for (int piecemeal = 0; piecemeal < 2; piecemeal++) {
			const char     *row = kerberos[i].name, *fact;
			struct web_peer p;
			struct error    err = { 0 };
			struct scene    s;
			bool            fine;

			web_peer_init(&p, kerberos[i].turn, row);
			p.piecemeal = piecemeal;
			p.tickets = kerberos[i].ticket;
			scene_open(&s, WEB_KERBEROS);
			s.login.password = NULL;
			s.login.tickets = &tickets;
			s.web.answer.piece = take;
			s.web.answer.taker = &s;
			s.most = 1000;
			fine = web_peer_run(&p, ask_step, &s, &err);
			if (fine && kerberos[i].again)
				fine = ask_again(&s, &p, &err);
			if (fine != (kerberos[i].fault == FAULT_NONE) || err.fault != kerberos[i].fault)
				test_fail(__FILE__, __LINE__, "%s: %s (%s)", row, fine ? "went well" : fault_name(err.fault), err.text);
			EXPECT_ROW(s.web.answer.status == kerberos[i].status && p.secrets == kerberos[i].said, row);
			fact = report_value(s.report, s.web.reported, FACT_TICKET);
			EXPECT_ROW(kerberos[i].ticket_fact ? fact && strcmp(fact, kerberos[i].ticket_fact) == 0 : !fact, row);
			EXPECT_ROW((report_value(s.report, s.web.reported, FACT_PROVEN) != NULL) == kerberos[i].proven, row);
			/* not a byte of what was not proven is handed on */
			EXPECT_ROW(fine || buffer_held(&s.taken).len == 0, row);
			EXPECT_ROW(fine == (s.report->step[s.web.reported].state == STEP_RUNNING), row);
			EXPECT_ROW(!p.tickets[p.ticket_at].say, row);
			scene_close(&s);
			web_peer_end(&p);
		}
}
