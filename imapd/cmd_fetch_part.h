/*
 * cmd_fetch_part: which bytes of a message a section is (RFC 3501 6.4.5).
 */
#ifndef IMAPD_CMD_FETCH_PART_H
#define IMAPD_CMD_FETCH_PART_H

#include "imap/fetch.h"
#include "mime/tree.h"

/* Header lines that a HEADER.FIELDS may gather. */
#define FETCH_FIELDS_MAX	(4 * 1024 * 1024)

/*
 * Sets p and len, partial applied.  They point into the tree's text, or into
 * fields, which the caller frees.  1, 0 if there is no such part (NIL), -1
 * without memory.  Only text and len of the tree are used where the section
 * names no part.
 */
int	fetch_part(const struct mime_tree *, const struct imap_section *,
	    struct buf *fields, const char **p, size_t *len);

#endif
