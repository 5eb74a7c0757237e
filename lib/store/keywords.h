/*
 * keywords: what the letters a to z in a folder's file names mean.
 *
 * The file is Dovecot's dovecot-keywords, "0 $Forwarded" a line, so that it
 * can go on with it.
 */
#ifndef STORE_KEYWORDS_H
#define STORE_KEYWORDS_H

#include <sys/types.h>
#include <stdint.h>
#include <time.h>

#include "store/store.h"

#define KEYWORDS_FILE	"dovecot-keywords"
#define KEYWORD_MAX	100		/* bytes of one */

struct keywords {
	char		*name[STORE_KEYWORDS];
	ino_t		 ino;		/* of what was read */
	off_t		 size;
	struct timespec	 mtime;
};

void	keywords_free(struct keywords *);
/* Read the file again if it changed; a missing one is empty. */
int	keywords_load(struct keywords *, int dirfd);
int	keywords_find(const struct keywords *, const char *);
/* With the folder locked: the number of a new one, -1 if there is no room. */
int	keywords_add(struct keywords *, int dirfd, const char *);

#endif
