/*
 * cmd_expunge: what EXPUNGE and CLOSE share.
 */
#ifndef IMAPD_CMD_EXPUNGE_H
#define IMAPD_CMD_EXPUNGE_H

#include "session_client.h"

/* Messages that are \Deleted, of the UIDs if there are any. */
enum store_error expunge_deleted(struct client *, const struct imap_seqset *,
		    const struct mailbox_changes *);

#endif
