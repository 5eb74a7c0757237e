/*
 * index: the file, its headers, and what a killed writer leaves.
 *
 *	offset 0	header 0
 *	512		header 1
 *	1024		the last 512 changes, a ring
 *	9216		records of 192 bytes, in the order of their UIDs
 *
 * Headers and records carry checksums.  A header is written over the older of
 * the two; a record's fixed half is written once, before a header counts it,
 * and checked by a process when it first looks at it: to open an index is to
 * read its header, however many records there are.
 * States that a kill can leave, and who mends them:
 *
 *	state					mended by
 *	older header torn			next lock: the newer is valid
 *	busy set				next lock: index_repair() counts
 *						again and lets the folder be
 *						scanned
 *	record behind the last, valid		index_repair() takes it: its
 *						UID may have been told
 *	record behind the last, torn		index_repair() ignores it
 *	REC_PENDING below intent		rolled forward: files that are
 *						in tmp/ go to cur/
 *	REC_PENDING at or above intent		wiped; their files in tmp/ age,
 *						those in cur/ (REC_LINKED) are
 *						removed by recover_pending()
 *	changing half of a record torn		index_repair(): flags are read
 *						from the file's name again
 *	file renamed or removed, index not	mtimes differ: next sync
 *	the version before			index_old.c
 *	anything else				not by us; the index is set
 *						aside, and a new one gets the
 *						UIDs of the records that are
 *						whole
 *
 * A power cut may also take back what was changed in the index since it was
 * last synced, a part of it or all, while the messages' files are durable
 * (flush.c).  So the index need not be synced for each change:
 *
 *	lost					then
 *	records					names of our files have UIDs
 *	uidnext					goes on at uidmax, synced
 *						before one is given from there
 *	flags, expunges				names and directories tell
 *	modseq					jumps; who asks what vanished
 *						before is told all gaps
 *
 * That there may have been one shows by the time at which the system was
 * started (index_rebooted()).
 *
 * Expunged messages stay as dead records until the index is compacted into a
 * new file.  Files only grow, so that no mapping ends before its file does,
 * unless somebody else cuts it (mapped.c); then a new index is made.  Growth
 * is written, not left sparse, so that a full disk is an error here and not a
 * SIGBUS later.
 */
#include <sys/mman.h>
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/compat.h"
#include "os/os.h"
#include "store/hash.h"
#include "store/index.h"
#include "store/index_map.h"
#include "store/mapped.h"

#define INDEX_MAGIC	"PSTNIDX1"
#define INDEX_ORDER	0x01020303	/* the last byte is the version */
#define INDEX_TRIES	1000		/* of reading past a writer */
#define GROW_MIN	64		/* slots */
#define GROW_BYTES	65536		/* a write */
#define MODSEQ_JUMP	(1U << 20)	/* more than can have been lost */
#define ADVANCE		256		/* records, for one change */
#define BOOT_SAME	5		/* seconds that clocks may differ */

_Static_assert(sizeof(struct index_header) + 64 <= HEADER_ROOM, "header");
_Static_assert(sizeof(struct index_record) == RECORD_SIZE, "record");
_Static_assert(sizeof(struct index_change) == 16, "change");

static int index_checked_grow(struct index *, uint32_t);
static int index_map(struct index *);
static int header_read(struct index *, struct index_header *);
static int header_ok(const struct index_header *);
static uint64_t header_sum(const struct index_header *);
static int repair_record(struct index *, uint32_t, uint32_t);

int
index_open(struct index *ix, int dirfd, const char *file)
{
	int save;

	if (index_open_damaged(ix, dirfd, file) == -1)
		return (-1);
	if (index_load(ix) == 0)
		return (0);
	save = errno;
	index_close(ix);
	errno = save;
	return (-1);
}

int
index_open_damaged(struct index *ix, int dirfd, const char *file)
{
	struct stat st;
	int save;

	memset(ix, 0, sizeof(*ix));
	ix->fd = openat(dirfd, file, O_RDWR | O_NOFOLLOW | O_CLOEXEC |
	    O_NONBLOCK);
	if (ix->fd == -1)
		return (-1);
	if (fstat(ix->fd, &st) == -1)
		goto fail;
	if (!S_ISREG(st.st_mode)) {
		errno = ELOOP;
		goto fail;
	}
	ix->dev = st.st_dev;
	ix->ino = st.st_ino;
	if (index_map(ix) == -1)
		goto fail;
	if (header_read(ix, &ix->hdr) == -1)
		memset(&ix->hdr, 0, sizeof(ix->hdr));
	return (0);
fail:
	save = errno;
	index_close(ix);
	errno = save;
	return (-1);
}

int
index_create(struct index *ix, int dirfd, const char *file,
    const struct index_header *hdr)
{
	static const unsigned char zero[RECORD_OFFSET];
	struct stat st;
	int save;

	memset(ix, 0, sizeof(*ix));
	(void)unlinkat(dirfd, file, 0);
	ix->fd = openat(dirfd, file, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW |
	    O_CLOEXEC, 0600);
	if (ix->fd == -1)
		return (-1);
	if (fstat(ix->fd, &st) == -1 ||
	    pwrite(ix->fd, zero, sizeof(zero), 0) != (ssize_t)sizeof(zero) ||
	    index_map(ix) == -1)
		goto fail;
	ix->dev = st.st_dev;
	ix->ino = st.st_ino;
	ix->hdr = *hdr;
	memcpy(ix->hdr.magic, INDEX_MAGIC, sizeof(ix->hdr.magic));
	ix->hdr.order = INDEX_ORDER;
	ix->hdr.recsize = RECORD_SIZE;
	ix->hdr.boot = os_boot_time();
	index_publish(ix);
	index_publish(ix);
	if (index_grow(ix, GROW_MIN) == -1)
		goto fail;
	return (0);
fail:
	save = errno;
	index_close(ix);
	(void)unlinkat(dirfd, file, 0);
	errno = save;
	return (-1);
}

void
index_close(struct index *ix)
{
	if (ix->map != NULL) {
		mapped_drop(ix->map, ix->maplen);
		close(ix->fd);
	} else if (ix->fd > 0)
		close(ix->fd);
	free(ix->checked);
	memset(ix, 0, sizeof(*ix));
	ix->fd = -1;
}

int
index_is_open(const struct index *ix)
{
	return (ix->map != NULL);
}

static int
index_checked_grow(struct index *ix, uint32_t slots)
{
	struct index_checked *c = ix->checked;
	uint32_t old = c == NULL ? 0 : c->slots;
	size_t len = ((size_t)slots + 7) / 8, oldlen = ((size_t)old + 7) / 8;

	if (c != NULL && slots <= old)
		return (0);
	if ((c = realloc(c, sizeof(*c) + len)) == NULL)
		return (-1);
	if (ix->checked == NULL)
		c->bad = 0;
	memset(c->bit + oldlen, 0, len - oldlen);
	c->slots = slots;
	ix->checked = c;
	return (0);
}

static int
index_map(struct index *ix)
{
	struct stat st;
	void *map;
	uint64_t slots;

	if (fstat(ix->fd, &st) == -1)
		return (-1);
	slots = st.st_size < RECORD_OFFSET ? 0 :
	    ((uint64_t)st.st_size - RECORD_OFFSET) / RECORD_SIZE;
	if (st.st_size < RECORD_OFFSET || slots > INDEX_SLOTS) {
		errno = EBADMSG;
		return (-1);
	}
	if (ix->map != NULL && (size_t)st.st_size == ix->maplen)
		return (0);
	/* Whoever restored it may have made holes of its zeros. */
	if ((st.st_size - 1) / 512 >= st.st_blocks &&
	    os_fill(ix->fd, st.st_size) == -1)
		return (-1);
	if (index_checked_grow(ix, (uint32_t)slots) == -1)
		return (-1);
	map = mapped_file(ix->fd, (size_t)st.st_size, PROT_READ | PROT_WRITE);
	if (map == NULL)
		return (-1);
	mapped_drop(ix->map, ix->maplen);
	ix->map = map;
	ix->maplen = (size_t)st.st_size;
	ix->cap = (uint32_t)slots;
	return (0);
}

int
index_grow(struct index *ix, uint32_t slots)
{
	static const unsigned char zero[GROW_BYTES];
	uint64_t off, end, want;
	size_t n;
	ssize_t w;

	if (slots <= ix->cap)
		return (0);
	want = (uint64_t)slots + slots / 4 + GROW_MIN;
	if (slots > INDEX_SLOTS) {
		errno = EFBIG;
		return (-1);
	}
	if (want > INDEX_SLOTS)
		want = INDEX_SLOTS;
	/* From the last whole slot: a killed grower may have left less. */
	off = RECORD_OFFSET + (uint64_t)ix->cap * RECORD_SIZE;
	end = RECORD_OFFSET + want * RECORD_SIZE;
	while (off < end) {
		n = end - off < sizeof(zero) ? (size_t)(end - off) :
		    sizeof(zero);
		if ((w = pwrite(ix->fd, zero, n, (off_t)off)) == -1) {
			if (errno == EINTR)
				continue;
			return (-1);
		}
		off += (uint64_t)w;
	}
	return (index_map(ix));
}

int
index_load(struct index *ix)
{
	struct index_header h;
	int i;

	for (i = 0; i < INDEX_TRIES; i++)
		if (header_read(ix, &h) == 0)
			break;
	if (i == INDEX_TRIES) {
		errno = EBADMSG;
		return (-1);
	}
	if (h.slots > ix->cap && index_map(ix) == -1)
		return (-1);
	if (h.slots > ix->cap) {
		errno = EBADMSG;
		return (-1);
	}
	ix->hdr = h;
	return (0);
}

/* The newer of the valid headers. */
static int
header_read(struct index *ix, struct index_header *out)
{
	struct index_header h;
	int i, found = 0;

	for (i = 0; i < 2; i++) {
		memcpy(&h, ix->map + i * HEADER_ROOM, sizeof(h));
		atomic_thread_fence(memory_order_acquire);
		if (!header_ok(&h))
			continue;
		if (found++ == 0 || h.gen > out->gen)
			*out = h;
	}
	ix->damaged = found < 2;
	return (found > 0 ? 0 : -1);
}

static int
header_ok(const struct index_header *h)
{
	return (h->sum == header_sum(h) &&
	    memcmp(h->magic, INDEX_MAGIC, sizeof(h->magic)) == 0 &&
	    h->order == INDEX_ORDER && h->recsize == RECORD_SIZE &&
	    h->slots <= INDEX_SLOTS && h->uidvalidity != 0 &&
	    h->uidnext != 0);
}

static uint64_t
header_sum(const struct index_header *h)
{
	return (hash_bytes(h, offsetof(struct index_header, sum)));
}

void
index_publish(struct index *ix)
{
	struct index_header *h;

	ix->hdr.gen++;
	ix->hdr.sum = header_sum(&ix->hdr);
	h = (struct index_header *)(void *)(ix->map +
	    (ix->hdr.gen & 1) * HEADER_ROOM);
	/* The sum is last in the struct; a torn copy is seen by it anyway. */
	atomic_thread_fence(memory_order_release);
	memcpy(h, &ix->hdr, sizeof(*h));
	atomic_thread_fence(memory_order_release);
}

void
index_begin(struct index *ix)
{
	ix->hdr.busy = 1;
	index_publish(ix);
}

void
index_end(struct index *ix)
{
	index_advance(ix, ADVANCE);
	ix->hdr.busy = 0;
	index_publish(ix);
}

int
index_sync(struct index *ix)
{
#ifdef __linux__
	return (fdatasync(ix->fd));
#else
	return (msync(ix->map, ix->maplen, MS_SYNC));
#endif
}

int
index_sound(const struct index *ix)
{
	return (!ix->checked->bad && !mapped_lost(ix->map));
}

int
index_verify(struct index *ix)
{
	uint32_t s, last = 0, uid;

	for (s = 0; s < ix->hdr.slots; s = index_next(ix, s)) {
		uid = index_uid(ix, s);
		if (uid <= last || uid >= ix->hdr.uidnext) {
			ix->checked->bad = 1;
			errno = EBADMSG;
			return (-1);
		}
		last = uid;
	}
	return (0);
}

int
index_rebooted(const struct index *ix)
{
	int64_t diff = (int64_t)os_boot_time() - ix->hdr.boot;

	return (diff > BOOT_SAME || diff < -BOOT_SAME);
}

void
index_boot(struct index *ix)
{
	struct index_header *h = &ix->hdr;

	h->boot = os_boot_time();
	h->modseq += MODSEQ_JUMP;
	h->floor = h->logfloor = h->modseq;
	h->jump = h->uidmax;
	memset(&h->newtime, 0, sizeof(h->newtime));
	memset(&h->curtime, 0, sizeof(h->curtime));
	index_publish(ix);
}

int
index_repair(struct index *ix)
{
	struct index_header *h = &ix->hdr;
	uint32_t s = 0, slots = h->slots, last = 0, uid;
	int torn = 0;

	/* A killed writer may have grown the file after our mapping. */
	if (index_map(ix) == -1)
		return (-1);
	h->busy = 1;
	h->messages = h->unseen = h->deleted = h->unsized = h->dead = 0;
	h->size = h->fsize = 0;
	h->dense = h->unseenlow = 0;
	h->newlow = UINT32_MAX;
	while (s < ix->cap && (s < slots || index_record_ok(ix, s))) {
		uid = index_record(ix, s)->fix.uid;
		if (!index_record_ok(ix, s) || uid <= last) {
			if (s >= slots)
				break;
			ix->checked->bad = 1;	/* next lock: a new one */
			errno = EBADMSG;
			return (-1);
		}
		last = uid;
		torn += repair_record(ix, s, slots);
		s += index_span(index_record(ix, s));
	}
	if (s < slots) {		/* the file was cut */
		errno = EBADMSG;
		return (-1);
	}
	h->slots = s;
	if (last >= h->uidnext)
		h->uidnext = last + 1;
	if (h->newlow > s)
		h->newlow = s;
	ix->checked->bad = 0;
	index_advance(ix, UINT32_MAX);
	h->modseq += (uint64_t)(torn != 0);
	h->logfloor = h->modseq;
	memset(&h->newtime, 0, sizeof(h->newtime));
	memset(&h->curtime, 0, sizeof(h->curtime));
	index_publish(ix);
	index_publish(ix);
	return (0);
}

/* Count one record; 1 if its changing half had to be made anew. */
static int
repair_record(struct index *ix, uint32_t slot, uint32_t published)
{
	struct index_header *h = &ix->hdr;
	struct index_record *r = index_record(ix, slot);
	int torn = 0;

	if (r->mutsum != index_mut_sum(&r->mut)) {
		memset(&r->mut, 0, sizeof(r->mut));
		r->mut.size = INDEX_UNSIZED;
		r->mut.internal = r->mut.saved = INDEX_UNDATED;
		r->mut.state = REC_LIVE;
		r->mut.modseq = h->modseq + 1;
		r->mutsum = index_mut_sum(&r->mut);
		torn = 1;
	}
	if ((r->mut.state & REC_PENDING) && slot >= published &&
	    slot >= h->intent) {
		/* Its batch was not complete: as if it had never been. */
		r->mut.state &= REC_LINKED;
		r->mutsum = index_mut_sum(&r->mut);
	}
	if (r->mut.modseq > h->modseq && !torn)
		h->modseq = r->mut.modseq;
	if ((r->mut.state & (REC_NEW | REC_RECENT)) && slot < h->newlow)
		h->newlow = slot;
	if ((r->mut.state & REC_LIVE) == 0)
		h->dead += index_span(r);
	index_count(ix, &r->fix, &r->mut, 1);
	return (torn);
}
