/*
 * source: the files that a configuration names: their owner, mode and text.
 */
#ifndef CONF_SOURCE_H
#define CONF_SOURCE_H

#include <sys/types.h>
#include <stddef.h>

#include "conf/conf.h"
#include "conf/report.h"

#define SOURCE_MAX	(8 * 1024 * 1024)	/* bytes of one file */

/* Who may have written or may read a file that we rely on. */
enum source_trust {
	SOURCE_CONFIG,		/* nobody else writes */
	SOURCE_KEY,		/* and nobody else reads */
	SOURCE_SECRET,		/* the world does not read, nor write */
	SOURCE_PLAIN		/* the world does not write */
};

/*
 * Check the owner and mode of what path names; -1: reported at pos.  A file
 * that we cannot even look at is a mistake for root and a warning for others,
 * who cannot start the daemons with it either.
 */
int	 source_check(const char *path, enum source_trust,
	    struct report *, const struct conf_pos *);
/* A whole file, checked; malloc'ed. NULL: reported at pos. */
char	*source_read(const char *path, enum source_trust, size_t *len,
	    struct report *, const struct conf_pos *);

#endif
