/* subscription.h -- the subscription that Graph has of a mailbox, as a member of the account's cursor. Any thread. */
#ifndef SERVE_SUBSCRIPTION_H
#define SERVE_SUBSCRIPTION_H

#include "base/json.h"
#include "serve/kept_kind.h"

void        subscription_write(cJSON *cursor, const struct microsoft_subscription *);       /* nothing where there is none */
bool        subscription_read(const char *cursor, struct microsoft_subscription *out);      /* false: none is known        */
/* What stands for Gmail's watch, which kept_google.c has there. */
#define SUBSCRIPTION_AT_GOOGLE "watch"

/* The rest of it, without either; NULL for NULL. From `into`, or as it was. */
const char *cursor_without_subscription(const char *cursor, struct arena *into);

#endif
