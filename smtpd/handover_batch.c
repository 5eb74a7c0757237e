/*
 * handover_batch: see handover_batch.h.  Pure.
 *
 * Of a user with more files than one process is told, each has the same
 * chance: those that smtpd wants later must not stand before the others each
 * time.
 */
#include <stdlib.h>
#include <string.h>

#include "os/compat.h"
#include "smtpd/handover_batch.h"

static struct batch *
batch_of(struct batches *all, uid_t uid)
{
	struct batch	*b, *unused = NULL;
	size_t		 i;

	for (i = 0; i < BATCH_USERS; i++) {
		b = &all->v[i];
		if (!b->running && b->n == 0)
			unused = b;
		else if (b->uid == uid)
			return (b);
	}
	return (unused);
}

int
batch_add(struct batches *all, uid_t uid, gid_t gid, const char *name)
{
	struct batch	*b = batch_of(all, uid);
	size_t		 i;

	if (b == NULL)
		return (0);
	if (b->running)
		return (1);
	if (b->n == 0)
		b->offered = 0;
	b->uid = uid;
	b->gid = gid;
	b->offered++;
	i = b->n < BATCH_FILES ? b->n++ :
	    arc4random_uniform((uint32_t)b->offered);
	if (i < BATCH_FILES)
		strlcpy(b->names[i], name, KEEP_NAME);
	return (1);
}
