#include "net/options.h"

#include <stdlib.h>

#include "base/arena.h"

bool net_options_resolver(struct net_options *o, const char *text)
{
	struct net_resolver *r = &o->net.resolver[o->net.resolver_count];

	return o->net.resolver_count < NET_RESOLVERS && net_resolver_parse(text, &r->address, &r->port) && ++o->net.resolver_count;
}

bool net_options_place(struct net_options *o, const char *text)
{
	if (o->net.connect_to_count == NET_PLACES_MOST)
		return false;
	o->place = must_realloc(o->place, (o->net.connect_to_count + 1) * sizeof *o->place);
	return net_place_parse(text, &o->place[o->net.connect_to_count]) && ++o->net.connect_to_count;
}

bool each_word(const char *value, void *self, bool (*take)(void *self, const char *word))
{
	CLEANUP(arena) struct arena *work = arena_new();

	while (value && *(value += strspn(value, " ,\t"))) {
		size_t len = strcspn(value, " ,\t");

		if (!take(self, arena_copy(work, slice(value, len))))
			return false;
		value += len;
	}
	return true;
}

static bool take_resolver(void *self, const char *word)
{
	return net_options_resolver(self, word);
}

static bool take_place(void *self, const char *word)
{
	return net_options_place(self, word);
}

static bool take_block(void *self, const char *word)
{
	struct net_options *o = self;

	return o->net.allow_count < NET_BLOCKS_MOST && address_block_parse(word, &o->block[o->net.allow_count]) && ++o->net.allow_count;
}

/* Of several places for one host the last holds: those of the settings stand before those of the command line. */
static bool places_first(struct net_options *o, const char *value)
{
	struct net_place *said = o->place;
	size_t            count = o->net.connect_to_count;
	bool              fine;

	o->place = NULL;
	o->net.connect_to_count = 0;
	fine = each_word(value, o, take_place);
	if (count) {
		o->place = must_realloc(o->place, (o->net.connect_to_count + count) * sizeof *o->place);
		memcpy(o->place + o->net.connect_to_count, said, count * sizeof *said);
		o->net.connect_to_count += count;
	}
	free(said);
	return fine;
}

static bool wrong(enum setting which, struct error *err)
{
	return fail(err, FAULT_MALFORMED, "[%s] %s cannot be read", setting_rows[which].section, setting_rows[which].key);
}

bool net_options_settings(struct net_options *o, const struct settings *s, struct error *err)
{
	if (o->net.resolver_count == 0 && !each_word(s->value[SETTING_NET_RESOLVER], o, take_resolver))
		return wrong(SETTING_NET_RESOLVER, err);
	if (!places_first(o, s->value[SETTING_NET_CONNECT_TO]))
		return wrong(SETTING_NET_CONNECT_TO, err);
	if (!each_word(s->value[SETTING_NET_ALLOW], o, take_block))
		return wrong(SETTING_NET_ALLOW, err);
	if (!o->net.ca_file)
		o->net.ca_file = s->value[SETTING_NET_CA_FILE];
	o->net.check_targets = s->given[SETTING_NET_ALLOW];
	o->net.connect_to = o->place;
	o->net.allow = o->block;
	o->net.user_agent = "mailmoor/" MAILMOOR_VERSION;
	return true;
}

void net_options_release(struct net_options *o)
{
	free(o->place);
	o->place = NULL;
}
