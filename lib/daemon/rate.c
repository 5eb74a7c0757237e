/*
 * rate: for each key the time at which all that it took is paid for (the
 * generic cell rate algorithm): one number, no counting of windows.
 *
 * Keys are kept as a keyed hash in a bounded map; when it is full, the key
 * that was not seen for the longest time is forgotten, which a client can
 * bring about for himself only with that many addresses or logins.
 */
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include "auth/lru.h"
#include "daemon/rate.h"
#include "os/compat.h"

#define KEYS_MAX	65536
#define MICRO		1000000ULL

struct rate {
	struct lru	*keys;
	unsigned char	 secret[MAC_SIZE];
	uint64_t	 burst;		/* microseconds */
	uint64_t	 each;
};

struct rate *
rate_new(unsigned int count, unsigned int secs)
{
	struct rate	*r;

	if ((r = calloc(1, sizeof(*r))) == NULL)
		return (NULL);
	if ((r->keys = lru_new(KEYS_MAX, sizeof(uint64_t))) == NULL) {
		free(r);
		return (NULL);
	}
	arc4random_buf(r->secret, sizeof(r->secret));
	r->burst = secs * MICRO;
	r->each = r->burst / count;
	return (r);
}

static uint64_t
micro_now(void)
{
	struct timespec	ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ((uint64_t)ts.tv_sec * MICRO + (uint64_t)ts.tv_nsec / 1000);
}

int
rate_take(struct rate *r, const char *key, unsigned int n)
{
	unsigned char	 mac[MAC_SIZE];
	uint64_t	*paid, now = micro_now(), then;

	if (mac_strings(r->secret, &key, 1, mac) == -1 ||
	    (paid = lru_put(r->keys, mac)) == NULL)
		return (0);
	then = (*paid > now ? *paid : now) + n * r->each;
	if (then - now > r->burst)
		return (-1);
	*paid = then;
	return (0);
}
