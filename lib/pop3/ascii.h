/*
 * ascii: a message's header for clients that did not ask for UTF-8 (RFC 6856
 * 2.1): words that are not ASCII become encoded words (RFC 2047 2, "Q").
 *
 * Where RFC 2047 allows no encoded word, as in an address, the result is the
 * surrogate that RFC 6858 describes: readable, but not to be answered.  The
 * body stays as it is.  Works block by block in constant memory.
 */
#ifndef POP3_ASCII_H
#define POP3_ASCII_H

#include <stddef.h>

#define POP3_ASCII_WORD	64	/* bytes that are held back */
#define POP3_ASCII_END	320	/* bytes that they become at most */
#define POP3_ASCII_GROWS 16	/* and a byte beyond them */

struct pop3_ascii {
	int		 over;		/* the header is */
	int		 filled;	/* this line has more than CR so far */
	int		 high;		/* the word is not ASCII */
	int		 after;		/* 1: behind an encoded word, 2: and a
					   blank */
	size_t		 n;
	char		 word[POP3_ASCII_WORD];
};

void	pop3_ascii_init(struct pop3_ascii *);
/* The header is in these bytes, to its end, and nothing is to be made of it. */
int	pop3_ascii_already(const char *, size_t);
/* Room for n * POP3_ASCII_GROWS + POP3_ASCII_END bytes, and for the end. */
size_t	pop3_ascii(struct pop3_ascii *, const char *in, size_t, char *out);
size_t	pop3_ascii_end(struct pop3_ascii *, char *out);

#endif
