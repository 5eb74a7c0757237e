/*
 * incoming: messages that were written to a folder's tmp/ and are to become
 * visible together: APPEND, COPY, MOVE.
 */
#ifndef STORE_INCOMING_H
#define STORE_INCOMING_H

#include "store/folder.h"

struct incoming {
	char		 base[INFO_BASE_MAX + 1];
	int		 fd;		/* to be synced; -1: an old file */
	uint64_t	 size;		/* with CRLF; INDEX_UNSIZED */
	uint64_t	 fsize;
	time_t		 internal;
	uint32_t	 flags;
	uint32_t	 keywords;
	unsigned int	 text;		/* TEXT_* */
	uint64_t	 emailid;	/* of what it is a copy of, or 0 */
	struct buf	 entry;		/* for the cache, if it has any */
};

/* The name in tmp/ of an incoming message. */
void		 incoming_tmp(const struct incoming *, char *);
/* Add the sizes to base once they are known. */
enum store_error incoming_sizes(struct incoming *);
/* Make the cache's entry while the message is at hand. */
void		 incoming_entry(struct incoming *);
/*
 * All or none of them, also if we are killed at any instant; durable after
 * store_flush().  The files in tmp/ are gone afterwards, one way or the other,
 * and the descriptors are the folder's or closed.
 */
enum store_error incoming_commit(struct folder *, struct incoming *, size_t n,
		    uint32_t *uids, uint32_t *uidvalidity);
void		 incoming_drop(struct folder *, struct incoming *, size_t n);

#endif
