/*
 * reserve: UIDs, kept apart from the index so that none is given twice, even
 * if the index is lost.
 */
#ifndef STORE_RESERVE_H
#define STORE_RESERVE_H

#include "store/folder.h"

#define RESERVE_SYNC	0
#define RESERVE_FIRST	1	/* nobody was told a UID with this UIDVALIDITY,
				   so that it may be lost: nothing is synced */
#define RESERVE_LATER	2	/* the caller syncs the index before a file
				   gets a name with one of these UIDs */

/* Before n messages are added; -1 with errno.  The folder is locked. */
int	folder_reserve(struct folder *, uint32_t n, int how);
/* The file that says it may have been lost: then it is written again. */
void	folder_reserve_again(struct folder *);
/* What was reserved; -1 if nobody knows. */
int	folder_reserved(const struct folder *, uint32_t *uidvalidity,
	    uint32_t *uidmax);

#endif
