#include "base/address.h"

#include "test.h"

TEST(parsing)
{
	static const struct { const char *text, *again; } rows[] = {      /* NULL: no address */
		{ "192.0.2.1",                   "192.0.2.1" },
		{ "0.0.0.0",                     "0.0.0.0" },
		{ "255.255.255.255",             "255.255.255.255" },
		{ "2001:db8::1",                 "2001:db8::1" },
		{ "2001:DB8:0:0:0:0:0:1",        "2001:db8::1" },
		{ "::",                          "::" },
		{ "::1",                         "::1" },
		{ "::ffff:192.0.2.1",            "::ffff:192.0.2.1" },
		{ "[2001:db8::1]",               "2001:db8::1" },
		{ "[::]",                        "::" },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
		{ "",                            NULL },
		{ "[]",                          NULL },
		{ "[",                           NULL },
		{ "]",                           NULL },
		{ "[192.0.2.1]",                 NULL },
		{ "[[::1]]",                     NULL },
		{ "[::1",                        NULL },
		{ "::1]",                        NULL },
		{ "192.0.2",                     NULL },
		{ "192.0.2.256",                 NULL },
		{ "192.0.2.1.",                  NULL },
		{ "192.0.2.1 ",                  NULL },
		{ " 192.0.2.1",                  NULL },
		{ "192.0.2.01",                  NULL },
		{ "0x7f.0.0.1",                  NULL },
		{ "2130706433",                  NULL },
		{ "127.1",                       NULL },
		{ "fe80::1%eth0",                NULL },
		{ "1:2:3:4:5:6:7:8:9",           NULL },
		{ "1::2::3",                     NULL },
		{ "12345::",                     NULL },
		{ "imap.example.org",            NULL },
		{ "[                                                                              ]", NULL },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct address a = { .family = 99 };
		char           text[ADDRESS_TEXT];
		bool           fine = address_parse(rows[i].text, &a);

		EXPECT_ROW(fine == (rows[i].again != NULL), rows[i].text);
		if (fine)
			EXPECT_TEXT(address_text(&a, text), rows[i].again);
		else
			EXPECT_ROW(a.family == 99, rows[i].text);
	}
}

TEST(text_of_no_address)
{
	struct address none = { 0 };
	char           text[ADDRESS_TEXT];

	EXPECT_TEXT(address_text(&none, text), "-");
	EXPECT(address_is_special(&none));
}

static struct address parsed(const char *text)
{
	struct address a = { 0 };

	EXPECT_ROW(address_parse(text, &a), text);
	return a;
}

TEST(equality)
{
	struct address a = parsed("192.0.2.1"), b = a, c = parsed("::ffff:192.0.2.1"), d = parsed("192.0.2.2");

	b.bytes[4] = 7;        /* no part of an IPv4 address */
	EXPECT(address_equal(&a, &b) && !address_equal(&a, &c) && !address_equal(&a, &d));
	d = parsed("2001:db8::1"), c = parsed("2001:db8::2");
	EXPECT(!address_equal(&c, &d));
}

TEST(blocks)
{
	static const struct { const char *text; unsigned bits; } rows[] = {
		{ "127.64.0.0/10", 10 }, { "0.0.0.0/0", 0 }, { "192.0.2.1", 32 }, { "192.0.2.1/32", 32 }, { "::/0", 0 }, { "2001:db8::/32", 32 },
		{ "::1", 128 }, { "::1/128", 128 }, { "[::1]/128", 128 }, { "10.0.0.0/08", 8 },
	};
	static const char *const wrong[] = {
		"", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "::/129", "::/999", "::/1280", "10.0.0.0/8/8", "10.0.0.0/8x", "10.0.0.0/x", "10.0.0.0/-1",
		"10.0.0.0/8 ", "10.0.0/8", "example.org/8", "00000000000000000000000000000000000000000000000000000000::/8",
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct address_block b;

		EXPECT_ROW(address_block_parse(rows[i].text, &b), rows[i].text);
		EXPECT_ROW(b.bits == rows[i].bits, rows[i].text);
	}
	for (size_t i = 0; i < COUNT(wrong); i++) {
		struct address_block b = { .bits = 4711 };

		EXPECT_ROW(!address_block_parse(wrong[i], &b), wrong[i]);
		EXPECT_ROW(b.bits == 4711, wrong[i]);
	}
}

TEST(being_in_a_block)
{
	static const struct { const char *address, *block; bool in; } rows[] = {
		{ "127.64.0.0",       "127.64.0.0/10", true  },
		{ "127.127.255.255",  "127.64.0.0/10", true  },
		{ "127.63.255.255",   "127.64.0.0/10", false },
		{ "127.128.0.0",      "127.64.0.0/10", false },
		{ "198.51.100.7",     "0.0.0.0/0",     true  },
		{ "2001:db8::1",      "0.0.0.0/0",     false },
		{ "192.0.2.1",        "::/0",          false },
		{ "192.0.2.1",        "192.0.2.1",     true  },
		{ "192.0.2.0",        "192.0.2.1",     false },
		{ "192.0.2.0",        "192.0.2.1/31",  true  },      /* the bits behind the prefix do not count */
		{ "::1",              "::1",           true  },
		{ "::2",              "::1",           false },
		{ "2001:db8:ffff::",  "2001:db8::/32", true  },
		{ "2001:db9::",       "2001:db8::/32", false },
		{ "::ffff:10.0.0.1",  "10.0.0.0/8",    false },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct address       a = parsed(rows[i].address);
		struct address_block b;

		EXPECT_ROW(address_block_parse(rows[i].block, &b), rows[i].block);
		EXPECT_ROW(address_in(&a, &b) == rows[i].in, rows[i].address);
	}
}

/* The first and the last of each block of the registries (RFC 6890, RFC 8190), and their neighbours outside. */
TEST(special_addresses)
{
	static const char *const special[] = {
		"0.0.0.0", "0.255.255.255", "10.0.0.0", "10.255.255.255", "100.64.0.0", "100.127.255.255", "127.0.0.0", "127.0.0.1",
		"127.255.255.255", "169.254.0.0", "169.254.169.254", "169.254.255.255", "172.16.0.0", "172.31.255.255", "192.0.0.0",
		"192.0.0.255", "192.0.2.0", "192.0.2.255", "192.168.0.0", "192.168.255.255", "198.18.0.0", "198.19.255.255",
		"198.51.100.0", "198.51.100.255", "203.0.113.0", "203.0.113.255", "224.0.0.0", "239.255.255.255", "240.0.0.0",
		"255.255.255.255",
		"::", "::1", "100::", "100::ffff:ffff:ffff:ffff", "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "fc00::",
		"fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "fec0::", "feff::1",
		"ff00::", "ff02::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	};
	static const char *const plain[] = {
		"1.0.0.0", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0", "169.253.255.255",
		"169.255.0.0", "172.15.255.255", "172.32.0.0", "191.255.255.255", "192.0.1.0", "192.0.1.255", "192.0.3.0", "192.167.255.255",
		"192.169.0.0", "198.17.255.255", "198.20.0.0", "198.51.99.255", "198.51.101.0", "203.0.112.255", "203.0.114.0",
		"223.255.255.255", "8.8.8.8",
		"101::", "2001:db7:ffff::", "2001:db9::", "2003::", "2606:4700::1111", "2a00:1450:4001::1", "fbff::1",
	};

	for (size_t i = 0; i < COUNT(special); i++) {
		struct address a = parsed(special[i]);

		EXPECT_ROW(address_is_special(&a), special[i]);
	}
	for (size_t i = 0; i < COUNT(plain); i++) {
		struct address a = parsed(plain[i]);

		EXPECT_ROW(!address_is_special(&a), plain[i]);
	}
}

/* A way around the list: what is inside is what is reached. */
TEST(an_ipv4_address_inside_ipv6_is_judged_by_itself)
{
	static const struct { const char *address; bool special; } rows[] = {
		{ "::ffff:127.0.0.1",       true  },
		{ "::ffff:10.1.2.3",        true  },
		{ "::ffff:8.8.8.8",         false },
		{ "::ffff:169.254.169.254", true  },
		{ "64:ff9b::127.0.0.1",     true  },
		{ "64:ff9b::192.168.1.1",   true  },
		{ "64:ff9b::8.8.8.8",       false },
		{ "2002:7f00:1::",          true  },
		{ "2002:a00:1::1",          true  },
		{ "2002:c0a8:101:5::9",     true  },
		{ "2002:808:808::",         false },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct address a = parsed(rows[i].address);

		EXPECT_ROW(address_is_special(&a) == rows[i].special, rows[i].address);
	}
}

/* Wrappings that no public host has: refused whatever is inside (RFC 4291 2.5.5.1, RFC 8215, RFC 4380, RFC 2765). */
TEST(other_wrappings_are_special_altogether)
{
	static const char *const rows[] = {
		"::127.0.0.1", "::10.0.0.1", "64:ff9b:1::127.0.0.1", "64:ff9b:1:fffe::1", "::ffff:0:127.0.0.1", "2001::1", "2001:0:7f00:1::",
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct address a = parsed(rows[i]);

		EXPECT_ROW(address_is_special(&a), rows[i]);
	}
}
