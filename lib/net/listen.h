/*
 * listen: sockets bound to what mail.conf names.
 */
#ifndef NET_LISTEN_H
#define NET_LISTEN_H

#include <stddef.h>

#define LISTEN_FDS	32	/* sockets of one listen line */

/*
 * where: "all", "loopback", an interface's name, or an address.  Fills in
 * non-blocking, close-on-exec, listening sockets; -1 with errno, none open.
 */
int	listen_bind(const char *where, unsigned int port, int *fds,
	    size_t *nfds);

#endif
