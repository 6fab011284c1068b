#include "verify/graph_mail.h"

#include "model/facts.h"
#include "test.h"
#include "web_peer.h"

struct scene {
	struct report           *report;
	struct mail_address      address;
	struct microsoft_app     app;
	struct microsoft_session microsoft;
	struct webmail           mail;
	struct web_peer          peer;
};

static enum want_kind open_step(void *self, struct want *w, struct error *err)
{
	return web_open_step(self, w, err);
}

static void scene_open(struct scene *s, const struct turn *turns, const char *row, const char *to)
{
	const struct oauth_grant grant = { .access_token = "token-of-ann" };
	const char                  *problem;
	struct error                 err = { 0 };

	s->report = report_new("ann@birch.example");
	EXPECT(mail_address_parse("ann@birch.example", s->report->job, &s->address, &problem));
	microsoft_session_init(&s->microsoft, s->report, &s->app, &s->address, &grant, waits_within(30000), report_attempt(s->report));
	s->microsoft.graph.host = "192.0.2.8";
	web_peer_init(&s->peer, turns, row);
	EXPECT(web_peer_run(&s->peer, open_step, &s->microsoft.web, &err));
	webmail_init(&s->mail, &graph_mail, &s->microsoft, s->report, s->microsoft.attempt, "ann@birch.example", to);
	s->peer.token = s->mail.message.token;
}

static void scene_close(struct scene *s)
{
	webmail_release(&s->mail);
	microsoft_session_release(&s->microsoft);
	report_free(s->report);
	web_peer_end(&s->peer);
}

static const char *fact_of(const struct scene *s, const char *id, const char *fact)
{
	int         step = report_find(s->report, id, NO_ATTEMPT);
	const char *value = step >= 0 ? report_value(s->report, step, fact) : NULL;

	return value ? value : "";
}

static const char *state_of(const struct scene *s, const char *id)
{
	int step = report_find(s->report, id, NO_ATTEMPT);

	return step < 0 ? "" : s->report->step[step].skip ? s->report->step[step].skip : step_state_name(s->report->step[step].state);
}

#define BEARER       "Authorization: Bearer token-of-ann"
/* "From: ann@birch.example", as base64 begins it */
#define SENT         { "POST /v1.0/me/sendMail\nContent-Type: text/plain\nRnJvbTogPGFubkBiaXJjaC5leGFtcGxl\n" BEARER, "202 Accepted\n\n", KEEPS }
#define PAGE(items)  "200 OK\nContent-Type: application/json;odata.metadata=minimal\n\n{\"value\":[" items "]}"
#define OURS(id)     "{\"id\":\"" id "\",\"subject\":\"Mailmoor test {TOKEN}\",\"from\":{\"emailAddress\":{\"address\":\"ann@birch.example\"}}}"
#define OTHERS(id)   "{\"id\":\"" id "\",\"subject\":\"Mailmoor test of somebody\"}"
#define NDR(id)      "{\"id\":\"" id "\",\"subject\":\"Undeliverable: Mailmoor test {TOKEN}\",\"singleValueExtendedProperties\":[{\"id\":\"String 0x1a\",\"value\":\"REPORT.IPM.Note.NDR\"}]}"
#define LOOK(folder, items) { "GET /v1.0/me/mailFolders/" folder "/messages?$top=25\nreceivedDateTime%20desc\n" BEARER, PAGE(items), KEEPS }
#define INBOX(items) LOOK("inbox", items)
#define COPY(items)  LOOK("sentitems", items)
#define REMOVES(ids, answer) { "POST /v1.0/$batch\npermanentDelete\n" ids, "200 OK\nContent-Type: application/json\n\n{\"responses\":[" answer "]}", KEEPS }
#define GONE(n)      "{\"id\":\"" n "\",\"status\":204}"
#define KEPT(n)      "{\"id\":\"" n "\",\"status\":403,\"body\":{\"error\":{\"code\":\"ErrorAccessDenied\"}}}"
#define NO_RIGHT     "200 OK\nContent-Type: text/plain\n\nSubject: Undeliverable\r\nContent-Type: multipart/report; boundary=b\r\n\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n" \
	"Final-recipient: RFC822;ann@birch.example\r\nAction: failed\r\nStatus: 5.7.60\r\nDiagnostic-code: smtp;550 5.7.60 SMTP; Client does not have permissions to send as this sender\r\n\r\n--b--\r\n"

static const struct {
	const char *name, *to;
	struct turn turn[12];
	const char *send, *arrive, *folder, *bounce, *copy, *remove;
} cases[] = {
	{ "arrives, with a copy; both are removed", NULL, { SENT, INBOX(OTHERS("x") "," OURS("AA/b+c=")), COPY(OURS("S1")), REMOVES("AA%2Fb%2Bc%3D\n/me/messages/S1/\n!messages/x", GONE("2") "," GONE("1")) },
	  "passed", "passed", "inbox", "", "yes", "passed" },
	{ "at the second look", NULL, { SENT, INBOX(""), INBOX(OURS("I1")), COPY(""), REMOVES("I1", GONE("1")) }, "passed", "passed", "inbox", "", "no", "passed" },
	{ "a folder that may not be looked at has nothing", NULL, { SENT, { "GET /v1.0/me/mailFolders/inbox", "403 Forbidden\nContent-Type: application/json\n\n{\"error\":{\"code\":\"ErrorAccessDenied\"}}", KEEPS }, INBOX(OURS("I1")), COPY(""), REMOVES("I1", GONE("1")) },
	  "passed", "passed", "inbox", "", "no", "passed" },
	{ "not removed", NULL, { SENT, INBOX(OURS("I1")), COPY(OURS("S1")), REMOVES("I1", GONE("1") "," KEPT("2")) }, "passed", "passed", "inbox", "", "yes", "warned" },
	{ "a report instead; it stays", NULL, { SENT, INBOX(NDR("N/1")), { "GET /v1.0/me/messages/N%2F1/$value\n" BEARER, NO_RIGHT, KEEPS }, COPY(OURS("S1")), REMOVES("S1\n!N%2F1", GONE("1")) },
	  "passed", "failed", "", "5.7.60", "yes", "passed" },
	{ "to another address", "bob@ash.example", { SENT, INBOX(""), INBOX(""), INBOX(""), COPY(OURS("S1")), REMOVES("S1", GONE("1")) }, "passed", "not_checked_here", "", "", "yes", "passed" },
	{ "refused", NULL, { { "POST /v1.0/me/sendMail", "403 Forbidden\nContent-Type: application/json\n\n{\"error\":{\"code\":\"ErrorSendAsDenied\",\"message\":\"no\"}}", KEEPS } }, "failed", "earlier", "", "", "", "earlier" },
	{ "gone while it is said: never again", NULL, { { "POST /v1.0/me/sendMail", NULL, ENDS } }, "failed", "earlier", "", "", "", "earlier" },
};

TEST(a_test_message_and_what_becomes_of_it)
{
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char  *row = cases[i].name;
		struct error err = { 0 };
		struct scene s = { 0 };

		scene_open(&s, cases[i].turn, row, cases[i].to);
		EXPECT_ROW(web_peer_run(&s.peer, webmail_step, &s.mail, &err), row);
		EXPECT_TEXT(state_of(&s, "microsoft.send"), cases[i].send);
		EXPECT_TEXT(state_of(&s, "send.arrive"), cases[i].arrive);
		EXPECT_TEXT(fact_of(&s, "send.arrive", FACT_SEND_FOLDER), cases[i].folder);
		EXPECT_TEXT(fact_of(&s, "send.bounce", FACT_REPLY_ENHANCED), cases[i].bounce);
		EXPECT_TEXT(fact_of(&s, "send.copy", FACT_SEND_COPY), cases[i].copy);
		EXPECT_TEXT(state_of(&s, "send.remove"), cases[i].remove);
		scene_close(&s);
	}
}
