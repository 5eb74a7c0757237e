/*
 * view: the messages that one struct mailbox has been told of, by sequence
 * number.  It follows the index only when its owner asks.
 */
#ifndef STORE_VIEW_H
#define STORE_VIEW_H

#include "buf/buf.h"
#include "store/folder.h"
#include "store/mboxview.h"

/* What view_collect() found, to be told without a lock, from at on. */
struct view_delta {
	struct view_gone {
		uint32_t seq, uid;
	}		*gone;			/* highest first */
	uint32_t	 ngone, atgone;
	uint32_t	*changed;		/* UIDs */
	uint32_t	 nchanged, capchanged, atchanged;
	int		 sorted;
	uint32_t	 added;
};

struct view_entry {
	uint32_t	 uid;
	uint32_t	 slot;		/* UINT32_MAX: not in the index */
	unsigned char	 recent;
	unsigned char	 gone;		/* expunged, and not yet told */
};

struct mailbox {
	LIST_ENTRY(mailbox)	 views;		/* of the folder */
	struct store		*store;
	struct folder		*f;		/* or else: */
	struct mboxview		*mbox;
	unsigned int		 flags;		/* MAILBOX_* */
	int			 exclusive;	/* the lock's descriptor, -1 */
	uint32_t		 dense;		/* the first: as they are in */
	struct view_entry	*list;		/* the index; the others */
	uint32_t		 n, cap;	/* all; of list */
	uint32_t		 ngone, nrecent;
	uint32_t		 slots;		/* of the index, seen */
	uint64_t		 modseq;	/* of the index, seen */
	uint64_t		 told;		/* with each expunge */
	struct view_delta	 delta;		/* not told yet */
	uint32_t		 uidvalidity, uidnext;
	unsigned char		 id[16];	/* of the index, seen */
	unsigned int		 epoch;		/* the folder's */
	int			 unknown;	/* UIDs are 0 that were not */
	int			 lost;		/* whose numbers they are */
	struct view_facts {
		uint32_t	 next;		/* sequence number */
		uint32_t	 run;		/* so many the last time */
		int		 busy;		/* others had the lock then */
	}			 facts;
	struct store_message	 msg;		/* mailbox_facts()'s */
	struct buf		 cached;	/* mailbox_cached()'s, */
	uint32_t		 cached_uid;	/* and whose it is; or 0 */
};

/* After the index was replaced: find the slots again. */
enum store_error view_fresh(struct mailbox *);
/* The entry; -1 if there is none. */
int		 view_at(const struct mailbox *, uint32_t seq,
		    struct view_entry *);
/*
 * The entry and its record, after view_fresh(); a damaged index is rebuilt
 * first.  STORE_NOENT: it is not in the index any more.  fix may be NULL.
 */
enum store_error view_record(struct mailbox *, uint32_t seq,
		    struct view_entry *, struct index_fix *fix,
		    struct index_mut *);
/* The view has what the index has, no more and no less. */
int		 view_is_index(const struct mailbox *);
/* Another index is going to be used: remember all UIDs. */
void		 view_settle_all(struct folder *);
/*
 * Take in what the index has; expunged ones stay if no_expunge is set.  The
 * delta is all zero, or what a call that failed left.  STORE_CORRUPT: rebuild.
 */
enum store_error view_collect(struct mailbox *, int no_expunge);
/* As much as there is room for; all of it if nobody listens. */
void		 view_tell(struct mailbox *, const struct mailbox_changes *,
		    void *);
/* This session has been told of them; locked. */
enum store_error view_claim(struct mailbox *);

/*
 * A descriptor on a message's file, wherever it has gone; that it is one is
 * for the reader to see (file_open_unseen()).
 */
enum store_error message_open(struct mailbox *, uint32_t seq, int *fd);
/* The whole of a file with CRLF line ends. */
enum store_error message_read(int fd, struct message_text *);
/* What a message's text says of it, if the index does not have it. */
void		 message_sized(struct mailbox *, uint32_t seq, uint64_t size,
		    unsigned int text);

#endif
