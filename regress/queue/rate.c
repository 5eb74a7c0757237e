/*
 * rate: reports to one address and in all.
 */
#include <stdio.h>

#include "smtpd/queue_rate.h"
#include "../test.h"

static unsigned int
many(const char *addr, unsigned int n, int64_t now)
{
	unsigned int	i, ok = 0;

	for (i = 0; i < n; i++)
		ok += (unsigned int)rate_allows(addr, now);
	return (ok);
}

int
main(void)
{
	char		addr[32];
	unsigned int	i, ok = 0;

	TEST("so many at once", many("a@b", RATE_ADDRESS + 10, 1000) ==
	    RATE_ADDRESS);
	TEST("in whatever case", many("A@B", 5, 1000) == 0);
	TEST("another address", many("c@d", 5, 1000) == 5);
	TEST("one comes back", many("a@b", 5, 1000 + 3600 / RATE_ADDRESS + 1) ==
	    1);
	TEST("all come back", many("a@b", RATE_ADDRESS + 10, 10000) ==
	    RATE_ADDRESS);
	TEST("time stands still", many("a@b", 10, 10000) == 0);
	for (i = 0; i < 2 * RATE_ALL; i++) {
		(void)snprintf(addr, sizeof(addr), "x%u@y", i);
		ok += (unsigned int)rate_allows(addr, 20000);
	}
	TEST("all together", ok == RATE_ALL);
	TEST("and later", many("new@y", 5, 20000 + 3600) == 5);
	TEST_DONE();
}
