#include "model/exchange_version.h"

#include <stdint.h>

/* Versions of the product by major and minor number (facts M C.2). Newest first; a row holds from its first build on. */
static const struct line {
	unsigned          major, minor, from_build;
	const char       *product;                 /* with its service pack, which the minor number is where there are service packs */
	const char       *schema;
	enum exchange_era era;
} lines[] = {
	{ 15, 20, 0,    "Exchange Online",                      "Exchange2013_SP1", EXCHANGE_ONLINE  },
	{ 15, 2,  2562, "Exchange Server Subscription Edition", "Exchange2013_SP1", EXCHANGE_FINE    },
	{ 15, 2,  0,    "Exchange Server 2019",                 "Exchange2013_SP1", EXCHANGE_FINE    },
	{ 15, 1,  0,    "Exchange Server 2016",                 "Exchange2013_SP1", EXCHANGE_FINE    },
	{ 15, 0,  847,  "Exchange Server 2013",                 "Exchange2013_SP1", EXCHANGE_FINE    },
	{ 15, 0,  0,    "Exchange Server 2013",                 "Exchange2013",     EXCHANGE_FINE    },
	{ 14, 3,  0,    "Exchange Server 2010 SP3",             "Exchange2010_SP2", EXCHANGE_FINE    },
	{ 14, 2,  0,    "Exchange Server 2010 SP2",             "Exchange2010_SP2", EXCHANGE_FINE    },
	{ 14, 1,  0,    "Exchange Server 2010 SP1",             "Exchange2010_SP1", EXCHANGE_TOO_OLD },
	{ 14, 0,  0,    "Exchange Server 2010",                 "Exchange2010",     EXCHANGE_TOO_OLD },
	{ 8,  3,  0,    "Exchange Server 2007 SP3",             "Exchange2007_SP1", EXCHANGE_TOO_OLD },
	{ 8,  2,  0,    "Exchange Server 2007 SP2",             "Exchange2007_SP1", EXCHANGE_TOO_OLD },
	{ 8,  1,  0,    "Exchange Server 2007 SP1",             "Exchange2007_SP1", EXCHANGE_TOO_OLD },
	{ 8,  0,  0,    "Exchange Server 2007",                 "Exchange2007",     EXCHANGE_TOO_OLD },
};

/* What no row knows: newer than all of them, older than all of them, or not told. */
static const struct line newer   = { 0, 0, 0, "Exchange Server", "Exchange2013_SP1", EXCHANGE_FINE };
static const struct line older   = { 0, 0, 0, "Exchange Server", "Exchange2007", EXCHANGE_TOO_OLD };
static const struct line unknown = { 0, 0, 0, "Exchange Server", "Exchange2010_SP2", EXCHANGE_UNKNOWN };

/* Cumulative updates by their build number: security updates count up the number behind it. A build that is not here is
 * named without one (Microsoft Learn, "Exchange Server build numbers and release dates"). */
static const struct { unsigned minor, build; const char *name; } updates[] = {
	{ 0, 516,  "RTM"  }, { 0, 620,  "CU1"  }, { 0, 712,  "CU2"  }, { 0, 775,  "CU3"  }, { 0, 847,  "SP1"  }, { 0, 913,  "CU5"  },
	{ 0, 995,  "CU6"  }, { 0, 1044, "CU7"  }, { 0, 1076, "CU8"  }, { 0, 1104, "CU9"  }, { 0, 1130, "CU10" }, { 0, 1156, "CU11" },
	{ 0, 1178, "CU12" }, { 0, 1210, "CU13" }, { 0, 1236, "CU14" }, { 0, 1263, "CU15" }, { 0, 1293, "CU16" }, { 0, 1320, "CU17" },
	{ 0, 1347, "CU18" }, { 0, 1365, "CU19" }, { 0, 1367, "CU20" }, { 0, 1395, "CU21" }, { 0, 1473, "CU22" }, { 0, 1497, "CU23" },

	{ 1, 225,  "RTM"  }, { 1, 396,  "CU1"  }, { 1, 466,  "CU2"  }, { 1, 544,  "CU3"  }, { 1, 669,  "CU4"  }, { 1, 845,  "CU5"  },
	{ 1, 1034, "CU6"  }, { 1, 1261, "CU7"  }, { 1, 1415, "CU8"  }, { 1, 1466, "CU9"  }, { 1, 1531, "CU10" }, { 1, 1591, "CU11" },
	{ 1, 1713, "CU12" }, { 1, 1779, "CU13" }, { 1, 1847, "CU14" }, { 1, 1913, "CU15" }, { 1, 1979, "CU16" }, { 1, 2044, "CU17" },
	{ 1, 2106, "CU18" }, { 1, 2176, "CU19" }, { 1, 2242, "CU20" }, { 1, 2308, "CU21" }, { 1, 2375, "CU22" }, { 1, 2507, "CU23" },

	{ 2, 221,  "RTM"  }, { 2, 330,  "CU1"  }, { 2, 397,  "CU2"  }, { 2, 464,  "CU3"  }, { 2, 529,  "CU4"  }, { 2, 595,  "CU5"  },
	{ 2, 659,  "CU6"  }, { 2, 721,  "CU7"  }, { 2, 792,  "CU8"  }, { 2, 858,  "CU9"  }, { 2, 922,  "CU10" }, { 2, 986,  "CU11" },
	{ 2, 1118, "CU12" }, { 2, 1258, "CU13" }, { 2, 1544, "CU14" }, { 2, 1748, "CU15" }, { 2, 2562, "RTM"  },
};

/* -- reading ------------------------------------------------------------------------------------------------------ */

#define LARGEST 0xffff

bool exchange_build_read(struct slice text, struct exchange_build *out)
{
	unsigned long long number[4] = { 0 };
	size_t             count = 0;

	for (text = slice_trim(text); text.at && count < COUNT(number); count++)
		if (!slice_number(slice_cut(&text, '.'), LARGEST, &number[count]))
			return false;
	if (text.at || count < 2 || number[0] == 0)
		return false;
	*out = (struct exchange_build){ (unsigned)number[0], (unsigned)number[1], (unsigned)number[2], (unsigned)number[3] };
	return true;
}

static int hex_value(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
}

bool exchange_build_from_hex(struct slice text, struct exchange_build *out)
{
	uint32_t bits = 0;

	text = slice_trim(text);
	if (text.len != 8)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		int value = hex_value(text.at[i]);

		if (value < 0)
			return false;
		bits = bits << 4 | (uint32_t)value;
	}
	if ((bits >> 22 & 0x3f) == 0)
		return false;
	*out = (struct exchange_build){ .major = bits >> 22 & 0x3f, .minor = bits >> 16 & 0x3f, .build = bits & 0x7fff };
	return true;
}

/* -- telling ------------------------------------------------------------------------------------------------------ */

static const struct line *line_of(const struct exchange_build *b)
{
	if (b->major == 0)
		return &unknown;
	for (size_t i = 0; i < COUNT(lines); i++)
		if (lines[i].major == b->major && lines[i].minor == b->minor && b->build >= lines[i].from_build)
			return &lines[i];
	return b->major > 14 || (b->major == 14 && b->minor > 3) ? &newer : &older;
}

enum exchange_era exchange_era(const struct exchange_build *b)
{
	return line_of(b)->era;
}

const char *exchange_schema(const struct exchange_build *b)
{
	return line_of(b)->schema;
}

static const char *update_of(const struct exchange_build *b)
{
	for (size_t i = 0; b->major == 15 && i < COUNT(updates); i++)
		if (updates[i].minor == b->minor && updates[i].build == b->build)
			return updates[i].name;
	return NULL;
}

/* Without numbers that were not told. Only before 2013 a build ends in .0. */
static const char *numbers(const struct exchange_build *b, struct arena *into)
{
	if (b->build == 0)
		return arena_print(into, "%u.%u", b->major, b->minor);
	if (b->revision == 0 && b->major >= 15)
		return arena_print(into, "%u.%u.%u", b->major, b->minor, b->build);
	return arena_print(into, "%u.%u.%u.%u", b->major, b->minor, b->build, b->revision);
}

const char *exchange_build_name(const struct exchange_build *b, struct arena *into)
{
	const char *product = line_of(b)->product, *update = update_of(b);

	if (b->major == 0)
		return product;
	return arena_print(into, "%s%s%s (%s)", product, update ? " " : "", update ? update : "", numbers(b, into));
}

bool exchange_binds_channels(const struct exchange_build *b)
{
	return b->major == 15 && b->minor == 2 && b->build >= 1544;
}
