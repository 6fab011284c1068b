/* copies.c -- preloaded into a daemon: how many bytes it moves about, and how many it takes from and gives to the system.
 *
 * $BENCH_COPIES names a file of COUNTS 64-bit numbers, in the order of the enum; whoever wants to know reads them while the daemon runs. Counted
 * is what goes through memcpy(), memmove() and mempcpy(), of the daemon and of every library below it. Not counted: copies of a few bytes that
 * the compiler has made into plain moves, what strings copy one by one, and what the kernel copies on its side.
 */
#undef _FILE_OFFSET_BITS      /* both names of each call are made here */

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { MOVED, MOVES, TAKEN, GIVEN, KEPT, COUNTS };

static volatile int64_t *counts;

__attribute__((constructor)) static void begin(void)
{
	const char *file = getenv("BENCH_COPIES");
	int         fd = file ? open(file, O_RDWR | O_CLOEXEC) : -1;
	void       *at = fd < 0 ? MAP_FAILED : mmap(NULL, COUNTS * sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	counts = at == MAP_FAILED ? NULL : at;
	if (fd >= 0)
		close(fd);
}

static long count(int which, long n)
{
	if (counts && n > 0)
		__atomic_fetch_add(&counts[which], n, __ATOMIC_RELAXED);
	return n;
}

/* -- moved ---------------------------------------------------------------------------------------------------------------- */

static void *move(void *to, const void *from, size_t len)
{
	char       *t = to;
	const char *f = from;

	count(MOVED, (long)len);
	count(MOVES, 1);
	if (t < f)
		for (size_t i = 0; i < len; i++)
			t[i] = f[i];
	else
		for (size_t i = len; i-- > 0;)
			t[i] = f[i];
	return to;
}

void *memcpy(void *restrict to, const void *restrict from, size_t len)    { return move(to, from, len); }
void *memmove(void *to, const void *from, size_t len)                     { return move(to, from, len); }
void *mempcpy(void *restrict to, const void *restrict from, size_t len)   { return (char *)move(to, from, len) + len; }
void *__memcpy_chk(void *to, const void *from, size_t len, size_t room);
void *__memcpy_chk(void *to, const void *from, size_t len, size_t room)   { return len > room ? abort(), to : move(to, from, len); }
void *__memmove_chk(void *to, const void *from, size_t len, size_t room);
void *__memmove_chk(void *to, const void *from, size_t len, size_t room)  { return len > room ? abort(), to : move(to, from, len); }

/* -- taken and given ------------------------------------------------------------------------------------------------------ */

ssize_t read(int fd, void *into, size_t len)                                   { return count(TAKEN, syscall(SYS_read, fd, into, len)); }
ssize_t recv(int fd, void *into, size_t len, int how)                          { return count(TAKEN, syscall(SYS_recvfrom, fd, into, len, how, NULL, NULL)); }
ssize_t readv(int fd, const struct iovec *into, int n)                         { return count(TAKEN, syscall(SYS_readv, fd, into, n)); }
ssize_t recvmsg(int fd, struct msghdr *into, int how)                          { return count(TAKEN, syscall(SYS_recvmsg, fd, into, how)); }
ssize_t write(int fd, const void *from, size_t len)                            { return count(GIVEN, syscall(SYS_write, fd, from, len)); }
ssize_t send(int fd, const void *from, size_t len, int how)                    { return count(GIVEN, syscall(SYS_sendto, fd, from, len, how, NULL, 0)); }
ssize_t writev(int fd, const struct iovec *from, int n)                        { return count(GIVEN, syscall(SYS_writev, fd, from, n)); }
ssize_t sendmsg(int fd, const struct msghdr *from, int how)                    { return count(GIVEN, syscall(SYS_sendmsg, fd, from, how)); }
ssize_t pwrite(int fd, const void *from, size_t len, off_t at)                 { return count(KEPT, syscall(SYS_pwrite64, fd, from, len, at)); }
ssize_t pwrite64(int fd, const void *from, size_t len, off_t at)               { return count(KEPT, syscall(SYS_pwrite64, fd, from, len, at)); }
