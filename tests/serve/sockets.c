/* What systemd hands over, in a child of its own each time: descriptors 3 and on, and three variables. */
#include "serve/sockets.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

/* One listening socket for each letter: 4, 6, u(nix); n: one that does not listen. */
static bool give(const char *kinds, const char *names, bool to_us)
{
	char pid[20], count[20];
	int  open_now[8];

	for (size_t i = 0; kinds[i]; i++) {
		struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
		struct sockaddr_in  four = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
		struct sockaddr_un  local = { .sun_family = AF_UNIX };      /* a name of the kernel's choice */
		bool is_six = kinds[i] == '6', is_local = kinds[i] == 'u';
		int  fd = socket(is_six ? AF_INET6 : is_local ? AF_UNIX : AF_INET, SOCK_STREAM, 0);

		if (fd < 0 || bind(fd, is_six ? (struct sockaddr *)&six : is_local ? (struct sockaddr *)&local : (struct sockaddr *)&four,
		                   is_six ? sizeof six : is_local ? sizeof local.sun_family : sizeof four) < 0)
			return false;
		if (kinds[i] != 'n' && listen(fd, 1) < 0)
			return false;
		open_now[i] = fcntl(fd, F_DUPFD, 40);
		close(fd);
	}
	for (size_t i = 0; kinds[i]; i++)
		if (dup2(open_now[i], 3 + (int)i) < 0)
			return false;
	snprintf(pid, sizeof pid, "%ld", (long)getpid() + !to_us);
	snprintf(count, sizeof count, "%zu", strlen(kinds));
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", count, 1);
	if (names)
		setenv("LISTEN_FDNAMES", names, 1);
	else
		unsetenv("LISTEN_FDNAMES");
	return true;
}

static const struct row {
	const char *kinds, *names, *asked, *wanted;      /* the descriptors, as digits */
	bool        others;
} rows[] = {
	{ "44", NULL, "web", "34", false },                          /* one unit for the web, nothing said of names */
	{ "44", NULL, "inbound", "", false },
	{ "4", "mailmoor.socket", "web", "3", false },
	{ "4", "mailmoor.socket", "lmtp", "", false },
	{ "446", "web:inbound:lmtp", "web", "3", false },
	{ "446", "web:inbound:lmtp", "inbound", "4", false },
	{ "446", "web:inbound:lmtp", "lmtp", "5", false },
	{ "46u", "inbound:inbound:lmtp", "inbound", "34", false },
	{ "46u", "inbound:inbound:lmtp", "lmtp", "5", false },
	{ "46u", "inbound:inbound:lmtp", "web", "", false },
	{ "44", "inbound:other.socket", "web", "", false },          /* who names one has to name all */
	{ "n4", "inbound:inbound", "inbound", "4", false },
	{ "4", "inbound", "inbound", "", true },                     /* meant for another process */
	{ "4", "", "web", "3", false },
};

static void ask(const struct row *r)
{
	int    fd[4];
	size_t wanted = strlen(r->wanted);
	bool   there = give(r->kinds, r->names, !r->others) && sockets_are_given(r->asked) == (wanted > 0);
	bool   fine = there && sockets_given(r->asked, fd, COUNT(fd)) == wanted;

	for (size_t i = 0; fine && i < wanted; i++)
		fine = fd[i] == r->wanted[i] - '0' && fcntl(fd[i], F_GETFD) & FD_CLOEXEC && fcntl(fd[i], F_GETFL) & O_NONBLOCK;
	_exit(fine ? 0 : there ? 2 : 1);
}

TEST(sockets_of_systemd)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		pid_t child = fork();
		int   status;

		if (child == 0)
			ask(&rows[i]);
		EXPECT(waitpid(child, &status, 0) == child && WIFEXITED(status));
		if (WEXITSTATUS(status))
			test_fail(__FILE__, __LINE__, "row %zu: %d", i, WEXITSTATUS(status));
	}
}

TEST(without_systemd_there_are_none)
{
	int fd;

	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	EXPECT(sockets_given("web", &fd, 1) == 0 && !sockets_are_given("inbound"));
}

TEST(places_of_our_own)
{
	static const struct { const char *where, *begins; enum fault fault; } places[] = {
		{ "127.0.0.1:0", "127.0.0.1:", FAULT_NONE }, { "[::1]:0", "[::1]:", FAULT_NONE }, { "192.0.2.1:1", NULL, FAULT_LOCAL },
		{ "localhost:80", NULL, FAULT_MALFORMED }, { "127.0.0.1", NULL, FAULT_MALFORMED }, { "127.0.0.1:70000", NULL, FAULT_MALFORMED },
	};

	for (size_t i = 0; i < COUNT(places); i++) {
		struct error err = { 0 };
		int          fd = socket_listen(places[i].where, &err);
		char         text[80] = "";

		EXPECT_ROW(err.fault == places[i].fault && (fd >= 0) == (places[i].begins != NULL), places[i].where);
		if (fd < 0)
			continue;
		EXPECT_ROW(socket_place(fd, text, sizeof text) && strncmp(text, places[i].begins, strlen(places[i].begins)) == 0, places[i].where);
		close(fd);
	}
}
