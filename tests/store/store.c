#include "store/store.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/random.h"
#include "store/events.h"
#include "store/scratch.h"

/* -- what is written here: domain "N" with JSON "N" in workspace "wsp_1" ---------------------------------------------- */

struct job {
	struct store_write write;
	int                number;
	size_t             padding;          /* bytes more in its JSON                                */
	bool               fails;            /* after it has written                                  */
	sem_t             *begun, *go;       /* where it says that it is being applied, and waits     */
	int                answered;         /* how often                                             */
	int                turn;             /* the how manieth answer it was                         */
	atomic_int        *turns;
};

static bool put_number(struct txn *t, int number, size_t padding, struct error *err)
{
	char  domain[20];
	char *json = must_alloc(padding + 20);
	bool  fine;

	snprintf(domain, sizeof domain, "%d", number);
	memset(json, ' ', padding);
	strcpy(json + padding, domain);
	fine = domain_put(t, &(struct domain_settings){ "wsp_1", domain, json, number }, err);
	free(json);
	return fine;
}

static bool apply_job(struct txn *t, void *self, struct error *err)
{
	struct job *j = self;

	if (j->begun) {
		sem_post(j->begun);
		sem_wait(j->go);
	}
	if (!put_number(t, j->number, j->padding, err))
		return false;
	return j->fails ? fail(err, FAULT_CANCELLED, "job %d", j->number) : true;
}

static void job_done(struct store_write *w)
{
	struct job *j = (struct job *)w;

	j->answered++;
	j->turn = j->turns ? atomic_fetch_add(j->turns, 1) : 0;
}

static struct job a_job(int number, atomic_int *turns)
{
	return (struct job){ .write = { .apply = apply_job, .done = job_done }, .number = number, .turns = turns };
}

static void hand_over(struct store *store, struct job *j)
{
	j->write.self = j;
	store_write(store, &j->write);
}

static bool add_workspace(struct txn *t, void *self, struct error *err)
{
	(void)self;
	return workspace_insert(t, &(struct workspace){ "wsp_1", "One", "bcc1", 1 }, err);
}

static bool put_one(struct txn *t, void *self, struct error *err)
{
	return put_number(t, *(int *)self, 0, err);
}

static bool put_and_fail(struct txn *t, void *self, struct error *err)
{
	return put_number(t, *(int *)self, 0, err) && fail(err, FAULT_CANCELLED, "thought better of it");
}

static bool count_domains(struct txn *t, void *self, struct error *err)
{
	return read_number(t, self, 0, err, "SELECT COUNT(*) FROM domains", WITHOUT);
}

static int64_t domains(struct store *store)
{
	int64_t n = -1;

	EXPECT(store_read(store, count_domains, &n, NULL));
	return n;
}

struct asked { int number; bool there; };

static bool look_for(struct txn *t, void *self, struct error *err)
{
	CLEANUP(arena) struct arena *work = arena_new();
	struct asked          *a = self;
	struct domain_settings d;
	char                   domain[20];

	snprintf(domain, sizeof domain, "%d", a->number);
	a->there = domain_get(t, work, "wsp_1", domain, &d, err);
	return true;
}

static bool is_there(struct store *store, int number)
{
	struct asked a = { .number = number };

	EXPECT(store_read(store, look_for, &a, NULL));
	return a.there;
}

static struct store *opened(struct scratch *s)
{
	struct store *store = store_open(s->url, &s->err);

	EXPECT_ROW(store, s->err.text);
	return store;
}

static struct store *begun(struct scratch *s)
{
	struct store *store;

	scratch_begin(s);
	store = opened(s);
	EXPECT(store_write_wait(store, add_workspace, NULL, &s->err));
	return store;
}

/* -- opening ------------------------------------------------------------------------------------------------------ */

TEST(what_was_written_is_there_the_next_time)
{
	struct scratch s;
	struct store  *store = begun(&s);
	struct stat    st;

	EXPECT(store_write_wait(store, put_one, &(int){ 7 }, &s.err) && is_there(store, 7) && !is_there(store, 8));
	store_close(store);
	EXPECT(stat(s.file, &st) == 0 && (st.st_mode & 07777) == 0600);
	store = opened(&s);
	EXPECT(is_there(store, 7));
	store_close(store);
	store_close(NULL);
	scratch_end(&s);
}

TEST(nobody_else_may_read_its_files)
{
	static const char *const names[] = { "", "-wal", "-shm", ".lock" };
	struct scratch s;
	struct store  *store;
	mode_t         before = umask(0);
	char           path[80];

	store = begun(&s);
	for (size_t i = 0; i < COUNT(names); i++) {
		struct stat st;

		snprintf(path, sizeof path, "%s%s", s.file, names[i]);
		EXPECT_ROW(stat(path, &st) == 0 && (st.st_mode & 07777) == 0600, path);
	}
	umask(before);
	store_close(store);
	scratch_end(&s);
}

TEST(what_is_no_place_for_a_store)
{
	static const char *const rows[] = { "", "sqlite", "sqlite:", "/tmp/x", "SQLITE:/tmp/x", "postgresql://h/db", "sqlite:/nonexistent/store",
	                                    "sqlite:/dev/null/store" };

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct error err = { 0 };

		EXPECT_ROW(!store_open(rows[i], &err) && err.fault == FAULT_LOCAL && err.text[0], rows[i]);
		err = (struct error){ 0 };
		EXPECT_ROW(!store_check(rows[i], &err) && err.fault == FAULT_LOCAL, rows[i]);
	}
}

/* In a process of its own: whether `work` succeeds there. */
static bool in_child(bool (*work)(struct scratch *), struct scratch *s)
{
	pid_t child = fork();
	int   status;

	EXPECT(child >= 0);
	if (child == 0)
		_exit(!work(s));
	EXPECT(waitpid(child, &status, 0) == child);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool finds_it_busy(struct scratch *s)
{
	struct store *store = store_open(s->url, &s->err);
	bool          busy = !store && s->err.fault == FAULT_BUSY;

	s->err = (struct error){ 0 };
	return busy && !store_check(s->url, &s->err) && s->err.fault == FAULT_BUSY;
}

TEST(one_process_at_a_time)
{
	struct scratch s;
	struct store  *store;

	scratch_begin(&s);
	store = opened(&s);
	EXPECT(finds_it_busy(&s));
	s.err = (struct error){ 0 };
	EXPECT(in_child(finds_it_busy, &s));
	store_close(store);
	EXPECT(!in_child(finds_it_busy, &s));
	store = opened(&s);
	store_close(store);
	scratch_end(&s);
}

static void overwrite(const char *file, off_t from, const char *bytes, size_t len)
{
	int fd = open(file, O_WRONLY);

	EXPECT(fd >= 0 && pwrite(fd, bytes, len, from) == (ssize_t)len);
	close(fd);
}

static void was_not_closed(struct scratch *s)
{
	char lock[80];

	snprintf(lock, sizeof lock, "%s.lock", s->file);
	EXPECT(truncate(lock, 0) == 0);
	overwrite(lock, 0, "open\n", 5);
}

/* A damage that SQLite does not meet while opening is found when the last owner did not close the store. */
TEST(a_damaged_store_is_refused)
{
	static char    noise[4096 * 4];
	struct scratch s;
	struct store  *store = begun(&s);
	struct stat    st;

	for (int i = 0; i < 300; i++)
		EXPECT(store_write_wait(store, put_one, &i, &s.err));
	store_close(store);
	memset(noise, 0x5a, sizeof noise);
	EXPECT(stat(s.file, &st) == 0 && st.st_size > 4096 * 20);
	overwrite(s.file, st.st_size - (off_t)sizeof noise, noise, sizeof noise);
	was_not_closed(&s);
	EXPECT(!store_open(s.url, &s.err) && strstr(s.err.text, "damaged"));
	FAILS(store_open(s.url, &s.err) != NULL, FAULT_LOCAL);
	FAILS(store_check(s.url, &s.err), FAULT_LOCAL);
	/* the head of the file */
	overwrite(s.file, 0, noise, 100);
	FAILS(store_open(s.url, &s.err) != NULL, FAULT_LOCAL);
	scratch_end(&s);
}

TEST(what_is_no_store_of_ours_is_left_alone)
{
	struct scratch s;
	sqlite3       *other;
	char           text[40] = "";
	int            fd;

	scratch_begin(&s);
	EXPECT(sqlite3_open(s.file, &other) == SQLITE_OK && sqlite3_exec(other, "CREATE TABLE notes (x)", NULL, NULL, NULL) == SQLITE_OK);
	sqlite3_close(other);
	EXPECT(!store_open(s.url, &s.err) && strstr(s.err.text, "no store of ours"));
	FAILS(store_check(s.url, &s.err), FAULT_LOCAL);
	EXPECT((fd = open(s.file, O_RDWR | O_TRUNC)) >= 0 && write(fd, "Dear diary, today I was no store\n", 33) == 33);
	FAILS(store_open(s.url, &s.err) != NULL, FAULT_LOCAL);
	EXPECT(pread(fd, text, 10, 0) == 10);
	EXPECT_TEXT(text, "Dear diary");
	close(fd);
	scratch_end(&s);
}

/* Killed between making the file and its first table. */
TEST(an_empty_file_becomes_a_store)
{
	struct scratch s;
	struct store  *store;
	int            fd;

	scratch_begin(&s);
	EXPECT((fd = open(s.file, O_RDWR | O_CREAT, 0600)) >= 0 && close(fd) == 0);
	store = opened(&s);
	store_close(store);
	EXPECT(store_check(s.url, &s.err));
	scratch_end(&s);
}

static bool cannot_open(struct scratch *s)
{
	/* who may write everywhere becomes somebody who may not */
	if (geteuid() == 0 && (setgid(65534) < 0 || setuid(65534) < 0))
		return false;
	return !store_open(s->url, &s->err) && s->err.fault == FAULT_LOCAL && strstr(s->err.text, s->file);
}

TEST(a_folder_that_cannot_be_written_is_said)
{
	struct scratch s;

	scratch_begin(&s);
	EXPECT(chmod(s.folder, 0555) == 0);
	EXPECT(in_child(cannot_open, &s));
	EXPECT(chmod(s.folder, 0755) == 0);
	scratch_end(&s);
}

/* -- writing ------------------------------------------------------------------------------------------------------ */

#define MANY 2000

TEST(writes_that_wait_are_kept_in_few_commits_in_their_order)
{
	static struct job   job[MANY];
	atomic_int          turns = 0;
	struct scratch      s;
	struct store       *store = begun(&s);
	struct store_health before, after;

	store_health(store, &before);
	for (int i = 0; i < MANY; i++) {
		job[i] = a_job(i, &turns);
		hand_over(store, &job[i]);
	}
	EXPECT(store_write_wait(store, put_one, &(int){ MANY }, &s.err));
	store_health(store, &after);
	EXPECT(after.writes - before.writes == MANY + 1 && after.waiting == 0 && after.failed == 0 && after.writable);
	if (after.commits - before.commits > MANY / 10)
		test_fail(__FILE__, __LINE__, "%lld commits for %d writes", (long long)(after.commits - before.commits), MANY);
	for (int i = 0; i < MANY; i++)
		EXPECT(job[i].write.ok && job[i].answered == 1 && job[i].turn == i);
	EXPECT(domains(store) == MANY + 1);
	store_close(store);
	scratch_end(&s);
}

/* One that holds the writer until the others have been handed over: then they are one group. */
struct gate { sem_t begun, go; struct job job; };

static void gate_shut(struct gate *g, struct store *store)
{
	sem_init(&g->begun, 0, 0);
	sem_init(&g->go, 0, 0);
	g->job = a_job(-1, NULL);
	g->job.begun = &g->begun;
	g->job.go = &g->go;
	hand_over(store, &g->job);
	sem_wait(&g->begun);
}

/* The last of the group, and who waits for it. */
struct last { struct store_write write; sem_t over; };

static bool put_last(struct txn *t, void *self, struct error *err)
{
	(void)self;
	return put_one(t, &(int){ -2 }, err);
}

static void last_is_over(struct store_write *write)
{
	sem_post(&((struct last *)write)->over);
}

/* The last is handed over before the writer goes on: behind it, it might be a group of its own. */
static void gate_open(struct gate *g, struct store *store)
{
	struct last last = { .write = { .apply = put_last, .done = last_is_over } };

	last.write.self = &last;
	sem_init(&last.over, 0, 0);
	store_write(store, &last.write);
	sem_post(&g->go);
	sem_wait(&last.over);
	sem_destroy(&last.over);
	sem_destroy(&g->begun);
	sem_destroy(&g->go);
}

TEST(one_that_fails_takes_no_other_with_it)
{
	struct job          job[20];
	struct gate         g;
	struct scratch      s;
	struct store       *store = begun(&s);
	struct store_health before, after;

	gate_shut(&g, store);
	store_health(store, &before);
	for (int i = 0; i < 20; i++) {
		job[i] = a_job(i, NULL);
		job[i].fails = i % 5 == 3;
		hand_over(store, &job[i]);
	}
	gate_open(&g, store);
	store_health(store, &after);
	EXPECT(after.failed == 4 && after.commits - before.commits <= 3 && after.writable);
	for (int i = 0; i < 20; i++) {
		EXPECT(job[i].write.ok == !job[i].fails && is_there(store, i) == !job[i].fails && job[i].answered == 1);
		EXPECT(job[i].write.ok || (job[i].write.err.fault == FAULT_CANCELLED && strncmp(job[i].write.err.text, "job ", 4) == 0));
	}
	store_close(store);
	scratch_end(&s);
}

TEST(closing_answers_everything_first)
{
	static struct job job[MANY];
	struct scratch    s;
	struct store     *store = begun(&s);

	for (int i = 0; i < MANY; i++) {
		job[i] = a_job(i, NULL);
		hand_over(store, &job[i]);
	}
	store_close(store);
	for (int i = 0; i < MANY; i++)
		EXPECT(job[i].answered == 1 && job[i].write.ok);
	store = opened(&s);
	EXPECT(domains(store) == MANY);
	store_close(store);
	scratch_end(&s);
}

TEST(waiting_for_a_write_hears_why_it_was_not_kept)
{
	struct scratch s;
	struct store  *store = begun(&s);

	FAILS(store_write_wait(store, add_workspace, NULL, &s.err), FAULT_REFUSED);
	FAILS(store_write_wait(store, put_and_fail, &(int){ 5 }, &s.err), FAULT_CANCELLED);
	EXPECT(!is_there(store, 5) && !store_write_wait(store, add_workspace, NULL, NULL));
	store_close(store);
	scratch_end(&s);
}

/* -- no room ------------------------------------------------------------------------------------------------------ */

static bool limit_pages(struct txn *t, void *self, struct error *err)
{
	char sql[80];

	snprintf(sql, sizeof sql, "PRAGMA max_page_count = %d", *(int *)self);
	return run(t, err, sql, WITHOUT);
}

static bool count_pages(struct txn *t, void *self, struct error *err)
{
	return read_number(t, self, 0, err, "PRAGMA page_count", WITHOUT);
}

TEST(one_that_there_is_no_room_for_takes_no_other_with_it)
{
	struct job          job[9];
	struct gate         g;
	struct scratch      s;
	struct store       *store = begun(&s);
	struct store_health health;
	int64_t             pages;

	EXPECT(store_read(store, count_pages, &pages, &s.err) && store_write_wait(store, limit_pages, &(int){ (int)pages + 20 }, &s.err));
	for (int round = 0; round < 3; round++) {
		gate_shut(&g, store);
		for (int i = 0; i < 9; i++) {
			job[i] = a_job(round * 10 + i, NULL);
			job[i].padding = i == 4 ? 1000000 : 0;
			hand_over(store, &job[i]);
		}
		gate_open(&g, store);
		for (int i = 0; i < 9; i++)
			EXPECT(job[i].write.ok == (i != 4) && job[i].answered == 1 && is_there(store, round * 10 + i) == (i != 4));
		EXPECT(job[4].write.err.fault == FAULT_LOCAL && strstr(job[4].write.err.text, "full"));
	}
	store_health(store, &health);
	EXPECT(health.writable && health.failed == 3);
	store_close(store);
	EXPECT(store_check(s.url, &s.err));
	scratch_end(&s);
}

TEST(with_no_room_for_two_the_group_is_not_kept_and_the_next_one_is)
{
	struct job          job[9];
	struct gate         g;
	struct scratch      s;
	struct store       *store = begun(&s);
	struct store_health health;
	int64_t             pages;

	EXPECT(store_read(store, count_pages, &pages, &s.err) && store_write_wait(store, limit_pages, &(int){ (int)pages + 20 }, &s.err));
	gate_shut(&g, store);
	for (int i = 0; i < 9; i++) {
		job[i] = a_job(i, NULL);
		job[i].padding = i == 4 || i == 6 ? 1000000 : 0;
		hand_over(store, &job[i]);
	}
	gate_open(&g, store);
	/* the last write of gate_open() was of the same group */
	EXPECT(domains(store) == 1);
	for (int i = 0; i < 9; i++)
		EXPECT(!job[i].write.ok && job[i].answered == 1 && job[i].write.err.fault == FAULT_LOCAL);
	store_health(store, &health);
	EXPECT(!health.writable && health.failed == 10 && strstr(health.last_error, "full"));
	EXPECT(store_write_wait(store, put_one, &(int){ 50 }, &s.err));
	store_health(store, &health);
	EXPECT(health.writable && domains(store) == 2);
	store_close(store);
	scratch_end(&s);
}

/* The file system says no, at whatever point of a commit: nothing of that commit is there, and with room again all goes on. */
static bool meets_a_full_disk(struct scratch *s)
{
	struct store       *store = store_open(s->url, &s->err);
	struct rlimit       limit;
	struct store_health health;
	int                 kept = 0;

	signal(SIGXFSZ, SIG_IGN);
	if (!store || !store_write_wait(store, add_workspace, NULL, &s->err) || getrlimit(RLIMIT_FSIZE, &limit) < 0)
		return false;
	for (rlim_t room = 200000; room < 1200000; room += 61234) {
		limit.rlim_cur = room;
		if (setrlimit(RLIMIT_FSIZE, &limit) < 0)
			return false;
		s->err = (struct error){ 0 };
		while (kept < 20000 && store_write_wait(store, put_one, &kept, &s->err))
			kept++;
		store_health(store, &health);
		if (s->err.fault != FAULT_LOCAL || health.writable || domains(store) != kept || is_there(store, kept))
			return false;
		limit.rlim_cur = limit.rlim_max;
		if (setrlimit(RLIMIT_FSIZE, &limit) < 0 || !store_write_wait(store, put_one, &kept, &s->err))
			return false;
		kept++;
		store_health(store, &health);
		if (!health.writable || domains(store) != kept)
			return false;
	}
	store_close(store);
	return store_check(s->url, &s->err);
}

TEST(a_full_disk_is_said_and_got_over)
{
	struct scratch s;

	scratch_begin(&s);
	EXPECT(in_child(meets_a_full_disk, &s));
	scratch_end(&s);
}

static off_t log_size(struct scratch *s)
{
	struct stat st;
	char        path[80];

	snprintf(path, sizeof path, "%s-wal", s->file);
	EXPECT(stat(path, &st) == 0);
	return st.st_size;
}

/* 64 MB through a log that is folded into the file all along. */
TEST(the_log_does_not_grow_with_what_is_written)
{
	struct scratch s;
	struct store  *store = begun(&s);
	struct job     job;

	for (int i = 0; i < 64; i++) {
		job = a_job(i % 4, NULL);
		/* pages that stay the same are not written */
		job.padding = 1000000 + (size_t)i;
		EXPECT(store_write_wait(store, apply_job, &job, &s.err));
	}
	EXPECT(log_size(&s) < 16000000);
	store_close(store);
	scratch_end(&s);
}

/* -- reading ------------------------------------------------------------------------------------------------------ */

static bool refuse(struct txn *t, void *self, struct error *err)
{
	(void)t, (void)self;
	return fail(err, FAULT_CANCELLED, "no");
}

TEST(a_look_changes_nothing)
{
	struct scratch s;
	struct store  *store = begun(&s);

	FAILS(store_read(store, put_one, &(int){ 1 }, &s.err), FAULT_LOCAL);
	FAILS(store_read(store, refuse, NULL, &s.err), FAULT_CANCELLED);
	EXPECT(domains(store) == 0);
	store_close(store);
	scratch_end(&s);
}

/* Two numbers whose sum is always the same, moved about while many look. */
struct views { struct store *store; atomic_bool over; atomic_int looks, wrong; };

static bool look_twice(struct txn *t, void *self, struct error *err)
{
	int64_t *sum = self, a, b;

	if (!read_number(t, &a, 0, err, "SELECT changed FROM domains WHERE domain = '1'", WITHOUT))
		return false;
	sched_yield();
	if (!read_number(t, &b, 0, err, "SELECT changed FROM domains WHERE domain = '2'", WITHOUT))
		return false;
	*sum = a + b;
	return true;
}

static void *look_again_and_again(void *self)
{
	struct views *v = self;

	do {
		int64_t sum = 0;

		atomic_fetch_add(&v->wrong, !store_read(v->store, look_twice, &sum, NULL) || sum != 3);
		atomic_fetch_add(&v->looks, 1);
	} while (!v->over);
	return NULL;
}

static bool move_some(struct txn *t, void *self, struct error *err)
{
	int n = *(int *)self;

	return run(t, err, "UPDATE domains SET changed = 1 + $1 WHERE domain = '1'", WITH(a_number(n)))
	    && run(t, err, "UPDATE domains SET changed = 2 - $1 WHERE domain = '2'", WITH(a_number(n)));
}

TEST(a_view_is_of_one_moment_for_any_number_of_threads)
{
	struct scratch s;
	struct views   v = { .store = begun(&s) };
	pthread_t      thread[40];

	EXPECT(store_write_wait(v.store, put_one, &(int){ 1 }, &s.err) && store_write_wait(v.store, put_one, &(int){ 2 }, &s.err));
	for (size_t i = 0; i < COUNT(thread); i++)
		EXPECT(pthread_create(&thread[i], NULL, look_again_and_again, &v) == 0);
	for (int i = 0; i < 300; i++)
		EXPECT(store_write_wait(v.store, move_some, &i, &s.err));
	v.over = true;
	for (size_t i = 0; i < COUNT(thread); i++)
		pthread_join(thread[i], NULL);
	EXPECT(v.wrong == 0 && v.looks >= (int)COUNT(thread));
	store_close(v.store);
	scratch_end(&s);
}

/* -- back-up ------------------------------------------------------------------------------------------------------ */

TEST(a_backup_is_a_whole_store_of_one_moment)
{
	static struct job job[MANY];
	struct scratch    s;
	struct store     *store = begun(&s);
	char              copy[80], url[100];
	struct stat       st;
	int64_t           count, found = 0;

	snprintf(copy, sizeof copy, "%s/copy", s.folder);
	snprintf(url, sizeof url, "sqlite:%s", copy);
	for (int i = 0; i < MANY; i++) {
		job[i] = a_job(i, NULL);
		hand_over(store, &job[i]);
	}
	EXPECT_ROW(store_backup(store, copy, &s.err), s.err.text);
	EXPECT(stat(copy, &st) == 0 && (st.st_mode & 07777) == 0600);
	FAILS(store_backup(store, copy, &s.err), FAULT_LOCAL);
	FAILS(store_backup(store, "/nonexistent/copy", &s.err), FAULT_LOCAL);
	store_close(store);
	EXPECT_ROW(store_check(url, &s.err) && store_check(s.url, &s.err), s.err.text);

	store = store_open(url, &s.err);
	EXPECT(store);
	count = domains(store);
	/* in the order in which they were handed over */
	for (int i = 0; i < MANY && is_there(store, i); i++)
		found++;
	EXPECT(found == count);
	store_close(store);
	scratch_end(&s);
}

TEST(a_backup_that_was_cut_is_found_out)
{
	struct scratch s;
	struct store  *store = begun(&s);
	char           copy[80], url[100];
	struct stat    st;

	snprintf(copy, sizeof copy, "%s/copy", s.folder);
	snprintf(url, sizeof url, "sqlite:%s", copy);
	EXPECT(store_backup(store, copy, &s.err) && stat(copy, &st) == 0);
	store_close(store);
	EXPECT(truncate(copy, st.st_size / 2 / 4096 * 4096) == 0);
	FAILS(store_check(url, &s.err), FAULT_LOCAL);
	EXPECT(truncate(copy, 0) == 0);
	FAILS(store_check(url, &s.err), FAULT_LOCAL);
	scratch_end(&s);
}

/* -- kill -9 ------------------------------------------------------------------------------------------------------ */

#define IN_FLIGHT 64
#define ROUNDS    50

/* Each number as an event, with its delivery, and as what a row says that all of them share. */
struct told {
	struct store_write write;
	struct store      *store;
	int                number, report;
};

static atomic_int next_number;

static bool tell(struct txn *t, void *self, struct error *err)
{
	struct told *n = self;
	char         id[20], number[20];

	snprintf(id, sizeof id, "evt_%d", n->number);
	snprintf(number, sizeof number, "%d", n->number);
	return event_append(t, &(struct event){ .id = id, .workspace = "wsp_1", .account = "acc_1", .type = "a", .data = number, .created = 1 }, NULL, err)
	    && domain_put(t, &(struct domain_settings){ "wsp_1", "last", number, n->number }, err);
}

static void told(struct store_write *w)
{
	struct told *n = (struct told *)w;

	if (!w->ok || write(n->report, &n->number, sizeof n->number) != sizeof n->number)
		_exit(1);
	n->number = atomic_fetch_add(&next_number, 1);
	store_write(n->store, w);
}

__attribute__((noreturn))
static void tell_until_killed(struct scratch *s, int from, int report)
{
	static struct told all[IN_FLIGHT];
	struct store      *store = store_open(s->url, NULL);

	if (!store)
		_exit(1);
	next_number = from;
	for (int i = 0; i < IN_FLIGHT; i++) {
		all[i] = (struct told){ .write = { .apply = tell, .done = told }, .store = store, .report = report };
		all[i].write.self = &all[i];
		all[i].number = atomic_fetch_add(&next_number, 1);
		store_write(store, &all[i].write);
	}
	for (;;)
		pause();
}

/* The largest number that was said to be kept. */
static int said_until_killed(int report, pid_t child, int ms)
{
	int           last = 0, number;
	struct pollfd p = { .fd = report, .events = POLLIN };

	/* it has begun */
	EXPECT(read(report, &last, sizeof last) == sizeof last);
	poll(NULL, 0, ms);
	EXPECT(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
	while (poll(&p, 1, 0) == 1 && read(report, &number, sizeof number) == sizeof number)
		last = number > last ? number : last;
	return last;
}

static int number_of(struct scratch *s, const char *sql)
{
	int64_t n;

	EXPECT(read_number(&s->txn, &n, 0, &s->err, sql, WITHOUT));
	return (int)n;
}

TEST(killed_at_any_moment_it_keeps_what_it_said_it_kept)
{
	struct scratch s;
	struct store  *store = begun(&s);
	int            kept = 0;

	store_close(store);
	s.txn.db = driver_sqlite.open(s.file, DB_OWN, &s.err);
	EXPECT(webhook_insert(&s.txn, &(struct webhook){ .id = "whk_1", .workspace = "wsp_1", .url = "u", .types = "*", .enabled = true }, &s.err));
	s.txn.db->driver->close(s.txn.db);

	for (int round = 0; round < ROUNDS; round++) {
		unsigned char dice;
		int           report[2], said;
		pid_t         child;

		EXPECT(pipe(report) == 0);
		child = fork();
		EXPECT(child >= 0);
		if (child == 0)
			tell_until_killed(&s, kept + 1, report[1]);
		close(report[1]);
		random_bytes(&dice, 1);
		said = said_until_killed(report[0], child, dice % 40);
		close(report[0]);

		/* which also checks that the file is whole */
		s.txn.db = driver_sqlite.open(s.file, DB_OWN, &s.err);
		EXPECT_ROW(s.txn.db, s.err.text);
		kept = number_of(&s, "SELECT COUNT(*) FROM events");
		EXPECT(kept >= said);
		EXPECT(number_of(&s, "SELECT changed FROM domains WHERE domain = 'last'") == kept);
		EXPECT(number_of(&s, "SELECT COUNT(*) FROM deliveries") == kept && number_of(&s, "SELECT value FROM counters WHERE name = 'event'") == kept);
		EXPECT(number_of(&s, "SELECT COUNT(*) FROM events WHERE id <> 'evt_' || seq OR data <> '' || seq") == 0);
		s.txn.db->driver->close(s.txn.db);
	}
	scratch_end(&s);
}
