/*
 * session: what imapd and pop3d do with a granted login: the parent is asked
 * to open the mailbox.  Linking session.o defines auth_granted.
 */
#ifndef AUTH_SESSION_H
#define AUTH_SESSION_H

#include "auth/auth.h"

void	auth_granted_session(const struct auth_grant *);

#endif
