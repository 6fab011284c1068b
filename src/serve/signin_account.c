#include "serve/signin_account.h"

#include <string.h>

#include "model/mailaddress.h"

/* "VERIFIER NONCE /connect/TOKEN DELEGATE PROVIDER"; the delegate may be empty. Of who left before there were several providers both may
 * be missing: that was Microsoft. */
bool signin_away_seal(const struct vault *vault, const char *id, const struct signin_away *a, struct arena *into, struct slice *sealed,
                      struct error *err)
{
	const char *plain = arena_print(into, "%s %s %s %s %s", a->verifier, a->nonce, a->path, a->delegate ? a->delegate : "", a->provider);

	return vault_seal(vault, arena_print(into, "%s/signin", id), slice_str(plain), into, sealed, err);
}

bool signin_away_open(const struct vault *vault, const struct signin_row *row, struct arena *into, struct signin_away *out,
                      struct error *err)
{
	struct slice plain, part[3], delegate;

	if (!vault_unseal(vault, arena_print(into, "%s/signin", row->id), row->sealed, into, &plain, err))
		return false;
	for (size_t i = 0; i < COUNT(part); i++) {
		part[i] = slice_cut(&plain, ' ');
		if (!part[i].len)
			return fail(err, FAULT_BROKEN, "no way back");
	}
	delegate = slice_cut(&plain, ' ');
	*out = (struct signin_away){ arena_copy(into, part[0]), arena_copy(into, part[1]), arena_copy(into, part[2]),
		delegate.len ? arena_copy(into, delegate) : NULL, plain.len ? arena_copy(into, plain) : "microsoft" };
	return true;
}

bool signin_goes_on(const struct account *a)
{
	static const enum account_state states[] = {
		ACCOUNT_CONNECTED, ACCOUNT_DEGRADED, ACCOUNT_WAITING, ACCOUNT_CONNECTING, ACCOUNT_PAUSED,
	};

	for (size_t i = 0; i < COUNT(states); i++)
		if (a->state == states[i])
			return true;
	return false;
}

void account_begin_again(struct account *a, int64_t now)
{
	a->state = ACCOUNT_CONNECTING;
	a->state_since = now;
	a->next_try = 0;
	a->failures = 0;
	a->cause = a->certainty = a->who = a->incident = a->place = NULL;
}

enum rights signin_rights(const char *provider, enum rights usual, const char *of_link, const struct account *has)
{
	enum rights rights = usual;

	if (has && strcmp(has->provider, provider) == 0)
		rights = account_terms(has).rights;
	rights_find(of_link, &rights);
	return rights;
}

struct account signin_account(const struct account *has, const char *provider, const char *workspace, const char *address, const char *lang,
                              enum rights rights, int64_t now, struct arena *into)
{
	struct account      a = has ? *has : (struct account){ .created = now };
	struct mail_address parsed;
	const char         *problem;

	if (!has && mail_address_parse(address, into, &parsed, &problem)) {
		a.id = new_id(into, "acc");
		a.workspace = workspace;
		a.address = parsed.text;
		a.key = mail_address_key(&parsed, into);
	}
	/* who signs in for a shared mailbox stays that; any other name was that of a password */
	if (has && strcmp(has->provider, provider) != 0)
		a.username = NULL;
	if (has)
		account_by_provider(&a, provider);
	a.provider = provider;
	a.rights = rights_name(rights);
	a.tenant = false;
	a.lang = lang;
	a.ews_url = NULL;
	memset(a.host, 0, sizeof a.host);
	memset(a.port, 0, sizeof a.port);
	account_begin_again(&a, now);
	return a;
}

void signin_judge(struct account *a, const struct verdict *verdict, const char *report, int64_t now)
{
	struct outcome o;

	outcome_of(verdict, a, false, 0, now, &o);
	a->state = o.state == ACCOUNT_NEEDS_ADMIN ? ACCOUNT_NEEDS_ADMIN : ACCOUNT_NEEDS_USER;
	a->next_try = NEVER;
	a->failures = 0;
	a->cause = o.cause ? cause_row(o.cause)->id : NULL;
	a->certainty = o.cause ? certainty_name(o.certainty) : NULL;
	a->who = who_name(o.who);
	a->report = report;
	a->report_at = now;
}

/* -- nobody has to touch anything --------------------------------------------------------------------------------- */

static bool is_silent_kind(const struct account *a)
{
	static const char *const causes[] = {
		"microsoft.admin_consent_recorded", "microsoft.admin_approval_required", "microsoft.admin_approval_pending",
		"microsoft.user_not_assigned", "microsoft.conditional_access", "microsoft.app_not_allowed",
	};

	if (a->state != ACCOUNT_NEEDS_USER || !a->cause || strcmp(a->provider, "microsoft") != 0)
		return false;
	for (size_t i = 0; i < COUNT(causes); i++)
		if (strcmp(a->cause, causes[i]) == 0)
			return true;
	return false;
}

bool signin_may_be_silent(const struct account *a)
{
	return a->failures < SILENT_MOST && is_silent_kind(a);
}

bool signin_was_silent(const struct account *a)
{
	return a->failures && is_silent_kind(a);
}

int64_t signin_silent_from(const struct account *a)
{
	return a->failures ? a->state_since + SILENT_AGAIN_MS : 0;
}

static bool is_among(const char *const *known, size_t count, const char *text)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(known[i], text) == 0)
			return true;
	return false;
}

/* By the number where there is one: the same error carries many of them (facts M A.8, E.2 11). */
enum silent_end signin_silent_end(const struct oauth_callback *c)
{
	static const char *const early[] = { "65001", "650051", "7000229", "90094" };
	static const char *const nobody[] = { "50058", "16000", "16001", "16002", "50140", "50199", "700020" };
	static const char *const bare[] = { "login_required", "interaction_required", "account_selection_required" };

	for (size_t i = 0; i < c->numbers; i++) {
		if (is_among(early, COUNT(early), c->number[i]))
			return SILENT_TOO_EARLY;
		if (is_among(nobody, COUNT(nobody), c->number[i]))
			return SILENT_NEEDS_PERSON;
	}
	if (c->numbers || !c->error)
		return SILENT_JUDGED;
	if (strcmp(c->error, "consent_required") == 0)
		return SILENT_TOO_EARLY;
	return is_among(bare, COUNT(bare), c->error) ? SILENT_NEEDS_PERSON : SILENT_JUDGED;
}
