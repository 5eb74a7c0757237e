/*
 * cachefile: the file with a folder's cached items, beside its index.
 */
#ifndef STORE_CACHEFILE_H
#define STORE_CACHEFILE_H

#include "buf/buf.h"
#include "store/cache_entry.h"

#define CACHE_FILE	"postern.cache"

#define CACHE_GRAIN	64	/* no two entries begin within so many bytes */

struct folder;
struct index;

/* The file, mapped; all zero is one that is not open. */
struct cachefile {
	unsigned char	*map;
	size_t		 maplen;
	unsigned char	*seen;		/* of cache_entry_ok(), each grain */
	size_t		 nseen;
	dev_t		 dev;
	ino_t		 ino;
	int		 fd;		/* plus 1 */
};

/* Entries that were made and wait to be written. */
struct cachefile_queue {
	struct buf	 buf;
	struct cachefile_queued {
		uint32_t	 uid;
		uint32_t	 slot;
		size_t		 off;	/* in buf */
	}		*list;
	size_t		 n, cap;
	unsigned int	 epoch;		/* the folder's, of the slots */
};

void	cachefile_close(struct cachefile *);
/*
 * The entry at an offset if it is that of the message and what is wanted of
 * it is whole, else NULL.  It stays until the next call.
 */
const struct cache_entry *cachefile_get(struct folder *, uint64_t off,
	    uint32_t uid, unsigned int what);
/* The entry at an offset is asked for next: bring it nearer. */
void	cachefile_near(const struct folder *, uint64_t off);
/*
 * Write what cache_entry_make() made for that message; its offset, or 0 if
 * that was not possible: it can be made again.  The folder is locked.
 */
uint64_t cachefile_put(struct folder *, struct buf *entry, uint32_t uid);
/* The same later, for many at once. */
void	cachefile_later(struct folder *, const struct buf *entry, uint32_t slot,
	    uint32_t uid);
void	cachefile_write(struct folder *);
void	cachefile_forget(struct folder *);		/* what waits */
/*
 * A new file with the entries that the records of an index point to, which
 * is not yet the folder's; they then point into it.  Locked.
 */
void	cachefile_compact(struct folder *, struct index *);

#endif
