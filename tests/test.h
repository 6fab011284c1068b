/* test.h -- a test is a function, found by being written: TEST(name) { … EXPECT(…); } */
#ifndef TESTS_TEST_H
#define TESTS_TEST_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"

void test_add(const char *name, void (*run)(void));
void test_fail(const char *file, int line, const char *fmt, ...) __attribute__((noreturn, format(printf, 3, 4)));
void test_skip(const char *why) __attribute__((noreturn));

#define TEST(name)                                                                                  \
	static void name(void);                                                                     \
	__attribute__((constructor)) static void add_##name(void) { test_add(#name, name); }        \
	static void name(void)

#define EXPECT(what)                                                                                \
	do {                                                                                        \
		if (!(what))                                                                        \
			test_fail(__FILE__, __LINE__, "%s", #what);                                 \
	} while (0)

/* With a word on which row of a table it was. */
#define EXPECT_ROW(what, row)                                                                       \
	do {                                                                                        \
		if (!(what))                                                                        \
			test_fail(__FILE__, __LINE__, "%s: %s", (row), #what);                      \
	} while (0)

#define EXPECT_TEXT(got, wanted)                                                                    \
	do {                                                                                        \
		const char *got_ = (got), *wanted_ = (wanted);                                      \
		if (!got_ || strcmp(got_, wanted_) != 0)                                            \
			test_fail(__FILE__, __LINE__, "%s is \"%s\", not \"%s\"", #got, got_ ? got_ : "(null)", wanted_); \
	} while (0)

#endif
