/* log.h -- what the daemon tells whoever runs it: one line for each thing worth knowing, to standard error.
 *
 *     LOG(LOG_NEWS, "account.connected", LOG_TEXT("account", id), LOG_NUMBER("ms", took));
 *     2026-11-22T02:11:05.120Z account.connected account=acc_7gk… ms=231
 *
 * Under systemd a line begins with its priority ("<6>") instead of the time, which the journal knows. Values that are more than a word
 * stand in quotes; control characters, quotes and what is not ASCII are escaped, so that nobody can write a line of his own. Never
 * pass a secret or text of a mail: nothing is struck out here. Any thread.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stddef.h>
#include <stdint.h>

enum log_level {
	LOG_FAILURE,      /* somebody must do something               */
	LOG_CAUTION,      /* it goes on, but not as it should         */
	LOG_NEWS,         /* what one wants to read the day after     */
	LOG_DETAIL,       /* not written unless log_down_to() says so */
};

struct log_field {
	const char *name;
	const char *text;       /* NULL: it is the number */
	int64_t     number;
};

#define LOG_TEXT(name, value)   { (name), log_text(value), 0 }
#define LOG_NUMBER(name, value) { (name), NULL, (value) }
#define LOG(level, what, ...)                                                                                     \
	log_line((level), (what), (const struct log_field[]){ { "", "", 0 }, __VA_ARGS__ } + 1,                   \
	         sizeof(const struct log_field[]){ { "", "", 0 }, __VA_ARGS__ } / sizeof(struct log_field) - 1)

#define LOG_VALUE_MOST 300      /* of a value; what is longer is cut */
#define LOG_LINE_MOST  2000

static inline const char *log_text(const char *value) { return value ? value : ""; }

void log_line(enum log_level, const char *what, const struct log_field *, size_t count);
void log_down_to(enum log_level);

/* The line as it would be written, with its end, without time and priority. For log_line() and its tests. */
size_t log_format(char out[LOG_LINE_MOST], const char *what, const struct log_field *, size_t count);

#endif
