/*
 * seqset: sets of message numbers or UIDs, "1:5,7,*" (RFC 3501 9).
 */
#ifndef IMAP_SEQSET_H
#define IMAP_SEQSET_H

#include "imap/parse.h"

#define IMAP_RANGES_MAX	32768		/* what fits a line */
#define IMAP_STAR	0		/* '*' until the set is resolved */

struct imap_range {
	uint32_t	first;
	uint32_t	last;
};

struct imap_seqset {
	struct imap_range	*v;
	size_t			 n;
	int			 saved;	/* "$": the saved result */
};

/* Free it with imap_seqset_free() in any case. */
int	imap_seqset(struct imap_parser *, struct imap_seqset *);
void	imap_seqset_free(struct imap_seqset *);
/*
 * Put star in the place of '*', order the ranges and merge those that touch.
 * Returns the largest number in it.
 */
uint32_t imap_seqset_resolve(struct imap_seqset *, uint32_t star);
/* Of a resolved set; takes the logarithm of its size. */
int	imap_seqset_has(const struct imap_seqset *, uint32_t);
/* The first range that does not lie wholly below n; set->n: none. */
size_t	imap_seqset_find(const struct imap_seqset *, uint32_t n);
/* The first number of it that is n or more; 0 if there is none. */
uint32_t imap_seqset_next(const struct imap_seqset *, uint32_t n);

#endif
