/*
 * reserve: UIDs, kept apart from the index so that none is given twice, even
 * if the index is lost.
 */
#ifndef STORE_RESERVE_H
#define STORE_RESERVE_H

#include "store/folder.h"

/* Before n messages are added; -1 with errno.  The folder is locked. */
int	folder_reserve(struct folder *, uint32_t n);
/* What was reserved; -1 if nobody knows. */
int	folder_reserved(const struct folder *, uint32_t *uidvalidity,
	    uint32_t *uidmax);

#endif
