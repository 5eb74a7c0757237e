/*
 * charset_step: one step through a text of several bytes a character; for
 * charset.c.
 */
#ifndef MIME_CHARSET_STEP_H
#define MIME_CHARSET_STEP_H

#include <stddef.h>
#include <stdint.h>

#include "buf/utf8.h"
#include "mime/charset.h"

struct charset_step {
	uint32_t	 c[2];
	unsigned int	 n;		/* of c, may be none */
};

/*
 * Each takes a character at p, of len > 0 bytes, and returns how many of them
 * it was; 0 if the len bytes are the beginning of one that goes on.
 */
size_t	charset_shift_jis(const unsigned char *p, size_t len,
	    struct charset_step *);
size_t	charset_euc_jp(const unsigned char *, size_t, struct charset_step *);
size_t	charset_gb(const unsigned char *, size_t, struct charset_step *);
size_t	charset_big(const unsigned char *, size_t, struct charset_step *);
size_t	charset_euc_kr(const unsigned char *, size_t, struct charset_step *);

size_t	charset_iso_2022(struct mime_decoder *, const unsigned char *, size_t,
	    struct charset_step *);
size_t	charset_utf7(struct mime_decoder *, const unsigned char *, size_t,
	    struct charset_step *);
/* The text ends: U+FFFD if that is within a character. */
void	charset_utf7_end(struct mime_decoder *, struct charset_step *);

#endif
