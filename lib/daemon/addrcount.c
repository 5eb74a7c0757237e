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
#define KEY_BYTES	9		/* 8 of an address, and of what */

struct entry {
	LIST_ENTRY(entry) link;
	unsigned char	 key[KEY_BYTES];
	struct entry	*net;		/* of an address; NULL: is one */
	unsigned int	 n;
};
LIST_HEAD(bucket, entry);

struct addrcount {
	struct bucket	 buckets[BUCKETS];
	uint32_t	 seed;
};

static int	make_keys(const struct sockaddr *, unsigned char *,
		    unsigned char *);
static struct entry *get(struct addrcount *, const unsigned char *);
static void	forget(struct entry *);
static struct bucket *find_bucket(struct addrcount *, const unsigned char *);

struct addrcount *
addrcount_new(void)
{
	struct addrcount *a;

	if ((a = calloc(1, sizeof(*a))) == NULL)
		return (NULL);
	a->seed = arc4random();
	return (a);
}

static enum addrcount_result
add(struct addrcount *a, const unsigned char *key, unsigned int max,
    const unsigned char *netkey, unsigned int max_net, void **keyp)
{
	enum addrcount_result r = ADDRCOUNT_OK;
	struct entry *e, *net;

	if ((net = get(a, netkey)) == NULL)
		return (ADDRCOUNT_MEMORY);
	if ((e = get(a, key)) == NULL)
		r = ADDRCOUNT_MEMORY;
	else if (max != 0 && e->n >= max)
		r = ADDRCOUNT_ADDRESS;
	else if (max_net != 0 && net->n >= max_net)
		r = ADDRCOUNT_NETWORK;
	if (r != ADDRCOUNT_OK) {
		forget(e);
		forget(net);
		return (r);
	}
	e->net = net;
	e->n++;
	net->n++;
	*keyp = e;
	return (r);
}

enum addrcount_result
addrcount_add(struct addrcount *a, const struct sockaddr *sa, unsigned int max,
    unsigned int max_net, void **keyp)
{
	unsigned char key[KEY_BYTES], netkey[KEY_BYTES];

	*keyp = NULL;
	if (make_keys(sa, key, netkey) == -1)
		return (ADDRCOUNT_OK);
	return (add(a, key, max, netkey, max_net, keyp));
}

/* All local users are one network, which has no limit. */
enum addrcount_result
addrcount_add_uid(struct addrcount *a, uid_t uid, unsigned int max,
    void **keyp)
{
	unsigned char key[KEY_BYTES] = { 0 }, netkey[KEY_BYTES] = { 0 };

	*keyp = NULL;
	memcpy(key, &uid, sizeof(uid) < 8 ? sizeof(uid) : 8);
	key[8] = 'u';
	netkey[8] = 'u' | 0x80;
	return (add(a, key, max, netkey, 0, keyp));
}

void
addrcount_drop(struct addrcount *a, void *key)
{
	struct entry *e = key, *net;

	(void)a;
	if (e == NULL)
		return;
	net = e->net;
	e->n--;
	net->n--;
	forget(e);
	forget(net);
}

unsigned int
addrcount_address(const void *key)
{
	const struct entry *e = key;

	return (e == NULL ? 0 : e->n);
}

unsigned int
addrcount_network(const void *key)
{
	const struct entry *e = key;

	return (e == NULL ? 0 : e->net->n);
}

static struct entry *
get(struct addrcount *a, const unsigned char *key)
{
	struct bucket *b = find_bucket(a, key);
	struct entry *e;

	LIST_FOREACH(e, b, link) {
		if (memcmp(e->key, key, KEY_BYTES) == 0)
			return (e);
	}
	if ((e = calloc(1, sizeof(*e))) == NULL)
		return (NULL);
	memcpy(e->key, key, KEY_BYTES);
	LIST_INSERT_HEAD(b, e, link);
	return (e);
}

static void
forget(struct entry *e)
{
	if (e == NULL || e->n > 0)
		return;
	LIST_REMOVE(e, link);
	free(e);
}

/* A mapped IPv4 address is the IPv4 client that it is. */
static int
make_keys(const struct sockaddr *sa, unsigned char *key, unsigned char *netkey)
{
	const struct sockaddr_in *in;
	const struct sockaddr_in6 *in6;
	size_t bytes = 8, netbytes = 6;

	memset(key, 0, KEY_BYTES);
	memset(netkey, 0, KEY_BYTES);
	if (sa->sa_family == AF_INET) {
		in = (const struct sockaddr_in *)(const void *)sa;
		memcpy(key, &in->sin_addr, 4);
	} else if (sa->sa_family == AF_INET6) {
		in6 = (const struct sockaddr_in6 *)(const void *)sa;
		if (!IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) {
			memcpy(key, in6->sin6_addr.s6_addr, bytes);
			key[8] = 6;
		} else
			memcpy(key, in6->sin6_addr.s6_addr + 12, 4);
	} else
		return (-1);
	if (key[8] == 0)
		netbytes = 3;
	memcpy(netkey, key, netbytes);
	netkey[8] = key[8] | 0x80;
	return (0);
}

/* FNV-1a from a random start. */
static struct bucket *
find_bucket(struct addrcount *a, const unsigned char *key)
{
	uint32_t h = 2166136261u ^ a->seed;
	size_t i;

	for (i = 0; i < KEY_BYTES; i++)
		h = (h ^ key[i]) * 16777619u;
	return (&a->buckets[(h ^ h >> 16) % BUCKETS]);
}
