/*
 * uidlist_follow: Dovecot's list of UIDs, kept so that it may come back.
 */
#ifndef STORE_UIDLIST_FOLLOW_H
#define STORE_UIDLIST_FOLLOW_H

#include "store/folder.h"
#include "store/seeds.h"

/* Add our new messages to the list, if there is one and it is ours, too. */
void	uidlist_follow(struct folder *);
/*
 * What Dovecot wrote there since, if it did; the folder is locked.  1 if
 * there is something; *uidnext is Dovecot's.
 */
int	uidlist_changed(struct folder *, struct seeds *, uint32_t *uidnext);

#endif
