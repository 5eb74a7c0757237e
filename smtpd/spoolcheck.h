/*
 * spoolcheck: is a spool what the tables at the top of queue.c and journal.c
 * allow?  Reads only, so it may run beside the queue.
 */
#ifndef SMTPD_SPOOLCHECK_H
#define SMTPD_SPOOLCHECK_H

#include <stddef.h>
#include <stdint.h>

struct spool_counts {
	size_t		segments;
	size_t		messages;	/* not over */
	size_t		recipients;	/* to be delivered */
	size_t		held;		/* messages */
	size_t		large;		/* files that belong to one */
	size_t		aside;		/* in damaged/ */
	size_t		mistakes;
	int		running;	/* a queue has the lock */
};

/* bad: a mistake; else something to know. */
typedef void (*spool_tell)(void *arg, int bad, const char *line);

/* 0 with counts, whatever was found; -1 with errno: it cannot be read. */
int	spool_check(const char *spool, struct spool_counts *, spool_tell,
	    void *arg);

#endif
