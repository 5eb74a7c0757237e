/*
 * reserve: UIDs, kept apart from the index so that none is given twice, even
 * if the index is lost.
 */
#ifndef STORE_RESERVE_H
#define STORE_RESERVE_H

#include "store/folder.h"

/*
 * Before n messages are added; -1 with errno.  The folder is locked.  first:
 * nobody was told a UID with this UIDVALIDITY, so that it may be lost with
 * them; then nothing is synced.
 */
int	folder_reserve(struct folder *, uint32_t n, int first);
/* What was reserved; -1 if nobody knows. */
int	folder_reserved(const struct folder *, uint32_t *uidvalidity,
	    uint32_t *uidmax);

#endif
