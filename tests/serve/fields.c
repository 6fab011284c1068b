#include "serve/api.h"

#include <stdlib.h>

#include "serve/house.h"

extern const char openapi_json[];

/* -- the tables say what the description says ------------------------------------------------------------------------------ */

static const cJSON *resolved(const cJSON *root, const cJSON *schema)
{
	const cJSON *any = cJSON_GetObjectItemCaseSensitive(schema, "anyOf");
	const char  *ref;

	if (any)
		schema = any->child;          /* a schema or null */
	ref = json_text(schema, "$ref");
	if (!ref)
		return schema;
	EXPECT(strncmp(ref, "#/components/schemas/", 21) == 0);
	return cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(root, "components"), "schemas"), ref + 21);
}

static bool may_be(const cJSON *schema, const char *type)
{
	const cJSON *types = cJSON_GetObjectItemCaseSensitive(schema, "type"), *one;

	if (cJSON_IsString(types))
		return strcmp(types->valuestring, type) == 0;
	cJSON_ArrayForEach(one, types)
		if (strcmp(one->valuestring, type) == 0)
			return true;
	return false;
}

static bool may_be_null(const cJSON *member)
{
	const cJSON *one;

	cJSON_ArrayForEach(one, cJSON_GetObjectItemCaseSensitive(member, "anyOf"))
		if (may_be(one, "null"))
			return true;
	return may_be(member, "null");
}

static bool is_required(const cJSON *schema, const char *name)
{
	const cJSON *one;

	cJSON_ArrayForEach(one, cJSON_GetObjectItemCaseSensitive(schema, "required"))
		if (strcmp(one->valuestring, name) == 0)
			return true;
	return false;
}

static void same_words(const cJSON *list, const char *const *words, const char *where)
{
	int count = 0;

	while (words && words[count])
		count++;
	EXPECT_ROW(cJSON_GetArraySize(list) == count, where);
	for (int i = 0; i < count; i++)
		EXPECT_ROW(strcmp(cJSON_GetArrayItem(list, i)->valuestring, words[i]) == 0, where);
}

static void same_table(const cJSON *root, const cJSON *schema, const struct field *table, const char *where);

static void same_field(const cJSON *root, const cJSON *member, const struct field *f, const char *where)
{
	static const char *const types[] = {
		[FIELD_TEXT] = "string", [FIELD_NUMBER] = "integer", [FIELD_BOOL] = "boolean", [FIELD_OBJECT] = "object", [FIELD_TEXTS] = "array",
	};
	const cJSON *s = resolved(root, member);

	EXPECT_ROW(may_be(s, types[f->kind]), where);
	EXPECT_ROW(may_be_null(member) == f->nullable, where);
	switch (f->kind) {
	case FIELD_TEXT:
		same_words(cJSON_GetObjectItemCaseSensitive(s, "enum"), f->words, where);
		EXPECT_ROW((long long)json_number(s, "minLength", 0) == f->least, where);
		/* where the pattern bounds the length, the description says no more */
		if (!f->words && cJSON_GetObjectItemCaseSensitive(s, "maxLength"))
			EXPECT_ROW((long long)json_number(s, "maxLength", 0) == f->most, where);
		else
			EXPECT_ROW(f->words || json_text(s, "pattern"), where);
		EXPECT_ROW(f->words || !json_text(s, "pattern") || f->pattern, where);
		break;
	case FIELD_NUMBER:
		EXPECT_ROW((long long)json_number(s, "minimum", -1) == f->least && (long long)json_number(s, "maximum", -1) == f->most, where);
		break;
	case FIELD_TEXTS:
		EXPECT_ROW((long long)json_number(s, "minItems", 0) == f->least && (long long)json_number(s, "maxItems", -1) == f->most, where);
		same_words(cJSON_GetObjectItemCaseSensitive(resolved(root, cJSON_GetObjectItemCaseSensitive(s, "items")), "enum"), f->words, where);
		break;
	case FIELD_OBJECT:
		same_table(root, s, f->inside, where);
		break;
	case FIELD_BOOL:
		break;
	}
}

static void same_table(const cJSON *root, const cJSON *schema, const struct field *table, const char *where)
{
	const cJSON *members = cJSON_GetObjectItemCaseSensitive(schema, "properties");
	int          count = 0;

	EXPECT_ROW(cJSON_IsFalse(cJSON_GetObjectItemCaseSensitive(schema, "additionalProperties")), where);
	for (const struct field *f = table; f->name; f++, count++) {
		CLEANUP(arena) struct arena *work = arena_new();
		const char  *here = arena_print(work, "%s/%s", where, f->name);
		const cJSON *member = cJSON_GetObjectItemCaseSensitive(members, f->name);

		EXPECT_ROW(member, here);
		EXPECT_ROW(is_required(schema, f->name) == f->required, here);
		same_field(root, member, f, here);
	}
	EXPECT_ROW(cJSON_GetArraySize(members) == count, where);
}

TEST(the_tables_say_what_the_description_says)
{
	cJSON *root = cJSON_Parse(openapi_json);
	size_t count = 0;

	EXPECT(root);
	for (const struct body_table *t = body_tables; t->schema; t++, count++) {
		const cJSON *schema = cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(root, "components"), "schemas"), t->schema);

		EXPECT_ROW(schema, t->schema);
		same_table(root, schema, t->fields, t->schema);
	}
	EXPECT(count >= 10);
	cJSON_Delete(root);
}

static bool in_security(const cJSON *op, const char *scope)
{
	const cJSON *first = cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(op, "security"), 0), *one;

	cJSON_ArrayForEach(one, cJSON_GetObjectItemCaseSensitive(first, "key"))
		if (strcmp(one->valuestring, scope) == 0)
			return true;
	return false;
}

/* Every described operation is a route with those scopes, and every route of the API is described. */
TEST(the_routes_are_those_of_the_description)
{
	cJSON       *root = cJSON_Parse(openapi_json);
	const cJSON *paths = cJSON_GetObjectItemCaseSensitive(root, "paths"), *path, *op;
	int          described = 0, routes = 0;

	cJSON_ArrayForEach(path, paths)
		cJSON_ArrayForEach(op, path)
			described += strcmp(op->string, "parameters") != 0;
	for (size_t t = 0; http_routes[t]; t++)
		for (const struct route *r = http_routes[t]; r->method; r++) {
			CLEANUP(arena) struct arena *work = arena_new();
			char *method = arena_str(work, r->method);

			if (strncmp(r->path, "/v1/", 4) != 0 && r->guard != GUARD_KEY && !cJSON_GetObjectItemCaseSensitive(paths, r->path))
				continue;               /* a page */
			for (char *c = method; *c; c++)
				*c = (char)(*c | 0x20);
			op = cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(paths, r->path), method);
			EXPECT_ROW(op, r->path);
			routes++;
			for (unsigned scope = 1; scope <= SCOPE_OPERATOR; scope <<= 1)
				EXPECT_ROW(in_security(op, scope_name(scope)) == ((r->scopes & scope) != 0), r->path);
			EXPECT_ROW((r->guard == GUARD_KEY) == (cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(op, "security")) > 0
				|| !cJSON_GetObjectItemCaseSensitive(op, "security")), r->path);
		}
	EXPECT(routes == described);
	cJSON_Delete(root);
}

/* -- bodies ------------------------------------------------------------------------------------------------------------------ */

static const struct field inside[] = { { .name = "n", .kind = FIELD_NUMBER, .least = 1, .most = 9, .required = true }, { 0 } };
static const char *const  words[] = { "a", "b", NULL };
static const struct field table[] = {
	{ .name = "text", .kind = FIELD_TEXT, .least = 1, .most = 5, .required = true },
	{ .name = "null", .kind = FIELD_TEXT, .most = 5, .nullable = true },
	{ .name = "word", .kind = FIELD_TEXT, .words = words },
	{ .name = "like", .kind = FIELD_TEXT, .most = 9, .pattern = "^[0-9]+$" },
	{ .name = "yes", .kind = FIELD_BOOL },
	{ .name = "list", .kind = FIELD_TEXTS, .least = 1, .most = 2, .words = words },
	{ .name = "in", .kind = FIELD_OBJECT, .inside = inside },
	{ 0 }
};

static void take(struct exchange *x)
{
	cJSON *body = body_read(x, table);

	if (body)
		answer_json(x, 200, body);
}

static const struct route        routes[] = { { "POST", "/v1/take", GUARD_NONE, 0, take }, { 0 } };
static const struct route *const tables[] = { routes, NULL };

TEST(bodies_keep_to_their_table)
{
	static const struct { const char *json; int status; const char *pointer; } rows[] = {
		{ "{\"text\":\"a\"}",                                 200, NULL },
		{ "{\"text\":\"\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\"}", 200, NULL },
		{ "{\"text\":\"a\",\"null\":null,\"word\":\"b\",\"like\":\"12\",\"yes\":true,\"list\":[\"a\",\"b\"],\"in\":{\"n\":9}}", 200, NULL },
		{ "{}",                                               400, "/text" },
		{ "{\"text\":\"\"}",                                  400, "/text" },
		{ "{\"text\":\"abcdef\"}",                            400, "/text" },
		{ "{\"text\":null}",                                  400, "/text" },
		{ "{\"text\":7}",                                     400, "/text" },
		{ "{\"text\":\"a\\nb\"}",                             400, "/text" },
		{ "{\"text\":\"a\x7f\"}",                             400, "/text" },
		{ "{\"text\":\"\xff\"}",                              400, "/text" },
		{ "{\"text\":\"\xc0\xaf\"}",                          400, "/text" },
		{ "{\"text\":\"\xed\xa0\x80\"}",                      400, "/text" },
		{ "{\"text\":\"a\",\"text\":\"b\"}",                  400, "/text" },
		{ "{\"text\":\"a\",\"other\":1}",                     400, "/other" },
		{ "{\"text\":\"a\",\"a/b~c\":1}",                     400, "/a~1b~0c" },
		{ "{\"text\":\"a\",\"Text\":\"b\"}",                  400, "/Text" },
		{ "{\"text\":\"a\",\"word\":\"c\"}",                  400, "/word" },
		{ "{\"text\":\"a\",\"like\":\"1a\"}",                 400, "/like" },
		{ "{\"text\":\"a\",\"yes\":1}",                       400, "/yes" },
		{ "{\"text\":\"a\",\"list\":[]}",                     400, "/list" },
		{ "{\"text\":\"a\",\"list\":[\"a\",\"a\",\"a\"]}",    400, "/list" },
		{ "{\"text\":\"a\",\"list\":[\"c\"]}",                400, "/list" },
		{ "{\"text\":\"a\",\"list\":[1]}",                    400, "/list" },
		{ "{\"text\":\"a\",\"in\":{}}",                       400, "/in/n" },
		{ "{\"text\":\"a\",\"in\":{\"n\":0}}",                400, "/in/n" },
		{ "{\"text\":\"a\",\"in\":{\"n\":10}}",               400, "/in/n" },
		{ "{\"text\":\"a\",\"in\":{\"n\":1.5}}",              400, "/in/n" },
		{ "{\"text\":\"a\",\"in\":{\"n\":1e400}}",            400, "/in/n" },
		{ "{\"text\":\"a\",\"in\":{\"n\":1,\"m\":1}}",        400, "/in/m" },
		{ "{\"text\":\"a\",\"in\":[]}",                       400, "/in" },
		{ "[]",                                               400, "" },
		{ "\"a\"",                                            400, "" },
		{ "{\"text\":\"a\"",                                  400, NULL },
		{ "{\"text\":\"a\\u0000\"}",                          400, NULL },
		{ "",                                                 400, NULL },
	};
	struct house h;

	house_open(&h, tables, house_limits(), NULL);
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *answer = call(&h, "POST /v1/take", "x", rows[i].json, NULL);
		cJSON      *o = cJSON_Parse(body_of(answer));

		EXPECT_ROW(status_of(answer) == rows[i].status, rows[i].json);
		EXPECT_ROW(o, rows[i].json);
		if (rows[i].pointer)
			EXPECT_ROW(json_text(o, "pointer") && strcmp(json_text(o, "pointer"), rows[i].pointer) == 0, rows[i].json);
		cJSON_Delete(o);
	}
	house_close(&h);
}

TEST(a_deep_body_is_refused)
{
	struct house h;
	char         text[1000] = "{\"text\":";

	house_open(&h, tables, house_limits(), NULL);
	memset(text + 8, '[', 200);
	EXPECT(status_of(call(&h, "POST /v1/take", "x", text, NULL)) == 400);
	house_close(&h);
}
