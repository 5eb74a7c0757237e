/*
 * cachefile: the file with a folder's cached items.
 *
 * A magic number and then entries (cache_entry.h), each found by the offset in
 * its message's record.  Entries are added at the end under the folder's lock
 * and never changed.  Nothing is synced and nothing is believed:
 *
 *	state					then
 *	no file, another version		a new one with the next entry
 *	entry torn, lost, or of another		the sums and the UID in it tell;
 *	message (a cut, a compaction)		it is made again
 *	entry that no record points to		goes with the next compaction,
 *						which is the index's
 *
 * Cost: one write for a message that comes in, one for up to QUEUE_BYTES of
 * entries when they are made for an old mailbox; none to read.  A process
 * checks each item's sum once.
 */
#include <sys/mman.h>
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/compat.h"
#include "os/os.h"
#include "store/cachefile.h"
#include "store/file.h"
#include "store/folder.h"
#include "store/mapped.h"

#define CACHE_MAGIC	"PSTNCCH2"	/* changes with what writers write */
#define CACHE_START	64
#define CACHE_MAX	(1ULL << 40)
#define CACHE_TMP	"postern.cache.tmp"

_Static_assert(sizeof(struct cache_entry) >= CACHE_GRAIN, "grain");

#define QUEUE_BYTES	(256 * 1024)
#define QUEUE_MAX	(QUEUE_BYTES + CACHE_ENTRY_MAX)
#define NEAR_BYTES	192	/* the struct, dates and subject */

static int cachefile_open(struct folder *, int);
static int cachefile_create(struct folder *, const char *);
static int cachefile_map(struct cachefile *);
static int cachefile_current(const struct folder *);
static int cachefile_seen(struct cachefile *, size_t);
static const struct cache_entry *cachefile_at(const struct cachefile *,
    uint64_t, uint32_t, uint32_t, unsigned int);
static uint64_t cachefile_end(const struct cachefile *);
static int compact_copy(struct folder *, struct index *, int);

void
cachefile_close(struct cachefile *c)
{
	mapped_drop(c->map, c->maplen);
	if (c->fd > 0)
		close(c->fd - 1);
	free(c->seen);
	memset(c, 0, sizeof(*c));
}

/* What was seen whole stays so: entries are not written over. */
static int
cachefile_seen(struct cachefile *c, size_t len)
{
	size_t n = len / CACHE_GRAIN + 1, cap;
	unsigned char *p;

	if (len < c->maplen)
		memset(c->seen, 0, c->nseen);
	if (n <= c->nseen)
		return (0);
	/* The first time pages that nobody asks for cost nothing. */
	cap = n + c->nseen / 2;
	p = c->seen == NULL ? calloc(cap, 1) : realloc(c->seen, cap);
	if (p == NULL)
		return (-1);
	memset(p + c->nseen, 0, c->nseen == 0 ? 0 : cap - c->nseen);
	c->seen = p;
	c->nseen = cap;
	return (0);
}

/* Map all there is now. */
static int
cachefile_map(struct cachefile *c)
{
	struct stat st;
	void *map;

	if (fstat(c->fd - 1, &st) == -1)
		return (-1);
	if (st.st_size < CACHE_START || (uint64_t)st.st_size > CACHE_MAX) {
		errno = EBADMSG;
		return (-1);
	}
	if (c->map != NULL && (size_t)st.st_size == c->maplen)
		return (0);
	if (cachefile_seen(c, (size_t)st.st_size) == -1)
		return (-1);
	map = mapped_file(c->fd - 1, (size_t)st.st_size, PROT_READ);
	if (map == NULL)
		return (-1);
	mapped_drop(c->map, c->maplen);
	c->map = map;
	c->maplen = (size_t)st.st_size;
	c->dev = st.st_dev;
	c->ino = st.st_ino;
	return (0);
}

static int
cachefile_current(const struct folder *f)
{
	struct stat st;

	return (f->cache.map != NULL && fstatat(f->dir, CACHE_FILE, &st,
	    AT_SYMLINK_NOFOLLOW) == 0 && st.st_ino == f->cache.ino &&
	    st.st_dev == f->cache.dev &&
	    (uintmax_t)st.st_size >= f->cache.maplen);
}

/* -1 if there is none that can be used; create: then make one. */
static int
cachefile_open(struct folder *f, int create)
{
	struct cachefile *c = &f->cache;
	struct stat st;
	int fd;

	if (cachefile_current(f))
		return (0);
	cachefile_close(c);
	fd = openat(f->dir, CACHE_FILE, O_RDWR | O_NOFOLLOW | O_NONBLOCK |
	    O_CLOEXEC);
	c->fd = fd + 1;
	if (fd != -1 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    cachefile_map(c) == 0 &&
	    memcmp(c->map, CACHE_MAGIC, strlen(CACHE_MAGIC)) == 0)
		return (0);
	cachefile_close(c);
	if (!create)
		return (-1);
	(void)unlinkat(f->dir, CACHE_FILE, 0);
	if ((fd = cachefile_create(f, CACHE_FILE)) == -1)
		return (-1);
	c->fd = fd + 1;
	if (cachefile_map(c) == 0)
		return (0);
	cachefile_close(c);
	return (-1);
}

static int
cachefile_create(struct folder *f, const char *name)
{
	char head[CACHE_START] = CACHE_MAGIC;
	int fd;

	fd = openat(f->dir, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW |
	    O_CLOEXEC, 0600);
	if (fd != -1 && os_write_all(fd, head, sizeof(head)) == -1) {
		close(fd);
		(void)unlinkat(f->dir, name, 0);
		fd = -1;
	}
	return (fd);
}

static const struct cache_entry *
cachefile_at(const struct cachefile *c, uint64_t off, uint32_t uid,
    uint32_t uidvalidity, unsigned int what)
{
	const struct cache_entry *e;

	if (off < CACHE_START || off % 8 != 0 || off >= c->maplen)
		return (NULL);
	e = (const struct cache_entry *)(const void *)(c->map + off);
	return (cache_entry_ok(e, c->maplen - (size_t)off, what,
	    &c->seen[off / CACHE_GRAIN]) && e->uid == uid &&
	    e->uidvalidity == uidvalidity ? e : NULL);
}

const struct cache_entry *
cachefile_get(struct folder *f, uint64_t off, uint32_t uid, unsigned int what)
{
	const struct cache_entry *e;
	struct cachefile *c = &f->cache;
	uint32_t validity = f->ix.hdr.uidvalidity;

	if (off == 0)
		return (NULL);
	if (mapped_lost(c->map))
		cachefile_close(c);
	if (c->map != NULL && (e = cachefile_at(c, off, uid, validity, what)) !=
	    NULL)
		return (e);
	/* It has grown, was replaced, or was not open. */
	if (cachefile_open(f, 0) == -1 || cachefile_map(c) == -1)
		return (NULL);
	return (cachefile_at(c, off, uid, validity, what));
}

void
cachefile_near(const struct folder *f, uint64_t off)
{
	const struct cachefile *c = &f->cache;
	size_t i;

	for (i = 0; i < NEAR_BYTES && off < c->maplen &&
	    i < c->maplen - off; i += CACHE_GRAIN)
		__builtin_prefetch(c->map + off + i);
}

static uint64_t
cachefile_end(const struct cachefile *c)
{
	struct stat st;

	if (fstat(c->fd - 1, &st) == -1 || st.st_size < CACHE_START ||
	    (uint64_t)st.st_size > CACHE_MAX - QUEUE_MAX)
		return (0);
	return (((uint64_t)st.st_size + 7) & ~7ULL);
}

uint64_t
cachefile_put(struct folder *f, struct buf *entry, uint32_t uid)
{
	uint64_t off;

	if (buf_len(entry) == 0 || cachefile_open(f, 1) == -1 ||
	    (off = cachefile_end(&f->cache)) == 0)
		return (0);
	cache_entry_own(buf_data(entry), uid, f->ix.hdr.uidvalidity);
	if (pwrite(f->cache.fd - 1, buf_data(entry), buf_len(entry),
	    (off_t)off) != (ssize_t)buf_len(entry))
		return (0);
	return (off);
}

void
cachefile_later(struct folder *f, const struct buf *entry, uint32_t slot,
    uint32_t uid)
{
	struct cachefile_queue *q = &f->queue;
	struct cachefile_queued *p;
	size_t cap;

	if (q->n > 0 && q->epoch != f->epoch)
		cachefile_forget(f);
	if (q->n == 0)
		buf_init(&q->buf, QUEUE_MAX);
	if (q->n == q->cap) {
		cap = q->cap == 0 ? 64 : q->cap * 2;
		if ((p = reallocarray(q->list, cap, sizeof(*p))) == NULL)
			return;
		q->list = p;
		q->cap = cap;
	}
	p = &q->list[q->n];
	p->uid = uid;
	p->slot = slot;
	p->off = buf_len(&q->buf);
	q->epoch = f->epoch;
	if (buf_add(&q->buf, buf_data(entry), buf_len(entry)) == 0)
		q->n++;
	if (buf_len(&q->buf) >= QUEUE_BYTES)
		cachefile_write(f);
}

void
cachefile_write(struct folder *f)
{
	struct cachefile_queue *q = &f->queue;
	struct index_mut m;
	uint64_t off;
	size_t i;
	char *data;

	/* What cannot be kept is made again, that is all. */
	if (q->n == 0 || folder_lock(f, LOCK_SHORT) != STORE_OK) {
		cachefile_forget(f);
		return;
	}
	data = buf_data(&q->buf);
	for (i = 0; i < q->n; i++)
		cache_entry_own((struct cache_entry *)(void *)(data +
		    q->list[i].off), q->list[i].uid, f->ix.hdr.uidvalidity);
	if (q->epoch == f->epoch && cachefile_open(f, 1) == 0 &&
	    (off = cachefile_end(&f->cache)) != 0 &&
	    pwrite(f->cache.fd - 1, data, buf_len(&q->buf), (off_t)off) ==
	    (ssize_t)buf_len(&q->buf)) {
		index_begin(&f->ix);
		for (i = 0; i < q->n; i++) {
			if (index_uid(&f->ix, q->list[i].slot) !=
			    q->list[i].uid ||
			    index_get(&f->ix, q->list[i].slot, &m) == -1)
				continue;
			m.cache = off + q->list[i].off;
			index_set(&f->ix, q->list[i].slot, &m);
		}
		index_end(&f->ix);
	}
	folder_unlock(f);
	cachefile_forget(f);
}

void
cachefile_forget(struct folder *f)
{
	buf_free(&f->queue.buf);
	free(f->queue.list);
	memset(&f->queue, 0, sizeof(f->queue));
}

void
cachefile_compact(struct folder *f, struct index *ix)
{
	int fd;

	(void)unlinkat(f->dir, CACHE_TMP, 0);
	if (cachefile_open(f, 0) == -1 || cachefile_map(&f->cache) == -1 ||
	    (fd = cachefile_create(f, CACHE_TMP)) == -1)
		return;
	if (compact_copy(f, ix, fd) == -1 ||
	    renameat(f->dir, CACHE_TMP, f->dir, CACHE_FILE) == -1)
		(void)unlinkat(f->dir, CACHE_TMP, 0);
	close(fd);
}

static int
compact_copy(struct folder *f, struct index *ix, int fd)
{
	const struct cache_entry *e;
	struct index_mut m;
	struct buf b;
	uint64_t off = CACHE_START;
	uint32_t s;
	int ret = 0;

	buf_init(&b, QUEUE_MAX);
	for (s = 0; s < ix->hdr.slots && ret == 0; s = index_next(ix, s)) {
		if (index_get(ix, s, &m) == -1 || m.cache == 0)
			continue;
		e = (m.state & REC_LIVE) == 0 ? NULL : cachefile_at(&f->cache,
		    m.cache, index_uid(ix, s), ix->hdr.uidvalidity, 0);
		m.cache = e == NULL ? 0 : off;
		index_set(ix, s, &m);
		if (e == NULL)
			continue;
		off += e->len;
		ret = buf_add(&b, e, e->len);
		if (ret == 0 && buf_len(&b) >= QUEUE_BYTES) {
			ret = os_write_all(fd, buf_data(&b), buf_len(&b));
			buf_drain(&b, buf_len(&b));
		}
	}
	if (ret == 0 && buf_len(&b) > 0)
		ret = os_write_all(fd, buf_data(&b), buf_len(&b));
	buf_free(&b);
	return (ret);
}
