/*
 * hash: checksums of what lies on disk, and a table from names to numbers.
 */
#ifndef STORE_HASH_H
#define STORE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* Not cryptographic; a change within one 8-byte word always shows. */
uint64_t hash_bytes(const void *, size_t);

/*
 * A table of numbers found by the hash of a name.  The names stay where they
 * are: match() says whether value's name is the one that is looked for.
 */
struct nametab {
	struct nametab_slot {
		uint32_t	 hash;
		uint32_t	 value;		/* plus 1; 0 is a free slot */
	}		*slots;
	size_t		 size;			/* a power of two, or 0 */
	size_t		 used;
};

typedef int (*nametab_match)(void *arg, uint32_t value, const char *name,
    size_t len);

void	 nametab_free(struct nametab *);
int	 nametab_add(struct nametab *, const char *name, size_t len,
	    uint32_t value);
/* 0 and the value, or -1 if there is none. */
int	 nametab_find(const struct nametab *, const char *name, size_t len,
	    nametab_match, void *arg, uint32_t *value);

#endif
