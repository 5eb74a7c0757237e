/*
 * session_conn: IMAP connections of one user.
 */
#ifndef IMAPD_SESSION_CONN_H
#define IMAPD_SESSION_CONN_H

#include <stdint.h>

struct event_base;
struct store;

/* RFC 3501 7.2.1; what is true after the login. */
#define SESSION_CAPABILITY						\
	"IMAP4rev1 LITERAL+ UIDPLUS MOVE UNSELECT IDLE NAMESPACE ID "	\
	"CHILDREN ENABLE APPENDLIMIT=67108864"
#define SESSION_APPEND_MAX	67108864u	/* bytes of a message */

struct session_settings {
	struct event_base *base;
	struct store	*store;		/* NULL: it could not be opened */
	const char	*user;
	/* A connection is over; it has been freed. */
	void		(*ended)(void);
};

/*
 * Takes fd over.  The first line that comes over it is from net, the tag of
 * the login, which is answered.  -1 (fd closed) if there is no memory.
 */
int	session_conn_new(const struct session_settings *, int fd,
	    uint64_t id, const char *addr);
/* Say BYE to each as soon as its command is done. */
void	session_conn_drain(void);

#endif
