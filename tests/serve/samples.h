/* samples.h -- made-up data for every page, shared by the tests of the renderings and by the program that writes them to files. */
#ifndef TESTS_SERVE_SAMPLES_H
#define TESTS_SERVE_SAMPLES_H

#include "base/json.h"
#include "serve/demo.h"
#include "serve/render.h"

struct sample {
	const char *name;                         /* NULL ends the list */
	bool      (*render)(struct page *);
};

static bool sample_help_index(struct page *p)
{
	return render_help_index(p);
}

static bool sample_help(struct page *p)
{
	return render_help(p, &(struct help_page){ .cause = CAUSE_TLS_NAME_MISMATCH, .csrf = "t0ken" });
}

static bool sample_help_thanked(struct page *p)
{
	return render_help(p, &(struct help_page){ .cause = CAUSE_MICROSOFT_REST_NOT_ENABLED, .csrf = "t0ken", .thanked = true });
}

static bool sample_help_unknown(struct page *p)
{
	return render_help_unknown(p);
}

static bool sample_tour(struct page *p)
{
	static const struct tour_mailbox mailboxes[] = {
		{ "exchange", "exchange@fabrikam.example", "exchange", .known = true },
		{ "webmail-address", "webmail-address@fabrikam.example", "exchange", "exchange.url_is_webmail", .mended = true, .known = true },
		{ "firewall", "firewall@fabrikam.example", "exchange", "net.timeout", .under_way = true },
		{ "port-closed", "port-closed@fabrikam.example", "exchange", "net.refused", .known = true, .found = "net.timeout" },
		{ "anna", "anna@contoso.example", "microsoft", .known = false },
	};
	static const struct demo_statement statements[] = { { "S1", "N11 N19", "exchange" }, { "S6", "", "settings" }, { "S11", "", "webmail-address anna" },
	                                                    { "S19", "", "/help/auth.username_form" } };

	return render_tour(p, &(struct tour_page){ mailboxes, COUNT(mailboxes), statements, COUNT(statements) });
}

#define TOKEN_PATH "/connect/8s7Dk20aPq"

/* What a server, a certificate and a user could write if they wished us ill. */
#define HOSTILE "\"><script>alert('x')</script>&amp;<img src=x onerror=alert(1)>\xff\xc3\x1b[31m`{host}`\xe2\x80\xae"

static const char report_connected[] =
	"{\"format\":\"mailmoor.report.v1\",\"address\":\"ann@birch.example\",\"verdict\":\"connected\",\"causes\":[{\"id\":\"auth.username_form\",\"certainty\":\"proven\","
	"\"who\":\"nobody\",\"repaired\":true,\"values\":{\"right_username\":\"ann\"}}],\"ruled_out\":[],\"steps\":["
	"{\"id\":\"address\",\"state\":\"passed\"},{\"id\":\"dns.mx\",\"state\":\"passed\"},{\"id\":\"detect\",\"state\":\"passed\"},{\"id\":\"imap.connect\",\"state\":\"passed\"},"
	"{\"id\":\"imap.tls\",\"state\":\"passed\"},{\"id\":\"imap.login\",\"state\":\"passed\"},{\"id\":\"imap.open\",\"state\":\"passed\"},{\"id\":\"smtp.connect\",\"state\":\"passed\"},"
	"{\"id\":\"smtp.tls\",\"state\":\"warned\"},{\"id\":\"smtp.login\",\"state\":\"passed\"},{\"id\":\"smtp.send\",\"state\":\"passed\"},{\"id\":\"send.arrive\",\"state\":\"passed\"},"
	"{\"id\":\"send.copy\",\"state\":\"skipped\",\"why\":\"no_sent_folder\"}]}";

static const char report_mismatch[] =
	"{\"format\":\"mailmoor.report.v1\",\"address\":\"ann@birch.example\",\"verdict\":\"failed\",\"causes\":[{\"id\":\"tls.name_mismatch\",\"certainty\":\"proven\","
	"\"who\":\"admin\",\"values\":{\"address\":\"ann@birch.example\",\"host\":\"imap.birch.example\",\"port\":\"993\",\"names\":\"mail.birch.example, www.birch.example\","
	"\"expired_on\":\"3 March 2027\",\"right_host\":\"mail.birch.example\",\"service\":\"IMAP\",\"issuer\":\"CN=R3, O=Let's Encrypt\"},"
	"\"links\":[\"https://www.rfc-editor.org/rfc/rfc9525\"],"
	"\"proof\":[{\"step\":\"imap.tls\",\"fact\":\"tls.san\",\"value\":\"mail.birch.example, www.birch.example\"},{\"step\":\"imap.tls\",\"fact\":\"tls.flaw\",\"value\":\"name\"},"
	"{\"step\":\"probe.names\",\"fact\":\"probe.same_server\",\"value\":\"mail.birch.example\"}]},{\"id\":\"net.intercepted\",\"certainty\":\"possible\",\"who\":\"operator\"}],"
	"\"ruled_out\":[{\"id\":\"tls.expired\",\"by\":{\"step\":\"imap.tls\",\"fact\":\"tls.not_after\",\"value\":\"2027-03-03 08:15:00 UTC\"}},"
	"{\"id\":\"net.timeout\",\"by\":{\"step\":\"imap.connect\",\"fact\":\"net.outcome\",\"value\":\"connected\"}}],"
	"\"steps\":[{\"id\":\"dns.mx\",\"state\":\"passed\"},{\"id\":\"imap.connect\",\"state\":\"passed\"},{\"id\":\"imap.tls\",\"state\":\"failed\"},"
	"{\"id\":\"imap.login\",\"state\":\"skipped\",\"why\":\"no_line\"}]}";

static const char report_password[] =
	"{\"format\":\"mailmoor.report.v1\",\"address\":\"ann@gmail.com\",\"verdict\":\"failed\",\"causes\":[{\"id\":\"auth.app_password_required\",\"certainty\":\"proven\",\"who\":\"user\","
	"\"values\":{\"provider\":\"Gmail\",\"app_password_url\":\"https://myaccount.google.com/apppasswords\"},"
	"\"links\":[\"https://support.google.com/accounts/answer/185833\",\"https://myaccount.google.com/apppasswords\"],"
	"\"proof\":[{\"step\":\"imap.login\",\"fact\":\"reply.text\",\"value\":\"Application-specific password required: https://support.google.com/accounts/answer/185833 (Failure)\"}]}],"
	"\"ruled_out\":[{\"id\":\"auth.password_rejected\",\"by\":{\"step\":\"imap.login\",\"fact\":\"reply.code\",\"value\":\"ALERT\"}}],\"steps\":[]}";

static const char report_sending[] =
	"{\"format\":\"mailmoor.report.v1\",\"address\":\"ann@contoso.example\",\"verdict\":\"partial\",\"causes\":[{\"id\":\"smtp.auth_off\",\"certainty\":\"proven\",\"who\":\"admin\","
	"\"values\":{\"address\":\"ann@contoso.example\",\"host\":\"smtp.office365.com\"},\"links\":[\"https://aka.ms/smtp_auth_disabled\"],"
	"\"proof\":[{\"step\":\"smtp.login\",\"fact\":\"reply.text\",\"value\":\"5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant.\"}]}],"
	"\"ruled_out\":[],\"steps\":[]}";

#define MICROSOFT_REPORT(cause, who, values) \
	"{\"format\":\"mailmoor.report.v1\",\"address\":\"anna@contoso.example\",\"verdict\":\"failed\",\"causes\":[{\"id\":\"microsoft." cause "\",\"certainty\":\"proven\"," \
	"\"who\":\"" who "\",\"values\":{\"address\":\"anna@contoso.example\",\"app\":\"5f3b2c1a-8d7e-4a6b-9c0d-1e2f3a4b5c6d\"" values "},\"links\":[\"https://learn.microsoft.com/entra/\"]," \
	"\"proof\":[{\"step\":\"entra.callback\",\"fact\":\"aadsts.number\",\"value\":\"90094\"}]}],\"ruled_out\":[],\"steps\":[]}"

static const char report_approval[] = MICROSOFT_REPORT("admin_approval_required", "admin", ",\"tenant\":\"7c9e6679-7425-40de-944b-e07fc1f90ae7\"");
static const char report_request[] = MICROSOFT_REPORT("admin_approval_pending", "admin", "");
static const char report_assign[] = MICROSOFT_REPORT("user_not_assigned", "admin", ",\"code\":\"50105\"");
static const char report_policy[] = MICROSOFT_REPORT("conditional_access", "admin", ",\"code\":\"53003\",\"our_address\":\"203.0.113.9\"");
static const char report_disabled[] = MICROSOFT_REPORT("app_not_allowed", "admin", "");
#define GOOGLE_REPORT(cause, who, values) \
	"{\"format\":\"mailmoor.report.v1\",\"address\":\"ann@birch.example\",\"verdict\":\"failed\",\"causes\":[{\"id\":\"google." cause "\",\"certainty\":\"proven\"," \
	"\"who\":\"" who "\",\"values\":{" values "},\"links\":[],\"proof\":[]}],\"ruled_out\":[],\"steps\":[]}"

static const char report_unticked[] = GOOGLE_REPORT("scope_unticked", "user", "\"missing\":\"gmail.modify, gmail.send, calendar\"");
static const char report_blocked[] = GOOGLE_REPORT("app_blocked_by_admin", "admin", "\"domain\":\"birch.example\",\"app\":\"4815-mailmoor.apps.googleusercontent.com\"");
static const char report_protected[] = GOOGLE_REPORT("advanced_protection", "admin", "\"address\":\"ann@birch.example\",\"app\":\"4815-mailmoor.apps.googleusercontent.com\"");
static const char report_google_lost[] = GOOGLE_REPORT("sign_in_not_returned", "user", "\"address\":\"ann@birch.example\"");
static const char report_recorded[] = MICROSOFT_REPORT("admin_consent_recorded", "nobody", "");
static const char report_declined[] = MICROSOFT_REPORT("consent_declined", "user", "");
static const char report_other_directory[] = MICROSOFT_REPORT("account_not_in_tenant", "user", ",\"code\":\"50020\"");
static const char report_away[] = MICROSOFT_REPORT("sign_in_not_returned", "user", "");

static const char report_webmail[] =
	"{\"format\":\"mailmoor.report.v1\",\"address\":\"ann@birch.example\",\"verdict\":\"failed\",\"causes\":[{\"id\":\"exchange.url_is_webmail\",\"certainty\":\"proven\","
	"\"who\":\"user\",\"values\":{\"address\":\"ann@birch.example\",\"host\":\"mail.birch.example\",\"given_url\":\"https://mail.birch.example/owa\","
	"\"right_url\":\"https://mail.birch.example/EWS/Exchange.asmx\",\"service\":\"Exchange\"},\"links\":[],"
	"\"proof\":[{\"step\":\"exchange.offer\",\"fact\":\"http.status\",\"value\":\"200\"}]}],\"ruled_out\":[],\"steps\":[]}";

static const char report_hybrid[] =
	"{\"format\":\"mailmoor.report.v1\",\"address\":\"ann@birch.example\",\"verdict\":\"failed\",\"causes\":[{\"id\":\"microsoft.mailbox_on_premises\",\"certainty\":\"proven\","
	"\"who\":\"user\",\"values\":{\"address\":\"ann@birch.example\",\"right_url\":\"https://mail.birch.example/EWS/Exchange.asmx\"},\"links\":[],"
	"\"proof\":[{\"step\":\"microsoft.account\",\"fact\":\"account.synced\",\"value\":\"yes\"}]}],\"ruled_out\":[],"
	"\"ways\":[{\"provider\":\"exchange\",\"ews_url\":\"https://mail.birch.example/EWS/Exchange.asmx\"}],\"steps\":[]}";

static const char report_elsewhere[] =
	"{\"format\":\"mailmoor.report.v1\",\"address\":\"ann@birch.example\",\"verdict\":\"failed\",\"causes\":[{\"id\":\"microsoft.mailbox_not_found\",\"certainty\":\"proven\","
	"\"who\":\"user\",\"values\":{\"address\":\"ann@birch.example\",\"mx\":\"1 aspmx.l.google.com\",\"provider\":\"Gmail\"},\"links\":[],\"proof\":[]}],\"ruled_out\":[],"
	"\"ways\":[{\"provider\":\"exchange\",\"ews_url\":\"https://mail.birch.example/EWS/Exchange.asmx\",\"confirm\":true},"
	"{\"provider\":\"imap\",\"name\":\"Gmail\",\"imap\":{\"host\":\"imap.gmail.com\",\"port\":993},\"smtp\":{\"host\":\"smtp.gmail.com\",\"port\":465}}],\"steps\":[]}";

static const char report_moved[] =
	"{\"format\":\"mailmoor.report.v1\",\"address\":\"ann@birch.example\",\"verdict\":\"failed\",\"causes\":[{\"id\":\"exchange.use_microsoft\",\"certainty\":\"proven\","
	"\"who\":\"user\",\"values\":{\"address\":\"ann@birch.example\"},\"links\":[],\"proof\":[]}],\"ruled_out\":[],"
	"\"ways\":[{\"provider\":\"microsoft\",\"name\":\"Microsoft 365\"}],\"steps\":[]}";

static const char report_throttled[] =
	"{\"format\":\"mailmoor.report.v1\",\"address\":\"ann@contoso.example\",\"verdict\":\"failed\",\"causes\":[{\"id\":\"throttle.provider\",\"certainty\":\"proven\",\"who\":\"nobody\","
	"\"values\":{\"host\":\"outlook.office365.com\",\"wait\":\"93 s\",\"until\":\"08:17 UTC\"},\"links\":[],\"proof\":[]}],\"ruled_out\":[],\"steps\":[]}";

static const char report_addresses[] =
	"{\"format\":\"mailmoor.report.v1\",\"address\":\"ann@birch.example\",\"verdict\":\"failed\",\"causes\":[{\"id\":\"auth.ip_not_allowed\",\"certainty\":\"likely\",\"who\":\"admin\","
	"\"values\":{\"host\":\"imap.birch.example\",\"our_address\":\"203.0.113.9, 2001:db8::9\",\"username\":\"ann@birch.example\"},"
	"\"links\":[\"https://doc.dovecot.org/2.3/configuration_manual/authentication/allow_nets/\"],"
	"\"proof\":[{\"step\":\"imap.login\",\"fact\":\"reply.text\",\"value\":\"Logins from this address are not permitted\"}]}],\"ruled_out\":[],\"steps\":[]}";

static const char report_confirm[] =
	"{\"format\":\"mailmoor.report.v1\",\"address\":\"ann@birch.example\",\"verdict\":\"unfinished\",\"causes\":[],\"ruled_out\":[],"
	"\"needs\":[{\"kind\":\"confirm_host\",\"value\":\"imap.host.example:993\"}],\"steps\":[{\"id\":\"detect\",\"state\":\"passed\"}]}";

static const char report_sign_in[] =
	"{\"format\":\"mailmoor.report.v1\",\"address\":\"ann@birch.example\",\"verdict\":\"unfinished\",\"causes\":[],\"needs\":[{\"kind\":\"sign_in\",\"value\":\"\"}],\"steps\":[]}";

/* As report_mismatch, with the worst in every place that comes from outside. */
static const char *hostile_report(struct arena *job)
{
	static const char *const members[] = { "host", "names", "right_host", "issuer", "reply", "address", "username" };
	cJSON      *o = cJSON_CreateObject(), *cause = cJSON_CreateObject(), *list, *fact;
	char       *text;
	const char *copy;

	cJSON_AddStringToObject(o, "format", "mailmoor.report.v1");
	cJSON_AddStringToObject(o, "address", HOSTILE);
	cJSON_AddStringToObject(o, "verdict", "failed");
	cJSON_AddItemToArray(cJSON_AddArrayToObject(o, "causes"), cause);
	cJSON_AddStringToObject(cause, "id", "tls.name_mismatch");
	cJSON_AddStringToObject(cause, "certainty", HOSTILE);
	cJSON_AddStringToObject(cause, "who", HOSTILE);
	list = cJSON_AddObjectToObject(cause, "values");
	for (size_t i = 0; i < COUNT(members); i++)
		cJSON_AddStringToObject(list, members[i], HOSTILE);
	cJSON_AddItemToArray(cJSON_AddArrayToObject(cause, "links"), cJSON_CreateString("https://" HOSTILE));
	fact = cJSON_CreateObject();
	cJSON_AddStringToObject(fact, "step", HOSTILE);
	cJSON_AddStringToObject(fact, "fact", HOSTILE);
	cJSON_AddStringToObject(fact, "value", HOSTILE);
	cJSON_AddItemToArray(cJSON_AddArrayToObject(cause, "proof"), fact);
	list = cJSON_CreateObject();
	cJSON_AddStringToObject(list, "id", "tls.expired");
	cJSON_AddItemToObject(list, "by", cJSON_Duplicate(fact, true));
	cJSON_AddItemToArray(cJSON_AddArrayToObject(o, "ruled_out"), list);
	list = cJSON_CreateObject();
	cJSON_AddStringToObject(list, "id", HOSTILE);
	cJSON_AddStringToObject(list, "state", HOSTILE);
	cJSON_AddStringToObject(list, "why", HOSTILE);
	cJSON_AddItemToArray(cJSON_AddArrayToObject(o, "steps"), list);
	list = cJSON_CreateObject();
	cJSON_AddStringToObject(list, "provider", "imap");
	cJSON_AddStringToObject(list, "name", HOSTILE);
	cJSON_AddItemToArray(cJSON_AddArrayToObject(o, "ways"), list);
	list = cJSON_CreateObject();
	cJSON_AddStringToObject(list, "provider", "exchange");
	cJSON_AddStringToObject(list, "ews_url", "https://" HOSTILE);
	cJSON_AddItemToArray(cJSON_GetObjectItem(o, "ways"), list);
	text = cJSON_PrintUnformatted(o);
	copy = arena_str(job, text);
	cJSON_free(text);
	cJSON_Delete(o);
	return copy;
}

/* 22 November 2026, 09:30 UTC and so on. */
#define SAMPLE_NOW     1795339800000
#define SAMPLE_LATER   1795343400000
#define SAMPLE_EXPIRES 1796549400000

static struct account sample_account(const char *address, enum account_state state)
{
	return (struct account){ .id = "acc_7gk2m4x9q8w1e3r5t7y9u2", .workspace = "wsp_1", .address = address, .provider = "auto", .state = state, .state_since = SAMPLE_NOW,
		                 .next_try = SAMPLE_LATER, .report_at = SAMPLE_NOW };
}

static bool sample_connect(struct page *p)
{
	return render_connect(p, &(struct connect_page){ .path = TOKEN_PATH, .product = "Birch CRM", .csrf = "t0ken", .address_fixed = true,
		                                         .value = { [INPUT_ADDRESS] = "ann@birch.example" } });
}

static bool sample_connect_found(struct page *p)
{
	const char *url = "https://mail.birch.example/EWS/Exchange.asmx";

	return render_connect(p, &(struct connect_page){ .path = TOKEN_PATH, .product = "Birch CRM", .csrf = "t0ken", .searched = true,
		.value = { [INPUT_ADDRESS] = "ann@birch.example", [INPUT_PROVIDER] = "exchange", [INPUT_EWS_URL] = url },
		.found = { [INPUT_PROVIDER] = "exchange", [INPUT_EWS_URL] = url } });
}

static bool sample_connect_microsoft(struct page *p)
{
	return render_connect(p, &(struct connect_page){ .path = TOKEN_PATH, .product = "Birch CRM", .csrf = "t0ken", .registered = { true },
		.value = { [INPUT_ADDRESS] = "ann@birch.example", [INPUT_PROVIDER] = "microsoft" }, .found = { [INPUT_PROVIDER] = "microsoft" } });
}

static bool sample_connect_google(struct page *p)
{
	return render_connect(p, &(struct connect_page){ .path = TOKEN_PATH, .product = "Birch CRM", .csrf = "t0ken", .registered = { true, true },
		.value = { [INPUT_ADDRESS] = "ann@birch.example", [INPUT_PROVIDER] = "google" }, .found = { [INPUT_PROVIDER] = "google" } });
}

static bool sample_away_google(struct page *p)
{
	return render_connect(p, &(struct connect_page){ .path = TOKEN_PATH, .product = "Birch CRM", .csrf = "t0ken", .registered = { false, true },
		.away = AWAY_UNKNOWN, .value = { [INPUT_ADDRESS] = "ann@birch.example", [INPUT_PROVIDER] = "google" } });
}

static bool sample_connect_unregistered(struct page *p)
{
	return render_connect(p, &(struct connect_page){ .path = TOKEN_PATH, .product = "Birch CRM", .csrf = "t0ken",
		.value = { [INPUT_ADDRESS] = "ann@birch.example", [INPUT_PROVIDER] = "microsoft" } });
}

static bool sample_signin_refused(struct page *p) { return render_notice(p, &(struct notice_page){ "signin.refused", "/oauth/microsoft/callback" }); }
static bool sample_onward(struct page *p) { return render_onward(p, &(struct onward_page){ TOKEN_PATH, "https://login.microsoftonline.com/common/oauth2/v2.0/authorize?client_id=6b1f5c52&state=s", &signin_places[SIGNIN_MICROSOFT] }); }
static bool sample_signin_consent(struct page *p) { return render_notice(p, &(struct notice_page){ "signin.consent", "/oauth/microsoft/callback" }); }

static bool sample_connect_away(struct page *p, enum away away)
{
	return render_connect(p, &(struct connect_page){ .path = TOKEN_PATH, .product = "Birch CRM", .csrf = "t0ken", .registered = { true }, .away = away,
		.value = { [INPUT_ADDRESS] = "anna@contoso.example", [INPUT_PROVIDER] = "microsoft" } });
}

static bool sample_away(struct page *p)         { return sample_connect_away(p, AWAY_ASKS); }
static bool sample_away_unknown(struct page *p) { return sample_connect_away(p, AWAY_UNKNOWN); }

static bool sample_connect_wrong(struct page *p)
{
	return render_connect(p, &(struct connect_page){ .path = TOKEN_PATH, .product = "Birch CRM", .csrf = "t0ken",
		.value = { [INPUT_ADDRESS] = "ann.birch.example", [INPUT_USERNAME] = "ann", [INPUT_IMAP_HOST] = "imap.birch.example", [INPUT_IMAP_PORT] = "99993", [INPUT_SMTP_HOST] = "not a host",
		           [INPUT_PROVIDER] = "exchange", [INPUT_EWS_URL] = "ann@birch.example" },
		.wrong = { [INPUT_ADDRESS] = "wrong.address", [INPUT_PASSWORD] = "wrong.password", [INPUT_IMAP_PORT] = "wrong.port", [INPUT_SMTP_HOST] = "wrong.host",
		           [INPUT_EWS_URL] = "wrong.ews_url" } });
}

static bool sample_connect_hostile(struct page *p)
{
	struct connect_page c = { .path = TOKEN_PATH, .product = HOSTILE, .csrf = HOSTILE };

	for (unsigned i = 0; i < INPUTS; i++)
		c.value[i] = c.found[i] = i == INPUT_PASSWORD ? NULL : HOSTILE;
	return render_connect(p, &c);
}

static bool sample_link(struct page *p, enum link_trouble trouble)
{
	return render_link(p, &(struct link_page){ trouble, SAMPLE_NOW, TOKEN_PATH });
}

static bool sample_link_unknown(struct page *p)   { return sample_link(p, LINK_UNKNOWN); }
static bool sample_link_expired(struct page *p)   { return sample_link(p, LINK_EXPIRED); }
static bool sample_link_used(struct page *p)      { return sample_link(p, LINK_USED); }
static bool sample_link_elsewhere(struct page *p) { return sample_link(p, LINK_ELSEWHERE); }

static bool sample_progress(struct page *p)
{
	const struct shown_step steps[] = {
		{ catalogue_text(p->lang, "ui/step.address"),      "passed",  "ann@birch.example" },
		{ catalogue_text(p->lang, "ui/step.dns.mx"),       "passed",  "mx1.birch.example" },
		{ catalogue_text(p->lang, "ui/step.detect"),       "passed",  "imap.birch.example:993, smtp.birch.example:465" },
		{ catalogue_text(p->lang, "ui/step.imap.connect"), "passed",  "203.0.113.7, 21 ms" },
		{ catalogue_text(p->lang, "ui/step.imap.tls"),     "failed",  "mail.birch.example, www.birch.example" },
		{ catalogue_text(p->lang, "ui/step.imap.login"),   "skipped", catalogue_text(p->lang, "ui/skip.no_line") },
		{ catalogue_text(p->lang, "ui/step.smtp.tls"),     "warned",  NULL },
		{ catalogue_text(p->lang, "ui/step.smtp.login"),   "running", NULL },
	};

	return render_progress(p, &(struct progress_page){ TOKEN_PATH, "ann@birch.example", steps, COUNT(steps) });
}

static bool sample_progress_hostile(struct page *p)
{
	const struct shown_step steps[] = { { HOSTILE, HOSTILE, HOSTILE }, { HOSTILE, "running", HOSTILE } };

	return render_progress(p, &(struct progress_page){ TOKEN_PATH, HOSTILE, steps, COUNT(steps) });
}

static bool sample_progress_none(struct page *p)
{
	return render_progress(p, &(struct progress_page){ TOKEN_PATH, "ann@birch.example", NULL, 0 });
}

static bool sample_result_of(struct page *p, const char *report, struct account a)
{
	struct retold      *r = arena_get(p->job, sizeof *r);
	struct result_page  page = { TOKEN_PATH, "Birch CRM", "t0ken", "https://crm.birch.example/settings?tab=email#mail", "k7h2m9@bcc.birch.example", &a, r, { true }, false, SIGN_IN_NONE };

	if (report == report_webmail)
		a.ews_url = "https://mail.birch.example/owa";
	if (!report)
		page.report = NULL;
	else if (!retell(report, p->lang, p->job, r, NULL))
		return false;
	return render_result(p, &page);
}

static bool sample_result(struct page *p, const char *report, const char *address, enum account_state state)
{
	return sample_result_of(p, report, sample_account(address, state));
}

/* Without a mailbox. */
static bool sample_calendar(struct page *p, const char *report, enum account_state state)
{
	struct account a = sample_account("ann@birch.example", state);

	a.provider = "caldav";
	return sample_result_of(p, report, a);
}

static bool sample_calendar_connected(struct page *p) { return sample_calendar(p, report_connected, ACCOUNT_CONNECTED); }
static bool sample_calendar_partial(struct page *p)   { return sample_calendar(p, report_sending, ACCOUNT_DEGRADED); }

static bool sample_connected(struct page *p) { return sample_result(p, report_connected, "ann@birch.example", ACCOUNT_CONNECTED); }
static bool sample_failed(struct page *p)    { return sample_result(p, report_mismatch, "ann@birch.example", ACCOUNT_NEEDS_ADMIN); }
static bool sample_password(struct page *p)  { return sample_result(p, report_password, "ann@gmail.com", ACCOUNT_NEEDS_USER); }
static bool sample_partial(struct page *p)   { return sample_result(p, report_sending, "ann@contoso.example", ACCOUNT_DEGRADED); }
static bool sample_waiting(struct page *p)   { return sample_result(p, report_throttled, "ann@contoso.example", ACCOUNT_WAITING); }
static bool sample_confirm(struct page *p)   { return sample_result(p, report_confirm, "ann@birch.example", ACCOUNT_NEEDS_USER); }
static bool sample_sign_in(struct page *p)   { return sample_result(p, report_sign_in, "ann@birch.example", ACCOUNT_NEEDS_USER); }
static bool sample_webmail(struct page *p)   { return sample_result(p, report_webmail, "ann@birch.example", ACCOUNT_NEEDS_USER); }
static bool sample_hybrid(struct page *p)    { return sample_result(p, report_hybrid, "ann@birch.example", ACCOUNT_NEEDS_USER); }
static bool sample_elsewhere(struct page *p) { return sample_result(p, report_elsewhere, "ann@birch.example", ACCOUNT_NEEDS_USER); }
static bool sample_moved(struct page *p)     { return sample_result(p, report_moved, "ann@birch.example", ACCOUNT_NEEDS_USER); }
static bool sample_none(struct page *p)      { return sample_result(p, NULL, "ann@birch.example", ACCOUNT_NEEDS_USER); }
static bool sample_paused(struct page *p)    { return sample_result(p, NULL, "ann@birch.example", ACCOUNT_PAUSED); }
static bool sample_hostile(struct page *p)   { return sample_result(p, hostile_report(p->job), HOSTILE, ACCOUNT_NEEDS_ADMIN); }

static bool sample_signed_in(struct page *p, const char *report, const char *cause, enum account_state state, enum sign_in_offer offer)
{
	struct retold  *r = arena_get(p->job, sizeof *r);
	struct account  a = sample_account("anna@contoso.example", state);
	struct result_page page = { TOKEN_PATH, "Birch CRM", "t0ken", NULL, NULL, &a, r, { true }, false, offer };

	a.provider = "microsoft";
	a.cause = cause;
	return retell(report, p->lang, p->job, r, NULL) && render_result(p, &page);
}

static bool sample_approval(struct page *p)  { return sample_signed_in(p, report_approval, "microsoft.admin_approval_required", ACCOUNT_NEEDS_ADMIN, SIGN_IN_NONE); }
static bool sample_soon(struct page *p)      { return sample_signed_in(p, report_recorded, "microsoft.admin_consent_recorded", ACCOUNT_NEEDS_USER, SIGN_IN_SOON); }
static bool sample_once_more(struct page *p) { return sample_signed_in(p, report_recorded, "microsoft.admin_consent_recorded", ACCOUNT_NEEDS_USER, SIGN_IN_ONCE_MORE); }
static bool sample_lost(struct page *p)      { return sample_signed_in(p, report_away, "microsoft.sign_in_not_returned", ACCOUNT_NEEDS_USER, SIGN_IN_NONE); }

static bool sample_at_google(struct page *p, const char *report, const char *cause, enum account_state state, enum sign_in_offer offer)
{
	struct retold  *r = arena_get(p->job, sizeof *r);
	struct account  a = sample_account("ann@birch.example", state);
	struct result_page page = { TOKEN_PATH, "Birch CRM", "t0ken", NULL, NULL, &a, r, { false, true }, false, offer };

	a.provider = "google";
	a.cause = cause;
	a.who = "admin";
	return retell(report, p->lang, p->job, r, NULL) && render_result(p, &page);
}

static bool sample_unticked(struct page *p)     { return sample_at_google(p, report_unticked, "google.scope_unticked", ACCOUNT_NEEDS_USER, SIGN_IN_NONE); }
static bool sample_blocked(struct page *p)      { return sample_at_google(p, report_blocked, "google.app_blocked_by_admin", ACCOUNT_NEEDS_ADMIN, SIGN_IN_NONE); }
static bool sample_protected(struct page *p)    { return sample_at_google(p, report_protected, "google.advanced_protection", ACCOUNT_NEEDS_USER, SIGN_IN_ONCE_MORE); }
static bool sample_google_lost(struct page *p)  { return sample_at_google(p, report_google_lost, "google.sign_in_not_returned", ACCOUNT_NEEDS_USER, SIGN_IN_NONE); }

static bool sample_not_approved(struct page *p, const char *report)
{
	struct retold *r = arena_get(p->job, sizeof *r);

	return retell(report, p->lang, p->job, r, NULL) && render_consent_refused(p, &(struct refused_page){ "/admin/t", r });
}

static bool sample_consent_declined(struct page *p)  { return sample_not_approved(p, report_declined); }
static bool sample_consent_elsewhere(struct page *p) { return sample_not_approved(p, report_other_directory); }

static bool sample_handover(struct page *p)
{
	return render_handover(p, &(struct handover_page){ TOKEN_PATH, "Birch CRM", "ann@birch.example",
		"https://mail.example.org/admin/1796549400.acc_7gk2m4x9q8w1e3r5t7y9u2.4f1cdd0a6f0c8a51b2d9aa51b7e0c3f79d26cba0", SAMPLE_EXPIRES });
}

static bool sample_handover_hostile(struct page *p)
{
	return render_handover(p, &(struct handover_page){ TOKEN_PATH, HOSTILE, HOSTILE, "https://mail.example.org/admin/x", SAMPLE_EXPIRES });
}

static struct our_address sample_ours[] = {
	{ .address = "203.0.113.9", .how = "ehlo", .host = "smtp.birch.example", .other_host = "smtp.ash.example" },
	{ .address = "2001:db8::9", .how = "received", .host = "smtp.birch.example" },
};
static struct our_address hostile_ours = { .address = HOSTILE, .how = "ehlo", .host = HOSTILE };

static const struct our_addresses configured = { .configured = true, .item = sample_ours, .count = 2 }, learnt = { .item = sample_ours, .count = 2 },
                                  unknown = { .count = 0 }, hostile = { .item = &hostile_ours, .count = 1 };

static bool sample_administrator(struct page *p, const char *report, const char *address, enum account_state state, const struct our_addresses *ours)
{
	struct retold    *r = arena_get(p->job, sizeof *r);
	struct account    a = sample_account(address, state);
	struct admin_page page = { "/admin/t", "Birch CRM", "t0ken", ours, &a, r, SAMPLE_EXPIRES, NULL };

	if (report == report_webmail)
		a.ews_url = "https://mail.birch.example/owa";
	if (!report)
		page.report = NULL;
	else if (!retell(report, p->lang, p->job, r, NULL))
		return false;
	return render_admin(p, &page);
}

static bool sample_admin(struct page *p)          { return sample_administrator(p, report_addresses, "ann@birch.example", ACCOUNT_NEEDS_ADMIN, &configured); }
static bool sample_admin_learnt(struct page *p)   { return sample_administrator(p, report_addresses, "ann@birch.example", ACCOUNT_NEEDS_ADMIN, &learnt); }
static bool sample_admin_sending(struct page *p)  { return sample_administrator(p, report_sending, "ann@contoso.example", ACCOUNT_DEGRADED, &unknown); }
static bool sample_admin_checking(struct page *p) { return sample_administrator(p, report_mismatch, "ann@birch.example", ACCOUNT_CONNECTING, &unknown); }
static bool sample_admin_done(struct page *p)     { return sample_administrator(p, report_connected, "ann@birch.example", ACCOUNT_CONNECTED, &unknown); }
static bool sample_admin_removed(struct page *p)  { return sample_administrator(p, NULL, "", ACCOUNT_REMOVED, &unknown); }
static bool sample_admin_unknown(struct page *p)  { return sample_administrator(p, report_addresses, "ann@birch.example", ACCOUNT_WAITING, &unknown); }
static bool sample_admin_hostile(struct page *p)  { return sample_administrator(p, hostile_report(p->job), HOSTILE, ACCOUNT_NEEDS_ADMIN, &hostile); }

static bool sample_ways_for(struct page *p, const char *report, const char *cause, enum account_state state, const struct approval *approval)
{
	struct retold    *r = arena_get(p->job, sizeof *r);
	struct account    a = sample_account(approval->address, state);
	struct admin_page page = { "/admin/t", "Birch CRM", "t0ken", &configured, &a, r, SAMPLE_EXPIRES, approval };

	a.provider = approval->tenant ? "microsoft" : "google";
	a.cause = cause;
	a.who = "admin";
	return retell(report, p->lang, p->job, r, NULL) && render_admin(p, &page);
}

#define CONSENT_URL "https://login.microsoftonline.com/7c9e6679-7425-40de-944b-e07fc1f90ae7/v2.0/adminconsent?client_id=5f3b2c1a-8d7e-4a6b-9c0d-1e2f3a4b5c6d" \
	"&scope=openid%20profile%20https%3A%2F%2Fgraph.microsoft.com%2FMail.ReadWrite&redirect_uri=https%3A%2F%2Fmail.example.org%2Foauth%2Fmicrosoft%2Fcallback&state=consent.x"

static const struct approval sample_ways = { "anna@contoso.example", "5f3b2c1a-8d7e-4a6b-9c0d-1e2f3a4b5c6d", "7c9e6679-7425-40de-944b-e07fc1f90ae7",
	"openid profile email offline_access Mail.ReadWrite Mail.Send Calendars.Read Calendars.ReadWrite User.Read", "https://entra.microsoft.com", CONSENT_URL, false, NULL };
static const struct approval verified_ways = { "anna@contoso.example", "5f3b2c1a-8d7e-4a6b-9c0d-1e2f3a4b5c6d", "contoso.example", "openid Mail.ReadWrite",
	"https://entra.microsoft.com", CONSENT_URL, true, NULL };
static const struct approval hostile_ways = { HOSTILE, HOSTILE, HOSTILE, HOSTILE, "https://entra.microsoft.com", "javascript:alert(1)", true, NULL };

#define ADMIN_DUE ACCOUNT_NEEDS_ADMIN
static const struct approval google_ways = { "ann@birch.example", "4815-mailmoor.apps.googleusercontent.com", NULL,
	"https://www.googleapis.com/auth/gmail.modify https://www.googleapis.com/auth/calendar", "https://admin.google.com", NULL, false, NULL };
static bool sample_admin_trust(struct page *p)    { return sample_ways_for(p, report_blocked, "google.app_blocked_by_admin", ADMIN_DUE, &google_ways); }
static bool sample_admin_trusted(struct page *p)  { return sample_ways_for(p, report_protected, "google.advanced_protection", ACCOUNT_NEEDS_USER, &google_ways); }
static bool sample_admin_approval(struct page *p) { return sample_ways_for(p, report_approval, "microsoft.admin_approval_required", ADMIN_DUE, &sample_ways); }
static bool sample_admin_verified(struct page *p) { return sample_ways_for(p, report_approval, "microsoft.admin_approval_required", ADMIN_DUE, &verified_ways); }
static bool sample_admin_request(struct page *p)  { return sample_ways_for(p, report_request, "microsoft.admin_approval_pending", ADMIN_DUE, &sample_ways); }
static bool sample_admin_assign(struct page *p)   { return sample_ways_for(p, report_assign, "microsoft.user_not_assigned", ADMIN_DUE, &sample_ways); }
static bool sample_admin_policy(struct page *p)   { return sample_ways_for(p, report_policy, "microsoft.conditional_access", ADMIN_DUE, &sample_ways); }
static bool sample_admin_disabled(struct page *p) { return sample_ways_for(p, report_disabled, "microsoft.app_not_allowed", ADMIN_DUE, &sample_ways); }
static bool sample_admin_smtp(struct page *p)     { return sample_ways_for(p, report_sending, "smtp.auth_off", ACCOUNT_DEGRADED, &sample_ways); }
static bool sample_admin_wicked(struct page *p)   { return sample_ways_for(p, report_approval, "microsoft.admin_approval_required", ADMIN_DUE, &hostile_ways); }
static bool sample_admin_approved(struct page *p)
{
	struct retold    *r = arena_get(p->job, sizeof *r);
	struct account    a = sample_account("anna@contoso.example", ACCOUNT_NEEDS_USER);

	a.provider = "microsoft";
	a.cause = "microsoft.admin_consent_recorded";
	return retell(report_recorded, p->lang, p->job, r, NULL)
	    && render_admin(p, &(struct admin_page){ "/admin/t", "Birch CRM", "t0ken", &configured, &a, r, SAMPLE_EXPIRES, NULL });
}

static bool sample_trouble(struct page *p)
{
	return render_trouble(p, TOKEN_PATH);
}

static const struct sample samples[] = {
	{ "help-index",       sample_help_index       },
	{ "help",             sample_help             },
	{ "help-thanked",     sample_help_thanked     },
	{ "help-unknown",     sample_help_unknown     },
	{ "tour",             sample_tour             },
	{ "connect",          sample_connect          },
	{ "connect-found",    sample_connect_found    },
	{ "connect-microsoft", sample_connect_microsoft },
	{ "connect-unregistered", sample_connect_unregistered },
	{ "connect-google",   sample_connect_google   },
	{ "away-google",      sample_away_google      },
	{ "unticked",         sample_unticked         },
	{ "blocked",          sample_blocked          },
	{ "protected",        sample_protected        },
	{ "google-lost",      sample_google_lost      },
	{ "signin-refused",   sample_signin_refused   },
	{ "onward",           sample_onward           },
	{ "signin-consent",   sample_signin_consent   },
	{ "connect-wrong",    sample_connect_wrong    },
	{ "connect-hostile",  sample_connect_hostile  },
	{ "link-unknown",     sample_link_unknown     },
	{ "link-expired",     sample_link_expired     },
	{ "link-used",        sample_link_used        },
	{ "link-elsewhere",   sample_link_elsewhere   },
	{ "progress",         sample_progress         },
	{ "progress-hostile", sample_progress_hostile },
	{ "progress-none",    sample_progress_none    },
	{ "connected",        sample_connected        },
	{ "connected-calendar", sample_calendar_connected },
	{ "failed",           sample_failed           },
	{ "failed-password",  sample_password         },
	{ "failed-partial",   sample_partial          },
	{ "failed-calendar",  sample_calendar_partial },
	{ "failed-waiting",   sample_waiting          },
	{ "failed-confirm",   sample_confirm          },
	{ "failed-sign-in",   sample_sign_in          },
	{ "failed-webmail",   sample_webmail          },
	{ "failed-hybrid",    sample_hybrid           },
	{ "failed-elsewhere", sample_elsewhere        },
	{ "failed-moved",     sample_moved            },
	{ "failed-none",      sample_none             },
	{ "failed-paused",    sample_paused           },
	{ "failed-hostile",   sample_hostile          },
	{ "handover",         sample_handover         },
	{ "handover-hostile", sample_handover_hostile },
	{ "admin",            sample_admin            },
	{ "admin-learnt",     sample_admin_learnt     },
	{ "admin-sending",    sample_admin_sending    },
	{ "admin-checking",   sample_admin_checking   },
	{ "admin-done",       sample_admin_done       },
	{ "admin-removed",    sample_admin_removed    },
	{ "admin-unknown",    sample_admin_unknown    },
	{ "admin-hostile",    sample_admin_hostile    },
	{ "connect-away",     sample_away             },
	{ "connect-away-unknown", sample_away_unknown },
	{ "failed-approval",  sample_approval         },
	{ "failed-soon",      sample_soon             },
	{ "failed-once-more", sample_once_more        },
	{ "failed-lost",      sample_lost             },
	{ "consent-declined", sample_consent_declined },
	{ "consent-elsewhere", sample_consent_elsewhere },
	{ "admin-approval",   sample_admin_approval   },
	{ "admin-verified",   sample_admin_verified   },
	{ "admin-request",    sample_admin_request    },
	{ "admin-assign",     sample_admin_assign     },
	{ "admin-policy",     sample_admin_policy     },
	{ "admin-disabled",   sample_admin_disabled   },
	{ "admin-smtp",       sample_admin_smtp       },
	{ "admin-wicked",     sample_admin_wicked     },
	{ "admin-approved",   sample_admin_approved   },
	{ "admin-trust",      sample_admin_trust      },
	{ "admin-trusted",    sample_admin_trusted    },
	{ "trouble",          sample_trouble          },
	{ NULL,               NULL                    },
};

static inline bool sample_render(const struct sample *s, const struct language *lang, struct arena *job, struct buffer *out)
{
	struct page p;

	page_init(&p, out, lang, job);
	return s->render(&p);
}

#endif
