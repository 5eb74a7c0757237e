/*
 * mbox: INBOX as one mbox file.
 *
 * The file is other programs' too: it is read under their locks, never
 * replaced by a new one (mboxwrite.c), and read again whenever its size or
 * time changed.
 * Flags are kept in memory and written at the next sync, expunge or close.
 * What this costs is linear in the size of the file.
 */
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "buf/buf.h"
#include "os/compat.h"
#include "os/os.h"
#include "store/file.h"
#include "store/folder.h"
#include "store/lock.h"
#include "store/mbox.h"
#include "store/mboxwrite.h"

#define MBOX_SIZE	(1L << 30)	/* bytes that are read */
#define MBOX_NEW	(256UL << 20)	/* of one new message */

static enum store_error mbox_lock(struct mbox *, int, int *, int *);
static void mbox_unlock(struct mbox *, int, int);
static enum store_error mbox_load(struct mbox *, int);
static void mbox_merge(struct mbox_text *, const struct mbox_text *);
static enum store_error mbox_save(struct mbox *, int,
    const struct mbox_text *);
static enum store_error text_with(const struct mbox_text *,
    const struct mbox_new *, size_t, struct mbox_text *);
static char *new_text(const struct mbox_new *, size_t *);
static enum store_error add_text(int, const char *, size_t);

enum store_error
mbox_open(struct mbox **mp, int dirfd, const char *name, unsigned int flags)
{
	struct mbox *m;
	int fd;

	if (name == NULL || *name == '\0' || strcmp(name, ".") == 0)
		return (STORE_NAME);
	if ((m = calloc(1, sizeof(*m))) == NULL)
		return (STORE_SYS);
	m->dir = dirfd;
	if ((m->name = strdup(name)) == NULL) {
		free(m);
		return (STORE_SYS);
	}
	if (flags & STORE_CREATE) {
		fd = openat(dirfd, name, O_RDWR | O_CREAT | O_NOFOLLOW |
		    O_NONBLOCK | O_CLOEXEC, 0600);
		if (fd != -1)
			close(fd);
	}
	*mp = m;
	return (STORE_OK);
}

void
mbox_close(struct mbox *m)
{
	if (m == NULL)
		return;
	if (m->dirty)
		(void)mbox_refresh(m, 1);
	mboxtext_free(&m->text);
	free(m->name);
	free(m);
}

static enum store_error
mbox_lock(struct mbox *m, int flags, int *fd, int *dot)
{
	struct stat st;
	enum store_error error;

	*fd = openat(m->dir, m->name, flags | O_NOFOLLOW | O_NONBLOCK |
	    O_CLOEXEC, 0600);
	if (*fd == -1)
		return (store_errno());
	if (fstat(*fd, &st) == -1 || !S_ISREG(st.st_mode))
		error = STORE_CORRUPT;
	else if (lock_mbox(m->dir, m->name, *fd, LOCK_LONG, dot) == -1)
		error = store_errno();
	else if (mboxwrite_finish(*fd) == -1) {
		error = store_errno();
		lock_mbox_drop(m->dir, m->name, *fd, *dot);
	} else
		return (STORE_OK);
	close(*fd);
	*fd = -1;
	return (error);
}

static void
mbox_unlock(struct mbox *m, int fd, int dot)
{
	lock_mbox_drop(m->dir, m->name, fd, dot);
	close(fd);
}

enum store_error
mbox_refresh(struct mbox *m, int write)
{
	struct stat st;
	enum store_error error;
	int fd, dot, changed;

	if (fstatat(m->dir, m->name, &st, AT_SYMLINK_NOFOLLOW) == -1) {
		if (errno != ENOENT)
			return (store_errno());
		mboxtext_free(&m->text);	/* no file: no messages */
		m->loaded = 0;
		return (STORE_OK);
	}
	if (m->loaded && !m->dirty && st.st_size == m->st.st_size &&
	    st.st_ino == m->st.st_ino &&
	    st.st_mtim.tv_sec == m->st.st_mtim.tv_sec &&
	    st.st_mtim.tv_nsec == m->st.st_mtim.tv_nsec)
		return (STORE_OK);
	error = mbox_lock(m, O_RDWR, &fd, &dot);
	/* Or what was begun cannot be finished: what it means can be read. */
	m->readonly = error == STORE_READONLY || error == STORE_FULL;
	if (m->readonly) {
		/* An fcntl write lock needs a descriptor to write with. */
		if ((fd = file_open(m->dir, m->name)) == -1)
			return (store_errno());
		error = mbox_load(m, fd);
		close(fd);
		return (error);
	}
	if (error != STORE_OK)
		return (error);
	error = mbox_load(m, fd);
	changed = m->changed;
	if (error == STORE_OK && m->dirty && write)
		error = mbox_save(m, fd, &m->text);
	mbox_unlock(m, fd, dot);
	/* UIDs are known without being written; mail can be read. */
	return (error == STORE_FULL && !changed ? STORE_OK : error);
}

static enum store_error
mbox_load(struct mbox *m, int fd)
{
	struct mbox_text new = { 0 };
	struct stat st;

	if (fstat(fd, &st) == -1)
		return (store_errno());
	if (m->loaded && st.st_size == m->st.st_size &&
	    st.st_ino == m->st.st_ino &&
	    st.st_mtim.tv_sec == m->st.st_mtim.tv_sec &&
	    st.st_mtim.tv_nsec == m->st.st_mtim.tv_nsec)
		return (STORE_OK);
	if ((new.data = mboxwrite_read(fd, MBOX_SIZE, &new.len)) == NULL)
		return (errno == EFBIG ? STORE_LIMIT : store_errno());
	if (mboxtext_parse(&new) == -1) {
		mboxtext_free(&new);
		return (store_errno());
	}
	/* UIDs that were given but could not be written stay the same. */
	if (new.uidvalidity == 0 && m->text.uidvalidity != 0) {
		new.uidvalidity = m->text.uidvalidity;
		new.uidnext = m->text.uidnext;
	}
	if (mboxtext_number(&new, (uint32_t)time(NULL)) > 0)
		m->dirty = 1;
	if (m->loaded && m->dirty)
		mbox_merge(&new, &m->text);
	mboxtext_free(&m->text);
	m->text = new;
	m->st = st;
	m->loaded = 1;
	return (STORE_OK);
}

/* Flags that we were told and had not written yet. */
static void
mbox_merge(struct mbox_text *new, const struct mbox_text *old)
{
	size_t i, j = 0;

	if (new->uidvalidity != old->uidvalidity)
		return;
	for (i = 0; i < new->n; i++) {
		while (j < old->n && old->list[j].uid < new->list[i].uid)
			j++;
		if (j == old->n || old->list[j].uid != new->list[i].uid)
			continue;
		new->list[i].old |= old->list[j].old;
		if (!old->list[j].dirty)
			continue;
		new->list[i].flags = old->list[j].flags;
		new->list[i].dirty = 1;
	}
}

/* The file, which holds m's text, becomes what the list of want says. */
static enum store_error
mbox_save(struct mbox *m, int fd, const struct mbox_text *want)
{
	struct mbox_text new = { 0 };
	enum store_error error;

	if ((new.data = mboxtext_rewrite(want, &new.len)) == NULL)
		return (STORE_SYS);
	new.data[new.len] = '\0';
	if (mboxtext_parse(&new) == -1) {
		error = store_errno();
		mboxtext_free(&new);
		return (error);
	}
	(void)mboxtext_number(&new, want->uidvalidity);
	if (mboxwrite(fd, &m->text, &new) == -1 || fstat(fd, &m->st) == -1) {
		error = store_errno();
		mboxtext_free(&new);
		/* Read it again, without what a client hears has failed. */
		memset(&m->st, 0, sizeof(m->st));
		if (m->changed)
			m->loaded = m->changed = 0;
		return (error);
	}
	mboxtext_free(&m->text);
	m->text = new;
	m->dirty = 0;
	return (STORE_OK);
}

struct mbox_message *
mbox_find(struct mbox *m, uint32_t uid)
{
	size_t lo = 0, hi = m->text.n, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (m->text.list[mid].uid < uid)
			lo = mid + 1;
		else
			hi = mid;
	}
	return (lo < m->text.n && m->text.list[lo].uid == uid &&
	    !m->text.list[lo].hidden ? &m->text.list[lo] : NULL);
}

enum store_error
mbox_remove(struct mbox *m, const uint32_t *uids, size_t n)
{
	struct mbox_message **list;
	enum store_error error;
	size_t i;
	int fd, dot;

	if ((list = calloc(n + 1, sizeof(*list))) == NULL)
		return (STORE_SYS);
	if ((error = mbox_lock(m, O_RDWR, &fd, &dot)) == STORE_OK) {
		if ((error = mbox_load(m, fd)) == STORE_OK) {
			/* Found first: one without UID ends the search. */
			for (i = 0; i < n; i++)
				list[i] = mbox_find(m, uids[i]);
			for (i = 0; i < n; i++)
				if (list[i] != NULL)
					list[i]->uid = 0;
			error = mbox_save(m, fd, &m->text);
			for (i = 0; i < n && error != STORE_OK; i++)
				if (list[i] != NULL)
					list[i]->uid = uids[i];
		}
		mbox_unlock(m, fd, dot);
	}
	free(list);
	return (error);
}

enum store_error
mbox_add(struct mbox *m, const struct mbox_new *new)
{
	enum store_error error;
	char *text;
	size_t len;
	int fd, dot;

	if ((text = new_text(new, &len)) == NULL)
		return (store_errno());
	error = mbox_lock(m, O_RDWR | O_CREAT, &fd, &dot);
	if (error == STORE_OK) {
		error = add_text(fd, text, len);
		m->unsynced = 1;
		mbox_unlock(m, fd, dot);
	}
	free(text);
	return (error);
}

enum store_error
mbox_append(struct mbox *m, const struct mbox_new *new, size_t n,
    uint32_t *uids, uint32_t *uidvalidity)
{
	struct mbox_text want = { 0 };
	enum store_error error;
	size_t i, first;
	int fd, dot;

	error = mbox_lock(m, O_RDWR | O_CREAT, &fd, &dot);
	if (error != STORE_OK)
		return (error);
	if ((error = mbox_load(m, fd)) == STORE_OK &&
	    (error = text_with(&m->text, new, n, &want)) == STORE_OK &&
	    (error = mbox_save(m, fd, &want)) == STORE_OK) {
		/* They are the last ones. */
		first = m->text.n - n;
		for (i = 0; i < n; i++)
			uids[i] = m->text.list[first + i].uid;
		*uidvalidity = m->text.uidvalidity;
	}
	mbox_unlock(m, fd, dot);
	mboxtext_free(&want);
	return (error);
}

/* A copy of a text, with new messages at its end that have UIDs. */
static enum store_error
text_with(const struct mbox_text *t, const struct mbox_new *new, size_t n,
    struct mbox_text *want)
{
	struct buf b;
	char *text;
	size_t i, len;
	int bad;

	buf_init(&b, MBOX_SIZE);
	bad = buf_add(&b, t->data != NULL ? t->data : "", t->len);
	if (t->len > 0)
		bad |= buf_puts(&b, mboxtext_gap(t->data + t->len,
		    t->len));
	for (i = 0; i < n && bad == 0; i++) {
		if ((text = new_text(&new[i], &len)) == NULL)
			bad = -1;
		else
			bad = buf_add(&b, text, len);
		free(text);
	}
	if (bad == 0 && buf_add(&b, "", 1) == 0 &&
	    (want->data = malloc(buf_len(&b))) != NULL) {
		want->len = buf_len(&b) - 1;
		memcpy(want->data, buf_data(&b), want->len + 1);
	}
	buf_free(&b);
	if (want->data == NULL || mboxtext_parse(want) == -1)
		return (errno == ENOBUFS ? STORE_LIMIT : store_errno());
	return (mboxtext_follow(want, t) == n ? STORE_OK : STORE_CORRUPT);
}

/* Head and message in memory, then as mbox text. */
static char *
new_text(const struct mbox_new *new, size_t *len)
{
	char *raw, *text;
	size_t done = 0, size;
	ssize_t n;

	size = new->fd == -1 ? 0 : new->len;
	if (size > MBOX_NEW || new->headlen > MBOX_NEW) {
		errno = EFBIG;
		return (NULL);
	}
	if ((raw = malloc(new->headlen + size + 1)) == NULL)
		return (NULL);
	if (new->headlen > 0)
		memcpy(raw, new->head, new->headlen);
	while (done < size) {
		n = pread(new->fd, raw + new->headlen + done, size - done,
		    new->off + (off_t)done);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0) {
			if (n == 0)
				errno = EIO;
			free(raw);
			return (NULL);
		}
		done += (size_t)n;
	}
	text = mboxtext_new(new, raw, new->headlen + size, len);
	free(raw);
	return (text);
}

/*
 * A message ends in a line end.  Blocks at the end of the file that a power
 * cut kept from being written are nobody's.
 */
static int
cut_unwritten(int fd, struct stat *st)
{
	char buf[4096];
	size_t n, i;

	while (st->st_size > 0) {
		n = (size_t)st->st_size < sizeof(buf) ? (size_t)st->st_size :
		    sizeof(buf);
		if (pread(fd, buf, n, st->st_size - (off_t)n) != (ssize_t)n)
			return (-1);
		for (i = n; i > 0 && buf[i - 1] == '\0'; )
			i--;
		st->st_size -= (off_t)(n - i);
		if (i == n)
			return (0);
		if (ftruncate(fd, st->st_size) == -1)
			return (-1);
		if (i > 0)
			return (0);
	}
	return (0);
}

/* At the end, after an empty line; the file is as it was if that fails. */
static enum store_error
add_text(int fd, const char *text, size_t len)
{
	struct stat st;
	enum store_error error;
	const char *gap;
	char last[2] = "\n\n";

	if (fstat(fd, &st) == -1 || cut_unwritten(fd, &st) == -1)
		return (store_errno());
	if (st.st_size >= 2 &&
	    pread(fd, last, sizeof(last), st.st_size - 2) != sizeof(last))
		return (store_errno());
	gap = mboxtext_gap(last + sizeof(last), sizeof(last));
	if (lseek(fd, 0, SEEK_END) == -1)
		return (store_errno());
	if (os_write_all(fd, gap, strlen(gap)) == -1 ||
	    os_write_all(fd, text, len) == -1) {
		error = store_errno();
		if (ftruncate(fd, st.st_size) == -1)
			error = STORE_SYS;
		return (error);
	}
	return (STORE_OK);
}

/* The text behind the header, without the empty lines at its end. */
static const char *
body_of(const char *p, size_t len, size_t *bodylen)
{
	const char *body = memmem(p, len, "\n\n", 2);

	if (body == NULL) {
		*bodylen = 0;
		return (p + len);
	}
	body += 2;
	*bodylen = len - (size_t)(body - p);
	while (*bodylen > 0 && body[*bodylen - 1] == '\n')
		(*bodylen)--;
	return (body);
}

/*
 * Is the message that begins at p the one in text?  Flags in its header may
 * have changed since; its body was not changed by a reader, but a power cut
 * may have left only the front of it, or blocks that were never written.
 */
static int
is_whole(const char *p, size_t left, const char *text, size_t len)
{
	const char *a, *b;
	size_t alen, blen;

	a = body_of(p, left, &alen);
	b = body_of(text, len, &blen);
	return (alen == blen && memcmp(a, b, alen) == 0);
}

/*
 * Look at each message with this id.  One that is whole was delivered.  A
 * stump was not; at the end of the file it is cut off, under the lock.
 */
static enum store_error
find_whole(struct mbox *m, int fd, const char *want, const char *text,
    size_t len, int *found)
{
	const char *data = m->text.data, *end = data + m->text.len;
	const char *at, *start = NULL, *next = NULL;

	for (at = data; (at = memmem(at, (size_t)(end - at), want,
	    strlen(want))) != NULL; at++) {
		for (start = at; start > data && (start[-1] != '\n' ||
		    strncmp(start, "From ", 5) != 0); )
			start--;
		next = memmem(at, (size_t)(end - at), "\nFrom ", 6);
		if (is_whole(start, (size_t)((next != NULL ? next + 1 : end) -
		    start), text, len)) {
			*found = 1;
			return (STORE_OK);
		}
	}
	if (start != NULL && next == NULL &&
	    ftruncate(fd, (off_t)(start - data)) == -1)
		return (store_errno());
	return (STORE_OK);
}

enum store_error
mbox_delivered(struct mbox *m, const struct mbox_new *new, int *found)
{
	char want[160], *text;
	enum store_error error;
	size_t len;
	int fd, dot, n;

	*found = 0;
	n = snprintf(want, sizeof(want), "\nX-Delivery-Id: %s\n", new->id);
	if (n < 0 || (size_t)n >= sizeof(want))
		return (STORE_NAME);
	if ((text = new_text(new, &len)) == NULL)
		return (store_errno());
	error = mbox_lock(m, O_RDWR | O_CREAT, &fd, &dot);
	if (error == STORE_OK) {
		if ((error = mbox_load(m, fd)) == STORE_OK && m->text.len > 0)
			error = find_whole(m, fd, want, text, len, found);
		mbox_unlock(m, fd, dot);
	}
	free(text);
	return (error);
}

/* Under the lock, for it is longer while it is rewritten. */
enum store_error
mbox_usage(struct mbox *m, uint64_t *bytes, uint64_t *messages)
{
	enum store_error error;
	struct stat st;
	size_t i;
	int fd, dot, locked;

	*bytes = 0;
	if (messages != NULL)
		*messages = 0;
	error = mbox_lock(m, O_RDWR, &fd, &dot);
	if (error != STORE_OK && error != STORE_READONLY)
		return (error == STORE_NOENT ? STORE_OK : error);
	if (error == STORE_READONLY && (fd = file_open(m->dir, m->name)) == -1)
		return (store_errno());
	locked = error == STORE_OK;
	error = fstat(fd, &st) == -1 ? store_errno() : STORE_OK;
	if (error == STORE_OK && messages != NULL)
		error = mbox_load(m, fd);
	if (error == STORE_OK)
		*bytes = (uint64_t)st.st_size;
	for (i = 0; error == STORE_OK && messages != NULL && i < m->text.n;
	    i++)
		*messages += !m->text.list[i].hidden;
	if (locked)
		mbox_unlock(m, fd, dot);
	else
		close(fd);
	return (error);
}

enum store_error
mbox_flush(struct mbox *m)
{
	enum store_error error = STORE_OK;
	int fd;

	if (m->changed && (error = mbox_refresh(m, 1)) != STORE_OK)
		return (error);
	m->changed = 0;
	if (!m->unsynced)
		return (STORE_OK);
	m->unsynced = 0;
	if ((fd = openat(m->dir, m->name, O_RDWR | O_NOFOLLOW | O_NONBLOCK |
	    O_CLOEXEC)) == -1)
		return (store_errno());
	if (fsync(fd) == -1)
		error = store_errno();
	close(fd);
	return (error);
}
