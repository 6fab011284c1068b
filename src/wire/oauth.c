#include "wire/oauth.h"

#include <openssl/evp.h>
#include <stdlib.h>

#include "base/json.h"
#include "model/aadsts.h"
#include "wire/sasl.h"

/* -- answers ------------------------------------------------------------------------------------------------------ */

bool oauth_is_sayable(const char *token)
{
	if (!token || !*token)
		return false;
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

static void add_number(const char *number[OAUTH_NUMBERS], size_t *numbers, const char *digits)
{
	for (size_t i = 0; i < *numbers; i++)
		if (strcmp(number[i], digits) == 0)
			return;
	if (*numbers < OAUTH_NUMBERS)
		number[(*numbers)++] = digits;
}

static void add_numbers_of(const char *number[OAUTH_NUMBERS], size_t *numbers, const char *text, struct arena *a)
{
	struct slice rest = slice_str(text), digits;

	while (*numbers < OAUTH_NUMBERS && aadsts_next(&rest, &digits))
		add_number(number, numbers, arena_copy(a, digits));
}

static void read_numbers(const cJSON *json, struct arena *a, struct oauth_answer *o)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(json, "error_codes"))
		if (cJSON_IsNumber(item) && item->valuedouble >= 1000 && item->valuedouble < 1e7)
			add_number(o->number, &o->numbers, arena_print(a, "%.0f", item->valuedouble));
	add_numbers_of(o->number, &o->numbers, o->description, a);
}

static bool take(const cJSON *json, struct arena *a, struct oauth_answer *o, struct error *err)
{
	*o = (struct oauth_answer){
		.access_token = json_copy(json, "access_token", a), .refresh_token = json_copy(json, "refresh_token", a),
		.id_token = json_copy(json, "id_token", a), .token_type = json_copy(json, "token_type", a), .scope = json_copy(json, "scope", a),
		.expires_in = seconds(json, "expires_in"), .error = json_copy(json, "error", a),
		.description = json_copy(json, "error_description", a), .suberror = json_copy(json, "suberror", a),
		.claims = json_copy(json, "claims", a), .correlation_id = json_copy(json, "correlation_id", a),
		.timestamp = json_copy(json, "timestamp", a),
	};
	/* as Google calls it (facts G A.3) */
	if (!o->suberror)
		o->suberror = json_copy(json, "error_subtype", a);
	if (o->error)
		read_numbers(json, a, o);
	else if (!o->access_token)
		return fail(err, FAULT_BROKEN, "neither a token nor an error");
	if (o->error)
		o->access_token = NULL;
	return !o->access_token || oauth_is_sayable(o->access_token) || fail(err, FAULT_BROKEN, "a token that cannot be said");
}

bool oauth_answer_read(struct slice body, struct arena *a, struct oauth_answer *o, struct error *err)
{
	cJSON *json = json_read(body, OAUTH_ANSWER, err);
	bool   fine = json && (cJSON_IsObject(json) || fail(err, FAULT_BROKEN, "no object")) && take(json, a, o, err);

	json_forget(json);
	return fine;
}

/* -- a code for a person ------------------------------------------------------------------------------------------ */

#define SHOWN_MOST 200

/* It goes to a terminal as it is, and is typed from there. */
static bool is_to_be_shown(const char *text)
{
	return oauth_is_sayable(text) && strlen(text) <= SHOWN_MOST;
}

static int within(long long told, int otherwise, int most)
{
	return told <= 0 ? otherwise : told < most ? (int)told : most;
}

static bool take_device(const cJSON *json, struct arena *a, struct oauth_device *d, struct error *err)
{
	*d = (struct oauth_device){
		.device_code = json_copy(json, "device_code", a), .user_code = json_copy(json, "user_code", a),
		.page = json_copy(json, "verification_uri", a),
		.expires_in = within(seconds(json, "expires_in"), 900, OAUTH_DEVICE_LIFE),
		.interval = within(seconds(json, "interval"), 5, OAUTH_DEVICE_PAUSE),
	};
	if (!oauth_is_sayable(d->device_code))
		return fail(err, FAULT_BROKEN, "no device_code");
	if (!is_to_be_shown(d->user_code) || !is_to_be_shown(d->page) || !slice_starts(slice_str(d->page), "https://"))
		return fail(err, FAULT_BROKEN, "no code or page that could be shown");
	return true;
}

bool oauth_device_read(struct slice body, struct arena *a, struct oauth_device *d, struct error *err)
{
	cJSON *json = json_read(body, OAUTH_ANSWER, err);
	bool   fine = json && (cJSON_IsObject(json) || fail(err, FAULT_BROKEN, "no object")) && take_device(json, a, d, err);

	json_forget(json);
	return fine;
}

/* -- when it was granted ------------------------------------------------------------------------------------------ */

/* The second part of a JSON Web Token, which is base64 of URLs without padding (RFC 7519 3, RFC 7515 2). */
static bool claims_of(const char *token, struct arena *a, struct slice *out)
{
	struct slice rest = slice_str(token), part;
	char        *text;

	slice_cut(&rest, '.');
	part = slice_cut(&rest, '.');
	if (!part.len || part.len > OAUTH_ANSWER)
		return false;
	text = arena_copy(a, part);
	for (char *at = text; *at; at++)
		*at = *at == '-' ? '+' : *at == '_' ? '/' : *at;
	return base64_decode(a, slice_str(text), out);
}

int64_t oauth_issued_at(const char *id_token)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct error none = { 0 };
	struct slice claims;
	cJSON       *json;
	int64_t      at;

	if (!claims_of(id_token, job, &claims) || !(json = json_read(claims, OAUTH_ANSWER, &none)))
		return 0;
	at = seconds(json, "iat");
	json_forget(json);
	return at;
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
	struct slice      before = buffer_held(b);
	bool              fine = before.len == 0 || before.at[before.len - 1] == '?' || buffer_add_str(b, "&");

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
	if (!field(b, "client_id", c->id))
		return false;
	if (c->assertion)
		return field(b, "client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
		    && field(b, "client_assertion", c->assertion);
	return !c->secret || field(b, "client_secret", c->secret);
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

bool oauth_as_itself(struct buffer *b, const struct oauth_client *c, const char *scope)
{
	return field(b, "grant_type", "client_credentials") && client_fields(b, c) && field(b, "scope", scope);
}

bool oauth_assert(struct buffer *b, const char *assertion)
{
	return field(b, "grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer") && field(b, "assertion", assertion);
}

bool oauth_device(struct buffer *b, const struct oauth_client *c, const char *scope)
{
	return field(b, "client_id", c->id) && field(b, "scope", scope);
}

bool oauth_device_redeem(struct buffer *b, const struct oauth_client *c, const char *device_code)
{
	return field(b, "grant_type", "urn:ietf:params:oauth:grant-type:device_code") && client_fields(b, c)
	    && field(b, "device_code", device_code);
}

bool oauth_authorize(struct buffer *b, const struct oauth_authorize *a)
{
	/* the picker and the hint exclude each other (facts M A.2) */
	return buffer_print(b, "%s?", a->url) && field(b, "client_id", a->client_id) && field(b, "response_type", "code")
	    && field(b, "redirect_uri", a->redirect_uri) && field(b, "response_mode", "query") && field(b, "scope", a->scope)
	    && field(b, "state", a->state) && field(b, "code_challenge", a->challenge) && field(b, "code_challenge_method", "S256")
	    && (!a->nonce || field(b, "nonce", a->nonce)) && (!a->offline || field(b, "access_type", "offline"))
	    && (!a->incremental || field(b, "include_granted_scopes", "true")) && (!a->silent || field(b, "prompt", "none"))
	    && (a->silent || !a->prompt || field(b, "prompt", a->prompt))
	    && (a->login_hint ? field(b, "login_hint", a->login_hint) : a->silent || a->prompt || field(b, "prompt", "select_account"));
}

bool oauth_admin_consent(struct buffer *b, const struct oauth_admin_consent *a)
{
	return buffer_print(b, "%s?", a->url) && field(b, "client_id", a->client_id) && field(b, "scope", a->scope)
	    && field(b, "redirect_uri", a->redirect_uri) && (!a->state || field(b, "state", a->state));
}

void oauth_challenge(const char *verifier, char out[OAUTH_CHALLENGE])
{
	CLEANUP(arena) struct arena *job = arena_new();
	unsigned char hash[32];
	const char   *text;

	EVP_Digest(verifier, strlen(verifier), hash, NULL, EVP_sha256(), NULL);
	text = base64_encode(job, slice((const char *)hash, sizeof hash));
	for (size_t i = 0; i < OAUTH_CHALLENGE - 1; i++)
		out[i] = text[i] == '+' ? '-' : text[i] == '/' ? '_' : text[i];
	out[OAUTH_CHALLENGE - 1] = '\0';
}

/* -- what a browser brought back ---------------------------------------------------------------------------------- */

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* NULL: it is not encoded as it should be, or there is a NUL in it. */
static const char *decoded(struct slice text, struct arena *a)
{
	char  *plain = arena_get(a, text.len + 1);
	size_t n = 0;

	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i] == '+' ? ' ' : text.at[i];

		if (c == '%') {
			int high = i + 2 < text.len ? hex_digit(text.at[i + 1]) : -1, low = high >= 0 ? hex_digit(text.at[i + 2]) : -1;

			if (low < 0)
				return NULL;
			c = (char)(high << 4 | low);
			i += 2;
		}
		if (!c)
			return NULL;
		plain[n++] = c;
	}
	return plain;
}

enum { GIVEN_STATE, GIVEN_CODE, GIVEN_ERROR, GIVEN_TEXT, GIVEN_URI, GIVEN_SUBCODE, GIVEN_SUBERROR, GIVEN_CONSENT, GIVENS };

static const char *const given_names[GIVENS] = {
	[GIVEN_STATE] = "state", [GIVEN_CODE] = "code", [GIVEN_ERROR] = "error", [GIVEN_TEXT] = "error_description", [GIVEN_URI] = "error_uri",
	[GIVEN_SUBCODE] = "error_subcode", [GIVEN_SUBERROR] = "suberror", [GIVEN_CONSENT] = "admin_consent",
};

/* Of two of one name nobody knows which is meant: that is refused, not guessed (RFC 6749 3.1). */
static bool read_given(struct slice query, struct arena *a, const char *given[GIVENS], struct error *err)
{
	while (query.len) {
		struct slice value = slice_cut(&query, '&'), name = slice_cut(&value, '=');
		const char  *plain = decoded(name, a);

		if (!plain)
			return fail(err, FAULT_BROKEN, "a name that is not encoded as it should be");
		for (size_t i = 0; i < GIVENS; i++) {
			if (strcmp(plain, given_names[i]) != 0)
				continue;
			if (given[i])
				return fail(err, FAULT_BROKEN, "%s comes twice", given_names[i]);
			if (!(given[i] = decoded(value, a)))
				return fail(err, FAULT_BROKEN, "%s is not encoded as it should be", given_names[i]);
		}
	}
	return true;
}

/* error_uri is "https://login.microsoftonline.com/error?code=65004". */
static const char *number_in(const char *uri, struct arena *a)
{
	struct slice rest = slice_str(uri);
	size_t       len = 0;

	rest = slice_from(rest, slice_search(rest, "code="));
	rest = slice_from(rest, 5);
	while (len < rest.len && rest.at[len] >= '0' && rest.at[len] <= '9')
		len++;
	return len >= AADSTS_LEAST && len <= AADSTS_MOST ? arena_copy(a, slice_upto(rest, len)) : NULL;
}

static const char *maybe(const char *text)
{
	return text && *text ? text : NULL;
}

static const char *labelled(const char *text, const char *label, struct arena *a)
{
	struct slice found = aadsts_labelled(slice_str(text), label);

	return found.len ? arena_copy(a, found) : NULL;
}

bool oauth_callback_read(struct slice query, struct arena *a, struct oauth_callback *c, struct error *err)
{
	const char *given[GIVENS] = { NULL }, *digits;

	*c = (struct oauth_callback){ 0 };
	if (query.len > OAUTH_CALLBACK)
		return fail(err, FAULT_TOO_BIG, "a query of %zu bytes", query.len);
	if (!read_given(query, a, given, err))
		return false;
	c->state = maybe(given[GIVEN_STATE]);
	c->code = maybe(given[GIVEN_CODE]);
	c->error = maybe(given[GIVEN_ERROR]);
	c->admin_consent = given[GIVEN_CONSENT] && slice_is(slice_str(given[GIVEN_CONSENT]), "true");
	if (c->code && (c->error || !oauth_is_sayable(c->code)))
		return fail(err, FAULT_BROKEN, "a code beside an error, or one that cannot be said");
	if (!c->code && !c->error && !c->admin_consent)
		return fail(err, FAULT_BROKEN, "neither a code nor an error");
	if (!c->error)
		return true;
	c->description = maybe(given[GIVEN_TEXT]);
	c->suberror = maybe(given[GIVEN_SUBCODE]) ? given[GIVEN_SUBCODE] : maybe(given[GIVEN_SUBERROR]);
	c->correlation_id = labelled(c->description, "Correlation ID:", a);
	c->timestamp = labelled(c->description, "Timestamp:", a);
	add_numbers_of(c->number, &c->numbers, c->description, a);
	if (!c->numbers && (digits = number_in(given[GIVEN_URI], a)))
		add_number(c->number, &c->numbers, digits);
	return true;
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
