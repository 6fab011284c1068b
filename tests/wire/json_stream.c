/* JSON in pieces: by hand, and as cJSON reads it whole. */
#include "wire/json_stream.h"

#include <stdlib.h>

#include "base/buffer.h"
#include "base/json.h"
#include "test.h"

#define TOLD_MOST ((size_t)256 * 1024)

/* What was told, as one line: {name:"text",} [1,null,] */
struct heard {
	struct buffer told;
	bool          in_text, cut_inside;
};

static void on_begin(void *self, bool array)
{
	struct heard *h = self;

	EXPECT(!h->in_text);
	buffer_add_str(&h->told, array ? "[" : "{");
}

static void on_end(void *self)
{
	struct heard *h = self;

	EXPECT(!h->in_text);
	buffer_add_str(&h->told, "),");
}

static void add_escaped(struct buffer *b, struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.at[i] == '"' || s.at[i] == '\\' || s.at[i] == '\0')
			buffer_print(b, "\\%02x", (unsigned)s.at[i]);
		else
			buffer_add(b, slice(s.at + i, 1));
}

static void on_name(void *self, struct slice name)
{
	struct heard *h = self;

	EXPECT(!h->in_text);
	add_escaped(&h->told, name);
	buffer_add_str(&h->told, ":");
}

static void on_text(void *self, struct slice piece, bool last)
{
	struct heard *h = self;

	EXPECT(piece.len || last);
	h->cut_inside |= piece.len && ((unsigned char)piece.at[0] & 0xc0) == 0x80;
	if (!h->in_text)
		buffer_add_str(&h->told, "\"");
	add_escaped(&h->told, piece);
	h->in_text = !last;
	if (last)
		buffer_add_str(&h->told, "\",");
}

static void add_number(struct buffer *b, double value)
{
	buffer_print(b, "%.17g,", value);
}

static void on_word(void *self, enum json_word word, struct slice s)
{
	static const char *const words[] = { "null", "false", "true" };
	struct heard            *h = self;
	char                     number[JSON_LONGEST_NAME + 1];

	EXPECT(!h->in_text && s.len && s.len <= JSON_LONGEST_NAME);
	if (word == JSON_NUMBER) {
		snprintf(number, sizeof number, "%.*s", (int)s.len, s.at);
		add_number(&h->told, strtod(number, NULL));
	} else {
		EXPECT(slice_equal(s, slice_str(words[word])));
		buffer_print(&h->told, "%s,", words[word]);
	}
}

/* Read in three pieces that end at `a` and `b`, or byte by byte where `a` is above it. From the heap. Each piece is where nothing follows,
 * so that who looks too far is found. */
static char *read_cut(struct slice json, size_t a, size_t b, enum json_state *state)
{
	struct heard               h = { .in_text = false };
	const struct json_listener listener = { &h, on_begin, on_end, on_name, on_text, on_word };
	struct json_stream         r;
	char                      *told;

	buffer_init(&h.told, TOLD_MOST);
	json_stream_init(&r, &listener);
	for (size_t from = 0; from < json.len;) {
		size_t to = a > b ? from + 1 : from < a ? a : from < b ? b : json.len;
		char  *piece = memcpy(must_alloc(to - from), json.at + from, to - from);
		bool   fine = json_feed(&r, slice(piece, to - from));

		free(piece);
		from = to;
		if (!fine)
			break;
	}
	json_finish(&r);
	EXPECT(!h.cut_inside && (r.state == JSON_GOES_ON) == !*r.why);
	*state = r.state;
	buffer_add(&h.told, slice("", 1));
	told = must_copy(r.state == JSON_GOES_ON ? buffer_held(&h.told).at : r.why);
	buffer_release(&h.told);
	return told;
}

/* However it is cut, the same comes of it: that, from the heap. */
static char *read_any_way(struct slice json, bool each_pair, enum json_state *state)
{
	char           *whole = read_cut(json, json.len, json.len, state), *other;
	enum json_state as_well;

	for (size_t a = 0; a <= json.len; a++)
		for (size_t b = a; b <= (each_pair ? json.len : a); b++) {
			other = read_cut(json, a, b, &as_well);
			if (as_well != *state || strcmp(other, whole) != 0)
				test_fail(__FILE__, __LINE__, "cut at %zu and %zu: \"%s\", not \"%s\"", a, b, other, whole);
			free(other);
		}
	other = read_cut(json, 1, 0, &as_well);
	EXPECT(as_well == *state);
	EXPECT_TEXT(other, whole);
	free(other);
	return whole;
}

/* -- by hand ------------------------------------------------------------------------------------------------------ */

static const struct {
	const char *json, *told;
} good[] = {
	{ "{}", "{)," }, { " [ ]\r\n\t", "[)," }, { "\"\"", "\"\"," }, { "null", "null," }, { "true", "true," }, { "0", "0," }, { "-0", "-0," },
	{ "\xef\xbb\xbf{}", "{)," },
	{ "{\"a\":1,\"b\" : [ true , false,null ] , \"\":{}}", "{a:1,b:[true,false,null,),:{),)," },
	{ "[1.5e3,-2E-2,12345678901234567890,1e+2]", "[1500,-0.02,1.2345678901234567e+19,100,)," },
	{ "\"a\\\"\\\\\\/\\b\\f\\n\\r\\tz\"", "\"a\\22\\5c/\b\f\n\r\tz\"," },
	{ "\"\\u0041\\u00e4\\u20AC\\ud83d\\ude00\\uD83D\\uDE00\"", "\"A\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\xf0\x9f\x98\x80\"," },
	{ "\"x\\u0000y\"", "\"x\\00y\"," },
	{ "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf\"", "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf\"," },
	{ "{\"\\u0061\xc3\xa4\\n\":\"\"}", "{a\xc3\xa4\n:\"\",)," },
	/* half of a pair */
	{ "\"\\ud83d\"", "\"\xef\xbf\xbd\"," }, { "\"\\ude00z\"", "\"\xef\xbf\xbdz\"," }, { "\"\\ud83d\\n\"", "\"\xef\xbf\xbd\n\"," },
	{ "\"\\ud83d\\u0041\"", "\"\xef\xbf\xbd" "A\"," }, { "\"\\ud83d\\ud83d\\ude00\"", "\"\xef\xbf\xbd\xf0\x9f\x98\x80\"," },
	{ "\"\\ud83d\xc3\xa4\\ude00\\ude00\"", "\"\xef\xbf\xbd\xc3\xa4\xef\xbf\xbd\xef\xbf\xbd\"," },
	/* sixteen bytes at a time */
	{ "{\"0123456789abcdef\":\"0123456789abcdef0123456789abcd\\nf0\xc3\xa4 123456789abcdef\"}", "{0123456789abcdef:\"0123456789abcdef0123456789abcd\nf0\xc3\xa4 123456789abcdef\",)," },
	{ "[[[[]]],{\"a\":{\"b\":[{}]}}]", "[[[[),),),{a:{b:[{),),),),)," },
};

TEST(documents_in_every_two_and_three_pieces)
{
	for (size_t i = 0; i < COUNT(good); i++) {
		enum json_state state;
		char           *told = read_any_way(slice_str(good[i].json), true, &state);

		EXPECT_ROW(state == JSON_GOES_ON, good[i].json);
		EXPECT_TEXT(told, good[i].told);
		free(told);
	}
}

static const char *const bad[] = {
	"", " ", "{", "[", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "{,}", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{\"a\" 1}", "{a:1}", "{1:1}", "{'a':1}", "]", "}", "[}", "{]",
	"[1}", "{\"a\":1]", "{}{}", "[] x", "1 2", "\"\"\"\"", "nul", "nulll", "True", "NaN", "Infinity", "-", "+1", "01", "-01", "1.", ".5", "1.e1", "1e", "1e+", "1ee1", "0x1", "1-1",
	"--1", "1.5.5", "\"", "\"a", "\"\n\"", "\"\x1f\"", "\"\\", "\"\\\"", "\"\\x\"", "\"\\u\"", "\"\\u12\"", "\"\\u123g\"", "\"\\ud83d\\u12\"", "\"\\U0041\"", "\"\\0\"",
	"\"\x80\"", "\"\xc3\"", "\"\xc3(\"", "\"\xc0\x80\"", "\"\xe0\x80\x80\"", "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"", "\"\xf5\x80\x80\x80\"", "\"\xff\"", "{\"\xff\":1}",
	"\xef\xbb{}", "\xef\xbb\xbf", "\xef\xbb\xbf\xef\xbb\xbf{}", " \xef\xbb\xbf{}", "[1\f]", "[1\v]", "/**/1", "[1]//", "<html>", "{\"a\":undefined}",
};

TEST(what_is_none)
{
	for (size_t i = 0; i < COUNT(bad); i++) {
		enum json_state state;
		char           *why = read_any_way(slice_str(bad[i]), true, &state);

		EXPECT_ROW(state == JSON_BROKEN && *why, bad[i]);
		free(why);
	}
	for (size_t i = 0; i < COUNT(good); i++) {
		/* a NUL is no blank, nor what ends a document */
		enum json_state state;
		char           *why = read_any_way(slice(good[i].json, strlen(good[i].json) + 1), false, &state);

		EXPECT_ROW(state == JSON_BROKEN, good[i].json);
		free(why);
	}
}

/* No beginning of it is a document, but of what is a number. */
TEST(whatever_is_cut_short)
{
	for (size_t i = 0; i < COUNT(good); i++)
		for (size_t len = 0; len < slice_trim(slice_str(good[i].json)).len; len++) {
			enum json_state state;

			free(read_cut(slice(good[i].json, len), len, len, &state));
			EXPECT_ROW(state == JSON_BROKEN || good[i].json[0] == '-', good[i].json);
		}
}

/* -- limits ------------------------------------------------------------------------------------------------------- */

static enum json_state read_repeated(const char *before, const char *each, size_t times, const char *behind)
{
	struct buffer   b;
	enum json_state whole, single;

	buffer_init(&b, TOLD_MOST);
	buffer_add_str(&b, before);
	while (times--)
		buffer_add_str(&b, each);
	buffer_add_str(&b, behind);
	free(read_cut(buffer_held(&b), 0, 0, &whole));
	free(read_cut(buffer_held(&b), 1, 0, &single));
	EXPECT(whole == single);
	buffer_release(&b);
	return whole;
}

TEST(limits)
{
	EXPECT(read_repeated("", "[", JSON_STREAM_DEEPEST, "") == JSON_BROKEN && read_repeated("", "[", JSON_STREAM_DEEPEST + 1, "") == JSON_TOO_BIG);
	EXPECT(read_repeated("", "{\"a\":", JSON_STREAM_DEEPEST, "1") == JSON_BROKEN && read_repeated("", "{\"a\":", JSON_STREAM_DEEPEST + 1, "1") == JSON_TOO_BIG);
	EXPECT(read_repeated("{\"", "a", JSON_LONGEST_NAME, "\":1}") == JSON_GOES_ON && read_repeated("{\"", "a", JSON_LONGEST_NAME + 1, "\":1}") == JSON_TOO_BIG);
	EXPECT(read_repeated("{\"\\n", "a", JSON_LONGEST_NAME - 1, "\":1}") == JSON_GOES_ON && read_repeated("{\"\\n", "a", JSON_LONGEST_NAME, "\":1}") == JSON_TOO_BIG);
	EXPECT(read_repeated("[", "1", JSON_LONGEST_NAME, "]") == JSON_GOES_ON && read_repeated("[", "1", JSON_LONGEST_NAME + 1, "]") == JSON_TOO_BIG);
	EXPECT(read_repeated("[", "a", JSON_LONGEST_NAME, "]") == JSON_BROKEN && read_repeated("[", "a", JSON_LONGEST_NAME + 1, "]") == JSON_TOO_BIG);
	/* a text may be as long as it likes: nobody holds it */
	EXPECT(read_repeated("\"", "aaaaaaaaa\\n", 20000, "\"") == JSON_GOES_ON);
	EXPECT(read_repeated("[", "[],", 30000, "1]") == JSON_GOES_ON);
}

static void stop_there(void *self, struct slice name)
{
	json_stop(self, JSON_TOO_BIG, slice_is(name, "b") ? "b is not wanted" : "nor is the rest");
}

static void not_any_more(void *self, struct slice piece, bool last)
{
	EXPECT(!self || piece.len + last == 0);
}

static void take_begin(void *self, bool array)
{
	EXPECT(self && !array);
}

TEST(stopped_by_who_listens)
{
	static const char json[] = "{\"b\":\"x\",\"c\":\"y\"}";

	for (size_t cut = 0; cut < sizeof json; cut++) {
		struct json_stream         r;
		const struct json_listener listener = { &r, take_begin, NULL, stop_there, not_any_more, NULL };
		struct slice               whole = slice(json, sizeof json - 1);
		bool                       fine;

		json_stream_init(&r, &listener);
		fine = json_feed(&r, slice_upto(whole, cut)) && json_feed(&r, slice_from(whole, cut));
		EXPECT(!fine && !json_finish(&r) && r.state == JSON_TOO_BIG);
		EXPECT_TEXT(r.why, "b is not wanted");
		EXPECT(!json_feed(&r, whole));
	}
}

/* -- beside cJSON ------------------------------------------------------------------------------------------------- */

static uint64_t dice = 0x9e3779b97f4a7c15;      /* always the same */

static unsigned roll(unsigned sides)
{
	dice ^= dice << 13, dice ^= dice >> 7, dice ^= dice << 17;
	return (unsigned)(dice >> 33) % sides;
}

static void write_blanks(struct buffer *b)
{
	static const char *const blanks[] = { "", "", "", "", " ", "\n", "\r\n\t" };

	buffer_add_str(b, blanks[roll(COUNT(blanks))]);
}

static void write_text(struct buffer *b)
{
	static const char *const bits[] = { "a", "Re: x", "id", "\\n", "\\\"", "\\\\", "\\/", "\\u00e4", "\\ud83d\\ude00", "\\u20AC", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80", " ",
		"0123456789abcdef", "0123456789abcdef0123456789abcde", "\x7f", "}", "]", ",", ":" };

	buffer_add_str(b, "\"");
	for (unsigned n = roll(6); n; n--)
		buffer_add_str(b, bits[roll(COUNT(bits))]);
	buffer_add_str(b, "\"");
}

static void write_value(struct buffer *b, unsigned depth)
{
	static const char *const plain[] = { "null", "true", "false", "0", "-1", "17", "1.25", "-3e2", "1E-7", "123456789012", "{}", "[]", "{ }", "[\n]" };
	unsigned                 kind = roll(depth < 5 ? 6 : 3);
	bool                     array = kind == 4;

	write_blanks(b);
	if (kind < 2) {
		buffer_add_str(b, plain[roll(COUNT(plain))]);
	} else if (kind < 4) {
		write_text(b);
	} else {
		buffer_add_str(b, array ? "[" : "{");
		for (unsigned n = 1 + roll(4); n; n--) {
			if (!array) {
				write_blanks(b);
				write_text(b);
				write_blanks(b);
				buffer_add_str(b, ":");
			}
			write_value(b, depth + 1);
			buffer_add_str(b, n > 1 ? "," : "");
		}
		buffer_add_str(b, array ? "]" : "}");
	}
	write_blanks(b);
}

/* As the listener above tells it. */
static void tell_tree(const cJSON *item, struct buffer *b)
{
	const cJSON *child;

	if (cJSON_IsObject(item) || cJSON_IsArray(item)) {
		buffer_add_str(b, cJSON_IsArray(item) ? "[" : "{");
		cJSON_ArrayForEach(child, item) {
			if (cJSON_IsObject(item)) {
				add_escaped(b, slice_str(child->string));
				buffer_add_str(b, ":");
			}
			tell_tree(child, b);
		}
		buffer_add_str(b, "),");
	} else if (cJSON_IsString(item)) {
		buffer_add_str(b, "\"");
		add_escaped(b, slice_str(item->valuestring));
		buffer_add_str(b, "\",");
	} else if (cJSON_IsNumber(item)) {
		add_number(b, item->valuedouble);
	} else {
		buffer_print(b, "%s,", cJSON_IsNull(item) ? "null" : cJSON_IsTrue(item) ? "true" : "false");
	}
}

/* What cJSON makes of it; NULL: nothing. From the heap. */
static char *read_whole(struct slice json)
{
	struct error  err = { 0 };
	cJSON        *tree = json_read(json, TOLD_MOST, &err);
	struct buffer b;
	char         *told = NULL;

	if (tree) {
		buffer_init(&b, TOLD_MOST);
		tell_tree(tree, &b);
		buffer_add(&b, slice("", 1));
		told = must_copy(buffer_held(&b).at);
		buffer_release(&b);
	}
	cJSON_Delete(tree);
	return told;
}

#define DOCUMENTS 2000

TEST(documents_by_dice_are_what_cjson_makes_of_them)
{
	for (int i = 0; i < DOCUMENTS; i++) {
		struct buffer   b;
		enum json_state state;
		char           *ours, *theirs;

		buffer_init(&b, TOLD_MOST);
		write_value(&b, roll(4));
		theirs = read_whole(buffer_held(&b));
		ours = read_any_way(buffer_held(&b), buffer_held(&b).len < 60, &state);
		EXPECT(theirs && state == JSON_GOES_ON);
		EXPECT_TEXT(ours, theirs);
		free(ours);
		free(theirs);
		buffer_release(&b);
	}
}

/* What cJSON does not know: half of a pair, a NUL, a number of more than 63 letters. */
static bool is_beyond_cjson(const char *told, struct slice json)
{
	size_t run = 0;

	for (size_t i = 0; i < json.len && run < 60; i++)
		run = strchr("0123456789+-.eE", json.at[i]) && json.at[i] ? run + 1 : 0;
	return strstr(told, "\xef\xbf\xbd") || strstr(told, "\\00") || run >= 60;
}

/* One byte or two of it changed, doubled or left out: what we take cJSON takes as well, and tells the same; it takes more than that. */
TEST(damaged_documents)
{
	static const char odd[] = "{}[]\",:\\u0d8ntf1-.e+ \xff\xc3\x80\x00";
	int               taken = 0, refused = 0;

	for (int i = 0; i < 10 * DOCUMENTS; i++) {
		struct buffer   b;
		enum json_state state;
		char           *ours, *theirs;

		buffer_init(&b, TOLD_MOST);
		write_value(&b, 2 + roll(3));
		for (unsigned n = 1 + roll(2); n; n--) {
			size_t len = b.end - b.start, at = b.start + roll((unsigned)len);

			if (roll(3)) {
				b.bytes[at] = odd[roll(sizeof odd)];
			} else if (len > 1) {
				memmove(b.bytes + at, b.bytes + at + 1, b.end - at - 1);
				b.end--;
			}
		}
		theirs = read_whole(buffer_held(&b));
		ours = read_any_way(buffer_held(&b), false, &state);
		EXPECT(state != JSON_GOES_ON || theirs || is_beyond_cjson(ours, buffer_held(&b)));
		if (state == JSON_GOES_ON && theirs)
			EXPECT_TEXT(ours, theirs);
		taken += state == JSON_GOES_ON;
		refused += state != JSON_GOES_ON;
		free(ours);
		free(theirs);
		buffer_release(&b);
	}
	EXPECT(taken > 1000 && refused > 1000);
}
