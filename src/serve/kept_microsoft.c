/* A mailbox at Microsoft 365 or Outlook.com, by Graph: polled, and told of where Graph reaches us. */
#include "base/log.h"
#include "serve/kept_kind.h"
#include "serve/notices.h"
#include "serve/subscription.h"

/* Who is told of it by Graph, and why not. That nobody reaches us there is the operator's to put right. */
static void count_notices(struct kept *k, struct microsoft_notices *n)
{
	bool told = microsoft_notices_stand(n, k->loop->now_ms);

	atomic_fetch_add(&k->loop->counts.graph_told, told - k->told);
	atomic_fetch_add(&k->loop->counts.graph_notices, n->heard);
	n->heard = 0;
	if (told && !k->told)
		LOG(LOG_NEWS, "mailbox.told", LOG_TEXT("account", k->id));
	k->told = told;
	if (n->troubled)
		LOG(n->place && n->place->refusals ? LOG_CAUTION : LOG_NEWS, "mailbox.untold", LOG_TEXT("account", k->id), LOG_TEXT("why", n->why),
		    LOG_TEXT("url", n->place && n->place->url ? n->place->url : ""));
	n->troubled = false;
}

static void count(struct kept *k, struct mailbox *m)
{
	struct microsoft_watch *x = &m->microsoft;

	atomic_fetch_add(&k->loop->counts.graph_polls, x->polls);
	atomic_fetch_add(&k->loop->counts.graph_throttled, x->throttled);
	x->polls = x->throttled = 0;
	if (x->renumbered)
		LOG(LOG_NEWS, "mailbox.delta_forgotten", LOG_TEXT("account", k->id));
	x->renumbered = false;
	count_notices(k, &m->notices);
}

static const char *client_state(void *self, const char *nonce, struct arena *into)
{
	const struct kept *k = self;

	return notice_state(k->loop->daemon->vault, k->id, nonce, into);
}

static void have_it_told(struct kept *k)
{
	struct microsoft_subscription kept;
	bool                          known = subscription_read(k->round->account.cursor, &kept);

	mailbox_have_it_told(k->mailbox, &k->loop->place, &(struct microsoft_prover){ k, client_state }, known ? &kept : NULL);
}

void kept_hear(struct kept *k, const char *nonce, const struct graph_notice *notice)
{
	if (k->mailbox && k->kind == &kept_by_graph)
		microsoft_notices_hear(&k->mailbox->notices, nonce, notice);
}

static const char *delta_link_read(const char *json, struct arena *into, int64_t *since_out)
{
	cJSON      *o = json ? json_read(slice_str(json), CURSOR_LONGEST, NULL) : NULL;
	const char *link = json_text(o, "delta_link"), *copy = link && *link ? arena_str(into, link) : NULL;
	double      since = json_number(o, "since", 0);

	*since_out = since > 0 && since < 1e11 ? (int64_t)since : 0;
	cJSON_Delete(o);
	return copy;
}

static void open_it(struct kept *k, const struct mailbox_owner *owner, const struct flow_worked *worked, const struct endpoint *place)
{
	const struct account *a = &k->round->account;
	int64_t               since;
	const char           *link = delta_link_read(a->cursor, k->round->job, &since);

	(void)place;
	mailbox_init_microsoft(k->mailbox, owner, k, k->address, worked->others ? worked->username : NULL,
	                       keeper_microsoft(k->loop->keeper), account_terms(a), grant_safe(k), link, since);
	k->mailbox->microsoft.poll_ms = keeper_graph_poll_ms(k->loop->keeper);
	/* of another's mailbox Graph tells nobody who signed in: it is polled */
	if (rights_have_mail(account_terms(a).rights) && !worked->others)
		have_it_told(k);
}

static void cursor(const struct mailbox *m, cJSON *into)
{
	if (m->microsoft.delta_link) {
		cJSON_AddStringToObject(into, "delta_link", m->microsoft.delta_link);
		cJSON_AddNumberToObject(into, "since", (double)m->microsoft.since);
	}
	subscription_write(into, &m->notices.kept);
}

const struct kept_kind kept_by_graph = { .interface = "graph", .granted = true, .open = open_it, .count = count, .cursor = cursor };
