#include "base/log.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

/* Where a process's words go is one thing of the whole process, as standard error itself is. */
static _Atomic enum log_level least = LOG_NEWS;
static pthread_once_t         looked = PTHREAD_ONCE_INIT;
static bool                   to_journal;

struct out {
	char  *at;
	size_t len, room;
};

static void put(struct out *o, const char *text, size_t len)
{
	if (len > o->room - o->len)
		len = o->room - o->len;
	memcpy(o->at + o->len, text, len);
	o->len += len;
}

static bool is_plain(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("._:/@+-{}[]", c));
}

static void put_escaped(struct out *o, unsigned char c)
{
	char text[8];
	int  len;

	if (c == '"' || c == '\\')
		len = snprintf(text, sizeof text, "\\%c", c);
	else if (c == '\n')
		len = snprintf(text, sizeof text, "\\n");
	else
		len = snprintf(text, sizeof text, c < 0x20 || c > 0x7e ? "\\x%02x" : "%c", c);
	put(o, text, (size_t)len);
}

static void put_text(struct out *o, const char *text)
{
	size_t len = strnlen(text, LOG_VALUE_MOST + 1), shown = len > LOG_VALUE_MOST ? LOG_VALUE_MOST : len;
	bool   plain = len > 0 && len <= LOG_VALUE_MOST;

	for (size_t i = 0; i < len && plain; i++)
		plain = is_plain((unsigned char)text[i]);
	if (plain) {
		put(o, text, len);
		return;
	}
	put(o, "\"", 1);
	for (size_t i = 0; i < shown; i++)
		put_escaped(o, (unsigned char)text[i]);
	put(o, "...\"", shown < len ? 4 : 0);
	put(o, "\"", shown < len ? 0 : 1);
}

size_t log_format(char out[LOG_LINE_MOST], const char *what, const struct log_field *field, size_t count)
{
	struct out o = { out, 0, LOG_LINE_MOST - 1 };      /* the line's end always fits */
	char       number[24];

	put(&o, what, strlen(what));
	for (size_t i = 0; i < count; i++) {
		put(&o, " ", 1);
		put(&o, field[i].name, strlen(field[i].name));
		put(&o, "=", 1);
		if (field[i].text)
			put_text(&o, field[i].text);
		else
			put(&o, number, (size_t)snprintf(number, sizeof number, "%" PRId64, field[i].number));
	}
	o.room++;
	put(&o, "\n", 1);
	return o.len;
}

/* systemd says which file the journal reads; it is ours only while standard error is still that one. */
static void look(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	struct stat s;
	char        here[60];

	if (!stream || fstat(STDERR_FILENO, &s) != 0)
		return;
	snprintf(here, sizeof here, "%" PRIuMAX ":%" PRIuMAX, (uintmax_t)s.st_dev, (uintmax_t)s.st_ino);
	to_journal = strcmp(stream, here) == 0;
}

static size_t begin_line(char *out, size_t size, enum log_level level)
{
	static const int priority[] = { [LOG_FAILURE] = 3, [LOG_CAUTION] = 4, [LOG_NEWS] = 6, [LOG_DETAIL] = 7 };
	int64_t   now = clock_unix_ms();
	time_t    second = (time_t)(now / 1000);
	struct tm tm;

	if (to_journal)
		return (size_t)snprintf(out, size, "<%d>", priority[level]);
	gmtime_r(&second, &tm);
	return (size_t)snprintf(out, size, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
	                        tm.tm_hour, tm.tm_min, tm.tm_sec, (int)(now % 1000));
}

void log_line(enum log_level level, const char *what, const struct log_field *field, size_t count)
{
	char   line[100 + LOG_LINE_MOST];
	size_t len;

	if (level > least)
		return;
	pthread_once(&looked, look);
	len = begin_line(line, 100, level);
	len += log_format(line + len, what, field, count);
	/* one call, so that the lines of two threads do not mix; there is nobody to tell when it fails */
	if (write(STDERR_FILENO, line, len) < 0)
		return;
}

void log_down_to(enum log_level level)
{
	least = level;
}
