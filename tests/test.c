#include "test.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

static struct CMUnitTest *tests;
static size_t             test_count;

static void run_one(void **state)
{
	((void (*)(void)) *state)();
}

void test_add(const char *name, void (*run)(void))
{
	tests = must_realloc(tests, (test_count + 1) * sizeof *tests);
	tests[test_count++] = (struct CMUnitTest){ .name = name, .test_func = run_one, .initial_state = (void *)run };
}

void test_fail(const char *file, int line, const char *fmt, ...)
{
	va_list args;
	char    text[1000];

	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	print_error("%s\n", text);
	_fail(file, line);
	abort();
}

void test_skip(const char *why)
{
	print_message("skipped: %s\n", why);
	skip();
	abort();
}

int main(void)
{
	int failed;

	cmocka_set_message_output(CM_OUTPUT_TAP);
	failed = _cmocka_run_group_tests("tests", tests, test_count, NULL, NULL);
	free(tests);
	return failed != 0;
}
