/*
 * who: "mailctl who" and "mailctl kick", in the parents of imapd and pop3d.
 */
#ifndef DAEMON_WHO_H
#define DAEMON_WHO_H

#include "daemon/who_filter.h"
#include "privsep/contract.h"

struct msg;
struct peer;
struct visit;

#define WHO_ID_SIZE	24

/* For parent_ops. */
int	who_asked(struct peer *, const struct msg_CTL_ASK *);
void	who_asker_gone(struct peer *);

/* The handlers of these messages. */
void	parent_conn_idle(struct peer *, struct msg *);
void	parent_conns_told(struct peer *, struct msg *);

/* Does the filter match?  Writes how mailctl calls it. */
int	who_matches(const struct who_filter *, const struct visit *,
	    char id[WHO_ID_SIZE]);
/* "imap" or "pop3". */
void	who_service(char *, size_t);
/* kick.c: end what matches, and tell. */
void	kick(struct peer *asker, const struct who_filter *, int json);

#endif
