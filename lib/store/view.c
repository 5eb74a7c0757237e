/*
 * view: the messages that one struct mailbox has been told of.
 *
 * UIDs and slots ascend together, so entries are found by bisection, and new
 * ones are always at the end.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "os/compat.h"
#include "store/files.h"
#include "store/view.h"

#define VIEW_CHANGES	256	/* from the log; more: look at each message */

static enum store_error view_changed(struct mailbox *, struct view_entry *,
    struct view_delta *);
static enum store_error view_look(struct mailbox *, uint64_t,
    struct view_delta *);
static enum store_error view_add(struct mailbox *, uint32_t,
    struct view_delta *);
static enum store_error view_drop(struct mailbox *, struct view_delta *);
static struct view_entry *view_find(struct mailbox *, uint32_t);

struct view_entry *
view_entry(struct mailbox *mb, uint32_t seq)
{
	return (seq == 0 || seq > mb->n ? NULL : &mb->list[seq - 1]);
}

enum store_error
view_fresh(struct mailbox *mb)
{
	struct folder *f = mb->f;
	struct index_mut m;
	uint32_t i, s = 0, slots = f->ix.hdr.slots;

	if (mb->epoch == f->epoch)
		return (STORE_OK);
	if (mb->uidvalidity != 0 && mb->uidvalidity != f->ix.hdr.uidvalidity)
		return (STORE_CORRUPT);		/* nothing that we told holds */
	for (i = 0; i < mb->n; i++) {
		while (s < slots && index_uid(&f->ix, s) < mb->list[i].uid)
			s = index_next(&f->ix, s);
		if (s < slots && index_uid(&f->ix, s) == mb->list[i].uid &&
		    index_get(&f->ix, s, &m) == 0 && (m.state & REC_LIVE)) {
			mb->list[i].slot = s;
			continue;
		}
		mb->list[i].slot = UINT32_MAX;
		mb->ngone += !mb->list[i].gone;
		mb->list[i].gone = 1;
	}
	/* What is behind our last UID is new to us. */
	while (s < slots && (mb->n == 0 ||
	    index_uid(&f->ix, s) <= mb->list[mb->n - 1].uid))
		s = mb->n == 0 ? slots : index_next(&f->ix, s);
	if (mb->n == 0)
		for (s = 0; s < slots && index_uid(&f->ix, s) < mb->uidnext;)
			s = index_next(&f->ix, s);
	mb->slots = s;
	mb->epoch = f->epoch;
	return (STORE_OK);
}

static struct view_entry *
view_find(struct mailbox *mb, uint32_t slot)
{
	uint32_t lo = 0, hi = mb->n, mid, uid = index_uid(&mb->f->ix, slot);

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (mb->list[mid].uid < uid)
			lo = mid + 1;
		else
			hi = mid;
	}
	return (lo < mb->n && mb->list[lo].uid == uid ? &mb->list[lo] : NULL);
}

enum store_error
view_collect(struct mailbox *mb, int no_expunge, struct view_delta *d)
{
	struct folder *f = mb->f;
	enum store_error error;
	uint64_t modseq;
	uint32_t s, slots;

	memset(d, 0, sizeof(*d));
	if ((error = view_fresh(mb)) != STORE_OK)
		return (error);
	modseq = f->ix.hdr.modseq;
	slots = f->ix.hdr.slots;
	mb->uidvalidity = f->ix.hdr.uidvalidity;
	mb->uidnext = f->ix.hdr.uidnext;
	if (modseq != mb->modseq && mb->n > 0)
		error = view_look(mb, mb->modseq, d);
	if (error == STORE_OK && !no_expunge && mb->ngone > 0)
		error = view_drop(mb, d);
	for (s = mb->slots; error == STORE_OK && s < slots;
	    s = index_next(&f->ix, s))
		error = view_add(mb, s, d);
	if (error == STORE_OK) {
		mb->slots = slots;
		mb->modseq = modseq;
	}
	return (error);
}

/* Which of our messages changed after modseq? */
static enum store_error
view_look(struct mailbox *mb, uint64_t modseq, struct view_delta *d)
{
	struct index_mut m;
	struct view_entry *e;
	enum store_error error = STORE_OK;
	uint32_t slots[VIEW_CHANGES], i;
	int n, j;

	n = index_changes(&mb->f->ix, modseq, mb->slots, slots, VIEW_CHANGES);
	for (j = 0; j < n && error == STORE_OK; j++)
		if ((e = view_find(mb, slots[j])) != NULL)
			error = view_changed(mb, e, d);
	for (i = 0; n == -1 && i < mb->n && error == STORE_OK; i++) {
		e = &mb->list[i];
		if (e->gone)
			continue;
		error = folder_message(mb->f, e->slot, &m);
		if (error == STORE_OK && m.modseq > modseq)
			error = view_changed(mb, e, d);
	}
	return (error);
}

static enum store_error
view_changed(struct mailbox *mb, struct view_entry *e, struct view_delta *d)
{
	struct index_mut m;
	enum store_error error;
	uint32_t cap, *p;

	if (e->gone)
		return (STORE_OK);
	if ((error = folder_message(mb->f, e->slot, &m)) != STORE_OK)
		return (error);
	if ((m.state & REC_LIVE) == 0) {
		e->gone = 1;
		mb->ngone++;
		return (STORE_OK);
	}
	if (d->nchanged == d->capchanged) {
		cap = d->capchanged == 0 ? 64 : d->capchanged * 2;
		if ((p = reallocarray(d->changed, cap, sizeof(*p))) == NULL)
			return (STORE_SYS);
		d->changed = p;
		d->capchanged = cap;
	}
	d->changed[d->nchanged++] = e->uid;
	return (STORE_OK);
}

/* Take the gone ones out of the view. */
static enum store_error
view_drop(struct mailbox *mb, struct view_delta *d)
{
	uint32_t i, n = 0;

	if ((d->gone = calloc(mb->ngone, sizeof(*d->gone))) == NULL)
		return (STORE_SYS);
	for (i = mb->n; i > 0 && d->ngone < mb->ngone; i--) {
		if (!mb->list[i - 1].gone)
			continue;
		d->gone[d->ngone].seq = i;
		d->gone[d->ngone++].uid = mb->list[i - 1].uid;
	}
	for (i = 0; i < mb->n; i++) {
		if (mb->list[i].gone)
			mb->nrecent -= mb->list[i].recent;
		else
			mb->list[n++] = mb->list[i];
	}
	mb->n = n;
	mb->ngone = 0;
	return (STORE_OK);
}

static enum store_error
view_add(struct mailbox *mb, uint32_t slot, struct view_delta *d)
{
	struct view_entry *e;
	struct index_mut m;
	enum store_error error;
	uint32_t cap;

	if ((error = folder_message(mb->f, slot, &m)) != STORE_OK)
		return (error);
	if ((m.state & REC_LIVE) == 0)
		return (STORE_OK);
	if (mb->n == mb->cap) {
		/* The first time, we know how many there will be. */
		cap = mb->cap + mb->cap / 2;
		if (mb->cap == 0)
			cap = mb->f->ix.hdr.messages < mb->f->ix.hdr.slots ?
			    mb->f->ix.hdr.messages + 16 : 64;
		if ((e = reallocarray(mb->list, cap, sizeof(*e))) == NULL)
			return (STORE_SYS);
		mb->list = e;
		mb->cap = cap;
	}
	e = &mb->list[mb->n++];
	e->uid = index_uid(&mb->f->ix, slot);
	e->slot = slot;
	e->gone = 0;
	e->recent = (m.state & (REC_NEW | REC_RECENT)) != 0;
	mb->nrecent += e->recent;
	d->added++;
	return (STORE_OK);
}

static int
uid_compare(const void *va, const void *vb)
{
	const uint32_t *a = va, *b = vb;

	return (*a < *b ? -1 : *a > *b);
}

void
view_tell(struct mailbox *mb, struct view_delta *d,
    const struct mailbox_changes *ch, void *arg)
{
	uint32_t i, seq;

	for (i = 0; ch != NULL && ch->expunged != NULL && i < d->ngone; i++)
		ch->expunged(arg, d->gone[i].seq, d->gone[i].uid);
	if (d->nchanged > 1)
		qsort(d->changed, d->nchanged, sizeof(*d->changed),
		    uid_compare);
	for (i = 0; ch != NULL && ch->flags != NULL && i < d->nchanged; i++) {
		if (i > 0 && d->changed[i] == d->changed[i - 1])
			continue;
		if ((seq = mailbox_seq_of_uid(mb, d->changed[i])) != 0)
			ch->flags(arg, seq);
	}
	if (ch != NULL && ch->exists != NULL && d->added > 0)
		ch->exists(arg, mb->n, mb->nrecent);
	free(d->gone);
	free(d->changed);
	memset(d, 0, sizeof(*d));
}

enum store_error
view_claim(struct mailbox *mb)
{
	struct folder *f = mb->f;
	struct index_mut m;
	struct files_mark mark;
	uint32_t s, low = UINT32_MAX;

	files_mark(f, &mark);
	index_begin(&f->ix);
	for (s = f->ix.hdr.newlow; s < f->ix.hdr.slots;
	    s = index_next(&f->ix, s)) {
		if (index_get(&f->ix, s, &m) == -1 ||
		    (m.state & (REC_NEW | REC_RECENT)) == 0)
			continue;
		m.state &= ~(REC_NEW | REC_RECENT);
		/* Gone from where it was: the next sync will know more. */
		if (files_rename(f, s, &m) != STORE_OK && low == UINT32_MAX)
			low = s;
	}
	f->ix.hdr.newlow = low == UINT32_MAX ? f->ix.hdr.slots : low;
	files_unmark(f, &mark);
	index_end(&f->ix);
	return (STORE_OK);
}
