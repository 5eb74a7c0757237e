/*
 * intent: messages that are expunged together, or not at all.
 */
#ifndef STORE_INTENT_H
#define STORE_INTENT_H

#include "store/store.h"

/* What was begun by mailbox_expunge_together(); the lock is ours. */
enum store_error intent_finish(struct mailbox *);

#endif
