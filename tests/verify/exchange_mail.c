#include "verify/exchange_mail.h"

#include "model/facts.h"
#include "provider/exchange_words.h"
#include "test.h"
#include "web_peer.h"

/* -- a mailbox, already signed in ----------------------------------------------------------------------------------- */

struct scene {
	struct report          *report;
	struct endpoint         place;
	struct login            login;
	struct exchange_session exchange;
	struct webmail          mail;
	struct web_peer         peer;
	int                     asked, at;           /* the other address: it is there at that question */
	const char             *header;
};

static enum want_kind open_step(void *self, struct want *w, struct error *err)
{
	return web_open_step(self, w, err);
}

static bool has_come(void *self, const char *token, struct arena *into, struct slice *header_out)
{
	struct scene *s = self;

	EXPECT_TEXT(token, s->mail.message.token);
	(void)into;
	if (s->header)
		*header_out = slice_str(s->header);
	return ++s->asked == s->at;
}

static void scene_open(struct scene *s, const struct turn *turns, const char *row, const char *to, bool seen_elsewhere)
{
	struct error err = { 0 };

	s->report = report_new("ann@birch.example");
	s->place = (struct endpoint){ .service = SERVICE_WEB, .host = "192.0.2.7", .port = 443, .socket = SOCKET_TLS, .source = SOURCE_USER, .path = "/EWS/Exchange.asmx" };
	s->login = (struct login){ .username = "ann@birch.example", .username_form = "address", .password = "hunter22", .nonce = "0123456789" };
	exchange_session_init(&s->exchange, s->report, &s->place, &s->login, "ann@birch.example", waits_within(30000), report_attempt(s->report));
	s->exchange.logged_in = true;
	s->exchange.web.scheme = WEB_BASIC;
	web_peer_init(&s->peer, turns, row);
	EXPECT(web_peer_run(&s->peer, open_step, &s->exchange.web, &err));
	webmail_init(&s->mail, &exchange_mail, &s->exchange, s->report, s->exchange.attempt, "ann@birch.example", to);
	s->mail.has_come = seen_elsewhere ? has_come : NULL;
	s->mail.asked = s;
	s->peer.token = s->mail.message.token;
}

static void scene_close(struct scene *s)
{
	webmail_release(&s->mail);
	exchange_session_release(&s->exchange);
	report_free(s->report);
	web_peer_end(&s->peer);
}

static const char *without_token(const struct scene *s, const char *value)
{
	const char *at = strstr(value, s->mail.message.token);

	return at ? arena_print(s->report->job, "%.*s{TOKEN}", (int)(at - value), value) : value;
}

/* "passed send.found=yes …", "skipped earlier"; "" when there is no such step. How long is left out. */
static const char *seen(const struct scene *s, const char *id)
{
	struct report *r = s->report;
	int            step = report_find(r, id, NO_ATTEMPT) >= 0 ? report_find(r, id, NO_ATTEMPT) : report_find(r, id, 0);
	const char    *text;

	if (step < 0)
		return "";
	text = step_state_name(r->step[step].state);
	if (r->step[step].skip)
		return arena_print(r->job, "%s %s", text, r->step[step].skip);
	for (size_t i = 0; i < r->fact_count; i++)
		if (r->fact[i].step == step && (strncmp(r->fact[i].name, "send.", 5) == 0 || strncmp(r->fact[i].name, "reply.", 6) == 0)
		    && strcmp(r->fact[i].name, FACT_SEND_WAITED) != 0 && strcmp(r->fact[i].name, FACT_SEND_TO) != 0)
			text = arena_print(r->job, "%s %s=%s", text, r->fact[i].name, without_token(s, r->fact[i].value));
	return text;
}

/* -- cases ----------------------------------------------------------------------------------------------------------- */

#define SENT              { "<m:CreateItem MessageDisposition=\"SendAndSaveCopy\"", FINE("CreateItem", ""), KEEPS }
#define NOT_SENT(code)    { "<m:CreateItem", ERROR("CreateItem", code), KEEPS }
#define FOUND(items)      FINE("FindItem", "<m:RootFolder TotalItemsInView=\"1\" IncludesLastItemInRange=\"true\"><t:Items>" items "</t:Items></m:RootFolder>")
#define ITEM(id, subject) "<t:Message><t:ItemId Id=\"" id "\" ChangeKey=\"k\"/><t:ItemClass>IPM.Note</t:ItemClass><t:Subject>" subject "</t:Subject>" \
	"<t:From><t:Mailbox><t:EmailAddress>ann@birch.example</t:EmailAddress></t:Mailbox></t:From></t:Message>"
#define OURS(id)          ITEM(id, "Mailmoor test {TOKEN}")
#define REPORTED(id)      "<t:ReportMessage><t:ItemId Id=\"" id "\"/><t:ItemClass>REPORT.IPM.Note.NDR</t:ItemClass><t:Subject>Undeliverable: Mailmoor test {TOKEN}</t:Subject></t:ReportMessage>"
#define REPORT_OF(class)  "<t:ReportMessage><t:ItemId Id=\"N1\"/><t:ItemClass>REPORT.IPM.Note." class "</t:ItemClass><t:Subject>About: Mailmoor test {TOKEN}</t:Subject></t:ReportMessage>"
#define READ(mime)        { "<m:GetItem\n<t:IncludeMimeContent>true\nId=\"N1\"", FINE("GetItem", "<m:Items><t:ReportMessage><t:MimeContent CharacterSet=\"UTF-8\">" mime \
	"</t:MimeContent><t:ItemId Id=\"N1\"/></t:ReportMessage></m:Items>"), KEEPS }
/* "Status: 5.7.60", "Diagnostic-code: smtp;550 5.7.60 …" */
#define NO_RIGHT \
	"U3ViamVjdDogVW5kZWxpdmVyYWJsZQ0KQ29udGVudC1UeXBlOiBtdWx0aXBhcnQvcmVwb3J0OyBib3VuZGFyeT1iDQoNCi0tYg0KQ29udGVudC1UeXBlOiBtZXNzYWdlL2RlbGl2ZXJ5" \
	"LXN0YXR1cw0KDQpGaW5hbC1yZWNpcGllbnQ6IFJGQzgyMjthbm5AYmlyY2guZXhhbXBsZQ0KQWN0aW9uOiBmYWlsZWQNClN0YXR1czogNS43LjYwDQpEaWFnbm9zdGljLWNvZGU6IHNt" \
	"dHA7NTUwIDUuNy42MCBTTVRQOyBDbGllbnQgZG9lcyBub3QgaGF2ZSBwZXJtaXNzaW9ucyB0byBzZW5kIGFzIHRoaXMgc2VuZGVyDQoNCi0tYi0tDQo="
#define INBOX(items)      { "<m:FindItem\n\"inbox\"", FOUND(items), KEEPS }
#define COPY(items)       { "<m:FindItem\n\"sentitems\"", FOUND(items), KEEPS }
#define REMOVAL(ids)      { "<m:DeleteItem DeleteType=\"HardDelete\"" ids, FINE("DeleteItem", ""), KEEPS }
#define THIS(id)          "\nId=\"" id "\""
#define NOT_THIS(id)      "\n!Id=\"" id "\""
#define OTHER             "bcc@ash.example"

static const struct {
	const char *name, *to;
	bool        seen_elsewhere;
	int         at;
	struct turn turn[20];
	const char *send, *arrive, *bounce, *copy, *remove;
} cases[] = {
	{ "to itself: arrives at once, with a copy", NULL, false, 0, { SENT, INBOX(OURS("I1")), COPY(OURS("S1")), REMOVAL(THIS("I1") THIS("S1")) },
	  "passed", "passed send.found=yes send.from_seen=ann@birch.example send.folder=inbox", "", "passed send.copy=yes", "passed send.removed=inbox, sentitems" },
	{ "at the third look", NULL, false, 0, { SENT, INBOX(""), INBOX(""), INBOX(OURS("I1")), COPY(OURS("S1")), REMOVAL(THIS("I1")) },
	  "passed", "passed send.found=yes send.from_seen=ann@birch.example send.folder=inbox", "", "passed send.copy=yes", "passed send.removed=inbox, sentitems" },
	{ "in the folder for junk", NULL, false, 0, { SENT, INBOX(""), INBOX(""), INBOX(""), { "<m:FindItem\n\"junkemail\"", FOUND(OURS("J1")), KEEPS }, COPY(OURS("S1")), REMOVAL(THIS("J1") THIS("S1")) },
	  "passed", "passed send.found=yes send.from_seen=ann@birch.example send.folder=junkemail", "", "passed send.copy=yes", "passed send.removed=junkemail, sentitems" },
	{ "a folder for junk that may not be looked at", NULL, false, 0, { SENT, INBOX(""), INBOX(""), INBOX(""), { "\"junkemail\"", ERROR("FindItem", "ErrorAccessDenied"), KEEPS }, INBOX(OURS("I1")), COPY(""), REMOVAL(THIS("I1")) },
	  "passed", "passed send.found=yes send.from_seen=ann@birch.example send.folder=inbox", "", "passed send.copy=no", "passed send.removed=inbox, sentitems" },
	{ "a report that it came, or that it will take its time, is not the end of it", NULL, false, 0, { SENT, INBOX(REPORT_OF("DR")), INBOX(REPORT_OF("Delayed")), INBOX(OURS("I1")), COPY(OURS("S1")),
	  REMOVAL(THIS("I1") THIS("S1") NOT_THIS("N1")) },
	  "passed", "passed send.found=yes send.from_seen=ann@birch.example send.folder=inbox", "", "passed send.copy=yes", "passed send.removed=inbox, sentitems" },
	{ "no copy is kept", NULL, false, 0, { SENT, INBOX(OURS("I1")), COPY(""), REMOVAL(THIS("I1")) },
	  "passed", "passed send.found=yes send.from_seen=ann@birch.example send.folder=inbox", "", "passed send.copy=no", "passed send.removed=inbox, sentitems" },
	{ "what the server finds besides is not ours, and stays", NULL, false, 0, { SENT, INBOX(ITEM("X1", "Re: Mailmoor test") OURS("I1") ITEM("X2", "holidays")), COPY(ITEM("X3", "Mailmoor test 0000")),
	  REMOVAL(THIS("I1") NOT_THIS("X1") NOT_THIS("X2") NOT_THIS("X3")) },
	  "passed", "passed send.found=yes send.from_seen=ann@birch.example send.folder=inbox", "", "passed send.copy=no", "passed send.removed=inbox, sentitems" },
	{ "a report that it could not be delivered: told, and left there", NULL, false, 0, { SENT, INBOX(""), INBOX(REPORTED("N1")), READ(NO_RIGHT), COPY(OURS("S1")), REMOVAL(THIS("S1") NOT_THIS("N1")) },
	  "passed", "failed send.found=no", "failed send.bounced=yes reply.code=550 reply.text=550 5.7.60 SMTP; Client does not have permissions to send as this sender reply.enhanced=5.7.60", "passed send.copy=yes", "passed send.removed=inbox, sentitems" },
	{ "both it and a report", NULL, false, 0, { SENT, INBOX(OURS("I1") REPORTED("N1")), { "<m:GetItem", ERROR("GetItem", "ErrorItemNotFound"), KEEPS }, COPY(OURS("S1")), REMOVAL(THIS("I1") THIS("S1") NOT_THIS("N1")) },
	  "passed", "passed send.found=yes send.from_seen=ann@birch.example send.folder=inbox", "failed send.bounced=yes reply.text=Undeliverable: Mailmoor test {TOKEN}", "passed send.copy=yes", "passed send.removed=inbox, sentitems" },
	{ "to another address that cannot be seen: a few looks for a report", OTHER, false, 0, { SENT, INBOX(""), INBOX(""), INBOX(""), COPY(OURS("S1")), REMOVAL(THIS("S1")) },
	  "passed", "skipped not_checked_here", "", "passed send.copy=yes", "passed send.removed=inbox, sentitems" },
	{ "to another address, where it arrives", OTHER, true, 2, { SENT, INBOX(""), INBOX(""), COPY(OURS("S1")), REMOVAL(THIS("S1")) },
	  "passed", "passed send.found=yes", "", "passed send.copy=yes", "passed send.removed=inbox, sentitems" },
	{ "to another address, and a report comes back", OTHER, true, 0, { SENT, INBOX(""), INBOX(REPORTED("N1")), READ(NO_RIGHT), COPY(OURS("S1")), REMOVAL(THIS("S1") NOT_THIS("N1")) },
	  "passed", "failed send.found=no", "failed send.bounced=yes reply.code=550 reply.text=550 5.7.60 SMTP; Client does not have permissions to send as this sender reply.enhanced=5.7.60", "passed send.copy=yes", "passed send.removed=inbox, sentitems" },
	{ "not sent", NULL, false, 0, { NOT_SENT("ErrorSendAsDenied") }, "failed", "skipped earlier", "", "skipped earlier", "skipped earlier" },
	{ "the line is gone while it is said", NULL, false, 0, { { "<m:CreateItem", NULL, ENDS } }, "failed", "skipped earlier", "", "skipped earlier", "skipped earlier" },
	{ "the line is gone for good behind it", NULL, false, 0, { SENT, { "<m:FindItem", NULL, ENDS }, { "<m:FindItem", NULL, ENDS } }, "passed", "failed", "", "skipped no_time", "skipped no_time" },
	{ "the inbox cannot be searched, and that is no arrival", NULL, true, 0, { SENT, INBOX(OURS("I1")), { "\"sentitems\"", ERROR("FindItem", "ErrorAccessDenied"), KEEPS }, REMOVAL(THIS("I1")) },
	  "passed", "passed send.found=yes send.from_seen=ann@birch.example send.folder=inbox", "", "passed send.copy=no", "passed send.removed=inbox, sentitems" },
	{ "it cannot be removed", NULL, false, 0, { SENT, INBOX(OURS("I1")), COPY(""), { "<m:DeleteItem", ERROR("DeleteItem", "ErrorAccessDenied"), KEEPS } },
	  "passed", "passed send.found=yes send.from_seen=ann@birch.example send.folder=inbox", "", "passed send.copy=no", "warned send.left=inbox, sentitems" },
	{ "called off while it is looked for", NULL, false, 0, { SENT, { "\"inbox\"", NULL, STOPS } }, "passed", "skipped called_off", "", "skipped called_off", "skipped called_off" },
};

TEST(a_test_message_and_what_becomes_of_it)
{
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char  *row = cases[i].name;
		struct error err = { 0 };
		struct scene s = { .at = cases[i].at };
		static const char *const ids[] = { "exchange.send", "send.arrive", "send.bounce", "send.copy", "send.remove" };
		const char *const wanted[] = { cases[i].send, cases[i].arrive, cases[i].bounce, cases[i].copy, cases[i].remove };

		scene_open(&s, cases[i].turn, row, cases[i].to, cases[i].seen_elsewhere);
		EXPECT_ROW(web_peer_run(&s.peer, webmail_step, &s.mail, &err), row);
		for (size_t k = 0; k < COUNT(ids); k++)
			if (strcmp(seen(&s, ids[k]), wanted[k]) != 0)
				test_fail(__FILE__, __LINE__, "%s: %s is \"%s\", not \"%s\"", row, ids[k], seen(&s, ids[k]), wanted[k]);
		for (size_t k = 0; k < s.report->step_count; k++)
			EXPECT_ROW(s.report->step[k].state != STEP_RUNNING || strcmp(s.report->step[k].id, "exchange.tls") == 0, row);
		scene_close(&s);
	}
}

/* It is waited for a minute, and no longer. */
TEST(it_never_comes)
{
	struct turn  turns[80] = { SENT };
	struct error err = { 0 };
	struct scene s = { 0 };
	size_t       n = 1;

	while (n < 62)
		turns[n++] = (struct turn){ "<m:FindItem", FOUND(""), KEEPS };
	scene_open(&s, turns, "never", NULL, false);
	while (s.peer.turn[s.peer.at].asked && n < 78)
		turns[n++] = (struct turn){ "<m:FindItem", FOUND(""), KEEPS };
	EXPECT(web_peer_run(&s.peer, webmail_step, &s.mail, &err));
	EXPECT_TEXT(seen(&s, "send.arrive"), "failed send.found=no");
	EXPECT_TEXT(seen(&s, "send.copy"), "passed send.copy=no");
	EXPECT_TEXT(seen(&s, "send.remove"), "skipped nothing_to_remove");
	EXPECT(s.peer.now > 60000 && s.peer.now < 63000);
	turns[s.peer.at] = (struct turn){ 0 };
	scene_close(&s);
}

TEST(called_off_before_it_began)
{
	static const struct turn turns[] = { { 0 } };
	struct scene s = { 0 };
	struct want  w = { .stopping = true };
	struct error err = { 0 };

	scene_open(&s, turns, "called off", NULL, false);
	EXPECT(webmail_step(&s.mail, &w, &err) == WANT_NOTHING);
	EXPECT_TEXT(seen(&s, "exchange.send"), "skipped called_off");
	EXPECT_TEXT(seen(&s, "send.remove"), "skipped called_off");
	scene_close(&s);
}

TEST(abandoned_at_once)
{
	static const struct turn turns[] = { { 0 } };
	struct scene s = { 0 };

	scene_open(&s, turns, "abandoned", NULL, false);
	scene_close(&s);
}
