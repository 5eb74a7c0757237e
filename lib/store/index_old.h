/*
 * index_old: an index of the version before ours.
 */
#ifndef STORE_INDEX_OLD_H
#define STORE_INDEX_OLD_H

#include "store/index.h"

/*
 * Make the index fresh, which stays open, of what the old one in file has.
 * -1 with errno; EBADMSG: it is not whole, or no such thing.
 */
int	index_from_old(struct index *, int dirfd, const char *file,
	    const char *fresh);

#endif
