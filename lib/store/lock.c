/*
 * lock: waiting for other processes, never for ever.
 *
 * Maildir indexes are locked with flock(2) on a file of their own, which is
 * not replaced when the index is.  An mbox is locked as Debian's policy and
 * other programs do: a dot-lock and fcntl(2).
 */
#include <sys/file.h>
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "os/compat.h"
#include "store/lock.h"

#define LOCK_STALE	300	/* seconds until a dot-lock is left over */
#define LOCK_PAUSE	16	/* the longest pause, in ms */

static int lock_pause(unsigned int *, unsigned int *);
static int lock_dot(int, const char *, unsigned int *);
static int lock_dot_name(const char *, char *, size_t);

int
lock_take(int fd, unsigned int ms)
{
	unsigned int pause = 1;

	for (;;) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return (0);
		if (errno != EWOULDBLOCK && errno != EINTR)
			return (-1);
		if (lock_pause(&ms, &pause) == -1)
			return (-1);
	}
}

void
lock_drop(int fd)
{
	(void)flock(fd, LOCK_UN);
}

int
lock_mbox(int dirfd, const char *name, int fd, unsigned int ms, int *dotted)
{
	struct flock fl = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	unsigned int pause = 1;
	int save;

	*dotted = lock_dot(dirfd, name, &ms);
	if (*dotted == -1)
		return (-1);
	for (;;) {
		if (fcntl(fd, F_SETLK, &fl) == 0)
			return (0);
		if (errno != EAGAIN && errno != EACCES && errno != EINTR)
			break;
		if (lock_pause(&ms, &pause) == -1)
			break;
	}
	save = errno;
	lock_mbox_drop(dirfd, name, -1, *dotted);
	errno = save;
	return (-1);
}

void
lock_mbox_drop(int dirfd, const char *name, int fd, int dotted)
{
	struct flock fl = { .l_type = F_UNLCK, .l_whence = SEEK_SET };
	char dot[NAME_MAX + 1];

	if (fd != -1)
		(void)fcntl(fd, F_SETLK, &fl);
	if (dotted == 1 && lock_dot_name(name, dot, sizeof(dot)) == 0)
		(void)unlinkat(dirfd, dot, 0);
}

/* 1 locked, 0 the directory is not ours to write, -1 somebody else has it. */
static int
lock_dot(int dirfd, const char *name, unsigned int *ms)
{
	char dot[NAME_MAX + 1];
	struct stat st;
	unsigned int pause = 1;
	int fd;

	if (lock_dot_name(name, dot, sizeof(dot)) == -1)
		return (0);
	for (;;) {
		fd = openat(dirfd, dot, O_WRONLY | O_CREAT | O_EXCL |
		    O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd != -1) {
			close(fd);
			return (1);
		}
		if (errno != EEXIST)
			return (errno == EINTR ? -1 : 0);
		if (fstatat(dirfd, dot, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(st.st_mode) &&
		    time(NULL) - st.st_mtime > LOCK_STALE)
			(void)unlinkat(dirfd, dot, 0);
		if (lock_pause(ms, &pause) == -1)
			return (-1);
	}
}

static int
lock_dot_name(const char *name, char *dot, size_t len)
{
	int n;

	n = snprintf(dot, len, "%s.lock", name);
	return (n < 0 || (size_t)n >= len ? -1 : 0);
}

/* Sleep a little, longer each time; -1 when there is no time left. */
static int
lock_pause(unsigned int *ms, unsigned int *pause)
{
	if (*ms == 0) {
		errno = EWOULDBLOCK;
		return (-1);
	}
	if (*pause > *ms)
		*pause = *ms;
	(void)poll(NULL, 0, (int)*pause);
	*ms -= *pause;
	if (*pause < LOCK_PAUSE)
		*pause *= 2;
	return (0);
}
