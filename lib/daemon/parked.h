/*
 * parked: connections without a process, in imapd's parent.
 *
 * A session hands over a connection that waits for nothing but a byte or a
 * change of the mailbox: its end of the socket to net, and a state.  Both go
 * to a session of the same owner again; who that is was settled at the login
 * and is not in the state.
 */
#ifndef DAEMON_PARKED_H
#define DAEMON_PARKED_H

#include "imsg/peer.h"

/* What its connections had; for parent_ops.peruser_gone. */
void	parked_session_gone(struct peer *);

/* The handlers of these messages. */
void	parent_park(struct peer *, struct msg *);
void	parent_watch(struct peer *, struct msg *);
void	parent_unwatch(struct peer *, struct msg *);
void	parent_dir_changed(struct peer *, struct msg *);

#endif
