#include <stdlib.h>
#include <unistd.h>

#include "cmd/print.h"
#include "cmd/wrap.h"
#include "diagnose/tell.h"
#include "model/facts.h"

#define STATE_COLUMN 2
#define RULED_OUT_MOST 6
#define LABEL_WIDTH  24       /* no step's name is wider, in any language: tools/po2c.py sees to it */

static const char *ui(const struct checklist *c, const char *prefix, const char *name)
{
	char        key[80];
	const char *text;

	snprintf(key, sizeof key, "ui/%s%s", prefix, name);
	text = catalogue_text(c->lang, key);
	return text ? text : name;
}

static void paint(const struct checklist *c, const char *colour)
{
	if (c->colour)
		fputs(colour, c->out);
}

#define GREEN  "\033[32m"
#define RED    "\033[31m"
#define YELLOW "\033[33m"
#define FAINT  "\033[2m"
#define BOLD   "\033[1m"
#define PLAIN  "\033[0m"

static const char *state_colour(enum step_state state)
{
	static const char *const colour[] = { FAINT, GREEN, RED, YELLOW, FAINT };

	return colour[state];
}

/* -- the checklist ------------------------------------------------------------------------------------------------ */

/* "skipped" is a word of 7 letters in one language and of 12 in another: the column is as wide as its words. */
static size_t label_column(const struct checklist *c)
{
	size_t widest = 0;

	for (enum step_state s = STEP_PASSED; s <= STEP_SKIPPED; s++) {
		size_t width = text_width(ui(c, "state.", step_state_name(s)));

		widest = width > widest ? width : widest;
	}
	return STATE_COLUMN + widest + 2;
}

void checklist_init(struct checklist *c, FILE *out, const struct language *lang, bool verbose)
{
	const char *term = getenv("TERM");

	*c = (struct checklist){ .out = out, .lang = lang, .verbose = verbose };
	c->terminal = isatty(fileno(out)) && term && strcmp(term, "dumb") != 0;
	c->label_column = label_column(c);
	c->colour = c->terminal && !(getenv("NO_COLOR") && *getenv("NO_COLOR"));
}

/* What one step is best known by: the fact that a person would want to see. The first of these that it has. */
static const char *const telling[] = {
	FACT_ADDRESS_PROBLEM, FACT_REPLY_TEXT, FACT_MESSAGES, FACT_REPLY_BROKEN, FACT_PROTOCOL, FACT_HOSTER_NAME, FACT_DNS_MX,
	FACT_CANDIDATE, FACT_SEND_FOLDER, FACT_SEND_REMOVED, FACT_PROBE_SAME_SERVER, FACT_PROBE_OTHER_NAME, FACT_PROBE_OPEN_PORT,
	FACT_PROBE_RESULT, FACT_EWS_CODE, FACT_HTTP_STATUS, FACT_NET_TRIED,
};

static const char *value(const struct report *r, int step, const char *name)
{
	const char *v = report_value(r, step, name);

	return v ? v : "";
}

static void host_and_port(const struct report *r, int step, char *text, size_t size)
{
	snprintf(text, size, "%s:%s", value(r, step, FACT_HOST), value(r, step, FACT_PORT));
}

static bool step_is(const struct report *r, int step, const char *tail)
{
	return slice_ends(slice_str(r->step[step].id), tail);
}

/* Words of facts that people see have translations; everything else is shown as it was seen. */
static const char *word(const struct checklist *c, const char *said)
{
	char        key[80];
	const char *text;

	snprintf(key, sizeof key, "ui/word.%s", said);
	for (char *blank = strchr(key, ' '); blank; blank = strchr(blank, ' '))
		*blank = '_';
	text = catalogue_text(c->lang, key);
	return text ? text : said;
}

/* "imap imap.example.org:993 tls srv": of each service the first one's place. */
static void describe_candidates(const struct report *r, int step, char *text, size_t size)
{
	static const char *const services[] = { "imap ", "smtp " };
	size_t len = 0;

	for (size_t s = 0; s < COUNT(services); s++)
		for (size_t i = 0; i < r->fact_count; i++) {
			struct slice v = slice_str(r->fact[i].value);

			if (r->fact[i].step != step || strcmp(r->fact[i].name, FACT_CANDIDATE) != 0 || !slice_starts(v, services[s]))
				continue;
			slice_cut(&v, ' ');
			v = slice_cut(&v, ' ');
			len += (size_t)snprintf(text + len, size - len, "%s%.*s", len ? ", " : "", (int)v.len, v.at);
			if (len >= size)
				return;
			break;
		}
}

/* Of a web service's steps: what that step, with that answer, is best known by. The first row that fits, of each half the first fact. */
static const struct { const char *step, *fact, *value; const char *first[4], *second[4]; } web_lines[] = {
	{ "exchange.url",          NULL,                NULL,      { FACT_URL_PROBLEM, FACT_GIVEN_URL }, { NULL } },
	{ "exchange.find",         NULL,                NULL,      { FACT_EXCHANGE_PLACE, FACT_NOT_OFFERED }, { NULL } },
	{ "exchange.offer",        FACT_HTTP_STATUS,    "401",     { FACT_EXCHANGE_PRODUCT, FACT_AUTH_OFFERED }, { NULL } },
	{ "exchange.offer",        FACT_HTTP_STATUS,    NULL,      { FACT_HTTP_STATUS },       { FACT_PAGE, FACT_HTTP_LOCATION, FACT_PAGE_TITLE } },
	{ "exchange.challenge",    NULL,                NULL,      { FACT_NTLM_DOMAIN, FACT_HTTP_STATUS }, { FACT_NTLM_DNS_DOMAIN } },
	{ "exchange.login",        FACT_AUTH_NO_COMMON, "yes",     { NULL }, { NULL } },
	{ "exchange.login",        NULL,                NULL,      { FACT_AUTH_MECHANISM },    { FACT_TICKET_TEXT, FACT_EWS_CODE, FACT_HTTP_STATUS, FACT_PRINCIPAL } },
	{ "exchange.autodiscover", FACT_AUTODISCOVER,   "error",   { FACT_AUTODISCOVER },      { FACT_EWS_CODE } },
	{ "exchange.autodiscover", NULL,                NULL,      { FACT_URL, FACT_HTTP_LOCATION, FACT_HTTP_STATUS }, { NULL } },
	{ "exchange.version",      NULL,                NULL,      { FACT_EXCHANGE_PRODUCT, FACT_EWS_CODE }, { NULL } },
	{ "exchange.mailbox",      NULL,                NULL,      { FACT_EWS_PRIMARY, FACT_EWS_CODE, FACT_HTTP_STATUS }, { NULL } },
	{ "exchange.folders",      NULL,                NULL,      { FACT_EWS_FOLDERS, FACT_EWS_CODE, FACT_HTTP_STATUS }, { NULL } },
	{ "caldav.url",            NULL,                NULL,      { FACT_CALDAV_PROBLEM, FACT_CALDAV_URL }, { NULL } },
	{ "caldav.find",           NULL,                NULL,      { FACT_CALDAV_PLACE, FACT_NOT_OFFERED }, { NULL } },
	{ "caldav.offer",          FACT_HTTP_STATUS,    "401",     { FACT_AUTH_OFFERED },      { NULL } },
	{ "caldav.offer",          FACT_HTTP_STATUS,    NULL,      { FACT_HTTP_STATUS },       { FACT_REPLY_BROKEN, FACT_HTTP_LOCATION, FACT_PAGE_TITLE } },
	{ "caldav.well_known",     FACT_HTTP_STATUS,    "401",     { FACT_AUTH_OFFERED },      { NULL } },
	{ "caldav.well_known",     FACT_HTTP_STATUS,    NULL,      { FACT_HTTP_STATUS },       { FACT_HTTP_LOCATION, FACT_PAGE_TITLE } },
	{ "caldav.root",           FACT_HTTP_STATUS,    "401",     { FACT_AUTH_OFFERED },      { NULL } },
	{ "caldav.root",           FACT_HTTP_STATUS,    NULL,      { FACT_HTTP_STATUS },       { FACT_HTTP_LOCATION, FACT_PAGE_TITLE } },
	{ "caldav.login",          FACT_AUTH_NO_COMMON, "yes",     { NULL }, { NULL } },
	{ "caldav.login",          NULL,                NULL,      { FACT_AUTH_MECHANISM },    { FACT_HTTP_STATUS } },
	{ "caldav.principal",      NULL,                NULL,      { FACT_CALDAV_LEADS, FACT_HTTP_STATUS }, { NULL } },
	{ "caldav.calendars",      FACT_CALENDARS,      NULL,      { FACT_CALENDARS },         { FACT_CALENDAR } },
	{ "caldav.calendars",      NULL,                NULL,      { FACT_CALDAV_LEADS, FACT_HTTP_STATUS }, { FACT_REPLY_BROKEN } },
	{ "probe.webmail",         NULL,                NULL,      { FACT_PROBE_RESULT, FACT_HTTP_STATUS }, { NULL } },
};

/* Pages that say nothing beside their status. */
static bool is_worth_a_word(const char *fact, const char *said)
{
	bool page = strcmp(fact, FACT_PAGE) == 0 || strcmp(fact, FACT_PROBE_RESULT) == 0;

	return *said && !(page && (strcmp(said, "none") == 0 || strcmp(said, "html") == 0));
}

/* "ews https://mail.example.org/EWS/Exchange.asmx srv trusted": the second word of a place; and of all that is as usual, nothing. */
static struct slice shortened(const char *fact, const char *said)
{
	struct slice rest = slice_str(said), shown = rest;

	if (strcmp(fact, FACT_EXCHANGE_PLACE) == 0) {
		slice_cut(&rest, ' ');
		shown = slice_cut(&rest, ' ');
	}
	if (strcmp(fact, FACT_CALDAV_PLACE) == 0)
		shown = slice_cut(&rest, ' ');
	return slice_starts(shown, "https://") ? slice_from(shown, strlen("https://")) : shown;
}

static void describe_half(const struct checklist *c, const struct report *r, int step, const char *const facts[4], char *text, size_t size)
{
	*text = '\0';
	for (size_t i = 0; i < 4 && facts[i]; i++) {
		const char  *said = value(r, step, facts[i]);
		struct slice shown = shortened(facts[i], word(c, said));

		if (!is_worth_a_word(facts[i], said))
			continue;
		snprintf(text, size, "%s%.*s", strcmp(facts[i], FACT_HTTP_STATUS) == 0 ? "HTTP " : "", (int)shown.len, shown.at);
		return;
	}
}

static void describe_web(const struct checklist *c, const struct report *r, int step, char *text, size_t size)
{
	for (size_t i = 0; i < COUNT(web_lines); i++) {
		const char *said = web_lines[i].fact ? value(r, step, web_lines[i].fact) : "";
		char        second[300];
		size_t      len;

		if (strcmp(r->step[step].id, web_lines[i].step) != 0 || (web_lines[i].fact && !*said)
		    || (web_lines[i].value && strcmp(said, web_lines[i].value) != 0))
			continue;
		describe_half(c, r, step, web_lines[i].first, text, size);
		describe_half(c, r, step, web_lines[i].second, second, sizeof second);
		len = strlen(text);
		snprintf(text + len, size - len, "%s%s", len && *second ? ", " : "", second);
		if (!web_lines[i].first[0])
			snprintf(text, size, "%s", word(c, "no common"));
		return;
	}
}

/* The last word of a line of the checklist. */
static void describe(const struct checklist *c, const struct report *r, int step, char *text, size_t size)
{
	const struct step *s = &r->step[step];

	*text = '\0';
	describe_web(c, r, step, text, size);
	if (s->skip) {
		snprintf(text, size, "%s", ui(c, "skip.", s->skip));
	} else if (step_is(r, step, ".resolve")) {
		host_and_port(r, step, text, size);
		if (s->state != STEP_PASSED)
			snprintf(text + strlen(text), size - strlen(text), ": %s", word(c, value(r, step, FACT_DNS_OUTCOME)));
	} else if (step_is(r, step, ".tls") && s->state != STEP_PASSED && report_value(r, step, FACT_TLS_FLAW)) {
		snprintf(text, size, "%s: %s", word(c, value(r, step, FACT_TLS_FLAW)), value(r, step, FACT_TLS_SAN));
	} else if (step_is(r, step, ".tls") && s->state == STEP_PASSED) {
		snprintf(text, size, "%s, %s", value(r, step, FACT_TLS_VERSION), value(r, step, FACT_TLS_ISSUER));
	} else if (step_is(r, step, ".connect") && s->state == STEP_PASSED) {
		snprintf(text, size, "%s, %d ms", value(r, step, FACT_NET_ADDRESS), s->ms);
	} else if (*text) {
		return;
	} else if (step_is(r, step, ".login") && s->state == STEP_PASSED) {
		snprintf(text, size, "%s", value(r, step, FACT_AUTH_MECHANISM));
	} else if (strcmp(s->id, "detect") == 0) {
		describe_candidates(r, step, text, size);
	} else if (step_is(r, step, "imap.list")) {
		snprintf(text, size, "%s", value(r, step, FACT_FOLDERS));
	} else {
		for (size_t i = 0; i < COUNT(telling) && !*text; i++)
			snprintf(text, size, "%s", word(c, value(r, step, telling[i])));
		if (!*text && s->state == STEP_FAILED)
			snprintf(text, size, "%s", word(c, value(r, step, FACT_NET_OUTCOME)));
		if (!*text && s->state == STEP_FAILED)
			snprintf(text, size, "%s", word(c, value(r, step, FACT_DNS_OUTCOME)));
	}
}

/* One line, cut to the terminal's width: the whole text is in the verdict, or in -v. */
static void put_cut(const struct checklist *c, const char *text, size_t room)
{
	size_t width = 0, end = 0, before = 0;

	for (size_t i = 0; text[i];) {
		size_t n = 1;
		char   one[8] = { 0 };

		while ((text[i + n] & 0xc0) == 0x80 && n < sizeof one - 1)
			n++;
		memcpy(one, text + i, n);
		width += text_width(one);
		if (width > room)
			break;
		i += n;
		before = width < room ? i : before;
		end = i;
	}
	if (text[end]) {
		fprintf(c->out, "%.*s…", (int)before, text);
		return;
	}
	fputs(text, c->out);
}

/* The same password under another form of the name. */
static bool is_second_sign_in(const struct report *r, int step)
{
	if (strcmp(r->step[step].id, "exchange.login") == 0)
		return strcmp(value(r, step, FACT_AUTH_USERNAME), "domain") == 0;
	for (int i = 0; i < step; i++)
		if (strcmp(r->step[i].id, "imap.login") == 0 && strcmp(r->step[step].id, "imap.login") == 0)
			return true;
	return false;
}

void checklist_put(struct checklist *c, enum step_state state, const char *label, const char *what)
{
	fprintf(c->out, "%*s", STATE_COLUMN, "");
	paint(c, state_colour(state));
	print_padded(c->out, state == STEP_RUNNING ? "…" : ui(c, "state.", step_state_name(state)), c->label_column - STATE_COLUMN);
	paint(c, PLAIN);
	print_padded(c->out, label, *what ? LABEL_WIDTH : 0);
	if (*what) {
		fputs("  ", c->out);
		put_cut(c, what, TERMINAL_COLUMNS - c->label_column - LABEL_WIDTH - 2);
	}
}

static void put_line(struct checklist *c, const struct report *r, int step)
{
	const struct step *s = &r->step[step];
	char               what[400];

	describe(c, r, step, what, sizeof what);
	checklist_put(c, s->state, ui(c, "step.", is_second_sign_in(r, step) ? "probe.username" : s->id), what);
}

static void put_facts(struct checklist *c, const struct report *r, int step)
{
	CLEANUP(arena) struct arena *work = arena_new();

	for (size_t i = 0; c->verbose && i < r->fact_count; i++)
		if (r->fact[i].step == step) {
			/* the blank belongs to the value: a value that goes on the next line takes it away */
			fprintf(c->out, "%*s%s =", (int)c->label_column, "", r->fact[i].name);
			print_wrapped(c->out, arena_print(work, " %s", r->fact[i].value), c->label_column + strlen(r->fact[i].name) + 2,
			              c->label_column + 2);
		}
}

/* The way to a server that was gone before: a second attempt differs in something else. */
static bool is_known_way(const struct report *r, int step)
{
	int resolve = -1;

	if (r->step[step].attempt == NO_ATTEMPT || !(step_is(r, step, ".resolve") || step_is(r, step, ".connect") || step_is(r, step, ".tls")))
		return false;
	for (int i = 0; i <= step; i++)
		if (r->step[i].attempt == r->step[step].attempt && step_is(r, i, ".resolve"))
			resolve = i;
	for (int i = 0; resolve > 0 && i < resolve; i++)
		if (step_is(r, i, ".resolve") && strcmp(value(r, i, FACT_HOST), value(r, resolve, FACT_HOST)) == 0
		    && strcmp(value(r, i, FACT_PORT), value(r, resolve, FACT_PORT)) == 0)
			return true;
	return false;
}

bool checklist_is_detail(const char *id)
{
	static const char *const tails[] = { ".greeting", ".capability", ".ehlo", ".starttls" };

	for (size_t i = 0; i < COUNT(tails); i++)
		if (slice_ends(slice_str(id), tails[i]))
			return true;
	return strcmp(id, "address") == 0 || strcmp(id, "imap.id") == 0;
}

/* Steps that only say where are told by the step before or after them. */
static bool shown(const struct checklist *c, const struct report *r, int step)
{
	const struct step *s = &r->step[step];

	if (c->verbose || s->state == STEP_FAILED || s->state == STEP_WARNED)
		return true;
	return !(is_known_way(r, step) || strcmp(value(r, step, FACT_PROBE_RESULT), "unknown") == 0 || checklist_is_detail(s->id));
}

static bool is_smtp(const struct report *r, int step)
{
	return strncmp(r->step[step].id, "smtp.", 5) == 0;
}

static void tell(struct checklist *c, const struct report *r, int step)
{
	if (step >= CHECKLIST_STEPS || c->told[step])
		return;
	c->told[step] = true;
	if (!shown(c, r, step))
		return;
	put_line(c, r, step);
	fputc('\n', c->out);
	put_facts(c, r, step);
}

/* What was held back, as far as it has ended. */
static void tell_held(struct checklist *c, const struct report *r)
{
	for (size_t i = 0; i < r->step_count; i++)
		if (r->step[i].state != STEP_RUNNING)
			tell(c, r, (int)i);
}

/* IMAP's story ends with the inbox, with a failure, or where nobody signs in. */
static bool ends_imap(const struct report *r, int step)
{
	const struct step *s = &r->step[step];

	return strncmp(s->id, "imap.", 5) == 0
	    && (s->state == STEP_FAILED || (s->state == STEP_SKIPPED && strcmp(s->id, "imap.login") == 0)
	        || (strcmp(s->id, "imap.open") == 0 && s->state != STEP_RUNNING));
}

void checklist_watch(void *self, const struct report *r, int step)
{
	struct checklist *c = self;
	bool              running = r->step[step].state == STEP_RUNNING;

	if (!c->begun) {
		put_cut(c, r->address, TERMINAL_COLUMNS);
		fputs("\n\n", c->out);
		c->begun = true;
	}
	if (c->open_line)
		fputs("\r\033[K", c->out);
	c->open_line = false;
	if (!running && (c->imap_told || !is_smtp(r, step)))
		tell(c, r, step);
	if (ends_imap(r, step)) {
		c->imap_told = true;
		tell_held(c, r);
	}
	if (running && c->terminal) {
		put_line(c, r, step);
		c->open_line = true;
	}
	fflush(c->out);
}

/* -- the verdict -------------------------------------------------------------------------------------------------- */

static void heading(struct checklist *c, const char *name)
{
	fputs("\n  ", c->out);
	paint(c, BOLD);
	fputs(ui(c, "", name), c->out);
	paint(c, PLAIN);
	fputc('\n', c->out);
}

static void put_paragraph(struct checklist *c, const char *text, size_t indent)
{
	fprintf(c->out, "%*s", (int)indent, "");
	print_wrapped(c->out, text, indent, indent);
}

/* The title, and at the right end of the line how sure we are and whose it is. */
static void put_title(struct checklist *c, const char *certainty, const char *who, const struct told *t)
{
	char   sure[160];
	size_t width;

	snprintf(sure, sizeof sure, "%s, %s", ui(c, "certainty.", certainty), ui(c, "who.", who));
	width = text_width(t->title) + text_width(sure);
	paint(c, BOLD);
	if (width + 2 <= TERMINAL_COLUMNS) {
		print_padded(c->out, t->title, TERMINAL_COLUMNS - text_width(sure));
		paint(c, PLAIN);
		fprintf(c->out, "%s\n", sure);
	} else {
		print_wrapped(c->out, t->title, 0, 0);
		paint(c, PLAIN);
		fprintf(c->out, "%s\n", sure);
	}
}

static void put_fixes(struct checklist *c, const struct told *t)
{
	if (!t->fixes)
		return;
	heading(c, "what_to_do");
	for (size_t i = 0; i < t->fixes; i++) {
		fprintf(c->out, "    %zu. ", i + 1);
		print_wrapped(c->out, t->fix[i], 7, 7);
	}
}

static void put_links(struct checklist *c, const struct told *t)
{
	if (!t->links)
		return;
	heading(c, "links");
	for (size_t i = 0; i < t->links; i++)
		fprintf(c->out, "    %s\n", t->link[i]);
}

static void put_said(struct checklist *c, const char *said)
{
	if (!said)
		return;
	heading(c, "server_said");
	put_paragraph(c, said, 4);
}

/* What the finding rests on: with -v, and of a pasted text always, since there it says what was recognised in it. */
static void put_proof(struct checklist *c, const struct report *r, const struct verdict *v, const struct finding *f)
{
	CLEANUP(arena) struct arena *work = arena_new();

	if (!f->proofs || !(c->verbose || v->kind == VERDICT_EXPLAINED))
		return;
	heading(c, "proof");
	for (size_t i = 0; i < f->proofs; i++) {
		const char *step = r->step[f->proof[i].step].id;

		fputs("    ", c->out);
		print_wrapped(c->out, arena_print(work, "%s: %s = %s", step, f->proof[i].name, f->proof[i].value), 4, 6);
	}
}

static void put_titles(struct checklist *c, const char *name, const struct verdict *v, const struct report *r)
{
	CLEANUP(arena) struct arena *work = arena_new();
	bool begun = false;

	for (size_t i = 1; i < v->findings; i++) {
		struct told t;

		if (v->finding[i].repaired)
			continue;
		if (!begun)
			heading(c, name);
		begun = true;
		tell_finding(r, &v->finding[i], c->lang, work, &t);
		fputs("    - ", c->out);
		print_wrapped(c->out, t.title, 6, 6);
	}
}

static void put_excluded(struct checklist *c, const struct verdict *v)
{
	CLEANUP(arena) struct arena *work = arena_new();

	if (!v->exclusions)
		return;
	heading(c, "ruled_out");
	/* those of the later steps are nearest to what went wrong; all of them are in --json */
	for (size_t i = v->exclusions > RULED_OUT_MOST ? v->exclusions - RULED_OUT_MOST : 0; i < v->exclusions; i++) {
		struct told t;

		tell_cause(v->exclusion[i].cause, c->lang, work, &t);
		fputs("    - ", c->out);
		print_wrapped(c->out, t.title, 6, 6);
	}
}

static const char *reply_in(const struct told *t)
{
	for (size_t i = 0; i < t->values; i++)
		if (strcmp(t->value[i].name, "reply") == 0)
			return t->value[i].text;
	return NULL;
}

static void put_finding(struct checklist *c, const struct report *r, const struct verdict *v, const struct finding *f)
{
	CLEANUP(arena) struct arena *work = arena_new();
	struct told t;

	tell_finding(r, f, c->lang, work, &t);
	put_title(c, certainty_name(f->certainty), who_name(f->who), &t);
	fputc('\n', c->out);
	put_paragraph(c, t.why, 2);
	put_said(c, reply_in(&t));
	put_proof(c, r, v, f);
	put_fixes(c, &t);
	put_links(c, &t);
	put_titles(c, "not_excluded", v, r);
	put_excluded(c, v);
}

void print_told(struct checklist *c, const struct told *t, const char *certainty, const char *who, const char *said)
{
	put_title(c, certainty, who, t);
	fputc('\n', c->out);
	put_paragraph(c, t->why, 2);
	put_said(c, said);
	put_fixes(c, t);
	put_links(c, t);
}

/* Where a server that is to be confirmed was found, in words. */
static const char *source_of(const struct checklist *c, const struct report *r, const struct need *n)
{
	for (size_t i = 0; i < r->fact_count; i++)
		if (strcmp(r->fact[i].name, FACT_SOURCE) == 0 && slice_starts(slice_str(n->value), value(r, r->fact[i].step, FACT_HOST)))
			return ui(c, "source.", r->fact[i].value);
	return ui(c, "source.", "guess");
}

/* A server is needed, and none was found: the need names the service only. */
static bool is_service(const struct need *n)
{
	return strcmp(n->value, "imap") == 0 || strcmp(n->value, "smtp") == 0;
}

/* All needs of one kind: what they are about, one a line, then once what to do about them. */
static void put_needs_of(struct checklist *c, const struct report *r, const struct verdict *v, const char *kind)
{
	CLEANUP(arena) struct arena *work = arena_new();
	struct value values[] = { { "source", NULL }, { "address", r->address } };
	const char  *text;
	char         key[60];
	bool         any = false;

	for (size_t i = 0; i < v->needs; i++) {
		if (strcmp(v->need[i].kind, kind) != 0 || is_service(&v->need[i]))
			continue;
		if (!any)
			fputc('\n', c->out);
		any = true;
		values[0].text = source_of(c, r, &v->need[i]);
		if (*v->need[i].value && strcmp(kind, "confirm_host") == 0)
			fprintf(c->out, "    %s\n", v->need[i].value);
	}
	snprintf(key, sizeof key, "ui/verdict.unfinished_%s", kind);
	if (any && strcmp(kind, "confirm_host") == 0)
		fputc('\n', c->out);
	if (any && catalogue_fill(work, catalogue_text(c->lang, key), values, COUNT(values), &text))
		put_paragraph(c, text, 2);
}

static void put_needs(struct checklist *c, const struct report *r, const struct verdict *v)
{
	put_paragraph(c, ui(c, "verdict.", "unfinished"), 0);
	for (size_t i = 0; i < v->needs; i++)
		if (is_service(&v->need[i])) {
			fputc('\n', c->out);
			put_paragraph(c, ui(c, "verdict.", "unfinished_no_host"), 2);
			break;
		}
	put_needs_of(c, r, v, "confirm_host");
	put_needs_of(c, r, v, "sign_in");
	put_needs_of(c, r, v, "password");
}

/* No test message was asked for. That the calendar was not written to is another matter. */
static bool was_not_sent(const struct report *r)
{
	for (size_t i = 0; i < r->step_count; i++)
		if (r->step[i].skip && strcmp(r->step[i].skip, "not_asked") == 0 && !slice_ends(slice_str(r->step[i].id), "event"))
			return true;
	return false;
}

void print_verdict(struct checklist *c, const struct report *r, const struct verdict *v)
{
	if (c->open_line)
		fputs("\r\033[K", c->out);
	if (c->begun) {
		tell_held(c, r);
		fputc('\n', c->out);
	}
	if (v->kind == VERDICT_CONNECTED) {
		paint(c, GREEN);
		put_paragraph(c, ui(c, "verdict.", was_not_sent(r) ? "connected_not_sent" : "connected"), 0);
		paint(c, PLAIN);
		for (size_t i = 0; i < v->findings; i++) {
			heading(c, "fixed_on_the_way");
			fputc('\n', c->out);
			put_finding(c, r, v, &v->finding[i]);
		}
		return;
	}
	if (v->kind == VERDICT_UNFINISHED)
		put_needs(c, r, v);
	if (v->findings) {
		if (v->kind == VERDICT_UNFINISHED)
			fputc('\n', c->out);
		put_finding(c, r, v, &v->finding[0]);
	}
}

void print_cause(FILE *out, enum cause cause, const struct language *lang)
{
	CLEANUP(arena) struct arena *work = arena_new();
	struct told t;

	tell_cause(cause, lang, work, &t);
	fprintf(out, "%s\n  ", cause_row(cause)->id);
	print_wrapped(out, t.title, 2, 2);
	fputs("  ", out);
	print_wrapped(out, t.why, 2, 2);
	for (size_t i = 0; i < t.fixes; i++) {
		fprintf(out, "    %zu. ", i + 1);
		print_wrapped(out, t.fix[i], 7, 7);
	}
	for (size_t i = 0; i < t.links; i++)
		fprintf(out, "    %s\n", t.link[i]);
	fputc('\n', out);
}
