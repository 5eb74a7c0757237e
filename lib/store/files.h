/*
 * files: a folder's messages as files: where each is, and moving it.
 */
#ifndef STORE_FILES_H
#define STORE_FILES_H

#include <stddef.h>
#include <stdint.h>

#include "store/folder.h"

/* For a file of ours that is only being written. */
void		 files_unique(struct folder *, char *name, size_t len);
/* How much of a base name a file of ours has while it is in tmp/. */
size_t		 files_tmplen(const char *, size_t);
/* The directory descriptor and file name where a message should be. */
int		 files_path(struct folder *, uint32_t slot,
		    const struct index_mut *, int *dirfd, char *name);
/* The live slot of a base name; -1 if there is none. */
int		 files_find(struct folder *, const char *, size_t,
		    uint32_t *slot);
const char	*files_extra(const struct folder *, uint32_t slot);
int		 files_extra_set(struct folder *, uint32_t slot,
		    const char *);
void		 files_forget(struct folder *);	/* names and odd */

/*
 * Around our own renames: what the directories' times were, and are, so that
 * our changes are not taken for somebody else's.
 */
struct files_mark {
	int	new_same, cur_same;
};
int		 files_times(const struct folder *, struct index_time *new,
		    struct index_time *cur);
void		 files_mark(struct folder *, struct files_mark *);
void		 files_unmark(struct folder *, const struct files_mark *);
/*
 * Move a message's file to the name that m says, and record m (its modseq is
 * given).  STORE_NOENT if the file is gone.  Locked, within index_begin().
 */
enum store_error files_rename(struct folder *, uint32_t slot,
		    const struct index_mut *m);

#endif
