/*
 * tally: how often names occurred, and which did most.
 */
#ifndef MAILCTL_TALLY_H
#define MAILCTL_TALLY_H

#include <stddef.h>

struct tally_name {
	char			*name;
	unsigned long long	 n;
	unsigned long long	 bytes;
};

struct tally {
	struct tally_name	*v;
	size_t			 n, size;	/* size: of the table */
};

/* -1 ENOMEM. */
int	tally_add(struct tally *, const char *name, unsigned long long bytes);
/* The names by how often they occurred; the table is none any more. */
void	tally_sort(struct tally *);
void	tally_free(struct tally *);

#endif
