/* A mailbox by IMAP: its line is held. */
#include <stdint.h>

#include "serve/kept_kind.h"

static void open_it(struct kept *k, const struct mailbox_owner *owner, const struct flow_worked *worked, const struct endpoint *place)
{
	struct inbox_place known = { 0 };

	(void)worked;
	inbox_place_read(k->round->account.cursor, &known);
	mailbox_init(k->mailbox, owner, k, k->address, place, TLS_QUICK, known.uidvalidity, known.uidnext);
}

/* Gmail, whose interface is off for our registration: see flow.c. */
static void open_gmail(struct kept *k, const struct mailbox_owner *owner, const struct flow_worked *worked, const struct endpoint *place)
{
	struct inbox_place known = { 0 };

	(void)worked;
	inbox_place_read(k->round->account.cursor, &known);
	mailbox_init_gmail_imap(k->mailbox, owner, k, k->address, place, known.uidvalidity, known.uidnext, keeper_google(k->loop->keeper),
	                        account_terms(&k->round->account), grant_safe(k));
}

static void cursor(const struct mailbox *m, cJSON *into)
{
	cJSON_AddNumberToObject(into, "uidvalidity", m->watch.uidvalidity);
	cJSON_AddNumberToObject(into, "uidnext", m->watch.uidnext);
}

const struct kept_kind kept_by_imap = { .open = open_it, .cursor = cursor };
const struct kept_kind kept_by_gmail_imap = { .interface = "gmail_imap", .granted = true, .open = open_gmail, .cursor = cursor };
