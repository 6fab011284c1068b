/* Mailboxes that Gmail tells of by Cloud Pub/Sub, and the subscription that pushes what is told (facts G B.3): to one place, by a service
 * account of the project's own. One subscription, of all topics. */
#include <stdlib.h>

#include "base/random.h"
#include "sandbox/gapi.h"
#include "sandbox/letters.h"

#define WATCH_DAYS   7
#define TOPICS       "projects/" GOOGLE_PROJECT "/topics/"
#define SUBSCRIPTION "projects/" GOOGLE_PROJECT "/subscriptions/mailmoor"
#define PUSHER_ID    "113774264463038321964"
#define TOKEN_LIFE   3600
#define LATE         7200      /* so long ago a token ran out that is late */

/* -- the token ------------------------------------------------------------------------------------------------------------- */

/* What was ordered to be wrong with it: "audience", "account", "expired", "issuer", "signature", "unverified"; "none": there is none. */
static bool is_wrong(const char *ordered, const char *what)
{
	return ordered && strcmp(ordered, what) == 0;
}

static cJSON *claims_of(const struct google *g, const char *wrong)
{
	cJSON  *o = cJSON_CreateObject();
	int64_t at = now_s() - (is_wrong(wrong, "expired") ? LATE : 0);

	cJSON_AddStringToObject(o, "aud", is_wrong(wrong, "audience") ? "https://elsewhere.example/hooks/google" : g->push_to);
	cJSON_AddStringToObject(o, "azp", PUSHER_ID);
	cJSON_AddStringToObject(o, "email", is_wrong(wrong, "account") ? GOOGLE_SERVICE : GOOGLE_PUSHER);
	cJSON_AddBoolToObject(o, "email_verified", !is_wrong(wrong, "unverified"));
	cJSON_AddNumberToObject(o, "exp", (double)(at + TOKEN_LIFE));
	cJSON_AddNumberToObject(o, "iat", (double)at);
	cJSON_AddStringToObject(o, "iss", is_wrong(wrong, "issuer") ? "https://accounts.example" : "https://" GACCOUNTS_HOST);
	cJSON_AddStringToObject(o, "sub", PUSHER_ID);
	return o;
}

/* NULL: none goes with it. */
static const char *authorization_of(struct sandbox *s, struct arena *work)
{
	struct google  *g = s->google;
	struct ordered *o = orders_take(&s->orders, ORDER_PUSH_TOKEN);
	const char     *wrong = o ? o->value : NULL, *token;
	cJSON          *claims;

	if (is_wrong(wrong, "none"))
		return NULL;
	claims = claims_of(g, wrong);
	token = jwt_of(work, is_wrong(wrong, "signature") ? g->service_key : g->key, "RS256", g->key_id, claims);
	cJSON_Delete(claims);
	return arena_print(work, "Authorization: Bearer %s", token);
}

/* -- what is pushed -------------------------------------------------------------------------------------------------------- */

static const char *letter_of(struct arena *work, const char *mail, uint64_t history)
{
	const char *told = arena_print(work, "{\"emailAddress\":\"%s\",\"historyId\":%llu}", mail, (unsigned long long)history);
	cJSON      *o = cJSON_CreateObject(), *message = cJSON_AddObjectToObject(o, "message");
	char       *text;
	const char *copy;

	cJSON_AddStringToObject(message, "data", gmail_base64(work, slice_str(told)));
	cJSON_AddStringToObject(message, "messageId", gapi_text(work, history + 2070443601311540));
	cJSON_AddStringToObject(message, "publishTime", moment(work, now_s()));
	cJSON_AddStringToObject(o, "subscription", SUBSCRIPTION);
	text = cJSON_PrintUnformatted(o);
	copy = arena_str(work, text);
	cJSON_free(text);
	cJSON_Delete(o);
	return copy;
}

static void push(struct sandbox *s, const struct account *a, uint64_t history)
{
	struct google *g = s->google;
	struct arena  *work = arena_new();

	if (!g->letters)
		g->letters = letters_new(s);
	if (g->letters)
		letters_send(g->letters, g->push_to, authorization_of(s, work), letter_of(work, a->mail, history));
	arena_free(work);
}

void gmail_tell(struct sandbox *s, const struct mailbox *m, uint64_t history)
{
	for (size_t i = 0; s->google->push_to && i < s->account_count; i++)
		if (s->accounts[i].mailbox == m && s->google->watched[i] > now_s() && !orders_take(&s->orders, ORDER_NO_NOTICES))
			push(s, &s->accounts[i], history);
}

/* -- asked for ------------------------------------------------------------------------------------------------------------- */

void gmail_watch(struct gapi_ask *a)
{
	struct google *g = a->sandbox->google;
	cJSON         *given = gapi_body(a), *o;
	const char    *topic = json_text(given, "topicName"), *life = ordered_value(a->sandbox, ORDER_SUBSCRIPTION_LIFE);

	if (given && (!topic || strncmp(topic, TOPICS, sizeof TOPICS - 1) != 0)) {
		gapi_refuse(a, "invalidArgument", "Invalid topicName does not match " TOPICS "*");
	} else if (given) {
		int64_t until = now_s() + (life ? strtol(life, NULL, 10) : WATCH_DAYS * 86400);

		g->watched[account_number(a->sandbox, a->account)] = until;
		o = cJSON_CreateObject();
		cJSON_AddStringToObject(o, "historyId", gapi_text(a->work, g->history_id));
		cJSON_AddStringToObject(o, "expiration", gapi_text(a->work, (unsigned long long)until * 1000));
		gapi_give(a, o);
	}
	cJSON_Delete(given);
}

void gmail_stop(struct gapi_ask *a)
{
	a->sandbox->google->watched[account_number(a->sandbox, a->account)] = 0;
	a->status = 204;
}
