#include "serve/servers.h"

#include <stddef.h>
#include <string.h>

#include "serve/registration.h"

/* A person waits for it with the hands on the keys: what is not known by then is found while connecting. */
#define SEARCH_MS 6000

/* A link is for one mailbox: so many addresses are typed into it, and no more. A domain may have many people who begin at once. */
static const struct rate_limit of_link = { .burst = 12 }, of_domain = { .burst = 20, .per_second = 1 };

static const struct endpoint *announced(const struct flow_found *found, enum service s)
{
	return found->count[s] && endpoint_trusted(&found->item[s][0]) ? &found->item[s][0] : NULL;
}

/* What the clouds have is connected as theirs; their servers are nothing to fill in. There a person signs in, with no password
 * given to us: at Microsoft there is no other way; at Google there is, where nobody registered us. */
static void take(const struct flow_found *found, const struct app *app, struct arena *into, struct servers_found *out)
{
	const struct signin_place *place = signin_place(found->provider);

	if (found->provider && strcmp(found->provider, "exchange") == 0) {
		out->provider = "exchange";
		out->ews_url = found->ews_url ? arena_str(into, found->ews_url) : NULL;
		return;
	}
	if (place && (place->at == SIGNIN_MICROSOFT || registered_at(app, place))) {
		out->provider = place->name;
		return;
	}
	if (found->provider && strcmp(found->provider, "imap") != 0)
		return;
	out->caldav_url = found->caldav_url ? arena_str(into, found->caldav_url) : NULL;
	if (!announced(found, SERVICE_IMAP))
		return;
	out->provider = "imap";
	for (enum service s = 0; s < SERVICES; s++)
		if (announced(found, s)) {
			out->host[s] = arena_str(into, announced(found, s)->host);
			out->port[s] = announced(found, s)->port;
		}
}

static void finish(struct exchange *x)
{
	struct servers_search *s = x->finisher;
	struct servers_found   found = { 0 };

	if (!s->search.called_off)
		take(&s->search.place, &x->service->app, x->job, &found);
	report_free(s->search.report);
	s->answer(s, &found);
}

/* In the finder's thread. */
static void found(struct search *search)
{
	http_wake(((struct servers_search *)((char *)search - offsetof(struct servers_search, search)))->x);
}

static bool may_search(struct servers_search *s)
{
	struct exchange *x = s->x;

	return http_may(x, arena_print(x->job, "find %s", s->link), of_link)
	    && http_may(x, arena_print(x->job, "find %s", s->address.domain), of_domain);
}

void servers_search(struct servers_search *s)
{
	struct exchange     *x = s->x;
	struct servers_found nothing = { 0 };

	s->search = (struct search){ .workspace = x->workspace, .found = found,
		.request = { .address = s->address.text, .provider = "auto", .trust = &s->trust, .timeout_ms = SEARCH_MS,
			.find_calendar = true } };
	/* before it begins: it may be over before this returns */
	x->finish = finish;
	x->finisher = s;
	if (x->service->finder && may_search(s) && finder_search(x->service->finder, &s->search) == FINDER_TAKEN)
		return;
	x->finish = NULL;
	s->answer(s, &nothing);
}
