/*
 * session_sync: tell a client what changed in its mailbox.
 */
#ifndef IMAPD_SESSION_SYNC_H
#define IMAPD_SESSION_SYNC_H

#include "session_client.h"

/*
 * Untagged EXPUNGE or VANISHED, FETCH, EXISTS, RECENT, as the store tells; arg
 * a client.  After the last one: session_tell_vanished().
 */
extern const struct mailbox_changes session_changes;
/* The same, and nothing is said (CLOSE). */
extern const struct mailbox_changes session_changes_silent;

void	session_tell_vanished(struct client *);
/*
 * Look at the disk and tell.  no_expunge: message numbers must not change now
 * (RFC 3501 7.4.1).
 */
void	session_sync(struct client *, int no_expunge);

#endif
