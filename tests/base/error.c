#include "base/error.h"

#include "test.h"

TEST(fail_is_false_and_fills_in)
{
	struct error err = { .heard = "kept" };

	EXPECT(!fail(&err, FAULT_REFUSED, "%s: %d", "host", 5));
	EXPECT(err.fault == FAULT_REFUSED);
	EXPECT_TEXT(err.text, "host: 5");
	EXPECT_TEXT(err.heard, "kept");
	EXPECT(!fail(NULL, FAULT_REFUSED, "%s", "nobody listens"));
}

TEST(a_long_text_is_cut)
{
	struct error err = { 0 };

	fail(&err, FAULT_LOCAL, "%500d", 1);
	EXPECT(strlen(err.text) == sizeof err.text - 1);
}

TEST(every_fault_has_a_name_of_its_own)
{
	for (int a = FAULT_NONE; a <= FAULT_LOCAL; a++) {
		EXPECT(fault_name((enum fault)a) && *fault_name((enum fault)a));
		for (int b = FAULT_NONE; b < a; b++)
			EXPECT_ROW(strcmp(fault_name((enum fault)a), fault_name((enum fault)b)) != 0, fault_name((enum fault)a));
	}
	EXPECT_TEXT(fault_name(FAULT_NETWORK), "network");
}
