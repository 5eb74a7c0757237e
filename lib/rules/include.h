/*
 * include: a file that an alias names (":include:/path").
 */
#ifndef RULES_INCLUDE_H
#define RULES_INCLUDE_H

#include <sys/types.h>

#define INCLUDE_MAX	(1 << 20)	/* bytes of a file */
#define FORWARD_MAX	8192		/* of a user's own */

/*
 * The whole file, malloc'ed and terminated.  It must be a regular file that
 * nobody but its owner may write, its name no symbolic link; with owner not
 * -1 it must belong to that uid or to root.  NULL and *why: what is wrong with
 * it, with errno ENOENT if there is none and EPERM if it must not be used.
 */
char	*include_read(const char *path, uid_t owner, size_t max,
	    const char **why);

#endif
