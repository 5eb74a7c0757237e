/*
 * uidlist_follow: Dovecot's list of UIDs, kept so that it may come back.
 *
 * Where there is a dovecot-uidlist of our UIDVALIDITY, messages that got their
 * UIDs from us are added at its end when the folder is closed, as Dovecot
 * itself does; those that are gone it finds out.  What Dovecot added, if it was
 * at work in between, is taken over with the next scan that finds new files.
 *
 * Cost: nothing without such a list; else one write a close for some hundred
 * messages, and reading the list once after somebody else wrote it.
 */
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/os.h"
#include "store/file.h"
#include "store/info.h"
#include "store/uidlist.h"
#include "store/uidlist_follow.h"

#define FOLLOW_BYTES	(64U << 10)	/* added at once */
#define LINE_BYTES	(INFO_BASE_MAX + 16)

static int list_time(const struct folder *, struct index_time *);
static int list_next(struct folder *, uint32_t *);
static int list_cut(int);
static int list_add(int, const struct buf *);
static int follow_lines(struct folder *, int, struct buf *);

static int
list_time(const struct folder *f, struct index_time *t)
{
	struct stat st;

	memset(t, 0, sizeof(*t));
	if (fstatat(f->dir, UIDLIST_FILE, &st, AT_SYMLINK_NOFOLLOW) == -1 ||
	    !S_ISREG(st.st_mode))
		return (-1);
	t->sec = st.st_mtim.tv_sec;
	t->nsec = st.st_mtim.tv_nsec;
	return (0);
}

/* Where the list ends; -1 if it is not one to add to. */
static int
list_next(struct folder *f, uint32_t *next)
{
	struct seeds seeds = { 0 };
	uint32_t validity = 0, end;
	char first[2] = "";
	int fd, ret = -1;

	if ((fd = file_open(f->dir, UIDLIST_FILE)) == -1)
		return (-1);
	/* Version 1 cannot be added to without its header. */
	if (pread(fd, first, sizeof(first), 0) == (ssize_t)sizeof(first) &&
	    memcmp(first, "3 ", 2) == 0 && uidlist_read(f->dir, &seeds,
	    &validity, &end) == 0 && validity == f->ix.hdr.uidvalidity) {
		*next = end;
		ret = 0;
	}
	seeds_free(&seeds);
	close(fd);
	return (ret);
}

/* Cut short: what is added must not go on in that line. */
static int
list_cut(int fd)
{
	struct stat st;
	char last;

	return (fstat(fd, &st) == 0 && st.st_size > 0 &&
	    pread(fd, &last, 1, st.st_size - 1) == 1 && last != '\n');
}

/* All of them or none: half a line would be read as another name. */
static int
list_add(int fd, const struct buf *b)
{
	struct stat st;
	int save;

	if (fstat(fd, &st) == -1)
		return (-1);
	if (os_write_all(fd, buf_data(b), buf_len(b)) == 0)
		return (0);
	save = errno;
	if (ftruncate(fd, st.st_size) == 0)
		errno = save;
	return (-1);
}

/*
 * "uid :name", as Dovecot adds them.  What was added is not added again, also
 * if there is no room for the rest.
 */
static int
follow_lines(struct folder *f, int fd, struct buf *b)
{
	struct index_header *h = &f->ix.hdr;
	struct index_mut m;
	const char *name;
	uint32_t s;
	size_t len;

	if (list_cut(fd) && buf_add(b, "\n", 1) == -1)
		return (-1);
	for (s = 0; s < h->slots; s = index_next(&f->ix, s)) {
		if (index_uid(&f->ix, s) < h->uidlisted ||
		    index_get(&f->ix, s, &m) == -1 ||
		    (m.state & REC_LIVE) == 0 ||
		    (name = index_name(&f->ix, s, &len)) == NULL)
			continue;
		if (buf_len(b) > FOLLOW_BYTES - LINE_BYTES) {
			if (list_add(fd, b) == -1)
				return (-1);
			buf_drain(b, buf_len(b));
			h->uidlisted = index_uid(&f->ix, s);
		}
		if (buf_printf(b, "%" PRIu32 " :%.*s\n",
		    index_uid(&f->ix, s), (int)len, name) == -1)
			return (-1);
	}
	if (list_add(fd, b) == -1)
		return (-1);
	h->uidlisted = h->uidnext;
	return (0);
}

void
uidlist_follow(struct folder *f)
{
	struct index_header *h = &f->ix.hdr;
	struct index_time t;
	struct buf b;
	int fd;

	if (!index_is_open(&f->ix) || h->uidlisted >= h->uidnext ||
	    list_time(f, &t) == -1 || folder_lock(f, LOCK_SHORT) != STORE_OK)
		return;
	buf_init(&b, FOLLOW_BYTES);
	fd = openat(f->dir, UIDLIST_FILE, O_RDWR | O_APPEND | O_NOFOLLOW |
	    O_NONBLOCK | O_CLOEXEC);
	if (fd != -1 && (memcmp(&t, &h->listtime, sizeof(t)) == 0 ||
	    list_next(f, &h->uidlisted) == 0)) {
		(void)follow_lines(f, fd, &b);
		if (list_time(f, &h->listtime) == 0)
			index_publish(&f->ix);
	}
	if (fd != -1)
		close(fd);
	buf_free(&b);
	folder_unlock(f);
}

int
uidlist_changed(struct folder *f, struct seeds *seeds, uint32_t *uidnext)
{
	struct index_header *h = &f->ix.hdr;
	struct index_time t;
	uint32_t validity = 0;

	if (list_time(f, &t) == -1 ||
	    memcmp(&t, &h->listtime, sizeof(t)) == 0)
		return (0);
	h->listtime = t;
	if (uidlist_read(f->dir, seeds, &validity, uidnext) == -1 ||
	    validity != h->uidvalidity) {
		seeds_free(seeds);
		return (0);
	}
	h->uidlisted = *uidnext;
	return (1);
}
