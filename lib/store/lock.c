/*
 * lock: waiting for other processes, never for ever.
 *
 * Maildir indexes are locked with flock(2) on a file of their own, which is
 * not replaced when the index is.  An mbox is locked as Debian's policy and
 * other programs do: a dot-lock and fcntl(2).  A dot-lock that a process of
 * ours left behind when it was killed is known as such, and nobody waits for
 * it.
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
#include "os/os.h"
#include "store/file.h"
#include "store/lock.h"

#define LOCK_STALE	300	/* seconds until a dot-lock is left over */
#define LOCK_TEXT	(HOST_NAME_MAX + 20)	/* what is in one */
#define LOCK_PAUSE	16	/* the longest pause, in ms */
#define LOCK_TRIES	5	/* files of one name */

static int lock_pause(unsigned int *, unsigned int *);
static int lock_dot(int, const char *, unsigned int *, int *);
static const char *lock_host(void);
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

/*
 * Whoever tidies up or restores a directory may take the file away, or put
 * another there; then others lock that one, and ours keeps nobody out.
 */
int
lock_file(int dirfd, const char *name, unsigned int ms)
{
	struct stat st, now;
	int fd, i, save;

	for (i = 0; i < LOCK_TRIES; i++) {
		if ((fd = openat(dirfd, name, O_RDWR | O_CREAT | O_NOFOLLOW |
		    O_NONBLOCK | O_CLOEXEC, 0600)) == -1)
			return (-1);
		if (lock_take(fd, ms) == -1) {
			save = errno;
			close(fd);
			errno = save;
			return (-1);
		}
		if (fstat(fd, &st) == 0 && fstatat(dirfd, name, &now,
		    AT_SYMLINK_NOFOLLOW) == 0 && st.st_ino == now.st_ino &&
		    st.st_dev == now.st_dev)
			return (fd);
		close(fd);
	}
	errno = EWOULDBLOCK;
	return (-1);
}

void
lock_drop(int fd)
{
	(void)flock(fd, LOCK_UN);
}

int
lock_mbox(int dirfd, const char *name, int fd, unsigned int ms, int *dot)
{
	struct flock fl = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	unsigned int pause = 1;
	int save;

	if (lock_dot(dirfd, name, &ms, dot) == -1)
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
	lock_mbox_drop(dirfd, name, -1, *dot);
	errno = save;
	return (-1);
}

void
lock_mbox_drop(int dirfd, const char *name, int fd, int dot)
{
	struct flock fl = { .l_type = F_UNLCK, .l_whence = SEEK_SET };
	char path[NAME_MAX + 1];

	if (fd != -1)
		(void)fcntl(fd, F_SETLK, &fl);
	if (dot == -1)
		return;
	if (lock_dot_name(name, path, sizeof(path)) == 0)
		(void)unlinkat(dirfd, path, 0);
	close(dot);
}

/*
 * Who has it: the process, as other programs write it, and the host.  The
 * lock on the dot-lock itself, which ends with us, says whether we live.  It
 * is on the disk before the name is: after a power cut, too, nobody waits.
 */
static void
lock_dot_sign(int fd)
{
	char text[LOCK_TEXT];
	int n;

	(void)flock(fd, LOCK_EX | LOCK_NB);
	n = snprintf(text, sizeof(text), "%d\n%s\n", (int)getpid(),
	    lock_host());
	if (n > 0 && (size_t)n < sizeof(text) &&
	    os_write_all(fd, text, (size_t)n) == 0)
		(void)os_write_out(fd);
}

static const char *
lock_host(void)
{
	static char host[HOST_NAME_MAX + 1];

	if (host[0] == '\0' && gethostname(host, sizeof(host) - 1) == -1)
		strlcpy(host, "?", sizeof(host));
	return (host);
}

/* One of ours, of this host: while its process lives it is locked. */
static int
lock_dot_is_ours(int fd)
{
	char text[LOCK_TEXT], *host;
	ssize_t n;

	if ((n = pread(fd, text, sizeof(text) - 1, 0)) <= 0)
		return (0);
	text[n] = '\0';
	if ((host = strchr(text, '\n')) == NULL)
		return (0);
	host++;
	host[strcspn(host, "\n")] = '\0';
	return (strcmp(host, lock_host()) == 0 && strcmp(host, "?") != 0);
}

/*
 * Take a left-over away.  While we hold its lock no other of ours takes it for
 * dead, so that the name cannot mean a new one when it is removed.
 */
static void
lock_dot_break(int dirfd, const char *dot)
{
	struct stat st, now;
	int fd;

	fd = openat(dirfd, dot, O_RDONLY | O_NOFOLLOW | O_NONBLOCK |
	    O_CLOEXEC);
	if (fd == -1)
		return;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    (time(NULL) - st.st_mtime > LOCK_STALE || lock_dot_is_ours(fd)) &&
	    flock(fd, LOCK_EX | LOCK_NB) == 0 &&
	    fstatat(dirfd, dot, &now, AT_SYMLINK_NOFOLLOW) == 0 &&
	    now.st_ino == st.st_ino && now.st_dev == st.st_dev)
		(void)unlinkat(dirfd, dot, 0);
	close(fd);
}

/*
 * Make it whole under a name of our own, then give it the real one: killed at
 * any moment we leave no dot-lock that does not say whose it was.  -1 with
 * EEXIST: there is one.
 */
static int
lock_dot_make(int dirfd, const char *dot)
{
	char own[NAME_MAX + 1];
	int fd, n, save;

	n = snprintf(own, sizeof(own), "%s.%d", dot, (int)getpid());
	if (n < 0 || (size_t)n >= sizeof(own)) {
		errno = ENAMETOOLONG;
		return (-1);
	}
	/* Left by a process that had our number. */
	if (unlinkat(dirfd, own, 0) == -1 && errno != ENOENT)
		return (-1);
	if ((fd = openat(dirfd, own, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW |
	    O_CLOEXEC, 0600)) == -1)
		return (-1);
	lock_dot_sign(fd);
	n = linkat(dirfd, own, dirfd, dot, 0);
	save = errno;
	(void)unlinkat(dirfd, own, 0);
	if (n == 0)
		return (fd);
	close(fd);
	errno = save;
	return (-1);
}

/* 0 locked, or the directory is not ours to write; -1 somebody has it. */
static int
lock_dot(int dirfd, const char *name, unsigned int *ms, int *fd)
{
	char dot[NAME_MAX + 1];
	unsigned int pause = 1;

	*fd = -1;
	if (lock_dot_name(name, dot, sizeof(dot)) == -1)
		return (0);
	for (;;) {
		if ((*fd = lock_dot_make(dirfd, dot)) != -1)
			return (0);
		if (errno != EEXIST)
			return (errno == EINTR ? -1 : 0);
		lock_dot_break(dirfd, dot);
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
