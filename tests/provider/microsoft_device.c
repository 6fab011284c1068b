#include "provider/microsoft_device.h"

#include "base/secret.h"
#include "diagnose/diagnose.h"
#include "provider/promises.h"
#include "web_peer.h"

#define APP    "6b1f5c52-10ad-4b8e-9f2e-c0ffee000001"
#define CLIENT "very.secret~client"
#define DEVICE "DAQABAAE.asked-with"
#define GOT  "eyJ0eXAi.new.token"
#define R1     "0.AXoA.refresh-of-new"
#define GUID   "0d7f2f9a-46f1-4b2b-9a4a-6a2c5f3b7700"

struct scene {
	struct report           *report;
	struct mail_address      address;
	struct microsoft_app     app;
	struct secrets           known;
	struct microsoft_session microsoft;
	struct microsoft_device  device;
	char                     shown[40];
	int                      times;
	int64_t                  asked[10];      /* ms, of each question that goes to the authority */
};

static void show(void *self, const struct oauth_device *told)
{
	struct scene *s = self;

	snprintf(s->shown, sizeof s->shown, "%s", told->user_code);
	s->times++;
}

static void before(struct web_peer *p, void *self)
{
	struct scene *s = self;

	if (p->at < COUNT(s->asked))
		s->asked[p->at] = p->now;
}

static void scene_open(struct scene *s, struct web_peer *p)
{
	const char *problem;

	*s = (struct scene){ .report = report_new("ann@birch.example"), .app = { .client_id = APP, .client_secret = CLIENT } };
	s->report->keep_talk = true;
	s->report->provider = "microsoft";
	secrets_know(&s->known, slice_str(CLIENT));
	report_guard(s->report, &s->known);
	EXPECT(mail_address_parse("ann@birch.example", s->report->job, &s->address, &problem));
	microsoft_session_init(&s->microsoft, s->report, &s->app, &s->address, NULL, waits_within(30000), report_attempt(s->report));
	/* by number: nobody answers for names here */
	s->microsoft.authority.host = "192.0.2.7";
	s->microsoft.graph.host = "192.0.2.8";
	s->device = (struct microsoft_device){ .show = show, .viewer = s };
	s->microsoft.device = &s->device;
	p->before = before;
	p->self = s;
}

static void scene_close(struct scene *s)
{
	microsoft_session_release(&s->microsoft);
	report_free(s->report);
	secrets_forget(&s->known);
}

static enum want_kind open_step(void *self, struct want *w, struct error *err)
{
	return microsoft_open_step(&((struct scene *)self)->microsoft, w, err);
}

#define JSON(status, body) status "\nContent-Type: application/json\n\n" body
#define ASK(answer)    { "POST /common/oauth2/v2.0/devicecode\nHost: 192.0.2.7\nclient_id=" APP "\nscope=openid\nMail.Send\n!client_secret\n!Authorization: ", answer, KEEPS }
#define POLL(answer)   { "POST /common/oauth2/v2.0/token\nHost: 192.0.2.7\ngrant-type%3Adevice_code\nclient_id=" APP "\nclient_secret=very.secret~client\ndevice_code=" DEVICE "\n!Authorization: ", answer, KEEPS }
#define TOLD_FOR(seconds) JSON("200 OK", "{\"device_code\":\"" DEVICE "\",\"user_code\":\"AB12-CD34\",\"verification_uri\":\"https://microsoft.com/devicelogin\",\"expires_in\":" seconds ",\"interval\":5}")
#define TOLD           TOLD_FOR("900")
#define REFUSED(error, number) JSON("400 Bad Request", "{\"error\":\"" error "\",\"error_description\":\"AADSTS" number ": something.\",\"error_codes\":[" number "]}")
#define PLAIN(error)   JSON("400 Bad Request", "{\"error\":\"" error "\"}")
#define PENDING        REFUSED("authorization_pending", "70016")
#define SLOW           PLAIN("slow_down")
#define GRANTED        JSON("200 OK", "{\"token_type\":\"Bearer\",\"scope\":\"Mail.ReadWrite Mail.Send Calendars.ReadWrite\",\"expires_in\":3599,\"access_token\":\"" GOT "\",\"refresh_token\":\"" R1 "\"}")
#define ME(mail)       { "GET /v1.0/me?$select=id\nHost: 192.0.2.8\nAuthorization: Bearer " GOT, JSON("200 OK", "{\"id\":\"" GUID "\",\"userPrincipalName\":\"" mail "\",\"mail\":\"" mail "\"}"), KEEPS }
#define ANN            ME("ann@birch.example")

static const struct {
	const char    *name;
	struct turn    turn[9];
	enum fault     fault;
	const char    *cause;
	enum certainty certainty;
	const char    *step, *fact, *value;
	int            pause_s[6];      /* before each question after the first, where it is looked at; 0 ends */
} talks[] = {
	{ "signed in at once", { ASK(TOLD), POLL(GRANTED), ANN }, FAULT_NONE, NULL, 0, "entra.grant", FACT_AUTH_BY, "device", { 5 } },
	{ "after a while", { ASK(TOLD), POLL(PENDING), POLL(PENDING), POLL(GRANTED), ANN }, FAULT_NONE, NULL, 0, NULL, NULL, NULL, { 5, 5, 5 } },
	{ "by the word, without a number", { ASK(TOLD), POLL(PLAIN("authorization_pending")), POLL(GRANTED), ANN }, FAULT_NONE, NULL, 0, NULL, NULL, NULL, { 5, 5 } },
	{ "slower, and slower from then on", { ASK(TOLD), POLL(SLOW), POLL(PENDING), POLL(SLOW), POLL(GRANTED), ANN }, FAULT_NONE, NULL, 0, NULL, NULL, NULL, { 5, 10, 10, 15 } },
	{ "busy: twice as slow", { ASK(TOLD), POLL("503 Service Unavailable\n\n"), POLL("429 Too Many Requests\n\n"), POLL(GRANTED), ANN }, FAULT_NONE, NULL, 0, NULL, NULL, NULL, { 5, 10, 20 } },
	{ "an answer that did not come", { ASK(TOLD), { "POST /common/oauth2/v2.0/token", NULL, IS_SILENT }, POLL(GRANTED), ANN }, FAULT_NONE, NULL, 0, NULL, NULL, NULL, { 0 } },
	{ "somebody else signs in", { ASK(TOLD), POLL(GRANTED), ME("eve@birch.example") }, FAULT_REFUSED, "microsoft.wrong_account", PROVEN, "microsoft.account", FACT_ACCOUNT_IS, "eve@birch.example", { 0 } },

	/* -- Microsoft's names and those of RFC 8628 */
	{ "declined", { ASK(TOLD), POLL(REFUSED("authorization_declined", "70017")) }, FAULT_REFUSED, "microsoft.consent_declined", PROVEN, "entra.token", FACT_OAUTH_ERROR, "authorization_declined", { 0 } },
	{ "declined, in plain words", { ASK(TOLD), POLL(PLAIN("authorization_declined")) }, FAULT_REFUSED, "microsoft.consent_declined", PROVEN, NULL, NULL, NULL, { 0 } },
	{ "denied", { ASK(TOLD), POLL(PLAIN("access_denied")) }, FAULT_REFUSED, "microsoft.consent_declined", LIKELY, NULL, NULL, NULL, { 0 } },
	{ "run out", { ASK(TOLD), POLL(PENDING), POLL(REFUSED("expired_token", "70020")) }, FAULT_REFUSED, "microsoft.sign_in_not_returned", LIKELY, "entra.token", FACT_AADSTS, "70020", { 0 } },
	{ "run out, by its older number", { ASK(TOLD), POLL(REFUSED("expired_token", "70019")) }, FAULT_REFUSED, "microsoft.sign_in_not_returned", LIKELY, NULL, NULL, NULL, { 0 } },
	{ "run out by our clock", { ASK(TOLD_FOR("12")), POLL(PENDING), POLL(PENDING) }, FAULT_TIMEOUT, "microsoft.sign_in_not_returned", LIKELY, "entra.token", FACT_DEVICE_CODE, "ran_out", { 5, 5 } },
	{ "a code that nobody knows", { ASK(TOLD), POLL(REFUSED("bad_verification_code", "70018")) }, FAULT_REFUSED, "microsoft.sign_in_again", LIKELY, NULL, NULL, NULL, { 0 } },

	/* -- the organisation, and our registration */
	{ "devices are not let in", { ASK(TOLD), POLL(REFUSED("invalid_grant", "53003")) }, FAULT_REFUSED, "microsoft.conditional_access", PROVEN, NULL, NULL, NULL, { 0 } },
	{ "no public client", { ASK(TOLD), POLL(JSON("401 Unauthorized", "{\"error\":\"invalid_client\",\"error_codes\":[7000218]}")) }, FAULT_REFUSED, "microsoft.app_misregistered", PROVEN, NULL, NULL, NULL, { 0 } },
	{ "nobody of that id", { ASK(REFUSED("unauthorized_client", "700016")) }, FAULT_REFUSED, "microsoft.app_misregistered", PROVEN, "entra.device", FACT_AADSTS, "700016", { 0 } },

	/* -- broken */
	{ "no code in it", { ASK(JSON("200 OK", "{\"message\":\"hello\"}")) }, FAULT_BROKEN, "server.answer_unreadable", PROVEN, "entra.device", FACT_REPLY_BROKEN, "no device_code", { 0 } },
	{ "a page instead of a code", { ASK("502 Bad Gateway\n\n<html>no</html>") }, FAULT_BUSY, "server.unavailable", PROVEN, "entra.device", FACT_HTTP_STATUS, "502", { 0 } },
	{ "a page instead of a token", { ASK(TOLD), POLL("200 OK\n\n<html>no</html>") }, FAULT_BROKEN, "server.answer_unreadable", PROVEN, NULL, NULL, NULL, { 0 } },
	{ "a token beside a refusal", { ASK(TOLD), POLL(JSON("400 Bad Request", "{\"access_token\":\"x\"}")) }, FAULT_BROKEN, "server.answer_unreadable", PROVEN, NULL, NULL, NULL, { 0 } },
};

static void no_grant_in(const struct report *r, const char *row)
{
	static const char *const words[] = { DEVICE, GOT, R1, CLIENT };

	said_nowhere(r, words, COUNT(words), row);
}

static void play(size_t i, bool piecemeal)
{
	const char     *row = talks[i].name;
	struct web_peer p;
	struct error    err = { 0 };
	struct verdict  v;
	struct scene    s;
	bool            fine;

	web_peer_init(&p, talks[i].turn, row);
	p.piecemeal = piecemeal;
	scene_open(&s, &p);
	fine = web_peer_run(&p, open_step, &s, &err);
	if (fine != (talks[i].fault == FAULT_NONE) || err.fault != talks[i].fault)
		test_fail(__FILE__, __LINE__, "%s: %s (%s)", row, fine ? "went well" : fault_name(err.fault), err.text);
	no_step_is_running(s.report, row);
	no_grant_in(s.report, row);
	EXPECT_ROW(s.times == (talks[i].turn[1].asked != NULL), row);
	EXPECT_ROW(!s.times || strcmp(s.shown, "AB12-CD34") == 0, row);
	for (size_t n = 0; n < COUNT(talks[i].pause_s) && talks[i].pause_s[n]; n++)
		if (s.asked[n + 1] - s.asked[n] < talks[i].pause_s[n] * 1000 || s.asked[n + 1] - s.asked[n] >= talks[i].pause_s[n] * 1000 + 1000)
			test_fail(__FILE__, __LINE__, "%s: question %zu came %d ms after the last", row, n + 1, (int)(s.asked[n + 1] - s.asked[n]));
	if (talks[i].step)
		EXPECT_ROW(has_fact(s.report, talks[i].step, talks[i].fact, talks[i].value), row);
	diagnose(s.report, &v);
	if (talks[i].cause && (!v.findings || strcmp(cause_row(v.finding[0].cause)->id, talks[i].cause) != 0 || v.finding[0].certainty != talks[i].certainty))
		test_fail(__FILE__, __LINE__, "%s: %s %s, not %s", row, v.findings ? certainty_name(v.finding[0].certainty) : "", v.findings ? cause_row(v.finding[0].cause)->id : "no finding", talks[i].cause);
	EXPECT_ROW(s.microsoft.signed_in == (talks[i].fault == FAULT_NONE), row);
	if (fine) {
		EXPECT_TEXT(s.microsoft.grant.access_token, GOT);
		EXPECT_TEXT(s.microsoft.grant.refresh_token, R1);
	}
	scene_close(&s);
	web_peer_end(&p);
}

TEST(every_talk_whole)
{
	for (size_t i = 0; i < COUNT(talks); i++)
		play(i, false);
}

TEST(every_talk_byte_by_byte)
{
	for (size_t i = 0; i < COUNT(talks); i++)
		play(i, true);
}

/* Nobody is blamed for it: what was under way is called off. */
TEST(called_off_while_a_person_is_waited_for)
{
	static const struct turn turns[] = { ASK(TOLD), { "POST /common/oauth2/v2.0/token", NULL, STOPS }, { 0 } };
	struct web_peer p;
	struct error    err = { 0 };
	struct verdict  v;
	struct scene    s;

	web_peer_init(&p, turns, "called off");
	scene_open(&s, &p);
	EXPECT(!web_peer_run(&p, open_step, &s, &err));
	EXPECT(err.fault == FAULT_CANCELLED && !s.microsoft.signed_in);
	no_step_is_running(s.report, "called off");
	diagnose(s.report, &v);
	EXPECT(v.kind == VERDICT_UNFINISHED && v.findings == 0);
	scene_close(&s);
	web_peer_end(&p);
}

TEST(nothing_is_said_over_a_line_that_proves_nobody)
{
	static const struct turn none[] = { { 0 } };
	struct web_peer p;
	struct error    err = { 0 };
	struct scene    s;

	web_peer_init(&p, none, "clear");
	scene_open(&s, &p);
	p.clear = true;
	EXPECT(!web_peer_run(&p, open_step, &s, &err));
	EXPECT(err.fault == FAULT_TLS && p.secrets == 0 && s.times == 0);
	scene_close(&s);
	web_peer_end(&p);
}
