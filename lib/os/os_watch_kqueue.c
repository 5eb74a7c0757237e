/*
 * os_watch on the BSDs: kqueue watches open descriptors by nature.
 */
#ifndef __linux__

#include <sys/types.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined(__OpenBSD__) || defined(__FreeBSD__) || defined(__NetBSD__) || \
    defined(__DragonFly__) || defined(__APPLE__)
#include <sys/event.h>
#include <sys/time.h>
#define HAVE_KQUEUE	1
#else
#define HAVE_KQUEUE	0
#endif

#include "os/os.h"

struct os_watch {
	int	fd;
};

struct os_watch *
os_watch_new(void)
{
#if HAVE_KQUEUE
	struct os_watch *w;

	if ((w = calloc(1, sizeof(*w))) == NULL)
		return (NULL);
	if ((w->fd = kqueue()) != -1)
		return (w);
	free(w);
	return (NULL);
#else
	errno = ENOSYS;
	return (NULL);
#endif
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

int
os_watch_add(struct os_watch *w, int dirfd)
{
#if HAVE_KQUEUE
	struct kevent ev;

	EV_SET(&ev, dirfd, EVFILT_VNODE, EV_ADD | EV_CLEAR,
	    NOTE_WRITE | NOTE_RENAME | NOTE_DELETE, 0, NULL);
	return (kevent(w->fd, &ev, 1, NULL, 0, NULL));
#else
	(void)w;
	(void)dirfd;
	errno = ENOSYS;
	return (-1);
#endif
}

int
os_watch_read(struct os_watch *w, int *dirfd)
{
#if HAVE_KQUEUE
	static const struct timespec now;
	struct kevent ev;
	int n;

	memset(&ev, 0, sizeof(ev));
	do {
		n = kevent(w->fd, NULL, 0, &ev, 1, &now);
	} while (n == -1 && errno == EINTR);
	if (n == 1)
		*dirfd = (int)ev.ident;
	return (n);
#else
	(void)w;
	(void)dirfd;
	errno = ENOSYS;
	return (-1);
#endif
}

#endif
