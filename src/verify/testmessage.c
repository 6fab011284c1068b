#include "verify/testmessage.h"

#include <string.h>
#include <time.h>

#include "base/random.h"
#include "wire/header.h"

struct testmessage testmessage_new(const char *from, const char *to, struct arena *into)
{
	const char *token = random_text(into, 16);

	return (struct testmessage){ .from = from, .to = to, .token = token,
		.message_id = arena_print(into, "%s%s", token, strrchr(from, '@')), .subject = arena_print(into, "Mailmoor test %s", token) };
}

/* RFC 5322 §3.3, in UTC and in English whatever the locale. */
static void write_date(struct buffer *out, int64_t unix_s)
{
	static const char *const day[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char *const month[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
	                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	time_t    when = (time_t)unix_s;
	struct tm tm = { 0 };

	gmtime_r(&when, &tm);
	buffer_print(out, "Date: %s, %02d %s %d %02d:%02d:%02d +0000\r\n", day[tm.tm_wday], tm.tm_mday, month[tm.tm_mon],
	             tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

void testmessage_write(const struct testmessage *m, int64_t now_unix, struct buffer *out)
{
	buffer_print(out, "From: <%s>\r\nTo: <%s>\r\n", m->from, m->to);
	write_date(out, now_unix);
	buffer_print(out,
	             "Message-ID: <%s>\r\n"
	             "Subject: %s\r\n"
	             HEADER_TEST ": %s\r\n"
	             "MIME-Version: 1.0\r\n"
	             "Content-Type: text/plain; charset=us-ascii\r\n"
	             "Auto-Submitted: auto-generated\r\n"             /* RFC 3834: nobody's holiday answers it */
	             "\r\n"
	             "Hello,\r\n"
	             "\r\n"
	             "this is a test message. Mailmoor sent it from this mailbox, for somebody who\r\n"
	             "is connecting the mailbox and wants to see that mail can be sent.\r\n"
	             "\r\n"
	             "There is nothing to do. Mailmoor removes the message again where it can;\r\n"
	             "if you still find it, it may be deleted.\r\n",
	             m->message_id, m->subject, m->token);
}
