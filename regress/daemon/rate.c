/*
 * rate: a burst, then no more; keys for themselves; the burst comes back.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/rate.h"
#include "../test.h"

static void
test_burst(void)
{
	struct rate	*r;
	int		 i, good = 1;

	if ((r = rate_new(10, 3600)) == NULL)
		exit(2);
	for (i = 0; i < 10; i++)
		good &= rate_take(r, "a", 1) == 0;
	TEST("ten at once", good);
	TEST("an eleventh", rate_take(r, "a", 1) == -1);
	TEST("what is refused costs nothing", rate_take(r, "a", 1) == -1);
	TEST("another key", rate_take(r, "b", 10) == 0);
	TEST("and no more of it", rate_take(r, "b", 1) == -1);
	TEST("too many at once", rate_take(r, "c", 11) == -1);
	TEST("but ten", rate_take(r, "c", 10) == 0);
	TEST("keys with one beginning", rate_take(r, "aa", 1) == 0 &&
	    rate_take(r, "", 1) == 0);
}

static void
test_back(void)
{
	struct rate	*r;

	if ((r = rate_new(5, 1)) == NULL)
		exit(2);
	TEST("all", rate_take(r, "a", 5) == 0);
	TEST("none left", rate_take(r, "a", 1) == -1);
	usleep(450000);
	TEST("two have come back", rate_take(r, "a", 2) == 0);
	TEST("not all", rate_take(r, "a", 3) == -1);
}

/* More keys than it holds: it goes on, and knows the newest. */
static void
test_many(void)
{
	struct rate	*r;
	char		 key[32];
	int		 i, good = 1;

	if ((r = rate_new(1, 3600)) == NULL)
		exit(2);
	for (i = 0; i < 100000; i++) {
		snprintf(key, sizeof(key), "%d", i);
		good &= rate_take(r, key, 1) == 0;
	}
	TEST("many keys", good);
	TEST("the last one is known", rate_take(r, key, 1) == -1);
	TEST("the first one is forgotten", rate_take(r, "0", 1) == 0);
}

int
main(void)
{
	test_burst();
	test_back();
	test_many();
	TEST_DONE();
}
