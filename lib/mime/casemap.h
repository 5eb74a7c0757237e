/*
 * casemap: text as i;unicode-casemap compares it (RFC 5051): in title case and
 * decomposed.
 */
#ifndef MIME_CASEMAP_H
#define MIME_CASEMAP_H

#include <stddef.h>

#include "buf/buf.h"

#define MIME_CASEMAP_GROWS	12	/* times as long at most */

/* Append it; what is no UTF-8 stays as it is.  -1 as buf_add(). */
int	mime_casemap(const char *, size_t, struct buf *out);
/* Is the text in normalisation form C, as Net-Unicode wants it (RFC 5198)? */
int	mime_is_normal(const char *);
/* How many bytes from the start are ASCII. */
size_t	mime_ascii_length(const char *, size_t);

#endif
