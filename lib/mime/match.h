/*
 * match: does a message have a text?  Transfer encodings and encoded words
 * are decoded, case does not matter (RFC 3501 6.4.4).
 */
#ifndef MIME_MATCH_H
#define MIME_MATCH_H

#include <stddef.h>

#include "mime/charset.h"
#include "mime/tree.h"

#define MIME_NEEDLE_MAX	4096

struct mime_needle {
	char	*text;			/* UTF-8, as mime_casemap() */
	size_t	 len;
};

/* -1 with ENOTSUP for the charset, EMSGSIZE, or ENOMEM; else free it. */
int	mime_needle_init(struct mime_needle *, const char *, size_t,
	    enum mime_charset);
void	mime_needle_free(struct mime_needle *);

/* All return 1 found, 0 not, -1 with ENOMEM. */

/* In a field of that name; an empty text asks whether there is one. */
int	mime_match_header(const struct mime_needle *, const char *, size_t,
	    const char *name, size_t namelen);
/* In text parts; with headers in those of the message too. */
int	mime_match_text(const struct mime_needle *, const struct mime_tree *,
	    int headers);

#endif
