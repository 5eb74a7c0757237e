/*
 * found: files in a folder's directories that its index does not have.
 */
#ifndef STORE_FOUND_H
#define STORE_FOUND_H

#include <stddef.h>
#include <stdint.h>

#include "store/info.h"

struct found {
	const char	*name;		/* after found_sort() */
	size_t		 off;
	uint64_t	 seconds;	/* that its name begins with */
	int64_t		 saved;		/* seed's, 0 none */
	uint64_t	 size;		/* seed's, or INDEX_UNSIZED */
	uint64_t	 emailid;	/* seed's, 0 none */
	uint64_t	 fsize;
	uint64_t	 told[2];	/* S= and W= in its name, likewise */
	int64_t		 mtime, ctime;	/* or INDEX_UNDATED */
	uint32_t	 uid;		/* that it had; 0 none */
	uint32_t	 flags, keywords;
	uint16_t	 baselen;
	uint8_t		 in_new;
	uint8_t		 plain;		/* its name is as we would write it */
};

struct found_list {
	struct found	*v;
	size_t		 n, cap;
	char		*names;
	size_t		 len, room;	/* of them */
};

void	found_free(struct found_list *);
void	found_clear(struct found_list *);	/* the memory stays */
/* All that a directory has will be added: take the memory for it at once. */
void	found_expect(struct found_list *, int dirfd);
/* NULL with errno; good until the next call. */
struct found *found_add(struct found_list *, const char *name,
	    const struct info *);
/*
 * In the order in which they are to get UIDs: those that have one, then by the
 * time in their names.  Nothing is added any more.
 */
void	found_sort(struct found_list *);
/* The same message as the one before. */
int	found_again(const struct found_list *, size_t);

#endif
