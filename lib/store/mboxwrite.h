/*
 * mboxwrite: changing an mbox in place, so that a kill at any instant and a
 * power cut leave the old text or the new one.  The caller has its locks.
 */
#ifndef STORE_MBOXWRITE_H
#define STORE_MBOXWRITE_H

#include "store/mboxfile.h"

/*
 * Write new over a file that holds old, and sync it.  -1 with errno: if the
 * next one to lock it finds it stamped it may still become new, else it is old.
 */
int	 mboxwrite(int fd, const struct mbox_text *old,
	    const struct mbox_text *new);
/* Finish what somebody began; nothing if nobody did.  -1 with errno. */
int	 mboxwrite_finish(int fd);
/*
 * All of the file as it is meant, with a NUL behind, freed by the caller; NULL
 * with errno, EFBIG if it is larger than max (and not being rewritten).
 */
char	*mboxwrite_read(int fd, size_t max, size_t *len);

#endif
