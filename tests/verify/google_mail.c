#include "verify/google_mail.h"

#include "model/facts.h"
#include "test.h"
#include "web_peer.h"

struct scene {
	struct report        *report;
	struct mail_address   address;
	struct google_app     app;
	struct google_session google;
	struct google_mail    way;
	struct webmail        mail;
	struct web_peer       peer;
};

static enum want_kind open_step(void *self, struct want *w, struct error *err)
{
	return web_open_step(self, w, err);
}

static void scene_open(struct scene *s, const struct turn *turns, const char *row, const char *to, const char *scope)
{
	const struct oauth_grant grant = { .access_token = "token-of-ann", .scope = scope };
	const char               *problem;
	struct error              err = { 0 };

	s->report = report_new("ann@birch.example");
	EXPECT(mail_address_parse("ann@birch.example", s->report->job, &s->address, &problem));
	google_session_init(&s->google, s->report, &s->app, &s->address, &grant, waits_within(30000), report_attempt(s->report));
	s->google.line[GOOGLE_MAIL].endpoint.host = "192.0.2.8";
	web_peer_init(&s->peer, turns, row);
	EXPECT(web_peer_run(&s->peer, open_step, google_web(&s->google), &err));
	s->google.line[GOOGLE_MAIL].open = true;
	s->way = (struct google_mail){ .google = &s->google };
	webmail_init(&s->mail, &google_mail, &s->way, s->report, s->google.attempt, "ann@birch.example", to);
	s->peer.token = s->mail.message.token;
}

static void scene_close(struct scene *s)
{
	webmail_release(&s->mail);
	google_session_release(&s->google);
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

#define ALL_OF_IT  "https://mail.google.com/"
#define MODIFY     "https://www.googleapis.com/auth/gmail.modify"
#define ME         " /gmail/v1/users/me/messages"
#define BEARER     "Authorization: Bearer token-of-ann"
#define JSON       "200 OK\nContent-Type: application/json\n\n"
/* "From: <ann@birch.example>", as base64 begins it */
#define SENT       { "POST" ME "/send\nContent-Type: application/json\n{\"raw\":\"RnJvbTogPGFubkBiaXJjaC5leGFtcGxl\n" BEARER, JSON "{\"id\":\"m1\",\"labelIds\":[\"SENT\"]}", KEEPS }
#define LIST(label, ids) { "GET" ME "?maxResults=15&labelIds=" label "\n" BEARER, JSON "{" ids "}", KEEPS }
#define IDS(ids)   "\"messages\":[" ids "]"
#define ID(id)     "{\"id\":\"" id "\",\"threadId\":\"t\"}"
#define HEAD(id, headers) { "GET" ME "/" id "?format=metadata\n" BEARER, JSON "{\"id\":\"" id "\",\"payload\":{\"headers\":[" headers "]}}", KEEPS }
#define FIELD(name, value) "{\"name\":\"" name "\",\"value\":\"" value "\"}"
#define OURS(id)   HEAD(id, FIELD("Subject", "Mailmoor test {TOKEN}") "," FIELD("From", "Ann <ann@birch.example>"))
#define OTHERS(id) HEAD(id, FIELD("Subject", "Mailmoor test of somebody"))
#define NDR(id)    HEAD(id, FIELD("Subject", "Delivery Status Notification (Failure)") "," FIELD("References", "<{TOKEN}@birch.example>") "," FIELD("Content-Type", "multipart/report; boundary=b; report-type=delivery-status"))
#define READ(id)   HEAD(id, FIELD("Subject", "Read") "," FIELD("In-Reply-To", "<{TOKEN}@birch.example>") "," FIELD("Content-Type", "multipart/report; report-type=disposition-notification"))
#define DELETES(id, status) { "DELETE" ME "/" id " \n" BEARER, status "\n\n", KEEPS }
#define TO_BIN(id, status)  { "POST" ME "/" id "/trash\n" BEARER, status "\n\n", KEEPS }
/* Content-Type: multipart/report, Status: 5.7.60 */
#define NO_RIGHT   "U3ViamVjdDogeA0KQ29udGVudC1UeXBlOiBtdWx0aXBhcnQvcmVwb3J0OyBib3VuZGFyeT1iDQoNCi0tYg0KQ29udGVudC1UeXBlOiBtZXNzYWdlL2RlbGl2ZXJ5LXN0YXR1cw0KDQpGaW5hbC1yZWNpcGllbnQ6IFJGQzgyMjthbm5AYmlyY2guZXhhbXBsZQ0KQWN0aW9uOiBmYWlsZWQNClN0YXR1czogNS43LjYwDQpEaWFnbm9zdGljLWNvZGU6IHNtdHA7NTUwIDUuNy42MCBubw0KDQotLWItLQ0K"

static const struct {
	const char *name, *to, *scope;
	struct turn turn[14];
	const char *send, *arrive, *folder, *bounce, *copy, *remove;
} cases[] = {
	{ "arrives, and is its own copy; it is removed", NULL, ALL_OF_IT, { SENT, LIST("INBOX", IDS(ID("x") "," ID("m1"))), OTHERS("x"), OURS("m1"), LIST("SENT", IDS(ID("m1"))), OURS("m1"), DELETES("m1", "204 No Content") },
	  "passed", "passed", "inbox", "", "yes", "passed" },
	{ "a copy of its own; both are removed", NULL, ALL_OF_IT, { SENT, LIST("INBOX", IDS(ID("m2"))), OURS("m2"), LIST("SENT", IDS(ID("m1"))), OURS("m1"), DELETES("m2", "204 No Content"), DELETES("m1", "204 No Content") },
	  "passed", "passed", "inbox", "", "yes", "passed" },
	{ "without the right to remove for good", NULL, MODIFY, { SENT, LIST("INBOX", IDS(ID("m1"))), OURS("m1"), LIST("SENT", ""), TO_BIN("m1", "200 OK") }, "passed", "passed", "inbox", "", "no", "passed" },
	{ "at the second look; what is known is not looked at again", NULL, MODIFY, { SENT, LIST("INBOX", IDS(ID("x"))), OTHERS("x"), LIST("INBOX", IDS(ID("m1") "," ID("x"))), OURS("m1"), LIST("SENT", IDS(ID("x"))), TO_BIN("m1", "200 OK") },
	  "passed", "passed", "inbox", "", "no", "passed" },
	{ "a folder that may not be looked at has nothing", NULL, MODIFY, { SENT, { "GET" ME "?maxResults", "403 Forbidden\n\n{\"error\":{\"code\":403}}", KEEPS }, LIST("INBOX", IDS(ID("m1"))), OURS("m1"), LIST("SENT", ""), TO_BIN("m1", "200 OK") },
	  "passed", "passed", "inbox", "", "no", "passed" },
	{ "gone before it is looked at", NULL, MODIFY, { SENT, LIST("INBOX", IDS(ID("y") "," ID("m1"))), { "GET" ME "/y?format=metadata", "404 Not Found\n\n{}", KEEPS }, OURS("m1"), LIST("SENT", ""), TO_BIN("m1", "200 OK") }, "passed", "passed", "inbox", "", "no", "passed" },
	{ "one of two is not removed", NULL, ALL_OF_IT, { SENT, LIST("INBOX", IDS(ID("m2"))), OURS("m2"), LIST("SENT", IDS(ID("m1"))), OURS("m1"), DELETES("m2", "403 Forbidden"), DELETES("m1", "204 No Content") }, "passed", "passed", "inbox", "", "yes", "warned" },
	{ "a report instead; it stays", NULL, MODIFY, { SENT, LIST("INBOX", IDS(ID("r") "," ID("n1"))), READ("r"), NDR("n1"), { "GET" ME "/n1?format=raw\n" BEARER, JSON "{\"id\":\"n1\",\"raw\":\"" NO_RIGHT "\"}", KEEPS }, LIST("SENT", IDS(ID("m1"))), OURS("m1"), TO_BIN("m1", "200 OK") },
	  "passed", "failed", "", "5.7.60", "yes", "passed" },
	{ "to another address", "bob@ash.example", MODIFY, { SENT, LIST("INBOX", ""), LIST("INBOX", ""), LIST("INBOX", ""), LIST("SENT", IDS(ID("m1"))), OURS("m1"), TO_BIN("m1", "200 OK") }, "passed", "not_checked_here", "", "", "yes", "passed" },
	{ "refused", NULL, MODIFY, { { "POST" ME "/send", "403 Forbidden\n\n{\"error\":{\"errors\":[{\"reason\":\"insufficientPermissions\"}]}}", KEEPS } }, "failed", "earlier", "", "", "", "earlier" },
	{ "gone while it is said: never again", NULL, MODIFY, { { "POST" ME "/send", NULL, ENDS } }, "failed", "earlier", "", "", "", "earlier" },
	{ "busy: never again either", NULL, MODIFY, { { "POST" ME "/send", "503 Service Unavailable\n\n", KEEPS } }, "failed", "earlier", "", "", "", "earlier" },
};

TEST(a_test_message_and_what_becomes_of_it)
{
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char  *row = cases[i].name;
		struct error err = { 0 };
		struct scene s = { 0 };

		scene_open(&s, cases[i].turn, row, cases[i].to, cases[i].scope);
		EXPECT_ROW(web_peer_run(&s.peer, webmail_step, &s.mail, &err), row);
		EXPECT_TEXT(state_of(&s, "google.send"), cases[i].send);
		EXPECT_TEXT(state_of(&s, "send.arrive"), cases[i].arrive);
		EXPECT_TEXT(fact_of(&s, "send.arrive", FACT_SEND_FOLDER), cases[i].folder);
		EXPECT_TEXT(fact_of(&s, "send.bounce", FACT_REPLY_ENHANCED), cases[i].bounce);
		EXPECT_TEXT(fact_of(&s, "send.copy", FACT_SEND_COPY), cases[i].copy);
		EXPECT_TEXT(state_of(&s, "send.remove"), cases[i].remove);
		scene_close(&s);
	}
}
