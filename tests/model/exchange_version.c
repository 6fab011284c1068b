#include "model/exchange_version.h"

#include "test.h"

TEST(build_numbers_are_read)
{
	static const struct { const char *text; bool good; struct exchange_build build; } rows[] = {
		{ "15.2.1544.9", true, { 15, 2, 1544, 9 } },
		{ " 14.1.438.0\r\n", true, { 14, 1, 438, 0 } },
		{ "15.1.1913", true, { 15, 1, 1913, 0 } },
		{ "14.2", true, { 14, 2, 0, 0 } },
		{ "15.02.0397.003", true, { 15, 2, 397, 3 } },
		{ "65535.65535.65535.65535", true, { 65535, 65535, 65535, 65535 } },
		{ "", false, { 0 } }, { "15", false, { 0 } }, { "15.", false, { 0 } }, { ".2", false, { 0 } }, { "15.2.", false, { 0 } },
		{ "15..2", false, { 0 } }, { "15.2.1544.9.1", false, { 0 } }, { "15.2.1544.9.", false, { 0 } }, { "15.2.x", false, { 0 } },
		{ "0.0.0.0", false, { 0 } }, { "15.65536", false, { 0 } }, { "-15.2", false, { 0 } }, { "Version 15.2 (Build 1544.9)", false, { 0 } },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct exchange_build b = { 1, 2, 3, 4 }, wanted = rows[i].good ? rows[i].build : b;

		EXPECT_ROW(exchange_build_read(slice_str(rows[i].text), &b) == rows[i].good, rows[i].text);
		EXPECT_ROW(memcmp(&b, &wanted, sizeof b) == 0, rows[i].text);
	}
	EXPECT(!exchange_build_read(slice(NULL, 0), &(struct exchange_build){ 0 }));
}

TEST(hexadecimal_of_autodiscover)
{
	static const struct { const char *text; unsigned major, minor, build; } rows[] = {
		{ "72008287", 8, 0, 647 }, { "73C18880", 15, 1, 2176 }, { " 73c28608\n", 15, 2, 1544 }, { "7383807B", 14, 3, 123 },
		{ "", 0, 0, 0 }, { "7200828", 0, 0, 0 }, { "720082877", 0, 0, 0 }, { "7200828g", 0, 0, 0 }, { "0x008287", 0, 0, 0 },
		{ "00000000", 0, 0, 0 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct exchange_build b = { 0 };

		EXPECT_ROW(exchange_build_from_hex(slice_str(rows[i].text), &b) == (rows[i].major != 0), rows[i].text);
		EXPECT_ROW(b.major == rows[i].major && b.minor == rows[i].minor && b.build == rows[i].build && !b.revision, rows[i].text);
	}
}

TEST(what_a_build_stands_for)
{
	static const struct {
		struct exchange_build build;
		const char           *name, *schema;
		enum exchange_era     era;
		bool                  binds;
	} rows[] = {
		{ { 0, 0, 0, 0 }, "Exchange Server", "Exchange2010_SP2", EXCHANGE_UNKNOWN, false },
		{ { 6, 5, 7638, 1 }, "Exchange Server (6.5.7638.1)", "Exchange2007", EXCHANGE_TOO_OLD, false },
		{ { 8, 0, 685, 25 }, "Exchange Server 2007 (8.0.685.25)", "Exchange2007", EXCHANGE_TOO_OLD, false },
		{ { 8, 1, 436, 0 }, "Exchange Server 2007 SP1 (8.1.436.0)", "Exchange2007_SP1", EXCHANGE_TOO_OLD, false },
		{ { 8, 2, 176, 2 }, "Exchange Server 2007 SP2 (8.2.176.2)", "Exchange2007_SP1", EXCHANGE_TOO_OLD, false },
		{ { 8, 3, 83, 6 }, "Exchange Server 2007 SP3 (8.3.83.6)", "Exchange2007_SP1", EXCHANGE_TOO_OLD, false },
		{ { 14, 0, 639, 21 }, "Exchange Server 2010 (14.0.639.21)", "Exchange2010", EXCHANGE_TOO_OLD, false },
		{ { 14, 1, 438, 0 }, "Exchange Server 2010 SP1 (14.1.438.0)", "Exchange2010_SP1", EXCHANGE_TOO_OLD, false },
		{ { 14, 2, 0, 0 }, "Exchange Server 2010 SP2 (14.2)", "Exchange2010_SP2", EXCHANGE_FINE, false },
		{ { 14, 2, 328, 9 }, "Exchange Server 2010 SP2 (14.2.328.9)", "Exchange2010_SP2", EXCHANGE_FINE, false },
		{ { 14, 3, 513, 0 }, "Exchange Server 2010 SP3 (14.3.513.0)", "Exchange2010_SP2", EXCHANGE_FINE, false },
		{ { 15, 0, 516, 32 }, "Exchange Server 2013 RTM (15.0.516.32)", "Exchange2013", EXCHANGE_FINE, false },
		{ { 15, 0, 775, 38 }, "Exchange Server 2013 CU3 (15.0.775.38)", "Exchange2013", EXCHANGE_FINE, false },
		{ { 15, 0, 847, 64 }, "Exchange Server 2013 SP1 (15.0.847.64)", "Exchange2013_SP1", EXCHANGE_FINE, false },
		{ { 15, 0, 1497, 48 }, "Exchange Server 2013 CU23 (15.0.1497.48)", "Exchange2013_SP1", EXCHANGE_FINE, false },
		{ { 15, 0, 1498, 1 }, "Exchange Server 2013 (15.0.1498.1)", "Exchange2013_SP1", EXCHANGE_FINE, false },
		{ { 15, 1, 1913, 0 }, "Exchange Server 2016 CU15 (15.1.1913)", "Exchange2013_SP1", EXCHANGE_FINE, false },
		{ { 15, 1, 2507, 6 }, "Exchange Server 2016 CU23 (15.1.2507.6)", "Exchange2013_SP1", EXCHANGE_FINE, false },
		{ { 15, 1, 1544, 9 }, "Exchange Server 2016 (15.1.1544.9)", "Exchange2013_SP1", EXCHANGE_FINE, false },
		{ { 15, 2, 0, 0 }, "Exchange Server 2019 (15.2)", "Exchange2013_SP1", EXCHANGE_FINE, false },
		{ { 15, 2, 221, 12 }, "Exchange Server 2019 RTM (15.2.221.12)", "Exchange2013_SP1", EXCHANGE_FINE, false },
		{ { 15, 2, 1258, 12 }, "Exchange Server 2019 CU13 (15.2.1258.12)", "Exchange2013_SP1", EXCHANGE_FINE, false },
		{ { 15, 2, 1544, 9 }, "Exchange Server 2019 CU14 (15.2.1544.9)", "Exchange2013_SP1", EXCHANGE_FINE, true },
		{ { 15, 2, 1748, 10 }, "Exchange Server 2019 CU15 (15.2.1748.10)", "Exchange2013_SP1", EXCHANGE_FINE, true },
		{ { 15, 2, 2000, 1 }, "Exchange Server 2019 (15.2.2000.1)", "Exchange2013_SP1", EXCHANGE_FINE, true },
		{ { 15, 2, 2562, 17 }, "Exchange Server Subscription Edition RTM (15.2.2562.17)", "Exchange2013_SP1", EXCHANGE_FINE, true },
		{ { 15, 2, 2700, 3 }, "Exchange Server Subscription Edition (15.2.2700.3)", "Exchange2013_SP1", EXCHANGE_FINE, true },
		{ { 15, 20, 7897, 11 }, "Exchange Online (15.20.7897.11)", "Exchange2013_SP1", EXCHANGE_ONLINE, false },
		{ { 16, 0, 1, 2 }, "Exchange Server (16.0.1.2)", "Exchange2013_SP1", EXCHANGE_FINE, false },
		{ { 14, 9, 1, 2 }, "Exchange Server (14.9.1.2)", "Exchange2013_SP1", EXCHANGE_FINE, false },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		CLEANUP(arena) struct arena *job = arena_new();

		EXPECT_TEXT(exchange_build_name(&rows[i].build, job), rows[i].name);
		EXPECT_TEXT(exchange_schema(&rows[i].build), rows[i].schema);
		EXPECT_ROW(exchange_era(&rows[i].build) == rows[i].era, rows[i].name);
		EXPECT_ROW(exchange_binds_channels(&rows[i].build) == rows[i].binds, rows[i].name);
	}
}
