/*
 * seen: a hash table with open addressing.  Words come from aliases and from
 * strangers, so the hash starts from a number that nobody outside knows.
 *
 * Cost of a word: one allocation, one hash, about one comparison.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "os/compat.h"
#include "rules/seen.h"

#define SLOTS_FIRST	16

void
seen_init(struct seen_set *s)
{
	memset(s, 0, sizeof(*s));
	s->seed = arc4random();
}

void
seen_free(struct seen_set *s)
{
	while (s->n > 0)
		free(s->v[--s->n]);
	free(s->v);
	free(s->slots);
}

static size_t
slot_of(const struct seen_set *s, const char *word)
{
	const char	*p;
	uint32_t	 h = s->seed;
	unsigned char	 c;
	size_t		 i;

	for (p = word; *p != '\0'; p++) {
		c = *p;
		if (c >= 'A' && c <= 'Z')
			c += 'a' - 'A';
		h = (h ^ c) * 16777619u;
	}
	i = (h ^ h >> 15) & (s->nslots - 1);
	while (s->slots[i] != 0 && strcasecmp(s->v[s->slots[i] - 1],
	    word) != 0)
		i = (i + 1) & (s->nslots - 1);
	return (i);
}

/* Room for one more, with at least half of the slots empty. */
static int
grow(struct seen_set *s)
{
	uint32_t	*slots;
	char		**v;
	size_t		 i, n = s->nslots == 0 ? SLOTS_FIRST : s->nslots * 2;

	if (s->n < s->cap)
		return (0);
	if ((v = reallocarray(s->v, n / 2, sizeof(*v))) == NULL)
		return (-1);
	s->v = v;
	if ((slots = calloc(n, sizeof(*slots))) == NULL)
		return (-1);
	free(s->slots);
	s->slots = slots;
	s->nslots = n;
	s->cap = n / 2;
	for (i = 0; i < s->n; i++)
		s->slots[slot_of(s, s->v[i])] = (uint32_t)i + 1;
	return (0);
}

int
seen_add(struct seen_set *s, const char *word)
{
	size_t	i;

	if (grow(s) == -1)
		return (-1);
	i = slot_of(s, word);
	if (s->slots[i] != 0)
		return (0);
	if ((s->v[s->n] = strdup(word)) == NULL)
		return (-1);
	s->slots[i] = (uint32_t)++s->n;
	return (1);
}
