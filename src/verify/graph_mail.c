#include "verify/graph_mail.h"

#include "wire/http.h"

#define LOOKED_AT "$top=25&$orderby=receivedDateTime%20desc&" GRAPH_MESSAGE_FIELDS

static enum want_kind send(struct webmail *m, struct want *w, struct error *err)
{
	struct microsoft_session *s = m->session;

	s->message = buffer_held(&m->bytes);
	return microsoft_send_step(s, w, err);
}

/* The newest of the folder, read for our token here: a search of the server's own comes late, and finds by its own reading. */
static void ask(struct webmail *m, const char *folder)
{
	microsoft_get(m->session, microsoft_target(m->session, arena_print(m->job, "/mailFolders/%s/messages?%s", folder, LOOKED_AT), m->job));
}

static void ask_report(struct webmail *m)
{
	const char *id = http_url_encode(m->bounce_id, m->job);

	microsoft_get(m->session, microsoft_target(m->session, arena_print(m->job, "/messages/%s/$value", id), m->job));
}

/* For good: a message of ours is nobody's to find among what was deleted. */
static void ask_removal(struct webmail *m)
{
	struct graph_question q[WEBMAIL_FOUND];

	for (size_t i = 0; i < m->count; i++) {
		const char *rest = arena_print(m->job, "/messages/%s/permanentDelete", http_url_encode(m->found[i], m->job));

		q[i] = (struct graph_question){ "POST", microsoft_path(m->session, rest, m->job) };
	}
	microsoft_batch(m->session, q, m->count);
}

static void saw_all(struct webmail *m, struct slice body)
{
	struct graph_message seen[GRAPH_MESSAGES];
	int                  count = graph_messages_read(body, m->job, seen, GRAPH_MESSAGES);

	for (int i = 0; i < count; i++)
		webmail_saw(m, seen[i].id, seen[i].subject, seen[i].from, seen[i].message_class);
}

static enum want_kind answer(struct webmail *m, struct want *w, struct error *err)
{
	struct microsoft_session *s = m->session;
	struct slice              type;

	PASS(web_ask_step(&s->web, w, err));
	/* a folder that may not be looked at has nothing of ours */
	if (s->web.answer.status != 200)
		return WANT_NOTHING;
	/* only a message comes as it is, everything else in JSON */
	if (web_field(&s->web, "Content-Type", &type) && slice_starts(type, "text/plain"))
		webmail_told(m, buffer_held(&s->web.answer.body));
	else
		saw_all(m, buffer_held(&s->web.answer.body));
	return WANT_NOTHING;
}

static bool removed(const struct webmail *m)
{
	const struct microsoft_session *s = m->session;
	struct graph_reply              reply[WEBMAIL_FOUND];
	struct error                    none = { 0 };
	bool                            all = graph_batch_read(buffer_held(&s->web.answer.body), m->job, reply, m->count, &none);

	for (size_t i = 0; all && i < m->count; i++)
		all = reply[i].status == 204;
	return all;
}

static void report_to(struct webmail *m, int step)
{
	struct microsoft_session *s = m->session;

	s->reported = s->web.reported = step;
}

const struct webmail_ways graph_mail = { "microsoft.send", send, ask, ask_report, ask_removal, answer, removed, report_to };
