/*
 * flush: making a folder's changes durable.
 */
#ifndef STORE_FLUSH_H
#define STORE_FLUSH_H

#include "store/folder.h"

/* To be done by the next flush. */
void		 folder_dirty(struct folder *, int what);
/* The descriptor, which is taken over, is of a file to be synced. */
void		 folder_dirty_file(struct folder *, int fd);
enum store_error folder_flush(struct folder *);

#endif
