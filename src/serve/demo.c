#include "serve/demo_parts.h"

#include <assert.h>
#include <string.h>

#include "base/clock.h"
#include "connect/credentials.h"
#include "connect/grant.h"
#include "model/mailaddress.h"
#include "serve/api.h"
#include "serve/http_parts.h"
#include "serve/signin_account.h"
#include "store/accounts.h"
#include "store/workspaces.h"

const char *demo_onward(const struct daemon *d, const char *url, const char *person, struct arena *into)
{
	static const char https[] = "https://";

	if (!d->demo || !url || strncmp(url, https, sizeof https - 1) != 0)
		return url;
	url = arena_print(into, "/demo/at/%s", url + sizeof https - 1);
	if (!person || strstr(url, "login_hint=") || !strchr(url, '?'))
		return url;
	return arena_print(into, "%s&login_hint=%s", url, person);
}

void demo_tables(const struct route *out[DEMO_TABLES])
{
	size_t n = 0;

	for (; http_routes[n] && n + 2 < DEMO_TABLES; n++)
		out[n] = http_routes[n];
	assert(!http_routes[n]);
	out[n++] = routes_demo;
	out[n] = NULL;
}

/* -- the mailboxes -------------------------------------------------------------------------------------------------- */

struct filling {
	struct daemon *d;
	struct arena  *work;
};

static bool take_place(struct account *a, enum service s, const char *place, struct arena *into)
{
	const char        *colon = place ? strrchr(place, ':') : NULL;
	unsigned long long port = 0;

	if (!place)
		return true;
	if (!colon || !slice_number(slice_str(colon + 1), 65535, &port))
		return false;
	a->host[s] = arena_copy(into, slice(place, (size_t)(colon - place)));
	a->port[s] = (uint16_t)port;
	return true;
}

bool demo_needs_nobody(const struct demo_mailbox *m)
{
	return m->password || m->grant_file || m->tenant;
}

/* What is kept of it under lock: its password, what was granted, or that nothing is needed but the operator's own key. */
static bool secret_of(const struct demo_mailbox *m, struct arena *into, struct slice *out, struct error *err)
{
	struct credentials c = { 0 };
	bool               fine = true;

	if (m->password) {
		*out = slice_str(m->password);
		return true;
	}
	if (m->grant_file)
		fine = credentials_read_token(&c, m->grant_file, err);
	*out = grant_write(&(struct oauth_grant){ c.token, c.refresh_token, c.scope, c.expires_at, c.granted_at }, into);
	credentials_release(&c);
	return fine;
}

static bool add(struct txn *t, struct filling *f, const char *workspace, const struct demo_mailbox *m, struct error *err)
{
	struct mail_address address;
	const char         *problem;
	struct account      a = { .id = new_id(f->work, "acc"), .workspace = workspace, .provider = m->provider, .username = m->username,
		.ews_url = m->ews_url, .impersonate = m->impersonate, .caldav_url = m->caldav_url, .tenant = m->tenant, .lang = "en",
		.created = clock_unix_ms() };
	struct slice        secret, sealed;

	if (!mail_address_parse(m->address, f->work, &address, &problem))
		return fail(err, FAULT_MALFORMED, "%s: %s", m->address, problem);
	if (!take_place(&a, SERVICE_IMAP, m->imap, f->work) || !take_place(&a, SERVICE_SMTP, m->smtp, f->work))
		return fail(err, FAULT_MALFORMED, "%s: a server is HOST:PORT", m->address);
	a.address = address.text;
	a.key = mail_address_key(&address, f->work);
	account_begin_again(&a, a.created);
	return secret_of(m, f->work, &secret, err) && vault_seal(f->d->vault, arena_print(f->work, "%s/password", a.id), secret, f->work, &sealed, err)
	    && account_insert(t, &a, err) && sealed_put(t, a.id, "password", sealed, err);
}

static bool fill(struct txn *t, void *self, struct error *err)
{
	struct filling    *f = self;
	const struct demo *demo = f->d->demo;
	struct workspace  *w;
	size_t             count;

	if (!workspace_list(t, f->work, &w, &count, err))
		return false;
	for (size_t i = 0; i < demo->mailboxes; i++)
		if (demo_needs_nobody(&demo->mailbox[i]) && !add(t, f, w[0].id, &demo->mailbox[i], err))
			return false;
	return true;
}

bool demo_begin(struct daemon *d, struct error *err)
{
	CLEANUP(arena) struct arena *work = arena_new();
	struct filling f = { d, work };

	return store_write_wait(d->store, fill, &f, err);
}
