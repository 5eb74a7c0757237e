/*
 * deliver: a message into a mailbox, from a descriptor that is only read.
 *
 * Trusts neither the message's bytes nor that it is the first to deliver it.
 * One pass over the bytes, one file, one rename; the record is added while
 * we know all of it, and so is what the cache keeps of it, if the index can be
 * had without waiting.  Nothing is synced before store_deliver_sync().
 */
#include <sys/stat.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/compat.h"
#include "store/crlf.h"
#include "store/file.h"
#include "store/files.h"
#include "store/flush.h"
#include "store/incoming.h"
#include "store/index_map.h"
#include "store/mbox.h"
#include "store/name.h"
#include "store/quota.h"
#include "store/reserve.h"

#define COPY_SIZE	65536
#define ID_MAX		100

/*
 * What an earlier attempt left behind.  A name proves nothing: after a power
 * cut the rename may be on the disk and the bytes not.  So a file that is found
 * is written anew, over its very name, and keeps its record, UID and flags.
 */
enum delivered_state {
	DELIVERED_NOT,
	DELIVERED_FILE,		/* name in new/ or, if cur is set, cur/ */
	DELIVERED_RECORD,	/* in the index, its file is lost */
	DELIVERED_GONE		/* was there and has been expunged */
};

struct delivered {
	enum delivered_state state;
	int		 cur;
	char		 name[NAME_MAX + 1];
};

static enum store_error deliver_file(struct folder *,
    const struct store_delivery *, struct incoming *,
    const struct delivered *);
static enum store_error deliver_copy(int, const struct store_delivery *,
    struct incoming *);
static enum store_error deliver_rename(struct folder *, struct incoming *);
static enum store_error deliver_over(struct folder *, struct incoming *,
    const struct delivered *);
static enum store_error deliver_find(struct folder *, const char *,
    struct delivered *);
static int deliver_find_file(struct folder *, const char *, int,
    struct delivered *);
static int deliver_match(const char *, size_t, const char *);
static enum store_error deliver_mbox(struct store *,
    const struct store_delivery *);
static void deliver_id(const char *, char *, size_t);

enum store_error
store_deliver(struct store *st, const char *mailbox,
    const struct store_delivery *d)
{
	struct incoming in = { .fd = -1, .internal = d->arrived };
	struct delivered old = { .state = DELIVERED_NOT };
	struct folder *f;
	char id[ID_MAX + 1];
	enum store_error error;
	int n;

	if (st->mbox != NULL)
		return (name_is_inbox(mailbox) ? deliver_mbox(st, d) :
		    STORE_NOENT);
	if ((error = folder_get(st, mailbox, &f)) != STORE_OK)
		return (error);
	deliver_id(d->id, id, sizeof(id));
	if (d->again && (error = deliver_find(f, id, &old)) != STORE_OK) {
		folder_release(f);
		return (error);
	}
	if (old.state == DELIVERED_GONE) {
		folder_release(f);
		return (STORE_OK);
	}
	n = snprintf(in.base, sizeof(in.base), "%lld.%s.%.50s",
	    (long long)d->arrived, id, st->hostname);
	if (n < 0 || (size_t)n >= sizeof(in.base))
		error = STORE_NAME;
	if (error == STORE_OK && old.state == DELIVERED_NOT)
		error = quota_check(st, d->len + d->headlen, 1);
	if (error == STORE_OK)
		error = deliver_file(f, d, &in, &old);
	if (error == STORE_OK) {
		if (old.state != DELIVERED_NOT)
			folder_dirty(f, FLUSH_CUR);
		folder_dirty(f, FLUSH_NEW);
		folder_dirty_file(f, in.fd);
	}
	buf_free(&in.entry);
	folder_release(f);
	return (error);
}

static enum store_error
deliver_file(struct folder *f, const struct store_delivery *d,
    struct incoming *in, const struct delivered *old)
{
	char tmp[NAME_MAX + 1];
	enum store_error error;
	int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;

	incoming_tmp(in, tmp);
	in->fd = openat(f->tmp, tmp, flags, 0600);
	if (in->fd == -1 && errno == EEXIST) {
		/* From a crash; a message has one deliverer at a time. */
		if (unlinkat(f->tmp, tmp, 0) == 0)
			in->fd = openat(f->tmp, tmp, flags, 0600);
	}
	if (in->fd == -1)
		return (store_errno());
	if ((error = deliver_copy(in->fd, d, in)) == STORE_OK &&
	    (error = incoming_sizes(in)) == STORE_OK) {
		incoming_entry(in);
		error = old->state == DELIVERED_NOT ? deliver_rename(f, in) :
		    deliver_over(f, in, old);
	}
	if (error != STORE_OK) {
		(void)unlinkat(f->tmp, tmp, 0);
		close(in->fd);
		in->fd = -1;
	}
	return (error);
}

static enum store_error
deliver_copy(int fd, const struct store_delivery *d, struct incoming *in)
{
	struct timespec times[2];
	enum store_error error = STORE_OK;
	struct crlf crlf;
	char *buf;
	size_t done = 0, want;
	ssize_t n;

	if ((buf = malloc(COPY_SIZE)) == NULL)
		return (STORE_SYS);
	if (crlf_init(&crlf, fd) == -1 ||
	    crlf_write(&crlf, d->head, d->headlen) == -1)
		error = store_errno();
	while (error == STORE_OK && done < d->len) {
		want = d->len - done < COPY_SIZE ? d->len - done : COPY_SIZE;
		n = pread(d->fd, buf, want, d->off + (off_t)done);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == 0)
			errno = EIO;	/* shorter than we were told */
		if (n <= 0 || crlf_write(&crlf, buf, (size_t)n) == -1)
			error = n == 0 ? STORE_SYS : store_errno();
		else
			done += (size_t)n;
	}
	times[0].tv_sec = times[1].tv_sec = d->arrived;
	times[0].tv_nsec = times[1].tv_nsec = 0;
	if (error == STORE_OK && (crlf_finish(&crlf) == -1 ||
	    futimens(fd, times) == -1))
		error = store_errno();
	in->size = crlf.size;
	in->fsize = crlf.fsize;
	in->text = crlf.text;
	crlf_free(&crlf);
	free(buf);
	return (error);
}

/* Make it visible; with its record, if the index is to be had at once. */
static enum store_error
deliver_rename(struct folder *f, struct incoming *in)
{
	struct index_fix fix = { 0 };
	struct index_mut mut = { 0 };
	struct files_mark mark;
	enum store_error error = STORE_OK;
	char tmp[NAME_MAX + 1];
	int taken;

	incoming_tmp(in, tmp);
	if (folder_lock(f, LOCK_SHORT) != STORE_OK) {
		/* Until the next sync finds it. */
		if ((error = quota_take(f->store, in->fsize, 1)) == STORE_OK &&
		    renameat(f->tmp, tmp, f->new, in->base) == -1) {
			error = store_errno();
			quota_change(f->store, -(int64_t)in->fsize, -1);
		}
		return (error);
	}
	files_mark(f, &mark);
	index_begin(&f->ix);
	error = quota_take(f->store, in->fsize, 1);
	taken = error == STORE_OK;
	/* Whoever finds only the file knows the UID, too. */
	if (taken && (folder_reserve(f, 1, RESERVE_SYNC) == -1 ||
	    info_uid_add(in->base, f->ix.hdr.uidvalidity,
	    f->ix.hdr.uidnext) == -1 ||
	    renameat(f->tmp, tmp, f->new, in->base) == -1)) {
		error = store_errno();
		quota_change(f->store, -(int64_t)in->fsize, -1);
	}
	fix.fsize = in->fsize;
	fix.namelen = (uint16_t)strlen(in->base);
	mut.modseq = f->ix.hdr.modseq + 1;
	mut.size = in->size;
	mut.internal = in->internal;
	mut.saved = time(NULL);
	mut.text = (uint8_t)in->text;
	mut.state = REC_LIVE | REC_NEW | REC_RECENT;
	mut.cache = cachefile_put(f, &in->entry, f->ix.hdr.uidnext);
	/* Without a record the next sync finds the file by new/'s time. */
	if (error == STORE_OK &&
	    index_add(&f->ix, &fix, in->base, &mut) == 0)
		files_unmark(f, &mark);
	index_end(&f->ix);
	folder_unlock(f);
	return (error);
}

/* Over what is left of the first attempt; the index knows the name. */
static enum store_error
deliver_over(struct folder *f, struct incoming *in,
    const struct delivered *old)
{
	char tmp[NAME_MAX + 1];
	int dir = f->new;

	incoming_tmp(in, tmp);
	if (old->cur && (dir = openat(f->dir, "cur", O_RDONLY | O_DIRECTORY |
	    O_NOFOLLOW | O_CLOEXEC)) == -1)
		return (store_errno());
	if (renameat(f->tmp, tmp, dir, old->name) == -1) {
		int save = errno;

		if (old->cur)
			close(dir);
		errno = save;
		return (store_errno());
	}
	if (old->cur)
		close(dir);
	return (STORE_OK);
}

/*
 * Look for an earlier attempt: its file, else its record.  Here the lock is
 * worth waiting for: who has it may just have expunged the message, which
 * would come back.
 */
static enum store_error
deliver_find(struct folder *f, const char *id, struct delivered *old)
{
	struct index_mut mut;
	enum store_error error;
	const char *name;
	uint32_t s;
	size_t len;

	if (deliver_find_file(f, id, 0, old) == -1 ||
	    (old->state == DELIVERED_NOT &&
	    deliver_find_file(f, id, 1, old) == -1))
		return (store_errno());
	if (old->state != DELIVERED_NOT)
		return (STORE_OK);
	if ((error = folder_lock(f, LOCK_LONG)) != STORE_OK)
		return (error);
	for (s = 0; s < f->ix.hdr.slots; s = index_next(&f->ix, s)) {
		if ((name = index_name(&f->ix, s, &len)) == NULL ||
		    len > NAME_MAX || !deliver_match(name, len, id))
			continue;
		if (index_get(&f->ix, s, &mut) == -1)
			continue;
		old->state = mut.state & REC_LIVE ? DELIVERED_RECORD :
		    DELIVERED_GONE;
		memcpy(old->name, name, len);
		old->name[len] = '\0';
		if (old->state == DELIVERED_RECORD)
			break;
	}
	folder_unlock(f);
	return (STORE_OK);
}

/* -1 if that cannot be told. */
static int
deliver_find_file(struct folder *f, const char *id, int cur,
    struct delivered *old)
{
	struct dirent *e;
	DIR *dir;
	int fd, save;

	fd = openat(f->dir, cur ? "cur" : "new", O_RDONLY | O_DIRECTORY |
	    O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1 || (dir = fdopendir(fd)) == NULL) {
		save = errno;
		if (fd != -1)
			close(fd);
		errno = save;
		return (-1);
	}
	while (old->state == DELIVERED_NOT && (e = file_next(dir)) != NULL) {
		if (!deliver_match(e->d_name, strlen(e->d_name), id) ||
		    strlcpy(old->name, e->d_name, sizeof(old->name)) >=
		    sizeof(old->name))
			continue;
		old->state = DELIVERED_FILE;
		old->cur = cur;
	}
	save = old->state == DELIVERED_NOT ? errno : 0;
	closedir(dir);
	errno = save;
	return (save != 0 ? -1 : 0);
}

/* "seconds.id." at the start? */
static int
deliver_match(const char *name, size_t len, const char *id)
{
	const char *dot = memchr(name, '.', len);
	size_t idlen = strlen(id), left;

	if (dot == NULL)
		return (0);
	left = len - (size_t)(dot + 1 - name);
	return (left > idlen && memcmp(dot + 1, id, idlen) == 0 &&
	    dot[1 + idlen] == '.');
}

/* Only what may stand in a file name; no dots, which end it. */
static void
deliver_id(const char *id, char *out, size_t len)
{
	char *p;

	strlcpy(out, id, len);
	for (p = out; *p != '\0'; p++)
		if (*p <= ' ' || *p >= 0x7f || strchr("/:,.", *p) != NULL)
			*p = '_';
}

enum store_error
store_deliver_sync(struct store *st)
{
	return (store_flush(st));
}

static enum store_error
deliver_mbox(struct store *st, const struct store_delivery *d)
{
	struct mbox_new m = { .head = d->head, .headlen = d->headlen,
	    .fd = d->fd, .off = d->off, .len = d->len,
	    .internal = d->arrived };
	enum store_error error;
	char id[ID_MAX + 1];
	int found = 0;

	deliver_id(d->id, id, sizeof(id));
	m.id = id;
	if (d->again && (error = mbox_delivered(st->mbox, &m, &found)) !=
	    STORE_OK)
		return (error);
	if (found)
		return (STORE_OK);
	if ((error = quota_check(st, d->len + d->headlen, 1)) != STORE_OK)
		return (error);
	return (mbox_add(st->mbox, &m));
}
