#include "peer.h"

#include <fcntl.h>
#include <signal.h>

static struct net *net_plain(void)
{
	struct net_settings s = { 0 };
	struct net         *n = net_new(&s, NULL);

	EXPECT(n != NULL);
	return n;
}

static enum came hear_line(struct net *n, struct line *l)
{
	return WAIT_ONE(n, want_read(w, l, 5000));
}

static void say_and_close(int fd, void *arg)
{
	say_str(fd, arg);
}

static void say_and_reset(int fd, void *arg)
{
	char byte;

	say_str(fd, arg);
	EXPECT(recv(fd, &byte, 1, 0) == 1);
	reset_on_close(fd);
}

/* What is heard is said back. */
static void echo(int fd, void *arg)
{
	char    bytes[8192];
	ssize_t n;

	(void)arg;
	while ((n = recv(fd, bytes, sizeof bytes, 0)) > 0)
		say_all(fd, bytes, (size_t)n);
}

TEST(bytes_first_the_end_second)
{
	struct net *n = net_plain();
	struct peer p;
	struct line l;

	line_init(&l, 1000, 1000);
	peer_start(&p, say_and_close, (void *)"221 bye\r\n");
	EXPECT(connect_to(n, &l, p.port) == CAME);
	EXPECT(hear_line(n, &l) == CAME && !l.ended);
	EXPECT(hear_line(n, &l) == CAME_END && l.ended);
	EXPECT(slice_equal(buffer_held(&l.in), slice_str("221 bye\r\n")));      /* still there */
	EXPECT(hear_line(n, &l) == CAME_END);
	line_close(&l);
	EXPECT(!l.open && hear_line(n, &l) == CAME_END);
	line_release(&l);
	net_free(n);
	peer_stop(&p);
}

TEST(what_is_to_be_said_goes_out_while_hearing)
{
	struct net *n = net_plain();
	struct peer p;
	struct line l;

	line_init(&l, 1000, 1000);
	peer_start(&p, echo, NULL);
	EXPECT(connect_to(n, &l, p.port) == CAME);
	EXPECT(buffer_add_str(&l.out, "a1 NOOP\r\n"));
	EXPECT(hear_line(n, &l) == CAME);
	EXPECT(buffer_held(&l.out).len == 0 && slice_equal(buffer_held(&l.in), slice_str("a1 NOOP\r\n")));
	for (size_t i = 0; i < l.out.size; i++)
		EXPECT(l.out.bytes[i] == 0);              /* wiped: a password goes this way */
	line_release(&l);
	net_free(n);
	peer_stop(&p);
}

TEST(a_reset_is_told)
{
	struct net *n = net_plain();
	struct peer p;
	struct line l;

	line_init(&l, 1000, 1000);
	peer_start(&p, say_and_reset, (void *)"hello");
	EXPECT(connect_to(n, &l, p.port) == CAME);
	EXPECT(hear_line(n, &l) == CAME);
	EXPECT(buffer_add_str(&l.out, "x"));
	EXPECT(hear_line(n, &l) == CAME_RESET && l.ended);
	EXPECT(hear_line(n, &l) == CAME_RESET);
	/* saying more on it raises no signal */
	signal(SIGPIPE, SIG_DFL);
	for (int i = 0; i < 3; i++) {
		EXPECT(buffer_add_str(&l.out, "more"));
		EXPECT(WAIT_ONE(n, want_write(w, &l, 5000)) == CAME_RESET);
	}
	line_release(&l);
	net_free(n);
	peer_stop(&p);
}

TEST(a_full_buffer_is_told_before_reading)
{
	struct net *n = net_plain();
	struct peer p;
	struct line l;

	line_init(&l, 4, 1000);
	peer_start(&p, say_and_close, (void *)"123456789");
	EXPECT(connect_to(n, &l, p.port) == CAME);
	EXPECT(hear_line(n, &l) == CAME && buffer_held(&l.in).len == 4);
	EXPECT(hear_line(n, &l) == CAME_FULL);
	buffer_drop(&l.in, 4);
	EXPECT(hear_line(n, &l) == CAME && slice_equal(buffer_held(&l.in), slice_str("5678")));
	buffer_drop(&l.in, 3);
	EXPECT(hear_line(n, &l) == CAME && slice_equal(buffer_held(&l.in), slice_str("89")));
	line_release(&l);
	net_free(n);
	peer_stop(&p);
}

TEST(silence_is_a_timeout_and_the_line_stays)
{
	struct net *n = net_plain();
	struct peer p;
	struct line l;

	line_init(&l, 100000, 1000);
	peer_start(&p, echo, NULL);
	EXPECT(connect_to(n, &l, p.port) == CAME);
	EXPECT(WAIT_ONE(n, want_read(w, &l, 50)) == CAME_TIMEOUT);
	EXPECT(l.open && !l.ended && l.in.bytes == NULL);      /* holds nothing while it waits */
	EXPECT(buffer_add_str(&l.out, "x") && hear_line(n, &l) == CAME);
	line_release(&l);
	net_free(n);
	peer_stop(&p);
}

/* Listens only once it is told to; says how many bytes came up to the ".". */
struct counter {
	int told[2];
};

static void count(int fd, void *arg)
{
	static char     bytes[65536];
	struct counter *c = arg;
	char            said[40];
	size_t          total = 0;
	ssize_t         n;

	EXPECT(read(c->told[0], said, 1) == 1);
	while ((n = recv(fd, bytes, sizeof bytes, 0)) > 0) {
		total += (size_t)n;
		if (bytes[n - 1] == '.') {
			snprintf(said, sizeof said, "%zu", total);
			say_str(fd, said);
		}
	}
}

TEST(writing_waits_until_all_is_out)
{
	size_t         size = 24 * 1024 * 1024, left;
	struct net    *n = net_plain();
	struct counter c;
	struct peer    p;
	struct line    l;
	char          *at;

	EXPECT(pipe2(c.told, O_CLOEXEC) == 0);
	line_init(&l, 1000, size);
	peer_start(&p, count, &c);
	EXPECT(connect_to(n, &l, p.port) == CAME);
	EXPECT((at = buffer_room(&l.out, &size)));
	memset(at, 'x', size);
	at[size - 1] = '.';
	buffer_grew(&l.out, size);
	EXPECT(WAIT_ONE(n, want_write(w, &l, 50)) == CAME_TIMEOUT);
	left = buffer_held(&l.out).len;
	EXPECT(left > 0 && left < size && l.open);
	EXPECT(write(c.told[1], "x", 1) == 1);
	EXPECT(WAIT_ONE(n, want_write(w, &l, 5000)) == CAME);
	EXPECT(buffer_held(&l.out).len == 0);
	EXPECT(hear_line(n, &l) == CAME && slice_equal(buffer_held(&l.in), slice_str("25165824")));
	line_release(&l);
	net_free(n);
	peer_stop(&p);
	close(c.told[0]);
	close(c.told[1]);
}

TEST(an_open_line_may_outlive_its_net)
{
	struct net *n = net_plain();
	struct peer p;
	struct line l;

	line_init(&l, 1000, 1000);
	peer_start(&p, echo, NULL);
	EXPECT(connect_to(n, &l, p.port) == CAME);
	net_free(n);
	line_release(&l);
	peer_stop(&p);
}

/* -- cancellation in the middle of it ----------------------------------------------------------------------------- */

struct reader {
	struct line           line;
	uint16_t              port;
	int                   step;
	struct connect_answer tried;
	enum came             came;
};

static enum want_kind reader_step(void *self, struct want *w, struct error *err)
{
	struct reader *r = self;

	switch (r->step) {
	case 0:
		r->tried = (struct connect_answer){ .tried = { { .address = loopback(4) } }, .count = 1 };
		AWAIT(r, 1, want_connect(w, &r->line, "a.example", r->port, &r->tried, 5000)):
		if (want_came(w) != CAME)
			return fail(err, FAULT_NETWORK, "no connection"), WANT_FAILED;
		AWAIT(r, 2, want_read(w, &r->line, 5000)):
		r->came = want_came(w);
	}
	return WANT_NOTHING;
}

struct race {
	struct children children;
	struct task     task[2];
	struct reader   reader[2];
	bool            asked;
};

static enum want_kind race_step(void *self, struct want *w, struct error *err)
{
	struct race *r = self;

	(void)err;
	if (r->asked)
		return WANT_NOTHING;
	r->asked = true;
	children_init(&r->children, UNTIL_ONE);
	for (size_t i = 0; i < 2; i++)
		children_add(&r->children, &r->task[i], reader_step, &r->reader[i], 0);
	return want_children(w, &r->children, 5000);
}

TEST(the_slower_reader_is_cancelled_and_its_line_can_be_released)
{
	struct net *n = net_plain();
	struct race r = { 0 };
	struct task t = { .step = race_step, .self = &r };
	struct peer quick, slow;

	peer_start(&quick, say_and_close, (void *)"hello");
	peer_start(&slow, echo, NULL);
	r.reader[0].port = slow.port;
	r.reader[1].port = quick.port;
	line_init(&r.reader[0].line, 1000, 1000);
	line_init(&r.reader[1].line, 1000, 1000);
	EXPECT(net_run(n, &t));
	EXPECT(r.task[0].state == TASK_CANCELLED && r.task[1].state == TASK_DONE && r.reader[1].came == CAME);
	EXPECT(r.reader[0].line.open);
	line_release(&r.reader[0].line);
	line_release(&r.reader[1].line);
	net_free(n);
	peer_stop(&quick);
	peer_stop(&slow);
}

static int inherited_descriptors(void)
{
	int count = 0;

	for (int fd = 3; fd < 200; fd++) {
		int flags = fcntl(fd, F_GETFD);

		count += flags >= 0 && !(flags & FD_CLOEXEC);
	}
	return count;
}

TEST(nothing_is_inherited_by_programs_we_start)
{
	int         before = inherited_descriptors();
	struct net *n = net_plain();
	struct peer p;
	struct line l;

	line_init(&l, 1000, 1000);
	peer_start(&p, echo, NULL);
	EXPECT(connect_to(n, &l, p.port) == CAME);
	EXPECT(inherited_descriptors() == before);
	line_release(&l);
	net_free(n);
	peer_stop(&p);
}
