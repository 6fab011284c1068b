#include "verify/exchange_mail.h"

#define LOOKED_AT 20      /* items with our words in their subject: there is one, or there are few */

static void take_item(void *self, const struct ews_item *item)
{
	if (item->kind == EWS_ITEM)
		webmail_saw(self, item->id, item->subject, item->from_address, item->item_class);
}

static void take_told(void *self, struct slice piece)
{
	webmail_told(self, piece);
}

static enum want_kind send(struct webmail *m, struct want *w, struct error *err)
{
	struct exchange_session *s = m->session;

	s->message = buffer_held(&m->bytes);
	return exchange_send_step(s, w, err);
}

static void ask(struct webmail *m, const char *folder)
{
	struct exchange_session *s = m->session;
	struct ews_header        h = exchange_header(s);
	/* what is sent is kept by who sends it, also where that is for another's mailbox */
	struct ews_folder        where = { .distinguished = folder, .mailbox = s->others && strcmp(folder, "sentitems") != 0 ? m->address : NULL };

	buffer_clear(&s->soap);
	ews_find_item(&s->soap, &h, &where, m->message.token, LOOKED_AT);
	exchange_ask(s, false);
}

static void ask_report(struct webmail *m)
{
	struct exchange_session *s = m->session;
	struct ews_header        h = exchange_header(s);

	buffer_clear(&s->soap);
	ews_get_item(&s->soap, &h, &m->bounce_id, 1, true);
	exchange_ask(s, false);
}

static void ask_removal(struct webmail *m)
{
	struct exchange_session *s = m->session;
	struct ews_header        h = exchange_header(s);

	buffer_clear(&s->soap);
	ews_delete_item(&s->soap, &h, m->found, m->count);
	exchange_ask(s, false);
}

static enum want_kind answer(struct webmail *m, struct want *w, struct error *err)
{
	const struct ews_listener listener = { .self = m, .item = take_item, .mime = take_told };

	return exchange_answer_step(m->session, &listener, w, err);
}

static bool removed(const struct webmail *m)
{
	const struct exchange_session *s = m->session;
	const struct ews_answer       *a = s->answer;

	for (size_t i = 0; a && i < a->count && i < EWS_OUTCOMES; i++)
		if (!a->outcome[i].ok)
			return false;
	return a && a->count;
}

static void report_to(struct webmail *m, int step)
{
	struct exchange_session *s = m->session;

	s->reported = s->web.reported = step;
}

const struct webmail_ways exchange_mail = { "exchange.send", send, ask, ask_report, ask_removal, answer, removed, report_to };
