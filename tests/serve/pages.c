/* The pages as a browser without scripts sees them: a real server, a real store, forms filled in. The keeper is played. */
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "serve/api.h"
#include "serve/assets.h"
#include "serve/finder.h"
#include "serve/house.h"
#include "serve/samples.h"
#include "serve/keys.h"
#include "serve/not_returned.h"
#include "serve/signed_link.h"
#include "store/signins.h"

struct browser {
	struct house house;
	const char  *cookie;          /* "mm_browser=…", NULL: none yet */
	const char  *link;            /* "/connect/TOKEN"               */
	const char  *answer;          /* the last one                   */
};

/* -- a browser ---------------------------------------------------------------------------------------------------------- */

static const char *text_after(struct browser *b, const char *what, const char *ends)
{
	const char *at = strstr(b->answer, what);

	return at ? arena_copy(b->house.arena, slice(at + strlen(what), strcspn(at + strlen(what), ends))) : NULL;
}

static int visit(struct browser *b, const char *method, const char *path, const char *form, const char *more)
{
	struct house *h = &b->house;
	const char   *cookie = b->cookie ? arena_print(h->arena, "Cookie: %s\r\n", b->cookie) : "", *given;

	b->answer = ask(h, arena_print(h->arena, "%s %s HTTP/1.1\r\n" CLOSE "%s%s%sContent-Length: %zu\r\n\r\n%s", method, path, cookie, more ? more : "",
	                               form ? "Content-Type: application/x-www-form-urlencoded\r\n" : "", form ? strlen(form) : 0, form ? form : ""));
	given = text_after(b, "Set-Cookie: mm_browser=", ";\r");
	if (given)
		b->cookie = arena_print(h->arena, "mm_browser=%s", given);
	return status_of(b->answer);
}

static int get(struct browser *b, const char *path)
{
	return visit(b, "GET", path, NULL, NULL);
}

/* Fills in the form that was shown last. */
static int submit(struct browser *b, const char *path, const char *fields)
{
	const char *csrf = text_after(b, "name=\"csrf\" value=\"", "\"");

	return visit(b, "POST", path, arena_print(b->house.arena, "csrf=%s&%s", csrf ? csrf : "", fields), NULL);
}

static const char *where(struct browser *b)
{
	return text_after(b, "Location: ", "\r");
}

static bool says(const struct browser *b, const char *text)
{
	return strstr(b->answer, text) != NULL;
}

static const char *sub(struct browser *b, const char *tail)
{
	return arena_print(b->house.arena, "%s/%s", b->link, tail);
}

static const char *new_link(struct browser *b, const char *json)
{
	b->answer = call(&b->house, "POST /v1/connect-links", KEY_ADMIN, json, NULL);
	EXPECT_ROW(status_of(b->answer) == 201, b->answer);
	b->link = text_after(b, "http://mail.example.org", "\"");
	return b->link;
}

/* Of the only link of the workspace. */
static const char *link_id(struct browser *b)
{
	const char *answer = call(&b->house, "GET /v1/connect-links", KEY_ADMIN, NULL, NULL), *at = strstr(answer, "\"lnk_");

	return at ? arena_copy(b->house.arena, slice(at + 1, strcspn(at + 1, "\""))) : "none";
}

static void begin(struct browser *b, const char *json)
{
	*b = (struct browser){ .cookie = NULL };
	house_open(&b->house, http_routes, house_limits(), NULL);
	new_link(b, json);
}

/* -- the keeper's part ---------------------------------------------------------------------------------------------------- */

struct verdict_is {
	struct arena      *job;
	const char        *id, *report, *place;
	enum account_state state;
};

static bool write_verdict(struct txn *t, void *self, struct error *err)
{
	struct verdict_is *v = self;
	struct account     a;

	if (!account_get(t, v->job, NULL, v->id, &a, err))
		return false;
	a.state = v->state;
	a.report = v->report;
	a.report_at = SAMPLE_NOW;
	a.place = v->place;
	if (v->state == ACCOUNT_CONNECTED)
		a.last_ok = SAMPLE_NOW;
	return account_update(t, &a, err);
}

static void come_to(struct browser *b, enum account_state state, const char *report)
{
	struct verdict_is v = { b->house.arena, b->house.last, report, NULL, state };
	struct error      err = { 0 };

	if (!store_write_wait(b->house.service.store, write_verdict, &v, &err))
		test_fail(__FILE__, __LINE__, "%s", err.text);
}

struct reading { struct arena *job; const char *id; struct account account; struct slice sealed; };

static bool read_account(struct txn *t, void *self, struct error *err)
{
	struct reading *r = self;

	return account_get(t, r->job, "wsp_a", r->id, &r->account, err) && sealed_get(t, r->job, r->id, "password", &r->sealed, err);
}

static struct reading account_now(struct browser *b)
{
	struct reading r = { .job = b->house.arena, .id = b->house.last };
	struct error   err = { 0 };

	if (!store_read(b->house.service.store, read_account, &r, &err))
		test_fail(__FILE__, __LINE__, "%s", err.text);
	return r;
}

static const char *password_now(struct browser *b)
{
	struct reading r = account_now(b);
	struct slice   plain;
	struct error   err = { 0 };

	EXPECT(vault_unseal(b->house.service.vault, arena_print(r.job, "%s/password", r.id), r.sealed, r.job, &plain, &err));
	return arena_copy(r.job, plain);
}

#define GOOD "address=ann%40birch.example&password=p%C3%A4ss%26w+rd&username=&imap_host=&imap_port=&smtp_host=&smtp_port="

/* -- connecting ------------------------------------------------------------------------------------------------------------ */

TEST(a_mailbox_is_connected)
{
	struct browser b;
	struct reading r;

	begin(&b, "{\"address\":\"ann@birch.example\",\"lang\":\"de\",\"return_url\":\"https://crm.example/settings\"}");
	EXPECT(get(&b, b.link) == 200 && says(&b, "Ihr Postfach verbinden") && says(&b, "value=\"ann@birch.example\"") && says(&b, "readonly"));
	EXPECT(says(&b, "text/html; charset=utf-8"));
	EXPECT(submit(&b, b.link, GOOD) == 303);
	EXPECT_TEXT(where(&b), sub(&b, "progress"));
	EXPECT(b.house.changed == 1);
	r = account_now(&b);
	EXPECT(r.account.state == ACCOUNT_CONNECTING && !r.account.host[SERVICE_IMAP] && !r.account.username);
	EXPECT_TEXT(r.account.key, "ann@birch.example");
	EXPECT_TEXT(r.account.lang, "de");
	EXPECT_TEXT(password_now(&b), "päss&w rd");
	EXPECT(strstr(call(&b.house, "GET /v1/events", KEY_ADMIN, NULL, NULL), "account.created"));

	EXPECT(get(&b, sub(&b, "progress")) == 200 && says(&b, "<li class=\"running\">") && says(&b, "http-equiv=\"refresh\""));
	EXPECT(get(&b, sub(&b, "progress.json")) == 200 && says(&b, "\"done\":false") && says(&b, "\"state\":\"running\""));
	EXPECT(get(&b, sub(&b, "result")) == 303);
	EXPECT_TEXT(where(&b), sub(&b, "progress"));
	EXPECT(get(&b, b.link) == 303);

	come_to(&b, ACCOUNT_CONNECTED, report_connected);
	EXPECT(get(&b, sub(&b, "progress.json")) == 200 && says(&b, "\"done\":true") && says(&b, sub(&b, "result")));
	EXPECT(get(&b, sub(&b, "progress")) == 303);
	EXPECT_TEXT(where(&b), sub(&b, "result"));
	EXPECT(get(&b, sub(&b, "result")) == 200 && says(&b, "Ihr Postfach ist verbunden.") && says(&b, "bcca@in.example.org"));
	EXPECT(says(&b, arena_print(b.house.arena, "https://crm.example/settings?account=%s&amp;state=connected", b.house.last)));
	house_close(&b.house);
}

TEST(what_failed_is_tried_again_with_the_same_link)
{
	struct browser b;
	const char    *id;

	begin(&b, "{}");
	EXPECT(get(&b, b.link) == 200 && submit(&b, b.link, "address=ann%40birch.example&password=x&username=ann&imap_host=imap.birch.example&imap_port=993") == 303);
	id = b.house.last;
	come_to(&b, ACCOUNT_NEEDS_ADMIN, report_mismatch);
	EXPECT(get(&b, sub(&b, "result")) == 200 && says(&b, "The certificate is for another name.") && says(&b, "imap.birch.example"));
	EXPECT(visit(&b, "GET", arena_print(b.house.arena, "%s/result?lang=th", b.link), NULL, NULL) == 200 && says(&b, "mm_lang=th"));
	EXPECT(says(&b, catalogue_text(language_find("th"), "tls.name_mismatch/title")));
	EXPECT(get(&b, b.link) == 200 && says(&b, "value=\"imap.birch.example\"") && says(&b, "value=\"ann\"") && says(&b, "readonly"));
	EXPECT(submit(&b, b.link, "address=ann%40birch.example&password=y&username=&imap_host=mail.birch.example&imap_port=") == 303);
	EXPECT_TEXT(b.house.last, id);
	EXPECT_TEXT(password_now(&b), "y");
	EXPECT_TEXT(account_now(&b).account.host[SERVICE_IMAP], "mail.birch.example");
	EXPECT(account_now(&b).account.state == ACCOUNT_CONNECTING && !account_now(&b).account.cause && b.house.changed == 2);
	house_close(&b.house);
}

TEST(another_address_than_the_expected_one_is_refused_before_anything_is_kept)
{
	struct browser b;

	begin(&b, "{\"address\":\"ann@birch.example\"}");
	EXPECT(get(&b, b.link) == 200);
	EXPECT(submit(&b, b.link, "address=eve%40birch.example&password=heron-Kettle") == 422 && says(&b, "This link is for another address."));
	EXPECT(!says(&b, "heron") && b.house.changed == 0);
	EXPECT(strstr(call(&b.house, "GET /v1/accounts", KEY_ADMIN, NULL, NULL), "\"items\":[]"));
	EXPECT(get(&b, b.link) == 200 && submit(&b, b.link, "address=ANN%40Birch.Example.&password=x") == 303);
	house_close(&b.house);
}

TEST(what_is_wrong_in_the_form_is_said_and_kept)
{
	static const struct { const char *fields, *text; } rows[] = {
		{ "address=ann&password=x",                                                "This is not written as an e-mail address" },
		{ "address=&password=x",                                                   "This is not written as an e-mail address" },
		{ "address=ann%40birch.example&password=",                                 "Enter the password." },
		{ "address=ann%40birch.example",                                           "Enter the password." },
		{ "address=ann%40birch.example&password=x&imap_host=a..b",                 "This is not the name of a server" },
		{ "address=ann%40birch.example&password=x&imap_host=a%3Cb%3E",             "This is not the name of a server" },
		{ "address=ann%40birch.example&password=x&smtp_port=25",                   "This is not the name of a server" },
		{ "address=ann%40birch.example&password=x&smtp_host=b.example&smtp_port=0", "A port is a number from 1 to 65535." },
		{ "address=ann%40birch.example&password=x&smtp_host=b.example&smtp_port=65536", "A port is a number from 1 to 65535." },
		{ "address=ann%40birch.example&password=x&username=a%0Ab",                 "This user name is too long" },
	};
	struct browser b;

	begin(&b, "{}");
	EXPECT(get(&b, b.link) == 200);
	for (size_t i = 0; i < COUNT(rows); i++)
		EXPECT_ROW(submit(&b, b.link, rows[i].fields) == 422 && says(&b, rows[i].text) && says(&b, "aria-invalid"), rows[i].fields);
	EXPECT(submit(&b, b.link, "address=%22%3E%3Cscript%3Ealert(1)%3C/script%3E&password=x") == 422);
	EXPECT(!says(&b, "<script>") && says(&b, "&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;") && b.house.changed == 0);
	house_close(&b.house);
}

TEST(a_mailbox_that_is_connected_already_is_not_connected_twice)
{
	struct browser b;

	begin(&b, "{}");
	EXPECT(status_of(call(&b.house, "POST /v1/accounts", KEY_ADMIN, "{\"address\":\"ann@birch.example\",\"password\":\"x\"}", NULL)) == 201);
	EXPECT(get(&b, b.link) == 200 && submit(&b, b.link, GOOD) == 409 && says(&b, "This mailbox is connected already."));
	EXPECT(b.house.changed == 1);
	EXPECT(submit(&b, b.link, "address=bob%40birch.example&password=x") == 303);
	house_close(&b.house);
}

TEST(a_form_without_its_token_does_nothing)
{
	struct browser b;

	begin(&b, "{}");
	EXPECT(get(&b, b.link) == 200);
	EXPECT(visit(&b, "POST", b.link, GOOD, NULL) == 403 && visit(&b, "POST", b.link, "csrf=0&" GOOD, NULL) == 403);
	EXPECT(b.house.changed == 0);
	house_close(&b.house);
}

TEST(the_workspaces_settings_for_a_domain_are_filled_in)
{
	struct browser b;
	struct reading r;

	begin(&b, "{\"address\":\"ann@birch.example\"}");
	EXPECT(status_of(call(&b.house, "PUT /v1/domains/birch.example", KEY_ADMIN,
	                      "{\"imap\":{\"host\":\"mx.birch.example\",\"port\":1993},\"smtp\":{\"host\":\"out.birch.example\"}}", NULL)) < 300);
	EXPECT(get(&b, b.link) == 200 && says(&b, "value=\"mx.birch.example\"") && says(&b, "value=\"1993\"") && says(&b, "<details class=\"more\" open"));
	/* a reader who does not see them gets them as well */
	EXPECT(submit(&b, b.link, GOOD) == 303);
	r = account_now(&b);
	EXPECT_TEXT(r.account.host[SERVICE_IMAP], "mx.birch.example");
	EXPECT_TEXT(r.account.host[SERVICE_SMTP], "out.birch.example");
	EXPECT(r.account.port[SERVICE_IMAP] == 1993 && r.account.port[SERVICE_SMTP] == 0);
	house_close(&b.house);
}

/* -- Exchange -------------------------------------------------------------------------------------------------------------- */

#define EWS_HERE "https://mail.birch.example/EWS/Exchange.asmx"

TEST(the_fields_of_exchange_are_taken)
{
	static const struct { const char *fields; int status; const char *provider, *url; } rows[] = {
		{ "provider=exchange&ews_url=Mail.Birch.example&username=BIRCH%5Cann", 303, "exchange", EWS_HERE },
		{ "provider=auto&ews_url=https%3A%2F%2Fmail.birch.example%2Fowa", 303, "auto", "https://mail.birch.example/owa" },
		{ "provider=exchange&ews_url=", 303, "exchange", "" },
		{ "provider=imap&ews_url=mail.birch.example", 303, "imap", "" },
		{ "provider=gopher", 303, "auto", "" },
		{ "provider=exchange&ews_url=ftp%3A%2F%2Fx", 422, NULL, NULL },
		{ "provider=exchange&ews_url=ann%40birch.example", 422, NULL, NULL },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct browser b;

		begin(&b, "{}");
		EXPECT(get(&b, b.link) == 200 && says(&b, "<select id=\"provider\""));
		EXPECT_ROW(submit(&b, b.link, arena_print(b.house.arena, "address=ann%%40birch.example&password=x&%s", rows[i].fields)) == rows[i].status, rows[i].fields);
		if (rows[i].provider) {
			EXPECT_ROW(strcmp(account_now(&b).account.provider, rows[i].provider) == 0, rows[i].fields);
			EXPECT_ROW(strcmp(account_now(&b).account.ews_url ? account_now(&b).account.ews_url : "", rows[i].url) == 0, rows[i].fields);
		} else {
			EXPECT_ROW(says(&b, "This is not the address of an Exchange server") && says(&b, "<details class=\"more\" open"), rows[i].fields);
		}
		house_close(&b.house);
	}
}

TEST(what_works_for_a_colleague_is_filled_in)
{
	static const char place[] = "{\"username\":\"BIRCH\\\\bob\",\"ews\":{\"host\":\"mail.birch.example\",\"port\":443,\"socket\":\"tls\",\"source\":\"user\","
		"\"path\":\"/EWS/Exchange.asmx\"},\"mailbox\":\"bob@birch.example\"}";
	struct browser    b;
	struct verdict_is v;
	struct error      err = { 0 };

	begin(&b, "{}");
	EXPECT(get(&b, b.link) == 200 && submit(&b, b.link, "address=bob%40birch.example&password=x") == 303);
	v = (struct verdict_is){ b.house.arena, b.house.last, report_connected, place, ACCOUNT_CONNECTED };
	EXPECT(store_write_wait(b.house.service.store, write_verdict, &v, &err));
	b.cookie = NULL;
	new_link(&b, "{\"address\":\"ann@birch.example\"}");
	EXPECT(get(&b, b.link) == 200 && says(&b, "value=\"" EWS_HERE "\""));
	/* his name; three letters alone may stand in a token */
	EXPECT(!says(&b, "bob@") && !says(&b, "BIRCH"));
	/* chosen, and the field emptied: what is known all the same */
	EXPECT(submit(&b, b.link, "address=ann%40birch.example&password=x&provider=exchange&ews_url=") == 303);
	EXPECT_TEXT(account_now(&b).account.ews_url, EWS_HERE);
	b.cookie = NULL;
	new_link(&b, "{\"address\":\"ann@oak.birch.example\"}");
	EXPECT(get(&b, b.link) == 200 && !says(&b, EWS_HERE));
	house_close(&b.house);
}

/* What a search has filled in and nobody has touched is nobody's word: it is found again while connecting. */
TEST(what_was_found_and_left_is_left_to_the_search)
{
	static const struct { const char *fields, *url, *host; int port; } rows[] = {
		{ "provider=exchange&found_provider=exchange&ews_url=" EWS_HERE "&found_ews_url=" EWS_HERE, "", "", 0 },
		{ "provider=exchange&found_provider=exchange&ews_url=mail.birch.example&found_ews_url=https%3A%2F%2Fother.example%2F", EWS_HERE, "", 0 },
		{ "imap_host=imap.birch.example&found_imap_host=imap.birch.example&imap_port=993&found_imap_port=993", "", "", 0 },
		{ "imap_host=imap.birch.example&found_imap_host=imap.birch.example&imap_port=143&found_imap_port=993", "", "imap.birch.example", 143 },
		{ "imap_host=mx.birch.example&found_imap_host=imap.birch.example&imap_port=993&found_imap_port=993", "", "mx.birch.example", 993 },
		{ "imap_host=imap.birch.example&found_imap_host=&imap_port=&found_imap_port=", "", "imap.birch.example", 0 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct browser b;
		struct reading r;

		begin(&b, "{}");
		EXPECT(get(&b, b.link) == 200);
		EXPECT_ROW(submit(&b, b.link, arena_print(b.house.arena, "address=ann%%40birch.example&password=x&%s", rows[i].fields)) == 303, rows[i].fields);
		r = account_now(&b);
		EXPECT_ROW(strcmp(r.account.ews_url ? r.account.ews_url : "", rows[i].url) == 0, rows[i].fields);
		EXPECT_ROW(strcmp(r.account.host[SERVICE_IMAP] ? r.account.host[SERVICE_IMAP] : "", rows[i].host) == 0, rows[i].fields);
		EXPECT_ROW(r.account.port[SERVICE_IMAP] == rows[i].port, rows[i].fields);
		house_close(&b.house);
	}
}

TEST(a_search_keeps_what_was_typed_and_shows_no_password)
{
	struct browser b;

	begin(&b, "{}");
	EXPECT(get(&b, b.link) == 200 && says(&b, "<noscript><button") && says(&b, "data-find=") && !says(&b, "data-now"));
	EXPECT(submit(&b, sub(&b, "find"), "address=ann%40birch.example&password=heron-Kettle&username=BIRCH%5Cann&provider=imap&imap_host=mx.birch.example") == 200);
	EXPECT(says(&b, "Nothing was found that could be filled in here.") && says(&b, "value=\"BIRCH\\ann\"") && says(&b, "value=\"mx.birch.example\""));
	EXPECT(says(&b, "value=\"ann@birch.example\"") && !says(&b, "heron") && b.house.changed == 0);
	EXPECT(submit(&b, sub(&b, "find"), "address=ann") == 422 && says(&b, "This is not written as an e-mail address"));
	EXPECT(submit(&b, sub(&b, "find"), "") == 422);
	/* the same for scripts */
	EXPECT(get(&b, b.link) == 200 && submit(&b, sub(&b, "find.json"), "address=ann%40birch.example") == 200);
	EXPECT_TEXT(body_of(b.answer), "{\"fields\":{},\"status\":\"\"}");
	/* what was found of the address before does not stay for this one; what was typed does */
	EXPECT(get(&b, b.link) == 200);
	EXPECT(submit(&b, sub(&b, "find.json"), "address=ann%40oak.example&provider=exchange&found_provider=exchange&ews_url=" EWS_HERE "&found_ews_url=" EWS_HERE) == 200);
	EXPECT_TEXT(body_of(b.answer), "{\"fields\":{\"provider\":\"auto\",\"ews_url\":\"\"},\"status\":\"\"}");
	EXPECT(get(&b, b.link) == 200);
	EXPECT(submit(&b, sub(&b, "find.json"), "address=ann%40oak.example&provider=exchange&found_provider=exchange&ews_url=mail.oak.example&found_ews_url=" EWS_HERE) == 200);
	EXPECT_TEXT(body_of(b.answer), "{\"fields\":{},\"status\":\"\"}");
	house_close(&b.house);
}

TEST(a_search_is_for_who_has_the_link_open)
{
	struct browser b;
	const char    *mine;

	begin(&b, "{\"address\":\"ann@birch.example\"}");
	EXPECT(get(&b, b.link) == 200 && says(&b, "data-now"));
	EXPECT(visit(&b, "POST", sub(&b, "find.json"), "address=ann%40birch.example", NULL) == 403);
	EXPECT(visit(&b, "GET", sub(&b, "find"), NULL, NULL) == 405);
	mine = b.cookie;
	b.cookie = NULL;
	EXPECT(get(&b, "/help") == 200);
	b.cookie = mine;
	EXPECT(get(&b, b.link) == 200 && submit(&b, sub(&b, "find"), "address=eve%40oak.example") == 200);
	EXPECT(says(&b, "value=\"ann@birch.example\"") && !says(&b, "oak.example"));
	EXPECT(get(&b, b.link) == 200 && submit(&b, "/connect/NoSuchToken/find.json", "address=ann%40birch.example") == 404);
	house_close(&b.house);
}

/* How a domain is connected is shown to whom a link is for, and not to whoever types an address of it. */
TEST(what_is_laid_down_is_not_told_to_a_search)
{
	struct browser b;

	begin(&b, "{}");
	EXPECT(status_of(call(&b.house, "PUT /v1/domains/birch.example", KEY_ADMIN, "{\"ews_url\":\"mail.birch.example\"}", NULL)) < 300);
	EXPECT(get(&b, b.link) == 200 && submit(&b, sub(&b, "find"), "address=ann%40birch.example") == 200 && !says(&b, "mail.birch.example"));
	EXPECT(submit(&b, b.link, "address=ann%40birch.example&password=x") == 303);
	EXPECT_TEXT(account_now(&b).account.ews_url, EWS_HERE);
	house_close(&b.house);
}

/* A name server that hears and never answers: a search lasts as long as it may, and there are so many of them for one link. */
TEST(searches_are_bounded_in_time_and_number)
{
	struct sockaddr_in   at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t            len = sizeof at;
	int                  silent = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct net_settings  net = { .check_targets = true, .resolver_count = 1 };
	struct finder_limits limits = finder_usual;
	struct browser       b;
	struct error         err = { 0 };
	int64_t              began;
	int                  waited = 0;

	limits.search_ms = 150;
	EXPECT(bind(silent, (struct sockaddr *)&at, sizeof at) == 0 && getsockname(silent, (struct sockaddr *)&at, &len) == 0);
	net.resolver[0].port = ntohs(at.sin_port);
	EXPECT(address_parse("127.0.0.1", &net.resolver[0].address));
	begin(&b, "{}");
	b.house.service.net = &net;
	b.house.service.finder = finder_start(&b.house.service, &limits, &err);
	EXPECT(b.house.service.finder && get(&b, b.link) == 200);
	for (int i = 0; i < 20; i++) {
		const char *form = b.answer;

		began = clock_mono_ms();
		EXPECT(submit(&b, sub(&b, "find.json"), arena_print(b.house.arena, "address=ann%%40d%d.example", i)) == 200);
		waited += clock_mono_ms() - began >= 100;
		EXPECT(clock_mono_ms() - began < 5000);
		b.answer = form;
	}
	EXPECT(waited == 12);
	/* and nothing is begun that could be waited for */
	EXPECT(submit(&b, sub(&b, "find"), "address=ann%40birch.example") == 200 && says(&b, "Nothing was found"));
	finder_stop(b.house.service.finder);
	http_stop(b.house.http);
	finder_free(b.house.service.finder);
	b.house.http = NULL;
	house_close(&b.house);
	close(silent);
}

TEST(the_right_url_is_taken_by_one_click)
{
	struct browser b;

	begin(&b, "{}");
	EXPECT(get(&b, b.link) == 200);
	EXPECT(submit(&b, b.link, "address=ann%40birch.example&password=heron&ews_url=https%3A%2F%2Fmail.birch.example%2Fowa") == 303);
	EXPECT(submit(&b, sub(&b, "url"), "") == 403);
	come_to(&b, ACCOUNT_NEEDS_USER, report_mismatch);
	EXPECT(get(&b, sub(&b, "result")) == 200 && !says(&b, "Use this address instead"));
	come_to(&b, ACCOUNT_NEEDS_USER, report_webmail);
	EXPECT(get(&b, sub(&b, "result")) == 200 && says(&b, "Use this address instead") && says(&b, EWS_HERE));
	EXPECT(submit(&b, sub(&b, "url"), "ews_url=https%3A%2F%2Fevil.example") == 303);
	EXPECT_TEXT(where(&b), sub(&b, "progress"));
	EXPECT_TEXT(account_now(&b).account.ews_url, EWS_HERE);
	EXPECT_TEXT(password_now(&b), "heron");
	EXPECT(account_now(&b).account.state == ACCOUNT_CONNECTING && b.house.changed == 2);
	/* it is taken: there is nothing more to click */
	come_to(&b, ACCOUNT_NEEDS_USER, report_webmail);
	EXPECT(get(&b, sub(&b, "result")) == 200 && !says(&b, "Use this address instead"));
	house_close(&b.house);
}

#define MICROSOFT_APP "6b1f5c52-10ad-4b8e-9f2e-c0ffee000001"

static void register_at_microsoft(struct browser *b)
{
	b->house.service.app.microsoft.client_id = MICROSOFT_APP;
}

struct sole { struct arena *job; struct account_page page; };

static bool read_sole(struct txn *t, void *self, struct error *err)
{
	struct sole *s = self;

	return account_list(t, s->job, &(struct account_query){ .workspace = "wsp_a", .most = 2 }, &s->page, err);
}

/* The workspace's only account; NULL: there is none. */
static const struct account *sole_account(struct browser *b)
{
	struct sole  *s = arena_get(b->house.arena, sizeof *s);
	struct error  err = { 0 };

	s->job = b->house.arena;
	EXPECT(store_read(b->house.service.store, read_sole, s, &err) && s->page.count < 2);
	return s->page.count ? &s->page.item[0] : NULL;
}

struct other_way { struct arena *job; const char *id; };

/* As one that has been connected at Microsoft for a while. */
static bool has_a_past(struct txn *t, void *self, struct error *err)
{
	struct other_way *w = self;
	struct account    a;

	if (!account_get(t, w->job, NULL, w->id, &a, err))
		return false;
	a.provider = "microsoft";
	a.cursor = "{\"delta_link\":\"https://graph.microsoft.com/v1.0/x\",\"since\":1}";
	a.external_id = "crm-7";
	return account_update(t, &a, err);
}

static void begin_at_microsoft(struct browser *b, const char *report)
{
	struct error err = { 0 };

	begin(b, "{\"address\":\"ann@birch.example\"}");
	EXPECT(get(b, b->link) == 200 && submit(b, b->link, "address=ann%40birch.example&password=heron") == 303);
	EXPECT(store_write_wait(b->house.service.store, has_a_past, &(struct other_way){ b->house.arena, b->house.last }, &err));
	come_to(b, ACCOUNT_NEEDS_USER, report);
}

TEST(the_organisations_own_exchange_is_one_click_away)
{
	struct browser b;
	struct account now;
	const char    *id;

	begin_at_microsoft(&b, report_hybrid);
	EXPECT(get(&b, sub(&b, "result")) == 200 && says(&b, "?way=exchange\"") && says(&b, "mail.birch.example"));
	EXPECT(get(&b, arena_print(b.house.arena, "%s?way=exchange", b.link)) == 200 && says(&b, "value=\"" EWS_HERE "\""));
	EXPECT(says(&b, "<option value=\"exchange\" selected=\"\">") && says(&b, "value=\"ann@birch.example\"") && says(&b, "data-way=\"password\">"));
	id = account_now(&b).account.id;
	EXPECT(submit(&b, b.link, "address=ann%40birch.example&provider=exchange&password=egret&ews_url=https%3A%2F%2Fmail.birch.example%2FEWS%2FExchange.asmx") == 303);
	now = account_now(&b).account;
	EXPECT(sole_account(&b) && strcmp(now.id, id) == 0 && now.state == ACCOUNT_CONNECTING && !now.cursor && !now.place);
	EXPECT_TEXT(now.provider, "exchange");
	EXPECT_TEXT(now.ews_url, EWS_HERE);
	EXPECT_TEXT(now.external_id, "crm-7");
	EXPECT_TEXT(password_now(&b), "egret");
	house_close(&b.house);
}

TEST(only_what_the_report_shows_is_another_way)
{
	struct browser b;

	begin_at_microsoft(&b, report_elsewhere);
	EXPECT(get(&b, sub(&b, "result")) == 200 && says(&b, "Connect with Gmail") && says(&b, "Go on only if that is your organisation"));
	EXPECT(get(&b, arena_print(b.house.arena, "%s?way=imap", b.link)) == 200 && says(&b, "value=\"imap.gmail.com\"") && says(&b, "value=\"465\""));
	come_to(&b, ACCOUNT_NEEDS_USER, report_mismatch);
	EXPECT(get(&b, sub(&b, "result")) == 200 && !says(&b, "?way="));
	EXPECT(get(&b, arena_print(b.house.arena, "%s?way=imap", b.link)) == 200 && !says(&b, "imap.gmail.com"));
	EXPECT(get(&b, arena_print(b.house.arena, "%s?way=%%3Cb%%3E", b.link)) == 200 && !says(&b, "<b>"));
	house_close(&b.house);
}

TEST(a_mailbox_that_has_moved_to_microsoft_is_one_click_away)
{
	struct browser b;

	begin(&b, "{\"address\":\"ann@birch.example\"}");
	EXPECT(get(&b, b.link) == 200 && submit(&b, b.link, "address=ann%40birch.example&provider=exchange&password=heron") == 303);
	come_to(&b, ACCOUNT_NEEDS_USER, report_moved);
	EXPECT(get(&b, sub(&b, "result")) == 200 && !says(&b, "Sign in with Microsoft") && says(&b, "form-action 'self';"));
	register_at_microsoft(&b);
	EXPECT(get(&b, sub(&b, "result")) == 200 && says(&b, "Sign in with Microsoft"));
	EXPECT(submit(&b, sub(&b, "microsoft"), "address=ann%40birch.example") == 200 && strstr(b.answer, "/oauth2/v2.0/authorize?"));
	EXPECT_TEXT(account_now(&b).account.provider, "exchange");
	house_close(&b.house);
}

/* -- links ------------------------------------------------------------------------------------------------------------------ */

static bool end_links(struct txn *t, void *self, struct error *err)
{
	struct link l = { .id = "lnk_old", .workspace = "wsp_a", .kind = "connect", .created = 1, .expires = SAMPLE_NOW - 86400000LL * 365 };

	l.hash = token_hash("OldToken", self);
	return link_insert(t, &l, err);
}

TEST(links_that_do_not_open_say_why)
{
	struct browser b;
	struct error   err = { 0 };

	begin(&b, "{}");
	EXPECT(store_write_wait(b.house.service.store, end_links, b.house.arena, &err));
	EXPECT(get(&b, "/connect/NoSuchToken") == 404 && says(&b, "This link is not known."));
	EXPECT(get(&b, "/connect/OldToken") == 410 && says(&b, "This link has expired.") && says(&b, "22 November 2025, 09:30 UTC"));
	EXPECT(get(&b, "/connect/NoSuchToken/progress.json") == 404);
	EXPECT(get(&b, "/connect/%3Cscript%3E") == 404 && !says(&b, "<script>"));
	house_close(&b.house);
}

TEST(a_link_belongs_to_the_browser_that_opened_it_first)
{
	struct browser b;
	const char    *mine;

	begin(&b, "{}");
	EXPECT(visit(&b, "HEAD", b.link, NULL, NULL) == 200 && visit(&b, "GET", b.link, NULL, "Sec-Purpose: prefetch\r\n") == 200);
	b.cookie = NULL;
	EXPECT(get(&b, b.link) == 200);
	mine = b.cookie;
	b.cookie = NULL;
	EXPECT(get(&b, b.link) == 403 && says(&b, "This link is open in another browser."));
	EXPECT(get(&b, sub(&b, "progress")) == 403 && get(&b, sub(&b, "result")) == 403);
	b.cookie = mine;
	EXPECT(get(&b, b.link) == 200 && submit(&b, b.link, GOOD) == 303);
	/* and once it is used it is used up for all others */
	b.cookie = NULL;
	EXPECT(get(&b, b.link) == 410 && says(&b, "This link has been used."));
	EXPECT(get(&b, sub(&b, "progress.json")) == 410 && get(&b, sub(&b, "administrator")) == 410);
	house_close(&b.house);
}

TEST(two_browsers_with_one_form_connect_one_mailbox)
{
	struct browser b;
	const char    *form, *first;

	begin(&b, "{}");
	EXPECT(visit(&b, "GET", b.link, NULL, "Sec-Purpose: prefetch\r\n") == 200);
	first = b.cookie;
	form = b.answer;
	b.cookie = NULL;
	EXPECT(get(&b, b.link) == 200);
	b.cookie = first, b.answer = form;
	EXPECT(submit(&b, b.link, GOOD) == 403 && says(&b, "another browser") && b.house.changed == 0);
	house_close(&b.house);
}

TEST(nothing_but_the_form_is_there_before_it_is_filled_in)
{
	static const char *const tails[] = { "progress", "progress.json", "result", "administrator" };
	struct browser b;

	begin(&b, "{}");
	EXPECT(get(&b, b.link) == 200);
	for (size_t i = 0; i < COUNT(tails); i++) {
		EXPECT_ROW(get(&b, sub(&b, tails[i])) == 303, tails[i]);
		EXPECT_TEXT(where(&b), b.link);
	}
	house_close(&b.house);
}

TEST(a_link_of_another_kind_opens_no_form)
{
	struct browser b;

	begin(&b, "{\"kind\":\"settings\"}");
	b.link = arena_print(b.house.arena, "/connect/%s", strrchr(b.link, '/') + 1);
	EXPECT(get(&b, b.link) == 404);
	house_close(&b.house);
}

/* The link carried an address: it goes with the account. */
TEST(a_removed_account_leaves_no_link)
{
	struct browser b;

	begin(&b, "{}");
	EXPECT(get(&b, b.link) == 200 && submit(&b, b.link, GOOD) == 303);
	EXPECT(status_of(call(&b.house, arena_print(b.house.arena, "DELETE /v1/accounts/%s", b.house.last), KEY_ADMIN, NULL, NULL)) < 300);
	EXPECT(get(&b, b.link) == 404 && get(&b, sub(&b, "result")) == 404 && says(&b, "This link is not known."));
	house_close(&b.house);
}

/* -- the administrator ---------------------------------------------------------------------------------------------------- */

TEST(the_administrator_is_told_and_checks_again)
{
	struct browser b;
	const char    *admin;

	begin(&b, "{}");
	EXPECT(get(&b, b.link) == 200 && submit(&b, b.link, GOOD) == 303);
	come_to(&b, ACCOUNT_NEEDS_ADMIN, report_addresses);
	EXPECT(get(&b, sub(&b, "administrator")) == 200 && says(&b, "mailto:?subject="));
	admin = text_after(&b, "http://mail.example.org", "<");
	EXPECT(admin);

	b.cookie = NULL;                 /* another person, another browser */
	EXPECT(visit(&b, "GET", admin, NULL, "Accept-Language: fi\r\n") == 200);
	EXPECT(says(&b, catalogue_text(language_find("fi"), "auth.ip_not_allowed/title")) && says(&b, ">192.0.2.1<") && says(&b, ">2001:db8::1<"));
	EXPECT(says(&b, "ann@birch.example") && !says(&b, "p%C3%A4ss"));
	EXPECT(get(&b, arena_print(b.house.arena, "%s/state.json", admin)) == 200 && says(&b, "{\"state\":\"needs_admin\"}"));
	EXPECT(visit(&b, "POST", admin, "csrf=0", NULL) == 403 && account_now(&b).account.state == ACCOUNT_NEEDS_ADMIN);
	EXPECT(get(&b, admin) == 200 && submit(&b, admin, "") == 303);
	EXPECT_TEXT(where(&b), admin);
	EXPECT(account_now(&b).account.state == ACCOUNT_CONNECTING && b.house.changed == 2);
	/* asked twice, checked once */
	EXPECT(get(&b, admin) == 200 && !says(&b, "Check again now") && says(&b, "http-equiv=\"refresh\""));
	come_to(&b, ACCOUNT_CONNECTED, report_connected);
	EXPECT(get(&b, admin) == 200 && says(&b, "There is nothing to do any more."));
	house_close(&b.house);
}

TEST(forged_and_expired_links_show_nothing)
{
	struct browser b;
	const char    *admin, *old;
	char          *forged;

	begin(&b, "{}");
	EXPECT(get(&b, b.link) == 200 && submit(&b, b.link, GOOD) == 303);
	admin = signed_link(b.house.service.vault, link_id(&b), clock_unix_ms() + 60000, b.house.arena);
	old = signed_link(b.house.service.vault, link_id(&b), clock_unix_ms() - 60000, b.house.arena);
	EXPECT(get(&b, arena_print(b.house.arena, "/admin/%s", admin)) == 200);
	EXPECT(get(&b, arena_print(b.house.arena, "/admin/%s", old)) == 410 && says(&b, "This link has expired.") && !says(&b, "ann@"));
	forged = arena_print(b.house.arena, "/admin/%s", admin);
	forged[strlen(forged) - 1] ^= 1;
	EXPECT(get(&b, forged) == 404 && !says(&b, "ann@"));
	/* signed by us, but in the name of what is no link */
	old = signed_link(b.house.service.vault, b.house.last, clock_unix_ms() + 60000, b.house.arena);
	EXPECT(get(&b, arena_print(b.house.arena, "/admin/%s", old)) == 404 && !says(&b, "ann@"));
	EXPECT(get(&b, "/admin/x") == 404 && get(&b, "/admin/a.1.b") == 404 && get(&b, "/admin/1.acc_x/state.json") == 404);
	EXPECT(visit(&b, "POST", forged, "csrf=0", NULL) == 403);
	house_close(&b.house);
}

/* With the link goes what was handed on from its page, whoever has it open. */
TEST(a_revoked_link_shows_nothing_more_to_anybody)
{
	struct browser b;
	const char    *admin, *form;

	begin(&b, "{}");
	EXPECT(get(&b, b.link) == 200 && submit(&b, b.link, GOOD) == 303);
	come_to(&b, ACCOUNT_NEEDS_ADMIN, report_addresses);
	EXPECT(get(&b, sub(&b, "administrator")) == 200);
	admin = text_after(&b, "http://mail.example.org", "<");
	EXPECT(get(&b, admin) == 200 && get(&b, b.link) == 200);
	form = arena_print(b.house.arena, "csrf=%s&%s", text_after(&b, "name=\"csrf\" value=\"", "\""), GOOD);
	EXPECT(status_of(call(&b.house, arena_print(b.house.arena, "DELETE /v1/connect-links/%s", link_id(&b)), KEY_ADMIN, NULL, NULL)) == 204);
	EXPECT(get(&b, admin) == 404 && !says(&b, "ann@") && get(&b, arena_print(b.house.arena, "%s/state.json", admin)) == 404);
	EXPECT(visit(&b, "POST", admin, form, NULL) == 404 && account_now(&b).account.state == ACCOUNT_NEEDS_ADMIN);
	EXPECT(get(&b, b.link) == 404 && get(&b, sub(&b, "result")) == 404 && visit(&b, "POST", b.link, form, NULL) == 404);
	EXPECT(account_now(&b).account.state == ACCOUNT_NEEDS_ADMIN);
	house_close(&b.house);
}

TEST(a_link_that_the_api_made_opens_the_same_page)
{
	struct browser b;

	begin(&b, "{}");
	EXPECT(get(&b, b.link) == 200 && submit(&b, b.link, GOOD) == 303);
	come_to(&b, ACCOUNT_DEGRADED, report_sending);
	EXPECT(get(&b, arena_print(b.house.arena, "/admin/%s", strrchr(b.link, '/') + 1)) == 404);
	new_link(&b, arena_print(b.house.arena, "{\"kind\":\"admin\",\"account\":\"%s\"}", b.house.last));
	EXPECT(slice_starts(slice_str(b.link), "/admin/") && get(&b, b.link) == 200 && says(&b, "Set-CASMailbox -Identity &#39;ann@birch.example&#39; -SmtpClient"));
	house_close(&b.house);
}

/* -- at Microsoft ---------------------------------------------------------------------------------------------------------- */

#define CANCELLED     "error=access_denied&error_subcode=cancel&error_description=AADSTS65004%3a+User+declined&state="
#define FOR_ANN       "address=ann%40birch.example"

/* The address that the page sends every browser on to, without a redirect; NULL: none. */
static const char *sent_to(const struct browser *b)
{
	const char *at = strstr(b->answer, "<meta http-equiv=\"refresh\" content=\"0; url=");
	char       *url, *out;

	if (!at || status_of(b->answer) != 200)
		return NULL;
	at = strstr(at, "url=") + 4;
	out = url = arena_get(b->house.arena, strcspn(at, "\"") + 1);
	for (; *at != '"'; at += strncmp(at, "&amp;", 5) == 0 ? 5 : 1)
		*out++ = *at;
	return url;
}

static bool asks(const struct browser *b, const char *what)
{
	return sent_to(b) && strstr(sent_to(b), what);
}

/* The state that the browser is sent away with. */
static const char *leave(struct browser *b)
{
	const char *state;

	EXPECT_ROW(get(b, b->link) == 200, b->answer);
	EXPECT_ROW(submit(b, sub(b, "microsoft"), FOR_ANN) == 200, b->answer);
	state = sent_to(b) ? strstr(sent_to(b), "&state=") : NULL;
	EXPECT_ROW(state, b->answer);
	return arena_copy(b->house.arena, slice(state + 7, strcspn(state + 7, "&")));
}

static int come_back(struct browser *b, const char *query)
{
	return get(b, arena_print(b->house.arena, "/oauth/microsoft/callback?%s", query));
}

static int come_back_with(struct browser *b, const char *query, const char *state)
{
	return come_back(b, arena_print(b->house.arena, "%s%s", query, state));
}

TEST(a_way_to_microsoft_is_on_the_page)
{
	struct browser b;

	begin(&b, "{\"address\":\"ann@birch.example\",\"provider\":\"microsoft\"}");
	EXPECT(says(&b, "\"provider\":\"microsoft\""));
	EXPECT(get(&b, b.link) == 200 && says(&b, "data-way=\"microsoft\">") && says(&b, "data-way=\"password\" hidden=\"\" disabled=\"\""));
	EXPECT(says(&b, "<dd data-way=\"password\" hidden=\"\">") && says(&b, "<dd data-way=\"microsoft\">Your address, and what Microsoft lets us do"));
	EXPECT(says(&b, "has not been set up here yet") && !says(&b, "/microsoft\"") && says(&b, "form-action 'self';"));
	EXPECT(submit(&b, sub(&b, "microsoft"), FOR_ANN) == 503 && says(&b, "has not been set up here yet"));

	register_at_microsoft(&b);
	EXPECT(get(&b, b.link) == 200 && says(&b, "Sign in with Microsoft") && says(&b, arena_print(b.house.arena, "formaction=\"%s\"", sub(&b, "microsoft"))));
	/* a sign-in page may lead on to any other, which no form of ours may */
	EXPECT(says(&b, "form-action 'self'; frame-ancestors 'none'"));
	EXPECT(sole_account(&b) == NULL);
	house_close(&b.house);
}

TEST(a_person_leaves_for_microsoft)
{
	struct browser b;
	const char    *state;

	begin(&b, "{}");
	register_at_microsoft(&b);
	state = leave(&b);
	EXPECT(strlen(state) == 40 && slice_starts(slice_str(sent_to(&b)), "https://login.microsoftonline.com/common/oauth2/v2.0/authorize?client_id=" MICROSOFT_APP "&"));
	EXPECT(asks(&b, "&redirect_uri=http%3A%2F%2Fmail.example.org%2Foauth%2Fmicrosoft%2Fcallback&") && slice_ends(slice_str(sent_to(&b)), "&prompt=select_account") && says(&b, "Cache-Control: no-store"));
	/* what must come back in the id_token is another thing than what must come back in the address, and neither is the verifier */
	EXPECT(asks(&b, "&nonce=") && !strstr(strstr(sent_to(&b), "&nonce="), state) && asks(&b, "&code_challenge_method=S256&"));
	EXPECT(strcmp(leave(&b), state) != 0);

	/* the same by the form's own button, where microsoft was chosen */
	EXPECT(get(&b, b.link) == 200 && submit(&b, b.link, FOR_ANN "&provider=microsoft&password=") == 200 && asks(&b, "/oauth2/v2.0/authorize?"));
	EXPECT(get(&b, b.link) == 200 && submit(&b, sub(&b, "microsoft"), "address=ann") == 422 && says(&b, "This is not written as an e-mail address"));
	EXPECT(visit(&b, "POST", sub(&b, "microsoft"), FOR_ANN, NULL) == 403);
	EXPECT(visit(&b, "GET", sub(&b, "microsoft"), NULL, NULL) == 405);
	b.cookie = NULL;
	EXPECT(get(&b, b.link) == 403);
	EXPECT(sole_account(&b) == NULL && b.house.changed == 0);
	house_close(&b.house);
}

TEST(another_address_does_not_leave)
{
	struct browser b;

	begin(&b, "{\"address\":\"ann@birch.example\"}");
	register_at_microsoft(&b);
	EXPECT(get(&b, b.link) == 200 && submit(&b, sub(&b, "microsoft"), "address=eve%40birch.example") == 422 && says(&b, "This link is for another address."));
	EXPECT(submit(&b, sub(&b, "microsoft"), "") == 200 && asks(&b, "/oauth2/v2.0/authorize?"));
	new_link(&b, "{}");
	EXPECT(get(&b, b.link) == 200 && submit(&b, b.link, GOOD) == 303);
	new_link(&b, "{}");
	EXPECT(get(&b, b.link) == 200 && submit(&b, sub(&b, "microsoft"), FOR_ANN) == 409);
	house_close(&b.house);
}

/* Whatever a stranger brings, with whatever browser: nothing is done, and the person who is away still comes back. */
TEST(a_callback_that_is_not_ours)
{
	static const struct { const char *query, *more; int status; bool state; } rows[] = {
		{ "", NULL, 400, false }, { "state=", NULL, 400, true }, { "code=a&code=b&state=", NULL, 400, true }, { "code=a&error=x&state=", NULL, 400, true },
		{ "code=a&state=x&state=", NULL, 400, true }, { "code=a", NULL, 403, false }, { "code=a&state=x", NULL, 403, false },
		{ "error=access_denied&state=12345", NULL, 403, false }, { "code=a%00&state=", NULL, 400, true }, { "code=a%0ab&state=", NULL, 400, true },
		{ CANCELLED, "Sec-Purpose: prefetch\r\n", 400, true },
		{ "admin_consent=True&tenant=x&scope=y&state=12345", NULL, 200, false }, { "admin_consent=True&error=access_denied&state=12345", NULL, 200, false },
	};
	struct browser b;
	const char    *state, *cookie;

	begin(&b, "{}");
	register_at_microsoft(&b);
	state = leave(&b);
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *path = arena_print(b.house.arena, "/oauth/microsoft/callback?%s%s", rows[i].query, rows[i].state ? state : "");

		EXPECT_ROW(visit(&b, "GET", path, NULL, rows[i].more) == rows[i].status, path);
		EXPECT_ROW(says(&b, rows[i].status == 200 ? "Back from Microsoft" : "This sign-in is not taken.") || strstr(path, "%0"), b.answer);
	}
	EXPECT(visit(&b, "HEAD", arena_print(b.house.arena, "/oauth/microsoft/callback?%s%s", CANCELLED, state), NULL, NULL) == 400);
	cookie = b.cookie;
	b.cookie = NULL;
	EXPECT(come_back_with(&b, CANCELLED, state) == 403 && !says(&b, "Set-Cookie") && come_back_with(&b, "code=a&state=", state) == 403);
	b.cookie = "mm_browser=abcdefghijklmnopqrstuvwxyz012345";
	EXPECT(come_back_with(&b, CANCELLED, state) == 403 && come_back_with(&b, "code=a&state=", state) == 403);
	b.cookie = cookie;
	EXPECT(sole_account(&b) == NULL && b.house.changed == 0);
	EXPECT(come_back_with(&b, CANCELLED, state) == 303);
	house_close(&b.house);
}

TEST(a_refusal_is_told_like_any_other)
{
	static const struct { const char *query; enum account_state state; const char *cause; } rows[] = {
		{ CANCELLED, ACCOUNT_NEEDS_USER, "microsoft.consent_declined" },
		{ "error=access_denied&error_description=AADSTS90094%3a+x&state=", ACCOUNT_NEEDS_ADMIN, "microsoft.admin_approval_required" },
		{ "error=access_denied&admin_consent=True&error_description=AADSTS65004%3a+x&state=", ACCOUNT_NEEDS_USER, "microsoft.consent_declined" },
		{ "error=server_error&state=", ACCOUNT_NEEDS_USER, "server.unavailable" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct browser        b;
		const struct account *a;
		const char           *state;

		begin(&b, "{\"lang\":\"nl\"}");
		register_at_microsoft(&b);
		state = leave(&b);
		EXPECT_ROW(come_back_with(&b, rows[i].query, state) == 303, b.answer);
		EXPECT_TEXT(where(&b), sub(&b, "result"));
		a = sole_account(&b);
		EXPECT_ROW(a && a->state == rows[i].state && a->cause && strcmp(a->cause, rows[i].cause) == 0 && a->next_try == INT64_MAX, rows[i].query);
		EXPECT_TEXT(a->provider, "microsoft");
		EXPECT_TEXT(a->address, "ann@birch.example");
		EXPECT_ROW(b.house.changed == 0, rows[i].query);      /* there is nothing to be verified with */
		EXPECT_ROW(get(&b, sub(&b, "result")) == 200 && says(&b, catalogue_text(language_find("nl"), arena_print(b.house.arena, "%s/title", rows[i].cause))), b.answer);
		EXPECT_ROW(get(&b, sub(&b, "administrator")) == 200, b.answer);
		EXPECT_ROW(strstr(call(&b.house, "GET /v1/events", KEY_ADMIN, NULL, NULL), "account.failed"), rows[i].query);
		/* once, and again from the start */
		EXPECT_ROW(come_back_with(&b, rows[i].query, state) == (strstr(rows[i].query, "admin_consent") ? 200 : 403), b.answer);
		state = leave(&b);
		EXPECT_ROW(come_back_with(&b, rows[i].query, state) == 303 && strcmp(sole_account(&b)->id, a->id) == 0, b.answer);
		house_close(&b.house);
	}
}

struct late { const char *state, *browser; struct house *house; };

static bool be_late(struct txn *t, void *self, struct error *err)
{
	struct late *l = self;

	return signin_insert(t, &(struct signin_row){ .id = token_hash(l->state, l->house->arena), .link = "lnk_x", .session = token_hash(l->browser, l->house->arena),
		.address = "ann@birch.example", .sealed = { "x", 1 }, .created = 1, .expires = clock_unix_ms() - 1 }, err);
}

TEST(who_comes_too_late_or_with_nobody_to_redeem_the_code)
{
	struct browser b;
	struct late    late = { .state = "late", .house = &b.house };
	struct error   err = { 0 };
	const char    *state;

	begin(&b, "{}");
	register_at_microsoft(&b);
	state = leave(&b);
	late.browser = strchr(b.cookie, '=') + 1;
	EXPECT(store_write_wait(b.house.service.store, be_late, &late, &err));
	EXPECT(come_back(&b, CANCELLED "late") == 403 && come_back(&b, "code=a&state=late") == 403);
	EXPECT(come_back_with(&b, "code=a&state=", state) == 503);
	EXPECT(come_back_with(&b, "code=a&state=", state) == 403 && sole_account(&b) == NULL);

	/* the link was taken back meanwhile */
	state = leave(&b);
	EXPECT(status_of(call(&b.house, arena_print(b.house.arena, "DELETE /v1/connect-links/%s", link_id(&b)), KEY_ADMIN, NULL, NULL)) == 204);
	EXPECT(come_back_with(&b, CANCELLED, state) == 403 && sole_account(&b) == NULL);
	house_close(&b.house);
}

TEST(what_works_is_not_ended_by_a_refusal)
{
	struct browser b;
	const char    *state;

	begin(&b, "{}");
	register_at_microsoft(&b);
	EXPECT(come_back_with(&b, CANCELLED, leave(&b)) == 303);
	state = leave(&b);
	snprintf(b.house.last, sizeof b.house.last, "%s", sole_account(&b)->id);
	come_to(&b, ACCOUNT_CONNECTED, report_connected);
	EXPECT(come_back_with(&b, CANCELLED, state) == 200 && says(&b, catalogue_text(language_english(), "microsoft.consent_declined/title")));
	EXPECT(!says(&b, "/administrator") && says(&b, arena_print(b.house.arena, "href=\"%s\"", b.link)) && sole_account(&b)->state == ACCOUNT_CONNECTED);

	/* who was connected once is known there: Microsoft is told whose account it shall be */
	come_to(&b, ACCOUNT_NEEDS_USER, report_password);
	leave(&b);
	EXPECT(slice_ends(slice_str(sent_to(&b)), "&login_hint=ann%40birch.example") && !asks(&b, "prompt="));
	house_close(&b.house);
}

/* -- an administrator's part ------------------------------------------------------------------------------------------------ */

#define REFUSED_90094 "error=access_denied&error_description=AADSTS90094%3a+x&state="
#define REFUSED_50105 "error=interaction_required&error_description=AADSTS50105%3a+x&state="
#define GRANTED       "admin_consent=True&tenant=7c9e6679-7425-40de-944b-e07fc1f90ae7&scope=x&state="

/* The way to the administrator's page, of a mailbox that waits for one. */
static const char *needs_approval(struct browser *b)
{
	begin(b, "{}");
	register_at_microsoft(b);
	EXPECT(come_back_with(b, REFUSED_90094, leave(b)) == 303 && get(b, sub(b, "administrator")) == 200);
	snprintf(b->house.last, sizeof b->house.last, "%s", sole_account(b)->id);
	return text_after(b, "http://mail.example.org", "<");
}

/* The state of the consent URL that is on the page that was shown last. */
static const char *consent_state(struct browser *b)
{
	const char *at = text_after(b, "state=consent.", "\"<&");

	EXPECT_ROW(at, b->answer);
	return arena_print(b->house.arena, "consent.%s", at);
}

TEST(an_administrator_is_shown_the_ways_with_the_values_of_the_case)
{
	struct browser b;
	const char    *admin = needs_approval(&b), *state;

	b.cookie = NULL;
	EXPECT(get(&b, admin) == 200 && says(&b, "https://login.microsoftonline.com/birch.example/v2.0/adminconsent?client_id=" MICROSOFT_APP "&amp;scope=openid"));
	EXPECT(says(&b, "&amp;redirect_uri=http%3A%2F%2Fmail.example.org%2Foauth%2Fmicrosoft%2Fcallback&amp;state=consent."));
	EXPECT(says(&b, "Connect-MgGraph -TenantId &#39;birch.example&#39;") && says(&b, "This way does not work for this app") && !says(&b, "User consent settings"));
	state = consent_state(&b);
	/* loaded again it is the same; and its state is nobody's who signs in */
	EXPECT(get(&b, admin) == 200);
	EXPECT_TEXT(consent_state(&b), state);
	EXPECT(come_back_with(&b, "code=a&state=", state) == 403);

	settings_set(&b.house.settings, SETTING_MICROSOFT_VERIFIED, "yes");
	b.house.service.app.microsoft.tenant = "0a1b2c3d-0000-4000-8000-000000000001";
	EXPECT(get(&b, admin) == 200 && says(&b, "User consent settings") && says(&b, "microsoftonline.com/0a1b2c3d-0000-4000-8000-000000000001/v2.0/adminconsent?"));
	b.house.service.app.microsoft.tenant = "common";
	EXPECT(get(&b, admin) == 200 && !says(&b, "microsoftonline.com/common"));
	house_close(&b.house);
}

/* Facts M A.7, E.2 12b-d: what comes back, in all its forms. */
TEST(an_administrators_answer_in_every_form)
{
	static const struct { const char *query; int status; const char *cause, *shown; } rows[] = {
		{ GRANTED, 303, "microsoft.admin_consent_recorded", NULL },
		{ "admin_consent=True&state=", 303, "microsoft.admin_consent_recorded", NULL },
		{ "admin_consent=true&tenant=not-a-guid&state=", 303, "microsoft.admin_consent_recorded", NULL },
		{ "admin_consent=True&code=abc&state=", 303, "microsoft.admin_consent_recorded", NULL },
		{ "admin_consent=True&error=consent_required&error_description=AADSTS65004%3a+x&state=", 200, NULL, "Cancel was chosen" },
		{ "error=access_denied&error_description=AADSTS65004%3a+x&error_uri=https%3a%2f%2flogin.microsoftonline.com%2ferror%3fcode%3d65004&admin_consent=True&state=", 200, NULL, "Cancel was chosen" },
		{ "error=access_denied&error_subcode=cancel&admin_consent=True&state=", 200, NULL, "Cancel was chosen" },
		{ "error=permission_denied&error_description=The+admin+canceled+the+request&state=", 200, NULL, "Cancel was chosen" },
		{ "error=access_denied&error_description=AADSTS50020%3a+x&admin_consent=True&state=", 200, NULL, "belongs to another organisation" },
		{ "error=invalid_request&error_description=AADSTS900144%3a+x&state=", 200, NULL, "registration" },
		{ "error=server_error&admin_consent=True&state=", 200, NULL, "It has not been approved." },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct browser        b;
		const char           *admin = needs_approval(&b), *cookie = b.cookie, *state, *answer;
		const struct account *a;
		bool                  granted = rows[i].cause != NULL;

		b.cookie = NULL;
		EXPECT(get(&b, admin) == 200);
		state = consent_state(&b);
		EXPECT_ROW(visit(&b, "GET", arena_print(b.house.arena, "/oauth/microsoft/callback?%s%s", rows[i].query, state), NULL, "Sec-Purpose: prefetch\r\n") == 400, rows[i].query);
		EXPECT_ROW(come_back_with(&b, rows[i].query, state) == rows[i].status, b.answer);
		EXPECT_ROW(granted ? strcmp(where(&b), admin) == 0 : says(&b, rows[i].shown) && says(&b, admin), b.answer);
		a = sole_account(&b);
		EXPECT_ROW(strcmp(a->cause, granted ? rows[i].cause : "microsoft.admin_approval_required") == 0, rows[i].query);
		EXPECT_ROW(a->state == (granted ? ACCOUNT_NEEDS_USER : ACCOUNT_NEEDS_ADMIN) && b.house.changed == 0, rows[i].query);
		answer = call(&b.house, "GET /v1/events", KEY_ADMIN, NULL, NULL);
		EXPECT_ROW(!strstr(answer, "account.approved") == !granted, answer);
		/* once */
		EXPECT_ROW(come_back_with(&b, GRANTED, state) == 200 && says(&b, "Back from Microsoft"), b.answer);
		EXPECT_ROW(come_back_with(&b, "error=access_denied&state=", state) == 403, b.answer);
		EXPECT_ROW(get(&b, admin) == 200 && (granted ? says(&b, "Approved. The mailbox") : strcmp(consent_state(&b), state) != 0), b.answer);
		b.cookie = cookie;
		house_close(&b.house);
	}
}

TEST(an_answer_that_nobody_waits_for)
{
	struct browser b;
	const char    *admin = needs_approval(&b), *state;

	EXPECT(come_back(&b, GRANTED "consent.made0up") == 200 && says(&b, "Back from Microsoft") && come_back(&b, "error=access_denied&state=consent.x") == 403);
	EXPECT(get(&b, admin) == 200);
	state = consent_state(&b);
	/* what works is not changed by it */
	come_to(&b, ACCOUNT_CONNECTED, report_connected);
	EXPECT(come_back_with(&b, GRANTED, state) == 303 && sole_account(&b)->state == ACCOUNT_CONNECTED);
	/* the link was taken back meanwhile */
	come_to(&b, ACCOUNT_NEEDS_ADMIN, report_approval);
	EXPECT(get(&b, admin) == 200);
	state = consent_state(&b);
	EXPECT(status_of(call(&b.house, arena_print(b.house.arena, "DELETE /v1/connect-links/%s", link_id(&b)), KEY_ADMIN, NULL, NULL)) == 204);
	EXPECT(come_back_with(&b, GRANTED, state) == 200 && says(&b, "Back from Microsoft") && sole_account(&b)->state == ACCOUNT_NEEDS_ADMIN);
	house_close(&b.house);
}

/* What was granted once is tried again without anybody; and a colleague who waits for the same goes on as well. */
static bool give_grant(struct txn *t, void *self, struct error *err)
{
	struct browser *b = self;
	struct slice    sealed;

	return vault_seal(b->house.service.vault, arena_print(b->house.arena, "%s/password", b->house.last), slice_str("{\"refresh_token\":\"r\"}"), b->house.arena,
	                  &sealed, err)
	    && sealed_put(t, b->house.last, "password", sealed, err);
}

static const char *sent_with(struct browser *b)
{
	const char *at = strstr(sent_to(b), "&state=");

	return arena_copy(b->house.arena, slice(at + 7, strcspn(at + 7, "&")));
}

TEST(a_consent_is_for_the_whole_organisation)
{
	struct browser b;
	const char    *admin = needs_approval(&b), *first = b.link, *cookie = b.cookie, *accounts;
	struct error   err = { 0 };

	EXPECT(store_write_wait(b.house.service.store, give_grant, &b, &err));
	new_link(&b, "{}");
	EXPECT(get(&b, b.link) == 200 && submit(&b, sub(&b, "microsoft"), "address=bob%40birch.example") == 200);
	EXPECT(come_back_with(&b, REFUSED_90094, sent_with(&b)) == 303);
	new_link(&b, "{}");
	EXPECT(get(&b, b.link) == 200 && submit(&b, sub(&b, "microsoft"), "address=eve%40oak.example") == 200);
	EXPECT(come_back_with(&b, REFUSED_90094, sent_with(&b)) == 303);
	b.cookie = NULL;
	EXPECT(b.house.changed == 0 && get(&b, admin) == 200 && come_back_with(&b, GRANTED, consent_state(&b)) == 303);
	b.cookie = cookie;
	EXPECT(b.house.changed == 1);
	accounts = call(&b.house, "GET /v1/accounts", KEY_ADMIN, NULL, NULL);
	EXPECT_ROW(strstr(accounts, "\"state\":\"connecting\"") && strstr(accounts, "microsoft.admin_consent_recorded") && strstr(accounts, "microsoft.admin_approval_required"), accounts);
	b.link = first;
	EXPECT(get(&b, sub(&b, "result")) == 303 && strcmp(where(&b), sub(&b, "progress")) == 0);
	house_close(&b.house);
}

/* What has to wait has waited. */
static bool forget_wait(struct txn *t, void *self, struct error *err)
{
	struct reading *r = self;

	if (!account_get(t, r->job, NULL, r->id, &r->account, err))
		return false;
	r->account.state_since = 1;
	return account_update(t, &r->account, err);
}

static void pass_time(struct browser *b)
{
	struct reading r = { .job = b->house.arena, .id = b->house.last };
	struct error   err = { 0 };

	EXPECT(store_write_wait(b->house.service.store, forget_wait, &r, &err));
}

/* -- and what follows by itself ---------------------------------------------------------------------------------------------- */

static const char *approved(struct browser *b)
{
	const char *admin = needs_approval(b), *cookie = b->cookie;

	b->cookie = NULL;
	EXPECT(get(b, admin) == 200 && come_back_with(b, GRANTED, consent_state(b)) == 303);
	b->cookie = cookie;
	return admin;
}

/* Sent by the result page, without a page of Microsoft's; its state. */
static const char *go_silently(struct browser *b)
{
	const char *at;

	EXPECT_ROW(get(b, sub(b, "result")) == 303, b->answer);
	EXPECT_TEXT(where(b), sub(b, "microsoft/again"));
	EXPECT_ROW(get(b, sub(b, "microsoft/again")) == 200 && sent_to(b), b->answer);
	at = strstr(sent_to(b), "&state=silent.");
	EXPECT_ROW(at && strstr(sent_to(b), "&prompt=none&login_hint=ann%40birch.example"), b->answer);
	return arena_copy(b->house.arena, slice(at + 7, strcspn(at + 7, "&")));
}

TEST(the_persons_own_browser_goes_on_by_itself)
{
	struct browser b;
	const char    *state;

	approved(&b);
	/* a stranger, or who only looks ahead, does not */
	EXPECT(visit(&b, "GET", sub(&b, "microsoft/again"), NULL, "Sec-Purpose: prefetch\r\n") == 303 && strcmp(where(&b), sub(&b, "result")) == 0);
	state = go_silently(&b);
	EXPECT(come_back_with(&b, REFUSED_50105, state) == 303);
	EXPECT(sole_account(&b)->state == ACCOUNT_NEEDS_ADMIN && strcmp(sole_account(&b)->cause, "microsoft.user_not_assigned") == 0);
	EXPECT(get(&b, sub(&b, "result")) == 200 && says(&b, "data-watch=") && says(&b, "goes on here by itself"));
	EXPECT(get(&b, sub(&b, "state.json")) == 200 && says(&b, "{\"state\":\"needs_admin\",\"cause\":\"microsoft.user_not_assigned\"}"));
	EXPECT(get(&b, sub(&b, "microsoft/again")) == 303 && strcmp(where(&b), sub(&b, "result")) == 0);
	house_close(&b.house);
}

TEST(where_nobody_is_signed_in_the_person_is_asked)
{
	static const char *const answers[] = {
		"error=login_required&state=", "error=interaction_required&state=", "error=interaction_required&error_description=AADSTS50058%3a+x&state=",
		"error=interaction_required&error_description=AADSTS16000%3a+x&state=",
	};

	for (size_t i = 0; i < COUNT(answers); i++) {
		struct browser b;

		approved(&b);
		EXPECT_ROW(come_back_with(&b, answers[i], go_silently(&b)) == 303, b.answer);
		EXPECT_ROW(strcmp(sole_account(&b)->cause, "microsoft.admin_consent_recorded") == 0, answers[i]);
		EXPECT_ROW(get(&b, sub(&b, "result")) == 200 && says(&b, "Sign in once more"), b.answer);
		EXPECT_ROW(submit(&b, sub(&b, "microsoft"), FOR_ANN) == 200 && asks(&b, "&prompt=select_account"), b.answer);
		house_close(&b.house);
	}
}

/* A consent takes its time to be known everywhere (facts M A.8, 650051): a few times, and then it is told as it is. */
TEST(too_early_is_tried_again_and_not_for_ever)
{
	struct browser b;

	approved(&b);
	for (int i = 1; i <= 3; i++) {
		EXPECT(come_back(&b, arena_print(b.house.arena, "error=interaction_required&error_description=AADSTS650051%%3a+x&state=%s", go_silently(&b))) == 303);
		if (i == 3)
			break;
		EXPECT(get(&b, sub(&b, "result")) == 200 && says(&b, "it is tried again by itself") && says(&b, "content=\"10; url="));
		EXPECT(get(&b, sub(&b, "microsoft/again")) == 303 && strcmp(where(&b), sub(&b, "result")) == 0);
		EXPECT(sole_account(&b)->failures == (unsigned)i && sole_account(&b)->next_try == INT64_MAX);
		pass_time(&b);
	}
	EXPECT(sole_account(&b)->failures == 0 && strcmp(sole_account(&b)->cause, "microsoft.admin_consent_recorded") == 0);
	EXPECT(!strcmp(sole_account(&b)->certainty, "possible"));
	house_close(&b.house);
}

/* Nothing tells us that somebody was assigned: the administrator says so, and the person's browser finds out. */
TEST(an_administrator_says_that_it_is_done)
{
	struct browser b;
	const char    *admin, *cookie;

	begin(&b, "{}");
	register_at_microsoft(&b);
	EXPECT(come_back_with(&b, REFUSED_50105, leave(&b)) == 303 && get(&b, sub(&b, "administrator")) == 200);
	admin = text_after(&b, "http://mail.example.org", "<");
	cookie = b.cookie;
	b.cookie = NULL;
	EXPECT(get(&b, admin) == 200 && says(&b, "New-MgServicePrincipalAppRoleAssignedTo") && says(&b, "ann@birch.example") && submit(&b, admin, "") == 303);
	EXPECT(sole_account(&b)->state == ACCOUNT_NEEDS_USER && b.house.changed == 0);
	b.cookie = cookie;
	EXPECT(come_back_with(&b, REFUSED_50105, go_silently(&b)) == 303 && sole_account(&b)->state == ACCOUNT_NEEDS_ADMIN);
	house_close(&b.house);
}

/* -- who did not come back --------------------------------------------------------------------------------------------------- */

TEST(who_stands_here_again_is_asked_what_the_page_says)
{
	struct browser b;

	begin(&b, "{}");
	register_at_microsoft(&b);
	EXPECT(get(&b, b.link) == 200 && !says(&b, "name=\"said\""));
	leave(&b);
	EXPECT(get(&b, b.link) == 200 && says(&b, "name=\"said\"") && says(&b, "value=\"ann@birch.example\""));
	EXPECT(submit(&b, sub(&b, "microsoft/said"), "said=it+does+not+work") == 422 && says(&b, "does not say yet what happened") && sole_account(&b) == NULL);
	EXPECT(submit(&b, sub(&b, "microsoft/said"), "said=") == 422 && submit(&b, sub(&b, "microsoft/said"), "") == 422);
	EXPECT(visit(&b, "POST", sub(&b, "microsoft/said"), "said=AADSTS90094", NULL) == 403);
	EXPECT(get(&b, b.link) == 200 && submit(&b, sub(&b, "microsoft/said"), "said=Sorry.+AADSTS90094%3A+The+grant+requires+admin+permission.") == 303);
	EXPECT_TEXT(where(&b), sub(&b, "result"));
	EXPECT(strcmp(sole_account(&b)->cause, "microsoft.admin_approval_required") == 0 && sole_account(&b)->state == ACCOUNT_NEEDS_ADMIN);
	EXPECT(get(&b, sub(&b, "administrator")) == 200 && get(&b, text_after(&b, "http://mail.example.org", "<")) == 200 && says(&b, "/v2.0/adminconsent?"));

	/* the same account; another reason */
	EXPECT(get(&b, b.link) == 200 && submit(&b, sub(&b, "microsoft/said"), "said=https%3A%2F%2Flogin.microsoftonline.com%2Ferror%3Fcode%3D50105") == 303);
	EXPECT(strcmp(sole_account(&b)->cause, "microsoft.user_not_assigned") == 0);
	house_close(&b.house);
}

struct looking { struct house *house; int64_t now; bool found; };

static bool look_for_lost(struct txn *t, void *self, struct error *err)
{
	struct looking *l = self;

	return not_returned_take(t, &l->house->service, l->now, &l->found, err);
}

static bool lost_at(struct browser *b, int64_t now)
{
	struct looking l = { &b->house, now, false };
	struct error   err = { 0 };

	EXPECT_ROW(store_write_wait(b->house.service.store, look_for_lost, &l, &err), err.text);
	return l.found;
}

#define QUARTER_MS (15 * 60 * (int64_t)1000)

TEST(after_a_quarter_of_an_hour_it_is_noticed)
{
	struct browser b;
	int64_t        now = clock_unix_ms();
	const char    *state;

	begin(&b, "{\"lang\":\"pl\"}");
	register_at_microsoft(&b);
	leave(&b);
	EXPECT(!lost_at(&b, now + QUARTER_MS - 5000) && sole_account(&b) == NULL);
	EXPECT(lost_at(&b, now + QUARTER_MS + 5000) && !lost_at(&b, now + QUARTER_MS + 5000));
	EXPECT(sole_account(&b)->state == ACCOUNT_NEEDS_USER && strcmp(sole_account(&b)->cause, "microsoft.sign_in_not_returned") == 0);
	EXPECT(strcmp(sole_account(&b)->address, "ann@birch.example") == 0 && strcmp(sole_account(&b)->lang, "pl") == 0);
	EXPECT(strstr(call(&b.house, "GET /v1/events", KEY_ADMIN, NULL, NULL), "account.failed"));
	EXPECT(get(&b, sub(&b, "result")) == 200 && says(&b, "name=\"said\"") && says(&b, catalogue_text(language_find("pl"), "microsoft.sign_in_not_returned/title")));
	EXPECT(get(&b, b.link) == 200 && says(&b, "name=\"said\""));

	/* who comes back meanwhile, by another window even, has said more than that */
	leave(&b);
	state = leave(&b);
	EXPECT(come_back_with(&b, CANCELLED, state) == 303);
	EXPECT(lost_at(&b, now + QUARTER_MS + 5000) && strcmp(sole_account(&b)->cause, "microsoft.consent_declined") == 0);
	house_close(&b.house);
}

/* -- help -------------------------------------------------------------------------------------------------------------------- */

struct opinions { struct arena *job; struct feedback *item; size_t count; };

static bool read_opinions(struct txn *t, void *self, struct error *err)
{
	struct opinions *o = self;

	return feedback_list(t, o->job, &o->item, &o->count, err);
}

TEST(help_is_there_for_everybody_and_listens)
{
	struct browser  b;
	struct opinions o;
	struct error    err = { 0 };

	begin(&b, "{}");
	o = (struct opinions){ .job = b.house.arena };
	EXPECT(get(&b, "/help") == 200 && says(&b, "/help/tls.expired?lang=en"));
	EXPECT(get(&b, "/help/no.such_cause") == 404 && says(&b, "There is no such help page."));
	EXPECT(get(&b, "/help/tls.expired?lang=pl") == 200 && says(&b, "<html lang=\"pl\">") && says(&b, "https://letsencrypt.org/docs/integration-guide/"));
	EXPECT(submit(&b, "/help/tls.expired/feedback?lang=pl", "helpful=yes") == 303);
	EXPECT_TEXT(where(&b), "/help/tls.expired?lang=pl&thanks=1#feedback");
	EXPECT(get(&b, "/help/tls.expired?lang=pl&thanks=1") == 200 && says(&b, catalogue_text(language_find("pl"), "page/help.thanks")));
	EXPECT(visit(&b, "POST", "/help/tls.expired/feedback", "helpful=no", NULL) == 403);
	EXPECT(store_read(b.house.service.store, read_opinions, &o, &err) && o.count == 1);
	EXPECT(o.item[0].helpful == 1 && o.item[0].not_helpful == 0);
	EXPECT_TEXT(o.item[0].cause, "tls.expired");
	EXPECT_TEXT(o.item[0].lang, "pl");
	house_close(&b.house);
}

TEST(assets_are_kept_for_ever)
{
	struct browser b;

	begin(&b, "{}");
	for (size_t i = 0; i < asset_count; i++) {
		EXPECT_ROW(get(&b, assets[i].path) == 200 && says(&b, assets[i].type) && says(&b, "max-age=31536000, immutable"), assets[i].name);
		EXPECT_ROW(strlen(body_of(b.answer)) == assets[i].len, assets[i].name);
	}
	EXPECT(get(&b, "/assets/style.css") == 404);
	house_close(&b.house);
}
