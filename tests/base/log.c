#include "base/log.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

static const char *line_of(const char *value)
{
	static char            line[LOG_LINE_MOST + 1];
	const struct log_field field = LOG_TEXT("v", value);
	size_t                 len = log_format(line, "x", &field, 1);

	EXPECT(len > 0 && len <= LOG_LINE_MOST && line[len - 1] == '\n' && memchr(line, '\n', len - 1) == NULL);
	line[len - 1] = '\0';
	return line;
}

TEST(values_cannot_make_a_line_of_their_own)
{
	static const struct { const char *value, *line; } rows[] = {
		{ "word",                     "x v=word" },
		{ "/v1/accounts/{id}",        "x v=/v1/accounts/{id}" },
		{ "",                         "x v=\"\"" },
		{ NULL,                       "x v=\"\"" },
		{ "two words",                "x v=\"two words\"" },
		{ "a=b",                      "x v=\"a=b\"" },
		{ "a\n<3>forged v=1",         "x v=\"a\\n<3>forged v=1\"" },
		{ "a\r\tb",                   "x v=\"a\\x0d\\x09b\"" },
		{ "a\"b\\c",                  "x v=\"a\\\"b\\\\c\"" },
		{ "\x1b[31mred",              "x v=\"\\x1b[31mred\"" },
		{ "\xc2\x9b\xe2\x80\xae\x7f", "x v=\"\\xc2\\x9b\\xe2\\x80\\xae\\x7f\"" },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		EXPECT_TEXT(line_of(rows[i].value), rows[i].line);
}

TEST(long_values_and_long_lines_are_cut)
{
	static struct log_field many[40];
	char                    value[LOG_VALUE_MOST + 50], line[LOG_LINE_MOST];
	size_t                  len;

	memset(value, 'a', sizeof value);
	value[LOG_VALUE_MOST] = '\0';
	EXPECT(strlen(line_of(value)) == strlen("x v=") + LOG_VALUE_MOST);
	value[LOG_VALUE_MOST] = 'a';
	value[LOG_VALUE_MOST + 1] = '\0';
	EXPECT(strlen(line_of(value)) == strlen("x v=\"...\"") + LOG_VALUE_MOST);
	for (size_t i = 0; i < COUNT(many); i++)
		many[i] = (struct log_field){ "name", value, 0 };
	len = log_format(line, "x", many, COUNT(many));
	EXPECT(len == LOG_LINE_MOST && line[len - 1] == '\n');
}

/* What arrives at standard error when that is this file. */
static const char *written(bool journal, enum log_level level)
{
	static char text[500];
	char        name[] = "/tmp/mailmoor-log-XXXXXX", stream[60];
	int         fd = mkstemp(name), before = dup(STDERR_FILENO);
	ssize_t     n;
	struct stat s;

	EXPECT(fd >= 0 && before >= 0 && unlink(name) == 0 && fstat(fd, &s) == 0);
	snprintf(stream, sizeof stream, "%llu:%llu", (unsigned long long)s.st_dev, (unsigned long long)s.st_ino);
	if (journal)
		setenv("JOURNAL_STREAM", stream, 1);
	dup2(fd, STDERR_FILENO);
	LOG(level, "happened", LOG_NUMBER("n", -7), LOG_TEXT("t", "a b"));
	LOG(level, "alone");
	dup2(before, STDERR_FILENO);
	n = pread(fd, text, sizeof text - 1, 0);
	text[n > 0 ? n : 0] = '\0';
	close(before);
	close(fd);
	return text;
}

/* The first line decides for the process where it writes, so this is the only one that writes. */
TEST(under_the_journal_a_line_begins_with_its_priority)
{
	EXPECT_TEXT(written(true, LOG_CAUTION), "<4>happened n=-7 t=\"a b\"\n<4>alone\n");
	EXPECT_TEXT(written(false, LOG_DETAIL), "");
	log_down_to(LOG_DETAIL);
	EXPECT_TEXT(written(false, LOG_DETAIL), "<7>happened n=-7 t=\"a b\"\n<7>alone\n");
	log_down_to(LOG_NEWS);
}
