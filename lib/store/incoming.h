/*
 * incoming: messages that were written to a folder's tmp/ and are to become
 * visible together: APPEND, COPY, MOVE.
 */
#ifndef STORE_INCOMING_H
#define STORE_INCOMING_H

#include "store/folder.h"

struct incoming {
	char		 base[INFO_BASE_MAX + 1];
	int		 fd;		/* to be synced; -1 done */
	uint64_t	 size;		/* with CRLF; INDEX_UNSIZED */
	uint64_t	 fsize;
	time_t		 internal;
	uint32_t	 flags;
	uint32_t	 keywords;
	unsigned int	 text;		/* TEXT_* */
};

/* The name in tmp/ of an incoming message. */
void		 incoming_tmp(const struct incoming *, char *);
/* Add the sizes to base once they are known. */
enum store_error incoming_sizes(struct incoming *);
/*
 * All or none of them, durable, also if we are killed at any instant.  The
 * files in tmp/ are gone afterwards, one way or the other.
 */
enum store_error incoming_commit(struct folder *, struct incoming *, size_t n,
		    uint32_t *uids, uint32_t *uidvalidity);
void		 incoming_drop(struct folder *, struct incoming *, size_t n);

#endif
