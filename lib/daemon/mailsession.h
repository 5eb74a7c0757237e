/*
 * mailsession: what the per-user programs of imapd and pop3d have in common:
 * the mailbox and the connections come from the parent, and the process ends
 * when nobody has come back for a while.
 */
#ifndef DAEMON_MAILSESSION_H
#define DAEMON_MAILSESSION_H

#include "privsep/role.h"

struct event_base;
struct store;

/* What every connection of the user shares. */
struct mailsession {
	struct event_base *base;
	struct store	*store;		/* NULL: it could not be opened */
	const char	*user;
	const struct msg_MAILBOX *mailbox;
	/* A connection is over; it has been freed. */
	void		(*ended)(void);
};

struct mailsession_ops {
	unsigned int	 linger;	/* seconds without a connection */
	unsigned int	 conns_max;	/* at a time */
	/* Takes fd over; -1 (fd closed) if there is no memory. */
	int		(*start)(const struct mailsession *, int fd,
			    unsigned int id, const char *addr);
	/* Connections are to end soon.  May be NULL. */
	void		(*drain)(void);
	/* They had their time.  May be NULL. */
	void		(*stop)(void);
};

/* For the line of the role table. */
extern const struct role_code mailsession_code;

/* What main() does: never returns. */
__attribute__((__noreturn__))
void	mailsession_run(const struct mailsession_ops *,
	    const struct daemon_def *, const struct role_def *, int argc,
	    char **argv);

#endif
