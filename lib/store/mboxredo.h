/*
 * mboxredo: what an mbox holds while it is rewritten.  No descriptor; memory
 * to memory.
 */
#ifndef STORE_MBOXREDO_H
#define STORE_MBOXREDO_H

#include <stddef.h>
#include <stdint.h>

#define MBOXREDO_STAMP	5		/* bytes, over the first "From " */
#define MBOXREDO_BLOCK	512		/* bytes of a record, and its place */
#define MBOXREDO_MAX	((uint64_t)MBOXREDO_BLOCK << 24)	/* of at */

/* A rewrite; all in bytes. */
struct mboxredo {
	uint64_t	 at;		/* where the record is */
	uint64_t	 old, new;	/* the file's length before and after */
	uint64_t	 from;		/* the first that changes */
	uint64_t	 sum;		/* hash_bytes() of the new ones */
};

/*
 * What a stamped file means: front bytes from its beginning, then middle, then
 * what others have added since, from back up to stop.
 */
struct mboxredo_parts {
	struct mboxredo	 redo;		/* if middle is not NULL */
	const char	*middle;	/* within the file */
	size_t		 middlelen;
	size_t		 front, back, stop;
};

/* Where the record of such a rewrite belongs; beyond both. */
uint64_t mboxredo_place(uint64_t old, uint64_t new);
/* The end of the record and of the new bytes behind it. */
uint64_t mboxredo_end(const struct mboxredo *);
void	 mboxredo_stamp(uint64_t at, char out[MBOXREDO_STAMP]);
void	 mboxredo_block(const struct mboxredo *, char out[MBOXREDO_BLOCK]);
/* Do these bytes begin like a file that is being rewritten?  1 or 0. */
int	 mboxredo_stamped(const char *data, size_t len);
/* Of a whole file that is stamped. */
void	 mboxredo_parts(const char *data, size_t len,
	    struct mboxredo_parts *);
/* As it was meant to be, with a NUL behind; freed by the caller, or NULL. */
char	*mboxredo_text(const char *data, const struct mboxredo_parts *,
	    size_t *len);

#endif
