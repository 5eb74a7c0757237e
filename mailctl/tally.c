/*
 * tally: a table by hash, open, at most half full.
 */
#include <stdlib.h>
#include <string.h>

#include "os/compat.h"
#include "tally.h"

#define FIRST	256

static size_t
hash(const char *s)
{
	size_t	h = 2166136261u;

	for (; *s != '\0'; s++)
		h = (h ^ (unsigned char)*s) * 16777619u;
	return (h);
}

/* The place of a name, or the free one where it belongs. */
static struct tally_name *
place(struct tally_name *v, size_t size, const char *name)
{
	size_t	i = hash(name) & (size - 1);

	while (v[i].name != NULL && strcmp(v[i].name, name) != 0)
		i = (i + 1) & (size - 1);
	return (&v[i]);
}

static int
grow(struct tally *t)
{
	struct tally_name	*v;
	size_t			 size = t->size == 0 ? FIRST : t->size * 2, i;

	if ((v = calloc(size, sizeof(*v))) == NULL)
		return (-1);
	for (i = 0; i < t->size; i++)
		if (t->v[i].name != NULL)
			*place(v, size, t->v[i].name) = t->v[i];
	free(t->v);
	t->v = v;
	t->size = size;
	return (0);
}

int
tally_add(struct tally *t, const char *name, unsigned long long bytes)
{
	struct tally_name	*p;

	if (t->n * 2 >= t->size && grow(t) == -1)
		return (-1);
	p = place(t->v, t->size, name);
	if (p->name == NULL) {
		if ((p->name = strdup(name)) == NULL)
			return (-1);
		t->n++;
	}
	p->n++;
	p->bytes += bytes;
	return (0);
}

static int
compare(const void *a, const void *b)
{
	const struct tally_name	*x = a, *y = b;

	if (x->name == NULL || y->name == NULL)
		return ((x->name == NULL) - (y->name == NULL));
	if (x->n != y->n)
		return (x->n > y->n ? -1 : 1);
	return (strcmp(x->name, y->name));
}

void
tally_sort(struct tally *t)
{
	if (t->size > 0)
		qsort(t->v, t->size, sizeof(*t->v), compare);
}

void
tally_free(struct tally *t)
{
	size_t	i;

	for (i = 0; i < t->size; i++)
		free(t->v[i].name);
	free(t->v);
	memset(t, 0, sizeof(*t));
}
