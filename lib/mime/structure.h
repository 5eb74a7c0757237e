/*
 * structure: a message as IMAP describes it: ENVELOPE, BODY, BODYSTRUCTURE
 * (RFC 3501 7.4.2).
 */
#ifndef MIME_STRUCTURE_H
#define MIME_STRUCTURE_H

#include "buf/buf.h"
#include "mime/tree.h"

/* All return 0, or -1 as buf_add(). */

/* Of the header that begins at text. */
int	mime_write_envelope(struct buf *, const char *, size_t);
/* extended: BODYSTRUCTURE, else BODY. */
int	mime_write_structure(struct buf *, const struct mime_tree *,
	    int extended);

#endif
