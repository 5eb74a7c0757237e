/*
 * charset: text of other character sets as UTF-8.
 *
 * What is not of a set becomes U+FFFD, and never more than the bytes that
 * cannot be ASCII goes with it: a '"', '>' or line end behind half a character
 * is read as what it is.  No byte makes more than MIME_CHARSET_GROWS.
 */
#ifndef MIME_CHARSET_H
#define MIME_CHARSET_H

#include <stddef.h>
#include <stdint.h>

#include "buf/buf.h"

#define MIME_CHARSET_GROWS	3	/* bytes of UTF-8 a byte, at most */
#define MIME_CHARSET_NAME_SIZE	33	/* no name is longer */
#define MIME_CHARSET_KEPT	4	/* bytes of a character that goes on */

enum mime_charset {
	CHARSET_UNKNOWN,
	CHARSET_UTF8,		/* and US-ASCII */
	CHARSET_LATIN1,
	CHARSET_UTF7,
	CHARSET_UTF16,		/* big endian if it does not say */
	CHARSET_UTF16LE,
	CHARSET_SHIFT_JIS,	/* Windows-31J */
	CHARSET_EUC_JP,
	CHARSET_ISO_2022_JP,	/* and -1, -2, -MS */
	CHARSET_GB18030,	/* GBK and GB 2312 are parts of it */
	CHARSET_BIG5,		/* with HKSCS */
	CHARSET_EUC_KR,		/* Windows-949 */
	CHARSET_ISO_2022_KR,
	CHARSET_TABLE		/* and what charset_table.c has */
};

/* A text that comes in pieces.  Nothing to free. */
struct mime_decoder {
	enum mime_charset set;
	unsigned char	 kept[MIME_CHARSET_KEPT];
	size_t		 nkept;
	/* Which of its sets a text of ISO 2022 is in; is UTF-7 in base64? */
	unsigned char	 mode, g2;
	int		 begun;		/* UTF-16: behind its mark */
	uint32_t	 bits, high;	/* UTF-7: of a unit, of a pair */
	unsigned int	 nbits;
};

enum mime_charset mime_charset(const char *name, size_t);
/* The name that a set is best known by, of those from 0; 0 behind them. */
int	mime_charset_name(size_t, char out[MIME_CHARSET_NAME_SIZE]);

void	mime_decoder_init(struct mime_decoder *, enum mime_charset);
/* Would ASCII that comes now stand for itself? */
int	mime_decoder_is_ascii(const struct mime_decoder *);
/*
 * Append in to out; with last, what was kept of a character too.  At most
 * MIME_CHARSET_GROWS times in and what was kept.  -1 with ENOTSUP for
 * CHARSET_UNKNOWN, or as buf_add().
 */
int	mime_decoder_feed(struct mime_decoder *, const char *in, size_t,
	    int last, struct buf *out);
/* The whole at once. */
int	mime_charset_to_utf8(enum mime_charset, const char *in, size_t,
	    struct buf *out);

#endif
