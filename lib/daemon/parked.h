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

struct visit;

/* End one that is parked, and tell the client; frees it. */
void	parked_kick(struct visit *);
/* The visit goes on without it: closed, if it was parked, and unwatched. */
void	parked_forget(struct visit *);

/* The handlers of these messages. */
void	parent_park(struct peer *, struct msg *);
void	parent_watch(struct peer *, struct msg *);
void	parent_unwatch(struct peer *, struct msg *);
void	parent_dir_changed(struct peer *, struct msg *);
void	parent_dir_unwatched(struct peer *, struct msg *);

#endif
