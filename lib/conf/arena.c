/*
 * arena: memory that is freed all at once, for what a parser drops on errors.
 */
#include <errno.h>
#include <stdint.h>

#include "os/compat.h"
#include "conf/arena.h"

struct piece {
	struct piece	*next;
	max_align_t	 mem[];
};

struct arena {
	struct piece	*pieces;
};

struct arena *
arena_new(void)
{
	return (calloc(1, sizeof(struct arena)));
}

void
arena_free(struct arena *a)
{
	struct piece *p, *next;

	if (a == NULL)
		return;
	for (p = a->pieces; p != NULL; p = next) {
		next = p->next;
		free(p);
	}
	free(a);
}

void *
arena_get(struct arena *a, size_t size)
{
	struct piece *p;

	if (size > SIZE_MAX - sizeof(*p)) {
		errno = ENOMEM;
		return (NULL);
	}
	if ((p = calloc(1, sizeof(*p) + size)) == NULL)
		return (NULL);
	p->next = a->pieces;
	a->pieces = p;
	return (p->mem);
}

char *
arena_text(struct arena *a, const char *s, size_t len)
{
	char *copy;

	if (len == SIZE_MAX || (copy = arena_get(a, len + 1)) == NULL)
		return (NULL);
	memcpy(copy, s, len);
	return (copy);
}
