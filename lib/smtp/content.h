/*
 * content: the text of a message as DATA carries it (RFC 5321 4.5.2).
 *
 * Only CRLF . CRLF ends it.  What comes out has CRLF line ends only: a bare
 * LF or CR inside is data and becomes a line end of the text, never of the
 * transaction, so that nothing that leaves us holds one (no smuggling).
 */
#ifndef SMTP_CONTENT_H
#define SMTP_CONTENT_H

#include <sys/types.h>
#include <stddef.h>

struct smtp_content {
	int		 done;		/* the final dot was seen */
	int		 bare;		/* there was a bare CR or LF */
	int		 nul;		/* there was a NUL */
	int		 eightbit;
	unsigned int	 received;	/* Received: fields (RFC 5321 6.3) */
	char		 msgid[128];	/* of the message, for the log */
	/*
	 * What a submission server adds to a header that has none (RFC 6409
	 * 8.2, 8.3), set before the first line; "" adds nothing.
	 */
	char		 add_date[64];
	char		 add_msgid[128];	/* with its angle brackets */
	/* inside */
	int		 bol;		/* behind a CRLF or at the start */
	int		 header;	/* the empty line has not come yet */
	int		 has_date;
};

typedef int (*smtp_content_put)(void *arg, const void *, size_t);

void	smtp_content_init(struct smtp_content *);
/*
 * Consume what can be: all whole lines, and the start of a very long one.
 * Returns how much, or -1 if put() said so.
 */
ssize_t	smtp_content_feed(struct smtp_content *, const char *, size_t,
	    smtp_content_put, void *arg);

#endif
