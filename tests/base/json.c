#include "base/json.h"

#include <stdlib.h>

#include "test.h"

static enum fault fault_of(const char *text, size_t len, size_t longest)
{
	struct error err = { 0 };
	cJSON       *o = json_read(slice(text, len), longest, &err);

	EXPECT_ROW((o == NULL) == (err.fault != FAULT_NONE), text);
	cJSON_Delete(o);
	return err.fault;
}

TEST(what_is_read_and_what_is_not)
{
	static const struct { const char *text; enum fault fault; } rows[] = {
		{ "{}",                              FAULT_NONE   },
		{ "[]",                              FAULT_NONE   },
		{ " { \"a\" : [1, 2.5, null, true] } ", FAULT_NONE },
		{ "\"text\"",                        FAULT_NONE   },
		{ "\"\\\\u0000\"",                   FAULT_NONE   },      /* a backslash and letters, no NUL */
		{ "\"\\\\\\\\u0000\"",               FAULT_NONE   },
		{ "\"\\\"[[[[{{{{\"",                FAULT_NONE   },
		{ "\"\\u0001\"",                     FAULT_NONE   },
		{ "{\"\\u0000\": 1}",                FAULT_BROKEN },
		{ "\"\\u0000\"",                     FAULT_BROKEN },
		{ "\"\\\\\\u0000\"",                 FAULT_BROKEN },
		{ "\"a\\\"\\u0000\"",                FAULT_BROKEN },
		{ "{}{}",                            FAULT_BROKEN },
		{ "{} x",                            FAULT_BROKEN },
		{ "1 2",                             FAULT_BROKEN },
		{ "{}\n\t ",                         FAULT_NONE   },
		{ "",                                FAULT_BROKEN },
		{ "   ",                             FAULT_BROKEN },
		{ "{",                               FAULT_BROKEN },
		{ "{\"a\"}",                         FAULT_BROKEN },
		{ "{\"a\":}",                        FAULT_BROKEN },
		{ "{'a':1}",                         FAULT_BROKEN },
		{ "\"a",                             FAULT_BROKEN },
		{ "\"a\\",                           FAULT_BROKEN },
		{ "\"\\ud800\"",                     FAULT_BROKEN },
		{ "<html>",                          FAULT_BROKEN },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		EXPECT_ROW(fault_of(rows[i].text, strlen(rows[i].text), 1000) == rows[i].fault, rows[i].text);
	EXPECT(fault_of("{\"a\":\"b\0c\"}", 11, 1000) == FAULT_BROKEN);
	EXPECT(fault_of("{}\0", 3, 1000) == FAULT_BROKEN);
}

TEST(cut_at_every_byte_it_is_broken)
{
	static const char text[] = "{\"access_token\":\"a\\u00e4\\\"b\",\"n\":[1,{\"x\":null}],\"e\":3600}";

	for (size_t len = 0; len < sizeof text - 1; len++) {
		char *copy = must_copy(text);

		copy = must_realloc(copy, len + !len);       /* so that the sanitizer sees a step beyond */
		EXPECT_ROW(fault_of(copy, len, 1000) == FAULT_BROKEN, text);
		free(copy);
	}
}

TEST(the_length_is_bounded)
{
	EXPECT(fault_of("[1]", 3, 3) == FAULT_NONE);
	EXPECT(fault_of("[1]", 3, 2) == FAULT_TOO_BIG);
	EXPECT(fault_of("[1]", 3, 0) == FAULT_TOO_BIG);
}

static enum fault nested(size_t deep, const char *open, const char *close, const char *inside)
{
	char   text[4 * (JSON_DEEPEST + 5) + 100] = "";
	size_t n = 0;

	for (size_t i = 0; i < deep; i++)
		n += (size_t)snprintf(text + n, sizeof text - n, "%s", open);
	n += (size_t)snprintf(text + n, sizeof text - n, "%s", inside);
	for (size_t i = 0; i < deep; i++)
		n += (size_t)snprintf(text + n, sizeof text - n, "%s", close);
	return fault_of(text, n, sizeof text);
}

TEST(the_depth_is_bounded)
{
	EXPECT(nested(JSON_DEEPEST, "[", "]", "1") == FAULT_NONE);
	EXPECT(nested(JSON_DEEPEST + 1, "[", "]", "1") == FAULT_TOO_BIG);
	EXPECT(nested(JSON_DEEPEST - 1, "[", "]", "{}") == FAULT_NONE);
	EXPECT(nested(JSON_DEEPEST, "[", "]", "{}") == FAULT_TOO_BIG);
	EXPECT(nested(JSON_DEEPEST, "[", "]", "\"[{[{\"") == FAULT_NONE);
	EXPECT(nested(JSON_DEEPEST, "[", "]", "\"\\\"[{[{\"") == FAULT_NONE);
	EXPECT(nested(1, "[", "]", "[],[],{},[],[[]],{},{},{},[],[],[],[],[],[],[],[],[],[]") == FAULT_NONE);
}

TEST(members)
{
	static const char text[] = "{\"text\":\"t\",\"Text\":\"other\",\"number\":2.5,\"null\":null,\"digits\":\"7\"}";
	struct error      err;
	cJSON            *o = json_read(slice_str(text), 1000, &err);

	EXPECT(o);
	EXPECT_TEXT(json_text(o, "text"), "t");
	EXPECT_TEXT(json_text(o, "Text"), "other");
	EXPECT(!json_text(o, "TEXT") && !json_text(o, "number") && !json_text(o, "null") && !json_text(o, "none"));
	EXPECT(json_number(o, "number", 9) == 2.5 && json_number(o, "digits", 9) == 9 && json_number(o, "none", 9) == 9);
	EXPECT(!json_text(cJSON_GetObjectItem(o, "text"), "x") && !json_text(NULL, "x") && json_number(NULL, "x", 3) == 3);
	cJSON_Delete(o);
}

TEST(whole_numbers_are_written_as_such)
{
	cJSON *o = cJSON_CreateObject();
	char  *text;

	cJSON_AddNumberToObject(o, "n", 1795248000);
	cJSON_AddStringToObject(o, "t", "\"\n\xc3\xa4");
	text = json_write(o);
	EXPECT_TEXT(text, "{\n\t\"n\":\t1795248000,\n\t\"t\":\t\"\\\"\\n\xc3\xa4\"\n}");
	free(text);
	cJSON_Delete(o);
}

TEST(texts_are_copied_and_forgotten)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct error                 err = { 0 };
	cJSON                       *o = json_read(slice_str("{\"a\":\"x\",\"b\":\"\",\"c\":7,\"d\":{\"e\":[\"y\"]}}"), 1000, &err);
	const char                  *copy = json_copy(o, "a", job);

	EXPECT_TEXT(copy, "x");
	EXPECT(copy != json_text(o, "a") && !json_copy(o, "b", job) && !json_copy(o, "c", job) && !json_copy(o, "f", job));
	json_forget(o);
	EXPECT_TEXT(copy, "x");
	json_forget(NULL);
}
