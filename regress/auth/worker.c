/*
 * worker: results come back, the queue has an end, and one address does not
 * hold up another.
 */
#include <errno.h>
#include <event2/event.h>

#include "auth/worker.h"
#include "os/compat.h"
#include "../test.h"

#define SLOW	"$2b$04$abcdefghijklmnopqrstuufznL8bkzdtHwLhca4To/v9Lo9bA7fR6"

static struct event_base	*base;
static struct worker_result	 last;
static int			 done, order[3 * WORKER_LINE];

static void
finished(void *arg, const struct worker_result *r)
{
	last = *r;
	if (done < (int)(sizeof(order) / sizeof(order[0])))
		order[done] = *(int *)arg;
	done++;
}

/* Run until n more jobs are done, at most some seconds. */
static int
wait_for(int n)
{
	struct timeval	tv = { 20, 0 };
	int		want = done + n;

	if (event_base_loopexit(base, &tv) == -1)
		return (0);
	while (done < want && !event_base_got_exit(base))
		if (event_base_loop(base, EVLOOP_ONCE) != 0)
			return (0);
	return (done == want);
}

static void
test_results(struct workers *w)
{
	const char	*hashes[] = { "{PLAIN}a", "{SMD5}x", "{PLAIN}b" };
	int		 id = 1;

	TEST("submit", workers_submit(w, "a", "b", hashes, 3, &id) == 0);
	TEST("result", wait_for(1) && last.match == 2 && last.unusable == 1 &&
	    last.failed == 0);
	workers_submit(w, "a", "a", hashes, 3, &id);
	TEST("first-match", wait_for(1) && last.match == 0 &&
	    last.unusable == 0);
	workers_submit(w, "a", "c", hashes, 3, &id);
	TEST("no-match", wait_for(1) && last.match == -1);
	workers_submit(w, "a", "c", hashes, 0, &id);
	TEST("no-hashes", wait_for(1) && last.match == -1);
	errno = 0;
	TEST("too-many-hashes", workers_submit(w, "a", "c", hashes,
	    WORKER_HASHES + 1, &id) == -1 && errno == EINVAL);
}

/* One address fills its line; a job of another is done among the first. */
static void
test_fair(struct workers *w)
{
	const char	*slow = SLOW;
	int		 i, evil = 1, good = 2, ok = 0, accepted = 0;

	done = 0;
	for (i = 0; i < 2 * WORKER_LINE; i++)
		accepted += workers_submit(w, "evil", "x", &slow, 1,
		    &evil) == 0;
	TEST("line-full", errno == EAGAIN && accepted >= WORKER_LINE &&
	    accepted < 2 * WORKER_LINE);
	TEST("line-other", workers_submit(w, "good", "x", &slow, 1, &good) ==
	    0);
	TEST("fair-all", wait_for(accepted + 1));
	for (i = 0; i <= accepted / 2 && !ok; i++)
		ok = order[i] == good;
	TEST("fair", ok);
	TEST("empty-again", workers_queued(w) == 0);
}

static void
test_queue(struct workers *w)
{
	const char	*slow = SLOW;
	char		 name[32];
	int		 i, id = 1, accepted = 0;

	for (i = 0; i < 3 * WORKER_QUEUE; i++) {
		snprintf(name, sizeof(name), "addr%d", i);
		accepted += workers_submit(w, name, "x", &slow, 1, &id) == 0;
	}
	TEST("queue-full", accepted >= WORKER_QUEUE &&
	    accepted < 3 * WORKER_QUEUE &&
	    workers_queued(w) <= WORKER_QUEUE);
}

int
main(void)
{
	struct workers	*w;

	if ((base = event_base_new()) == NULL)
		return (1);
	w = workers_new(base, 2, finished);
	TEST("new", w != NULL);
	test_results(w);
	test_fair(w);
	test_queue(w);
	workers_free(w);	/* with a full queue */
	workers_free(NULL);
	TEST("free", 1);
	w = workers_new(base, 100, finished);
	TEST("new-most", w != NULL);
	workers_free(w);
	event_base_free(base);
	TEST_DONE();
}
