/*
 * pass: one sendmsg() and one recvmsg().
 */
#include <sys/socket.h>
#include <sys/uio.h>

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "net/pass.h"

int
pass_client(int channel, int client, const void *text, size_t len)
{
	struct iovec	 iov = { (void *)(uintptr_t)text, len };
	struct msghdr	 mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr	*cm;
	ssize_t		 n;
	union {
		struct cmsghdr	h;
		char		b[CMSG_SPACE(sizeof(int))];
	} ctl;

	memset(&ctl, 0, sizeof(ctl));
	mh.msg_control = ctl.b;
	mh.msg_controllen = sizeof(ctl.b);
	cm = CMSG_FIRSTHDR(&mh);
	cm->cmsg_len = CMSG_LEN(sizeof(int));
	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = SCM_RIGHTS;
	memcpy(CMSG_DATA(cm), &client, sizeof(client));
	do {
		n = sendmsg(channel, &mh, MSG_NOSIGNAL);
	} while (n == -1 && errno == EINTR);
	if (n >= 0 && (size_t)n < len) {
		errno = EMSGSIZE;	/* the caller gives the channel up */
		return (-1);
	}
	return (n == -1 ? -1 : 0);
}

/* The first two descriptors of a control message; others are closed. */
static void
descriptors(struct cmsghdr *cm, int fds[2])
{
	size_t	i, n;
	int	fd;

	if (cm->cmsg_level != SOL_SOCKET || cm->cmsg_type != SCM_RIGHTS)
		return;
	n = (cm->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	for (i = 0; i < n; i++) {
		memcpy(&fd, CMSG_DATA(cm) + i * sizeof(int), sizeof(fd));
		if (i < 2)
			fds[i] = fd;
		else
			close(fd);
	}
}

ssize_t
pass_take(int channel, void *text, size_t len, int *client)
{
	struct iovec	 iov = { text, len };
	struct msghdr	 mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr	*cm;
	ssize_t		 n;
	int		 fds[2] = { -1, -1 };
	union {
		struct cmsghdr	h;
		char		b[CMSG_SPACE(2 * sizeof(int))];
	} ctl;

	*client = -1;
	mh.msg_control = ctl.b;
	mh.msg_controllen = sizeof(ctl.b);
	n = recvmsg(channel, &mh, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	if (n == -1)
		return (-1);
	/* There is room for two, so there cannot be a second message. */
	if ((cm = CMSG_FIRSTHDR(&mh)) != NULL)
		descriptors(cm, fds);
	if (fds[1] != -1 || (mh.msg_flags & MSG_CTRUNC)) {
		if (fds[0] != -1)
			close(fds[0]);
		if (fds[1] != -1)
			close(fds[1]);
		errno = EPROTO;
		return (-1);
	}
	*client = fds[0];
	return (n);
}
