/*
 * cmd_fetch_part: the bytes of a message that a section names.
 */
#ifndef IMAPD_CMD_FETCH_PART_H
#define IMAPD_CMD_FETCH_PART_H

#include "cmd_fetch_run.h"

#define FETCH_FIELDS_MAX	(1024 * 1024)	/* of HEADER.FIELDS */

enum fetch_part {
	PART_BYTES,		/* run->p and run->left */
	PART_SIZE,		/* run->left is the number to tell */
	PART_NIL,		/* there is no such part */
	PART_ERROR
};

/* 1 if the cache has all that the section can be. */
int		 fetch_part_cached(const struct imap_section *);
/*
 * Of the message run->seq.  The bytes are of its text or in run->fields, which
 * is the caller's to free.
 */
enum fetch_part	 fetch_part(struct client *, struct fetch_run *,
		    const struct imap_section *, enum store_error *);

#endif
