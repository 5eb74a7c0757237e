/*
 * journal_file: segments and records as they lie on the disk.
 *
 * Everything that is read here may be damaged: nothing is believed before its
 * checksum was.
 */
#include <sys/mman.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "os/compat.h"
#include "smtpd/journal_file.h"

#define RECORD_MAGIC	0x50315351	/* QS1P */
#define SPARES_MAX	4
#define ZERO_PIECE	(1 << 20)

/* Retired segments: made by the event loop, used by the committer. */
static struct {
	pthread_mutex_t	 lock;
	uint64_t	 seg[SPARES_MAX];
	size_t		 n;
} spare = { .lock = PTHREAD_MUTEX_INITIALIZER };

size_t
record_pad(size_t len)
{
	return ((8 - len % 8) % 8);
}

static uint32_t
head_crc(const struct record_head *h, const void *payload)
{
	uLong	crc = crc32(0, NULL, 0);

	crc = crc32(crc, (const Bytef *)&h->len,
	    sizeof(*h) - offsetof(struct record_head, len));
	/* crc32() of no buffer is not "no bytes more" but a fresh start. */
	return (h->covered == 0 ? crc : crc32(crc, payload, h->covered));
}

void
record_seal(struct record_head *h, enum record_type type, uint64_t seg,
    uint64_t id, const void *payload, size_t len, size_t covered)
{
	memset(h, 0, sizeof(*h));
	h->magic = RECORD_MAGIC;
	h->len = len;
	h->type = type;
	h->covered = covered;
	h->seg = seg;
	h->id = id;
	h->crc = head_crc(h, payload);
}

void
record_first(struct record_head *h, const void *payload)
{
	h->flags |= RECORD_FIRST;
	h->crc = head_crc(h, payload);
}

void
segment_name(uint64_t seg, char name[SEGMENT_NAME])
{
	snprintf(name, SEGMENT_NAME, "%016" PRIx64, seg);
}

static int
fill_zero(int fd, off_t from)
{
	char	*zero;
	size_t	 n;
	ssize_t	 w;
	int	 ret = -1;

	if ((zero = calloc(1, ZERO_PIECE)) == NULL)
		return (-1);
	while (from < JOURNAL_SEGMENT) {
		n = JOURNAL_SEGMENT - from < ZERO_PIECE ?
		    (size_t)(JOURNAL_SEGMENT - from) : ZERO_PIECE;
		if ((w = pwrite(fd, zero, n, from)) == -1) {
			if (errno == EINTR)
				continue;
			goto done;
		}
		from += w;
	}
	ret = fsync(fd);
done:
	free(zero);
	return (ret);
}

static int
take_spare(uint64_t *seg)
{
	int	got = 0;

	pthread_mutex_lock(&spare.lock);
	if (spare.n > 0) {
		*seg = spare.seg[--spare.n];
		got = 1;
	}
	pthread_mutex_unlock(&spare.lock);
	return (got);
}

static void
give_spare(uint64_t seg)
{
	pthread_mutex_lock(&spare.lock);
	if (spare.n < SPARES_MAX)
		spare.seg[spare.n++] = seg;
	pthread_mutex_unlock(&spare.lock);
}

static void
spare_name(uint64_t seg, char *name, size_t size)
{
	snprintf(name, size, "spare.%016" PRIx64, seg);
}

/* One that nobody has yet: a retired one, if there is any. */
static int
new_segment(int dirfd, const char *name)
{
	char		 old[SEGMENT_NAME + 8];
	uint64_t	 from;

	if (take_spare(&from)) {
		spare_name(from, old, sizeof(old));
		if (renameat(dirfd, old, dirfd, name) == -1 &&
		    errno != ENOENT) {
			give_spare(from);
			return (-1);
		}
	}
	return (openat(dirfd, name, O_RDWR | O_CREAT | O_CLOEXEC |
	    O_NOFOLLOW, 0600));
}

/*
 * After a pause the one in use is opened again, and a start may have been cut
 * short before it had its name for good.  Only what is not there is made: no
 * other error (there may be no descriptor left) says that nothing is in it.
 */
int
segment_make(int dirfd, uint64_t seg)
{
	char		 name[SEGMENT_NAME];
	struct stat	 st;
	int		 fd, save, made = 0;

	segment_name(seg, name);
	fd = openat(dirfd, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd == -1 && errno == ENOENT) {
		made = 1;
		fd = new_segment(dirfd, name);
	}
	if (fd == -1)
		return (-1);
	if (fstat(fd, &st) == -1 || (st.st_size < JOURNAL_SEGMENT &&
	    fill_zero(fd, st.st_size) == -1) || fsync(dirfd) == -1) {
		save = errno;
		close(fd);
		/* Half of one would only use up what room there is left. */
		if (made)
			(void)unlinkat(dirfd, name, 0);
		errno = save;
		return (-1);
	}
	return (fd);
}

void
segment_retire(int dirfd, uint64_t seg)
{
	char	name[SEGMENT_NAME], to[SEGMENT_NAME + 8];
	int	keep;

	segment_name(seg, name);
	pthread_mutex_lock(&spare.lock);
	keep = spare.n < SPARES_MAX;
	if (keep) {
		spare_name(seg, to, sizeof(to));
		if (renameat(dirfd, name, dirfd, to) == 0)
			spare.seg[spare.n++] = seg;
		else
			keep = 0;
	}
	pthread_mutex_unlock(&spare.lock);
	/*
	 * Should the file stay after a crash, its records are read again and
	 * found to be done; nothing is lost or sent twice.
	 */
	if (!keep)
		(void)unlinkat(dirfd, name, 0);
}

static int
parse_name(const char *s, uint64_t *seg)
{
	char	*end;

	if (strlen(s) != SEGMENT_NAME - 1 ||
	    strspn(s, "0123456789abcdef") != SEGMENT_NAME - 1)
		return (-1);
	*seg = strtoull(s, &end, 16);
	return (0);
}

static int
compare(const void *a, const void *b)
{
	uint64_t	x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return (x < y ? -1 : x > y);
}

int
segments_list(int dirfd, struct segments *list, int tidy)
{
	DIR		*dir;
	struct dirent	*e;
	uint64_t	 seg, *v;
	int		 fd;

	memset(list, 0, sizeof(*list));
	if ((fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) ==
	    -1)
		return (-1);
	if ((dir = fdopendir(fd)) == NULL) {
		close(fd);
		return (-1);
	}
	while ((e = readdir(dir)) != NULL) {
		if (tidy && strncmp(e->d_name, "spare.", 6) == 0)
			(void)unlinkat(dirfd, e->d_name, 0);
		if (parse_name(e->d_name, &seg) == -1)
			continue;
		if ((v = reallocarray(list->v, list->n + 1, sizeof(*v))) ==
		    NULL) {
			closedir(dir);
			free(list->v);
			return (-1);
		}
		list->v = v;
		list->v[list->n++] = seg;
	}
	closedir(dir);
	if (list->n > 0)
		qsort(list->v, list->n, sizeof(*list->v), compare);
	return (0);
}

/* Is there a good record at p, with left bytes behind p? */
static int
good(const unsigned char *p, size_t left, uint64_t seg, struct record_head *h)
{
	if (left < sizeof(*h))
		return (0);
	memcpy(h, p, sizeof(*h));
	return (h->magic == RECORD_MAGIC && h->seg == seg &&
	    h->len <= left - sizeof(*h) && h->covered <= h->len &&
	    h->type >= RECORD_MESSAGE && h->type <= RECORD_DONE &&
	    head_crc(h, p + sizeof(*h)) == h->crc);
}

static int
text_is_good(const struct record_head *h, const unsigned char *payload)
{
	uint32_t	crc;

	if (h->type != RECORD_MESSAGE || h->covered < 8)
		return (1);
	memcpy(&crc, payload + 4, sizeof(crc));
	return (h->covered == h->len || crc32(crc32(0, NULL, 0),
	    payload + h->covered, h->len - h->covered) == crc);
}

static void
set_aside(int dirfd, uint64_t seg, const unsigned char *p, size_t len,
    journal_damaged damaged, void *arg)
{
	char	to[64], what[128];
	int	fd;

	snprintf(to, sizeof(to), "../damaged/%016" PRIx64, seg);
	fd = openat(dirfd, to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC |
	    O_NOFOLLOW, 0600);
	snprintf(what, sizeof(what), "segment %016" PRIx64 " holds damaged "
	    "records; %s", seg, fd != -1 && write(fd, p, len) ==
	    (ssize_t)len ? "a copy is in damaged/" : "no copy could be made");
	if (fd != -1)
		close(fd);
	damaged(arg, what);
}

/* Where the last write begins. */
static size_t
last_write(const unsigned char *p, size_t len, uint64_t seg)
{
	struct record_head	h;
	size_t			off = 0, total, last = 0;

	while (len - off >= sizeof(h)) {
		if (!good(p + off, len - off, seg, &h)) {
			off += 8;
			continue;
		}
		if (h.flags & RECORD_FIRST)
			last = off;
		total = sizeof(h) + h.len + record_pad(h.len);
		off += total < len - off ? total : len - off;
	}
	return (last);
}

void
segment_walk(const unsigned char *p, size_t len, uint64_t seg, int text,
    journal_found found, void *arg, unsigned int *bad)
{
	struct record_head	h;
	struct journal_place	place = { .seg = seg };
	size_t			off = 0, total, from;
	int			skipped = 0;

	from = text ? 0 : last_write(p, len, seg);
	while (len - off >= sizeof(h)) {
		if (!good(p + off, len - off, seg, &h)) {
			/* Something good behind it makes it damage. */
			skipped = 1;
			off += 8;
			continue;
		}
		if (skipped)
			(*bad)++;
		skipped = 0;
		total = sizeof(h) + h.len + record_pad(h.len);
		if (total > len - off)
			total = len - off;
		place.off = off;
		place.len = total;
		if (off >= from && !text_is_good(&h, p + off + sizeof(h)))
			skipped = 1;
		else
			found(arg, h.type, h.id, p + off + sizeof(h),
			    h.covered, &place);
		off += total;
	}
}

int
segment_map(int dirfd, uint64_t seg, const unsigned char **p, size_t *len)
{
	char		 name[SEGMENT_NAME];
	struct stat	 st;
	void		*map = MAP_FAILED;
	int		 fd;

	*p = NULL;
	*len = 0;
	segment_name(seg, name);
	if ((fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)) ==
	    -1)
		return (-1);
	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode) ||
	    (st.st_size > 0 && (map = mmap(NULL, st.st_size, PROT_READ,
	    MAP_PRIVATE, fd, 0)) == MAP_FAILED)) {
		close(fd);
		return (-1);
	}
	close(fd);
	if (st.st_size > 0) {
		*p = map;
		*len = st.st_size;
	}
	return (0);
}

int
segment_unmap(const unsigned char *p, size_t len)
{
	return (len == 0 ? 0 : munmap((void *)(uintptr_t)p, len));
}

int
segment_scan(int dirfd, uint64_t seg, journal_found found,
    journal_damaged damaged, void *arg)
{
	const unsigned char	*p;
	size_t			 len;
	unsigned int		 bad = 0;

	if (segment_map(dirfd, seg, &p, &len) == -1)
		return (-1);
	segment_walk(p, len, seg, 0, found, arg, &bad);
	if (bad > 0)
		set_aside(dirfd, seg, p, len, damaged, arg);
	return (segment_unmap(p, len));
}
