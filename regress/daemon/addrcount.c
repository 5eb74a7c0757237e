/*
 * addrcount: connections of an address and of its network, in both families.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/addrcount.h"
#include "net/addr.h"
#include "../test.h"

static struct addrcount	*counts;

static enum addrcount_result
add(const char *text, unsigned int max, unsigned int max_net, void **key)
{
	struct sockaddr_storage	ss;
	socklen_t		len;

	if (addr_parse(text, 25, &ss, &len) == -1)
		exit(2);
	return (addrcount_add(counts, (struct sockaddr *)&ss, max, max_net,
	    key));
}

static void
test_address(void)
{
	void	*a, *b, *c;

	TEST("first", add("192.0.2.1", 2, 0, &a) == ADDRCOUNT_OK);
	TEST("second", add("192.0.2.1", 2, 0, &b) == ADDRCOUNT_OK);
	TEST("count", addrcount_address(a) == 2);
	TEST("third", add("192.0.2.1", 2, 0, &c) == ADDRCOUNT_ADDRESS);
	TEST("no key", c == NULL);
	TEST("mapped", add("::ffff:192.0.2.1", 2, 0, &c) ==
	    ADDRCOUNT_ADDRESS);
	TEST("any number", add("192.0.2.1", 0, 0, &c) == ADDRCOUNT_OK);
	addrcount_drop(counts, c);
	addrcount_drop(counts, b);
	TEST("room again", add("192.0.2.1", 2, 0, &b) == ADDRCOUNT_OK);
	addrcount_drop(counts, b);
	addrcount_drop(counts, a);
	addrcount_drop(counts, NULL);
}

static void
test_network(const char *name, const char *one, const char *two,
    const char *other)
{
	void	*a, *b, *c;

	TEST(name, add(one, 5, 2, &a) == ADDRCOUNT_OK &&
	    add(two, 5, 2, &b) == ADDRCOUNT_OK);
	TEST(name, addrcount_network(a) == 2 && addrcount_address(a) == 1);
	TEST(name, add(two, 5, 2, &c) == ADDRCOUNT_NETWORK);
	TEST(name, add(other, 5, 2, &c) == ADDRCOUNT_OK);
	addrcount_drop(counts, c);
	addrcount_drop(counts, a);
	TEST(name, add(two, 5, 2, &a) == ADDRCOUNT_OK);
	addrcount_drop(counts, a);
	addrcount_drop(counts, b);
}

static void
test_v6(void)
{
	void	*a, *b;

	TEST("first of a /64", add("2001:db8:1:2::1", 1, 0, &a) ==
	    ADDRCOUNT_OK);
	TEST("the same /64", add("2001:db8:1:2:3:4:5:6", 1, 0, &b) ==
	    ADDRCOUNT_ADDRESS);
	TEST("another /64", add("2001:db8:1:3::1", 1, 0, &b) ==
	    ADDRCOUNT_OK);
	addrcount_drop(counts, a);
	addrcount_drop(counts, b);
}

static void
test_local(void)
{
	struct sockaddr	sa = { .sa_family = AF_UNIX };
	void		*key = &sa;

	TEST("a local socket is not counted", addrcount_add(counts, &sa, 1, 1,
	    &key) == ADDRCOUNT_OK && key == NULL);
	TEST("and can be dropped", addrcount_address(key) == 0);
	addrcount_drop(counts, key);
}

int
main(void)
{
	if ((counts = addrcount_new()) == NULL)
		return (2);
	test_address();
	test_network("a /24", "192.0.2.1", "192.0.2.254", "192.0.3.1");
	test_network("a /48", "2001:db8:1:2::1", "2001:db8:1:ffff::1",
	    "2001:db8:2::1");
	test_v6();
	test_local();
	TEST_DONE();
}
