#include "sandbox/cloud.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

#include <curl/curl.h>
#include <openssl/sha.h>

#include "base/clock.h"
#include "base/random.h"
#include "sandbox/graph.h"
#include "sandbox/imap.h"
#include "sandbox/pages.h"

#define ASKED_FOR "openid profile email offline_access User.Read Mail.ReadWrite Mail.Send Calendars.ReadWrite MailboxSettings.Read"

/* -- bits ------------------------------------------------------------------------------------------------------------ */

int64_t now_s(void)
{
	return clock_unix_ms() / 1000;
}

bool is_ordered(struct sandbox *s, enum order order)
{
	return orders_has(&s->orders, order) != NULL;
}

const char *ordered_value(struct sandbox *s, enum order order)
{
	const struct ordered *o = orders_has(&s->orders, order);

	return o ? o->value : NULL;
}

const char *guid_of(struct arena *arena, const char *seed)
{
	unsigned char d[SHA256_DIGEST_LENGTH];

	SHA256((const unsigned char *)seed, strlen(seed), d);
	return arena_print(arena, "%02x%02x%02x%02x-%02x%02x-4%x%02x-8%x%02x-%02x%02x%02x%02x%02x%02x", d[0], d[1], d[2], d[3], d[4], d[5], d[6] & 15,
	                   d[7], d[8] & 15, d[9], d[10], d[11], d[12], d[13], d[14], d[15]);
}

void reply_json(struct reply *reply, int status, cJSON *o)
{
	char *text = cJSON_PrintUnformatted(o);

	reply->status = status;
	reply->type = "application/json; charset=utf-8";
	buffer_add_str(&reply->body, text);
	cJSON_free(text);
	cJSON_Delete(o);
}

/* -- accounts -------------------------------------------------------------------------------------------------------- */

size_t account_number(const struct sandbox *s, const struct account *a)
{
	return (size_t)(a - s->accounts);
}

/* Of several organisations that are played a domain is one's alone; an id is everybody's here. */
void cloud_approve(struct sandbox *s, const char *tenant)
{
	for (size_t i = 0; i < s->account_count; i++)
		if (strcasecmp(strchr(s->accounts[i].mail, '@') + 1, tenant) == 0)
			s->cloud->approved_for[i] = true;
	s->cloud->approved |= !s->cloud->apart || !strchr(tenant, '.');
}

bool cloud_approved(const struct sandbox *s, const struct account *a)
{
	return s->cloud->approved || (a && s->cloud->approved_for[account_number(s, a)]);
}

const char *account_tid(struct sandbox *s, const struct account *a)
{
	return a && orders_of(&s->orders, a->mail, ORDER_PERSONAL) ? CLOUD_PERSONAL : CLOUD_TENANT;
}

/* Of a personal one: sixteen digits, which a GUID is made of elsewhere (facts M B.8). */
const char *account_oid(struct sandbox *s, struct arena *arena, const struct account *a)
{
	const char *guid = guid_of(arena, a->mail);

	return orders_of(&s->orders, a->mail, ORDER_PERSONAL) ? arena_print(arena, "00000000-0000-0000-%.4s-%s", guid + 19, guid + 24) : guid;
}

const char *account_upn(struct sandbox *s, struct arena *arena, const struct account *a)
{
	const char *at;

	if (!orders_of(&s->orders, a->mail, ORDER_GUEST))
		return a->upn;
	at = strchr(a->mail, '@');
	return arena_print(arena, "%.*s_%s#EXT#@fabrikam.onmicrosoft.example", (int)(at - a->mail), a->mail, at + 1);
}

/* What the token endpoint would answer to whoever signed in as this account, as text. */
static const char *grant_text(struct sandbox *s, struct arena *arena, struct account *a)
{
	bool   is_anothers = account_served(s, a) && is_ordered(s, ORDER_WRONG_ACCOUNT) && s->account_count > 1;
	struct account *other = is_anothers ? &s->accounts[a == &s->accounts[1] ? 0 : 1] : a;
	cJSON *o = grant_new(s, arena, other, ASKED_FOR, NULL, false);
	char  *text = cJSON_PrintUnformatted(o);
	char  *copy = arena_str(arena, text);

	cJSON_free(text);
	cJSON_Delete(o);
	return copy;
}

/* -- "it is in the cloud" (facts M D.3) ------------------------------------------------------------------------------- */

static void answer_outlook(struct sandbox *s, struct request *r, struct reply *reply)
{
	const char *asked = request_query(r, "Email"), *again = request_query(r, "RedirectCount");
	const char *last = strrchr(r->path, '/'), *mail = asked ? asked : last ? last + 1 : "";
	cJSON      *o = cJSON_CreateObject();

	account_served(s, account_by_mail(s, mail));
	if (strncasecmp(r->path, "/autodiscover/autodiscover.json", 31) != 0) {
		cJSON_Delete(o);
		page_write(s, r, reply, PAGE_404, NULL);
	} else if (!account_by_mail(s, mail)) {
		cJSON_AddStringToObject(o, "ErrorCode", "UserNotFound");
		cJSON_AddStringToObject(o, "ErrorMessage", "The user was not found.");
		reply_json(reply, 404, o);
	} else if (s->cloud->hybrid && !again) {
		cJSON_Delete(o);
		reply->status = 302;
		reply_header(reply, r, "Location", "https://%s/autodiscover/autodiscover.json?Email=%s&Protocol=Ews&RedirectCount=1", s->auto_host, mail);
	} else {
		cJSON_AddStringToObject(o, "Protocol", "Ews");
		cJSON_AddStringToObject(o, "Url", s->cloud->hybrid ? s->places.ews_url : "https://" OUTLOOK_HOST "/EWS/Exchange.asmx");
		reply_json(reply, 200, o);
	}
}

/* -- hosts ----------------------------------------------------------------------------------------------------------- */

static const struct { const char *host; void (*answer)(struct sandbox *, struct request *, struct reply *); } hosts[] = {
	{ ENTRA_HOST, answer_entra }, { GRAPH_HOST, answer_graph }, { OUTLOOK_HOST, answer_outlook }, { DEVICE_HOST, answer_device_page },
};

const char *cloud_host(size_t n)
{
	return n < COUNT(hosts) ? hosts[n].host : NULL;
}

bool cloud_answers(struct sandbox *s, struct request *r, struct reply *reply)
{
	for (size_t i = 0; s->cloud && i < COUNT(hosts); i++)
		if (strcmp(r->host, hosts[i].host) == 0) {
			hosts[i].answer(s, r, reply);
			return true;
		}
	return false;
}

/* That mail for this domain comes to the cloud, or where else it was ordered to go. */
static void name_domain(struct sandbox *s, const char *domain)
{
	const struct ordered *elsewhere = orders_at(&s->orders, domain, ORDER_MX), *imap = orders_at(&s->orders, domain, ORDER_IMAP);
	const char *mx = elsewhere ? elsewhere->value : NULL;
	char       *dashed = arena_str(s->own, domain);

	for (char *c = dashed; *c; c++)
		*c = *c == '.' ? '-' : *c;
	names_add(s->names, domain, RECORD_A, s->auto_address, 0, 0);
	names_add(s->names, domain, RECORD_MX, mx ? mx : arena_print(s->own, "%s.mail.protection.outlook.com", dashed), 10, 0);
	names_add(s->names, domain, RECORD_TXT, mx ? "v=spf1 mx -all" : "v=spf1 include:spf.protection.outlook.com -all", 0, 0);
	if (imap)
		names_add(s->names, arena_print(s->own, "_imaps._tcp.%s", domain), RECORD_SRV, imap->value, 0, 993);
	if (!mx)
		names_add(s->names, arena_print(s->own, "autodiscover.%s", domain), RECORD_CNAME, "autodiscover.outlook.com", 0, 0);
}

static const char *domain_of(const struct account *a)
{
	return strchr(a->mail, '@') + 1;
}

static bool is_first_of_domain(const struct sandbox *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcasecmp(domain_of(&s->accounts[i]), domain_of(&s->accounts[n])) == 0)
			return false;
	return true;
}

bool cloud_has_domain(const struct sandbox *s, const char *domain)
{
	size_t all = strlen(domain), end = strlen(s->cloud->domain);

	return all >= end && strcasecmp(domain + all - end, s->cloud->domain) == 0 && (all == end || domain[all - end - 1] == '.');
}

void cloud_names(struct sandbox *s)
{
	for (size_t i = 0; i < COUNT(hosts); i++)
		names_add(s->names, hosts[i].host, RECORD_A, s->cloud_address, 0, 0);
	if (s->cloud->hybrid)
		return;
	name_domain(s, s->cloud->domain);
	for (size_t i = 0; i < s->account_count; i++) {
		const char *domain = domain_of(&s->accounts[i]);

		if (is_first_of_domain(s, i) && cloud_has_domain(s, domain) && strcasecmp(domain, s->cloud->domain) != 0)
			name_domain(s, domain);
	}
}

bool cloud_certificate(struct sandbox *s, enum flaw flaw, struct error *err)
{
	static const char *const other[] = { "portal.example", "legacy.example" };
	const char *names[COUNT(hosts)];

	for (size_t i = 0; i < COUNT(hosts); i++)
		names[i] = hosts[i].host;
	return flaw == FLAW_WRONG_NAME ? certificate_make(s->authority, s->own, other, COUNT(other), flaw, &s->cloud_certificate, err)
	                               : certificate_make(s->authority, s->own, names, COUNT(names), flaw, &s->cloud_certificate, err);
}

/* -- what is told ---------------------------------------------------------------------------------------------------- */

static bool write_token(struct sandbox *s, size_t n, struct error *err)
{
	CLEANUP(arena) struct arena *work = arena_new();
	const char *path = arena_print(s->own, "%s/%s.token.json", s->folder, s->accounts[n].sam);
	int         fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	FILE       *f = fd >= 0 ? fdopen(fd, "w") : NULL;
	bool        fine = f && fprintf(f, "%s\n", grant_text(s, work, &s->accounts[n])) > 0;

	if (f && fclose(f) != 0)
		fine = false;
	if (!f)
		return fail(err, FAULT_LOCAL, "%s: %s", path, strerror(errno));
	s->places.token_file[n] = path;
	return fine || fail(err, FAULT_LOCAL, "%s: %s", path, strerror(errno));
}

/* Whoever is another part's has no token here. */
static bool is_ours(const struct sandbox *s, const struct account *a)
{
	return !(s->imap && imap_has(a->mail)) && (!s->cloud->apart || cloud_has_domain(s, domain_of(a)));
}

bool cloud_tell(struct sandbox *s, struct error *err)
{
	s->places.tenant = CLOUD_TENANT;
	s->places.client_id = CLOUD_CLIENT;
	s->places.client_secret = CLOUD_SECRET;
	for (size_t i = 0; i < s->places.addresses; i++)
		if (is_ours(s, &s->accounts[i]) && !write_token(s, i, err))
			return false;
	return true;
}

/* -- its life -------------------------------------------------------------------------------------------------------- */

struct cloud *cloud_new(struct sandbox *s, const struct sandbox_wishes *w, struct error *err)
{
	struct cloud *c = must_alloc(sizeof *c);

	curl_global_init(CURL_GLOBAL_DEFAULT);
	c->apart = w->persona && w->cloud_domain;
	c->hybrid = w->persona && !c->apart;
	c->domain = arena_str(s->own, w->cloud_domain ? w->cloud_domain : s->domain);
	if (cloud_keys(c, s->own, is_ordered(s, ORDER_ID_TOKEN), err))
		return c;
	cloud_free(c);
	return NULL;
}

void cloud_free(struct cloud *c)
{
	if (!c)
		return;
	notices_free(c->notices);
	tokens_free(c);
	EVP_PKEY_free(c->key);
	EVP_PKEY_free(c->other_key);
	free(c);
}
