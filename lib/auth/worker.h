/*
 * worker: threads that compute password hashes, so that the event loop of the
 * auth role never waits for one.
 *
 * The queue is bounded, and fair between addresses: each address has a line of
 * its own and the threads take one job from each line in turn, so that a
 * flood from one delays nobody else.
 */
#ifndef AUTH_WORKER_H
#define AUTH_WORKER_H

#include <stddef.h>

#define WORKERS_MAX	8
#define WORKER_QUEUE	2048		/* jobs that wait */
#define WORKER_LINE	64		/* of one address */
#define WORKER_HASHES	8		/* tried for one password */

struct event_base;
struct workers;

struct worker_result {
	int	match;		/* index of the hash, or -1 */
	int	unusable;	/* hashes that this system does not know */
	int	failed;		/* hashes for which memory was short */
};

/* Called in the event loop, once for each job. */
typedef void (*worker_done)(void *arg, const struct worker_result *);

/* NULL with errno. */
struct workers	*workers_new(struct event_base *, unsigned int threads,
		    worker_done);
/* Waits for the hashes being computed; drops what is queued, unanswered. */
void		 workers_free(struct workers *);
/*
 * Try pass against n hashes in order until one matches.  Everything is
 * copied.  -1 with errno: EAGAIN the queue or the line is full, ENOMEM.
 */
int		 workers_submit(struct workers *, const char *line,
		    const char *pass, const char *const *hashes, size_t n,
		    void *arg);
size_t		 workers_queued(struct workers *);

#endif
