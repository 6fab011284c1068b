/* A page of a host that is played, as a browser gets it: over the line, with the authority's certificate. */
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#include "base/buffer.h"
#include "sandbox/parts.h"

#define LONGEST_PAGE (256 * 1024)
#define VISIT_MS     20000

struct getting {
	struct arena        *into;
	struct sandbox_page *page;
	struct buffer        body;
};

static size_t take_body(char *at, size_t one, size_t count, void *self)
{
	struct getting *g = self;

	return buffer_add(&g->body, slice(at, one * count)) ? one * count : 0;
}

static const char *value_of(struct slice line, const char *name, struct arena *into)
{
	size_t len = strlen(name);

	return line.len > len && strncasecmp(line.at, name, len) == 0 ? arena_copy(into, slice_trim(slice_from(line, len))) : NULL;
}

static size_t take_header(char *at, size_t one, size_t count, void *self)
{
	struct getting *g = self;
	struct slice    line = slice(at, one * count);
	const char     *cookie = value_of(line, "Set-Cookie:", g->into), *location = value_of(line, "Location:", g->into);
	const char     *type = value_of(line, "Content-Type:", g->into);

	if (cookie && g->page->cookies < COUNT(g->page->cookie))
		g->page->cookie[g->page->cookies++] = cookie;
	if (location)
		g->page->location = location;
	if (type)
		g->page->type = type;
	return one * count;
}

/* "HOST:443=IP:PORT" of that host, as curl wants it; NULL: it is not played, or is at its usual port. */
static const char *way_to(const struct sandbox *s, const char *host, struct arena *into)
{
	const char *start = arena_print(into, "%s:443=", host);

	for (size_t i = 0; i < s->places.connects; i++)
		if (strncasecmp(s->places.connect_to[i], start, strlen(start)) == 0)
			return arena_print(into, "%s:443:%s", host, s->places.connect_to[i] + strlen(start));
	return NULL;
}

static struct curl_slist *headers_of(const struct sandbox_visit *v, struct arena *into)
{
	struct curl_slist *list = curl_slist_append(NULL, "Expect:");

	if (v->cookies)
		list = curl_slist_append(list, arena_print(into, "Cookie: %s", v->cookies));
	if (v->type)
		list = curl_slist_append(list, arena_print(into, "Content-Type: %s", v->type));
	return list;
}

static CURLcode get(CURL *c, const struct sandbox *s, const struct sandbox_visit *v, const char *way, struct getting *g)
{
	struct curl_slist *led = curl_slist_append(NULL, way), *headers = headers_of(v, g->into);
	CURLcode           code;

	curl_easy_setopt(c, CURLOPT_URL, arena_print(g->into, "https://%s%s", v->host, v->path));
	curl_easy_setopt(c, CURLOPT_CONNECT_TO, led);
	curl_easy_setopt(c, CURLOPT_CAINFO, s->ca_file);
	curl_easy_setopt(c, CURLOPT_PROXY, "");
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)VISIT_MS);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, g);
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, g);
	if (strcmp(v->method, "POST") == 0) {
		curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE, (long)v->body.len);
		curl_easy_setopt(c, CURLOPT_COPYPOSTFIELDS, v->body.len ? v->body.at : "");
	}
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
	code = curl_easy_perform(c);
	curl_slist_free_all(led);
	curl_slist_free_all(headers);
	return code;
}

bool sandbox_visit(const struct sandbox *s, const struct sandbox_visit *v, struct arena *into, struct sandbox_page *out, struct error *err)
{
	const char    *way = way_to(s, v->host, into);
	struct getting g = { .into = into, .page = out };
	CURL          *c;
	CURLcode       code;
	long           status = 0;

	*out = (struct sandbox_page){ 0 };
	if (!way)
		return fail(err, FAULT_ABSENT, "%s is not played", v->host);
	c = curl_easy_init();
	if (!c)
		return fail(err, FAULT_LOCAL, "curl does not start");
	buffer_init(&g.body, LONGEST_PAGE);
	code = get(c, s, v, way, &g);
	curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_cleanup(c);
	out->status = (int)status;
	out->body = buffer_held(&g.body);
	out->body.at = arena_copy(into, out->body);
	buffer_release(&g.body);
	return code == CURLE_OK || fail(err, FAULT_LOCAL, "%s: %s", v->host, curl_easy_strerror(code));
}
