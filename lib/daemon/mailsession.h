/*
 * mailsession: what the per-user programs of imapd and pop3d have in common:
 * the mailbox and the connections come from the parent, and the process ends
 * when nobody has come back for a while.
 */
#ifndef DAEMON_MAILSESSION_H
#define DAEMON_MAILSESSION_H

#include "privsep/role.h"

#define KICK_SECONDS	8

struct event_base;
struct store;

/* What every connection of the user shares. */
struct mailsession {
	struct event_base *base;
	struct store	*store;		/* NULL: it could not be opened */
	const char	*user;
	const struct msg_MAILBOX *mailbox;
	uint64_t	 number;	/* of the connection that starts */
	/* The connection with this number is over; it has been freed. */
	void		(*ended)(uint64_t number);
	const struct mailsession_parking *parking; /* NULL: not to be had */
};

/* What the parent does for connections of imapd. */
struct mailsession_parking {
	/*
	 * Keep a connection and its state until the client says something, a
	 * directory changes that is watched for it, or seconds are over.  fd
	 * is taken over; the connection has ended here and was freed.
	 */
	void		(*park)(uint64_t number, int fd, unsigned int seconds,
			    const void *, size_t);
	/* Tell changed() of changes in a directory; fd is taken over. */
	void		(*watch)(uint64_t number, int fd);
	void		(*unwatch)(uint64_t number);
};

struct mailsession_ops {
	unsigned int	 linger;	/* seconds without a connection */
	/* Takes fd over; -1 (fd closed) if there is no memory. */
	int		(*start)(const struct mailsession *, int fd,
			    unsigned int id, const char *addr);
	/*
	 * The same for one that was parked: with what mailsession_park() was
	 * given, and PARK_* why it comes back.
	 */
	int		(*resume)(const struct mailsession *, int fd,
			    unsigned int id, const char *addr, const void *,
			    size_t, unsigned int why);
	/* A directory that watch() was given has changed. */
	void		(*changed)(uint64_t number);
	/* That will not be told of this connection: look, and do not park. */
	void		(*unwatched)(uint64_t number);
	/*
	 * The administrator wants it to end: tell the client as soon as the
	 * protocol allows it, and end it within KICK_SECONDS.
	 */
	void		(*kick)(uint64_t number);
	/* Connections are to end soon.  May be NULL. */
	void		(*drain)(void);
	/* They had their time.  May be NULL. */
	void		(*stop)(void);
};

/* For the line of the role table; the second one can park connections. */
extern const struct role_code mailsession_code;
extern const struct role_code mailsession_park_code;

/* What main() does: never returns. */
__attribute__((__noreturn__))
void	mailsession_run(const struct mailsession_ops *,
	    const struct daemon_def *, const struct role_def *, int argc,
	    char **argv);

#endif
