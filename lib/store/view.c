/*
 * view: the messages that one struct mailbox has been told of.
 *
 * UIDs and slots ascend together, so entries are found by bisection, and new
 * ones are always at the end.  What an index begins with, as long as each slot
 * is a message, needs no list: to open a mailbox of a million is to read its
 * header.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "os/compat.h"
#include "store/files.h"
#include "store/sync.h"
#include "store/view.h"

#define VIEW_CHANGES	256	/* from the log; more: look at each message */

static enum store_error view_changed(struct mailbox *, uint32_t);
static enum store_error view_look(struct mailbox *, uint64_t);
static enum store_error view_add(struct mailbox *, uint32_t);
static enum store_error view_drop(struct mailbox *);
static uint32_t view_find(struct mailbox *, uint32_t);
static enum store_error view_find_slots(struct mailbox *, uint32_t *);
static enum store_error view_take(struct mailbox *, int);
static enum store_error view_message(struct mailbox *, uint32_t,
    struct index_mut *);
static void view_begin(struct mailbox *, uint32_t);
static enum store_error view_settle(struct mailbox *);
static int view_recall(struct mailbox *, int);

int
view_at(const struct mailbox *mb, uint32_t seq, struct view_entry *e)
{
	if (seq == 0 || seq > mb->n)
		return (-1);
	if (seq > mb->dense) {
		*e = mb->list[seq - mb->dense - 1];
		return (0);
	}
	memset(e, 0, sizeof(*e));
	e->slot = seq - 1;
	e->uid = index_uid(&mb->f->ix, e->slot);
	return (0);
}

enum store_error
view_record(struct mailbox *mb, uint32_t seq, struct view_entry *e,
    struct index_fix *fix, struct index_mut *m)
{
	struct folder *f = mb->f;
	struct index_fix unwanted;
	enum store_error error;
	int try;

	for (try = 0; try < 2; try++) {
		if ((error = view_fresh(mb)) != STORE_OK)
			return (error);
		if (view_at(mb, seq, e) == -1 || e->slot == UINT32_MAX)
			return (STORE_NOENT);
		if (index_fixed(&f->ix, e->slot,
		    fix != NULL ? fix : &unwanted) == 0) {
			error = view_message(mb, e->slot, m);
			if (error != STORE_MODIFIED)
				return (error);
		} else if ((error = folder_sync(f, 1)) != STORE_OK)
			return (error);
	}
	return (STORE_CORRUPT);
}

int
view_is_index(const struct mailbox *mb)
{
	const struct index_header *h = &mb->f->ix.hdr;

	return (mb->epoch == mb->f->epoch && mb->ngone == 0 &&
	    mb->slots == h->slots && mb->modseq == h->modseq);
}

/*
 * Damaged ones, n of them up to end, before this UID: if there is room for no
 * others it is known which they are.
 */
static void
view_between(struct mailbox *mb, struct view_entry *list, uint32_t end,
    uint32_t n, uint32_t before)
{
	uint32_t i, last = end > n ? list[end - n - 1].uid : 0;

	if ((end > n && last == 0) || before - last - 1 != n)
		mb->unknown = 1;
	else
		for (i = 0; i < n; i++)
			list[end - n + i].uid = last + 1 + i;
}

/* Each UID for itself, because they will not stay in their slots. */
static enum store_error
view_settle(struct mailbox *mb)
{
	struct view_entry *list, e;
	uint32_t i, unread = 0;

	if (mb->dense == 0)
		return (STORE_OK);
	if ((list = reallocarray(NULL, (size_t)mb->n + 1, sizeof(*list))) ==
	    NULL)
		return (STORE_SYS);
	for (i = 0; i < mb->n; i++) {
		(void)view_at(mb, i + 1, &e);
		list[i] = e;
		unread += e.uid == 0;
		if (unread > 0 && (e.uid != 0 || i + 1 == mb->n)) {
			view_between(mb, list, i + 1 - (e.uid != 0), unread,
			    e.uid != 0 ? e.uid : mb->uidnext);
			unread = 0;
		}
	}
	free(mb->list);
	mb->list = list;
	mb->cap = mb->n + 1;
	mb->dense = 0;
	return (STORE_OK);
}

void
view_settle_all(struct folder *f)
{
	struct mailbox *mb;

	LIST_FOREACH(mb, &f->views, views)
		if (mb->epoch == f->epoch && view_settle(mb) != STORE_OK)
			mb->lost = 1;
}

/* STORE_MODIFIED: who mended the record had to replace the index. */
static enum store_error
view_message(struct mailbox *mb, uint32_t slot, struct index_mut *m)
{
	enum store_error error = folder_message(mb->f, slot, m);

	return (error == STORE_OK && mb->epoch != mb->f->epoch ?
	    STORE_MODIFIED : error);
}

/*
 * UIDs that could not be read any more.  If there are as many as there were,
 * they are the same; else nobody knows which number is whose.  They are only
 * set if that is known.
 */
static int
view_recall(struct mailbox *mb, int set)
{
	struct folder *f = mb->f;
	struct index_mut m;
	uint32_t i = 0, s, uid;

	if (mb->uidvalidity != f->ix.hdr.uidvalidity)
		return (-1);
	for (s = 0; s < f->ix.hdr.slots; s = index_next(&f->ix, s)) {
		if ((uid = index_uid(&f->ix, s)) >= mb->uidnext)
			break;
		if (uid == 0 || index_get(&f->ix, s, &m) == -1)
			return (-1);
		while (i < mb->n && mb->list[i].gone)
			i++;
		if ((m.state & REC_LIVE) == 0)
			continue;
		if (i == mb->n || (mb->list[i].uid != 0 &&
		    mb->list[i].uid != uid))
			return (-1);
		if (set)
			mb->list[i].uid = uid;
		i++;
	}
	while (i < mb->n && mb->list[i].gone)
		i++;
	if (i < mb->n)
		return (-1);
	mb->unknown &= !set;
	return (0);
}

enum store_error
view_fresh(struct mailbox *mb)
{
	struct folder *f = mb->f;
	enum store_error error = STORE_MODIFIED;
	uint32_t s = 0, slots;
	int try;

	if (mb->epoch == f->epoch)
		return (STORE_OK);
	if (mb->lost || (mb->unknown && (view_recall(mb, 0) == -1 ||
	    view_recall(mb, 1) == -1))) {
		mb->lost = 1;
		return (STORE_CORRUPT);
	}
	for (try = 0; try < 2 && error == STORE_MODIFIED; try++)
		error = view_find_slots(mb, &s);
	if (error != STORE_OK)
		return (error == STORE_MODIFIED ? STORE_BUSY : error);
	slots = f->ix.hdr.slots;
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

/*
 * Where each of ours is, and the slot behind.  STORE_MODIFIED: the index was
 * replaced to mend a record.
 */
static enum store_error
view_find_slots(struct mailbox *mb, uint32_t *end)
{
	struct folder *f = mb->f;
	struct index_mut m;
	enum store_error error;
	unsigned int epoch = f->epoch;
	uint32_t i, s = 0, slots = f->ix.hdr.slots;

	if (mb->uidvalidity != 0 && mb->uidvalidity != f->ix.hdr.uidvalidity)
		return (STORE_CORRUPT);		/* nothing that we told holds */
	for (i = 0; i < mb->n; i++) {
		while (s < slots && index_uid(&f->ix, s) < mb->list[i].uid)
			s = index_next(&f->ix, s);
		m.state = 0;
		if (s < slots && index_uid(&f->ix, s) == mb->list[i].uid &&
		    (error = folder_message(f, s, &m)) != STORE_OK)
			return (error);
		if (f->epoch != epoch)
			return (STORE_MODIFIED);
		if (m.state & REC_LIVE) {
			mb->list[i].slot = s;
			/* An index that was given up had not all of them. */
			mb->ngone -= mb->list[i].gone;
			mb->list[i].gone = 0;
			continue;
		}
		mb->list[i].slot = UINT32_MAX;
		mb->ngone += !mb->list[i].gone;
		mb->list[i].gone = 1;
	}
	*end = s;
	return (STORE_OK);
}

/* The sequence number of what is in a slot, or 0. */
static uint32_t
view_find(struct mailbox *mb, uint32_t slot)
{
	return (slot < mb->dense ? slot + 1 :
	    mailbox_seq_of_uid(mb, index_uid(&mb->f->ix, slot)));
}

enum store_error
view_collect(struct mailbox *mb, int no_expunge)
{
	enum store_error error;
	int try;

	for (try = 0; try < 2; try++)
		if ((error = view_take(mb, no_expunge)) != STORE_MODIFIED)
			return (error);
	return (STORE_BUSY);
}

static enum store_error
view_take(struct mailbox *mb, int no_expunge)
{
	struct folder *f = mb->f;
	enum store_error error;
	uint64_t modseq;
	uint32_t slots;

	if ((error = view_fresh(mb)) != STORE_OK)
		return (error);
	/* One that was lost and made anew counts from the clock. */
	if (memcmp(mb->id, f->ix.hdr.id, sizeof(mb->id)) != 0)
		mb->modseq = 0;
	memcpy(mb->id, f->ix.hdr.id, sizeof(mb->id));
	modseq = f->ix.hdr.modseq;
	slots = f->ix.hdr.slots;
	mb->uidvalidity = f->ix.hdr.uidvalidity;
	mb->uidnext = f->ix.hdr.uidnext;
	if (modseq != mb->modseq && mb->n > 0)
		error = view_look(mb, mb->modseq);
	if (error == STORE_OK && !no_expunge && mb->ngone > 0 &&
	    mb->delta.gone == NULL)
		error = view_drop(mb);
	if (error == STORE_OK && mb->slots == 0 && mb->n == 0)
		view_begin(mb, slots);
	while (error == STORE_OK && mb->slots < slots)
		if ((error = view_add(mb, mb->slots)) == STORE_OK)
			mb->slots = index_next(&f->ix, mb->slots);
	if (error == STORE_OK)
		mb->modseq = modseq;
	if (error == STORE_OK && mb->ngone == 0)
		mb->told = modseq;
	return (error);
}

/*
 * What the index begins with is a message each and needs no list.  What may be
 * recent does, if we are to tell.
 */
static void
view_begin(struct mailbox *mb, uint32_t slots)
{
	const struct index_header *h = &mb->f->ix.hdr;
	uint32_t n = h->dense < slots ? h->dense : slots;

	if ((mb->flags & MAILBOX_EXCLUSIVE) == 0 && n > h->newlow)
		n = h->newlow;
	mb->dense = mb->n = mb->slots = n;
	mb->delta.added += n;
}

/* Which of our messages changed after modseq? */
static enum store_error
view_look(struct mailbox *mb, uint64_t modseq)
{
	struct index_mut m;
	struct view_entry e;
	enum store_error error = STORE_OK;
	uint32_t slots[VIEW_CHANGES], i, seq;
	int n, j;

	n = index_changes(&mb->f->ix, modseq, mb->slots, slots, VIEW_CHANGES);
	for (j = 0; j < n && error == STORE_OK; j++)
		if ((seq = view_find(mb, slots[j])) != 0)
			error = view_changed(mb, seq);
		else if (mb->epoch != mb->f->epoch)
			error = STORE_MODIFIED;
	for (i = 1; n == -1 && i <= mb->n && error == STORE_OK; i++) {
		if (view_at(mb, i, &e) == -1 || e.gone)
			continue;
		error = view_message(mb, e.slot, &m);
		if (error == STORE_OK && m.modseq > modseq)
			error = view_changed(mb, i);
	}
	return (error);
}

static enum store_error
view_changed(struct mailbox *mb, uint32_t seq)
{
	struct view_delta *d = &mb->delta;
	struct view_entry e;
	struct index_mut m;
	enum store_error error;
	uint32_t cap, *p;

	if (view_at(mb, seq, &e) == -1 || e.gone)
		return (STORE_OK);
	if ((error = view_message(mb, e.slot, &m)) != STORE_OK)
		return (error);
	if ((m.state & REC_LIVE) == 0) {
		if ((error = view_settle(mb)) != STORE_OK)
			return (error);
		mb->list[seq - 1].gone = 1;
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
	d->changed[d->nchanged++] = e.uid;
	return (STORE_OK);
}

/* Take the gone ones out of the view. */
static enum store_error
view_drop(struct mailbox *mb)
{
	struct view_delta *d = &mb->delta;
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

/* The first time we know how many there will be, if the header is right. */
static uint32_t
view_first(const struct mailbox *mb, uint32_t slot)
{
	const struct index_header *h = &mb->f->ix.hdr;
	uint32_t n = h->messages > mb->dense ? h->messages - mb->dense : 0;

	return ((n < h->slots - slot ? n : h->slots - slot) + 16);
}

static enum store_error
view_add(struct mailbox *mb, uint32_t slot)
{
	struct view_entry *e;
	struct index_mut m;
	enum store_error error;
	uint32_t cap;

	if (index_uid(&mb->f->ix, slot) == 0)
		return (STORE_CORRUPT);
	if ((error = view_message(mb, slot, &m)) != STORE_OK)
		return (error);
	if ((m.state & REC_LIVE) == 0)
		return (STORE_OK);
	if (mb->n - mb->dense == mb->cap) {
		cap = mb->cap + mb->cap / 2;
		if (mb->cap == 0)
			cap = view_first(mb, slot);
		if ((e = reallocarray(mb->list, cap, sizeof(*e))) == NULL)
			return (STORE_SYS);
		mb->list = e;
		mb->cap = cap;
	}
	e = &mb->list[mb->n++ - mb->dense];
	e->uid = index_uid(&mb->f->ix, slot);
	e->slot = slot;
	e->gone = 0;
	e->recent = (m.state & (REC_NEW | REC_RECENT)) != 0;
	mb->nrecent += e->recent;
	mb->delta.added++;
	return (STORE_OK);
}

static int
uid_compare(const void *va, const void *vb)
{
	const uint32_t *a = va, *b = vb;

	return (*a < *b ? -1 : *a > *b);
}

static int
view_full(const struct mailbox_changes *ch, void *arg)
{
	return (ch != NULL && ch->full != NULL && ch->full(arg));
}

static int
view_untold(const struct view_delta *d)
{
	return (d->ngone > 0 || d->nchanged > 0 || d->added > 0);
}

/* 1 if all of them were told. */
static int
view_tell_flags(struct mailbox *mb, const struct mailbox_changes *ch,
    void *arg)
{
	struct view_delta *d = &mb->delta;
	uint32_t i, seq;

	if (d->nchanged > 1 && !d->sorted)
		qsort(d->changed, d->nchanged, sizeof(*d->changed),
		    uid_compare);
	d->sorted = 1;
	for (; d->atchanged < d->nchanged; d->atchanged++) {
		if (view_full(ch, arg))
			return (0);
		i = d->atchanged;
		if (i > 0 && d->changed[i] == d->changed[i - 1])
			continue;
		if (ch != NULL && ch->flags != NULL &&
		    (seq = mailbox_seq_of_uid(mb, d->changed[i])) != 0)
			ch->flags(arg, seq);
	}
	return (1);
}

void
view_tell(struct mailbox *mb, const struct mailbox_changes *ch, void *arg)
{
	struct view_delta *d = &mb->delta;

	for (; d->atgone < d->ngone; d->atgone++) {
		if (view_full(ch, arg))
			return;
		if (ch != NULL && ch->expunged != NULL)
			ch->expunged(arg, d->gone[d->atgone].seq,
			    d->gone[d->atgone].uid);
	}
	if (!view_tell_flags(mb, ch, arg))
		return;
	if (d->added > 0 && view_full(ch, arg))
		return;
	if (ch != NULL && ch->exists != NULL && d->added > 0)
		ch->exists(arg, mb->n, mb->nrecent);
	free(d->gone);
	free(d->changed);
	memset(d, 0, sizeof(*d));
}

int
mailbox_untold(const struct mailbox *mb)
{
	return (mb->mbox != NULL ? mbox_untold(mb->mbox) :
	    view_untold(&mb->delta));
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
