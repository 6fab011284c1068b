/* domain.h -- who owns a name: its registrable domain, by the Public Suffix List. */
#ifndef DETECT_DOMAIN_H
#define DETECT_DOMAIN_H

#include <stdbool.h>

/* "birch.example" of "imap.birch.example"; the name itself where it is a public suffix or has none above it. Points
 * into `name`, which is in lower case and A-labels. */
const char *registrable_domain(const char *name);
bool        same_registrable_domain(const char *a, const char *b);

#endif
