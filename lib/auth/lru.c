/*
 * lru: keys are digests under a key of ours, so their first bytes are as good
 * a hash as any and nobody can aim at one bucket.
 */
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "auth/lru.h"
#include "os/compat.h"

struct item {
	TAILQ_ENTRY(item)	 order;
	LIST_ENTRY(item)	 chain;
	unsigned char		 key[MAC_SIZE];
	max_align_t		 value[];
};
LIST_HEAD(chain, item);
TAILQ_HEAD(items, item);

struct lru {
	struct items		 order;		/* the last used first */
	struct chain		*chains;
	size_t			 nchains;	/* a power of two */
	size_t			 n, max, valsize;
};

struct lru *
lru_new(size_t max, size_t valsize)
{
	struct lru	*l;

	if ((l = calloc(1, sizeof(*l))) == NULL)
		return (NULL);
	for (l->nchains = 16; l->nchains < max / 2;)
		l->nchains *= 2;
	if ((l->chains = calloc(l->nchains, sizeof(*l->chains))) == NULL) {
		free(l);
		return (NULL);
	}
	TAILQ_INIT(&l->order);
	l->max = max;
	l->valsize = valsize;
	return (l);
}

static void
drop(struct lru *l, struct item *it)
{
	TAILQ_REMOVE(&l->order, it, order);
	LIST_REMOVE(it, chain);
	freezero(it, sizeof(*it) + l->valsize);
	l->n--;
}

void
lru_free(struct lru *l)
{
	struct item	*it;

	if (l == NULL)
		return;
	while ((it = TAILQ_FIRST(&l->order)) != NULL)
		drop(l, it);
	free(l->chains);
	free(l);
}

static struct chain *
chain_of(struct lru *l, const unsigned char key[MAC_SIZE])
{
	uint32_t	h;

	memcpy(&h, key, sizeof(h));
	return (&l->chains[h & (l->nchains - 1)]);
}

void *
lru_get(struct lru *l, const unsigned char key[MAC_SIZE])
{
	struct item	*it;

	LIST_FOREACH(it, chain_of(l, key), chain)
		if (memcmp(it->key, key, MAC_SIZE) == 0)
			break;
	if (it == NULL)
		return (NULL);
	TAILQ_REMOVE(&l->order, it, order);
	TAILQ_INSERT_HEAD(&l->order, it, order);
	return (it->value);
}

void *
lru_put(struct lru *l, const unsigned char key[MAC_SIZE])
{
	struct item	*it;
	void		*value;

	if ((value = lru_get(l, key)) != NULL)
		return (value);
	if (l->n >= l->max)
		drop(l, TAILQ_LAST(&l->order, items));
	if ((it = calloc(1, sizeof(*it) + l->valsize)) == NULL)
		return (NULL);
	memcpy(it->key, key, MAC_SIZE);
	LIST_INSERT_HEAD(chain_of(l, key), it, chain);
	TAILQ_INSERT_HEAD(&l->order, it, order);
	l->n++;
	return (it->value);
}

size_t
lru_count(const struct lru *l)
{
	return (l->n);
}

int
mac_strings(const unsigned char key[MAC_SIZE], const char *const *strings,
    size_t n, unsigned char out[MAC_SIZE])
{
	unsigned char	text[MAC_INPUT];
	unsigned int	outlen = 0;
	size_t		i, len, used = 0;
	int		rv = -1;

	for (i = 0; i < n; i++) {
		len = strlen(strings[i]) + 1;
		if (len > sizeof(text) - used)
			goto done;
		memcpy(text + used, strings[i], len);
		used += len;
	}
	if (HMAC(EVP_sha256(), key, MAC_SIZE, text, used, out, &outlen) !=
	    NULL && outlen == MAC_SIZE)
		rv = 0;
done:
	explicit_bzero(text, used);
	return (rv);
}
