/*
 * lru: a bounded map from digests to small values; when it is full, the entry
 * that was not used for the longest time makes room.
 */
#ifndef AUTH_LRU_H
#define AUTH_LRU_H

#include <stddef.h>

#define MAC_SIZE	32

struct lru;

/* NULL on ENOMEM. Memory for entries is taken as they come. */
struct lru	*lru_new(size_t max, size_t valsize);
void		 lru_free(struct lru *);	/* wipes the values */
/* The value, now the most recently used; NULL if there is none. */
void		*lru_get(struct lru *, const unsigned char key[MAC_SIZE]);
/* As lru_get(), or a new one of zeroes; NULL on ENOMEM. */
void		*lru_put(struct lru *, const unsigned char key[MAC_SIZE]);
size_t		 lru_count(const struct lru *);

/*
 * HMAC-SHA256 over n strings, each with its terminator, so that no two lists
 * of strings are the same bytes.  -1 if they are too long or libcrypto failed.
 */
#define MAC_INPUT	4096
int		 mac_strings(const unsigned char key[MAC_SIZE],
		    const char *const *, size_t n, unsigned char[MAC_SIZE]);

#endif
