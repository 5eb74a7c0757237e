/*
 * subscribe: the names in the file "subscriptions", as Dovecot keeps them.
 */
#ifndef STORE_SUBSCRIBE_H
#define STORE_SUBSCRIBE_H

#include "store/folder.h"

#define SUBSCRIPTIONS	"subscriptions"
#define SUBSCRIBE_V2	"V\t2\n\n"

/* Each subscribed name, until the callback returns other than 0. */
enum store_error subscribe_each(int rootfd, int (*)(void *, const char *),
		    void *);
/* A name as the file has it, in the second form or the first. */
int		 subscribe_line(const char *name, int v2, char *line,
		    size_t len);

#endif
