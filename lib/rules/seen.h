/*
 * seen: a set of words, without regard to the case of ASCII letters, that
 * remembers the order in which they came.
 */
#ifndef RULES_SEEN_H
#define RULES_SEEN_H

#include <stddef.h>
#include <stdint.h>

struct seen_set {
	char		**v;		/* in the order of their coming */
	size_t		  n, cap;
	uint32_t	 *slots;	/* index + 1; 0 empty */
	size_t		  nslots;	/* a power of two */
	uint32_t	  seed;
};

void	seen_init(struct seen_set *);
void	seen_free(struct seen_set *);
/* 1 it is new, 0 it was there, -1 without memory. */
int	seen_add(struct seen_set *, const char *);

#endif
