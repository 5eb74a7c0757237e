/*
 * worker: see worker.h.
 *
 * Everything between the threads is guarded by one lock, which is never held
 * while a hash is computed.  Results come back through a list and one byte in
 * a pipe.  A job is one block of memory, wiped when it is done with.
 */
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auth/verify.h"
#include "auth/worker.h"
#include "os/compat.h"

#define STACK_SIZE	(256 * 1024)
#define LINE_NAME	64
#define BUCKETS		256

struct job {
	TAILQ_ENTRY(job)	 entry;
	void			*arg;
	struct worker_result	 result;
	size_t			 size;		/* of all of it */
	size_t			 n;
	const char		*pass;
	const char		*hashes[WORKER_HASHES];
	char			 text[];
};
TAILQ_HEAD(jobs, job);

/* The jobs of one address; exists while there are any. */
struct line {
	TAILQ_ENTRY(line)	 turn;
	LIST_ENTRY(line)	 chain;
	char			 name[LINE_NAME];
	struct jobs		 jobs;
	size_t			 n;
};

struct workers {
	pthread_mutex_t		 lock;
	pthread_cond_t		 work;
	pthread_t		 threads[WORKERS_MAX];
	unsigned int		 nthreads;
	int			 stop;
	TAILQ_HEAD(, line)	 turns;		/* whose turn is next */
	LIST_HEAD(, line)	 buckets[BUCKETS];
	size_t			 queued;
	struct jobs		 done;
	int			 pipe[2];
	struct event		*ev;
	worker_done		 cb;
};

static void	*worker_main(void *);
static void	 worker_results(evutil_socket_t, short, void *);

static void
job_free(struct job *j)
{
	freezero(j, j->size);
}

static void
must(int error)
{
	/* A lock that is broken is a mistake of this program. */
	if (error != 0)
		abort();
}

static int
open_pipe(struct workers *w, struct event_base *base)
{
	int	i, flags;

	if (pipe(w->pipe) == -1)
		return (-1);
	for (i = 0; i < 2; i++)
		if ((flags = fcntl(w->pipe[i], F_GETFL)) == -1 ||
		    fcntl(w->pipe[i], F_SETFL, flags | O_NONBLOCK) == -1 ||
		    fcntl(w->pipe[i], F_SETFD, FD_CLOEXEC) == -1)
			return (-1);
	w->ev = event_new(base, w->pipe[0], EV_READ | EV_PERSIST,
	    worker_results, w);
	if (w->ev == NULL || event_add(w->ev, NULL) == -1)
		return (-1);
	return (0);
}

/* Signals are for the event loop. */
static int
start_threads(struct workers *w, unsigned int n)
{
	pthread_attr_t	attr;
	sigset_t	all, before;
	int		error = 0;

	if ((error = pthread_attr_init(&attr)) != 0) {
		errno = error;
		return (-1);
	}
	sigfillset(&all);
	if ((error = pthread_attr_setstacksize(&attr, STACK_SIZE)) == 0 &&
	    (error = pthread_sigmask(SIG_SETMASK, &all, &before)) == 0) {
		for (w->nthreads = 0; w->nthreads < n; w->nthreads++) {
			error = pthread_create(&w->threads[w->nthreads],
			    &attr, worker_main, w);
			if (error != 0)
				break;
		}
		must(pthread_sigmask(SIG_SETMASK, &before, NULL));
	}
	must(pthread_attr_destroy(&attr));
	errno = error;
	return (error == 0 ? 0 : -1);
}

struct workers *
workers_new(struct event_base *base, unsigned int threads, worker_done cb)
{
	struct workers	*w;
	size_t		 i;
	int		 error;

	if ((w = calloc(1, sizeof(*w))) == NULL)
		return (NULL);
	must(pthread_mutex_init(&w->lock, NULL));
	must(pthread_cond_init(&w->work, NULL));
	TAILQ_INIT(&w->turns);
	TAILQ_INIT(&w->done);
	for (i = 0; i < BUCKETS; i++)
		LIST_INIT(&w->buckets[i]);
	w->pipe[0] = w->pipe[1] = -1;
	w->cb = cb;
	if (threads == 0)
		threads = 1;
	if (threads > WORKERS_MAX)
		threads = WORKERS_MAX;
	if (open_pipe(w, base) == -1 || start_threads(w, threads) == -1) {
		error = errno;
		workers_free(w);
		errno = error;
		return (NULL);
	}
	return (w);
}

static struct line *
line_find(struct workers *w, const char *name)
{
	struct line	*l;
	uint32_t	 h = 2166136261u;
	const char	*p;

	for (p = name; *p != '\0'; p++)
		h = (h ^ (unsigned char)*p) * 16777619u;
	LIST_FOREACH(l, &w->buckets[h % BUCKETS], chain)
		if (strcmp(l->name, name) == 0)
			return (l);
	if ((l = calloc(1, sizeof(*l))) == NULL)
		return (NULL);
	memcpy(l->name, name, strlen(name) + 1);
	TAILQ_INIT(&l->jobs);
	LIST_INSERT_HEAD(&w->buckets[h % BUCKETS], l, chain);
	TAILQ_INSERT_TAIL(&w->turns, l, turn);
	return (l);
}

/* The next job; its line goes to the end, or away if it was the last. */
static struct job *
next_job(struct workers *w)
{
	struct line	*l;
	struct job	*j;

	if ((l = TAILQ_FIRST(&w->turns)) == NULL)
		return (NULL);
	j = TAILQ_FIRST(&l->jobs);
	TAILQ_REMOVE(&l->jobs, j, entry);
	TAILQ_REMOVE(&w->turns, l, turn);
	w->queued--;
	if (--l->n > 0)
		TAILQ_INSERT_TAIL(&w->turns, l, turn);
	else {
		LIST_REMOVE(l, chain);
		free(l);
	}
	return (j);
}

void
workers_free(struct workers *w)
{
	struct job	*j;
	unsigned int	 i;

	if (w == NULL)
		return;
	must(pthread_mutex_lock(&w->lock));
	w->stop = 1;
	must(pthread_cond_broadcast(&w->work));
	must(pthread_mutex_unlock(&w->lock));
	for (i = 0; i < w->nthreads; i++)
		must(pthread_join(w->threads[i], NULL));
	while ((j = next_job(w)) != NULL)
		job_free(j);
	while ((j = TAILQ_FIRST(&w->done)) != NULL) {
		TAILQ_REMOVE(&w->done, j, entry);
		job_free(j);
	}
	if (w->ev != NULL)
		event_free(w->ev);
	for (i = 0; i < 2; i++)
		if (w->pipe[i] != -1)
			close(w->pipe[i]);
	must(pthread_cond_destroy(&w->work));
	must(pthread_mutex_destroy(&w->lock));
	free(w);
}

/* One block for the job and its strings, each of bounded length. */
static struct job *
job_new(const char *pass, const char *const *hashes, size_t n, void *arg)
{
	struct job	*j;
	char		*p;
	size_t		 i, size = sizeof(*j) + strlen(pass) + 1;

	for (i = 0; i < n; i++)
		size += strlen(hashes[i]) + 1;
	if ((j = calloc(1, size)) == NULL)
		return (NULL);
	j->size = size;
	j->arg = arg;
	j->n = n;
	j->result.match = -1;
	j->pass = p = j->text;
	p = stpcpy(p, pass) + 1;
	for (i = 0; i < n; i++) {
		j->hashes[i] = p;
		p = stpcpy(p, hashes[i]) + 1;
	}
	return (j);
}

int
workers_submit(struct workers *w, const char *name, const char *pass,
    const char *const *hashes, size_t n, void *arg)
{
	struct job	*j;
	struct line	*l = NULL;
	int		 error = EAGAIN;

	if (n > WORKER_HASHES || strlen(name) >= LINE_NAME) {
		errno = EINVAL;
		return (-1);
	}
	if ((j = job_new(pass, hashes, n, arg)) == NULL)
		return (-1);
	must(pthread_mutex_lock(&w->lock));
	if (w->queued < WORKER_QUEUE) {
		if ((l = line_find(w, name)) == NULL)
			error = ENOMEM;
		else if (l->n >= WORKER_LINE)
			l = NULL;
	}
	if (l != NULL) {
		TAILQ_INSERT_TAIL(&l->jobs, j, entry);
		l->n++;
		w->queued++;
		must(pthread_cond_signal(&w->work));
	}
	must(pthread_mutex_unlock(&w->lock));
	if (l == NULL) {
		job_free(j);
		errno = error;
		return (-1);
	}
	return (0);
}

size_t
workers_queued(struct workers *w)
{
	size_t	n;

	must(pthread_mutex_lock(&w->lock));
	n = w->queued;
	must(pthread_mutex_unlock(&w->lock));
	return (n);
}

static void
job_run(struct job *j)
{
	size_t	i;

	for (i = 0; i < j->n && j->result.match == -1; i++)
		switch (verify_password(j->hashes[i], j->pass)) {
		case VERIFY_RIGHT:
			j->result.match = (int)i;
			break;
		case VERIFY_UNUSABLE:
			j->result.unusable++;
			break;
		case VERIFY_FAILED:
			j->result.failed++;
			break;
		case VERIFY_WRONG:
			break;
		}
}

static void *
worker_main(void *arg)
{
	struct workers	*w = arg;
	struct job	*j;
	ssize_t		 n;

	must(pthread_mutex_lock(&w->lock));
	while (!w->stop) {
		if ((j = next_job(w)) == NULL) {
			must(pthread_cond_wait(&w->work, &w->lock));
			continue;
		}
		must(pthread_mutex_unlock(&w->lock));
		job_run(j);
		must(pthread_mutex_lock(&w->lock));
		TAILQ_INSERT_TAIL(&w->done, j, entry);
		/* a full pipe wakes the event loop as well */
		do {
			n = write(w->pipe[1], "", 1);
		} while (n == -1 && errno == EINTR);
		if (n == -1 && errno != EAGAIN)
			abort();
	}
	must(pthread_mutex_unlock(&w->lock));
	return (NULL);
}

static void
worker_results(evutil_socket_t fd, short what, void *arg)
{
	struct workers	*w = arg;
	struct jobs	 done = TAILQ_HEAD_INITIALIZER(done);
	struct job	*j;
	char		 bytes[256];

	(void)what;
	while (read(fd, bytes, sizeof(bytes)) > 0)
		continue;
	must(pthread_mutex_lock(&w->lock));
	TAILQ_CONCAT(&done, &w->done, entry);
	must(pthread_mutex_unlock(&w->lock));
	while ((j = TAILQ_FIRST(&done)) != NULL) {
		TAILQ_REMOVE(&done, j, entry);
		w->cb(j->arg, &j->result);
		job_free(j);
	}
}
