/*
 * cache: see cache.h.  The key of the digests is made at start and never
 * leaves the process.
 */
#include <stdlib.h>
#include <string.h>

#include "auth/cache.h"
#include "auth/lru.h"
#include "os/compat.h"

struct cache {
	unsigned char	 key[MAC_SIZE];
	struct lru	*good;
	struct lru	*bad;
};

struct verdict {
	int64_t		until;
};

struct cache *
cache_new(void)
{
	struct cache	*c;

	if ((c = calloc(1, sizeof(*c))) == NULL)
		return (NULL);
	arc4random_buf(c->key, sizeof(c->key));
	c->good = lru_new(CACHE_GOOD, sizeof(struct verdict));
	c->bad = lru_new(CACHE_BAD, sizeof(struct verdict));
	if (c->good == NULL || c->bad == NULL) {
		cache_free(c);
		return (NULL);
	}
	return (c);
}

void
cache_free(struct cache *c)
{
	if (c == NULL)
		return;
	lru_free(c->good);
	lru_free(c->bad);
	freezero(c, sizeof(*c));
}

static int
digest(const struct cache *c, const struct cache_login *l,
    unsigned char mac[MAC_SIZE])
{
	const char	*strings[5];

	strings[0] = l->user;
	strings[1] = l->pass;
	strings[2] = l->proto;
	strings[3] = l->addr;
	strings[4] = l->hash;
	return (mac_strings(c->key, strings, 5, mac));
}

enum cache_verdict
cache_get(struct cache *c, const struct cache_login *l, int64_t now)
{
	unsigned char	 mac[MAC_SIZE];
	struct verdict	*v;

	if (digest(c, l, mac) == -1)
		return (CACHE_UNKNOWN);
	if ((v = lru_get(c->good, mac)) != NULL && now < v->until)
		return (CACHE_RIGHT);
	if ((v = lru_get(c->bad, mac)) != NULL && now < v->until)
		return (CACHE_WRONG);
	return (CACHE_UNKNOWN);
}

/* Not being able to remember a verdict does no harm. */
void
cache_put(struct cache *c, const struct cache_login *l,
    enum cache_verdict verdict, int64_t now)
{
	unsigned char	 mac[MAC_SIZE];
	struct verdict	*v;

	if (verdict == CACHE_UNKNOWN || digest(c, l, mac) == -1)
		return;
	v = lru_put(verdict == CACHE_RIGHT ? c->good : c->bad, mac);
	if (v != NULL)
		v->until = now + CACHE_TTL;
}
