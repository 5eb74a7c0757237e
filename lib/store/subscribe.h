/*
 * subscribe: the names in the file "subscriptions", as Dovecot keeps them.
 */
#ifndef STORE_SUBSCRIBE_H
#define STORE_SUBSCRIBE_H

#include "store/folder.h"

/* Each subscribed name, until the callback returns other than 0. */
enum store_error subscribe_each(struct store *,
		    int (*)(void *, const char *), void *);

#endif
