/*
 * mboxwrite: changing an mbox in place.
 *
 * Flags have places of their own (mboxfile.c): where no message changes its
 * place or in more than one sector, those bytes are written where they are.
 * All else is a rewrite, by way of the states in mboxredo.c, with a sync after
 * each line:
 *
 *	the stamp
 *	behind the end: the record
 *	behind that: the new bytes
 *	the new bytes where they belong
 *	the file is cut to its new length
 *	the stamp is undone (not waited for: a stamped file that was cut is
 *	whole)
 *
 * A rewrite costs what is behind the first change, written twice; it needs so
 * much room, and does nothing where there is none.
 */
#include <sys/stat.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/compat.h"
#include "store/hash.h"
#include "store/mboxredo.h"
#include "store/mboxwrite.h"

#define SECTOR		512	/* what a disk writes at once */
#define ZEROS		65536
#define STAMPED_MAX	((size_t)4 << 30)	/* bytes of a stamped file */

static int same_places(const struct mbox_text *, const struct mbox_text *);
static int difference(const struct mbox_text *, const struct mbox_text *,
    size_t, size_t *, size_t *);
static int write_places(int, const struct mbox_text *,
    const struct mbox_text *);
static int rewrite(int, const char *, size_t, const char *, size_t, int);
static int put_record(int, const struct mboxredo *, const char *);
static int put_new(int, const struct mboxredo *, const char *);
static int put_stamp(int, uint64_t);
static int undo_stamp(int);
static int write_at(int, const char *, size_t, uint64_t);
static int cut(int, uint64_t);
static char *read_raw(int, size_t, size_t *);

int
mboxwrite(int fd, const struct mbox_text *old, const struct mbox_text *new)
{
	int done;

	if (same_places(old, new) && (done = write_places(fd, old, new)) != 0)
		return (done == 1 ? 0 : -1);
	return (rewrite(fd, old->data, old->len, new->data, new->len, 0));
}

static int
same_places(const struct mbox_text *old, const struct mbox_text *new)
{
	size_t i;

	if (old->len != new->len || old->n != new->n)
		return (0);
	for (i = 0; i < old->n; i++)
		if (old->list[i].start != new->list[i].start ||
		    old->list[i].head != new->list[i].head ||
		    old->list[i].body != new->list[i].body ||
		    old->list[i].stop != new->list[i].stop)
			return (0);
	return (1);
}

/* From the first byte of a message that differs to the last; 0 if none does. */
static int
difference(const struct mbox_text *old, const struct mbox_text *new, size_t i,
    size_t *from, size_t *to)
{
	size_t a = old->list[i].start, b, n;

	b = i + 1 < old->n ? old->list[i + 1].start : old->len;
	for (; a < b; a += n) {
		n = b - a < SECTOR ? b - a : SECTOR;
		if (memcmp(old->data + a, new->data + a, n) != 0)
			break;
	}
	if (a == b)
		return (0);
	while (old->data[a] == new->data[a])
		a++;
	while (old->data[b - 1] == new->data[b - 1])
		b--;
	*from = a;
	*to = b;
	return (1);
}

/*
 * 1 done, 0 a message changes in more than one sector and nothing was written,
 * -1 error.  What a kill or a power cut leaves is some of the messages' flags.
 */
static int
write_places(int fd, const struct mbox_text *old, const struct mbox_text *new)
{
	size_t i, from, to;
	int written = 0;

	for (i = 0; i < old->n; i++)
		if (difference(old, new, i, &from, &to) &&
		    from / SECTOR != (to - 1) / SECTOR)
			return (0);
	for (i = 0; i < old->n; i++) {
		if (!difference(old, new, i, &from, &to))
			continue;
		if (write_at(fd, new->data + from, to - from, from) == -1)
			return (-1);
		written = 1;
	}
	return (written && fdatasync(fd) == -1 ? -1 : 1);
}

/*
 * If it is stamped already, the stamp says where another record is, which must
 * not be given up before this one is on the disk.
 */
static int
rewrite(int fd, const char *old, size_t oldlen, const char *new,
    size_t newlen, int stamped)
{
	struct mboxredo r = { .at = mboxredo_place(oldlen, newlen),
	    .old = oldlen, .new = newlen };
	int save;

	if (r.at >= MBOXREDO_MAX) {
		errno = EFBIG;
		return (-1);
	}
	while (r.from < oldlen && r.from < newlen &&
	    old[r.from] == new[r.from])
		r.from++;
	if (r.from == oldlen && r.from == newlen && !stamped)
		return (0);
	r.sum = hash_bytes(new + r.from, newlen - (size_t)r.from);
	if ((!stamped && (put_stamp(fd, r.at) == -1 || fdatasync(fd) == -1)) ||
	    put_record(fd, &r, new) == -1) {
		save = errno;
		if (cut(fd, oldlen) == 0 && !stamped && oldlen > 0)
			(void)undo_stamp(fd);
		errno = save;
		return (-1);
	}
	if (stamped && (put_stamp(fd, r.at) == -1 || fdatasync(fd) == -1))
		return (-1);
	return (put_new(fd, &r, new));
}

/* The record first, which says how far the bytes behind it will go. */
static int
put_record(int fd, const struct mboxredo *r, const char *new)
{
	static const char zeros[ZEROS];
	char block[MBOXREDO_BLOCK];
	uint64_t off, n;

	mboxredo_block(r, block);
	if (cut(fd, mboxredo_end(r)) == -1 ||
	    write_at(fd, block, sizeof(block), r->at) == -1 ||
	    fdatasync(fd) == -1 || write_at(fd, new + r->from,
	    (size_t)(r->new - r->from), r->at + MBOXREDO_BLOCK) == -1)
		return (-1);
	/* Room for what it grows by must not be missing later. */
	off = r->old < MBOXREDO_STAMP ? MBOXREDO_STAMP : r->old;
	for (; off < r->new; off += n) {
		n = r->new - off < sizeof(zeros) ? r->new - off :
		    sizeof(zeros);
		if (write_at(fd, zeros, (size_t)n, off) == -1)
			return (-1);
	}
	return (fdatasync(fd));
}

/* From here on an error leaves it to the next one. */
static int
put_new(int fd, const struct mboxredo *r, const char *new)
{
	uint64_t from = r->from;

	if (from < MBOXREDO_STAMP)
		from = MBOXREDO_STAMP;
	if (from < r->new && (write_at(fd, new + from,
	    (size_t)(r->new - from), from) == -1 || fdatasync(fd) == -1))
		return (-1);
	if (cut(fd, r->new) == -1 || fdatasync(fd) == -1)
		return (-1);
	return (r->new < MBOXREDO_STAMP ? 0 : undo_stamp(fd));
}

static int
put_stamp(int fd, uint64_t at)
{
	char stamp[MBOXREDO_STAMP];

	mboxredo_stamp(at, stamp);
	return (write_at(fd, stamp, sizeof(stamp), 0));
}

static int
undo_stamp(int fd)
{
	return (write_at(fd, "From ", MBOXREDO_STAMP, 0));
}

int
mboxwrite_finish(int fd)
{
	struct mboxredo_parts p;
	char stamp[MBOXREDO_STAMP], *raw, *text = NULL;
	size_t rawlen, len;
	int ret = -1;

	if (pread(fd, stamp, sizeof(stamp), 0) != (ssize_t)sizeof(stamp) ||
	    !mboxredo_stamped(stamp, sizeof(stamp)))
		return (0);
	if ((raw = read_raw(fd, STAMPED_MAX, &rawlen)) == NULL)
		return (-1);
	if (!mboxredo_stamped(raw, rawlen)) {
		errno = EAGAIN;		/* by somebody without a lock */
		goto done;
	}
	mboxredo_parts(raw, rawlen, &p);
	if ((text = mboxredo_text(raw, &p, &len)) == NULL)
		goto done;
	if (len > 0 && (len < MBOXREDO_STAMP ||
	    memcmp(text, "From ", MBOXREDO_STAMP) != 0)) {
		errno = EBADMSG;	/* never was an mbox */
		goto done;
	}
	if (p.stop < rawlen && p.stop > p.back && cut(fd, p.stop) == -1)
		goto done;
	/* The stamp itself is no difference. */
	memcpy(raw, text, len < MBOXREDO_STAMP ? len : MBOXREDO_STAMP);
	if (p.back < p.stop)
		ret = rewrite(fd, raw, p.stop, text, len, 1);
	else if (p.middle != NULL)
		ret = put_new(fd, &p.redo, text);
	else if (cut(fd, len) == 0 && fdatasync(fd) == 0)
		ret = len < MBOXREDO_STAMP ? 0 : undo_stamp(fd);
done:
	free(raw);
	free(text);
	return (ret);
}

char *
mboxwrite_read(int fd, size_t max, size_t *len)
{
	struct mboxredo_parts p;
	char stamp[MBOXREDO_STAMP], *raw, *text;
	ssize_t n;

	if ((n = pread(fd, stamp, sizeof(stamp), 0)) == -1)
		return (NULL);
	/* A stamped one is not ours to write, or it would be finished. */
	if (mboxredo_stamped(stamp, (size_t)n))
		max = STAMPED_MAX;
	if ((raw = read_raw(fd, max, len)) == NULL)
		return (NULL);
	if (!mboxredo_stamped(raw, *len)) {
		/* What a power cut kept from being written is nobody's. */
		while (*len > 0 && raw[*len - 1] == '\0')
			--*len;
		return (raw);
	}
	mboxredo_parts(raw, *len, &p);
	text = mboxredo_text(raw, &p, len);
	free(raw);
	return (text);
}

/* A file that is cut meanwhile, by somebody without a lock, is shorter. */
static char *
read_raw(int fd, size_t max, size_t *len)
{
	struct stat st;
	char *data;
	ssize_t n = 1;

	if (fstat(fd, &st) == -1)
		return (NULL);
	if ((uintmax_t)st.st_size > max) {
		errno = EFBIG;
		return (NULL);
	}
	if ((data = malloc((size_t)st.st_size + 1)) == NULL)
		return (NULL);
	for (*len = 0; *len < (size_t)st.st_size && n != 0; ) {
		n = pread(fd, data + *len, (size_t)st.st_size - *len,
		    (off_t)*len);
		if (n == -1 && errno != EINTR) {
			free(data);
			return (NULL);
		}
		if (n > 0)
			*len += (size_t)n;
	}
	data[*len] = '\0';
	return (data);
}

static int
write_at(int fd, const char *data, size_t len, uint64_t off)
{
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		n = pwrite(fd, data + done, len - done,
		    (off_t)(off + done));
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return (-1);
		done += (size_t)n;
	}
	return (0);
}

static int
cut(int fd, uint64_t len)
{
	return (ftruncate(fd, (off_t)len));
}
