/*
 * seqset: parsed once, then ordered, so that a look-up is a binary search
 * whatever the client wrote.
 */
#include <stdlib.h>
#include <string.h>

#include "imap/seqset.h"
#include "os/compat.h"

static int
set_number(struct imap_parser *p, uint32_t *n)
{
	if (imap_accept(p, '*')) {
		*n = IMAP_STAR;
		return (0);
	}
	return (imap_nznumber(p, n));
}

static int
grow(struct imap_seqset *s, size_t *room)
{
	struct imap_range *v;
	size_t want = *room == 0 ? 4 : *room * 2;

	if (s->n < *room)
		return (0);
	if (s->n >= IMAP_RANGES_MAX)
		return (-1);
	if ((v = reallocarray(s->v, want, sizeof(*v))) == NULL)
		return (-1);
	s->v = v;
	*room = want;
	return (0);
}

int
imap_seqset(struct imap_parser *p, struct imap_seqset *s)
{
	struct imap_range r;
	size_t room = 0;

	memset(s, 0, sizeof(*s));
	if (imap_accept(p, '$')) {	/* RFC 5182 */
		s->saved = 1;
		return (0);
	}
	do {
		if (set_number(p, &r.first) == -1)
			return (-1);
		r.last = r.first;
		if (imap_accept(p, ':') && set_number(p, &r.last) == -1)
			return (-1);
		if (grow(s, &room) == -1)
			return (imap_error(p, "too many ranges"));
		s->v[s->n++] = r;
	} while (imap_accept(p, ','));
	return (0);
}

void
imap_seqset_free(struct imap_seqset *s)
{
	free(s->v);
	memset(s, 0, sizeof(*s));
}

static int
range_cmp(const void *va, const void *vb)
{
	const struct imap_range *a = va, *b = vb;

	if (a->first != b->first)
		return (a->first < b->first ? -1 : 1);
	return (a->last < b->last ? -1 : a->last > b->last);
}

uint32_t
imap_seqset_resolve(struct imap_seqset *s, uint32_t star)
{
	struct imap_range *r;
	uint32_t swap;
	size_t i, n = 0;

	for (i = 0; i < s->n; i++) {
		r = &s->v[i];
		if (r->first == IMAP_STAR)
			r->first = star;
		if (r->last == IMAP_STAR)
			r->last = star;
		if (r->first > r->last) {
			swap = r->first;
			r->first = r->last;
			r->last = swap;
		}
	}
	if (s->n == 0)
		return (0);
	qsort(s->v, s->n, sizeof(*s->v), range_cmp);
	for (i = 1; i < s->n; i++) {
		r = &s->v[n];
		if (r->last == UINT32_MAX || s->v[i].first <= r->last + 1) {
			if (s->v[i].last > r->last)
				r->last = s->v[i].last;
		} else
			s->v[++n] = s->v[i];
	}
	s->n = n + 1;
	return (s->v[n].last);
}

size_t
imap_seqset_find(const struct imap_seqset *s, uint32_t n)
{
	size_t lo = 0, hi = s->n, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (s->v[mid].last < n)
			lo = mid + 1;
		else
			hi = mid;
	}
	return (lo);
}

int
imap_seqset_has(const struct imap_seqset *s, uint32_t n)
{
	size_t i = imap_seqset_find(s, n);

	return (i < s->n && s->v[i].first <= n);
}

uint32_t
imap_seqset_next(const struct imap_seqset *s, uint32_t n)
{
	size_t i = imap_seqset_find(s, n);

	if (i == s->n)
		return (0);
	return (s->v[i].first > n ? s->v[i].first : n);
}
