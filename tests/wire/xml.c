#include "wire/xml.h"

#include "test.h"

#define A "urn:a"
#define B "urn:b"

static const struct xml_space spaces[] = { { A, 1 }, { B, 2 } };

/* What was told, as one line: "(1:a x=y)text" … ")" at each end. */
struct heard {
	struct arena *job;
	const char   *text;
	char          run[4096];      /* of pieces of text */
	size_t        run_len;
};

static void flush(struct heard *h)
{
	h->text = arena_print(h->job, "%s%.*s", h->text, (int)h->run_len, h->run);
	h->run_len = 0;
}

static void on_start(void *self, struct slice name, unsigned space, const struct xml_attribute *a, size_t count)
{
	struct heard *h = self;

	flush(h);
	h->text = space == XML_FOREIGN ? arena_print(h->job, "%s(%.*s:?", h->text, (int)name.len, name.at)
	                               : arena_print(h->job, "%s(%.*s:%u", h->text, (int)name.len, name.at, space);
	for (size_t i = 0; i < count; i++)
		h->text = arena_print(h->job, "%s %s%.*s=%.*s", h->text, a[i].prefixed ? "." : "", (int)a[i].name.len, a[i].name.at,
		                      (int)a[i].value.len, a[i].value.at);
	h->text = arena_print(h->job, "%s|", h->text);
}

static void on_end(void *self)
{
	struct heard *h = self;

	flush(h);
	h->text = arena_print(h->job, "%s)", h->text);
}

static void on_text(void *self, struct slice text)
{
	struct heard *h = self;

	EXPECT(h->run_len + text.len <= sizeof h->run);
	memcpy(h->run + h->run_len, text.at, text.len);
	h->run_len += text.len;
}

static void on_leaf(void *self, struct slice name, unsigned space, struct slice text)
{
	on_start(self, name, space, NULL, 0);
	on_text(self, text);
	on_end(self);
}

/* Read in two pieces, or byte by byte when `cut` is 0; by the shorter way, where there is one, or never by it. */
static const char *read_by(struct arena *job, struct slice xml, size_t cut, bool leaves, enum xml_state *state, size_t *left)
{
	struct heard              h = { .job = job, .text = "" };
	const struct xml_listener told = { .self = &h, .start = on_start, .end = on_end, .text = on_text, .leaf = leaves ? on_leaf : NULL };
	struct xml_reader         r;
	struct slice              rest = xml;

	xml_reader_init(&r, spaces, COUNT(spaces), &told);
	while (rest.len && r.state == XML_GOES_ON) {
		size_t len = cut == 0 ? 1 : xml.len - rest.len < cut ? cut - (xml.len - rest.len) : rest.len;
		size_t used = xml_feed(&r, slice_upto(rest, len));

		EXPECT(used <= len && (used == len || r.state != XML_GOES_ON));
		rest = slice_from(rest, used);
	}
	flush(&h);
	*state = r.state;
	*left = rest.len;
	xml_reader_release(&r);
	return h.text;
}

/* Both ways, which have to tell the same. */
static const char *read_cut(struct arena *job, struct slice xml, size_t cut, enum xml_state *state, size_t *left)
{
	enum xml_state other_state;
	size_t         other_left;
	const char    *told = read_by(job, xml, cut, true, state, left), *other = read_by(job, xml, cut, false, &other_state, &other_left);

	EXPECT_TEXT(told, other);
	EXPECT(*state == other_state && *left == other_left);
	return told;
}

static const struct {
	const char *xml, *told;
} good[] = {
	{ "<a/>", "(a:0|)" },
	{ "\xef\xbb\xbf<a></a>", "(a:0|)" },
	{ "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone='yes'?>\r\n<!-- - -> --><?pi ?>\n<a\t>x</a\r\n>", "(a:0|x)" },
	{ "<a xmlns='" A "'><b/></a>", "(a:1|(b:1|))" },
	{ "<p:a xmlns:p='" A "' xmlns='" B "'><b p:c=\"d\" e = 'f'/></p:a>", "(a:1|(b:2 .c=d e=f|))" },
	{ "<a xmlns='" A "'><b xmlns='" B "'/><c/><d xmlns=''/></a>", "(a:1|(b:2|)(c:1|)(d:0|))" },
	{ "<p:a xmlns:p='" A "'><p:b xmlns:p='" B "'/><p:c/></p:a>", "(a:1|(b:2|)(c:1|))" },
	{ "<a xmlns='urn:c' xml:lang='de'/>", "(a:? .lang=de|)" },
	{ "<a b='&lt;&#65;&#x20AC;&apos;\t&#10;>\"'/>", "(a:0 b=<A\xe2\x82\xac' \n>\"|)" },
	{ "<a>1 &lt; 2 &amp;&#x1F600; \xc3\xa4\r\nx\ry</a>", "(a:0|1 < 2 &\xf0\x9f\x98\x80 \xc3\xa4\nx\ny)" },
	{ "<a>&#x000041;]] > ]]&gt;</a>", "(a:0|A]] > ]]>)" },
	{ "<a><![CDATA[<b>&amp;]]]]><![CDATA[>\r\n]]></a>", "(a:0|<b>&amp;]]>\n)" },
	{ "<a>x<!-- <b> -->y<?z </a> ?>z</a>", "(a:0|xyz)" },
	{ "<?xml version='1.0' encoding='ISO-8859-1'?><a b='\xe4'>\xfc<![CDATA[\xf6]]></a>", "(a:0 b=\xc3\xa4|\xc3\xbc\xc3\xb6)" },
	/* what was seen before and comes again, and what is only alike */
	{ "<p:a xmlns:p='" A "'><p:b>1</p:b><p:b>2</p:b><c xmlns:p='" B "'><p:b>3</p:b><p:b>4</p:b></c><p:b>5</p:b></p:a>",
	  "(a:1|(b:1|1)(b:1|2)(c:0|(b:2|3)(b:2|4))(b:1|5))" },
	{ "<a><bc>x</bc><b>y</b><bc>z</bc><b></b><bc>&lt;</bc></a>", "(a:0|(bc:0|x)(b:0|y)(bc:0|z)(b:0|)(bc:0|<))" },
	{ "<a><b>1</b><c>2</c><b>3</b><d>4</d><b>5</b><c><b>6</b></c></a>", "(a:0|(b:0|1)(c:0|2)(b:0|3)(d:0|4)(b:0|5)(c:0|(b:0|6)))" },
	{ "<a><abcdefghijklmnopqrstuvwxyz0>1</abcdefghijklmnopqrstuvwxyz0><abcdefghijklmnopqrstuvwxyz0>2</abcdefghijklmnopqrstuvwxyz0></a>",
	  "(a:0|(abcdefghijklmnopqrstuvwxyz0:0|1)(abcdefghijklmnopqrstuvwxyz0:0|2))" },
	/* eight bytes at a time, and what is not plain in any of them */
	{ "<a b='12345678\t1234567\n123456'>1234567\n12345678&amp;12345\xc3\xa4 12345678<b>12345678&gt;</b>\t2345678</a>",
	  "(a:0 b=12345678 1234567 123456|1234567\n12345678&12345\xc3\xa4 12345678(b:0|12345678>)\t2345678)" },
	{ "<a><b>\xc3\xa4&lt;b&gt;\xc3\xb6 12345678901234567&#x20AC;</b><b>&amp;</b><b>1&#65;2]]&gt;<c/></b><b>\xc3\xa4\r\n</b><b>&quot;&apos;</b></a>",
	  "(a:0|(b:0|\xc3\xa4<b>\xc3\xb6 12345678901234567\xe2\x82\xac)(b:0|&)(b:0|1A2]]>(c:0|))(b:0|\xc3\xa4\n)(b:0|\"'))" },
	{ "<?xml version='1.0' encoding='ISO-8859-1'?><a><b>\xe4&amp;</b><b>&lt;\xe4</b><b>\xc3\xa4</b></a>", "(a:0|(b:0|\xc3\xa4&)(b:0|<\xc3\xa4)(b:0|\xc3\x83\xc2\xa4))" },
	/* attributes that are read at once, and those that are not */
	{ "<p:a xmlns:p=\"" A "\"><p:b c=\"12345678901234567\" d=\"\">x</p:b><p:b c=\"2\"/><p:b c=\"&lt;\" d=\"'>/\"/><p:b p:c=\"4\"/><p:b/></p:a>",
	  "(a:1|(b:1 c=12345678901234567 d=|x)(b:1 c=2|)(b:1 c=< d='>/|)(b:1 .c=4|)(b:1|))" },
	{ "<a><b xmlns=\"" A "\" c=\"1\"><b c=\"1\"/></b><b c=\"1\"  d=\"2\" /><b c=\"\t1234567890123456\n\"/><b c=\"12345678901234\xc3\xa4\"/><b d=\"5\"></b></a>",
	  "(a:0|(b:1 c=1|(b:1 c=1|))(b:0 c=1 d=2|)(b:0 c= 1234567890123456 |)(b:0 c=12345678901234\xc3\xa4|)(b:0 d=5|))" },
	{ "<\xc3\xa4:b xmlns:\xc3\xa4='" B "'/>", "(b:2|)" },
};

TEST(documents_whole_and_cut_at_every_byte)
{
	for (size_t i = 0; i < COUNT(good); i++)
		for (size_t cut = 0; cut <= strlen(good[i].xml); cut++) {
			CLEANUP(arena) struct arena *job = arena_new();
			enum xml_state state;
			size_t         left;

			EXPECT_TEXT(read_cut(job, slice_str(good[i].xml), cut, &state, &left), good[i].told);
			EXPECT_ROW(state == XML_WHOLE && left == 0, good[i].xml);
		}
}

TEST(a_document_cut_short_never_ends)
{
	for (size_t i = 0; i < COUNT(good); i++)
		for (size_t len = 0; len < strlen(good[i].xml); len++) {
			CLEANUP(arena) struct arena *job = arena_new();
			enum xml_state state;
			size_t         left;

			read_cut(job, slice(good[i].xml, len), 0, &state, &left);
			EXPECT_ROW(state == XML_GOES_ON, good[i].xml);
		}
}

TEST(what_follows_the_document_is_left)
{
	static const char xml[] = "<a><b/></a>";

	for (size_t cut = 0; cut < sizeof xml + 4; cut++) {
		CLEANUP(arena) struct arena *job = arena_new();
		enum xml_state state;
		size_t         left;

		EXPECT_TEXT(read_cut(job, slice_str("<a><b/></a>\r\n<c>"), cut, &state, &left), "(a:0|(b:0|))");
		EXPECT(state == XML_WHOLE && left == 5);
	}
}

TEST(what_is_not_well_formed_is_refused_wherever_it_is_cut)
{
	static const char *const bad[] = {
		"x", "</a>", "<a></b>", "<a><b></a></b>", "<a/ >", "<a b/>", "<a b=c/>", "<a b='<'/>", "<a b='1' b='2'/>", "<a b='1'c='2'/>", "<1/>", "< a/>",
		"<a:/>", "<:a/>", "<a:b:c/>", "<p:a/>", "<a p:b=''/>", "<a xmlns:p=''/>", "<p:a xmlns:p='urn:a'></a>", "<a><b>x</c></a>", "<a><b>x</bc></a>", "<a><bc>x</b></a>", "<a><p:b>x</p:b></a>",
		"<a><b>1234567\x01</b></a>", "<a><b>12345678\x7f\x01</b></a>", "<a><b c='1234567\x01'/></a>", "<a><b c='1234567<8'/></a>", "<a><b>x</b ></b></a>",
		"<a><b>&lt;&x;</b></a>", "<a><b>&lt;\x01</b></a>", "<a><b>\xc3\xa4\xc3(</b></a>", "<a><b>&lt;</c></a>",
		"<a b=\"1\" b=\"2\"/>", "<a b=\"1\"c=\"2\"/>", "<a b=\"1<\"/>", "<a =\"1\"/>", "<a 1=\"1\"/>", "<a b=\"1\"/ >", "<a b=\"1\"//>", "<p:a b=\"1\"/>", "<a b=\"123456789012345\x01\"/>",
		"<a b=\"1\" c/>", "<a b=\"&x;\"/>", "<a p:b=\"1\"/>", "<a><c xmlns:p=\"urn:a\"><p:b d=\"1\"/></c><p:b d=\"1\"/></a>",
		"<a><c xmlns:p='urn:a'><p:b>x</p:b></c><p:b>x</p:b></a>", "<a>&nbsp;</a>", "<a>&#0;</a>", "<a>&#xD800;</a>",
		"<a>&#x110000;</a>", "<a>&#;</a>", "<a>&#x;</a>", "<a>& b</a>", "<a>\x01</a>", "<a>\xc3(</a>", "<a>\xff</a>", "<a>\xed\xa0\x80</a>", "<a b='\xc3('/>", "<a b='&x;'/>",
		"<!DOCTYPE a><a/>", "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "<!ELEMENT a ANY><a/>", "<![CDATA[x]]><a/>",
		"<?xml version='1.0' encoding='utf-16'?><a/>", "<a><?xml version='1.0'?></a>", "<?xml version='1.0' encoding=utf-8?><a/>",
	};

	for (size_t i = 0; i < COUNT(bad); i++)
		for (size_t cut = 0; cut <= strlen(bad[i]); cut++) {
			CLEANUP(arena) struct arena *job = arena_new();
			enum xml_state state;
			size_t         left;
			/* what is wrong may only be seen when more comes */
			const char    *xml = arena_print(job, "%s<z></z>            ", bad[i]);

			read_cut(job, slice_str(xml), cut, &state, &left);
			EXPECT_ROW(state == XML_BROKEN, bad[i]);
		}
}

/* More names than are remembered, again and again. */
TEST(many_names)
{
	CLEANUP(arena) struct arena *job = arena_new();
	const char    *xml = "<a>", *told = "(a:0|";
	enum xml_state state;
	size_t         left;

	for (int i = 0; i < 3 * (XML_SEEN + 3); i++) {
		xml = arena_print(job, "%s<n%d>%d</n%d>", xml, i % (XML_SEEN + 3), i, i % (XML_SEEN + 3));
		told = arena_print(job, "%s(n%d:0|%d)", told, i % (XML_SEEN + 3), i);
	}
	EXPECT_TEXT(read_cut(job, slice_str(arena_print(job, "%s</a>", xml)), 1000, &state, &left), arena_print(job, "%s)", told));
	EXPECT(state == XML_WHOLE);
}

TEST(what_is_too_deep_is_so_by_either_way)
{
	for (int deep = XML_DEEPEST - 2; deep <= XML_DEEPEST; deep++) {
		CLEANUP(arena) struct arena *job = arena_new();
		const char    *begins = "", *ends = "";
		enum xml_state state;
		size_t         left;

		for (int i = 0; i < deep; i++) {
			begins = arena_print(job, "%s<a>", begins);
			ends = arena_print(job, "%s</a>", ends);
		}
		read_cut(job, slice_str(arena_print(job, "%s<b>x</b>%s", begins, ends)), 1000, &state, &left);
		EXPECT(state == (deep < XML_DEEPEST ? XML_WHOLE : XML_BROKEN));
	}
}

static void stop_at_once(void *self, struct slice name, unsigned space, const struct xml_attribute *a, size_t count)
{
	(void)name, (void)space, (void)a, (void)count;
	xml_stop(self, XML_TOO_BIG, "enough");
}

TEST(the_listener_may_stop_it)
{
	struct xml_reader         r;
	const struct xml_listener told = { .self = &r, .start = stop_at_once, .end = on_end, .text = on_text };

	xml_reader_init(&r, spaces, COUNT(spaces), &told);
	xml_feed(&r, slice_str("<a/><b>"));
	EXPECT(r.state == XML_TOO_BIG);
	EXPECT_TEXT(r.why, "enough");
	xml_reader_release(&r);
}
