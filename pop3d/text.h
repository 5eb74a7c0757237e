/*
 * text: one message on its way to a client.
 */
#ifndef POP3D_TEXT_H
#define POP3D_TEXT_H

#include <sys/types.h>
#include <stdint.h>

#include "pop3/ascii.h"
#include "pop3/stuff.h"

#define TEXT_PIECE	(64 * 1024)	/* octets read at a time */
/* Octets that one step adds to a reply at most. */
#define TEXT_STEP_MAX	(2 * TEXT_PIECE + 2 * POP3_ASCII_END + POP3_STUFF_END)

struct buf;

struct text {
	int		 fd;		/* -1: none */
	off_t		 off;
	uint64_t	 octets;	/* with CRLF, before dots were added */
	int		 unended;	/* the last line had no end */
	int		 to_ascii;
	struct pop3_ascii ascii;
	struct pop3_stuff stuff;
};

/*
 * Begin with fd, which is taken over.  to_ascii: the header is to be ASCII.
 */
void	text_begin(struct text *, int fd, int to_ascii);
/* Only so many lines of the body (TOP). */
void	text_limit(struct text *, uint32_t lines);
/*
 * Append what comes next: 1 if there is more, 0 at the end, which closes fd,
 * -1 with errno.
 */
int	text_step(struct text *, struct buf *);
void	text_end(struct text *);
/*
 * By how many octets a message's header grows when it is made ASCII; -1 with
 * errno.  Takes fd over and reads no more than the header.
 */
int64_t	text_growth(int fd);

#endif
