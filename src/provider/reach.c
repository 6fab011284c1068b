#include "provider/reach.h"

#include <stdio.h>
#include <time.h>

#include "model/facts.h"

enum { REACH_START, REACH_RESOLVED, REACH_CONNECTED, REACH_TLS, REACH_SHAKEN, REACH_DONE };

struct waits waits_within(int whole_ms)
{
	int third = whole_ms / 3;

	return (struct waits){
		.lookup_ms  = third < 5000 ? third : 5000,
		.connect_ms = third < 10000 ? third : 10000,
		.tls_ms     = third < 10000 ? third : 10000,
		/* who has not greeted by then waits for something else, TLS for one (facts H.3) */
		.greeting_ms = whole_ms / 2 < 10000 ? whole_ms / 2 : 10000,
		/* a server may well think for two seconds about a wrong password, and a resolver of theirs may be slow */
		.reply_ms   = whole_ms / 2 < 20000 ? whole_ms / 2 : 20000,
	};
}

const char *step_id(struct report *r, const char *prefix, const char *name)
{
	return arena_print(r->job, "%s.%s", prefix, name);
}

enum fault came_fault(enum came came)
{
	switch (came) {
	case CAME_TIMEOUT:     return FAULT_TIMEOUT;
	case CAME_NOT_ALLOWED: return FAULT_NOT_ALLOWED;
	case CAME_TLS_FAILED:  return FAULT_TLS;
	case CAME_FULL:        return FAULT_TOO_BIG;
	case CAME_CANCELLED:   return FAULT_CANCELLED;
	default:               return FAULT_NETWORK;
	}
}

const char *protocol_of(struct slice first)
{
	static const struct { const char *begins, *protocol; } table[] = {      /* facts H.4 */
		{ "* OK", "imap" },   { "* BYE", "imap" }, { "* PREAUTH", "imap" }, { "+OK", "pop3" },  { "-ERR", "pop3" },
		{ "HTTP/", "http" },  { "<html", "http" }, { "<!DOCTYPE", "http" }, { "SSH-", "ssh" },
		{ "220", "smtp" },    { "554 ", "smtp" },  { "421 ", "smtp" },      { "554-", "smtp" },
	};

	if (first.len >= 3 && (first.at[0] == 0x15 || first.at[0] == 0x16) && first.at[1] == 3)
		return "tls";
	for (size_t i = 0; i < COUNT(table); i++)
		if (slice_starts(first, table[i].begins))
			return strcmp(table[i].protocol, "smtp") == 0 && slice_has(first, "FTP") ? "ftp" : table[i].protocol;
	return NULL;
}

void reach_init(struct reach *s, struct report *report, const struct endpoint *endpoint, const char *prefix, struct line *line,
                struct waits waits, int attempt)
{
	*s = (struct reach){ .report = report, .endpoint = endpoint, .prefix = prefix, .line = line, .waits = waits, .attempt = attempt,
	                     .tls.alert = -1 };
	resolve_init(&s->resolve, report->job, endpoint->host, waits.lookup_ms);
}

static int begin(struct reach *s, const char *name, const struct want *w)
{
	return s->reported = report_begin(s->report, step_id(s->report, s->prefix, name), s->attempt, w->now_ms);
}

static void end(struct reach *s, enum step_state state, const struct want *w)
{
	report_end(s->report, s->reported, state, w->now_ms);
}

static enum want_kind failed(struct reach *s, enum came came, const struct want *w, struct error *err, const char *doing)
{
	fail(err, came_fault(came), "%s %s:%u: %s", doing, s->endpoint->host, s->endpoint->port, came_name(came));
	end(s, STEP_FAILED, w);
	return WANT_FAILED;
}

static void endpoint_facts(struct reach *s)
{
	const struct endpoint *e = s->endpoint;

	report_note(s->report, s->reported, FACT_HOST, "%s", e->host);
	report_note(s->report, s->reported, FACT_PORT, "%u", e->port);
	report_note(s->report, s->reported, FACT_SOCKET, "%s", e->socket == SOCKET_TLS ? "tls" : "starttls");
	report_note(s->report, s->reported, FACT_SOURCE, "%s", endpoint_source_name(e->source));
	report_note(s->report, s->reported, FACT_TRUSTED, "%s", endpoint_trusted(e) ? "yes" : "no");
}

static void resolve_facts(struct reach *s)
{
	char text[ADDRESS_TEXT];

	report_note(s->report, s->reported, FACT_DNS_OUTCOME, "%s", dns_outcome_name(s->resolve.outcome));
	for (size_t i = 0; i < s->resolve.count; i++)
		report_note(s->report, s->reported, FACT_NET_ADDRESS, "%s", address_text(&s->resolve.address[i], text));
	if (s->resolve.alias)
		report_note(s->report, s->reported, FACT_DNS_ALIAS, "%s", s->resolve.alias);
	if (s->resolve.extended >= 0)
		report_note(s->report, s->reported, FACT_DNS_EDE, "%d", s->resolve.extended);
}

static void take_addresses(struct reach *s)
{
	s->connect = (struct connect_answer){ .count = s->resolve.count };
	for (size_t i = 0; i < s->resolve.count; i++)
		s->connect.tried[i].address = s->resolve.address[i];
}

/* How each family fared, where they differ: the classic "AAAA but no IPv6 here". */
static void family_facts(struct reach *s)
{
	enum came v4 = CAME_NOTHING, v6 = CAME_NOTHING;

	for (size_t i = 0; i < s->connect.count; i++) {
		const struct connect_try *t = &s->connect.tried[i];
		enum came *family = t->address.family == 6 ? &v6 : &v4;

		if (t->came != CAME_NOTHING && *family != CAME)
			*family = t->came;
	}
	if (v4 != CAME_NOTHING && v6 != CAME_NOTHING && v4 != v6)
		report_note(s->report, s->reported, FACT_NET_FAMILIES, "ipv6 %s, ipv4 %s", came_name(v6), came_name(v4));
}

static void connect_facts(struct reach *s, enum came came)
{
	char text[ADDRESS_TEXT];

	report_note(s->report, s->reported, FACT_NET_OUTCOME, "%s", came_name(came));
	for (size_t i = 0; i < s->connect.count; i++) {
		const struct connect_try *t = &s->connect.tried[i];

		if (t->came != CAME_NOTHING && t->came != CAME)
			report_note(s->report, s->reported, FACT_NET_TRIED, "%s port %u: %s, %d ms",
			            address_text(&t->address, text), s->endpoint->port, came_name(t->came), t->ms);
	}
	if (came == CAME)
		report_note(s->report, s->reported, FACT_NET_ADDRESS, "%s",
		            address_text(&s->connect.tried[s->connect.chosen].address, text));
	family_facts(s);
}

static void note_time(struct report *r, int step, const char *name, int64_t when)
{
	time_t    t = (time_t)when;
	struct tm tm;
	char      text[40];

	if (gmtime_r(&t, &tm) && strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &tm))
		report_note(r, step, name, "%s", text);
}

static void note_flaws(struct report *r, int step, unsigned flaws)
{
	static const struct { unsigned flaw; const char *name; } names[] = {
		{ TLS_FLAW_NAME, "name" },                 { TLS_FLAW_EXPIRED, "expired" },   { TLS_FLAW_NOT_YET, "not_yet" },
		{ TLS_FLAW_SELF_SIGNED, "self_signed" },   { TLS_FLAW_PRIVATE_ROOT, "private_root" },
		{ TLS_FLAW_NO_ISSUER, "no_issuer" },       { TLS_FLAW_REVOKED, "revoked" },   { TLS_FLAW_WEAK, "weak" },
		{ TLS_FLAW_OTHER, "other" },               { TLS_FLAW_PIN, "pin" },
	};

	for (size_t i = 0; i < COUNT(names); i++)
		if (flaws & names[i].flaw)
			report_note(r, step, FACT_TLS_FLAW, "%s", names[i].name);
}

static void note_chain(struct report *r, int step, const struct tls_answer *a)
{
	const struct tls_certificate *leaf = &a->chain[0], *last = &a->chain[a->chain_len - 1];
	const struct tls_certificate *dated = leaf;

	/* The date that matters is that of the certificate with the flaw: sometimes an intermediate's. */
	if ((a->flaws & (TLS_FLAW_EXPIRED | TLS_FLAW_NOT_YET)) && a->flaw_depth > 0 && (size_t)a->flaw_depth < a->chain_len)
		dated = &a->chain[a->flaw_depth];
	report_note(r, step, FACT_TLS_SUBJECT, "%s", leaf->subject);
	report_note(r, step, FACT_TLS_SAN, "%s", leaf->names);
	report_note(r, step, FACT_TLS_ISSUER, "%s", leaf->issuer_name);
	if (!last->self_issued && last != leaf)
		report_note(r, step, FACT_TLS_LAST_ISSUER, "%s", last->issuer_name);
	else if (last != leaf)
		report_note(r, step, FACT_TLS_LAST_ISSUER, "%s", last->subject_name);
	if (dated != leaf)
		report_note(r, step, FACT_TLS_EXPIRED_NAME, "%s", dated->subject_name);
	note_time(r, step, FACT_TLS_NOT_BEFORE, dated->not_before);
	note_time(r, step, FACT_TLS_NOT_AFTER, dated->not_after);
	if (leaf->aia[0])
		report_note(r, step, FACT_TLS_AIA, "%s", leaf->aia);
	report_note(r, step, FACT_TLS_KEY, "%s", leaf->key);
	report_note(r, step, FACT_TLS_SIGNATURE, "%s", leaf->signature);
	report_note(r, step, FACT_TLS_FINGERPRINT, "%s", leaf->fingerprint);
	report_note(r, step, FACT_TLS_PIN, "%s", leaf->pin);
	report_note(r, step, FACT_TLS_CHAIN_LENGTH, "%zu", a->chain_len);
}

void reach_tls_facts(struct report *r, int step, const struct tls_answer *a, enum came came)
{
	const char *protocol = protocol_of(slice((const char *)a->first, a->first_len));

	report_note(r, step, FACT_NET_OUTCOME, "%s", came_name(came));
	report_note(r, step, FACT_TLS_SHOOK, "%s", a->shook ? "yes" : "no");
	if (a->shook) {
		report_note(r, step, FACT_TLS_VERIFY, "%s", a->flaws ? a->verify : "ok");
		report_note(r, step, FACT_TLS_VERSION, "%s", a->version);
		report_note(r, step, FACT_TLS_CIPHER, "%s", a->cipher);
	}
	if (a->shook && !a->flaws && a->by != TLS_BY_ALL)
		report_note(r, step, FACT_TLS_TRUSTED_BY, "%s", a->by == TLS_BY_OWN_PIN ? "own_pin" : "own_ca");
	note_flaws(r, step, a->flaws);
	if (a->chain_len)
		note_chain(r, step, a);
	if (a->alert >= 0)
		report_note(r, step, FACT_TLS_ALERT, "%d", a->alert);
	if (a->wants_client_certificate)
		report_note(r, step, FACT_TLS_CLIENT_CERT, "yes");
	if (came != CAME && a->reason[0])
		report_note(r, step, FACT_TLS_REASON, "%s", a->reason);
	if (came != CAME && a->first_len && !a->shook && (!protocol || strcmp(protocol, "tls") != 0)) {
		report_fact(r, step, FACT_FIRST_BYTES, slice((const char *)a->first, a->first_len));
		if (protocol)
			report_note(r, step, FACT_PROTOCOL, "%s", protocol);
	}
}

enum want_kind reach_tls_step(void *self, struct want *w, struct error *err)
{
	struct reach *s = self;

	switch (s->step) {
	default:
		begin(s, "tls", w);
		s->tls = (struct tls_answer){ .alert = -1 };
		want_tls(w, s->line, s->endpoint->host, s->how, &s->tls, s->waits.tls_ms);
		AWAIT(s, REACH_SHAKEN, want_trust(w, s->endpoint->trust)): {
			enum came came = want_came(w);

			reach_tls_facts(s->report, s->reported, &s->tls, came);
			if (came != CAME)
				return failed(s, came, w, err, "TLS with");
			end(s, STEP_PASSED, w);
		}

	STEP(s, REACH_DONE):
		return WANT_NOTHING;
	}
}

/* Nothing was there to connect to: the look-up is what failed. */
static enum want_kind no_such_host(struct reach *s, const struct want *w, struct error *err)
{
	end(s, STEP_FAILED, w);
	report_skip(s->report, step_id(s->report, s->prefix, "connect"), s->attempt, "earlier", w->now_ms);
	fail(err, FAULT_ABSENT, "looking up %s: %s", s->endpoint->host, dns_outcome_name(s->resolve.outcome));
	return WANT_FAILED;
}

enum want_kind reach_step(void *self, struct want *w, struct error *err)
{
	struct reach *s = self;

	switch (s->step) {
	case REACH_START:
		begin(s, "resolve", w);
		endpoint_facts(s);

	STEP(s, REACH_RESOLVED): {
		enum want_kind kind = resolve_step(&s->resolve, w, err);

		if (kind > WANT_FAILED)
			return kind;
		resolve_facts(s);
		if (kind == WANT_FAILED) {
			end(s, STEP_FAILED, w);
			return WANT_FAILED;
		}
		take_addresses(s);
		if (s->connect.count) {
			end(s, STEP_PASSED, w);
			begin(s, "connect", w);
		}
		/* --connect-to may know a way where DNS knows none: an empty list is for net/ to judge. */
		AWAIT(s, REACH_CONNECTED,
		      want_connect(w, s->line, s->endpoint->host, s->endpoint->port, &s->connect, s->waits.connect_ms)): {
			enum came came = want_came(w);

			if (s->connect.count == 0)
				return no_such_host(s, w, err);
			if (s->resolve.count == 0) {
				end(s, STEP_WARNED, w);
				begin(s, "connect", w);
			}
			connect_facts(s, came);
			if (came != CAME)
				return failed(s, came, w, err, "connecting to");
			end(s, STEP_PASSED, w);
		}
		if (s->endpoint->socket == SOCKET_STARTTLS)
			return WANT_NOTHING;
	}

	STEP(s, REACH_TLS):
		s->step = REACH_TLS;
		return reach_tls_step(s, w, err);

	case REACH_SHAKEN:
	case REACH_DONE:
		return reach_tls_step(s, w, err);
	}
	return WANT_FAILED;
}

static enum want_kind give_up(struct reach *s, int step, enum fault fault, const struct want *w, struct error *err, const char *why)
{
	fail(err, fault, "%s: %s", s->endpoint->host, why);
	report_end(s->report, step, STEP_FAILED, w->now_ms);
	return WANT_FAILED;
}

static void held_fact(struct reach *s, int step)
{
	struct slice held = buffer_held(&s->line->in);

	if (held.len)
		report_fact(s->report, step, FACT_FIRST_BYTES, held);
}

enum want_kind reach_lost(struct reach *s, int step, enum came came, const struct want *w, struct error *err)
{
	report_note(s->report, step, FACT_NET_OUTCOME, "%s", came_name(came));
	/* A server that wants a client certificate may say so only now (TLS 1.3). */
	if (s->tls.alert >= 0)
		report_note(s->report, step, FACT_TLS_ALERT, "%d", s->tls.alert);
	held_fact(s, step);
	return give_up(s, step, came_fault(came), w, err, came_name(came));
}

enum want_kind reach_broken(struct reach *s, int step, const char *own_protocol, const char *why, const struct want *w, struct error *err)
{
	const char *protocol = protocol_of(buffer_held(&s->line->in));

	report_note(s->report, step, FACT_REPLY_BROKEN, "%s", why);
	held_fact(s, step);
	if (protocol && strcmp(protocol, own_protocol) != 0)
		report_note(s->report, step, FACT_PROTOCOL, "%s", protocol);
	/* `why` quotes the peer: it is for the report, which strikes secrets out, not for the error */
	return give_up(s, step, FAULT_BROKEN, w, err, "breaks the protocol");
}

enum want_kind reach_not_injected(struct reach *s, int step, const struct want *w, struct error *err)
{
	if (buffer_held(&s->line->in).len == 0)
		return WANT_NOTHING;
	report_note(s->report, step, FACT_STARTTLS_INJECTED, "yes");
	held_fact(s, step);
	line_close(s->line);
	return give_up(s, step, FAULT_BROKEN, w, err, "bytes between the answer to STARTTLS and the handshake");
}

void reach_release(struct reach *s)
{
	resolve_release(&s->resolve);
}
