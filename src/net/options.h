/* options.h -- what the operator wants of the network, from a command line and from the settings, as a struct net_settings.
 *
 * First what the command line says, one by one; then net_options_settings() adds what it left open. The texts of
 * the settings and of ca_file must live as long as the options; the rest is the options' own.
 */
#ifndef NET_OPTIONS_H
#define NET_OPTIONS_H

#include "base/settings.h"
#include "net/net.h"

#define NET_PLACES_MOST 4096      /* a whole test network has hundreds */
#define NET_BLOCKS_MOST 32

struct net_options {
	struct net_settings  net;
	struct net_place    *place;
	struct address_block block[NET_BLOCKS_MOST];
};

bool net_options_resolver(struct net_options *, const char *text);      /* false: not IP or IP:PORT, or too many        */
bool net_options_place(struct net_options *, const char *text);         /* false: not HOST:PORT=IP:PORT, or too many    */

/* FAULT_MALFORMED names the setting that cannot be read. After it `net` is complete. Targets are checked when ranges are given. */
bool net_options_settings(struct net_options *, const struct settings *, struct error *err);
void net_options_release(struct net_options *);

/* Each word of a setting that holds several, blanks or commas between, until `take` says no. */
bool each_word(const char *value, void *self, bool (*take)(void *self, const char *word));

#endif
