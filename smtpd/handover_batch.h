/*
 * handover_batch: whose kept messages are sent now, and which of them.
 */
#ifndef SMTPD_HANDOVER_BATCH_H
#define SMTPD_HANDOVER_BATCH_H

#include <sys/types.h>

#include "daemon/submit_keep.h"

#define BATCH_USERS	64		/* processes at a time, one a user */
#define BATCH_FILES	32		/* that one is told */

struct batch {
	int	running;		/* its process is, and n is 0 */
	uid_t	uid;
	gid_t	gid;
	size_t	n;
	size_t	offered;		/* names since it was empty */
	char	names[BATCH_FILES][KEEP_NAME];
};

struct batches {
	struct batch	v[BATCH_USERS];
};

/*
 * One more file of a user.  0: no batch is free for him; whoever asks keeps the
 * name and asks again before he asks for any other, so that nobody is passed
 * over.  1: taken; or not this time, because his process runs already, or
 * because he has more than BATCH_FILES and others of his were drawn.
 */
int	batch_add(struct batches *, uid_t, gid_t, const char *name);

#endif
