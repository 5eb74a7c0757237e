/*
 * use: what mailboxes are for.
 */
#ifndef STORE_USE_H
#define STORE_USE_H

#include "store/folder.h"

#define USE_FILE	"postern.use"

/* The uses, as LIST_USE has them, of a folder that was made for some. */
unsigned int	use_read(int rootfd, const char *dirname);
/* What a mailbox of this name is for if nothing else is said. */
unsigned int	use_of_name(const char *);

#endif
