#include "wire/resolve.h"

enum { RESOLVE_START, RESOLVE_BOTH, RESOLVE_DONE };

void resolve_init(struct resolve *r, struct arena *job, const char *host, int wait_ms)
{
	*r = (struct resolve){ .host = host, .wait_ms = wait_ms, .outcome = DNS_SILENT, .extended = -1 };
	dns_lookup_init(&r->a, job, host, DNS_A, wait_ms);
	dns_lookup_init(&r->aaaa, job, host, DNS_AAAA, wait_ms);
}

static void take(struct resolve *r, const struct dns_lookup *from, size_t n)
{
	if (n < from->count && r->count < CONNECT_ADDRESSES)
		r->address[r->count++] = from->record[n].address;
}

/* The outcome that says more, where neither family was found. */
static enum dns_outcome more_telling(enum dns_outcome a, enum dns_outcome aaaa)
{
	static const enum dns_outcome order[] = { DNS_NO_NAME, DNS_BOGUS, DNS_LOOP, DNS_SERVER_FAILED, DNS_SERVER_REFUSED, DNS_BROKEN,
	                                          DNS_SILENT, DNS_NO_DATA };

	for (size_t i = 0; i < COUNT(order); i++)
		if (a == order[i] || aaaa == order[i])
			return order[i];
	return a;
}

static void weigh(struct resolve *r)
{
	size_t most = r->a.count > r->aaaa.count ? r->a.count : r->aaaa.count;

	for (size_t i = 0; i < most; i++) {
		take(r, &r->aaaa, i);
		take(r, &r->a, i);
	}
	r->outcome = r->count ? DNS_FOUND : more_telling(r->a.outcome, r->aaaa.outcome);
	r->alias = r->a.alias ? r->a.alias : r->aaaa.alias;
	r->extended = r->a.extended >= 0 ? r->a.extended : r->aaaa.extended;
}

enum want_kind resolve_step(void *self, struct want *w, struct error *err)
{
	struct resolve *r = self;

	switch (r->step) {
	case RESOLVE_START:
		if (address_parse(r->host, &r->address[0])) {
			r->count = 1;
			r->outcome = DNS_FOUND;
			return WANT_NOTHING;
		}
		children_init(&r->both, UNTIL_ALL);
		children_add(&r->both, &r->aaaa_task, dns_lookup_step, &r->aaaa, r->wait_ms);
		children_add(&r->both, &r->a_task, dns_lookup_step, &r->a, r->wait_ms);
		AWAIT(r, RESOLVE_BOTH, want_children(w, &r->both, r->wait_ms)):
		if (want_came(w) == CAME_CANCELLED) {
			fail(err, FAULT_CANCELLED, "looking up %s", r->host);
			return WANT_FAILED;
		}
		weigh(r);

	STEP(r, RESOLVE_DONE):
		return WANT_NOTHING;
	}
	return WANT_FAILED;
}

void resolve_release(struct resolve *r)
{
	dns_lookup_release(&r->a);
	dns_lookup_release(&r->aaaa);
}
