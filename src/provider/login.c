#include "provider/login.h"

#include "model/facts.h"

const struct sasl_mechanism *login_choose(struct report *r, int step, struct slice offered, const struct login *l, bool plain_allowed)
{
	const struct sasl_mechanism *m = sasl_choose(offered, l->password != NULL, l->token != NULL);

	report_fact(r, step, FACT_AUTH_OFFERED, offered);
	report_note(r, step, FACT_AUTH_BY, "%s", l->token ? "token" : "password");
	if (l->username_form)
		report_note(r, step, FACT_AUTH_USERNAME, "%s", l->username_form);
	if (m)
		report_note(r, step, FACT_AUTH_MECHANISM, "%s", m->name);
	else if (!plain_allowed)
		report_note(r, step, FACT_AUTH_NO_COMMON, "yes");
	return m;
}

struct sasl *login_sasl(const struct login *l, const struct sasl_mechanism *m, const struct endpoint *e)
{
	return sasl_new(m, &(struct sasl_credentials){ .user = l->username, .password = l->password, .token = l->token,
		.host = e->host, .port = e->port, .nonce = l->nonce });
}

/* The facts of a refused token: {"status":"401", …}. */
static void reason_facts(struct report *r, int step, const char *json)
{
	struct slice text = slice_str(json), status;

	if (!*json)
		return;
	report_fact(r, step, FACT_SASL_REASON, text);
	/* One value is all that is wanted of it: "status":"401" (Google), "status":"invalid_token" (RFC 7628). */
	status = slice_from(text, slice_search(text, "\"status\"") + strlen("\"status\""));
	slice_cut(&status, '"');
	status = slice_cut(&status, '"');
	if (status.len)
		report_fact(r, step, FACT_SASL_STATUS, status);
}

bool login_refused(struct report *r, int step, const struct sasl *sasl, bool cancelled)
{
	if (cancelled)
		report_note(r, step, FACT_AUTH_NO_COMMON, "yes");
	else
		r->password_tries++;
	if (sasl)
		reason_facts(r, step, sasl_reason(sasl));
	return !cancelled;
}
