/* Pages of a delta, in pieces of every kind. */
#include "wire/graph_page.h"

#include <stdlib.h>

#include "base/buffer.h"
#include "test.h"
#include "wire/graph.h"

#define BIG ((size_t)20 * 1024 * 1024)

struct heard {
	struct buffer told;
	size_t        messages;
};

static const char *shown(struct slice text, char out[GRAPH_TEXT + 1])
{
	EXPECT(!text.at == !text.len);
	snprintf(out, GRAPH_TEXT + 1, "%.*s", (int)text.len, text.at ? text.at : "");
	EXPECT(strlen(out) == text.len);
	return text.at ? out : "-";
}

static void on_message(void *self, const struct graph_news *m)
{
	struct heard *h = self;
	char          text[4][GRAPH_TEXT + 1];

	h->messages++;
	buffer_print(&h->told, "(%s %lld %s|%s|%s%s)", shown(m->id, text[0]), (long long)m->received, shown(m->subject, text[1]), shown(m->from, text[2]),
	             shown(m->internet_message_id, text[3]), m->removed ? " removed" : "");
}

struct outcome {
	enum fault fault;
	char       why[200], code[64];
	char      *told;               /* from the heap */
	size_t     messages;
};

/* In two pieces, the second one at `cut`; byte by byte where that is 0. */
static struct outcome read_cut(struct slice page, size_t cut)
{
	struct heard                      h = { .messages = 0 };
	struct error                      err = { 0 };
	CLEANUP(graph_page) struct graph_page *p = graph_page_new(&(struct graph_page_listener){ &h, on_message });
	struct outcome                    o = { 0 };
	bool                              fine = true;

	buffer_init(&h.told, BIG);
	for (size_t from = 0, to; fine && from < page.len; from = to) {
		to = !cut ? from + 1 : from < cut && cut < page.len ? cut : page.len;
		fine = graph_page_feed(p, slice(page.at + from, to - from), &err);
	}
	fine = fine && graph_page_finish(p, &err);
	EXPECT(fine == !err.fault && graph_page_messages(p) == h.messages);
	EXPECT(!fine || !graph_page_next(p) != !graph_page_delta(p));
	if (fine)
		buffer_print(&h.told, "%s %s", graph_page_next(p) ? "next" : "delta", graph_page_next(p) ? graph_page_next(p) : graph_page_delta(p));
	buffer_add(&h.told, slice("", 1));
	o = (struct outcome){ .fault = err.fault, .told = must_copy(buffer_held(&h.told).at), .messages = h.messages };
	snprintf(o.why, sizeof o.why, "%s", err.text);
	snprintf(o.code, sizeof o.code, "%s", graph_page_error(p));
	buffer_release(&h.told);
	return o;
}

static struct outcome read_any_way(struct slice page)
{
	struct outcome whole = read_cut(page, page.len + 1);

	for (size_t cut = 0; cut < page.len; cut++) {
		struct outcome other = read_cut(page, cut);

		EXPECT(other.fault == whole.fault);
		EXPECT_TEXT(other.why, whole.why);
		EXPECT_TEXT(other.told, whole.told);
		free(other.told);
	}
	return whole;
}

#define ITEM "{\"@odata.etag\":\"W/\\\"x\\\"\",\"id\":\"AAkALg=\",\"receivedDateTime\":\"2026-11-22T06:00:00Z\",\"subject\":\" Hi \\u00fc\",\"internetMessageId\":\"<a@b>\"," \
	"\"from\":{\"emailAddress\":{\"name\":\"Bob\",\"address\":\"bob@oak.example\"}}}"
#define GONE "{\"id\":\"b\",\"@removed\":{\"reason\":\"deleted\"}}"
#define PAGE "{\"@odata.context\":\"x\",\"@odata.nextLink\":\"https://graph.microsoft.com/v1.0/x?$skiptoken=y\",\"value\":[" ITEM "," GONE "]}"
#define LEADS "],\"@odata.deltaLink\":\"d\"}"
#define TOLD "(AAkALg= 1795327200 Hi \xc3\xbc|bob@oak.example|<a@b>)"

static const struct { const char *page, *told; } pages[] = {
	{ PAGE, TOLD "(b 0 -|-|- removed)next https://graph.microsoft.com/v1.0/x?$skiptoken=y" },
	{ "{\"value\":[" LEADS, "delta d" },
	{ " { \"value\" : [ { \"id\" : \"a\" } , {\"id\":\"b\"} ] , \"@odata.deltaLink\" : \"d\\u002fe\" } \r\n", "(a 0 -|-|-)(b 0 -|-|-)delta d/e" },
	{ "{\"@odata.deltaLink\":\"d\",\"value\":[" ITEM "]}", TOLD "delta d" },
	/* in any order; what is of another kind, empty, null or in another place is none of ours */
	{ "{\"value\":[{\"from\":{\"id\":\"x\",\"emailAddress\":{\"address\":\"a@b\",\"id\":\"y\"},\"subject\":\"no\"},\"subject\":\"s\",\"@removed\":null,\"id\":\"i\"}" LEADS, "(i 0 s|a@b|- removed)delta d" },
	{ "{\"value\":[{\"id\":\"i\",\"subject\":null,\"from\":null,\"receivedDateTime\":7,\"internetMessageId\":[\"x\"]}" LEADS, "(i 0 -|-|-)delta d" },
	{ "{\"value\":[{\"id\":\"i\",\"subject\":{\"id\":\"x\"},\"from\":[{\"emailAddress\":{\"address\":\"x\"}}],\"toRecipients\":[{\"emailAddress\":{\"address\":\"x\"}},[[]]],\"receivedDateTime\":\"never\"}" LEADS, "(i 0 -|-|-)delta d" },
	{ "{\"id\":\"x\",\"error\":null,\"@odata.nextLink\":null,\"value\":[{\"id\":\"i\",\"value\":[{\"id\":\"x\"}],\"@odata.nextLink\":\"x\",\"error\":{\"code\":\"x\"}}" LEADS, "(i 0 -|-|-)delta d" },
	/* said twice: the first counts */
	{ "{\"value\":[{\"id\":\"i\",\"subject\":\"one\",\"subject\":\"two\",\"id\":\"j\",\"from\":{},\"from\":{\"emailAddress\":{\"address\":\"x\"}}}" LEADS, "(i 0 one|-|-)delta d" },
	/* what one has the next one has not */
	{ "{\"value\":[" ITEM ",{\"id\":\"j\"}," GONE ",{\"id\":\"k\",\"subject\":\"\"}" LEADS, TOLD "(j 0 -|-|-)(b 0 -|-|- removed)(k 0 -|-|-)delta d" },
	{ "{\"value\":[{\"id\":\"i\",\"subject\":\"a\\u0000b\\ud83dc\"}" LEADS, "(i 0 a\1b\xef\xbf\xbd" "c|-|-)delta d" },
};

TEST(pages_in_every_two_pieces)
{
	for (size_t i = 0; i < COUNT(pages); i++) {
		struct outcome o = read_any_way(slice_str(pages[i].page));

		EXPECT_ROW(!o.fault, pages[i].page);
		EXPECT_TEXT(o.told, pages[i].told);
		free(o.told);
	}
}

static const struct { const char *page, *why; } no_pages[] = {
	{ "", "cut short" }, { "{}", "no page of messages" }, { "[]", "no page of messages" }, { "7", "no page of messages" }, { "\"x\"", "no page of messages" },
	{ "null", "no page of messages" }, { "<html>", "no JSON" }, { "{\"value\":[]}", "a page that leads nowhere" },
	{ "{\"value\":{},\"@odata.deltaLink\":\"x\"}", "no page of messages" }, { "{\"value\":null,\"@odata.deltaLink\":\"x\"}", "no page of messages" },
	{ "{\"value\":[],\"@odata.deltaLink\":7}", "a page that leads nowhere" }, { "{\"value\":[],\"@odata.deltaLink\":\"\"}", "a page that leads nowhere" },
	{ "{\"value\":[],\"@odata.deltaLink\":{\"@odata.deltaLink\":\"x\"}}", "a page that leads nowhere" },
	{ "{\"value\":[],\"@odata.deltaLink\":\"x\",\"@odata.nextLink\":\"y\"}", "a page that leads to two places" },
	{ "{\"@odata.nextLink\":\"x\",\"value\":[],\"@odata.nextLink\":\"x\"}", "a page that leads to two places" },
	{ "{\"value\":[],\"value\":[],\"@odata.deltaLink\":\"x\"}", "two lists of messages" },
	{ "{\"value\":[],\"@odata.deltaLink\":\"x\\u0000y\"}", "a link that is none" },
	{ "{\"value\":[{}" LEADS, "a message without an id" }, { "{\"value\":[7" LEADS, "a message without an id" }, { "{\"value\":[[]" LEADS, "a message without an id" },
	{ "{\"value\":[\"id\"" LEADS, "a message without an id" }, { "{\"value\":[{\"id\":\"a b\"}" LEADS, "a message without an id" },
	{ "{\"value\":[{\"id\":\"a\\nb\"}" LEADS, "a message without an id" }, { "{\"value\":[{\"id\":\"a\\u0000b\"}" LEADS, "a message without an id" },
	{ "{\"value\":[{\"id\":{\"id\":\"a\"}}" LEADS, "a message without an id" }, { "{\"value\":[{\"id\":7,\"id\":\"a\"}" LEADS, "a message without an id" },
	{ "{\"value\":[" ITEM LEADS "}", "something behind the document" }, { "{\"value\":[" ITEM "}", "neither a comma nor an end behind a value" },
	/* an error behind what went well so far */
	{ "{\"value\":[" ITEM "],\"error\":{\"code\":\"ErrorServerBusy\",\"message\":\"x\",\"innerError\":{\"code\":\"x\"}}}", "an error in the midst of the page: ErrorServerBusy" },
	{ "{\"value\":[" ITEM ",{\"error\":{\"code\":\"ErrorServerBusy\"}}" LEADS, "a message without an id" },
	{ "{\"error\":{\"code\":\"a b\\nc\\u00e4\"},\"value\":[" LEADS, "an error in the midst of the page: a?b?c??" },
	{ "{\"error\":{}}", "an error in the midst of the page" },
};

TEST(what_is_no_page)
{
	for (size_t i = 0; i < COUNT(no_pages); i++) {
		struct outcome o = read_any_way(slice_str(no_pages[i].page));

		EXPECT_ROW(o.fault == FAULT_BROKEN, no_pages[i].page);
		EXPECT_TEXT(o.why, no_pages[i].why);
		free(o.told);
	}
}

TEST(a_page_cut_at_every_byte)
{
	for (size_t len = 0; len < sizeof PAGE - 1; len++) {
		struct outcome o = read_cut(slice(PAGE, len), len / 2);

		EXPECT(o.fault == FAULT_BROKEN && (len < sizeof PAGE - 3 || o.messages == 2));
		EXPECT_TEXT(o.why, "cut short");
		free(o.told);
	}
}

/* -- limits ------------------------------------------------------------------------------------------------------- */

static struct outcome read_repeated(const char *before, const char *each, size_t times, const char *behind)
{
	struct buffer  b;
	struct outcome o;

	buffer_init(&b, BIG);
	buffer_add_str(&b, before);
	while (times--)
		buffer_add_str(&b, each);
	EXPECT(buffer_add_str(&b, behind));
	o = read_cut(buffer_held(&b), buffer_held(&b).len / 3);
	buffer_release(&b);
	return o;
}

static enum fault fault_of(const char *before, const char *each, size_t times, const char *behind)
{
	struct outcome o = read_repeated(before, each, times, behind);

	free(o.told);
	return o.fault;
}

TEST(limits)
{
	EXPECT(fault_of("{\"value\":[{\"id\":\"a\"}", ",{\"id\":\"a\"}", GRAPH_ITEMS - 1, LEADS) == FAULT_NONE);
	EXPECT(fault_of("{\"value\":[{\"id\":\"a\"}", ",{\"id\":\"a\"}", GRAPH_ITEMS, LEADS) == FAULT_TOO_BIG);
	EXPECT(fault_of("{\"value\":[{\"id\":\"", "a", GRAPH_TEXT, "\"}" LEADS) == FAULT_NONE);
	EXPECT(fault_of("{\"value\":[{\"id\":\"", "a", GRAPH_TEXT + 1, "\"}" LEADS) == FAULT_TOO_BIG);
	EXPECT(fault_of("{\"value\":[],\"@odata.nextLink\":\"", "a", GRAPH_LINK - 1, "\"}") == FAULT_NONE);
	EXPECT(fault_of("{\"value\":[],\"@odata.nextLink\":\"", "a", GRAPH_LINK, "\"}") == FAULT_TOO_BIG);
	/* a body that nobody asked for, of nine megabytes; and a page without end */
	EXPECT(fault_of("{\"value\":[{\"id\":\"a\",\"body\":{\"content\":\"", "1234567\\n", 1 << 20, "\"}}" LEADS) == FAULT_NONE);
	EXPECT(fault_of("{\"value\":[", " ", GRAPH_PAGE, LEADS) == FAULT_TOO_BIG);
}

TEST(a_long_text_is_cut_at_a_character)
{
	struct outcome o = read_repeated("{\"value\":[{\"id\":\"a\",\"subject\":\"x", "\xc3\xa4", GRAPH_TEXT, "yz\",\"internetMessageId\":\"m\"}" LEADS);
	char           wanted[GRAPH_TEXT + 40] = "(a 0 x";

	for (size_t i = 0; i < (GRAPH_TEXT - 1) / 2; i++)
		memcpy(wanted + strlen(wanted), "\xc3\xa4", 3);
	memcpy(wanted + strlen(wanted), "|-|m)delta d", 13);
	EXPECT_TEXT(o.told, wanted);
	free(o.told);
}
