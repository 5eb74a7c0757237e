/*
 * addrcount: how many connections each client address has now.
 *
 * A hash table with a seed of its own, so that nobody outside can choose
 * addresses that meet in one place.
 */
#include "os/compat.h"
#include <sys/socket.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/addrcount.h"

#define BUCKETS		1024
#define KEY_BYTES	8

struct entry {
	LIST_ENTRY(entry) link;
	unsigned char	 key[KEY_BYTES];
	int		 family;
	unsigned int	 n;
};
LIST_HEAD(bucket, entry);

struct addrcount {
	struct bucket	 buckets[BUCKETS];
	uint32_t	 seed;
};

static int	make_key(const struct sockaddr *, unsigned char *);
static struct bucket *find_bucket(struct addrcount *, int,
		    const unsigned char *);

struct addrcount *
addrcount_new(void)
{
	struct addrcount *a;

	if ((a = calloc(1, sizeof(*a))) == NULL)
		return (NULL);
	a->seed = arc4random();
	return (a);
}

int
addrcount_add(struct addrcount *a, const struct sockaddr *sa, unsigned int max,
    void **keyp)
{
	unsigned char key[KEY_BYTES];
	struct bucket *b;
	struct entry *e;
	int family = make_key(sa, key);

	b = find_bucket(a, family, key);
	LIST_FOREACH(e, b, link) {
		if (e->family == family && memcmp(e->key, key, KEY_BYTES) == 0)
			break;
	}
	if (e == NULL) {
		if ((e = calloc(1, sizeof(*e))) == NULL)
			return (-1);
		memcpy(e->key, key, KEY_BYTES);
		e->family = family;
		LIST_INSERT_HEAD(b, e, link);
	} else if (max != 0 && e->n >= max)
		return (-1);
	e->n++;
	*keyp = e;
	return (0);
}

void
addrcount_drop(struct addrcount *a, void *key)
{
	struct entry *e = key;

	(void)a;
	if (e == NULL || --e->n > 0)
		return;
	LIST_REMOVE(e, link);
	free(e);
}

/* A mapped IPv4 address is the IPv4 client that it is. */
static int
make_key(const struct sockaddr *sa, unsigned char *key)
{
	const struct sockaddr_in *in;
	const struct sockaddr_in6 *in6;

	memset(key, 0, KEY_BYTES);
	if (sa->sa_family == AF_INET) {
		in = (const struct sockaddr_in *)(const void *)sa;
		memcpy(key, &in->sin_addr, 4);
		return (AF_INET);
	}
	if (sa->sa_family != AF_INET6)
		return (AF_UNSPEC);
	in6 = (const struct sockaddr_in6 *)(const void *)sa;
	if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) {
		memcpy(key, in6->sin6_addr.s6_addr + 12, 4);
		return (AF_INET);
	}
	memcpy(key, in6->sin6_addr.s6_addr, KEY_BYTES);
	return (AF_INET6);
}

/* FNV-1a from a random start. */
static struct bucket *
find_bucket(struct addrcount *a, int family, const unsigned char *key)
{
	uint32_t h = 2166136261u ^ a->seed ^ (uint32_t)family;
	size_t i;

	for (i = 0; i < KEY_BYTES; i++)
		h = (h ^ key[i]) * 16777619u;
	return (&a->buckets[(h ^ h >> 16) % BUCKETS]);
}
