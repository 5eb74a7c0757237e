/*
 * seeds: UIDs that messages had before the index was made.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "os/compat.h"
#include "store/seeds.h"

static int
seed_match(void *arg, uint32_t value, const char *name, size_t len)
{
	const struct seeds *s = arg;

	return (s->list[value].namelen == len &&
	    memcmp(s->names + s->list[value].name, name, len) == 0);
}

void
seeds_free(struct seeds *s)
{
	free(s->list);
	free(s->names);
	nametab_free(&s->tab);
	memset(s, 0, sizeof(*s));
}

static int
seeds_room(struct seeds *s, size_t len)
{
	size_t cap;
	void *p;

	if (s->n == s->cap) {
		cap = s->cap == 0 ? 64 : s->cap * 2;
		if ((p = reallocarray(s->list, cap, sizeof(*s->list))) == NULL)
			return (-1);
		s->list = p;
		s->cap = cap;
	}
	if (len > s->namescap - s->nameslen) {
		cap = s->namescap == 0 ? 4096 : s->namescap * 2;
		if (cap - s->nameslen < len)
			cap = s->nameslen + len;
		if ((p = realloc(s->names, cap)) == NULL)
			return (-1);
		s->names = p;
		s->namescap = cap;
	}
	return (0);
}

struct seed *
seeds_add(struct seeds *s, const char *name, size_t len, uint32_t uid)
{
	struct seed *seed;

	if (s->n >= SEEDS_MAX || uid == 0) {
		errno = EINVAL;
		return (NULL);
	}
	if (seeds_room(s, len) == -1)
		return (NULL);
	seed = &s->list[s->n];
	seed->uid = uid;
	seed->saved = 0;
	seed->size = UINT64_MAX;
	seed->emailid = 0;
	seed->name = s->nameslen;
	seed->namelen = len;
	seed->pop3len = 0;
	memcpy(s->names + s->nameslen, name, len);
	if (nametab_add(&s->tab, name, len, (uint32_t)s->n) == -1)
		return (NULL);
	s->nameslen += len;
	s->n++;
	return (seed);
}

int
seeds_pop3(struct seeds *s, const char *id, size_t len)
{
	if (seeds_room(s, len) == -1)
		return (-1);
	s->list[s->n - 1].pop3 = s->nameslen;
	s->list[s->n - 1].pop3len = len;
	memcpy(s->names + s->nameslen, id, len);
	s->nameslen += len;
	return (0);
}

const struct seed *
seeds_find(const struct seeds *s, const char *name, size_t len)
{
	struct seeds *arg;
	uint32_t value;

	/* The match function only reads. */
	memcpy(&arg, &s, sizeof(arg));
	if (nametab_find(&s->tab, name, len, seed_match, arg, &value) == -1)
		return (NULL);
	return (&s->list[value]);
}
