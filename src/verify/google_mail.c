#include "verify/google_mail.h"

#define LOOK_AT 15       /* the newest of a folder */

enum { ANSWER_FIRST, ANSWER_NEXT, ANSWER_MESSAGE };

/* Folders as webmail.h calls them. */
static const struct { const char *folder, *query; } folders[] = {
	{ "inbox", "labelIds=INBOX" }, { "junkemail", "labelIds=SPAM&includeSpamTrash=true" }, { "sentitems", "labelIds=SENT" },
};

static enum want_kind send(struct webmail *m, struct want *w, struct error *err)
{
	struct google_mail *g = m->session;

	g->google->message = buffer_held(&m->bytes);
	return google_send_step(g->google, w, err);
}

static void begin(struct google_mail *g)
{
	g->step = ANSWER_FIRST;
	g->at = 0;
	g->page = (struct google_messages){ .count = 0 };
	g->report = g->removing = g->kept = false;
}

/* The newest of the folder: Gmail's own search comes late, and finds by its own reading. */
static void ask(struct webmail *m, const char *folder)
{
	struct google_mail *g = m->session;

	begin(g);
	for (size_t i = 0; i < COUNT(folders); i++)
		if (strcmp(folders[i].folder, folder) == 0)
			google_ask(g->google, "GET", arena_print(m->job, "/messages?maxResults=%d&%s", LOOK_AT, folders[i].query));
}

static void ask_report(struct webmail *m)
{
	struct google_mail *g = m->session;

	begin(g);
	g->report = true;
	google_ask(g->google, "GET", arena_print(m->job, "/messages/%s?format=raw", m->bounce_id));
}

static void ask_one_removal(struct webmail *m)
{
	struct google_mail *g = m->session;
	bool                all = google_scope_has(g->google->grant.scope, "https://mail.google.com/");

	google_ask(g->google, all ? "DELETE" : "POST", arena_print(m->job, "/messages/%s%s", m->found[g->at], all ? "" : "/trash"));
}

static void ask_removal(struct webmail *m)
{
	struct google_mail *g = m->session;

	begin(g);
	g->removing = true;
	ask_one_removal(m);
}

/* -- answers ------------------------------------------------------------------------------------------------------ */

static bool is_known(const struct google_mail *g, const char *id)
{
	for (size_t i = 0; i < g->others; i++)
		if (strcmp(g->other[i], id) == 0)
			return true;
	return false;
}

static int status_of(const struct google_mail *g)
{
	return google_web(g->google)->answer.status;
}

static struct slice body_of(const struct google_mail *g)
{
	return buffer_held(&google_web(g->google)->answer.body);
}

/* The class of items that webmail.h knows reports by. */
static const char *kind_of(const struct google_message *message)
{
	struct slice type = slice_str(message->content_type);

	if (!slice_starts(type, "multipart/report"))
		return NULL;
	return slice_has(type, "delivery-status") ? "REPORT.NDR" : "REPORT.IPNRN";
}

/* A report has a subject of its own: that it is about ours its references say. */
static void saw(struct webmail *m)
{
	struct google_mail   *g = m->session;
	struct google_message seen;
	struct error          none = { 0 };
	const char           *kind;

	if (status_of(g) != 200 || !google_message_read(body_of(g), m->job, &seen, &none))
		return;
	kind = kind_of(&seen);
	if (kind && seen.references && strstr(seen.references, m->message.token))
		webmail_saw(m, seen.id, seen.references, seen.from, kind);
	else if (seen.subject && strstr(seen.subject, m->message.token))
		webmail_saw(m, seen.id, seen.subject, seen.from, kind);
	else if (g->others < GOOGLE_MAIL_LOOKED_AT)
		g->other[g->others++] = seen.id;
}

/* The next of the page that was not looked at before. */
static bool ask_next(struct webmail *m)
{
	struct google_mail *g = m->session;

	while (g->at < g->page.count && is_known(g, g->page.id[g->at]))
		g->at++;
	if (g->at == g->page.count)
		return false;
	google_ask(g->google, "GET", arena_print(m->job, "/messages/%s?format=metadata&metadataHeaders=Subject&metadataHeaders=From"
		"&metadataHeaders=Content-Type&metadataHeaders=References&metadataHeaders=In-Reply-To", g->page.id[g->at++]));
	return true;
}

/* The first answer: a list, a whole report, or one removal. */
static void take_first(struct webmail *m)
{
	struct google_mail *g = m->session;
	struct error        none = { 0 };
	struct slice        whole;
	int                 status = status_of(g);

	if (g->removing)
		g->kept |= status != 200 && status != 204;
	else if (g->report && status == 200 && google_raw_read(body_of(g), m->job, &whole, &none))
		webmail_told(m, whole);
	/* a folder that may not be looked at has nothing of ours */
	else if (!g->report && (status != 200 || !google_messages_read(body_of(g), m->job, &g->page, &none)))
		g->page.count = 0;
}

static bool ask_next_removal(struct webmail *m)
{
	struct google_mail *g = m->session;

	if (++g->at >= m->count)
		return false;
	ask_one_removal(m);
	return true;
}

static enum want_kind answer(struct webmail *m, struct want *w, struct error *err)
{
	struct google_mail *g = m->session;

	switch (g->step) {
	case ANSWER_FIRST:
		do {
			PASS(web_ask_step(google_web(g->google), w, err));
			take_first(m);
		} while (g->removing && ask_next_removal(m));

	STEP(g, ANSWER_NEXT):
		if (g->removing || !ask_next(m))
			return WANT_NOTHING;

	STEP(g, ANSWER_MESSAGE):
		PASS(web_ask_step(google_web(g->google), w, err));
		saw(m);
		g->step = ANSWER_NEXT;
		return answer(m, w, err);
	}
	return WANT_FAILED;
}

static bool removed(const struct webmail *m)
{
	return !((const struct google_mail *)m->session)->kept;
}

static void report_to(struct webmail *m, int step)
{
	google_web(((struct google_mail *)m->session)->google)->reported = step;
}

const struct webmail_ways google_mail = { "google.send", send, ask, ask_report, ask_removal, answer, removed, report_to };
