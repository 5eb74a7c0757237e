/*
 * quota: how much a user has, in maildirsize as Maildir++ defines it, so that
 * other deliverers count along.
 */
#ifndef STORE_QUOTA_H
#define STORE_QUOTA_H

#include "store/folder.h"

/* STORE_QUOTA if so much more would be too much. */
enum store_error quota_check(struct store *, uint64_t bytes, uint64_t n);
/* What an index has: locked, between index_begin() and index_end(). */
void		 quota_change(struct store *, int64_t bytes, int64_t n);
/* Count again when somebody asks. */
void		 quota_forget(struct store *);

#endif
