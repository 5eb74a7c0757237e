/*
 * tree: the parts of a MIME message (RFC 2046), as offsets into its text.
 */
#ifndef MIME_TREE_H
#define MIME_TREE_H

#include <stddef.h>
#include <stdint.h>

#define MIME_DEPTH_MAX		100	/* parts within parts */
#define MIME_PARTS_MAX		10000	/* of a message */
#define MIME_BOUNDARY_MAX	200	/* RFC 2046 5.1.1 says 70 */

enum mime_kind {
	MIME_LEAF,
	MIME_MULTIPART,		/* children are its parts */
	MIME_MESSAGE		/* one child, the message in it */
};

struct mime_part {
	size_t		header;		/* where it begins */
	size_t		body;		/* where the header ended */
	size_t		end;		/* one past the body */
	size_t		lines;		/* line ends in the body */
	uint32_t	parent;
	uint32_t	child;		/* first; 0 none */
	uint32_t	next;		/* sibling; 0 none */
	uint16_t	depth;
	uint8_t		kind;		/* enum mime_kind */
	uint8_t		digest;		/* message/rfc822 if it does not say */
};

struct mime_tree {
	const char		*text;		/* the caller's */
	size_t			 len;
	struct mime_part	*part;		/* part[0] is the message */
	uint32_t		 n;
};

/*
 * One pass over the text.  What lies beyond a limit stays text of the part
 * before it.  -1 with ENOMEM.
 */
int	mime_tree_parse(struct mime_tree *, const char *, size_t);
void	mime_tree_free(struct mime_tree *);
/*
 * The part that IMAP calls "1.2.3" (RFC 3501 6.4.5), or -1.
 */
long	mime_tree_find(const struct mime_tree *, const uint32_t *, size_t n);

#endif
