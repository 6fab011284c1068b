#include "model/report.h"

#include "base/secret.h"
#include "test.h"

static struct secrets known;

TEST(steps_are_begun_and_ended)
{
	CLEANUP(report) struct report *r = report_new("ann@birch.example");
	int a, b;

	r->began_ms = 1000;
	a = report_begin(r, "dns.mx", NO_ATTEMPT, 1000);
	b = report_begin(r, "imap.resolve", report_attempt(r), 1010);
	EXPECT(a == 0 && b == 1 && r->step_count == 2 && r->attempts == 1);
	EXPECT(r->step[a].state == STEP_RUNNING && r->step[a].began_ms == 0 && r->step[b].began_ms == 10 && r->step[b].attempt == 0);
	report_end(r, a, STEP_PASSED, 1025);
	report_end(r, b, STEP_FAILED, 1010);
	EXPECT(r->step[a].state == STEP_PASSED && r->step[a].ms == 25 && r->step[b].ms == 0);
	report_skip(r, "imap.login", 0, "no_credentials", 1030);
	EXPECT(r->step[2].state == STEP_SKIPPED && r->step[2].ms == 0 && r->step[2].began_ms == 30);
	EXPECT_TEXT(r->step[2].skip, "no_credentials");
	EXPECT(report_attempt(r) == 1 && report_attempt(r) == 2 && r->attempts == 3);
}

TEST(many_steps_and_facts)
{
	CLEANUP(report) struct report *r = report_new("ann@birch.example");

	r->keep_talk = true;
	for (int i = 0; i < 1000; i++) {
		int step = report_begin(r, "probe.port", i, i);

		report_note(r, step, "n", "%d", i);
		report_note(r, step, "n", "%d again", i);
		report_talk(r, i, 'C', slice_str("hello"), i);
	}
	for (int i = 0; i < 1000; i++) {
		char n[12];

		snprintf(n, sizeof n, "%d", i);
		EXPECT(report_find(r, "probe.port", i) == i);
		EXPECT_TEXT(report_value(r, i, "n"), n);
		EXPECT(r->talk[i].attempt == i && r->talk[i].ms == i);
	}
	EXPECT(r->fact_count == 2000 && r->talk_count == 1000);
}

TEST(finding)
{
	CLEANUP(report) struct report *r = report_new("ann@birch.example");

	report_begin(r, "imap.login", 0, 0);
	report_begin(r, "imap.login", 1, 0);
	report_begin(r, "imap.login", 0, 0);
	EXPECT(report_find(r, "imap.login", 0) == 2 && report_find(r, "imap.login", 1) == 1 && report_find(r, "imap.login", NO_ATTEMPT) == 2);
	EXPECT(report_find(r, "imap.login", 2) == -1 && report_find(r, "imap", 0) == -1 && report_find(r, "imap.login2", 0) == -1);
	report_note(r, 1, "a", "1");
	EXPECT(!report_value(r, 0, "a") && report_value(r, 1, "a") && !report_value(r, 1, "A") && !report_value(r, -1, "a"));
}

TEST(finishing)
{
	CLEANUP(report) struct report *r = report_new("ann@birch.example");

	r->began_ms = 500;
	report_begin(r, "imap.resolve", 0, 500);
	report_end(r, 0, STEP_PASSED, 510);
	report_begin(r, "imap.connect", 0, 510);
	report_begin(r, "smtp.connect", 1, 520);
	report_end(r, 2, STEP_WARNED, 521);
	report_begin(r, "smtp.tls", 1, 530);
	r->ms = 100;
	report_finish(r);
	EXPECT(r->step[0].state == STEP_PASSED && !r->step[0].skip && r->step[2].state == STEP_WARNED);
	EXPECT(r->step[1].state == STEP_SKIPPED && r->step[1].ms == 90 && r->step[3].state == STEP_SKIPPED && r->step[3].ms == 70);
	EXPECT_TEXT(r->step[1].skip, "called_off");
	report_finish(r);
	EXPECT(r->step[1].ms == 90);
}

struct seen {
	int  times, step;
	enum step_state state;
};

static void watch(void *watcher, const struct report *r, int step)
{
	struct seen *s = watcher;

	*s = (struct seen){ s->times + 1, step, r->step[step].state };
}

TEST(a_watcher_hears_of_each_change)
{
	CLEANUP(report) struct report *r = report_new("ann@birch.example");
	struct seen s = { 0 };

	r->watch = watch;
	r->watcher = &s;
	report_begin(r, "imap.tls", 0, 0);
	EXPECT(s.times == 1 && s.step == 0 && s.state == STEP_RUNNING);
	report_end(r, 0, STEP_PASSED, 0);
	EXPECT(s.times == 2 && s.state == STEP_PASSED);
	report_skip(r, "imap.login", 0, "no_line", 0);
	EXPECT(s.times == 4 && s.step == 1 && s.state == STEP_SKIPPED);
}

#define BAD "\xef\xbf\xbd"

static const char *kept(struct report *r, struct slice value)
{
	report_fact(r, report_begin(r, "imap.login", 0, 0), "reply.text", value);
	return report_value(r, (int)r->step_count - 1, "reply.text");
}

TEST(values_are_made_fit_to_be_shown)
{
	static const struct { struct slice value; const char *kept; } rows[] = {
#define ROW(value, kept) { { value, sizeof value - 1 }, kept }
		ROW("", ""),
		ROW("plain text", "plain text"),
		ROW("ä€𝄞 ไทย", "ä€𝄞 ไทย"),
		ROW("two\r\nlines\tand\x7f" "more\x1b[31m", "two  lines and more [31m"),
		ROW("NUL\0inside", "NUL inside"),
		ROW("\0user\0pass", " user pass"),
		ROW("\xff", BAD),
		ROW("a\x80z", "a" BAD "z"),
		ROW("\xc3", BAD),
		ROW("\xc3(", BAD "("),
		ROW("\xc0\xaf", BAD BAD),                        /* overlong */
		ROW("\xe0\x9f\xbf", BAD BAD BAD),
		ROW("\xf0\x8f\xbf\xbf", BAD BAD BAD BAD),
		ROW("\xed\xa0\x80", BAD BAD BAD),                /* a surrogate */
		ROW("\xf4\x90\x80\x80", BAD BAD BAD BAD),        /* over U+10FFFF */
		ROW("\xf5\x80\x80\x80", BAD BAD BAD BAD),
		ROW("\xe2\x82", BAD BAD),
		ROW("\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf", "\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf"),
		ROW("C1 \xc2\x9b" "31m\xc2\x80|\xc2\xa0", "C1  31m |\xc2\xa0"),      /* what terminals take for ESC [ */
		ROW("turn \xe2\x80\xae" "round\xe2\x81\xa9|\xe2\x80\xa6", "turn  round |\xe2\x80\xa6"),
#undef ROW
	};
	CLEANUP(report) struct report *r = report_new("ann@birch.example");

	for (size_t i = 0; i < COUNT(rows); i++)
		EXPECT_TEXT(kept(r, rows[i].value), rows[i].kept);
	EXPECT_TEXT(kept(r, slice(NULL, 0)), "");
}

TEST(values_are_bounded)
{
	CLEANUP(report) struct report *r = report_new("ann@birch.example");
	static char long_one[3 * REPORT_VALUE];

	memset(long_one, 'x', sizeof long_one);
	EXPECT(strlen(kept(r, slice(long_one, REPORT_VALUE))) == REPORT_VALUE);
	EXPECT(strlen(kept(r, slice(long_one, REPORT_VALUE + 1))) == REPORT_VALUE);
	EXPECT(strlen(kept(r, slice(long_one, sizeof long_one))) == REPORT_VALUE);
	memset(long_one, '\xff', sizeof long_one);
	EXPECT(strlen(kept(r, slice(long_one, sizeof long_one))) <= 3 * REPORT_VALUE);
	memset(long_one, 'x', sizeof long_one);
	report_note(r, 0, "note", "%.*s", (int)sizeof long_one, long_one);
	EXPECT(strlen(report_value(r, 0, "note")) == REPORT_VALUE);
}

TEST(a_value_does_not_follow_what_it_was_made_of)
{
	CLEANUP(report) struct report *r = report_new("ann@birch.example");
	char name[] = "name", value[] = "value";

	report_begin(r, "address", NO_ATTEMPT, 0);
	report_fact(r, 0, name, slice_str(value));
	memset(name, 'x', 4);
	memset(value, 'x', 5);
	EXPECT_TEXT(report_value(r, 0, "name"), "value");
}

TEST(an_address_that_holds_the_secret_loses_it)
{
	CLEANUP(report) struct report *r = report_new("ann:hunter22@birch.example");

	secrets_know(&known, slice_str("hunter22"));
	report_guard(r, &known);
	EXPECT_TEXT(r->address, "ann:[secret]@birch.example");
	secrets_forget(&known);
}

TEST(secrets_are_struck_out_of_facts_notes_and_talk)
{
	CLEANUP(report) struct report *r = report_new("ann@birch.example");

	secrets_forget(&known);
	secrets_know(&known, slice_str("hunter22"));
	report_guard(r, &known);
	r->keep_talk = true;
	EXPECT_TEXT(kept(r, slice_str("NO hunter22 is wrong")), "NO [secret] is wrong");
	report_note(r, 0, "note", "%s", "aHVudGVyMjI=");
	EXPECT_TEXT(report_value(r, 0, "note"), "[secret]=");
	report_talk(r, 0, 'S', slice_str("a1 NO hunter22"), 5);
	EXPECT_TEXT(r->talk[0].text, "a1 NO [secret]");
	EXPECT_TEXT(kept(r, slice("x\0hunter22", 10)), "x [secret]");
	secrets_forget(&known);
}

/* Secrets go out before anything is cut: half a secret is one. */
TEST(a_secret_across_a_limit)
{
	static char secret[9001], text[30000];

	for (size_t i = 0; i < sizeof secret - 1; i++)
		secret[i] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"[(i * i + i / 7) % 52];
	for (size_t len = 20; len < sizeof secret; len = len * 3 / 2) {
		static const size_t before[] = { 0, 1, REPORT_VALUE - 10, 4 * REPORT_VALUE - 10, 4 * REPORT_VALUE - 1200 };

		secrets_forget(&known);
		secrets_know(&known, slice(secret, len));
		for (size_t b = 0; b < COUNT(before); b++) {
			CLEANUP(report) struct report *r = report_new("ann@birch.example");
			struct slice got;
			size_t       n = before[b];

			report_guard(r, &known);
			memset(text, '.', n);
			memcpy(text + n, secret, len), n += len;
			memcpy(text + n, " ", 1), n++;
			memcpy(text + n, secret, len), n += len;
			got = slice_str(kept(r, slice(text, n)));
			for (size_t i = 0; i + 12 <= got.len; i++) {
				char part[13] = { 0 };

				memcpy(part, got.at + i, 12);
				EXPECT_ROW(!slice_has(slice(secret, len), part), part);
			}
		}
	}
	secrets_forget(&known);
}

TEST(talk_is_kept_only_when_asked_for)
{
	CLEANUP(report) struct report *r = report_new("ann@birch.example");

	report_talk(r, 0, 'C', slice_str("hello"), 0);
	EXPECT(r->talk_count == 0);
}

TEST(talk_has_a_limit_and_says_so)
{
	CLEANUP(report) struct report *r = report_new("ann@birch.example");
	static char line[1000];
	size_t      bytes = 0;

	r->keep_talk = true;
	memset(line, 'x', sizeof line);
	for (int i = 0; i < 1000; i++)
		report_talk(r, 0, 'S', slice(line, sizeof line), i);
	for (size_t i = 0; i < r->talk_count; i++)
		bytes += strlen(r->talk[i].text);
	EXPECT(bytes <= REPORT_TALK + 100 && bytes > REPORT_TALK - 2 * sizeof line);
	EXPECT_TEXT(r->talk[r->talk_count - 1].text, "(the rest is left out)");
	EXPECT(strcmp(r->talk[r->talk_count - 2].text, "(the rest is left out)") != 0);
}

TEST(names_of_states)
{
	EXPECT_TEXT(step_state_name(STEP_RUNNING), "running");
	EXPECT_TEXT(step_state_name(STEP_PASSED), "passed");
	EXPECT_TEXT(step_state_name(STEP_FAILED), "failed");
	EXPECT_TEXT(step_state_name(STEP_WARNED), "warned");
	EXPECT_TEXT(step_state_name(STEP_SKIPPED), "skipped");
}

TEST(freeing_nothing)
{
	report_free(NULL);
}
