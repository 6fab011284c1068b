#include "diagnose/diagnose.h"

#include <stdio.h>

#include "model/endpoint.h"

const char *verdict_name(enum verdict_kind kind)
{
	static const char *const name[] = { "connected", "failed", "partial", "unfinished", "explained" };

	return name[kind];
}

/* -- rules -------------------------------------------------------------------------------------------------------- */

static bool is_probe(const struct step *s)
{
	return strncmp(s->id, "probe.", 6) == 0;
}

/* The step that a finding is about is the one that failed, not one that only cleared it up or says where it was. */
static bool is_where(const struct report *r, const struct fact *f)
{
	return strcmp(f->name, FACT_SERVER_FAMILY) != 0 && strcmp(f->name, FACT_SOURCE) != 0 && !is_probe(&r->step[f->step]);
}

static bool holds(const struct rule *r, const struct scope *s, struct finding *out)
{
	*out = (struct finding){ .cause = r->cause, .certainty = r->certainty, .rule = r, .step = -1, .attempt = s->attempt,
	                         .who = r->who ? (enum who)r->who : cause_row(r->cause)->who };
	for (size_t i = 0; i < CONDITIONS && r->when[i].fact; i++) {
		const struct fact *f = scope_match(s, &r->when[i]);

		if (!f)
			return false;
		if (*f->name && out->proofs < PROOFS)
			out->proof[out->proofs++] = *f;
		if (*f->name && is_where(s->report, f))
			out->step = f->step;
	}
	if (out->step < 0 && out->proofs)
		out->step = out->proof[0].step;
	return true;
}

static const struct rule_table *const tables[] = {
	&rules_address, &rules_network, &rules_tls, &rules_google, &rules_microsoft, &rules_exchange, &rules_caldav, &rules_replies,
	&rules_sending,
};

/* Nobody ever said that this domain's mail is at a place that we only guessed: what is wrong there may be nobody's mistake. */
static void temper(const struct scope *s, struct finding *f)
{
	static const char *const guesses[] = { "guess", "mx_autoconfig", "autoconfig_http" };
	const char *source = scope_value(s, "resolve", FACT_SOURCE);

	for (size_t i = 0; source && i < COUNT(guesses); i++)
		if (strcmp(source, guesses[i]) == 0 && f->certainty == PROVEN)
			f->certainty = LIKELY;
}

/* The first rule that holds, from `*table` and `*row` on, which move behind it. */
static bool first_rule(const struct scope *s, size_t *table, size_t *row, struct finding *out)
{
	for (; *table < COUNT(tables); ++*table, *row = 0)
		for (; *row < tables[*table]->count; ++*row)
			if (holds(&tables[*table]->rule[*row], s, out)) {
				++*row;
				temper(s, out);
				return true;
			}
	return false;
}

static bool names(const struct verdict *v, enum cause cause)
{
	for (size_t i = 0; i < v->findings; i++)
		if (v->finding[i].cause == cause)
			return true;
	return false;
}

static void add(struct verdict *v, const struct finding *f)
{
	if (v->findings < FINDINGS && !names(v, f->cause))
		v->finding[v->findings++] = *f;
}

/* What nobody's rule knows is shown as it is, never pressed into a cause that is near (CAUSES: unknown.answer). */
static void unknown(const struct report *r, int attempt, int step, struct finding *out)
{
	*out = (struct finding){ .cause = CAUSE_UNKNOWN_ANSWER, .certainty = PROVEN, .who = WHO_OPERATOR, .attempt = attempt,
	                         .step = step };
	for (size_t i = 0; i < r->fact_count && out->proofs < PROOFS; i++)
		if (r->fact[i].step == step)
			out->proof[out->proofs++] = r->fact[i];
}

/* -- attempts ----------------------------------------------------------------------------------------------------- */

static int failed_step(const struct report *r, int attempt)
{
	for (size_t i = 0; i < r->step_count; i++)
		if (r->step[i].attempt == attempt && r->step[i].state == STEP_FAILED && !is_probe(&r->step[i]))
			return (int)i;
	return -1;
}

static bool passed(const struct report *r, const char *id, int attempt)
{
	int step = attempt >= 0 ? report_find(r, id, attempt) : -1;

	return step >= 0 && r->step[step].state == STEP_PASSED;
}

/* It sent us on to another host of the calendars. */
static bool led_on(const struct report *r, int attempt)
{
	for (size_t i = 0; i < r->fact_count; i++)
		if (r->step[r->fact[i].step].attempt == attempt && strcmp(r->fact[i].name, FACT_CALDAV_LEADS) == 0)
			return true;
	return false;
}

/* Autodiscover, or a calendar server that names another, did what it is for: what counts is what came of the place that it named. */
static bool only_showed_the_way(const struct report *r, int attempt)
{
	if (led_on(r, attempt))
		for (int a = attempt + 1; a < r->attempts; a++)
			if (report_find(r, "caldav.resolve", a) >= 0)
				return true;
	return attempt < r->attempts - 1 && passed(r, "exchange.autodiscover", attempt);
}

/* Of the attempts at one service the one that came furthest. Of equals the first, since candidates are tried best first; at Exchange the
 * last, since behind the URL that was typed comes the one that was meant: where neither will do, to advise that one would be wrong. */
static int best_attempt(const struct report *r, enum service service, const char *resolve_id)
{
	int best = -1, best_passed = -1;

	for (int a = 0; a < r->attempts; a++) {
		int steps = 0;

		if (report_find(r, resolve_id, a) < 0 || only_showed_the_way(r, a))
			continue;
		for (size_t i = 0; i < r->step_count; i++)
			steps += r->step[i].attempt == a && r->step[i].state == STEP_PASSED && !is_probe(&r->step[i]);
		if (steps > best_passed || (steps == best_passed && service == SERVICE_WEB))
			best = a, best_passed = steps;
	}
	return best;
}

int diagnose_best_attempt(const struct report *r, enum service service)
{
	static const char *const resolve[] = { [SERVICE_IMAP] = "imap.resolve", [SERVICE_SMTP] = "smtp.resolve", [SERVICE_WEB] = "exchange.resolve" };

	if (service == SERVICE_WEB && r->provider && strcmp(r->provider, "microsoft") == 0)
		return best_attempt(r, service, "entra.grant");
	if (service == SERVICE_WEB && r->provider && strcmp(r->provider, "google") == 0)
		return best_attempt(r, service, "google.grant");
	if (service == SERVICE_WEB && r->provider && strcmp(r->provider, "caldav") == 0)
		return best_attempt(r, service, "caldav.resolve");
	return best_attempt(r, service, resolve[service]);
}

enum standing { ABSENT, FAILED, WAITING, CALLED_OFF, FINE };

/* Somebody pressed Ctrl-C: nothing failed, and nothing was finished. */
static bool was_called_off(const struct report *r, int attempt)
{
	for (size_t i = 0; i < r->step_count; i++)
		if (r->step[i].attempt == attempt && r->step[i].skip && strcmp(r->step[i].skip, "called_off") == 0)
			return true;
	return false;
}

static enum standing standing_of(const struct report *r, int attempt, const char *login_id, const char *last_id)
{
	int login = attempt < 0 ? -1 : report_find(r, login_id, attempt);

	if (attempt < 0)
		return ABSENT;
	if (failed_step(r, attempt) >= 0)
		return FAILED;
	if (was_called_off(r, attempt))
		return CALLED_OFF;
	if (login >= 0 && r->step[login].state == STEP_SKIPPED)
		return WAITING;
	return passed(r, last_id, attempt) ? FINE : FAILED;
}

bool diagnose_attempt(const struct report *r, int attempt, struct finding *out)
{
	struct scope scope;
	size_t       table = 0, row = 0;
	int          step = failed_step(r, attempt);

	scope_init(&scope, r, attempt);
	if (first_rule(&scope, &table, &row, out))
		return true;
	if (step >= 0)
		unknown(r, attempt, step, out);
	return step >= 0;
}

/* -- what is left open, what is ruled out ------------------------------------------------------------------------- */

static bool is_excluded(const struct verdict *v, enum cause cause)
{
	for (size_t i = 0; i < v->exclusions; i++)
		if (v->exclusion[i].cause == cause)
			return true;
	return false;
}

/* An exclusion must not contradict the verdict or what its rule leaves open. */
static void exclude(struct verdict *v, const struct scope *s)
{
	for (size_t i = 0; i < exclusion_rule_count; i++) {
		const struct exclusion_rule *x = &exclusion_rules[i];
		const struct fact           *f = scope_match(s, &x->when);

		for (size_t c = 0; f && c < COUNT(x->cause) && x->cause[c]; c++)
			if (v->exclusions < EXCLUSIONS && !names(v, x->cause[c]) && !is_excluded(v, x->cause[c]))
				v->exclusion[v->exclusions++] = (struct exclusion){ x->cause[c], *f };
	}
}

static void leave_open(struct verdict *v, const struct finding *first, enum certainty at_most)
{
	for (size_t i = 0; first->rule && i < LEFT_OPEN && first->rule->open[i]; i++) {
		struct finding f = { .cause = first->rule->open[i], .certainty = at_most, .who = cause_row(first->rule->open[i])->who,
		                     .attempt = first->attempt, .step = first->step };

		for (size_t p = 0; p < first->proofs; p++)
			f.proof[f.proofs++] = first->proof[p];
		add(v, &f);
	}
}

/* The verdict on one scope: the first rule, what it leaves open, and what other rules would say of the same facts. */
static void judge(struct verdict *v, const struct scope *s, const struct finding *unmatched)
{
	struct finding first, other;
	size_t         table = 0, row = 0;

	if (!first_rule(s, &table, &row, &first)) {
		if (unmatched)
			add(v, unmatched);
		return;
	}
	add(v, &first);
	leave_open(v, &first, POSSIBLE);
	if (first.certainty < PROVEN)
		while (first_rule(s, &table, &row, &other)) {
			if (other.certainty > POSSIBLE)
				other.certainty = POSSIBLE;
			add(v, &other);
		}
	exclude(v, s);
}

static void judge_attempt(struct verdict *v, const struct report *r, int attempt)
{
	struct scope   scope;
	struct finding raw;
	int            step = failed_step(r, attempt);

	scope_init(&scope, r, attempt);
	unknown(r, attempt, step, &raw);
	judge(v, &scope, step >= 0 ? &raw : NULL);
}

/* -- needs -------------------------------------------------------------------------------------------------------- */

static void need(struct verdict *v, const char *kind, const char *value)
{
	for (size_t i = 0; i < v->needs; i++)
		if (strcmp(v->need[i].kind, kind) == 0 && strcmp(v->need[i].value, value) == 0)
			return;
	if (v->needs < NEEDS)
		v->need[v->needs++] = (struct need){ kind, value };
}

static void need_of(struct verdict *v, const struct report *r, int attempt, const char *login_id)
{
	int         login = attempt < 0 ? -1 : report_find(r, login_id, attempt);
	const char *skip = login >= 0 ? r->step[login].skip : NULL;
	int         resolve = -1;

	if (!skip || r->step[login].state != STEP_SKIPPED)
		return;
	for (size_t i = 0; i < r->step_count && resolve < 0; i++)
		if (r->step[i].attempt == attempt)
			resolve = (int)i;
	if (strcmp(report_value(r, resolve, FACT_TRUSTED) ? report_value(r, resolve, FACT_TRUSTED) : "no", "no") == 0) {
		const char *host = report_value(r, resolve, FACT_HOST), *port = report_value(r, resolve, FACT_PORT);

		if (host && port)
			need(v, "confirm_host", arena_print(r->job, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port));
	}
	if (strcmp(skip, "no_credentials") == 0 && strcmp(login_id, "microsoft.account") == 0)
		need(v, "sign_in", "microsoft");
	else if (strcmp(skip, "no_credentials") == 0 && strcmp(login_id, "google.account") == 0)
		need(v, "sign_in", "google");
	else if (strcmp(skip, "no_credentials") == 0)
		need(v, "password", "");
}

/* -- the whole ---------------------------------------------------------------------------------------------------- */

static void not_excluded(struct verdict *v, enum cause cause)
{
	for (size_t i = 0; i < v->exclusions; i++)
		if (v->exclusion[i].cause == cause)
			v->exclusion[i] = v->exclusion[--v->exclusions];
}

static void repaired(struct verdict *v, const struct report *r, int attempt, const char *login_id)
{
	int            login = attempt >= 0 ? report_find(r, login_id, attempt) : -1;
	struct finding f = { .cause = CAUSE_AUTH_USERNAME_FORM, .certainty = PROVEN, .who = WHO_USER, .repaired = true,
	                     .attempt = attempt, .step = login };

	for (size_t i = 0; login >= 0 && i < r->fact_count; i++)
		if (r->fact[i].step == login && strcmp(r->fact[i].name, FACT_WORKED_AS) == 0) {
			f.proof[f.proofs++] = r->fact[i];
			add(v, &f);
			not_excluded(v, f.cause);
			return;
		}
}

/* Nothing was tried: the address, the name service or another provider is the reason. */
static void judge_nothing_tried(struct verdict *v, const struct report *r)
{
	struct scope scope;
	const char  *provider;

	scope_init(&scope, r, NO_ATTEMPT);
	judge(v, &scope, NULL);
	provider = scope_value(&scope, "dns.mx", FACT_PROVIDER);
	if (v->findings) {
		v->kind = VERDICT_FAILED;
		return;
	}
	v->kind = VERDICT_UNFINISHED;
	if (provider && (strcmp(provider, "microsoft") == 0 || strcmp(provider, "google") == 0))
		need(v, "sign_in", provider);
	else
		need(v, "confirm_host", "imap");
}

/* The domain itself says that it takes no mail from its users. */
static bool sending_is_not_offered(struct verdict *v, const struct report *r)
{
	static const struct rule rule = { CAUSE_DNS_SERVICE_NOT_OFFERED, PROVEN, 0, { { "detect", FACT_NOT_OFFERED, STARTS, "_submission" } }, { 0 }, "G F.3" };
	struct scope   scope;
	struct finding f;

	scope_init(&scope, r, NO_ATTEMPT);
	if (!holds(&rule, &scope, &f))
		return false;
	add(v, &f);
	return true;
}

/* -- mailboxes behind a web service ------------------------------------------------------------------------------- */

/* Its steps: where the sign-in is judged, which came last when all is well, what mail needs to be read, and what may fail beside that. */
static const struct web_mail {
	const char *provider, *login, *inbox, *last, *needed[4], *rest[12];
} web_mails[] = {
	{ "exchange", "exchange.login", "exchange.inbox", "exchange.calendar", { "exchange.inbox", "exchange.mailbox", "exchange.folders" },
	  { "exchange.calendar", "exchange.calendar_event", "exchange.send", "send.arrive", "send.bounce" } },
	{ "microsoft", "microsoft.account", "microsoft.inbox", "microsoft.calendar", { "microsoft.account", "microsoft.inbox", "microsoft.folders" },
	  { "entra.scopes", "microsoft.sender", "microsoft.calendar", "microsoft.calendar_event", "microsoft.send", "send.arrive", "send.bounce" } },
	{ "google", "google.account", "google.mailbox", "google.calendar", { "google.mailbox", "google.account", "google.labels" },
	  { "google.scopes", "google.sender", "google.calendar.resolve", "google.calendar.connect", "google.calendar.tls", "google.calendar",
	    "google.calendar_event", "google.send", "send.arrive", "send.bounce" } },
	{ "caldav", "caldav.login", "caldav.calendars", "caldav.calendars",
	  { "caldav.login", "caldav.principal", "caldav.calendars" }, { "caldav.rights", "caldav.event", "caldav.changes", "caldav.remove" } },
};

static const struct web_mail *web_mail_of(const struct report *r)
{
	for (size_t i = 0; r->provider && i < COUNT(web_mails); i++)
		if (strcmp(r->provider, web_mails[i].provider) == 0)
			return &web_mails[i];
	return NULL;
}

/* Another URL than the one that was given is where EWS is: what was wrong with that one. */
static void repaired_url(struct verdict *v, const struct report *r, int stands)
{
	struct finding f;

	for (int a = 0; a < stands; a++) {
		int offer = report_find(r, "exchange.offer", a);

		if (offer < 0 || !report_value(r, offer, FACT_RIGHT_ANSWERS) || !diagnose_attempt(r, a, &f))
			continue;
		f.repaired = true;
		f.certainty = PROVEN;
		add(v, &f);
		not_excluded(v, f.cause);
		return;
	}
}

static bool step_failed(const struct report *r, const char *id, int attempt)
{
	int step = report_find(r, id, attempt);

	return step >= 0 && r->step[step].state == STEP_FAILED;
}

/* Mail is read; what else was promised may still not work. */
static bool is_partly(const struct report *r, int attempt, const struct web_mail *web)
{
	bool any = false;

	/* where mail was not asked for, the calendar is all there is */
	if (step_failed(r, web->last, attempt) && report_find(r, web->inbox, attempt) < 0)
		return false;
	for (size_t i = 0; i < COUNT(web->rest) && web->rest[i]; i++)
		any |= step_failed(r, web->rest[i], attempt);
	for (size_t i = 0; i < COUNT(web->needed) && web->needed[i]; i++)
		any &= !step_failed(r, web->needed[i], attempt);
	return any;
}

/* An address that is an alias opens the mailbox all the same: told, and nothing to do. */
static void tell_alias(struct verdict *v, const struct report *r, int attempt)
{
	struct scope   scope;
	struct finding f;
	size_t         table = 0, row = 0;

	scope_init(&scope, r, attempt);
	while (first_rule(&scope, &table, &row, &f))
		if (f.cause == CAUSE_MAILBOX_ALIAS_NOT_PRIMARY) {
			f.repaired = true;
			add(v, &f);
			not_excluded(v, f.cause);
			return;
		}
}

static void judge_web_mail(struct verdict *v, const struct report *r, const struct web_mail *web)
{
	int           a = v->attempt[SERVICE_WEB];
	enum standing standing = standing_of(r, a, web->login, web->last);

	if (a < 0) {
		judge_nothing_tried(v, r);
		return;
	}
	switch (standing) {
	case FINE:
		v->kind = VERDICT_CONNECTED;
		break;
	case WAITING:
		v->kind = VERDICT_UNFINISHED;
		need_of(v, r, a, web->login);
		break;
	case CALLED_OFF:
		v->kind = VERDICT_UNFINISHED;
		return;
	default:
		v->kind = is_partly(r, a, web) ? VERDICT_PARTIAL : VERDICT_FAILED;
		judge_attempt(v, r, a);
	}
	repaired_url(v, r, a);
	if (standing == FINE || v->kind == VERDICT_PARTIAL) {
		repaired(v, r, a, web->login);
		tell_alias(v, r, a);
	}
}

/* Gmail is read by IMAP where our registration may not use its interface: told, and for the operator to mend in his own time. */
static void tell_instead(struct verdict *v, const struct report *r)
{
	struct finding f;

	for (int a = 0; a < r->attempts; a++) {
		if (report_find(r, "google.grant", a) < 0 || !diagnose_attempt(r, a, &f))
			continue;
		f.repaired = true;
		add(v, &f);
		not_excluded(v, f.cause);
	}
}

/* Calendars beside a mailbox: what is wrong with them leaves the mail as it is. */
static void judge_calendars(struct verdict *v, const struct report *r)
{
	int attempt = best_attempt(r, SERVICE_WEB, "caldav.resolve");

	if (attempt < 0 || v->kind == VERDICT_FAILED)
		return;
	switch (standing_of(r, attempt, "caldav.login", "caldav.calendars")) {
	case FAILED:
		if (v->kind == VERDICT_CONNECTED)
			v->kind = VERDICT_PARTIAL;
		judge_attempt(v, r, attempt);
		break;
	case WAITING:
		if (v->kind == VERDICT_CONNECTED)
			v->kind = VERDICT_UNFINISHED;
		need_of(v, r, attempt, "caldav.login");
		break;
	case CALLED_OFF:
		if (v->kind == VERDICT_CONNECTED)
			v->kind = VERDICT_UNFINISHED;
		break;
	default:
		break;
	}
}

static void judge_mail(const struct report *r, struct verdict *v)
{
	const struct web_mail *web = web_mail_of(r);
	enum standing          imap, smtp;
	int                    address = report_find(r, "address", NO_ATTEMPT);

	*v = (struct verdict){ .attempt = { diagnose_best_attempt(r, SERVICE_IMAP), diagnose_best_attempt(r, SERVICE_SMTP),
	                                    diagnose_best_attempt(r, SERVICE_WEB) } };
	if (web && (address < 0 || r->step[address].state != STEP_FAILED)) {
		judge_web_mail(v, r, web);
		return;
	}
	imap = standing_of(r, v->attempt[SERVICE_IMAP], "imap.login", "imap.open");
	smtp = standing_of(r, v->attempt[SERVICE_SMTP], "smtp.login", "smtp.login");
	if ((address >= 0 && r->step[address].state == STEP_FAILED) || imap == ABSENT) {
		judge_nothing_tried(v, r);
	} else if (imap == FAILED) {
		v->kind = VERDICT_FAILED;
		judge_attempt(v, r, v->attempt[SERVICE_IMAP]);
	} else if (imap == CALLED_OFF || (imap == FINE && smtp == CALLED_OFF)) {
		v->kind = VERDICT_UNFINISHED;
	} else if (imap == FINE && smtp == ABSENT && sending_is_not_offered(v, r)) {
		v->kind = VERDICT_PARTIAL;
	} else if (imap == WAITING || (imap == FINE && (smtp == WAITING || smtp == ABSENT))) {
		v->kind = VERDICT_UNFINISHED;
		need_of(v, r, v->attempt[SERVICE_IMAP], "imap.login");
		need_of(v, r, v->attempt[SERVICE_SMTP], "smtp.login");
		if (smtp == FAILED)
			judge_attempt(v, r, v->attempt[SERVICE_SMTP]);
		if (v->needs == 0)
			need(v, "confirm_host", "smtp");
	} else if (smtp == FAILED) {
		v->kind = VERDICT_PARTIAL;
		judge_attempt(v, r, v->attempt[SERVICE_SMTP]);
	} else {
		v->kind = VERDICT_CONNECTED;
	}
	if (imap == FINE) {
		repaired(v, r, v->attempt[SERVICE_IMAP], "imap.login");
		tell_instead(v, r);
	}
}

void diagnose(const struct report *r, struct verdict *v)
{
	judge_mail(r, v);
	if (!r->provider || strcmp(r->provider, "caldav") != 0)
		judge_calendars(v, r);
}

void diagnose_pasted(const struct report *r, struct verdict *v)
{
	struct scope   scope;
	struct finding raw;

	*v = (struct verdict){ .kind = VERDICT_EXPLAINED, .attempt = { -1, -1, -1 } };
	scope_init(&scope, r, NO_ATTEMPT);
	unknown(r, NO_ATTEMPT, 0, &raw);
	judge(v, &scope, &raw);
}
