/*
 * sessions: the parent's part of a login in imapd and pop3d: from the verdict
 * of auth to the user's own process.
 *
 * Runs as root.  Reads messages of fixed size from auth, which is believed
 * about who somebody is but not about whose mail may be opened as whom.
 */
#ifndef DAEMON_SESSIONS_H
#define DAEMON_SESSIONS_H

#include "daemon/supervise.h"

/* For parent_ops: prepare, peruser_gone, and the handlers of these names. */
int	sessions_prepare(const struct conf *);
void	sessions_gone(struct peer *, void *);
void	parent_session_open(struct peer *, struct msg *);
void	parent_session_idle(struct peer *, struct msg *);
void	parent_conn_ended(struct peer *, struct msg *);

struct session_owner;

const struct session_owner *sessions_owner(struct peer *);
/*
 * The session of this owner, started if there is none, and a number for net's
 * connection with which it is not ended before it has heard of it.  NULL if
 * there can be none now.
 */
struct peer	*sessions_reach(const struct session_owner *,
		    unsigned int conn, uint64_t *number);

/*
 * End this one soon, with all that it has: the next login of the user gets
 * another.
 */
void	sessions_end(struct peer *);

/* Of a name, for tables of users. */
uint32_t sessions_hash(const char *);

/* The per-user program, to be set before supervise_main(). */
void	sessions_program(const char *);

#endif
