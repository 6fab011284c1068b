#include "wire/google_push.h"

#include "test.h"
#include "wire/sasl.h"

#define LONG  ((size_t)256 * 1024)
#define TOPIC "projects/birch-mail/topics/gmail"
#define TOLD  "{\"emailAddress\":\"u@ex.com\",\"historyId\":\"98765\"}"
/* as the facts have it */
#define DATA  "eyJlbWFpbEFkZHJlc3MiOiJ1QGV4LmNvbSIsImhpc3RvcnlJZCI6Ijk4NzY1In0="

/* -- the watch -- */

static const struct { const char *text; bool fine; } topics[] = {
	{ TOPIC, true },
	{ "projects/example.com:birch/topics/a.b_c~d+e%20", true },
	{ "projects/p/topics/t/", false },
	{ "projects/p/topics/", false },
	{ "projects//topics/t", false },
	{ "projects/p/subscriptions/t", false },
	{ "/projects/p/topics/t", false },
	{ "projects/p/topics/t\"", false },
	{ "projects/p/topics/t t", false },
	{ "t", false },
	{ "", false },
};

TEST(what_a_topic_is)
{
	char text[GOOGLE_TOPIC * 2];

	for (size_t i = 0; i < COUNT(topics); i++)
		EXPECT_ROW(google_is_topic(topics[i].text) == topics[i].fine, topics[i].text);
	for (int len = 255; len <= 256; len++) {
		snprintf(text, sizeof text, "projects/p/topics/%0*d", len, 7);
		EXPECT(google_is_topic(text) == (len == 255));
	}
}

TEST(what_is_asked)
{
	struct buffer b;

	buffer_init(&b, 1024);
	EXPECT(google_watch_write(&b, TOPIC));
	EXPECT(slice_equal(buffer_held(&b), slice_str("{\"topicName\":\"" TOPIC "\",\"labelIds\":[\"INBOX\"],\"labelFilterBehavior\":\"INCLUDE\"}")));
	buffer_release(&b);
	buffer_init(&b, 64);
	EXPECT(!google_watch_write(&b, TOPIC));
	buffer_release(&b);
}

static const struct { const char *body; int64_t until; } answers[] = {
	{ "{\"historyId\":\"1234567890\",\"expiration\":\"1431990098200\"}", 1431990098 },
	{ "{\"expiration\":\"1000\"}", 1 },
	{ "{\"expiration\":\"999\"}", 0 },
	{ "{\"expiration\":\"1e12\"}", 0 },
	{ "{\"expiration\":\"-1431990098200\"}", 0 },
	{ "{\"expiration\":\"1431990098200000\"}", 0 },
	{ "{\"expiration\":\"\"}", 0 },
	{ "{\"expiration\":{}}", 0 },
	{ "{\"historyId\":\"1234567890\"}", 0 },
	{ "[]", 0 },
	{ "<html>", 0 },
	{ "", 0 },
};

TEST(what_is_answered)
{
	for (size_t i = 0; i < COUNT(answers); i++) {
		CLEANUP(arena) struct arena *job = arena_new();
		struct error                 err = { 0 };
		int64_t                      until;

		EXPECT_ROW(google_watched_read(slice_str(answers[i].body), job, &until, &err) == (answers[i].until > 0), answers[i].body);
		EXPECT_ROW(answers[i].until ? until == answers[i].until : err.fault == FAULT_BROKEN, answers[i].body);
	}
}

TEST(an_answer_cut_at_every_byte)
{
	for (size_t len = 0; len < strlen(answers[0].body); len++) {
		CLEANUP(arena) struct arena *job = arena_new();
		struct error                 err = { 0 };
		int64_t                      until;

		EXPECT(!google_watched_read(slice(answers[0].body, len), job, &until, &err) && err.fault == FAULT_BROKEN);
	}
}

/* -- what is pushed -- */

#define PUSH(data) "{\"message\":{\"data\":\"" data "\",\"messageId\":\"2070443601311540\",\"publishTime\":\"2026-02-26T19:13:55.749Z\"}," \
                   "\"subscription\":\"projects/P/subscriptions/S\"}"

static const struct { const char *body, *mailbox; } pushes[] = {
	{ PUSH(DATA), "u@ex.com" },
	/* the letters of URLs, without padding, a number for the moment */
	{ PUSH("eyJlbWFpbEFkZHJlc3MiOiJhPz8-QGV4LmNvbSIsImhpc3RvcnlJZCI6N30"), "a?\?>@ex.com" },
	{ PUSH("eyJlbWFpbEFkZHJlc3MiOiJhPz8+QGV4LmNvbSIsImhpc3RvcnlJZCI6N30="), "a?\?>@ex.com" },
	{ "{\"message\":{\"data\":\"" DATA "\"}}", "u@ex.com" },
	{ PUSH(""), NULL },
	{ PUSH("e30="), NULL },                     /* {} */
	{ PUSH("W10="), NULL },                     /* [] */
	{ PUSH("bm90aGluZw=="), NULL },             /* nothing */
	{ PUSH("????"), NULL },
	{ PUSH(DATA DATA), NULL },
	{ "{\"message\":{\"data\":7}}", NULL },
	{ "{\"message\":\"" DATA "\"}", NULL },
	{ "{\"message\":null}", NULL },
	{ "{\"data\":\"" DATA "\"}", NULL },
	{ "[" PUSH(DATA) "]", NULL },
	{ "{}", NULL },
	{ "<html>", NULL },
	{ "", NULL },
};

TEST(what_is_told)
{
	for (size_t i = 0; i < COUNT(pushes); i++) {
		CLEANUP(arena) struct arena *job = arena_new();
		struct error                 err = { 0 };
		const char                  *mailbox;

		EXPECT_ROW(google_push_read(slice_str(pushes[i].body), LONG, job, &mailbox, &err) == (pushes[i].mailbox != NULL), pushes[i].body);
		if (pushes[i].mailbox)
			EXPECT_TEXT(mailbox, pushes[i].mailbox);
		else
			EXPECT_ROW(!mailbox && err.fault == FAULT_BROKEN, pushes[i].body);
	}
}

/* Before it is wrapped up. */
static const struct { const char *told; bool fine; } texts[] = {
	{ TOLD, true },
	{ "{\"emailAddress\":\"u\xc3\xa4@ex.com\"}", true },
	{ "{\"emailAddress\":\"u@\"}", false },
	{ "{\"emailAddress\":\"@ex.com\"}", false },
	{ "{\"emailAddress\":\"nobody\"}", false },
	{ "{\"emailAddress\":\"a b@ex.com\"}", false },
	{ "{\"emailAddress\":\"a\\nb@ex.com\"}", false },
	{ "{\"emailAddress\":null}", false },
	{ "{\"EmailAddress\":\"u@ex.com\"}", false },
};

static bool is_read(const char *told, size_t len)
{
	CLEANUP(arena) struct arena *job = arena_new();
	const char                  *body = arena_print(job, "{\"message\":{\"data\":\"%s\"}}", base64_encode(job, slice(told, len)));
	const char                  *mailbox;
	struct error                 err = { 0 };

	return google_push_read(slice_str(body), LONG, job, &mailbox, &err);
}

TEST(whose_it_is)
{
	for (size_t i = 0; i < COUNT(texts); i++)
		EXPECT_ROW(is_read(texts[i].told, strlen(texts[i].told)) == texts[i].fine, texts[i].told);
}

TEST(a_push_cut_at_every_byte)
{
	for (size_t len = 0; len < strlen(pushes[0].body); len++) {
		CLEANUP(arena) struct arena *job = arena_new();
		const char                  *mailbox;
		struct error                 err = { 0 };

		EXPECT(!google_push_read(slice(pushes[0].body, len), LONG, job, &mailbox, &err) && !mailbox && err.fault == FAULT_BROKEN);
	}
	for (size_t len = 0; len < strlen(TOLD); len++)
		EXPECT(!is_read(TOLD, len));
}

TEST(too_much)
{
	CLEANUP(arena) struct arena *job = arena_new();
	const char                  *mailbox;
	struct error                 err = { 0 };
	char                         name[GOOGLE_MAILBOX + 2], pad[GOOGLE_DATA];

	EXPECT(!google_push_read(slice_str(pushes[0].body), 100, job, &mailbox, &err) && err.fault == FAULT_TOO_BIG);
	for (size_t len = GOOGLE_MAILBOX; len <= GOOGLE_MAILBOX + 1; len++) {
		const char *told;

		memset(name, 'x', len);
		name[len] = '\0';
		memcpy(name + len - 7, "@ex.com", 7);
		told = arena_print(job, "{\"emailAddress\":\"%s\"}", name);
		EXPECT(is_read(told, strlen(told)) == (len == GOOGLE_MAILBOX));
	}
	memset(pad, ' ', sizeof pad);
	memcpy(pad, TOLD, strlen(TOLD));
	EXPECT(is_read(pad, GOOGLE_DATA / 2));
	EXPECT(!is_read(pad, sizeof pad));
}
