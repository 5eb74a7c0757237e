/*
 * listen: sockets bound to what mail.conf names.  Runs in the parent, for
 * ports below 1024 and so that the network processes cannot bind at all.
 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#include "net/addr.h"
#include "net/listen.h"
#include "os/compat.h"

#define LISTEN_BACKLOG	1024

static int
bind_one(const struct sockaddr *sa, socklen_t len)
{
	int	fd, one = 1, save;

	if ((fd = socket(sa->sa_family, SOCK_STREAM | SOCK_CLOEXEC |
	    SOCK_NONBLOCK, 0)) == -1)
		return (-1);
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == -1 ||
	    (sa->sa_family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6,
	    IPV6_V6ONLY, &one, sizeof(one)) == -1) ||
	    bind(fd, sa, len) == -1 || listen(fd, LISTEN_BACKLOG) == -1) {
		save = errno;
		close(fd);
		errno = save;
		return (-1);
	}
	return (fd);
}

static int
bind_text(const char *addr, unsigned int port)
{
	struct sockaddr_storage	ss;
	socklen_t		len;

	if (addr_parse(addr, port, &ss, &len) == -1) {
		errno = EADDRNOTAVAIL;
		return (-1);
	}
	return (bind_one((struct sockaddr *)&ss, len));
}

/* A machine without one of the address families is no mistake. */
static int
bind_both(const char *v4, const char *v6, unsigned int port, int *fds,
    size_t *nfds)
{
	int	fd;

	if ((fd = bind_text(v4, port)) != -1)
		fds[(*nfds)++] = fd;
	else if (errno != EAFNOSUPPORT && errno != EADDRNOTAVAIL)
		return (-1);
	if ((fd = bind_text(v6, port)) != -1)
		fds[(*nfds)++] = fd;
	else if (errno != EAFNOSUPPORT && errno != EADDRNOTAVAIL)
		return (-1);
	return (*nfds > 0 ? 0 : -1);
}

static int
bind_sockaddr(const struct sockaddr *sa, unsigned int port)
{
	struct sockaddr_in	in;
	struct sockaddr_in6	in6;

	if (sa->sa_family == AF_INET) {
		memcpy(&in, sa, sizeof(in));
		in.sin_port = htons(port);
		return (bind_one((struct sockaddr *)&in, sizeof(in)));
	}
	memcpy(&in6, sa, sizeof(in6));
	in6.sin6_port = htons(port);
	return (bind_one((struct sockaddr *)&in6, sizeof(in6)));
}

static int
bind_interface(const char *name, unsigned int port, int *fds, size_t *nfds)
{
	struct ifaddrs	*list, *i;
	int		 ret = 0;

	if (getifaddrs(&list) == -1)
		return (-1);
	for (i = list; i != NULL && *nfds < LISTEN_FDS; i = i->ifa_next) {
		if (strcmp(i->ifa_name, name) != 0 || i->ifa_addr == NULL ||
		    (i->ifa_addr->sa_family != AF_INET &&
		    i->ifa_addr->sa_family != AF_INET6))
			continue;
		fds[*nfds] = bind_sockaddr(i->ifa_addr, port);
		if (fds[*nfds] == -1) {
			ret = -1;
			break;
		}
		(*nfds)++;
	}
	freeifaddrs(list);
	if (ret == 0 && *nfds == 0) {
		errno = EADDRNOTAVAIL;
		ret = -1;
	}
	return (ret);
}

int
listen_bind(const char *where, unsigned int port, int *fds, size_t *nfds)
{
	int	ret, save;

	*nfds = 0;
	if (strcmp(where, "all") == 0)
		ret = bind_both("0.0.0.0", "::", port, fds, nfds);
	else if (strcmp(where, "loopback") == 0)
		ret = bind_both("127.0.0.1", "::1", port, fds, nfds);
	else if (if_nametoindex(where) != 0)
		ret = bind_interface(where, port, fds, nfds);
	else if ((fds[0] = bind_text(where, port)) != -1) {
		*nfds = 1;
		ret = 0;
	} else
		ret = -1;
	if (ret == -1) {
		save = errno;
		while (*nfds > 0)
			close(fds[--*nfds]);
		errno = save;
	}
	return (ret);
}

void
listen_unlink(const char *path)
{
	struct stat	st;

	if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
		(void)unlink(path);
}

/* The mode is that of the umask from the first moment on. */
int
listen_bind_path(const char *path, gid_t gid, mode_t mode)
{
	struct sockaddr_un	sun = { .sun_family = AF_UNIX };
	mode_t			old;
	int			fd, ok, save;

	if (strlcpy(sun.sun_path, path, sizeof(sun.sun_path)) >=
	    sizeof(sun.sun_path)) {
		errno = ENAMETOOLONG;
		return (-1);
	}
	if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0)) == -1)
		return (-1);
	listen_unlink(path);
	old = umask(~mode & 0777);
	ok = bind(fd, (struct sockaddr *)&sun, sizeof(sun)) == 0 &&
	    (gid == (gid_t)-1 || lchown(path, (uid_t)-1, gid) == 0) &&
	    listen(fd, LISTEN_BACKLOG) == 0;
	save = errno;
	umask(old);
	if (!ok) {
		close(fd);
		errno = save == EADDRINUSE ? EEXIST : save;
		return (-1);
	}
	return (fd);
}

void
listen_keepalive(int fd, int seconds)
{
	int	on = 1;

	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
#ifdef TCP_KEEPIDLE
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &seconds,
	    sizeof(seconds));
#endif
}
