/*
 * quota: how much a user has, in maildirsize as Maildir++ defines it, so that
 * other deliverers count along.
 */
#ifndef STORE_QUOTA_H
#define STORE_QUOTA_H

#include "store/folder.h"

/*
 * STORE_QUOTA if so much more would be too much, as far as can be told before
 * anybody is kept waiting.
 */
enum store_error quota_check(struct store *, uint64_t bytes, uint64_t n);
/*
 * What an index is going to have or has no more: locked, between index_begin()
 * and index_end().  To take is to check and to change in one.
 */
enum store_error quota_take(struct store *, uint64_t bytes, uint64_t n);
void		 quota_change(struct store *, int64_t bytes, int64_t n);
/*
 * Nobody counts or changes while the descriptor is open; -1 if there are no
 * limits, or it cannot be had.  No folder is locked behind it.
 */
int		 quota_lock(struct store *);
void		 quota_change_locked(struct store *, int lock, int64_t bytes,
		    int64_t n);
/* Count again when somebody asks. */
void		 quota_forget(struct store *);

#endif
