/*
 * hash: checksums of what lies on disk, and a table from names to numbers.
 *
 * The checksums find accidents (a torn write, a flipped bit), not attacks:
 * whoever can write a user's index is that user.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "os/compat.h"
#include "store/hash.h"

#define HASH_K1	0x9e3779b97f4a7c15ULL
#define HASH_K2	0xd6e8feb86659fd93ULL

static int nametab_grow(struct nametab *);
static void nametab_put(struct nametab *, uint32_t, uint32_t);

uint64_t
hash_bytes(const void *data, size_t len)
{
	const unsigned char *p = data;
	uint64_t h = HASH_K1 ^ len, w;

	/* Each step is a bijection of h, so one changed word always shows. */
	for (; len >= sizeof(w); p += sizeof(w), len -= sizeof(w)) {
		memcpy(&w, p, sizeof(w));
		h = (h ^ w) * HASH_K2;
		h ^= h >> 31;
	}
	if (len > 0) {
		w = 0;
		memcpy(&w, p, len);
		h = (h ^ w) * HASH_K2;
		h ^= h >> 31;
	}
	h *= HASH_K1;
	return (h ^ h >> 32);
}

void
nametab_free(struct nametab *t)
{
	free(t->slots);
	memset(t, 0, sizeof(*t));
}

int
nametab_add(struct nametab *t, const char *name, size_t len, uint32_t value)
{
	if (t->used >= t->size / 2 && nametab_grow(t) == -1)
		return (-1);
	nametab_put(t, (uint32_t)hash_bytes(name, len), value + 1);
	t->used++;
	return (0);
}

int
nametab_find(const struct nametab *t, const char *name, size_t len,
    nametab_match match, void *arg, uint32_t *value)
{
	uint32_t h;
	size_t i;

	if (t->size == 0)
		return (-1);
	h = (uint32_t)hash_bytes(name, len);
	for (i = h & (t->size - 1); t->slots[i].value != 0;
	    i = (i + 1) & (t->size - 1)) {
		if (t->slots[i].hash == h &&
		    match(arg, t->slots[i].value - 1, name, len)) {
			*value = t->slots[i].value - 1;
			return (0);
		}
	}
	return (-1);
}

static int
nametab_grow(struct nametab *t)
{
	struct nametab old = *t;
	size_t i, size;

	size = old.size == 0 ? 64 : old.size * 2;
	if ((t->slots = calloc(size, sizeof(*t->slots))) == NULL) {
		t->slots = old.slots;
		return (-1);
	}
	t->size = size;
	for (i = 0; i < old.size; i++)
		if (old.slots[i].value != 0)
			nametab_put(t, old.slots[i].hash, old.slots[i].value);
	free(old.slots);
	return (0);
}

static void
nametab_put(struct nametab *t, uint32_t h, uint32_t value)
{
	size_t i;

	for (i = h & (t->size - 1); t->slots[i].value != 0;
	    i = (i + 1) & (t->size - 1))
		continue;
	t->slots[i].hash = h;
	t->slots[i].value = value;
}
