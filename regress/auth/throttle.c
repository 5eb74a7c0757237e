/*
 * throttle: who is slowed down by whose guesses.
 */
#include "auth/throttle.h"
#include "os/compat.h"
#include "../test.h"

#define EVIL	"198.51.100.1"
#define HOME	"192.0.2.7"

static char	pass[16];

/* Another password each time. */
static const char *
guess(void)
{
	static int	n;

	snprintf(pass, sizeof(pass), "guess%d", n++);
	return (pass);
}

static unsigned int
fail(struct throttle *t, const char *addr, const char *user, int n,
    int64_t now)
{
	unsigned int	delay = 0;

	while (n-- > 0)
		delay = throttle_failed(t, addr, user, guess(), now);
	return (delay);
}

static void
test_delay(void)
{
	static const unsigned int	want[] = { 1, 2, 4, 8, 15, 15, 15 };
	struct throttle			*t = throttle_new();
	char				 name[32];
	size_t				 i;

	TEST("delay-none", throttle_delay(t, EVIL, 1000) == 1);
	for (i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		snprintf(name, sizeof(name), "delay-%zu", i);
		TEST(name, fail(t, EVIL, "bob", 1, 1000) == want[i]);
	}
	TEST("delay-now", throttle_delay(t, EVIL, 1000) == 15);
	TEST("delay-other", fail(t, HOME, "eve", 1, 1000) == 1);
	throttle_succeeded(t, EVIL, "carol", 1000);
	TEST("delay-after-login", fail(t, EVIL, "bob", 1, 1000) == 1);
	fail(t, EVIL, "bob", 9, 1000);
	TEST("delay-window", throttle_delay(t, EVIL, 1000 + THROTTLE_WINDOW)
	    == 1);
	TEST("delay-loopback", fail(t, "127.0.0.1", "bob", 9, 1000) == 1);
	throttle_free(t);
	throttle_free(NULL);
}

static void
test_address(void)
{
	struct throttle	*t = throttle_new();
	char		 user[16];
	int		 i;

	for (i = 0; i < THROTTLE_LIMIT; i++) {
		TEST("addr-before", !throttle_refuses(t, EVIL, "z", 1000));
		snprintf(user, sizeof(user), "u%d", i);
		fail(t, EVIL, user, 1, 1000);
	}
	TEST("addr-limit", throttle_refuses(t, EVIL, "z", 1000));
	TEST("addr-mapped", throttle_refuses(t, "::ffff:" EVIL, "z", 1000));
	TEST("addr-other", !throttle_refuses(t, HOME, "z", 1000));
	TEST("addr-window", !throttle_refuses(t, EVIL, "z",
	    1000 + THROTTLE_WINDOW));
	fail(t, "2001:db8:1:2:3:4:5:6", "a", 5, 1000);
	fail(t, "2001:db8:1:2::1", "b", 5, 1000);
	TEST("addr-64", throttle_refuses(t, "2001:db8:1:2:ffff::", "z", 1000));
	TEST("addr-next-64", !throttle_refuses(t, "2001:db8:1:3::1", "z",
	    1000));
	fail(t, "127.0.0.1", "c", 5, 1000);
	fail(t, "127.0.0.1", "d", 5, 1000);
	TEST("addr-loopback", !throttle_refuses(t, "127.0.0.1", "z", 1000));
	fail(t, "local", "e", 5, 1000);
	fail(t, "local", "f", 5, 1000);
	TEST("addr-word", throttle_refuses(t, "local", "z", 1000));
	throttle_free(t);
}

static void
test_user(void)
{
	struct throttle	*t = throttle_new();
	char		 addr[32];
	int		 i;

	throttle_succeeded(t, HOME, "bob", 900);
	for (i = 0; i < THROTTLE_LIMIT; i++) {
		snprintf(addr, sizeof(addr), "203.0.113.%d", i);
		fail(t, addr, i % 2 ? "bob" : "BOB", 1, 1000);
	}
	TEST("user-limit", throttle_refuses(t, "203.0.113.99", "Bob", 1000));
	TEST("user-other", !throttle_refuses(t, "203.0.113.99", "carol",
	    1000));
	TEST("user-known-home", !throttle_refuses(t, HOME, "bob", 1000));
	TEST("user-known-not-other", throttle_refuses(t, EVIL, "bob", 1000));
	fail(t, HOME, "bob", THROTTLE_LIMIT - 1, 1000);
	TEST("pair-before", !throttle_refuses(t, HOME, "bob", 1000));
	fail(t, HOME, "bob", 1, 1000);
	TEST("pair-limit", throttle_refuses(t, HOME, "bob", 1000));
	TEST("pair-window", !throttle_refuses(t, HOME, "bob",
	    1000 + THROTTLE_WINDOW));
	/* and it is the neighbours' guesses that the address answers for */
	throttle_succeeded(t, HOME, "dave", 1000);
	fail(t, HOME, "eve", THROTTLE_LIMIT, 1000);
	TEST("home-known", !throttle_refuses(t, HOME, "dave", 1000));
	TEST("home-unknown", throttle_refuses(t, HOME, "frank", 1000));
	TEST("home-forgotten", throttle_refuses(t, HOME, "eve",
	    1000 + THROTTLE_WINDOW - 1));
	throttle_free(t);
}

/* A client that goes on with an old password is not a guesser. */
static void
test_same_password(void)
{
	struct throttle	*t = throttle_new();
	int		 i;

	for (i = 0; i < 10 * THROTTLE_LIMIT; i++)
		throttle_failed(t, EVIL, "bob", "old", 1000);
	TEST("same-password", !throttle_refuses(t, EVIL, "bob", 1000));
	TEST("same-delay", throttle_delay(t, EVIL, 1000) == 15);
	for (i = 0; i < THROTTLE_LIMIT; i++)
		throttle_failed(t, EVIL, "bob", i % 2 ? "old" : "older", 1000);
	TEST("two-passwords", throttle_refuses(t, EVIL, "bob", 1000));
	throttle_free(t);
}

/* Addresses and names without end: known pairs stay. */
static void
test_flood(void)
{
	struct throttle	*t = throttle_new();
	char		 addr[32], user[32];
	int		 i;

	throttle_succeeded(t, HOME, "bob", 1000);
	fail(t, HOME, "eve", THROTTLE_LIMIT, 1000);
	for (i = 0; i < THROTTLE_ADDRS + 100; i++) {
		snprintf(addr, sizeof(addr), "10.%d.%d.%d", i >> 16,
		    i >> 8 & 255, i & 255);
		snprintf(user, sizeof(user), "u%d", i);
		throttle_failed(t, addr, user, "x", 1000);
	}
	TEST("flood-forgets", !throttle_refuses(t, HOME, "carol", 1000));
	fail(t, EVIL, "bob", THROTTLE_LIMIT, 1000);
	TEST("flood-known", !throttle_refuses(t, HOME, "bob", 1000));
	throttle_free(t);
}

int
main(void)
{
	test_delay();
	test_address();
	test_user();
	test_same_password();
	test_flood();
	TEST_DONE();
}
