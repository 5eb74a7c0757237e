/*
 * account: from root to the account of a role, for good.
 */
#ifndef PRIVSEP_ACCOUNT_H
#define PRIVSEP_ACCOUNT_H

#include <sys/types.h>

/*
 * Chroot to root (NULL: not), then groups, gid and uid of the account; looks
 * that it worked and exits if not.
 */
void	account_become(const char *user, const char *root);
/* Exits unless all three uids and gids are these and cannot be changed back. */
void	account_verify(uid_t, gid_t);

#endif
