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
/*
 * The same for a uid and a gid, neither 0, without any other group.  Until the
 * next exec its user cannot trace the process, nor read its memory.
 */
void	account_drop(uid_t, gid_t);
/* Exits unless all three uids and gids are these and cannot be changed back. */
void	account_verify(uid_t, gid_t);

#endif
