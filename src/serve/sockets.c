#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/address.h"
#include "base/arena.h"
#include "serve/sockets.h"

#define FIRST_GIVEN 3          /* sd_listen_fds(3) */

static bool listens(int fd)
{
	int       yes = 0;
	socklen_t size = sizeof yes;

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &yes, &size) == 0 && yes;
}

static size_t given_count(void)
{
	const char        *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
	unsigned long long n;

	if (!pid || !count || !slice_number(slice_str(pid), 1u << 30, &n) || (pid_t)n != getpid())
		return 0;
	return slice_number(slice_str(count), 64, &n) ? (size_t)n : 0;
}

/* systemd names a socket after its unit unless FileDescriptorName= says otherwise; the names that we know then are nobody's. */
static bool has_known_name(const char *names)
{
	static const char *const known[] = { "web", "inbound", "lmtp" };

	for (struct slice rest = slice_str(names); rest.at;) {
		struct slice name = slice_cut(&rest, ':');

		for (size_t i = 0; i < COUNT(known); i++)
			if (slice_equal(name, slice_str(known[i])))
				return true;
	}
	return false;
}

/* The descriptors that are meant, up to `most`. */
static size_t find_given(const char *name, int fd[], size_t most)
{
	const char  *names = getenv("LISTEN_FDNAMES");
	struct slice rest = slice_str(names);
	bool         by_name = has_known_name(names);
	size_t       found = 0;

	if (!by_name && strcmp(name, "web") != 0)
		return 0;
	for (size_t i = 0, count = given_count(); i < count && found < most; i++) {
		struct slice mine = rest.at ? slice_cut(&rest, ':') : slice(NULL, 0);
		int          given = FIRST_GIVEN + (int)i;

		if ((!by_name || slice_equal(mine, slice_str(name))) && listens(given))
			fd[found++] = given;
	}
	return found;
}

size_t sockets_given(const char *name, int fd[], size_t most)
{
	size_t found = find_given(name, fd, most);

	for (size_t i = 0; i < found; i++) {
		fcntl(fd[i], F_SETFD, FD_CLOEXEC);
		fcntl(fd[i], F_SETFL, fcntl(fd[i], F_GETFL) | O_NONBLOCK);
	}
	return found;
}

bool sockets_are_given(const char *name)
{
	int fd;

	return find_given(name, &fd, 1) > 0;
}

static bool place_read(const char *where, struct sockaddr_storage *out, socklen_t *len)
{
	const char        *colon = strrchr(where, ':');
	char               host[ADDRESS_TEXT + 2];
	struct address     a;
	unsigned long long port;

	if (!colon || (size_t)(colon - where) >= sizeof host || !slice_number(slice_str(colon + 1), 65535, &port))
		return false;
	memcpy(host, where, (size_t)(colon - where));
	host[colon - where] = '\0';
	if (!address_parse(host, &a))
		return false;
	*out = (struct sockaddr_storage){ 0 };
	if (a.family == 4) {
		struct sockaddr_in *in = (struct sockaddr_in *)out;

		in->sin_family = AF_INET, in->sin_port = htons((uint16_t)port), *len = sizeof *in;
		memcpy(&in->sin_addr, a.bytes, 4);
	} else {
		struct sockaddr_in6 *in = (struct sockaddr_in6 *)out;

		in->sin6_family = AF_INET6, in->sin6_port = htons((uint16_t)port), *len = sizeof *in;
		memcpy(&in->sin6_addr, a.bytes, 16);
	}
	return true;
}

int socket_listen(const char *where, struct error *err)
{
	struct sockaddr_storage place;
	socklen_t               len;
	int                     fd, yes = 1;

	if (!place_read(where, &place, &len)) {
		fail(err, FAULT_MALFORMED, "\"%s\" is not IP:PORT", where);
		return -1;
	}
	fd = socket(place.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0
	    && (place.ss_family != AF_INET6 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes) == 0)
	    && bind(fd, (struct sockaddr *)&place, len) == 0 && listen(fd, 1024) == 0)
		return fd;
	fail(err, FAULT_LOCAL, "listening on %s: %s", where, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

bool socket_place(int fd, char *text, size_t size)
{
	struct sockaddr_storage place = { 0 };
	socklen_t               len = sizeof place;
	struct address          a = { 0 };
	char                    host[ADDRESS_TEXT];
	uint16_t                port;

	if (getsockname(fd, (struct sockaddr *)&place, &len) != 0)
		return false;
	if (place.ss_family == AF_INET) {
		a.family = 4, port = ((struct sockaddr_in *)&place)->sin_port;
		memcpy(a.bytes, &((struct sockaddr_in *)&place)->sin_addr, 4);
	} else if (place.ss_family == AF_INET6) {
		a.family = 6, port = ((struct sockaddr_in6 *)&place)->sin6_port;
		memcpy(a.bytes, &((struct sockaddr_in6 *)&place)->sin6_addr, 16);
	} else {
		const char *path = ((struct sockaddr_un *)&place)->sun_path;

		snprintf(text, size, "%s", place.ss_family == AF_UNIX && *path ? path : "a socket of systemd's");
		return true;
	}
	snprintf(text, size, a.family == 6 ? "[%s]:%u" : "%s:%u", address_text(&a, host), ntohs(port));
	return true;
}
