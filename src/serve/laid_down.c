#include "serve/laid_down.h"

#include "base/json.h"
#include "store/workspaces.h"

#define SETTINGS_LONGEST ((size_t)256 * 1024)      /* the certificates, with what JSON makes of their lines */

static const char *text_of(const cJSON *o, const char *name, struct arena *into)
{
	const char *text = json_text(o, name);

	return text ? arena_str(into, text) : NULL;
}

static void read_settings(const char *json, struct arena *into, struct laid_down *out)
{
	cJSON *o = json_read(slice_str(json), SETTINGS_LONGEST, NULL);

	for (enum service s = 0; s < SERVICES; s++) {
		const cJSON *server = cJSON_GetObjectItemCaseSensitive(o, service_name(s));

		out->host[s] = text_of(server, "host", into);
		out->port[s] = (uint16_t)json_number(server, "port", 0);
	}
	out->ews_url = text_of(o, "ews_url", into);
	out->trust = (struct own_trust){ .ca_pem = text_of(o, "ca_pem", into), .pin = text_of(o, "pin", into) };
	cJSON_Delete(o);
}

bool laid_down_for(struct txn *t, struct arena *into, const char *workspace, const char *address, struct laid_down *out, struct error *err)
{
	const char            *at = strrchr(address, '@');
	struct domain_settings found;
	struct error           none = { 0 };

	*out = (struct laid_down){ 0 };
	if (!at)
		return true;
	if (!domain_get(t, into, workspace, at + 1, &found, &none))
		return none.fault == FAULT_ABSENT || fail(err, none.fault, "%s", none.text);
	read_settings(found.json, into, out);
	return true;
}

/* Who names a mail server, or IMAP, does not mean Exchange. */
static bool may_be_exchange(const struct account *a)
{
	return strcmp(a->provider, "exchange") == 0 || (strcmp(a->provider, "auto") == 0 && !a->host[SERVICE_IMAP] && !a->host[SERVICE_SMTP]);
}

void laid_down_fill(const struct laid_down *l, struct account *a)
{
	for (enum service s = 0; s < SERVICES; s++)
		if (!a->host[s] && l->host[s]) {
			a->host[s] = l->host[s];
			a->port[s] = l->port[s];
		}
	if (!a->ews_url && may_be_exchange(a))
		a->ews_url = l->ews_url;
}
