/*
 * content: the text of a message as DATA (RFC 5321 4.5.2) or BDAT (RFC 3030)
 * carries it.
 *
 * Only CRLF . CRLF ends DATA.  What comes out has CRLF line ends only: a bare
 * LF or CR inside is data and becomes a line end of the text, never of the
 * transaction, so that nothing that leaves us holds one (no smuggling).  The
 * exception is what came with BODY=BINARYMIME: it stays as it is, and odd says
 * whether it has anything that DATA could not carry.
 */
#ifndef SMTP_CONTENT_H
#define SMTP_CONTENT_H

#include <sys/types.h>
#include <stddef.h>

#define CONTENT_HEAD	256	/* as much of a field's line is looked at */

struct smtp_content {
	int		 done;		/* the final dot was seen */
	int		 bare;		/* there was a bare CR or LF */
	int		 nul;		/* there was a NUL */
	int		 eightbit;
	int		 utf8;		/* so in the header */
	int		 odd;		/* BDAT: it cannot go by DATA */
	int		 mixed;		/* lf: there was a CR; it is refused */
	unsigned int	 received;	/* Received: fields (RFC 5321 6.3) */
	char		 msgid[128];	/* of the message, for the log */
	/*
	 * What a submission server adds to a header that has none (RFC 6409
	 * 8.2, 8.3), set before the first line; "" adds nothing.
	 */
	char		 add_date[64];
	char		 add_msgid[128];	/* with its angle brackets */
	size_t		 added;		/* bytes, as soon as they are put */
	/*
	 * Set before the first line.  lf: DATA of a client whose lines all
	 * end in LF.  binary: BDAT after BODY=BINARYMIME.
	 */
	int		 lf;
	int		 binary;
	/* inside */
	int		 bol;		/* behind a CRLF or at the start */
	int		 header;	/* the empty line has not come yet */
	int		 has_date;
	int		 cr;		/* BDAT: a CR whose LF may come */
	size_t		 column;	/* BDAT: bytes of the line at hand */
	size_t		 headlen;
	char		 head[CONTENT_HEAD];	/* of a line that is cut */
};

typedef int (*smtp_content_put)(void *arg, const void *, size_t);

void	smtp_content_init(struct smtp_content *);
/*
 * DATA: consume what can be: all whole lines, and the start of a very long
 * one.  Returns how much, or -1 if put() said so.
 */
ssize_t	smtp_content_feed(struct smtp_content *, const char *, size_t,
	    smtp_content_put, void *arg);
/* BDAT: consume all of it, a piece of a chunk.  -1 if put() said so. */
int	smtp_content_chunk(struct smtp_content *, const char *, size_t,
	    smtp_content_put, void *arg);
/* BDAT: that was the last one. */
int	smtp_content_end(struct smtp_content *, smtp_content_put, void *arg);

#endif
