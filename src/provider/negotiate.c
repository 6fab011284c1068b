#include "provider/negotiate.h"

#include "model/facts.h"
#include "provider/reach.h"

enum { SAY_START, SAY_TICKET };

void negotiate_init(struct negotiate *n)
{
	*n = (struct negotiate){ 0 };
	ticket_init(&n->ticket);
}

void negotiate_release(struct negotiate *n)
{
	ticket_release(&n->ticket);
	n->begun = false;
}

void negotiate_begin(struct negotiate *n, const struct login *login, const char *host, struct slice binding)
{
	negotiate_release(n);
	negotiate_init(n);
	n->begun = true;
	n->ticket.source = login->tickets;
	n->ticket.user = login->username;
	n->ticket.host = host;
	n->ticket.binding = binding;
}

void negotiate_hear(struct negotiate *n, struct slice token)
{
	n->ticket.heard = token;
	n->step = SAY_START;
}

static const char *trouble_name(enum ticket_trouble trouble)
{
	static const char *const name[] = {
		[TICKET_FINE] = "fine", [TICKET_NONE] = "none", [TICKET_EXPIRED] = "expired", [TICKET_KDC_SILENT] = "kdc_silent",
		[TICKET_NO_SERVICE] = "no_service", [TICKET_NO_USER] = "no_user", [TICKET_KEY_REFUSED] = "key_refused", [TICKET_CLOCK] = "clock",
		[TICKET_UNPROVEN] = "unproven", [TICKET_OTHER] = "other",
	};

	return name[trouble];
}

/* Who is being waited for in vain is the KDC: the library speaks with nobody else. */
static enum want_kind not_spoken(struct report *r, int reported, enum came came, struct error *err)
{
	if (came == CAME_TIMEOUT)
		report_note(r, reported, FACT_TICKET, "%s", trouble_name(TICKET_KDC_SILENT));
	else
		report_note(r, reported, FACT_NET_OUTCOME, "%s", came_name(came));
	fail(err, came_fault(came), "Kerberos: %s", came_name(came));
	return WANT_FAILED;
}

enum want_kind negotiate_step(struct negotiate *n, struct report *r, int reported, int wait_ms, struct want *w, struct error *err)
{
	struct ticket *t = &n->ticket;
	enum came      came;

	switch (n->step) {
	case SAY_START:
		AWAIT(n, SAY_TICKET, want_ticket(w, t, wait_ms)):
		came = want_came(w);
		if (came != CAME)
			return not_spoken(r, reported, came, err);
		if (*t->principal && !report_value(r, reported, FACT_PRINCIPAL))
			report_note(r, reported, FACT_PRINCIPAL, "%s", t->principal);
		if (t->trouble == TICKET_FINE)
			return WANT_NOTHING;
		report_note(r, reported, FACT_TICKET, "%s", trouble_name(t->trouble));
		report_note(r, reported, FACT_TICKET_TEXT, "%s", t->reason);
		fail(err, FAULT_REFUSED, "Kerberos: %s", t->reason);
		return WANT_FAILED;
	}
	return WANT_FAILED;
}
