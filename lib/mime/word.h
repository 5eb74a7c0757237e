/*
 * word: encoded words in header fields (RFC 2047).
 */
#ifndef MIME_WORD_H
#define MIME_WORD_H

#include <stddef.h>

#include "buf/buf.h"

/* RFC 2047 2 says 75; longer ones are common. */
#define MIME_WORD_MAX	1024

/*
 * Append a field's value to out as UTF-8: unfolded, encoded words decoded,
 * white space between two of them dropped.  A word in a character set that is
 * not known stays as it stands.  0, or -1 as buf_add().
 */
int	mime_words_decode(const char *, size_t, struct buf *out);

#endif
