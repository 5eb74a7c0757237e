/*
 * charset: text of other character sets as UTF-8.
 */
#ifndef MIME_CHARSET_H
#define MIME_CHARSET_H

#include <stddef.h>

#include "buf/buf.h"

enum mime_charset {
	CHARSET_UNKNOWN,
	CHARSET_UTF8,		/* and US-ASCII */
	CHARSET_LATIN1,
	CHARSET_UTF16,		/* big endian if it does not say */
	CHARSET_UTF16LE,
	CHARSET_TABLE		/* and what charset_table.c has */
};

enum mime_charset mime_charset(const char *name, size_t);
/* Bytes below 0x80 are ASCII in it, wherever they stand. */
int	mime_charset_is_ascii(enum mime_charset);
/*
 * Append in to out.  What is not of the set becomes U+FFFD.  -1 with ENOTSUP
 * for CHARSET_UNKNOWN, or as buf_add().
 */
int	mime_charset_to_utf8(enum mime_charset, const char *in, size_t,
	    struct buf *out);

#endif
