/*
 * pass: one descriptor with the text, none, and more than anybody asked for.
 */
#include <sys/socket.h>
#include <sys/uio.h>

#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/pass.h"
#include "../test.h"

#define MANY	8

static int	sv[2];

static int
open_fds(void)
{
	DIR	*d = opendir("/dev/fd");
	int	 n = 0;

	if (d == NULL)
		return (-1);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return (n);
}

/* What a net that was taken over may do. */
static void
send_many(int n)
{
	struct iovec	 iov = { (void *)(uintptr_t)"x\r\n", 3 };
	struct msghdr	 mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr	*cm;
	int		 i;
	union {
		struct cmsghdr	h;
		char		b[CMSG_SPACE(MANY * sizeof(int))];
	} ctl;

	memset(&ctl, 0, sizeof(ctl));
	mh.msg_control = ctl.b;
	mh.msg_controllen = CMSG_SPACE((size_t)n * sizeof(int));
	cm = CMSG_FIRSTHDR(&mh);
	cm->cmsg_len = CMSG_LEN((size_t)n * sizeof(int));
	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = SCM_RIGHTS;
	for (i = 0; i < n; i++)
		memcpy(CMSG_DATA(cm) + (size_t)i * sizeof(int), &sv[0],
		    sizeof(int));
	if (sendmsg(sv[0], &mh, 0) != 3)
		exit(2);
}

static void
test_many(void)
{
	static const int counts[] = { 2, 3, MANY };
	char	buf[16];
	size_t	i;
	int	fd, before = open_fds();

	for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		send_many(counts[i]);
		errno = 0;
		TEST("too many", pass_take(sv[1], buf, sizeof(buf), &fd) ==
		    -1 && errno == EPROTO && fd == -1);
		TEST("none is kept", open_fds() == before);
	}
}

static void
test_one(void)
{
	char	buf[16], c;
	int	p[2], fd;

	if (pipe(p) == -1)
		exit(2);
	TEST("sent", pass_client(sv[0], p[1], "line\r\n", 6) == 0);
	TEST("with its text", pass_take(sv[1], buf, sizeof(buf), &fd) == 6 &&
	    memcmp(buf, "line\r\n", 6) == 0 && fd != -1);
	TEST("the same file", write(fd, "y", 1) == 1 &&
	    read(p[0], &c, 1) == 1 && c == 'y');
	close(fd);
	close(p[0]);
	close(p[1]);
	TEST("no text yet", pass_take(sv[1], buf, sizeof(buf), &fd) == -1 &&
	    errno == EAGAIN && fd == -1);
	TEST("text alone", send(sv[0], "z", 1, 0) == 1 &&
	    pass_take(sv[1], buf, sizeof(buf), &fd) == 1 && fd == -1);
}

static void
test_gone(void)
{
	char	buf[16];
	int	fd;

	close(sv[0]);
	TEST("the end", pass_take(sv[1], buf, sizeof(buf), &fd) == 0 &&
	    fd == -1);
	TEST("nobody there", pass_client(sv[1], sv[1], "x", 1) == -1 &&
	    errno == EPIPE);
}

int
main(void)
{
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sv) == -1)
		return (2);
	test_one();
	test_many();
	test_gone();
	TEST_DONE();
}
