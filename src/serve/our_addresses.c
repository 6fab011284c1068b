#include "serve/our_addresses.h"

#include "base/address.h"
#include "model/facts.h"
#include "serve/api.h"

/* -- the settings ------------------------------------------------------------------------------------------------- */

static struct slice next_configured(struct slice *rest)
{
	size_t       n = 0;
	struct slice one;

	while (rest->len && strchr(" \t,", rest->at[0]))
		*rest = slice_from(*rest, 1);
	while (n < rest->len && !strchr(" \t,", rest->at[n]))
		n++;
	one = slice_upto(*rest, n);
	*rest = slice_from(*rest, n);
	return one;
}

void our_addresses_of_settings(const struct settings *settings, struct arena *into, struct our_addresses *out)
{
	struct slice rest = slice_str(settings->value[SETTING_NET_EGRESS]), one;

	*out = (struct our_addresses){ 0 };
	out->item = arena_get(into, (rest.len / 2 + 1) * sizeof *out->item);
	while ((one = next_configured(&rest)).len)
		out->item[out->count++] = (struct our_address){ .address = arena_copy(into, one), .how = "configured" };
	out->configured = out->count > 0;
}

/* A range may stand there as well. */
static bool is_configured(const struct our_addresses *o, const char *address)
{
	struct address_block block;
	struct address       a;

	for (size_t i = 0; i < o->count; i++)
		if (strcmp(o->item[i].address, address) == 0
		    || (address_parse(address, &a) && address_block_parse(o->item[i].address, &block) && address_in(&a, &block)))
			return true;
	return false;
}

/* -- all of them -------------------------------------------------------------------------------------------------- */

bool our_addresses_read(struct txn *t, const struct settings *settings, struct arena *into, int64_t now, struct our_addresses *out,
                        struct error *err)
{
	struct our_address *learnt;
	size_t              count;

	our_addresses_of_settings(settings, into, out);
	if (!our_address_list(t, into, now, &learnt, &count, err))
		return false;
	if (!out->configured) {
		out->item = learnt;
		out->count = count;
		return true;
	}
	out->stray = arena_get(into, (count + 1) * sizeof *out->stray);
	for (size_t i = 0; i < count; i++)
		if (learnt[i].other_host && !is_configured(out, learnt[i].address))
			out->stray[out->strays++] = learnt[i];
	return true;
}

bool our_address_is_sure(const struct our_addresses *o, const struct our_address *a)
{
	return o->configured || a->other_host;
}

const char *our_addresses_text(const struct our_addresses *o, struct arena *into)
{
	const char *text = NULL;

	for (size_t i = 0; i < o->count; i++)
		text = arena_print(into, "%s%s%s%s", text ? text : "", text ? ", " : "", o->item[i].address,
		                   our_address_is_sure(o, &o->item[i]) ? "" : FACT_OUR_ONCE);
	return text;
}

static void add_witnesses(cJSON *o, const struct our_address *a)
{
	cJSON *hosts = cJSON_AddArrayToObject(o, "hosts");

	if (a->host)
		cJSON_AddItemToArray(hosts, cJSON_CreateString(a->host));
	if (a->other_host)
		cJSON_AddItemToArray(hosts, cJSON_CreateString(a->other_host));
	json_time(o, "first_seen", a->first_seen);
	json_time(o, "last_seen", a->last_seen);
}

cJSON *our_addresses_json(const struct our_addresses *ours, bool hosts)
{
	cJSON *list = cJSON_CreateArray();

	for (size_t i = 0; i < ours->count; i++) {
		const struct our_address *a = &ours->item[i];
		cJSON                    *o = cJSON_CreateObject();

		cJSON_AddStringToObject(o, "address", a->address);
		cJSON_AddStringToObject(o, "how", a->how);
		cJSON_AddBoolToObject(o, "seen_once", !our_address_is_sure(ours, a));
		if (hosts)
			add_witnesses(o, a);
		cJSON_AddItemToArray(list, o);
	}
	return list;
}

/* -- what a report tells ------------------------------------------------------------------------------------------ */

/* The host of that attempt: the server that was asked, and to which the message was given. */
static const char *host_of(const struct report *r, int attempt)
{
	for (size_t i = 0; i < r->fact_count; i++)
		if (r->step[r->fact[i].step].attempt == attempt && strcmp(r->fact[i].name, FACT_HOST) == 0)
			return r->fact[i].value;
	return NULL;
}

size_t our_addresses_told(const struct report *r, int64_t now, struct arena *into, struct our_address out[OUR_ADDRESSES_TOLD])
{
	size_t count = 0;

	for (size_t i = 0; i < r->fact_count && count < OUR_ADDRESSES_TOLD; i++) {
		const struct step *s = &r->step[r->fact[i].step];
		const char        *host = strcmp(r->fact[i].name, FACT_OUR_SEEN) == 0 ? host_of(r, s->attempt) : NULL;

		if (host)
			out[count++] = (struct our_address){
				.address = arena_str(into, r->fact[i].value), .how = strcmp(s->id, "send.arrive") == 0 ? "received" : "ehlo",
				.host = arena_str(into, host), .last_seen = now };
	}
	return count;
}
