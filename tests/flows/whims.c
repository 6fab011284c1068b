/* whims.c -- preloaded into a daemon: its clock and its disk do what a test says.
 *
 * $TEST_WHIMS names a file of two 64-bit numbers that the test changes while the daemon runs: by how many nanoseconds the wall clock is off, and
 * the errno that every write into a file at a place, and every change of a file's size, ends with (0: none). SQLite writes in no other way; logs
 * and sockets do. Waits and ages, which the monotonic clock measures, go on as they are.
 */
#undef _FILE_OFFSET_BITS      /* both names of each call are made here */

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile const int64_t *whims;

__attribute__((constructor)) static void begin(void)
{
	const char *file = getenv("TEST_WHIMS");
	int         fd = file ? open(file, O_RDONLY | O_CLOEXEC) : -1;
	void       *at = fd < 0 ? MAP_FAILED : mmap(NULL, 2 * sizeof *whims, PROT_READ, MAP_SHARED, fd, 0);

	whims = at == MAP_FAILED ? NULL : at;
	if (fd >= 0)
		close(fd);
}

int clock_gettime(clockid_t which, struct timespec *now)
{
	int     status = (int)syscall(SYS_clock_gettime, which, now);
	int64_t ns;

	if (status || !whims || (which != CLOCK_REALTIME && which != CLOCK_REALTIME_COARSE))
		return status;
	ns = now->tv_nsec + whims[0] % 1000000000;
	now->tv_sec += whims[0] / 1000000000 + (ns >= 1000000000) - (ns < 0);
	now->tv_nsec = (ns + 1000000000) % 1000000000;
	return 0;
}

time_t time(time_t *out)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (out)
		*out = now.tv_sec;
	return now.tv_sec;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
	struct timespec now;

	(void)zone;
	clock_gettime(CLOCK_REALTIME, &now);
	*out = (struct timeval){ now.tv_sec, now.tv_nsec / 1000 };
	return 0;
}

static long unless_ill(long number, long a, long b, long c, long d)
{
	if (whims && whims[1]) {
		errno = (int)whims[1];
		return -1;
	}
	return syscall(number, a, b, c, d);
}

ssize_t pwrite(int fd, const void *from, size_t len, off_t at)     { return unless_ill(SYS_pwrite64, fd, (long)from, (long)len, at); }
ssize_t pwrite64(int fd, const void *from, size_t len, off_t at)   { return unless_ill(SYS_pwrite64, fd, (long)from, (long)len, at); }
int     ftruncate(int fd, off_t len)                               { return (int)unless_ill(SYS_ftruncate, fd, len, 0, 0); }
int     ftruncate64(int fd, off_t len)                             { return (int)unless_ill(SYS_ftruncate, fd, len, 0, 0); }
