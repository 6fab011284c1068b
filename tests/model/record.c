#include "model/record.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "diagnose/diagnose.h"
#include "test.h"

struct place {
	char folder[40], file[60];
};

static void place_open(struct place *p)
{
	snprintf(p->folder, sizeof p->folder, "/tmp/mailmoor-record-XXXXXX");
	EXPECT(mkdtemp(p->folder));
	snprintf(p->file, sizeof p->file, "%s/case.json", p->folder);
}

static int entries(const char *folder)
{
	DIR *d = opendir(folder);
	int  n = -2;      /* . and .. */

	EXPECT(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static void place_close(struct place *p)
{
	unlink(p->file);
	EXPECT_ROW(rmdir(p->folder) == 0, "something else was left behind");
}

static int step(struct report *r, const char *id, int attempt, enum step_state state)
{
	int n = report_begin(r, id, attempt, 5);

	report_end(r, n, state, 9);
	return n;
}

/* A case as a session leaves it. */
static struct report *refused_login(void)
{
	struct report *r = report_new("ann@birch.example");
	int            n;

	r->keep_talk = true;
	r->provider = "imap";
	r->began_unix = 1795248000;
	r->password_tries = 1;
	r->ms = 1234;
	n = step(r, "address", NO_ATTEMPT, STEP_PASSED);
	report_note(r, n, FACT_ADDRESS_DOMAIN, "birch.example");
	report_note(r, n, FACT_AUTH_SENT, "yes");
	report_attempt(r);
	n = step(r, "imap.resolve", 0, STEP_PASSED);
	report_note(r, n, FACT_HOST, "imap.birch.example");
	report_note(r, n, FACT_PORT, "993");
	report_note(r, n, FACT_TRUSTED, "yes");
	report_note(r, n, FACT_DNS_OUTCOME, "found");
	n = step(r, "imap.greeting", 0, STEP_PASSED);
	report_note(r, n, FACT_GREETING, "* OK Dovecot ready. \"quoted\" \\ ä ไทย");
	n = step(r, "imap.login", 0, STEP_FAILED);
	report_note(r, n, FACT_AUTH_BY, "password");
	report_note(r, n, FACT_AUTH_MECHANISM, "PLAIN");
	report_note(r, n, FACT_REPLY_STATUS, "NO");
	report_note(r, n, FACT_REPLY_CODE, "AUTHENTICATIONFAILED");
	report_note(r, n, FACT_REPLY_TEXT, "NO [AUTHENTICATIONFAILED] Authentication failed.");
	report_note(r, n, FACT_REPLY_ALSO, "* NO first");
	report_note(r, n, FACT_REPLY_ALSO, "* NO second");
	report_skip(r, "imap.open", 0, "earlier", 9);
	report_talk(r, 0, 'S', slice_str("* OK Dovecot ready."), 7);
	return r;
}

static void same_report(const struct report *a, const struct report *b)
{
	EXPECT_TEXT(a->address, b->address);
	EXPECT_TEXT(a->provider, b->provider);
	EXPECT(a->began_unix == b->began_unix && a->attempts == b->attempts && a->password_tries == b->password_tries && a->ms == b->ms);
	EXPECT(a->step_count == b->step_count && a->fact_count == b->fact_count);
	for (size_t i = 0; i < a->step_count; i++) {
		EXPECT_TEXT(a->step[i].id, b->step[i].id);
		EXPECT_ROW(a->step[i].attempt == b->step[i].attempt && a->step[i].state == b->step[i].state, a->step[i].id);
		EXPECT_ROW(a->step[i].ms == b->step[i].ms && a->step[i].began_ms == b->step[i].began_ms, a->step[i].id);
		EXPECT_ROW((a->step[i].skip == NULL) == (b->step[i].skip == NULL), a->step[i].id);
		if (a->step[i].skip)
			EXPECT_TEXT(a->step[i].skip, b->step[i].skip);
	}
	for (size_t i = 0; i < a->fact_count; i++) {
		EXPECT_TEXT(a->fact[i].name, b->fact[i].name);
		EXPECT_TEXT(a->fact[i].value, b->fact[i].value);
		EXPECT_ROW(a->fact[i].step == b->fact[i].step, a->fact[i].name);
	}
}

static void same_verdict(const struct verdict *a, const struct verdict *b)
{
	EXPECT(a->kind == b->kind && a->findings == b->findings && a->exclusions == b->exclusions && a->needs == b->needs);
	EXPECT(a->attempt[0] == b->attempt[0] && a->attempt[1] == b->attempt[1]);
	for (size_t i = 0; i < a->findings; i++) {
		const struct finding *f = &a->finding[i], *g = &b->finding[i];

		EXPECT_ROW(f->cause == g->cause && f->certainty == g->certainty && f->who == g->who && f->step == g->step && f->proofs == g->proofs,
		           cause_row(f->cause)->id);
		for (size_t p = 0; p < f->proofs; p++)
			EXPECT_TEXT(f->proof[p].value, g->proof[p].value);
	}
	for (size_t i = 0; i < a->exclusions; i++)
		EXPECT(a->exclusion[i].cause == b->exclusion[i].cause);
}

TEST(written_and_read_again_it_is_the_same_case)
{
	CLEANUP(report) struct report *r = refused_login();
	CLEANUP(report) struct report *again = NULL;
	struct verdict before, after;
	struct place   p;
	struct error   err = { 0 };

	place_open(&p);
	EXPECT(record_write(r, p.file, &err));
	again = record_read(p.file, &err);
	EXPECT_ROW(again, err.text);
	same_report(r, again);
	diagnose(r, &before);
	diagnose(again, &after);
	EXPECT(before.kind == VERDICT_FAILED && before.finding[0].cause == CAUSE_AUTH_PASSWORD_REJECTED && before.exclusions > 0);
	same_verdict(&before, &after);
	place_close(&p);
}

TEST(the_file_is_for_its_owner_alone_and_replaced_as_a_whole)
{
	CLEANUP(report) struct report *r = refused_login();
	struct place p;
	struct error err = { 0 };
	struct stat  st;
	FILE        *f;

	place_open(&p);
	f = fopen(p.file, "w");
	EXPECT(f && fputs("old", f) >= 0 && fclose(f) == 0 && chmod(p.file, 0644) == 0);
	EXPECT(record_write(r, p.file, &err));
	EXPECT(stat(p.file, &st) == 0 && (st.st_mode & 07777) == 0600 && st.st_size > 500);
	EXPECT(entries(p.folder) == 1);
	place_close(&p);
}

TEST(a_failure_leaves_nothing_behind_and_the_old_file_as_it_was)
{
	CLEANUP(report) struct report *r = refused_login();
	struct place p;
	struct error err = { 0 };
	char         inside[80];

	place_open(&p);
	/* a folder stands in the way: the rename fails after all has been written */
	EXPECT(mkdir(p.file, 0700) == 0);
	snprintf(inside, sizeof inside, "%s/x", p.file);
	EXPECT(mkdir(inside, 0700) == 0);
	EXPECT(!record_write(r, p.file, &err) && err.fault == FAULT_LOCAL && strstr(err.text, p.file));
	EXPECT(entries(p.folder) == 1);
	EXPECT(rmdir(inside) == 0 && rmdir(p.file) == 0);
	snprintf(inside, sizeof inside, "%s/none/case.json", p.folder);
	err = (struct error){ 0 };
	EXPECT(!record_write(r, inside, &err) && err.fault == FAULT_LOCAL && strstr(err.text, "No such file"));
	EXPECT(entries(p.folder) == 0);
	place_close(&p);
}

/* Bytes as they came from a peer pass JSON both ways. */
TEST(values_of_every_byte)
{
	CLEANUP(report) struct report *r = report_new("ann@birch.example"), *again = NULL;
	struct place p;
	struct error err = { 0 };

	report_attempt(r);
	for (int c = 0; c < 256; c++) {
		char value[5] = { 'a', (char)c, 'b', (char)c, 'c' };

		report_fact(r, step(r, "imap.login", 0, STEP_FAILED), FACT_REPLY_TEXT, slice(value, 5));
	}
	place_open(&p);
	EXPECT(record_write(r, p.file, &err));
	again = record_read(p.file, &err);
	EXPECT_ROW(again, err.text);
	same_report(r, again);
	place_close(&p);
}

static char *text_of(const struct report *r)
{
	struct place p;
	struct error err = { 0 };
	static char  text[64 * 1024];
	size_t       n;
	FILE        *f;

	place_open(&p);
	EXPECT(record_write(r, p.file, &err) && (f = fopen(p.file, "r")));
	n = fread(text, 1, sizeof text - 1, f);
	text[n] = '\0';
	fclose(f);
	place_close(&p);
	return text;
}

TEST(cut_at_every_byte_it_is_none)
{
	CLEANUP(report) struct report *r = refused_login();
	char  *text = text_of(r);
	size_t whole = strlen(text);

	for (size_t len = 0; len < whole; len++) {
		char         *copy = memcpy(must_alloc(len), text, len);
		struct error  err = { 0 };

		EXPECT(!record_parse(slice(copy, len), &err) && err.fault == FAULT_BROKEN && err.text[0]);
		free(copy);
	}
}

TEST(what_is_no_record)
{
	static const char *const texts[] = {
		"", "null", "[]", "{}", "\"mailmoor.record.v1\"", "{\"format\":\"mailmoor.record.v1\"}",
		"{\"format\":\"mailmoor.record.v1\",\"address\":\"a@b\"}",
		"{\"format\":\"mailmoor.record.v1\",\"provider\":\"imap\"}",
		"{\"format\":\"mailmoor.record.v2\",\"address\":\"a@b\",\"provider\":\"imap\",\"steps\":[]}",
		"{\"format\":1,\"address\":\"a@b\",\"provider\":\"imap\",\"steps\":[]}",
		"{\"format\":\"mailmoor.record.v1\",\"address\":7,\"provider\":\"imap\",\"steps\":[]}",
		"{\"format\":\"mailmoor.record.v1\",\"address\":\"a@b\",\"provider\":\"imap\",\"steps\":[1]}",
		"{\"format\":\"mailmoor.record.v1\",\"address\":\"a@b\",\"provider\":\"imap\",\"steps\":[{\"attempt\":0}]}",
		"{\"format\":\"mailmoor.record.v1\",\"address\":\"a@b\",\"provider\":\"imap\",\"steps\":[{\"id\":\"x\",\"facts\":[[\"a\"]]}]}",
		"{\"format\":\"mailmoor.record.v1\",\"address\":\"a@b\",\"provider\":\"imap\",\"steps\":[{\"id\":\"x\",\"facts\":[1]}]}",
		"{\"format\":\"mailmoor.record.v1\",\"address\":\"a@b\",\"provider\":\"imap\",\"steps\":[{\"id\":\"x\"},{\"id\":\"y\",\"facts\":[[1,2]]}]}",
		"{\"format\":\"mailmoor.report.v1\",\"address\":\"a@b\",\"provider\":\"imap\",\"steps\":[]}",
		"<html>", "mailmoor",
	};

	for (size_t i = 0; i < COUNT(texts); i++) {
		struct error err = { 0 };

		EXPECT_ROW(!record_parse(slice_str(texts[i]), &err) && err.fault == FAULT_BROKEN && err.text[0], texts[i]);
	}
}

/* A file from anybody: numbers out of all reason, steps without their facts. Replay must end, and soon. */
TEST(records_that_no_session_wrote)
{
#define HEAD "{\"format\":\"mailmoor.record.v1\",\"address\":\"a@b\",\"provider\":\"imap\","
	static const char *const texts[] = {
		HEAD "\"steps\":[]}",
		HEAD "\"attempts\":-5,\"ms\":1e300,\"began_unix\":-1e300,\"steps\":[{\"id\":\"imap.resolve\",\"attempt\":-7,\"ms\":1e99}]}",
		HEAD "\"attempts\":1,\"steps\":[{\"id\":\"imap.resolve\",\"attempt\":0,\"state\":\"passed\"},"
		     "{\"id\":\"imap.login\",\"attempt\":0,\"state\":\"skipped\",\"skip\":\"no_credentials\"}]}",
		HEAD "\"attempts\":1,\"steps\":[{\"id\":\"imap.resolve\",\"attempt\":0,\"state\":\"passed\",\"facts\":[[\"endpoint.host\",\"h\"]]},"
		     "{\"id\":\"imap.login\",\"attempt\":0,\"state\":\"skipped\",\"skip\":\"not_confirmed\"}]}",
		HEAD "\"attempts\":1,\"steps\":[{\"id\":\"imap.login\",\"attempt\":0,\"state\":\"dancing\"}]}",
		HEAD "\"attempts\":2000000000,\"steps\":[{\"id\":\"imap.resolve\",\"attempt\":1999999999,\"state\":\"failed\"}]}",
	};

	for (size_t i = 0; i < COUNT(texts); i++) {
		struct error err = { 0 };
		CLEANUP(report) struct report *r = record_parse(slice_str(texts[i]), &err);
		struct verdict v;

		EXPECT_ROW(r || err.fault == FAULT_BROKEN, texts[i]);
		alarm(10);      /* ends the test program, and so fails it */
		if (r)
			diagnose(r, &v);
		alarm(0);
	}
}

TEST(a_file_that_is_not_there_or_too_big)
{
	struct place p;
	struct error err = { 0 };
	FILE        *f;

	place_open(&p);
	EXPECT(!record_read(p.file, &err) && err.fault == FAULT_LOCAL && strstr(err.text, "No such file"));
	f = fopen(p.file, "w");
	EXPECT(f && ftruncate(fileno(f), RECORD_LONGEST + 1) == 0 && fclose(f) == 0);
	err = (struct error){ 0 };
	EXPECT(!record_read(p.file, &err) && err.fault == FAULT_TOO_BIG);
	err = (struct error){ 0 };
	EXPECT(!record_read(p.folder, &err) && err.fault == FAULT_LOCAL);
	place_close(&p);
}
