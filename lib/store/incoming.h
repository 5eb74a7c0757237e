/*
 * incoming: messages that were written to a folder's tmp/, or are files of
 * another folder, and are to become visible together: APPEND, COPY, MOVE.
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
	uint32_t	 slot;		/* in the source's index */
	struct buf	 entry;		/* for the cache, if it has any */
};

/* Where messages come from that are not in tmp/. */
struct source {
	struct folder	*f;		/* to move from it, its owner has it
					   locked, between index_begin() and
					   index_end() */
	unsigned int	 epoch;		/* of the slots */
	int		 move;		/* not copy */
	int		 sync_all;	/* too many to be synced one by one */
};

/* The name in tmp/ of an incoming message. */
void		 incoming_tmp(const struct incoming *, char *);
/* Add the sizes to base once they are known. */
enum store_error incoming_sizes(struct incoming *);
/* Make the cache's entry while the message is at hand. */
void		 incoming_entry(struct incoming *);
/*
 * All or none of them, also if we are killed at any instant; moved, each is
 * here or there.  Durable after store_flush().  Without a source the files are
 * in tmp/, and are gone from there afterwards, one way or the other; with one
 * they are where they were if it fails.  The descriptors are the folder's or
 * closed.
 */
enum store_error incoming_commit(struct folder *, struct incoming *, size_t n,
		    const struct source *, uint32_t *uids,
		    uint32_t *uidvalidity);
void		 incoming_drop(struct folder *, struct incoming *, size_t n);

#endif
