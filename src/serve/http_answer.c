#include <assert.h>
#include <stdlib.h>

#include "base/log.h"
#include "model/causes.h"
#include "serve/http_parts.h"

static bool is_line(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return false;
	return true;
}

void http_set(struct exchange *x, const char *header, const char *value)
{
	assert(is_line(header) && x->headers < COUNT(x->header));
	if (!is_line(value))
		return;
	x->header[x->headers].name = header;
	x->header[x->headers++].value = value;
}

static void answer(struct exchange *x, int status, const char *type, struct slice body)
{
	x->status = status;
	x->type = type;
	x->answer = body;
}

static void answer_object(struct exchange *x, int status, const char *type, cJSON *owned)
{
	char  *text = cJSON_PrintUnformatted(owned);
	size_t len;

	if (!text)
		exit(70);
	len = strlen(text);
	answer(x, status, type, slice(arena_copy(x->job, slice(text, len)), len));
	explicit_bzero(text, len);       /* a new key may be in it */
	free(text);
	cJSON_Delete(owned);
}

void answer_json(struct exchange *x, int status, cJSON *owned)
{
	answer_object(x, status, "application/json", owned);
}

void answer_text(struct exchange *x, int status, const char *type, const char *text)
{
	answer(x, status, type, slice_str(text));
}

void answer_redirect(struct exchange *x, const char *where)
{
	http_set(x, "Location", where);
	answer(x, 303, "text/plain; charset=utf-8", slice_str(""));
}

/* What docs/openapi.yaml describes; the others are pages for people. */
static bool is_api(const struct exchange *x)
{
	static const char *const others[] = { "/v1", "/openapi.json", "/healthz", "/readyz", "/metrics" };

	for (size_t i = 0; i < COUNT(others); i++)
		if (strcmp(x->path, others[i]) == 0)
			return true;
	return strncmp(x->path, "/v1/", 4) == 0;
}

static const char *problem_type(struct exchange *x, const char *kind)
{
	if (cause_find(kind) == CAUSE_NONE)
		return arena_print(x->job, "urn:mailmoor:problem:%s", kind);
	return arena_print(x->job, "%s/help/%s?lang=%s", x->service->base_url, kind, x->lang->tag);
}

void answer_problem(struct exchange *x, int status, const char *kind, const char *title, const char *detail, const char *pointer,
                    const char *who)
{
	cJSON *o;

	if (!is_api(x)) {
		answer_text(x, status, "text/plain; charset=utf-8", arena_print(x->job, "%s%s%s\n", title, detail ? ": " : "", detail ? detail : ""));
		return;
	}
	o = cJSON_CreateObject();
	cJSON_AddStringToObject(o, "type", problem_type(x, kind));
	cJSON_AddStringToObject(o, "title", title);
	cJSON_AddNumberToObject(o, "status", status);
	cJSON_AddStringToObject(o, "code", kind);
	if (detail)
		cJSON_AddStringToObject(o, "detail", detail);
	if (pointer)
		cJSON_AddStringToObject(o, "pointer", pointer);
	if (who)
		cJSON_AddStringToObject(o, "who", who);
	cJSON_AddStringToObject(o, "request_id", request_of(x)->id);
	answer_object(x, status, "application/problem+json", o);
}

void answer_fault(struct exchange *x, const struct error *err)
{
	static const struct { enum fault fault; int status; const char *kind, *title; } rows[] = {
		{ FAULT_ABSENT,    404, "request.absent",     "There is no such thing" },
		{ FAULT_REFUSED,   409, "request.conflict",   "That is there already" },
		{ FAULT_MALFORMED, 400, "request.invalid",    "The request is not valid" },
		{ FAULT_TOO_BIG,   413, "request.too_big",    "That is more than we keep" },
		{ FAULT_BUSY,      503, "system.unavailable", "Not now" },
		{ FAULT_LOCAL,     503, "system.unavailable", "Not now" },
		{ FAULT_NONE,      500, "system.internal",    "Something is wrong on our side" },
	};
	size_t i = 0;

	while (rows[i].fault != err->fault && rows[i].fault != FAULT_NONE)
		i++;
	/* its words are for whoever runs this system: they may name files */
	if (rows[i].status >= 500)
		LOG(LOG_FAILURE, "request.failed", LOG_TEXT("request", request_of(x)->id), LOG_TEXT("fault", fault_name(err->fault)),
		    LOG_TEXT("text", err->text));
	if (rows[i].status == 503)
		http_set(x, "Retry-After", "5");
	answer_problem(x, rows[i].status, rows[i].kind, rows[i].title, NULL, NULL, rows[i].status >= 500 ? "operator" : NULL);
}
