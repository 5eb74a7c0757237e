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

/* The per-user program, to be set before supervise_main(). */
void	sessions_program(const char *);

#endif
