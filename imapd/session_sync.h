/*
 * session_sync: tell a client what changed in its mailbox.
 */
#ifndef IMAPD_SESSION_SYNC_H
#define IMAPD_SESSION_SYNC_H

#include "session_client.h"

/*
 * Untagged EXPUNGE or VANISHED, FETCH, EXISTS, RECENT, as the store tells; arg
 * a client.  After the last one: session_tell_vanished().  What there is no
 * room for is told before the command is answered.
 */
extern const struct mailbox_changes session_changes;
/* All of it is told then. */
extern const struct mailbox_changes session_changes_later;
/* The same, and nothing is said (CLOSE). */
extern const struct mailbox_changes session_changes_silent;

void	session_tell_vanished(struct client *);
/*
 * Look at the disk and tell; 1 if there is more to tell when the client has
 * read that.  no_expunge: message numbers must not change now (RFC 3501
 * 7.4.1).
 */
int	session_sync(struct client *, int no_expunge);
/*
 * A command came that wants mod-sequences: the client is told of them from now
 * on, and at the first one what they are up to in its mailbox.
 */
void	session_condstore(struct client *);
/*
 * The OK of a command that expunged: with QRESYNC it says up to which
 * mod-sequence (RFC 6851 4.4, 7162 3.2.7, 8508 4.5).
 */
enum cmd_result	session_expunged(struct client *, const char *command);

#endif
