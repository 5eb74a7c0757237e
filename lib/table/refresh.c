/*
 * refresh: see the table of states in refresh.h.  Those who wait are taken off
 * the list before the first of them is answered, because an answer may lead to
 * another lookup.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "os/compat.h"
#include "table/backend.h"
#include "table/refresh.h"

struct waiting {
	TAILQ_ENTRY(waiting) entry;
	table_cb	 cb;
	void		*arg;
	char		 key[];
};
TAILQ_HEAD(waitings, waiting);

struct table_refresh {
	struct table	*table;
	unsigned int	 index;
	table_ask	 ask;
	void		*arg;
	int64_t		(*now)(void);
	int		 asked;
	int		 known;		/* an answer came, at */
	int64_t		 answered;
	struct waitings	 waitings;
	size_t		 nwaiting;
};

static int64_t
monotonic(void)
{
	struct timespec	ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ((int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000);
}

struct table_refresh *
table_refresh_new(struct table *t, unsigned int index, table_ask ask, void *arg)
{
	struct table_refresh	*r;

	if ((r = calloc(1, sizeof(*r))) == NULL)
		return (NULL);
	r->table = t;
	r->index = index;
	r->ask = ask;
	r->arg = arg;
	r->now = monotonic;
	TAILQ_INIT(&r->waitings);
	return (r);
}

/* Answer everybody who waits, or tell them that it failed. */
static void
answer_all(struct table_refresh *r, const char *failed)
{
	struct waitings	 list = TAILQ_HEAD_INITIALIZER(list);
	struct waiting	*w;

	TAILQ_CONCAT(&list, &r->waitings, entry);
	r->nwaiting = 0;
	while ((w = TAILQ_FIRST(&list)) != NULL) {
		TAILQ_REMOVE(&list, w, entry);
		if (failed != NULL)
			table_fail(w->cb, w->arg, w->key, failed);
		else
			table_lookup(r->table, w->key, w->cb, w->arg);
		free(w);
	}
}

void
table_refresh_free(struct table_refresh *r)
{
	if (r == NULL)
		return;
	answer_all(r, "the table is being closed");
	table_close(r->table);
	free(r);
}

unsigned int
table_refresh_index(const struct table_refresh *r)
{
	return (r->index);
}

void
table_refresh_clock(struct table_refresh *r, int64_t (*now)(void))
{
	r->now = now;
}

static void
wait_for_file(struct table_refresh *r, const char *key, table_cb cb, void *arg)
{
	struct waiting	*w;
	size_t		 size = strlen(key) + 1;

	if (r->nwaiting >= REFRESH_WAITING || size > TABLE_KEY_MAX ||
	    (w = malloc(sizeof(*w) + size)) == NULL) {
		table_fail(cb, arg, key, "too many lookups wait");
		return;
	}
	w->cb = cb;
	w->arg = arg;
	memcpy(w->key, key, size);
	TAILQ_INSERT_TAIL(&r->waitings, w, entry);
	r->nwaiting++;
}

void
table_refresh_lookup(struct table_refresh *r, const char *key, table_cb cb,
    void *arg)
{
	int64_t	now;

	if (!table_needs_fd(r->table)) {
		table_lookup(r->table, key, cb, arg);
		return;
	}
	now = r->now();
	if (!r->asked && r->known && now - r->answered < REFRESH_MS) {
		table_lookup(r->table, key, cb, arg);
		return;
	}
	wait_for_file(r, key, cb, arg);
	if (!r->asked) {
		r->asked = 1;
		r->ask(r->index, r->arg);
	}
}

int
table_refresh_answer(struct table_refresh *r, int failed, int fd,
    struct table_report *report)
{
	int	rv, error;

	memset(report, 0, sizeof(*report));
	errno = failed;
	rv = failed != 0 ? -1 : table_load_fd(r->table, fd, report);
	error = errno;
	r->asked = 0;
	r->known = rv != -1 || error != EAGAIN;
	r->answered = r->now();
	if (rv == -1 && error != EAGAIN)
		table_unload(r->table, strerror(error));
	answer_all(r, NULL);
	errno = error;
	return (rv);
}
