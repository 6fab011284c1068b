#include "test.h"

#include <stdlib.h>

#include "wire/dns.h"

/* -- packets, written by hand ------------------------------------------------------------------------------------- */

struct packet {
	uint8_t bytes[70000];
	size_t  len;
};

static void put(struct packet *p, const void *bytes, size_t len)
{
	EXPECT(p->len + len <= sizeof p->bytes);
	if (len)
		memcpy(p->bytes + p->len, bytes, len);
	p->len += len;
}

static void put16(struct packet *p, unsigned n)
{
	put(p, (uint8_t[]){ (uint8_t)(n >> 8), (uint8_t)n }, 2);
}

static void put_name(struct packet *p, const char *name)
{
	while (*name) {
		size_t len = strcspn(name, ".");

		put(p, (uint8_t[]){ (uint8_t)len }, 1);
		put(p, name, len);
		name += len + (name[len] == '.');
	}
	put(p, "", 1);
}

static void begin(struct packet *p, unsigned flags, unsigned answers, unsigned authorities, unsigned additionals)
{
	p->len = 0;
	put16(p, 0x1234);
	put16(p, 0x8180 | flags);
	put16(p, 1);
	put16(p, answers);
	put16(p, authorities);
	put16(p, additionals);
	put_name(p, "Birch.Example");           /* at 12: later records point there with C0 0C */
	put16(p, DNS_A);
	put16(p, 1);
}

static void put_record(struct packet *p, const char *owner, unsigned type, const void *rdata, size_t len)
{
	put_name(p, owner);
	put16(p, type);
	put16(p, 1);
	put16(p, 0);
	put16(p, 300);
	put16(p, (unsigned)len);
	put(p, rdata, len);
}

static void put_cname(struct packet *p, const char *owner, const char *target)
{
	struct packet rdata = { .len = 0 };

	put_name(&rdata, target);
	put_record(p, owner, DNS_CNAME, rdata.bytes, rdata.len);
}

static void put_opt(struct packet *p, unsigned rcode_high, const void *options, size_t len)
{
	put(p, "\0\0\x29\x04\xd0", 5);
	put16(p, rcode_high << 8);
	put16(p, 0);
	put16(p, (unsigned)len);
	put(p, options, len);
}

static struct slice bytes_of(const struct packet *p)
{
	return slice((const char *)p->bytes, p->len);
}

/* From memory that ends where the packet ends, so that a byte read too far is seen. */
static bool parses(struct slice bytes, struct arena *into, struct dns_message *out)
{
	char *exact = must_alloc(bytes.len);
	bool  good;

	if (bytes.len)
		memcpy(exact, bytes.at, bytes.len);
	good = dns_message(slice(exact, bytes.len), into, out);
	free(exact);
	return good;
}

static void expect_broken_at_every_cut(const struct packet *p)
{
	for (size_t cut = 0; cut < p->len; cut++) {
		CLEANUP(arena) struct arena *job = arena_new();
		struct dns_message m;

		EXPECT(!parses(slice((const char *)p->bytes, cut), job, &m));
	}
}

/* -- asking ------------------------------------------------------------------------------------------------------- */

TEST(a_query_on_the_wire)
{
	static const char plain[] = "\0\0\x01\x20\0\x01\0\0\0\0\0\x01" "\5birch\7example\0" "\0\x0f\0\1"
	                            "\0" "\0\x29\x04\xd0\0\0\0\0\0\0";
	struct buffer out;

	buffer_init(&out, 512);
	EXPECT(dns_query(&out, "birch.example", DNS_MX, false));
	EXPECT(slice_equal(buffer_held(&out), slice(plain, sizeof plain - 1)));
	buffer_clear(&out);
	EXPECT(dns_query(&out, "birch.example.", DNS_MX, true));
	EXPECT(buffer_held(&out).len == sizeof plain - 1 && buffer_held(&out).at[3] == 0x30);
	buffer_release(&out);
}

#define L63 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg"
#define L61 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffg"

TEST(names_that_fit_and_names_that_do_not)
{
	static const struct { const char *name; bool fits; } names[] = {
		{ "a", true }, { "_imaps._tcp.birch.example", true }, { ".", true }, { "a.", true },
		{ L63 ".example", true },
		{ L63 "." L63 "." L63 "." L61, true },
		{ "a\\046b.example", true }, { "a\\.b", true }, { "\\255", true },
		{ "", false }, { "..", false }, { ".a", false }, { "a..b", false }, { "a..", false },
		{ L63 "x.example", false },
		{ L63 "." L63 "." L63 "." L61 "x", false }, { L63 "." L63 "." L63 "." L61 ".x", false },
		{ L63 "." L63 "." L63 "." L63, false },
		{ "\\256", false }, { "\\25", false }, { "\\", false }, { "a\\2", false },
	};

	for (size_t i = 0; i < COUNT(names); i++) {
		struct buffer out;

		buffer_init(&out, 512);
		EXPECT_ROW(dns_query(&out, names[i].name, DNS_A, false) == names[i].fits, names[i].name);
		EXPECT_ROW((buffer_held(&out).len > 0) == names[i].fits, names[i].name);
		buffer_release(&out);
	}
}

TEST(a_query_that_the_buffer_cannot_hold_is_not_begun)
{
	struct buffer out;

	buffer_init(&out, 20);
	EXPECT(!dns_query(&out, "birch.example", DNS_A, false));
	EXPECT(buffer_held(&out).len == 0);
	buffer_release(&out);
}

/* -- reading ------------------------------------------------------------------------------------------------------ */

TEST(every_type_of_record)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct packet      p;
	struct dns_message m;
	char               text[ADDRESS_TEXT];

	begin(&p, 0x20, 12, 1, 1);
	put_record(&p, "BIRCH.example", DNS_A, "\xcb\0\x71\x07", 4);
	put_record(&p, "birch.example", DNS_AAAA, "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16);
	put_record(&p, "birch.example", DNS_MX, "\0\x0a\4MAIL\xc0\x0c", 9);
	put_record(&p, "birch.example", DNS_MX, "\0\0\0", 3);
	put_record(&p, "_imaps._tcp.birch.example", DNS_SRV, "\0\1\0\2\3\xe1\4imap\xc0\x0c", 13);
	put_record(&p, "birch.example", DNS_TXT, "\3v=s\0\5pf1 ~", 11);
	put_record(&p, "birch.example", DNS_NS, "\2ns\xc0\x0c", 5);
	put_record(&p, "birch.example", 46, "what RRSIG holds", 16);            /* unknown here: skipped */
	put_record(&p, "birch.example", DNS_CNAME, "\4a.\\ \xc0\x0c", 7);
	put_record(&p, "birch.example", DNS_PTR, "\0", 1);
	put_record(&p, "birch.example", DNS_SOA,
	           "\2ns\xc0\x0c\4host\xc0\x0c\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5", 32);
	put_record(&p, "birch.example", DNS_TXT, "\0", 1);
	put_record(&p, "birch.example", DNS_SOA, "not looked at in this section", 29);
	put_opt(&p, 0, "\0\x0a\0\2ab\0\x0f\0\4\0\x07xy", 14);

	EXPECT(parses(bytes_of(&p), job, &m));
	EXPECT(m.rcode == 0 && m.authentic && m.extended == 7 && m.answer_count == 11);
	EXPECT_TEXT(m.answer[0].owner, "birch.example");
	EXPECT(m.answer[0].type == DNS_A && m.answer[0].ttl == 300);
	EXPECT_TEXT(address_text(&m.answer[0].address, text), "203.0.113.7");
	EXPECT_TEXT(address_text(&m.answer[1].address, text), "2001:db8::1");
	EXPECT(m.answer[2].preference == 10);
	EXPECT_TEXT(m.answer[2].target, "mail.birch.example");
	EXPECT_TEXT(m.answer[3].target, "");
	EXPECT(m.answer[4].preference == 1 && m.answer[4].weight == 2 && m.answer[4].port == 993);
	EXPECT_TEXT(m.answer[4].target, "imap.birch.example");
	EXPECT(slice_equal(m.answer[5].text, slice_str("v=spf1 ~")));
	EXPECT_TEXT(m.answer[6].target, "ns.birch.example");
	EXPECT_TEXT(m.answer[7].target, "a\\046\\092\\032.birch.example");
	EXPECT_TEXT(m.answer[8].target, "");
	EXPECT_TEXT(m.answer[9].target, "ns.birch.example");
	EXPECT(m.answer[10].text.at && m.answer[10].text.len == 0);
	expect_broken_at_every_cut(&p);

	put(&p, "behind it", 9);
	EXPECT(parses(bytes_of(&p), job, &m) && m.answer_count == 11);
}

TEST(rdata_that_does_not_fit)
{
	static const struct { const char *row; enum dns_type type; const char *rdata; size_t len; } rows[] = {
		{ "A of three bytes",             DNS_A,     "abc", 3 },
		{ "A of five bytes",              DNS_A,     "abcde", 5 },
		{ "AAAA of four bytes",           DNS_AAAA,  "abcd", 4 },
		{ "MX without a name",            DNS_MX,    "\0\1", 2 },
		{ "MX with a byte more",          DNS_MX,    "\0\1\0x", 4 },
		{ "MX of one byte",               DNS_MX,    "\0", 1 },
		{ "SRV cut short",                DNS_SRV,   "\0\1\0\2\0", 5 },
		{ "TXT without a string",         DNS_TXT,   "", 0 },
		{ "TXT longer than its record",   DNS_TXT,   "\5abc", 4 },
		{ "CNAME that reaches out",       DNS_CNAME, "\5ab", 3 },
		{ "CNAME without an end",         DNS_CNAME, "\1a", 2 },
		{ "CNAME with half a pointer",    DNS_CNAME, "\1a\xc0", 3 },
		{ "CNAME with a byte more",       DNS_CNAME, "\xc0\x0cx", 3 },
		{ "a label type of 01",           DNS_CNAME, "\x41" "a\0", 3 },
		{ "a label type of 10",           DNS_CNAME, "\x81" "a\0", 3 },
		{ "a pointer into the header",    DNS_CNAME, "\xc0\0", 2 },
		{ "a pointer forwards",           DNS_CNAME, "\xc0\xff", 2 },
		{ "a pointer to itself",          DNS_CNAME, "\xc0\x38", 2 },       /* 56 = 31 + 15 + 10 */
		{ "a ring of a label",            DNS_CNAME, "\1a\xc0\x38", 4 },
		{ "SOA without its numbers",      DNS_SOA,   "\0\0", 2 },
		{ "SOA with a number more",       DNS_SOA,   "\0\0aaaabbbbccccddddeeeeffff", 26 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		CLEANUP(arena) struct arena *job = arena_new();
		struct packet      p;
		struct dns_message m = { .rcode = 99 };

		begin(&p, 0, 1, 0, 0);
		put_record(&p, "birch.example", rows[i].type, rows[i].rdata, rows[i].len);
		EXPECT_ROW(!parses(bytes_of(&p), job, &m), rows[i].row);
		p.bytes[7] = 2;         /* and with something behind it to reach into */
		put_record(&p, "birch.example", DNS_A, "\xcb\0\x71\x07", 4);
		EXPECT_ROW(!parses(bytes_of(&p), job, &m), rows[i].row);
		EXPECT_ROW(m.rcode == 99, rows[i].row);
	}
}

TEST(names_of_more_than_255_bytes_by_pointers)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct packet      p;
	struct dns_message m;

	/* each target is "a" and the one before: 1 + 2n bytes of name; the question's name has 15 */
	for (unsigned n = 119; n <= 121; n++) {
		size_t before = 12;

		begin(&p, 0, n, 0, 0);
		for (unsigned i = 0; i < n; i++) {
			size_t here = p.len + 15 + 10;

			put_record(&p, "birch.example", DNS_CNAME,
			           (uint8_t[]){ 1, 'a', (uint8_t)(0xc0 | before >> 8), (uint8_t)before }, 4);
			before = here;
		}
		EXPECT(parses(bytes_of(&p), job, &m) == (n <= 120));
	}
}

TEST(what_is_no_answer)
{
	static const struct { const char *row; unsigned flags; } rows[] = {
		{ "a question", 0x0100 }, { "truncated", 0x8380 }, { "an update", 0xa980 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		CLEANUP(arena) struct arena *job = arena_new();
		struct packet      p;
		struct dns_message m;

		begin(&p, 0, 0, 0, 0);
		EXPECT_ROW(parses(bytes_of(&p), job, &m), rows[i].row);
		p.bytes[2] = (uint8_t)(rows[i].flags >> 8);
		p.bytes[3] = (uint8_t)rows[i].flags;
		EXPECT_ROW(!parses(bytes_of(&p), job, &m), rows[i].row);
	}
}

TEST(the_opt_record)
{
	static const struct {
		const char *row, *options;
		size_t      len;
		unsigned    high;
		bool        good;
		int         extended, rcode;
	} rows[] = {
		{ "empty",                  "", 0,                        0, true,  -1, 2  },
		{ "EDE alone",              "\0\x0f\0\2\0\x16", 6,        0, true,  22, 2  },
		{ "the first of two EDE",   "\0\x0f\0\2\0\6\0\x0f\0\2\0\7", 12, 0, true, 6, 2 },
		{ "EDE with text",          "\0\x0f\0\5\1\0abc", 9,       0, true,  256, 2 },
		{ "a high code",            "", 0,                        1, true,  -1, 18 },
		{ "EDE without its code",   "\0\x0f\0\1\0", 5,            0, false, 0, 0   },
		{ "an option that is cut",  "\0\x0f\0\5\0\0", 6,          0, false, 0, 0   },
		{ "half an option",         "\0\x0f\0", 3,                0, false, 0, 0   },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		CLEANUP(arena) struct arena *job = arena_new();
		struct packet      p;
		struct dns_message m;

		begin(&p, DNS_SERVFAIL, 0, 0, 2);
		put_record(&p, "ns.birch.example", DNS_A, "\xcb\0\x71\x07", 4);
		put_opt(&p, rows[i].high, rows[i].options, rows[i].len);
		EXPECT_ROW(parses(bytes_of(&p), job, &m) == rows[i].good, rows[i].row);
		if (rows[i].good)
			EXPECT_ROW(m.extended == rows[i].extended && m.rcode == rows[i].rcode, rows[i].row);
		expect_broken_at_every_cut(&p);
	}
	{
		CLEANUP(arena) struct arena *job = arena_new();
		struct packet      p;
		struct dns_message m;

		begin(&p, 0, 0, 0, 2);
		put_opt(&p, 0, "", 0);
		put_opt(&p, 0, "", 0);
		EXPECT(!parses(bytes_of(&p), job, &m));
	}
}

TEST(more_answers_than_we_keep)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct packet      p;
	struct dns_message m;

	begin(&p, 0, 200, 0, 0);
	for (int i = 0; i < 199; i++)
		put_record(&p, "birch.example", DNS_MX, (uint8_t[]){ 0, (uint8_t)i, 0xc0, 0x0c }, 4);
	put_record(&p, "birch.example", DNS_TXT, "\1a", 2);
	EXPECT(parses(bytes_of(&p), job, &m) && m.answer_count == DNS_ANSWERS);
	EXPECT(m.answer[0].preference == 0 && m.answer[DNS_ANSWERS - 1].preference == DNS_ANSWERS - 1);
	EXPECT(arena_used(job) < 20000);

	p.bytes[p.len - 2] = 9;         /* those that are not kept are checked all the same */
	EXPECT(!parses(bytes_of(&p), job, &m));
}

TEST(records_of_another_class_are_skipped)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct packet      p;
	struct dns_message m;

	begin(&p, 0, 1, 0, 0);
	put_record(&p, "birch.example", DNS_TXT, "\1a", 2);
	p.bytes[31 + 15 + 3] = 3;       /* CH */
	EXPECT(parses(bytes_of(&p), job, &m) && m.answer_count == 0);
}

/* -- the conversation --------------------------------------------------------------------------------------------- */

/* What the fake resolver does in one round. */
struct round {
	const char *asked;              /* the name it must have been asked for, then " CD" when checking is disabled */
	enum came   came;
	unsigned    flags;              /* rcode and AD */
	const char *answer[12];         /* "owner A", "owner CNAME target", "owner MX 10 target" … */
	int         ede;                /* 0: none */
	int         takes_ms;
};

static void put_answer(struct packet *p, const char *line)
{
	char     owner[100], type[10], target[100] = "";
	unsigned first = 0, second = 0;
	struct packet rdata = { .len = 0 };

	if (sscanf(line, "%99s %9s %u %u %99s", owner, type, &first, &second, target) == 5) {
		put16(&rdata, first);
		put16(&rdata, second);
		put16(&rdata, 993);
		put_name(&rdata, target);
		put_record(p, owner, DNS_SRV, rdata.bytes, rdata.len);
	} else if (sscanf(line, "%99s MX %u %99s", owner, &first, target) == 3) {
		put16(&rdata, first);
		put_name(&rdata, target);
		put_record(p, owner, DNS_MX, rdata.bytes, rdata.len);
	} else if (sscanf(line, "%99s CNAME %99s", owner, target) == 2) {
		put_cname(p, owner, strcmp(target, ".") == 0 ? "" : target);
	} else {
		EXPECT(sscanf(line, "%99s A", owner) == 1);
		put_record(p, owner, DNS_A, "\xcb\0\x71\x07", 4);
	}
}

static void reply(struct buffer *out, const struct round *r)
{
	struct packet p;
	unsigned      count = 0;
	uint8_t       ede[] = { 0, 15, 0, 2, 0, (uint8_t)r->ede };

	while (r->answer[count])
		count++;
	begin(&p, r->flags, count, 0, 1);
	for (unsigned i = 0; i < count; i++)
		put_answer(&p, r->answer[i]);
	put_opt(&p, 0, ede, r->ede ? sizeof ede : 0);
	EXPECT(buffer_add(out, bytes_of(&p)));
}

static void expect_asked(struct slice query, const struct round *r, const char *row)
{
	bool          disabled = strstr(r->asked, " CD") != NULL;
	struct packet name = { .len = 0 };

	for (const char *at = r->asked; *at && *at != ' '; ) {
		size_t len = strcspn(at, ". ");

		put(&name, (uint8_t[]){ (uint8_t)len }, 1);
		put(&name, at, len);
		at += len + (at[len] == '.');
	}
	put(&name, "", 1);
	EXPECT_ROW(query.len > 12 + name.len && memcmp(query.at + 12, name.bytes, name.len) == 0, row);
	EXPECT_ROW(((query.at[3] & 0x10) != 0) == disabled, row);
}

struct talk {
	const char      *row;
	const char      *name;
	enum dns_type    type;
	struct round     round[12];
	enum dns_outcome outcome;
	const char      *records;       /* "target/preference/weight " for each */
	const char      *alias;
	int              extended;
	bool             authentic;
	int              ms;
};

static void expect_talk(const struct talk *t, struct dns_lookup *s, struct arena *job)
{
	struct want   w = { .now_ms = 1000, .came = CAME_NOTHING };
	struct error  err = { .fault = FAULT_NONE };
	size_t        rounds = 0;
	enum want_kind kind;

	dns_lookup_init(s, job, t->name, t->type, 5000);
	while ((kind = dns_lookup_step(s, &w, &err)) == WANT_DNS) {
		const struct round *r = &t->round[rounds++];

		EXPECT_ROW(w.kind == WANT_DNS && r->asked, t->row);
		EXPECT_ROW(w.wait_ms == 5000 - (w.now_ms - 1000) && w.wait_ms > 0, t->row);
		EXPECT_ROW(w.dns == &s->answer && buffer_held(&w.dns->reply).len == 0, t->row);
		expect_asked(w.query, r, t->row);
		if (r->came == CAME)
			reply(&w.dns->reply, r);
		w.came = r->came;
		w.now_ms += r->takes_ms;
	}
	EXPECT_ROW(kind == WANT_NOTHING && err.fault == FAULT_NONE, t->row);
	EXPECT_ROW(t->round[rounds].asked == NULL, t->row);
}

static void expect_found(const struct talk *t, const struct dns_lookup *s)
{
	char   records[400] = "";
	size_t len = 0;

	for (size_t i = 0; i < s->count; i++)
		len += (size_t)snprintf(records + len, sizeof records - len, "%s/%u/%u ",
		                        s->record[i].target ? s->record[i].target : s->record[i].owner,
		                        s->record[i].preference, s->record[i].weight);
	EXPECT_TEXT(dns_outcome_name(s->outcome), dns_outcome_name(t->outcome));
	EXPECT_TEXT(records, t->records ? t->records : "");
	EXPECT_TEXT(s->alias ? s->alias : "none", t->alias ? t->alias : "none");
	EXPECT_ROW(s->extended == (t->extended ? t->extended : -1), t->row);
	EXPECT_ROW(s->authentic == t->authentic, t->row);
	EXPECT_ROW(s->ms == t->ms, t->row);
}

static const struct talk talks[] = {
	{ "found", "birch.example", DNS_A,
	  { { "birch.example", CAME, 0x20, { "birch.example A", "other.example A" }, 0, 12 } },
	  .outcome = DNS_FOUND, .records = "birch.example/0/0 ", .authentic = true, .ms = 12 },
	{ "asked in capitals, with a dot", "BIRCH.example.", DNS_A,
	  { { "BIRCH.example", CAME, 0, { "birch.EXAMPLE A" }, 0, 0 } },
	  .outcome = DNS_FOUND, .records = "birch.example/0/0 " },
	{ "MX in order", "birch.example", DNS_MX,
	  { { "birch.example", CAME, 0, { "birch.example MX 20 c", "birch.example MX 10 b", "birch.example MX 20 a",
	                                  "birch.example MX 5 z" }, 0, 0 } },
	  .outcome = DNS_FOUND, .records = "z/5/0 b/10/0 c/20/0 a/20/0 " },
	{ "SRV in order", "birch.example", DNS_SRV,
	  { { "birch.example", CAME, 0, { "birch.example SRV 2 9 d", "birch.example SRV 1 5 b",
	                                  "birch.example SRV 1 7 a", "birch.example SRV 1 5 c" }, 0, 0 } },
	  .outcome = DNS_FOUND, .records = "a/1/7 b/1/5 c/1/5 d/2/9 " },
	{ "no data", "birch.example", DNS_A,
	  { { "birch.example", CAME, 0x20, { NULL }, 0, 0 } }, .outcome = DNS_NO_DATA, .authentic = true },
	{ "another type is no data", "birch.example", DNS_MX,
	  { { "birch.example", CAME, 0, { "birch.example A" }, 0, 0 } }, .outcome = DNS_NO_DATA },
	{ "nxdomain", "birch.example", DNS_A,
	  { { "birch.example", CAME, DNS_NXDOMAIN, { NULL }, 0, 0 } }, .outcome = DNS_NO_NAME },
	{ "the alias's target does not exist", "birch.example", DNS_A,
	  { { "birch.example", CAME, DNS_NXDOMAIN, { "birch.example CNAME gone.example" }, 0, 0 } },
	  .outcome = DNS_NO_NAME, .alias = "gone.example" },
	{ "an alias in the answer", "birch.example", DNS_A,
	  { { "birch.example", CAME, 0, { "c.example A", "b.example CNAME c.example",
	                                  "birch.example CNAME b.example" }, 0, 0 } },
	  .outcome = DNS_FOUND, .records = "c.example/0/0 ", .alias = "c.example" },
	{ "the alias alone", "birch.example", DNS_A,
	  { { "birch.example", CAME, 0x20, { "birch.example CNAME b.example" }, 0, 10 },
	    { "b.example", CAME, 0, { "b.example A" }, 0, 10 } },
	  .outcome = DNS_FOUND, .records = "b.example/0/0 ", .alias = "b.example", .ms = 20 },
	{ "authentic only at the end", "birch.example", DNS_A,
	  { { "birch.example", CAME, 0, { "birch.example CNAME b.example" }, 0, 0 },
	    { "b.example", CAME, 0x20, { "b.example A" }, 0, 0 } },
	  .outcome = DNS_FOUND, .records = "b.example/0/0 ", .alias = "b.example" },
	{ "the alias alone, and nothing there", "birch.example", DNS_A,
	  { { "birch.example", CAME, 0, { "birch.example CNAME b.example" }, 0, 0 },
	    { "b.example", CAME, 0, { NULL }, 0, 0 } },
	  .outcome = DNS_NO_DATA, .alias = "b.example" },
	{ "the alias alone, and the root", "birch.example", DNS_A,
	  { { "birch.example", CAME, 0, { "birch.example CNAME ." }, 0, 0 }, { "", CAME, 0, { NULL }, 0, 0 } },
	  .outcome = DNS_NO_DATA, .alias = "" },
	{ "the alias alone, then silence", "birch.example", DNS_A,
	  { { "birch.example", CAME, 0x20, { "birch.example CNAME b.example" }, 0, 0 },
	    { "b.example", CAME_TIMEOUT, 0, { NULL }, 0, 0 } },
	  .outcome = DNS_SILENT, .alias = "b.example" },
	{ "the alias itself was asked for", "birch.example", DNS_CNAME,
	  { { "birch.example", CAME, 0, { "birch.example CNAME b.example", "b.example CNAME c.example" }, 0, 0 } },
	  .outcome = DNS_FOUND, .records = "b.example/0/0 " },
	{ "an alias of itself", "birch.example", DNS_A,
	  { { "birch.example", CAME, 0, { "birch.example CNAME birch.example" }, 0, 0 } },
	  .outcome = DNS_LOOP, .alias = "birch.example" },
	{ "two aliases of each other", "birch.example", DNS_A,
	  { { "birch.example", CAME, 0, { "birch.example CNAME b", "b CNAME birch.example" }, 0, 0 } },
	  .outcome = DNS_LOOP, .alias = "b" },
	{ "eight aliases", "birch.example", DNS_A,
	  { { "birch.example", CAME, 0, { "birch.example CNAME 1", "1 CNAME 2", "2 CNAME 3", "3 CNAME 4" }, 0, 0 },
	    { "4", CAME, 0, { "4 CNAME 5", "5 CNAME 6", "6 CNAME 7" }, 0, 0 },
	    { "7", CAME, 0, { "7 CNAME 8", "8 A" }, 0, 0 } },
	  .outcome = DNS_FOUND, .records = "8/0/0 ", .alias = "8" },
	{ "nine aliases", "birch.example", DNS_A,
	  { { "birch.example", CAME, 0, { "birch.example CNAME 1", "1 CNAME 2", "2 CNAME 3", "3 CNAME 4" }, 0, 0 },
	    { "4", CAME, 0, { "4 CNAME 5", "5 CNAME 6", "6 CNAME 7", "7 CNAME 8" }, 0, 0 },
	    { "8", CAME, 0, { "8 CNAME 9", "9 A" }, 0, 0 } },
	  .outcome = DNS_LOOP, .alias = "9" },
	{ "servfail", "birch.example", DNS_A,
	  { { "birch.example", CAME, DNS_SERVFAIL, { NULL }, 22, 300 },
	    { "birch.example CD", CAME, DNS_SERVFAIL, { NULL }, 23, 200 } },
	  .outcome = DNS_SERVER_FAILED, .extended = 22, .ms = 500 },
	{ "servfail, the reason only the second time", "birch.example", DNS_A,
	  { { "birch.example", CAME, DNS_SERVFAIL, { NULL }, 0, 0 },
	    { "birch.example CD", CAME, DNS_SERVFAIL, { NULL }, 23, 0 } },
	  .outcome = DNS_SERVER_FAILED, .extended = 23 },
	{ "bogus", "birch.example", DNS_A,
	  { { "birch.example", CAME, DNS_SERVFAIL, { NULL }, 7, 0 },
	    { "birch.example CD", CAME, 0x20, { "birch.example A" }, 0, 0 } },
	  .outcome = DNS_BOGUS, .extended = 7 },
	{ "bogus absence", "birch.example", DNS_A,
	  { { "birch.example", CAME, DNS_SERVFAIL, { NULL }, 6, 0 },
	    { "birch.example CD", CAME, DNS_NXDOMAIN, { NULL }, 0, 0 } },
	  .outcome = DNS_BOGUS, .extended = 6 },
	{ "servfail, then silence", "birch.example", DNS_A,
	  { { "birch.example", CAME, DNS_SERVFAIL, { NULL }, 0, 0 },
	    { "birch.example CD", CAME_TIMEOUT, 0, { NULL }, 0, 4000 } },
	  .outcome = DNS_SERVER_FAILED, .ms = 4000 },
	{ "servfail, then refused", "birch.example", DNS_A,
	  { { "birch.example", CAME, DNS_SERVFAIL, { NULL }, 0, 0 },
	    { "birch.example CD", CAME, DNS_REFUSED, { NULL }, 0, 0 } },
	  .outcome = DNS_SERVER_FAILED },
	{ "servfail at the very end", "birch.example", DNS_A,
	  { { "birch.example", CAME, DNS_SERVFAIL, { NULL }, 22, 5000 } },
	  .outcome = DNS_SERVER_FAILED, .extended = 22, .ms = 5000 },
	{ "the alias's target is bogus", "birch.example", DNS_A,
	  { { "birch.example", CAME, 0, { "birch.example CNAME b.example" }, 0, 0 },
	    { "b.example", CAME, DNS_SERVFAIL, { NULL }, 9, 0 },
	    { "b.example CD", CAME, 0, { "b.example A" }, 0, 0 } },
	  .outcome = DNS_BOGUS, .alias = "b.example", .extended = 9 },
	{ "refused", "birch.example", DNS_A,
	  { { "birch.example", CAME, DNS_REFUSED, { NULL }, 18, 0 } },
	  .outcome = DNS_SERVER_REFUSED, .extended = 18 },
	{ "not implemented", "birch.example", DNS_A,
	  { { "birch.example", CAME, DNS_NOTIMP | 0x20, { NULL }, 0, 0 } }, .outcome = DNS_SERVER_REFUSED },
	{ "silence", "birch.example", DNS_A,
	  { { "birch.example", CAME_TIMEOUT, 0, { NULL }, 0, 5000 } }, .outcome = DNS_SILENT, .ms = 5000 },
	{ "nobody listens", "birch.example", DNS_A,
	  { { "birch.example", CAME_REFUSED, 0, { NULL }, 0, 0 } }, .outcome = DNS_SILENT },
	{ "no route", "birch.example", DNS_A,
	  { { "birch.example", CAME_UNREACHABLE, 0, { NULL }, 0, 0 } }, .outcome = DNS_SILENT },
	{ "more than a message", "birch.example", DNS_A,
	  { { "birch.example", CAME_FULL, 0, { NULL }, 0, 0 } }, .outcome = DNS_BROKEN },
	{ "a name that cannot be", "birch..example", DNS_A,
	  { { NULL, CAME, 0, { NULL }, 0, 0 } }, .outcome = DNS_NO_NAME },
};

TEST(lookups)
{
	for (size_t i = 0; i < COUNT(talks); i++) {
		CLEANUP(arena) struct arena *job = arena_new();
		struct dns_lookup s;

		expect_talk(&talks[i], &s, job);
		expect_found(&talks[i], &s);
		dns_lookup_release(&s);
	}
}

TEST(a_reply_cut_anywhere_is_broken)
{
	static const struct round whole = { .answer = { "birch.example MX 10 mail.birch.example" }, .ede = 3 };
	struct buffer full;

	buffer_init(&full, 600);
	reply(&full, &whole);
	for (size_t cut = 0; cut <= buffer_held(&full).len; cut++) {
		CLEANUP(arena) struct arena *job = arena_new();
		struct dns_lookup s;
		struct want       w = { .now_ms = 0 };

		dns_lookup_init(&s, job, "birch.example", DNS_MX, 100);
		EXPECT(dns_lookup_step(&s, &w, NULL) == WANT_DNS);
		buffer_add(&w.dns->reply, slice_upto(buffer_held(&full), cut));
		w.came = CAME;
		EXPECT(dns_lookup_step(&s, &w, NULL) == WANT_NOTHING);
		EXPECT(s.outcome == (cut < buffer_held(&full).len ? DNS_BROKEN : DNS_FOUND));
		dns_lookup_release(&s);
	}
	buffer_release(&full);
}

TEST(called_off_and_abandoned)
{
	CLEANUP(arena) struct arena *job = arena_new();
	struct dns_lookup s;
	struct want       w = { .now_ms = 0 };
	struct error      err = { .fault = FAULT_NONE };

	dns_lookup_init(&s, job, "birch.example", DNS_A, 100);
	dns_lookup_release(&s);

	dns_lookup_init(&s, job, "birch.example", DNS_A, 100);
	EXPECT(dns_lookup_step(&s, &w, &err) == WANT_DNS);
	dns_lookup_release(&s);

	dns_lookup_init(&s, job, "birch.example", DNS_A, 100);
	EXPECT(dns_lookup_step(&s, &w, &err) == WANT_DNS);
	w.came = CAME_CANCELLED;
	EXPECT(dns_lookup_step(&s, &w, &err) == WANT_FAILED && err.fault == FAULT_CANCELLED);
	dns_lookup_release(&s);
}

TEST(every_outcome_has_a_name)
{
	for (enum dns_outcome i = DNS_FOUND; i <= DNS_LOOP; i++)
		for (enum dns_outcome j = DNS_FOUND; j < i; j++)
			EXPECT(strcmp(dns_outcome_name(i), dns_outcome_name(j)) != 0);
}
