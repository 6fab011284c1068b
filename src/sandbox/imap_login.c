/* Who signs in, by IMAP or by SMTP, and what is said at which point of a conversation when something is ordered. */
#include <stdlib.h>
#include <strings.h>

#include "base/clock.h"
#include "base/json.h"
#include "sandbox/google.h"
#include "sandbox/imap.h"
#include "sandbox/text.h"

const char *words_ordered(struct imap_caller *c, enum stage stage)
{
	struct orders *all = &c->imap->sandbox->orders;

	for (size_t i = 0; i < all->count; i++) {
		struct ordered *o = &all->list[i];

		if (o->row->order != ORDER_WORDS || o->row->number != (int)stage || !orders_in_force(all, o))
			continue;
		if (o->left > 0 && --o->left == 0)
			o->spent = true;
		return o->value ? o->value : o->row->what;
	}
	return NULL;
}

/* -- credentials -------------------------------------------------------------------------------------------------- */

/* [authzid] NUL user NUL password (RFC 4616); for whom is not asked for. */
bool plain_read(struct arena *arena, struct slice base64, struct credentials *out)
{
	struct slice all, user;

	*out = (struct credentials){ 0 };
	if (!base64_read(arena, base64, &all))
		return false;
	slice_cut(&all, '\0');
	if (!all.at)
		return false;
	user = slice_cut(&all, '\0');
	if (!all.at || memchr(all.at, '\0', all.len))
		return false;
	out->user = arena_copy(arena, user);
	out->password = arena_copy(arena, all);
	return true;
}

/* user=… ^A auth=Bearer … ^A ^A (facts B.6) */
bool xoauth2_read(struct arena *arena, struct slice base64, struct credentials *out)
{
	struct slice all;

	*out = (struct credentials){ 0 };
	if (!base64_read(arena, base64, &all))
		return false;
	while (all.len) {
		struct slice field = slice_cut(&all, '\1');

		if (slice_starts(field, "user="))
			out->user = arena_copy(arena, slice_from(field, 5));
		else if (slice_starts(field, "auth=Bearer "))
			out->token = arena_copy(arena, slice_from(field, 12));
	}
	return out->user && out->token;
}

/* -- whose -------------------------------------------------------------------------------------------------------- */

static bool is_of(const struct account *a, const char *domain)
{
	const char *at = strchr(a->mail, '@');

	return at && strcasecmp(at + 1, domain) == 0;
}

struct account *account_by_login(struct imap_caller *c, const char *user)
{
	struct sandbox *s = c->imap->sandbox;
	struct account *a = strchr(user, '@') ? account_by_mail(s, user) : NULL;

	for (size_t i = 0; !a && i < s->account_count; i++)
		if (is_of(&s->accounts[i], c->host->domain) && strcasecmp(s->accounts[i].sam, user) == 0)
			a = &s->accounts[i];
	orders_serve(&s->orders, a ? a->mail : NULL);
	return a;
}

/* In which form the name is taken: an order says, or the host has its own. */
static bool form_is_taken(struct imap_caller *c, const char *user)
{
	const struct ordered *o = orders_has(&c->imap->sandbox->orders, ORDER_NAMES);
	bool                  whole = strchr(user, '@') != NULL;

	if (!o)
		return whole || c->host->dialect->local_user;
	return slice_has(slice_str(o->value), whole ? "mail" : "bare");
}

/* Of Google's that are good for somebody, whoever asks; NULL: none. */
static const struct gtoken *google_token(struct sandbox *s, const char *text)
{
	const struct gtoken *t = s->google ? gtoken_find(s->google, GTOKEN_ACCESS, text) : NULL;

	return t && !t->revoked && (!t->expires || t->expires > now_s()) ? t : NULL;
}

static bool token_is_good(struct sandbox *s, const struct account *a, const char *text)
{
	const struct token  *t = s->cloud ? token_find(s->cloud, TOKEN_ACCESS, text) : NULL;
	const struct gtoken *g = google_token(s, text);

	return (t && t->account == a && t->expires > now_s()) || (g && g->account == a && gscope_has(g->scope, GSCOPE_MAIL));
}

const char *token_refusal(struct imap_caller *c, const char *token)
{
	const struct gtoken *g = google_token(c->imap->sandbox, token);

	/* facts B.6: 401 is a bad token, 403 one that lacks the permission */
	if (g && !gscope_has(g->scope, GSCOPE_MAIL))
		return "{\"status\":\"403\",\"schemes\":\"bearer mac\",\"scope\":\"" GSCOPE_MAIL "\"}";
	return c->host->dialect->token_refusal;
}

struct account *let_in(struct imap_caller *c, const struct credentials *by)
{
	struct sandbox *s = c->imap->sandbox;
	struct account *a = account_by_login(c, by->user);
	bool            fine = a && a->mailbox && form_is_taken(c, by->user) && !orders_take(&s->orders, ORDER_REFUSE);

	fine = fine && (by->token ? token_is_good(s, a, by->token) : strcmp(by->password, a->password) == 0);
	if (fine)
		s->counts.accepted++;
	else
		s->counts.refused++;
	log_talk(c, "login", fine ? "accepted" : "refused");
	return fine ? a : NULL;
}

/* -- the log ------------------------------------------------------------------------------------------------------ */

void log_talk(struct imap_caller *c, const char *what, const char *login)
{
	struct sandbox *s = c->imap->sandbox;
	cJSON          *o;
	char           *line;

	s->counts.requests++;
	if (!s->log)
		return;
	o = cJSON_CreateObject();
	cJSON_AddNumberToObject(o, "unix_ms", (double)clock_unix_ms());
	cJSON_AddStringToObject(o, "client", c->client);
	cJSON_AddStringToObject(o, "host", c->host->name[c->door >= DOOR_SUBMISSIONS]);
	cJSON_AddBoolToObject(o, "tls", c->line.tls != NULL);
	cJSON_AddStringToObject(o, "protocol", c->door >= DOOR_SUBMISSIONS ? "smtp" : "imap");
	cJSON_AddStringToObject(o, "operation", what);
	if (c->account)
		cJSON_AddStringToObject(o, "user", c->account->mail);
	cJSON_AddStringToObject(o, "login", login);
	line = cJSON_PrintUnformatted(o);
	fprintf(s->log, "%s\n", line);
	fflush(s->log);
	cJSON_free(line);
	cJSON_Delete(o);
}
