#include "wire/fetch.h"

#include <assert.h>

#define LONGEST_HEAD ((size_t)32 * 1024)

enum { FETCH_START, FETCH_HOST, FETCH_ANSWER };

void fetch_init(struct fetch *f, struct arena *job, const char *method, const char *url, int wait_ms,
                size_t body_limit)
{
	assert(wait_ms > 0);
	*f = (struct fetch){ .start_url = url, .job = job, .wait_ms = wait_ms, .dns = DNS_SILENT, .came = CAME_NOTHING };
	f->request.method = method;
	buffer_init(&f->answer.head, LONGEST_HEAD);
	buffer_init(&f->answer.body, body_limit);
}

static void forget_host(struct fetch *f)
{
	if (f->resolving)
		resolve_release(&f->resolve);
	f->resolving = false;
}

void fetch_release(struct fetch *f)
{
	forget_host(f);
	buffer_release(&f->answer.head);
	buffer_release(&f->answer.body);
}

static int time_left(const struct fetch *f, const struct want *w)
{
	int64_t left = f->wait_ms - (w->now_ms - f->began);

	return left > 0 ? (int)left : 0;
}

static void clear_answer(struct fetch *f)
{
	f->answer.status = 0;
	f->answer.tls = f->tls;
	f->answer.reason[0] = '\0';
	buffer_clear(&f->answer.head);
	buffer_clear(&f->answer.body);
}

static bool has_next_address(const struct fetch *f)
{
	return f->address + 1 < f->resolve.count && f->address + 1 < FETCH_ADDRESSES;
}

static enum want_kind want_answer(struct fetch *f, struct want *w)
{
	int left = time_left(f, w);

	clear_answer(f);
	f->request.url = f->url.text;
	f->request.host = f->url.host;
	f->request.port = f->url.port;
	f->request.address = f->resolve.address[f->address];
	/* An address that swallows everything must leave time for the next one. */
	return want_http(w, &f->request, &f->answer, has_next_address(f) && left > 1 ? left / 2 : left);
}

/* The address is no good, another one of that host may be. */
static bool try_next_address(struct fetch *f, const struct want *w)
{
	if (f->answer.status != 0 || time_left(f, w) == 0 || !has_next_address(f))
		return false;
	if (f->came != CAME_REFUSED && f->came != CAME_UNREACHABLE && f->came != CAME_NOT_ALLOWED && f->came != CAME_TIMEOUT)
		return false;
	f->address++;
	return true;
}

static bool is_redirect(int status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* True when there is another URL to ask; then it is f->url. */
static bool follow_redirect(struct fetch *f)
{
	struct http_url next;
	struct slice    location;

	if (f->came != CAME || !is_redirect(f->answer.status) || !http_header(&f->answer, "Location", &location))
		return false;
	if (!http_url_follow(&f->url, location, f->job, &next)) {
		f->problem = "redirect to no URL";
		return false;
	}
	if (f->url.secure && !next.secure) {
		f->problem = "redirect to plain http";
		return false;
	}
	if (f->may_follow && !f->may_follow(f->judge, &next)) {
		f->problem = "redirect not followed";
		return false;
	}
	if (f->redirects == FETCH_REDIRECTS) {
		f->problem = "too many redirects";
		return false;
	}
	f->redirects++;
	f->url = next;
	return true;
}

/* The host to be asked next, with time to do so. */
static bool begin_host(struct fetch *f, const struct want *w)
{
	forget_host(f);
	clear_answer(f);
	f->came = time_left(f, w) ? CAME_NOTHING : CAME_TIMEOUT;
	if (f->came == CAME_TIMEOUT)
		return false;
	resolve_init(&f->resolve, f->job, f->url.host, time_left(f, w));
	f->resolving = true;
	f->address = 0;
	return true;
}

static bool found_addresses(struct fetch *f, const struct want *w)
{
	f->dns = f->resolve.outcome;
	if (f->dns == DNS_FOUND && time_left(f, w) == 0)
		f->came = CAME_TIMEOUT;
	return f->dns == DNS_FOUND && f->came == CAME_NOTHING;
}

enum want_kind fetch_step(void *self, struct want *w, struct error *err)
{
	struct fetch *f = self;

	switch (f->step) {
	case FETCH_START:
		f->began = w->now_ms;
		if (!http_url_parse(slice_str(f->start_url), f->job, &f->url)) {
			f->problem = "no URL";
			break;
		}
		while (begin_host(f, w)) {
			STEP(f, FETCH_HOST):
			PASS(resolve_step(&f->resolve, w, err));
			if (!found_addresses(f, w))
				break;
			do {
				AWAIT(f, FETCH_ANSWER, want_answer(f, w)):
				f->came = want_came(w);
				if (f->came == CAME_CANCELLED) {
					fail(err, FAULT_CANCELLED, "fetching %s was called off", f->url.text);
					return WANT_FAILED;
				}
			} while (try_next_address(f, w));
			if (!follow_redirect(f))
				break;
		}
	}
	f->ms = (int)(w->now_ms - f->began);
	return WANT_NOTHING;
}

bool fetch_has_document(const struct fetch *f)
{
	return f->came == CAME && f->answer.status == 200;
}

const char *fetch_result(const struct fetch *f)
{
	if (f->problem)
		return f->problem;
	if (f->came == CAME)
		return arena_print(f->job, "%d", f->answer.status);
	if (f->dns != DNS_FOUND)
		return f->came == CAME_NOTHING ? dns_outcome_name(f->dns) : came_name(f->came);
	return came_name(f->came);
}
