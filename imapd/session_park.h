/*
 * session_park: connections that wait go to the parent, and the process with
 * them.
 */
#ifndef IMAPD_SESSION_PARK_H
#define IMAPD_SESSION_PARK_H

#include <stddef.h>

struct mailsession;

/* To be called once there is a connection; again does no harm. */
void	session_park_begin(const struct mailsession *);
/* As mailsession_ops.resume. */
int	session_park_resume(const struct mailsession *, int fd, unsigned int id,
	    const char *addr, const void *, size_t, unsigned int why);

#endif
