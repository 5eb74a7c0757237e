/*
 * cache_entry: one message's cached items as they lie in memory and in the
 * cache file.  Made from text, checked before it is believed.
 */
#ifndef STORE_CACHE_ENTRY_H
#define STORE_CACHE_ENTRY_H

#include <stddef.h>
#include <stdint.h>

#include "buf/buf.h"
#include "store/cached.h"

#define CACHE_ITEM_MAX	(256 * 1024)	/* larger ones are not kept */
#define CACHE_ENTRY_MAX	(CACHED_ITEMS * CACHE_ITEM_MAX + 1024)

/* What follows it is the items, one behind the other, and up to 7 bytes. */
struct cache_entry {
	uint64_t	 sum;		/* of what follows in this struct */
	uint32_t	 len;		/* with this; a multiple of 8 */
	uint32_t	 has;		/* CACHED_BIT()s */
	uint32_t	 over;		/* likewise: larger than may be */
	uint32_t	 uid;
	uint32_t	 uidvalidity;
	uint32_t	 header;
	int64_t		 sent;
	int32_t		 zone;
	uint32_t	 end[CACHED_ITEMS];	/* from the end of this */
	uint32_t	 itemsum[CACHED_ITEMS];
	uint32_t	 unused;
	uint64_t	 others[2];	/* a bit for each name of a field that
					   is not among CACHED_FIELDS */
};

/*
 * Make one, from the header if what is a part of CACHED_HEADER, else from the
 * whole message; lines end in CRLF.  What is not asked for comes from had, an
 * entry of the same message that is whole, or NULL.  -1 as buf_add().
 */
int	cache_entry_make(struct buf *, const char *, size_t,
	    unsigned int what, const struct cache_entry *had);
/* Whose it is; to be called before it is written. */
void	cache_entry_own(struct cache_entry *, uint32_t uid,
	    uint32_t uidvalidity);
/*
 * 1 if an entry begins here, in len bytes, and the items in what are whole.
 * seen is what was found so before, and what is now.
 */
#define CACHE_ENTRY_SEEN CACHED_BIT(CACHED_ITEMS)	/* the struct itself */
int	cache_entry_ok(const struct cache_entry *, size_t len,
	    unsigned int what, unsigned char *seen);
void	cache_entry_items(const struct cache_entry *, struct store_cached *);

#endif
