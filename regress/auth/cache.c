/*
 * cache: who is found again, who is not, and that it stays bounded.
 */
#include "auth/cache.h"
#include "auth/lru.h"
#include "os/compat.h"
#include "../test.h"

static const struct cache_login	bob = { "bob", "pw", "imap", "192.0.2.1",
	"$6$x" };

static void
test_keys(void)
{
	struct cache		*c = cache_new();
	struct cache_login	 l = bob;

	TEST("empty", cache_get(c, &bob, 0) == CACHE_UNKNOWN);
	cache_put(c, &bob, CACHE_RIGHT, 0);
	TEST("right", cache_get(c, &bob, 0) == CACHE_RIGHT);
	TEST("young", cache_get(c, &bob, CACHE_TTL - 1) == CACHE_RIGHT);
	TEST("old", cache_get(c, &bob, CACHE_TTL) == CACHE_UNKNOWN);
	l.hash = "$6$y";
	TEST("changed-hash", cache_get(c, &l, 0) == CACHE_UNKNOWN);
	l = bob;
	l.user = "bo";
	l.pass = "bpw";
	TEST("other-split", cache_get(c, &l, 0) == CACHE_UNKNOWN);
	l = bob;
	l.proto = "smtp";
	TEST("other-proto", cache_get(c, &l, 0) == CACHE_UNKNOWN);
	l = bob;
	l.addr = "192.0.2.2";
	TEST("other-addr", cache_get(c, &l, 0) == CACHE_UNKNOWN);
	l = bob;
	l.pass = "pw2";
	cache_put(c, &l, CACHE_WRONG, 0);
	TEST("wrong", cache_get(c, &l, 0) == CACHE_WRONG);
	TEST("right-still", cache_get(c, &bob, 0) == CACHE_RIGHT);
	cache_put(c, &l, CACHE_UNKNOWN, 0);
	TEST("unknown-is-nothing", cache_get(c, &l, 0) == CACHE_WRONG);
	cache_free(c);
	cache_free(NULL);
}

/* A flood of wrong passwords does not push out a right one. */
static void
test_flood(void)
{
	struct cache		*c = cache_new();
	struct cache_login	 l = bob;
	char			 pass[16], longer[5000];
	int			 i;

	cache_put(c, &bob, CACHE_RIGHT, 0);
	for (i = 0; i < CACHE_BAD + 100; i++) {
		snprintf(pass, sizeof(pass), "%d", i);
		l.pass = pass;
		cache_put(c, &l, CACHE_WRONG, 0);
	}
	TEST("flood-last", cache_get(c, &l, 0) == CACHE_WRONG);
	l.pass = "0";
	TEST("flood-first", cache_get(c, &l, 0) == CACHE_UNKNOWN);
	TEST("flood-right", cache_get(c, &bob, 0) == CACHE_RIGHT);
	memset(longer, 'x', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	l.pass = longer;
	cache_put(c, &l, CACHE_RIGHT, 0);
	TEST("too-long", cache_get(c, &l, 0) == CACHE_UNKNOWN);
	cache_free(c);
}

static void
test_lru(void)
{
	unsigned char	 key[MAC_SIZE] = { 0 };
	struct lru	*l = lru_new(100, sizeof(int));
	int		*v, i, ok = 1;

	for (i = 0; i < 1000; i++) {
		memcpy(key, &i, sizeof(i));
		if ((v = lru_put(l, key)) == NULL || *v != 0)
			ok = 0;
		else
			*v = i;
		/* the first is used all the time */
		memset(key, 0, sizeof(key));
		if ((v = lru_get(l, key)) == NULL || *v != 0)
			ok = 0;
	}
	TEST("lru-used-stays", ok);
	TEST("lru-bound", lru_count(l) == 100);
	for (i = 901, ok = 1; i < 1000; i++) {
		memcpy(key, &i, sizeof(i));
		if ((v = lru_get(l, key)) == NULL || *v != i)
			ok = 0;
	}
	TEST("lru-newest", ok);
	i = 900;
	memcpy(key, &i, sizeof(i));
	TEST("lru-oldest-gone", lru_get(l, key) == NULL);
	lru_free(l);
}

int
main(void)
{
	test_keys();
	test_flood();
	test_lru();
	TEST_DONE();
}
