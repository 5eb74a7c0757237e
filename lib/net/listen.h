/*
 * listen: sockets bound to what mail.conf names.
 */
#ifndef NET_LISTEN_H
#define NET_LISTEN_H

#include <sys/types.h>
#include <stddef.h>

#define LISTEN_FDS	32	/* sockets of one listen line */

/*
 * where: "all", "loopback", an interface's name, or an address.  Fills in
 * non-blocking, close-on-exec, listening sockets; -1 with errno, none open.
 */
int	listen_bind(const char *where, unsigned int port, int *fds,
	    size_t *nfds);
/*
 * A local socket; one of before at this path is replaced, anything else is
 * not (EEXIST).  gid is that of the file, or -1.
 */
int	listen_bind_path(const char *path, gid_t gid, mode_t mode);
/* Take the path away again, if it is still a socket. */
void	listen_unlink(const char *path);
/*
 * Have the system see to it that a silent connection is known to be one; not
 * worth losing it for.
 */
void	listen_keepalive(int fd, int seconds);

#endif
