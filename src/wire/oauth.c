#include "wire/oauth.h"

#include <stdlib.h>

#include "base/json.h"
#include "base/secret.h"
#include "model/aadsts.h"

/* -- answers ------------------------------------------------------------------------------------------------------ */

/* cJSON gives memory back as it is. */
static void wipe_texts(cJSON *json)
{
	cJSON *item;

	cJSON_ArrayForEach(item, json)
		if (cJSON_IsString(item))
			secret_wipe(item->valuestring, strlen(item->valuestring));
}

static const char *text_of(const cJSON *json, const char *member, struct arena *a)
{
	const char *text = json_text(json, member);

	return text && *text ? arena_str(a, text) : NULL;
}

/* RFC 6750 §2.1 has fewer characters still; a blank or a line end would end the line that it is said in. */
static bool is_sayable(const char *token)
{
	for (; *token; token++)
		if (*token <= ' ' || *token > '~')
			return false;
	return true;
}

/* Seconds, as a number or (older endpoints of Microsoft) in quotes. */
static long long seconds(const cJSON *json, const char *member)
{
	const char *text = json_text(json, member);
	double      n = text ? strtod(text, NULL) : json_number(json, member, 0);

	return n > 0 && n < 1e10 ? (long long)n : 0;
}

static void add_number(struct oauth_answer *o, const char *digits)
{
	for (size_t i = 0; i < o->numbers; i++)
		if (strcmp(o->number[i], digits) == 0)
			return;
	if (o->numbers < OAUTH_NUMBERS)
		o->number[o->numbers++] = digits;
}

static void read_numbers(const cJSON *json, struct arena *a, struct oauth_answer *o)
{
	struct slice rest = slice_str(o->description), digits;
	const cJSON *item;

	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(json, "error_codes"))
		if (cJSON_IsNumber(item) && item->valuedouble >= 1000 && item->valuedouble < 1e7)
			add_number(o, arena_print(a, "%.0f", item->valuedouble));
	while (o->numbers < OAUTH_NUMBERS && aadsts_next(&rest, &digits))
		add_number(o, arena_copy(a, digits));
}

static bool take(const cJSON *json, struct arena *a, struct oauth_answer *o, struct error *err)
{
	*o = (struct oauth_answer){
		.access_token = text_of(json, "access_token", a), .refresh_token = text_of(json, "refresh_token", a),
		.id_token = text_of(json, "id_token", a), .token_type = text_of(json, "token_type", a), .scope = text_of(json, "scope", a),
		.expires_in = seconds(json, "expires_in"), .error = text_of(json, "error", a),
		.description = text_of(json, "error_description", a), .suberror = text_of(json, "suberror", a),
		.claims = text_of(json, "claims", a), .correlation_id = text_of(json, "correlation_id", a),
		.timestamp = text_of(json, "timestamp", a),
	};
	if (o->error)
		read_numbers(json, a, o);
	else if (!o->access_token)
		return fail(err, FAULT_BROKEN, "neither a token nor an error");
	if (o->error)
		o->access_token = NULL;
	return !o->access_token || is_sayable(o->access_token) || fail(err, FAULT_BROKEN, "a token that cannot be said");
}

bool oauth_answer_read(struct slice body, struct arena *a, struct oauth_answer *o, struct error *err)
{
	cJSON *json = json_read(body, OAUTH_ANSWER, err);
	bool   fine = json && (cJSON_IsObject(json) || fail(err, FAULT_BROKEN, "no object")) && take(json, a, o, err);

	wipe_texts(json);
	cJSON_Delete(json);
	return fine;
}

/* -- requests ----------------------------------------------------------------------------------------------------- */

static bool is_unreserved(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
}

/* Straight into the buffer: a secret is copied nowhere else. */
static bool field(struct buffer *b, const char *name, const char *value)
{
	static const char hex[] = "0123456789ABCDEF";
	bool              fine = buffer_held(b).len == 0 || buffer_add_str(b, "&");

	fine = fine && buffer_print(b, "%s=", name);
	for (; fine && *value; value++) {
		unsigned char c = (unsigned char)*value;

		fine = is_unreserved(*value) ? buffer_add(b, slice(value, 1))
		                             : buffer_add(b, slice((char[]){ '%', hex[c >> 4], hex[c & 15] }, 3));
	}
	return fine;
}

static bool client_fields(struct buffer *b, const struct oauth_client *c)
{
	return field(b, "client_id", c->id) && (!c->secret || field(b, "client_secret", c->secret));
}

bool oauth_refresh(struct buffer *b, const struct oauth_client *c, const char *refresh_token, const char *scope)
{
	return field(b, "grant_type", "refresh_token") && client_fields(b, c) && field(b, "refresh_token", refresh_token)
	    && (!scope || field(b, "scope", scope));
}

bool oauth_redeem(struct buffer *b, const struct oauth_client *c, const char *code, const char *redirect_uri, const char *verifier)
{
	return field(b, "grant_type", "authorization_code") && client_fields(b, c) && field(b, "code", code)
	    && field(b, "redirect_uri", redirect_uri) && (!verifier || field(b, "code_verifier", verifier));
}

/* -- scopes ------------------------------------------------------------------------------------------------------- */

bool oauth_scope_has(const char *granted, const char *scope)
{
	struct slice rest = slice_str(granted);

	while (rest.at) {
		struct slice one = slice_trim(slice_cut(&rest, ' '));

		for (size_t slash = slice_find(one, '/'); slash < one.len; slash = slice_find(one, '/'))
			one = slice_from(one, slash + 1);
		if (one.len && slice_is(one, scope))
			return true;
	}
	return false;
}
