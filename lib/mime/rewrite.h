/*
 * rewrite: addresses in the header of a message that somebody of ours writes:
 * bare names get a domain, names of hosts become those of their domain.
 *
 * Only From, Sender, Reply-To, To, Cc and Bcc, and the same with Resent-, are
 * touched, and of them only the domains; every other byte stays.  Streaming:
 * of the header one field is held at a time, of the body nothing.
 */
#ifndef MIME_REWRITE_H
#define MIME_REWRITE_H

#include <stddef.h>

#include "buf/buf.h"

#define REWRITE_FIELD	(256 * 1024)	/* a longer field stays as it is */

typedef int (*rewrite_put)(void *arg, const void *, size_t);

struct rewrite {
	const char	*origin;	/* for bare names; NULL: they stay */
	/* what a domain becomes, or NULL: it stays */
	const char	*(*domain)(void *arg, const char *, size_t);
	void		*arg;
	rewrite_put	 put;
	void		*put_arg;
	/* inside */
	int		 done;		/* the header is over */
	int		 bol;		/* at the start of a line */
	int		 holding;	/* a field that may change */
	struct buf	 line;		/* not known yet what it is */
	struct buf	 field;
};

/* The first five members are the caller's to fill in. */
void	rewrite_init(struct rewrite *);
void	rewrite_free(struct rewrite *);
/* Text with CRLF line ends, in pieces of any size. -1 if put() said so. */
int	rewrite_feed(struct rewrite *, const char *, size_t);
/* The end of the text. */
int	rewrite_end(struct rewrite *);
/*
 * The body of one field, with what was to change changed, into out.  -1 if it
 * does not fit.
 */
int	rewrite_field(const struct rewrite *, const char *, size_t,
	    struct buf *out);

#endif
