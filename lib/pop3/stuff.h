/*
 * pop3/stuff: a message as a multi-line reply (RFC 1939 3).
 *
 * Line ends become CRLF, a line that begins with a dot gets another one, and
 * the reply ends with a line of one dot.  A bare CR stays what it is; a last
 * line without an end gets one.  Works block by block in constant memory; a
 * byte becomes at most two.
 */
#ifndef POP3_STUFF_H
#define POP3_STUFF_H

#include <stddef.h>
#include <stdint.h>

#define POP3_STUFF_END	5		/* bytes that pop3_stuff_end() adds */

struct pop3_stuff {
	int		 last;		/* byte before; '\n': a line begins */
	int		 in_body;
	int		 line_empty;	/* nothing but CR on this line so far */
	int		 limited;	/* TOP: only lines of the body */
	uint32_t	 lines;		/* that are still to come */
	size_t		 dots;		/* that were added so far */
	int		 full;		/* enough was written: stop reading */
};

void	pop3_stuff_init(struct pop3_stuff *);
/* TOP: the header, the empty line, and so many lines of the body. */
void	pop3_stuff_top(struct pop3_stuff *, uint32_t lines);
/*
 * Write what the n bytes of in become to out, which has room for 2 * n bytes
 * and one more; returns how many were written.
 */
size_t	pop3_stuff(struct pop3_stuff *, const char *in, size_t n, char *out);
/* The end of the message and of the reply; out has POP3_STUFF_END bytes. */
size_t	pop3_stuff_end(struct pop3_stuff *, char *out);

#endif
