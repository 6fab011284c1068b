/* dns_lookup.c -- the conversation of dns.h: ask, ask again without DNSSEC after a SERVFAIL, follow the aliases. */
#include "wire/dns.h"

#include <assert.h>
#include <strings.h>

#define ALIASES       8
#define LONGEST_QUERY 512
#define LONGEST_REPLY 65535

enum { LOOKUP_START, LOOKUP_ANSWER };

const char *dns_outcome_name(enum dns_outcome outcome)
{
	static const char *const name[] = {
		[DNS_FOUND] = "found",             [DNS_NO_DATA] = "no_data", [DNS_NO_NAME] = "nxdomain",
		[DNS_SERVER_FAILED] = "servfail",  [DNS_BOGUS] = "bogus",     [DNS_SERVER_REFUSED] = "refused",
		[DNS_SILENT] = "timeout",          [DNS_BROKEN] = "broken",   [DNS_LOOP] = "loop",
	};

	return name[outcome];
}

void dns_lookup_init(struct dns_lookup *s, struct arena *job, const char *name, enum dns_type type, int wait_ms)
{
	assert(wait_ms > 0);
	/* cancelled before anything was heard it stays silent, never "found" */
	*s = (struct dns_lookup){ .name = name, .type = type, .job = job, .wait_ms = wait_ms, .outcome = DNS_SILENT, .extended = -1 };
	buffer_init(&s->query, LONGEST_QUERY);
	buffer_init(&s->answer.reply, LONGEST_REPLY);
}

void dns_lookup_release(struct dns_lookup *s)
{
	buffer_release(&s->query);
	buffer_release(&s->answer.reply);
}

/* True, so that a round which knows the outcome ends in one line. */
static bool settled(struct dns_lookup *s, enum dns_outcome outcome)
{
	/* The failure stands, whatever the second question came to; only a real answer proves that it was DNSSEC. */
	if (s->without_checking && outcome != DNS_BOGUS)
		outcome = DNS_SERVER_FAILED;
	s->outcome = outcome;
	if (outcome != DNS_FOUND && outcome != DNS_NO_DATA && outcome != DNS_NO_NAME)
		s->authentic = false;
	return true;
}

static const char *alias_of(const struct dns_message *m, const char *owner)
{
	for (size_t i = 0; i < m->answer_count; i++)
		if (m->answer[i].type == DNS_CNAME && strcasecmp(m->answer[i].owner, owner) == 0)
			return m->answer[i].target;
	return NULL;
}

static bool comes_before(const struct dns_record *a, const struct dns_record *b)
{
	if (a->type != DNS_MX && a->type != DNS_SRV)
		return false;
	if (a->preference != b->preference)
		return a->preference < b->preference;
	return a->weight > b->weight;
}

/* Equals stay in the order in which they came. */
static void insert(struct dns_lookup *s, const struct dns_record *record)
{
	size_t at = s->count++;

	while (at > 0 && comes_before(record, &s->record[at - 1])) {
		s->record[at] = s->record[at - 1];
		at--;
	}
	s->record[at] = *record;
}

static void keep_records(struct dns_lookup *s, const struct dns_message *m, const char *owner)
{
	if (m->answer_count)
		s->record = arena_get(s->job, m->answer_count * sizeof *s->record);
	for (size_t i = 0; i < m->answer_count; i++)
		if (m->answer[i].type == s->type && strcasecmp(m->answer[i].owner, owner) == 0)
			insert(s, &m->answer[i]);
}

/* An answer without an error: what it holds for the name, or for where its aliases lead. */
static bool read_answer(struct dns_lookup *s, const struct dns_message *m)
{
	const char *at = s->asking, *next;

	while (s->type != DNS_CNAME && (next = alias_of(m, at))) {
		s->alias = at = next;
		if (++s->aliases > ALIASES)
			return settled(s, DNS_LOOP);
	}
	if (m->rcode == DNS_NXDOMAIN)
		return settled(s, DNS_NO_NAME);
	keep_records(s, m, at);
	if (s->count)
		return settled(s, DNS_FOUND);
	if (at == s->asking)
		return settled(s, DNS_NO_DATA);
	/* An authoritative server (Knot) gives the alias alone when its target is in another zone. */
	s->asking = at;
	return false;
}

/* What one round brought: true with an outcome, false when there is another question to be asked. */
static bool weigh(struct dns_lookup *s, enum came came)
{
	struct dns_message m;

	if (came != CAME)
		return settled(s, came == CAME_FULL ? DNS_BROKEN : DNS_SILENT);
	if (!dns_message(buffer_held(&s->answer.reply), s->job, &m))
		return settled(s, DNS_BROKEN);
	if (s->extended < 0 || !s->without_checking)      /* the failure's own reason goes before the second one's */
		s->extended = m.extended;
	s->authentic = s->authentic && m.authentic;

	if (s->without_checking)
		return settled(s, m.rcode == DNS_NOERROR || m.rcode == DNS_NXDOMAIN ? DNS_BOGUS : DNS_SERVER_FAILED);
	if (m.rcode == DNS_SERVFAIL) {
		s->without_checking = true;
		return false;
	}
	if (m.rcode != DNS_NOERROR && m.rcode != DNS_NXDOMAIN)
		return settled(s, DNS_SERVER_REFUSED);
	return read_answer(s, &m);
}

/* The question of this round; false with an outcome when there is none to ask. */
static bool ask(struct dns_lookup *s, int64_t now_ms)
{
	buffer_clear(&s->query);
	buffer_clear(&s->answer.reply);
	if (now_ms - s->began >= s->wait_ms)
		return !settled(s, DNS_SILENT);
	if (dns_query(&s->query, *s->asking ? s->asking : ".", s->type, s->without_checking))
		return true;
	/* A name that does not fit the protocol is none that anyone could have; but no resolver vouches for that. */
	s->authentic = false;
	return !settled(s, DNS_NO_NAME);
}

static const char *without_last_dot(struct arena *job, const char *name)
{
	size_t len = strlen(name);

	return len > 1 && name[len - 1] == '.' ? arena_copy(job, slice(name, len - 1)) : name;
}

enum want_kind dns_lookup_step(void *self, struct want *w, struct error *err)
{
	struct dns_lookup *s = self;

	switch (s->step) {
	case LOOKUP_START:
		s->began = w->now_ms;
		s->asking = without_last_dot(s->job, s->name);
		s->authentic = true;

		while (ask(s, w->now_ms)) {
			enum came came;

			AWAIT(s, LOOKUP_ANSWER, want_dns(w, buffer_held(&s->query), &s->answer,
			                                 (int)(s->wait_ms - (w->now_ms - s->began)))):
			came = want_came(w);
			if (came == CAME_CANCELLED) {
				fail(err, FAULT_CANCELLED, "the question for %s was called off", s->asking);
				return WANT_FAILED;
			}
			if (weigh(s, came))
				break;
		}
		s->ms = (int)(w->now_ms - s->began);
	}
	return WANT_NOTHING;
}
