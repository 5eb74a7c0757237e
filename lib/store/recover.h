/*
 * recover: making an index: for a folder that never had one, from Dovecot's
 * uidlist, from what is whole of a damaged one, or smaller than it was.
 */
#ifndef STORE_RECOVER_H
#define STORE_RECOVER_H

#include "store/folder.h"

/* More UIDs than were given since the last one that a file's name tells of. */
#define UIDS_LOST	(1U << 20)

/* All with the folder locked. */
enum store_error recover_rebuild(struct folder *, int damaged);
/* Of an index of the version before, whole; else STORE_CORRUPT. */
enum store_error recover_old(struct folder *);
/* An index for a folder without a message, whose UIDs begin anew. */
enum store_error recover_empty(struct folder *, uint32_t uidvalidity);
/* Messages of a batch that a killed writer had decided on. */
enum store_error recover_pending(struct folder *);
/* Drop the records of expunged messages, if that is worth it. */
enum store_error recover_compact(struct folder *);
/* How many files are in new/ and cur/, counted up to max. */
int		 recover_count(const struct folder *, int max);
/*
 * Does this errno say that a file is there and could not be read now?  Then
 * what is in it is not lost.
 */
int		 recover_unknown(int error);

#endif
