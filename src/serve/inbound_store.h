/* inbound_store.h -- messages of the BCC addresses, kept in the store: each in one transaction with its event `message.received`,
 * and the bus rung after the commit. */
#ifndef SERVE_INBOUND_STORE_H
#define SERVE_INBOUND_STORE_H

#include "serve/inbound.h"
#include "store/store.h"

struct bus;

/* Must outlive every errand. */
struct inbound_shelf {
	struct store *store;
	struct bus   *bus;
};

struct inbound_archive inbound_archive_of(struct inbound_shelf *);

#endif
