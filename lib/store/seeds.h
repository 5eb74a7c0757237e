/*
 * seeds: UIDs that messages had before the index was made: from Dovecot's
 * dovecot-uidlist, or from the whole records of a damaged index.
 */
#ifndef STORE_SEEDS_H
#define STORE_SEEDS_H

#include <stddef.h>
#include <stdint.h>

#include "store/hash.h"

#define SEEDS_MAX	(16U << 20)

struct seed {
	uint32_t	 uid;
	int64_t		 saved;		/* 0 unknown */
	uint64_t	 size;		/* with CRLF; UINT64_MAX unknown */
	uint64_t	 emailid;	/* 0 unknown */
	size_t		 name;		/* offset in names */
	size_t		 namelen;
	size_t		 pop3;		/* the same, its id; length 0: none */
	size_t		 pop3len;
};

struct seeds {
	struct seed	*list;
	size_t		 n, cap;
	char		*names;
	size_t		 nameslen, namescap;
	struct nametab	 tab;
};

void	seeds_free(struct seeds *);
/* The seed, good until the next call, or NULL with errno. */
struct seed *seeds_add(struct seeds *, const char *name, size_t len,
	    uint32_t uid);
/* The last one that was added had this id for POP3; -1 with errno. */
int	seeds_pop3(struct seeds *, const char *id, size_t len);
/* NULL if there is none of that base name. */
const struct seed *seeds_find(const struct seeds *, const char *, size_t);

#endif
