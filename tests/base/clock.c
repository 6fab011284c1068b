#include "base/clock.h"

#include "test.h"

TEST(a_clock_that_was_set_is_told_from_one_that_runs)
{
	static const struct { int64_t unix_ms, mono_ms, by; } rows[] = {
		{ 1000000,  5000, 0 },             /* the first look: there is nothing to compare with */
		{ 1000500,  5500, 0 },
		{ 1061999,  65000, 0 },            /* a second and a half too fast: adjusted, not set  */
		{ 1062999,  66000, 0 },
		{ 4663999,  67000, 3600000 },      /* an hour forward                                  */
		{ 4664999,  68000, 0 },
		{ 1065999,  69000, -3600000 },     /* and back                                         */
		{ 1066999,  70000, 0 },
		{ 1069999,  71000, CLOCK_SET_MS },
		{ 1068999,  72000, -CLOCK_SET_MS },
	};
	int64_t apart = 0;

	for (size_t i = 0; i < COUNT(rows); i++)
		EXPECT(clock_set_by(&apart, rows[i].unix_ms, rows[i].mono_ms) == rows[i].by);
}
