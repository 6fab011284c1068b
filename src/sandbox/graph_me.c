/* Who it is. */
#include "sandbox/graph.h"

#define MADE_UP "outlook_0123456789ABCDEF@outlook.com"      /* what a foreign primary alias is sent as (facts M B.8) */

static void add_words(cJSON *o, const char *name, const char *const words[], int count)
{
	cJSON_AddItemToObject(o, name, cJSON_CreateStringArray(words, count));
}

/* "none": not one of Exchange. */
static void add_plans(struct msgraph_ask *a, cJSON *o)
{
	const char *ordered = ordered_value(a->sandbox, ORDER_PLAN);
	bool        none = ordered ? strcmp(ordered, "none") == 0 : a->sandbox->cloud->hybrid || !a->account->mailbox;
	cJSON      *list = cJSON_AddArrayToObject(o, "assignedPlans"), *one;

	for (int i = none ? 1 : 0; i < 2; i++) {
		one = cJSON_CreateObject();
		cJSON_AddStringToObject(one, "assignedDateTime", "2026-01-10T08:00:00Z");
		cJSON_AddStringToObject(one, "capabilityStatus", i == 0 && ordered ? ordered : "Enabled");
		cJSON_AddStringToObject(one, "service", i == 0 ? "exchange" : "AADPremiumService");
		cJSON_AddStringToObject(one, "servicePlanId", i == 0 ? "efb87545-963c-4e0d-99df-69c6916d9eb0" : "41781fb2-bc02-4b7c-bd55-b576c07bb09d");
		cJSON_AddItemToArray(list, one);
	}
}

static void add_addresses(struct msgraph_ask *a, cJSON *o)
{
	const char *const proxies[] = { arena_print(a->work, "SMTP:%s", a->account->mail), arena_print(a->work, "smtp:%s", a->account->alias) };

	add_words(o, "proxyAddresses", proxies, COUNT(proxies));
	cJSON_AddArrayToObject(o, "otherMails");
}

static const char *mail_of(const struct msgraph_ask *a)
{
	return is_ordered(a->sandbox, ORDER_MADE_UP) ? MADE_UP : a->account->mail;
}

/* A personal account's id has sixteen digits. */
static const char *id_of(struct msgraph_ask *a)
{
	const char *oid = account_oid(a->sandbox, a->work, a->account);

	return is_ordered(a->sandbox, ORDER_PERSONAL) ? arena_print(a->work, "%.4s%s", oid + 19, oid + 24) : oid;
}

static void add_directory(struct msgraph_ask *a, cJSON *o)
{
	if (is_ordered(a->sandbox, ORDER_PERSONAL))
		return;
	add_addresses(a, o);
	add_plans(a, o);
	cJSON_AddStringToObject(o, "mailNickname", a->account->sam);
	cJSON_AddStringToObject(o, "userType", is_ordered(a->sandbox, ORDER_GUEST) ? "Guest" : "Member");
	if (a->sandbox->cloud->hybrid || is_ordered(a->sandbox, ORDER_SYNCED))
		cJSON_AddTrueToObject(o, "onPremisesSyncEnabled");
	else
		cJSON_AddNullToObject(o, "onPremisesSyncEnabled");
}

void msgraph_get_me(struct msgraph_ask *a)
{
	const char *usual = "businessPhones,displayName,givenName,jobTitle,mail,mobilePhone,officeLocation,preferredLanguage,surname,userPrincipalName,id";
	const char *select = form_get(&a->query, "$select");
	cJSON      *o = cJSON_CreateObject();

	cJSON_AddStringToObject(o, "@odata.context", GRAPH_ROOT "/$metadata#users/$entity");
	cJSON_AddStringToObject(o, "id", id_of(a));
	cJSON_AddStringToObject(o, "displayName", a->account->display);
	cJSON_AddStringToObject(o, "givenName", a->account->sam);
	cJSON_AddNullToObject(o, "surname");
	cJSON_AddNullToObject(o, "jobTitle");
	cJSON_AddStringToObject(o, "mail", mail_of(a));
	cJSON_AddStringToObject(o, "userPrincipalName", account_upn(a->sandbox, a->work, a->account));
	add_directory(a, o);
	msgraph_give(a, 200, msgraph_selected(a, o, select ? select : usual));
}

void msgraph_get_settings(struct msgraph_ask *a)
{
	cJSON *o = cJSON_CreateObject();

	cJSON_AddStringToObject(o, "timeZone", "W. Europe Standard Time");
	cJSON_AddStringToObject(o, "userPurpose", a->account->delegate ? "shared" : "user");
	msgraph_give(a, 200, o);
}

void msgraph_userinfo(struct msgraph_ask *a)
{
	struct account *account = a->token->account;
	cJSON          *o = cJSON_CreateObject();

	if (account) {
		cJSON_AddStringToObject(o, "sub", sha256_base64url(a->work, arena_print(a->work, CLOUD_CLIENT "%s", account->mail)));
		cJSON_AddStringToObject(o, "name", account->display);
		cJSON_AddStringToObject(o, "email", account->mail);
	}
	msgraph_give(a, 200, o);
}
