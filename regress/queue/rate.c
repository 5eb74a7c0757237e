/*
 * rate: reports to one address and in all.
 */
#include <stdio.h>

#include "smtpd/queue_rate.h"
#include "../test.h"

#define RATE_ADDRESS	50
#define RATE_ALL	2000

static int
allows(const char *addr, int64_t now)
{
	return (rate_allows(addr, RATE_ADDRESS, RATE_ALL, now));
}

static unsigned int
many(const char *addr, unsigned int n, int64_t now)
{
	unsigned int	i, ok = 0;

	for (i = 0; i < n; i++)
		ok += allows(addr, now) == 1;
	return (ok);
}

int
main(void)
{
	char		addr[32];
	unsigned int	i, ok = 0;

	TEST("so many at once", many("a@b", RATE_ADDRESS + 10, 1000) ==
	    RATE_ADDRESS);
	TEST("not this address", allows("a@b", 1000) == 0);
	TEST("in whatever case", many("A@B", 5, 1000) == 0);
	TEST("another address", many("c@d", 5, 1000) == 5);
	TEST("one comes back", many("a@b", 5, 1000 + 3600 / RATE_ADDRESS + 1) ==
	    1);
	TEST("all come back", many("a@b", RATE_ADDRESS + 10, 10000) ==
	    RATE_ADDRESS);
	TEST("time stands still", many("a@b", 10, 10000) == 0);
	for (i = 0; i < 2 * RATE_ALL; i++) {
		(void)snprintf(addr, sizeof(addr), "x%u@y", i);
		ok += allows(addr, 20000) == 1;
	}
	TEST("all together", ok == RATE_ALL);
	TEST("nobody", allows("other@y", 20000) == -1);
	TEST("and later", many("new@y", 5, 20000 + 3600) == 5);
	TEST_DONE();
}
