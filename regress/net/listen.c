/*
 * listen: what the word behind "on" binds.
 */
#include "os/compat.h"
#include <sys/socket.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <unistd.h>

#include "net/addr.h"
#include "net/listen.h"
#include "../test.h"

static int	fds[LISTEN_FDS];
static size_t	n;

static void
done(void)
{
	while (n > 0)
		close(fds[--n]);
}

static int
listens(int fd)
{
	int		on = 0;
	socklen_t	len = sizeof(on);

	return (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &len) == 0 &&
	    on && (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0 &&
	    (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
}

static int
bound_to(int fd, const char *want)
{
	struct sockaddr_storage	ss;
	socklen_t		len = sizeof(ss);
	char			text[ADDR_TEXT];

	if (getsockname(fd, (struct sockaddr *)&ss, &len) == -1)
		return (0);
	addr_text((struct sockaddr *)&ss, len, text, sizeof(text));
	return (strcmp(text, want) == 0);
}

static unsigned int
port_of(int fd)
{
	struct sockaddr_storage	ss;
	socklen_t		len = sizeof(ss);

	if (getsockname(fd, (struct sockaddr *)&ss, &len) == -1)
		return (0);
	return (addr_port((struct sockaddr *)&ss));
}

static void
test_words(void)
{
	size_t	i;
	int	all;

	TEST("loopback", listen_bind("loopback", 0, fds, &n) == 0 && n >= 1);
	for (i = 0, all = 1; i < n; i++)
		all &= listens(fds[i]) && (bound_to(fds[i], "127.0.0.1") ||
		    bound_to(fds[i], "::1"));
	TEST("and nothing else", all && n <= 2);
	done();
	TEST("all", listen_bind("all", 0, fds, &n) == 0 && n >= 1);
	for (i = 0, all = 1; i < n; i++)
		all &= listens(fds[i]) && (bound_to(fds[i], "0.0.0.0") ||
		    bound_to(fds[i], "::"));
	TEST("of both families", all && n <= 2);
	done();
	TEST("an address", listen_bind("127.0.0.1", 0, fds, &n) == 0 &&
	    n == 1 && listens(fds[0]) && bound_to(fds[0], "127.0.0.1"));
	done();
	if (if_nametoindex("lo") == 0)
		return;
	TEST("an interface", listen_bind("lo", 0, fds, &n) == 0 && n >= 1 &&
	    listens(fds[0]));
	done();
}

static void
test_failures(void)
{
	int		taken;
	unsigned int	port;

	errno = 0;
	TEST("no such interface", listen_bind("nowhere0", 0, fds, &n) == -1 &&
	    n == 0 && errno == EADDRNOTAVAIL);
	TEST("empty", listen_bind("", 0, fds, &n) == -1 && n == 0);
	TEST("not ours", listen_bind("203.0.113.9", 0, fds, &n) == -1 &&
	    n == 0);
	TEST("a name", listen_bind("localhost", 0, fds, &n) == -1);
	if (listen_bind("127.0.0.1", 0, fds, &n) == -1)
		return;
	taken = fds[0];
	port = port_of(taken);
	errno = 0;
	TEST("taken", listen_bind("127.0.0.1", port, fds, &n) == -1 &&
	    n == 0 && errno == EADDRINUSE);
	errno = 0;
	TEST("one of two taken", listen_bind("loopback", port, fds, &n) ==
	    -1 && n == 0 && errno == EADDRINUSE);
	close(taken);
	TEST("free again", listen_bind("127.0.0.1", port, fds, &n) == 0);
	done();
}

int
main(void)
{
	test_words();
	test_failures();
	TEST_DONE();
}
