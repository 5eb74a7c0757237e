/*
 * view: the messages that one connection was told of, by their numbers.
 */
#include <string.h>

#include "stress.h"

void
view_clear(struct view *v)
{
	v->n = 0;
}

void
view_exists(struct view *v, size_t n)
{
	if (n <= v->n)
		return;
	v->m = grown(v->m, n, sizeof(v->m[0]), &v->room);
	memset(v->m + v->n, 0, (n - v->n) * sizeof(v->m[0]));
	v->n = n;
}

void
view_copy(struct view *to, const struct view *from)
{
	view_clear(to);
	view_exists(to, from->n);
	if (from->n > 0)
		memcpy(to->m, from->m, from->n * sizeof(to->m[0]));
}

void
view_remove(struct view *v, size_t i)
{
	v->n--;
	memmove(v->m + i, v->m + i + 1, (v->n - i) * sizeof(v->m[0]));
}

size_t
view_at(const struct view *v, uint32_t uid, int *found)
{
	size_t i;

	/* Those without a UID are behind, but for the time of an answer. */
	for (i = 0; i < v->n && (v->m[i].uid == 0 || v->m[i].uid < uid); i++)
		continue;
	*found = i < v->n && v->m[i].uid == uid;
	return (i);
}

int
view_complete(const struct view *v)
{
	size_t i;

	for (i = 0; i < v->n; i++)
		if (v->m[i].uid == 0 || !v->m[i].have_flags)
			return (0);
	return (1);
}

/* As a client that will come back with QRESYNC. */
void
view_save(struct conn *c)
{
	struct saved *s;

	if (c->box == NULL || !c->qresync || c->highest == 0 ||
	    !view_complete(&c->view))
		return;
	s = &c->saved[box_index(c->box)];
	s->valid = 1;
	s->uidvalidity = c->box->uidvalidity;
	s->modseq = c->highest;
	view_copy(&s->v, &c->view);
}

void
view_leave(struct conn *c)
{
	view_save(c);
	c->box = NULL;
	c->verify = 0;
	view_clear(&c->view);
}
