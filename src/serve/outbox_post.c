#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/random.h"
#include "serve/api.h"
#include "serve/outbox_parts.h"

#define HEAD_MOST       ((size_t)32 * 1024)
#define ADDRESS_MS      30000                          /* how long a looked-up address is used without asking again */
#define RETRY_AFTER_MOST (24 * 3600 * (int64_t)1000)

enum { POST_START, POST_LOOK_UP, POST_ASK };

/* -- what is sent ----------------------------------------------------------------------------------------------------- */

/* The same bytes at each try. What the data are the event itself says: they are JSON of ours already. */
const char *post_body(const struct delivery *d, struct arena *into)
{
	const struct event *e = &d->event;
	cJSON *o = cJSON_CreateObject();
	char  *text, number[24];
	const char *kept;

	cJSON_AddStringToObject(o, "type", e->type);
	cJSON_AddStringToObject(o, "id", e->id);
	snprintf(number, sizeof number, "%lld", (long long)e->seq);
	cJSON_AddStringToObject(o, "seq", number);
	json_time(o, "timestamp", e->created);
	cJSON_AddStringToObject(o, "workspace", e->workspace);
	json_maybe(o, "account", e->account);
	cJSON_AddRawToObject(o, "data", e->data);
	text = cJSON_PrintUnformatted(o);
	cJSON_Delete(o);
	if (!text)
		exit(70);
	kept = arena_str(into, text);
	free(text);
	return kept;
}

static void make_request(struct post *p, int64_t second)
{
	struct http_request *q = &p->request;
	const char          *id = p->delivery.event.id;

	if (!http_url_parse(slice_str(p->hook->url), p->job, &p->url))
		p->url = (struct http_url){ 0 };
	q->method = "POST";
	q->url = p->url.text;
	q->host = p->url.host;
	q->port = p->url.port;
	q->body = slice_str(post_body(&p->delivery, p->job));
	q->keep = true;
	q->headers[0] = "Content-Type: application/json";
	q->headers[1] = "User-Agent: mailmoor/" MAILMOOR_VERSION;
	q->headers[2] = arena_print(p->job, "webhook-id: %s", id);
	q->headers[3] = arena_print(p->job, "webhook-timestamp: %lld", (long long)second);
	q->headers[4] = arena_print(p->job, "webhook-signature: %s", signing_header(&p->hook->signing, id, second, q->body, p->job));
}

void post_begin(struct post *p, int64_t now_unix_ms)
{
	buffer_init(&p->answer.head, HEAD_MOST);
	buffer_init(&p->answer.body, (size_t)p->outbox->limits->answer_most);
	p->answer.tls = &p->tls;
	p->came = CAME_NOTHING;
	p->end = POST_CUT_OFF;
	p->task = (struct task){ .step = post_step, .self = p, .wait_ms = p->outbox->limits->post_ms };
	make_request(p, now_unix_ms / 1000);
}

void post_release(struct post *p)
{
	if (p->looking_up)
		resolve_release(&p->resolve);
	p->looking_up = false;
	buffer_release(&p->answer.head);
	buffer_release(&p->answer.body);
}

/* -- what it means ---------------------------------------------------------------------------------------------------- */

static bool read_two(const char *at, int *out)
{
	unsigned long long n;

	if (!slice_number(slice(at, 2), 99, &n))
		return false;
	*out = (int)n;
	return true;
}

/* "Sun, 06 Nov 1994 08:49:37 GMT", the one form that may be written today (RFC 9110 §5.6.7). */
static bool read_date(struct slice text, int64_t *out)
{
	static const char *const months = "JanFebMarAprMayJunJulAugSepOctNovDec";
	const char        *at = text.at;
	struct tm          tm = { 0 };
	unsigned long long year;

	if (text.len != 29 || at[3] != ',' || at[16] != ' ' || at[19] != ':' || at[22] != ':' || !slice_ends(text, " GMT"))
		return false;
	while (tm.tm_mon < 12 && memcmp(months + 3 * tm.tm_mon, at + 8, 3) != 0)
		tm.tm_mon++;
	if (tm.tm_mon == 12 || !slice_number(slice(at + 12, 4), 9999, &year) || !read_two(at + 5, &tm.tm_mday)
	    || !read_two(at + 17, &tm.tm_hour) || !read_two(at + 20, &tm.tm_min) || !read_two(at + 23, &tm.tm_sec))
		return false;
	tm.tm_year = (int)year - 1900;
	*out = timegm(&tm);
	return true;
}

int64_t retry_after_ms(struct slice value, int64_t now_unix)
{
	unsigned long long seconds;
	int64_t            date, ms;

	if (slice_number(value, UINT32_MAX, &seconds))
		ms = (int64_t)seconds * 1000;
	else if (read_date(value, &date))
		ms = (date - now_unix) * 1000;
	else
		return 0;
	return ms < 0 ? 0 : ms < RETRY_AFTER_MOST ? ms : RETRY_AFTER_MOST;
}

int64_t post_pause_ms(const struct outbox_limits *l, unsigned failed, uint16_t dice)
{
	int64_t pause;

	if (failed == 0 || failed > OUTBOX_PAUSES)
		return -1;
	pause = l->pause_ms[failed - 1];
	return pause + pause * dice / (5 * 65536);
}

/* A library's words may hold bytes of the peer's: what is kept and shown is plain. */
__attribute__((format(printf, 2, 3)))
static void note(struct post *p, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(p->note, sizeof p->note, fmt, args);
	va_end(args);
	for (char *c = p->note; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
}

/* An answer whose first 64 KiB say 2xx is one, however much more comes; one that does not come to its end in time is none. */
static bool is_answered(const struct post *p)
{
	return p->came == CAME || (p->came == CAME_FULL && p->answer.status >= 200);
}

static void tell_status(struct post *p)
{
	struct slice value;

	if (p->status >= 300 && p->status < 400)
		note(p, "answered %d: redirects are not followed", p->status);
	else
		note(p, "answered %d", p->status);
	if ((p->status == 429 || p->status == 503) && http_header(&p->answer, "Retry-After", &value))
		p->not_before_ms = retry_after_ms(value, p->ended / 1000);
}

static void tell_failure(struct post *p)
{
	switch (p->came) {
	case CAME_TIMEOUT:
		note(p, "no whole answer within %d s", p->outbox->limits->post_ms / 1000);
		break;
	case CAME_NOT_ALLOWED:
		note(p, "%s leads to an address that may not be connected to", p->url.host);
		break;
	case CAME_TLS_FAILED:
		note(p, "TLS: %s", p->tls.shook && p->tls.flaws ? p->tls.verify : p->tls.reason);
		break;
	default:
		note(p, "%s%s%s", came_name(p->came), p->answer.reason[0] ? ": " : "", p->answer.reason);
	}
}

static enum want_kind over(struct post *p)
{
	p->ended = clock_unix_ms();
	p->status = p->answer.status;
	p->end = POST_FAILED;
	if (p->came == CAME_CANCELLED)
		p->end = POST_CUT_OFF;
	else if (is_answered(p) && p->status >= 200 && p->status < 300)
		p->end = POST_TAKEN;
	else if (is_answered(p))
		tell_status(p);
	else if (!p->note[0])
		tell_failure(p);
	return WANT_NOTHING;
}

static enum want_kind refused(struct post *p, const char *why)
{
	note(p, "%s", why);
	p->came = CAME_FAILED;
	return over(p);
}

/* -- where it goes ---------------------------------------------------------------------------------------------------- */

static bool knows_address(const struct hook *h, const char *url, int64_t now_ms)
{
	return h->looked_up && strcmp(h->looked_up, url) == 0 && now_ms - h->looked_up_ms < ADDRESS_MS;
}

static void remember_addresses(struct hook *h, const char *url, const struct resolve *r, int64_t now_ms)
{
	bool same = h->looked_up && strcmp(h->looked_up, url) == 0 && h->addresses == r->count;

	free(h->looked_up);
	h->looked_up = must_copy(url);
	h->looked_up_ms = now_ms;
	h->addresses = r->count;
	memcpy(h->address, r->address, sizeof h->address);
	if (!same)
		h->first = 0;
}

/* In the clear only where the operator has said that this network is ours. */
static bool may_be_plain(const struct post *p, const struct address *a)
{
	const struct net_settings *n = p->outbox->daemon->net;

	for (size_t i = 0; i < n->allow_count; i++)
		if (address_in(a, &n->allow[i]))
			return true;
	return false;
}

/* Each of its addresses once. They may have been looked up anew for another delivery in the meantime. */
static bool next_address(struct post *p)
{
	const struct hook *h = p->hook;

	if (p->tried >= h->addresses)
		return false;
	p->request.address = h->address[(h->first + p->tried++) % h->addresses];
	return true;
}

/* Nothing was sent, and another of its addresses may be better. */
static bool was_not_reached(enum came came)
{
	return came == CAME_REFUSED || came == CAME_UNREACHABLE || came == CAME_NOT_ALLOWED;
}

static int time_left(const struct post *p, const struct want *w)
{
	int64_t left = p->outbox->limits->post_ms - (w->now_ms - p->began_ms);

	return left > 0 ? (int)left : 1;
}

enum want_kind post_step(void *self, struct want *w, struct error *err)
{
	struct post *p = self;

	switch (p->step) {
	case POST_START:
		p->began_ms = w->now_ms;
		if (!p->url.text)
			return refused(p, "that is no URL");
		if (!knows_address(p->hook, p->url.text, w->now_ms)) {
			resolve_init(&p->resolve, p->job, p->url.host, p->outbox->limits->post_ms);
			p->looking_up = true;
			STEP(p, POST_LOOK_UP):
			PASS(resolve_step(&p->resolve, w, err));
			if (p->resolve.outcome != DNS_FOUND)
				return refused(p, arena_print(p->job, "looking up %s: %s", p->url.host, dns_outcome_name(p->resolve.outcome)));
			remember_addresses(p->hook, p->url.text, &p->resolve, w->now_ms);
		}
		while (next_address(p)) {
			if (!p->url.secure && !may_be_plain(p, &p->request.address)) {
				refused(p, "plain http, to an address that is not in [net] allow");
				continue;
			}
			AWAIT(p, POST_ASK, want_http(w, &p->request, &p->answer, time_left(p, w))):
			p->came = want_came(w);
			p->note[0] = '\0';
			if (!was_not_reached(p->came))
				break;
		}
	}
	return over(p);
}
