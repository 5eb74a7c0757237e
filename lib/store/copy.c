/*
 * copy: messages from one mailbox of a store to another.
 *
 * A message never changes, so a copy is a second link to the same file, made
 * where it belongs; and to move is to rename.  Where that cannot be done (the
 * file was renamed by others, or is on another file system) the copies are
 * made in tmp/, from the bytes if need be, and a move is that and an expunge:
 * if we are killed in between a message is there twice, never not at all.
 */
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "os/compat.h"
#include "os/os.h"
#include "store/change.h"
#include "store/file.h"
#include "store/incoming.h"
#include "store/name.h"
#include "store/sync.h"

#define COPY_SIZE	65536
#define COPY_YOUNG	120	/* seconds; older ones are on the disk */

/* One COPY or MOVE. */
struct copying {
	struct mailbox	*mb;
	const uint32_t	*seqs;
	size_t		 n;
	struct folder	*to;
	struct incoming	*in;		/* n of them */
	struct source	 from;
	unsigned int	 young;		/* files that may not be synced yet */
};

static enum store_error copy_begin(struct copying *, struct mailbox *,
    const uint32_t *, size_t, const char *);
static void copy_reset(struct copying *);
static void copy_end(struct copying *);
static enum store_error copy_direct(struct copying *, uint32_t *, uint32_t *);
static enum store_error copy_through_tmp(struct copying *, uint32_t *,
    uint32_t *);
static int copy_other_way(enum store_error);
static enum store_error copy_prepare(struct copying *);
static enum store_error copy_describe(struct mailbox *, uint32_t,
    struct folder *, struct incoming *, int *);
static int copy_young(struct copying *, struct incoming *);
static uint64_t copy_fsize(struct mailbox *, uint32_t,
    const struct index_mut *, uint64_t);
static void copy_entry(struct mailbox *, const struct view_entry *,
    const struct index_mut *, struct incoming *);
static enum store_error copy_file(struct mailbox *, uint32_t,
    struct folder *, struct incoming *, int);
static enum store_error copy_bytes(struct mailbox *, uint32_t,
    struct folder *, const char *, struct incoming *);
static uint32_t copy_keywords(struct mailbox *, struct folder *, uint32_t);
static enum store_error move_direct(struct copying *, uint32_t *, uint32_t *);
static enum store_error move_locked(struct copying *, uint32_t *, uint32_t *);

enum store_error
mailbox_copy(struct mailbox *mb, const uint32_t *seqs, size_t n,
    const char *name, uint32_t *uids, uint32_t *uidvalidity)
{
	struct copying c;
	enum store_error error;

	if (mb->mbox != NULL)
		return (name_is_inbox(name) ? STORE_READONLY : STORE_NOENT);
	if ((error = copy_begin(&c, mb, seqs, n, name)) == STORE_OK && n > 0) {
		error = copy_direct(&c, uids, uidvalidity);
		if (copy_other_way(error))
			error = copy_through_tmp(&c, uids, uidvalidity);
	}
	copy_end(&c);
	return (error);
}

static enum store_error
copy_begin(struct copying *c, struct mailbox *mb, const uint32_t *seqs,
    size_t n, const char *name)
{
	enum store_error error;
	size_t i;

	memset(c, 0, sizeof(*c));
	c->mb = mb;
	c->seqs = seqs;
	c->n = n;
	if ((error = folder_get(mb->store, name, &c->to)) != STORE_OK)
		return (error);
	if (n > 0 && (c->in = calloc(n, sizeof(*c->in))) == NULL)
		return (STORE_SYS);
	for (i = 0; i < n; i++)
		c->in[i].fd = -1;
	return (STORE_OK);
}

static void
copy_reset(struct copying *c)
{
	size_t i;

	for (i = 0; c->in != NULL && i < c->n; i++) {
		if (c->in[i].fd != -1)
			close(c->in[i].fd);
		buf_free(&c->in[i].entry);
		memset(&c->in[i], 0, sizeof(c->in[i]));
		c->in[i].fd = -1;
	}
	memset(&c->from, 0, sizeof(c->from));
	c->young = 0;
}

static void
copy_end(struct copying *c)
{
	copy_reset(c);
	free(c->in);
	folder_release(c->to);
}

static enum store_error
copy_direct(struct copying *c, uint32_t *uids, uint32_t *uidvalidity)
{
	enum store_error error;

	if ((error = copy_prepare(c)) != STORE_OK)
		return (error);
	return (incoming_commit(c->to, c->in, c->n, &c->from, uids,
	    uidvalidity));
}

/* Not for want of room, or of time: a copy in tmp/ may do. */
static int
copy_other_way(enum store_error error)
{
	return (error == STORE_NOENT || error == STORE_SYS ||
	    error == STORE_READONLY || error == STORE_CORRUPT);
}

static enum store_error
copy_through_tmp(struct copying *c, uint32_t *uids, uint32_t *uidvalidity)
{
	enum store_error error = STORE_OK;
	size_t i;
	int young;

	copy_reset(c);
	for (i = 0; i < c->n && error == STORE_OK; i++) {
		error = copy_describe(c->mb, c->seqs[i], c->to, &c->in[i],
		    &young);
		if (error == STORE_OK)
			error = copy_file(c->mb, c->seqs[i], c->to, &c->in[i],
			    young);
	}
	if (error == STORE_OK)
		return (incoming_commit(c->to, c->in, c->n, NULL, uids,
		    uidvalidity));
	incoming_drop(c->to, c->in, i);
	/* It is the message that is not there, not the mailbox. */
	return (error == STORE_NOENT ? STORE_GONE : error);
}

/* All that is known of the messages; their files stay where they are. */
static enum store_error
copy_prepare(struct copying *c)
{
	enum store_error error;
	size_t i;
	int young;

	if ((error = view_fresh(c->mb)) != STORE_OK)
		return (error);
	c->from.f = c->mb->f;
	c->from.epoch = c->mb->f->epoch;
	for (i = 0; i < c->n; i++) {
		error = copy_describe(c->mb, c->seqs[i], c->to, &c->in[i],
		    &young);
		if (error != STORE_OK)
			return (error);
		if (young && copy_young(c, &c->in[i]) == -1)
			return (store_errno());
	}
	return (STORE_OK);
}

/* Its delivery may not have been synced yet. */
static int
copy_young(struct copying *c, struct incoming *in)
{
	struct index_mut m;
	char name[NAME_MAX + 1];
	int dirfd, ret;

	if (++c->young > FLUSH_FILES && os_syncfs_works()) {
		c->from.sync_all = 1;
		return (0);
	}
	if (index_get(&c->mb->f->ix, in->slot, &m) == -1 ||
	    files_path(c->mb->f, in->slot, &m, &dirfd, name) == -1 ||
	    (in->fd = file_open(dirfd, name)) == -1)
		return (-1);
	if (c->young <= FLUSH_FILES)
		return (0);
	ret = fsync(in->fd);
	close(in->fd);
	in->fd = -1;
	return (ret);
}

static enum store_error
copy_describe(struct mailbox *mb, uint32_t seq, struct folder *to,
    struct incoming *in, int *young)
{
	const struct store_message *msg;
	struct view_entry e;
	struct index_fix fix;
	struct index_mut m;
	enum store_error error;

	files_unique(to, in->base, sizeof(in->base));
	msg = mailbox_facts(mb, seq, FACT_SIZE | FACT_DATES);
	if (msg == NULL)
		return (STORE_NOENT);
	in->size = msg->size;
	in->text = msg->text;
	in->internal = msg->internal;
	*young = time(NULL) - msg->saved < COPY_YOUNG;
	if ((error = view_record(mb, seq, &e, &fix, &m)) != STORE_OK)
		return (error);
	in->slot = e.slot;
	in->flags = m.flags;
	in->keywords = m.keywords == 0 ? 0 :
	    copy_keywords(mb, to, m.keywords);
	in->fsize = copy_fsize(mb, e.slot, &m, fix.fsize);
	in->emailid = fix.emailid;
	copy_entry(mb, &e, &m, in);
	return (incoming_sizes(in));
}

/*
 * What others' names say is their word.  In a name of ours it is what tells a
 * whole file from a torn one after a power cut.
 */
static uint64_t
copy_fsize(struct mailbox *mb, uint32_t slot, const struct index_mut *m,
    uint64_t told)
{
	struct stat st;
	const char *base;
	char name[NAME_MAX + 1];
	uint32_t validity, uid;
	size_t len;
	int dirfd;

	if ((base = index_name(&mb->f->ix, slot, &len)) == NULL ||
	    info_uid(base, len, &validity, &uid) == 0 ||
	    files_path(mb->f, slot, m, &dirfd, name) == -1 ||
	    fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return (told);
	return ((uint64_t)st.st_size);
}

/* What the cache has of it holds for the copy. */
static void
copy_entry(struct mailbox *mb, const struct view_entry *v,
    const struct index_mut *m, struct incoming *in)
{
	const struct cache_entry *e;

	buf_init(&in->entry, CACHE_ENTRY_MAX);
	if ((e = cachefile_get(mb->f, m->cache, v->uid, CACHED_ALL)) != NULL &&
	    buf_add(&in->entry, e, e->len) == -1)
		buf_free(&in->entry);
}

static enum store_error
copy_file(struct mailbox *mb, uint32_t seq, struct folder *to,
    struct incoming *in, int young)
{
	struct stat st;
	struct index_mut m;
	char name[NAME_MAX + 1], tmp[NAME_MAX + 1];
	int dirfd;

	if (index_get(&mb->f->ix, in->slot, &m) == -1 ||
	    files_path(mb->f, in->slot, &m, &dirfd, name) == -1)
		return (STORE_CORRUPT);
	incoming_tmp(in, tmp);
	if (linkat(dirfd, name, to->tmp, tmp, 0) == 0) {
		if (fstatat(to->tmp, tmp, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(st.st_mode)) {
			if (young)
				in->fd = file_open(to->tmp, tmp);
			return (STORE_OK);
		}
		(void)unlinkat(to->tmp, tmp, 0);
		return (STORE_CORRUPT);
	}
	if (errno == ENOSPC || errno == EDQUOT)
		return (STORE_FULL);
	/* Renamed by others, or no links here: both are seen to there. */
	return (copy_bytes(mb, seq, to, tmp, in));
}

static enum store_error
copy_bytes(struct mailbox *mb, uint32_t seq, struct folder *to,
    const char *tmp, struct incoming *in)
{
	struct timespec times[2];
	enum store_error error;
	char *buf;
	off_t off = 0;
	ssize_t n;
	int from = -1, fd = -1;

	if ((error = message_open(mb, seq, &from)) != STORE_OK)
		return (error);
	buf = malloc(COPY_SIZE);
	fd = openat(to->tmp, tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW |
	    O_CLOEXEC, 0600);
	if (buf == NULL || fd == -1) {
		error = store_errno();
		goto done;
	}
	while ((n = pread(from, buf, COPY_SIZE, off)) != 0) {
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 || os_write_all(fd, buf, (size_t)n) == -1) {
			error = store_errno();
			goto done;
		}
		off += n;
	}
	times[0].tv_sec = times[1].tv_sec = in->internal;
	times[0].tv_nsec = times[1].tv_nsec = 0;
	if (futimens(fd, times) == -1)
		error = store_errno();
done:
	free(buf);
	close(from);
	if (fd != -1 && error != STORE_OK) {
		close(fd);
		(void)unlinkat(to->tmp, tmp, 0);
		fd = -1;
	}
	in->fd = fd;
	return (error);
}

/* The same names have other letters there. */
static uint32_t
copy_keywords(struct mailbox *mb, struct folder *to, uint32_t keywords)
{
	const char *name;
	uint32_t bits = 0;
	unsigned int i;
	int k;

	if (to == mb->f)
		return (keywords);
	if (folder_lock(to, LOCK_LONG) != STORE_OK)
		return (0);
	for (i = 0; i < STORE_KEYWORDS; i++) {
		if ((keywords & 1U << i) == 0 ||
		    (name = mailbox_keyword(mb, i)) == NULL)
			continue;
		if ((k = keywords_add(&to->kw, to->dir, name)) != -1)
			bits |= 1U << k;
	}
	folder_unlock(to);
	return (bits);
}

enum store_error
mailbox_move(struct mailbox *mb, const uint32_t *seqs, size_t n,
    const char *to, uint32_t *uids, uint32_t *uidvalidity,
    const struct mailbox_changes *changes, void *arg)
{
	struct copying c;
	enum store_error error;

	if (mb->flags & MAILBOX_READONLY)
		return (STORE_READONLY);
	if (mailbox_untold(mb))
		return (STORE_BUSY);
	if (mb->mbox != NULL)
		return (mailbox_copy(mb, seqs, n, to, uids, uidvalidity));
	if ((error = copy_begin(&c, mb, seqs, n, to)) != STORE_OK || n == 0) {
		copy_end(&c);
		return (error);
	}
	error = STORE_NOENT;
	if (c.to != mb->f)
		error = move_direct(&c, uids, uidvalidity);
	view_tell(mb, changes, arg);
	if (!copy_other_way(error)) {
		copy_end(&c);
		return (error);
	}
	error = copy_through_tmp(&c, uids, uidvalidity);
	copy_end(&c);
	/* It must be there before it may be gone here. */
	if (error == STORE_OK)
		error = store_flush(mb->store);
	if (error != STORE_OK)
		return (error);
	return (mailbox_expunge(mb, seqs, n, changes, arg));
}

/* Everybody takes two locks in the same order. */
static enum store_error
move_direct(struct copying *c, uint32_t *uids, uint32_t *uidvalidity)
{
	struct folder *first = c->mb->f, *second = c->to;
	enum store_error error;

	if (strcmp(first->dirname, second->dirname) > 0) {
		first = c->to;
		second = c->mb->f;
	}
	if ((error = folder_lock(first, LOCK_LONG)) != STORE_OK)
		return (error);
	if ((error = folder_lock(second, LOCK_LONG)) == STORE_OK) {
		error = move_locked(c, uids, uidvalidity);
		folder_unlock(second);
	}
	folder_unlock(first);
	return (error);
}

static enum store_error
move_locked(struct copying *c, uint32_t *uids, uint32_t *uidvalidity)
{
	struct batch batch = { .open = 0 };
	struct mailbox *mb = c->mb;
	enum store_error error;

	if ((error = folder_sync(mb->f, 0)) != STORE_OK ||
	    (error = copy_prepare(c)) != STORE_OK)
		return (error);
	c->from.move = 1;
	batch_begin(mb->f, &batch);
	error = incoming_commit(c->to, c->in, c->n, &c->from, uids,
	    uidvalidity);
	if (error != STORE_OK) {
		/* Unmarked, so that the next sync reads the directory. */
		index_end(&mb->f->ix);
		return (error);
	}
	change_moved(mb, c->seqs, c->n);
	batch_end(mb->f, &batch);
	/* What cannot be told now is told by the next sync. */
	(void)view_collect(mb, 0);
	return (STORE_OK);
}
