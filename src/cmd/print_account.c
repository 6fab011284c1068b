#include "cmd/print_account.h"

#include <stdlib.h>

#include "cmd/remote.h"
#include "cmd/wrap.h"
#include "diagnose/tell.h"
#include "model/account.h"
#include "model/facts.h"

#define STATE_WIDTH   11      /* "needs_admin" */
#define TIME_WIDTH    16      /* "2026-11-22 02:11" */
#define ADDRESS_WIDTH (TERMINAL_COLUMNS - STATE_WIDTH - TIME_WIDTH - 4)
#define NAME_WIDTH    14
#define SURE_LONGEST  200

static const char *text_of(const cJSON *o, const char *name)
{
	const char *text = json_text(o, name);

	return text ? text : "";
}

static const cJSON *part_of(const cJSON *o, const char *name)
{
	return cJSON_GetObjectItemCaseSensitive(o, name);
}

static const char *word(const struct language *lang, const char *kind, const char *name)
{
	char        key[80];
	const char *text;

	snprintf(key, sizeof key, "ui/%s.%s", kind, name);
	text = catalogue_text(lang, key);
	return text ? text : name;
}

/* -- many --------------------------------------------------------------------------------------------------------- */

static void put_row(FILE *out, const cJSON *a, const struct language *lang)
{
	const cJSON *cause = part_of(a, "cause");
	char         since[20];
	const char  *who;

	put_cell(out, text_of(a, "address"), ADDRESS_WIDTH);
	fputs("  ", out);
	put_cell(out, text_of(a, "state"), STATE_WIDTH);
	fprintf(out, "  %s\n", local_time(json_text(a, "since"), since));
	if (!cJSON_IsObject(cause))
		return;
	who = word(lang, "who", text_of(cause, "who"));
	fputs("    ", out);
	put_cell(out, text_of(cause, "title"), TERMINAL_COLUMNS - 4 - 2 - text_width(who));
	fprintf(out, "  %s\n", who);
}

static void put_sum(FILE *out, const cJSON *list)
{
	size_t       count[ACCOUNT_STATES] = { 0 };
	const cJSON *a;
	bool         any = false;

	cJSON_ArrayForEach(a, list) {
		enum account_state state;

		if (account_state_find(text_of(a, "state"), &state))
			count[state]++;
	}
	fprintf(out, "\n%d %s:", cJSON_GetArraySize(list), cJSON_GetArraySize(list) == 1 ? "account" : "accounts");
	for (enum account_state s = 0; s < ACCOUNT_STATES; s++)
		if (count[s]) {
			fprintf(out, "%s %zu %s", any ? "," : "", count[s], account_state_name(s));
			any = true;
		}
	fputc('\n', out);
}

void print_accounts(FILE *out, const cJSON *list, const struct language *lang)
{
	const cJSON *a;

	if (cJSON_GetArraySize(list) == 0) {
		fputs("There are no accounts yet.\n", out);
		return;
	}
	put_cell(out, "ADDRESS", ADDRESS_WIDTH);
	fputs("  ", out);
	put_cell(out, "STATE", STATE_WIDTH);
	fputs("  SINCE\n", out);
	cJSON_ArrayForEach(a, list)
		put_row(out, a, lang);
	put_sum(out, list);
}

/* -- one ---------------------------------------------------------------------------------------------------------- */

static void put_line(FILE *out, const char *name, const char *text)
{
	if (!text || !*text)
		return;
	fprintf(out, "  %-*s", NAME_WIDTH, name);
	put_text(out, text);
	fputc('\n', out);
}

static void put_server(FILE *out, const char *name, const cJSON *server)
{
	char text[300];
	int  port = (int)json_number(server, "port", 0);

	snprintf(text, sizeof text, port ? "%s:%d" : "%s", text_of(server, "host"), port);
	put_line(out, name, text);
}

/* The API's AccountCause or ReportCause. */
static void take_told(const cJSON *cause, struct told *t)
{
	const cJSON *item;

	*t = (struct told){ .title = text_of(cause, "title"), .why = text_of(cause, "why"), .alias = "" };
	cJSON_ArrayForEach(item, part_of(cause, "fix"))
		if (cJSON_IsString(item) && t->fixes < TOLD_FIXES)
			t->fix[t->fixes++] = item->valuestring;
	cJSON_ArrayForEach(item, part_of(cause, "links"))
		if (cJSON_IsString(item) && t->links < TOLD_LINKS)
			t->link[t->links++] = item->valuestring;
}

/* The server's own words in the step that the cause comes from. `report` may be NULL. */
static const char *said_in(const cJSON *report, const cJSON *cause)
{
	const cJSON *found = cJSON_GetArrayItem(part_of(report, "causes"), 0), *step, *fact;
	const char  *said = NULL;

	if (strcmp(text_of(found, "id"), text_of(cause, "id")) != 0)
		return NULL;
	cJSON_ArrayForEach(step, part_of(report, "steps"))
		cJSON_ArrayForEach(fact, part_of(step, "facts"))
			if (strcmp(text_of(step, "id"), text_of(found, "step")) == 0 && strcmp(text_of(fact, "fact"), FACT_REPLY_TEXT) == 0)
				said = json_text(fact, "value");
	return said;
}

static void put_cause(struct checklist *c, const cJSON *cause, const cJSON *report)
{
	struct told t;

	take_told(cause, &t);
	print_told(c, &t, text_of(cause, "certainty"), text_of(cause, "who"), said_in(report, cause));
}

void print_account(FILE *out, const cJSON *a, const cJSON *report, const struct language *lang)
{
	const char *const times[][2] = { { "since", "since" }, { "next try", "next_try" }, { "last well", "last_ok" }, { "added", "created" } };
	struct checklist  list;
	char              text[20];

	put_text(out, text_of(a, "address"));
	fputs("\n\n", out);
	put_line(out, "id", json_text(a, "id"));
	put_line(out, "state", json_text(a, "state"));
	for (size_t i = 0; i < COUNT(times); i++)
		put_line(out, times[i][0], local_time(json_text(a, times[i][1]), text));
	put_line(out, "user name", json_text(a, "username"));
	put_server(out, "IMAP", part_of(a, "imap"));
	put_server(out, "SMTP", part_of(a, "smtp"));
	put_line(out, "language", json_text(a, "lang"));
	put_line(out, "external id", json_text(a, "external_id"));
	put_line(out, "incident", json_text(a, "incident"));
	if (!cJSON_IsObject(part_of(a, "cause")))
		return;
	fputc('\n', out);
	checklist_init(&list, out, lang, false);
	put_cause(&list, part_of(a, "cause"), report);
}

/* -- a verification ----------------------------------------------------------------------------------------------- */

static bool was_not_sent(const cJSON *report)
{
	const cJSON *step;

	cJSON_ArrayForEach(step, part_of(report, "steps"))
		if (strcmp(text_of(step, "why"), "not_asked") == 0 && !slice_ends(slice_str(text_of(step, "id")), "event"))
			return true;
	return false;
}

static void put_words(const struct checklist *c, const char *name)
{
	print_wrapped(c->out, word(c->lang, "verdict", name), 0, 0);
}

/* What is needed to go on: which places are to be confirmed. */
static void put_needs(const struct checklist *c, const cJSON *report)
{
	const cJSON *need;

	put_words(c, "unfinished");
	cJSON_ArrayForEach(need, part_of(report, "needs"))
		if (strcmp(text_of(need, "kind"), "confirm_host") == 0) {
			fputs("    ", c->out);
			put_text(c->out, text_of(need, "value"));
			fputc('\n', c->out);
		}
}

static bool is_unfinished(const cJSON *report)
{
	return strcmp(text_of(report, "verdict"), "unfinished") == 0;
}

static bool is_connected(const cJSON *a)
{
	return !cJSON_IsObject(part_of(a, "cause")) && strcmp(text_of(a, "state"), account_state_name(ACCOUNT_CONNECTED)) == 0;
}

void print_verified(struct checklist *c, const cJSON *a, const cJSON *report)
{
	const cJSON *cause = part_of(a, "cause");

	if (is_connected(a)) {
		put_words(c, was_not_sent(report) ? "connected_not_sent" : "connected");
		return;
	}
	if (is_unfinished(report))
		put_needs(c, report);
	if (cJSON_IsObject(cause))
		put_cause(c, cause, report);
	else if (!is_unfinished(report))
		fprintf(c->out, "The account is %s.\n", text_of(a, "state"));
}

int verified_status(const cJSON *a, const cJSON *report)
{
	const cJSON *cause = part_of(a, "cause");

	if (is_connected(a))
		return EXIT_CONNECTED;
	return !cJSON_IsObject(cause) || is_unfinished(report) || strcmp(text_of(cause, "id"), "unknown.answer") == 0 ? EXIT_UNFINISHED : EXIT_CAUSE;
}

/* -- the live checklist ------------------------------------------------------------------------------------------- */

void progress_init(struct progress_list *p, FILE *out, const struct language *lang, const char *address)
{
	*p = (struct progress_list){ 0 };
	checklist_init(&p->list, out, lang, false);
	if (!address)
		return;
	put_text(out, address);
	fputs("\n\n", out);
	fflush(out);
}

void progress_break(struct progress_list *p)
{
	if (p->open_line)
		fputc('\n', p->list.out);
	p->open_line = false;
}

static enum step_state state_of(const cJSON *step)
{
	for (enum step_state s = STEP_RUNNING; s <= STEP_SKIPPED; s++)
		if (strcmp(text_of(step, "state"), step_state_name(s)) == 0)
			return s;
	return STEP_RUNNING;
}

static bool has_another(const cJSON *steps, const cJSON *step)
{
	const cJSON *s;

	cJSON_ArrayForEach(s, steps) {
		if (s == step)
			return false;
		if (strcmp(text_of(s, "id"), text_of(step, "id")) == 0)
			return true;
	}
	return false;
}

/* Nothing new: where it is said by another step, or the way to a server that was gone before. */
static bool is_no_news(const cJSON *steps, const cJSON *step)
{
	static const char *const way[] = { ".resolve", ".connect", ".tls" };
	struct slice id = slice_str(text_of(step, "id"));

	for (size_t i = 0; i < COUNT(way); i++)
		if (slice_ends(id, way[i]) && has_another(steps, step))
			return true;
	return checklist_is_detail(id.at);
}

/* The same password once more is one under another form of the name. */
static const char *label_of(const struct language *lang, const cJSON *steps, const cJSON *step)
{
	if (strcmp(text_of(step, "id"), "imap.login") == 0 && has_another(steps, step))
		return word(lang, "step", "probe.username");
	return text_of(step, "label");
}

static void put_step(struct progress_list *p, const cJSON *steps, const cJSON *step, enum step_state state)
{
	char        took[24];
	const char *what = text_of(step, "text");

	snprintf(took, sizeof took, "%d ms", (int)json_number(step, "ms", 0));
	if (p->open_line)
		fputs("\r\033[K", p->list.out);
	checklist_put(&p->list, state, label_of(p->list.lang, steps, step), *what || state != STEP_PASSED ? what : took);
	p->open_line = state == STEP_RUNNING;
	if (!p->open_line)
		fputc('\n', p->list.out);
}

/* IMAP's story first: SMTP's is held back until IMAP has come to its end. */
static bool imap_is_told(const cJSON *steps)
{
	const cJSON *step;

	cJSON_ArrayForEach(step, steps) {
		enum step_state state = state_of(step);
		const char     *id = text_of(step, "id");

		if (state == STEP_RUNNING || strncmp(id, "imap.", 5) != 0)
			continue;
		if (state == STEP_FAILED || strcmp(id, "imap.open") == 0 || (state == STEP_SKIPPED && strcmp(id, "imap.login") == 0))
			return true;
	}
	return false;
}

void progress_show(struct progress_list *p, const cJSON *steps, bool over)
{
	bool         all = over || imap_is_told(steps);
	const cJSON *step, *running = NULL;
	size_t       i = 0;

	cJSON_ArrayForEach(step, steps) {
		enum step_state state = state_of(step);
		size_t          mine = i++;
		bool            smtp = strncmp(text_of(step, "id"), "smtp.", 5) == 0;

		if (mine >= CHECKLIST_STEPS || p->told[mine] || (smtp && !all))
			continue;
		if (state == STEP_RUNNING) {
			running = step;
			continue;
		}
		p->told[mine] = true;
		if (state == STEP_FAILED || state == STEP_WARNED || !is_no_news(steps, step))
			put_step(p, steps, step, state);
	}
	if (p->open_line && (!running || over)) {
		fputs("\r\033[K", p->list.out);
		p->open_line = false;
	} else if (running && !over && p->list.terminal) {
		put_step(p, steps, running, STEP_RUNNING);
	}
	fflush(p->list.out);
}
