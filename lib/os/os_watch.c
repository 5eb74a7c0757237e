/*
 * os_watch on Linux: F_NOTIFY on the owners' descriptors; os.h says why not
 * inotify.
 *
 * A notice is given once and asked for again before it is reported, so that a
 * change during the owner's look is noticed anew, and no directory has more
 * than one signal in the queue.  When the queue is full the kernel sends plain
 * SIGIO, which says only that something changed somewhere.
 */
#ifdef __linux__

#include <sys/signalfd.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "os/os.h"

#define NOTICE		(SIGRTMIN + 5)
#define EVENTS		(DN_CREATE | DN_DELETE | DN_RENAME)

struct os_watch {
	int	fd;
};

struct os_watch *
os_watch_new(void)
{
	struct os_watch *w;
	sigset_t set;
	int error;

	if ((w = calloc(1, sizeof(*w))) == NULL)
		return (NULL);
	(void)sigemptyset(&set);
	(void)sigaddset(&set, NOTICE);
	(void)sigaddset(&set, SIGIO);
	if (sigprocmask(SIG_BLOCK, &set, NULL) == 0 &&
	    (w->fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)) != -1)
		return (w);
	error = errno;
	free(w);
	errno = error;
	return (NULL);
}

void
os_watch_free(struct os_watch *w)
{
	if (w == NULL)
		return;
	(void)close(w->fd);
	free(w);
}

int
os_watch_fd(struct os_watch *w)
{
	return (w->fd);
}

/*
 * EBADF for a descriptor that only names a path (O_PATH): who could not read
 * the directory gets no notice of it.
 */
int
os_watch_add(struct os_watch *w, int dirfd)
{
	(void)w;
	if (fcntl(dirfd, F_SETSIG, NOTICE) == -1)
		return (-1);
	return (fcntl(dirfd, F_NOTIFY, EVENTS));
}

int
os_watch_read(struct os_watch *w, int *dirfd)
{
	struct signalfd_siginfo si;
	ssize_t n;

	do {
		n = read(w->fd, &si, sizeof(si));
	} while (n == -1 && errno == EINTR);
	if (n == -1)
		return (errno == EAGAIN ? 0 : -1);
	if (n != (ssize_t)sizeof(si)) {
		errno = EIO;
		return (-1);
	}
	*dirfd = -1;
	if ((int)si.ssi_signo == NOTICE) {
		*dirfd = si.ssi_fd;
		/* Fails if the owner's directory was closed meanwhile. */
		(void)fcntl(*dirfd, F_NOTIFY, EVENTS);
	}
	return (1);
}

#endif
