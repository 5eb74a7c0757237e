/*
 * os_peer: who is at the other end of a local socket, as the kernel says.
 */
#include <sys/types.h>
#include <sys/socket.h>
#include <errno.h>
#include <unistd.h>

#include "os/os.h"

int
os_peer_cred(int fd, uid_t *uid, gid_t *gid, pid_t *pid)
{
#if defined(__linux__) || defined(__OpenBSD__)
#ifdef __linux__
	struct ucred cred;
#else
	struct sockpeercred cred;
#endif
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == -1)
		return (-1);
	/* Linux answers -1 for a socket that is not local or connected. */
	if (len != sizeof(cred) || cred.uid == (uid_t)-1) {
		errno = ENOTCONN;
		return (-1);
	}
	*uid = cred.uid;
	*gid = cred.gid;
	*pid = cred.pid;
	return (0);
#else
	*pid = -1;
	return (getpeereid(fd, uid, gid));
#endif
}
