/*
 * mutf7: mailbox names between modified UTF-7 (RFC 3501 5.1.3) and UTF-8.
 */
#ifndef IMAP_MUTF7_H
#define IMAP_MUTF7_H

#include <stddef.h>

#include "buf/buf.h"

/*
 * Writes a terminated string.  -1 with EINVAL for what is not modified UTF-7,
 * printable ASCII in base64 (a hidden '/') and control characters included,
 * or ENAMETOOLONG.
 */
int	imap_mutf7_decode(const char *, size_t, char *, size_t size);
/* -1 with EINVAL if the name is not UTF-8, or as buf_add(). */
int	imap_mutf7_encode(const char *utf8, struct buf *);

#endif
