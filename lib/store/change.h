/*
 * change: one look at the directories for many changes of a folder's index.
 */
#ifndef STORE_CHANGE_H
#define STORE_CHANGE_H

#include "store/files.h"
#include "store/view.h"

struct batch {
	struct files_mark mark;
	int		 open;
};

/* Locked; both do nothing if that is so already. */
void	 batch_begin(struct folder *, struct batch *);
void	 batch_end(struct folder *, struct batch *);

/*
 * Within a batch: these messages, by sequence number, have gone to another
 * folder with their files.
 */
void	 change_moved(struct mailbox *, const uint32_t *seqs, size_t n);

/*
 * These are removed, but not from the view: it is not told what else has
 * happened, so that sequence numbers stay what they are.
 */
enum store_error change_expunge(struct mailbox *, const uint32_t *, size_t);

#endif
