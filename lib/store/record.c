/*
 * record: the messages in the index, and the log of their changes.
 *
 * Readers take no lock: what a writer is just changing shows by its checksum
 * and is read again.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#include "store/hash.h"
#include "store/index.h"
#include "store/index_map.h"
#include "store/info.h"
#include "store/store.h"

#define READ_TRIES	1000

static void index_log(struct index *, uint64_t, uint32_t);
static uint64_t record_sum(const struct index_record *, size_t);
static uint32_t change_sum(const struct index_change *);
static struct index_change *index_ring(const struct index *, uint64_t);

struct index_record *
index_record(const struct index *ix, uint32_t slot)
{
	if (slot >= ix->cap)
		return (NULL);
	return ((struct index_record *)(void *)(ix->map + RECORD_OFFSET +
	    (size_t)slot * RECORD_SIZE));
}

uint32_t
index_span(const struct index_record *r)
{
	return (r->fix.namelen > RECORD_NAME ? 2 : 1);
}

const char *
index_record_name(const struct index_record *r)
{
	return ((const char *)r + offsetof(struct index_record, name));
}

static uint64_t
record_sum(const struct index_record *r, size_t namelen)
{
	/* One after the other, so that neither can hide in the other. */
	return (hash_bytes(&r->fix, sizeof(r->fix)) * 3 +
	    hash_bytes(index_record_name(r), namelen));
}

uint64_t
index_mut_sum(const struct index_mut *m)
{
	return (hash_bytes(m, sizeof(*m)));
}

static int
name_fits(const struct index *ix, uint32_t slot, size_t namelen)
{
	return (namelen > 0 && namelen <= INFO_BASE_MAX &&
	    (namelen <= RECORD_NAME || slot + 1 < ix->cap));
}

int
index_record_ok(const struct index *ix, uint32_t slot)
{
	const struct index_record *r = index_record(ix, slot);

	return (r != NULL && r->fix.uid != 0 &&
	    name_fits(ix, slot, r->fix.namelen) &&
	    r->fix.uidvalidity == ix->hdr.uidvalidity &&
	    r->sum == record_sum(r, r->fix.namelen));
}

/* Each record is checked once, when it is first looked at. */
static const struct index_record *
record_checked(const struct index *ix, uint32_t slot)
{
	const struct index_record *r = index_record(ix, slot);
	struct index_checked *c = ix->checked;

	if (r == NULL) {
		errno = EBADMSG;
		return (NULL);
	}
	if (c->bit[slot / 8] & 1U << slot % 8)
		return (r);
	if (!index_record_ok(ix, slot) || r->fix.uid >= ix->hdr.uidnext) {
		c->bad = 1;
		errno = EBADMSG;
		return (NULL);
	}
	c->bit[slot / 8] |= (unsigned char)(1U << slot % 8);
	return (r);
}

const char *
index_name(const struct index *ix, uint32_t slot, size_t *len)
{
	const struct index_record *r = record_checked(ix, slot);

	if (r == NULL)
		return (NULL);
	*len = r->fix.namelen;
	return (index_record_name(r));
}

int
index_fixed(const struct index *ix, uint32_t slot, struct index_fix *fix)
{
	const struct index_record *r = record_checked(ix, slot);

	if (r == NULL)
		return (-1);
	*fix = r->fix;
	return (0);
}

uint32_t
index_uid(const struct index *ix, uint32_t slot)
{
	const struct index_record *r = record_checked(ix, slot);

	return (r == NULL ? 0 : r->fix.uid);
}

uint32_t
index_next(const struct index *ix, uint32_t slot)
{
	const struct index_record *r = record_checked(ix, slot);

	return (slot + (r == NULL ? 1 : index_span(r)));
}

int
index_get(const struct index *ix, uint32_t slot, struct index_mut *m)
{
	const struct index_record *r = index_record(ix, slot);
	uint64_t sum;
	int i;

	if (r == NULL) {
		errno = EBADMSG;
		return (-1);
	}
	for (i = 0; i < READ_TRIES; i++) {
		sum = r->mutsum;
		atomic_thread_fence(memory_order_acquire);
		*m = r->mut;
		atomic_thread_fence(memory_order_acquire);
		if (sum == index_mut_sum(m))
			return (0);
	}
	errno = EAGAIN;
	return (-1);
}

uint64_t
index_cache_hint(const struct index *ix, uint32_t slot)
{
	const struct index_record *r = index_record(ix, slot);

	return (r == NULL ? 0 : r->mut.cache);
}

int
index_put(struct index *ix, uint32_t *end, const struct index_fix *fix,
    const char *name, const struct index_mut *mut)
{
	struct index_record *r;
	uint32_t need = fix->namelen > RECORD_NAME ? 2 : 1;

	if (fix->namelen == 0 || fix->namelen > INFO_BASE_MAX) {
		errno = ENAMETOOLONG;
		return (-1);
	}
	if (index_grow(ix, *end + need) == -1)
		return (-1);
	r = index_record(ix, *end);
	r->sum = 0;
	r->fix = *fix;
	/* A name is given to one message only; sizes may follow it. */
	if (fix->emailid == 0)
		r->fix.emailid = hash_bytes(name, info_unique(name,
		    fix->namelen)) | 1;
	r->mut = *mut;
	r->mutsum = index_mut_sum(mut);
	memcpy((char *)r + sizeof(*r) - RECORD_NAME, name, fix->namelen);
	atomic_thread_fence(memory_order_release);
	r->sum = record_sum(r, fix->namelen);
	*end += need;
	return (0);
}

int
index_add(struct index *ix, struct index_fix *fix, const char *name,
    struct index_mut *mut)
{
	uint32_t slot = ix->hdr.slots;

	if (ix->hdr.uidnext == UINT32_MAX) {
		errno = EFBIG;
		return (-1);
	}
	fix->uid = ix->hdr.uidnext;
	fix->uidvalidity = ix->hdr.uidvalidity;
	if (index_put(ix, &ix->hdr.slots, fix, name, mut) == -1)
		return (-1);
	if (++ix->hdr.uidnext > ix->hdr.uidmax)
		ix->hdr.uidmax = ix->hdr.uidnext;
	if ((mut->state & (REC_NEW | REC_RECENT)) && slot < ix->hdr.newlow)
		ix->hdr.newlow = slot;
	if ((mut->state & (REC_NEW | REC_RECENT)) == 0 &&
	    ix->hdr.newlow == slot)
		ix->hdr.newlow = ix->hdr.slots;
	if (mut->modseq > ix->hdr.modseq)
		ix->hdr.modseq = mut->modseq;
	index_count(ix, fix, mut, 1);
	return (0);
}

void
index_wipe(struct index *ix, uint32_t slot, uint32_t end)
{
	for (; slot < end && slot < ix->cap; slot++) {
		memset(index_record(ix, slot), 0, RECORD_SIZE);
		ix->checked->bit[slot / 8] &= (unsigned char)~(1U << slot % 8);
	}
}

void
index_count(struct index *ix, const struct index_fix *fix,
    const struct index_mut *m, int sign)
{
	struct index_header *h = &ix->hdr;
	uint32_t one = (uint32_t)sign;

	if ((m->state & REC_LIVE) == 0)
		return;
	h->messages += one;
	if ((m->flags & MSG_SEEN) == 0)
		h->unseen += one;
	if (m->flags & MSG_DELETED)
		h->deleted += one;
	h->fsize += sign > 0 ? fix->fsize : -fix->fsize;
	if (m->size == INDEX_UNSIZED)
		h->unsized += one;
	else
		h->size += sign > 0 ? m->size : -m->size;
}

/* A message, there to be seen, in one slot. */
static int
record_plain(const struct index_record *r, const struct index_mut *m)
{
	return ((m->state & (REC_LIVE | REC_PENDING)) == REC_LIVE &&
	    r->fix.namelen <= RECORD_NAME);
}

static int
record_unseen(const struct index_mut *m)
{
	return ((m->state & REC_LIVE) && (m->flags & MSG_SEEN) == 0);
}

void
index_advance(struct index *ix, uint32_t max)
{
	struct index_header *h = &ix->hdr;
	struct index_mut m;
	uint32_t n;

	for (n = 0; n < max && h->dense < h->slots; n++, h->dense++)
		if (index_get(ix, h->dense, &m) == -1 ||
		    !record_plain(index_record(ix, h->dense), &m))
			break;
	for (n = 0; n < max && h->unseenlow < h->slots; n++) {
		if (index_get(ix, h->unseenlow, &m) == -1 || record_unseen(&m))
			break;
		h->unseenlow = index_next(ix, h->unseenlow);
	}
}

void
index_set(struct index *ix, uint32_t slot, const struct index_mut *m)
{
	struct index_record *r = index_record(ix, slot);
	uint64_t before = r->mut.modseq;

	index_count(ix, &r->fix, &r->mut, -1);
	index_count(ix, &r->fix, m, 1);
	if ((r->mut.state & REC_LIVE) && (m->state & REC_LIVE) == 0)
		ix->hdr.dead += index_span(r);
	if ((m->state & (REC_NEW | REC_RECENT)) && slot < ix->hdr.newlow)
		ix->hdr.newlow = slot;
	if (!record_plain(r, m) && slot < ix->hdr.dense)
		ix->hdr.dense = slot;
	if (record_unseen(m) && slot < ix->hdr.unseenlow)
		ix->hdr.unseenlow = slot;
	r->mut = *m;
	atomic_thread_fence(memory_order_release);
	r->mutsum = index_mut_sum(m);
	if (m->modseq > ix->hdr.modseq)
		ix->hdr.modseq = m->modseq;
	if (m->modseq != before)
		index_log(ix, m->modseq, slot);
}

static struct index_change *
index_ring(const struct index *ix, uint64_t n)
{
	return ((struct index_change *)(void *)(ix->map + RING_OFFSET +
	    (n % RING_ENTRIES) * sizeof(struct index_change)));
}

static uint32_t
change_sum(const struct index_change *c)
{
	uint64_t w[2] = { c->modseq, c->slot };

	return ((uint32_t)hash_bytes(w, sizeof(w)));
}

static void
index_log(struct index *ix, uint64_t modseq, uint32_t slot)
{
	struct index_change *c = index_ring(ix, ix->hdr.logged);

	if (ix->hdr.logged >= RING_ENTRIES && c->modseq > ix->hdr.logfloor)
		ix->hdr.logfloor = c->sum == change_sum(c) ? c->modseq :
		    ix->hdr.modseq;
	c->modseq = modseq;
	c->slot = slot;
	c->sum = change_sum(c);
	ix->hdr.logged++;
}

int
index_changes(struct index *ix, uint64_t modseq, uint32_t limit,
    uint32_t *slots, int max)
{
	struct index_header before = ix->hdr;
	struct index_change c;
	uint64_t i;
	int n = 0;

	if (modseq < before.logfloor)
		return (-1);
	for (i = 0; i < before.logged && i < RING_ENTRIES; i++) {
		c = *index_ring(ix, before.logged - 1 - i);
		if (c.sum != change_sum(&c))
			return (-1);
		if (c.modseq <= modseq)
			break;
		/* By a writer who has not told yet how far he is. */
		if (c.modseq > before.modseq)
			return (-1);
		if (c.slot >= limit)
			continue;
		if (n == max)
			return (-1);
		slots[n++] = c.slot;
	}
	/* Overtaken by writers while reading?  Then the floor has risen. */
	if (index_load(ix) == -1 || modseq < ix->hdr.logfloor)
		return (-1);
	return (n);
}
